"""Smart constructors: make a node in its tidy form, by rules that always shorten.

They know shapes: a scalar factor moves out of products and sums, a broadcast that its consumer
would do anyway disappears, signs travel outwards.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from types import MappingProxyType
from typing import Any


from symgrad.errors import ShapeError
from symgrad.graph import Node
from symgrad.ops import OPS, const, count, make, value_of
from symgrad.shapes import Shape, axes_of

_NAMED: ContextVar[Collection[Node]] = ContextVar("named", default=())
_RANK: ContextVar[Mapping[Node, int]] = ContextVar("rank", default=MappingProxyType({}))
SIMPLEX = ("onehot", "simplex")
MASKS = ("lt", "le", "gt", "ge", "eq", "ne", "both", "onehot", "winner")


def tidy(op: str, args: tuple[Node, ...], attrs: Any) -> Node:
    """Make `op(*args)`, simplified at its root; the operands are tidy already."""
    node = make(op, *args, **attrs)
    rule = TIDY.get(op)
    for _ in range(8):
        better = rule(node) if rule else None
        if better is None and node.args and OPS[node.op].shape == "elementwise":
            better = _plain_operands(node)
        if better is None or better is node:
            return node
        node = better
        rule = TIDY.get(node.op)
    return node


@contextmanager
def keeping(named: Collection[Node], order: Iterable[Node] = ()) -> Iterator[None]:
    """Leave named nodes whole, no rule looks inside them; write inputs in the given order."""
    tokens = _NAMED.set(named), _RANK.set({n: k for k, n in enumerate(order)})
    try:
        yield
    finally:
        _NAMED.reset(tokens[0])
        _RANK.reset(tokens[1])


def rank(node: Node) -> int:
    """Give the place of an input in the program."""
    return _RANK.get().get(node, 0)


def kind(node: Node) -> str:
    """Give the operator that a rule may look into: none for a named node."""
    return "" if node in _NAMED.get() else node.op


def fit(node: Node, shape: Shape) -> Node:
    """Broadcast a node that has lost axes back to its shape."""
    return node if node.shape == shape else make("broadcast", node, shape=shape)


# -- numbers ---------------------------------------------------------------------------------


def number(value: Fraction | int | float) -> Node:
    """Write an exact number: an integer, a float, or a quotient of integers."""
    if isinstance(value, float):
        return const(int(value)) if value.is_integer() and abs(value) < 2**53 else const(value)
    fraction = Fraction(value)
    if fraction.denominator == 1:
        return const(fraction.numerator)
    if fraction.denominator & (fraction.denominator - 1) and fraction.denominator <= 1000:
        sign = const(fraction.numerator)
        return make("div", sign, const(fraction.denominator))
    return const(float(fraction))


def exact(value: int | float) -> Fraction | None:
    """Read a number as the fraction that people mean by it; None for inf and nan."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def _fold(node: Node) -> Node | None:
    """Compute an operation on numbers, when the result is exact."""
    found = [value_of(a) for a in node.args]
    if any(v is None for v in found):
        return None
    numbers = [exact(v) for v in found if v is not None]
    if any(v is None for v in numbers):
        return None
    a, b = (numbers[0] or Fraction(0)), (numbers[-1] or Fraction(0))
    if node.op == "pow":
        small = b.denominator == 1 and abs(b) <= 64 and (a or b > 0)
        return number(a ** int(b)) if small else None
    if node.op == "div":
        whole = b and (a / b).denominator & ((a / b).denominator - 1) == 0
        return number(a / b) if whole else None
    table: dict[str, Callable[[], Fraction]] = {
        "add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b, "neg": lambda: -a,
    }  # fmt: skip
    return number(table[node.op]())


def _is(node: Node, value: int) -> bool:
    return node.op == "const" and node.attrs["value"] == value


# -- elementwise -----------------------------------------------------------------------------


def _plain_operands(node: Node) -> Node | None:
    """Drop broadcasts and leading length-1 axes that the operation supplies by itself."""
    if len(node.args) < 2:
        if node.op != "neg" and kind(node.args[0]) == "broadcast":
            inner = node.args[0].args[0]
            return fit(tidy(node.op, (inner,), node.attrs), node.shape)
        return None
    for k, arg in enumerate(node.args):
        inner = arg
        if kind(arg) == "broadcast" or (kind(arg) == "expand" and set(arg.shape) == {1}):
            inner = arg.args[0]
        elif kind(arg) == "expand" and arg.attrs["axes"] == tuple(range(len(arg.attrs["axes"]))):
            inner = arg.args[0]
        if inner is arg:
            continue
        args = tuple(inner if j == k else a for j, a in enumerate(node.args))
        try:
            slim = make(node.op, *args, **node.attrs)
        except ShapeError:
            continue
        if slim.shape == node.shape:
            return tidy(node.op, args, node.attrs)
        if all(kind(a) == "broadcast" or not a.shape for a in node.args):
            return fit(tidy(node.op, args, node.attrs), node.shape)
    return None


def _add(node: Node) -> Node | None:
    a, b = node.args
    if _is(a, 0):
        return fit(b, node.shape)
    if _is(b, 0):
        return fit(a, node.shape)
    if _zero(a) or _zero(b):
        return fit(b if _zero(a) else a, node.shape)
    if kind(b) == "neg":
        return tidy("sub", (a, b.args[0]), {})
    if kind(a) == "neg":
        return tidy("sub", (b, a.args[0]), {})
    if kind(a) == kind(b) == "where" and a.args[0] is b.args[0]:
        pairs = zip(a.args[1:], b.args[1:], strict=True)
        return fit(tidy("where", (a.args[0], *(tidy("add", p, {}) for p in pairs)), {}), node.shape)
    return _fold(node) or _common_product(node)


def _zero(node: Node) -> bool:
    return node.op == "broadcast" and _is(node.args[0], 0)


def _common_product(node: Node) -> Node | None:
    """A x + B x is (A + B) x."""
    a, b = node.args
    if kind(a) != "matmul" or kind(b) != "matmul" or a.shape != b.shape:
        return None
    for side in (1, 0):
        other = 1 - side
        if a.args[side] is b.args[side] and a.args[other].shape == b.args[other].shape:
            total = make(node.op, a.args[other], b.args[other])
            return make("matmul", *((total, a.args[1]) if side else (a.args[0], total)))
    return None


def _sub(node: Node) -> Node | None:
    a, b = node.args
    if _is(b, 0) or _zero(b):
        return fit(a, node.shape)
    if _is(a, 0) or _zero(a):
        return fit(tidy("neg", (b,), {}), node.shape)
    if a is b:
        return fit(const(0), node.shape)
    if kind(b) == "neg":
        return tidy("add", (a, b.args[0]), {})
    return _fold(node) or _common_product(node)


def _neg(node: Node) -> Node | None:
    (a,) = node.args
    if kind(a) == "neg":
        return a.args[0]
    if kind(a) == "broadcast":
        return fit(tidy("neg", a.args, {}), node.shape)
    return _fold(node) or flipped(a)


FLIPS = ("mul", "div", "matmul", "outer", "transpose", "expand", "sum")


def flipped(node: Node) -> Node | None:
    """Absorb a minus sign by swapping a difference inside a product; None if there is none."""
    path: list[tuple[Node, int]] = []
    todo: list[tuple[Node, list[tuple[Node, int]]]] = [(node, path)]
    while todo:
        current, path = todo.pop()
        if kind(current) == "sub" and current.args[0].shape == current.shape == current.args[1].shape:
            result = tidy("sub", (current.args[1], current.args[0]), {})
        elif kind(current) == "sub" and all(
            a.op == "const" or a.shape == current.shape for a in current.args
        ):
            result = tidy("sub", (current.args[1], current.args[0]), {})
        else:
            if kind(current) in FLIPS and len(path) < 6:
                count_ = 1 if current.op in ("div", "transpose", "expand", "sum") else 2
                todo += [(current.args[k], [*path, (current, k)]) for k in reversed(range(count_))]
            continue
        for parent, k in reversed(path):
            args = tuple(result if j == k else a for j, a in enumerate(parent.args))
            result = make(parent.op, *args, **parent.attrs)
        return result
    return None


def _mul(node: Node) -> Node | None:
    a, b = node.args
    for x, y in ((a, b), (b, a)):
        if _is(x, 0) or _zero(x):
            return fit(const(0), node.shape)
        if _is(x, 1):
            return fit(y, node.shape)
        if _is(x, -1):
            return fit(tidy("neg", (y,), {}), node.shape)
        if kind(x) == "neg":
            return tidy("neg", (tidy("mul", (x.args[0], y) if x is a else (y, x.args[0]), {}),), {})
        if kind(y) == "where" and kind(x) != "where" and any(_is(v, 0) for v in y.args[1:]):
            c, u, v = y.args
            scaled = [v0 if _is(v0, 0) else tidy("mul", (x, v0), {}) for v0 in (u, v)]
            return fit(tidy("where", (c, scaled[0], scaled[1]), {}), node.shape)
    return _fold(node)


def _div(node: Node) -> Node | None:
    a, b = node.args
    if _is(b, 1):
        return a
    if _is(a, 0):
        return fit(a, node.shape)
    if kind(a) == "neg":
        return tidy("neg", (tidy("div", (a.args[0], b), {}),), {})
    return _fold(node)


def _pow(node: Node) -> Node | None:
    a, b = node.args
    if _is(b, 1):
        return fit(a, node.shape)
    if _is(b, 0):
        return fit(const(1), node.shape)
    return _fold(node)


def _where(node: Node) -> Node | None:
    c, a, b = node.args
    if a is b:
        return fit(a, node.shape)
    if _is(b, 0) and _is(a, 1):
        return fit(c, node.shape) if c.dtype == "bool" else None
    if _is(b, 0) and c.op in ("lt", "gt", "le", "ge") and a.dtype == "bool" and a is c:
        return fit(c, node.shape)
    # 1[c] where the other branch repeats the condition
    for k, other in ((1, 0), (2, 1)):
        branch = node.args[k]
        if kind(branch) == "where" and branch.args[0] is c:
            inner = branch.args[1 + other]
            args = (c, inner, b) if k == 1 else (c, a, inner)
            return fit(tidy("where", args, {}), node.shape)
    return None


# -- axes and products -----------------------------------------------------------------------


def scalar_parts(node: Node) -> tuple[list[tuple[str, Node]], Node]:
    """Split off signs and scalar factors: node = (factors) * rest."""
    factors: list[tuple[str, Node]] = []
    while True:
        if kind(node) == "neg":
            factors.append(("neg", node))
            node = node.args[0]
        elif kind(node) == "mul" and node.shape and not all(a.shape for a in node.args):
            k = 0 if not node.args[0].shape else 1
            factors.append(("mul", node.args[k]))
            node = node.args[1 - k]
        elif kind(node) == "div" and node.shape and not node.args[1].shape:
            factors.append(("div", node.args[1]))
            node = node.args[0]
        else:
            return factors, node


def scaled(factors: list[tuple[str, Node]], node: Node) -> Node:
    """Multiply a node by the factors that `scalar_parts` split off."""
    for kind, factor in reversed(factors):
        if kind == "neg":
            node = tidy("neg", (node,), {})
        elif kind == "mul":
            node = tidy("mul", (factor, node), {})
        else:
            node = tidy("div", (node, factor), {})
    return node


def _linear(node: Node) -> Node | None:
    """Move scalar factors of any operand of a (multi)linear operator outside."""
    factors: list[tuple[str, Node]] = []
    args = []
    for arg in node.args:
        found, rest = scalar_parts(arg)
        factors += found
        args.append(rest)
    if not factors:
        return None
    return scaled(factors, tidy(node.op, tuple(args), node.attrs))


def _matmul(node: Node) -> Node | None:
    a, b = node.args
    if _zero(a) or _zero(b):
        return fit(const(0), node.shape)
    moved = _linear(node)
    if moved is not None:
        return moved
    if len(a.shape) == 1 and len(b.shape) == 2:  # a row times a matrix: M^T a, as books write it
        return make("matmul", tidy("transpose", (b,), {"axes": None}), a)
    return None


def _outer(node: Node) -> Node | None:
    if any(_zero(a) for a in node.args):
        return fit(const(0), node.shape)
    return _linear(node)


def _transpose(node: Node) -> Node | None:
    (a,) = node.args
    axes = node.attrs["axes"]
    if axes is not None and axes == tuple(range(len(axes))):
        return a
    if axes is not None and axes == tuple(reversed(range(len(axes)))):
        return tidy("transpose", (a,), {"axes": None})
    if kind(a) == "transpose" and axes is None and a.attrs["axes"] is None:
        return a.args[0]
    if kind(a) == "broadcast" and not a.args[0].shape:
        return fit(a.args[0], node.shape)
    if a.op == "input" and a.attrs["kind"] == "symmetric" and axes is None:
        return a
    if kind(a) == "outer" and axes is None:
        return make("outer", a.args[1], a.args[0])
    if kind(a) == "matmul" and axes is None and len(a.args[0].shape) == len(a.args[1].shape) == 2:
        turned = [tidy("transpose", (x,), {"axes": None}) for x in reversed(a.args)]
        return make("matmul", *turned)
    return _linear(node)


def _expand(node: Node) -> Node | None:
    (a,) = node.args
    if kind(a) == "broadcast" and not a.args[0].shape:
        return fit(a.args[0], node.shape)
    return _linear(node)


def _broadcast(node: Node) -> Node | None:
    (a,) = node.args
    if a.shape == node.shape:
        return a
    if kind(a) == "broadcast":
        return make("broadcast", a.args[0], shape=node.shape)
    return None


def _sum(node: Node) -> Node | None:
    (a,) = node.args
    axes = axes_of(node.attrs["axis"], len(a.shape))
    if not axes:
        return a
    if kind(a) == "broadcast":
        inner = a.args[0]
        lead = len(a.shape) - len(inner.shape)
        if all(k < lead or inner.shape[k - lead] == 1 for k in axes):
            flat = tuple(k - lead for k in axes if k >= lead)
            if flat:
                kept = tidy("sum", (inner,), {"axis": flat, "keepdims": node.attrs["keepdims"]})
            else:
                kept = inner
            return fit(tidy("mul", (count(a.shape, axes), kept), {}), node.shape)
    if kind(a) == "sum" and a.attrs["keepdims"]:
        if axes_of(a.attrs["axis"], len(a.shape)) == axes and not node.attrs["keepdims"]:
            return tidy("sum", a.args, {"axis": a.attrs["axis"], "keepdims": False})
    ones = _sums_to_one(a, axes)
    if ones:
        return fit(const(1), node.shape)
    moved = _linear(node) or _constant_along(node, a, axes)
    if moved is not None:
        return moved
    if all(a.shape[k] == 1 for k in axes) and node.attrs["keepdims"]:
        return a
    return None


def _sums_to_one(a: Node, axes: tuple[int, ...]) -> bool:
    """Know the facts: one-hot and simplex rows, softmax along its axis."""
    if axes != (len(a.shape) - 1,):
        if a.op == "softmax":
            return axes == axes_of(a.attrs["axis"], len(a.shape))
        return False
    if a.op == "input":
        return a.attrs["kind"] in SIMPLEX
    if a.op == "softmax":
        return axes_of(a.attrs["axis"], len(a.shape)) == axes
    return a.op == "onehot" or (a.op == "winner" and len(a.shape) == 1)


def _constant_along(node: Node, a: Node, axes: tuple[int, ...]) -> Node | None:
    """Move a factor that does not vary along the summed axes outside of the sum."""
    if kind(a) != "mul":
        return None
    for k, factor in enumerate(a.args):
        other = a.args[1 - k]
        lead = len(a.shape) - len(factor.shape)
        varies = any(j >= lead and factor.shape[j - lead] != 1 for j in axes)
        if varies or other.shape != a.shape:
            continue
        total = tidy("sum", (other,), node.attrs)
        if node.attrs["keepdims"] or all(j < lead for j in axes):
            left = factor
        else:
            inside = tuple(j - lead for j in axes if j >= lead)
            if kind(factor) == "expand" and factor.attrs["axes"] == inside:
                left = factor.args[0]
            else:
                left = tidy("sum", (factor,), {"axis": inside, "keepdims": False})
        product = tidy("mul", (left, total), {})
        return product if product.shape == node.shape else None
    return None


TIDY: dict[str, Callable[[Node], Node | None]] = {
    "add": _add, "sub": _sub, "neg": _neg, "mul": _mul, "div": _div, "pow": _pow,
    "where": _where, "matmul": _matmul, "outer": _outer, "transpose": _transpose,
    "expand": _expand, "broadcast": _broadcast, "sum": _sum,
}  # fmt: skip

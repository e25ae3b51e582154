"""Smart constructors: make a node in its tidy form, by rules that always shorten.

The rules stand in `elementwise` and `products`, one function per operator, and register here.
"""

import math
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from symgrad.errors import ShapeError
from symgrad.graph import Node, having
from symgrad.ops import OPS, const, make
from symgrad.rewrite.constants import typed
from symgrad.rewrite.numbers import made
from symgrad.shapes import Shape

_NAMED: ContextVar[Collection[Node]] = ContextVar("named", default=())
_RANK: ContextVar[Mapping[Node, int]] = ContextVar("rank", default=MappingProxyType({}))
_PRINTED: ContextVar[bool] = ContextVar("printed", default=False)
_DECIMAL: ContextVar[bool] = ContextVar("decimal", default=False)
_PARTS: ContextVar[frozenset[Fraction]] = ContextVar("parts", default=frozenset())
TIDY: dict[str, Callable[[Node], Node | None]] = {}
Shorten = Callable[[Node], Node | None]


def tidies(op: str) -> Callable[[Shorten], Shorten]:
    """Register the rule of an operator: a shorter equal node, or None."""

    def register(rule: Shorten) -> Shorten:
        TIDY[op] = rule
        return rule

    return register


def tidy(op: str, args: tuple[Node, ...], attrs: Any) -> Node:
    """Make `op(*args)`, simplified at its root; the operands are tidy already."""
    return tidied(made(op, args, attrs))


def tidied(node: Node) -> Node:
    """Simplify a node at its root; the operands are tidy already."""
    rule = TIDY.get(node.op)
    for _ in range(8):
        better = rule(node) if rule else None
        row = OPS.get(node.op)  # none for the entries of index notation
        if better is None and node.args and row is not None and row.shape == "elementwise":
            better = _plain_operands(node)
        if better is None or better is node:
            return node
        node = better
        rule = TIDY.get(node.op)
    return node


class keeping:  # called as a function is; a generator takes three times as long
    """Leave named nodes whole, no rule looks inside them; write inputs in the given order.

    Formulas that are only `printed` need not care for digits at the ends of the range.
    """

    __slots__ = ("given", "tokens")

    def __init__(
        self, named: Collection[Node], places: Mapping[Node, int], printed: bool = False
    ) -> None:
        self.given = named, places, printed

    def __enter__(self) -> None:
        named, places, printed = self.given
        self.tokens = _NAMED.set(named), _RANK.set(places), _PRINTED.set(printed)

    def __exit__(self, *_: object) -> None:
        _NAMED.reset(self.tokens[0])
        _RANK.reset(self.tokens[1])
        _PRINTED.reset(self.tokens[2])


def kept() -> Collection[Node]:
    """Give the named nodes, which stay whole."""
    return _NAMED.get()


def printed() -> bool:
    """Say whether formulas are written for people."""
    return _PRINTED.get()


def rank(node: Node) -> int:
    """Give the place of an input in the program."""
    return _RANK.get().get(node, 0)


def ranked(node: Node) -> bool:
    """Say whether a node is one of the program's own, as it was typed."""
    return node in _RANK.get()


def is_output(node: Node) -> bool:
    """Say whether a node is the program's last one."""
    places = _RANK.get()
    return places.get(node) == len(places) - 1


def kind(node: Node) -> str:
    """Give the operator that a rule may look into: none for a named node."""
    return "" if node in _NAMED.get() else node.op


def fit(node: Node, shape: Shape) -> Node:
    """Broadcast a node that has lost axes back to its shape."""
    return node if node.shape == shape else make("broadcast", node, shape=shape)


def _plain_operands(node: Node) -> Node | None:
    """Drop broadcasts and leading length-1 axes that an elementwise operation supplies itself."""
    if len(node.args) < 2:
        if node.op != "neg" and kind(node.args[0]) == "broadcast":
            inner = node.args[0].args[0]
            return fit(tidy(node.op, (inner,), node.attrs), node.shape)
        return None
    for k, arg in enumerate(node.args):
        bare = _supplied(arg)
        if bare is None:
            continue
        args = tuple(bare if j == k else a for j, a in enumerate(node.args))
        try:
            slim = make(node.op, *args, **node.attrs)
        except ShapeError:
            continue
        if slim.shape == node.shape:
            return tidy(node.op, args, node.attrs)
        if arg.op == "broadcast" and (not bare.shape or all(map(_repeated, node.args))):
            return fit(tidy(node.op, args, node.attrs), node.shape)
    return None


def _repeated(node: Node) -> bool:
    return kind(node) == "broadcast" or not node.shape


def _supplied(arg: Node) -> Node | None:
    """Give the operand that an operand only repeats, or only adds leading axes to.

    In formulas the sum of all entries of a vector is a number, also where it keeps its axis; an
    inner product stands behind what it multiplies, x (x^T y).
    """
    op = arg.op
    if op not in ("broadcast", "sum", "mean", "expand") or arg in _NAMED.get():
        return None
    if op == "broadcast":
        return arg.args[0]
    single = set(arg.shape) == {1}
    if op == "sum" and single and (found := named_total(arg.args[0])) is not None:
        return found
    if op != "expand":
        total = single and arg.attrs["keepdims"] and arg.args[0].op != "mul" and printed()
        return make(op, *arg.args, axis=None, keepdims=False) if total else None
    axes = arg.attrs["axes"]
    return arg.args[0] if single or axes == tuple(range(len(axes))) else None


def named_total(body: Node) -> Node | None:
    """Give the sum of all entries that the program has a name for, in formulas.

    >>> from symgrad.ops import leaf
    >>> t, p = leaf("t", ("K",)), leaf("p", ("K",))
    >>> q = make("sum", make("mul", t, p), axis=None, keepdims=False)
    >>> with keeping([q], {}, printed=True):
    ...     named_total(make("mul", p, t)) is q
    True
    """
    named = _NAMED.get()
    if not named or not printed():
        return None
    turned = [make("mul", *body.args[::-1])] if kind(body) == "mul" else []
    found = (
        make("sum", b, axis=axis, keepdims=False)
        for b in (body, *turned) for axis in (None, 0, tuple(range(len(body.shape))))
    )  # fmt: skip
    return next((total for total in found if total in named), None)


# -- numbers ---------------------------------------------------------------------------------


def number(value: Fraction | int | float) -> Node:
    """Write an exact number: an integer, a float, or a quotient of integers."""
    if isinstance(value, float):
        return const(int(value)) if value.is_integer() and abs(value) < 2**53 else const(value)
    fraction = Fraction(value)
    if abs(fraction) > LARGEST:  # what floats make of such a product
        return const(math.inf if fraction > 0 else -math.inf)
    if fraction.denominator == 1:
        return const(fraction.numerator)
    d = fraction.denominator
    if d & (d - 1) and d <= 1000 and not (terminating(d) and (d > TWELFTHS or _DECIMAL.get())):
        sign = const(fraction.numerator)
        return make("div", sign, const(fraction.denominator))
    return const(float(fraction))


LARGEST = int(sys.float_info.max)
TWELFTHS = 12  # quotients up to here are read at a glance


def terminating(d: int) -> bool:
    """Say whether 1/d has a finite decimal fraction.

    >>> terminating(50), terminating(12)
    (True, False)
    """
    for prime in (2, 5):
        while d % prime == 0:
            d //= prime
    return d == 1


@contextmanager
def decimals(nodes: Iterable[Node]) -> Iterator[None]:
    """Write numbers as they are among some nodes: 0.02 w, not w/50, and 2 (1.5 - x), not 3 - 2 x.

    That is for numbers such as 0.1; 0.5 is as good as 1/2.
    """
    values = [n.attrs["value"] for n in having(nodes, "const")]
    found = [exact(v) for v in values if isinstance(v, float) and not v.is_integer()]
    parts = frozenset(abs(f) for f in found if f is not None)
    tokens = _DECIMAL.set(any(f.denominator % 5 == 0 for f in parts)), _PARTS.set(parts)
    try:
        yield
    finally:
        _DECIMAL.reset(tokens[0])
        _PARTS.reset(tokens[1])


def writes_decimals() -> bool:
    """Say whether coefficients are written as decimal numbers."""
    return _DECIMAL.get()


def typed_parts() -> frozenset[Fraction]:
    """Give the numbers that are typed with a point, without their signs: for people."""
    return _PARTS.get() if _PRINTED.get() else frozenset()


def exact(value: int | float) -> Fraction | None:
    """Read a number as the fraction that people mean by it; None for inf and nan."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not isinstance(value, float):
        return Fraction(value)
    return Fraction(repr(meant)) if isinstance(meant := typed(value), float) else meant

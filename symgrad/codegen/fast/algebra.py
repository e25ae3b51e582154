"""Write one node by cheaper equal ones: the rules of arithmetic that look at a node alone.

An operator's cheaper form stands in its row (`fast`). A rule here makes no intermediate overflow
that did not before, unless it says so.
"""

import sys

from symgrad.codegen.fast.contraction import contracted
from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.matrices import turned_sum
from symgrad.codegen.fast.scales import number_of_divisor, picked, scaled_alike
from symgrad.codegen.fast.stacks import viewed_once
from symgrad.codegen.fast.sums import reduction
from symgrad.graph import Node, topological
from symgrad.ops import OPS, const, make, value_of
from symgrad.parse.rows import written
from symgrad.rewrite.branches import one_apart
from symgrad.shapes import axes_of

HIGHEST = 16  # powers up to it are products: at most 6 of them, one np.power costs 80
NUMBERS = ("const", "dim")
FARTHEST = {"float32": 3.4028234663852886e38, "float64": sys.float_info.max}
REDUCTIONS = ("sum", "amax", "amin")


def cheaper(node: Node, fired: dict[str, int], accurate: bool, dtype: str) -> Node | None:
    """Give an equal node that costs less, None if there is none; count the rule that fired.

    >>> from symgrad.ops import leaf
    >>> cheaper(make("sum", make("neg", leaf("x", ("N",)))), {}, False, "float64").op
    'neg'
    """
    row = OPS.get(node.op)
    if row is None or not node.args:
        return None
    axis, rank = node.attrs.get("axis"), len(node.args[0].shape)
    if row.shape in ("reduce", "like a") and isinstance(axis, int) and -rank <= axis < 0:
        return make(node.op, *node.args, **{**node.attrs, "axis": axis + rank})
    if row.shape == "reduce" and node.args[0].shape and node.attrs.get("keepdims"):
        return without_kept(node)
    if node.op in REDUCTIONS:
        return None if accurate else reduction(node, fired)
    own = _own(node, fired) if node.op in OWN and not accurate else None
    if own is not None:
        return own
    if row.fast and not accurate:
        text = (dtype == "float32" and row.fast32) or row.fast
        far = {"far": FARTHEST[dtype]} if "(far)" in text else {}
        found = written(text, node.args, {**node.attrs, **far})
        if found.shape == node.shape and (node.shape or row.shape == "reduce"):
            count(fired, f"{node.op} by cheaper operators", node)
            return found
        return None
    if not node.shape:
        return None
    if row.shape == "elementwise" and _stretched(node):
        return make(node.op, *_unstretched(node), **node.attrs)
    special = RULES.get(node.op)
    return special(node, fired) if special is not None else None


def without_kept(node: Node) -> Node:
    """Reduce without keeping axes, so that both forms are computed once."""
    attrs = dict(node.attrs) | {"keepdims": False}
    axes = axes_of(attrs["axis"], len(node.args[0].shape))
    return make("expand", make(node.op, *node.args, **attrs), axes=axes)


# -- broadcasting and signs ----------------------------------------------------------------------


def _stretched(node: Node) -> bool:
    """Say whether NumPy would repeat an operand along axes by itself."""
    parts = _unstretched(node)
    return parts != node.args and make(node.op, *parts, **node.attrs).shape == node.shape


def _unstretched(node: Node) -> tuple[Node, ...]:
    return tuple(a.args[0] if _repeats(a) else a for a in node.args)


def _repeats(node: Node) -> bool:
    if node.op == "broadcast":  # of the same sizes by other names is no repetition
        inner = node.args[0].shape
        return len(inner) < len(node.shape) or any(map(lambda a, b: a == 1 != b, inner, node.shape))
    if node.op != "expand":
        return False
    axes = node.attrs["axes"]
    return not node.args[0].shape or axes == tuple(range(len(axes)))


def _absolute(node: Node, fired: dict[str, int]) -> Node | None:
    inner = node.args[0]
    return make("abs", inner.args[0]) if inner.op == "neg" else None


def _sum_of_two(node: Node, fired: dict[str, int]) -> Node | None:
    """Add the opposite as a difference: a pass over the array less."""
    a, b = node.args
    if b.op == "neg" and b.shape:
        return make("sub", a, b.args[0])
    if a.op == "neg" and a.shape:
        return make("sub", b, a.args[0])
    return turned_sum(node) or scaled_alike(node, fired)


def _difference(node: Node, fired: dict[str, int]) -> Node | None:
    a, b = node.args
    if b.op == "neg" and b.shape:
        return make("add", a, b.args[0])
    return turned_sum(node) or scaled_alike(node, fired)


def _opposite(node: Node, fired: dict[str, int]) -> Node | None:
    """Change the sign of a number in a product, not of the array."""
    inner = node.args[0]
    if inner.op == "neg":
        return inner.args[0]
    if inner.op == "mul" and inner.shape:
        for k, factor in enumerate(inner.args):
            if (turned := _turned(factor)) is not None and factor.shape != inner.shape:
                return make("mul", *(turned if j == k else a for j, a in enumerate(inner.args)))
    return None


def _turned(factor: Node) -> Node | None:
    """Change the sign of a number, or of the number that a row or a column divides."""
    if factor.op == "expand":
        inner = _turned(factor.args[0])
        return make("expand", inner, axes=factor.attrs["axes"]) if inner is not None else None
    if factor.shape:
        value = value_of(factor.args[0]) if factor.op == "div" else None
        return make("div", const(-value), factor.args[1]) if value is not None else None
    if factor.op == "dim":
        return None
    value = value_of(factor)
    return const(-value) if value is not None else make("neg", factor)


def _signless(node: Node, fired: dict[str, int]) -> Node | None:
    """Take signs out of a product or quotient: they may end in a number, or in a difference."""
    signs = [a.op == "neg" and bool(a.shape) for a in node.args]
    if not any(signs):
        return None
    bare = make(node.op, *(a.args[0] if s else a for a, s in zip(node.args, signs, strict=True)))
    if bare.shape != node.shape:
        return None
    count(fired, "signs are taken out of products", node)
    return bare if all(signs) else make("neg", bare)


def _product(node: Node, fired: dict[str, int]) -> Node | None:
    for a, b in (node.args, node.args[::-1]):
        if value_of(a) == 1 and b.shape == node.shape and b.dtype == "float":
            return b
    return picked(node, fired) or _signless(node, fired)


def _matrices(node: Node, fired: dict[str, int]) -> Node | None:
    """Take signs out of products of matrices, and numbers out of sums of rows."""
    a, b = node.args
    if len(node.shape) == 2 == len(a.shape) and a.shape[1] == 1:
        count(fired, "a column times a row without a product of matrices", node)
        return make("mul", a, b)
    if a.op == "neg" or b.op == "neg":
        return _signless(node, fired)
    for k, matrix in ((1, a), (0, b)):
        vector = node.args[k]
        turned = matrix.op == "transpose" or k == 0
        if len(vector.shape) == 1 and len(matrix.shape) == 2 and turned and vector.op == "mul":
            number, rest = vector.args if not vector.args[0].shape else vector.args[::-1]
            if not number.shape and rest.shape == vector.shape and rest.dtype == "float":
                count(fired, "numbers are taken out of sums", node)
                return make("mul", number, make("matmul", *((a, rest) if k else (rest, b))))
    return None


# -- powers and quotients ------------------------------------------------------------------------


def _power(node: Node, fired: dict[str, int]) -> Node | None:
    """Write a small constant power as products, square roots and one division."""
    base, power = node.args[0], value_of(node.args[1])
    if power is None or base.shape != node.shape or abs(power) > HIGHEST:
        return None
    if not float(power).is_integer():
        if abs(power) != 0.5:
            return None
        found = make("sqrt", base)
    elif power == 0:
        return None
    else:
        if int(abs(power)) % 2 == 0 and base.op == "neg":
            base = base.args[0]
        if int(abs(power)) % 2 == 0 and base.op == "sub" and base.args[0].op in NUMBERS:
            base = make("sub", *reversed(base.args))  # (1 - x)**2 as (x - 1)**2: one of the two
        found = _multiplied(base, int(abs(power)))
    count(fired, "powers by multiplication", node)
    return make("div", const(1), found) if power < 0 else found


def _multiplied(base: Node, power: int) -> Node:
    """Multiply by squaring: x**5 = (x*x)*(x*x)*x."""
    result: Node | None = None
    square = base
    while power:
        if power & 1:
            result = square if result is None else make("mul", result, square)
        power >>= 1
        if power:
            square = make("mul", square, square)
    assert result is not None
    return result


def bounded(node: Node) -> bool:
    """Say whether a divisor is safely away from 0: its reciprocal cannot overflow."""
    if node.op == "sum":
        return node.args[0].op == "exp" and node.args[0].args[0].op == "sub"
    if node.op == "mul" and node.args[0].op == "dim":
        return bounded(node.args[1])
    if node.op == "fmax":
        return (value_of(node.args[1]) or 0) >= 1e-30
    if node.op == "sqrt" and node.args[0].op == "add":
        return any((value_of(a) or 0) >= 1e-30 for a in node.args[0].args)
    return False


def _quotient(node: Node, fired: dict[str, int]) -> Node | None:
    """Divide the few, multiply the many: x/N = x * (1/N)."""
    top, low = node.args
    if top.shape != node.shape:
        return _numbers_above(node, fired) or _signless(node, fired)
    if (found := number_of_divisor(top, low)) is not None:
        count(fired, "the number of a divisor goes to a smaller factor", node)
        return found
    if top.op == "sum" and low.op in NUMBERS:
        return _signless(node, fired)  # few entries, and the mean of equal numbers is that number
    power = value_of(low)
    plain = low.op == "dim" or (power is not None and 1e-30 < abs(power) < 1e30)
    # the reciprocals of numbers, rows and columns overflow only below 1e-308
    plain = plain or (low.shape != node.shape and low.op != "const" and low.dtype == "float")
    if not plain or value_of(top) == 1:
        return _signless(node, fired)
    count(fired, "division by a number or a column as a product with its reciprocal", node)
    return make("mul", top, _reciprocal(low))


def _numbers_above(node: Node, fired: dict[str, int]) -> Node | None:
    """Divide a constant by sizes before an array: c/(N*x) = (c/N)/x."""
    top, low = node.args
    if value_of(top) is None or low.op != "mul" or low.shape != node.shape:
        return None
    for k, number in enumerate(low.args):
        sizes = all(n.op in ("dim", "const") or n.args for n in topological([number]))
        if not number.shape and sizes and number.op not in ("const", "sum"):
            count(fired, "numbers of a quotient first", node)
            return make("div", make("div", top, number), low.args[1 - k])
    return None


def _reciprocal(low: Node) -> Node:
    """Divide before axes are put in."""
    if low.op == "expand":
        return make("expand", make("div", const(1), low.args[0]), axes=low.attrs["axes"])
    return make("div", const(1), low)


# -- choices -------------------------------------------------------------------------------------


def _choice(node: Node, fired: dict[str, int]) -> Node | None:
    """Choose between the factors of a common array: {x, else k*x} = x * {1, else k}, exactly."""
    c, a, b = node.args
    if node.dtype != "float":
        return None
    for common, u in _factors(a):
        for other, v in _factors(b):
            if common is other and common.shape == node.shape and u is not v:
                count(fired, "a choice between numbers, not between arrays", node)
                return make("mul", common, make("where", c, u, v))
    found = one_apart(node)
    if found is not None:
        count(fired, "a condition is subtracted where it chooses between q and q - 1", node)
    return found


def _factors(node: Node) -> list[tuple[Node, Node]]:
    """List the ways to see a node as an array times a number."""
    found = [(node, const(1))] if node.shape else []
    if node.op == "mul":
        found += [(x, k) for x, k in (node.args, node.args[::-1]) if x.shape and not k.shape]
    if node.op == "neg":
        found += [(x, const(-v) if (v := value_of(k)) is not None else make("neg", k))
                  for x, k in _factors(node.args[0])[:1]]  # fmt: skip
    return found


# -- 0 times or over what may not be a number ----------------------------------------------------


OWN = {"xdivy": "a/(a + (a == 0))", "xlogy": "a*log(a + (a == 0))"}  # exact: a + 0 is a


def _own(node: Node, fired: dict[str, int]) -> Node | None:
    """Write a/a and a log a, 0 where a is 0: a is moved off 0 by adding 1 there."""
    if node.args[0] is not node.args[1] or not node.shape:
        return None
    return written(OWN[node.op], node.args[:1])


RULES = {
    "abs": _absolute,
    "add": _sum_of_two,
    "sub": _difference,
    "neg": _opposite,
    "mul": _product,
    "div": _quotient,
    "pow": _power,
    "where": _choice,
    "matmul": _matrices,
    "outer": contracted,
    "einsum": contracted,
    "transpose": viewed_once,
    "reshape": viewed_once,
}

"""Scale the rows of an array once: a*X + b*X is (a + b)*X for numbers, rows or columns a and b."""

from collections import Counter
from collections.abc import Iterator

from symgrad.codegen.fast.fired import count
from symgrad.graph import Node, leaves
from symgrad.ops import const, make, value_of
from symgrad.shapes import Shape

MOST = 20  # factors that are compared


def scaled_alike(node: Node, fired: dict[str, int]) -> Node | None:
    """Write a*X + b*X as (a + b)*X, and with Y - X for X as (a - b)*X: two passes less.

    >>> from symgrad.ops import leaf
    >>> X, a, b = leaf("X", ("N", "C")), leaf("a", ("C",)), leaf("b", ("C",))
    >>> scaled_alike(make("add", make("mul", a, X), make("mul", X, b)), {}).args[0].op
    'add'
    """
    if len(node.shape) < 2 or not all(n.op == "mul" and n.shape == node.shape for n in node.args):
        return None
    for a, x in _scales(node.args[0]):
        for b, y in _scales(node.args[1]):
            turned = x.op == y.op == "sub" and x.args == y.args[::-1]
            if (x is not y and not turned) or a.shape != b.shape or a.dtype != b.dtype:
                continue
            less = turned != (node.op == "sub")
            count(fired, "rows are scaled once", node)
            return make("mul", _joined(a, b, "sub" if less else "add"), x)
    return None


def _scales(node: Node) -> Iterator[tuple[Node, Node]]:
    """List the ways to see a product as an array and what scales it, of fewer entries."""
    for scale, x in (node.args, node.args[::-1]):
        if x.shape == node.shape and scale.shape != node.shape and scale.dtype == "float":
            yield scale, x


def _joined(a: Node, b: Node, op: str) -> Node:
    """Add scales before they get another axis."""
    if a.op == b.op == "expand" and a.attrs == b.attrs:
        return make("expand", make(op, a.args[0], b.args[0]), axes=a.attrs["axes"])
    return make(op, a, b)


def picked(node: Node, fired: dict[str, int]) -> Node | None:
    """Write P*(g*e_t - g*P[t]) as g*P[t]*(e_t - P), the slope of a loss of softmax at the labels.

    What is 0 but for one entry of a row is then no factor: that entry is changed.
    """
    for whole, change in (node.args, node.args[::-1]):
        if change.op != "sub" or len(node.shape) != 2 or whole.shape != node.shape:
            continue
        top, low = change.args
        if top.op != "mul" or low.shape == node.shape:
            continue
        for hot, g in (top.args, top.args[::-1]):
            if hot.op == "onehot" and g.shape != node.shape:
                entry = make("pick", whole, hot.args[0])
                if _factors(low) == _factors(g) + Counter([entry]):
                    count(fired, "the slope at the labels changes an entry of each row", node)
                    return make("mul", low, make("sub", hot, whole))
    return None


def _factors(node: Node) -> Counter[Node]:
    """Count the factors of a column."""

    def inside(part: Node) -> tuple[Node, ...]:
        stretched = part.op == "expand" and part.attrs["axes"] == (1,)
        return part.args if part.op == "mul" or stretched else ()

    return Counter(leaves(node, inside, MOST))


def number_of_divisor(top: Node, low: Node) -> Node | None:
    """Write (a x)/(2 y), as in slopes of roots, as ((a/2) x)/y if a has fewer axes: a pass less.

    >>> from symgrad.ops import leaf
    >>> x, y, a = leaf("x", ("N",)), leaf("y", ("N",)), leaf("a")
    >>> number_of_divisor(make("mul", a, x), make("mul", const(2), y)).args[1] is y
    True
    """
    if low.op != "mul" or low.shape != top.shape or not low.shape or top.op != "mul":
        return None
    for c, rest in (low.args, low.args[::-1]):
        value = value_of(c)
        if value is None or not 1e-3 < abs(value) < 1e3 or rest.shape != low.shape:
            continue
        for k, a in enumerate(top.args):
            smaller = _times(a, const(1 / value), top.shape)
            if smaller is not None:
                return make("div", _with(top, k, smaller), rest)
    return None


def _times(part: Node, number: Node, whole: Shape) -> Node | None:
    """Multiply a factor that has fewer axes than the whole, or one inside of it."""
    if part.op == "expand" and len(part.args[0].shape) < len(whole):
        return make("expand", make("mul", number, part.args[0]), axes=part.attrs["axes"])
    if len(part.shape) < len(whole):
        value = value_of(part)
        return make("mul", number, part) if value is None else const(value * number.attrs["value"])
    if part.op != "mul":
        return None
    for k, a in enumerate(part.args):
        smaller = _times(a, number, whole)
        if smaller is not None:
            return _with(part, k, smaller)
    return None


def _with(product: Node, k: int, factor: Node) -> Node:
    """Put another factor into a product."""
    return make("mul", *(factor if j == k else a for j, a in enumerate(product.args)))

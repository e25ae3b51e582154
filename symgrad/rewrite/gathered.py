"""Take a factor into a sum where it makes a named value complete."""

from collections.abc import Collection
from functools import reduce

from symgrad.graph import Node, leaves, topological
from symgrad.ops import const, make
from symgrad.rewrite.normal import normal
from symgrad.rewrite.tidy import tidy
from symgrad.shapes import axes_of


def gathered(node: Node, named: Collection[Node]) -> Node | None:
    """Write sum(g*(x - m), 0)*t as sum(g*z, 0) where z = (x - m)*t has a name; else None.

    The factor is the same along the axes of the sum. It is taken in only if it disappears there.

    >>> from symgrad.ops import leaf
    >>> x, m, t = leaf("x", ("N", "D")), leaf("m", ("D",)), leaf("t", ("D",))
    >>> centred = make("sub", x, m); z = make("mul", centred, t)
    >>> total = make("sum", make("mul", z, centred), axis=0)
    >>> gathered(make("mul", total, t), {z}).args[0].op
    'pow'
    """
    if node.op != "mul" or not named:
        return None
    factors = _factors(node, named)
    for sums in [f for f in factors if f.op in ("sum", "mean", "matmul") and f not in named]:
        for t in [f for f in factors if f is not sums and f.shape == sums.shape]:
            found = _inside(sums, t, named)
            if found is not None:
                rest = [f for f in factors if f is not sums and f is not t]
                return reduce(lambda a, b: tidy("mul", (a, b), {}), [*rest, found])
    return None


def _factors(node: Node, named: Collection[Node]) -> list[Node]:
    """List the factors of a product, its sign among them."""

    def parts(node: Node) -> tuple[Node, ...]:
        if node in named or node.op not in ("mul", "neg"):
            return ()
        return (const(-1), *node.args) if node.op == "neg" else node.args

    return leaves(node, parts)


def _inside(sums: Node, t: Node, named: Collection[Node]) -> Node | None:
    """Multiply what is summed by t, if a named value there is made with t and takes it up."""
    if t.op == "const":
        return None
    if sums.op != "matmul":
        inner = _taken_up(sums.args[0], _lifted(t, sums), named)
        return None if inner is None else tidy(sums.op, (inner,), sums.attrs)
    for k, operand in enumerate(sums.args):  # of two vectors, because t is a number
        inner = _taken_up(operand, t, named) if not t.shape else None
        if inner is not None:
            args = (inner, sums.args[1]) if k == 0 else (sums.args[0], inner)
            return tidy("matmul", args, sums.attrs)
    return None


def _taken_up(node: Node, t: Node, named: Collection[Node]) -> Node | None:
    """Multiply by t where that makes the product shorter: t is a part of a named value there."""
    made = [n for n in named if n.op == "mul" and n.shape == node.shape]
    for z in made:
        parts = [f for a in z.args for f in _factors(a, named)]
        if t in parts:
            parts.remove(t)  # one of them, if z has it twice
            found = _completed(_factors(node, named), z, parts)
            if found is not None:
                return found
    order = topological([node], stop=lambda n: n in named)
    if not any(n in order and t in topological(n.args, stop=lambda m: m in named) for n in made):
        return None
    image = normal(tidy("mul", (node, t), {}), named)
    return None if t in topological([image], stop=lambda n: n in named) else image


def _completed(factors: list[Node], z: Node, parts: list[Node]) -> Node | None:
    """Put z in the place of these parts of a product; a difference may be turned round."""
    rest = list(factors)
    for part in parts:
        for k, factor in enumerate(rest):
            turned = factor.op == part.op == "sub" and factor.args == part.args[::-1]
            if factor is part or turned:
                rest[k : k + 1] = [const(-1)] if turned else []
                break
        else:
            return None
    others = [f for f in rest if f is not z]
    power = 1 + len(rest) - len(others)
    whole = tidy("pow", (z, const(power)), {}) if power > 1 else z
    return reduce(lambda a, b: tidy("mul", (a, b), {}), [*others, whole])


def _lifted(t: Node, sums: Node) -> Node:
    """Give t the axes of what is summed; leading ones NumPy adds by itself."""
    axis, rank = sums.attrs["axis"], len(sums.args[0].shape)
    if axis is None or sums.attrs.get("keepdims"):
        return t
    axes = axes_of(axis, rank)
    return t if axes == tuple(range(len(axes))) else make("expand", t, axes=axes)

"""Cases that are made once: x {e if c, else 0} for {x e if c, else 0} where that is there.

So is x {1 if c, else k}, a leaky ReLU and its slope, for {x if c, else k x}.
"""

from collections.abc import Collection, Iterable, Iterator

from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.ops import const, make, remake, value_of
from symgrad.ops.spec import MIRRORED
from symgrad.rewrite.dangers import risky
from symgrad.rewrite.forms import OPPOSITE


def cases_once(roots: Iterable[Node], kept: Collection[Node] = ()) -> dict[Node, Node]:
    """Map every node to its image: a factor that is finite everywhere needs no condition.

    >>> from symgrad.ops import const, leaf
    >>> x, e = leaf("x", ("N",)), make("exp", leaf("y", ("N",)))
    >>> c = make("gt", x, const(0))
    >>> there, case = (make("where", c, n, const(0)) for n in (e, make("mul", x, e)))
    >>> cases_once([there, case])[case].args[1] is there
    True
    """
    roots = tuple(roots)
    order = topological(roots)
    cases = [n for n in having(order, "where") if n.shape]
    there = {n.args: n for n in cases if n not in kept}
    found: dict[Node, tuple[Node, Node]] = {}
    for node in cases if len(cases) > 1 else ():
        for x, args in _factors(node) if node not in kept else ():
            case = there.get(args)
            if case is not None and case.shape == node.shape:
                found[node] = x, case

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node not in found:
            return remake(node, args)
        x, case = found[node]
        return make("mul", images[x], images[case])

    images: dict[Node, Node] = {}
    for x, case in found.values():
        rebuild([x, case], change, images)
    return rebuild(roots, change, images) if found else unchanged(order)


def _factors(case: Node) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """List what a case is a multiple of, and what the other factor is a case of."""
    c, first, last = case.args
    if value_of(last) == 0 and first.op == "mul":
        pairs = (first.args, first.args[::-1])
        yield from ((x, (c, rest, last)) for x, rest in pairs if not risky(x))
    for k, x in (last.args, last.args[::-1]) if last.op == "mul" else ():
        if x is first and value_of(k):
            yield x, (c, const(1), k)


def one_of_two(roots: Iterable[Node]) -> dict[Node, Node]:
    """Map every node to its image: of numbers a 1[x <= b] is a - a 1[b < x] where that is there.

    >>> from symgrad.ops import leaf
    >>> a, x, b = (leaf(name) for name in "axb")
    >>> above, below = (make("mul", a, make(op, x, b)) for op in ("gt", "le"))
    >>> one_of_two([above, below])[below] is make("sub", a, above)
    True
    """
    roots = tuple(roots)
    order = topological(roots)
    if len([n for n in having(order, *MIRRORED) if not n.shape]) < 2:
        return unchanged(roots)
    found: dict[Node, tuple[Node, Node]] = {}
    known: dict[tuple[Node, Node], Node] = {}
    for node in order:
        for a, mask in (node.args, node.args[::-1]) if node.op == "mul" else ():
            if mask.op not in MIRRORED or a.dtype == "bool" or node.shape:
                continue
            same, other = _bounds(mask), _bounds(make(_opposite(mask.op), *mask.args))
            if (a, other) in known:
                found[node] = a, known[a, other]
            known.setdefault((a, same), node)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node not in found:
            return remake(node, args)
        return make("sub", *(images[n] for n in found[node]))

    images: dict[Node, Node] = {}
    return rebuild(roots, change, images) if found else unchanged(roots)


def _bounds(mask: Node) -> Node:
    """Write a comparison with < or <=."""
    return make(MIRRORED[mask.op], *mask.args[::-1]) if mask.op in ("gt", "ge") else mask


def _opposite(op: str) -> str:
    return OPPOSITE.get(op) or next(a for a, b in OPPOSITE.items() if b == op)

"""Cases that are made once: x {e if c, else 0} for {x e if c, else 0} where that is there.

So is x {1 if c, else k}, a leaky ReLU and its slope, for {x if c, else k x}.
"""

from collections.abc import Collection, Iterable, Iterator

from symgrad.graph import Node, rebuild, topological
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.dangers import risky


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
    cases = [n for n in order if n.op == "where" and n.shape]
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
    return rebuild(roots, change, images) if found else {n: n for n in order}


def _factors(case: Node) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """List what a case is a multiple of, and what the other factor is a case of."""
    c, first, last = case.args
    if value_of(last) == 0 and first.op == "mul":
        pairs = (first.args, first.args[::-1])
        yield from ((x, (c, rest, last)) for x, rest in pairs if not risky(x))
    for k, x in (last.args, last.args[::-1]) if last.op == "mul" else ():
        if x is first and value_of(k):
            yield x, (c, const(1), k)

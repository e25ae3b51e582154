"""Cases that are 0 elsewhere, made once: x {e if c, else 0} for {x e if c, else 0} beside it."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, rebuild, topological
from symgrad.ops import make, remake, value_of
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
    cases = [n for n in order if n.op == "where" and n.shape and value_of(n.args[2]) == 0]
    there = {n.args[:2]: n for n in cases if n not in kept}
    found: dict[Node, tuple[Node, Node]] = {}
    for node in cases if len(cases) > 1 else ():
        c, product = node.args[:2]
        for x, rest in (product.args, product.args[::-1]) if product.op == "mul" else ():
            case = there.get((c, rest))
            if case is not None and case.shape == node.shape and node not in kept and not risky(x):
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

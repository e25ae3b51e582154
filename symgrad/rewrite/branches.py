"""Cases that are written without one, or with one function for both branches.

Of {σ(z) if c, else σ(−z)} the function is taken once: it is σ({z if c, else −z}), of which also the
logarithm is one softplus. The numbers are the same to the last bit, since a case only chooses.
"""

from collections.abc import Iterable

from symgrad.graph import Graph, Node, consumers, having, rebuild, topological, unchanged
from symgrad.ops import OPS, make, remake, value_of
from symgrad.rewrite.forms import OPPOSITE


def one_function(graph: Graph) -> Graph:
    """Take functions out of cases, where nothing else reads what they give.

    >>> from symgrad.parse import parse
    >>> one_function(parse("z: param[N]; c: binary[N]; where(c, exp(z), exp(-z))")).output.op
    'exp'
    """
    order = graph.order()
    cases = {n: None for n in having(order, "where") if n.shape and _alike(n.args[1], n.args[2], n)}
    if not cases:
        return graph
    alone = _alone(order, cases, graph.outputs)
    image: dict[Node, Node] = {}

    def merged(c: Node, a: Node, b: Node, node: Node) -> Node:
        if _alike(a, b, node) and a in alone and b in alone:
            return make(a.op, merged(c, a.args[0], b.args[0], node), **a.attrs)
        one, two = image[a], image[b]
        if one.op == "neg" and one.args[0] is two:
            return make("neg", make("where", c, two, one))
        return make("where", c, one, two)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in cases:
            return merged(args[0], node.args[1], node.args[2], node)
        return remake(node, args)

    rebuild(graph.outputs, change, image)
    return graph.mapped(image)


def _alike(a: Node, b: Node, case: Node) -> bool:
    """Say whether both branches are one function of something, entry by entry."""
    same = a.op == b.op and a is not b and a.attrs == b.attrs and len(a.args) == len(b.args) == 1
    shapes = {a.shape, b.shape, *(v.shape for n in (a, b) for v in n.args)}
    return same and OPS[a.op].shape == "elementwise" and shapes == {case.shape}


def _alone(
    order: Iterable[Node], cases: dict[Node, None], outputs: Iterable[Node]
) -> dict[Node, None]:
    """List what nothing reads but branches of such cases, directly or through functions."""
    nodes = tuple(order)
    users, tops = consumers(nodes), dict.fromkeys(outputs)
    found: dict[Node, None] = {}
    for node in reversed(nodes):
        read = users[node]
        single = all((u in cases and k) or (u in found and len(u.args) == 1) for u, k in read)
        if read and single and node not in tops:
            found[node] = None
    return found


def one_apart(node: Node) -> Node | None:
    """Write {q if c, else q - 1} as q - 1[not c], exactly; None for another choice.

    >>> from symgrad.ops import const, leaf
    >>> q, r = leaf("q"), leaf("r", ("N",))
    >>> slope = make("where", make("gt", r, const(0)), q, make("sub", q, const(1)))
    >>> [a.op for a in one_apart(slope).args]
    ['input', 'le']
    """
    c, a, b = node.args
    if c.op not in OPPOSITE or c.shape != node.shape:
        return None
    for base, other, mask in ((a, b, make(OPPOSITE[c.op], *c.args)), (b, a, c)):
        if other.op == "sub" and other.args[0] is base and value_of(other.args[1]) == 1:
            return make("sub", base, mask)
    return None


def conditions_for_cases(roots: Iterable[Node]) -> dict[Node, Node]:
    """Subtract a condition where a case chooses between q and q - 1; NumPy's where branches."""
    roots = tuple(roots)
    if not any(n.op == "where" and n.shape for n in topological(roots)):
        return unchanged(roots)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        return (one_apart(fresh) if fresh.op == "where" and fresh.shape else None) or fresh

    return rebuild(roots, change, only=("where",))

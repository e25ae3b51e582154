"""Order statements so that results can take the place of operands."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from symgrad.codegen.fast.kinds import below_views
from symgrad.graph import Node

if TYPE_CHECKING:
    from symgrad.codegen.fast.schedule import Schedule


def read_first(
    nodes: Sequence[Node],
    users: Mapping[Node, Sequence[tuple[Node, int]]],
    operands: Callable[[Node], Sequence[Node]],
    overwrites: Callable[[Node], bool],
) -> list[Node]:
    """Read an array for the last time before the statement that may take its place.

    Only what is smaller moves ahead: sums over the rows, the entries at labels, masks.

    >>> from symgrad.graph.walk import consumers
    >>> from symgrad.ops import leaf, make
    >>> a = make("neg", leaf("x", ("N",)))
    >>> nodes = [a, make("exp", a), make("sum", a)]
    >>> alike = consumers(nodes), lambda n: n.args, lambda n: n.op != "sum"
    >>> [n.op for n in read_first(nodes, *alike)]
    ['neg', 'sum', 'exp']
    """
    place = {n: k for k, n in enumerate(nodes)}
    rank = {n: (k, 1, k) for n, k in place.items()}
    for node in nodes:
        here = place[node]
        for a in operands(node) if overwrites(node) else ():
            for reader, _ in users[a] if a.shape == node.shape and a in place else ():
                small = len(reader.shape) < len(a.shape) or a.dtype != reader.dtype == "bool"
                late = place.get(reader, -1) > here and small
                if late and all(place.get(b, -1) < here for b in operands(reader)):
                    rank[reader] = min(rank[reader], (here, 0, place[reader]))
    return sorted(nodes, key=rank.__getitem__)


def waits(node: Node, schedule: "Schedule") -> bool:
    """Say whether a statement between loops comes after those that only make a result.

    Such a result may read for the last time what others can replace, as h.T @ d does before d @ W.T
    makes an array like h. It does not wait if all that it reads was there before.
    """
    if node not in schedule.roots or schedule.users[node]:
        return True
    for operand in schedule.operands(node):
        read = below_views(operand, schedule.kinds)
        if schedule.kinds[read] != "leaf" and schedule.time[read] >= schedule.time[node]:
            return True
    return False


def growing(node: Node, users: Mapping[Node, Sequence[tuple[Node, int]]]) -> bool:
    """Say whether a sum of products of stacks is one that a third product is added to.

    It is computed at once, between the products: else each of them would need an array, until a
    loop adds them all.

    >>> from symgrad.graph import topological
    >>> from symgrad.graph.walk import consumers
    >>> from symgrad.ops import leaf, make
    >>> a, b, c = (make("matmul", leaf(x, ("N", "T", "K")), leaf("W", ("K", "H"))) for x in "abc")
    >>> two = make("add", a, b)
    >>> growing(two, consumers(topological([make("add", two, c)])))
    True
    """
    if node.op != "add" or len(node.shape) < 3 or len(users[node]) != 1:
        return False
    ((user, k),) = users[node]
    third = user.op == "add" and user.args[1 - k].op == "matmul"
    return third and all(
        a.op == "matmul" or (a.op == "add" and "matmul" in [b.op for b in a.args])
        for a in node.args
    )

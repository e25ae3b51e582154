"""Order statements so that results can take the place of operands."""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import TYPE_CHECKING

from symgrad.codegen.fast.kinds import below_views
from symgrad.graph import Node

LONG = 6  # additions
FAR = 8  # statements up to which a value may as well be there before

if TYPE_CHECKING:
    from symgrad.codegen.fast.schedule import Schedule
    from symgrad.codegen.fast.units import Unit


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
            for reader in _read_by(a, users, place) if a.shape == node.shape and a in place else ():
                small = len(reader.shape) < len(a.shape) or a.dtype != reader.dtype == "bool"
                late = place.get(reader, -1) > here and small
                if late and all(place.get(b, -1) < here for b in operands(reader)):
                    rank[reader] = min(rank[reader], (here, 0, place[reader]))
    return sorted(nodes, key=rank.__getitem__)


def products_first(nodes: Sequence[Node], schedule: "Schedule") -> list[Node]:
    """Add up the products with an array before the statement that may take its place.

    Where a loop makes a result of that shape later, the products have its rows meanwhile, as
    delta*h for the slope of a scale, before delta becomes the slope of a normalised layer.
    """
    ends = {
        n.shape: k
        for k, n in enumerate(nodes)
        if n in schedule.roots and n in schedule.local and len(n.shape) > 1
    }
    if not ends:
        return list(nodes)
    place = {n: k for k, n in enumerate(nodes)}
    rank = {n: (k, 1, k) for n, k in place.items()}
    for node in nodes:
        here = place[node]
        for a in schedule.operands(node) if schedule.overwrites(node) else ():
            late = [
                r
                for r in _read_by(a, schedule.users, place)
                if place.get(r, -1) > here and r.shape == a.shape
            ]
            if a not in place or ends.get(a.shape, -1) <= here or len(late) != 1:
                continue
            sums = [u for u, _ in schedule.users[late[0]]]
            alone = late[0].op == "mul" and late[0] not in schedule.roots and len(sums) == 1
            ready = all(place.get(b, -1) < here for b in schedule.operands(late[0]))
            if alone and ready and sums[0].op == "sum" and sums[0] in schedule.grown:
                for n in (late[0], sums[0]):
                    rank[n] = min(rank[n], (here, 0, place[n]))
    return sorted(nodes, key=rank.__getitem__)


def waiting(nodes: Sequence[Node], schedule: "Schedule") -> list[Node]:
    """Compute before its use what is made of arrays that are there till then.

    Of the steps of a smoother, s_k are kept for the way back; a residual x_k - s_k, and its square
    in the loss, need not be made before.
    """
    if len(nodes) <= FAR:
        return list(nodes)
    place = {n: k for k, n in enumerate(nodes)}
    rank = {n: (k, 1, k) for n, k in place.items()}

    def till(a: Node, node: Node) -> int:
        """Give the last statement before which an operand is there."""
        if not a.shape or below_views(a, schedule.kinds).op == "input":
            return len(nodes)
        others = [u for u in _read_by(a, schedule.users, place) if u is not node and u in place]
        return max([rank[u][0] for u in others if a in place], default=-1)

    for node in reversed(nodes):
        if schedule.kinds[node] != "ufunc" or node in schedule.full or node in schedule.hot:
            continue
        read = _read_by(node, schedule.users, place)
        readers = dict.fromkeys(v for u in read for v in schedule.beyond(u))
        sums = [r for r in readers if r in schedule.grown and not r.shape and r in place]
        rest = [r for r in readers if r not in sums]
        first = min([rank[r][0] if r in place else -1 for r in rest], default=-1)
        if first < place[node] + FAR:
            continue
        first = min([first, *(till(a, node) for a in schedule.operands(node))])
        alone = all(b is node for r in sums for b in schedule.operands(r))
        if first >= place[node] + FAR and alone:
            for n in (node, *sums):
                rank[n] = (first, 0, place[n])
    return sorted(nodes, key=rank.__getitem__)


def terms_soon(
    nodes: Sequence[Node],
    users: Mapping[Node, Sequence[tuple[Node, int]]],
    operands: Callable[[Node], Sequence[Node]],
) -> list[Node]:
    """Add the terms of long sums as soon as they are known, so that what they are made of may go.

    Over the steps of a recurrence, slopes add up g_k x_k and g_k e_k: no g_k waits for their sums.

    >>> from symgrad.graph import topological
    >>> from symgrad.graph.walk import consumers
    >>> from symgrad.ops import leaf, make
    >>> g = [make("exp", leaf("g", ("N",)))]
    >>> total = g[0]
    >>> for k in range(LONG):
    ...     g.append(make("exp", g[k])); total = make("add", total, make("neg", g[-1]))
    >>> order = [n for n in topological([g[-1], total]) if n.args]
    >>> [n.op for n in terms_soon(order, consumers(order), lambda n: n.args)][:8]
    ['exp', 'exp', 'neg', 'add', 'exp', 'neg', 'add', 'exp']
    """
    here = dict.fromkeys(nodes)
    soon = _of_long_sums(nodes, users, operands)
    if not soon:
        return list(nodes)
    waits = {n: {a for a in operands(n) if a in here} for n in soon}
    found: dict[Node, None] = {}
    for node in nodes:
        todo = [node]
        while todo:
            now = todo.pop()
            if now in found or waits.get(now):
                continue
            found[now] = None
            for user in reversed(_read_by(now, users, here)):
                if user in waits:
                    waits[user].discard(now)
                    todo += [user] * (not waits[user])
    return list(found) if len(found) == len(here) else list(nodes)


def _of_long_sums(
    nodes: Sequence[Node],
    users: Mapping[Node, Sequence[tuple[Node, int]]],
    operands: Callable[[Node], Sequence[Node]],
) -> dict[Node, None]:
    """List the additions of long sums, and the terms that nothing else reads."""
    length: dict[Node, int] = {}
    found: dict[Node, None] = {}
    for node in nodes:
        if node.op not in ("add", "sub") or not node.shape:
            continue
        inner = [a for a in operands(node) if a in length and len(users[a]) == 1]
        length[node] = 1 + max([length[a] for a in inner], default=0)
    for node in reversed(nodes):
        within = len(users[node]) == 1 and users[node][0][0] in found
        if length.get(node, 0) >= (1 if within else LONG):
            found[node] = None
            for a in operands(node):
                if a.shape == node.shape and a not in length and len(users[a]) == 1:
                    found[a] = None
    return found


def _read_by(
    node: Node, users: Mapping[Node, Sequence[tuple[Node, int]]], place: Container[Node]
) -> list[Node]:
    """List what reads a value here, as it is or transposed."""
    found = []
    for user, _ in users[node]:
        turned = user.op == "transpose" and user not in place
        found += [u for u, _ in users[user]] if turned else [user]
    return found


def in_turn(units: list["Unit"], schedule: "Schedule") -> list["Unit"]:
    """Order statements between loops: what only makes a result comes as soon as it can.

    It may read for the last time what others can replace, as h.T @ d does before d @ W.T makes an
    array like h.
    """
    here = {u.nodes[0]: u for u in units}
    pending: dict[Node, int] = {}  # of results: how many operands are computed here
    readers: dict[Node, list[Node]] = {}
    for node in here:
        if _only_result(node, schedule):
            read = dict.fromkeys(below_views(a, schedule.kinds) for a in schedule.operands(node))
            made = [a for a in read if a in here]
            pending[node] = len(made)
            for a in made:
                readers.setdefault(a, []).append(node)
    found = [node for node in pending if not pending[node]]
    for node in here:
        if node not in pending:
            found.append(node)
            for reader in readers.get(node, []):
                pending[reader] -= 1
                found += [reader] * (not pending[reader])
    return [here[node] for node in found]


def _only_result(node: Node, schedule: "Schedule") -> bool:
    """Say whether a value is returned, perhaps as a view, and read by nothing else."""
    users = [u for u, _ in schedule.users[node]]
    if not users:
        return node in schedule.roots
    views = [u for u in users if schedule.kinds[u] == "view" and u in schedule.roots]
    return len(views) == len(users) and not any(schedule.users[u] for u in views)


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

"""Scale sums, not what is summed: what a table, its rows or columns are scaled by comes behind.

The table may be read several times, if all that is made of it are sums over its rows, products with
vectors and weighted sums of differences: each of them is scaled, which has fewer entries.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import reduce

from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.schedule import turned
from symgrad.graph import Node, Users, consumers, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.contraction import contracted, own_axes
from symgrad.shapes import axes_of

SCALED = ("mul", "neg", "div")
TABLES = (*SCALED, "transpose")
WEIGHTED = ("pulls", "own_pulls")  # sums of differences by weights


def scales_behind(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Write sums of w_j X_ij over i as w_j times sums of X_ij; the same along rows.

    >>> from symgrad.ops import leaf
    >>> X, w, g = leaf("X", ("N", "K")), leaf("w", ("K",)), leaf("g", ("N",))
    >>> y = make("sum", make("mul", make("mul", w, X), make("expand", g, axes=(1,))), axis=0)
    >>> [a.op for a in scales_behind([y], {}, False, "float64")[y].args]
    ['input', 'matmul']
    """
    order = topological(roots)
    image = unchanged(order)
    tables = _tables(order)
    stretched = [n for n in tables if n.op == "neg" or [a for a in n.args if a.shape != n.shape]]
    if accurate or not stretched or not having(order, "sum", *WEIGHTED):
        return image
    users = consumers(order)
    for kept in (None, 1, 0):
        if not any(_scale(n, kept) for n in tables):
            continue
        found = _one_way(order, users, roots, fired, kept)
        if found:
            roots = [found[r] for r in roots]
            image = {n: found[m] for n, m in image.items() if m in found}
            order = topological(roots)
            users, tables = consumers(order), _tables(order)
    return image


def _tables(order: Iterable[Node]) -> list[Node]:
    """List the tables that are products, or opposites."""
    return [n for n in having(order, "mul", "neg") if len(n.shape) == 2]


def _one_way(
    order: Sequence[Node], users: Users, roots: list[Node], fired: dict[str, int], kept: int | None
) -> dict[Node, Node] | None:
    """Take out what varies along one axis only, which the sums keep; None if there is nothing."""
    free = _only_summed(order, users, roots, kept)
    if not any(_scale(n, kept) for n in free):
        return None
    alone = read_once(order, roots)
    without: dict[Node, list[Node]] = {}  # a table -> what its image is to be scaled by

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh, lacking = remake(node, args), [v for a in node.args for v in without.get(a, ())]
        if node in free:
            found = _scale(fresh, kept)
            without[node] = [*lacking, *([found[0]] if found else [])]
            return found[1] if found else fresh
        if not lacking:
            return fresh
        count(fired, "sums are scaled, not what is summed", node)
        if fresh.op == "sum" and node.args[0] in alone and fresh.args[0].op == "mul":
            fresh = contracted(fresh) or fresh
        signs = [v for v in lacking if value_of(v) == -1]
        if len(signs) < len(lacking):
            scale = reduce(lambda a, b: make("mul", a, b), [v for v in lacking if v not in signs])
            stretched = len(fresh.shape) == 2 and scale.shape
            scale = make("expand", scale, axes=(1,)) if stretched else scale
            fresh = make("mul", scale, fresh)
        return make("neg", fresh) if len(signs) % 2 else fresh

    return rebuild(roots, change)


def _scale(node: Node, kept: int | None) -> tuple[Node, Node] | None:
    """Give the vector that rows or columns of a table are multiplied by, and what is left."""
    if node.op == "neg" and kept is None and len(node.shape) == 2:
        return const(-1), node.args[0]
    if node.op != "mul" or len(node.shape) != 2:
        return None
    for k, part in enumerate(node.args):
        table = node.args[1 - k]
        if table.shape != node.shape or table.dtype != "float":
            continue
        if (vector := _vector(part, node, kept)) is not None:
            return vector, table
        for j, inner in enumerate(part.args if part.op == "mul" else ()):  # u_i w_j X_ij
            other = part.args[1 - j]
            vector = _vector(inner, node, kept)
            plain = _vector(other, node, 1 - kept) if kept is not None else None
            if vector is not None and plain is not None:
                return vector, make("mul", other, table)
    return None


def _vector(part: Node, like: Node, axis: int | None) -> Node | None:
    """Give the vector that a factor of a table is, if it varies along this axis only."""
    if axis is None:
        return part if not part.shape and part.dtype == "float" else None
    vector, own = own_axes(part, 2)
    fits = own == (axis,) and vector.shape == (like.shape[axis],) and vector.dtype == "float"
    return vector if fits else None


def _only_summed(
    order: Sequence[Node], users: Users, roots: list[Node], kept: int | None
) -> Collection[Node]:
    """List the tables of which nothing is made but sums that keep one axis, and their factors."""
    free: dict[Node, None] = {}
    other = None if kept is None else 1 - kept
    tables = [n for n in having(order, *TABLES) if len(n.shape) == 2]
    for node in reversed(tables):
        read = users[node]
        if node.dtype != "float" or node in roots or _kept_whole(read):
            continue
        scaled = node.op in SCALED and all(_passes(u, k, node, kept, free) for u, k in read)
        if scaled or (turned(node) and all(_sums(u, k, other) for u, k in read)):
            free[node] = None
    return free


def _kept_whole(read: Sequence[tuple[Node, int]]) -> bool:
    """Say whether a product of matrices reads a table, as most do."""
    return bool([u for u, _ in read if u.op == "matmul" and len(u.shape) == 2])


def _passes(user: Node, k: int, table: Node, kept: int | None, free: Collection[Node]) -> bool:
    """Say whether what reads a table may take its scale over."""
    whole = user.shape == table.shape and not (user.op == "div" and k)
    return _sums(user, k, kept) or (user in free and (turned(user) or whole))


def _sums(user: Node, k: int, kept: int | None) -> bool:
    """Say whether a table is added up so that one axis is left, which comes first, or any."""
    if kept is None:
        vector = user.op == "matmul" and len(user.shape) < 2
        return vector or user.op == "sum" or (user.op in WEIGHTED and k == 0)
    if user.op == "sum":
        (table,) = user.args
        return axes_of(user.attrs["axis"], len(table.shape)) == (1 - kept,) and bool(user.shape)
    if user.op == "matmul":
        return len(user.shape) == 1 and kept == k
    return user.op == "pulls" and k == 0 == kept

"""Change one entry of each row, at its label, without the rows of zeros and ones that say where."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from symgrad.formula.code import number as number_text
from symgrad.graph import Node, Users
from symgrad.ops import value_of


@dataclass(frozen=True, slots=True)
class Mark:
    """Say what is read (a matrix, the labels, perhaps a number a row), and what is done there."""

    operands: tuple[Node, ...]
    change: str
    turned: bool = False  # the matrix is subtracted
    columns: bool = False  # an entry of each column is changed
    alone: bool = False  # all other entries are 0: nothing is read but labels and numbers


def marks(
    order: Sequence[Node],
    users: Users,
    roots: Mapping[Node, object],
    inside: Collection[Node] = (),
) -> tuple[dict[Node, Mark], dict[Node, None]]:
    """Find P - onehot(t), s*onehot(t) - P and where(j != t, P, c); and what they need no more.

    Products that are `inside` of another statement, a dot product, are left there.

    >>> from symgrad.graph import topological
    >>> from symgrad.graph.walk import consumers
    >>> from symgrad.ops import leaf, make
    >>> P, t = leaf("P", ("N", "C")), leaf("t", ("N", "C"), "labels")
    >>> root = make("sub", P, make("onehot", t, size="C"))
    >>> order = topological([root])
    >>> found, absorbed = marks(order, consumers(order), {root: None})
    >>> found[root].change, [n.op for n in absorbed]
    ('-= 1', ['onehot'])
    """
    found: dict[Node, Mark] = {}
    absorbed: dict[Node, None] = {}
    for node in order:
        if node in roots or len(node.shape) != 2:
            continue
        if node.op == "onehot":
            new, more = _subtracted(node, users, roots)
            new = new or _alone(node, users, found)
        elif node.op == "ne" and (labels := _columns_but(node)) is not None:
            new = _cleared(node, labels, users, inside)
            if len(new) < len(users[node]):  # the mask stays, which a mark on a diagonal is beside
                found |= new if labels.op == "arange" else {}
                continue
            more = {a: None for a in node.args if a.op == "arange" and len(users[a]) == 1}
        else:
            continue
        if new and not any(user in found for user in new):
            found |= new
            absorbed |= {node: None, **more}
    return found, absorbed


def _subtracted(
    hot: Node, users: Users, roots: Mapping[Node, object]
) -> tuple[dict[Node, Mark], dict[Node, None]]:
    """Add one-hot rows or columns or multiples of them, or take them off; nothing, if read else."""
    found: dict[Node, Mark] = {}
    between: dict[Node, None] = {}
    turns = [u for u, _ in users[hot] if u.op == "transpose"]
    if any(turn in roots for turn in turns):
        return {}, {}
    read = [(user, k, hot) for user, k in users[hot] if user not in turns]
    for user, k, whole_hot in [*read, *((u, k, turn) for turn in turns for u, k in users[turn])]:
        mark = _entries(hot.args[0], whole_hot, user, k, users, roots)
        if mark is None or mark[0] in found:
            return {}, {}
        found[mark[0]] = mark[1]
        if mark[0] is not user:
            between[user] = None
    return found, between | dict.fromkeys(turns)


def _alone(hot: Node, users: Users, found: Mapping[Node, Mark]) -> dict[Node, Mark]:
    """Set numbers at the labels, and 0 elsewhere, where one-hot rows are only scaled."""
    new: dict[Node, Mark] = {}
    for user, k in users[hot]:
        if user.op != "mul" or user in found or user.shape != hot.shape:
            return {}
        scale = _of_rows(user.args[1 - k])
        if scale is None:
            return {}
        new[user] = Mark((hot.args[0], scale), "= {1}", alone=True)
    return new


def _of_rows(number: Node) -> Node | None:
    """Give a number, or a vector with one for each row; None for others."""
    if number.shape and (number.op != "expand" or number.attrs["axes"] != (1,)):
        return None
    return number.args[0] if number.shape else number


def _entries(
    labels: Node, hot: Node, user: Node, k: int, users: Users, roots: Mapping[Node, object]
) -> tuple[Node, Mark] | None:
    """Give the sum that one-hot rows or columns are a term of, and what is changed there."""
    scale: tuple[Node, ...] = ()
    columns = hot.op == "transpose"
    if user.op == "mul" and len(users[user]) == 1 and user not in roots:
        number = _of_rows(user.args[1 - k])
        if number is None or (columns and number.shape):
            return None
        scale = (number,)
        ((user, k),) = users[user]
    if user.op not in ("sub", "add"):
        return None
    whole = user.args[1 - k]
    if not user.shape == hot.shape == whole.shape:
        return None
    if user.op == "sub" and not k and whole.op == "mul" and "onehot" in [a.op for a in whole.args]:
        return None  # that one is subtracted from this
    sign, turned = "-=" if user.op == "sub" and k else "+=", user.op == "sub" and not k
    change = f"{sign} {{2}}" if scale else f"{sign} 1"
    return user, Mark((whole, labels, *scale), change, turned, columns)


def _columns_but(node: Node) -> Node | None:
    """Give t where a node is j != t for every column j of row i; j != i is one with t_i = i."""
    for a, b in (node.args, node.args[::-1]):
        if a.op == "arange" and b.op == "expand" and b.attrs["axes"] == (1,):
            (labels,) = b.args
            given = labels.op == "input" and labels.dtype == "int"
            return labels if given or labels is a else None
    return None


def _cleared(mask: Node, labels: Node, users: Users, inside: Collection[Node]) -> dict[Node, Mark]:
    """Set entries at the labels to a number where a case or a product with the mask does."""
    found: dict[Node, Mark] = {}
    for user, k in users[mask]:
        number = 0.0 if user.op == "mul" else None
        if user.op == "where" and k == 0:
            number = value_of(user.args[2])
        if number is None or user in inside:
            continue
        kept = user.args[1 - k if user.op == "mul" else 1]
        if kept.dtype == "float" and len(kept.shape) == 2 and kept.shape == mask.shape:
            found[user] = Mark((kept, labels), f"= {number_text(number)}")
    return found

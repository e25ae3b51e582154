"""Find where rows have their largest entry as a label; a slope is then an entry or two a row.

max_j x_ij = x_ik for k = argmax_j x_ij: the table is gone through once, and no table says where.
Tables with an entry a row, v_i at k_i, stay so: times others, in cases, in sums of differences.
"""

from functools import reduce

from symgrad.codegen.fast.fired import count
from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.ops import const, make, remake, value_of
from symgrad.shapes import axes_of

SHORT = 64  # entries of a row that tables of distances have by columns
Entries = list[tuple[Node, Node]]  # labels, and the numbers at them


def attained(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Write largest and smallest entries of rows, and where they are, by their labels.

    >>> from symgrad.ops import leaf
    >>> x, w = leaf("x", ("N", "N")), leaf("w", ("N", "N"))
    >>> slope = make("mul", w, make("winner", x, axis=1))
    >>> [a.op for a in attained([slope], {}, False, "float64")[slope].args]
    ['onehot', 'expand']
    """
    order = topological(roots)
    asked = {_of(n): None for n in having(order, "winner") if _by_rows(n)}
    if not asked:
        return unchanged(order)
    found: dict[Node, Entries] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op in ("winner", "amax", "amin") and _by_rows(node) and _of(node) in asked:
            count(fired, "the largest entries of rows by their labels", node)
            return _by_label(node, args[0], found)
        if not any(a in found for a in args):
            return fresh
        entries = _entries(node, args, found) if len(node.shape) == 2 else None
        if entries is None:
            image = _summed(node, args, found)
            return fresh if image is None or image.shape != node.shape else image
        image = _table(entries, node)
        if image.shape != node.shape:
            return fresh
        found[image] = entries
        return image

    return rebuild(roots, change)


def _by_rows(node: Node) -> bool:
    """Say whether a node is about the largest entries of the rows of a matrix."""
    (a,) = node.args
    table = len(a.shape) == 2 and a.dtype == "float"
    return table and axes_of(node.attrs["axis"], 2) == (1,) and _wide(a)


def _wide(table: Node) -> bool:
    """Say whether rows are long: short ones are stored by columns, and compared so in less time."""
    rows, columns = table.shape
    return rows == columns if isinstance(columns, str) else columns > SHORT


def _of(node: Node) -> tuple[Node, bool]:
    """Give the matrix of which the largest entries are looked for, or the smallest."""
    (a,) = node.args
    if node.op == "winner" and a.op == "neg":
        return a.args[0], True
    return a, node.op == "amin"


def _by_label(node: Node, image: Node, found: dict[Node, Entries]) -> Node:
    """Give the entries at the labels, or a table that marks them."""
    _, least = _of(node)
    if node.op == "winner" and least:
        (image,) = image.args
    labels = make("attained", image, axis=1, least=least)
    if node.op == "winner":
        hot = make("onehot", labels, size=node.shape[1])
        found[hot] = [(labels, const(1))]
        return hot
    entry = make("pick", image, labels)
    return make("expand", entry, axes=(1,)) if node.attrs["keepdims"] else entry


def _table(entries: Entries, like: Node) -> Node:
    """Write a table that has these entries, and 0 elsewhere."""
    terms = []
    for labels, value in entries:
        hot = make("onehot", labels, size=like.shape[1])
        if value_of(value) != 1:
            hot = make("mul", hot, make("expand", value, axes=(1,)) if value.shape else value)
        terms.append(hot)
    return reduce(lambda a, b: make("add", a, b), terms)


def _entries(node: Node, args: tuple[Node, ...], found: dict[Node, Entries]) -> Entries | None:
    """Give the entries of a product, a case or a sum of such tables; None if it has others."""
    if node.op == "neg":
        return [(k, _negative(v)) for k, v in found[args[0]]]
    if node.op in ("add", "sub"):
        if not all(a in found for a in args):
            return None
        less = [(k, _negative(v)) if node.op == "sub" else (k, v) for k, v in found[args[1]]]
        return [*found[args[0]], *less]
    if node.op in ("mul", "div"):
        for table, other in (args, args[::-1]) if node.op == "mul" else (args,):
            if table in found and other not in found:
                scaled = [(k, _scaled(node.op, v, other, k)) for k, v in found[table]]
                kept = [(k, v) for k, v in scaled if v is not None]
                return kept if len(kept) == len(scaled) else None
        return None
    if node.op == "where" and args[0].shape == node.shape and args[0] not in found:
        return _chosen(args, found)
    return None


def _scaled(op: str, value: Node, other: Node, labels: Node) -> Node | None:
    """Multiply or divide the numbers at the labels by an array's entries there."""
    if other.shape:
        if other.op == "expand" and other.attrs["axes"] == (1,):
            (other,) = other.args
        elif len(other.shape) == 2 and 1 not in other.shape:
            other = make("pick", other, labels)
        else:
            return None
    if other.dtype == "bool":
        return make("where", other, value, const(0)) if other.shape else None
    if op == "mul" and value_of(value) in (1, -1):
        return other if value_of(value) == 1 else make("neg", other)
    return make(op, value, other)


def _chosen(args: tuple[Node, ...], found: dict[Node, Entries]) -> Entries | None:
    """Choose between two tables of entries, or between one and 0."""
    condition, *branches = args
    entries: Entries = []
    for k, branch in enumerate(branches):
        if value_of(branch) == 0:
            continue
        if branch not in found:
            return None
        for labels, value in found[branch]:
            holds = make("pick", condition, labels)
            pair = (value, const(0)) if k == 0 else (const(0), value)
            entries.append((labels, make("where", holds, *pair)))
    return entries


def _negative(value: Node) -> Node:
    number = value_of(value)
    return make("neg", value) if number is None else const(-number)


def _summed(node: Node, args: tuple[Node, ...], found: dict[Node, Entries]) -> Node | None:
    """Sum along rows, and take differences to the points at the labels only."""
    entries = found.get(args[0])
    if entries is None:
        return None
    if node.op == "sum" and not node.attrs["keepdims"] and all(v.shape for _, v in entries):
        along = axes_of(node.attrs["axis"], 2) == (1,)
        return reduce(lambda a, b: make("add", a, b), [v for _, v in entries]) if along else None
    if node.op not in ("pulls", "own_pulls"):
        return None
    x, y = args[1], args[-1]
    if len(x.shape) != 2:
        return None
    terms = []
    for labels, value in entries:
        apart = make("sub", x, make("take", y, labels, axis=0))
        value = make("expand", value, axes=(1,)) if value.shape else value
        terms.append((labels, make("mul", value, apart)))
    total = reduce(lambda a, b: make("add", a, b), [t for _, t in terms])
    if node.op == "own_pulls":
        for labels, term in terms:
            total = make("sub", total, make("scatter", term, labels, axis=0, size=x.shape[0]))
    return total

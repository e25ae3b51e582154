"""Read a subscript: slices, labels, and the indices of index notation."""

import ast
from typing import TYPE_CHECKING, Any

from symgrad import shapes
from symgrad.errors import ParseError, SymgradError
from symgrad.graph import Node
from symgrad.ops import const, make
from symgrad.ops.slices import FULL
from symgrad.parse.affine import Cuts, moved
from symgrad.parse.arrays import taken
from symgrad.parse.declaring import TYPED
from symgrad.parse.meant import wrong_index as wrong
from symgrad.parse.places import bounds, counted, ends, integer, is_place, plain
from symgrad.parse.sliding import slid
from symgrad.parse.values import Val, Visit, align

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader


def subscript(reader: "Reader", tree: ast.Subscript) -> Visit:
    """Evaluate `base[items]`; a generator, run by the reader's loop."""
    name = tree.value.id if isinstance(tree.value, ast.Name) else ""
    if name and name not in reader.variables and name not in reader.index:
        _no_array(reader, tree, name)
    base = yield tree.value
    if base.axes:
        raise reader.error(tree, "an indexed value cannot be indexed again", "write s[i, j]")
    items = list(tree.slice.elts) if isinstance(tree.slice, ast.Tuple) else [tree.slice]
    if not items:
        raise reader.error(tree, "an empty index", "write x[0], x[1:] or x[i]")
    items = _filled(reader, tree, items, len(base.node.shape))
    new = [k for k, item in enumerate(items) if _is_none(item)]
    solid = [item for item in items if not _is_none(item)]
    rank = len(base.node.shape)
    if len(solid) > rank:
        raise _too_many(reader, tree, base.node, len(solid))
    read, cuts = yield from _read(reader, tree, solid, base.node.shape)
    if any(isinstance(r, str | Val) for r in read):
        if new:
            raise reader.error(
                tree, "None beside an index or a label", "insert the axis on a line of its own"
            )
        return _indexed(reader, tree, *_rest(reader, tree, solid, base.node, read, cuts))
    node = cuts.applied(reader, tree, base.node)
    pairs = tuple(read) + (FULL,) * (rank - len(read))
    if any(p != FULL for p in pairs):
        node = reader.node(tree, "slice", node, key=pairs)
    if new:
        kept = [k for k, item in enumerate(items) if integer(item) is None]
        places = tuple(j for j, k in enumerate(kept) if k in new)
        node = reader.node(tree, "expand", node, axes=places)
    return Val(node)


def _read(
    reader: "Reader", tree: ast.Subscript, items: list[ast.expr], shape: shapes.Shape
) -> Visit:
    """Read the items of an index, and what is cut first: by slices, and by x[i + 1]."""
    read: list[Any] = []
    alone = reader.quoted(tree.value) if len(shape) == 1 else ""
    cuts = Cuts({}, {}, [], [], {}, [])
    columns: list[str] = []
    for k, item in enumerate(items):
        if isinstance(item, ast.Slice) and not plain(item):
            cuts.cut(k, *ends(reader, item, shape[k]), shape[k])
            read.append(FULL)
        elif isinstance(item, ast.Slice):
            read.append(bounds(reader, item))
        elif reader.index and (name := moved(reader, item, k, shape[k], cuts)):
            read.append(name)
        elif reader.index and (names := slid(reader, item, k, shape[k], cuts)):
            read.append(names[0])
            columns += names[1:]
        elif (number := integer(item)) is not None or (
            number := counted(reader, item, shape[k], alone)
        ) is not None:
            read.append((number, None))
        else:
            read.append((yield item))
    if columns:  # they stand behind all other axes
        read += [*[FULL] * (len(shape) - len(read)), *columns]
    return read, cuts


def _rest(
    reader: "Reader", tree: ast.Subscript, items: list[ast.expr], node: Node, read: list[Any],
    cuts: Cuts,
) -> tuple[Node, list[Any]]:  # fmt: skip
    """Take the numbers and slices of A[0, j] first; what is left has an index or a label."""
    keys = [FULL if isinstance(r, str | Val) else r for r in read]
    if not any(cuts) and all(key == FULL for key in keys):
        return node, read
    if any(isinstance(r, Val) and r.rest for r in read):  # where NumPy has an order of its own
        typed = [":" if isinstance(r, str | Val) else reader.quoted(item)
                 for r, item in zip(read, items, strict=True)]  # fmt: skip
        array = reader.quoted(tree.value)
        hint = f"cut on a line of its own:  t = {array}[{', '.join(typed)}]"
        raise reader.error(tree, "a number or slice beside an index of labels", hint)
    node = cuts.applied(reader, tree, node)
    keys += [FULL] * (len(node.shape) - len(keys))
    if any(key != FULL for key in keys):
        node = reader.node(tree, "slice", node, key=tuple(keys))
    kept = [r if isinstance(r, str | Val) else FULL for r in read if not is_place(r)]
    return node, kept


def _no_array(reader: "Reader", tree: ast.Subscript, name: str) -> None:
    """Refuse param[N] and exp[x], which are a kind and a function."""
    if name in TYPED:
        raise reader.error(tree, f"'{name}' is a kind of input; a declaration has a colon",
                           f"write  name: {reader.quoted(tree)}")  # fmt: skip
    from symgrad.parse.calls import is_function

    if is_function(name) or name in reader.functions:
        raise reader.error(tree, f"'{name}' is a function; its arguments stand in round brackets",
                           f"write {name}({reader.quoted(tree.slice)})")  # fmt: skip


def _too_many(reader: "Reader", tree: ast.Subscript, node: Node, count: int) -> ParseError:
    """Say that an array has fewer axes than indices are given."""
    rank = len(node.shape)
    who = f"{reader.quoted(tree.value, 24)} {shapes.text(node.shape)}"
    hint = f"write {rank} or fewer"
    if not rank:
        hint = "a number has none"
        if node.op == "input" and isinstance(tree.value, ast.Name):
            letters = ", ".join("NDC"[:count]) if count < 4 else "N, …"
            hint += f"; an array is declared:  {tree.value.id[:40]}: real[{letters}]"
    said = (
        f"{count} {'indices' if count > 1 else 'index'} for {rank} ax{'e' if rank != 1 else 'i'}s"
    )
    return reader.error(tree, f"{who}: {said}", hint)


def _filled(reader: "Reader", tree: ast.AST, items: list[ast.expr], rank: int) -> list[ast.expr]:
    """Write `...` as the colons that it stands for."""
    places = [k for k, item in enumerate(items) if _is_dots(item)]
    if not places:
        return items
    if len(places) > 1:
        raise reader.error(tree, "... stands twice in an index", "write : for the other axes")
    (k,) = places
    lacking = rank - sum(not _is_none(item) for item in items) + 1
    return [*items[:k], *[ast.Slice()] * max(lacking, 0), *items[k + 1 :]]


def _is_dots(item: ast.expr) -> bool:
    return isinstance(item, ast.Constant) and item.value is ...


def _is_none(item: ast.expr) -> bool:
    return isinstance(item, ast.Constant) and item.value is None


def _indexed(reader: "Reader", tree: ast.Subscript, node: Node, read: list[Any]) -> Val:
    """Resolve index variables and labels; everything else was a slice."""
    read = read + [FULL] * (len(node.shape) - len(read))
    labels = [k for k, r in enumerate(read) if isinstance(r, Val)]
    if len(labels) == len(read) == 2 and _is_own_range(reader, node, read):
        return Val(reader.node(tree, "pick", node, read[1].node))
    if len(labels) == len(read) == 2:  # A[u, i]: row u_b of A, and its entry i_b
        rows = taken(reader, tree, node, read[0], 0)
        if not rows.axes and rows.node.shape[:-1] and not read[1].axes:
            return _entries(reader, tree, rows.node, read[1])
        return _picked(reader, tree, rows, read[1])
    if len(labels) > 1:
        raise wrong(reader, tree, "labels on several of more than two axes",
                    "S[arange(N), y] picks one of each row, R[u, i] one per pair")  # fmt: skip
    variables = [r for r in read if isinstance(r, str)]
    if len(labels) == 1 and not variables and _is_lookup(node, read[labels[0]]):
        return taken(reader, tree, node, read[labels[0]], labels[0])
    for k, r in enumerate(read):
        if isinstance(r, str):
            _bind(reader, tree, r, node.shape[k])
    if len(labels) == 1 and _is_table(read, labels[0]):
        return _rows(reader, tree, node, read, labels[0])
    if len(set(variables)) != len(variables):
        if labels or len(variables) != 2 or len(read) != 2:
            raise reader.error(tree, "an index that stands twice", "only A[i, i] is understood")
        return Val(_diagonal(node), (variables[0],))
    order = tuple(reader.index)
    lead = sorted((k for k, r in enumerate(read) if isinstance(r, str)),
                  key=lambda k: order.index(read[k]))  # fmt: skip
    rest = [k for k, r in enumerate(read) if r == FULL]
    axes = (*lead, *rest, *labels)
    if axes != tuple(range(len(read))):
        node = reader.node(tree, "transpose", node, axes=axes)
    value = Val(node, tuple(read[k] for k in lead))
    return _picked(reader, tree, value, read[labels[0]]) if labels else value


def _is_lookup(node: Node, labels: Val) -> bool:
    """Tell E[ids], rows of a table, and c[y[i]], from s[y], the entry of a vector at its label."""
    if labels.node.dtype != "int" or (labels.axes and labels.rest):
        return False
    return len(node.shape) > 1 or bool(labels.node.shape)


def _entries(reader: "Reader", tree: ast.AST, rows: Node, labels: Val) -> Val:
    """Pick an entry of each row; there is a label for each."""
    if labels.node.dtype != "int" or not labels.rest:
        raise wrong(reader, tree)
    return Val(reader.node(tree, "pick", rows, labels.node))


def _is_table(read: list[Any], place: int) -> bool:
    """Tell E[s[n], k], rows of a table, from s[i, y[i]], whose rows are those of the label."""
    labels, others = read[place], [r for k, r in enumerate(read) if k != place]
    plain = all(isinstance(r, str) and r not in labels.axes for r in others)
    return bool(others) and plain and len(set(others)) == len(others) and _is_whole(labels)


def _is_whole(labels: Val) -> bool:
    return labels.node.dtype == "int" and bool(labels.axes) and not labels.rest


def _rows(reader: "Reader", tree: ast.AST, node: Node, read: list[Any], place: int) -> Val:
    """Take rows at labels with indices of their own, and put all indices in their order."""
    found = taken(reader, tree, node, read[place], place)
    names = [*read[:place], *read[place].axes, *read[place + 1 :]]
    order = sorted(range(len(names)), key=lambda k: list(reader.index).index(names[k]))
    table = found.node
    if order != list(range(len(names))):
        table = reader.node(tree, "transpose", table, axes=tuple(order))
    return Val(table, tuple(names[k] for k in order))


def _is_own_range(reader: "Reader", node: Node, read: list[Any]) -> bool:
    """Recognise S[arange(N), y], also with the number that N stands for."""
    first = read[0].node
    if first.op != "arange" or read[1].node.dtype != "int" or read[1].axes:
        return False
    size, rows = first.attrs["size"], node.shape[0]
    if isinstance(size, int) and isinstance(rows, str) and rows.isidentifier():
        return reader.sizes.setdefault(rows, size) == size
    return bool(size == rows)


def _bind(reader: "Reader", tree: ast.AST, index: str, size: shapes.Dim) -> None:
    known = reader.index[index]
    try:
        reader.index[index] = (
            size if known is None else shapes.unify(known, size, reader.sizes.bind)
        )
    except SymgradError as error:
        error.message = f"the index {index} ranges over {known}, the axis has {size}"
        error.hint = f"order the indices as the array is declared, or write  for {index} in {size}"
        raise error.at(reader.span(tree), reader.source) from None


def _diagonal(node: Node) -> Node:
    """Give A[i, i] as the row sums of A on its diagonal."""
    numbers = make("arange", size=node.shape[0])
    mask = make("eq", make("expand", numbers, axes=(1,)), numbers)
    return make("sum", make("where", mask, node, const(0)), axis=1)


def _picked(reader: "Reader", tree: ast.AST, table: Val, labels: Val) -> Val:
    """Pick along the last axis of the table by labels, which may carry indices themselves."""
    if labels.node.dtype != "int" or labels.rest:
        raise wrong(reader, tree)
    if table.rest != 1:
        raise reader.error(tree, "a label beside an axis without an index",
                           "index every axis: S[i, y[i]], or S[arange(N), y]")  # fmt: skip
    if table.axes == labels.axes:
        return Val(reader.node(tree, "pick", table.node, labels.node), table.axes)
    flat = Val(make("expand", labels.node, axes=(len(labels.axes),)), labels.axes)
    nodes, union = align([table, flat], tuple(reader.index))
    grown = []
    for node in nodes:
        lacking = len(union) + 1 - len(node.shape)
        grown.append(make("expand", node, axes=tuple(range(lacking))) if lacking else node)
    picked = reader.node(tree, "pick", grown[0], _squeeze_last(grown[1]))
    return Val(picked, union)


def _squeeze_last(node: Node) -> Node:
    """Drop the last axis, of length 1, of labels."""
    key = (FULL,) * (len(node.shape) - 1) + ((0, None),)
    return make("slice", node, key=key)

"""Read the calls that are written with literals: tuples of parts, shapes, dimensions, places."""

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from symgrad import dims, shapes
from symgrad.dims import Dim
from symgrad.errors import ShapeError, SymgradError
from symgrad.graph import Node
from symgrad.ops import OPS, const, make
from symgrad.ops.arrays import FILLS
from symgrad.ops.slices import FULL
from symgrad.parse import einsum, meant, misfit
from symgrad.parse.values import Val, Visit

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader


def _divided(a: Dim, b: Dim) -> Dim:
    """Divide by a whole number and round down."""
    if not isinstance(b, int) or b < 1:
        raise ShapeError(f"a size is divided by a whole number, not by {b}", hint="N//2")
    return dims.halved(a, b)


SIZES: dict[type, Any] = {
    ast.Add: dims.plus, ast.Sub: dims.minus, ast.Mult: dims.times, ast.FloorDiv: _divided,
}  # fmt: skip
SIGNS: dict[type, int] = {ast.USub: -1, ast.UAdd: 1}


def _arguments(
    reader: "Reader", tree: ast.Call, names: tuple[str, ...], form: str, least: int
) -> dict[str, ast.expr]:
    """Match the arguments of a call with names, by place or by keyword."""
    given: dict[str, ast.expr] = dict(zip(names, tree.args, strict=False))
    for keyword in tree.keywords:
        if keyword.arg not in names or keyword.arg in given:
            raise reader.error(keyword, f"there is no argument '{keyword.arg}' here", form)
        given[keyword.arg] = keyword.value
    lacking = any(name not in given for name in names[:least])
    if len(tree.args) > len(names) or lacking or any(isinstance(a, ast.Starred) for a in tree.args):
        raise reader.error(tree, f"these are not the arguments of {meant.called(tree)}",
                           f"write {form}")  # fmt: skip
    return given


def _axis(reader: "Reader", tree: ast.expr | None, rank: int, default: int = 0) -> int:
    """Read an axis, and count it from the front."""
    axis = default if tree is None else reader.literal(tree)
    if type(axis) is not int:
        assert tree is not None
        raise reader.error(tree, f"axis={axis!r} is not an axis", "one integer")
    if not -rank <= axis < rank:
        shapes.axes_of(axis, rank)  # which says so
    return axis % rank


def _whole(reader: "Reader", tree: ast.AST, value: Val, name: str) -> Node:
    if value.axes:
        raise reader.error(tree, f"{name} of a value with indices", "use it on whole arrays")
    return value.node


def _together(name: str) -> Any:
    """Read concatenate((a, b, …), axis=0) and stack, with round or square brackets."""
    form = f"{name}((a, b), axis=0)"

    def read(reader: "Reader", tree: ast.Call) -> Visit:
        given = _arguments(reader, tree, ("parts", "axis"), form, 1)
        listed = given["parts"]
        if not isinstance(listed, ast.Tuple | ast.List) or not listed.elts:
            raise reader.error(listed, f"{name} takes a tuple of arrays", form)
        parts = []
        for part in listed.elts:
            if isinstance(part, ast.Starred):
                raise meant.no_argument(reader, part)
            parts.append(_whole(reader, part, (yield part), name))
        try:
            rank = len(parts[0].shape) + (name == "stack")
            axis = _axis(reader, given.get("axis"), max(rank, 1))
        except ShapeError as error:
            raise error.at(reader.span(tree), reader.source) from None
        return Val(reader.node(tree, name, *parts, axis=axis))

    return read


# -- shapes ----------------------------------------------------------------------------------


def size(reader: "Reader", tree: ast.expr, names: Mapping[str, object] | None = None) -> Dim:
    """Read a dimension: a name, a number, sums and products of those.

    With `names`, those that count as dimensions here, it may be negative.
    """
    known = reader.dims if names is None else names
    stack: list[tuple[ast.expr, bool]] = [(tree, False)]
    done: list[Dim] = []
    while stack:
        item, ready = stack.pop()
        if isinstance(item, ast.BinOp) and type(item.op) in SIZES:
            if ready:
                right, left = done.pop(), done.pop()
                try:
                    done.append(SIZES[type(item.op)](left, right))
                except SymgradError as error:
                    raise error.at(reader.span(item), reader.source) from None
            else:
                stack += [(item, True), (item.right, False), (item.left, False)]
        elif isinstance(item, ast.Name) and item.id in known:
            done.append(item.id)
        elif names is not None and isinstance(item, ast.UnaryOp) and type(item.op) in SIGNS:
            if ready:
                done.append(dims.times(SIGNS[type(item.op)], done.pop()))
            else:
                stack += [(item, True), (item.operand, False)]
        elif isinstance(item, ast.Constant) and type(item.value) is int:
            done.append(item.value)
        elif _minus_one(item) and item is tree:
            done.append(-1)
        else:
            listed = ", ".join(reader.dims) or "none is declared"
            said = "a size is a dimension, a whole number, or a product of those"
            raise reader.error(item, f"{said}, not {reader.quoted(item)}",
                               f"dimensions: {listed}")  # fmt: skip
    return done[0]


def _minus_one(tree: ast.expr) -> bool:
    return isinstance(tree, ast.UnaryOp) and ast.unparse(tree) == "-1"


def _reshape(reader: "Reader", tree: ast.Call) -> Visit:
    form = "reshape(x, (N, -1))"
    if len(tree.args) > 2 and not tree.keywords:  # x.reshape(N, 2)
        x, *sizes = (reader.quoted(a) for a in tree.args)
        form = f"reshape({x}, ({', '.join(sizes)}))"
    given = _arguments(reader, tree, ("x", "shape"), form, 2)
    node = _whole(reader, tree, (yield given["x"]), "reshape")
    listed = given["shape"]
    items = list(listed.elts) if isinstance(listed, ast.Tuple | ast.List) else [listed]
    if len(items) > 16:
        raise reader.error(listed, f"{len(items)} axes are too many; the limit is 16",
                           "use fewer dimensions")  # fmt: skip
    try:
        shape = [size(reader, item) for item in items]
        if shape.count(-1) > 1 or any(isinstance(d, int) and d < -1 for d in shape):
            raise ShapeError("sizes are not negative; one -1 may stand for what is left", hint=form)
        total = dims.times(*node.shape)
        if -1 in shape:
            k = shape.index(-1)
            shape[k] = _left(total, dims.times(*(d for d in shape if d != -1)))
        _fills(reader, total, tuple(shape))
    except SymgradError as error:
        if isinstance(error, ShapeError):
            misfit.explain(reader, tree, "reshape", [node], error)
        raise error.at(reader.span(tree), reader.source) from None
    return Val(reader.node(tree, "reshape", node, shape=tuple(shape)))


def _left(total: Dim, rest: Dim) -> Dim:
    """Work out the size that -1 stands for."""
    found = None if rest == 0 else dims.quotient(total, rest)
    if found is None and isinstance(rest, int) and isinstance(total, str) and rest:
        return dims.halved(total, rest)  # that it leaves no rest is checked with the numbers
    if found is None:
        raise ShapeError(f"{total} entries cannot be divided by {rest} to work -1 out", hint=FILLS)
    return found


def _fills(reader: "Reader", total: Dim, shape: shapes.Shape) -> None:
    """Check that the numbers of entries agree, by name or by the numbers that are known."""
    after = dims.times(*shape)
    if total == after or any("//" in str(d) for d in shape):
        return
    before, behind = dims.evaluated(total, reader.sizes), dims.evaluated(after, reader.sizes)
    if before is None or behind is None:
        raise ShapeError(
            f"nothing says that {total} entries fill the shape {shapes.text(shape)}",
            hint="use the names of its dimensions, or give their sizes in shapes=",
        )
    if before != behind:
        raise ShapeError(f"{before} entries do not fill the shape {shapes.text(shape)}", hint=FILLS)


def _eye(reader: "Reader", tree: ast.Call) -> Visit:
    given = _arguments(reader, tree, ("size",), "eye(N)", 1)
    yield from ()
    return Val(reader.node(tree, "eye", size=size(reader, given["size"])))


# -- places ----------------------------------------------------------------------------------


def _take(reader: "Reader", tree: ast.Call) -> Visit:
    form = "take(x, k, axis=0)"
    given = _arguments(reader, tree, ("x", "k", "axis"), form, 2)
    node = _whole(reader, tree, (yield given["x"]), "take")
    if not node.shape:
        raise reader.error(tree, "a number has no parts to take", form)
    if len(node.shape) > 1 and "axis" not in given:
        raise reader.error(tree, "take from an array of several axes needs axis=", form)
    try:
        axis = _axis(reader, given.get("axis"), len(node.shape))
    except ShapeError as error:
        raise error.at(reader.span(tree), reader.source) from None
    places = yield given["k"]
    number = places.node.attrs.get("value") if places.node.op == "const" else None
    if type(number) is int:
        key = tuple((number, None) if k == axis else FULL for k in range(len(node.shape)))
        return Val(reader.node(tree, "slice", node, key=key))
    return taken(reader, tree, node, places, axis)


def taken(reader: "Reader", tree: ast.AST, table: Node, places: Val, axis: int) -> Val:
    """Look up the parts of a table at integer places along an axis."""
    if places.node.dtype != "int" or (places.rest and places.axes):
        raise meant.wrong_index(reader, tree)
    classes = places.node.attrs.get("classes")
    if classes is not None:
        try:
            shapes.unify(table.shape[axis], classes, reader.sizes.bind)
        except ShapeError:
            name, width = places.node.attrs["name"], table.shape[axis]
            raise ShapeError(
                f"'{name}' are labels of {classes} classes; axis {axis} of the array has {width}",
                hint=_row_by_row(reader, tree, table, places.node)
                or "declare as many classes as it has:  "
                f"{meant.as_labels(name, places.node.shape, width)}",
                span=reader.span(tree), source=reader.source,
            ) from None  # fmt: skip
    return Val(reader.node(tree, "take", table, places.node, axis=axis), places.axes)


def _row_by_row(reader: "Reader", tree: ast.AST, table: Node, labels: Node) -> str:
    """Say how the entry of each row is taken, if the labels are those of the columns."""
    columns = table.shape == (*labels.shape, labels.attrs["classes"])
    if not columns or len(table.shape) != 2 or not isinstance(tree, ast.Subscript):
        return ""
    rows, array = labels.shape[0], reader.quoted(tree.value)
    array = array if isinstance(tree.value, ast.Name) else f"({array})"
    return f"one entry of each row:  {array}[arange({rows}), {labels.attrs['name']}]"


def _cumsum(reader: "Reader", tree: ast.Call) -> Visit:
    from symgrad.parse.calls import arguments, finish

    row = OPS["cumsum"]
    operands, params = yield from arguments(reader, tree, row)
    if operands[0].rest > 1 and params.get("axis") is None:
        raise reader.error(tree, "cumsum of several axes needs axis=", "cumsum(x, axis=0)")
    if not operands[0].rest:
        raise reader.error(tree, "a number has no running sum", "cumsum(x, axis=0)")
    if type(params.get("axis", 0)) not in (int, type(None)):
        raise reader.error(tree, f"axis={params['axis']!r} is not an axis", "one integer")
    return finish(reader, tree, row, operands, {k: v for k, v in params.items() if v is not None})


def _triangle(name: str) -> Any:
    """Read tril(A) and triu(A, k): entries on one side of a diagonal, which others replace by 0."""
    form = f"{name}(A, k=0)"

    def read(reader: "Reader", tree: ast.Call) -> Visit:
        given = _arguments(reader, tree, ("x", "k"), form, 1)
        node = _whole(reader, tree, (yield given["x"]), name)
        k = reader.literal(given["k"]) if "k" in given else 0
        if type(k) is not int:
            raise reader.error(given["k"], f"k={k!r} is no diagonal", "one integer")
        if len(node.shape) < 2:
            raise reader.error(tree, f"{name} of an array {shapes.text(node.shape)}",
                               "it takes a matrix")  # fmt: skip
        rows, columns = (make("arange", size=d) for d in node.shape[-2:])
        lower = name == "tril"
        beyond = k < 0 if lower else k > 0  # i >= j + 1 is i > j
        k += beyond * (1 if lower else -1)
        shifted = make("sub" if k > 0 else "add", columns, const(abs(k))) if k else columns
        op = ("gt" if beyond else "ge") if lower else ("lt" if beyond else "le")
        inside = make(op, make("expand", rows, axes=(1,)), shifted)
        return Val(reader.node(tree, "where", inside, node, const(0)))

    return read


ARRAYS: dict[str, Any] = {
    "tril": _triangle("tril"),
    "triu": _triangle("triu"),
    "concatenate": _together("concatenate"),
    "stack": _together("stack"),
    "reshape": _reshape,
    "eye": _eye,
    "take": _take,
    "cumsum": _cumsum,
    "einsum": einsum.read,
}

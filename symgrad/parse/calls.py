"""Read a call: which operator, which operands, which parameters."""

import ast
from typing import TYPE_CHECKING, Any

from symgrad import shapes
from symgrad.errors import ShapeError, SymgradError
from symgrad.ops import ALIASES, OPS, Op, const, lookup, make
from symgrad.ops.spec import bounds
from symgrad.parse import elsewhere, meant, options, pasted
from symgrad.parse.arrays import ARRAYS
from symgrad.parse.functions import applied
from symgrad.parse.guards import inequalities, needless
from symgrad.parse.limits import MAX_CONSTANTS
from symgrad.parse.parameters import check_params
from symgrad.parse.ranges import Condition, opened
from symgrad.parse.targets import check_loss
from symgrad.parse.values import Val, Visit, align, reorder, spread_over

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader

OVER = ("sum", "mean", "amax", "amin", "logsumexp", "prod")


def known_functions() -> list[str]:
    """List every function name that a text may call."""
    shown = [n for n, row in OPS.items() if not row.hidden and n not in ("amax", "amin")]
    return sorted({*shown, *ALIASES, *SPECIAL, "arange"})


def is_function(name: str) -> bool:
    """Say whether a text may call a name.

    >>> is_function("tanh"), is_function("x")
    (True, False)
    """
    if name in SPECIAL or name in ALIASES or name == "arange":
        return True
    return name in OPS and not OPS[name].hidden and name not in ("amax", "amin")


def call(reader: "Reader", tree: ast.Call) -> Visit:
    """Evaluate a call; a generator, run by the reader's loop."""
    if not isinstance(tree.func, ast.Name):
        if isinstance(tree.func, ast.Attribute):
            raise pasted.attribute(reader, tree.func, tree)
        raise pasted.layer(reader, tree)
    name = tree.func.id
    if name in reader.macros:
        values = []
        for argument in tree.args:
            values.append(
                reader.literal(argument)
                if isinstance(argument, ast.Name) and argument.id in reader.literals
                else (yield argument)
            )
        return reader.macros[name](reader, tree, *values)
    if name in reader.functions and name not in reader.index:
        return (yield from applied(reader, tree))
    if name in reader.variables or name in reader.index:
        raise reader.error(tree.func, f"'{name}' is a variable here and cannot be called",
                           f"write {name}*(…) for a product")  # fmt: skip
    if name == "arange":
        return _arange(reader, tree)
    if name in SPECIAL:
        return (yield from SPECIAL[name](reader, tree))
    row = lookup(name)
    if name in LARGEST and len(tree.args) > 1:
        row = OPS[LARGEST[name]]
        if len(tree.args) > 2 and not tree.keywords:
            return (yield from _several(reader, tree, row))
    if row is None or (row.hidden and not reader.trusted):
        raise elsewhere.unknown(reader, tree.func, name, tree)
    if len(tree.args) == 1 and isinstance(tree.args[0], ast.GeneratorExp):
        return (yield from comprehension(reader, tree, row, tree.args[0]))
    if not reader.trusted:
        options.check(reader, tree, row)
    operands, params = yield from arguments(reader, tree, row)
    return finish(reader, tree, row, operands, params)


LARGEST = {"max": "maximum", "min": "minimum", "maximum": "maximum", "minimum": "minimum"}


def _several(reader: "Reader", tree: ast.Call, row: Op) -> Visit:
    """Read max(a, b, c, …), the pieces of a maxout, as max(max(a, b), c)."""
    value = yield tree.args[0]
    for argument in tree.args[1:]:
        value = finish(reader, tree, row, [value, (yield argument)], {})
    return value


KEYWORDS = ("reduction", "eps", "base")  # parameters that are named, never given by position


def arguments(reader: "Reader", tree: ast.Call, row: Op) -> Visit:
    """Split the arguments of a call into operand values and parameters."""
    high = max(bounds(row)[1], len(row.operands))
    names = row.operands or tuple("abcdefgh"[:high])
    operands: dict[int, Val] = {}
    params: dict[str, Any] = {}
    # A reduction's or softmax's axis may follow by position, except that of max and min.
    named = row.name in ("amax", "amin") and not reader.trusted
    loose = [] if named else [p for p in row.params if p not in KEYWORDS]
    low = bounds(row)[1] if loose else high
    for k, argument in enumerate(tree.args):
        if isinstance(argument, ast.Starred | ast.GeneratorExp):
            raise meant.no_argument(reader, argument)
        if k < low:
            operands[k] = yield argument
        elif k - low < len(loose):
            params[loose[k - low]] = reader.literal(argument)
        else:
            raise meant.too_many(reader, tree, row, argument, low + len(loose))
    for keyword in tree.keywords:
        key = keyword.arg
        if key is None:
            raise reader.error(keyword, "** is no argument in the language", "write name=value")
        if key in params or (key in names and names.index(key) in operands):
            raise reader.error(
                keyword, f"the argument '{key}' is given twice", "delete one of them"
            )
        if key in row.params:
            params[key] = reader.literal(keyword.value)
        elif key in names:
            operands[names.index(key)] = yield keyword.value
        else:
            known = [*names, *row.params]
            raise options.no_such_argument(reader, tree, keyword, row, known)
    return _complete(reader, tree, row, operands), params


def _complete(reader: "Reader", tree: ast.Call, row: Op, given: dict[int, Val]) -> list[Val]:
    """Fill defaults in, and complain about what is missing."""
    low, high = bounds(row)
    asked = len(given)
    for k, value in enumerate(row.defaults):
        given.setdefault(high - len(row.defaults) + k, Val(const(value)))
    count = max(given, default=-1) + 1
    if sorted(given) != list(range(count)) or not low <= count <= max(high, len(row.operands)):
        least = low - len(row.defaults)
        wanted = str(high) if least == high else f"{least} to {high}"
        names = ", ".join(row.operands or "abcdefgh"[:high])
        raise reader.error(tree, f"{meant.called(tree)} takes {wanted} operand{'s' * (high != 1)}, "
                           f"not {asked}", f"write {meant.called(tree)}({names})")  # fmt: skip
    return [given[k] for k in range(count)]


def finish(
    reader: "Reader", tree: ast.Call, row: Op, operands: list[Val], params: dict[str, Any]
) -> Val:
    """Make the node of a call from its operands and parameters."""
    check_params(reader, tree, row, operands, params)
    if row.typed and len(operands) > bounds(row)[1]:
        from symgrad.parse.rows import written

        nodes, axes = align(operands, tuple(reader.index))
        try:
            return Val(written(row.typed, nodes, {**dict(row.params), **params}), axes)
        except SymgradError as error:
            raise type(error)(error.message, span=reader.span(tree), source=reader.source,
                              hint=error.hint) from None  # fmt: skip
    if row.name in ("maximum", "minimum"):
        operands = _constant_last(operands)
    if row.name == "where" and operands[0].node.dtype != "bool":
        operands = [reader.apply(tree, "ne", operands[0], Val(const(0))), *operands[1:]]
    if row.name in OVER[:4] and not operands[0].rest and params.get("axis") is None:
        return operands[0]  # the sum, mean or maximum of one number
    indexed = any(v.axes for v in operands)
    if not indexed:
        node = reader.node(tree, row.name, *(v.node for v in operands), **params)
        check_loss(reader, tree, row, node)
        return Val(node)
    if row.name == "matmul":
        return reader.product(tree, operands[0], operands[1])
    if row.reduction:
        raise reader.error(tree, f"{row.name} of indexed values", "use it on whole arrays")
    if row.shape == "elementwise":
        return reader.apply(tree, row.name, *operands, **params)
    value = operands[0]
    rest = tuple(k - value.rest for k in shapes.axes_of(params.get("axis"), value.rest))
    if row.shape not in ("reduce", "like a") or len(operands) != 1 or not rest:
        raise reader.error(tree, f"{row.name} of a value with indices", "use it on whole arrays")
    axis: Any = rest[0] if len(rest) == 1 else rest
    if row.shape == "like a" and "axis" not in params:
        axis = -1
    return Val(reader.node(tree, row.name, value.node, **{**params, "axis": axis}), value.axes)


def _constant_last(operands: list[Val]) -> list[Val]:
    """Put a constant second, max(0, x) as max(x, 0): at a tie the gradient is the constant's."""
    a, b = operands
    return [b, a] if a.node.op == "const" and b.node.op != "const" else operands


def comprehension(reader: "Reader", tree: ast.Call, row: Op, inner: ast.GeneratorExp) -> Visit:
    """Evaluate `sum(… for j in C if …)` to a reduction over the axis that stands for j."""
    if row.name not in OVER or len(tree.args) != 1 or tree.keywords:
        raise reader.error(tree, f"{row.name} does not range over an index",
                           "one of sum, mean, max, min, logsumexp, prod does")  # fmt: skip
    bound: list[str] = []
    outer, known = dict(reader.index), len(reader.guards)
    conditions: list[Condition] = []
    try:
        for part in inner.generators:
            name, limits = opened(reader, part)
            bound.append(name)
            conditions += limits
            for test in part.ifs:
                conditions.append(((yield test), inequalities(reader, test)))
        reader.guards += [guard for _, guards in conditions for guard in guards]
        value = yield inner.elt
        if row.name == "sum":
            conditions = [c for c in conditions if not needless(reader, c[1], value.node)]
        return _reduce(reader, tree, row, value, [c for c, _ in conditions], bound)
    finally:
        reader.index.clear()
        reader.index.update(outer)
        del reader.guards[known:]


def _reduce(
    reader: "Reader", tree: ast.Call, row: Op, value: Val, conditions: list[Val], bound: list[str]
) -> Val:
    """Select by the conditions and reduce the bound axes."""
    order = tuple(reader.index)
    if value.rest:
        raise reader.error(tree, "the summand still has axes of its own",
                           "index every axis of it")  # fmt: skip
    if conditions:
        chosen = conditions[0]
        for other in conditions[1:]:
            chosen = reader.apply(tree, "both", chosen, other)
        least, most = float("-inf"), float("inf")
        empty = {"sum": 0, "prod": 1, "amax": least, "amin": most, "logsumexp": least}
        if row.name not in empty:
            raise reader.error(tree, f"{row.name} with a condition",
                               "divide a sum by a sum:  sum(… if …)/sum(1 for … if …)")  # fmt: skip
        value = reader.apply(tree, "where", chosen, value, Val(const(empty[row.name])))
    kept = [v for v in order if v in value.axes and v not in bound]
    try:
        value = spread_over(reorder(value, order), _wanted(order, value, bound), reader.index)
    except SymgradError as error:
        raise error.at(reader.span(tree), reader.source) from None
    axes = tuple(value.axes.index(v) for v in bound)
    axis: Any = axes[0] if len(axes) == 1 else tuple(sorted(axes))
    if not kept:
        axis = None
    return Val(reader.node(tree, row.name, value.node, axis=axis), tuple(kept))


def _wanted(order: tuple[str, ...], value: Val, bound: list[str]) -> list[str]:
    return [v for v in order if v in value.axes or v in bound]


def _arange(reader: "Reader", tree: ast.Call) -> Val:
    """Read arange(K): K a dimension or a number."""
    if len(tree.args) != 1 or tree.keywords:
        raise reader.error(tree, "arange takes one argument, a dimension", "arange(N)")
    size = tree.args[0]
    if isinstance(size, ast.Name) and size.id in reader.dims:
        return Val(make("arange", size=size.id))
    if (
        isinstance(size, ast.Constant)
        and type(size.value) is int
        and 0 < size.value <= MAX_CONSTANTS
    ):
        return Val(make("arange", size=size.value))
    raise reader.error(tree, f"arange needs a dimension or a whole number up to {MAX_CONSTANTS}, "
                       f"not {reader.quoted(size)}",
                       f"dimensions: {', '.join(reader.dims) or 'none is declared'}")  # fmt: skip


def _filled(value: int) -> Any:
    def fill(reader: "Reader", tree: ast.Call) -> Visit:
        if len(tree.args) != 1 or tree.keywords:
            name = meant.called(tree)
            raise reader.error(tree, f"{name}: one argument is expected, the array to be like",
                               f"write {name}(x)")  # fmt: skip
        like = yield tree.args[0]
        if like.axes:
            raise reader.error(tree, "an indexed value has no shape of its own", "write 0 or 1")
        return Val(make("broadcast", const(value), shape=like.node.shape))

    return fill


def _transposed(reader: "Reader", tree: ast.Call) -> Visit:
    if not tree.args or len(tree.args) > 2 or tree.keywords:
        typed = [reader.quoted(a) for a in (*tree.args, *(k.value for k in tree.keywords))]
        hint = options.turned(typed, (yield tree.args[0]).rest) if tree.args else ""
        raise reader.error(tree, "transpose takes an array and, if wanted, a tuple of axes",
                           hint or "write  x.T  or  transpose(x, (1, 0, 2))")  # fmt: skip
    value = yield tree.args[0]
    axes = reader.literal(tree.args[1]) if len(tree.args) == 2 else None
    if axes is not None and not (isinstance(axes, tuple) and all(isinstance(k, int) for k in axes)):
        raise ShapeError("axes are a tuple of integers", hint="transpose(x, (1, 0, 2))",
                         span=reader.span(tree), source=reader.source)  # fmt: skip
    rank = len(value.node.shape)
    if axes is not None and all(-rank <= k < rank for k in axes):
        axes = tuple(k % rank for k in axes)
    return Val(reader.node(tree, "transpose", value.node, axes=axes))


SPECIAL: dict[str, Any] = {
    "zeros_like": _filled(0),
    "ones_like": _filled(1),
    "transpose": _transposed,
    **ARRAYS,
}

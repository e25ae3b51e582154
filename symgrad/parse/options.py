"""What arguments mean in NumPy, PyTorch and other libraries, and how that is written here."""

import ast
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from symgrad.errors import ParseError, SymgradError, near
from symgrad.ops import Op
from symgrad.ops.spec import bounds
from symgrad.parse.doubts import say
from symgrad.parse.trial import LONGEST, filled, rank, tried, value
from symgrad.shapes import Shape

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader

# How other libraries call an argument.
OTHERS = {"dim": "axis", "keepdim": "keepdims", "alpha": "a", "negative_slope": "a", "min": "b",
          "max": "c", "axes": "axis", "x": "a", "lambd": "lam"}  # fmt: skip
# What the arguments of other libraries' functions come to here.
LEFT_OUT = {
    "approximate": "gelu_tanh(x) is gelu's approximation by tanh.  ", "inplace": "leave it out.  ",
    "dtype": "dtype= is given to symgrad.compile.  ", "out": "leave it out.  ",
    "normalized_shape": "leave it out, the last axis is normalised.  ",
    "size_average": "write reduction='mean', 'sum' or 'none'.  ",
    "reduce": "write reduction='mean', 'sum' or 'none'.  ",
}  # fmt: skip
LOWER, UPPER = ("b", "min", "a_min"), ("c", "max", "a_max")
FREED = ("ddof", "correction", "unbiased")


def no_such_argument(
    reader: "Reader", tree: ast.Call, keyword: ast.keyword, row: Op, known: Sequence[str]
) -> ParseError:
    """Say that a function has no argument of a name, and how it is written without it."""
    key, name = str(keyword.arg), _called(tree)
    message = f"{name} has no argument '{key[:40]}'"
    if instead := _without(reader, tree, keyword, row):
        return reader.error(keyword, message, f"write {instead}")
    other = OTHERS.get(key)
    hint = f"did you mean '{other}'?  " if other in known else near(key[:40], known)
    hint = LEFT_OUT.get(key) or hint
    return reader.error(keyword, message, f"{hint}it has {', '.join(known)}")


def check(reader: "Reader", tree: ast.Call, row: Op) -> None:
    """Refuse arguments that mean something else in other libraries, before they are read."""
    for k, argument in enumerate(tree.args[: bounds(row)[1]]):
        if isinstance(argument, ast.Tuple | ast.List) and not isinstance(argument.ctx, ast.Store):
            raise _no_tuple(reader, tree, row, argument, k)
    if row.name in CHECKS and tree.args:
        CHECKS[row.name](reader, tree)


def _called(tree: ast.Call) -> str:
    assert isinstance(tree.func, ast.Name)
    return tree.func.id


def _text(reader: "Reader", tree: ast.AST) -> str:
    return reader.quoted(tree, LONGEST)


def _accepted(reader: "Reader", *texts: str) -> str:
    """Choose the first text that can be read; "" if none can."""
    return next((t for t in texts if not isinstance(tried(reader, t), SymgradError)), "")


def _no_tuple(
    reader: "Reader", tree: ast.Call, row: Op, argument: ast.Tuple | ast.List, k: int
) -> ParseError:
    """Say how a function takes what stands in brackets of its own."""
    name, typed = _called(tree), [_text(reader, e) for e in argument.elts]
    listed = ", ".join(typed)
    if k:
        texts = [f"{name}({', '.join(_text(reader, a) for a in tree.args[:k])})"]
    elif row.name in ("sum", "mean", "prod", "amax", "amin"):
        texts = [f"{name}({listed})"] * (row.name in ("amax", "amin") and len(typed) > 1)
        texts.append(f"{name}(stack(({listed})))")
    else:
        texts = [f"{name}({listed})", f"{name}(stack(({listed})))"]
    instead = _accepted(reader, *texts)
    said = f"{name} takes no {'tuple' if isinstance(argument, ast.Tuple) else 'list'} here"
    return reader.error(argument, said, f"write {instead}" if instead else
                        "write the arguments without brackets of their own")  # fmt: skip


# -- norm(x, 1), norm(x, ord=inf) ----------------------------------------------------------------


def _norm(reader: "Reader", tree: ast.Call) -> None:
    """Refuse the order of a norm; a second argument is an axis here."""
    order = tree.args[1] if len(tree.args) > 1 else None
    for keyword in tree.keywords:
        if keyword.arg in ("ord", "p"):
            order = keyword.value
    if order is None:
        return
    named = len(tree.args) == 1 or order is not tree.args[1]
    axes = next((k.value for k in tree.keywords if k.arg in ("axis", "dim")), None)
    known = rank(reader, tree.args[0])
    if known is None:
        return
    x, p = _text(reader, tree.args[0]), _text(reader, order).strip("'\"")
    axis = f"axis={_text(reader, axes)}" if axes is not None else ""
    rows = known > 1 and not isinstance(axes, ast.Constant)  # of a matrix, not of its rows
    if not named and not axis and _is_axis(order, known):
        if (p, rows) in (("1", True), ("0", False)):
            other = f"sum(abs({x})) or max(sum(abs({x}), axis=0))" if rows else f"sum({x} != 0)"
            said = f"{_text(reader, tree)} is a norm along axis {p}, not one of order {p}"
            say(reader, tree, f"{said}: write norm({x}, axis={p}), or {other} for the order")
        return
    raise reader.error(order, "norm has no order, and its second argument is an axis",
                       _of_order(x, p, rows, known == 0, axis))  # fmt: skip


def _is_axis(tree: ast.expr, axes: int) -> bool:
    """Say whether an argument can be an axis; what is no order either is refused later."""
    if isinstance(tree, ast.Name):
        return tree.id not in ("inf", "nuc", "fro")
    try:
        number: Any = ast.literal_eval(tree)
    except ValueError:
        return ast.unparse(tree) != "-inf"
    return not isinstance(number, int | float | str) or (
        type(number) is int and -axes <= number < axes
    )


def _of_order(x: str, p: str, matrix: bool, number: bool, axis: str) -> str:
    """Write a norm of some order: of a vector, along an axis, or of a matrix."""
    end = f", {axis})" if axis else ")"
    if number:
        return f"write {filled('abs({x})', {'x': x})}; it is a number"
    if p == "fro" or (p in ("2", "2.0") and not matrix):
        return f"write norm({x}{end}"
    if matrix and p in ("1", "inf"):
        rows = f"max(sum(abs({x}), axis={int(p == 'inf')}))"
        return f"write {rows} for the norm of the matrix, sum(abs({x})) for the sum of its entries"
    if matrix:
        return (
            f"write norm({x}) for the root of the sum of squares; the language has no singular "
            "values"
        )
    known = {"1": f"sum(abs({x}){end}", "inf": f"max(abs({x}){end}", "-inf": f"min(abs({x}){end}",
             "0": f"sum({x} != 0{end}"}  # fmt: skip
    other = f"sum(abs({x})**{p}{end}**(1/{p})"
    return f"write {known.get(p.removesuffix('.0'), other)}"


# -- clip(x, 0), dropout(x, 0.5) -----------------------------------------------------------------


def _clip(reader: "Reader", tree: ast.Call) -> None:
    """Write a clip that has one limit, or names them otherwise, in the way it is read."""
    given = dict(zip("abc", tree.args, strict=False))
    own = True
    for keyword in tree.keywords:
        for letter, names in (("b", LOWER), ("c", UPPER)):
            if keyword.arg in names:
                own = own and keyword.arg == letter
                given[letter] = keyword.value
    ends = {k: _text(reader, v) for k, v in given.items() if not _is_none(v)}
    low, high = ends.get("b"), ends.get("c")
    if (own and low and high) or not (low or high) or len(tree.args) > 3:
        return
    x = ends.get("a", "x")
    hint = f"clip({x}, {low}, {high})" if low and high else f"max({x}, {low})"
    hint = hint if low else f"min({x}, {high})"
    raise reader.error(tree, "clip takes two limits, by position", f"write {hint}")


def _is_none(tree: ast.expr) -> bool:
    return isinstance(tree, ast.Constant) and tree.value is None


def _dropout(reader: "Reader", tree: ast.Call) -> None:
    """Say that the mask of dropout is an input; dropout(x, 0.5) gives a share only."""
    shares = [a for a in tree.args[1:2]] + [k.value for k in tree.keywords if k.arg == "p"]
    shares = shares or [ast.Constant(0.5)]
    share = shares[0].value if isinstance(shares[0], ast.Constant) else None
    masked = len(tree.args) > 1 and (share is None or share in (0, 1))
    if masked or not isinstance(share, int | float) or not 0 <= share < 1:
        return
    known = value(reader, tree.args[0])
    shape: Shape = () if known is None else known.node.shape
    dims = f"[{', '.join(map(str, shape))}]" if shape else ""
    text = filled("{x}*mask/", {"x": _text(reader, tree.args[0])})
    raise reader.error(tree, "dropout needs its mask, which is an input; it draws no random "
                       "numbers", f"declare  mask: binary{dims}  and write  {text}{1 - share:.12g}"
                       )  # fmt: skip


CHECKS: dict[str, Any] = {"norm": _norm, "clip": _clip, "dropout": _dropout}


def turned(typed: Sequence[str], axes: int) -> str:
    """Say how the axes are given of which transpose(x, 0, 2, 1) and x.transpose(1, 2) speak.

    >>> turned(["x", "0", "2", "1"], 3), turned(["x", "1", "2"], 3), turned(["x", "0", "1"], 2)
    ('write transpose(x, (0, 2, 1))', 'write transpose(x, (0, 2, 1))', 'write x.T')
    """
    x, places = typed[0], list(typed[1:])
    if len(places) == 1 and places[0][:1] in "([":
        return f"write transpose({x}, {places[0]})"
    try:
        numbers = [int(place) % max(axes, len(places), 1) for place in places]
    except ValueError:
        return ""
    if len(numbers) == 2 != axes:  # two axes change places
        order = list(range(max(axes, *(k + 1 for k in numbers))))
        i, j = numbers
        order[i], order[j] = order[j], order[i]
        numbers = order
    if len(numbers) == 2:
        return f"write {filled('{x}', {'x': x})}.T"
    return f"write transpose({x}, ({', '.join(map(str, numbers))}))" if numbers else ""


# -- var(x, ddof=1), and weights of losses -------------------------------------------------------


def _without(reader: "Reader", tree: ast.Call, keyword: ast.keyword, row: Op) -> str:
    """Write a call without an argument that only others have; "" where there is no way."""
    if not tree.args:
        return ""
    if row.name in ("var", "std") and keyword.arg in FREED:
        return _unbiased(reader, tree, keyword, row)
    if row.reduction and len(tree.args) > 1:
        return _weighed(reader, tree, keyword, row)
    return ""


def _unbiased(reader: "Reader", tree: ast.Call, keyword: ast.keyword, row: Op) -> str:
    """Write a variance that is divided by one less."""
    x, known = _text(reader, tree.args[0]), value(reader, tree.args[0])
    rest = [k for k in tree.keywords if k.arg not in FREED]
    own = ", ".join([_text(reader, a) for a in (*tree.args, *rest)])
    freed = _text(reader, keyword.value)
    if freed in ("0", "False"):
        return f"{_called(tree)}({own})"
    freed = "1" if freed == "True" else freed
    shape: Shape = ("N",) if known is None or not known.rest else known.node.shape[-known.rest :]
    typed = _axis(rest)
    axis = len(shape) > 1 and (len(tree.args) > 1 or typed is not None)
    if axis:
        size = shape[typed] if typed is not None and -len(shape) <= typed < len(shape) else "N"
        share = f"{size}/({size} - {freed})"
        return f"{row.name}({own})*" + (share if row.name == "var" else f"sqrt({share})")
    count = "*".join(map(str, shape))
    text = filled("sum(({x} - mean({x}))**2)", {"x": x}) + f"/({count} - {freed})"
    return text if row.name == "var" else f"sqrt({text})"


def _axis(keywords: list[ast.keyword]) -> int | None:
    for keyword in keywords:
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant | ast.UnaryOp):
            number = ast.literal_eval(keyword.value)
            return number if type(number) is int else None
    return None


CLASSES = ("cross_entropy", "nll")
SINGLE = "{f}({a}, {b}, reduction='none')"
LOSSES = {
    # an argument, of which losses, and the loss by itself; {w} is the argument's value, {over} sum
    # or mean, and {log} the logarithms of the probabilities
    ("weight", CLASSES): [
        f"sum({{w}}[{{b}}]*{SINGLE})/sum({{w}}[{{b}}])", "-{over}({b}*{log} @ {w})",
    ],
    ("pos_weight", ("bce_with_logits",)): [
        "{over}({w}*{b}*softplus(-{a}) + (1 - {b})*softplus({a}))",
    ],
    ("label_smoothing", CLASSES): ["(1 - {w})*{f}({a}, {b}) - {w}*mean({log})"],
    ("label_smoothing", ("bce", "bce_with_logits")): ["{f}({a}, (1 - {w})*{b} + {w}/2)"],
    ("ignore_index", CLASSES): [f"sum(({{b}} != {{w}})*{SINGLE})/sum({{b}} != {{w}})"],
    ("from_logits", ("bce",)): ["bce_with_logits({a}, {b})"],
}  # fmt: skip
WEIGHTS = ("weight", "weights", "sample_weight")


def _weighed(reader: "Reader", tree: ast.Call, keyword: ast.keyword, row: Op) -> str:
    """Write a weighted or smoothed loss by itself."""
    a, b = (_text(reader, argument) for argument in tree.args[:2])
    total = any(k.arg == "reduction" and _text(reader, k.value)[1:-1] == "sum"
                for k in tree.keywords)  # fmt: skip
    given = {"a": a, "b": b, "w": _text(reader, keyword.value), "f": _called(tree)}
    given["over"] = "sum" if total else "mean"
    given["log"] = f"log_softmax({a})" if row.name == "cross_entropy" else a
    key = "weight" if keyword.arg in WEIGHTS else keyword.arg
    texts = [filled(t, given) for (name, of), listed in LOSSES.items()
             if name == key and row.name in of for t in listed]  # fmt: skip
    if key == "weight":
        texts.append(filled(f"{{over}}({{w}}*{SINGLE})", given))
    if found := _accepted(reader, *texts):
        return found
    single = SINGLE.format(a="p", b="t", f=given["f"])
    return f"mean(w*{single}) with a weight w for each" if key == "weight" else ""

"""What an operator takes for granted: of numbers, when they are typed or given, and of sizes.

`x[1:]` of a named axis has N - 1 entries if N is at least 1, and a window slides over K - L + 1
places if it is the shorter one. This is checked when arrays arrive, before anything is computed.
Nothing has a sum, which is 0, but neither a mean nor a maximum.
"""

import ast
import operator
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, reduce
from math import inf
from typing import Any

import numpy as np

from symgrad.dims import evaluated, times
from symgrad.errors import DataError, ShapeError
from symgrad.graph import Graph, Node
from symgrad.ops import slices
from symgrad.ops.numbers import place
from symgrad.ops.spec import LETTERS, OPS, Op, bounds, typed_name, value_of
from symgrad.ops.windows import window_fault
from symgrad.shapes import Shape, axes_of, text

COMPARED: Mapping[type[ast.cmpop], Any] = {
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Eq: operator.eq,
}  # fmt: skip
WHOLE = ("sign", "binary", "onehot")
ASSUMING = ("slice", "part", "reshape", "correlate", "convolve", "windows")
COUNTED = ("arange", "broadcast")  # over N - 2 places
AVERAGES = ("mean", "var", "std", "amax", "amin", "logsumexp", "softmax", "log_softmax",
            "standardize")  # fmt: skip
ALONE = ("one entry is standardised by its own mean and variance, which gives 0; batch "
         "normalisation in training needs more samples than one")  # fmt: skip


def unmet(row: Op, operands: Sequence[Node], params: Mapping[str, Any]) -> tuple[str, str] | None:
    """Say which need of a row the numbers do not meet, and what would; None if all are met.

    Operands that are no numbers may be anything.

    >>> from symgrad.ops import OPS, const, leaf
    >>> unmet(OPS["huber"], [leaf("x"), const(0), const(-1)], {})
    ('huber(p, t, delta) needs 0 < delta < inf; delta is -1', 'type a number with 0 < delta < inf')
    """
    known = {letter: _number(n) for letter, n in zip(LETTERS, operands, strict=False)}
    given = {**known, **params}
    for need in row.needs:
        tree = _need(need)
        names = dict.fromkeys(n.id for n in ast.walk(tree) if isinstance(n, ast.Name))
        values = {name: given.get(name) for name in names if name != "inf"}
        if None in values.values():
            continue
        try:
            met = bool(_holds(tree, {**values, "inf": inf}))
        except TypeError:  # a text, a tuple
            met = False
        if not met:
            return _needed(row, need, values)
    return None


def _number(node: Node) -> float | None:
    """Give the number that is typed, also behind a minus."""
    if node.op != "neg":
        return value_of(node)
    inner = value_of(node.args[0])
    return None if inner is None else -inner


@lru_cache(maxsize=256)
def _need(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _holds(tree: ast.expr, values: Mapping[str, Any]) -> Any:
    """Judge a chain of comparisons, or one of several: of numbers, or entry by entry."""
    if isinstance(tree, ast.BoolOp):
        return reduce(operator.or_, (_holds(part, values) for part in tree.values))
    assert isinstance(tree, ast.Compare)
    ends = [_end(part, values) for part in (tree.left, *tree.comparators)]
    pairs = zip(tree.ops, ends, ends[1:], strict=False)
    return reduce(operator.and_, (COMPARED[type(op)](a, b) for op, a, b in pairs))


def _end(tree: ast.expr, values: Mapping[str, Any]) -> Any:
    if isinstance(tree, ast.UnaryOp):
        return -_end(tree.operand, values)
    return values[tree.id] if isinstance(tree, ast.Name) else ast.literal_eval(tree)


def _names(row: Op) -> dict[str, str]:
    """Give the names under which operands are typed, by letter."""
    names = row.operands or LETTERS[: bounds(row)[1]]
    return dict(zip(LETTERS, names, strict=False))


def needs(row: Op) -> tuple[str, ...]:
    """List what has to hold of a row's numbers, in the names under which they are typed.

    >>> needs(OPS["huber"])
    ('0 < delta < inf',)
    """
    called = _names(row)
    return tuple(re.sub(r"\w+", lambda m: called.get(m[0], m[0]), need) for need in row.needs)


def _needed(row: Op, need: str, values: Mapping[str, Any]) -> tuple[str, str]:
    called, (wanted, said) = _names(row), _wanted(row, need)
    shown = ", ".join(f"{called.get(name, name)} is {value!r}" for name, value in values.items())
    return f"{wanted}; {shown}", f"type a number with {said}"


def _wanted(row: Op, need: str) -> tuple[str, str]:
    """Say that a row needs something, and what, in the names under which operands are typed."""
    said = needs(row)[row.needs.index(need)]
    return f"{typed_name(row.name)}({', '.join(_names(row).values())}) needs {said}", said


def aimed(order: Iterable[Node]) -> tuple[Node, ...]:
    """List the losses whose targets are inputs of which a row needs something.

    >>> from symgrad.parse import parse
    >>> [n.op for n in aimed(parse("hinge(s, y) + mse(s, y)").order())]
    ['hinge']
    """
    losses = (n for n in order if n.attrs.get("reduction") and OPS[n.op].needs)
    return tuple(n for n in losses if n.args[1].op == "input" and n.args[1].dtype == "float")


def doubts(losses: Iterable[Node], data: Mapping[Any, Any]) -> Iterator[str]:
    """Say which targets are not what their losses need; `data` has arrays by the names of inputs.

    >>> from symgrad.parse import parse
    >>> next(doubts(aimed(parse("hinge(s, y)").order()), {"y": 0.0}))
    "hinge(s, y) needs y == 1 or y == -1; 'y' is 0:  2*y - 1  makes signs of 0 and 1"
    """
    for node in losses:
        name, row = node.args[1].attrs["name"], OPS[node.op]
        array = np.asarray(data[name], np.float64)
        if node.args[1].attrs["kind"] in WHOLE:  # what may be off by a little
            array = np.rint(array)
        for need in row.needs:
            tree = _need(need)
            used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)} - {"inf"}
            if used != {LETTERS[1]}:
                continue
            wrong = ~np.asarray(_holds(tree, {LETTERS[1]: array, "inf": inf})) & ~np.isnan(array)
            if wrong.any():
                first = f"{array[wrong][0]:.6g}"
                yield f"{_wanted(row, need)[0]}; '{name}'{place(wrong)} is {first}{_signs(name, array)}"


def _signs(name: str, array: Any) -> str:
    if np.isin(array, (0, 1)).all():
        return f":  2*{name} - 1  makes signs of 0 and 1"
    return f":  ({name} + 1)/2  makes 0 and 1 of signs" if np.isin(array, (-1, 1)).all() else ""


def assuming(order: Iterable[Node]) -> tuple[Node, ...]:
    """List the nodes that take something for granted about named dimensions."""
    return tuple(
        n for n in order
        if (n.op in ASSUMING and any(isinstance(d, str) for a in n.args for d in a.shape))
        or (n.op in COUNTED and any(isinstance(d, str) and not d.isidentifier() for d in n.shape))
    )  # fmt: skip


def check(nodes: Iterable[Node], sizes: Mapping[str, int], graph: Graph | None = None) -> None:
    """Raise ShapeError where the numbers are not as was taken for granted."""
    for node in nodes:
        found = _fault(node, sizes)
        if found:
            error = ShapeError(found)
            raise error.at(graph.spans.get(node), graph.source) if graph else error


def _fault(node: Node, sizes: Mapping[str, int]) -> str:
    if node.op in COUNTED:
        below = {d: k for d in node.shape if (k := evaluated(d, sizes)) is not None and k < 0}
        return "; ".join(f"an index ranges over {d} places, which is {k}" for d, k in below.items())
    shape = node.args[0].shape
    if node.op == "slice":
        return slices.fault(node.attrs["key"], shape, sizes)
    if node.op == "part":
        start, stop, axis = (node.attrs[name] for name in ("start", "stop", "axis"))
        return slices.part_fault(start, stop, shape[axis], sizes)
    if node.op == "reshape":
        before, after = (evaluated(times(*s), sizes) for s in (shape, node.shape))
        if None not in (before, after) and before != after:
            return f"{before} entries do not fill the shape {text(node.shape)}"
        return ""
    return window_fault(node, sizes)


def check_empty(graph: Graph, sizes: Mapping[str, int]) -> None:
    """Raise DataError where an average or a maximum is taken of nothing, or 0 divides."""
    for node in graph.order():
        error = _empty(node, sizes)
        if error:
            raise error.at(graph.spans.get(node), graph.source)


def _empty(node: Node, sizes: Mapping[str, int]) -> DataError | None:
    along = _averaged(node)
    named = [d for d in along if isinstance(d, str)]
    what = f"{typed_name(node.op)} of nothing: the shape "
    if any(evaluated(d, sizes) == 0 for d in along):
        what += f"{text(node.args[0].shape)} has no entries"
    elif (slid := _slid(node, sizes)) is not None:
        what += f"{text(slid.shape)} has no entries"
        named = [d for d in slid.shape if isinstance(d, str)]
    elif (below := _divisor(node)) is not None and _zero(below, sizes):
        named = [n.attrs["name"] for n in _factors(below) if n.op == "dim"]
        what = "division by 0"
    else:
        return None
    none = [f"{d} = 0" for d in dict.fromkeys(named) if evaluated(d, sizes) == 0]
    return DataError(what, hint=f"{', '.join(none) or 'the size is 0'}; give at least one")


def _averaged(node: Node) -> Shape:
    """List the dimensions over which a node averages, or takes the greatest."""
    shape = node.args[0].shape if node.args else ()
    if node.attrs.get("reduction") == "mean":
        return shape
    if node.op == "batch_norm":
        return shape[:1] if len(node.args) == 3 else ()  # in use both averages are given
    if node.op not in AVERAGES:
        return ()
    return tuple(shape[k] for k in axes_of(node.attrs["axis"], len(shape)))


def _slid(node: Node, sizes: Mapping[str, int]) -> Node | None:
    """Give the operand without entries where one array slides along another."""
    found = node.args if node.op in ("correlate", "convolve") else ()
    return next((a for a in found if any(evaluated(d, sizes) == 0 for d in a.shape)), None)


def _divisor(node: Node) -> Node | None:
    """Give what a node divides by."""
    if node.op == "div":
        return node.args[1]
    power = value_of(node.args[1]) if node.op == "pow" else None
    return node.args[0] if power is not None and power < 0 else None


def _factors(node: Node) -> list[Node]:
    """List the factors of a product of numbers."""
    found = [node]
    for factor in found:  # it grows while it is read
        if factor.op in ("mul", "square", "neg"):
            found += factor.args
    return found


def _zero(node: Node, sizes: Mapping[str, int]) -> bool:
    """Say whether a product of sizes is 0."""
    dims = [n.attrs["name"] for n in _factors(node) if n.op == "dim"]
    return not node.shape and any(evaluated(d, sizes) == 0 for d in dims)


def single(order: Iterable[Node], sizes: Mapping[str, int]) -> bool:
    """Say whether something is standardised by its own mean alone: a batch of one.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; sum(batch_norm(X)**2)")
    >>> single(g.order(), {"N": 1, "D": 3}), single(g.order(), {"N": 2, "D": 3})
    (True, False)
    """
    alone = [_averaged(n) for n in order if n.op in ("batch_norm", "standardize")]
    return any(along and all(evaluated(d, sizes) == 1 for d in along) for along in alone)

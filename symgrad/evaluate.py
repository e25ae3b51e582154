"""Compute a graph's numbers node by node, from the rows' NumPy templates.

The reference evaluator: backprop, check and steps use it; generated modules are the fast way.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from symgrad.arguments import SHOWN, called
from symgrad.errors import DataError, LimitError, SymgradError, UsageError, near
from symgrad.graph import Graph, Node, topological
from symgrad.ops import OPS, Op, declared, faults
from symgrad.ops.numbers import compare, floats, labels, numbers, scores
from symgrad.ops.spec import letters, sized, spelled
from symgrad.parse import formula
from symgrad.parse.sizes import check_bound
from symgrad.shapes import Bindings

Array = Any  # a float, a NumPy scalar or a NumPy array
# elsewhere whole numbers become floats
INDEXED = ("pick", "take", "scatter", "minus_one_hot", "shares_minus_hot")


class _Slot(str):
    """Stand for an operand in a template, whatever strength the slot asks for."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str(self)


_FOUND: list[tuple[tuple[tuple[str, Op], ...], dict[str, str]]] = [((), {})]  # helpers of rows


def helpers() -> dict[str, str]:
    """Collect the source of every module-level function that a row's template calls."""
    rows = tuple(OPS.items())
    known, sources = _FOUND[0]
    if rows != known:  # rows are the same objects, so that they are compared at once
        found = {name: row.helper or row.precise_helper for name, row in rows}
        sources = {name: source for name, source in found.items() if source}
        _FOUND[0] = rows, sources
    return sources.copy()


@lru_cache(maxsize=2)
def _namespace(accurate: bool) -> dict[str, Any]:
    space: dict[str, Any] = {"np": np, "math": math}
    precise = [row.precise_helper for row in OPS.values() if accurate and row.precise_helper]
    for source in (*helpers().values(), *precise):
        exec(source, space)  # rows' own text, never a user's
    return space


def template(node: Node) -> str:
    """Give the NumPy template of a node, "" where its formula stands for it."""
    return spelled(OPS[node.op].numpy, node)


@lru_cache(maxsize=1024)
def _compiled(text: str, names: tuple[str, ...], accurate: bool = False) -> Callable[..., Array]:
    filled = text.format(dtype="np.float64", **{k: _Slot(k) for k in names})
    space = dict(_namespace(accurate))
    function: Callable[..., Array] = eval(
        f"lambda {', '.join(names)}: {filled}", space
    )  # rows' own text, never a user's
    return function


def apply(node: Node, operands: list[Array], sizes: Mapping[str, int]) -> Array:
    """Compute one node from its operands' numbers, in float64."""
    if node.op == "const":
        return np.float64(node.attrs["value"])
    if node.op == "dim":
        return np.float64(size(node.attrs["name"], sizes))
    row = OPS[node.op]
    text = template(node)
    if not text:
        inner = formula(node)
        assert inner is not None, node.op
        return values([inner], dict(zip(node.args, operands, strict=True)), sizes)[inner]
    # whole numbers of 64 bits wrap round where floats go on
    numeric = node.dtype == "float" and node.op not in INDEXED
    cast = ("bool",) * (not row.masks) + ("int",) * numeric
    if any(a.dtype in cast for a in node.args):
        operands = [
            np.asarray(v, dtype=np.float64)[()] if a.dtype in cast else v
            for v, a in zip(operands, node.args, strict=True)
        ]
    if "<" in text:
        text = sized(text, lambda name: str(size(name, sizes)))
    try:
        return _compiled(text, letters(row, len(operands)))(*operands)
    except np.linalg.LinAlgError:
        raise singular() from None
    except IndexError as error:
        raise DataError(f"a place that is not there: {error}") from None
    except MemoryError as error:
        raise crowded(error) from None


def constant(node: Node, operands: list[Array], text: str, accurate: bool = False) -> float | None:
    """Compute a node of numbers alone from its template; None where the result is not finite.

    `accurate` takes the helper functions that keep their digits.

    >>> from symgrad.ops import const, make
    >>> constant(make("sqrt", const(2)), [2], "np.sqrt({a})")
    1.4142135623730951
    """
    try:
        function = _compiled(text, letters(OPS[node.op], len(operands)), accurate)
        with np.errstate(all="ignore"):
            found = float(function(*map(np.float64, operands)))
    except (SymgradError, TypeError, OverflowError):  # an open function, &, a number of 400 digits
        return None
    return found if math.isfinite(found) else None


def crowded(error: MemoryError) -> LimitError:
    """Say that arrays do not fit into memory."""
    said = str(error).removeprefix("Unable to allocate ")
    return LimitError(f"the memory does not hold the arrays{f': {said}' * bool(said)}",
                      hint="give fewer rows at a time, or float32")  # fmt: skip


def singular() -> DataError:
    """Say that a matrix has no inverse."""
    return DataError("a matrix is singular: it has no inverse, and its equations no one solution",
                     hint="add a multiple of the unit matrix:  A + lam*eye(N)")  # fmt: skip


def size(name: str, sizes: Mapping[str, int]) -> int:
    """Give the number behind a dimension name; raise DataError if no input has it."""
    if name not in sizes:
        raise DataError(f"the dimension {name} has no number; no input that is given has it")
    return sizes[name]


def values(
    roots: Iterable[Node], known: Mapping[Node, Array], sizes: Mapping[str, int]
) -> dict[Node, Array]:
    """Compute every node below `roots`; `known` holds the inputs (or any other nodes)."""
    return extend(roots, dict(known), sizes)


def extend(
    roots: Iterable[Node], result: dict[Node, Array], sizes: Mapping[str, int]
) -> dict[Node, Array]:
    """Compute every node below `roots` that `result` lacks, and add it there."""
    with np.errstate(all="ignore"):
        for node in topological(roots, stop=lambda n: n in result):
            if node not in result:
                if node.op == "input":
                    raise DataError(f"no value is given for '{node.attrs['name']}'")
                result[node] = apply(node, [result[a] for a in node.args], sizes)
                if node.op == "mul" and any(map(_logarithm, node.args)):
                    result[node] = _entropic(result[node], [result[a] for a in node.args])
    return result


LOGS = ("log", "log2", "log1p")


def _logarithm(node: Node) -> bool:
    """Say whether a factor is a logarithm, to whichever base."""
    return (node.args[0] if node.op == "div" else node).op in LOGS


def _entropic(product: Array, factors: list[Array]) -> Array:
    """Take 0 log 0 for 0, as entropies do."""
    a, b = factors
    lost = np.isnan(product) & ((np.equal(a, 0) & np.isinf(b)) | (np.equal(b, 0) & np.isinf(a)))
    return np.where(lost, 0.0, product)[()] if np.any(lost) else product


def bind(graph: Graph, at: Mapping[str, Any]) -> tuple[dict[Node, Array], Bindings]:
    """Match given numbers with a graph's inputs: values by node, and the sizes of dimensions.

    Raises DataError for a missing, unknown or non-numeric value, or one that breaks what is
    declared, ShapeError for a wrong shape.
    """
    if not isinstance(at, Mapping):
        raise UsageError(f"the numbers are a mapping from names; given is {called(at)}",
                         hint="for example {'x': 2}")  # fmt: skip
    sizes = Bindings(graph.dims)
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    for name in at:
        if name not in inputs:
            known = ", ".join(inputs) or "none"
            raise DataError(f"'{str(name)[:SHOWN]}' is not an input; inputs are {known}",
                            hint=meant(name, graph))  # fmt: skip
    for name in inputs:
        if name not in at:
            raise DataError(f"no value is given for '{name}'")
    found: dict[Node, Array] = dict.fromkeys(inputs.values())
    for name, node in sorted(inputs.items(), key=lambda i: i[1].dtype == "int"):
        # labels come last, when the number of classes is known
        found[node] = check_value(node, at[name], sizes, graph, at)
    order = graph.order()
    faults.check(faults.assuming(order), sizes, graph)
    check_bound(graph, sizes)
    if 0 in sizes.values():
        faults.check_empty(graph, sizes)
    return found, sizes


def meant(name: str, graph: Graph) -> str:
    """Say what may be meant by a name that is no input."""
    if name in graph.functions:
        return f'functions={{"{name}": "tanh"}} of symgrad.parse binds it'
    inputs = graph.inputs
    carrier = [n.attrs["name"] for n in inputs if name in n.shape]
    if carrier:
        return f"{name} is a dimension, which is read from the shape of '{carrier[0]}'"
    if name in graph.names:
        return f"'{name}' is computed by the program"
    return near(name, [n.attrs["name"] for n in inputs]).strip()


def check_value(
    node: Node,
    value: Any,
    sizes: Bindings,
    graph: Graph | None = None,
    at: Mapping[str, Any] | None = None,
) -> Array:
    """Convert one input's value to float64 (labels to integers), fresh, and check it.

    A graph and what is given for all of its inputs make a complaint say more: the line, and where
    the number of a dimension comes from.
    """
    array = arrived(node, value, sizes, graph, at)
    try:
        return (array if node.dtype == "int" else array.astype(np.float64))[()]
    except MemoryError as error:
        raise crowded(error) from None


def arrived(
    node: Node,
    value: Any,
    sizes: Bindings,
    graph: Graph | None = None,
    at: Mapping[str, Any] | None = None,
) -> Array:
    """Check one input's value: an array of numbers as they came, or of labels as integers.

    Longer floats than those of float64 are converted.
    """
    name = node.attrs["name"]
    try:
        array = numbers(name, value)
        compare(node, array, sizes, graph.inputs if graph is not None else (), at)
        if node.dtype == "int":
            classes = (
                scores(graph).get(name)
                if graph is not None and node.attrs["kind"] == "integer"
                else None
            )
            return labels(node, array, sizes, classes)
        array = floats(name, array) if array.dtype.itemsize > 8 else array
        declared.check(node, array)
    except MemoryError as error:
        raise crowded(error) from None
    except SymgradError as error:
        if graph is not None:
            used = (n for n in graph.order() if n is node or node in n.args)
            spans = (graph.spans.get(n) for n in used if n in graph.spans)
            error.at(next(spans, None), graph.source)
        raise
    return array

"""Compute a graph's numbers node by node, from the rows' NumPy templates.

The reference evaluator: backprop, check and steps use it; generated modules are the fast way.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from symgrad import shapes
from symgrad.errors import DataError, ShapeError
from symgrad.graph import Graph, Node, topological
from symgrad.ops import OPS, faults
from symgrad.ops.spec import letters, sized
from symgrad.parse import formula
from symgrad.shapes import Bindings

Array = Any  # a float, a NumPy scalar or a NumPy array


class _Slot(str):
    """Stand for an operand in a template, whatever strength the slot asks for."""

    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return str(self)


def helpers() -> dict[str, str]:
    """Collect the source of every module-level function that a row's template calls."""
    found = {name: row.helper or row.precise_helper for name, row in OPS.items()}
    return {name: source for name, source in found.items() if source}


@lru_cache(maxsize=1)
def _namespace() -> dict[str, Any]:
    space: dict[str, Any] = {"np": np, "math": math}
    for source in helpers().values():
        exec(source, space)  # rows' own text, never a user's
    return space


def template(node: Node) -> str:
    """Give the NumPy template of a node, "" where its formula stands for it."""
    spelling = OPS[node.op].numpy
    return spelling(node) if callable(spelling) else spelling


@lru_cache(maxsize=1024)
def _compiled(text: str, names: tuple[str, ...]) -> Callable[..., Array]:
    filled = text.format(dtype="np.float64", **{k: _Slot(k) for k in names})
    space = dict(_namespace())
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
    if not row.masks:
        operands = [
            np.asarray(v, dtype=np.float64)[()] if a.dtype == "bool" else v
            for v, a in zip(operands, node.args, strict=True)
        ]
    text = sized(text, lambda name: str(size(name, sizes)))
    try:
        return _compiled(text, letters(row, len(operands)))(*operands)
    except np.linalg.LinAlgError:
        raise singular() from None
    except IndexError as error:
        raise DataError(f"a place that is not there: {error}") from None


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
                if node.op == "mul" and any(a.op in LOGS for a in node.args):
                    result[node] = _entropic(result[node], [result[a] for a in node.args])
    return result


LOGS = ("log", "log2", "log1p")


def _entropic(product: Array, factors: list[Array]) -> Array:
    """Take 0 log 0 for 0, as entropies do."""
    a, b = factors
    lost = np.isnan(product) & ((np.equal(a, 0) & np.isinf(b)) | (np.equal(b, 0) & np.isinf(a)))
    return np.where(lost, 0.0, product)[()] if np.any(lost) else product


def bind(graph: Graph, at: Mapping[str, Any]) -> tuple[dict[Node, Array], Bindings]:
    """Match given numbers with a graph's inputs: values by node, and the sizes of dimensions.

    Raises DataError for a missing, unknown or non-numeric value, ShapeError for a wrong shape.
    """
    sizes = Bindings(graph.dims)
    found: dict[Node, Array] = {}
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    for name in at:
        if name not in inputs:
            known = ", ".join(inputs) or "none"
            bind_ = f'functions={{"{name}": "tanh"}} of symgrad.parse binds it'
            raise DataError(f"'{name}' is not an input; inputs are {known}",
                            hint=bind_ if name in graph.functions else "")  # fmt: skip
    for name, node in inputs.items():
        if name not in at:
            raise DataError(f"no value is given for '{name}'")
        found[node] = check_value(node, at[name], sizes)
    faults.check(faults.assuming(graph.order()), sizes)
    return found, sizes


def check_value(node: Node, value: Any, sizes: Bindings) -> Array:
    """Convert one input's value to float64 (labels to integers) and check it."""
    name = node.attrs["name"]
    if isinstance(value, np.ma.MaskedArray) and np.any(value.mask):
        raise DataError(f"'{name}' is a masked array with masked entries; fill them first")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        raise DataError(f"the value of '{name}' is not a number or an array: {error}") from None
    if array.dtype.kind not in "fiub":
        raise DataError(f"the value of '{name}' has the dtype {array.dtype}; numbers are expected")
    if not shapes.fits(array.shape, node.shape, sizes):
        bound = [f"{d} = {sizes[d]}" for d in node.shape if isinstance(d, str) and d in sizes]
        where = f", where {', '.join(bound)}" if bound else ""
        raise ShapeError(f"'{name}' is {shapes.text(node.shape)}{where}; "
                         f"given is {shapes.text(array.shape)}")  # fmt: skip
    if node.dtype != "int":
        return array.astype(np.float64)[()]
    if array.dtype.kind == "f" and not np.all(np.isfinite(array) & (array == np.floor(array))):
        raise DataError(f"the labels '{name}' must be whole numbers")
    labels = array.astype(np.int64)
    classes = node.attrs.get("classes")
    classes = sizes.get(classes) if isinstance(classes, str) else classes
    if classes is not None and labels.size and not (labels.min() >= 0 and labels.max() < classes):
        flat = labels.ravel()
        k = int(np.argmax((flat < 0) | (flat >= classes)))
        raise DataError(f"label {flat[k]} at index {k} of '{name}' is outside 0 … {classes - 1}")
    return labels[()]

"""Sum up a compiled function: its parameters, operations, arithmetic and memory."""

import tracemalloc
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.codegen.plan import plan
from symgrad.dims import evaluated, names_in
from symgrad.errors import DataError, ShapeError, SymgradError, near
from symgrad.evaluate import template
from symgrad.graph import Graph, Node, topological
from symgrad.ops import OPS
from symgrad.ops.numbers import compare, floats, numbers
from symgrad.parse import formula
from symgrad.rewrite import operations
from symgrad.rewrite.cost import FREE
from symgrad.shapes import Bindings, Dim, Shape, text

if TYPE_CHECKING:
    from symgrad.codegen.compile import Compiled

MOVED = ("slice", "unslice", "reshape", "part", "diag", "pick", "take", "stack", "concatenate")
MOST = 2**30  # bytes of inputs above which no call is tried out
ROWS = 40  # more parameters than this are not listed one by one


@dataclass(frozen=True, slots=True)
class Parameter:
    """Describe one parameter: `entries` and `bytes` are None where a size is not known."""

    name: str
    shape: Shape
    entries: int | None
    bytes: int | None


@dataclass(frozen=True, slots=True)
class Summary:
    """Say how large a program is and what it costs.

    `operations` are those of the graph, `flops` their arithmetic: a multiplication, an addition, a
    comparison and a function such as exp count one each. Both are pairs, of the loss and of the
    loss with its gradients. `peak` is what a call allocates at most, in bytes, measured.
    """

    parameters: tuple[Parameter, ...]
    operations: tuple[int, int]
    flops: tuple[int, int] | None
    peak: int | None
    unknown: tuple[str, ...]

    def __str__(self) -> str:
        rows = [("parameter", "shape", "entries", "bytes")]
        shown = self.parameters if len(self.parameters) <= ROWS else ()
        rows += [(p.name, text(p.shape) if p.shape else "number", _count(p.entries),
                  _count(p.bytes)) for p in shown]  # fmt: skip
        if len(shown) != 1:
            known = all(p.entries is not None for p in self.parameters)
            entries = sum(p.entries or 0 for p in self.parameters) if known else None
            size = sum(p.bytes or 0 for p in self.parameters) if known else None
            rows.append((f"all {len(self.parameters)}", "", _count(entries), _count(size)))
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip()
                 for a, b, c, d in rows] if self.parameters else ["no parameters"]  # fmt: skip
        lines += ["", _pair("operations", self.operations)]
        if self.flops:
            lines.append(_pair("arithmetic", self.flops))
        if self.peak is not None:
            lines.append(f"memory      {_count(self.peak)} bytes at the peak of a call")
        if self.unknown:
            given = ", ".join(f"{d}=…" for d in self.unknown)
            lines.append(f"            with sizes ({given}) also arithmetic and memory")
        return "\n".join(lines)


def _count(number: int | None) -> str:
    return "?" if number is None else f"{number:,}"


def _pair(title: str, pair: tuple[int, int]) -> str:
    loss, both = pair
    times = f", {both / loss:.2f} times as many" if loss else ""
    return f"{title:<10}  {loss:,} of the value, {both:,} with the gradients{times}"


def summarise(compiled: "Compiled", sizes: Mapping[str, Any]) -> Summary:
    """Sum up a compiled function for given sizes: numbers of dimensions, or arrays of inputs.

    >>> from symgrad import compile
    >>> f = compile("X: data[N, D]; w: param[D]; t: data[N]; mean((X @ w - t)**2)")
    >>> s = f.summary(N=100, D=10)
    >>> s.operations, s.flops
    ((4, 7), (2300, 4401))
    """
    graph = compiled.graph
    known = known_sizes(graph, sizes)
    dims = dict.fromkeys(d for n in graph.inputs for d in _names(n))
    unknown = tuple(d for d in dims if d not in known)
    width = np.dtype(compiled.dtype).itemsize
    parameters = []
    for node in _parameters(graph, compiled.wrt):
        entries = _entries(node.shape, known)
        size = None if entries is None else entries * width
        parameters.append(Parameter(node.attrs["name"], node.shape, entries, size))
    program = plan(graph, compiled.wrt, compiled.accurate)
    pairs = [[program.value], [program.value, *program.grads.values()]]
    counted = tuple(operations(roots) for roots in pairs)
    flops = tuple(_arithmetic(roots, known) for roots in pairs)
    return Summary(
        tuple(parameters),
        (counted[0], counted[1]),
        None if unknown or None in flops else (flops[0] or 0, flops[1] or 0),
        None if unknown else _peak(compiled, known, width),
        unknown,
    )


def _parameters(graph: Graph, wrt: Iterable[str]) -> list[Node]:
    """List what is declared as a parameter, or else what is varied."""
    found = [n for n in graph.inputs if n.attrs["kind"] == "param"]
    varied = dict.fromkeys(wrt)
    return found or [n for n in graph.inputs if n.attrs["name"] in varied]


def _names(node: Node) -> list[str]:
    """List the names in the sizes of an input: H of 4*H."""
    classes = node.attrs.get("classes")
    return [name for d in (*node.shape, classes or 0) for name in names_in(d)]


def known_sizes(graph: Graph, given: Mapping[str, Any]) -> Bindings:
    """Read sizes: a number for a dimension, an array for an input."""
    nodes = {n.attrs["name"]: n for n in graph.inputs}
    dims = dict.fromkeys(d for n in graph.inputs for d in _names(n))
    found = Bindings()
    for name, value in given.items():
        if name in dims and (name not in nodes or not isinstance(value, Sequence | np.ndarray)):
            size = float(next(iter(np.ravel(floats(name, numbers(name, value)))), -1))
            if np.ndim(value) or not 0 <= size < MOST**2 or size != int(size):
                raise DataError(f"the size {name}={size:g} is no whole number of entries",
                                hint=f"for example {name}=128")  # fmt: skip
            found.bind(name, int(size))
        elif name in nodes:
            try:
                compare(nodes[name], numbers(name, value), found, graph.inputs, given)
            except ShapeError as error:
                raise DataError(error.message, hint=error.hint) from None
        else:
            listed = [*dims, *nodes]
            raise DataError(f"no dimension and no input is called {name}",
                            hint=f"{near(name, listed)}there are {', '.join(listed)}")  # fmt: skip
    for name, number in graph.dims.items():
        found.setdefault(name, number)
    return found


def _entries(shape: Iterable[Dim], sizes: Mapping[str, int]) -> int | None:
    numbers = [d if isinstance(d, int) else evaluated(d, sizes) for d in shape]
    known = [n for n in numbers if n is not None]
    return prod(known) if len(known) == len(numbers) else None


def _arithmetic(roots: Iterable[Node], sizes: Mapping[str, int]) -> int | None:
    """Add up the arithmetic below some nodes; None where a size is not known."""
    total = 0
    for node in topological(roots):
        cost = _cost(node, sizes)
        if cost is None:
            return None
        total += cost
    return total


def _cost(node: Node, sizes: Mapping[str, int]) -> int | None:
    """Count the arithmetic of one node; products count a multiplication and an addition."""
    if node.op in FREE or node.op in MOVED:
        return 0
    row = OPS[node.op]
    made = _entries(node.shape, sizes)
    taken = [_entries(a.shape, sizes) for a in node.args]
    if made is None or None in taken:
        return None
    read = max((n for n in taken if n is not None), default=0)
    if row.shape == "elementwise" or node.op == "outer":
        return made
    if row.shape == "matmul":
        inner = _entries(node.args[0].shape[-1:], sizes)
        return None if inner is None else 2 * made * inner
    if node.op == "einsum":
        letters = dict(_lettered(node))
        return None if None in letters.values() else 2 * (_entries(letters.values(), sizes) or 0)
    if "np.linalg." in template(node):  # a factorisation
        side = _entries(node.args[0].shape[-1:], sizes)
        return None if side is None else side * read
    inner_node = formula(node)
    if row.shape != "reduce" and inner_node is not None:
        inside = topological([inner_node], stop=lambda n: n in node.args)
        costs = [_cost(n, sizes) for n in inside if n not in node.args]
        return None if None in costs else sum(c for c in costs if c is not None)
    return max(read, made)


def _lettered(node: Node) -> Iterable[tuple[str, Dim]]:
    left = node.attrs["subscripts"].replace(" ", "").partition("->")[0].split(",")
    return ((k, d) for word, a in zip(left, node.args, strict=True)
            for k, d in zip(word, a.shape, strict=True))  # fmt: skip


def _peak(compiled: "Compiled", sizes: Mapping[str, int], width: int) -> int | None:
    """Measure what a call allocates at most, kept buffers included; None where it cannot be."""
    inputs = compiled.graph.inputs
    total = sum(_entries(n.shape, sizes) or 0 for n in inputs) * width
    if total > MOST or tracemalloc.is_tracing():
        return None
    at = {n.attrs["name"]: _plain(n, sizes, compiled.dtype) for n in inputs}
    tracemalloc.start()
    try:
        compiled(**at)
        tracemalloc.reset_peak()
        compiled(**at)
        return tracemalloc.get_traced_memory()[1]
    except (SymgradError, MemoryError):
        return None
    finally:
        tracemalloc.stop()


def _plain(node: Node, sizes: Mapping[str, int], dtype: str) -> Any:
    """Make a value of an input's shape; square matrices get an inverse."""
    shape = tuple(d if isinstance(d, int) else evaluated(d, sizes) or 0 for d in node.shape)
    if node.dtype == "int":
        return np.zeros(shape, np.int64)[()]
    if not shape:
        return 0.5
    value = np.full(shape, 0.5, dtype)
    if len(shape) == 2 and shape[0] == shape[1]:
        value[np.diag_indices(shape[0])] = 1.0
    return value

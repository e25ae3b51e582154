"""Networks of vectors and matrices over indices: contraction to a chain of products."""

from collections.abc import Sequence
from dataclasses import dataclass

from symgrad.graph import Node
from symgrad.ops import const, dim, make
from symgrad.rewrite.tidy import tidy
from symgrad.shapes import Dim

Axes = tuple[Node, ...]
LETTERS = "ijklmnpqrstuvwabcdefgh"


@dataclass(frozen=True, slots=True)
class Factor:
    """Hold an array, the indices of its axes, and whether it divides."""

    array: Node
    axes: Axes
    under: bool


class _Net:
    """Hold the vectors at indices and the matrices between them."""

    def __init__(self, factors: Sequence[Factor]) -> None:
        self.weights: dict[Node, list[Node]] = {}
        self.edges: dict[tuple[Node, Node], Node] = {}
        self.scalars: list[Node] = []
        for f in sorted(factors, key=lambda f: f.under):
            if not f.axes:
                self.scalars.append(tidy("div", (const(1), f.array), {}) if f.under else f.array)
            elif len(f.axes) == 1:
                self._weigh(f.axes[0], f.array, f.under)
            else:
                self._join(f)

    def _weigh(self, at: Node, vector: Node, under: bool) -> None:
        found = self.weights.setdefault(at, [])
        if under:
            top = found.pop() if found else const(1)
            vector = tidy("div", (top, vector), {})
        found.append(vector)

    def _join(self, f: Factor) -> None:
        a, b = f.axes
        array = f.array
        if (b, a) in self.edges:
            a, b, array = b, a, tidy("transpose", (array,), {"axes": None})
        known = self.edges.get((a, b))
        if f.under:
            self.edges[a, b] = tidy("div", (const(1) if known is None else known, array), {})
        else:
            self.edges[a, b] = array if known is None else tidy("mul", (known, array), {})

    def at(self, k: Node) -> list[tuple[Node, Node]]:
        """List the edges at an index."""
        return [e for e in self.edges if k in e]

    def weight(self, k: Node) -> Node | None:
        """Multiply the vectors at an index."""
        return _hadamard(self.weights.get(k, []))

    def matrix(self, edge: tuple[Node, Node], first: Node) -> Node:
        """Give the matrix of an edge, its rows at an index."""
        found = self.edges[edge]
        return found if edge[0] is first else tidy("transpose", (found,), {"axes": None})

    def contract(self, k: Node) -> bool:
        """Sum over a bound index that has at most one matrix; say whether that was so."""
        edges = self.at(k)
        if len(edges) > 1:
            return False
        vectors = self.weights.pop(k, [])
        size: Dim = k.attrs["size"]
        if not edges:
            self.scalars.append(_dot(vectors, size))
            return True
        (edge,) = edges
        other = edge[1] if edge[0] is k else edge[0]
        matrix = self.matrix(edge, other)
        del self.edges[edge]
        vector = _hadamard(vectors)
        if vector is None:
            made = tidy("sum", (matrix,), {"axis": 1, "keepdims": False})
        else:
            made = tidy("matmul", (matrix, vector), {})
        self.weights.setdefault(other, []).append(made)
        return True


def _hadamard(vectors: Sequence[Node]) -> Node | None:
    result: Node | None = None
    for vector in vectors:
        result = vector if result is None else tidy("mul", (result, vector), {})
    return result


def _dot(vectors: list[Node], size: Dim) -> Node:
    if not vectors:
        return dim(size)
    if len(vectors) == 2:
        return tidy("matmul", tuple(vectors), {})
    body = _hadamard(vectors)
    assert body is not None
    return tidy("sum", (body,), {"axis": None, "keepdims": False})


def chain(factors: Sequence[Factor], axes: Axes, bound: Axes) -> Node | None:
    """Write a network as products of matrices; None where it is no path."""
    if any(len(f.axes) > 2 for f in factors):
        return None
    net = _Net(factors)
    left = list(bound)
    while True:
        done = [k for k in left if net.contract(k)]
        if not done:
            break
        left = [k for k in left if k not in done]
    body = _between(net, axes, left)
    if body is None:
        return None
    scalar = _hadamard(net.scalars)
    if scalar is None:
        return body
    return scalar if body is _ONE else tidy("mul", (scalar, body), {})


_ONE = const(1)


def _between(net: _Net, axes: Axes, left: list[Node]) -> Node | None:
    """Write what is left between the indices of the result."""
    if len(axes) < 2:
        if left or net.edges:
            return None
        weight = net.weight(axes[0]) if axes else None
        return _ONE if weight is None else weight
    i, j = axes
    path = _path(net, i, j)
    if path is None:
        if left or net.edges:
            return None
        return _product_of(net.weight(i), net.weight(j), i, j)
    if len(path) - 1 != len(net.edges) or any(k not in path for k in left):
        return None
    result: Node | None = None
    for k, at in enumerate(path):
        weight = net.weight(at)
        if weight is not None:
            diagonal = tidy("diag", (weight,), {})
            result = diagonal if result is None else tidy("matmul", (result, diagonal), {})
        if k + 1 < len(path):
            edge = next(e for e in net.at(at) if path[k + 1] in e)
            matrix = net.matrix(edge, at)
            result = matrix if result is None else tidy("matmul", (result, matrix), {})
    return result


def _product_of(u: Node | None, v: Node | None, i: Node, j: Node) -> Node:
    """Multiply a column and a row; a missing one is repeated."""
    shape = (i.attrs["size"], j.attrs["size"])
    if u is not None and v is not None:
        return tidy("outer", (u, v), {})
    if u is not None:
        return make("broadcast", make("expand", u, axes=(1,)), shape=shape)
    return make("broadcast", const(1) if v is None else v, shape=shape)


def _path(net: _Net, start: Node, end: Node) -> list[Node] | None:
    """Walk from index to index along the matrices."""
    path, last = [start], None
    while path[-1] is not end:
        steps = [e for e in net.at(path[-1]) if e is not last]
        if len(steps) != 1:
            return None
        last = steps[0]
        path.append(last[1] if last[0] is path[-1] else last[0])
        if len(path) > len(net.edges) + 1:
            return None
    return path


def summed(factors: Sequence[Factor], axes: Axes, bound: Axes) -> Node:
    """Write a network as an einsum."""
    called = dict(zip((*axes, *bound), LETTERS, strict=False))
    listed = list(factors)
    seen = {k for f in listed for k in f.axes}
    for k in axes:
        if k not in seen:
            ones = make("broadcast", const(1), shape=(k.attrs["size"],))
            listed.append(Factor(ones, (k,), False))
    words, arrays = [], []
    for f in listed:
        words.append("".join(called[k] for k in f.axes))
        array = tidy("div", (const(1), f.array), {}) if f.under else f.array
        arrays.append(array if array.dtype == "float" else tidy("mul", (const(1), array), {}))
    word = ",".join(words) + "->" + "".join(called[k] for k in axes)
    return make("einsum", *arrays, subscripts=word)

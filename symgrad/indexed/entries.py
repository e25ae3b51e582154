"""The entries of a node: matrix form to index form.

Products of matrices become sums, rearrangements change the indices, elementwise operators act on
entries. What has no such rule (an inverse, a running sum) is an entry of the whole: (A⁻¹)_ij.
"""

from collections.abc import Callable, Collection, Sequence

from symgrad.dims import plus
from symgrad.errors import LimitError
from symgrad.graph import Node
from symgrad.indexed.places import shifted
from symgrad.indexed.sliding import SLIDING, backwards
from symgrad.indexed.symbols import (
    delta,
    distinct,
    entry,
    index,
    product,
    settle,
    total,
)
from symgrad.ops import OPS, const, count, dim, make
from symgrad.ops.slices import BACKWARDS, extent
from symgrad.ops.words import subscripts
from symgrad.parse import formula
from symgrad.rewrite.tidy import tidy
from symgrad.shapes import axes_of

At = tuple[Node, ...]
ZERO = const(0)  # the index of an axis of length 1
COMPARED = ("eq", "ne")


def entries(root: Node, at: Sequence[Node], names: Collection[Node] = ()) -> Node:
    """Write the entry of an array at some indices, over entries of inputs and named values.

    >>> from symgrad.ops import leaf, make
    >>> X, w = leaf("X", ("N", "D")), leaf("w", ("D",))
    >>> i = index("i", "N")
    >>> entries(make("matmul", X, w), (i,)).op
    'total'
    """
    try:
        return settle(_Reader(root, names).at(root, tuple(at)))
    except RecursionError:
        raise LimitError("this value is nested too deeply to be written by its entries",
                         hint="print it in matrix form, or compute it: symgrad.compile",
                         ) from None  # fmt: skip


class _Reader:
    """Hold the names and what has been written already."""

    def __init__(self, root: Node, names: Collection[Node]) -> None:
        self.root, self.names = root, names
        self.done: dict[tuple[Node, At], Node] = {}
        self.fresh = 0

    def at(self, node: Node, at: At) -> Node:
        """Write one entry of a node."""
        found = self.done.get((node, at))
        if found is None:
            found = self.done[node, at] = self._at(node, at)
        return found

    def _at(self, node: Node, at: At) -> Node:
        at = tuple(ZERO if d == 1 else k for d, k in zip(node.shape, at, strict=True))
        if node.op in ("const", "dim"):
            return node
        if node.op == "input" or (node in self.names and node is not self.root):
            return entry(node, *at)
        if node.op in RULES:
            return RULES[node.op](self, node, at)
        row = OPS[node.op]
        if node.op == "over":  # the guard at 0 belongs to code
            return tidy("div", tuple(self.at(a, aligned(at, a)) for a in node.args), {})
        if row.shape == "elementwise":
            return self._elementwise(node, at)
        # what textbooks give a letter or a sign keeps it: P for a softmax, the norm of x
        kept = (row.canonical and node is not self.root) or not node.shape
        inner = formula(node) if row.formula and not kept else None
        return entry(node, *at) if inner is None else self.at(inner, at)

    def _elementwise(self, node: Node, at: At) -> Node:
        args = tuple(self.at(a, aligned(at, a)) for a in node.args)
        if node.op in ("add", "sub") and args[0].dtype == "int" and args[1].op == "const":
            by = args[1].attrs["value"]
            return shifted(args[0], by if node.op == "add" else -by)
        if node.op in COMPARED and all(a.dtype == "int" for a in args):
            return delta(*args) if node.op == "eq" else distinct(*args)
        return tidy(node.op, args, node.attrs)

    def bound(self, size: int | str) -> Node:
        """Make an index for a sum."""
        self.fresh += 1
        return index(f"\0t{self.fresh}", size)


def aligned(at: At, operand: Node) -> At:
    """Give the indices of a broadcast operand: the last ones of the result."""
    return at[len(at) - len(operand.shape) :]


def _same(reader: _Reader, node: Node, at: At) -> Node:
    return reader.at(node.args[0], aligned(at, node.args[0]))


def _expand(reader: _Reader, node: Node, at: At) -> Node:
    kept = tuple(k for n, k in enumerate(at) if n not in node.attrs["axes"])
    return reader.at(node.args[0], kept)


def _transpose(reader: _Reader, node: Node, at: At) -> Node:
    axes = node.attrs["axes"] or tuple(reversed(range(len(at))))
    turned = dict(zip(axes, at, strict=True))
    return reader.at(node.args[0], tuple(turned[k] for k in range(len(at))))


def _sum(reader: _Reader, node: Node, at: At) -> Node:
    inner = node.args[0]
    axes = axes_of(node.attrs["axis"], len(inner.shape))
    outer = iter(at)
    full: list[Node] = []
    over: list[Node] = []
    for k, d in enumerate(inner.shape):
        if k in axes:
            if node.attrs["keepdims"]:
                next(outer)
            full.append(ZERO if d == 1 else reader.bound(d))
            over += [full[-1]] * (d != 1)
        else:
            full.append(next(outer))
    result = reader.at(inner, tuple(full))
    for place in reversed(over):
        result = total(result, place)
    return result


def _mean(reader: _Reader, node: Node, at: At) -> Node:
    shape = node.args[0].shape
    size = count(shape, axes_of(node.attrs["axis"], len(shape)))
    return tidy("div", (_sum(reader, node, at), size), {})


def _matmul(reader: _Reader, node: Node, at: At) -> Node:
    a, b = node.args
    size = a.shape[-1]
    k = ZERO if size == 1 else reader.bound(size)
    right = () if len(b.shape) == 1 else at[-1:]
    left = () if len(a.shape) == 1 else (at[-2:-1] if right else at[-1:])
    lead = at[: len(at) - len(left) - len(right)]
    lead_a = lead[len(lead) - (len(a.shape) - 1 - len(left)) :] if len(a.shape) > 1 else ()
    lead_b = lead[len(lead) - max(len(b.shape) - 2, 0) :] if len(b.shape) > 2 else ()
    first = reader.at(a, (*lead_a, *left, k))
    second = reader.at(b, (*lead_b, k, *right))
    body = product([first, second])
    return body if k is ZERO else total(body, k)


def _outer(reader: _Reader, node: Node, at: At) -> Node:
    return product([reader.at(a, at[k : k + 1]) for k, a in enumerate(node.args)])


def _pick(reader: _Reader, node: Node, at: At) -> Node:
    table, labels = node.args
    label = reader.at(labels, aligned(at, labels))
    return reader.at(table, (*at[len(at) - len(table.shape) + 1 :], label))


def _take(reader: _Reader, node: Node, at: At) -> Node:
    table, places = node.args
    axis, more = node.attrs["axis"], len(places.shape)
    label = reader.at(places, at[axis : axis + more])
    return reader.at(table, (*at[:axis], label, *at[axis + more :]))


def _scatter(reader: _Reader, node: Node, at: At) -> Node:
    g, places = node.args
    axis = node.attrs["axis"]
    inner = tuple(reader.bound(d) for d in places.shape)
    hit = delta(at[axis], reader.at(places, inner))
    body = product([hit, reader.at(g, (*at[:axis], *inner, *at[axis + 1 :]))])
    for k in reversed(inner):
        body = total(body, k)
    return body


def _slice(reader: _Reader, node: Node, at: At) -> Node:
    """Follow places and parts of axes: x[1:] at i is x_(i+1); steps stay parts of an array."""
    outer = iter(at)
    inner: list[Node] = []
    for key, size in zip(node.attrs["key"], node.args[0].shape, strict=True):
        place = _place(key, size)
        if place is not None:
            inner.append(place)
            continue
        if key == BACKWARDS and node.args[0].op != "cumsum":
            inner.append(backwards(next(outer), size))
            continue
        begin = _begin(key, size)
        if begin is None:
            return _turned_round(reader, node, at) or entry(node, *at)
        inner.append(shifted(next(outer), begin))
    return reader.at(node.args[0], tuple(inner))


def _turned_round(reader: _Reader, node: Node, at: At) -> Node | None:
    """Write a running sum from the end, which is made of turned vectors, as a sum over k >= i."""
    inner = node.args[0]
    turned = ((None, None, -1),)
    if node.attrs["key"] != turned or inner.op != "cumsum" or inner.args[0].op != "slice":
        return None
    if inner.args[0].attrs["key"] != turned:
        return None
    k = reader.bound(node.shape[0])
    body = product([reader.at(inner.args[0].args[0], (k,)), make("ge", k, at[0])])
    return total(body, k)


def _unslice(reader: _Reader, node: Node, at: At) -> Node:
    """Put a part into zeros: g_(i-1) 1[i >= 1]."""
    inner: list[Node] = []
    hits: list[Node] = []
    for key, size, k in zip(node.attrs["key"], node.shape, at, strict=True):
        place = _place(key, size)
        if place is not None:
            hits.append(delta(k, place))
            continue
        begin = _begin(key, size)
        if begin is None:
            return entry(node, *at)
        inner.append(shifted(k, -begin))
        part = extent(key, size)[1]
        if begin:
            hits.append(make("ge", k, const(begin)))
        if plus(part, begin) != size:
            hits.append(make("lt", k, dim(plus(part, begin))))
    return product([reader.at(node.args[0], tuple(inner)), *hits])


def _begin(key: tuple[object, ...], size: int | str) -> int | None:
    """Give where a slice without a step begins; None if that is no number."""
    begin = extent(key, size)[0] if len(key) == 2 else None
    return begin if isinstance(begin, int) else None


def _place(key: tuple[object, ...], size: int | str) -> Node | None:
    """Give the one place that an entry of a key picks; None for a slice."""
    if len(key) != 2 or key[1] is not None or not isinstance(key[0], int):
        return None
    if key[0] >= 0:
        return const(key[0])
    return const(size + key[0]) if isinstance(size, int) else dim(plus(size, key[0]))


def _cumsum(reader: _Reader, node: Node, at: At) -> Node:
    """Sum the entries up to an index."""
    (axis,) = axes_of(node.attrs["axis"], len(at))
    k = reader.bound(node.shape[axis])
    inner = reader.at(node.args[0], (*at[:axis], k, *at[axis + 1 :]))
    return total(product([inner, make("le", k, at[axis])]), k)


def _solve(reader: _Reader, node: Node, at: At) -> Node:
    """Multiply by the inverse, as it is printed."""
    a, b = node.args
    return _matmul(reader, make("matmul", make("inv", a), b), at)


def _standardize(reader: _Reader, node: Node, at: At) -> Node:
    """Write (x - mean)/sqrt(var + eps) where it is asked for itself; elsewhere it is a name."""
    if node is not reader.root:
        return entry(node, *at)
    x, mean, var, eps = (reader.at(a, aligned(at, a)) for a in node.args)
    root = tidy("sqrt", (tidy("add", (var, eps), {}),), {})
    return tidy("div", (tidy("sub", (x, mean), {}), root), {})


def _onehot(reader: _Reader, node: Node, at: At) -> Node:
    return delta(at[-1], reader.at(node.args[0], at[:-1]))


def _diag(reader: _Reader, node: Node, at: At) -> Node:
    if len(at) == 1:
        return reader.at(node.args[0], (at[0], at[0]))
    return product([reader.at(node.args[0], at[:1]), delta(*at)])


def _trace(reader: _Reader, node: Node, at: At) -> Node:
    k = reader.bound(node.args[0].shape[0])
    return total(reader.at(node.args[0], (k, k)), k)


def _einsum(reader: _Reader, node: Node, at: At) -> Node:
    words, result = subscripts(node.attrs["subscripts"])
    place = dict(zip(result, at, strict=True))
    over: list[Node] = []
    for word, operand in zip(words, node.args, strict=True):
        for letter, size in zip(word, operand.shape, strict=True):
            if letter not in place:
                place[letter] = reader.bound(size)
                over.append(place[letter])
    parts = [reader.at(a, tuple(place[c] for c in w))
             for w, a in zip(words, node.args, strict=True)]  # fmt: skip
    body = product(parts)
    for k in reversed(over):
        body = total(body, k)
    return body


RULES: dict[str, Callable[[_Reader, Node, At], Node]] = {
    "broadcast": _same, "expand": _expand, "transpose": _transpose, "sum": _sum, "mean": _mean,
    "matmul": _matmul, "outer": _outer, "pick": _pick, "take": _take, "scatter": _scatter,
    "onehot": _onehot, "slice": _slice, "unslice": _unslice, "cumsum": _cumsum,
    "diag": _diag, "solve": _solve, "standardize": _standardize, "trace": _trace, "einsum": _einsum,
    **SLIDING,
    "arange": lambda reader, node, at: at[0],
    "eye": lambda reader, node, at: delta(*at),
}  # fmt: skip

"""Put parts that lie side by side into one array: [a, 0] + [0, b] is [a, b].

Gates of one product, z[:, :H], z[:, H:2*H] and so on, send back arrays that are zero but for one
part each. Their sum is one array, the slopes of the gates beside one another.
"""

from collections.abc import Collection
from functools import reduce
from typing import NamedTuple

from symgrad.dims import Dim, minus, plus
from symgrad.graph import Node, rebuild, topological
from symgrad.ops import const, make, remake
from symgrad.ops.slices import FULL, extent
from symgrad.rewrite.elementwise import vanishes
from symgrad.rewrite.products import scalar_parts, scaled
from symgrad.rewrite.stretched import plain_summands
from symgrad.rewrite.tidy import fit, kind, tidy

MOST = 64  # terms


class Part(NamedTuple):
    """Hold a term that is 0 but for arrays from one place of an axis to another.

    `padded`: the zeros are arrays of their own, as beside ends with names. `sign` is the term's.
    """

    term: Node
    axis: int
    start: Dim
    stop: Dim
    arrays: tuple[Node, ...]
    padded: bool
    sign: str = "add"


def adjoined(root: Node, named: Collection[Node]) -> Node:
    """Join what is added at places that adjoin, everywhere below a root.

    >>> from symgrad.ops import leaf
    >>> a, b, keys = leaf("a", (2,)), leaf("b", (3,)), [((0, 2),), ((2, "end"),)]
    >>> parts = [make("unslice", v, key=k, shape=(5,)) for v, k in zip((a, b), keys)]
    >>> adjoined(make("add", *parts), ()).args == (a, b)
    True
    """
    order = topological([root], stop=named.__contains__)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        image = remake(node, args)
        return _joined(image) if node.op in ("add", "sub") else image

    return rebuild([root], change, {n: n for n in order if n in named})[root]


def _joined(total: Node) -> Node:
    """Join the parts of a sum that adjoin; what it was where none do."""
    parts: dict[Part, None] = {}
    found: list[tuple[str, Node]] = []
    for term, less in plain_summands(total, MOST):
        sign = "sub" if less else "add"
        factors, bare = scalar_parts(term)
        part = _part(bare) if bare.shape == total.shape else None
        if part is None:
            found.append((sign, term))
            continue
        arrays = [scaled(factors, a) for a in part.arrays]
        if sign == "sub":
            arrays = [tidy("neg", (a,), {}) for a in arrays]
        parts[part._replace(term=term, arrays=tuple(arrays), sign=sign)] = None
    joined = [("add", whole) for run in _runs(parts) if (whole := _whole(run, parts)) is not None]
    if not joined:
        return total
    terms = [*joined, *[(p.sign, p.term) for p in parts], *found]
    return reduce(lambda sum_, more: make(more[0], sum_, more[1]), terms[1:], terms[0][1])


def _runs(parts: Collection[Part]) -> list[list[Part]]:
    """List the parts that adjoin, from the first place to the last."""
    left, runs = dict.fromkeys(parts), []
    for part in parts:
        if part not in left:
            continue
        run = [part]
        del left[part]
        while (more := _beside(run, left)) is not None:
            del left[more]
            run.insert(len(run) if more.start == run[-1].stop else 0, more)
        runs.append(run)
    return runs


def _beside(run: list[Part], others: Collection[Part]) -> Part | None:
    """Find a part that begins where a run ends, or ends where it begins."""
    first, last = run[0], run[-1]
    for other in others:
        if other.axis == first.axis and (other.start == last.stop or other.stop == first.start):
            return other
    return None


def _whole(run: list[Part], parts: dict[Part, None]) -> Node | None:
    """Write a run as one array, and take it off the list.

    With numbers for ends it must fill the axis: zeros with parts set are cheaper than with more
    zeros beside them.
    """
    first, last = run[0], run[-1]
    shape, axis = first.term.shape, first.axis
    before, behind = first.start, minus(shape[axis], last.stop)
    if len(run) < 2 or not (all(p.padded for p in run) or (before, behind) == (0, 0)):
        return None
    for part in run:
        del parts[part]
    arrays = [a for part in run for a in part.arrays]
    for place, size in ((0, before), (len(arrays) + 1, behind)):
        if size != 0:
            arrays.insert(place, fit(const(0), (*shape[:axis], size, *shape[axis + 1 :])))
    return make("concatenate", *arrays, axis=axis)


def _part(term: Node) -> Part | None:
    """Read an array that is zero but for a part of one axis."""
    if kind(term) == "unslice":
        key, (a,) = term.attrs["key"], term.args
        axes = [k for k, entry in enumerate(key) if entry != FULL]
        if len(axes) != 1 or len(key[axes[0]]) != 2 or key[axes[0]][1] is None:
            return None
        start, count = extent(key[axes[0]], term.shape[axes[0]])
        shape = tuple(count if k == axes[0] else d for k, d in enumerate(term.shape))
        stop = plus(start, count)
        return Part(term, axes[0], start, stop, (a,), False) if a.shape == shape else None
    if kind(term) != "concatenate":
        return None
    axis = term.attrs["axis"] % len(term.shape)
    arrays, start, stop = list(term.args), 0, term.shape[axis]
    while arrays and vanishes(arrays[0]):
        start = plus(start, arrays.pop(0).shape[axis])
    while arrays and vanishes(arrays[-1]):
        stop = minus(stop, arrays.pop().shape[axis])
    if not 0 < len(arrays) < len(term.args):
        return None
    return Part(term, axis, start, stop, tuple(arrays), True)

"""The numbers of an index form: every index is an axis, so that checks need no loop."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from symgrad.dims import evaluated
from symgrad.errors import DataError
from symgrad.evaluate import Array, apply
from symgrad.graph import Node
from symgrad.indexed.symbols import below, operands


def value(
    root: Node, axes: Sequence[Node], known: Mapping[Node, Array], sizes: Mapping[str, int]
) -> Array:
    """Compute an index form for all values of its free indices.

    `known` holds the arrays of which entries are taken, `sizes` what dimension names stand for.

    >>> from symgrad.indexed.symbols import entry, index, total
    >>> from symgrad.ops import leaf
    >>> x, i = leaf("x", ("N",)), index("i", "N")
    >>> float(value(total(entry(x, i), i), (), {x: np.array([1.0, 2.0])}, {"N": 2}))
    3.0
    """
    order = below(root)
    places = [*axes, *(n for n in order if n.op == "index" and n not in axes)]
    axis = {k: n for n, k in enumerate(places)}
    lengths = [_length(k, sizes) for k in places]
    done: dict[Node, Any] = {}
    with np.errstate(all="ignore"):
        for node in order:
            if node.op == "index":
                shape = [1] * len(places)
                shape[axis[node]] = lengths[axis[node]]
                done[node] = np.arange(lengths[axis[node]]).reshape(shape)
            elif node.op == "entry":
                done[node] = _taken(known[node.args[0]], [done[k] for k in node.args[1:]])
            elif node.op == "total":
                n = axis[node.args[1]]
                body = np.asarray(done[node.args[0]], dtype=float)
                if body.ndim == len(places) and body.shape[n] == lengths[n]:
                    done[node] = body.sum(axis=n, keepdims=True)
                else:
                    done[node] = body * lengths[n]
            else:
                done[node] = apply(node, [done[a] for a in operands(node)], sizes)
    shape = [*lengths[: len(axes)], *[1] * (len(places) - len(axes))]
    result = np.broadcast_to(np.asarray(done[root], dtype=float), shape)
    return result.reshape(lengths[: len(axes)])


def _taken(array: Array, at: Sequence[Array]) -> Array:
    """Take entries; x_(i+1) at the end, where 1[i < N - 1] is 0, takes the last one."""
    if not at:
        return array
    array = np.asarray(array)
    places = [np.asarray(k).astype(int) for k in at]
    ends = [max(n - 1, 0) for n in array.shape]
    return array[tuple(np.clip(k, 0, end) for k, end in zip(places, ends, strict=True))]


def _length(k: Node, sizes: Mapping[str, int]) -> int:
    found = evaluated(k.attrs["size"], sizes)
    if found is None:
        raise DataError(f"the dimension {k.attrs['size']} has no number")
    return found

"""Windows that are multiplied by a vector, or of which the largest entry is taken."""

from collections.abc import Mapping
from typing import Any

from symgrad.graph import Node
from symgrad.ops import make
from symgrad.ops.filters import spelled
from symgrad.ops.largest import over_window
from symgrad.ops.slices import BACKWARDS, FULL
from symgrad.shapes import axes_of


def slid(node: Node) -> Node | None:
    """Write windows of a vector times a vector as x ⋆ w, or x ∗ w where they are read from behind.

    >>> from symgrad.ops import leaf
    >>> x, w = leaf("x", ("N",)), leaf("w", ("K",))
    >>> slid(make("matmul", make("windows", x, width="K", along=0), w)).op
    'correlate'
    """
    view, weights = node.args
    found = _windows_of(view) if len(weights.shape) == 1 == len(view.shape) - 1 else None
    return _made(found, weights) if found and _plain(found) else None


def filtered(node: Node) -> Node | None:
    """Write a sum of windows, times weights that have no other axes, as weights that slide.

    >>> from symgrad.ops import leaf
    >>> x, w = leaf("x", ("H", "W")), leaf("w", ("A", "B"))
    >>> rows = make("windows", make("windows", x, width="A", along=0), width="B", along=1)
    >>> filtered(make("sum", make("mul", w, rows), axis=(2, 3))).op
    'filtered'
    """
    if node.op == "matmul":
        view, weights = node.args
        found = _windows_of(view) if len(weights.shape) == 1 == len(view.shape) - 1 else None
        return found and _made(found, weights)
    (body,), rank = node.args, len(node.args[0].shape)
    if body.op != "mul" or node.attrs["keepdims"]:
        return None
    over = axes_of(node.attrs["axis"], rank)
    for view, weights in (body.args, body.args[::-1]):
        found = _windows_of(view) if len(view.shape) == rank else None
        if found is None or over != tuple(range(len(found[0].shape), rank)):
            continue
        if len(weights.shape) == len(over) and 1 not in weights.shape:
            return _made(found, weights)
    return None


def pooled(node: Node) -> Node | None:
    """Write the largest or smallest entries of windows as pooling.

    >>> from symgrad.ops import leaf
    >>> rows = make("windows", leaf("x", ("N",)), width=2, along=0, step=2)
    >>> pooled(make("amax", rows, axis=1)).op
    'pooled'
    """
    found = _windows_of(node.args[0]) if over_window(node) else None
    if found is None:
        return None
    x, slides, turned = found
    rank = len(node.args[0].shape)
    behind = axes_of(node.attrs["axis"], rank) == tuple(range(len(x.shape), rank))
    if not behind or any(turned) or x.dtype != "float":
        return None
    along = spelled((s["along"], s["step"], s["gap"]) for s in slides)
    width = tuple(s["width"] for s in slides)
    if node.op == "amax":
        return make("pooled", x, along=along, width=width)
    return make("neg", make("pooled", make("neg", x), along=along, width=width))


Found = tuple[Node, list[Mapping[str, Any]], list[bool]]


def _windows_of(view: Node) -> Found | None:
    """Give the array of which windows are taken, how, and which of their axes are turned round."""
    last = len(view.shape) - 1
    slides: list[Mapping[str, Any]] = []
    turned: list[bool] = [False] * len(view.shape)
    while view.op == "windows" or (view.op == "slice" and _turning(view)):
        if view.op == "slice":
            turned = [
                was != (k < len(view.shape) and view.attrs["key"][k] == BACKWARDS)
                for k, was in enumerate(turned)
            ]
        else:
            slides.insert(0, view.attrs)
        view = view.args[0]
    rank = len(view.shape)
    axes = [s["along"] for s in slides]
    plain = all(k < rank for k in axes) and len(set(axes)) == len(axes)
    if not slides or not plain or rank + len(slides) - 1 != last or any(turned[:rank]):
        return None
    return view, slides, turned[rank:]


def _plain(found: Found) -> bool:
    """Say whether windows are those of a vector, entry by entry."""
    x, slides, _ = found
    return len(x.shape) == 1 and all(s["step"] == s["gap"] == 1 for s in slides)


def _turning(view: Node) -> bool:
    """Say whether a slice only turns axes round."""
    return all(entry in (FULL, BACKWARDS) for entry in view.attrs["key"])


def _made(found: Found, weights: Node) -> Node:
    x, slides, turned = found
    if _plain(found):
        return (
            make("convolve", x, weights, mode="valid")
            if turned[0]
            else make("correlate", x, weights)
        )
    if any(turned):
        weights = make("slice", weights, key=tuple(BACKWARDS if t else FULL for t in turned))
    along = spelled((s["along"], s["step"], s["gap"]) for s in slides)
    return make("filtered", x, weights, along=along)

"""Windows that are multiplied by a vector, added up, or of which the largest entry is taken."""

from collections.abc import Mapping
from typing import Any

from symgrad.graph import Node
from symgrad.ops import OPS, count, make
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
    """Write a sum of windows times weights as weights that slide, also of each channel.

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
        if body.shape == view.shape and _sliding(weights, view, found[1]):
            return _made(found, weights)
    return None


def _sliding(weights: Node, view: Node, slides: list[Mapping[str, Any]]) -> bool:
    """Say whether weights are as long as windows, and vary along no axis that is slid along.

    They may vary along others, as in a depthwise convolution.
    """
    count = len(slides)
    lead, rank = len(weights.shape) - count, len(view.shape) - count
    behind = range(rank - lead, rank)
    moving = [s["along"] for s in slides]
    varies = [k for k, d in zip(behind, weights.shape, strict=False) if d != 1]
    fixed = varies and not set(varies) & set(moving)
    return 1 not in weights.shape[lead:] and lead >= 0 and (not lead or bool(fixed))


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


def added(node: Node) -> Node | None:
    """Write sums and means of windows, and of what is computed of them entry by entry, as sums
    along one axis after the other.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x", ("N",))
    >>> rows = make("windows", x, width=5, along=0)
    >>> added(make("sum", make("mul", rows, rows), axis=1)).args[0] is make("mul", x, x)
    True
    """
    (view,), rank = node.args, len(node.args[0].shape)
    if rank < 2 or not node.shape or node.attrs["keepdims"]:
        return None
    found = _computed_of_windows(view)
    if found is None:
        return None
    x, slides = found
    over, axes = axes_of(node.attrs["axis"], rank), [s["along"] for s in slides]
    behind = range(len(x.shape), rank)
    if not set(behind) <= set(over) or set(axes) & set(over) or x.dtype != "float":
        return None
    others = tuple(k for k in over if k not in behind)
    x = make("sum", x, axis=others) if others else x
    along = spelled(
        (s["along"] - sum(k < s["along"] for k in others), s["step"], s["gap"]) for s in slides
    )
    total = make("box_filter", x, along=along, width=tuple(s["width"] for s in slides))
    return make("div", total, count(view.shape, over)) if node.op == "mean" else total


def _computed_of_windows(node: Node, depth: int = 4) -> tuple[Node, list[Mapping[str, Any]]] | None:
    """Give what windows of one kind are computed of entry by entry, and how they slide."""
    found = _windows_of(node)
    if found is not None:
        return None if any(found[2]) else found[:2]
    row = OPS.get(node.op)
    if row is None or row.shape != "elementwise" or not depth:
        return None
    inner: list[tuple[Node, list[Mapping[str, Any]]]] = []
    for a in node.args:
        given = _computed_of_windows(a, depth - 1) if a.shape else (a, [])
        if given is None:
            return None
        inner.append(given)
    slides = next((s for _, s in inner if s), [])
    if not slides or any(s != slides for _, s in inner if s):
        return None
    args = [a for a, _ in inner]
    if len({a.shape for a in args if a.shape}) > 1:
        return None
    return make(node.op, *args, **node.attrs), slides


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
        key = (FULL,) * (len(weights.shape) - len(turned))
        key += tuple(BACKWARDS if t else FULL for t in turned)
        weights = make("slice", weights, key=key)
    along = spelled((s["along"], s["step"], s["gap"]) for s in slides)
    return make("filtered", x, weights, along=along)

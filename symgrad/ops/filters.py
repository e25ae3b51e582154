"""Weights that slide over arrays: what code makes of windows times weights that have no other axes.

Three rows are the three slopes of one sum, sum(x[i + a, j + b]*w[a, b]*g[i, j]): what `filtered`
sends back to x is `smeared`, what it sends back to w is `tapped`. All go through the weights one
by one, with parts of x of the size of the result, where windows would be copied as often as there
are weights. The parameter `along` says of every axis of the weights along which axis of x it
slides, and the steps from place to place of both: "1:2:1, 2:2:1".
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from symgrad.errors import ShapeError
from symgrad.graph import Node
from symgrad.ops.spec import MUL, register
from symgrad.ops.windows import rows_of
from symgrad.shapes import Bind, Shape, text

Params = Mapping[str, Any]
Place = tuple[int, int, int]  # axis, step and gap
ALONG = {"along": "0:1:1"}


def places(along: object) -> list[Place]:
    """Read along which axes weights slide; raise ShapeError for a text that does not say it.

    >>> places("1:2:1, 2:2:1")
    [(1, 2, 1), (2, 2, 1)]
    """
    found = re.findall(r"(\d{1,2}):(\d{1,9}):(\d{1,9})", str(along))
    listed = [(int(axis), int(step), int(gap)) for axis, step, gap in found]
    if spelled(listed) != along or not listed or not all(p[1] and p[2] for p in listed):
        raise ShapeError(f"nothing slides along {str(along)[:80]!r}")
    return listed


def spelled(listed: Iterable[Place]) -> str:
    """Write along which axes weights slide.

    >>> spelled([(0, 1, 1), (1, 1, 1)])
    '0:1:1, 1:1:1'
    """
    return ", ".join(":".join(map(str, place)) for place in listed)


def slid(x: Shape, widths: Shape, along: object) -> Shape | None:
    """Give the shape of what windows along several axes leave; None where they do not fit.

    >>> slid(("N", 9), (2,), "1:3:1")
    ('N', 3)
    """
    listed, result = places(along), list(x)
    axes = [axis for axis, _, _ in listed]
    if len(listed) != len(widths) or max(axes) >= len(x) or len(set(axes)) < len(axes):
        return None
    for (axis, step, gap), width in zip(listed, widths, strict=True):
        result[axis] = rows_of(x[axis], width, step, gap)
    return tuple(result)


def _result(x: Shape, w: Shape, params: Params) -> Shape:
    found = slid(x, w, params["along"])
    if found is None:
        raise ShapeError(f"weights {text(w)} do not slide over {text(x)} along {params['along']}")
    return found


def _filtered(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    return _result(given[0], given[1], params)


def _smeared(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    g, w, x = given
    if _result(x, w, params) != g:
        raise ShapeError(f"{text(g)} is not what {text(w)} make of {text(x)}")
    return x


def _tapped(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    x, g, w = given
    return _smeared((g, w, x), params, bind) and w


def _listed(node: Node) -> str:
    return ", ".join(str(numbers) for numbers in zip(*places(node.attrs["along"]), strict=True))


def _spelled(function: str) -> Any:
    like = "" if function == "filtered" else ", {c}.shape"
    return lambda node: f"{function}({{a}}, {{b}}{like}, {_listed(node)})"


FILTERED = '''
def filtered(x, w, axes, steps, gaps):
    """Slide weights along axes: the sum of parts of x, each times its weight."""
    parts, count = [x], [*x.shape]
    for axis, step, gap, width in zip(axes, steps, gaps, w.shape):
        count[axis] = (x.shape[axis] - gap * (width - 1) - 1) // step + 1
        far = step * (count[axis] - 1) + 1
        keys = [(slice(None),) * axis + (slice(gap * k, gap * k + far, step),) for k in range(width)]
        parts = [part[key] for part in parts for key in keys]
    weights = w.ravel().tolist()
    result = parts[0] * weights[0] if parts else np.zeros(count, x.dtype)
    term = np.empty(count if len(parts) > 1 else 0, x.dtype)
    for part, weight in zip(parts[1:], weights[1:]):
        np.add(result, np.multiply(part, weight, term), result)
    return result
'''

SMEARED = '''
def smeared(g, w, shape, axes, steps, gaps):
    """Add up g, times each weight, where the weights have slid: the slope of filtered in x."""
    result, term = np.zeros(shape, g.dtype), np.empty(g.shape, g.dtype)
    parts = [result]
    for axis, step, gap, width in zip(axes, steps, gaps, w.shape):
        far = step * (g.shape[axis] - 1) + 1
        keys = [(slice(None),) * axis + (slice(gap * k, gap * k + far, step),) for k in range(width)]
        parts = [part[key] for part in parts for key in keys]
    for part, weight in zip(parts, w.ravel().tolist()):
        np.add(part, np.multiply(g, weight, term), part)
    return result
'''

TAPPED = '''
def tapped(x, g, shape, axes, steps, gaps):
    """Give the inner products of g and the parts of x: the slope of filtered in the weights."""
    parts = [x]
    for axis, step, gap, width in zip(axes, steps, gaps, shape):
        far = step * (g.shape[axis] - 1) + 1
        keys = [(slice(None),) * axis + (slice(gap * k, gap * k + far, step),) for k in range(width)]
        parts = [part[key] for part in parts for key in keys]
    if g.ndim == 1 or g.size < 1024:  # np.vdot copies what has gaps
        found = [np.vdot(part, g) for part in parts]
    else:
        found = [np.add.reduce(np.vecdot(part, g), axis=None) for part in parts]
    return np.array(found, g.dtype).reshape(shape)
'''

# fmt: off
register("filtered", 2, params=ALONG, shape=_filtered, hidden=True, formula="filtering(a, b, along)", numpy=_spelled("filtered"), helper=FILTERED, plain="{a:21} ⋆ {b:21}", level=MUL,
         vjp=("smeared(g, b, a, along=along)", "tapped(a, g, b, along=along)"), doc="Weights that slide along axes.", source="signal processing")
register("smeared", 3, params=ALONG, shape=_smeared, hidden=True, formula="smearing(a, b, c, along)", numpy=_spelled("smeared"), helper=SMEARED, plain="{a:21} ∗ {b:21}", level=MUL,
         vjp=("filtered(g, b, along=along)", "tapped(g, a, b, along=along)", None), doc="What weights that slide send back to the array.", source="the adjoint of filtered")
register("tapped", 3, params=ALONG, shape=_tapped, hidden=True, formula="tapping(a, b, c, along)", numpy=_spelled("tapped"), helper=TAPPED, plain="{a:21} ⋆ {b:21}", level=MUL,
         vjp=("smeared(b, g, a, along=along)", "filtered(a, g, along=along)", None), doc="What weights that slide get back.", source="the adjoint of filtered")
# fmt: on

"""Weights that slide over arrays: what code makes of windows times weights, added up.

Three rows are the three slopes of one sum, sum(x[i + a, j + b]*w[a, b]*g[i, j]): what `filtered`
sends back to x is `smeared`, what it sends back to w is `tapped`. All go through the weights one
by one, with parts of x of the size of the result, where windows would be copied as often as there
are weights; some rows at a time, which stay in the cache. The parameter `along` says of the last
axes of the weights along which axis of x each slides, and the steps from place to place of both:
"1:2:1, 2:2:1". Axes of the weights before those are axes of the result that they vary along, as
the channels of a depthwise convolution: aligned from the right, of length 1 where they do not.
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
    lead = len(w) - len(places(params["along"]))
    found = slid(x, w[lead:], params["along"]) if lead >= 0 else None
    if found is None or not _aligned(w[:lead], found):
        raise ShapeError(f"weights {text(w)} do not slide over {text(x)} along {params['along']}")
    return found


def _aligned(lead: Shape, result: Shape) -> bool:
    """Say whether the axes that weights vary along are those of a result."""
    behind = result[len(result) - len(lead) :]
    return len(lead) <= len(result) and all(
        d in (1, size) for d, size in zip(lead, behind, strict=True)
    )


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
    lead, count, keys = w.ndim - len(axes), [*x.shape], [(slice(None),) * x.ndim]
    for axis, step, gap, width in zip(axes, steps, gaps, w.shape[lead:]):
        count[axis] = (x.shape[axis] - gap * (width - 1) - 1) // step + 1
        far = step * (count[axis] - 1) + 1
        cuts = [slice(gap * k, gap * k + far, step) for k in range(width)]
        keys = [(*key[:axis], cut, *key[axis + 1 :]) for key in keys for cut in cuts]
    parts = [x[key] for key in keys]
    w = w.reshape(*w.shape[:lead], -1) if w.ndim > 1 else w
    weights = [w[..., k] for k in range(len(keys))]  # arrays: ufuncs take longer for floats
    if not parts:
        return np.zeros(count, x.dtype)
    rows = max(len(parts[0]) * 131072 // max(parts[0].size * x.itemsize, 1), 1)  # in the cache
    if rows >= len(parts[0]) or (lead == x.ndim and len(w) > 1):  # weights have rows, too
        result, term = parts[0] * weights[0], np.empty(count if len(parts) > 1 else 0, x.dtype)
        for part, weight in zip(parts[1:], weights[1:]):
            np.add(result, np.multiply(part, weight, term), result)
        return result
    result = np.empty(count, x.dtype)
    term = np.empty_like(result[:rows])
    for k in range(0, len(result), rows):
        total = result[k : k + rows]
        np.multiply(parts[0][k : k + rows], weights[0], total)
        for part, weight in zip(parts[1:], weights[1:]):
            product = np.multiply(part[k : k + rows], weight, term[: len(total)])
            np.add(total, product, total)
    return result
'''

SMEARED = '''
def smeared(g, w, shape, axes, steps, gaps):
    """Add up g, times each weight, where the weights have slid: the slope of filtered in x."""
    lead, keys = w.ndim - len(axes), [(slice(None),) * g.ndim]
    for axis, step, gap, width in zip(axes, steps, gaps, w.shape[lead:]):
        far = step * (g.shape[axis] - 1) + 1
        cuts = [slice(gap * k, gap * k + far, step) for k in range(width)]
        keys = [(*key[:axis], cut, *key[axis + 1 :]) for key in keys for cut in cuts]
    result = np.zeros(shape, g.dtype)
    parts = [result[key] for key in keys]
    w = w.reshape(*w.shape[:lead], -1) if w.ndim > 1 else w
    weights = [w[..., k] for k in range(len(keys))]  # arrays: ufuncs take longer for floats
    rows = max(len(g) * 131072 // max(g.size * g.itemsize, 1), 1)
    if rows >= len(g) or (lead == g.ndim and len(w) > 1):
        term = np.empty_like(g)
        for part, weight in zip(parts, weights):
            np.multiply(g, weight, term)
            np.add(part, term, part)
        return result
    term = np.empty_like(g[:rows])
    for k in range(0, len(g), rows):
        given = g[k : k + rows]
        for part, weight in zip(parts, weights):
            some = part[k : k + rows]
            np.add(some, np.multiply(given, weight, term[: len(given)]), some)
    return result
'''

# Where weights vary along axes of g, those stay when the products are added up.
TAPPED = '''
def tapped(x, g, shape, axes, steps, gaps):
    """Give the inner products of g and the parts of x: the slope of filtered in the weights."""
    lead, keys = len(shape) - len(axes), [(slice(None),) * x.ndim]
    for axis, step, gap, width in zip(axes, steps, gaps, shape[lead:]):
        far = step * (g.shape[axis] - 1) + 1
        cuts = [slice(gap * k, gap * k + far, step) for k in range(width)]
        keys = [(*key[:axis], cut, *key[axis + 1 :]) for key in keys for cut in cuts]
    parts = [x[key] for key in keys]
    if lead:
        every = [*range(g.ndim)]
        kept = [k for k, d in zip(every[-lead:], shape) if d > 1]
        found = [np.einsum(part, every, g, every, kept) for part in parts]
        return np.stack(found, -1).reshape(shape) if found else np.zeros(shape, g.dtype)
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

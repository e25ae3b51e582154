"""Largest entries and sums of windows, as of pooling, and what they send back: rows of code.

The parameter `along` says along which axes windows slide, as of `filters`, `width` how wide they
are. Maxima and sums are taken along one axis after the other. The slope of maxima goes to the first
largest entry of each window, which is found place by place. Reductions along axes of a few entries,
and tables of windows with one mark each, take several times as long.
"""

from collections.abc import Mapping
from typing import Any

from symgrad.dims import proper
from symgrad.errors import ShapeError
from symgrad.graph import Node
from symgrad.ops.filters import places, slid
from symgrad.ops.spec import register, shape_text
from symgrad.shapes import Bind, Shape, text

Params = Mapping[str, Any]
PLACES = {"along": "0:1:1", "width": (2,)}


def _pool(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    x, widths = given[0], tuple(params["width"])
    whole = all(width > 0 if isinstance(width, int) else proper(width) for width in widths)
    found = slid(x, widths, params["along"]) if whole else None
    if found is None:
        raise ShapeError(f"no windows of {text(x)} along {params['along']}")
    return found


def _unpool(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    g, x, y = given
    if not g == y == _pool((x,), params, bind):
        raise ShapeError(f"{text(g)} is not what windows of {text(x)} leave")
    return x


def _box(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    g, x = given
    if g != _pool((x,), params, bind):
        raise ShapeError(f"{text(g)} is not what windows of {text(x)} leave")
    return x


def _numbers(node: Node) -> str:
    listed = zip(*places(node.attrs["along"]), strict=True)
    return ", ".join([*map(str, listed), shape_text(node.attrs["width"])])


POOLED = '''
def pooled(x, axes, steps, gaps, widths):
    """Largest entries of windows: along one axis after the other, of whole arrays."""
    for axis, step, gap, width in zip(axes, steps, gaps, widths):
        far = step * ((x.shape[axis] - gap * (width - 1) - 1) // step) + 1
        keys = [(slice(None),) * axis + (slice(gap * k, gap * k + far, step),) for k in range(width)]
        parts, x = [x[key] for key in keys], x[keys[0]]
        if width > 1:
            x = np.maximum(parts[0], parts[1])
        for part in parts[2:]:
            np.maximum(x, part, out=x)
    return x
'''
# What no earlier place has taken is left for the last one: that needs no comparison.
UNPOOLED = '''
def unpooled(g, x, y, axes, steps, gaps, widths):
    """Send g to the first entry of each window that is its largest, y: the slope of pooled."""
    keys, apart, full = [(slice(None),) * x.ndim], True, True
    for axis, step, gap, width in zip(axes, steps, gaps, widths):
        far = step * (g.shape[axis] - 1) + 1
        cuts = [slice(gap * k, gap * k + far, step) for k in range(width)]
        keys = [(*key[:axis], cut, *key[axis + 1 :]) for key in keys for cut in cuts]
        apart = apart and step > gap * (width - 1)
        full = full and apart and g.shape[axis] * width == x.shape[axis]
    result = np.empty_like(x) if full else np.zeros_like(x)
    parts = [(x[key], result[key]) for key in keys]
    count = max(len(g) * 98304 // max(g.size * g.itemsize, 1), 1)  # rows that stay in the cache
    for k in range(0, len(g), count):
        if count < len(g):
            cut = slice(k, k + count)
            rows = [(a[cut], b[cut]) for a, b in parts]
            rest, top = np.array(g[cut]), y[cut]
        else:
            rows, rest, top = parts, np.array(g), y
        hit = np.empty_like(rest)
        for a, b in rows[:-1]:
            np.equal(a, top, out=hit, casting="unsafe")
            np.multiply(hit, rest, hit)
            np.subtract(rest, hit, rest)
            if apart:
                b[...] = hit
            else:
                np.add(b, hit, b)
        b = rows[-1][1]
        if apart:
            b[...] = rest
        else:
            np.add(b, rest, b)
    return result
'''

# Sums of two are added up to sums of four, and so on: a window of 8 takes three sums.
BOX_FILTER = '''
def box_filter(x, axes, steps, gaps, widths):
    """Sums of windows: along one axis after the other, of whole arrays."""
    for axis, step, gap, width in zip(axes, steps, gaps, widths):
        lead, places = (slice(None),) * axis, x.shape[axis] - gap * (width - 1)
        if step > 1 or width < 4:
            cuts = [slice(gap * k, gap * k + places, step) for k in range(width)]
            parts = [x[(*lead, cut)] for cut in cuts]
            x = parts[0] + parts[1] if width > 1 else parts[0]
            for part in parts[2:]:
                np.add(x, part, x)
            continue
        result, done, length = None, 0, 1
        rows = max(len(x) * 65536 // max(x.size * x.itemsize, 1), 1)
        if axis and rows < len(x):  # some at a time, so that sums on the way take little memory
            size = (*x.shape[:axis], places, *x.shape[axis + 1 :])
            result = np.empty(size, x.dtype)
            for k in range(0, len(x), rows):
                result[k : k + rows] = box_filter(x[k : k + rows], (axis,), (1,), (gap,), (width,))
            x = result
            continue
        for k in range(64):
            if width >> k & 1:
                part = x[(*lead, slice(gap * done, gap * done + places))]
                result = np.array(part) if result is None else np.add(result, part, result)
                done += length
            if done == width:
                break
            x = x[(*lead, slice(0, -gap * length))] + x[(*lead, slice(gap * length, None))]
            length *= 2
        x = result
    return x
'''
BOX_ADJOINT = '''
def box_adjoint(g, shape, axes, steps, gaps, widths):
    """Add g up at all places of each window: the slope of box_filter."""
    listed = [p for p in zip(axes, steps, gaps, widths)]
    for axis, step, gap, width in listed[::-1]:
        lead, size = (slice(None),) * axis, [*g.shape]
        rows = max(len(g) * 65536 // max(g.size * g.itemsize, 1), 1)
        if step == 1 and width > 3 and axis and rows < len(g):
            size[axis] = shape[axis]
            result, one = np.empty(size, g.dtype), ((axis,), (1,), (gap,), (width,))
            for k in range(0, len(g), rows):
                result[k : k + rows] = box_adjoint(g[k : k + rows], shape, *one)
            g = result
            continue
        if step == 1 and width > 3:
            more = gap * (width - 1)
            size[axis] += 2 * more
            wide = np.zeros(size, g.dtype)
            wide[(*lead, slice(more, more + g.shape[axis]))] = g
            g = box_filter(wide, (axis,), (1,), (gap,), (width,))
            continue
        size[axis] = shape[axis]
        apart = gap == 1 and step == width and g.shape[axis] * width == size[axis]
        result, far = np.empty(size, g.dtype) if apart else np.zeros(size, g.dtype), g.shape[axis]
        for k in range(width):
            part = result[(*lead, slice(gap * k, gap * k + step * (far - 1) + 1, step))]
            if apart:
                part[...] = g
            else:
                np.add(part, g, part)
        g = result
    return g
'''

# fmt: off
register("box_filter", params=PLACES, shape=_pool, hidden=True, formula="adding(a, along, width)", numpy=lambda n: f"box_filter({{a}}, {_numbers(n)})", helper=BOX_FILTER, plain="box({a})", glyph=r"\Sigma",
         vjp=("box_adjoint(g, a, along, width)",), doc="Sums of windows.", source="signal processing")
register("box_adjoint", 2, params=PLACES, shape=_box, hidden=True, formula="unadding(a, b, along, width)", numpy=lambda n: f"box_adjoint({{a}}, {{b}}.shape, {_numbers(n)})", helper=BOX_FILTER + "\n" + BOX_ADJOINT, plain="boxᵀ({a})", glyph=r"\Sigma",
         vjp=("box_filter(g, along, width)", None), doc="Entries of a added up over the windows that they are sums of.", source="the adjoint of sums of windows")
register("pooled", params=PLACES, shape=_pool, hidden=True, formula="pooling(a, along, width)", numpy=lambda n: f"pooled({{a}}, {_numbers(n)})", helper=POOLED, plain="pool({a})", glyph=r"\mathrm{pool}",
         vjp=("unpooled(g, a, y, along, width)",), kinks="ties: the first maximum takes the gradient", doc="Largest entries of windows.", source="max pooling")
register("unpooled", 3, params=PLACES, shape=_unpool, hidden=True, formula="unpooling(a, b, c, along, width)", numpy=lambda n: f"unpooled({{a}}, {{b}}, {{c}}, {_numbers(n)})", helper=UNPOOLED, plain="unpool({a})", glyph=r"\mathrm{unpool}",
         doc="Entries of a where the largest ones, c, of windows of b are.", source="the adjoint of max pooling")
# fmt: on

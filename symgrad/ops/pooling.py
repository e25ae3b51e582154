"""Largest entries of windows, as of max pooling, and what they send back: rows of code.

The parameter `along` says along which axes windows slide, as of `filters`, `width` how wide they
are. Maxima are taken along one axis after the other; their slope goes to the first largest entry of
each window, which is found place by place. Reductions along axes of a few entries, and tables of
windows with one mark each, take several times as long.
"""

from collections.abc import Mapping
from typing import Any

from symgrad.errors import ShapeError
from symgrad.graph import Node
from symgrad.ops.filters import places
from symgrad.ops.spec import register
from symgrad.ops.windows import rows_of
from symgrad.shapes import Bind, Shape, text

Params = Mapping[str, Any]
PLACES = {"along": "0:1:1", "width": (2,)}


def _pool(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    x, listed, widths = given[0], places(params["along"]), tuple(params["width"])
    axes = [axis for axis, _, _ in listed]
    whole = all(type(width) is int and width > 0 for width in widths)
    if len(widths) != len(axes) or not whole or max(axes) >= len(x) or len(set(axes)) < len(axes):
        raise ShapeError(f"no windows of {text(x)} along {params['along']}")
    result = list(x)
    for (axis, step, gap), width in zip(listed, widths, strict=True):
        result[axis] = rows_of(x[axis], width, step, gap)
    return tuple(result)


def _unpool(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    g, x, y = given
    if not g == y == _pool((x,), params, bind):
        raise ShapeError(f"{text(g)} is not what windows of {text(x)} leave")
    return x


def _numbers(node: Node) -> str:
    listed = zip(*places(node.attrs["along"]), strict=True)
    return ", ".join(str(numbers) for numbers in (*listed, node.attrs["width"]))


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
    count = max(len(g) * 131072 // max(g.size * g.itemsize, 1), 1)  # rows that stay in the cache
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

# fmt: off
register("pooled", params=PLACES, shape=_pool, hidden=True, formula="pooling(a, along, width)", numpy=lambda n: f"pooled({{a}}, {_numbers(n)})", helper=POOLED, plain="pool({a})", glyph=r"\mathrm{pool}",
         vjp=("unpooled(g, a, y, along, width)",), kinks="ties: the first maximum takes the gradient", doc="Largest entries of windows.", source="max pooling")
register("unpooled", 3, params=PLACES, shape=_unpool, hidden=True, formula="unpooling(a, b, along, width)", numpy=lambda n: f"unpooled({{a}}, {{b}}, {{c}}, {_numbers(n)})", helper=UNPOOLED, plain="unpool({a})", glyph=r"\mathrm{unpool}",
         doc="Entries of a where the largest ones, c, of windows of b are.", source="the adjoint of max pooling")
# fmt: on

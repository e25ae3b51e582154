"""Windows that slide along an axis, and the adjoint: windows added up where they overlap.

`windows` of an axis of n entries has the place step*i + gap*k in row i and column k; the rows take
the place of the axis, the columns are the last axis. It is a view, of which nothing is copied.
"""

from collections.abc import Mapping
from typing import Any

from symgrad.dims import Dim, evaluated, halved, minus, plus, times
from symgrad.errors import ShapeError
from symgrad.graph import Node
from symgrad.ops.spec import MISSING, register, size_text
from symgrad.shapes import Bind, Shape, text

Params = Mapping[str, Any]
SLIDING = {"along": MISSING, "step": 1, "gap": 1}


def rows_of(size: Dim, width: Dim, step: int = 1, gap: int = 1) -> Dim:
    """Count the windows of an axis.

    >>> rows_of("N", "K"), rows_of(8, 3, 2), rows_of("N", 3, 1, 2)
    ('N - K + 1', 3, 'N - 4')
    """
    return halved(plus(minus(size, span(width, gap)), step), step)


def span(width: Dim, gap: int = 1) -> Dim:
    """Count the places from the first entry of a window to its last one.

    >>> span("K", 2), span(3)
    ('2*K - 1', 3)
    """
    return plus(times(gap, minus(width, 1)), 1)


def slides(node: Node) -> tuple[Dim, Dim] | None:
    """Give the length of a window, and of the axis that has to be as long; None where it need not.

    >>> from symgrad.parse import parse
    >>> slides(parse("x: data[N]; w: data[K]; correlate(x, w)").output)
    ('K', 'N')
    """
    if node.op == "windows":
        at = node.attrs
        return span(at["width"], at["gap"]), node.args[0].shape[at["along"]]
    if node.op not in ("correlate", "convolve") or node.attrs.get("mode") == "full":
        return None
    axis, window = (a.shape[0] for a in node.args)
    return window, axis


def window_fault(node: Node, sizes: Mapping[str, int]) -> str:
    """Say whether a window is longer than the axis, now that names have numbers; "" if not."""
    k, n = (evaluated(d, sizes) for d in slides(node) or (0, 0))
    short = n is not None and k is not None and k > n
    return f"a window of {k} does not fit into {n} entries" if short else ""


def _well_made(params: Params, rank: int) -> bool:
    """Say whether the parameters are some; they may come from a file."""
    numbers = [params[name] for name in ("along", "step", "gap")]
    whole = all(type(k) is int for k in numbers)
    return whole and 0 <= numbers[0] < rank and numbers[1] > 0 and numbers[2] > 0


def _windowed(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    (shape,), axis, width = given, params["along"], params["width"]
    if not _well_made(params, len(shape)):
        raise ShapeError(f"no windows of {text(shape)}: {str(dict(params))[:80]}")
    count = rows_of(shape[axis], width, params["step"], params["gap"])
    if isinstance(count, int) and count < 1:
        long = span(width, params["gap"])
        raise ShapeError(f"a window of {long} does not fit into {shape[axis]} entries",
                         hint="the window is the shorter one")  # fmt: skip
    return (*shape[:axis], count, *shape[axis + 1 :], width)


def _added_up(given: tuple[Shape, ...], params: Params, bind: Bind) -> Shape:
    (shape,), axis, size = given, params["along"], params["size"]
    if not _well_made(params, len(shape) - 1):
        raise ShapeError(f"no windows of {text(shape)}: {str(dict(params))[:80]}")
    count = rows_of(size, shape[-1], params["step"], params["gap"])
    if count != shape[axis]:
        raise ShapeError(f"{shape[axis]} windows of {shape[-1]} do not fill {size} entries")
    return (*shape[:axis], size, *shape[axis + 1 : -1])


def _others(params: Params) -> str:
    """Write the axis, and a step and a gap other than 1."""
    more = "".join(f", {name}={params[name]}" for name in ("step", "gap") if params[name] != 1)
    return f"{params['along']}{more}"


def _windows(node: Node) -> str:
    return f"windows({{a}}, {size_text(node.attrs['width'])}, {_others(node.attrs)})"


def _places(rows: str, columns: str, at: Params) -> str:
    """Write the places step*i + gap*k."""
    parts = ((f"{rows}[:, None]", at["step"]), (columns, at["gap"]))
    return " + ".join(text_ if by == 1 else f"{by} * {text_}" for text_, by in parts)


def _windows_portable(node: Node) -> str:
    """Take the entries at their places."""
    at, count = node.attrs, size_text(node.shape[node.attrs["along"]])
    places = _places(f"np.arange({count})", f"np.arange({size_text(at['width'])})", at)
    taken = f"np.take({{a}}, {places}, axis={at['along']})"
    return (
        taken
        if at["along"] == len(node.shape) - 2
        else f"np.moveaxis({taken}, {at['along'] + 1}, -1)"
    )


def _overlapped(node: Node) -> str:
    return f"overlapped({{a}}, {size_text(node.attrs['size'])}, {_others(node.attrs)})"


def _overlapped_portable(node: Node) -> str:
    """Multiply by an array of zeros and ones."""
    at, axis = node.attrs, node.attrs["along"]
    shape = node.args[0].shape
    rows, columns = (f"np.arange({size_text(shape[k])})" for k in (axis, -1))
    places = _places(rows, columns, at)
    hot = f"1.0 * (np.expand_dims({places}, -1) == np.arange({size_text(at['size'])}))"
    found = f"np.tensordot({{a}}, {hot}, ([{axis}, -1], [0, 1]))"
    return found if axis == len(node.shape) - 1 else f"np.moveaxis({found}, -1, {axis})"


WINDOWS = '''
def windows(x, width, axis, step=1, gap=1):
    """View the entries step*i + gap*k along an axis; k becomes the last axis."""
    view = np.lib.stride_tricks.sliding_window_view(x, gap * (width - 1) + 1, axis)
    if step > 1:
        view = view[(np.s_[:],) * axis + (np.s_[::step],)]
    return view[..., ::gap] if gap > 1 else view
'''

OVERLAPPED = '''
def overlapped(x, size, axis, step=1, gap=1):
    """Add up what stands in windows at step*i + gap*k along an axis: the adjoint of windows."""
    last = x.ndim - 2
    rows = x.transpose(*range(axis), *range(axis + 1, last + 1), axis, last + 1)
    back = (*range(axis), last, *range(axis, last))  # the axis where it was
    count, width = rows.shape[-2:]
    if gap == 1 and step == width and count * width == size:  # side by side
        return np.array(rows, order="C").reshape(*rows.shape[:-2], size).transpose(back)
    result = np.zeros((*rows.shape[:-2], size), x.dtype)
    if size <= 4 * width:  # row i of a table whose rows are longer by a step is i steps further on
        table = np.zeros((*rows.shape[:-2], count, size + step), x.dtype)
        table[..., : gap * (width - 1) + 1 : gap] = rows
        table = table.reshape(*rows.shape[:-2], count * (size + step))[..., : count * size]
        np.add.reduce(table.reshape(*rows.shape[:-2], count, size), -2, None, result)
    elif width <= count:
        for k in range(width):
            result[..., gap * k : gap * k + step * (count - 1) + 1 : step] += rows[..., k]
    else:
        for i in range(count):
            result[..., step * i : step * i + gap * (width - 1) + 1 : gap] += rows[..., i, :]
    return result.transpose(back)
'''

# fmt: off
register("windows", params={"width": MISSING, **SLIDING}, shape=_windowed, dtype="join", hidden=True, vjp=("overlap(g, a, along, step, gap)",),
         numpy=_windows, portable=_windows_portable, helper=WINDOWS, glyph=r"\mathrm{windows}",
         doc="Windows that slide along an axis: x[i + k] of index notation.", source="NumPy, sliding_window_view")
register("overlapped", params={"size": MISSING, **SLIDING}, shape=_added_up, hidden=True, vjp=("slide(g, a, along, step, gap)",),
         numpy=_overlapped, portable=_overlapped_portable, helper=OVERLAPPED, glyph=r"\Sigma",
         doc="Windows added up where they overlap.", source="the adjoint of windows")
# fmt: on

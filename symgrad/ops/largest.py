"""How the largest entries over axes, and their places, are spelled."""

from math import prod
from typing import Any

from symgrad.graph import Node
from symgrad.ops.spec import size_text
from symgrad.shapes import axes_of


def options(node: Node) -> str:
    """Write the axis and keepdims arguments, leaving out NumPy's defaults."""
    axis, kept = node.attrs.get("axis"), node.attrs.get("keepdims", False)
    return ("" if axis is None else f", axis={axis}") + (", keepdims=True" if kept else "")


def reducer(function: str) -> Any:
    """Spell a reduction; over all axes it needs none."""
    return lambda node: f"{function}({{a}}{'' if over_all(node) else options(node)})"


def over_all(node: Node) -> bool:
    """Say whether a reduction leaves a number."""
    axis, shape = node.attrs.get("axis"), node.args[0].shape
    whole = isinstance(axis, int) and len(shape) == 1
    return (whole or (isinstance(axis, tuple) and len(axis) == len(shape))) and not node.shape


SHORT = 16  # entries over which NumPy takes several times as long as for as many arrays
AMAX = '''
def amax(x, axis):
    """Largest entries over axes that are short: a maximum of arrays, not of a few entries each."""
    moved = np.moveaxis(x, axis, range(len(axis)))
    parts = [moved[k] for k in np.ndindex(moved.shape[: len(axis)])]
    result = parts[0]
    for part in parts[1:]:
        result = np.maximum(result, part)
    return result
'''
WINNER = f'''
def winner(x, axis):
    """Mark the first largest entry over several axes; of conditions, the first that holds."""
    if x.dtype == np.bool_:
        some = np.any(x, axis=axis)
        if np.all(some) and np.count_nonzero(x) == some.size:
            return x  # one each
    rest = [k for k in range(np.ndim(x)) if k not in axis]
    moved = np.transpose(x, (*axis, *rest))
    places = [k for k in np.ndindex(moved.shape[: len(axis)])]
    if len(places) <= {SHORT}:  # one place after the other: NumPy is slow along short axes
        top = amax(x, axis)
        hot, free = np.empty(moved.shape, np.bool_), np.ones(top.shape, np.bool_)
        for k in places:
            np.logical_and(free, moved[k] >= top, hot[k])
            free ^= hot[k]
    else:
        flat = np.reshape(np.transpose(x, (*rest, *axis)), (*moved.shape[len(axis) :], -1))
        hot = np.arange(flat.shape[-1]) == np.argmax(flat, axis=-1, keepdims=True)
        hot = np.reshape(np.moveaxis(hot, -1, 0), moved.shape)
    return np.transpose(hot, np.argsort((*axis, *rest)))
'''


def over_window(node: Node) -> bool:
    """Say whether a reduction takes a few entries each, those of a window, as max pooling does."""
    (a,) = node.args
    if a.op != "windows" or node.attrs["keepdims"] or not node.shape:
        return False
    sizes = [a.shape[k] for k in axes_of(node.attrs["axis"], len(a.shape))]
    whole = [n for n in sizes if isinstance(n, int)]
    return len(whole) == len(sizes) and 1 < prod(whole) <= SHORT


def amax(node: Node) -> str:
    """Spell the largest entries."""
    if not over_window(node):
        return str(reducer("np.max")(node))
    return f"amax({{a}}, {axes_of(node.attrs['axis'], len(node.args[0].shape))})"


def attained(node: Node) -> str:
    """Spell the places of the first largest or smallest entries along an axis."""
    function = "argmin" if node.attrs["least"] else "argmax"
    return f"np.{function}({{a}}{options(node)})"


def winner_numpy(node: Node) -> str:
    """Spell the places of the first largest entries."""
    axes = axes_of(node.attrs["axis"], len(node.shape))
    if len(axes) == len(node.shape):
        return _alone(node)
    several = len(axes) > 1 or node.args[0].dtype == "bool"
    return f"winner({{a}}, {axes})" if several else _ladder(node, axes[0])


def _alone(node: Node) -> str:
    """Mark the largest entry of an array."""
    if len(node.shape) > 1:
        return "(np.arange({a:40}.size).reshape({a:40}.shape) == np.argmax({a}))"
    return f"(np.arange({size_text(node.shape[0])}) == np.argmax({{a}}))"


def _ladder(node: Node, axis: int) -> str:
    """Mark the largest entries along one axis."""
    after = len(node.shape) - 1 - axis
    ladder = f"np.arange({size_text(node.shape[axis])})"
    ladder += "[:" + ", None" * after + "]" if after else ""
    return f"({ladder} == np.argmax({{a}}, axis={axis}, keepdims=True))"


def winner_portable(node: Node) -> str:
    """Mark the first largest entry over several axes, with NumPy alone."""
    shape = node.shape
    axes = axes_of(node.attrs["axis"], len(shape))
    if len(axes) < 2 or len(axes) == len(shape):
        return _alone(node) if len(axes) == len(shape) else _ladder(node, axes[0])
    rest = [k for k in range(len(shape)) if k not in axes]
    order = (*rest, *axes)
    lead = "".join(f"{size_text(shape[k])}, " for k in rest)
    flat = f"np.reshape(np.transpose({{a}}, {order}), ({lead}-1))"
    whole = "*".join(size_text(shape[k]) for k in axes)
    hot = f"(np.arange({whole}) == np.argmax({flat}, axis=-1, keepdims=True))"
    back = tuple(sorted(range(len(order)), key=order.__getitem__))
    full = ", ".join(size_text(shape[k]) for k in order)
    return f"np.transpose(np.reshape({hot}, ({full})), {back})"

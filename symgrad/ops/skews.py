"""Tables whose rows are shifted by one place each: relative positions, of keys to queries."""

from collections.abc import Mapping
from typing import Any

from symgrad.dims import minus, plus
from symgrad.graph import Node
from symgrad.ops.spec import register, size_text
from symgrad.shapes import Bind, Shape

# Of a table with n rows of s entries, the entry n - 1 before which row 0 begins, and every s - 1
# entries from there another row: a view, which has memory's own order.
SKEWED = '''
def skewed(x):
    """View x[i, j + n - 1 - i] of a table with n rows."""
    n, size = x.shape
    wide = max(size - 1, size - n + 1)  # a single row is not shifted
    return x.ravel()[n - 1 : n - 1 + n * wide].reshape(n, wide)[:, : size - n + 1]
'''
UNSKEWED = '''
def unskewed(x):
    """Put x[i, j] at i, j + n - 1 - i of a table with n rows, and zeros elsewhere."""
    n, m = x.shape
    found, wide = np.zeros((n, n + m - 1), x.dtype), max(n + m - 2, m)
    np.copyto(found.ravel()[n - 1 : n - 1 + n * wide].reshape(n, wide)[:, :m], x)
    return found
'''


def _narrower(shapes: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    n, size = shapes[0]
    return n, minus(plus(size, 1), n)


def _wider(shapes: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    n, m = shapes[0]
    return n, plus(n, minus(m, 1))


def _places(node: Node, sign: str) -> str:
    """Write the places j + n - 1 - i, or where an entry of the wider table comes from."""
    n, m = map(size_text, node.shape)
    if sign == "+":
        return f"np.arange({m}) + (({n}) - 1 - np.arange({n})[:, None])"
    return f"np.arange({m}) - (({n}) - 1 - np.arange({n})[:, None])"


def _wider_portable(node: Node) -> str:
    places, m = _places(node, "-"), size_text(node.args[0].shape[1])
    taken = f"np.take_along_axis({{a}}, np.clip({places}, 0, ({m}) - 1), axis=1)"
    return f"np.where(({places} >= 0) & ({places} < ({m})), {taken}, 0)"


# fmt: off
register("skewed", shape=_narrower, hidden=True, vjp=("unskewed(g)",),
         numpy="skewed({a})", portable=lambda node: f"np.take_along_axis({{a}}, {_places(node, '+')}, axis=1)", helper=SKEWED, glyph=r"\mathrm{skewed}",
         doc="Entries i, j + n - 1 - i of a table with n rows.", source="relative positions")
register("unskewed", shape=_wider, hidden=True, vjp=("skewed(g)",),
         numpy="unskewed({a})", portable=_wider_portable, helper=UNSKEWED, glyph=r"\mathrm{unskewed}",
         doc="A table with entry i, j of another in the place i, j + n - 1 - i.", source="relative positions")
# fmt: on

"""Products of matrices and the rearrangement of axes."""

from collections.abc import Mapping
from typing import Any

from symgrad import shapes
from symgrad.errors import ShapeError
from symgrad.graph import Node
from symgrad.ops.spec import ADD, MISSING, MUL, register, shape_text, size_text
from symgrad.shapes import Bind, Shape, text


def _permuted(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    axes = params["axes"]
    if axes is None:
        return given[0][::-1]
    if sorted(axes) != list(range(len(given[0]))):
        order = tuple(reversed(range(len(given[0]))))
        raise ShapeError(f"axes {axes} do not permute the axes of {text(given[0])}",
                         hint=f"name each axis once, for example {order}")  # fmt: skip
    return tuple(given[0][k] for k in axes)


def _transpose(node: Node) -> str:
    axes = node.attrs["axes"]
    return "{a:40}.T" if axes is None else f"np.transpose({{a}}, {axes})"


def _grown(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    return shapes.expanded(given[0], params["axes"])


def expanded_key(node: Node) -> str:
    """Write the index that inserts axes: None, or :, None."""
    axes = node.attrs["axes"]
    items = ["None" if k in axes else ":" for k in range(len(node.shape))]
    while items and items[-1] == ":":
        items.pop()
    return ", ".join(items) or "..."


def _expand(node: Node) -> str:
    return "{a:40}[" + expanded_key(node) + "]"


def _stretched(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    shapes.broadcast([given[0], params["shape"]], bind)
    return tuple(params["shape"])


def _broadcast(node: Node) -> str:
    if node.args[0].op == "const":
        return f"np.full({shape_text(node.shape)}, {{a}}, {{dtype}})"
    return f"np.broadcast_to({{a}}, {shape_text(node.shape)})"


def _picked(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    table, labels = given
    if len(table) != len(labels) + 1:
        raise ShapeError(
            f"labels of shape {text(labels)} cannot index the last axis of {text(table)}",
            hint="there is one label for each row: S[arange(N), y]",
        )
    return shapes.broadcast([table[:-1], labels], bind)


def _without_hot(node: Node) -> str:
    return f"({{a:10}} - (np.arange({size_text(node.shape[1])}) == {{b:40}}[:, None]))"


def _with_rest(node: Node) -> str:
    hot = f"np.arange({size_text(node.shape[1])}) == {{b:40}}[:, None]"
    return f"np.where({hot}, -{{c:40}}[:, None], {{a}})"


def _pick(node: Node) -> str:
    rank = len(node.shape)
    if rank == 0:
        return "{a:40}[{b}]"
    if rank == 1:
        return f"{{a:40}}[np.arange({size_text(node.shape[0])}), {{b}}]"
    return "np.take_along_axis({a}, {b:40}[..., None], -1)[..., 0]"


def _span(node: Node) -> str:
    return f"np.arange({size_text(node.attrs['size'])})"


PRODUCT = (
    {"22": "g @ b.T", "21": "outer(g, b)", "12": "b @ g", "11": "g*b", "n1": "unsqueeze(g, 1)*b",
     "1n": "sum(b*unsqueeze(g, 2), -1)", "nn": "g @ swap(b)"},
    {"22": "a.T @ g", "21": "a.T @ g", "12": "outer(a, g)", "11": "g*a", "n1": "unsqueeze(g, 1)*a",
     "1n": "unsqueeze(a, 1)*unsqueeze(g, 2)", "nn": "swap(a) @ g"},
)  # fmt: skip

THREE = '''
def three(a, b, c):
    """Multiply a @ b @ c in the cheaper order; BLAS takes for a few columns as long as for 24."""
    (n, m), k, d = a.shape, max(len(c), 24), max(c.shape[1], 24)
    left, right = n * k * (m + d), m * d * (n + k)
    # in single precision BLAS is slow where both factors are transposed, as of X.T @ G.T @ Q
    return a @ (b @ c) if right < left + (a.itemsize == 4) else a @ b @ c
'''
ADDED_PRODUCTS = '''
def added_products(a, b):
    """Add up the products of the matrices of two stacks, a few at a time."""
    some = max(65536 // max(a.shape[1] * b.shape[2] * a.itemsize, 1), 1)
    total = np.add.reduce(np.matmul(a[:some], b[:some]), axis=0)
    for k in range(some, len(a), some):
        np.add(total, np.add.reduce(np.matmul(a[k : k + some], b[k : k + some]), axis=0), total)
    return total
'''
MINUS_ONE_HOT = '''
def minus_one_hot(a, y):
    """1 less in each row at its label, a - e_y: only these entries are touched."""
    result = a.copy()
    result[np.arange(len(a)), y] -= 1
    return result
'''
SHARES_MINUS_HOT = '''
def shares_minus_hot(p, y, rest):
    """p - e_y of shares p; at the labels they are 1 - rest."""
    result = p.copy()
    result[np.arange(len(p)), y] = -rest
    return result
'''

# fmt: off
register("matmul", 2, shape="matmul", vjp=PRODUCT, numpy="{a:20} @ {b:21}", numpy_level=MUL, level=MUL, glyph="@", aliases=("dot",),
         doc="Matrix product, NumPy's rules for vectors and leading axes.", source="linear algebra")
register("three", 3, shape="n m, m k, k d -> n d", hidden=True, formula="a @ b @ c", numpy="three({a}, {b}, {c})", portable="{a:20} @ {b:21} @ {c:21}", helper=THREE, plain="{a:20} {b:21} {c:21}", latex="{a:20} \\, {b:21} \\, {c:21}", level=MUL, glyph="@",
         doc="A product of three matrices, in the cheaper order.", source="linear algebra")
register("added_products", 2, shape="s n k, s k m -> n m", hidden=True, formula="sum(a @ b, 0)", numpy="added_products({a}, {b})", portable="np.sum(np.matmul({a}, {b}), axis=0)", helper=ADDED_PRODUCTS, plain="Σₛ {a:20} {b:21}", level=MUL, glyph="@",
         doc="The products of two stacks of matrices, added up.", source="linear algebra")
register("outer", 2, shape="n, m -> n m", vjp=("g @ b", "a @ g"), numpy="np.outer({a}, {b})", level=MUL, glyph=r"\otimes",
         doc="Outer product of two vectors.", source="linear algebra")
register("transpose", params={"axes": None}, shape=_permuted, dtype="join", vjp=("untranspose(g, axes)",), numpy=_transpose,
         glyph=r"\top", doc="Permute axes; reverse them by default.", source="linear algebra")
register("expand", params={"axes": MISSING}, shape=_grown, dtype="join", hidden=True, vjp=("sum(g, axes)",), numpy=_expand, masks=True,
         glyph=r"\mathrm{expand}", doc="Insert axes of length 1.", source="NumPy indexing with None")
register("broadcast", params={"shape": MISSING}, shape=_stretched, dtype="join", hidden=True, vjp=("g",), numpy=_broadcast,
         glyph=r"\mathrm{broadcast}", doc="Repeat along axes.", source="NumPy broadcasting")
register("pick", 2, shape=_picked, hidden=True, vjp=("unsqueeze(g, 1)*hot(b, a)", None), numpy=_pick, glyph=r"\mathrm{pick}",
         doc="The entry at each row's label.", source="NumPy integer indexing")
register("minus_one_hot", 2, shape="n c, n -> n c", hidden=True, formula="a - hot(b, a)", vjp=("g", None), numpy="minus_one_hot({a}, {b})", portable=_without_hot, helper=MINUS_ONE_HOT, plain="{a:10} − e_{b}", latex="{a:10} - e_{{{b}}}", level=ADD, glyph="-",
         doc="1 less in each row at its label.", source="NumPy integer indexing")
register("shares_minus_hot", 3, shape="n c, n, n -> n c", hidden=True, formula="a - hot(b, a)", vjp=("g", None, None), numpy="shares_minus_hot({a}, {b}, {c})", portable=_with_rest, helper=SHARES_MINUS_HOT, plain="{a:10} − e_{b}", latex="{a:10} - e_{{{b}}}", level=ADD, glyph="-",
         doc="Shares, 1 less at the label of each row, where what is left of 1 is known.", source="softmax")
register("arange", 0, params={"size": MISSING}, shape=lambda g, p, bind: (p["size"],), dtype="int", zero=True, hidden=True,
         numpy=_span, latex="j", plain="j", doc="0, 1, 2, …", source="NumPy")
# fmt: on

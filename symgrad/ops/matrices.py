"""Square matrices: trace, diagonal, inverse, determinant, linear systems.

The gradients are those of the matrix calculus; source: Petersen and Pedersen, The Matrix Cookbook,
2012. In the rules `top` transposes the last two axes and `lift` gives a number two axes of length
1, so that they hold for stacks of matrices too. A gradient in A takes all entries as independent,
also where A is symmetric.
"""

from collections.abc import Mapping
from typing import Any

from symgrad import dims, shapes
from symgrad.errors import ShapeError
from symgrad.graph import Node
from symgrad.ops.spec import MISSING, MUL, POW, register, size_text
from symgrad.shapes import Bind, Shape, text

SQUARE = "as many rows as columns:  A: real[N, N]"


def _square(shape: Shape, bind: Bind) -> shapes.Dim:
    """Give the side of a square matrix or of a stack of them."""
    if len(shape) < 2:
        raise ShapeError(f"a square matrix is expected, not {text(shape)}", hint=SQUARE)
    try:
        return shapes.unify(shape[-2], shape[-1], bind)
    except ShapeError:
        raise ShapeError(f"a square matrix is expected, not {text(shape)}", hint=SQUARE) from None


def _number(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    _square(given[0], bind)
    return given[0][:-2]


def _same(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    side = _square(given[0], bind)
    return (*given[0][:-2], side, side)


def _solved(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    a, b = given
    side = _square(a, bind)
    if not b or (len(b) == 1 and len(a) > 2):
        raise ShapeError("the right side is a vector or a matrix"
                         + (", a matrix for a stack of systems" if len(a) > 2 else ""))  # fmt: skip
    rows = b[0] if len(b) == 1 else b[-2]
    try:
        shapes.unify(side, rows, bind)
    except ShapeError:
        raise ShapeError(f"the matrix has {side} rows, the right side {rows}",
                         hint="in  A x = b  there is an entry of b for each row of A") from None  # fmt: skip
    if len(b) == 1:
        return (side,)
    return (*shapes.broadcast([a[:-2], b[:-2]], bind), side, b[-1])


def _diagonal(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    (a,) = given
    if len(a) == 1:
        return (a[0], a[0])
    if len(a) != 2:
        raise ShapeError(f"diag takes a vector or a square matrix, not {text(a)}", hint=SQUARE)
    return (_square(a, bind),)


def _unit(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    size = params["size"]
    if not dims.proper(size) or (isinstance(size, int) and not 0 <= size <= 10_000):
        raise ShapeError(f"eye of the size {size!r}; a dimension or a number up to 10000",
                         hint="for example  eye(3), or  eye(N)  beside  X: data[N, D]")  # fmt: skip
    return (size, size)


def _trace(node: Node) -> str:
    return "np.trace({a})" if len(node.args[0].shape) == 2 else "np.trace({a}, axis1=-2, axis2=-1)"


SOLVED = '''
def solve(a, b):
    """Solve a x = b; for many columns by the inverse and a step of refinement: as close, sooner."""
    if b.shape[1] <= len(a):
        return np.linalg.solve(a, b)
    inverse = np.linalg.inv(a)
    x = inverse @ b
    return x + inverse @ (b - a @ x)
'''


def _solved_columns(node: Node) -> str:
    plain = len(node.args[0].shape) == len(node.args[1].shape) == 2
    return "solve({a}, {b})" if plain else "np.linalg.solve({a}, {b})"


# fmt: off
register("trace", 1, shape=_number, vjp=("lift(g)*unit(a)",), numpy=_trace, latex=r"\operatorname{{tr}}({a})", plain="tr({a})",
         glyph=r"\mathrm{tr}", doc="Sum of the diagonal of a square matrix.", source="linear algebra")
register("diag", 1, shape=_diagonal, vjp=("diag(g)",), numpy="np.diag({a})", latex=r"\operatorname{{diag}}({a})", plain="diag({a})",
         glyph=r"\mathrm{diag}", doc="The matrix with a vector as its diagonal, or the diagonal of a square matrix.", source="linear algebra")
register("eye", 0, params={"size": MISSING}, call="eye(N)", shape=_unit, zero=True, numpy=lambda n: f"np.eye({size_text(n.attrs['size'])}, dtype={{dtype}})",
         portable=lambda n: f"np.eye({size_text(n.attrs['size'])})", latex=r"\mathbf{{I}}", plain="𝐈", glyph="I",
         doc="The unit matrix; N is a dimension or a number.", source="linear algebra")
register("inv", 1, shape=_same, vjp=("-(top(y) @ g @ top(y))",), numpy="np.linalg.inv({a})", latex="{a:40}^{{-1}}", plain="{a:40}⁻¹", level=POW,
         glyph="A^{-1}", domain="det(a) != 0", kinks="singular a: an error", doc="Inverse of a square matrix.", source="Matrix Cookbook, 59")
register("det", 1, shape=_number, vjp=("lift(g*y)*top(inv(a))",), numpy="np.linalg.det({a})", latex=r"\det({a})", plain="det({a})",
         glyph=r"\det", kinks="singular a: the gradient is an error", doc="Determinant of a square matrix.", source="Matrix Cookbook, 49")
register("logdet", 1, shape=_number, vjp=("lift(g)*top(inv(a))",), numpy="np.linalg.slogdet({a})[1]", latex=r"\log\det({a})", plain="log det({a})",
         level=MUL, glyph=r"\log\det", domain="det(a) != 0", kinks="singular a: -inf; the gradient is an error",
         doc="Logarithm of the absolute value of the determinant; does not overflow.", source="Matrix Cookbook, 57")
register("solve", 2, shape=_solved, numpy="np.linalg.solve({a}, {b})", precise=_solved_columns, precise_helper=SOLVED, level=MUL, glyph="A^{-1}b", domain="det(a) != 0", kinks="singular a: an error",
         vjp=({"22": "-(solve(a.T, g) @ y.T)", "21": "-outer(solve(a.T, g), y)", "nn": "-(solve(top(a), g) @ top(y))"}, "solve(top(a), g)"),
         doc="The solution x of a x = b, for a vector b or the columns of a matrix.", source="Giles 2008, An extended collection of matrix derivative results")
# fmt: on

"""Reductions and what belongs to them: sums, means, maxima, softmax, log-sum-exp."""

from collections.abc import Mapping
from string import ascii_letters
from typing import Any

from symgrad.graph import Node
from symgrad.ops.largest import (
    AMAX,
    WINNER,
    amax,
    attained,
    options,
    reducer,
    winner_numpy,
    winner_portable,
)
from symgrad.ops.spec import MISSING, register, size_text
from symgrad.shapes import Bind, Shape, broadcast


def added_wide(text: str) -> str:
    """Add up in float64 what is float32: one after the other, a million numbers lose digits.

    >>> added_wide("np.cumsum({a}, axis=0)")
    'np.cumsum({a}, axis=0, dtype=np.float64).astype(np.float32)'
    """
    return f"{text[:-1]}, dtype=np.float64).astype(np.float32)"


def _summed_products(node: Node) -> str:
    """Spell a sum of products with einsum, which makes no array of them."""
    letters = ascii_letters[8:][: len(node.args[0].shape)]  # i, j, k, …
    return f'np.einsum("{letters},{letters}->", {{a}}, {{b}})'


def _inner(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    broadcast(given, bind)
    return ()


def _along(function: str) -> Any:
    """Spell a function along an axis whose default is the last one."""
    return lambda node: (
        f"{function}({{a}})"
        if node.attrs["axis"] == -1 or _last(node)
        else f"{function}({{a}}, axis={node.attrs['axis']})"
    )


def _last(node: Node) -> bool:
    axis = node.attrs["axis"]
    return isinstance(axis, int) and axis == len(node.args[0].shape) - 1


def _logsumexp(node: Node) -> str:
    """Spell log-sum-exp with NumPy alone."""
    axis, kept = node.attrs["axis"], node.attrs["keepdims"]
    if axis is None and len(node.args[0].shape) > 1:
        assert not kept
        return "np.logaddexp.reduce(np.ravel({a}))"
    return f"np.logaddexp.reduce({{a}}{options(node)})"


def _log_softmax(node: Node) -> str:
    """Spell log-softmax with NumPy alone."""
    return f"({{a:10}} - np.logaddexp.reduce({{a}}, axis={node.attrs['axis']}, keepdims=True))"


def _centred(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    return broadcast(given, bind)


def _kept(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    (shape,) = given
    axis = params["axis"] % len(shape)
    return (*shape[:axis], 1, *shape[axis + 1 :])


def _hot(given: tuple[Shape, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    return (*given[0], params["size"])


def _hot_numpy(node: Node) -> str:
    lead = ":, " * len(node.shape[:-1])
    inner = f"{{a:40}}[{lead}None]" if lead else "{a:6}"
    return f"np.arange({size_text(node.attrs['size'])}) == {inner}"


NORM = '''
def norm(x, axis=None, keepdims=False):
    """Euclidean norm; where the squares overflow or vanish, of x over its largest entry."""
    last = axis in (-1, np.ndim(x) - 1) and not keepdims
    if last and np.ndim(x) > 1 and 0 < x.shape[-1] < 8 and x.size > 1024:
        squares = x[..., 0] * x[..., 0]
        for k in range(1, x.shape[-1]):  # many short rows: one coordinate after the other
            squares += x[..., k] * x[..., k]
    elif axis in (-1, np.ndim(x) - 1) or np.ndim(x) == 1:
        squares = np.vecdot(x, x, keepdims=keepdims)  # three times as fast as the sum of x * x
    else:
        squares = np.sum(x * x, axis=axis, keepdims=keepdims)
    result = np.sqrt(squares)
    tiny, huge = (2e-148, 1e154) if x.dtype == np.float64 else (2e-13, 1e19)
    if result.ndim == 0 and tiny < result < huge:
        return result
    if result.size == 0 or (result.min() > tiny and result.max() < huge):
        return result
    bad = (result <= tiny) | (result >= huge)
    rows, whole = x, axis is None or np.ndim(axis) > 0 or np.ndim(result) == 0
    if not whole:  # only the rows that need it: points at no distance
        bad = np.squeeze(bad, axis=axis) if keepdims else bad
        rows, over = np.moveaxis(x, axis, -1)[bad], -1
    else:
        over = axis
    top = np.max(np.abs(rows), axis=over, keepdims=True, initial=0)
    top = np.where((top > 0) & (top < np.inf), top, 1).astype(x.dtype)
    scaled = top * np.sqrt(np.sum((rows / top) ** 2, axis=over, keepdims=True))
    if not whole:
        (np.squeeze(result, axis=axis) if keepdims else result)[bad] = scaled[..., 0]
        return result
    return scaled if keepdims else np.squeeze(scaled, axis=axis)[()]
'''


MAX_ALONG = '''
def max_along(x, axis=-1):
    """Largest entries along an axis, which stays."""
    if np.ndim(x) > 1 and x.shape[-1] < 64 and np.ndim(axis) == 0 and axis is not None:
        return np.max(x.T.copy(), axis=-1 - axis, keepdims=True).T  # NumPy is slow along short rows
    return np.max(x, axis=axis, keepdims=True)
'''
SUM_ALONG = '''
def sum_along(x, axis=-1):
    """Sums along an axis, which stays."""
    if np.ndim(x) > 1 and axis in (-1, np.ndim(x) - 1):
        return np.einsum("...j->...", x)[..., None]  # at most half the time of np.sum
    if np.ndim(x) > 2 and x.shape[-1] < 64 and np.ndim(axis) == 0 and axis is not None:
        return np.sum(x.T.copy(), axis=-1 - axis, keepdims=True).T
    return np.sum(x, axis=axis, keepdims=True)
'''
SOFTMAX = '''
def softmax(x, axis=-1):
    """exp(x) over its sum along the axis; the maximum is subtracted first."""
    e = np.exp(x - max_along(x, axis))
    e /= sum_along(e, axis)
    return e
'''
LOG_SOFTMAX = '''
def log_softmax(x, axis=-1):
    """Logarithm of softmax, from the scores; the maximum is subtracted first."""
    z = x - max_along(x, axis)
    z -= np.log(sum_along(np.exp(z), axis))
    return z
'''
LOG_SOFTMAX_PRECISE = '''
def log_softmax(x, axis=-1):
    """Logarithm of softmax, from the scores; the largest counts 1 exactly, beside the rest."""
    z = x - max_along(x, axis)
    e = np.exp(z)
    top = np.floor(e)
    e -= top
    z -= np.log1p(sum_along(e, axis) + (sum_along(top, axis) - 1))
    return z
'''
SOFTMAX_REST = '''
def softmax_rest(x, axis=-1):
    """1 - softmax(x): the share of the others, without subtracting from 1."""
    e = np.exp(x - max_along(x, axis))
    top = np.floor(e)
    rest, ties = sum_along(e - top, axis), sum_along(top, axis)
    return (rest + (ties - e)) / (rest + ties)
'''
LOGSUMEXP_PRECISE = '''
def logsumexp(x, axis=None, keepdims=False):
    """log(sum(exp(x))) along the axis; the largest counts 1 exactly, beside the rest."""
    largest = max_along(x, axis)
    e = np.exp(x - np.maximum(largest, -np.finfo(largest.dtype).max))
    top = np.floor(e)
    e -= top
    rest = sum_along(e, axis) + (sum_along(top, axis) - 1)
    total = largest + np.log1p(np.fmax(rest, 0))  # infinite as the largest
    return total if keepdims else np.squeeze(total, axis=axis)[()]
'''
LOGSUMEXP = '''
def logsumexp(x, axis=None, keepdims=False):
    """log(sum(exp(x))) along the axis; the maximum is subtracted first."""
    top = max_along(x, axis)
    scores = x - np.maximum(top, -np.finfo(top.dtype).max)  # -inf minus itself is no number
    total = sum_along(np.exp(scores), axis)
    total = np.log(np.fmax(total, 1)) + top  # the largest counts 1, infinite ones too
    return total if keepdims else np.squeeze(total, axis=axis)[()]
'''
SHARES = '''
def shares(x, axis=-1):
    """Softmax; 0 where all are -inf."""
    top = max_along(x, axis)
    e = np.exp(x - np.maximum(top, -np.finfo(top.dtype).max))
    e /= np.fmax(sum_along(e, axis), 1)
    return e
'''
GROUNDED = '''
def grounded(x):
    """Replace -inf by the lowest number, so that -inf minus it is -inf."""
    return np.maximum(x, -np.finfo(x.dtype).max)
'''
ROW_SUMS = '''
def row_sums(mask, x):
    """Add up x_j where mask_ij, for each i; beyond the mask x may be infinite."""
    if not np.vdot(x, x) < np.inf:
        return np.sum(np.where(mask, x, 0), axis=1)
    step = 131072 // max(len(x), 1) + 1  # NumPy makes numbers of a mask: some rows at a time
    if len(mask) <= step:
        return mask @ x
    return np.concatenate([mask[k : k + step] @ x for k in range(0, len(mask), step)])
'''
COLUMN_SUMS = '''
def column_sums(mask, x):
    """Add up x_i where mask_ij, for each j; beyond the mask x may be infinite."""
    if not np.vdot(x, x) < np.inf:
        return np.sum(np.where(mask, x[:, None], 0), axis=0)
    step = 131072 // max(mask.shape[1], 1) + 1
    found = x[:step] @ mask[:step]
    for k in range(step, len(x), step):
        found += x[k : k + step] @ mask[k : k + step]
    return found
'''
# Where all are -inf, the lowest number is subtracted: -inf minus it is -inf, not NaN. The largest
# counts 1 in the sum; so it does where it is infinite, and the sum is 0 or NaN.
_E = "exp(a - spread(maximum(amax(a, axis), -literal(far)), a, axis))"
_SHARES = f"{_E}/spread(fmax(sum({_E}, axis), 1), a, axis)"
_LOGSUMEXP = f"amax(a, axis, keepdims) + log(fmax(sum({_E}, axis, keepdims), 1))"
OVER: dict[str, Any] = {"axis": None, "keepdims": False}

# fmt: off
register("sum",  params=OVER, shape="reduce", vjp=("spread(g, a, axis, keepdims)",), numpy=reducer("np.sum"),
         glyph=r"\Sigma", doc="Sum over axes.", source="linear algebra")
register("sum_of_products", 2, hidden=True, shape=_inner, formula="sum(a*b)", numpy=_summed_products, plain="Σ({a:20} ⊙ {b:21})",
         glyph=r"\Sigma", doc="Sum of the products of the entries of two arrays of one shape.", source="linear algebra")
register("row_sums", 2, hidden=True, shape="n m, m -> n", formula="sum(where(a, b, 0), 1)", masks=True, numpy="row_sums({a}, {b})", helper=ROW_SUMS, portable="np.sum(np.where({a}, {b}, 0), axis=1)", plain="Σⱼ({b} if {a}, else 0)",
         glyph=r"\Sigma", doc="Sums of what a condition chooses, row by row.", source="linear algebra")
register("column_sums", 2, hidden=True, shape="n m, n -> m", formula="sum(where(a, unsqueeze(b, 1), 0), 0)", masks=True, numpy="column_sums({a}, {b})", helper=COLUMN_SUMS, portable="np.sum(np.where({a}, {b:40}[:, None], 0), axis=0)", plain="Σᵢ({b} if {a}, else 0)",
         glyph=r"\Sigma", doc="Sums of what a condition chooses, column by column.", source="linear algebra")
register("mean", params=OVER, shape="reduce", vjp=("spread(g/size(a, axis), a, axis, keepdims)",), numpy=reducer("np.mean"),
         formula="sum(a, axis, keepdims)/size(a, axis)", glyph=r"\mathrm{mean}", fast="sum(a, axis, keepdims)/size(a, axis)", doc="Mean over axes.", source="statistics")
register("amax", params=OVER, shape="reduce", vjp=("spread(g, a, axis, keepdims)*winner(a, axis)",), numpy=amax, helper=AMAX, portable=reducer("np.max"),
         aliases=("max",), glyph=r"\max", kinks="ties: the first maximum takes the gradient", doc="Largest entry over axes.", source="order")
register("amin", params=OVER, shape="reduce", formula="-amax(-a, axis, keepdims)", vjp=("spread(g, a, axis, keepdims)*winner(-a, axis)",),
         numpy=reducer("np.min"), aliases=("min",), glyph=r"\min", kinks="ties: the first minimum takes the gradient",
         doc="Smallest entry over axes.", source="order")
register("var",  params=OVER, shape="reduce", formula="mean((a - mean(a, axis, True))**2, axis, keepdims)", numpy=reducer("np.var"),
         vjp=("spread(2*g/size(a, axis), a, axis, keepdims)*(a - mean(a, axis, True))",),
         careful=("spread(2*g/size(a, axis), a, axis, keepdims)*(a - mean(a, axis, True) - mean(a - mean(a, axis, True), axis, True))",),
         glyph=r"\mathrm{var}", range="[0, inf)", fast="mean((a - mean(a, axis, True))**2, axis, keepdims)", doc="Variance over axes (ddof 0).", source="statistics")
register("std",  params=OVER, shape="reduce", formula="sqrt(var(a, axis, keepdims))", numpy=reducer("np.std"),
         vjp=("over(spread(g/size(a, axis), a, axis, keepdims)*(a - mean(a, axis, True)), spread(y, a, axis, keepdims))",),
         kinks="a constant: derivative 0",
         glyph=r"\mathrm{std}", range="[0, inf)", fast="sqrt(var(a, axis, keepdims))", doc="Standard deviation over axes (ddof 0).", source="statistics")
register("norm", params=OVER, shape="reduce", formula="sqrt(sum(a**2, axis, keepdims))",
         vjp=("over(spread(g, a, axis, keepdims)*a, spread(y, a, axis, keepdims))",), latex=r"\lVert {a} \rVert", plain="‖{a}‖",
         numpy=lambda n: f"norm({{a}}{options(n)})", scalar="abs({a})", helper=NORM, portable=lambda n: f"np.sqrt(np.sum({{a:31}} ** 2{options(n)}))", kinks="a = 0: derivative 0", glyph=r"\|\cdot\|", range="[0, inf)",
         doc="Euclidean norm.", source="linear algebra")
register("standardize", 4, params={"axis": None}, hidden=True, shape=_centred,
         vjp=("(size(a, axis)*g - sum(g, axis, True) - y*sum(g*y, axis, True))/(size(a, axis)*sqrt(c + d))", None, None, "-g*y/(2*(c + d))"),
         canonical="x_hat", numpy="({a:10} - {b:11}) / np.sqrt({c:10} + {d:11})", numpy_level=20, latex=r"\frac{{{a} - {b}}}{{\sqrt{{{c} + {d}}}}}",
         plain="({a} − {b})/√({c} + {d})", level=20, glyph=r"\hat{x}",
         fast="(a - b)/sqrt(c + d)", doc="Subtract the mean b of a, divide by the root of its variance c plus d.", source="Ioffe and Szegedy 2015")
register("max_along", params={"axis": -1}, hidden=True, shape=_kept, formula="amax(a, axis, True)", numpy=_along("max_along"), helper=MAX_ALONG,
         glyph=r"\max", doc="Largest entry along an axis, which stays.", source="order")
register("sum_along", params={"axis": -1}, hidden=True, shape=_kept, formula="sum(a, axis, True)", numpy=_along("sum_along"), helper=SUM_ALONG,
         glyph=r"\Sigma", doc="Sum along an axis, which stays.", source="linear algebra")
register("winner", params={"axis": None}, shape="like a", dtype="bool", zero=True, hidden=True, masks=True, numpy=winner_numpy, portable=winner_portable, helper=WINNER,
         latex=r"{{e_{{\arg\max {a:31}}}}}", plain="e_argmax({a})", doc="Mark the (first) largest entry along an axis.", source="one-hot argmax")
register("attained", params={"axis": MISSING, "keepdims": False, "least": False}, shape="reduce", dtype="int", zero=True, hidden=True, numpy=attained,
         glyph=r"\arg\max", doc="The place of the (first) largest or smallest entry along an axis.", source="argmax")
register("logsumexp", params=OVER, shape="reduce", vjp=("spread(g, a, axis, keepdims)*softmax(a, axis)",),
         careful=("spread(g, a, axis, keepdims)*reached(softmax(a, axis), spread(y, a, axis, keepdims))",),
         formula="log(sum(exp(a), axis, keepdims))", numpy=lambda n: f"logsumexp({{a}}{options(n)})", helper=LOGSUMEXP, precise_helper=LOGSUMEXP_PRECISE, portable=_logsumexp,
         glyph=r"\mathrm{lse}", fast=_LOGSUMEXP, doc="log Σ exp, from the maximum; where all are -inf, code has slope 0.", source="log-sum-exp")
register("softmax", params={"axis": -1}, shape="like a", operands=("x", "beta"), typed="softmax(b*a, axis)", needs=("-inf < b < inf",),
         formula="exp(a)/sum(exp(a), axis, True)",
         vjp=("y*(g - sum(g*y, axis, True))",), numpy=_along("softmax"), helper=SOFTMAX, range="(0, 1)", canonical="P",
         glyph=r"\mathrm{softmax}", fast="exp(a - amax(a, axis, True))/sum(exp(a - amax(a, axis, True)), axis, True)", doc="Exponentials over their sum.", source="Boltzmann; Bridle 1990")
register("log_softmax", params={"axis": -1}, shape="like a", formula="log(softmax(a, axis))",
         vjp=("g - sum(g, axis, True)*softmax(a, axis)",),
         accurate=("g*softmax_rest(a, axis) - softmax(a, axis)*(sum(g, axis, True) - g)",), numpy=_along("log_softmax"), helper=LOG_SOFTMAX, precise_helper=LOG_SOFTMAX_PRECISE, portable=_log_softmax, range="(-inf, 0)", canonical="log_P",
         glyph=r"\log\mathrm{softmax}", latex=r"\log\mathrm{{softmax}}({a})", plain="log softmax({a})",
         fast="a - amax(a, axis, True) - log(sum(exp(a - amax(a, axis, True)), axis, True))", doc="Logarithm of softmax.", source="log of softmax")
register("softmax_rest", params={"axis": -1}, shape="like a", formula="1 - softmax(a, axis)", hidden=True, vjp=("-(softmax(a, axis)*(g - sum(g*softmax(a, axis), axis, True)))",),
         numpy=_along("softmax_rest"), helper=SOFTMAX_REST, range="(0, 1)", glyph=r"1-\mathrm{softmax}", doc="1 - softmax, from the shares of the others.", source="softmax")
register("shares", params={"axis": -1}, shape="like a", formula="softmax(a, axis)", hidden=True, vjp=("y*(g - sum(g*y, axis, True))",), numpy=_along("shares"), helper=SHARES,
         fast=_SHARES, range="(0, 1)", glyph=r"\mathrm{softmax}", latex=r"\mathrm{{softmax}}({a})", plain="softmax({a})", canonical="P",
         doc="The slope of log-sum-exp: softmax, but 0 where all are -inf.", source="softmax")
register("grounded", hidden=True, formula="a", vjp=("g",), numpy="grounded({a})", helper=GROUNDED, scalar="max({a}, -1.7976931348623157e308)", fast="maximum(a, -literal(far))",
         doc="The lowest number in place of -inf.", source="log-sum-exp")
register("onehot", params={"size": None}, shape=_hot, dtype="bool", zero=True, hidden=True, numpy=_hot_numpy, numpy_level=5,
         latex="e_{{{a}}}", plain="e_{a}", glyph="e", canonical="", doc="Rows with a 1 at the label.", source="one-hot coding")
# fmt: on

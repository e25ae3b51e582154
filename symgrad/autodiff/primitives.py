"""Primitives at high precision: values, and derivatives that no row of the table knows of.

`exact` walks a graph with these. Arrays are NumPy object arrays of mpf.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

from symgrad.evaluate import size
from symgrad.graph import Node
from symgrad.shapes import axes_of

NAN = mpf("nan")
CAP = 20000  # the most digits to work with


def elementwise(function: Callable[..., Any], operands: list[Any]) -> Any:
    """Apply a function of numbers to arrays that broadcast."""
    return np.frompyfunc(function, len(operands), 1)(*operands)


class Digits:
    """Add and multiply, and keep account of digits that went.

    `gap` is the largest number of digits between the terms of a sum (where it was more than can be
    bridged, `beyond` says so), `cancelled` the largest number that a sum since the last reset is
    smaller than its terms, `vanished` says that a sum was 0 although its terms were not, `pole`
    that finite numbers gave no finite one.
    """

    def __init__(self) -> None:
        self.gap, self.cancelled = 0, 0
        self.beyond, self.vanished, self.pole = False, False, False

    def add(self, a: Any, b: Any) -> Any:
        """Add two numbers."""
        c = a + b
        if not a or not b or not (mpmath.isfinite(a) and mpmath.isfinite(b)):
            return c
        if not c:
            self.vanished = True
            return c
        bits = mpmath.mag(a), mpmath.mag(b)
        gap = (max(bits) - min(bits)) * 3 // 10 + 1  # log10(2) is 0.3
        if gap > CAP:
            self.beyond = True
        else:
            self.gap = max(self.gap, gap)
        self.cancelled = max(self.cancelled, (max(bits) - mpmath.mag(c)) * 3 // 10 + 1)
        return c

    def sub(self, a: Any, b: Any) -> Any:
        """Subtract two numbers."""
        return self.add(a, -b)

    def times(self, a: Any, b: Any) -> Any:
        """Multiply two numbers; 0 times anything is 0."""
        return a * b if a and b else mpf(0)

    def total(self, a: Any, axes: tuple[int, ...], keepdims: bool = False) -> Any:
        """Sum over axes."""
        add = np.frompyfunc(self.add, 2, 1)
        for k in sorted(axes, reverse=True):
            a = np.asarray(add.reduce(a, axis=k, initial=mpf(0), keepdims=keepdims), dtype=object)
        return a

    def unbroadcast(self, share: Any, shape: tuple[int, ...]) -> Any:
        """Sum over the axes that broadcasting added or stretched."""
        share = np.asarray(share, dtype=object)
        share = self.total(share, tuple(range(share.ndim - len(shape))))
        stretched = tuple(k for k, n in enumerate(shape) if n != share.shape[k])
        return self.total(share, stretched, keepdims=True)


def real(function: Callable[..., Any], account: Digits) -> Callable[..., Any]:
    """Make a function answer NaN off its real domain, and note its poles."""

    def answer(*numbers: Any) -> Any:
        try:
            result = function(*numbers)
        except (ZeroDivisionError, ValueError, OverflowError):
            result = NAN
        if isinstance(result, mpmath.mpc):
            result = NAN
        result = result if isinstance(result, mpf) else mpf(result)
        if not mpmath.isfinite(result) and all(mpmath.isfinite(v) for v in numbers):
            account.pole = True
        return result

    return answer


# -- elementwise primitives: value, then the derivative in each operand from (y, a, b, …) -----


def _exp(a: Any) -> Any:
    """Exponentiate; beyond exp(2**4000) not even the exponent is worth having."""
    if mpmath.isfinite(a) and mpmath.mag(a or 1) > 4000:
        return mp.inf if a > 0 else mpf(0)
    return mpmath.exp(a)


def _divide(a: Any, b: Any) -> Any:
    if b:
        return a / b
    return mpmath.sign(a) * mp.inf if a else NAN


def _power(a: Any, b: Any) -> Any:
    if mpmath.isint(b) and mpmath.isfinite(b):
        if not a and b < 0:
            return mp.inf
        return a ** int(b) if abs(b) < 2**40 else mpmath.power(a, b)
    return mpmath.power(a, b)


def _power_slope(y: Any, a: Any, b: Any) -> Any:
    """Give b a**(b - 1), at a = 0 its limit from the right; x**0 has the slope 0."""
    if not b:
        return 0
    return b * _power(a, b - 1) if a or b >= 1 else mp.inf


def _exponent_slope(y: Any, a: Any, b: Any) -> Any:
    return y * mpmath.log(a) if y else 0


def _larger(a: Any, b: Any) -> Any:
    return a if a > b or mpmath.isnan(a) else b


def _smaller(a: Any, b: Any) -> Any:
    return a if a < b or mpmath.isnan(a) else b


def _log1p(a: Any) -> Any:
    return mpmath.log1p(a) if a > -1 else (-mp.inf if a == -1 else NAN)


def _plain(function: Callable[..., Any]) -> Callable[[Digits], Callable[..., Any]]:
    return lambda account: real(function, account)


def _test(function: Callable[..., bool]) -> tuple[Any, ...]:
    return _plain(lambda a, b: mpf(1) if function(a, b) else mpf(0)), None, None


def _slope(function: Callable[..., Any], *slopes: Callable[..., Any] | None) -> tuple[Any, ...]:
    return _plain(function), *slopes


# fmt: off
DERIVED: dict[str, tuple[Any, ...]] = {
    "add": (lambda account: account.add, lambda y, a, b: 1, lambda y, a, b: 1),
    "sub": (lambda account: account.sub, lambda y, a, b: 1, lambda y, a, b: -1),
    "mul": (lambda account: account.times, lambda y, a, b: b, lambda y, a, b: a),
    "div": _slope(_divide, lambda y, a, b: _divide(mpf(1), b), lambda y, a, b: -_divide(_divide(a, b), b)),
    "neg": _slope(lambda a: -a, lambda y, a: -1),
    "pow": _slope(_power, _power_slope, _exponent_slope),
    "exp": _slope(_exp, lambda y, a: y),
    "expm1": _slope(mpmath.expm1, lambda y, a: _exp(a)),
    "log": _slope(mpmath.log, lambda y, a: _divide(mpf(1), a)),
    "log1p": _slope(_log1p, lambda y, a: _divide(mpf(1), 1 + a)),
    "sqrt": _slope(mpmath.sqrt, lambda y, a: 1/(2*y) if y else mp.inf),
    "abs": _slope(abs, lambda y, a: mpmath.sign(a)),
    "sign": _slope(mpmath.sign, None),
    "floor": _slope(mpmath.floor, None),
    "sin": _slope(mpmath.sin, lambda y, a: mpmath.cos(a)),
    "cos": _slope(mpmath.cos, lambda y, a: -mpmath.sin(a)),
    "tan": _slope(mpmath.tan, lambda y, a: mpmath.sec(a)**2),
    "sinh": _slope(mpmath.sinh, lambda y, a: mpmath.cosh(a)),
    "cosh": _slope(mpmath.cosh, lambda y, a: mpmath.sinh(a)),
    "tanh": _slope(mpmath.tanh, lambda y, a: mpmath.sech(a)**2),
    "asinh": _slope(mpmath.asinh, lambda y, a: 1/mpmath.sqrt(1 + a*a)),
    "arctan": _slope(mpmath.atan, lambda y, a: 1/(1 + a*a)),
    "erf": _slope(mpmath.erf, lambda y, a: 2/mpmath.sqrt(mp.pi)*_exp(-a*a)),
    "maximum": _slope(_larger, lambda y, a, b: a > b, lambda y, a, b: not a > b),
    "minimum": _slope(_smaller, lambda y, a, b: not b < a, lambda y, a, b: b < a),
    "where": _slope(lambda c, a, b: a if c else b, None, lambda y, c, a, b: bool(c), lambda y, c, a, b: not c),
    "lt": _test(lambda a, b: a < b), "le": _test(lambda a, b: a <= b), "gt": _test(lambda a, b: a > b),
    "ge": _test(lambda a, b: a >= b), "eq": _test(lambda a, b: a == b), "ne": _test(lambda a, b: a != b),
    "both": _test(lambda a, b: bool(a) and bool(b)),
}  # fmt: skip
# fmt: on


# -- what moves, adds up or selects entries ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Structural:
    """Hold forward(node, operands, sizes, account) and backward(node, k, g, operands, y, …)."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]


def _axes(node: Node) -> tuple[int, ...]:
    return axes_of(node.attrs["axis"], len(node.args[0].shape))


def _spread(node: Node, g: Any, like: Any) -> Any:
    """Repeat a reduced gradient over the axes that the reduction removed."""
    if not node.attrs["keepdims"]:
        g = np.expand_dims(g, _axes(node))
    return np.broadcast_to(g, np.shape(like))


def _sum(node: Node, operands: list[Any], sizes: Any, account: Digits) -> Any:
    return account.total(operands[0], _axes(node), node.attrs["keepdims"])


def _sum_back(node: Node, k: int, g: Any, operands: list[Any], *_: Any) -> Any:
    return _spread(node, g, operands[0])


def _rows(a: Any, axes: tuple[int, ...]) -> Any:
    """Move the axes to the end and join them."""
    moved = np.moveaxis(a, axes, range(-len(axes), 0)) if axes else a[..., None]
    return moved.reshape(*moved.shape[: moved.ndim - max(len(axes), 1)], -1)


def _amax(node: Node, operands: list[Any], sizes: Any, account: Digits) -> Any:
    a, axes = operands[0], _axes(node)
    top = np.frompyfunc(_larger, 2, 1).reduce(_rows(a, axes), axis=-1)
    return np.expand_dims(top, axes) if node.attrs["keepdims"] else top


def _amax_back(node: Node, k: int, g: Any, operands: list[Any], *_: Any) -> Any:
    """Give the gradient to the first of the largest entries."""
    a, axes = operands[0], _axes(node)
    place = np.arange(a.size).reshape(a.shape)
    first: dict[int, None] = {}
    rows, places = _rows(a, axes), _rows(place, axes)
    for row, spots in zip(
        rows.reshape(-1, rows.shape[-1]), places.reshape(-1, rows.shape[-1]), strict=True
    ):
        best = max(range(len(row)), key=lambda j: (row[j], -j))
        first[int(spots[best])] = None
    hot = np.array([mpf(int(j in first)) for j in range(a.size)], dtype=object)
    return elementwise(lambda x, h: x if h else mpf(0), [_spread(node, g, a), hot.reshape(a.shape)])


def _amin(node: Node, operands: list[Any], sizes: Any, account: Digits) -> Any:
    return -_amax(node, [-operands[0]], sizes, account)


def _amin_back(node: Node, k: int, g: Any, operands: list[Any], *_: Any) -> Any:
    return _amax_back(node, k, g, [-operands[0]])


def _prod(node: Node, operands: list[Any], sizes: Any, account: Digits) -> Any:
    axes = _axes(node)
    rows = _rows(operands[0], axes)
    result = np.frompyfunc(account.times, 2, 1).reduce(rows, axis=-1, initial=mpf(1))
    return np.expand_dims(result, axes) if node.attrs["keepdims"] else result


def _prod_back(
    node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Any, account: Digits
) -> Any:
    """Give every entry the product of the others."""
    a, axes = operands[0], _axes(node)
    others = np.empty(a.shape, dtype=object)
    for spot in np.ndindex(a.shape):
        line = tuple(slice(None) if j in axes else spot[j] for j in range(a.ndim))
        changed = a.copy()
        changed[spot] = mpf(1)
        others[spot] = mpmath.fprod(np.ravel(np.asarray(changed[line], dtype=object)))
    return elementwise(account.times, [_spread(node, g, a), others])


def _matrices(a: Any, b: Any) -> tuple[Any, Any]:
    """Write vectors as a row and a column."""
    return (a[None, :] if a.ndim == 1 else a), (b[:, None] if b.ndim == 1 else b)


def _matmul(node: Node, operands: list[Any], sizes: Any, account: Digits) -> Any:
    a, b = _matrices(*operands)
    terms = elementwise(account.times, [a[..., :, :, None], b[..., None, :, :]])
    result = account.total(terms, (terms.ndim - 2,))
    if operands[1].ndim == 1:
        result = result[..., 0]
    return result[..., 0] if operands[0].ndim == operands[1].ndim == 1 else (
        result[..., 0, :] if operands[0].ndim == 1 else result
    )  # fmt: skip


def _matmul_back(
    node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Any, account: Digits
) -> Any:
    a, b = _matrices(*operands)
    if operands[0].ndim == 1:
        g = np.expand_dims(g, -2 if operands[1].ndim > 1 else -1)
    if operands[1].ndim == 1:
        g = np.expand_dims(g, -1)
    if k == 0:
        terms = elementwise(account.times, [g[..., :, None, :], b[..., None, :, :]])
        full = account.total(terms, (terms.ndim - 1,))
        return account.unbroadcast(full, a.shape).reshape(operands[0].shape)
    terms = elementwise(account.times, [a[..., :, :, None], g[..., :, None, :]])
    full = account.total(terms, (terms.ndim - 3,))
    return account.unbroadcast(full, b.shape).reshape(operands[1].shape)


def _outer(node: Node, operands: list[Any], sizes: Any, account: Digits) -> Any:
    return elementwise(account.times, [operands[0][:, None], operands[1][None, :]])


def _outer_back(
    node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Any, account: Digits
) -> Any:
    other = operands[1][None, :] if k == 0 else operands[0][:, None]
    return account.total(elementwise(account.times, [g, other]), (1 - k,))


def _shape(node: Node, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(size(d, sizes) if isinstance(d, str) else d for d in node.attrs["shape"])


def _key(node: Node) -> tuple[Any, ...]:
    """Make NumPy's index of the pairs (start, stop) of a slice."""
    pairs = node.attrs["key"]
    return tuple(a if b is None else slice(a, None if b == "end" else b) for a, b in pairs)


def _slice_back(node: Node, k: int, g: Any, operands: list[Any], *_: Any) -> Any:
    result = np.full(operands[0].shape, mpf(0), dtype=object)
    result[_key(node)] = g[()]  # a number, not an array of one
    return result


def _labels(table: Any, labels: Any) -> tuple[Any, Any]:
    """Broadcast the rows of a table against the labels, which become integers."""
    chosen = np.frompyfunc(int, 1, 1)(labels)
    shape = np.broadcast_shapes(table.shape[:-1], np.shape(labels))
    rows = np.broadcast_to(table, (*shape, table.shape[-1]))
    return rows, np.broadcast_to(np.asarray(chosen).astype(int), shape)[..., None]


def _pick(node: Node, operands: list[Any], sizes: Any, account: Digits) -> Any:
    rows, chosen = _labels(*operands)
    return np.take_along_axis(rows, chosen, -1)[..., 0]


def _pick_back(
    node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Any, account: Digits
) -> Any:
    if k == 1:
        return None
    rows, chosen = _labels(*operands)
    full = np.full(rows.shape, mpf(0), dtype=object)
    np.put_along_axis(full, chosen, np.asarray(g, dtype=object)[..., None], -1)
    return account.unbroadcast(full, operands[0].shape)


def _onehot(node: Node, operands: list[Any], sizes: Mapping[str, int], account: Digits) -> Any:
    width = node.attrs["size"]
    classes = np.arange(size(width, sizes) if isinstance(width, str) else width)
    return elementwise(lambda a, b: mpf(int(a == b)), [np.asarray(operands[0])[..., None], classes])


def _arange(node: Node, operands: list[Any], sizes: Mapping[str, int], account: Digits) -> Any:
    width = node.attrs["size"]
    count = size(width, sizes) if isinstance(width, str) else width
    return np.array([mpf(k) for k in range(count)], dtype=object)


def _nothing(*_: Any) -> Any:
    return None


def _transposed(node: Node, a: Any, back: bool = False) -> Any:
    axes = node.attrs["axes"]
    return np.transpose(a, np.argsort(axes) if back and axes is not None else axes)


STRUCTURAL: dict[str, Structural] = {
    "sum": Structural(_sum, _sum_back),
    "amax": Structural(_amax, _amax_back),
    "amin": Structural(_amin, _amin_back),
    "prod": Structural(_prod, _prod_back),
    "matmul": Structural(_matmul, _matmul_back),
    "outer": Structural(_outer, _outer_back),
    "transpose": Structural(
        lambda node, operands, sizes, account: _transposed(node, operands[0]),
        lambda node, k, g, *_: _transposed(node, g, back=True),
    ),
    "expand": Structural(
        lambda node, operands, sizes, account: np.expand_dims(operands[0], node.attrs["axes"]),
        lambda node, k, g, operands, *_: np.reshape(g, operands[0].shape),
    ),
    "broadcast": Structural(
        lambda node, operands, sizes, account: np.broadcast_to(operands[0], _shape(node, sizes)),
        lambda node, k, g, operands, y, sizes, account: account.unbroadcast(g, operands[0].shape),
    ),
    "slice": Structural(
        lambda node, operands, sizes, account: operands[0][_key(node)], _slice_back
    ),
    "pick": Structural(_pick, _pick_back),
    "onehot": Structural(_onehot, _nothing),
    "arange": Structural(_arange, _nothing),
}

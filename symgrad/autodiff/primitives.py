"""Elementwise primitives at high precision: values, and derivatives of this module's own.

`exact` walks a graph with these. Arrays are NumPy object arrays of mpf.
"""

import operator
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from mpmath import mp, mpf

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


def _over(a: Any, b: Any) -> Any:
    """Divide; 0 where b is 0, as in the gradient of a norm."""
    return a / b if b else mpf(0)


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


DERIVED: dict[str, tuple[Any, ...]] = {
    "add": (lambda account: account.add, lambda y, a, b: 1, lambda y, a, b: 1),
    "sub": (lambda account: account.sub, lambda y, a, b: 1, lambda y, a, b: -1),
    "mul": (lambda account: account.times, lambda y, a, b: b, lambda y, a, b: a),
    "div": _slope(
        _divide, lambda y, a, b: _divide(mpf(1), b), lambda y, a, b: -_divide(_divide(a, b), b)
    ),
    "over": _slope(_over, lambda y, a, b: _over(mpf(1), b), lambda y, a, b: -_over(_over(a, b), b)),
    "neg": _slope(lambda a: -a, lambda y, a: -1),
    "pow": _slope(_power, _power_slope, _exponent_slope),
    "exp": _slope(_exp, lambda y, a: y),
    "expm1": _slope(mpmath.expm1, lambda y, a: _exp(a)),
    "log": _slope(mpmath.log, lambda y, a: _divide(mpf(1), a)),
    "log1p": _slope(_log1p, lambda y, a: _divide(mpf(1), 1 + a)),
    "sqrt": _slope(mpmath.sqrt, lambda y, a: 1 / (2 * y) if y else mp.inf),
    "abs": _slope(abs, lambda y, a: mpmath.sign(a)),
    "sign": _slope(mpmath.sign, None),
    "floor": _slope(mpmath.floor, None),
    "sin": _slope(mpmath.sin, lambda y, a: mpmath.cos(a)),
    "cos": _slope(mpmath.cos, lambda y, a: -mpmath.sin(a)),
    "tan": _slope(mpmath.tan, lambda y, a: mpmath.sec(a) ** 2),
    "sinh": _slope(mpmath.sinh, lambda y, a: mpmath.cosh(a)),
    "cosh": _slope(mpmath.cosh, lambda y, a: mpmath.sinh(a)),
    "tanh": _slope(mpmath.tanh, lambda y, a: mpmath.sech(a) ** 2),
    "asinh": _slope(mpmath.asinh, lambda y, a: 1 / mpmath.sqrt(1 + a * a)),
    "arctan": _slope(mpmath.atan, lambda y, a: 1 / (1 + a * a)),
    "erf": _slope(mpmath.erf, lambda y, a: 2 / mpmath.sqrt(mp.pi) * _exp(-a * a)),
    "maximum": _slope(_larger, lambda y, a, b: a > b, lambda y, a, b: not a > b),
    "minimum": _slope(_smaller, lambda y, a, b: not b < a, lambda y, a, b: b < a),
    "where": _slope(
        lambda c, a, b: a if c else b, None, lambda y, c, a, b: bool(c), lambda y, c, a, b: not c
    ),
    "lt": _test(operator.lt),
    "le": _test(operator.le),
    "gt": _test(operator.gt),
    "ge": _test(operator.ge),
    "eq": _test(operator.eq),
    "ne": _test(operator.ne),
    "both": _test(lambda a, b: bool(a) and bool(b)),
}

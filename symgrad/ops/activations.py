"""Activations: one line each. A new one needs its name and its formula; the rest follows.

`vjp` is given where the derivative has a form in the activation's own value.
"""

import math
from collections.abc import Callable
from typing import Any

from symgrad.graph import Node
from symgrad.ops.spec import Op, register, value_of
from symgrad.ops.tails import (
    ERF,
    GAUSSIAN,
    NEAR,
    NEAR32,
    NORMAL_CDF,
    NORMAL_PDF,
    TAIL,
    TAIL32,
    central,
    signed,
)


def activation(name: str, formula: str, arity: int = 1, **fields: Any) -> Op:
    """Add an elementwise activation given by its formula in `a` (parameters by name)."""
    return register(name, arity, formula=formula, **fields)


TERMS = 14  # of the power series of (f(x)/x)' below 1/4; tanh(x)/x converges as (2 x/pi)^2n
TANGENT = [1.0]  # of tanh(x)/x in x**2, by tanh' = 1 - tanh**2
for _n in range(1, TERMS):
    TANGENT.append(-sum(a * b for a, b in zip(TANGENT, TANGENT[::-1], strict=True)) / (2 * _n + 1))
SERIES = {
    "expm1": [1 / math.factorial(n + 1) for n in range(TERMS)],
    "log1p": [(-1) ** n / (n + 1) for n in range(30)],
    "tanh": [t for c in TANGENT for t in (c, 0)],
}


def _series(node: Node) -> str:
    """Spell the derivative of f(a)/a with the coefficients of its power series, highest first."""
    terms = SERIES[node.attrs["of"]]
    slopes = [n * c for n, c in enumerate(terms)][:0:-1]
    return f"secant_slope({{a}}, {{b}}, {{c}}, ({', '.join(map(repr, slopes))}))"


def _second(node: Node) -> str:
    """Spell the second derivative of f(a)/a in the same way."""
    terms = SERIES[node.attrs["of"]]
    seconds = [n * (n - 1) * c for n, c in enumerate(terms)][:1:-1]
    return f"secant_curve({{a}}, {{b}}, {{c}}, ({', '.join(map(repr, seconds))}))"


def _elu(template: str) -> Callable[[Node], str]:
    """Leave the usual factor 1 out."""
    return lambda node: template.replace(
        "{b:20} * ", "" if value_of(node.args[1]) == 1 else "{b:20} * "
    )


SIGMOID = '''
def sigmoid(x):
    """Logistic function; where exp overflows, the quotient is 0, as it should be."""
    return 1 / (1 + np.exp(-x))
'''
SIGMOID_PRECISE = '''
def sigmoid(x):
    """Logistic function, also in the tails; beyond 40 it is 1 to the last digit."""
    e = np.exp(np.minimum(x, 40))
    return e / (1 + e)
'''
SOFTPLUS = '''
def softplus(x):
    """log(1 + exp(x)), without overflow for any x."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
'''
SCALAR_SIGMOID = '''
def sigmoid(x):
    """Logistic function 1/(1 + exp(-x)), without overflow for any x."""
    if x >= 0:
        return 1 / (1 + math.exp(-x))
    e = math.exp(x)
    return e / (1 + e)
'''
SCALAR_SOFTPLUS = '''
def softplus(x):
    """log(1 + exp(x)), without overflow for any x."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))
'''
LOGCOSH = '''
def logcosh(x):
    """log(cosh(x)): through sinh near 0, without overflow far out."""
    z = np.abs(x)
    near = np.log1p(np.sinh(np.minimum(z, 1)) ** 2) / 2
    return np.where(z < 1, near, z + np.log1p(np.exp(-2 * z)) - 0.6931471805599453)[()]
'''
TANHSHRINK = '''
def tanhshrink(x):
    """x - tanh(x): by Lambert's continued fraction near 0, where the difference cancels."""
    z = np.minimum(np.abs(x), 1)
    c = z * z / 19
    for k in (17, 15, 13, 11, 9, 7, 5, 3):
        c = z * z / (k + c)
    return np.where(np.abs(x) < 1, x * (c / (1 + c)), x - np.tanh(x))[()]
'''
GATE = '''
def gelu_gate(x):
    """sigmoid(v), v = sqrt(8/pi)*(x + 0.044715*x**3); beyond 40 it is 0 or 1."""
    x = np.clip(x, -40, 40)
    return sigmoid(x * (1.5957691216057308 + 0.07135481627260025 * (x * x)))
'''
GELU_GATE = '''
def gelu_gate(x):
    """sigmoid(v), v = sqrt(8/pi)*(x + 0.044715*x**3), of which the leading bits are exact."""
    x = np.asarray(x)
    z = np.minimum(np.abs(x), 40.0).astype(np.float64)
    if x.dtype == np.float32:
        e = np.exp(-z * (1.5957691216057308 + 0.07135481627260025 * (z * z)))
        return (np.maximum(e, x >= 0) / (1 + e)).astype(np.float32)
    high = z + 52776558133248.0
    high -= 52776558133248.0  # a multiple of 2**-7: products with its cube are exact
    square = high * high
    rest = z * z
    rest += z * high
    rest += square
    rest *= -0.07135481627260025
    rest -= 1.5957691216057308
    rest *= z - high
    rest -= 3.0874305383944692e-12 * high
    square *= high
    rest -= 4.718616350245272e-06 * square
    e = np.exp(rest)
    square *= -0.07135009765625
    e *= np.exp(square)
    high *= -1.5957691216026433
    e *= np.exp(high)
    return (np.maximum(e, x >= 0) / (1 + e)).astype(np.result_type(x, np.float16))[()]
'''
MISH = '''
def mish(x):
    """x*tanh(log(1 + exp(x))) as a rational function of exp(x); beyond 22 it is x."""
    e = np.exp(np.minimum(x, 22))
    top = e * (e + 2)
    return x * (top / (top + 2))
'''
MISH_SLOPE = '''
def mish_slope(x):
    """Derivative of x*tanh(log(1 + exp(x))) as a rational function of exp(x); beyond 22 it is 1."""
    x = np.clip(x, -800, 22)
    e = np.exp(x)
    low = e * (e + 2) + 2
    return e * ((e + 2) * low + 4 * x * (e + 1)) / low / low
'''
SECANT_CURVE = '''
def secant_curve(x, slope, second, series):
    """Second derivative of f(x)/x for an f that is 0 at 0: (f'' - 2 (f/x)')/x, near 0 its series."""
    near = np.abs(x) < 0.25
    safe = np.where(near, 1, x)
    return np.where(near, power_series(x, near, 0, 1, series), (second - 2 * slope) / safe)[()]
'''
SECANT_SLOPE = '''
def secant_slope(x, f, slope, series):
    """Derivative of f(x)/x for an f that is 0 at 0: (f' - f/x)/x, near 0 its power series."""
    x = np.asarray(x)
    near = np.abs(x) < 0.25
    safe = x + near
    far = (slope - f / safe) / safe
    if not np.any(near):
        return far
    found = np.array(far)
    found[near] = power_series(x[near], True, 0, 1, series)
    return found[()]
'''
SINC = '''
def sinc(x):
    """sin(pi*x)/(pi*x), the sine taken of the distance to the nearest integer."""
    n = np.rint(x)
    sine = np.sin(np.pi * (x - n)) * (1 - 2 * np.abs(np.mod(n, 2)))
    return np.where(x == 0, 1, sine / (np.pi * np.where(x == 0, 1, x)))[()]
'''
SINC_SLOPE = '''
def sinc_slope(x):
    """Derivative of sin(pi*x)/(pi*x); a series near 0, where the difference cancels."""
    x = np.asarray(x)
    kept, x = np.result_type(x, np.float16), x.astype(np.float64)
    z = np.pi * np.clip(x, -0.4, 0.4)
    series = 1.0
    for k in (9, 8, 7, 6, 5, 4, 3, 2, 1):
        series = 1 - z * z / (2 * k * (2 * k + 3)) * series
    n = np.rint(x)
    sign = 1 - 2 * np.abs(np.mod(n, 2))
    safe = np.where(np.abs(x) < 0.4, 1, x)
    far = sign * (np.cos(np.pi * (x - n)) - np.sin(np.pi * (x - n)) / (np.pi * safe)) / safe
    return np.where(np.abs(x) < 0.4, -np.pi / 3 * z * series, far).astype(kept)[()]
'''
SCALAR_SINC_SLOPE = '''
def sinc_slope(x):
    """Derivative of sin(pi*x)/(pi*x); a series near 0, where the difference cancels."""
    if abs(x) < 0.4:
        z, series = math.pi * x, 1.0
        for k in (378, 304, 238, 180, 130, 88, 54, 28, 10):
            series = 1 - z * z / k * series
        return -math.pi / 3 * z * series
    if x - x != 0:
        return math.nan
    turn = math.pi * math.remainder(x, 2.0)  # exact, however large x is
    return (math.cos(turn) - math.sin(turn) / (math.pi * x)) / x
'''
# fmt: off
activation("sigmoid", "1/(1 + exp(-a))", vjp=("g*y*(1 - y)",), accurate=("g*y*sigmoid(-a)",), numpy="sigmoid({a})", helper=SIGMOID, precise_helper=SIGMOID_PRECISE,
           scalar="sigmoid({a})", scalar_helper=SCALAR_SIGMOID,
           latex=r"\sigma({a})", plain="σ({a})", glyph=r"\sigma", range="(0, 1)", canonical="s",
           recognise=("1/(1 + exp(-a))", "1/(1 + 1/exp(a))", "exp(a)/(1 + exp(a))", "(1 + exp(-a))**(-1)", "(1 + tanh(a/2))/2"),
           stable=(("b/(1 + exp(-a))", "b*sigmoid(a)"), ("1/(1 + exp(a))", "sigmoid(-a)"), ("b/(1 + exp(a))", "b*sigmoid(-a)"),
                   ("exp(a)/(exp(a) + exp(b))", "sigmoid(a - b)"), ("b/(1 + exp(-a))**c", "b*sigmoid(a)**c"), ("b/(1 + exp(a))**c", "b*sigmoid(-a)**c"),
                   ("exp(-a)*sigmoid(a)**2", "sigmoid(-a)*sigmoid(a)"), ("exp(a)*sigmoid(-a)**2", "sigmoid(a)*sigmoid(-a)"),
                   ("exp(a)*sigmoid(-a)", "sigmoid(a)"), ("exp(-a)*sigmoid(a)", "sigmoid(-a)")),
           fast="1/(1 + exp(-a))", doc="Logistic function.", source="Verhulst 1845")
activation("sigmoid_slope", "sigmoid(a)*(1 - sigmoid(a))", hidden=True, vjp=("g*y*(1 - 2*sigmoid(a))",), numpy="sigmoid({a}) * sigmoid(-{a:25})", numpy_level=20,
           scalar="sigmoid({a}) * sigmoid(-{a:25})", latex=r"\sigma'({a})", plain="σ′({a})", glyph=r"\sigma'", fast="exp(-abs(a))/(1 + exp(-abs(a)))**2", doc="Derivative of the logistic function.", source="Verhulst 1845")
activation("relu", "maximum(a, 0)", recognise=("maximum(a, 0)",), vjp=("g*(y > 0)",), numpy="np.maximum({a}, 0)",
           scalar="({a:6} if {a:6} > 0 or {a:6} != {a:6} else 0.0)",
           latex=r"\mathrm{{ReLU}}({a})", plain="ReLU({a})", glyph=r"\mathrm{ReLU}", range="[0, inf)", kinks="a = 0: derivative 0",
           fast="maximum(a, 0)", doc="Rectified linear unit.", source="Nair and Hinton 2010")
activation("softplus", "log(1 + exp(a))", vjp=("g*sigmoid(a)",), numpy="softplus({a})", helper=SOFTPLUS, portable="np.logaddexp(0, {a})",
           scalar="softplus({a})", scalar_helper=SCALAR_SOFTPLUS, operands=("x", "beta"), typed="softplus(b*a)/b", needs=("0 < b < inf",),
           latex=r"\operatorname{{softplus}}({a})", plain="softplus({a})", glyph=r"\mathrm{softplus}", range="(0, inf)",
           recognise=("log(1 + exp(a))", "log1p(exp(a))"),
           stable=(("log(sigmoid(a))", "-softplus(-a)"), ("log(1 - sigmoid(a))", "-softplus(a)"), ("log(1/(1 + exp(a)))", "-softplus(a)")),
           fast="maximum(a, 0) + log1p(exp(-abs(a)))", doc="Smooth rectifier log(1 + e^a).", source="Dugas et al. 2001")
activation("logcosh", "log(cosh(a))", vjp=("g*tanh(a)",), numpy="np.abs({a}) + np.log1p(np.exp(-2 * np.abs({a}))) - 0.6931471805599453",
           numpy_level=10, scalar="abs({a}) + math.log1p(math.exp(-2 * abs({a}))) - 0.6931471805599453", precise="logcosh({a})", precise_helper=LOGCOSH, recognise=("log(cosh(a))",),
           latex=r"\log\cosh({a})", plain="log cosh({a})", glyph=r"\log\cosh", range="[0, inf)",
           fast="abs(a) + log1p(exp(-2*abs(a))) - 0.6931471805599453", doc="log cosh, without overflow.", source="hyperbolic secant likelihood")
activation("logsigmoid", "-softplus(-a)", latex=r"\log\sigma({a})", plain="logσ({a})", glyph=r"\log\sigma", range="(-inf, 0)",
           doc="Logarithm of the logistic function.", source="log of sigmoid")
activation("leaky_relu", "where(a > 0, a, b*a)", arity=2, operands=("x", "a"), defaults=(0.01,), needs=("-inf < b < inf",), latex=r"\mathrm{{LReLU}}({a}, {b})", plain="LReLU({a}, {b})", glyph=r"\mathrm{LReLU}",
           kinks="a = 0: derivative b", fast="maximum(a, 0) + b*minimum(a, 0)", doc="ReLU with the slope b below 0.", source="Maas et al. 2013")
activation("prelu", "maximum(a, 0) + b*minimum(a, 0)", needs=("-inf < b < inf",), recognise=("relu(a) + b*minimum(a, 0)", "relu(a) - b*relu(-a)"), arity=2, operands=("x", "a"), vjp=("g*where(a > 0, 1, b)", "g*minimum(a, 0)"),
           numpy="np.where({a} > 0, {a}, {b:20} * {a:21})", scalar="({a:6} if {a:6} > 0 else {b:20} * {a:21})", latex=r"\mathrm{{PReLU}}({a}, {b})", plain="PReLU({a}, {b})", glyph=r"\mathrm{PReLU}",
           kinks="a = 0: derivative b", fast="maximum(a, 0) + b*minimum(a, 0)", doc="Leaky ReLU with a learned slope b.", source="He et al. 2015")
activation("relu6", "minimum(maximum(a, 0), 6)", recognise=("minimum(relu(a), 6)", "relu(minimum(a, 6))", "clip(a, 0, 6)"), vjp=("g*(0 < a < 6)",), numpy="np.clip({a}, 0, 6)", scalar="min(max({a}, 0.0), 6.0)",
           latex=r"\mathrm{{ReLU6}}({a})", plain="ReLU6({a})", glyph=r"\mathrm{ReLU6}", range="[0, 6]", kinks="0 and 6: derivative 0",
           fast="minimum(maximum(a, 0), 6)", doc="ReLU cut at 6.", source="Krizhevsky 2010")
activation("elu", "where(a > 0, a, b*expm1(minimum(a, 0)))", needs=("0 <= b < inf",), recognise=("where(a > 0, a, b*(exp(a) - 1))", "where(a >= 0, a, b*(exp(a) - 1))", "where(a > 0, a, b*expm1(a))"), stable=(("relu(a) + minimum(exp(a) - 1, 0)", "elu(a, 1)"),), arity=2, operands=("x", "a"), defaults=(1,),
           vjp=("g*where(a > 0, 1, y + b)", "g*where(a > 0, 0, exp(a) - 1)"), careful=("g*where(a > 0, 1, y + b)", "g*where(a > 0, 0, expm1(minimum(a, 0)))"),
           accurate=("g*where(a > 0, 1, b*exp(minimum(a, 0)))", "g*where(a > 0, 0, expm1(minimum(a, 0)))"),
           numpy=_elu("np.where({a} > 0, {a}, {b:20} * np.expm1(np.minimum({a}, 0)))"), scalar=_elu("({a:6} if {a:6} > 0 else {b:20} * m.expm1({a}))"),
           latex=r"\mathrm{{ELU}}({a})", plain="ELU({a})",
           glyph=r"\mathrm{ELU}", range="(-b, inf)", fast="maximum(a, 0) + b*expm1(minimum(a, 0))", doc="Exponential linear unit.", source="Clevert et al. 2016")
activation("celu", "where(a > 0, a, b*expm1(minimum(a, 0)/b))", needs=("0 < b < inf",), recognise=("where(a > 0, a, b*(exp(a/b) - 1))", "relu(a) + minimum(b*(exp(a/b) - 1), 0)", "relu(a) + minimum(b*expm1(a/b), 0)"), arity=2, operands=("x", "a"), defaults=(1,),
           vjp=("g*where(a > 0, 1, exp(a/b))", "g*where(a > 0, 0, exp(a/b)*(1 - a/b) - 1)"),
           careful=("g*where(a > 0, 1, exp(minimum(a, 0)/b))", "g*where(a > 0, 0, expm1(minimum(a, 0)/b) - minimum(a, 0)/b*exp(minimum(a, 0)/b))"),
           numpy="np.where({a} > 0, {a}, {b:20} * np.expm1(np.minimum({a}, 0) / {b:21}))",
           scalar="({a:6} if {a:6} > 0 else {b:20} * m.expm1({a:20} / {b:21}))", latex=r"\mathrm{{CELU}}({a})", plain="CELU({a})",
           glyph=r"\mathrm{CELU}", range="(-b, inf)", fast="maximum(a, 0) + b*expm1(minimum(a, 0)/b)", doc="Continuously differentiable ELU.", source="Barron 2017")
activation("selu", recognise=("1.0507009873554805*elu(a, 1.6732632423543772)",), formula="1.0507009873554805*where(a > 0, a, 1.6732632423543772*expm1(minimum(a, 0)))",
           vjp=("g*where(a > 0, 1.0507009873554805, y + 1.7580993408473768)",),
           accurate=("g*where(a > 0, 1.0507009873554805, 1.7580993408473768*exp(minimum(a, 0)))",),
           numpy="np.where({a} > 0, 1.0507009873554805 * {a:20}, 1.7580993408473768 * np.expm1(np.minimum({a}, 0)))",
           scalar="(1.0507009873554805 * {a:20} if {a:6} > 0 else 1.7580993408473768 * m.expm1({a}))",
           latex=r"\mathrm{{SELU}}({a})", plain="SELU({a})", glyph=r"\mathrm{SELU}",
           range="(-1.758, inf)", kinks="a = 0: the left derivative", fast="1.0507009873554805*maximum(a, 0) + 1.7580993408473768*expm1(minimum(a, 0))", doc="Self-normalising ELU.", source="Klambauer et al. 2017")
activation("hardtanh", "minimum(maximum(a, -1), 1)", recognise=("minimum(maximum(a, -1), 1)", "maximum(minimum(a, 1), -1)", "clip(a, -1, 1)"), vjp=("g*(abs(a) < 1)",), numpy="np.clip({a}, -1, 1)", scalar="min(max({a}, -1.0), 1.0)",
           glyph=r"\mathrm{hardtanh}", range="[-1, 1]", kinks="-1 and 1: derivative 0", fast="minimum(maximum(a, -1), 1)", doc="a cut at -1 and 1.", source="Collobert 2004")
activation("hardsigmoid", "minimum(maximum(a + 3, 0), 6)/6", recognise=("relu6(a + 3)/6",), vjp=("g*(abs(a) < 3)/6",), numpy="np.clip({a:10} + 3, 0, 6) / 6",
           numpy_level=20, scalar="min(max({a:10} + 3, 0.0), 6.0) / 6", glyph=r"\mathrm{hardsig}", range="[0, 1]",
           kinks="-3 and 3: derivative 0", fast="minimum(maximum(a + 3, 0), 6)/6", doc="Piecewise linear sigmoid.", source="Courbariaux et al. 2015")
activation("hardswish", "a*minimum(maximum(a + 3, 0), 6)/6", recognise=("a*relu6(a + 3)/6", "a*hardsigmoid(a)", "a*(relu6(a + 3)/6)"), vjp=("g*where(a <= -3, 0, where(a < 3, a/3 + 1/2, 1))",), accurate=("g*where(abs(a) < 3, (2*a + 3)/6, where(a >= 3, 1, 0))",),
           numpy="{a:20} * (np.clip({a:10} + 3, 0, 6) / 6)", numpy_level=20, scalar="{a:20} * (min(max({a:10} + 3, 0.0), 6.0) / 6)",
           glyph=r"\mathrm{hardswish}", kinks="-3: derivative 0; 3: 1", fast="a*(minimum(maximum(a + 3, 0), 6)/6)", doc="a times the piecewise linear sigmoid.", source="Howard et al. 2019")
activation("hardshrink", "where(abs(a) <= b, 0, a)", needs=("0 <= b < inf",), recognise=("where(abs(a) > b, a, 0)",), arity=2, operands=("x", "lam"), defaults=(0.5,), glyph=r"\mathrm{hardshrink}",
           kinks="|a| = b: derivative 0", doc="a outside [-b, b], else 0.", source="wavelet shrinkage, Donoho 1995")
activation("softshrink", "where(abs(a) <= b, 0, a - b*sign(a))", needs=("0 <= b < inf",), recognise=("sign(a)*relu(abs(a) - b)", "where(abs(a) > b, a - b*sign(a), 0)"), arity=2, operands=("x", "lam"), defaults=(0.5,), glyph=r"\mathrm{softshrink}",
           kinks="|a| = b: derivative 0", doc="a moved towards 0 by b.", source="wavelet shrinkage, Donoho 1995")
activation("tanhshrink", "a - tanh(a)", recognise=("a - tanh(a)",), vjp=("g*tanh(a)**2",), numpy="{a:10} - np.tanh({a})", numpy_level=10, scalar="{a:10} - m.tanh({a})",
           precise="tanhshrink({a})", precise_helper=TANHSHRINK, glyph=r"\mathrm{tanhshrink}", fast="a - tanh(a)", doc="a - tanh a.", source="PyTorch")
activation("gelu_gate", "(1 + tanh(sqrt(2/pi)*(a + 0.044715*a**3)))/2", hidden=True,
           numpy="gelu_gate({a})", helper=GATE,
           portable="sigmoid(1.5957691216057308 * np.clip({a}, -40, 40) + 0.07135481627260025 * np.clip({a}, -40, 40) ** 3)",
           scalar="sigmoid(1.5957691216057308 * min(max({a}, -40.0), 40.0) + 0.07135481627260025 * min(max({a}, -40.0), 40.0) ** 3)",
           precise="gelu_gate({a})", precise_helper=GELU_GATE, glyph=r"\sigma", fast="sigmoid(clip(a, -40, 40)*(1.5957691216057308 + 0.07135481627260025*(clip(a, -40, 40)*clip(a, -40, 40))))", doc="The factor of GELU's tanh form: a sigmoid of √(8/π) (a + 0.044715 a³).", source="Hendrycks and Gimpel 2016")
activation("gelu_tanh", "a/2*(1 + tanh(sqrt(2/pi)*(a + 0.044715*a**3)))",
           vjp=("g*((1 + tanh(sqrt(2/pi)*(a + 0.044715*a**3)))/2 + a/2*(1 - tanh(sqrt(2/pi)*(a + 0.044715*a**3))**2)*sqrt(2/pi)*(1 + 0.134145*a**2))",),
           careful=("g*gelu_gate(a)*(1 + clip(a, -40, 40)*(1 - gelu_gate(a))*(1.5957691216057308 + 0.21406444881780074*clip(a, -40, 40)**2))",),
           accurate=("g*gelu_gate(a)*(1 + clip(a, -40, 40)*sigmoid(-clip(a, -40, 40)*(1.5957691216057308 + 0.07135481627260025*clip(a, -40, 40)**2))*(1.5957691216057308 + 0.21406444881780074*clip(a, -40, 40)**2))",),
           numpy="{a:20} * gelu_gate({a})", numpy_level=20,
           portable="{a:20} * sigmoid(1.5957691216057308 * np.clip({a}, -40, 40) + 0.07135481627260025 * np.clip({a}, -40, 40) ** 3)",
           scalar="{a:20} * sigmoid(1.5957691216057308 * min(max({a}, -40.0), 40.0) + 0.07135481627260025 * min(max({a}, -40.0), 40.0) ** 3)",
           precise="{a:20} * gelu_gate({a})",
           recognise=("0.5*a*(1 + tanh(sqrt(2/pi)*(a + 0.044715*a**3)))", "a*(1 + tanh(sqrt(2/pi)*(a + 0.044715*a**3)))/2"),
           latex=r"\mathrm{{GELU}}_{{\tanh}}({a})", plain="GELUₜₐₙₕ({a})", glyph=r"\mathrm{GELU}", fast="a*gelu_gate(a)", doc="GELU with tanh instead of erf.", source="Hendrycks and Gimpel 2016")
activation("silu", "a*sigmoid(a)", vjp=("g*(y + sigmoid(a)*(1 - y))",), careful=("g*sigmoid(a)*(1 + a*(1 - sigmoid(a)))",),
           accurate=("g*(exp(minimum(a, 40))*((1 + minimum(a, 40) + exp(minimum(a, 40)))/(1 + exp(minimum(a, 40))))/(1 + exp(minimum(a, 40))))",), recognise=("a*sigmoid(a)",), latex=r"\mathrm{{SiLU}}({a})", plain="SiLU({a})", glyph=r"\mathrm{SiLU}", doc="a times its sigmoid.", source="Elfwing et al. 2018")
activation("swish", "a*sigmoid(b*a)", needs=("-inf < b < inf",), arity=2, vjp=("g*(b*y + sigmoid(b*a)*(1 - b*y))", "g*y*(a - y)"),
           careful=("g*sigmoid(b*a)*(1 + b*a*(1 - sigmoid(b*a)))", "g*minimum(abs(a), 1e15)**2*sigmoid_slope(b*a)"),
           accurate=("g*(exp(minimum(b*a, 40))*((1 + minimum(b*a, 40) + exp(minimum(b*a, 40)))/(1 + exp(minimum(b*a, 40))))/(1 + exp(minimum(b*a, 40))))", "g*(a*sigmoid(b*a))*(a*sigmoid(-(b*a)))"), operands=("x", "beta"), defaults=(1,), glyph=r"\mathrm{swish}",
           doc="a σ(b a).", source="Ramachandran et al. 2017")
activation("softsign", "a/(1 + abs(a))", recognise=("a/(1 + abs(a))",), stable=(("softsign(a)/a", "1/(1 + abs(a))"),), vjp=("g/(1 + abs(a))**2",), careful=("g/(1 + abs(a))/(1 + abs(a))",), numpy="{a:20} / (1 + np.abs({a}))", numpy_level=20, scalar="{a:20} / (1 + abs({a}))", glyph=r"\mathrm{softsign}", range="(-1, 1)", fast="a/(1 + abs(a))", doc="a/(1 + |a|).", source="Turian et al. 2009")
activation("erf", "", vjp=("g*2/sqrt(pi)*exp(-a**2)",), careful=("g*exp(0.12078223763524522 - a**2)",), numpy="erf({a})", helper=ERF, accurate=("g*1.1283791670955126*gaussian(a)",), scalar="math.erf({a})",
           latex=r"\operatorname{{erf}}({a})", plain="erf({a})", glyph=r"\mathrm{erf}", range="(-1, 1)", fast=signed(NEAR, TAIL, 5.0), fast32=signed(NEAR32, TAIL32, 3.5), doc="Error function.", source="DLMF 7.2.1")
activation("normal_cdf", "(1 + erf(a/sqrt(2)))/2", vjp=("g*normal_pdf(a)",), numpy="normal_cdf({a})", helper=NORMAL_CDF, precise="normal_cdf({a})", portable="((1 + erf({a:20} / 1.4142135623730951)) / 2)",
           scalar="math.erfc(-{a:25} / math.sqrt(2)) / 2", latex=r"\Phi({a})", plain="Φ({a})", glyph=r"\Phi", range="(0, 1)", canonical="Phi",
           recognise=("(1 + erf(a/sqrt(2)))/2", "0.5*(1 + erf(a/sqrt(2)))"), fast=central(TAIL, 5.0), fast32=central(TAIL32, 3.5), doc="Distribution function of the standard normal.", source="Gauss 1809")
activation("normal_pdf", "exp(-a**2/2)/sqrt(2*pi)", vjp=("-g*a*y",), latex=r"\phi({a})", plain="φ({a})", glyph=r"\phi", canonical="phi",
           numpy="normal_pdf({a})", helper=NORMAL_PDF, precise="normal_pdf({a})", portable="(np.exp(-({a:31} ** 2) / 2) / 2.5066282746310002)", scalar="m.exp(-({a:31} ** 2) / 2) / math.sqrt(2 * math.pi)",
           fast="exp(-0.5*(a*a))*0.3989422804014327", doc="Density of the standard normal.", source="Gauss 1809")
activation("gelu", "a*normal_cdf(a)", recognise=("a/2*(1 + erf(a/sqrt(2)))", "0.5*a*(1 + erf(a/sqrt(2)))", "a*(1 + erf(a/sqrt(2)))/2"), latex=r"\mathrm{{GELU}}({a})", plain="GELU({a})", glyph=r"\mathrm{GELU}", doc="a Φ(a).", source="Hendrycks and Gimpel 2016")
activation("gaussian", "exp(-a**2)", vjp=("-(2*g*a*y)",), numpy="np.exp(-({a:31} ** 2))", precise="gaussian({a})", precise_helper=GAUSSIAN, scalar="m.exp(-({a:31} ** 2))",
           recognise=("exp(-a**2)",), range="(0, 1]", latex="e^{{-{a:31}^{{2}}}}", plain="exp(−{a:31}²)", glyph=r"e^{-x^2}", fast="exp(-(a*a))", doc="The bell curve e^(-a²).", source="Gauss 1809")
activation("sinc", "sin(pi*a)/(pi*a)", vjp=("g*(cos(pi*a) - y)/a",), careful=("g*sinc_slope(a)",), numpy="np.sinc({a})", scalar="(m.sin(math.pi * {a:20}) / (math.pi * {a:20}) if {a} else 1.0)",
           precise="sinc({a})", precise_helper=SINC, latex=r"\operatorname{{sinc}}({a})", plain="sinc({a})", glyph=r"\mathrm{sinc}", range="[-0.217, 1]",
           doc="sin(π a)/(π a), 1 at 0, as in NumPy.", source="Woodward and Davies 1952")
activation("sinc_slope", "(cos(pi*a) - sinc(a))/a", hidden=True, vjp=("-g*(pi**2*sinc(a) + 2*y/a)",), careful=("-g*where(a == 0, pi**2/3, pi**2*sinc(a) + 2*y/a)",), numpy="sinc_slope({a})", helper=SINC_SLOPE, scalar="sinc_slope({a})", scalar_helper=SCALAR_SINC_SLOPE, glyph=r"\mathrm{sinc}'",
           latex=r"\operatorname{{sinc}}'({a})", plain="sinc′({a})", doc="Derivative of sinc, 0 at 0.", source="elementary")
activation("exprel", "(exp(a) - 1)/a", hidden=True, careful=("g*secant_slope(a, expm1(a), exp(a), 'expm1', 1)",), numpy="(np.expm1({a}) + ({a:6} == 0)) / ({a:10} + ({a:6} == 0))", numpy_level=20,
           recognise=("(exp(a) - 1)/a", "expm1(a)/a"), stable=(("(1 - exp(-a))/a", "exprel(-a)"),),
           scalar="(m.expm1({a}) / {a:21} if {a} else 1.0)", latex=r"\frac{{e^{{{a}}} - 1}}{{{a}}}", plain="(exp({a}) − 1)/{a:40}", level=20, glyph=r"\frac{e^x-1}{x}", doc="(exp(a) - 1)/a, 1 at 0.", source="Kahan 1987")
activation("logrel", "log(1 + a)/a", hidden=True, careful=("g*secant_slope(a, log1p(a), 1/(1 + a), 'log1p', 0, -1)",), numpy="(np.log1p({a}) + ({a:6} == 0)) / ({a:10} + ({a:6} == 0))", numpy_level=20,
           recognise=("log(1 + a)/a", "log1p(a)/a"), domain="a > -1", scalar="(m.log1p({a}) / {a:21} if {a} else 1.0)", latex=r"\frac{{\log(1 + {a})}}{{{a}}}", plain="log(1 + {a})/{a:40}", level=20,
           glyph=r"\frac{\log(1+x)}{x}", doc="log(1 + a)/a, 1 at 0.", source="Kahan 1987")
activation("tanhrel", "tanh(a)/a", hidden=True, careful=("g*secant_slope(a, tanh(a), 1 - tanh(a)**2, 'tanh', 0, 0, -2)",), numpy="(np.tanh({a}) + ({a:6} == 0)) / ({a:10} + ({a:6} == 0))", numpy_level=20,
           recognise=("tanh(a)/a",), scalar="(m.tanh({a}) / {a:21} if {a} else 1.0)", latex=r"\frac{{\tanh({a})}}{{{a}}}", plain="tanh({a})/{a:40}", level=20, glyph=r"\frac{\tanh x}{x}", doc="tanh(a)/a, 1 at 0.", source="Kahan 1987")
register("secant_slope", 3, params={"of": "expm1", "p": 0, "q": 0, "r": 0}, hidden=True, formula="(c - b/a)/a", careful=("g*secant_curve(a, y, c*(literal(p) + literal(q)*c + literal(r)*b), of)", None, None), numpy=_series, helper=SECANT_SLOPE, glyph=r"\Delta'",
         doc="Derivative of b/a for b = f(a) with the slopes c and c (p + q c + r b); a series near 0, where it cancels.", source="Taylor 1715")
register("secant_curve", 3, params={"of": "expm1"}, hidden=True, formula="(c - 2*b)/a", numpy=_second, helper=SECANT_CURVE, glyph=r"\Delta''",
         doc="Derivative of b = (f(a)/a)', where c = f''(a); a series near 0, where it cancels.", source="Taylor 1715")
activation("mish", "a*tanh(softplus(a))", accurate=("g*mish_slope(a)",), recognise=("a*tanh(softplus(a))",), precise="mish({a})", precise_helper=MISH,
           latex=r"\mathrm{{Mish}}({a})", plain="Mish({a})", glyph=r"\mathrm{Mish}", doc="a tanh(softplus a).", source="Misra 2019")
activation("mish_slope", "tanh(softplus(a)) + a*(1 - tanh(softplus(a))**2)*sigmoid(a)", hidden=True, numpy="mish_slope({a})", helper=MISH_SLOPE, glyph=r"\mathrm{Mish}'",
           latex=r"\operatorname{{Mish}}'({a})", plain="Mish′({a})", doc="Derivative of Mish.", source="Misra 2019")
# fmt: on

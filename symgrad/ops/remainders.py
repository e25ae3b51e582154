"""What is left of 1, and its logarithm: rows that recognition writes, for code.

1 - exp(-a) keeps its digits near 0 and far out, the tail of the normal distribution does too.
Quotients by exp(a) - 1 and sinh(a) have slopes in their own value, which do not overflow.
"""

from symgrad.graph import Node
from symgrad.ops.activations import activation
from symgrad.ops.primitives import HYPOT
from symgrad.ops.spec import ATOM, POW, register, value_of
from symgrad.ops.tails import FAR, FAR32, NORMAL_TAIL, far

LOG1MEXP = '''
def log1mexp(x):
    """log(1 - exp(-x)) for x > 0, to the last digits near 0 and far out (Maechler 2012)."""
    near = x < 0.6931471805599453
    small, large = np.where(near, x, 1), np.where(near, 1, x)
    return np.where(near, np.log(-np.expm1(-small)), np.log1p(-np.exp(-large)))[()]
'''
BERNOULLI_SLOPE = '''
def bernoulli_slope(x):
    """Derivative of x/(exp(x) - 1); near 0 a power series, where the difference cancels."""
    near = np.abs(x) < 0.25
    small, large = np.where(near, x, 0), 1 / np.expm1(np.where(near, 1, x))
    s = small * small
    series = small * (1 / 6 - s * (1 / 180 - s * (1 / 5040 - s * (1 / 151200 - s / 4790016)))) - 0.5
    return np.where(near, series, large * (1 - x * (1 + large)))[()]
'''
SCALAR_BERNOULLI_SLOPE = '''
def bernoulli_slope(x):
    """Derivative of x/(exp(x) - 1); near 0 a power series, where the difference cancels."""
    if abs(x) < 0.25:
        s = x * x
        return x * (1 / 6 - s * (1 / 180 - s * (1 / 5040 - s * (1 / 151200 - s / 4790016)))) - 0.5
    n = 1 / math.expm1(x) if x < 700 else math.exp(-x)
    return n * (1 - x * (1 + n))
'''
BERNOULLI_CURVE = '''
def bernoulli_curve(x):
    """Second derivative of x/(exp(x) - 1); near 0 a power series, where the terms cancel."""
    near = np.abs(x) < 0.5
    small, large = np.where(near, x, 0), np.where(near, 1, x)
    n, s = 1 / np.expm1(large), small * small
    series = 6.975130983e-08 - s * (2.4356216486e-09 - s * (8.1352e-11 - s * 2.6273e-12))
    for c in (1.87890812891e-06, 4.62962962962963e-05, 0.000992063492063492, 1 / 60, 1 / 6):
        series = c - s * series
    return np.where(near, series, n * (1 + n) * (large * (1 + 2 * n) - 2))[()]
'''
EXP_SHIFT = '''
def exp_shift(x):
    """What to take off x lest exp(x) overflow or vanish: 0, or the largest entry less the range."""
    room = 603.0 if x.dtype == np.float64 else 75.0
    if np.vdot(x, x) < room * room:  # then no entry is outside
        return 0.0
    top, low = np.max(x, initial=-np.inf), np.min(x, initial=np.inf)
    outside = top > room or -np.inf < low < -room
    return top - room if outside and top < np.inf else 0.0
'''
EXP_CAPPED = '''
def exp_capped(x):
    """exp(x); where it overflows a large number, lest the slope 0 of what reads it make NaN."""
    return np.minimum(np.exp(x), np.finfo(x.dtype).max ** 0.75)
'''
COSH_CAPPED = '''
def cosh_capped(x):
    """cosh(x); where it overflows a large number, lest the slope 0 of what reads it make NaN."""
    return np.minimum(np.cosh(x), np.finfo(x.dtype).max ** 0.75)
'''
SINH_CAPPED = '''
def sinh_capped(x):
    """sinh(x); where it overflows a large number, lest the slope 0 of what reads it make NaN."""
    top = np.finfo(x.dtype).max ** 0.75
    return np.clip(np.sinh(x), -top, top)
'''
_OUTSIDE = "(np.max({a}) > 75) | ((np.min({a}) < -75) & (np.min({a}) > -np.inf))"
_SHIFT = f"np.where(({_OUTSIDE}) & (np.max({{a}}) < np.inf), np.max({{a}}) - 75, 0)"
# Phi(a) - Phi(b) is exp(-A**2/2), if A < 0, times a gap of tails; (A, B) is (a, b) or (-b, -a)
_PAIR = "where(a + b > 0, -b, a), where(a + b > 0, -a, b)"
_BELL = "exp(-a**2/2)"
_SIDE = (
    f"where(a < 0, normal_tail(abs(a)), 1 - {_BELL}*normal_tail(abs(a)))"  # Phi, or over the bell
)
# less 1; where the tail is below 2e-7, a**2/2 is so large that its logarithm does not count
_LESS = f"where(a < 0, maximum(normal_tail(abs(a)), 2e-7) - 1, -({_BELL}*normal_tail(abs(a))))"
_NEAR = "where(b + c > 0, -c, b)"
_SHARE = (
    f"0.3989422804014327*exp(where({_NEAR} < 0, ({_NEAR} - a)*({_NEAR} + a), -a*a)/2)"
    f"/normal_gap({_NEAR}, where(b + c > 0, -b, c))"
)


def _less(node: Node) -> str:
    """Write exp(a - b), exp(-b) for a = 0."""
    return "np.exp(-{b:25})" if value_of(node.args[0]) == 0 else "np.exp({a:10} - {b:11})"


# fmt: off
activation("log1mexp", "log(1 - exp(-a))", hidden=True, vjp=("g*(exp(-a)/(1 - exp(-a)))",), precise="log1mexp({a})", precise_helper=LOG1MEXP,
           domain="a > 0", range="(-inf, 0)", latex=r"\log(1 - e^{{-{a:25}}})", plain="log(1 − exp(−{a:25}))", level=20, glyph=r"\log(1-e^{-x})", doc="log(1 - exp(-a)) for a > 0.", source="Mächler 2012")
activation("bose", "1/(exp(a) - 1)", hidden=True, vjp=("-(g*y*(1 + y))",), accurate=("g*y*bose(-a)",), numpy="1 / np.expm1({a})", numpy_level=20, scalar="1 / m.expm1({a})",
           domain="a != 0", latex=r"\frac{{1}}{{e^{{{a}}} - 1}}", plain="1/(exp({a}) − 1)", level=20, glyph=r"\frac{1}{e^x-1}", doc="1/(exp(a) - 1).", source="Bose 1924")
activation("bernoulli", "a/(exp(a) - 1)", hidden=True, vjp=("g*bernoulli_slope(a)",), numpy="np.where({a} == 0, 1, {a:20} / np.where({a} == 0, 1, np.expm1({a})))",
           recognise=("a/(exp(a) - 1)", "a/expm1(a)"), scalar="({a:20} / m.expm1({a}) if {a} else 1.0)", range="(0, inf)",
           latex=r"\frac{{{a}}}{{e^{{{a}}} - 1}}", plain="{a:20}/(exp({a}) − 1)", level=20, glyph=r"\frac{x}{e^x-1}", doc="a/(exp(a) - 1), 1 at 0.", source="Bernoulli 1713")
activation("bernoulli_slope", "bose(a)*(1 - a*(1 + bose(a)))", hidden=True, vjp=("g*bernoulli_curve(a)",), numpy="bernoulli_slope({a})", helper=BERNOULLI_SLOPE, scalar="bernoulli_slope({a})", scalar_helper=SCALAR_BERNOULLI_SLOPE,
           latex=r"\operatorname{{B}}'({a})", plain="B′({a})", glyph=r"\mathrm{B}'", doc="Derivative of a/(exp(a) - 1), -1/2 at 0.", source="Bernoulli 1713")
activation("bernoulli_curve", "bose(a)*(1 + bose(a))*(a*(1 + 2*bose(a)) - 2)", hidden=True, numpy="bernoulli_curve({a})", helper=BERNOULLI_CURVE,
           latex=r"\operatorname{{B}}''({a})", plain="B″({a})", glyph=r"\mathrm{B}''", doc="Second derivative of a/(exp(a) - 1), 1/6 at 0.", source="Bernoulli 1713")
activation("csch", "1/sinh(a)", hidden=True, vjp=("-(g*y/tanh(a))",), numpy="1 / np.sinh({a})", numpy_level=20, recognise=("1/sinh(a)",), stable=(("cosh(a)/sinh(a)", "1/tanh(a)"), ("b/sinh(a)", "b*csch(a)")), scalar="1 / m.sinh({a})",
           domain="a != 0", latex=r"\frac{{1}}{{\sinh({a})}}", plain="1/sinh({a})", level=20, glyph=r"\frac{1}{\sinh x}", doc="1/sinh(a).", source="elementary")
activation("sech_squared", "1/cosh(a)**2", hidden=True, vjp=("-(2*(g*y*tanh(a)))",), numpy="1 / np.square(np.cosh({a}))", numpy_level=20, scalar="1 / m.cosh({a}) ** 2", range="(0, 1]", fast="1/square(cosh(a))",
           latex=r"\frac{{1}}{{\cosh({a})^{{2}}}}", plain="1/cosh({a})²", level=20, glyph=r"\frac{1}{\cosh^2 x}", doc="1 - tanh(a)², not rounded to 0.", source="elementary")
activation("arctan_exp", "arctan(exp(a))", hidden=True, vjp=("g/(2*cosh(a))",), numpy="np.arctan(np.exp({a}))", recognise=("arctan(exp(a))",), scalar="m.atan(m.exp({a}))", range="(0, pi/2)",
           latex=r"\arctan(e^{{{a}}})", plain="arctan(exp({a}))", level=20, glyph=r"\arctan e^x", doc="arctan(exp(a)), with the slope 1/(2 cosh a).", source="Gudermann 1830")
activation("gudermannian", "arctan(sinh(a))", hidden=True, vjp=("g/cosh(a)",), numpy="np.arctan(np.sinh({a}))", recognise=("arctan(sinh(a))",), scalar="m.atan(m.sinh({a}))", range="(-pi/2, pi/2)",
           latex=r"\arctan(\sinh({a}))", plain="arctan(sinh({a}))", level=20, glyph=r"\mathrm{gd}", doc="arctan(sinh(a)), with the slope 1/cosh a.", source="Gudermann 1830")
activation("normal_tail", "(1 - normal_cdf(a))*exp(a**2/2)", hidden=True, vjp=("g*(a*y - 0.3989422804014327)",), numpy="normal_tail({a})", helper=NORMAL_TAIL, scalar="normal_tail({a})", fast=far(FAR, 6.0), fast32=far(FAR32, 5.0),
           domain="a >= 0", range="(0, 1/2]", latex=r"\operatorname{{t}}({a})", plain="t({a})", glyph=r"\frac{1-\Phi}{e^{-x^2/2}}", doc="The normal tail over exp(-a²/2).", source="Mills 1926")
activation("log_normal_cdf", f"log1p({_LESS}) - minimum(a, 0)**2/2", hidden=True, vjp=("g*inverse_mills(a)",), range="(-inf, 0)", latex=r"\log\Phi({a})", plain="log Φ({a})", level=20, glyph=r"\log\Phi", doc="Logarithm of the normal distribution function, also in its tail.", source="Gauss 1809")
activation("inverse_mills", f"0.3989422804014327*where(a < 0, 1, {_BELL})/{_SIDE}", hidden=True, recognise=("normal_pdf(a)/normal_cdf(a)",), range="(0, inf)",
           vjp=("-(g*where(a < -50, 1 - (1 - (6 - (50 - 518/a**2)/a**2)/a**2)/a**2, y*(a + y)))",),
           latex=r"\frac{{\phi({a})}}{{\Phi({a})}}", plain="φ({a})/Φ({a})", level=20, glyph=r"\frac{\phi}{\Phi}", doc="Density over distribution function of the standard normal.", source="Mills 1926")
register("normal_gap", 2, hidden=True, formula=f"{_SIDE} - exp(where(a < 0, (a - b)*(a + b), -b*b)/2)*normal_tail(abs(b))",
         glyph=r"\Delta\Phi", doc="Φ(a) - Φ(b) for b < a, b < -a, over exp(-a²/2) where a < 0.", source="Mills 1926")
register("log_normal_between", 2, hidden=True, formula=f"log(normal_gap({_PAIR})) - minimum(where(a + b > 0, -b, a), 0)**2/2", vjp=("g*normal_share(a, a, b)", "-(g*normal_share(b, a, b))"),
         domain="b < a", glyph=r"\log\Delta\Phi", doc="log(Φ(a) - Φ(b)) for b < a, also in the tails.", source="ordered probit")
register("normal_share", 3, hidden=True, formula=_SHARE, vjp=("-(g*a*y)", "-(g*y*normal_share(b, b, c))", "g*y*normal_share(c, b, c)"),
         domain="c < b", glyph=r"\phi/\Delta\Phi", doc="φ(a)/(Φ(b) - Φ(c)), from logarithms.", source="ordered probit")
register("exp_shift", shape="scalar", hidden=True, vjp=(None,), numpy="exp_shift({a})", helper=EXP_SHIFT, portable=_SHIFT,
         glyph=r"\max", doc="What is taken off all exponents of a sum, lest it overflow; a constant.", source="log-sum-exp")
activation("exp_root", "sqrt(1 + exp(a))", hidden=True, vjp=("g*less_inverse(y)/2",), accurate=("g*y*sigmoid(a)/2",), numpy="hypot(np.exp({a:20} / 2), 1)", helper=HYPOT, portable="np.hypot(np.exp({a:20} / 2), 1)", scalar="m.hypot(m.exp({a:20} / 2), 1)", fast="hypot(exp(a/2), 1)", range="(1, inf)",
           recognise=("sqrt(1 + exp(a))",), latex=r"\sqrt{{1 + e^{{{a}}}}}", plain="√(1 + exp({a}))", glyph=r"\sqrt{1+e^x}", doc="Root of 1 + exp(a), with a slope in its own value.", source="elementary")
register("less_inverse", hidden=True, formula="a - 1/a", vjp=("g*(2 - y/a)",), numpy="{a:10} - 1 / {a:21}", numpy_level=10, scalar="{a:10} - 1 / {a:21}", latex=r"{a} - \frac{{1}}{{{a}}}", plain="{a} − 1/{a:21}",
         level=10, fast="a - 1/a", domain="a > 0", glyph=r"x-\frac{1}{x}", doc="a - 1/a, whose square would overflow.", source="elementary")
register("peak", 2, hidden=True, formula="maximum(a, b)", zero=True, numpy="np.maximum({a}, {b})", scalar="max({a}, {b})", latex=r"\max({a}, {b})", plain="max({a}, {b})",
         glyph=r"\max", doc="The larger of two exponents, taken off both; a constant.", source="log-sum-exp")
register("held", hidden=True, formula="a", zero=True, numpy="{a:40}", scalar="{a:40}", latex="{a:40}", plain="{a:40}", fast="a", glyph="M", doc="a, which derivatives take for a constant.", source="log-sum-exp")
register("exp_less", 2, hidden=True, formula="exp(a - b)", vjp=("g*y", None), numpy=_less, scalar="m.exp({a:10} - {b:11})", latex="e^{{{a} - {b:11}}}", plain="exp({a} − {b:11})", level=POW,
         fast="exp(a - b)", range="[0, 1]", glyph=r"e^{x-M}", doc="exp(a - b) with a constant b.", source="log-sum-exp")
activation("exp_capped", "exp(a)", hidden=True, vjp=("g*y",), numpy="exp_capped({a})", helper=EXP_CAPPED, portable="np.minimum(np.exp({a}), 1e28)", scalar="min(m.exp({a}), 1e150)", fast="minimum(exp(a), literal(far)**0.75)", range="(0, inf)",
           latex="e^{{{a}}}", plain="exp({a})", level=POW, glyph=r"\exp", doc="exp(a); a large number where it overflows.", source="elementary")
register("cosh_capped", hidden=True, formula="cosh(a)", vjp=("g*sinh_capped(a)",), numpy="cosh_capped({a})", helper=COSH_CAPPED, portable="np.minimum(np.cosh({a}), 1e28)", scalar="min(m.cosh({a}), 1e150)", fast="minimum(cosh(a), literal(far)**0.75)", range="[1, inf)",
         latex=r"\cosh({a})", plain="cosh({a})", glyph=r"\cosh", doc="cosh(a); a large number where it overflows.", source="elementary")
register("sinh_capped", hidden=True, formula="sinh(a)", vjp=("g*cosh_capped(a)",), numpy="sinh_capped({a})", helper=SINH_CAPPED, portable="np.clip(np.sinh({a}), -1e28, 1e28)", scalar="max(-1e150, min(m.sinh({a}), 1e150))", fast="maximum(minimum(sinh(a), literal(far)**0.75), -literal(far)**0.75)",
         latex=r"\sinh({a})", plain="sinh({a})", glyph=r"\sinh", doc="sinh(a); a large number where it overflows.", source="elementary")
register("ended", hidden=True, formula="a", vjp=("g",), numpy="np.minimum({a}, 1e277)", single="np.minimum({a}, np.float32(4e34))", portable="np.minimum({a}, 4e34)", scalar="min({a}, m.ldexp(1.0, 920))", fast="minimum(a, literal(far)**0.9)", latex="{a}", plain="{a}", level=ATOM, glyph="x",
         doc="A power; a large number where it overflows: what reads it is flat there.", source="elementary")
register("ended_signed", hidden=True, formula="a", vjp=("g",), numpy="np.clip({a}, -1e277, 1e277)", single="np.clip({a}, np.float32(-4e34), np.float32(4e34))", portable="np.clip({a}, -4e34, 4e34)", scalar="max(min({a}, m.ldexp(1.0, 920)), m.ldexp(-1.0, 920))", fast="maximum(minimum(a, literal(far)**0.9), -literal(far)**0.9)", latex="{a}", plain="{a}", level=ATOM, glyph="x",
         doc="A power; a large number of its sign where it overflows: what reads it is flat there.", source="elementary")
register("floored", hidden=True, formula="a", vjp=("g",), numpy="np.maximum({a}, -1e30)", single="np.maximum({a}, np.float32(-1e30))", portable="np.maximum({a}, -1e30)", scalar="max({a}, -1e30)", fast="maximum(a, -1e30)", latex="{a}", plain="{a}", level=ATOM, glyph="x",
         doc="A logarithm; a large number for that of 0: what it is multiplied by is 0 there.", source="0 log 0 in entropies")
register("off_zero", hidden=True, formula="a", vjp=("g",), numpy="{a:10} + 1e-30", numpy_level=10, single="{a:10} + np.float32(1e-18)", portable="{a:10} + 1e-18", scalar="{a:10} + 1e-30", fast="a + 1e-30", fast32="a + 1e-18", latex="{a}", plain="{a}", level=ATOM, glyph="x",
         doc="a divisor, or a number beside 0 for it: a power of the quotient is read by a share.", source="elementary")
register("beside", hidden=True, formula="a", vjp=("g",), numpy="{a:10} + 1e-30", numpy_level=10, single="{a:10} + 1e-09", portable="{a:10} + 1e-15", scalar="{a:10} + 1e-30", fast="a + 1e-30", fast32="a + 1e-9", latex="{a}", plain="{a}", level=ATOM, glyph="x",
         doc="a, or a number beside 0 for it: 1/a**2 is finite, and what reads it is flat there.", source="elementary")
register("beside_signed", hidden=True, formula="a", vjp=("g",), numpy="{a:10} + np.copysign(1e-30, {a})", numpy_level=10, single="{a:10} + np.copysign(np.float32(1e-09), {a})", portable="{a:10} + np.copysign(1e-15, {a})", scalar="{a:10} + m.copysign(1e-30, {a})", fast="where(a < 0, a - 1e-30, a + 1e-30)", fast32="where(a < 0, a - 1e-9, a + 1e-9)", latex="{a}", plain="{a}", level=ATOM, glyph="x",
         doc="a, or a number of its sign beside 0 for it: 1/a is finite, and what reads it is flat there.", source="elementary")
activation("asinh_exp", "asinh(exp(a))", hidden=True, vjp=("g/sqrt(1 + exp(-2*a))",), careful=("g/hypot(1, exp(-a))",), numpy="np.maximum({a}, 20) - 20 + np.arcsinh(np.exp(np.minimum({a}, 20)))", numpy_level=10, scalar="max({a}, 20.0) - 20 + m.asinh(m.exp(min({a}, 20.0)))", recognise=("asinh(exp(a))",), range="(0, inf)",
           fast="maximum(a, 20) - 20 + asinh(exp(minimum(a, 20)))", latex=r"\operatorname{{arsinh}}(e^{{{a}}})", plain="arsinh(exp({a}))", glyph=r"\mathrm{asinh}\,e^x", doc="asinh(exp(a)), a + log 2 far out.", source="elementary")
register("log_size", hidden=True, formula="log(abs(a))", vjp=("g/a",), careful=("xdivy(g, a)",), numpy="np.log(np.abs({a}))", scalar="m.log(abs({a}))", fast="log(abs(a))",
         latex=r"\log\lvert {a} \rvert", plain="log|{a}|", level=20, glyph=r"\log|\cdot|", domain="a != 0", doc="log|a| with a slope that is 0 where what it is multiplied by is.", source="elementary")
register("counted", hidden=True, formula="a", vjp=("g",), numpy="np.fmax({a}, 1)", scalar="(1.0 if {a:6} < 1 else {a:6})", fast="fmax(a, 1)", latex="{a}", plain="{a}", glyph=r"\Sigma",
         doc="A sum of which the largest term is 1, also where it is infinite.", source="log-sum-exp")
register("saturating", 3, hidden=True, formula="1/(a + b*exp(c))", vjp=("-(g*y*y)", "-(g*y*saturating(b, a, -c))", "-(g*y*(1 - a*y))"), accurate=("-(g*y*y)", "-(g*y*saturating(b, a, -c))", "-(g*y*b*saturating(b, a, -c))"),
         domain="a + b*exp(c) != 0", glyph=r"\frac{1}{a+be^c}", doc="1/(a + b exp(c)), with a slope in its own value.", source="Verhulst 1845")
# fmt: on

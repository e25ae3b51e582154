"""Activations: one line each. A new one needs its name and its formula; the rest follows.

`vjp` is given where the derivative has a form in the activation's own value.
"""

from typing import Any

from symgrad.ops.spec import Op, register


def activation(name: str, formula: str, arity: int = 1, **fields: Any) -> Op:
    """Add an elementwise activation given by its formula in `a` (parameters by name)."""
    return register(name, arity, formula=formula, **fields)


SIGMOID = '''
def sigmoid(x):
    """Logistic function 1/(1 + exp(-x)), without overflow for any x."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)
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
ERF = '''
def erf(x):
    """Error function; a series below 1, else one minus a continued fraction for erfc."""
    x = np.asarray(x)
    z = np.abs(np.clip(x, -6.5, 6.5)).astype(np.float64)
    small = np.minimum(z, 2.0)
    term = total = small * 1.1283791670955126
    for k in range(1, 60):
        term = term * small * small / (k + 0.5)
        total = total + term
    series = total * np.exp(-small * small)
    large = np.maximum(z, 2.0)
    tail = np.zeros_like(large)
    for k in range(60, 0, -1):
        tail = 0.5 * k / (large + tail)
    fraction = 1 - np.exp(-large * large) / ((large + tail) * 1.7724538509055159)
    return (np.sign(x) * np.where(z < 2.0, series, fraction)).astype(np.result_type(x, np.float16))[()]
'''

# fmt: off
activation("sigmoid", "1/(1 + exp(-a))", vjp=("g*y*(1 - y)",), numpy="sigmoid({a})", helper=SIGMOID,
           scalar="sigmoid({a})", scalar_helper=SCALAR_SIGMOID,
           latex=r"\sigma({a})", plain="σ({a})", glyph=r"\sigma", range="(0, 1)", canonical="sigma",
           recognise=("1/(1 + exp(-a))", "1/(1 + 1/exp(a))", "exp(a)/(1 + exp(a))", "(1 + exp(-a))**(-1)", "(1 + tanh(a/2))/2"),
           stable=(("b/(1 + exp(-a))", "b*sigmoid(a)"), ("1/(1 + exp(a))", "sigmoid(-a)"), ("b/(1 + exp(a))", "b*sigmoid(-a)"),
                   ("exp(a)/(exp(a) + exp(b))", "sigmoid(a - b)"), ("b/(1 + exp(-a))**c", "b*sigmoid(a)**c"), ("b/(1 + exp(a))**c", "b*sigmoid(-a)**c"),
                   ("exp(-a)*sigmoid(a)**2", "sigmoid(-a)*sigmoid(a)"), ("exp(a)*sigmoid(-a)**2", "sigmoid(a)*sigmoid(-a)"),
                   ("exp(a)*sigmoid(-a)", "sigmoid(a)"), ("exp(-a)*sigmoid(a)", "sigmoid(-a)")),
           doc="Logistic function.", source="Verhulst 1845")
activation("relu", "maximum(a, 0)", vjp=("g*(y > 0)",), numpy="np.maximum({a}, 0)",
           scalar="({a:6} if {a:6} > 0 or {a:6} != {a:6} else 0.0)",
           latex=r"\mathrm{{ReLU}}({a})", plain="ReLU({a})", glyph=r"\mathrm{ReLU}", range="[0, inf)", kinks="a = 0: derivative 0",
           doc="Rectified linear unit.", source="Nair and Hinton 2010")
activation("softplus", "log(1 + exp(a))", vjp=("g*sigmoid(a)",), numpy="softplus({a})", helper=SOFTPLUS, portable="np.logaddexp(0, {a})",
           scalar="softplus({a})", scalar_helper=SCALAR_SOFTPLUS, operands=("x", "beta"), typed="softplus(b*a)/b",
           latex=r"\operatorname{{softplus}}({a})", plain="softplus({a})", glyph=r"\mathrm{softplus}", range="(0, inf)",
           recognise=("log(1 + exp(a))", "log1p(exp(a))"),
           stable=(("log(sigmoid(a))", "-softplus(-a)"), ("log(1 - sigmoid(a))", "-softplus(a)"), ("log(1/(1 + exp(a)))", "-softplus(a)")),
           doc="Smooth rectifier log(1 + e^a).", source="Dugas et al. 2001")
activation("logcosh", "log(cosh(a))", vjp=("g*tanh(a)",), numpy="np.abs({a}) + np.log1p(np.exp(-2 * np.abs({a}))) - 0.6931471805599453",
           numpy_level=10, scalar="abs({a}) + math.log1p(math.exp(-2 * abs({a}))) - 0.6931471805599453", recognise=("log(cosh(a))",),
           latex=r"\log\cosh({a})", plain="log cosh({a})", glyph=r"\log\cosh", range="[0, inf)",
           doc="log cosh, without overflow.", source="hyperbolic secant likelihood")
activation("logsigmoid", "-softplus(-a)", latex=r"\log\sigma({a})", plain="logσ({a})", glyph=r"\log\sigma", range="(-inf, 0)",
           doc="Logarithm of the logistic function.", source="log of sigmoid")
activation("leaky_relu", "where(a > 0, a, b*a)", arity=2, operands=("x", "a"), defaults=(0.01,), glyph=r"\mathrm{LReLU}",
           kinks="a = 0: derivative b", doc="ReLU with the slope b below 0.", source="Maas et al. 2013")
activation("prelu", "maximum(a, 0) + b*minimum(a, 0)", arity=2, operands=("x", "a"), glyph=r"\mathrm{PReLU}",
           kinks="a = 0: derivative 0", doc="Leaky ReLU with a learned slope b.", source="He et al. 2015")
activation("relu6", "minimum(maximum(a, 0), 6)", vjp=("g*(0 < a < 6)",), numpy="np.clip({a}, 0, 6)", scalar="min(max({a}, 0.0), 6.0)",
           latex=r"\mathrm{{ReLU6}}({a})", plain="ReLU6({a})", glyph=r"\mathrm{ReLU6}", range="[0, 6]", kinks="0 and 6: derivative 0",
           doc="ReLU cut at 6.", source="Krizhevsky 2010")
activation("elu", "where(a > 0, a, b*expm1(minimum(a, 0)))", arity=2, operands=("x", "a"), defaults=(1,),
           vjp=("g*where(a > 0, 1, y + b)", "g*where(a > 0, 0, expm1(minimum(a, 0)))"),
           numpy="np.where({a} > 0, {a}, {b:20} * np.expm1(np.minimum({a}, 0)))", scalar="({a:6} if {a:6} > 0 else {b:20} * m.expm1({a}))",
           latex=r"\mathrm{{ELU}}({a})", plain="ELU({a})",
           glyph=r"\mathrm{ELU}", range="(-b, inf)", doc="Exponential linear unit.", source="Clevert et al. 2016")
activation("celu", "where(a > 0, a, b*expm1(minimum(a, 0)/b))", arity=2, operands=("x", "a"), defaults=(1,),
           vjp=("g*where(a > 0, 1, exp(minimum(a, 0)/b))", "g*where(a > 0, 0, expm1(minimum(a, 0)/b) - a/b*exp(minimum(a, 0)/b))"),
           numpy="np.where({a} > 0, {a}, {b:20} * np.expm1(np.minimum({a}, 0) / {b:21}))",
           scalar="({a:6} if {a:6} > 0 else {b:20} * m.expm1({a:20} / {b:21}))", latex=r"\mathrm{{CELU}}({a})", plain="CELU({a})",
           glyph=r"\mathrm{CELU}", range="(-b, inf)", doc="Continuously differentiable ELU.", source="Barron 2017")
activation("selu", "1.0507009873554805*where(a > 0, a, 1.6732632423543772*expm1(minimum(a, 0)))",
           vjp=("g*where(a > 0, 1.0507009873554805, y + 1.7580993408473768)",),
           numpy="1.0507009873554805 * np.where({a} > 0, {a}, 1.6732632423543772 * np.expm1(np.minimum({a}, 0)))", numpy_level=20,
           scalar="1.0507009873554805 * ({a:6} if {a:6} > 0 else 1.6732632423543772 * m.expm1({a}))",
           latex=r"\mathrm{{SELU}}({a})", plain="SELU({a})", glyph=r"\mathrm{SELU}",
           range="(-1.758, inf)", kinks="a = 0: the left derivative", doc="Self-normalising ELU.", source="Klambauer et al. 2017")
activation("hardtanh", "minimum(maximum(a, -1), 1)", vjp=("g*(abs(a) < 1)",), numpy="np.clip({a}, -1, 1)", scalar="min(max({a}, -1.0), 1.0)",
           glyph=r"\mathrm{hardtanh}", range="[-1, 1]", kinks="-1 and 1: derivative 0", doc="a cut at -1 and 1.", source="Collobert 2004")
activation("hardsigmoid", "minimum(maximum(a + 3, 0), 6)/6", vjp=("g*(abs(a) < 3)/6",), numpy="np.clip({a:10} + 3, 0, 6) / 6",
           numpy_level=20, scalar="min(max({a:10} + 3, 0.0), 6.0) / 6", glyph=r"\mathrm{hardsig}", range="[0, 1]",
           kinks="-3 and 3: derivative 0", doc="Piecewise linear sigmoid.", source="Courbariaux et al. 2015")
activation("hardswish", "a*minimum(maximum(a + 3, 0), 6)/6", vjp=("g*where(abs(a) < 3, a/3 + 1/2, where(a >= 3, 1, 0))",),
           numpy="{a:20} * np.clip({a:10} + 3, 0, 6) / 6", numpy_level=20, scalar="{a:20} * min(max({a:10} + 3, 0.0), 6.0) / 6",
           glyph=r"\mathrm{hardswish}", kinks="-3: derivative 0; 3: 1", doc="a times the piecewise linear sigmoid.", source="Howard et al. 2019")
activation("hardshrink", "where(abs(a) > b, a, 0)", arity=2, operands=("x", "lam"), defaults=(0.5,), glyph=r"\mathrm{hardshrink}",
           kinks="|a| = b: derivative 0", doc="a outside [-b, b], else 0.", source="wavelet shrinkage, Donoho 1995")
activation("softshrink", "where(abs(a) > b, a - b*sign(a), 0)", arity=2, operands=("x", "lam"), defaults=(0.5,), glyph=r"\mathrm{softshrink}",
           kinks="|a| = b: derivative 0", doc="a moved towards 0 by b.", source="wavelet shrinkage, Donoho 1995")
activation("tanhshrink", "a - tanh(a)", glyph=r"\mathrm{tanhshrink}", doc="a - tanh a.", source="PyTorch")
activation("gelu_tanh", "a/2*(1 + tanh(sqrt(2/pi)*(a + 0.044715*a**3)))", glyph=r"\mathrm{GELU}", doc="GELU with tanh instead of erf.",
           source="Hendrycks and Gimpel 2016")
activation("silu", "a*sigmoid(a)", glyph=r"\mathrm{SiLU}", doc="a times its sigmoid.", source="Elfwing et al. 2018")
activation("swish", "a*sigmoid(b*a)", arity=2, operands=("x", "beta"), defaults=(1,), glyph=r"\mathrm{swish}",
           doc="a σ(b a).", source="Ramachandran et al. 2017")
activation("softsign", "a/(1 + abs(a))", vjp=("g/(1 + abs(a))**2",), numpy="{a:20} / (1 + np.abs({a}))", numpy_level=20, scalar="{a:20} / (1 + abs({a}))", glyph=r"\mathrm{softsign}", range="(-1, 1)", doc="a/(1 + |a|).", source="Turian et al. 2009")
activation("erf", "", vjp=("g*2/sqrt(pi)*exp(-a**2)",), numpy="erf({a})", helper=ERF, scalar="math.erf({a})",
           latex=r"\operatorname{{erf}}({a})", plain="erf({a})", glyph=r"\mathrm{erf}", range="(-1, 1)", doc="Error function.", source="DLMF 7.2.1")
activation("normal_cdf", "(1 + erf(a/sqrt(2)))/2", vjp=("g*normal_pdf(a)",), numpy="(1 + erf({a:20} / 1.4142135623730951)) / 2", numpy_level=20,
           scalar="(1 + math.erf({a:20} / math.sqrt(2))) / 2", latex=r"\Phi({a})", plain="Φ({a})", glyph=r"\Phi", range="(0, 1)", canonical="Phi",
           recognise=("(1 + erf(a/sqrt(2)))/2", "0.5*(1 + erf(a/sqrt(2)))"), doc="Distribution function of the standard normal.", source="Gauss 1809")
activation("normal_pdf", "exp(-a**2/2)/sqrt(2*pi)", vjp=("-g*a*y",), latex=r"\phi({a})", plain="φ({a})", glyph=r"\phi", canonical="phi",
           numpy="np.exp(-({a:31} ** 2) / 2) / 2.5066282746310002", numpy_level=20, scalar="m.exp(-({a:31} ** 2) / 2) / math.sqrt(2 * math.pi)",
           doc="Density of the standard normal.", source="Gauss 1809")
activation("gelu", "a*normal_cdf(a)", recognise=("a/2*(1 + erf(a/sqrt(2)))", "0.5*a*(1 + erf(a/sqrt(2)))", "a*(1 + erf(a/sqrt(2)))/2"), glyph=r"\mathrm{GELU}", doc="a Φ(a).", source="Hendrycks and Gimpel 2016")
activation("mish", "a*tanh(softplus(a))", glyph=r"\mathrm{Mish}", doc="a tanh(softplus a).", source="Misra 2019")
# fmt: on

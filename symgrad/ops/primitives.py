"""The primitives: arithmetic, comparisons, selection, elementary functions.

Everything else is a formula over these. Sources: elementary calculus, unless a row says so.
"""

from collections import deque
from collections.abc import Callable

from symgrad.graph import Node
from symgrad.ops.spec import ADD, COMPARE, MUL, NEG, OPS, POW, register, shape_text, value_of

ARITHMETIC = ("add", "sub", "mul", "div", "neg", "abs")


def _pythonic(node: Node) -> bool:
    """Say whether a value may be a float of Python's, even where inputs are NumPy's numbers.

    So it is where a helper makes it, or a choice gives a constant: Python raises when it divides
    by such a zero. What is near is looked at first: long sums have inputs close by.
    """
    near = {node: None}
    todo = deque(near)
    while todo:
        part = todo.popleft()
        inner = _arithmetic(part)
        if not inner and not _own_float(part):
            return False
        todo += [a for a in inner if a not in near]
        near |= dict.fromkeys(inner)
    return True


def _arithmetic(node: Node) -> tuple[Node, ...]:
    """List the operands of Python's own operators; m.pow makes a number of NumPy's."""
    if node.op == "pow":
        power = value_of(node.args[1])
        return node.args[:1] if power is not None and power == int(power) else ()
    return node.args if node.op in ARITHMETIC else ()


def _own_float(node: Node) -> bool:
    """Say whether an operation, or a leaf, may give a float of Python's."""
    if not node.args or node.op == "pow":
        return node.op not in ("input", "pow")
    row = OPS[node.op]
    plain = isinstance(row.scalar, str) and row.scalar.startswith("m.")
    return not plain or bool(row.precise or row.precise_helper)


def _unless_zero(text: str) -> Callable[[Node], str]:
    """Spell a text that is computed unless its first operand, a number, is 0."""

    def spelling(node: Node) -> str:
        number, array = node.args
        if number.shape or array.shape != node.shape:
            return ""
        if not node.shape:
            return f"{text} if {{a:6}} else {{dtype}}(0)"
        return f"{text} if {{a:6}} else np.zeros({shape_text(node.shape)}, {{dtype}})"

    return spelling


def _by_divisor(node: Node) -> str:
    """Spell a quotient by a number, or by 1 where it is 0."""
    return "" if node.args[1].shape else "{a:20} / ({b:5} or 1)"


def _scalar_quotient(node: Node) -> str:
    """Spell a quotient: Python raises where NumPy divides by 0; ldexp makes a number of NumPy's."""
    if value_of(node.args[1]) == 0:
        return "{a:20} / m.ldexp(0.0, 0)"
    return (
        "{a:20} / m.ldexp({b}, 0)"
        if _pythonic(node.args[1]) and node.args[1].args
        else "{a:20} / {b:21}"
    )


def _scalar_power(node: Node) -> str:
    """Spell a power of floats: ** would make a complex number of a negative base."""
    power = value_of(node.args[1])
    if power is not None and abs(power) < 2**31 and power == int(power):
        far = power < 0 or power > 9
        plain = far and node.args[0].args and _pythonic(node.args[0])
        return "m.ldexp({a}, 0) ** {b:30}" if plain else "{a:31} ** {b:30}"
    return "m.pow({a}, {b})"


NUMBER_LOG = '''
def number_log(x):
    """log(x) of a number; -inf at 0, which raises no warning: it may count nowhere."""
    return np.where(x == 0, -np.inf, np.log(np.where(x == 0, 1, x)))[()]
'''
HYPOT = '''
def hypot(a, b, out=None):
    """Root of a*a + b*b; np.hypot, which takes 4 times as long, where squares overflow or vanish."""
    squares = np.asarray(np.add(np.multiply(a, a, out), b * b, out))
    if squares.size > 999 and np.max(squares) < np.inf:
        least = np.min(squares) if np.ndim(b) else b * b
        if least > 1e16 * np.finfo(squares.dtype).tiny:
            return np.sqrt(squares, out)
    return np.hypot(a, b, out)
'''
# fmt: off
register("add", 2, vjp=("g", "g"), numpy="{a:10} + {b:11}", numpy_level=ADD, scalar="{a:10} + {b:11}", glyph="+",
         level=ADD, doc="Add elementwise.", source="arithmetic")
register("sub", 2, vjp=("g", "-g"), numpy="{a:10} - {b:11}", numpy_level=ADD, scalar="{a:10} - {b:11}", glyph="-",
         level=ADD, doc="Subtract elementwise.", source="arithmetic")
register("mul", 2, vjp=("g*b", "g*a"), numpy="{a:20} * {b:21}", numpy_level=MUL, scalar="{a:20} * {b:21}", glyph=r"\times",
         level=MUL, doc="Multiply elementwise.", source="arithmetic")
register("div", 2, vjp=("g/b", "-g*y/b"), careful=("g/b", "-(g*y)/b"), numpy="{a:20} / {b:21}", numpy_level=MUL, scalar=_scalar_quotient, glyph="/",
         level=MUL, domain="b != 0", doc="Divide elementwise.", source="arithmetic")
register("over", 2, hidden=True, vjp=("over(g, b)", "-over(g*y, b)"), numpy="{a:20} / np.where({b} == 0, 1, {b})", numpy_level=MUL,
         by_number=_by_divisor, scalar="({a:20} / {b:21} if {b:6} else 0.0)", glyph="/", level=MUL, kinks="b = 0: 0",
         fast="a/(b + (b == 0))", doc="Divide; 0 where b is 0, as the gradient of a norm is.", source="minimum-norm subgradient")
register("xdivy", 2, hidden=True, vjp=("xdivy(g, b)", "-xdivy(g*y, b)"), numpy="{a:20} / np.where({a} == 0, 1, {b})", numpy_level=MUL,
         by_number=_unless_zero("{a:20} / {b:21}"), scalar="({a:20} / {b:21} if {a:6} else 0.0)", glyph="/", level=MUL, kinks="a = 0: 0",
         fast="a/where(a == 0, 1, b)", doc="Divide; 0 where a is 0, whatever b is.", source="0/0 in the gradient of 0 log 0")
register("number_log", hidden=True, formula="log(a)", vjp=("g/a",), numpy="number_log({a})", helper=NUMBER_LOG, portable="np.log({a})", scalar="m.log({a})", latex=r"\log {a:30}", plain="log({a})",
         glyph=r"\log", domain="a > 0", doc="Logarithm of a number beside an array that may be 0 throughout.", source="0 log 0 in entropies")
register("xlogy", 2, hidden=True, vjp=("g*log(b)", "g*a/b"), careful=("g*log(b)", "g*xdivy(a, b)"), numpy="{a:20} * np.log(np.where({a} == 0, 1, {b}))", numpy_level=MUL,
         by_number=_unless_zero("{a:20} * np.log({b})"), scalar="({a:20} * m.log({b}) if {a:6} else 0.0)", formula="a*log(b)",
         glyph=r"\log", level=MUL, kinks="a = 0: 0", fast="a*log(where(a == 0, 1, b))", doc="a log b; 0 where a is 0, whatever b is.", source="0 log 0 = 0 of entropies")
register("xlog1py", 2, hidden=True, formula="a*log(1 + b)", vjp=("g*log1p(b)", "xdivy(g*a, 1 + b)"), numpy="{a:20} * np.log1p(np.where({a} == 0, 0, {b}))", numpy_level=MUL,
         by_number=_unless_zero("{a:20} * np.log1p({b})"), scalar="({a:20} * m.log1p({b}) if {a:6} else 0.0)", glyph=r"\log", level=MUL, kinks="a = 0: 0", fast="a*log1p(where(a == 0, 0, b))", doc="a log(1 + b); 0 where a is 0.", source="0 log 0 = 0 of entropies")
register("neg", 1, vjp=("-g",), numpy="-{a:25}", numpy_level=NEG, scalar="-{a:25}", glyph=r"\times{-}1",
         level=NEG, doc="Change the sign.", source="arithmetic")
register("pow", 2, vjp=("g*lowered(a, b)", "g*y*log(a)"), careful=("g*lowered_safely(a, b)", "g*xlogy(y, a)"), numpy="{a:31} ** {b:30}", numpy_level=POW, scalar=_scalar_power,
         glyph="x^{n}", level=POW, domain="a > 0, or b an integer",
         doc="Raise to a power; 0**0 is 1.", source="arithmetic")

register("lt", 2, dtype="bool", zero=True, numpy="{a:6} < {b:6}",  numpy_level=COMPARE, scalar="{a:6} < {b:6}",  latex="{a} < {b}",    plain="{a} < {b}", level=COMPARE, glyph="<",     doc="1 where a < b, else 0.", source="Iverson bracket")
register("le", 2, dtype="bool", zero=True, numpy="{a:6} <= {b:6}", numpy_level=COMPARE, scalar="{a:6} <= {b:6}", latex=r"{a:6} \le {b:6}", plain="{a:6} ≤ {b:6}", level=COMPARE, glyph=r"\le",  masks=True, doc="1 where a <= b, else 0.", source="Iverson bracket")
register("gt", 2, dtype="bool", zero=True, numpy="{a:6} > {b:6}",  numpy_level=COMPARE, scalar="{a:6} > {b:6}",  latex="{a} > {b}",    plain="{a} > {b}", level=COMPARE, glyph=">",     doc="1 where a > b, else 0.", source="Iverson bracket")
register("ge", 2, dtype="bool", zero=True, numpy="{a:6} >= {b:6}", numpy_level=COMPARE, scalar="{a:6} >= {b:6}", latex=r"{a} \ge {b}", plain="{a} ≥ {b}", level=COMPARE, glyph=r"\ge",  doc="1 where a >= b, else 0.", source="Iverson bracket")
register("eq", 2, dtype="bool", zero=True, numpy="{a:6} == {b:6}", numpy_level=COMPARE, scalar="{a:6} == {b:6}", latex="{a} = {b}",    plain="{a} = {b}", level=COMPARE, glyph="=",     masks=True, doc="1 where a equals b, else 0.", source="Iverson bracket")
register("ne", 2, dtype="bool", zero=True, numpy="{a:6} != {b:6}", numpy_level=COMPARE, scalar="{a:6} != {b:6}", latex=r"{a} \ne {b}", plain="{a} ≠ {b}", level=COMPARE, glyph=r"\ne",  masks=True, doc="1 where a differs from b, else 0.", source="Iverson bracket")
register("both", 2, dtype="bool", zero=True, hidden=True, masks=True, numpy="{a:6} & {b:6}", numpy_level=COMPARE, scalar="{a:6} & {b:6}",
         latex=r"{a} \wedge {b}", plain="{a} ∧ {b}", level=COMPARE, glyph=r"\wedge", doc="1 where both hold.", source="logic")
register("where", 3, dtype="join", vjp=(None, "where(a, g, 0)", "where(a, 0, g)"), numpy="np.where({a}, {b}, {c})", masks=True,
         scalar="({b} if {a} else {c})", glyph=r"\mathrm{where}", doc="b where a holds, else c.", source="case distinction")

register("maximum", 2, vjp=("g*(a > b)", "g*(b >= a)"), numpy="np.maximum({a}, {b})", scalar="({a:6} if {a:6} > {b:6} or {a:6} != {a:6} else {b})",
         latex=r"\max({a}, {b})", plain="max({a}, {b})", glyph=r"\max", kinks="a = b: the gradient goes to b",
         doc="The larger of two, elementwise.", source="order")
register("fmax", 2, hidden=True, formula="maximum(a, b)", vjp=("g*(a >= b)", "g*(a < b)"), numpy="np.fmax({a}, {b})", latex=r"\max({a}, {b})", plain="max({a}, {b})", glyph=r"\max",
         doc="The larger of two; the other one where one is NaN.", source="IEEE 754")
register("minimum", 2, vjp=("g*(a <= b)", "g*(b < a)"), numpy="np.minimum({a}, {b})", scalar="({a:6} if {a:6} < {b:6} or {a:6} != {a:6} else {b})",
         latex=r"\min({a}, {b})", plain="min({a}, {b})", glyph=r"\min", kinks="a = b: the gradient goes to a",
         doc="The smaller of two, elementwise.", source="order")
register("fmin", 2, hidden=True, formula="minimum(a, b)", vjp=("g*(a <= b)", "g*(b < a)"), numpy="np.fmin({a}, {b})", latex=r"\min({a}, {b})", plain="min({a}, {b})", glyph=r"\min",
         doc="The smaller of two; the other one where one is NaN.", source="IEEE 754")
register("clip", 3, needs=("b <= c",), formula="minimum(maximum(a, b), c)", vjp=("g*(b < a < c)", "g*(a <= b)", "g*(b < a)*(c <= a)"), numpy="np.clip({a}, {b}, {c})", glyph=r"\mathrm{clip}",
         kinks="0 at both edges", fast="minimum(maximum(a, b), c)", doc="Keep a within [b, c].", source="order")

register("logaddexp", 2, formula="log(exp(a) + exp(b))", vjp=("g*sigmoid(a - b)", "g*sigmoid(b - a)"),
         careful=("g*reached(sigmoid(a - b), y)", "g*reached(sigmoid(b - a), y)"), numpy="np.logaddexp({a}, {b})",
         scalar="(max({a}, {b}) + math.log1p(math.exp(-abs({a:10} - {b:11}) if {a:6} != {b:6} else 0.0)))", glyph=r"\mathrm{lse}",
         fast="maximum(a, b) + log1p(exp(-abs(where(a == b, 0, a - b))))",
         doc="log(exp(a) + exp(b)), from the larger; where both are -inf, code has slope 0.", source="log-sum-exp")
register("reached", 2, hidden=True, formula="a", vjp=("reached(g, b)", None), numpy="np.where({b:6} == -np.inf, 0, {a})", scalar="(0.0 if {b:6} == -m.inf else {a:6})",
         fast="where(b == -inf, 0, a)", doc="a; 0 where the logarithm b is -inf: what cannot be reached has no slope.", source="log-sum-exp")
register("exp",    vjp=("g*y",),             numpy="np.exp({a})",    scalar="m.exp({a})",    latex="e^{{{a}}}",            plain="exp({a})",    level=POW, glyph=r"\exp",  range="(0, inf)", doc="Exponential.", source="elementary")
register("log",    vjp=("g/a",),             numpy="np.log({a})",    scalar="m.log({a})",    latex=r"\log({a})",         plain="log({a})",    level=MUL, glyph=r"\log",  domain="a > 0",   doc="Natural logarithm.", source="elementary")
register("logabs", hidden=True, formula="log(abs(a))", vjp=("g/a",), accurate=("xdivy(g, a)",), numpy="np.log(np.abs({a}))", scalar="m.log(abs({a}))", latex=r"\log\lvert {a} \rvert", plain="log|{a}|", level=MUL, glyph=r"\log|\cdot|", domain="a != 0", fast="log(abs(a))", doc="Logarithm of the absolute value.", source="elementary")
register("log2",   formula="log(a)/log(2)",  numpy="np.log2({a})",   scalar="m.log2({a})",   latex=r"\log_{{2}}({a})",   plain="log₂({a})",   level=MUL, glyph=r"\log_{2}", domain="a > 0", doc="Logarithm to base 2.", source="elementary")
register("log1p",  vjp=("g/(1 + a)",),       numpy="np.log1p({a})",  scalar="m.log1p({a})",  latex=r"\log(1 + {a:10})",    plain="log(1 + {a:10})",  level=MUL, glyph=r"\mathrm{log1p}", domain="a > -1", doc="log(1 + a), accurate near 0.", source="elementary")
register("expm1",  vjp=("g*(y + 1)",), accurate=("g*exp(a)",),       numpy="np.expm1({a})",  scalar="m.expm1({a})",  latex="e^{{{a}}} - 1",        plain="expm1({a})",  level=ADD, glyph=r"\mathrm{expm1}", range="(-1, inf)", doc="exp(a) - 1, accurate near 0.", source="elementary")
register("sqrt",   vjp=("g/(2*y)",),   careful=("xdivy(g, 2*y)",),         numpy="np.sqrt({a})",   scalar="m.sqrt({a})",   latex=r"\sqrt{{{a}}}",        plain="√{a:40}",     glyph=r"\sqrt{\cdot}", domain="a >= 0", range="[0, inf)", doc="Square root.", source="elementary")
register("square", formula="a**2",           numpy="np.square({a})", scalar="{a:31} ** 2",   latex="{a:31}^{{2}}",         plain="{a:31}²",     level=POW, glyph="x^{2}",  range="[0, inf)", fast="a*a", doc="Square.", source="elementary")
register("abs",    vjp=("g*sign(a)",),       numpy="np.abs({a})",    scalar="abs({a})",      latex=r"\lvert {a} \rvert",   plain="|{a}|",       glyph=r"|\cdot|", range="[0, inf)", kinks="a = 0: derivative 0", doc="Absolute value.", source="elementary")
register("sign",   zero=True,                numpy="np.sign({a})",   scalar="(1.0 if {a:6} > 0 else -1.0 if {a:6} < 0 else {a:6})", glyph=r"\mathrm{sign}", range="{-1, 0, 1}", kinks="a = 0", doc="Sign; 0 at 0.", source="elementary")
register("floor",  zero=True,                numpy="np.floor({a})",  scalar="float(m.floor({a}))", latex=r"\lfloor {a} \rfloor", plain="⌊{a}⌋",         glyph=r"\lfloor\cdot\rfloor", kinks="integers", doc="Largest integer below.", source="elementary")
register("sin",    vjp=("g*cos(a)",),        numpy="np.sin({a})",    scalar="m.sin({a})",    latex=r"\sin({a})",  plain="sin({a})",  level=MUL, glyph=r"\sin",  range="[-1, 1]", doc="Sine.", source="elementary")
register("cos",    vjp=("-g*sin(a)",),       numpy="np.cos({a})",    scalar="m.cos({a})",    latex=r"\cos({a})",  plain="cos({a})",  level=MUL, glyph=r"\cos",  range="[-1, 1]", doc="Cosine.", source="elementary")
register("tan",    vjp=("g*(1 + y**2)",),    numpy="np.tan({a})",    scalar="m.tan({a})",    latex=r"\tan({a})",  plain="tan({a})",  level=MUL, glyph=r"\tan",  doc="Tangent.", source="elementary")
register("sinh",   vjp=("g*cosh(a)",),       numpy="np.sinh({a})",   scalar="m.sinh({a})",   latex=r"\sinh({a})", plain="sinh({a})", level=MUL, recognise=("(exp(a) - exp(-a))/2",), glyph=r"\sinh", doc="Hyperbolic sine.", source="elementary")
register("cosh",   vjp=("g*sinh(a)",),       numpy="np.cosh({a})",   scalar="m.cosh({a})",   latex=r"\cosh({a})", plain="cosh({a})", level=MUL, recognise=("(exp(a) + exp(-a))/2",), glyph=r"\cosh", range="[1, inf)", doc="Hyperbolic cosine.", source="elementary")
register("tanh",   vjp=("g*(1 - y**2)",), accurate=("g*tanh_slope(a)",), numpy="np.tanh({a})",   scalar="m.tanh({a})",   latex=r"\tanh({a})", plain="tanh({a})", level=MUL, glyph=r"\tanh", range="(-1, 1)",
         recognise=("(exp(a) - exp(-a))/(exp(a) + exp(-a))", "2*sigmoid(2*a) - 1", "(exp(2*a) - 1)/(exp(2*a) + 1)", "(1 - exp(-2*a))/(1 + exp(-2*a))", "sinh(a)/cosh(a)"), doc="Hyperbolic tangent.", source="elementary")
register("tanh_slope", hidden=True, formula="(1/cosh(a))**2", vjp=("-2*g*y*tanh(a)",), latex=r"\tanh'({a})", plain="tanh′({a})", glyph=r"\tanh'", range="(0, 1]", doc="Derivative of tanh, also where 1 - tanh(a)**2 has no digits left.", source="elementary")
register("hypot", 2, hidden=True, formula="sqrt(a**2 + b**2)", vjp=("over(g*a, y)", "over(g*b, y)"), numpy="hypot({a}, {b})", helper=HYPOT, portable="np.hypot({a}, {b})", scalar="m.hypot({a}, {b})", latex=r"\sqrt{{{a:31}^{{2}} + {b:31}^{{2}}}}", plain="√({a:31}² + {b:31}²)", glyph=r"\mathrm{hypot}", range="[0, inf)", doc="Root of the sum of two squares, without overflow.", source="Pythagoras")
register("asinh",  vjp=("g/sqrt(1 + a**2)",), careful=("g/hypot(1, a)",), numpy="np.arcsinh({a})", scalar="m.asinh({a})", latex=r"\operatorname{{arsinh}}({a})", plain="arsinh({a})", glyph=r"\mathrm{asinh}", recognise=("log(a + sqrt(1 + a**2))",), doc="Inverse hyperbolic sine.", source="elementary")
register("arctan", vjp=("g/(1 + a**2)",), careful=("g/hypot(1, a)/hypot(1, a)",),   numpy="np.arctan({a})",  scalar="m.atan({a})", latex=r"\arctan({a})", plain="arctan({a})", level=MUL, glyph=r"\arctan", range="(-pi/2, pi/2)", aliases=("atan",), doc="Inverse tangent.", source="elementary")
register("arctan_ratio", 2, hidden=True, formula="arctan(a/b)", vjp=("over(over(g*b, hypot(a, b)), hypot(a, b))", "-over(over(g*a, hypot(a, b)), hypot(a, b))"), numpy="np.arctan({a:20} / {b:21})", scalar="m.atan({a:20} / {b:21})", latex=r"\arctan(\frac{{{a}}}{{{b}}})", plain="arctan({a:20}/{b:21})", level=MUL, glyph=r"\arctan", domain="b != 0", doc="Inverse tangent of a/b, whose slopes are finite at b = 0.", source="elementary")
# fmt: on

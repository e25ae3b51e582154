"""Power series, for code: what a quotient is where its terms would cancel."""

from symgrad.graph import Node
from symgrad.ops.spec import ADD, register

POWER_SERIES = '''
def power_series(x, near, start, step, terms):
    """x**start times a power series in x**step, highest term first, near 0."""
    small = np.where(near, x, 0)
    s = small**step
    total = 0 * s + terms[0]
    for c in terms[1:]:
        total *= s
        total += c
    total *= small**start
    return total[()]
'''
SCALAR_POWER_SERIES = '''
def power_series(x, near, start, step, terms):
    """x**start times a power series in x**step, highest term first, near 0."""
    small = x if near else 0.0
    total, s = 0.0, small**step
    for c in terms:
        total = total * s + c
    return total * small**start
'''


def _terms(node: Node) -> tuple[list[float], int, bool]:
    """Give the coefficients of a derivative, highest first, the step, and whether it is odd."""
    terms = list(node.attrs["terms"])
    for _ in range(node.attrs["order"]):
        terms = [n * c for n, c in enumerate(terms)][1:]
    terms = terms or [0.0]
    if not any(terms[1::2]):
        return terms[::-2] if len(terms) % 2 else terms[-2::-2], 2, False
    if not any(terms[::2]):
        return terms[::-2] if len(terms) % 2 == 0 else terms[-2::-2], 2, True
    return terms[::-1], 1, False


def _spelled(node: Node) -> str:
    terms, step, odd = _terms(node)
    return f"power_series({{a}}, {{b}}, {int(odd)}, {step}, ({', '.join(map(repr, terms))},))"


# fmt: off
register("power_series", 2, params={"terms": (1.0, 1.0), "order": 0}, hidden=True, masks=True, vjp=("g*primed(y)", None), numpy=_spelled, helper=POWER_SERIES, scalar=_spelled, scalar_helper=SCALAR_POWER_SERIES,
         latex=r"\sum_n c_n {a:31}^{{n}}", plain="Σ cₙ{a:31}ⁿ", level=ADD, glyph=r"\sum c_n x^n", doc="A power series in a, or a derivative of it, where b holds.", source="Taylor 1715")
register("known_slope", 3, hidden=True, formula="b", vjp=("g*c", None, None), glyph="f",
         doc="b, whose slope in a is c.", source="chain rule")
register("known_slopes", 5, hidden=True, formula="c", vjp=("g*d", "g*e", None, None, None), glyph="f",
         doc="c, whose slopes in a and b are d and e.", source="chain rule")
register("share", 3, hidden=True, formula="a/c", vjp=("g*b/c/c", "-(g*y/c)", None), glyph="f",
         doc="a/c for c = a + b, whose slope in a is b/c**2: no difference of y and 1.", source="quotient rule")
register("ratio_power", 3, hidden=True, formula="(a/b)**c", vjp=("g*lowered(a/b, c)/b", "-(g*c*y/b)", "g*y*log(a/b)"), careful=("g*lowered_safely(a/b, c)/b", "-(g*c*y/b)", "g*xlogy(y, a/b)"), glyph="x^{n}",
         domain="a > 0, b > 0", doc="A power of a ratio, whose slope in b is c y/b: finite at a = 0.", source="power rule")
register("scaled_power", 3, hidden=True, formula="(a*exp(b))**c", vjp=("g*exp(b)*lowered(a*exp(b), c)", "g*c*y", "g*y*log(a*exp(b))"), careful=("g*exp(b)*lowered_safely(a*exp(b), c)", "g*c*y", "g*xlogy(y, a*exp(b))"), glyph="x^{n}",
         domain="a > 0", doc="A power of a exp(b), whose slope in b is c y: finite at a = 0.", source="power rule")
register("size_power", 2, hidden=True, formula="abs(a)**b", vjp=("g*b*y/a", "g*y*log(abs(a))"), careful=("xdivy(g*b*y, a)", "g*xlogy(y, abs(a))"), glyph="|x|^{n}",
         domain="a != 0", doc="A power of |a|, whose slope at 0 is taken to be 0.", source="power rule")
register("as_is", hidden=True, formula="a", vjp=("g",), glyph="f", doc="a, which keeps its form: another one would lose digits.", source="arithmetic")
# fmt: on

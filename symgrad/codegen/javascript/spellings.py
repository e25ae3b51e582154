"""How JavaScript spells an operator on numbers: one line each, the rest follows from formulas."""

import ast
import json
import math
import re
from functools import lru_cache

from symgrad.codegen.javascript.runtime import ARRAYS
from symgrad.ops import OPS

# On one number these give it back.
IDENTITIES = ("sum", "mean", "amax", "amin", "prod", "broadcast", "reshape", "transpose")

SPELLINGS: dict[str, str] = {
    "add": "({a} + {b})",
    "sub": "({a} - {b})",
    "mul": "({a} * {b})",
    "div": "({a} / {b})",
    "neg": "(-{a})",
    "over": "({b} === 0 ? {a} : {a} / {b})",
    "xdivy": "({a} === 0 ? 0 / 1 : {a} / {b})",
    "xlogy": "({a} === 0 ? 0 : {a} * Math.log({b}))",
    "xlog1py": "({a} === 0 ? 0 : {a} * Math.log1p({b}))",
    "pow": "power({a}, {b})",
    "square": "power({a}, 2)",
    "sqrt": "Math.sqrt({a})",
    "abs": "Math.abs({a})",
    "lt": "+({a} < {b})",
    "le": "+({a} <= {b})",
    "gt": "+({a} > {b})",
    "ge": "+({a} >= {b})",
    "eq": "+({a} === {b})",
    "ne": "+({a} !== {b})",
    "both": "({a} & {b})",
    "where": "({a} !== 0 ? {b} : {c})",
    "maximum": "Math.max({a}, {b})",
    "minimum": "Math.min({a}, {b})",
    "sign": "Math.sign({a})",
    "floor": "Math.floor({a})",
    "exp": "Math.exp({a})",
    "expm1": "Math.expm1({a})",
    "log": "Math.log({a})",
    "log2": "Math.log2({a})",
    "log1p": "Math.log1p({a})",
    "logabs": "Math.log(Math.abs({a}))",
    "hypot": "Math.hypot({a}, {b})",
    "sin": "Math.sin({a})",
    "cos": "Math.cos({a})",
    "tan": "Math.tan({a})",
    "arctan": "Math.atan({a})",
    "sinh": "Math.sinh({a})",
    "cosh": "Math.cosh({a})",
    "tanh": "Math.tanh({a})",
    "asinh": "Math.asinh({a})",
    # stable forms of what would overflow or cancel as a formula
    "sigmoid": "sigmoid({a})",
    "sigmoid_slope": "(sigmoid({a}) * sigmoid(-{a}))",
    "softplus": "softplus({a})",
    "logaddexp": "logaddexp({a}, {b})",
    "logcosh": "logcosh({a})",
    "gelu_gate": "geluGate({a})",
    "selu": "({a} > 0 ? 1.0507009873554805 * {a} : 1.7580993408473768 * Math.expm1({a}))",
    "erf": "erf({a})",
    "normal_cdf": "normalCdf({a})",
    "sinc": "sinc({a})",
    "sinc_slope": "sincSlope({a})",
    "mish_slope": "mishSlope({a})",
    "exprel": "({a} === 0 ? 1 : Math.expm1({a}) / {a})",
    "logrel": "({a} === 0 ? 1 : Math.log1p({a}) / {a})",
    "tanhrel": "({a} === 0 ? 1 : Math.tanh({a}) / {a})",
}

FUNCTIONS: dict[str, str] = {
    # What flows back along an edge: 0 where nothing comes in or nothing is let through.
    "pass": """\
function pass(d, g) {
  const share = d(g);
  return isNaN(share) && !isNaN(g) && (g === 0 || d(1) === 0) ? 0 : share;
}""",
    "entropic": """\
function entropic(a, b) {
  return (a === 0 && Math.abs(b) === Infinity) || (b === 0 && Math.abs(a) === Infinity) ? 0 : a * b;
}""",
    "power": """\
function power(a, b) {
  return a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : Math.pow(a, b);
}""",
    "sigmoid": """\
function sigmoid(x) {
  const e = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : e) / (1 + e);
}""",
    "softplus": """\
function softplus(x) {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}""",
    "logaddexp": """\
function logaddexp(a, b) {
  return a === b ? a + Math.LN2 : Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}""",
    "logcosh": """\
function logcosh(x) {
  return Math.abs(x) + Math.log1p(Math.exp(-2 * Math.abs(x))) - Math.LN2;
}""",
    "geluGate": """\
function geluGate(x) {
  const z = Math.min(Math.max(x, -40), 40);
  return sigmoid(1.5957691216057308 * z + 0.07135481627260025 * z * z * z);
}""",
    "erf": """\
function erf(x) {
  const z = Math.abs(x);
  if (z < 1) {
    let series = 0;
    for (const c of ERF) series = series * z * z + c;
    return x * series;
  }
  return Math.sign(x) * (1 - 2 * normalCdf(-Math.SQRT2 * z));
}""",
    "normalCdf": """\
function normalCdf(x) {
  const z = Math.min(Math.abs(x), 40), t = (z - 6) / (z + 6);
  let ratio = 0;
  for (const c of TAIL) ratio = ratio * t + c;
  const high = Math.round(z * 1048576) / 1048576;
  const tail = Math.exp(-high * high / 2) * Math.exp((high - z) * (high + z) / 2) * ratio / (z + 2);
  return x > 0 ? 1 - tail : tail;
}""",
    "sinc": """\
function sinc(x) {
  const z = Math.PI * x;
  return x === 0 ? 1 : Math.sin(z) / z;
}""",
    "sincSlope": """\
function sincSlope(x) {
  if (Math.abs(x) < 0.4) {
    const z = Math.PI * x;
    let series = 1;
    for (let k = 9; k > 0; k--) series = 1 - z * z / (2 * k * (2 * k + 3)) * series;
    return -Math.PI / 3 * z * series;
  }
  const n = Math.round(x), sign = n % 2 ? -1 : 1, z = Math.PI * (x - n);
  return sign * (Math.cos(z) - Math.sin(z) / (Math.PI * x)) / x;
}""",
    "mishSlope": """\
function mishSlope(x) {
  const e = Math.exp(-Math.abs(x)), up = x >= 0, z = Math.min(Math.max(x, -800), 800);
  const top = up ? 1 + 2 * e : e + 2;
  const low = up ? 1 + 2 * e + 2 * e * e : e * e + 2 * e + 2;
  return (top * low + 4 * z * (1 + e) * (up ? e * e : 1)) * (up ? 1 : e) / (low * low);
}""",
}


@lru_cache(maxsize=8)
def coefficients(op: str) -> tuple[float, ...]:
    """Read the fitted numbers of a row's helper, so that they stand in one place only.

    >>> len(coefficients("erf")) > 10
    True
    """
    loop = next(n for n in ast.walk(ast.parse(OPS[op].helper)) if isinstance(n, ast.For))
    found: tuple[float, ...] = ast.literal_eval(loop.iter)
    return found


def spell(op: str, operands: list[str]) -> str:
    """Write one operator over the texts of its operands.

    >>> spell("exp", ["v1"])
    'Math.exp(v1)'
    """
    return SPELLINGS[op].format(**dict(zip("abcdefgh", operands, strict=False)))


def literal(value: float) -> str:
    """Write a number.

    >>> literal(-2), literal(float("inf")), literal(0.5)
    ('(-2)', 'Infinity', '0.5')
    """
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "(-Infinity)"
    whole = isinstance(value, int) or value == int(value)
    text = str(int(value)) if whole and abs(value) < 2**53 else repr(float(value))
    return f"({text})" if text.startswith("-") else text


def called(text: str) -> list[str]:
    """Give the functions and tables that a text calls, with those that they call in turn."""
    known = {**FUNCTIONS, **ARRAYS}
    found: dict[str, None] = {}
    todo = [text]
    while todo:
        words = dict.fromkeys(re.findall(r"\b[a-zA-Z]\w+\b", todo.pop()))
        new = [w for w in words if w in known and w not in found]
        found.update(dict.fromkeys(new))
        todo += [known[w] for w in new]
    tables = {"erf": ("ERF", "erf"), "normalCdf": ("TAIL", "normal_cdf")}
    lines = [
        f"const {tables[f][0]} = {json.dumps(coefficients(tables[f][1]))};"
        for f in tables
        if f in found
    ]
    return lines + [known[f] for f in known if f in found]

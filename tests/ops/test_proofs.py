"""Every rule of an elementwise row is proven: by SymPy where it can decide, by 60 digits elsewhere.

The derivative of the row's formula (or, of a primitive, of SymPy's function) is compared with each
of the row's rules, those for printing, for code and for accurate code, as expressions.
"""

from typing import Any

import mpmath
import pytest
import sympy

from symgrad.graph import Node
from symgrad.ops import OPS, Op, leaf, make
from symgrad.ops.spec import bounds
from symgrad.parse import contribution, formula, has_rule

ROWS = [row for row in OPS.values()
        if row.shape == "elementwise" and row.dtype == "float" and not row.zero
        and row.name not in ("apply", "xdivy", "xlogy", "over")
        # whose operands belong together: test_remainders, test_removable, test_roots
        and row.name not in ("secant_slope", "power_series", "known_slope", "known_slopes", "share")
        and (row.vjp or row.careful or row.accurate)]  # fmt: skip
DOMAIN = {"a > 0": (0.2, 3), "a >= 0": (0.2, 3), "a > -1": (-0.8, 3), "b != 0": (0.3, 3),
          "a > 0, or b an integer": (0.2, 3), "a != 0": (0.2, 3)}  # fmt: skip
KNOWN: dict[str, Any] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b, "xdivy": lambda a, b: a / b, "over": lambda a, b: a / b,
    "neg": lambda a: -a, "pow": lambda a, b: a**b, "xlogy": lambda a, b: a * sympy.log(b),
    "exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt, "sin": sympy.sin, "cos": sympy.cos,
    "tan": sympy.tan, "sinh": sympy.sinh, "cosh": sympy.cosh, "tanh": sympy.tanh,
    "asinh": sympy.asinh, "arctan": sympy.atan, "erf": sympy.erf, "abs": sympy.Abs,
    "sign": sympy.sign, "log1p": lambda a: sympy.log(1 + a), "expm1": lambda a: sympy.exp(a) - 1,
    "square": lambda a: a**2, "maximum": sympy.Max, "minimum": sympy.Min,
    "where": lambda c, a, b: sympy.Piecewise((a, c), (b, True)),
    "lt": sympy.Lt, "le": sympy.Le, "gt": sympy.Gt, "ge": sympy.Ge, "both": sympy.And,
    "eq": sympy.Eq, "ne": sympy.Ne,
}  # fmt: skip
DECIDED: dict[str, int] = {}


def number(condition: Any) -> Any:
    """Read a condition that stands as a number."""
    if isinstance(condition, sympy.logic.boolalg.Boolean) and not condition.is_Symbol:
        return sympy.Piecewise((1, condition), (0, True))
    return condition


def expression(root: Node) -> Any:
    """Write a node as a SymPy expression, through the formulas of the rows."""
    done: dict[Node, Any] = {}
    todo = [root]
    while todo:
        node = todo.pop()
        if node in done:
            continue
        if node.op == "input":
            done[node] = sympy.Symbol(node.attrs["name"], real=True)
        elif node.op == "const":
            value = node.attrs["value"]
            done[node] = sympy.pi if value == float(sympy.pi) else sympy.Rational(value)
        elif node.op in KNOWN:
            missing = [a for a in node.args if a not in done]
            if missing:
                todo += [node, *missing]
                continue
            args = [done[a] for a in node.args]
            if node.op not in ("where", "both"):
                args = [number(a) for a in args]
            elif node.op == "where":
                args[1:] = [number(a) for a in args[1:]]
            done[node] = KNOWN[node.op](*args)
        else:
            inner = formula(node)
            assert inner is not None, f"{node.op} has neither a formula nor a name in SymPy"
            if inner in done:
                done[node] = done[inner]
            else:
                todo += [node, inner]
    return done[root]


def rules(row: Op) -> list[tuple[str, int, Any, Any]]:
    """List the rules of a row with the derivative that they must equal."""
    letters = [leaf(c) for c in "abcdefgh"[: bounds(row)[1]]]
    node = make(row.name, *letters)
    inner = formula(node)
    value = expression(inner if inner is not None else node)
    found = []
    for mode in ("printed", "code", "accurate"):
        if not has_rule(node, mode):
            continue
        for k, letter in enumerate(letters):
            given = contribution(node, k, leaf("g"), mode)
            if given is None:
                continue
            symbol = sympy.Symbol(letter.attrs["name"], real=True)
            rule = number(expression(given)).subs(sympy.Symbol("g", real=True), 1)
            found.append((mode, k, rule, sympy.diff(value, symbol)))
    return found


def agrees(rule: Any, derivative: Any, row: Op) -> bool:
    """Compare at points of the domain, with 60 digits."""
    with mpmath.workdps(60):
        falling = row.domain in ("b < a", "c < b")
        symbols = sorted(rule.free_symbols | derivative.free_symbols, key=str, reverse=falling)
        for j in range(6):
            low, high = DOMAIN.get(row.domain, (-2.5, 2.5))
            span = sympy.Rational(high - low)
            at = {s: sympy.Rational(7 * j + 3 * k + 1, 45) * span + sympy.Rational(low)
                  for k, s in enumerate(symbols)}  # fmt: skip
            a, b = (sympy.N(e.subs(at).doit(), 60) for e in (rule, derivative))
            # constants of the rows, such as sqrt(8/pi), are floats
            if not abs(a - b) <= sympy.Float("1e-14") * (1 + abs(b)):
                return False
            exact = not any(len(str(n)) > 12 for n in rule.atoms(sympy.Rational))
            if exact and not abs(a - b) <= sympy.Float("1e-50") * (1 + abs(b)):
                return False
    return True


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_its_rules_are_proven(row: Op) -> None:
    decided = 0
    for mode, k, rule, derivative in dict.fromkeys(rules(row)):
        difference = rule - derivative
        if not difference.has(sympy.Piecewise, sympy.Max, sympy.Min, sympy.erf, sympy.Derivative):
            decided += sympy.simplify(difference.rewrite(sympy.exp)) == 0
        assert agrees(rule, derivative, row), f"{row.name}: the {mode} rule of operand {k} is wrong"
    DECIDED[row.name] = decided


def test_sympy_decides_most_of_them() -> None:
    if len(DECIDED) < len(ROWS):
        pytest.skip("needs the tests above")
    assert sum(map(bool, DECIDED.values())) >= 25, DECIDED


def test_a_wrong_rule_is_noticed() -> None:
    a = sympy.Symbol("a", real=True)
    assert not agrees(1 - sympy.tanh(a), sympy.diff(sympy.tanh(a), a), OPS["tanh"])

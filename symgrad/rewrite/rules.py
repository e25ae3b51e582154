"""The rewrite rules that belong to no single operator: one line each, before -> after."""

import math

import numpy as np

from symgrad.errors import UsageError
from symgrad.evaluate import values
from symgrad.graph import Node, having, rebuild, topological
from symgrad.ops import remake
from symgrad.rewrite.match import Rule, compiled, match, parse_rule, rewrite

MOST = 24  # steps after which rules are taken to have come to an end

# fmt: off
RECOGNITION: list[Rule] = [
    parse_rule("log of exp:            log(exp(a)) -> a"),
    parse_rule("root of a square:      sqrt(a**2) -> abs(a)"),
    parse_rule("log of 1/a:            log(1/exp(a)) -> -a"),
    parse_rule("1 - sigmoid:           log(1 - 1/(1 + exp(a))) -> -softplus(-a)"),
    parse_rule("log sigmoid of -a:     log(1/(1 + exp(-a))) -> -softplus(-a)"),
]
# fmt: on


def _try(new: Rule) -> None:
    """Compare both sides at random points; raise UsageError if they are not equal."""
    before, after = compiled(new.before), compiled(new.after)
    if any(match(before, n) is not None for n in topological([after]) if n.op != "input"):
        raise UsageError(f"the rule {new.name!r} applies to its own result, again and again",
                         hint="write what it gives in other operators")  # fmt: skip
    _ends(new, before, after)
    order = topological([before, after])
    letters = having(order, "input")
    rng = np.random.default_rng(0)
    agreed = 0
    for k in range(24):
        point = {
            n: np.float64(v) for n, v in zip(letters, rng.normal(size=len(letters)), strict=True)
        }
        if k % 2:
            point = {n: abs(v) + 0.1 for n, v in point.items()}
        numbers = values([before, after], point, {})
        a, b = float(numbers[before]), float(numbers[after])
        if not (math.isfinite(a) and math.isfinite(b)):
            continue
        if not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9):
            at = ", ".join(f"{n.attrs['name']} = {float(v):.4g}" for n, v in point.items())
            raise UsageError(f"the rule {new.name!r} is not true: at {at} its sides are {a:.6g} "
                             f"and {b:.6g}")  # fmt: skip
        agreed += 1
    if not agreed:
        raise UsageError(f"the rule {new.name!r} could not be tried: no point gives numbers")


def _ends(new: Rule, before: Node, after: Node) -> None:
    """Apply all rules to what a new one gives; raise UsageError if they come back to a form."""
    met, node, used = [before, after], after, []
    for _ in range(MOST):
        found = _step(node, new)
        if found is None:
            return
        name, node = found
        used.append(name)
        if node in met:
            others = [n for n in dict.fromkeys(used) if n != new.name]
            undone = f"undoes {' and '.join(map(repr, others))}" if others else "undoes itself"
            raise UsageError(f"the rule {new.name!r} {undone}: they would go on for ever",
                             hint="keep one of the two directions")  # fmt: skip
        met.append(node)


def _step(root: Node, new: Rule) -> tuple[str, Node] | None:
    """Apply the first rule that fits anywhere, innermost first."""
    for node in topological([root]):
        for known in (*RECOGNITION, new):
            result = rewrite(known, node)
            if result is not None and result is not node:
                return known.name, rebuild([root], remake, {node: result})[root]
    return None


def rule(text: str) -> Rule:
    """Add a recognition rule, `name: before -> after`, in symgrad's own language.

    >>> rule("double angle: 2*sin(a)*cos(a) -> sin(2*a)").name
    'double angle'
    """
    added = parse_rule(text)
    _try(added)
    RECOGNITION.append(added)
    return added

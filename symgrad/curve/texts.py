"""Say the facts of a function in words."""

import math
from collections.abc import Sequence

from symgrad.curve.facts import THRESHOLD, Facts
from symgrad.curve.interval import nice, number, places, union
from symgrad.curve.places import Break

MANY = 4  # so many places are listed one by one


def described(facts: Facts) -> dict[str, str]:
    """Map what is asked about a function to what is said about it.

    >>> from symgrad.curve import facts, of_operator
    >>> said = described(facts(of_operator("relu")))
    >>> said["can die"], said["kinks"]
    ('yes: f′ = 0 on (−∞, 0]', 'x = 0: f′ goes from 0 to 1; taken as 0')
    """
    bounded = [i for i in facts.flat if not i.unbounded]
    said = {
        "domain": _domain(facts),
        "range": facts.range,
        "minimum": _turns(facts.minima),
        "maximum": _turns(facts.maxima),
        "monotone": facts.monotone,
        "zero-centred": facts.centred,
        "max |f′|": _steepest(*facts.steepest),
        f"|f′| < {number(THRESHOLD)}": union(facts.saturated) or "nowhere",
        "can die": f"yes: f′ = 0 on {union(facts.dead)}" if facts.dead else "no",
        "flat": f"f′ = 0 on {union(bounded)}" if bounded else "",
        "kinks": _breaks(facts.kinks, "f′"),
        "jumps": _breaks(facts.jumps, "f"),
    }
    return {what: text for what, text in said.items() if text}


def _domain(facts: Facts) -> str:
    whole = len(facts.domain) == 1 and all(
        math.isinf(e) for e in (facts.domain[0].low, facts.domain[0].high)
    )
    text = "ℝ" if whole else union(facts.domain)
    inner = [p for p in facts.poles if any(d.holds(p) for d in facts.domain)]
    return f"{text} without the poles x = {places(inner)}" if inner else text


def _steepest(size: float, where: str) -> str:
    if math.isinf(size):
        return f"unbounded {where}"
    return f"{number(size)}{',' if where.startswith('as') else ''} {where}"


def _turns(found: Sequence[tuple[float, float]]) -> str:
    """Write local extrema; of infinitely many only those next to 0."""
    if len(found) > MANY and len({f"{y:.6g}" for _, y in found}) == 1:
        return f"{number(nice(found[0][1]))} at x = {places([x for x, _ in found])}"
    shown = found if len(found) <= MANY else sorted(sorted(found, key=lambda p: abs(p[0]))[:2])
    text = "; ".join(f"{number(y)} at x = {number(x)}" for x, y in shown)
    return text + ("; …" if len(shown) < len(found) else "")


def _breaks(found: Sequence[Break], what: str) -> str:
    if len(found) > MANY:
        return f"x = {places([b.at for b in found])}"
    return "; ".join(
        f"x = {number(b.at)}: {what} goes from {_side(b.left)} to {_side(b.right)}; "
        f"taken as {_side(b.chosen)}"
        for b in found
    )


def _side(value: float) -> str:
    """Write a one-sided value, which was read a little beside its place."""
    return "undefined" if math.isnan(value) else number(float(f"{value:.7g}"))

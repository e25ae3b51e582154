"""Derivation steps: the trace of the one computation, from the seed to the printed formula.

The reverse sweep runs with the gradient of every value on the way left as a symbol, so that each
line shows one application of the chain rule; then what has been found for the symbols is filled
in, and every shortening says which rule or fact it needed. Where recognition has merged values
that have names of their own, the trace follows the program as it is written, in these names, and
ends in the recognised formula.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from symgrad.errors import UsageError
from symgrad.formula.limits import MOST_STEPS, check_length
from symgrad.formula.notation import Notation
from symgrad.formula.stepping.certify import certify
from symgrad.formula.stepping.lines import Factor, Step
from symgrad.formula.stepping.trace import Trace

if TYPE_CHECKING:
    from symgrad.formula.formula import Formula

__all__ = ["DETAILS", "Factor", "Step", "derive"]

DETAILS = (1, 2, 3)
SHORTER = "derive a part of the program, or print the formula alone"


def derive(
    formula: "Formula",
    detail: int = 2,
    *,
    staged: bool | None = None,
    delta: bool | Mapping[str, str] = False,
    at: Mapping[str, Any] | None = None,
    notation: Notation | None = None,
) -> list[Step]:
    """List the steps of a formula's derivation; the last `after` is the formula itself.

    The parameters are those of `Formula.steps`. Raises SymgradError, naming the line, if the two
    sides of a line differ.
    """
    if detail not in DETAILS or isinstance(detail, bool):
        raise UsageError(f"detail={detail!r} is not known", hint="1, 2 or 3")
    if formula.derivation is None or formula.kind != "gradient":
        hint = "symgrad.gradient(…)[name].steps(), or derive --steps without --jacobian"
        raise UsageError("only a gradient has steps", hint=hint)
    check_length(formula.derivation.written, MOST_STEPS, "a derivation step by step", SHORTER)
    trace = Trace(formula, detail, staged, delta, notation)
    lines = trace.run()
    checked = certify(trace.claims(), trace.setting)[: len(lines)]
    numbers = [("", "")] * len(lines) if at is None else trace.numbers(at)
    return [line.step(c, n) for line, c, n in zip(lines, checked, numbers, strict=True)]

"""`Equality`: what a comparison of two expressions has found, and how it is printed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.formula.equality.hints import SAYS
from symgrad.formula.equality.points import CLOSE, Difference
from symgrad.formula.names import plain_name

if TYPE_CHECKING:
    from symgrad.formula.equality.chain import Line

PROVED, REFUTED, AGREES = "proved", "refuted", "not refuted"
SHOWN = 8  # inputs of a point that are printed
SHARE = 0.05  # a case that holds at this share of the points is all but certainly met


@dataclass(frozen=True)
class Equality:
    """Say whether two expressions are equal; true unless they were refuted.

    `verdict` is "proved" (their difference is 0 in an exact normal form), "refuted"
    (`counterexample` names a point where they differ, found with many digits) or "not refuted"
    (they agree at `points` random points, both being 0 at `dead` of them, and no proof was
    found). `kinks` is a point where they differ although they are equal almost everywhere, `facts`
    what a proof has used of the declarations, `hints` what is wrong, `steps` a derivation where
    one was asked for.
    """

    verdict: str
    left: str = "the left side"
    right: str = "the right side"
    facts: Mapping[str, str] = field(default_factory=dict)
    almost: bool = False
    kinks: Difference | None = None
    counterexample: Difference | None = None
    hints: tuple[str, ...] = ()
    points: int = 0
    dead: int = 0
    error: float = 0.0
    partial: str = ""
    reason: str = ""
    steps: "tuple[Line, ...]" = ()

    def __bool__(self) -> bool:
        return self.verdict != REFUTED

    @property
    def proved(self) -> bool:
        """Say whether an exact proof was found."""
        return self.verdict == PROVED

    def __str__(self) -> str:
        body = [_HEADS[self.verdict](self), *self._remarks()]
        if self.steps:
            from symgrad.formula.equality.chain import unicode_lines

            body = [unicode_lines(self.steps), "", *body]
        return "\n".join(body)

    def __repr__(self) -> str:
        return f"<Equality {self.verdict}>"

    def _remarks(self) -> list[str]:
        lines = [f"  {hint}" for hint in self.hints]
        for name, kind in self.facts.items():
            lines.append(f"  used: {SAYS[kind].format(plain_name(name))}")
        if self.kinks is not None:
            lines.append(f"  except at kinks: {self._at(self.kinks)}")
        elif self.almost:
            lines.append("  except perhaps where a condition changes (x = 0 for 1[x > 0])")
        if self.partial:
            lines.append(f"  {self.partial}")
        return lines

    def _at(self, found: Difference) -> str:
        entry = f", at the entry {list(found.index)}" if found.index else ""
        return (
            f"at {point_text(found)}{entry}, {self.left} is {short(found.left)}, "
            f"{self.right} {short(found.right)}"
        )

    def latex(self) -> str:
        r"""Print the derivation in LaTeX, an `align*` environment; the verdict as a comment."""
        from symgrad.formula.equality.chain import latex_lines

        remarks = "\n".join(f"% {line}" for line in self._said().split("\n"))
        return f"{latex_lines(self.steps)}\n{remarks}" if self.steps else remarks

    def markdown(self) -> str:
        """Print the derivation in Markdown, typeset, and the verdict below it."""
        from symgrad.formula.equality.chain import markdown_lines

        shown = f"{markdown_lines(self.steps)}\n\n" if self.steps else ""
        return shown + self._said().replace("\n  ", "\n\n")

    def printed(self, to: str) -> str:
        """Print in a notation: "unicode", "latex" or "markdown"."""
        return {"latex": self.latex, "markdown": self.markdown}.get(to, self.__str__)()

    def _said(self) -> str:
        return "\n".join([_HEADS[self.verdict](self), *self._remarks()])


def _proved(found: Equality) -> str:
    where = "almost everywhere" if found.almost or found.kinks else "wherever both are defined"
    return f"equal, proved: the difference is 0 in the normal form, {where}"


def _refuted(found: Equality) -> str:
    if found.reason:
        return f"not equal: {found.reason}"
    assert found.counterexample is not None
    return f"not equal: {found._at(found.counterexample)}"


def _agrees(found: Equality) -> str:
    if found.reason:
        return f"not refuted, and not proved: {found.reason}"
    missed = (1 - SHARE) ** (found.points - found.dead)
    dead = f"; at {found.dead} of them both are 0" if found.dead else ""
    return (
        f"not refuted, and not proved: equal at {found.points} random points "
        f"(largest relative difference {_gap(found.error)}{dead})\n"
        "  a difference that is analytic is 0 at a random point with probability 0, but one below "
        f"1e-12 would not be seen;\n  one in a case that holds at {SHARE:.0%} of the points would "
        f"have been missed with probability {_up(missed)}"
    )


def _gap(error: float) -> str:
    if not error:
        return "0"
    rounding = ", by rounding: none with 30 digits" if error > CLOSE else ""
    return f"{error:.0e}{rounding}"


def _up(p: float) -> str:
    return f"{p:.1g}" if p < 0.01 else f"{p:.2g}"


_HEADS = {PROVED: _proved, REFUTED: _refuted, AGREES: _agrees}


def short(value: float) -> str:
    """Write a number with up to six digits."""
    return f"{value + 0.0:.6g}".replace("-", "−")


def _array(value: Any) -> str:
    array = np.asarray(value)
    if array.ndim == 0:
        return short(float(array))
    if array.size > 24:
        return f"… ({' × '.join(map(str, array.shape))})"
    return "[" + ", ".join(_array(part) for part in array) + "]"


def point_text(found: Difference) -> str:
    """Write a point: x = 2, W = [[1, 0], [−1, 2]]; the sizes that no input shows by a name."""
    parts = [f"{plain_name(name)} = {_array(value)}" for name, value in found.point.items()]
    if len(parts) > SHOWN:
        parts = [*parts[:SHOWN], f"… ({len(parts) - SHOWN} more inputs)"]
    if not parts:
        parts = [f"{d} = {size}" for d, size in found.sizes.items()]
    parts += [f"{plain_name(name)}(a) = {text}" for name, text in found.functions.items()]
    return ", ".join(parts) or "every point"

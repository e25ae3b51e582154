"""Print the numbers of layer cards: one way of writing for all gradients of a figure."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from symgrad.diagram.digits import Decimals
from symgrad.diagram.style import Theme, blend

THIN, THICK = 1.8, 6.0  # pixels of wires with the weakest and the strongest gradient
DECADES = 30  # the strengths that the wires tell apart


@dataclass(frozen=True, slots=True)
class Printer:
    """Print values with decimals and sizes of gradients, with powers of ten if any is small."""

    decimals: Decimals
    powers: bool

    @classmethod
    def suited(cls, sizes: Iterable[float], values: Iterable[float], digits: int) -> "Printer":
        """Choose how the numbers of a figure are written."""
        kept = [s for s in sizes if s and isfinite(s)]
        powers = any(not 0.01 <= s < 1000 for s in kept)
        return cls(Decimals.suited(values, digits), powers)

    def size(self, size: float) -> str:
        r"""Print the size of a gradient as LaTeX.

        >>> Printer(Decimals(), True).size(7.94e-6), Printer(Decimals(), False).size(0.25)
        ('7.9{\\cdot}10^{-6}', '0.25')
        """
        if not self.powers or not isfinite(size):
            return self.decimals.latex(size)
        if not size:
            return "0"
        mantissa, exponent = f"{size:.1e}".split("e")
        return rf"{mantissa}{{\cdot}}10^{{{int(exponent)}}}"

    def value(self, value: float) -> str:
        """Print a single number as LaTeX."""
        return self.decimals.latex(value).replace(r"\times", r"\cdot")


@dataclass(frozen=True, slots=True)
class Grades:
    """Grade wires by the decimal logarithm of their gradient's root mean square."""

    low: int
    high: int
    theme: Theme
    graded: bool

    @classmethod
    def suited(cls, sizes: Iterable[float], theme: Theme) -> "Grades":
        """Let the scale reach over all sizes of a figure."""
        kept = [s for s in sizes if 0 < s < float("inf")]
        high = ceil(log10(max(kept))) if kept else 0
        low = max(floor(log10(min(kept))), high - DECADES) if kept else -1
        return cls(low if low < high else high - 1, high, theme, bool(kept))

    def stroke(self, size: float | None) -> tuple[str, float]:
        """Give colour and width of a wire."""
        if size is None or not self.graded:
            return "edge", THIN
        if not size > 0:
            return self.at(0.0 if size == 0 else 1.0)
        share = (log10(size) - self.low) / (self.high - self.low) if isfinite(size) else 1.0
        return self.at(min(1.0, max(0.0, share)))

    def at(self, share: float) -> tuple[str, float]:
        """Give colour and width at a place of the scale, from 0 to 1."""
        weak, strong = self.theme.colour("weak"), self.theme.colour("gradient")
        return blend(weak, strong, share), THIN + (THICK - THIN) * share

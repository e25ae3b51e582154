"""Print the numbers of a figure: the same decimals everywhere, a true minus sign, never −0.00."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

MOST = 4  # more decimals than this and the figure turns to powers of ten
LARGE = 1e6  # from here on a number is printed with a power of ten


@dataclass(frozen=True, slots=True)
class Decimals:
    """Print numbers with a number of decimals, or all of them with powers of ten."""

    decimals: int = 2
    scientific: bool = False

    @classmethod
    def suited(cls, values: Iterable[float], decimals: int = 2) -> "Decimals":
        """Choose the decimals for a figure: more than asked for if everything would print as 0.

        >>> Decimals.suited([0.5, 1e-9]), Decimals.suited([0.0012]), Decimals.suited([3e-7])
        (Decimals(decimals=2, scientific=False), Decimals(decimals=4, scientific=False),
         Decimals(decimals=2, scientific=True))
        """
        sizes = [abs(v) for v in values if v and math.isfinite(v)]
        largest = max(sizes, default=1.0)
        for digits in range(decimals, max(MOST, decimals) + 1):
            if largest >= (0.5 if digits == decimals else 9.5) * 10.0**-digits:
                return cls(digits)
        return cls(decimals, True)

    def latex(self, value: float, tiny: bool = True) -> str:
        r"""Print as LaTeX; `tiny` shows a number that rounds to 0 with a power of ten.

        >>> Decimals(2).latex(-0.5344), Decimals(2).latex(-0.001, tiny=False)
        ('{-}0.53', '0.00')
        >>> Decimals(2).latex(4.12e-9), Decimals(2).latex(float("-inf"))
        ('4{\\times}10^{-9}', '{-}\\infty')
        """
        if math.isnan(value):
            return r"\mathrm{NaN}"
        sign = "{-}" if value < 0 else ""
        if math.isinf(value):
            return sign + r"\infty"
        size = abs(value)
        text = f"{size:.{self.decimals}f}"
        vanishes = value != 0 and float(text) == 0
        if not (self.scientific and size) and not (vanishes and tiny) and size < LARGE:
            return text if vanishes else sign + text
        mantissa, exponent = f"{size:.{0 if vanishes and not self.scientific else 1}e}".split("e")
        return rf"{sign}{mantissa}{{\times}}10^{{{int(exponent)}}}"

    def text(self, value: float) -> str:
        """Print as plain text.

        >>> Decimals(2).text(-0.5344), Decimals(2).text(4.12e-9)
        ('−0.53', '4e−9')
        """
        latex = self.latex(value).replace(r"{\times}10^{", "e").replace(r"\mathrm{NaN}", "NaN")
        return latex.replace("{-}", "−").replace(r"\infty", "∞").replace("}", "").replace("-", "−")


def constant(value: float) -> str:
    """Print a constant of the program as LaTeX: short, exact where that is short.

    >>> constant(-1), constant(0.5), constant(1e-05), constant(0.044715)
    ('{-}1', '0.5', '10^{-5}', '0.044715')
    """
    if not math.isfinite(value):
        return Decimals().latex(value)
    text = repr(value)
    if len(text) > 8:
        text = f"{float(value):.6g}"
    mantissa, _, exponent = text.lstrip("-").partition("e")
    mantissa = mantissa.removesuffix(".0")
    if exponent:
        power = f"10^{{{int(exponent)}}}"
        mantissa = power if mantissa == "1" else rf"{mantissa}{{\times}}{power}"
    return ("{-}" if value < 0 else "") + mantissa

"""Figures that lectures show again and again, by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hold programs of one input that are drawn together, and how: names, range, heights."""

    title: str
    programs: Mapping[str, str]  # label -> program
    span: tuple[float, float]
    heights: tuple[tuple[float, float], tuple[float, float]]  # of f, of f′
    heads: tuple[str, str]  # LaTeX above the two panels


FIGURES: Mapping[str, Comparison] = MappingProxyType(
    {
        "margins": Comparison(
            "Classification losses against the margin t = y f(x)",
            {
                "0–1 loss: 1[t < 0]": "where(t < 0, 1, 0)",
                "hinge: max(0, 1 − t)": "hinge(t, 1)",
                "logistic, base 2: log₂(1 + e⁻ᵗ)": "soft_margin(t, 1)/log(2)",
                "squared: (1 − t)²": "squared_margin(t, 1)",
                "exponential: e⁻ᵗ": "exp(-t)",
            },
            (-2.5, 2.5),
            ((-0.25, 4.2), (-4.2, 2.2)),
            (r"\ell(t)", r"\ell'(t)"),
        ),
        "powers": Comparison(
            "Powers of the residual r = y − t",
            {
                "√|r|": "abs(r)**0.5",
                "|r|": "abs(r)",
                "|r|²": "abs(r)**2",
                "|r|⁴": "abs(r)**4",
                "|r|¹⁰": "abs(r)**10",
            },
            (-2, 2),
            ((-0.15, 3.1), (-5.2, 5.2)),
            (r"|r|^{q}", r"\frac{d}{dr}\,|r|^{q}"),
        ),
        "exponentials": Comparison(
            "Exponentials: eˣ beside e⁵ˣ",
            {"eˣ": "exp(x)", "e⁵ˣ": "exp(5*x)"},
            (-2, 2),
            ((-0.5, 8.4), (-0.5, 8.4)),
            (r"e^{\beta x}", r"\beta\, e^{\beta x}"),
        ),
    }
)

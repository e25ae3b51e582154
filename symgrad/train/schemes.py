"""The schemes by which weights can start, one row each: a NumPy expression over the fans.

Sources: Glorot and Bengio 2010, He et al. 2015, LeCun et al. 1998, Saxe et al. 2014.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from symgrad.errors import UsageError, near
from symgrad.ops.spec import shape_text, size_text
from symgrad.shapes import Shape

Fans = tuple[Shape, Shape]


@dataclass(frozen=True, slots=True)
class Row:
    """Describe a scheme: its expression, its numbers with their defaults, one sentence.

    The expression has the slots `shape`, `fan_in`, `fan_sum` and `gain`, and its numbers by name.
    """

    text: str
    doc: str
    numbers: tuple[tuple[str, float | None], ...] = ()
    check: Callable[..., bool] = lambda *numbers: True
    scalar: str = ""


DRAWN, SPREAD = "rng.standard_normal({shape})", "rng.uniform(-1, 1, {shape})"
POLAR = f"np.matmul(*np.linalg.svd({DRAWN}, full_matrices=False)[::2])"

SCHEMES = {
    "auto": Row("", "chosen from the activation that the layer feeds"),
    "normal": Row(
        f"{DRAWN} * {{sd}}", "normal with the standard deviation sd, 1 if left out",
        (("sd", 1.0),), lambda sd: sd > 0,
    ),
    "uniform": Row(
        "rng.uniform({low}, {high}, {shape})", "uniform between low and high, -1 and 1 if left out",
        (("low", -1.0), ("high", 1.0)), lambda low, high: low < high,
    ),
    "constant": Row(
        "np.full({shape}, {c})", "the same number everywhere: units stay identical",
        (("c", None),), scalar="{c}",
    ),
    "zeros": Row("np.zeros({shape})", "0 everywhere", scalar="0.0"),
    "ones": Row("np.ones({shape})", "1 everywhere", scalar="1.0"),
    "glorot": Row(f"{DRAWN} * np.sqrt(2 / {{fan_sum}})",
                  "normal, variance 1/fan_avg: tanh, sigmoid, softmax, linear"),
    "glorot_uniform": Row(f"{SPREAD} * np.sqrt(6 / {{fan_sum}})", "uniform, variance 1/fan_avg"),
    "he": Row(f"{DRAWN} * np.sqrt(2 / {{fan_in}})", "normal, variance 2/fan_in: the ReLU family"),
    "he_uniform": Row(f"{SPREAD} * np.sqrt(6 / {{fan_in}})", "uniform, variance 2/fan_in"),
    "lecun": Row(f"{DRAWN} * np.sqrt(1 / {{fan_alone}})", "normal, variance 1/fan_in: SELU"),
    "lecun_uniform": Row(f"{SPREAD} * np.sqrt(3 / {{fan_alone}})", "uniform, variance 1/fan_in"),
    "orthogonal": Row(POLAR, "orthonormal rows or columns: lengths are kept"),
}  # fmt: skip
ALIASES = {
    "xavier": "glorot",
    "xavier_uniform": "glorot_uniform",
    "kaiming": "he",
    "kaiming_uniform": "he_uniform",
    "glorot_normal": "glorot",
    "he_normal": "he",
    "lecun_normal": "lecun",
    "standard normal": "normal",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scheme:
    """Hold a scheme with its numbers; `alone` if it was asked for by the parameter's name."""

    name: str
    numbers: tuple[float, ...] = ()
    alone: bool = False

    def __str__(self) -> str:
        plain = self.numbers == tuple(d for _, d in SCHEMES[self.name].numbers)
        return self.name if plain else f"{self.name}({', '.join(f'{x:g}' for x in self.numbers)})"

    def template(self, shape: Shape, fans: Fans, power: float) -> str:
        """Write the expression for a shape, fans, and l² + r² of what is fed.

        >>> scheme_of("he").template(("D", "H"), (("D",), ("H",)), 1.0)
        'rng.standard_normal((<D>, <H>)) * np.sqrt(2 / <D>)'
        """
        row = SCHEMES[self.name]
        if self.name == "orthogonal" and len(shape) < 2:  # a row: of length 1 on average
            return scheme_of("lecun").template(shape, (shape, ()), 1.0)
        text = row.scalar if row.scalar and not shape else row.text
        if self.name == "normal" and self.numbers == (1.0,):
            text = text.removesuffix(" * {sd}")
        fan_in, fan_out = (multiplied(f) for f in fans)
        slots = dict(zip((k for k, _ in row.numbers), map(repr, self.numbers), strict=True))
        scaled = fan_in if power == 1 else f"({power!r} * {fan_in})"
        alone = f"({fan_in})" if " " in fan_in else fan_in
        if power == 1:
            scaled = alone
        filled = text.format(shape=_shape(shape), fan_in=scaled, fan_alone=alone,
                             fan_sum=f"({fan_in} + {fan_out})", **slots)  # fmt: skip
        return filled.replace(", )", ")")  # a scalar has no shape


def _shape(shape: Shape) -> str:
    if not shape:
        return ""
    return size_text(shape[0]) if len(shape) == 1 else shape_text(shape)


def multiplied(fan: Shape) -> str:
    """Write a product of dimensions for a template.

    >>> multiplied(("D", 3)), multiplied(())
    ('<D> * 3', '1')
    """
    return " * ".join(size_text(d) for d in fan if d != 1) or "1"


def scheme_of(given: Any, alone: bool = False) -> Scheme:
    """Read a scheme: its name, with numbers in brackets where it takes some.

    >>> scheme_of("uniform(-0.5, 0.5)").numbers, str(scheme_of("normal"))
    ((-0.5, 0.5), 'normal')
    """
    listed = ", ".join(SCHEMES)
    if not isinstance(given, str):
        raise UsageError(f"initialisation {given!r} is neither a scheme's name nor a mapping of "
                         "parameters", hint=f"the schemes are {listed}")  # fmt: skip
    match = re.fullmatch(r"\s*(\w[\w ]*?)\s*(?:\((.*)\))?\s*", given)
    typed = match.group(1) if match else given.strip()
    name = ALIASES.get(typed.lower(), typed.lower())
    if name not in SCHEMES or match is None:
        meant = near(typed, (*SCHEMES, *ALIASES))
        raise UsageError(
            f"unknown initialisation '{given}'", hint=f"{meant}the schemes are {listed}"
        )
    row = SCHEMES[name]
    numbers = _numbers(given, match.group(2))
    if not numbers and all(d is not None for _, d in row.numbers):
        numbers = tuple(d for _, d in row.numbers if d is not None)
    example = f"{name}({', '.join(k for k, _ in row.numbers)})" if row.numbers else name
    if len(numbers) != len(row.numbers) or not row.check(*numbers):
        raise UsageError(f"initialisation '{given}' does not fit {example}",
                         hint=f"{name}: {row.doc}")  # fmt: skip
    return Scheme(name, numbers, alone)


def _numbers(given: str, text: str | None) -> tuple[float, ...]:
    """Read the numbers between the brackets."""
    try:
        found = tuple(float(part) for part in (text or "").split(",") if part.strip())
    except ValueError:
        raise UsageError(f"initialisation '{given}' takes numbers in its brackets",
                         hint="write normal(0.01), uniform(-0.5, 0.5)") from None  # fmt: skip
    if not all(map(math.isfinite, found)):
        raise UsageError(f"initialisation '{given}' has a number that is not finite")
    return found

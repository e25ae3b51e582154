"""Write the formulas of a loop's rounds as one formula in k: hₖ = tanh(hₖ₋₁ Wₖ + bₖ)."""

import re
from collections.abc import Sequence
from itertools import pairwise

DIGITS = re.compile(r"\d+")
NUMBER = re.compile(r"([₀-₉]+|\d+)")
ONE = re.compile("(?<![₀-₉])₁(?![₀-₉])")
LOW = str.maketrans("0123456789k+−", "₀₁₂₃₄₅₆₇₈₉ₖ₊₋")
HIGH = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")


def index(names: Sequence[str]) -> tuple[int, int] | None:
    """Give first number and step of names that are counted, None if they are not.

    >>> index(["W4", "W3", "W2"]), index(["Wa", "Wb"])
    ((4, -1), None)
    """
    numbers = [DIGITS.findall(name) for name in names]
    if any(len(found) != 1 for found in numbers):
        return None
    counted = [int(found[0]) for found in numbers]
    step = counted[1] - counted[0]
    if not step or any(b - a != step for a, b in pairwise(counted)):
        return None
    return counted[0], step


def formula(texts: Sequence[str], at: Sequence[int]) -> str | None:
    """Write formulas as one in k, which is `at[j]` in `texts[j]`; None if more than numbers differ.

    The second and the third say how numbers go on. The first of several values, and the last of
    some that are counted down, may have no number: δ, δ₂, δ₃.

    >>> formula(["δ = f(h₀)", "δ₂ = f(h₁)", "δ₃ = f(h₂)", "δ₆ = f(h₅)"], [1, 2, 3, 6])
    'δₖ = f(hₖ₋₁)'
    """
    if len(texts) < 3:
        return None
    one, two = NUMBER.split(texts[1]), NUMBER.split(texts[2])
    if one[::2] != two[::2]:
        return None
    written = list(one)
    others = {k: list(one) for k in at}
    for place in range(1, len(one), 2):
        if one[place] == two[place]:
            continue
        numbers = [int(parts[place].translate(HIGH)) for parts in (one, two)]
        factor, rest = divmod(numbers[1] - numbers[0], at[2] - at[1])
        start = numbers[0] - factor * at[1]
        if rest:
            return None
        for k, parts in others.items():
            number = str(factor * k + start)
            parts[place] = number.translate(LOW) if "₀" <= one[place][0] <= "₉" else number
        text = _linear(factor, start)
        before = written[place - 1]
        low = before[-1:].isalpha() or before[-1:] == "_"
        written[place - 1] = before.removesuffix("_") if low else before
        written[place] = text.translate(LOW) if low else f"({text})"
    for text, k in zip(texts, at, strict=True):
        made = "".join(others[k])
        if text != made and text != ONE.sub("", made):
            return None
    return "".join(written)


def _linear(factor: int, start: int) -> str:
    """Write a multiple of k and a number."""
    times = "k" if abs(factor) == 1 else f"{abs(factor)}k"
    if factor < 0:
        return f"{start}−{times}"
    return times if not start else f"{times}{'+' if start > 0 else '−'}{abs(start)}"


def rounds(first: int, step: int, count: int) -> str:
    """Say which numbers k takes.

    >>> rounds(48, -1, 48)
    'k = 48, 47, …, 1'
    """
    return f"k = {first}, {first + step}, …, {first + step * (count - 1)}"

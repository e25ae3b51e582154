"""Equality of expressions: proved, refuted or compared at random, with hints and steps."""

from collections.abc import Mapping
from typing import Any

from symgrad.errors import ParseError
from symgrad.formula.equality.judge import sides, student
from symgrad.formula.equality.verdict import Equality
from symgrad.formula.formula import Formula
from symgrad.graph import Graph
from symgrad.parse import parse

__all__ = ["Equality", "equal"]


def equal(
    left: str | Graph | Formula,
    right: str | Graph,
    shapes: Mapping[str, Any] | None = None,
    steps: bool = False,
) -> Equality:
    """Compare two programs, or a gradient with a formula of your own; see `symgrad.equal`."""
    if isinstance(left, Graph):
        return sides(left, right, steps)
    if isinstance(left, str) or not hasattr(left, "derivation"):
        return sides(parse(left, shapes), right, steps)  # type: ignore[arg-type]
    if not isinstance(right, str):
        raise ParseError("a gradient is compared with a text")
    return student(left, right)

"""Random programs, from the operator table: the one generator that all tests draw from.

`program(seed)` writes one, `programs()` is the strategy of hypothesis. A program knows the values
that its inputs take, so that its text and a seed say everything.

>>> program(3).text == program(3).text
True
"""

import random
from typing import Any

from tests.programs.point import SPECIAL, place
from tests.programs.program import Program, written

__all__ = ["SPECIAL", "Program", "place", "program", "programs", "written"]


def program(seed: int, **options: Any) -> Program:
    """Write the program of a seed."""
    return written(random.Random(seed).randrange, seed, **options)


def programs(**options: Any) -> Any:
    """Give the strategy of hypothesis; what it draws shrinks to the first and shortest forms."""
    from hypothesis import strategies as st

    @st.composite
    def drawn(draw: Any) -> Program:
        return written(lambda n: draw(st.integers(0, n - 1)), draw(st.integers(0, 3)), **options)

    return drawn()

"""How long a program may be for what people read: formulas, steps, comparisons.

`symgrad.backprop` and the fast code of programs of numbers have no such limits: 10^5 operations are
theirs. Other code has limits of its own (`codegen.build`).
"""

from symgrad.errors import LimitError
from symgrad.graph import Graph

MOST_FORMULA = 10_000  # values of a program whose gradient is derived in closed form
MOST_JACOBIAN = 2000  # the same for Jacobians, Hessians and their products with vectors
MOST_STEPS = 400  # the same for a derivation step by step
MOST_EQUAL = 2000  # the same for the comparison of two programs
COMPILED = "symgrad.compile takes longer programs, symgrad.backprop those of any length"


def check_length(graph: Graph, most: int, what: str, hint: str = COMPILED) -> None:
    """Raise LimitError for a program of more than `most` values, at the line where that begins.

    >>> from symgrad.parse import parse
    >>> check_length(parse("x*y"), 3, "a formula")
    """
    order = graph.order()
    if len(order) <= most:
        return
    spans = (graph.spans.get(n) for n in order[most:])
    raise LimitError(
        f"a program of {len(order)} values is too long for {what}; the limit is {most}",
        span=next((s for s in spans if s is not None), None), source=graph.source, hint=hint,
    )  # fmt: skip

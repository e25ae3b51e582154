"""What a function of one variable looks like, computed from its graph.

>>> from symgrad.curve import facts, of_operator
>>> found = facts(of_operator("sigmoid"))
>>> found.range, found.steepest, found.monotone
('(0, 1)', (0.25, 'at x = 0'), 'yes, increasing')
"""

from symgrad.curve.facts import THRESHOLD, Facts, facts
from symgrad.curve.function import Function, of_graph, of_operator, one_variable
from symgrad.curve.interval import Interval, number
from symgrad.curve.texts import described

__all__ = [
    "THRESHOLD",
    "Facts",
    "Function",
    "Interval",
    "described",
    "facts",
    "number",
    "of_graph",
    "of_operator",
    "one_variable",
]

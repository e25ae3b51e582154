"""Print case distinctions: a list of rows; cuts of one variable as intervals."""

from collections.abc import Mapping

from symgrad.graph import Node
from symgrad.ops import value_of
from symgrad.ops.spec import MIRRORED

OTHERWISE = r"\text{otherwise}"
BEGIN, END = r"\begin{cases} ", r" \end{cases}"
LATEX_SIGNS = {"lt": "<", "le": r"\le", "gt": ">", "ge": r"\ge"}
PLAIN_SIGNS = {"lt": "<", "le": "≤", "gt": ">", "ge": "≥"}
OTHER_SIDE = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}


def outer_parts(text: str) -> list[str]:
    """Split at the commas that stand in no brackets.

    >>> outer_parts("max(a, b) if c, else 0")
    ['max(a, b) if c', 'else 0']
    """
    parts, depth, start = [], 0, 0
    for k, c in enumerate(text):
        depth += (c in "([{") - (c in ")]}")
        if not depth and text.startswith(", ", k):
            parts.append(text[start:k])
            start = k + 2
    return [*parts, text[start:]]


def next_interval(node: Node) -> bool:
    """Say whether a case and the one after it cut one variable at numbers, from one end on."""
    inner = node.args[2]
    if inner.op != "where":
        return False
    first, second = node.args[0], inner.args[0]
    if first.op not in OTHER_SIDE or second.op not in OTHER_SIDE:
        return False
    low, high = value_of(first.args[1]), value_of(second.args[1])
    same = first.args[0] is second.args[0] and first.op[0] == second.op[0]
    if not same or low is None or high is None:
        return False
    return low < high if first.op[0] == "l" else low > high


def intervals(
    node: Node, condition: str, rows: list[tuple[str, str]], signs: Mapping[str, str], other: str
) -> list[tuple[str, str]]:
    """Name the intervals of the cases that follow `condition`: -3 < x < 3, and x >= 3 at last.

    `rows` are values with their conditions, the last one perhaps `other`; `signs` maps lt, le, gt
    and ge to how they are printed.
    """
    sign = f" {signs[node.args[0].op]} "
    variable, _, bound = condition.partition(sign)
    value, second = rows[0]
    middle = f" {signs[MIRRORED[OTHER_SIDE[node.args[0].op]]]} "
    named = [(value, bound + middle + second), *rows[1:]]
    inner = node.args[2].args[0].op
    if named[-1][1] == other and len(named) == 2:
        end = second.partition(f" {signs[inner]} ")[2]
        named[-1] = (named[-1][0], f"{variable} {signs[OTHER_SIDE[inner]]} {end}")
    return named


def latex(node: Node, condition: str, value: str, other: str) -> str:
    """Write cases in LaTeX, the parts being printed already."""
    rows = [(other, OTHERWISE)]
    inner = other[len(BEGIN) : -len(END)]
    if node.args[2].op == "where" and other.startswith(BEGIN) and r"\begin" not in inner:
        rows = [(v, k) for v, _, k in (row.partition(" & ") for row in inner.split(r" \\ "))]
        if next_interval(node):
            rows = intervals(node, condition, rows, LATEX_SIGNS, OTHERWISE)
    body = r" \\ ".join(f"{v} & {k}" for v, k in [(value, condition), *rows])
    return f"{BEGIN}{body}{END}"


def plain(node: Node, condition: str, value: str, other: str) -> str:
    """Write cases in Unicode, the parts being printed already."""
    rows = [(other, "")]
    if node.args[2].op == "where" and other.startswith("{"):
        rows = [_row(text) for text in outer_parts(other[1:-1])]
        if next_interval(node):
            rows = intervals(node, condition, rows, PLAIN_SIGNS, "")
    shown = [f"{v} if {k}" if k else f"else {v}" for v, k in [(value, condition), *rows]]
    return f"{{{', '.join(shown)}}}"


def _row(text: str) -> tuple[str, str]:
    value, _, condition = text.partition(" if ")
    return value.removeprefix("else "), condition

"""Operators that can give infinity or NaN for finite operands, as a branch not taken may."""

from functools import lru_cache

from symgrad.graph import Node
from symgrad.ops import value_of
from symgrad.rewrite.signs import clear_of_zero

RISKY = ("over", "exp", "expm1", "log", "log2", "log1p", "logabs", "log_size", "sqrt", "sinh",
         "cosh", "tan", "log1mexp", "logrel", "bose", "csch", "less_inverse",
         "saturating")  # fmt: skip
LOGS = ("log", "log2", "logabs", "log_size", "sqrt")  # of numbers above 0 they are finite
SECOND = ("div", "xdivy", "xlogy", "xlog1py")  # dangerous in their second operand
MANY = 400  # a branch of more nodes is taken to be risky unseen


@lru_cache(maxsize=8192)
def risky(branch: Node) -> bool:
    """Say whether a branch may be infinite where it is not taken: 0 times it would be NaN."""
    seen: dict[Node, None] = {}
    todo = [branch]
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen[node] = None
        if len(seen) > MANY or dangerous(node):
            return True
        todo += node.args
    return False


def dangerous(node: Node) -> bool:
    """Say whether an operator can give infinity or NaN for finite operands."""
    if node.op == "pow":
        power = value_of(node.args[1])
        return power is None or power < 1 or not float(power).is_integer()
    if node.op in SECOND:
        return node.args[1].op not in ("const", "dim") and not clear_of_zero(node.args[1])
    if node.op in LOGS and clear_of_zero(node.args[0]):
        return False
    return node.op in RISKY and not (node.op in ("exp", "expm1") and _below_zero(node.args[0]))


def _below_zero(node: Node) -> bool:
    """Say whether a value cannot be positive: -|a|, min(a, 0)."""
    if node.op == "neg":
        return node.args[0].op in ("abs", "square", "softplus")
    return node.op == "minimum" and any(value_of(a) == 0 for a in node.args)

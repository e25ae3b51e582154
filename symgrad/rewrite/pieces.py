"""Functions that are given piece by piece: case distinctions on one variable, cut at numbers.

Nested and added cases become one list of intervals from left to right. Unlike the cases of the
normal form the pieces may be anything, also what is infinite where it is not taken.
"""

from collections.abc import Callable

from symgrad.graph import Node
from symgrad.ops import make
from symgrad.rewrite.cases import BELOW, UP, threshold
from symgrad.rewrite.tidy import fit, kind

Edge = tuple[float, str]  # a threshold, and what holds left of it: lt or le
MOST = 6  # thresholds


def edges(node: Node) -> dict[Edge, Node] | None:
    """Map the thresholds of nested cases to conditions; None if they cut no one variable."""
    found: dict[Edge, Node] = {}
    todo = [node]
    while todo:
        part = todo.pop()
        if kind(part) != "where":
            continue
        mask = part.args[0]
        number = threshold(mask)
        if number is None:
            return None
        if any(other.args[0] is not mask.args[0] for other in found.values()):
            return None  # before one number of two variables could stand for both
        found[number, BELOW[mask.op]] = mask
        todo += part.args[1:]
    cut_once = len({number for number, _ in found}) == len(found)
    return found if found and cut_once and len(found) <= MOST else None


def piece(node: Node, place: int, order: list[Edge]) -> Node:
    """Give the piece of nested cases in an interval, the first one left of all thresholds."""
    while kind(node) == "where":
        mask = node.args[0]
        right = place > order.index((threshold(mask) or 0.0, BELOW[mask.op]))
        node = node.args[1] if right == (mask.op in UP) else node.args[2]
    return node


def combined(parts: tuple[Node, ...], join: Callable[[tuple[Node, ...]], Node]) -> Node | None:
    """Join values given piece by piece in every interval; None where there is nothing to gain."""
    found: dict[Edge, Node] = {}
    for part in parts:
        own = edges(part) if kind(part) == "where" else {}
        both = [*found.values(), *(own or {}).values()]
        if own is None or any(mask.args[0] is not both[0].args[0] for mask in both):
            return None
        found |= own
    if len(found) < 2 or len({n for n, _ in found}) < len(found):
        return None
    if len(found) > MOST:
        return None
    order = sorted(found)
    pieces = [join(tuple(piece(p, k, order) for p in parts)) for k in range(len(order) + 1)]
    for k in reversed(range(len(order))):  # where nothing changes
        if pieces[k] is pieces[k + 1]:
            del pieces[k], order[k]
    shape = make("add", *parts).shape if len(parts) > 1 else parts[0].shape
    result = pieces[-1]
    for (number, below), left in zip(reversed(order), reversed(pieces[:-1]), strict=True):
        mask = found[number, below]
        result = make("where", make(below, *mask.args), left, result)
    return fit(result, shape)


def nested(node: Node) -> Node | None:
    """Write nested cases as intervals from left to right, if they are not so already."""
    inner = [a for a in node.args[1:] if kind(a) == "where"]
    if not inner or _listed(node):
        return None
    made = combined((node,), lambda found: found[0])
    return None if made is node else made


def _listed(node: Node) -> bool:
    """Say whether cases go from left to right, each in the last branch of the one before."""
    last: float | None = None
    while kind(node) == "where":
        mask = node.args[0]
        number = threshold(mask)
        if kind(node.args[1]) == "where" or mask.op in UP:
            return False
        if number is None or (last is not None and number <= last):
            return False
        last, node = number, node.args[2]
    return True


PIECEWISE = ("relu", "maximum", "minimum", "clip", "where", "relu6", "hardtanh", "mul")
MOST_TERMS = 60  # terms and factors that are looked at
BELOW_LINE = 4  # levels that are looked through: 2 sqrt(3 max(x, 0))


def divides_by_piece(node: Node, mask: Node) -> bool:
    """Say whether a sum of products divides by what a mask may make 0: 1/(2 sqrt(max(x, 0))).

    Where the condition does not hold 1[x > 0] times that would be 0/0; a case is 0 there.
    """
    todo, seen = [node], 0
    while todo and seen < MOST_TERMS:
        factor, seen = todo.pop(), seen + 1
        if factor.op in ("mul", "neg", "add", "sub"):
            todo += factor.args
        elif factor.op in ("div", "xdivy"):
            todo.append(factor.args[0])
            if _holds_piece(factor.args[1], mask):
                return True
    return False


def _holds_piece(node: Node, mask: Node) -> bool:
    """Say whether a value is made of one that is given piece by piece, by this condition."""
    level = [node]
    for _ in range(BELOW_LINE):
        for n in level:
            if n.op != "const" and n in mask.args:  # 1[y > 0]/y
                return True
            if n.op in PIECEWISE and (mask in n.args or (n.op != "mul" and n.args[0] in mask.args)):
                return True
        level = [a for n in level for a in n.args if n.op in ("mul", "sqrt", "pow", "neg")]
    return False

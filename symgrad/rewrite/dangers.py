"""Operators that can give infinity or NaN for finite operands, as a branch not taken may."""

from collections.abc import Iterable
from functools import lru_cache

from symgrad.graph import Node, nearby
from symgrad.ops import OPS, value_of
from symgrad.rewrite.scaling import of_sizes
from symgrad.rewrite.signs import clear_of_zero

RISKY = ("over", "exp", "expm1", "log", "log2", "log1p", "logabs", "log_size", "sqrt", "sinh",
         "cosh", "tan", "log1mexp", "logrel", "bose", "csch", "less_inverse",
         "saturating")  # fmt: skip
LOGS = ("log", "log2", "logabs", "log_size", "sqrt")  # of numbers above 0 they are finite
SECOND = ("div", "xdivy", "xlogy", "xlog1py")  # dangerous in their second operand
SURE = ("div", "log", "log2", "log1p", "logabs", "sqrt")  # fail whatever else they are given
Met = dict[tuple[str, Node], None]  # operators by name, with the operand for which they may fail
MOST = 200  # nodes of a product, or of a branch, that are looked through
NUMBERS = ("const", "dim", "arange", "eye")
FEW = 16  # nodes of a base
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


def met(roots: Iterable[Node]) -> Met:
    """List what may fail whatever the conditions are: a shield of the same in a branch is in vain.

    >>> from symgrad.ops import const, leaf, make
    >>> x, c = leaf("x", ("N",)), make("gt", leaf("m", ("N",)), const(0))
    >>> [op for op, _ in met([make("where", c, make("log", x), make("div", c, x))])]
    []
    >>> sorted(op for op, _ in met([make("mul", make("div", c, x), make("log", x))]))
    ['div', 'log']
    """
    found: Met = {}
    seen: dict[Node, None] = {}
    todo = list(roots)
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen[node] = None
        todo += node.args[:1] if node.op == "where" else node.args
        if node.op in SURE and dangerous(node):
            found.update(((node.op, f), None) for f in _factors(node))
    return found


def endangers(node: Node) -> Node:
    """Give the operand for which a dangerous operator may fail."""
    return node.args[1 if node.op in SECOND else 0]


def elementwise(node: Node) -> bool:
    """Say whether an operator takes entry by entry."""
    row = OPS.get(node.op)
    return row is not None and row.shape == "elementwise"


def overflows(node: Node, least: int = 3) -> bool:
    """Say whether a power overflows long before its base does: x**3, (1 - x**2)**2."""
    power = value_of(node.args[1]) if node.op == "pow" else None
    if power is None or power < 2:
        return False
    inner = power < least and any(n.op == "pow" for n in nearby([node.args[0]], opaque, FEW))
    return power >= least or inner


def endangered(roots: Iterable[Node], alone: bool = False, powers: int = 0) -> dict[Node, None]:
    """List the atoms of the operands for which an elementwise operator may fail.

    Of those below the roots, or of the roots `alone`; also those of powers from `powers` on.
    """
    found: dict[Node, None] = {}
    for node in roots if alone else nearby(roots, _no_value, MOST):
        if elementwise(node) and (dangerous(node) or (powers and overflows(node, powers))):
            order = nearby([endangers(node)], opaque, MOST)
            found.update((n, None) for n in order
                         if not elementwise(n) and n.op not in NUMBERS)  # fmt: skip
    return found


def _no_value(node: Node) -> bool:
    """Say whether to look no further: what is only compared does no harm if it is infinite."""
    return opaque(node) or node.dtype == "bool"


def opaque(node: Node) -> bool:
    """Say whether entries are more than a function of entries; stretched ones are no more."""
    return not elementwise(node) and node.op not in ("expand", "broadcast")


def _factors(node: Node) -> list[Node]:
    """Give what a dangerous operator may fail for; a divisor also for its factors."""
    found = [endangers(node)]
    for part in found:  # which grows
        if node.op == "div" and part.op in ("mul", "neg", "square"):
            found += part.args
    return found


def in_vain(node: Node, known: Met) -> bool:
    """Say whether what an operator may fail for is met in any case, as a whole or by factors."""
    todo = [endangers(node)] if node.op in SURE else []
    for part in todo:  # which grows
        if (node.op, part) in known or of_sizes(part) or value_of(part):
            continue
        if node.op != "div" or part.op not in ("mul", "neg", "square"):
            return False
        todo += part.args
    return bool(todo)

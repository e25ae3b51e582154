"""p log p where p is a softmax of scores of which some are -inf, as a mask leaves them, for code.

There p is 0 and its logarithm -inf: a large number in place of infinity changes no value.
"""

from symgrad.graph import Node, leaves, rebuild
from symgrad.ops import make, remake, value_of

SHARES = ("softmax", "exp")
MANY = 64  # nodes of the scores that are looked through


def of_masked_scores(node: Node) -> Node | None:
    """Write softmax(s) log_softmax(s) with a lower end to the logarithm.

    >>> from symgrad.ops import leaf
    >>> s = make("add", leaf("s", ("N",)), leaf("mask", ("N",), "data"))
    >>> of_masked_scores(make("mul", make("softmax", s), make("log_softmax", s))).args[1].op
    'floored'
    """
    for k, other in enumerate(node.args):
        shares = [p for p in leaves(node.args[1 - k], _factors, MANY) if p.op in SHARES]
        logs = leaves(other, _terms, MANY) if shares else []
        found = {n: make("floored", n) for p in shares for n in logs if _logarithm_of(n, p)}
        if found:
            rest = rebuild([other], remake, found)[other]
            return remake(node, tuple(rest if j == k else a for j, a in enumerate(node.args)))
    return None


def _factors(node: Node) -> tuple[Node, ...]:
    return node.args if node.op == "mul" else ()


def _terms(node: Node) -> tuple[Node, ...]:
    return node.args if node.op in ("add", "sub", "neg", "mul", "div") else ()


def _logarithm_of(log: Node, share: Node) -> bool:
    """Say whether one is the logarithm of the other, and may be that of 0."""
    if log.op != "log_softmax" or not _may_be_masked(log.args[0]):
        return False
    return share.args == (log if share.op == "exp" else log.args[0],)


def _may_be_masked(scores: Node) -> bool:
    """Say whether infinity is typed among the scores, or data are added."""
    todo, seen = [scores], 0
    while todo and seen < MANY:
        part = todo.pop()
        seen += 1
        if abs(value_of(part) or 0) == float("inf"):
            return True
        if part.op == "input" and part.attrs["kind"] == "data" and part is not scores:
            return True
        if part.op in ("add", "sub", "neg", "where", "expand", "broadcast"):
            todo += part.args[1:] if part.op == "where" else part.args
    return False

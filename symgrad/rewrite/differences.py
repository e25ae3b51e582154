"""Differences of inputs stay together: s X - s m loses the digits that s (X - m) keeps."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, summands, topological
from symgrad.rewrite.forms import arithmetic

PARTS = ("slice", "expand", "broadcast", "transpose", "reshape")


def kept(root: Node, named: Collection[Node]) -> list[Node]:
    """List the differences x - m of two inputs: their terms are exact, and so are they.

    >>> from symgrad.ops import leaf, make
    >>> x, m, s = leaf("x"), leaf("m"), leaf("s")
    >>> [n.op for n in kept(make("div", make("sub", x, m), s), ())]
    ['sub']
    """
    inside = (n for n in _region(root, named) if n.op == "sub" and n is not root)
    return [n for n in inside if n not in named and all(map(given, n.args))]


def _region(root: Node, named: Collection[Node]) -> tuple[Node, ...]:
    """List what is written anew: the arithmetic of an expression, and its atoms."""
    return topological([root], stop=lambda n: not arithmetic(n) or (n in named and n is not root))


def given(node: Node) -> bool:
    """Say whether a value is an input, or part of one."""
    while node.op in PARTS:
        node = node.args[0]
    return node.op == "input"


def _bare(node: Node) -> Node:
    """Look through repetition, which forms add and leave out."""
    while node.op in ("expand", "broadcast"):
        node = node.args[0]
    return node


def split(form: Node, differences: Iterable[Node], named: Collection[Node]) -> bool:
    """Say whether a sum has the terms of a difference one by one: s X - s m, not X - m."""
    pairs = [(_bare(n.args[0]), _bare(n.args[1])) for n in differences]
    for node in _region(form, named):
        if node.op in ("add", "sub") and not _pair(node, pairs):
            terms = [_factors(t, named) for t in _terms(node, pairs, named)]
            for a, b in pairs:
                alone = [(a in t) - (b in t) for t in terms]
                if 1 in alone and -1 in alone:
                    return True
    return False


def _pair(node: Node, pairs: list[tuple[Node, Node]]) -> bool:
    """Say whether a node is one of the differences, perhaps turned round."""
    if node.op != "sub":
        return False
    a, b = map(_bare, node.args)
    return (a, b) in pairs or (b, a) in pairs


def _terms(root: Node, pairs: list[tuple[Node, Node]], named: Collection[Node]) -> list[Node]:
    """List the terms of a sum; a difference is one term."""

    def taken(node: Node) -> bool:
        return node is root or (node not in named and not _pair(node, pairs))

    return [term for term, _ in summands(root, taken)]


def _factors(term: Node, named: Collection[Node]) -> dict[Node, None]:
    """Collect what a term is a product of."""
    found: dict[Node, None] = {}
    todo = [term]
    while todo:
        node = _bare(todo.pop())
        found[node] = None
        if node.op in ("mul", "div", "pow", "neg") and node not in named:
            todo += node.args if node.op == "mul" else node.args[:1]
    return found

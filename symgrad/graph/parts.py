"""Take sums and products apart: their terms and factors, left to right."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from symgrad.graph.node import Node

T = TypeVar("T")
Signed = tuple[Node, bool]  # a term, and whether it is subtracted; a factor, and whether it divides
Taken = Callable[[Node], object]  # whether a node may be taken apart
SUMS = ("add", "sub", "neg")


def leaves(root: T, parts: Callable[[T], Sequence[T]], most: int | None = None) -> list[T]:
    """List what is left where everything with `parts` is taken apart, left to right.

    Nothing is taken apart any more once there are `most` others: a long sum takes linear time.

    >>> leaves(12, lambda n: () if n % 2 else (n // 2, 1))
    [3, 1, 1]
    """
    found: list[T] = []
    todo = [root]
    while todo:
        part = todo.pop()
        inside = parts(part) if most is None or len(found) + len(todo) < most else ()
        if inside:
            todo += inside[::-1]
        else:
            found.append(part)
    return found


def addends(term: Signed) -> tuple[Signed, ...]:
    """Take one sum, difference or sign apart; nothing of any other operator."""
    node, less = term
    if node.op == "neg":
        return ((node.args[0], not less),)
    if node.op in SUMS:
        return (node.args[0], less), (node.args[1], less != (node.op == "sub"))
    return ()


def summands(node: Node, taken: Taken | None = None, most: int | None = None) -> list[Signed]:
    """List the terms of a sum and whether each is subtracted; `taken` may keep sums in one piece.

    >>> from symgrad.ops import leaf, make
    >>> a, b, c = map(leaf, "abc")
    >>> found = summands(make("sub", a, make("sub", b, c)))
    >>> [(n.attrs["name"], less) for n, less in found]
    [('a', False), ('b', True), ('c', False)]
    """
    if taken is None:
        return leaves((node, False), addends, most)
    return leaves((node, False), lambda term: addends(term) if taken(term[0]) else (), most)


def factors_of(node: Node, taken: Taken | None = None, most: int | None = None) -> list[Node]:
    """List the factors of a product; `taken` may keep products in one piece."""
    if taken is None:
        return leaves(node, lambda n: n.args if n.op == "mul" else (), most)
    return leaves(node, lambda n: n.args if n.op == "mul" and taken(n) else (), most)


def above_line(node: Node) -> tuple[Node, ...]:
    """Give the operands of a product, the numerator of a quotient, what has a sign.

    >>> from symgrad.ops import leaf, make
    >>> [n.attrs["name"] for n in above_line(make("div", leaf("a"), leaf("b")))]
    ['a']
    """
    if node.op == "mul":
        return node.args
    return node.args[:1] if node.op in ("div", "neg") else ()


def over_and_under(factor: Signed) -> tuple[Signed, ...]:
    """Take one product or quotient apart; nothing of any other operator."""
    node, under = factor
    if node.op not in ("mul", "div"):
        return ()
    return (node.args[0], under), (node.args[1], under != (node.op == "div"))

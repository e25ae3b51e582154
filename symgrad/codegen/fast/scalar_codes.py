"""Tell the kinds of operations on numbers: what is computed alike, whatever the operands are."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from symgrad.graph import Node

PLAIN = ("add", "sub", "mul", "div")  # their numbers may differ from one round of a loop to another
Key = tuple[str, tuple[tuple[str, Any], ...], tuple[int | Node, ...], tuple[str, ...]]


def letters(node: Node) -> tuple[tuple[int | Node, ...], tuple[Node, ...]]:
    """Say which operands are equal, and list the distinct ones; numbers may be part of the kind.

    >>> from symgrad.ops import leaf, make
    >>> x = leaf("x")
    >>> letters(make("mul", x, x))[0]
    (0, 0)
    """
    args = node.args
    if len(args) == 2 and args[0] is not args[1] and node.op in PLAIN:
        return (0, 1), args
    found: dict[Node, int] = {}
    pattern: list[int | Node] = []
    for a in args:
        if a.op == "const" and node.op not in PLAIN:
            pattern.append(a)
        else:
            pattern.append(found.setdefault(a, len(found)))
    return tuple(pattern), tuple(found)


def code(node: Node) -> Key:
    """Give what operations of one kind have in common."""
    pattern, found = letters(node)
    kinds = tuple([a.dtype for a in found])
    return node.op, tuple(node.attrs.items()) if node.attrs else (), pattern, kinds


class Codes(NamedTuple):
    """Hold the number of the kind of each operation, its distinct operands, and the kinds."""

    numbers: list[int]
    distinct: list[tuple[Node, ...]]
    keys: list[Key]


def coded(operations: Iterable[Node]) -> Codes:
    """Give each kind of operations a number, in the order in which they are met.

    >>> from symgrad.ops import leaf, make
    >>> x, y = leaf("x"), leaf("y")
    >>> coded([make("mul", x, y), make("mul", y, x), make("mul", x, x)]).numbers
    [0, 0, 1]
    """
    made = Codes([], [], [])
    known: dict[Key, int] = {}
    usual: dict[str, int] = {}  # operators of different floats: most of a long program
    for node in operations:
        args = node.args
        plain = not node.attrs and args[0].dtype == "float" and args[0].op != "const"
        if len(args) == 2:
            a, b = args
            plain = a is not b and a.dtype == b.dtype == "float" and node.op in PLAIN
        number = usual.get(node.op) if plain and len(args) < 3 else None
        found = args
        if number is None:
            key = code(node)
            number = known.setdefault(key, len(known))
            found = letters(node)[1]
            if plain and len(args) < 3:
                usual[node.op] = number
        made.numbers.append(number)
        made.distinct.append(found)
    made.keys.extend(known)
    return made

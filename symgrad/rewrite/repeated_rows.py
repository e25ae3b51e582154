"""Outer products with ones in code: rows that are repeated are no array of their own."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, rebuild, topological, unchanged
from symgrad.ops import make, remake, value_of
from symgrad.rewrite.dangers import elementwise
from symgrad.rewrite.scaled import split_off


def repeated_rows(roots: Iterable[Node], kept: Collection[Node] = ()) -> dict[Node, Node]:
    """Map every node to its image: for 1 v^T, v stands where entries are computed one by one.

    Numbers multiply v, not its repetitions.

    >>> from symgrad.ops import const, leaf
    >>> ones = make("broadcast", const(1), shape=("N",))
    >>> rows = make("div", make("outer", ones, leaf("v", ("D",))), leaf("k"))
    >>> found = make("mul", rows, leaf("X", ("N", "D")))
    >>> repeated_rows([found])[found].args[0].op
    'div'
    """
    roots = tuple(roots)
    order = topological(roots)
    if not any(n.op == "outer" and any(map(_ones, n.args)) for n in order):
        return unchanged(order)
    spread: dict[Node, Node] = {}  # what stands for a repetition beside an array

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        found = _repeated(node, args) if node.op == "outer" else _scaled(node, args, spread)
        if found is not None and node not in kept:
            image = make("broadcast", found, shape=node.shape)
            spread[image] = found
            return image
        if elementwise(node) and node.args and any(a in spread for a in args):
            short = make(node.op, *(spread.get(a, a) for a in args), **node.attrs)
            return short if short.shape == node.shape else remake(node, args)
        return remake(node, args)

    return rebuild(roots, change)


def _ones(node: Node) -> bool:
    return node.op == "broadcast" and value_of(node.args[0]) == 1


def _repeated(outer: Node, args: tuple[Node, ...]) -> Node | None:
    """Give the row or column that an outer product with ones repeats."""
    if _ones(outer.args[0]):
        return args[1]
    return make("expand", args[0], axes=(1,)) if _ones(outer.args[1]) else None


def _scaled(node: Node, args: tuple[Node, ...], spread: dict[Node, Node]) -> Node | None:
    """Multiply what is repeated by a number, or turn its sign."""
    if node.op == "neg":
        return make("neg", spread[args[0]]) if args[0] in spread else None
    number, rest = split_off(node)
    if number is None or node.op not in ("mul", "div"):
        return None
    k = node.args.index(rest)
    if args[k] not in spread:
        return None
    return make(node.op, *(spread[a] if j == k else a for j, a in enumerate(args)))

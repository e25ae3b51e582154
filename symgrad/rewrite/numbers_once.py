"""Multiply arrays by the numbers of a product once: (1/N)(2 z) as (2/N) z, without normal forms."""

from collections.abc import Collection, Iterable, Mapping
from functools import reduce
from math import frexp

from symgrad.graph import Node, consumers, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.scaling import of_sizes

PRODUCTS = ("mul", "div", "neg")
DEEP = 12  # products in one another that are taken apart


def numbers_once(roots: Iterable[Node], named: Collection[Node]) -> dict[Node, Node]:
    """Collect the constants, sizes and signs that factors of a product are multiplied by.

    Named values stay, and so does what something else reads. Numbers of the program stay where
    they are: in another order their products might overflow. Decimals are not multiplied.

    >>> from symgrad.ops import dim, leaf
    >>> z, part = leaf("z", ("N",)), make("div", const(1), dim("N"))
    >>> node = make("neg", make("mul", part, make("mul", const(2), z)))
    >>> found = numbers_once([node], ())[node]
    >>> found.args[1] is z, found.args[0] is make("div", const(-2), dim("N"))
    (True, True)
    """
    roots = tuple(roots)
    order = topological(roots)
    if sum(n.op in PRODUCTS and bool(n.shape) for n in order) < 2:
        return unchanged(order)
    inside, users = read_once(order, [*roots, *named]), consumers(order)
    images: dict[Node, Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op in PRODUCTS and node.shape:
            readers = [n for n, _ in users[node]]
            if node not in inside or not _takes(readers[0], node):
                found = _Product(inside, images).written(node)
                if found is not None and found.shape == node.shape:
                    return found
        return remake(node, args)

    return rebuild(roots, change, images)


def _takes(reader: Node, node: Node) -> bool:
    """Say whether the product that reads a node takes it apart."""
    if reader.op not in PRODUCTS or not reader.shape:
        return False
    return reader.op != "div" or reader.args[0] is node


class _Product:
    """Take one product apart into its numbers and the rest."""

    def __init__(self, inside: Collection[Node], images: Mapping[Node, Node]) -> None:
        self.inside, self.images = inside, images
        self.number, self.passes = 1.0, 0
        self.parts: list[float] = []  # whose product may be rounded
        self.inverses: dict[Node, None] = {}  # 1/a, where a number divided by a was
        self.over: list[Node] = []
        self.under: list[Node] = []

    def written(self, node: Node) -> Node | None:
        """Write the product with one number in front; None where there is at most one."""
        rest = self._bare(node, DEEP)
        if self.passes < 2 or (len(self.parts) > 1 and not all(p.is_integer() for p in self.parts)):
            return None
        number = self._number()
        found = self._over_inverse(rest, number)
        if found is not None:
            return found
        value = value_of(number)
        if value in (1, -1):
            return rest if value == 1 else make("neg", rest)
        if (
            value
            and value != int(value)
            and (1 / value).is_integer()
            and abs(frexp(value)[0]) != 0.5
        ):
            return make("div", rest, const(int(1 / value)))  # -1/3 is rounded
        return make("mul", number, rest)

    def _over_inverse(self, rest: Node, number: Node, deep: int = DEEP) -> Node | None:
        """Write c (1/a) b as (c/a) b, a pass less; None where no factor is an inverse."""
        if rest in self.inverses:
            return make("div", number, rest.args[1])
        for k, factor in enumerate(rest.args if rest.op == "mul" and deep else ()):
            found = self._over_inverse(factor, number, deep - 1) if self.inverses else None
            if found is not None:
                return make("mul", *(found if k == j else a for j, a in enumerate(rest.args)))
        return None

    def _bare(self, node: Node, deep: int) -> Node:
        """Give the image of a product without its constants, sizes and signs."""
        if node.op == "neg":
            self.number, self.passes = -self.number, self.passes + 1
            return self._part(node.args[0], deep)
        a, b = node.args
        if node.op == "mul" and of_sizes(a) and b.shape:
            return self._without(a, False, b, deep)
        if of_sizes(b) and a.shape:
            return self._without(b, node.op == "div", a, deep)
        if node.op == "div" and of_sizes(a):
            self._take(a, False)
            found = make("div", const(1), self.images[b])
            self.inverses[found] = None
            return found
        low = self.images[b] if node.op == "div" else self._part(b, deep)
        return make(node.op, self._part(a, deep), low)

    def _without(self, number: Node, divides: bool, rest: Node, deep: int) -> Node:
        self._take(number, divides)
        return self._part(rest, deep)

    def _part(self, node: Node, deep: int) -> Node:
        taken = node.op in PRODUCTS and node.shape and node in self.inside and deep
        return self._bare(node, deep - 1) if taken else self.images[node]

    def _take(self, number: Node, divides: bool) -> None:
        self.passes += 1
        todo = [(number, divides)]
        while todo:
            n, under = todo.pop()
            value = value_of(n)
            if value and not (under and value != int(value)):
                self.number = self.number / value if under else self.number * value
                if abs(frexp(value)[0]) != 0.5:  # with a power of 2 it is exact
                    self.parts.append(float(value))
            elif n.op in ("mul", "div"):
                todo += [(n.args[1], under != (n.op == "div")), (n.args[0], under)]
            else:
                (self.under if under else self.over).append(n)

    def _number(self) -> Node:
        whole = self.number == int(self.number)
        top = const(int(self.number) if whole else self.number)
        for factor in self.over:
            top = factor if value_of(top) == 1 else make("mul", top, factor)
        if not self.under:
            return top
        return make("div", top, reduce(lambda a, b: make("mul", a, b), self.under))


def numbers_of_shared(roots: Iterable[Node], kept: Collection[Node]) -> dict[Node, Node]:
    """Leave out the divisor of an array that all its readers multiply by: 2 (g/(2 r) x) is g/r x.

    What is `kept` stays.

    >>> from symgrad.ops import leaf
    >>> r, x, y, two = (*(leaf(n, ("N",)) for n in "rxy"), const(2))
    >>> half = make("div", leaf("g"), make("mul", two, r))
    >>> slopes = [make("mul", two, make("mul", half, a)) for a in (x, y)]
    >>> {n.args[1].op for n in numbers_of_shared(slopes, ()).values() if n.op == "div"}
    {'input'}
    """
    roots = tuple(roots)
    order = topological(roots)
    halves = {n: found for n in order if n.shape and (found := _divided(n)) is not None}
    users, fixed = consumers(order) if halves else {}, dict.fromkeys([*roots, *kept])
    whole: dict[Node, Node] = {}  # array -> what it is without its divisor
    times: dict[Node, Node] = {}  # multiple of a product with it -> the product
    for node, (number, rest) in halves.items():
        products = dict.fromkeys(u for u, _ in users[node])
        readers = [u for p in products for u, _ in users[p]]
        once = all(p.op == "mul" and p.args.count(node) == len(users[p]) == 1 for p in products)
        taken = all(u.op == "mul" and number in u.args for u in readers)
        if once and taken and not any(n in fixed for n in (node, *products)):
            whole[node] = rest
            times |= dict(zip(readers, products, strict=True))

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in times:
            return images[times[node]]
        if node in whole:
            return rebuild([whole[node]], remake, images)[whole[node]]
        return remake(node, args)

    images: dict[Node, Node] = {}
    return rebuild(roots, change, images) if whole else unchanged(order)


def _divided(node: Node) -> tuple[Node, Node] | None:
    """Split a constant off the divisor of a quotient."""
    low = node.args[1] if node.op == "div" else node
    if node.op != "div" or low.op != "mul":
        return None
    for number, rest in (low.args, low.args[::-1]):
        if number.op == "const" and rest.shape == low.shape:
            return number, make("div", node.args[0], rest)
    return None

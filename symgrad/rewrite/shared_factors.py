"""Products of arrays in slopes by products that the value has, entry by entry.

Of t = r ⊙ A, a slope A r/N is t/N, a pass over an array less. Only factors that a product has are
taken, so nothing new is divided by; u/r r is u.
"""

from collections.abc import Collection

from symgrad.graph import Node, Users, consumers, having, rebuild, topological, unchanged
from symgrad.ops import make, remake, value_of
from symgrad.rewrite.monomials import Monomial, is_product, less, monomial, product
from symgrad.shapes import Shape

LARGEST = 300  # nodes of a program that is looked through
MANY = 24  # products of one shape
PRODUCTS = ("mul", "div", "neg", "pow", "square")


def shared_factors(
    roots: list[Node], named: Collection[Node], plain: bool = False
) -> dict[Node, Node]:
    """Map every node to its image, in which slopes take the products of the value.

    Those of most axes, that is; the named lines of the user stay as they are. Where every line is
    a whole array's, `plain`, each product of the value is an array that is there.

    >>> from symgrad.ops import leaf
    >>> x, y, n = leaf("x", ("N",)), leaf("y", ("N",)), leaf("n")
    >>> there = make("mul", x, y)
    >>> slope = make("mul", make("div", y, n), x)
    >>> shared_factors([make("exp", there), there, slope], ())[slope].args[0] is there
    True
    """
    order = topological(roots)
    rank = max([len(n.shape) for n in having(order, *PRODUCTS)], default=0)
    if not rank or len(roots) < 2 or len(order) > LARGEST:
        return unchanged(order)
    users = consumers(order)
    shapes = dict.fromkeys(n.shape for n in having(order, *PRODUCTS) if len(n.shape) == rank)
    found: dict[Node, Node] = {}
    for shape in shapes:
        found |= _Products(roots, shape, named, users, plain).images()

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        image = found.get(node)
        return remake(node, args) if image is None else rebuild([image], remake, memo)[image]

    memo: dict[Node, Node] = {}
    return rebuild(roots, change, memo) if found else unchanged(order)


class _Products:
    """Hold the products of one shape: what the value has, and what slopes are made of."""

    def __init__(
        self,
        roots: list[Node],
        shape: Shape,
        named: Collection[Node],
        users: Users,
        plain: bool,
    ) -> None:
        self.plain = plain
        self.shape, self.users, self.roots = shape, users, dict.fromkeys(roots)
        self.kept = dict.fromkeys([*roots, *named])
        there = dict.fromkeys(topological(roots[:1]))
        order = [n for n in users if n.shape == shape and n.dtype == "float" and is_product(n, {})]
        branches = [a for n in users if n.op == "where" for a in n.args[1:]]
        inside = dict.fromkeys(topological(branches))  # computed where a condition holds
        self.free = {n: None for n in order if n not in there}
        self.tops = [n for n in self.free if n in self.kept or not self._in_products(n)]
        whole = [n for n in order if n in there and n not in inside and not self._only_summed(n)]
        self.given = {n: monomial(n, {}, named) for n in whole}

    def _in_products(self, node: Node) -> bool:
        """Say whether nothing but other products of slopes reads a node."""
        shared = self.plain and len(self.users[node]) > 1
        return not shared and all(u in self.free for u, _ in self.users[node])

    def _only_summed(self, node: Node) -> bool:
        """Say whether a product is added up while it is made; a quotient is an array before."""
        whole = self.plain and node.op == "div"
        return not whole and all(u.op in ("sum", "mean") for u, _ in self.users[node])

    def images(self) -> dict[Node, Node]:
        """Give the products that take fewer passes over arrays than they do now."""
        found = {}
        for top in self.tops if len(self.tops) <= MANY else ():
            if self._only_summed(top) and top not in self.kept:
                continue
            own = _alone(top, self.free, self.users, self.kept)
            short = self._shorter(monomial(top, {}, self.kept))
            if self._passes(short) < _count(own):
                found[top] = self._written(short, own)
                continue
            own = _alone(top, self.free, self.users, self.roots)
            whole = monomial(top, {})
            if self._passes(whole) < _count(own):  # something cancels: a slope of a line may go
                found[top] = self._written(self._shorter(whole), own)
        return found

    def _shorter(self, whole: Monomial) -> Monomial:
        """Take the product of the value out that saves most passes."""
        best, size = whole, self._passes(whole) + 1
        while self._passes(best) < size:  # what is left may hold another one
            whole, size = best, self._passes(best)
            for node, part in self.given.items():
                rest = less(whole, part, node) if self._passes(part) else None
                there = self.plain or len(self.users[node]) > 1 or node in self.kept
                if rest is not None and self._passes(rest) < self._passes(best) - (not there):
                    best = rest
        return best

    def _passes(self, found: Monomial) -> int:
        """Count the passes over arrays of the whole shape that a product takes, but for a sign."""
        above = below = small = 0
        for base, e in found.powers.items():
            if isinstance(base, Node) and base.shape != self.shape:
                small += abs(e)
            elif e > 0:
                above += 1 + (_chain(e) if e > 1 else 0)
            else:
                below -= e
        numbers = small + (found.low != 1) + (abs(found.top) != 1)
        return max(above, 1) + below + numbers - 1

    def _written(self, found: Monomial, own: Collection[Node]) -> Node:
        """Write a product; its sign goes to a difference that nothing else reads."""
        nodes: dict[object, Node] = {b: b for b in found.powers if isinstance(b, Node)}
        for base, e in found.powers.items() if found.top == -1 else ():
            node = nodes[base]
            if node.op == "sub" and e == 1 and all(u in own for u, _ in self.users[node]):
                nodes[base] = make("sub", *node.args[::-1])
                return product(Monomial(found.powers, 1, found.low), nodes)
        return product(found, nodes)


def _count(products: Collection[Node]) -> int:
    """Count passes; a sign is mostly a number's, a power takes several."""
    return sum(_chain(_exponent(n)) if n.op == "pow" else n.op != "neg" for n in products)


def _exponent(power: Node) -> int:
    return int(value_of(power.args[1]) or 0)


def _chain(power: int) -> int:
    """Count the products that a power is made with: x**7 is x (x**2 x)**2."""
    size = abs(power)
    return size.bit_length() + size.bit_count() - 2 if size else 0


def _alone(
    top: Node, products: Collection[Node], users: Users, kept: Collection[Node]
) -> dict[Node, None]:
    """List the products of arrays that are computed for one product alone, itself included."""
    found, todo = {top: None}, [top]
    while todo:
        for a in todo.pop().args:
            alone = a in products and a not in kept and all(u in found for u, _ in users[a])
            if alone and a not in found:
                found[a] = None
                todo.append(a)
    return found

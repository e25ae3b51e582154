"""Compute b - a from a - b where that is there, for code: a pass over the array less, or two.

So too {z if c, else -z} serves for {-z if c, else z}, and u^T K for K^T u, whose entries are the
same.
"""

from collections.abc import Callable, Collection, Iterable

from symgrad.graph import Node, rebuild, topological
from symgrad.ops import const, make, remake, value_of

Key = tuple[object, Node, Node]
COMMUTATIVE = ("add", "mul")  # of zeros with signs the maximum depends on the order
ONCE = ("sub", "matmul")  # what is made once, also where it has a name
LINEAR = ("sum", "expand", "broadcast", "reshape", "transpose", "slice")  # in their one operand


class Opposites:
    """Hold the differences that a program makes, and what is the negative of one."""

    def __init__(self) -> None:
        self.differences: dict[Key, Node] = {}
        self.negated: dict[Node, None] = {}
        self.products: dict[tuple[Node, bool, Node], tuple[Node, float]] = {}

    def changed(self, node: Node) -> Node:
        """Give an equal node that is made of a difference that is there, or the node itself."""
        if node.op == "matmul":
            return self._product(node)
        key = _difference(node)
        if key is None:
            return self._outside(node)
        kind, a, b = key
        same, turned = self.differences.get(key), self.differences.get((kind, b, a))
        if same is not None and same.shape == node.shape:
            return same
        if turned is None or turned.shape != node.shape:
            self.differences.setdefault(key, node)
            return self._outside(node)
        return self._negative(turned)

    def _negative(self, node: Node) -> Node:
        found = make("neg", node)
        self.negated[found] = None
        return found

    def _product(self, node: Node) -> Node:
        """Give a multiple of the product of the same matrix and vector, if that is there."""
        key, number = _of_a_vector(node)
        if key is None:
            return node
        known, scale = self.products.setdefault(key, (node, number))
        ratio = number / scale
        if known is node or ratio == 1:
            return known
        return make("neg", known) if ratio == -1 else make("mul", const(ratio), known)

    def _outside(self, node: Node) -> Node:
        """Move the signs of operands to the outside, where they may vanish."""
        signs = [a in self.negated for a in node.args]
        if True not in signs:
            return node
        if node.op == "neg":
            return node.args[0].args[0]
        bare = [a.args[0] if sign else a for a, sign in zip(node.args, signs, strict=True)]
        if node.op in ("mul", "div", *LINEAR):
            found = make(node.op, *bare, **node.attrs)
            if sum(signs) % 2 == 0:
                return found
            for k, a in enumerate(bare):
                value = value_of(a)
                if value is not None:  # 2*(b - a) is -2*(a - b)
                    return make(
                        node.op, *(const(-value) if j == k else x for j, x in enumerate(bare))
                    )
            return self._negative(found)
        if node.op in ("add", "sub") and signs == [False, True]:
            return make("sub" if node.op == "add" else "add", *bare)
        return node


def opposites(roots: Iterable[Node], named: Collection[Node] = ()) -> dict[Node, Node]:
    """Map every node to its image, in which differences are made once; named ones stay.

    >>> from symgrad.ops import leaf
    >>> a, b, c = leaf("a", ("N",)), leaf("b", ("N",)), leaf("c", ("N",))
    >>> y = make("mul", make("sub", a, b), make("mul", make("sub", b, a), c))
    >>> opposites([y])[y].op
    'neg'
    """
    roots = tuple(roots)
    order = topological(roots)
    if not recurring(order):
        return {n: n for n in order}
    known = Opposites()

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        return fresh if node in named and node.op not in ONCE else known.changed(fresh)

    return rebuild(roots, change)


def recurring(order: Iterable[Node]) -> bool:
    """Say whether one of the differences is there twice, or turned."""
    pairs: list[tuple[object, ...]] = []
    for n in order:
        if n.op in ("sub", "where"):
            found: tuple[object, ...] | None = _difference(n)
        else:
            found = _of_a_vector(n)[0] if n.op == "matmul" else None
        if found is not None:
            pairs.append(found)
    return len({frozenset(p) for p in pairs}) < len(pairs)


def both_signs(node: Node) -> bool:
    """Say whether a node is {z if c, else -z}.

    >>> from symgrad.ops import leaf
    >>> z = leaf("z", ("N",))
    >>> both_signs(make("where", make("gt", z, const(0)), make("neg", z), z))
    True
    """
    key = _difference(node)
    return key is not None and key[0] == "where"


def _difference(node: Node) -> Key | None:
    """Say what a difference is one of: a - b; {z if c, else -z}, as of z and c, or of c and z."""
    if node.op == "sub" and node.shape:
        a, b = (_bare(x) for x in node.args)
        return "sub", a, b
    if node.op != "where" or not node.shape:
        return None
    c, a, b = node.args
    if b.op == "neg" and b.args[0] is a:
        return "where", a, c
    return ("where", c, b) if a.op == "neg" and a.args[0] is b else None


def _of_a_vector(node: Node) -> tuple[tuple[Node, bool, Node] | None, float]:
    """Read u^T K and K^T (2 u) alike: the matrix, whether it is turned, the vector; its number."""
    a, b = node.args
    if sorted((len(a.shape), len(b.shape))) != [1, 2]:
        return None, 1
    turned = len(a.shape) == 1
    matrix, vector = (b, a) if turned else (a, b)
    while matrix.op == "transpose":
        matrix, turned = matrix.args[0], not turned
    number: float = 1
    while vector.op in ("neg", "mul"):
        factor = -1 if vector.op == "neg" else value_of(vector.args[0])
        if not factor:
            break
        number, vector = number * factor, vector.args[-1]
    return (matrix, turned, vector), number


def _bare(node: Node) -> Node:
    """Leave out axes that are put in front: NumPy does it by itself."""
    if node.op == "expand" and node.attrs["axes"] == tuple(range(len(node.attrs["axes"]))):
        return node.args[0]
    return node


def mirrored(
    roots: list[Node], named: Collection[Node] = (), seen: Callable[[Node], None] | None = None
) -> dict[Node, Node]:
    """Compute b + a where a + b is, and so products: the order of two operands changes no bit.

    What is `named` keeps its own line. `seen` hears of each that is computed no more.

    >>> from symgrad.ops import leaf
    >>> a, b = leaf("a"), leaf("b")
    >>> one, other = make("add", a, b), make("add", b, a)
    >>> images = mirrored([one, other])
    >>> images[one] is images[other]
    True
    """
    order = topological(roots)
    pairs = {(n.op, *n.args): None for n in order if n.op in COMMUTATIVE}
    if not any(a is not b and (op, b, a) in pairs for op, a, b in pairs):
        return {n: n for n in order}
    known: dict[Key, Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op not in COMMUTATIVE or node in named:
            return fresh
        a, b = fresh.args
        twin = known.get((node.op, b, a), fresh)
        if twin is not fresh and twin.shape == fresh.shape:
            if seen:
                seen(node)
            return twin
        return known.setdefault((node.op, a, b), fresh)

    return rebuild(roots, change)

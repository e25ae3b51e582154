"""Compute b - a from a - b where that is there, for code: a pass over the array less, or two.

So too {z if c, else -z} serves for {-z if c, else z}, and u^T K for K^T u, whose entries are the
same.
"""

from collections.abc import Callable, Collection, Iterable

from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.scaled import Key as Product
from symgrad.rewrite.scaled import Multiple, of_product, product, scaled

Key = tuple[object, Node, Node]
COMMUTATIVE = ("add", "mul")  # of zeros with signs the maximum depends on the order
ONCE = ("sub", "matmul")  # what is made once, also where it has a name
LINEAR = ("sum", "expand", "broadcast", "reshape", "transpose", "slice")  # in their one operand


class Opposites:
    """Hold the differences that a program makes, and what is the negative of one."""

    def __init__(self, matrices: bool = True, bare: Collection[Product] = ()) -> None:
        self.matrices = matrices  # whether products of two matrices are looked at
        self.bare = bare  # the products that are there without a number
        self.differences: dict[Key, Node] = {}
        self.negated: dict[Node, None] = {}
        self.products: dict[Product, tuple[Node, Multiple]] = {}

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
        """Give a multiple of the same product of matrices, or with a vector, if that is there."""
        if not self.matrices and not _with_vector(node):
            return node
        key, whole = of_product(node)
        if key is None:
            return node
        vector = len(node.args[0].shape) == 1 and not key[1]  # S w rather than w S, if S = Sᵀ
        plain = vector or (key in self.bare and not whole.bare)
        own = (product(key), Multiple(node)) if plain else (node, whole)
        known, first = self.products.setdefault(key, own)
        return whole.by(first, known) or node

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


def opposites(
    roots: Iterable[Node], named: Collection[Node] = (), matrices: bool = False
) -> dict[Node, Node]:
    """Map every node to its image, in which differences are made once; named ones stay.

    So are products with vectors, and of two `matrices` if none of them will be written in parts.

    >>> from symgrad.ops import leaf
    >>> a, b, c = leaf("a", ("N",)), leaf("b", ("N",)), leaf("c", ("N",))
    >>> y = make("mul", make("sub", a, b), make("mul", make("sub", b, a), c))
    >>> opposites([y])[y].op
    'neg'
    """
    roots = tuple(roots)
    order = topological(roots)
    bare = recurring(order, matrices)
    if bare is None:
        return unchanged(order)
    known = Opposites(matrices, bare)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        return fresh if node in named and node.op not in ONCE else known.changed(fresh)

    return rebuild(roots, change)


def recurring(order: Iterable[Node], matrices: bool = True) -> dict[Product, None] | None:
    """List the products that are there without a number; None if nothing is there twice."""
    pairs: list[tuple[object, ...]] = []
    multiplied = []
    for n in order:
        if n.op in ("sub", "where"):
            found = _difference(n)
            if found is not None:
                pairs.append(found)
        elif n.op == "matmul":
            multiplied.append(n)
    whole = matrices and any([scaled(a) for n in multiplied for a in n.args])
    products = [of_product(n) for n in multiplied if whole or _with_vector(n)]
    pairs += [key for key, _ in products if key]
    if len({frozenset(p) for p in pairs}) == len(pairs):
        return None
    return {key: None for key, multiple in products if key and multiple.bare}


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


def _with_vector(product: Node) -> bool:
    return len(product.args[0].shape) != len(product.args[1].shape)


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
    pairs = {(n.op, *n.args): None for n in having(order, *COMMUTATIVE)}
    if not any(a is not b and (op, b, a) in pairs for op, a, b in pairs):
        return unchanged(order)
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

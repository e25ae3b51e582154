"""Products and sums of whole matrices that smaller ones do for: A (u vᵀ) B, Σᵢ Σⱼ, Σ c x."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, consumers, rebuild, topological, unchanged
from symgrad.ops import make, remake
from symgrad.rewrite.scaling import of_sizes


def thin(roots: Iterable[Node], kept: Collection[Node]) -> dict[Node, Node]:
    """Map every node to its image; what is `kept`, or read by others than sums, stays.

    >>> from symgrad.ops import leaf
    >>> A, u, v = leaf("A", ("N", "N")), leaf("u", ("N",)), leaf("v", ("N",))
    >>> product = make("matmul", A, make("outer", u, v))
    >>> thin([product], ())[product] is make("outer", make("matmul", A, u), v)
    True
    """
    roots = tuple(roots)
    order = topological(roots)
    ops = {n.op for n in order}
    if "sum" not in ops and not {"outer", "matmul"} <= ops:
        return unchanged(order)
    users, stay = consumers(order), dict.fromkeys([*roots, *kept])
    alone = {
        n: None
        for n in order
        if n not in stay and users[n] and all(u.op == "sum" for u, _ in users[n])
    }

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "matmul" and len(node.shape) == 2:
            return _of_columns(args) or remake(node, args)
        if node.op == "sum" and node.args[0] in alone:
            found = _of_sums(node, args[0]) or _times(node, args[0])
            return remake(node, args) if found is None or found.shape != node.shape else found
        if node.op == "sub" and all(a.op == "neg" for a in args):
            return make("sub", args[1].args[0], args[0].args[0])
        return remake(node, args)

    return rebuild(roots, change)


def _of_columns(args: tuple[Node, ...]) -> Node | None:
    """Multiply a matrix u vᵀ by another as a product with u, or with v."""
    a, b = args
    if b.op == "outer":
        return make("outer", make("matmul", a, b.args[0]), b.args[1])
    if a.op == "outer":
        return make("outer", a.args[0], make("matmul", a.args[1], b))
    return None


def _of_sums(total: Node, inner: Node) -> Node | None:
    """Add up all entries at once, rather than row by row."""
    plain = not total.shape and inner.op == "sum" and not inner.attrs["keepdims"]
    return make("sum", *inner.args) if plain else None


def _sum(total: Node, inner: Node) -> Node:
    return _times(total, inner) or make("sum", inner, **total.attrs)


def _times(total: Node, product: Node) -> Node | None:
    """Multiply the sum by a number, not each entry."""
    if product.op not in ("mul", "div", "neg") or not total.shape:
        return None
    if product.op == "neg":
        return make("neg", _sum(total, product.args[0]))
    for k in (0, 1) if product.op == "mul" else (1,):
        number, rest = product.args[k], product.args[1 - k]
        if of_sizes(number) and rest.shape == product.shape and rest.op != "mul":
            image = _sum(total, rest)
            return make("mul", number, image) if product.op == "mul" else make("div", image, number)
    return None

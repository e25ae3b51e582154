"""Products that are added up, without an array of all of them.

Products of matrices that are typed with indices: sum(W[j, k]*X[i, k] for k in D) is X W^T. In code
also inner products of large arrays.
"""

from collections.abc import Collection, Iterable, Sequence
from string import ascii_lowercase

from symgrad.graph import Node, consumers, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake, value_of
from symgrad.ops.words import as_matrices, of_vectors, subscripts
from symgrad.shapes import axes_of

LARGE = 3  # axes of arrays whose product is not written to memory only to be added up


def inner_products(
    roots: Iterable[Node],
    named: Collection[Node],
    kept: Collection[Node] = (),
    matrices: bool = False,
) -> dict[Node, Node]:
    """Add up products of arrays without an array of the products; named ones stay.

    With `matrices` only where products of matrices do it, which einsum is not: it adds one by one.
    Those with many axes become sums of products, rows times a vector, sum(G*u, 1), is G @ u. What
    is added up along several axes, one by one, is no array either, unless it is to be `kept`.

    >>> from symgrad.ops import leaf
    >>> a, b = leaf("a", ("N", "H", "W")), leaf("b", ("N", "H", "W"))
    >>> inner_products([make("sum", make("mul", a, b))], ())[make("sum", make("mul", a, b))].op
    'sum_of_products'
    """
    roots = tuple(roots)
    order = topological(roots)
    sums = [n for n in having(order, "sum") if n.args[0].op in ("mul", "pow")]
    if not sums:
        return unchanged(order)
    alone = read_once(order, [*roots, *named])
    wanted = {n for n in sums if n.args[0] in alone}
    stacks = _added_up(order, dict.fromkeys([*roots, *kept]))

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        image = remake(node, args)
        if node.op == "sum" and node.args[0] in stacks:
            return good(_multiple_of_sum(node, args[0])) or image
        if node not in wanted:
            return image
        if _large_product(node.args[0]):
            return good(_summed(node, args[0])) or image
        return contracted(image) or image

    def good(found: Node | None) -> Node | None:
        return found if not matrices or (found and _by_matrices(found)) else None

    return rebuild(roots, change)


def _by_matrices(node: Node) -> bool:
    """Say whether a sum of products is written as products of matrices."""
    if node.op == "mul":
        return any(a.op == "einsum" and _by_matrices(a) for a in node.args)
    word = node.attrs.get("subscripts")
    both = subscripts(word) if word else None
    return bool(both and (as_matrices(*both) or of_vectors(*both)))


def _added_up(order: Sequence[Node], kept: Collection[Node]) -> dict[Node, None]:
    """Find products of large arrays, times a number perhaps, that nothing but sums read."""
    if not any(len(n.shape) >= LARGE for n in having(order, "mul")):
        return {}
    users = consumers(order)
    found: dict[Node, None] = {}
    for node in order:
        product = _of_number(node)[1]
        if node.op != "mul" or node in kept or product in kept or not _large_product(product):
            continue
        alone = product is node or len(users[product]) == 1
        if alone and all(u.op == "sum" and u.shape for u, _ in users[node]):
            found[node] = None
    return found


def _of_number(node: Node) -> tuple[Node | None, Node]:
    """Split off a number by which an array is multiplied."""
    for number, rest in (node.args, node.args[::-1]) if node.op == "mul" else ():
        if not number.shape and rest.shape == node.shape:
            return number, rest
    return None, node


def _multiple_of_sum(total: Node, product: Node) -> Node | None:
    """Multiply a sum of products by the number that was a factor of each."""
    number, inner = _of_number(product)
    found = _summed(total, inner) if _large_product(inner) else None
    return found if found is None or number is None else make("mul", number, found)


def _summed(total: Node, product: Node) -> Node | None:
    """Write a sum of products with the letters of their axes; None for another sum."""
    if product.op not in ("mul", "pow") or total.attrs["keepdims"]:
        return None
    rank = len(product.shape)
    parts = product.args if product.op == "mul" else (product.args[0],) * 2
    if not total.shape:
        alike = product.op == "mul" and all(a.shape == product.shape for a in parts)
        return make("sum_of_products", *parts) if alike else None
    over = axes_of(total.attrs["axis"], rank)
    words, bare = zip(*(_lettered_axes(a, rank) for a in parts), strict=True)
    if any(1 in a.shape or not a.shape for a in bare):
        return None
    result = "".join(c for k, c in enumerate(ascii_lowercase[:rank]) if k not in over)
    if not set(result) <= set("".join(words)):  # an inserted axis that stays
        return None
    return make("einsum", *bare, subscripts=f"{','.join(words)}->{result}")


def _lettered_axes(node: Node, rank: int) -> tuple[str, Node]:
    """Give the letters of an operand's axes among those of a product, without inserted ones."""
    inner, own = own_axes(node, rank)
    return "".join(ascii_lowercase[k] for k in own), inner


def own_axes(node: Node, rank: int) -> tuple[Node, tuple[int, ...]]:
    """Give an operand without its inserted axes, and which axes of a product it has.

    >>> from symgrad.ops import leaf
    >>> own_axes(make("expand", leaf("x", ("N", "D")), axes=(1,)), 4)[1]
    (1, 3)
    """
    first = rank - len(node.shape)
    inserted = node.attrs["axes"] if node.op == "expand" else ()
    own = tuple(k + first for k in range(len(node.shape)) if k not in inserted)
    return (node.args[0] if node.op == "expand" else node), own


def _large_product(node: Node) -> bool:
    """Say whether a node multiplies arrays of floats, and has many axes."""
    square = node.op == "pow" and value_of(node.args[1]) == 2
    parts = node.args if node.op == "mul" else node.args[:1]
    large = len(node.shape) >= LARGE and (node.op == "mul" or square)
    return large and all(a.shape and a.dtype == "float" for a in parts)


def entries_of_product(node: Node) -> Node | None:
    """Write entries (A B)[u, i] of a product as inner products of the rows u of A and of B^T.

    >>> from symgrad.ops import leaf
    >>> U, V = leaf("U", ("N", "K")), leaf("V", ("M", "K"))
    >>> u, i = leaf("u", ("B",), "int"), leaf("i", ("B",), "int")
    >>> S = make("matmul", U, make("transpose", V))
    >>> rows = make("mul", make("take", U, u, axis=0), make("take", V, i, axis=0))
    >>> entries_of_product(make("pick", make("take", S, u, axis=0), i)) == make("sum", rows, axis=1)
    True
    """
    rows, labels = node.args
    if rows.op != "take" or rows.attrs["axis"] or len(rows.shape) != 2:
        return None
    product, places = rows.args
    if product.op != "matmul" or any(len(a.shape) != 2 for a in product.args):
        return None
    a, b = product.args
    turned = b.args[0] if b.op == "transpose" else make("transpose", b)
    parts = (make("take", a, places, axis=0), make("take", turned, labels, axis=0))
    return make("sum", make("mul", *parts), axis=1)


def contracted(node: Node) -> Node | None:
    """Write a sum over one axis of a product of two stretched arrays as a product of matrices.

    >>> from symgrad.ops import leaf
    >>> W, x = leaf("W", ("K", "D")), leaf("x", ("D",))
    >>> contracted(make("sum", make("mul", W, x), axis=1)) is make("matmul", W, x)
    True
    """
    (body,) = node.args
    if body.op != "mul" or node.attrs["keepdims"]:
        return None
    axes = axes_of(node.attrs["axis"], len(body.shape))
    if len(axes) != 1 or len(body.shape) > 3 or len(body.shape) < 2:
        return None
    sides = [_lettered(a, len(body.shape)) for a in body.args]
    if sides[0] is None or sides[1] is None:
        return None
    return matrix_product(sides[0], sides[1], axes[0], tuple(k for k in range(len(body.shape))
                                                       if k not in axes))  # fmt: skip


def _lettered(node: Node, rank: int) -> tuple[Node, tuple[int, ...]] | None:
    """Give a matrix or vector without its inserted axes, and its axes; None for what is neither."""
    inner, own = own_axes(node, rank)
    good = 1 <= len(inner.shape) <= 2 and all(d != 1 for d in inner.shape)
    return (inner, own) if good and inner.dtype == "float" else None


def matrix_product(
    a: tuple[Node, tuple[int, ...]],
    b: tuple[Node, tuple[int, ...]],
    over: int,
    kept: tuple[int, ...],
) -> Node | None:
    """Multiply matrices and vectors along the common axis; None where they share another one."""
    if any(len(axes) > 2 for _, axes in (a, b)):
        return None
    if over not in a[1] or over not in b[1]:
        return None
    rest = [tuple(k for k in axes if k != over) for _, axes in (a, b)]
    if set(rest[0]) & set(rest[1]) or sorted((*rest[0], *rest[1])) != list(kept):
        return None
    left, right = (a, b) if not rest[1] or (rest[0] and rest[0] < rest[1]) else (b, a)
    first, second = left[0], right[0]
    if len(left[1]) == 2 and left[1][0] == over:
        first = make("transpose", first, axes=None)
    if len(right[1]) == 2 and right[1][1] == over:
        second = make("transpose", second, axes=None)
    return make("matmul", first, second)

"""Rules for code that see who else reads a value: sums of sums, of products, products turned."""

from collections.abc import Mapping

from symgrad.graph import Node, consumers, rebuild, topological, unchanged
from symgrad.ops import make, remake
from symgrad.parse.rows import written
from symgrad.shapes import axes_of


def joined(roots: list[Node], named: Mapping[Node, str], sums: bool = True) -> dict[Node, Node]:
    """Compute once what is the same in another order.

    Sums that nothing but their mean reads are added up at once: mean(sum(a, 1)) is sum(a)/N. Rows
    of a product that are only added up, beside other terms too, are a product with a sum if `sums`
    says so, because digits may differ: sum(a @ b, 1) is a @ sum(b, 1). Of a product and its
    transposed one the first is computed: b.T @ a.T is (a @ b).T.

    >>> from symgrad.ops import leaf
    >>> a, b = leaf("a", ("N", "D")), leaf("b", ("D", "K"))
    >>> total = make("sum", make("matmul", a, b), axis=1)
    >>> joined([total], {})[total].op
    'matmul'
    """
    order = topological(roots)
    if not any(n.op in ("mean", "sum") or (n.op == "matmul" and _turned(n)) for n in order):
        return unchanged(order)
    users = consumers(order)
    products: dict[tuple[Turned, ...], Node] = {}

    def alone(node: Node) -> bool:
        return len(users[node]) == 1 and node not in named

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if fresh.op == "matmul" and all(len(a.shape) == 2 for a in args):
            twin = products.get(tuple([_transposed(a) for a in args[::-1]]))
            if twin is not None:
                return make("transpose", twin)
            products.setdefault(tuple([sided(a) for a in args]), fresh)
        elif node.op == "mean" and not node.shape and args[0].op == "sum":
            (added,) = node.args
            if alone(added) and not added.attrs["keepdims"]:
                return written("sum(a)/size(b)", [args[0].args[0], args[0]])
        elif node.op == "sum" and not node.attrs["keepdims"]:
            (inner,) = node.args
            if sums and _flat_product(inner) and _flat_product(args[0]) and alone(inner):
                return _of_sums(args[0], axes_of(node.attrs["axis"], 2))
            terms = inner.args if inner.op in ("add", "sub") and sums and alone(inner) else ()
            if any(_flat_product(t) and alone(t) and t.shape == inner.shape for t in terms):
                return _term_by_term(fresh)
            if len(terms) == 2 and args[0].op == inner.op:
                return _stretched_later(fresh) or fresh
        return fresh

    return rebuild(roots, change, only=("matmul", "mean", "sum"))


def _flat_product(node: Node) -> bool:
    """Say whether a node is a product of two matrices."""
    return node.op == "matmul" and all(len(a.shape) == 2 for a in node.args)


def _of_sums(product: Node, axes: tuple[int, ...]) -> Node:
    """Add up an operand before the product: N D K multiplications become N D."""
    a, b = product.args
    if 1 in axes:
        b = make("sum", b, axis=1)
    if 0 in axes:
        a = make("sum", a, axis=0)
    return make("matmul", a, b)


def _term_by_term(node: Node) -> Node:
    """Add up the terms of a sum one by one where one is a product of matrices."""
    inner, attrs = node.args[0], node.attrs
    if any(t.shape != inner.shape for t in inner.args):
        return node
    axes = axes_of(attrs["axis"], 2)
    parts = [_of_sums(t, axes) if _flat_product(t) else make("sum", t, **attrs) for t in inner.args]
    return make(inner.op, *parts)


def _stretched_later(node: Node) -> Node | None:
    """Add up a row before it is spread over others: N D K additions become N K and D K."""
    inner = node.args[0]
    if len({len(t.shape) for t in inner.args}) == 1:
        return None
    rank, axes = len(inner.shape), axes_of(node.attrs["axis"], len(inner.shape))
    parts = []
    for t in inner.args:
        lead = rank - len(t.shape)
        if t.shape != inner.shape[lead:] or any(k < lead for k in axes) or not axes:
            return None
        along = tuple(k - lead for k in axes)
        parts.append(make("sum", t, axis=along if len(along) > 1 else along[0]))
    total = make(inner.op, *parts)
    return total if total.shape == node.shape else None


def _turned(node: Node) -> bool:
    return any(a.op == "transpose" for a in node.args)


Turned = tuple[Node, bool]  # a matrix, or its transpose


def sided(node: Node) -> Turned:
    """Read a matrix or its transpose."""
    turned = node.op == "transpose" and node.attrs["axes"] is None
    return (node.args[0], True) if turned else (node, False)


def _transposed(node: Node) -> Turned:
    return sided(node.args[0]) if node.op == "transpose" else (node, True)

"""Products of matrices that the value has, in slopes: of t = X A, (X/2) A is t/2, Aᵀ Xᵀ is tᵀ."""

from collections.abc import Collection, Mapping

from symgrad.graph import Node, rebuild, topological
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.matrices import symmetric

Known = Mapping[tuple[Node, ...], Node]
Scale = list[tuple[str, tuple[Node, ...]]]  # what is done to a product: signs, factors, divisors


def products_reused(roots: list[Node]) -> dict[Node, Node]:
    """Map every node to its image: a product of the value's two factors is the value's product.

    >>> from symgrad.ops import leaf
    >>> a, b = leaf("a", ("N", "D")), leaf("b", ("D", "K"))
    >>> there = make("matmul", a, b)
    >>> slope = make("matmul", make("neg", a), b)
    >>> products_reused([there, slope])[slope].args[0] is there
    True
    """
    there = dict.fromkeys(topological(roots[:1]))
    inner = {a for n in there if n.op == "matmul" for a in n.args}  # of a chain in any order
    known = {n.args: n for n in there if _of_matrices(n) and n not in inner}
    order = topological(roots)
    if not any(_of_matrices(n) for n in order if n not in there) or not known:
        return {n: n for n in order}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in there:
            return node
        fresh = remake(node, args)
        if _of_matrices(fresh):
            return _reused(fresh, known) or fresh
        if fresh.op == "add" and args[0] is args[1]:  # what is the same by now
            (half, low) = args[0].args if args[0].op == "div" else (fresh, fresh)
            return half if value_of(low) == 2 else make("mul", const(2), args[0])
        return fresh

    return rebuild(roots, change)


def _of_matrices(node: Node) -> bool:
    return node.op == "matmul" and all(len(a.shape) == 2 for a in node.args)


def _reused(product: Node, known: Known) -> Node | None:
    """Find a product, or two neighbours of a chain, among the products that are known."""
    a, b = product.args
    found = _found(a, b, known)
    if found is None and _of_matrices(a) and (last := _found(a.args[1], b, known)) is not None:
        found = make("matmul", a.args[0], last)
    if found is None and _of_matrices(b) and (first := _found(a, b.args[0], known)) is not None:
        found = make("matmul", first, b.args[1])
    return found


def _found(a: Node, b: Node, known: Known) -> Node | None:
    scale: Scale = []
    factors = {factor for pair in known for factor in pair}
    a, b = _bare(a, scale, factors), _bare(b, scale, factors)
    result = known.get((a, b))
    if result is None and (other := known.get((_turned(b), _turned(a)))) is not None:
        result = make("transpose", other, axes=None)
    if result is not None:
        for op, by in scale:
            result = make(op, result, *by)
    return result


def _turned(node: Node) -> Node:
    """Transpose a matrix; a symmetric one stays."""
    if node.op == "transpose" and node.attrs["axes"] is None:
        return node.args[0]
    return node if symmetric(node) else make("transpose", node, axes=None)


def _bare(node: Node, scale: Scale, factors: Collection[Node]) -> Node:
    """Take signs and numbers off a matrix, also that of b - a where a - b is a factor."""
    while True:
        if node.op == "neg":
            scale.append(("neg", ()))
            (node,) = node.args
        elif node.op in ("mul", "div") and not node.args[1].shape:
            scale.append((node.op, node.args[1:]))
            node = node.args[0]
        elif node.op == "mul" and not node.args[0].shape:
            scale.append(("mul", node.args[:1]))
            node = node.args[1]
        elif node.op == "sub" and (other := make("sub", *node.args[::-1])) in factors:
            scale.append(("neg", ()))
            return other
        elif node.op == "transpose":
            return make("transpose", _bare(node.args[0], scale, factors), **node.attrs)
        else:
            return node

"""Write sums of products as products of matrices: BLAS is many times as fast as einsum's loops."""

from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.natural import in_order
from symgrad.dims import times
from symgrad.graph import Node
from symgrad.ops import make
from symgrad.ops.words import subscripts
from symgrad.shapes import Dim


def contracted(node: Node, fired: dict[str, int]) -> Node | None:
    """Write an outer product or an einsum by products of arrays or matrices, None if it stays.

    >>> from symgrad.ops import leaf
    >>> contracted(make("outer", leaf("a", ("N",)), leaf("b", ("M",))), {}).op
    'mul'
    """
    if node.op == "outer":
        a, b = node.args
        return make("mul", make("expand", a, axes=(1,)), b)
    if len(node.args) != 2 or any(n.dtype != "float" for n in node.args):
        return None
    (u, v), result = subscripts(node.attrs["subscripts"])
    (u, a), (v, b) = _needed(u, node.args[0], v + result), _needed(v, node.args[1], u + result)
    lead = [c for c in result if c in u and c in v]
    shared = [c for c in u if c in v and c not in result]
    left, right = ([c for c in result if c in w and c not in lead] for w in (u, v))
    product = bool(left and right and shared)
    found = in_order((u, a), (v, b), result, shared) if product and not lead else None
    if product and found is None:
        if result.index(right[0]) < result.index(left[0]):  # the rows of the result come first
            (u, a), (v, b), left, right = (v, b), (u, a), right, left
        found = _stacked((u, a), (v, b), lead, left, right, shared)
        letters = lead + left + right
        if letters != list(result):
            found = make("transpose", found, axes=tuple(letters.index(c) for c in result))
    elif product:
        pass
    elif not shared or not (left or right):
        found = _elementwise((u, a), (v, b), list(result), shared)
    else:
        return None
    count(fired, "einsum by products of matrices", node)
    return found


def _needed(word: str, node: Node, kept: str) -> tuple[str, Node]:
    """Sum the axes that nothing else names."""
    axes = tuple(k for k, c in enumerate(word) if c not in kept)
    if not axes:
        return word, node
    axis = axes[0] if len(axes) == 1 else axes
    return "".join(c for c in word if c in kept), make("sum", node, axis=axis)


def _ordered(word: str, node: Node, wanted: list[str]) -> Node:
    """Permute axes."""
    axes = tuple(word.index(c) for c in wanted)
    if axes == tuple(range(len(axes))):
        return node
    return make("transpose", node, axes=None if axes == (1, 0) else axes)


def _stacked(
    one: tuple[str, Node],
    two: tuple[str, Node],
    lead: list[str],
    left: list[str],
    right: list[str],
    shared: list[str],
) -> Node:
    """Multiply stacks of matrices; several axes of a kind are taken as one."""
    sizes: dict[str, Dim] = {}
    for word, node in (one, two):
        sizes |= dict(zip(word, node.shape, strict=True))

    def joined(word: str, node: Node, *groups: list[str]) -> Node:
        ordered = _ordered(word, node, [*lead, *(c for g in groups for c in g)])
        if all(len(g) == 1 for g in groups):
            return ordered
        shape = (*(sizes[c] for c in lead), *(times(*(sizes[c] for c in g)) for g in groups))
        return make("reshape", ordered, shape=shape)

    product = make("matmul", joined(*one, left, shared), joined(*two, shared, right))
    if len(left) == len(right) == 1:
        return product
    return make("reshape", product, shape=tuple(sizes[c] for c in lead + left + right))


def _elementwise(
    one: tuple[str, Node], two: tuple[str, Node], result: list[str], shared: list[str]
) -> Node:
    """Multiply entry by entry, then sum what both share: in the order of the larger operand."""
    letters = list(one[0] if len(one[0]) >= len(two[0]) else two[0])
    letters = [*(c for c in result if c not in letters), *letters]
    if [c for c in letters if c in result] != result:
        letters = result + shared
    parts = []
    for word, node in (one, two):
        found = _ordered(word, node, [c for c in letters if c in word])
        missing = tuple(k for k, c in enumerate(letters) if c not in word)
        parts.append(make("expand", found, axes=missing) if missing else found)
    whole = make("mul", *parts)
    axes = tuple(k for k, c in enumerate(letters) if c not in result)
    if not axes:
        return whole
    return make("sum", whole, axis=None if not result else axes[0] if len(axes) == 1 else axes)

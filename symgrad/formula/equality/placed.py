"""Places: the indices of an array's axes, and the entry of an operand at other ones."""

from collections.abc import Sequence

from symgrad.formula.equality import build
from symgrad.formula.equality.sums import replaced
from symgrad.formula.equality.terms import Atom, Index, Poly, atom, mode
from symgrad.graph import Node
from symgrad.ops import OPS
from symgrad.shapes import Dim

Images = dict[Node, Poly]


def place(k: int, dim: Dim) -> str:
    """Name the index of axis k."""
    dim = mode().sizes.get(dim, dim) if isinstance(dim, str) else dim
    return "#0" if dim == 1 else f"p{k}:{dim}"


def places(node: Node) -> list[str]:
    """Name the indices of all axes."""
    return [place(k, d) for k, d in enumerate(node.shape)]


def fresh(dim: Dim) -> str:
    """Name an index to sum over."""
    dim = mode().sizes.get(dim, dim) if isinstance(dim, str) else dim
    return "#0" if dim == 1 else mode().fresh(dim)


def at(node: Node, images: Images, idx: Sequence[Index]) -> Poly:
    """Give the entry of an operand at given indices."""
    moves: dict[str, Index] = {}
    for own, index in zip(places(node), idx, strict=True):
        if own[0] != "#":
            moves[own] = index
    if all(k == v for k, v in moves.items()):
        return images[node]
    return replaced(images[node], moves)


def operands(node: Node, images: Images) -> list[Poly]:
    """Give the operands of an elementwise operation at the places of its result."""
    own = places(node)
    return [at(a, images, own[len(own) - len(a.shape) :]) for a in node.args]


def opaque(node: Node, images: Images) -> Poly:
    """Take an operation for an unknown function: of the entries, or of whole arrays."""
    if OPS[node.op].shape == "elementwise":
        values = tuple(operands(node, images))
        tag = tuple(f"{v}" for v in node.attrs.values())
        return (
            build.entry(node.op, values[0], tag)
            if len(values) == 1
            else build.call(node.op, values)
        )
    tag = (node.op, *(f"{k}={v}" for k, v in node.attrs.items()))
    parts = tuple(images[a] for a in node.args)
    return atom(Atom("array", tag, tuple(places(node)), parts))

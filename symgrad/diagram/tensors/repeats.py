"""Broadcasting: which operands are repeated, so that their gradients are sums over the repeats."""

from dataclasses import dataclass

from symgrad.diagram import measure
from symgrad.diagram.from_graph import DrawEdge, Drawing, DrawNode
from symgrad.ops import OPS
from symgrad.shapes import Dim, Shape

DOWN, ACROSS, EVERYWHERE = "↧", "↦", "→"


@dataclass(frozen=True, slots=True)
class Repeat:
    """Say over which axes of the result an operand is repeated, and in which words."""

    axes: tuple[int, ...]
    arrow: str
    words: str

    @property
    def forward(self) -> str:
        """Say how the value is used: ↧ 4 rows."""
        return f"{self.arrow} {self.words}"

    @property
    def brief(self) -> str:
        """Say the same in fewer letters: Σ 4 rows."""
        return f"Σ {self.words}"

    @property
    def backward(self) -> str:
        """Say how the gradient comes about: Σ over 4 rows."""
        return f"Σ over {self.words}"


def repeat(drawing: Drawing, edge: DrawEdge) -> Repeat | None:
    """Find how an operand of an elementwise gate is broadcast; None if it is not.

    >>> import symgrad as sg
    >>> from symgrad.diagram.from_graph import draw
    >>> drawing = draw(sg.parse("A: real[N, D]; r: real[D]; A + r"))
    >>> repeat(drawing, drawing.edges[1]).backward
    'Σ over N rows'
    """
    source, target = drawing.nodes[edge.source], drawing.nodes[edge.target]
    row = OPS.get(target.op)
    if row is None or row.shape != "elementwise" or source.kind == "constant":
        return None
    if len(target.members) > 1:  # a collapsed gate does more than its last operator
        return None
    result, operand = _shape(target), _shape(source)
    missing = len(result) - len(operand)
    padded = (1,) * missing + operand
    axes = tuple(
        k for k, (d, n) in enumerate(zip(padded, result, strict=True)) if d == 1 and n != 1
    )
    if missing < 0 or not axes:
        return None
    names = target.shape if len(target.shape) == len(result) else result
    return Repeat(axes, *_words(axes, result, names, operand))


def _shape(node: DrawNode) -> Shape:
    return node.shape if node.value is None else tuple(node.value.shape)


def _words(axes: tuple[int, ...], result: Shape, names: Shape, operand: Shape) -> tuple[str, str]:
    if all(d == 1 for d in operand) and len(axes) > 1:
        return EVERYWHERE, f"{_product([result[k] for k in axes])} entries"
    sizes = [_side(result[k], names[k]) for k in axes]
    if len(result) == 1:
        return EVERYWHERE, f"{sizes[0]} entries"
    if len(result) == 2 and len(axes) == 1:
        return (DOWN, f"{sizes[0]} rows") if axes == (0,) else (ACROSS, f"{sizes[0]} columns")
    which = ", ".join(str(k) for k in axes)
    return EVERYWHERE, f"axis {which} ({sizes[0]})" if len(axes) == 1 else (
        f"axes {which} ({'×'.join(_factor(result[k]) for k in axes)})"
    )


def _product(sizes: list[Dim]) -> str:
    if all(isinstance(n, int) for n in sizes):
        count = 1
        for n in sizes:
            count *= int(n)
        return str(count)
    return "·".join(map(_factor, sizes))


def _factor(size: Dim) -> str:
    """Write a size beside others: in brackets if it is made of several names.

    >>> _factor("N"), _factor(3), _factor("T - K + 1")
    ('N', '3', '(T − K + 1)')
    """
    text = str(size).replace("-", "−")
    alone = text.isalnum() or text.isidentifier()
    return measure.shorten(text, 8) if alone else f"({measure.shorten(text, 12)})"


def _side(size: Dim, name: Dim) -> str:
    """Write N = 4 where both are known."""
    shown = measure.shorten(str(name), 8)
    if isinstance(name, str) and isinstance(size, int) and name.isidentifier():
        return f"{shown} = {size}"
    return measure.shorten(str(size), 8)

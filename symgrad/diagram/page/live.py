"""The inputs that a reader can move: ranges, steps, and the panel of sliders."""

import math
from dataclasses import dataclass

from symgrad.diagram.cards import name_outline
from symgrad.diagram.export.svg import escape, number
from symgrad.diagram.from_graph import Array, Drawing, DrawNode
from symgrad.diagram.measure import EM, shorten
from symgrad.diagram.page.glyphs import Glyphs
from symgrad.diagram.tensors.arrays import PICTURED
from symgrad.diagram.tensors.numbers import peak

SIZE = 20.0  # em of a name in the panel
STILL = ("label", "labels", "onehot", "simplex")  # what no slider moves
WHOLE = {"binary": (0.0, 1.0, 1.0), "sign": (-1.0, 1.0, 2.0)}


@dataclass(frozen=True, slots=True)
class Slider:
    """Describe the slider of one input."""

    name: str
    value: float
    low: float
    high: float
    step: float


def sliders(drawing: Drawing) -> list[Slider]:
    """Make a slider for every input with a number."""
    return [
        _slider(n, float(n.value))
        for n in drawing.nodes
        if n.kind in ("input", "parameter") and n.value is not None and not n.value.shape
    ]


def _slider(node: DrawNode, value: float) -> Slider:
    kind = str(node.node.attrs.get("kind", "")) if node.node is not None else ""
    if kind in WHOLE:
        return Slider(node.name, value, *WHOLE[kind])
    reach = rounded_up(2 * abs(value)) if value and math.isfinite(value) else 2.0
    if abs(value) < 1 and reach >= 0.02:
        reach = max(reach, 1.0)
    if kind in ("integer", "label"):
        return Slider(node.name, value, min(0.0, -reach), max(reach, 5.0), 1.0)
    step = 10.0 ** math.floor(math.log10(reach / 50))
    return Slider(node.name, value, step if kind == "positive" else -reach, reach, step)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Describe an array among the inputs; the slider of an entry goes from `low` to `high`.

    `node` is the id of its node; a `step` of 0 says that its entries stay as they are.
    """

    name: str
    node: int
    kind: str
    value: Array
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0

    def fact(self) -> list[object]:
        """Give what the script needs to know."""
        entries = self.value.ravel().tolist()
        scale = [self.low, self.high, self.step]
        return [self.name, self.node, list(self.value.shape), entries, self.kind, *scale]


def matrices(drawing: Drawing) -> list[Matrix]:
    """Describe every array among the inputs; those of numbers that are drawn cell by cell move."""
    found = []
    for node in drawing.nodes:
        if node.kind not in ("input", "parameter") or node.value is None or not node.value.shape:
            continue
        kind = str(node.node.attrs.get("kind", "")) if node.node is not None else ""
        still = kind in STILL or node.value.dtype.kind != "f" or not node.value.size
        if still or max(node.value.shape[-2:]) > PICTURED:
            found.append(Matrix(node.name, node.id, kind, node.value))
            continue
        one = _slider(node, peak(node.value))
        found.append(Matrix(node.name, node.id, kind, node.value, one.low, one.high, one.step))
    return found


def rounded_up(x: float) -> float:
    """Round up to one of 1, 2, 3, 4, 5, 6, 8 and 10, times a power of ten.

    >>> rounded_up(0.72), rounded_up(7), rounded_up(100)
    (0.8, 8.0, 100.0)
    """
    power = math.floor(math.log10(x))
    lead = next(m for m in (1, 2, 3, 4, 5, 6, 8, 10) if m * 10.0**power >= x * (1 - 1e-12))
    return float(f"{lead}e{power}")


def numbers(drawing: Drawing) -> list[str]:
    """Name the numbers of a drawing of scalars: v3, g3 of nodes, c5, l5 of edges."""
    found = []
    for node in drawing.nodes:
        for letter, array in (("v", node.value), ("g", node.grad)):
            if array is not None and not array.shape:
                found.append(f"{letter}{node.id}")
    for edge in drawing.edges:
        if edge.grad is not None and not edge.grad.shape:
            found += [f"c{edge.id}", f"l{edge.id}"]
    return found


def whole(drawing: Drawing) -> list[str]:
    """Name the values that are counts or conditions, which are printed without decimals."""
    return [f"v{n.id}" for n in drawing.nodes if n.value is not None and n.value.dtype.kind != "f"]


def truth(drawing: Drawing) -> list[str]:
    """Name the values that are true or false."""
    return [f"v{n.id}" for n in drawing.nodes if n.value is not None and n.value.dtype.kind == "b"]


def targets(drawing: Drawing) -> dict[str, int]:
    """Map local derivatives to their gates: each is what the gate passes on over what it gets."""
    return {f"l{e.id}": e.target for e in drawing.edges}


def panel(found: list[Slider], arrays: list[Matrix], glyphs: Glyphs) -> str:
    """Write the panel: a slider and a field for each input, and one for the chosen entry."""
    rows = [_row(k, slider, glyphs) for k, slider in enumerate(found)]
    movable = [k for k, m in enumerate(arrays) if m.step]
    if movable:
        rows.append(_entry(arrays, movable))
    return "\n".join(
        [
            '<details id="live" open hidden><summary>Inputs</summary>',
            '<div class="inputs">',
            *rows,
            '<button type="button" id="reset" disabled>Reset</button>',
            "</div>",
            f'<p id="first" hidden>{HIDDEN}</p>' if arrays else "",
            "</details>",
        ]
    )


HIDDEN = "What is large (…) and remarks are shown for the first point only."


def axes(arrays: list[Matrix]) -> int:
    """Give the largest number of indices that an entry has."""
    return max((m.value.ndim for m in arrays if m.step), default=0)


def _entry(arrays: list[Matrix], movable: list[int]) -> str:
    """Write the row in which an entry of a matrix is chosen and changed."""
    options = "".join(
        f'<option value="{k}">{escape(shorten(arrays[k].name))}</option>' for k in movable
    )
    places = "".join(
        f'<input type="number" class="place" id="i{k}" min="1" step="1" '
        f'aria-label="{("row", "column")[k] if k < 2 else f"index {k + 1}"}">'
        for k in range(axes(arrays))
    )
    return (
        f'<div class="input entry"><label for="which">Entry</label><select id="which">{options}'
        f'</select>{places}<input type="range" id="re" step="any">'
        '<input type="number" id="fe" step="any"></div>'
    )


def _row(k: int, slider: Slider, glyphs: Glyphs) -> str:
    outline = name_outline(slider.name)
    scale = SIZE / EM
    width, name = outline.width * SIZE + 2, escape(slider.name)
    picture = (
        f'<svg width="{number(width)}" height="26" viewBox="0 0 {number(width)} 26" '
        f'aria-hidden="true"><g transform="translate({1 - outline.left * SIZE:.2f} 18) '
        f'scale({scale:.5g})" fill="currentColor" stroke="currentColor" stroke-width="15">'
        f"{glyphs.uses(outline.path)}</g></svg>"
    )
    limits = f'min="{slider.low!r}" max="{slider.high!r}" step="any"'
    return (
        f'<div class="input"><label for="r{k}" title="{name}">{picture}</label>'
        f'<input type="range" id="r{k}" data-k="{k}" aria-label="{name}" {limits} '
        f'value="{slider.value!r}">'
        f'<input type="number" id="f{k}" data-k="{k}" aria-label="{name}, exact" step="any" '
        f'value="{_short(slider.value)}"></div>'
    )


def _short(value: float) -> str:
    """Write a number as one types it.

    >>> _short(-3.0), _short(0.1)
    ('-3', '0.1')
    """
    return repr(value).removesuffix(".0")

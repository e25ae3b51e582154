"""The inputs that a reader can move: ranges, steps, and the panel of sliders."""

import math
from dataclasses import dataclass

from symgrad.diagram.cards import name_outline
from symgrad.diagram.export.svg import escape, number
from symgrad.diagram.from_graph import Drawing, DrawNode
from symgrad.diagram.measure import EM
from symgrad.diagram.page.glyphs import Glyphs

SIZE = 20.0  # em of a name in the panel
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


def targets(drawing: Drawing) -> dict[str, int]:
    """Map local derivatives to their gates: each is what the gate passes on over what it gets."""
    return {f"l{e.id}": e.target for e in drawing.edges}


def panel(found: list[Slider], glyphs: Glyphs) -> str:
    """Write the panel: a slider and a field for each input."""
    rows = [_row(k, slider, glyphs) for k, slider in enumerate(found)]
    return "\n".join(
        [
            '<details id="live" open hidden><summary>Inputs</summary>',
            '<div class="inputs">',
            *rows,
            '<button type="button" id="reset" disabled>Reset</button>',
            "</div></details>",
        ]
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

"""What a page has to know so that its numbers and matrices can follow the inputs."""

from symgrad.diagram.digits import Decimals
from symgrad.diagram.frames.staging import THICK as BUSY
from symgrad.diagram.from_graph import Drawing
from symgrad.diagram.page import live
from symgrad.diagram.page.blocks import Blocks
from symgrad.diagram.page.numerals import Sign
from symgrad.diagram.scene import Scene
from symgrad.diagram.style import DIGIT, LINE, Theme
from symgrad.diagram.tensor import DECADES, THICK, THIN
from symgrad.diagram.tensors.cells import ENTRY, STEPS, Palette
from symgrad.diagram.tensors.slopes import SATURATED

MOST = 4096  # entries of all inputs together


class Moving:
    """Hold the inputs that move, and the numbers and matrices that follow them."""

    def __init__(self, drawing: Drawing) -> None:
        self.drawing = drawing
        self.sliders = live.sliders(drawing)
        self.matrices = live.matrices(drawing)
        self.numbers = live.numbers(drawing)
        self.blocks = Blocks(drawing) if self.matrices else None

    @property
    def possible(self) -> bool:
        """Say whether there is an input to move, and not too much to compute."""
        small = sum(m.value.size for m in self.matrices) <= MOST
        return small and bool(self.sliders or any(m.step for m in self.matrices))

    @property
    def found(self) -> int:
        """Count the matrices that were found in the scene."""
        return self.blocks.found if self.blocks is not None else 0

    def facts(self, scene: Scene, decimals: Decimals, signs: dict[str, Sign]) -> dict[str, object]:
        """Collect what the script reads."""
        drawing = self.drawing
        facts: dict[str, object] = {
            "inputs": [[s.name, s.value, s.step] for s in self.sliders],
            "decimals": decimals.decimals,
            "scientific": decimals.scientific,
            "whole": live.whole(drawing),
            "truth": live.truth(drawing),
            "targets": live.targets(drawing),
            "warning": scene.theme.colour("warning"),
            "prefix": scene.prefix,
            "nodes": {n.key: n.id for n in drawing.nodes},
            "signs": signs,
        }
        if self.blocks is not None:
            nodes = [f"g{n.id}" for n in drawing.nodes if n.grad is not None]
            facts |= {
                "matrices": [m.fact() for m in self.matrices],
                "axes": list(range(live.axes(self.matrices))),
                "units": self.blocks.units(),
                "graded": nodes + [f"c{e.id}" for e in drawing.edges if e.grad is not None],
                "cells": painted(scene.theme),
            }
        return facts


def painted(theme: Theme) -> dict[str, object]:
    """Give the colours and sizes of cells and wires.

    >>> from symgrad.diagram.style import THEMES
    >>> facts = painted(THEMES["light"])
    >>> facts["steps"], facts["inks"]["#FFFFFF"]
    (20, '#000000')
    """
    palette = Palette(theme)
    plain = ("cell", "background", "warning", "off.fill", "off.line", "dead.fill", "dead.line",
             "mask.on", "mask.off", "edge", "weak")  # fmt: skip
    fills = [palette.fills[k] for k in range(-STEPS, STEPS + 1)]
    upon = (*fills, *(theme.colour(c) for c in ("cell", "off.fill", "dead.fill")))
    return {
        **{role: theme.colour(role) for role in plain},
        "strong": theme.colour("gradient"),
        "saturated.line": theme.colour("saturated"),
        "saturated": SATURATED,
        "marks": theme.marks,
        "steps": STEPS,
        "fills": fills,
        "inks": {fill: theme.colour(palette.ink(fill)) for fill in upon},
        "entry": ENTRY,
        "digit": DIGIT,
        "line": LINE,
        "thin": THIN,
        "thick": THICK,
        "busy": BUSY,
        "decades": DECADES,
    }

"""HTML: one self-contained page to step through and to play with, or a section of a deck."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram

FOLLOW = ("scalar", "lines", "tensor")  # the views whose numbers a script can follow


def export(diagram: "Diagram", *, fragment: bool = False) -> bytes:
    """Write a diagram as a page; with `fragment` as one `section` for reveal.js, nothing else."""
    from symgrad.diagram import page

    if fragment:
        return page.section(diagram.scene).encode()
    follows = diagram.renderer == "scene" and diagram.view in FOLLOW
    arithmetic = diagram.arithmetic if follows else ""
    text = page.document(diagram.scene, diagram.drawing, diagram.decimals, arithmetic)
    return text.encode()

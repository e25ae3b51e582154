"""PNG: the SVG rendered by resvg."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram


def export(diagram: "Diagram") -> bytes:
    """Write a diagram as PNG."""
    return diagram.to_png()


def render(svg: str, width: int, background: str) -> bytes:
    """Render SVG text, which holds outlines only, at a width in pixels.

    The background colour fills the last row, which may be a part of a pixel high.
    """
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=svg, width=width, background=background, skip_system_fonts=True
        )
    )

"""PNG: the SVG rendered by resvg."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.diagram.export import svg
from symgrad.errors import LimitError, UsageError, missing_extra

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram

WIDEST = 16384


def export(diagram: "Diagram", *, width: int = 1920, frame: int | None = None) -> bytes:
    """Write a diagram as PNG, `width` pixels wide."""
    return diagram.to_png(known_width(width), frame)


def known_width(width: int) -> int:
    """Give a width back; raise LimitError or UsageError if no picture can have it.

    >>> known_width(800)
    800
    """
    if isinstance(width, bool) or not isinstance(width, int | np.integer):
        raise UsageError(f"the width is {str(width)[:40]!r}", hint="give a whole number of pixels")
    if not 1 <= width <= WIDEST:
        raise LimitError(f"a picture cannot be {width} pixels wide", hint=f"1 to {WIDEST}")
    return int(width)


def render(text: str, width: int, background: str) -> bytes:
    """Render SVG text, which holds outlines only, at a width in pixels.

    The background colour fills the last row, which may be a part of a pixel high.
    """
    import resvg_py

    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=text, width=width, background=background, skip_system_fonts=True
        )
    )


def frames(diagram: "Diagram", width: int) -> list[Any]:
    """Render every frame as an image of Pillow."""
    try:
        from PIL import Image
    except ImportError:
        raise missing_extra("an animation needs Pillow", "slides") from None
    width = known_width(width)
    scene = diagram.scene
    background = scene.theme.colour("background")
    pictures = (
        render(svg.render(scene.at(k)), width, background) for k in range(1, scene.count + 1)
    )
    return [Image.open(BytesIO(picture)).convert("RGB") for picture in pictures]

"""PNG: the SVG rendered by resvg."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

from symgrad.diagram.export import svg
from symgrad.errors import LimitError, missing_extra

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram

WIDEST = 16384


def export(diagram: "Diagram", *, width: int = 1920, frame: int | None = None) -> bytes:
    """Write a diagram as PNG, `width` pixels wide."""
    if not 1 <= width <= WIDEST:
        raise LimitError(f"a picture cannot be {width} pixels wide", hint=f"1 to {WIDEST}")
    return diagram.to_png(width, frame)


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
    if not 1 <= width <= WIDEST:
        raise LimitError(f"a picture cannot be {width} pixels wide", hint=f"1 to {WIDEST}")
    scene = diagram.scene
    background = scene.theme.colour("background")
    pictures = (
        render(svg.render(scene.at(k)), width, background) for k in range(1, scene.count + 1)
    )
    return [Image.open(BytesIO(picture)).convert("RGB") for picture in pictures]

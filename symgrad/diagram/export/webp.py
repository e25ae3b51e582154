"""WebP: the frames as an animation, without loss."""

from io import BytesIO
from typing import TYPE_CHECKING

from symgrad.diagram.export.gif import durations
from symgrad.diagram.export.png import frames

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram


def export(diagram: "Diagram", *, seconds: float = 1.5, width: int = 1200) -> bytes:
    """Write a diagram as a WebP, animated if it has frames."""
    times = durations(diagram.frames, seconds)
    images = frames(diagram, width)
    out = BytesIO()
    if len(images) == 1:
        images[0].save(out, "WEBP", lossless=True)
    else:
        images[0].save(
            out, "WEBP", save_all=True, append_images=images[1:], lossless=True,
            duration=times, loop=0,
        )  # fmt: skip
    return out.getvalue()

"""GIF: the frames as an animation, with one palette for all, so that no colour flickers."""

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from symgrad.diagram.export.png import frames
from symgrad.errors import UsageError

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram

Colours = NDArray[np.int32]  # red, green, blue
SHORTEST = 0.02  # seconds; programs replace what is shorter
COLOURS = 255
EXACT = 48  # colours that are kept as they are


def export(diagram: "Diagram", *, seconds: float = 1.5, width: int = 1200) -> bytes:
    """Write a diagram as an animated GIF; a frame stays for `seconds`, the last twice as long."""
    return animated(frames(diagram, width), durations(diagram.frames, seconds))


def animated(images: list[Any], times: list[int]) -> bytes:
    """Write images of one size as an animation; each stays for its time in milliseconds."""
    # The frames below each other are quantised once; the others take over that palette.
    palette = _palette(images)
    reduced = [_reduced(image, palette) for image in images]
    out = BytesIO()
    reduced[0].save(
        out, "GIF", save_all=True, append_images=reduced[1:], duration=times, loop=0,
        optimize=False, disposal=1,
    )  # fmt: skip
    return out.getvalue()


def durations(count: int, seconds: float) -> list[int]:
    """Give the milliseconds of each frame.

    >>> durations(3, 1.5)
    [1500, 1500, 3000]
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float | np.number):
        raise UsageError(f"seconds is {str(seconds)[:40]!r}", hint="give a number, 0.02 to 600")
    if not SHORTEST <= seconds <= 600:
        raise UsageError(f"a frame cannot stay for {seconds} seconds", hint="0.02 to 600")
    milliseconds = round(1000 * seconds)
    return [milliseconds] * (count - 1) + [2 * milliseconds]


def _palette(images: list[Any]) -> Colours:
    """Choose the colours of all frames: the frequent ones exactly, the rest by median cut."""
    from PIL import Image

    pixels = np.concatenate([np.asarray(image)[::2, ::2] for image in images])
    codes, counts = np.unique(_codes(pixels), return_counts=True)
    frequent = codes[np.argsort(-counts, kind="stable")[:EXACT]]
    sheet: Any = Image.fromarray(pixels)
    rest = sheet.quantize(colors=COLOURS - len(frequent), method=0, dither=0).getpalette() or []
    return np.concatenate([_colours(frequent), np.array(rest, np.int32).reshape(-1, 3)])


def _codes(pixels: NDArray[Any]) -> Colours:
    """Pack red, green and blue into one number."""
    red, green, blue = pixels.reshape(-1, 3).astype(np.int32).T
    packed: Colours = red << 16 | green << 8 | blue
    return packed


def _colours(codes: Colours) -> Colours:
    """Unpack them."""
    return np.stack([codes >> 16, codes >> 8 & 255, codes & 255], axis=1)


def _reduced(image: Any, palette: Colours) -> Any:
    """Give every pixel the nearest colour of the palette."""
    from PIL import Image

    codes, inverse = np.unique(_codes(np.asarray(image)), return_inverse=True)
    nearest = ((_colours(codes)[:, None] - palette) ** 2).sum(axis=2).argmin(axis=1)
    found = Image.fromarray(nearest[inverse].reshape(image.height, image.width).astype(np.uint8))
    found.putpalette(palette.astype(np.uint8).tobytes())
    return found

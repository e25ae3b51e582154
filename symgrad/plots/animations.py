"""Several pictures one after another, as a GIF."""

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from symgrad.diagram.export.gif import animated, durations
from symgrad.errors import UsageError, missing_extra
from symgrad.files import replace
from symgrad.plots.picture import Picture


def animation(pictures: Sequence[Picture], *, seconds: float = 0.5, width: int = 960) -> bytes:
    """Write pictures of one size as an animated GIF; the last stays twice as long.

    >>> from symgrad.plots import plot
    >>> animation([plot("relu"), plot("elu")], width=200)[:4]
    b'GIF8'
    """
    try:
        from PIL import Image
    except ImportError:
        raise missing_extra("a GIF needs Pillow", "slides") from None
    if not pictures:
        raise UsageError("there are no pictures to show one after another")
    images = []
    for picture in pictures:
        image = Image.open(BytesIO(picture.to_png())).convert("RGB")
        size = (width, round(image.height * width / image.width))
        images.append(image.resize(size, Image.Resampling.LANCZOS))
    if len({image.size for image in images}) > 1:
        raise UsageError("the pictures differ in their shape", hint="draw them with one function")
    return animated(images, durations(len(images), seconds))


def save_animation(
    pictures: Sequence[Picture],
    path: str | os.PathLike[str],
    *,
    seconds: float = 0.5,
    width: int = 960,
) -> Path:
    """Write a GIF; an old file is replaced in one step."""
    return replace(path, animation(pictures, seconds=seconds, width=width))

"""`Picture`: a finished figure that is saved as SVG, PNG or PDF, with the same bytes every time."""

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgrad.arguments import checked
from symgrad.errors import UsageError, missing_extra
from symgrad.files import named, replace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What would name the moment, the machine or the version is left out of the files.
_METADATA: dict[str, dict[str, Any]] = {
    ".svg": {"Date": None, "Creator": None},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
STYLE: dict[str, Any] = {
    "svg.hashsalt": "symgrad",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 9.5,
    "mathtext.fontset": "dejavusans",
    "text.usetex": False,
    "axes.unicode_minus": True,
    "path.simplify": True,
    "path.simplify_threshold": 0.05,
}
WIDE, SLIDE = 1920, 9.0  # pixels of a PNG for nine inches, which fill a slide
_LOCK = threading.Lock()  # the settings of matplotlib are global


def printable(text: str) -> str:
    r"""Replace what is not a character on paper: controls, bidirectional marks, halves of pairs.

    >>> printable("a\x00b\u202e") == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"
    True
    """
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def suffixes() -> tuple[str, ...]:
    """List the suffixes that a plot can be saved with.

    >>> suffixes()
    ('.svg', '.png', '.pdf')
    """
    return tuple(_METADATA)


def matplotlib() -> Any:
    """Import matplotlib, or say in one line what brings it."""
    try:
        import matplotlib as library
    except ImportError:
        raise missing_extra("a plot needs matplotlib", "plots") from None
    return library


_PATH = re.compile(r'(?<= d=")[^"]+')
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def compact(svg: bytes) -> bytes:
    r"""Round the coordinates of paths to 1/100 point, which no eye sees, and drop their blanks.

    >>> compact(b'<path d="M 37.899508 -0.001 L 38.5 49.791832 "/>')
    b'<path d="M37.9 0L38.5 49.79"/>'
    """

    def short(match: re.Match[str]) -> str:
        text = f"{float(match[0]):.2f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text

    def path(match: re.Match[str]) -> str:
        return re.sub(r"\s*([A-Za-z])\s*", r"\1", _NUMBER.sub(short, match[0])).strip()

    return _PATH.sub(path, svg.decode()).encode()


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what fontTools says of the dates in a font that a PDF takes up."""
    log = logging.getLogger("fontTools")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


class Picture:
    """Hold what draws a figure; drawing happens in symgrad's own style, whatever a user has set.

    >>> from symgrad.plots import plot
    >>> plot("tanh").to_svg().startswith("<?xml")
    True
    """

    def __init__(self, draw: "Callable[[Figure], None]", size: tuple[float, float], title: str):
        self._draw, self._size, self.title = draw, size, printable(title)

    def to_bytes(self, suffix: str) -> bytes:
        """Write the file of a suffix."""
        checked(Picture.to_bytes, locals())
        if suffix not in _METADATA:
            said = f"a plot has no suffix {suffix!r}" if suffix else "the path has no suffix"
            raise UsageError(said, hint="known are: " + ", ".join(suffixes()))
        library = matplotlib()
        from matplotlib.figure import Figure

        title = {} if suffix == ".png" else {"Title": self.title}
        file = BytesIO()
        with _LOCK, library.rc_context(), _quiet():
            library.rcdefaults()
            library.rcParams.update(STYLE)
            figure = Figure(figsize=self._size, facecolor="white")
            self._draw(figure)
            figure.savefig(file, format=suffix[1:], dpi=WIDE / SLIDE,
                           metadata={**_METADATA[suffix], **title})  # fmt: skip
        return compact(file.getvalue()) if suffix == ".svg" else file.getvalue()

    def to_svg(self) -> str:
        """Write SVG text."""
        return self.to_bytes(".svg").decode()

    def to_png(self) -> bytes:
        """Write a PNG; nine inches, the width of most plots, are 1920 pixels."""
        return self.to_bytes(".png")

    def to_pdf(self) -> bytes:
        """Write a PDF of one page."""
        return self.to_bytes(".pdf")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a file in the format of its suffix; an old file is replaced in one step."""
        target = named(path)
        replace(target, self.to_bytes(target.suffix.lower()))
        return target

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def __repr__(self) -> str:
        return f"<Picture: {self.title}>"

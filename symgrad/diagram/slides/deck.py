"""Open a deck, ours or the user's, add slides to it, and save it with the same bytes every time."""

import os
import re
import zipfile
import zlib
from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from symgrad.diagram.measure import shorten
from symgrad.diagram.slides.runs import clean
from symgrad.diagram.style import Theme
from symgrad.errors import DataError, UsageError, missing_extra

EPOCH = datetime(2000, 1, 1)
INCH = 914400
WIDE, HIGH = 12192000, 6858000  # 13.333 by 7.5 inches
TITLE = (0.45, 0.28, 12.43, 0.85)  # inches: left, top, width, height
LONGEST = 110  # characters of a title
SMALL = 62  # a longer title is set smaller in our own deck
MARGIN = 0.03  # of the width of a slide, left and right of the diagram
ACCENTS = ("local", "gradient", "value", "parameter.line", "warning", "cell.high")
MOST = 1.6 * 12700  # a small diagram is not blown up beyond 1.6 points to the pixel
ABOVE = 0.45  # of the room that is left lies above the diagram
NAMESPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
Area = tuple[float, float, float, float]  # left, top, width, height in EMU


class Deck:
    """Hold an open deck and the layout that its new slides take."""

    def __init__(self, template: str | os.PathLike[str] | None, theme: Theme, title: str) -> None:
        pptx = _library()
        self.own = template is None
        self.deck = pptx.Presentation() if template is None else _opened(template)
        if self.own:
            _dressed(self.deck, theme)
            _described(self.deck, clean(shorten(title, LONGEST)) or "Computation graph")
        self.layout = _chosen(self.deck)
        self.width, self.height = self.deck.slide_width or WIDE, self.deck.slide_height or HIGH

    def add(self, title: str, notes: str) -> Any:
        """Add a slide with a title and the speaker's notes."""
        slide = self.deck.slides.add_slide(self.layout)
        text = clean(shorten(title, LONGEST))
        holder = slide.shapes.title
        for shape in list(slide.placeholders):
            if holder is None or shape.shape_id != holder.shape_id:
                shape._element.getparent().remove(shape._element)
        if holder is None and text:
            holder = slide.shapes.add_textbox(*self._title_box())
            holder.name = "Title"
        if holder is not None and text:
            holder.text_frame.text = text
            if self.own and len(text) > SMALL:
                from pptx.util import Pt

                holder.text_frame.paragraphs[0].runs[0].font.size = Pt(20)
        elif holder is not None:
            holder._element.getparent().remove(holder._element)
        if notes and slide.notes_slide.notes_text_frame is not None:
            slide.notes_slide.notes_text_frame.text = "\n".join(map(clean, notes.splitlines()))
        return slide

    def _title_box(self) -> tuple[Any, Any, Any, Any]:
        left = round(MARGIN * self.width)
        return left, left, self.width - 2 * left, INCH // 2

    def area(self, titled: bool) -> Area:
        """Find the free area of a slide: below its title, above its footer."""
        margin = MARGIN * self.width
        top, bottom = margin, self.height - margin
        places = {_kind(shape): shape for shape in self.layout.placeholders}
        footer = [places[kind] for kind in ("ftr", "sldNum", "dt") if kind in places]
        for shape in footer if not self.own else []:
            if shape.top is not None and shape.top > 0.8 * self.height:
                bottom = min(bottom, shape.top)
        title = places.get("title", places.get("ctrTitle"))
        if title is None or title.top is None:
            top = max(top, titled * (margin + 0.6 * INCH))
        elif titled:
            above, below = title.top - margin, bottom - title.top - title.height
            if below >= min(above, 0.4 * self.height):
                top = max(top, title.top + title.height + 0.05 * INCH)
            else:
                bottom = title.top - 0.05 * INCH
        return margin, top, self.width - 2 * margin, max(bottom - top, 0.2 * self.height)

    def place(self, slide: Any, shapes: str) -> None:
        """Put shapes, written as XML, on a slide."""
        from pptx.oxml import parse_xml

        tree = slide.shapes._spTree
        for element in list(parse_xml(f"<p:spTree {NAMESPACES}>{shapes}</p:spTree>")):
            tree.append(element)

    def pictures(self, slide: Any, raster: bytes, vector: bytes) -> tuple[str, str]:
        """Store a picture as PNG and as SVG, and give their relationship ids."""
        from pptx.opc.constants import RELATIONSHIP_TYPE
        from pptx.opc.package import Part

        _, png = slide.part.get_or_add_image_part(BytesIO(raster))
        package = slide.part.package
        name = package.next_partname("/ppt/media/vector%d.svg")
        part = Part(name, "image/svg+xml", package, vector)
        return png, slide.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE)

    def save(self) -> bytes:
        """Write the deck; no file in it carries the time of writing."""
        buffer = BytesIO()
        self.deck.save(buffer)
        result = BytesIO()
        with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(result, "w") as new:
            for name in old.namelist():
                info = zipfile.ZipInfo(name)
                info.create_system, info.compress_type = 3, zipfile.ZIP_DEFLATED
                new.writestr(info, old.read(name))
        return result.getvalue()


def _library() -> Any:
    try:
        import pptx
    except ImportError:
        raise missing_extra("PowerPoint files need python-pptx", "slides") from None
    return pptx


def _opened(template: str | os.PathLike[str]) -> Any:
    """Open the user's deck; whatever is wrong with it, say so in a line."""
    from pptx import Presentation
    from pptx.exc import PythonPptxError

    path = _file(template)
    try:
        deck = Presentation(str(path))
        # What the slides need is read here, where a fault in it can still be told.
        pages = [deck.slide_master, *deck.slide_layouts]
        if not len(deck.slide_layouts):
            raise ValueError("it has no slide layout")
        layout = _chosen(deck)
        _ = [(page.name, len(page.placeholders)) for page in pages]
        _ = [(shape.top, shape.height) for shape in layout.placeholders]
    except (PythonPptxError, *_BROKEN) as error:
        detail = clean(shorten(str(error), 120)) or type(error).__name__
        raise DataError(
            f"the template {str(path)!r} cannot be read: {detail}",
            hint="open it in a slide program and save it as .pptx",
        ) from error
    return deck


def _file(template: str | os.PathLike[str]) -> Path:
    """Give the path of a file; a path that no file can have is none either."""
    try:
        path = Path(os.fsdecode(template))
        found = bool(path.name) and path.is_file()
    except (TypeError, ValueError, OSError):
        path, found = Path(str(template)[:80]), False
    if not found:
        shown = clean(shorten(str(template), 120))
        raise UsageError(f"there is no template {shown!r}", hint="give the path of a .pptx file")
    return path


# What readers of packages, zip and XML raise on broken files.
_BROKEN = (
    OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, SyntaxError,
    RuntimeError, AssertionError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def _kind(shape: Any) -> str:
    """Tell what a placeholder is for, as the file says it."""
    return str(shape._element.ph.get("type", "obj"))


def _chosen(deck: Any) -> Any:
    """Choose "Title Only", else the layout with a title and little else, else the barest."""
    layouts = list(deck.slide_layouts)
    for layout in layouts:
        if layout._element.get("type") == "titleOnly" or layout.name == "Title Only":
            return layout
    kinds = [[_kind(shape) for shape in layout.placeholders] for layout in layouts]
    counts = [sum(kind not in ("ftr", "sldNum", "dt") for kind in k) for k in kinds]
    order = sorted(
        range(len(layouts)),
        key=lambda k: ("title" not in kinds[k], "ctrTitle" not in kinds[k], counts[k], k),
    )
    return layouts[order[0]]


def _dressed(deck: Any, theme: Theme) -> None:
    """Make python-pptx's own deck wide, with our colours and a small title at the left."""
    from pptx.opc.constants import RELATIONSHIP_TYPE as KIND
    from pptx.util import Emu

    stretch = WIDE / (deck.slide_width or WIDE)
    deck.slide_width, deck.slide_height = Emu(WIDE), Emu(HIGH)
    master = deck.slide_master
    for page in (master, *deck.slide_layouts):
        for part in page._element.iter("{*}off", "{*}ext"):
            for key in ("x", "cx"):
                if part.get(key) is not None:
                    part.set(key, str(round(int(part.get(key)) * stretch)))
    only = _chosen(deck)
    for shape in (*master.placeholders, *only.placeholders):
        if _kind(shape) == "title":
            shape.left, shape.top, shape.width, shape.height = (Emu(round(v * INCH)) for v in TITLE)
    for style in master._element.iter("{*}titleStyle"):
        style[0].set("algn", "l")
        for run in style.iter("{*}defRPr"):
            run.set("sz", "2800")
    part = master.part.part_related_by(KIND.THEME)
    part.blob = _coloured(part.blob.decode(), theme).encode()
    package: Any = deck.part.package
    for key, relation in list(package._rels.items()):
        if relation.reltype == KIND.THUMBNAIL:
            package.drop_rel(key)


def _coloured(xml: str, theme: Theme) -> str:
    """Give the deck's theme the colours of the diagram's, so that later slides match."""
    names = ["dk1", "lt1", "dk2", "lt2", *(f"accent{k}" for k in range(1, 7)), "hlink", "folHlink"]
    roles = ["text", "background", "muted", "constant.fill", *ACCENTS, "local", "muted"]
    colours = "".join(
        f'<a:{name}><a:srgbClr val="{theme.colour(role)[1:]}"/></a:{name}>'
        for name, role in zip(names, roles, strict=True)
    )
    scheme = f'<a:clrScheme name="symgrad">{colours}</a:clrScheme>'
    return re.sub(r"<a:clrScheme.*?</a:clrScheme>", scheme, xml, flags=re.DOTALL)


def _described(deck: Any, title: str) -> None:
    about = deck.core_properties
    about.title, about.author, about.last_modified_by = title, "symgrad", "symgrad"
    about.created, about.modified, about.revision = EPOCH, EPOCH, 1


def fitted(area: Area, box: Sequence[float]) -> tuple[float, float, float]:
    """Fit a box of pixels into an area: the scale, and where pixel (0, 0) comes to lie.

    >>> fitted((0, 0, 200, 100), (0, 0, 100, 100))
    (1.0, 50.0, 0.0)
    """
    left, top, width, height = area
    wide, high = max(1.0, box[2] - box[0]), max(1.0, box[3] - box[1])
    scale = min(width / wide, height / high, MOST)
    x = left + (width - wide * scale) / 2 - box[0] * scale
    y = top + (height - high * scale) * ABOVE - box[1] * scale
    return scale, x, y

"""PDF: the scene drawn as vectors by fpdf2, one design pixel to the point."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from symgrad.diagram.export.svg import BOLD, WEIGHT
from symgrad.diagram.measure import EM
from symgrad.diagram.scene import Box, Item, Label, Path, Scene
from symgrad.diagram.style import Theme

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # a fixed date: the same diagram is the same file


def export(diagram: "Diagram") -> bytes:
    """Write a diagram as PDF."""
    return diagram.to_pdf()


def render(scene: Scene) -> bytes:
    """Write a scene as a PDF, a page for each frame."""
    from fpdf import FPDF
    from fpdf.drawing import GraphicsContext

    pdf = FPDF(unit="pt", format=(scene.width, scene.height))
    pdf.set_creation_date(EPOCH)
    pdf.set_producer("symgrad")
    pdf.set_title(scene.title or "Computation graph")
    pdf.set_margin(0)
    pdf.set_auto_page_break(False)
    sheet = Box("sheet", 0, 0, scene.width, scene.height, fill="background")
    for frame in range(1, scene.count + 1):
        pdf.add_page()
        items = [item for group in scene.at(frame).groups for item in group.items]
        with pdf.drawing_context() as canvas:
            page = GraphicsContext()
            for item in (sheet, *items):
                page.add_item(_drawn(item, scene.theme), clone=False)
            canvas.add_item(page, clone=False)
    return bytes(pdf.output())


def _drawn(item: Item, theme: Theme) -> Any:
    if isinstance(item, Label):
        return _label(item, theme)
    if isinstance(item, Box):
        return _box(item, theme)
    return _path(item, theme)


def _label(label: Label, theme: Theme) -> Any:
    path = _new(label.colour, label.colour, BOLD if label.role == "title" else WEIGHT, theme)
    scale = label.size / EM
    for letter, units in label.outline.path:
        numbers = [(label.y if i % 2 else label.x) + unit * scale for i, unit in enumerate(units)]
        _draw(path, letter, numbers)
    return path


def _box(box: Box, theme: Theme) -> Any:
    path = _new(box.fill, box.stroke, box.line, theme)
    path.rectangle(box.x, box.y, box.width, box.height, rx=box.radius, ry=box.radius)
    return path


def _path(item: Path, theme: Theme) -> Any:
    path = _new(item.fill, item.stroke, item.width, theme)
    if item.dash:
        path.style.stroke_dash_pattern = item.dash
    for letter, numbers in item.commands:
        _draw(path, letter, numbers)
    return path


def _new(fill: str, stroke: str, width: float, theme: Theme) -> Any:
    from fpdf.drawing import PaintedPath

    path = PaintedPath()
    path.style.auto_close = False
    # A page of fpdf2 begins with square caps, which fill the gaps of dashes.
    path.style.stroke_cap_style, path.style.stroke_join_style = "butt", "miter"
    path.style.fill_color = theme.colour(fill) if fill else None
    path.style.stroke_color = theme.colour(stroke) if stroke else None
    path.style.stroke_width = width
    return path


def _draw(path: Any, letter: str, numbers: Any) -> None:
    if letter == "M":
        path.move_to(*numbers)
    elif letter == "L":
        path.line_to(*numbers)
    elif letter == "Q":
        path.quadratic_curve_to(*numbers)
    elif letter == "C":
        path.curve_to(*numbers)
    else:
        path.close()

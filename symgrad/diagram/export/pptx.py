"""PowerPoint: a slide for every frame, of native shapes or of one vector picture."""

import os
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from symgrad.diagram.export import svg
from symgrad.diagram.scene import Group, Scene, extent
from symgrad.diagram.slides import shapes
from symgrad.diagram.slides.deck import Deck, fitted
from symgrad.diagram.slides.joints import Joints
from symgrad.diagram.slides.parts import drawn
from symgrad.diagram.slides.shapes import Sheet
from symgrad.diagram.slides.tags import Tags
from symgrad.errors import UsageError

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram

MODES, EDGES = ("shapes", "picture"), ("curves", "connector")
PIXELS = 2400  # width of the PNG beside a vector picture
ROOM = 3.0  # pixels around a picture, for the outlines of glyphs


def export(
    diagram: "Diagram",
    *,
    template: str | os.PathLike[str] | None = None,
    mode: str = "shapes",
    edges: str = "curves",
) -> bytes:
    """Write a diagram as a deck, a slide for every frame.

    `template` is a .pptx to add the slides to; `mode` is "shapes" (text and lines to edit) or
    "picture" (one vector picture a slide); `edges` is "curves" or "connector" (lines glued to
    their gates).
    """
    for what, given, known in (("mode", mode, MODES), ("edges", edges, EDGES)):
        if given not in known:
            raise UsageError(f"unknown {what} {given!r}", hint="known are: " + ", ".join(known))
    return render(diagram.scene, template, mode, edges)


def render(
    scene: Scene,
    template: str | os.PathLike[str] | None = None,
    mode: str = "shapes",
    edges: str = "curves",
) -> bytes:
    """Write a scene as a deck."""
    deck = Deck(template, scene.theme, scene.title)
    titles = [frame.title or scene.title for frame in scene.frames] or [scene.title]
    groups = [group for group in scene.groups if group.role != "title"]
    box = extent(item for group in groups for item in group.items)
    sheet = Sheet(*fitted(deck.area(any(titles)), box), scene.theme)
    # All captions have the same frame: as wide as the diagram, as high as the highest of them.
    captions = [group for group in groups if group.role == "caption"]
    _, above, _, below = extent(item for group in captions for item in group.items)
    band = _roomy((box[0], above, box[2], below))
    tags, joints = Tags(groups), Joints(scene) if edges == "connector" else None
    for k, title in enumerate(titles, 1):
        frame = scene.frames[k - 1] if scene.frames else None
        still = scene.at(k)
        slide = deck.add(title, frame.notes if frame else "")
        if mode == "picture":
            tags.begin()
            kept = tuple(g for g in still.groups if g.role != "title")
            alt = f"{scene.title}: {still.description}".strip(": ")
            deck.place(slide, _picture(deck, slide, kept, _roomy(box), sheet, tags, "diagram", alt))
            continue
        deck.place(slide, drawn(still, sheet, tags, joints))
        said = tuple(g for g in still.groups if g.role == "caption")
        if said:
            alt = "; ".join(frame.caption) if frame and frame.caption else said[0].label
            deck.place(slide, _picture(deck, slide, said, band, sheet, tags, "caption", alt))
    return deck.save()


def _roomy(box: Iterable[float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return left - ROOM, top - ROOM, right + ROOM, bottom + ROOM


def _picture(
    deck: Deck,
    slide: Any,
    groups: tuple[Group, ...],
    box: tuple[float, float, float, float],
    sheet: Sheet,
    tags: Tags,
    name: str,
    alt: str,
) -> str:
    """Draw groups as a picture that fills a box; the slide shows through it."""
    left, top, right, bottom = box
    moved = tuple(
        replace(g, items=tuple(item.moved(-left, -top) for item in g.items)) for g in groups
    )
    clear = replace(sheet.theme, colours={**sheet.theme.colours, "background": "none"})
    scene = Scene(right - left, bottom - top, clear, moved, name, alt)
    vector = svg.render(scene)
    ids = deck.pictures(slide, raster(vector), vector.encode())
    return shapes.picture(box, sheet, tags.tag(name, alt), *ids)


def raster(vector: str) -> bytes:
    """Render an SVG as a PNG that the slide shows through."""
    import resvg_py

    return bytes(resvg_py.svg_to_bytes(svg_string=vector, width=PIXELS, skip_system_fonts=True))

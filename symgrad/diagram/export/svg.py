"""SVG: outlines only, no fonts, styles, markers or references, the same bytes every time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from symgrad.diagram.measure import EM
from symgrad.diagram.scene import Box, Command, Group, Item, Label, Path, Scene
from symgrad.diagram.style import Theme

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram

WEIGHT = 0.35  # pixels of outline around glyphs, which are thin on a projector
BOLD = 0.75  # the same for titles


def export(diagram: "Diagram", *, frame: int | None = None) -> bytes:
    """Write a diagram as SVG."""
    return diagram.to_svg(frame).encode()


def render(scene: Scene) -> str:
    """Write a scene as SVG text."""
    prefix, width, height = scene.prefix, number(scene.width), number(scene.height)
    title = scene.title or "Computation graph"
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="{prefix}-t {prefix}-d">'
    )
    lines = [
        head,
        f'<title id="{prefix}-t">{escape(title)}</title>',
        f'<desc id="{prefix}-d">{escape(scene.description)}</desc>',
        f"<metadata>symgrad; layout engine: {escape(scene.engine)}</metadata>",
    ]
    background = scene.theme.colour("background")
    lines.append(f'<rect width="{width}" height="{height}" fill="{background}"/>')
    for group in scene.groups:
        lines += _group(group, scene.theme, prefix)
    return "\n".join([*lines, "</svg>", ""])


def _group(group: Group, theme: Theme, prefix: str) -> list[str]:
    data = "".join(f' data-{key}="{escape(value)}"' for key, value in group.data)
    head = f'<g id="{prefix}-{group.id}" class="{group.role}" role="img"'
    head += f' aria-label="{escape(group.label)}"{data}>'
    return [head, *(_item(item, theme) for item in group.items), "</g>"]


def _item(item: Item, theme: Theme) -> str:
    if isinstance(item, Label):
        return _label(item, theme)
    if isinstance(item, Box):
        return _box(item, theme)
    return _path(item, theme)


def _label(label: Label, theme: Theme) -> str:
    scale = label.size / EM
    colour = theme.colour(label.colour)
    weight = (BOLD if label.role == "title" else WEIGHT) / scale
    return (
        f'<path class="{label.role}" transform="translate({number(label.x)} {number(label.y)}) '
        f'scale({scale:.5g})" d="{glyphs(label)}" fill="{colour}" stroke="{colour}" '
        f'stroke-width="{number(weight)}"/>'
    )


def glyphs(label: Label) -> str:
    """Write the outline of a label in its own units."""
    parts = (letter + " ".join(map(str, xs)) for letter, xs in label.outline.path)
    return "".join(parts).replace(" -", "-")


def _box(box: Box, theme: Theme) -> str:
    radius = f' rx="{number(box.radius)}"' if box.radius else ""
    paint = _paint(box.fill, box.stroke, box.line, (), theme)
    return (
        f'<rect class="{box.role}" x="{number(box.x)}" y="{number(box.y)}" '
        f'width="{number(box.width)}" height="{number(box.height)}"{radius}{paint}/>'
    )


def _path(path: Path, theme: Theme) -> str:
    paint = _paint(path.fill, path.stroke, path.width, path.dash, theme)
    return f'<path class="{path.role}" d="{outline(path.commands)}"{paint}/>'


def outline(commands: Sequence[Command]) -> str:
    """Write the d attribute of a path."""
    return "".join(letter + " ".join(number(x) for x in xs) for letter, xs in commands)


def _paint(fill: str, stroke: str, width: float, dash: Sequence[float], theme: Theme) -> str:
    text = f' fill="{theme.colour(fill)}"' if fill else ' fill="none"'
    if stroke:
        text += f' stroke="{theme.colour(stroke)}" stroke-width="{number(width)}"'
    if dash:
        text += f' stroke-dasharray="{" ".join(number(d) for d in dash)}"'
    return text


def number(x: float) -> str:
    """Round to 0.1, without a needless zero.

    >>> number(2.0), number(-0.04), number(1.25)
    ('2', '0', '1.2')
    """
    text = f"{x:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


_TURNING = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_ESCAPES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\r": "&#13;"}
)


def escape(text: str) -> str:
    """Escape text for element content and attributes.

    Characters that XML forbids, and those that turn the direction of writing, are replaced.

    >>> escape('<a "b">')
    '&lt;a &quot;b&quot;&gt;'
    """
    # A literal tab or newline in an attribute would be read back as a blank; that is accepted.
    allowed = (c if _legal(ord(c)) else "\N{REPLACEMENT CHARACTER}" for c in text)
    return "".join(allowed).translate(_ESCAPES)


def _legal(code: int) -> bool:
    if code < 0x20:
        return code in (0x9, 0xA, 0xD)
    if code in _TURNING or 0x7F <= code < 0xA0:
        return False
    return code < 0xD800 or 0xE000 <= code < 0xFFFE or code > 0xFFFF

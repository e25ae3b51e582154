"""Write slide shapes as DrawingML: text boxes, filled boxes with text, curves, lines, groups.

Every shape carries its colours and fonts itself, takes no effect from the deck's theme, and has a
name and an id. Lengths are in EMU, 12 700 to the point.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from symgrad.diagram.export.svg import WEIGHT, escape
from symgrad.diagram.measure import EM
from symgrad.diagram.scene import Box, Command, Item, Label, Path, extent
from symgrad.diagram.slides.runs import Run, clean, text_runs
from symgrad.diagram.style import Theme

POINT = 12700
LINE_HEIGHT = 1.2  # of exact line spacing, in em; the same in every program and for every font
BASELINE = 0.97  # from the top of such a line down to its baseline, in em
SLACK = 1.1  # fonts differ: a text box is this much wider than the text that was measured
FACE = "Cambria"  # its italics are real; mathematical signs come from Cambria Math
SIGNS = "Cambria Math"
LONGEST = 400  # characters of an alternative text
LEFT = ("legend", "note", "figure")  # labels that keep their left end
STACKED = re.compile(r"\\[dt]?frac\b|\\(?:under|over)brace\b|\\(?:sum|prod)_|\\begin\{")
PLAIN = (
    '<p:style><a:lnRef idx="0"><a:srgbClr val="000000"/></a:lnRef><a:fillRef idx="0">'
    '<a:srgbClr val="000000"/></a:fillRef><a:effectRef idx="0"><a:srgbClr val="000000"/>'
    '</a:effectRef><a:fontRef idx="minor"><a:srgbClr val="000000"/></a:fontRef></p:style>'
)


@dataclass(frozen=True, slots=True)
class Tag:
    """Hold a shape's id, its name in the selection pane, and its alternative text."""

    id: int
    name: str
    alt: str = ""

    def xml(self) -> str:
        """Write the element that every shape begins with."""
        alt = f' descr="{escape(clean(self.alt[:LONGEST]))}"' if self.alt else ""
        return f'<p:cNvPr id="{self.id}" name="{escape(clean(self.name))}"{alt}/>'


@dataclass(frozen=True, slots=True)
class Sheet:
    """Map design pixels to a slide: pixel (0, 0) is at (x, y), `scale` is the EMU of a pixel."""

    scale: float
    x: float
    y: float
    theme: Theme

    def across(self, x: float) -> int:
        """Place an x coordinate."""
        return round(self.x + x * self.scale)

    def down(self, y: float) -> int:
        """Place a y coordinate."""
        return round(self.y + y * self.scale)

    def size(self, length: float) -> int:
        """Scale a length."""
        return round(length * self.scale)

    def frame(self, box: Sequence[float], flip: str = "") -> str:
        """Write where a box (left, top, right, bottom) is."""
        left, top, right, bottom = box
        x, y = self.across(left), self.down(top)
        size = f'cx="{max(0, self.across(right) - x)}" cy="{max(0, self.down(bottom) - y)}"'
        return f'<a:xfrm{flip}><a:off x="{x}" y="{y}"/><a:ext {size}/></a:xfrm>'

    def paint(self, role: str) -> str:
        """Write a fill."""
        if not role:
            return "<a:noFill/>"
        return f'<a:solidFill><a:srgbClr val="{self.theme.colour(role)[1:]}"/></a:solidFill>'

    def line(self, role: str, width: float, dash: Sequence[float] = (), ends: str = "") -> str:
        """Write a line; dashes are in thousandths of a percent of its width."""
        if not role or not width:
            return "<a:ln><a:noFill/></a:ln>"
        pairs = zip(dash[0::2], dash[1::2], strict=False)
        dashes = "".join(
            f'<a:ds d="{round(a / width * 1e5)}" sp="{round(b / width * 1e5)}"/>' for a, b in pairs
        )
        pattern = f"<a:custDash>{dashes}</a:custDash>" if dashes else ""
        return (
            f'<a:ln w="{max(1, self.size(width))}" cap="flat">{self.paint(role)}{pattern}'
            f"<a:round/>{ends}</a:ln>"
        )


def text_box(label: Label, sheet: Sheet, tag: Tag) -> str:
    """Write a label as a text box: no wrap, no autofit, some slack, its baseline where it was."""
    left, _, right, _ = label.extent()
    slack = (right - left) * (SLACK - 1) / 2 + 0.05 * label.size
    top = label.y - BASELINE * label.size
    centred = label.role not in LEFT
    box = (left - slack * centred, top, right + slack, top + LINE_HEIGHT * label.size)
    return (
        f'<p:sp><p:nvSpPr>{tag.xml()}<p:cNvSpPr txBox="1"/><p:nvPr/></p:nvSpPr><p:spPr>'
        f'{sheet.frame(box)}<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:noFill/>'
        f"<a:ln><a:noFill/></a:ln><a:effectLst/></p:spPr>"
        f"{_body(label, sheet, 'ctr' if centred else 'l', 't', 0)}</p:sp>"
    )


def stacked(label: Label) -> bool:
    """Say whether a formula is higher than a line, as a fraction is."""
    return label.outline.latex and STACKED.search(label.outline.text) is not None


def formula(label: Label, sheet: Sheet, tag: Tag) -> str:
    """Write a formula that no line of text can hold as the outlines of its glyphs."""
    scale = label.size / EM
    commands = tuple(
        (letter, tuple((label.y if i % 2 else label.x) + n * scale for i, n in enumerate(units)))
        for letter, units in label.outline.path
    )
    drawn = Path(label.role, commands, label.colour, label.colour, WEIGHT)
    alt = tag.alt or "".join(run.text for run in text_runs(label.outline))
    return curve(drawn, sheet, replace(tag, alt=alt))


def filled_box(box: Box, label: Label | None, sheet: Sheet, tag: Tag) -> str:
    """Write a box as an oval, rounded rectangle or rectangle, with its symbol as its text."""
    shape = geometry(box)
    corner = ""
    if shape == "roundRect":
        share = round(min(0.5, box.radius / min(box.width, box.height)) * 1e5)
        corner = f'<a:gd name="adj" fmla="val {share}"/>'
    text = ""
    if label is not None:
        # The middle of the line lies 0.37 em above its baseline; insets move it there.
        drop = label.y - BASELINE * label.size + LINE_HEIGHT / 2 * label.size
        text = _body(label, sheet, "ctr", "ctr", drop - (box.y + box.height / 2))
    return (
        f"<p:sp><p:nvSpPr>{tag.xml()}<p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr>"
        f'{sheet.frame(box.extent())}<a:prstGeom prst="{shape}"><a:avLst>{corner}</a:avLst>'
        f"</a:prstGeom>{sheet.paint(box.fill)}{sheet.line(box.stroke, box.line)}<a:effectLst/>"
        f"</p:spPr>{PLAIN}{text}</p:sp>"
    )


def geometry(box: Box) -> str:
    """Name the preset shape of a box."""
    if not box.radius or not min(box.width, box.height):
        return "rect"
    round_ = abs(box.width - box.height) < 0.1 and box.radius >= box.width / 2 - 0.1
    return "ellipse" if round_ else "roundRect"


def _body(label: Label, sheet: Sheet, align: str, anchor: str, drop: float) -> str:
    """Write text of one line, moved down by `drop` pixels."""
    points = max(1.0, label.size * sheet.scale / POINT)
    inset = round(2 * abs(drop) * sheet.scale)
    above, below = (inset, 0) if drop > 0 else (0, inset)
    colour = sheet.paint(label.colour)
    bold = label.role == "title"
    made = "".join(_run(run, points, colour, bold) for run in text_runs(label.outline))
    spacing = round(points * LINE_HEIGHT * 100)
    return (
        f'<p:txBody><a:bodyPr wrap="none" lIns="0" tIns="{above}" rIns="0" bIns="{below}" '
        f'rtlCol="0" anchor="{anchor}"><a:noAutofit/></a:bodyPr><a:lstStyle/><a:p>'
        f'<a:pPr algn="{align}"><a:lnSpc><a:spcPts val="{spacing}"/></a:lnSpc><a:spcBef>'
        f'<a:spcPts val="0"/></a:spcBef><a:buNone/></a:pPr>{made}</a:p></p:txBody>'
    )


def _run(run: Run, points: float, colour: str, bold: bool = False) -> str:
    size = max(100, round(points * 100))
    style = f' b="{int(bold)}" i="{int(run.italic)}"' + (
        f' baseline="{run.raised}"' if run.raised else ""
    )
    face = (
        f'<a:latin typeface="{FACE}"/><a:ea typeface="{SIGNS}"/><a:cs typeface="{SIGNS}"/>'
        f'<a:sym typeface="{SIGNS}"/>'
        if run.math
        else ""
    )
    return (
        f'<a:r><a:rPr lang="en-US" sz="{size}"{style} noProof="1" dirty="0">{colour}{face}'
        f"</a:rPr><a:t>{escape(run.text)}</a:t></a:r>"
    )


def curve(path: Path, sheet: Sheet, tag: Tag, ends: str = "") -> str:
    """Write a path as a freeform with true Bézier curves, a straight one as a line."""
    commands = straightened(path.commands)
    if not path.fill and [letter for letter, _ in commands] == ["M", "L"]:
        return _straight(path, commands, sheet, tag, ends)
    box = path.extent()
    x, y = sheet.across(box[0]), sheet.down(box[1])
    width, height = sheet.across(box[2]) - x, sheet.down(box[3]) - y
    steps = "".join(_step(letter, xs, sheet, x, y) for letter, xs in commands)
    inside = "" if path.fill else ' fill="none"'
    line = sheet.line(path.stroke, path.width, path.dash, ends)
    return (
        f"<p:sp><p:nvSpPr>{tag.xml()}<p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr>{sheet.frame(box)}"
        '<a:custGeom><a:avLst/><a:gdLst/><a:ahLst/><a:cxnLst/><a:rect l="0" t="0" r="r" b="b"/>'
        f'<a:pathLst><a:path w="{width}" h="{height}"{inside}>{steps}</a:path></a:pathLst>'
        f"</a:custGeom>{sheet.paint(path.fill)}{line}<a:effectLst/></p:spPr>{PLAIN}</p:sp>"
    )


_VERBS = {"M": "moveTo", "L": "lnTo", "C": "cubicBezTo", "Q": "quadBezTo"}


def _step(letter: str, xs: Sequence[float], sheet: Sheet, x: int, y: int) -> str:
    if letter == "Z":
        return "<a:close/>"
    points = "".join(
        f'<a:pt x="{sheet.across(px) - x}" y="{sheet.down(py) - y}"/>'
        for px, py in zip(xs[0::2], xs[1::2], strict=True)
    )
    return f"<a:{_VERBS[letter]}>{points}</a:{_VERBS[letter]}>"


def straightened(commands: Sequence[Command]) -> list[Command]:
    """Join level pieces that follow each other.

    >>> straightened([("M", (0, 0)), ("L", (1, 0)), ("L", (5, 0))])
    [('M', (0, 0)), ('L', (5, 0))]
    """
    made: list[Command] = []
    for letter, xs in commands:
        level = letter == "L" and len(made) > 1 and made[-1][0] == "L"
        if level and made[-1][1][1] == made[-2][1][-1] == xs[1]:
            made[-1] = ("L", xs)
        else:
            made.append((letter, xs))
    return made


def _straight(path: Path, ends_at: Sequence[Command], sheet: Sheet, tag: Tag, ends: str) -> str:
    (x1, y1), (x2, y2) = ends_at[0][1][:2], ends_at[1][1][:2]
    return wire(
        (x1, y1), (x2, y2), "line", sheet, tag, sheet.line(path.stroke, path.width, path.dash, ends)
    )


def wire(
    start: Sequence[float],
    end: Sequence[float],
    shape: str,
    sheet: Sheet,
    tag: Tag,
    line: str,
    glue: str = "",
    bend: str = "",
) -> str:
    """Write a line or connector; `glue` says what it is connected to, `bend` where it turns."""
    (x1, y1), (x2, y2) = start, end
    flip = (' flipH="1"' if x2 < x1 else "") + (' flipV="1"' if y2 < y1 else "")
    box = min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
    return (
        f"<p:cxnSp><p:nvCxnSpPr>{tag.xml()}<p:cNvCxnSpPr>{glue}</p:cNvCxnSpPr><p:nvPr/>"
        f'</p:nvCxnSpPr><p:spPr>{sheet.frame(box, flip)}<a:prstGeom prst="{shape}">'
        f"<a:avLst>{bend}</a:avLst></a:prstGeom>{line}<a:effectLst/></p:spPr>{PLAIN}</p:cxnSp>"
    )


def grouped(items: Sequence[Item], inside: str, sheet: Sheet, tag: Tag) -> str:
    """Write a group around shapes that belong together."""
    frame = sheet.frame(extent(items))
    place = frame.removeprefix("<a:xfrm>").removesuffix("</a:xfrm>")
    child = place.replace("<a:off", "<a:chOff").replace("<a:ext", "<a:chExt")
    return (
        f"<p:grpSp><p:nvGrpSpPr>{tag.xml()}<p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr>"
        f"<a:xfrm>{place}{child}</a:xfrm></p:grpSpPr>{inside}</p:grpSp>"
    )


def picture(box: Sequence[float], sheet: Sheet, tag: Tag, raster: str, vector: str) -> str:
    """Write a picture: a PNG for programs that know no more, an SVG for the others."""
    return (
        f"<p:pic><p:nvPicPr>{tag.xml()}<p:cNvPicPr><a:picLocks noChangeAspect='1'/></p:cNvPicPr>"
        f'<p:nvPr/></p:nvPicPr><p:blipFill><a:blip r:embed="{raster}"><a:extLst>'
        '<a:ext uri="{96DAC541-7B7A-43D3-8B79-37D633B846F1}"><asvg:svgBlip '
        'xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main" '
        f'r:embed="{vector}"/></a:ext></a:extLst></a:blip><a:stretch><a:fillRect/></a:stretch>'
        f"</p:blipFill><p:spPr>{sheet.frame(box)}"
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr></p:pic>'
    )

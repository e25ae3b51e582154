"""Pages of diagrams without a browser: what stands in the file, read back by parsers."""

import base64
import hashlib
import json
import sys
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any, ClassVar
from xml.etree import ElementTree

import pytest

import symgrad as sg
from symgrad.diagram import Diagram
from symgrad.diagram.export import html
from symgrad.diagram.page import numerals
from symgrad.diagram.page.document import document, head
from symgrad.diagram.page.section import section
from symgrad.diagram.scene import Box, Frame, Group

HOSTILE = "</title></style></script><script>alert(1)</script><!--\"'&\u202e\x00"
SHOWN = "</title></style></script><script>alert(1)</script><!--\"'&\ufffd\ufffd"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def steps() -> Diagram:
    return sg.diagram("f = x*y", at={"x": 2.0, "y": 3.0}, steps=True, title="T")


class Reader(HTMLParser):
    """Collect tags with their attributes, and the texts of elements."""

    VOID: ClassVar[tuple[str, ...]] = ("meta", "link", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that is closed at once."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost tag."""
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if self.open:
            self.texts[self.open[-1]][-1] += data

    def by(self, **wanted: str) -> list[tuple[str, dict[str, str | None]]]:
        """Find tags by their attributes."""
        return [(t, a) for t, a in self.tags if wanted.items() <= a.items()]


def policy(reader: Reader) -> dict[str, str]:
    ((_, found),) = reader.by(**{"http-equiv": "Content-Security-Policy"})
    return dict(p.strip().split(" ", 1) for p in str(found["content"]).split(";"))


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def facts(text: str) -> Any:
    """Read the frames that the script of a page holds."""
    start = text.index('{"frames":')
    return json.JSONDecoder().raw_decode(text[start:])[0]


def test_the_head_allows_its_own_style_and_script() -> None:
    for script in ("", "let a = 1;"):
        reader = Reader("\n".join([*head("a < b", "p { margin: 0 }", script), "</html>"]))
        wanted = {"default-src": "'none'", "style-src": digest("p { margin: 0 }"),
                  "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}  # fmt: skip
        assert policy(reader) == wanted | ({"script-src": digest(script)} if script else {})
        assert reader.texts["title"] == ["a < b"] and reader.texts["style"] == ["p { margin: 0 }"]
        assert reader.tags[0] == ("html", {"lang": "en"})
        assert reader.by(charset="utf-8") and reader.by(name="generator", content="symgrad")
        assert reader.by(name="viewport", content="width=device-width, initial-scale=1")
        assert reader.by(rel="icon", href="data:,")
    assert head("", "")[0] == "<!DOCTYPE html>"


def test_a_page_with_frames(steps: Diagram) -> None:
    text = html.export(steps).decode()
    reader = Reader(text)
    scene = steps.scene
    assert text.startswith("<!DOCTYPE html>\n") and text.endswith("</body>\n</html>\n")
    assert reader.texts["title"][0] == (scene.title or "Computation graph")
    (script,), (style,) = reader.texts["script"], reader.texts["style"]
    assert policy(reader)["script-src"] == digest(script)
    assert policy(reader)["style-src"] == digest(style)
    assert facts(text)["frames"] == [[f.title, f.notes] for f in scene.frames]
    assert f"--width:{scene.width:g};--height:{scene.height:g};" in style
    for role in ("background", "text", "muted", "value", "gradient", "edge", "local"):
        assert f"--{role}:{scene.theme.colour(role)};" in style
    assert f"--panel:{scene.theme.colour('constant.fill')};" in style
    assert "color-scheme:light;" in style
    count = len(scene.frames)
    ((_, bar),) = reader.by(id="frame")
    assert (bar["min"], bar["max"], bar["value"], bar["step"]) == ("1", str(count), str(count), "1")
    assert bar["type"] == "range" and bar["aria-label"] == "Frame"
    ((_, nav),) = reader.by(id="bar")
    assert nav["aria-label"] == "Frames" and "hidden" in nav
    assert reader.texts["output"] == [f"{count} / {count}"] and reader.by(
        id="count", **{"for": "frame"}
    )
    for name, title in (("back", "Previous frame"), ("next", "Next frame"), ("play", "Play")):
        ((tag, button),) = reader.by(id=name)
        assert (tag, button["title"], button["aria-label"]) == ("button", title, title)
    paths = [a["d"] for t, a in reader.tags if t == "path" and set(a) == {"d"}]
    assert "M15 5 8 12l7 7" in paths and "m9 5 7 7-7 7" in paths and "M8 5v14l11-7z" in paths
    assert [x for x in reader.texts["b"] if x] == [f.title for f in scene.frames]
    assert reader.texts["li"] == [f" {f.notes}" for f in scene.frames]
    ((_, said),) = reader.by(id="said")
    assert (said["role"], said["aria-live"]) == ("status", "polite")
    assert reader.texts["h2"] == ["The steps"] and reader.by(id="words") and reader.by(id="sheets")
    ((tag, stage),) = reader.by(id="stage")
    assert tag == "main" and stage["tabindex"] == "-1"
    assert reader.by(id="glyphs", **{"aria-hidden": "true"})
    assert not (reader.texts["body"][0] + reader.texts["html"][0]).strip()
    assert not "".join(reader.texts["ol"] + reader.texts["section"] + reader.texts["nav"]).strip()
    assert not "".join(reader.texts["p"]).strip() and "<script" not in script


def test_the_signs_of_matrices_are_there_where_matrices_move(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[bool] = []

    def signs(glyphs: Any, arrays: bool = False) -> Any:
        asked.append(arrays)
        return numerals.signs(glyphs, arrays)

    monkeypatch.setattr(sys.modules[head.__module__], "signs", signs)
    html.export(sg.diagram("f = x*y", at={"x": 2.0, "y": 3.0}))
    html.export(sg.diagram("X: param[2, 2]\nL = sum(X*X)", at={"X": [[1.0, 2.0], [3.0, 4.0]]}))
    assert asked == [False, True]


def test_a_page_that_stands_still_has_no_bar() -> None:
    picture = sg.diagram("phi: function; phi(x)*y", view="scalar")
    text = document(picture.scene, picture.drawing, picture.decimals)
    reader = Reader(text)
    assert not any(reader.by(id=name) for name in ("bar", "frame", "said", "words", "panel"))
    assert reader.texts["title"][0] == "Computation graph" and facts(text) == {"frames": []}
    assert "{ compute: null }" in text and "\n\n</body>" not in text
    dark = sg.diagram("x*y", theme="dark")
    assert "color-scheme:dark;" in document(dark.scene, dark.drawing, dark.decimals)


def test_numbers_that_follow_need_arithmetic() -> None:
    picture = sg.diagram("f = x*y", at={"x": 2.0, "y": 3.0})
    moving = html.export(picture).decode()
    assert "return { inputs, compute, gates };" in moving and "(() => {" in moving
    assert {"frames"} < set(facts(moving)) and "{ compute: null }" not in moving
    still = document(picture.scene, picture.drawing, picture.decimals)
    assert set(facts(still)) == {"frames"} and "{ compute: null }" in still
    assert len(Reader(moving).by(type="range")) == 2 and not Reader(still).by(type="range")
    assert "const given = () => ({})" in moving  # no matrix whose entries move
    matrix = sg.diagram("X: param[2, 2]\nL = sum(X*X)", at={"X": [[1.0, 2.0], [3.0, 4.0]]})
    cells = html.export(matrix).decode()
    assert "const given = () => ({})" not in cells
    written = (files("symgrad.diagram.page") / "page.js").read_text(encoding="utf-8")
    before, _, after = written.partition("/* cells */")
    joint = before[-200:] + after[:200]  # where a script for matrices would stand
    assert joint in moving and joint not in cells
    for text in (moving, still, cells):
        for mark in ("cells", "entries", "arithmetic", "facts"):
            assert f"/* {mark} */" not in text, mark
    line = "{1} = tanh({0}*w + 1)*exp({0})/(1 + w**2)*sin({0})\n"
    lines = "".join(line.format(*pair) for pair in ("xa", "ab", "bc")) + "f = c*a"
    grouped = sg.diagram(lines, at={"x": 0.5, "w": 0.5})
    assert grouped.view == "lines" and {"frames"} < set(facts(html.export(grouped).decode()))
    foreign = sg.diagram("f = x*y", at={"x": 2.0, "y": 3.0}, renderer="graphviz")
    assert set(facts(html.export(foreign).decode())) == {"frames"}
    for view, text in (("layers", "h = tanh(W @ x)\nL = sum(h)"), ("neurons", "tanh(W @ x)")):
        shown = sg.diagram("W: param[2, 2]\nx: data[2]\n" + text, view=view)
        assert set(facts(html.export(shown).decode())) == {"frames"}


def test_no_text_ends_an_element(steps: Diagram) -> None:
    frames = tuple(Frame(HOSTILE, f.caption, HOSTILE) for f in steps.scene.frames)
    scene = replace(steps.scene, title=HOSTILE, frames=frames, description=HOSTILE, engine=HOSTILE)
    hostile = '"</script>" + "<!--"'
    text = document(scene, steps.drawing, steps.decimals, f"/* {hostile} */")
    reader = Reader(text)
    assert len(reader.texts["script"]) == 1 and len(reader.texts["style"]) == 1
    assert facts(text)["frames"] == [[SHOWN, SHOWN]] * len(frames)
    assert reader.texts["title"][0] == SHOWN and "alert(1)" not in reader.texts["script"]
    assert "<" not in text[text.index('{"frames":') :].partition("]]")[0]
    assert "<\\/script>" in text and "<\\!--" in text and "<!--" not in text
    assert "\u202e" not in text and "\x00" not in text


# -- a section of a deck ---------------------------------------------------------------------


def test_a_section_is_one_element_without_script_or_style(steps: Diagram) -> None:
    text = html.export(steps, fragment=True).decode()
    assert text == section(steps.scene) and text.endswith("</section>\n")
    text = section(replace(steps.scene, title="T"))
    root = ElementTree.fromstring(text)
    assert root.tag == "section" and "<script" not in text and "<style" not in text
    (picture,) = list(root)
    scene = replace(steps.scene, title="T")
    assert picture.get("aria-label") == "T" and picture.get("role") == "group"
    width, height = (float(n) for n in str(picture.get("viewBox")).split()[2:])
    assert abs(width - scene.width) <= 0.05 and abs(height - scene.height) <= 0.05
    assert str(picture.get("viewBox")).startswith("0 0 ") and picture.get("width") == "100%"
    assert picture[0].tag == f"{SVG}title" and picture[0].text == "T"
    groups = [g for g in picture if g.tag == f"{SVG}g"]
    assert [(g.get("id"), g.get("class"), g.get("aria-label"), g.get("role")) for g in groups] == [
        (f"{scene.prefix}-{g.id}", g.role, unescape(g.label), "img") for g in scene.groups
    ]
    hostile = replace(scene, title=HOSTILE)
    assert ElementTree.fromstring(section(hostile))[0].get("aria-label") == SHOWN
    untitled = ElementTree.fromstring(section(replace(scene, title="")))
    assert untitled[0].get("aria-label") == "Computation graph"
    assert not "".join(filter(None, [e.tail for e in root.iter()])).strip()
    used = {str(e.get("href"))[1:] for e in root.iter(f"{SVG}use")}
    defined = [str(e.get("id")) for e in root.iter() if e.get("id")]
    assert used <= set(defined) and len(set(defined)) == len(defined)
    assert all(name.startswith(scene.prefix + "-") for name in defined)  # two sections, one deck
    odd = ElementTree.fromstring(section(replace(scene, width=100.26, height=50.04)))
    assert odd[0].get("viewBox") == "0 0 100.3 50"


def fragments(*ranges: tuple[tuple[int, int], ...], count: int = 4) -> list[Any]:
    """Draw a box for each list of ranges of frames; give the elements of the group."""
    boxes = tuple(
        Box("body", 10.0 * k, 0.0, 5.0, 5.0, stroke="edge", line=1.0, steps=steps)
        for k, steps in enumerate(ranges)
    )
    scene = sg.diagram("x*y").scene
    frames = tuple(Frame(str(k)) for k in range(count))
    scene = replace(scene, groups=(Group("g", "gate", "", boxes),), frames=frames)
    (group,) = [g for g in ElementTree.fromstring(section(scene))[0] if g.tag == f"{SVG}g"]
    return list(group)


def nest(element: ElementTree.Element) -> list[tuple[str | None, str | None]]:
    """Follow the fragments around what is drawn."""
    found = []
    while element.tag == f"{SVG}g" and "fragment" in str(element.get("class")):
        found.append((element.get("class"), element.get("data-fragment-index")))
        element = element[0]
    return found


def test_what_comes_and_goes_is_a_fragment() -> None:
    """Fragment k appears at the k-th key, from 0: frame 2 is one key after frame 1."""
    come, go = "fragment", "fragment fade-out"
    for steps, wanted in (
        ((), []),
        (((1, 4),), []),
        (((2, 4),), [(come, "0")]),
        (((4, 4),), [(come, "2")]),
        (((1, 1),), [(go, "0")]),
        (((1, 3),), [(go, "2")]),
        (((2, 3),), [(come, "0"), (go, "2")]),
    ):
        (element,) = fragments(steps)
        assert nest(element) == wanted, steps
    twice = fragments(((1, 1), (3, 4)))
    assert [nest(e) for e in twice] == [[(go, "0")], [(come, "1")]]


def test_labels_of_groups_are_escaped(steps: Diagram) -> None:
    scene = replace(steps.scene, groups=(replace(steps.scene.groups[0], label=HOSTILE),))
    root = ElementTree.fromstring(section(scene))
    assert [g.get("aria-label") for g in root[0] if g.tag == f"{SVG}g"] == [SHOWN]


def test_neighbours_that_come_and_go_together_are_one_fragment() -> None:
    both = fragments(((2, 3),), ((2, 3),), ((2, 4),), (), ((2, 4),))
    assert [nest(e) for e in both] == [
        [("fragment", "0"), ("fragment fade-out", "2")], [("fragment", "0")], [],
        [("fragment", "0")],
    ]  # fmt: skip
    assert [len(list(e.iter(f"{SVG}rect"))) for e in both] == [2, 1, 1, 1]
    assert len(both[0]) == 1 and len(both[0][0]) == 2

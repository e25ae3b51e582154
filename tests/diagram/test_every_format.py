"""Every view in every format: nothing crashes, nothing is lost, nothing is betrayed."""

import re
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from io import BytesIO
from pathlib import Path as File
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from symgrad import api as sg
from symgrad.diagram import Box, Diagram, Label, Scene, build, formats
from symgrad.diagram.export import known_format
from symgrad.diagram.slides.parts import buckets
from symgrad.diagram.style import LEGIBLE_CONTRAST, THEMES, contrast
from symgrad.errors import LimitError, UsageError
from symgrad.graph import Graph
from symgrad.ops import leaf, make

NEURON = "f = sigmoid(w*x + b)"
POINT = {"w": 2.17, "x": -1.31, "b": 0.71}
ROOM = np.random.default_rng(3)
NET = """
X: data[3, 2]; Y: binary[3, 1]
W: param[2, 3]; b: param[3]; V: param[3, 1]; c: param[1]
H = relu(X @ W + b)
P = sigmoid(H @ V + c)
L = bce(P, Y)
"""
ROWS = {
    "X": ROOM.normal(size=(3, 2)),
    "Y": np.array([[0.0], [1], [1]]),
    "W": ROOM.normal(size=(2, 3)),
    "b": ROOM.normal(size=3),
    "V": ROOM.normal(size=(3, 1)),
    "c": np.full(1, -0.37),
}
CASES: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "scalar": (NEURON, POINT, {"title": "A neuron"}),
    "letters": (NEURON, None, {"align": "left"}),
    "steps": (NEURON, POINT, {"steps": True}),
    "symbols": (NEURON, POINT, {"symbols": "both"}),
    "remarks": (NEURON, POINT, {"remarks": "all"}),
    "exercise": (NEURON, POINT, {"blank": "both", "title": "Fill in"}),
    "tensor": (NET, ROWS, {"view": "tensor"}),
    "tensor exercise": (NET, ROWS, {"view": "tensor", "blank": "both"}),
    "tensor symbols": (NET, ROWS, {"view": "tensor", "symbols": "symbols"}),
    "layers": (NET, ROWS, {"view": "layers", "title": "Two layers"}),
    "layers exercise": (NET, ROWS, {"view": "layers", "blank": "both"}),
    "open layer": (NET, ROWS, {"view": "layers", "expand": "H"}),
    "neurons": (NET, ROWS, {"view": "neurons"}),
    "neurons exercise": (NET, ROWS, {"view": "neurons", "blank": "both"}),
}
EXERCISES = [name for name in CASES if name.endswith("exercise")]
HOSTILE = [
    "<script>alert(1)</script>", "q\"'", "back\\slash", r"\write18{rm -rf /}", "]]>", "%", "#",
    "$", "&", "a\nb\r\nc", "\u202ertl\u202c", "\u2066", "\U0001f600", "n\0ul", "__class__", "x'",
    "\ud800", "{", "}", "^^41", "~", "-->", "</title>", r"\end{document}", "_x0041_", "x" * 10_000,
    "__proto__", "' onload='alert(1)", "\x1b[31m", "\uffff", "a&amp;b", "`",
]  # fmt: skip
MAGIC = {
    ".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF", ".pptx": b"PK", ".gif": b"GIF8",
    ".webp": b"RIFF", ".html": b"<!", ".tex": b"%", ".dot": b"digraph",
}  # fmt: skip


def made(name: str, theme: str = "light") -> Diagram:
    text, at, options = CASES[name]
    return sg.diagram(text, at=at, theme=theme, **options)


@cache
def drawn(name: str, theme: str = "light") -> Diagram:
    return made(name, theme)


def written(diagram: Diagram, suffix: str) -> bytes:
    small = {"width": 160} if suffix in (".png", ".gif", ".webp") else {}
    return known_format(suffix).export(diagram, **small)


def parsed(content: bytes, suffix: str) -> None:
    """Read what is XML, and refuse scripts where there should be none."""
    if suffix == ".svg":
        ElementTree.fromstring(content)
        assert b"<script" not in content
    if suffix == ".pptx":
        with zipfile.ZipFile(BytesIO(content)) as pack:
            for part in pack.namelist():
                if part.endswith((".xml", ".rels", ".svg")):
                    ElementTree.fromstring(pack.read(part))
    if suffix == ".tex":
        assert content.isascii()


@pytest.mark.parametrize("suffix", formats())
def test_every_view_is_written(suffix: str) -> None:
    for name in CASES:
        content = written(drawn(name), suffix)
        assert content.startswith(MAGIC[suffix]), name
        parsed(content, suffix)


@pytest.mark.no_cover
def test_threads_write_the_same_bytes() -> None:
    """Four diagrams at once, each drawn anew, in every format."""

    def every(name: str) -> list[bytes]:
        return [written(made(name), suffix) for suffix in formats()]

    names = ("scalar", "tensor", "layers", "neurons")
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(every, names))
    assert together == [[written(drawn(name), suffix) for suffix in formats()] for name in names]


@cache
def hostile(view: str) -> Diagram:
    leaves = [leaf(name) for name in HOSTILE]
    total = leaves[0]
    for other in leaves[1:]:
        total = make("add", total, other)
    names = dict(zip(HOSTILE, leaves, strict=True)) | {r"\input{x}<b>&": make("tanh", total)}
    graph = Graph.of([names[r"\input{x}<b>&"]], names=names, source="<script>alert(2)</script>\0")
    title = "</title><script>alert(3)</script>\\write18{ls}]]>%#$&\0\u202e" + "y" * 10_000
    return build(graph, title=title, view=view)


@pytest.mark.parametrize("suffix", formats())
@pytest.mark.parametrize("view", ["scalar", "layers"])
def test_hostile_names_are_text_everywhere(view: str, suffix: str) -> None:
    content = written(hostile(view), suffix)
    parsed(content, suffix)
    if suffix not in (".svg", ".html", ".tex", ".dot"):
        return
    text = content.decode()
    if suffix in (".svg", ".html"):
        assert "<script>alert" not in text
    assert not re.search("[\0\x1b\u202e\u2066]", text)
    if suffix == ".tex":
        assert not re.search(r"\\(write|input|def|catcode)\b", text)
        assert text.count(r"\end{document}") == 1


def ground(scene: Scene, label: Label, below: list[Box]) -> str:
    """Give the colour behind the middle of a label."""
    left, top, right, bottom = label.extent()
    x, y = (left + right) / 2, (top + bottom) / 2
    for box in reversed(below):
        a, b, c, d = box.extent()
        if box.fill and a <= x <= c and b <= y <= d:
            return scene.theme.colour(box.fill)
    return scene.theme.colour("background")


@pytest.mark.parametrize("theme", sorted(THEMES))
def test_text_has_contrast_to_what_is_behind_it(theme: str) -> None:
    """Every label, over cells, chips, halos and cards, in every frame."""
    for name in CASES:
        whole = drawn(name, theme).scene
        for k in range(1, whole.count + 1):
            below: list[Box] = []
            for item in (i for g in whole.at(k).groups for i in g.items):
                if isinstance(item, Box):
                    below.append(item)
                if isinstance(item, Label) and item.outline.path:
                    colours = whole.theme.colour(item.colour), ground(whole, item, below)
                    assert contrast(*colours) >= LEGIBLE_CONTRAST, (name, item.outline.text)


@pytest.mark.parametrize("name", EXERCISES)
def test_an_exercise_keeps_its_answers_in_every_view(name: str) -> None:
    scene = drawn(name).scene
    question, key = scene.at(1), scene.at(2)
    answers = [t for k, t in _read(CASES[name]) if k != "value"]
    assert not [g.id for g in question.groups for k, _ in g.data if k.startswith(("grad", "delta"))]
    told = " ".join([question.description, question.title, *(g.label for g in question.groups)])
    assert not [a for a in answers if len(a) > 5 and a in told]
    asked = [i for g in key.groups for i in g.items if i.part == "gradient" and _number(i)]
    left = [i for g in question.groups for i in g.items if i.part == "gradient" and _number(i)]
    assert len(asked) > 2 and not left
    assert not [i for g in question.groups for i in g.items if i.role == "headline"]
    # The value of the output is asked for too, those of the inputs are given.
    assert key.groups != question.groups
    values = {g.id for g in key.groups for i in g.items if i.part == "value" and _number(i)}
    kept = {g.id for g in question.groups for i in g.items if i.part == "value" and _number(i)}
    assert values - kept


def _read(case: tuple[str, Any, dict[str, Any]]) -> list[tuple[str, str]]:
    text, at, options = case
    plain = sg.diagram(text, at=at, **{k: v for k, v in options.items() if k != "blank"})
    return [d for g in plain.scene.groups for d in g.data if d[0].startswith(("value", "grad"))]


def _number(item: Any) -> bool:
    return isinstance(item, Label) and item.role != "shape"


def test_the_question_has_no_notes_and_no_words_that_tell() -> None:
    text = written(drawn("exercise"), ".pptx")
    with zipfile.ZipFile(BytesIO(text)) as pack:
        question = pack.read("ppt/slides/slide1.xml").decode()
        related = pack.read("ppt/slides/_rels/slide1.xml.rels").decode()
    assert "notesSlide" not in related
    numbers = [t for k, t in _read(CASES["exercise"]) if k == "grad"]
    assert numbers and not [n for n in numbers if len(n) > 4 and n in question]
    assert "Fill in (exercise)" in question


def test_a_tensor_exercise_keeps_its_frames() -> None:
    question = drawn("tensor exercise").scene.at(1)
    frames = [i for g in question.groups for i in g.items if i.role == "frame" and i.part]
    assert len(frames) > 10


@pytest.mark.parametrize("name", ["neurons", "steps", "tensor", "remarks"])
def test_slides_cover_no_number(name: str) -> None:
    """A chip that is drawn later lies on nothing that is drawn before it."""
    scene = drawn(name).scene
    for group in (g for k in range(1, scene.count + 1) for g in scene.at(k).groups):
        order = [item for _, items in buckets(group) for item in items]
        place = {id(item): k for k, item in enumerate(order)}
        for k, box in enumerate(group.items):
            if not isinstance(box, Box) or not box.fill:
                continue
            for label in group.items[k + 1 :]:
                if isinstance(label, Label) and _meet(label, box):
                    assert place[id(label)] > place[id(box)], (name, label.outline.text)


def _meet(one: Label, other: Box) -> bool:
    a, b = one.extent(), other.extent()
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_slides_draw_fractions_as_curves() -> None:
    with zipfile.ZipFile(BytesIO(written(drawn("symbols"), ".pptx"))) as pack:
        slide = pack.read("ppt/slides/slide1.xml").decode()
    assert "dfrac" not in slide and slide.count("quadBezTo") + slide.count("cubicBezTo") > 200


def test_dashes_of_a_pdf_end_flat() -> None:
    content = written(drawn("neurons"), ".pdf")
    assert b"/LC 0" in content  # the page itself begins with square caps


def test_tex_knows_the_signs_of_our_own_texts() -> None:
    for name in CASES:
        lines = written(drawn(name), ".tex").decode().splitlines()
        assert not [line for line in lines if line.lstrip().startswith(r"\node") and "?" in line]


def test_tex_says_a_title_once() -> None:
    text = written(drawn("exercise"), ".tex").decode()
    assert r"\frametitle<1>{Fill in (exercise)}" in text and "framesubtitle<" not in text


@pytest.mark.parametrize("width", ["a", 1.5, None, True])
@pytest.mark.parametrize("suffix", [".png", ".gif", ".webp"])
def test_a_width_is_a_number_of_pixels(suffix: str, width: Any) -> None:
    with pytest.raises(UsageError, match="width"):
        known_format(suffix).export(drawn("letters"), width=width)
    with pytest.raises(LimitError, match="pixels wide"):
        known_format(suffix).export(drawn("letters"), width=0)


@pytest.mark.parametrize("seconds", ["a", None, 0, float("nan"), 1e9])
def test_seconds_are_a_number(seconds: Any) -> None:
    for suffix in (".gif", ".webp"):
        with pytest.raises(UsageError, match="second"):
            known_format(suffix).export(drawn("letters"), seconds=seconds, width=100)


@pytest.mark.parametrize("template", ["", ".", 5, "l" * 5000, "a\0b.pptx", b"none"])
def test_a_template_that_is_no_file(template: Any) -> None:
    with pytest.raises(UsageError, match="no template"):
        known_format(".pptx").export(drawn("letters"), template=template)


@pytest.mark.parametrize(("module", "suffixes"), [("pptx", [".pptx"]), ("PIL", [".gif", ".webp"])])
def test_a_missing_extra_is_one_line(
    module: str, suffixes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    for suffix in suffixes:
        with pytest.raises(UsageError) as caught:
            written(drawn("letters"), suffix)
        said = str(caught.value)
        assert "pip install 'symgrad[slides]'" in said and "\n" not in said


@pytest.mark.parametrize("suffix", formats())
def test_unknown_options_and_folders_are_named(suffix: str, tmp_path: File) -> None:
    with pytest.raises(UsageError, match="no option 'colour'"):
        drawn("letters").save(tmp_path / f"x{suffix}", colour=1)
    assert not list(tmp_path.iterdir())


def test_small_numbers_are_noted() -> None:
    long = "\n".join(["h0 = x", *(f"h{k} = tanh(w*h{k - 1} + b)" for k in range(1, 13))])
    chosen = sg.diagram(long, at={"x": 0.3, "w": 0.7, "b": 0.1})
    assert chosen.view in ("lines", "layers") and chosen.note
    forced = sg.diagram(long, at={"x": 0.3, "w": 0.7, "b": 0.1}, view="scalar")
    assert "px high" in forced.note
    few = drawn("scalar")
    assert few.view == "scalar" and not few.note

"""Slides: native shapes with names, templates, vector pictures, the same bytes every time."""

import re
import sys
import zipfile
from io import BytesIO
from pathlib import Path as File
from typing import Any

import pytest

from symgrad import api as sg
from symgrad.diagram import build
from symgrad.diagram.export.pptx import PIXELS, export
from symgrad.diagram.slides.runs import runs
from symgrad.errors import DataError, UsageError
from symgrad.graph import Graph
from symgrad.ops import leaf, make

pptx = pytest.importorskip("pptx")

NEURON = "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
POINT = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
TEXT, AT = "q = x + y\nf = q*z", {"x": -2, "y": 5, "z": -4}


@pytest.fixture(scope="module")
def neuron() -> Any:
    return sg.diagram(NEURON, at=POINT, steps=True, title="A neuron")


@pytest.fixture(scope="module")
def content(neuron: Any) -> bytes:
    return export(neuron)


@pytest.fixture(scope="module")
def deck(content: bytes) -> Any:
    return opened(content)


@pytest.fixture(scope="module")
def product() -> Any:
    return sg.diagram(TEXT, at=AT, title="Product")


def opened(content: bytes) -> Any:
    return pptx.Presentation(BytesIO(content))


def names(slide: Any) -> dict[str, Any]:
    return {shape.name: shape for shape in slide.shapes}


def test_a_slide_for_every_frame(neuron: Any, deck: Any) -> None:
    frames = neuron.scene.frames
    assert [s.shapes.title.text_frame.text for s in deck.slides] == [f.title for f in frames]
    notes = [s.notes_slide.notes_text_frame.text for s in deck.slides]
    assert notes == [f.notes for f in frames] and all(notes)
    assert (deck.slide_width, deck.slide_height) == (12192000, 6858000)


def test_shapes_have_the_same_names_and_ids_on_every_slide(deck: Any) -> None:
    known: dict[str, int] = {}
    for slide in deck.slides:
        ids = [int(e.get("id")) for e in slide.shapes._spTree.iter("{*}cNvPr")]
        assert len(set(ids)) == len(ids)
        found = [s.name for s in slide.shapes]
        assert len(set(found)) == len(found)
        for shape in slide.shapes:
            assert known.setdefault(shape.name, shape.shape_id) == shape.shape_id
    last = names(deck.slides[-1])
    wanted = ("gate exp", "value exp", "grad exp", "edge neg->exp", "gate w0", "caption", "grad w0")
    assert set(wanted) <= set(last)
    assert "grad w0" not in names(deck.slides[0])


def test_symbols_and_numbers_are_text(deck: Any) -> None:
    last = names(deck.slides[-1])
    texts = {k: last[k].text_frame.text for k in ("gate exp", "gate w0", "value exp", "grad exp")}
    wanted = {"gate exp": "exp", "gate w0": "w0", "value exp": "0.37", "grad exp": "−0.53"}
    assert texts == wanted
    letter, index = last["gate w0"].text_frame.paragraphs[0].runs
    assert letter.font.italic and index._r.rPr.get("baseline") == "-25000"
    assert last["value exp"].text_frame.word_wrap is False
    assert "gradient" in last["gate exp"]._element._nvXxPr.cNvPr.get("descr")


def test_a_backward_step_turns_the_arrow(deck: Any) -> None:
    ends = []
    for slide in (deck.slides[0], deck.slides[-1]):
        for name in ("edge w0->mul 1", "wire w0"):
            line = names(slide)[name]._element
            ends.append([e.tag.rpartition("}")[2] for e in line.iter("{*}headEnd", "{*}tailEnd")])
    assert ends == [["tailEnd"], [], [], ["headEnd"]]
    assert not any("arrow" in name or "(2)" in name for name in names(deck.slides[-1]))


def test_shapes_take_no_shadow_from_the_theme(deck: Any) -> None:
    for shape in deck.slides[0].shapes:
        if shape.is_placeholder or shape.shape_type in (6, 13):
            continue
        assert len(list(shape._element.spPr.iter("{*}effectLst"))) == 1
        assert all(e.get("idx") == "0" for e in shape._element.iter("{*}effectRef"))


def test_everything_is_on_the_slide(deck: Any) -> None:
    for slide in deck.slides:
        below = slide.shapes.title.top + slide.shapes.title.height
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.left + shape.width <= deck.slide_width
            assert shape.top + shape.height <= deck.slide_height
            assert shape.is_placeholder or shape.top + shape.height > below


def test_the_caption_is_a_vector_picture_with_its_formula(content: bytes) -> None:
    picture = names(opened(content).slides[-1])["caption"]
    assert picture._element._nvXxPr.cNvPr.get("descr").startswith(r"\dfrac{{\partial} f}")
    assert picture.image.size[0] == PIXELS
    with zipfile.ZipFile(BytesIO(content)) as pack:
        vectors = [n for n in pack.namelist() if n.endswith(".svg")]
        assert len(vectors) == 16 and pack.read(vectors[0]).startswith(b"<svg")
        assert b"image/svg+xml" in pack.read("[Content_Types].xml")
        slide = pack.read("ppt/slides/slide1.xml").decode()
    assert "svgBlip" in slide and "script" not in slide


def test_a_picture_of_the_whole_diagram(product: Any) -> None:
    slide = opened(export(product, mode="picture")).slides[0]
    assert slide.shapes.title.text_frame.text == "Product"
    picture = names(slide)["diagram"]
    assert picture.image.size[0] >= 2400 and len(slide.shapes) == 2


def test_connectors_are_glued_to_their_gates(product: Any) -> None:
    slide = opened(export(product, edges="connector")).slides[0]
    ids = {shape.shape_id: shape.name for shape in slide.shapes}
    found = set()
    for shape in slide.shapes:
        for start in shape._element.iter("{*}stCxn"):
            end = next(shape._element.iter("{*}endCxn"))
            found.add((shape.name, ids[int(start.get("id"))], ids[int(end.get("id"))]))
    assert ("edge x->q", "gate x", "gate q") in found and len(found) == 4


def test_matrices_are_groups_of_cells() -> None:
    text = "X: data[2, 3]; W: param[3, 2]\nh = X @ W\nL = sum(h)"
    diagram = sg.diagram(text, at={"X": [[1, 2, 3], [4, 5, 6]], "W": [[1, 0]] * 3}, view="tensor")
    group = names(opened(export(diagram)).slides[0])["value X"]
    assert {"1.00", "6.00"} <= {s.text_frame.text for s in group.shapes if s.has_text_frame}


def test_the_same_bytes_every_time() -> None:
    one, other = (sg.diagram("x*y", at={"x": 1, "y": 2}, steps=True) for _ in range(2))
    first = export(one)
    assert first == export(other)
    with zipfile.ZipFile(BytesIO(first)) as pack:
        assert {info.date_time for info in pack.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2000-01-01" in pack.read("docProps/core.xml")


def template(folder: File, wide: bool, layouts: str = "") -> File:
    """Make a deck of one slide; `layouts` keeps only the layouts of one type."""
    deck = pptx.Presentation()
    if wide:
        deck.slide_width = 12192000
    if layouts:
        for layout in list(deck.slide_layouts):
            if layout._element.get("type") != layouts:
                deck.slide_layouts.remove(layout)
    deck.slides.add_slide(deck.slide_layouts[0])
    deck.save(folder / "template.pptx")
    return folder / "template.pptx"


@pytest.mark.parametrize("wide", [True, False])
def test_a_template_keeps_its_slides_and_size(product: Any, wide: bool, tmp_path: File) -> None:
    path = template(tmp_path, wide)
    deck = opened(export(product, template=path))
    assert deck.slide_width == (12192000 if wide else 9144000) and len(deck.slides) == 2
    slide = deck.slides[1]
    assert slide.slide_layout.name == "Title Only"
    below = slide.shapes.title.top + slide.shapes.title.height
    shapes = [s for s in slide.shapes if not s.is_placeholder]
    assert all(s.left >= 0 and s.left + s.width <= deck.slide_width for s in shapes)
    assert all(s.top >= below and s.top + s.height <= deck.slide_height for s in shapes)


@pytest.mark.parametrize("layouts", ["blank", "title", "twoObj", "picTx"])
def test_a_template_may_lack_the_usual_layout(product: Any, layouts: str, tmp_path: File) -> None:
    path = template(tmp_path, False, layouts)
    slide = opened(export(product, template=str(path))).slides[1]
    assert "Product" in [s.text_frame.text for s in slide.shapes if s.has_text_frame]
    assert sum(s.is_placeholder for s in slide.shapes) == (layouts != "blank")


def test_a_template_that_cannot_be_read_is_named(product: Any, tmp_path: File) -> None:
    diagram = product
    with pytest.raises(UsageError, match="no template"):
        export(diagram, template=tmp_path / "none.pptx")
    broken = tmp_path / "broken.pptx"
    for content in (b"", b"no deck at all", b"PK\x03\x04 cut off"):
        broken.write_bytes(content)
        with pytest.raises(DataError, match="cannot be read"):
            export(diagram, template=broken)
    with zipfile.ZipFile(broken, "w") as pack:
        pack.writestr("readme.txt", "no deck")
    with pytest.raises(DataError, match="cannot be read"):
        export(diagram, template=broken)


@pytest.mark.parametrize("option", [{"mode": "video"}, {"edges": "ropes"}])
def test_unknown_options_are_refused(option: Any) -> None:
    with pytest.raises(UsageError, match="unknown"):
        export(sg.diagram(TEXT), **option)


def test_without_python_pptx_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pptx", None)
    with pytest.raises(UsageError) as caught:
        export(sg.diagram(TEXT))
    assert "pip install 'symgrad[slides]'" in str(caught.value) and "\n" not in str(caught.value)


HOSTILE = ["<a:t>\"&'", "_x0041_", "x" * 10_000, "\x00\x1b\u202ea\nb", "日本", "]]>", "\ud800"]


def test_hostile_names_stay_text() -> None:
    leaves = [leaf(name) for name in HOSTILE]
    total = leaves[0]
    for other in leaves[1:]:
        total = make("add", total, other)
    graph = Graph.of([total], names=dict(zip(HOSTILE, leaves, strict=True)), source="")
    slide = opened(export(build(graph, title="</a:t>\x07" * 3000, view="scalar"))).slides[0]
    texts = [s.text_frame.text for s in slide.shapes if s.has_text_frame]
    assert "<a:t>\"&'" in texts and "]]>" in texts and "日本" in texts
    assert max(map(len, texts)) <= 110 and not any("\x00" in t or "\u202e" in t for t in texts)


@pytest.mark.parametrize(
    ("latex", "text", "italic"),
    [
        (r"{-}0.53", "−0.53", ""),
        (r"4{\times}10^{-9}", "4×10−9", ""),
        (r"\exp", "exp", ""),
        (r"\log\sigma", "log σ", ""),
        ("x^{2}", "x2", "x"),
        (r"\hat{x}_{1}", "x\u03021", "x\u0302"),
        (r"\mathrm{LReLU}_{0.2}", "LReLU0.2", ""),
        (r"\frac{e^x-1}{x}", "(ex−1)/x", "exx"),
        (r"\mathrm{dL\_dW}", "dL_dW", ""),
        ("}}{{^\\", "\\", ""),
        ("{" * 5000, "", ""),
    ],
)
def test_latex_becomes_runs_of_text(latex: str, text: str, italic: str) -> None:
    made = runs(latex)
    assert "".join(r.text for r in made) == text
    assert "".join(r.text for r in made if r.italic) == italic


def test_curves_stay_curves(content: bytes) -> None:
    with zipfile.ZipFile(BytesIO(content)) as pack:
        slide = pack.read("ppt/slides/slide9.xml").decode()
    assert not re.search(r'c[xy]="-', slide) and "cubicBezTo" in slide


@pytest.mark.parametrize("grid", [[[0.0, 0.0, 1.0], [0.0, 2.0, 0.0]], [[0.0, 0.0]], [[3.0, -1.0]]])
def test_the_entries_of_a_matrix_stand_in_their_cells(grid: list[list[float]]) -> None:
    text = f"X: param[{len(grid)}, {len(grid[0])}]\nL = sum(X*X*X)"
    slide = opened(export(sg.diagram(text, at={"X": grid}))).slides[0]
    group = next(s for s in slide.shapes if s.name == "value X")
    middles = [
        (s.text_frame.text, s.left + s.width / 2, s.top + s.height / 2)
        for s in group.shapes
        if s.has_text_frame and "." in s.text_frame.text
    ]
    printed = [f"{v:.2f}".replace("-", "\N{MINUS SIGN}") for row in grid for v in row]
    assert sorted(t for t, _, _ in middles) == sorted(printed)
    # The middles of the cells are a grid, whose middle is that of the matrix.
    frame = max((s for s in group.shapes), key=lambda s: s.width * s.height)
    for k, many, middle in (
        (1, len(grid[0]), frame.left + frame.width / 2),
        (2, len(grid), frame.top + frame.height / 2),
    ):
        places = sorted({round(place[k] / 80_000) * 80_000 for place in middles})
        assert len(places) == many
        assert sum(places) / many == pytest.approx(middle, abs=60_000)

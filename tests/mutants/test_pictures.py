"""Pictures as files: colours and engines of Graphviz, SVG of one frame, frames of LaTeX."""

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

import symgrad as sg
from symgrad.diagram import measure
from symgrad.diagram.export import dot, svg, tex
from symgrad.diagram.scene import Box, Frame, Group, Scene, extent
from symgrad.diagram.tikz.text import formula


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_graphviz_draws_in_the_colours_of_the_theme(theme: str) -> None:
    picture = sg.diagram("x*y", at={"x": 2.0, "y": 3.0}, theme=theme, title="t")
    colours = picture.options.theme
    head = dot.export(picture).decode().partition("0 [")[0]
    assert head.count(f'fontcolor="{colours.colour("text")}"') == 2  # of the title, of the nodes
    assert f'bgcolor="{colours.colour("background")}"' in head
    assert f'color="{colours.colour("edge")}"' in head


def test_graphviz_is_run_by_the_engine_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = sg.diagram("x*y", engine="wasi")
    monkeypatch.setattr(dot, "run", lambda *given: given)
    assert dot.drawn(picture, "svg") == (picture.to_dot(), "svg", "wasi")


def test_graphviz_labels_values_and_constants() -> None:
    text = dot.export(sg.diagram("f = x*y + 7", at={"x": 2.0, "y": 3.0})).decode()
    nodes = re.findall(r'^\t(\d+) \[label=("[^"]*"|\S+)', text, re.MULTILINE)
    edges = re.findall(r'^\t(\d+) -> (\d+) \[label="([^"]*)"', text, re.MULTILINE)
    shown = {label.strip('"') for _, label in nodes}
    assert shown == {"x", "y", "×", "+7\\nf", "f"}
    assert edges[-1][2] == "13.00\\n← 1.00"  # what comes out, and the gradient that starts there
    assert [e[2] for e in edges[:2]] == ["2.00\\n← 3.00", "3.00\\n← 2.00"]
    long = dot.export(sg.diagram(f"{'b' * 300} = {'a' * 300}*y\nexp({'b' * 300})")).decode()
    assert max(map(len, long.splitlines())) < 300 and "aaa" in long and "bbb" in long
    array = dot.export(sg.diagram("x: param[3]\nf = sum(x)", at={"x": [1.0, 1.0, 0.0]})).decode()
    assert 'label="3, rms 0.82\\n← 3, rms 1.00"' in array
    constants = dot.export(sg.diagram("f = 2 + 3")).decode()
    assert {"2", "3"} < set(re.findall(r"\[label=(\S+)", constants))


# -- SVG -------------------------------------------------------------------------------------


def test_what_a_picture_says_of_itself_is_escaped() -> None:
    hostile = "</desc><script>\"'&<!--"
    scene = replace(sg.diagram("x*y").scene, title=hostile, description=hostile, engine=hostile)
    root = ElementTree.fromstring(svg.render(scene))
    assert [e.text for e in root[:3]] == [hostile, hostile, f"symgrad; layout engine: {hostile}"]
    assert not "".join(filter(None, [root.text, *(e.tail for e in root.iter())])).strip()


def test_a_frame_and_an_untitled_picture_in_svg() -> None:
    steps = sg.diagram("x*y", at={"x": 2.0, "y": 3.0}, steps=True)
    for frame in (None, 1, 2):
        assert svg.export(steps, frame=frame) == steps.to_svg(frame).encode()
    assert svg.export(steps, frame=1) != svg.export(steps, frame=2)
    scene = replace(sg.diagram("x*y").scene, title="", width=100.26, height=50.04)
    root = ElementTree.fromstring(svg.render(scene))
    assert root[0].text == "Computation graph"
    assert (root.get("width"), root.get("height")) == ("100.3", "50")
    assert root.get("viewBox") == "0 0 100.3 50"
    box = Box("body", 10.04, 20.06, 30.04, 40.06, stroke="edge", line=1.04, radius=2.04)
    (group,) = list(ElementTree.fromstring(svg.render(
        replace(scene, groups=(Group("b", "gate", "", (box,)),)))))[4:]  # fmt: skip
    for path in sg.diagram("x*y", at={"x": 2.0, "y": 3.0}).to_svg().split("translate(")[1:]:
        assert re.match(r"-?\d+(\.\d)? -?\d+(\.\d)?\)", path)
    drawn = {k: group[0].get(k) for k in ("x", "y", "width", "height", "rx", "stroke-width")}
    assert drawn == {"x": "10", "y": "20.1", "width": "30", "height": "40.1", "rx": "2",
                     "stroke-width": "1"}  # fmt: skip


# -- LaTeX -----------------------------------------------------------------------------------

SCENE = sg.diagram("x*y", at={"x": 2.0, "y": 3.0}).scene


def boxed(width: float, height: float, *frames: Frame, title: str = "") -> Scene:
    """Make a scene of one box, whose diagram is this large with the room around it."""
    room = 2 * tex.ROOM
    box = Box("body", 10.0, 20.0, width - room, height - room, stroke="edge", line=1.0)
    left, top, right, bottom = extent([box])
    assert (right - left, bottom - top) == pytest.approx((width - room, height - room))
    return replace(SCENE, groups=(Group("b", "gate", "", (box,)),), frames=frames, title=title)


def sized(scene: Scene) -> str:
    """Give the arguments of the command that gives the diagram its size."""
    (found,) = re.findall(r"\\resizebox(\{.*\}\{!\}|\{!\}\{.*\})\{%", tex.render(scene))
    return str(found)


def test_a_diagram_has_the_width_of_the_page_or_what_is_left_of_its_height() -> None:
    assert sized(boxed(1000, 100)) == r"{1.000\textwidth}{!}"
    wide = 100 * 0.8 / 28.45  # centimetres: a small diagram is not blown up
    assert sized(boxed(100, 50)) == rf"{{{wide / tex.WIDTH:.3f}\textwidth}}{{!}}"
    free = tex.HEIGHT - 1.3  # below a title of one line
    assert sized(boxed(100, 1000)) == rf"{{!}}{{{free / tex.HEIGHT:.3f}\paperheight}}"
    for title, lines in (("t" * 58, 1), ("t" * 59, 2), ("t" * 500, 2)):
        left = tex.HEIGHT - 1.3 - 0.6 * (lines - 1)
        scene = boxed(100, 1000, title=title)
        assert sized(scene) == rf"{{!}}{{{left / tex.HEIGHT:.3f}\paperheight}}"
        below = boxed(100, 1000, Frame(title))
        assert sized(below) == sized(scene)
    # just as high as there is room: as wide as the page
    assert sized(boxed(1000, 999.9 * free / tex.WIDTH)) == r"{1.000\textwidth}{!}"
    assert "paperheight" in sized(boxed(1000, 1001 * free / tex.WIDTH))


@pytest.mark.parametrize(
    ("caption", "height"),
    [
        (("a = b",), 0.75),
        ((r"a = \frac{b}{c}",), 1.27),
        ((r"a = \frac{\dfrac{b}{d}}{c}",), 1.67),
        ((r"a = \underbrace{b}_{c}", "d"), 1.25),
        ((r"a = \underbrace{\frac{1}{b}\sum_i d}_{c}",), 1.92),
        ((r"\sum_i a",), 0.75),
        (("a" * 67, "b" * 67), 1.5),
        (("a" * 67, r"\frac{b}{c}" + "b" * 67), 2.02),
        (tuple("a" * 67 for _ in range(40)), 0.55 * 9),
    ],
)
def test_captions_have_an_area_that_all_frames_share(
    caption: tuple[str, ...], height: float
) -> None:
    text = tex.render(boxed(100, 1000, Frame("one", ("x",)), Frame("two", caption), Frame("three")))
    band = height * 0.76  # the diagram is high, so its captions are small
    (area,) = re.findall(r"\\begin\{overlayarea\}\{\\textwidth\}\{(.*)cm\}\\centering", text)
    assert area == f"{band:.2f}" and text.count(r"\end{overlayarea}") == 1
    assert r"\footnotesize" in text and r"\bigskip" in text
    free = tex.HEIGHT - 1.3 - band - 0.5
    assert rf"\resizebox{{!}}{{{free / tex.HEIGHT:.3f}\paperheight}}" in text
    flat = tex.render(boxed(1000, 100, Frame("one"), Frame("two", caption)))
    assert rf"{{{height:.2f}cm}}" in flat and "footnotesize" not in flat


def test_captions_and_notes_of_frames() -> None:
    frames = (Frame("one", ("a = b", "c = d"), "say & do"), Frame("two"), Frame("three", ("e",)))
    lines = [line.strip() for line in tex.render(boxed(1000, 100, *frames)).splitlines()]
    shown = [line for line in lines if line.startswith((r"\only", r"\note"))]
    assert shown == [
        r"\only<1>{\sgfit{a = b \qquad c = d}}%", r"\only<3>{\sgfit{e}}%", r"\note<1>{say \& do}",
    ]  # fmt: skip
    assert not [x for x in tex.render(boxed(10, 10)).splitlines() if "overlayarea" in x]
    long = tex.render(boxed(10, 10, Frame("t", (), "n" * 5000)))
    note = next(line for line in long.splitlines() if r"\note<1>" in line)
    said = note.strip().removeprefix(r"\note<1>{").removesuffix("}")
    assert said.replace(r"\allowbreak{}", "") == "n" * 1999 + r"\dots{}"


def test_equations_share_a_row_while_there_is_room() -> None:
    em = measure.math("a" * 30).width
    assert 2 * (em + tex.BETWEEN) <= tex.ROW < 2 * (measure.math("a" * 33).width + tex.BETWEEN)
    assert tex.rows(("a" * 30, "a" * 30, "c" * 9)) == [["a" * 30, "a" * 30], ["c" * 9]]
    assert tex.rows(("a" * 33, "a" * 33)) == [["a" * 33], ["a" * 33]]
    assert tex.rows(("a" * 10,) * 6) == [["a" * 10] * 5, ["a" * 10]]
    assert tex.rows(()) == []
    # colours take no room
    free = r"\textcolor{local}{}\textcolor{grad}{}"
    full = "a" * round((tex.ROW / 2 - tex.BETWEEN) / em * 30 - 1)
    assert tex.rows((free + full, full)) == [[free + full, full]]


def titles(scene: Scene) -> list[str]:
    lines = (line.strip() for line in tex.render(scene).splitlines())
    return [line for line in lines if line.startswith((r"\frametitle", r"\framesubtitle"))]


def test_titles() -> None:
    assert titles(boxed(10, 10, Frame("a & b"))) == [r"\frametitle<1>{a \& b}"]
    one, two = Frame("Step 1"), Frame("")
    assert titles(boxed(10, 10)) == []
    assert titles(boxed(10, 10, title="All & one")) == [r"\frametitle{All \& one}"]
    assert titles(boxed(10, 10, one, two)) == [r"\frametitle<1>{Step 1}", r"\frametitle<2>{~}"]
    assert titles(boxed(10, 10, one, two, title="All")) == [
        r"\frametitle{All}", r"\framesubtitle<1>{Step 1}", r"\framesubtitle<2>{~}",
    ]  # fmt: skip
    said = boxed(10, 10, Frame("All: step 1"), two, title="All")  # the frame says it itself
    assert titles(said) == [r"\frametitle<1>{All: step 1}", r"\frametitle<2>{~}"]


def test_long_titles_are_cut_and_long_words_may_break() -> None:
    (line,) = titles(boxed(10, 10, title="w" * 300))
    parts = line.removeprefix(r"\frametitle{").removesuffix("}").split(r"\allowbreak{}")
    assert [len(p) for p in parts[:-1]] == [tex.WORD] * (len(parts) - 1)
    assert "".join(parts) == "w" * 109 + r"\dots{}"
    (line,) = titles(boxed(10, 10, title="a  b " + "c" * 25))
    assert line == r"\frametitle{a  b " + "c" * 24 + r"\allowbreak{}c}"


def test_colours_are_defined_once_from_the_theme() -> None:
    text = tex.render(
        boxed(10, 10, Frame("t", (r"\textcolor{gradient}{a}\textcolor{unknown}{b}",)))
    )
    found = dict(re.findall(r"\\definecolor\{(\w+)\}\{HTML\}\{([0-9A-F]{6})\}", text))
    assert len(found) == text.count(r"\definecolor") and list(found) == sorted(found)
    theme = SCENE.theme
    roles = ("background", "text", "muted", "gradient", "edge")
    for role in roles:
        assert found["sg" + role] == theme.colour(role)[1:].upper(), role
    assert found["sgunknown"] == theme.colour("text")[1:].upper()
    assert set(found) == {"sg" + r for r in roles} | {"sgunknown"}


def test_a_whole_file_and_a_frame() -> None:
    whole, frame = tex.render(SCENE), tex.render(SCENE, standalone=False)
    assert whole.startswith(tex.PREAMBLE + "\n") and whole.endswith("\\end{document}\n")
    assert frame.startswith(tex.FRAGMENT + "\n") and frame.endswith("\\end{frame}\n")
    assert tex.LOOK in whole and tex.LOOK not in frame and tex.FIT in whole and tex.FIT in frame
    body = whole[whole.index(r"\begin{frame}") : whole.index(r"\end{document}")]
    assert body in frame
    picture = sg.diagram("x*y")
    assert tex.export(picture) == tex.render(picture.scene).encode()
    assert tex.export(picture, fragment=True) == tex.render(picture.scene, False).encode()
    lines = whole.splitlines()
    for line in (r"\setbeamercolor{background canvas}{bg=sgbackground}", r"\begin{document}",
                 r"  \centering", r"    outer sep=0pt,font=\fontsize{10}{12}\selectfont}]",
                 r"\documentclass[aspectratio=169]{beamer}", r"\usepackage{tikz}"):  # fmt: skip
        assert line in lines, line
    for command in (
        r"\providecommand\sgfit[1]{",
        r"\ifdim\wd0>\textwidth\resizebox{\textwidth}{!}{",
    ):
        assert command in whole and command in frame
    for needed in (r"\usepackage{tikz}", r"\usefonttheme{professionalfonts}", "beamer"):
        assert needed in tex.PREAMBLE and needed in tex.FRAGMENT + "beamer"


def test_a_formula_may_begin_with_a_group() -> None:
    assert formula("X + Y") == "X + Y" and formula("{a-b}") == "{a-b}"
    assert formula(r"\text{a-b}") == r"\text{a-{}b}"


def test_the_picture_starts_at_its_corner() -> None:
    text = tex.render(boxed(100, 50))
    assert r"\useasboundingbox (0,0) rectangle (100,50);" in text.replace(".0", "")
    assert "(2,2) rectangle (98,48)" in text


def test_what_stands_below_captions_moves_up() -> None:
    def group(role: str, top: float, bottom: float) -> Group:
        return Group(role, role, "", (Box("b", 0.0, top, 10.0, bottom - top),))

    groups = [group("title", 0, 5), group("gate", 10, 40), group("caption", 50, 70),
              group("legend", 80, 90), group("beside", 50, 60)]  # fmt: skip
    found = {g.role: extent(g.items)[1::2] for g in tex.closed_up(groups)}
    assert found == {"gate": (10, 40), "legend": (60, 70), "beside": (30, 40)}
    without = tex.closed_up([g for g in groups if g.role != "caption"])
    assert {g.role: extent(g.items)[1::2] for g in without} == {
        "gate": (10, 40), "legend": (80, 90), "beside": (50, 60),
    }  # fmt: skip

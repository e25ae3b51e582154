"""What a reader must be able to make out on a slide: captions, gates, marks, names."""

import pytest

from symgrad import api as sg
from symgrad.diagram import Box, Label
from symgrad.diagram.callouts import wrapped
from symgrad.diagram.scene import Group, Item, Path
from symgrad.diagram.style import GATE, NUMBER
from tests.diagram.test_gallery import overlap

SLIDE = 1920
CASES = "where(x > 0, x**2, where(y > 1, x*y, exp(x)))"
NORM = """\
x: real[4, 3];  gamma: param[3];  beta: param[3]
mu = mean(x, axis=0)
sigma2 = mean((x - mu)**2, axis=0)
x_hat = (x - mu)/sqrt(sigma2 + 1e-5)
L = sum((gamma*x_hat + beta)**3)
"""
ROWS = [[0.1, 0.2, 0.3], [0.5, -1.0, 2.0], [1.0, 1.5, -0.2], [-0.7, 0.4, 0.9]]
POINT = {"x": ROWS, "gamma": [1.0, 2.0, 0.5], "beta": [0.0, 0.1, -0.1]}


def test_captions_of_a_wide_figure_are_as_large_as_its_numbers_would_be() -> None:
    scene = sg.diagram(NORM, at=POINT, steps=True).scene
    assert scene.width > 2000
    words = [
        item
        for group in scene.groups
        if group.role in ("caption", "title")
        for item in group.items
        if isinstance(item, Label) and item.role in ("caption", "title")
    ]
    assert min(w.size for w in words) * SLIDE / scene.width > 24.0
    assert all(i.extent()[0] > 0 and i.extent()[2] < scene.width for i in words)


def test_captions_of_a_usual_figure_keep_their_size() -> None:
    scene = sg.diagram("(x + y)*z", at={"x": -2, "y": 5, "z": -4}, steps=True).scene
    sizes = {i.size for g in scene.groups for i in g.items if i.role == "caption"}  # type: ignore[union-attr]
    assert sizes == {NUMBER}


@pytest.mark.parametrize(
    ("item", "width"),
    [
        (Path("wire", (("M", (2.0, 4.0)), ("L", (6.0, 4.0))), "text", "", 1.0, (3.0, 1.0)), 12.0),
        (Box("gate", 2.0, 4.0, 4.0, 6.0, 2.0, "text", "text", 1.0), 12.0),
    ],
)
def test_what_is_scaled_keeps_its_proportions(item: Path | Box, width: float) -> None:
    left, top, right, bottom = item.extent()
    grown: Item = item.scaled(3.0)
    assert grown.extent() == (3 * left, 3 * top, 3 * right, 3 * bottom)
    assert right - left == width / 3
    assert (grown.width if isinstance(grown, Path) else grown.line) == 3.0  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("x/sqrt(2)", r"\div\sqrt{2}"),
        ("1/2*x", r"\times1/2"),
        ("x*(2*pi)", r"\times(2 \pi)"),
        ("X: data[N, D]\nX/sqrt(D)", r"\div\sqrt{D}"),
        ("x + -sqrt(3)", r"-\sqrt{3}"),
    ],
)
def test_expressions_of_constants_fold_into_gates(text: str, symbol: str) -> None:
    drawing = sg.diagram(text).drawing
    assert [n.symbol for n in drawing.nodes if n.kind == "gate"] == [symbol]
    assert not [n for n in drawing.nodes if n.kind == "constant"]


def test_expressions_of_constants_are_read_out() -> None:
    labels = [g.label for g in sg.diagram("x/sqrt(2)").scene.groups]
    assert "gate divided by √2, named f" in labels


def test_a_constant_with_a_name_or_a_long_one_is_drawn() -> None:
    named = sg.diagram("c = sqrt(2)\nx/c").drawing
    assert next(n.key for n in named.nodes if n.kind == "gate") == "c"
    long = sg.diagram("x*(1.25 + 2**0.125*log(7)/exp(1.5))").drawing
    assert len([n for n in long.nodes if n.kind == "gate"]) > 1


def test_steps_count_with_the_constants() -> None:
    d = sg.diagram("x/sqrt(4) + 1/2*x", at={"x": 3.0}, steps=True)
    captions = [line for frame in d.scene.frames for line in frame.caption]
    assert any(r"\sqrt{4}" in line and "1.50" in line for line in captions)
    assert not any("nan" in line.lower() for line in captions)


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        ("x: real[7]\nx[1:4]", r"\mathrm{[1{:}4]}"),
        ("x: real[7]\nx[-1]", r"\mathrm{[{-}1]}"),
        ("M: real[4, 5]\nM[:, 0]", r"\mathrm{[{:},0]}"),
        ("M: real[400, 500]\nM[100:200, 300:400]", r"\mathrm{slice}"),
    ],
)
def test_a_slice_says_which_part_it_takes(text: str, symbol: str) -> None:
    assert sg.diagram(text).drawing.nodes[-1].symbol == symbol


def test_conditions_are_written_out() -> None:
    d = sg.diagram(CASES, at={"x": -0.5, "y": 2}, steps=True)
    captions = [line for frame in d.scene.frames for line in frame.caption]
    cases = [line for line in captions if "cases" in line]
    assert "y > 1" in cases[0] and "x > 0" in cases[1]
    assert any(r"\mathbb{1}[y > 1]" in line and "upstream" in line for line in captions)


def test_a_condition_with_a_name_is_called_by_it() -> None:
    d = sg.diagram("c = y > 1\nwhere(c, x*y, exp(x))", at={"x": 1, "y": 2}, steps=True)
    assert any("& c" in line for frame in d.scene.frames for line in frame.caption)


def test_marks_stand_outside_of_halos() -> None:
    scene = sg.diagram(CASES, at={"x": -0.5, "y": 2}, steps=True).scene
    marks = [i for g in scene.groups for i in g.items if i.role == "operand"]
    halos = [i for g in scene.groups for i in g.items if i.role == "halo" and isinstance(i, Box)]
    signs = {m.outline.text for m in marks if isinstance(m, Label)}
    assert signs == {"?", "\N{CHECK MARK}", "\N{MULTIPLICATION X}"}
    for mark in marks:
        left, top, right, bottom = mark.extent()
        for halo in halos:
            r = halo.height / 2
            middle = halo.y + r
            near = min(max((left + right) / 2, halo.x + r), halo.x + halo.width - r)
            corners = [(x, y) for x in (left, right) for y in (top, bottom)]
            reach = min(((x - near) ** 2 + (y - middle) ** 2) ** 0.5 for x, y in corners)
            assert reach > r - 0.5 or halo.height < GATE


def test_a_long_name_is_set_like_a_short_one() -> None:
    long = "regularisation_strength_of_the_first_layer"
    scene = sg.diagram(f"{long}*x", at={long: 1, "x": 2}).scene
    names = [i for g in scene.groups for i in g.items if i.role == "symbol"]
    assert all(i.outline.latex for i in names if isinstance(i, Label))


def test_long_names_stand_around_their_sign() -> None:
    one, two = "regularisation_strength_of_the_first_layer", "input_activation_at_time_zero"
    d = sg.diagram(f"{one} + {two}", at={one: 1, two: 2}, steps=True)
    assert "+(" not in d.scene.frames[0].caption[0].replace(" ", "")


def cards(text: str, at: dict[str, object]) -> list[Group]:
    scene = sg.diagram(text, at=at, view="layers").scene
    return [g for g in scene.groups if g.id.startswith("card")]


def said(group: Group) -> list[str]:
    return [i.outline.text for i in group.items if isinstance(i, Label)]


def test_cards_of_lines_show_their_formula_and_the_gradients_of_their_parameters() -> None:
    text = NORM.replace("L = sum((", "y = ").replace(")**3)", "\nL = sum(y**3)")
    found = [said(g) for g in cards(text, POINT)]
    line = next(texts for texts in found if "y" in texts)
    assert r"\gamma \odot \hat{x} + \beta" in line
    assert r"\lVert\nabla \gamma\rVert,\;\lVert\nabla \beta\rVert\;\mathrm{rms}" in line
    grads = sg.backprop(NORM, POINT).grad
    sizes = [f"{float((grads[k] ** 2).mean() ** 0.5):.2f}" for k in ("gamma", "beta")]
    assert ",\\;".join(sizes) in line
    assert not any("operations" in text for texts in found for text in texts)


def test_a_long_line_is_counted_instead() -> None:
    long = "x: real[3, 4]\nz = " + " + ".join(f"sin({k}*x)*exp(x/{k})" for k in range(1, 9))
    found = [t for g in cards(long + "\nL = sum(z*z)", {"x": [[0.1] * 4] * 3}) for t in said(g)]
    assert any(t.endswith(" operations") for t in found)


def test_what_stands_in_a_block_does_not_overlap() -> None:
    lines = ["x0 = x"]
    for k in range(1, 101):
        lines.append(f"x{k} = sin(w{k}*x{k - 1})" + (f" + x{k - 5}" if k % 5 == 0 else ""))
    point = {"x": 0.5} | {f"w{k}": 0.3 + 0.02 * k for k in range(1, 101)}
    scene = sg.diagram("\n".join(lines), at=point, view="layers").scene
    frame = next(g for g in scene.groups if g.id.startswith("b"))
    left, top, right, bottom = next(i for i in frame.items if isinstance(i, Label)).extent()
    times = left - 3, top - 3, right + 3, bottom + 3
    box = next(i for i in frame.items if i.role == "block")
    names = 0
    for group in scene.groups:
        for item in group.items:
            if item.role == "gate" and group.role == "node":
                assert not overlap(times, item.extent())
            if item.role == "name" and isinstance(box, Box):
                left, top, right, _ = item.extent()
                inside = top > box.y and left > box.x - 20 and right < box.x + box.width
                names += inside
                assert left > box.x or not inside
    assert names > 3


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("s: real[3]; y: label[3]\nu*cross_entropy(s, y)", r"\operatorname{softmax}(s) - e_{y}"),
        ("s: real[3]; y: sign[3]\nu*hinge(s, y)", r"-\frac{1}{3} y \odot"),
        ("s: real[3]\nu*sum(s*s)", r"\mathbf{1}"),
        ("s: real[3]; y: label[3]\nu*svm(s, y)", r"M - \Bigl(\sum M\Bigr) e_{y}"),
    ],
)
def test_a_gate_with_one_number_has_a_local_derivative(text: str, local: str) -> None:
    point: dict[str, object] = {"s": [3.2, 5.1, -1.7], "u": 2.0}
    point |= {"y": [1.0, -1.0, 1.0] if "sign" in text else 0} if "y" in text else {}
    frames = sg.diagram(text, at=point, steps=True).scene.frames
    found = [line for frame in frames for line in frame.caption if local in line]
    assert found and "local" in found[0] and "upstream" in found[0]


def test_a_long_derivative_names_its_parts() -> None:
    text = "s: real[3]; y: label[3]\nL = svm(s, y)"
    frames = sg.diagram(text, at={"s": [3.2, 5.1, -1.7], "y": 0}, steps=True).scene.frames
    assert frames[-1].caption[1].startswith(r"M = \mathbb{1}[j \ne y]")
    taken = text.replace("s: real[3]", "M: real[3]").replace("(s,", "(M,")
    frames = sg.diagram(taken, at={"M": [3.2, 5.1, -1.7], "y": 0}, steps=True).scene.frames
    assert len(frames[-1].caption) == 1 or not frames[-1].caption[1].startswith("M =")


def test_a_sign_stays_with_its_number() -> None:
    assert wrapped("z: its inputs are > 0", 110.0) == ["z: its inputs are", "> 0"]


NETWORK = "X: data[2, 2]; W: param[2, 2]; Y: binary[2, 2]\nL = bce(sigmoid(X @ W), Y)"
ENTRIES = {"X": [[1.0, 2.0], [0.5, -1.0]], "W": [[0.1, 0.2], [0.3, 0.4]], "Y": [[1.0, 0], [0, 1.0]]}


@pytest.mark.parametrize(("view", "said"), [("tensor", "below it: gradient"), ("neurons", "←")])
def test_the_legend_of_one_colour_does_not_speak_of_colours(view: str, said: str) -> None:
    for theme, colours in (("mono", False), ("light", True)):
        scene = sg.diagram(NETWORK, at=ENTRIES, view=view, theme=theme).scene
        legend = [i for g in scene.groups if g.role == "legend" for i in g.items]
        texts = [i.outline.text.replace(r"\leftarrow", "←") for i in legend if isinstance(i, Label)]
        assert (said in texts) is not colours
        assert any(t in ("value", "value (forward)") for t in texts) is colours

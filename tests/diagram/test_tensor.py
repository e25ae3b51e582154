"""The tensor view: what each kind of array looks like, marks of units, masks, sums, the legend."""

import re
from functools import partial
from itertools import combinations

import numpy as np
import pytest

from symgrad.autodiff import backprop
from symgrad.diagram.cards import Block
from symgrad.diagram.compose import Options, compose
from symgrad.diagram.digits import Decimals
from symgrad.diagram.from_graph import Drawing, DrawNode, draw
from symgrad.diagram.scene import Box, Label, Path, Scene
from symgrad.diagram.style import THEMES, contrast, theme_named
from symgrad.diagram.tensor import Matrices, legend_block, peaks, rms, shape_block
from symgrad.diagram.tensors.arrays import Arrays
from symgrad.diagram.tensors.cells import Palette, Units, levels
from symgrad.diagram.tensors.numbers import counts, means, peak, percent, summary
from symgrad.diagram.tensors.repeats import repeat
from symgrad.diagram.tensors.vectors import columns
from symgrad.parse import parse

R = np.random.default_rng(3)
LIGHT = theme_named("light")
XOR = """
X: data[4, 2]; Y: binary[4, 1]
W1: param[2, 4]; b1: param[4]; W2: param[4, 1]; b2: param[1]
H = relu(X @ W1 + b1)
P = sigmoid(H @ W2 + b2)
L = bce(P, Y)
"""
XOR_AT = {
    "X": np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]),
    "Y": np.array([[0.0], [1], [1], [0]]),
    "W1": np.array([[2.45, -3.07, 0.5, -0.68], [-0.54, -0.26, -2.42, -0.28]]),
    "b1": np.array([0, -0.3, -2.5, 0.1]),
    "W2": np.array([[-0.87], [3.32], [0.23], [-0.35]]),
    "b2": np.zeros(1),
}
W17 = "A: real[4, 3]; r: real[3]; G: data[4, 3]\nB = A + r\nL = sum(B*G)"
W17_AT = {
    "A": np.arange(1.0, 13).reshape(4, 3),
    "r": np.array([100.0, 200, 300]),
    "G": np.arange(12.0).reshape(4, 3) - 5,
}
BIG = """
X: data[N, D]; Y: real[N, O]; W1: param[D, H]; W2: param[H, O]
L = sum(square(relu(X @ W1) @ W2 - Y))
"""
BIG_AT = {
    "X": R.normal(size=(64, 1000)),
    "Y": R.normal(size=(64, 10)),
    "W1": R.normal(size=(1000, 100)) / 30,
    "W2": R.normal(size=(100, 10)),
}


def drawing_of(text: str, at: dict | None = None, wrt: list | None = None) -> Drawing:
    graph = parse(text, shapes=at) if at else parse(text)
    return draw(graph, backprop(graph, at, wrt) if at else None)


def matrices(drawing: Drawing, theme: str = "light") -> Matrices:
    return Matrices(Decimals.suited(peaks(drawing.arrays())), theme_named(theme), drawing)


def scene_of(text: str, at: dict, wrt: list | None = None, theme: str = "light") -> Scene:
    drawing = drawing_of(text, at, wrt)
    view = matrices(drawing, theme)
    options = Options(theme_named(theme))
    return compose(drawing, view, options, partial(legend_block, view, drawing), view.card)


def node(drawing: Drawing, key: str) -> DrawNode:
    return next(n for n in drawing.nodes if n.key == key)


def texts(block: Block | None) -> list[str]:
    return [i.outline.text for i in block.items if isinstance(i, Label)] if block else []


def roles(block: Block | None) -> set[str]:
    return {i.role for i in block.items} if block else set()


def shown(array: np.ndarray, role: str = "value", **given: object) -> Block:
    return Arrays(Decimals(2), LIGHT).block(np.asarray(array), role, **given)


# -- what an array looks like --------------------------------------------------------------------


def test_small_matrices_are_printed_entry_by_entry() -> None:
    assert texts(shown(np.array([[1.0, -2], [0.5, 0]]))) == ["1.00", "{-}2.00", "0.50", "0.00"]
    entries = [i for i in shown(R.normal(size=(4, 4))).items if isinstance(i, Label)]
    assert len(entries) == 16 and all(e.size >= 14 for e in entries)


def test_medium_matrices_are_heat_maps_with_their_range() -> None:
    grid = np.linspace(-2, 3, 64).reshape(8, 8)
    assert texts(shown(grid)) == [r"{-}2.00\;\ldots\;3.00"]
    assert texts(shown(R.normal(size=(16, 16)))) != [] and "mean" not in roles(
        shown(R.normal(size=(16, 16)))
    )


def test_large_matrices_are_thumbnails_that_say_so() -> None:
    block = shown(R.normal(size=(64, 1000)))
    words = texts(block)
    assert "cell = mean of 4×63" in words
    assert {"min", "mean", "max", "rms"} <= set(words)
    assert {"histogram", "cell", "frame"} <= roles(block)
    assert block.width < 200 and block.height < 180


def test_vectors_are_rows_unless_they_stand_upright() -> None:
    row, column = shown(R.normal(size=4)), shown(R.normal(size=4), upright=True)
    assert row.width > row.height and column.height > column.width
    long = shown(R.normal(size=4096))
    assert "cell = mean of 128" in texts(long)


def test_slices_share_a_scale() -> None:
    array = np.stack([np.full((2, 2), 1.0), np.full((2, 2), 4.0)])
    fills = [i.fill for i in shown(array).items if isinstance(i, Box) and i.fill.startswith("#")]
    assert len(set(fills)) == 2
    assert texts(shown(array * 1e-9)).count(r"\times 10^{-9}") == 1
    assert texts(shown(np.ones((2, 2, 6, 6)))) == [r"\mathrm{all}\;1.00"]


@pytest.mark.parametrize("size", [3, 12, 40])
def test_slices_stand_side_by_side(size: int) -> None:
    block = shown(R.normal(size=(2, 3, size)))
    frames = [i for i in block.items if isinstance(i, Box) and i.role == "frame"]
    assert len(frames) == (2 if size <= 16 else 1)
    assert ("[1]" in texts(block)) == (size <= 16)


def test_odd_arrays_are_said_in_words() -> None:
    assert texts(shown(np.zeros((0, 3)))) == ["no entries"]
    assert texts(shown(np.zeros((30, 20)))) == [r"\mathrm{all}\;0.00"]
    assert texts(shown(np.full((6, 6), 2.5))) == [r"\mathrm{all}\;2.50"]
    assert texts(shown(np.array([2, 0, 1, 1, 2]))) == ["2", "0", "1", "1", "2"]
    assert texts(shown(np.array([[7, -3]]))) == ["7", "{-}3"]
    assert "2 NaN" in texts(shown(np.where(np.eye(20)[:2] > 0, np.nan, 1.0)))
    assert texts(shown(np.full((20, 20), np.nan))) == ["400 NaN"]
    assert "1 infinite" in texts(shown(np.array([np.inf] + [0.0, 1.0] * 20)))


def test_what_is_not_finite_takes_the_warning_colour() -> None:
    block = shown(np.array([[np.nan, 1.0], [-np.inf, 2.0]]))
    labels = {i.outline.text: i.colour for i in block.items if isinstance(i, Label)}
    assert labels[r"\mathrm{NaN}"] == labels[r"{-}\infty"] == "warning" != labels["1.00"]
    assert "wrong" in roles(shown(np.where(np.eye(6) > 0, np.nan, 1.0)))


def test_sizes_of_all_kinds_are_legible() -> None:
    assert texts(shown(np.array([[1e-9, 2e-9]])))[:2] == ["1.00", "2.00"]
    assert r"\times 10^{-9}" in texts(shown(np.array([[1e-9, 2e-9]])))
    assert r"\times 10^{7}" in texts(shown(np.array([[3e7, -1e7]])))
    wide = texts(shown(np.array([[1e-9, 1e5]])))
    assert wide == [r"1{\times}10^{-9}", "100000.00"]
    assert texts(shown(np.array([[7e-17, 0.67]]))) == ["0.00", "0.67"]
    for extreme in (1e308, 5e-324):
        for shape in ((2, 2), (8, 8), (40, 40), (3000,)):
            shown(R.uniform(-1, 1, size=shape) * extreme)


def test_truth_is_black_and_white() -> None:
    block = shown(np.array([[True, False], [True, True]]))
    fills = {i.fill for i in block.items if i.role == "mask"}
    assert fills == {LIGHT.colour("mask.on"), LIGHT.colour("mask.off")}
    assert texts(block) == [r"75\,\%\;\mathrm{true}"]
    assert "mask.shares" in roles(shown(R.random((64, 64)) > 0.5))


# -- colours -------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", THEMES)
def test_text_on_cells_has_contrast(theme: str) -> None:
    found = theme_named(theme)
    arrays = Arrays(Decimals(2), found)
    off = R.random((4, 4)) > 0.7
    for scale in (1.0, 1e-3, 1e5):
        grid = R.normal(size=(4, 4)) * scale
        block = arrays.block(grid, "value", units=Units(off=off))
        boxes = [i for i in block.items if isinstance(i, Box) and i.role == "cell"]
        for label in (i for i in block.items if isinstance(i, Label) and i.role == "entry"):
            x, y = label.x + 3, label.y - 3
            ground = [b for b in boxes if b.x <= x < b.x + b.width and b.y <= y < b.y + b.height]
            fill = found.colour(ground[-1].fill)
            assert contrast(found.colour(label.colour), fill) >= 4.5
    palette = Palette(found)
    for fill in [*palette.fills.values(), "off.fill", "dead.fill", "cell"]:
        assert contrast(found.colour(palette.ink(fill)), found.colour(fill)) >= 4.5
    assert contrast(found.colour("warning"), found.colour("cell")) >= 4.5
    assert contrast(found.colour("saturated"), found.colour("cell")) >= 3


def test_the_scale_is_symmetric_around_zero() -> None:
    assert levels(np.array([[-4.0, 0, 2]])).tolist() == [[-20, 0, 10]]
    assert levels(np.zeros((1, 2))).tolist() == [[0, 0]]
    fills = Palette(LIGHT).fills
    for ends in ((0, 10, 20), (0, -10, -20)):
        shades = [contrast(fills[k], "#FFFFFF") for k in ends]
        assert shades == sorted(shades) and shades[2] > shades[1] + 0.3 > shades[0] + 0.6


def test_negative_cells_are_marked_where_colour_says_nothing() -> None:
    mono = Arrays(Decimals(2), theme_named("mono")).block(R.normal(size=(8, 8)), "value")
    assert "minus" in roles(mono) and "minus" not in roles(shown(R.normal(size=(8, 8))))


# -- numbers -------------------------------------------------------------------------------------


def test_numbers_of_large_arrays() -> None:
    grid = R.normal(size=(9, 7))
    assert peak(grid) == np.abs(grid).max() and rms(grid) == pytest.approx(
        np.sqrt((grid**2).mean())
    )
    assert rms(np.full(3, 1e200)) == pytest.approx(1e200)
    assert rms(np.zeros(3)) == 0 and np.isnan(rms(np.array([np.nan, 1])))
    small, block = means(grid, 4, 4)
    assert block == (3, 2) and small.shape == (3, 4)
    assert small[2, 3] * peak(grid) == pytest.approx(grid[6:9, 6:7].mean())
    assert counts(grid).sum() == 63
    found = summary(np.array([np.nan, np.inf, -1.0, 3.0]))
    assert (found.low, found.mean, found.high, found.nans, found.infinite) == (-1, 1, 3, 1, 1)
    assert [percent(s) for s in (0, 0.001, 0.5, 0.9999, 1)] == ["0", "<1", "50", ">99", "100"]


def test_large_arrays_cost_few_items() -> None:
    assert len(shown(R.normal(size=(1000, 1000))).items) < 100


# -- units and masks -----------------------------------------------------------------------------


def test_dead_units_are_hatched_and_single_entries_slashed() -> None:
    drawing = drawing_of(XOR, XOR_AT)
    view = matrices(drawing)
    block = view.value(node(drawing, "H"))
    hatches = [i for i in block.items if i.role == "hatch"]
    fills = [i.fill for i in block.items if isinstance(i, Box)]
    assert len(hatches) == 1 and "slash" in roles(block)
    assert fills.count("dead.fill") == 8 and fills.count("off.fill") == 5
    left, _, right, _ = hatches[0].extent()
    assert right - left < block.width / 1.8


def test_gates_show_what_they_pass() -> None:
    drawing = drawing_of(XOR, XOR_AT)
    view = matrices(drawing)
    mask = view.mask(node(drawing, "H"))
    assert texts(mask) == [r"19\,\%\,\mathrm{pass}"] and "local" in roles(mask)
    assert view.mask(node(drawing, "P")) is None


@pytest.mark.parametrize(
    ("text", "passed"),
    [
        ("relu(x)", [0, 0, 1, 1]),
        ("maximum(0, x)", None),
        ("maximum(x, 0)", None),
        ("minimum(x, 0)", None),
        ("clip(x, -0.5, 1.5)", [0, 1, 1, 0]),
        ("where(x > 0, x, 0)", [0, 0, 1, 1]),
        ("relu6(x)", [0, 0, 1, 1]),
        ("hardtanh(x)", [0, 1, 0, 0]),
    ],
)
def test_masks_are_the_local_derivative(text: str, passed: list | None) -> None:
    at = {"x": np.array([-1.0, 0, 1, 2])}
    drawing = drawing_of(f"x: param[4]\ny = {text}\nL = sum(y)", at)
    found = matrices(drawing).gates.mask(node(drawing, "y").id)
    assert found is not None
    if passed is not None:
        assert found[0].astype(int).tolist() == passed
    assert found[0].tolist() == (node(drawing, "x").grad == 1).tolist()


@pytest.mark.parametrize("text", ["abs(x)", "leaky_relu(x)", "tanh(x)", "sign(x)*x", "x*x"])
def test_other_gates_have_no_mask(text: str) -> None:
    drawing = drawing_of(f"x: param[4]\ny = {text}\nL = sum(y)", {"x": np.array([-1.0, 0, 1, 2])})
    assert matrices(drawing).mask(node(drawing, "y")) is None


def test_a_gate_of_two_operands_says_whose_entries_pass() -> None:
    at = {"x": np.array([1.0, 2, 3]), "z": np.array([3.0, 2, 1])}
    drawing = drawing_of("x: param[3]; z: param[3]\ny = maximum(x, z)\nL = sum(y)", at)
    assert texts(matrices(drawing).mask(node(drawing, "y"))) == ["x", r"33\,\%"]


def test_a_mask_of_a_long_vector_is_no_matrix() -> None:
    drawing = drawing_of("x: param[N]\ny = maximum(0, x)\nL = sum(y)", {"x": R.normal(size=4096)})
    mask = matrices(drawing).mask(node(drawing, "y"))
    assert mask.width < 70 and mask.height < 80 and "local.shares" in roles(mask)


def test_saturated_entries_are_framed() -> None:
    at = {"x": np.array([[-9.0, 0.0], [1.0, 12.0]])}
    for text, marked in (("tanh(x)", True), ("sigmoid(x)", True), ("exp(x)", False)):
        drawing = drawing_of(f"x: param[2, 2]\ny = {text}\nL = sum(y)", at)
        assert ("saturated" in roles(matrices(drawing).value(node(drawing, "y")))) == marked
    large = drawing_of("x: param[N]\ny = tanh(x)\nL = sum(y)", {"x": np.linspace(-9, 9, 900)})
    block = matrices(large).value(node(large, "y"))
    assert "saturated" in texts(block) and "bars.saturated" in roles(block)


# -- broadcasting and orientation ----------------------------------------------------------------


def test_a_broadcast_row_is_summed_back() -> None:
    drawing = drawing_of(W17, W17_AT, ["A", "r"])
    view = matrices(drawing)
    assert "↧ 4 rows" in texts(view.value(node(drawing, "r")))
    block = view.gradient(node(drawing, "r"))
    assert "Σ over 4 rows" in texts(block)
    # the row itself, and the four rows that are added up
    assert len([i for i in block.items if i.role == "frame"]) == 2
    assert texts(view.gradient(node(drawing, "A"))) == [
        t.replace("-", "{-}") for t in (f"{v:.2f}" for v in W17_AT["G"].ravel())
    ]


@pytest.mark.parametrize(
    ("text", "edge", "words"),
    [
        ("A: real[4, 3]; r: real[3]; A*r", 1, "Σ over 4 rows"),
        ("A: real[4, 3]; c: real[4, 1]; A - c", 1, "Σ over 3 columns"),
        ("A: real[N, D]; s: real; s*A", 0, "Σ over N·D entries"),
        ("v: real[5]; s: real; v + s", 1, "Σ over 5 entries"),
        ("A: real[2, 3, 4]; c: real[2, 1, 1]; A + c", 1, "Σ over axes 1, 2 (3×4)"),
        ("A: real[4, 3]; B: real[4, 3]; A + B", 0, None),
        ("A: real[4, 3]; B: real[3, 2]; A @ B", 0, None),
    ],
)
def test_repeats(text: str, edge: int, words: str | None) -> None:
    drawing = drawing_of(text)
    found = repeat(drawing, drawing.edges[edge])
    assert (found.backward if found else None) == words


def test_named_dimensions_are_given_with_their_size() -> None:
    at = {"A": np.ones((4, 3)), "r": np.ones(3)}
    drawing = drawing_of("A: real[N, D]; r: real[D]\nL = sum(A*r)", at)
    assert "Σ over N = 4 rows" in texts(matrices(drawing).gradient(node(drawing, "r")))


def test_orientation() -> None:
    drawing = drawing_of("W: real[4, 3]; x: real[3]; b: real[4]\ny = W @ x + b")
    assert {drawing.nodes[k].key for k in columns(drawing)} == {"x", "b", "matmul#3", "y"}
    assert not columns(drawing_of("X: real[4, 3]; b: real[3]\ny = X + b"))


# -- the whole figure ----------------------------------------------------------------------------

FIGURES = {
    "XOR": (XOR, XOR_AT, None),
    "W17": (W17, W17_AT, ["A", "r"]),
    "two layers": (BIG, BIG_AT, None),
    "max": (
        "x: param[4, 4]; z: param[4, 4]\na = clip(x, -1, 1)\nL = sum(a*maximum(x, z))",
        {"x": R.normal(size=(4, 4)), "z": R.normal(size=(4, 4))},
        None,
    ),
    "slices": (
        "I: real[2, 3, 4]; k: param[3, 1]; c: param[2, 1, 1]\nL = sum(relu(I*k + c))",
        {"I": R.normal(size=(2, 3, 4)), "k": R.normal(size=(3, 1)), "c": np.ones((2, 1, 1))},
        None,
    ),
}


@pytest.mark.parametrize("theme", ["light", "mono"])
@pytest.mark.parametrize("name", FIGURES)
def test_nothing_overlaps(name: str, theme: str) -> None:
    scene = scene_of(*FIGURES[name], theme)
    groups = [g for g in scene.groups if g.id != "legend"]
    items = [i for g in groups for i in g.items]
    solid = [i for i in items if isinstance(i, Box) and i.role in ("gate", "input", "parameter")]
    solid += [i for i in items if isinstance(i, Box) and i.role == "frame"]
    labels = [i for i in items if isinstance(i, Label) and i.role not in ("symbol", "entry")]
    for a, b in combinations(labels, 2):
        assert apart(a.extent(), b.extent()), (a.outline.text, b.outline.text)
    for box, other in combinations(solid, 2):
        assert apart(box.extent(), other.extent())
    inside = ("range", "mean", "note")  # words in the card of a large array
    for label in labels:
        for box in solid:
            assert apart(label.extent(), box.extent()) or (
                label.role in inside and within(label.extent(), box.extent())
            ), label.outline.text


def apart(a: tuple, b: tuple) -> bool:
    return not (a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3])


def within(a: tuple, b: tuple) -> bool:
    return b[0] < a[0] and b[1] < a[1] and a[2] < b[2] and a[3] < b[3]


@pytest.mark.parametrize("name", FIGURES)
def test_wires_pass_beside_masks(name: str) -> None:
    scene = scene_of(*FIGURES[name])
    masks = [i for g in scene.groups for i in g.items if isinstance(i, Box) and i.stroke == "local"]
    wires = [g.items[0] for g in scene.groups if g.role == "edge"]
    for box in masks:
        left, top, right, bottom = box.extent()
        for wire in wires:
            for x, y in path_points(wire):
                assert not (left < x < right and top < y < bottom)


def path_points(path: Path) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for letter, c in path.commands:
        pairs = [found[-1], *zip(c[0::2], c[1::2], strict=True)] if found else [(c[0], c[1])]
        for t in np.linspace(0, 1, 21):
            s = 1 - t
            weights = {4: (s**3, 3 * s * s * t, 3 * s * t * t, t**3), 2: (s, t), 1: (1.0,)}
            w = weights[len(pairs)]
            found.append(
                tuple(sum(k * p[i] for k, p in zip(w, pairs, strict=True)) for i in (0, 1))
            )
        assert letter in "MLC"
    return found


def test_xor_fits_a_slide() -> None:
    scene = scene_of(XOR, XOR_AT)
    assert scene.width <= 1900
    entries = [i for g in scene.groups for i in g.items if isinstance(i, Label)]
    assert min(i.size for i in entries) * 1920 / scene.width >= 13


def test_the_legend_explains_what_occurs_and_nothing_else() -> None:
    def words(text: str, at: dict) -> str:
        drawing = drawing_of(text, at)
        return " ".join(texts(legend_block(matrices(drawing), drawing)))

    full = words(XOR, XOR_AT)
    for part in (
        "value",
        "gradient",
        "unit off",
        "dead unit",
        "gate passes",
        "no gradient",
        "|cell|",
    ):
        assert part in full
    plain = words("x: param[2, 2]\nL = sum(x*x)", {"x": np.eye(2)})
    for part in ("off", "dead", "passes", "saturated", "no gradient", "finite", "true", "Σ"):
        assert part not in plain
    assert "Σ" in words(W17, W17_AT)
    assert "gate passes, blocks; grey" in words(BIG, BIG_AT)
    assert "saturated" in words("x: param[2]\nL = sum(tanh(x))", {"x": np.array([9.0, 0])})
    drawing = drawing_of("x: param[2, 2]\nL = sum(x*x)")
    assert legend_block(matrices(drawing), drawing) is None


def test_the_legend_breaks_its_lines() -> None:
    drawing = drawing_of(XOR, XOR_AT)
    view = matrices(drawing)
    wide, narrow = (legend_block(view, drawing, w) for w in (1e4, 420.0))
    assert narrow.width <= 420 < wide.width and narrow.height > 2 * wide.height
    for a, b in combinations([i for i in narrow.items if isinstance(i, Label)], 2):
        assert apart(a.extent(), b.extent())


def test_without_numbers_shapes_stand_alone() -> None:
    drawing = drawing_of("A: real[N, D]; r: real[D]\nL = sum(A + r)")
    view = matrices(drawing)
    assert texts(view.value(node(drawing, "A"))) == [r"N{\times}D"]
    assert texts(view.value(node(drawing, "r"))) == ["D", "↧ N rows"]
    assert view.gradient(node(drawing, "r")) is None
    assert texts(shape_block((2, "N"))) == [r"2{\times}N"]


def test_the_same_blocks_every_time() -> None:
    one, other = (scene_of(XOR, XOR_AT) for _ in range(2))
    assert one == other
    assert not re.search("nan", repr([i.extent() for g in one.groups for i in g.items]))

"""Layer cards: what is found, folded and said; nothing overlaps, whatever the graph."""

import random
import re
from functools import cache
from itertools import combinations, pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from symgrad import api as sg
from symgrad.diagram import layers
from symgrad.diagram.compose import Options
from symgrad.diagram.export import svg
from symgrad.diagram.layers.find import find
from symgrad.diagram.layers.fold import Plan, plan
from symgrad.diagram.scene import Box, Group, Label, Path, Scene
from symgrad.diagram.style import theme_named
from symgrad.errors import UsageError

Program = tuple[str, dict]
ROOM = np.random.default_rng(0)


def deep(depth: int = 10, act: str = "sigmoid", bias: float = 0.0, scale: float = 1.0) -> Program:
    sizes = [64] + [48] * (depth - 1) + [10]
    lines = ["X: data[N, D0]", f"y: labels[N, D{depth}]"]
    at: dict = {"X": ROOM.normal(size=(32, 64)), "y": ROOM.integers(0, 10, 32)}
    for i in range(1, depth + 1):
        lines.append(f"W{i}: param[D{i - 1}, D{i}]; b{i}: param[D{i}]")
        at[f"W{i}"] = ROOM.normal(size=(sizes[i - 1], sizes[i])) * scale / np.sqrt(sizes[i - 1])
        at[f"b{i}"] = np.full(sizes[i], bias)
    lines += [
        f"h{i} = {act}({'X' if i == 1 else f'h{i - 1}'} @ W{i} + b{i})" for i in range(1, depth)
    ]
    last = f"h{depth - 1}" if depth > 1 else "X"
    return "\n".join([*lines, f"s = {last} @ W{depth} + b{depth}\nL = cross_entropy(s, y)"]), at


def residual(blocks: int) -> Program:
    lines = ["X: data[N, D]; y: labels[N, C]; W0: param[D, H]; Wo: param[H, C]; h0 = relu(X @ W0)"]
    at: dict = {"X": ROOM.normal(size=(32, 20)), "y": ROOM.integers(0, 10, 32)}
    at |= {"W0": ROOM.normal(size=(20, 16)), "Wo": ROOM.normal(size=(16, 10))}
    for i in range(1, blocks + 1):
        lines.append(f"A{i}: param[H, H]; B{i}: param[H, H]; g{i}: param[H]; c{i}: param[H]")
        lines.append(f"h{i} = relu(batch_norm(h{i - 1} @ A{i}, g{i}, c{i})) @ B{i} + h{i - 1}")
        at |= {f"{n}{i}": ROOM.normal(size=(16, 16)) / 4 for n in "AB"}
        at |= {f"g{i}": np.ones(16), f"c{i}": np.zeros(16)}
    return "\n".join([*lines, f"L = cross_entropy(h{blocks} @ Wo, y)"]), at


def chain(length: int) -> Program:
    lines = ["w: param", "a0 = x", *(f"a{i} = tanh(w*a{i - 1})" for i in range(1, length + 1))]
    return "\n".join(lines), {"x": 1.0, "w": 0.9}


def tangle(lines: int, seed: int = 3) -> Program:
    """Write a program that is no network: every line uses some of those before."""
    rng = random.Random(seed)
    names, text = ["x0", "x1", "x2"], ["h = x0 + x1 + x2"]
    for i in range(lines):
        a, b = (rng.choice(names[-6:]) for _ in range(2))
        forms = (f"{a} + {b}", f"tanh({a}*{b})", f"sin({a}) - {b}/3", f"maximum({a}, {b})")
        text.append(f"v{i} = {rng.choice(forms)}")
        names.append(f"v{i}")
    at = {"x0": 0.3, "x1": -0.2, "x2": 0.7}
    return "\n".join([*text, f"L = h + {' + '.join(names[-5:])}"]), at


BATCH_NORM = (
    """X: data[N, D]; y: labels[N, C]
W1: param[D, H]; gamma: param[H]; beta: param[H]; W2: param[H, C]; b2: param[C]
z = X @ W1
zn = (z - mean(z, axis=0))/sqrt(mean((z - mean(z, axis=0))**2, axis=0) + 1e-5)
h = relu(gamma*zn + beta)
s = h @ W2 + b2
L = cross_entropy(s, y) + 0.001*(sum(W1**2) + sum(W2**2))""",
    {
        "X": ROOM.normal(size=(64, 1000)),
        "y": ROOM.integers(0, 10, 64),
        "W1": ROOM.normal(size=(1000, 100)) / 30,
        "gamma": np.ones(100),
        "beta": np.zeros(100),
        "W2": ROOM.normal(size=(100, 10)),
        "b2": np.zeros(10),
    },
)
RECURRENT = (
    """x1: data[N, D]; x2: data[N, D]; x3: data[N, D]; y: labels[N, C]
U: param[D, H]; W: param[H, H]; b: param[H]; V: param[H, C]
h1 = tanh(x1 @ U + b)
h2 = tanh(x2 @ U + h1 @ W + b)
h3 = tanh(x3 @ U + h2 @ W + b)
L = cross_entropy(h3 @ V, y)""",
    {f"x{k}": 4 * ROOM.normal(size=(8, 5)) for k in (1, 2, 3)}
    | {"y": ROOM.integers(0, 3, 8), "U": ROOM.normal(size=(5, 6)), "W": ROOM.normal(size=(6, 6))}
    | {"b": np.zeros(6), "V": ROOM.normal(size=(6, 3))},
)
ATTENTION = (
    """X: data[N, D]; y: labels[N, C]
Wq: param[D, K]; Wk: param[D, K]; Wv: param[D, K]; Wo: param[K, D]; Wc: param[D, C]
A = softmax((X @ Wq) @ (X @ Wk).T/sqrt(K))
O = A @ (X @ Wv)
h = X + O @ Wo
L = cross_entropy(h @ Wc, y)""",
    {"X": ROOM.normal(size=(12, 8)), "y": ROOM.integers(0, 3, 12), "Wo": ROOM.normal(size=(6, 8))}
    | {n: ROOM.normal(size=(8, 6)) for n in ("Wq", "Wk", "Wv")}
    | {"Wc": ROOM.normal(size=(8, 3))},
)
WIDE = (
    "w: param\n"
    + "\n".join(f"a{i} = sin(w*x{i})" for i in range(300))
    + "\nL = "
    + " + ".join(f"a{i}" for i in range(300)),
    {f"x{i}": i / 100 for i in range(300)} | {"w": 0.5},
)
HOSTILE = (
    f"{'W' * 200}: param[D, H]; X: data[N, D]; {'h' * 300} = tanh(X @ {'W' * 200})"
    f"\nL = sum({'h' * 300}**2)",
    {"X": np.ones((3, 2)), "W" * 200: np.ones((2, 2))},
)

PROGRAMS = {
    "deep": deep(),
    "residual": residual(2),
    "residual, folded": residual(5),
    "batch norm": BATCH_NORM,
    "recurrent": RECURRENT,
    "attention": ATTENTION,
    "chain": chain(500),
    "tangle": tangle(400),
    "wide": WIDE,
    "hostile": HOSTILE,
    "no network": ("exp(x)*y", {"x": 1.0, "y": 2.0}),
    "leaf": ("x", {"x": 1.0}),
    "not finite": (
        "X: data[N, D]; W: param[D, H]; L = sum(log(X @ W))",
        {"X": -np.ones((3, 2)), "W": np.ones((2, 2))},
    ),
}


@cache
def drawn(name: str, theme: str = "light", numbers: bool = True, **how: str) -> Scene:
    text, at = PROGRAMS[name]
    return draw((text, at), theme, numbers, **how)


def draw(program: Program, theme: str = "light", numbers: bool = True, **how) -> Scene:
    text, at = program
    graph = sg._at(text, at) if numbers else sg.parse(text)
    result = sg.backprop(graph, at) if numbers else None
    title = how.pop("title", "")
    return layers.scene(graph, result, Options(theme_named(theme), title), 2, **how)


def planned(program: Program, fold: bool = True) -> Plan:
    graph = sg._at(*program)
    result = sg.backprop(graph, program[1])
    flow, units = find(graph)
    return plan(flow, units, lambda n: np.shape(result.values[n]), lambda u: False, fold)


def titles(scene: Scene) -> list[str]:
    """List the bold words on the cards, one text a card."""
    found = []
    for group in scene.groups:
        words = [i.outline.text for i in group.items if isinstance(i, Label) and i.role == "title"]
        if group.role == "node" and words:
            found.append(" ".join(words))
    return found


def cards(scene: Scene) -> dict[str, dict[str, str]]:
    return {dict(g.data)["node"]: dict(g.data) for g in scene.groups if g.role == "node" and g.data}


def kinds(text: str) -> list[tuple[str, str]]:
    return [(u.kind, u.title) for u in find(sg.parse(text))[1]]


# ---------------------------------------------------------------- what is found


@pytest.mark.parametrize(
    ("layer", "title"),
    [
        ("relu(X @ W + b)", "Dense + ReLU"),
        ("sigmoid(b + X @ W)", "Dense + σ"),
        ("X @ W", "Dense"),
        ("tanh(batch_norm(X @ W + b, b, b))", "Dense + BN + tanh"),
        ("softmax(layer_norm(X @ W, b, b))", "Dense + LN + softmax"),
        ("dropout(relu(X @ W), M)", "Dense + ReLU + dropout"),
        ("maximum(X @ W, 0)", "Dense + ReLU"),
    ],
)
def test_a_layer_is_found_with_its_parts(layer: str, title: str) -> None:
    mask = "M: data[N, H]; " if "M" in layer else ""
    text = f"X: data[N, D]; {mask}W: param[D, H]; b: param[H]; h = {layer}; sum(h**2)"
    assert ("layer", title) in kinds(text)


def test_normalisation_is_found_when_it_is_spelled_out() -> None:
    assert kinds(BATCH_NORM[0])[2:] == [
        ("layer", "Dense + BN + ReLU"),
        ("layer", "Dense"),
        ("loss", r"\mathrm{CE}"),
        ("penalty", ""),
        ("gate", "+"),
    ]
    rows = "X: data[N, D]; (X - mean(X, -1, True))/std(X, -1, True)"
    assert ("layer", "LN") not in kinds(rows)  # no network: lines say more


def test_columns_as_samples_neurons_and_programs_without_kinds() -> None:
    left = "x: data[D]; W: param[H, D]; b: param[H]; h = tanh(W @ x + b); sum(h**2)"
    assert kinds(left)[1] == ("layer", "Dense + tanh")
    neuron = "w1: param; w2: param; b: param; h = tanh(w1*x1 + w2*x2 + b); (h - y)**2"
    assert ("layer", "Affine + tanh") in kinds(neuron)
    assert ("layer", "Affine + σ") in kinds("h = sigmoid(w0*x0 + w1*x1 + w2); (h - y)**2")


def test_a_unit_is_left_through_its_last_node_only() -> None:
    for name in PROGRAMS:
        flow, units = find(sg._at(*PROGRAMS[name]))
        nodes = [n for u in units for n in u.nodes]
        assert len(nodes) == len(dict.fromkeys(nodes)) == len(flow.order) + len(flow.signals)
        for unit in units:
            for node in unit.nodes[:-1]:
                assert all(u in unit.nodes for u in flow.users[node])


# ---------------------------------------------------------------- folding


def test_identical_layers_in_a_row_are_folded_and_the_ends_stay() -> None:
    assert titles(drawn("deep")) == [
        "Dense + σ",
        "Dense + σ",
        "Dense + σ × 6",
        "Dense + σ",
        "Dense",
    ]
    assert len(titles(draw(PROGRAMS["deep"], fold="none"))) == 10
    opened = titles(draw(PROGRAMS["deep"], fold=("h5",)))
    assert opened == ["Dense + σ", "Dense + σ × 3", "Dense + σ", "Dense + σ × 4", "Dense"]
    assert titles(draw(PROGRAMS["deep"], fold=(5,))) == opened
    assert titles(draw(PROGRAMS["deep"], fold=("5",))) == opened


def test_layers_of_other_shapes_or_operators_are_not_folded() -> None:
    text = "X: data[N, D]; W: param[D, D]; V: param[D, D]; U: param[D, D]\n"
    mixed = text + "h = relu(X @ W); k = tanh(h @ V); m = relu(k @ U); sum(m**2)"
    at = {"X": np.ones((2, 2)), **{n: np.eye(2) for n in "WVU"}}
    assert all(p.count == 1 for p in planned((mixed, at)).pieces)
    same = text + "h = relu(X @ W); k = relu(h @ V); m = relu(k @ U); sum(m**2)"
    # The first layer reads an input, so only two are alike.
    assert all(p.count == 1 for p in planned((same, at)).pieces)


def test_a_value_that_is_used_later_is_not_folded_away() -> None:
    text, at = deep(7)
    text = re.sub(r"\bD[1-6]\b", "H", text).replace("s = h6 @", "s = (h6 + h3) @")
    assert "(h6 + h3)" in text
    used = sg._at(text, at).names["h3"]
    folded = [u for p in planned((text, at)).pieces if p.count > 1 for u in p.units[:-1]]
    assert folded and all(u.exit is not used for u in folded)


def test_residual_blocks_fold_as_one_frame() -> None:
    pieces = planned(PROGRAMS["residual, folded"]).pieces
    folded = [p for p in pieces if p.block >= 0]
    assert [(p.kind, p.count) for p in folded] == [("layer", 5), ("layer", 5), ("gate", 5)]
    assert any(g.role == "block" for g in drawn("residual, folded").groups)


@pytest.mark.parametrize("name", ["tangle", "wide", "chain"])
def test_any_graph_folds_to_few_cards(name: str) -> None:
    scene = drawn(name)
    assert len([g for g in scene.groups if g.role == "node"]) <= 24
    assert len([g for g in scene.groups if g.role == "edge"]) <= 30
    assert "are too many for single gates" in scene.description
    said = [i.outline.text for g in scene.groups for i in g.items if isinstance(i, Label)]
    assert any("drawn as layer cards" in text for text in said)


# ---------------------------------------------------------------- what is said


def headline(scene: Scene) -> str:
    return next((g.label for g in scene.groups if g.id == "headline"), "")


def test_the_headline_tells_what_becomes_of_the_gradient() -> None:
    text, at = PROGRAMS["deep"]
    result = sg.backprop(text, at)
    names = sg.parse(text).names
    first, last = (float(np.sqrt(np.mean(np.square(result.grads[names[n]])))) for n in ("h1", "s"))
    assert last / first > 1000
    assert headline(drawn("deep")).startswith(f"The gradient shrinks by {last / first:,.0f}"[:28])
    grows = headline(draw(deep(8, "relu", scale=4.0)))
    assert grows.startswith("The gradient grows by")
    assert "keeps its size" in headline(drawn("residual"))
    assert headline(drawn("deep", numbers=False)) == ""


def test_saturated_units_are_counted_by_their_slope() -> None:
    text = "X: data[N, D]; W: param[D, H]; h = sigmoid(X @ W); sum(h**2)"
    z = np.array([[-9.0, -2, 2, 9]])
    at = {"X": np.ones((1, 1)), "W": z}
    data = cards(draw((text, at)))["h"]
    slope = np.exp(-z) / (1 + np.exp(-z)) ** 2
    assert float(data["saturated-first"]) == np.mean(slope < 0.025) == 0.5
    assert "saturated-first" not in cards(draw((text.replace("sigmoid", "sin"), at)))["h"]


@pytest.mark.parametrize("left", [False, True])
def test_dead_units_are_those_that_are_off_on_every_sample(left: bool) -> None:
    z = np.array([[-1.0, 2, -3, -4], [-1, -2, 3, -4], [-1, -2, -3, -4]])
    text = "X: data[N, D]; W: param[D, H]; h = relu(X @ W); L = sum(h**2)"
    at = {"X": np.eye(3), "W": z}
    if left:
        text = "X: data[D, N]; W: param[H, D]; h = relu(W @ X); L = sum(h**2)"
        at = {"X": np.eye(3), "W": z.T}
    scene = draw((text, at))
    assert float(cards(scene)["h"]["dead-first"]) == 0.5
    card = next(g for g in scene.groups if dict(g.data).get("node") == "h")
    frame = next(i for i in card.items if isinstance(i, Box) and i.role == "gate")
    assert frame.stroke == "layer.alarm"
    said = [i.outline.text for i in card.items if isinstance(i, Label)]
    assert "dead 50%" in said


def test_numbers_that_are_not_finite_are_told() -> None:
    scene = drawn("not finite")
    said = [i for g in scene.groups for i in g.items if isinstance(i, Label)]
    assert any(i.outline.text == "not finite 100%" for i in said)
    assert any(i.colour == "warning" for i in said)


def test_the_weights_gradient_is_that_of_the_result() -> None:
    text, at = PROGRAMS["batch norm"]
    result = sg.backprop(text, at)
    data = cards(drawn("batch norm"))
    for layer, weight in (("h", "W1"), ("s", "W2")):
        rms = float(np.sqrt(np.mean(np.square(result.grad[weight]))))
        assert float(data[layer]["weight-gradient-rms-first"]) == pytest.approx(rms)


def test_a_shared_weight_shows_the_share_of_each_layer() -> None:
    text, at = RECURRENT
    graph = sg.parse(text)
    result = sg.backprop(graph, at)
    first = graph.names["x1"]
    product = next(n for n in graph.order() if n.op == "matmul" and n.args[0] is first)
    share = np.asarray(result.contributions[product, 1])
    found = float(cards(drawn("recurrent"))["h1"]["weight-gradient-rms-first"])
    assert found == pytest.approx(float(np.sqrt(np.mean(share**2))))


def test_without_numbers_cards_show_sizes() -> None:
    scene = drawn("deep", numbers=False)
    texts = [i.outline.text for g in scene.groups for i in g.items if isinstance(i, Label)]
    assert "W₁, b₁" in texts and not any("rms" in t or "saturated" in t for t in texts)
    fixed = "X: data[9, 64]; W: param[64, 48]; b: param[48]; h = tanh(X @ W + b); sum(h**2)"
    scene = draw((fixed, {}), numbers=False)
    texts = [i.outline.text for g in scene.groups for i in g.items if isinstance(i, Label)]
    assert "3,120 parameters" in texts and r"64 \to 48" in texts


# ---------------------------------------------------------------- the picture


def overlap(a: tuple, b: tuple) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize("theme", ["light", "mono"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_labels_overlap_nothing(name: str, theme: str) -> None:
    scene = drawn(name, theme)
    found = [(g.id, i) for g in scene.groups for i in g.items if isinstance(i, Label)]
    for (_, a), (_, b) in combinations(found, 2):
        assert not overlap(a.extent(), b.extent()), (a.outline.text, b.outline.text)
    frames = [
        (g.id, i)
        for g in scene.groups
        for i in g.items
        if isinstance(i, Box) and i.role in ("gate", "input")
    ]
    for (_, a), (_, b) in combinations(frames, 2):
        assert not overlap(a.extent(), b.extent())
    for owner, label in found:
        for other, box in frames:
            left, top, right, bottom = label.extent()
            if overlap((left, top, right, bottom), box.extent()):
                assert owner == other, label.outline.text
                x, y, far, low = box.extent()
                assert x < left and right < far and y < top and bottom < low, label.outline.text


@pytest.mark.parametrize("name", PROGRAMS)
def test_wires_cross_no_card_and_no_label(name: str) -> None:
    scene = drawn(name)
    nodes = [g for g in scene.groups if g.role == "node"]
    boxes = [(i, g) for g in nodes for i in g.items if isinstance(i, Box) and i.role == "gate"]
    labels = [i for g in nodes for i in g.items if isinstance(i, Label)]
    for group in scene.groups:
        if group.role != "edge":
            continue
        for x, y in points(group):
            for box, _ in boxes:
                left, top, right, bottom = box.extent()
                assert not (left + 1 < x < right - 1 and top + 1 < y < bottom - 1), group.label
            for label in labels:
                left, top, right, bottom = label.extent()
                assert not (left < x < right and top < y < bottom), label.outline.text


def points(group: Group) -> list[tuple[float, float]]:
    """Sample the line of a wire."""
    line = next(i for i in group.items if isinstance(i, Path))
    found: list[tuple[float, float]] = []
    for letter, c in line.commands:
        if letter == "M":
            found.append((c[0], c[1]))
            continue
        x, y = found[-1]
        ends = [(x, y), *zip(c[0::2], c[1::2], strict=True)]
        for t in np.linspace(0, 1, 30):
            here = ends
            while len(here) > 1:
                here = [(a + (p - a) * t, b + (q - b) * t) for (a, b), (p, q) in pairwise(here)]
            found.append(here[0])
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_everything_lies_inside_and_the_bytes_stay(name: str) -> None:
    scene = drawn(name)
    for group in scene.groups:
        for item in group.items:
            left, top, right, bottom = item.extent()
            assert left >= 0 and top >= 0 and right <= scene.width and bottom <= scene.height
    ids = [g.id for g in scene.groups]
    assert len(ids) == len(dict.fromkeys(ids))
    text = svg.render(scene)
    assert text == svg.render(draw(PROGRAMS[name]))
    ElementTree.fromstring(text)


@pytest.mark.parametrize("fold", ["auto", "none"])
def test_numbers_stay_legible_on_a_slide(fold: str) -> None:
    for depth in (2, 10, 12, 24):
        scene = draw(deep(depth), fold=fold)
        sizes = [
            i.size
            for g in scene.groups
            for i in g.items
            if isinstance(i, Label) and i.role in ("value", "gradient", "shape")
        ]
        assert min(sizes) * min(1.0, 1920 / scene.width) >= 12.5
        gradients = [
            i.size
            for g in scene.groups
            for i in g.items
            if isinstance(i, Label) and i.role == "value"
        ]
        assert min(gradients) * min(1.0, 1920 / scene.width) >= 14


def test_a_layer_can_be_drawn_gate_by_gate() -> None:
    scene = draw(PROGRAMS["deep"], expand=("h3",))
    inner = [g for g in scene.groups if g.id.partition("-")[2]]
    gates = [dict(g.data)["op"] for g in inner if g.role == "node"]
    assert {"matmul", "add", "sigmoid"} <= set(gates)
    frame = next(
        i for g in scene.groups for i in g.items if isinstance(i, Box) and i.role == "block"
    )
    left, top, right, bottom = frame.extent()
    for group in inner:
        for item in group.items:
            a, b, c, d = item.extent()
            assert left <= a and top <= b and c <= right and d <= bottom
    numbers = [g for g in inner if dict(g.data).get("node") == "h3"]
    result = sg.backprop(*PROGRAMS["deep"])
    shown = dict(numbers[0].data)["grad"]
    grad = np.asarray(result.grads[sg.parse(PROGRAMS["deep"][0]).names["h3"]])
    assert repr(float(grad.max())) in shown


def test_unknown_layers_and_foldings_are_errors() -> None:
    with pytest.raises(UsageError, match="no layer 'nope'"):
        draw(PROGRAMS["deep"], expand=("nope",))
    with pytest.raises(UsageError, match="no layer 99"):
        draw(PROGRAMS["deep"], fold=(99,))
    with pytest.raises(UsageError, match="unknown fold"):
        draw(PROGRAMS["deep"], fold="some")


def test_hostile_titles_come_out_as_text() -> None:
    title = "<script>\\write18{x}\"'&\n‮" + "y" * 10_000
    text = svg.render(draw(PROGRAMS["residual"], title=title))
    root = ElementTree.fromstring(text)
    assert not [e for e in root.iter() if e.tag.endswith("script")]
    assert len(text) < 600_000

"""The neuron view: circles, weights and their numbers; labels overlap nothing."""

from functools import cache
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from symgrad import api as sg
from symgrad.diagram import neurons
from symgrad.diagram.compose import Options
from symgrad.diagram.export import svg
from symgrad.diagram.neurons.network import read
from symgrad.diagram.scene import Box, Label, Path, Scene
from symgrad.diagram.style import theme_named
from symgrad.errors import UsageError

Program = tuple[str, dict]
ROOM = np.random.default_rng(7)


def xor(hidden: int) -> Program:
    text = f"""X: data[4, 2]; Y: binary[4, 1]
W1: param[2, {hidden}]; b1: param[{hidden}]; W2: param[{hidden}, 1]; b2: param[1]
H = sigmoid(X @ W1 + b1)
P = sigmoid(H @ W2 + b2)
L = bce(P, Y)"""
    at = {
        "X": np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]),
        "Y": np.array([[0.0], [1], [1], [0]]),
        "W1": ROOM.normal(size=(2, hidden)),
        "b1": ROOM.normal(size=hidden),
        "W2": ROOM.normal(size=(hidden, 1)),
        "b2": ROOM.normal(size=1),
    }
    return text, at


def vector() -> Program:
    text = """x: data[4]; t: data[4]; W: param[4, 4]; b: param[4]; V: param[4, 4]; c: param[4]
h = tanh(W @ x + b)
o = V @ h + c
L = sum((o - t)**2)/2"""
    return text, {n: ROOM.normal(size=4) for n in "xtbc"} | {
        n: ROOM.normal(size=(4, 4)) for n in "WV"
    }


def large() -> Program:
    text = """X: data[N, D]; y: labels[N, C]; W1: param[D, H]; W2: param[H, C]; b2: param[C]
s = relu(X @ W1) @ W2 + b2
L = cross_entropy(s, y) + 0.01*sum(W1**2)"""
    at = {"X": ROOM.normal(size=(32, 64)), "y": ROOM.integers(0, 10, 32), "b2": np.zeros(10)}
    return text, at | {"W1": ROOM.normal(size=(64, 12)), "W2": ROOM.normal(size=(12, 10))}


def scalar(outputs: int = 1) -> Program:
    names = ["w11", "w12", "w21", "w22", "b1", "b2", "v11", "v12", "v21", "v22"]
    lines = ["; ".join(f"{n}: param" for n in names)]
    lines += ["h1 = tanh(w11*x1 + w12*x2 + b1)", "h2 = tanh(w21*x1 + w22*x2 + b2)"]
    lines += [f"o{k} = sigmoid(v{k}1*h1 + v{k}2*h2)" for k in range(1, outputs + 1)]
    lines.append("L = " + " + ".join(f"(o{k} - y{k})**2" for k in range(1, outputs + 1)))
    inputs = ["x1", "x2", *(f"y{k}" for k in range(1, outputs + 1))]
    used = [n for n in [*names, *inputs] if n in " ".join(lines)]
    return "\n".join(lines), dict(zip(used, ROOM.normal(size=len(used)), strict=True))


PROGRAMS = {
    "xor 2": xor(2),
    "xor 4": xor(4),
    "vector": vector(),
    "large": large(),
    "scalar": scalar(),
    "scalar, two outputs": scalar(2),
    "one layer": (
        "X: data[N, 2]; w: param[2]; y: data[N]; L = mse(sigmoid(X @ w), y)",
        {"X": ROOM.normal(size=(3, 2)), "w": np.ones(2), "y": np.zeros(3)},
    ),
}


@cache
def drawn(name: str, theme: str = "light", numbers: bool = True, sample: int = 0) -> Scene:
    return draw(PROGRAMS[name], theme, numbers, sample=sample)


def draw(program: Program, theme: str = "light", numbers: bool = True, **how: int) -> Scene:
    text, at = program
    graph = sg._at(text, at) if numbers else sg.parse(text)
    result = sg.backprop(graph, at) if numbers else None
    return neurons.scene(graph, result, Options(theme_named(theme), "A title"), 2, **how)


def data(scene: Scene, role: str) -> list[dict[str, str]]:
    return [dict(g.data) for g in scene.groups if g.role == role and g.data]


def labels(scene: Scene) -> list[Label]:
    return [i for g in scene.groups for i in g.items if isinstance(i, Label)]


def overlap(a: tuple, b: tuple) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize("theme", ["light", "mono"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_labels_overlap_nothing(name: str, theme: str) -> None:
    scene = drawn(name, theme)
    for a, b in combinations(labels(scene), 2):
        assert not overlap(a.extent(), b.extent()), (a.outline.text, b.outline.text)
    circles = [
        (i, g) for g in scene.groups for i in g.items if isinstance(i, Box) and i.role == "gate"
    ]
    for (a, _), (b, _) in combinations(circles, 2):
        assert not overlap(a.extent(), b.extent())
    for group in scene.groups:
        for label in (i for i in group.items if isinstance(i, Label)):
            for box, owner in circles:
                if owner is not group:
                    assert not overlap(label.extent(), box.extent()), label.outline.text


@pytest.mark.parametrize("numbers", [True, False])
@pytest.mark.parametrize("name", PROGRAMS)
def test_everything_lies_inside_and_the_bytes_stay(name: str, numbers: bool) -> None:
    scene = drawn(name, numbers=numbers)
    for group in scene.groups:
        for item in group.items:
            left, top, right, bottom = item.extent()
            assert left >= 0 and top >= 0 and right <= scene.width and bottom <= scene.height
    ids = [g.id for g in scene.groups]
    assert len(ids) == len(dict.fromkeys(ids))
    text = svg.render(scene)
    assert text == svg.render(draw(PROGRAMS[name], numbers=numbers))
    ElementTree.fromstring(text)


@pytest.mark.parametrize("sample", [0, 1, 3])
def test_the_numbers_are_those_of_the_sample(sample: int) -> None:
    text, at = PROGRAMS["xor 4"]
    result = sg.backprop(text, at)
    names = sg.parse(text).names
    scene = drawn("xor 4", sample=sample)
    units = {d["node"]: d for d in data(scene, "node")}
    hidden = np.asarray(result.values[names["H"]])[sample]
    before = np.asarray(result.grads[names["H"].args[0]])[sample]
    for k in range(4):
        unit = units[f"h_{{{k + 1}}}"]
        assert float(unit["value"]) == hidden[k]
        assert float(unit["delta"]) == before[k]
        assert float(unit["bias"]) == at["b1"][k]
    weights = {(d["from"], d["to"]): d for d in data(scene, "edge") if "value" in d}
    for i in range(2):
        for j in range(4):
            weight = weights[f"x_{{{i + 1}}}", f"h_{{{j + 1}}}"]
            assert float(weight["value"]) == at["W1"][i, j]
            assert float(weight["grad"]) == np.asarray(result.grad["W1"])[i, j]
    assert f"sample {sample + 1} of 4" in scene.description


def test_weights_on_the_left_join_the_same_units() -> None:
    at = PROGRAMS["vector"][1]
    weights = {(d["from"], d["to"]): d for d in data(drawn("vector"), "edge") if "value" in d}
    assert float(weights["x_{1}", "h_{3}"]["value"]) == at["W"][2, 0]
    batch = "X: data[D, N]; W: param[H, D]; b: param[H, 1]; h = tanh(W @ X + b); sum(h**2)"
    given = {"X": np.arange(6.0).reshape(2, 3), "W": np.eye(3, 2), "b": np.ones((3, 1))}
    units = {d["node"]: d for d in data(draw((batch, given), sample=2), "node")}
    assert [float(units[f"x_{{{k}}}"]["value"]) for k in (1, 2)] == [2.0, 5.0]
    assert float(units["h_{1}"]["value"]) == np.tanh(3.0)


@pytest.mark.parametrize("name", ["xor 2", "xor 4", "vector", "scalar", "scalar, two outputs"])
def test_every_weight_is_printed_on_its_own_edge(name: str) -> None:
    scene = drawn(name)
    lines = {g.id: g.items[0] for g in scene.groups if g.id.startswith("w")}
    chips = {g.id: g.items for g in scene.groups if g.role == "label"}
    assert len(lines) == len(chips) > 0
    for key, items in chips.items():
        (a, b), (c, d) = (xs for _, xs in lines["w" + key[1:]].commands)
        left, top, right, bottom = items[0].extent()
        x, y = (left + right) / 2, (top + bottom) / 2
        assert a < x < c and y == pytest.approx(b + (d - b) * (x - a) / (c - a), abs=0.1)
        assert [i.colour for i in items if isinstance(i, Label)] == ["value", "gradient"]


def test_many_units_are_left_out_in_the_middle() -> None:
    scene = drawn("large")
    dots = [g for g in scene.groups if g.role == "dots"]
    assert [g.label for g in dots] == ["56 more units", "4 more units"]
    units = [d for d in data(scene, "node") if "delta" in d or "value" in d]
    assert len([d for d in units if d["node"].startswith("x_")]) == 8
    assert {"x_{1}", "x_{64}"} <= {d["node"] for d in units}
    assert not [g for g in scene.groups if g.role == "label"]
    assert "the penalty on the weights is not drawn" in scene.description
    texts = [label.outline.text for label in labels(scene)]
    assert "64 units" in texts and "hidden · ReLU" in texts


def test_the_sign_of_a_weight_is_told_by_more_than_colour() -> None:
    scene = drawn("large", "mono")
    for group in scene.groups:
        value = dict(group.data).get("value")
        if group.role == "edge" and value is not None and group.id.startswith("w"):
            line = group.items[0]
            assert isinstance(line, Path) and bool(line.dash) == (float(value) < 0)


def test_without_numbers_units_have_names() -> None:
    scene = drawn("large", numbers=False)
    texts = [label.outline.text for label in labels(scene)]
    assert "x_{D}" in texts and "h_{H-1}" in texts and "x_{D-1}" in texts
    assert "D units" in texts


def test_scalar_neurons_form_columns() -> None:
    text, at = PROGRAMS["scalar, two outputs"]
    graph = sg.parse(text)
    network = read(graph, sg.backprop(graph, at), 0)
    assert [[u.name for u in c.units] for c in network.columns] == [
        ["x_{1}", "x_{2}"],
        ["h_{1}", "h_{2}"],
        ["o_{1}", "o_{2}"],
    ]
    assert [len(w) for w in network.weights] == [4, 4]
    found = {(w.source, w.target): w.value for w in network.weights[1]}
    assert found[1, 0] == at["v12"] and found[0, 1] == at["v21"]


@pytest.mark.parametrize(
    "text",
    [
        "exp(x)*y",
        "X: data[N, D]; W: param[D, D]; h = relu(X @ W) + X; sum(h**2)",
        "X: data[N, D]; W: param[D, H]; b: param[H]; sum(relu(batch_norm(X @ W, b, b))**2)",
        "x: data[D]; W: param[D, D]; h = tanh(W @ x); k = tanh(W @ x + W @ h); sum(k**2)",
    ],
)
def test_other_graphs_are_told_which_view_to_use(text: str) -> None:
    with pytest.raises(UsageError, match="network of layers") as told:
        neurons.scene(sg.parse(text), None, Options(theme_named("light")))
    assert 'view="layers"' in str(told.value)


def test_a_sample_that_there_is_not_is_an_error() -> None:
    with pytest.raises(UsageError, match="no sample 4"):
        drawn("xor 2", sample=4)

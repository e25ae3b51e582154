"""Remarks: patterns of gates, zeros and what they stop, sign locks, and the notes below."""

from itertools import combinations

import numpy as np
import pytest

from symgrad import api as sg
from symgrad.diagram import Box, Label, Path, Scene, build
from symgrad.diagram.callouts import wrapped
from symgrad.diagram.cards import Numbers
from symgrad.diagram.compose import Options, compose
from symgrad.diagram.digits import Decimals
from symgrad.diagram.from_graph import Drawing, draw
from symgrad.diagram.remarks import KINDS, find, wanted
from symgrad.diagram.style import theme_named
from symgrad.diagram.tensor import peaks
from symgrad.errors import UsageError
from symgrad.graph import Graph
from symgrad.ops import leaf, make

DEAD = "w: param; b: param; v: param\nh = relu(w*x + b)\nL = (v*h + c - y)**2"
DEAD_AT = {"w": -2, "x": 3, "b": 1, "v": 0.5, "c": 2, "y": 1}
NEURON = "w1: param; w2: param; b: param\nL = (sigmoid(w1*x1 + w2*x2 + b) - y)**2"
NEURON_AT = {"w1": -1, "w2": 0.4, "x1": 1, "x2": 2, "b": 0.5, "y": 1}


def drawing(text: str, at: dict | None, wrt: list[str] | None = None) -> Drawing:
    graph = sg.parse(text)
    return draw(graph, None if at is None else sg.backprop(graph, at, wrt))


def scene(found: Drawing, *remarks: str, align: str = "compact") -> Scene:
    decimals = Decimals.suited(peaks(found.arrays()))
    options = Options(theme_named("light"), remarks=remarks, align=align)
    return compose(found, Numbers(decimals, False, found.arrays()), options)


def texts(found: Drawing, *remarks: str) -> dict[str, str]:
    """Map keys of nodes to what is written below them."""
    remarked = find(found, remarks)
    return {found.nodes[n].key: "; ".join(lines) for n, lines in remarked.texts.items()}


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("x + y", {"x": 1, "y": 2}, "distributes"),
        ("x - y", {"x": 1, "y": 2}, "distributes ±"),
        ("x*y", {"x": 1, "y": 2}, "switches"),
        ("x*3", {"x": 1}, "scales"),
        ("x + 3", {"x": 1}, "passes on"),
        ("-x", {"x": 1}, "turns the sign"),
        ("3 - x", {"x": 1}, "turns the sign"),
        ("relu(x)", {"x": 1}, "gates"),
        ("maximum(x, y)", {"x": 1, "y": 2}, "routes to y"),
        ("minimum(x, y)", {"x": 1, "y": 2}, "routes to x"),
        ("maximum(x, y)", None, "routes"),
        ("maximum(x*x, y + 1)", {"x": 1, "y": 2}, "routes to the second"),
        ("maximum(x, 5)", {"x": 1}, "routes to the constant"),
        ("maximum(x, 5)", {"x": 7}, "routes to x"),
        ("where(x > y, x, y)", {"x": 3, "y": 2}, "routes to x"),
        ("exp(x)", {"x": 1}, None),
        ("x/y", {"x": 1, "y": 2}, None),
    ],
)
def test_patterns_are_named_at_the_gates(text: str, at: dict | None, said: str | None) -> None:
    found = drawing(text, at)
    written = texts(found, "patterns")
    assert written.get(found.nodes[found.outputs[0]].key) == said
    assert bool(find(found, ["patterns"]).notes) == (said is not None or ">" in text)


def test_a_copy_sums() -> None:
    assert texts(drawing("x*x", {"x": 3}), "patterns")["x"] == "copy sums"
    assert texts(drawing("exp(x) + x", None), "patterns")["x"] == "copy sums"
    # A branch that nobody asked for brings nothing to sum.
    assert "y" not in texts(drawing("x*y + y", {"x": 3, "y": 1}, ["x"]), "patterns")


def test_a_dead_unit_is_told_where_it_dies() -> None:
    found = drawing(DEAD, DEAD_AT)
    keys = {n.key: n.id for n in found.nodes}
    remarks = find(found, ["zeros"])
    assert texts(found, "zeros")["h"] == "local derivative 0: nothing flows back from here"
    still = {found.nodes[n].key for n in remarks.still}
    assert {"w", "b"} <= still and not {"h", "L"} & still
    assert {found.edges[e].source for e in remarks.still_edges} >= {keys["w"], keys["b"]}
    note = next(line for line in remarks.notes if "ReLU (h)" in line)
    assert "−5.00" in note and "w, b" in note


def test_a_zero_is_marked_without_colour() -> None:
    found = drawing(DEAD, DEAD_AT)
    plain, marked = scene(found), scene(found, "zeros")
    frames = [i for g in marked.groups for i in g.items if isinstance(i, Box) and i.role == "zero"]
    assert len(frames) == sum(n.grad is not None and not n.grad for n in found.nodes)
    assert not any(i.role == "zero" for g in plain.groups for i in g.items)
    thin = {g.id: g.items[0].width for g in marked.groups if g.role == "edge"}
    thick = {g.id: g.items[0].width for g in plain.groups if g.role == "edge"}
    stopped = [e for e in found.edges if e.grad is not None and not e.grad]
    assert stopped and all(thin[f"e{e.id}"] < thick[f"e{e.id}"] for e in stopped)
    others = [g.items[0] for g in marked.groups if g.id not in {f"e{e.id}" for e in stopped}]
    assert not [i for i in others if isinstance(i, Path) and i.width < 1.5]


def test_zeros_of_one_operand_name_it() -> None:
    found = texts(drawing("f = x*y", {"x": 2, "y": 0}), "zeros")
    assert found == {"f": "local derivative 0 for x: nothing flows back there"}
    found = texts(drawing("f = exp(x)*y", {"x": 2, "y": 0}), "zeros")
    assert found == {"f": "local derivative 0 for the first operand"}
    found = texts(drawing("f = x - x", {"x": 2}), "zeros")
    assert found == {"x": "branches cancel: the sum is 0"}


def test_nothing_is_said_where_nothing_is_zero() -> None:
    assert not texts(drawing("f = x*y", {"x": 2, "y": 1e-300}), "zeros")
    assert not find(drawing("f = x*y", {"x": 2, "y": 3}), ["zeros"]).notes
    assert not find(drawing("f = x*y", None), ["zeros", "signs"]).notes


def test_sign_lock_of_a_neuron() -> None:
    found = drawing(NEURON, NEURON_AT)
    said = texts(found, "signs")
    assert said["w1"] == said["w2"] == "shares the sign of ∂L/∂z: −"
    assert [v for k, v in said.items() if k not in ("w1", "w2")] == ["z: its inputs are > 0"]
    (note,) = find(found, ["signs"]).notes
    assert "x1, x2" in note and "∂L/∂w1, ∂L/∂w2" in note
    grads = [n.grad for n in found.nodes if n.key in ("w1", "w2")]
    assert all(g is not None and g < 0 for g in grads)


@pytest.mark.parametrize(
    "change", [{"x1": -1}, {"x2": 0}], ids=["an input is negative", "an input is 0"]
)
def test_no_sign_lock_without_positive_inputs(change: dict) -> None:
    assert not texts(drawing(NEURON, NEURON_AT | change), "signs")


def test_sign_lock_avoids_names_that_are_taken() -> None:
    at = {"z" if name == "y" else name: value for name, value in NEURON_AT.items()}
    found = drawing(NEURON.replace("- y", "- z"), at)
    assert texts(found, "signs")["w1"] == "shares the sign of ∂L/∂z1: −"


def test_sign_lock_of_a_matrix() -> None:
    text = "X: data[3, 2]; W: param[2, 2]\nZ = X @ W\nL = sum(Z*Z)"
    at = {"X": np.array([[1.0, 2], [0, 1], [3, 0]]), "W": np.array([[1.0, -1], [0.5, 2]])}
    said = texts(drawing(text, at), "signs")
    assert said["W"] == "per sample: shares the sign of ∂L/∂Z"
    assert not texts(drawing(text, at | {"X": -at["X"]}), "signs")


@pytest.mark.parametrize("kinds", [("patterns",), ("zeros",), ("signs",), ("all",)])
@pytest.mark.parametrize("align", ["compact", "left"])
@pytest.mark.parametrize("case", [(DEAD, DEAD_AT), (NEURON, NEURON_AT)], ids=["dead", "neuron"])
def test_remarks_overlap_nothing(case: tuple, kinds: tuple, align: str) -> None:
    found = drawing(*case)
    drawn = scene(found, *kinds, align=align)
    labels = [i for g in drawn.groups for i in g.items if isinstance(i, Label)]
    labels = [i for i in labels if i.role != "symbol"]
    shapes = [g.items[0] for g in drawn.groups if g.role == "node"]
    for a, b in [*combinations(labels, 2), *((a, b) for a in labels for b in shapes)]:
        k, m = a.extent(), b.extent()
        assert not (k[0] < m[2] and m[0] < k[2] and k[1] < m[3] and m[1] < k[3]), (a, b)
    for item in labels:
        left, top, right, bottom = item.extent()
        assert left >= 0 and top >= 0 and right <= drawn.width and bottom <= drawn.height


def test_notes_stand_below_the_diagram() -> None:
    drawn = scene(drawing(NEURON, NEURON_AT), "all")
    (notes,) = [g for g in drawn.groups if g.role == "notes"]
    top = min(i.extent()[1] for i in notes.items)
    for group in drawn.groups:
        if group is not notes:
            assert max(i.extent()[3] for i in group.items) < top
    assert "Sign lock" in notes.label


def test_without_remarks_nothing_is_added() -> None:
    drawn = scene(drawing(DEAD, DEAD_AT))
    assert not any(i.role in ("remark", "note") for g in drawn.groups for i in g.items)
    assert find(drawing(DEAD, DEAD_AT), []).notes == ()


def test_unknown_remarks_are_refused() -> None:
    assert wanted(["all"]) == KINDS and wanted(["signs", "patterns"]) == ("patterns", "signs")
    with pytest.raises(UsageError, match="known are: all, patterns"):
        wanted(["jokes"])


def test_lines_are_broken() -> None:
    assert wrapped("", 100) == []
    lines = wrapped("x" * 200 + " and more", 100)
    assert "".join(lines).replace("and", "").replace("more", "").strip().count("x") == 200
    assert len(lines) > 5


@pytest.mark.parametrize("name", ["<script>", "a\nb\u202e", "x" * 5000, "\\write18{ls}", '"'])
def test_hostile_names_stay_text(name: str) -> None:
    one, other = leaf(name), leaf("y")
    graph = Graph.of([make("maximum", one, other)], names={name: one, "y": other}, source="")
    found = draw(graph, sg.backprop(graph, {name: 2, "y": 1}))
    drawn = scene(found, "all")
    labels = [i for g in drawn.groups for i in g.items if isinstance(i, Label)]
    assert all(not i.outline.latex for i in labels if i.role in ("note", "remark"))
    assert all(len(i.outline.text) < 120 for i in labels)
    assert build(graph).to_svg()

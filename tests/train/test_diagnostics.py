"""Facts about layers: against numbers computed without them, and against the diagram's cards."""

import json
import re
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.diagram.layers import says
from symgrad.diagram.layers.figures import facts as facts_of_card
from symgrad.diagram.layers.find import find
from symgrad.diagram.layers.fold import plan
from symgrad.diagram.layers.print import Printer
from symgrad.diagram.layers.units import locked, twins
from symgrad.train.diagnostics import LayerFacts, Timeline, Watch, probe
from symgrad.train.diagnostics.layers import layers

TEXT = """X: data[N, D]; t: labels[N, C]
W1: param[D, H]; b1: param[H]
W2: param[H, C]; b2: param[C]
h = ACT(X @ W1 + b1)
s = h @ W2 + b2
loss = cross_entropy(s, t) + 0.01*sum(W1**2)"""


def point(seed: int = 0, rows: int = 60) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "X": rng.normal(size=(rows, 7)),
        "t": rng.integers(0, 3, rows),
        "W1": rng.normal(size=(7, 5)),
        "b1": rng.normal(size=5),
        "W2": rng.normal(size=(5, 3)),
        "b2": np.zeros(3),
    }


def facts(act: str, at: dict[str, Any], **options: Any) -> tuple[LayerFacts, ...]:
    return probe(sg.parse(TEXT.replace("ACT", act)), at, **options)


def test_what_a_layer_is() -> None:
    first, last = facts("relu", point())
    assert (first.name, first.activation, first.line, first.units, first.fan_in) == (
        "h", "relu", 4, 5, 7,
    )  # fmt: skip
    assert (first.samples, first.weights, first.output) == (60, ("W1",), False)
    assert (last.name, last.activation, last.output, last.fan_in) == ("s", "linear", True, 5)


def test_numbers_agree_with_numpy() -> None:
    at = point()
    before = {k: v - 0.001 * np.abs(v) for k, v in at.items() if k[0] in "Wb"}
    first, last = facts("tanh", at, before=before)
    z = at["X"] @ at["W1"] + at["b1"]
    assert first.before.mean == pytest.approx(z.mean())
    assert first.before.variance == pytest.approx(z.var())
    assert first.before.percentiles == pytest.approx(np.percentile(z, [15, 50, 85]))
    assert first.after.variance == pytest.approx(np.tanh(z).var())
    assert sum(first.after.counts) == z.size
    _, grads = sg.compile(TEXT.replace("ACT", "tanh"))(**at)
    norms = [float(np.linalg.norm(grads[name])) for name in ("W1", "W2")]
    assert [first.gradient, last.gradient] == pytest.approx(norms)
    assert first.ratio == pytest.approx(norms[0] / norms[1]) and last.ratio is None
    assert first.weight == pytest.approx(np.linalg.norm(at["W1"]))
    moved = np.linalg.norm(at["W1"] - before["W1"]) / np.linalg.norm(before["W1"])
    assert first.update == pytest.approx(moved)
    level = 1 - np.tanh(z) ** 2 < 0.1
    assert first.saturated == pytest.approx(level.mean())
    assert first.saturated_units == tuple(np.flatnonzero(level.mean(axis=0) >= 0.95))


def test_dead_units_are_off_on_all_samples() -> None:
    at = point()
    at["b1"] = np.array([0.0, -99.0, 0.0, 0.0, -99.0])
    first, _ = facts("relu", at)
    z = at["X"] @ at["W1"] + at["b1"]
    assert first.dead_units == (1, 4) and first.dead == 0.4
    assert first.zeros == pytest.approx(np.mean(z <= 0))
    assert facts("leaky_relu", at)[0].dead is None
    assert facts("sigmoid", at)[0].saturated_units == (1, 4)


@pytest.mark.parametrize("act", ["relu", "tanh", "sigmoid"])
def test_cards_of_the_diagram_say_the_same(act: str) -> None:
    at = point()
    at["W1"] = 3 * at["W1"]
    at["b1"] = np.array([0.0, -99.0, 0.0, 0.0, -99.0])
    first, last = facts(act, at)
    g = sg.parse(TEXT.replace("ACT", act))
    svg = sg.diagram(g, at=at, view="layers").to_svg()
    word, share = ("dead", first.dead) if act == "relu" else ("saturated", first.saturated)
    assert share is not None and share >= 0.4 and f'data-{word}-first="{share!r}"' in svg
    sizes = re.findall(r'data-weight-gradient-rms-first="([^"]+)"', svg)
    drawn = [f"{fact.gradient_rms:.9g}" for fact in (first, last)]
    assert drawn == sizes  # the digits that every BLAS gives


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("1/(1 + exp(-(X @ W1 + b1)))", "sigmoid"),
        ("maximum(0, X @ W1 + b1)", "relu"),
        ("(X @ W1 + b1)**2", "z²"),
    ],
)
def test_activations_that_are_written_out(written: str, name: str) -> None:
    g = sg.parse(TEXT.replace("ACT(X @ W1 + b1)", written))
    first, _ = probe(g, point())
    assert (first.name, first.activation) == ("h", name)
    if name != "z²":
        plain = facts(name, point())[0]
        assert (first.saturated, first.dead) == (plain.saturated, plain.dead)
        assert first.before == plain.before


def test_samples_may_be_columns_or_a_neuron_alone() -> None:
    at = point()
    g = sg.parse("X: data[D, N]; W: param[H, D]; v: param[H]; loss = sum((v @ tanh(W @ X))**2)")
    first, last = probe(g, {"X": at["X"].T, "W": at["W1"].T, "v": np.ones(5)})
    assert (first.units, first.samples, first.fan_in, last.units) == (5, 60, 7, 1)
    z = at["X"] @ at["W1"]
    assert first.saturated == pytest.approx(np.mean(1 - np.tanh(z) ** 2 < 0.1))
    g = sg.parse("X: data[N, D]; y: binary[N]; w: param[D]; p = sigmoid(X @ w); bce(p, y)")
    (neuron,) = probe(g, {"X": at["X"], "y": at["t"] > 1, "w": 99 * at["W1"][:, 0]})
    assert (neuron.units, neuron.samples, neuron.saturated_units) == (1, 60, (0,))


def test_one_sign_and_twins() -> None:
    rng = np.random.default_rng(0)
    x, delta = rng.uniform(1, 2, 8), np.array([1.0, -2.0, 0.0])
    assert locked(np.outer(x, delta)) == 1.0
    assert locked(np.outer(rng.normal(size=8), delta)) == 0.0
    assert locked(np.outer(x[:3], delta)) is None and locked(np.zeros((9, 3))) is None
    w = rng.normal(size=(6, 4))
    w[:, 3] = w[:, 1]
    g = rng.normal(size=(6, 4))
    assert twins(w, None) == (1, 3) and twins(w, g) == ()
    g[:, 3] = g[:, 1] * (1 + 1e-12)
    assert twins(w, g) == (1, 3)
    w[0, 0] = np.nan
    assert twins(w, g) == ()


def test_inputs_of_one_sign_lock_the_gradients() -> None:
    at = point()
    at["X"] = np.abs(at["X"]) + 20
    first, last = facts("tanh", at)
    assert first.inputs == "positive" and first.locked == 1.0
    assert last.inputs == "both"
    centred = facts("tanh", point())[0]
    assert centred.inputs == "both" and (centred.locked or 0) < 0.5


def test_constant_weights_make_identical_units() -> None:
    at = point()
    at |= {"W1": np.full((7, 5), 0.1), "b1": np.zeros(5), "W2": np.full((5, 3), 0.1)}
    first, last = facts("tanh", at)
    # The classes differ in their gradients, so the last layer's units part.
    assert first.identical == (0, 1, 2, 3, 4) and last.identical == ()


def test_a_card_says_that_all_units_are_alike() -> None:
    at = point()
    g = sg.parse(TEXT.replace("ACT", "tanh"))
    cards = []
    for w in (0.1 * at["W1"], np.full((7, 5), 0.1)):
        b = sg.backprop(g, at | {"W1": w, "b1": np.zeros(5), "W2": np.full((5, 3), 0.1)})
        flow, units = find(g)
        layer = next(u for u in units if u.kind == "layer")
        told = facts_of_card(flow, layer, b)
        piece = next(
            p
            for p in plan(flow, units, lambda n: n.shape, lambda u: True).pieces
            if p.kind == "layer"
        )
        text = says.text(piece, (told, told), flow, lambda n: n.shape, Printer.suited([1.0], [], 2))
        cards.append((text.status, text.alarm))
    assert cards == [("saturated 0%", False), ("all units alike", True)]


def test_numbers_that_are_none() -> None:
    at = point()
    at["W1"] = np.full((7, 5), np.inf)
    found = facts("relu", at)
    assert found[0].nonfinite > 0 and found[1].nonfinite == 1.0
    text = json.dumps([f.to_json() for f in found], allow_nan=False)
    again = [LayerFacts.from_json(d) for d in json.loads(text)]
    assert repr(again) == repr(list(found))


def test_graphs_without_layers_and_empty_batches() -> None:
    assert probe(sg.parse("x*y"), {"x": 1.0, "y": 2.0}) == ()
    with pytest.raises(sg.DataError, match="'X' is empty"):
        facts("relu", point(rows=0))


def test_names_are_told_apart() -> None:
    text = "X: data[N, D]; W: param[D, D]; h = tanh(X @ W); sum((h @ W)**2) + sum((X @ W)**2)"
    names = [n.name for n in layers(sg.parse(text))[1]]
    assert len(names) == len(dict.fromkeys(names)) > 1


def test_a_watch_is_resumed_from_json() -> None:
    at = point()
    g = sg.parse(TEXT.replace("ACT", "relu"))
    params = {k: v for k, v in at.items() if k[0] in "Wb"}
    batch = {k: at[k] for k in ("X", "t")}

    def steps(watch: Watch, numbers: range) -> None:
        for k in numbers:
            scaled = {n: v * (1 + k) for n, v in params.items()}
            watch.record(k, scaled, params, epoch=k / 2, rate=0.1)

    whole, part = Watch(g, batch), Watch(g, batch)
    steps(whole, range(4))
    steps(part, range(2))
    kept = json.loads(json.dumps(part.timeline.to_json(), allow_nan=False))
    rest = Watch(g, batch, Timeline.from_json(kept))
    steps(rest, range(2, 4))
    assert rest.timeline.to_json() == whole.timeline.to_json()
    assert rest.timeline.steps == [0, 1, 2, 3] and rest.timeline.epochs[3] == 1.5
    assert rest.timeline.series["h"]["update"] == pytest.approx([0.0, 1.0, 2.0, 3.0])
    assert rest.timeline.first == probe(g, at, before=params)
    with pytest.raises(sg.DataError, match="version 9"):
        Timeline.from_json({**kept, "version": 9})

"""Findings: planted faults are found, healthy networks are left in peace."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.train.diagnostics import (
    Finding,
    Timeline,
    Watch,
    drift,
    findings,
    markdown,
    printed,
    probe,
)
from symgrad.train.diagnostics.finding import SEVERITIES

D, C, ROWS, BATCH = 16, 5, 320, 40
Trained = tuple[Timeline, list[dict[str, Any]]]


def data(shift: float = 0.0) -> dict[str, Any]:
    """Make classes around points of a cube; a few rows are of the wrong class."""
    rng = np.random.default_rng(0)
    t = rng.integers(0, C, ROWS)
    places = rng.normal(size=(C, D))
    return {"X": places[t] + 0.8 * rng.normal(size=(ROWS, D)) + shift, "t": t}


def network(act: str, widths: list[int], norm: bool = False) -> str:
    lines, below, h = ["X: data[N, D]; t: labels[N, C]"], "D", "X"
    for k, _ in enumerate(widths, 1):
        lines.append(f"W{k}: param[{below}, H{k}]; b{k}: param[H{k}]; g{k}: param[H{k}]")
        z = f"batch_norm({h} @ W{k}, g{k}, b{k})" if norm else f"{h} @ W{k} + b{k}"
        lines.append(f"h{k} = " + (f"({z})**2" if act == "square" else f"{act}({z})"))
        below, h = f"H{k}", f"h{k}"
    lines += [f"V: param[{below}, C]; c: param[C]", f"s = {h} @ V + c"]
    return "\n".join([*lines, "loss = cross_entropy(s, t)"])


def start(widths: list[int], scale: str) -> dict[str, Any]:
    rng = np.random.default_rng(1)
    sizes, found = [D, *widths, C], {}
    for k, (a, b) in enumerate(pairwise(sizes), 1):
        spread = {"he": (2 / a) ** 0.5, "glorot": (2 / (a + b)) ** 0.5, "normal": 1.0,
                  "small": 0.01, "zero": 0.0}.get(scale, 0.0)  # fmt: skip
        end = k == len(sizes) - 1
        weight = rng.normal(size=(a, b)) * spread if scale != "constant" else np.full((a, b), 0.1)
        found |= {"V" if end else f"W{k}": weight, "c" if end else f"b{k}": np.zeros(b)}
        found |= {} if end else {f"g{k}": np.ones(b)}
    return found


def train(text: str, params: Mapping[str, Any], rate: float, epochs: int = 6,
          batch: Mapping[str, Any] | None = None, size: int = BATCH) -> Trained:  # fmt: skip
    """Train by plain gradient descent on mini-batches, and watch."""
    given = batch or data()
    graph = sg.parse(text)
    f = sg.compile(graph)
    watch, history, step = Watch(graph, given), list[dict[str, Any]](), 0
    rng, p = np.random.default_rng(2), {k: v.copy() for k, v in params.items()}
    watch.record(0, p, epoch=0, rate=rate)
    before = p
    for epoch in range(1, epochs + 1):
        losses, order = [], rng.permutation(ROWS)
        for k in range(0, ROWS, size):
            rows = {name: v[order[k : k + size]] for name, v in given.items()}
            with np.errstate(all="ignore"):
                loss, grads = f(**rows, **p)
                before, p = p, {n: v - rate * grads[n] for n, v in p.items()}
            losses.append(float(loss))
            step += 1
            if Watch.due(step, ROWS // size):
                watch.record(step, p, before, epoch=step * size / ROWS, rate=rate)
        history.append({"epoch": epoch, "loss": float(np.mean(losses))})
    return watch.timeline, history


def what(found: list[Finding]) -> dict[str, Finding]:
    assert all(f.said and f.why and f.severity in SEVERITIES for f in found)
    assert [f.severity for f in found] == sorted((f.severity for f in found), key=SEVERITIES.index)
    return {f.what: f for f in found}


@pytest.mark.parametrize(
    ("act", "widths", "scale", "rate", "norm"),
    [
        ("relu", [32, 32], "he", 0.1, False),
        ("tanh", [32, 32], "glorot", 0.1, False),
        ("relu", [32, 32], "he", 0.1, True),
        ("relu", [], "zero", 0.1, False),
        ("gelu", [32], "he", 0.1, False),
        ("sigmoid", [32], "glorot", 0.5, False),
        ("tanh", [24] * 5, "glorot", 0.05, False),
    ],
)
def test_healthy_networks_are_left_in_peace(
    act: str, widths: list[int], scale: str, rate: float, norm: bool
) -> None:
    timeline, history = train(network(act, widths, norm), start(widths, scale), rate)
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert findings(timeline, history) == []
    assert findings(timeline.first) == findings(timeline.last) == []


def test_a_deep_sigmoid_network_loses_its_gradient() -> None:
    trained = train(network("sigmoid", [24] * 7), start([24] * 7, "glorot"), 0.5)
    found = what(findings(*trained))["vanishing gradient"]
    assert found.where == "h1 … s" and found.line == 3 and "from the start" in found.said
    assert found.evidence["bound"] == 0.25 and 0.05 < found.evidence["factor"] < 0.5
    assert "at most 0.25, at x = 0" in found.why and "ReLU" in found.hint


def test_a_gradient_that_vanished_at_first_is_told_where_little_was_learned() -> None:
    widths = [24] * 8
    first, _ = train(network("sigmoid", widths), start(widths, "glorot"), 0.0, 1)
    last, _ = train(network("relu", widths), start(widths, "he"), 0.0, 1)
    mixed = replace(first, last=last.last)
    assert "vanishing gradient" not in what(findings(mixed, losses(2.3, 1.5, 0.6, 0.4, 0.3, 0.2)))
    found = what(findings(mixed, losses(2.3, 2.3, 2.2, 2.2, 2.1, 2.0)))["vanishing gradient"]
    assert found.said.startswith("at the start, ") and found.severity == "warning"


def test_units_die_after_a_large_step() -> None:
    trained = train(network("relu", [32, 32]), start([32, 32], "he"), 8.0)
    found = what(findings(*trained))["dead units"]
    assert found.severity == "error" and found.step is not None and 0 < found.step <= 8
    assert found.evidence["rate"] == 8.0 and found.evidence["update"] > 0.1
    assert f"and {found.step}, at the rate 8, steps of up to" in found.said
    assert "steps too large" in what(findings(*trained))


def test_a_standard_normal_start_saturates() -> None:
    for act in ("tanh", "sigmoid"):
        trained = train(network(act, [32, 32]), start([32, 32], "normal"), 0.1, 4)
        found = what(findings(*trained))["saturated units"]
        assert found.where == "h1, h2" and "from the start" in found.said
        assert "Glorot" in found.hint and "1/√" in found.hint
        healthy = train(network(act, [32, 32]), start([32, 32], "glorot"), 0.1, 4)
        assert "saturated units" not in what(findings(*healthy))


def test_squares_and_large_weights_explode() -> None:
    first, _ = train(network("square", [24] * 3), start([24] * 3, "he"), 0.0, 1)
    found = what(findings(first))["exploding values"]
    assert "24" not in found.where and found.evidence["factor"] > 2
    assert "the derivative of z² has no bound" in found.why and "at most linearly" in found.hint
    large, _ = train(network("relu", [32] * 3), start([32] * 3, "normal"), 0.0, 1)
    found = what(findings(large))["exploding values"]
    assert found.evidence["factor"] > 3 and "2/fan_in" in found.hint
    small, _ = train(network("tanh", [32] * 3), start([32] * 3, "small"), 0.0, 1)
    assert "fading values" in what(findings(small))


def test_numbers_that_are_none_are_said_first() -> None:
    trained = train(network("square", [24] * 3), start([24] * 3, "he"), 1.0, 2)
    found = findings(*trained)
    assert found[0].what == "not finite" and found[0].severity == "error"


@pytest.mark.parametrize("scale", ["zero", "constant"])
@pytest.mark.parametrize("act", ["relu", "tanh"])
def test_units_that_start_alike_stay_alike(act: str, scale: str) -> None:
    trained = train(network(act, [16, 16]), start([16, 16], scale), 0.1, 4)
    found = what(findings(*trained))["identical units"]
    assert found.severity == "error" and found.where == "h1, h2"
    assert ("weights 0" in found.said) == (scale == "zero")
    assert "dead units" not in what(findings(*trained))


def test_data_that_are_not_centred_lock_the_gradients() -> None:
    shifted = train(network("relu", [32]), start([32], "he"), 1e-4, 4, data(20.0))
    found = what(findings(*shifted))["gradients of one sign"]
    assert "h1" in found.where and "centre the data" in found.hint


def test_steps_that_are_too_small_or_too_large() -> None:
    slow = what(findings(*train(network("relu", [16]), start([16], "he"), 1e-6)))
    assert {"steps too small", "hardly anything is learned"} <= set(slow)
    assert "larger rate" in slow["steps too small"].hint
    fast = what(findings(*train(network("relu", [16]), start([16], "he"), 20.0)))
    assert "steps too large" in fast or "weights run away" in fast


def test_weights_that_start_at_zero_have_nothing_to_be_compared_with() -> None:
    own = {"update": [None, 9.0, 0.5, 0.01, 0.001], "weight": [0.0, 1e-3, 0.01, 1.0, 1.1]}
    rest = dict.fromkeys(("low", "median", "high"), [0.0] * 5)
    timeline = Timeline([0, 1, 2, 3, 4], [None] * 5, [0.1] * 5, {"s": {**own, **rest}})
    assert findings(timeline) == []
    timeline.series["s"]["weight"] = [1e-3, 1e-3, 0.01, 1.0, 1.1]
    assert [f.what for f in findings(timeline)] == ["weights run away", "steps too large"]


def test_a_batch_normalised_network_keeps_its_percentiles() -> None:
    moved = {}
    for norm in (False, True):
        text, params = network("relu", [32, 32], norm), start([32, 32], "he")
        timeline, history = train(text, params, 0.8)
        moved[norm] = max(drift(timeline)[name] for name in ("h1", "h2"))
        noted = what(findings(timeline, history, notes=True))
        assert ("percentiles under batch normalisation" in noted) == norm
    assert moved[True] < moved[False] / 2


def losses(*values: float) -> list[dict[str, Any]]:
    return [{"epoch": k, "loss": v} for k, v in enumerate(values, 1)]


def test_losses_tell_their_own_faults() -> None:
    empty = Timeline()

    def of(history: list[dict[str, Any]]) -> list[str]:
        return [f.what for f in findings(empty, history)]

    falling = [2.0 * 0.8**k for k in range(20)]
    assert of(losses(*falling)) == [] and of(losses(*falling[:3])) == []
    noisy = [v + 0.002 * (-1) ** k for k, v in enumerate(falling)]
    assert of(losses(*noisy)) == []
    assert of(losses(*[2 + (-1) ** k * 0.5 for k in range(12)])) == ["the loss zigzags"]
    assert of(losses(*[2.3] * 8)) == ["hardly anything is learned"]
    assert of(losses(*[2.3 - 0.05 * k for k in range(20)])) == ["learning is slow"]
    both = [
        {**h, "validation_loss": 0.5 + abs(k - 6) * 0.05} for k, h in enumerate(losses(*falling))
    ]
    (found,) = findings(empty, both)
    assert found.what == "overfitting" and found.evidence["epoch"] == 7
    assert "epoch 7" in found.said and "patience" in found.hint
    fine = [{**h, "validation_loss": h["loss"] + 0.1} for h in losses(*falling)]
    assert of(fine) == []


def test_text_and_markdown() -> None:
    at = {**data(), **start([32], "normal")}
    facts = probe(sg.parse(network("tanh", [32])), at)
    found = findings(facts)
    text = printed(facts, found)
    assert max(map(len, text.splitlines())) <= 100
    assert "saturated" in text.splitlines()[1] and "hint: start with smaller weights" in text
    rows = markdown(facts, found).splitlines()
    assert len({row.count("|") for row in rows if row.startswith("|")}) == 1
    assert "- **warning: saturated units** in h1" in rows[-1]
    evil = Finding("dead units", "a|b<i>", "error", "x", why="w", hint="h")
    assert "a\\|b\\<i>" in markdown([], [evil])

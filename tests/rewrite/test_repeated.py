"""Forms that are made again for a like expression are those that would be written for it."""

import importlib
import random

import pytest

import symgrad as sg
from symgrad.parse import rows

repeated = importlib.import_module("symgrad.rewrite.repeated")
normal = importlib.import_module("symgrad.rewrite.normal")
LAYERS = ("tanh({u})", "{u}**2", "{u}/(1 + {u}**2)", "exp(-{u}**2)", "sigmoid({u})", "sin({u})*{h}",
          "{h} - {u}*{h}/3", "relu({u})", "({h} - {u})**2*{h}", "sqrt(1 + {u}**2)", "abs({u})",
          "0.5*{u}*(1 + tanh({u}))", "{u}*exp({u})/(1 + exp({u}))",
          "-{h}/({u}**2 + 2)")  # fmt: skip


def network(seed: int) -> str:
    """Write a network of named steps, many of them alike."""
    chosen = random.Random(seed)
    steps, lines = chosen.sample(LAYERS, 3), ["x: data[N, D]", "h0 = x"]
    for k in range(1, 9):
        lines.append(f"W{k}: param[D, D]")
        lines.append(f"u{k} = h{k - 1} @ W{k}")
        lines.append(f"h{k} = " + chosen.choice(steps).format(u=f"u{k}", h=f"h{k - 1}"))
    return "\n".join([*lines, "loss = mean(h8**2)"])


def test_layers_have_the_forms_that_are_written_for_them(monkeypatch):
    """What is made again is the very node that would be found without a memory."""
    hits = []

    def compared(order, named, write):
        hit = repeated._structure(order, named) in repeated._KNOWN
        found, expected = repeated.again(order, named, write), write()
        assert len(found) == len(expected)
        assert all(a is b for a, b in zip(found, expected, strict=True))
        hits.append(hit)
        return found

    monkeypatch.setattr(normal, "again", compared)
    monkeypatch.setattr(repeated, "_KNOWN", {})
    for seed in range(10):
        sg.compile(network(seed), style="readable")
    assert sum(hits) > 10


@pytest.mark.parametrize("seed", range(6))
def test_rows_say_of_arrays_what_they_say_when_read(seed, monkeypatch):
    """The text of a row that is repeated for other arrays gives the node that reading gives."""
    made = rows._again
    seen = []

    def compared(recorded, bound):
        found = made(recorded, bound)
        seen.append((found, dict(bound)))
        return found

    monkeypatch.setattr(rows, "_again", compared)
    text = network(seed)
    with_memory = sg.compile(text + "\n", style="readable").source
    monkeypatch.setattr(rows, "_even", lambda text: False)
    assert sg.compile(text, style="readable").source == with_memory
    assert any(n.shape for _, bound in seen for n in bound.values())


def test_labels_and_large_constants_are_read_each_time():
    """Of labels it matters which classes they have, of large arrays what they are made of."""
    labels = sg.parse("y: labels[N, C]; x: param[N, C]; cross_entropy(x, y)").inputs
    kinds = tuple((n.shape, n.dtype) for n in labels)
    assert rows._recorded("a*b", ("a", "b"), (None, None), kinds, ()) == ()
    wide = (((10**9,), "float"),) * 2
    assert rows._recorded("a*b", ("a", "b"), (None, None), wide, ()) == ()


def test_a_form_keeps_no_graph_alive():
    """The memory holds operators and places, no node of the expression but numbers."""
    sg.compile(network(3))
    for recorded in repeated._KNOWN.values():
        items = recorded[0] if recorded else ()
        assert all(isinstance(item, int) or isinstance(item[0], str) for item in items)
    for key, _ in repeated._KNOWN:
        assert all(isinstance(item, tuple) or item.op == "const" for item in key)

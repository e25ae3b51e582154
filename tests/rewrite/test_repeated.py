"""Forms that are made again for a like expression are those that would be written for it."""

import importlib
import random

import pytest

import symgrad as sg
from symgrad.ops import leaf, make
from symgrad.parse import rows
from symgrad.rewrite.tidy import keeping

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


def filtered(seed: int) -> str:
    """Write steps in entries of data, with parameters: values that are sums of other values."""
    chosen = random.Random(seed)
    blends = ("a*y[{k}] + (1 - a)*{h}", "{h} + b*(y[{k}] - {h})", "logaddexp({h}, y[{k}]*{g})",
              "{g}*{h}/(a + {h}**2)", "where({h} > {g}, {h}*a, {g})", "a*({h} - {g}) + y[{k}]/b",
              "sigmoid({h})*{g} + (1 - sigmoid({h}))*y[{k}]", "abs({h} - y[{k}])*{g}",
              "{h}**2*y[{k}] - {g}/a")  # fmt: skip
    chosen_blends = chosen.sample(blends, 3)
    lines = ["y: data[12]", "a: param", "b: param", "h0 = a", "g0 = b"]
    for k in range(1, 9):
        one, two = chosen_blends[k % 3], chosen_blends[(k + 1) % 3]
        lines.append(f"h{k} = " + one.format(h=f"h{k - 1}", g=f"g{k - 1}", k=k))
        lines.append(f"g{k} = " + two.format(h=f"h{k}", g=f"g{k - 1}", k=k))
    return "\n".join([*lines, "loss = h8**2 + h8*g8"])


@pytest.mark.parametrize(("written", "least"), [(network, 50), (filtered, 150)])
def test_layers_have_the_forms_that_are_written_for_them(written, least, monkeypatch):
    """What is made again is the very node that would be found without a memory."""
    hits = []

    def compared(root, atoms, named, write):
        seen = repeated._structure(root, atoms, named)
        hit = seen is not None and repeated._KNOWN.get().get(seen[1]) is not None
        found, expected = repeated.again(root, atoms, named, write), write()
        assert len(found) == len(expected)
        assert all(a is b for a, b in zip(found, expected, strict=True))
        hits.append(hit)
        return found

    monkeypatch.setattr(normal, "again", compared)
    for seed in range(10):
        sg.compile(written(seed), style="readable")
    assert sum(hits) > least


@pytest.mark.parametrize(
    ("first", "second", "body"),
    [
        # u u^(n - 1) is u^n: that two values are powers of one base is seen of them
        ("a = x**n; b = x**(n - 1)", "a = x**n; b = z**(n - 1)", "a/b + x"),
        ("a = x*y; b = x + y", "a = z*y; b = x + y", "a/x + y"),
        ("a = x/(x + y); b = x + y", "a = z/(z + y); b = x + y", "a*b + x"),
    ],
)
def test_values_that_belong_together_are_no_others(first, second, body):
    """A form that uses what its values are made of is not taken for values made of others."""
    head = "c: param; x: param; y: param; z: param; n: data; "
    point = {"c": 0.9, "x": 0.7, "y": 1.3, "z": 2.1, "n": 3}
    values = []
    with repeated.alike():
        for lines in (first, second):
            text = f"{head}{lines}; c*({body}) + a*b"
            f = sg.compile(text, style="readable")
            used = {n.attrs["name"] for n in f.graph.inputs}
            values.append((f, {k: v for k, v in point.items() if k in used}))
    for f, given in values:
        _, grads = f(**given)
        for name, slope in grads.items():
            up, down = ({**given, name: given[name] + h} for h in (1e-6, -1e-6))
            assert slope == pytest.approx((f(**up)[0] - f(**down)[0]) / 2e-6, rel=1e-7)


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
    """The memory ends with what is compiled, and so does what it holds."""
    sg.compile(network(3))
    assert repeated._KNOWN.get() is None


def test_forms_are_compared_once(monkeypatch):
    """Twice the layers are differentiated without a form, a price or a zero more."""
    count = []

    def counted(module, name):
        inner = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given: count.append(name) or inner(*given))

    counted(normal, "_shortest")
    counted(importlib.import_module("symgrad.autodiff.sweep"), "zeros")
    found = []
    for layers in (10, 20):
        count.clear()
        lines = [f"W{k}: param[D, D]; h = tanh(h @ W{k})" for k in range(layers)]
        sg.compile("\n".join(["x: data[N, D]; h = x", *lines, "mean(h**2)"]), style="readable")
        found.append(list(count))
    assert found[0] == found[1] and "zeros" not in found[0]


def test_parts_of_inputs_are_told_from_parts_of_values():
    """The difference of two inputs stays one, also where their transposes have names."""
    x, m = (leaf(name, ("N", "D")) for name in "xm")
    keys = []
    for pair in ((x, m), (make("exp", x), make("exp", m))):
        turned = [make("transpose", a) for a in pair]
        root = make("mul", leaf("s"), make("sub", *turned))
        with keeping(turned, {}):
            keys.append(repeated._structure(root, [leaf("s"), *turned], turned)[1])
    assert keys[0] != keys[1]

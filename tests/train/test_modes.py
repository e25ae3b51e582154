"""The graphs of training and of use, and named values beside gradients."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.build import build
from symgrad.train.modes import modes
from symgrad.train.roles import roles

NET = """\
X: data[N, D]; y: labels[N, C]; m: binary[N, H]
W: param[D, H]; g: param[H]; b: param[H]; V: param[H, C]
z = X @ W
h = dropout(relu(batch_norm(z, g, b)), m, p=0.25)
s = h @ V
loss = cross_entropy(s, y)
"""
RNG = np.random.default_rng(0)
AT = {
    "X": RNG.normal(size=(12, 3)), "y": RNG.integers(0, 4, 12),
    "m": (RNG.random((12, 5)) < 0.75) * 1.0,
    "W": RNG.normal(size=(3, 5)), "g": RNG.normal(size=5), "b": RNG.normal(size=5),
    "V": RNG.normal(size=(5, 4)),
}  # fmt: skip


def _made(text: str = NET, **penalties: float):  # type: ignore[no-untyped-def]
    g = sg.parse(text)
    return modes(g, roles(g), **penalties)


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_values_beside_gradients(style: str, dtype: str) -> None:
    made = _made()
    also = (*(s.name for s in made.statistics), "s", "X")
    f = build(made.train, None, dtype, style, also=also)
    plain = build(made.train, None, dtype, style)
    loss, found = f(**AT)
    expected, grads = plain(**AT)
    close = 1e-12 if dtype == "float64" else 1e-5
    assert abs(loss - expected) < close and f.wrt == plain.wrt
    for name in plain.wrt:
        np.testing.assert_allclose(found[name], grads[name], atol=close)
    z = AT["X"] @ AT["W"]
    np.testing.assert_allclose(found["z_mean"], z.mean(0, keepdims=True), atol=10 * close)
    np.testing.assert_allclose(found["z_var"], z.var(0, keepdims=True), atol=10 * close)
    assert {v.dtype.name for v in found.values()} == {dtype}
    assert not np.shares_memory(found["X"], AT["X"])
    before = found["s"].copy()
    f(**{**AT, "X": AT["X"] * 2})
    np.testing.assert_array_equal(found["s"], before)


def test_unknown_and_doubled_values() -> None:
    g = sg.parse("w: param; x: data[N]; z = w*x; mean(z**2)")
    with pytest.raises(sg.UsageError, match="also='q'"):
        build(g, also=("q",))
    with pytest.raises(sg.UsageError, match="asked for twice"):
        build(g, "z", also=("z",))


def test_use_reads_moving_statistics_and_drops_nothing() -> None:
    made = _made()
    f = build(made.test, [])
    moving = {"z_mean": np.full((1, 5), 0.5), "z_var": np.full((1, 5), 4.0)}
    given = {k: AT[k] for k in ("X", "W", "g", "b", "V")}
    answer, _ = f(**given, **moving)
    z = AT["X"] @ AT["W"]
    h = np.maximum(AT["g"] * (z - 0.5) / np.sqrt(4 + 1e-5) + AT["b"], 0)
    np.testing.assert_allclose(answer, h @ AT["V"], atol=1e-12)
    loss = build(made.loss, [], also=(made.answer,))
    value, found = loss(**given, **moving, y=AT["y"])
    np.testing.assert_allclose(found[made.answer], answer, atol=1e-12)
    function = sg.compile("s: data[N, C]; y: labels[N, C]; cross_entropy(s, y)")
    assert value == pytest.approx(float(function(s=answer, y=AT["y"])[0]))


def test_sampled_keeps_dropout_only() -> None:
    made = _made()
    names = [n.attrs["name"] for n in made.sampled.inputs]
    assert names == ["X", "m", "W", "g", "b", "V", "z_mean", "z_var"]
    assert made.masks[0] == type(made.masks[0])("m", ("N", "H"), 0.75)


def test_statistics_that_are_typed_out() -> None:
    text = ("X: data[N, D]; y: data[N]; w: param[D]; g: param[D]; b: param[D]\n"
            "mu = mean(X, axis=0); v = mean((X - mu)**2, axis=0)\n"
            "h = g*(X - mu)/sqrt(v + 1e-5) + b; mse(h @ w, y)")  # fmt: skip
    made = _made(text)
    assert [s.name for s in made.statistics] == ["mu_average", "v_average"]
    f = build(made.test, [])
    given = {"X": np.ones((1, 2)), "w": [1.0, 2.0], "g": [1.0, 1.0], "b": [0.0, 0.0]}
    answer, _ = f(**given, mu_average=np.zeros(2), v_average=np.ones(2))
    assert answer == pytest.approx([3 / np.sqrt(1 + 1e-5)])


def test_means_over_other_axes_and_of_the_loss_are_no_statistics() -> None:
    text = "X: data[N, D]; y: data[N]; w: param[D]\n" \
           "h = X - mean(X, axis=1, keepdims=True); mse(h @ w, y)"  # fmt: skip
    assert _made(text).statistics == ()


def test_penalties_are_of_weights_only() -> None:
    text = "X: data[N, D]; y: data[N]; W: param[D, H]; b: param[H]; v: param[H, 1]\n" \
           "mse((X @ W + b) @ v[:, 0], y)"  # fmt: skip
    plain, made = _made(text), _made(text, l1=0.1, l2=0.01)
    at = {"X": RNG.normal(size=(6, 3)), "y": RNG.normal(size=6), "W": RNG.normal(size=(3, 4)),
          "b": RNG.normal(size=4), "v": RNG.normal(size=(4, 1))}  # fmt: skip
    more = build(made.train)(**at)
    less = build(plain.train)(**at)
    weights = (at["W"], at["v"])
    assert more[0] - less[0] == pytest.approx(
        sum(0.1 * np.abs(w).sum() + 0.01 * (w**2).sum() for w in weights)
    )
    np.testing.assert_allclose(more[1]["b"], less[1]["b"])
    np.testing.assert_allclose(more[1]["W"] - less[1]["W"],
                               0.1 * np.sign(at["W"]) + 0.02 * at["W"], atol=1e-12)  # fmt: skip
    assert "W" not in [n.attrs["name"] for n in made.loss.inputs if n.attrs["kind"] == "data"]


def test_an_unused_parameter_stays_an_input() -> None:
    made = _made("X: data[N, D]; y: data[N]; w: param[D]; u: param[D]; mse(X @ w, y)")
    _, grads = build(made.train)(X=np.ones((2, 3)), y=np.ones(2), w=np.ones(3), u=np.ones(3))
    np.testing.assert_array_equal(grads["u"], np.zeros(3))


def test_a_sum_over_the_examples_by_their_number_is_a_mean() -> None:
    typed = """\
X: data[N, D]; t: data[N]; w: param[D]; g: param[D]; b: param[D]
m = sum(X, axis=0)/N
c = X - m
v = sum(c**2, axis=0)/N
loss = mse((g*c/sqrt(v + 1e-5) + b) @ w, t)
"""
    made = _made(typed)
    assert [s.name for s in made.statistics] == ["m_average", "v_average"]
    assert {"m_average", "v_average"} <= {n.attrs["name"] for n in made.test.inputs}
    spelled = _made(typed.replace("sum(X, axis=0)/N", "mean(X, axis=0)").replace(
        "sum(c**2, axis=0)/N", "mean(c**2, axis=0)"))  # fmt: skip
    assert spelled.statistics == made.statistics
    whole = _made("X: data[N, D]; t: data[N]; w: param[D]; m = sum(X)/N; mse((X - m) @ w, t)")
    assert not whole.statistics  # over the columns too, and by N alone

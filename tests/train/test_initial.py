"""Initial values: the activation that a layer feeds decides, and the text is the value."""

import numpy as np
import pytest

import symgrad as sg
from symgrad import ops
from symgrad.curve.function import one_variable
from symgrad.train.initial import choices, initialise, source

NET = "X: data[N, D]; y: data[N, C]; W: param[D, H]; b: param[H]; V: param[H, C]\n"
RECTIFIERS = ("relu", "relu6", "elu", "celu", "gelu", "gelu_tanh", "silu", "mish", "softplus",
              "hardswish", "leaky_relu", "swish")  # fmt: skip
BOUNDED = ("tanh", "sigmoid", "softsign", "arctan", "erf", "hardtanh", "hardsigmoid", "sin")


def net(act: str, shape: str = "X @ W + b") -> "sg.Graph":
    return sg.parse(NET + f"h = {act}({shape})\nmse(h @ V, y)")


@pytest.mark.parametrize("act", RECTIFIERS)
def test_what_passes_one_side_on_starts_as_he(act: str) -> None:
    found = choices(net(act))
    assert found["W"].scheme == "he" and found["W"].fan_in == ("D",)
    assert found["W"].why.startswith(f"feeds {act}: He, 2/")
    assert found["V"].why == "feeds the output: Glorot, 1/fan_avg"
    assert source(found)["b"] == "np.zeros(H)"


@pytest.mark.parametrize("act", BOUNDED)
def test_what_is_bounded_starts_as_glorot(act: str) -> None:
    found = choices(net(act))
    assert found["W"].why == f"feeds {act}: Glorot, 1/fan_avg"
    assert source(found)["W"] == "rng.standard_normal((D, H)) * np.sqrt(2 / (D + H))"


def test_selu_starts_as_lecun_because_of_its_fixed_point() -> None:
    assert choices(net("selu"))["W"].why == "feeds selu: LeCun, 1/fan_in"
    typed = (
        NET + "z = X @ W + b\nh = 1.0507009873554805*where(z > 0, z, 1.6732632423543772*expm1(z))\n"
    )
    assert choices(sg.parse(typed + "mse(h @ V, y)"))["W"].scheme == "lecun"


def test_every_activation_of_the_table_has_an_answer() -> None:
    for name, row in ops.OPS.items():
        if one_variable(row) and not row.hidden:
            assert choices(net(name))["W"].scheme in ("he", "glorot", "lecun"), name


@pytest.mark.parametrize(
    ("line", "scheme"),
    [
        ("h = 1/(1 + exp(-z))", "glorot"),
        ("h = maximum(0, z)", "he"),
        ("h = where(z > 0, z, exp(z) - 1)", "he"),
        ("h = 0.5*z*(1 + tanh(0.8*(z + 0.0447*z**3)))", "he"),
        ("h = z*exp(-z**2)", "glorot"),
        ("h = maximum(z, X @ U)", "he"),
        ("h = relu(batch_norm(z, g, c))", "he"),
        ("h = relu(g*(z - mean(z, 0))/sqrt(var(z, 0) + 1e-5) + c)", "he"),
        ("h = tanh(dropout(z, m, p=0.2))", "glorot"),
        ("h = relu(z + tanh(z @ Q) @ Q)", "he"),
        ("e = exp(z - max(z, axis=1, keepdims=True)); h = e/sum(e, 1, True)", "glorot"),
        ("h = z", "glorot"),
    ],
)
def test_a_layer_is_followed_to_its_activation(line: str, scheme: str) -> None:
    more = "U: param[D, H]; Q: param[H, H]; g: param[H]; c: param[H]; m: binary[N, H]\n"
    text = NET + more + f"z = X @ W + b\n{line}\nloss = mse(h @ V, y) + 0*(sum(U) + sum(Q))"
    assert choices(sg.parse(text), ["W"])["W"].scheme == scheme


def test_an_activation_of_ones_own(registries: None) -> None:
    sg.activation("bent_knee", "a*sigmoid(3*a)")
    sg.activation("squash_it", "a/sqrt(1 + a**2)")
    assert choices(net("bent_knee"))["W"].why == "feeds bent_knee: He, 2/fan_in"
    assert choices(net("squash_it"))["W"].scheme == "glorot"


def test_the_slope_of_a_leaky_relu_counts() -> None:
    found = choices(sg.parse(NET + "mse(leaky_relu(X @ W + b, 0.2) @ V, y)"))
    assert found["W"].why == "feeds leaky_relu: He, 2/((1 + 0.2²) fan_in)"
    assert "np.sqrt(2 / (1.04 * D))" in source(found)["W"]


@pytest.mark.parametrize(
    ("text", "fans"),
    [
        ("X: data[N, D]; y: data[N]; w: param[D]; mse(tanh(X @ w), y)", (("D",), ())),
        ("X: data[N, D]; y: data[N, H]; w: param[H, D]; mse(X @ w.T, y)", (("D",), ("H",))),
        ("x: data[D]; y: data[H]; w: param[H, D]; mse(w @ x, y)", (("D",), ("H",))),
        ("X: data[N, D]; y: data[N]; w: param[D]; mse(sum(X*w, axis=1), y)", (("D",), ())),
        ("w: param; f = sigmoid(w*x0 + w1*x1 + w2*x2 + b)", ((3,), ())),
        ("x: data[N]; y: data; w: param[3]; mse(sum(correlate(x, w)), y)", ((3,), (3,))),
        ('X: data[N, D]; y: data[N, A, K]; w: param[A, D, K]; mse(einsum("nd,adk->nak", X, w), y)',
         (("D",), ("A", "K"))),
        ("X: data[N, D]; y: data[N, H]; w: param[D, R]; v: param[R, H]; mse(X @ (w @ v), y)",
         (("D",), ("R",))),
    ],
)  # fmt: skip
def test_fans(text: str, fans: tuple[object, object]) -> None:
    for name in ("w1", "w2", "b"):
        text = f"{name}: param; {text}" if f"{name}*" in text or f"+ {name})" in text else text
    found = choices(sg.parse(text))["w"]
    assert (found.role, found.fan_in, found.fan_out) == ("weight", *fans)


def test_what_is_no_weight() -> None:
    text = (
        "t: labels[N, V]; y: data[N, H]; E: param[V, D]; W: param[D, H]; g: param[H]; c: param[H]\n"
        "a: param; s: param; q: param[H]\n"
        "h = swish(prelu(layer_norm(E[t] @ W, g, c), a), s)*q\nmse(h, y)"
    )
    found = choices(sg.parse(text))
    why = {name: c.why for name, c in found.items()}
    assert why["E"] == "rows that are looked up: variance 1"
    assert why["g"] == "gamma of layer_norm: 1" and why["c"] == "beta of layer_norm: 0"
    assert why["a"] == "a of prelu: 0.25" and why["s"] == "beta of swish: 1"
    assert why["q"] == "a factor: 1"
    start = initialise(sg.parse(text), None, {"V": 5, "D": 3, "H": 2})
    assert start["a"] == 0.25 and start["q"].tolist() == [1, 1] and start["c"].tolist() == [0, 0]


def test_tied_weights_and_penalties() -> None:
    text = (
        "X: data[N, D]; W: param[D, H]; b: param[H]; c: param[D]\n"
        "h = relu(X @ W + b); mse(h @ W.T + c, X) + 0.1*sum(W**2)"
    )
    assert choices(sg.parse(text))["W"].why == "feeds relu: He, 2/fan_in"


@pytest.mark.parametrize(
    "scheme",
    ["auto", "normal", "uniform", "constant(0.3)", "zeros", "ones", "glorot", "glorot_uniform",
     "he", "he_uniform", "lecun", "lecun_uniform", "orthogonal", "normal(0.01)"],
)  # fmt: skip
def test_the_text_computes_the_value(scheme: str) -> None:
    graph, sizes = net("leaky_relu"), {"D": 5, "H": 4, "C": 3}
    start = initialise(graph, None, sizes, np.random.default_rng(3), scheme)
    from symgrad.train.initial import key

    for name, text in source(choices(graph, None, scheme)).items():
        rng = np.random.default_rng([3, key(name)])
        again = eval(text, {"np": np, "rng": rng, **sizes})
        assert np.asarray(again).tobytes() == start[name].tobytes()


def test_variances() -> None:
    sizes = {"D": 300, "H": 200, "C": 100}
    for scheme, variance in {"he": 2 / 300, "glorot_uniform": 2 / 500, "lecun": 1 / 300,
                             "uniform": 1 / 3, "normal(0.1)": 0.01}.items():  # fmt: skip
        w = initialise(net("relu"), ["W"], sizes, 0, scheme)["W"]
        assert np.var(w) == pytest.approx(variance, rel=0.03)
    w = initialise(net("relu"), ["W"], sizes, 0, "orthogonal")["W"]
    assert np.allclose(w.T @ w, np.eye(200))


def test_a_parameter_draws_alone() -> None:
    sizes = {"D": 3, "H": 4, "C": 2}
    rng = np.random.default_rng(1)
    rng.standard_normal(10)
    both = initialise(net("relu"), ["W", "V"], sizes, 1)
    alone = initialise(net("relu"), ["V"], sizes, rng)
    assert both["V"].tobytes() == alone["V"].tobytes()
    assert initialise(net("relu"), ["V"], sizes, 2)["V"].tobytes() != both["V"].tobytes()
    square = initialise(net("relu"), ["W", "V"], {"D": 3, "H": 3, "C": 3}, 1, "normal")
    assert not np.array_equal(square["W"], square["V"])  # layers of one shape start apart
    single = initialise(net("relu"), ["W"], sizes, 1, dtype="float32")["W"]
    assert single.dtype == np.float32 and np.array_equal(single, both["W"].astype(np.float32))


def test_schemes_by_parameter_and_positive_biases() -> None:
    graph, sizes = net("relu"), {"D": 3, "H": 4, "C": 2}
    given = np.arange(12.0).reshape(3, 4)
    start = initialise(graph, None, sizes, 0, {"W": given, "b": "constant(0.5)", "V": 2})
    assert np.array_equal(start["W"], given) and start["W"] is not given
    assert set(start["b"]) == {0.5} and set(start["V"].ravel()) == {2.0}
    assert initialise(graph, ["b"], sizes, positive_biases=True)["b"].tolist() == [0.01] * 4
    assert not initialise(net("tanh"), ["b"], sizes, positive_biases=True)["b"].any()


def test_kinds_get_admissible_values() -> None:
    text = "x: data[N, D]; y: data[N]; A: symmetric[D, D]; s: positive\n"
    text += "mse(sum((x @ A)*x, axis=1)*s, y)"
    start = initialise(sg.parse(text), ["A", "s"], {"D": 4})
    assert np.array_equal(start["A"], start["A"].T) and start["s"] > 0 and start["A"].any()


@pytest.mark.parametrize(
    ("names", "scheme", "error", "says"),
    [
        (None, "hee", sg.UsageError, "did you mean 'he'?"),
        (None, "normal(-1)", sg.UsageError, "does not fit normal(sd)"),
        (None, "uniform(2, 1)", sg.UsageError, "does not fit uniform(low, high)"),
        (None, "constant", sg.UsageError, "does not fit constant(c)"),
        (None, "normal(x)", sg.UsageError, "takes numbers"),
        (None, "normal(inf)", sg.UsageError, "not finite"),
        (None, 3, sg.UsageError, "neither a scheme's name"),
        (None, {"w": "he"}, sg.UsageError, "did you mean 'W'?"),
        (["Z"], "auto", sg.UsageError, "'Z' is no parameter"),
        (None, {"W": np.zeros(3)}, sg.ShapeError, "'W' is (3, 4)"),
        (None, {"W": [[np.nan] * 4] * 3}, sg.DataError, "not finite"),
        (None, {"W": "he(2)"}, sg.UsageError, "does not fit he"),
        (None, {"W": object()}, sg.DataError, "not a number or an array"),
    ],
)
def test_errors(names: object, scheme: object, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        initialise(net("relu"), names, {"D": 3, "H": 4, "C": 2}, 0, scheme)  # type: ignore[arg-type]
    assert says in str(caught.value)


def test_a_dimension_without_a_number() -> None:
    with pytest.raises(sg.UsageError, match="needs a number for H") as caught:
        initialise(net("relu"), None, {"D": 3, "C": 2})
    assert "sizes={'H': 64}" in str(caught.value) and "W: param[D, 64]" in str(caught.value)


@pytest.mark.parametrize("loss", ["mse(H, R)", "mean((H - R)**2)", "sum(M*(R - H)**2)/sum(M)"])
def test_factors_that_are_multiplied_do_not_both_start_at_zero(loss: str) -> None:
    text = "R: data[N, D]; M: data[N, D]; P: param[N, K]; Q: param[D, K]; H = P @ Q.T; " + loss
    start = initialise(sg.parse(text), None, {"N": 5, "D": 4, "K": 2})
    assert start["P"].any() and start["Q"].any()
    state = "X: data[N, D]; y: data[N, H]; W: param[D, H]; U: param[H, H]; h: param[H]\n"
    first = initialise(sg.parse(state + "g = tanh(h @ U + X @ W); mse(tanh(g @ U), y)"), None,
                       {"D": 3, "H": 2})  # fmt: skip
    assert not first["h"].any() and first["U"].any()  # one of the two moves the other

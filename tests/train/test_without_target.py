"""Models that are trained and have no target, no batches, or pairs of rows."""

from pathlib import Path

import numpy as np
import pytest

import symgrad as sg
from symgrad.train.module import write
from symgrad.train.roles import roles

RNG = np.random.default_rng(0)
X = RNG.standard_normal((40, 3))
B = RNG.standard_normal((40, 4))
T = X @ [1.0, -2.0, 0.5] + 0.1 * RNG.standard_normal(40)
R = RNG.standard_normal((30, 2)) @ RNG.standard_normal((2, 25))

RANKING = "X: data[N, D]; t: data[N]; w: param[D]; s = X @ w; loss = "
PAIRS = "sum(softplus(s[j] - s[i]) for i in N for j in N if t[j] > t[i])/N"
ARRAYS = "sum(where(t[None, :] > t[:, None], softplus(s[None, :] - s[:, None]), 0))/N"
COX = (
    "X: data[N, D]; t: data[N]; e: data[N]; w: param[D]; s = X @ w\n"
    "-sum(e[i]*(s[i] - log(sum(exp(s[j]) for j in N if t[j] >= t[i]))) for i in N)/N"
)
FACTORS = "R: data[U, I]; P: param[U, K]; Q: param[I, K]; H = P @ Q.T; mse(H, R)"
MASKED = (
    "R: data[U, I]; M: data[U, I]; P: param[U, K]; Q: param[I, K]; H = P @ Q.T\n"
    "sum(M*(H - R)**2)/sum(M)"
)
NOISY = (
    "X: data[N, D]; e: data[N, K]; W: param[D, K]; U: param[K, D]; mu = X @ W\n"
    "xh = (mu + e) @ U; loss = {}"
)
VAE = NOISY.format("mse(xh, X) + mean(mu**2)")
TOWERS = (
    "A: data[N, D]; B: data[N, E]; W: param[D, K]; V: param[E, K]; a = A @ W; b = B @ V\n"
    "S = a @ b.T; mean(logsumexp(S, axis=1) - diag(S))"
)
PROCESS = (
    "X: data[N, D]; y: data[N]; l: param; s: param; q = sum(X**2, axis=1)\n"
    "C = exp(-exp(l)*(q[:, None] + q[None, :] - 2*X @ X.T)) + exp(s)*eye(N)\n"
    "y @ solve(C, y)/2 + logdet(C)/2"
)


def falls(made: sg.Estimator) -> bool:
    """Say whether something was learned."""
    return bool(made.loss_curve_[-1] < made.loss_curve_[0])


# -- rows against rows ----------------------------------------------------------------------------


def test_pairs_by_index_are_meant() -> None:
    data = {"X": X, "t": T}
    by_index = sg.train(RANKING + PAIRS, data, predict="s", batch=None, epochs=50)
    by_arrays = sg.train(RANKING + ARRAYS, data, predict="s", batch=None, epochs=50)
    assert np.allclose(by_index.params_["w"], by_arrays.params_["w"], rtol=1e-9)
    assert falls(by_index) and np.corrcoef(by_index.predict(X), T)[0, 1] < -0.6
    cox = sg.train(COX, {**data, "e": np.ones(40)}, target="e", predict="s", batch=None, epochs=50)
    assert falls(cox)


@pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")
@pytest.mark.parametrize("loss", ["mse(s, t[:, None])", "mean((c + b[:, None] - t)**2)"])
def test_an_axis_that_was_inserted_elsewhere_means_no_pairs(loss: str) -> None:
    text = RANKING.replace("s = X", "v: param[D, 1]; b: data[N]; c = X @ v; s = X") + loss
    with pytest.raises(sg.ShapeError, match="each row of one with each of the other"):
        sg.train(text, {"X": X, "t": T, "b": T}, target="t")


# -- parameters along the rows --------------------------------------------------------------------


def test_a_factorisation_is_trained_on_the_whole(tmp_path: Path) -> None:
    settings = {"values": {"K": 2}, "rate": 0.05, "epochs": 400}
    m = sg.train(FACTORS, {"R": R}, **settings, batch=8, out=tmp_path, watch=True)
    assert m.metrics_["steps"] == 400 and m.metrics_["train_r2"] > 0.99
    assert m.notes_ == ["'P' has a row for each example: each step takes all 30 rows"]
    assert np.allclose(m.predict(R), m.params_["P"] @ m.params_["Q"].T)
    assert m.score(R) > 0.99
    assert np.array_equal(sg.Estimator.load(tmp_path).predict(R), m.predict(R))
    same = sg.train(FACTORS, {"R": R}, **{**settings, "values": {"K": 2, "U": 30}}, batch=None)
    assert np.array_equal(same.params_["P"], m.params_["P"]) and not same.notes_
    with pytest.raises(sg.DataError, match="each of the 30 examples of the training; given are 5"):
        m.predict(R[:5])


def test_rows_with_parameters_of_their_own_are_not_held_out() -> None:
    with pytest.raises(sg.UsageError, match="'P' has a row for each example, so none") as caught:
        sg.train(FACTORS, {"R": R}, values={"K": 2}, test=0.2)
    assert "validation=0, test=0" in str(caught.value)
    seen = (RNG.random(R.shape) < 0.8).astype(float)
    m = sg.train(MASKED, {"R": R * seen, "M": seen}, values={"K": 2}, predict="H", rate=0.05)
    assert np.mean((m.predict(seen) - R)[seen == 0] ** 2) < 0.01 * np.mean(R**2)


def test_more_rows_than_a_block() -> None:
    rows = RNG.standard_normal((5000, 3))
    text = "R: data[N, M]; P: param[N, 1]; Q: param[M, 1]; H = P @ Q.T; mse(H, R)"
    m = sg.train(text, {"R": rows}, epochs=2)
    assert m.predict(rows).shape == (5000, 3)


# -- no target ------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["mu", "xh", None])
@pytest.mark.parametrize("loss", [
    "mse(xh, X) + mean(mu**2)", "sum((xh - X)**2)/N + mean(mu**2)", "bce_with_logits(xh, X)",
    "bce(sigmoid(xh), X)", "-mean(X*log(sigmoid(xh)) + (1 - X)*log(1 - sigmoid(xh)))",
])  # fmt: skip
def test_what_is_given_back_is_no_target(line: str | None, loss: str) -> None:
    for kind in ("data", "binary"):
        text = NOISY.format(loss).replace("X: data", f"X: {kind}")
        if line is None and loss[0] in "-s":  # typed out, the line has to be named
            continue
        found = roles(sg.parse(text), predict=line)
        assert (found.features, found.targets) == (("X", "e"), ())


def test_labels_beside_what_is_given_back() -> None:
    given = "X: data[N, D]; y: onehot[N, C]; W: param[D, K]; V: param[C, K]; U: param[K, D]; "
    given += "Q: param[D, C]; xh = (X @ W + y @ V) @ U; s = X @ Q; mse(xh, X)"
    assert roles(sg.parse(given)).targets == ()  # a condition of the image
    assert roles(sg.parse(given + " + cross_entropy(s, y)"), predict="s").targets == ("y",)


def test_an_autoencoder_with_noise() -> None:
    data = {"X": X, "e": 0.1 * RNG.standard_normal((40, 2))}
    codes = sg.train(VAE, data, values={"K": 2}, predict="mu", epochs=30)
    assert falls(codes) and "train_r2" not in codes.metrics_
    assert np.allclose(codes.predict({"X": X}), X @ codes.params_["W"])  # no noise is asked for
    with pytest.raises(sg.UsageError, match="no target"):
        codes.score(data)
    image = sg.train(VAE, data, values={"K": 2}, epochs=30)
    assert image.predict(data).shape == X.shape and "train_r2" in image.metrics_


def test_a_prediction_is_not_made_of_the_target() -> None:
    with pytest.raises(sg.UsageError, match="'mu' depends on the target 'X'") as caught:
        sg.train(VAE, {"X": X, "e": X[:, :2]}, target="X", predict="mu")
    assert "leave target= out" in str(caught.value)


def test_two_towers_have_no_target() -> None:
    found = roles(sg.parse(TOWERS), predict="S")
    assert (found.features, found.targets) == (("A", "B"), ())
    data = {"A": X, "B": B}
    m = sg.train(TOWERS, data, values={"K": 2}, predict="a", epochs=30, test=0.2)
    assert falls(m) and set(m.metrics_) >= {"test_loss"} and "test_r2" not in m.metrics_
    assert m.predict({"A": X}).shape == (40, 2)
    pairs = sg.train(TOWERS, data, values={"K": 2}, predict="S", epochs=3)
    many = {"A": np.zeros((4100, 3)), "B": np.zeros((4100, 4))}
    assert pairs.predict(many).shape == (4100, 4100)


@pytest.mark.parametrize("target", [None, "y"])
def test_a_likelihood_that_compares_no_line_with_its_target(target: str | None) -> None:
    m = sg.train(PROCESS, {"X": X, "y": T}, predict="C", target=target, batch=None, epochs=30,
                 standardise_target=True)  # fmt: skip
    assert falls(m) and "train_r2" not in m.metrics_
    assert m.notes_[-1].startswith("the prediction 'C' is (N, N), the target 'y' (N,): they are")
    gaps = ((X[:, None] - X[None]) ** 2).sum(axis=2)
    want = np.exp(-np.exp(m.params_["l"]) * gaps) + np.exp(m.params_["s"]) * np.eye(40)
    assert np.allclose(m.predict(X), want)


def test_a_line_on_the_way_to_classes() -> None:
    text = (
        "X: data[N, D]; y: labels[N, 3]; W: param[D, H]; V: param[H, 3]; h = tanh(X @ W)\n"
        "cross_entropy(h @ V, y)"
    )
    data = {"X": X, "y": np.arange(40) % 3}
    m = sg.train(text, data, values={"H": 5}, predict="h", epochs=5, test=0.2)
    assert np.allclose(m.predict(X), np.tanh(X @ m.params_["W"]))
    assert "test_accuracy" not in m.metrics_ and m.metrics_["test_rows"] == 8
    with pytest.raises(sg.UsageError, match="is no answer to 'y'"):
        write(sg.parse(text), predict="h")


def test_targets_that_are_multiplied_by_parameters_too() -> None:
    text = (
        "X: data[N, D]; Y: data[N, C]; W: param[D, C]; G: param[C, C]; S = X @ W\n"
        "mean(logsumexp(S, axis=1) - sum(Y*S, axis=1) - sum((Y @ G)*Y, axis=1)) + sum(G**2)"
    )
    assert roles(sg.parse(text), predict="S").targets == ("Y",)

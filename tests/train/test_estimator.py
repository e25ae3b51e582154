"""The estimator: scikit-learn's shape, saving and loading, dropout as uncertainty."""

import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import symgrad as sg

NET = """\
X: data[N, D]; y: labels[N, C]
W: param[D, H]; b: param[H]; V: param[H, C]; c: param[C]
s = tanh(X @ W + b) @ V + c
loss = cross_entropy(s, y)
"""
LINE = "x: data[N, D]; t: data[N]; w: param[D]; b: param; mse(x @ w + b, t)"
DROPPED = """\
X: data[N, D]; y: binary[N]; m: data[N, H]
W: param[D, H]; b: param[H]; v: param[H]; c: param
h = dropout(relu(X @ W + b), m, p=0.5)
loss = bce_with_logits(h @ v + c, y)
"""
RNG = np.random.default_rng(0)
CENTRES = np.array([[0.0, 3.0], [3.0, -2.0], [-3.0, -2.0]])
Y = np.repeat([0, 1, 2], 30)
X = CENTRES[Y] + RNG.normal(size=(90, 2))
NAMES = np.array(["ant", "bee", "cat"])[Y]


def _fitted(**settings: object) -> sg.Estimator:
    return sg.Estimator(NET, rate=0.02, epochs=40, values={"H": 8}, **settings).fit(X, NAMES)  # type: ignore[arg-type]


def test_labels_come_back_as_they_were_given() -> None:
    m = _fitted()
    assert m.classes_.tolist() == ["ant", "bee", "cat"]
    assert set(m.predict(X)) == {"ant", "bee", "cat"}
    assert m.score(X, NAMES) > 0.95
    p = m.predict_proba(X)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    assert (m.classes_[p.argmax(axis=1)] == m.predict(X)).all()
    assert m.decision_function(X).shape == (90, 3)
    assert (m.n_features_in_, m.n_iter_, len(m.loss_curve_)) == (2, 40, 40)
    assert m.loss_curve_[-1] < m.loss_curve_[0] / 3


def test_the_same_seed_gives_the_same_parameters() -> None:
    a, b, c = _fitted(), _fitted(), _fitted(seed=1)
    for name in a.params_:
        np.testing.assert_array_equal(a.params_[name], b.params_[name])
    assert not np.array_equal(a.params_["W"], c.params_["W"])


def test_values_and_their_score() -> None:
    x = RNG.normal(size=(60, 2))
    t = x @ [2.0, -1.0] + 3
    m = sg.Estimator(LINE, optimizer="gd", rate=0.1, epochs=200, batch=None).fit(x, t)
    np.testing.assert_allclose(m.params_["w"], [2, -1], atol=1e-6)
    assert m.score(x, t) == pytest.approx(1)
    assert m.predict([[0.0, 0.0]]) == pytest.approx([3])
    with pytest.raises(sg.UsageError, match="no probabilities"):
        m.predict_proba(x)


def test_one_number_a_row_and_scalars() -> None:
    m = sg.train("x: data[N]; t: data[N]; w: param; b: param; mse(w*x + b, t)",
                 {"x": [0.0, 1.0, 2.0], "t": [1.0, 3.0, 5.0]}, rate=0.1, epochs=400)  # fmt: skip
    assert float(m.params_["w"]) == pytest.approx(2, abs=1e-3)
    assert m.predict({"x": [10.0]}) == pytest.approx([21], abs=0.02)


def test_what_is_not_trained_yet_says_so() -> None:
    with pytest.raises(sg.DataError, match="not trained yet"):
        sg.Estimator(NET).predict(X)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"batch": 1.5}, "batch=1.5"),
        ({"rate": -1.0}, "rate=-1.0"),
        ({"l2": float("nan")}, "l2=nan"),
        ({"validation": 0.6, "test": 0.5}, "leave no rows"),
        ({"patience": 3}, "held out"),
        ({"dtype": "float16"}, "dtype='float16'"),
        ({"optimizer": "adamm"}, "adamm"),
        ({"schedule": "cosin"}, "cosin"),
        ({"initial": "hee"}, "hee"),
        ({"values": {"Q": 3}}, "'Q'"),
        ({"target": "z"}, "target="),
        ({"predict": "q"}, "predict='q'"),
    ],
)
def test_settings_that_cannot_be(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(sg.SymgradError, match=said):
        sg.Estimator(NET, **wrong).fit(X, Y)  # type: ignore[arg-type]


def test_an_unknown_setting() -> None:
    with pytest.raises(sg.UsageError, match="did you mean 'epochs'"):
        sg.train(NET, (X, Y), epoch=3)
    with pytest.raises(sg.UsageError, match="a model is given as text"):
        sg.train("net.sg", (X, Y))
    with pytest.raises(sg.UsageError, match="did you mean 'epochs'"):
        sg.Estimator(NET).set_params(epoch=3)


def test_pickling_and_loading(tmp_path: Path) -> None:
    m = sg.train(DROPPED, (X, Y == 1), values={"H": 16}, epochs=5, out=tmp_path / "run")
    again = pickle.loads(pickle.dumps(m))
    np.testing.assert_array_equal(again.predict_proba(X), m.predict_proba(X))
    loaded = sg.Estimator.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.predict_proba(X), m.predict_proba(X))
    assert loaded.classes_.tolist() == m.classes_.tolist()
    assert loaded.get_params()["epochs"] == 5


def test_uncertainty_grows_away_from_the_data() -> None:
    m = sg.train(DROPPED, (X, Y == 1), values={"H": 32}, rate=0.02, epochs=60)
    mean, deviation = m.uncertainty([CENTRES[1], CENTRES[1] / 2 + CENTRES[0] / 2], samples=200)
    assert mean[0] > 0.9 and deviation[1] > 3 * deviation[0]
    again = m.uncertainty([CENTRES[1], CENTRES[1] / 2 + CENTRES[0] / 2], samples=200)
    np.testing.assert_array_equal(mean, again[0])
    with pytest.raises(sg.UsageError, match="no dropout"):
        _fitted().uncertainty(X)


def test_in_scikit_learn() -> None:
    base = pytest.importorskip("sklearn.base")
    selection = pytest.importorskip("sklearn.model_selection")
    pipeline = pytest.importorskip("sklearn.pipeline")
    scaler = pytest.importorskip("sklearn.preprocessing").StandardScaler
    m = sg.Estimator(NET, rate=0.02, epochs=30, values={"H": 8})
    assert base.is_classifier(m) and not base.is_classifier(sg.Estimator(LINE))
    assert base.is_regressor(sg.Estimator(LINE))
    copy = base.clone(m)
    assert copy is not m and copy.get_params() == m.get_params()
    chain = pipeline.make_pipeline(scaler(), m)
    assert selection.cross_val_score(chain, X, NAMES, cv=3).mean() > 0.9
    grid = selection.GridSearchCV(chain, {"estimator__rate": [1e-5, 0.02]}, cv=2).fit(X, NAMES)
    assert grid.best_params_ == {"estimator__rate": 0.02}


def test_it_needs_no_scikit_learn() -> None:
    code = (
        "import sys; sys.modules['sklearn'] = sys.modules['tqdm'] = None\n"
        "import numpy as np, symgrad as sg\n"
        f"m = sg.train({LINE!r}, (np.eye(4), np.arange(4.0)), epochs=3, progress=True)\n"
        "print(m.predict(np.eye(4)).shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(4,)\n"


def test_targets_that_are_probabilities() -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((200, 2))
    p = 1 / (1 + np.exp(-X @ [2.0, -1.0]))
    text = "X: data[N, D]; p: data[N]; w: param[D]; bce(sigmoid(X @ w), p)"
    m = sg.train(text, (X, p), epochs=60, rate=0.05, test=0.2, progress=False)
    np.testing.assert_allclose(m.predict_proba(X)[:, 1], p, atol=0.02)
    assert ((m.predict(X) == (p > 0.5)) | (np.abs(p - 0.5) < 0.02)).all()
    assert m.metrics_["test_accuracy"] > 0.9


@pytest.mark.usefixtures("registries")
def test_a_function_of_ones_own_travels_with_the_checkpoint(tmp_path: Path) -> None:
    sg.activation("swoosh", "a*sigmoid(1.3*a)")
    model = NET.replace("tanh", "swoosh")
    m = sg.train(model, (X, NAMES), values={"H": 4}, epochs=3, out=tmp_path / "run")
    np.save(tmp_path / "p.npy", m.predict_proba(X[:5]))
    np.save(tmp_path / "x.npy", X[:5])
    code = (
        "import sys, numpy as np, symgrad as sg; f = sys.argv[1]\n"
        "m = sg.Estimator.load(f + '/run')\n"
        "print(np.array_equal(m.predict_proba(np.load(f + '/x.npy')), np.load(f + '/p.npy')))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.stdout == "True\n", done.stderr


def test_penalties_weigh_vectors_too() -> None:
    x = RNG.normal(size=(60, 2))
    t = x @ [2.0, -1.0] + 3
    sizes = [np.abs(sg.Estimator(LINE, l2=l2, rate=0.05, epochs=150).fit(x, t).params_["w"]).sum()
             for l2 in (0.0, 1.0)]  # fmt: skip
    assert sizes[1] < 0.7 * sizes[0]
    with pytest.raises(sg.UsageError, match="l1 and l2 weigh weights"):
        sg.train("x: data[N]; b: param; mse(x, b + zeros_like(x))", {"x": [1.0]}, l2=1.0)


def test_sequences_of_labels() -> None:
    net = "X: data[N, T, D]; y: labels[N, T, C]; W: param[D, C]; cross_entropy(X @ W, y)"
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 5, 3))
    named = np.array(["noun", "verb"])[(rows[..., 0] > 0).astype(int)]
    m = sg.Estimator(net, rate=0.1, epochs=30, test=0.2).fit(rows, named)
    assert m.metrics_["test_accuracy"] > 0.9 and m.score(rows, named) > 0.9
    assert m.predict(rows).shape == (60, 5) and set(m.classes_) == {"noun", "verb"}


def test_an_autoencoder_is_scored_by_what_it_gives_back(tmp_path: Path) -> None:
    net = "X: data[N, D]; W: param[D, 2]; V: param[2, D]; b: param[D]; mse((X @ W) @ V + b, X)"
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(200, 2)) @ rng.normal(size=(2, 5)) * 9 + 100
    m = sg.Estimator(net, rate=0.02, epochs=200, standardise=True).fit(rows)
    assert m.score(rows) > 0.99 and m.metrics_["train_r2"] == pytest.approx(m.score(rows))
    assert np.abs(m.predict(rows) - rows).max() < 5  # in the units of the rows


def test_no_probabilities_is_no_method() -> None:
    margins = sg.Estimator(NET.replace("cross_entropy", "svm"), values={"H": 4})
    assert not hasattr(margins, "predict_proba")  # before fit as after it
    assert not hasattr(margins.set_params(epochs=2).fit(X, NAMES), "predict_proba")
    with pytest.raises(sg.UsageError, match="no probabilities"):
        margins.predict_proba(X)
    assert hasattr(sg.Estimator(NET), "predict_proba")
    assert "boundary" in repr(sg.boundary(margins, X, NAMES))
    with pytest.raises(sg.UsageError, match="between classes"):
        sg.boundary(sg.Estimator(LINE, epochs=2).fit(X, Y.astype(float)), X, Y)


def test_of_two_classes_the_lead_of_the_second() -> None:
    metrics = pytest.importorskip("sklearn.model_selection")
    two = Y[:60]
    m = sg.Estimator(NET, rate=0.02, epochs=20, values={"H": 4})
    lead = m.fit(X[:60], two).decision_function(X[:60])
    assert lead.shape == (60,) and ((lead > 0) == (m.predict(X[:60]) == 1)).all()
    assert metrics.cross_val_score(m, X[:60], two, scoring="roc_auc", cv=3).min() > 0.9


def test_rows_against_columns_are_refused() -> None:
    column = "X: data[N, D]; t: data[N]; w: param[D, 1]; p = X @ w; "
    for loss in ("mse(p, t)", "mean((p - t)**2)", "mean((t - p)**2)"):
        with (
            pytest.warns(sg.SymgradWarning, match="broadcast"),
            pytest.raises(sg.ShapeError, match=r"'p' \(N, 1\) meets 't' \(N,\)") as caught,
        ):
            sg.Estimator(column + loss).fit(X, Y.astype(float))
        assert "declare  t: data[N, 1]" in str(caught.value)
    sg.Estimator(column + "mse(p[:, 0], t)", epochs=1).fit(X, Y.astype(float))


def test_warnings_name_the_line_that_gave_the_data() -> None:
    with pytest.warns(sg.SymgradWarning, match="taken as a vector") as found:
        sg.Estimator(LINE, epochs=1).fit(X, Y[:, None].astype(float))
    assert [w.filename for w in found] == [__file__]


def test_the_rate_is_given_once() -> None:
    with pytest.raises(sg.UsageError, match="given twice"):
        sg.Estimator(LINE, optimizer="gd(rate=0.1)", rate=0.2).fit(X, Y.astype(float))

"""Training modules: one file that needs NumPy only, reads data, trains, predicts and checks."""

import ast
import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import SymgradError, UsageError
from symgrad.train.module import safety, write

EXAMPLES = Path(__file__).parents[2] / "examples"
DIGITS = (EXAMPLES / "04_digits.sg").read_text(encoding="utf-8")
HIDDEN = "X: data[N, D]; W1: param[D, H]; b1: param[H]; h = relu(X @ W1 + b1)\n"
NORMED = (
    "X: data[N, D]; y: labels[N, C]; W: param[D, H]; g: param[H]; b: param[H]; V: param[H, C]\n"
    "m: binary[N, H]; z = X @ W\n"
    "h = dropout(relu(batch_norm(z, g, b)), m, p=0.2); s = h @ V; loss = cross_entropy(s, y)"
)
# name: (program, data, settings, what is reached at least on the held-out rows)
MODELS: dict[str, tuple[str, str, dict[str, Any], float]] = {
    "digits": (DIGITS, "classes", {"rate": 0.01, "given": {"H": 16, "lam": 1e-4}}, 0.9),
    "fast": (DIGITS, "classes", {"style": "fast", "dtype": "float32", "rate": 0.01}, 0.9),
    "svm": ("X: data[N, D]; y: labels[N, C]; W: param[D, C]; svm(X @ W, y)", "classes",
            {"rate": 0.01}, 0.9),
    "index": ("X: data[N, D]; y: labels[N, C]; W: param[D, C]; s = X @ W\n"
              "L[i] = sum(max(0, s[i,j] - s[i,y[i]] + Delta) for j in C if j != y[i])\n"
              "mean(L[i] for i in N) + lam*sum(W**2)", "classes",
              {"rate": 0.01, "given": {"Delta": 1}}, 0.9),
    "counted": ("X: data[N, D]; y: labels[N, 3]; W: param[D, 3]; cross_entropy(X @ W, y)",
                "classes", {"rate": 0.01}, 0.9),
    "onehot": (HIDDEN + "Y: onehot[N, C]; V: param[H, C]; P = softmax(h @ V); -sum(Y*log(P))/N",
               "classes", {"optimizer": "nadam"}, 0.9),
    "bce": (HIDDEN + "y: binary[N]; v: param[H]; b: param; p = sigmoid(h @ v + b)\n"
            "mean(-(y*log(p) + (1 - y)*log(1 - p)))", "two", {"optimizer": "momentum"}, 0.9),
    "logit": (HIDDEN + "y: data[N, 1]; v: param[H, 1]; bce_with_logits(h @ v, y)", "two",
              {"dtype": "float32"}, 0.9),
    "hinge": ("X: data[N, D]; y: sign[N]; w: param[D]; b: param\n"
              "mean(max(0, 1 - y*(X @ w + b)))", "two", {"rate": 0.01, "l1": 1e-4}, 0.9),
    "values": (HIDDEN + "y: data[N]; v: param[H]; b: param; mse(h @ v + b, y)", "values",
               {"rate": 0.01}, 0.9),
    "column": (HIDDEN + "y: data[N, 1]; v: param[H, 1]; huber(h @ v, y, delta)", "values",
               {"rate": 0.01, "given": {"delta": 1}, "schedule": "cosine(warmup=0.1)"}, 0.9),
    "positive": (HIDDEN + "y: data[N]; v: param[H]; b: param; mean((softplus(h @ v + b) - y)**2)",
                 "values", {"rate": 0.05}, 0.8),
    "wide": (HIDDEN + "Y: data[N, K]; V: param[H, K]; mse(h @ V, Y)", "wide", {"rate": 0.01}, 0.9),
    "labels": (HIDDEN + "Y: binary[N, K]; V: param[H, K]; bce_with_logits(h @ V, Y)", "labels",
               {"rate": 0.01}, 0.9),
    "signs": (HIDDEN + "Y: sign[N, K]; V: param[H, K]; multilabel_hinge(h @ V, Y)", "signs",
              {"rate": 0.01, "l2": 1e-5}, 0.9),
    "rebuilt": ("X: data[N, D]; W: param[D, H]; V: param[H, D]; mse(tanh(X @ W) @ V, X)",
                "alone", {"rate": 0.01, "given": {"H": 8}}, 0.8),
    "normed": (NORMED, "classes", {"schedule": "plateau(patience=5)", "rate": 0.01}, 0.9),
    "normed_fast": (NORMED, "classes", {"style": "fast", "rate": 0.02}, 0.8),
    "deep": ("X: data[N, D]; y: labels[N, C]; W1: param[D, H1]; W2: param[H1, H2]\n"
             "W3: param[H2, C]; h = tanh(X @ W1); h = tanh(h @ W2); cross_entropy(h @ W3, y)",
             "classes", {"given": {"H1": 12, "H2": 9}}, 0.9),
    "two_inputs": ("X: data[N, D]; Z: data[N, E]; y: data[N]; w: param[D]; v: param[E]\n"
                   "mse(X @ w + Z @ v, y)", "halves", {"rate": 0.02}, 0.9),
    "scalars": ("x: data[N]; y: data[N]; w: param; b: param; mean((w*x + b - y)**2)", "line",
                {"rate": 0.02}, 0.9),
    "clashing": ("rng: data[N, params]; data: labels[N, train]; np: param[params, main]\n"
                 "add: param[main]; W: param[main, train]; h = tanh(rng @ np + add)\n"
                 "cross_entropy(h @ W, data) + c0*sum(W**2) + predict*sum(np**2)", "classes",
                 {"style": "fast", "given": {"main": 8, "c0": 1e-4}, "rate": 0.01}, 0.9),
}  # fmt: skip
RUNNER = """
import contextlib, io, json, sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("symgrad", "sympy", "networkx", "scipy", "sklearn", "pandas"):
            raise ImportError(name)
sys.meta_path.insert(0, Block())
import warnings; warnings.simplefilter("error")
import runpy
found = []
for path, *arguments in json.load(sys.stdin):
    out, err, code = io.StringIO(), io.StringIO(), 0
    sys.argv = [path, *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as stop:
            code = stop.code or 0
    found.append((code, out.getvalue(), err.getvalue()))
json.dump(found, sys.stdout)
"""


def run(calls: list[list[str]]) -> list[Any]:
    """Run modules in one isolated process that has NumPy only; give (code, output, errors)."""
    done = subprocess.run([sys.executable, "-I", "-c", RUNNER], input=json.dumps(calls),
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return found


def table(path: Path, header: list[str], rows: Any) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])


def data(folder: Path) -> None:
    """Write small data sets that the models can learn."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(240, 6)) * np.arange(1, 7) + 3
    inner = (X - 3) / np.arange(1, 7)
    codes = np.argmax(inner @ rng.normal(size=(6, 3)), axis=1)
    names = np.array(["cat", "dog", "mouse"])
    np.savez(folder / "classes.npz", X=X, y=codes)
    table(folder / "classes.csv", [*"abcdef", "kind"],
          [[*row, name] for row, name in zip(X.tolist(), names[codes], strict=True)])  # fmt: skip
    weights = rng.normal(size=(6, 4))
    np.savez(folder / "two.npz", X=X, y=np.array(["no", "yes"])[(inner[:, 0] > 0).astype(int)])
    np.savez(folder / "values.npz", X=X, y=(inner @ weights[:, 0] * 2 + 30)[:, None])
    np.savez(folder / "wide.npz", X=X, Y=inner @ weights * 50 - 200)
    np.savez(folder / "labels.npz", X=X, Y=inner @ weights > 0)
    np.savez(folder / "signs.npz", X=X, Y=np.where(inner @ weights > 0, 1, -1))
    np.savez(folder / "alone.npz", X=inner @ rng.normal(size=(6, 10)))
    np.savez(folder / "halves.npz", Z=X[:, :2], X=X[:, 2:], y=inner @ weights[:, 0])
    np.savez(folder / "line.npz", x=X[:, 0], y=3 * X[:, 0] + 20)
    table(folder / "wide.csv", [*"abcdef", "Y0", "Y1"],
          np.column_stack([X, inner @ weights[:, :2]]).tolist())  # fmt: skip
    table(folder / "line.csv", ["y", "x"], [[3 * x + 20, x] for x in X[:, 0].tolist()])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with the data and all modules."""
    made = tmp_path_factory.mktemp("modules")
    data(made)
    for name, (program, _, settings, _) in MODELS.items():
        (made / f"{name}.py").write_text(
            write(sg.parse(program), **{"epochs": 50, **settings}), encoding="utf-8"
        )
    return made


@pytest.fixture(scope="module")
def trained(folder: Path) -> dict[str, list[Any]]:
    """Train with every module, predict, and check its gradients."""
    calls = []
    for name, (_, source, _, _) in MODELS.items():
        module, file, weights = (str(folder / k) for k in
                                 (f"{name}.py", f"{source}.npz", f"{name}.npz_"))  # fmt: skip
        calls += [
            [module, file, "--out", weights, "--batch", "16"],
            [module, "--predict", file, "--weights", weights],
            [module, "--check"],
        ]
    found = run(calls)
    return {name: found[3 * k : 3 * k + 3] for k, name in enumerate(MODELS)}


GIVEN = {"H": 64, "lam": 1e-4}


def reached(text: str) -> float:
    """Read how good the last epoch is on the held-out rows."""
    last = [line for line in text.splitlines() if line.startswith("epoch")][-1]
    tail = last.split("held out: ")[1]
    return float(tail.split("R² ")[1]) if "R²" in tail else float(tail.split("%")[0]) / 100


@pytest.mark.parametrize("name", MODELS)
def test_it_learns_and_predicts_with_numpy_alone(name: str, folder: Path, trained: Any) -> None:
    _, source, _, least = MODELS[name]
    (code, out, err), (predicted, rows, _), (checked, report, _) = trained[name]
    assert (code, err) == (0, ""), err or code
    assert reached(out) >= least, out
    assert predicted == 0 and len(rows.splitlines()) == 240
    assert checked == 0 and "WRONG" not in report
    arrays = np.load(folder / f"{source}.npz")
    target = next((k for k in ("y", "Y") if k in arrays.files), "")
    answers = np.array([line.split(",") for line in rows.splitlines()])
    truth = arrays[target] if target else arrays["X"]
    if least >= 0.9 and truth.dtype.kind == "f":  # in the units of the target
        error = answers.astype(float) - truth.reshape(answers.shape)
        assert np.mean(error**2) < 0.2 * np.var(truth, axis=0).mean()
    elif least >= 0.9:
        shown = truth.astype(int) if truth.dtype.kind in "bi" else truth
        assert np.mean(answers == shown.astype(str).reshape(answers.shape)) >= 0.9


@pytest.mark.parametrize("name", MODELS)
def test_the_text_is_plain(name: str, folder: Path) -> None:
    text = (folder / f"{name}.py").read_text(encoding="utf-8")
    assert safety.check(text) == text
    codes = "E4,E5,E7,E9,F,W" if name != "normed" else "E4,E7,E9,F,W"  # a long formula
    ruff = [str(Path(sys.executable).parent / "ruff"), "check", "--isolated", "--line-length",
            "120", "--select", codes, "--stdin-filename", "model.py", "-"]  # fmt: skip
    if MODELS[name][2].get("style") != "fast" and Path(ruff[0]).exists():
        done = subprocess.run(ruff, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    tree = ast.parse(text)
    assert all(ast.get_docstring(n) or n.name == "rng" for n in ast.walk(tree)
               if isinstance(n, ast.FunctionDef))  # fmt: skip
    names = [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]
    assert {"initialise", "loss_and_grad", "predict", "train", "load", "main"} <= set(names)


def test_digits_as_golden(golden: Any) -> None:
    text = write(sg.parse(DIGITS), given={"H": 64, "lam": 1e-4})
    golden("modules/train_digits.py.txt", text)
    head = text[: text.index("# -- data and weights")]
    assert len(head.splitlines()) < 165  # the model and its training: what a lecture shows


def test_real_digits_from_both_kinds_of_file(folder: Path) -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    X, y = datasets.load_digits(return_X_y=True)
    np.savez(folder / "digits.npz", X=X, y=y)
    table(folder / "digits.csv", [*(f"p{k}" for k in range(64)), "digit"],
          np.column_stack([X, y]).tolist())  # fmt: skip
    module = folder / "real.py"
    module.write_text(write(sg.parse(DIGITS), given={"H": 64, "lam": 1e-4}), encoding="utf-8")
    out = ["--out", str(folder / "real.npz_"), "--epochs", "30", "--rate", "0.003",
           "--seed", "1"]  # fmt: skip
    found = run([[str(module), str(folder / f"digits.{kind}"), *out]
                 for kind in ("npz", "csv")])  # fmt: skip
    assert [code for code, _, _ in found] == [0, 0]
    assert found[0][1] == found[1][1] and reached(found[0][1]) >= 0.97


def test_tables(folder: Path) -> None:
    """Texts are classes, columns with a number are a target of several, names find columns."""
    names = ("digits.py", "wide.py", "scalars.py", "w.npz_", "v.npz_", "u.npz_", "classes.csv",
             "wide.csv", "line.csv")  # fmt: skip
    at = {k: str(folder / k) for k in names}
    (folder / "new.csv").write_text("a,b,c,d,e,f\n3,3,3,3,3,3\n", encoding="utf-8")
    found = run([
        [at["digits.py"], at["classes.csv"], "--out", at["w.npz_"]],
        [at["digits.py"], "--predict", at["classes.csv"], "--weights", at["w.npz_"]],
        [at["digits.py"], "--predict", str(folder / "new.csv"), "--weights", at["w.npz_"]],
        [at["wide.py"], at["wide.csv"], "--out", at["v.npz_"]],
        [at["wide.py"], "--predict", at["wide.csv"], "--weights", at["v.npz_"]],
        [at["scalars.py"], at["line.csv"], "--out", at["u.npz_"], "--batch", "8"],
    ])  # fmt: skip
    assert [code for code, _, _ in found] == [0] * 6, found
    assert set(found[1][1].split()) == {"cat", "dog", "mouse"}
    assert found[2][1].strip() in ("cat", "dog", "mouse")
    assert found[4][1].splitlines()[0].count(",") == 1
    assert reached(found[5][1]) > 0.9


WRONG: dict[str, tuple[str, str]] = {
    "missing.npz": ("digits", "No such file"),
    "text.npz": ("digits", "cannot be read"),
    "zip.npz": ("digits", "cannot be read"),
    "lacking.npz": ("digits", "has no t; it has X, a, b"),
    "flat.npz": ("digits", "X has the shape (240, 6, 1); expected is ('N', 'D')"),
    "short.npz": ("digits", "t has the shape (239,)"),
    "nan.npz": ("digits", "X is not finite in row 3"),
    "half.npz": ("digits", "t names classes by whole numbers or texts"),
    "single.npz": ("digits", "t has 1 classes"),
    "few.npz": ("digits", "has 3 rows"),
    "words.npz": ("digits", "X holds"),
    "three.npz": ("bce", "y has 3 classes; expected are 2"),
    "many.npz": ("counted", "y has 5 classes; expected are 3"),
    "zeros.npz": ("signs", "Y holds other numbers than -1 and 1"),
    "object.npz": ("digits", "cannot be read"),
    "ragged.csv": ("digits", "row 2 has 1 cells, the header 2"),
    "headless.csv": ("digits", "expected is a header"),
    "empty.csv": ("digits", "expected is a header"),
    "words.csv": ("digits", "row 1 has 'x' in the column a, no number"),
    "semicolons.csv": ("digits", "cells are separated by commas"),
    "any.csv": ("two_inputs", "a table does not tell X and Z apart"),
    "narrow.csv": ("wide", "there are no columns Y0, Y1"),
}


def spoil(folder: Path) -> None:
    """Write files with one fault each."""
    good = np.load(folder / "classes.npz")
    X, y = good["X"], good["y"]
    nan = X.copy()
    nan[2, 1] = np.nan
    arrays: dict[str, dict[str, Any]] = {
        "lacking": {"X": X, "a": y, "b": y}, "flat": {"X": X[:, :, None], "t": y},
        "short": {"X": X, "t": y[1:]}, "nan": {"X": nan, "t": y}, "half": {"X": X, "t": y + 0.5},
        "single": {"X": X, "t": 0 * y}, "few": {"X": X[:3], "t": np.arange(3)},
        "words": {"X": X.astype(str), "t": y}, "three": {"X": X, "y": y},
        "many": {"X": X, "y": np.arange(240) % 5}, "zeros": {"X": X, "Y": np.eye(3)[y]},
        "object": {"X": X, "t": y.astype(object)},
    }  # fmt: skip
    for name, given in arrays.items():
        np.savez(folder / f"{name}.npz", **given)
    (folder / "text.npz").write_text("no arrays")
    (folder / "zip.npz").write_bytes((folder / "classes.npz").read_bytes()[:500])
    tables = {
        "ragged": "a,t\n1,2\n3\n",
        "headless": "1,2\n3,4\n",
        "empty": "",
        "semicolons": "a;t\n1;2\n",
        "words": "a,t\n" + "x,1\ny,2\n" * 4,
        "any": "a,y\n1,2\n",
        "narrow": "a,b\n1,2\n",
    }
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text)


def test_wrong_data_end_with_one_line(folder: Path) -> None:
    spoil(folder)
    calls = [[str(folder / f"{module}.py"), str(folder / name)]
             for name, (module, _) in WRONG.items()]  # fmt: skip
    for (name, (_, said)), (code, out, err) in zip(WRONG.items(), run(calls), strict=True):
        assert isinstance(code, str) and said in code and "\n" not in code, (name, code, out, err)


def test_wrong_calls_and_divergence(folder: Path, trained: Any) -> None:
    module, file = str(folder / "values.py"), str(folder / "values.npz")
    other = str(folder / "digits.npz_")
    found = run([
        [module],
        [module, file, "--epochs", "0"],
        [module, file, "--out", str(folder / "none" / "w.npz")],
        [module, "--predict", file, "--weights", other],
        [module, "--predict", str(folder / "wide.npz"), "--weights", str(folder / "none.npz")],
        [module, file, "--rate", "1e200"],
        [module, "--predict", str(folder / "alone.npz"), "--weights", str(folder / "values.npz_")],
    ])  # fmt: skip
    codes, errors = [c for c, _, _ in found], [e for _, _, e in found]
    assert codes[:3] == [2, 2, 2] and "there is no folder" in errors[2]
    assert "holds no weights of this model" in codes[3] and "No such file" in codes[4]
    assert codes[5].startswith("epoch 1: the loss is") and "smaller --rate than 1e+200" in codes[5]
    assert "D=10; the weights are for 6" in codes[6]


def test_clipping_and_patience_stand_only_where_they_are_asked_for(folder: Path) -> None:
    plain, told = write(sg.parse(DIGITS), given=GIVEN), write(
        sg.parse(DIGITS), given=GIVEN, clip=0.5, patience=2, file="net.py", epochs=60)  # fmt: skip
    assert "CLIP" not in plain and "PATIENCE" not in plain and "python net.py --check" in told
    (folder / "told.py").write_text(told, encoding="utf-8")
    out = ["--out", str(folder / "told.npz_")]
    found = run([[str(folder / "told.py"), str(folder / "classes.npz"), *out],
                 [str(folder / "told.py"), "--help"]])  # fmt: skip
    assert found[0][0] == 0 and "best was epoch" in found[0][1]
    assert "learning rate (0.001)" in found[1][1]
    with pytest.raises(UsageError, match="patience needs a score"):
        write(sg.parse("X: data[N, D]; W: param[D, 2]; h = X @ W; sum(h**2)"), predict="h",
              patience=2)  # fmt: skip


def test_a_clipped_step_is_that_of_the_loop() -> None:
    from symgrad.train.update import clip_norm

    spaces: list[dict[str, Any]] = [{"__name__": "model"} for _ in range(2)]
    told: dict[str, Any] = {"optimizer": "gd", "rate": 0.5, "epochs": 1, "batch": 9}
    for space, clip in zip(spaces, (None, 0.01), strict=True):
        exec(write(sg.parse(DIGITS), given=GIVEN, clip=clip, **told), space)
    rng = np.random.default_rng(0)
    data = {"X": rng.normal(size=(9, 4)), "t": np.arange(9) % 3}
    ends = [space["train"](dict(data), data, {"D": 4, "C": 3}) for space in spaces]
    begun = spaces[0]["initialise"](0, 4, 3)
    step = {k: begun[k] - ends[0][k] for k in begun}
    flat = np.concatenate([v.ravel() for v in step.values()]) / 0.5
    clip_norm(flat, 0.01)
    clipped = np.concatenate([(begun[k] - ends[1][k]).ravel() for k in begun]) / 0.5
    assert np.allclose(clipped, flat, rtol=1e-9, atol=1e-12) and np.linalg.norm(flat) < 0.011


def test_a_gradient_that_is_not_finite_ends_it() -> None:
    program = "x: data[N]; t: data[N]; w: param; mean(exp(x)*sin(1e4*w)/2 - 0*t)"
    text = write(sg.parse(program), epochs=3)
    space: dict[str, Any] = {"__name__": "model"}
    exec(text, space)
    data = {"x": np.array([0.0, 709.0]), "t": np.ones(2)}  # the slope overflows, the value does not
    with pytest.raises(SystemExit, match="its gradient inf"):
        space["train"](data, data, {})


def test_the_same_bytes_under_any_hash_seed() -> None:
    code = ("import json, sys, symgrad as sg\nfrom symgrad.train.module import write\n"
            "made = [write(sg.parse(t), **s) for t, s in json.load(sys.stdin)]\n"
            "print(*made, sep='')")  # fmt: skip
    given = [(MODELS[k][0], MODELS[k][2]) for k in ("normed_fast", "clashing")]
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-c", code], input=json.dumps(given), env=env,
                          capture_output=True, text=True, check=True)  # fmt: skip
    here = "".join(write(sg.parse(text), **settings) for text, settings in given)
    assert done.stdout == here + "\n" and len(here) > 20_000


REFUSED = {
    "nothing to train": ("x*y", {}),
    "has no row for each example": ("X: data[N, D]; A: data[D, D]; y: data[N]; w: param[D]; "
                                    "mse(X @ A @ w, y)", {}),
    "holds numbers of classes": ("x: labels[N, V]; y: data[N]; w: param[V]; mse(w[x], y)",
                                 {"target": "y"}),
    "has a row for each example": ("X: data[N, D]; y: data[N]; w: param[D]; e: param[N]; "
                                   "mse(X @ w + e, y)", {}),
    "the setting 'delta' has no number": (MODELS["column"][0], {}),
    "'h' is no dimension": (DIGITS, {"given": {"h": 3}}),
    "unknown optimiser": (DIGITS, {"optimizer": "adm"}),
    "unknown schedule": (DIGITS, {"schedule": "cosin"}),
    "style='quick'": (DIGITS, {"style": "quick"}),
    "epochs=0": (DIGITS, {"epochs": 0}),
    "rate=-1": (DIGITS, {"rate": -1}),
    "H=2.5": (DIGITS, {"given": {"H": 2.5}}),
    "l2=nan": (DIGITS, {"l2": float("nan")}),
}  # fmt: skip


@pytest.mark.parametrize("said", REFUSED)
def test_what_is_refused(said: str) -> None:
    program, settings = REFUSED[said]
    with pytest.raises(UsageError, match=said):
        write(sg.parse(program), **settings)


def test_the_safety_check_refuses() -> None:
    for text in ("import pickle", "eval('1')", "import os\nos.system('x')", "from os import path",
                 "().__class__", "f()()", "__import__('os')", "class A: pass"):  # fmt: skip
        with pytest.raises(SymgradError):
            safety.check(text)


def test_it_takes_the_steps_of_the_loop() -> None:
    """The loop of `sg.train` on the same rows gives the same bits as the fast style."""
    from symgrad.train.data import load
    from symgrad.train.functions import Network
    from symgrad.train.run import Run
    from symgrad.train.settings import Settings

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 5)), np.arange(100) % 3
    told: dict[str, Any] = {"optimizer": "nadam", "schedule": "cosine", "epochs": 2, "batch": 32}
    graph = sg.parse(NORMED)
    settings = Settings(**told, values={"H": 8})
    network = Network(graph, settings)
    rows = load((X, y), graph, network.roles, standardise=False)
    run_ = Run(graph, rows, settings, None, network)
    state = run_.go()
    expected = {**run_.layout.views(state.vector), **state.statistics}
    for style, bound in (("fast", 0.0), ("readable", 1e-12)):
        space: dict[str, Any] = {"__name__": "model"}
        exec(write(graph, style=style, given={"H": 8}, **told), space)
        given = {"X": X, "y": y}
        found = space["train"](given, given, {"N": 100, "D": 5, "C": 3})
        assert list(found) == list(expected)
        for name, value in expected.items():
            assert np.max(np.abs(found[name] - value)) <= bound, name


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from symgrad.cli import main

    module = tmp_path / "net.py"
    source = str(EXAMPLES / "04_digits.sg")
    assert (
        main(["code", source, "--train", "--set", "H=8", "--epochs", "7", "-o", str(module)]) == 0
    )
    assert "lam is not given: 0" in capsys.readouterr().err
    assert "\nEPOCHS = 7 " in module.read_text(encoding="utf-8")
    for extra, said in (
        (["--epochs", "3"], "--epochs is about a module that trains"),
        (["--train", "--target", "jax"], "--target has no meaning"),
        (["--train", "--set", "H"], "--set takes NAME=NUMBER"),
    ):
        assert main(["code", source, *extra]) == 2
        assert said in capsys.readouterr().err

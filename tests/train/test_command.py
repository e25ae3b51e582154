"""`symgrad train` as its users call it."""

import json
from pathlib import Path

import numpy as np
import pytest

from symgrad.cli import main

MODEL = """\
# one neuron
X: data[N, D]
y: binary[N]
w: param[D]; b: param
z = X @ w + b
loss = bce_with_logits(z, y) + lam*sum(w**2)
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "neuron.sg"
    path.write_text(MODEL)
    return path


def _table(path: Path, rows: int = 60) -> Path:
    rng = np.random.default_rng(0)
    lines = ["height,colour,kind"]
    for k in range(rows):
        kind = k % 2
        colour = ("red", "blue")[int(rng.random() < 0.5)]
        lines.append(f"{rng.normal(3 * kind):.3f},{colour},{'cat' if kind else 'dog'}")
    path.write_text("\n".join(lines) + "\n")
    return path


def run(*words: object) -> int:
    return main(["train", *map(str, words)])


def test_a_table(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "run"
    data = _table(tmp_path / "pets.csv")
    code = run(model, "--data", data, "--out", out, "--epochs", 30, "--rate", 0.1,
               "--set", "lam=1e-3", "--no-report")  # fmt: skip
    said = capsys.readouterr()
    assert code == 0, said.err
    assert said.out.splitlines()[0] == "30 epochs, 30 steps"
    assert "standardised" in said.err and "labels cat, dog are 0, 1" in said.err
    assert sorted(p.name for p in out.iterdir()) == ["checkpoint.npz", "log.jsonl", "metrics.json"]
    metrics = json.loads((out / "metrics.json").read_text())
    assert metrics["test_accuracy"] > 0.8 and metrics["test_rows"] == 12
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [r["epoch"] for r in log] == list(range(1, 31))
    assert {"loss", "validation_loss", "rate", "gradient", "seconds"} <= log[-1].keys()


def test_resuming_is_as_if_nothing_had_happened(model: Path, tmp_path: Path) -> None:
    data = _table(tmp_path / "pets.csv")
    asked = [model, "--data", data, "--no-report", "--batch", 7, "--optimizer", "nadam"]
    assert run(*asked, "--out", tmp_path / "a", "--epochs", 8) == 0
    assert run(*asked, "--out", tmp_path / "b", "--epochs", 3) == 0
    assert run(*asked, "--out", tmp_path / "b", "--epochs", 8, "--resume") == 0
    a, b = (np.load(tmp_path / k / "checkpoint.npz") for k in "ab")
    assert a.files == b.files
    for name in a.files:
        if name != "state.json.npy" and not name.startswith("state"):
            np.testing.assert_array_equal(a[name], b[name])
    texts = [(tmp_path / k / "metrics.json").read_text() for k in "ab"]
    assert texts[0] == texts[1]


def test_a_report(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    code = run(model, "--data", _table(tmp_path / "pets.csv"), "--out", tmp_path / "run",
               "--epochs", 3,
               "--report", page)  # fmt: skip
    assert code == 0
    text = page.read_text()
    assert "<h1>Training neuron</h1>" in text and "<script" not in text
    assert str(page) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--data", "nowhere.csv"], 1, "nowhere.csv"),
        (["--data", "digitz"], 2, "did you mean 'digits'"),
        (["--data", "pets.csv", "--batch", "some"], 2, "--batch takes"),
        (["--data", "pets.csv", "--set", "lam"], 2, "--set takes NAME=NUMBER"),
        (["--data", "pets.csv", "--set", "mu=3"], 2, "'mu'"),
        (["--data", "pets.csv", "--optimizer", "adom"], 2, "did you mean 'adam'"),
        (["--data", "pets.csv", "--predict", "q"], 2, "--predict q"),
        (["--data", "pets.csv", "--target", "weight"], 2, "weight"),
        (["--data", "pets.csv", "--out", "pets.csv"], 1, "is a file"),
        (["--data", "pets.csv", "--patience", "2", "--validation", "0"], 2, "held out"),
    ],
)
def test_calls_that_cannot_be(
    words: list[str], code: int, said: str, model: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    _table(tmp_path / "pets.csv")
    assert run(model, "--no-report", "--epochs", 2, *words) == code
    assert said in capsys.readouterr().err


def test_divergence_is_told_and_the_last_good_state_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "square.sg"
    path.write_text("X: data[N, D]; y: data[N]; W: param[D, H]; v: param[H]\n"
                    "h = exp(X @ W)**2\nmse(h @ v, y)")  # fmt: skip
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "d.npz", X=rng.normal(size=(64, 3)) * 5, y=rng.normal(size=64))
    out = tmp_path / "run"
    code = run(path, "--data", tmp_path / "d.npz", "--out", out, "--optimizer", "gd", "--rate", 1.0)
    said = capsys.readouterr().err
    assert code == 1 and "DivergenceError" in said and "step" in said and "line 2" in said
    with np.load(out / "checkpoint.npz") as kept:
        assert all(np.isfinite(kept[k]).all() for k in kept.files if k.startswith("param"))


def test_a_run_of_another_model_is_not_taken_up(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _table(tmp_path / "pets.csv")
    asked = ["--data", data, "--out", tmp_path / "run", "--epochs", 2, "--no-report"]
    assert run(model, *asked) == 0
    other = tmp_path / "other.sg"
    other.write_text(MODEL.replace("sum(w**2)", "sum(abs(w))"))
    assert run(other, *asked, "--resume") == 2
    assert "another model" in capsys.readouterr().err
    assert run(model, *asked, "--resume", "--seed", 1) == 2
    assert "--seed 0" in capsys.readouterr().err


def test_messages_speak_of_flags(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = _table(tmp_path / "pets.csv")
    lines = data.read_text().splitlines()
    data.write_text("\n".join([*lines, "NA,red,cat"]))
    for words, said in [
        ([], "--missing mean puts"),
        (["--epochs", 0], "--epochs 0: a whole number"),
        (["--rate", 1, "--optimizer", "gd(rate=2)"], "in --optimizer 'gd(rate=2)' and as --rate 1"),
        (["--raw", "--standardise"], "exclude each other"),
    ]:
        assert run(model, "--data", data, "--out", tmp_path / "run", *words) in (1, 2)
        assert said in capsys.readouterr().err
    other = tmp_path / "huber.sg"
    other.write_text("X: data[N, D]; y: data[N]; w: param[D]; huber(X @ w, y, delta)")
    assert run(other, "--data", "diabetes", "--out", tmp_path / "run") == 2
    assert "--set delta=1" in capsys.readouterr().err


def test_standardising_is_asked_for(model: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 3)) * 1e3 + 5e3
    np.savez(tmp_path / "rows.npz", X=X, y=X[:, 0] > 5e3)
    asked = ["--data", tmp_path / "rows.npz", "--epochs", 40, "--rate", 0.1, "--no-report"]
    assert run(model, *asked, "--out", tmp_path / "run", "--standardise") == 0
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["test_accuracy"] > 0.9


def test_an_interrupt_before_anything_was_learned(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from symgrad.train.run import Run

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "_log", stop)
    data, out = _table(tmp_path / "pets.csv"), tmp_path / "run"
    assert run(model, "--data", data, "--out", out) == 130
    assert "before anything was learned" in capsys.readouterr().err and not out.exists()


def test_an_interrupt_that_was_lost_ends_the_run(tmp_path: Path) -> None:
    import signal

    import symgrad as sg
    from symgrad.train.run import Run

    class Swallowed:
        def __del__(self) -> None:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                seen.append(1)  # as Python does, which prints it

    seen: list[int] = []
    record = Run._record

    def recorded(run_: Run, *given: object) -> dict[str, object]:
        if len(run_.history) == 2:
            Swallowed()
        return record(run_, *given)  # type: ignore[arg-type]

    line = "x: data[N]; t: data[N]; w: param; mse(w*x, t)"
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Run, "_record", recorded)
        sg.train(line, {"x": [1, 2], "t": [3, 6]}, epochs=50, out=tmp_path / "run")
    assert seen and sg.Estimator.load(tmp_path / "run").n_iter_ == 3
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

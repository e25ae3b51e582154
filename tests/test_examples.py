"""The examples run and reach what they promise."""

import importlib.util
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import symgrad as sg
from symgrad.cli import main
from symgrad.reporting import findings

pytestmark = pytest.mark.usefixtures("registries")  # the search defines operators
ROOT = Path(__file__).parents[1]
EXAMPLES, DOCS = ROOT / "examples", ROOT / "docs"
MODELS = sorted(EXAMPLES.glob("*.sg"))
GUIDES = ("training.md", "training-examples.md")


def script(name: str) -> ModuleType:
    """Import a script by the beginning of its name."""
    (path,) = EXAMPLES.glob(f"{name}*.py")
    spec = importlib.util.spec_from_file_location(f"example_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # a dataclass looks there
    spec.loader.exec_module(module)
    return module


def needs_plots() -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `plots`")


def needs_data() -> None:
    pytest.importorskip("sklearn", reason="needs the extra `data`")


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_models_compile(path: Path) -> None:
    source = sg.compile(path.read_text(encoding="utf-8")).source
    compile(source, path.name, "exec")
    assert source == sg.compile(path.read_text(encoding="utf-8")).source


def test_every_example_is_in_the_list() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    files = [path.name for path in EXAMPLES.iterdir() if path.suffix in {".sg", ".py"}]
    assert [name for name in files if f"`{name}`" not in listed] == []


def test_the_two_layer_network_learns() -> None:
    losses = script("05").fit_random(steps=100)
    assert losses[-1] < losses[0] / 10


@pytest.mark.parametrize(
    ("name", "epochs"), [("04_digits", None), ("06_digits", 50), ("07_digits_svm", 50)]
)
def test_digits_reach_97_percent(name: str, epochs: int | None) -> None:
    needs_data()
    text = (EXAMPLES / f"{name}.sg").read_text(encoding="utf-8")
    m = sg.train(text, "digits", validation=0.1, test=0.2, epochs=epochs)
    assert m.metrics_["test_accuracy"] >= 0.97


def test_the_index_notation_is_the_same_loss() -> None:
    needs_data()
    losses = [
        sg.train((EXAMPLES / name).read_text(encoding="utf-8"), "digits", epochs=1).loss_curve_
        for name in ("07_digits_svm.sg", "08_digits_svm_index.sg")
    ]
    np.testing.assert_allclose(*losses, rtol=1e-9)


def commands(page: str) -> list[str]:
    """List the commands of symgrad in a page of the documentation that train or write a module."""
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if "bin/symgrad" in line]


@pytest.mark.parametrize("page", GUIDES)
def test_commands_of_the_guide_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_data()
    monkeypatch.chdir(tmp_path)
    listed = commands(page)
    assert listed
    for line in listed:
        words = shlex.split(line.replace("examples/", f"{EXAMPLES}/"))[1:]
        if words[0] == "train":
            words += ["--no-report"]
            words += [] if "--epochs" in words else ["--epochs", "1"]
        assert main(words) == 0


def test_iris_breast_cancer_and_diabetes_are_learned() -> None:
    needs_data()
    make = script("make_training")
    reached = {}
    for example in make.SECTIONS:
        if example.data in ("iris", "breast_cancer", "diabetes"):
            text = (EXAMPLES / example.file).read_text(encoding="utf-8")
            m = sg.train(text, example.data, validation=0.1, test=0.2, **example.settings)
            kind = "r2" if example.data == "diabetes" else "accuracy"
            reached[example.data] = m.metrics_[f"test_{kind}"]
    assert len(reached) == 3
    assert min(reached["iris"], reached["breast_cancer"]) > 0.9 and reached["diabetes"] > 0.4


def test_xor_is_solved() -> None:
    module = script("12")
    assert (module.trained().predict(module.X) == module.T).all()


@pytest.mark.parametrize(
    ("activation", "initial", "rate", "what"),
    [
        ("sigmoid({})", "glorot", 0.1, "vanishing gradient"),
        ("tanh({})", "normal", 0.1, "saturated units"),
        ("tanh({})", "normal(0.01)", 0.1, "fading values"),
        ("relu({})", "he", 1.0, "dead units"),
        ("tanh({})", "glorot", 0.1, ""),
        ("relu({})", "he", 0.1, ""),
    ],
)
def test_ten_layers_tell_what_is_wrong(
    activation: str, initial: str, rate: float, what: str
) -> None:
    needs_data()
    found = findings(script("13").trained(activation, initial, rate, epochs=1))
    assert what in [f.what for f in found] if what else found == []


def test_what_explodes_diverges_and_was_seen_before() -> None:
    needs_data()
    assert "square has no bound" in script("13").at_the_start("square({})", "he").why
    with pytest.raises(sg.DivergenceError, match=r"h2 = square\(h1 @ W2 \+ b2\)"):
        script("13").trained("square({})", "he", 0.001, epochs=1)


def test_dropout_is_less_sure_away_from_the_rows() -> None:
    needs_plots()
    module = script("14")
    _, deviation = module.trained(epochs=60).uncertainty([[0.0], [2.0], [-2.0]], samples=50)
    assert min(deviation[1:]) > 2 * deviation[0]


def test_batch_norm_takes_a_rate_at_which_the_other_network_fails() -> None:
    needs_data()
    needs_plots()
    module = script("15")
    text = module.plain().split("\n", 2)[2]  # after the heading
    assert "batch_norm" not in text and "g1" not in text
    assert module.trained(module.MODEL, 1.0, epochs=3).metrics_["test_accuracy"] > 0.8
    with pytest.raises(sg.DivergenceError):
        module.trained(module.plain(), 1.0, epochs=3)


def test_boundaries_form(tmp_path: Path) -> None:
    needs_plots()
    module = script("16")
    m = module.trained("circle(160)", 1, tmp_path)
    first = m.loss_curve_[0]
    m = module.trained("circle(160)", 15, tmp_path)
    assert m.n_iter_ == 15 and m.loss_curve_[0] == first and m.loss_curve_[-1] < first / 2


def test_a_piecewise_fit_bends_where_its_units_do() -> None:
    needs_plots()
    module = script("17")
    m = module.trained(3)
    kinks = module.kinks(m)
    assert m.score(*module.rows()) > 0.98 and len(kinks) == 3
    x = np.linspace(-3, 3, 1201)
    y = m.predict(x[:, None])
    bends = x[1:-1][np.abs(y[2:] - 2 * y[1:-1] + y[:-2]) > 1e-6]
    assert all(np.abs(kinks - place).min() < 0.006 for place in bends) and len(bends)


def test_the_input_gradient_says_which_pixels_count() -> None:
    needs_data()
    needs_plots()
    from sklearn.datasets import load_digits

    module = script("18")
    X, t = load_digits(return_X_y=True)
    m = module.trained(epochs=15)
    share = module.removed(m, X[:300], t[:300])
    assert share["the most important"] < share["any"] - 0.3 < share["the least important"]


def test_the_search_draws_formulas_that_are_activations() -> None:
    module = script("19")
    formulas = module.candidates(300)
    assert len(set(formulas)) == 300
    for k, formula in enumerate(formulas[:40]):
        sg.activation(f"candidate{k}", formula)
    assert module.judged("max(a, 0)", "rectifier", epochs=5) > 0.6


def test_softplus_stays_above_zero() -> None:
    needs_plots()
    module = script("20")
    x = np.linspace(0, 8, 81)[:, None]
    assert module.trained("softplus", epochs=60).predict(x).min() > 0


@pytest.mark.parametrize("page", GUIDES)
def test_pictures_of_the_pages_are_there_and_small(page: str) -> None:
    shown = re.findall(r"\]\((training/[\w.]+)\)", (DOCS / page).read_text(encoding="utf-8"))
    for name in shown:
        assert (DOCS / name).stat().st_size < (400_000 if name.endswith(".gif") else 150_000)
    if page == "training-examples.md":
        assert {f"training/{path.name}" for path in (DOCS / "training").iterdir()} == set(shown)
        make = script("make_training")
        text = (DOCS / page).read_text(encoding="utf-8")
        assert all(make.command(example) in text for example in make.SECTIONS)

"""The examples run and reach what they promise."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

import symgrad as sg

EXAMPLES = Path(__file__).parents[1] / "examples"
MODELS = sorted(EXAMPLES.glob("*.sg"))


@pytest.fixture(scope="module")
def training() -> ModuleType:
    pytest.importorskip("sklearn", reason="needs the extra `data`")
    spec = importlib.util.spec_from_file_location("training", EXAMPLES / "05_train_digits.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_models_compile(path: Path) -> None:
    source = sg.compile(path.read_text(encoding="utf-8")).source
    compile(source, path.name, "exec")
    assert source == sg.compile(path.read_text(encoding="utf-8")).source


def test_every_example_is_in_the_list() -> None:
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    files = [path.name for path in EXAMPLES.iterdir() if path.suffix in {".sg", ".py"}]
    assert [name for name in files if f"`{name}`" not in listed] == []


def test_the_two_layer_network_learns(training: ModuleType) -> None:
    before, after = training.fit_random(steps=200)
    assert after < before / 10


def test_digits_reach_95_percent(training: ModuleType) -> None:
    assert training.fit_digits(epochs=20) >= 0.95

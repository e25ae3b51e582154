"""Programs of numbers in float32: rounded on the way in and on the way out, double in between."""

import math
import pickle
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_rolling import PROGRAMS
from tests.codegen.test_scalar import dag

NEURON = "1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
STYLES = ("fast", "readable")
HARD = {
    "overflow": ("x*y", {"x": 1e30, "y": 1e30}),
    "beyond float32": ("x*y", {"x": 1e300, "y": 2.0}),
    "beyond, below": ("x + y", {"x": -3.5e38, "y": 0.0}),
    "too small": ("x*y", {"x": 1e-30, "y": 1e-30}),
    "finite again": ("log(exp(x) + exp(y))", {"x": 100.0, "y": 90.0}),
    "math raises": ("exp(x) + y", {"x": 1000.0, "y": 0.0}),
    "a pole": ("log(x) + 1/y", {"x": 0.0, "y": -0.0}),
    "no number": ("x*sin(y)", {"x": 1.0, "y": math.inf}),
    "nan": ("max(x, y)*x", {"x": math.nan, "y": 1.0}),
    "signed zero": ("x*y", {"x": -0.0, "y": 0.5}),
    "not taken": ("where(x > 0, log(x), y)", {"x": -1.0, "y": 2.0}),
    "constants": ("3 + 0*x", {"x": 1.0}),
    "a condition": ("(x > 0)*y", {"x": 1.0, "y": 2.0}),
    "one input": ("x", {"x": 0.1}),
}


def same(one: tuple[Any, dict[str, Any]], other: tuple[Any, dict[str, Any]]) -> None:
    """Compare results bit for bit, and their types."""
    assert list(one[1]) == list(other[1])
    for a, b in zip([one[0], *one[1].values()], [other[0], *other[1].values()], strict=True):
        assert type(a) is type(b) is np.float32
        assert (a.tobytes() == b.tobytes()) or (np.isnan(a) and np.isnan(b))


def rounded(text: str, at: dict[str, float], style: str) -> tuple[Any, dict[str, Any]]:
    """Compute in float64 from inputs in float32, and round the results."""
    with np.errstate(all="ignore"):
        value, grads = sg.compile(text, style=style)(**{k: np.float32(v) for k, v in at.items()})
        return np.float32(value), {k: np.float32(g) for k, g in grads.items()}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", HARD)
def test_hard_numbers_are_those_of_float64_rounded(name: str, style: str) -> None:
    text, at = HARD[name]
    f = sg.compile(text, dtype="float32", style=style)
    first = f(**at)
    same(first, rounded(text, at, style))
    same(first, f(**at))
    space: dict[str, Any] = {"__name__": "module"}
    exec(f.source, space)
    same(first, space["value_and_grad"](**{f._parameters[k]: v for k, v in at.items()}))


@pytest.mark.parametrize("seed", range(6))
def test_random_programs_are_those_of_float64_rounded(seed: int) -> None:
    text = dag((8, 60, 400)[seed % 3], seed)
    r = random.Random(seed)
    for style in STYLES:
        f = sg.compile(text, dtype="float32", style=style)
        at = {n: r.uniform(-1.5, 1.5) for n in f.inputs}
        same(f(**at), rounded(text, at, style))


@pytest.mark.parametrize("name", PROGRAMS)
def test_loops_and_lists_are_those_of_float64_rounded(name: str) -> None:
    f = sg.compile(PROGRAMS[name], dtype="float32")
    at = {n: 0.3 + 0.6 * k / len(f.inputs) for k, n in enumerate(f.inputs)}
    first = f(**at)
    same(first, rounded(PROGRAMS[name], at, "fast"))
    same(first, f(**{k: np.float32(v) for k, v in at.items()}))
    space: dict[str, Any] = {"__name__": "module"}
    exec(f.source, space)
    same(first, space["value_and_grad"](**at))


@pytest.mark.parametrize("style", STYLES)
def test_numbers_of_every_kind_give_the_same_bits(style: str) -> None:
    f = sg.compile(NEURON, dtype="float32", style=style)
    at = {k: 0.1 + 0.3 * j for j, k in enumerate(f.inputs)}
    first = f(**at)
    for kind in (np.float32, np.float64, np.array, lambda v: np.float32(v).reshape(())):
        same(first, f(**{k: kind(v) for k, v in at.items()}))
        same(first, f(**{**at, "w1": kind(at["w1"])}))
    same(f(**dict.fromkeys(at, 2)), f(**dict.fromkeys(at, 2.0)))
    same(f(**{**at, "w0": True}), f(**{**at, "w0": 1.0}))
    for wrong in ("2", [1.0], np.ones(1), None, 1j):
        with pytest.raises(sg.SymgradError):
            f(**{**at, "w0": wrong})


def test_numbers_run_over_math() -> None:
    for style in STYLES:
        f = sg.compile(NEURON, dtype="float32", style=style)
        assert "def _value_and_grad(m, w0" in f.program
        same(pickle.loads(pickle.dumps(f))(**dict.fromkeys(f.inputs, 0.3)),
             f(**dict.fromkeys(f.inputs, 0.3)))  # fmt: skip
    assert "(m" not in sg.compile("y: label[3]; x: param[3]; x[y]", dtype="float32").program


def test_what_is_declared_holds_for_what_is_given() -> None:
    """A positive number may round to 0."""
    f = sg.compile("x: positive\nlog(x)", dtype="float32")
    value, grads = f(x=1e-60)
    assert value == -np.inf and grads["x"] == np.inf
    with pytest.raises(sg.DataError, match="positive"):
        f(x=0.0)


def test_a_long_program_has_no_limit_in_float32() -> None:
    lines = "h = x\n" + "h = sin(h)*y + h\n" * 11_000
    f = sg.compile(lines, dtype="float32")
    same(f(x=0.5, y=1e-5), rounded(lines, {"x": 0.5, "y": 1e-5}, "fast"))
    assert len(f.program) < 3000


def test_derivatives_of_derivatives_and_vectors() -> None:
    f, double = (sg.compile("sin(x*y)*x", dtype=t) for t in ("float32", "float64"))
    found = f.hvp({"x": 1.0}, x=0.5, y=0.25)
    right = double.hvp({"x": 1.0}, x=0.5, y=0.25)
    assert found == {k: np.float32(v) for k, v in right.items()}
    assert all(type(v) is np.float32 for v in found.values())
    value, vector = f.flat(y=0.25)(np.array([0.5]))
    assert type(value) is float and vector.dtype == np.float64
    assert value == np.float32(double(x=0.5, y=0.25)[0])


def test_calls_overlap() -> None:
    for text in (NEURON, PROGRAMS["speelpenning"]):
        f = sg.compile(text, dtype="float32")
        points = [(f, dict.fromkeys(f.inputs, 0.5 + k / 100)) for k in range(50)]
        right = [f(**at) for _, at in points]
        with ThreadPoolExecutor(4) as workers:
            for _ in range(20):
                found = workers.map(lambda point: point[0](**point[1]), points)
                for one, other in zip(found, right, strict=True):
                    same(one, other)


def test_a_taken_context_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread may be in it; then the call goes the general way."""
    from symgrad.codegen import calling

    def busy() -> Any:
        def run(*_: Any) -> Any:
            raise RuntimeError("cannot enter context")

        return run

    monkeypatch.setattr(calling, "silent", busy)
    f = sg.compile("x*y", dtype="float32")
    monkeypatch.undo()
    same(f(x=0.1, y=0.2), rounded("x*y", {"x": 0.1, "y": 0.2}, "fast"))


@pytest.mark.parametrize("style", STYLES)
def test_a_module_checks_itself(style: str, tmp_path: Path) -> None:
    f = sg.compile(NEURON, dtype="float32", style=style)
    path = tmp_path / "m.py"
    path.write_text(f.source, encoding="utf-8")
    done = subprocess.run([sys.executable, "-W", "error", str(path), "--check"],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0 and "WRONG" not in done.stdout, done.stderr

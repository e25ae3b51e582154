"""What a JAX module computes is what the NumPy module computes; needs JAX."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point
from symgrad.codegen import targets
from symgrad.codegen.jax import write
from symgrad.codegen.jaxtext import LINALG, SAME
from symgrad.codegen.plan import plan
from symgrad.ops.declared import FACTS

jax = pytest.importorskip("jax", reason="JAX is not installed")
SPEC = importlib.util.spec_from_file_location("of_jax", Path(__file__).with_name("test_jax.py"))
assert SPEC is not None and SPEC.loader is not None
texts = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(texts)
CASES, ROWS, program, written = texts.CASES, texts.ROWS, texts.program, texts.written


@pytest.fixture
def wide() -> Iterator[Any]:
    """Switch 64-bit floats on for one test."""
    jax.config.update("jax_enable_x64", True)
    yield jax
    jax.config.update("jax_enable_x64", False)


def run(source: str, name: str = "compiled") -> Any:
    space: dict[str, Any] = {}
    exec(compile(source, "module", "exec"), space)
    return space[name]


def numbers(graph: sg.Graph) -> dict[str, Any]:
    """Draw a point at which all operators have values."""
    rng = np.random.default_rng(0)
    plain = not any(n.attrs["kind"] in FACTS for n in graph.inputs)
    if plain and all(isinstance(d, int) for n in graph.inputs for d in n.shape):
        return {n.attrs["name"]: rng.integers(0, 3, n.shape)[()] if n.dtype == "int"
                else rng.uniform(0.2, 0.8, n.shape)[()] for n in graph.inputs}  # fmt: skip
    return point(graph, seed=1)


def agree(graph: sg.Graph, wrt: Any, dtype: str, accurate: bool, tolerance: float) -> None:
    at = numbers(graph)
    with np.errstate(all="ignore"):
        value, grads = sg.compile(graph, wrt, accurate=accurate)(**at)
    source, module = write(plan(graph, wrt, accurate, lazy=False), dtype, accurate)
    got, got_grads = run(source)(**{module.parameters[k]: v for k, v in at.items()})
    assert list(got_grads) == sorted(grads)  # jit sorts the keys of a dictionary
    for key, ours, theirs in [("", value, got), *((k, grads[k], got_grads[k]) for k in grads)]:
        assert theirs.dtype == dtype and theirs.shape == np.shape(ours), key
        scale = tolerance * max(1, np.max(np.abs(ours), initial=0))
        np.testing.assert_allclose(theirs, ours, rtol=tolerance, atol=scale, err_msg=key)


@pytest.mark.filterwarnings("ignore:zero_one")
@pytest.mark.parametrize(("graph", "wrt"), CASES)
def test_it_agrees_with_numpy(graph: sg.Graph, wrt: Any, wide: Any) -> None:
    agree(graph, wrt, "float64", False, 1e-10)


@pytest.mark.filterwarnings("ignore:zero_one")
@pytest.mark.parametrize("row", [r for r in ROWS if r.precise or r.precise_helper or r.accurate],
                         ids=lambda row: row.name)  # fmt: skip
def test_accurate_modules_agree(row: Any, wide: Any) -> None:
    agree(*program(row), "float64", True, 1e-10)


@pytest.mark.filterwarnings("ignore:zero_one", "error:.*float64")
@pytest.mark.parametrize(("graph", "wrt"), CASES[::3])
def test_float32_needs_no_switch(graph: sg.Graph, wrt: Any) -> None:
    agree(graph, wrt, "float32", False, 2e-4)


def test_float64_says_what_to_switch_on() -> None:
    with pytest.raises(ValueError, match="jax_enable_x64"):
        run(written(sg.parse("x**2")))(x=3.0)


def test_it_can_be_mapped_and_differentiated_again(wide: Any) -> None:
    text = "w: param[3]; x: data[3]; norm(w*x) + prod(w) + max(w)*sigmoid(w @ x)"
    f = run(written(sg.parse(text)), "value_and_grad")
    xs, w = np.random.default_rng(0).normal(size=(2, 5, 3))[..., :3]
    many, grads = wide.jit(wide.vmap(lambda x: f(w=w[0], x=x)))(xs)
    for k, x in enumerate(xs):
        value, grad = f(w=w[0], x=x)
        assert np.allclose(many[k], value) and np.allclose(grads["w"][k], grad["w"])
    twice = wide.grad(lambda w: f(w=w, x=xs[0])[0])(w[0])
    assert np.allclose(twice, f(w=w[0], x=xs[0])[1]["w"])
    slope = wide.jacfwd(lambda w: f(w=w, x=xs[0])[1]["w"])(w[0])
    assert np.allclose(slope, slope.T) and np.abs(slope).max() > 0.1


SHARDED = """
import jax, numpy as np
jax.config.update("jax_enable_x64", True)
from jax.sharding import Mesh, NamedSharding, PartitionSpec
space = {}
exec(open(SOURCE, encoding="utf-8").read(), space)
rng = np.random.default_rng(0)
X, w, y = rng.normal(size=(8, 3)), rng.normal(size=3), rng.normal(size=8)
rows = NamedSharding(Mesh(np.array(jax.devices()), ("n",)), PartitionSpec("n"))
value, grads = space["compiled"](X=jax.device_put(X, rows), w=w, y=jax.device_put(y, rows))
assert len(jax.devices()) == 2
assert np.allclose(value, np.mean((X @ w - y)**2) + np.linalg.norm(X @ w))
"""


def test_it_runs_on_arrays_that_are_spread_over_devices(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    text = "X: data[N, D]; w: param[D]; y: data[N]; mse(X @ w, y) + norm(X @ w)"
    file.write_text(written(sg.parse(text)), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", f"SOURCE = {str(file)!r}\n{SHARDED}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XLA_FLAGS": "--xla_force_host_platform_device_count=2"},
    )
    assert done.returncode == 0, done.stderr


def test_the_library_has_the_names() -> None:
    assert not [name for name in SAME if not hasattr(jax.numpy, name)]
    assert not [name for name in LINALG if not hasattr(jax.numpy.linalg, name)]


CHECKED = {
    "net": "X: data[N, D]; y: labels[N, C]; W: param[D, H]; V: param[H, C]; h = relu(X @ W); "
    "cross_entropy(h @ V, y) + sum(W**3)",
    "symmetric": "S: symmetric[D, D]; logdet(S) + sum(S @ S)",
    "names": "np: param[2]; jax: param[2]; at: param; sum(np*jax)*at",
    "positive": "x: positive[K]; sum(log(x)*sqrt(x))",
}


@pytest.mark.parametrize("name", CHECKED)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_check_compares_with_what_jax_derives(name: str, dtype: str, capsys: Any) -> None:
    source = targets.source(sg.parse(CHECKED[name]), dtype=dtype, target="jax")
    try:
        assert run(source, "check")() == 0
        said = capsys.readouterr().out
        assert ": ok, largest relative difference " in said and "WRONG" not in said
    finally:
        jax.config.update("jax_enable_x64", False)


def test_the_check_finds_a_wrong_gradient(tmp_path: Path) -> None:
    source = targets.source(sg.parse("x: param[3]; sum(tanh(x))"), target="jax")
    target = tmp_path / "model.py"
    for text, code, words in ((source, 0, "x: ok"), (_doubled(source), 1, "x: WRONG")):
        target.write_text(text, encoding="utf-8")
        done = subprocess.run([sys.executable, str(target), "--check"], capture_output=True,
                              text=True, check=False)  # fmt: skip
        assert done.returncode == code and done.stdout.startswith(words), done.stderr
    done = subprocess.run(
        [sys.executable, str(target)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "with JAX's own" in done.stdout


def _doubled(source: str) -> str:
    changed = source.replace('{"x": grad_x}', '{"x": 2*grad_x}')
    assert changed != source
    return changed

"""A code target is one file; what it is asked for in error is said."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import codegen
from symgrad.codegen import targets

GRAPH = sg.parse("w: param; loss = (w*x - t)**2")


def test_numpy_is_the_first() -> None:
    assert targets.names()[0] == "numpy" and "jax" in targets.names()
    assert targets.source(GRAPH) == sg.compile(GRAPH, style="readable").source
    narrow = targets.source(GRAPH, "w", "float32", accurate=True)
    assert narrow == sg.compile(GRAPH, "w", "float32", accurate=True, style="readable").source


def test_dtype_and_names_reach_a_target() -> None:
    source = targets.source(GRAPH, ["x"], "float32", target="jax")
    assert "jnp.float32" in source and "float64" not in source and '{"x": grad_x}' in source
    data = sg.parse("sum(x**2)", shapes={"x": np.zeros(3, "float32")})
    assert "jnp.float32" in targets.source(data, target="jax")


def test_a_condition_with_a_line_of_its_own_is_returned_as_numbers() -> None:
    """The gradient of a maximum of named values is a mask that has a name."""
    graph = sg.parse("W: real[3, D]; x: real[D]; b: param[3]; a = W @ x + b; max(a)")
    _, grads = sg.compile(graph)(W=np.eye(3), x=np.arange(3.0), b=np.zeros(3))
    assert grads["b"].dtype == np.float64 and grads["b"].tolist() == [0, 0, 1]
    assert "grad_b = grad_a.astype(jnp.float64)" in targets.source(graph, target="jax")


def test_what_is_not_known() -> None:
    with pytest.raises(sg.UsageError, match=r"target='jaxx'(.|\n)*did you mean 'jax'"):
        targets.source(GRAPH, target="jaxx")
    for name in ("plan", "../numpy", "", "javascript"):
        with pytest.raises(sg.UsageError, match="the targets are numpy, jax"):
            targets.source(GRAPH, target=name)
    with pytest.raises(sg.UsageError, match=r"style='fast'(.|\n)*JAX"):
        targets.source(GRAPH, target="jax", style="fast")
    with pytest.raises(sg.UsageError, match="dtype"):
        targets.source(GRAPH, dtype="float16", target="jax")
    with pytest.raises(sg.NotDifferentiableError):
        targets.source(sg.parse("x: param[2]; x*2"), target="jax")


def test_a_file_is_a_target(tmp_path: Path, monkeypatch: Any) -> None:
    """A file that is put beside the others is found by its name."""
    text = '"""Count lines."""\n\nTARGET = "Counted"\n\n\ndef write(plan, dtype, accurate):\n'
    text += '    return f"{plan.of} has {len(plan.grads)} gradients of {dtype}", None\n'
    (tmp_path / "counted.py").write_text(text, encoding="utf-8")
    (tmp_path / "machinery.py").write_text("X = 1\n", encoding="utf-8")
    monkeypatch.setattr(codegen, "__path__", [*codegen.__path__, str(tmp_path)])
    targets.names.cache_clear()
    try:
        assert targets.names() == ("numpy", "counted", "jax")
        assert targets.source(GRAPH, target="counted") == "loss has 1 gradients of float64"
    finally:
        targets.names.cache_clear()

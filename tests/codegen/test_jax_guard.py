"""A JAX module answers shapes and labels that are wrong, traced or not; needs JAX."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen import targets

jax = pytest.importorskip("jax", reason="JAX is not installed")
NET = "X: data[N, D]; t: labels[N, C]; W: param[D, C]; b: param[C]; cross_entropy(X @ W + b, t)"
RNG = np.random.default_rng(0)
AT = {"X": RNG.normal(size=(4, 3)), "t": np.array([0, 1, 4, 2]), "W": RNG.normal(size=(3, 5)),
      "b": RNG.normal(size=5)}  # fmt: skip


@pytest.fixture(params=["value_and_grad", "compiled"])
def call(request: Any) -> Any:
    """Give a module's function, as it is or jitted, in float32."""

    def function(text: str) -> Any:
        space: dict[str, Any] = {}
        exec(targets.source(sg.parse(text), dtype="float32", target="jax"), space)
        return space[request.param]

    return function


def test_what_is_as_declared_is_computed(call: Any) -> None:
    loss, grads = call(NET)(**AT)
    want, slopes = sg.compile(NET)(**AT)
    assert np.allclose(loss, want, rtol=1e-5) and np.allclose(grads["W"], slopes["W"], atol=1e-5)
    assert np.allclose(call(NET)(**{**AT, "X": AT["X"].tolist(), "t": [0, 1, 4, 2]})[0], want)


@pytest.mark.parametrize("labels", [[0, 1, 5, 2], [0, -1, 4, 2], [0, 1, 2**30, 2]])
def test_a_label_that_is_no_class_makes_the_loss_nan(call: Any, labels: list[int]) -> None:
    assert np.isnan(call(NET)(**{**AT, "t": np.array(labels)})[0])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("b", np.ones(1), r"b has the shape \(1,\); expected is \(C = 5\)"),
        ("b", np.ones((5, 1)), r"b has the shape \(5, 1\)"),
        ("W", np.ones((2, 5)), r"W has the shape \(2, 5\); expected is \(D = 3, C\)"),
        ("t", np.array([0.0, 1.0, 4.5, 2.0]), "t has the type float32; labels are whole numbers"),
    ],
)
def test_shapes_and_types_raise(call: Any, name: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(NET)(**{**AT, name: value})


FACTS = {
    "binary": ("y: binary[N]; z: param[N]; bce_with_logits(z, y)", [0.0, 1.0], [0.0, 2.0]),
    "sign": ("y: sign[N]; z: param[N]; sum(softplus(-y*z))", [1.0, -1.0], [1.0, 0.0]),
    "simplex": ("y: simplex[N]; z: param[N]; sum(y*z)**2", [0.25, 0.75], [0.5, 0.75]),
    "positive": ("y: positive[N]; z: param[N]; sum(log(y)*z)", [1.0, 2.0], [1.0, -2.0]),
    "number": ("y: binary; z: param; bce_with_logits(z, y)", 1.0, 2.0),
}


@pytest.mark.parametrize("kind", FACTS)
def test_entries_that_are_not_as_declared_make_the_loss_nan(call: Any, kind: str) -> None:
    text, good, bad = FACTS[kind]
    z = np.array([0.5, -0.5]) if np.shape(good) else 0.5
    assert np.isfinite(call(text)(y=np.array(good), z=z)[0])
    assert np.isnan(call(text)(y=np.array(bad), z=z)[0])


@pytest.fixture(autouse=True)
def narrow() -> Iterator[None]:
    """Keep JAX's floats at 32 bits."""
    jax.config.update("jax_enable_x64", False)
    yield


def test_it_can_be_mapped(call: Any) -> None:
    f = call(NET)
    labels = np.array([[0, 1, 4, 2], [0, 1, 5, 2]])
    found = jax.vmap(lambda t: f(**{**AT, "t": t})[0])(labels)
    assert np.isnan(found).tolist() == [False, True]


def test_names_of_a_program_are_kept_apart(call: Any) -> None:
    text = "verify: param[N]; is_binary: binary[N]; SHAPES: param[N]; sum(verify*is_binary*SHAPES)"
    value, grads = call(text)(verify_=np.ones(2), is_binary_=np.array([0.0, 1.0]),
                              SHAPES_=np.ones(2))  # fmt: skip
    assert value == 1 and sorted(grads) == ["SHAPES", "verify"]

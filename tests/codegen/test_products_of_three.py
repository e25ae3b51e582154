"""Chains of matrices: the order that their sizes call for, products that several chains have."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg

GRAPH = """A: symmetric[N, N]; X: data[N, D]; Y: data[N, C]; W: param[D, H]; V: param[H, C]
h = tanh(A @ X @ W); mse(A @ h @ V, Y)"""
TURNED = GRAPH.replace("symmetric", "data")
VECTOR = "A: data[N, M]; B: data[M, D]; v: param[D]; sum((A @ B @ v)**2)"
LOW = "X: data[N, D]; W: param[D, H]; sum((X - X @ W @ W.T)**2)"
PROGRAMS = [GRAPH, TURNED, VECTOR, LOW]
SIZES = dict(zip("NMDHC", (40, 30, 35, 3, 2), strict=True))


def lines(text: str, **options: Any) -> str:
    program = sg.compile(text, **options).program
    return program[program.index("    Returns ") :]


def inputs(graph: sg.Graph, sizes: dict[str, int]) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    at = {n.attrs["name"]: rng.normal(size=[sizes[d] for d in n.shape]) for n in graph.inputs}
    return at


@pytest.mark.parametrize("text", PROGRAMS)
@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("sizes", [SIZES, dict.fromkeys(SIZES, 1), {**SIZES, "N": 4, "H": 50}])
def test_as_backpropagation_computes(
    text: str, style: str, accurate: bool, sizes: dict[str, int]
) -> None:
    graph = sg.parse(text)
    at = inputs(graph, sizes)
    if text == GRAPH:
        at["A"] = at["A"] + at["A"].T
    f = sg.compile(graph, style=style, accurate=accurate)
    found = sg.backprop(graph, at)
    for value, gradients in (f(**at), f(**at)):
        assert value == pytest.approx(float(found.value), rel=1e-10)
        for name in f.wrt:
            scale = np.abs(found.grad[name]).max() + 1e-300
            np.testing.assert_allclose(gradients[name], found.grad[name], atol=1e-10 * scale)


@pytest.mark.parametrize("accurate", [False, True])
def test_the_order_is_chosen_when_sizes_are_there(accurate: bool) -> None:
    text = lines(GRAPH, style="readable", accurate=accurate)
    assert "three(A, X, W)" in text and "three(X.T, A, " in text
    assert text.count("A @ h") == 1 and "h.T @ A" not in text  # serves both, as A is symmetric
    assert "three(A, X, W)" in lines(GRAPH, accurate=accurate)
    assert "three(X.T, A.T, " in lines(TURNED, style="readable", accurate=accurate)


def test_known_sizes_need_no_choice() -> None:
    text = GRAPH
    for letter, size in SIZES.items():
        text = text.replace(f"[{letter}", f"[{size}").replace(f", {letter}]", f", {size}]")
    assert "three(" not in lines(text, style="readable") and "A @ (X @ W)" in lines(
        text, style="readable"
    )


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_product_that_only_vectors_meet_is_not_made(style: str) -> None:
    text = lines(VECTOR, style=style)
    assert "A @ B @" not in text and "A.dot(B," not in text and "A @ B\n" not in text
    named = VECTOR.replace("sum((A @ B @ v)", "P = A @ B; sum((P @ v)")
    assert "P = A @ B " in lines(named, style="readable")  # a line of the user stays


def test_the_cheaper_order() -> None:
    made = sg.compile(GRAPH, style="readable").source
    found: dict[str, Any] = {}
    exec(made, found)
    calls: list[tuple[int, ...]] = []

    class Seen(np.ndarray):
        def __matmul__(self, other: Any) -> Any:
            calls.append((self.shape[0], self.shape[1], other.shape[1]))
            return (np.asarray(self) @ np.asarray(other)).view(Seen)

    def seen(*shape: int) -> Any:
        return np.ones(shape).view(Seen)

    found["three"](seen(400, 400), seen(400, 64), seen(64, 16))
    assert calls == [(400, 64, 16), (400, 400, 16)]
    calls.clear()
    found["three"](seen(400, 30), seen(30, 400), seen(400, 200))
    assert calls == [(30, 400, 200), (400, 30, 200)]
    calls.clear()
    found["three"](seen(400, 400), seen(400, 16), seen(16, 7))  # 7 columns take as long as 24
    assert calls == [(400, 400, 16), (400, 16, 7)]

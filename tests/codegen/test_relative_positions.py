"""Rows that are looked up by i - j: products with the array, not with a window of it for each i."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import helpers

PLACES = ("j-i+T-1", "i-j+T-1", "i+j", "2*T-2-i-j")
SUMS = (
    "s[i,j] = sum(Q[i,k]*R[{},k] for k in D)",
    "s[i,j] = sum(Q[j,k]*R[{},k] for k in D)",
    "s[j,i] = sum(Q[i,k]*R[{},k] for k in D)",
    "s[i,k] = sum(A[i,j]*R[{},k] for j in T)",
    "s[j,k] = sum(A[i,j]*R[{},k] for i in T)",
    "s[i,j] = sum(Q[i,k]*(P[j,k] + R[{},k]) for k in D)",
    "s[i,k] = sum(A[i,j]*(P[j,k] + R[{},k]) for j in T)",
)
GIVEN = "Q: param[T, D]; P: param[T, D]; A: param[T, T]; R: param[2*T-1, D]"
ATTENTION = """Q: param[T, D]; K: param[T, D]; V: param[T, D]; R: param[2*T-1, D]
s[i,j] = sum(Q[i,k]*(K[j,k] + R[j-i+T-1,k]) for k in D)/sqrt(D)
sum((softmax(s, axis=1) @ V)**2)"""


def drawn(graph: sg.Graph, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = {**sizes, "2*T - 1": 2 * sizes["T"] - 1}
    return {n.attrs["name"]: rng.normal(size=[sizes[d] for d in n.shape]) for n in graph.inputs}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("total", SUMS)
@pytest.mark.parametrize("style", ("readable", "fast"))
def test_as_backpropagation_computes(place: str, total: str, style: str) -> None:
    graph = sg.parse(f"{GIVEN}\n{total.format(place)}\nsum(s**3)")
    f = sg.compile(graph, style=style)
    body = f.program[f.program.index("def value_and_grad") :]
    assert "skewed(" in body and "windows(" not in body and "overlapped(" not in body
    for sizes in ({"T": 6, "D": 3}, {"T": 40, "D": 70}, {"T": 1, "D": 2}):
        at = drawn(graph, sizes)
        found = sg.backprop(graph, at)
        for _ in range(2):
            value, gradients = f(**at)
            np.testing.assert_allclose(value, found.value, rtol=1e-11)
            for name in f.wrt:
                scale = np.abs(found.grad[name]).max()
                np.testing.assert_allclose(gradients[name], found.grad[name], atol=1e-12 * scale)


@pytest.mark.parametrize("options", [{}, {"accurate": True}, {"style": "readable"}], ids=str)
def test_attention_has_no_table_of_rows(options: dict[str, object]) -> None:
    graph = sg.parse(ATTENTION)
    f = sg.compile(graph, **options)
    body = f.program[f.program.index("def value_and_grad") :]
    assert "skewed(" in body and "einsum" not in body and "[:, None, :]" not in body
    at = drawn(graph, {"T": 30, "D": 8})
    found, (value, gradients) = sg.backprop(graph, at), f(**at)
    np.testing.assert_allclose(value, found.value, rtol=1e-12)
    for name in f.wrt:
        np.testing.assert_allclose(gradients[name], found.grad[name], rtol=1e-10, atol=1e-11)


def test_windows_with_steps_or_other_places_stay() -> None:
    for text in (
        "Q: param[T, D]; R: param[2*T, D]\ns[i,j] = sum(Q[i,k]*R[j+i+1,k] for k in D)\nsum(s**3)",
        "Q: param[T, D]; R: param[3*T-2, D]\ns[i,j] = sum(Q[i,k]*R[j+2*i,k] for k in D)\nsum(s**3)",
    ):
        graph = sg.parse(text)
        at = {"Q": np.ones((4, 2)), "R": np.random.default_rng(0).normal(size=(4, 2))}
        at["R"] = np.random.default_rng(0).normal(size=(8 if "2*T," in text else 10, 2))
        value, _ = sg.compile(graph)(**at)
        np.testing.assert_allclose(value, sg.backprop(graph, at).value, rtol=1e-12)


def test_a_table_is_viewed_and_filled() -> None:
    space = {"np": np}
    for name in ("skewed", "unskewed"):
        exec(helpers()[name], space)
    for n, m in ((1, 1), (1, 5), (4, 1), (3, 5), (5, 3)):
        x = np.arange(1.0, n * (n + m - 1) + 1).reshape(n, n + m - 1)
        found = space["skewed"](x)
        assert found.shape == (n, m) and np.shares_memory(found, x)
        rows = [[x[i, j + n - 1 - i] for j in range(m)] for i in range(n)]
        np.testing.assert_array_equal(found, rows)
        wide = space["unskewed"](found)
        np.testing.assert_array_equal(space["skewed"](wide), rows)
        assert np.count_nonzero(wide) == n * m

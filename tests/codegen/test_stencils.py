"""Adjoints of stencils: loops make the parts and add them where they belong."""

from typing import Any

import numpy as np
import pytest

import symgrad as sg
from tests.codegen.test_memory import peak

VARIATION = """x: param[H, W]; y: data[H, W]
d = x[1:, :-1] - x[:-1, :-1]; e = x[:-1, 1:] - x[:-1, :-1]
mean((x - y)**2)/2 + 0.1*mean(sqrt(d**2 + e**2 + 1e-6))"""
FLOW = """u: param[H, W]; v: param[H, W]; a: data[H, W]; b: data[H, W]
mean((a*u + b*v)**2) + mean((u[1:] - u[:-1])**2) + mean((u[:, 1:] - u[:, :-1])**2)
 + mean((v[1:] - v[:-1])**2) + mean((v[:, 1:] - v[:, :-1])**2)""".replace("\n +", " +")
WAVE = """u: param[H, W]; t: data[H - 4, W - 4]; c: param
v = 2*u[1:-1, 1:-1] + c*(u[2:, 1:-1] + u[:-2, 1:-1] + u[1:-1, 2:] + u[1:-1, :-2])
w = 2*v[1:-1, 1:-1] - u[2:-2, 2:-2] + c*tanh(v[2:, 1:-1] + v[:-2, 1:-1])
mean((w - t)**2)"""
ENTRIES = """A: param[N, M]; s = A[0, 1] + A[2, 0]
sum(A**3) + sum(A[1:]**2) + s*sum(A[:, 0]) + sum(exp(A[:-1, 1:]))"""
PLACED = """A: param[N, M]; B: param[M, M]
sum((A @ B)[1:]*A[:-1]) + sum(tanh(A @ B)[:-2]) + sum(A[:, 1:]**2)"""
PROGRAMS = {"variation": VARIATION, "flow": FLOW, "wave": WAVE, "entries": ENTRIES,
            "placed": PLACED}  # fmt: skip


def point(text: str, h: int, w: int) -> dict[str, Any]:
    rng = np.random.default_rng(h)
    sizes = {"H": h, "W": w, "N": h, "M": w, "H - 4": h - 4, "W - 4": w - 4}
    return {
        n.attrs["name"]: rng.normal(size=tuple(sizes[d] for d in n.shape))
        for n in sg.parse(text).inputs
    }


@pytest.mark.parametrize(
    "options", [{}, {"accurate": True}, {"reuse": True}, {"threads": 2}], ids=str
)
@pytest.mark.parametrize("shape", [(7, 5), (5, 9), (700, 130)], ids=str)
@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_are_those_of_readable_code(
    name: str, shape: tuple[int, int], options: dict[str, Any]
) -> None:
    text, at = PROGRAMS[name], point(PROGRAMS[name], *shape)
    expected, slopes = sg.compile(text, style="readable")(**at)
    f = sg.compile(text, style="fast", **options)
    for _ in range(2):
        value, grads = f(**at)
        assert value == pytest.approx(expected, rel=1e-10)
        for key, slope in slopes.items():
            np.testing.assert_allclose(grads[key], slope, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["variation", "flow"])
def test_no_part_is_stored_whole(name: str) -> None:
    text = PROGRAMS[name]
    f = sg.compile(text, style="fast")
    assert "buf0" not in f.source, "the workspace has an array"
    at = point(text, 1500, 300)
    results = sum(at[key].nbytes for key in f(**at)[1])
    f = sg.compile(text, style="fast")
    assert peak(f, at) < results + 3e6


def test_a_negative_sum_is_subtracted_at_its_place() -> None:
    body = sg.compile(VARIATION, style="fast").source.split("def value_and_grad")[1]
    assert "negative(" not in body and "subtract(grad_x_rows" in body


def test_a_number_is_multiplied_once_with_what_two_products_share() -> None:
    body = sg.compile(VARIATION, style="fast").source.split("def value_and_grad")[1]
    assert body.count("multiply(") == 5 and body.count("divide(") == 1


def test_a_column_times_a_row_makes_no_array_of_its_own() -> None:
    text = """X: data[N, D]; y: data[N]; W: param[D, H]; u: param[H]
mean((tanh(X @ W) @ u - y)**2)"""
    f = sg.compile(text, style="fast")
    rng = np.random.default_rng(0)
    at = {"X": rng.normal(size=(2000, 8)), "y": rng.normal(size=2000),
          "W": rng.normal(size=(8, 64)), "u": rng.normal(size=64)}  # fmt: skip
    expected = sg.compile(text, style="readable")(**at)[1]
    for key, slope in f(**at)[1].items():
        np.testing.assert_allclose(slope, expected[key], rtol=1e-9)
    assert peak(sg.compile(text, style="fast"), at) < 1.1 * 2000 * 64 * 8


def test_terms_are_added_while_a_recurrence_goes_back() -> None:
    steps = "".join(f"e{k} = x[{k}] - a*x[{k - 1}] - b*e{k - 1}\n" for k in range(1, 24))
    total = " + ".join(f"sum(e{k}**2)" for k in range(24))
    text = f"x: data[T, N]; a: param[N]; b: param[N]\ne0 = x[0]\n{steps}{total}"
    rng = np.random.default_rng(1)
    at = {"x": rng.normal(size=(24, 3000)), "a": rng.uniform(size=3000),
          "b": rng.uniform(size=3000)}  # fmt: skip
    value, grads = sg.compile(text, style="fast")(**at)
    expected, slopes = sg.compile(text, style="readable")(**at)
    assert value == pytest.approx(expected, rel=1e-12)
    for key, slope in slopes.items():
        np.testing.assert_allclose(grads[key], slope, rtol=1e-9)
    assert peak(sg.compile(text, style="fast"), at) < 32 * 3000 * 8


def test_terms_in_two_orders_are_one_sum() -> None:
    text = """u: param[N]; t: data[N - 2]; c: param
w = u[1:-1] + c*(u[2:] - 2*u[1:-1] + u[:-2])
sum((w - t)**2)"""
    f = sg.compile(text, style="fast")
    body = f.source.split("def value_and_grad")[1]
    assert body.count("part_rows1, part_rows2,") + body.count("part_rows1, t_") <= 1
    rng = np.random.default_rng(2)
    at = {"u": rng.normal(size=50), "t": rng.normal(size=48), "c": np.float64(0.3)}
    assert sg.check(text, at)
    expected = sg.compile(text, style="readable")(**at)[1]
    for key, slope in f(**at)[1].items():
        np.testing.assert_allclose(slope, expected[key], rtol=1e-12, atol=1e-12)

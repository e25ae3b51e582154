"""Distances of all pairs of points: one product, with the digits that differences have."""

import re
from typing import Any

import mpmath
import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import helpers, values
from symgrad.ops import OPS
from symgrad.parse import formula
from tests.ops.test_rows import sample

KERNEL = """X: data[N, D]
Y: param[M, D]
K[i,j] = exp(-sum((X[i,k] - Y[j,k])**2 for k in D)/2)
loss = sum(K[i,j] for i in N for j in M)"""
EPS = 2.0**-52


def functions() -> dict[str, Any]:
    space: dict[str, Any] = {"np": np}
    for name in ("differences", "add_products", "square_distances", "lengths", "pulls"):
        exec(helpers()[name], space)
    return space


def clouds(kind: str, n: int, m: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Points of which some are near one another, beside how far they are spread."""
    rng = np.random.default_rng(n + d)
    x, y = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    if kind == "far":
        return 1e6 + x, 1e6 + y
    if kind == "clusters":
        return x + 1e4 * rng.integers(0, 9, (n, 1)), y + 1e4 * rng.integers(0, 9, (m, 1))
    if kind == "tiny":
        return x, x[rng.integers(0, n, m)] + 1e-9 * y
    return x, y


KINDS = ("plain", "far", "clusters", "tiny")
SIZES = [(100, 80, 20), (120, 90, 2), (60, 70, 5), (8, 6, 3)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_every_distance_keeps_its_digits(kind: str, size: tuple[int, int, int]) -> None:
    x, y = clouds(kind, *size)
    d = x[:, None] - y
    true = (d.astype(np.longdouble) ** 2).sum(2)
    found = functions()["square_distances"](x, y)
    assert np.all(np.abs(found - true) <= 64 * EPS * true)
    own = functions()["square_distances"](x)
    assert np.all(np.diag(own) == 0)
    np.testing.assert_allclose(own, own.T, rtol=64 * EPS)


@pytest.mark.parametrize("unit", (1e-9, 1.0, 1e9))  # of the points
@pytest.mark.parametrize("scale", (1e-6, 1.0, 1e4))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_weighted_differences_keep_theirs(
    kind: str, size: tuple[int, int, int], scale: float, unit: float
) -> None:
    x, y = (unit * points for points in clouds(kind, *size))
    weight = scale * np.random.default_rng(0).normal(size=(len(x), len(y)))
    for w, a, b in ((weight, x, y), (weight.T, y, x)):
        terms = w.astype(np.longdouble)[:, :, None] * (a[:, None] - b)
        true, most = terms.sum(1), np.abs(terms).sum(1)
        error = np.abs(functions()["pulls"](w, a, b) - true)
        assert np.all(error <= 64 * EPS * np.abs(true).max() + 8 * EPS * most)


@pytest.mark.parametrize("offset", (0.0, 1e6))
def test_sums_that_cancel_need_no_differences_where_their_terms_are_large(offset: float) -> None:
    """At the centres of clusters the sums are 0, as many terms are of either sign."""
    rng = np.random.default_rng(3)
    y = offset + rng.normal(size=(900, 6))
    weight = rng.random((8, 900))
    x = weight @ y / weight.sum(axis=1, keepdims=True)
    space = functions()
    space["differences"] = None  # is not called
    for w in (weight, weight - 0.5):
        terms = w.astype(np.longdouble)[:, :, None] * (x[:, None] - y)
        error = np.abs(space["pulls"](w, x, y) - terms.sum(1))
        assert np.all(error <= 8 * EPS * np.abs(terms).sum(1))


@pytest.mark.parametrize("size", [(70, 9000, 5), (9000, 70, 5), (9000, 40, 4), (600, 700, 40)])
def test_what_takes_several_blocks_keeps_its_digits(size: tuple[int, int, int]) -> None:
    x, y = clouds("plain", *size)
    y[::7] = x[: len(y[::7])] + 1e-7 if len(y[::7]) <= len(x) else y[::7]
    d = x[:, None] - y
    np.testing.assert_allclose(
        functions()["square_distances"](x, y), np.einsum("nmd,nmd->nm", d, d), rtol=64 * EPS
    )
    weight = np.random.default_rng(0).normal(size=(len(x), len(y)))
    terms = np.einsum("nm,nmd->nd", weight, d)
    np.testing.assert_allclose(functions()["pulls"](weight, x, y), terms, rtol=0, atol=1e-11)


def test_near_pairs_pull_as_hard_in_any_unit() -> None:
    """A narrow kernel couples only pairs that are near: their differences are small beside all."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(60, 5))
    y = x[rng.permutation(60)] + 1e-6 * rng.normal(size=(60, 5))
    weight = np.exp(-1e10 * ((x[:, None] - y) ** 2).sum(2))
    for unit in (1e-9, 1.0, 1e9):
        terms = weight[:, :, None] * (unit * x[:, None] - unit * y)
        true = terms.sum(1)
        found = functions()["pulls"](weight, unit * x, unit * y)
        np.testing.assert_allclose(found, true, rtol=0, atol=1e-14 * np.abs(true).max())


def test_points_that_are_not_finite_spoil_their_own_distances_only() -> None:
    x, y = clouds("plain", 100, 80, 20)
    x[3, 1], y[5, 2] = np.inf, np.nan
    with np.errstate(invalid="ignore", over="ignore"):
        found = functions()["square_distances"](x, y)
        d = x[:, None] - y
        np.testing.assert_allclose(found, (d * d).sum(2))
        y[5, 2] = 1e200  # whose square overflows
        assert np.isfinite(np.delete(functions()["square_distances"](x, y), (3,), 0)[:, :5]).all()
        weight = np.ones((100, 80))
        pulled = functions()["pulls"](weight, x, y)
        assert np.isfinite(np.delete(pulled, 3, 0)).all()


@pytest.mark.parametrize("style", ("readable", "fast"))
@pytest.mark.parametrize("dtype", ("float64", "float32"))
def test_a_kernel_has_no_stack_of_differences(style: str, dtype: str) -> None:
    f = sg.compile(KERNEL, style=style, dtype=dtype)
    assert "square_distances(X, Y)" in f.program and "pulls(" in f.program
    x, y = (a.astype(dtype) for a in clouds("plain", 300, 200, 8))
    value, grads = f(X=x, Y=y)
    d = x[:, None].astype(np.float64) - y
    k = np.exp(-(d * d).sum(2) / 2)
    tol = 1e-12 if dtype == "float64" else 1e-4
    assert value == pytest.approx(k.sum(), rel=tol)
    np.testing.assert_allclose(grads["Y"], (k[:, :, None] * d).sum(0), rtol=tol, atol=tol)
    assert grads["Y"].dtype == dtype


@pytest.mark.parametrize("style", ("readable", "fast"))
def test_a_number_leaves_the_weights(style: str) -> None:
    text = sg.compile(KERNEL, style=style).program
    assert "= -pulls(K.T, Y, X)" in text or "negative(w" in text
    large = KERNEL.replace("/2)", "*c)").replace("X:", "c: data; X:", 1)
    assert "pulls(K.T, Y, X)" in sg.compile(large, style="readable").program
    wide = KERNEL.replace("/2)", "/(2*s**2))").replace("X:", "s: param; X:", 1)
    assert re.search(r"pulls\((K|buf\d).T, Y, X\)", sg.compile(wide, style=style).program)


def test_what_is_accurate_keeps_its_differences() -> None:
    text = sg.compile(KERNEL, accurate=True).program
    assert "square_distances(X, Y, exact=True)" in text and "X, exact=True)" in text
    x, y = clouds("clusters", 120, 90, 20)
    d = x[:, None] - y
    true = (d.astype(np.longdouble) ** 2).sum(2)
    found = functions()["square_distances"](x, y, exact=True)
    assert np.all(np.abs(found - true) <= 8 * EPS * true)
    weight = np.exp(-true.astype(float) / 1e8)
    terms = weight.astype(np.longdouble)[:, :, None] * d
    error = np.abs(functions()["pulls"](weight, x, y, exact=True) - terms.sum(1))
    assert np.all(error <= 8 * EPS * np.abs(terms).sum(1))


STRESS = """d: data[N, N]
X: param[N, D]
L = sum((norm(X[i] - X[j]) - d[i,j])**2 for i in N for j in N if i < j)"""


@pytest.mark.parametrize("style", ("readable", "fast"))
@pytest.mark.parametrize("accurate", (False, True))
def test_lengths_of_differences_need_no_stack(style: str, accurate: bool) -> None:
    f = sg.compile(STRESS, style=style, accurate=accurate)
    assert (
        "= lengths(X" in f.program and "pulls(" in f.program and "X[:, None] - X" not in f.program
    )
    x = clouds("plain", 40, 1, 3)[0]
    x[7] = x[3]  # at no distance
    far = np.random.default_rng(1).uniform(size=(40, 40))
    value, grads = f(d=far, X=x)
    d = x[:, None] - x
    r = np.sqrt((d * d).sum(2))
    rest = np.triu(r - far, 1)
    weight = rest / np.where(r == 0, 1, r)
    np.testing.assert_allclose(value, (rest**2).sum(), rtol=1e-13)
    both = (weight + weight.T)[:, :, None]
    np.testing.assert_allclose(grads["X"], 2 * (both * d).sum(1), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("unit", (1e-200, 1.0, 1e200))
@pytest.mark.parametrize("size", [(30, 20, 3), (80, 60, 7)])
def test_lengths_neither_overflow_nor_vanish(size: tuple[int, int, int], unit: float) -> None:
    x, y = clouds("plain", *size)
    true = np.sqrt(((x[:, None] - y) ** 2).sum(2))
    with np.errstate(over="ignore", invalid="ignore"):
        found = functions()["lengths"](unit * x, unit * y)
        own = functions()["lengths"](unit * x)
    np.testing.assert_allclose(found, unit * true, rtol=1e-13)
    assert np.all(np.diag(own) == 0) and np.all(np.isfinite(own))


@pytest.mark.parametrize("text", [
    "X: param[N, D]; sum((X[:, None] - X)**2, axis=2)",
    "X: param[N, D]; sum((X[None, :, :] - X[:, None, :])**2, axis=-1)",
    "X: param[N, D]; sum((X[i,k] - X[j,k])**2 for k in D)",
])  # fmt: skip
def test_all_spellings_are_known(text: str) -> None:
    first, last = text.split("; ")
    whole = f"{first}\nL[i,j] = {last}\nsum(exp(-L))" if "for" in last else f"{first}\nsum({last})"
    f = sg.compile(whole, style="readable")
    assert "square_distances(X)" in f.program and "pulls(" in f.program


def test_other_sums_of_squares_stay() -> None:
    for text in (
        "X: param[N, D]; sum(sum((X[:, None] - X)**2, axis=1))",
        "X: param[N, D]; Y: param[N, D]; sum((X - Y)**2)",
        "X: param[N, M, D]; Y: param[M, D]; sum(sum((X - Y)**2, axis=2))",
    ):
        assert "square_distances" not in sg.compile(text, style="readable").program


def test_the_kernel_is_right_to_many_digits() -> None:
    x, y = (a[:4] for a in clouds("tiny", 90, 90, 10))
    value, _ = sg.compile(KERNEL)(X=np.vstack([x] * 30), Y=np.vstack([y] * 30))
    with mpmath.workdps(40):
        squares = [sum((mpmath.mpf(a) - mpmath.mpf(b)) ** 2 for a, b in zip(u, v, strict=True))
                   for u in x for v in y]  # fmt: skip
        true = sum(mpmath.exp(-d / 2) for d in squares)
        assert abs(value - 900 * true) <= 64 * EPS * 900 * true


ROWS = ["square_distances", "own_distances", "lengths", "own_lengths", "pulls", "own_pulls",
        "scaled_distances", "own_scaled_distances", "weighted_distances", "weighted_pulls",
        "square_pulls", "square_sums", "own_square_sums", "moments", "add_products"]  # fmt: skip


@pytest.mark.parametrize("op", ROWS)
def test_a_row_says_what_its_formula_says(op: str) -> None:
    node = sample(OPS[op])
    at = {a: np.random.default_rng(k).normal(size=a.shape) for k, a in enumerate(node.args)}
    inner = formula(node)
    assert inner is not None
    found = values([node], at, {})[node]
    np.testing.assert_allclose(found, values([inner], at, {})[inner], rtol=1e-12, atol=1e-12)


CONTRASTIVE = """Z: param[N, D]; c: labels[N, C]
d[i,j] = sum((Z[i,k] - Z[j,k])**2 for k in D)
near = sum(d[i,j] for i in N for j in N if c[i] == c[j])
near + sum(max(0, 1 - sqrt(d[i,j]))**2 for i in N for j in N if c[i] != c[j])"""


@pytest.mark.parametrize("style", ("readable", "fast"))
def test_squares_of_lengths_that_are_there_take_these(style: str) -> None:
    """A contrastive loss: near pairs by their squares, others by their lengths."""
    graph = sg.parse(CONTRASTIVE)
    f = sg.compile(graph, style=style)
    body = f.program[f.program.index("def value_and_grad") :]
    assert body.count("lengths(Z") == body.count("pulls(") == 1
    assert "square_distances" not in body
    rng = np.random.default_rng(0)
    at = {"Z": rng.normal(size=(40, 3)) / 2, "c": rng.integers(0, 4, 40)}
    at["Z"][3] = at["Z"][5]  # at no distance
    found, (value, gradients) = sg.backprop(graph, at), f(**at)
    np.testing.assert_allclose(value, found.value, rtol=1e-13)
    finite = np.delete(np.arange(40), (3, 5))  # the root as it is typed has no slope at 0
    np.testing.assert_allclose(gradients["Z"][finite], found.grad["Z"][finite], atol=1e-11)
    assert np.all(np.isfinite(gradients["Z"]))

"""Weighted distances of all pairs of points: products, with the digits that differences have."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import helpers
from tests.codegen.test_distances import EPS, KINDS, clouds

# the ways in which mixtures of Gaussians are typed, ARD kernels, weights of coordinates
MIXTURE = """X: data[N, D]; m: param[K, D]; s: param[K, D]; a: param[K]
l[n,k] = a[k] - sum(s[k,j] + (X[n,j] - m[k,j])**2/(2*exp(2*s[k,j])) for j in D)
-sum(logsumexp(l, axis=1))/N + logsumexp(a)"""
BROADCAST = """X: data[N, D]; m: param[K, D]; s: param[K, D]; a: param[K]
z = (X[:, None, :] - m)/exp(s)
l = log_softmax(a) - sum(s, axis=1) - 0.5*sum(z**2, axis=2) - 0.5*D*log(2*pi)
-mean(logsumexp(l, axis=1))"""
DENSITIES = """X: data[N, D]; m: param[K, D]; s: param[K, D]; a: param[K]
w = softmax(a)
p[n,k] = w[k]*prod(exp(-(X[n,j] - m[k,j])**2/(2*s[k,j]))/sqrt(2*pi*s[k,j]) for j in D)
-sum(log(sum(p[n,k] for k in K)) for n in N)/N"""
PRECISIONS = """X: data[N, D]; m: param[K, D]; s: param[K, D]; a: param[K]
l[n,k] = a[k] + sum(0.5*log(s[k,j]) - 0.5*s[k,j]*(X[n,j] - m[k,j])**2 for j in D)
-mean(logsumexp(l, axis=1)) + logsumexp(a)"""
BY_POINTS = """X: param[N, D]; w: param[N, D]; m: param[K, D]
sum(exp(-sum(w[n,j]*(X[n,j] - m[k,j])**2 for j in D)) for n in N for k in K)"""
SHARED = """X: param[N, D]; m: param[K, D]; w: param[D]; r: data[K]
sum(exp(-sum(w*((X[:, None] - m)**2)/r[:, None]**2, axis=2)))"""
ARD = """X: data[N, D]; h: param[D]
sum(exp(-0.5*sum(((X[i,k] - X[j,k])/h[k])**2 for k in D)) for i in N for j in N)"""
SCALED = """X: param[N, D]; h: param[D]; Z = X/exp(h)
sum(exp(-0.5*sum((Z[:, None] - Z)**2, axis=2)))"""
OWN = "X: param[N, D]; w: param[D]; sum(exp(-sum(w*(X[:, None] - X)**2, axis=2)))"
PROGRAMS = {k: v for k, v in globals().items() if k.isupper() and isinstance(v, str)}
SMALL = {"N": 6, "K": 4, "D": 3}
LONG = {"N": 700, "K": 12, "D": 8}
WIDE = {"N": 90, "K": 80, "D": 30}


def drawn(graph: sg.Graph, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    at = {}
    for node in graph.inputs:
        shape = tuple(sizes[d] for d in node.shape)
        value = rng.normal(size=shape)
        name = node.attrs["name"]
        at[name] = 0.5 + abs(value) / 4 if name in "shwr" else value / 2
    return at


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("sizes", [SMALL, LONG, WIDE], ids=["small", "long", "wide"])
@pytest.mark.parametrize("options", [
    {}, {"accurate": True}, {"dtype": "float32"}, {"style": "readable"},
], ids=str)  # fmt: skip
def test_as_backpropagation_computes(name: str, sizes: dict[str, int], options: Any) -> None:
    if sizes is LONG and name in ("ARD", "OWN", "SCALED"):
        sizes = {**sizes, "N": 300}
    graph = sg.parse(PROGRAMS[name])
    at = drawn(graph, sizes)
    f = sg.compile(graph, **options)
    found, close = sg.backprop(graph, at), 2e-12 if "dtype" not in options else 3e-5
    for _ in range(2):
        value, gradients = f(**at)
        assert value == pytest.approx(float(found.value), rel=close)
        for k in f.wrt:
            scale = np.abs(found.grad[k]).max()
            np.testing.assert_allclose(gradients[k], found.grad[k], atol=20 * close * scale)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("style", ("readable", "fast"))
def test_no_stack_of_differences_is_made(name: str, style: str) -> None:
    graph = sg.parse(PROGRAMS[name])
    f = sg.compile(graph, style=style)
    body = f.program[f.program.index("def value_and_grad") :]
    assert body.count("square_distances(") == 1
    two = "K, D]" in PROGRAMS[name]
    sizes = {"N": 1500 if two else 300, "K": 60, "D": 40}
    at = drawn(graph, sizes)
    f(**at)
    tracemalloc.start()
    f(**at)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * sizes["N"] * sizes["K" if two else "N"] * sizes["D"] / 2


def test_factors_of_rows_leave_the_sum() -> None:
    assert "np.sum(r" not in sg.compile(SHARED, wrt=[], style="readable").program


@pytest.mark.parametrize("name", ("MIXTURE", "BROADCAST", "DENSITIES", "PRECISIONS"))
def test_slopes_in_means_and_scales_share_their_products(name: str) -> None:
    text = sg.compile(PROGRAMS[name]).program
    body = text[text.index("def value_and_grad") :]
    assert body.count("moments(") == 1 and "pulls(" not in body


def test_slopes_of_one_only_take_no_more() -> None:
    assert "moments" not in sg.compile(MIXTURE, wrt=["m"]).program
    body = sg.compile(MIXTURE, wrt=["s"], style="readable").program
    assert "moments(" in body and "def pulls" not in body


def test_terms_with_all_axes_stay_beside_their_squares() -> None:
    text = MIXTURE.replace("s[k,j] + (X", "cos(X[n,j]*m[k,j]) - (X")
    assert "square_distances" not in sg.compile(text).program


def test_powers_other_than_squares_stay() -> None:
    for text in (OWN.replace("**2", "**4"), OWN.replace("X[:, None] - X", "X[:, None] + X"),
                 OWN.replace("w*(", "(X[:, None] - X)*(")):  # fmt: skip
        assert "square_distances" not in sg.compile(text).program


def functions() -> dict[str, Any]:
    space: dict[str, Any] = {"np": np}
    rows = "differences", "add_products", "square_distances", "weighted_pulls", "moments"
    for name in (*rows, "square_sums"):
        exec(helpers()[name], space)
    return space


SIZES = [(100, 80, 20), (120, 90, 2), (600, 12, 7), (9, 700, 6), (70, 9000, 5), (8, 6, 3)]


def weights_of(kind: str, m: int, n: int) -> np.ndarray:
    rng = np.random.default_rng(m)
    if kind == "shared":
        return 10.0 ** rng.uniform(-3, 3, n)
    return 10.0 ** rng.uniform(-3, 3, (m, n))


@pytest.mark.parametrize("weighed", ("shared", "own"))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("exact", (False, True))
def test_every_weighted_distance_keeps_its_digits(
    weighed: str, kind: str, size: tuple[int, int, int], exact: bool
) -> None:
    x, y = clouds(kind, *size)
    w = weights_of(weighed, *size[1:])
    d = (x[:, None] - y).astype(np.longdouble)
    true = (w * d * d).sum(2)
    found = functions()["square_distances"](x, y, w, exact=exact)
    assert np.all(np.abs(found - true) <= (8 if exact else 64) * EPS * true)
    if weighed == "shared" and len(x) < 1000:
        own = functions()["square_distances"](x, None, w)
        assert np.all(np.diag(own) == 0)


@pytest.mark.parametrize("weighed", ("shared", "own"))
def test_weights_may_have_any_sign(weighed: str) -> None:
    x, y = clouds("plain", 100, 80, 20)
    w = weights_of(weighed, 80, 20) * np.random.default_rng(1).choice([-1, 1], 20)
    d = (x[:, None] - y).astype(np.longdouble)
    found = functions()["square_distances"](x, y, w)
    error = np.abs(found - (w * d * d).sum(2))
    assert np.all(error <= 64 * EPS * (np.abs(w) * d * d).sum(2))


def test_points_that_are_not_finite_spoil_their_own_distances_only() -> None:
    x, y = clouds("plain", 100, 80, 20)
    w = weights_of("own", 80, 20)
    x[3, 1], y[5, 2], w[7, 3] = np.inf, np.nan, np.inf
    with np.errstate(invalid="ignore", over="ignore"):
        d = x[:, None] - y
        np.testing.assert_allclose(functions()["square_distances"](x, y, w), (w * d * d).sum(2))


@pytest.mark.parametrize("unit", (1e-9, 1.0, 1e9))  # of the points
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("exact", (False, True))
@pytest.mark.parametrize("signs", (False, True))
def test_slopes_keep_their_digits(
    kind: str, size: tuple[int, int, int], unit: float, exact: bool, signs: bool
) -> None:
    x, y = (unit * points for points in clouds(kind, *size))
    rng, space = np.random.default_rng(0), functions()
    weight = rng.normal(size=(len(x), len(y))) if signs else rng.random((len(x), len(y)))
    by = rng.random(y.shape)
    d = (x[:, None] - y).astype(np.longdouble)
    for power, found in enumerate(space["moments"](weight, x, y, exact=exact), 1):
        terms = weight[:, :, None] * d**power
        close(found, terms, 1, (0, 1) if power == 1 else 0)
    terms = weight[:, :, None] * by * d
    close(space["weighted_pulls"](weight, x, y, by, exact=exact), terms, 1, (0, 1))
    terms = weight[:, :, None] * d * d
    close(space["square_sums"](weight, x, y, exact=exact), terms, (0, 1), ())


def close(found: np.ndarray, terms: np.ndarray, over: Any, largest: Any) -> None:
    """Compare with the largest sum, or the sum of all terms without their signs."""
    true, most = terms.sum(over), np.abs(terms).sum(over)
    scale = np.abs(true).max(largest) if largest != () else np.abs(true)
    error = np.abs(found - true)
    assert np.all(error <= 64 * EPS * scale + 16 * EPS * most)


def test_clusters_far_from_one_another_keep_the_digits_of_their_widths() -> None:
    rng = np.random.default_rng(2)
    centres = 50 * rng.normal(size=(9, 6))
    which = rng.integers(0, 9, 2000)
    x = 1e4 + centres[which] + 0.01 * rng.normal(size=(2000, 6))
    y = 1e4 + centres + 0.001
    weight = np.eye(9)[which]
    d = (y[:, None] - x).astype(np.longdouble)
    found = functions()["moments"](weight.T, y, x)
    np.testing.assert_allclose(
        found[1], (weight.T[:, :, None] * d * d).sum(1).astype(float), rtol=64 * EPS
    )


LEFT_OUT = """X: data[N, D]; h: param[D]
q = exp(-0.5*sum(((X[:, None] - X)/h)**2, axis=2))*(1 - eye(N))
-mean(log(sum(q, axis=1))) + sum(log(h))"""


def test_all_but_the_same_point_are_left_out_without_a_mask() -> None:
    """1 - eye(N) in a sum of exponentials: rows leave out one entry each."""
    graph = sg.parse(LEFT_OUT)
    f = sg.compile(graph)
    assert "np.eye" not in f.program and "_rows] = -np.inf" in f.program
    at = {"X": np.random.default_rng(0).normal(size=(60, 4)), "h": np.full(4, 0.7)}
    found, (value, gradients) = sg.backprop(graph, at), f(**at)
    np.testing.assert_allclose(value, found.value, rtol=1e-13)
    np.testing.assert_allclose(gradients["h"], found.grad["h"], rtol=1e-12)

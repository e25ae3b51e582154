"""One vector in, value and gradient out; Hessian times a direction."""

import pickle
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import point

NET = (
    "X: data[N, D]\ny: labels[N, C]\nW1: param[D, H]; b1: param[H]\nW2: param[H, C]; b2: param[C]\n"
    "h = tanh(X @ W1 + b1)\ns = h @ W2 + b2\nloss = cross_entropy(s, y) + lam*sum(W1**2)"
)
PROGRAMS = {
    "net": NET,
    "neuron": "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))",
    "mixed": "x: data[N]; a: param; b: param[2]; mean((a*x**b[0] + b[1])**2)",
    "symmetric": "A: symmetric[D, D]; x: param[D]; x @ A @ x + sum(x**4)",
    "simplex": "p: simplex[K]; L = sum(p*log(p))",
    "names": "self: param[2]; v: param[2]; v_self: param; out: data; sum(self**2*v*v_self)*out",
    "norm": "X: data[N, D]; g: param[D]; b: param[D]; W: param[D, D]; "
    "L = mean(layer_norm(X @ W, g, b)**3)",
    "cubes": "X: param[N, D]; sum(X**3*X[0])",
}


def given(name: str) -> tuple[sg.Compiled, dict[str, Any], dict[str, Any]]:
    """Compile a program; give the data and the varied inputs at random."""
    graph = sg.parse(PROGRAMS[name])
    f = sg.compile(graph, wrt="p" if name == "simplex" else None)
    at = point(graph, seed=4)
    return f, {k: v for k, v in at.items() if k not in f.wrt}, {k: at[k] for k in f.wrt}


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_vector_holds_all(name: str) -> None:
    f, data, start = given(name)
    flat = f.flat(**data)
    x = flat.start(**start)
    assert x.dtype == np.float64 and x.shape == (flat.size,) and flat.names == f.wrt
    value, gradient = flat(x)
    expected, grads = f(**data, **start)
    assert type(value) is float and value == float(expected)
    assert gradient.dtype == np.float64 and gradient.shape == x.shape
    for key, part in flat.unflatten(gradient).items():
        assert part.shape == np.shape(start[key]) == flat.shapes[key]
        np.testing.assert_array_equal(part, grads[key])
        np.testing.assert_array_equal(gradient[flat.slices[key]], np.reshape(grads[key], -1))
    again = flat(x)[1]
    assert again is not gradient and np.array_equal(again, gradient)
    for key, view in flat.unflatten(x).items():
        assert np.shares_memory(view, x) and np.array_equal(view, start[key])


@pytest.mark.parametrize("name", [n for n in PROGRAMS if n != "simplex"])
def test_hessian_times_a_direction_is_the_difference_of_gradients(name: str) -> None:
    f, data, start = given(name)
    flat = f.flat(**data)
    x = flat.start(**start)
    for k in range(3):
        v = np.random.default_rng(k).normal(size=flat.size)
        e = 1e-5
        numeric = (flat(x + e * v)[1] - flat(x - e * v)[1]) / (2 * e)
        product = flat.hvp(x, v)
        scale = max(1, float(np.max(np.abs(numeric))))
        np.testing.assert_allclose(product, numeric, atol=2e-8 * scale)
        by_name = f.hvp(flat.unflatten(v), **data, **start)
        assert list(by_name) == list(f.wrt)
        np.testing.assert_array_equal(flat.unflatten(product)[f.wrt[0]], by_name[f.wrt[0]])


def test_what_is_not_moved_along_stands_still() -> None:
    f, data, start = given("net")
    V = np.random.default_rng(0).normal(size=start["W2"].shape)
    some = f.hvp({"W2": V}, **data, **start)
    zero = {k: np.zeros_like(v) for k, v in start.items()}
    for key, part in f.hvp({**zero, "W2": V}, **data, **start).items():
        np.testing.assert_allclose(some[key], part, rtol=1e-12, atol=1e-15)
    both = f.hvp({"b1": start["b1"], "W2": V}, **data, **start)  # in any order
    turned = f.hvp({"W2": V, "b1": start["b1"]}, **data, **start)
    np.testing.assert_array_equal(both["W1"], turned["W1"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("accurate", [False, True])
def test_hessians_in_every_kind_of_code(dtype: str, accurate: bool) -> None:
    f = sg.compile(NET, dtype=dtype, accurate=accurate)
    _, data, start = given("net")
    flat = f.flat(**data)
    x = flat.start(**start)
    v = np.random.default_rng(0).normal(size=flat.size)
    exact = given("net")[0].flat(**data)
    exact.start(**start)
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(flat.hvp(x, v), exact.hvp(x, v), atol=tolerance)
    np.testing.assert_allclose(flat(x)[1], exact(x)[1], atol=tolerance)
    assert flat(x)[1].dtype == np.float64


def test_what_is_given_is_held_fixed() -> None:
    f, data, start = given("net")
    flat = f.flat(**data, b1=start["b1"], W2=start["W2"])
    assert flat.names == ("W1", "b2")
    x = flat.start(W1=start["W1"], b2=start["b2"])
    grads = f(**data, **start)[1]
    np.testing.assert_array_equal(flat(x)[1], [*grads["W1"].ravel(), *grads["b2"]])
    v = np.random.default_rng(1).normal(size=flat.size)
    e = 1e-5
    numeric = (flat(x + e * v)[1] - flat(x - e * v)[1]) / (2 * e)
    np.testing.assert_allclose(flat.hvp(x, v), numeric, atol=1e-8)


def test_shapes_come_from_the_data_or_from_the_start() -> None:
    f = sg.compile("A: data[N, D]; x: param[D]; sum((A @ x)**2)")
    flat = f.flat(A=np.eye(3))
    assert flat.size == 3 and flat([1, 2, 3])[0] == 14.0 and "x at 0:3" in repr(flat)
    f, data, start = given("net")
    flat = f.flat(**data)
    assert flat.size == 0 and "not known yet" in repr(flat)
    with pytest.raises(sg.ShapeError, match=r"W1, b1, W2, b2 is not known\s.*start"):
        flat(np.zeros(3))
    flat.start(**start)
    wider = {**start, "W1": np.zeros((3, 9)), "b1": np.zeros(9), "W2": np.zeros((9, 5))}
    with pytest.raises(sg.ShapeError, match="'W1' is"):
        flat.start(**wider)
    assert f.flat(**data).start(**wider).size == 27 + 9 + 45 + 5
    sized = sg.compile(sg.parse("x: param[N]; sum(x**2)", shapes={"x": np.zeros(4)}))
    assert sized.flat().size == 4


@pytest.mark.parametrize(
    ("fixed", "kind", "part"),
    [
        ({}, sg.DataError, "no value is given for X, y"),
        ({"X": 1, "q": 2}, sg.DataError, "no input is called q"),
        ({"X": [[1.0]], "y": [0, 1], "lam": 1}, sg.ShapeError, "'y' is (N,), where N = 1"),
        ({"X": [["a"]], "y": [0], "lam": 1}, sg.DataError, "'X'"),
    ],
)
def test_data_that_do_not_fit(fixed: dict[str, Any], kind: type[Exception], part: str) -> None:
    f = sg.compile(NET)
    with pytest.raises(kind) as caught:
        f.flat(**fixed)
    assert part in str(caught.value)


def test_vectors_that_do_not_fit() -> None:
    f, data, start = given("net")
    flat = f.flat(**data)
    for values, part in (
        ({}, "no start is given for W1, b1"),
        ({**start, "b3": 1}, "no varied input is called b3"),
        ({**start, "b1": "x"}, "'b1'"),
    ):
        with pytest.raises(sg.DataError) as caught:
            flat.start(**values)
        assert part in str(caught.value)
    x = flat.start(**start)
    for wrong in (x[1:], x[None], 3.0):
        for use in (flat, flat.unflatten, lambda v: flat.hvp(v, x), lambda v: flat.hvp(x, v)):
            with pytest.raises(sg.ShapeError, match=r"holds W1 \(3, 2\), b1 \(2,\)"):
                use(wrong)
    with pytest.raises(sg.DataError, match="not made of numbers"):
        flat(["a"] * x.size)
    for v, kind, part in (
        ({"W": 1}, sg.DataError, "did you mean 'W"),
        ({"W1": x}, sg.ShapeError, "the direction of 'W1' has the shape"),
        (x, sg.UsageError, "mapping"),
    ):
        with pytest.raises(kind, match=part):
            f.hvp(v, **data, **start)
    with pytest.raises(sg.DataError, match="no value is given for b2"):
        f.hvp(start, **data, **{k: v for k, v in start.items() if k != "b2"})
    inner = sg.compile("w: param[2]; z = w**2; sum(z**2)", wrt=["z"])
    for refused in (inner.flat, lambda: inner.hvp({"z": 1}, w=[1, 2])):
        with pytest.raises(sg.UsageError, match="'z' is an intermediate value"):
            refused()
    with pytest.raises(sg.UsageError, match="nothing is left to vary"):
        sg.compile("w: param; w**2").flat(w=1)


def test_it_travels_by_pickle() -> None:
    f, data, start = given("net")
    flat = f.flat(**data)
    x = flat.start(**start)
    flat.hvp(x, x)
    back = pickle.loads(pickle.dumps(flat))
    assert back(x)[0] == flat(x)[0] and np.array_equal(back.hvp(x, x), flat.hvp(x, x))


def test_optimisers_of_scipy_take_it() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rosen = "x: param[N]\nsum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)"
    flat = sg.compile(rosen).flat()
    x0 = flat.start(x=np.full(6, -0.5))
    for method, more in (("L-BFGS-B", {}), ("BFGS", {}), ("trust-ncg", {"hessp": flat.hvp}),
                         ("Newton-CG", {"hessp": flat.hvp})):  # fmt: skip
        found = optimize.minimize(flat, x0, jac=True, method=method, **more)
        np.testing.assert_allclose(found.x, 1, atol=1e-3, err_msg=method)
    rng = np.random.default_rng(0)
    A, t = rng.normal(size=(20, 4)), rng.normal(size=20)
    flat = sg.compile("A: data[N, D]; w: param[D]; b: param; t: data[N]; "
                      "mean((A @ w + b - t)**2)").flat(A=A, t=t)  # fmt: skip
    found = optimize.minimize(flat, flat.start(w=np.zeros(4), b=0), jac=True, hessp=flat.hvp,
                              method="trust-ncg")  # fmt: skip
    exact = np.linalg.lstsq(np.c_[A, np.ones(20)], t, rcond=None)[0]
    np.testing.assert_allclose(found.x, exact, atol=1e-4)
    assert optimize.check_grad(lambda x: flat(x)[0], lambda x: flat(x)[1], found.x + 1) < 1e-5


def test_sizes_that_are_made_of_others_are_known_after_a_start() -> None:
    f = sg.compile("X: data[N, D]; W: param[D, 4*H]; sum(tanh(X @ W)[:, :H])")
    flat = f.flat(X=np.ones((3, 2)))
    with pytest.raises(sg.ShapeError, match=r"call start"):
        flat(np.ones(16))
    x = flat.start(W=np.ones((2, 8)))
    assert flat.shapes == {"W": (2, 8)} and flat(x)[1].shape == (16,)

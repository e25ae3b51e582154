"""Calling a compiled function: names, shapes, labels, freshness, pickling, threads."""

import copy
import math
import multiprocessing
import pickle
import threading
from typing import Any

import numpy as np
import pytest

import symgrad as sg

NET = (
    "X: data[N, D]\ny: labels[N, C]\nW: param[D, C]\nb: param[C]\n"
    "L = cross_entropy(tanh(X @ W) + b, y)"
)
X = np.random.default_rng(0).normal(size=(5, 3))
Y = np.array([0, 1, 3, 2, 0])
W = np.random.default_rng(1).normal(size=(3, 4))
B = np.zeros(4)
GIVEN: dict[str, Any] = {"X": X, "y": Y, "W": W, "b": B}


@pytest.fixture(scope="module")
def f() -> sg.Compiled:
    return sg.compile(NET)


def test_the_contract(f: sg.Compiled) -> None:
    value, grads = f(**GIVEN)
    assert value.shape == () and list(grads) == ["W", "b"] == list(f.wrt)
    assert [g.shape for g in grads.values()] == [(3, 4), (4,)]
    assert f.inputs == ("X", "y", "W", "b")
    assert "X (N, D)" in repr(f) and "gradients in W, b" in repr(f)
    assert sg.compile("x: real[2]\nx*2", wrt=[])(x=np.ones(2))[1] == {}
    with pytest.raises(TypeError):
        f(X)
    with pytest.raises(sg.NotDifferentiableError):
        sg.compile("x: param[2]\nx*2")


@pytest.mark.parametrize(
    ("change", "kind", "part"),
    [
        ({"X": None}, sg.DataError, "no value is given for X"),
        ({"q": 3}, sg.DataError, "no input is called q"),
        ({"X": X.T}, sg.ShapeError, "'W'"),
        ({"X": X[0]}, sg.ShapeError, "'X' is (N, D); given is (3,)"),
        ({"W": W[:2]}, sg.ShapeError, "'W' is (D, C), where D = 3; given is (2, 4)"),
        ({"b": 3.0}, sg.ShapeError, "'b'"),
        ({"b": np.zeros(5)}, sg.ShapeError, "given is (5,)"),
        ({"y": Y[:4]}, sg.ShapeError, "'y' is (N,), where N = 5; given is (4,)"),
        ({"y": Y[:, None]}, sg.ShapeError, "'y'"),
        (
            {"y": np.array([0, 1, 4, 2, 0])},
            sg.DataError,
            "label 4 at index 2 of 'y' is outside 0 … 3",
        ),
        (
            {"y": np.array([0, 1, -1, 2, 0])},
            sg.DataError,
            "label -1 at index 2 of 'y' is outside 0 … 3",
        ),
        ({"y": np.array([0, 1, 0.5, 2, 0])}, sg.DataError, "'y' must be whole numbers"),
        ({"y": np.array([0, 1, np.nan, 2, 0])}, sg.DataError, "'y'"),
        ({"y": np.array([0, 1, np.inf, 2, 0])}, sg.DataError, "'y'"),
        ({"W": "text"}, sg.DataError, "'W'"),
        ({"W": None, "V": W}, sg.DataError, "W"),
        ({"W": W.astype(complex)}, sg.DataError, "complex"),
        ({"W": [[1, 2], [3]]}, sg.DataError, "'W'"),
        ({"W": W.astype(object)}, sg.DataError, "object"),
    ],
)
def test_numbers_that_do_not_fit(
    f: sg.Compiled, change: dict[str, Any], kind: type[Exception], part: str
) -> None:
    given = {k: v for k, v in {**GIVEN, **change}.items() if v is not None}
    for _ in range(2):  # the second time after a call that fits, whose shapes are known
        with pytest.raises(kind) as caught:
            f(**given)
        assert type(caught.value) is kind and part in str(caught.value)
        f(**GIVEN)
    with pytest.raises(sg.SymgradError):
        sg.backprop(NET, given)


def test_a_call_like_the_last_one_is_checked_all_the_same(f: sg.Compiled) -> None:
    """What may have changed in arrays of the same shapes: labels, and the kind of array."""
    for labels in (Y, Y.astype(np.int8), Y.astype(np.uint16), Y.astype(">i4"), Y[::-1]):
        y = labels.copy()
        first = f(**{**GIVEN, "y": y})[0]
        assert f(**{**GIVEN, "y": y})[0] == first
        for wrong in (4, 100, *((-1, -100) if y.dtype.kind == "i" else ())):
            y[2] = wrong
            with pytest.raises(sg.DataError, match=f"label {wrong} at index 2 of 'y'"):
                f(**{**GIVEN, "y": y})
            y[2] = labels[2]
            assert f(**{**GIVEN, "y": y})[0] == first
    f(**GIVEN)
    masked = np.ma.masked_array(X, X > 0)
    with pytest.raises(sg.DataError, match="masked"):
        f(**{**GIVEN, "X": masked})
    one = sg.compile("s: param[K]\ny: label[K]\ncross_entropy(s, y)")
    for k in (0, 2, np.int64(1), 0):
        one(s=np.ones(3), y=k)
    for k in (3, -1, np.int64(3)):
        with pytest.raises(sg.DataError, match="outside"):
            one(s=np.ones(3), y=k)
    many = sg.compile("s: param[K]\ny: label[300]\nsum(s)*y")
    for y in (np.int8(5), np.int8(-1) * 0, 299):
        many(s=np.ones(3), y=y)
    wide = sg.compile("S: param[N, 200]\ny: labels[N, 200]\ncross_entropy(S, y)")
    y8 = np.array([5, 100], np.int8)
    for _ in range(2):
        wide(S=np.ones((2, 200)), y=y8)
    y8[0] = -1  # 255 as an unsigned number
    with pytest.raises(sg.DataError, match="label -1"):
        wide(S=np.ones((2, 200)), y=y8)


def test_as_many_inputs_as_one_likes() -> None:
    for n in (1, 63, 64, 65, 300):
        names = [f"x{k}" for k in range(n)]
        f = sg.compile(" + ".join(f"{name}*{k}" for k, name in enumerate(names)))
        for one in (1.0, 1, np.float64(1)):
            value, grads = f(**dict.fromkeys(names, one))
            assert value == n * (n - 1) / 2 and list(grads) == names
        with pytest.raises(sg.DataError, match="no value is given for x0"):
            f(**dict.fromkeys(names[1:], 1.0))
        with pytest.raises(sg.DataError, match="no input is called q"):
            f(**dict.fromkeys([*names, "q"], 1.0))
        with pytest.raises(sg.DataError, match="'x0'"):
            f(**{**dict.fromkeys(names, 1.0), "x0": "1.5"})


def test_bad_scalars() -> None:
    scalar = sg.compile("x*y")
    for given in (
        {"x": "text", "y": 1},
        {"x": None, "y": 1},
        {"x": [1, 2], "y": 1},
        {"x": np.ones(3), "y": 1},
        {"x": 1j, "y": 1},
        {"x": 1},
        {"x": 1, "y": 2, "z": 3},
        {},
    ):
        with pytest.raises(sg.SymgradError):
            scalar(**given)


def test_float_labels_that_are_whole_are_labels(f: sg.Compiled) -> None:
    value, _ = f(**{**GIVEN, "y": Y.astype(float)})
    assert value == f(**GIVEN)[0]
    assert f(**{**GIVEN, "y": list(Y), "X": X.tolist()})[0] == value


def test_results_are_fresh_and_inputs_unchanged() -> None:
    """Neither an input nor another result is ever handed out."""
    programs = [
        "sum(A)",
        "sum(A*B)",
        "sum(A)*1 + sum(B)",
        "sum(A.T)",
        "sum(A[0])",
        "sum(A + B)",
        "sum(A**2)/2",
        "sum(A*B) + sum(A)*2",
        "C = A*B\nsum(C)",
        "sum(max(A, axis=0))",
    ]
    for text in programs:
        f = sg.compile(f"A: param[2, 3]\nB: param[2, 3]\n{text}")
        A, B = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
        before = A.copy(), B.copy()
        value, grads = f(A=A, B=B)
        arrays = [A, B, *grads.values()]
        for k, one in enumerate(arrays):
            assert one.flags.writeable
            for other in arrays[:k]:
                assert not np.shares_memory(one, other), text
        for grad in grads.values():
            grad[:] = 7
        assert np.array_equal(A, before[0]) and np.array_equal(B, before[1])
        value2, grads2 = f(A=A, B=B)
        assert value == value2 and not any((g == 7).all() for g in grads2.values())
    identity = sg.compile("A: real[2, 3]\nA", wrt=[])
    A = np.ones((2, 3))
    assert not np.shares_memory(identity(A=A)[0], A)
    assert not np.shares_memory(sg.compile("A: real[2, 3]\nA.T", wrt=[])(A=A)[0], A)
    assert not np.shares_memory(sg.compile("A: real[2, 3]\nA[1:]", wrt=[])(A=A)[0], A)


@pytest.mark.parametrize(
    "kind", ["fortran", "strided", "readonly", "big", "list", "int", "float32", "bool", "matrix"]
)
def test_inputs_of_every_sort(f: sg.Compiled, kind: str) -> None:
    expected, expected_grads = f(**{**GIVEN, "b": np.ones(4)})
    given: dict[str, Any] = {**GIVEN, "b": np.ones(4)}
    if kind == "fortran":
        given["X"], given["W"] = np.asfortranarray(X), np.asfortranarray(W)
    elif kind == "strided":
        given["X"] = np.repeat(np.repeat(X, 2, axis=0), 2, axis=1)[::2, ::2]
    elif kind == "readonly":
        given = {k: np.array(v) for k, v in given.items()}
        for v in given.values():
            v.flags.writeable = False
    elif kind == "big":
        given["X"], given["y"] = X.astype(">f8"), Y.astype(">i4")
    elif kind == "list":
        given = {k: v.tolist() for k, v in given.items()}
    elif kind == "int":
        given["b"] = np.ones(4, int)
    elif kind == "float32":
        given["b"] = np.ones(4, np.float32)
    elif kind == "bool":
        given["b"] = np.ones(4, bool)
    elif kind == "matrix":
        given["W"] = W.copy()
        given["X"] = np.ma.masked_array(X)
    value, grads = f(**given)
    assert value == pytest.approx(float(expected), rel=1e-14)
    for name, grad in grads.items():
        assert type(grad) is np.ndarray and grad.dtype == np.float64
        np.testing.assert_allclose(grad, expected_grads[name], rtol=1e-13, atol=1e-16)


def test_it_travels_by_pickle(f: sg.Compiled) -> None:
    back = pickle.loads(pickle.dumps(f))
    assert back.source == f.source and back.inputs == f.inputs and back.wrt == f.wrt
    assert np.array_equal(back(**GIVEN)[1]["W"], f(**GIVEN)[1]["W"])
    assert isinstance(back, sg.Compiled) and repr(back) == repr(f)
    for other in (copy.copy(f), copy.deepcopy(f)):
        assert other.source == f.source and other(**GIVEN)[0] == f(**GIVEN)[0]


def test_what_travels_grows_with_the_program() -> None:
    """What was recognised is part of the program: its nodes are sent once, not once a rewrite."""

    def sent(layers: int) -> int:
        steps = "; ".join(["h = 1/(1 + exp(-(w*h + x)))"] * layers)
        f = sg.compile(f"w: param; x: data; h = x; {steps}; h**2")
        back = pickle.loads(pickle.dumps(f))
        assert back.trace == f.trace and len(f.trace) >= layers and back.notes == f.notes
        return len(pickle.dumps(f.trace))

    assert sent(80) < 2.5 * sent(40)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_it_works_in_another_process(f: sg.Compiled) -> None:
    expected = f(**GIVEN)[0]
    for way in multiprocessing.get_all_start_methods():
        if way == "forkserver":
            continue
        with multiprocessing.get_context(way).Pool(1) as pool:
            value, _ = pool.apply(f, (), GIVEN)
        assert value == expected


NAMES = [
    "self",
    "np",
    "out",
    "m",
    "args",
    "float",
    "value",
    "grad_x",
    "dtype",
    "grads",
    "map",
    "math",
    "name",
    "inputs",
    "value_and_grad",
    "_value_and_grad",
    "sigmoid",
    "x",
    "abs",
    "max_",
    "e",
    "f",
    "L",
    "loss",
    "t_1",
    "P",
    "delta",
    "grad_self",
    "λ",
    "int",
    "None_",
    "print",
    "type",
    "match",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_an_input(name: str) -> None:
    for declared, one in (
        ("", 0.5),
        (": param[3]", np.array([0.5, 1, 2])),
        (": param[N, 2]", np.full((2, 2), 0.5)),
    ):
        declaration = f"{name}{declared}\nother{declared}\n" if declared else f"{name}: real\n"
        text = (
            f"{declaration}h = 1/(1 + exp(-{name}))\nsum(h*other)"
            if declared
            else f"{declaration}h = 1/(1 + exp(-{name}))\nh*other"
        )
        f = sg.compile(text)
        value, grads = f(**{name: one, "other": one})
        assert set(grads) == {name, "other"}
        s = 1 / (1 + np.exp(-np.asarray(one)))
        np.testing.assert_allclose(grads[name], s * (1 - s) * one, rtol=1e-14)
        np.testing.assert_allclose(value, np.sum(s * one), rtol=1e-14)


def test_many_awkward_names_at_once() -> None:
    names = [n for n in NAMES if n not in ("L", "sigmoid", "abs")]
    f = sg.compile("L = " + " + ".join(f"{n}**2*{k + 1}" for k, n in enumerate(names)))
    value, grads = f(**dict.fromkeys(names, 1.0))
    assert value == sum(range(1, len(names) + 1))
    assert grads == {n: 2.0 * (k + 1) for k, n in enumerate(names)}


def test_a_dimension_may_be_called_like_anything() -> None:
    f = sg.compile("X: data[np, out]\nw: param[out]\nnp2 = X @ w\nsum(np2**2)/np")
    value, grads = f(X=X, w=np.ones(3))
    assert value == pytest.approx(np.mean((X @ np.ones(3)) ** 2)) and grads["w"].shape == (3,)
    f = sg.compile("X: data[N, H]\nW: param[H, K]\nH = tanh(X @ W)\nsum(H)/N")
    assert f(X=X, W=np.ones((3, 2)))[1]["W"].shape == (3, 2)


def test_the_second_call_equals_the_first_bit_for_bit(f: sg.Compiled) -> None:
    one, two = f(**GIVEN), f(**GIVEN)
    assert one[0].tobytes() == two[0].tobytes()
    assert all(one[1][k].tobytes() == two[1][k].tobytes() for k in one[1])
    alone, _ = sg.compile(NET, wrt=[])(**GIVEN)
    assert alone.tobytes() == one[0].tobytes()


def test_sizes_bind_anew_on_every_call(f: sg.Compiled) -> None:
    for n, d in ((5, 3), (2, 3), (7, 6)):
        value, grads = f(X=np.ones((n, d)), y=np.zeros(n, int), W=np.ones((d, 4)), b=B)
        assert grads["W"].shape == (d, 4) and np.isfinite(value)


def test_threads_do_not_disturb_each_other(f: sg.Compiled) -> None:
    found: dict[int, bool] = {}
    expected = {k: f(X=X + k, y=Y, W=W, b=B) for k in range(4)}

    def work(k: int) -> None:
        same = True
        for _ in range(50):
            value, grads = f(X=X + k, y=Y, W=W, b=B)
            same &= value == expected[k][0] and np.array_equal(grads["W"], expected[k][1]["W"])
        found[k] = bool(same)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == dict.fromkeys(range(4), True)


def test_scalars_run_on_floats_and_fall_back() -> None:
    for text, at, value in (
        ("exp(x)", 1e4, math.inf),
        ("log(x)", 0.0, -math.inf),
        ("1/x", 0.0, math.inf),
        ("x**0.5", 4, 2.0),
        ("x**3", -2, -8.0),
        ("x**-1", 2, 0.5),
    ):
        got, grads = sg.compile(text)(x=at)
        assert got == value and type(got) is float and type(grads["x"]) is float
    for text, at in (("log(x)", -1.0), ("sqrt(x)", -1.0), ("x**0.5", -1.0)):
        assert math.isnan(sg.compile(text)(x=at)[0])
    assert sg.compile("x**3")(x=np.float64(2)) == (8.0, {"x": 12.0})
    assert sg.compile("x**-1")(x=np.int64(2)) == (0.5, {"x": -0.25})


def test_wrt_intermediates() -> None:
    f = sg.compile(
        "W: param[3]\nx: data[3]\nz = W @ x\na = sigmoid(z)\nL = (a - t)**2", wrt=["z", "a", "W"]
    )
    at = {"W": np.array([0.1, 0.2, 0.3]), "x": np.ones(3), "t": 1.0}
    _, grads = f(**at)
    passes = sg.backprop(
        "W: param[3]\nx: data[3]\nz = W @ x\na = sigmoid(z)\nL = (a - t)**2", at, ["z", "a", "W"]
    )
    for name in ("z", "a", "W"):
        np.testing.assert_allclose(grads[name], passes.grad[name], rtol=1e-14)


def test_a_million_terms_are_summed_pairwise() -> None:
    x = np.full(1_000_000, 0.1, np.float32)
    value, _ = sg.compile("x: param[N]\nsum(x)", dtype="float32")(x=x)
    assert abs(float(value) - 1e5) < 1e5 * 2e-6


def test_numbers_in_arrays_are_taken_out_before_the_checks_are_made_again(monkeypatch) -> None:
    for text in ("a*b**2", "x: data[N]; sum((a*x - b)**2)"):
        f = sg.compile(text)
        at = {n: np.array(k + 2.0) for k, n in enumerate("ab")}
        at |= {"x": np.arange(3.0)} if "x" in text else {}
        expected = f(**{k: v[()] for k, v in at.items()})
        assert f(**at) == expected
        with monkeypatch.context() as patched:
            patched.setattr(type(f), "_check", None)
            assert f(**at) == expected

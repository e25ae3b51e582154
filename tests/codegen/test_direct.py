"""Calls without the module's head: conversions, warnings, contexts; NumPy with shorter ways."""

import itertools
import platform
import subprocess
import sys
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.direct import Direct, keep_freed, opened, silent
from symgrad.codegen.quick import quick

NET = "X: data[N, D]; W: param[D, H]; b: param[H]; v: param[H, 1]; mean((tanh(X @ W + b) @ v)**2)"
STYLES = ("readable", "fast")


def given(rows: int = 5, dtype: Any = np.float64) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    shapes = {"X": (rows, 3), "W": (3, 4), "b": (4,), "v": (4, 1)}
    return {k: rng.normal(size=s).astype(dtype) for k, s in shapes.items()}


def same(a: Any, b: Any) -> None:
    assert a[0] == b[0] and a[0].dtype == b[0].dtype
    for name in b[1]:
        assert a[1][name].dtype == b[1][name].dtype
        assert np.array_equal(a[1][name], b[1][name]), name


@pytest.mark.parametrize("dtype", ("float32", "float64"))
@pytest.mark.parametrize("style", STYLES)
def test_a_call_is_what_the_module_does(style: str, dtype: str) -> None:
    """The first call, later ones, other types, and the module as it stands: the same bits."""
    f = sg.compile(NET, style=style, dtype=dtype)
    text, types = opened(f.program, "value_and_grad") or ("", {})
    assert types == dict.fromkeys(f.inputs, dtype) and "errstate" not in text
    space: dict[str, Any] = {}
    exec(f.source, space)
    for kind, rows in itertools.product((np.float64, np.float32, np.int64, ">f8"), (5, 300)):
        inputs = given(rows, kind)
        if kind is np.int64:
            inputs = {k: 3 * v for k, v in inputs.items()}
        before = {k: v.copy() for k, v in inputs.items()}
        expected = space["value_and_grad"](**inputs)
        for _ in range(3):
            same(f(**inputs), expected)
        assert all(np.array_equal(inputs[k], before[k]) for k in inputs)
    same(f(**{k: v.tolist() for k, v in given().items()}), f(**given()))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("count", (10, 70))
def test_many_arrays_beside_numbers_and_labels(style: str, count: int) -> None:
    """More inputs than a method names one by one are compared as lists, just as strictly."""
    lines = ["X: data[N, D]; y: labels[N, D]; a: param", *(f"W{k}: param[D, D]; b{k}: param[D]"
             for k in range(count)), "h0 = X"]  # fmt: skip
    lines += [f"h{k + 1} = tanh(h{k} @ W{k} + b{k})" for k in range(count)]
    f = sg.compile("\n".join([*lines, f"cross_entropy(a*h{count}, y)"]), style=style)
    rng = np.random.default_rng(1)
    at: dict[str, Any] = {"X": rng.normal(size=(4, 3)), "y": np.array([0, 1, 2, 0]), "a": 2.0}
    for k in range(count):
        at |= {f"W{k}": rng.normal(size=(3, 3)), f"b{k}": rng.normal(size=3)}
    first = f(**at)
    same(f(**at), first)
    assert f(**{**at, "W1": at["W1"].astype(np.float32)})[0] == pytest.approx(first[0], rel=1e-5)
    same(f(**at), first)
    narrow = sg.compile(f.graph, style=style, dtype="float32")
    for _ in range(3):
        assert {g.dtype for g in narrow(**at)[1].values()} == {np.dtype("float32")}
    wrong = [("W1", at["W1"][:2], sg.ShapeError), ("b1", np.ones(1), sg.ShapeError),
             ("y", at["y"] + 1, sg.DataError),
             ("b1", np.ma.masked_array(at["b1"], [True, False, False]), sg.DataError),
             ("a", "2", sg.DataError), ("W1", None, sg.DataError)]  # fmt: skip
    for name, value, kind in wrong:
        with pytest.raises(kind):
            f(**{**at, name: value})
        same(f(**at), first)


@pytest.mark.parametrize("style", STYLES)
def test_nothing_is_warned_of_and_nothing_is_left_off(style: str) -> None:
    f = sg.compile("x: param[3]; sum(exp(x)/x)", style=style)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with np.errstate(all="raise"):
            for _ in range(3):
                value, grads = f(x=np.array([1e4, 0.0, np.nan]))
                assert np.isnan(value) and np.isnan(grads["x"]).any()
            with pytest.raises(FloatingPointError):
                np.exp(np.float64(1e4))
    narrow = sg.compile("x: param[2]; sum(x)", style=style, dtype="float32")
    for _ in range(2):
        assert narrow(x=np.array([1e300, 1.0]))[0] == np.inf


def test_calls_may_overlap() -> None:
    """A context is entered by one call at a time: threads, and a call inside a call, get others."""
    inner = Direct(lambda x: x, {})
    outer = Direct(lambda x: inner.quietly(outer_body, x), {})

    def outer_body(x: int) -> Any:
        return x if x == 0 else outer.quietly(outer.__wrapped__, x - 1)

    assert outer(x=3) == 0 and len(outer.idle) == 4
    f = sg.compile(NET)
    expected, found = f(**given()), []

    def work() -> None:
        found.extend(f(**given()) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 200
    for answer in found:
        same(answer, expected)


def test_after_a_failure_the_context_is_there_again() -> None:
    def fails() -> None:
        raise KeyError("x")

    direct = Direct(fails, {})
    for _ in range(3):
        with pytest.raises(KeyError):
            direct()
    assert len(direct.idle) == 1
    assert silent()(lambda: np.geterr()["divide"]) == "ignore" and np.geterr()["divide"] != "ignore"


def test_what_is_no_such_module_is_left_alone() -> None:
    assert opened("def f(x):\n    return x\n", "f") is None
    assert opened('@np.errstate(over="ignore")\ndef f(*, x):\n    return x\n', "f") is None
    keep_freed(10)
    keep_freed(10**15)  # a block of 31 MiB at most


@pytest.mark.parametrize("dtype", (np.float32, np.float64, np.int64, bool))
@pytest.mark.parametrize("shape", ((), (1,), (7,), (5, 3), (4, 1, 6), (1000, 3)))
def test_shorter_ways_have_the_same_bits(dtype: Any, shape: tuple[int, ...]) -> None:
    a = np.asarray(10 * np.random.default_rng(2).normal(size=shape)).astype(dtype)
    axes = (None, *range(len(shape)), *([(0, 1)] if len(shape) > 1 else []), *[-1] * bool(shape))
    for name, axis, keepdims in itertools.product(("sum", "mean", "max", "min"), axes, (0, 1)):
        expected = getattr(np, name)(a, axis=axis, keepdims=bool(keepdims))
        found = getattr(quick(), name)(a, axis=axis, keepdims=bool(keepdims))
        assert type(found) is type(expected) and found.dtype == expected.dtype
        assert np.shape(found) == np.shape(expected) and np.array_equal(found, expected)
    assert quick().sum(a, axis=None, initial=1) == np.sum(a, initial=1)
    assert quick().linalg is np.linalg and quick().float64 is np.float64


def test_no_rows_and_single_rows() -> None:
    """A sum over tiles begins with the first tile, which may be empty."""
    text = "X: data[N, D]; W: param[D, H]; b: param[1]; sum(relu(X @ W + b)**2) + sum(X @ W)"
    rng = np.random.default_rng(3)
    W, b = rng.normal(size=(3, 4)), np.array([0.3])
    for rows, dtype in itertools.product((0, 1, 2), ("float32", "float64")):
        X = rng.normal(size=(rows, 3))
        for reuse in (False, True):
            fast = sg.compile(text, dtype=dtype, reuse=reuse)
            readable = sg.compile(text, dtype=dtype, style="readable")(X=X, W=W, b=b)
            for _ in range(2):
                value, grads = fast(X=X, W=W, b=b)
                assert value == pytest.approx(readable[0], rel=1e-5)
                for name in grads:
                    assert grads[name].dtype == dtype
                    assert np.allclose(grads[name], readable[1][name], rtol=1e-4, atol=1e-6)


def test_numbers_of_sizes_follow_the_sizes() -> None:
    """What sizes alone decide is kept with the workspace: other sizes, other numbers."""
    text = "X: data[N, D]; w: param[D]; s = N*D/2; mean((X @ w)**2)/s + 1/s"
    for style in STYLES:
        f = sg.compile(text, style=style)
        for rows, cols in ((2, 3), (7, 3), (2, 3), (2, 5)):
            value, grads = f(X=np.ones((rows, cols)), w=np.ones(cols))
            s = rows * cols / 2
            assert value == pytest.approx(cols**2 / s + 1 / s)
            assert grads["w"] == pytest.approx(np.full(cols, 2 * cols / s))
    g = sg.compile("x: param[N]; y: param[N]; sum(x*y)/N", wrt=["x"])
    assert g(x=np.ones(4), y=np.ones(4))[1]["x"].tolist() == [0.25] * 4


NAMES = (
    "ONES",
    "total",
    "same",
    "run",
    "TAKEN",
    "KEPT",
    "AS",
    "D0",
    "IDLE",
    "np",
    "v1",
    "v1_array",
)


@pytest.mark.parametrize("name", NAMES)
def test_inputs_may_have_any_of_these_names(name: str) -> None:
    text = f"{name}: param[3]; k: data[3]; sum(exp({name}))/3 + sum({name}*k) + sum(sin({name}))"
    at = {name: np.arange(3.0) / 5, "k": np.ones(3)}
    expected = sg.backprop(sg.parse(text), at)
    for dtype, style in itertools.product(("float32", "float64"), STYLES):
        f = sg.compile(text, dtype=dtype, style=style)
        for _ in range(2):
            value, grads = f(**at)
            assert value == pytest.approx(expected.value, rel=1e-5)
            assert grads[name].dtype == dtype
            assert grads[name] == pytest.approx(expected.grad[name], rel=1e-5)


LAYERS = """
names = [f"W{k}" for k in range(40)]
lines = [f"{name}: param[64, 64]" for name in names] + ["x: data[64, 64]", "h = x"]
f = sg.compile("\\n".join([*lines, *(f"h = tanh(h @ {name})" for name in names), "sum(h)"]))
inputs = {name: np.full((64, 64), 0.01) for name in ["x", *names]}
"""
CROSS_ENTROPY = """
text = "s: param[N, C]; y: labels[N, C]; cross_entropy(s, y)"
f = sg.compile(text, style="readable", accurate=ACCURATE)
inputs = {"s": np.ones((512, 100)), "y": np.arange(512) % 100}
"""
FAULTS = """
import resource
import numpy as np
import symgrad as sg
{program}
def faults(calls):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(calls):
        f(**inputs)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults(3)
print(faults(10) / 10)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="as glibc keeps memory")
@pytest.mark.parametrize(
    "program",
    [LAYERS, *(CROSS_ENTROPY.replace("ACCURATE", a) for a in ("True", "False"))],
    ids=["layers", "accurate", "readable"],
)
def test_results_come_from_memory_that_the_process_has(program: str) -> None:
    text = FAULTS.format(program=program)
    said = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert float(said.stdout) < 20  # pages of 4 kB a call; the results have 1.3 and 0.4 MB


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("kind", ["int64", "int32", "uint8"])
def test_labels_whose_classes_nothing_counts_are_checked_once(style, kind, monkeypatch):
    text = "x: param[N]; y: labels[N, C]\nsum(x[i]*x[j] for i in N for j in N if y[i] == y[j])"
    f = sg.compile(text, style=style)
    at = {"x": np.arange(4.0), "y": np.array([0, 7, 0, 7], kind)}
    first = f(**at)
    with monkeypatch.context() as patch:
        patch.setattr(type(f), "_general", lambda *_: pytest.fail("every check was made again"))
        assert f(**at)[0] == first[0]
    assert f(x=at["x"], y=np.array([0, 7, 7, 7], kind))[0] == 36
    assert f(x=at["x"], y=np.array([0, -1, 0, 7]))[0] == 14

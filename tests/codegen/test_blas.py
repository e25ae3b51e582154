"""Products through MKL: the same numbers for every layout, NumPy's where MKL cannot or need not."""

import ctypes
import importlib.metadata
import subprocess
import sys
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen import blas

try:
    importlib.metadata.files("mkl")
    HERE = True
except importlib.metadata.PackageNotFoundError:
    HERE = False


def matrix(place: int, way: int, rows: int, columns: int, step: int, dtype: Any) -> Any:
    """Look at memory as BLAS does in the order by rows."""
    real = ctypes.c_double if dtype == np.float64 else ctypes.c_float
    across, down = (rows, columns) if way == 111 else (columns, rows)
    flat = np.frombuffer((real * ((across - 1) * step + down)).from_address(place), dtype)
    shape, strides = (across, down), (step * flat.itemsize, flat.itemsize)
    found = np.lib.stride_tricks.as_strided(flat, shape, strides)
    return found if way == 111 else found.T


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Put a BLAS written in NumPy in the place of MKL; give the list of its calls."""
    made: list[tuple[int, ...]] = []

    def gemm(dtype: Any) -> Any:
        def run(order: int, one: int, two: int, m: int, n: int, k: int, alpha: float, a: int,
                lda: int, b: int, ldb: int, beta: float, c: int, ldc: int) -> None:  # fmt: skip
            made.append((order, one, two))
            by = 0 if order == 101 else 223
            first = matrix(a, abs(by - one), m, k, lda, dtype)
            second = matrix(b, abs(by - two), k, n, ldb, dtype)
            matrix(c, abs(by - 111), m, n, ldc, dtype)[...] = alpha * (first @ second)

        return run

    table = {np.dtype(t): gemm(t) for t in (np.float64, np.float32)}
    monkeypatch.setitem(blas._space, "mkl_products", lambda: table)
    return made


SHAPE = (150, 200, 160)  # 4.8 million products


def layouts(rows: int, columns: int, dtype: Any) -> dict[str, Any]:
    """Give a matrix by rows, by columns, and as parts of larger ones."""
    rng = np.random.default_rng(rows)
    x = rng.normal(size=(rows, columns)).astype(dtype)
    wide = np.zeros((rows + 3, columns + 5), dtype)
    tall = np.zeros((columns + 2, rows + 4), dtype)
    wide[1:-2, 2:-3], tall[1:-1, 3:-1] = x, x.T
    return {"rows": x, "columns": np.asfortranarray(x), "part": wide[1:-2, 2:-3],
            "turned part": tall[1:-1, 3:-1].T}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_layout(dtype: Any, calls: list[tuple[int, ...]]) -> None:
    m, k, n = SHAPE
    some = 0
    for a in layouts(m, k, dtype).values():
        for b in layouts(k, n, dtype).values():
            want = a @ b
            for out in layouts(m, n, dtype).values():
                assert blas.product(a, b, out) is out
                tolerance = 1e-12 if dtype == np.float64 else 1e-4
                np.testing.assert_allclose(out, want, rtol=tolerance, atol=tolerance)
                some += 1
    assert len(calls) == some == 64 and len(set(calls)) == 8


def test_what_blas_does_not_take_goes_to_numpy(calls: list[tuple[int, ...]]) -> None:
    m, k, n = SHAPE
    a, b, out = (
        x["rows"] for x in (layouts(m, k, float), layouts(k, n, float), layouts(m, n, float))
    )
    stepped = np.repeat(a, 2, axis=1)[:, ::2]
    cases = [
        (stepped, b, out),
        (a[:, ::-1], b, out),
        (np.broadcast_to(a[:1], a.shape), b, out),
        (a.astype(np.float32), b, out),
        (a.astype(">f8"), b, out),
        (a.astype(int), b, out),
        (a, b, np.empty((n, m, 2)).T[0]),
        (a[:31], b, out[:31]),
        (a[:, :2], b[:2], out),
        (a, b[:, 0], out[:, 0].copy()),
        (np.stack([a, a]), b, np.empty((2, m, n))),
        (a[:0], b, out[:0]),
    ]
    for first, second, result in cases:
        assert blas.product(first, second, result) is result
        np.testing.assert_allclose(result, first @ second, rtol=1e-6)
    out.flags.writeable = False
    for bad in ((a, b, out), (a, b.T, np.empty((m, n))), (a, b, np.empty((m, n + 1)))):
        with pytest.raises(ValueError):
            blas.product(*bad)
    assert not calls


ALONE = """
import sys, warnings
sys.path[:0] = []
space = {}
exec(sys.stdin.read(), space)
np = space["np"]
a, out = np.ones((400, 300)), np.empty((400, 400))
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for _ in range(3):
        space["mkl_product"](a, a.T, out)
assert np.all(out == 300)
print(*(w.message for w in seen))
"""


def test_the_text_stands_alone() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE],
        input=blas.TEXT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if HERE:
        assert not done.stdout.strip()
    else:
        assert (
            done.stdout.count("MKL is not here, products are NumPy's: python3 -m pip install") == 1
        )


def test_nothing_happens_at_import() -> None:
    code = (
        "import sys, symgrad as sg; sg.compile('x**2')(x=1.0)\n"
        "import symgrad.codegen.blas as blas, numpy as np\n"
        "assert blas._space['mkl_products'].cache_info().currsize == 0\n"
        "blas.product(np.ones((9, 9)), np.ones((9, 9)), np.ones((9, 9)))\n"
        "assert blas._space['mkl_products'].cache_info().currsize == 0"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_a_library_that_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    space: dict[str, Any] = {}
    exec(blas.TEXT, space)

    class File:
        name = "libmkl_rt.so.2"

        def locate(self) -> str:
            return "/no/such/libmkl_rt.so.2"

    monkeypatch.setattr(importlib.metadata, "files", lambda name: [File()])
    a, out = np.ones((200, 200)), np.empty((200, 200))
    with pytest.warns(UserWarning, match="MKL is not here"):
        space["mkl_product"](a, a, out)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # said once
        assert np.all(space["mkl_product"](a, a, out) == 200)


def test_threads_at_once() -> None:
    """Each thread has its own result; with MKL or without."""
    a = np.random.default_rng(0).normal(size=(300, 200))
    wrong: list[int] = []

    def work(k: int) -> None:
        out = np.empty((300, 300))
        for _ in range(5):
            blas.product(a * k, a.T, out)
            if not np.allclose(out, k * (a @ a.T)):
                wrong.append(k)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


@pytest.mark.skipif(not HERE, reason="the wheel mkl is not installed")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_mkl_itself(dtype: Any) -> None:
    assert np.dtype(dtype) in blas._space["mkl_products"]()
    m, k, n = SHAPE
    for a in layouts(m, k, dtype).values():
        for b in layouts(k, n, dtype).values():
            for out in layouts(m, n, dtype).values():
                tolerance = 1e-11 if dtype == np.float64 else 1e-3
                want = np.matmul(a, b)
                np.testing.assert_allclose(blas.product(a, b, out), want, rtol=0, atol=tolerance)


def test_a_compiled_function_multiplies_by_it() -> None:
    text = "X: data[N, D]; W: param[D, H]; sum(tanh(X @ W)**2)"
    rng = np.random.default_rng(0)
    at = {"X": rng.normal(size=(5, 4)), "W": rng.normal(size=(4, 3))}
    f = sg.compile(text, blas="mkl")
    assert "mkl_product(X, W, " in f.program and "import ctypes" in f.program
    value, grads = f(**at)
    plain, expected = sg.compile(text)(**at)
    np.testing.assert_allclose(
        [value, *grads["W"].ravel()], [plain, *expected["W"].ravel()], rtol=1e-13
    )
    with pytest.raises(sg.UsageError, match="blas='mkl'"):
        sg.compile(text, style="readable", blas="mkl")

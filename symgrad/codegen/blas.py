"""Take matrix products through MKL, where its wheel is installed: `pip install 'symgrad[mkl]'`.

NumPy's wheels bring OpenBLAS. Which of the two is faster depends on the processor: `compared`
measures it. `TEXT` is the source of `mkl_product(a, b, out)`, here `product`; it needs NumPy and
the standard library, so that a generated module can hold it (`sg.compile(…, blas="mkl")`). Nothing
is loaded before the first large product.
"""

import time
from collections.abc import Callable
from typing import Any

# cblas_dgemm_64 has 64-bit sizes whatever MKL_INTERFACE_LAYER says; 101 and 102 are orders by rows
# and by columns, 111 and 112 a matrix as it is and transposed; threading layer 1 is sequential.
TEXT = '''
import ctypes
import functools
import importlib.metadata
import os
import re
import warnings

import numpy as np

HEAD = object.__basicsize__  # what stands before the address of its data in a NumPy array
ADDRESS = ctypes.c_void_p.from_address


@functools.cache
def mkl_products():
    """Load MKL and give its products by float type; none, with a warning, without its wheel."""
    try:
        files = importlib.metadata.files("mkl") or ()
        name = r"(lib)?mkl_rt(\\.\\d+)?\\.(so(\\.\\d+)?|dll|dylib)"
        path = next(f.locate() for f in files if re.fullmatch(name, f.name))
        library = ctypes.CDLL(str(path))
        products = {np.dtype("f4"): library.cblas_sgemm_64, np.dtype("f8"): library.cblas_dgemm_64}
        sample = np.empty(1)
        sound = ADDRESS(id(sample) + HEAD).value == sample.ctypes.data
    except (ImportError, StopIteration, OSError, AttributeError):
        sound = False
    if not sound:
        note = "MKL is not here, products are NumPy's: python3 -m pip install 'mkl>=2024' brings it"
        warnings.warn(note, stacklevel=3)
        return {}
    asked = [os.environ.get(f"{who}_NUM_THREADS", "") for who in ("MKL", "OMP", "OPENBLAS")]
    threads = next((int(number) for number in asked if number.isdecimal()), 0)
    if threads == 1:
        library.MKL_Set_Threading_Layer(1)
    elif threads:
        library.MKL_Set_Num_Threads(threads)
    way, size, place = ctypes.c_int, ctypes.c_int64, ctypes.c_void_p
    for dtype, real in zip(products, (ctypes.c_float, ctypes.c_double)):
        operands = [real, place, size, place, size, real, place, size]
        products[dtype].argtypes = [way, way, way, size, size, size, *operands]
        products[dtype].restype = None
    return products


def layout(x, rows, columns, size):
    """Say how BLAS reads a matrix: 111 by rows, 112 by columns, and the step; 0 if it cannot."""
    down, across = x.strides
    if across == size and down >= columns * size and down % size == 0:
        return 111, down // size
    if down == size and across >= rows * size and across % size == 0:
        return 112, across // size
    return 0, 0


def mkl_product(a, b, out):
    """Write a @ b into out, which overlaps neither: by MKL where it is large, else by NumPy."""
    if a.ndim == b.ndim == out.ndim == 2:
        (m, k), (depth, n), dtype = a.shape, b.shape, out.dtype
        large = m * k * n >= 4_000_000 and m >= 32 and n >= 32
        if large and depth == k and out.shape == (m, n) and a.dtype == b.dtype == dtype:
            size = dtype.itemsize
            one, step = layout(a, m, k, size)
            two, pace = layout(b, k, n, size)
            way, stride = layout(out, m, n, size)
            gemm = mkl_products().get(dtype)
            if gemm and one and two and way and out.flags.writeable:
                if way == 112:  # in the order by columns, what lies by rows is transposed
                    one, two = 223 - one, 223 - two
                gemm(way - 10, one, two, m, n, k, 1.0, ADDRESS(id(a) + HEAD).value, step,
                     ADDRESS(id(b) + HEAD).value, pace, 0.0, ADDRESS(id(out) + HEAD).value, stride)
                return out
    return np.matmul(a, b, out=out)
'''

NAMES = ("mkl_product", "mkl_products", "layout", "HEAD", "ADDRESS", "ctypes", "functools",
         "importlib", "os", "re", "warnings")  # fmt: skip
STUB = "\ndef mkl_product(a, b, out):\n    return\n"


def without(source: str) -> str:
    """Give a module's text without TEXT, which is known, to check what is left."""
    return source.replace(TEXT.strip("\n"), STUB)


_space: dict[str, Any] = {}
exec(TEXT, _space)  # the text above, never a user's
product: Callable[[Any, Any, Any], Any] = _space["mkl_product"]


def compared(m: int, k: int, n: int, dtype: str = "float64", rounds: int = 9) -> float:
    """Time a product (m, k) @ (k, n) both ways, in turns: the ratio of medians, below 1 for MKL.

    >>> compared(8, 8, 8) > 0
    True
    """
    import numpy as np

    a, b = np.ones((m, k), dtype), np.ones((k, n), dtype)
    out = np.empty((m, n), dtype)
    ways: tuple[Callable[[], Any], ...] = (
        lambda: np.matmul(a, b, out=out),
        lambda: product(a, b, out),
    )
    for way in ways:  # the first call loads what it needs
        way()
    spent: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for way, times in zip(ways, spent, strict=True):
            start = time.perf_counter()
            way()
            times.append(time.perf_counter() - start)
    numpy, mkl = (sorted(times)[rounds // 2] for times in spent)
    return mkl / numpy

"""Say whether wide products are cut into blocks in this process.

OpenBLAS has kernels for small matrices, which copy no operand first; on processors with AVX-512
they are up to a quarter faster on products of some hundred rows and columns (docs/tuning.md). They
run on one thread. So modules that are written for any machine leave wide products whole, and
functions that are compiled here cut them where BLAS has one thread anyway.
"""

import os
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from symgrad.codegen.fast.costs import DEFAULTS, Costs, current, place

CUT_BYTES = 2_621_440  # 2.5 MiB, where nothing has been measured
VARIABLES = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "OMP_NUM_THREADS")  # in OpenBLAS's order
VECTORS = ("AVX512", "X86_V4")  # as NumPy names them, before 2.4 and since


def here() -> Costs:
    """Give the costs of this machine, as it is used in this process.

    >>> here().cut_bytes in (0, CUT_BYTES, current().cut_bytes)
    True
    """
    found = current()
    if place() is None:  # the defaults are asked for
        return found
    if not (one_thread() and small_kernels()):
        return replace(found, cut_bytes=0) if found.cut_bytes else found
    return replace(found, cut_bytes=CUT_BYTES) if found is DEFAULTS else found


def one_thread() -> bool:
    """Say whether BLAS has one thread, by what OpenBLAS reads when it is loaded."""
    asked = next((os.environ[v] for v in VARIABLES if os.environ.get(v, "").isdecimal()), "")
    if asked.strip("0"):
        return int(asked) == 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return usable == 1


@lru_cache(maxsize=1)
def small_kernels() -> bool:
    """Say whether NumPy calls an OpenBLAS that has kernels for small matrices here."""
    built: Any = np.show_config(mode="dicts")
    try:
        name = built["Build Dependencies"]["blas"]["name"]
        vectors = built["SIMD Extensions"]
        known = [*vectors["baseline"], *vectors.get("found", ())]
    except (KeyError, TypeError):  # another build of NumPy says less
        return False
    return "openblas" in name and any(v.startswith(VECTORS) for v in known)

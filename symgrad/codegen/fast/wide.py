"""Say which products are cut into blocks in this process: that depends on NumPy's BLAS.

OpenBLAS has kernels for small matrices, which copy no operand first. On processors with AVX-512
they are twice as fast on skinny products, and up to a quarter faster on products of some hundred
rows and columns (docs/tuning.md). They run on one thread. Which kernels OpenBLAS takes it decides
when it is loaded; one that is older than the processor falls back on kernels without AVX-512, for
which blocks only cost. So functions that are compiled here ask the library; modules that are
written for any machine cut skinny products and leave wide ones whole.
"""

import ctypes
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from symgrad.codegen.fast.costs import DEFAULTS, Costs, current, place, processor

# Where nothing has been measured, and BLAS is on one thread: AMD's processors gain by blocks of
# wide products, up to 2.5 MiB and 1 MiB (in single precision larger ones gain on Zen 4 what they
# lose on Zen 5), and of products of up to 128 columns; Intel's lose. Sums of few terms gain on all.
CUT: dict[str, Any] = {"cut_float64": 2_621_440, "cut_float32": 1_048_576}
WHOLE: dict[str, Any] = dict.fromkeys(CUT, 0)
SKINNY: dict[str, Any] = {"skinny_float64": 128, "skinny_float32": 128}
SHORT = 64
SMALL = ("skylakex", "cooperlake", "sapphirerapids")  # cores with kernels for small matrices
MAPPED = re.compile(r"/\S*openblas\S*\.so[.\d]*$", re.MULTILINE)
NAMES = [f"{before}openblas_get_{{}}{after}" for before in ("scipy_", "") for after in ("64_", "")]


@dataclass(frozen=True, slots=True)
class Library:
    """Hold what NumPy's OpenBLAS says of itself: the core it has chosen kernels for, its threads.

    Of another BLAS the core is "", and the number of threads 0.
    """

    core: str = ""
    threads: int = 0

    @property
    def small_kernels(self) -> bool:
        """Say whether there are kernels for small matrices."""
        return self.core.lower() in SMALL

    def __str__(self) -> str:
        """Say it in words, with what helps where the kernels are older than the processor."""
        if not self.core:
            return "another library than OpenBLAS: products are whole"
        said = f"OpenBLAS with kernels for {self.core}, threads: {self.threads}"
        if self.small_kernels or not _wide_vectors():
            return said
        return (f"{said}; the processor has AVX-512, which these kernels do not use: "
                "OPENBLAS_CORETYPE=SkylakeX may be faster")  # fmt: skip


def library() -> Library:
    """Ask the OpenBLAS that NumPy has loaded.

    >>> library().threads >= 0
    True
    """
    asked = _functions()
    return Library(asked[0]().decode(), asked[1]()) if asked else Library()


def here() -> Costs:
    """Give the costs of this machine, as it is used in this process.

    >>> here().cut_float64 in (0, CUT["cut_float64"], current().cut_float64)
    True
    """
    found = current()
    if place() is None:  # the defaults are asked for
        return found
    blas = library()
    single = blas.small_kernels and blas.threads == 1
    if found is not DEFAULTS:
        return found if single else replace(found, **WHOLE, short=0)
    if not blas.small_kernels or blas.threads > 2:
        return replace(found, skinny_float64=0, skinny_float32=0)
    if not single:  # two threads on the whole product are slower than blocks in float64 only
        return replace(found, skinny_float32=0)
    amd = "AuthenticAMD" in processor("vendor_id")
    return replace(found, **(CUT | SKINNY if amd else {}), short=SHORT)


@lru_cache(maxsize=1)
def _functions() -> tuple[Any, Any] | None:
    """Find OpenBLAS's functions for the core and the number of threads; None: another BLAS."""
    for path in _files():
        try:
            loaded = ctypes.CDLL(path)  # which is there already
        except OSError:
            continue
        for name in NAMES:
            core = getattr(loaded, name.format("corename"), None)
            threads = getattr(loaded, name.format("num_threads"), None)
            if core and threads:
                core.restype, threads.restype = ctypes.c_char_p, ctypes.c_int
                return core, threads
    return None


def _wide_vectors() -> bool:
    """Say whether NumPy has found AVX-512; its builds name it in two ways."""
    found: Any = np.show_config(mode="dicts")
    vectors = found.get("SIMD Extensions", {})
    known = [*vectors.get("baseline", ()), *vectors.get("found", ())]
    return any(name.startswith(("AVX512", "X86_V4")) for name in known)


def _files() -> Iterator[str]:
    """List where OpenBLAS may be: in NumPy's wheel, else among what this process has mapped."""
    wheel = Path(np.__file__).parent
    for folder in (wheel.parent / "numpy.libs", wheel / ".dylibs"):
        yield from map(str, folder.glob("*openblas*"))
    with suppress(OSError):  # on another system than Linux
        yield from dict.fromkeys(MAPPED.findall(Path("/proc/self/maps").read_text("utf-8")))

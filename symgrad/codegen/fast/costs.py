"""What choices cost: the numbers that the fast style decides by, stated or measured.

The defaults are round numbers, so that the same program gives the same source on every machine.
`symgrad tune` measures them on the machine at hand and keeps them in the user's cache folder;
`sg.compile` takes those, `symgrad code` the defaults (docs/tuning.md).
"""

import json
import math
import os
import platform
import sys
import warnings
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from symgrad.errors import DataError, SymgradWarning
from symgrad.files import replace

VERSION = 3
VARIABLE = "SYMGRAD_COSTS"
LONGEST_FILE = 100_000  # bytes; a file of costs has about 2000
DTYPES = ("float64", "float32")
Pair = tuple[float, float]  # for float64, for float32


@dataclass(frozen=True, slots=True)
class Costs:
    """Hold what choices cost on a machine; the defaults are round numbers.

    Whole numbers are limits that generated modules carry as constants. The others are times:
    nanoseconds per call or per entry, and rates in GFLOP/s, each for float64 and for float32.

    >>> Costs().tile_bytes
    1572864
    """

    # Tiles of elementwise chains.
    tile_bytes: int = 1_572_864  # what the arrays of a tile take: 1.5 MiB
    untiled_bytes: int = 4_194_304  # arrays that take no more are not tiled: 4 MiB
    buffer_bytes: int = 524_288  # buffers of a loop that take no more are not tiled: 512 KiB
    shortest_tile: int = 8_192
    longest_tile: int = 65_536
    piece: int = 4_096  # entries that tiles are a multiple of
    # Products.
    small_product: int = 1_000_000
    turned_result: int = 1_200
    cut_float64: int = 0  # bytes of the operands of a wide product; see `wide`
    cut_float32: int = 0
    skinny_float64: int = 48  # more on some processors; see `wide`
    skinny_float32: int = 32
    near: int = 10_000
    short: int = 0  # see `wide`
    fewest_rows: int = 16
    fewest_terms: int = 64
    # Threads.
    threaded: int = 200_000
    blas_threads: int = 1  # with which the products were measured
    # Nanoseconds of a call on small arrays.
    call_ufunc: float = 250.0
    call_broadcast: float = 750.0  # a ufunc on a matrix and a row
    call_dot: float = 400.0  # a.dot(b, out)
    call_matmul: float = 800.0  # np.matmul(a, b, out)
    call_reduce: float = 900.0  # np.add.reduce(a, 0, None, out)
    # Nanoseconds per entry of arrays in the cache.
    add: Pair = (0.2, 0.1)
    multiply: Pair = (0.2, 0.1)
    divide: Pair = (0.6, 0.2)
    sqrt: Pair = (0.9, 0.2)
    square: Pair = (0.2, 0.1)
    maximum: Pair = (0.4, 0.3)
    greater: Pair = (0.1, 0.1)
    sign: Pair = (0.6, 0.5)
    exp: Pair = (0.7, 0.4)
    exp2: Pair = (0.7, 0.5)  # 0.3 or 0.9 from process to process: docs/tuning.md
    expm1: Pair = (1.1, 0.3)
    log: Pair = (0.9, 0.4)
    log1p: Pair = (1.1, 0.4)
    logaddexp: Pair = (20.0, 20.0)
    tanh: Pair = (1.3, 0.3)
    sin: Pair = (7.0, 0.5)
    power: Pair = (50.0, 50.0)  # a cube by np.power
    where: Pair = (3.0, 3.5)
    transpose: Pair = (0.7, 0.5)  # a transposing copy of (1024, 10)
    # GFLOP/s of products in one call.
    wide: Pair = (65.0, 130.0)  # (128, 784) @ (784, 512)
    skinny: Pair = (22.0, 47.0)  # (1024, 784) @ (784, 10)

    def constants(self, dtype: str) -> dict[str, int]:
        """Give the constants of a generated module of a float type, by name.

        >>> Costs().constants("float32")["SKINNY"]
        32
        """
        whole = {f.name.upper(): getattr(self, f.name) for f in fields(self) if f.type is int}
        kept = {k: v for k, v in whole.items() if not k.startswith(("SKINNY_", "CUT_", "BLAS_"))}
        chosen = {"SKINNY": f"SKINNY_{dtype.upper()}", "CUT_BYTES": f"CUT_{dtype.upper()}"}
        return kept | {name: whole[own] for name, own in chosen.items()}

    def entry(self, ufunc: str, dtype: str) -> float:
        """Give the nanoseconds that a ufunc takes per entry; of one that is not known, of exp.

        >>> Costs().entry("add", "float32"), Costs().entry("arctan", "float64")
        (0.1, 0.7)
        """
        found = getattr(self, ufunc) if ufunc in TIMED else self.exp
        return float(found[DTYPES.index(dtype)])


TIMED = tuple(f.name for f in fields(Costs) if f.type == Pair)[:-3]
DEFAULTS = Costs()


# -- the file ---------------------------------------------------------------------------------


def machine() -> str:
    """Name the processor that this runs on; costs of another one do not count."""
    return " ".join([platform.system(), platform.machine(), *processor("model name").split()])


@lru_cache(maxsize=4)
def processor(what: str) -> str:
    """Look up the `model name` of the processor, or its `vendor_id`; Windows has one for both."""
    found = os.environ.get("PROCESSOR_IDENTIFIER", "")
    with suppress(OSError, StopIteration, IndexError):
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
        found = next(x.split(":", 1)[1].strip() for x in lines if x.startswith(what))
    return found


def place() -> Path | None:
    """Say which file holds the costs; None: the defaults are asked for, or there is no home."""
    asked = os.environ.get(VARIABLE, "")
    if asked == "defaults":
        return None
    if asked:
        return Path(asked)
    if os.environ.get("XDG_CACHE_HOME"):
        cache = Path(os.environ["XDG_CACHE_HOME"])
    elif sys.platform == "win32":
        cache = Path(os.environ.get("LOCALAPPDATA") or os.environ.get("TEMP", "."))
    else:
        try:
            cache = Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
        except RuntimeError:
            return None
    return cache / "symgrad" / "costs.json"


def current() -> Costs:
    """Give the costs that were measured on this machine, else the defaults.

    A file that is damaged, or of another machine or version, is ignored with one warning.
    """
    path = place()
    return DEFAULTS if path is None else _current(path)


@lru_cache(maxsize=16)
def _current(path: Path) -> Costs:
    try:
        return load(path)
    except FileNotFoundError:
        if os.environ.get(VARIABLE):
            _ignored(f"there is no file {path}, which {VARIABLE} names")
    except (DataError, OSError) as error:
        _ignored(str(error))
    return DEFAULTS


def _ignored(why: str) -> None:
    warnings.warn(f"{why}: the default costs are used; `symgrad tune` measures them",
                  SymgradWarning, stacklevel=4)  # fmt: skip


def save(costs: Costs, path: Path) -> Path:
    """Write costs for this machine, whole or not at all; the folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"version": VERSION, "machine": machine(), "costs": asdict(costs)}
    replace(path, json.dumps(content, indent=1) + "\n")
    _current.cache_clear()
    return path


def reset(path: Path) -> bool:
    """Remove the file; say whether there was one."""
    found = path.exists()
    path.unlink(missing_ok=True)
    _current.cache_clear()
    return found


def load(path: Path) -> Costs:
    """Read costs; DataError if they are damaged, or of another machine or version."""
    with open(path, "rb") as file:
        raw = file.read(LONGEST_FILE + 1)
    try:
        content = json.loads(raw)
        version, where, given = content["version"], content["machine"], content["costs"]
        if version == VERSION and where == machine():
            return Costs(**{k: _read(k, v) for k, v in dict(given).items()})
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        raise DataError(f"the costs in {path} cannot be read") from None
    if version != VERSION:
        raise DataError(f"the costs in {path} are of another version of symgrad")
    raise DataError(f"the costs in {path} were measured on another machine")


def _read(name: str, value: Any) -> Any:
    """Check one number of a file: of the kind of its default, positive, and not absurd."""
    default = getattr(DEFAULTS, name, None)
    if isinstance(default, tuple):
        if not isinstance(value, list) or len(value) != 2:
            raise ValueError(name)
        return tuple(_number(float(v)) for v in value)
    if isinstance(default, int):
        least = 0 if name.startswith(("skinny", "cut", "short")) else 1
        if type(value) is not int or not least <= value <= 2**40:
            raise ValueError(name)
        return value
    if default is None or type(value) not in (int, float):
        raise ValueError(name)
    return _number(float(value))


def _number(value: float) -> float:
    if not (math.isfinite(value) and 0 < value < 1e9):
        raise ValueError(value)
    return value

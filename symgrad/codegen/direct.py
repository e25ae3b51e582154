"""Call a generated function without what its caller does at less cost: conversions and errstate.

A module stands alone, so it converts whatever it is given and turns NumPy's warnings off. For small
arrays that takes as long as some products. A compiled function knows the types before it calls, and
it keeps contexts in which the warnings are off: NumPy's state of errors is a context variable.
"""

import ctypes
import re
import sys
from collections.abc import Callable
from contextvars import Context
from functools import lru_cache
from typing import Any

import numpy as np

ERRSTATE = '@np.errstate(over="ignore")\n'
DECORATED = re.compile(r"^@np\.errstate\(.*\)\n", re.MULTILINE)  # functions that the module carries
END = '\n    """\n'  # of the docstring
ARRAY = re.compile(r"    (\w+) = np\.asarray\(\1, dtype=np\.(\w+)\)\n")
NUMBER = re.compile(r"    (\w+) = np\.\w+\(\1\)\n")
KEPT_ANYWAY, MOST_KEPT = 2**17, 31 * 2**20  # bytes
Run = Callable[..., Any]


def opened(source: str, name: str) -> tuple[str, dict[str, str]] | None:
    r"""Give a module without errstate and conversions of arrays, and their types by parameter.

    None: the function `name` of the module has no such head.

    >>> head = '@np.errstate(over="ignore")\ndef f(*, x, n):\n    \"\"\"Double.\n    \"\"\"\n'
    >>> body = "    x = np.asarray(x, dtype=np.float64)\n    n = np.int64(n)\n    return n*x\n"
    >>> text, types = opened(head + body, "f")
    >>> types, text.splitlines()[0]
    ({'x': 'float64'}, 'def f(x, n):')
    """
    head = f"{ERRSTATE}def {name}("
    start = source.find(head)
    end = source.find(END, start)
    if start < 0 or end < 0:
        return None
    place = end + len(END)
    types: dict[str, str] = {}
    signed = source[start + len(head) : place].removeprefix("*, ")
    kept = [DECORATED.sub("", source[:start]), f"def {name}(", signed]
    while True:
        if array := ARRAY.match(source, place):
            types[array[1]] = array[2]
            place = array.end()
        elif number := NUMBER.match(source, place):
            kept.append(number[0])
            place = number.end()
        else:
            return "".join([*kept, source[place:]]), types


def silent() -> Run:
    """Make a context in which NumPy warns of nothing; give what runs a function in it.

    >>> bool(np.isinf(silent()(np.exp, 1e3)))
    True
    """
    run: Run = Context().run
    run(np.seterr, all="ignore")
    return run


def keep_freed(size: int) -> None:
    """Have the C library keep freed memory of `size` bytes, so that the next call finds it there.

    glibc hands the end of its heap back to the system where more than 128 kB of it are free. The
    next call gets it anew, page by page, which took a third of the time of a deep network. One
    large block that is freed, though never touched, raises that limit to twice its size; blocks
    above 32 MB do not. The block is the library's own: no array, which would count as a call's.
    """
    if size > KEPT_ANYWAY and (library := _allocator()) is not None:
        library.free(library.malloc(min(size, MOST_KEPT)))


@lru_cache(maxsize=1)
def _allocator() -> ctypes.CDLL | None:
    """Give the C library, where it may be one that is told what to keep."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not (hasattr(library, "malloc") and hasattr(library, "free")):
        return None
    library.malloc.argtypes, library.malloc.restype = [ctypes.c_size_t], ctypes.c_void_p
    library.free.argtypes, library.free.restype = [ctypes.c_void_p], None
    return library


class Direct:
    """Call a function with NumPy's warnings off, after converting arrays to these types.

    One call at a time may run in a context. So a call takes one out of `idle` and puts it back;
    calls may overlap.
    """

    __slots__ = ("__wrapped__", "idle", "types")

    def __init__(self, function: Run, types: dict[str, str]) -> None:
        self.__wrapped__, self.idle = function, [silent()]
        self.types = {name: np.dtype(kind) for name, kind in types.items()}

    def quietly(self, function: Run, /, *values: Any, **named: Any) -> Any:
        """Call a function with NumPy's warnings off."""
        try:
            run = self.idle.pop()
        except IndexError:
            run = silent()
        try:
            return run(function, *values, **named)
        finally:
            self.idle.append(run)

    def __call__(self, /, **inputs: Any) -> Any:
        """Convert the arrays, then call the function."""
        return self.quietly(self._converted, inputs)

    def _converted(self, inputs: dict[str, Any]) -> Any:
        for name, kind in self.types.items():
            inputs[name] = np.asarray(inputs[name], dtype=kind)
        return self.__wrapped__(**inputs)

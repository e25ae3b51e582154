"""Functions that generated modules carry: tiles of rows, and narrow products in blocks.

How long a tile is and how many blocks a product has is said in `sizes`.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from symgrad.codegen.fast import pool, sizes
from symgrad.codegen.fast.costs import Costs

TILES = '''
def tiles(n, width, live, itemsize, *kinds, idle=None):
    """Cut n rows into tiles with buffers of these kinds; `live` arrays of `width` are touched.

    Buffers are made in the memory of arrays that are `idle` meanwhile, given by a kind's index.
    Of arrays by columns NumPy wants long pieces: it copies what is cut into short ones.
    """
    vectors = 2 * len([kind for kind in kinds if kind[0] == ()]) >= len(kinds)
    taken, filled, fewest = 0, 0, 1  # bytes a row
    for k, kind in zip(range(len(kinds)), kinds):
        if kind not in ("seat", "light") and len(kind) > 2 and k not in (idle or ()):
            entries, size = np.prod(kind[0], dtype=np.int64), np.empty((), kind[1]).itemsize
            if len(kind) == 3 or kind[0] == ():
                taken += entries * size
                fewest = max(fewest, PIECE // 2) if kind[2] else fewest
            elif entries < 256:  # of a constant a short tile is as good
                filled = max(filled, 4 * entries * size)
    taken = np.maximum(taken, filled).tolist()  # NumPy's numbers index slowly
    step = rows_per_tile(n, width, itemsize, live, vectors, "light" in kinds, taken, fewest)
    buffers = []
    for kind in [kind for kind in kinds if kind != "light"]:
        if kind == "seat":
            buffers.append(np.arange(step))
        elif len(kind) == 2:
            adds = kind[0] == "ones_or_none" and 256 < step == n
            buffers.append(None if adds else np.ones(step, kind[1]))
        else:
            shape, dtype, columns, *value = kind
            rows = 1 if value and np.prod(shape) >= 256 else step  # one long row serves for all
            room = idle[len(buffers)] if idle and len(buffers) in idle else None
            buffers.append(within(room, (rows, *shape), dtype, "F" if columns else "C"))
            if value:
                buffers[-1].fill(value[0])
    cut = []
    for i in range(0, max(n, 1), step):
        rest = max(n - i, 0)
        parts = buffers
        if rest < step:  # of those by columns the first entries, which lie side by side
            parts = [within(b, (rest, *b.shape[1:]), b.dtype, "F") if b.strides[0] == b.itemsize
                     and len(b) == step else b[:rest] for b in buffers]
        cut.append((slice(i, min(i + step, n)), *parts))
    return cut
'''
ALIGNED = '''
def aligned(shape, dtype, order="C"):
    """Make an array that begins where a line of the cache does, as the processor's vectors want."""
    room = np.empty(np.prod(shape, dtype=np.int64) * np.empty((), dtype).itemsize + 64, np.int8)
    if room.size < 4096:
        return np.empty(shape, dtype, order)
    start = -room.ctypes.data % 64
    return room[start : start + room.size - 64].view(dtype).reshape(shape, order=order)
'''
WITHIN = '''
def within(room, shape, dtype, order="C"):
    """Make an array in the memory of one that is idle meanwhile, if that is large enough."""
    size = np.prod(shape, dtype=np.int64)
    if room is None or room.size < size:
        return aligned(shape, dtype, order)
    return room.ravel(order="K")[:size].reshape(shape, order=order)
'''
WITH_ROWS = '''
def with_rows(cut, *arrays):
    """Add the rows of whole arrays to each tile."""
    found = []
    for rows, *buffers in cut:
        parts = [(a, a[rows]) for a in arrays]
        found.append((rows, *buffers, *[a if a.size == part.size else part for a, part in parts]))
    return found
'''
PRODUCT = '''
def product(a, b, out, block):
    """Multiply a @ b in blocks of rows and columns, for BLAS's kernels for small matrices."""
    if block == 1 and SKINNY:
        return np.matmul(a, b, out=out)
    if block == 1:  # without such kernels, what is stored by columns is copied rather than turned
        b = b if a.strides[0] > a.strides[1] else np.ascontiguousarray(b)
        if out.strides[0] > out.strides[1]:
            return np.matmul(a, b, out=out)
        np.copyto(out, a.dot(b))
        return out
    m, k = a.shape
    n, r, c = b.shape[1], block[0], block[1]
    rows = a.reshape(m // r, r, k)
    if out.strides[0] > out.strides[1]:
        columns = b.reshape(k, n // c, c).transpose(1, 0, 2)
        parts = out.reshape(m // r, r, n // c, c).transpose(2, 0, 1, 3)
        np.matmul(rows, columns[:, None], out=parts)
    else:  # by columns: the transposed product
        turned = out.T.reshape(n, m // r, r).transpose(1, 0, 2)
        np.matmul(np.ascontiguousarray(b.T), rows.transpose(0, 2, 1), out=turned)
    return out
'''
GRAM = '''
def gram(a, out):
    """Multiply a @ a.T. BLAS computes half of it, and NumPy copies that entry by entry to the rest.

    Where rows lie a power of two apart, that takes longer than a product with short rows.
    """
    n, k = a.shape
    if 2 * k > n or out.itemsize * n % 1024:
        return np.matmul(a, a.T, out=out)
    for rows in (slice(n // 2), slice(n // 2, n)):  # NumPy does not see what it multiplies
        np.matmul(a[rows], a.T, out=out[rows])
    return out
'''
TURNED = '''
def parts_of(k, n, terms, dtype, idle=None):
    """Make room for the sum of the products of `terms` blocks of rows."""
    return (terms, within(idle, (n, k), dtype)) if terms > 1 else None


def turned_product(a, b, out, parts, block):
    """Multiply a.T @ b; a narrow product as a sum over blocks of rows, else in blocks."""
    if parts is None:
        return product(a.T, b, out, block)
    terms, whole = parts
    part = out.ravel(order="K").reshape(whole.shape)  # out has room for one product till the end
    left = b.T.reshape(b.shape[1], terms, -1).transpose(1, 0, 2)
    right = a.reshape(terms, -1, a.shape[1])
    np.matmul(left[0], right[0], out=whole)
    for i in range(1, terms):
        np.add(whole, np.matmul(left[i], right[i], out=part), whole)
    np.copyto(out, whole.T)
    return out
'''
SELECT = '''
def select(c, a, b, out):
    """Take a where c holds, else b: by masks of bits, several times as fast as np.where."""
    if out.size < BRANCHES:
        np.copyto(out, np.where(c, a, b))
        return out
    if np.ndim(a) == 0 and 16 * np.count_nonzero(c) <= c.size:  # guards have little to do
        np.copyto(out, b)
        np.copyto(out, a, where=c)
        return out
    mask, bits = np.negative(c.view(np.int8)).astype(BITS), out.view(BITS)
    a, b = np.asarray(a, out.dtype).view(BITS), np.asarray(b, out.dtype).view(BITS)
    if a.size == b.size == 1:
        np.bitwise_and(mask, a ^ b, out=bits)
    else:
        np.bitwise_xor(a, b, out=bits)
        np.bitwise_and(bits, mask, out=bits)
    np.bitwise_xor(bits, b, out=bits)
    return out
'''
TOTAL = '''
def total(a):
    """Add all entries; a few by a product with ones, which starts sooner and is as accurate."""
    return ONES[: a.size].dot(a.ravel("K")) if a.size <= 1024 else np.add.reduce(a, axis=None)
'''
KEPT = '''
def kept(c, a, out, kept=True):
    """Take a where c is `kept`, else 0: by masks of bits, several times as fast as np.where."""
    if out.size < BRANCHES:
        np.copyto(out, np.where(c, a, 0) if kept else np.where(c, 0, a))
        return out
    ones = np.negative(c.view(np.int8)) if kept else np.subtract(c.view(np.int8), 1)
    np.bitwise_and(np.asarray(a, out.dtype).view(BITS), ones.astype(BITS), out=out.view(BITS))
    return out
'''
OWN = {"aligned": ALIGNED, "within": WITHIN, "tiles": TILES, "with_rows": WITH_ROWS,
       "product": PRODUCT, "gram": GRAM, "turned_product": TURNED, "select": SELECT,
       "kept": KEPT, "total": TOTAL,
       **pool.TEXTS}  # fmt: skip
NEEDS = {"tiles": ("rows_per_tile", "within", "aligned"), "within": ("aligned",),
         "turned_product": ("product", "within", "aligned")}  # fmt: skip
NARROW = "NARROW = {}  # columns up to which a matrix whose rows are reduced is stored by columns"

BRANCHES = "BRANCHES = 512  # entries up to which np.where is faster than masks"


def carried(names: list[str], costs: Costs, dtype: str) -> tuple[list[str], list[str]]:
    """Give the constants and the functions of a module that calls these functions."""
    wanted = dict.fromkeys(names)
    for name in names:
        wanted |= dict.fromkeys(NEEDS.get(name, ()))
    texts = [sizes.TEXTS[n] for n in sizes.TEXTS if n in wanted]
    texts += [OWN[n] for n in OWN if n in wanted]
    constants = sizes.assignments("\n".join(texts), costs.constants(dtype)).split("\n")
    if "select" in wanted or "kept" in wanted:
        constants += [f"BITS = np.int{dtype[-2:]}  # a number's bits", BRANCHES]
    if "total" in wanted:
        constants.append(
            f"ONES = np.ones(1024, np.{dtype})  # to add that many entries by a product"
        )
    if "NARROW" in wanted:  # distances of points are made by columns, too
        constants.append(NARROW.format(64 if "distances" in wanted else 32))
    return [c for c in constants if c], texts


def known(source: str) -> tuple[str, list[CodeType]]:
    """Give a module with stubs for the functions of this file, and what defines them.

    They are the same in every module: they need no check, and are compiled once in a process.

    >>> text, (code,) = known(f"{TOTAL}x = 2")
    >>> print(text)
    <BLANKLINE>
    def total():
        return
    x = 2
    """
    found = []
    for text in (*sizes.TEXTS.values(), *(t for name, t in OWN.items() if name not in pool.TEXTS)):
        if text in source:
            stub, code = _compiled(text)
            source = source.replace(text, stub)
            found.append(code)
    return source, found


@lru_cache(maxsize=64)
def _compiled(text: str) -> tuple[str, CodeType]:
    """Give a stub for the functions of a text, and the code that defines them."""
    names = re.findall(r"^def (\w+)", text, re.MULTILINE)
    stub = "".join(f"\ndef {name}():\n    return\n" for name in names)
    return stub, compile(text, "<symgrad>", "exec")


def executed(names: Iterable[str], costs: Costs, dtype: str = "float64") -> dict[str, Any]:
    """Give these functions as a module has them, to decide or to measure as it does.

    >>> executed(["rows_per_tile"], Costs())["rows_per_tile"](100, 3, 8, 5)
    100
    """
    constants, functions = carried(list(names), costs, dtype)
    space: dict[str, Any] = {"np": np}
    exec("\n".join([*constants, *functions]), space)
    return space

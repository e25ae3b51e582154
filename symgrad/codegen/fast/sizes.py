"""Functions that generated modules carry: how long a tile is, how many blocks a product has.

Sizes are known at run time only, so the text of these functions goes into the module, above it the
constants that they read: the fields of `Costs` of the same names (costs.constants). Which call
forms they choose between, and what was measured, is in docs/tuning.md.
"""

import re

WORD = re.compile(r"\w+")
ROWS_PER_TILE = '''
def rows_per_tile(n, width, itemsize, live, vectors=False, light=False, own=0, fewest=1):
    """Say how many of n rows make a tile, so that what it touches stays in the cache.

    `live` arrays of `width` entries a row are touched: buffers, inputs and results. If all their
    rows take little memory, and those of the loop's `own` buffers, bytes a row, still less, there
    is one tile. Many passes of `light` work had better find it near: half as much makes a tile, and
    less is cut. Beside a matrix most may be `vectors`: then a tile is up to twice as long, because
    a call on a short one costs more than its work. `fewest` rows make a tile at least.
    """
    small = n * width * itemsize * live <= (TILE_BYTES if light else UNTILED_BYTES)
    if n <= fewest or (small and n * own <= BUFFER_BYTES):
        return max(n, 1)
    most = TILE_BYTES // 2 if light else TILE_BYTES
    entries = min(most // (itemsize * live), BUFFER_BYTES * width // max(own, 1))
    entries = min(max(entries, SHORTEST_TILE), LONGEST_TILE)
    rows = max(entries // width, fewest)
    if vectors and width > 1:
        rows = max(rows, min(2 * rows, 2 * SHORTEST_TILE))
    rows = -(-n // -(-n // rows))  # tiles of nearly one length
    piece = max(PIECE // width, 1)
    return min(-(-rows // piece) * piece, n)
'''

PRODUCT_BLOCK = '''
def product_block(m, k, n, itemsize, turned=""):
    """Say into blocks of which size (m, k) @ (k, n) is cut for one np.matmul; 1: it is not cut.

    The blocks, (rows, k) @ (k, columns), are small enough for the kernels that BLAS has for small
    matrices. `turned` says what is stored by columns, where BLAS wants it by rows: the left or the
    right operand, or the result. For the last two the block's result must be small too.
    `itemsize` 0: only rows are cut.
    """
    work, most = m * k * n, SMALL_PRODUCT // max(k, 1)
    strict = turned in ("right", "result")
    if strict:
        most = min(most, TURNED_RESULT)
    slow = strict and itemsize == 8 and m * n > TURNED_RESULT and 5 * work > SMALL_PRODUCT
    few = 256 if turned == "right" and itemsize == 4 else 32
    if n < 2 or (work <= SMALL_PRODUCT and not slow) or (strict and k < few):
        return 1
    if 0 < (m + n) * k * itemsize <= CUT_BYTES and n >= 16:
        rows = [r for r in range(8, 129) if m % r == 0]
        columns = [c for c in range(16, 257) if n % c == 0]
        sizes = [(r, c) for r in rows for c in columns if 400 <= r * c <= most]
        if sizes:
            best = 32 if turned else 64
            _, c, r = max([(block_worth(r, c, best), c, r) for r, c in sizes])
            return r, c
    rows = most // n
    whole = n > SKINNY and (strict or not SKINNY or (k > SHORT and k * n > NEAR))
    if whole or work <= SMALL_PRODUCT or rows < FEWEST_ROWS:
        return 1
    first = -(-m // rows)
    for blocks in range(first, min(m // FEWEST_ROWS, 4 * first) + 1):
        if m % blocks == 0:
            return m // blocks, n
    return 1


def block_worth(rows, columns, wide):
    """Rate a block: large, neither flat nor narrow, no rest beside the processor's vectors."""
    whole = (0.8 if rows % 4 else 1) * (0.6 if columns % 4 else 1)
    return min(rows * columns, 2400) * min(rows, 32) * min(columns, wide) * whole
'''

SUM_BLOCKS = '''
def sum_blocks(m, k, n, itemsize, block):
    """Say into how many blocks of the m rows A.T @ D is cut, A (m, k) and D (m, n); 1: not at all.

    Each block gives a (k, n) partial sum; three must stay in the cache. Blocks of the result's
    rows and columns (`block`) need no sums, but each reads a strip of A from top to bottom: that is
    fast while A stays in the cache, if the strips are wide or end where lines of the cache do.
    """
    if block != 1:
        strip = block[0] * itemsize
        near = m * k * itemsize <= TILE_BYTES and (strip >= 256 or strip % 64 == 0)
        if near or (block[0] >= SKINNY and n <= 4):
            return 1
    if not 1 < n <= SKINNY or m * k * n <= SMALL_PRODUCT or 3 * k * n * itemsize > TILE_BYTES:
        return 1
    rows = SMALL_PRODUCT // (k * n)
    if rows < FEWEST_TERMS:
        return 1
    first = -(-m // rows)
    for blocks in range(first, min(m // FEWEST_TERMS, 4 * first) + 1):
        if m % blocks == 0:
            return blocks
    return 1
'''

TEXTS = {
    "rows_per_tile": ROWS_PER_TILE,
    "product_block": PRODUCT_BLOCK,
    "sum_blocks": SUM_BLOCKS,
}

NOTES = {
    "TILE_BYTES": "bytes that the arrays of one tile take, so that they stay in the cache",
    "UNTILED_BYTES": "bytes up to which arrays are not tiled",
    "BUFFER_BYTES": "bytes up to which what a loop alone holds is not tiled",
    "SHORTEST_TILE": "entries of a tile at least: calls cost too",
    "LONGEST_TILE": "entries of a tile at most",
    "PIECE": "entries that tiles are a multiple of",
    "SMALL_PRODUCT": "multiplications up to which BLAS takes its kernels for small matrices",
    "TURNED_RESULT": "entries of a product up to which it does so with a transposed operand",
    "CUT_BYTES": "bytes of operands up to which wide products are cut; 0: none, for BLAS's threads",
    "SKINNY": "columns up to which blocks of rows pay",
    "NEAR": "entries of a right operand up to which they do with more columns, too",
    "SHORT": "terms of a sum up to which they do; 0: none, for BLAS's threads",
    "FEWEST_ROWS": "rows of a block at least",
    "FEWEST_TERMS": "rows of a block at least, if partial sums have to be added",
    "THREADED": "entries from which ten passes over them are shared among threads",
}


def texts(*names: str) -> str:
    """Give the text of functions for a module, in a fixed order, whatever the order asked for.

    >>> print(texts("product_block").strip().splitlines()[0])
    def product_block(m, k, n, itemsize, turned=""):
    """
    return "\n".join(text for name, text in TEXTS.items() if name in names)


def constants_of(text: str) -> list[str]:
    """List the constants that a text reads.

    >>> constants_of(texts("rows_per_tile"))
    ['TILE_BYTES', 'UNTILED_BYTES', 'BUFFER_BYTES', 'SHORTEST_TILE', 'LONGEST_TILE', 'PIECE']
    """
    words = dict.fromkeys(WORD.findall(text))
    return [name for name in NOTES if name in words]


def assignments(text: str, constants: dict[str, int]) -> str:
    """Write the constants that a text reads, one to a line, with what they mean.

    >>> print(assignments("if n > SKINNY: ...", {"SKINNY": 128}))
    SKINNY = 128  # columns up to which blocks of rows pay
    """
    lines = [
        f"{name} = {_grouped(constants[name])}  # {NOTES[name]}" for name in constants_of(text)
    ]
    return "\n".join(lines)


def _grouped(number: int) -> str:
    return f"{number:_}" if number >= 10_000 else str(number)

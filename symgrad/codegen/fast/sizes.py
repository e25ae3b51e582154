"""Functions that generated modules carry: how long a tile is, how many blocks a product has.

Sizes are known at run time only, so the text of these functions goes into the module, above it the
constants that they read: the fields of `Costs` of the same names (costs.constants). Which call
forms they choose between, and what was measured, is in docs/tuning.md.
"""

import re

ROWS_PER_TILE = '''
def rows_per_tile(n, width, itemsize, live, vectors=False):
    """Say how many of n rows make a tile, so that what it touches stays in the cache.

    `live` arrays of `width` entries a row are touched: buffers, inputs and results. If all their
    rows take little memory, there is one tile. Beside a matrix most may be `vectors`: then a tile
    is up to twice as long, because a call on a short one costs more than its work.
    """
    if n * width * itemsize * live <= UNTILED_BYTES:
        return max(n, 1)
    entries = min(max(TILE_BYTES // (itemsize * live), SHORTEST_TILE), LONGEST_TILE)
    rows = max(entries // width, 1)
    if vectors and width > 1:
        rows = max(rows, min(2 * rows, 2 * SHORTEST_TILE))
    rows = -(-n // -(-n // rows))  # tiles of nearly one length
    piece = max(PIECE // width, 1)
    return min(-(-rows // piece) * piece, n)
'''

PRODUCT_BLOCKS = '''
def product_blocks(m, k, n, turned=False):
    """Say into how many blocks of rows (m, k) @ (k, n) is cut for one np.matmul; 1: it is not cut.

    The blocks are small enough for the kernels that BLAS has for small matrices. `turned` says
    that the result is written by columns: (n, k) @ (k, m/blocks), or that the right operand is
    stored by columns; the block's result must be small then too.
    """
    if not 1 < n <= SKINNY or m * k * n <= SMALL_PRODUCT or (turned and k < 32):
        return 1
    rows = SMALL_PRODUCT // (k * n)
    if turned:
        rows = min(rows, TURNED_RESULT // n)
    if rows < FEWEST_ROWS:
        return 1
    first = -(-m // rows)
    for blocks in range(first, min(m // FEWEST_ROWS, 4 * first) + 1):
        if m % blocks == 0:
            return blocks
    return 1
'''

SUM_BLOCKS = '''
def sum_blocks(m, k, n, itemsize):
    """Say into how many blocks of the m rows A.T @ D is cut, A (m, k) and D (m, n); 1: not at all.

    Each block gives a (k, n) partial sum; three must stay in the cache.
    """
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

INNER = '''
def inner(u, v):
    """Give the dot product of two vectors, in pieces that BLAS does not share among its threads.

    So it has the same bits with any number of them, and none is left waiting on another core.
    """
    whole = len(u) - len(u) % PIECE
    rest = u[whole:].dot(v[whole:])
    if whole == 0:
        return rest
    pieces = np.vecdot(u[:whole].reshape(-1, PIECE), v[:whole].reshape(-1, PIECE))
    return np.add.reduce(pieces) + rest
'''

TEXTS = {
    "rows_per_tile": ROWS_PER_TILE,
    "product_blocks": PRODUCT_BLOCKS,
    "sum_blocks": SUM_BLOCKS,
    "inner": INNER,
}

NOTES = {
    "TILE_BYTES": "bytes that the arrays of one tile take, so that they stay in the cache",
    "UNTILED_BYTES": "bytes up to which arrays are not tiled",
    "SHORTEST_TILE": "entries of a tile at least: calls cost too",
    "LONGEST_TILE": "entries of a tile at most",
    "PIECE": "entries that tiles are a multiple of, and that a dot product takes at once",
    "SMALL_PRODUCT": "multiplications up to which BLAS takes its kernels for small matrices",
    "TURNED_RESULT": "entries of a product up to which it does so with a transposed operand",
    "SKINNY": "columns up to which blocks of rows pay",
    "FEWEST_ROWS": "rows of a block at least",
    "FEWEST_TERMS": "rows of a block at least, if partial sums have to be added",
    "THREADED": "entries from which ten passes over them are shared among threads",
}


def texts(*names: str) -> str:
    """Give the text of functions for a module, in a fixed order, whatever the order asked for.

    >>> print(texts("product_blocks").strip().splitlines()[0])
    def product_blocks(m, k, n, turned=False):
    """
    return "\n".join(text for name, text in TEXTS.items() if name in names)


def constants_of(text: str) -> list[str]:
    """List the constants that a text reads.

    >>> constants_of(texts("rows_per_tile"))
    ['TILE_BYTES', 'UNTILED_BYTES', 'SHORTEST_TILE', 'LONGEST_TILE', 'PIECE']
    """
    return [name for name in NOTES if re.search(rf"\b{name}\b", text)]


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

"""Functions that generated modules carry: how rows are cut into tiles, products into blocks."""

TILE = '''
TILE = 16384  # numbers of a tile: its buffers stay in the second-level cache
NARROW = 32  # up to so many columns a matrix is stored by columns, where its rows are reduced
'''
TILES = '''
def tiles(n, row, *kinds):
    """Cut n rows, for which `row` numbers are buffered each, into tiles that stay in the cache."""
    step = max(1, 4 * TILE // row) if n * row > 8 * TILE else max(n, 1)
    buffers = []
    for kind in kinds:
        if kind is None:
            buffers.append(np.arange(step))
        else:
            shape, dtype, columns = kind
            buffers.append(np.empty((step, *shape), dtype, order="F" if columns else "C"))
    cut = []
    for i in range(0, n, step):
        cut.append((slice(i, min(i + step, n)), *[b[: min(step, n - i)] for b in buffers]))
    return cut
'''
TEXTS = {"tiles": TILES}

"""Squares of the distances of all pairs of points, and their slopes: rows that code is written in.

|x|² + |y|² - 2 xᵀy takes one product of matrices, but loses the digits of pairs that are near beside
the size of the cloud. Those are computed from their differences; the others keep theirs.
"""

from symgrad.ops.spec import register

# Points are taken from their mean. With s = |x|² + |y|² the product's error is some eps times s: few
# eps of a distance above s/16. Where many pairs are near, all are differences, coordinate by
# coordinate; so they are where there are few coordinates or points, or some that are not finite, and
# with accurate=True. A difference x 1 + 1 (-y) is exact to its last digit as a product of matrices
# too, which is faster than a broadcast.
DIFFERENCES = '''
def differences(x, y):
    """x_i - y_j, as a product of matrices: for that NumPy is faster than for broadcasting."""
    left, right = np.ones((len(x), 2), x.dtype), np.ones((2, len(y)), x.dtype)
    left[:, 0], right[1] = x, -y
    return left @ right
'''
SQUARES = '''
def add_squares(x, y, found):
    """Fill an array with |x_i - y_j|**2, from the differences, which are products of matrices."""
    left, right = np.ones((*x.T.shape, 2), x.dtype), np.ones((y.shape[1], 2, len(y)), x.dtype)
    left[..., 0], right[:, 1] = x.T, -y.T
    step = 65536 // len(y) + 1  # some rows, so that they stay in the cache
    room = np.empty((min(step, len(x)), len(y)), x.dtype)
    for k in range(0, len(x), step):
        part = found[k : k + step]
        for j in range(x.shape[1]):
            d = room[: len(part)] if j else part
            np.matmul(left[j, k : k + step], right[j], out=d)
            d *= d
            if j:
                part += d
    return found
'''
SQUARE_DISTANCES = (
    SQUARES
    + '''

def square_distances(x, y=None, exact=False):
    """|x_i - y_j|**2 by one product of matrices; of near points from their differences."""
    y, n = x if y is None else y, x.shape[1]
    if x.size * len(y) <= 8192:
        d = x[:, None] - y
        return np.einsum("nmd,nmd->nm", d, d)
    if len(y) <= 32 < len(x):  # short rows: NumPy is faster along columns
        found = np.empty((len(y), len(x)), x.dtype)
        for k in range(0, len(x), 16384):
            fill_distances(y, x[k : k + 16384], exact, found[:, k : k + 16384])
        return found.T
    return fill_distances(x, y, exact, np.empty((len(x), len(y)), x.dtype))


def fill_distances(x, y, exact, found):
    """Fill an array with |x_i - y_j|**2."""
    n, products = x.shape[1], x.shape[1] > 3 and not exact
    few = len(x) <= 32  # long rows, one after the other: their sums are no array as large
    if products:
        cloud = x if len(x) > len(y) else y
        centre = np.full(len(cloud), 1 / len(cloud), x.dtype) @ cloud
        a = np.ones((len(x), n + 2), x.dtype)
        b = np.ones((n + 2, len(y)), x.dtype, order="C" if few else "F")
        np.subtract(x, centre, out=a[:, :n])
        np.subtract(y.T, centre[:, None], out=b[:n])
        p = a[:, n] = np.einsum("nd,nd->n", a[:, :n], a[:, :n])
        q = b[n + 1] = np.einsum("dn,dn->n", b[:n], b[:n])
        products = np.max(p) + np.max(q) < np.inf
        a[:, :n] *= -2
        p, q = p[:, None] / 16, q / 16
    if not products:
        return add_squares(x, y, found)
    step = 131072 // len(y) + 1
    for k in range(0, len(x), step):
        rows, part = x[k : k + step], found[k : k + step]
        np.matmul(a[k : k + step], b, out=part)
        if few:
            near = np.flatnonzero(np.stack([d < e + q for d, e in zip(part, p[k : k + step])]))
        else:
            near = np.flatnonzero(part < p[k : k + step] + q)
        if 16 * near.size <= part.size + 16 * len(rows):
            i, j = near // len(y), near % len(y)
            d = rows[i] - y[j]
            part[i, j] = np.einsum("nd,nd->n", d, d)
        else:
            add_squares(rows, y, part)
    return found
'''
)
# Squares that overflow or vanish are those of the differences over their largest coordinate.
LENGTHS = '''
def lengths(x, y=None, exact=False):
    """|x_i - y_j|, also where its square overflows or vanishes."""
    y, found = x if y is None else y, square_distances(x, y, exact)
    np.sqrt(found, out=found)
    limits = np.finfo(x.dtype)
    bad = found <= 1e6 * limits.tiny**0.5
    if not np.max(found, initial=0) < limits.max**0.5:
        bad |= ~(found < limits.max**0.5)
    bad = np.flatnonzero(bad)
    if bad.size:
        i, j = bad // len(y), bad % len(y)
        d = x[i] - y[j]
        top = np.max(np.abs(d), axis=1, keepdims=True, initial=0)
        top = np.where((top > 0) & (top < np.inf), top, 1).astype(x.dtype)
        found[i, j] = top[:, 0] * np.sqrt(np.einsum("nd,nd->n", d / top, d / top))
    return found
'''
# The bound is what the product may lose, over 32 eps. Rows where that is more than the largest sum
# of all have their differences weighted one by one; with accurate=True all have. A few columns are
# multiplied one by one: BLAS has a way of its own for vectors, and none for narrow matrices.
PULLS = '''
def pulls(weight, x, y=None, exact=False):
    """sum_j weight_ij (x_i - y_j) by a product of matrices, where its digits suffice.

    Without y these are the points x, and weight_ij + weight_ji.
    """
    if y is None:
        both = np.array(weight.T, order="C")  # a sum with a transpose takes longer than a copy
        both += weight
        weight, y = both, x
        weight.ravel()[:: len(x) + 1] = 0
    if x.size * len(y) <= 8192:
        return np.einsum("nm,nmd->nd", weight, x[:, None] - y)
    n, rows = x.shape[1], np.arange(len(x))
    found = np.empty(x.shape, x.dtype)
    if not exact:
        centre = np.full(len(x), 1 / len(x), x.dtype) @ x
        a, b = x - centre, np.ones((n + 1, len(y)), x.dtype)
        np.subtract(y.T, centre[:, None], out=b[:n])
        found = np.stack([weight @ c for c in b], axis=1) if n < 8 else weight @ b.T
        total = found[:, n:]
        found = total * a - found[:, :n]
        most = np.sqrt(np.einsum("nm,nm->n", weight, weight))[:, None]
        bound = (np.abs(total) * np.max(np.abs(a)) + most * np.max(np.abs(b))) / 32
        largest = np.max(np.abs(found))
        rows = np.flatnonzero(~(bound[:, 0] <= largest))
    if rows.size:
        w = weight[rows]
        for k in range(n):
            found[rows, k] = np.einsum("nm,nm->n", w, differences(x[rows, k], y[:, k]))
    return found
'''

# fmt: off
register("differences", 2, hidden=True, shape="n, m -> n m", formula="unsqueeze(a, 1) - b",
         numpy="differences({a}, {b})", helper=DIFFERENCES, portable="({a:40}[:, None] - {b:21})", plain="{a:40}ᵢ − {b:40}ⱼ", glyph="x-y", doc="The differences of all numbers of a to all of b.", source="elementary")
register("square_distances", 2, hidden=True, shape="n d, m d -> n m", formula="sum((unsqueeze(a, 2) - b)**2, 2)", vjp=("2*pulls(g, a, b)", "2*pulls(g.T, b, a)"),
         numpy="square_distances({a}, {b})", precise="square_distances({a}, {b}, exact=True)", precise_helper=SQUARE_DISTANCES, helper=SQUARE_DISTANCES, portable="np.sum(({a:40}[:, None] - {b:21}) ** 2, axis=2)", plain="‖{a:40}ᵢ − {b:40}ⱼ‖²", glyph=r"\|x-y\|^2", range="[0, inf)", doc="Squares of the distances of all points of a to all of b.", source="Euclid")
register("own_distances", hidden=True, shape="n d -> n n", formula="sum((unsqueeze(a, 2) - a)**2, 2)", vjp=("2*own_pulls(g, a)",),
         numpy="square_distances({a})", precise="square_distances({a}, exact=True)", precise_helper=SQUARE_DISTANCES, helper=SQUARE_DISTANCES, portable="np.sum(({a:40}[:, None] - {a:21}) ** 2, axis=2)", plain="‖{a:40}ᵢ − {a:40}ⱼ‖²", glyph=r"\|x-x\|^2", range="[0, inf)", doc="Squares of the distances of all pairs of points.", source="Euclid")
register("lengths", 2, hidden=True, shape="n d, m d -> n m", formula="norm(unsqueeze(a, 2) - b, 2)", vjp=("pulls(over(g, y), a, b)", "pulls(over(g, y).T, b, a)"),
         numpy="lengths({a}, {b})", precise="lengths({a}, {b}, exact=True)", precise_helper=LENGTHS, helper=LENGTHS, portable="np.sqrt(np.sum(({a:40}[:, None] - {b:21}) ** 2, axis=2))", plain="‖{a:40}ᵢ − {b:40}ⱼ‖", glyph=r"\|x-y\|", range="[0, inf)", kinks="points that coincide: derivative 0", doc="Distances of all points of a to all of b.", source="Euclid")
register("own_lengths", hidden=True, shape="n d -> n n", formula="norm(unsqueeze(a, 2) - a, 2)", vjp=("own_pulls(over(g, y), a)",),
         numpy="lengths({a})", precise="lengths({a}, exact=True)", precise_helper=LENGTHS, helper=LENGTHS, portable="np.sqrt(np.sum(({a:40}[:, None] - {a:21}) ** 2, axis=2))", plain="‖{a:40}ᵢ − {a:40}ⱼ‖", glyph=r"\|x-x\|", range="[0, inf)", kinks="points that coincide: derivative 0", doc="Distances of all pairs of points.", source="Euclid")
register("pulls", 3, hidden=True, shape="n m, n d, m d -> n d", formula="sum(unsqueeze(a, 1)*(unsqueeze(b, 2) - c), 1)",
         numpy="pulls({a}, {b}, {c})", precise="pulls({a}, {b}, {c}, exact=True)", precise_helper=PULLS, helper=PULLS, portable="np.sum({a:40}[:, :, None] * ({b:40}[:, None] - {c:21}), axis=1)", plain="Σⱼ({a:40}ᵢⱼ({b:40}ᵢ − {c:40}ⱼ))", glyph=r"\Sigma w(x-y)", doc="The weighted sum of the differences of each point of b to all points of c.", source="Euclid")
register("own_pulls", 2, hidden=True, shape="n n, n d -> n d", formula="pulls(a + a.T, b, b)",
         numpy="pulls({a}, {b})", precise="pulls({a}, {b}, exact=True)", precise_helper=PULLS, helper=PULLS, portable="np.sum(({a:10} + {a:40}.T)[:, :, None] * ({b:40}[:, None] - {b:21}), axis=1)", plain="Σⱼ(({a:40} + {a:40}ᵀ)ᵢⱼ({b:40}ᵢ − {b:40}ⱼ))", glyph=r"\Sigma w(x-x)", doc="The weighted sum of the differences of each point to all others, both ways.", source="Euclid")
# fmt: on

"""Squares of the distances of all pairs of points, and their slopes: rows that code is written in.

|x|² + |y|² - 2 xᵀy takes one product of matrices, but loses the digits of pairs that are near beside
the size of the cloud. Those are computed from their differences; the others keep theirs.
"""

from symgrad.ops.spec import register

# Points are taken from their mean. With s = |x|² + |y|² the product's error is some eps times s: few
# eps of a distance above s/16. Where many pairs are near, all are differences, coordinate by
# coordinate; so they are where there are few coordinates or points, or some that are not finite. A
# difference x 1 + 1 (-y) is exact to its last digit as a product of matrices too, which is faster.
DIFFERENCES = '''
def differences(x, y):
    """x_i - y_j, as a product of matrices: for that NumPy is faster than for broadcasting."""
    left, right = np.ones((len(x), 2), x.dtype), np.ones((2, len(y)), x.dtype)
    left[:, 0], right[1] = x, -y
    return left @ right
'''
SQUARE_DISTANCES = '''
def square_distances(x, y=None):
    """|x_i - y_j|**2 by one product of matrices; of near points from their differences."""
    y, n = x if y is None else y, x.shape[1]
    if x.size * len(y) <= 8192:
        d = x[:, None] - y
        return np.einsum("nmd,nmd->nm", d, d)
    products, few, found = n > 3, False, np.empty((len(x), len(y)), x.dtype)
    if products:
        centre = np.full(len(x), 1 / len(x), x.dtype) @ x
        a, b = np.ones((len(x), n + 2), x.dtype), np.ones((len(y), n + 2), x.dtype)
        a[:, :n], b[:, :n] = x - centre, y - centre
        p = a[:, n] = np.einsum("nd,nd->n", a[:, :n], a[:, :n])
        q = b[:, n + 1] = np.einsum("nd,nd->n", b[:, :n], b[:, :n])
        products = np.max(p) + np.max(q) < np.inf
        b[:, :n] *= -2
        p, q = p[:, None] / 16, q / 16
    step = (131072 if products else 16384) // len(y) + 1
    for k in range(0, len(x), step):  # some rows, so that they stay in the cache
        rows, part = x[k : k + step], found[k : k + step]
        if products:
            np.matmul(a[k : k + step], b.T, out=part)
            near = np.flatnonzero(part < p[k : k + step] + q)
            few = 16 * near.size <= part.size + 16 * len(rows)
        if few:
            d = rows[near // len(y)] - y[near % len(y)]
            part.ravel()[near] = np.einsum("nd,nd->n", d, d)
        else:
            part.fill(0)
            for u, v in zip(rows.T, y.T):
                d = differences(u, v)
                d *= d
                part += d
    return found
'''
# The bound is what the product may lose, over 32 eps. Rows where that is more than the largest sum
# of all have their differences weighted one by one.
PULLS = '''
def pulls(weight, x, y=None):
    """sum_j weight_ij (x_i - y_j) by a product of matrices, where its digits suffice.

    Without y these are the points x, and weight_ij + weight_ji.
    """
    if y is None:
        weight, y = weight + weight.T, x
        weight.ravel()[:: len(x) + 1] = 0
    if x.size * len(y) <= 8192:
        return np.einsum("nm,nmd->nd", weight, x[:, None] - y)
    n, centre = x.shape[1], np.full(len(x), 1 / len(x), x.dtype) @ x
    a, b = x - centre, np.ones((len(y), n + 1), x.dtype)
    b[:, :n] = y - centre
    found = weight @ b
    total = found[:, n:]
    found = total * a - found[:, :n]
    most = np.sqrt(np.einsum("nm,nm->n", weight, weight))[:, None]
    bound = (np.abs(total) * np.max(np.abs(a)) + most * np.max(np.abs(b))) / 32
    largest = np.max(np.abs(found))
    if not np.max(bound) <= largest:
        rows = np.flatnonzero(~(bound[:, 0] <= largest))
        w = weight[rows]
        for k in range(n):
            found[rows, k] = np.einsum("nm,nm->n", w, differences(x[rows, k], y[:, k]))
    return found
'''

# fmt: off
register("differences", 2, hidden=True, shape="n, m -> n m", formula="unsqueeze(a, 1) - b",
         numpy="differences({a}, {b})", helper=DIFFERENCES, portable="({a:40}[:, None] - {b:21})", plain="{a:40}ᵢ − {b:40}ⱼ", glyph="x-y", doc="The differences of all numbers of a to all of b.", source="elementary")
register("square_distances", 2, hidden=True, shape="n d, m d -> n m", formula="sum((unsqueeze(a, 2) - b)**2, 2)", vjp=("2*pulls(g, a, b)", "2*pulls(g.T, b, a)"),
         numpy="square_distances({a}, {b})", helper=SQUARE_DISTANCES, portable="np.sum(({a:40}[:, None] - {b:21}) ** 2, axis=2)", plain="‖{a:40}ᵢ − {b:40}ⱼ‖²", glyph=r"\|x-y\|^2", range="[0, inf)", doc="Squares of the distances of all points of a to all of b.", source="Euclid")
register("own_distances", hidden=True, shape="n d -> n n", formula="sum((unsqueeze(a, 2) - a)**2, 2)", vjp=("2*own_pulls(g, a)",),
         numpy="square_distances({a})", helper=SQUARE_DISTANCES, portable="np.sum(({a:40}[:, None] - {a:21}) ** 2, axis=2)", plain="‖{a:40}ᵢ − {a:40}ⱼ‖²", glyph=r"\|x-x\|^2", range="[0, inf)", doc="Squares of the distances of all pairs of points.", source="Euclid")
register("pulls", 3, hidden=True, shape="n m, n d, m d -> n d", formula="sum(unsqueeze(a, 1)*(unsqueeze(b, 2) - c), 1)",
         numpy="pulls({a}, {b}, {c})", helper=PULLS, portable="np.sum({a:40}[:, :, None] * ({b:40}[:, None] - {c:21}), axis=1)", plain="Σⱼ({a:40}ᵢⱼ({b:40}ᵢ − {c:40}ⱼ))", glyph=r"\Sigma w(x-y)", doc="The weighted sum of the differences of each point of b to all points of c.", source="Euclid")
register("own_pulls", 2, hidden=True, shape="n n, n d -> n d", formula="pulls(a + a.T, b, b)",
         numpy="pulls({a}, {b})", helper=PULLS, portable="np.sum(({a:10} + {a:40}.T)[:, :, None] * ({b:40}[:, None] - {b:21}), axis=1)", plain="Σⱼ(({a:40} + {a:40}ᵀ)ᵢⱼ({b:40}ᵢ − {b:40}ⱼ))", glyph=r"\Sigma w(x-x)", doc="The weighted sum of the differences of each point to all others, both ways.", source="Euclid")
# fmt: on

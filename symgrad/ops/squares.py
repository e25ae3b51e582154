"""Weighted squares of the distances of all pairs of points, and their slopes, for code.

sum_k w_k (x_ik - y_jk)²: weights of the coordinates are shared, or each point y_j has its own. The
slopes in them are sums of squares of differences, which need no stack of these either.
"""

from symgrad.ops.spec import register

# What products of matrices may lose, over eps, has to be small beside the sum, or beside that of
# the terms without their signs, as for `pulls`. Where it is not, rows take their differences.
MOMENTS = '''
def moments(weight, x, y, exact=False):
    """sum_j weight_ij (x_i - y_j)**p for p = 1, 2, by products where their digits suffice."""
    if x.size * len(y) <= 16384 or not x.size:
        found, d = np.empty((2, *x.shape), x.dtype), differences(x, y)
        np.einsum("dnm,nm->nd", d, weight, out=found[0])
        d *= d
        np.einsum("dnm,nm->nd", d, weight, out=found[1])
        return found
    if exact:
        return add_moments(weight, x, y, range(len(x)), np.empty((2, *x.shape), x.dtype))
    centre = np.full(len(x), 1 / len(x), x.dtype) @ x
    a = x - centre
    found, bounds, most = products_of_moments(weight, a, y, centre)
    largest = 32 * np.max(np.abs(found), axis=1, keepdims=True)
    least = 4 * np.abs(found[1]) / (np.abs(a) + most)
    rows = bounds > largest
    rows[0] &= bounds[0] > least
    rows = np.flatnonzero(np.any(rows, axis=(0, 2)))
    if rows.size:
        added, whole, _ = products_of_moments(np.abs(weight[rows]), a[rows], y, centre)
        near = bounds[0, rows] <= 4 * added[1] / (np.abs(a[rows]) + most)
        near |= bounds[0, rows] <= largest[0]
        near &= (whole[1] <= 8 * added[1]) | (bounds[1, rows] <= 32 * np.abs(found[1, rows]))
        rows = rows[~np.all(near, axis=1)]
    return add_moments(weight, x, y, rows, found)


def products_of_moments(weight, a, y, centre):
    """sum_j weight_ij (a_i - b_j)**p by products, what may be lost, over eps; the largest |b|."""
    n, m, d = *weight.shape, a.shape[1]
    once, twice = np.zeros((n, d), a.dtype), np.zeros((n, d), a.dtype)
    total, size = np.zeros(n, a.dtype), 0
    step = min(max(500000 // (n * d), 64), m)  # for BLAS's kernels for small matrices
    points, most = np.empty((2, step, d), a.dtype), np.zeros((step, d), a.dtype)
    ones = np.ones(step, a.dtype)
    for k in range(0, m, step):
        w = weight[:, k : k + step]
        b, squares = points[:, : m - k]
        np.subtract(y[k : k + step], centre, out=b)
        np.multiply(b, b, out=squares)
        np.maximum(most[: m - k], squares, out=most[: m - k])
        once += w @ b
        twice += w @ squares
        total += w @ ones[: m - k]
        w = w.ravel("K")
        size += np.vdot(w, w)
    most = np.max(most, axis=0) ** 0.5
    found = np.empty((2, n, d), a.dtype)
    np.multiply(total[:, None], a, out=found[0])
    bounds, size = np.abs(found), size**0.5 * most
    bounds[1] = (bounds[0] + 2 * np.abs(once) + size) * np.abs(a) + np.abs(twice) + size * most
    bounds[0] += size
    found[0] -= once
    np.subtract(found[0], once, out=found[1])
    found[1] *= a
    found[1] += twice
    return found, bounds, most


def add_moments(weight, x, y, rows, found):
    """Fill some rows with sum_j weight_ij (x_i - y_j)**p, from the differences."""
    step = 65536 // len(y) + 1  # some rows, so that they stay in the cache
    for i in range(0, len(rows), step):
        some = rows[i : i + step]
        w = weight[some]
        for k in range(x.shape[1]):
            d = differences(x[some, k], y[:, k])
            found[0, some, k] = np.einsum("nm,nm->n", w, d)
            d *= d
            found[1, some, k] = np.einsum("nm,nm->n", w, d)
    return found
'''
SQUARE_SUMS = '''
def square_sums(weight, x, y=None, exact=False):
    """sum_ij weight_ij (x_i - y_j)**2 of each coordinate, by a product where its digits suffice."""
    y = x if y is None else y
    if x.size * len(y) <= 16384 or not x.size:
        d = differences(x, y)
        d *= d
        return d.reshape(len(d), -1) @ np.ascontiguousarray(weight).ravel()
    found, left = np.empty(x.shape[1], x.dtype), range(x.shape[1])
    if not exact:
        centre = np.full(len(x), 1 / len(x), x.dtype) @ x
        a = x - centre
        b = a if y is x else y - centre
        found, bound = square_sums_of(weight, a, b)
        good = bound <= 32 * np.abs(found)
        if not np.all(good):
            added, bound = square_sums_of(np.abs(weight), a, b)
            good |= bound <= 8 * added
        left = np.flatnonzero(~good)
    step = 65536 // len(y) + 1  # some rows, so that they stay in the cache
    for k in left:
        found[k] = 0
        for i in range(0, len(x), step):
            d = differences(x[i : i + step, k], y[:, k])
            d *= d
            found[k] += np.einsum("nm,nm->", weight[i : i + step], d)
    return found


def square_sums_of(weight, x, y):
    """sum_ij weight_ij (x_i - y_j)**2 by a product of matrices, and what may be lost, over eps."""
    rows, columns = weight @ np.ones(len(y), x.dtype), np.ones(len(x), x.dtype) @ weight
    pairs = 2 * np.einsum("nd,nd->d", x, add_products(weight, y))
    first, second = x * x, y * y
    found = rows @ first + columns @ second - pairs
    return found, np.abs(rows) @ first + np.abs(columns) @ second + np.abs(pairs)
'''
WEIGHTED_PULLS = '''
def weighted_pulls(weight, x, y, by, exact=False):
    """sum_j weight_ij by_j (x_i - y_j) by products of matrices, where their digits suffice."""
    if x.size * len(y) <= 256 or not x.size:
        return np.einsum("nm,nmd->nd", weight, by * (x[:, None] - y))
    rows, found = np.arange(len(x)), np.empty(x.shape, x.dtype)
    if not exact:
        centre = np.full(len(x), 1 / len(x), x.dtype) @ x
        a, b = x - centre, y - centre
        total = add_products(weight, by)
        found = total * a
        bound = np.abs(found)
        b *= by
        found -= add_products(weight, b)
        w = weight.ravel("K")
        bound += np.vdot(w, w) ** 0.5 * np.max(np.abs(b), axis=0)
        rows = np.flatnonzero(~np.all(bound <= 32 * np.max(np.abs(found)), axis=1))
    step = 65536 // len(y) + 1  # some rows, so that they stay in the cache
    for i in range(0, len(rows), step):
        some = rows[i : i + step]
        w = weight[some]
        for k in range(x.shape[1]):
            d = differences(x[some, k], y[:, k])
            d *= by[:, k]
            found[some, k] = np.einsum("nm,nm->n", w, d)
    return found
'''

# fmt: off
register("weighted_distances", 3, hidden=True, shape="n d, m d, m d -> n m", formula="sum(c*(unsqueeze(a, 2) - b)**2, 2)", vjp=("2*weighted_pulls(g, a, b, c)", "2*c*pulls(g.T, b, a)", "square_pulls(g.T, b, a)"),
         numpy="square_distances({a}, {b}, {c})", precise="square_distances({a}, {b}, {c}, exact=True)", portable="np.sum({c:21} * ({a:40}[:, None] - {b:21}) ** 2, axis=2)", plain="Σₖ({c:40}ⱼ({a:40}ᵢ − {b:40}ⱼ)²)", glyph=r"\|x-y\|^2", doc="Squares of the distances of all points of a to all of b, whose coordinates have weights c.", source="Mahalanobis")
register("scaled_distances", 3, hidden=True, shape="n d, m d, d -> n m", formula="sum(c*(unsqueeze(a, 2) - b)**2, 2)", vjp=("2*c*pulls(g, a, b)", "2*c*pulls(g.T, b, a)", "square_sums(g, a, b)"),
         numpy="square_distances({a}, {b}, {c})", precise="square_distances({a}, {b}, {c}, exact=True)", portable="np.sum({c:21} * ({a:40}[:, None] - {b:21}) ** 2, axis=2)", plain="Σₖ({c:40}({a:40}ᵢ − {b:40}ⱼ)²)", glyph=r"\|x-y\|^2", doc="Squares of the distances of all points of a to all of b, with weights c of the coordinates.", source="Mahalanobis")
register("own_scaled_distances", 2, hidden=True, shape="n d, d -> n n", formula="sum(b*(unsqueeze(a, 2) - a)**2, 2)", vjp=("2*b*own_pulls(g, a)", "own_square_sums(g, a)"),
         numpy="square_distances({a}, None, {b})", precise="square_distances({a}, None, {b}, exact=True)", portable="np.sum({b:21} * ({a:40}[:, None] - {a:21}) ** 2, axis=2)", plain="Σₖ({b:40}({a:40}ᵢ − {a:40}ⱼ)²)", glyph=r"\|x-x\|^2", doc="Squares of the distances of all pairs of points, with weights b of the coordinates.", source="Mahalanobis")
register("weighted_pulls", 4, hidden=True, shape="n m, n d, m d, m d -> n d", formula="sum(unsqueeze(a, 1)*d*(unsqueeze(b, 2) - c), 1)",
         numpy="weighted_pulls({a}, {b}, {c}, {d})", precise="weighted_pulls({a}, {b}, {c}, {d}, exact=True)", precise_helper=WEIGHTED_PULLS, helper=WEIGHTED_PULLS, portable="np.sum({a:40}[:, :, None] * {d:21} * ({b:40}[:, None] - {c:21}), axis=1)", plain="Σⱼ({a:40}ᵢⱼ {d:40}ⱼ({b:40}ᵢ − {c:40}ⱼ))", glyph=r"\Sigma w(x-y)", doc="The weighted sum of the differences of each point of b to all points of c, whose coordinates have weights d.", source="Mahalanobis")
register("square_pulls", 3, hidden=True, shape="n m, n d, m d -> n d", formula="sum(unsqueeze(a, 1)*(unsqueeze(b, 2) - c)**2, 1)",
         numpy="moments({a}, {b}, {c})[1]", precise="moments({a}, {b}, {c}, exact=True)[1]", portable="np.sum({a:40}[:, :, None] * ({b:40}[:, None] - {c:21}) ** 2, axis=1)", plain="Σⱼ({a:40}ᵢⱼ({b:40}ᵢ − {c:40}ⱼ)²)", glyph=r"\Sigma w(x-y)^2", doc="The weighted sum of the squares of the differences of each point of b to all points of c.", source="Mahalanobis")
register("moments", 3, hidden=True, shape=lambda shapes, params, bind: (2, *shapes[1]), formula="stack((pulls(a, b, c), square_pulls(a, b, c)))",
         numpy="moments({a}, {b}, {c})", precise="moments({a}, {b}, {c}, exact=True)", precise_helper=MOMENTS, helper=MOMENTS, portable="np.stack([np.sum({a:40}[:, :, None] * ({b:40}[:, None] - {c:21}) ** p, axis=1) for p in (1, 2)])", plain="Σⱼ({a:40}ᵢⱼ({b:40}ᵢ − {c:40}ⱼ)ᵖ)", glyph=r"\Sigma w(x-y)^p", doc="The weighted sums of the differences of each point of b to all points of c, and of their squares.", source="Mahalanobis")
register("square_sums", 3, hidden=True, shape="n m, n d, m d -> d", formula="sum(sum(unsqueeze(a, 1)*(unsqueeze(b, 2) - c)**2, 1), 0)",
         numpy="square_sums({a}, {b}, {c})", precise="square_sums({a}, {b}, {c}, exact=True)", precise_helper=SQUARE_SUMS, helper=SQUARE_SUMS, portable="np.sum({a:40}[:, :, None] * ({b:40}[:, None] - {c:21}) ** 2, axis=(0, 1))", plain="Σᵢⱼ({a:40}ᵢⱼ({b:40}ᵢ − {c:40}ⱼ)²)", glyph=r"\Sigma w(x-y)^2", doc="The weighted sum of the squares of all differences of points of b and c, of each coordinate.", source="Mahalanobis")
register("own_square_sums", 2, hidden=True, shape="n n, n d -> d", formula="square_sums(a, b, b)",
         numpy="square_sums({a}, {b})", precise="square_sums({a}, {b}, exact=True)", precise_helper=SQUARE_SUMS, helper=SQUARE_SUMS, portable="np.sum({a:40}[:, :, None] * ({b:40}[:, None] - {b:21}) ** 2, axis=(0, 1))", plain="Σᵢⱼ({a:40}ᵢⱼ({b:40}ᵢ − {b:40}ⱼ)²)", glyph=r"\Sigma w(x-x)^2", doc="The weighted sum of the squares of the differences of all pairs of points, of each coordinate.", source="Mahalanobis")
# fmt: on

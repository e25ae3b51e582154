"""Squares of the distances of all pairs of points, and their slopes: rows that code is written in.

|x|² + |y|² - 2 xᵀy takes one product of matrices, but loses the digits of pairs that are near beside
the size of the cloud. Those are computed from their differences; the others keep theirs.
"""

from symgrad.ops.spec import register

# The product's error is some eps times s = |x|² + |y|². A distance of at least 3/16 |x|² is more than
# s/17: few eps of it. Points that are far from 0, beside how they are spread, are taken from a mean.
# Where many pairs are near, all are differences, coordinate by coordinate; so they are where there
# are few coordinates or points, or some that are not finite, and with accurate=True. A difference
# x 1 + 1 (-y) is exact to its last digit as a product of matrices too, which is faster than a
# broadcast. BLAS has kernels of its own for products of up to a million multiplications.
DIFFERENCES = '''
def differences(x, y):
    """x_i - y_j; many as a product of matrices: for that NumPy is faster than for broadcasting.

    Of points their coordinates come first.
    """
    if x.ndim == 1 and len(x) * len(y) <= 2048:
        return x[:, None] - y
    if x.ndim > 1 and x.size * len(y) <= 4096:  # else the result would lie as its operands do
        return np.subtract(x.T[..., None], y.T[:, None], order="C")
    left, right = np.ones((*x.T.shape, 2), x.dtype), np.ones((*y.T.shape[:-1], 2, len(y)), x.dtype)
    left[..., 0], right[..., 1, :] = x.T, -y.T
    return left @ right
'''
SQUARES = '''
def add_squares(x, y, weights, found):
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
            if weights is not None:
                d *= weights[k : k + step, :, j] if len(weights) > 1 else weights[..., j]
            if j:
                part += d
    return found
'''
# Weights belong to the coordinates, or to those of one of the two points: then w x² is no number
# for each point any more, but a part of the product: sum_k w_jk (x_ik² - 2 x_ik y_jk) + |y_j|².
SQUARE_DISTANCES = (
    SQUARES
    + '''

def square_distances(x, y=None, weights=None, exact=False):
    """|x_i - y_j|**2 by one product of matrices; of near points from their differences.

    Squares may have weights: of the coordinates, or of those of each y_j.
    """
    y = x if y is None else y
    if x.size * len(y) <= 256 or not x.size:
        d = x[:, None] - y
        return np.einsum("nmd,nmd->nm", d, d if weights is None else d * weights)
    if x.size * len(y) <= 16384:
        return few_distances(x, y, weights)
    turned = None
    if weights is not None:
        weights = weights.reshape(1, -1, x.shape[1])
        turned = weights.transpose(1, 0, 2)
    if len(y) <= 64 < len(x):  # short rows: NumPy is faster along columns
        return fill_distances(y, x, turned, exact).T
    return fill_distances(x, y, weights, exact)


def few_distances(x, y, weights):
    """|x_i - y_j|**2 from all differences at once."""
    if len(y) < len(x):  # rows had better be long
        d = differences(y, x)
        d *= d
        if weights is not None:
            d *= weights.T[..., None] if weights.ndim > 1 else weights[:, None, None]
        return np.add.reduce(d, axis=0).T
    d = differences(x, y)
    d *= d
    if weights is not None:
        d *= weights.T[:, None] if weights.ndim > 1 else weights[:, None, None]
    return np.add.reduce(d, axis=0)


def fill_distances(x, y, weights, exact):
    """Make an array of |x_i - y_j|**2."""
    (m, n), found = y.shape, np.empty((len(x), len(y)), x.dtype)
    if n <= 3 or exact:
        return add_squares(x, y, weights, found)
    some = y[:: m // 64 + 1]
    centre = np.ones(len(some), x.dtype) @ some / len(some)
    far = 4 * len(some) * (centre @ centre) > np.vdot(some, some)
    turned, some = weights is not None and weights.shape[1] > 1, weights
    entries = max(min(131072, 1000000 // n), 8192)  # they stay in the cache
    width = max(entries // len(x), 4096)  # NumPy copies what is cut into shorter pieces
    for k in range(0, m, width):
        columns = slice(k, k + width)
        b = y[columns] - centre if far else y[columns]
        if turned:
            some = weights[:, columns]
            b, limit = with_lengths(b, some[0])
        step = max(entries // len(b), 64)
        for i in range(0, len(x), step):
            rows = slice(i, i + step)
            a, part = x[rows] - centre if far else x[rows], found[rows, columns]
            if turned:
                a = with_squares(a, some[0])
            else:
                if weights is not None and len(weights) > 1:
                    some = weights[rows]
                a, limit = with_lengths(a, None if some is None else some[:, 0])
                limit = limit[:, None]
                if not i:
                    b = with_squares(b, None if some is None else some[:, 0])
            if not np.vdot(a, a) + np.vdot(b, b) < np.inf:
                return add_squares(x, y, weights, found)
            np.matmul(a, b.T, out=part)
            correct_near(x[rows], y[columns], some, part < limit, part)
    return found


def with_lengths(x, weights):
    """A matrix whose product with one of others' squares has |x_i - y_j|**2; what is near."""
    n, w = x.shape[1], 1 if weights is None else weights
    own = n if weights is not None and len(weights) > 1 else 1
    found = np.ones((len(x), own + n + 1), x.dtype)
    once = np.multiply(x, w, out=found[:, own:-1])
    np.einsum("nd,nd->n", once, x, out=found[:, -1])
    limit = found[:, -1]
    if weights is not None:
        limit = np.einsum("nd,nd->n", np.abs(once), np.abs(x))
    if own == n:
        found[:, :n] = w
    once *= -2
    return found, 3 / 16 * limit


def with_squares(x, weights):
    """A matrix with points, and ones; before them their squares, or |x_i|**2."""
    n = x.shape[1]
    own = n if weights is not None and len(weights) > 1 else 1
    found = np.ones((len(x), own + n + 1), x.dtype)
    found[:, own:-1] = x
    if own == n:
        np.multiply(x, x, out=found[:, :n])
    elif weights is None:
        np.einsum("nd,nd->n", x, x, out=found[:, 0])
    else:
        np.matmul(x * x, weights[0], out=found[:, 0])
    return found


def correct_near(x, y, weights, near, found):
    """Take |x_i - y_j|**2 from differences for pairs that are near, or for all, where many are."""
    near = np.flatnonzero(near)
    if 16 * near.size > found.size + 16 * len(found):
        add_squares(x, y, weights, found)
    elif near.size:
        i, j = near // len(y), near % len(y)
        d = x[i] - y[j]
        w = 1 if weights is None else weights[i * (len(weights) > 1), j * (weights.shape[1] > 1)]
        found[i, j] = np.einsum("nd,nd->n", d, d * w)
'''
)
# Squares that overflow or vanish are those of the differences over their largest coordinate.
LENGTHS = '''
def lengths(x, y=None, exact=False):
    """|x_i - y_j|, also where its square overflows or vanishes."""
    own, found = y is None, square_distances(x, y, None, exact)
    np.sqrt(found, out=found)
    limits, y = np.finfo(x.dtype), x if own else y
    bad = found <= 1e6 * limits.tiny**0.5
    if own:  # each point is at no distance from itself
        bad.ravel()[:: len(x) + 1] = False
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
ADD_PRODUCTS = '''
def add_products(weight, y):
    """weight @ y in blocks, for BLAS's kernels for small matrices."""
    n, m = weight.shape
    if weight.size * y.shape[1] <= 1000000:
        return weight @ y
    if n > m:
        found = np.empty((n, y.shape[1]), y.dtype)
        step = max(1000000 // y.size, 16)
        for k in range(0, n, step):
            np.matmul(weight[k : k + step], y, out=found[k : k + step])
        return found
    step = max(1000000 // (n * y.shape[1]), 64)
    found = weight[:, :step] @ y[:step]
    for k in range(step, m, step):
        found += weight[:, k : k + step] @ y[k : k + step]
    return found
'''
# The bound is what the product may lose, over eps, of each coordinate: it has to be small beside the
# largest sum of all, or beside what is added up, which is at least sum_j |w_ij| (x_i - y_j)² over the
# largest difference. Where it is not, the points are taken from their mean; then the rows for which
# that does not suffice have their differences weighted one by one, as all have with accurate=True.
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
    if x.size * len(y) <= 256 or not x.size:
        return np.einsum("nm,nmd->nd", weight, x[:, None] - y)
    if x.size * len(y) <= 16384:
        return np.einsum("dnm,nm->nd", differences(x, y), weight)
    n, rows = x.shape[1], slice(None)
    found = np.empty(x.shape, x.dtype)
    if not exact and (n > 3 or weight.size > 4096):
        found, total = pulled(weight, x, y)
        w, largest = weight.ravel("K"), np.max(np.abs(found))
        if np.max(lost(np.vdot(w, w) ** 0.5, total, x, y)) <= 32 * largest:
            return found
        norms = np.vecdot(weight, weight)[:, None] ** 0.5 * len(y) ** 0.25  # of each row
        if np.max(lost(norms, total, x, y)) <= 32 * largest:
            return found
        centre = np.full(len(x), 1 / len(x), x.dtype) @ x
        a, b = x - centre, y - centre
        found, total = pulled(weight, a, b)
        largest, bound = np.max(np.abs(found)), lost(norms, total, a, b, 0)
        rows = np.flatnonzero(~np.all(bound <= 32 * largest, axis=1))
        if rows.size:
            w, a, bound = np.abs(weight[rows]), a[rows], bound[rows]
            added = np.sum(w, axis=1)[:, None] * a - 2 * add_products(w, b)
            added = added * a + add_products(w, b * b)
            most = 4 * added / (np.abs(a) + np.max(np.abs(b), axis=0))
            rows = rows[~np.all(bound <= np.fmax(most, 32 * largest), axis=1)]
        if not rows.size:
            return found
    w = weight[rows]
    for k in range(n):
        found[rows, k] = np.einsum("nm,nm->n", w, differences(x[rows, k], y[:, k]))
    return found


def pulled(weight, x, y):
    """sum_j weight_ij (x_i - y_j) by a product of matrices, and the sums of weights."""
    total = (weight @ np.ones(len(y), x.dtype))[:, None]
    found = total * x
    found -= add_products(weight, y)
    return found, total


def lost(norms, total, x, y, axis=None):
    """Say how many eps such a product may lose, from the lengths of rows of weights."""
    return np.max(np.abs(x), axis=axis) * np.abs(total) + norms * np.max(np.abs(y), axis=axis)
'''

# fmt: off
register("differences", 2, hidden=True, shape="n, m -> n m", formula="unsqueeze(a, 1) - b",
         numpy="differences({a}, {b})", helper=DIFFERENCES, portable="({a:40}[:, None] - {b:21})", plain="{a:40}ᵢ − {b:40}ⱼ", glyph="x-y", doc="The differences of all numbers of a to all of b.", source="elementary")
register("add_products", 2, hidden=True, shape="n m, m d -> n d", formula="a @ b",
         numpy="add_products({a}, {b})", helper=ADD_PRODUCTS, portable="({a:40} @ {b:40})", plain="{a:40} {b:40}", glyph="@", doc="The product of two matrices, in blocks.", source="elementary")
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

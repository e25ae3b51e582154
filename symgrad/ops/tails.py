"""The normal distribution, its density and its tails: texts of helpers, and fitted polynomials.

The helpers keep their digits everywhere; `central` is for code of style fast.
"""

ERF = '''
def erf(x):
    """Error function: a polynomial below 1, else by the normal tail (Chebyshev fits, 2 ulp)."""
    x = np.asarray(x)
    z = np.abs(x).astype(np.float64)
    small = np.minimum(z, 1.0)
    square, series = small * small, np.zeros_like(z)
    for c in (
        5.958930743134941e-11, -1.1373902296430911e-09, 1.4660051998394848e-08, -1.6350354461959655e-07,
        1.6461004480962034e-06, -1.4925595519506043e-05, 0.00012055331122299266, -0.0008548326981129666,
        0.005223977624823223, -0.026866170645077334, 0.11283791670954882, -0.3761263890318375,
        1.1283791670955126,
    ):
        series *= square
        series += c
    far = 1 - 2 * normal_cdf(-1.4142135623730951 * z)
    series *= small
    result = np.copysign(np.where(z < 1.0, series, far), x)
    return result.astype(np.result_type(x, np.float16))[()]
'''
RATIO = """\
        -6.27237179431624e-11, -3.41202444335322e-10, 1.0108053307347566e-09, 4.019816201698014e-09,
        -1.099535881860809e-08, -2.499188414956264e-08, 1.0570159663589242e-07, 6.13892267973531e-08,
        -8.841924251605747e-07, 1.0676802592142638e-06, 4.888505411825196e-06, -2.0867958177110496e-05,
        1.7285742101897285e-05, 0.0001318639373689991, -0.000688621774320831, 0.001922203344594533,
        -0.0036418914027929045, 0.004400428225205397, -0.0007788002426443298, -0.012462072762916465,
        0.0406816353025913, -0.08627942657878487, 0.14564291801290033, -0.20822209576278977,
        0.5182345145955748,"""
NORMAL_CDF = f'''
def normal_cdf(x):
    """Distribution function of the standard normal: density times Mills ratio, also in the tails."""
    x = np.asarray(x)
    z = np.minimum(np.abs(x), 40.0).astype(np.float64)
    t = z - 6
    t /= z + 6
    ratio = np.zeros_like(t)
    for c in (  # (z + 2) tail(z)/exp(-z*z/2), fitted by Chebyshev polynomials in t
{RATIO}
    ):
        ratio *= t
        ratio += c
    ratio /= z + 2
    high = z + 6442450944.0
    high -= 6442450944.0  # a multiple of 2**-20, so its square is exact
    rest = high - z
    rest *= 0.5 * (high + z)
    ratio *= np.exp(rest)
    high *= -0.5 * high
    ratio *= np.exp(high)
    return np.abs((x > 0) - ratio).astype(np.result_type(x, np.float16))[()]
'''
NORMAL_TAIL = f'''
def normal_tail(x):
    """(1 - Phi(x))/exp(-x*x/2) for x >= 0, to the last digits however large x is."""
    t = 1 - 12 / (x + 6)
    ratio = 0 * t
    for c in (  # (x + 2) times it, fitted by Chebyshev polynomials in t
{RATIO}
    ):
        ratio *= t
        ratio += c
    return ratio / (x + 2)
'''
NORMAL_PDF = '''
def normal_pdf(x):
    """Density of the standard normal; the square in the exponent keeps all its digits."""
    x = np.asarray(x)
    if x.dtype == np.float32:
        result = 0.3989422804014327 * np.exp(-0.5 * np.square(x.astype(np.float64)))
        return result.astype(np.float32)
    x = np.clip(x, -40.0, 40.0)
    high = (x + 6442450944.0) - 6442450944.0  # a multiple of 2**-20, so its square is exact
    tail = np.exp(-0.5 * high * high) * np.exp(0.5 * (high - x) * (high + x))
    return 0.3989422804014327 * tail
'''
GAUSSIAN = '''
def gaussian(x):
    """exp(-x*x); the square in the exponent keeps all its digits."""
    x = np.asarray(x)
    if x.dtype == np.float32:
        return np.exp(-np.square(x.astype(np.float64))).astype(np.float32)
    x = np.clip(x, -28.0, 28.0)
    high = (x + 6442450944.0) - 6442450944.0  # a multiple of 2**-20, so its square is exact
    return np.exp(-high * high) * np.exp((high - x) * (high + x))
'''
# fmt: off
TAIL = (
    0.7691930499787083, -0.6653824956979536, 0.495305710090739, -0.31353247587474065,
    0.16502336313211904, -0.06911055643037309, 0.0208065187231649, -0.002995317055682054,
    -0.0008433850988659125, 0.00044237351073959566, -0.00018608086740839802,
    -0.00014438375689710705, -2.2031263366655947e-05,
)  # of (|x| + 5) tail(x)/exp(-x*x/2) in 1 - 10/(|x| + 5): 5e-16 after the exponential
TAIL32 = (
    0.7444018814214803, -0.565723916102271, 0.3148395613543753, -0.11655299554348404,
    0.018959771619832765, 0.010478242344225818,
)  # the same with 3.5 for 5, to 4e-8
FAR32 = (
    0.538435137096931, -0.2350098529957152, 0.1470990175350704,
    -0.0708810741911071, 0.02145619442610873, 0.0011193935964129518,
    -0.006186990587810184, 0.004156074122804426, -0.0014415491933157173,
    0.00011955771812305243, 0.00010933324457776027, -3.295919337916425e-05,
)  # of (x + 2) tail(x)/exp(-x*x/2) in 1 - 10/(x + 5), to 5e-9 of it
FAR = tuple(map(float, RATIO.strip(" ,").split(",")[::-1]))  # the same in 1 - 12/(x + 6)
NEAR = (
    1.1283791670955126, -0.37612638903183543, 0.11283791670945006, -0.02686617064323777,
    0.0052239776071164225, -0.0008548325975389692, 0.00012055294904839707, -1.492473690741966e-05,
    1.6447424703317362e-06, -1.6208483801871705e-07, 1.3720064546777686e-08, -7.795898827002142e-10,
)  # of erf(x)/x in x*x, for |x| <= 1: 8e-18
NEAR32 = (
    1.1283791658483509, -0.37612626666720334, 0.11283594715160218, -0.026854212010626412,
    0.005189087423433974, -0.000801686428716587, 7.875875062685488e-05,
)  # the same to 1.3e-9
# fmt: on


def signed(near: tuple[float, ...], terms: tuple[float, ...], c: float) -> str:
    """Write the error function: by a series below 1, which is odd, else by the normal tail.

    >>> signed((1.1, -0.4), (0.7, 0.1), 5.0)[:40]
    'where(abs(a) < 1, a*(-0.4*minimum(a*a, 1'
    """
    series = repr(near[-1])
    for term in near[-2::-1]:
        series = f"({series}*minimum(a*a, 1) + {term!r})"
    far = _ratio(terms, c, "1.4142135623730951*abs(a)")
    return f"where(abs(a) < 1, a*{series}, sign(a)*(1 - 2*(exp(-(a*a))*{far})))"


def central(terms: tuple[float, ...], c: float) -> str:
    """Write the normal distribution function by its tail, a polynomial, which keeps its digits.

    >>> central((0.7, 0.1), 5.0)[:26]
    'abs((a > 0) - exp(-0.5*(a*'
    """
    return f"abs((a > 0) - exp(-0.5*(a*a))*{_ratio(terms, c, 'abs(a)')})"


def far(terms: tuple[float, ...], c: float) -> str:
    """Write the tail over exp(-x*x/2), for x >= 0, to a relative error.

    >>> far((0.7, 0.1), 5.0)
    '((1/(a + 2.0))*(0.1*(1 - 10.0*(1/(a + 5.0))) + 0.7))'
    """
    return _ratio(terms, c, "a", 2.0)


def _ratio(terms: tuple[float, ...], c: float, size: str, near: float | None = None) -> str:
    """Write the tail over exp(-x*x/2), a polynomial, for x of this size."""
    place = f"(1 - {2 * c}*(1/({size} + {c})))"
    tail = repr(terms[-1])
    for term in terms[-2::-1]:
        tail = f"({tail}*{place} + {term!r})"
    return f"((1/({size} + {near or c}))*{tail})"

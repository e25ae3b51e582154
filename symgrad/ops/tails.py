"""The tail of the normal distribution for code of style fast: fitted by Chebyshev polynomials."""

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
# fmt: on


def central(terms: tuple[float, ...], c: float) -> str:
    """Write the normal distribution function with absolute digits, its tail by a polynomial.

    >>> central((0.7, 0.1), 5.0)[:32]
    '0.5 + sign(a)*(0.5 - exp(-0.5*(a'
    """
    place = f"(1 - {2 * c}*(1/(abs(a) + {c})))"
    tail = repr(terms[-1])
    for term in terms[-2::-1]:
        tail = f"({tail}*{place} + {term!r})"
    return f"0.5 + sign(a)*(0.5 - exp(-0.5*(a*a))*((1/(abs(a) + {c}))*{tail}))"

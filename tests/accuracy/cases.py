"""Formulas as users type them, at ordinary and at extreme points.

A case is a text and its points. What is true there, mpmath says (symgrad.autodiff.exact); how good
the answer has to be, judge.py says. All ordinary points are exact in float32 as well.
"""

# ruff: noqa: E501 (formulas stand as they are typed)

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from symgrad.ops import OPS
from symgrad.ops.spec import bounds

Point = Mapping[str, Any]


@dataclass(frozen=True)
class Case:
    """Hold a program, the points to try it at, and what excuses it from the rule.

    `slack` multiplies what is allowed (where the problem itself is ill-conditioned), `dtypes` are
    those in which it can be posed at all, `normwise` measures a gradient by its largest entry
    (where the others are small differences of large terms).
    """

    text: str
    points: tuple[Point, ...]
    slack: float = 1
    dtypes: tuple[str, ...] = ("float64", "float32")
    normwise: bool = False


CASES: list[Case] = []

ORDINARY = (0.25, -0.5, 1.0, -1.0, 2.5, -5.0)
FAR = (20.0, -20.0, 40.0, -40.0, 100.0, -100.0, 745.0, -745.0, 1000.0, -1000.0, 1e4, -1e4)
TINY = (1e-20, -1e-20, 1e-300)
LINE = (*ORDINARY, 0.0, *FAR, *TINY)
HUGE = (*LINE, 1e300, -1e300)
SMOOTH = tuple(v for v in HUGE if v)  # without the kink at 0
POSITIVE = (0.25, 1.0, 2.5, 5.0, 20.0, 100.0, 1000.0, 1e4, 1e-20, 1e-300, 1e300)
INSIDE = (0.25, 0.5, 0.875, 1e-20, 1e-300)  # probabilities
SIGNED = tuple(product((0.5, -5.0, 20.0, -40.0, 1000.0, -1000.0, 1e4, -1e4), (1.0, -1.0)))
TARGETS = tuple(product((0.5, -5.0, 0.0, 40.0, -40.0, 1000.0, -1000.0, 1e4), (0.0, 1.0, 0.25)))
PAIRS = (
    (0.5, 1.0), (-5.0, 2.5), (0.0, 0.0), (40.0, -40.0), (745.0, 1000.0), (1000.0, 1000.0),
    (1e4, -1e4), (-1e4, -1e4), (-1e4, 1e4), (1e-20, 0.0),
)  # fmt: skip
TRIPLES = (
    (0.5, 1.0, -2.0), (0.0, 0.0, 0.0), (1000.0, 999.0, -1000.0), (-1e4, -1e4, -9999.0),
    (1e4, 0.0, 1e4), (-745.0, 745.0, 0.0),
)  # fmt: skip
SCORES = (
    [0.5, 1.0, -2.0], [3.25, 5.0, -1.75], [0.0, 0.0, 0.0], [1e4, 0.0, -1e4], [1e4, 1e4, 1e4],
    [-1e4, -1e4, -9999.0], [745.0, -745.0, 0.0], [300.0, -600.0, 150.0], [1e-20, 0.0, 1.0],
)  # fmt: skip
TABLES = (
    [[0.5, 1.0, -2.0], [0.25, 0.0, 3.0]],
    [[1e4, 0.0, -1e4], [-1e4, -1e4, -9999.0]],
    [[745.0, -745.0, 0.0], [300.0, -600.0, 150.0]],
    [[0.0, 0.0, 0.0], [1e4, 1e4, 1e4]],
)
HARD, SOFT = [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], [[0.125, 0.5, 0.375], [0.25, 0.25, 0.5]]


def add(text: str, points: Iterable[Point], **options: Any) -> None:
    """Add a case, or further points to one that is there."""
    fresh = Case(text, tuple(points), **options)
    for k, case in enumerate(CASES):
        if replace(case, points=()) == replace(fresh, points=()):
            added = tuple(p for p in fresh.points if p not in case.points)
            CASES[k] = replace(case, points=case.points + added)
            return
    CASES.append(fresh)


def line(texts: str, at: Sequence[float] = LINE, **options: Any) -> None:
    """Add functions of x, one a line."""
    for text in texts.strip().splitlines():
        add(text.strip(), [{"x": v} for v in at], **options)


def several(names: str, texts: str, at: Iterable[Sequence[float]], **options: Any) -> None:
    """Add functions of several scalars, one a line; `;` separates statements."""
    points = [dict(zip(names.split(), values, strict=True)) for values in at]
    for text in texts.strip().splitlines():
        add(text.strip(), points, **options)


def programs(head: str, texts: str, points: Iterable[Point], **options: Any) -> None:
    """Add programs over declared arrays: the declarations, then one text a line."""
    listed = list(points)
    for text in texts.strip().splitlines():
        add(f"{head}; {text.strip()}", listed, **options)


# -- hazards 1, 2: sigmoid, its logarithm, softplus -------------------------------------------

line("""
    log(1/(1+exp(-x)))
    log(sigmoid(x))
    -log(1+exp(-x))
    -log(sigmoid(x))
    log(exp(x)/(1+exp(x)))
    log(exp(x)/(exp(x)+1))
    log(1) - log(1+exp(-x))
    x - log(1+exp(x))
    logsigmoid(x)
    log(1+exp(x))
    log(exp(x)+1)
    log1p(exp(x))
    log(1+exp(-x))
    log1p(exp(-x))
    -log(1-sigmoid(x))
    -log(1-1/(1+exp(-x)))
    log(1-sigmoid(x))
    log(1-1/(1+exp(-x)))
    log(1/(1+exp(x)))
    -log(1/(exp(x)+1))
    log(2+exp(x))
    log(0.5+0.5*exp(x))
    log(1+exp(2*x))/2
    log(1+exp(5*x))/5
    softplus(x)
    max(x,0)+log(1+exp(-abs(x)))
    log(1+exp(x))**2
    exp(-log(1+exp(-x)))
    y = 1/(1+exp(-x)); log(y)
    y = sigmoid(x); -log(1-y)
    e = exp(-x); log(1/(1+e))
    s = 1+exp(x); log(s)
    log(sigmoid(x)) - log(1-sigmoid(x))
    p = sigmoid(x); log(p/(1-p))
    p = 1/(1+exp(-x)); log(p/(1-p))
    p = sigmoid(x); -(p*log(p)+(1-p)*log(1-p))
    p = 1/(1+exp(-x)); -p*log(p)-(1-p)*log(1-p)
    -log(sigmoid(x)*sigmoid(-x))
    log(sigmoid(x)**2)
    log(sqrt(sigmoid(x)))
    log(1+exp(-x)) + log(1+exp(x))
    log2(1+exp(x))
    log(1+exp(x))/log(2)
""")  # fmt: skip
line("""
    sigmoid(x)
    1/(1+exp(-x))
    1/(exp(-x)+1)
    (1+exp(-x))**-1
    exp(x)/(1+exp(x))
    exp(x)/(exp(x)+1)
    1-1/(1+exp(x))
    1 - sigmoid(-x)
    1 - sigmoid(x)
    0.5*(1+tanh(x/2))
    (tanh(x/2)+1)/2
    1/(1+1/exp(x))
    sigmoid(x)*(1-sigmoid(x))
    s = sigmoid(x); s*(1-s)
    exp(-x)/(1+exp(-x))**2
    exp(x)/(1+exp(x))**2
    sigmoid(x)**2
    1/(1+exp(-x))**2
    x*sigmoid(x)
    x/(1+exp(-x))
    x*exp(x)/(1+exp(x))
    silu(x)
    sigmoid(2*x)*2 - 1
    2/(1+exp(-2*x)) - 1
    2*sigmoid(x) - 1
    1/(1+exp(-5*x))
    1/(1+2*exp(-x))
    1/(2+exp(x))
    sigmoid(-x)
    1/(1+exp(x))
    sigmoid(sigmoid(x))
    1/(1+exp(-x**2))
    1/(1+exp(-x**3))
""")  # fmt: skip

# -- hyperbolic functions, tails (hazards 14, 15, 18) ------------------------------------------

line("""
    tanh(x)
    (exp(x)-exp(-x))/(exp(x)+exp(-x))
    (exp(2*x)-1)/(exp(2*x)+1)
    (1-exp(-2*x))/(1+exp(-2*x))
    1-2/(exp(2*x)+1)
    sinh(x)/cosh(x)
    1-tanh(x)**2
    t = tanh(x); 1 - t**2
    t = tanh(x); (1-t)*(1+t)
    1/cosh(x)
    1/cosh(x)**2
    2/(exp(x)+exp(-x))
    (2/(exp(x)+exp(-x)))**2
    log(cosh(x))
    log((exp(x)+exp(-x))/2)
    log(exp(x)+exp(-x))
    log(2*cosh(x))
    x*tanh(x)
    x*tanh(log(1+exp(x)))
    x*tanh(softplus(x))
    mish(x)
    x*tanh(log1p(exp(x)))
    tanh(softplus(x))
    exp(-x**2)
    exp(-x*x)
    exp(-x**2/2)/sqrt(2*pi)
    x*exp(-x**2)
    x**2*exp(-x**2)
    exp(-abs(x))
    exp(-exp(-x))
    1-exp(-exp(x))
    log(1-exp(-exp(x)))
    x - tanh(x)
    erf(x)
    exp(x)*exp(-x)
    exp(x)/exp(x)
    exp(x)**0
    exp(x-x)
    1/(1+x**2)
    x/(1+x**2)
    x/sqrt(1+x**2)
    1/sqrt(1+x**2)
    x**2/(1+x**2)
    arctan(x)
    log(1+x**2)
    log1p(x**2)
    log(1+abs(x))
    (x - 1)/(2 + abs(x - 1))
    log(x + sqrt(1+x**2))
    asinh(x)
    sqrt(1+x**2)
    sqrt(1+x**2)-1
    sqrt(x**2+1e-12)
""", HUGE)  # fmt: skip
line("""
    0.5*x*(1+erf(x/sqrt(2)))
    x/2*(1+erf(x/sqrt(2)))
    x*0.5*(1+erf(x/2**0.5))
    x*(1+erf(x/sqrt(2)))/2
    gelu(x)
    0.5*x*(1+tanh(sqrt(2/pi)*(x+0.044715*x**3)))
    0.5*x*(1+tanh(0.7978845608028654*(x+0.044715*x**3)))
    gelu_tanh(x)
    x*sigmoid(1.702*x)
    0.5*(1+erf(x/sqrt(2)))
    (1+erf(x/sqrt(2)))/2
    1 - erf(x)
    hardswish(x)
    x*relu6(x+3)/6
    x*min(max(x+3,0),6)/6
""", HUGE)  # fmt: skip

# -- activations with cases --------------------------------------------------------------------

line("""
    max(0,x)
    relu(x)
    max(x,0)
    x*(x>0)
    where(x>0,x,0)
    (abs(x)+x)/2
    max(0.01*x,x)
    where(x>0,x,0.01*x)
    where(x>0,x,exp(x)-1)
    where(x>=0,x,exp(x)-1)
    where(x<0,exp(x)-1,x)
    where(x>0,x,1.5*(exp(x)-1))
    where(x>0,x,2*(exp(x/2)-1))
    max(0,x)+min(0,exp(x)-1)
    max(0,x)+min(0,2*(exp(x/2)-1))
    1.0507009873554805*where(x>0,x,1.6732632423543772*(exp(x)-1))
    elu(x)
    selu(x)
    celu(x)
    celu(x, 2)
    x/(1+abs(x))
    softsign(x)
    where(abs(x)>0.5,x,0)
    where(abs(x)<1,x**2/2,abs(x)-0.5)
    where(x**2<1,x**2/2,abs(x)-0.5)
    where(abs(x)<=1,0.5*x**2,abs(x)-0.5)
    huber(x, 0)
    smooth_l1(x, 0)
    min(x**2, 1)
    min(max(0,x),6)
    clip(x,-1,1)
    abs(x)
    sqrt(x**2)
    sqrt(x*x)
    (x**2)**0.5
    max(x,-x)
    x*sign(x)
    sign(x)*log(1+abs(x))
    exp(-abs(x))*where(x>0,1,-1)
    where(x>0,1/(1+exp(-x)),exp(x)/(1+exp(x)))
    where(x>0,log(1+exp(-x)),-x+log(1+exp(x)))
    where(x>0,x+log(1+exp(-x)),log(1+exp(x)))
""", SMOOTH)  # fmt: skip
line("max(-1,min(1,x))", [v for v in SMOOTH if abs(v) != 1])
line("max(x,0)\nmax(0,x)\nrelu(x)\nabs(x)\nsqrt(x**2)\nsqrt(x*x)\nleaky_relu(x)\nelu(x)", (0.0,))
line("x**2\nx**3\nx*x\nsoftsign(x)\nx/(1+abs(x))\nwhere(x>0,x,exp(x)-1)\nx*abs(x)", (0.0,))

# -- hazard 9: the branch that is not taken ----------------------------------------------------

line("""
    where(x>0,log(x),0)
    where(x>0,log(x),x)
    where(x>0,sqrt(x),0)
    where(x>0,1/x,0)
    where(x==0,0,1/x)
    where(x!=0,1/x,0)
    where(x>0,x**0.5,-x)
    where(x>0,x**-2,0)
    where(x>0,x*log(x),0)
    where(x>0,exp(-x),1)
    where(x<0,exp(x),1)
    where(x<0,exp(x),exp(-x))
    where(x>0,exp(-1/x),0)
    where(x>0,where(x>1,log(x),sqrt(x)),0)
    where(x>1,log(x-1),where(x<-1,log(-x-1),0))
    where(x>0,log(where(x>0,x,1)),0)
    where(x>0,where(x<1,1/x,x),exp(x))
    where(x>0,sqrt(x)*log(x),x**2*0)
    where(abs(x)<1,1/(1-x**2),0)
    where(abs(x)<1,log(1-x**2),0)
    where(abs(x)<1,sqrt(1-x**2),0)
    where(x==0,1,sin(x)/x)
    where(x!=0,sin(x)/x,1)
    where(x!=0,(exp(x)-1)/x,1)*where(x<20,1,0)
    where(x>0,1/sqrt(x),0)
    where(x>0,log(log(1+x)),0)
    (x>0)*exp(-x)
    (x>0)*log(max(x,1))
""")  # fmt: skip

# -- hazard 10, 13: roots and powers at 0, integer powers ---------------------------------------

line("""
    x**0
    x**1
    x**1.0
    x**2.0
    x**3
    x**0*3 + x
    (-2.0)**3*x
    x**4/4
    0*x
    x*0 + 1
    x - x
    (1+x)**2-1
""")  # fmt: skip
line("""
    x**0.5
    sqrt(x)
    x**1.5
    x**-1
    1/x
    x**-0.5
    1/sqrt(x)
    0**x
    2**x
    x**x
    x*log(x)
    log(x**2)
    log(x**3)
    log(sqrt(x))
    log(1/x)
    log(x)**2
    exp(log(x))
    log(exp(x))
    sqrt(x)*sqrt(x)
    sqrt(sqrt(x))
    log(x/(1+x))
    log(1+1/x)
    x/(x+1)
    1/(1+1/x)
    x*log(1+1/x)
    x/(x+sqrt(x))
    log2(x)
    log(x)/log(10)
    x**0.3333333333333333
    x**2/x
    sqrt(x**2+x)
    -log(x/(1+x))
    abs(x)**1.5
    log(abs(x)+1e-8)
""", POSITIVE)  # fmt: skip
line("log(x) - log(2*x)\nexp(2*log(x))\nexp(-log(x))", POSITIVE, slack=16)  # a logarithm of 690
line("log(x**2)\nlog(x*x)\nlog(abs(x))\n1/x**2\nx**-2\nx**-1\nx**-3\nabs(x)**3", SMOOTH)
line("log(exp(x))\nexp(x)\nlog(exp(x)*exp(-x))\nlog(3*exp(x))\nlog(exp(x)/2)", HUGE)
line("sqrt(x)", (0.25, 0.0, 1e-300))
several(
    "x y", "x**y\nexp(y*log(x))", [(2.0, 3.0), (0.5, -2.0), (1e-20, 2.0), (100.0, 0.5), (5.0, 0.0)]
)
several("x y", "x*y\nx/y\nlog(x*y)\nlog(x/y)\nlog(x) - log(y)\nlog(x**2/y)\nsqrt(x*y)\nsqrt(x/y)",
        [(2.0, 3.0), (0.5, 20.0), (1e-20, 2.0), (1e200, 1e200), (1e-200, 1e-200), (1e300, 1e-300)])  # fmt: skip
several("x y", "sqrt(x**2+y**2)\nlog(sqrt(x**2+y**2))\nx/sqrt(x**2+y**2)\nlog(x**2+y**2)",
        [(3.0, 4.0), (0.5, -1.0), (1e-20, 1e-20), (1000.0, 0.0), (1e200, 1e200), (1e-200, 1e-200)])  # fmt: skip
several("x y", "sqrt(x**2+y**2)\nx**2 + y**2\nx*abs(y)", [(0.0, 0.0)])

# -- small differences ---------------------------------------------------------------------------

NEAR = (0.25, -0.5, 1.0, 1e-20, -1e-20, 2.0**-20, -(2.0**-20), 2.0**-40, 1e-300, 0.0)
line("""
    exp(x)-1
    expm1(x)
    log(1+x)
    log(x+1)
    log1p(x)
    log(1-x/2)
    1-cos(x)
    1-exp(-x)
    (exp(x)-exp(-x))/2
    sqrt(1+x)-1
    1/(1+x)-1
    1-sqrt(1-x/2)
    cosh(x)-1
    (1+x)**2-1
    (1+x)**3-1
    exp(2*x)-2*exp(x)+1
    sin(x) - x
    x - sin(x)
    tan(x)
    log(cosh(x))
    log(1+x**2)
    1 - x**2
""", NEAR)  # fmt: skip
line("""
    (exp(x)-1)/x
    log(1+x)/x
    sin(x)/x
    (1-cos(x))/x**2
    (1-exp(-x))/x
    x/(exp(x)-1)
    tanh(x)/x
""", tuple(v for v in NEAR if abs(v) > 1e-19))  # fmt: skip

# -- hazard 3: log-sum-exp -----------------------------------------------------------------------

several("a b", """
    log(exp(a)+exp(b))
    logaddexp(a, b)
    max(a,b)+log(exp(a-max(a,b))+exp(b-max(a,b)))
    m = max(a,b); m + log(exp(a-m)+exp(b-m))
    a + log(1+exp(b-a))
    log(exp(a)+exp(b)+1)
    log(2*exp(a)+3*exp(b))
    log((exp(a)+exp(b))/2)
    exp(a)/(exp(a)+exp(b))
    exp(b)/(exp(a)+exp(b))
    exp(a)/(exp(b)+exp(a))
    1/(1+exp(b-a))
    -log(exp(a)/(exp(a)+exp(b)))
    log(exp(a)/(exp(a)+exp(b)))
    p = exp(a)/(exp(a)+exp(b)); -log(p)
    p = exp(a)/(exp(a)+exp(b)); -log(1-p)
    log(exp(a)*exp(b))
    log(exp(a)/exp(b))
    exp(a)/exp(b)*exp(b-a)
    a - log(exp(a)+exp(b))
    sigmoid(a-b)
    1/(1+exp(-(a-b)))
    log(exp(a)*sigmoid(b))
    log(sigmoid(a)*sigmoid(b))
    log(sigmoid(a)) + log(sigmoid(b))
    log(sigmoid(a)/sigmoid(b))
    1-(1-sigmoid(a))*(1-sigmoid(b))
    sigmoid(a)*sigmoid(b)
    sqrt(sigmoid(a)*sigmoid(b))
    -log(1-(1-sigmoid(a))*(1-sigmoid(b)))
    (exp(a)-exp(b))/(exp(a)+exp(b))
    tanh((a-b)/2)
    (exp(a)*a + exp(b)*b)/(exp(a)+exp(b))
    exp(-(a-b)**2)
    exp(-2*(a-b)**2)
    exp(-0.5*abs(a-b))
    log(1+exp(-a*b))
    sigmoid(a)*b
    a*sigmoid(b*a)
    log(1+exp(b*a))
    (a-b)**2
    abs(a-b)
    sqrt((a-b)**2)
    max(a,b) - min(a,b)
    0.25*a + 0.75*b
""", PAIRS)  # fmt: skip
several("a b c", """
    log(exp(a)+exp(b)+exp(c))
    exp(a)/(exp(a)+exp(b)+exp(c))
    -log(exp(a)/(exp(a)+exp(b)+exp(c)))
    -log(exp(b)/(exp(a)+exp(b)+exp(c)))
    Z = exp(a)+exp(b)+exp(c); -log(exp(c)/Z)
    Z = exp(a)+exp(b)+exp(c); a - log(Z)
    log(exp(a)+exp(b)*exp(c))
    log(exp(a+b)+exp(c))
""", TRIPLES)  # fmt: skip
several("b x", "log(1+exp(b*x))/b\nsoftplus(x, b)\nx*sigmoid(b*x)\nx/(1+exp(-b*x))",
        [(1.0, 0.5), (5.0, -2.5), (5.0, 1000.0), (0.5, -1000.0), (2.0, 40.0), (0.25, 1e4)])  # fmt: skip

S = [{"s": s} for s in SCORES]
programs("s: real[C]", """
    log(sum(exp(s)))
    logsumexp(s)
    max(s)+log(sum(exp(s-max(s))))
    m = max(s); log(sum(exp(s-m)))+m
    log(mean(exp(s)))
    log(sum(exp(s))/3)
    log(sum(exp(2*s)))/2
    log(sum(exp(-s)))
    -log(sum(exp(-s)))
    log(1+sum(exp(s)))
    log(exp(s[0])+exp(s[1])+exp(s[2]))
    log(sum(exp(s[j]) for j in C))
    p = exp(s)/sum(exp(s)); -sum(p*log(p))
    p = softmax(s); -sum(p*log(p))
    sum((exp(s)/sum(exp(s)))**2)
    p = exp(s-max(s))/sum(exp(s-max(s))); sum(p**2)
    p = softmax(s); sum(p*(1-p))
    softmax(s)[0]
    (exp(s)/sum(exp(s)))[1]
    exp(s[0])/sum(exp(s))
    log(softmax(s)[0])
    -log(exp(s[0])/sum(exp(s)))
    -s[0]+log(sum(exp(s)))
    -log(softmax(s))[2]
    -log_softmax(s)[1]
    max(softmax(s))
    sum(sigmoid(s))
    sum(log(sigmoid(s)))
    log(sum(sigmoid(s)))
    -mean(log(sigmoid(s)))
    sum(log(1/(1+exp(-s))))
    1-exp(sum(log(1-sigmoid(s))))
    exp(mean(log(sigmoid(s))))
    exp(-mean(log(softmax(s))))
    sum(tanh(s))
    max(s)
    sum(max(s,0))
    sum(abs(s))
""", S)  # fmt: skip

# The mean score is known to 1e4 eps only, and so is what a score differs from it.
programs("s: real[C]", """
    sum(softmax(s)*s)
    sum(exp(s)*s)/sum(exp(s))
    sum(s*exp(s)/sum(exp(s)))
""", S, slack=1e3)  # fmt: skip

# -- hazards 4, 5: softmax and cross-entropy -----------------------------------------------------

LABELLED = [{"s": s, "y": y} for s, y in zip(SCORES, (0, 1, 2, 1, 0, 2, 1, 2, 0), strict=True)]
programs("s: real[C]; y: label[C]", """
    -log(softmax(s)[y])
    -log(softmax(s))[y]
    -log_softmax(s)[y]
    p = softmax(s); -log(p[y])
    p = exp(s)/sum(exp(s)); -log(p[y])
    -log(exp(s[y])/sum(exp(s)))
    -log((exp(s)/sum(exp(s)))[y])
    e = exp(s); -log(e[y]/sum(e))
    e = exp(s); p = e/sum(e); L = -log(p[y])
    -s[y]+log(sum(exp(s)))
    log(sum(exp(s)))-s[y]
    log(sum(exp(s-s[y])))
    log(sum(exp(s))/exp(s[y]))
    z = s-max(s); -log(exp(z[y])/sum(exp(z)))
    z = s-max(s); p = exp(z)/sum(exp(z)); -log(p[y])
    -log(exp(s[y])/sum(exp(s[j]) for j in C))
    cross_entropy(s, y)
    nll(log_softmax(s), y)
    nll(log(softmax(s)), y)
    (1-softmax(s)[y])**2
    p = softmax(s)[y]; -(1-p)**2*log(p)
    p = softmax(s)[y]; (1-p**0.7)/0.7
    -log(0.9*softmax(s)[y] + 0.1)
    softmax(s)[y]
    log2(softmax(s)[y])
    -log(softmax(s/0.5)[y])
    -log(softmax(2*s)[y])
    -log(softmax(s, beta=2)[y])
    sum(max(0, s[j]-s[y]+1) for j in C if j != y)
    svm(s, y)
""", LABELLED)  # fmt: skip

Z = [{"Z": t, "T": target} for t in TABLES for target in (HARD, SOFT)]
programs("Z: real[N, C]; T: data[N, C]", """
    -sum(T*log(softmax(Z)))/N
    -mean(sum(T*log(softmax(Z)),axis=1))
    P = softmax(Z); -mean(sum(T*log(P),axis=1))
    P = exp(Z)/sum(exp(Z),axis=1,keepdims=True); -sum(T*log(P))
    P = exp(Z)/sum(exp(Z),axis=1)[:, None]; -mean(sum(T*log(P),axis=1))
    P = exp(Z)/sum(exp(Z),axis=-1,keepdims=True); L = -sum(T*log(P))/N
    E = exp(Z-max(Z,axis=1,keepdims=True)); P = E/sum(E,axis=1,keepdims=True); -sum(T*log(P))/N
    E = exp(Z-max(Z,axis=1)[:, None]); P = E/sum(E,axis=1)[:, None]; -mean(sum(T*log(P),axis=1))
    E = exp(Z); D = sum(E,axis=1,keepdims=True); -sum(T*(Z-log(D)))/N
    -sum(T*(Z-log(sum(exp(Z),axis=1,keepdims=True))))/N
    -sum(T*log_softmax(Z))/N
    cross_entropy(Z, T)
    nll(log(softmax(Z)), T)
    -sum(T*log(exp(Z)/sum(exp(Z),axis=1,keepdims=True)))
    -mean(log(sum(T*softmax(Z),axis=1)))
    -sum((0.9*T+0.1/3)*log(softmax(Z)))/N
    -sum(T*log(softmax(Z/0.5)))/N
    sum(T*(log(T+1e-30)-log(softmax(Z))))
    sum((softmax(Z)-T)**2)
    P = exp(Z)/sum(exp(Z),axis=1,keepdims=True); sum((P-T)**2)
    Q = softmax(Z); -sum(T*log(Q) + (1-T)*log(1-Q))
    -mean(T*log(sigmoid(Z))+(1-T)*log(1-sigmoid(Z)))
    bce(sigmoid(Z), T)
    bce_with_logits(Z, T)
    P = 1/(1+exp(-Z)); -mean(T*log(P)+(1-T)*log(1-P))
    P = sigmoid(Z); -sum(T*log(P)+(1-T)*log(1-P))/N
    mean(max(Z,0) - Z*T + log(1+exp(-abs(Z))))
    mean(log(1+exp(Z)) - T*Z)
    -sum(log(sum(exp(Z)*T,axis=1)/sum(exp(Z),axis=1)))
    sum(exp(Z)/sum(exp(Z)))
    P = exp(Z)/sum(exp(Z)); -sum(T*log(P))
    P = exp(Z)/sum(exp(Z),axis=0); -sum(T*log(P))
    -sum(T*log(softmax(Z,axis=0)))
""", Z)  # fmt: skip

# That the rows of T sum to 1 is not known here, so 1e4 - 1e4 is what it is.
programs(
    "Z: real[N, C]; T: data[N, C]", "mean(log(sum(exp(Z),axis=1))-sum(T*Z,axis=1))", Z, slack=1e3
)
programs("Z: real[N, C]; T: onehot[N, C]", "mean(log(sum(exp(Z),axis=1))-sum(T*Z,axis=1))", Z[::2])

Y = [{"Z": t, "y": y} for t, y in zip(TABLES, ([0, 1], [1, 2], [1, 0], [2, 0]), strict=True)]
programs("Z: real[N, C]; y: labels[N, C]", """
    P = softmax(Z); -mean(log(P[arange(N), y]))
    P = exp(Z)/sum(exp(Z),axis=1,keepdims=True); -mean(log(P[arange(N), y]))
    P = exp(Z)/sum(exp(Z),axis=1)[:, None]; -sum(log(P[arange(N), y]))/N
    E = exp(Z-max(Z,axis=1,keepdims=True)); P = E/sum(E,axis=1,keepdims=True); -mean(log(P[arange(N), y]))
    -mean(Z[arange(N), y] - log(sum(exp(Z),axis=1)))
    mean(log(sum(exp(Z),axis=1))) - mean(Z[arange(N), y])
    -mean(log_softmax(Z)[arange(N), y])
    -mean(log(softmax(Z))[arange(N), y])
    cross_entropy(Z, y)
    nll(log_softmax(Z), y)
    nll(log(softmax(Z)), y)
    -mean(log(exp(Z[arange(N), y])/sum(exp(Z),axis=1)))
    L[i] = -log(exp(Z[i,y[i]])/sum(exp(Z[i,j]) for j in C)); mean(L[i] for i in N)
    L[i] = -Z[i,y[i]] + log(sum(exp(Z[i,j]) for j in C)); mean(L[i] for i in N)
    P[i,j] = exp(Z[i,j])/sum(exp(Z[i,k]) for k in C); L[i] = -log(P[i,y[i]]); sum(L[i] for i in N)/N
    exp(-mean(log(softmax(Z)[arange(N), y])))
    p = softmax(Z)[arange(N), y]; -mean((1-p)**2*log(p))
    svm(Z, y)
    L[i] = sum(max(0, Z[i,j]-Z[i,y[i]]+1) for j in C if j != y[i]); mean(L[i] for i in N)
    L[i] = sum(max(0, Z[i,j]-Z[i,y[i]]+1)**2 for j in C if j != y[i]); mean(L[i] for i in N)
""", Y)  # fmt: skip

# -- hazard 6: binary cross-entropy ----------------------------------------------------------------

several("z t", """
    -(t*log(sigmoid(z))+(1-t)*log(1-sigmoid(z)))
    p = sigmoid(z); -(t*log(p)+(1-t)*log(1-p))
    p = 1/(1+exp(-z)); -(t*log(p)+(1-t)*log(1-p))
    p = 1/(1+exp(-z)); L = -t*log(p)-(1-t)*log(1-p)
    -t*log(1/(1+exp(-z)))-(1-t)*log(1-1/(1+exp(-z)))
    -(1-t)*log(1-sigmoid(z))-t*log(sigmoid(z))
    -t*log(sigmoid(z))-(1-t)*log(sigmoid(-z))
    p = exp(z)/(1+exp(z)); -(t*log(p)+(1-t)*log(1-p))
    bce(sigmoid(z), t)
    bce(1/(1+exp(-z)), t)
    bce_with_logits(z, t)
    log(1+exp(z))-t*z
    max(z,0)-z*t+log(1+exp(-abs(z)))
    t*log(1+exp(-z))+(1-t)*log(1+exp(z))
    t*softplus(-z)+(1-t)*softplus(z)
    p = sigmoid(z); q = 1-p; -t*log(p)-(1-t)*log(q)
    p = sigmoid(z); t*log(1/p)+(1-t)*log(1/(1-p))
    p = 0.5*(1+tanh(z/2)); -(t*log(p)+(1-t)*log(1-p))
    (sigmoid(z)-t)**2
    p = sigmoid(z); -t*(1-p)**2*log(p)-(1-t)*p**2*log(1-p)
    p = sigmoid(z); -log(p*t+(1-p)*(1-t))
    where(t>0.5, -log(sigmoid(z)), -log(1-sigmoid(z)))
""", TARGETS)  # fmt: skip
several("f y", """
    log(1+exp(-y*f))
    log(1+exp(-f*y))
    log1p(exp(-y*f))
    -log(sigmoid(y*f))
    -log(1/(1+exp(-y*f)))
    log(1+exp(-y*f))/log(2)
    log2(1+exp(-y*f))
    soft_margin(f, y)
    exp(-max(0, y*f))
    max(0,1-y*f)
    hinge(f, y)
    max(0,1-y*f)**2
    (1-y*f)**2
    1-sigmoid(y*f)
    1-tanh(y*f)
""", SIGNED)  # fmt: skip

# -- hazards 7, 8: probabilities that are 0 ---------------------------------------------------------

programs("q: real[C]; p: data[C]", """
    -sum(p*log(q))
    sum(p*log(p/q))
    sum(p*(log(p)-log(q)))
    sum(p*log(p)) - sum(p*log(q))
    -sum(p*log(p))+0*sum(q)
    -sum(p[j]*log(q[j]) for j in C)
    sum(p*log(p/softmax(q)))
    sum(p*(log(p)-log(softmax(q))))
    sum(p*(log(p)-log_softmax(q)))
    -sum(p*log(q))/log(2)
    -sum(p*log2(q))
    -sum(where(p>0,p*log(q),0))
""", [
    {"q": [0.25, 0.5, 0.25], "p": [0.5, 0.25, 0.25]},
    {"q": [0.25, 0.5, 0.25], "p": [0.0, 1.0, 0.0]},
    {"q": [0.5, 0.5, 0.0], "p": [0.25, 0.75, 0.0]},
    {"q": [1e-20, 1.0, 1e-300], "p": [0.5, 0.5, 0.0]},
])  # fmt: skip
programs("p: real[C]", "-sum(p*log(p))\n-sum(p*log2(p))\nsum(p*log(p+1e-12))\n-sum(where(p>0,p*log(p),0))",
         [{"p": [0.5, 0.25, 0.25]}, {"p": [0.0, 1.0, 0.0]}, {"p": [1e-20, 0.5, 0.5]}])  # fmt: skip
several("p t", "bce(p, t)\n-(t*log(p)+(1-t)*log(1-p))\n-t*log(p)-(1-t)*log(1-p)",
        [*product(INSIDE, (0.0, 1.0, 0.25)), (0.0, 0.0), (1.0, 1.0)])  # fmt: skip
several("p q", "p*log(p/q)\np*log(p)-p*log(q)\np*log(p/q)+(1-p)*log((1-p)/(1-q))",
        [(0.25, 0.5), (0.5, 1e-20), (1e-20, 0.5)])  # fmt: skip

# -- norms, similarities (hazard 10) -----------------------------------------------------------------

VECTORS = [{"x": v} for v in (
    [3.0, 4.0], [0.5, -1.0, 2.0], [0.0, 0.0, 0.0], [1e-20, 0.0], [1e-200, 2e-200], [1e200, -1e200],
    [1000.0, 1e-20],
)]  # fmt: skip
programs("x: real[D]", """
    sqrt(sum(x**2))
    sqrt(sum(x*x))
    sqrt(x @ x)
    sum(x**2)**0.5
    norm(x)
    sum(x**2)
    sum(abs(x))
    sqrt(sum(x**2)+1e-12)
    sqrt(sum(x[i]**2 for i in D))
    max(abs(x))
    sum(sqrt(x**2))
""", VECTORS)  # fmt: skip
programs("x: real[D]", """
    sum((x/sqrt(sum(x**2)))*arange(D))
    (x/norm(x))[0]
    sum(x/sqrt(sum(x**2)))
    sum(x/sqrt(mean(x**2)+1e-6))
    sum((x/sqrt(mean(x**2)+1e-6))[0])
    x[0]/sqrt(x @ x)
    log(norm(x))
    log(sqrt(sum(x**2)))
""", [v for v in VECTORS if any(v["x"])], normwise=True)  # fmt: skip
AB = [
    {"a": [3.0, 4.0], "b": [1.0, -2.0]}, {"a": [0.5, 0.25], "b": [0.5, 0.25]},
    {"a": [1e-20, 0.0], "b": [1.0, 1.0]}, {"a": [1e200, 1e200], "b": [1.0, 2.0]},
    {"a": [1e-200, 1e-200], "b": [1e-200, 0.0]}, {"a": [1000.0, 0.0], "b": [0.0, 1000.0]},
]  # fmt: skip
programs("a: real[D]; b: real[D]", """
    sum(a*b)/sqrt(sum(a**2))/sqrt(sum(b**2))
    sum(a*b)/(sqrt(sum(a**2))*sqrt(sum(b**2)))
    (a @ b)/(norm(a)*norm(b))
    1 - (a @ b)/(norm(a)*norm(b))
    sum((a/norm(a))*(b/norm(b)))
""", AB, normwise=True)  # fmt: skip
programs("a: real[D]; b: real[D]", """
    sqrt(sum((a-b)**2))
    norm(a-b)
    max(0, norm(a-b) - 1)
    max(0, sum((a-b)**2) - 1)
    exp(-sum((a-b)**2))
    exp(-norm(a-b))
    1/(1+norm(a-b))
""", [v for v in AB if max(map(abs, v["a"])) < 1e100])  # fmt: skip
programs("a: real[D]; p: real[D]; n: real[D]", """
    max(0, norm(a-p)-norm(a-n)+0.5)
    max(0, sum((a-p)**2)-sum((a-n)**2)+0.5)
    -log(exp(a@p)/(exp(a@p)+exp(a@n)))
    log(1+exp(norm(a-p)-norm(a-n)))
""", [
    {"a": [1.0, 2.0], "p": [0.5, 2.0], "n": [1.0, 1.5]},
    {"a": [1.0, 2.0], "p": [1.0, 2.0], "n": [1.0, 2.0]},
    {"a": [100.0, 0.0], "p": [100.0, 1.0], "n": [-100.0, 0.0]},
    {"a": [0.0, 0.0], "p": [0.0, 0.0], "n": [3.0, 4.0]},
])  # fmt: skip
EMBEDDED = [
    {"A": [[0.5, 1.0], [1.0, -2.0]], "B": [[0.25, 1.0], [2.0, -2.0]]},
    {"A": [[100.0, 0.0], [0.0, 100.0]], "B": [[100.0, 1.0], [1.0, 100.0]]},
    {"A": [[100.0, 0.0], [0.0, 100.0]], "B": [[-100.0, 1.0], [1.0, -100.0]]},
]
programs("A: real[N, D]; B: real[N, D]", """
    S = A @ B.T; -mean(log(softmax(S)[arange(N), arange(N)]))
    S = (A @ B.T)/0.1; L[i] = -log(exp(S[i,i])/sum(exp(S[i,j]) for j in N)); mean(L[i] for i in N)
    S = A @ B.T; L[i] = -S[i,i] + log(sum(exp(S[i,j]) for j in N)); mean(L[i] for i in N)
    sum(softmax(A @ B.T/sqrt(D)) @ B)
    E = exp(A @ B.T/sqrt(D)); W = E/sum(E,axis=1,keepdims=True); sum((W @ B)**2)
    sum((softmax(A @ B.T/sqrt(D), axis=-1) @ B)**2)
    sum(log(sigmoid(A @ B.T)))
    U = A/sqrt(sum(A**2,axis=1,keepdims=True)); sum(U*B)
    U = A/norm(A,axis=1,keepdims=True); V = B/norm(B,axis=1,keepdims=True); sum((U @ V.T)**2)
""", EMBEDDED)  # fmt: skip

# -- hazards 16, 17: standardisation, variance --------------------------------------------------------

BATCHES = [
    {"X": [[0.5, 1.0], [2.0, -1.0], [-1.5, 3.0]]},
    {"X": [[1.0, 7.0], [1.0, 7.0], [1.0, 7.0]]},
    {"X": [[1e-20, 100.0], [0.0, -100.0], [1.0, 0.0]]},
    {"X": [[1.0, 2.0]]},
]
OFFSET = [{"X": [[1e6 + 0.5, 1.0], [1e6 + 2.0, 3.0], [1e6 - 1.0, 4.0]]}]
STANDARD = """
    sum(((X-mean(X,axis=0))/sqrt(var(X,axis=0)+1e-5))**3)
    mu = mean(X,axis=0); v = mean((X-mu)**2,axis=0); H = (X-mu)/sqrt(v+1e-5); sum(H**3)
    mu = sum(X,axis=0)/N; v = sum((X-mu)**2,axis=0)/N; sum(((X-mu)/sqrt(v+1e-5))**3)
    mu = mean(X,axis=1,keepdims=True); s = std(X,axis=1,keepdims=True); sum(((X-mu)/(s+1e-5))**3)
    mu = mean(X,axis=1)[:, None]; v = var(X,axis=1)[:, None]; sum(((X-mu)/sqrt(v+1e-5))**3)
    R = X/sqrt(mean(X**2,axis=1,keepdims=True)+1e-5); sum(R**3)
"""
SPREAD = """
    sum(var(X,axis=0))
    sum(mean((X-mean(X,axis=0))**2,axis=0))
    sum(sum((X-mean(X,axis=0,keepdims=True))**2,axis=0)/N)
    sum(std(X,axis=0))
    sum(sqrt(var(X,axis=0)))
    sum(sqrt(var(X,axis=0)+1e-5))
    var(X)
    std(X)
    sum(log(var(X,axis=0)+1e-5))
"""
programs("X: real[N, D]", STANDARD, BATCHES, slack=8)
programs("X: real[N, D]", SPREAD, BATCHES, slack=4)
programs("X: real[N, D]", "sum(mean(X**2,axis=0)-mean(X,axis=0)**2)", BATCHES[:1])
# The mean of numbers near 1e6 is known to 1e-10 only, and so is what is left without it.
programs("X: real[N, D] ", STANDARD.rstrip() + SPREAD, OFFSET, slack=1e6, dtypes=("float64",))

# -- means, products, scale ------------------------------------------------------------------------------

MEANS = [
    {"x": v}
    for v in ([1.0, 2.0, 4.0], [1e-20, 1.0, 1e20], [1e-300, 1e-300, 1.0], [1e300, 1e300, 1.0])
]
programs("x: real[D]", """
    3/sum(1/x)
    1/mean(1/x)
    sum(log(x))
    log(x[0]*x[1]*x[2])
    sqrt(mean(x**2))
    mean(x)
    x[0]/(x[0]+x[1]+x[2])
    sum(x/sum(x)*arange(D))
    max(x)/sum(x)
    log(sum(x))
    sum(log(x/sum(x)))
    -log(x[0]/sum(x))
""", MEANS)  # fmt: skip
programs("x: real[D]", "exp(mean(log(x)))", MEANS, slack=16)  # a logarithm of 460
programs("p: real[D]; t: data[D]", """
    sum(where(abs(p-t)<=1, (p-t)**2/2, abs(p-t)-0.5))
    sum(where(abs(p-t)<1, 0.5*(p-t)**2, abs(p-t)-0.5))
    r = p-t; mean(where(abs(r)<=2, r**2/2, 2*(abs(r)-1)))
    huber(p, t)
    huber(p, t, 2)
    smooth_l1(p, t)
    l1(p, t)
    sum(sqrt(1+(p-t)**2)-1)
    sum(log(cosh(p-t)))
    sum(log(1+(p-t)**2))
    sum(abs(p-t)**1.5)
""", [
    {"p": [0.5, 3.0], "t": [0.25, 1.5]},
    {"p": [1e200, -1e200], "t": [0.0, 0.5]},
    {"p": [1000.0, 1e4], "t": [-1000.0, 0.25]},
    {"p": [1e-20, 2.0], "t": [0.0, 0.0]},
])  # fmt: skip

# -- sums of exponentials below the line beside other factors ----------------------------------

STEPS = (
    (0.5, 0.25, 2.0),
    (-5.0, 1.0, 0.5),
    (0.0, 0.0, 1.0),
    (1000.0, 0.5, 0.25),
    (-1000.0, 0.5, 2.5),
    (1e4, -1e4, 1.0),
)

several("x m s", """
    exp(-(x-m)/s)/(s*(1+exp(-(x-m)/s))**2)
    1/(s*(1+exp(-(x-m)/s)))
    1/(s*(exp((x-m)/s)+exp((m-x)/s)))
    (x-m)/(s*(1+exp(x/s))*(1+exp(m/s)))
    1/(4*s*cosh((x-m)/(2*s))**2)
""", STEPS)  # fmt: skip
several("y m l", """
    (y-m)**2/(2*exp(l)) + l/2
""", ((0.5, 0.25, 0.5), (1.0, -2.0, -5.0), (3.0, 0.0, 1000.0), (0.5, 0.25, 1e4)))  # fmt: skip
several("x t", """
    2/(x**5*(exp(1/(x*t))-1))
    x**3/(t*(exp(x/t)-1))
""", ((0.5, 1.0), (2.5, 0.25), (0.00390625, 0.5), (1000.0, 0.25)))  # fmt: skip
several("x t", """
    exp(x/t)/(t**2*(exp(x/t)-1)**2)
""", ((0.5, 1.0), (2.5, 0.25), (1000.0, 0.25)))  # fmt: skip

# -- powers with any exponent under a logarithm ------------------------------------------------

DENSITIES = [
    {"x": [0.5, 2.5, 20.0, 0.125], "k": k, "t": t}
    for k, t in ((2.0, 0.25), (1.0, 5.0), (0.5, 1.0), (40.0, 0.5))
]

programs("x: positive[N]; k: param; t: positive", """
    sum(log(x**(k-1)*exp(-x/t)/t**k))
    f = k/t*(x/t)**(k-1)*exp(-(x/t)**0.5); -sum(log(f))
    sum(log((1+x**2/t)**(-(k+1)/2)))
    sum(log2(3*x**k))
    sum(log(t*x**(k-1)*exp(-x)/t**k + 2*x**k*exp(-t*x)))
""", DENSITIES)  # fmt: skip

COUNTS = [
    {"k": [0.0, 1.0, 2.0, 40.0], "l": 0.5, "m": 2.5, "p": 0.25},
    {"k": [0.0, 1.0, 3.0, 1000.0], "l": 1000.0, "m": 0.125, "p": 0.5},
]

programs("k: data[N]; l: positive; m: positive; p: real", """
    sum(log(l**k*exp(-l)))
    sum(log(p*l**k*exp(-l) + (1-p)*m**k*exp(-m)))
    sum(log(p*(k==0) + (1-p)*l**k*exp(-l)))
    sum(log((l/(l+m))**l*(m/(l+m))**k))
""", COUNTS)  # fmt: skip
programs("k: data[N]; l: positive[C]; w: positive[C]", """
    sum(log(sum(w*l**k[:,None]*exp(-l), axis=1)))
""", [{"k": [0.0, 1.0, 1000.0, 40.0], "l": [1000.0, 0.5, 2.0], "w": [0.25, 0.25, 0.5]}])  # fmt: skip

# -- what may be infinite, within limits --------------------------------------------------------

line("""
    minimum(exp(x), 5)
    clip(exp(x), 0.5, 5)
    relu(3 - 0.5*exp(x))
    minimum(sinh(x), 5)
    maximum(x, exp(-x))
""", (0.5, -1.0, 2.0, 40.0, 1000.0, -1000.0))  # fmt: skip
line("""
    maximum(log(x), -5)
    clip(log(x), -5, 5)
    minimum(-log(x), 100)
    relu(2 + log(x))
    minimum(1/x, 5)
    clip(1/x, -5, 5)
    minimum(1/x**2, 5)
    relu6(1/x)
    minimum(x**(-1.5), 9)
    maximum(-1/sqrt(x), -3)
""", (0.0, 0.5, 1.0, 2.5, 1000.0))  # fmt: skip
POLICY = (
    (0.5, 0.25, 2.0),
    (0.5, 0.25, -2.0),
    (0.25, -1.0, 1.0),
    (1000.0, 0.5, 2.0),
    (0.5, 1000.0, -1.0),
    (0.5, 1000.0, 2.0),
    (1000.0, 0.5, 0.0),
    (1.25, 1.0, 0.0),
)
programs("l: param[N]; o: data[N]; A: data[N]", """
    r = exp(l - o); sum(minimum(r*A, clip(r, 0.8, 1.2)*A))
    r = exp(l - o); -mean(minimum(r*A, clip(r, 1 - 0.2, 1 + 0.2)*A))
    r = exp(l - o); mean(maximum(-A*r, -A*clip(r, 0.8, 1.2)))
""", [{"l": [p[0]], "o": [p[1]], "A": [p[2]]} for p in POLICY])  # fmt: skip

# -- powers that overflow where nothing depends on them any more -------------------------------

line("""
    x**4/(1+x**4)
    3*x**4/(2+x**4)
    1/(1+x**4)
    (x**4-1)/(x**4+1)
    (x-1)**2/(1+(x-1)**2)
    1/(1+x**2)**2
    exp(-x**4)
    tanh(x**3)
    erf(x**3)
    sigmoid(x**3)
    exp(-abs(x)**3)
""", (*LINE, 3.0, 1e10, -1e100, 1e300))  # fmt: skip
several("x k n", """
    (x/k)**n/(1+(x/k)**n)
    1/(1+(x/k)**n)
    exp(-(x/k)**n)
    1-exp(-(x/k)**n)
    k*x**n/(1+x**n)
""", [(x, k, n) for x in (0.0, 0.25, 1.0, 1e10, 1e100) for k, n in ((2.0, 3.5), (0.5, 4.0), (8.0, 1.0))])  # fmt: skip

line("""
    softsign(x)/x
    mish(-exp(x))
    gelu(-exp(x))
    silu(-exp(x))
""", SMOOTH)  # fmt: skip
programs("x: data[N]; m: param; s: param", """
    -sum(log((1+(x-m)**2/(30*s**2))**(-15.5)/s))
""", [{"x": [0.5, 1.5, -200.0], "m": m, "s": s} for m, s in ((2.0, 1.25), (40.0, 0.125))])  # fmt: skip
programs("p: simplex[C]; z: param[C]", """
    1-sum(sqrt(p*softmax(z)))
""", [{"p": p, "z": z} for p in ([0.25, 0.25, 0.5], [0.0, 0.0, 1.0]) for z in ([0.5, -1.0, 2.0], [800.0, -800.0, 0.0])])  # fmt: skip

DOSES = [
    {"x": [0.0, 0.5, 3.0, 1000.0], "k": k, "n": n}
    for k, n in ((2.0, 2.0), (0.5, 1.0), (0.125, 20.0))
]
programs("x: data[N]; k: param; n: param", """
    sum(x**n/(k**n + x**n))
    sum(k**n/(k**n + x**n))
    sum(3*x**n/(k**n + x**n) + x)
    sum(1/(1 + (k/x)**n))
    sum(1/(1 + (k/x)**2))
""", DOSES)  # fmt: skip

# -- 0/0 beside factors, and powers of 0 -------------------------------------------------------

programs("x: data[N]; a: param", """
    sum((x**a - 1)/a)
""", [{"x": [0.0, 1.0, 3.0], "a": a} for a in (2.0, 0.5, 1.0)])  # fmt: skip

# -- powers whose slopes are multiples of them -------------------------------------------------

line("""
    sqrt(abs(x))
    sign(x)*sqrt(abs(x))
    abs(x)**0.25
    x*sqrt(abs(x))
    sqrt(abs(sin(x)))
""", (0.0, 0.25, -1.0, 2.5, -1000.0))  # fmt: skip
programs("t: data[N]; s: param; b: param", """
    sum(exp(-(t/s)**b))
    sum(1 - exp(-(t/s)**b))
    sum(b*(t/s)**0.25)
    sum(1/(1 + (t/s)**b))
    sum(log(1 + (t/s)**b))
""", [{"t": [0.0, 0.5, 1.0, 3.0], "s": s, "b": b} for s, b in ((2.0, 0.5), (0.25, 1.0), (1.0, 3.0))])  # fmt: skip

# -- what saturates, inside of what grows ------------------------------------------------------

line("""
    selu(-exp(x))
    selu(-x**2)
    elu(-exp(x))
""", (0.0, 1.0, -2.5, 5.0, 37.0, 40.0, 700.0))  # fmt: skip

# -- what is left of 1, and small numbers beside it --------------------------------------------

programs("p: param[N]; q: data[N]", """
    -sum(q*log(p + 1e-12) + (1-q)*log(1 - p + 1e-12))
    -mean(q*log(p + 1e-8) + (1-q)*log(1 - p + 1e-8))
""", [{"p": p, "q": [0.25, 1.0, 0.0]} for p in ([0.25, 0.5, 0.75], [1.0, 0.0, 1.0], [0.0, 1.0, 1.0])])  # fmt: skip
programs("m: param[N]; e: data[N]", """
    a = tanh(m + e); sum(m - log(1 - a**2 + 1e-6))
    a = tanh(m); sum(e - log(2*(1 - a**2) + 1e-6))
    a = tanh(m); sum(e - log(clip(1 - a**2, 0, 1) + 1e-6))
    a = tanh(m); sum(e/(1 - a*a + 1e-3))
    a = tanh(exp(m)); sum(e - log(1 - a**2 + 1e-6))
""", [{"m": m, "e": [0.5, -1.0]} for m in ([0.5, -1.0], [0.0, 0.0], [8.0, -9.0], [1000.0, -1000.0])])  # fmt: skip
COUNTS = [{"y": [0.0, 1.0, 5.0], "h": h, "r": r} for h in ([0.0, 1.0, -2.0], [40.0, -40.0, 1.0])
          for r in (0.5, 1.0, 8.0)]  # fmt: skip
programs("y: data[N]; h: param[N]; r: param", """
    m = exp(h); p = r/(r+m); -sum(r*log(p) + y*log(1-p))
    m = exp(h); p = m/(r+m); -sum(r*log(1-p) + y*log(p))
    p = 1/(1+r*exp(h)); -sum(log(p)/r + y*log(1-p))
""", COUNTS)  # fmt: skip

# -- powers of products with exponentials, and fitted powers of sizes ----------------------------

programs("y: data[N]; h: param[N]; r: param", """
    t = exp(h); sum((y/t)**r)
    m = exp(h); sum((m*y)**r - log(r) - r*log(m))
    t = exp(h); sum(log(1 + (y/t)**r))
    t = exp(-h); sum(exp(-(y*t)**r))
""", [{"y": [0.0, 1.0, 5.0], "h": h, "r": r} for h in ([0.0, 1.0, -2.0], [3.0, 8.0, 1.0]) for r in (0.5, 1.0, 2.0)])  # fmt: skip
several("x a", """
    abs(x)**a
    sign(x)*abs(x)**a
    exp(-abs(x)**a)
""", [(x, a) for x in (0.0, 1.0, -2.5) for a in (0.5, 1.5, 2.0)])  # fmt: skip

# -- cases that leave out what overflows --------------------------------------------------------

line("""
    where(abs(x)<4.685,1-(1-(x/4.685)**2)**3,1)
    where(abs(x)<=4.685,x*(1-(x/4.685)**2)**2,0)
    where(abs(x)<=1,(1-x**2)**3,0)
    where(abs(x)<4.685,x**2*(1-(x/4.685)**2)**2,0)
    (abs(x)<=1)*(1-x**2)**2
    0.9375*(1-x**2)**2*(abs(x)<1)
    where(x<2,x**3,8)
""", (0.0, 0.5, -2.5, 5.0, 1e20, -1e80, 1e154, -1e300))  # fmt: skip

# -- powers less 1 over their exponent, powers of quotients below the line, what is left of 1 ----

several("x l", "(x**l - 1)/l", [(1e-20, 1.0), (1e-8, 0.5), (2.5, -1.5), (40.0, 1e-20)])
several("c g", "(c**(1 - g) - 1)/(1 - g)", [(1e-20, 0.5), (2.5, 3.0), (1e-8, 2.0)], slack=16)
several("x s", """
    3*(x/s)**4/(1 + (x/s)**4)
    (x/s)**2/2/(1 + (x/s)**2)
    1/(1 + (x/s)**4)
    log(1 + (x/s)**2)
""", [(1e5, 1e5), (1e-8, 1e-8), (-2.5, 0.5), (1e10, 1e10), (-1e-10, 1e-10)])  # fmt: skip
several("x s", "3*(x/s)**4/(1 + (x/s)**4)\n1/(1 + (x/s)**4)", [(1e20, 2.5)])
several("p k", "-(k*log(p + 1e-7) + (1-k)*log(1 - p + 1e-7))\n1/(1 - p*k + 1e-7)",
        [(1 - 2.0**-20, 0.0), (1.0, 0.0), (0.5, 1.0)])  # fmt: skip
several("x k", "1 - x/(x + k)\nlog(1 - x/(x + k))", [(1e5, 1e-20), (1.0, 1e-10), (2.5, 0.5)])

# -- entropies of masked scores ----------------------------------------------------------------

MASKED = [
    {"Q": [[0.5, 1.0, -2.0], [0.0, 0.0, 3.0]], "M": [[0.0, -float("inf"), 0.0], [0.0, 0.0, 0.0]]}
]
programs("Q: param[N, C]; M: data[N, C]", """
    A = softmax(Q + M); sum(A*log(A))
    -sum(softmax(Q + M)*log_softmax(Q + M))
    L = log_softmax(Q + M); -sum(exp(L)*L)
    A = softmax(Q + M); sum(A*(0.5*log(A) - Q))
    A = softmax(where(M < 0, -inf, Q)); -mean(sum(A*log(A), axis=1))
""", MASKED)  # fmt: skip

# -- counts of which the variance is large, or hardly larger than the mean ------------------------

programs("r: param; m: positive[N]; k: data[N]", """
    -sum(r*log(r/(r + m)) + k*log(m/(r + m)))
    sum(r*log(r/(m + r)))
""", [{"r": r, "m": [0.5, 30.0], "k": [0.0, 2.0]} for r in (0.25, 100.0, 1e5, 1e10)])  # fmt: skip

# -- mixtures of what happens and what does not, Bayes' rule ---------------------------------------

several("p t", """
    -log(p*t + (1-p)*(1-t))
    p*t/(p*t + (1-p)*(1-t))
    1/(p*(1-t) + t*(1-p))
""", [(1e-20, 1.0), (1e-8, 1 - 2.0**-20), (1.0, 1.0), (1e-10, 1e-10), (0.25, 0.5)])  # fmt: skip

# -- exponentials with weights of any sign over their sum: averages of Z near 1000 ---------------

WEIGHED = [{"Z": Z, "M": [[1.0, -0.5, 2.0], [0.25, 0.0, 1.0]]} for Z in (
    [[100.0, -100.0, 90.0], [-200.0, -201.0, -199.0]],
    [[500.0, -300.0, 1000.0], [-1000.0, -1001.0, -999.0]],
    [[0.5, 1.0, -2.0], [0.0, 0.0, 3.0]],
)]  # fmt: skip
programs("Z: real[N, C]; M: data[N, C]", """
    E = exp(Z)*M; sum(E/sum(E, axis=1, keepdims=True)*arange(C))
    P = M*exp(Z); P = P/sum(P, axis=0, keepdims=True); sum(P*arange(C))
""", WEIGHED)  # fmt: skip
programs("Z: real[N, C]; M: data[N, C]", """
    P = M*exp(Z); P = P/sum(P, axis=1, keepdims=True); sum(P*Z)
    sum(sum(M*exp(Z)*Z, axis=1)/sum(M*exp(Z), axis=1))
    sum(sum(Z*M*exp(Z), axis=0)/sum(M*exp(Z), axis=0))
    sum(M*exp(Z)*Z)/sum(M*exp(Z))
    E = M*exp(Z); S[i] = sum(E[i,j] for j in C); sum(E[i,j]/S[i]*Z[i,j] for i in N for j in C)
""", WEIGHED, slack=1000)  # fmt: skip
MASKS = [{**p, "M": [[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]} for p in WEIGHED]
MASKS.append(
    {"Z": [[80.0, -30.0, 1.0], [60.0, -40.0, -41.0]], "M": [[0.0, 1.0, 0.0], [0.0, 1.0, 1.0]]}
)
programs("Z: real[N, C]; M: binary[N, C]", """
    sum(sum(M*exp(Z)*Z, axis=1)/sum(M*exp(Z), axis=1))
""", MASKS, slack=1000)  # fmt: skip

# -- the operators of the table ------------------------------------------------------------------------------

ONE = {"R": HUGE, "a > 0": POSITIVE, "a >= 0": POSITIVE, "0 < a < 1": INSIDE,
       "a > -1": (*POSITIVE, 0.0, -0.5, -1e-20)}  # fmt: skip
GRID = tuple(k / 8 for k in range(-61, 62, 3))
OTHERS = {"leaky_relu": (0.25,), "prelu": (0.25,), "elu": (1.0, 2.0), "celu": (1.0, 2.0),
          "hardshrink": (0.375,), "softshrink": (0.375,), "swish": (1.0, 2.0), "logaddexp": (0.0, 1000.0),
          "huber": (0.25,), "smooth_l1": (0.25,), "mse": (0.5,), "l1": (0.375,), "bce_with_logits": (0.0, 1.0),
          "hinge": (1.0, -1.0), "soft_margin": (1.0, -1.0), "squared_margin": (1.0, -1.0),
          "maximum": (0.75,), "minimum": (0.75,), "add": (0.5,), "sub": (0.5,), "mul": (0.5,), "div": (3.0,)}  # fmt: skip
REDUCED = ("sum", "mean", "amax", "amin", "prod", "var", "std", "norm", "logsumexp")


def of_the_table() -> list[Case]:
    """Make a case of every operator that is typed by its name."""
    made = []
    for row in OPS.values():
        high = bounds(row)[1]
        if row.hidden or row.dtype == "bool":
            continue
        if row.shape == "elementwise" and high == 1 and row.domain in ONE:
            line = (*GRID, *ONE["R"]) if row.domain == "R" else ONE[row.domain]
            made.append(Case(f"{row.name}(a)", tuple({"a": v} for v in line)))
        elif row.name in OTHERS:
            points = [{"a": v, "b": w} for v in HUGE for w in OTHERS[row.name]]
            made.append(Case(f"{row.name}(a, b)", tuple(points)))
        elif row.name in REDUCED:
            slack = 1e3 if row.name in ("var", "std") else 1  # the mean of numbers near 1e4
            made.append(Case(f"s: real[C]; {row.name.removeprefix('a')}(s)", tuple(S), slack))
    for name in ("softmax", "log_softmax"):
        made.append(Case(f"s: real[C]; sum({name}(s)*(1 + arange(C)))", tuple(S)))
    return made


CASES += [case for case in of_the_table() if case.text not in {c.text for c in CASES}]

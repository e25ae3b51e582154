"""Functions of mathematics, NumPy and other programs, and how each of them is written here."""

import ast
import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from symgrad.errors import ParseError, SymgradError
from symgrad.parse.syntax import UNREADABLE, expression_tree
from symgrad.parse.trial import LONGEST, filled, tried

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader, Tree

INDICES = {"argmax": "max(x)", "argmin": "min(x)", "argsort": "softmax(x)"}
FORMULAS = """
    ln(x)                = log({x}); the natural logarithm
    lg(x) log10(x)       = log({x})/log(10)
    log_2(x) ld(x)       = log2({x})
    sigma(x) σ(x)        = sigmoid({x})
    Σ(x) ∑(x)            = sum({x})
    Π(x) ∏(x)            = prod({x})
    logistic(x) expit(x) = sigmoid({x})
    logit(p)             = log({p}/(1 - {p}))
    power(a, b)          = {a}**{b}
    sgn(x)               = sign({x})
    root(x, n)           = {x}**(1/{n})
    cbrt(x)              = sign({x})*abs({x})**(1/3); {x}**(1/3) will do where {x} > 0
    sqr(x) sq(x)         = {x}**2
    sumsq(x)             = sum({x}**2)
    hypot(a, b)          = sqrt({a}**2 + {b}**2)
    tg(x)                = tan({x})
    cot(x) ctg(x)        = 1/tan({x})
    sec(x)               = 1/cos({x})
    csc(x)               = 1/sin({x})
    sh(x)                = sinh({x})
    ch(x)                = cosh({x})
    th(x)                = tanh({x})
    coth(x)              = 1/tanh({x})
    sech(x)              = 1/cosh({x})
    csch(x)              = 1/sinh({x})
    asin(x) arcsin(x)    = arctan({x}/sqrt(1 - {x}**2))
    acos(x) arccos(x)    = pi/2 - arctan({x}/sqrt(1 - {x}**2))
    arctg(x)             = arctan({x})
    arctan2(y, x) atan2(y, x) = arctan({y}/{x}); where {x} > 0 only, the language has no arctan2
    arcsinh(x) arsinh(x) = asinh({x})
    arccosh(x) acosh(x) arcosh(x) = log({x} + sqrt({x}**2 - 1))
    arctanh(x) atanh(x) artanh(x) = (log1p({x}) - log1p(-{x}))/2
    erfc(x)              = 1 - erf({x}); it has few digits left where erf({x}) is close to 1
    Phi(x) Φ(x) ndtr(x)  = normal_cdf({x})
    heaviside(x) step(x) = {x} > 0; which is 1 or 0
    ceil(x)              = -floor(-{x})
    round(x)             = floor({x} + 0.5); halves go up
    trunc(x) int(x)      = sign({x})*floor(abs({x}))
    mod(a, b) fmod(a, b) = {a} - {b}*floor({a}/{b})
    average(x) avg(x)    = mean({x})
    ce(S, y)             = cross_entropy({S}, {y})
    rmse(p, t)           = sqrt(mse({p}, {t}))
    relative(a, b)       = {a}/{b}
    inverse(A)           = inv({A})
    tr(A)                = trace({A})
    norm2(x)             = norm({x})
    slogdet(A)           = logdet({A}); it is slogdet({A})[1]
    pinv(X)              = inv({X}.T @ {X}) @ {X}.T; if no column of {X} depends on the others
    lstsq(X, y)          = solve({X}.T @ {X}, {X}.T @ {y})
    inner(x, y) vdot(x, y) = {x} @ {y}
    mm(A, B) mv(A, B)    = {A} @ {B}
    bmm(A, B)            = {A} @ {B}
    hadamard(a, b) multiply(a, b) = {a}*{b}
    add(a, b)            = {a} + {b}
    subtract(a, b)       = {a} - {b}
    divide(a, b)         = {a}/{b}
    flatten(x) ravel(x)  = reshape({x}, (-1,))
    expand_dims(x) unsqueeze(x) = {x}[:, None]
    squeeze(x)           = {x}[:, 0]
    flip(x)              = {x}[::-1]
    diff(x)              = {x}[1:] - {x}[:-1]
    roll(x)              = concatenate(({x}[-1:], {x}[:-1]))
    all(c)               = min(where({c}, 1, 0)); 1 or 0
    any(c)               = max(where({c}, 1, 0)); 1 or 0
    count_nonzero(x)     = sum({x} != 0)
    transposed(A)        = {A}.T
"""  # one of a few names, and the formula in the arguments that were typed; a remark
FUNCTIONS = {
    # what cannot be written with the arguments that were typed
    "conv": "correlate(x, w), or convolve(x, w)", "conv1d": "correlate(x, w), or convolve(x, w)",
    "conv2d": "correlate(x, w) of two vectors; there are no images", "linear": "x @ W + b",
    "dense": "x @ W + b", "size": "the dimension's name, as in sum(x)/N",
    "len": "the dimension's name, as in sum(x)/N", "range": "arange(N), or  for i in N",
    "zeros": "zeros_like(x), or the number 0, which broadcasts",
    "ones": "ones_like(x), or the number 1, which broadcasts", "identity": "eye(N)",
    "full_like": "the number itself, which broadcasts",
    "if": "where(condition, a, b)", "ifelse": "where(condition, a, b)",
    "cases": "where(condition, a, b)", "factorial": "prod(arange(N) + 1)",
    "float": "x as it is: all numbers are floats",
    "cov": "Z.T @ Z/N  with a line  Z = X - mean(X, axis=0)  before it",
    "attention": "softmax(Q @ K.T/sqrt(D)) @ V", "embedding": "W[y]  with labels  y: labels[N, V]",
    "scaled_dot_product_attention": "softmax(Q @ K.T/sqrt(D)) @ V",
    "kron": "reshape(einsum('ij,kl->ikjl', A, B), (N*K, M*L)) for A (N, M) and B (K, L)",
    "broadcast_to": "x as it is: arrays broadcast by themselves",
    "cross": "stack((a[1]*b[2] - a[2]*b[1], a[2]*b[0] - a[0]*b[2], a[0]*b[1] - a[1]*b[0]))",
    "gather": "S[arange(N), y]  with labels  y: labels[N, C]",
    "take_along_axis": "S[arange(N), y]  with labels  y: labels[N, C]",
    "vstack": "concatenate((A, B), axis=0), or stack((x, y)) of vectors",
    "hstack": "concatenate((A, B), axis=1), or concatenate((x, y)) of vectors",
}  # fmt: skip
SAME = {  # functions whose arguments are those of one here
    "clamp": "clip", "permute": "transpose", "swapaxes": "transpose", "cat": "concatenate",
    "reduce_mean": "mean", "reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min",
    "reduce_logsumexp": "logsumexp", "absolute": "abs", "concat": "concatenate",
    "movedim": "transpose", "view": "reshape",
}  # fmt: skip
DECOMPOSED = "the language has no eigenvalues and no factors; inv, det, logdet and solve are there"
ORDERED = "the language puts nothing in order; max(x), min(x) and logsumexp(x) are there"
NONE = {
    # what there is no way for, and what there is instead
    **dict.fromkeys(("eig", "eigh", "eigvals", "eigvalsh", "svd", "qr", "lu", "cholesky",
                     "svdvals", "matrix_rank", "cond"), DECOMPOSED),
    **dict.fromkeys(("sort", "sorted", "median", "quantile", "percentile", "topk", "unique",
                     "histogram", "searchsorted", "ptp", "cummax"), ORDERED),
    "expm": "the language has no exponential of a matrix; exp(A) takes that of each entry",
    "logm": "the language has no logarithm of a matrix; logdet(A) is that of its determinant",
    "sqrtm": "the language has no root of a matrix; sqrt(A) takes that of each entry",
    "tile": "the language repeats nothing, arrays broadcast; concatenate((x, x)) has x twice",
    "repeat": "the language repeats nothing, arrays broadcast; concatenate((x, x)) has x twice",
    "one_hot": "the language makes none of numbers; declare  y: onehot[N, C]  or labels[N, C]",
    "onehot": "it is a kind of input; declare  y: onehot[N, C]",
    "phi": "declare  phi: function  and phi(x) is abstract; normal_pdf(x) is a normal density",
    "psi": "declare  psi: function  and psi(x) is abstract",
    "isnan": "the language has no tests for NaN; where(condition, a, b) chooses",
    "nan_to_num": "the language has no tests for NaN; where(condition, a, b) chooses",
    "cumprod": "the language has cumsum; for positive x it is exp(cumsum(log(x)))",
    "gamma": "the language has no gamma function", "lgamma": "the language has no gamma function",
    "gammaln": "the language has no gamma function",
}  # fmt: skip
GIVEN = ("array", "linspace", "random", "randn", "rand", "normal", "uniform", "matrix", "tensor",
         "list", "load", "logspace")  # fmt: skip
PYTHON = (
    "print", "input", "eval", "exec", "open", "compile", "getattr", "setattr", "delattr", "hasattr",
    "globals", "locals", "vars", "dir", "type", "object", "super", "help", "breakpoint", "exit",
    "quit", "memoryview", "bytes", "str", "isinstance", "map", "filter", "zip", "id", "callable",
    "Symbol", "Function", "sympify", "lambdify", "enumerate", "iter", "next", "repr",
)  # fmt: skip


def _table() -> dict[str, tuple[list[str], str]]:
    found = {}
    for line in FORMULAS.strip().split("\n"):
        typed, _, formula = line.partition(" = ")
        for name, letters in re.findall(r"(\w+)\(([^)]*)\)", typed):
            found[name] = letters.split(", "), formula.strip()
    return found


TABLE = _table()


def instead(reader: "Reader", name: str, given: Sequence[str]) -> str:
    """Say how a function of another program is written here, with the arguments it was given."""
    name = name if name in TABLE or name in FUNCTIONS or name in NONE else name.lower()
    if name in NONE:
        return NONE[name]
    if name in FUNCTIONS:
        return f"write {FUNCTIONS[name]}"
    if name == "matrix_power":
        return _powers(reader, given)
    if name in SAME:
        return accepted(reader, SAME[name], given)
    if name not in TABLE:
        return ""
    letters, template = TABLE[name]
    typed = dict(zip(letters, given, strict=False))
    if len(typed) == len(letters):
        text = filled(template, typed)
        if not isinstance(tried(reader, text.split(";")[0]), SymgradError):
            return f"write {text}"
    return f"write {filled(template, {x: x for x in letters})}"


def accepted(reader: "Reader", name: str, given: Sequence[str]) -> str:
    """Say how a call is written: as it is accepted here, or as its own hint says."""
    text = f"{name}({', '.join(given)})"
    short = text if len(text) < 60 and "…" not in text else f"{name}(…)"
    if any(isinstance(tried(reader, typed), SymgradError) for typed in given if _is_value(typed)):
        return f"write {short}"
    found = tried(reader, text)
    told = isinstance(found, SymgradError) and found.hint.startswith(("write ", "declare "))
    return found.hint if told and isinstance(found, SymgradError) else f"write {short}"


def _is_value(text: str) -> bool:
    """Tell a value from a tuple of axes, None and an argument that has a name."""
    try:
        tree = expression_tree(text).body
    except UNREADABLE:
        return "=" not in text
    return not isinstance(tree, ast.Tuple | ast.List | ast.Constant)


def _powers(reader: "Reader", given: Sequence[str]) -> str:
    """Write a power of a matrix as a product."""
    base = given[0] if given else "A"
    power = given[1] if len(given) > 1 else "2"
    if power == "-1":
        return f"write inv({base})"
    times = int(power) if power.isdecimal() and 1 < int(power) < 6 else 2
    text = filled(" @ ".join(["{a}"] * times), {"a": base})
    return f"write {text}" if str(times) == power else f"write {text} for the power 2"


def unknown(reader: "Reader", tree: "Tree", name: str, call: ast.Call | None = None) -> ParseError:
    """Say that a function is unknown, with the nearest name and how to define it."""
    message = f"unknown function '{name[:80]}'"
    if name in INDICES:
        said = f"'{name}' gives places, which have no derivative"
        return reader.error(tree, said, f"{INDICES[name]} has one; zero_one(S, y) counts mistakes")
    if name.startswith("__"):
        return reader.error(tree, message, "names do not begin with two underscores; nothing of "
                            "Python can be called")  # fmt: skip
    if name in PYTHON:
        return reader.error(tree, message, "only functions of the language can be called; the "
                            "last line is the output")  # fmt: skip
    if name in GIVEN:
        return reader.error(tree, message, "give arrays through shapes=, and name them in the text")
    given = arguments(reader, call) if call is not None else []
    if hint := instead(reader, name, given):
        return reader.error(tree, message, hint)
    if name in reader.dims:
        return reader.error(tree, f"'{name}' is a dimension and cannot be called",
                            f"write {name}*(…) for a product")  # fmt: skip
    return reader.error(tree, message, _nearest(name))


def arguments(reader: "Reader", call: ast.Call) -> list[str]:
    """Give the arguments of a call as they are typed."""
    return [reader.quoted(a, LONGEST) for a in (*call.args, *call.keywords)]


def _nearest(name: str) -> str:
    """Name the function that is spelt most like a name, and how to define a new one."""
    from symgrad.parse.calls import known_functions

    short, known = name[:40], known_functions()
    same = [k for k in known if k.replace("_", "") == name.lower().replace("_", "")]
    # a short name is near to too much
    close = same or difflib.get_close_matches(short, [k for k in known if len(k) > 2], 5)
    # swapped letters are the likeliest slip, then a wrong letter, then a missing one
    close.sort(key=lambda n: (sorted(n) != sorted(name), len(n) != len(name)))
    hint = f"did you mean '{close[0]}'?  " if close else ""
    if len(name) == 1 and not close:
        hint = "write x.T for a transpose, " if name in "tT" else "write "
        hint += f"{name}*(…) for a product, {name}[…] for an entry, or declare  {name}: "
        hint += "function.  "
    return f'{hint}symgrad.activation("{short}", "…") defines a new one.'

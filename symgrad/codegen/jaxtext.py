"""Say NumPy text to JAX, where arrays cannot be changed and a branch cannot look at values."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import accumulate
from textwrap import dedent, indent
from typing import Any

# What jax.numpy has under NumPy's name, with NumPy's meaning.
SAME = re.findall(r"\w+", """
abs add all any arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin
asarray bool_ broadcast_to cbrt ceil clip concatenate convolve copysign correlate cos cosh
cumprod cumsum diag diagonal divide dot e einsum equal exp exp2 expand_dims expm1 eye fabs finfo
flip float16 float32 float64 floor floor_divide fmax fmin frexp full full_like gcd
greater greater_equal heaviside hypot identity inf int32 int64 isfinite isinf isnan kron
ldexp less less_equal linspace log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not
logical_or logical_xor matmul max maximum mean min minimum mod moveaxis multiply nan nan_to_num ndim
negative newaxis nextafter not_equal ones ones_like outer pad pi power prod ptp ravel reciprocal
remainder repeat reshape result_type rint roll s_ sign signbit sin sinc sinh size sqrt square
squeeze stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile trace
transpose tri tril triu trunc var vdot vecdot vstack where zeros zeros_like
""")  # fmt: skip
LINALG = ("cholesky", "det", "inv", "norm", "qr", "slogdet", "solve")
REDUCED = {"add": "jnp.sum", "multiply": "jnp.prod", "maximum": "jnp.max", "minimum": "jnp.min",
           "logaddexp": "jax.nn.logsumexp"}  # fmt: skip
# These take a tuple first, of arrays or of sizes; others would compute with Python's numbers.
TUPLES = ("asarray", "concatenate", "full", "ones", "result_type", "stack", "vstack", "zeros")
Edit = tuple[int, int, str]  # the bytes from, to, and what stands there instead


class UntranslatableError(Exception):
    """Say which part of a NumPy text has no counterpart."""


@lru_cache(maxsize=512)
def translated(text: str) -> str:
    """Write NumPy text, an expression or functions, for JAX.

    >>> translated("np.add.at(result, places, np.exp(x)[()])")
    'result = result.at[places].add(jnp.exp(x))'
    >>> translated("found[near] = series(x[near])")
    'found = jnp.where(near, series(x), found)'
    """
    for change in (_unguarded, _chosen):
        while changed := change(text):
            text = changed
    tree, data = ast.parse(text), text.encode()
    starts = [0, *accumulate(len(line) + 1 for line in data.split(b"\n"))]

    def span(node: Any) -> tuple[int, int]:
        first, last = starts[node.lineno - 1], starts[node.end_lineno - 1]
        return first + node.col_offset, last + node.end_col_offset

    edits = [e for node in ast.walk(tree) for e in _edits(node, span)]
    pieces, reached = [], 0
    for begin, end, new in sorted(edits, key=lambda e: (e[0], -e[1])):
        if begin >= reached:  # what lies inside another edit is gone already
            pieces += [data[reached:begin], new.encode()]
            reached = end
    result = b"".join([*pieces, data[reached:]]).decode()
    _refuse(result)
    return result


def _edits(node: ast.AST, span: Callable[[ast.AST], tuple[int, int]]) -> Iterator[Edit]:
    """Say what is written otherwise: calls by JAX's names, changes in place by `at`."""
    begin, end = span(node) if isinstance(node, ast.expr | ast.stmt) else (0, 0)

    def at(name: str, key: ast.AST, x: ast.AST, how: str) -> Iterator[Edit]:
        yield begin, span(key)[0], f"{name} = {name}.at["
        yield span(key)[1], span(x)[0], f"].{how}("
        yield span(x)[1], end, ")"

    def chosen(x: ast.AST, key: str) -> list[ast.Subscript]:
        parts = (n for n in ast.walk(x) if isinstance(n, ast.Subscript))
        return [n for n in parts if isinstance(n.slice, ast.Name) and n.slice.id == key]

    match node:
        case ast.Expr(ast.Call(func, [ast.Name(name), key, x])) if _behind(func) == "add.at":
            yield from at(name, key, x, "add")
        case ast.Assign([ast.Subscript(ast.Name(name), ast.Name(key))], x) if chosen(x, key):
            yield begin, span(x)[0], f"{name} = jnp.where({key}, "
            yield from ((span(part.value)[1], span(part)[1], "") for part in chosen(x, key))
            yield end, end, f", {name})"  # computed everywhere, taken where it is asked for
        case ast.Assign([ast.Subscript(ast.Name(name), key)], x):
            yield from at(name, key, x, "set")
        case ast.AugAssign(ast.Subscript(ast.Name(name), key), ast.Add(), x):
            yield from at(name, key, x, "add")
        case ast.Subscript(kept, ast.Tuple([])) | ast.Call(ast.Attribute(kept, "copy"), []):
            yield span(kept)[1], end, ""  # JAX's numbers are arrays, and arrays never change
        case ast.Call(func, [kept], []) if _behind(func) == "array":
            yield begin, span(kept)[0], ""  # a copy that may be changed
            yield end - 1, end, ""
        case ast.Call(func, args, keywords) if _behind(func).endswith(".reduce"):
            new = REDUCED.get(_behind(func).removesuffix(".reduce"), "np")
            yield *span(func), new
            if len(args) == 1 and not any(k.arg == "axis" for k in keywords):
                yield end - 1, end, ", axis=0)"
        case ast.Attribute(ast.Name("np"), name) if name in SAME:
            yield begin, begin + 2, "jnp"
        case ast.Attribute(ast.Attribute(ast.Name("np"), "linalg"), name) if name in LINALG:
            yield begin, begin + 2, "jnp"


def _behind(node: ast.AST) -> str:
    """Give what stands behind `np.` in a dotted name, "" for anything else."""
    name, _, rest = (ast.unparse(node) if isinstance(node, ast.Attribute) else "").partition(".")
    return rest if name == "np" else ""


def _refuse(text: str) -> None:
    """Raise where a translation still holds what a traced function must not do."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Name("np") | ast.While() | ast.With() | ast.Delete() | ast.Try():
                fault = True
            case ast.Subscript(ctx=ast.Store()):
                fault = True
            case ast.Attribute(ast.Attribute(ast.Name("jnp"), name)):
                fault = name != "linalg"  # a method of a ufunc
            case ast.If(test) | ast.IfExp(test):
                fault = not _static(test)
            case ast.Call(ast.Attribute(ast.Name("jnp"), name), [ast.Tuple() | ast.List(), *_]):
                fault = name not in TUPLES
            case _:
                fault = False
        if fault:
            raise UntranslatableError(ast.unparse(node).split("\n")[0])


def _static(test: ast.expr) -> bool:
    """Say whether a condition is about options, not about values."""
    match test:
        case ast.Name() | ast.Constant():
            return True
        case ast.UnaryOp(ast.Not(), inner):
            return _static(inner)
        case ast.BoolOp(_, parts):
            return all(map(_static, parts))
        case ast.Compare(left, [ast.Is() | ast.IsNot()]):
            return _static(left)
    return False


def _unguarded(text: str) -> str:
    """Take the body out of the first `with np.errstate(…):`; JAX raises no warnings."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.With) and all(
            isinstance(i.context_expr, ast.Call) and _behind(i.context_expr.func) == "errstate"
            for i in node.items
        ):
            lines, margin = text.split("\n"), " " * node.col_offset
            first, last = node.body[0].lineno - 1, node.end_lineno or 0
            inner = indent(dedent("\n".join(lines[first:last])), margin)
            return "\n".join([*lines[: node.lineno - 1], inner, *lines[last:]])
    return ""


def _chosen(text: str) -> str:
    """Make `jax.lax.cond` of the first early return that depends on values."""
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for k, node in enumerate(function.body[:-1]):
            match node:
                case ast.If(test, [ast.Return()], []) if not _static(test):
                    return _split(text, function, k)
    return ""


def _split(text: str, function: ast.FunctionDef, k: int) -> str:
    early, rest = function.body[k], function.body[k + 1 :]
    assert isinstance(early, ast.If)
    known = {a.arg for a in ast.walk(function.args) if isinstance(a, ast.arg)}
    known |= {n.id for s in function.body[:k] for n in _stored(s)}
    if any(n.id in known for s in rest for n in _stored(s)):
        raise UntranslatableError(f"if {ast.unparse(early.test)}")
    test, first, second = early.test, "usual", "otherwise"
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):  # no truth of traced values
        test, first, second = test.operand, second, first
    lines, end = text.split("\n"), function.end_lineno or 0
    inner = dedent("\n".join(lines[early.end_lineno : end]))
    parts = ["", "def usual():", indent(ast.unparse(early.body[0]), "    "), "",
             "def otherwise():", indent(inner, "    "), "",
             f"return jax.lax.cond({ast.unparse(test)}, {first}, {second})"]  # fmt: skip
    new = indent("\n".join(parts), " " * early.col_offset)
    return "\n".join([*lines[: early.lineno - 1], new, *lines[end:]])


def _stored(statement: ast.AST) -> Iterator[ast.Name]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node

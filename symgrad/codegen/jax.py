"""Write a JAX module: the lines of the NumPy module, as a pure function.

The operators' rows hold NumPy text; `translated` says the same to JAX, where arrays cannot be
changed and a Python branch cannot look at values. A row whose text cannot be said so is written by
its portable template or by its formula.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate
from textwrap import dedent, indent
from typing import Any

from symgrad.codegen.numpy import BUILTIN
from symgrad.codegen.numpy import Module as NumpyModule
from symgrad.codegen.plan import Plan
from symgrad.codegen.selfcheck import Comparison
from symgrad.errors import UsageError
from symgrad.formula.code import Writer
from symgrad.graph import Node, rebuild, topological
from symgrad.ops import OPS, remake
from symgrad.ops.spec import sized
from symgrad.parse import formula

TARGET = "JAX"
# What jax.numpy has under NumPy's name, with NumPy's meaning.
SAME = re.findall(r"\w+", """
abs add all any arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin
asarray bool_ broadcast_to cbrt ceil clip concatenate convolve copysign correlate cos cosh
cumprod cumsum diag diagonal divide dot e einsum equal exp exp2 expand_dims expm1 eye fabs finfo
flip float16 float32 float64 floor floor_divide fmax frexp full full_like gcd greater greater_equal
heaviside hypot identity inf int32 int64 isfinite isinf isnan kron ldexp less less_equal
linspace log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or
logical_xor matmul max maximum mean min minimum mod moveaxis multiply nan nan_to_num ndim
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
SWITCH = "jax.config.update('jax_enable_x64', True)"
NUMPY = "    import numpy as np\n\n"
COMPARED = Comparison(
    text='''

def difference(name, rng):
    """Compare one gradient at a random point with what JAX derives from the value alone."""
    import numpy as np

{drawn}
{called}    _, grads = compiled(**at)
    own = jax.grad(lambda x: {function}(**{{**at, {key}: x}})[0])(jnp.asarray(at[{key}], {step}))
{symmetric}    return float(jnp.max(abs(own - grads[name])) / max(1, jnp.max(abs(own))))
''',
    others="JAX's own", doubt="at a kink both may choose another slope",
    tolerances={"float64": ("float", "1e-9"), "float32": ("jnp.float32", "1e-3")},
    before={"float64": f"{NUMPY}    {SWITCH}\n", "float32": NUMPY},
)  # fmt: skip
SLOT = re.compile(r"\{(\w+)(?::\d+)?\}")
Edit = tuple[int, int, str]  # the bytes from, to, and what stands there instead


class UntranslatableError(Exception):
    """Say which part of a NumPy text has no counterpart."""


@lru_cache(maxsize=512)
def translated(text: str) -> str:
    """Write NumPy text, an expression or functions, for JAX.

    >>> translated("np.add.at(result, places, np.exp(x)[()])")
    'result = result.at[places].add(jnp.exp(x))'
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

    match node:
        case ast.Expr(ast.Call(func, [ast.Name(name), key, x])) if _behind(func) == "add.at":
            yield from at(name, key, x, "add")
        case ast.Assign([ast.Subscript(ast.Name(name), key)], x):
            yield from at(name, key, x, "set")
        case ast.AugAssign(ast.Subscript(ast.Name(name), key), ast.Add(), x):
            yield from at(name, key, x, "add")
        case ast.Subscript(kept, ast.Tuple([])) | ast.Call(ast.Attribute(kept, "copy"), []):
            yield span(kept)[1], end, ""  # JAX's numbers are arrays, and arrays never change
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
    lines, end = text.split("\n"), function.end_lineno or 0
    inner = dedent("\n".join(lines[early.end_lineno : end]))
    parts = ["", "def usual():", indent(ast.unparse(early.body[0]), "    "), "",
             "def otherwise():", indent(inner, "    "), "",
             f"return jax.lax.cond({ast.unparse(early.test)}, usual, otherwise)"]  # fmt: skip
    new = indent("\n".join(parts), " " * early.col_offset)
    return "\n".join([*lines[: early.lineno - 1], new, *lines[end:]])


def _stored(statement: ast.AST) -> Iterator[ast.Name]:
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node


@lru_cache(maxsize=2048)
def _fault(text: str) -> str:
    """Say what in a text cannot be translated, "" if nothing."""
    try:
        translated(text)
    except UntranslatableError as error:
        return str(error)
    return ""


class JaxWriter(Writer):
    """Write nodes as NumPy text that can be translated."""

    def _template(self, node: Node) -> str:
        return self.spelling(node)[0]

    def spelling(self, node: Node) -> tuple[str, str]:
        """Choose the template of a node, and say what in it cannot be translated, "" if nothing."""
        row, used = OPS[node.op], dict(self.used)
        text = super()._template(node)
        fault = self._fault(text)
        if not fault or not row.portable:
            return text, fault
        self.used = used
        text = row.portable(node) if callable(row.portable) else row.portable
        self.called(text)
        text = sized(text, lambda name: self.sizes.get(name, name))
        return text, fault and self._fault(text)

    def _fault(self, template: str) -> str:
        called = (_helper(op, self.accurate) for op in self._calls.findall(template))
        return next(filter(None, map(_fault, (SLOT.sub(r"\1", template), *called))), "")


def _helper(op: str, accurate: bool) -> str:
    row = OPS[op]
    text = row.precise_helper if accurate and row.precise_helper else row.helper
    # the widest float that JAX has: without 64 bits it would warn of float64 and take float32
    return re.sub(r"\bnp\.float64\b(?!\()", "float", text or row.precise_helper)


class Module(NumpyModule):
    """Write one program as a JAX module."""

    taken = (*BUILTIN, "jax", "jnp")
    needs = "JAX only"
    numbers = False
    writer = JaxWriter

    def source(self) -> str:
        """Give the text of the module."""
        return f"{super().source()}\n\ncompiled = jax.jit({self.name})\n"

    def _title(self) -> str:
        wide = f"64-bit floats must be on in JAX: {SWITCH}\n"
        return super()._title() + (f"\n\n{wide}" if self.dtype == "float64" else "")

    def _imports(self, helpers: list[str]) -> list[str]:
        return ["import jax", "import jax.numpy as jnp", ""]

    def _helper(self, op: str) -> str:
        return translated(_helper(op, self.accurate))

    def _decorators(self) -> list[str]:
        return []

    def _remarks(self) -> list[str]:
        found = ["", "    A pure function for jax.jit, jax.vmap and sharded arrays; `compiled` is"
                     " jitted."]  # fmt: skip
        if any(n.dtype == "int" for n in self.inputs):
            found += ["    JAX raises no error for a label that is out of range."]
        return found

    def _converted(self) -> list[str]:
        check = ["    if jnp.result_type(float) != jnp.float64:",
                 f'        raise ValueError("float64 is off in JAX: {SWITCH}")']  # fmt: skip
        return [*(check if self.dtype == "float64" else []), *super()._converted()]

    def _number(self, node: Node, name: str) -> str:
        kind = "int32" if node.dtype == "int" else self.dtype
        return f"jnp.asarray({name}, dtype=jnp.{kind})"

    def _copied(self, code: str) -> str:
        return code

    def _spelled(self, code: str) -> str:
        return translated(code)

    def _fresh(self, node: Node, code: str, writer: Writer) -> str:
        number = node.dtype == "int" or (node.dtype == "float" and not writer.strong(node))
        return f"np.asarray({code}, dtype=np.{self.dtype})" if node.shape and number else code


def _translatable(plan: Plan, accurate: bool) -> Plan:
    """Write the operators that cannot be translated by their formulas."""
    writer = JaxWriter(portable=False, accurate=accurate)

    def fault(node: Node) -> str:
        return "" if node.op in ("input", "const", "dim") else writer.spelling(node)[1]

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = fault(fresh)
        if not found:
            return fresh
        inner = formula(fresh)
        if inner is None:
            raise UsageError(
                f"the operator {node.op} cannot be written for JAX: {found}",
                hint=f"its row needs a formula or a portable template: {OPS[node.op].place}",
            )
        return rebuild([inner], change, {a: a for a in fresh.args})[inner]

    roots = [plan.value, *plan.grads.values()]
    if not any(map(fault, topological(roots))):
        return plan
    memo = rebuild(roots, change)

    def moved(table: dict[Node, str]) -> dict[Node, str]:
        return {memo.get(n, n): name for n, name in table.items()}

    grads = {name: memo[n] for name, n in plan.grads.items()}
    lines = tuple(dict.fromkeys(memo[n] for n in plan.lines))
    return replace(plan, value=memo[plan.value], grads=grads, lines=lines,
                   names=moved(plan.names), heads=moved(plan.heads))  # fmt: skip


def write(plan: Plan, dtype: str = "float64", accurate: bool = False) -> tuple[str, Module]:
    """Write a plan as the text of a JAX module."""
    module = Module(_translatable(plan, accurate), dtype, accurate)
    return module.source(), module

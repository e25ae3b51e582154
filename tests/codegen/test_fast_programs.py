"""Style fast against style readable on random programs over named dimensions.

More of them: `SYMGRAD_PROGRAMS=5000 pytest tests/codegen/test_fast_programs.py`. A failure names
its number; `program(number)` gives the text.
"""

import os
import random
import re
import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import symgrad as sg
from symgrad.codegen import build
from symgrad.codegen.fast.costs import DEFAULTS
from symgrad.graph import Graph
from tests.codegen.test_fast import ODD, PROGRAMS, SINGLE, TINY, agree, fresh, numbers, results
from tests.rewrite.test_random_programs import DECLARED, ONCE_WRONG, point, programs

COUNT = int(os.environ.get("SYMGRAD_PROGRAMS", "150"))
GROUP = 25
COSTS = (TINY, DEFAULTS, SINGLE)
Names = tuple[str, ...]

UNARY = (
    "tanh({})", "sigmoid({})", "relu({})", "exp(tanh({}))", "log({}**2 + 1)", "-{}", "{}**2",
    "sin({})", "softplus({})", "1/(1 + exp(-{}))", "sqrt({}**2 + 0.5)", "abs({})", "{}**3",
    "({}**2 + 1)**(-2)", "({}**2 + 1)**0.5", "softsign({})", "gelu({})", "clip({}, -0.7, 0.9)",
    "2*{}", "{}/3", "(1 - {})", "where({} > 0.1, sqrt({}), {})", "where({} < -0.1, 1/{}, 0)",
    "elu({})", "hardswish({})", "({} > 0.1)*exp(tanh({}))", "({} > 0.2)", "sign({})", "x*{}",
    "{}/(x**2 + 1)", "exp(-{}**2)", "(1 + {} > 0)*2.5", "floor({})", "logsigmoid({})",
)  # fmt: skip
BINARY = (
    "({} + {})", "({} - {})", "{}*{}", "{}/({}**2 + 1)", "maximum({}, {})", "minimum({}, {})",
    "{}*sigmoid({})", "({} - {})**2", "({} > {})", "where({} > 0, {}, 0.5)", "({0} >= {1})*{1}",
    "where({0} > {1}, {1}, {0}**2)",
)  # fmt: skip
ALONG = ("sum", "mean", "max", "min", "logsumexp", "var", "norm", "prod", "std")
LIKE = (
    "softmax({0}, axis={1})", "log_softmax({0}, axis={1})", "cumsum({0}, axis={1})",
    "({0} - max({0}, axis={1}, keepdims=True))", "{0}*sum({0}, axis={1}, keepdims=True)",
    "({0} - mean({0}, axis={1}, keepdims=True))/sqrt(var({0}, axis={1}, keepdims=True) + 0.1)",
    "({0} > mean({0}, axis={1}, keepdims=True))*{0}",
    "exp({0})/sum(exp({0}), axis={1}, keepdims=True)",
)  # fmt: skip
INPUTS: dict[str, Names] = {
    "x": (), "u": ("N",), "v": ("D",), "w": ("C",), "p": ("N",), "X": ("N", "D"), "S": ("N", "C"),
    "R": ("N", "C"), "W": ("D", "C"), "Q": ("D", "D"), "T": ("N", "D", "C"), "U": ("C", "N"),
    "K": ("N", "N"),
}  # fmt: skip
SHAPES: tuple[Names, ...] = ((), ("N",), ("N",), ("D",), ("N", "D"), ("N", "D"), ("N", "C"),
                             ("N", "C"),
                             ("D", "C"), ("C", "N"), ("N", "N"), ("N", "D", "C"))  # fmt: skip


class Source:
    """Draw the text of an expression of a given shape."""

    def __init__(self, seed: int) -> None:
        self.rng, self.known, self.inputs = random.Random(seed), dict(INPUTS), dict(INPUTS)

    def pick(self, options: Any) -> Any:
        return self.rng.choice(list(options))

    def atom(self, shape: Names) -> str:
        fitting = [n for n, s in self.known.items() if s == shape]
        if not fitting:
            fitting = [f"i{len(self.inputs)}"]
            self.known[fitting[0]] = self.inputs[fitting[0]] = shape
        return str(self.pick([*fitting, *fitting[-2:], fitting[-1]]))

    def text(self, shape: Names, depth: int) -> str:
        return f"({self._text(shape, depth)})" if depth > 0 else self.atom(shape)

    def _text(self, shape: Names, depth: int) -> str:
        kind = self.rng.randrange(10)
        if kind <= 3:
            pattern = self.pick(UNARY)
            return str(pattern.format(*[self.text(shape, depth - 1)] * pattern.count("{}")))
        if kind <= 6:
            return str(self.pick(BINARY).format(self.text(shape, depth - 1), self.mate(shape)))
        special = (self.number, self.vector, self.matrix, self.block)[len(shape)]
        return str(self.pick(special(shape, depth - 1)))

    def mate(self, shape: Names) -> str:
        """Pick an operand that broadcasts to the shape."""
        options = [self.atom(shape), self.atom(shape), self.atom(())]
        if len(shape) > 1:
            options.append(self.atom(shape[self.rng.randrange(1, len(shape)) :]))
        if len(shape) == 2:
            a = self.atom(shape)
            options += [f"{self.atom(shape[:1])}[:, None]", f"{self.atom(shape[::-1])}.T",
                        f"sum({a}, axis=1, keepdims=True)", f"max({a}, axis=0)"]  # fmt: skip
        return str(self.pick(options))

    def number(self, shape: Names, depth: int) -> list[str]:
        big, d = self.pick(SHAPES[1:]), self.pick("NDC")
        inner, scores = self.text(big, depth), self.text(("N", "C"), depth)
        return [f"{f}({inner})" for f in ALONG] + [
            f"{self.atom((d,))} @ {self.atom((d,))}", f"sum({inner}*{self.atom(big)})", f"1/{d}",
            f"cross_entropy({scores}, y)", f"svm({scores}, y)", f"mse({inner}, {self.atom(big)})",
            f"bce_with_logits({self.text(('N',), depth)}, t)", f"sum({scores}[arange(N), y])",
        ]  # fmt: skip

    def vector(self, shape: Names, depth: int) -> list[str]:
        (d,), e = shape, self.pick("NDC")
        options = [
            f"{self.pick(ALONG)}({self.text((e, d), depth)}, axis=0)", f"{self.atom((e, d))}[0]",
            f"{self.pick(ALONG)}({self.text((d, e), depth)}, axis=1)", f"{self.atom((d, e))}[:, 0]",
            f"{self.text((d, e), depth)} @ {self.atom((e,))}", f"diag({self.atom((d, d))})",
            f"{self.atom((e, d))}.T @ {self.text((e,), depth)}", f"arange({d})*{self.atom(shape)}",
            f"sum({self.atom((e, d, 'C'))}, axis=(0, 2))",
            f"{self.atom((e,))} @ {self.atom((e, d))}",
        ]  # fmt: skip
        return options + [p.format(self.atom(shape), -1) for p in LIKE[:2]]

    def matrix(self, shape: Names, depth: int) -> list[str]:
        (a, b), e = shape, self.pick("NDC")
        options = [
            f"{self.text((a, e), depth)} @ {self.text((e, b), depth)}",
            f"{self.text((b, a), depth)}.T",
            f"{self.atom((a, e))} @ {self.atom((b, e))}.T",
            f"max({self.text((a, b, e), depth)}, axis=2)",
            f"{self.atom((e, a))}.T @ {self.text((e, b), depth)}",
            f"sum({self.text((a, e, b), depth)}, axis=1)",
            f"outer({self.text((a,), depth)}, {self.atom((b,))})",
        ]  # fmt: skip
        return options + [p.format(self.text(shape, depth), self.pick((0, 1))) for p in LIKE]

    def block(self, shape: Names, depth: int) -> list[str]:
        a, b, c = shape
        options = [f"{self.atom((a, b))}[:, :, None]*{self.text((c,), depth)}"]
        return options + [p.format(self.text(shape, depth), self.pick((0, 1, 2))) for p in LIKE]


def program(seed: int) -> str:
    """Write a program: some named values, at the end a sum of sums, or an array."""
    source = Source(seed)
    lines, made = [], []
    for k in range(source.rng.randint(1, 4)):
        shape = source.pick(SHAPES)
        lines.append(f"t{k} = {source.text(shape, source.rng.randint(1, 4))}")
        source.known[f"t{k}"] = shape
        made.append(f"{source.pick(('sum', 'mean'))}(t{k})" if shape else f"t{k}")
    lines.append(f"t{k}" if seed % 8 == 0 else f"loss = {' + '.join(made[-3:])}")
    body = " ".join(lines)
    declared = []
    for name, dims in source.inputs.items():
        if re.search(rf"\b{name}\b", body):
            kind = source.pick(("param", "param", "param", "data")) if dims else "param"
            declared.append(f"{name}: {kind}[{', '.join(dims)}]" if dims else f"{name}: param")
    known = {"y": "y: labels[N, C]", "t": "t: binary[N]"}
    declared += [v for k, v in known.items() if re.search(rf"\b{k}\b", body)]
    return "\n".join(declared + lines)


def place(graph: Graph, seed: int, dtype: str) -> dict[str, Any]:
    """Draw sizes, which may coincide, and numbers."""
    rng = np.random.default_rng(seed)
    sizes = {d: int(rng.choice([1, 2, 3, 4, 5, 7, 11, 8])) for d in "NDC"}
    found: dict[str, Any] = {}
    for n in graph.inputs:
        shape = tuple(sizes[str(d)] for d in n.shape)
        value: Any = rng.uniform(-1.5, 1.5, shape)
        if n.attrs["kind"] == "binary":
            value = (value > 0) * 1.0
        whole = n.dtype == "int"
        value = rng.integers(0, sizes["C"], shape) if whole else np.asarray(value, dtype)
        found[n.attrs["name"]] = value[()]
    return found


def same(graph: Graph, at: dict[str, Any], seed: int, **options: Any) -> None:
    """Compare within rounding, or within what the readable style itself is off from double."""
    dtype = options["dtype"]
    options["wrt"] = [] if graph.output.shape else None
    readable = build(graph, style="readable", **options)
    fast = build(graph, style="fast", costs=COSTS[seed % 3], **options)
    with warnings.catch_warnings(record=True) as before:
        warnings.simplefilter("always")
        expected = exact = readable(**at)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if before else "error", RuntimeWarning)
        found, again = fast(**at), fast(**at)
    with np.errstate(all="ignore"):
        if dtype == "float32":
            double = {
                k: np.float64(v) if np.asarray(v).dtype.kind == "f" else v for k, v in at.items()
            }
            exact = build(graph, style="readable", **{**options, "dtype": "float64"})(**double)
    fresh([*results(found), *results(again)], at)
    eps = float(np.finfo(dtype).eps)
    rows = zip(results(found), results(again), results(expected), results(exact), strict=True)
    for (name, a), (_, twice), (_, b), (_, c) in rows:
        assert np.array_equal(a, twice, equal_nan=True), name
        assert np.asarray(a).dtype == np.dtype(dtype) and np.shape(a) == np.shape(b), name
        a, b, c = (np.asarray(v, np.float64) for v in (a, b, c))
        with np.errstate(all="ignore"):
            off = np.nan_to_num(np.abs(b - c), posinf=0.0)
            near = 64 * eps * max(1.0, float(np.nanmax(np.abs(b), initial=0.0))) + 8 * np.max(
                off, initial=0.0
            )
        np.testing.assert_allclose(a, b, rtol=64 * eps, atol=near, err_msg=name)


@pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")
@pytest.mark.parametrize("first", range(0, COUNT * 3 // 4, GROUP))
def test_random_programs_with_named_dimensions(first: int) -> None:
    tried = 0
    for seed in range(first, first + GROUP):
        text = program(seed)
        dtype, accurate = ("float64", "float32")[seed % 4 == 1], seed % 5 == 2
        try:
            graph = sg.parse(text)
            same(graph, place(graph, seed, dtype), seed, dtype=dtype, accurate=accurate)
        except sg.NotDifferentiableError:
            continue  # a comparison at the top
        except Exception as error:
            raise AssertionError(f"program {seed}:\n{text}") from error
        tried += 1
    assert tried > GROUP * 3 // 4


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")
@settings(
    max_examples=COUNT // 4, derandomize=True, deadline=None, database=None,
    suppress_health_check=list(HealthCheck), print_blob=False,
)  # fmt: skip
@given(programs())
def test_random_programs_with_numeric_dimensions(text: str) -> None:
    number = len(text)
    graph = sg.parse(text)
    same(graph, point(number % 4), number, dtype="float64")


@pytest.mark.parametrize("text", ONCE_WRONG)
def test_programs_on_which_other_ways_once_disagreed(text: str) -> None:
    same(sg.parse(DECLARED + text), point(1), 0, dtype="float64")


ONCE_WRONG_HERE = {
    "a result over an array that is also read transposed": "U: param[C, N]\nsum((U.T @ (2*U))**3)",
    "the same in a sum": "X: param[N, D]\nx: param\n"
    "sum((X @ X.T) @ (where(X <= x, X/2, tanh(X)) - x)**2)",
    "the sine of a condition, in float16": "A: param[C, N]\nmean(sin(max(A, axis=0) > 0.3))",
    "the sum of two conditions": "X: param[N, D]\nm = X > 0\nk = X > 0.5\n"
    "sum(where(m, X, 0) + where(k, 1, X)) + sum(tanh(m + k))",
    "a product of two conditions": "X: data[N, D]\nR: data[N, C]\nV: param[C, D]\n"
    "sum(minimum(((X > 0)*1.5) @ V.T, R))",
    "a transposed result": "A: param[C, D]\nmean(hardswish(A.T))",
    "a turned product by columns": "U: param[C, N]\nB: data[C, D]\n"
    "sum(log_softmax(U.T @ B, axis=1)*(U.T @ B))",
}  # fmt: skip


@pytest.mark.parametrize("what", ONCE_WRONG_HERE)
@pytest.mark.parametrize(("number", "dtype"), [(0, "float64"), (1, "float32"), (2, "float64")])
def test_programs_that_once_went_wrong(what: str, number: int, dtype: str) -> None:
    graph = sg.parse(ONCE_WRONG_HERE[what])
    same(graph, place(graph, 0, dtype), number, dtype=dtype)


TAKEN = (
    "rows tile0 buf0 loop0 held sizes IDLE workspace np add exp c0 c1 v1 w1 ones_N product "
    "tiles out self multiply terms1 blocks1 loop0_1 float len range PIECE NARROW value_and_grad "
    "with_rows rows_per_tile v11 grad_W W_rows part_rows tile0_rows maximum sum_blocks N D C "
    "turned_product SMALL_PRODUCT ones_D buf1 buf0_rows value grads slice min max "
)
NAMES = TAKEN.split()


@pytest.mark.parametrize("first", range(0, len(NAMES), 7))
@pytest.mark.parametrize("turn", range(0, 7, 3))
def test_names_that_the_module_uses_itself(first: int, turn: int) -> None:
    """As inputs, as dimensions, and as names of values, seven of them at a time."""
    plain = ("X0: data[N0, D0]\nW0: param[D0, K]\nu0: param[N0]\nh0 = X0 @ W0\n"
             "q0 = softmax(h0)*u0[:, None]\n"
             "sum(tanh(q0)*h0 + 2*relu(q0)) + sum(q0.T @ X0)")  # fmt: skip
    old = ("X0", "W0", "u0", "h0", "q0", "N0", "D0")
    new = dict(zip(old, (NAMES * 2)[first + turn : first + turn + 7], strict=True))
    at = numbers(sg.parse(plain), {**ODD, "N0": 7, "D0": 5}, 3)
    expected = sg.compile(plain, style="readable")(**at)
    text = re.sub(r"\b\w0\b", lambda m: new[m[0]], plain)
    value, grads = build(sg.parse(text), style="fast", costs=TINY)(
        **{new[k]: v for k, v in at.items()}
    )
    agree((value, {k: grads[new[k]] for k in expected[1]}), expected, scale=64.0)


def test_a_wrong_result_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from symgrad.codegen.fast.storage import Storage

    monkeypatch.setattr(Storage, "_by_rows", lambda *_: True)
    text = ONCE_WRONG_HERE["a result over an array that is also read transposed"]
    with pytest.raises(AssertionError, match="Not equal"):
        same(sg.parse(text), place(sg.parse(text), 0, "float64"), 2, dtype="float64")


def test_it_runs_alone_with_short_tiles(tmp_path: Any) -> None:
    """In a process where only NumPy can be imported, with warnings as errors; the same bits."""
    code = "import sys, warnings\nwarnings.simplefilter('error')\nimport numpy as np\n"
    for k, name in enumerate(PROGRAMS):
        f = build(sg.parse(PROGRAMS[name]), style="fast", costs=TINY)
        (tmp_path / f"m{k}.py").write_text(f.program, encoding="utf-8")
        at = numbers(f.graph, ODD)
        found = {f"out_{n}": v for n, v in results(f(**at))}
        np.savez(tmp_path / f"m{k}.npz", **{f"in_{n}": v for n, v in at.items()}, **found)
        code += (
            f"space, data = {{}}, np.load({str(tmp_path / f'm{k}.npz')!r})\n"
            f"exec(open({str(tmp_path / f'm{k}.py')!r}, encoding='utf-8').read(), space)\n"
            "f = space['value_and_grad']\n"
            "given = {n[3:]: data[n] for n in data.files if n.startswith('in_')}\n"
            "value, grads = f(**given)\n"
            "assert all(np.array_equal(dict(grads, value=value)[n[4:]], data[n])"
            " for n in data.files if n.startswith('out_'))\n"
        )
    code += "assert 'symgrad' not in sys.modules and 'networkx' not in sys.modules\n"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

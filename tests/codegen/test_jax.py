"""The JAX module says what the NumPy module says, as a pure function.

Here, that the text is one that JAX can trace; what it computes, where JAX is installed, is beside.
"""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import symgrad as sg
from symgrad.codegen import targets
from symgrad.codegen.jaxtext import UntranslatableError, translated
from symgrad.graph import Node
from symgrad.ops import OPS, leaf, make, register

ROOT = Path(__file__).parents[2]
# tests of what is known when a function is traced
STATIC = (
    "keepdims", "start is None", "jnp.result_type(float) != jnp.float64",
    "labels.size and (not jnp.issubdtype(labels.dtype, jnp.integer))",
    "len(shape) != len(dims) or tuple(found) != shape", "sizes[dim] != size",
    "type(d) is str", "d in known",
)  # fmt: skip


@cache
def beside(path: str) -> Any:
    """Load a file of tests: its programs are these ones' too."""
    spec = importlib.util.spec_from_file_location(f"of_{Path(path).stem}", ROOT / "tests" / path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROGRAMS: dict[str, str] = beside("codegen/test_module.py").PROGRAMS
EXAMPLES = {p.stem: p.read_text("utf8") for p in sorted((ROOT / "examples").glob("*.sg"))}
BOOK = json.loads((ROOT / "tests/formulas/gradients.json").read_text("utf8"))["cases"]
TEXTS = {
    **PROGRAMS,
    **EXAMPLES,
    **{row["id"]: row["program"] for row in BOOK[::12]},
    "spread": "x: param[3]; y: param[2, 3]; sum(prod(y, axis=1)) + sum((y*x)[0]**2) + norm(y)",
    "winners": "T: param[2, 3, 4]; sum(max(T, axis=(0, 2))**2) + sum(norm(T, axis=1)**3)",
    "steps": "x: param[N]; sum(x[::2]**2) + x[-1]*x[0] + sum(cumsum(x)) + sum(convolve(x, x))",
    "names": "jax: param; jnp: param; np: param; jnp*sin(jax)*np",
    "system": "A: param[3, 3]; b: param[3]; sum(solve(A, b)) + logdet(A @ A.T) + trace(inv(A))",
    "mask": "W: real[3, D]; x: real[D]; b: real[3]; a = W @ x + b; max(a)",
}
ROWS = [row for row in OPS.values() if row.name != "apply"]  # an abstract function has no numbers


def program(row: Any) -> tuple[sg.Graph, list[str] | None]:
    """Make a program of one operator: its weighted sum, or a condition's value alone."""
    node: Node = beside("ops/test_rows.py").sample(row)
    if node.dtype != "float":
        return sg.Graph.of([node], names={}), []
    root = make("mul", node, leaf("weight", node.shape, "data"))
    return sg.Graph.of([make("sum", root) if root.shape else root], names={}), None


CASES = [
    *(pytest.param(sg.parse(t), None, id=k) for k, t in TEXTS.items()),
    *(pytest.param(*program(row), id=f"{row.name}()") for row in ROWS),
]


def written(
    graph: sg.Graph, wrt: Any = None, dtype: str = "float64", accurate: bool = False
) -> str:
    """Write the module without its check."""
    whole = targets.source(graph, wrt, dtype, target="jax", accurate=accurate)
    return re.split(r"\n\ndef (?:difference|check)\(", whole)[0]


def tree_of(source: str) -> ast.Module:
    """Parse a module; nothing in it changes an array, branches on values or needs NumPy."""
    tree = ast.parse(source)
    imported = [
        (a.name, a.asname) for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names
    ]
    assert imported == [("jax", None), ("jax.numpy", "jnp")]
    for node in ast.walk(tree):
        assert not isinstance(node, ast.ImportFrom | ast.With | ast.While | ast.Try | ast.Global)
        if isinstance(node, ast.Subscript | ast.Attribute):
            assert isinstance(node.ctx, ast.Load), ast.unparse(node)
        if isinstance(node, ast.If | ast.IfExp):
            assert ast.unparse(node.test) in STATIC
        if isinstance(node, ast.FunctionDef):
            assert ast.get_docstring(node) or node.name in ("usual", "otherwise", "_product")
    assert "np.errstate" not in source and "[()]" not in source
    return tree


@pytest.mark.filterwarnings("ignore:zero_one")
@pytest.mark.parametrize(("graph", "wrt"), CASES)
def test_the_text_can_be_traced(graph: sg.Graph, wrt: Any) -> None:
    tree_of(written(graph, wrt))


@pytest.mark.parametrize("row", [r for r in ROWS if r.precise or r.precise_helper or r.accurate],
                         ids=lambda row: row.name)  # fmt: skip
def test_the_accurate_text_can_be_traced(row: Any) -> None:
    tree_of(written(*program(row), accurate=True))


def test_the_module_as_golden(golden: Any) -> None:
    golden("modules/net_jax.py.txt", written(sg.parse(PROGRAMS["net"])))


def test_it_is_the_same_bytes_under_any_hash_seed() -> None:
    code = (
        "import sys, json, symgrad as sg\nfrom symgrad.codegen import targets\n"
        "for t in json.load(sys.stdin):\n    print(targets.source(sg.parse(t), target='jax'))"
    )
    texts = set()
    for seed in ("0", "7"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps(list(TEXTS.values())[:12]),
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONUTF8": "1"},
        )
        assert done.returncode == 0, done.stderr
        texts.add(done.stdout)
    assert len(texts) == 1 and len(texts.pop()) > 5000


TRANSLATED = {
    "np.exp(-np.abs(γ))[()] * np.pi": "jnp.exp(-jnp.abs(γ)) * jnp.pi",
    "np.linalg.slogdet(A)[1]": "jnp.linalg.slogdet(A)[1]",
    "f(np.array(x), 1)": "f(x, 1)",
    "np.float64(2).copy()": "jnp.float64(2)",
    "np.logaddexp.reduce(x)": "jax.nn.logsumexp(x, axis=0)",
    "np.add.reduce(x, axis=1)": "jnp.sum(x, axis=1)",
    "r[k, 0] = (a + b)": "r = r.at[k, 0].set(a + b)",
    "r[:1] += np.sin(a)": "r = r.at[:1].add(jnp.sin(a))",
    "np.add.at(r, (np.s_[:],) * n + (p,), x[()])": "r = r.at[(jnp.s_[:],) * n + (p,)].add(x)",
    "with np.errstate(all='ignore'):\n    a = 1  # one\n    b = 2": "a = 1  # one\nb = 2",
}


@pytest.mark.parametrize("text", TRANSLATED)
def test_translation(text: str) -> None:
    assert translated(text) == TRANSLATED[text]


def test_an_early_return_becomes_a_choice() -> None:
    text = (
        "def f(x, k):\n    if np.all(x):\n        return x\n    y = x + 1  # one more\n    return y"
    )
    want = """def f(x, k):

    def usual():
        return x

    def otherwise():
        y = x + 1  # one more
        return y

    return jax.lax.cond(jnp.all(x), usual, otherwise)"""
    assert translated(text) == want
    turned = translated(text.replace("if np.all(x)", "if not np.all(x)"))  # which traced has no not
    assert turned.endswith("jax.lax.cond(jnp.all(x), otherwise, usual)")
    kept = text.replace("np.all(x)", "k is None")
    assert translated(kept) == kept


@pytest.mark.parametrize(
    "text",
    [
        "np.argsort((1, 0))",
        "np.load(x)",
        "np.max((a, b))",
        "np.linalg.eig(x)",
        "np.exp.at(r, k)",
        "r.x[0] -= 1",
        "x if np.any(x) else y",
        "while x:\n    x = x - 1",
        "with open(x):\n    pass",
        "for k in x:\n    if np.any(k):\n        y = 2",
        "def f(x):\n    y = x\n    if np.any(x):\n        return x\n    y = y + 1\n    return y",
    ],
)
def test_what_cannot_be_traced_is_refused(text: str) -> None:
    with pytest.raises(UntranslatableError):
        translated(text)


def test_an_operator_without_a_counterpart(registries: None) -> None:
    """It is written by its portable template, by its formula, or an error names it."""
    x = leaf("x", (3,), "param")
    register("sorted_up", 1, numpy="np.sort({a})", vjp=("g",), doc="Sort.", source="NumPy")
    graph = sg.Graph.of([make("sum", make("sorted_up", x))], names={})
    with pytest.raises(sg.UsageError, match=r"'?sorted_up'? cannot be written for JAX: np"):
        written(graph)
    register(
        "both_ways", 1, numpy="np.nansum({a})", portable="np.sum({a})", shape="scalar", vjp=("g",)
    )
    assert "jnp.sum(x)" in written(sg.Graph.of([make("both_ways", x)], names={}))
    register("by_formula", 1, numpy="np.i0({a})", formula="exp(a)*sin(a)", vjp=("g*exp(a)",))
    graph = sg.Graph.of([make("sum", make("by_formula", x))], names={})
    assert "f = jnp.sum(jnp.exp(x) * jnp.sin(x))" in written(graph)


def test_every_module_carries_its_check() -> None:
    text = "S: symmetric[2, 2]; x: param[2]; lam: param; x @ S @ x + lam**2"
    source = targets.source(sg.parse(text), ["S", "x"], target="jax")
    check = source[len(written(sg.parse(text), ["S", "x"])) :]
    for words in ("jax.grad(lambda x: value_and_grad(**{**at, name: x})[0])", '("S",):', "--check",
                  "jax.config.update('jax_enable_x64', True)", "error < 1e-9"):  # fmt: skip
        assert words in check
    narrow = targets.source(sg.parse(text), dtype="float32", target="jax")
    assert "jax_enable_x64" not in narrow and "error < 1e-3" in narrow
    nothing = targets.source(sg.parse("x: param; x**2"), wrt=[], target="jax")
    assert "nothing to check" in nothing


def test_numbers_of_float32_are_some_of_its_own() -> None:
    graph = sg.parse("x: param[N]; sum(x**4/(1 + x**4))")
    assert "jnp.float32(4e34)" in written(graph, dtype="float32")
    assert "4e34" not in written(graph) and "1e277" in written(graph)

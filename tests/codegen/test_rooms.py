"""Arrays of a fast module that share memory: those that are never in use at the same time."""

from itertools import combinations, permutations
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.build import build
from symgrad.codegen.fast.costs import Costs
from symgrad.codegen.fast.explain import explain
from symgrad.codegen.fast.kinds import MORE_VIEWS, VIEWS
from symgrad.codegen.fast.texts import ALIGNED, executed
from symgrad.evaluate import values as evaluated
from symgrad.graph import Graph
from symgrad.ops import OPS, Op
from tests.codegen.test_fast import agree
from tests.codegen.test_in_place import SHORT, body
from tests.ops.test_rows import name_of, sample

NET = """x: data[N, D]; y: labels[N, C]
W1: param[D, H1]; b1: param[H1]; W2: param[H1, H2]; b2: param[H2]; W3: param[H2, C]
h1 = relu(x @ W1 + b1)
h2 = tanh(h1 @ W2 + b2)
loss = cross_entropy(h2 @ W3, y)"""


def values(n: int, d: int, h1: int, h2: int, c: int) -> dict[str, Any]:
    rng = np.random.default_rng(n)
    return {"x": rng.normal(size=(n, d)), "y": rng.integers(0, c, n),
            "W1": rng.normal(size=(d, h1)), "b1": rng.normal(size=h1),
            "W2": rng.normal(size=(h1, h2)), "b2": rng.normal(size=h2),
            "W3": rng.normal(size=(h2, c))}  # fmt: skip


def alike(f: Any, at: dict[str, Any]) -> None:
    value, grads = f(**at)
    agree((value, grads), sg.compile(NET, style="readable")(**at))
    again, once_more = f(**at)
    assert again == value and all(np.array_equal(grads[k], once_more[k]) for k in grads)


@pytest.mark.parametrize("costs", [None, SHORT])
@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("sizes", permutations([2, 5, 9]))
def test_any_of_several_may_be_the_largest(
    sizes: tuple[int, int, int], reuse: bool, costs: Costs | None
) -> None:
    f = build(sg.parse(NET), style="fast", costs=costs, reuse=reuse)
    assert reuse or "room = aligned(max(N*H2, N*H1), np.float64)" in f.program
    for n in (1, 7, 64):
        alike(f, values(n, 4, *sizes))


def workspace(*sizes: int) -> dict[str, Any]:
    """Make the arrays of a call for some sizes: N, D, H1, H2 and C."""
    f = sg.compile(NET, style="fast")
    f(**values(*sizes))
    space: dict[str, Any] = {}
    made = f.program[: f.program.index("@np.errstate")]
    exec(made.replace("    return (buf0", "    return locals()\n    return (buf0"), space)
    held: dict[str, Any] = space["workspace"](*sizes)
    return held


def test_what_is_in_use_at_once_has_no_common_memory() -> None:
    held = workspace(16, 4, 8, 8, 8)
    buffers = [name for name in held if name.startswith("buf")]
    pairs = [p for p in combinations(buffers, 2) if np.may_share_memory(*(held[n] for n in p))]
    assert pairs == [("buf1", "buf4")]  # h2, and the gradient of h1
    assert np.may_share_memory(held["loop2"][0][1], held["buf3"])  # before the gradient of h2


def test_no_more_memory_than_is_in_use_at_once() -> None:
    n, _, h1, h2, c = sizes = 128, 300, 256, 160, 10
    found: dict[int, int] = {}  # memory by its owner
    todo = list(workspace(*sizes).values())
    while todo:
        value = todo.pop()
        if isinstance(value, list | tuple):
            todo += value
        elif isinstance(value, np.ndarray):
            while value.base is not None:
                value = value.base
            found[id(value)] = value.nbytes
    vectors = 8 * 8 * n
    assert sum(found.values()) <= 8 * n * (h1 + h2 + max(h1, h2) + c) + vectors


def test_what_is_only_returned_comes_before_what_can_take_its_operands_place() -> None:
    statements = body(NET)
    place = {name: statements.index(f"# ∂loss/∂{name} = ") for name in ("W₂", "b₂", "h₁")}
    assert place["W₂"] < place["h₁"] and place["b₂"] < place["h₁"]
    square = body(NET.replace("H2", "H1"))  # where h2 was, which grad_W3 has read
    line = square.partition("# ∂loss/∂h₁ = ")[2].split("\n")[1]
    read = next(t for t in square.split("\n") if "grad_W3 = " in t and "#" not in t)
    assert line.split(".T, ")[1].split(")")[0] in read


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_with_parts_of_arrays_copy_nothing(dtype: str) -> None:
    text = "X: data[N, H, W]; k: param[2]; sum(tanh(k[0]*X[:, 1:, :-1] + k[1]*X[:, :-1, 1:]))"
    rng = np.random.default_rng(3)
    at = {"X": rng.normal(size=(6, 5, 4)), "k": rng.normal(size=2)}
    statements = body(text, dtype=dtype)
    assert 'np.einsum("abc,abc->", ' in statements and "vdot" not in statements
    f = sg.compile(text, style="fast", dtype=dtype)
    expected = sg.compile(text, style="readable")(**at)
    np.testing.assert_allclose(
        f(**at)[1]["k"], expected[1]["k"], rtol=1e-12 if dtype == "float64" else 1e-4
    )
    rows = "X: data[N, H]; k: param; sum(tanh(k*X[1:]))"  # rows lie side by side
    assert "vdot" in body(rows)


def test_what_is_saved_is_told() -> None:
    text = explain(sg.parse(NET), sizes={"N": 100, "D": 4, "H1": 60, "H2": 50, "C": 3})
    assert "40 kB  2 buffers in the memory of one, never in use at the same time" in text


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_buffers_begin_where_a_line_of_the_cache_does(dtype: str) -> None:
    made = build(sg.parse(NET), style="fast", dtype=dtype)
    space: dict[str, Any] = {}
    exec(made.program, space)
    held = space["workspace"](64, 30, 50, 20, 10)
    large = [a for a in held if isinstance(a, np.ndarray) and a.nbytes >= 4096]
    assert len(large) > 3 and all(a.ctypes.data % 64 == 0 for a in large)


@pytest.mark.parametrize("order", ["C", "F"])
def test_aligned_arrays_have_their_shape_and_order(order: str) -> None:
    space: dict[str, Any] = {"np": np}
    exec(ALIGNED, space)
    for shape in [(), (3, 5), (64, 80), 5000, (0, 4), (7, 11, 13)]:
        found = space["aligned"](shape, np.float32, order)
        assert found.shape == np.empty(shape).shape and found.dtype == np.float32
        assert found.flags[f"{order}_CONTIGUOUS"] and found.flags.writeable


@pytest.mark.parametrize(
    ("text", "light"),
    [
        ("x: param[N]; sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)", True),
        ("x: param[N]; sum((x**4 - 3*x**2 + 2*x)**3)", True),
        ("x: param[N]; y: data[N]; mean((x - y)**2)", False),  # three passes over four arrays
        ("x: param[N]; y: data[N]; sum(exp(x)*y - x*y + x*x*y)", False),
        ("X: data[N, D]; w: param[N]; sum((X*w[:, None] + X)**2 - 3*X*X*w[:, None])", False),
    ],
)
def test_many_cheap_passes_over_vectors_are_cut_sooner(text: str, light: bool) -> None:
    made = sg.compile(text, style="fast").program
    workspace_text = made[made.index("def workspace") : made.index("def value_and_grad")]
    assert ('"light"' in workspace_text) == light
    rows = executed(["rows_per_tile"], Costs())["rows_per_tile"]
    most = Costs().tile_bytes // (5 * 8)
    assert rows(most, 1, 8, 5, True, True) == most and rows(2 * most, 1, 8, 5, True) == 2 * most
    assert rows(2 * most, 1, 8, 5, True, True) <= most / 2 + Costs().piece


def test_what_windows_show_stays_until_they_are_read() -> None:
    text = """X: data[N, 7, 8]; W: param[4, 3, 3]; V: param[4, 4, 3, 3]
h[n, f, i, j] = relu(sum(W[f, a, b]*X[n, i+a, j+b] for a in 3 for b in 3))
u[n, g, i, j] = tanh(sum(V[g, f, a, b]*h[n, f, i+a, j+b] for f in 4 for a in 3 for b in 3))
loss = mean(u**2)"""
    rng = np.random.default_rng(1)
    at = {"X": rng.normal(size=(5, 7, 8)), "W": rng.normal(size=(4, 3, 3)),
          "V": rng.normal(size=(4, 4, 3, 3))}  # fmt: skip
    agree(sg.compile(text, style="fast")(**at), sg.compile(text, style="readable")(**at))


@pytest.mark.parametrize("row", [row for row in OPS.values() if row.name != "apply"], ids=name_of)
def test_storage_knows_every_view(row: Op) -> None:
    node = sample(row)
    rng = np.random.default_rng(0)
    known = {a: rng.integers(0, 2, a.shape) if a.dtype == "int" else rng.uniform(0.2, 0.8, a.shape)
             for a in Graph.of([node], names={}).inputs}  # fmt: skip
    found = evaluated([node], known, {})
    shares = any(np.shares_memory(found[node], found[a]) for a in node.args if a.shape)
    assert not shares or row.name in (*VIEWS, *MORE_VIEWS)

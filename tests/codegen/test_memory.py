"""What a call holds at its peak: kept buffers, copies, and what it makes for itself."""

import re
import subprocess
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.build import build
from symgrad.codegen.fast import pool
from symgrad.codegen.fast.costs import Costs
from symgrad.codegen.fast.explain import explain
from symgrad.codegen.fast.texts import executed
from tests.codegen.test_fast import agree
from tests.codegen.test_in_place import SHORT

Arrays = dict[str, Any]
RATINGS = """i: labels[N, U]; j: labels[N, M]; r: data[N]; P: param[U, K]; Q: param[M, K]
mean((sum(P[i]*Q[j], axis=1) - r)**2)"""
WORDS = """c: labels[N, V]; o: labels[N, V]; m: labels[N, V]; E: param[V, K]; F: param[V, K]
u = E[c]
-mean(logsigmoid(sum(u*F[o], axis=1)) + logsigmoid(-sum(u*F[m], axis=1)))"""
POOLING = """X: data[N, T, D]; y: data[N]; v: param[D]; w: param[D]
mse(sum(softmax(X @ v)*(X @ w), axis=1), y)"""
DROPOUT = """X: data[N, D]; M: data[N, H]; T: data[N, C]; W: param[D, H]; V: param[H, C]
mse((relu(X @ W)*M) @ V, T)"""
PRODUCTS = " + ".join(f"X[:, {k}:{k - 3 or ''}] @ W[{k}]" for k in range(4))
TAPS = f"""X: data[N, T, C]; y: data[N, T - 3, K]; W: param[4, C, K]
sum((tanh({PRODUCTS}) - y)**2)"""
COX = "X: data[N, D]; e: binary[N]; b: param[D]; a = X @ b\n-sum(e*(a - log(cumsum(exp(a)))))"
GROUPS = """Z: data[N, K]; g: labels[N, G]; y: data[N]; B: param[G, K]
mean((y - sum(Z*B[g], axis=1))**2)"""


def peak(f: Any, at: Arrays) -> int:
    """Return the bytes held or made at the peak of a later call; `f` was not called before."""
    tracemalloc.start()
    f(**at)
    tracemalloc.reset_peak()
    f(**at)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def first_peak(f: Any, at: Arrays) -> int:
    """Return the bytes held or made at the peak of the first call."""
    tracemalloc.start()
    f(**at)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def ratings(n: int, k: int) -> Arrays:
    rng = np.random.default_rng(k)
    return {"i": rng.integers(0, 30, n), "j": rng.integers(0, 20, n), "r": rng.normal(size=n),
            "P": rng.normal(size=(30, k)), "Q": rng.normal(size=(20, k))}  # fmt: skip


def words(n: int, v: int, k: int) -> Arrays:
    rng = np.random.default_rng(k)
    return {**{name: rng.integers(0, v, n) for name in "com"},
            "E": rng.normal(size=(v, k)), "F": rng.normal(size=(v, k))}  # fmt: skip


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("costs", [None, SHORT])
@pytest.mark.parametrize("k", [1, 3, 40])  # by columns, and by rows
def test_rows_of_tables_are_the_same_by_rows_and_by_columns(
    k: int, costs: Costs | None, dtype: str
) -> None:
    for text, at in ((RATINGS, ratings(77, k)), (WORDS, words(77, 9, k))):
        single = {n: v.astype(dtype) if v.dtype == float else v for n, v in at.items()}
        found = build(sg.parse(text), style="fast", costs=costs, dtype=dtype)(**single)
        expected = sg.compile(text, style="readable", dtype=dtype)(**single)
        agree(found, expected, dtype, scale=4.0)


def test_tables_that_are_made_and_parts_of_labels() -> None:
    text = """i: labels[N, U]; P: param[U, K]; Q: param[K, D]
sum(((P @ Q)[i[1:]] - (P @ Q)[i[:-1]])**2) + sum(tanh(P)[i]**3)"""
    rng = np.random.default_rng(0)
    at = {"i": rng.integers(0, 7, 50), "P": rng.normal(size=(7, 3)), "Q": rng.normal(size=(3, 4))}
    agree(sg.compile(text)(**at), sg.compile(text, style="readable")(**at))


@pytest.mark.parametrize("k", [8, 40])
def test_a_loop_takes_rows_of_tables_tile_by_tile(k: int) -> None:
    """Whole, P[i] and Q[j] were two arrays beside the two that their gradients are made of."""
    n = 40_000
    assert peak(sg.compile(RATINGS), ratings(n, k)) < 2.8 * 8 * n * k


def test_what_is_added_up_at_places_is_a_result_from_the_start() -> None:
    f = sg.compile(WORDS)
    body = f.program.split("def value_and_grad")[1]
    assert "grad_F = scatter(" in body and "np.empty((V, K)" not in body
    at = words(50, 6000, 40)  # large tables: two results, and one that is subtracted
    assert peak(f, at) < 3.2 * 8 * 6000 * 40


def test_a_sum_over_stacks_is_one_product() -> None:
    rng = np.random.default_rng(1)
    at = {"X": rng.normal(size=(30, 50, 32)), "y": rng.normal(size=30),
          "v": rng.normal(size=32), "w": rng.normal(size=32)}  # fmt: skip
    fast = sg.compile(POOLING)
    assert peak(fast, at) < at["X"].nbytes / 4  # a product as large as X was kept
    agree(fast(**at), sg.compile(POOLING, style="readable")(**at))


def test_buffers_of_a_loop_are_tiled_sooner() -> None:
    f, n = sg.compile("x: param[N]; y: data[N]; sum(exp(x)*sin(x)*tanh(x*y))"), 80_000
    at = {"x": np.linspace(-1, 1, n), "y": np.linspace(0, 1, n)}
    assert peak(f, at) < 8 * n + Costs().buffer_bytes + 100_000


@pytest.mark.parametrize("own", [0, 8, 40, 400])
def test_own_buffers_of_tiles_are_bounded(own: int) -> None:
    rows = executed(["rows_per_tile"], Costs())["rows_per_tile"]
    for n in (1000, 20_000, 100_000, 10**6):
        found = rows(n, 1, 8, 6, False, False, own)
        assert isinstance(found, int) and 1 <= found <= n
        if n * own <= Costs().buffer_bytes:
            assert found == rows(n, 1, 8, 6)
        else:
            assert found * own <= max(Costs().buffer_bytes, 8192 * own) + 4096 * own
    assert rows(3000, 16, 8, 9, False, False, 400, 2048) >= 1500  # by columns pieces are long
    assert rows(2048, 16, 8, 9, False, False, 400, 2048) == 2048


def test_the_last_tile_by_columns_lies_in_one_piece() -> None:
    made = executed(["tiles"], Costs(buffer_bytes=1))["tiles"]
    cut = made(5000, 30, 6, 8, ((30,), np.float64, True), ((), np.float64, False))
    assert [rows.stop - rows.start for rows, *_ in cut][-1] < cut[0][0].stop
    assert all(type(rows.stop) is int for rows, *_ in cut)  # NumPy's numbers index slowly
    for rows, tile, vector in cut:
        assert tile.shape == (rows.stop - rows.start, 30) and vector.shape == tile.shape[:1]
        assert tile.flags.f_contiguous and np.may_share_memory(tile, cut[0][1])


def test_conditions_that_wait_take_a_byte_each() -> None:
    rng = np.random.default_rng(2)
    n, d, h, c = 300, 20, 400, 3
    at = {"X": rng.normal(size=(n, d)), "M": rng.integers(0, 2, (n, h)) * 2.0,
          "T": rng.normal(size=(n, c)), "W": rng.normal(size=(d, h)) / 5,
          "V": rng.normal(size=(h, c))}  # fmt: skip
    f = sg.compile(DROPOUT)
    assert peak(f, at) < 2.5 * 8 * n * h  # the layer, its gradient, and no third
    agree(f(**at), sg.compile(DROPOUT, style="readable")(**at))
    assert "np.bool_" in f.program


def test_of_many_products_two_are_held() -> None:
    f = sg.compile(TAPS)
    assert f.program.count("reshape(N, T - 3, K)") + f.program.count("((N, T - 3, K)") == 2
    rng = np.random.default_rng(3)
    at = {"X": rng.normal(size=(5, 9, 4)), "y": rng.normal(size=(5, 6, 3)),
          "W": rng.normal(size=(4, 4, 3))}  # fmt: skip
    agree(f(**at), sg.compile(TAPS, style="readable")(**at))


def test_what_a_call_makes_for_itself_is_let_go() -> None:
    f, n = sg.compile(COX), 60_000
    rng = np.random.default_rng(4)
    at = {"X": rng.normal(size=(n, 3)), "e": rng.integers(0, 2, n) * 1.0, "b": rng.normal(size=3)}
    assert peak(f, at) < 4 * 8 * n + Costs().buffer_bytes
    agree(f(**at), sg.compile(COX, style="readable")(**at))
    assert "_rows = None" in f.program  # the first cumulative sum, before the second


def test_a_copy_by_columns_lives_for_one_tile() -> None:
    f = sg.compile(GROUPS)
    assert "        Z_columns = None\n" in f.program and "    B_columns = None\n" in f.program


def test_weights_of_a_few_steps_are_added_as_they_come() -> None:
    steps = "\n".join(f"h = tanh(x[{k}] @ W + h @ U + b)" for k in range(1, 6))
    head = "x: data[6, N, D]; W: param[D, H]; U: param[H, H]; b: param[H]"
    text = f"{head}\nh = tanh(x[0] @ W + b)\n{steps}\nsum(h**2)"
    rng = np.random.default_rng(5)
    at = {"x": rng.normal(size=(6, 5, 300)), "W": rng.normal(size=(300, 50)) / 20,
          "U": rng.normal(size=(50, 50)) / 9, "b": rng.normal(size=50)}  # fmt: skip
    f = sg.compile(text)
    assert peak(f, at) < 2.8 * at["W"].nbytes  # the result and one step's share
    agree(f(**at), sg.compile(text, style="readable")(**at))


def test_a_first_call_makes_no_array_beside_its_own() -> None:
    """The C library is told to keep what is freed by a block of its own."""
    for style in ("fast", "readable"):
        f = sg.compile("X: data[N, D]; y: data[N]; w: param[D]; mse(X @ w, y)", style=style)
        at = {"X": np.ones((4000, 200)), "y": np.ones(4000), "w": np.ones(200)}
        assert first_peak(f, at) < at["X"].nbytes / 8


@pytest.mark.parametrize("n", [9, 80_000])
def test_a_term_of_a_sum_of_parts_is_computed_in_the_result(n: int) -> None:
    text = "y: data[N]; x: param[N]; sum((x - y)**2) + lam*sum((x[1:] - x[:-1])**4)"
    f = sg.compile(text)
    assert "np.copyto" not in f.program and "aligned((N,)" not in f.program
    rng = np.random.default_rng(6)
    at = {"y": rng.normal(size=n), "x": rng.normal(size=n), "lam": 0.3}
    agree(f(**at), sg.compile(text, style="readable")(**at))
    again = sg.compile(text, reuse=True)  # the result is the workspace's: nothing is made
    again(**at)
    agree(again(**at), f(**at))
    if n > 9:  # the result, the differences' slope, and tiles
        assert peak(f, at) < 2.2 * 8 * n + Costs().buffer_bytes


def test_a_result_that_is_begun_in_a_loop_has_no_second_array() -> None:
    text = "w: param[D]; v: data[D]; a*sum(abs(w)) + b*sum(w**2) + sum(w*v)"
    f = sg.compile(text)
    made = f.program.split("def workspace")[1].split("return (")[0]
    assert "aligned((D,)" not in made
    at = {"w": np.linspace(-1, 1, 50), "v": np.ones(50), "a": 0.1, "b": 0.2}
    agree(f(**at), sg.compile(text, style="readable")(**at))


@pytest.mark.parametrize(("text", "tiles"), [
    ("w: param[N]; v: data[N]; sum(abs(w - v))", 1),  # |w - v| before the slope is there
    ("w: param[N]; sum(log(cosh(w)))", 1),
    ("w: param[N]; sum(softplus(w))", 2),  # of which one is full of zeros
])  # fmt: skip
def test_what_is_read_before_a_result_is_begun_is_in_its_rows(text: str, tiles: int) -> None:
    f = sg.compile(text)
    made = f.program.split("def workspace")[1].split("return (")[0]
    assert made.count("((), np.float64, False") == tiles
    at = {"w": np.linspace(-1, 2, 100_000), "v": np.linspace(3, -1, 100_000)}
    at = {name: at[name] for name in f.inputs}
    agree(f(**at), sg.compile(text, style="readable")(**at))


def test_a_small_program_holds_little() -> None:
    """In a fresh process, where the types of all mappings were asked for: 7 kB."""
    code = """import numpy as np, symgrad as sg, tracemalloc
f = sg.compile("x: param[N]; sum(tanh(x)**2)")
x = np.ones(3)
tracemalloc.start(); f(x=x); print(tracemalloc.get_traced_memory()[0])"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert int(told.stdout) < 6000


@pytest.mark.parametrize("n", [50_000, 80_000, 300_000])
def test_explanations_count_tiles_as_the_workspace_does(n: int) -> None:
    text = "x: param[N]; y: data[N]; sum(exp(x)*sin(x)*tanh(x*y))"
    told = explain(sg.parse(text), sizes={"N": n})
    space: dict[str, Any] = {}
    module = build(sg.parse(text), style="fast", costs=Costs()).program
    head, made, _ = re.split("(?=def workspace|@np.errstate)", module)
    exec(head + made.replace("    return (", "    return loop0, ("), space)
    tiles = len(space["workspace"](n)[0])
    assert ("one tile" if tiles == 1 else f"{tiles} tiles") in told


BILINEAR = """A: data[N, P]; B: data[N, Q]; y: data[N]; W: param[P, Q]
mean((sum((A @ W)*B, axis=1) - y)**2)"""
SHARES = "B: data[N, Q]; U: param[N, Q]; mean(sum((softmax(U, axis=1) - B)**2, axis=1))"


@pytest.mark.parametrize("q", [5, 30])
def test_rows_that_are_only_added_up_are_not_copied_into_columns(q: int) -> None:
    rng, n = np.random.default_rng(q), 4000
    at = {"A": rng.normal(size=(n, 4)), "B": rng.normal(size=(n, q)), "y": rng.normal(size=n),
          "W": rng.normal(size=(4, q))}  # fmt: skip
    f = sg.compile(BILINEAR)
    assert "_columns" not in f.program and "NARROW" not in f.program
    assert peak(f, at) < 1.3 * at["B"].nbytes + 4 * 8 * n  # of A W, and some vectors
    agree(f(**at), sg.compile(BILINEAR, style="readable")(**at))


@pytest.mark.parametrize("text", [SHARES, GROUPS])  # of maxima, and of rows of tables
def test_other_rows_are_copied_into_columns(text: str) -> None:
    assert "_columns = np.asarray(" in sg.compile(text).program


MIXTURE = """X: data[N, D]; M: param[K, D]; a: param[K]; s: param[K]
d[i,k] = sum((X[i,j] - M[k,j])**2 for j in D)
-mean(logsumexp(log_softmax(a) - exp(s)*d/2 + s*D/2, axis=1))"""


@pytest.mark.parametrize("h", [32, 128, 300])
def test_constants_beside_matrices_are_short_tiles(h: int) -> None:
    text = "X: data[N, D]; W: param[D, H]; V: param[H, C]; Y: data[N, C]\nmse(relu(X @ W) @ V, Y)"
    rng, n = np.random.default_rng(h), 64_000 // h
    at = {"X": rng.normal(size=(n, 5)), "W": rng.normal(size=(5, h)),
          "V": rng.normal(size=(h, 4)), "Y": rng.normal(size=(n, 4))}  # fmt: skip
    f = sg.compile(text)
    assert peak(f, at) < 3 * 8 * n * h + Costs().buffer_bytes / 4 + 40_000  # it was one more
    agree(f(**at), sg.compile(text, style="readable")(**at))


def test_a_vector_waits_rather_than_a_matrix() -> None:
    rng, n, k = np.random.default_rng(5), 3000, 8
    at = {"X": rng.normal(size=(n, 5)), "M": rng.normal(size=(k, 5)), "s": rng.normal(size=k),
          "a": rng.normal(size=k)}  # fmt: skip
    f = sg.compile(MIXTURE)
    assert len(re.findall(r"N\*K\]|\(N, K\), np", f.program)) == 1
    assert peak(f, at) < 5.5 * 8 * n * k
    agree(f(**at), sg.compile(MIXTURE, style="readable")(**at), scale=10)


HELD = re.compile(r"its workspace holds (?:at most (.*?)(?:, and |\.$))?(?:(.*?) for each row)?")


def stated(head: str, sizes: dict[str, int], rows: int) -> int:
    """Add up the bytes that the head of a module states for its workspace."""
    found = HELD.search(head)
    assert found is not None, head
    total = 0
    for text, times in ((found[1], 1), (found[2], rows)):
        for count, kind in re.findall(r"(?:^|and )(.+?) entr(?:y|ies) of (\w+)", text or ""):
            total += times * eval(count, dict(sizes)) * np.dtype(kind).itemsize
    return total


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "text",
    [RATINGS, POOLING, DROPOUT, COX, GROUPS, SHARES, MIXTURE],
    ids=["ratings", "pooling", "dropout", "cox", "groups", "shares", "mixture"],
)
def test_the_head_of_a_module_states_what_its_workspace_holds(text: str, dtype: str) -> None:
    """Whole arrays, ones, sums of products, and tiles, of which a small program has one."""
    f, rng = sg.compile(text, dtype=dtype), np.random.default_rng(0)
    space = pool.executed(f.program)
    sizes = {d: 300 if d == "N" else 5 for n in f.graph.inputs for d in n.shape}
    at = {n.attrs["name"]: rng.integers(5, size=[sizes[d] for d in n.shape])
          for n in f.graph.inputs}  # fmt: skip
    space["value_and_grad"](**at)
    arrays: dict[int, int] = {}
    todo = list(space["IDLE"].values())
    for part in todo:
        if isinstance(part, np.ndarray):
            while isinstance(part.base, np.ndarray):
                part = part.base
            arrays[id(part)] = part.nbytes
        elif isinstance(part, list | tuple):
            todo += part
    held = sum(arrays.values())
    spare = 72 * len(arrays)  # of arrays that begin at lines of the cache
    assert held <= stated(" ".join(space["__doc__"].split()), sizes, 300) + spare
    assert held > 0


COUNTS = "X: data[N, D]; y: data[N]; w: param[D]; mean(exp(X @ w) - y*(X @ w))"
SCALED = """X: param[N, D]; T: data[N, D]; g: param[D]; b: param[D]
m = mean(X, axis=1, keepdims=True); s = mean((X - m)**2, axis=1, keepdims=True)
h = (X - m)/sqrt(s + 1e-5); mean((h*g + b - T)**2)"""
SMOOTHED = "x: data[12, N]; z: param[N]; s0: param[N]; a = sigmoid(z)\n"
SMOOTHED += "".join(f"s{k + 1} = a*x[{k}] + (1 - a)*s{k}\n" for k in range(11))
SMOOTHED += " + ".join(f"sum((x[{k}] - s{k})**2)" for k in range(1, 12))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [50, 8000, 50_000])
def test_a_long_tile_of_a_vector_has_no_ones_beside_it(n: int, dtype: str) -> None:
    rng = np.random.default_rng(n)
    at = {"X": rng.normal(size=(n, 3)), "y": rng.normal(size=n), "w": rng.normal(size=3)}
    at = {k: v.astype(dtype) for k, v in at.items()}
    f = sg.compile(COUNTS, dtype=dtype)
    assert re.search(r"if (tile\d) is None else \1\.dot\(", f.program)
    agree(f(**at), sg.compile(COUNTS, style="readable", dtype=dtype)(**at), dtype, scale=20)
    if n == 8000:  # ones would be a third vector
        assert peak(sg.compile(COUNTS, dtype=dtype), at) < 2.1 * at["y"].nbytes + 6000


@pytest.mark.parametrize("n", [5, 64, 5000])
def test_rows_of_a_result_are_lent_before_they_are_written(n: int) -> None:
    rng, d = np.random.default_rng(n), 32
    at = {"X": rng.normal(size=(n, d)), "T": rng.normal(size=(n, d)), "g": rng.normal(size=d),
          "b": rng.normal(size=d)}  # fmt: skip
    f = sg.compile(SCALED)
    made = f.program.split("loop0 = tiles(")[1].split("    )\n")[0]
    assert made.count("((D,), np.float64, False)") == 2  # it was 3, beside the result
    assert "subtract(grad_X_rows, T_rows, grad_X_rows)" in f.program
    for options in ({}, {"reuse": True}, {"threads": 2}, {"accurate": True}):
        g = sg.compile(SCALED, **options)
        for _ in range(2):
            agree(g(**at), sg.compile(SCALED, style="readable")(**at), scale=100)


@pytest.mark.parametrize("n", [4, 3000, 40_000])
def test_residuals_are_made_where_they_are_used(n: int) -> None:
    """Of each step its state is kept for the way back, and not the residual of the loss, too."""
    rng = np.random.default_rng(n)
    at = {"x": rng.normal(size=(12, n)), "z": rng.normal(size=n), "s0": rng.normal(size=n)}
    f = sg.compile(SMOOTHED)
    made = f.program.split("loop0 = tiles(")[1].split("    )\n")[0]
    assert made.count("np.float64, False)") <= 14
    agree(f(**at), sg.compile(SMOOTHED, style="readable")(**at), scale=20)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_what_is_read_with_other_axes_hands_its_memory_on(dtype: str) -> None:
    text = (
        "T: data[I, J, K]; A: param[I, R]; B: param[J, R]; C: param[K, R]\n"
        "E = einsum('ir,jr,kr->ijk', A, B, C) - T\nsum(E**2)/2"
    )
    rng = np.random.default_rng(0)
    shapes = {"T": (40, 30, 20), "A": (40, 3), "B": (30, 3), "C": (20, 3)}
    at: Any = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
    f = sg.compile(text, dtype=dtype)
    most = peak(f, at)  # beside E the product of A and B
    assert most < 1.3 * at["T"].nbytes + 40_000  # a second one before
    agree(f(**at), sg.compile(text, dtype=dtype, style="readable")(**at), dtype, 100)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_constants_beside_vectors_are_short_tiles(dtype: str) -> None:
    n = 90_000
    at: Any = {name: np.linspace(-2, 2, n).astype(dtype) for name in "xy"}
    f = sg.compile("x: param[N]; y: data[N]\nmean((clip(x, -1, 1) - y)**2)", dtype=dtype)
    assert peak(f, at) < 3 * at["x"].nbytes

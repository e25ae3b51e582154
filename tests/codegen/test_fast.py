"""Style fast agrees with style readable, whatever the sizes, tiles, layouts, names and threads."""

import copy
import inspect
import pickle
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen import build, safety
from symgrad.codegen.compile import Compiled
from symgrad.codegen.fast.costs import DEFAULTS, Costs
from symgrad.graph import Graph
from symgrad.ops import OPS, Op, const, leaf, make
from symgrad.ops.spec import ANY, MISSING, bounds
from tests.ops.test_rows import PARAMS, name_of, sample

# tiles of three rows, of one row; products in blocks from the start
TINY = Costs(tile_bytes=1, untiled_bytes=1, shortest_tile=1, longest_tile=12, piece=1,
             small_product=40, fewest_rows=1, fewest_terms=1)  # fmt: skip
SINGLE = Costs(tile_bytes=1, untiled_bytes=1, shortest_tile=1, longest_tile=1, piece=1,
               small_product=12, fewest_rows=1, fewest_terms=1)  # fmt: skip
ALL = (DEFAULTS, TINY)

CE = "X: data[N, D]\ny: labels[N, C]\nW: param[D, C]\nb: param[C]\nL = cross_entropy(X @ W + b, y)"
ELEM = "v: param[N]\nu: param[N]\nsum(sigmoid(v)*tanh(u) + softplus(v*u))"
PROGRAMS = {
    "ce": CE,
    "elem": ELEM,
    "net": "X: data[N, D]\ny: labels[N, C]\nW1: param[D, H]; b1: param[H]\nW2: param[H, C]; "
    "b2: param[C]\nh = relu(X @ W1 + b1)\ns = h @ W2 + b2\n"
    "loss = cross_entropy(s, y) + lam*(sum(W1**2) + sum(W2**2))",
    "norm": "X: data[N, D]\nW: param[D, H]\ng: param[H]\nb: param[H]\nT: data[N, H]\n"
    "mse(batch_norm(X @ W)*g + b, T)",
    "rosen": "v: param[N]\nsum(100*(v[1:] - v[:-1]**2)**2 + (1 - v[:-1])**2)",
    "rank3": "T: param[N, D, C]\nw: param[C]\n"
    "sum(softmax(T*w, axis=1)*T) + sum(max(T, axis=(0, 2)))",
    "rank4": "T: param[N, D, C, M]\nw: param[C, 1]\n"
    "sum(tanh(T)*w) + sum(logsumexp(T, axis=(1, 3)))",
    "outer": "a: param[N, 1]\nb: param[1, M]\nsum(sigmoid(a*b)) + sum(a)",
    "numeric": "A: param[3, 4]\nv: param[4]\nsum(tanh(A @ v)) + sum(A[1:]**2)",
    "unused": "X: param[N, D]\nz: param[M]\nq: param\nsum(X**2)",
    "same": "a: param[N]\nb: param[N]\nsum(exp(a + b))",
    "masks": "x: param[N, D]\nsum(where(x > 0, x, 0.1*x)*(x < 1)) + sum((x > 0) + (x > 0.5))",
    "svm": "X: data[N, D]\ny: labels[N, C]\nW: param[D, C]\nsvm(X @ W, y, 2.5)",
    "index": "s: param[N, C]\ny: labels[N, C]\n"
    "L[i] = sum(max(0, s[i,j] - s[i,y[i]] + 1) for j in C if j != y[i])\n"
    "loss = mean(L[i] for i in N)",
    "onehot": "Y: data[N, C]\nS: param[N, C]\ncross_entropy_of(softmax(Y), softmax(S))",
    "attention": "Q: param[N, D]\nK: param[N, D]\nV: param[N, D]\nT: data[N, D]\n"
    "sum(softmax(Q @ K.T/sqrt(D), axis=1) @ V*T)",
    "gram": "U: param[C, N]\nsum((U.T @ (2*U))**3)",
    "deep": "X: data[N, D]\nW: param[D, D]\nh = tanh(X @ W)\nh = tanh(h @ W)\nmean(h**2)",
    "scalar": "x: param\nv: data[N]\nsum(exp(-x*v**2)) + x**2*N",
    "logistic": "X: data[N, D]\nt: binary[N]\nw: param[D]\nb: param\n"
    "bce_with_logits(X @ w + b, t) + 0.5*w @ w",
    "inverse": "A: param[N, N]\nb: param[N]\nsum(solve(A + 5*eye(N), b)**2) + trace(A @ A)",
    "take": "E: param[V, D]\ni: labels[N, V]\nsum(take(E, i, axis=0)**2) + sum(cumsum(E, axis=0))",
    "parts": "A: param[N, M]\na: param[N]\nsum(A[:, 0]*a) + sum(A[1:]) + prod(a) + sum(A.T @ a)",
}  # fmt: skip
WHOLE = {
    "input": "x: param[N, D]\nx",
    "turned": "x: param[N, D]\nx.T", "slice": "x: param[N, D]\nx[::2]",
    "zeros": "x: param[N]\nzeros_like(x)", "range": "x: param[N]\narange(N)",
    "mask": "x: param[N]\nx > 0", "turned mask": "x: param[N, M]\n(x > 0).T",
    "labels": "y: labels[N, C]\ny", "product": "A: param[N, M]\nB: param[M, K]\nA @ B",
    "max": "A: param[N, M]\nmax(A, axis=0)", "sum": "A: param[N, N]\nA + eye(N)",
    "joined": "a: param[N]\nb: param[M]\nconcatenate((a, b))",
    "diagonal": "A: param[N, N]\ndiag(A)",
    "reshape": "A: param[N, 4]\nreshape(A, (2*N, 2))",
    "axes": "T: param[N, M, K]\ntranspose(T, (2, 0, 1))",
    "pick": "y: labels[N, 4]\nS: param[N, 4]\nS[arange(N), y]",
    "softmax": "S: param[N, C]\nsoftmax(S)",
    "log": "U: param[C, N]\nB: data[C, D]\nlog_softmax(U.T @ B, axis=1)",
}  # fmt: skip
ODD = {"N": 7, "D": 5, "C": 3, "H": 6, "M": 4, "K": 2, "V": 6}
LONG = {"N": 40, "D": 33, "C": 10, "H": 35, "M": 20, "K": 9, "V": 8}


def numbers(
    graph: Graph, sizes: dict[str, int], seed: int = 0, dtype: Any = None
) -> dict[str, Any]:
    """Draw a value for every input, of the kind that it is."""
    rng, found = np.random.default_rng(seed), {}
    for n in graph.inputs:
        shape = tuple(sizes[d] if isinstance(d, str) else int(d) for d in n.shape)
        value: Any = rng.uniform(-1.5, 1.5, shape)
        if n.dtype == "int":
            value = rng.integers(0, sizes.get(n.attrs["classes"], n.attrs["classes"]), shape)
        elif n.attrs["kind"] == "binary":
            value = (value > 0) * 1.0
        found[n.attrs["name"]] = value if n.dtype == "int" else np.asarray(value, dtype)[()]
    return found


def styles(
    graph: Any, costs: tuple[Costs, ...] = ALL, **options: Any
) -> tuple[Compiled, list[Compiled]]:
    """Compile in style readable, and in style fast with usual and with very short tiles."""
    graph = sg.parse(graph)
    options["wrt"] = options.get("wrt", [] if graph.output.shape else None)
    fast = [build(graph, style="fast", costs=c, **options) for c in costs]
    return build(graph, style="readable", **options), fast


def results(found: tuple[Any, dict[str, Any]]) -> Iterator[tuple[str, Any]]:
    """List what a function has returned, by name."""
    yield "value", found[0]
    yield from found[1].items()


def agree(found: Any, expected: Any, dtype: str = "float64", scale: float = 1.0) -> None:
    """Compare what two functions return: to rounding, and in shape, type and names."""
    assert list(found[1]) == list(expected[1])
    eps = 64 * scale * float(np.finfo(dtype).eps)
    for (name, a), (_, b) in zip(results(found), results(expected), strict=True):
        assert np.shape(a) == np.shape(b), name
        assert np.asarray(a).dtype == np.dtype(dtype), name
        np.testing.assert_allclose(a, b, rtol=eps, atol=eps, err_msg=name)


def agree_with_backprop(graph: sg.Graph, at: dict[str, Any], dtype: str) -> None:
    """Check fast code against backpropagation on the graph as it was typed."""
    expected = sg.backprop(graph, at)
    found = sg.compile(graph, style="fast", dtype=dtype)(**at)
    grads = {name: expected.grad[name] for name in found[1]}
    agree(found, (expected.value, grads), dtype, scale=1000)


def check(
    graph: Graph, at: list[dict[str, Any]], dtype: str = "float64", scale: float = 1.0,
    costs: tuple[Costs, ...] = ALL, **options: Any,
) -> None:  # fmt: skip
    """Call both styles, warnings being errors; inputs stay, results are fresh and repeat."""
    readable, fast = styles(graph, costs, dtype=dtype, **options)
    for f in fast:
        safety.check(f.program)
        for inputs in at:
            kept = {k: np.array(v) for k, v in inputs.items()}
            found = f(**inputs)
            agree(found, readable(**inputs), dtype, scale)
            first = [np.array(v) for _, v in results(found)]
            again = f(**inputs)
            for old, (name, a), (_, b) in zip(first, results(found), results(again), strict=True):
                assert np.array_equal(old, a) and np.array_equal(old, b), name
            assert all(np.array_equal(kept[k], inputs[k]) for k in inputs)
            fresh([*results(found), *results(again)], inputs)


def fresh(found: list[tuple[str, Any]], at: dict[str, Any]) -> None:
    """Assert that returned arrays are the caller's alone, and may be written."""
    others = [v for v in at.values() if isinstance(v, np.ndarray)]
    for name, a in found:
        if np.ndim(a):
            assert a.flags.writeable and not any(np.shares_memory(a, b) for b in others), name
            others.append(a)


@pytest.mark.parametrize("name", [*PROGRAMS, *WHOLE])
@pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")
def test_it_agrees_with_the_readable_style(name: str) -> None:
    """For odd sizes, equal ones, single entries and several tiles; whole arrays for none too."""
    graph = sg.parse({**PROGRAMS, **WHOLE}[name])
    empty = name in WHOLE and name not in ("max", "log", "softmax")
    sizes = (ODD, dict.fromkeys(ODD, 4), dict.fromkeys(ODD, 1), LONG, {**ODD, "N": 0})
    check(graph, [numbers(graph, s, 1) for s in sizes[: 4 + empty]], scale=64.0)


@pytest.mark.parametrize("name", PROGRAMS)
def test_float32_and_accurate(name: str) -> None:
    graph = sg.parse(PROGRAMS[name])
    check(graph, [numbers(graph, ODD, 1, np.float32)], "float32", 16.0, (TINY,))
    check(graph, [numbers(graph, ODD, 2)], scale=8.0, costs=(SINGLE,), accurate=True)


@pytest.mark.parametrize("row", OPS.values(), ids=name_of)
def test_every_row(row: Op) -> None:
    """The sample of the table, and elementwise rows over arrays that are repeated."""
    nodes = [sample(row)]
    count = 2 if bounds(row)[1] == ANY else bounds(row)[1]
    if row.shape == "elementwise":
        given = [leaf(f"i{k}", ((5, 4), (4,), (), (5, 1))[k % 4]) for k in range(count)]
        if row.hidden and row.masks:
            given = [make("gt", a, const(0.5)) for a in given]
        params = {k: PARAMS[k] for k, v in row.params.items() if v is MISSING}
        nodes.append(make(row.name, *given, **params))
        if nodes[1].dtype == "float":
            nodes.append(make("sum", make("mul", nodes[1], make("sin", nodes[1]))))
    rng = np.random.default_rng(0)
    for node in nodes:
        graph = sg.Graph.of([node], names={})
        graph = sg.parse(graph, functions=dict.fromkeys(graph.functions, "tanh"))
        at = {n.attrs["name"]: rng.integers(0, 3, n.shape)[()] if n.dtype == "int"
              else rng.uniform(0.2, 0.8, n.shape)[()] for n in graph.inputs}  # fmt: skip
        if row.domain in ("b < a", "c < b"):  # a difference of equals has no digits
            at = {name: v - k for k, (name, v) in enumerate(at.items())}
        if any(n.shape for n in graph.order()):
            readable, (f,) = styles(graph, (TINY,))
            agree(f(**at), readable(**at))


def test_gradients_in_intermediate_names_and_of_the_same_node() -> None:
    graph = sg.parse("X: param[N, D]\nW: param[D, C]\nz = X @ W\nh = tanh(z)\nsum(h**2) + sum(z)")
    check(graph, [numbers(graph, ODD)], wrt=["z", "h", "W"], scale=8.0)
    graph = sg.parse("a: param[N]\nb: param[N]\ns = a + b\nsum(exp(s))")
    check(graph, [numbers(graph, ODD)], wrt=["b", "s", "a"])


def layouts(a: Any, folder: Any) -> Iterator[Any]:
    """Give the same numbers in every layout that a caller may have."""
    wide = np.zeros(tuple(2 * n for n in a.shape), a.dtype)
    wide[tuple(slice(None, None, 2) for _ in a.shape)] = a
    yield wide[tuple(slice(None, None, 2) for _ in a.shape)]
    yield np.asfortranarray(a)
    yield np.flip(np.flip(a).copy())
    fixed = a.copy()
    fixed.flags.writeable = False
    yield fixed
    yield a.astype(a.dtype.newbyteorder(">"))
    yield a.tolist()
    stored = np.memmap(folder / f"{id(a)}.bin", a.dtype, "w+", shape=a.shape)
    stored[...] = a
    yield stored


@pytest.mark.parametrize("name", ["ce", "net", "elem", "attention", "norm", "rank3"])
def test_inputs_in_every_layout(name: str, tmp_path: Any) -> None:
    graph = sg.parse(PROGRAMS[name])
    at = numbers(graph, ODD)
    readable, fast = styles(graph)
    expected = readable(**at)
    arrays = {k: v for k, v in at.items() if np.ndim(v)}
    for given in zip(*(layouts(v, tmp_path) for v in arrays.values()), strict=True):
        for f in fast:
            agree(f(**{**at, **dict(zip(arrays, given, strict=True))}), expected, scale=8.0)
    single = {k: np.float32(v) if np.asarray(v).dtype.kind == "f" else v for k, v in at.items()}
    for f in fast:
        agree(f(**single), readable(**single), scale=8.0)


def test_sizes_change_between_calls_and_few_workspaces_stay() -> None:
    readable, fast = styles(CE)
    for f in fast:
        space = inspect.unwrap(f._function).__globals__
        for n in [*range(1, 30), 7, 3, 29]:
            at = numbers(f.graph, {**ODD, "N": n, "C": 2 + n % 3}, n)
            agree(f(**at), readable(**at), scale=8.0)
            assert len(space["IDLE"]) <= 8


@pytest.mark.parametrize("name", ["ce", "elem", "norm"])
def test_eight_threads_at_once(name: str) -> None:
    readable, fast = styles(PROGRAMS[name])
    at = [numbers(readable.graph, {**ODD, "N": 20 + k % 3}, k) for k in range(8)]
    expected = [readable(**a) for a in at]
    wrong: list[BaseException] = []

    def work(k: int) -> None:
        try:
            for _ in range(15):
                for f in fast:
                    agree(f(**at[k]), expected[k], scale=8.0)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_a_call_inside_a_call_and_an_error_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    readable, fast = styles(ELEM)
    at, other = numbers(readable.graph, ODD, 1), numbers(readable.graph, ODD, 2)
    for f in fast:
        space = inspect.unwrap(f._function).__globals__
        plain, seen = space["exp"], []

        def exp(*args: Any, f: Any = f, plain: Any = plain, seen: Any = seen, **more: Any) -> Any:
            if not seen:
                seen.append(True)
                seen.append(f(**other))
            return plain(*args, **more)

        monkeypatch.setitem(space, "exp", exp)
        agree(f(**at), readable(**at))
        agree(seen[1], readable(**other))
    readable, fast = styles(CE)
    at = numbers(readable.graph, ODD)
    for f in fast:
        f(**at)
        with pytest.raises(sg.SymgradError):
            f(**{**at, "y": np.full(7, 9)})
        with pytest.raises(IndexError):
            f._function(**{**at, "y": np.full(7, 9)})
        agree(f(**at), readable(**at))


def test_it_travels_and_is_copied() -> None:
    readable, fast = styles(CE)
    at = numbers(readable.graph, ODD)
    for f in fast:
        f(**at)
        for twin in (pickle.loads(pickle.dumps(f)), copy.copy(f), copy.deepcopy(f)):
            assert twin.program == f.program
            agree(twin(**at), readable(**at))


FAR = {
    "activations": "v: param[N]\nk: data[N]\n"
    "sum((sigmoid(v) + softplus(v) + tanh(v) + silu(v) + elu(v) + logsigmoid(v) + softsign(v))*k)",
    "loss": "v: param[N]\nk: binary[N]\nbce_with_logits(v, k)",
    "cases": "v: param[N]\nk: data[N]\n"
    "sum(where(v > 0, log(v), v)*k) + sum(where(v > 1, sqrt(v), 1/(1 + abs(v))))",
    "rows": "S: param[N, D]\ny: labels[N, D]\n"
    "cross_entropy(S, y) + sum(softmax(S)) + sum(logsumexp(S, axis=0)) + sum(max(S, axis=1))",
}
BEYOND = {"float64": (1e3, 1e150), "float32": (1e3, 1e18)}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", FAR)
def test_far_out_it_is_as_finite(name: str, dtype: str) -> None:
    """Where the readable style gives a number, so does this one; NaN propagates alike."""
    readable, fast = styles(FAR[name], dtype=dtype)
    for far in (*BEYOND[dtype], np.inf, np.nan):
        if name in ("activations", "loss") and np.isposinf(far):
            continue  # sigmoid from softplus: inf - inf
        at = numbers(readable.graph, ODD, 4, np.dtype(dtype))
        key = "S" if name == "rows" else "v"
        at[key].flat[::3] = far if np.isnan(far) or name == "rows" else -far
        at[key].flat[1::4] = far
        with warnings.catch_warnings(record=True) as before:
            warnings.simplefilter("always")
            expected = readable(**at)
        for f in fast:
            with warnings.catch_warnings():
                warnings.simplefilter("always" if before else "error")
                found = f(**at)
            for (k, a), (_, b) in zip(results(found), results(expected), strict=True):
                assert np.array_equal(np.isfinite(a), np.isfinite(b)), (k, far)
                assert np.array_equal(np.isnan(a), np.isnan(b)), (k, far)

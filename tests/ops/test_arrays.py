"""Operators with axes, products and losses: values against NumPy, gradients against differences."""

import math
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import bind, values
from symgrad.ops import OPS, Op
from symgrad.ops.spec import bounds

RNG = np.random.default_rng(0)
AXES = [None, 0, 1, -1, 2, (0, 1), (0, 2), (1, 2), (-1, 0), (0, 1, 2)]
REDUCERS = [row for row in OPS.values() if row.shape == "reduce" and not row.hidden]
ALONG = [r for r in OPS.values() if r.shape == "like a" and "axis" in r.params and not r.hidden]
LOSSES = [row for row in OPS.values() if row.reduction]
SIMPLE = [row for row in LOSSES if getattr(row.shape, "__name__", "") == "_per_element"]
BY_ROW = [row for row in LOSSES if "target(" in row.formula]
WHOLE_ROWS = ["multilabel_hinge", "multilabel_soft_margin", "kl_div"]  # targets like the scores


def name_of(row: Op) -> str:
    return row.name


def typed(row: Op) -> str:
    return {"amax": "max", "amin": "min"}.get(row.name, row.name)


def central(function: Any, x: Any, h: float = 1e-5) -> Any:
    """Differentiate a scalar function of an array numerically, entry by entry."""
    x = np.array(x, dtype=float)
    result = np.zeros_like(x)
    for k in np.ndindex(x.shape):
        move = np.zeros_like(x)
        move[k] = h
        result[k] = (function(x + move) - function(x - move)) / (2 * h)
    return result


def evaluate(graph: sg.Graph, at: dict[str, Any]) -> Any:
    known, sizes = bind(graph, at)
    return values([graph.output], known, sizes)[graph.output]


def check(text: str, at: dict[str, Any], wrt: list[str], tolerance: float = 2e-8) -> None:
    """Compare all gradients of sum(weight*value) with differences; shapes as the inputs'."""
    graph = sg.parse(text)
    value = evaluate(graph, at)
    weight = np.random.default_rng(1).normal(size=np.shape(value))
    lines = text.split("\n")
    dims = f": data[{', '.join(map(str, np.shape(value)))}]" if np.ndim(value) else ": data"
    loss = f"weight*({lines[-1]})"
    program = "\n".join([f"weight{dims}", *lines[:-1], f"sum({loss})" if np.ndim(value) else loss])
    passes = sg.backprop(program, {**at, "weight": weight}, wrt=wrt)
    compiled, grads = sg.compile(program, wrt=wrt)(**at, weight=weight)
    assert np.allclose(compiled, passes.value, rtol=1e-13, atol=1e-13)
    for name in wrt:

        def moved(x: Any, name: str = name) -> float:
            return float(np.sum(weight * evaluate(graph, {**at, name: x})))

        numeric = central(moved, at[name])
        scale = max(1.0, float(np.max(np.abs(numeric), initial=0)))
        for what, got in (("backprop", passes.grad[name]), ("compiled", grads[name])):
            assert np.shape(got) == np.shape(at[name]), what
            assert np.max(np.abs(got - numeric), initial=0) <= tolerance * scale, (what, name)


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("axis", AXES, ids=str)
@pytest.mark.parametrize("row", REDUCERS, ids=name_of)
def test_reductions(row: Op, axis: Any, keepdims: bool) -> None:
    text = f"A: real[2, 3, 4]\n{typed(row)}(A, axis={axis}, keepdims={keepdims})"
    check(text, {"A": RNG.normal(size=(2, 3, 4))}, ["A"])


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 1)], ids=str)
@pytest.mark.parametrize("row", REDUCERS, ids=name_of)
def test_reductions_agree_with_numpy(row: Op, axis: Any) -> None:
    A = RNG.normal(size=(3, 4))
    name = typed(row)
    theirs = getattr(np, name, None) or getattr(np.linalg, name, None)
    if theirs is None or name == "norm":
        expected = {
            "norm": np.sqrt(np.sum(A**2, axis=axis)),
            "logsumexp": np.log(np.sum(np.exp(A), axis=axis)),
        }[name]
    else:
        expected = theirs(A, axis=axis)
    graph = sg.parse(f"A: real[3, 4]\n{name}(A, axis={axis})")
    np.testing.assert_allclose(evaluate(graph, {"A": A}), expected, rtol=1e-14)
    np.testing.assert_allclose(sg.compile(graph, wrt=[])(A=A)[0], expected, rtol=1e-14)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (5,), (3, 1), (1, 4)], ids=str)
@pytest.mark.parametrize("row", REDUCERS, ids=name_of)
def test_reductions_of_small_shapes(row: Op, shape: tuple[int, ...]) -> None:
    dims = f"real[{', '.join(map(str, shape))}]" if shape else "real"
    A = RNG.normal(size=shape) + 3
    check(f"A: {dims}\n{typed(row)}(A)", {"A": A[()] if shape else float(A)}, ["A"])


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2], ids=str)
@pytest.mark.parametrize("row", ALONG, ids=name_of)
def test_functions_along_an_axis(row: Op, axis: int) -> None:
    A = RNG.normal(size=(2, 3, 4))
    check(f"A: real[2, 3, 4]\n{row.name}(A, axis={axis})", {"A": A}, ["A"])
    check(f"A: real[K]\n{row.name}(A)", {"A": A[0, 0]}, ["A"])


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("row", [*REDUCERS, *ALONG], ids=name_of)
def test_large_entries_overflow_nowhere(row: Op, dtype: str) -> None:
    f = sg.compile(f"A: param[N, K]\nsum({typed(row)}(A, axis=1)**2)/1e8", dtype=dtype)
    value, grads = f(A=np.array([[1e4, -1e4, 0], [3, 1e4, 1]], dtype=dtype))
    assert np.isfinite(value) and np.isfinite(grads["A"]).all()
    assert value.dtype == grads["A"].dtype == dtype


def test_softmax_rows_sum_to_1() -> None:
    for scale in (1, 100, 1e4):
        P, _ = sg.compile("S: real[N, C]\nsoftmax(S)", wrt=[])(S=scale * RNG.normal(size=(50, 7)))
        assert np.max(np.abs(P.sum(axis=1) - 1)) <= 2 * 2.0**-52 and P.min() >= 0


RANKS = [
    ((3,), (3,)),
    ((2, 3), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (3,)),
    ((3,), (5, 3, 4)),
    ((1, 2, 3), (5, 3, 4)),
    ((6, 1, 2, 3), (5, 3, 4)),
    ((1, 1), (1, 1)),
    ((1, 3), (3, 1)),
    ((1,), (1,)),
]


@pytest.mark.parametrize(("left", "right"), RANKS, ids=str)
def test_products_of_all_ranks(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    a, b = RNG.normal(size=left), RNG.normal(size=right)
    text = f"a: real[{', '.join(map(str, left))}]\nb: real[{', '.join(map(str, right))}]\n"
    for expression in ("a @ b", "matmul(a, b)"):
        assert np.allclose(evaluate(sg.parse(text + expression), {"a": a, "b": b}), a @ b)
    check(text + "a @ b", {"a": a, "b": b}, ["a", "b"])
    check(text + "tanh(a @ b)", {"a": a, "b": b}, ["a", "b"])


PAIRS = [
    ((), ()),
    ((), (3,)),
    ((3,), ()),
    ((1,), ()),
    ((1, 1), ()),
    ((1,), (3,)),
    ((3,), (2, 3)),
    ((2, 1), (3,)),
    ((2, 1), (1, 3)),
    ((2, 3), (1, 1)),
    ((1,), (1,)),
    ((1, 1), (1,)),
    ((4, 1, 3), (2, 1)),
    ((1, 3), (2, 3)),
    ((2, 3), (2, 3)),
]
BROADCASTING = [r for r in OPS.values() if r.shape == "elementwise" and bounds(r) == (2, 2)
                and r.dtype == "float" and not r.hidden]  # fmt: skip


@pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")
@pytest.mark.parametrize(("left", "right"), PAIRS, ids=str)
@pytest.mark.parametrize("row", BROADCASTING, ids=name_of)
def test_broadcasting(row: Op, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    """A gradient has its input's shape, on both sides."""
    rng = np.random.default_rng(5)
    a, b = rng.uniform(0.5, 2, left)[()], rng.uniform(2.5, 4, right)[()]

    def dims(shape: tuple[int, ...]) -> str:
        return f"[{', '.join(map(str, shape))}]" if shape else ""

    text = f"a: real{dims(left)}\nb: real{dims(right)}\n{row.name}(a, b)"
    check(text, {"a": a, "b": b}, ["a", "b"])


REARRANGED = [
    "outer(v, u)",
    "A.T",
    "A[0]",
    "A[-1]",
    "A[:, 1]",
    "A[1:, :2]",
    "A[:, -2:]",
    "A[:, None]",
    "A[None, 1]",
    "v[1]",
    "v[-1]",
    "v[1:]",
    "v[:-1]",
    "A[1, 2]",
    "A[:, 1:-1]*2",
    "A[5:]",
    "v[2:1]",
    "transpose(A)",
    "transpose(T, (2, 0, 1))",
    "T.T",
    "transpose(T, (0, 2, 1)) @ T",
    "T[1, :, 0]",
    "T[:, 1]",
    "T[0, 0, 0]",
    "where(A > 0, A, v)",
    "where(A > v, v, 2.0)",
    "where(A[0] > 0, 1, A)",
    "clip(A, -0.5, 0.5)",
    "maximum(A, v)",
    "minimum(v, A)",
    "max(A, 0)",
    "relu(A) @ v",
    "A*v + A.T[0, 0]",
    "v[:, None]*u",
    "pick",
    "ones_like(A)*v",
    "zeros_like(A) + A",
    "A[0] @ A[1]",
    "A @ A.T",
    "v[:, None] @ u[None, :]",
    "log_softmax(A)[arange(N), y]",
    "A[arange(N), y]",
    "(A @ A.T)[0, 1]",
    "v[y[0]]",
]


@pytest.mark.parametrize("text", [t for t in REARRANGED if t not in ("pick", "v[y[0]]")])
def test_parts_and_axes(text: str) -> None:
    at = {"A": RNG.normal(size=(2, 3)), "v": RNG.normal(size=3), "u": RNG.normal(size=4),
          "T": RNG.normal(size=(2, 3, 4)), "y": np.array([2, 0])}  # fmt: skip
    declared = "A: real[2, 3]\nv: real[3]\nu: real[4]\nT: real[2, 3, 4]\ny: labels[2, 3]\n"
    if "arange" in text:
        declared = declared.replace("2, 3]", "N, 3]").replace(
            "T: real[N, 3, 4]", "T: real[2, 3, 4]"
        )
    check(declared + text, at, [n for n in "AvuT" if n in text])


@pytest.mark.parametrize("text", ["v[0]", "v[-1]", "A[0]", "A[-1, 1]", "A[:, 0]", "A[1, -1]"])
def test_parts_of_named_dimensions(text: str) -> None:
    at = {"A": RNG.normal(size=(2, 3)), "v": RNG.normal(size=3)}
    check(f"A: real[N, D]\nv: real[D]\n{text}**2", at, [text[0]])


def test_winners_of_ties_share_one_gradient() -> None:
    for text in ("max(v)", "min(v)", "maximum(v[0], v[1])", "minimum(v[0], v[1])"):
        for at in ([1.0, 1.0], [0.0, 0.0]):
            passes = sg.backprop(f"v: real[2]\n{text}", {"v": at})
            assert sum(passes.grad["v"]) == 1
            _, grads = sg.compile(f"v: real[2]\n{text}")(v=np.array(at))
            assert grads["v"].tolist() == passes.grad["v"].tolist()
    assert sg.backprop("maximum(a, a)", {"a": 1}).grad["a"] == 1
    assert sg.compile("maximum(a, a)")(a=1)[1]["a"] == 1


LABELS = np.array([2, 0, 1, 1])
TARGETS = {
    "0 < a < 1": RNG.uniform(0.1, 0.9, (4, 3)),
    "R": RNG.normal(size=(4, 3)) * 1.7,
}


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("row", SIMPLE, ids=name_of)
def test_losses_per_element(row: Op, reduction: str) -> None:
    p, t = TARGETS[row.domain], np.where(RNG.normal(size=(4, 3)) > 0, 1.0, 0.0)
    declared = "p: real[4, 3]\nt: real[4, 3]\n"
    text = f"{row.name}(p, t, reduction='{reduction}')"
    none = evaluate(sg.parse(f"{declared}{row.name}(p, t, reduction='none')"), {"p": p, "t": t})
    value = evaluate(sg.parse(declared + text), {"p": p, "t": t})
    expected = none if reduction == "none" else getattr(np, reduction)(none)
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    check(declared + text, {"p": p, "t": t}, ["p", "t"])
    check("p: real\nt: real\n" + text, {"p": p[0, 0], "t": t[0, 0]}, ["p"])
    if reduction == "mean":
        assert evaluate(sg.parse(f"{declared}{row.name}_loss(p, t)"), {"p": p, "t": t}) == value


@pytest.mark.parametrize("row", SIMPLE, ids=name_of)
def test_losses_by_their_formula(row: Op, exact: Any) -> None:
    p, t = float(TARGETS[row.domain][0, 0]), 1.0
    arguments = [p, t, *row.defaults][: bounds(row)[1]]
    true = float(
        exact.apply(row.name, [exact.node(sg.parse(repr(v)).output, {}) for v in arguments])
    )
    assert math.isclose(sg.compile(f"{row.name}(p, t)", wrt=[])(p=p, t=t)[0], true, rel_tol=1e-14)


def reference(name: str, S: Any, y: Any) -> Any:
    """Compute the losses of rows of scores, by loops."""
    picked = S[np.arange(len(S)), y]
    if name == "cross_entropy":
        return np.log(np.exp(S).sum(axis=1)) - picked
    if name == "nll":
        return -picked
    share = S.shape[1] if name == "multi_margin" else 1
    return np.array([
        sum(max(0, S[i, j] - S[i, y[i]] + 1) for j in range(S.shape[1]) if j != y[i])/share
        for i in range(len(S))
    ])  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("target", ["labels[4, 3]", "onehot[4, 3]", "simplex[4, 3]"])
@pytest.mark.parametrize("row", BY_ROW, ids=name_of)
def test_losses_per_row(row: Op, target: str, reduction: str) -> None:
    S = TARGETS["R"]
    y: Any = LABELS if target.startswith("labels") else np.eye(3)[LABELS]
    none = reference(row.name, S, LABELS)
    if target.startswith("simplex"):
        if "rest(" in row.formula:
            return  # a margin needs one class to be the right one
        y = RNG.uniform(0.2, 1, (4, 3))
        y /= y.sum(axis=1, keepdims=True)
        none = sum(y[:, [c]] * reference(row.name, S, np.full(4, c))[:, None] for c in range(3))[
            :, 0
        ]
    text = f"S: real[4, 3]\ny: {target}\n{row.name}(S, y, reduction='{reduction}')"
    expected = none if reduction == "none" else getattr(np, reduction)(none)
    np.testing.assert_allclose(evaluate(sg.parse(text), {"S": S, "y": y}), expected, rtol=1e-13)
    check(text, {"S": S, "y": y}, ["S"])


@pytest.mark.parametrize("row", BY_ROW, ids=name_of)
def test_losses_of_one_sample(row: Op) -> None:
    S = TARGETS["R"][0]
    for target, y in (("label[3]", 2), ("onehot[3]", np.eye(3)[2])):
        text = f"S: real[3]\ny: {target}\n{row.name}(S, y)"
        expected = reference(row.name, S[None], np.array([2]))[0]
        np.testing.assert_allclose(evaluate(sg.parse(text), {"S": S, "y": y}), expected, rtol=1e-13)
        check(text, {"S": S, "y": y}, ["S"])


def by_loops(name: str, F: Any, Y: Any) -> Any:
    """Compute the losses of rows whose targets have the shape of the scores."""
    one = {
        "multilabel_hinge": lambda f, y: max(0, 1 - y * f),
        "multilabel_soft_margin": lambda f, y: math.log1p(math.exp(f)) - y * f,
        "kl_div": lambda f, y: y * (math.log(y) - f),
    }[name]
    return np.array([sum(map(one, f, y)) for f, y in zip(F, Y, strict=True)])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", WHOLE_ROWS)
def test_losses_of_whole_rows(name: str, reduction: str) -> None:
    F = TARGETS["R"]
    Y = {"kl_div": np.abs(F) / np.abs(F).sum(axis=1, keepdims=True)}.get(name, (F > 0) * 1.0)
    text = f"F: real[4, 3]\nY: real[4, 3]\n{name}(F, Y, reduction='{reduction}')"
    none = by_loops(name, F, Y)
    expected = none if reduction == "none" else getattr(np, reduction)(none)
    np.testing.assert_allclose(evaluate(sg.parse(text), {"F": F, "Y": Y}), expected, rtol=1e-13)
    check(text, {"F": F, "Y": Y}, ["F"])
    single = f"F: real[3]\nY: real[3]\n{name}(F, Y)"
    np.testing.assert_allclose(evaluate(sg.parse(single), {"F": F[0], "Y": Y[0]}), none[0])


def test_the_count_of_mistakes_warns() -> None:
    S, y = np.array([[1.0, 2], [3, 0], [5, 4]]), np.array([1, 1, 0])
    for target, value in (("labels[N, C]", y), ("onehot[N, C]", np.eye(2)[y])):
        text = f"S: param[N, C]\ny: {target}\nzero_one(S, y)"
        assert evaluate(sg.parse(text), {"S": S, "y": value}) == pytest.approx(1 / 3)
        with pytest.warns(sg.SymgradWarning, match="zero almost everywhere"):
            compiled = sg.compile(text)
        got, grads = compiled(S=S, y=value)
        assert got == pytest.approx(1 / 3) and not grads["S"].any()
    signs = "s: param[N]\ny: sign[N]\nzero_one(s, y)"
    assert evaluate(sg.parse(signs), {"s": np.array([2.0, -1]), "y": np.array([1, 1])}) == 0.5


def test_every_loss_is_in_a_table_of_this_file() -> None:
    known = {"cross_entropy", "nll", "svm", "multi_margin"}
    assert {r.name for r in BY_ROW} <= known, "add it to reference()"
    assert len(LOSSES) == len(SIMPLE) + len(BY_ROW) + len([*WHOLE_ROWS, "zero_one"])


KINKS = [  # program, point, the documented derivative there
    ("abs(x)", 0.0, 0),
    ("relu(x)", 0.0, 0),
    ("max(0, x)", 0.0, 0),
    ("max(x, 0)", 0.0, 0),
    ("hinge(x, 1)", 1.0, 0),
    ("hinge(x, -1)", -1.0, 0),
    ("l1(x, 2)", 2.0, 0),
    ("x**0", 0.0, 0),
    ("x**1", 0.0, 1),
    ("x**2", 0.0, 0),
    ("x**3", 0.0, 0),
    ("2**x", 0.0, math.log(2)),
    ("x*x", 0.0, 0),
    ("where(x > 0, sqrt(x), 0)", -1.0, 0),
    ("where(x > 0, log(x), 0)", 0.0, 0),
    ("where(x > 0, 1/x, 0)", 0.0, 0),
    ("where(x < 0, exp(x), 1)", 1e4, 0),
    ("where(x > 0, x**0.5, 0)", -2.0, 0),
    ("where(x > 1, log(x - 1), where(x > 0, sqrt(x), 2*x))", -3.0, 2),
    ("(-2.0)**2*x", 1.0, 4),
    ("x**(-2)", -2.0, 0.25),
    ("leaky_relu(x)", 0.0, 0.01),
    ("norm(x)", 0.0, 0),
    ("sqrt(x**2)", 0.0, 0),
    ("sqrt(x)*0", 0.0, 0),
    ("clip(x, 0, 1)", 0.0, 0),
    ("relu6(x)", 6.0, 0),
    ("floor(x)", 1.0, 0),
    ("sign(x)", 0.0, 0),
    ("x**1.5", 0.0, 0),
    ("tanh(x)/1", 0.0, 1),
]


@pytest.mark.parametrize(("text", "x", "slope"), KINKS)
def test_kinks_and_branches_not_taken(text: str, x: float, slope: float) -> None:
    value, grads = sg.compile(text)(x=x)
    assert math.isfinite(value) and grads["x"] == pytest.approx(slope, rel=1e-15)
    passes = sg.backprop(text, {"x": x})
    assert math.isfinite(passes.value) and passes.grad["x"] == pytest.approx(slope, rel=1e-15)
    array = "x: param[K]\nsum(" + text.replace("norm(x)", "norm(x)*1") + ")"
    _, grads = sg.compile(array)(x=np.array([x]))
    assert grads["x"] == pytest.approx([slope], rel=1e-15)


def test_a_shared_branch_is_guarded_too() -> None:
    """A value that the backward pass needs again still raises no warning."""
    text = (
        "S: param[3, 3]\nv: param[3]\nt1 = where(exp(S)/sum(exp(S)) > 0.1, S, v**2)\n"
        "u = (t1 - mean(t1))/sqrt(var(t1) + 0.1)\n"
        "t2 = silu(where(u > 0.1, sqrt(u), u))\nloss = sum(t1) + sum(t2)"
    )
    rng = np.random.default_rng(0)
    at = {"S": rng.normal(size=(3, 3)), "v": rng.normal(size=3)}
    value, grads = sg.compile(text)(**at)  # a RuntimeWarning is an error here
    assert np.isfinite(value)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, sg.backprop(text, at).grad[name], rtol=1e-9, atol=1e-12)


def test_sqrt_at_zero_is_infinite_where_it_is() -> None:
    assert sg.compile("sqrt(x)")(x=0.0)[1]["x"] == math.inf
    assert sg.backprop("sqrt(x)", {"x": 0.0}).grad["x"] == math.inf


@pytest.mark.parametrize("text", ["sum(X)", "sum(X**2)", "sum(relu(X @ W))"])
def test_an_empty_batch(text: str) -> None:
    f = sg.compile(f"X: real[N, 3]\nW: param[3, 2]\nb: param[3]\n{text} + sum(b)", wrt=["W", "b"])
    value, grads = f(X=np.zeros((0, 3)), W=np.ones((3, 2)), b=np.ones(3))
    assert value == 3 and not grads["W"].any() and grads["b"].tolist() == [1, 1, 1]


def test_variance_of_a_constant_column_and_a_large_offset() -> None:
    norm = "X: param[N, D]\nv = var(X, axis=0)\nsum(((X - mean(X, axis=0))/sqrt(v + 1e-5))*C)"
    f = sg.compile(norm, wrt=["X"])
    X = np.random.default_rng(0).normal(size=(8, 3))
    X[:, 1] = 4
    _, grads = f(X=X, C=1.5)
    assert np.isfinite(grads["X"]).all()
    big = X + 1e6
    value, _ = sg.compile("X: real[N, D]\nvar(X, axis=0)", wrt=[])(X=big)
    assert np.allclose(value, np.var(big, axis=0), rtol=1e3 * 2.0**-52)


def test_named_and_numeric_dimensions_mix() -> None:
    check("X: real[N, 3]\nb: real[3]\nc: real[1, 3]\ntanh(X + b)*c", {
        "X": RNG.normal(size=(4, 3)), "b": RNG.normal(size=3), "c": RNG.normal(size=(1, 3)),
    }, ["X", "b", "c"])  # fmt: skip


def test_one_sample_standardised_is_warned_about() -> None:
    for text in ("batch_norm(X, g, b)", "g*(X - mean(X, axis=0))/sqrt(var(X, axis=0) + 1e-5) + b"):
        f = sg.compile(f"X: data[N, D]\ng: param[D]\nb: param[D]\nsum({text})")
        at = {"g": np.ones(2), "b": np.ones(2)}
        with pytest.warns(sg.SymgradWarning, match="more samples"):
            value, grads = f(X=np.ones((1, 2)), **at)
        assert value == 2 and grads["g"].tolist() == [0, 0]
        assert np.isfinite(f(X=np.array([[1.0, 2], [3, 2]]), **at)[0])

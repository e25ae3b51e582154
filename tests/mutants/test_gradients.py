"""The two sweeps, against differences of the value and against each other."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff.backprop import Local, backprop
from symgrad.autodiff.sweep import Adjoints, local, substitute, sweep, unbroadcast, zeros
from symgrad.evaluate import values
from symgrad.graph import Node, topological
from symgrad.ops import const, leaf, make
from symgrad.parse import shaping
from symgrad.shapes import Bindings

PROGRAMS = [
    "A: real[3, 4]\nb: real[4]\nsum(tanh(A*b + 1)**2)",
    "A: real[3, 4]\nB: real[4, 2]\nc: real[2]\nsum(exp(0.3*(A @ B) - c)*sigmoid(c))",
    "x: real[4]\ny = x*x\nz = y + x\nsum(z*y/(1 + z**2))",
    "A: real[3, 1]\nB: real[1, 4]\nx: real\nsum((A + B)*(A*B) - x*A)",
    "x: real[4]\nsum(where(x > 0.5, x**3, 2*x)) + max(x[0], x[1])",
    "S: real[3, 4]\nsum(log_softmax(S)[:, 1]) + norm(S) + sum(var(S, axis=0))",
    "x: real\nx*x*x - 2/x",
    "A: real[3, 4]\nmean(A) + sum(mean(A, axis=1)**2) + sum(max(A, axis=0))",
    "x: real[4]\ns = sum(x)\nsum(x*s + s)*s",
    "S: real[3, 4]\ny: labels[3, 4]\ncross_entropy(S, y) + svm(S, y) + nll(S*S, y)",
    "S: real[3, 4]\nT: real[3, 4]\nhuber(S*S, T) + kl_div(log(S), T) + bce(S/2, T/2)",
    "x: real[4]\nsum(leaky_relu(x, x) + leaky_relu(x - 1, x*x) + log2(x)*x)",
]

ARRAYS = [
    "T: real[2, 3, 3]\nA: real[3, 3]\nsum(inv(T)*A) + sum(inv(A)**2)",
    "T: real[2, 3, 3]\nsum(det(T)**2) + sum(logdet(T @ T + 4*eye(3)))",
    "A: real[3, 3]\ndet(A)**2*trace(A @ A) + sum(trace(2*A)*A)",
    "T: real[2, 3, 3]\nsum(trace(T)**2)",
    "A: real[3, 3]\nb: real[3]\nB: real[3, 2]\nsum(solve(A, b)**2) + sum(solve(A, B)**2)",
    "T: real[2, 3, 3]\nM: real[2, 3, 2]\nsum(solve(T + 3*eye(3), M)**3)",
    "U: real[2, 3, 2]\nprod(U) + sum(prod(U, axis=1)**2) + sum(prod(U, axis=(0, 2))**2)",
    "U: real[2, 3]\nsum(prod(U, axis=0, keepdims=True)*U)",
    "A: real[2, 3]\nsum(cumsum(A, axis=1)**2) + sum(cumsum(A, axis=0)**3)",
    "W: real[2, 8]\nA: real[2, 3]\nB: real[2, 2]\nsum(concatenate((A, B*B, A), axis=1)**2*W)",
    "W: real[2, 3, 3]\nA: real[2, 3]\nsum(stack((A, A*A, A**3), axis=1)**2*W)",
    "W: real[3, 2]\nA: real[2, 3]\nsum(reshape(A, (3, 2))**2*W)",
    "W: real[4, 2]\nA: real[3, 2]\nk: labels[4, 3]\nsum(take(A, k, axis=0)**2*W)",
    "x: real[5]\nw: real[2]\nsum(convolve(x, w)**2)",
    "x: real[5]\nw: real[3]\nsum(convolve(x, w, 'same')**2*arange(5))",
    "x: real[5]\nw: real[2]\nsum(convolve(x, w, 'same')**2*arange(5))",
    "x: real[5]\nw: real[2]\nsum(convolve(x, w, 'valid')**2*arange(4)) + sum(correlate(x, w)**2)",
    "W: real[4, 2]\nA: real[2, 3]\nB: real[3, 4]\nsum(einsum('ij,jk->ki', A, B)**2*W)",
    "A: real[2, 3]\nb: real[4]\nsum(einsum('ij,k->ik', A, b)**2) + einsum('ij->', A)**2",
    "A: real[3, 3]\nsum(einsum('ij,jk->ik', A, A)*A)",
    "A: real[2, 3]\nb: real[3]\nB: real[4, 3]\nsum(einsum('ij,j,kj->ki', A, b, B)**2)",
    "A: real[2, 3]\nb: real[3]\nsum(einsum('ij,j,k->ki', A, b, b)**2)",
    "b: real[3]\nA: real[2, 3]\nsum(einsum('i,jk,j->i', b, A, A[:, 0])**2)",
    "T: real[2, 3, 4]\nA: real[2, 3]\nsum(einsum('ijk,ij->jk', T, A)**2)",
    "A: real[2, 3]\nb: real[2]\nc: real[4]\neinsum('ij,i,k->', A, b, c)**2",
    "A: real[2, 3]\nsum(concatenate((A*A,))**2) + sum(stack((A,))**3)",
    "A: real[2, 3]\nB: real[1, 3]\nW: real[3, 3]\nsum(concatenate((A, B*B))**2*W)",
    "x: real\nprod(x)**2",
    "x: real[6]\nsum(x[1:]*x[:-1]) + sum(x[::-1]*x*arange(6)) + sum(x[1:6:2]**3)",
]


def differences(graph: sg.Graph, at: dict[str, np.ndarray], name: str) -> np.ndarray:
    """Take central differences of the value, entry by entry."""
    h, result = 1e-6, np.zeros(np.shape(at[name]))
    for k in np.ndindex(result.shape):
        moved = [np.array(at[name], dtype=float) for _ in range(2)]
        moved[0][k] += h
        moved[1][k] -= h
        high, low = (float(backprop(graph, at | {name: m}).value) for m in moved)
        result[k] = (high - low) / (2 * h)
    return result


def point(graph: sg.Graph) -> dict[str, np.ndarray]:
    """Draw a number for every input, and labels for what selects."""
    rng = np.random.default_rng(3)
    found = {}
    for node in graph.inputs:
        shape = [int(d) for d in node.shape]
        draw = rng.uniform(0.2, 1.5, shape) if node.dtype == "float" else rng.integers(0, 3, shape)
        found[node.attrs["name"]] = draw
    return found


@pytest.mark.parametrize("text", PROGRAMS + ARRAYS)
def test_both_sweeps_agree_with_differences(text: str) -> None:
    graph = sg.parse(text)
    at = point(graph)
    passes = backprop(graph, at)
    inputs = [n for n in graph.inputs if n.dtype == "float"]
    assert list(passes.grad) == [n.attrs["name"] for n in inputs]
    assert len(passes.grad) == len(inputs)
    found = sweep(graph.output, inputs)
    known = {n: np.asarray(at[n.attrs["name"]]) for n in graph.inputs}
    for node in inputs:
        name = node.attrs["name"]
        typed = passes.grad[name]
        assert typed.shape == np.shape(at[name]) and typed.dtype == np.float64
        np.testing.assert_allclose(typed, differences(graph, at, name), rtol=1e-5, atol=1e-7)
        total = found.total[node]
        swept = np.broadcast_to(values([total], known, {})[total], node.shape)
        np.testing.assert_allclose(swept, typed, rtol=1e-12)


@pytest.mark.parametrize("text", ARRAYS)
def test_the_gradient_of_a_gradient(text: str) -> None:
    """Differentiate a weighted sum of an input's gradient once more, in all directions."""
    graph = sg.parse(text)
    at = point(graph)
    inputs = [n for n in graph.inputs if n.dtype == "float"]
    inner = next(n for n in inputs if n.attrs["name"] != "W")
    first = sweep(graph.output, [inner]).total[inner]
    weights = 1.0 + np.arange(at[inner.attrs["name"]].size).reshape(first.shape)
    weight = leaf("weight", first.shape)
    root = make("sum", make("mul", first, weight), axis=None)
    known = {n: np.asarray(at[n.attrs["name"]]) for n in graph.inputs} | {weight: weights}
    found = sweep(root, inputs)
    rng, h = np.random.default_rng(6), 1e-5
    for node in inputs:
        way = rng.normal(size=known[node].shape)
        ends = [
            values([root], known | {node: known[node] + s * h * way}, {})[root] for s in (1, -1)
        ]
        total = found.total[node]
        slope = np.sum(np.broadcast_to(values([total], known, {})[total], way.shape) * way)
        scale = 1 + abs(float(slope))
        assert (float(ends[0]) - float(ends[1])) / (2 * h) == pytest.approx(slope, abs=1e-5 * scale)


@pytest.mark.parametrize("text", PROGRAMS)
def test_what_flows_along_edges_adds_up(text: str) -> None:
    """A node's gradient is the sum over its consumers; a share is the local derivative times g."""
    graph = sg.parse(text)
    at = point(graph)
    passes = backprop(graph, at)
    for node, gradient in passes.grads.items():
        shares = [s for (n, k), s in passes.contributions.items() if n.args[k] is node]
        if node is not graph.output:
            np.testing.assert_allclose(sum(shares), gradient, rtol=1e-12)
        assert np.shape(gradient) == np.shape(passes.values[node])
    assert passes.grads[graph.output] == 1.0
    assert len(passes.local) == len(passes.contributions) and list(passes.local) == list(
        passes.contributions
    )
    for (node, k), share in passes.contributions.items():
        assert np.shape(share) == np.shape(passes.values[node.args[k]])
        if not node.shape:
            slope = passes.local[node, k]
            wanted = np.broadcast_to(slope * passes.grads[node], np.shape(share))
            np.testing.assert_allclose(share, wanted, rtol=1e-12)


def test_what_a_gradient_is_asked_for() -> None:
    graph = sg.parse("q = x + y\nf = q*z")
    passes = backprop(graph, {"x": -2.0, "y": 5.0, "z": -4.0}, wrt=["x", "q"])
    assert list(passes.grad) == ["x", "q"] and len(passes.grad) == 2
    assert passes.grad["q"] == passes.grad["x"] == passes.grad[graph.names["q"]] == -4
    assert "q" in passes.grad and graph.names["q"] in passes.grad and "other" not in passes.grad
    assert "z" not in passes.grad  # known, but nothing has flowed there
    with pytest.raises(KeyError):
        passes.grad["z"]
    with pytest.raises(KeyError):
        passes.grad["nothing"]
    with pytest.raises(KeyError):
        passes.local[graph.output, 2]
    assert passes.local[graph.output, 0] == -4 and (graph.output, 1) not in passes.contributions
    both = backprop(graph, {"x": -2.0, "y": 5.0, "z": -4.0})
    assert both.local[graph.output, 1] == 3 and both.contributions[graph.output, 1] == 3


def test_zeros_of_a_number_are_a_number() -> None:
    assert shaping.zeros(()) is const(0) and shaping.zeros((2, "N")).shape == (2, "N")


def test_what_nothing_depends_on_has_the_gradient_zero() -> None:
    passes = backprop(sg.parse("x: real[2]\ny: real\nk = 3*x\ny*y"), {"x": [1.0, 2.0], "y": 3.0})
    assert passes.grad["x"].tolist() == [0.0, 0.0] and passes.grad["y"] == 6
    assert all(np.asarray(g).dtype == np.float64 for g in passes.grads.values())
    flat = backprop(sg.parse("x: real\n(x > 1)*2.0 + sign(x)"), {"x": 3.0})
    assert flat.grad["x"] == 0.0 and not any(n.op == "gt" for n, _ in flat.contributions)


def test_branches_that_are_not_taken_pass_nothing() -> None:
    """0 times infinity is 0 on an edge that nothing flows along."""
    for text, at, slope in (
        ("x: real\nwhere(x > 0, sqrt(x), 0)", 0.0, 0.0),
        ("x: real\nwhere(x > 0, log(x), x)", 0.0, 1.0),
        ("x: real\nsqrt(x**2)", 0.0, 0.0),
        ("x: real\n0*sqrt(x)", 0.0, 0.0),
    ):
        assert backprop(sg.parse(text), {"x": at}).grad["x"] == slope, text
    at = {"x": [0.0, 4.0], "y": [1.0, np.nan]}
    passes = backprop(sg.parse("x: real[2]\ny: real[2]\nsum(where(x > 0, sqrt(x), y))"), at)
    assert passes.grad["x"].tolist() == [0.0, 0.25] and passes.grad["y"].tolist() == [1.0, 0.0]
    assert np.isnan(backprop(sg.parse("x*y"), {"x": 1.0, "y": np.nan}).grad["x"])
    one = backprop(sg.parse("x: real[2]\nsum(where(x > 0, sqrt(x), 0))"), {"x": [0.0, np.nan]})
    assert one.grad["x"].tolist() == [0.0, 0.0]
    # 0/0 in the derivative of t*log(p), and 0 times infinity beside a branch not taken
    at = {"p": [0.0, 1.0], "t": [0.0, 1.0]}
    entropy = backprop(sg.parse("p: real[2]\nt: data[2]\nbce(p, t)"), at)
    assert entropy.grad["p"].tolist() == [0.5, -0.5]
    at = {"x": [1000.0, 1.0], "m": [0.0, 1.0]}
    huge = backprop(sg.parse("x: real[2]\nm: data[2]\nsum(where(m > 0, exp(x), 0))"), at)
    assert huge.grad["x"].tolist() == [0.0, np.e]
    unknown = backprop(sg.parse("x: real[2]\nc: data[2]\nsum(x*x*c)"),
                       {"x": [0.0, 1.0], "c": [np.nan, 1.0]})  # fmt: skip
    assert np.isnan(unknown.grad["x"][0]) and unknown.grad["x"][1] == 2.0


def test_named_sizes_are_known_to_local_derivatives() -> None:
    graph = sg.parse("x: real[N]\nmean(x*x)")
    passes = backprop(graph, {"x": [1.0, 2.0, 3.0, 4.0]})
    assert passes.local[graph.output, 0].tolist() == [0.25] * 4 and passes.sizes == {"N": 4}
    assert passes.grad["x"].tolist() == [0.5, 1.0, 1.5, 2.0]
    graph = sg.parse("x: real[3]\ny: real[3]\ns = x + y\nsum(s)")
    passes = backprop(graph, {"x": [1.0, 2.0, 3.0], "y": [1.0, 1.0, 1.0]})
    assert passes.local[graph.names["s"], 1].tolist() == [1.0, 1.0, 1.0]


def test_one_sample_is_warned_about() -> None:
    text = "X: data[N, 2]\nw: param[2]\nsum(batch_norm(X*w, w, w))"
    with pytest.warns(sg.SymgradWarning, match="one entry is standardised") as caught:
        sg.backprop(text, {"X": [[1.0, 2.0]], "w": [1.0, 2.0]})
    assert len(caught) == 1 and caught[0].filename == __file__
    with pytest.warns(sg.SymgradWarning, match="needs y == 1 or y == -1") as caught:
        sg.backprop("s: param\ny: data\nhinge(s, y)", {"s": 0.5, "y": 0.0})
    assert len(caught) == 1 and caught[0].filename == __file__


def test_local_derivatives_without_a_share_are_zero() -> None:
    x = leaf("x", (2,))
    node = make("gt", x, const(0))
    known = {x: np.array([1.0, -1.0]), node: np.array([True, False])}
    assert Local(known, Bindings(), [(node, 0)])[node, 0].tolist() == [0.0, 0.0]
    assert local(node, 0, zeros((2,))) is None


# -- adjoints as nodes -----------------------------------------------------------------------


def test_adjoints_say_what_flowed_where() -> None:
    x, y = leaf("x"), leaf("y")
    product = make("mul", x, y)
    root = make("add", product, x)
    found = sweep(root, [x])
    assert isinstance(found, Adjoints) and found.order == (root, product, x)
    assert set(found.edges) == {(root, 0), (root, 1), (product, 0)}
    assert set(found.total) == {root, product, x} and found.total[root] is const(1)
    seeded = sweep(root, [x, y, x], seed=leaf("s"))
    assert seeded.total[root] is leaf("s") and y in seeded.total
    other = leaf("z", (2,))
    assert sweep(root, [other]).total[other] is zeros((2,)) and zeros(()) is const(0)
    assert sweep(root, [product]).total[product] is const(1)


def test_a_finished_adjoint_may_be_replaced() -> None:
    x = leaf("x")
    root = make("mul", make("exp", x), x)
    seen: list[Node] = []

    def settle(node: Node, adjoint: Node) -> Node:
        seen.append(node)
        return leaf("g") if node.op == "exp" else adjoint

    found = sweep(root, [x], settle=settle)
    assert seen == [root, root.args[0], x] and found.total[root.args[0]] is leaf("g")
    assert leaf("g") in topological([found.total[x]])


def test_broadcasts_are_undone() -> None:
    rng = np.random.default_rng(5)
    shapes = [((3, 4), (4,)), ((2, 3, 4), (4,)), ((2, 3, 4), (1, 4)), ((3, 4), (3, 1)),
              ((2, 3, 4), (2, 1, 1)), ((3, 4), ()), ((3, 4), (1, 1)), ((3, 4), (3, 4))]  # fmt: skip
    for given, wanted in shapes:
        node = leaf("a", given)
        result = unbroadcast(node, wanted)
        numbers = rng.normal(size=given)
        lead = len(given) - len(wanted)
        axes = tuple(k + lead for k, d in enumerate(wanted) if d == 1)
        total = numbers.sum(axis=axes, keepdims=True).sum(axis=tuple(range(lead)))
        assert result.shape == wanted and (result is node) is (given == wanted)
        assert result.op in ("sum", "input")
        np.testing.assert_allclose(values([result], {node: numbers}, {})[result], total)
    small = leaf("b", (4,))
    assert (
        unbroadcast(small, (3, 4)).shape == (3, 4) == unbroadcast(leaf("c", (1, 4)), (3, 4)).shape
    )
    for given, wanted, axis in (((2, 3), (3,), 0), ((2, 3), (2, 1), 1), ((2, 3, 4), (4,), (0, 1)),
                                ((2, 3, 4), (1, 1, 4), (0, 1))):  # fmt: skip
        assert (
            unbroadcast(leaf("a", given), wanted).attrs["axis"] == axis
        )  # as it is usually written
    number = leaf("f", (5, 4))
    assert unbroadcast(number, ("N", 4)) is number
    named = leaf("d", ("N", 4))
    assert unbroadcast(named, (5, 4)) is named  # a name against its number


def test_operators_without_a_rule_are_differentiated_by_their_formula() -> None:
    x, y = leaf("x", (3,)), leaf("y", (3,))
    node = make("leaky_relu", x, const(0.1))
    share = local(node, 0, leaf("g", (3,)))
    assert share is not None
    at = {x: np.array([-1.0, 2.0, 3.0]), leaf("g", (3,)): np.array([1.0, 10.0, 100.0])}
    np.testing.assert_allclose(values([share], at, {})[share], [0.1, 10.0, 100.0])
    assert local(node, 1, leaf("g", (3,))) is None  # a number has no gradient
    twice = make("leaky_relu", x, x)  # in one operand the other one is held
    share = local(twice, 0, leaf("g", (3,)))
    assert share is not None
    np.testing.assert_allclose(values([share], at, {})[share], [-1.0, 10.0, 100.0])
    share = local(make("log2", x), 0, leaf("g", (3,)))
    assert share is not None and share.shape == (3,)
    at[x] = np.array([1.0, 2.0, 4.0])
    wanted = np.array([1.0, 5.0, 25.0]) / np.log(2)
    np.testing.assert_allclose(values([share], at, {})[share], wanted)
    images = {x: y}
    assert substitute(make("add", x, y), images) is make("add", y, y) and images == {x: y}


def test_each_mode_has_its_rules_also_within_formulas() -> None:
    x, g = leaf("x"), leaf("g")
    for op, mode, rule in (("sqrt", "printed", "div"), ("sqrt", "code", "xdivy"),
                           ("sqrt", "accurate", "xdivy"), ("tanh", "code", "pow"),
                           ("tanh", "accurate", "tanh_slope")):  # fmt: skip
        root = make(op, x)
        found = [n.op for n in topological([sweep(root, [x], g, mode=mode).total[x]])]
        assert rule in found, (op, mode)
        assert found == [n.op for n in topological([local(root, 0, g, mode) or g])]
    assert "div" in [n.op for n in topological([sweep(make("sqrt", x), [x], g).total[x]])]
    for op in ("gelu_gate", "sinc_slope"):  # which have no rule in any mode
        ways = [local(make(op, x), 0, g, mode) for mode in ("printed", "code", "accurate")]
        assert ways[0] is not ways[2] and all(ways), op

"""What a sweep adds up and leaves alone: branches, sizes of two names, rules of a mode."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff.sweep import _plus, local, sweep, unbroadcast, zeros
from symgrad.errors import ShapeError
from symgrad.evaluate import values
from symgrad.graph import Node, topological
from symgrad.ops import OPS, const, leaf, make, register
from symgrad.parse import contribution
from symgrad.shapes import Shape


def test_contributions_are_added_in_the_order_of_the_sweep() -> None:
    x, y, s = leaf("x"), leaf("y"), leaf("s")
    product = make("mul", x, y)
    found = sweep(make("add", product, x), [x, x], s)
    assert found.total[x] is make("add", s, found.edges[product, 0])
    assert set(sweep(make("exp", x), iter([x])).total) == {make("exp", x), x}


def test_only_what_leads_to_a_wanted_node_is_visited() -> None:
    x, other = leaf("x"), leaf("q", (2, 3))
    found = sweep(make("exp", x), [other])
    assert found.order == () and found.edges == {}
    assert found.total == {other: zeros((2, 3))}
    assert zeros((2, 3)).shape == (2, 3) and zeros((2, 3)).args == (const(0),)


SIZED = "x: real[5]\nz: real[H]\nw: real[2]\ny: real[D]\n"


@pytest.mark.parametrize("loss", [
    "sum(x*concatenate((z, w))) + sum(x*y)", "sum(x*y) + sum(x*concatenate((z, w)))",
    "sum(x*x) + sum(x*y)*sum(x*concatenate((z, w)))",
])  # fmt: skip
def test_one_size_may_have_two_names(loss: str) -> None:
    """H + 2 and D are both 5, which only the input says that both are multiplied by."""
    graph = sg.parse(SIZED + loss)
    rng = np.random.default_rng(4)
    at = {n: rng.normal(size={"x": 5, "z": 3, "w": 2, "y": 5}[n.attrs["name"]])
          for n in graph.inputs}  # fmt: skip
    x, z, w, y = at
    found = sweep(graph.output, [x])
    assert found.total[x].shape == (5,)
    joined = np.concatenate((at[z], at[w]))
    wanted = joined + at[y]
    if "x*x" in loss:
        wanted = 2 * at[x] + at[y] * (at[x] @ joined) + joined * (at[x] @ at[y])
    total = found.total[x]
    np.testing.assert_allclose(values([total], at, {"H": 3, "D": 5})[total], wanted)


def test_contributions_are_stretched_where_their_sizes_differ() -> None:
    a, b = leaf("a", ("H",)), leaf("b", ("D",))
    parts = [make("broadcast", n, shape=(5,)) for n in (a, b)]
    assert _plus(a, b, (5,)) is make("add", *parts)
    assert _plus(a, leaf("c", (5,)), (5,)) is make("add", a, leaf("c", (5,)))
    with pytest.raises(ShapeError, match="H and D"):
        _plus(a, b, ("D",))


@pytest.mark.parametrize(
    ("given", "wanted", "op"),
    [((4,), (3, 4), "broadcast"), ((), (2,), "broadcast"), ((3, 4), (4,), "sum"),
     ((1, 4), (3, 4), "broadcast"), ((2, 1, 4), (3, 4), "broadcast")],
)  # fmt: skip
def test_what_is_too_small_is_stretched(given: Shape, wanted: Shape, op: str) -> None:
    node = leaf("a", given)
    result = unbroadcast(node, wanted)
    assert (result.op, result.shape) == (op, wanted)
    assert result.args[0] is node or (result.args[0].op == "sum" and len(given) > len(wanted))


@pytest.mark.parametrize("op", ["exprel", "logrel", "tanhrel", "mish"])
@pytest.mark.parametrize("mode", ["printed", "code", "accurate"])
def test_a_rule_is_used_in_the_modes_that_have_it(op: str, mode: str) -> None:
    x, g = leaf("x", (3,)), leaf("g", (3,))
    node, row = make(op, x), OPS[op]
    own = row.accurate if mode == "accurate" else ()
    own = own or (row.careful if mode != "printed" and row.careful else row.vjp)
    found = local(node, 0, g, mode)
    assert found is not None and found.shape == (3,)
    if own:
        assert found is contribution(node, 0, g, mode)
    else:  # by the formula
        assert op not in [n.op for n in topological([found])]
    if mode == "printed":
        assert local(node, 0, g) is found


def test_labels_and_operators_of_the_user_pass_nothing(registries: None) -> None:
    scores, picked = leaf("S", (3, 4)), leaf("k", (3, 4), "labels")
    for op in ("cross_entropy", "nll"):
        node = make(op, scores, picked)
        assert local(node, 1, leaf("g", node.shape)) is None, op
        assert local(node, 0, leaf("g", node.shape)) is not None, op
    register("opaque", 2, numpy="np.maximum({0}, {1})")
    x, y, g = leaf("x"), leaf("y"), leaf("g")
    node: Node = make("opaque", x, y)
    assert local(node, 0, g) is None and local(node, 1, g) is None
    register("second", 2, formula="b*1")
    assert local(make("second", x, y), 1, g) is not None

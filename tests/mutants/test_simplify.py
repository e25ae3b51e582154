"""How short an expression becomes: the same value, and the spelling that people would write."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.evaluate import values
from symgrad.graph import Node, topological
from symgrad.ops import leaf, make
from symgrad.rewrite.cost import Prices
from symgrad.rewrite.simplify import LARGE, _heads_region, _round, simplify

DECLARED = "x: real\ny: real\nz: real\nA: real[3, 4]\nB: real[3, 4]\nv: real[4]\nu: real[4]\n"
SHORT = [  # what is typed, its shortest form, and what only tidying makes of it
    ("x/(1 + x) + 1/(1 + x)", "1", "x/(1 + x) + 1/(1 + x)"),
    ("exp(x/(1 + x) + 1/(1 + x))*2*y + 2*x*y", "2*y*(exp(1) + x)",
     "2*exp(x/(1 + x) + 1/(1 + x))*y + 2*x*y"),
    ("exp(x*y + x*z)*(x*y + x*z)", "x*(y + z)*exp(x*(y + z))", "exp(x*y + x*z)*(x*y + x*z)"),
    ("exp((x*y + x*z)/x) + (x*y + x*z)/x*y", "exp(y + z) + y*(y + z)",
     "exp((x*y + x*z)/x) + (x*y + x*z)/x*y"),
    ("sum(A*2*x + A*x)", "3*x*sum(A)", "sum(x*(2*A) + x*A)"),
    ("sum(-A*B*2)*3", "-(6*sum(A*B))", "-(6*sum(A*B))"),
    ("-(A*x) @ v*2", "-(2*x*(A @ v))", "-(2*(x*(A @ v)))"),
    ("mean((A*x - B*x)*2)*y/x", "y*mean(2*x*(A - B))/x", "mean(2*(x*A - x*B))*y/x"),
    ("x*exp(y)*(1/exp(y))", "x", "x*exp(y)/exp(y)"),
    ("(x*y + x*z)/x", "y + z", "(x*y + x*z)/x"),
    ("2*(x + y) - 2*x", "2*y", "2*(x + y) - 2*x"),
    ("exp(2*(x + y) - 2*x) - 2*y + y*2", "exp(2*y)", "exp(2*(x + y) - 2*x) - 2*y + 2*y"),
    ("1*(x + 0)", "x", "x"),
    ("sum(u*v)", "u.T @ v", "sum(u*v)"),
]  # fmt: skip
CASES = [  # the shortest form, and the one whose case distinction stays open
    ("where(x > 0, 2*x*y + x*y, 0)", "3*x*y*(x > 0)", "where(x > 0, 2*x*y + x*y, 0)"),
    ("where(x > 0, x*y + x*y*z, x*y)", "x*y*(1 + (x > 0)*z)",
     "where(x > 0, x*y + x*y*z, x*y)"),
    ("where(x > 0, 1, 0)*y*2 + where(x > 0, z, 0)", "(2*y + z)*(x > 0)",
     "where(x > 0, 2*y + z, 0)"),
    ("exp(where(x > 0, 2*x*y + x*y, 0))", "exp(3*x*y*(x > 0))", "exp(3*x*y*(x > 0))"),
]  # fmt: skip


def typed(text: str) -> Node:
    return sg.parse(DECLARED + text).output


def same_numbers(a: Node, b: Node) -> None:
    rng = np.random.default_rng(2)
    for _ in range(3):
        at = {n: rng.normal(size=n.shape) for n in topological([a, b]) if n.op == "input"}
        found = values([a, b], at, {})
        np.testing.assert_allclose(found[a], found[b], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("text", "short", "tidied"), SHORT)
def test_the_shortest_form_and_what_is_only_tidied(text: str, short: str, tidied: str) -> None:
    node = typed(text)
    found = simplify([node])[node]
    assert found is typed(short)
    same_numbers(node, found)
    kept = simplify([node], normalise=False)[node]
    assert kept is typed(tidied)
    same_numbers(node, kept)


@pytest.mark.parametrize(("text", "short", "open_case"), CASES)
def test_a_case_at_a_root_may_stay_one(text: str, short: str, open_case: str) -> None:
    node = typed(text)
    found, kept = simplify([node])[node], simplify([node], final=False)[node]
    assert found is typed(short) and kept is typed(open_case)
    same_numbers(node, found)
    same_numbers(node, kept)


def test_every_root_has_an_image() -> None:
    a, b = typed("x*y + x*z"), typed("exp(x*y + x*z)")
    found = simplify([b, a, b])
    assert list(found) == [b, a]
    assert found[a] is typed("x*(y + z)") and found[b] is typed("exp(x*(y + z))")
    assert simplify(iter([a])) == {a: found[a]} and simplify([]) == {}
    still, moved = typed("exp(x)"), typed("2*(x*exp(2*(x + y) - 2*x))")
    for roots in ([still, moved], [moved, still]):
        assert simplify(roots) == {still: still, moved: typed("2*x*exp(2*y)")}


def test_factors_stand_in_the_order_of_their_places() -> None:
    x, y, z = leaf("x"), leaf("y"), leaf("z")
    for order in ((x, y, z), (z, y, x), (y, z, x)):
        places = {n: k for k, n in enumerate(order)}
        written = make("mul", make("mul", order[0], order[1]), order[2])
        node = make("exp", make("mul", make("mul", z, x), y))
        for normalise in (True, False):
            found = simplify([node], places=places, normalise=normalise)[node]
            if normalise:
                assert found.args[0] is written
        total = make("sum", make("mul", make("mul", z, x), make("mul", y, leaf("A", (3,)))))
        assert topological([simplify([total], places=places)[total]])


def test_named_nodes_stay_as_they_are() -> None:
    inner = typed("2*(x + y) - 2*x")
    outer = make("add", make("mul", inner, leaf("z")), make("mul", inner, leaf("z")))
    found = simplify([outer], [inner])[outer]
    assert inner in topological([found]) and found is make("mul", make("mul", typed("2"), inner),
                                                            leaf("z"))  # fmt: skip
    assert simplify([outer])[outer] is typed("4*y*z")
    assert simplify([inner], {inner: None})[inner] is inner
    product = typed("x*(y + z)")  # what becomes a named node is that node
    assert simplify([typed("x*y + x*z")], [product])[typed("x*y + x*z")] is product


def test_what_is_spelled_as_a_named_node_is_it_and_stays() -> None:
    named = typed("x*y + x*z")
    assert simplify([typed("x*y + x*z + 0")], [named]) == {typed("x*y + x*z + 0"): named}
    outer = typed("exp(1*(x*y + x*z))")
    assert simplify([outer], [named])[outer] is make("exp", named)


def test_a_factor_that_one_round_frees_is_joined_in_the_next() -> None:
    first, moved, still = typed("(3*u) @ (2*u)"), typed("(v/x) @ (u/2)"), typed("exp(x)")
    wanted = {first: typed("6*(u @ u)"), moved: typed("(v @ u)/(2*x)"), still: still}
    for roots in ([first], [first, still], [still, first], [first, moved, still]):
        assert simplify(roots) == {r: wanted[r] for r in roots}


def test_what_is_no_case_is_normalised_at_a_root_too() -> None:
    node = typed("x*y + x*z")
    assert simplify([node], final=False)[node] is typed("x*(y + z)")


def test_large_programs_are_only_tidied() -> None:
    node, short = typed("x/(1 + x) + 1/(1 + x) + 0*y"), typed("1")
    places = {leaf(f"n{k}"): k for k in range(LARGE)}
    assert LARGE == 2000 and simplify([node], places=places)[node] is short
    assert simplify([node], places=places, normalise=False)[node] is not short
    flat = typed("sum(u*v)")
    assert simplify([flat], places=places)[flat] is typed("u.T @ v")
    places[leaf("one more")] = LARGE
    assert simplify([node], places=places)[node] is typed("x/(1 + x) + 1/(1 + x)")
    assert simplify([flat], places=places)[flat] is flat


def test_where_a_part_ends() -> None:
    add, total = typed("x*y + x*z"), typed("x*y")
    both = make("mul", make("exp", add), make("add", add, leaf("x")))
    users: dict[Node, list[tuple[Node, int]]] = {
        add: [(make("exp", add), 0), (make("add", add, leaf("x")), 0)], total: [(add, 0)],
        make("exp", add): [(both, 0)],
    }  # fmt: skip
    assert _heads_region(add, users, {}) is True  # exp uses it
    assert _heads_region(total, users, {}) is False  # only a sum does
    assert _heads_region(total, users, {total: None}) is True
    assert _heads_region(make("exp", add), users, {make("exp", add): None}) is False
    found = simplify([both])[both]
    same_numbers(both, found)
    assert typed("exp(x*(y + z))") in topological([found])


def test_a_round_maps_every_node_but_what_named_ones_hide() -> None:
    inner = typed("2*(x + y) - 2*x")
    outer = make("exp", make("add", inner, leaf("z")))
    images = _round((outer, outer), Prices([inner]), True, True)
    assert set(images) == {outer, outer.args[0], inner, leaf("z")}
    assert images[inner] is inner and images[leaf("z")] is leaf("z")
    assert set(_round((outer,), Prices(()), True, True)) == set(topological([outer]))

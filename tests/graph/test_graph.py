"""The graph: interned nodes, the networkx view, exchange, and depth."""

import copy
import json
import pickle
import random
import threading
import time
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import networkx as nx
import pytest

import symgrad as sg
from symgrad.graph import (
    Graph,
    Node,
    consumers,
    depends,
    from_graphml,
    from_json,
    intern,
    rebuild,
    to_graphml,
    to_json,
    topological,
)  # fmt: skip
from symgrad.ops import OPS, const, leaf, make

PROGRAMS = [
    "x*x",
    "(x + y)*z",
    "1/(1 + exp(-(w*x + b)))",
    "1 - 1.0",
    "-0.0*x + inf + pi",
    "X: data[N, D]\ny: labels[N, C]\nW: param[D, C]\nL = cross_entropy(X @ W, y) + sum(W**2)",
    "s: real[3]\ny: label[3]\nL[i] = max(0, s[i] - s[y] + 1)\nsum(L[i] for i in 3 if i != y)",
    "a: real[2, 3]\nb = sum(a, axis=(0, 1), keepdims=True)\n"
    'mse(b[0, :], a[None, 1:, 0], reduction="sum")',
    "x\nunused: param[4]",
    "λ = 2*α\nλ**2",
]
DEEP = 100_000


def chain(count: int) -> str:
    return "a = x\n" + "a = a*x\n" * count


@cache
def deep() -> Graph:
    return sg.parse(chain(DEEP))


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """Let the deep chain go when the tests of this file are done."""
    yield
    deep.cache_clear()


def test_a_program_is_a_networkx_graph() -> None:
    g = sg.parse("x*x")
    assert isinstance(g, nx.MultiDiGraph) and isinstance(g, sg.Graph)
    x = g.inputs[0]
    assert list(g.edges(keys=True)) == [(x, g.output, 0), (x, g.output, 1)]
    assert g.number_of_edges(x, g.output) == 2
    assert [n.op for n in nx.topological_sort(g)] == ["input", "mul"]
    assert nx.ancestors(g, g.output) == {x}


@pytest.mark.parametrize("text", PROGRAMS)
def test_edges_are_the_operands(text: str) -> None:
    g = sg.parse(text)
    g.check()
    assert list(g) == list(g.order())
    for u, v, k in g.edges(keys=True):
        assert v.args[k] is u
    assert g.output in g.outputs and all(g.name(g.names[name]) for name in g.names)


def test_a_graph_is_frozen() -> None:
    g = sg.parse("x*x")
    for change in (lambda: g.add_edge(1, 2), lambda: g.remove_node(g.output), lambda: g.clear()):
        with pytest.raises(nx.NetworkXError):
            change()
    with pytest.raises(TypeError):
        g.names["z"] = g.output  # type: ignore[index]


def test_check_notices_a_graph_that_lies() -> None:
    g = sg.parse("x*x + y")
    g._order = g._order[:-1]
    with pytest.raises(sg.SymgradError, match="do not agree"):
        g.check()
    g = sg.parse("x*x + y")
    g._succ[g.inputs[0]].clear()
    with pytest.raises(sg.SymgradError, match="do not agree"):
        g.check()


def test_nodes_are_interned() -> None:
    one, two = sg.parse("tanh(x) + y").output, sg.parse("b = tanh(x)\nb + y").output
    assert one is two
    values: list[int | float | bool] = [1, 1.0, True, 0.0, -0.0]
    nodes = [intern("const", attrs={"value": v}) for v in values]
    assert len(set(nodes)) == len(values)
    x = leaf("x")
    assert make("sum", leaf("x", (3,)), axis=0) is not make("sum", leaf("x", (3,)), axis=-1)
    assert x is leaf("x") and x is not leaf("x", (1,)) and x is not leaf("x", (), "param")


def test_nodes_are_immutable() -> None:
    node = sg.parse("x + 1").output
    for change in (lambda: setattr(node, "op", "mul"), lambda: delattr(node, "op"),
                   lambda: setattr(node, "new", 1)):  # fmt: skip
        with pytest.raises(AttributeError):
            change()
    with pytest.raises(TypeError):
        node.attrs["x"] = 1  # type: ignore[index]
    assert copy.copy(node) is node and copy.deepcopy(node) is node
    assert repr(const(3)) == "<const value=3 ()>"


def test_interning_is_thread_safe() -> None:
    found: list[Node] = []
    gate = threading.Barrier(8)

    def work() -> None:
        gate.wait()
        node = leaf("thread")
        for _ in range(200):
            node = make("add", node, const(7))
        found.append(node)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(found) == 8 and len({id(n) for n in found}) == 1


@pytest.mark.parametrize("text", PROGRAMS)
@pytest.mark.parametrize(("write", "read"), [(to_json, from_json), (to_graphml, from_graphml),
                                             (pickle.dumps, pickle.loads)])  # fmt: skip
def test_a_round_trip_gives_the_identical_nodes(text: str, write: Any, read: Any) -> None:
    g = sg.parse(text)
    back = read(write(g))
    assert isinstance(back, Graph)
    assert all(a is b for a, b in zip(g.order(), back.order(), strict=True))
    assert back.output is g.output and dict(back.names) == dict(g.names)
    assert (back.source, dict(back.dims), back.dtype) == (g.source, dict(g.dims), g.dtype)
    assert dict(back.spans) == dict(g.spans)
    assert back.inputs == g.inputs and back.extra_inputs == g.extra_inputs
    assert list(back.edges(keys=True)) == list(g.edges(keys=True))
    back.check()


def test_json_is_plain_node_link_data() -> None:
    data = json.loads(to_json(sg.parse("x*x")))
    assert data["graph"]["format"] == "symgrad-graph" and data["graph"]["version"] == 1
    assert data["directed"] and data["multigraph"]
    assert len(nx.node_link_graph(data, edges="edges")) == 2


def spoilt(**changes: Any) -> str:
    data = json.loads(to_json(sg.parse("x*y")))
    for key, value in changes.items():
        where, _, name = key.partition("__")
        target = data["graph"] if where == "graph" else data[where][int(name[-1])]
        if where == "graph":
            target[name] = value
        else:
            target.update(value)
    return json.dumps(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"nodes": 3}',
        "[" * 50_000,
        "x*y",
        spoilt(graph__format="other"),
        spoilt(graph__version=2),
        spoilt(graph__version="one"),
        spoilt(graph__meta="{}"),
        spoilt(graph__meta="nonsense"),
        spoilt(nodes__2={"attrs": "["}),
        spoilt(nodes__2={"shape": "3"}),
        spoilt(edges__0={"operand": 5}),
        spoilt(nodes__2={"op": "no_such_operator"}),
        spoilt(nodes__2={"shape": "[7]"}),
        spoilt(nodes__2={"attrs": '{"a": {"b": 1}}'}),
        spoilt(nodes__0={"attrs": '{"name": "__import__", "kind": "real"}'}),
        spoilt(nodes__0={"attrs": '{"name": "x; import os", "kind": "real"}'}),
        spoilt(nodes__0={"attrs": '{"name": 3, "kind": "real"}'}),
        spoilt(nodes__0={"attrs": '{"kind": "real"}'}),
        spoilt(nodes__0={"attrs": '{"name": "x", "kind": "nonsense"}'}),
        spoilt(nodes__0={"op": "const", "attrs": '{"value": "__import__(1)"}'}),
        spoilt(nodes__0={"op": "const", "attrs": "{}"}),
    ],
)
def test_nonsense_in_json_is_refused(text: str) -> None:
    """Also what would put foreign text into generated code."""
    with pytest.raises(sg.SymgradError):
        sg.from_json(text)


@pytest.mark.parametrize(
    "text", ["", "<a/>", "nonsense", "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"]
)
def test_nonsense_in_graphml_is_refused(text: str) -> None:
    with pytest.raises(sg.DataError):
        from_graphml(text)


def test_walks() -> None:
    x, y = leaf("x"), leaf("y")
    top = make("mul", make("add", x, y), x)
    assert [n.op for n in topological([top])] == ["input", "input", "add", "mul"]
    assert topological([top], stop=lambda n: n.op == "add") == (top.args[0], x, top)
    assert consumers([top])[x] == [(top, 1)]
    assert consumers(topological([top]))[x] == [(top.args[0], 0), (top, 1)]
    assert list(depends(topological([top]), [y])) == [y, top.args[0], top]
    swapped = rebuild([top], lambda n, a: {x: y, y: x}.get(n) or make(n.op, *a))[top]
    assert swapped is make("mul", make("add", y, x), y)


@pytest.mark.parametrize("seed", range(20))
def test_walks_go_from_left_to_right(seed: int) -> None:
    """The order is that of the recursion, wherever the walk ends."""
    r = random.Random(seed)
    nodes = [leaf(name) for name in "abc"]
    for _ in range(40):
        nodes.append(make("mul", *r.choices(nodes, k=2)) if r.random() < 0.7 else
                     make("sin", r.choice(nodes)))  # fmt: skip
    ends = dict.fromkeys(r.sample(nodes, 4))
    roots = [*r.choices(nodes, k=3), nodes[-1], r.choice(nodes)]

    def walked(node: Node, found: dict[Node, None], ends: dict[Node, None]) -> None:
        for a in node.args if node not in ends and node not in found else ():
            walked(a, found, ends)
        found[node] = None

    for stops in ({}, ends):
        found: dict[Node, None] = {}
        for root in roots:
            walked(root, found, stops)
        assert topological(roots, stop=stops.__contains__) == tuple(found)
        assert stops or topological(roots) == tuple(found)


@pytest.mark.no_cover
def test_lines_of_a_deep_chain() -> None:
    g = deep()
    assert len(g) == DEEP + 1
    assert g.name(g.output) is not None
    g.check()


@pytest.mark.no_cover
def test_a_deep_chain_travels() -> None:
    last = deep().output
    assert copy.deepcopy(last) is last and len(repr(last)) < 100
    assert pickle.loads(pickle.dumps(last)) is last
    graph = sg.parse(chain(20_000))
    assert pickle.loads(pickle.dumps(graph)).output is graph.output


@pytest.mark.no_cover
def test_a_deep_chain_is_evaluated_and_differentiated() -> None:
    count = 30_000
    inner = deep().order()[count]  # the chain's own middle: x to the power count + 1
    passes = sg.backprop(Graph.of([inner]), {"x": 1.0})
    assert passes.value == 1 and passes.grad["x"] == count + 1


@pytest.mark.no_cover
def test_a_deep_chain_is_derived_printed_and_compiled() -> None:
    g = sg.parse(chain(5_000))
    formula = sg.gradient(g)["x"]
    assert len(formula.unicode()) < 20_000_000 and formula.count_ops() >= 0
    value, grads = sg.compile(g)(x=1.0)
    assert value == 1 and grads["x"] == 5_001


@pytest.mark.no_cover
def test_growth_is_linear() -> None:
    """Ten times the lines take about ten times as long."""
    times = []
    for count in (1_500, 15_000):
        start = time.perf_counter()
        sg.backprop(sg.parse(chain(count)), {"x": 1.0})
        times.append(time.perf_counter() - start)
    assert times[1] < 30 * times[0]


def test_verify_accepts_what_rows_make() -> None:
    for text in PROGRAMS:
        assert sg.from_json(to_json(sg.parse(text))).output is sg.parse(text).output
    assert "add" in OPS


def test_graphml_whose_keys_are_not_declared_is_refused_without_a_warning() -> None:
    text = to_graphml(sg.parse("x*y + 1"))
    for damaged in (text.replace('id="d1"', 'id="d77"'), text.replace("<graphml", "<graphm", 1),
                    text.replace('edgedefault="directed"', 'edgedefault="undirected"'),
                    text.replace("directed", "x")):  # fmt: skip
        assert damaged != text
        with warnings.catch_warnings(), pytest.raises(sg.DataError):
            warnings.simplefilter("error")
            sg.from_graphml(damaged)

"""The work of compiling grows with the length of a program, and ends with it."""

import gc
import importlib
from collections import Counter
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen import safety
from symgrad.codegen.fast import layers, pool, repeated, schedule, texts
from symgrad.errors import SymgradError
from symgrad.graph import Node, consumers, having, rebuild, remembered, topological, unchanged
from symgrad.ops import leaf, make, remake
from symgrad.rewrite.tidy import tidy

relations = importlib.import_module("symgrad.rewrite.relations")
walk = importlib.import_module("symgrad.graph.walk")
HEAD = "X: data[N, D]; W: param[D, D]; a: param; b: param; c: param[D]\nh = X\n"
CHAIN = "h = tanh(h*c + X)\n"
NUMBERS = "h = sin(h*a*b + a)\n"
SHARED = "h = tanh(h @ W + X)\n"


def long(line: str, count: int) -> str:
    """Write a program of like lines."""
    return f"{HEAD}{line * count}mean(h**2)"


def network(count: int) -> str:
    """Write a network with weights of its own for each layer."""
    lines = [f"W{k}: param[D, D]; b{k}: param[D]" for k in range(count)]
    lines += [f"h = tanh(h @ W{k} + b{k})" for k in range(count)]
    return "\n".join(["X: data[N, D]", "h = X", *lines, "mean(h**2)"])


def test_what_happens_in_a_form_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop over tiles is one statement of many lines, in which many names get a value."""
    read: Counter[str] = Counter()
    events = repeated._events

    def counted(form: str) -> Any:
        read[form] += 1
        return events(form)

    monkeypatch.setattr(repeated, "_events", counted)
    sg.compile(long(CHAIN, 40))
    assert read and read.most_common(1)[0][1] <= 2  # before it is known, and by its number


def test_statements_that_give_a_name_a_value() -> None:
    forms = repeated.Forms(dict.fromkeys("xyuvw"))
    lines = ["u = f(x)", "v = f(u)", "u += v", "w = g(u)", "h(w := y)"]
    found = layers.Layers(forms, lines, {"u": None}, {}, {})
    assert [found.set(name) for name in "uvwxy"] == [[0, 2], [1], [3, 4], [], [4]]


@pytest.mark.parametrize("line", [CHAIN, NUMBERS, SHARED])
def test_work_is_linear_in_typed_lines(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    done: Counter[str] = Counter()

    def counted(module: Any, name: str, size: Any = lambda found: 1) -> None:
        inner = getattr(module, name)

        def outer(*given: Any, **named: Any) -> Any:
            found = inner(*given, **named)
            done[name] += size(found)
            return found

        monkeypatch.setattr(module, name, outer)

    counted(relations, "topological", len)
    counted(schedule.Schedule, "joins")
    counted(importlib.import_module("symgrad.rewrite.elementwise"), "make")
    amounts = []
    for count in (24, 48):
        done.clear()
        sg.compile(long(line, count))
        amounts.append(done.copy())
    for name, amount in amounts[1].items():
        assert amount <= 2.5 * amounts[0][name] + 50, (name, amounts)


def test_sums_of_many_products_need_no_deep_stack() -> None:
    """A weight that many steps share gets one product from each; here only the last two join."""
    x, y = leaf("x", ("D", "D")), leaf("y", ("D", "D"))
    total = make("matmul", leaf("A", ("D", "D")), x)
    for k in range(1200):
        product = make("matmul", leaf(f"U{k}", ("D", "D")), leaf(f"x{k}", ("D", "D")))
        total = tidy("add", (total, product), {})
    assert tidy("add", (total, make("matmul", y, product.args[1])), {}).args[0] is total.args[0]


def test_a_factor_is_shared_with_a_far_term() -> None:
    """A x - v1 - v2 + v3 + B x is (A + B) x - v1 - v2 + v3, whatever stands between."""
    A, B, x = (leaf(name, ("D", "D")) for name in "ABx")
    others = [make("matmul", leaf(f"U{k}", ("D", "D")), leaf("y", ("D", "D"))) for k in range(3)]
    total = make("matmul", A, x)
    for op, other in zip(("sub", "sub", "add"), others, strict=True):
        total = make(op, total, other)
    found = tidy("add", (total, make("matmul", B, x)), {})
    joined = [n for n in topological([found]) if n.op == "matmul" and n.args[1] is x]
    assert [n.args[0] for n in joined] == [make("add", A, B)]
    turned = tidy("sub", (make("sub", others[0], make("matmul", A, x)), make("matmul", B, x)), {})
    joined = [n for n in topological([turned]) if n.op == "matmul" and n.args[1] is x]
    assert [n.args[0] for n in joined] == [make("add", A, B)] and turned.op == "sub"


def test_a_walk_is_remembered_until_the_end_of_the_block() -> None:
    node = leaf("x")
    for _ in range(walk.SHORT + 1):
        node = make("sin", node)
    with remembered():
        first = topological([node])
        assert topological((node,)) is first
        with remembered():
            assert topological([node]) is first
        assert topological([node.args[0]]) == first[:-1]
        assert topological([node], stop=lambda n: n is node) == (node,)
        assert topological([node]) == first
        other = topological([make("cos", node)])
        assert topological([node]) is first and topological([make("cos", node)]) is other
        sines, both = having(first, "sin"), having(other, "cos", "sin")
        assert sines == list(first[1:]) and both == list(other[1:])
        sines.clear()  # a list of the caller's own
        assert having(first, "sin", "exp") == having(list(first), "sin") == list(first[1:])
        assert having(first, "exp") == []
        unchanged(first).clear()
        assert unchanged(first) == unchanged(list(first)) == dict(zip(first, first, strict=True))
        assert consumers(first) is consumers(first) and consumers(list(first)) == consumers(first)
    assert not walk._LAST.walks
    assert topological([node]) is not first


def test_a_walk_of_a_small_part_does_not_displace_that_of_the_program() -> None:
    nodes = [leaf("x")]
    for _ in range(40):
        nodes.append(make("sin", nodes[-1]))
    with remembered():
        first = topological(nodes[-1:])
        assert topological([nodes[9]]) == first[:10] and topological(nodes[-1:]) is first
        half = topological([nodes[30]])
        assert topological([nodes[30]]) is half


def test_a_pass_is_asked_about_its_operators_and_what_has_new_operands() -> None:
    x = leaf("x")
    root = make("tanh", make("exp", make("sin", make("cos", x))))
    asked = []

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        asked.append(node.op)
        return make("cos", args[0]) if node.op == "sin" else remake(node, args)

    assert rebuild([root], change, only=("exp",))[root] is root and asked == ["exp"]
    asked.clear()
    found = rebuild([root], change, only=("sin",))
    assert found[root] is make("tanh", make("exp", make("cos", make("cos", x))))
    assert asked == ["sin", "exp", "tanh"] and list(found) == list(topological([root]))


@pytest.mark.parametrize("numbers", [True, False])
def test_what_nothing_concerns_is_not_walked_through(
    numbers: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No exponential and no logarithm: no pass keeps them finite, none spells numbers anew."""
    names = ["capped.topological", "peaks.topological", *["lower.opened"] * numbers]

    def refused(*given: Any) -> Any:
        raise AssertionError("a pass that nothing concerns")

    for name in names:
        module, function = name.split(".")
        monkeypatch.setattr(importlib.import_module(f"symgrad.rewrite.{module}"), function, refused)
    sg.compile("x: param\nh = x\n" + "h = sin(h)*x + h\n" * 60 if numbers else network(6))


def test_a_compiled_network_leaves_nothing_behind() -> None:
    """Without a cycle all nodes of a compilation die with it, and no search is needed."""
    gc.collect()
    before = sum(isinstance(o, Node) for o in gc.get_objects())
    gc.disable()
    try:
        f = sg.compile(network(20))
        kept = {*f.graph.order(), *(n for r in f.trace for n in topological([r.before, r.after]))}
        after = [o for o in gc.get_objects() if isinstance(o, Node | schedule.Schedule)]
    finally:
        gc.enable()
    assert not any(isinstance(o, schedule.Schedule) for o in after)
    assert len(after) - before - len(kept) < 100  # rules and forms that are remembered


def test_functions_that_modules_carry_are_known_to_the_letter() -> None:
    source = f"import numpy as np\nONES = np.ones(9)\n{texts.TOTAL}"
    text, codes = texts.known(source)
    assert "ravel" not in text and len(codes) == 1
    assert pool.executed(source)["total"](np.array([1.0, 2.0])) == 3
    changed = source.replace("np.add.reduce(a, axis=None)", "np.load(a)")
    assert texts.known(changed) == (changed, [])
    with pytest.raises(SymgradError, match="contains"):
        pool.executed(changed)
    planted = f"{source}y = np.load(x)\n"
    with pytest.raises(SymgradError, match="contains"):
        pool.executed(planted)
    assert safety.check(text)

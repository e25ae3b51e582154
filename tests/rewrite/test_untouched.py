"""Long programs of numbers in which nothing is recognised are told by the kinds of their nodes."""

import random

import pytest

from symgrad.parse import parse
from symgrad.rewrite import lower, lowered, operators, recognised, untouched

OPERATORS = ("{0} + {1}", "{1} - {0}", "{0}*{1}", "2*{0}", "{0} - 3", "sin({0})", "tanh({1})")
OTHERS = ("cos({0})**2 + sin({0})**2", "1 - {0}**2", "log(exp({0}) + 1)", "cos(1)*{1}",
          "exp({0}) - 1", "silu({0})", "{0}/{1}", "{0} - tanh({0})")  # fmt: skip


def program(lines: int, others: int, seed: int) -> str:
    """Write lines of one operator each, of the last value and one chosen at random."""
    chance = random.Random(seed)
    kinds = [*OPERATORS, *chance.sample(OTHERS, others)]
    names, found = ["x", "y"], ["x: param;  y: param"]
    for k in range(lines):
        found.append(f"v{k} = {chance.choice(kinds).format(names[-1], chance.choice(names))}")
        names.append(f"v{k}")
    return "\n".join(found)


@pytest.mark.parametrize("mode", ["code", "accurate"])
def test_what_is_untouched_is_what_recognition_leaves_as_it_is(mode: str) -> None:
    seen = {True: 0, False: 0}
    for seed in range(60):
        graph = parse(program(20, seed % 3, seed))
        order = graph.order()
        kinds = [operators(n) for n in order]
        root, trace = recognised(graph, mode)
        if untouched(order, kinds, mode):
            assert root is graph.output and not trace, graph.source
        if lowered(order, kinds, mode):
            assert lower([graph.output], mode)[graph.output] is graph.output, graph.source
        seen[untouched(order, kinds, mode) and lowered(order, kinds, mode)] += 1
    assert min(seen.values()) > 10, seen


def test_rules_that_are_found_at_a_node_count() -> None:
    plain, known = (parse(f"x: param\ny = {text}\ny*y + x") for text in ("2*x", "x - tanh(x)"))
    for graph, expected in ((plain, True), (known, False)):
        order = graph.order()
        assert untouched(order, [operators(n) for n in order], "code") is expected

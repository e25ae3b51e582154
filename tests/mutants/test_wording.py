"""What errors say, word for word, and how much of a long text they quote."""

from collections.abc import Callable
from typing import Any

import pytest

import symgrad as sg
from symgrad import dims, shapes
from symgrad.codegen import safety
from symgrad.errors import LimitError, ShapeError, SymgradError
from symgrad.graph import Node
from symgrad.ops import const, leaf, make, register
from symgrad.parse import limits
from symgrad.parse.sizes import check_sizes, entries
from symgrad.rewrite import recognise
from symgrad.rewrite.canonical import canonical
from symgrad.rewrite.match import Rule, compiled, could_match, match, parse_rule, rows_rules
from symgrad.rewrite.rules import RECOGNITION

LONG = "a" * 200
FAR = dims.plus(*(f"n{k}" for k in range(70)))
TOLD: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: shapes.Bindings().bind("2*N", 3), "nothing says that the dimension 2*N is 3",
     "give the sizes of its names in shapes="),
    (lambda: shapes.product((), (2,)),
     "@ needs vectors or matrices, not a scalar; write * for a scalar factor", ""),
    (lambda: shapes.product(("B", 2), (3,)),
     "(B, 2) @ (3,): the inner dimensions 2 and 3 differ", ""),
    (lambda: shapes.spelled("n -> n", [("B", 3)]), "a shape like (n) is expected, not (B, 3)", ""),
    (lambda: dims.times(FAR, "N"),
     f"the product of the dimensions {f'{FAR}, N'[:120]} is too involved",
     "name parts of it as dimensions of their own"),
    (lambda: dims.times("N", -(2**63) - 1), "a dimension of these sizes is too large", ""),
    (lambda: dims.terms(LONG + ")"), f"not a dimension: {LONG[:80]!r}", ""),
    (lambda: dims.terms("(*" + LONG), f"not a dimension: {('(*' + LONG)[:80]!r}", ""),
    (lambda: dims.terms("(" + LONG), f"not a dimension: {('(' + LONG)[:80]!r}", ""),
    (lambda: dims.terms("*" + LONG), f"not a dimension: {('*' + LONG)[:80]!r}", ""),
    (lambda: dims.terms(LONG + "//1"), f"not a dimension: {LONG[:80]!r}", ""),
    (lambda: dims.terms("(" + LONG + ")"), f"not a dimension: {('(' + LONG)[:80]!r}", ""),
    (lambda: dims.terms("(N//2"), "not a dimension: '(N//2'", ""),
    (lambda: safety.names(["x", "a b"]), "'a b' is no name of an input",
     "the names of a graph are identifiers"),
    (lambda: parse_rule("?" * 200),
     f"a rule reads  before -> after; this one is {('?' * 80)!r}", ""),
    (lambda: compiled("a +"), "the pattern 'a +' is not an expression: invalid syntax", ""),
    (lambda: sg.rule("back: abs(a) -> sqrt(a**2)"),
     "the rule 'back' undoes 'root of a square': they would go on for ever",
     "keep one of the two directions"),
    (lambda: sg.rule("grows: exp(a) -> exp(a) + 0*a"),
     "the rule 'grows' applies to its own result, again and again",
     "write what it gives in other operators"),
]  # fmt: skip


AXES, ENTRIES, CONSTANTS = limits.MAX_AXES, limits.MAX_ENTRIES, limits.MAX_CONSTANTS
SIZES: list[tuple[Node, str, str]] = [
    (leaf("x", (1,) * (AXES + 1)), f"an array of {AXES + 1} axes; the limit is {AXES}",
     "use fewer indices or dimensions"),
    (leaf("x", (ENTRIES, 2)),
     f"an array ({ENTRIES}, 2) has {2 * ENTRIES} entries; the limit is {ENTRIES}",
     "use smaller dimensions"),
    (make("arange", size=CONSTANTS + 1),
     f"an array of constants ({CONSTANTS + 1},) has {CONSTANTS + 1} entries; the limit is "
     f"{CONSTANTS}", "name the dimension: X: data[N], then arange(N)"),
    (make("broadcast", const(1), shape=("N", CONSTANTS + 1)),
     f"an array of constants (N, {CONSTANTS + 1}) has {CONSTANTS + 1} entries; the limit is "
     f"{CONSTANTS}", "name the dimension: X: data[N], then arange(N)"),
    (leaf("x", ("n" * 100, ENTRIES + 1)),
     f"an array ({'n' * 59} has {ENTRIES + 1} entries; the limit is {ENTRIES}",
     "use smaller dimensions"),
]  # fmt: skip


@pytest.mark.parametrize("case", range(len(SIZES)))
def test_the_words_about_sizes(case: int) -> None:
    node, message, hint = SIZES[case]
    with pytest.raises(LimitError) as caught:
        check_sizes([leaf("small", (2,)), node])
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_sizes_at_the_limit_are_allowed() -> None:
    x = leaf("x", (ENTRIES,))
    check_sizes([leaf("x", (1,) * AXES), x, make("arange", size=CONSTANTS), leaf("n", ("N",))])
    check_sizes([make("add", x, const(1)), leaf("x", ("N", 10, "N"))])
    number = make("broadcast", leaf("y"), shape=(CONSTANTS + 1,))
    with pytest.raises(LimitError, match="an array of constants"):
        check_sizes([number])  # an input that is a number makes no array
    assert entries((3, "N", 4)) == 12 and entries(()) == 1


@pytest.mark.parametrize("case", range(len(TOLD)))
def test_the_words_of_an_error(case: int) -> None:
    run, message, hint = TOLD[case]
    with pytest.raises(SymgradError) as caught:
        run()
    assert (caught.value.message, caught.value.hint) == (message, hint)


def test_involved_slices_are_refused_in_these_words() -> None:
    size: dims.Dim = "N"
    with pytest.raises(ShapeError) as caught:
        for k in range(80):
            size = dims.halved(dims.plus(size, f"m{k}"), 2)
    assert caught.value.message == "the sizes of these slices are too involved"


def test_signs_and_order_of_sizes() -> None:
    assert dims.minus(dims.plus("N", "K"), "D") == "K + N - D"
    assert dims.minus(1, "N") == "1 - N" and dims.minus("N", 1) == "N - 1"
    assert dims.minus(dims.plus("N", "K"), dims.plus("D", 1)) == "K + N - D - 1"


def test_a_rule_may_hold_a_colon_in_its_name_only_once() -> None:
    rule = parse_rule("a name: log(exp(a)) -> a")
    assert (rule.name, rule.before, rule.after) == ("a name", "log(exp(a))", "a")
    assert parse_rule("log(exp(a)) -> a").name == "log(exp(a))"
    with pytest.raises(SymgradError):
        parse_rule("a: b: log(exp(a)) -> a")


def test_conditions_that_both_hold_match_in_either_order() -> None:
    a, b, x, y = (leaf(n) for n in "abxy")
    pattern = make("both", make("gt", a, make("exp", b)), b)
    both = make("both", y, make("gt", x, make("exp", y)))
    assert match(pattern, both) == {"a": x, "b": y}
    assert Rule("name", "a", "b").place == ""


def test_halves_are_products_of_two_and_joins_have_as_many_parts() -> None:
    half = compiled("a/2")
    for text in ("exp(x)", "x - 0.5", "0.5/x", "max(x, 0.5)", "where(x > 0, x, 0.5)"):
        assert match(half, sg.parse(text).output) is None, text
    a, b, x = (leaf(n, (2,)) for n in "abx")
    joined = make("concatenate", a, b, axis=0)
    assert match(joined, make("concatenate", x, axis=0)) is None
    assert match(joined, make("concatenate", x, a, b, axis=0)) is None
    assert match(joined, make("concatenate", x, a, axis=0)) == {"a": x, "b": a}
    assert canonical(make("concatenate", a, b, axis=0)) is None
    assert canonical(make("stack", a, b, axis=0)) is None
    assert canonical(make("norm", leaf("x"))) is make("abs", leaf("x"))
    assert canonical(make("norm", a)) is None


def test_what_only_code_computes_with_is_not_recognised_in_print(registries: None) -> None:
    register("cubed", 1, formula="a*a*a", recognise=("a*a*a",), vjp=("3*g*a*a",), hidden=True)
    for mode, found in (("printed", False), ("fast", True), ("readable", True)):
        assert ("cubed" in [r.name for r in rows_rules(mode)]) is found, mode
    assert rows_rules() == rows_rules("printed")


def test_a_mode_that_writes_an_operator_by_its_formula_does_not_recognise_that(
    registries: None,
) -> None:
    register("cubed", 1, formula="a*a*a", recognise=("a*a*a", "a*a**2"))
    register("tripled", 1, formula="a + a + a", recognise=("a + a + a",), precise="3*{a:21}")
    for mode, texts in (("printed", ["a*a**2"]), ("accurate", ["a*a**2", "a + a + a"])):
        found = [r.before for r in rows_rules(mode) if r.name in ("cubed", "tripled")]
        assert found == texts, mode


def test_rules_that_go_round_are_named(registries: None) -> None:
    sg.rule("one: tan(a) -> sin(a)/cos(a)")
    sg.rule("two: sin(a)/cos(a) -> 1/(cos(a)/sin(a))")
    with pytest.raises(SymgradError) as caught:
        sg.rule("three: 1/(cos(a)/sin(a)) -> tan(a)")
    message = "the rule 'three' undoes 'one' and 'two': they would go on for ever"
    assert caught.value.message == message
    assert [r.name for r in RECOGNITION[-2:]] == ["one", "two"]


def test_what_is_recognised_has_a_name() -> None:
    text = "S: real[3, 4]\n(S - mean(S, axis=0))/sqrt(var(S, axis=0) + 0.01)"
    found, trace = recognise(sg.parse(text))
    assert found.output.op == "standardize" and trace[-1].rule == "standardisation"
    assert recognise(sg.parse("log(exp(2))"))[0].output.op == "const"
    kept = recognise(sg.parse("log(exp(x) + 2)"))[0]
    assert "softplus" in [n.op for n in kept.order()]


def test_a_half_of_a_number_may_be_typed_in_three_ways() -> None:
    rule = Rule("", "exp(a) + pi/2", "a")
    for op, found in (("const", True), ("div", True), ("mul", True), ("sin", False)):
        assert could_match(rule, "add", ("exp", op)) is found, op


def test_transposes_are_spelled_in_one_way() -> None:
    a, b = leaf("a", (2, 3)), leaf("b", (2, 3, 4))
    for node, axes, usual in ((a, (0, 1), "itself"), (b, (0, 1, 2), "itself"),
                              (a, (1, 0), None), (b, (2, 1, 0), None),
                              (leaf("v", (3,)), (0,), "itself")):  # fmt: skip
        found = canonical(make("transpose", node, axes=axes))
        assert found is (node if usual == "itself" else make("transpose", node, axes=usual)), axes
    for axes in (None, (0, 2, 1), (1, 0, 2), (1, 2, 0)):
        assert canonical(make("transpose", b, axes=axes)) is None

"""Sizes made of names: one text for equal polynomials, and the numbers behind them."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from symgrad import dims
from symgrad.errors import ShapeError
from symgrad.ops import dim
from symgrad.shapes import Bindings, fits, unify

NAMES = st.sampled_from(["N", "D", "K", "größe"])
LEAVES = st.one_of(NAMES, st.integers(0, 6))
SIZES = {"N": 7, "D": 4, "K": 13, "größe": 2}


def grown(inner: "st.SearchStrategy[int | str]") -> "st.SearchStrategy[int | str]":
    return st.one_of(
        st.builds(dims.plus, inner, inner),
        st.builds(dims.minus, inner, inner),
        st.builds(dims.times, inner, LEAVES),
        st.builds(dims.halved, inner, st.integers(2, 4)),
    )


MADE = st.recursive(LEAVES, grown, max_leaves=6)


def number(size: int | str) -> int:
    value = dims.evaluated(size, SIZES)
    assert value is not None
    return value


@given(MADE, MADE, st.integers(2, 5))
def test_arithmetic_agrees_with_numbers(a: int | str, b: int | str, k: int) -> None:
    x, y = number(a), number(b)
    assert number(dims.plus(a, b)) == x + y
    assert number(dims.minus(a, b)) == x - y
    assert number(dims.halved(a, k)) == x // k
    assert dims.minus(dims.plus(a, b), b) == a
    assert dims.plus(a, b) == dims.plus(b, a)
    found = dims.quotient(a, b)
    assert found is None or dims.times(found, b) == a


@given(MADE)
def test_a_size_reads_back(a: int | str) -> None:
    assert dims.proper(a)
    if isinstance(a, str):
        assert eval(a, {}, dict(SIZES)) == number(a)  # it is Python's arithmetic
        assert dims.written(list(dims.terms(a))) == a
        assert set(dims.names_in(a)) <= set(SIZES)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (dims.plus("N", -1), "N - 1"),
        (dims.times("N//2", -1), "-(N//2)"),
        (dims.plus("M", "N", 2), "M + N + 2"),
        (dims.minus(3, "N"), "3 - N"),
        (dims.times("N", "D"), "D*N"),
        (dims.halved(dims.plus("N", 1)), "(N + 1)//2"),
        (dims.times(dims.halved("N"), "D"), "D*(N//2)"),
        (dims.halved(dims.plus(dims.times(2, "N"), 1)), "N"),
        (dims.halved(dims.halved("N", 2), 3), "N//6"),
        (dims.halved(dims.plus(dims.times(2, "N"), 1), 4), "N//2"),
        (dims.times(dims.plus("N", 1), dims.plus("N", -1)), "N*N - 1"),
        (dims.minus("N", "N"), 0),
    ],
)
def test_how_sizes_are_written(made: int | str, text: int | str) -> None:
    assert made == text


@pytest.mark.parametrize(
    "text",
    ["1 + N", "N-1", "N + ", "os.system('x')", "N*(D + 1)", "N//0", "N//D", "N**2", "(N", "",
     "+", "N N"],
)  # fmt: skip
def test_other_texts_are_no_sizes(text: str) -> None:
    assert not dims.proper(text)


def test_bool_and_other_types_are_no_sizes() -> None:
    assert not dims.proper(True) and not dims.proper(2.0) and not dims.proper(None)


def test_a_size_becomes_a_number_in_a_formula() -> None:
    assert dim("N - 1").op == "sub" and dim("(N + 1)//2").op == "floor"
    assert dim("2*D*N").op == "mul" and dim("3 - N").args[0].attrs["value"] == 3


def test_names_are_found_from_sizes() -> None:
    sizes = Bindings()
    assert unify("N - 1", 4, sizes.bind) == "N - 1" and sizes == {"N": 5}
    unify("2*N + 1", 11, sizes.bind)
    with pytest.raises(ShapeError, match="both 4 and 6"):
        sizes.bind("N - 1", 6)
    for made, size in (("D*K", 6), ("2*D", 5), ("D + 3", 2), ("D//2", 3)):
        with pytest.raises(ShapeError, match=f"nothing says that the dimension .* is {size}"):
            sizes.bind(made, size)
    with pytest.raises(ShapeError, match="dimensions N - 1 and D differ"):
        unify("N - 1", "D")


def test_a_name_within_and_beside_a_quotient_is_found() -> None:
    for made, size, found in (("M//2 + M", 6, 4), ("M//2 + M", 7, 5), ("M*M", 49, 7),
                              ("M + (M + 1)//3", 4_000_000, 3_000_000)):  # fmt: skip
        sizes = Bindings()
        sizes.bind(made, size)
        assert sizes == {"M": found}
    for made, size in (("M//2", 3), ("M*M", 50), ("M//2 + M", 5), ("3 - M//2", 2)):
        with pytest.raises(ShapeError, match="nothing says"):
            Bindings().bind(made, size)


def test_sizes_below_zero() -> None:
    assert [dims.negative(d) for d in ("2 - N", "N - 2", "N - M", -1, 0, 3, "-N - M")] == [
        True, False, False, True, False, False, True,
    ]  # fmt: skip


def test_a_name_is_solved_for() -> None:
    assert dims.solved("4*H + N - 1", "H") == ("N - 1", 4)
    assert dims.solved("3 - N", "N") == (3, -1) and dims.solved("N", "N") == (0, 1)
    for made in ("M//2", "N*M", "M//2 + M", "N", 3):
        assert dims.solved(made, "M") is None


def test_sizes_that_are_made_of_names_are_looked_up_and_agree() -> None:
    sizes = Bindings({"N": 4})
    assert sizes["2*N + 1"] == 9 and sizes["N//3"] == 1
    with pytest.raises(KeyError):
        sizes["N + M"]
    assert sizes.agrees("N + M", 6) and sizes["M"] == 2 and not sizes.agrees("M*N", 9)
    assert sizes.agrees("H//2", 3) and "H" not in sizes and sizes.later == (("H//2", 3),)
    assert sizes.settled() and sizes.later  # nothing new is known
    assert fits((7,), ("H",), sizes) and not sizes.later
    other = Bindings()
    assert fits((5, 2), ("A + B", "A - B"), other) and len(other.later) == 2
    assert not fits((4,), ("A",), other)


def test_products_do_not_swell() -> None:
    wide = dims.plus(*(f"n{k}" for k in range(20)))
    with pytest.raises(ShapeError, match="too involved"):
        dims.times(wide, wide)
    assert math.prod([number("N"), number("D")]) == number(dims.times("N", "D"))

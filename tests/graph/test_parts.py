"""Sums and products taken apart: order, signs, limits."""

import pytest

from symgrad.graph import Node, above_line, factors_of, leaves, over_and_under, summands
from symgrad.ops import leaf, make

A, B, C, D = (leaf(name) for name in "abcd")


def names(nodes: list[Node]) -> str:
    return "".join(str(n.attrs["name"]) for n in nodes)


def signed(listed: list[tuple[Node, bool]]) -> str:
    return "".join("+-"[less] + str(n.attrs["name"]) for n, less in listed)


def test_terms_come_left_to_right_with_their_signs() -> None:
    inner = make("sub", B, make("neg", C))
    assert signed(summands(make("sub", make("add", A, inner), make("sub", D, A)))) == "+a+b+c-d+a"


def test_what_is_not_taken_stays_in_one_piece() -> None:
    inner = make("add", B, C)
    total = make("sub", A, inner)
    assert summands(total, lambda n: n is not inner) == [(A, False), (inner, True)]
    product = make("mul", A, make("mul", B, C))
    assert factors_of(product, lambda n: n is product) == [A, product.args[1]]


def test_factors_come_left_to_right() -> None:
    product = make("mul", make("mul", A, B), make("mul", C, make("div", D, A)))
    assert names(factors_of(product)[:3]) == "abc"
    assert factors_of(product)[3].op == "div"


def test_both_sides_of_the_line() -> None:
    quotient = make("div", make("mul", A, B), make("div", C, D))
    assert signed(leaves((quotient, False), over_and_under)) == "+a+b-c+d"
    assert names(leaves(quotient, above_line)) == "ab"


@pytest.mark.parametrize("most", [1, 2, 5])
def test_nothing_is_taken_apart_once_there_are_enough(most: int) -> None:
    total = A
    for _ in range(2000):
        total = make("add", total, B)
    assert len(summands(total, most=most)) == most + 1
    assert len(summands(total)) == 2001

"""How large values may become once the names of dimensions have numbers."""

import os

import pytest

import symgrad as sg
from symgrad.errors import LimitError
from symgrad.parse import sizes
from symgrad.parse.limits import MAX_ENTRIES
from symgrad.parse.sizes import check_bound, memory

OUTER = "x: real[N]\ny: real[M]\n2*x[:, None]*y\n"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a machine of 8000 bytes: a thousand numbers."""
    monkeypatch.setattr(sizes, "memory", lambda: 8000)


def message(text: str, given: dict[str, int]) -> LimitError:
    with pytest.raises(LimitError) as caught:
        check_bound(sg.parse(text), given)
    return caught.value


def test_what_fits_is_let_through(small: None) -> None:
    graph = sg.parse(OUTER)
    check_bound(graph, {})
    check_bound(sg.parse("x: real[40]\nx[:, None]*x"), {})  # of numbers check_sizes decides
    check_bound(graph, {"N": 10, "M": 100})  # a thousand
    check_bound(graph, {"N": 1000})  # of M nothing is said
    check_bound(graph, {"N": 0, "M": 10**9})
    check_bound(sg.parse("x: real[N]\n2*x"), {"N": 10**9})  # a vector is no larger than the input


def test_more_than_memory_is_refused(small: None) -> None:
    error = message(OUTER, {"N": 7, "M": 143})
    assert error.message == (
        "this value, an array (N, M), has 1001 entries, more than memory holds"
    )
    assert error.hint == "give smaller arrays, or sum before the axes are put together"
    assert (error.line, error.column, error.source) == (3, 1, OUTER)
    assert "(N, 1), has 1001 entries" in message(OUTER, {"N": 1001}).message


def test_what_is_no_larger_than_an_input_is_let_through(small: None) -> None:
    """The arrays are there already: memory holds them."""
    text = "A: real[N, M]\nx: real[N]\n"
    check_bound(sg.parse(text + "exp(A)*x[:, None]"), {"N": 100, "M": 100})
    error = message(text + "exp(A)*x[:, None] + sum(x[:, None]*x)", {"N": 100, "M": 20})
    assert "an array (N, N), has 10000 entries, more than memory" in error.message
    check_bound(sg.parse(text + "A + sum(x[:, None]*x)"), {"N": 100, "M": 100})


def test_the_limit_holds_on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "memory", lambda: 2**62)
    n = int(MAX_ENTRIES**0.5)
    square = "x: real[N]\nx[:, None]*x"
    check_bound(sg.parse(square), {"N": n})
    error = message(square, {"N": n + 1})
    assert error.message.endswith(f"{(n + 1) ** 2} entries, more than the limit, {MAX_ENTRIES}")
    message("A: real[N, N]\nexp(A)", {"N": n + 1})  # however large the input
    check_bound(sg.parse("A: real[N, N]\nsum(A)"), {"N": n + 1})  # which is there already
    monkeypatch.setattr(sizes, "memory", lambda: 8 * MAX_ENTRIES)
    assert "the limit" in message(square, {"N": n + 1}).message
    monkeypatch.setattr(sizes, "memory", lambda: 8 * MAX_ENTRIES - 1)
    assert "memory holds" in message(square, {"N": n}).message


def test_memory_is_what_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = {"SC_PHYS_PAGES": 300, "SC_PAGE_SIZE": 4096}
    ask = memory.__wrapped__
    monkeypatch.setattr(os, "sysconf", pages.__getitem__, raising=False)
    assert ask() == 300 * 4096
    for error in (ValueError, OSError, AttributeError):

        def refuse(name: str, error: type[Exception] = error) -> int:
            raise error(name)

        monkeypatch.setattr(os, "sysconf", refuse)
        assert ask() == 2**62
    monkeypatch.delattr(os, "sysconf")
    assert ask() == 2**62
    assert memory() is memory()

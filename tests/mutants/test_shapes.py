"""Shapes against NumPy's own, over all small cases; dimensions against numbers."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from symgrad import dims, shapes
from symgrad.errors import LimitError, ShapeError
from symgrad.shapes import Bindings

SMALL = [s for rank in range(4) for s in itertools.product((1, 2, 3), repeat=rank)]
AXES: list[Any] = [None, 0, 1, 2, -1, -2, -4, (0, 1), (1, 0), (-1, 0), (0, 2), (1, -1), (), (0, 0)]


def said(function: Any, *args: Any, **keywords: Any) -> Any:
    """Give the result, or the class of the error."""
    try:
        return function(*args, **keywords)
    except (ShapeError, ValueError, np.exceptions.AxisError):
        return "error"


def reported() -> tuple[list[tuple[str, int]], Any]:
    seen: list[tuple[str, int]] = []
    return seen, lambda name, size: seen.append((name, size))


# -- shapes ----------------------------------------------------------------------------------


def test_broadcasting_is_numpys() -> None:
    for a, b in itertools.product(SMALL, repeat=2):
        assert said(shapes.broadcast, [a, b]) == said(np.broadcast_shapes, a, b)
    assert shapes.broadcast([(2, 1), (3,), (1, 1, 1)]) == (1, 2, 3)
    assert shapes.broadcast([]) == ()


def test_named_sizes_broadcast_and_are_reported() -> None:
    seen, bind = reported()
    assert shapes.broadcast([("N", "H"), (5, 1), (1, 7)], bind) == ("N", "H")
    assert seen == [("N", 5), ("H", 7)]
    assert shapes.broadcast([(5,), ("N",)]) == ("N",)
    with pytest.raises(ShapeError, match=r"^dimensions N and M differ"):
        shapes.broadcast([("N",), ("M",)])
    with pytest.raises(ShapeError, match=r"^sizes 2 and 3 differ"):
        shapes.unify(2, 3)


def test_the_matrix_product_is_numpys() -> None:
    for a, b in itertools.product(SMALL, repeat=2):
        found = said(lambda p, q: np.matmul(np.zeros(p), np.zeros(q)).shape, a, b)
        assert said(shapes.product, a, b) == found, (a, b)


def test_a_product_reports_sizes_and_names_both_shapes() -> None:
    seen, bind = reported()
    assert shapes.product(("B", 2, 3), (4, "K", 5), bind) == ("B", 2, 5)
    assert seen == [("K", 3), ("B", 4)]
    with pytest.raises(ShapeError) as caught:
        shapes.product((2, 3), ("K", "D", 4), lambda n, k: shapes.unify(n, "other"))
    assert "(2, 3) @ (K, D, 4): the inner dimensions 3 and D differ" in str(caught.value)
    assert caught.value.__suppress_context__  # the reason is in the text
    for pair in (((), (2,)), ((2,), ())):
        with pytest.raises(ShapeError, match="vectors or matrices, not a scalar"):
            shapes.product(*pair)


@pytest.mark.parametrize("keepdims", [False, True])
def test_reductions_are_numpys(keepdims: bool) -> None:
    for shape, axis in itertools.product(SMALL, AXES):
        if not shape and axis in (0, -1):
            continue  # NumPy lets the axis of a scalar pass
        found = said(lambda s, k: np.sum(np.zeros(s), axis=k, keepdims=keepdims).shape, shape, axis)
        assert said(shapes.reduced, shape, axis, keepdims) == found, (shape, axis)


@pytest.mark.parametrize(
    ("axis", "rank", "words"),
    [
        (3, 2, "axis 3 is out of range for 2 dimensions$"),
        (-2, 1, "axis -2 is out of range for 1 dimension$"),
        (0, 0, "axis 0 is out of range for 0 dimensions$"),
        (True, 2, "axis=True is not an axis"),
        (1.0, 2, r"axis=1.0 is not an axis"),
        ((0, "1"), 2, "axis='1' is not an axis"),
        ((0, -2), 2, r"axis \(0, -2\) names a dimension twice"),
    ],
)
def test_what_is_no_axis_is_said(axis: Any, rank: int, words: str) -> None:
    with pytest.raises(ShapeError) as caught:
        shapes.axes_of(axis, rank)
    assert re.search(words, caught.value.message)


def test_inserted_axes_are_numpys() -> None:
    for shape in SMALL:
        for count in (0, 1, 2):
            for axes in itertools.combinations(range(len(shape) + count), count):
                found = np.expand_dims(np.zeros(shape), axes).shape
                assert shapes.expanded(shape, axes) == found
                assert shapes.expanded(shape, axes[::-1]) == found


def test_summed_axes_undo_a_broadcast() -> None:
    for wanted, other in itertools.product(SMALL, repeat=2):
        given = said(np.broadcast_shapes, wanted, other)
        if given == "error":
            continue
        axes, kept = shapes.summed_axes(given, wanted)
        total = np.zeros(given).sum(axis=axes, keepdims=True)
        assert (
            total.size == np.zeros(wanted).size
            and total.shape[len(given) - len(wanted) :] == wanted
        )
        assert kept == any(given[k] != 1 for k in axes if k >= len(given) - len(wanted))
        assert all(given[k] != 1 for k in axes if k >= len(given) - len(wanted))


def test_arrays_fit_declarations() -> None:
    sizes = Bindings()
    assert shapes.fits((4, 3), ("N", 3), sizes) is True and sizes == {"N": 4}
    assert shapes.fits((4,), ("N",), sizes) is True
    assert shapes.fits((5,), ("N",), sizes) is False
    assert shapes.fits((2,), (3,), sizes) is False
    assert shapes.fits((2, 2), (2,), sizes) is False and shapes.fits((2,), (2, 2), sizes) is False
    assert shapes.fits((), (), sizes) is True


def test_shape_words_are_einsums() -> None:
    words = ["n, m -> n m", "n, n -> n", "n m, m -> n", "n m, m k -> n k", "n, n ->"]
    for word, a, b in itertools.product(words, SMALL, SMALL):
        if (2 in a and 1 in b) or (1 in a and 2 in b) or (3 in a and 1 in b) or (1 in a and 3 in b):
            continue  # einsum stretches an axis of length 1, a shape word does not
        found = said(lambda w, p, q: np.einsum(w, np.zeros(p), np.zeros(q)).shape, word, a, b)
        assert said(shapes.spelled, word, [a, b]) == found, (word, a, b)


def test_shape_words_with_leading_axes() -> None:
    seen, bind = reported()
    assert shapes.spelled("... n, ... n m -> ... m", [("B", 3), (4, 1, "N", 5)], bind) == (
        4,
        "B",
        5,
    )
    assert seen == [("N", 3)]
    assert shapes.spelled("... n -> n", [(2, 3)]) == (3,)
    assert shapes.spelled("... -> ...", [(2, 3)]) == (2, 3)
    assert shapes.spelled("... n n -> ...", [(2, 3, 3)]) == (2,)
    with pytest.raises(ShapeError, match=r"a shape like \(n, m\) is expected, not \(3,\)"):
        shapes.spelled("... n m -> ...", [(3,)])
    assert shapes.spelled("... n -> ...", [(3,)]) == ()
    for word, given in (("... a b c -> a", [(2, 3)]), ("... n, ... a b c -> n", [(5, 4), (2, 3)])):
        with pytest.raises(ShapeError, match=r"like \(a, b, c\) is expected, not \(2, 3\)"):
            shapes.spelled(word, given)
    with pytest.raises(ShapeError, match=r"a shape like \(n\) is expected, not \(2, 3\)"):
        shapes.spelled("n -> n", [(2, 3)])
    with pytest.raises(ShapeError, match="sizes 2 and 3 differ"):
        shapes.spelled("n n -> n", [(2, 3)])
    seen, bind = reported()
    shapes.spelled("... n, ... n -> n", [("B", 3), (4, 3)], bind)
    assert seen == [("B", 4)]
    with pytest.raises(ValueError):
        shapes.spelled("n, m -> n", [(2,)])


def test_named_axes_meet_in_the_order_they_are_written() -> None:
    with pytest.raises(ShapeError, match="dimensions N and M differ"):
        shapes.spelled("n, n -> n", [("N",), ("M",)])


def test_shapes_are_written_as_tuples() -> None:
    for shape in SMALL:
        assert shapes.text(shape) == str(shape)


def test_sizes_are_kept() -> None:
    sizes = Bindings()
    sizes.bind("N", 0)
    sizes.bind("N", 0)
    with pytest.raises(ShapeError, match="dimension N is both 0 and 1"):
        sizes.bind("N", 1)
    assert shapes.unify("K", 3, sizes.bind) == "K" == shapes.unify(3, "K", sizes.bind)
    assert sizes == {"N": 0, "K": 3}
    with pytest.raises(ShapeError, match="dimensions K and 2\\*K differ"):
        shapes.unify("K", "2*K", sizes.bind)


def test_a_size_is_found_with_the_others_known() -> None:
    sizes = Bindings(D=3)
    sizes.bind("D + N", 8)
    assert sizes == {"D": 3, "N": 5}
    sizes.bind("D + N", 8)
    with pytest.raises(ShapeError, match=r"the dimension D \+ N is both 8 and 9"):
        sizes.bind("D + N", 9)
    sizes = Bindings()
    sizes.bind("3*K + 1", 1)
    assert sizes == {"K": 0}
    sizes.bind("10 - 2*M", 4)
    assert sizes == {"K": 0, "M": 3}
    with pytest.raises(ShapeError):
        Bindings().bind("L//2 + L", 5)  # L is not 5
    for made, size, found in (("M*M", 4, 2), ("L//2 + L", 6, 4)):
        sizes = Bindings()
        sizes.bind(made, size)  # which only one number gives
        assert list(sizes.values()) == [found], made
    for made, size in (("M*M", 5), ("M//2", 5), ("M - 3*J", 4), ("2*M + 1", 4), ("M + 1", 0)):
        with pytest.raises(ShapeError, match="nothing says") as caught:
            Bindings().bind(made, size)
        assert "give the sizes of its names in shapes=" in str(caught.value)


# -- dimensions ------------------------------------------------------------------------------

NUMBERS = ({"N": 7, "D": 4, "K": 13}, {"N": 20, "D": 9, "K": 3}, {"N": 0, "D": 1, "K": 2})


def made() -> Iterator[dims.Dim]:
    """Build sizes in many ways."""
    some: list[dims.Dim] = [0, 1, 3, "N", "D", "K", dims.plus("N", -1), dims.plus("N", "D", 2)]
    yield from some
    for a, b in itertools.product(some, repeat=2):
        yield dims.plus(a, b)
        yield dims.minus(a, b)
        yield dims.times(a, b)
        yield dims.plus(dims.times(2, a), dims.times(3, b), 5)
    for a in some:
        for k in (2, 3, 4):
            yield dims.halved(a, k)
            yield dims.times(dims.halved(a, k), "D")
            yield dims.times(-1, dims.halved(a, k))


def value(size: dims.Dim, numbers: dict[str, int]) -> int:
    found = dims.evaluated(size, numbers)
    assert type(found) is int
    return found


def test_sizes_are_pythons_arithmetic() -> None:
    for size in made():
        assert dims.proper(size), size
        assert dims.proper(str(size)) == isinstance(size, str)
        for numbers in NUMBERS:
            assert value(size, numbers) == eval(str(size), {}, dict(numbers)), size


def test_arithmetic_of_sizes_is_that_of_numbers() -> None:
    sizes = list(made())[::5]
    for a, b in itertools.product(sizes, sizes[::7]):
        for numbers in NUMBERS:
            x, y = value(a, numbers), value(b, numbers)
            assert value(dims.plus(a, b), numbers) == x + y
            assert value(dims.minus(a, b), numbers) == x - y
            assert value(dims.times(a, b), numbers) == x * y
            for k in (2, 3, 6):
                half = dims.halved(a, k)
                assert value(half, numbers) == x // k, (a, k, half)
        assert dims.plus(a, b) == dims.plus(b, a)
        assert dims.minus(dims.plus(a, b), b) == a
    assert dims.halved("N") == "N//2"


def test_quotients_undo_products() -> None:
    sizes = [s for s in made() if s not in (0, "0")]
    for a, b in itertools.product(sizes[::9], ["N", "D", 2, dims.times(3, "N", "D")]):
        assert dims.quotient(dims.times(a, b), b) == a
    for a, b in (("N", "D"), ("N", dims.times("N", "N")), (7, 2), (dims.plus("N", 1), "N"),
                 (dims.times(3, "N"), dims.times(2, "N")), ("N", dims.plus("N", 1))):  # fmt: skip
        assert dims.quotient(a, b) is None
    assert dims.quotient(dims.plus("N", 1), dims.plus(1, "N")) == 1
    assert dims.quotient(dims.plus(dims.times(4, "N"), 6), 2) == "2*N + 3"


def test_one_text_for_equal_sizes() -> None:
    a, b = dims.plus("N", 1), dims.plus("D", -1)
    assert dims.times(a, b) == dims.plus(dims.times("N", "D"), "D", dims.times(-1, "N"), -1)
    assert dims.times(dims.halved(a), 2, b) == dims.times(b, dims.halved(a), 2)
    half = dims.halved("N")
    assert dims.minus(dims.times(2, half), dims.times(2, half)) == 0
    assert dims.halved(dims.halved(a, 2), 3) == dims.halved(a, 6)
    assert dims.halved(dims.plus(half, 1), 3) == dims.halved(dims.plus("N", 2), 6)
    assert dims.halved(dims.plus(dims.times(4, "N"), "D"), 2) == dims.plus(
        dims.times(2, "N"), dims.halved("D")
    )


def test_how_sizes_read() -> None:
    half = dims.halved("N")
    for size, text in (
        (dims.plus(dims.times(-1, "N"), dims.times(-1, "D")), "-D - N"),
        (dims.minus("D", "N"), "D - N"),
        (dims.minus("N", "D"), "N - D"),
        (dims.minus(0, "N"), "-N"),
        (dims.minus(3, "N"), "3 - N"),
        (dims.minus(3, dims.plus("N", dims.times(-1, "D"))), "D - N + 3"),
        (dims.minus(-1, "N"), "-N - 1"),
        (dims.plus(dims.times(2, "N", "N"), "N", 4), "N + 2*N*N + 4"),
        (dims.plus(dims.times(-2, "D"), "N", -4), "N - 2*D - 4"),
        (dims.plus("K", dims.times(-1, "D"), "D", "A"), "A + K"),
        (dims.times(3, dims.halved(dims.plus("N", 1))), "3*((N + 1)//2)"),
        (dims.minus("D", half), "D - N//2"),
        (dims.plus("D", half), "D + N//2"),
        (dims.times(half, -1), "-(N//2)"),
        (dims.times(half, dims.halved("D")), "(D//2)*(N//2)"),
        (dims.times(half, "D"), "D*(N//2)"),
        (dims.halved(dims.plus(dims.times(2, "N"), 1), 4), "N//2"),
        (dims.halved(dims.plus(dims.times(2, "N"), 1)), "N"),
        (dims.halved(dims.plus(dims.times(6, "N"), 5), 9), "(2*N + 1)//3"),
        (dims.halved(half, 3), "N//6"),
        (dims.halved(dims.plus(half, 1), 3), "(N + 2)//6"),
        (dims.halved(dims.plus(half, "D"), 3), "(D + N//2)//3"),
        (dims.halved(dims.times(half, half), 3), "((N//2)*(N//2))//3"),
        (dims.halved(dims.times(2, half), 3), "(2*(N//2))//3"),
        (dims.halved(dims.plus("N", 7), 4), "(N + 3)//4 + 1"),
        (dims.halved(dims.plus("N", -1), 2), "(N + 1)//2 - 1"),
        (dims.times(dims.plus("N", 1), dims.plus("N", -1)), "N*N - 1"),
        (dims.minus("N", "N"), 0),
        (dims.plus(2, 3), 5),
        (dims.times("N", 0), 0),
        (dims.plus(), 0),
        (dims.times(), 1),
    ):
        assert size == text


@pytest.mark.parametrize(
    "text",
    ["N N", "2N", "N*", "*N", "(N)", "(N + 1)", "N//1", "N//", "(3)//2", "(N + 1//2", "N)", "N; D",
     "N.T", "N//2//3x", "x" * 300 + "?", "-", "N + + D", "1", "01", "N + 0", "(N//2)", "1*N",
     "(2)*N"],
)  # fmt: skip
def test_texts_that_are_no_sizes(text: str) -> None:
    assert dims.proper(text) is False


@pytest.mark.parametrize(
    "text", ["N N", "N//1", "N//D", "N*", "(N + 1", "N)", "?" * 200, "(3)//2", "(N)"]
)
def test_what_is_no_size_is_shown(text: str) -> None:
    with pytest.raises(ShapeError) as caught:
        dims.terms(text)
    assert f"not a dimension: {text[:80]!r}" in str(caught.value)


def test_limits() -> None:
    wide = dims.plus(*(f"n{k}" for k in range(8)))
    eight = dims.times(wide, wide)  # 8 times 8 is the limit
    assert isinstance(eight, str)
    with pytest.raises(ShapeError, match=r"dimensions .*n0.* is too involved") as caught:
        dims.times(wide, dims.plus(wide, 1))
    assert f"dimensions {wide}, n0" in str(caught.value)
    assert "name parts of it" in str(caught.value) and len(str(caught.value)) < 300
    assert dims.times(2**62, 2) == 2**63 and dims.times("N", 2**63) == f"{2**63}*N"
    with pytest.raises(ShapeError, match="too large"):
        dims.times("N", 2**63 + 1)
    assert dims.times(*["N"] * 64) == "*".join(["N"] * 64)
    with pytest.raises(ShapeError, match="too large"):
        dims.times(*["N"] * 65)
    size: dims.Dim = "N"
    with pytest.raises(ShapeError, match="the sizes of these slices are too involved"):
        for k in range(80):
            size = dims.halved(dims.plus(size, f"m{k}"), 2)
    assert str(size).count("//") == 65


def test_names_and_numbers() -> None:
    assert dims.names_in("2*N*größe - (N + x1)//3") == ["N", "größe", "x1"]
    assert dims.names_in(4) == []
    assert (
        dims.evaluated("N*D", {"N": 3}) is None and dims.evaluated("(N + D)//2", {"N": 3}) is None
    )
    assert dims.evaluated("N*(D//2)", {"N": 3, "D": 5}) == 6
    assert dims.split("N//2") == ("N", 2) and dims.split("(N + 1)//12") == ("N + 1", 12)
    assert dims.split("N") is None and dims.split("(N//2 + 1)//3") == ("N//2 + 1", 3)
    assert dims.proper(3) and dims.proper(0) and not dims.proper(False) and not dims.proper(b"N")


def test_sums_of_sizes_are_as_long_as_the_limit() -> None:
    """Brackets that stand side by side are not inside one another."""
    halves = " + ".join(f"(a{k} + 1)//2" for k in range(dims.MAX_TERMS + 6))
    assert len(dims.terms(halves)) == dims.MAX_TERMS + 6
    names = [((f"n{k}",), 1) for k in range(dims.MAX_SUM + 1)]
    longest = dims.written(names[:-1])
    assert len(dims.terms(longest)) == dims.MAX_SUM
    with pytest.raises(LimitError) as caught:
        dims.written(names)
    assert caught.value.message == (
        f"a dimension is a sum of {len(names)} sizes; the limit is {dims.MAX_SUM}"
    )
    assert caught.value.hint == "give the sizes as numbers in shapes="


def test_numbers_of_a_size_have_a_limit() -> None:
    assert dims.terms(f"N//{10 ** (dims.DIGITS - 1)}") == ((("N//1" + "0" * 19,), 1),)
    for text in ("N//1" + "0" * dims.DIGITS, "N//1", "N//0", "N//M"):
        with pytest.raises(ShapeError, match="not a dimension"):
            dims.terms(text)
    with pytest.raises(ShapeError, match="too large"):
        dims.written(list(dims.terms("9" * (dims.DIGITS + 1) + "*N")))

"""Bad input: each a clear error of the right class, with line, column and a caret, at once."""

import time
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.errors import SHOWN, Span, shown
from symgrad.parse.limits import MAX_TEXT

P, S, C, L = sg.ParseError, sg.ShapeError, sg.NameClashError, sg.LimitError
SHAPED = "A: real[2, 3]\nB: real[2, 3]\nv: real[3]\ny: labels[2, 3]\n"
BAD: list[tuple[str, type[Exception], int | None, int | None, str]] = [
    # text, class, line, column, a part of the message
    ("tahn(w*x + b)", P, 1, 1, "unknown function 'tahn'"),
    ("x +\ty*(", P, 1, 7, "'(' was never closed"),
    ("(x + y", P, 1, 1, "never closed"),
    ("x + y)", P, 1, 6, "unmatched"),
    ("a = x\nb = a*)", P, 2, None, "unmatched"),
    ("__import__('os')", P, 1, 1, "unknown function '__import__'"),
    ("__import__", P, 1, 1, "__import__"),
    ("__builtins__ + 1", P, 1, 1, "__builtins__"),
    ("x.__class__", P, 1, 1, "attribute .__class__"),
    ("x.shape", P, 1, 1, "attribute .shape"),
    ("np.exp(x)", P, 1, 1, "attribute .exp"),
    ("x.T.T.real", P, 1, 1, "attribute .real"),
    ("9**9**9", L, 1, 1, "overflows"),
    ("x + 10**(10**10)", L, 1, 5, "overflows"),
    ("x + 1/0", L, 1, 5, "division by zero"),
    ("((9.0**9)**9999)**9999", L, 1, None, "overflows"),
    ("1e308*10", L, 1, 1, "overflows"),
    ("1e999", L, 1, 1, "too large"),
    ("(0-1)**0.5", P, 1, 1, "negative number to a broken power"),
    ("1 << 70", P, 1, 1, "LShift"),
    ("x // 2", P, 1, 1, "FloorDiv"),
    ("x % 2", P, 1, 1, "Mod"),
    ("x | y", P, 1, 1, "BitOr"),
    ("~x", P, 1, 1, "Invert"),
    ("not x", P, 1, 1, "Not"),
    ("x and y", P, 1, 1, "BoolOp"),
    ("x is y", P, 1, 1, "Is"),
    ("x in y", P, 1, 1, "In"),
    ("x if y else z", P, 1, 1, "IfExp"),
    ("[x, y]", P, 1, 1, "List"),
    ("(x, y)", P, 1, 1, "Tuple"),
    ("{x}", P, 1, 1, "Set"),
    ("{x: y}", P, 1, 1, "Dict"),
    ("'text'", P, 1, 1, "not a value"),
    ("b'x' + x", P, 1, 1, "not a value"),
    ("'a'*10**10", P, 1, 1, "not a value"),
    ("f'{x}'", P, 1, 1, "JoinedStr"),
    ("True + x", P, 1, 1, "not a value"),
    ("None", P, 1, 1, "not a value"),
    ("...", P, 1, 1, "not a value"),
    ("2j*x", P, 1, 1, "not a value"),
    ("(x := 3)", P, 1, 2, "NamedExpr"),
    ("[i for i in x]", P, 1, 1, "ListComp"),
    ("lambda x: x", P, 1, 1, "Lambda"),
    ("lambda*x", P, 1, 1, "'lambda' is a keyword"),
    ("y = x*lambda", P, 1, 7, "'lambda' is a keyword"),
    ("class = 3", P, 1, 1, "'class' is a keyword"),
    ("in = x", P, 1, None, ""),
    ("def f(x): return x", P, 1, 1, ""),
    ("import os", P, 1, 1, "Import"),
    ("from os import path", P, 1, 1, "ImportFrom"),
    ("del x", P, 1, 1, "Delete"),
    ("while x: x", P, 1, 1, "While"),
    ("for i in x: i", P, 1, 1, "For"),
    ("pass", P, 1, 1, "Pass"),
    ("raise x", P, 1, 1, "Raise"),
    ("assert x", P, 1, 1, "Assert"),
    ("global x", P, 1, 1, "Global"),
    ("return x", P, 1, None, ""),
    ("yield x", P, 1, 1, ""),
    ("await x", P, 1, 1, ""),
    ("with x: x", P, 1, 1, "With"),
    ("x += 1", P, 1, 1, "AugAssign"),
    ("a = b = x", P, 1, 1, "one name a line"),
    ("a, b = x", P, 1, 1, "name = expression"),
    ("x.y = 3", P, 1, 1, "name = expression"),
    ("", P, 1, 1, "no value: the text is empty"),
    ("# only a comment", P, 1, 1, "comments only"),
    ("\n# a\n  \n", P, 2, 1, "comments only"),
    ("x: real\n\n", P, 1, 1, "only declares inputs"),
    ("x: real = 3", P, 1, 11, "cannot be given a value"),
    ("x: nonsense", P, 1, 4, "unknown kind"),
    ("x: real[N + 1.5]\nx", P, 1, 9, "a dimension is a name or a whole number"),
    ("x: real[-1]\nx", P, 1, 9, "a dimension is"),
    ("x: real[2.5]\nx", P, 1, 9, "a dimension is"),
    ("x: real[99999999999999999999]\nx", P, 1, 9, "out of range"),
    ("x[0]: real\nx", P, 1, 1, "a declaration reads"),
    ("y: labels\ny", P, 1, 4, "number of classes"),
    ("y: label[N, C]\ny", P, 1, 4, "one dimension"),
    ("x: real\nx: real\nx", C, 2, 1, "declared twice"),
    ("x: real\ny = 1; x = 3\nx", C, 2, 8, "assigned on line 2"),
    ("x = 3\nx: real\nx", C, 2, 1, "assigned on line 1"),
    ("a = a + 1", P, 1, 5, "used before it is assigned"),
    ("b = c\nc = x\nb", P, 1, 5, "used before it is assigned (line 2)"),
    ("exp + 1", P, 1, 1, "is a function"),
    ("exp = 3\nexp(x)", P, 2, 1, "is a variable here"),
    ("x(3)", P, 1, 1, "unknown function 'x'"),
    ("x: real\nx(3)", P, 2, 1, "is a variable here"),
    ("exp()", P, 1, 1, "takes 1 operand"),
    ("exp(x, y)", P, 1, 8, "at most 1"),
    ("exp(x, z=3)", P, 1, 8, "no argument 'z'"),
    ("exp(*x)", P, 1, 5, "not an argument"),
    ("exp(**x)", P, 1, 5, "no argument"),
    ("(x + y)(z)", P, 1, 2, "only functions"),
    ("exp(x)(y)", P, 1, 1, "only functions"),
    ("winner(x)", P, 1, 1, "unknown function 'winner'"),
    ("maximum(x)", P, 1, 1, "takes 2 operands"),
    ("x²", P, 1, 2, "² is not in the language"),
    ("x\u200by", P, 1, None, "ZERO WIDTH SPACE"),
    ("x # \u202e hidden", P, 1, 5, "RIGHT-TO-LEFT OVERRIDE"),
    ("\u0430 + 1", P, 1, 1, "CYRILLIC"),
    ("p\u0430y + 1", P, 1, 1, "CYRILLIC"),
    ("ｘ + 1", P, 1, 1, "FULLWIDTH"),
    ("a\u05d0 + 1", P, 1, 1, "mixes scripts"),
    ("ﬁ + fi", P, 1, 5, "spelt twice"),
    ("x\0y", P, 1, 2, "zero byte"),
    ("x $ y", P, 1, 3, ""),
    ("x ? y", P, 1, 3, ""),
    ("x ! y", P, 1, 3, ""),
    ("`x`", P, 1, 1, ""),
    ("0777", P, 1, 1, ""),
    ("1__0", P, 1, None, ""),
    ("3x", P, 1, 1, ""),
    ("'open", P, 1, 1, ""),
    ("x\n  y", P, 2, None, "indent"),
    ("x; ; y", P, 1, None, ""),
    ("(" * 200 + "x" + ")" * 200, L, 1, 91, "nested more than"),
    ("[" * 100_000, L, 1, 91, "nested more than"),
    ("9" * 1_000_000, L, 1, 1, "1000000 characters"),
    ("a" * 1_000_000, L, 1, 1, "1000000 characters"),
    (" " * (MAX_TEXT + 1), L, 1, MAX_TEXT + 1, f"the limit is {MAX_TEXT}"),
    ("-" * 50_000 + "x", L, 1, 1, "nested too deeply"),
    ("x**" * 20_000 + "x", L, 1, 1, ""),
    # shapes
    (SHAPED + "A @ B", S, 5, 1, "A (2, 3) @ B (2, 3)"),
    (SHAPED + "A + B.T", S, 5, 1, "A (2, 3) + B.T (3, 2)"),
    (SHAPED + "q = A*2\nq + B.T", S, 6, 1, "q (2, 3) + B.T (3, 2)"),
    (SHAPED + "v @ A", S, 5, 1, "v (3,) @ A (2, 3)"),
    (SHAPED + "A @ 3", S, 5, 1, "scalar"),
    (SHAPED + "sum(A, axis=2)", S, 5, 1, "axis 2 is out of range"),
    (SHAPED + "sum(A, axis=(0, 0))", S, 5, 1, "twice"),
    (SHAPED + "softmax(A, axis=5)", S, 5, 1, "axis 5 is out of range"),
    (SHAPED + "softmax(1.0)", S, 5, 1, "axis"),
    (SHAPED + "A[2, 0]", S, 5, 1, "index 2 is out of range"),
    (SHAPED + "A[0, 0, 0]", P, 5, 1, "3 indices for 2 axes"),
    (SHAPED + "A[x]", P, 5, 3, "an index has to be a label"),
    (SHAPED + "A[::0]", P, 5, 3, "step"),
    (SHAPED + "A[::x]", P, 5, 5, "plain integers"),
    (SHAPED + "A[..., ...]", P, 5, 1, "stands twice"),
    (SHAPED + "A[:x]", P, 5, 4, "plain integers"),
    (SHAPED + "A[()]", P, 5, 1, "empty index"),
    (SHAPED + "outer(A, v)", S, 5, 1, "(n)"),
    (SHAPED + "transpose(A, (0, 0))", S, 5, 1, "permute"),
    (SHAPED + "transpose(A, (0, 1.5))", S, 5, 1, "integers"),
    (SHAPED + "transpose(A, 1, 2)", P, 5, 1, "transpose takes"),
    (SHAPED + "cross_entropy(A, v)", S, 5, 1, "cross_entropy"),
    (SHAPED + "cross_entropy(1.0, v)", S, 5, 1, "axis of classes"),
    (SHAPED + "mse(A, B.T)", S, 5, 1, "mse"),
    (SHAPED + "mse(A, B, reduction='nonsense')", P, 5, 1, "reduction='nonsense'"),
    (SHAPED + "mse(A, B, reduction=3)", P, 5, 1, "reduction=3"),
    (SHAPED + "sum(A, axis='x')", P, 5, 1, "axis='x'"),
    (SHAPED + "sum(A, axis=1.5)", P, 5, 1, "axis=1.5"),
    (SHAPED + "sum(A, axis=x)", P, 5, 13, "plain number"),
    (SHAPED + "sum(A, keepdims=3)", P, 5, 1, "keepdims=3"),
    (SHAPED + "arange(x)", P, 5, 1, "arange needs"),
    (SHAPED + "arange(10**12)", P, 5, 1, "arange needs"),
    (SHAPED + "arange(1000000000000)", P, 5, 1, "arange needs"),
    (SHAPED + "arange(2, 3)", P, 5, 1, "one argument"),
    (SHAPED + "zeros_like(A, B)", P, 5, 1, "one argument"),
    (SHAPED + "zeros_like((1000000, 1000000))", P, 5, None, ""),
    # index notation
    (SHAPED + "sum(A[i, j] for i in N for j in 3)", P, 5, None, "ranges over a dimension"),
    (SHAPED + "sum(A[i, j] for i in 2 for i in 3)", P, 5, None, "already in use"),
    (SHAPED + "sum(A[i, j] for i in 2)", P, 5, None, ""),
    (SHAPED + "sum(A[i, j] for i in 3 for j in 3)", S, 5, None, "ranges over 3"),
    (SHAPED + "sum(A[i] for i in 2)", P, 5, None, "axes of its own"),
    ("A: real[N, C, C]; y: labels[N, C]\nsum(A[i, y[i], y[i]] for i in N)", P, 2, 5, "labels on"),
    (SHAPED + "var(A[i, j] for i in 2 for j in 3)", P, 5, None, "does not range over an index"),
    (SHAPED + "L[i] = A[i, j]", P, 5, None, ""),
    (SHAPED + "L[i, i] = A[i, i]", P, 5, None, "plain, different names"),
    (SHAPED + "L[0] = A[0, 0]", P, 5, 3, "plain, different names"),
    (SHAPED + "L[i] = A[i]", P, 5, 8, "axes of its own"),
    (SHAPED + "L[i] = 3", S, 5, 1, "range of the index i is not known"),
    (SHAPED + "sum(A[i, j] for (i, j) in 2)", P, 5, None, "plain name"),
    (SHAPED + "mean(A[i, 0] for i in 2 if i > 0)", P, 5, None, ""),
    (SHAPED + "L[i] = A[i].T\n", P, 5, None, ".T of an indexed value"),
    (SHAPED + "L[i] = mse(A[i], B[i])", P, 5, None, "mse of indexed values"),
]  # fmt: skip


def check(error: Any, text: str, line: int | None, column: int | None) -> None:
    """Check the parts that every error has: place, quoted line, caret."""
    said = str(error)
    assert (error.line, error.column) == (line, column if column is not None else error.column)
    if line is None:
        return
    source = text.split("\n")[line - 1]
    assert f"(line {line}, column {error.column})" in said
    rows = said.split("\n")
    if not source.strip():  # there is nothing to quote
        assert "^" not in said
        return
    caret = next(k for k, row in enumerate(rows) if row.strip() and set(row.strip()) == {"^"})
    assert len(rows[caret - 1]) <= SHOWN + 2
    if len(source) <= SHOWN:
        assert rows[caret].index("^") - 2 == error.column - 1
    if isinstance(error, SyntaxError):
        assert (error.lineno, error.offset, error.msg) == (line, error.column, error.message)
        assert error.text == shown(source) and error.filename == "<symgrad>"


@pytest.mark.parametrize(("text", "kind", "line", "column", "part"), BAD,
                         ids=[f"{k}-{b[0][-30:]!a}" for k, b in enumerate(BAD)])  # fmt: skip
def test_bad_text(
    text: str, kind: type[Exception], line: int | None, column: int | None, part: str
) -> None:
    start = time.perf_counter()
    with pytest.raises(sg.SymgradError) as caught:
        sg.parse(text)
    assert time.perf_counter() - start < 2
    assert type(caught.value) is kind
    assert part in caught.value.message
    assert len(str(caught.value)) < 2000
    check(caught.value, text, line, column)


HINTS = [
    ("tahn(x)", "did you mean 'tanh'?"), ("tahn(x)", 'symgrad.activation("tahn"'),
    ("y = lambda*2", "call it lam, which prints as λ"), ("class = 2", "call it cls"),
    ("while = 2", "call it while_"), ("x²", "write **2 for a power"), ("x³", "write **3"),
    ("np.exp(x)", "write exp(x)"), ("x.dtype", ".T"), ("x if y else z", "write where(y, x, z)"),
    ("exp + 1", "exp(x)"), ("A: real[2, 3]\nB: real[2, 3]\nA @ B", "B .T would fit"),
    ("x: nonsense", "kinds are param"), ("mse(a, b, reduction='x')", "mean, sum or none"),
    ("(" * 200, "name the inner parts"), ("exp(x, q=2)", "it has a"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "hint"), HINTS)
def test_hints(text: str, hint: str) -> None:
    with pytest.raises(sg.SymgradError) as caught:
        sg.parse(text)
    assert hint.replace(" .T", ".T") in caught.value.hint
    assert str(caught.value).endswith(caught.value.hint)


def test_the_message_reads_as_the_design_says() -> None:
    with pytest.raises(sg.ParseError) as caught:
        sg.parse("tahn(w*x + b)")
    assert str(caught.value) == (
        "unknown function 'tahn'  (line 1, column 1)\n"
        "  tahn(w*x + b)\n"
        "  ^^^^\n"
        'did you mean \'tanh\'?  symgrad.activation("tahn", "…") defines a new one.'
    )


def test_the_caret_counts_characters_and_cuts_long_lines() -> None:
    with pytest.raises(sg.ParseError) as caught:
        sg.parse("ä = α*β + tahn(ö)")
    assert caught.value.column == 11
    with pytest.raises(sg.ParseError) as caught:
        sg.parse("x + " * 500 + "tahn(x)")
    rows = str(caught.value).split("\n")
    assert caught.value.column == 2001 and len(rows[1]) <= SHOWN + 2
    column = rows[2].index("^")
    assert rows[1][column : column + 4] == "tahn"


def test_control_characters_are_not_printed_as_they_are() -> None:
    with pytest.raises(sg.SymgradError) as caught:
        sg.parse("x + \x1b[31m tahn(x)")
    assert "\x1b" not in str(caught.value)


@pytest.mark.no_cover
def test_20000_chained_additions() -> None:
    text = "x" + " + x" * 20_000
    start, graph = time.perf_counter(), None
    try:
        graph = sg.parse(text)
    except sg.LimitError as error:
        assert "name" in error.hint
    assert time.perf_counter() - start < 2
    if graph is not None:
        assert sg.backprop(graph, {"x": 1}).grad["x"] == 20_001


def test_text_of_4_mb_is_accepted() -> None:
    assert sg.parse("x\n" + "# " + "-" * 4_000_000).output.op == "input"


BAD_SHAPES: list[tuple[str, dict[str, Any], type[Exception], str]] = [
    ("x", {"x": (-1,)}, S, "whole"),
    ("x", {"x": (2.5,)}, S, "whole"),
    ("x", {"x": ("N",)}, S, "whole"),
    ("x", {"x": (True,)}, S, "whole"),
    ("x", {"x": "text"}, sg.DataError, "dtype"),
    ("x", {"x": [[1, 2], [3]]}, sg.DataError, "rows differ in length"),
    ("x", {"x": object()}, sg.DataError, "is an object; a number or an array is expected"),
    ("x", {"x": 1j}, sg.DataError, "is 1j; a number or an array is expected"),
    ("x: real[3]\nx", {"x": (4,)}, S, "declared (3,)"),
    ("x: real[N, N]\nx", {"x": (3, 4)}, S, "declared"),
    ("x: real[N]\ny: real[N]\nx + y", {"x": (3,), "y": (4,)}, S, "where N = 3"),
    ("a = x", {"a": 3}, C, "assigned on line 1"),
    ("x", {"lambda": 3}, P, "not a name"),
    ("x", {"a b": 3}, P, "not a name"),
    ("x", {3: 3}, P, "not a name"),
    ("x", {"": 3}, P, "not a name"),  # type: ignore[dict-item]
    ("x", {"p\u0430y": 3}, P, "CYRILLIC"),
    ("y: labels[N, 3]\ny", {"y": [0.5]}, sg.DataError, "(line 1, column 1)"),
]


@pytest.mark.parametrize(("text", "shapes", "kind", "part"), BAD_SHAPES)
def test_bad_shapes(text: str, shapes: dict[str, Any], kind: type[Exception], part: str) -> None:
    with pytest.raises(sg.SymgradError) as caught:
        sg.parse(text, shapes)
    assert type(caught.value) is kind and part in str(caught.value)


@pytest.mark.parametrize("text", [None, 3, b"x", ["x"], np.zeros(3)])
def test_what_is_no_text(text: Any) -> None:
    with pytest.raises(sg.ParseError, match="a program is text"):
        sg.parse(text)


def test_the_most_frequent_mistake_is_pointed_at() -> None:
    with pytest.warns(sg.SymgradWarning, match=r"line 3: shapes \(N, 1\) and \(N,\) broadcast"):
        sg.parse("p: real[N, 1]\nt: real[N]\nmean((p - t)**2)")
    with pytest.warns(sg.SymgradWarning, match=r"\(N, 1\) and \(N,\)"):
        sg.parse("p: real[N, 1]\nt: real[N]\nmse(p, t)")


def test_errors_say_what_they_are() -> None:
    error = sg.ParseError("what", span=Span(1, 3, 5), source="a bcd", hint="do")
    assert isinstance(error, SyntaxError) and isinstance(error, sg.SymgradError)
    assert str(error) == "what  (line 1, column 3)\n  a bcd\n    ^^\ndo"
    assert error.at(Span(2, 1, 2), "other").line == 1
    assert sg.DataError("a").at(Span(1, 1, 2), "x").column == 1
    assert sg.DataError("a").line is None
    assert str(sg.DataError("a", span=Span(9, 1, 2), source="x")) == "a  (line 9, column 1)"

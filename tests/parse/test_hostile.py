"""Hostile and mistyped texts: the right value, or an error that says what to type instead.

Each row: the text, the class ("" for a value), words of the message or the hint, and the column.
"""

import time
import warnings

import pytest

import symgrad as sg

P, S, C, L = sg.ParseError, sg.ShapeError, sg.NameClashError, sg.LimitError
ARRAYS = "A: real[2, 3]; v: real[3]; X: data[N, D]; y: labels[N, C]; s: real[N, C]; "
Row = tuple[str, type[Exception] | None, str, int | None]
SLIPS: list[Row] = [
    ("2x", P, "write 2*x", 1), ("y = 2x + 1", P, "write 2*x", 5), ("2 x", P, "write 2*x", 1),
    ("x y", P, "write x*y", 1), ("2(x+1)", P, "a product is written with *", 1),
    ("(x+1)(x+2)", P, "a product is written with *", 2), ("x(y+1)", P, "write x*(…)", 1),
    ("sin x", P, "write sin(x)", 1), ("sin 2x", P, "write sin(…)", 1),
    ("|x|", P, "write abs(x)", 1), ("y = |x - 1| + 2", P, "write abs(x - 1)", 5),
    ("||x||", P, "write norm(x)", 1), ("x^2", P, "x**2", 1), ("e^x", P, "exp(x)", 1),
    ("x²", P, "write **2", 2), ("xⁿ", P, "write **n", 2), ("x₁", P, "x1, which prints as x₁", 2),
    ("log(x, 2)", P, "write log2(x)", 8), ("log(x, 10)", P, "log(x)/log(10)", 8),
    ("ln(x)", P, "write log(x)", 1), ("lg(x)", P, "log(x)/log(10)", 1),
    ("σ(x)", P, "write sigmoid(x)", 1), ("ReLU(x)", P, "did you mean 'relu'", 1),
    ("arcsin(x)", P, "arctan", 1), ("len(x)", P, "the dimension's name", 1),
    ("x'", P, "x.T for a transpose", 1), ("x!", P, "factorial", 2), ("5%", P, "/100", 3),
    ("y =", P, "missing behind '='", 4), ("= y", P, "missing before '='", 1),
    ("y = = x", P, "missing behind '='", 5), ("x + * y", P, "missing behind '+'", 5),
    ("x +", P, "missing behind '+'", 4), ("a = x;; a", P, "missing behind ';'", 7),
    ("(x", P, "'(' was never closed", 1), ("x)", P, "nothing opens it", 2),
    ("(x]", P, "does not match '(' at column 1", 3), ("x[]", P, "nothing between", 2),
    ("x := 3", P, "name = expression", 3), ("x => 3", P, "write >=", 3),
    ("x <> 3", P, "write !=", 3), ("a && b", P, "c1*c2", 3), ("a ? b : c", P, "where(", 3),
    ("x .* y", P, "write *", 3), ("1.5.2", P, "one point", 1), ("1,5*x", P, "1.5", 1),
    ("1 000", P, "write 1000", 1), ("00012", P, "leading zeros", 1), ("1or 2", P, "1 or", 1),
    ("f(x) = x", P, "only a name can stand left", 1), ("let x = 3", P, "x = expression", 1),
    ("real x", P, "x: real", 1), ("x, y: real\nx", P, "x: real; y: real", 1),
    (r"\frac{a}{b}", P, "write (a)/(b)", 1), (r"\sigma(x)", P, "write sigmoid(x)", 1),
    ("x_{1}", P, "write x1", 1), ("x^{2}", P, "x**2", 1), ("$x$", P, "without $", 1),
    (r"\input{/etc/passwd}", P, "LaTeX", 1), (r"\write18{id}", P, "LaTeX", 1),
    ("x × y", P, "write *", 3), ("x ÷ y", P, "write /", 3), ("x − y", P, "write -", 3),
    ("x – y", P, "write -", 3), ("x·y", P, "write *", 2), ("√x", P, "write sqrt(x)", 1),
    ("∑ x", P, "sum(", 1), ("∂L", P, "derives its gradients", 1), ("x ≤ y", P, "write <=", 3),
    ("½*x", P, "write 1/2", 1), ("∞", P, "write inf", 1), ("“x”", P, "straight quotes", 1),
    ("x\u200b + y", P, "ZERO WIDTH SPACE", 2), ("x\u00ad", P, "SOFT HYPHEN", 2),
    ("x\u2028y", P, "LINE SEPARATOR", 2), ("x\x0cy", P, "U+000C", 2), ("x\x1b[31m", P, "U+001B", 2),
    ("x\u034f", P, "U+034F", 2), ("\u3164 + x", P, "HANGUL FILLER", 1), ("x٣", P, "0 to 9", 2),
    ("x" + "\u0301" * 50, P, "COMBINING", 4), ("😀", P, "😀", 1), ("x\ud800", P, "U+D800", 2),
    ("x \\ y", P, "backslash", 3), ("'\\777'", P, "backslash", 1), ("x # \x00", P, "zero byte", 5),
]  # fmt: skip
CODE: list[Row] = [
    ("import os", P, "nothing is imported", 1), ("def f(x): return x", P, "themselves", 1),
    ("for i in x: i", P, "sum(", 1), ("h += 1", P, "h = h +", 1), ("not x", P, "1 - x", 1),
    ("x // y", P, "floor(x/y)", 1), ("x is y", P, "write ==", 1), ("(x for x in y)", P, "sum(", 1),
    ("np.pi", P, "write pi", 1), ("x.shape", P, "name the dimension", 1), ("A.T()", P, ".T", 1),
    ("x.sum()", P, "write sum(x)", 1), ("torch.relu(x)", P, "write relu(x)", 1),
    ("exp(**x)", P, "name=value", 5), ("exp(a=x, a=x)", P, "given twice", 10),
    ("sum(x, axis=0, axis=1)", P, "given twice", 16), ("sum(x, dim=0)", P, "'axis'", 8),
    ("elu(x, alpha=1)", P, "elu(x, a=1)", 8), ("mse(p, t, 'sum')", P, "reduction='sum'", 11),
    ("max()", P, "max takes 1 operand", 1), ("bce(p)", P, "write bce(a, b)", 1),
    ("entropy(p, base=1)", P, "base=2", 1), ("softmax(x, beta=b)", S, "axis -1", 1),
    ("eval('x')", P, "only functions of the language", 1), ("exec('x')", P, "exec", 1),
    ("__import__('os').system('id')", P, ".system", 1), ("__x + 1", P, "two underscores", 1),
    ("__debug__ = 3", P, "two underscores", 1), ("__a: real\nx", P, "two underscores", 1),
    ("X: data[__class__]\nX", P, "two underscores", 9), ("open('x').read()", P, ".read", 1),
    ("x.__class__.__mro__[1].__subclasses__()", P, "__subclasses__", 1),
    ("(lambda: 0)()", P, "only functions", 2), ("f'{x.__class__}'", P, "JoinedStr", 1),
    ("'{0.__class__}'.format(x)", P, ".format", 1), ("x\\\n.__class__", P, ".__class__", 1),
    ("getattr(x, '__cl' + 'ass__')", P, "getattr", 1), ("exp((yield))", P, "Yield", 6),
    ("x\"];evil[label=\"", P, "cannot stand here", 2), ("<img src=x>", P, "before '<'", 1),
    ("javascript:alert(1)", P, "unknown kind", 12), ("2j", P, "numbers are real", 1),
    ("0**-1", L, "division by zero", 1), ("1e999", L, "up to 1e308", 1),
]  # fmt: skip
NAMES: list[Row] = [
    ("lam*λ", C, "'λ' and 'lam'", 5), ("λ = x\nlam*λ", C, "print alike", 1),
    ("lam: real\nλ: real\nlam", C, "'λ'", 1), ("alpha1*α1", C, "'α1'", 8), ("A + Α", C, "alike", 5),
    ("x_hat*x\u0302", C, "alike", 7), ("eps*epsilon", C, "alike", 5),
    ("x1 + x_1 + x__1", None, "", 0),
    ("sigma + Sigma", None, "", 0), ("π*x", None, "", 0), ("π + pi", None, "", 0),
    ("x: int\nx", P, "did you mean 'labels'", 4), ("x: reals\nx", P, "did you mean 'real'", 4),
    ("x: parameter\nx", P, "'param'", 4), ("x: float64\nx", P, "'real'", 4),
    ("x: real(3)\nx", P, "x: real[3]", 4), ("x: real[-1]\nx", P, "not negative", 9),
    ("x: real[N+1]\nx", None, "", 0), ("x: real['N']\nx", P, "without quotes", 9),
    ("x: real[N=3]\nx", P, "shapes=", 9), ("x: symmetric[3]\nx", P, "symmetric[D, D]", 4),
    ("x: symmetric[2, 3]\nx", P, "two equal", 4), ("x: onehot\nx", P, "number of classes", 4),
    ("x: label[0]\nx", P, "0 classes", 4), ("x: real = 3\nx", P, "name = …", 11),
    ("X: data[N]\nN(3)", P, "is a dimension", 1), ("X: data[N]\nN = 3\nsum(X)/N", None, "", 0),
    (ARRAYS + "sum(s[i, j] for i in N)", P, "'j' is not bound", None),
    (ARRAYS + "s[i, j]", P, "'i' is not bound", None), (ARRAYS + "L[i] = s[i, j]", P, "'j'", None),
    (ARRAYS + "sum(s[i+1, j] for i in N for j in C)", S, "out of range", None),
    (ARRAYS + "sum(s[i,j] for i in N, j in C)", P, "without a comma", None),
    (ARRAYS + "sum(s[i, j] for i in range(0, N, 2) for j in C)", P, "no step", None),
    (ARRAYS + "L[i] = 3", S, "as an index on the right", None),
    (ARRAYS + "L[0] = 3", P, "L[i, j] = …", None), (ARRAYS + "arange(M)", P, "dimensions: N", None),
]  # fmt: skip
SIZES: list[Row] = [
    ("sum(1 for i in 1000000000000)", P, "up to 10000000", 16),
    ("sum(arange(99999999))", P, "up to 10000000", 5),
    ("sum(arange(9999)[:, None] * arange(9999))", L, "99980001 entries", 5),
    ("sum(x*i for i in 10000 for j in 10000)", L, "100000000 entries", 1),
    ("x: real[1000000, 1000000]\nx", L, "1000000000000 entries", 4),
    ("x: real[" + "2, " * 40 + "2]\nx", L, "41 axes", 4),
    ("x: real[" + ", ".join(f"N{k}" for k in range(500)) + "]\nx", L, "500 axes", 4),
    ("x[" + "None, " * 50 + "None]", L, "51 axes", 1),
    ("v: real[3]\na = v\n" + "a = concatenate((a, a))\n" * 60 + "sum(a)", L, "entries", 5),
    ("v: real[N]\na = v\n" + "a = concatenate((a, a))\n" * 99 + "sum(a)", S, "too large", 5),
    ("v: real[3]\na = v\n" + "a = reshape(outer(a, a), (-1,))\n" * 9 + "a", L, "entries", None),
    ("A: real[N]\nreshape(A, (N*" + "*".join(["9" * 20] * 300) + ", -1))", S, "too large", 13),
    ("sum(x" + "".join(f" for i{k} in 10" for k in range(12)) + ")", L, "entries", 1),
    ("-" * 100_000 + "x", L, "nested too deeply", 1), ("x y " * 20_000, P, "write x*y", 1),
    ("(" * 100_000 + "x" + ")" * 100_000, L, "nested more than", 91),
    ("exp(" * 100_000 + "x" + ")" * 100_000, L, "nested more than", None),
    ("x" + ".T" * 100_000, L, "nested too deeply", 1),
    ("\n" * 500_000 + "x", None, "", 0), ("# c\n" * 100_000 + "x", None, "", 0),
    ("\ufeffx\u00a0+ y\r\n", None, "", 0), ("x\ry\rtahn(x)", P, "line 3", 1),
    ("9" * 100_000, L, "the limit is 400", 1), ("a" * 100_000, L, "the limit is 400", 1),
    ("x + " * 1_000_001 + "x", L, "names and numbers", None),
]  # fmt: skip
ROWS = SLIPS + CODE + NAMES + SIZES


@pytest.mark.parametrize(("text", "kind", "words", "column"), ROWS,
                         ids=[f"{k}-{r[0][-30:]!a}" for k, r in enumerate(ROWS)])  # fmt: skip
def test_hostile(text: str, kind: type[Exception] | None, words: str, column: int | None) -> None:
    error: sg.SymgradError | None = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sg.SymgradWarning)
        try:
            sg.parse(text)
        except sg.SymgradError as caught:
            error = caught
    if kind is None or error is None:
        assert error is None and kind is None, error or f"no error: {text[:60]}"
        return
    said = str(error)
    assert type(error) is kind and words in said and len(said) < 2000
    assert error.hint or kind is S, said  # what to do
    assert column is None or error.column == column, said
    assert said.isprintable() or "\n" in said


@pytest.mark.parametrize("text", ["y == x + 1\ny", "x + 1\ny = x\ny", "x" + "; x" * 3000])
def test_a_value_that_is_not_used_is_pointed_at(text: str) -> None:
    with pytest.warns(
        sg.SymgradWarning, match="line 1: this value has no name and is not the last"
    ):
        sg.parse(text)


def test_a_list_of_named_values_is_silent() -> None:
    assert sg.parse("a = x\nb = a*y\nc: real\nc").output.op == "input"


@pytest.mark.no_cover
def test_long_hostile_text_is_answered_at_once() -> None:
    start = time.process_time()
    for text in ("x!" * 10_000, "$" * 100_000, "'" * 99_999, "x\n" + "[" * 100_000, "0x" * 50_000,
                 "|x" * 50_000, "1 " * 50_000, ")" * 100_000, "é" * 100_000):  # fmt: skip
        with pytest.raises(sg.SymgradError):
            sg.parse(text)
    assert time.process_time() - start < 20


@pytest.mark.parametrize(
    "text", ["((9jfor j in C if j!=y)*9)*9", "x[9jfor j in C]", "f(1if 1else 2)"]
)
def test_what_is_read_for_a_hint_warns_of_nothing(text: str) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        with pytest.raises(sg.ParseError):
            sg.parse(text)
    assert not seen

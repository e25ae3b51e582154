"""What a mistake is answered: the class, the place, the thing itself, and what to write.

Each family of mistakes has its rows: the text, the class, line and column, words of the message and
words of the hint. A second list of programs is changed at random: whatever comes of it is read, or
refused with a place and a hint.
"""

import random
import warnings
from typing import Any

import pytest

import symgrad as sg
from symgrad.errors import deceptive, near
from symgrad.parse.characters import decoded, folded

P, S, C, L = sg.ParseError, sg.ShapeError, sg.NameClashError, sg.LimitError
Row = tuple[str, type[Exception], int, int, str, str]
PASTED: list[Row] = [
    ("def f(x) = x", P, 1, 1, "'def' is not in the language", "the lines of the function"),
    ("@jit\ndef f(x): return x", P, 1, 2, "decorator @jit", "the lines of the function"),
    ("from math import exp\nexp(x)", P, 1, 1, "'from … import'", "known by themselves"),
    ("for i=1:3\n x\nend", P, 1, 1, "'for' is not in the language", "sum("),
    ("if x > 0 then 1 else 0 end", P, 1, 1, "'if' is not in the language", "where("),
    ("y = if x > 0 then 1", P, 1, 5, "'if' does not begin a value", "where("),
    ("x = 1\nx += y*2", P, 2, 1, "'+=' is not in the language", "x = x + y*2"),
    ("W -= lr*g", P, 1, 1, "'-='", "W = W - lr*g"),
    ("a *= b + c", P, 1, 1, "'*='", "a = a * (b + c)"),
    ("return x", P, 1, 1, "'return'", "the last line is the result"),
    ("try:\n    x\nexcept:\n    y", P, 1, 1, "'try'", "without 'try'"),
    ("class A: pass", P, 1, 1, "'class'", "one value a line"),
    (">>> x + 1", P, 1, 1, "'>>>'", "prompt"), ("print x", P, 1, 1, "'print x'", "write x"),
    ("x if x > 0 else 0", P, 1, 1, "IfExp", "where(x > 0, x, 0)"),
    ("np.exp(x)", P, 1, 1, ".exp of np", "write exp(x)"),
    ("torch.nn.functional.relu(x + 1)", P, 1, 1, ".relu of torch.nn", "write relu(x + 1)"),
    ("nn.ReLU(x)", P, 1, 1, ".ReLU of nn", "write relu(x)"),
    ("x.sum(axis=0)", P, 1, 1, ".sum of x", "write sum(x, axis=0)"),
    ("x.view(-1)", P, 1, 1, ".view of x", "reshape"), ("np.e**x", P, 1, 1, ".e of np", "exp(x)"),
    ("np.array([1, 2])", P, 1, 1, ".array of np", "shapes="),
    ("loss = x**2\nloss.backward()", P, 2, 1, ".backward of loss", "derives all gradients"),
    ("nn.Linear(3, 4)", P, 1, 1, ".Linear of nn", "x @ W + b"),
    ("f'{x}'", P, 1, 1, "a text (string)", "not values"), ("'a'", P, 1, 1, "the text 'a'", "name"),
    ("x and y", P, 1, 1, "'and'", "c1*c2"), ("x or y", P, 1, 1, "'or'", "max(c1, c2)"),
    ("x: list[int]\nx", P, 1, 4, "kind 'list'", "'real'"),
    ("x: np.ndarray\nx", P, 1, 4, "kind 'np.ndarray'", "'real'"),
]  # fmt: skip
HABITS: list[Row] = [
    ("y <- x + 1\ny", P, 1, 1, "'<-'", "write  y = x + 1"),
    ("x %*% y", P, 1, 3, "'%*%'", "write @"), ("% a\nx", P, 1, 1, "before '%'", "begins with #"),
    ("// a\nx", P, 1, 1, "before '//'", "begins with #"), ("/* a */", P, 1, 1, "'/*'", "with #"),
    ("x === y", P, 1, 3, "'==='", "write =="), ("exp.(x)", P, 1, 4, "'.('", "entry by entry"),
    ("x .+ y", P, 1, 3, "'.+'", "write +"), ("A.' * x", P, 1, 1, "prime in A'", "A.T"),
    ("max(x; 0)", P, 1, 6, "';' ends a line", "or , between"),
    ("max{x, 0}", P, 1, 4, "'{'", "max(…)"),
    ("max[x, 0]", P, 1, 1, "'max' is a function", "max(x, 0)"),
    ("x(:, 0)", P, 1, 3, "':'", "x[:, 0]"),
    ("function(x) x**2", P, 1, 1, "'function'", "its arguments are the inputs"),
    ("var x = 3", P, 1, 1, "'var x'", "x = expression"), ("1e*x", P, 1, 1, "'1e'", "1e3"),
    ("2 = x", P, 1, 1, "left of =, not 2", "=="), ("= x", P, 1, 1, "before '='", "y = …"),
    ("x + * y", P, 1, 5, "behind '+', before '*'", "delete"), ("x--", P, 1, 4, "'-'", "- 1"),
    ("y = x + and", P, 1, 9, "before 'and'", "delete"), ("not = 3", P, 1, 1, "'not'", "not_"),
    ("a + b^2", P, 1, 5, "operator ^", "b**2"), ("sin^2(x)", P, 1, 1, "^", "sin(x)**2"),
    ("e^{-x}", P, 1, 1, "^", "exp(x)"), ("x^-1", P, 1, 1, "^", "x**-1"),
    (r"a \leq b", P, 1, 3, r"\leq", "<="), (r"\hat{y}", P, 1, 1, r"\hat", "x_hat"),
    ("x✕y", P, 1, 2, "✕", "write *"), ("⌊x⌋", P, 1, 1, "⌊", "floor(x)"),
    ("x⟶y", P, 1, 2, "⟶", "name = expression"), ("A⊤", P, 1, 2, "⊤", ".T"),
    ("0777", P, 1, 1, "0777 begins with 0", "leading"), ("1__0", P, 1, 2, "'1__0'", "*"),
    ("1e400", L, 1, 1, "the number 1e400", "inf"), ("x + 1/0", L, 1, 5, "division by zero", "inf"),
    ("", P, 1, 1, "the text is empty", "last line"), ("# a", P, 1, 1, "comments only", "last line"),
    ("a = b = x", P, 1, 1, "one name a line", "b = x; a = b"),
    ("heaviside(x)", P, 1, 1, "'heaviside'", "x > 0"),
    ("d/dx x**2", P, 1, 1, "d/dx is not", "derives its gradients"),
    ("x: real[3]; ||x||", P, 1, 13, "||x||", "norm(x)"),
    ("x: real[3]; x.T x", P, 1, 15, "between .T and x", "write @"),
]  # fmt: skip
DECLARED: list[Row] = [
    ("W = param[D]\nW", P, 1, 5, "'param' is a kind", "name: param[D]"),
    ("W: param D\nW", P, 1, 4, "dimensions of 'param'", "param[D]"),
    ("W param[D]\nW", P, 1, 1, "'param' is a kind", "W: param[…]"),
    ("param W\nW", P, 1, 1, "'param' is a kind", "W: param"),
    ("W: param[N x D]\nW", P, 1, 10, "comma is missing between N and x", "N, x"),
    ("W: param[3x4]\nW", P, 1, 10, "comma is missing between 3 and x4", "3, 4"),
    ("X: data[N, 2]\nw: real[3]\nX @ w", S, 3, 1, "dimensions 2 and 3", "as many columns"),
    ("W: param[N; D]\nW", P, 1, 11, "';' ends a line", ","),
    ("W: param[N][D]\nW", P, 1, 4, "'param[N]'", "one pair of brackets"),
    ("W: param[[N, D]]\nW", P, 1, 10, "[N, D]", "without brackets"),
    ("x: real, y: real\nx", P, 1, 8, "','", "x: real; y: real"),
    ("x: real[1e3]\nx", P, 1, 9, "not 1e3", "x: real"),
    ("x: real\ny = 1; x = 3", C, 2, 8, "assigned on line 2", "a name of its own"),
    ("x = 3\nx: real\nx", C, 2, 1, "assigned on line 1", "a name of its own"),
    ("X: data[lam]\nλ: real\nsum(X)*λ", C, 1, 9, "'lam' and 'λ'", "rename"),
    ("x: real[3]\nx[3]", S, 2, 1, "x (3,): index 3", "from 0 to 2"),
    ("x[0]", P, 1, 1, "x (): 1 index for 0 axes", "x: real[N]"),
    ("x: real[3]\nx[x > 0]", P, 2, 3, "a condition picks", "where(x > 0"),
    ("x: real[3]\nx[0.5]", P, 2, 3, "index 0.5", "x[0]"),
    ("x: real[3]\ny: real[3]\nx[y]", P, 3, 1, "not y", "y: labels[3, C]"),
    ("P: data[N, C]\ny: labels[N, C]\nsum((2*P)[y])", S, 3, 5, "axis 0",
     "(2*P)[arange(N), y]"),
    ("W: param[V, D]\nn: data[B, K]\nW[n]", P, 3, 1, "not n", "n: labels[B, K, C]"),
]  # fmt: skip
FORM = "X: data[N, D]; W: param[D, H]; V: param[H, D]; b: param[D]; c: param[N]; k: real\n"
MISFITS: list[Row] = [
    ("X @ V", S, 2, 1, "X (N, D) @ V (H, D): the inner dimensions D and H", "V.T would fit"),
    ("X.T @ W", S, 2, 1, "X.T (D, N) @ W (D, H)", "X would fit"),
    ("relu(X @ W + b)", S, 2, 6, "(X @ W) (N, H) + b (D,): dimensions H and D", "b: param[H]"),
    ("X - c", S, 2, 1, "X (N, D) - c (N,)", "c[:, None] would fit"),
    ("X < c", S, 2, 1, "X (N, D) < c (N,)", "c[:, None]"),
    ("X == W", S, 2, 1, "X (N, D) == W (D, H)", "equal, or one of them is 1"),
    ("X @ k", S, 2, 1, "X (N, D) @ k ()", "X*k"), ("X @ X", S, 2, 1, "X (N, D) @ X (N, D)", "X.T"),
    ("maximum(X, c)", S, 2, 1, "maximum of X (N, D) and c (N,)", ""),
    ("where(X > 0, W, 1)", S, 2, 1, "W (D, H)", ""),
    ("kl(b, c)", S, 2, 1, "kl of b (D,) and c", ""),
    ("mse(X, W)", S, 2, 1, "mse of X (N, D) and W (D, H)", "one of them is 1"),
    ("cross_entropy(X, b)", S, 2, 1, "cross_entropy of X (N, D) and b (D,)", "one label"),
    ("det(X)", S, 2, 1, "det of X (N, D)", "real[N, N]"),
    ("sum(k, axis=0)", S, 2, 1, "k ()", "real[N]"),
    ("sum(X, axis=2)", S, 2, 1, "sum of X (N, D): axis 2", "from 0 to 1"),
    ("sum(X, axis=(0, -2))", S, 2, 1, "sum of X (N, D)", "each axis once"),
    ("transpose(X, (0, 0))", S, 2, 1, "transpose of X", "each axis once"),
    ("reshape(b, (3, -1, -1))", S, 2, 1, "reshape of b (D,)", "-1"),
    ("concatenate((X, W), axis=1)", S, 2, 1, "X (N, D) and W (D, H)", "only axis 1"),
    ("stack((b, c))", S, 2, 1, "stack of b (D,) and c (N,)", "one shape"),
    ("einsum('i,j->ij', b)", S, 2, 1, "einsum of b (D,): 2 operands", "each array"),
    ("einsum('ij->i', b)", S, 2, 1, "einsum of b (D,)", "each axis"),
    ("gelu(X, 1)", P, 2, 9, "gelu takes at most 1", "gelu(X)"),
    ("svm(X)", P, 2, 1, "2 to 3 operands, not 1", "svm(S, y, delta)"),
    ("sum(X, axis=k)", P, 2, 13, "not k", "axis=0"),
    ("maximum(*X)", P, 2, 9, "*X", "maximum(a, b)"),
    ("mse(X, X, reduction=mean)", P, 2, 21, "not mean", "'mean'"),
    ("gelu(X, approximate='tanh')", P, 2, 9, "'approximate'", "gelu_tanh(x)"),
    ("sum(X[i, j] for i in enumerate(N) for j in D)", P, 2, 22, "not over enumerate", "for i in N"),
    ("sum(X[j, i] for i in N for j in D)", S, 2, 5, "the index j ranges over D", "for j in N"),
]  # fmt: skip
ROWS = [*PASTED, *HABITS, *DECLARED, *((FORM + t, *rest) for t, *rest in MISFITS)]


def refused(text: str) -> sg.SymgradError:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sg.SymgradWarning)
        with pytest.raises(sg.SymgradError) as caught:
            sg.parse(text)
    return caught.value


@pytest.mark.parametrize(("text", "kind", "line", "column", "said", "hint"), ROWS,
                         ids=[f"{k}-{r[0][-24:]!a}" for k, r in enumerate(ROWS)])  # fmt: skip
def test_what_a_mistake_is_answered(
    text: str, kind: type[Exception], line: int, column: int, said: str, hint: str
) -> None:
    error = refused(text)
    assert type(error) is kind and (error.line, error.column) == (line, column), error
    assert said in error.message and hint in error.hint and error.hint, error


def test_a_comparison_with_a_negative_number_is_none_of_r() -> None:
    for text in ("y < -x", "y<-x", "y <-x", "1 <- x"):
        assert sg.parse(text).output.op == "lt"


# -- names that come from elsewhere ----------------------------------------------------------


def test_one_name_has_one_spelling() -> None:
    assert folded("\N{GREEK PHI SYMBOL}") == "φ" and folded("x") == "x"
    graph = sg.parse("sum(\N{GREEK PHI SYMBOL})", {"\N{GREEK PHI SYMBOL}": (3,)})
    assert [n.attrs["name"] for n in graph.inputs] == ["φ"] and graph.inputs[0].shape == (3,)


@pytest.mark.parametrize("name", ["__class__", "__import__", "__", "__x__"])
def test_names_of_python_are_not_given(name: str) -> None:
    with pytest.raises(P, match="two underscores"):
        sg.parse(f"{name}*2", {name: (3,)})


def test_a_letter_that_only_looks_like_another_is_named() -> None:
    assert "U+0445 CYRILLIC" in near("\N{CYRILLIC SMALL LETTER HA}", ["x"])
    assert "letter 2 is U+FF58" in near("a\N{FULLWIDTH LATIN SMALL LETTER X}", ["ax"])
    assert not deceptive("naïve_λ1")


def test_messages_are_safe_to_print() -> None:
    for odd in ("\ud800", "\x1b[31m", "\u202e", "\u2028"):
        with pytest.raises(sg.SymgradError) as caught:
            sg.gradient("x*y", odd)
        for error in (caught.value, refused(f"x{odd}")):
            said = str(error)
            assert odd not in said and all(c.isprintable() or c == "\n" for c in said)
            assert odd not in (getattr(error, "text", "") or "")


# -- programs that are changed at random -----------------------------------------------------

SEEDS = [
    FORM + "h = relu(X @ W)\nmean((h @ V - X)**2) + 0.5*sum(W**2)",
    "s: real[N, C]\ny: labels[N, C]\nL[i] = sum(max(0, s[i,j] - s[i,y[i]] + d) for j in C if j != "
    "y[i])\nmean(L[i] for i in N)",
    "phi: function\nw: param[3]\nx: data[3]\nphi(w @ x + b)**2 # a neuron",
    "x: real[4]\na = x[1:] - x[:-1]\nwhere(a > 0, a, 0.1*a)[0] + sum(softmax(x, axis=-1, beta=2))",
    "p: simplex[C]; q: simplex[C]\nkl(p, q, base=2) + einsum('i,i->', p, q) + x_1*2.5e-3",
]
PIECES = """
    ( ) [ ] { } + - * / ** @ ^ = == := <- -> <= != % & | ~ , ; : . ... ' " # \\ ² × λ х \u200b
    \u202e \ud800 if for in def import None sum np. .T .sum() [0] [i] (x) 1e999 0x 1_ : param[
    __class__ yield return $ ? axis= N
"""
BLANKS = [" ", "\n", "\n  ", "\t", "\r", "\0"]


def changed(pick: random.Random) -> str:
    """Insert, delete, repeat or exchange pieces of a program."""
    text, pieces = pick.choice(SEEDS), [*PIECES.split(), *BLANKS]
    for _ in range(pick.choice([1, 1, 2, 5])):
        i, what = pick.randrange(len(text) + 1), pick.random()
        if what < 0.5:
            text = text[:i] + pick.choice(pieces) + text[i + (what < 0.15) :]
        elif what < 0.75:
            text = text[:i] + text[i + pick.choice([1, 2, 5]) :]
        elif what < 0.9:
            text = text[:i] + text[max(0, i - 9) :]
        else:
            text = text[:i] + pick.choice(SEEDS)[i:]
    return text


@pytest.mark.filterwarnings("error", "ignore::symgrad.SymgradWarning")
@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_typed_is_read_or_refused_with_place_and_hint(seed: int) -> None:
    pick, read = random.Random(seed), 0
    for _ in range(60):
        text = changed(pick)
        error: Any = None
        try:
            sg.parse(text)
        except sg.SymgradError as caught:
            error = caught
        read += error is None
        assert error is None or (error.line and error.column and error.hint), (text, error)
        assert error is None or len(str(error)) < 1500
    assert read < 60


# -- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "said", "place"), [
    ("y = x\nz = caf\u00e9".encode("latin-1"), "the byte 0xe9", (2, 8)),
    ("x + 1".encode("utf-16"), "UTF-16", (1, 1)), ("x + 1".encode("utf-16-le"), "UTF-16", (1, 1)),
    ("x + 1".encode("utf-32"), "UTF-16 or UTF-32", (1, 1)), (b"\x00x", "no text", (1, 1)),
    ("α".encode() + b"\r\n \xff", "the byte 0xff", (2, 2)),
])  # fmt: skip
def test_files_that_are_not_utf_8(data: bytes, said: str, place: tuple[int, int]) -> None:
    with pytest.raises(P, match=said) as caught:
        decoded(data, "a.sg")
    assert (caught.value.line, caught.value.column) == place
    assert "save it as UTF-8" in caught.value.hint and "a.sg" in caught.value.message
    assert decoded("\ufeffα*x".encode(), "a.sg") == "α*x" and decoded(b"", "a.sg") == ""

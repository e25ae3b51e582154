"""Hostile texts for the parser: mutations of valid programs, guided by the lines that they reach.

A text that reaches a new pair of lines in `symgrad/parse` joins those that are mutated. A finding
is any exception that is no `SymgradError`, any warning that is no `SymgradWarning`, and any call of
more than two seconds.
"""

import random
import re
import resource
import signal
import sys
import time
import traceback
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

import symgrad as sg
from symgrad.ops import ALIASES, OPS
from tests.programs import program

LIMIT, MEMORY = 2.0, 3 << 30
LONGEST = 4000  # characters of a text that is mutated again
TOKENS = re.compile(r"[^\W\d]\w*|\d+\.?\d*(?:e[+-]?\d+)?|\s+|.", re.DOTALL)
FOLDER = "parse"
ODD = (
    "lambda", "in", "if", "for", "else", "not", "and", "or", "is", "None", "True", "False", "def",
    "import", "class", "yield", "await", "async", "return", "print", "eval", "exec", "__import__",
    "__class__", ":=", "->", "**", "//", "%", "@", "<<", ">>", "&", "|", "^", "~", "!", "?", "$",
    "`", "...", ".T", ".real", ".__class__", "==", "!=", "<=", ">=", "<", ">", "=", "+=", ";", ":",
    ",", "(", ")", "[", "]", "{", "}", "'", '"', '"""', "'''", "#", "\\", "\\\n", "\n", "\r",
    "\r\n", "\t", "\x00", "\x0c", "\x1b", "\u200b", "\u202e", "\ufeff", "\u2028", "²", "½", "ﬁ",
    "х", "ｘ", "λ", "Σ", "∂", "π", "𝐱", "é", "e\u0301", "\ud800", "٣", "0x1F", "0b1", "0o7", "007",
    "1_000", "1e309", "1e-400", "1j", "10**400", "9**9**9", "1e5000", "0.", ".5", "1..2", "-0",
    "inf", "nan", "pi", "f'{x}'", "b'x'", "r''", "*x", "**x", "x if y else z", "[i for i in N]",
    "{x: y}", "{x}", "(x, y)", "(x,)", "()", "[]", "lambda x: x", "x[...]", "x[::0]", "x[None]",
    "x[-1:]", "x[1:2:3]", "axis=", "axis=-1", "axis=(0, 1)", "axis=None", "axis=99",
    "keepdims=True", "reduction='none'", "reduction=1", "shape=", "param[", "data[N, D]",
    "labels[N, C]", "onehot[2]", "function", "real", "symmetric[N, N]", "label[C]", "param[-1]",
    "param[0]", "param[N + 1]", "param[1e9]", "N", "D", "for i in N", "for j in C if j != y[i]",
    "[i]", "[i, j]", "'ij,jk->ik'", "'ii->'", "'->'", "'ij'", "'...i->i'", "arange(N)",
    "arange(1e12)", "eye(10**9)", "zeros_like(", "reshape(x, (-1, -1))", "reshape(x, (N, 0))",
    "concatenate((x,))", "stack(())", "x" * 300, "1" * 400, "(" * 60, "-" * 60,
)  # fmt: skip
SEEDS = (
    "x", "", "\n", "x*y + z", "1/(1 + exp(-(w0*x0 + w1*x1 + w2)))",
    "y: labels[N, C]\nS: real[N, C]\n"
    "L[i] = sum(max(0, S[i,j] - S[i,y[i]] + 1) for j in C if j != y[i])\nmean(L[i] for i in N)",
    "phi: function; phi(x)", "X: data[N, D]; W: param[D, K]; sum(X @ W)", "x.T", "x[1:, None]",
    "A: symmetric[N, N]\nx: real[N]\nx @ A @ x", "einsum('ij,j->i', A, x)",
    "h = tanh(x); h = h**2", "X: data[N, D]\nreshape(X, (N*D,))", "1 < x < 2",
    "max(a, b) + max(x, axis=0)", "x = 3  # note", "where(x > 0, x, -x)",
    "M[i, j] = A[i, k]*B[k, j]", "take(X, y, axis=1)", "-x**-2", "2x", "|x|",
)  # fmt: skip


class Slow(BaseException):
    """A call that does not end."""


class Reached:
    """The pairs of lines of symgrad/parse that have been run, one after the other."""

    def __init__(self) -> None:
        self.known: set[tuple[str, int, int]] = set()
        self.new = False
        self._inside: dict[str, bool] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        file = frame.f_code.co_filename
        inside = self._inside.get(file)
        if inside is None:
            inside = self._inside[file] = f"symgrad/{FOLDER}/" in file
        if not inside:
            return None
        last = frame.f_lineno

        def line(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal last
            pair = (file, last, frame.f_lineno)
            last = frame.f_lineno
            if pair not in self.known:
                self.known.add(pair)
                self.new = True
            return line

        return line


def corpus() -> list[str]:
    """Give the texts to begin with: small ones, whole programs, and those of the tests."""
    found = [*SEEDS, *(program(seed, nasty=True).text for seed in range(40))]
    for name in ("test_errors", "test_text", "test_index"):
        source = (Path(__file__).parents[1] / "parse" / f"{name}.py").read_text(encoding="utf-8")
        texts = re.findall(r'"((?:[^"\\\n]|\\.){2,200})"', source)
        found += [t.replace("\\n", "\n").replace('\\"', '"') for t in texts]
    return found


WORDS = [*OPS, *ALIASES, *ODD, *ODD]


def mutated(r: random.Random, texts: list[str]) -> str:
    """Change a text in one to six places."""
    tokens = TOKENS.findall(r.choice(texts))
    for _ in range(1 + min(r.randrange(6), r.randrange(6))):
        k = r.randrange(len(tokens) + 1)
        kind = r.randrange(9)
        if kind == 0:
            del tokens[k : k + r.choice((1, 1, 2, 5))]
        elif kind <= 2:
            tokens.insert(k, r.choice(WORDS))
        elif kind == 3 and k < len(tokens):
            tokens[k] = r.choice(WORDS)
        elif kind == 4:
            other = TOKENS.findall(r.choice(texts))
            a = r.randrange(len(other) + 1)
            tokens[k:k] = other[a : a + r.randrange(1, 12)]
        elif kind == 5 and len(tokens) > 1:
            a, b = r.randrange(len(tokens)), r.randrange(len(tokens))
            tokens[a], tokens[b] = tokens[b], tokens[a]
        elif kind == 6:
            a = r.randrange(len(tokens) + 1)
            tokens[k:k] = tokens[a : a + r.randrange(1, 8)] * r.choice((1, 2, 2, 30))
        elif kind == 7 and k < len(tokens):
            other = TOKENS.findall(r.choice(texts))
            tokens[k] = r.choice(other or [" "])
        else:
            tokens.insert(k, chr(r.choice((r.randrange(128), r.randrange(0x3000), 0x1D400))))
    return "".join(tokens)


def tried(text: str) -> str:
    """Parse a text; say what is wrong with how that went, "" if nothing is."""
    start = time.monotonic()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sg.parse(text)
    except sg.SymgradError as error:
        if not str(error).strip():
            return "an error without a text"
        nothing = "no value" in str(error)  # declarations alone: there is no place to point at
        if error.span is None and isinstance(error, sg.ParseError) and not nothing:
            return "a ParseError without a place"
    except Slow:
        return "it does not end"
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {Path(frame.filename).name}:{frame.name}"
    for w in caught:
        if not issubclass(w.category, sg.SymgradWarning):
            return f"{w.category.__name__}"
    return "" if time.monotonic() - start < LIMIT else "slow"


def smaller(text: str, what: str, seconds: float = 20.0) -> str:
    """Leave out what a finding does not need."""
    end = time.monotonic() + seconds
    width = max(1, len(text) // 2)
    while width and time.monotonic() < end:
        k = 0
        while k < len(text) and time.monotonic() < end:
            less = text[:k] + text[k + width :]
            if tried(less) == what:
                text = less
            else:
                k += width
        width //= 2
    return text


def _stop(*_: Any) -> None:
    raise Slow


def _mapped() -> int:
    """Give the bytes of addresses in use: earlier tests of this process may have taken most."""
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[0]) * resource.getpagesize() if pages.exists() else 0


def hunt(minutes: float, seed: int, out: str, most: int | None = None) -> int:
    """Mutate and parse for so long; print and keep findings. 1 if there are any."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_mapped() + MEMORY, hard))
    signal.signal(signal.SIGALRM, _stop)
    r, reached, texts = random.Random(seed), Reached(), corpus()
    findings: dict[str, str] = {}
    end, count = time.monotonic() + 60 * minutes, 0
    queue = list(texts)
    while time.monotonic() < end and (most is None or count < most):
        text = queue.pop() if queue else mutated(r, texts)
        count += 1
        reached.new = False
        signal.alarm(20)
        before = sys.gettrace()
        sys.settrace(reached)
        try:
            what = tried(text)
        finally:
            sys.settrace(before)
            signal.alarm(0)
        if what in ("slow", "it does not end"):  # tracing takes its time
            signal.alarm(20)
            what = tried(text)
            signal.alarm(0)
        if what and what not in findings:
            findings[what] = text = smaller(text, what)
            keep(what, text, out, len(findings))
        if reached.new and len(text) <= LONGEST:
            texts.append(text)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    print(f"{count} texts, {len(texts)} kept, {len(reached.known)} pairs of lines reached, "
          f"{len(findings)} sorts of findings")  # fmt: skip
    return 1 if findings else 0


def keep(what: str, text: str, out: str, number: int) -> None:
    """Print a finding; write it to a file."""
    print(f"{what}: {text!r}", flush=True)
    if out:
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"text{number}.txt"
        path.write_text(text, encoding="utf-8", errors="surrogatepass")

"""The checks of generated source: everything a module needs passes, everything else does not."""

import ast
import keyword
import math

import pytest

from symgrad.codegen import safety, tokens
from symgrad.errors import SymgradError
from symgrad.train.module import safety as training

HEAD = "import math\nimport numpy as np\n"
NEEDED = [
    "def f(x):\n    return g(x)\n\ndef g(x):\n    return x",
    "log = np.log\ny = log(x)",
    "def f(x):\n    m = math\n    e = np.exp\n    return e(x)",
    "y = float(x) + abs(x) + max(x, y) + min(x, y)",
    "y = list_[0] if len(x) else slice(1)\nfor k in map(f, range(3)): pass\ndef f(x): return x",
    "y = x.T + x.shape[0] + x.size + x.dtype.tiny",
    "y = x.copy().astype(y).reshape(2).ravel().max()",
    "x.fill(0)\nx.pop()\nx.clear()\nx.append(1)",
    "np.add.at(x, 1, y)\nz = np.maximum.reduce(x)\nz = x.dot(y)",
    "y = x.strides, x.transpose(1), x.view(2)",
    "y = np.linalg.inv(x), np.linalg.det(x), np.linalg.slogdet(x), np.linalg.solve(x, x)",
    "y = m.exp(1)",
    "try:\n    y = 1\nexcept x:\n    y = 2\nwith np.errstate(all='ignore'):\n    y = 3",
]
SPECIAL = [
    ("class A: pass", "ClassDef"),
    ("y = lambda: 1", "Lambda"),
    ("def f():\n    global x", "Global"),
    ("def f():\n    x = 1\n    def g():\n        nonlocal x", "Nonlocal"),
    ("async def f(): pass", "AsyncFunctionDef"),
    ("del x", "Delete"),
    ("def f():\n    yield 1", "Yield"),
    ("def f():\n    yield from x", "YieldFrom"),
    ("while x: pass", "While"),
    ("assert x", "Assert"),
    ("raise x", "Raise"),
    ("await x", "Await"),
    ("from math import exp", "an import from"),
    ("import os", "an import"),
    ("import math, os", "an import"),
    ("import numpy.linalg", "an import"),
    ("y = __builtins__", "__builtins__"),
    ("y = __hidden", "__hidden"),
    ("y = x.__class__", "the attribute __class__"),
    ("y = np._private", "the attribute _private"),
    ("y = np.linalg.norm(x)", "the attribute norm"),
    ("y = np.add.outer(x)", "the attribute outer"),
    ("y = x.add.at(y)", "the attribute at"),
    ("y = x.tofile('a')", "the attribute tofile"),
    ("y = open('a')", "a call of open"),
    ("y = f(1)(2)", "a computed call"),
    ("y = abs(1)(2)", "a computed call"),
    ("y = x[0](2)", "a computed call"),
    ("thing = x.fill\nthing(1)", "a call of thing"),
    ("thing, exp = np.log\nthing(1)", "a call of thing"),
    ("thing: int = np.log\nthing(1)", "a call of thing"),
    ("if x:\n    thing = np.log\nthing(1)", "a call of thing"),
    ("def f():\n    y = [print(1) for x in y]", "a call of print"),
    ("x = f'{open(1)}'", "a call of open"),
    ("def f(x=open(1)): pass", "a call of open"),
    ("@open\ndef f(): pass\nopen(2)", "a call of open"),
]  # fmt: skip


@pytest.mark.parametrize("source", NEEDED)
def test_what_modules_need_passes(source: str) -> None:
    tree = safety.check(HEAD + source + "\n")
    assert isinstance(tree, ast.Module)
    assert ast.unparse(tree) == ast.unparse(ast.parse(HEAD + source))


@pytest.mark.parametrize(("source", "fault"), SPECIAL)
def test_anything_else_is_named(source: str, fault: str) -> None:
    with pytest.raises(SymgradError) as caught:
        safety.check(HEAD + source + "\n")
    assert f"the generated module contains {fault}; please report this" in str(caught.value)


def test_every_statement_is_looked_at() -> None:
    """What is refused in a line of its own is refused inside anything else."""
    inside = ["if x:\n    {}", "for k in range(3):\n    {}", "def f(x):\n    {}",
    "if x:\n    y = 1\nelse:\n    {}",
              "try:\n    {}\nexcept x:\n    y = 1", "with np.errstate():\n    {}"]  # fmt: skip
    for frame in inside:
        safety.check(HEAD + frame.format("y = abs(1)"))
        for line in ("open(1)", "raise x", "x.__class__", "import os", "y = (lambda: 1)"):
            with pytest.raises(SymgradError):
                safety.check(HEAD + frame.format(line))


def test_names_become_a_part_of_code() -> None:
    safety.names(["x", "größe", "match", "_t", "x1"])
    for name in ("x y", "", "1x", "class", "lambda", "x;y", "x\n", "a.b", "__import__('os')", "x²"):
        with pytest.raises(SymgradError) as caught:
            safety.names(["x", name])
        assert repr(name) in str(caught.value) and "identifiers" in str(caught.value)
    with pytest.raises(SymgradError) as caught:
        safety.names(["?" * 500])
    assert "'" + "?" * 80 + "'" in str(caught.value) and len(str(caught.value)) < 250


def test_long_modules_are_read_by_their_tokens() -> None:
    line = "y = abs(x)*2.0\n"
    short = "# " + "x" * (tokens.LONG - len(HEAD) - 3 - len(line)) + "\n"
    assert len(HEAD + short + line) == tokens.LONG
    assert isinstance(safety.check(HEAD + short + line), ast.Module)
    long = HEAD + "#" + short + line
    assert safety.check(long) == long
    assert isinstance(safety.check(long + "y = 1; z = 2\n"), ast.Module)  # not told by tokens alone
    with pytest.raises(SymgradError, match="a call of open"):
        safety.check(long + "open(1)\n")


# -- by tokens -------------------------------------------------------------------------------

PLAIN = [
    "",
    "x = 1",
    "x = a*b + c/d - e % f ** 2",
    "x = a @ b",
    "x = [1, 2.5e-3][0]\ny = {1: 2}\nz = (a <= b) != (c >= d) & e",
    "def f(a, b):\n    return a",
    "def f(a):\n    return g(a)\ndef g(a):\n    return f(a)",
    "def f1(a):\n    return a\ny = f1(2)",
    "for k in a:\n    pass",
    "if a and not b or c in d:\n    x = 1\nelse:\n    x = 2",
    "try:\n    x = 1\nexcept a:\n    x = 2",
    "with np.errstate(over=a) as b:\n    pass",
    "x = np.exp(a) + math.log(b) + m.log1p(c)",
    "x = exp(a) + log2(b) + log10(c) + log1p(d) + atan2(e, f)",
    '"""import os; open(1)."""\nx = 1',
    "x = 1  # open(__import__); a.b",
    'x = a["import os.path; eval(1)"]',
    "x = one(1) + two(2)",
    "x = .5 + 1. + 1.5",
    "x = x_ + _x",
    "x = (1 +\n     2)",
    "x = a#c",
    "x = [1, # c\n (2)]",
    "if (a) and (b):\n    x = not (c) or (d)",
    "def f(a):\n    return (a)",
    "x = np.sum(a, axis=1)[0]",
    "x = λ + größe",
    "x = (a, [b], {1: c})",
]
HARMFUL = [
    "open(1)",
    "open1(1)",
    "open\n(1)",
    "open (1)",
    "x = a.open(1)",
    "x = a.shape",
    "x = (a).b",
    "x = [a].b",
    "x = {a}.b",
    "x = a . b",
    "x = a\n.b",
    "x = 1 .real",
    "x = a1. b",
    "x = a[0] . b",
    "x = 1e5 .real",
    "x = (a)\n . shape",
    "x = a.shapes",
    "x = np.T",
    "x = np.a.b",
    "x = np.linalg.inv(a)",
    "x = np._a",
    "x = np._a(1)",
    "x = math.__dict__",
    "x = os.np.exp",
    "x = a.np.exp(1)",
    "x = f(1)(2)\ndef f(a):\n    return a",
    "x = a[0](2)",
    "x = {1: 2}(2)",
    "x = __name__",
    "x = __import__(1)",
    "import os",
    "import numpy",
    "import numpy as npx",
    "import math as m",
    "import math, os",
    " import math",
    "from math import exp",
    "x = a; y = b",
    "x = `a`",
    "x = 'a'",
    "x = ~a",
    "x = a | b",
    "x = a ^ b",
    'x = f"{open(1)}"',
    'x = b"a"',
    'x = "a\\"',
    'x = "',
    '"""a\\"""',
    "x = a\\\n+ b",
    "@a\ndef f():\n    pass",
    "x = 1\x01",
    "x = $a",
    "def  open(a):\n    return a\nopen(1)",
    " def open(a):\n    return a\nopen(1)",
    "x = __1a",
]


@pytest.mark.parametrize("source", PLAIN)
def test_arithmetic_is_plain(source: str) -> None:
    assert tokens.plain(HEAD + source + "\n", ["one", "two"]) is True
    ast.parse(HEAD + source)


@pytest.mark.parametrize("source", HARMFUL)
def test_anything_else_is_not_plain(source: str) -> None:
    assert tokens.plain(HEAD + source + "\n", ["one", "two"]) is False
    assert tokens.plain(source, ["one", "two"]) is False
    assert tokens.plain(f"{HEAD}x = 1\n{source}\ny = 2\n", ["one"]) is False


def test_words_of_the_language() -> None:
    """No keyword that defines, leaves, waits or deletes; the rest of the language is not needed."""
    refused = {"class", "lambda", "global", "nonlocal", "async", "await", "yield", "del", "while",
               "assert", "raise", "from", "import"}  # fmt: skip
    for word in keyword.kwlist:
        if word in refused:
            assert not tokens.plain(f"x = 1\n{word} a\n", []), word


def test_what_is_plain_passes_the_check_of_its_tree() -> None:
    """The quick check never lets through what the slow one refuses."""
    for source in PLAIN:
        if "one(" not in source:
            bare = "".join(f"{f} = math.{f}\n" for f in dir(math) if not f.startswith("_"))
            safety.check(HEAD + bare + source)
    for source, _ in SPECIAL:
        assert not tokens.plain(HEAD + source + "\n", safety.CALLED), source


def test_the_functions_of_mathematics_may_be_called() -> None:
    for name in dir(math):
        assert tokens.plain(f"x = {name}(1)\n", []) is not name.startswith("_")
    for name in ("eval", "exec", "open", "compile", "getattr", "print", "input", "abs"):
        assert not tokens.plain(f"x = {name}(1)\n", [])


def test_lines_that_differ_in_digits_count_once() -> None:
    lines = [f"v{k} = v{k - 1}*2.5" for k in range(1, 200)]
    assert tokens._kinds("\n".join(lines)) == "v0 = v0*0.0"
    assert tokens._kinds("a\nb\na") == "a\nb"
    assert tokens._kinds("a\n  (b)\n.c") == "a(b).c"
    for text in ("a1b22c333", "0", "1000000", "x", "10.01"):
        import re

        assert tokens._digits(text) == re.sub(r"\d+", "0", text)


# -- training modules ------------------------------------------------------------------------

ALLOWED = [
    "import argparse", "import csv, math, os, sys", "import zipfile, zlib", "import numpy as np",
    "raise x", "y = __name__, __doc__", "y = os.path.exists(x)", "os.replace(x, y)",
    "y = sys.argv, sys.stdout", "sys.exit(1)", "y = zlib.crc32(x)", "y = zipfile.BadZipFile",
    "y = csv.reader(x), csv.Error", "y = argparse.ArgumentParser()", "y = x.anything(1)",
    "y = np.random.default_rng(0)", "y = np.linalg.svd(x), np.linalg.inv(x)", "y = open(x)",
    "y = np.load(x, allow_pickle=False)", "y = np.load(mmap_mode=None, allow_pickle=False)",
    "y = np.argwhere(x), np.any(x), np.bincount(x), np.column_stack(x), np.isin(x, y)",
    "y = np.median(x), np.ndarray, np.quantile(x, 0.5), np.repeat(x, 2), np.searchsorted(x, y)",
    "np.savetxt(x, y)\nnp.savez(x, y)", "y = np.shape(x), np.size(x), np.sort(x), np.split(x, 2)",
    "y = np.unique(x), np.exp(x), np.zeros(3), math.exp(1.0)", "y = x.median.fromfile(1)",
    "y = x.random.rand(1)",
]  # fmt: skip
DENIED = [
    ("import subprocess", "an import"), ("import os, socket", "an import"),
    ("from os import path", "ImportFrom"), ("from numpy import exp", "ImportFrom"),
    ("y = lambda: 1", "Lambda"), ("class A: pass", "ClassDef"), ("del x", "Delete"),
    ("while x: pass", "While"), ("def f():\n    global x", "Global"), ("assert x", "Assert"),
    ("def f():\n    yield x", "Yield"), ("async def f(): pass", "AsyncFunctionDef"),
    *((f"y = {name}", name) for name in (
        "eval", "exec", "compile", "getattr", "setattr", "globals", "locals", "vars", "input",
        "breakpoint", "__import__", "type", "delattr", "__builtins__", "__loader__", "__file__",
        "__x")),
    ("y = x.__class__", "the attribute __class__"), ("y = x._private", "the attribute _private"),
    ("y = os.system(x)", "the attribute system"), ("y = os.remove(x)", "the attribute remove"),
    ("y = sys.modules", "the attribute modules"),
    ("y = zlib.decompress(x)", "the attribute decompress"),
    ("y = zipfile.ZipFile(x)", "the attribute ZipFile"),
    ("y = csv.writer(x)", "the attribute writer"),
    ("y = argparse.FileType(x)", "the attribute FileType"),
    ("y = np.fromfile(x)", "the attribute fromfile"),
    ("y = np.random.rand()", "the attribute rand"),
    ("y = np.linalg.norm(x)", "the attribute norm"), ("y = f(1)(2)", "a computed call"),
    ("y = x[0](1)", "a computed call"), ("y = np.lib", "the attribute lib"),
    ("y = np.load(x)", "a call of load that could unpickle"),
    ("y = np.load(x, allow_pickle=True)", "a call of load that could unpickle"),
    ("y = np.load(x, allow_pickle=0)", "a call of load that could unpickle"),
    ("y = np.load(x, allow_pickle=x)", "a call of load that could unpickle"),
    ("y = np.load(x, pickle=False)", "a call of load that could unpickle"),
    ("y = z.load(x)", "a call of load that could unpickle"),
]  # fmt: skip


@pytest.mark.parametrize("line", ALLOWED)
def test_what_training_modules_need_passes(line: str) -> None:
    source = f"import numpy as np\n{line}\n"
    assert training.check(source) is source


@pytest.mark.parametrize(("line", "fault"), DENIED)
def test_anything_else_in_a_training_module_is_named(line: str, fault: str) -> None:
    for source in (f"{line}\n", "if x:\n    " + line.replace("\n", "\n    ")):
        with pytest.raises(SymgradError) as caught:
            training.check(source)
        assert caught.value.message == f"the training module contains {fault}; please report this"

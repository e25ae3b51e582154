"""What generated modules may use of NumPy: a list, as short as what is emitted."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest

import symgrad
from symgrad.codegen import safety, tokens
from symgrad.errors import SymgradError
from symgrad.train.module import safety as training

PACKAGE = Path(symgrad.__file__).parent
HEAD = "import math\nimport numpy as np\n"
PLANTED = ["np.load('a')", "np.save('a', x)", "np.savez('a', x)", "np.fromfile(x)", "np.lib",
           "np.frombuffer(x)", "np.f2py.compile(x)", "np.lib.format.open_memmap(x)", "np._core",
           "np.ctypeslib.load_library(x)", "np.memmap('a')", "np.genfromtxt(x)", "np.loadtxt(x)",
           "np.frompyfunc(f, 1, 1)", "np.vectorize(f)", "np.apply_along_axis(f, 0, x)", "m.load(x)",
           "np.random.rand()", "np.linalg.norm(x)", "np.testing.measure('x')", "np.fromstring(x)",
           "np.exp.at(x, 1)", "math.nosuch(x)", "np.__builtins__", "np.linalg.inv.x"]  # fmt: skip
TRAINING = ["np.fromfile(x)", "np.lib.format.open_memmap(x)", "np.f2py.compile(x)",
            "np.memmap('a')", "np.load('a')", "np.load('a', allow_pickle=True)",
            "np.load('a', allow_pickle=x)",
            "np.ctypeslib.load_library(x)", "np.random.rand()", "np.frompyfunc(f, 1, 1)",
            "np.save('a', x)", "np.linalg.norm(x)"]  # fmt: skip


@pytest.mark.parametrize("text", PLANTED)
def test_planted_calls_are_refused(text: str) -> None:
    source = f"{HEAD}x = 1\ny = {text}\n"
    with pytest.raises(SymgradError, match="the generated module contains"):
        safety.check(source)
    assert not tokens.plain(source, safety.CALLED)


@pytest.mark.parametrize("text", TRAINING)
def test_planted_calls_in_training_modules_are_refused(text: str) -> None:
    with pytest.raises(SymgradError, match="the training module contains"):
        training.check(f"{HEAD}x = 1\ny = {text}\n")


def test_what_is_needed_passes() -> None:
    source = f"{HEAD}y = np.exp(np.where(x, 1, np.inf)) + np.add.reduce(x) + math.pi\n"
    safety.check(source)
    training.check(source + "z = np.load('a', allow_pickle=False), np.random.default_rng(0)\n")
    assert tokens.plain(f"{HEAD}y = np.log1p(x) + np.where(x, 1, 0)\n", ())


def test_the_list_is_no_longer_than_what_is_emitted() -> None:
    """Every name stands in a text of the operators or the code generators; ufuncs need none."""
    texts: list[str] = []
    for folder in ("ops", "codegen"):
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            texts += [n.value for n in ast.walk(tree)
                      if isinstance(n, ast.Constant) and isinstance(n.value, str)]  # fmt: skip
    emitted = set(re.findall(r"\w+", "\n".join(t for t in texts if t not in tokens.ARRAYS)))
    # the width of a whole number is filled in: np.int{32}
    assert [n for n in tokens.ARRAYS if n not in emitted and n != "int32"] == []
    assert not [n for n in tokens.ARRAYS if isinstance(getattr(np, n), np.ufunc)]

"""Long straight programs of numbers run in parts: the values of one function, in less memory."""

import math
import pickle
import random
import re
from functools import partial
from typing import Any

import pytest

import symgrad as sg
from symgrad.codegen import safety, tokens
from symgrad.codegen.compile import Compiled
from symgrad.codegen.fast import pool, scalar, scalar_parts, scalar_sweep
from tests.codegen.test_scalar import agree, dag, fast


def parts(monkeypatch: pytest.MonkeyPatch, size: int = 17) -> None:
    """Cut programs of more than 40 operations into parts of so many lines, with few slots."""
    monkeypatch.setattr(scalar_sweep, "LONGEST", 40)
    monkeypatch.setattr(scalar, "cut", partial(scalar_parts.cut, size=size))
    monkeypatch.setattr(scalar_parts, "SLOTS", 30)
    monkeypatch.setattr(pool, "LONG", 1000)


def same(one: Compiled, other: Compiled, at: dict[str, float]) -> None:
    """Compare bit for bit."""
    assert repr(one(**at)) == repr(other(**at))


@pytest.mark.parametrize("seed", range(8))
def test_parts_compute_what_one_function_does(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = dag(400, seed)
    whole = fast(text)
    parts(monkeypatch, (1, 17, 100)[seed % 3])
    cut = fast(text)
    assert "\ndef _part1(m, " in cut.program and "_part" not in whole.program
    assert scalar_parts.carried(cut.program) and not scalar_parts.carried(whole.program)
    r = random.Random(seed)
    for _ in range(3):
        same(cut, whole, {n: r.uniform(-1.5, 1.5) for n in whole.inputs})
    space: dict[str, Any] = {"__name__": "module"}
    exec(cut.source, space)  # in one piece, as from a file
    at = {n: 0.3 for n in whole.inputs}
    assert repr(space["value_and_grad"](**at)) == repr(whole(**at))
    same(pickle.loads(pickle.dumps(cut)), whole, at)


@pytest.mark.parametrize("x", [1e3, -1e3, 0.0, math.inf, math.nan])
def test_where_math_raises_parts_run_over_numpy(x: float, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"u = exp(a0) + 1/a0 + max(a0, 0)\n{dag(60, 3)} + u"
    whole = fast(text)
    parts(monkeypatch)
    same(fast(text), whole, {n: x if n == "a0" else 0.5 for n in whole.inputs})


def test_parts_of_many_inputs_and_of_no_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    r = random.Random(0)
    lines = [f"u{k} = {r.choice(('sin', 'cos', 'tanh'))}(x{k}*{r.random()}) + "
             f"{'u' + str(r.randrange(k)) if k else 'x0'}" for k in range(100)]  # fmt: skip
    text = "\n".join([*lines, "L = " + "*".join(f"u{k}" for k in range(100))])
    whole, plain = fast(text), fast(text, [])
    parts(monkeypatch)
    at = {n: 0.5 + k / 1000 for k, n in enumerate(whole.inputs)}
    cut = fast(text)
    assert "_part1(m, x, o0" in cut.program
    same(cut, whole, at)
    same(fast(text, []), plain, at)
    agree(cut, text, at, 2**14)


def test_names_of_inputs_do_not_clash_with_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    parts(monkeypatch)
    names = ("o0", "o", "_part0", "Values", "e1", "s", "o_1")
    text = f"{dag(300, 1)} + " + " + ".join(f"{n}*sin({n})" for n in names)
    at = dict.fromkeys(sg.compile(text).inputs, 0.3)
    cut = fast(text)
    assert "\ndef _part_1(m, " in cut.program and "o__0.e1" in cut.program
    agree(cut, text, at, 2**14)


def test_parts_are_checked_before_they_run(monkeypatch: pytest.MonkeyPatch) -> None:
    parts(monkeypatch)
    made = scalar.write(sg.parse(dag(400, 0)))
    assert made is not None and len(made.source) > tokens.LONG
    bare = scalar_parts.without(made.source)
    assert tokens.plain(bare, safety.CALLED) and safety.check(bare[:1000].partition("\n\n\ndef")[0])
    for bad in ("import os", "x = o0.f1", "x = p0.e1", "x = o0.e1.real", "x = o0.__class__",
                "class Other:\n    pass", "open(o0.e1)"):  # fmt: skip
        with pytest.raises((sg.SymgradError, SyntaxError)):
            pool.executed(f"{made.source}\n{bad}\n")
    assert isinstance(safety.check("x = o0.e1 + o_1.e23"), object)
    with pytest.raises(sg.SymgradError):
        safety.check("x = o0.f1")


def test_float32_runs_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    text = dag(400, 5)
    whole = sg.compile(text, dtype="float32")
    parts(monkeypatch)
    cut = sg.compile(text, dtype="float32")
    assert "_part1" in cut.program
    same(cut, whole, dict.fromkeys(whole.inputs, 0.7))


def test_a_random_program_of_many_lines_is_cut() -> None:
    """Each line is an operation of names chosen at random, so nothing repeats."""
    r = random.Random(2)
    names = ["x", "y"]
    lines = []
    for k in range(12_000):
        p, q = names[-1], r.choice(names)
        right = r.choice((f"{p} + {q}", f"{q} - {p}", f"{p}*{q}", f"sin({p})", f"tanh({p})"))
        lines.append(f"b{k} = {right}")
        names.append(f"b{k}")
    f = sg.compile("\n".join(lines))
    found = f.program.count("\ndef _part")
    assert found == -(-len(re.findall(r"\n    o\d+\.", f.program)) // scalar_parts.SIZE) > 3
    assert "for k in" not in scalar_parts.without(f.program.split("def value_and_grad(")[0])
    agree(f, "\n".join(lines), {"x": 0.4, "y": 0.2}, 2**20)


def test_adjoints_take_the_slots_of_values_that_nothing_needs() -> None:
    """Each line is kept for the way back; the adjoints find room where it has been."""
    r = random.Random(3)
    lines = ["b0 = sin(x)"]
    for k in range(1, 11_000):
        lines.append(f"b{k} = {r.choice(('sin', 'cos', 'tanh'))}(b{k - 1})*b{r.randrange(k)}")
    f = sg.compile("\n".join(lines))
    slots = len(set(re.findall(r"\bo\d+\.e\d+", f.program)))
    assert 1.5 * slots < len(re.findall(r"\n    o\d+\.", f.program))
    assert f.program.count(" = Values()") == -(-slots // scalar_parts.SLOTS)
    agree(f, "\n".join(lines), {"x": 0.4}, 2**20)

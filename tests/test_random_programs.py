"""All ways to a number agree on random programs; hostile texts give errors of symgrad's own.

The generator, the checks and the other libraries are in tests/programs. More of both by hand:
`python tests/fuzz.py --help`. A failure names its seed.
"""

import argparse
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

import symgrad as sg
from symgrad.ops import OPS
from tests import fuzz
from tests.programs import Program, place, program, programs
from tests.programs.checks import Checks, Disagreement, check, special
from tests.programs.peer import Extended
from tests.programs.texts import hunt, smaller, tried

COUNT, GROUP = 500, 50
quiet = pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")


@quiet
@pytest.mark.no_cover
@pytest.mark.parametrize("first", range(0, COUNT, GROUP))
def test_all_ways_to_a_number_agree(first: int) -> None:
    reasons = []
    for seed in range(first, first + GROUP):
        p = program(seed)
        try:
            reasons.append(check(p, quick=True))
        except Exception as error:
            raise AssertionError(f"python tests/fuzz.py --seed {seed} --n 1\n{p.text}") from error
    assert reasons.count("") > GROUP * 4 // 5


@quiet
@pytest.mark.parametrize("seed", [0, 21, 31, 37, 47, 64])
def test_some_programs_in_all_ways(seed: int) -> None:
    """Measured: every check runs, whatever its turn."""
    c = Checks(program(seed, nasty=False, scalar=True))
    for step in (c.closed, c.single, c.graphs, c.steps, c.pictures, c.differences, c.truth):
        step()
    for style in ("readable", "fast"):
        c.code(style, True)


@quiet
@settings(
    max_examples=25, derandomize=True, deadline=None, database=None,
    suppress_health_check=list(HealthCheck), print_blob=False,
)  # fmt: skip
@given(programs())
def test_programs_of_hypothesis(drawn: Program) -> None:
    check(drawn, quick=True)


@quiet
@pytest.mark.no_cover
def test_points_where_arithmetic_breaks() -> None:
    reasons = [special(program(seed)) for seed in range(60)]
    assert reasons.count("") > 30


def test_every_operator_that_can_be_typed_occurs() -> None:
    """A row that is elementwise, a reduction or a loss is drawn by itself; others need a form."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = dict.fromkeys(n.op for seed in range(700) for n in _order(program(seed)))
    own = [r.name for r in OPS.values() if not r.hidden and "symgrad" not in r.place]
    assert [name for name in own if name not in found] == []


def _order(p: Program) -> Any:
    return sg.parse(p.text).order()


def test_a_seed_says_everything() -> None:
    first, again = program(11), program(11)
    assert first == again and first.text != program(12).text
    assert all(
        np.array_equal(a, b)
        for a, b in zip(place(first).values(), place(again).values(), strict=True)
    )


# -- the checks and the fuzzer themselves ----------------------------------------------------------


def test_a_wrong_value_of_another_library_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Extended, "tanh", lambda self, x: np.tanh(x) * 1.0001)
    p = Program("x: param\nloss = tanh(x)*x", {"x": ("param", ())})
    with pytest.raises(Disagreement, match="extended value"):
        Checks(p).differences()


def test_a_wrong_rule_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    p = Program("x: param\nloss = tanh(x)*x", {"x": ("param", ())})
    c = Checks(p)
    c.differences()
    c.grads["x"] = c.grads["x"] * 1.001
    with pytest.raises(Disagreement, match="extended gradient"):
        c.differences()
    with pytest.raises(Disagreement, match="exact gradient"):
        c.truth()
    with pytest.raises(Disagreement, match="fast gradient"):
        c.code("fast")


def test_a_failure_is_made_small_and_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    def broken(p: Program, other: Any, quick: bool = False) -> str:
        if any(n.op == "cumsum" for n in sg.parse(p.text).order()):
            raise Disagreement("planted", "cumsum")
        return ""

    monkeypatch.setattr(fuzz, "check", broken)
    seed = next(s for s in range(500) if "cumsum" in program(s, nasty=False).text)
    monkeypatch.setattr(fuzz, "program", lambda s: program(s, nasty=False))
    monkeypatch.setattr(fuzz, "SHOWN", set())
    options = argparse.Namespace(n=1, seed=seed, jobs=1, against="none", special=False, time=0,
                                 out=str(tmp_path), verbose=False)  # fmt: skip
    assert fuzz.programs(options) == 1
    shown = capsys.readouterr().out
    assert f"# seed {seed}: planted" in shown and "1 failures of 1 sorts" in shown
    text = shown.partition('text = """')[2].partition('"""')[0]
    assert "cumsum" in text and len(text) < len(program(seed, nasty=False).text)
    assert (tmp_path / f"{seed}.txt").exists()


# -- texts -----------------------------------------------------------------------------------------


@pytest.mark.no_cover
def test_hostile_texts_give_errors_with_a_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert hunt(1, 0, "", most=2500) == 0, capsys.readouterr().out


def test_what_the_parser_must_not_raise_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str) -> None:
        if "tanh" in text:
            raise KeyError(text)

    monkeypatch.setattr(sg, "parse", broken)
    what = tried("y = tanh(x) + 1")
    assert what.startswith("KeyError") and smaller("y = tanh(x) + 1", what) == "tanh"

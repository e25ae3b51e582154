"""Every textbook gradient comes out right, and as short as the textbook has it."""

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

SPEC = importlib.util.spec_from_file_location("formulas_run", Path(__file__).with_name("run.py"))
assert SPEC is not None and SPEC.loader is not None
run = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = run
SPEC.loader.exec_module(run)

ROWS = {row["id"]: row for row in run.rows()}

# Longer than the textbook's by more than one operation, or a fifth.
KNOWN = {
    "fork.t": "x and y have names, which stay: 3 x + 2 y t, not 9 t^2",
    "typed.rms.rows.g": "a row over its root mean square has no name, as x_hat has",
    "fin.delta": "that S phi(d1) is K e^(-r T) phi(d2), so that they cancel, is not seen",
    "typed.cs231n": "the gates sigma(x), sigma(y) of the program have no names",
}


@pytest.mark.parametrize("name", ROWS)
def test_textbook(name: str) -> None:
    found = run.judge(ROWS[name])
    assert not found.error, found.error
    assert found.right, found.formula
    if name in KNOWN:
        assert not found.short, f"{name} is as short as the textbook now: take it out of KNOWN"
    else:
        assert found.short, f"{found.operations} operations: {found.formula}"


def test_rows_are_complete() -> None:
    cases: list[dict[str, Any]] = json.loads(run.OWN.read_text("utf8"))["cases"]
    assert len(cases) == len(ROWS), "an id stands twice"
    for case in cases:
        assert case["latex"] and case["topic"] and case["operations"] >= 0


def test_a_wrong_row_is_found() -> None:
    wrong = {**ROWS["power.x"], "numpy": "2*x**2"}
    assert not run.judge(wrong).right
    assert run.judge({**wrong, "program": "L = tahn(x)"}).error


def test_size() -> None:
    row = {**ROWS["power.x"], "operations": 10}
    assert run.Verdict(row, operations=12).short
    assert not run.Verdict(row, operations=13).short

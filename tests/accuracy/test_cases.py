"""Every formula of the table is right as it is typed, or is known to fail."""

import json
from typing import Any

import judge
import mpmath
import numpy as np
import pytest
from cases import CASES, Case

KNOWN: dict[str, str] = {}
KNOWN_ACCURATE: dict[str, str] = {}


def outcome(case: Case, accurate: bool, known: dict[str, str]) -> None:
    """Fail if the case does, unless that is known; fail if a known fault is gone."""
    failures = list(judge.run(case, accurate))
    if case.text in known:
        assert failures, f"this works now: take it out of the list ({known[case.text]})"
    else:
        assert not failures, "\n".join(map(str, failures[:5]))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.text)
def test_as_typed(case: Case) -> None:
    outcome(case, False, KNOWN)


@pytest.mark.skipif(not judge.ACCURATE, reason="sg.compile knows no accurate=")
@pytest.mark.parametrize("case", filter(judge.operator, CASES), ids=lambda case: case.text)
def test_operators_with_accurate(case: Case) -> None:
    outcome(case, True, KNOWN_ACCURATE)


def test_the_table_is_as_large_as_it_says() -> None:
    texts = [case.text for case in CASES]
    assert len(set(texts)) >= 500
    assert set(KNOWN) | set(KNOWN_ACCURATE) <= set(texts)


def test_stored_truths_are_true() -> None:
    """The file saves time, no more: what it says can be computed, here for every 40th."""
    kept = judge.stored()
    for key in sorted(kept)[::40]:
        text, _, point = key.rpartition(" @ ")
        at = {name: np.asarray(v) for name, v in json.loads(point).items()}
        expected = judge.write(judge.computed(text, at))
        assert same(kept[key], expected), key


def same(a: Any, b: Any) -> bool:
    """Compare what is stored, to 20 digits."""
    if isinstance(a, str):
        with mpmath.workdps(30):
            x, y = mpmath.mpf(a), mpmath.mpf(b)
            return bool(x == y or abs(x - y) <= abs(y) * mpmath.mpf("1e-20"))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return bool(a == b)

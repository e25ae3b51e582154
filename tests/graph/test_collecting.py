"""While many nodes are made, Python does not look for cycles; nor right behind that."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from symgrad.graph import collecting, uncollected


@pytest.fixture
def searches() -> Iterator[list[int]]:
    """List the generations that are searched."""
    found: list[int] = []

    def note(phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            found.append(info["generation"])

    gc.collect()
    gc.callbacks.append(note)
    yield found
    gc.callbacks.remove(note)


def test_what_was_made_is_not_searched_through(searches: list[int]) -> None:
    with uncollected():
        made = [[k] for k in range(3 * collecting.MANY)]
    more = [[k] for k in range(100)]
    assert gc.isenabled() and not searches and len(made) + len(more) > 0
    assert gc.get_freeze_count() == 0
    made[0].append(made)  # type: ignore[arg-type]
    del made
    assert gc.collect() > 0  # a cycle is found by the next full search


def test_what_an_application_has_frozen_stays_so(searches: list[int]) -> None:
    gc.freeze()
    try:
        count = gc.get_freeze_count()
        with uncollected():
            made = [[k] for k in range(3 * collecting.MANY)]
        assert 0.9 * count < gc.get_freeze_count() <= count and made
    finally:
        gc.unfreeze()
    assert len(searches) < 3

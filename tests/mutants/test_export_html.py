"""Which pages get the arithmetic of their numbers: those of views that a script can follow."""

from types import SimpleNamespace
from typing import Any

import pytest

from symgrad.diagram import page
from symgrad.diagram.export import html


@pytest.mark.parametrize("renderer", ["scene", "tree"])
@pytest.mark.parametrize("view", [*html.FOLLOW, "layers", ""])
def test_only_views_that_a_script_can_follow_get_their_arithmetic(
    renderer: str, view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "document", lambda *given: repr(given))
    diagram: Any = SimpleNamespace(scene=1, drawing=2, decimals=3, arithmetic="sums",
                                   renderer=renderer, view=view)  # fmt: skip
    wanted = "sums" if renderer == "scene" and view in html.FOLLOW else ""
    assert html.export(diagram) == repr((1, 2, 3, wanted)).encode()

"""The page of optimisers and schedules is what the rows say today."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).parents[2]


def load() -> ModuleType:
    path = ROOT / "examples" / "make_optimizer_table.py"
    spec = importlib.util.spec_from_file_location("make_optimizer_table", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_page_is_up_to_date() -> None:
    written = (ROOT / "docs" / "optimizers.md").read_text(encoding="utf-8")
    assert load().page() == written, "python examples/make_optimizer_table.py"


def test_example_of_the_page_runs(capsys: Any) -> None:
    first, printed = re.findall(r"```(?:python|text)\n(.*?)```", load().page(), re.DOTALL)
    exec(first, {})
    assert capsys.readouterr().out.strip() == printed.strip()

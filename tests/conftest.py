"""Shared fixtures: golden files."""

import difflib
from collections.abc import Callable
from pathlib import Path

import pytest

collect_ignore = ["benchmarks"]
GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --update, which writes the golden files anew."""
    parser.addoption("--update", action="store_true", help="write the golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return compare(name, text): text must equal the file tests/golden/<name>."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        expected = path.read_text(encoding="utf-8") if path.exists() else ""
        if text != expected:
            parts = (expected.splitlines(True), text.splitlines(True))
            diff = "".join(difflib.unified_diff(*parts, f"golden/{name}", "now"))
            pytest.fail(f"{diff}\nif this is right: pytest --update", pytrace=False)

    return compare

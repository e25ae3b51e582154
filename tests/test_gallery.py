"""The generated pages of docs/ are what is generated today: the gallery."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SCRIPT = ROOT / "examples" / "make_gallery.py"


@pytest.fixture(scope="module")
def gallery() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_gallery", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(gallery: ModuleType) -> dict[str, str]:
    return gallery.pages()


def test_the_committed_gallery_is_up_to_date(pages: dict[str, str]) -> None:
    stale = [n for n, text in pages.items() if (DOCS / n).read_bytes() != text.encode()]
    assert stale == [], "run: python examples/make_gallery.py"


def test_no_picture_is_left_over(pages: dict[str, str]) -> None:
    present = {f"pictures/{path.name}" for path in (DOCS / "pictures").glob("*.svg")}
    assert present == pages.keys() - {"gallery.md"}


def test_every_picture_is_shown_once_and_well_formed(pages: dict[str, str]) -> None:
    shown = re.findall(r"\]\((pictures/\w+\.svg)\)", pages["gallery.md"])
    assert sorted(shown) == sorted(pages.keys() - {"gallery.md"})
    for name in shown:
        assert ElementTree.fromstring(pages[name]).tag.endswith("svg")


def test_a_second_run_writes_the_same(
    gallery: ModuleType, pages: dict[str, str], tmp_path: Path
) -> None:
    gallery.main(tmp_path)
    for name, text in pages.items():
        assert (tmp_path / name).read_bytes() == text.encode()

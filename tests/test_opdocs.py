"""Pages of operators: what they say, and that docs/ holds what is generated today.

Pictures are not compared byte for byte, since another version of matplotlib may place a label
differently: they are there, well formed, and none is left over. tests/plots compares two runs.
"""

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import numpy as np
import pytest

import symgrad as sg
from symgrad import opdocs
from symgrad.curve import one_variable
from symgrad.formula import Formula
from symgrad.opdocs.accuracy import DTYPES, MODES, figure, measured, said
from symgrad.opdocs.closed import closed
from symgrad.ops import OPS, Op

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SHOWN = opdocs.shown()
HEADING = re.compile(r"^## (\w+)$", re.MULTILINE)


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "examples" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def name_of(row: Op) -> str:
    return row.name


# -- what a page says ------------------------------------------------------------------------


@pytest.mark.parametrize("row", SHOWN, ids=name_of)
def test_a_page_says_everything(row: Op) -> None:
    page = opdocs.page(row.name)
    for part in (opdocs.signature(row), row.doc, row.source, row.place, row.formula):
        assert part in page
    assert re.search(r"f′\(|∂[fL]/∂|derivative: ", page)
    assert "None" not in re.sub(r"=None|, None\]", "", page), "internal values are not for readers"
    assert not re.search(r"\bnan\b", page)
    if one_variable(row):
        for what in (
            "domain",
            "range",
            "max |f′|",
            "|f′| < 0.001",
            "zero-centred",
            "can die",
            "monotone",
        ):
            assert f"  {what}:" in page
        assert ("LaTeX:" in page and "LaTeX " in page) or row.zero


def test_textbook_pages() -> None:
    sigmoid, relu, swish = (opdocs.page(name) for name in ("sigmoid", "relu", "swish"))
    assert "σ(x)(1 − σ(x))" in sigmoid and r"\sigma(x)\, (1 - \sigma(x))" in sigmoid
    assert r"\sigma(x) = \frac{1}{1 + e^{-x}}" in sigmoid and "0.25 at x = 0" in sigmoid
    assert "yes: f′ = 0 on (−∞, 0]" in relu and "taken as 0" in relu
    assert "∂f/∂β" in swish and "β = 1" in swish


def test_operators_of_arrays_are_derived_on_arrays() -> None:
    entropy, product = opdocs.page("cross_entropy"), opdocs.page("matmul")
    assert "(P − e_y)/N where P = softmax(S)" in entropy
    assert "G bᵀ" in product and "aᵀ G" in product and "G = ∂L/∂f" in product


def test_a_loss_is_differentiated_by_its_prediction_alone() -> None:
    found = closed(OPS["mse"])
    assert found and list(found.gradients) == ["a"]
    assert found.plain_slope("a") == "2(a − b)"


@pytest.mark.parametrize("row", [r for r in SHOWN if not r.zero], ids=name_of)
def test_what_cannot_be_derived_shows_the_rule(row: Op) -> None:
    found = closed(row)
    if found is None:
        assert (
            row.call
            or any(callable(v) for v in row.params.values())
            or "derivative:" in (opdocs.page(row.name))
        )
    else:
        assert all(isinstance(f, Formula) for f in found.gradients.values())


def test_a_new_activation_has_a_page_with_facts(registries: None) -> None:
    sg.activation("bump", "exp(-abs(a))")
    page = opdocs.page("bump")
    assert "(0, 1]" in page and "goes from 1 to −1" in page
    assert "`bump(a)`" in opdocs.table() and "#bump" not in opdocs.table()
    sg.ops.OPS.pop("bump")
    sg.activation("bump", "relu(a - 2)")  # another row of the same name: nothing is remembered
    assert "yes: f′ = 0 on (−∞, 2]" in opdocs.page("bump")


# -- what is committed -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    pytest.importorskip("matplotlib", reason="needs the extra `plots`")
    return script("make_operator_pages")


def test_the_committed_pages_are_up_to_date(maker: ModuleType) -> None:
    stale = [n for n, text in maker.texts().items() if (DOCS / n).read_bytes() != text.encode()]
    assert stale == [], "run: python examples/make_operator_pages.py"


def test_no_page_is_left_over(maker: ModuleType) -> None:
    present = {f"operators/{path.name}" for path in (DOCS / "operators").iterdir()}
    assert present == {n for n in maker.texts() if n.startswith("operators/")}


def test_pictures_are_there_and_none_is_left_over(maker: ModuleType) -> None:
    present = {path.stem for path in (DOCS / "pictures" / "operators").iterdir()}
    assert present == set(maker.pictured()), "run: python examples/make_operator_pages.py"
    for name in sorted(present):
        text = (DOCS / "pictures" / "operators" / f"{name}.svg").read_text(encoding="utf-8")
        assert ElementTree.fromstring(text).tag.endswith("svg")


def test_only_what_has_changed_is_written(maker: ModuleType, tmp_path: Path) -> None:
    maker.write(tmp_path, "operators/a.md", "1")
    stamp = (tmp_path / "operators" / "a.md").stat().st_mtime_ns
    maker.write(tmp_path, "operators/a.md", "1")
    assert (tmp_path / "operators" / "a.md").stat().st_mtime_ns == stamp
    maker.write(tmp_path, "operators/a.md", "2")
    assert (tmp_path / "operators" / "a.md").read_text() == "2"


def test_every_link_of_the_table_leads_to_a_heading() -> None:
    pages = {
        f"operators/{name}": set(HEADING.findall(text)) for name, text in opdocs.pages().items()
    }
    links = re.findall(r"\]\((operators/\w+\.md)#(\w+)\)", opdocs.table())
    assert len(links) == len(SHOWN)
    for page, anchor in links:
        assert anchor in pages[page]


def test_pages_show_pictures_that_exist() -> None:
    for text in opdocs.pages().values():
        for target in re.findall(r"\]\(\.\./(pictures/operators/\w+\.svg)\)", text):
            assert (DOCS / target).is_file()


# -- measured accuracy -----------------------------------------------------------------------


def test_figures_are_there_for_every_operator() -> None:
    names = {row.name for row in SHOWN if one_variable(row)}
    assert names == set(measured()) - {"_how"}, "run: python examples/make_accuracy_table.py"
    for name in names:
        for dtype in DTYPES:
            for mode in MODES:
                near_f, near_s, all_f, all_s = (
                    float("inf") if v is None else v for v in measured()[name][dtype][mode]
                )
                assert 0 <= near_f <= all_f and 0 <= near_s <= all_s


def test_the_page_of_accuracy_is_made_of_the_figures() -> None:
    assert (DOCS / "accuracy.md").read_text(encoding="utf-8") == opdocs.accuracy()
    text = json.dumps(measured()["sigmoid"]["float64"]["accurate"])
    assert all(figure(v) in opdocs.accuracy() for v in json.loads(text))
    assert set(said(OPS["sigmoid"])) == {"ulp, |x| ≤ 5", "ulp, all x"} and said(OPS["add"]) == {}


@pytest.mark.parametrize("name", ["sigmoid", "softsign", "sqrt"])
def test_measuring_again_gives_the_same_but_for_the_machine(name: str) -> None:
    fresh, kept = script("make_accuracy_table").measure(name), measured()[name]
    for dtype in DTYPES:
        for mode in MODES:
            for now, then in zip(fresh[dtype][mode], kept[dtype][mode], strict=True):
                assert (now is None) == (then is None)
                assert now is None or then is None or (now <= 2 * then + 2 and then <= 2 * now + 2)


def test_a_wrong_figure_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that is off by 2**-40 measures as about 2**12 ulp."""
    maker = script("make_accuracy_table")
    call = maker.Code.__call__

    def wrong(self: object, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        f, s = call(self, x)
        return f * (1 + 2.0**-40), s

    monkeypatch.setattr(maker.Code, "__call__", wrong)
    near_f, near_s, *_ = maker.measure("softsign")["float64"]["default"]
    assert 2**11 < near_f < 2**14 and near_s < 8

"""Plots and report of a training: what they show, what they survive, that no page can act."""

import base64
import builtins
import math
import re
import sys
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import symgrad as sg

pytest.importorskip("matplotlib", reason="needs the extra `plots`")
from symgrad.plots.report import report
from symgrad.plots.series import cleaned
from symgrad.plots.tables import confusion, key_numbers, shown
from symgrad.plots.training import MOST, curves, gradients, histograms, idle, percentiles
from symgrad.train.diagnostics import Finding, Summary, Timeline, Watch, equations

TEXT = """X: data[N, D]; t: labels[N, C]
W: param[D, H]; V: param[H, C]
h = relu(X @ W)
s = h @ V
loss = cross_entropy(s, t)"""
LAYERED = (gradients, idle, histograms, percentiles)


def watched(records: int = 3, scale: float = 1.0, text: str = TEXT) -> Timeline:
    rng = np.random.default_rng(0)
    watch = Watch(sg.parse(text), {"X": rng.normal(size=(40, 6)), "t": rng.integers(0, 3, 40)})
    p = {"W": rng.normal(size=(6, 5)), "V": rng.normal(size=(5, 3))}
    for k in range(records):
        before, p = p, {n: v * scale for n, v in p.items()}
        watch.record(k, p, before, epoch=float(k), rate=0.1)
    return watch.timeline


def history(count: int = 4) -> list[dict[str, Any]]:
    return [
        {"epoch": k, "loss": 1 / k, "validation_loss": 1.2 / k, "rate": 0.1,
         "validation_accuracy": 0.9}
        for k in range(1, count + 1)
    ]  # fmt: skip


def summary(**changes: Any) -> Summary:
    metrics = {"epochs": 4, "test_accuracy": 0.91234, "test_loss": 0.25, "train_loss": 0.125,
               "test_confusion": [[5, 1], [0, 4]], "test_precision": [1.0, 0.8],
               "test_recall": [0.5, 1.0]}  # fmt: skip
    given: dict[str, Any] = {
        "title": "Digits", "source": TEXT, "settings": {"rate": 0.1, "clip": None},
        "notes": ["40 rows"], "metrics": metrics, "classes": ["cat", "dog"],
        "history": history(), "timeline": watched(),
        "findings": [Finding("dead units", "h", "error", "all", why="flat", hint="less", line=3)],
        "pictures": {"Layers": sg.diagram(TEXT, view="layers").to_svg()},
        "formulas": equations(sg.gradient(TEXT).values()),
    }  # fmt: skip
    return Summary(**{**given, **changes})


@pytest.mark.parametrize("draw", LAYERED)
@pytest.mark.parametrize(("records", "scale"), [(1, 1.0), (3, 0.0), (3, 1e100)])
def test_plots_of_layers_for_any_numbers(draw: Any, records: int, scale: float) -> None:
    svg = draw(watched(records, scale)).to_svg()
    ElementTree.fromstring(svg)
    assert len(svg) > 5000


def test_curves_for_any_history() -> None:
    assert curves(history(1)).to_svg().startswith("<?xml")
    far = [{"epoch": k, "loss": 10.0**k} for k in range(5)]
    assert "Loss by epoch" in curves(far).to_svg()
    assert curves([{"loss": float("nan")}, {"loss": float("inf")}]).to_svg()
    falling = [{**h, "rate": 0.1 / h["epoch"]} for h in history()]
    assert curves(falling).to_svg() != curves(history()).to_svg()
    for nothing in (lambda: curves([]), lambda: gradients(Timeline())):
        with pytest.raises(sg.UsageError, match="to plot"):
            nothing()


def test_what_is_not_finite_is_left_out() -> None:
    found = cleaned([1.0, math.inf, math.nan, None, -2.0, 0.0])
    assert found.tolist()[0] == 1.0 and np.isnan(found[1:4]).all() and found.tolist()[4:] == [-2, 0]
    assert np.isnan(cleaned([1.0, -2.0, 0.0], True)).tolist() == [False, True, True]


def test_many_layers_have_a_ramp_and_fewer_panels() -> None:
    lines = ["X: data[N, D]; t: labels[N, D]", "h = X"]
    lines += [f"W{k}: param[D, D]; h = tanh(h @ W{k})" for k in range(20)]
    rng = np.random.default_rng(0)
    watch = Watch(sg.parse("\n".join([*lines, "loss = cross_entropy(h, t)"])),
                  {"X": rng.normal(size=(9, 3)), "t": rng.integers(0, 3, 9)})  # fmt: skip
    for k in range(2):
        watch.record(k, {f"W{j}": rng.normal(size=(3, 3)) for j in range(20)})
    for draw in (gradients, histograms):
        assert draw(watch.timeline).to_svg()
    assert len(watch.timeline.last) == 20 > MOST >= 2


@pytest.fixture(scope="module")
def page() -> str:
    return report(summary())


def test_the_same_bytes_again(page: str) -> None:
    assert report(summary()) == page


class Reader(HTMLParser):
    """Check that elements are closed in order, and collect what may act."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named: Mapping[str, str | None] = dict(attrs)
        self.found += [tag] if tag in ("script", "iframe", "object", "form") else []
        self.found += [k for k in named if k.startswith("on") or k == "style"]
        self.links += [str(v) for k, v in attrs if k in ("src", "href")]
        self.ids += [str(named["id"])] if "id" in named else []
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_cannot_act(page: str) -> None:
    read = Reader(page)
    assert read.open == [] and [f for f in read.found if f != "style"] == []
    anchors = [link[1:] for link in read.links if link.startswith("#")]
    assert anchors == read.ids and len(anchors) > 8
    assert all(link.startswith(("#", "data:")) for link in read.links)
    assert re.search(r"default-src 'none'; style-src 'sha256-[^']+'; img-src data:", page)
    for said in (
        "91.2 %",
        "dead units in h, line 3",
        "flat",
        "<math",
        "cat",
        "40 rows",
        "h = relu",
    ):
        assert said in page
    pictures = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert len(pictures) >= 5
    for picture in pictures:
        ElementTree.fromstring(base64.b64decode(picture))


def test_what_others_wrote_is_text() -> None:
    evil = "</pre><script>alert(1)</script>"
    page = report(
        summary(
            title=evil, source=evil, settings={evil: evil}, notes=[evil], classes=[evil, "b"],
            findings=[Finding(evil, evil, "note", evil, why=evil, hint=evil)],
            pictures={evil: f"<svg>{evil}</svg>"}, formulas=[(evil, evil)],
            history=[], timeline=Timeline(),
        )
    )  # fmt: skip
    read = Reader(page)
    assert read.open == [] and "script" not in read.found


def test_a_page_of_nothing() -> None:
    read = Reader(report(Summary("empty")))
    assert read.open == [] and read.ids == []
    sound = report(summary(findings=[], history=[], timeline=watched(1)))
    assert "No fault was found" in sound


def test_without_matplotlib_the_page_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **options)

    given = summary()
    for name in [n for n in sys.modules if n.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", missing)
    page = report(given)
    assert "symgrad[plots]" in page and page.count("base64,") == 1
    assert "dead units" in page and "<math" in page


def test_tables() -> None:
    assert key_numbers({"validation_r2": 0.5, "steps": 1200}).count("<li>") == 2
    assert confusion({"test_confusion": [[1, 2]]}, []) == ""
    assert confusion({"test_confusion": [[[1]], [[2]]]}, []) == ""
    assert "too many" in confusion({"confusion": np.eye(50, dtype=int).tolist()}, [])
    assert shown(float("nan")) == "nan" and shown(float("inf")) == "∞"

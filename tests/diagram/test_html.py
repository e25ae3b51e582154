"""Pages: what is in them, what they do in a browser, and what they never do."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import symgrad as sg
from symgrad.diagram import Diagram, Scene
from symgrad.diagram.export.html import export
from symgrad.diagram.measure import decimal, math, plain
from symgrad.diagram.page import glyphs as glyphs_
from symgrad.diagram.page.captions import numbered, rows
from symgrad.diagram.page.glyphs import Glyphs
from symgrad.diagram.page.live import rounded_up, sliders
from symgrad.diagram.page.numerals import signs

CHROMIUM = "/usr/bin/chromium"
SIGMOID = "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
POINT: dict[str, float] = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
HOSTILE = "<script>alert(1)</script>\"'\\</style>\u202e${x}-->"
Check = Callable[..., Any]


def drawn(text: str, at: dict[str, Any], **options: Any) -> Diagram:
    return sg.diagram(text, at=at, **options)


def page_of(text: str, at: dict[str, Any], **options: Any) -> str:
    return export(drawn(text, at, **options)).decode()


@pytest.fixture(scope="module")
def sigmoid() -> str:
    return page_of(SIGMOID, POINT, steps=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api")
    if not Path(CHROMIUM).exists():
        pytest.skip("there is no Chromium here")
    with api.sync_playwright() as p:
        try:
            chromium = p.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
            )
        except api.Error as error:
            pytest.skip(f"Chromium does not start: {error}")
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def usual(browser: Any) -> Any:
    return browser.new_context(viewport={"width": 1280, "height": 720})


@pytest.fixture
def opened(browser: Any, usual: Any, tmp_path: Path) -> Iterator[Check]:
    """Open a page; a message on the console, an error or a request fails the test."""
    said: list[str] = []
    contexts: list[Any] = []
    pages: list[Any] = []

    def open_(text: str, hash_: str = "", **options: Any) -> Any:
        file = tmp_path / f"page{len(pages)}.html"
        file.write_text(text, encoding="utf-8")
        context = browser.new_context(**options) if options else usual
        contexts.extend([context] if options else [])
        page = context.new_page()
        pages.append(page)
        page.on("console", lambda m: said.append(m.text))
        page.on("pageerror", lambda e: said.append(str(e)))
        page.on("dialog", lambda d: (said.append("a dialog"), d.dismiss()))
        page.on("request", lambda r: said.append(r.url) if r.url != page.url else None)
        page.goto(file.as_uri() + hash_)
        said[:] = [s for s in said if not s.startswith(file.as_uri())]
        return page

    yield open_
    for thing in (*pages, *contexts):
        thing.close()
    assert said == []


COUNT = """() => [...document.querySelectorAll('#stage [data-s]')].filter(
    e => !e.closest('[display=none]')).length"""
SHOWN = "document.getElementById('count').textContent"


TYPED = """([selector, text]) => {
  const field = document.querySelector(selector);
  field.value = text;
  field.dispatchEvent(new Event("input"));
}"""


def set_input(page: Any, name: str, value: float) -> None:
    page.evaluate(TYPED, [f'input[type=number][aria-label="{name}, exact"]', repr(value)])


# -- what is in the file ---------------------------------------------------------------------


def test_a_page_stands_alone(sigmoid: str) -> None:
    outside = re.findall(r"(?:https?:)?//[\w.]+[^\s\"'<>]*", sigmoid)
    assert {u for u in outside if "." in u} <= {"http://www.w3.org/2000/svg"}
    assert sigmoid.count("<script") == sigmoid.count("</script>") == 1
    assert not re.search(r"<[a-z]+[^>]*\s(?:on\w+|style)=", sigmoid)
    assert len(sigmoid.encode()) <= 300_000


def test_the_policy_allows_this_script_and_this_style_only(sigmoid: str) -> None:
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', sigmoid)
    assert policy
    assert "unsafe" not in policy[1]
    assert policy[1].startswith("default-src 'none'")
    for tag in ("script", "style"):
        body = re.search(rf"<{tag}>(.*?)</{tag}>", sigmoid, re.S)
        assert body
        digest = base64.b64encode(hashlib.sha256(body[1].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy[1]


def test_the_same_input_gives_the_same_bytes(sigmoid: str) -> None:
    assert page_of(SIGMOID, POINT, steps=True) == sigmoid


def test_every_glyph_that_is_used_is_defined_once(sigmoid: str) -> None:
    defined = re.findall(r'<path id="(\w+)"', sigmoid)
    assert len(defined) == len(set(defined))
    assert set(re.findall(r'href="#(\w+)"', sigmoid)) <= set(defined)
    assert len(re.findall("<use", sigmoid)) > 5 * len(defined)


def test_glyphs_put_together_are_the_outline() -> None:
    for outline in (math(r"\frac{\partial f}{\partial w_{10}}=8{\times}10^{-9}"), plain("a%&Ö§8")):
        pieces = glyphs_.pieces(outline.path)
        segments = [segment for piece in pieces for segment in piece]
        assert sorted(segments) == sorted(outline.path)
        glyphs = Glyphs("g")
        for (name, x, y), piece in zip(glyphs.placed(outline.path), pieces, strict=True):
            shape = next(g.path for g in glyphs.found if g.id == name)
            for (_, mine), (_, theirs) in zip(shape, piece, strict=True):
                moved = [v + (y if i % 2 else x) for i, v in enumerate(mine)]
                assert all(abs(a - b) <= 2 for a, b in zip(moved, theirs, strict=True))


def test_a_hole_stays_with_what_it_is_cut_out_of() -> None:
    assert len(glyphs_.pieces(math("8").path)) == 1
    assert len(glyphs_.pieces(math("80").path)) == 2


def test_signs_for_every_number() -> None:
    found = signs(Glyphs("g"))
    assert found.keys() >= set("0123456789.-()ein=~<") | {f"^{c}" for c in "0123456789-"}


def test_ranges_of_sliders() -> None:
    drawing = sg.diagram(
        "a: positive; b: binary; s: sign; a*b*s*x*y", at={"a": 3, "b": 1, "s": -1, "x": 0, "y": -7}
    ).drawing
    found = {s.name: (s.low, s.high, s.step) for s in sliders(drawing)}
    assert found["b"] == (0, 1, 1)
    assert found["s"] == (-1, 1, 2)
    assert found["a"][0] > 0
    assert found["x"] == (-2, 2, 0.01)
    assert found["y"] == (-20, 20, 0.1) or found["y"][1] >= 14
    assert [rounded_up(v) for v in (1, 1.1, 0.06, 95)] == [1, 2, 0.06, 100]


def test_equations_of_a_caption_are_read_back() -> None:
    scene = drawn("(x + y)*z", {"x": -2, "y": 5, "z": -4}, steps=True).scene
    live = dict.fromkeys(f"{c}{k}" for c in "vgcl" for k in range(9))
    found = [
        piece.data
        for group in scene.groups
        if group.role == "caption"
        for row in rows(group.items)
        for piece in numbered(row, live)
    ]
    equations = [m[1] for d in found if (m := re.search(r'data-eq="([^"]*)"', d))]
    assert equations[:2] == ["gate", "gate"]
    assert all(re.fullmatch(r"l\d \* g\d", e) for e in equations[2:])
    assert len(equations) == 6


def test_what_has_no_script_has_a_page_without_sliders() -> None:
    point = {"X": [[1, 2], [3, 4]], "w": [1, 2]}
    text = page_of("X: data[2, 2]; w: param[2]; sum(inv(X) @ w)", point)
    assert 'id="live"' not in text
    assert "compute: null" in text


def test_too_large_inputs_have_no_sliders() -> None:
    at = {"X": np.ones((90, 50)), "w": np.ones(50)}
    assert 'id="live"' not in page_of("X: data[90, 50]; w: param[50]; sum(X @ w)", at)


# -- a section for reveal.js -----------------------------------------------------------------


def items_of(scene: Scene, frame: int) -> int:
    return sum(len(g.items) for g in scene.at(frame).groups)


def test_a_fragment_shows_each_frame_in_turn() -> None:
    scene = sg.diagram(SIGMOID, at=POINT, steps=True).scene
    diagram = drawn(SIGMOID, POINT, steps=True)
    text = export(diagram, fragment=True).decode()
    assert text.startswith("<section>")
    assert text.rstrip().endswith("</section>")
    assert not re.search("<script|<style|style=", text)
    root = ElementTree.fromstring(text)
    tag = "{http://www.w3.org/2000/svg}"

    def items(node: ElementTree.Element, frame: int) -> int:
        """Count what is painted once the fragments of a frame have been shown."""
        kind = (node.get("class") or "").split()
        if "fragment" in kind:
            shown = int(node.get("data-fragment-index", "")) <= frame - 2
            if shown == ("fade-out" in kind):
                return 0
        leaf = node.tag in (f"{tag}path", f"{tag}rect") or node.get("transform")
        return 1 if leaf else sum(items(child, frame) for child in node)

    groups = [g for g in root.find(f"{tag}svg") or [] if g.tag == f"{tag}g"]
    for frame in range(1, scene.count + 1):
        assert sum(items(g, frame) for g in groups) == items_of(scene, frame)
    indices = {int(i) for i in re.findall(r'fragment-index="(\d+)"', text)}
    assert indices == set(range(scene.count - 1))


# -- what it does in a browser ---------------------------------------------------------------


def test_keys(opened: Check, sigmoid: str) -> None:
    page = opened(sigmoid)
    last = int(page.evaluate(SHOWN).split("/")[1])
    assert page.evaluate(SHOWN) == f"1 / {last}"
    for key, frame in [
        ("ArrowRight", 2), ("Space", 3), ("PageDown", 4), ("ArrowDown", 5), ("ArrowLeft", 4),
        ("PageUp", 3), ("Shift+Space", 2), ("End", last), ("ArrowRight", last), ("Home", 1),
        ("ArrowLeft", 1),
    ]:  # fmt: skip
        page.keyboard.press(key)
        assert page.evaluate(SHOWN) == f"{frame} / {last}", key
    page.click("#next")
    assert page.evaluate(SHOWN) == f"2 / {last}"
    page.click("#back")
    page.locator("#frame").fill("7")
    assert page.evaluate(SHOWN) == f"7 / {last}"
    assert "step 7" in page.inner_text("#said")


def test_frames_show_what_the_scene_shows(opened: Check) -> None:
    diagram = drawn("(x + y)*z", {"x": -2, "y": 5, "z": -4}, steps=True)
    page = opened(export(diagram).decode())
    count = """() => [...document.querySelectorAll(
        '#stage g[role=img] path, #stage g[role=img] rect, #stage g[role=img] g[transform]')]
        .filter(e => !e.closest('[display=none]')).length"""
    for frame in range(1, diagram.frames + 1):
        assert page.evaluate(count) == items_of(diagram.scene, frame), frame
        page.keyboard.press("ArrowRight")


def test_deep_links_leave_no_trail(opened: Check, sigmoid: str) -> None:
    page = opened(sigmoid, "#frame=5")
    assert page.evaluate(SHOWN).startswith("5 /")
    before = page.evaluate("history.length")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("location.hash") == "#6"
    assert page.evaluate("history.length") == before
    page.evaluate("location.hash = '#3'")
    page.wait_for_function(f"{SHOWN}.startsWith('3 ')")
    page.evaluate("location.hash = '#9999'")
    page.wait_for_function(f"{SHOWN}.startsWith('16 ')")
    page.evaluate("location.hash = '#<img>'")
    assert page.evaluate(SHOWN).startswith("16 /")


def test_print_gives_a_page_a_frame(opened: Check) -> None:
    diagram = drawn("(x + y)*z", {"x": -2, "y": 5, "z": -4}, steps=True)
    page = opened(export(diagram).decode())
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == diagram.frames
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".sheet").count() == diagram.frames
    halos = """[...document.querySelectorAll('.sheet')].map(s => [...s.querySelectorAll('.halo')]
        .filter(h => !h.closest('[display=none]')).map(h => h.getAttribute('x')).join())"""
    at = page.evaluate(halos)
    assert len(set(at)) > 1
    assert all(at[1:])
    assert page.evaluate("document.querySelectorAll('[id]').length") == page.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size"
    )
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".sheet").count() == 0


def test_without_a_script_it_is_the_finished_diagram(opened: Check, sigmoid: str) -> None:
    page = opened(sigmoid, java_script_enabled=False)
    scene = sg.diagram(SIGMOID, at=POINT, steps=True).scene
    assert page.locator("#words li").count() == scene.count
    box = page.locator("#stage > svg").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(scene.width / scene.height, rel=0.02)
    assert box["width"] > 1000
    assert not page.locator("#bar").is_visible()
    assert not page.locator("#live").is_visible()
    assert page.locator(f'[data-s="{scene.count}-{scene.count}"]').first.is_visible()
    assert page.locator('[data-s="1-1"]').first.is_hidden()


LOOK = """() => {
  const place = (e) => { const b = e.getBBox(), m = e.getCTM(), r = document.querySelector(
    '#stage > svg').getCTM().inverse().multiply(m); return [r.a * (b.x + b.width / 2) + r.e,
    r.d * (b.y + b.height / 2) + r.f]; };
  return [...document.querySelectorAll('[data-n], [data-eq]')].map(e => [
    e.dataset.n || e.dataset.eq,
    [...e.children].map(u => document.querySelector(u.getAttribute('href')).getAttribute('d')),
    e.closest('[display=none]') ? null : place(e), e.getAttribute('fill'),
    [...document.querySelectorAll('[data-row]')].indexOf(e.closest('[data-row]'))]);
}"""
EXACT = """() => [...document.querySelectorAll('#stage g[role=img]')].map(
    e => [e.dataset.value ?? '', e.dataset.grad ?? ''])"""
ELSEWHERE: dict[str, float] = {"w0": 1.23, "x0": 0.5, "w1": -0.7, "x1": 2.0, "w2": 0.25}


def same(ours: list[str], theirs: list[str]) -> bool:
    """Say whether two rows of glyphs are the same, but for the rounding of their places."""
    if len(ours) != len(theirs):
        return False
    for one, other in zip(ours, theirs, strict=True):
        if re.sub(r"[-\d ]+", "", one) != re.sub(r"[-\d ]+", "", other):
            return False
        pairs = zip(re.findall(r"-?\d+", one), re.findall(r"-?\d+", other), strict=True)
        if any(abs(int(a) - int(b)) > 3 for a, b in pairs):
            return False
    return True


def gaps(found: list[Any]) -> list[float]:
    """List the distances between neighbours in a caption: the layout itself moves otherwise."""
    seen = [e for e in found if e[2] and e[4] >= 0]
    return [b[2][0] - a[2][0] for a, b in pairwise(seen) if a[4] == b[4]]


LOSS = f"{SIGMOID}; L = (f - y)**2"
FAN = "f = (x + y)*max(y, z)"
MOVES: dict[str, tuple[str, dict[str, float], dict[str, float], dict[str, Any]]] = {
    "steps": (SIGMOID, POINT, ELSEWHERE, {"steps": True}),
    "collapsed": (
        LOSS, {**POINT, "y": 1}, {**ELSEWHERE, "y": 1.5}, {"steps": True, "collapse": "f"},
    ),
    "branches": (
        FAN, {"x": 1, "y": 2, "z": 0}, {"x": -1.3, "y": 0.37, "z": 1.5},
        {"steps": True, "theme": "mono"},
    ),
}  # fmt: skip


def equal_data(moved: Any, there: Any) -> None:
    """Compare what machines read."""
    for ours, theirs in zip(moved.evaluate(EXACT), there.evaluate(EXACT), strict=True):
        for a, b in zip(ours, theirs, strict=True):
            if a != b:
                here, wanted = (np.array(json.loads(text)) for text in (a, b))
                assert here.shape == wanted.shape
                assert here.ravel() == pytest.approx(wanted.ravel(), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("case", list(MOVES))
def test_sliders_draw_what_python_draws_there(opened: Check, case: str) -> None:
    """A page moved to another point equals the page of that point, digit for digit."""
    text, point, elsewhere, options = MOVES[case]
    moved = opened(page_of(text, point, **options))
    there = opened(page_of(text, elsewhere, **options))
    last = moved.evaluate("document.querySelector('#frame')?.max || 0")
    for name, value in elsewhere.items():
        set_input(moved, name, value)
    for page in (moved, there):
        page.evaluate("document.activeElement.blur()")
    if case == "steps":
        assert moved.evaluate("document.querySelectorAll('[data-eq]').length") > 10
    for ours, theirs in zip(moved.evaluate(LOOK), there.evaluate(LOOK), strict=True):
        assert ours[0] == theirs[0]
        assert same(ours[1], theirs[1]), ours[0]
        assert ours[3] == theirs[3]
    for frame in (f for f in (5, 16) if f <= int(last)):
        found = []
        for page in (moved, there):
            page.evaluate(TYPED, ["#frame", str(frame)])
            found.append(gaps(page.evaluate(LOOK)))
        assert found[0] == pytest.approx(found[1], abs=1.0), frame
    equal_data(moved, there)


def test_reset_and_double_click_give_the_figure_back(opened: Check, sigmoid: str) -> None:
    page = opened(sigmoid)
    before = page.evaluate("document.querySelector('#stage').innerHTML")
    assert page.locator("#reset").is_disabled()
    set_input(page, "w0", 1.9)
    assert page.evaluate("document.querySelector('#stage').innerHTML") != before
    page.evaluate("document.querySelector('#reset').click()")
    assert page.evaluate("document.querySelector('#stage').innerHTML") == before
    page.locator("#r1").fill("1.5")
    assert page.locator("#f1").input_value() == "1.5"
    page.locator("#r1").dblclick()
    assert page.locator("#f1").input_value() == "-1"
    set_input(page, "w0", 1.9)
    page.locator("#f0").fill("")
    assert page.evaluate("document.querySelector('[data-node=w0]').dataset.value") == "1.9"


NUMBERS = [
    0.125, 0.375, -0.001, -0.004999, 0.0, 1234567.0, 1250000.0, 999999.99, 4.12e-9, -2.5, 1e300,
    1e22, 0.015, 1.005, -1e-5, 2.675, 6.5e-7,
]  # fmt: skip


def test_numbers_are_printed_as_in_the_figure(opened: Check) -> None:
    """Ties round to even, powers of ten are raised, nothing is −0.00."""
    diagram = drawn("y = x*k", {"x": 1, "k": 1})
    page = opened(export(diagram).decode())
    glyphs = Glyphs("g")
    for x in NUMBERS:
        set_input(page, "x", x)
        (shown,) = [e[1] for e in page.evaluate(LOOK) if e[0] == "v0"]
        uses = glyphs.placed(decimal(diagram.decimals.latex(x)).path)
        known = {g.id: g.path for g in glyphs.found}
        wanted = [glyphs_.written(known[name]) for name, _, _ in uses]
        assert same(shown, wanted), x


def test_infinite_and_undefined_numbers_take_the_warning_colour(opened: Check) -> None:
    page = opened(page_of("naïve = log(θ)", {"θ": 1}))
    set_input(page, "θ", -1)
    colours = {e[0]: e[3] for e in page.evaluate(LOOK)}
    warning = sg.diagram("x*1", at={"x": 1}).options.theme.colour("warning")
    assert colours["v1"] == warning
    set_input(page, "θ", 0)
    assert page.evaluate("document.querySelector('[data-node=naïve]').dataset.value") == "-inf"
    set_input(page, "θ", 2)
    assert warning not in [e[3] for e in page.evaluate(LOOK)]


def test_hostile_titles_and_captions_are_text(opened: Check) -> None:
    from dataclasses import replace

    from symgrad.diagram.digits import Decimals
    from symgrad.diagram.page import document

    diagram = drawn("x*y", {"x": 1, "y": 2}, steps=True)
    frames = tuple(replace(f, title=HOSTILE, notes=HOSTILE) for f in diagram.scene.frames)
    groups = tuple(replace(g, label=HOSTILE) for g in diagram.scene.groups)
    scene = replace(diagram.scene, frames=frames, groups=groups, title=HOSTILE)
    page = opened(document(scene, diagram.drawing, Decimals(2), diagram.arithmetic))
    shown = HOSTILE.replace("\u202e", "\ufffd")
    assert shown in page.evaluate("document.getElementById('said').textContent")
    assert page.title() == shown
    assert page.evaluate("document.scripts.length") == 1


def test_nothing_is_cut_off(opened: Check, sigmoid: str) -> None:
    page = opened(sigmoid)
    for width, height in [(1280, 720), (390, 844)]:
        page.set_viewport_size({"width": width, "height": height})
        page.reload()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        bar = page.locator("#bar").bounding_box()
        assert bar["y"] + bar["height"] <= height + 1
        if width > 760:
            assert page.evaluate("document.documentElement.scrollHeight") <= height


def test_the_facts_of_a_page_are_json(sigmoid: str) -> None:
    facts = re.search(r"const page = (\{.*\});\n", sigmoid)
    assert facts
    found = json.loads(facts[1])
    assert len(found["frames"]) == 16
    assert found["inputs"][0] == ["w0", 2.0, 0.01] or found["inputs"][0][:2] == ["w0", 2.0]


def test_numbers_behind_symbols_follow(opened: Check) -> None:
    """`f = -12.00` keeps its left side; what is a symbol only stays."""
    page = opened(page_of("(x + y)*z", {"x": -2, "y": 5, "z": -4}, symbols="both"))
    there = opened(page_of("(x + y)*z", {"x": -1, "y": 5, "z": -4}, symbols="both"))
    every = """() => [...document.querySelectorAll('#stage g[role=img] g[transform]')].map(e =>
      [...e.children].map(u => document.querySelector(u.getAttribute('href')).getAttribute('d')))"""
    set_input(page, "x", -1)
    for ours, theirs in zip(page.evaluate(every), there.evaluate(every), strict=True):
        assert same(ours, theirs)


# -- matrices --------------------------------------------------------------------------------

XOR_NET = """\
X: data[4, 2];  Y: binary[4, 1];  W1: param[2, 2];  b1: param[2];  W2: param[2, 1];  b2: param[1]
h = relu(X @ W1 + b1)
L = bce(sigmoid(h @ W2 + b2), Y)
"""
XOR: dict[str, Any] = {
    "X": [[0, 0], [0, 1], [1, 0], [1, 1]], "Y": [[0], [1], [1], [0]], "W1": [[1, 1], [1, 1]],
    "b1": [0, -1], "W2": [[2], [-4]], "b2": [-1],
}  # fmt: skip
WAVE = np.sin(np.arange(400.0)).round(3) * 2
# The colour in the middle of every cell, marks, entries; wires; what is written beside matrices.
CELLS = """() => [...document.querySelectorAll("[data-b]")].map((b) => {
  const { x, y, w, h, rows, columns, kind } = b.dataset, fills = [], parts = [...b.children];
  if (kind === "card") return [b.dataset.b, kind];
  const shapes = parts.filter((e) => e.tagName !== "g" && e.getAttribute("fill") !== "none");
  for (let k = 0; k < rows * columns; k++) {
    const at = new DOMPoint(+x + ((k % columns + .5) * w) / columns,
                            +y + ((Math.floor(k / columns) + .5) * h) / rows);
    fills.push((shapes.filter((e) => e.isPointInFill(at)).pop() || b).getAttribute("fill"));
  }
  const marks = {}, strokes = parts.filter((e) => e.getAttribute("fill") === "none");
  for (const e of strokes) {
    const colour = e.getAttribute("stroke");
    marks[colour] = (marks[colour] || 0) + e.getAttribute("d").split("M").length - 1;
  }
  const inks = parts.filter((e) => e.tagName === "g").map((e) => e.getAttribute("fill"));
  return [b.dataset.b, kind, fills, marks, inks];
})"""
WIRES = """() => [...document.querySelectorAll("[data-wire]")].map((e) => [e.dataset.wire,
  ...(e.dataset.x ? ["fill"] : ["stroke", "stroke-width"]).map((name) => e.getAttribute(name))])"""
WRITTEN = """() => [...document.querySelectorAll(
  "[data-b] > g, [data-unit], [data-share], [data-scale], [data-range]")].map((e) =>
  [...e.children].map(u => document.querySelector(u.getAttribute("href")).getAttribute("d")))"""
Place = tuple[str, tuple[int, ...], float]
ENTRIES: dict[str, tuple[str, dict[str, Any], Place, dict[str, Any]]] = {
    "steps": (XOR_NET, XOR, ("W1", (0, 1), 0.37), {"steps": True}),
    "dead units, in grey": (XOR_NET, XOR, ("b1", (1,), -5.0), {"theme": "mono"}),
    "heat maps": (
        "A: param[8, 6]; B: param[6, 12]; L = sum(tanh(A @ B))",
        {"A": WAVE[:48].reshape(8, 6), "B": WAVE[60:132].reshape(6, 12)},
        ("A", (2, 1), -3.0), {},
    ),
    "powers of ten": (
        "X: data[2, 2]; w: param[2]; k: labels[2, 2]; L = sum((X @ w)**2) + nll(X, k)",
        {"X": [[1e-6, 2e-6], [3e-6, 1e-6]], "w": [1, 2], "k": [0, 1]},
        ("X", (0, 1), 4e-6), {"theme": "dark"},
    ),
    "slices and a number": (
        "T: real[2, 3, 4]; lam: real; R = lam*sum(T**2); L = R**2 + sum(where(T > 0, T, 0))",
        {"T": WAVE[:24].reshape(2, 3, 4), "lam": 0.1}, ("T", (1, 0, 2), -3.0), {"steps": True},
    ),
}  # fmt: skip


def moved_point(at: dict[str, Any], place: Place) -> dict[str, Any]:
    name, index, value = place
    array = np.array(at[name], dtype=float)
    array[index] = value
    return {**at, name: array}


def set_entry(page: Any, place: Place) -> None:
    """Choose an entry in the panel, and type a number."""
    name, index, value = place
    page.select_option("#which", label=name)
    for k, n in enumerate(index):
        page.evaluate(
            "([id, n]) => { const f = document.getElementById(id); f.value = n; f.onchange(); }",
            [f"i{k}", n + 1],
        )
    page.evaluate(TYPED, ["#fe", repr(value)])


@pytest.mark.parametrize("case", list(ENTRIES))
def test_matrices_are_what_python_draws_there(opened: Check, case: str) -> None:
    """Every entry, cell, mark, wire and number beside a matrix follows an entry that moves."""
    text, at, place, options = ENTRIES[case]
    moved, there = (
        opened(page_of(text, point, **options), "#99") for point in (at, moved_point(at, place))
    )
    assert moved.evaluate(CELLS) != there.evaluate(CELLS)
    home = moved.evaluate("document.querySelector('#stage').innerHTML")
    set_entry(moved, place)
    for ours, theirs in zip(moved.evaluate(CELLS), there.evaluate(CELLS), strict=True):
        assert ours == theirs
    assert moved.evaluate(WIRES) == there.evaluate(WIRES)
    for ours, theirs in zip(moved.evaluate(WRITTEN), there.evaluate(WRITTEN), strict=True):
        assert same(ours, theirs)
    equal_data(moved, there)
    moved.evaluate("document.querySelector('#reset').click()")
    chosen = re.compile(r' (?:aria-pressed|tabindex)="[^"]*"')
    found = moved.evaluate("document.querySelector('#stage').innerHTML")
    assert chosen.sub("", found) == chosen.sub("", home)


def test_a_page_with_matrices_is_small() -> None:
    text = page_of(XOR_NET, XOR, steps=True)
    assert len(text.encode()) <= 600_000
    assert text == page_of(XOR_NET, XOR, steps=True)


def test_an_entry_is_chosen_by_pointer_and_by_keys(opened: Check) -> None:
    page = opened(page_of(XOR_NET, XOR, steps=True))
    page.click('[aria-label="W2, row 1, column 1, value 2.00"]')
    page.keyboard.press("ArrowDown")
    focused = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(focused) == "W2, row 2, column 1, value -4.00"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "W2, row 2, column 1, value -4.00"
    assert page.evaluate(SHOWN).startswith("1 /")
    page.keyboard.press("Enter")
    page.keyboard.type("7.5")
    assert page.evaluate("document.querySelector('[data-node=W2]').dataset.value") == (
        "[[2.0], [7.5]]"
    )
    label = page.get_attribute("[data-node=W2]", "aria-label")
    assert label == "parameter W2, value [[2.0], [7.5]]"
    assert page.input_value("#i0") == "2"
    assert page.locator('[role=button][tabindex="0"]').count() == 6
    assert page.locator('[role=button][aria-pressed="true"]').count() == 1


def test_what_cannot_follow_is_not_shown(opened: Check) -> None:
    """Statistics of a large array give way to dots; those that have not changed stay."""
    text = "A: data[20, 6]; v: param[6]; L = sum((A @ v)**2)"
    page = opened(page_of(text, {"A": WAVE[:120].reshape(20, 6), "v": WAVE[:6]}))
    count = "[...document.querySelectorAll('[data-kind=card]')].map(b => b.children.length)"
    before = page.evaluate(count)
    assert not page.locator("#first").is_visible()
    assert page.locator("#which option").all_inner_texts() == ["v"]
    set_entry(page, ("v", (2,), 1.5))
    after = page.evaluate(count)
    assert sorted({a for a, b in zip(after, before, strict=True) if a != b}) == [1]
    assert any(a == b > 1 for a, b in zip(after, before, strict=True))
    assert page.locator("#first").is_visible()


def test_labels_stay_as_they_are() -> None:
    text = page_of(
        "S: real[2, 3]; t: labels[2, 3]; L = cross_entropy(S, t)",
        {"S": [[1, 2, 3], [0, 1, 0]], "t": [0, 2]},
    )
    assert re.findall(r"<option[^>]*>(\w+)<", text) == ["S"]


def test_cards_and_neurons_have_no_sliders() -> None:
    for view in ("layers", "neurons"):
        diagram = sg.diagram(XOR_NET, at=XOR, view=view)
        assert 'id="live"' not in export(diagram).decode()

"""Pages of formulas, read back by parsers that know nothing of this package."""

import base64
import hashlib
import re
from html import unescape
from xml.etree import ElementTree

import pytest

import symgrad as sg
from symgrad.formula import html
from symgrad.formula.notation import Notation
from symgrad.formula.stepping.lines import Step

MATH = "{http://www.w3.org/1998/Math/MathML}"


def read(latex: str, block: bool = False) -> ElementTree.Element:
    return ElementTree.fromstring(html.mathml(latex, "?", block))


def texts(element: ElementTree.Element) -> list[str]:
    return [text for text in element.itertext() if text]


def test_what_has_no_mathml_is_shown_as_text() -> None:
    for latex in (r"\frac{", "x^", r"\begin{foo}", r"\left(", "{", r"\sqrt", "", "^", r"\right)"):
        assert html.mathml(latex, "a<b & c") == '<span class="plain">a&lt;b &amp; c</span>', latex


def test_colours_are_roles() -> None:
    found = read(r"\textcolor{red}{g}\,\textcolor{blue}{h}")
    styled = {m.get("class"): "".join(texts(m)) for m in found.iter(f"{MATH}mstyle")}
    assert styled == {"upstream": "g", "local": "h"}
    assert not any(m.get("mathcolor") for m in found.iter())


def test_a_minus_behind_an_operator_is_a_sign() -> None:
    for latex, signs in (("a = -b", 1), (r"a \approx -b", 1), (r"a \cdot -b", 1), ("a(-b)", 1),
                         (r"a \odot -b", 1), ("a - b", 0), ("a = b - c", 0)):  # fmt: skip
        minus = [m for m in read(latex).iter(f"{MATH}mo") if m.text == "\N{MINUS SIGN}"]
        assert len(minus) == 1, latex
        assert [m.get("form") for m in minus] == ["prefix" if signs else None], latex


def test_letters_brackets_and_spaces() -> None:
    assert texts(read(r"\mathbb{1}_{N} \mathbf{0} \mathbf{1}")) == ["𝟙", "N", "𝟎", "𝟏"]
    grown = [m for m in read(r"\bigl(x\bigr) \Biggl[y\Biggr]").iter(f"{MATH}mo")]
    assert [m.text for m in grown] == ["(", ")", "[", "]"]
    assert all(m.get("stretchy") == "true" for m in grown)
    assert [m.get("form") for m in grown] == ["prefix", "postfix"] * 2
    for name in ("log", "exp", "sin", "cos", "tan", "tanh", "sinh", "cosh"):
        (row,) = read(rf"x\{name}(y)")
        assert [m.tag.removeprefix(MATH) for m in row][:3] == ["mi", "mspace", "mi"], name
        assert row[1].get("width") == "0.167em"
    assert not list(read(r"2\log(y)").iter(f"{MATH}mspace"))
    words = [m.text for m in read(r"\mathrm{net} \cdot \mathrm{a}").iter(f"{MATH}mtext")]
    assert words == ["net"]  # one letter is no word


def test_a_formula_of_its_own_is_set_large() -> None:
    assert read("x").get("displaystyle") is None and read("x", True).get("displaystyle") == "true"
    assert read("x", True).get("display") == "inline"
    assert html.mathml(r"\text{display}", "?", True).count("displaystyle") == 1


STEPS = [
    Step("r<1>", "∂a", "b", "w & y", latex_before="a", latex_marked="b"),
    Step("", "∂a", "c", "", latex_before="a", latex_marked="c", latex_rule=r"\frac{1}{2}",
         numbers="= 3", latex_numbers="= 3"),
    Step("x", "∂d", "e", "z", latex_before="d", latex_marked="e"),
]  # fmt: skip


def rows(text: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(f"<all>{text}</all>").iter("tr"))


def test_a_derivation_is_a_table() -> None:
    text = html.derivation(STEPS, ["n < m", "second"])
    found = rows(text)
    assert [r.get("class") for r in found] == [None, "same", "last"]
    assert [r[0].text for r in found] == ["1", "2", "3"]
    assert [[d.get("class") for d in r] for r in found] == [["number", "left", "right", "rule"]] * 3
    assert [["".join(texts(d)) for d in r] for r in found] == [
        ["1", "a", "=b", "r<1>w & y"], ["2", "a", "=c=3", "12"], ["3", "d", "=e", "xz"],
    ]  # fmt: skip
    assert [d.get("class") for d in found[1].iter("span")] == ["hidden"]
    assert not list(found[0].iter("span")) and not list(found[2].iter("span"))
    numbers = [d for r in found for d in r.iter("div")]
    assert [d.get("class") for d in numbers] == ["numbers"] and texts(numbers[0]) == ["=", "3"]
    assert [s.text for r in found for s in r.iter("small")] == ["w & y", None, "z"]
    assert [m.get("displaystyle") for m in found[1].iter(f"{MATH}math")] == ["true"] * 3 + [None]
    whole = ElementTree.fromstring(f"<all>{text}</all>")
    assert [(p.get("class"), p.text) for p in whole.iter("p")] == [
        ("notes", "n < m"), ("notes", "second"),
    ]  # fmt: skip
    assert [d.get("class") for d in whole.iter("div")] == ["scroll", "numbers"]
    assert "<p" not in html.derivation(STEPS)
    between = [e.text for t in whole.iter("table") for e in (t,)] + [r.tail for r in found]
    assert not "".join(filter(None, between)).strip()
    assert [r.get("class") for r in rows(html.derivation([STEPS[1], STEPS[1]]))] == [
        None, "same last",
    ]  # fmt: skip


def test_a_step_that_cannot_be_set_shows_its_text() -> None:
    broken = Step("", "before", "after", "", latex_before="{", latex_marked="{", latex_rule="{",
                  numbers="five", latex_numbers="{")  # fmt: skip
    (row,) = rows(html.derivation([broken]))
    assert [s.text for s in row.iter("span")] == ["before", "= after", "five", None]


# -- whole pages -----------------------------------------------------------------------------


def title(text: str) -> str:
    return unescape(text.partition("<title>")[2].partition("</title>")[0])


def test_the_policy_of_a_page_allows_its_own_style_and_nothing_else() -> None:
    text = html.page(sg.gradient("x*y").values())
    style = text.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    parts = dict(p.strip().split(" ", 1) for p in policy.split(";"))
    assert parts == {"default-src": "'none'", "style-src": f"'sha256-{digest}'",
                     "base-uri": "'none'", "form-action": "'none'"}  # fmt: skip
    assert style.strip().startswith(":root {") and style.strip().endswith("}")
    assert text.startswith('<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n')
    assert text.endswith("</body>\n</html>") and "width=device-width, initial-scale=1" in text
    for role in ("upstream", "local", "hidden", "number", "left", "right", "rule", "notes", "key"):
        assert f".{role}" in style


def test_a_page_has_all_formulas_with_their_parts() -> None:
    made = sg.gradient("h = sigmoid(w*x); L = h*x + (h - y)**2", ["w", "x"])
    page = html.page(made.values())
    assert title(page) == "∂L/∂w, ∂L/∂x" and page.count("<h2>") == 2
    assert "upstream gradient" not in page and "<table" not in page
    assert page.count('<p class="where">where ') == sum(bool(f.where) for f in made.values())
    stepped = html.page(made.values(), 2)
    assert stepped.count("<table") == 2 and stepped.count('class="key"') == 1
    key = ElementTree.fromstring(re.findall(r'<p class="key">.*?</p>', stepped)[0])
    assert texts(key) == ["upstream gradient", " · ", "local derivative"]
    for formula in made.values():
        for step in formula.steps(2):
            assert f"<small>{step.why}</small>" in stepped.replace("&#x27;", "'")
    deep = sg.gradient("X: data[N, D]; W: param[D, K]; y: labels[N, K]\nS = X @ W\n"
                       "L = cross_entropy(S, y)", ["W"])  # fmt: skip
    for form in ("matrix", "index"):
        (where,) = re.findall(
            r'<p class="where">where (.*?)</p>', html.page(deep.values(), 0, form)
        )
        names = [re.search("<mi>(.)</mi>", part)[1] for part in where.split(", <math")]  # type: ignore[index]
        assert names == ["S", "P"], form
    row = sg.gradient("L = x*y", ["x"])
    assert title(html.page(row.values(), notation=Notation.read("loss=E"))) == "∂E/∂x"


def test_the_steps_of_a_page_are_those_asked_for() -> None:
    made = sg.gradient("h = sigmoid(w*x); L = h*x", ["w"])
    options = {"notation": Notation.read("loss=E"), "at": {"w": 0.5, "x": 2.0}}
    page = html.page(made.values(), 2, **options)
    assert html.derivation(made["w"].steps(2, **options), made["w"].footnotes) in page
    assert 'class="numbers"' in page


def test_a_page_in_index_form() -> None:
    made = sg.gradient("W: real[H, D]; x: real[D]\nL = sum(tanh(W @ x))", ["W"])
    (formula,) = made.values()
    heading = re.findall("<h2>(.*?)</h2>", html.page(made.values(), 0, "index"))[0]
    matrix = re.findall("<h2>(.*?)</h2>", html.page(made.values()))[0]
    assert heading != matrix and heading == html.mathml(
        f"{formula.entry_head()} = {formula.latex('index')}",
        f"{formula.entry_head(False)} = {formula.unicode('index')}", True,
    )  # fmt: skip
    assert matrix == html.mathml(
        f"{formula.latex_head} = {formula.latex()}", f"{formula.head} = {formula.unicode()}", True
    )
    where = re.findall(r'<p class="where">(.*?)</p>', html.page(made.values(), 0, "index"))
    assert len(where) == bool(formula.entry_where)


def test_nothing_stands_between_the_parts_of_a_page() -> None:
    for detail in (0, 2):
        page = html.page(sg.gradient("h = sigmoid(w*x); L = h*x", ["w", "x"]).values(), detail)
        body = ElementTree.fromstring(page[page.index("<body>") : page.index("</html>")])
        parts = [body.text, *(part.tail for part in body)]
        assert not "".join(filter(None, parts)).strip()


def test_what_cannot_be_set_is_written_in_the_same_notation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(html, "mathml", lambda latex, plain, block=False: f"[{plain}]")
    made = sg.gradient("W: real[H, D]; x: real[D]\nL = sum(tanh(W @ x))", ["W"])
    formula, notation = made["W"], Notation.read("loss=E")
    assert f"[{formula.head} = {formula.unicode()}]" in html.page(made.values())
    told = f"[∂E/∂W = {formula.unicode('matrix', notation)}]"
    assert told in html.page(made.values(), notation=notation)
    layered = sg.gradient("W1: real[H, D]; W2: real[K, H]; x: real[D]\n"
                          "L = sum(W2 @ tanh(W1 @ x))", ["W1"])  # fmt: skip
    shown = html.page(layered.values(), notation=Notation.read("layers=paren"))
    assert "W⁽²⁾" in shown.partition("=")[2] and "W₂" not in shown
    deep = sg.gradient("X: data[N, D]; W1: param[D, K]; y: labels[N, K]\nS = X @ W1\n"
                       "L = cross_entropy(S, y)", ["W1"])  # fmt: skip
    by_entry = html.page(deep.values(), 0, "index")
    for part in deep["W1"].entry_where.values():
        assert f"[{part.entry_head(False)} = {part.unicode('index')}]" in by_entry
    layered = html.page(deep.values(), notation=Notation.read("layers=paren"))
    assert "[S = X W⁽¹⁾]" in layered
    entries = f"[{formula.entry_head(False)} = {formula.unicode('index')}]"
    assert entries in html.page(made.values(), 0, "index")


@pytest.mark.parametrize("word", ["lam", "x_1", "größe"])
def test_names_come_through(word: str) -> None:
    page = html.page(sg.gradient(f"L = {word}*y", [word]).values(), 2)
    assert sg.gradient(f"L = {word}*y", [word])[word].head == title(page)
    assert 'class="plain"' not in page

"""Notation profiles: names, layers, rows and columns, numerator layout; and pages of steps."""

import re
from html.parser import HTMLParser
from typing import Any, ClassVar
from xml.etree import ElementTree

import numpy as np
import pytest

import symgrad as sg
from symgrad.cli import main
from symgrad.evaluate import bind, values
from symgrad.formula import html, report
from symgrad.formula.notation import Notation

NET = """\
x: data[D]; t: data[K]
W1: param[H, D]; b1: param[H]
W2: param[K, H]
h = tanh(W1 @ x + b1)
y = W2 @ h
loss = sum((y - t)**2)/2
"""
BATCH = """\
X: data[N, D]; T: data[N, K]
W1: param[D, H]
W2: param[H, K]
h = sigmoid(X @ W1)
Y = h @ W2
loss = sum((Y - T)**2)
"""
BILINEAR = "A: param[M, N]; u: param[M]; v: param[N]\nL = sum((u @ A)**2) + (A @ v) @ u"
DIGITS = str.maketrans("₁₂", "12")
CASES = [(text, wrt) for text, names in ((NET, ("W1", "b1", "W2", "h", "y")),
                                         (BATCH, ("W1", "W2", "h")),
                                         (BILINEAR, ("A", "u", "v"))) for wrt in names]  # fmt: skip


def test_profiles_are_read() -> None:
    notation = Notation.read(" loss=E, layers=bracket ,t=d,layout=numerator")
    assert notation == Notation("E", {"t": "d"}, "bracket", "column", "numerator")
    assert Notation.read("") == Notation()
    for text in ("layers=up", "vectors=both", "layout=mixed", "loss", "t=", "t=a b", "loss=1x"):
        with pytest.raises(sg.UsageError):
            Notation.read(text)


def test_names_and_layers() -> None:
    F = sg.gradient(BATCH, "W1")["W1"]
    named = F.unicode(notation=Notation(names={"T": "D", "h": "z"}))
    assert named == "2Xᵀ(((Y − D) W₂ᵀ) ⊙ z ⊙ (1 − z))"
    assert "W^[2]ᵀ" in F.unicode(notation=Notation(layers="bracket"))
    assert "W⁽²⁾ᵀ" in F.unicode(notation=Notation(layers="paren"))
    assert "{W^{[2]}}^{\\top}" in F.latex(notation=Notation(layers="bracket"))
    assert F.unicode(notation=Notation()) == F.unicode()
    assert F.latex(notation=Notation()) == F.latex()
    steps = F.steps(notation=Notation(loss="E", layers="bracket"))
    assert steps[-1].before == "∂E/∂W^[1]" and any("v₁ = X W^[1]" in s.before + " = " + s.after
                                                  for s in steps)  # fmt: skip
    with pytest.raises(sg.UsageError, match="both be shown as X"):
        F.unicode(notation=Notation(names={"T": "X"}))
    with pytest.raises(sg.UsageError, match="index form"):
        F.unicode("index", notation=Notation())
    assert F.numpy() == sg.gradient(BATCH, "W1")["W1"].numpy()


def test_layouts() -> None:
    F = sg.gradient(NET, "W1")["W1"]
    row, numerator = Notation(vectors="row"), Notation(layout="numerator")
    assert F.unicode() == "((W₂ᵀ(y − t)) ⊙ (1 − h²)) xᵀ"
    assert F.unicode(notation=row) == "(((y − t) W₂) ⊙ (1 − h²))ᵀ x"
    assert F.unicode(notation=numerator) == "x (((y − t)ᵀ W₂) ⊙ (1 − h²)ᵀ)"
    chain = [f"{s.before} = {s.after}" for s in F.steps(notation=numerator)]
    assert "∂loss/∂h = ∂loss/∂y W₂" in chain and "∂loss/∂W₁ = x ∂loss/∂v₁" in chain
    batch = [f"{s.before} = {s.after}" for s in sg.gradient(BATCH, "W1")["W1"].steps(
        notation=numerator)]  # fmt: skip
    assert "∂loss/∂h = W₂ ∂loss/∂Y" in batch and "∂loss/∂W₁ = ∂loss/∂v₁ X" in batch


def read(text: str, known: dict[str, Any]) -> Any:
    """Compute a printed formula as a reader would: every name a matrix, vectors with two axes."""
    tokens = re.findall(r"[A-Za-z]+[₁₂]?|\d+|[()⊙+−ᵀ²·/]", text)
    assert "".join(tokens) == text.replace(" ", "")
    python, last = "", "+"
    for token in tokens:
        if last not in "(⊙+−·/" and (token == "(" or re.match(r"[A-Za-z\d]", token)):
            python += "*" if last.isdecimal() else "@"
        python += {"⊙": "*", "−": "-", "ᵀ": ".T", "²": "**2", "·": "*"}.get(token, token)
        last = token
    return eval(python.translate(DIGITS), dict(known))


@pytest.mark.parametrize("vectors", ["column", "row"])
@pytest.mark.parametrize("layout", ["denominator", "numerator"])
@pytest.mark.parametrize(("text", "wrt"), CASES)
def test_what_is_printed_is_right(text: str, wrt: str, vectors: str, layout: str) -> None:
    """Read every line back with matrices that have the shapes of the convention."""
    from symgrad.autodiff import point

    graph = sg.parse(text)
    at = point(graph)
    known, sizes = bind(graph, at)
    numbers = values(graph.names.values(), known, sizes)
    shown = {}
    for name, node in {**dict(graph.names), **{n.attrs["name"]: n for n in graph.inputs}}.items():
        value = np.asarray(numbers.get(node, known.get(node)))
        if value.ndim == 1:
            value = value[:, None] if vectors == "column" else value[None]
        shown[name] = value
    F = sg.gradient(text, wrt)[wrt]
    true = np.asarray(sg.backprop(text, at, [wrt]).grad[wrt])
    if true.ndim == 1:
        true = true[:, None] if vectors == "column" else true[None]
    true = true.T if layout == "numerator" else true
    printed = F.unicode(notation=Notation(vectors=vectors, layout=layout))
    got = read(printed, shown)
    np.testing.assert_allclose(got, true, rtol=1e-9, err_msg=printed)


@pytest.mark.parametrize(("text", "wrt"), CASES)
def test_the_last_line_is_the_answer_in_every_notation(text: str, wrt: str) -> None:
    F = sg.gradient(text, wrt)[wrt]
    for profile in ("loss=E,layers=paren", "vectors=row", "layout=numerator",
                    "vectors=row,layout=numerator,layers=bracket"):  # fmt: skip
        notation = Notation.read(profile)
        for detail in (1, 2, 3):
            last = F.steps(detail, notation=notation)[-1]
            assert last.after == F.unicode(notation=notation)
            assert last.latex_after == F.latex(notation=notation)


# -- pages -----------------------------------------------------------------------------------


class Page(HTMLParser):
    """Check that tags are balanced, and collect what stands on a page."""

    VOID: ClassVar[tuple[str, ...]] = ("meta", "br", "mspace")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close a tag, the innermost one."""
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.words.append(data)


def test_a_page_of_steps() -> None:
    formulas = sg.gradient(NET, ["W1", "b1"])
    text = html.page(formulas.values(), 2)
    page = Page(text)
    count = sum(len(f.steps(2)) for f in formulas.values())
    assert [t for t, _ in page.tags].count("tr") == count
    assert [t for t, _ in page.tags].count("h2") == 2
    classes = [a.get("class") for _, a in page.tags]
    assert "upstream" in classes and "local" in classes and "plain" not in classes
    assert not {"script", "link", "img"} & {t for t, _ in page.tags} and "http" not in re.sub(
        r"http://www.w3.org/1998/Math/MathML|http-equiv", "", text
    )
    assert "chain rule" in page.words and text == html.page(formulas.values(), 2)
    for math in re.findall(r"<math.*?</math>", text):
        ElementTree.fromstring(math)
    assert "<table" not in html.page(formulas.values())


def test_what_a_user_wrote_is_escaped(registries: None) -> None:
    sg.rule("<b>bold</b> & co: 2*sin(a)*cos(a) -> sin(2*a)")
    text = html.page(sg.gradient("L = 2*sin(x)*cos(x)").values(), 2)
    assert "<b>" not in text and "&lt;b&gt;" in text
    Page(text)
    latex = report.steps(sg.gradient("L = 2*sin(x)*cos(x)")["x"], "latex")
    assert r"\& co" in latex
    assert html.mathml(r"\frac{", "a<b") == '<span class="plain">a&lt;b</span>'


# -- the command line ------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["derive", *arguments])
    found = capsys.readouterr()
    return code, found.out, found.err


def test_steps_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    neuron = "z = w*x + b; p = sigmoid(z); L = (p - y)**2"
    point = ["--at", "w=0.5", "x=2", "b=-1", "y=1"]
    code, out, _ = run(capsys, neuron, "--wrt", "w", "--steps", *point)
    assert code == 0 and "= 0.5·2 + (−1) = 0" in out and out.rstrip().endswith("p = σ(z)")
    code, out, _ = run(capsys, neuron, "--wrt", "w", "--steps", "--delta", "--notation", "loss=E")
    assert code == 0 and "∂E/∂z = δ" in out and "∂E/∂w = 2p(1 − p)(p − y) x" in out
    code, out, _ = run(capsys, neuron, "--wrt", "w", "b", "--steps", "--to", "html", *point)
    assert code == 0 and out.startswith("<!DOCTYPE html>") and out.count("<h2>") == 2
    Page(out)
    code, out, _ = run(capsys, neuron, "--wrt", "w", "--to", "html")
    assert code == 0 and "<table" not in out
    for to, start in (("latex", r"\begin{align*}"), ("markdown", "1. *forward*")):
        code, out, _ = run(capsys, neuron, "--wrt", "w", "--steps", "--staged", "--to", to)
        assert code == 0 and out.startswith(start)
    vector = "v: real[2]; L = sum(v**2)"
    code, out, _ = run(capsys, vector, "--steps", "--at", "v=[1, 2]")
    assert code == 0 and "= 2·[1, 2] = [2, 4]" in out


WRONG = [
    (["x*y", "--delta"], 2, "--delta is about steps"),
    (["x*y", "--at", "x=1", "y=2"], 2, "--at is about steps"),
    (["x*y", "--steps", "--at", "x=1"], 1, "no value is given for 'y'"),
    (["x*y", "--steps", "--notation", "layers=up"], 2, "one of index, bracket, paren"),
    (["x*y", "--steps", "--wrt", "q"], 2, "'q' is no name"),
    (["v: real[3]; v*2", "--steps"], 1, "a gradient needs a scalar"),
    (["v: real[3]; tanh(v)", "--jacobian", "--steps"], 2, "only a gradient has steps"),
    (["phi: function; phi(w)", "--steps", "--at", "w=1"], 2, "--functions phi=tanh"),
]


@pytest.mark.parametrize(("arguments", "code", "part"), WRONG)
def test_what_cannot_be_derived_says_what_to_do(
    arguments: list[str], code: int, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found, _, error = run(capsys, *arguments)
    assert found == code and part in error

"""LaTeX: text that stays text, overlays that exclude each other, files that compile."""

import re
import shutil
import subprocess
from pathlib import Path as File
from typing import Any

import numpy as np
import pytest

from symgrad import api as sg
from symgrad.diagram import build
from symgrad.diagram.export.tex import export, render, rows
from symgrad.diagram.tikz.drawing import overlay
from symgrad.diagram.tikz.text import escape, formula
from symgrad.graph import Graph
from symgrad.ops import leaf, make

NEURON = "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
POINT = {"w0": 2, "x0": -1, "w1": -3, "x1": -2, "w2": -3}
HOSTILE = [
    r"\write18{touch pwned}",
    r"\input{/etc/passwd}",
    "%\\end{frame}#_&$~^",
    "^^5cinput",
    "x" * 10_000,
    "a\n\n\\par b\x00\u202e",
    "αβΩ é Łódź ñ x̂ ≤ ₁ –",
    "日本 😀",
    "<|>\"`'{}",
    "--- ?` !`",
    "",
]


@pytest.fixture(scope="module")
def neuron() -> Any:
    return sg.diagram(NEURON, at=POINT, steps=True, title="A neuron: 50% of #1")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (r"\write18{x}", r"\ensuremath{\backslash}write18\ensuremath{\{}x\ensuremath{\}}"),
        ("50% #1 a_b & $", r"50\% \#1 a\_b \& \$"),
        ("^^5c", r"\textasciicircum{}\textasciicircum{}5c"),
        ("é Ł", r"\'{e} \L{}"),
        ("x\u0302", r"\^{x}"),
        ("λ−", r"\ensuremath{\lambda}\ensuremath{-}"),
        ("日\U0001f600", "??"),
        ("a--b", "a-{}-{}b"),
    ],
)
def test_text_comes_out_as_text(text: str, written: str) -> None:
    assert escape(text) == written


@pytest.mark.parametrize(
    ("latex", "written"),
    [
        (r"{-}0.53", r"{-}0.53"),
        (r"\textcolor{local}{e^{n}}", r"\textcolor{sglocal}{e^{n}}"),
        (r"\mathrm{dL\_dW}", r"\mathrm{dL\_dW}"),
        (r"\input{x}", r"\mathrm{input}{x}"),
        (r"\catcode`\%", r"\mathrm{catcode}`\%"),
        ("a^^41", "a^41"),
        (r"\odot\mathbb{1}[h>0]", r"\odot\mathbf{1}[h>0]"),
        ("50%#$&", r"50\%\#\$\&"),
        (r"\text{a_b%}", r"\text{a\_b\%}"),
        (r"\mathrm{é}", r"\mathrm{\text{\'{e}}}"),
        ("}x{", r"\text{\ensuremath{\}}x\ensuremath{\{}}"),
        ("\\", r"\text{\ensuremath{\backslash}}"),
        (r"\begin{filecontents}", r"\text{\ensuremath{\backslash}begin\ensuremath{\{}"
         r"filecontents\ensuremath{\}}}"),
        (r"\begin{pmatrix}1&2\\3&4\end{pmatrix}", r"\begin{pmatrix}1&2\\3&4\end{pmatrix}"),
    ],
)  # fmt: skip
def test_formulas_hold_known_commands_only(latex: str, written: str) -> None:
    assert formula(latex) == written


def test_ranges_are_written_short() -> None:
    assert overlay(((2, 5), (7, 8)), 8) == "2-5,7-"
    assert overlay(((1, 1), (3, 3)), 4) == "1,3"


def test_every_frame_has_its_title_caption_and_note(neuron: Any) -> None:
    text = export(neuron).decode()
    assert r"\frametitle{A neuron: 50\% of \#1}" in text or r"\frametitle<1>" in text
    for command in (r"title<16>{Backward step 8 of 8", r"\only<16>{\sgfit{\dfrac", r"\note<16>{"):
        assert command in text
    assert text.count(r"\begin{frame}") == text.count(r"\begin{tikzpicture}") == 1
    assert r"\definecolor{sglocal}{HTML}{1F5FA8}" in text and "textcolor{local}" not in text


def test_no_frame_shows_two_arrowheads_of_an_edge(neuron: Any) -> None:
    """Drawings of one edge that come and go exclude each other."""
    text = export(neuron).decode()
    edges = re.findall(r"% edge from.*?(?=\n *% )", text, flags=re.DOTALL)
    assert len(edges) == 12
    for edge in edges:
        shown: list[int] = []
        for command, ranges in re.findall(r"\\(alt|only)<([\d,-]+)>", edge):
            assert command == "only" or edge.count("\\alt") == 1
            for part in ranges.split(",") if command == "only" else []:
                first, _, last = part.partition("-")
                end = (last or "16") if "-" in part else first
                shown += range(int(first), int(end) + 1)
        assert len(set(shown)) == len(shown)


def test_two_states_that_complete_each_other_are_alternatives() -> None:
    text = render(sg.diagram("x*y", at={"x": 1, "y": 2}, steps=True).scene)
    assert r"\alt<" in text


def test_a_frame_alone_says_what_its_preamble_needs(neuron: Any) -> None:
    text = export(neuron, fragment=True).decode()
    assert r"\documentclass" not in text and r"\end{document}" not in text
    assert text.startswith("%") and r"%   \usepackage{tikz}" in text
    assert r"\definecolor{sgvalue}" in text and text.rstrip().endswith(r"\end{frame}")


def hostile() -> Any:
    leaves = [leaf(name) for name in HOSTILE]
    total = leaves[0]
    for other in leaves[1:]:
        total = make("add", total, other)
    graph = Graph.of([total], names=dict(zip(HOSTILE, leaves, strict=True)), source="")
    return build(graph, title="\\end{frame}\\write18{ls}%" * 400, view="scalar")


def test_no_name_writes_a_command() -> None:
    text = export(hostile()).decode()
    assert text.isascii() and max(map(len, text.splitlines())) < 2000
    commands = set(re.findall(r"\\[A-Za-z]+", text))
    assert not commands & {r"\write", r"\input", r"\par\b", r"\catcode", r"\csname", r"\def"}
    assert text.count(r"\end{frame}") == 1


def test_a_wide_drawing_stays_within_the_lengths_of_tex() -> None:
    program = "\n".join(["a0 = x", *(f"a{i} = tanh(a{i - 1})" for i in range(1, 150))])
    text = render(build(sg.parse(program), view="scalar").scene)
    assert max(float(n) for n in re.findall(r"\((\d+(?:\.\d+)?),", text)) < 4100


def margins() -> Any:
    """Draw a support vector machine, which needs the height of a slide, step by step."""
    text = "x: data[4]; W: param[3, 4]; y: label[3]\nL = svm(W @ x, y) + lam*sum(W**2)"
    point = {"x": [1.0, -2.0, 0.5, 3.0], "W": np.eye(3, 4) + 0.25, "y": 0, "lam": 0.1}
    return sg.diagram(text, at=point, steps=True)


def test_a_high_diagram_takes_what_captions_leave() -> None:
    share = re.search(r"resizebox\{!\}\{([0-9.]+)\\paperheight", export(margins()).decode())
    assert share is not None and 0.6 < float(share[1]) < 0.7


def test_equations_stand_side_by_side_where_they_fit() -> None:
    product = r"\dfrac{{\partial} f}{{\partial} w} = 2.00 \times 0.20 = 0.40"
    assert rows((product, product)) == [[product, product]]
    assert rows((product * 3, product)) == [[product * 3], [product]]


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex")
def test_it_compiles(neuron: Any, tmp_path: File) -> None:
    """One run: a frame with steps, hostile names, a matrix in the dark theme."""
    grid = sg.diagram("X: param[2, 2]\nL = sum(relu(X))", at={"X": -np.eye(2)}, view="tensor")
    text = export(neuron).decode()
    extra = [export(d, fragment=True).decode() for d in (hostile(), grid, margins())]
    whole = text.replace(r"\end{document}", "\n".join([*extra, r"\end{document}"]))
    (tmp_path / "slides.tex").write_text(whole)
    arguments = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "slides.tex"]
    run = subprocess.run(arguments, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    log = (tmp_path / "slides.log").read_text(errors="replace")
    assert run.returncode == 0, log[-2000:]
    assert "(30 pages" in log
    assert not re.findall(r"^(?:!|Overfull|Underfull).*", log, flags=re.MULTILINE)
    assert not (tmp_path / "pwned").exists()

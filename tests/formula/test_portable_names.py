"""Odd names in LaTeX: pdflatex sets them without further packages, and no two look alike."""

import shutil
import subprocess
from pathlib import Path

import pytest

import symgrad as sg
from symgrad.formula.names import portable
from symgrad.formula.report import document

WORDS = """
naïve Ω θ_1 é ñandú x̂ x_hat x1 x_1 Straße Œuvre Å ø ı ŋ Δx Ωmega µ ς ϝ ά ῶ ə ț Ḁ x́ ø̈ ấ ð þ ł đ
α_β dL_dW mathrm text end begin frac _t _ viii
"""
NAMES = WORDS.split()


def derived(name: str) -> str:
    formulas = sg.gradient(f"h = tanh({name}*q)\nh*h*{name}", wrt=None)
    return document(formulas.values(), "latex", detail=2)


@pytest.mark.parametrize("name", NAMES)
def test_latin_and_greek_names_need_no_package(name: str) -> None:
    text = derived(name)
    assert not [c for c in text if not c.isascii() and c not in "ßœŒøØłŁæÆ"], text
    formulas = sg.gradient(f"tanh({name}*q)*{name}")
    for formula in formulas.values():
        last = formula.steps()[-1]
        assert last.latex_after == formula.latex() == portable(formula.latex())
        assert "\\ensuremath" not in formula.latex()


def test_other_scripts_stay_as_they_are() -> None:
    assert portable(r"\mathrm{中} + x") == r"\mathrm{中} + x"
    assert portable("ə") == r"\text{[U+0259]}" and portable("U") == "U"


def test_typeset_names_stay_apart() -> None:
    texts = [portable(f"\\mathrm{{{name}}}") for name in NAMES]
    assert len({*texts}) == len(NAMES)


def test_a_dimension_does_not_look_like_a_variable_of_its_name() -> None:
    gradient = sg.gradient("N: param\nX: param[N]\nmean(X)*N", "X")["X"]
    assert gradient.latex() == r"\frac{N}{\#N}\, \mathbf{1}"
    assert gradient.unicode() == gradient.steps()[-1].after == "N/#N·𝟏"
    assert gradient.latex("index") == r"\frac{N}{\#N}"
    assert "X.shape[0]" in gradient.numpy()
    plain = sg.gradient("X: param[N]\nmean(X)*n", "X")["X"]
    assert plain.unicode() == "n/N·𝟏"


@pytest.mark.no_cover
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_sets_all_odd_names(tmp_path: Path) -> None:
    parts = []
    for name in NAMES:
        lines, _, rest = derived(name).rpartition("\\end{align*}")
        formulas = "\n".join(f"${row}$\n" for row in rest.split("\n") if row and row[0] != "%")
        parts.append(f"{lines}\\end{{align*}}\n{formulas}")
    packages = "\\documentclass{article}\\usepackage{amsmath,amssymb,xcolor}\\begin{document}\n"
    text = packages + "\n".join(parts) + "\\end{document}\n"
    (tmp_path / "names.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "names.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout.decode(errors="replace")[-1500:]

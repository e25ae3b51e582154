"""Every LaTeX string is set: always by ziamath, and by TeX itself where that is installed."""

import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest

import symgrad as sg
from symgrad.errors import SymgradError
from symgrad.formula import latex, report
from symgrad.ops import OPS, leaf, make
from tests.formula.test_formula import HOSTILE, PROGRAMS, TYPESET
from tests.formula.test_round_trip import AXES, S
from tests.ops import test_joining, test_matrices
from tests.ops.test_rows import sample

DOCUMENT = r"""\documentclass{article}
\usepackage{amsmath,amssymb,xcolor}
\begin{document}
%s
\end{document}
"""


@lru_cache(maxsize=1)
def printed() -> tuple[str, ...]:
    """Collect what is printed: of rows, programs and their steps, arrays, names."""
    found = [latex.write(sample(row), {}) for row in OPS.values()]
    found += [latex.write(make("pow", sample(row), leaf("n")), {}) for row in OPS.values()]
    for text in PROGRAMS.values():
        for formula in sg.gradient(text).values():
            parts = [formula, *formula.where.values()]
            found += [f"{p.latex_head} = {p.latex()}" for p in parts]
            found += [p.latex("index") for p in parts]
            found += [f"{s.latex_before} = {s.latex_after}" for s in formula.steps(3)]
    heads = {test_matrices.DECLARED: [t for t, _ in test_matrices.VALUES]}
    declared = "".join(f"{n}: real[{', '.join(map(str, d))}]\n" if d else "" for n, d in S.items())
    heads[declared] = [t for t, _ in AXES]
    for head, texts in heads.items():
        found += [latex.write(sg.parse(head + t).output, {}) for t in texts]
    for text, _ in test_joining.VALUES:
        found.append(latex.write(sg.parse(test_joining.known(text)[0] + text).output, {}))
    found += [latex.latex_name(n) for n in [*HOSTILE, *(n for n, _, _ in TYPESET)]]
    return tuple(dict.fromkeys(found))


@pytest.mark.no_cover
def test_ziamath_sets_everything() -> None:
    import ziamath

    for text in printed():
        width, height = ziamath.Latex(text, size=24).getsize()
        assert width > 0 and height > 0, text


def test_no_power_of_a_power_and_no_bare_word() -> None:
    for text in printed():
        assert not re.search(r"\^\{[^{}]*\}\^|_\{[^{}]*\}_", text), text
        assert text.count("{") - text.count(r"\{") == text.count("}") - text.count(r"\}"), text
        words = re.sub(r"\\(mathrm|operatorname|begin|end|text)\{[^{}]*\}|\\[A-Za-z]+", "", text)
        assert not re.search(r"[A-Za-z]{3}", re.sub(r"_\{[^{}]*\}|None", "", words)), text


def set_by_tex(lines: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "all.tex").write_text(DOCUMENT % "\n".join(lines), encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_tex_sets_everything(tmp_path: Path) -> None:
    lines = [rf"$\displaystyle {text}$\par" for text in printed()]
    done = set_by_tex(lines, tmp_path)
    wrong = [line for line in done.stdout.splitlines() if line.startswith(("!", "l."))]
    assert done.returncode == 0 and not wrong, wrong


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_tex_sets_derivations(tmp_path: Path) -> None:
    lines = []
    for text in PROGRAMS.values():
        for formula in sg.gradient(text).values():
            try:
                lines.append(report.steps(formula, "latex", 2))
            except SymgradError:  # no steps for what is a name
                continue
    done = set_by_tex(lines, tmp_path)
    wrong = [line for line in done.stdout.splitlines() if line.startswith(("!", "l."))]
    assert done.returncode == 0 and not wrong, wrong

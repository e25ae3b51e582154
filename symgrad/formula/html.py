"""Lay formulas and derivations out as a web page: MathML, which browsers and screen readers know.

Upstream gradients are red, local derivatives blue, the rule stands at the right. The page needs
no script and no network.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from symgrad.formula.notation import Notation, noted_head

if TYPE_CHECKING:
    from symgrad.formula.formula import Formula
    from symgrad.formula.stepping.lines import Step

PLAINER = {r"\mathbb{1}": "𝟙", r"\mathbf{1}": "𝟏", r"\mathbf{0}": "𝟎"}
BIG = re.compile(r"\\[bB]igg?([lr])")  # brackets of a fixed size; those of a browser grow
STYLE = """\
:root { color-scheme: light dark; --ink: #1a1a1a; --soft: #666; --line: #e4e4e4; --up: #b3261e;
  --local: #1a56b0; --paper: #fff; --shade: #f6f7f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --soft: #a0a0a0; --line: #3a3a3a;
  --up: #ff8a80; --local: #8ab4f8; --paper: #17181a; --shade: #212327; } }
body { margin: 2rem auto; max-width: 64rem; padding: 0 1rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
h2 { font-weight: 500; margin: 2.5rem 0 .75rem; }
math { font-size: 1.12rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
td { padding: .45rem .5rem; vertical-align: middle; border-top: 1px solid var(--line); }
tr.same td { border-top: 0; }
td.number { color: var(--soft); font-variant-numeric: tabular-nums; text-align: right;
  width: 2rem; font-size: .85rem; }
td.left { text-align: right; white-space: nowrap; padding-right: .2rem; width: 1%; }
td.right { padding-left: .2rem; }
td.rule { text-align: right; font-size: .9rem; width: 30%; }
td.rule small { display: block; color: var(--soft); }
.numbers { color: var(--soft); margin-top: .2rem; }
.numbers math { font-size: .95rem; }
tr.last td { background: var(--shade); }
.upstream { color: var(--up); }
.local { color: var(--local); }
.key, .notes, .where { color: var(--soft); font-size: .9rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""


# a minus behind these is a sign: = ≈ · ⊙ (
_SIGN = r"(<mo[^>]*>&#x0(?:003D|2248|00B7|2299|0028);</mo>)<mo>&#x02212;</mo>"
_THIN = '<mspace width="0.167em" />'


def mathml(latex: str, plain: str, block: bool = False) -> str:
    r"""Write a formula in MathML; text that cannot be converted is shown in Unicode.

    >>> mathml("W^{\\top}", "Wᵀ").startswith('<math xmlns="http://www.w3.org/1998/Math/MathML"')
    True
    """
    from latex2mathml.converter import convert

    text = latex
    for hard, easy in PLAINER.items():
        text = text.replace(hard, easy)
    text = BIG.sub(lambda m: r"\left" if m[1] == "l" else r"\right", text)
    try:
        found: str = convert(text)
    except _not_latex():
        return f'<span class="plain">{escape(plain)}</span>'
    for colour, role in (("red", "upstream"), ("blue", "local")):
        found = found.replace(f'<mstyle mathcolor="{colour}">', f'<mstyle class="{role}">')
    found = re.sub(_SIGN, r'\1<mo form="prefix">&#x02212;</mo>', found)
    found = re.sub(r"(?<=</mi>)(?=<mi>(?:log|exp|sin|cos|tan|tanh|sinh|cosh)<)", _THIN, found)
    # letters of one word belong together, for the eye and for the ear
    found = re.sub(r'(?:<mi mathvariant="normal">(?:[^<]+)</mi>){2,}', _word, found)
    style = ' displaystyle="true"' if block else ""
    return found.replace('display="inline"', f'display="inline"{style}', 1)


def _word(match: re.Match[str]) -> str:
    return "<mtext>" + re.sub(r"<[^>]*>", "", match[0]) + "</mtext>"


@lru_cache(maxsize=1)
def _not_latex() -> tuple[type[Exception], ...]:
    """List what the converter raises on text that is no LaTeX."""
    from latex2mathml import exceptions

    own = tuple(c for c in vars(exceptions).values() if isinstance(c, type))
    return (AttributeError, LookupError, TypeError, ValueError, ParseError, *own)


def derivation(steps: "Sequence[Step]", notes: Iterable[str] = ()) -> str:
    """Write the steps of one derivation as a table.

    >>> import symgrad as sg
    >>> derivation(sg.gradient("x*y")["x"].steps()).count("<tr")
    3
    """
    rows, before = [], ""
    for k, step in enumerate(steps, 1):
        same, before = step.before == before, step.before
        kinds = ["same"] * same + ["last"] * (k == len(steps))
        mark = f' class="{" ".join(kinds)}"' if kinds else ""
        left = mathml(step.latex_before, step.before, True)
        if same:
            left = f'<span class="hidden">{left}</span>'
        right = mathml("= " + step.latex_marked, f"= {step.after}", True)
        if step.numbers:
            numbers = mathml(step.latex_numbers, step.numbers, True)
            right += f'<div class="numbers">{numbers}</div>'
        rule = mathml(step.latex_rule, step.rule) if step.latex_rule else escape(step.rule)
        rows.append(
            f'<tr{mark}><td class="number">{k}</td><td class="left">{left}</td>'
            f'<td class="right">{right}</td>'
            f'<td class="rule">{rule}<small>{escape(step.why)}</small></td></tr>'
        )
    table = '<div class="scroll"><table>\n' + "\n".join(rows) + "\n</table></div>\n"
    listed = "".join(f'<p class="notes">{escape(note)}</p>\n' for note in notes)
    return table + listed


def _equation(formula: "Formula", notation: Notation | None, form: str = "matrix") -> str:
    """Write a formula with its left side."""
    head = (formula.head, formula.latex_head)
    if notation is not None:
        head = noted_head(formula, notation)
    elif form == "index":
        head = (formula.entry_head(False), formula.entry_head())
    plain, latex = formula.unicode(form, notation), formula.latex(form, notation)
    return mathml(f"{head[1]} = {latex}", f"{head[0]} = {plain}", True)


def page(
    formulas: "Iterable[Formula]", detail: int = 0, form: str = "matrix", **options: Any
) -> str:
    """Write a page of formulas; with a `detail`, each with its derivation.

    >>> import symgrad as sg
    >>> "<math" in page(sg.gradient("x*y").values(), 2)
    True
    """
    formulas, notation = list(formulas), options.get("notation")
    parts = []
    for f in formulas:
        parts.append(f"<h2>{_equation(f, notation, form)}</h2>\n")
        where = f.entry_where if form == "index" else f.where
        names = [_equation(part, notation, form) for part in where.values()]
        if names:
            parts.append(f'<p class="where">where {", ".join(names)}</p>\n')
        if detail:
            parts.append(derivation(f.steps(detail, **options), f.footnotes))
    heads = ", ".join(f.head if notation is None else noted_head(f, notation)[0] for f in formulas)
    key = ('<p class="key"><span class="upstream">upstream gradient</span> · '
           '<span class="local">local derivative</span></p>\n')  # fmt: skip
    digest = base64.b64encode(hashlib.sha256(f"\n{STYLE}".encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(heads)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        f"{key if detail else ''}{''.join(parts)}</body>\n</html>"
    )

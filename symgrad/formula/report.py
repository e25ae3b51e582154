"""Lay formulas and derivations out as text: Unicode, LaTeX, Markdown, NumPy."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from symgrad.formula.names import distinct, plain_name

if TYPE_CHECKING:
    from symgrad.formula.formula import Formula


def results(formulas: "Iterable[Formula]", to: str) -> str:
    r"""Print formulas, and once each the names that they use.

    >>> import symgrad as sg
    >>> print(results([sg.gradient("(x + y)*z")["x"]], "latex"))
    \frac{\partial f}{\partial x} = z
    """
    formulas = list(formulas)
    where: dict[str, Formula] = {}
    for formula in formulas:
        where.update(formula.where)
    # what a name uses has fewer names below it than the name itself
    where = dict(sorted(where.items(), key=lambda item: len(item[1].where)))
    if to == "numpy":
        lines = [f"{name} = {part.numpy()}" for name, part in where.items()]
        return "\n".join([*lines, *(f"grad_{f.wrt} = {f.numpy()}" for f in formulas)])
    if to == "unicode":
        lines = [f"{f.head} = {f.unicode()}" for f in formulas]
        parts = [f"{plain_name(name)} = {part.unicode()}" for name, part in where.items()]
        return "\n".join([*lines, *_listed(parts)])
    names = distinct(where)
    heads = [f"{f.latex_head} = {f.latex()}" for f in formulas]
    parts = [f"{names[name]} = {part.latex()}" for name, part in where.items()]
    if to == "latex":
        return "\n".join([*heads, *(["% where", *parts] if parts else [])])
    shown = "\n\n".join(f"$$\n{head}\n$$" for head in heads)
    listed = "\n".join(f"- ${part}$" for part in parts)
    return shown + (f"\n\nwhere\n\n{listed}" if parts else "")


def _listed(parts: list[str]) -> list[str]:
    return [f"  {'where' if k == 0 else '     '} {part}" for k, part in enumerate(parts)]


def steps(formula: "Formula", to: str, detail: int) -> str:
    """Print a derivation: a numbered list, or an `align` environment; kinks as footnotes."""
    listed = formula.steps(detail)
    if to == "latex":
        rows = [rf"{s.latex_before} &= {s.latex_after} && \text{{{s.rule}}}" for s in listed]
        notes = [f"% {note}" for note in formula.footnotes]
        return "\n".join(["\\begin{align*}", " \\\\\n".join(rows), "\\end{align*}", *notes])
    notes = [f"* {note}" for note in formula.footnotes]
    if to == "markdown":
        lines = [
            f"{k}. *{s.rule}* ({s.why}): ${s.latex_before} = {s.latex_after}$"
            for k, s in enumerate(listed, 1)
        ]
        return "\n".join([*lines, *(["", *notes] if notes else [])])
    width = max(len(s.rule) for s in listed)
    lines = [
        f"{k:>3}  {s.rule:<{width}}  {s.before} = {s.after}   ({s.why})"
        for k, s in enumerate(listed, 1)
    ]
    return "\n".join([*lines, *(f"     {note}" for note in notes)])

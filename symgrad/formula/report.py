"""Lay formulas and derivations out as text: Unicode, LaTeX, Markdown, NumPy."""

from typing import TYPE_CHECKING

from symgrad.formula.names import distinct

if TYPE_CHECKING:
    from symgrad.formula.formula import Formula


def result(formula: "Formula", to: str) -> str:
    """Print a formula and the names it uses.

    >>> import symgrad as sg
    >>> print(result(sg.gradient("(x + y)*z")["x"], "latex"))
    \\frac{\\partial f}{\\partial x} = z
    """
    if to == "unicode":
        return str(formula)
    names = distinct(formula.where)
    if to == "numpy":
        lines = [f"{name} = {part.numpy()}" for name, part in formula.where.items()]
        return "\n".join([*lines, f"grad_{formula.wrt} = {formula.numpy()}"])
    body = f"{formula.latex_head} = {formula.latex()}"
    parts = [f"{names[name]} = {part.latex()}" for name, part in formula.where.items()]
    if to == "latex":
        return "\n".join([body, *(f"% where\n{p}" if k == 0 else p for k, p in enumerate(parts))])
    where = [f"- $ {p} $" for p in parts]
    return "\n".join(["$$", body, "$$", *(["", "where", "", *where] if where else [])])


def steps(formula: "Formula", to: str, detail: int) -> str:
    """Print a derivation: a numbered list, or an `align` environment."""
    listed = formula.steps(detail)
    if to == "latex":
        rows = [rf"{s.latex_before} &= {s.latex_after} && \text{{{s.rule}}}" for s in listed]
        return "\\begin{align*}\n" + " \\\\\n".join(rows) + "\n\\end{align*}"
    if to == "markdown":
        return "\n".join(
            f"{k}. *{s.rule}* ({s.why}): $ {s.latex_before} = {s.latex_after} $"
            for k, s in enumerate(listed, 1)
        )
    width = max(len(s.rule) for s in listed)
    return "\n".join(
        f"{k:>3}  {s.rule:<{width}}  {s.before} = {s.after}   ({s.why})"
        for k, s in enumerate(listed, 1)
    )



"""Lay formulas and derivations out as text: Unicode, LaTeX, Markdown, NumPy, SymPy."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from symgrad.formula import html
from symgrad.formula.names import escape, portable
from symgrad.formula.notation import Notation, noted_head
from symgrad.graph import topological

if TYPE_CHECKING:
    from symgrad.formula.formula import Formula
    from symgrad.formula.stepping.lines import Step


def results(
    formulas: "Iterable[Formula]",
    to: str,
    form: str = "matrix",
    notation: Notation | None = None,
) -> str:
    r"""Print formulas, and once each the names that they use, in matrix or index form.

    >>> import symgrad as sg
    >>> print(results([sg.gradient("(x + y)*z")["x"]], "latex"))
    \frac{\partial f}{\partial x} = z
    """
    formulas = list(formulas)
    where: dict[str, Formula] = {}
    for formula in formulas:
        where.update(formula.entry_where if form == "index" else formula.where)
    # what a name uses stands before it
    place = {n: k for k, n in enumerate(topological([f.node for f in formulas]))}
    where = dict(sorted(where.items(), key=lambda item: place[item[1].node]))
    if to == "numpy":
        lines = [f"{name} = {part.numpy()}" for name, part in where.items()]
        return "\n".join([*lines, *(f"{_variable(f)} = {f.numpy()}" for f in formulas)])
    if to == "sympy":
        lines = [_entry(name, part) for name, part in where.items()]
        return "\n".join([*lines, *(_entry(_variable(f), f) for f in formulas)])
    if to == "unicode":
        lines = [
            f"{_head(f, False, form, notation)} = {f.unicode(form, notation)}" for f in formulas
        ]
        parts = [
            f"{part.names.called(name, False) if notation is None and form == 'matrix' else own} = "
            f"{part.unicode(form, notation)}"
            for name, part in where.items()
            for own in [_head(part, False, form, notation)]
        ]
        return "\n".join([*lines, *_listed(parts)])
    heads = [f"{_head(f, True, form, notation)} = {f.latex(form, notation)}" for f in formulas]
    parts = [
        f"{part.names.called(name) if notation is None and form == 'matrix' else own} = "
        f"{part.latex(form, notation)}"
        for name, part in where.items()
        for own in [_head(part, True, form, notation)]
    ]
    if to == "latex":
        return "\n".join([*heads, *(["% where", *parts] if parts else [])])
    shown = "\n\n".join(f"$$\n{head}\n$$" for head in heads)
    listed = "\n".join(f"- ${part}$" for part in parts)
    return shown + (f"\n\nwhere\n\n{listed}" if parts else "")


def _variable(formula: "Formula") -> str:
    """Name the variable that holds a derivative: grad_w, jacobian_w, hessian_w_b."""
    if formula.kind == "hessian":
        return f"hessian_{formula.wrt}_{formula.second}"
    return f"{'jacobian' if formula.kind == 'jacobian' else 'grad'}_{formula.wrt}"


def _entry(name: str, formula: "Formula") -> str:
    """Write an assignment of an entry in SymPy's notation."""
    index = ", ".join("ijkl"[k] if k < 4 else f"i{k}" for k in range(len(formula.shape)))
    return f"{name}{f'[{index}]' if index else ''} = {formula.sympy()}"


def _head(formula: "Formula", tex: bool, form: str, notation: Notation | None) -> str:
    """Name the left side, with indices in index form."""
    if notation is not None:
        return noted_head(formula, notation)[tex]
    if form == "index":
        return formula.entry_head(tex)
    return formula.latex_head if tex else formula.head


def _listed(parts: list[str]) -> list[str]:
    return [f"  {'where' if k == 0 else '     '} {part}" for k, part in enumerate(parts)]


def steps(formula: "Formula", to: str, detail: int = 2, **options: Any) -> str:
    r"""Print a derivation: a numbered list, or an `align` environment; kinks as footnotes.

    `options` are those of `Formula.steps`. In LaTeX, which needs amsmath, amssymb and xcolor,
    upstream gradients are red and local derivatives blue.

    >>> import symgrad as sg
    >>> print(steps(sg.gradient("f = x*y")["x"], "unicode", at={"x": 2, "y": 3}))
      1  forward     f = x y   = 2·3 = 6   (the output)
      2  seed        ∂f/∂f = 1   (the output's derivative in itself)
      3  chain rule  ∂f/∂x = y   = 3   (the output's own derivative)
    """
    listed = formula.steps(detail, **options)
    if to == "html":
        return html.derivation(listed, formula.footnotes)
    if to == "latex":
        return _align(listed, formula.footnotes)
    notes = [f"* {note}" for note in formula.footnotes]
    if to == "markdown":
        lines = [
            f"{k}. *{s.rule}* ({s.why}): ${s.latex_before} = {s.latex_marked}"
            f"{' ' * bool(s.latex_numbers)}{s.latex_numbers}$"
            for k, s in enumerate(listed, 1)
        ]
        return "\n".join([*lines, *(["", *notes] if notes else [])])
    width = max(len(s.rule) for s in listed)
    lines = [
        f"{k:>3}  {s.rule:<{width}}  {s.before} = {s.after}"
        f"{'   ' * bool(s.numbers)}{s.numbers}   ({s.why})"
        for k, s in enumerate(listed, 1)
    ]
    return "\n".join([*lines, *(f"     {note}" for note in notes)])


def _align(listed: "Sequence[Step]", notes: Iterable[str]) -> str:
    """Write an `align*`; a left side that repeats is left out."""
    rows, before = [], ""
    for s in listed:
        left = "" if s.latex_before == before else f"{s.latex_before} "
        before = s.latex_before
        rule = s.latex_rule or rf"\text{{{escape(s.rule)}}}"
        numbers = f" {s.latex_numbers}" if s.latex_numbers else ""
        rows.append(f"{left}&= {s.latex_marked}{numbers} && {rule}")
    body = " \\\\\n".join(rows)
    comments = [f"% {note}" for note in notes]
    return "\n".join(["\\begin{align*}", body, "\\end{align*}", *comments])


def document(
    formulas: "Iterable[Formula]", to: str, form: str = "matrix", detail: int = 0, **options: Any
) -> str:
    """Print formulas in a format, all their steps before them if a `detail` is given."""
    formulas = list(formulas)
    if to == "html":
        return html.page(formulas, detail, form, **options)
    parts = [steps(f, to, detail, **options) + "\n" for f in formulas] if detail else []
    text = "\n".join([*parts, results(formulas, to, form, options.get("notation"))])
    return portable(text, prose=True) if to == "latex" else text

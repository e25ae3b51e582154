"""The left side of a formula: ∂L/∂W, ∂p/∂z, ∂²L/∂w², and the same with indices."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from symgrad.formula.index import Pen, marked

if TYPE_CHECKING:
    from symgrad.formula.formula import Formula
    from symgrad.graph import Node


def head(formula: "Formula", tex: bool) -> str:
    """Write the left side of the matrix form."""
    return _whole(formula, tex) if formula.has_matrix_form else entry_head(formula, tex)


def _whole(formula: "Formula", tex: bool) -> str:
    """Write the left side without indices."""
    name = _names(formula, tex)
    if not formula.of:
        return name(formula.wrt)
    return _quotient(formula, name(formula.of), [name(w) for w in _below(formula)], tex)


def _names(formula: "Formula", tex: bool) -> Callable[[str], str]:
    return lambda name: formula.names.called(name, tex)


def _below(formula: "Formula") -> list[str]:
    twice = formula.kind in ("hessian", "hvp")
    second = formula.second if formula.kind == "hessian" else formula.wrt
    return [formula.wrt, second] if twice else [formula.wrt]


def _quotient(formula: "Formula", top: str, below: list[str], tex: bool) -> str:
    """Write a first or second derivative, and the vector that it is multiplied with."""
    d, square = (r"\partial ", "^{2} ") if tex else ("∂", "²")
    power = square if len(below) > 1 else ""
    if len(below) > 1 and below[0] == below[1]:
        low = below[0] if len(below[0]) == 1 or not tex else f"({below[0]})"
        low = d + (low + (square.strip() if tex else square))
    else:
        low = (r"\, " if tex else "").join(d + b for b in below)
    top = f"{d.strip() if power else d}{power}{top}"
    text = rf"\frac{{{top}}}{{{low}}}" if tex else f"{top}/{low}"
    if formula.kind in ("jvp", "hvp"):
        vector = formula.names.called(formula.second, tex)
        return f"{text} {vector}" if tex else f"({text}) {vector}"
    return text


def entry_head(formula: "Formula", tex: bool) -> str:
    """Write the left side of the index form: ∂p_i/∂z_j."""
    form, pen, name = formula.index, Pen(tex, {}), _names(formula, tex)
    if not formula.of:
        return _at(name(formula.wrt), form.free, formula, pen)
    if formula.kind in ("jvp", "hvp"):
        return _at(f"[{_whole(formula, tex)}]", form.free, formula, pen)
    if formula.kind == "hessian":
        cut = len(form.free) - formula.inner
        parts = [form.free[:cut], form.free[cut:]]
        low = [_at(name(w), p, formula, pen) for w, p in zip(_below(formula), parts, strict=True)]
        return _quotient(formula, name(formula.of), low, tex)
    cut = len(form.free) - formula.inner if formula.kind == "jacobian" else 0
    top = _at(name(formula.of), form.free[:cut], formula, pen)
    return _quotient(formula, top, [_at(name(formula.wrt), form.free[cut:], formula, pen)], tex)


def _at(name: str, places: "tuple[Node, ...]", formula: "Formula", pen: Pen) -> str:
    """Write a name with indices."""
    letters = [formula.index.letters.choose(k) for k in places if k.attrs["size"] != 1]
    if not letters:
        return name
    return (f"({name})" if marked(name) else name) + pen.subscript(letters)

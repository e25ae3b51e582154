"""The page of one operator, for a terminal, and the pages of docs/operators/."""

import difflib

from symgrad.curve import described
from symgrad.errors import UsageError
from symgrad.formula import plain_name
from symgrad.opdocs.accuracy import said
from symgrad.opdocs.closed import UPSTREAM, Closed, closed, known_facts, tex_name
from symgrad.opdocs.table import (
    chapter,
    definition,
    escaped,
    rules,
    shown,
    signature,
    span,
    typed,
)
from symgrad.ops import OPS, Op, lookup
from symgrad.ops.faults import needs
from symgrad.ops.spec import TYPED_AS

PICTURES = "../pictures/operators"
TITLES = {
    "activations": "Activations",
    "losses": "Losses",
    "primitives": "Primitives",
    "reductions": "Reductions",
    "linalg": "Products of matrices and axes",
    "arrays": "Arrays",
    "matrices": "Matrices",
    "normalization": "Normalisation and dropout",
}
FIGURES = {
    "losses": [
        ("margins", "Classification losses against the margin t = y f(x)"),
        ("powers", "Powers of the residual r = y − t"),
    ]
}


def find(name: str) -> Op:
    """Find a row by what a user calls it; raise UsageError with a guess if there is none."""
    row = lookup({typed_as: own for own, typed_as in TYPED_AS.items()}.get(name, name))
    if row is None:
        near = difflib.get_close_matches(name, list(OPS), 1)
        hint = f"did you mean '{near[0]}'?" if near else "symgrad ops lists all"
        raise UsageError(f"there is no operator '{name}'", hint=hint)
    return row


def pictured(row: Op) -> bool:
    """Say whether a row has a picture: f and f′ of one variable."""
    return known_facts(row) is not None


def _prime(found: Closed, name: str, latex: bool) -> str:
    """Write what a derivative is called."""
    several = len(found.node.args) > 1 or found.upstream
    if not several:
        return rf"f'({tex_name(name)})" if latex else f"f′({plain_name(name)})"
    of = "L" if found.upstream else "f"
    if latex:
        return rf"\frac{{\partial {of}}}{{\partial {tex_name(name)}}}"
    return f"∂{of}/∂{plain_name(name)}"


def _facts(row: Op) -> dict[str, str]:
    """Collect what is known about a row beside its formulas."""
    found = known_facts(row)
    told = {"domain": row.domain, "range": span(row), "at kinks": row.kinks}
    told = {k: v for k, v in told.items() if v not in ("R", "–")}
    if found:
        told = described(found)
        if row.defaults:
            names = row.operands[-len(row.defaults) :]
            values = ", ".join(
                f"{plain_name(n)} = {v}" for n, v in zip(names, row.defaults, strict=True)
            )
            told = {"below, with": values, **told}
    aliases = ", ".join(a for a in row.aliases if a != typed(row))
    return {**told, **said(row), "needs": ", ".join(needs(row)), "aliases": aliases,
            "source": row.source}  # fmt: skip


def page(name: str) -> str:
    """Show one operator on a terminal.

    >>> print(page("relu"))  # doctest: +ELLIPSIS
    relu(a)
      Rectified linear unit.
      definition:   maximum(a, 0)
      f(x):         ReLU(x) = max(x, 0)
      f′(x):        1[x > 0]
    ...
    """
    row = find(name)
    told = {"definition": definition(row).strip("`")}
    found = closed(row)
    if found is None:
        told["derivative"] = "0" if row.zero else rules(row)
    else:
        arguments = ", ".join(plain_name(a.attrs["name"]) for a in found.node.args)
        told[f"f({arguments})"] = found.plain
        for operand in found.gradients:
            told[_prime(found, operand, False)] = found.plain_slope(operand)
        if not found.gradients:
            told["derivative"] = "0"
        if found.upstream:
            told["where"] = f"{UPSTREAM} = ∂L/∂f comes back from the output"
        told["LaTeX"] = found.latex
        for operand in found.gradients:
            told[f"LaTeX {_prime(found, operand, False)}"] = found.latex_slope(operand)
    told |= _facts(row) | {"row": row.place}
    width = max(13, *(len(k) + 1 for k, v in told.items() if v))
    lines = [signature(row), f"  {row.doc}"]
    lines += [f"  {k + ':':<{width}} {v}" for k, v in told.items() if v]
    return "\n".join(lines)


# -- pages of the documentation --------------------------------------------------------------


def _section(row: Op) -> str:
    """Write one operator of a page."""
    parts = [f"## {typed(row)}", f"`{signature(row)}`: {row.doc}"]
    found = closed(row)
    told = {"definition": definition(row)}
    if found is None:
        told["derivative"] = "0" if row.zero else rules(row)
    else:
        heads = [rf"{_prime(found, n, True)} &= {found.latex_slope(n)}" for n in found.gradients]
        arguments = ", ".join(tex_name(a.attrs["name"]) for a in found.node.args)
        heads = heads or ["f' &= 0"]
        body = " \\\\[4pt]\n".join([f"f({arguments}) &= {found.latex}", *heads])
        parts.append(f"```math\n\\begin{{aligned}}\n{body}\n\\end{{aligned}}\n```")
        if found.upstream:
            parts.append(f"Here {UPSTREAM} = ∂L/∂f is what comes back from the output.")
        told |= {_prime(found, n, False): found.plain_slope(n) for n in found.gradients}
    if pictured(row):
        parts.append(f"![{typed(row)} and its derivative]({PICTURES}/{row.name}.svg)")
    told |= _facts(row)
    file = row.place.partition(":")[0]
    told["row"] = f"[{file}](../../symgrad/{file})"
    lines = ["| | |", "|---|---|"]
    lines += [f"| {escaped(k)} | {escaped(v)} |" for k, v in told.items() if v]
    return "\n\n".join([*parts, "\n".join(lines)])


def pages() -> dict[str, str]:
    """Write the pages of docs/operators/: file name -> Markdown."""
    chapters: dict[str, list[Op]] = {}
    for row in shown():
        if chapter(row):
            chapters.setdefault(chapter(row), []).append(row)
    return {f"{name}.md": _chapter(name, rows) for name, rows in chapters.items()}


def _chapter(name: str, rows: list[Op]) -> str:
    title = TITLES.get(name, name.capitalize())
    links = " · ".join(f"[{typed(row)}](#{typed(row)})" for row in rows)
    head = (
        f"# {title}\n\nGenerated by `python examples/make_operator_pages.py` from the rows in\n"
        f"[symgrad/ops/{name}.py](../../symgrad/ops/{name}.py). What is said about curves\n"
        "is computed from values and derivatives; errors are in units in the last place of\n"
        "float64, see [accuracy](../accuracy.md). All operators stand in\n"
        "[one table](../operators.md).\n\n" + links
    )
    figures = [f"![{text}]({PICTURES}/{file}.svg)" for file, text in FIGURES.get(name, [])]
    return "\n\n".join([head, *figures, *map(_section, rows)]) + "\n"

"""Put in words and numbers what a card shows, and what the picture as a whole is about."""

from collections.abc import Callable, Sequence
from math import isfinite, log10

from symgrad.diagram import measure
from symgrad.diagram.layers.card import ALARM, Text
from symgrad.diagram.layers.figures import Facts
from symgrad.diagram.layers.find import Unit
from symgrad.diagram.layers.flow import Flow
from symgrad.diagram.layers.fold import Piece
from symgrad.diagram.layers.print import Printer
from symgrad.formula import latex
from symgrad.formula.arrays import size
from symgrad.formula.names import latex_name, plain_name
from symgrad.graph import Node
from symgrad.shapes import Shape

MOST, FEW = 12, 3  # operators of a formula, and parameters, that a card may show
WIDEST, HIGHEST = 11.0, 2.7  # em of a formula on a card
NEUTRAL = 10.0  # a gradient that changes by less keeps its size
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
Shaped = Callable[[Node], Shape]


def side(dim: object) -> str:
    """Typeset a dimension."""
    name = str(dim)
    if isinstance(dim, int):
        return name
    return size(name, True) if name.isidentifier() else f"({size(name, True)})"


def features(unit: Unit, flow: Flow, shape: Shaped) -> str:
    """Typeset what a layer takes and gives: 64 → 48; the shape where it keeps it."""
    product = unit.product
    if product is None:
        found = shape(unit.exit)
        return r"{\times}".join(side(d) for d in found)
    if not product.shape and product.op == "mul":
        terms = sum(n.op == "mul" for n in unit.nodes)
        return rf"{terms} \to 1"
    ends = []
    for node in (*flow.sources(product)[:1], product):
        dims = shape(node)
        k = -2 if unit.left and len(dims) > 1 else -1
        ends.append(side(dims[k]) if dims else "1")
    if not unit.left and product.op == "matmul" and len(product.args[1].shape) == 1:
        ends[1] = "1"
    return rf"{ends[0]} \to {ends[1]}"


def text(
    piece: Piece, told: tuple[Facts, Facts], flow: Flow, shape: Shaped, printer: Printer | None
) -> Text:
    """Say what the card of a piece shows; `told` are the facts of its first and last unit."""
    first, last = piece.units[0], piece.last
    many = len(piece.units) > 1 and not piece.merged
    facts = told if many else told[:1]
    spreads = tuple(f.spread for f in facts if f.spread is not None)
    name = " … ".join(dict.fromkeys(names(piece, flow)))
    if piece.kind != "layer":
        count = sum(len(u.nodes) for u in piece.units) if piece.merged else len(first.nodes)
        title = f"{count:,} operation" + "s" * (count > 1)
        # Merged cards have no value of their own to show.
        shown = () if piece.merged else spreads
        dims = "" if piece.merged else r"{\times}".join(side(d) for d in shape(last.exit))
        repeats = piece.count if piece.block < 0 else 1
        alone = not many and not piece.merged
        about, figures = _others(facts[0], printer) if alone else ("", "")
        formula = _formula(first, flow) if alone and repeats == 1 else ""
        return Text((title,), repeats, name, dims, shown, "", about, figures, formula=formula)
    shares = [f.share for f in facts if f.share is not None]
    status = _percent(facts[0].word, shares) if printer else _weights(first, flow, shape)
    if printer and not status and first.product is not None and first.act is None:
        status = "linear" if _inside(last, flow) else "scores"
    if printer and any(f.alike for f in facts):
        status = "all units alike"
    broken = any(f.alike or f.word == "not finite" for f in facts)
    alarm = broken or any(s > ALARM for s in shares)
    repeats = piece.count if piece.block < 0 else 1
    about, figures = _gradient(facts, printer)
    dims = features(first, flow, shape)
    return Text(tuple(first.parts), repeats, name, dims, spreads, status, about, figures, alarm)


def _formula(unit: Unit, flow: Flow) -> str:
    """Write what a line computes, if that fits on a card."""
    called = {n: latex_name(name) for name, n in flow.graph.names.items() if n is not unit.exit}
    if not flow.graph.name(unit.exit) or len(unit.nodes) > MOST:
        return ""
    text = latex.write(unit.exit, called)
    outline = measure.math(text)
    return text if outline.width <= WIDEST and outline.height <= HIGHEST else ""


def _others(fact: Facts, printer: Printer | None) -> tuple[str, str]:
    """Typeset how large the gradients of a line's parameters are."""
    if printer is None or not 0 < len(fact.others) <= FEW:
        return "", ""
    letters = [latex_name(str(node.attrs["name"])[:12]) for node, _ in fact.others]
    about = r",\;".join(rf"\lVert\nabla {letter}\rVert" for letter in letters)
    return rf"{about}\;\mathrm{{rms}}", r",\;".join(printer.size(size) for _, size in fact.others)


def names(piece: Piece, flow: Flow) -> list[str]:
    """List the names of the first and the last unit of a piece, where the user gave any."""
    found = [flow.graph.name(u.exit) or "" for u in piece.units]
    found = [n for n in found if n]
    return [found[0], found[-1]] if found else []


def _inside(unit: Unit, flow: Flow) -> bool:
    """Say whether something else than a loss reads a layer."""
    return not all(u.op in ("cross_entropy", "svm", "multi_margin") for u in flow.users[unit.exit])


def _percent(word: str, shares: Sequence[float]) -> str:
    if not shares:
        return ""
    low, high = f"{100 * shares[0]:.0f}", f"{100 * shares[-1]:.0f}"
    return f"{word} {low}%" if low == high else f"{word} {low} … {high}%"


def _weights(unit: Unit, flow: Flow, shape: Shaped) -> str:
    """Count the parameters of a layer; name them where their number is not known."""
    found = dict.fromkeys(a for n in unit.nodes for a in n.args if a in flow.weights)
    total = 0
    for node in found:
        entries = 1
        for dim in shape(node):
            if not isinstance(dim, int):
                return ", ".join(plain_name(str(n.attrs["name"]))[:12] for n in list(found)[:4])
            entries *= dim
        total += entries
    return f"{total:,} parameter" + "s" * (total != 1) if found else ""


def _gradient(facts: Sequence[Facts], printer: Printer | None) -> tuple[str, str]:
    """Typeset whose gradient is told, and how large it is: the first … the last of a run."""
    weight, sizes = facts[0].weight, [f.grad for f in facts if f.grad is not None]
    if weight is None or not sizes or printer is None:
        return "", ""
    name = str(weight.attrs["name"])
    alike = len(facts) > 1 or facts[0].several
    stem = name.rstrip("0123456789") if alike else name
    here = r"\mathrm{here,}\;" if facts[0].shared else ""
    letter = latex_name((stem or name)[:12])
    printed = list(dict.fromkeys(printer.size(s) for s in (sizes[0], sizes[-1])))
    return (
        rf"\lVert\nabla {letter}\rVert\;{here}\mathrm{{rms}}",
        r"\,\ldots\,".join(printed),
    )


def headline(sizes: Sequence[float], at_input: bool) -> str:
    """Say how the gradient changes on its way back; `sizes` run from the loss to the input.

    >>> headline([1.0e-2, 3e-4, 7.9e-6], True)
    'The gradient shrinks by 1,266× from the loss to the input'
    """
    if len(sizes) < 2:
        return ""
    start, end = sizes[0], sizes[-1]
    place = "the input" if at_input else "the first layer"
    if not all(isfinite(s) for s in sizes):
        return f"The gradient overflows on its way from the loss to {place}"
    if not start:
        return "The gradient is 0 already at the loss"
    if not end:
        return f"The gradient dies out: it is 0 at {place}"
    factor = start / end
    if factor >= NEUTRAL:
        return f"The gradient shrinks by {_factor(factor)}× from the loss to {place}"
    if factor <= 1 / NEUTRAL:
        return f"The gradient grows by {_factor(1 / factor)}× from the loss to {place}"
    return f"The gradient keeps its size, within a factor of 10, from the loss to {place}"


def _factor(factor: float) -> str:
    if factor < 1e6:
        return f"{factor:,.0f}"
    if not isfinite(factor):
        return "more than 10³⁰⁸"
    power = int(log10(factor))
    return f"{factor / 10.0**power:.1f}·10" + str(power).translate(RAISED)

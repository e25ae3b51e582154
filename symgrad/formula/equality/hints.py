"""Say in what a wrong formula differs from the right one: a factor, a sign, a transpose, a term.

What is said was found by trying: in numbers at several points and sizes, and then exactly where
that can be done.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from symgrad.errors import SymgradError
from symgrad.formula import plain
from symgrad.formula.equality.points import CLEAR, Pair
from symgrad.formula.names import plain_name
from symgrad.graph import Graph, Node, intern, rebuild, topological
from symgrad.ops import OPS, make, remake
from symgrad.rewrite import operations, simplify
from symgrad.shapes import text as shape_text

SHORT = 6  # operations of a missing term or factor that is worth saying
RATIOS = 4
LARGE = 200  # operations above which nothing short is looked for
DENSE = ("matmul", "outer", "sum")  # quotients of these are no factors that people forget
SAME = 1e-9
Array = Any


class Sides:
    """Name the two things that are compared."""

    def __init__(
        self, left: str, right: str, graph: Graph, named: Mapping[Node, str], wrt: str = ""
    ) -> None:
        self.left, self.right, self.graph, self.named, self.wrt = left, right, graph, named, wrt

    def show(self, node: Node) -> str:
        """Write a node with the names of the program."""
        shown = {n: plain_name(t) for n, t in self.named.items() if n is not node}
        return plain.write(node, shown)


def hints(left: Node, right: Node, sides: Sides, scalar_loss: bool) -> list[str]:
    """Collect what helps; `scalar_loss` says that the left side is a gradient."""
    found: list[str] = []
    if left.shape == right.shape or not right.shape:
        found += _factor(left, right, sides, scalar_loss, "")
    if len(left.shape) == 2 and right.shape in (left.shape, left.shape[::-1]):
        turned = make("transpose", right)
        if not found and turned.shape == left.shape:
            found += _turned(left, turned, sides, scalar_loss)
    if not found and len(right.shape) > len(left.shape):
        found += _unsummed(left, right, sides)
    if not found and left.shape == right.shape:
        found += list(_missing(left, right, sides))
    if not found and left.shape == right.shape:
        found += _under_facts(left, right, sides)
    return found


# -- a factor --------------------------------------------------------------------------------


def ratio(left: Node, right: Node, graph: Graph) -> tuple[float, dict[str, int]] | None:
    """Give right/left if it is one number, other than 1, or that times a power of a dimension."""
    pair = Pair(left, right, graph)
    found: list[tuple[float, dict[str, int]]] = []
    wanted = 2 if pair.heavy({}) else RATIOS
    for seed in range(6 * wanted):
        sizes = pair.sizes(3 + seed % 4)
        got = pair.at(pair.draw(sizes, "free", seed))
        if got is None:
            continue
        c = _constant(*got)
        if c is None:
            continue
        if c == 0 or not np.isfinite(c):
            return None
        found.append((c, sizes))
        if len(found) == wanted:
            break
    if len(found) < wanted:
        return None
    for powers in _powers(pair.dims):
        rest = [c / np.prod([float(s[d]) ** k for d, k in powers.items()]) for c, s in found]
        if np.ptp(rest) <= SAME * abs(rest[0]):
            return float(rest[0]), powers
    return None


def _constant(left: Array, right: Array) -> float | None:
    """Give the one quotient of all entries; 0 if there is none, None if nothing can be said."""
    scale = max(float(np.max(np.abs(left), initial=0)), float(np.max(np.abs(right), initial=0)))
    if not np.isfinite(scale) or scale < 1e-200:
        return None
    large = (np.abs(left) > 1e-6 * scale) | (np.abs(right) > 1e-6 * scale)
    with np.errstate(all="ignore"):
        quotients = (right / left)[large]
    if not np.all(np.isfinite(quotients)) or np.ptp(quotients) > SAME * abs(quotients[0]):
        return 0.0
    return float(quotients[0])


def _powers(dims: list[str]) -> Iterator[dict[str, int]]:
    yield {}
    for k in (1, -1, 2, -2):
        yield from ({d: k} for d in dims)
    for a in dims:
        for b in dims:
            if a < b:
                yield from ({a: j, b: k} for j in (1, -1) for k in (1, -1))


def _number(c: float) -> str:
    near = Fraction(c).limit_denominator(10_000)
    if abs(float(near) - c) <= SAME * abs(c):
        return str(near).replace("-", "−")
    return f"{c:.6g}".replace("-", "−")


def _product(c: float, powers: Mapping[str, int]) -> str:
    """Write a factor: 2N, N/2, 1/N."""
    near = Fraction(c).limit_denominator(10_000)
    if abs(float(near) - c) > SAME * abs(c):
        return "·".join([_number(c), *(f"{d}^{k}" if k != 1 else d for d, k in powers.items())])
    top = [d if k == 1 else f"{d}²" for d, k in powers.items() if k > 0]
    low = [d if k == -1 else f"{d}²" for d, k in powers.items() if k < 0]
    if abs(near.numerator) != 1 or not top:
        top.insert(0, str(abs(near.numerator)))
    if near.denominator != 1:
        low.insert(0, str(near.denominator))
    sign = "−" if near < 0 else ""
    below = "·".join(low)
    return sign + "·".join(top) + (f"/({below})" if len(low) > 1 else f"/{below}" if low else "")


def _factor(left: Node, right: Node, sides: Sides, gradient: bool, also: str) -> list[str]:
    found = ratio(left, right, sides.graph)
    if found is None:
        return []
    c, powers = found
    if abs(c - 1) <= SAME and not powers:
        return [also] if also else []
    tail = f"; {also}" if also else ""
    if abs(c + 1) <= SAME and not powers:
        return [f"{sides.right} has the opposite sign{tail}"]
    if not powers and abs(c) != 1:
        powers, c = _numeric(c, left, sides.graph) or (powers, c)
    what = _product(c, powers)
    lines = [f"{sides.right} is {what} times {sides.left}{tail}"]
    if gradient and abs(c - 1) <= SAME and len(powers) == 1:
        ((d, k),) = powers.items()
        lines += _averaged(d, k, sides)
    elif not gradient or powers or not any(_squares(n) for n in sides.graph.order()):
        pass
    elif abs(c - 0.5) <= SAME:
        lines.append("the 2 that a square brings down is missing, or the loss has no 1/2")
    elif abs(c - 2) <= SAME:
        lines.append("the 1/2 of the loss cancels the 2 that a square brings down")
    return lines


def _squares(node: Node) -> bool:
    square = node.op == "pow" and node.args[1].attrs.get("value") == 2
    return square or node.op in ("square", "mse", "norm")


def _numeric(c: float, node: Node, graph: Graph) -> tuple[dict[str, int], float] | None:
    """Recognise a factor as a size that is given by a number."""
    sizes = [d for n in graph.order() for d in n.shape if isinstance(d, int) and d > 2]
    for d in sizes:
        for k in (1, -1):
            if abs(c - float(d) ** k) <= SAME * abs(c):
                return {str(d): k}, 1.0
    return None


def _averaged(d: str, k: int, sides: Sides) -> list[str]:
    """Speak of sums and means, if the loss is one of them."""
    means = [n for n in sides.graph.order() if _is_mean(n)]
    if k == 1 and means:
        return [f"the factor 1/{d} is missing: this is the gradient of the sum, the loss is a mean"]
    if k == -1 and not means:
        return [f"it is divided by {d}, and the loss is not: the loss is a sum, no mean"]
    if k == -1:
        return [f"it is divided by {d} once too often"]
    return []


def _is_mean(node: Node) -> bool:
    row = OPS.get(node.op)
    if node.op == "div" and any(n.op == "dim" for n in topological([node.args[1]])):
        return True
    return node.op == "mean" or bool(
        row is not None and row.reduction and node.attrs.get("reduction") == "mean"
    )


# -- shapes ----------------------------------------------------------------------------------


def _turned(left: Node, turned: Node, sides: Sides, gradient: bool) -> list[str]:
    also = f"{sides.right} is the transpose"
    if gradient:
        also += (
            ": the numerator layout, in which ∂L/∂W has the shape of Wᵀ; symgrad's gradients "
            f"have the shape {shape_text(left.shape)} of what they are taken in"
        )
    return _factor(left, turned, sides, gradient, also)


def _unsummed(left: Node, right: Node, sides: Sides) -> list[str]:
    for axis in range(len(right.shape)):
        for op in ("sum", "mean"):
            reduced = make(op, right, axis=axis)
            if reduced.shape == left.shape and agree(left, reduced, sides.graph):
                return [f"the {op} of {sides.right} over axis {axis} is missing: "
                        f"{op}(…, axis={axis}) equals {sides.left}"]  # fmt: skip
    return []


def agree(left: Node, right: Node, graph: Graph, count: int = 8) -> bool:
    """Say whether two nodes agree at some random points."""
    pair = Pair(left, right, graph)
    seen = 0
    for _, point, a, b in pair.points():
        if a.shape != b.shape or pair.differs(point, a, b) is not None:
            return False
        seen += 1
        if seen == count:
            break
    return seen > 0


# -- a term, a factor that is no number ------------------------------------------------------


def _missing(left: Node, right: Node, sides: Sides) -> Iterator[str]:
    if len(topological([left, right])) > LARGE:
        return
    names = tuple(n for n in sides.named if n is not left and n is not right)
    least = min(operations([left], names), operations([right], names))
    for term, words in (
        (make("sub", left, right), "the term {} is missing"),
        (make("sub", right, left), "the term {} is too much"),
    ):
        short = simplify([term], names)[term]
        fits = short.op != "neg" and operations([short], names) < min(least, SHORT)
        if fits and agree(term, short, sides.graph):
            yield words.format(sides.show(short))
            return
    for quotient, words in (
        (make("div", left, right), "the factor {} is missing"),
        (make("div", right, left), "the factor {} is too much"),
    ):
        short = simplify([quotient], names)[quotient]
        dense = any(n.op in DENSE for n in topological([short], names.__contains__))
        above = short.op != "div" or short.args[0].op != "const"
        fits = not dense and above and operations([short], names) < min(least + 1, SHORT)
        if fits and agree(quotient, short, sides.graph):
            yield words.format(sides.show(short))
            return


# -- facts -----------------------------------------------------------------------------------

SAYS = {
    "positive": "{} is positive", "binary": "{} is 0 or 1", "sign": "{} is ±1",
    "onehot": "the rows of {} are one-hot", "simplex": "the rows of {} are distributions",
    "symmetric": "{} is symmetric",
}  # fmt: skip


def declared(root: Node, name: str, kind: str) -> Node:
    """Give an expression in which an input is declared as another kind."""

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "input" and node.attrs["name"] == name:
            return intern("input", (), {"name": name, "kind": kind}, node.shape, node.dtype)
        return remake(node, args)

    return rebuild([root], change)[root]


def _under_facts(left: Node, right: Node, sides: Sides) -> list[str]:
    """Find a declaration of one input under which both sides agree."""
    inputs = [n for n in Graph.of([left, right]).inputs if n.dtype == "float"]
    if len(topological([left, right])) > LARGE or not _far(left, right, sides.graph):
        return []
    for node in inputs:
        name = node.attrs["name"]
        for kind, says in SAYS.items():
            rank = len(node.shape)
            if name == sides.wrt and kind != "positive":
                continue
            if kind == node.attrs["kind"] or (kind in ("onehot", "simplex") and not rank):
                continue
            if kind == "symmetric" and (rank != 2 or node.shape[0] != node.shape[1]):
                continue
            sides_now = [declared(side, name, kind) for side in (left, right)]
            graph = Graph.of(sides_now, dims=sides.graph.dims)
            try:
                if agree(sides_now[0], sides_now[1], graph):
                    dims = f"[{', '.join(map(str, node.shape))}]" if rank else ""
                    said = f"they are equal where {says.format(plain_name(name))}"
                    if not sides.wrt and kind in ("binary", "sign"):
                        return [said]  # of two functions this is a place, no declaration
                    return [f"{said}: declare  {name}: {kind}{dims}"]
            except SymgradError:
                continue
    return []


def _far(left: Node, right: Node, graph: Graph) -> bool:
    """Say whether both sides differ by so much that numbers would show it anywhere."""
    for _, _, a, b in Pair(left, right, graph).points():
        gap, scale = np.nanmax(np.abs(a - b)), np.nanmax(np.abs([a, b]))
        if gap > CLEAR * scale:
            return True
    return False

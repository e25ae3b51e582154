"""Say in words where and why a value is not finite: the lines of a divergence report."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from symgrad.errors import DataError
from symgrad.evaluate import LOGS, Array, values
from symgrad.formula import plain
from symgrad.graph import Graph, Node, Users, line_of
from symgrad.ops import OPS, const, leaf, letters, make
from symgrad.parse import written

LONG = 60  # characters of a formula, 100 of a source line
MODEST = 20.0  # operands below have not grown: exp of 20 is finite
LOWER = "values have grown too large: lower the rate, clip the gradient, or standardise the inputs"
INSIDE = "keep it there with clip or maximum, or add a small constant"
SCORES = "; cross_entropy and bce_with_logits\ntake scores and need no log"
STEEP = "keep away from there: add a small constant inside, as in sqrt(x + 1e-12)"
DATA = "fill in or drop such rows before training"
BEFORE = "it was so before this step: an earlier update, or the start, made it so"


class Wording:
    """Describe nodes of one graph whose values are known."""

    def __init__(
        self, graph: Graph, users: Users, known: Mapping[Node, Array], largest: float
    ) -> None:
        self.graph, self.users, self.known, self.largest = graph, users, known, largest

    def place(self, node: Node) -> tuple[str, int | None]:
        """Give the name and the line of a node, or of the nearest value that it is a part of."""
        name, line = self.graph.name(node) or "", line_of(self.graph.spans, node)
        queue, seen = [node], {node: None}
        for at in queue:
            if name and line is not None:
                break
            name = name or self.graph.name(at) or ""
            line = line_of(self.graph.spans, at) if line is None else line
            above = [u for u, _ in self.users.get(at, ()) if u not in seen]
            seen.update(dict.fromkeys(above))
            queue += dict.fromkeys(above)
        return name, line

    def forward(self, node: Node) -> str:
        """Say that a value is the first that is not finite."""
        value = np.asarray(self.known[node])
        index = self._first(value)
        entry = self._number(value[index])
        if node.op == "input":
            return self._input(node, index, entry)
        at = [float(np.broadcast_to(self.known[a], value.shape)[index]) for a in node.args] \
            if self._entrywise(node) else []  # fmt: skip
        first = f"{self.spoken(node)} is {entry}{_at(index)}{self._call(node, at)}"
        domain = self._outside(node, at, float(value[index]))
        ranges = self._ranges(node)
        why = f"needed is {domain}; {ranges}" if domain else ranges
        small = bool(at) and max(map(abs, at)) < MODEST
        logs = node.op in LOGS or "log(" in OPS[node.op].formula
        hint = INSIDE + (SCORES if logs else "") if domain or small else LOWER
        return "\n".join(filter(None, [first + self._where(node), why, hint]))

    def backward(
        self, node: Node, k: int, share: Array, g: Array, steep: bool, reached: list[str]
    ) -> str:
        """Say that what flows back to operand k of a node is the first that is not finite."""
        share = np.asarray(share)
        index, by = self._first(share), self.called(node.args[k])
        if steep:
            first = f"the derivative of {self.spoken(node)} by {by}"
        else:
            first = f"the gradient that {self.spoken(node)} passes to {by}"
        first += f" is {self._number(share[index])}{_at(index)}{self._where(node)}"
        arrives = f"the gradient that arrives {_range(g)}"
        why = "; ".join(filter(None, [self._ranges(node), arrives, _reach(reached)]))
        return "\n".join([first, why, STEEP if steep else LOWER])

    def total(self, node: Node, value: Array, reached: list[str]) -> str:
        """Say that the contributions to a gradient are finite, and their sum is not."""
        value = np.asarray(value)
        index = self._first(value)
        first = f"the gradient of {self.called(node)} is {self._number(value[index])}{_at(index)}"
        why = f"it is a sum over {len(self.users.get(node, ()))} uses; {_reach(reached)}"
        return "\n".join([first + self._where(node), why, LOWER])

    def failed(self, node: Node, error: DataError) -> str:
        """Say that a value could not be computed."""
        first = f"{self.spoken(node)}: {error.message}{self._where(node)}"
        return "\n".join(filter(None, [first, self._ranges(node), error.hint]))

    def spoken(self, node: Node) -> str:
        """Write a node as a formula, cut off two levels below."""
        names: dict[Node, str] = {}
        level = list(node.args)
        for depth in range(2):
            below: list[Node] = []
            for a in level:
                name = self.graph.name(a)
                if name:
                    names[a] = name
                elif a.args and depth:
                    names[a] = "…"
                else:
                    below += a.args
            level = below
        text = plain.write(node, names)
        return text if len(text) <= LONG else f"{node.op}(…)"

    def called(self, node: Node) -> str:
        """Give the name of a value, or its formula."""
        return self.graph.name(node) or self.spoken(node)

    def _where(self, node: Node) -> str:
        name, line = self.place(node)
        parts = [f"in {name}"] if name and node.op != "input" else []
        if line is not None:
            lines = self.graph.source.split("\n")
            text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
            text = "".join(c if c.isprintable() else " " for c in text)
            text = text if len(text) <= 100 else text[:99] + "…"
            parts.append(f"line {line}:  {text}" if text else f"line {line}")
        return f"  ({', '.join(parts)})" if parts else ""

    def _input(self, node: Node, index: tuple[int, ...], entry: str) -> str:
        value = np.asarray(self.known[node])
        axes = ("row", "column") if len(index) <= 2 else ()
        places = [f"{w} {i}" for w, i in zip(axes, index, strict=False)] if axes else []
        where = f" in {', '.join(places)}" if places else _at(index)
        count = int((~(np.abs(value) <= self.largest)).sum())
        of = f"{count} of its {value.size} entries {'is' if count == 1 else 'are'} not finite"
        trained = node.attrs["kind"] == "param"
        first = f"{node.attrs['name']} has {entry}{where}{self._where(node)}"
        return f"{first}\n{of}\n{BEFORE if trained else DATA}"

    def _first(self, value: Any) -> tuple[int, ...]:
        wrong = ~(np.abs(value) <= self.largest)
        return tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), value.shape))

    def _number(self, value: Any) -> str:
        if np.isnan(value):
            return "NaN"
        if np.isfinite(value):
            return f"{value:.3g}, too large for float32"
        return "∞" if value > 0 else "−∞"

    def _entrywise(self, node: Node) -> bool:
        return OPS[node.op].shape == "elementwise" and all(a.dtype == "float" for a in node.args)

    def _call(self, node: Node, at: list[float]) -> str:
        """Write an operator with the numbers that meet at one entry."""
        if not at or not np.isfinite(at).all():
            return ""
        numbers = [a if a.op == "const" else const(_short(v))
                   for a, v in zip(node.args, at, strict=True)]  # fmt: skip
        text = plain.write(make(node.op, *numbers, **node.attrs), {})
        return f": {text}" if len(text) <= LONG else ""

    def _outside(self, node: Node, at: list[float], result: float) -> str:
        """Give the condition of an operator's domain that an entry breaks, "" where none is."""
        row = OPS.get(node.op)
        if row is None or row.domain == "R" or not at:
            return ""
        named = dict(zip(letters(row, len(at)), map(self.called, node.args), strict=False))
        try:
            leaves = [leaf(letter) for letter in named]
            test = written(row.domain, leaves)
            broken = not values([test], dict(zip(leaves, at, strict=True)), {})[test]
        except SyntaxError:  # a domain in words
            broken = bool(np.isnan(result) or 0.0 in at)
        if not broken:
            return ""
        text = re.sub(r"\b[a-h]\b", lambda m: named.get(m.group(), m.group()), row.domain)
        return text.replace("!=", "≠").replace(">=", "≥").replace("<=", "≤")

    def _ranges(self, node: Node) -> str:
        shown = [a for a in dict.fromkeys(node.args) if a.op not in ("const", "dim")
                 and a.dtype == "float" and a in self.known]  # fmt: skip
        return ", ".join(f"{self.called(a)} {_range(self.known[a])}" for a in shown[:2])


def _short(value: float) -> int | float:
    rounded = float(f"{value:.5g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 1e6 else rounded


def _at(index: tuple[int, ...]) -> str:
    return f" at [{', '.join(map(str, index))}]" if index else ""


def _range(value: Any) -> str:
    array = np.asarray(value, dtype=np.float64)
    finite = array[np.isfinite(array)]
    lost = array.size - finite.size
    if not finite.size:
        return "has no finite entry" if array.size else "is empty"
    if not lost and finite.min() == finite.max():
        return f"is {finite.flat[0]:.4g}" + (" throughout" if array.size > 1 else "")
    rest = f" ({lost} of {array.size} not finite)" if lost else ""
    return f"runs from {finite.min():.4g} to {finite.max():.4g}{rest}"


def _reach(reached: list[str]) -> str:
    more = f" and {len(reached) - 1} more" if len(reached) > 1 else ""
    return f"it reaches the gradient of {reached[0]}{more}"

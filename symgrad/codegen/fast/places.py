"""Find where things are: lines of the written module, and lines and columns of the user's text."""

import re
from collections.abc import Mapping
from typing import Any

from symgrad.codegen.fast.module import FastModule
from symgrad.codegen.fast.writing import Statements
from symgrad.codegen.folding import fold
from symgrad.codegen.guard import verified
from symgrad.formula.naming import users_names
from symgrad.graph import Node

MARK = re.compile(r"\s*#@\(?([\dk+−]+)\)?(?: \(first round\))?")
ROUNDS = re.compile(r"\s*# k = (-?\d+), (-?\d+), …, (-?\d+)")  # of a loop over layers
ROWS = re.compile(r"\w+ = [\w.]+\[rows\w*\]")  # an operand's rows, taken before a statement


def marked(statements: type[Statements]) -> type[Statements]:
    """Derive a writer of statements that says in a comment which node the next lines compute."""

    class Marked(statements):  # type: ignore[misc, valid-type]
        """Write a mark in front of each statement."""

        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            self.marks = {n: k for k, n in enumerate(self.s.order)}

        def _note(self, node: Node, lines: list[str]) -> None:
            lines.append(f"#@{self.marks[node]}")
            super()._note(node, lines)

    return Marked


class Lines:
    """Hold a module's `program`, its text in a file, and in which lines that computes what."""

    def __init__(self, module: FastModule) -> None:
        module.statements_of = marked(type(module).statements_of)
        order = module.schedule.order
        self.of: dict[Node, int] = {}
        self.statements: dict[int, str] = {}  # by the line in which they begin
        self.loops: list[int | str] = []  # lines of loops over layers
        kept: list[str] = []
        waiting: list[Node] = []
        rounds = range(1)
        self.program = module.source()
        nodes = {module.called[n]: n for n in module.inputs}
        lines = verified(self.program, nodes, module.name).split("\n")
        for line, rows in zip(lines, fold(lines), strict=True):
            found, told = MARK.fullmatch(line), ROUNDS.fullmatch(line)
            if found:
                several = rounds if "k" in found[1] else range(1)
                waiting += [order[_number(found[1], k)] for k in several]
                continue
            if told:
                first, second, last = map(int, told.groups())
                rounds = range(first, last + second - first, second - first)
                self.loops.append(len(kept) + 2)
            if not line.lstrip().startswith("#") and not ROWS.fullmatch(line.strip()):
                self.of |= dict.fromkeys(waiting, len(kept) + 1)
                self.statements[len(kept) + 1] = line
                waiting = []
            kept += rows
        self.text = "\n".join(kept)


def _number(formula: str, k: int) -> int:
    """Work out a multiple of k and a number, as they are written in marks.

    >>> _number("5k+2", 3), _number("514−5k", 2), _number("k", 7)
    (17, 504, 7)
    """
    total = 0
    for sign, digits, times in re.findall(r"([+−]?)(\d*)(k?)", formula):
        if digits or times:
            total += int(digits or 1) * (k if times else 1) * (-1 if sign == "−" else 1)
    return total


class Sources:
    """Say where in the user's text the values of a plan come from."""

    def __init__(self, module: FastModule) -> None:
        graph = module.original.graph
        self.spans = graph.spans
        self.named = {name: node for node, name in users_names(graph).items()}
        self.names: Mapping[Node, str] = module.original.names

    def of(self, node: Node) -> str:
        """Give line and column of a node, "" where it has none."""
        for known in (node, self.named.get(self.names.get(node, ""))):
            if known is not None and known in self.spans:
                span = self.spans[known]
                return f"{span.line}:{span.column}"
        return ""

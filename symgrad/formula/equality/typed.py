"""Read an expression that somebody else has typed, over the names of a program."""

import ast
import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from symgrad.errors import NameClashError, ParseError, ShapeError, SymgradError
from symgrad.graph import Graph, Node, dimensions
from symgrad.ops import make
from symgrad.parse import filed
from symgrad.parse.calls import known_functions
from symgrad.parse.limits import scan
from symgrad.parse.syntax import syntax_tree
from symgrad.parse.text import Program
from symgrad.parse.values import Val

VARIANTS = 24


class Typed(Program):
    """Read a text in which the inputs, names and dimensions of a program are known."""

    def __init__(self, source: str, graph: Graph, names: Mapping[str, Node], free: bool) -> None:
        super().__init__(source)
        self.free = free  # whether new names are inputs, as in a program
        self.sizes.update(graph.dims)
        self.functions.update(dict.fromkeys(graph.functions, ast.Pass()))
        self.variables.update({n.attrs["name"]: n for n in graph.inputs})
        self.variables.update(names)
        self.known = dict(self.variables)
        for name in dimensions(graph.inputs):
            self.dims.setdefault(name, None)

    def lookup(self, tree: ast.AST, name: str) -> Val:
        """Find what a name stands for; `e_y` is the one-hot form of the labels y."""
        places = (self.index, self.variables, self.dims, self.functions)
        if any(name in place for place in places) or name in self.assigned:
            return super().lookup(tree, name)
        labels = self.known.get(name[2:]) if name.startswith("e_") else None
        if labels is not None and "classes" in labels.attrs:
            return Val(make("onehot", labels, size=labels.attrs["classes"]))
        if self.free or name in known_functions() or name in ("inf", "nan", "pi"):
            return super().lookup(tree, name)
        near = difflib.get_close_matches(name[:40], self.known, 1)
        listed = f"known are {', '.join(list(self.known)[:20])}"
        hint = f"did you mean '{near[0]}'?" if near else listed
        raise self.error(tree, f"unknown name '{name[:60]}'", hint)

    def declarations(self, tree: ast.Module) -> None:
        """Accept declarations of new inputs, and repeated ones; refuse others."""
        for statement in tree.body:
            if isinstance(statement, ast.AnnAssign) and not self.free:
                raise self.error(statement, "the inputs are those of the program",
                                 "leave the declaration out")  # fmt: skip
        declared = dict(self.known)
        self.survey(tree)
        self.given({})
        for name, before in declared.items():
            now = self.variables[name]
            if now is not before and name in self.declared:
                raise NameClashError(f"'{name}' is declared twice, differently",
                                     span=self.span(self.declared[name][2]), source=self.source,
                                     hint="both sides have the same inputs")  # fmt: skip
            if name in self.assigned and before.op == "input":
                raise NameClashError(f"the input '{name}' is assigned on line "
                                     f"{self.assigned[name]}", hint="give the result a name "
                                     "of its own")  # fmt: skip
        self.labels = {}


def read_typed(
    text: str, graph: Graph, names: Mapping[str, Node], *, free: bool = False
) -> tuple[Node, Typed]:
    """Read an expression over the inputs and names of a program; give its node and its reader.

    Raises the errors of `parse`, with line, column and a caret. With `free` new names are inputs.

    >>> from symgrad.parse import parse
    >>> g = parse("p = w*x; (p - y)**2")
    >>> read_typed("2*(p - y)*x", g, g.names)[0].shape
    ()
    """
    if not isinstance(text, str):
        raise ParseError(f"an expression is text, not {type(text).__name__}", hint=filed.hint(text))
    scan(text)
    program = Typed(text, graph, names, free)
    tree = syntax_tree(text)
    program.declarations(tree)
    for statement in tree.body:
        program.statement(statement)
    if program.output is None:
        raise ParseError("the expression is empty", source=text,
                         hint="for example  X.T @ (P - Y)/N")  # fmt: skip
    return program.output, program


def turned(text: str, graph: Graph, names: Mapping[str, Node]) -> Iterator[tuple[str, Node]]:
    """Yield the same expression with an operand of a product transposed, or both swapped."""
    tree = syntax_tree(text)
    products = [
        n for n in ast.walk(tree) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.MatMult)
    ]
    tried = 0
    for node in products:
        left, right = node.left, node.right
        for a, b in (
            (_top(left), right), (left, _top(right)), (right, left), (_top(right), left),
            (right, _top(left)), (_top(left), _top(right)),
        ):  # fmt: skip
            tried += 1
            if tried > VARIANTS:
                return
            node.left, node.right = a, b
            variant = ast.unparse(tree)
            node.left, node.right = left, right
            try:
                yield variant, read_typed(variant, graph, names)[0]
            except SymgradError:
                continue


def _top(tree: ast.expr) -> ast.expr:
    """Write A.T for A, and A for A.T."""
    if isinstance(tree, ast.Attribute) and tree.attr == "T":
        return tree.value
    return ast.Attribute(value=tree, attr="T", ctx=ast.Load())


def misfit(error: ShapeError) -> str:
    """Say in one line which shapes do not fit."""
    first = str(error).split("\n")[0]
    return first + (f"; {error.hint}" if error.hint else "")


def context(graph: Graph, names: Mapping[Node, str]) -> dict[str, Node]:
    """Collect what a text may speak of by name: intermediates, and those that formulas use."""
    found: dict[str, Any] = {name: node for node, name in names.items()}
    found.update(graph.names)
    return found

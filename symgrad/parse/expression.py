"""Read an expression: from Python's syntax tree, by an allowlist, to nodes.

Nothing is evaluated and nothing recurses: each kind of syntax is a generator that yields the
sub-expressions it needs, and one loop runs them on an explicit stack.
"""

import ast
import math
from bisect import bisect_left
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from symgrad import shapes
from symgrad.errors import LimitError, ParseError, ShapeError, Span, SymgradError
from symgrad.graph import Node
from symgrad.ops import const, dim, make, value_of
from symgrad.parse import meant, pasted
from symgrad.parse.arithmetic import Place
from symgrad.parse.doubts import doubt
from symgrad.parse.limits import MAX_NUMBER
from symgrad.parse.misfit import SYMBOL, explain
from symgrad.parse.sizes import check_sizes
from symgrad.parse.values import Val, Visit, align
from symgrad.shapes import Bindings, Dim

if TYPE_CHECKING:
    from symgrad.parse.affine import Affine

BINARY: dict[type, str] = {
    ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div", ast.Pow: "pow",
    ast.MatMult: "matmul",
}  # fmt: skip
COMPARE: dict[type, str] = {
    ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne",
}  # fmt: skip
Tree = ast.AST | Place  # where something stands in the text
PREDEFINED = {"inf": math.inf, "nan": math.nan, "pi": math.pi, "π": math.pi}


class Reader:
    """Turn syntax trees into values; knows the variables, dimensions and index ranges."""

    def __init__(self, source: str, sizes: Bindings | None = None) -> None:
        self.source = source
        self.sizes = Bindings() if sizes is None else sizes
        self.variables: dict[str, Node] = {}
        self.dims: dict[str, None] = {}
        self.index: dict[str, Dim | None] = {}
        self.starts: dict[str, Dim] = {}  # of the indices that range over a part of their axes
        self.guards: list[Affine] = []  # sums of indices that are at least 0, by conditions
        self.padded: dict[Node, list[Affine]] = {}  # what is 0 where such a sum is below 0
        self.defined: list[str] = []  # the indices on the left of L[i, j] = …
        self.functions: dict[str, ast.AST] = {}  # abstract ones, and where they are declared
        self.spans: dict[Node, Span | Place] = {}
        self.literals: dict[str, Any] = {}
        self.macros: dict[str, Callable[..., Val]] = {}
        self.trusted = False  # a row's own text may use operators that users cannot type
        self.bounded: dict[Node, float] = {}
        self._lines: list[str] | None = None
        self._wide: dict[int, list[int]] = {}

    # -- places and errors -------------------------------------------------------------------

    def span(self, tree: Tree) -> Span:
        """Locate a tree; Python counts bytes, people count characters."""
        if self._lines is None:
            self._lines = self.source.split("\n")
        if isinstance(tree, Place):
            return tree.span(self._lines)
        line = getattr(tree, "lineno", 1)
        text = self._lines[line - 1] if line <= len(self._lines) else ""
        start, end = getattr(tree, "col_offset", 0), getattr(tree, "end_col_offset", 1)
        if getattr(tree, "end_lineno", line) != line:
            end = len(text.encode())
        if not text.isascii():
            if line not in self._wide:
                self._wide[line] = [k for k, b in enumerate(text.encode()) if b & 0xC0 == 0x80]
            wide = self._wide[line]  # the bytes that are no character of their own
            start, end = start - bisect_left(wide, start), end - bisect_left(wide, end)
        return Span(line, start + 1, max(end, start + 1) + 1)

    def quoted(self, tree: Tree | Span, most: int = 40) -> str:
        """Give the text of a tree as it is typed, on one line and cut to `most` characters."""
        span = tree if isinstance(tree, Span) else self.span(tree)
        if self._lines is None:
            self._lines = self.source.split("\n")
        text = self._lines[span.line - 1][span.column - 1 : span.end - 1].strip()
        return text if len(text) <= most else f"{text[: most - 1]}…"

    def error(self, tree: Tree, message: str, hint: str = "") -> ParseError:
        """Make a ParseError at a tree."""
        return ParseError(message, span=self.span(tree), source=self.source, hint=hint)

    # -- the loop ----------------------------------------------------------------------------

    def read(self, tree: ast.expr) -> Val:
        """Evaluate an expression tree to a value."""
        stack: list[Visit] = []
        result: Any = self._start(tree)
        while True:
            if isinstance(result, Generator):
                stack.append(result)
                sent: Any = None
            elif not stack:
                assert isinstance(result, Val)
                return result
            else:
                sent = result
            try:
                result = self._start(stack[-1].send(sent))
            except StopIteration as stop:
                stack.pop()
                result = stop.value

    def _start(self, tree: ast.expr) -> Any:
        handler: Any = getattr(self, f"_{type(tree).__name__.lower()}", None)
        if handler is None:
            raise meant.unreadable(self, tree)
        return handler(tree)

    # -- making nodes ------------------------------------------------------------------------

    def apply(self, tree: Tree, op: str, *values: Val, **params: Any) -> Val:
        """Apply an elementwise operator (or one without index axes) to values."""
        nodes, axes = align(values, tuple(self.index))
        return Val(self.node(tree, op, *nodes, **params), axes)

    def node(self, tree: Tree, op: str, *nodes: Node, **params: Any) -> Node:
        """Make a node, say where an error arose, and keep the account of sizes."""
        try:
            if len(nodes) > 1 and "classes" in nodes[1].attrs and nodes[0].shape:
                self._classes(op, nodes)
            result = make(op, *nodes, bind=self.sizes.bind, **params)
            check_sizes((result, *nodes))
        except SymgradError as error:
            if isinstance(error, ShapeError):
                explain(self, tree, op, nodes, error)
            raise error.at(self.span(tree), self.source) from None
        doubt(self, tree, op, nodes)
        self._bound(tree, op, nodes, result)
        self.note(result, tree)
        return result

    def note(self, node: Node, tree: Tree) -> None:
        """Keep where a node comes from, unless a place is known."""
        if node not in self.spans:
            self.spans[node] = tree if isinstance(tree, Place) else self.span(tree)

    def _classes(self, op: str, nodes: tuple[Node, ...]) -> None:
        """Match the number of classes of labels with the scores that they pick from."""
        if op not in ("pick", "cross_entropy", "nll", "svm"):
            return
        classes, width = nodes[1].attrs["classes"], nodes[0].shape[-1]
        try:
            shapes.unify(width, classes, self.sizes.bind)
        except ShapeError:
            name = nodes[1].attrs["name"]
            raise ShapeError(
                f"'{name}' are labels of {classes} classes; the scores have {width} columns",
                hint="declare as many classes as columns:  "
                f"{meant.as_labels(name, nodes[1].shape, width)}",
            ) from None

    def _bound(self, tree: Tree, op: str, nodes: tuple[Node, ...], result: Node) -> None:
        """Refuse constants that overflow, however they are nested."""
        if op not in SYMBOL or result in self.bounded:
            return
        numbers = [self.bounded.get(n, value_of(n)) for n in nodes]
        if any(v is None for v in numbers):
            return
        a, b = (float(v) for v in numbers if v is not None)
        try:
            value = {"add": a + b, "sub": a - b, "mul": a * b}.get(op)
            if value is None:
                value = a**b if op == "pow" else math.nan if self.trusted and not b else a / b
        except (OverflowError, ZeroDivisionError):
            value = math.inf
        if isinstance(value, complex):
            raise self.error(
                tree,
                "a negative number to a broken power is not real",
                "write -(a**b) for the negative of a power",
            )
        if abs(value) > MAX_NUMBER and math.isfinite(a) and math.isfinite(b):
            what = "a division by zero" if op in ("div", "pow") and 0 in (a, b) else ""
            raise LimitError("this constant overflows" + (f": {what}" if what else ""),
                             span=self.span(tree), source=self.source,
                             hint="numbers go up to 1e308; inf is the infinity")  # fmt: skip
        self.bounded[result] = value

    # -- the kinds of syntax -----------------------------------------------------------------

    def _constant(self, tree: ast.Constant) -> Val:
        value = tree.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise meant.no_value(self, tree)
        if abs(value) > MAX_NUMBER:
            raise LimitError(f"the number {self.quoted(tree)} is too large",
                             span=self.span(tree), source=self.source,
                             hint="numbers go up to 1e308; inf is the infinity")  # fmt: skip
        return Val(const(value))

    def _name(self, tree: ast.Name) -> Val:
        return self.lookup(tree, tree.id)

    def lookup(self, tree: Any, name: str) -> Val:
        """Find what a name stands for."""
        if name in self.index:
            size = self.index[name]
            if size is None:
                raise self.error(tree, f"the range of the index {name} is not known here",
                                 f"use {name} as an index on the right: x[{name}]")  # fmt: skip
            places, start = make("arange", size=size), self.starts.get(name, 0)
            return Val(places if start == 0 else make("add", places, dim(start)), (name,))
        if name in self.variables:
            return Val(self.variables[name])
        if name in self.dims:
            return Val(dim(name))
        if name in PREDEFINED:
            return Val(const(PREDEFINED[name]))
        raise self.error(tree, f"unknown name '{name}'")

    def _binop(self, tree: ast.BinOp) -> Visit:
        op = BINARY.get(type(tree.op))
        if op is None:
            raise meant.operator(self, tree, tree.op)
        left = yield tree.left
        right = yield tree.right
        if op == "matmul":
            return self.product(tree, left, right)
        return self.apply(tree, op, left, right)

    def product(self, tree: Tree, left: Val, right: Val) -> Val:
        """Multiply matrices; a batch of rows X[i] against a matrix without an index is fine."""
        if not left.axes and not right.axes:
            return Val(self.node(tree, "matmul", left.node, right.node))
        if left.rest == right.rest == 1:
            terms = self.apply(tree, "mul", left, right)
            return Val(self.node(tree, "sum", terms.node, axis=-1), terms.axes)
        if left.rest == 1 and right.rest == 2 and not right.axes:
            return Val(self.node(tree, "matmul", left.node, right.node), left.axes)
        if left.rest == 2 and right.rest == 1 and not left.axes:
            turned = self.node(tree, "transpose", left.node)
            return Val(self.node(tree, "matmul", right.node, turned), right.axes)
        raise self.error(tree, "@ between indexed values", "write the sum with an index instead")

    def _unaryop(self, tree: ast.UnaryOp) -> Visit:
        if not isinstance(tree.op, ast.USub | ast.UAdd):
            raise meant.operator(self, tree, tree.op)
        value = yield tree.operand
        number = value_of(value.node)
        if isinstance(tree.op, ast.UAdd):
            return value
        if number is not None and isinstance(tree.operand, ast.Constant):
            return Val(const(-number))
        return self.apply(tree, "neg", value)

    def _compare(self, tree: ast.Compare) -> Visit:
        values = [(yield tree.left)]
        for operand in tree.comparators:
            values.append((yield operand))
        result = None
        for symbol, a, b in zip(tree.ops, values, values[1:], strict=False):
            op = COMPARE.get(type(symbol))
            if op is None:
                raise meant.operator(self, tree, symbol, "comparison")
            holds = self.apply(tree, op, a, b)
            result = holds if result is None else self.apply(tree, "both", result, holds)
        return result

    def _attribute(self, tree: ast.Attribute) -> Visit:
        if tree.attr != "T":
            raise pasted.attribute(self, tree)
        value = yield tree.value
        if value.axes:
            raise self.error(tree, ".T of an indexed value", "swap the indices instead")
        if len(value.node.shape) < 2:
            return value
        return Val(self.node(tree, "transpose", value.node))

    def _subscript(self, tree: ast.Subscript) -> Visit:
        from symgrad.parse.index import subscript

        return (yield from subscript(self, tree))

    def _call(self, tree: ast.Call) -> Visit:
        from symgrad.parse.calls import call

        return (yield from call(self, tree))

    # -- parameters that are not values ------------------------------------------------------

    def literal(self, tree: ast.expr) -> Any:
        """Read a parameter such as axis: an int, None, True, a tuple of ints, a short text."""
        if isinstance(tree, ast.Constant) and isinstance(tree.value, int | str | None):
            return tree.value
        if isinstance(tree, ast.Constant) and isinstance(tree.value, float):
            return tree.value
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            inner = self.literal(tree.operand)
            if isinstance(inner, int | float):
                return -inner
        if isinstance(tree, ast.Tuple | ast.List):
            return tuple(self.literal(e) for e in tree.elts)
        if isinstance(tree, ast.Name) and tree.id in self.literals:
            return self.literals[tree.id]
        raise meant.no_literal(self, tree)

"""Read a program: declarations, named lines, index definitions. Text in, Graph out."""

import ast
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from symgrad import shapes
from symgrad.dims import names_in
from symgrad.errors import (
    NameClashError,
    ShapeError,
    SymgradWarning,
)
from symgrad.graph import Graph, Node, Spans, topological, uncollected
from symgrad.ops import leaf
from symgrad.parse import elsewhere, filed, functions, meant, pasted, whole
from symgrad.parse.arithmetic import Place
from symgrad.parse.calls import is_function
from symgrad.parse.characters import folded, plain
from symgrad.parse.declaring import (
    assigned,
    check_kind,
    determined,
    dimension,
    distinct,
    dunder,
    kind_of,
)
from symgrad.parse.described import check_data, check_name, describe, typed_leaf
from symgrad.parse.doubts import hidden_sizes
from symgrad.parse.expression import PREDEFINED, Reader, Tree
from symgrad.parse.limits import scan
from symgrad.parse.lines import LONG, Aside, Declared, Line, Machine, Statement, placed, statements
from symgrad.parse.ranges import learned
from symgrad.parse.sizes import check_bound
from symgrad.parse.syntax import silently, syntax_tree
from symgrad.parse.values import Val, reorder, spread_over
from symgrad.shapes import Bindings, Shape


def parse(text: str, shapes: Mapping[str, Any] | None = None) -> Graph:
    r"""Read a program of the text language into a frozen graph.

    `shapes` gives shapes (tuples) or data (anything else) for inputs by name. Raises ParseError,
    ShapeError, NameClashError or LimitError, each with line, column and a caret.

    >>> parse("x: real[3]\ny = sum(x**2)").output.op
    'sum'
    """
    filed.refuse(text)
    text = plain(text)
    scan(text)
    program = Program(text)
    with uncollected():
        lines = statements(text) if len(text) > LONG else None
        body: Sequence[Statement] = syntax_tree(text).body if lines is None else lines
        program.survey(body)
        program.given(shapes or {})
        for statement in body:
            whole.read(program, statement)
        return program.finish()


class Program(Reader):
    """Hold the state of reading one program."""

    def __init__(self, source: str) -> None:
        super().__init__(source, Bindings())
        self.declared: dict[str, tuple[str, Shape, Tree]] = {}
        self.assigned: dict[str, int] = {}
        self.versions: dict[str, int] = {}  # how often a name has been assigned
        self.labels: dict[str, Node] = {}
        self.data: dict[str, tuple[Shape, str]] = {}
        self.extra: list[Node] = []
        self.plain: list[Node] = []  # inputs that nothing declares
        self.output: Node | None = None
        self.dtype = ""
        self.pending: Tree | None = None  # a line whose value has no name
        self.unused: Tree | None = None  # the first such line that is not the last
        self.machine = Machine(self)

    # -- first pass: what is declared, what will be assigned -----------------------------------

    def survey(self, tree: ast.Module | Sequence[Statement]) -> None:
        """Collect declarations, dimension names and the lines on which names are assigned."""
        for statement in tree.body if isinstance(tree, ast.Module) else tree:
            if isinstance(statement, Line):
                if statement.shape.assigns:
                    self.assigned.setdefault(statement.words[0], statement.number)
            elif isinstance(statement, Declared):
                self._once(statement.name, statement.place)
                self.dims.update(dict.fromkeys(d for d in statement.dims if isinstance(d, str)))
                self.declared[statement.name] = (statement.kind, statement.dims, statement.place)
            elif isinstance(statement, ast.AnnAssign):
                self._declare(statement)
            elif isinstance(statement, ast.Assign):
                for target in statement.targets:
                    inner = target.value if isinstance(target, ast.Subscript) else target
                    if isinstance(inner, ast.Name):
                        self.assigned.setdefault(inner.id, statement.lineno)
        inputs = {name: where for name, (_, _, where) in self.declared.items()}
        for name, where in (*inputs.items(), *self.functions.items()):
            if name in self.assigned:
                what = "input" if name in inputs else "function"
                raise assigned(self, name, self.assigned[name], what, self.span(where))

    def _declare(self, tree: ast.AnnAssign) -> None:
        if not isinstance(tree.target, ast.Name):
            raise self.error(tree.target, "a declaration reads  name: kind[dimensions]",
                             "dimensions stand behind the kind: x: real[3]")  # fmt: skip
        name = tree.target.id
        if name.startswith("__"):
            raise dunder(self, tree.target, name)
        if tree.value is not None:
            raise self.error(tree.value, f"the input '{name}' cannot be given a value in the text",
                             "write  name = … for a value, or give it in at=")  # fmt: skip
        self._once(name, tree)
        kind, dims = tree.annotation, []
        if isinstance(kind, ast.Subscript):
            inner = kind.slice
            dims = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
            kind = kind.value
        if functions.declares(self, name, kind, dims):
            self.functions[name] = tree
            return
        word = kind_of(self, name, kind)
        shape = tuple(dimension(self, d) for d in dims)
        check_kind(self, tree, name, word, shape)
        self.declared[name] = (word, shape, tree)

    def _once(self, name: str, where: Tree) -> None:
        """Refuse a second declaration of a name."""
        if name in self.declared or name in self.functions:
            raise NameClashError(f"'{name}' is declared twice", span=self.span(where),
                                 source=self.source, hint="delete one line")  # fmt: skip

    # -- shapes= -------------------------------------------------------------------------------

    def given(self, given: Mapping[str, Any]) -> None:
        """Take the shapes and data of `shapes=`, and bind dimension names to numbers."""
        given = {folded(name): value for name, value in given.items()}
        for name, value in given.items():
            if name in self.functions:
                raise NameClashError(f"'{name}' is declared as a function and given in shapes=",
                                     span=self.span(self.functions[name]), source=self.source,
                                     hint=f'functions={{"{name}": "tanh"}} binds it')  # fmt: skip
            self.data[name] = describe(name, value)
        widths = dict.fromkeys(d for _, d in self.data.values() if d.startswith("float"))
        self.dtype = next(iter(widths)) if len(widths) == 1 else ""
        for name, (kind, shape, where) in self.declared.items():
            labels = kind in ("label", "labels")
            shown = shape[:-1] if labels else shape
            if name in self.data:
                actual, _ = self.data[name]
                if not shapes.fits([int(d) for d in actual], shown, self.sizes):
                    raise ShapeError(
                        f"'{name}' is declared {shapes.text(shown)} and given "
                        f"{shapes.text(actual)}" + self._known(shown),
                        span=self.span(where), source=self.source,
                        hint="declare the shape that the array has, or give another array",
                    )  # fmt: skip
            self.variables[name] = self.labels[name] = leaf(name, shape, kind)
        determined(self, self.declared)
        check_data(self, given)
        for name, (actual, dtype) in self.data.items():
            if name in self.assigned:
                raise assigned(self, name, self.assigned[name], "entry of shapes=")
            if name not in self.variables:
                check_name(name)
                kind = "integer" if dtype.startswith("int") and actual else "real"
                self.variables[name] = self.labels[name] = typed_leaf(name, actual, kind)
            self.extra.append(self.variables[name])

    def _known(self, shape: Shape) -> str:
        names = dict.fromkeys(name for d in shape for name in names_in(d))
        bound = [f"{d} = {self.sizes[d]}" for d in names if d in self.sizes]
        return f", where {', '.join(bound)}" if bound else ""

    # -- second pass ---------------------------------------------------------------------------

    def lookup(self, tree: Any, name: str) -> Val:
        """Find what a name stands for; a new name is a scalar input."""
        if name in self.functions and name not in self.index:
            raise functions.bare(self, tree, name)
        known = name in self.index or name in self.variables or name in self.dims
        if known or name in PREDEFINED:
            return super().lookup(tree, name)
        if name in self.assigned:
            raise meant.early(self, tree, name, self.assigned[name])
        if is_function(name):
            raise self.error(tree, f"'{name}' is a function; it needs an argument",
                             f"{name}(x), or declare  {name}: scalar")  # fmt: skip
        if name.startswith("__"):
            raise elsewhere.unknown(self, tree, name)
        if self.index:
            meant.no_entry(self, tree, name)
        node = leaf(name, (), "real")
        self.variables[name] = self.labels[name] = node
        self.plain.append(node)
        self.note(node, tree)
        return Val(node)

    def statement(self, tree: Statement) -> None:
        """Read one line."""
        if self.pending is None and type(tree) is Line:
            return self._line(tree)
        if self.pending is not None and not isinstance(tree, ast.AnnAssign | Declared):
            self.unused, self.pending = self.unused or self.pending, None
        if isinstance(tree, Line):
            self._line(tree)
        elif isinstance(tree, Declared):
            self.spans.setdefault(self.variables[tree.name], tree.name_place)
        elif isinstance(tree, ast.AnnAssign):
            assert isinstance(tree.target, ast.Name)
            if tree.target.id not in self.functions:
                self.spans.setdefault(self.variables[tree.target.id], self.span(tree.target))
        elif isinstance(tree, ast.Expr):
            if error := meant.arrow(self, tree):
                raise error
            self.output = self._whole(tree, self.read(tree.value))
            self.pending = tree
        elif isinstance(tree, ast.Assign):
            self._assign(tree)
        else:
            raise pasted.statement(self, tree)

    def _line(self, line: Line) -> None:
        """Read a line of plain arithmetic."""
        try:
            self.output = node = self.machine.value(line)
        except Aside:
            if self._lines is None:
                self._lines = self.source.split("\n")
            try:
                tree = silently(self._lines[line.number - 1]).body[line.piece]
            except (SyntaxError, RecursionError, MemoryError):
                syntax_tree(self.source)  # which says what is wrong
                raise
            self.statement(ast.increment_lineno(tree, line.number - 1))
            return
        if line.shape.assigns:
            self._name_value(line.words[0], node)
        else:
            self.pending = Place(line.number, line.skip, line.skip)

    def _whole(self, tree: ast.AST, value: Val) -> Node:
        if value.axes:
            raise self.error(tree, f"the index {value.axes[0]} is free here",
                             "write sum(… for i in N), or  L[i] = …")  # fmt: skip
        return value.node

    def _assign(self, tree: ast.Assign) -> None:
        if len(tree.targets) != 1:
            first, last = (self.quoted(tree.targets[k]) for k in (0, -1))
            hint = f"write  {last} = {self.quoted(tree.value)}; {first} = {last}"
            raise self.error(tree, "one name a line: a = …; b = …", hint)
        target = tree.targets[0]
        if isinstance(target, ast.Name):
            if target.id.startswith("__"):
                raise dunder(self, target, target.id)
            node = self._whole(tree, self.read(tree.value))
            self._name_value(target.id, node)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name):
            node = self._define(target, tree.value)
            self._name_value(target.value.id, node)
        else:
            raise self.error(target, "a line reads  name = expression",
                             "one name stands left of =, or L[i, j] with indices")  # fmt: skip
        self.output = node

    def _name_value(self, name: str, node: Node) -> None:
        """Give a value its name; a name that is assigned again is numbered."""
        self.variables[name] = node
        if not (name in self.versions or name in self.labels or name in self.functions):
            self.versions[name], self.labels[name] = 1, node
            return
        k, stem = self.versions.get(name, 0) + 1, "" if name == "_" else name  # _2, not __2
        shown = name if k == 1 else f"{stem}_{k}"
        while (
            shown in self.labels
            or shown in self.functions
            or (k > 1 and (shown in self.assigned or shown in self.dims))
        ):
            k += 1
            shown = f"{stem}_{k}"
        self.versions[name] = k
        self.labels[shown] = node

    def _define(self, target: ast.Subscript, value: ast.expr) -> Node:
        """Read `L[i] = …`: the whole tensor L at once."""
        items = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
        self.defined = order = []
        for item in items:
            if not isinstance(item, ast.Name) or item.id in order:
                raise self.error(item, "the indices of a definition are plain, different names",
                                 "write  L[i, j] = …  for the whole array")  # fmt: skip
            order.append(item.id)
            self.index[item.id] = None
            self.starts.pop(item.id, None)
        try:
            learned(self, value)
            result = self.read(value)
            if result.rest:
                raise self.error(value, "the right side still has axes of its own",
                                 "index every axis: L[i] = x[i], or none: L = x")  # fmt: skip
            extra = [v for v in result.axes if v not in order]
            assert not extra
            try:
                return reorder(spread_over(result, order, self.index), order).node
            except ShapeError as error:
                raise error.at(self.span(target), self.source) from None
        finally:
            self.index.clear()

    def finish(self) -> Graph:
        """Build the graph of all that was read."""
        if self.output is None:
            raise meant.nothing(self)
        distinct(self, [*self.labels, *self.functions, *self.dims])
        hidden_sizes(self)
        if self.unused is not None:
            line = self.span(self.unused).line
            warnings.warn(
                f"line {line}: this value has no name and is not the last: it is not used; "
                "write  name = …  (== compares)", SymgradWarning, stacklevel=2,
            )  # fmt: skip
        order = topological([self.output]) if self.plain else ()
        used = dict.fromkeys(order)
        self.extra += [n for n in self.plain if n not in used]  # in lines that lead nowhere
        extra = dict.fromkeys([*(self.variables[n] for n in self.declared), *self.extra])
        graph = Graph.of(
            [self.output],
            names=self.labels,
            spans=Spans(self.spans, placed(self.source)),
            dims=self.sizes,
            source=self.source,
            extra_inputs=extra,
            dtype=self.dtype,
            functions=self.functions,
            order=None if extra else order,
        )
        check_bound(graph, self.sizes)
        del self.machine  # which holds this program: a cycle would keep all that was read
        return graph

"""Spell what statements read: whole values, rows, numbers; give names to all that they use."""

import re
from collections.abc import Callable
from typing import Any

from symgrad.codegen.fast.kinds import of_sizes
from symgrad.codegen.fast.schedule import Schedule, turned
from symgrad.codegen.fast.storage import Storage
from symgrad.formula.code import Writer, number
from symgrad.graph import Node, topological
from symgrad.ops.spec import shape_text, size_text, sized, value_of
from symgrad.shapes import Dim, Shape

SIGN = re.compile(r"\W")
ENTRYWISE = ("ufunc", "elementwise", "reduce")  # what reads rows or columns, whatever they are


class Operands:
    """Spell operands; note the names, constants and functions that statements use.

    `called` gives the names of inputs and of named values, `fresh` makes a name that is free.
    """

    def __init__(
        self,
        schedule: Schedule,
        storage: Storage,
        writer: Writer,
        called: dict[Node, str],
        fresh: Callable[[str], str],
    ) -> None:
        self.s, self.storage, self.writer = schedule, storage, writer
        self.called, self.fresh_name = called, fresh
        self.row_name = fresh("rows")
        self.text = {n: t for n, t in called.items() if n.op == "input"}  # of whole values
        self.rows: dict[Node, str] = {}  # how its rows are called in the present loop
        self.slices: dict[str, str] = {}  # which rows the loop has taken already
        self.crossing: dict[Node, None] = {}  # what is stored by rows beside columns
        self.turned: dict[Node, str] = {}  # what they are called when they are copied into columns
        self.turned_whole: dict[Node, str] = {}  # the same, of whole arrays
        self.cut: list[str] = []  # of which arrays of the workspace
        self.deep: Dim | None = None  # stacks of matrices are stored by columns if it is small
        self.passing: list[str] = []  # names of arrays that are made in a call, and not returned
        self.copies: list[str] = []  # names of copies that the present loop makes
        self.lines: list[str] = []  # all statements
        self.body: list[str] = []  # the statements of the present loop
        self.constants: dict[str, str] = {}  # value -> name of an array of no axes
        self.functions: dict[str, str] = {}  # ufunc -> its name in the module
        self.blocks: dict[str, str] = {}  # how many blocks a product has -> name of the number
        # room for sums of products -> the result's shape, the units with such products
        self.sums: dict[str, tuple[Shape, list[int]]] = {}
        self.ones: dict[str, str] = {}  # size -> name of a vector of ones
        self.numbers: dict[str, str] = {}  # name -> text, of numbers that sizes alone decide
        self.as_arrays: dict[str, str] = {}  # the same as arrays of no axes: text -> name
        self.arrays: dict[str, str] = {}  # other numbers, by their names, as such arrays
        self.sized = of_sizes(schedule.order, schedule.kinds)
        self.sizes: dict[Dim, str] = {}  # how a dimension is written
        self.alias: dict[str, str] = {}  # name of a value -> the workspace's array that holds it
        self.mkl = False  # products go through MKL
        self.carried: list[str] = []  # functions that the module has to hold
        self.names: dict[tuple[str, int], str] = {}  # of buffers, tiles and loops
        for k in range(len(storage.wholes)):
            self.buffer("buf", k)
        self.views = dict.fromkeys(self.names.values())

    # -- names ---------------------------------------------------------------------------------

    def buffer(self, what: str, k: int) -> str:
        """Name the k-th buffer, tile or loop."""
        return self.named(self.names, (what, k), f"{what}{k}")

    def name(self, node: Node) -> str:
        """Name a value: as the user did, as the result that takes its place, or by a number."""
        result = node
        while result in self.storage.heirs:
            result = self.storage.heirs[result]
        if result in self.called:
            self.called.setdefault(node, self.called[result])
        return self.named(self.called, node, "v1" if not node.shape else "w1")

    def function(self, name: str) -> str:
        """Name a ufunc by one word: looking it up in NumPy costs a tenth of a small call."""
        return self.named(self.functions, name, name)

    def named(self, table: Any, key: object, name: str) -> str:
        """Look a name up in a table; make a free one there if it is not known."""
        if key not in table:
            table[key] = self.fresh_name(name)
        return str(table[key])

    def carry(self, *names: str) -> None:
        """Note functions that the module has to hold."""
        self.carried += [n for n in names if n not in self.carried]

    def size(self, dim: Dim) -> str:
        """Write a dimension."""
        if dim not in self.sizes:
            self.sizes[dim] = sized(size_text(dim), lambda d: self.writer.sizes.get(d, d))
        return self.sizes[dim]

    def shape(self, node: Node) -> str:
        """Write a shape."""
        return sized(shape_text(node.shape), lambda d: self.writer.sizes.get(d, d))

    def dtype(self, node: Node) -> str:
        """Give the NumPy type of an array."""
        return self.type_of(node.dtype)

    def type_of(self, dtype: str) -> str:
        """Give the NumPy type of "float", "int" or "bool"."""
        return {"float": self.writer.dtype, "int": "np.int64", "bool": "np.bool_"}[dtype]

    # -- operands ------------------------------------------------------------------------------

    def whole(self, node: Node) -> str:
        """Give the text of a whole value."""
        if node in self.text:
            return self.text[node]
        if node.op == "const":
            return number(node.attrs["value"])
        if node.op == "dim":
            return self.writer.sizes.get(node.attrs["name"], str(node.attrs["name"]))
        if self.s.kinds[node] == "scalar":
            return f"({self.expression(node)})"
        assert self.s.kinds[node] == "view", node
        return self._view(node, self.whole(node.args[0]))

    def known(self, node: Node) -> bool:
        """Say whether an operand has been computed, so that nothing below it is written again."""
        return bool(node.shape) or node in self.text or self.s.kinds[node] == "view"

    def expression(self, node: Node) -> str:
        """Write a value by its formula, from what has a name."""
        below = topological([node], stop=lambda n: n in self.text)
        if self.writer.strong(node) or any(n.shape and n not in self.text for n in below):
            return self.writer.write(node, self.text)
        sizes = self.writer.sizes  # Python raises where NumPy divides by a size of 0
        self.writer.sizes = {d: f"np.float64({name})" for d, name in sizes.items()}
        try:
            return self.writer.write(node, self.text)
        finally:
            self.writer.sizes = sizes

    def _view(self, node: Node, inner: str) -> str:
        if not node.args[0].shape:
            inner = f"np.asarray({inner}, dtype={self.writer.dtype})"
        if turned(node) and node.attrs["axes"] in (None, (1, 0)):
            return f"{inner}.T"
        if node.op == "reshape":  # NumPy's functions take ten times as long as the methods
            return f"{inner}.reshape({self.shape(node)})"
        if node.op == "transpose" and node.attrs["axes"] is not None:
            return f"{inner}.transpose({node.attrs['axes']})"
        return self.writer.write(node, {node.args[0]: inner})

    def operand(self, node: Node, k: int, loop: bool, bare: bool = False) -> str:
        """Give the text of operand k of a statement: rows in a loop, numbers as arrays.

        A `bare` one comes without the axes along which it is stretched.
        """
        arg = self.s.operands(node)[k]
        if not arg.shape:
            return self.number(arg)
        rows = loop and self.s.sliced(node, k)
        arg = arg.args[0] if bare and arg.op == "expand" else arg
        text = self.row(arg) if rows else self.whole(arg)
        if self.deep is not None and self.s.kinds[node] in ENTRYWISE:
            return self._beside_stacks(arg, text, rows)
        beside = arg in self.crossing and node not in self.s.dots  # a stack is stored by rows here
        if rows and beside and self.s.kinds[node] in ENTRYWISE:
            return self._by_columns(arg, text, arg.shape[-1])
        single = self.s.kinds[node] == "ufunc" and arg.dtype == "float" and arg.shape != node.shape
        if single and all(d == 1 for d in arg.shape):
            return f"{text}.reshape(())"  # NumPy has a shorter way for it than for broadcasting
        counted = arg.dtype == "int" and node.dtype == "float" and node not in self.s.hot
        if counted and self.s.kinds[node] in ("ufunc", "matmul", "reduce"):
            return f"{text}.astype({self.writer.dtype})"  # NumPy would make float64 of both
        return text

    def _by_columns(self, arg: Node, rows: str, dim: Dim, inside: bool = True) -> str:
        """Copy rows into columns once in a loop: NumPy takes several times as long to mix them."""
        turned = self.turned if inside else self.turned_whole
        if arg not in turned:
            name = rows.removesuffix("_rows") if rows.isidentifier() else "part"
            turned[arg] = self.fresh_name(f"{name}_columns")
            order = f'"F" if {self.size(dim)} <= NARROW else "C"'
            (self.copies if inside else self.passing).append(turned[arg])
            lines = self.body if inside else self.lines
            lines.append(f"{turned[arg]} = np.asarray({rows}, order={order})")
        return turned[arg]

    def _beside_stacks(self, arg: Node, text: str, rows: bool) -> str:
        """Give an operand of stacks that are stored by columns: it is stored so too, or copied.

        What the loop reads whole, the points y of x_i - y_j, is copied before it.
        """
        if self.s.kinds[arg] == "view":
            inner = arg.args[0]
            if arg.op != "expand" or not inner.shape or (rows and min(arg.attrs["axes"]) == 0):
                return text
            plain = self.row(inner) if rows else self.whole(inner)
            found = self._beside_stacks(inner, plain, rows)
            return text if found == plain else self._view(arg, found)
        flat = len([d for d in arg.shape if d != 1]) < 2
        turned = rows and (arg in self.storage.tile or arg.op == "input")
        if flat or turned or arg in self.storage.columns or self.deep is None:
            return text
        return self._by_columns(arg, text, self.deep, inside=rows)

    def number(self, node: Node) -> str:
        """Write a number beside arrays, as one of no axes: NumPy takes twice as long for others."""
        value = value_of(node)
        if value is not None:
            plain = SIGN.sub("_", f"{value:g}".replace("-", "m").replace(".", "p"))
            return self.named(self.constants, number(float(value)), f"c{plain}")
        whole = self.whole(node)
        text, name = f"np.array({whole}, dtype={self.writer.dtype})", f"{whole}_array"
        if node.op == "dim" or (node in self.sized and whole in self.numbers):
            return self.named(self.as_arrays, text, name)
        if node.op == "slice" and whole.endswith("]") and node.dtype == "float":
            return f"{whole[:-1]}, ...]"  # an entry as such an array
        if not whole.isidentifier() or node.dtype != "float":
            return whole if self.writer.dtype.endswith("64") else f"float({whole})"
        if whole not in self.arrays:  # before the loop, and before what describes a statement
            told = bool(self.lines) and self.lines[-1].startswith("#")
            place = len(self.lines) - told
            self.lines.insert(place, f"{self.named(self.arrays, whole, name)} = {text}")
        return self.arrays[whole]

    def row(self, node: Node) -> str:
        """Give the rows of a value in the present loop; slice a whole one once."""
        if node in self.rows:
            return self.rows[node]
        if self.s.kinds[node] == "view" and node.op == "expand" and min(node.attrs["axes"]) > 0:
            return self._view(node, self.row(node.args[0]))
        text = self.whole(node)
        turn = self.deep is not None and node.op == "input" and len(node.shape) == 2
        self.rows[node] = self.slice(text, text if text.isidentifier() else "part", turn)
        return self.rows[node]

    def slice(self, text: str, short: str, turn: bool = False) -> str:
        """Take the rows of a whole array once in a loop; the workspace's are cut beforehand.

        `turn` stores them by columns, as the loop's other arrays are.
        """
        if text in self.alias:
            text = short = self.alias[text]
        if text not in self.slices:
            self.slices[text] = self.fresh_name(f"{short}_rows")
            if text in self.views:
                self.cut.append(text)
            else:
                rows = f"{text}[{self.row_name}]"
                if turn and self.deep is not None:
                    order = f'"F" if {self.size(self.deep)} <= NARROW else "C"'
                    rows = f"np.array({rows}, order={order})"
                    self.copies.append(self.slices[text])
                self.body.append(f"{self.slices[text]} = {rows}")
        return self.slices[text]

"""Spell what statements read and call: whole values, rows, numbers, ufuncs, sums, products."""

import re
from collections.abc import Callable
from string import ascii_lowercase
from typing import Any

from symgrad.codegen.fast.buffers import ONES, Kind, by_ones
from symgrad.codegen.fast.kinds import REDUCERS, gaps, ufunc
from symgrad.codegen.fast.schedule import Schedule, turned
from symgrad.codegen.fast.storage import Storage
from symgrad.formula.code import Writer, number
from symgrad.graph import Node, topological
from symgrad.ops.spec import shape_text, size_text, sized, value_of
from symgrad.shapes import Dim, Shape, axes_of

BY_NAME = ("maximum", "minimum")  # they take their output by name only


class Spelling:
    """Spell operands and calls; note the names, constants and functions that they use.

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
        self.cut: list[str] = []  # of which arrays of the workspace
        self.deep: Dim | None = None  # stacks of matrices are stored by columns if it is small
        self.body: list[str] = []  # the statements of the present loop
        self.constants: dict[str, str] = {}  # value -> name of an array of no axes
        self.functions: dict[str, str] = {}  # ufunc -> its name in the module
        self.blocks: dict[str, str] = {}  # how many blocks a product has -> name of the number
        # room for sums of products -> the result's shape, the units with such products
        self.sums: dict[str, tuple[Shape, list[int]]] = {}
        self.ones: dict[str, str] = {}  # size -> name of a vector of ones
        self.numbers: dict[str, str] = {}  # name -> text, of numbers that sizes alone decide
        self.as_arrays: dict[str, str] = {}  # the same as arrays of no axes: text -> name
        self.sized = _of_sizes(schedule)
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
        if node in self.storage.heirs and self.storage.heirs[node] in self.called:
            self.called.setdefault(node, self.called[self.storage.heirs[node]])
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
        return self.writer.write(node, {node.args[0]: inner})

    def operand(self, node: Node, k: int, loop: bool) -> str:
        """Give the text of operand k of a statement: rows in a loop, numbers as arrays."""
        arg = self.s.operands(node)[k]
        if not arg.shape:
            return self.number(arg)
        text = self.row(arg) if loop and self.s.sliced(node, k) else self.whole(arg)
        single = self.s.kinds[node] == "ufunc" and arg.dtype == "float" and arg.shape != node.shape
        if single and all(d == 1 for d in arg.shape):
            return f"{text}.reshape(())"  # NumPy has a shorter way for it than for broadcasting
        counted = arg.dtype == "int" and node.dtype == "float" and node not in self.s.hot
        if counted and self.s.kinds[node] in ("ufunc", "matmul", "reduce"):
            return f"{text}.astype({self.writer.dtype})"  # NumPy would make float64 of both
        return text

    def number(self, node: Node) -> str:
        """Write a number beside arrays: it must not change their type."""
        value = value_of(node)
        if value is not None:
            plain = re.sub(r"\W", "_", f"{value:g}".replace("-", "m").replace(".", "p"))
            return self.named(self.constants, number(float(value)), f"c{plain}")
        if node in self.sized and self.whole(node) in self.numbers:
            text = f"np.array({self.whole(node)}, dtype={self.writer.dtype})"
            return self.named(self.as_arrays, text, f"{self.whole(node)}_array")
        if node.op == "dim" or self.writer.dtype.endswith("64"):
            return self.whole(node)
        return f"float({self.whole(node)})"

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
                self.body.append(f"{self.slices[text]} = {rows}")
        return self.slices[text]

    # -- calls ---------------------------------------------------------------------------------

    def call(self, node: Node, out: str, loop: bool) -> str:
        """Write the call that computes an array into `out`, or into a new one without it."""
        kind = self.s.kinds[node]
        if kind == "ufunc":
            name = ufunc(node)
            if self._outer(node):
                column, row = (self.operand(node, k, loop) for k in _column_first(node))
                return f"{column}.dot({row}, {out})"
            places = range(len(self.s.operands(node)))
            listed = ", ".join(self._argument(node, k, loop) for k in places)
            return f"{self.function(name)}({listed}, {'out=' * (name in BY_NAME)}{out})"
        if kind == "reduce":
            return self.reduced(node, loop, out)
        if kind == "matmul":
            return self.product(node, out, loop)
        if node.op == "where" and node.dtype == "float" and node.args[0].dtype == "bool":
            return self._choice(node, out, loop)
        names = {}
        for k, a in enumerate(node.args):
            if self.known(a):
                mask = a.dtype == "bool" and not a.shape  # the writer casts it
                spelled = self.whole if mask else self.number
                names[a] = self.operand(node, k, loop) if a.shape else spelled(a)
        return f"np.copyto({out}, {self.writer.write(node, names)})"

    def _argument(self, node: Node, k: int, loop: bool) -> str:
        """Give operand k of a ufunc; beside rows, maximum and minimum take constants as rows."""
        filled = self.storage.filled(node) if loop and not node.args[k].shape else None
        if filled is None:
            return self.operand(node, k, loop)
        return self.extra(node, filled)

    def _outer(self, node: Node) -> bool:
        """Say whether a column times a row is a matrix by rows: a product, which is faster."""
        a, b = node.args if node.op == "mul" else (node, node)
        kept_by_columns = node in self.storage.columns or node in self.storage.viewed
        if len(a.shape) != 2 or len(b.shape) != 2 or a.dtype != "float" or b.dtype != "float":
            return False
        crossed = (a.shape[1] == b.shape[0] == 1, a.shape[0] == b.shape[1] == 1)
        return any(crossed) and 1 not in node.shape and not kept_by_columns

    def _choice(self, node: Node, out: str, loop: bool) -> str:
        """Write a choice by masks of bits; np.where branches, entry by entry."""
        c, a, b = (self.operand(node, k, loop) for k in range(3))
        if not node.args[0].shape:
            return f"np.copyto({out}, {a} if {c} else {b})"
        for zero, (text, kept) in {2: (a, ""), 1: (b, ", False")}.items():
            if value_of(node.args[zero]) == 0:
                self.carry("kept")
                return f"kept({c}, {text}, {out}{kept})"
        self.carry("select")
        return f"select({c}, {a}, {b}, {out})"

    def reduced(self, node: Node, loop: bool, out: str = "") -> str:
        """Write a reduction."""
        if node in self.s.dots:
            return self._dot(node, loop)
        inner = node.args[0]
        text = self.operand(node, 0, loop)
        axes = axes_of(node.attrs["axis"], len(inner.shape))
        if by_ones(node) and loop:
            return f"{self.extra(node, ONES)}.dot({text})"
        into = f", out={out}" if out else ""
        if len(axes) == len(inner.shape) and node.op == "sum" and inner.dtype == "float":
            self.carry("total")
            return f"total({text})"
        if len(axes) == len(inner.shape):
            return f"{REDUCERS[node.op]}({text}, axis=None{into})"
        if by_ones(node):
            size = self.size(inner.shape[0])
            name = self.named(self.ones, size, re.sub(r"\W+", "_", f"ones_{size}"))
            return f"{name}.dot({text}{out and ', ' + out})"
        return f"{REDUCERS[node.op]}({text}, axis={axes[0] if len(axes) == 1 else axes}{into})"

    def _dot(self, node: Node, loop: bool) -> str:
        """Write sum(a*b) as a dot product."""
        first, second = self.operand(node, 0, loop), self.operand(node, 1, loop)
        if len(self.s.dots[node][0].shape) == 1:
            short = first.isidentifier()
            return f"{first}.dot({second})" if short else f"np.dot({first}, {second})"
        if any(map(gaps, self.s.dots[node])):
            axes = ascii_lowercase[: len(self.s.dots[node][0].shape)]
            return f'np.einsum("{axes},{axes}->", {first}, {second})'
        return f"np.vdot({first}, {second})"

    def product(self, node: Node, out: str, loop: bool) -> str:
        """Write a product of matrices; it goes in blocks where sizes suit."""
        a, b = node.args
        texts = [self.operand(node, k, loop) for k in (0, 1)]
        left, right = (f"{t}{'.T' * turned(m)}" for t, m in zip(texts, node.args, strict=True))
        if len(a.shape) > 2 or len(b.shape) > 2:
            return f"np.matmul({left}, {right}{out and ', out=' + out})"
        plain = f"{left}.dot({right}{out and ', ' + out})"
        if len(a.shape) < 2 or len(b.shape) < 2:
            return plain
        out = out or f"np.empty({self.shape(node)}, {self.dtype(node)})"
        if self.mkl:
            plain = f"mkl_product({left}, {right}, {out})"
        m, k, n = self.size(a.shape[0]), self.size(a.shape[1]), self.size(b.shape[1])
        columns = node in self.storage.columns
        size = 0 if columns or self.mkl else self.itemsize
        if turned(a):
            rows = self._blocks("block", f'product_block({m}, {k}, {n}, {size}, "left")')
            count = f"sum_blocks({k}, {m}, {n}, {self.itemsize}, {rows})"
            terms = self._blocks("parts", f"parts_of({m}, {n}, {count}, {self.writer.dtype})")
            self.sums.setdefault(terms, (node.shape, []))[1].append(self.storage.unit[node])
            self.carry("turned_product", "sum_blocks", "product_block")
            blocked = f"turned_product({texts[0]}, {right}, {out}, {terms}, {rows})"
            copied = "SKINNY and " * (b in self.storage.columns)
            return f"{plain} if {copied}{terms} is None and {rows} == 1 else {blocked}"
        how = ', "result"' * columns or ', "right"' * turned(b)
        rows = self._blocks("block", f"product_block({m}, {k}, {n}, {size}{how})")
        self.carry("product", "product_block")
        blocked = f"product({left}, {right}, {out}, {rows})"
        return blocked if columns else f"{plain} if {rows} == 1 else {blocked}"

    @property
    def itemsize(self) -> int:
        """Give the bytes of a number."""
        return 8 if self.writer.dtype.endswith("64") else 4

    def _blocks(self, name: str, text: str) -> str:
        return self.named(self.blocks, text, f"{name}1")

    def extra(self, node: Node, what: Kind) -> str:
        """Name the tile of a loop that counts its rows, or is filled with a number."""
        loop = self.storage.loops[self.storage.loop[self.storage.unit[node]]]
        return self.buffer("tile", loop.slots.index(what))


def _column_first(node: Node) -> tuple[int, int]:
    """Give the places of the column and of the row of an outer product."""
    return (0, 1) if node.args[0].shape[1] == 1 else (1, 0)


def _of_sizes(schedule: Schedule) -> dict[Node, None]:
    """Find the numbers that sizes alone decide, as 1/N: they are the same in every call."""
    found: dict[Node, None] = {}
    for node in schedule.order:
        if schedule.kinds[node] == "scalar" and all(
            a in found or a.op in ("const", "dim") for a in node.args
        ):
            found[node] = None
    return found

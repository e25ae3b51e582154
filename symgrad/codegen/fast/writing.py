"""Write the statements of scheduled nodes: NumPy calls with `out=`, in loops over row tiles."""

import re
from collections.abc import Callable

from symgrad.codegen.fast.kinds import REDUCERS, ufunc
from symgrad.codegen.fast.schedule import Schedule, Unit, turned
from symgrad.codegen.fast.storage import SEAT, Storage
from symgrad.formula.code import Writer, number
from symgrad.graph import Node
from symgrad.ops.spec import shape_text, sized, value_of
from symgrad.shapes import axes_of


class Statements:
    """Write a schedule as lines; `called` gives the names of inputs and of named values."""

    def __init__(
        self,
        schedule: Schedule,
        storage: Storage,
        writer: Writer,
        called: dict[Node, str],
        fresh: Callable[[str], str],
        notes: dict[Node, str],
    ) -> None:
        self.s, self.storage, self.writer = schedule, storage, writer
        self.called, self.fresh_name, self.notes = called, fresh, notes
        self.row_name = fresh("rows")
        self.text: dict[Node, str] = {}  # how a whole value is called
        self.rows: dict[Node, str] = {}  # how its rows are called in the present loop
        self.constants: dict[str, str] = {}  # value -> name of an array of no axes
        self.products: list[tuple[Node, str]] = []  # how many row blocks a product takes
        self.ones: dict[str, str] = {}  # size -> name of a vector of ones
        self.lines: list[str] = []
        self.operations = 0
        self.names: dict[tuple[str, int], str] = {}  # of buffers, tiles, loops
        for node, name in called.items():
            if node.op == "input":
                self.text[node] = name

    def buffer(self, what: str, k: int) -> str:
        """Name the k-th buffer, tile or loop."""
        if (what, k) not in self.names:
            self.names[what, k] = self.fresh_name(f"{what}{k}")
        return self.names[what, k]

    def write(self) -> list[str]:
        """Write all units."""
        for k, unit in enumerate(self.s.units):
            if unit.dim is None or len(unit.nodes) == 1:
                for node in unit.nodes:
                    self._single(node)
            else:
                self._loop(unit, k)
        return self.lines

    # -- operands ------------------------------------------------------------------------------

    def whole(self, node: Node) -> str:
        """Give the text of a whole value."""
        if node in self.text:
            return self.text[node]
        if node.op == "const":
            return number(node.attrs["value"])
        if node.op == "dim":
            return self.writer.sizes.get(node.attrs["name"], node.attrs["name"])
        if self.s.kinds[node] == "scalar":
            return f"({self._expression(node)})"
        assert self.s.kinds[node] == "view", node
        return self._view(node, self.whole(node.args[0]))

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
            return self._number(arg)
        if loop and self.s.sliced(node, k):
            return self.row(arg)
        return self.whole(arg)

    def _number(self, node: Node) -> str:
        """Write a number beside arrays: it must not change their type."""
        value = value_of(node)
        if value is not None:
            key = repr(float(value))
            if key not in self.constants:
                plain = re.sub(r"\W", "_", f"{value:g}".replace("-", "m").replace(".", "p"))
                self.constants[key] = self.fresh_name(f"c{plain}")
            return self.constants[key]
        if node.op == "dim":
            return self.whole(node)
        return f"float({self.whole(node)})"

    def row(self, node: Node) -> str:
        """Give the rows of a value in the present loop; slice a whole one once."""
        if node in self.rows:
            return self.rows[node]
        if self.s.kinds[node] == "view" and node.op == "expand" and min(node.attrs["axes"]) > 0:
            return self._view(node, self.row(node.args[0]))
        name = self.fresh_name(f"{self._short(node)}_rows")
        self.body.append(f"{name} = {self.whole(node)}[{self.row_name}]")
        self.rows[node] = name
        return name

    def _short(self, node: Node) -> str:
        text = self.text.get(node, "")
        return text if text.isidentifier() else self.called.get(node, "part")

    # -- statements ----------------------------------------------------------------------------

    def _expression(self, node: Node) -> str:
        """Write a number by its formula, from what has a name."""
        return self.writer.write(node, self.text)

    def _single(self, node: Node) -> None:
        kind = self.s.kinds[node]
        self._note(node, self.lines)
        if kind == "scalar":
            self._scalar(node)
            return
        self.operations += 1
        if kind == "other":
            name = self.name(node)
            names = {a: self.whole(a) for a in node.args if a.shape or a in self.text}
            self.lines.append(f"{name} = {self._plain(node, names)}")
            self.text[node] = name
            return
        if not node.shape:
            name = self.name(node)
            whole = self._product(node, "", False) if kind == "matmul" else self._reduced(node, False)
            self.lines.append(f"{name} = np.float64({whole})")
            self.text[node] = name
            return
        place = self._place(node)
        call = self._call(node, place, loop=False)
        name = self.name(node) if node in self.called else place
        if name == place and "=" not in call.split("(")[0]:
            self.lines.append(call)
        else:
            self.lines.append(f"{name} = {call}")
        self.text[node] = name

    def _scalar(self, node: Node) -> None:
        users = self.s.users[node]
        inline = len(users) == 1 and node not in self.called and node not in self.s.roots
        if inline and self.s.kinds[users[0][0]] == "scalar":
            return
        name = self.name(node)
        self.lines.append(f"{name} = np.float64({self._expression(node)})")
        self.text[node] = name

    def name(self, node: Node) -> str:
        """Name a value: as the user did, or by a number."""
        if node not in self.called:
            self.called[node] = self.fresh_name("v1" if not node.shape else "w1")
        return self.called[node]

    def _place(self, node: Node) -> str:
        """Name the array that a whole result goes to."""
        if node in self.storage.fresh:
            name = self.name(node)
            shape = self._shape(node)
            self.lines.append(f"{name} = np.empty({shape}, {self.dtype(node)})")
            return name
        return self.buffer("buf", self.storage.whole[node])

    def _shape(self, node: Node) -> str:
        sizes = self.writer.sizes
        return sized(shape_text(node.shape), lambda d: sizes.get(d, d))

    def dtype(self, node: Node) -> str:
        """Give the NumPy type of an array."""
        return {"float": self.writer.dtype, "int": "np.int64", "bool": "np.bool_"}[node.dtype]

    def _call(self, node: Node, out: str, loop: bool) -> str:
        """Write the call that computes an array into `out`."""
        kind = self.s.kinds[node]
        if kind == "ufunc":
            listed = ", ".join(self.operand(node, k, loop) for k in range(len(node.args)))
            return f"np.{ufunc(node)}({listed}, out={out})"
        if kind == "reduce":
            return self._reduced(node, loop, out)
        if kind == "matmul":
            return self._product(node, out, loop)
        names = {}
        for k, a in enumerate(node.args):
            if a.shape or a in self.text:
                names[a] = self.operand(node, k, loop) if a.shape else self._number(a)
        return f"np.copyto({out}, {self.writer.write(node, names)})"

    def _plain(self, node: Node, names: dict[Node, str]) -> str:
        return self.writer.write(node, names)

    def _reduced(self, node: Node, loop: bool, out: str = "") -> str:
        into = f", out={out}" if out else ""
        if node in self.s.dots:
            return self._dot(node, loop)
        inner = node.args[0]
        text = self.operand(node, 0, loop)
        axes = axes_of(node.attrs["axis"], len(inner.shape))
        if len(axes) == len(inner.shape):
            return f"{REDUCERS[node.op]}({text}, axis=None{into})"
        if node.op == "sum" and axes == (0,) and len(inner.shape) == 2 and out and not loop:
            size = self.writer.sizes.get(str(inner.shape[0]), str(inner.shape[0]))
            name = self.ones.setdefault(size, "") or self.fresh_name(f"ones_{size}")
            self.ones[size] = name
            return f"np.dot({name}, {text}, out={out})"
        axis = axes[0] if len(axes) == 1 else axes
        return f"{REDUCERS[node.op]}({text}, axis={axis}{into})"

    def _dot(self, node: Node, loop: bool) -> str:
        """Write sum(a*b): a dot product where both lie alike in memory."""
        a, b = self.s.dots[node]
        first, second = self.operand(node, 0, loop), self.operand(node, 1, loop)
        if len(a.shape) == 1:
            return f"np.dot({first}, {second})"
        if a is b:
            return f"np.dot({first}.ravel(), {second}.ravel())"
        return f"np.vdot({first}, {second})"

    def _product(self, node: Node, out: str, loop: bool) -> str:
        a, b = node.args
        left, right = (
            f"{self.operand(node, k, loop)}{'.T' if turned(m) else ''}"
            for k, m in enumerate(node.args)
        )
        into = f", out={out}" if out else ""
        if len(a.shape) > 2 or len(b.shape) > 2:
            return f"np.matmul({left}, {right}{into})"
        return f"np.dot({left}, {right}{into})"

    # -- loops ---------------------------------------------------------------------------------

    def _loop(self, unit: Unit, k: int) -> None:
        index = self.storage.loop[k]
        loop = self.storage.loops[index]
        self.body: list[str] = []
        self.rows = {}
        before: list[str] = []
        for node in unit.nodes:
            if node in self.s.grown:
                before.append(self._start(node))
            elif node in self.storage.fresh:
                before.append(f"{self.name(node)} = np.empty({self._shape(node)}, {self.dtype(node)})")
                self.text[node] = self.name(node)
            elif node in self.storage.whole:
                self.text[node] = self.buffer("buf", self.storage.whole[node])
        for node in unit.nodes:
            self.operations += 1
            self._note(node, self.body)
            self._row_statement(node)
        slots = ", ".join(self.buffer("tile", j) for j in range(len(loop.slots)))
        self.lines += before
        listed = f"{self.row_name}, {slots}" if slots else f"{self.row_name},"
        self.lines.append(f"for {listed} in {self.buffer('loop', index)}:")
        self.lines += ["    " + line for line in self.body]
        self.rows = {}

    def _start(self, node: Node) -> str:
        """Begin a sum over the rows with 0."""
        name = self.name(node)
        self.text[node] = name
        if not node.shape:
            return f"{name} = np.float64(0)"
        if node in self.storage.fresh:
            return f"{name} = np.zeros({self._shape(node)}, {self.dtype(node)})"
        self.lines.append(f"{name} = {self.buffer('buf', self.storage.whole[node])}")
        return f"{name}.fill(0)"

    def _row_statement(self, node: Node) -> None:
        if node in self.s.grown:
            if self.s.kinds[node] == "matmul":
                left, right = (
                    f"{self.operand(node, k, True)}{'.T' if turned(m) else ''}"
                    for k, m in enumerate(node.args)
                )
                self.body.append(f"{self.text[node]} += np.dot({left}, {right})")
            else:
                self.body.append(f"{self.text[node]} += {self._reduced(node, True)}")
            return
        if node in self.storage.tile:
            out = self.buffer("tile", self.storage.tile[node])
        else:
            out = self.row(node)
        if node in self.called and node not in self.storage.fresh and out != self.called[node]:
            name = self.called[node]
        else:
            name = out
        if self.s.kinds[node] == "rows":
            self._labelled(node, out)
            name = out
        else:
            call = self._call(node, out, loop=True)
            copied = call.startswith("np.copyto")
            self.body.append(call if name == out or copied else f"{name} = {call}")
            name = out if copied else name
        self.rows[node] = name

    def _labelled(self, node: Node, out: str) -> None:
        """Take or mark the entry at each row's label."""
        unit = self.storage.unit[node]
        loop = self.storage.loops[self.storage.loop[unit]]
        seats = (j for j, kind in enumerate(loop.slots) if kind.dtype == SEAT)
        seat = self.buffer("tile", next(seats))
        labels = self.operand(node, len(node.args) - 1, True)
        if node.op == "pick":
            scores = self.operand(node, 0, True)
            self.body.append(f"np.copyto({out}, {scores}[{seat}, {labels}])")
        else:
            self.body.append(f"{out}.fill(0)")
            self.body.append(f"{out}[{seat}, {labels}] = 1")

    def _note(self, node: Node, lines: list[str]) -> None:
        if node in self.notes:
            lines.append(f"# {self.notes[node]}")


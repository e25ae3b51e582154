"""Write the statements of scheduled nodes: NumPy calls with `out=`, in loops over row tiles."""

import re
from collections.abc import Callable

from symgrad.codegen.fast.kinds import REDUCERS, ufunc
from symgrad.codegen.fast.schedule import Schedule, Unit, turned
from symgrad.codegen.fast.storage import ONES, SEAT, Storage, by_ones
from symgrad.formula.code import Writer, number
from symgrad.graph import Node
from symgrad.ops.slices import key_text
from symgrad.ops.spec import shape_text, size_text, sized, value_of
from symgrad.shapes import Dim, axes_of


POSITION = {"maximum": "out=", "minimum": "out="}  # they take their output by name only


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
        self.slices: dict[str, str] = {}  # which rows the loop has taken already
        self.constants: dict[str, str] = {}  # value -> name of an array of no axes
        self.blocks: dict[str, str] = {}  # how many blocks a product has -> name of the number
        self.carried: list[str] = []  # functions that the module has to hold
        self.ones: dict[str, str] = {}  # size -> name of a vector of ones
        self.lines: list[str] = []
        self.views: dict[str, None] = {}
        self.joined: dict[tuple[str, tuple[str, ...]], str] = {}  # loops with rows of arrays
        self.functions: dict[str, str] = {}  # ufunc -> its name in the module
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
        self.rows[node] = self._slice(self.whole(node), self._short(node))
        return self.rows[node]

    def _slice(self, text: str, short: str) -> str:
        """Take the rows of a whole array once in a loop."""
        if text not in self.slices:
            self.slices[text] = self.fresh_name(f"{short}_rows")
            if text in self.views:  # the workspace has cut its own arrays beforehand
                self.cut.append(text)
                return self.slices[text]
            self.body.append(f"{self.slices[text]} = {text}[{self.row_name}]")
        return self.slices[text]

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
            whole = (
                self._product(node, "", False) if kind == "matmul" else self._reduced(node, False)
            )
            self.lines.append(f"{name} = np.float64({whole})")
            self.text[node] = name
            return
        if node in self.storage.fresh and (
            kind == "matmul" or (kind == "reduce" and by_ones(node))
        ):
            name = self.name(node)
            self.lines.append(f"{name} = {self._call(node, '', loop=False)}")
            self.text[node] = name
            return
        place = self._place(node)
        if kind == "placed":
            self._parts(node, place)
            return
        call = self._call(node, place, loop=False)
        name = self.name(node) if node in self.called else place
        if name == place and "=" not in call.split("(")[0]:
            self.lines.append(call)
        else:
            self.lines.append(f"{name} = {call}")
        self.text[node] = name

    def _parts(self, node: Node, out: str) -> None:
        """Write the terms of a sum at their places."""
        terms = self.s.placed[node]
        whole = next((t for t in terms if t.op != "unslice"), None)
        first = f"np.copyto({out}, {self.whole(whole)})" if whole else f"{out}.fill(0)"
        self.lines.append(first)
        for term in terms:
            if term is whole:
                continue
            text = self._number(term) if not term.shape else ""
            if term.op == "unslice":
                inner = term.args[0]
                text = self.whole(inner) if inner.shape else self._number(inner)
            key = key_text(term.attrs["key"]) if term.op == "unslice" else "..."
            self.lines.append(f"{out}[{key}] += {text or self.whole(term)}")
        self.text[node] = out

    def _scalar(self, node: Node) -> None:
        users = self.s.users[node]
        inline = len(users) == 1 and node not in self.called and node not in self.s.roots
        if inline and self.s.kinds[users[0][0]] == "scalar":
            return
        name = self.name(node)
        self.lines.append(f"{name} = np.float64({self._expression(node)})")
        self.text[node] = name

    def function(self, name: str) -> str:
        """Name a ufunc by one word: looking it up in NumPy costs a tenth of a small call."""
        if name not in self.functions:
            self.functions[name] = self.fresh_name(name)
        return self.functions[name]

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
            return f"{self.function(ufunc(node))}({listed}, {POSITION.get(node.op, '')}{out})"
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
        if len(axes) == len(inner.shape) and not (by_ones(node) and loop):
            return f"{REDUCERS[node.op]}({text}, axis=None{into})"
        if by_ones(node) and loop:
            return f"{self._extra(node, ONES)}.dot({text})"
        if by_ones(node) and not loop:
            size = self.writer.sizes.get(str(inner.shape[0]), str(inner.shape[0]))
            name = self.ones.setdefault(size, "") or self.fresh_name(f"ones_{size}")
            self.ones[size] = name
            return f"{name}.dot({text}{out and ', ' + out})"
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
        texts = [self.operand(node, k, loop) for k in (0, 1)]
        left, right = (f"{t}{'.T' * turned(m)}" for t, m in zip(texts, node.args, strict=True))
        if len(a.shape) > 2 or len(b.shape) > 2:
            return f"np.matmul({left}, {right}{out and ', out=' + out})"
        if len(a.shape) < 2 or len(b.shape) < 2:
            return f"{left}.dot({right}{out and ', ' + out})"
        out = out or f"np.empty({self._shape(node)}, {self.dtype(node)})"
        fresh = out.startswith("np.")
        plain = f"{left}.dot({right}{'' if fresh else ', ' + out})"
        (m, k), n = (self.size(d) for d in a.shape), self.size(b.shape[1])
        if turned(a):
            itemsize = 8 if self.writer.dtype.endswith("64") else 4
            terms = self._blocks("sum", f"sum_blocks({k}, {m}, {n}, {itemsize})")
            rows = self._blocks("split", f"product_blocks({m}, {k}, {n})")
            self._carry("turned_product", "sum_blocks", "product_blocks")
            return (f"{plain} if {terms} == {rows} == 1 else"
                    f" turned_product({texts[0]}, {right}, {out}, {terms}, {rows})")  # fmt: skip
        columns = node in self.storage.columns
        rows = self._blocks("split", f"product_blocks({m}, {k}, {n}{', True' * columns})")
        self._carry("product", "product_blocks")
        blocked = f"product({left}, {right}, {out}, {rows})"
        return blocked if columns else f"{plain} if {rows} == 1 else {blocked}"

    def size(self, dim: Dim) -> str:
        """Write a dimension."""
        return sized(size_text(dim), lambda d: self.writer.sizes.get(d, d))

    def _blocks(self, name: str, text: str) -> str:
        if text not in self.blocks:
            self.blocks[text] = self.fresh_name(f"{name}1")
        return self.blocks[text]

    def _carry(self, *names: str) -> None:
        self.carried += [n for n in names if n not in self.carried]

    # -- loops ---------------------------------------------------------------------------------

    def _loop(self, unit: Unit, k: int) -> None:
        index = self.storage.loop[k]
        loop = self.storage.loops[index]
        self.body: list[str] = []
        self.rows, self.slices, self.cut = {}, {}, []
        self.views = dict.fromkeys(self.buffer("buf", j) for j in range(len(self.storage.wholes)))
        before: list[str] = []
        for node in unit.nodes:
            if node in self.s.grown:
                before.append(self._start(node))
            elif node in self.storage.fresh:
                before.append(
                    f"{self.name(node)} = np.empty({self._shape(node)}, {self.dtype(node)})"
                )
                self.text[node] = self.name(node)
            elif node in self.storage.whole:
                self.text[node] = self.buffer("buf", self.storage.whole[node])
        for node in unit.nodes:
            self.operations += 1
            self._note(node, self.body)
            self._row_statement(node)
        listed = [self.row_name, *(self.buffer("tile", j) for j in range(len(loop.slots)))]
        listed += [self.slices[text] for text in self.cut]
        name = self.buffer("loop", index)
        if self.cut:
            key = (name, tuple(self.cut))
            if key not in self.joined:
                self.joined[key] = self.fresh_name("cut1")
            name = self.joined[key]
        self.lines += before
        self.lines.append(f"for {', '.join(listed)}{',' * (len(listed) == 1)} in {name}:")
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
        elif node in self.storage.within or node in self.storage.borrowed:
            slot = self.storage.within.get(node, self.storage.borrowed.get(node, -1))
            whole = self.buffer("buf", slot)
            out = self._slice(whole, whole)
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
        seat = self._extra(node, SEAT)
        labels = self.operand(node, len(node.args) - 1, True)
        if node.op == "pick":
            scores = self.operand(node, 0, True)
            self.body.append(f"np.copyto({out}, {scores}[{seat}, {labels}])")
        else:
            self.body.append(f"{out}.fill(0)")
            self.body.append(f"{out}[{seat}, {labels}] = 1")

    def _extra(self, node: Node, what: str) -> str:
        """Name the tile of a loop that counts its rows, or has a one for each."""
        loop = self.storage.loops[self.storage.loop[self.storage.unit[node]]]
        slot = next(j for j, kind in enumerate(loop.slots) if kind.dtype == what)
        return self.buffer("tile", slot)

    def _note(self, node: Node, lines: list[str]) -> None:
        if node in self.notes:
            lines.append(f"# {self.notes[node]}")

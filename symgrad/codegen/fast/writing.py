"""Write the statements of scheduled nodes: NumPy calls into buffers, in loops over row tiles."""

import re
from collections.abc import Callable

from symgrad.codegen.fast.buffers import SEAT, by_ones
from symgrad.codegen.fast.layout import crossing
from symgrad.codegen.fast.placing import Placing
from symgrad.codegen.fast.schedule import Schedule, turned
from symgrad.codegen.fast.storage import Storage
from symgrad.codegen.fast.units import Unit
from symgrad.formula.code import Writer
from symgrad.graph import Node

CALLS = re.compile(r"\w\(|\bif\b")  # what may give a number of Python, or an array of no axes


class Statements(Placing):
    """Write a schedule as lines; `notes` are the formulas of named values."""

    def __init__(
        self,
        schedule: Schedule,
        storage: Storage,
        writer: Writer,
        called: dict[Node, str],
        fresh: Callable[[str], str],
        notes: dict[Node, str],
    ) -> None:
        super().__init__(schedule, storage, writer, called, fresh)
        self.notes = notes
        self.joined: dict[tuple[str, tuple[str, ...]], str] = {}  # loops with rows of arrays
        self.places: dict[str, str] = {}  # the rows that a name stands for
        self.first: dict[Node, None] = {}  # sums that begin with the part of the first tile
        self.operations = 0

    def write(self) -> list[str]:
        """Write all units."""
        for k, unit in enumerate(self.s.units):
            if unit.looped:
                self._loop(unit, k)
            else:
                for node in unit.nodes:
                    if node not in self.sized:
                        self._note(node, self.lines)
                    self._single(node)
        return self.lines

    def _note(self, node: Node, lines: list[str]) -> None:
        if node in self.notes:
            lines.append(f"# {self.notes[node]}")

    # -- single statements ---------------------------------------------------------------------

    def _single(self, node: Node) -> None:
        kind = self.s.kinds[node]
        if kind == "scalar":
            self._scalar(node)
            return
        self.operations += 1
        if kind == "other":
            names = {a: self.whole(a) for a in node.args if self.known(a)}
            self._assign(node, self.writer.write(node, names))
            self.passing += [self.text[node]] * bool(node.shape)
        elif not node.shape:
            product = kind == "matmul"
            text = self.product(node, "", False) if product else self.reduced(node, False)
            self._assign(node, self._as_double(node, text))
        elif kind == "placed" and (listed := self._listed(node)):
            self._assign(node, listed)
        elif self._makes(node):
            self._assign(node, self.call(node, "", loop=False))
        else:
            self._into(node, self._place(node))

    def _makes(self, node: Node) -> bool:
        """Say whether a call makes the array that is returned: a product, a sum, or a vector.

        Matrices are made before, so that they lie by rows whatever the operands do.
        """
        kind, storage = self.s.kinds[node], self.storage
        if node not in storage.fresh or node in self.text or node in storage.heir_of:
            return False
        if kind != "ufunc" or node in self.s.hot:
            return kind == "matmul" or by_ones(node)
        arrays = [a for a in self.s.operands(node) if a.shape]
        alike = any(a.shape == node.shape and a.dtype == "float" for a in arrays)
        return alike and len(node.shape) == 1 and node.dtype == "float"

    def _into(self, node: Node, place: str) -> None:
        """Compute a whole array into a place; a named value is called by its name from then on."""
        if self.s.kinds[node] == "placed":
            self._parts(node, place)
            self.text[node] = place
            return
        hot = node in self.s.hot
        call = self._marked(node, place, False) if hot else self.call(node, place, loop=False)
        named = node in self.called and self.called[node] != place and not self._copies(call)
        named = named and node not in self.storage.heirs  # a part of a result goes by its name
        self.text[node] = self.called[node] if named else place
        if named and place in self.views:
            self.alias[self.text[node]] = place
        self.lines += [f"{self.text[node]} = {call}"] if named else call.split("\n")

    @staticmethod
    def _copies(call: str) -> bool:
        """Say whether a call gives back nothing, or the transpose of what it has computed."""
        turned = ".T.take(" in call
        marked = any(f"] {change} " in call for change in ("-=", "+=", "="))
        return turned or call.startswith("np.copyto(") or marked

    def _scalar(self, node: Node) -> None:
        if node in self.called or not self.s.joins(node):
            text = self._as_double(node, self.expression(node))
            if node in self.sized:
                self.text[node] = self.name(node)
                self.numbers[self.text[node]] = text
            else:
                self._assign(node, text)

    def _as_double(self, node: Node, text: str) -> str:
        """Make a number NumPy's own, which raises no errors; most are: sums, and what has one."""
        if node.dtype == "bool":
            return f"np.bool_({text})"
        double = self.writer.dtype.endswith("64") and node not in self.sized
        summed = node.args[0].shape and self.s.kinds[node] in ("matmul", "reduce")
        floats = any(a.dtype == "float" for a in self.s.operands(node))
        own = floats if summed else self.writer.strong(node) and not CALLS.search(text)
        return text if double and own else f"np.float64({text})"

    # -- loops ---------------------------------------------------------------------------------

    def _loop(self, unit: Unit, k: int) -> None:
        self.rows, self.slices, self.turned, self.cut, self.body = {}, {}, {}, [], []
        self.copies = []
        self.deep = self.storage.deep.get(k)
        self.crossing = (
            {} if k in self.storage.deep else crossing(self.s, self.storage.columns, unit)
        )
        for node in unit.nodes:
            if node in self.storage.lead:
                self._start_parts(node)
            elif node in self.s.grown:
                self._start(node)
            elif self.storage.own(node) or node in self.storage.viewed:
                self.text[node] = self._place(node)
            elif node in self.storage.whole:
                self.text[node] = self.buffer("buf", self.storage.whole[node])
        for node in unit.nodes:
            self.operations += 1
            self._note(node, self.body)
            if node in self.storage.lead:
                self._add_parts(node)
            elif node in self.s.grown:
                self._grow(node)
            else:
                self.rows[node] = self._row(node)
        if self.copies:  # else the next tile's would be made beside them
            self.body.append(f"{' = '.join(self.copies)} = None")
        self._close(unit, *self._head(self.storage.loop[k]))
        self.rows = {}

    def _grow(self, node: Node) -> None:
        """Add what the rows of a tile give to a sum."""
        name, part = self.text[node], self._part(node)
        if node in self.first:
            self.body += [f"if {name} is None:", f"    {name} = {part}", "else:"]
        self.body.append(f"{'    ' * (node in self.first)}{name} += {part}")

    def _close(self, unit: Unit, listed: str, tiles: str) -> None:
        """Put a loop over the tiles around its statements."""
        self.lines.append(f"for {listed} in {tiles}:")
        self.lines += ["    " + line for line in self.body]

    def _head(self, index: int) -> tuple[str, str]:
        """Name what a tile has, rows, buffers and rows of the workspace's arrays; and all tiles."""
        slots = self.storage.loops[index].slots
        listed = [self.row_name, *(self.buffer("tile", j) for j in range(len(slots)))]
        listed += [self.slices[text] for text in self.cut]
        name = self.buffer("loop", index)
        if self.cut:
            name = self.named(self.joined, (name, tuple(self.cut)), f"{name}_1")
        return f"{', '.join(listed)}{',' * (len(listed) == 1)}", name

    def _start(self, node: Node) -> None:
        """Begin a sum over the rows: with 0, or with nothing if the first tile's part can be it."""
        if not node.shape:
            self._assign(node, "np.float64(0)")
        elif self.storage.begins_alone(node):
            self._assign(node, "None")
            self.first[node] = None
            self.passing.append(self.text[node])
        elif node in self.storage.fresh:
            self._assign(node, f"np.zeros({self.shape(node)}, {self.dtype(node)})")
        else:
            self._assign(node, self.buffer("buf", self.storage.whole[node]))
            self.lines.append(f"{self.text[node]}.fill(0)")

    def _part(self, node: Node) -> str:
        """Write what the rows of a tile add to a sum."""
        if self.s.kinds[node] != "matmul":
            return self.reduced(node, True)
        left, right = (
            f"{self.operand(node, k, True)}{'.T' * turned(m)}" for k, m in enumerate(node.args)
        )
        return f"np.dot({left}, {right})"

    def _row(self, node: Node) -> str:
        """Compute the rows of a tile; give how they are called."""
        out = self._target(node)
        if node in self.s.hot:
            self.body += self._marked(node, out, True).split("\n")
            return out
        if self.s.kinds[node] == "rows":
            self._labelled(node, out)
            return out
        call = self.call(node, out, loop=True)
        named = node in self.called and not self.storage.own(node) and not self._copies(call)
        name = self.called[node] if named else out
        self.body += call.split("\n") if name == out else [f"{name} = {call}"]
        self.places[name] = out
        return name

    def _target(self, node: Node) -> str:
        """Name the rows that a result goes to."""
        node = self.storage.ahead.get(node, node)
        if node in self.storage.tile:
            return self.buffer("tile", self.storage.tile[node])
        slot = self.storage.within.get(node, self.storage.borrowed.get(node))
        if slot is not None:
            whole = self.buffer("buf", slot)
            return self.slice(whole, whole)
        return self.row(node)

    def _marked(self, node: Node, out: str, loop: bool) -> str:
        """Change the entry at each row's label."""
        mark = self.s.hot[node]
        read = [self.operand(node, k, loop) for k in range(len(mark.operands))]
        inner, labels = (out, read[0]) if mark.alone else read[:2]
        count = self.size(node.shape[mark.columns])
        places = [self.extra(node, SEAT) if loop else f"np.arange({count})", labels]
        copied = "" if self.places.get(inner, inner) == out else f"np.copyto({out}, {inner})\n"
        if mark.alone:
            copied = f"{out}.fill(0)\n"
        if mark.turned:
            copied = f"{self.function('negative')}({inner}, {out})\n"
        entries = ", ".join(reversed(places) if mark.columns else places)
        return f"{copied}{out}[{entries}] {mark.change.format(*read)}"

    def _labelled(self, node: Node, out: str) -> None:
        """Take or mark the entry at each row's label."""
        seat = self.extra(node, SEAT)
        labels = self.operand(node, len(node.args) - 1, True)
        if node.op == "pick":
            scores = self.operand(node, 0, True)
            self.body.append(f"np.copyto({out}, {scores}[{seat}, {labels}])")
        else:
            self.body += [f"{out}.fill(0)", f"{out}[{seat}, {labels}] = 1"]

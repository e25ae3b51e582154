"""Write loops over tiles as functions that several threads call, each with buffers of its own.

A loop's statements become a local function of a lane, which is a thread's tiles, and of a tile's
number. Its sums go into rows of an array, which are added in the order of the tiles: the bits are
those of the loop. The functions that share the tiles out are in `pool`.
"""

from dataclasses import dataclass
from typing import Any

from symgrad.codegen.fast import pool
from symgrad.codegen.fast.buffers import Loop
from symgrad.codegen.fast.module import FastModule
from symgrad.codegen.fast.schedule import Schedule
from symgrad.codegen.fast.storage import Storage
from symgrad.codegen.fast.units import Unit
from symgrad.codegen.fast.writing import Statements
from symgrad.graph import Node
from symgrad.shapes import Shape


class SharedStatements(Statements):
    """Write each loop as a function that is called for every tile."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.parts: dict[Node, str] = {}  # the sums of each tile
        self.own: dict[str, str] = {}  # the names of a function's parameters

    def _start(self, node: Node) -> None:
        """Clear the sums of the tiles."""
        self.text[node] = self.name(node)
        self.named(self.parts, node, f"{self.text[node]}_parts")
        self.lines.append(f"{self.parts[node]}.fill(0)")

    def _grow(self, node: Node) -> None:
        parts, k = self.parts[node], self.named(self.own, "k", "k")
        self.body.append(f"{parts}[{k} % len({parts})] += {self._part(node)}")

    def _close(self, unit: Unit, listed: str, tiles: str) -> None:
        """Call the statements for every tile, and add the sums of the tiles."""
        lane, k = self.named(self.own, "lane", "lane"), self.named(self.own, "k", "k")
        body = self.fresh_name("one_tile")
        self.lines += ["", f"def {body}({lane}, {k}):"]
        listed = f"({listed})" if listed.endswith(",") else listed
        self.lines.append(f"    {listed} = {lane}[{k}]")
        self.lines += ["    " + line for line in self.body]
        self.lines += ["", f"run_tiles({body}, {tiles}, len({tiles}[0]))"]
        for node in unit.nodes:
            if node in self.s.grown:
                self.lines.append(f"{self.text[node]} = added({self.parts[node]})")


@dataclass(slots=True)
class Alike(Loop):
    """Hold the buffers of a loop whose tiles are cut as those of another one."""

    other: Loop | None = None

    def touched(self) -> list[Shape]:
        """List the shapes of a row that the other loop touches."""
        return self.other.touched() if self.other else Loop.touched(self)


class SharedModule(FastModule):
    """Write a module of style fast whose loops are shared among threads."""

    taken = (*FastModule.taken, *pool.TEXTS, "THREADS")
    statements_of = SharedStatements
    in_order = False
    rooming = False
    statements: SharedStatements

    def __init__(self, threads: int, *given: Any) -> None:
        super().__init__(*given)
        self.threads = threads
        reuse = bool(self.storage.kept)
        self._cut_as_alone(Storage(Schedule(self.schedule.roots), reuse))
        if self.storage.loops:
            self.needs = "NumPy and threadpoolctl"

    def _cut_as_alone(self, alone: Storage) -> None:
        """Let tiles be as long as without threads, whatever else is touched: for the same bits."""
        own = self.storage
        for k, unit in enumerate(self.schedule.units):
            if k not in own.loop:
                continue
            found = (alone.loop.get(alone.unit[n]) for n in unit.nodes if n in alone.unit)
            same = next((alone.loops[j] for j in found if j is not None), None)
            if same is not None and same.dim == unit.dim:
                loop = own.loops[own.loop[k]]
                own.loops[own.loop[k]] = Alike(loop.dim, loop.slots, loop.reads, same)

    def _imports(self, helpers: list[str]) -> list[str]:
        first = [*pool.HEAD.splitlines(), ""] if self.storage.loops else []
        return [*first, *super()._imports(helpers)]

    def _constants(self) -> list[str]:
        used = [f"THREADS = {self.threads}  # that share the tiles"] * bool(self.storage.loops)
        return [*used, *super()._constants()]

    def _called_texts(self, read: str) -> list[str]:
        return [*super()._called_texts(read), *(pool.TEXTS if self.storage.loops else ())]

    def _cut(self, index: int) -> str:
        """Begin the call that cuts the rows of a loop: the work and the sums of a row."""
        units = [u for k, u in enumerate(self.schedule.units) if self.storage.loop.get(k) == index]
        sums = list(dict.fromkeys(map(self._sums, units)))
        steps = max(len(u.nodes) for u in units)
        most = sums[0] if len(sums) == 1 else f"max({', '.join(sums)})"
        return f"lanes(THREADS, {steps}, {most}, "

    def _sums(self, unit: Unit) -> str:
        """Write how many entries the sums of a loop have."""
        counts = [self._count(n.shape) for n in unit.nodes if n in self.schedule.grown]
        numbers = counts.count("1")
        terms = [str(numbers)] if numbers else []
        for text in dict.fromkeys(c for c in counts if c != "1"):
            terms.append(text if counts.count(text) == 1 else f"{counts.count(text)}*{text}")
        return " + ".join(terms) or "0"

    def _with_rows(self, tiles: str, cut: str) -> str:
        return f"[with_rows(lane, {cut}) for lane in {tiles}]"

    def _made(self) -> list[tuple[str, str]]:
        made = super()._made()
        for node, name in self.statements.parts.items():
            index = self.storage.loop[self.storage.unit[node]]
            tiles = self.statements.buffer("loop", index)
            dtype = self.statements.dtype(node) if node.shape else "np.float64"
            made.append((name, f"parts({tiles}, {self._shape(node.shape)}, {dtype})"))
        return made

"""Find what the fast style did with a program: each optimisation, where, and its gain in time."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from symgrad.codegen.fast import pool
from symgrad.codegen.fast.buffers import COUNTS, Kind, along_rows, by_ones
from symgrad.codegen.fast.gains import Clock
from symgrad.codegen.fast.module import FastModule
from symgrad.codegen.fast.places import Lines, Sources
from symgrad.codegen.fast.schedule import turned
from symgrad.codegen.fast.workspace import light
from symgrad.graph import Node, consumers, depends, topological
from symgrad.shapes import text

FAR = 4  # steps to the rule that made a value needless, or cheaper


@dataclass(frozen=True, slots=True)
class Finding:
    """Hold one optimisation: nanoseconds that it saves in a call, and the values it is about."""

    what: str
    gain: float
    nodes: tuple[Node, ...]
    source: str = ""


class Findings:
    """List the optimisations of a written module; `clock` has the sizes and the costs."""

    def __init__(self, module: FastModule, clock: Clock, lines: Lines) -> None:
        self.module, self.clock, self.lines = module, clock, lines
        self.plan, self.low = module.original, module.low
        self.schedule, self.storage = module.schedule, module.storage
        self.sources = Sources(module)
        self.cuts = self._cuts()
        self.order = topological([self.plan.value, *self.plan.grads.values()])
        self.users = consumers(self.order)
        self._own()

    def _own(self) -> None:
        """Say for which value of the program a lowered one is computed: the first that has it."""
        live = dict.fromkeys(self.schedule.order)
        self.owner: dict[Node, Node] = {}
        self.owned: dict[Node, list[Node]] = {}
        seen: dict[Node, None] = {}
        for node in self.order:
            image = self.low.image.get(node, node)
            for part in topological([image], stop=lambda n: n in seen):
                if part not in seen and part in live:
                    self.owner[part] = node
                    self.owned.setdefault(node, []).append(part)
                seen[part] = None

    def all(self) -> list[Finding]:
        """List everything, the largest gain first."""
        found = [*self.unneeded(), *self.rules(), *self.loops(), *self.dots(), *self.products(),
                 *self.sums(), *self.columns()]  # fmt: skip
        return sorted(found, key=lambda f: -f.gain)

    # -- arithmetic ----------------------------------------------------------------------------

    def _final(self, node: Node, stage: int) -> Node | None:
        """Follow a node through the stages of lowering; None if it is not computed in the end."""
        for found in self.low.fired.stages[stage:]:
            node = found.get(node, node)
        return node if node in self.owner else None

    def _home(self, node: Node) -> Node | None:
        """Give the value of the program for which a rule was applied to a node."""
        if node in self.users:
            return node
        stages = self.low.fired.stages
        for k, found in enumerate(stages):
            if node in found:
                final = self._final(node, k)
                if final is not None:
                    return self.owner[final]
        return None

    def rules(self) -> Iterator[Finding]:
        """Compare each value's readable form with what is computed for it, rule by rule."""
        fired: dict[Node, dict[str, None]] = {}
        lost: dict[str, None] = {}
        for rule, node in self.low.fired.met:
            home = self._home(node)
            if home is None:
                lost[rule] = None
            else:
                fired.setdefault(home, {})[rule] = None
        for home, gain, others in self._shared_out(fired):
            rules = dict.fromkeys(r for n in (home, *others) for r in fired[n])
            yield Finding("; ".join(rules), gain, (home, *others))
        for rule in lost:
            if not any(rule in rules for rules in fired.values()):
                yield Finding(rule, 0.0, ())

    def _shared_out(
        self, fired: Mapping[Node, object]
    ) -> Iterator[tuple[Node, float, tuple[Node, ...]]]:
        """Give what the values with rules save; what others save is due to the rule next to them.

        A value that costs more, because it computes what another shares, goes with that one.
        """
        gain = {n: self._saved(n) for n in self.order}
        for node in reversed(self.order):
            if node not in fired and abs(gain[node]) >= 1:
                near = self._near(node, fired)
                if near is not None:
                    gain[near] += gain[node]
        joined: dict[Node, list[Node]] = {n: [] for n in fired}
        for node in fired:
            if gain[node] < 0:
                near = self._near(node, {n: None for n in joined if gain[n] > 0})
                if near is not None:
                    gain[near] += gain[node]
                    joined[near] += [node, *joined.pop(node)]
        for node, others in joined.items():
            yield node, gain[node], tuple(others)

    def _near(self, node: Node, wanted: Mapping[Node, object]) -> Node | None:
        """Find the nearest of some values among the users of a value and their operands."""
        todo, seen = [(node, 0)], {node: None}
        for value, far in todo:
            if value in wanted and value is not node:
                return value
            near = [u for u, _ in self.users.get(value, ())] + list(value.args)
            for other in near if far < FAR else ():
                if other not in seen:
                    seen[other] = None
                    todo.append((other, far + 1))
        return None

    def _saved(self, node: Node) -> float:
        """Give what a value takes less than in the readable style."""
        before = self.clock.readable(node)
        return before - sum(self._fast(n) for n in self.owned.get(node, ()))

    def _fast(self, node: Node) -> float:
        inner = node.args[0] if node.args else node
        return self.clock.fast(node, inner in self.storage.columns, False)

    def unneeded(self) -> Iterator[Finding]:
        """List the products that the gradient of data would take."""
        plan = self.plan
        wanted = [n for n in plan.graph.inputs if n.attrs["name"] in plan.grads]
        varied = depends(self.order, wanted)
        forward = topological([plan.value])
        for node in forward:
            if node.op != "matmul" or node not in varied:
                continue
            for operand in node.args:
                if operand not in varied:
                    inner = operand.args[0] if turned(operand) else operand
                    name = inner.attrs.get("name", f"{inner.op} {text(inner.shape)}")
                    what = f"no gradient of {name}, a product {text(operand.shape)}; readable too"
                    yield Finding(what, self.clock.product(node), (node,))

    # -- loops ---------------------------------------------------------------------------------

    def loops(self) -> Iterator[Finding]:
        """List the loops over tiles: what stays in the cache, and the sums folded in."""
        storage = self.storage
        for k, unit in enumerate(self.schedule.units):
            if not unit.looped:
                continue
            index = storage.loop[k]
            loop = storage.loops[index]
            rows = self.clock.size(loop.dim)
            touched = loop.touched()
            width = max(-(-sum(self.clock.entries(s) for s in touched) // loop.live), 1)
            vectors = 2 * sum(s.shape == () for s in loop.slots) >= len(loop.slots)
            alike = vectors, light(storage, index)
            tile = self.clock.tile(rows, width, loop.live, *alike, self._alone(index))
            tiles = -(-rows // max(tile, 1))
            sums = [n for n in unit.nodes if n in self.schedule.grown]
            folded = f", {len(sums)} sum{'s' * (len(sums) != 1)} folded in" * bool(sums)
            what = f"{len(unit.nodes)} operations over {loop.dim} in one pass{folded}"
            if tiles < 2:
                yield Finding(f"{what}: one tile at these sizes", 0.0, tuple(unit.nodes))
                continue
            # what an operation reads comes from the cache: elsewhere a pass takes twice as long
            entries = [self.clock.widest(n) for n in unit.nodes]
            passes = (sum(entries) - max(entries)) * self.clock.entry("add")
            calls = (tiles - 1) * len(unit.nodes) * self.clock.costs.call_ufunc
            yield Finding(f"{what}: {tiles} tiles of {tile:,} rows", passes - calls,
                          tuple(unit.nodes))  # fmt: skip

    def _alone(self, index: int) -> list[Kind]:
        """List the buffers of a loop that no idle array has room for."""
        idle, slots = self.module.idle(), self.storage.loops[index].slots
        plain = [j for j, k in enumerate(slots) if k not in COUNTS]
        return [slots[j] for j in plain if ("tile", index, j) not in idle]

    def dots(self) -> Iterator[Finding]:
        """List the sums of products that are dot products."""
        for node, (a, _) in self.schedule.dots.items():
            entries = self.clock.entries(a.shape)
            gain = self.clock.calls(["multiply"], entries) + self.clock.costs.call_reduce
            yield Finding("a sum of products as a dot product", gain - self.clock.costs.call_dot,
                          (node,))  # fmt: skip

    # -- products ------------------------------------------------------------------------------

    def products(self) -> Iterator[Finding]:
        """List the products in blocks, short calls, transposes that BLAS reads as they are."""
        clock, schedule = self.clock, self.schedule
        for node in schedule.order:
            if schedule.kinds[node] != "matmul":
                continue
            a, b = node.args
            if self._blocked(node):
                rate, full = clock.rate(*clock.product_sizes(node)), clock.costs.wide[clock.column]
                m, k, n = clock.product_sizes(node)
                gain = 2.0 * m * k * n * (1 / rate - 1 / full)
                what = "a product in blocks, for BLAS's kernels for small matrices"
                if gain:
                    what = f"a narrow product in blocks: {full:.0f} GFLOP/s, not {rate:.0f}"
                yield Finding(what, gain, (node,))
            elif all(len(x.shape) < 3 for x in node.args):
                yield Finding("a.dot(b, out) for @: a shorter call, no new array",
                              clock.costs.call_matmul - clock.costs.call_dot, (node,))  # fmt: skip
            if turned(a) or turned(b):
                yield Finding("a transpose read by BLAS as it is, as NumPy's @ does too", 0.0,
                              (node,))  # fmt: skip

    def _blocked(self, node: Node) -> bool:
        """Say whether a product is cut into blocks at these sizes: what the module decides by."""
        statement = self.lines.statements.get(self.lines.of.get(node, 0), "")
        words = dict.fromkeys(re.findall(r"\w+", statement))
        return any(name in words and found not in (1, None) for name, found in self.cuts.items())

    def _cuts(self) -> dict[str, object]:
        """Work out how products are cut, as the module's workspace does."""
        space = pool.executed(self.lines.program)
        space |= {called: self.clock.size(dim) for dim, called in self.module.dims.items()}
        blocks = self.module.statements.blocks
        for made, name in blocks.items():
            space[name] = eval(made, space)  # generated, and checked
        return {name: space[name] for name in blocks.values()}

    def sums(self) -> Iterator[Finding]:
        """List the sums over rows that are products with ones."""
        costs, schedule = self.clock.costs, self.schedule
        for node in schedule.order:
            reduced = schedule.kinds[node] == "reduce" and node not in schedule.dots
            if reduced and by_ones(node):
                yield Finding("a sum over rows as a product with ones",
                              costs.call_reduce - costs.call_dot, (node,))  # fmt: skip
            elif reduced and along_rows(node) and not self.module.accurate:
                short = 0 if node.args[0] in self.storage.columns else self.clock.starts(node)
                yield Finding("a sum along rows as a product with ones",
                              short + costs.call_reduce - costs.call_dot, (node,))  # fmt: skip

    def columns(self) -> Iterator[Finding]:
        """List the reductions along short rows that are stored by columns."""
        for node in self.schedule.order:
            if self.schedule.kinds[node] == "reduce" and node.args[0] in self.storage.columns:
                starts = self.clock.starts(node)
                if starts:
                    yield Finding("short rows stored by columns (class-major): no loop is started"
                                  " for each", starts, (node,))  # fmt: skip

    # -- memory --------------------------------------------------------------------------------

    def buffers(self) -> Iterator[tuple[str, int, list[Node]]]:
        """List what memory is saved: what, bytes, and the values in place of an operand."""
        storage, clock = self.storage, self.clock
        width = clock.itemsize

        def each(held: Iterable[Node | Kind]) -> list[int]:
            return [clock.entries(n.shape) * (width if n.dtype != "bool" else 1) for n in held]

        def size(held: Iterable[Node | Kind]) -> int:
            return sum(each(held))

        if storage.whole:
            kept = size(storage.wholes)
            over = [n for n in storage.whole if self._in_place(n)]
            count, buffers = len(storage.whole), len(storage.wholes)
            yield (f"{count} array{'s' * (count != 1)} in {buffers} buffer{'s' * (buffers != 1)}",
                   size(storage.whole) - kept, over)  # fmt: skip
        rooms = self.module.shared
        if rooms:
            common = f"the memory of {len(rooms)}" if len(rooms) > 1 else "the memory of one"
            yield (f"{sum(map(len, rooms))} buffers in {common}, never in use at the same time",
                   sum(size(room) - max(each(room)) for room in rooms), [])  # fmt: skip
        tiles = [*storage.tile, *storage.within]
        if tiles:
            yield f"{len(tiles)} values live in tiles of the cache only", size(tiles), []

    def _in_place(self, node: Node) -> bool:
        slot = self.storage.whole[node]
        whole = self.storage.whole
        return any(whole.get(a, self.storage.borrowed.get(a)) == slot for a in node.args)

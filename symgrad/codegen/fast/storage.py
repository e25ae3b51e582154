"""Give every array a place: an operand's own where it is not read again, else a free one.

Whole arrays live in the workspace from the unit that makes them to the last that reads them. What
only a loop sees lives in tile buffers, which the loops over the same rows share.
"""

from symgrad.codegen.fast.buffers import Kind, Loop, beside_rows
from symgrad.codegen.fast.heirs import Room, ahead, heirs, reshaped, views
from symgrad.codegen.fast.joining import join
from symgrad.codegen.fast.kinds import MORE_VIEWS, below_views
from symgrad.codegen.fast.layout import columns
from symgrad.codegen.fast.schedule import Schedule
from symgrad.codegen.fast.units import Unit
from symgrad.graph import Node

ARITHMETIC = ("add", "sub", "mul", "sum", "neg", "matmul", "row_sums", "column_sums")


class Storage:
    """Assign buffers to the nodes of a schedule."""

    def __init__(self, schedule: Schedule, reuse: bool = False) -> None:
        self.schedule = schedule
        self.kept = dict.fromkeys(schedule.roots) if reuse else {}  # returned, in the workspace
        self.wholes: list[Kind] = []  # the workspace's arrays
        self.whole: dict[Node, int] = {}  # node -> which of them
        self.fresh: dict[Node, None] = {}  # returned: allocated in the call
        self.tile: dict[Node, int] = {}  # node -> slot of its loop
        self.within: dict[Node, int] = {}  # node -> the whole array whose rows it takes over
        self.borrowed: dict[Node, int] = {}  # the same, after another node has taken it over
        self.ahead: dict[Node, Node] = {}  # node -> the result whose rows it is written to first
        self.guests: dict[Node, None] = {}  # those whose rows nothing of the result is made of
        self.handed: dict[int, tuple[int, int]] = {}  # array -> the one it replaces, in which unit
        self.loops: list[Loop] = []
        self.loop: dict[int, int] = {}  # unit -> loop
        self.unit = {n: k for k, u in enumerate(schedule.units) for n in u.nodes}
        self.columns, self.deep = columns(schedule)
        self._last_units()
        self.lead: dict[Node, tuple[int, int] | None] = {}  # which part of a sum is assigned
        self.heirs = heirs(self)  # product -> the result in its place
        self.heir_of = {heir: node for node, heir in self.heirs.items()}
        self.viewed: dict[Node, Node] = {}  # computed where it belongs in a result
        self.viewed.update(views(self))
        self._allocate()

    # -- what is stored how --------------------------------------------------------------------

    def mask_as_number(self, node: Node) -> bool:
        """Say whether a condition is stored as 0 and 1 of the float type: it is only multiplied."""
        s = self.schedule
        if node.dtype != "bool" or s.kinds[node] != "ufunc" or node in s.roots:
            return False
        if node in s.full:  # what waits for a later loop had better be small
            return False
        return all(r.op in ARITHMETIC for r in self.readers(node))

    def kind(self, node: Node, row: bool) -> Kind:
        """Describe the buffer that a node wants."""
        dtype = node.dtype if not self.mask_as_number(node) else "float"
        return Kind(node.shape[1:] if row else node.shape, dtype, self.columns.get(node))

    def begins_alone(self, node: Node) -> bool:
        """Say whether a sum over the rows can be what the first tile gives, to begin with."""
        alone = node not in self.kept and node not in self.schedule.placed
        return alone and all(a.dtype == "float" for a in node.args)

    def filled(self, node: Node) -> Kind | None:
        """Describe the array that stands for the constant of maximum or minimum in a loop."""
        inside = node in self.schedule.local and self.schedule.kinds[node] == "ufunc"
        return beside_rows(node, self.columns.get(node)) if inside else None

    # -- lives ---------------------------------------------------------------------------------

    def readers(self, node: Node) -> list[Node]:
        """List the statements that read a value, through views and absorbed products."""
        s = self.schedule
        found: dict[Node, None] = {}
        todo = [u for u, _ in reversed(s.users[node])]
        while todo:
            user = todo.pop()
            if s.kinds[user] == "view" or user in s.absorbed:
                todo += [u for u, _ in reversed(s.users[user])]
                if user in s.roots:
                    found[user] = None
            else:
                found[user] = None
                if user.op in MORE_VIEWS or s.joins(user):
                    todo += [u for u, _ in reversed(s.users[user])]
        return list(found)

    def _last_units(self) -> None:
        s = self.schedule
        self.last: dict[Node, int] = {}
        self.reads: dict[Node, list[Node]] = {}
        for node in (n for n in self.unit if n.shape):
            reads = self.reads[node] = self.readers(node)
            ends = [self.unit.get(r, len(s.units)) for r in reads]
            kept = node in self.kept or any(r.op in MORE_VIEWS and r in s.roots for r in reads)
            self.last[node] = max([self.unit[node], *ends, len(s.units) * kept])

    # -- allocation ----------------------------------------------------------------------------

    def _allocate(self) -> None:
        free: dict[Kind, list[int]] = {}
        ending: dict[int, list[Node]] = {}
        for k, unit in enumerate(self.schedule.units):
            if unit.looped:
                self._looped(unit, k, free, ending)
            else:
                for node in unit.nodes:
                    self._single(node, k, free, ending)
            for node in ending.pop(k, []):
                free.setdefault(self.wholes_kind(node), []).append(self.whole[node])
            for node in unit.nodes:
                if node in self.within:
                    slot = self.within[node]
                    free.setdefault(self.wholes[slot], []).append(slot)

    def wholes_kind(self, node: Node) -> Kind:
        """Describe the workspace array in which a node lives."""
        return self.wholes[self.whole[node]]

    def _take(self, node: Node, free: dict[Kind, list[int]], ending: dict[int, list[Node]]) -> None:
        kind = self.kind(node, row=False)
        if free.get(kind):
            slot = free[kind].pop()
        else:
            slot = len(self.wholes)
            self.wholes.append(kind)
        self.whole[node] = slot
        ending.setdefault(self.last[node], []).append(node)

    def _take_after(
        self,
        node: Node,
        place: dict[Node, int],
        k: int,
        free: dict[Kind, list[int]],
        ending: dict[int, list[Node]],
    ) -> None:
        """Take an array, which may lie where the one is that is read for the last time."""
        before = reshaped(self, node, place, ending.get(k, []))
        self._take(node, free, ending)
        if before is not None and self.whole[node] == len(self.wholes) - 1:
            self.handed[self.whole[node]] = self.whole[before], k

    def _single(
        self, node: Node, k: int, free: dict[Kind, list[int]], ending: dict[int, list[Node]]
    ) -> None:
        s = self.schedule
        if not node.shape or s.kinds[node] == "other" or node in self.heir_of:
            return
        if node in self.viewed:
            return
        if self.returned(node) or node in self.heirs:
            self.fresh[node] = None
            return
        if self.schedule.overwrites(node) and self._inherit(node, k, ending):
            return
        self._take(node, free, ending)

    def _inherit(self, node: Node, k: int, ending: dict[int, list[Node]]) -> bool:
        """Take over the array of an operand that nothing reads later."""
        kind = self.kind(node, row=False)
        for operand in node.args:
            dying = operand in ending.get(k, ()) and operand in self.whole
            if not dying or self.wholes_kind(operand) != kind:
                continue
            if all(r is node or self.earlier(r, node) for r in self.reads[operand]):
                ending[k].remove(operand)
                self.whole[node] = self.whole[operand]
                ending.setdefault(self.last[node], []).append(node)
                return True
        return False

    def earlier(self, reader: Node, node: Node) -> bool:
        """Say whether a statement of the same unit comes before a node's."""
        unit = self.schedule.units[self.unit[node]]
        if self.unit.get(reader) != self.unit[node]:
            return self.unit.get(reader, len(self.schedule.units)) < self.unit[node]
        return unit.nodes.index(reader) < unit.nodes.index(node)

    def _looped(
        self, unit: Unit, k: int, free: dict[Kind, list[int]], ending: dict[int, list[Node]]
    ) -> None:
        s = self.schedule
        place = {n: j for j, n in enumerate(unit.nodes)}
        slots: list[Kind] = []
        idle: dict[Kind, list[int]] = {}
        spare: list[Node] = []  # rows of whole arrays, that nothing reads any more
        found, room = ahead(self, unit, [self.wholes_kind(n) for n in ending.get(k, [])])
        self.ahead |= found
        for j, node in enumerate(unit.nodes):
            dying = [a for a in dict.fromkeys(s.operands(node)) if self._dies(a, place, j)]
            more = spare if node in s.full else []
            if node in s.grown or not node.shape:
                if node.shape and self.returned(node):
                    self.fresh[node] = None
                elif node in self.viewed or self._over_whole(node, k, ending):
                    pass
                elif node.shape and not self.begins_alone(node):
                    self._take(node, free, ending)
            elif node in self.heir_of:
                pass
            elif self.returned(node):
                self.fresh[node] = None
            elif (
                node in self.viewed
                or node in self.whole
                or self._over(node, place, [*dying, *more], k, ending)
            ):
                pass
            elif node in s.full:
                self._take_after(node, place, k, free, ending)
            else:
                if node not in self.ahead:
                    self._tile(node, place, dying, slots, idle, room)
                if node in self.ahead and self._takes(self.ahead[node]):
                    self._take(self.ahead[node], free, ending)
            for a in dict.fromkeys(below_views(a, s.kinds) for a in s.operands(node)):
                ends = a in self.tile and self._dies(a, place, j)
                if ends and self.tile.get(node) != self.tile[a]:
                    idle.setdefault(slots[self.tile[a]], []).append(self.tile[a])
            spare += [a for a in dying if a in self.within]
        join(self, unit, k, slots)

    def _takes(self, node: Node) -> bool:
        """Say whether a value that is begun before its turn wants an array of the workspace."""
        made = node in self.whole or node in self.viewed or self.returned(node)
        return node in self.schedule.full and not made

    def own(self, node: Node) -> bool:
        """Say whether a whole array is made in the call: for a value, or taken over by it."""
        return node in self.fresh or node in self.heir_of

    def returned(self, node: Node) -> bool:
        """Say whether a value is made anew in every call, because the caller gets it."""
        return node in self.schedule.roots and node not in self.kept

    def _ended(self, node: Node, ending: list[Node], place: dict[Node, int]) -> list[Node]:
        """List the whole arrays that nothing in a loop reads after a statement.

        Their rows may be overwritten once they are read.
        """
        s, j = self.schedule, place[node]
        return [
            a
            for a in ending
            if (node in s.full or a in s.operands(node))
            and max([place.get(r, -1) for r in self.reads[a]], default=-1) <= j
            and all([self.by_rows(a, r) for r in self.reads[a] if r in place])
        ]

    def by_rows(self, value: Node, reader: Node) -> bool:
        """Say whether a statement reads nothing of an array but the rows of the present tile."""
        s = self.schedule
        for k, operand in enumerate(s.operands(reader)):
            inner, plain = operand, s.sliced(reader, k)
            while s.kinds[inner] == "view" or inner.op in MORE_VIEWS:
                # rows of a transpose are columns
                inner, plain = inner.args[0], plain and inner in s.local
            if inner is value and not plain:
                return False
        return True

    def _over(
        self,
        node: Node,
        place: dict[Node, int],
        dying: list[Node],
        k: int,
        ending: dict[int, list[Node]],
    ) -> bool:
        """Write the rows of a result over those of an operand that is read for the last time."""
        if not self.schedule.overwrites(node):
            return False
        ended = self._ended(node, ending.get(k, []), place)
        if not ended and not dying:
            return False
        kind = self.kind(node, row=False)
        for operand in ended:
            if self.wholes_kind(operand) == kind and operand.shape == node.shape:
                ending[k].remove(operand)
                self._settle(node, self.whole[operand], ending)
                return True
        for operand in dying:
            slot = self.within.get(operand)
            if slot is not None and self.wholes[slot] == kind and operand.shape == node.shape:
                del self.within[operand]
                self.borrowed[operand] = slot
                self._settle(node, slot, ending)
                return True
        return False

    def _over_whole(self, node: Node, k: int, ending: dict[int, list[Node]]) -> bool:
        """Add parts to the whole array where it is, if nothing reads it later."""
        whole = self.schedule.base(node)
        if whole is None or whole not in ending.get(k, []) or self.reads[whole] != [node]:
            return False
        if self.wholes_kind(whole) != self.kind(node, row=False):
            return False
        ending[k].remove(whole)
        self._settle(node, self.whole[whole], ending)
        self.whole[node] = self.whole[whole]
        return True

    def _settle(self, node: Node, slot: int, ending: dict[int, list[Node]]) -> None:
        if node in self.schedule.full:
            self.whole[node] = slot
            ending.setdefault(self.last[node], []).append(node)
        else:
            self.within[node] = slot

    def _dies(self, operand: Node, place: dict[Node, int], j: int) -> bool:
        """Say whether statement j of a loop is the last to read rows that only it keeps."""
        if operand not in place or (operand not in self.tile and operand not in self.within):
            return False
        return all(place.get(r, -1) <= j for r in self.reads[operand])

    def _tile(
        self,
        node: Node,
        place: dict[Node, int],
        dying: list[Node],
        slots: list[Kind],
        idle: dict[Kind, list[int]],
        room: Room,
    ) -> None:
        kind = self.kind(node, row=True)
        if self.schedule.overwrites(node):
            for operand in dying:
                if operand in self.tile and slots[self.tile[operand]] == kind:
                    self.tile[node] = self.tile[operand]
                    return
        if idle.get(kind):
            self.tile[node] = idle[kind].pop()
        elif not room.take(self, node, place):
            self.tile[node] = len(slots)
            slots.append(kind)

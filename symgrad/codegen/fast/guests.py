"""Rows of whole arrays that a loop may use for others before it writes them: a tile is saved."""

from collections.abc import Container
from typing import TYPE_CHECKING

from symgrad.codegen.fast.buffers import Kind
from symgrad.graph import Node

if TYPE_CHECKING:
    from symgrad.codegen.fast.storage import Storage
    from symgrad.codegen.fast.units import Unit


class Guests:
    """Lend the rows of the arrays that a loop makes, which are there from its start.

    Arrays of the kinds in `ending` may be taken over, and are not there before.
    """

    def __init__(self, storage: "Storage", unit: "Unit", ending: Container[Kind]) -> None:
        self.storage = storage
        self.place = {n: j for j, n in enumerate(unit.nodes)}
        self.last: dict[Node, Node] = {}  # result -> whom its rows were lent to
        self.begins: dict[Node, int] = {}  # result -> the statement that begins it
        for node in reversed(unit.nodes):
            result = storage.ahead.get(node, node)
            own = storage.returned(result) or (
                result in storage.schedule.full and storage.kind(result, False) not in ending
            )
            own = own and result in storage.schedule.local
            if own and result not in storage.heir_of and result not in storage.viewed:
                self.begins[result] = self.place[node]

    def inherited(self, node: Node) -> Node | None:
        """Give a result whose rows an operand has that nothing reads later: it may go on there."""
        schedule = self.storage.schedule
        for result, guest in self.last.items():
            here = self._end(guest) == self.place[node] and guest in schedule.operands(node)
            alike = self.storage.kind(result, True) == self.storage.kind(node, True)
            if (
                here
                and alike
                and schedule.overwrites(node)
                and self._end(node) < self.begins[result]
            ):
                self.last[result] = node
                return result
        return None

    def taken(self, node: Node) -> Node | None:
        """Give a result whose rows a value may have until it is read for the last time."""
        storage = self.storage
        for result, begin in self.begins.items():
            alike = storage.kind(result, True) == storage.kind(node, True)
            if alike and self._end(node) < begin and self._left(result, node):
                self.last[result] = node
                return result
        return None

    def _end(self, node: Node) -> int:
        """Give the statement that reads a value last."""
        return max([self.place.get(r, len(self.place)) for r in self.storage.reads[node]])

    def _left(self, result: Node, node: Node) -> bool:
        """Say whether rows are free again when a value is made."""
        guest = self.last.get(result)
        return guest is None or self._end(guest) < self.place[node]

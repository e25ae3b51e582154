"""Group what is computed at one time into units: a loop over row tiles, or a single statement.

A loop is worth its tiles where rows that one statement reads or writes are read by another: they
are in the cache then. What shares no rows with the rest goes over whole arrays, by itself.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from symgrad.codegen.fast.kinds import below_views
from symgrad.codegen.fast.reading import in_turn, products_first, read_first, terms_soon, waiting
from symgrad.graph import Node
from symgrad.shapes import Dim

if TYPE_CHECKING:
    from symgrad.codegen.fast.schedule import Schedule


@dataclass(slots=True)
class Unit:
    """Hold statements: a loop over the rows of `dim`, or one whole statement if `dim` is None."""

    time: int
    dim: Dim | None
    nodes: list[Node] = field(default_factory=list)

    @property
    def looped(self) -> bool:
        """Say whether it is written as a loop; one operation alone goes over all rows at once."""
        return self.dim is not None and len(self.nodes) > 1


def units(schedule: "Schedule") -> list[Unit]:
    """List the units of a schedule in their order."""
    s = schedule
    loops: dict[int, dict[Dim, Unit]] = {}
    singles: dict[int, list[Unit]] = {}
    for node in s.order:
        if s.kinds[node] in ("leaf", "view") or node in s.absorbed:
            continue
        time, dim = s.time[node], s.local.get(node) or s.grown.get(node)
        if dim is None:
            singles.setdefault(time, []).append(Unit(time, None, [node]))
        else:
            loops.setdefault(time, {}).setdefault(dim, Unit(time, dim)).nodes.append(node)
    result: list[Unit] = []
    for time in range(max(s.time.values(), default=0) + 1):
        result += in_turn(singles.get(time, []), s)
        for unit in loops.get(time, {}).values():
            result += _split(unit, s)
    for unit in result:
        if unit.looped:
            unit.nodes = terms_soon(unit.nodes, s.users, s.operands)
            unit.nodes = waiting(products_first(unit.nodes, s), s)
        unit.nodes = read_first(unit.nodes, s.users, s.operands, s.overwrites)
    return result


def _split(unit: Unit, schedule: "Schedule") -> list[Unit]:
    """Take out of a loop what tiles save nothing: what shares no rows with the rest.

    So, too, sums and results that are vectors, without anything between: vectors are short, and a
    loop costs more than it saves them.
    """
    nodes = unit.nodes
    if len(nodes) < 2:
        return [unit]
    touched = {node: _rows_touched(node, schedule) for node in nodes}
    arrays = [array for each in touched.values() for array in each]
    kept = all(n in schedule.full or n in schedule.grown for n in nodes)
    if kept and all(len(array.shape) < 2 for array in arrays):
        return [Unit(unit.time, unit.dim, [node]) for node in nodes]
    uses = Counter(arrays)
    alone = [n for n in nodes if all(uses[array] == 1 for array in touched[n])]
    rest = [n for n in nodes if n not in alone] if alone else nodes
    parts = [*([node] for node in alone), *([rest] if rest else [])]
    return [Unit(unit.time, unit.dim, part) for part in parts]


def _rows_touched(node: Node, schedule: "Schedule") -> dict[Node, None]:
    """List the arrays whose rows a statement of a loop reads and writes."""
    operands = schedule.operands(node)
    read = [a for k, a in enumerate(operands) if schedule.sliced(node, k)]
    return dict.fromkeys([node, *(below_views(a, schedule.kinds) for a in read)])

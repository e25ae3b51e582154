"""Give loops their tile buffers; those over the same rows with the same kinds share them."""

from typing import TYPE_CHECKING

from symgrad.codegen.fast.buffers import ADDS, ONES, SEAT, Kind, Loop, by_ones
from symgrad.graph import Node
from symgrad.shapes import Shape

if TYPE_CHECKING:
    from symgrad.codegen.fast.storage import Storage
    from symgrad.codegen.fast.units import Unit


def join(storage: "Storage", unit: "Unit", k: int, slots: list[Kind]) -> None:
    """Let loops over the same rows with the same kinds of tiles share their buffers."""
    assert unit.dim is not None
    s = storage.schedule
    if any(s.kinds[n] == "rows" or n in s.hot for n in unit.nodes):
        slots.append(SEAT)
    sums = [n for n in unit.nodes if n in s.grown and n not in s.dots and by_ones(n)]
    if sums:
        slots.append(ONES if any(n.shape for n in sums) else ADDS)
    slots += dict.fromkeys(f for n in unit.nodes if (f := storage.filled(n)) is not None)
    reads = _reads(storage, unit)
    wanted = sorted(dict.fromkeys(slots), key=repr) if len(slots) > 1 else slots[:]
    index = next((j for j, x in enumerate(storage.loops) if _alike(x, unit, wanted, reads)),
                 len(storage.loops))  # fmt: skip
    if index == len(storage.loops):
        storage.loops.append(Loop(unit.dim, [], reads))
    loop = storage.loops[index]
    move: dict[int, int] = {}
    for kind in wanted:
        mine = [j for j, other in enumerate(slots) if other == kind]
        theirs = [j for j, other in enumerate(loop.slots) if other == kind]
        for _ in mine[len(theirs) :]:
            theirs.append(len(loop.slots))
            loop.slots.append(kind)
        move |= dict(zip(mine, theirs, strict=False))
    for n in unit.nodes:
        if n in storage.tile:
            storage.tile[n] = move[storage.tile[n]]
    storage.loop[k] = index


def _reads(storage: "Storage", unit: "Unit") -> tuple[Shape, ...]:
    """List the rows of whole arrays that a loop reads and writes, by their shapes.

    Values that a result is made of, in its rows, count beside it: its tiles had better be shorter.
    """
    s = storage.schedule
    found: dict[Node, None] = {}
    for n in unit.nodes:
        for j, a in enumerate(s.operands(n)):
            if (
                s.sliced(n, j)
                and s.kinds[a] != "view"
                and not (a in storage.tile or a in storage.guests)
            ):
                found[a] = None
        if n in s.local and not any(
            n in held for held in (storage.tile, storage.heir_of, storage.ahead)
        ):
            found[n] = None
    return tuple(sorted((n.shape[1:] for n in found), key=repr))


def _alike(loop: Loop, unit: "Unit", wanted: list[Kind], reads: tuple[Shape, ...]) -> bool:
    same = loop.dim == unit.dim and loop.reads == reads
    return same and dict.fromkeys(loop.slots).keys() == dict.fromkeys(wanted).keys()

"""Let arrays share memory that are never in use at the same time.

A buffer is taken up again where an array of the same kind is wanted. What is left are buffers of
different kinds, the tiles of loops, and the sums of products in blocks: each is in use in some
units only. Two that no unit uses both are in one room.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from symgrad.codegen.fast.buffers import COUNTS, Kind
from symgrad.codegen.fast.storage import Storage

MANY = 200  # arrays up to which rooms are looked for
Key = tuple[str, int, int]  # "buf", which; "tile", loop, slot; "sums", which
Times = list[tuple[int, int]]  # first and last unit


@dataclass(slots=True)
class Room:
    """Hold arrays that share memory, the one that is made first, and when they are in use."""

    owner: Key
    kind: Kind
    times: Times
    keys: list[Key] = field(default_factory=list)

    @property
    def buffers(self) -> list[int]:
        """List which of the workspace's arrays are in the room."""
        return [k for what, k, _ in self.keys if what == "buf"]

    def free(self, times: Times) -> bool:
        """Say whether nothing in the room is in use then."""
        for first, last in self.times:
            for begin, end in times:
                if first <= end and begin <= last:
                    return False
        return True


def rooms(storage: Storage, sums: Mapping[int, tuple[Kind, list[int]]]) -> list[Room]:
    """Find rooms; `sums` are the kinds of sums of products, and the units that add them."""
    found: list[Room] = []
    if len(storage.wholes) + sum(len(loop.slots) for loop in storage.loops) > MANY:
        return found
    for key, kind, times in [*_wholes(storage), *_tiles(storage), *_sums(sums)]:
        room = _handed(found, key, times, storage) or _room(found, key, kind, times)
        if room is None:
            if key[0] == "sums":  # few sizes need them
                continue
            room = Room(key, kind, [])
            found.append(room)
        room.keys.append(key)
        room.times += times
    return found


def _room(found: list[Room], key: Key, kind: Kind, times: Times) -> Room | None:
    """Find the room that suits best: made for the same kind, if there is one."""
    alike = [r for r in found if r.kind.dtype == kind.dtype]
    if key[0] == "buf":  # any size; those of one kind would be one buffer, were one of them free
        return next((r for r in alike if r.kind.shape != kind.shape and r.free(times)), None)
    large = [r for r in alike if _size(r.kind) >= _size(kind) and r.free(times)]
    return min(large, key=lambda r: (r.kind.shape != kind.shape, _size(r.kind)), default=None)


def _handed(found: list[Room], key: Key, times: Times, storage: Storage) -> Room | None:
    """Find the room of the array that this one replaces, or that replaces it, in the same unit."""
    for new, (old, unit) in storage.handed.items() if key[0] == "buf" else ():
        if key[1] not in (new, old):
            continue
        other = old if key[1] == new else new
        room = next((r for r in found if r.buffers == [other] == [k for _, k, _ in r.keys]), None)
        ends = [t[key[1] == old] for t in times]  # when the new one begins, the old one ends
        if room is not None and ends == [unit] == [t[key[1] == new] for t in room.times]:
            return room
    return None


def _size(kind: Kind) -> tuple[int, int]:
    """Reckon a size: by the number of named dimensions first."""
    named = sum(not isinstance(d, int) for d in kind.shape)
    return named, prod(d for d in kind.shape if isinstance(d, int))


def _wholes(storage: Storage) -> list[tuple[Key, Kind, Times]]:
    """List the buffers, large ones first, with the units from their first to their last use."""
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    uses = [(slot, storage.unit[n], storage.last[n]) for n, slot in storage.whole.items()]
    for held in (storage.within, storage.borrowed):
        uses += [(slot, storage.unit[n], storage.unit[n]) for n, slot in held.items()]
    for slot, begin, end in uses:
        first[slot] = min(first.get(slot, begin), begin)
        last[slot] = max(last.get(slot, end), end)
    end = len(storage.schedule.units)
    found: list[tuple[Key, Kind, Times]] = [
        (("buf", k, 0), kind, [(first.get(k, 0), last.get(k, end))])
        for k, kind in enumerate(storage.wholes)
    ]
    return sorted(found, key=lambda one: _size(one[1]), reverse=True)


def _tiles(storage: Storage) -> Iterator[tuple[Key, Kind, Times]]:
    """List what loops have as tiles, but for what stays as it is."""
    for k, loop in enumerate(storage.loops):
        times = [(unit, unit) for unit, index in storage.loop.items() if index == k]
        kinds = [(("tile", k, j), Kind((loop.dim, *kind.shape), kind.dtype))
                 for j, kind in enumerate(loop.slots)
                 if kind not in COUNTS and kind.value is None]  # fmt: skip
        for key, kind in sorted(kinds, key=lambda one: _size(one[1]), reverse=True):
            yield key, kind, times


def _sums(sums: Mapping[int, tuple[Kind, list[int]]]) -> Iterator[tuple[Key, Kind, Times]]:
    for k, (kind, units) in sums.items():
        yield ("sums", k, 0), kind, [(unit, unit) for unit in units]

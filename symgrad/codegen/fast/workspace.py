"""Write what the workspace of a fast module makes: arrays, tiles of loops, numbers of sizes."""

from symgrad.codegen.fast.buffers import ADDS, ONES, SEAT, Kind
from symgrad.codegen.fast.rooms import Key, Room, rooms
from symgrad.codegen.fast.storage import Storage
from symgrad.codegen.fast.tables import Made
from symgrad.codegen.fast.writing import Statements
from symgrad.codegen.numpy import Module
from symgrad.formula.code import number
from symgrad.ops.spec import shape_text, sized
from symgrad.shapes import Shape

CHEAP = ("add", "sub", "mul", "neg", "abs", "square", "sum", "mean", "unslice", "dot")
MANY = 1.5  # passes beside an array, from which on they had better be near


class Workspace(Module):
    """Write what a workspace makes for `storage` and what `statements` have called."""

    storage: Storage
    statements: Statements
    rooming = True  # arrays share memory that are not in use at the same time
    _used: dict[str, None]  # names
    _next: dict[str, int]  # the number that a name had last

    def _fresh_name(self, name: str) -> str:
        name = f"part{name[1:]}" if name.startswith("__") else name  # of what is called _
        found, stem = name, name.rstrip("0123456789")
        while found in self._used:
            self._next[stem] = self._next.get(stem, int(name[len(stem) :] or 0)) + 1
            found = f"{stem}{self._next[stem]}"
        self._used[found] = None
        return found

    def _kind(self, kind: Kind) -> str:
        """Write a kind of buffer: the shape of a row, its type, and whether columns come first."""
        if kind == SEAT:
            return '"seat"'
        if kind in (ONES, ADDS):
            return f'("{kind.dtype}", np.{self.dtype})'
        columns = (
            "False" if kind.columns is None else f"{self.statements.size(kind.columns)} <= NARROW"
        )
        filled = "" if kind.value is None else f", {number(kind.value)}"
        dtype = self.statements.type_of(kind.dtype)
        return f"({self._shape(kind.shape)}, {dtype}, {columns}{filled})"

    def _shape(self, shape: Shape) -> str:
        return sized(shape_text(shape), lambda d: self.dims.get(d, d))

    def _made(self) -> Made:
        """List what the workspace holds: name and how it is made."""
        made = []
        sums = list(self.statements.sums)
        self._rooms = self._shared_out()
        idle = self.idle()
        for k, kind in enumerate(self.storage.wholes):
            made.append((self.statements.buffer("buf", k), self._empty(kind)))
        for k, loop in enumerate(self.storage.loops):
            width = self._width(loop.touched())
            text = f"{self._cut(k)}{self.statements.size(loop.dim)}, {width}, {loop.live}"
            text += f", {self.statements.itemsize}"
            kinds = [self._kind(s) for s in loop.slots]
            kinds += ['"light"'] * light(self.storage, k)
            places = [f"{j}: {idle[key]}" for j in range(len(loop.slots))
                      if (key := ("tile", k, j)) in idle]  # fmt: skip
            kinds += [f"idle={{{', '.join(places)}}}"] * bool(places)
            wide = sum(map(len, [text, *kinds])) > 80
            text += "".join(f",\n        {k}" if wide else f", {k}" for k in kinds)
            text += ",\n    )" if wide else ")"
            made.append((self.statements.buffer("loop", k), text))
        for (tiled, cut), name in self.statements.joined.items():
            made.append((name, self._with_rows(tiled, ", ".join(cut))))
        for text, name in self.statements.blocks.items():
            room = idle.get(("sums", sums.index(name), 0)) if name in sums else None
            made.append((name, f"{text[:-1]}, {room})" if room else text))
        for entries, name in self.statements.ones.items():
            made.append((name, f"np.ones({entries}, np.{self.dtype})"))
        return made

    def _empty(self, kind: Kind) -> str:
        """Write how a whole array is made."""
        made = f"aligned({self._shape(kind.shape)}, {self.statements.type_of(kind.dtype)}"
        return f"{made}{self._order(kind)})"

    def _order(self, kind: Kind) -> str:
        if kind.columns is None:
            return ""
        return f', order="F" if {self.statements.size(kind.columns)} <= NARROW else "C"'

    def _shared_out(self) -> list[Room]:
        """Find what may share memory."""
        sums = {k: (Kind(shape, "float"), units)
                for k, (shape, units) in enumerate(self.statements.sums.values())}  # fmt: skip
        return rooms(self.storage, sums) if self.rooming else []

    def idle(self) -> dict[Key, str]:
        """Name the arrays in whose memory others are made: they share rooms."""
        found: dict[Key, str] = {}
        for room in self._rooms:
            what, k, j = room.owner
            name = self.statements.buffer("buf" if what == "buf" else "loop", k)
            owner = name if what == "buf" else f"{name}[0][{j + 1}]"
            found |= {key: owner for key in room.keys if key[0] != "buf" and key != room.owner}
        return found

    def _roomed(self, made: Made) -> Made:
        """Make arrays that share a room as parts of it, those that are still made one by one."""
        texts = dict(made)
        found: Made = []
        self.shared: list[list[Kind]] = []  # what is in a room each
        for room in self._rooms:
            kinds = {self.statements.buffer("buf", k): self.storage.wholes[k] for k in room.buffers}
            if len(kinds) < 2 or any(texts.get(n) != self._empty(k) for n, k in kinds.items()):
                continue
            self.shared.append(list(kinds.values()))
            name = self._fresh_name("room")
            counts = {n: self._count(kind.shape) for n, kind in kinds.items()}
            most = ", ".join(dict.fromkeys(counts.values()))
            size = f"max({most})" if ", " in most else most
            found.append((name, f"aligned({size}, {self.statements.type_of(room.kind.dtype)})"))
            for n, kind in kinds.items():
                shape = self._shape(kind.shape)[1:-1].removesuffix(",")
                texts[n] = f"{name}[:{counts[n]}].reshape({shape}{self._order(kind)})"
        return [*found, *((n, texts[n]) for n, _ in made)]

    def _cut(self, index: int) -> str:
        """Begin the call that cuts the rows of a loop into tiles."""
        return "tiles("

    def _with_rows(self, tiles: str, cut: str) -> str:
        return f"with_rows({tiles}, {cut})"

    def _width(self, touched: list[Shape]) -> str:
        """Write how many entries a row of an array has, on average."""
        counts: dict[str, int] = {}
        for shape in touched:
            counts[self._count(shape)] = counts.get(self._count(shape), 0) + 1
        if len(counts) < 2:
            return next(iter(counts), "1")
        total = " + ".join(f"{k}*{text}" if text != "1" else str(k) for text, k in counts.items())
        return f"-(-({total}) // {len(touched)})"

    def _count(self, shape: Shape) -> str:
        parts = [self.statements.size(d) for d in shape]
        return "*".join(f"({p})" if " " in p else p for p in parts) or "1"

    def _of_sizes(self) -> Made:
        """List the numbers that sizes alone decide, and the same as arrays."""
        arrays = [(name, text) for text, name in self.statements.as_arrays.items()]
        return [*self.statements.numbers.items(), *arrays]


def light(storage: Storage, index: int) -> bool:
    """Say whether the loops over some rows do much, of little work each, with numbers of vectors.

    There are more passes than arrays then, each of an addition or multiplication.
    """
    loop, s = storage.loops[index], storage.schedule
    if any(loop.touched()):
        return False
    for k, unit in enumerate(s.units):
        if storage.loop.get(k) == index:
            passes = [n for n in unit.nodes if s.kinds[n] not in ("view", "scalar")]
            if len(passes) < MANY * loop.live or any(n.op not in CHEAP for n in passes):
                return False
    return True

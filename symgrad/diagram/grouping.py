"""Collapse parts of a graph into one gate each: a line by its name, an operator by its glyph.

A part is drawn as one gate only where nothing inside it is used outside: what is, stays a gate of
its own, with what it needs. So the values and gradients on all edges that are left stay true.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from symgrad.diagram import measure
from symgrad.diagram.gates import DOT, Gate, gate
from symgrad.diagram.spelled import LEAVES, NUMBERS, Place, Spellings
from symgrad.errors import UsageError, near
from symgrad.formula import latex
from symgrad.formula.names import escape, latex_name
from symgrad.graph import Graph, Node, consumers, topological
from symgrad.ops import OPS, Op, lookup
from symgrad.ops.spec import typed_name

EVERY = ("all", "lines")
LISTED = 12  # names that a message lists
LONGEST = 60  # characters of LaTeX in a gate


@dataclass(frozen=True, slots=True)
class Group:
    """Hold what one gate stands for.

    `root` is its output, `members` all its nodes in the order of the graph, `sources` what comes
    in. `line` is the user's name of a line, or empty; `call` the operator that is spelled out, over
    the sources.
    """

    root: Node
    members: tuple[Node, ...]
    sources: tuple[Node, ...]
    line: str = ""
    call: Node | None = None

    def gate(self, named: Callable[[Node], str | None], operand: str) -> Gate:
        """Say what the gate shows; `named` gives the user's name of a node, if it has one."""
        if self.call is None:
            return Gate(name_latex(self.line), (), self.line)
        found = gate(self.call, operand)
        if all(a in self.sources or a.op in NUMBERS for a in self.call.args):
            return found
        # exp(z - 1) has no node 1 - z: what comes in is z, and the gate shows what it makes of it.
        names = {n: named(n) for n in self.sources}
        called = {n: name_latex(name) for n, name in names.items() if name}
        called = {self.sources[0]: DOT} if len(self.sources) == 1 else called
        text = latex.write(self.call, called) if len(called) == len(names) else ""
        known = text and len(text) <= LONGEST
        return Gate(text if known else rf"{found.symbol}(\ldots)", found.operands, found.spoken)


def name_latex(name: str) -> str:
    """Typeset a name; words are upright, and what is no identifier stands as it is."""
    shown = measure.shorten(name)
    plain = shown == name and shown.isidentifier()
    return latex_name(shown) if plain else rf"\mathrm{{{escape(shown)}}}"


def groups(graph: Graph, collapse: str | Iterable[str]) -> dict[Node, Group]:
    """Map the output of every collapsed gate to its group.

    An entry of `collapse` is the name of a line or of an operator that is spelled out by hand;
    "all" or "lines" means every line. Raises UsageError for anything else.

    >>> import symgrad as sg
    >>> found = groups(sg.parse("f = 1/(1 + exp(-(w*x + b)))"), ["sigmoid"])
    >>> [(g.call.op, len(g.members)) for g in found.values()]
    [('sigmoid', 4)]
    """
    names = [collapse] if isinstance(collapse, str) else list(collapse)
    work = _Work(graph)
    rows: list[tuple[str, Op]] = []
    chosen: dict[Node, str] = {}
    for name in names:
        if name in work.lines:
            chosen.setdefault(work.lines[name], name)
        elif name in EVERY:
            for line, node in work.lines.items():
                chosen.setdefault(node, line)
        else:
            rows.append((name, _operator(name, graph, work.lines)))
    work.take_lines(chosen)
    spellings = Spellings(graph)
    for name, row in rows:
        work.take_operator(name, row, spellings)
    found = {root: work.group(root) for root in work.roots}
    return {node: found[node] for node in graph.order() if node in found}


class _Work:
    """Assign nodes to the groups that own them."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.users = consumers(graph.order())
        self.lines = {k: n for k, n in graph.names.items() if n.op not in LEAVES}
        self.outputs = dict.fromkeys(graph.outputs)
        self.owner: dict[Node, Node] = {}
        self.roots: dict[Node, str | Place] = {}  # the name of a line, or an operator

    def take_lines(self, chosen: dict[Node, str]) -> None:
        """Give each line what only it needs, down to the next lines and inputs."""
        self.roots.update(chosen)
        named = dict.fromkeys(self.lines.values())
        for node in reversed(self.graph.order()):
            if node in chosen:
                self.owner[node] = node
            elif node not in named and node not in self.outputs and node.op not in LEAVES:
                owners = [*dict.fromkeys(self.owner.get(user) for user, _ in self.users[node])]
                if len(owners) == 1 and owners[0] is not None:
                    self.owner[node] = owners[0]

    def take_operator(self, name: str, row: Op, spellings: Spellings) -> None:
        """Make a gate of every place that spells an operator out; raise UsageError for none."""
        present = any(n.op == row.name for n in self.graph.order())
        blocked: Node | None = None
        for place in spellings.of(row):
            members = self._members(place)
            outside = self._used_outside(members, place.root)
            if outside is not None:
                blocked = blocked or outside
                continue
            present = True
            if not any(n in self.owner for n in members):
                self.owner.update(dict.fromkeys(members, place.root))
                self.roots[place.root] = place
        if not present:
            raise self._absent(name, row, blocked)

    def _members(self, place: Place) -> list[Node]:
        """List the nodes between a place and the operands of its operator."""
        stops = dict.fromkeys(place.sources)
        order = topological([place.root], stop=lambda n: n in stops)
        return [n for n in order if n not in stops and n.op not in NUMBERS]

    def _used_outside(self, members: Sequence[Node], root: Node) -> Node | None:
        """Find a node inside that something outside uses too."""
        inside = dict.fromkeys(members)
        for node in members:
            used = any(user not in inside for user, _ in self.users[node])
            if node is not root and (used or node in self.outputs):
                return node
        return None

    def _absent(self, name: str, row: Op, blocked: Node | None) -> UsageError:
        if blocked is None:
            example = row.recognise[0] if row.recognise else row.formula
            hint = f"it reads, for example,  {example}" if example else "it has no other spelling"
            if example:
                hint += "  where each letter is a value of the program"
            return UsageError(
                f"this program does not spell out '{typed_name(row.name)}'", hint=hint
            )
        inner = self.graph.name(blocked)
        what = f"'{inner}'" if inner else f"a value inside it, {typed_name(blocked.op)}(…),"
        return UsageError(
            f"'{name}' cannot be one gate: {what} is also used outside it",
            hint="collapse the lines that use it, or leave the gates as they are",
        )

    def group(self, root: Node) -> Group:
        """Collect the group of a root."""
        kind = self.roots[root]
        order = topological([root], stop=lambda n: self.owner.get(n) is not root)
        members = tuple(n for n in order if self.owner.get(n) is root)
        if isinstance(kind, Place):
            return Group(root, members, kind.sources, call=kind.call)
        inside = dict.fromkeys(members)
        reads = (a for n in members for a in n.args)
        sources = dict.fromkeys(a for a in reads if a not in inside and a.op not in NUMBERS)
        return Group(root, members, tuple(sources), line=kind)


def _operator(name: str, graph: Graph, lines: Iterable[str]) -> Op:
    """Find an operator by a name that can be typed; raise UsageError if there is none."""
    row = lookup(name) if isinstance(name, str) else None
    if row is not None and not row.hidden:
        return row
    if any(n.attrs["name"] == name for n in graph.inputs):
        raise UsageError(f"'{name}' is an input; there is nothing to collapse", hint=_known(lines))
    raise UsageError(
        f"'{name}' is neither a line of this program nor an operator",
        hint=near(name, [*lines, *operators()]) + _known(lines),
    )


def _known(lines: Iterable[str]) -> str:
    shown = [*lines]
    more = ", …" if len(shown) > LISTED else ""
    return f"its lines are {', '.join(shown[:LISTED])}{more}" if shown else "it has no named lines"


def operators() -> list[str]:
    """List the names under which operators can be typed."""
    return [typed_name(row.name) for row in OPS.values() if not row.hidden]

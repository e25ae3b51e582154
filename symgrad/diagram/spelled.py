"""Find where a program spells an operator out by hand: 1/(1 + exp(-z)) is a sigmoid.

What an expression stands for is said by recognition (`symgrad.rewrite`), on the graph as written
and once more with its lines cut apart: where p = 1/(1 + exp(-z)), recognition joins p with the
logarithm in the next line, while a reader still sees a cross-entropy of p.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np

from symgrad.errors import SymgradError
from symgrad.evaluate import values
from symgrad.graph import Graph, Node, consumers, rebuild
from symgrad.ops import OPS, Op, const, count, leaf, make, remake, value_of
from symgrad.ops.spec import bounds, letters
from symgrad.parse import formula
from symgrad.rewrite import recognise, simplify
from symgrad.rewrite.match import compiled, match

DEEP = 400  # nodes of one expression that are looked through
PARTS = 40  # of an operand that is no node of the graph
MOST = 3  # operands in as many orders as there are
TOLERANCE = 1e-9
LEAVES = ("input", "const", "dim")
NUMBERS = ("const", "dim")
TOTALS = ("mean", "sum")


@dataclass(frozen=True, slots=True)
class Place:
    """Say that a node is equal to `call`, an operator over `sources`, nodes of the graph.

    Its operands are sources, or expressions of them: exp(-w*x) has no node w*x.
    """

    root: Node
    call: Node
    sources: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class _Form:
    """Hold what recognition makes of each node: by itself, and as an operand of others."""

    own: Mapping[Node, Node]
    seen: Mapping[Node, Node]


class Spellings:
    """Look for operators in a graph; recognition runs once, when first needed.

    >>> import symgrad as sg
    >>> from symgrad.ops import OPS
    >>> g = sg.parse("p = 1/(1 + exp(-(w*x)))")
    >>> [place.call.op for place in Spellings(g).of(OPS["sigmoid"])]
    ['sigmoid']
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        named = (n for n in graph.names.values() if n.op not in LEAVES)
        self.lines = dict.fromkeys((*named, *graph.outputs))

    def of(self, row: Op) -> Iterator[Place]:
        """Yield the places of an operator, the outermost first; they may overlap."""
        ways: tuple[Callable[[Op], Iterator[Place]], ...]
        ways = (self._cut, self._whole, self._equal, self._matched, self._outside)
        found: dict[Place, None] = {}
        for way in ways:
            for place in way(row):
                if place not in found:
                    found[place] = None
                    yield place

    def _whole(self, row: Op) -> Iterator[Place]:
        return self._recognised(row, self.joined)

    def _cut(self, row: Op) -> Iterator[Place]:
        return self._recognised(row, self.apart)

    def _outside(self, row: Op) -> Iterator[Place]:
        return self._recognised(row, self.shared)

    @cached_property
    def joined(self) -> _Form:
        """Recognise the graph as it is."""
        order = self.graph.order()
        images = recognise(Graph.of(order))[0].outputs if order else ()
        own = dict(zip(order, images, strict=True))
        return _Form(own, own)

    @cached_property
    def apart(self) -> _Form:
        """Recognise each line by itself, the other lines standing in it as inputs."""
        return self._form([n for n in self.graph.names.values() if n.op not in LEAVES])

    @cached_property
    def shared(self) -> _Form:
        """Recognise what lies between lines and what is used more than once, such as -w."""
        users = consumers(self.graph.order())
        often = [n for n in self.graph.order() if len(users[n]) > 1 and n.op not in LEAVES]
        return self._form([*self.lines, *often])

    def _form(self, cuts: Sequence[Node]) -> _Form:
        order = self.graph.order()
        stand_ins = {
            n: leaf(f"line {k}", n.shape)
            for k, n in enumerate(dict.fromkeys(cuts))
            if n.dtype == "float" and n.op not in LEAVES
        }
        bodies: dict[Node, Node] = {}
        for node in order:
            bodies[node] = remake(node, tuple(stand_ins.get(a) or bodies[a] for a in node.args))
        images = recognise(Graph.of(bodies.values()))[0].outputs
        own = dict(zip(order, images, strict=True))
        return _Form(own, own | stand_ins)

    def _recognised(self, row: Op, form: _Form) -> Iterator[Place]:
        for node in reversed(self.graph.order()):
            image = form.own[node]
            if image.op == row.name and node.op != row.name:
                place = _over(node, image, form.seen)
                if place is not None:
                    yield place

    # -- operators that recognition writes by their formula ----------------------------------

    def _matched(self, row: Op) -> Iterator[Place]:
        """Compare with the texts of the row itself."""
        for text in dict.fromkeys((*row.recognise, row.formula)):
            try:
                pattern = compiled(text) if text else None
            except SymgradError:  # it speaks of axes
                continue
            for node in reversed(self.graph.order()) if pattern else ():
                inner, total = _within(row, node)
                bound = match(pattern, inner) if pattern and inner.op == pattern.op else None
                operands = [bound.get(a) for a in letters(row)] if bound else []
                place = _called(row, node, operands, total)
                if place is not None:
                    yield place

    def _equal(self, row: Op) -> Iterator[Place]:
        """Compare normal forms, line by line: -y*log(p) - (1 - y)*log(1 - p)."""
        for line in self.lines:
            operands = self._operands(line)
            low, high = bounds(row)
            if line.op == row.name or not low <= len(operands) + len(row.defaults) <= high:
                continue
            totals = ("none", *TOTALS) if row.reduction and not line.shape else ("none",)
            for order in permutations(operands):
                places = (_called(row, line, order, total) for total in totals)
                fitting = (p for p in places if p and self._same(line, p.call, operands))
                place = next(fitting, None)
                if place is not None:
                    yield place
                    break

    def _operands(self, line: Node) -> list[Node]:
        """List the inputs and lines from which a line is computed; none if they are many."""
        found: dict[Node, None] = {}
        todo, seen = [line], {line: None}
        while todo and len(found) <= MOST and len(seen) < DEEP:
            for a in todo.pop().args:
                if a.op == "input" or a in self.lines:
                    found[a] = None
                elif a.op not in NUMBERS and a not in seen:
                    seen[a] = None
                    todo.append(a)
        return [] if todo or len(found) > MOST else list(found)

    def _same(self, line: Node, call: Node, operands: Sequence[Node]) -> bool:
        """Say whether the difference of two expressions in these operands is zero."""
        images = {a: leaf(f"line {k}", a.shape) for k, a in enumerate(operands) if a.args}
        if any(a.dtype != "float" for a in images):
            return False
        if not _agree(line, call, operands):
            return False
        pair = []
        for root in (line, formula(call) if OPS[call.op].reduction else call):
            pair.append(rebuild([root or call], _summed, dict(images))[root or call])
        difference = recognise(Graph.of([make("sub", *pair)]))[0].output
        shortest = simplify([difference])[difference]
        if shortest.op == "broadcast":
            shortest = shortest.args[0]
        return value_of(shortest) == 0


def _over(node: Node, image: Node, seen: Mapping[Node, Node]) -> Place | None:
    """Write what recognition has found over nodes of the graph below `node`; None if it cannot be.

    The operands themselves are looked for first, then the parts from which they are made.
    """
    operands = dict.fromkeys(a for a in image.args if a.op not in NUMBERS)
    for wanted in (operands, _parts(operands)):
        found = _meeting(node, wanted, seen)
        if found is None or not _covered(operands, found):
            continue
        images = rebuild([image], remake, dict(found))
        return Place(node, images[image], tuple(dict.fromkeys(found.values())))
    return None


def _covered(operands: Iterable[Node], found: Mapping[Node, Node]) -> bool:
    """Say whether operands are made of what was found and of numbers alone."""
    todo = [*operands]
    for node in todo:
        if node not in found and node.op not in NUMBERS:
            if node.op == "input" or len(todo) > PARTS:
                return False
            todo += node.args
    return True


def _parts(operands: Iterable[Node]) -> dict[Node, None]:
    """List the parts of expressions, the outermost first, as many as one gate can be made of."""
    found = dict.fromkeys(operands)
    for node in (todo := [*found]):
        for a in node.args:
            if a not in found and a.op not in NUMBERS and len(todo) < PARTS:
                found[a] = None
                todo.append(a)
    return found


def _meeting(
    node: Node, wanted: Mapping[Node, None], seen: Mapping[Node, Node]
) -> dict[Node, Node] | None:
    """Map forms to the nodes below `node` that have them, where all ways down meet one."""
    found: dict[Node, Node] = {}
    todo, looked = [node], {node: None}
    while todo:
        for a in todo.pop().args:
            form = seen[a]
            if form in wanted:
                if found.setdefault(form, a) is not a:
                    return None
            elif a.op == "input" or len(looked) > DEEP:
                return None
            elif a.op not in NUMBERS and a not in looked:
                looked[a] = None
                todo.append(a)
    return found


def _within(row: Op, node: Node) -> tuple[Node, str]:
    """Look into the mean or sum that a loss takes over all elements."""
    total, over = node, ""
    if row.reduction and node.op == "div" and node.args[0].op == "sum":
        inner = node.args[0].args[0]
        if node.args[1] is count(inner.shape, tuple(range(len(inner.shape)))):
            total, over = node.args[0], "mean"
    whole = row.reduction and total.op in TOTALS and total.args[0].shape
    if whole and total.attrs["axis"] is None and not total.attrs["keepdims"]:
        return total.args[0], over or total.op
    return node, "none"


def _called(row: Op, node: Node, operands: Sequence[Node | None], total: str) -> Place | None:
    """Make the operator over its operands; a loss says how it is summed."""
    given = [a for a in operands if a is not None]
    if not given or any(a is None for a in operands[: len(given)]):
        return None
    sources = tuple(dict.fromkeys(a for a in given if a.op not in NUMBERS))
    lacking = bounds(row)[1] - len(given)
    if lacking > 0:
        given += [const(v) for v in row.defaults[len(row.defaults) - lacking :]]
    attrs = {"reduction": total} if row.reduction else {}
    try:
        call = make(row.name, *given, **attrs)  # type: ignore[arg-type]
    except SymgradError:
        return None
    whole = not row.reduction or total != "none" or not node.shape  # a loss is a number
    fits = call.shape == node.shape and call is not node and whole
    return Place(node, call, sources) if fits else None


def _agree(one: Node, other: Node, operands: Sequence[Node]) -> bool:
    """Compare two expressions of numbers at one point, which rules out nearly all that differ."""
    if any(a.shape for a in operands):
        return True
    point = {a: np.float64(0.31 + 0.17 * k) for k, a in enumerate(operands)}
    try:
        a, b = (float(values([root], point, {})[root]) for root in (one, other))
    except SymgradError:
        return True
    return not abs(a - b) > TOLERANCE * max(1.0, abs(a))


def _summed(node: Node, args: tuple[Node, ...]) -> Node:
    """Write a mean as a sum over a size: both are typed."""
    fresh = remake(node, args)
    return (formula(fresh) or fresh) if fresh.op == "mean" else fresh

"""The layers of a training graph and their activations, also those that are written out."""

from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf

from symgrad.curve import facts, of_graph
from symgrad.diagram.layers.find import Unit, find
from symgrad.diagram.layers.flow import Flow
from symgrad.errors import SymgradError
from symgrad.formula.plain import write
from symgrad.graph import Graph, Node, intern
from symgrad.ops import OPS
from symgrad.ops.spec import remake
from symgrad.rewrite import recognise
from symgrad.shapes import Shape

LONG = 24  # characters of an activation that has no name


@dataclass(frozen=True, slots=True)
class Layer:
    """Hold a layer: its unit, what enters its activation and what leaves it.

    `unit.act` is the activation as an operator of `before`; of one that was written out it is what
    recognition made of it, whose value is that of `after`. `called` is how it is called; `steep`
    says of one without a name that its slope has no bound.
    """

    name: str
    unit: Unit
    before: Node
    after: Node
    called: str
    output: bool
    steep: bool = False


def layers(graph: Graph) -> tuple[Flow, list[Layer]]:
    """Find the layers of a graph, in an order in which operands come first.

    >>> from symgrad.parse import parse
    >>> text = "X: data[N, D]; W: param[D, H]; h = 1/(1 + exp(-(X @ W))); sum((h @ V)**2)"
    >>> [(n.name, n.called, n.output) for n in layers(parse(text, {"V": (3, 2)}))[1]]
    [('h', 'sigmoid', True)]
    """
    flow, units = find(graph)
    feeding = _feeding(flow, units)
    written = {u.nodes[0]: u for u in units if u.kind == "operations"}
    found: list[Layer] = []
    names: dict[str, int] = {}
    for unit in units:
        if unit.kind == "layer":
            made = _layer(flow, unit, written, feeding)
            count = names[made.name] = names.get(made.name, 0) + 1
            found.append(replace(made, name=f"{made.name} ({count})") if count > 1 else made)
    return flow, found


def _layer(flow: Flow, unit: Unit, written: dict[Node, Unit], feeding: dict[Node, None]) -> Layer:
    last = unit.exit
    after = last.args[0] if last.op == "dropout" else last
    act, before, called, parts, steep = unit.act, after, "linear", unit.parts, False
    if act is not None:
        moving = flow.sources(act)
        before, after, called = moving[0] if moving else act.args[0], act, act.op
        called = "relu" if "ReLU" in parts else called
    else:
        other = _written(flow, unit, written)
        if other is not None:
            act, called = _recognised(unit.exit, other)
            steep = act is None and _steep(_of_one(other, unit.exit, ()))
            before, after, last = unit.exit, other.exit, other.exit
            parts = [*parts, called]
    shown = replace(unit, act=act, parts=parts)
    return Layer(_named(flow, unit, last), shown, before, after, called, last not in feeding, steep)


def _named(flow: Flow, unit: Unit, last: Node) -> str:
    """Name a layer by its line, else by its weight, else by what it is."""
    found = flow.graph.name(last) or flow.graph.name(unit.exit)
    weights = (a for n in unit.nodes for a in n.args if a in flow.weights)
    return found or next((str(w.attrs["name"]) for w in weights), unit.title)


def _written(flow: Flow, unit: Unit, written: dict[Node, Unit]) -> Unit | None:
    """Find the operations that apply a function of one variable to what a layer gives."""
    users = flow.users[unit.exit]
    other = written.get(users[0]) if users else None
    if other is None or not flow.only(unit.exit, dict.fromkeys(other.nodes)):
        return None
    inside = dict.fromkeys([unit.exit, *other.nodes])
    for node in other.nodes:
        row = OPS.get(node.op)
        fixed = all(a in inside or a.op == "const" for a in node.args)
        if row is None or row.shape != "elementwise" or not fixed:
            return None
    return other


def _variable(shape: Shape) -> Node:
    return intern("input", (), {"name": "z", "kind": "real"}, shape)


def _of_one(unit: Unit, start: Node, shape: Shape) -> Node:
    """Write the operations of a unit as a function of z, which takes the place of `start`."""
    done = {start: _variable(shape)}
    for node in unit.nodes:
        done[node] = remake(node, tuple(done.get(a, a) for a in node.args))
    return done[unit.exit]


@lru_cache(maxsize=64)
def _steep(value: Node) -> bool:
    """Say whether the slope of a function of one number has no bound."""
    try:
        return facts(of_graph(Graph.of([value], names={}))).steepest[0] == inf
    except SymgradError:
        return False


def _recognised(start: Node, unit: Unit) -> tuple[Node | None, str]:
    """Give the one operator that written-out operations are, if they are one; and their name."""
    z, value = _variable(start.shape), _of_one(unit, start, start.shape)
    graph, _ = recognise(Graph.of([value], names={}), "code")
    found = graph.output
    if z in found.args and all(a is z or a.op == "const" for a in found.args):
        row = OPS.get(found.op)
        if row is not None and (row.range != "R" or row.kinks):
            operands = tuple(start if a is z else a for a in found.args)
            return remake(found, operands), found.op
    text = write(value, {})
    return None, text if len(text) <= LONG else "written out"


def _feeding(flow: Flow, units: list[Unit]) -> dict[Node, None]:
    """Collect the nodes that some layer reads, directly or not."""
    owner = {n: u for u in units if u.kind == "layer" for n in u.nodes}
    found: dict[Node, None] = {}
    for node in reversed(flow.order):
        home = owner.get(node)
        for user in flow.users[node]:
            other = owner.get(user)
            if user in found or (other is not None and other is not home):
                found[node] = None
                break
    return found

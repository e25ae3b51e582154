"""Find the layers of a network: affine maps with their normalisation and activation, gates, losses.

Every unit is left through one node, its exit; all its other nodes are consumed inside it. So the
units of a graph never form a circle.
"""

from bisect import insort
from dataclasses import dataclass, field

from symgrad.diagram.gates import gate
from symgrad.diagram.layers.flow import Flow
from symgrad.diagram.layers.standard import standardised
from symgrad.diagram.symbols import unicode_symbol
from symgrad.graph import Graph, Node
from symgrad.ops import OPS
from symgrad.ops.spec import value_of

PRODUCTS = {"matmul": "Dense", "dot": "Dense", "correlate": "Conv", "convolve": "Conv"}
NETWORK = (*dict.fromkeys(PRODUCTS.values()), "Affine", "Scale")
NORMS = {"batch_norm": "BN", "layer_norm": "LN", "rms_norm": "RMS norm"}
ROWWISE = ("softmax", "log_softmax")
ARITHMETIC = ("add", "sub", "mul", "div", "neg", "pow", "clip", "where")
PLAIN = ("exp", "log", "sqrt", "square", "abs", "log2", "log1p", "expm1", "sign", "floor")
JOINING = ("add", "sub", "mul", "div", "matmul", "concatenate", "stack", "maximum", "minimum")


@dataclass(slots=True, eq=False)
class Unit:
    """Collect the nodes that one card stands for; the last node is the exit.

    `kind` is input, layer, gate, loss, penalty or operations; `parts` are the words of the title,
    of a gate or a loss its symbol in LaTeX; `product` and `act` are the nodes of the affine map
    and the activation; with `left` the weight stands on the left, so that samples are columns.
    """

    kind: str
    nodes: list[Node]
    parts: list[str] = field(default_factory=list)
    norm: bool = False
    product: Node | None = None
    left: bool = False
    act: Node | None = None
    affine: bool = False
    scaled: bool = False

    @property
    def exit(self) -> Node:
        """Give the node through which the unit is left."""
        return self.nodes[-1]

    @property
    def title(self) -> str:
        """Give the title: Dense + BN + ReLU."""
        return " + ".join(self.parts)


def find(graph: Graph) -> tuple[Flow, list[Unit]]:
    """Split the living part of a graph into units, in an order in which operands come first.

    >>> from symgrad.parse import parse
    >>> text = "X: data[N, D]; W: param[D, H]; b: param[H]; sum(relu(X @ W + b)**2)/2"
    >>> [(u.kind, u.title) for u in find(parse(text))[1]]
    [('input', 'X'), ('layer', 'Dense + ReLU'), ('loss', '')]
    """
    flow = Flow(graph)
    finder = _Finder(flow)
    finder.layers()
    if any(u.parts and u.parts[0] in NETWORK for u in finder.units if u.nodes):
        finder.heads()
        finder.gates()
    else:
        finder = _Finder(flow)  # no network: its named lines say more than single functions
    finder.rest()
    place = graph.places
    inputs = [Unit("input", [n], [str(n.attrs["name"])]) for n in flow.signals]
    kept = [u for u in finder.units if u.nodes]
    return flow, inputs + sorted(kept, key=lambda u: place[u.exit])


class _Finder:
    """Give every operator of a graph to a unit."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.units: list[Unit] = []
        self.owner: dict[Node, Unit] = {}
        self.cones = standardised(flow)
        self.inner = dict.fromkeys(n for cone in self.cones.values() for n in cone.nodes[:-1])

    def new(self, kind: str, nodes: list[Node], parts: list[str]) -> Unit:
        """Open a unit."""
        unit = Unit(kind, [], parts)
        self.units.append(unit)
        return self.take(unit, nodes)

    def take(self, unit: Unit, nodes: list[Node]) -> Unit:
        """Give nodes to a unit; the last becomes its exit."""
        unit.nodes += nodes
        self.owner.update(dict.fromkeys(nodes, unit))
        return unit

    def before(self, node: Node, users: dict[Node, None]) -> Unit | None:
        """Find the layer that ends in a node which only these consume."""
        unit = self.owner.get(node)
        if unit is None or unit.kind != "layer" or unit.exit is not node:
            return None
        return unit if self.flow.only(node, users) else None

    def layers(self) -> None:
        """Find affine maps, normalisations, activations and losses, from the inputs on."""
        for node in self.flow.order:
            if node in self.inner or not self.flow.flows(node):
                continue
            row = OPS.get(node.op)
            if node in self.cones or node.op in NORMS:
                self._norm(node)
            elif row is not None and row.reduction and not node.shape:
                self.new("loss", [node], [gate(node).symbol])
            else:
                _ = self._affine(node) or self._activation(node)

    def _norm(self, node: Node) -> None:
        cone = self.cones.get(node)
        source = cone.source if cone else node.args[0]
        nodes = list(cone.nodes) if cone else [node]
        unit = self.before(source, dict.fromkeys(nodes))
        if unit is None or unit.norm:
            unit = self.new("layer", [], [])
        unit.parts.append(cone.title if cone else NORMS[node.op])
        unit.norm, unit.affine, unit.scaled = True, False, cone is None
        self.take(unit, nodes)

    def _affine(self, node: Node) -> bool:
        """Open an affine map at a product with a weight; add terms and biases to it."""
        sources = self.flow.sources(node)
        fixed = [a for a in node.args if not self.flow.flows(a)]
        if node.op in (*PRODUCTS, "mul") and len(sources) == 1 and len(fixed) == 1:
            return self._product(node, sources[0], fixed[0])
        if node.op not in ("add", "sub") or not sources:
            return False
        units = [self.before(s, {node: None}) for s in sources]
        first = units[0]
        if len(sources) == 1 and len(node.args) == 2 and fixed:
            if first is None or not self.flow.learned(fixed[0]):
                return False
            if not first.affine and (not first.norm or first.act is not None):
                return False
            self.take(first, [node])
            return True
        second = units[-1]
        if len(sources) != 2 or first is None or second is None:
            return False
        if first is second or not (first.affine and second.affine):
            return False
        # Two products that are added are one affine map of two inputs.
        self.take(first, [*second.nodes, node])
        second.nodes = []
        return True

    def _product(self, node: Node, source: Node, weight: Node) -> bool:
        if not self.flow.learned(weight):
            return False
        unit = self.before(source, {node: None})
        if node.op == "mul" and unit is not None and unit.norm and not unit.scaled:
            unit.scaled = True
            self.take(unit, [node])
            return True
        name = PRODUCTS.get(node.op, "Affine" if not node.shape else "Scale")
        unit = self.new("layer", [node], [name])
        unit.affine, unit.product = True, node
        unit.left = node.op == "matmul" and node.args[0] is not source
        return True

    def _activation(self, node: Node) -> bool:
        row = OPS.get(node.op)
        # The mask of a dropout is data, too.
        sources = self.flow.sources(node) if node.op != "dropout" else node.args[:1]
        if len(sources) != 1 or node.op in ARITHMETIC:
            return False
        known = node.op in ROWWISE or node.op in ("apply", "dropout")
        if not known and (row is None or row.shape != "elementwise" or row.dtype != "float"):
            return False
        if sources[0] is not node.args[0] and node.op not in ("maximum", "minimum"):
            return False
        unit = self.before(sources[0], {node: None})
        if unit is None or (unit.act is not None and node.op != "dropout"):
            if node.op in (*PLAIN, "maximum", "minimum"):
                return False
            unit = self.new("layer", [], [])
        if node.op != "dropout":
            unit.act = node
        unit.parts.append(_spelled(node))
        unit.affine = False
        self.take(unit, [node])
        return True

    def heads(self) -> None:
        """Find the losses and penalties that end in scalar outputs, and the sums of them."""
        stack = [n for n in reversed(self.flow.outputs) if not n.shape]
        while stack:
            node = stack.pop()
            if node in self.owner or not node.args:
                continue
            terms = [a for a in node.args if a.args and not a.shape]
            if node.op in ("add", "sub") and terms and self._costs(terms, node):
                self.new("gate", [node], [gate(node).symbol])
                stack += reversed(terms)
            else:
                moving = self.flow.flows(node)
                kind = "loss" if moving else "penalty"
                self.new(kind, self._cone(node, moving), [])

    def _costs(self, terms: list[Node], node: Node) -> bool:
        """Say whether a sum joins several costs, rather than computing one."""
        return all(
            t in self.owner or not self.flow.flows(t) or self.flow.only(t, {node: None})
            for t in terms
        ) and (len(terms) > 1 or any(self.owner.get(t) is not None for t in terms))

    def _cone(self, exit: Node, moving: bool) -> list[Node]:
        """Collect the free nodes below an exit that are consumed inside, up to joined layers."""
        place = self.flow.graph.places
        cone: dict[Node, None] = {exit: None}
        seen = {exit: None}
        waiting: list[tuple[int, Node]] = []
        here = exit
        while True:
            for operand in here.args:
                if operand.args and operand not in seen and operand not in self.owner:
                    seen[operand] = None
                    insort(waiting, (place[operand], operand), key=lambda pair: pair[0])
            # The latest node comes first, so all that consume it have been looked at.
            while waiting and not self._belongs(waiting[-1][1], cone, moving):
                waiting.pop()
            if not waiting:
                return sorted(cone, key=lambda n: place[n])
            here = waiting.pop()[1]
            cone[here] = None

    def _belongs(self, node: Node, cone: dict[Node, None], moving: bool) -> bool:
        """Say whether a node is part of the loss or the penalty that consumes it."""
        if node in self.outputs or not self.flow.only(node, cone):
            return False
        if not moving:
            return not self.flow.flows(node)
        if node.shape and self.flow.graph.name(node):
            return False
        joins = bool(node.shape) and len(self._joined(node)) > 1
        return not joins or self._compares(node)

    @property
    def outputs(self) -> dict[Node, None]:
        """Give the outputs of the graph."""
        return self.flow.outputs

    def _joined(self, node: Node) -> list[Node]:
        """List the operands that are ends of layers."""
        return [a for a in self.flow.sources(node) if a in self.owner or a in self.flow.signals]

    def _compares(self, node: Node) -> bool:
        """Say whether a node compares a prediction with a target that only it uses."""
        targets = [a for a in self.flow.sources(node) if a in self.flow.signals]
        return any(len(self.flow.users[a]) == 1 for a in targets)

    def gates(self) -> None:
        """Make gates of the operators that join layers: residual sums, products, attention."""
        for node in self.flow.order:
            if node in self.owner or node in self.inner or node.op not in JOINING:
                continue
            sources = self.flow.sources(node)
            joined = self._joined(node)
            every = len(sources) > 1 and joined == list(sources)
            if every and any(a in self.owner for a in joined):
                self.new("gate", [node], [gate(node).symbol])

    def rest(self) -> None:
        """Group what is left by named lines: each takes the unnamed operators that only it uses."""
        for node in reversed(self.flow.order):
            if node in self.owner:
                continue
            users = self.flow.users[node]
            units = list(dict.fromkeys(id(self.owner[u]) for u in users))
            home = self.owner[users[0]] if users else None
            alone = node in self.outputs or len(units) != 1 or home is None
            named = self.flow.graph.name(node) and self.flow.flows(node)
            closed = home is not None and home.kind != "operations" and self.flow.flows(node)
            if alone or named or closed or home is None:
                self.new("operations", [node], [])
            else:
                home.nodes.insert(0, node)
                self.owner[node] = home


def _spelled(node: Node) -> str:
    """Name an activation as titles do."""
    if node.op == "maximum" and any(value_of(a) == 0 for a in node.args):
        return "ReLU"
    return "dropout" if node.op == "dropout" else unicode_symbol(gate(node).symbol)

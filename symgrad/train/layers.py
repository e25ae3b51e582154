"""What a parameter does in its network, and what the layer that it belongs to feeds.

A parameter is followed to the product, sum or normalisation in which it meets the signal; from
there on the signal is followed through whatever keeps it linear, up to the first function that
bends it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from symgrad.autodiff import substitute
from symgrad.diagram.layers.find import NORMS, PRODUCTS
from symgrad.diagram.layers.flow import Flow
from symgrad.diagram.layers.standard import standardised
from symgrad.errors import SymgradError
from symgrad.evaluate import values
from symgrad.graph import Graph, Node, depends
from symgrad.ops import OPS, leaf
from symgrad.ops.spec import bounds
from symgrad.rewrite import recognise
from symgrad.train.behaviour import Array, Behaviour, behaviour
from symgrad.train.roles import roles
from symgrad.train.targets import TARGETS

MOST = 40  # operators between a value and the next one through which all of it goes
LONGEST = 400  # steps from a product to what it feeds
ADDING = ("sum", "mean", "cumsum", "trace", "diag")
CHOOSING = ("maximum", "minimum", "amax", "amin")
LINEAR, OTHER = Behaviour("linear"), Behaviour("other")
PRELU = 0.25  # the slope at which He et al. 2015 start


@dataclass(frozen=True, slots=True)
class Feeds:
    """Say what a signal meets first: the node, what to call it, and how it behaves.

    `output` holds if it is the prediction or a loss that it meets. `begin` is the value that is
    bent, the argument of the function.
    """

    node: Node | None
    label: str
    behaviour: Behaviour
    output: bool = False
    begin: Node | None = None

    @property
    def bends(self) -> bool:
        """Say whether a function that is not linear was met."""
        return self.behaviour.kind != "linear"


class Layers:
    """Follow signals through one graph; answers are remembered.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; y: data[N, C]; W: param[D, H]; V: param[H, C]; b: param[H]; "
    ...           "mse(relu(X @ W + b) @ V, y)")
    >>> walk = Layers(g)
    >>> [walk.feeds(n).label for n in g.order() if n.op == "matmul"]
    ['relu', 'the output']
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.flow = Flow(graph)
        self.place = graph.places
        found_cones = standardised(self.flow)
        self.cones = {c.source: node for node, c in found_cones.items()}
        self.titles = {node: c.title for node, c in found_cones.items()}
        self.prediction: Node | None = None
        targets = [n for n in graph.inputs if n.attrs["kind"] in TARGETS]
        try:
            found = roles(graph)
            self.prediction = found.prediction
            targets = [n for n in graph.inputs if n.attrs["name"] in found.targets]
        except SymgradError:
            pass  # no batch, or no loss: what is known is in the kinds
        self.aimed = depends(graph.order(), targets)
        self._memo: dict[Node, Feeds] = {}

    def feeds(self, start: Node) -> Feeds:
        """Find what a value feeds: the first function that is not linear, else the output."""
        found = self._memo.get(start)
        if found is None:
            found = self._memo[start] = self._search(start)
        return found

    def _search(self, start: Node) -> Feeds:
        stack, seen, first = [start], {start: None}, None
        while stack and len(seen) < LONGEST:
            result = self._step(stack.pop())
            if isinstance(result, Feeds):
                if result.bends and not result.output:
                    return result
                first = first or result
                continue
            fresh = [n for n in result if n not in seen]
            seen.update(dict.fromkeys(fresh))
            stack += reversed(fresh)
        return first or Feeds(None, "nothing", LINEAR)

    def _step(self, here: Node) -> "Feeds | list[Node]":
        """Go from a value to those that are linear in it, or say what it feeds."""
        if here is self.prediction or here in self.flow.outputs:
            return Feeds(here, "the output", LINEAR, output=True)
        if here in self.cones:
            return [self.cones[here]]
        exit_, region = self._exit(here)
        if exit_ is not None and self._pointwise(here, [*region, exit_]):
            bent = self.function(here, exit_) if exit_.op != "apply" else OTHER
            if bent.kind == "linear":
                return [exit_]
            return self._extended(here, exit_, bent)
        if exit_ is not None and region:
            known = self._recognised(here, exit_, region)
            if known is not None:
                return known
            if exit_.op == "sub" and exit_.args[0] is here and region[-1] is exit_.args[1]:
                return [exit_]  # a shift: by the maximum, or by the mean
        steps = [self._over(here, u) for u in self.flow.users.get(here, ()) if self.flow.flows(u)]
        bending = [s for s in steps if isinstance(s, Feeds)]
        onward = [n for s in steps if isinstance(s, list) for n in s]
        ahead = [s for s in bending if s.bends and not s.output]
        return ahead[0] if ahead else onward or (bending[0] if bending else onward)

    def _over(self, here: Node, user: Node) -> "Feeds | list[Node]":
        """Go over one operator that is no function of this value alone."""
        row = OPS[user.op]
        if user in self.aimed or row.reduction:
            label = user.op if row.reduction else "the output"
            return Feeds(user, label, LINEAR, output=True)
        if user.op in NORMS or user.op in ("dropout", "standardize"):
            return [user] if user.args[0] is here else Feeds(user, user.op, LINEAR)
        if row.shape != "elementwise" and (row.dtype == "join" or user.op in ADDING):
            return [user]
        if user.op in ("add", "sub", "neg", "mul") or (user.op == "div" and user.args[0] is here):
            return [user]
        if user.op == "where":
            return [user]
        if user.op in CHOOSING:
            return Feeds(user, "maxout", Behaviour("rectifier", 0.0, 1.0), begin=here)
        if self.product(user):
            return Feeds(user, "another product", LINEAR)
        if row.shape == "elementwise" and bounds(row)[0] == 1:
            return Feeds(user, user.op, self.function(here, user), begin=here)
        return Feeds(user, user.op, OTHER, begin=here)

    def product(self, node: Node) -> bool:
        """Say whether a node sums products of its operands."""
        return node.op in PRODUCTS or node.op in ("einsum", "outer")

    # -- functions of one value ------------------------------------------------------------------

    def _exit(self, here: Node) -> tuple[Node | None, list[Node]]:
        """Find the next node through which all of a value goes, and the operators before it."""
        waiting = {u: None for u in self.flow.users.get(here, ()) if u in self.place}
        region: list[Node] = []
        while waiting and len(region) < MOST:
            node = min(waiting, key=self.place.__getitem__)
            del waiting[node]
            if not waiting:
                return node, region
            if node in self.flow.outputs:
                break
            region.append(node)
            waiting.update(dict.fromkeys(self.flow.users.get(node, ())))
        return None, []

    def _pointwise(self, here: Node, nodes: list[Node]) -> bool:
        """Say whether operators compute an elementwise function of one value."""
        inside = dict.fromkeys([here, *nodes])
        return all(
            n not in self.aimed
            and OPS[n.op].shape == "elementwise"
            and all(a in inside or not self.flow.flows(a) for a in n.args)
            for n in nodes
        )

    def _extended(self, begin: Node, end: Node, bent: Behaviour) -> Feeds:
        """Take in what still belongs to a function that is typed out, up to its name."""
        for _ in range(MOST):
            if self.graph.name(end) or end is self.prediction or end in self.flow.outputs:
                break
            further, region = self._exit(end)
            if further is None or not self._pointwise(end, [*region, further]):
                break
            if not all(self._number(a) for n in [*region, further] for a in n.args):
                break
            end, bent = further, self.function(begin, further)
        own = len(end.args) > 0 and end.args[0] is begin and end.op not in ("mul", "div")
        typed = end.attrs["name"] if end.op == "apply" else end.op
        label = typed if own else self.graph.name(end) or "its activation"
        return Feeds(end, label, bent, begin=begin)

    def _number(self, node: Node) -> bool:
        """Say whether an operand is part of the function: the signal itself, or a constant."""
        return self.flow.flows(node) or (node not in self.flow.graph.inputs and not node.shape)

    def function(self, begin: Node, end: Node) -> Behaviour:
        """Classify one value as a function of another, with parameters where they start."""
        try:
            return behaviour(lambda x: self.curve(begin, end, x))
        except SymgradError:  # an abstract function has no values
            return OTHER

    def curve(self, begin: Node, end: Node, x: Array) -> Array:
        """Compute one value as an elementwise function of another, on an array of numbers."""
        known: dict[Node, float | Array] = {begin: x}
        stack, seen = [end], {end: None}
        while stack:
            node = stack.pop()
            for k, operand in enumerate(node.args):
                if operand is begin or operand in seen:
                    continue
                seen[operand] = None
                if self.flow.flows(operand):
                    stack.append(operand)
                elif any(True for _ in self._leaves(operand)):
                    known[operand] = start_of(node, k)
        sizes = dict.fromkeys((str(d) for n in self.graph.inputs for d in n.shape), 4)
        return np.asarray(values([end], known, sizes)[end], dtype=np.float64)

    def _leaves(self, node: Node) -> Iterator[Node]:
        """List the inputs below an operand that does not flow."""
        stack, seen = [node], {node: None}
        while stack:
            here = stack.pop()
            if here.op == "input":
                yield here
            fresh = [a for a in here.args if a not in seen]
            seen.update(dict.fromkeys(fresh))
            stack += fresh

    def _recognised(self, here: Node, end: Node, region: list[Node]) -> "Feeds | list[Node] | None":
        """Look at operators that are typed out, a softmax say, as recognition sees them."""
        inside = dict.fromkeys([here, *region])
        if end in self.aimed or any(self.product(n) for n in [*region, end]):
            return None
        for n in [*region, end]:
            if any(a not in inside and self.flow.flows(a) for a in n.args):
                return None
        alone = substitute(end, {here: leaf("x", here.shape)})
        found = recognise(Graph.of([alone]))[0]
        if any(n.op == "standardize" for n in found.order()):
            return [end]
        op = found.output.op
        row = OPS.get(op)
        if row is None or row.shape == "elementwise" or op in ADDING:
            return None
        return Feeds(end, op, OTHER, begin=here)


def start_of(node: Node, k: int) -> float:
    """Give the number at which an operand of an operator starts that is neither weight nor bias.

    It is the default of its row, the slope of a PReLU, 0 for a term and 1 for a factor.

    >>> from symgrad.parse import parse
    >>> [start_of(parse(t).output, 1) for t in ("batch_norm(x, g)", "swish(x, b)", "x + b")]
    [1.0, 1.0, 0.0]
    """
    row = OPS[node.op]
    first = bounds(row)[1] - len(row.defaults)
    if k >= first:
        return float(row.defaults[k - first])
    if node.op == "prelu":
        return PRELU
    return 1.0 if node.op in ("mul", "div", "pow") else 0.0

"""A network as rules of advice look at it: where a signal goes next, and what it is called."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from symgrad.diagram.layers.find import NORMS
from symgrad.graph import Graph, Node, line_of, topological
from symgrad.ops import OPS
from symgrad.train.layers import Layers
from symgrad.train.roles import Roles


@dataclass(frozen=True, slots=True)
class Advice:
    """Say what will not train well, at which line and under which name, why, and what to do.

    >>> print(Advice("dropout at the output", 3, "s", "it sets predictions to 0", "drop less"))
    line 3 (s): dropout at the output: it sets predictions to 0; drop less
    """

    what: str
    line: int | None
    name: str
    why: str
    hint: str

    @property
    def where(self) -> tuple[int | None, str]:
        """Give the line of the program, and the name that it is about."""
        return self.line, self.name

    def __str__(self) -> str:
        place = f"line {self.line} ({self.name})" if self.line else self.name
        return f"{place}: {self.what}: {self.why}; {self.hint}"


@dataclass(eq=False)
class Surroundings:
    """Hold a graph with its layers, and its roles if they are known."""

    graph: Graph
    walk: Layers
    roles: Roles | None = field(default=None)

    @cached_property
    def order(self) -> tuple[Node, ...]:
        """List the operators below the output on which it depends through the signal."""
        return tuple(n for n in self.walk.flow.order if self.walk.flow.flows(n))

    @cached_property
    def below(self) -> dict[Node, None]:
        """Collect all nodes below the output."""
        return dict.fromkeys(topological([self.graph.output]))

    @property
    def prediction(self) -> Node | None:
        """Give what is compared with the target."""
        return self.roles.prediction if self.roles else None

    def users(self, node: Node) -> tuple[Node, ...]:
        """List the operators that use a node."""
        return self.walk.flow.users.get(node, ())

    def line(self, node: Node) -> int | None:
        """Give the line of a node."""
        return line_of(self.graph.spans, node)

    def called(self, node: Node) -> str:
        """Give the name that the user gave to a node, or to the line that it is part of."""
        for _ in range(9):
            name = self.graph.name(node)
            users = self.users(node)
            if name or len(users) != 1 or self.line(users[0]) != self.line(node):
                return name or ""
            node = users[0]
        return ""

    def weight_of(self, node: Node) -> str:
        """Name the weight by which a product multiplies the signal; "" if there is none."""
        flow = self.walk.flow
        fixed = [a for a in node.args if not flow.flows(a)]
        if not self.walk.product(node) or len(fixed) != 1 or not flow.learned(fixed[0]):
            return ""
        inputs = [n for n in topological(fixed) if n in flow.weights]
        return str(inputs[0].attrs["name"])

    def onward(self, node: Node) -> Node | None:
        """Follow a signal over sums with biases and constants; give what comes behind them.

        None where it branches, or reaches the prediction.
        """
        while node is not self.prediction and node not in self.walk.flow.outputs:
            if node in self.walk.cones:
                return self.walk.cones[node]
            users = self.users(node)
            if len(users) != 1:
                return None
            user = users[0]
            others = [a for a in user.args if a is not node]
            plain = user.op in ("add", "sub", "neg", "mul", "div", "transpose", "reshape")
            if not plain or any(self.walk.flow.flows(a) for a in others):
                return user
            if user.op in ("mul", "div") and any(self.walk.flow.learned(a) for a in others):
                return user
            node = user
        return None

    def reaches(self, node: Node) -> bool:
        """Say whether a value becomes the prediction over sums and constants alone."""
        for _ in range(9):
            users = self.users(node)
            if node is self.prediction:
                return True
            if len(users) != 1 or users[0].op not in ("add", "sub", "neg", "mul", "div"):
                return False
            if users[0] in self.walk.aimed:
                return False
            node = users[0]
        return False

    def normalises(self, node: Node, batch: bool = False) -> bool:
        """Say whether a node standardises; with `batch` only over the batch."""
        if node in self.walk.cones.values():
            return not batch or self.walk.titles[node] == "BN"
        if batch:  # with mean and variance given nothing is subtracted that depends on a bias
            return node.op == "batch_norm"
        return node.op in NORMS

    def fewest(self, marked: Iterable[Node]) -> dict[Node, int]:
        """Count for each node the marked nodes on the way to the output that has fewest."""
        marks = dict.fromkeys(marked)
        count: dict[Node, int] = {self.graph.output: 0}
        for node in reversed(topological([self.graph.output])):
            here = count[node] + (node in marks)
            for arg in node.args:
                count[arg] = min(count.get(arg, here), here)
        return count

    def differentiable(self) -> dict[Node, None]:
        """Collect what the output depends on in a way that has a derivative."""
        live: dict[Node, None] = {self.graph.output: None}
        for node in reversed(topological([self.graph.output])):
            row = OPS.get(node.op)
            if node in live and row is not None and not row.zero and node.dtype == "float":
                live.update(dict.fromkeys(a for a in node.args if a.dtype == "float"))
        return live

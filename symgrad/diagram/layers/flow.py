"""Tell the signal that flows through a network from its parameters and settings.

>>> from symgrad.parse import parse
>>> f = Flow(parse("X: data[N, D]; W: param[D, H]; h = tanh(X @ W); sum(h**2) + lam*sum(W**2)"))
>>> [n.attrs["name"] for n in f.signals], [n.attrs["name"] for n in f.weights]
(['X'], ['W'])
"""

import re

from symgrad.graph import Graph, Node, consumers, depends

CONSTANT = ("const", "dim")
SETTING = ("real", "scalar", "positive")
# How weights are called in programs that declare no parameter.
USUAL = re.compile(r"(w|W|b|theta|gamma|beta|bias|weights?)[\d_]*[a-z\d]{0,2}")


class Flow:
    """Hold the living part of a graph: what flows, who consumes it, and which inputs are weights.

    `order` lists the operators below the outputs; a node flows if it depends on a signal.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.outputs = dict.fromkeys(graph.outputs)
        alive = dict.fromkeys(self.outputs)
        for node in reversed(graph.order()):
            if node in alive:
                alive.update(dict.fromkeys(node.args))
        every = tuple(n for n in graph.order() if n in alive and n.op not in CONSTANT)
        self.order = tuple(n for n in every if n.op != "input")
        users = consumers(self.order)
        self.users = {n: tuple(dict.fromkeys(u for u, _ in users[n])) for n in users}
        self.signals, self.weights = _sides(tuple(n for n in every if n.op == "input"))
        self._moving = depends(self.order, self.signals)
        self._learned = depends(self.order, self.weights)

    def flows(self, node: Node) -> bool:
        """Say whether a node depends on a signal."""
        return node in self._moving

    def sources(self, node: Node) -> tuple[Node, ...]:
        """List the operands that flow, each once."""
        return tuple(dict.fromkeys(a for a in node.args if a in self._moving))

    def learned(self, node: Node) -> bool:
        """Say whether a node hangs on a weight."""
        return node in self._learned

    def only(self, node: Node, users: dict[Node, None]) -> bool:
        """Say whether nobody else but these consumes a node."""
        return node not in self.outputs and all(u in users for u in self.users.get(node, ()))


def _sides(inputs: tuple[Node, ...]) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """Split the inputs into signals and weights; the settings (lam, Delta) are neither."""
    weights = tuple(n for n in inputs if n.attrs["kind"] == "param")
    if not weights:
        usual = tuple(n for n in inputs if USUAL.fullmatch(str(n.attrs["name"])))
        weights = usual if any(n.attrs["name"][0] in "wWt" for n in usual) else ()
    others = tuple(n for n in inputs if n not in weights)
    arrays = any(n.shape for n in others)
    signals = tuple(n for n in others if n.shape or not (arrays and n.attrs["kind"] in SETTING))
    return (signals, weights) if signals else (inputs, ())

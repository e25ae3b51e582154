"""Count operators of some kinds inside one another."""

from collections.abc import Collection
from weakref import WeakKeyDictionary

from symgrad.graph import Node, topological


class Depths:
    """Count `kinds` inside one another below a node, named nodes too; remembered while they live.

    Operators that are not among `through`, if given, are looked at from outside only.

    >>> from symgrad.ops import leaf, make
    >>> x = leaf("x"); Depths(("exp",))(make("exp", make("neg", make("exp", x))))
    2
    """

    def __init__(self, kinds: Collection[str], through: Collection[str] | None = None) -> None:
        self.kinds, self.through = kinds, through
        self.known: WeakKeyDictionary[Node, int] = WeakKeyDictionary()

    def __call__(self, node: Node) -> int:
        """Count them below a node, itself included."""
        for n in topological([node], stop=self._ends):
            if n not in self.known:
                below = () if self._closed(n) else n.args
                inner = max((self.known[a] for a in below), default=0)
                self.known[n] = inner + (n.op in self.kinds)
        return self.known[node]

    def _closed(self, node: Node) -> bool:
        return self.through is not None and node.op not in self.through

    def _ends(self, node: Node) -> bool:
        return node in self.known or self._closed(node)

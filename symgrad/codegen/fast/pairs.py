"""Multiply several arrays two at a time, in the order that costs least, and share what is common.

A sum of products of three arrays and its gradients are four such sums, which have products of two
in common: of sum_r A_ir B_jr C_kr, both slopes in A and B begin with the upstream gradient times C.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_letters
from typing import Any

from symgrad.codegen.fast.fired import count
from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.ops import make, remake
from symgrad.ops.words import roles, subscripts
from symgrad.rewrite.cost import size_of
from symgrad.shapes import Dim

MOST = 5  # operands; of more NumPy chooses the order, in every call
NEAR = 1.05  # times the cheapest order: also good where a product is shared
COPY = 4  # multiplications that copying an entry counts for, where axes are not neighbours

Way = Any  # a node; or two ways, the letters of both and those of their product


@dataclass(frozen=True, slots=True)
class Pair:
    """Hold a product of two operands: which, its letters, what it is elsewhere, what it costs."""

    first: int
    second: int
    word: str
    way: Way
    cost: float


def paired(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Map every node to its image, in which sums of products of several arrays are made of pairs.

    >>> from symgrad.ops import leaf
    >>> A, B, v = leaf("A", ("I", "J")), leaf("B", ("J", "K")), leaf("v", ("K",))
    >>> y = make("einsum", A, B, v, subscripts="ij,jk,k->i")
    >>> [a.op for a in paired([y], {}, False, "float64")[y].args]
    ['input', 'einsum']
    """
    order = topological(roots)
    places = {n: k for k, n in enumerate(order)}
    sums = {n: Summed(n, places) for n in having(order, "einsum") if 2 < len(n.args) <= MOST
            and all(a.dtype == "float" for a in n.args)}  # fmt: skip
    if not sums:
        return unchanged(order)
    _decide(list(sums.values()))

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node not in sums:
            return remake(node, args)
        count(fired, "products of several arrays two at a time", node)
        return sums[node].made(dict(zip(node.args, args, strict=True)))

    return rebuild(roots, change)


def _decide(sums: list["Summed"]) -> None:
    """Choose the pairs of all sums: first those that save most, because several have them."""
    while left := [s for s in sums if len(s.operands) > 1]:
        ways: dict[Way, dict[Summed, tuple[Pair, float]]] = {}
        for one in left:
            for pair, extra in one.good():
                ways.setdefault(pair.way, {}).setdefault(one, (pair, extra))
        saved = [_saved(list(found.values())) for found in ways.values()]
        for one, (pair, _) in list(ways.values())[saved.index(max(saved))].items():
            one.join(pair)


def _saved(found: list[tuple[Pair, float]]) -> float:
    """Reckon what is saved where one product serves several sums, each of which pays an extra."""
    return (len(found) - 1) * found[0][0].cost - sum(extra for _, extra in found)


class Summed:
    """Hold an einsum: its operands with the letters of their axes; pairs of them become one."""

    def __init__(self, node: Node, places: dict[Node, int]) -> None:
        words, self.result = subscripts(node.attrs["subscripts"])
        self.sizes: dict[str, Dim] = {}
        for word, a in zip(words, node.args, strict=True):
            self.sizes |= dict(zip(word, a.shape, strict=True))
        # in the same order in all sums, so that a product is the same in all of them
        self.operands: list[tuple[Way, str]] = sorted(
            zip(node.args, words, strict=True), key=lambda o: (places[o[0]], o[1])
        )

    def good(self) -> Iterator[tuple[Pair, float]]:
        """List the pairs to begin with, and what each costs more than the cheapest order."""
        words = tuple(word for _, word in self.operands)
        pairs = list(combinations(range(len(words)), 2))
        costs = [self._cheapest(words, pair) for pair in pairs]
        for (i, j), cost in zip(pairs, costs, strict=True):
            if cost <= NEAR * min(costs):
                yield self._pair(i, j), cost - min(costs)

    def _cheapest(self, words: tuple[str, ...], pair: tuple[int, int]) -> float:
        """Reckon the best order that begins with a pair."""
        word, cost = self._product(words, *pair)
        rest = (*(w for k, w in enumerate(words) if k not in pair), word)
        if len(rest) < 2:
            return cost
        return cost + min(self._cheapest(rest, k) for k in combinations(range(len(rest)), 2))

    def _product(self, words: Sequence[str], i: int, j: int) -> tuple[str, float]:
        """Give the letters of a product of two operands, and what it costs."""
        a, b = words[i], words[j]
        kept = self.result + "".join(w for k, w in enumerate(words) if k not in (i, j))
        both, left, right, summed = roles(a, b, kept)
        word = self._word(both, left, right, summed)
        cost = self._entries(a + b)
        for own, one in ((a, left), (b, right)):
            if one not in own or summed not in own:
                cost += COPY * self._entries(own)  # the axes of a matrix are not neighbours
        return word if len(words) > 2 else self.result, cost

    def _word(self, both: str, left: str, right: str, summed: str) -> str:
        """Order the axes of a product: stacks of matrices have their common axes first.

        Products by entries have them last. The axis that is first in the result stays in front.
        """
        if not summed:
            own = left + right
            inside = all(c in self.result for c in own)
            return ("".join(sorted(own, key=self.result.index)) if inside else own) + both
        return both + (right + left if self.result[:1] in tuple(right) else left + right)

    def _entries(self, letters: str) -> float:
        found = 1.0
        for letter in dict.fromkeys(letters):
            found *= size_of(self.sizes[letter])
        return found

    def _pair(self, i: int, j: int) -> Pair:
        """Describe a product of two operands, the one with more axes first."""
        words = [word for _, word in self.operands]
        if len(words[j]) > len(words[i]):
            i, j = j, i
        word, cost = self._product(words, i, j)
        if len(words) == 2 and words[i][:1] != word[:1] == words[j][:1]:
            i, j = j, i  # the rows of the result are those of the first operand
        names = dict(zip(dict.fromkeys(words[i] + words[j]), ascii_letters, strict=False))
        spelled = tuple("".join(names[c] for c in w) for w in (words[i], words[j], word))
        return Pair(i, j, word, (self.operands[i][0], self.operands[j][0], spelled), cost)

    def join(self, pair: Pair) -> None:
        """Put the product of two operands in their place."""
        rest = [o for k, o in enumerate(self.operands) if k not in (pair.first, pair.second)]
        self.operands = [*rest, (pair.way, pair.word)]

    def made(self, image: dict[Node, Node]) -> Node:
        """Make the products from the images of the operands."""
        return _made(self.operands[0][0], image)


def _made(what: Way, image: dict[Node, Node]) -> Node:
    """Make an operand, or a product of two."""
    if isinstance(what, Node):
        return image[what]
    first, second, letters = what
    parts = _made(first, image), _made(second, image)
    return make("einsum", *parts, subscripts="{},{}->{}".format(*letters))

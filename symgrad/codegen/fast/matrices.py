"""Multiply chains of matrices in the cheapest order: A (B v) instead of (A B) v."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.schedule import turned
from symgrad.codegen.fast.threes import bare, undecided, with_shared
from symgrad.graph import Node, consumers, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake
from symgrad.rewrite.cost import size_of
from symgrad.shapes import Dim

LONGEST = 8  # factors
FEW = 4  # vectors for which a product of two matrices is not worth making
CLEARLY = 0.9  # of the cost as it is written; else the order stays


@dataclass(frozen=True, slots=True)
class Factor:
    """Hold a factor of a chain: a matrix, or a vector as a "column" or a "row"."""

    node: Node
    kind: str = "matrix"

    def sizes(self) -> tuple[Dim, Dim]:
        """Give its rows and columns."""
        if self.kind == "matrix":
            return self.node.shape[0], self.node.shape[1]
        return (self.node.shape[0], 1) if self.kind == "column" else (1, self.node.shape[0])

    def transposed(self) -> "Factor":
        """Give the factor's transpose."""
        if self.kind != "matrix":
            return Factor(self.node, "row" if self.kind == "column" else "column")
        bare = self.node.args[0] if turned(self.node) else make("transpose", self.node, axes=None)
        return Factor(bare)


def ordered(
    roots: list[Node],
    fired: dict[str, int],
    accurate: bool,
    dtype: str,
    named: Collection[Node] = (),
) -> dict[Node, Node]:
    """Choose the order of products by the sizes that are known; the others count as TYPICAL.

    A product is taken apart where nothing else reads it, or where it is not worth making. A
    column times a row is one too, so (d v') B' becomes the column d times the row (B v)'.
    Of three matrices whose sizes do not tell, the order is chosen when they are there; what is
    `named` stays.
    """
    order = topological(roots)
    products = having(order, "matmul")
    if not any(_apart(a) for n in products for a in n.args):
        return unchanged(order)
    kept = [*roots, *named]
    alone = read_once(order, kept) | _not_worth_making(order, kept)
    chains: dict[Node, tuple[list[Factor], int]] = {}  # image -> its factors, and what they cost

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op != "matmul" or max(len(a.shape) for a in args) > 2:
            return fresh
        left, right = (_taken(args[k], node.args[k], k, alone, chains) for k in (0, 1))
        factors = left[0] + right[0]
        sizes = [f.sizes() for f in factors]
        fits = all(a[1] == b[0] for a, b in pairwise(sizes))
        if not fits or len(factors) > LONGEST:
            return fresh
        known = tuple(map(size_of, [sizes[0][0], *(s[1] for s in sizes)]))
        cost = left[1] + right[1] + known[0] * known[len(left[0])] * known[-1]
        chains[fresh] = factors, cost
        if len(factors) < 3 or accurate or _cheapest(known)[0] >= CLEARLY * cost:
            parts = [f.node for f in factors if f.kind == "matrix"]
            return (undecided(node, parts, fired) if len(parts) == len(factors) else None) or fresh
        found = _multiplied(factors, known, 0, len(factors))
        if found is None or found.node.shape != node.shape:
            return fresh
        count(fired, "products of matrices in the cheapest order", node)
        chains[found.node] = factors, _cheapest(known)[0]
        return found.node

    image = rebuild(roots, change)
    found = with_shared([image[r] for r in roots])
    return {n: found[m] for n, m in image.items() if m in found} if found else image


def numbers_behind(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Multiply what a matrix makes of a few vectors by its number: (c A) v is c (A v).

    >>> from symgrad.ops import leaf
    >>> A, v, c = leaf("A", ("N", "N")), leaf("v", ("N",)), leaf("c")
    >>> y = make("matmul", make("mul", c, A), v)
    >>> numbers_behind([y], {}, False, "float64")[y].args[1].op
    'matmul'
    """
    order = topological(roots)
    vectors = [n for n in having(order, "matmul") if len(n.shape) == 1]
    tables = [n for n in having(order, "mul") if len(n.shape) == 2] if vectors else []
    scaled = [n for n in tables if n not in roots and () in [a.shape for a in n.args]]
    users = consumers(order) if scaled and not accurate else {}
    behind: dict[Node, None] = {}
    for node in scaled if users else ():
        turns = [u for u, _ in users[node] if turned(u) and u not in roots]
        readers = [u for u, _ in users[node] if u not in turns]
        readers += [u for turn in turns for u, _ in users[turn]]
        if len(readers) <= FEW and all(u.op == "matmul" and len(u.shape) == 1 for u in readers):
            behind |= dict.fromkeys([node, *turns])
    if not behind:
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        for k in (0, 1) if node.op == "matmul" else ():
            if node.args[k] not in behind:
                continue
            number, matrix = sorted(bare(args[k]).args, key=lambda a: len(a.shape))
            if turned(node.args[k]):
                matrix = make("transpose", matrix, axes=None)
            pair = (args[0], matrix) if k else (matrix, args[1])
            count(fired, "a number multiplies a product, not its matrix", node)
            return make("mul", number, make("matmul", *pair))
        return remake(node, args)

    return rebuild(roots, change)


def _not_worth_making(order: Sequence[Node], kept: Collection[Node]) -> dict[Node, None]:
    """Collect products, and their transposes, that are taken apart though several read them.

    A few vectors are multiplied by one; or it is one of two arrays of data, which have more columns
    than what comes of them, and the value and the slope read it.
    """
    users, stay = consumers(order), dict.fromkeys(kept)
    found: dict[Node, None] = {}
    for node in order:
        if node.op != "matmul" or len(node.shape) != 2 or node in stay:
            continue
        turns = [u for u, _ in users[node] if turned(u) and u not in stay]
        straight = [u for u, _ in users[node] if u not in turns]
        readers = straight + [u for turn in turns for u, _ in users[turn]]
        vectors = all(len(u.shape) == 1 for u in readers) and len(readers) <= FEW
        data = all(_data(a) for a in node.args) and len(readers) == 2
        if all(u.op == "matmul" for u in readers) and (vectors or data):
            found |= dict.fromkeys([node, *turns])
    return found


def _data(node: Node) -> bool:
    """Say whether a matrix is an input that is no parameter, or the transpose of one."""
    inner = bare(node)
    return inner.op == "input" and inner.attrs["kind"] != "param"


def _apart(operand: Node) -> bool:
    """Say whether an operand might be taken apart: a product, or a column times a row."""
    bare = operand.args[0] if turned(operand) else operand
    return bare.op == "matmul" or _column_and_row(bare) is not None


def _taken(
    image: Node,
    node: Node,
    side: int,
    alone: Mapping[Node, None],
    chains: Mapping[Node, tuple[list[Factor], int]],
) -> tuple[list[Factor], int]:
    """Take an operand apart, if it is a product that only this one reads; give its cost too."""
    if len(node.shape) == 1:
        return [Factor(image, "column" if side else "row")], 0
    if turned(image) and turned(node) and node in alone:
        factors, cost = _taken(image.args[0], node.args[0], side, alone, chains)
        return [f.transposed() for f in reversed(factors)], cost
    if node in alone and image in chains:
        return chains[image]
    pair = _column_and_row(image)
    if pair is not None:
        return list(pair), size_of(image.shape[0]) * size_of(image.shape[1])
    return [Factor(image)], 0


def _column_and_row(node: Node) -> tuple[Factor, Factor] | None:
    """See a product of a column and a row as two factors."""
    if node.op != "mul" or len(node.shape) != 2:
        return None
    for a, b in (node.args, node.args[::-1]):
        row = b.args[0] if b.op == "expand" and b.attrs["axes"] == (0,) else b
        column = a.op == "expand" and a.attrs["axes"] == (1,) and len(a.args[0].shape) == 1
        if column and len(row.shape) == 1 and a.args[0].dtype == row.dtype == "float":
            return Factor(a.args[0], "column"), Factor(row, "row")
    return None


@lru_cache(maxsize=1024)
def _cheapest(sizes: tuple[int, ...]) -> tuple[int, int]:
    """Give the multiplications of the best order, and behind how many factors it is split.

    >>> _cheapest((10, 10, 10, 1))
    (200, 1)
    """
    if len(sizes) < 3:
        return 0, 0
    ways = []
    for k in range(1, len(sizes) - 1):
        parts = _cheapest(sizes[: k + 1])[0] + _cheapest(sizes[k:])[0]
        ways.append((parts + sizes[0] * sizes[k] * sizes[-1], k))
    return min(ways)


def _multiplied(factors: Sequence[Factor], sizes: tuple[int, ...], i: int, j: int) -> Factor | None:
    """Multiply factors i to j in the best order."""
    if j - i == 1:
        return factors[i]
    k = i + _cheapest(sizes[i : j + 1])[1]
    left, right = _multiplied(factors, sizes, i, k), _multiplied(factors, sizes, k, j)
    return None if left is None or right is None else _pair(left, right)


def _pair(a: Factor, b: Factor) -> Factor | None:
    """Multiply two factors; None for what would be no product of NumPy's."""
    if "number" in (a.kind, b.kind):
        number, other = (a, b) if a.kind == "number" else (b, a)
        return Factor(make("mul", number.node, other.node), other.kind)
    kinds = (a.kind, b.kind)
    if kinds == ("column", "row"):
        return Factor(make("mul", make("expand", a.node, axes=(1,)), b.node))
    if kinds == ("row", "matrix"):  # v' B is (B' v)': each product with a vector has one form
        return Factor(make("matmul", b.transposed().node, a.node), "row")
    result = {("matrix", "matrix"): "matrix", ("matrix", "column"): "column",
              ("row", "column"): "number"}.get(kinds)  # fmt: skip
    return None if result is None else Factor(make("matmul", a.node, b.node), result)


def turned_sum(node: Node) -> Node | None:
    """Add matrices before they are transposed: a product takes the transpose as it is.

    >>> from symgrad.ops import leaf
    >>> A, B = (make("transpose", leaf(name, ("N", "D")), axes=None) for name in "AB")
    >>> turned_sum(make("sub", A, B)).op
    'transpose'
    """
    if not all(map(turned, node.args)):
        return None
    return make("transpose", make(node.op, *[a.args[0] for a in node.args]), axes=None)

"""A matrix plus a product of thin ones, W + A B, is multiplied by in parts: X W + (X A) B.

Neither A B nor its sum with W is made then, and where W has no slope, neither is a slope as large
as W, Xᵀ G, of which those in A and B would be products: they are Xᵀ (G Bᵀ) and (X A)ᵀ G.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod

from symgrad.graph import Graph, Node, consumers, depends, having, rebuild
from symgrad.ops import make, remake
from symgrad.rewrite.cost import size_of

THIN = 16  # what the inner dimension of a correction counts for that has a name only
PASS = 8  # multiplications of a product that adding two entries counts for
MOST = 8  # terms


@dataclass(frozen=True, slots=True)
class Term:
    """Hold a term of a matrix: its factors, some turned, the numbers before it, and its sign."""

    factors: tuple[tuple[Node, bool], ...]
    numbers: tuple[tuple[str, Node], ...] = ()
    minus: bool = False


def corrected(graph: Graph, targets: Iterable[Node]) -> Graph:
    """Multiply by the parts of W + A B where A or B have a slope, W has none, and it is cheaper.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; W: data[D, E]; A: param[D, R]; B: param[R, E]; X @ (W + A @ B)")
    >>> corrected(g, g.inputs[2:]).output.op
    'add'
    """
    order, targets = graph.order(), tuple(targets)
    if sum(n.op == "matmul" for n in order) < 2 or not having(order, "add", "sub"):
        return graph
    active, users = depends(order, targets), consumers(order)
    stay = dict.fromkeys([*graph.outputs, *targets])
    alone = {n: None for n in order if n not in stay and len(users[n]) == 1}
    image: dict[Node, Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        for k in (1, 0) if node.op == "matmul" else ():
            matrix, other = node.args[k], node.args[1 - k]
            if len(matrix.shape) == 2 and (k or len(other.shape) < 3) and matrix in alone:
                terms = list(_terms(matrix, alone))
                if len(terms) <= MOST and _gains(matrix, other, k, terms, active):
                    return _added([_times(args[1 - k], t, k, image) for t in terms], terms)
        return remake(node, args)

    rebuild(graph.outputs, change, image, only=("matmul",))
    return graph.mapped(image)


def _terms(matrix: Node, alone: Collection[Node]) -> Iterator[Term]:
    """List the terms of a sum of matrices, those of a term that nothing else reads, too."""
    todo: list[tuple[Node, Term, bool]] = [(matrix, Term(()), False)]
    while todo:
        node, term, turned = todo.pop()
        same = [a for a in node.args if a.shape == node.shape]
        if node not in alone or node.dtype != "float":
            yield Term(((node, turned),), term.numbers, term.minus)
        elif node.op == "transpose":
            todo.append((node.args[0], term, not turned))
        elif node.op in ("add", "sub") and len(same) == 2:
            minus = term.minus != (node.op == "sub")
            todo += [(same[1], Term((), term.numbers, minus), turned), (same[0], term, turned)]
        elif node.op == "neg":
            todo.append((node.args[0], Term((), term.numbers, not term.minus), turned))
        elif node.op in ("mul", "div") and len(same) == 1 and (n := _number(node)) is not None:
            todo.append((same[0], Term((), (*term.numbers, (node.op, n)), term.minus), turned))
        elif node.op == "matmul" and all(len(a.shape) == 2 for a in node.args):
            pair = tuple((a, turned) for a in (node.args[::-1] if turned else node.args))
            yield Term(pair, term.numbers, term.minus)
        else:
            yield Term(((node, turned),), term.numbers, term.minus)


def _number(node: Node) -> Node | None:
    """Give the number by which a matrix is multiplied or divided."""
    places = (1,) if node.op == "div" else (0, 1)
    return next((node.args[k] for k in places if not node.args[k].shape), None)


def _gains(matrix: Node, other: Node, k: int, terms: list[Term], active: Collection[Node]) -> bool:
    """Reckon what value and slopes take with the matrix, and what with its parts."""
    products = [t for t in terms if len(t.factors) == 2]
    single = [t for t in terms if len(t.factors) == 1]
    trained = any(f in active for t in products for f, _ in t.factors)
    if not trained or not single or any(_live(t, active) for t in single):
        return False
    if any(n in active for t in terms for _, n in t.numbers):
        return False
    height, width = map(size_of, matrix.shape)
    rows = prod(map(size_of, other.shape[:-1] if k else other.shape[1:]))
    inner, outer = (height, width) if k else (width, height)
    back = 1 if other in active else 0
    whole = (2 + back) * rows * height * width
    parts = (1 + back) * rows * height * width
    for term in products:
        (first, turned), _ = term.factors
        dim = first.shape[0 if turned else 1]
        rank = size_of(dim) if isinstance(dim, int) or dim in matrix.shape else THIN
        whole += 3 * height * rank * width + PASS * height * width
        parts += rows * rank * ((2 + back) * inner + 3 * outer)
        parts += PASS * rows * (outer + back * inner)
    return parts < whole


def _live(term: Term, active: Collection[Node]) -> bool:
    return any(f in active for f, _ in term.factors)


def _times(other: Node, term: Term, k: int, image: Mapping[Node, Node]) -> Node:
    """Multiply by a term, the thin factor first; its numbers go where there are fewest entries."""
    factors = [_upright(image[f], turned) for f, turned in term.factors]
    result = other
    for place, factor in enumerate(factors if k else factors[::-1]):
        result = make("matmul", *((result, factor) if k else (factor, result)))
        for op, number in term.numbers if place == 0 else ():
            result = make(
                op, *((image[number], result) if op == "mul" else (result, image[number]))
            )
    return result


def _upright(matrix: Node, turned: bool) -> Node:
    if not turned:
        return matrix
    return matrix.args[0] if matrix.op == "transpose" else make("transpose", matrix, axes=None)


def _added(parts: list[Node], terms: list[Term]) -> Node:
    """Add up products with terms, each with its sign."""
    result = make("neg", parts[0]) if terms[0].minus else parts[0]
    for part, term in zip(parts[1:], terms[1:], strict=True):
        result = make("sub" if term.minus else "add", result, part)
    return result

"""Add overlapping parts of an array in the loop that makes them, as the adjoint of a stencil does.

Let all parts have as many rows. The part that begins last is assigned, the others are added: when
a row is added to, it has been assigned, in this tile or an earlier one, or it is among the first
rows, before the last part begins, which are 0 at the start. Where one term is a whole array, all
parts are added to it.
"""

from collections.abc import Container, Mapping, Sequence
from functools import reduce

from symgrad.graph import Node, leaves, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake
from symgrad.ops.slices import FULL
from symgrad.shapes import Dim


def terms_of(
    node: Node, users: Mapping[Node, Sequence[object]], roots: Container[Node]
) -> tuple[list[Node], list[Node]]:
    """List the terms of a sum, and the nodes between it and them.

    >>> from symgrad.ops import leaf, make
    >>> a, b, c = (leaf(name, ("N",)) for name in "abc")
    >>> inner = make("add", a, b)
    >>> terms, between = terms_of(make("add", inner, c), {n: [0] for n in (a, b, c, inner)}, ())
    >>> terms == [a, b, c], between == [inner]
    (True, True)
    """
    terms: list[Node] = []
    between: list[Node] = []
    todo, rows = [node], _rows_of_last(node)
    while todo:
        term = todo.pop()
        alone = term is node or (len(users[term]) == 1 and term not in roots)
        if term.op == "add" and alone and _opens(term, node, rows):
            todo += reversed(term.args)
            between += [term] * (term is not node)
        elif term.op == "unslice" and alone:
            terms.append(term)
            between += [term] * (term is not node)
        else:
            terms.append(term)
    return terms, between


def _rows(term: Node) -> Dim | None:
    """Give how many rows a part has; None for an entry, a row, or what is no part."""
    if term.op != "unslice" or term.dtype != "float" or not term.args[0].shape:
        return None
    first = term.attrs["key"][0]
    return None if len(first) == 2 and first[1] is None else term.args[0].shape[0]


def _rows_of_last(node: Node) -> Dim | None:
    return next((_rows(a) for a in reversed(node.args) if a.op == "unslice"), None)


def _opens(term: Node, total: Node, rows: Dim | None) -> bool:
    """Say whether a sum within a sum is listed by its terms: as one that ends in such parts."""
    if any(a.shape != total.shape for a in term.args):
        return False
    if term is total or len(total.shape) < 2:
        return True
    return any(a.op == "unslice" and _rows(a) == rows for a in term.args)


def by_rows(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Order sums with parts: first what is no part, then parts with as many rows together.

    So a loop can make the parts of one number of rows and add them, whatever stands there before.

    >>> from symgrad.ops import leaf
    >>> a, p, q = (leaf(n, (k, "W")) for n, k in (("a", "H"), ("p", "H - 1"), ("q", "H")))
    >>> terms = [make("unslice", p, key=((0, -1), FULL), shape=("H", "W")), a,
    ...          make("unslice", q, key=(FULL, FULL), shape=("H", "W"))]
    >>> total = make("add", make("add", terms[0], terms[1]), terms[2])
    >>> [n.op for n in by_rows([total], {}, False, "")[total].args[0].args]
    ['input', 'unslice']
    """
    order = topological(roots)
    if not any([n.op == "unslice" and len(n.shape) > 1 for n in order]):
        return unchanged(order)
    alone = read_once(order, roots)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op != "add" or len(node.shape) < 2 or node in inner:
            return fresh
        terms = [images.get(t, t) for t in listed[node]]
        parts = [t for t in terms if t.op == "unslice"]
        if not parts or len(terms) < 3:
            return fresh
        whole = [t for t in terms if t.op != "unslice"]
        groups: dict[Dim | None, list[Node]] = {}
        for part in parts:
            groups.setdefault(_rows(part), []).append(part)
        last = groups.pop(None, [])  # entries, and single rows
        found = [*whole, *(part for group in groups.values() for part in group), *last]
        return reduce(lambda a, b: make("add", a, b), found)

    inner: dict[Node, None] = {}
    listed: dict[Node, list[Node]] = {}
    for node in reversed(order):
        if node.op == "add" and node not in inner:
            listed[node] = _terms(node, alone, inner)
    images: dict[Node, Node] = {}
    return rebuild(roots, change, images, only=("add",))


def _terms(total: Node, alone: Mapping[Node, None], inner: dict[Node, None]) -> list[Node]:
    """List the terms of a sum; sums within it that nothing else reads are noted."""

    def inside(term: Node) -> tuple[Node, ...]:
        fits = term.op == "add" and all(a.shape == total.shape for a in term.args)
        if not fits or (term is not total and term not in alone):
            return ()
        if term is not total:
            inner[term] = None
        return term.args

    return leaves(total, inside)


def base_of(terms: Sequence[Node]) -> Node | None:
    """Give the term that is no part, which parts are added to."""
    return next((t for t in terms if t.op != "unslice"), None)


def rows_of_parts(terms: Sequence[Node]) -> Dim | None:
    """Give how many rows each part has if all are arrays of the same number of rows.

    >>> from symgrad.ops import leaf, make
    >>> part = leaf("p", ("M",))
    >>> rows_of_parts([make("unslice", part, key=((k, k - 2),), shape=("M + 2",)) for k in (0, 1)])
    'M'
    """
    dims = dict.fromkeys(map(_rows, terms))
    dim = next(iter(dims))
    return None if len(dims) > 1 or dim == 1 else dim


def assigned(terms: Sequence[Node]) -> tuple[int, int] | None:
    """Give which of the parts is assigned, and how many rows come before it; None if none can be.

    >>> from symgrad.ops import leaf, make
    >>> keys, part = [((0, -1),), ((1, "end"),)], leaf("p", ("N - 1",))
    >>> assigned([make("unslice", part, key=key, shape=("N",)) for key in keys])
    (1, 1)
    """
    starts: list[int] = []
    ends: list[bool] = []
    for term in terms:
        first, *rest = term.attrs["key"]
        if len(first) != 2 or first[0] < 0 or any(entry != FULL for entry in rest):
            return None
        starts.append(first[0])
        ends.append(first[1] in ("end", term.shape[0]))
    last = starts.index(max(starts))
    return (last, starts[last]) if ends[last] else None

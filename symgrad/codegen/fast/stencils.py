"""Add overlapping parts of an array in the loop that makes them, as the adjoint of a stencil does.

Let all parts have as many rows. The part that begins last is assigned, the others are added: when
a row is added to, it has been assigned, in this tile or an earlier one, or it is among the first
rows, before the last part begins, which are 0 at the start.
"""

from collections.abc import Container, Mapping, Sequence

from symgrad.graph import Node
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
    todo = [node]
    while todo:
        term = todo.pop()
        alone = term is node or (len(users[term]) == 1 and term not in roots)
        if term.op == "add" and alone and all(a.shape == node.shape for a in term.args):
            todo += reversed(term.args)
            between += [term] * (term is not node)
        elif term.op == "unslice" and alone:
            terms.append(term)
            between += [term] * (term is not node)
        else:
            terms.append(term)
    return terms, between


def rows_of_parts(terms: Sequence[Node]) -> Dim | None:
    """Give how many rows each part has if all are arrays of the same number of rows.

    >>> from symgrad.ops import leaf, make
    >>> part = leaf("p", ("M",))
    >>> rows_of_parts([make("unslice", part, key=((k, k - 2),), shape=("M + 2",)) for k in (0, 1)])
    'M'
    """
    dims: dict[Dim, None] = {}
    for term in terms:
        if term.op != "unslice" or term.dtype != "float" or not term.args[0].shape:
            return None
        first = term.attrs["key"][0]
        if len(first) == 2 and first[1] is None:
            return None
        dims[term.args[0].shape[0]] = None
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

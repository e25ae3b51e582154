"""Places that move with indices: i + k, 2*i - 1, i - k + K - 1.

A place is a sum of multiples of indices, labels and dimensions, written in one way.
"""

from collections.abc import Mapping

from symgrad.dims import Dim, terms
from symgrad.graph import Node, intern
from symgrad.ops import const, dim

ONE = const(1)
Terms = dict[Node, int]  # by atoms; what belongs to 1 is the number at the end


def linear(place: Node) -> Terms:
    """Read a place as multiples of its atoms.

    >>> i = intern("index", (), {"name": "i", "size": "N"}, (), "int")
    >>> linear(placed({i: 2, ONE: -1}))[i]
    2
    """
    found: Terms = {}
    todo = [(place, 1)]
    while todo:
        node, c = todo.pop()
        if node.op == "const":
            found[ONE] = found.get(ONE, 0) + c * node.attrs["value"]
        elif node.op in ("add", "sub") and node.dtype == "int":
            todo += [(node.args[1], c if node.op == "add" else -c), (node.args[0], c)]
        elif node.op == "mul" and node.dtype == "int" and node.args[0].op == "const":
            todo.append((node.args[1], c * node.args[0].attrs["value"]))
        elif node.op == "neg" and node.dtype == "int":
            todo.append((node.args[0], -c))
        else:
            found[node] = found.get(node, 0) + c
    return {node: c for node, c in found.items() if c}


def placed(found: Mapping[Node, int]) -> Node:
    """Write a place: what is added first, numbers last."""
    listed = sorted(found.items(), key=lambda t: (t[0] is ONE, t[0].op != "index", t[1] < 0))
    if listed and listed[0][1] < 0:  # N - 1 - i, not -i + N - 1
        listed.sort(key=lambda t: t[1] < 0)
    result: Node | None = None
    for atom, c in listed:
        term = const(abs(c)) if atom is ONE else atom
        if atom is not ONE and abs(c) != 1:
            term = intern("mul", (const(abs(c)), atom), {}, (), "int")
        if result is None:
            result = term if c > 0 else _negative(term)
        elif c:
            result = intern("add" if c > 0 else "sub", (result, term), {}, (), "int")
    return const(0) if result is None else result


def _negative(term: Node) -> Node:
    if term.op == "const":
        return const(-term.attrs["value"])
    return intern("neg", (term,), {}, (), "int")


def of_size(size: Dim) -> Terms:
    """Read a dimension as multiples of its names.

    >>> [(n.op, c) for n, c in of_size("K - 1").items()]
    [('dim', 1), ('const', -1)]
    """
    found: Terms = {}
    for factors, c in terms(size):
        found[dim("*".join(factors)) if factors else ONE] = c
    return found


def together(*parts: tuple[int, Mapping[Node, int]]) -> Node:
    """Add up multiples of places."""
    found: Terms = {}
    for c, terms_ in parts:
        for atom, d in terms_.items():
            found[atom] = found.get(atom, 0) + c * d
    return placed({atom: c for atom, c in found.items() if c})


def shifted(at: Node, by: Dim) -> Node:
    """Make the place i + k; numbers are added up."""
    return together((1, linear(at)), (1, of_size(by)))

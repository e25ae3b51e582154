"""Letters for what the user has not named, so that formulas can speak of every gate."""

from collections.abc import Iterator, Sequence
from itertools import count

from symgrad.dims import names_in
from symgrad.formula import latex_name
from symgrad.graph import Graph, Node

# Left out are e (e^{a} is the exponential), the indices i to l of sums, and o, which looks like 0.
ALPHABET = "abcdfghmnpqrstuvwxyz"
OUTPUT = "f"  # as in the formulas of `symgrad.gradient`


def letters(graph: Graph, nodes: Sequence[Node]) -> dict[Node, str]:
    """Name nodes: the user's name, or a letter that nothing in the program has.

    The letters are a, b, c, …, then a_1, b_1, …; a last line without a name is f.

    >>> import symgrad as sg
    >>> g = sg.parse("a*x + exp(-x)")
    >>> list(letters(g, g.order()).values())
    ['a', 'x', 'b', 'c', 'd', 'f']
    """
    taken = _taken(graph)
    free = (name for name in _invented() if name not in taken and latex_name(name) not in taken)
    found: dict[Node, str] = {}
    if not graph.name(graph.output) and OUTPUT not in taken:
        found[graph.output] = OUTPUT
        taken[OUTPUT] = None
    for node in nodes:
        if node not in found:
            found[node] = graph.name(node) or next(free)
    return {node: found[node] for node in nodes}


def _invented() -> Iterator[str]:
    for k in count():
        for letter in ALPHABET:
            yield f"{letter}_{k}" if k else letter


def _taken(graph: Graph) -> dict[str, None]:
    """Collect the names of a program, and how they are typeset: a1 looks like a_1."""
    inputs = [str(n.attrs["name"]) for n in graph.inputs]
    sizes = [s for n in graph.order() for d in n.shape for s in names_in(d)]
    names = [*graph.names, *inputs, *sizes, *graph.dims, *graph.functions]
    return dict.fromkeys([*names, *map(latex_name, names)])

"""Take vectors of numbers apart, where a program puts numbers that it computes into a vector.

A filter that is typed out may end in sum(log(s) + y**2/s) of s = stack([s0, s1, …]). As a program
of numbers it runs on Python's floats, which take a third of the time that NumPy's scalars take.
"""

from functools import reduce
from typing import Any

from symgrad.graph import Graph, Node, having
from symgrad.ops import const, make, remake
from symgrad.rewrite.dangers import elementwise

LONGEST = 128  # entries of a vector
MOST = 4000  # numbers that are made


def unstacked(graph: Graph) -> Graph | None:
    """Write a program without its stacks of numbers; None where it has no stack, or other arrays.

    >>> from symgrad.parse import parse
    >>> g = parse("y: data[2]; a: param; b = a**2; s = stack([a, b]); sum(y*s)")
    >>> unstacked(g).output.op, any(n.op == "stack" for n in unstacked(g).order())
    ('add', False)
    """
    order = graph.order()
    if not any(_computed(n) for n in having(order, "stack")):
        return None
    numbers: dict[Node, Node] = {}
    entries: dict[Node, list[Node]] = {}
    left = MOST
    for node in order:
        if node.shape:
            parts = _entries(node, numbers, entries)
            left -= 0 if parts is None else len(parts)
            if parts is None or left < 0:
                return None
            entries[node] = parts
        else:
            number = _number(node, numbers, entries)
            if number is None:
                return None
            numbers[node] = number
    known = {name: numbers[n] for name, n in graph.names.items() if n in numbers}
    return Graph.of([numbers[graph.output]], names=known, dims=graph.dims, source=graph.source,
                    extra_inputs=graph.inputs, notes=graph.notes, dtype=graph.dtype)  # fmt: skip


def _computed(stack: Node) -> bool:
    """Say whether half of the numbers in a stack are computed, or more."""
    made = sum(bool(a.args) and a.op != "slice" for a in stack.args if not a.shape)
    return 2 * made >= len(stack.args)


def _entries(
    node: Node, numbers: dict[Node, Node], entries: dict[Node, list[Node]]
) -> list[Node] | None:
    """List the entries of a vector; None where they are no numbers that the program may have."""
    size: Any = node.shape[0]
    if len(node.shape) > 1 or not isinstance(size, int) or size > LONGEST or node.dtype != "float":
        return None
    if node.op == "input":
        return [make("slice", node, key=((k, None),)) for k in range(size)]
    if node.op == "stack":
        return [numbers[a] for a in node.args]
    if not elementwise(node) or any(a.shape not in ((), node.shape) for a in node.args):
        return None
    return [
        make(node.op, *(entries[a][k] if a.shape else numbers[a] for a in node.args), **node.attrs)
        for k in range(size)
    ]


def _number(node: Node, numbers: dict[Node, Node], entries: dict[Node, list[Node]]) -> Node | None:
    """Write a number without vectors; None for an operator that is not known here."""
    if not any(a.shape for a in node.args):
        return remake(node, tuple(numbers[a] for a in node.args))
    first = entries[node.args[0]] if node.args[0].shape else []
    if node.op == "slice":
        place, *rest = node.attrs["key"][0]
        return first[int(place)] if rest == [None] else None
    if node.op in ("sum", "mean"):
        total = reduce(lambda a, b: make("add", a, b), first)
        return make("div", total, const(len(first))) if node.op == "mean" else total
    if node.op == "matmul":
        products = [make("mul", a, b) for a, b in zip(first, entries[node.args[1]], strict=True)]
        return reduce(lambda a, b: make("add", a, b), products)
    return None

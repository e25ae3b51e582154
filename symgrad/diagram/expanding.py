"""Expand operators: in place of one gate, the gates of its definition."""

from collections.abc import Iterable

from symgrad.diagram.grouping import operators
from symgrad.errors import UsageError, near
from symgrad.graph import Graph, Node, rebuild
from symgrad.ops import OPS, lookup, remake
from symgrad.ops.spec import typed_name
from symgrad.parse import formula

EVERY = "all"


def expanded(graph: Graph, names: str | Iterable[str]) -> Graph:
    """Write operators by the formula of their row; lines keep their names.

    "all" expands down to primitives. Raises UsageError for what is no operator of the program or
    has no definition.

    >>> import symgrad as sg
    >>> g = expanded(sg.parse("p = sigmoid(z)"), ["sigmoid"])
    >>> [n.op for n in g.order()], list(g.names)
    (['input', 'const', 'neg', 'exp', 'add', 'div'], ['z', 'p'])
    """
    listed = [names] if isinstance(names, str) else list(names)
    every = EVERY in listed
    chosen = {_operator(name, graph): name for name in listed if name != EVERY}
    used = _definable(graph)
    met: dict[str, None] = {}

    def write(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        inner = formula(fresh) if every or fresh.op in chosen else None
        if inner is None or inner.shape != fresh.shape:
            return fresh
        met[fresh.op] = None
        return inner

    while True:  # a definition may contain another operator that was asked for
        image = rebuild((*graph.inputs, *graph.outputs, *graph.names.values()), write)
        if all(image[n] is n for n in graph.order()):
            break
        graph = graph.mapped(image)
    for op, name in chosen.items():
        if op not in met:
            raise UsageError(f"this program does not use '{name}'", hint=_listed(used))
    return graph


def _operator(name: str, graph: Graph) -> str:
    """Find an operator that has a definition; raise UsageError if there is none."""
    row = lookup(name) if isinstance(name, str) else None
    hint = _listed(_definable(graph))
    if row is None or row.hidden:
        raise UsageError(f"'{name}' is no operator", hint=near(name, operators()) + hint)
    if not row.formula:
        raise UsageError(f"'{name}' is a primitive: it has no definition to expand", hint=hint)
    return row.name


def _definable(graph: Graph) -> list[str]:
    """List the operators of a program that have a definition."""
    used = dict.fromkeys(n.op for n in graph.order())
    return [typed_name(op) for op in used if op in OPS and OPS[op].formula]


def _listed(used: list[str]) -> str:
    return f"it uses {', '.join(used)}" if used else "all operators of this program are primitives"

"""Derive gradients: recognise, sweep, simplify, name. The one computation behind all views."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass

from symgrad.autodiff import Adjoints, scalar_output, substitute, sweep, wanted
from symgrad.errors import SymgradWarning
from symgrad.formula.formula import Formula
from symgrad.formula.limits import MOST_FORMULA, check_length
from symgrad.formula.naming import Names, users_names
from symgrad.formula.speech import spoken, with_logs
from symgrad.graph import Graph, Node, depends, topological
from symgrad.ops import OPS, leaf
from symgrad.rewrite import Rewrite, recognise, simplify


@dataclass(frozen=True, slots=True)
class Derivation:
    """Keep what a derivation went through: the recognised graph, adjoints, simplified forms.

    `source` is the graph before recognition, where it is known.
    """

    graph: Graph
    trace: tuple[Rewrite, ...]
    adjoints: Adjoints
    simple: dict[Node, Node]
    targets: dict[str, Node]
    names: Names
    source: Graph | None = None

    @property
    def written(self) -> Graph:
        """Give the graph as it was written."""
        return self.graph if self.source is None else self.source

    def gradient(self, node: Node) -> Node:
        """Give the simplified adjoint of a node."""
        return self.simple[self.adjoints.total[node]]


def derive(
    graph: Graph, targets: dict[str, Node], *, every: bool = False, mode: str = "printed"
) -> Derivation:
    """Differentiate a graph's output with respect to inputs.

    With `every`, the adjoints of all nodes on the way are simplified too (for code and steps).
    """
    scalar_output(graph)
    recognised, trace = recognise(graph, mode)
    adjoints = sweep(recognised.output, targets.values(), mode=mode)
    roots = list(adjoints.total.values() if every else
                 [adjoints.total[n] for n in targets.values()])  # fmt: skip
    named = users_names(recognised)
    printing = mode == "printed"
    meant = with_logs(roots, named, graph) if printing else {root: root for root in roots}
    # people write a x as it was typed, whichever of them was declared first
    read = topological([recognised.output], lambda n: False) if printing else ()
    places = {n: k for k, n in enumerate(read)} if printing else recognised.places
    short = simplify(meant.values(), named, places,
                     normalise=mode != "accurate", printed=printing)  # fmt: skip
    simple = {root: short[meant[root]] for root in roots}
    if printing:
        printed = [simple[adjoints.total[n]] for n in targets.values()]
        simple = {root: spoken(node, printed) for root, node in simple.items()}
    names = Names(recognised)
    return Derivation(recognised, tuple(trace), adjoints, simple, targets, names, graph)


def gradients(graph: Graph, wrt: str | Iterable[str] | None = None) -> dict[str, Formula]:
    """Derive the gradient of the output with respect to inputs and named intermediates.

    >>> from symgrad.parse import parse
    >>> gradients(parse("(x + y)*z"))["z"].unicode()
    'x + y'
    """
    check_length(graph, MOST_FORMULA, "formulas")
    targets = wanted(graph, wrt)
    scalar_output(graph)
    found: dict[str, Formula] = {}
    inputs = {name: n for name, n in targets.items() if n.op == "input"}
    if inputs:
        found.update(_formulas(graph, inputs))
    for name, node in targets.items():
        if node.op != "input":
            open_graph, stand_in = cut(graph, name, node)
            found.update(_formulas(open_graph, {name: stand_in}))
    return {name: found[name] for name in targets}


def _formulas(graph: Graph, targets: dict[str, Node]) -> dict[str, Formula]:
    derivation = derive(graph, targets)
    nodes = {name: derivation.gradient(node) for name, node in targets.items()}
    derivation.names.prepare(nodes.values())
    of = output_name(graph)
    for name, node in nodes.items():
        if _lost(graph, targets[name], node):
            said = f"{name} enters {of} only through conditions: its gradient is zero"
            warnings.warn(said, SymgradWarning, stacklevel=5)
    return {
        name: Formula(node, derivation.names, of=of, wrt=name, derivation=derivation)
        for name, node in nodes.items()
    }


def _lost(graph: Graph, target: Node, gradient: Node) -> bool:
    """Say whether a gradient is zero because only conditions depend on the input, as in a count."""
    inner = gradient.args[0] if gradient.op == "broadcast" else gradient
    if inner.op != "const" or inner.attrs["value"] or target.op != "input":
        return False
    below = depends(graph.order(), [target])
    rows = [OPS[n.op] for n in below if n.op in OPS]
    return (
        graph.output in below
        and any(r.dtype == "bool" for r in rows)
        and not any(r.warning for r in rows)
    )


def output_name(graph: Graph) -> str:
    """Give the name of the last line, or f."""
    last = [name for name, node in graph.names.items() if node is graph.output]
    return last[-1] if last and graph.output.op != "input" else "f"


def cut(graph: Graph, name: str, node: Node) -> tuple[Graph, Node]:
    """Replace an intermediate by an input of its name: the derivative in it alone.

    Recognition then cannot look through it, so that a probability's gradient is that of the
    loss in the probability, not in the logit behind it.
    """
    stand_in = leaf(name, node.shape, "real")
    images = {node: stand_in}
    output = substitute(graph.output, images) if graph.output is not node else stand_in
    names = {}
    for other, value in graph.names.items():
        names[other] = stand_in if value is node else substitute(value, images)
    return (
        Graph.of(
            [output],
            names=names,
            spans=graph.spans,
            dims=graph.dims,
            source=graph.source,
            extra_inputs=[*graph.inputs, stand_in],
            dtype=graph.dtype,
        ),
        stand_in,
    )

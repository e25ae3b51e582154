"""Write the arithmetic of a graph as JavaScript: what a page needs to follow its sliders.

The forward pass is the graph as written, gate by gate; the backward pass takes the same rules of
the rows, in the same order, as `symgrad.autodiff.backprop`. The text is made of node numbers,
numbers, the spellings of `symgrad.codegen.javascript.spellings`, and input names as JSON strings.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symgrad.codegen.javascript.expressions import UnspeakableError
from symgrad.codegen.javascript.writer import Use, Writer
from symgrad.graph import Graph, Node

__all__ = ["MOST", "Script", "javascript"]

MOST = 3000  # nodes; a page with more is slow to load and nobody reads it


@dataclass(frozen=True, slots=True)
class Script:
    """Hold the text, which declares `inputs` and `compute`; or the reason why there is none."""

    source: str = ""
    reason: str = ""


def javascript(
    graph: Graph,
    wrt: str | Iterable[str] | None = None,
    nodes: Mapping[int, Node] | None = None,
    edges: Mapping[int, Sequence[Use]] | None = None,
) -> Script:
    """Write `compute({name: number or array})`, which gives all numbers of a diagram.

    An array is {s: shape, d: entries, row by row}. It returns objects `v` (values) and `g`
    (gradients) by the keys of `nodes`, and `c` (contributions) and `l` (local derivatives of gates
    of numbers) by the keys of `edges`, whose values list pairs (consumer, operand index); for
    arrays also `s`, the local derivatives of gates that switch entries off or saturate. By default
    nodes are numbered as in `graph.order()`, and edges as they come there. The text also declares
    `inputs`, a list of [name, kind, key in `nodes`], and `gates`: for each key of a gate of numbers
    a function that computes it from numbers of other keys.

    >>> import symgrad as sg
    >>> "v2 = v0 * v1" in javascript(sg.parse("x*y")).source
    True
    >>> javascript(sg.parse("A: data[N, N]; sum(inv(A))")).reason
    'JavaScript has no word for inv'
    """
    order = graph.order()
    if len(order) > MOST:
        return Script(reason=f"it has more than {MOST} nodes")
    if any(n not in graph.places and n.op not in ("const", "dim") for n in (nodes or {}).values()):
        return Script(reason="nodes of another graph are drawn")
    if graph.output.shape:
        return Script(reason="its output is an array")
    if nodes is None:
        nodes = dict(enumerate(order))
    if edges is None:
        uses = [(n, k) for n in order for k in range(len(n.args))]
        edges = {i: [use] for i, use in enumerate(uses)}
    try:
        return Script(Writer(graph, wrt).text(nodes, edges))
    except UnspeakableError as error:
        return Script(reason=f"JavaScript has no word for {error}")

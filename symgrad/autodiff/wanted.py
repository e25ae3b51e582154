"""Decide with respect to what to differentiate."""

import warnings
from collections.abc import Iterable

from symgrad import shapes
from symgrad.arguments import called
from symgrad.errors import NotDifferentiableError, SymgradWarning, UsageError, near
from symgrad.graph import Graph, Node
from symgrad.ops import OPS

NEVER = ("data", "label", "labels", "onehot", "simplex", "sign", "binary", "integer")


def wanted(graph: Graph, wrt: str | Iterable[str] | None) -> dict[str, Node]:
    """Map the names asked for to nodes; None means the parameters, else every free float input.

    Warns where a row says so: the gradient of a count of mistakes is zero almost everywhere.
    Raises UsageError for an unknown name, NotDifferentiableError for labels.

    >>> from symgrad.parse import parse
    >>> list(wanted(parse("w: param; loss = (w*x - t)**2"), None))
    ['w']
    """
    found = chosen(graph, wrt)
    said = {OPS[n.op].warning: None for n in graph.order() if found and n.op in OPS}
    for text in filter(None, said):
        warnings.warn(text, SymgradWarning, stacklevel=4)
    return found


def chosen(graph: Graph, wrt: str | Iterable[str] | None) -> dict[str, Node]:
    """Map the names asked for to nodes, without a warning: see `wanted`."""
    if wrt is None:
        inputs = [n for n in graph.inputs if n.dtype == "float"]
        chosen = [n for n in inputs if n.attrs["kind"] == "param"]
        if not chosen:
            chosen = [n for n in inputs if n.attrs["kind"] not in NEVER]
        return {n.attrs["name"]: n for n in chosen}
    try:
        names = [wrt] if isinstance(wrt, str) else list(wrt)
    except TypeError:
        raise UsageError(f"wrt is {called(wrt)}, neither a name nor a list of names",
                         hint='for example wrt="w", wrt=["w", "b"]') from None  # fmt: skip
    found: dict[str, Node] = {}
    known = {**dict(graph.names), **{n.attrs["name"]: n for n in graph.inputs}}
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise UsageError(f"'{name}' is no name of this program",
                             hint=near(name, list(known))
                             + f"its names are {', '.join(known)}")  # fmt: skip
        node = known[name]
        if node.dtype != "float":
            others = [k for k, n in known.items() if n.dtype == "float"]
            raise NotDifferentiableError(f"'{name}' holds labels or conditions; it has no gradient",
                                         hint=f"ask for one of {', '.join(others)}")  # fmt: skip
        found[name] = node
    return found


def scalar_output(graph: Graph) -> Node:
    """Give the output, which must be a scalar; raise NotDifferentiableError otherwise."""
    output = graph.output
    if output.shape:
        name = graph.name(output) or "the value"
        raise NotDifferentiableError(
            f"{name} has the shape {shapes.text(output.shape)}; a gradient needs a scalar",
            hint=f"end the program with  sum({graph.name(output) or '…'})  or  mean(…); "
            "an array has a Jacobian: symgrad.jacobian, derive --jacobian",
        )
    return output

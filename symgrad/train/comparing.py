"""What a prediction is compared with, and whether the loss compares it row by row."""

from dataclasses import replace
from itertools import permutations

from symgrad.errors import ShapeError
from symgrad.graph import Graph, Node
from symgrad.ops import OPS
from symgrad.shapes import text
from symgrad.train.roles import Roles
from symgrad.train.settings import Settings


def aim(graph: Graph, found: Roles) -> str | None:
    """Name what predictions are compared with: the target, or the feature that is given back.

    >>> from symgrad.parse import parse
    >>> from symgrad.train.roles import roles
    >>> g = parse("X: data[N, D]; W: param[D, H]; mse(tanh(X @ W) @ W.T, X)")
    >>> aim(g, roles(g))
    'X'
    """
    if found.targets:
        return found.targets[0] if len(found.targets) == 1 else None
    shapes = {n.attrs["name"]: n.shape for n in graph.inputs}
    same = [k for k in found.features if shapes[k] == found.prediction.shape]
    return same[0] if same and found.scale == "value" else None


def column(graph: Graph, settings: Settings) -> tuple[str | None, Settings]:
    """Tell whether the target that is named is a column of a table or an input of the model."""
    if settings.target in {n.attrs["name"] for n in graph.inputs}:
        return None, settings
    return settings.target, replace(settings, target=None)


def row_by_row(graph: Graph, batch: str) -> None:
    """Raise ShapeError where rows of a column meet those of a vector, each with each.

    (N, 1) and (N,) broadcast to (N, N): the loss would be met by the mean of all targets.
    """
    for node in graph.order():
        row = OPS.get(node.op)
        if row is None or not (row.shape == "elementwise" or row.reduction):
            continue
        for column, vector in permutations(node.args, 2):
            if column.shape == (batch, 1) and vector.shape == (batch,) and vector.dtype == "float":
                raise _crossed(graph, node, column, vector, batch)


def _crossed(graph: Graph, node: Node, column: Node, vector: Node, batch: str) -> ShapeError:
    names = [graph.name(n) or str(n.attrs.get("name", "")) for n in (column, vector)]
    first, second = (f"'{k}' {text(n.shape)}" if k else f"a value of shape {text(n.shape)}"
                     for k, n in zip(names, (column, vector), strict=True))  # fmt: skip
    hint = f"{names[0] or '(…)'}[:, 0] is a vector"
    for name, node_, shape in zip(names, (column, vector), ((batch,), (batch, 1)), strict=True):
        if node_.op == "input" and node_.attrs["kind"] != "param":
            hint += f"; or declare  {name}: {node_.attrs['kind']}[{', '.join(map(str, shape))}]"
    error = ShapeError(
        f"{first} meets {second}: they broadcast to ({batch}, {batch}), each row of one with each "
        "of the other",
        hint=hint,
    )
    return error.at(graph.spans.get(node), graph.source)

"""What a prediction is compared with, and whether the loss compares it row by row."""

from dataclasses import replace
from itertools import permutations

from symgrad.errors import ShapeError, UsageError
from symgrad.graph import Graph, Node, topological
from symgrad.ops import OPS
from symgrad.shapes import text
from symgrad.train.roles import Roles
from symgrad.train.settings import Settings
from symgrad.train.targets import comparisons, fits


def aim(graph: Graph, found: Roles) -> str | None:
    """Name what predictions are compared with: the target, or the feature that is given back.

    >>> from symgrad.parse import parse
    >>> from symgrad.train.roles import roles
    >>> g = parse("X: data[N, D]; W: param[D, H]; mse(tanh(X @ W) @ W.T, X)")
    >>> aim(g, roles(g))
    'X'
    """
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    if found.targets:
        first = found.targets[0]
        answers = fits(graph.dims, found.encoding, found.prediction, inputs[first])
        return first if len(found.targets) == 1 and answers else None
    guess = found.prediction  # noise that is added to it is not given back
    near = [a for n in comparisons(graph) if guess in n.args for a in n.args]
    seen = dict.fromkeys([*topological([guess]), *near])
    same = [k for k in found.features if inputs[k].shape == guess.shape and inputs[k] in seen]
    return same[0] if same and found.scale == "value" else None


def known_in_use(graph: Graph, found: Roles) -> None:
    """Raise UsageError for a prediction that is made of the target: in use there is none."""
    below = {n.attrs["name"] for n in topological([found.prediction]) if n.op == "input"}
    made = [k for k in found.targets if k in below]
    if made:
        name = graph.name(found.prediction)
        raise UsageError(f"the prediction{f' {name!r}' if name else ''} depends on the target "
                         f"{made[0]!r}, which is not known when it is used",
                         hint="leave target= out: the model may have none")  # fmt: skip


def unanswered(graph: Graph, found: Roles) -> list[str]:
    """Note that there are no metrics, where what is predicted is no answer to the target."""
    if len(found.targets) != 1 or aim(graph, found) is not None:
        return []
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    name, node = graph.name(found.prediction), found.prediction
    return [f"the prediction{f' {name!r}' if name else ''} is {text(node.shape)}, the target "
            f"'{found.targets[0]}' {text(inputs[found.targets[0]].shape)}: they are not compared, "
            "of metrics there is the loss"]  # fmt: skip


def column(graph: Graph, settings: Settings) -> tuple[str | None, Settings]:
    """Tell whether the target that is named is a column of a table or an input of the model."""
    if settings.target in {n.attrs["name"] for n in graph.inputs}:
        return None, settings
    return settings.target, replace(settings, target=None)


def row_by_row(graph: Graph, batch: str) -> None:
    """Raise ShapeError where rows of a column meet those of a vector, each with each.

    (N, 1) and (N,) broadcast to (N, N): the loss would be met by the mean of all targets. An axis
    that was inserted, as s[i] - s[j] and s[:, None] do, says that pairs are meant.
    """
    inserted: dict[Node, None] = {}
    for node in graph.order():
        row = OPS.get(node.op)
        each = row is not None and row.shape == "elementwise"
        columns = [n for n in node.args if n.shape == (batch, 1)]
        if node.op == "expand" or (each and columns and all(n in inserted for n in columns)):
            inserted[node] = None
        if row is None or not (each or row.reduction):
            continue
        for column, vector in permutations(node.args, 2):
            crossed = column.shape == (batch, 1) and vector.shape == (batch,)
            meant = each and column in inserted
            if crossed and not meant and vector.dtype == "float":
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

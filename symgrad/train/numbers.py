"""The numbers that data do not give: sizes of hidden dimensions, and settings such as lam.

One rule for every way to train: a hidden dimension is 64 unless it is given, the weight of a
penalty is 0, and every other setting has to be given.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from symgrad.dims import names_in
from symgrad.errors import UsageError, near
from symgrad.graph import Graph, Node, depends, dimensions, topological
from symgrad.train.roles import Roles

HIDDEN = 64


def numbers(
    graph: Graph, roles: Roles, given: Mapping[str, Any], sizes: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, float], list[str]]:
    """Give the sizes of dimensions, the values of settings, and notes on what was chosen.

    `given` holds the user's numbers of dimensions and settings, `sizes` what the data say; the
    dimensions of the data that neither has stay open. Raises `UsageError` for a setting without a
    number and for a name or number that cannot be.

    >>> from symgrad.parse import parse
    >>> from symgrad.train.roles import roles
    >>> g = parse("X: data[N, D]; y: data[N]; W: param[D, H]; v: param[H];"
    ...           "mse(tanh(X @ W) @ v, y) + lam*sum(W**2)")
    >>> for part in numbers(g, roles(g), {}, {"N": 5, "D": 3}):
    ...     print(part)
    {'N': 5, 'D': 3, 'H': 64}
    {'lam': 0.0}
    ['H is not given: 64', 'lam is not given: 0, which is no penalty']
    """
    of_data, hidden = _dimensions(graph, roles)
    _known(given, [*of_data, *hidden], roles)
    found: dict[str, int] = {**sizes}
    notes = []
    for name in (*of_data, *hidden):
        if name in given and name not in roles.settings:
            number = _whole(name, given[name])
            if found.setdefault(name, number) != number:
                raise UsageError(f"{name}={number} is given; the data say {name}={found[name]}")
        elif name in hidden and name not in found:
            known = graph.dims.get(name)
            found[name] = HIDDEN if known is None else known
            if known is None:
                notes.append(f"{name} is not given: {HIDDEN}")
    values = {}
    for name in roles.settings:
        if name in given:
            values[name] = _number(name, given[name])
        elif _penalty(graph, roles, name):
            values[name] = 0.0
            notes.append(f"{name} is not given: 0, which is no penalty")
        else:
            raise UsageError(f"the setting '{name}' has no number",
                             hint=f"give it one:  values={{{name!r}: 1}}")  # fmt: skip
    return found, values, notes


def of_dims(graph: Graph, values: Mapping[str, Any]) -> dict[str, int]:
    """Pick the sizes of dimensions among the numbers that were given.

    >>> from symgrad.parse import parse
    >>> of_dims(parse("X: data[N, D]; lam*sum(X)"), {"D": 3, "lam": 0.1})
    {'D': 3}
    """
    dims = dimensions(graph.inputs)
    return {k: v for k, v in values.items() if k in dims}


def _dimensions(graph: Graph, roles: Roles) -> tuple[list[str], list[str]]:
    """List the dimensions that data have, and those that only parameters have."""
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    data = (*roles.features, *roles.targets, *roles.constants)
    of_data = dimensions(inputs[name] for name in data)
    every = dict.fromkeys(name for n in inputs.values() for d in n.shape for name in names_in(d))
    return list(of_data), [d for d in every if d not in of_data]


def _known(given: Mapping[str, Any], dims: list[str], roles: Roles) -> None:
    names = [*dims, *roles.settings]
    for name in given:
        if name not in names:
            there = f"there are {', '.join(names)}" if names else "it has none"
            raise UsageError(f"'{name}' is no dimension and no setting of the model",
                             hint=near(name, names) + there)  # fmt: skip


def _whole(name: str, value: Any) -> int:
    number = _number(name, value)
    if number != int(number) or number < 1:
        raise UsageError(f"{name}={value}: the size of a dimension is a whole number from 1")
    return int(number)


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not isfinite(number):
        raise UsageError(f"{name}={str(value)[:80]}: a finite number is expected")
    return number


def _penalty(graph: Graph, roles: Roles, name: str) -> bool:
    """Say whether a setting only weighs terms of parameters alone, so that 0 leaves them out."""
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    rest = [n for k, n in inputs.items() if k not in roles.params and k not in roles.settings]
    order = graph.order()
    with_data, with_it = depends(order, rest), depends(order, [inputs[name]])
    todo = [graph.output]
    while todo:
        term = todo.pop()
        if term not in with_it:
            continue
        if term.op in ("add", "sub"):
            todo += term.args
        elif term in with_data or not _vanishes(term, inputs[name]):
            return False
    return True


def _vanishes(term: Node, setting: Node) -> bool:
    """Say whether a term is 0 where the setting is: the setting is a factor of it."""
    zero: dict[Node, bool] = {}
    for node in topological([term]):
        parts = [zero[a] for a in node.args]
        zero[node] = node is setting or (
            (node.op in ("add", "sub") and all(parts))
            or (node.op == "mul" and any(parts))
            or (node.op in ("neg", "sum", "mean", "div") and parts[0])
        )
    return zero[term]

"""Models with parameters along the rows' axis, which are trained and used on all rows at once.

What is learned of a row, as by a factorisation R ≈ P Qᵀ with P: param[N, K], is known of that row
alone: no batch has it, and none can be held out.
"""

from collections.abc import Mapping

from symgrad.dims import names_in
from symgrad.errors import DataError, UsageError
from symgrad.graph import Graph
from symgrad.train.roles import Roles
from symgrad.train.settings import Settings


def of_rows(graph: Graph, roles: Roles) -> tuple[str, ...]:
    """List the parameters that have the axis of the rows.

    >>> from symgrad.parse import parse
    >>> from symgrad.train.roles import roles
    >>> g = parse("R: data[N, M]; P: param[N, K]; Q: param[M, K]; H = P @ Q.T; mse(H, R)")
    >>> of_rows(g, roles(g, predict="H"))
    ('P',)
    """
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    return tuple(k for k in roles.params
                 if any(roles.batch in names_in(d) for d in inputs[k].shape))  # fmt: skip


def undivided(whole: tuple[str, ...], settings: Settings, rows: int) -> list[str]:
    """Raise UsageError where rows are to be held out; note that batches are not made."""
    if not whole:
        return []
    if settings.validation or settings.test:
        raise UsageError(
            f"the parameter '{whole[0]}' has a row for each example, so none can be held out: of "
            "those nothing would be learned",
            hint="train on all:  validation=0, test=0;  to hold entries out, weigh them by 0 in "
            "the loss:  M: data[N, D], sum(M*(H - R)**2)/sum(M)",
        )
    if settings.batch is not None and settings.batch < rows:
        return [f"'{whole[0]}' has a row for each example: each step takes all {rows} rows"]
    return []


def same_rows(whole: tuple[str, ...], roles: Roles, sizes: Mapping[str, int], rows: int) -> None:
    """Raise DataError where other rows are given than were trained on."""
    if whole and rows != sizes[roles.batch]:
        raise DataError(f"the parameter '{whole[0]}' has a row for each of the "
                        f"{sizes[roles.batch]} examples of the training; given are {rows} rows",
                        hint="give the same rows again")  # fmt: skip

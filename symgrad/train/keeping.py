"""What a checkpoint holds of a run, and how a run is taken up again from it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.errors import SymgradError, UsageError
from symgrad.graph import Graph, to_json
from symgrad.ops import OPS, activation, lookup
from symgrad.parse import parse
from symgrad.parse.defining import new_name, tried
from symgrad.train import checkpoint
from symgrad.train.functions import Array
from symgrad.train.loop import State

if TYPE_CHECKING:
    from symgrad.train.run import Run

# settings that may change when a run is taken up again: what heals one that has diverged
LATER = ("epochs", "rate", "clip", "schedule", "patience")
POSITION = ("epoch", "step", "position", "loss_sum", "row_sum", "gradient", "rate", "first")


def packed(run: "Run", state: State, used: State) -> tuple[dict[str, Array], dict[str, Any]]:
    """Collect the arrays and the JSON of a checkpoint.

    `param/…` and `average/…` are what is used, `vector`, `moving/…` and `optimizer/…` that from
    which the run goes on; the two differ where an earlier state was better.
    """
    arrays = {f"param/{k}": v for k, v in run.layout.views(used.vector).items()}
    arrays |= {f"average/{k}": v for k, v in used.statistics.items()}
    arrays |= {"vector": state.vector}
    arrays |= {f"moving/{k}": v for k, v in state.statistics.items()}
    single = {k: v for k, v in state.optimizer.items() if not isinstance(v, np.ndarray)}
    arrays |= {f"optimizer/{k}": v for k, v in state.optimizer.items() if k not in single}
    if run.best is not None:
        arrays["best"] = run.best[2]
        arrays |= {f"best_moving/{k}": v for k, v in run.best[3].items()}
    kept = {
        "identity": identity(run),
        "definitions": definitions(run.graph),
        "state": {k: getattr(state, k) for k in POSITION},
        "optimizer": single,
        "history": run.history,
        "best": None if run.best is None else list(run.best[:2]),
        "schedule": state.schedule,
        "watch": run.watching.plain(),
        "sizes": run.sizes,
        "fixed": {k: _listed(v) for k, v in run.fixed.items()},
        "transform": run.data.transform.to_json(),
    }
    return arrays, kept


def resumed(run: "Run") -> State | None:
    """Read the state of a run that was stopped; None where there is none."""
    path = None if run.out is None else checkpoint.latest(run.out)
    if path is None:
        return None
    arrays, kept = checkpoint.load(path)
    _same(identity(run), kept["identity"], path)
    run.history = kept["history"]
    if kept["best"] is not None:
        value, epoch = kept["best"]
        run.best = (value, epoch, arrays["best"], part(arrays, "best_moving/"))
    begun = {**kept["optimizer"], **part(arrays, "optimizer/")}
    run.watching.resume(kept["watch"])
    return State(arrays["vector"], begun, kept["schedule"], part(arrays, "moving/"),
                 **kept["state"])  # fmt: skip


def _same(mine: Mapping[str, Any], theirs: Mapping[str, Any], path: Path) -> None:
    """Refuse to go on with another model, other data or other settings."""
    for what in ("model", "data"):
        if theirs[what] != mine[what]:
            raise UsageError(
                f"{path} belongs to another {what}",
                hint="choose another folder, or begin anew without resume=True",
            )
    before, now = theirs["settings"], mine["settings"]
    for name in now:
        if before.get(name) != now[name] and name not in LATER:
            raise UsageError(
                f"{path} was written with {name}={_short(before.get(name))}, not "
                f"{_short(now[name])}",
                hint=f"a run goes on as it began; only {', '.join(LATER)} may change",
            )


def identity(run: "Run") -> dict[str, Any]:
    """Say what a run is a run of."""
    plain = json.loads(json.dumps(run.settings.plain(), default=_listed))
    return {"model": to_json(run.graph), "data": run.fingerprint, "settings": plain}


USER = "the user"


def definitions(graph: Graph) -> dict[str, str]:
    """List the functions of a graph that a user has defined, with their formulas."""
    rows = {n.op: OPS[n.op] for n in graph.order() if n.op in OPS}
    return {op: row.formula for op, row in rows.items() if row.source == USER}


def define(found: Mapping[str, str]) -> None:
    """Define the functions of a checkpoint that are not known here, as they were defined there."""
    for name, formula in found.items():
        if lookup(name) is None:
            new_name(name)
            tried(formula, 1)
            activation(name, formula, doc=f"{name}, defined by a user.", source=USER)


def part(arrays: Mapping[str, Array], prefix: str) -> dict[str, Array]:
    """Pick the arrays of a checkpoint whose names begin alike.

    >>> part({"param/w": 1, "vector": 2}, "param/")
    {'w': 1}
    """
    return {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}


def _listed(value: Any) -> Any:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value if isinstance(value, float) else str(value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:79] + "…"


def text_of(graph: Graph) -> str | Graph:
    """Give the text of a model if it says all; what a function is bound to it does not."""
    try:
        read = parse(graph.source)
    except SymgradError:
        return graph
    same = read.output is graph.output and (read.dims, read.dtype) == (graph.dims, graph.dtype)
    return graph.source if same else graph

"""The report of a training run: everything that was seen, on one page."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from symgrad import api
from symgrad.arguments import checked
from symgrad.errors import SymgradError, UsageError
from symgrad.files import replace

if TYPE_CHECKING:
    from symgrad.train.diagnostics import Finding, Summary
    from symgrad.train.estimator import Estimator
    from symgrad.train.run import Run

ROWS = 64  # of the batch at which the diagram is drawn


def report(m: "Estimator", path: str | PathLike[str], title: str = "") -> Path:
    """Write the report of a trained model as a page: findings, curves, layers, diagram, formulas.

    Gradients and layers over time are there if the run was watched: `sg.train(…, watch=True)`.
    Plots need matplotlib (extra `plots`). Raises `UsageError` for a model that was read from a
    file, whose run is not known.

    >>> import symgrad as sg, tempfile
    >>> m = sg.train("x: data[N]; t: data[N]; w: param; mse(w*x, t)",
    ...              {"x": [1, 2], "t": [3, 6]}, watch=True, epochs=3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sg.report(m, folder + "/report.html").stat().st_size > 1000
    True
    """
    checked(report, locals())
    from symgrad.plots.report import report as page

    return replace(path, page(summary(m, title)))


def findings(m: "Estimator") -> "list[Finding]":
    """List what is wrong with a training, worst first; nothing if it is sound."""
    from symgrad.train.diagnostics import findings as found

    return found(_ran(m).watching.timeline, m.history_)


def summary(m: "Estimator", title: str = "") -> "Summary":
    """Collect what a report shows."""
    from symgrad.train.diagnostics import Summary, equations

    run = _ran(m)
    given = {k: v for k, v in m.get_params().items() if k != "model" and v not in (None, {})}
    try:
        formulas = equations(api.gradient(run.graph).values())
    except SymgradError:  # a gradient without a closed form that can be printed
        formulas = []
    return Summary(
        title=title or (f"Training: {run.out.name}" if run.out else "Training"),
        source=run.graph.source,
        settings={**given, "rate": run.loop.rate},
        notes=m.notes_,
        metrics=m.metrics_,
        classes=[str(c) for c in getattr(m, "classes_", ())],
        history=m.history_,
        timeline=run.watching.timeline,
        findings=findings(m),
        pictures=_pictures(m),
        formulas=formulas,
    )


def _pictures(m: "Estimator") -> dict[str, str]:
    """Draw the layers at the parameters that were learned, for some rows."""
    run = _ran(m)
    batch = run.watching.batch(ROWS)
    at = {**batch, **m.params_}
    try:
        drawn = api.diagram(
            run.watching.graph, at=at, wrt=list(run.network.roles.params), view="layers"
        )
        return {f"Layers, with values and gradients of {ROWS} rows": drawn.to_svg()}
    except SymgradError:
        return {}


def _ran(m: "Estimator") -> "Run":
    run: Run | None = getattr(m, "run_", None)
    if run is None:
        raise UsageError("this model was not trained here, so its run is not known",
                         hint="write the report after sg.train, or resume the run")  # fmt: skip
    return run

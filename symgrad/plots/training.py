"""Plots of a training run: losses, gradients by layer, activations, percentiles.

>>> from symgrad.plots.training import curves
>>> curves([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0}])
<Picture: Loss by epoch>
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.errors import UsageError
from symgrad.plots.panel import AXIS, MUTED, SLOPE, VALUE
from symgrad.plots.picture import Picture
from symgrad.plots.series import boxes, cleaned, dress, key, lines, widely
from symgrad.plots.typeset import heading, short
from symgrad.train.diagnostics import LayerFacts, Timeline
from symgrad.train.diagnostics.finding import named
from symgrad.train.diagnostics.thresholds import UPDATE_USUAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 9.0  # inches, as all plots
LEFT, RIGHT, TOP, BOTTOM = 0.72, 0.26, 0.82, 0.78
FIRST = "#C4CAD1"  # the first of two histograms
SCORES = ("accuracy", "r2")
PANELS = 4  # small panels in a row
MOST = 12  # layers with a panel of their own; of more the first and the last


def curves(history: Sequence[Mapping[str, Any]]) -> Picture:
    """Plot the losses over the epochs; beside them a score, if there is one, and the rate."""
    if not history:
        raise UsageError("there are no epochs to plot")
    x = [float(h.get("epoch", k + 1)) for k, h in enumerate(history)]
    panels = [("Loss", {"training": "loss", "validation": "validation_loss"})]
    panels += [
        (score.capitalize() if score != "r2" else "R²",
         {"training": f"train_{score}", "validation": f"validation_{score}"})
        for score in SCORES
        if any(f"{part}_{score}" in h for h in history for part in ("train", "validation"))
    ]  # fmt: skip
    if any("rate" in h for h in history):
        panels.append(("Learning rate", {"rate": "rate"}))

    def draw(figure: "Figure") -> None:
        heading(figure, "Loss by epoch", LEFT, WIDE - LEFT - RIGHT)
        room = (LEFT, BOTTOM, RIGHT, TOP)
        for axes, (title, keys) in zip(
            boxes(figure, len(panels), 1, room, (0.95, 0.0)), panels, strict=True
        ):
            series = {n: [h.get(k) for h in history] for n, k in keys.items()}
            series = {n: v for n, v in series.items() if any(w is not None for w in v)}
            flat = title == "Learning rate" and len({h.get("rate") for h in history}) == 1
            lines(axes, x, series, False if flat else None)
            if flat:
                axes.set_ylim(0, 1.25 * float(history[0]["rate"]) or 1.0)
            _whole(axes)
            dress(axes, title, "epoch")
            if title == "Loss":
                key(figure, axes, LEFT, len(series))
                _lowest(axes, x, series.get("validation"))

    return Picture(draw, (WIDE, 3.3), "Loss by epoch")


def _whole(axes: "Axes") -> None:
    """Let the ticks of epochs be whole numbers."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))


def _lowest(axes: "Axes", x: Sequence[float], values: Sequence[float | None] | None) -> None:
    """Mark the lowest validation loss."""
    found = cleaned(values or [])
    if np.isfinite(found).any():
        k = int(np.nanargmin(found))
        axes.plot([x[k]], [found[k]], marker="o", markersize=6, markerfacecolor="white",
                  markeredgecolor=SLOPE, markeredgewidth=1.6, linestyle="none", zorder=5,
                  clip_on=False)  # fmt: skip


def gradients(timeline: Timeline) -> Picture:
    """Plot by layer the norm of the gradient and the update-to-weight ratio, on log scales."""
    panels = [("Gradient norm", "gradient"), ("Update-to-weight ratio", "update")]
    return _by_layer(timeline, "Gradients and steps by layer", panels, logarithmic=True)


def idle(timeline: Timeline) -> Picture:
    """Plot by layer the shares of dead units and of saturated values."""
    panels = [("Dead units", "dead"), ("Saturated values", "saturated")]
    shown = [p for p in panels if _any(timeline, p[1])]
    return _by_layer(timeline, "Units that do not learn", shown or panels[:1], logarithmic=False)


def _any(timeline: Timeline, quantity: str) -> bool:
    return any(v is not None for own in timeline.series.values() for v in own[quantity])


def _by_layer(
    timeline: Timeline, title: str, panels: Sequence[tuple[str, str]], logarithmic: bool
) -> Picture:
    _needed(timeline)
    x, across = _time(timeline)

    def draw(figure: "Figure") -> None:
        heading(figure, title, LEFT, WIDE - LEFT - RIGHT)
        room = (LEFT, BOTTOM, RIGHT, TOP)
        grid = boxes(figure, len(panels), 1, room, (0.95, 0.0))
        for k, (axes, (name, quantity)) in enumerate(zip(grid, panels, strict=True)):
            series = {layer: own[quantity] for layer, own in timeline.series.items()}
            lines(axes, x, series, logarithmic)
            dress(axes, name, across)
            if logarithmic:
                _vanished(axes, series)
            if quantity == "update":
                axes.axhline(UPDATE_USUAL, color=AXIS, linewidth=1.2, linestyle=(0, (4, 3)))
                axes.annotate("usual", (1, UPDATE_USUAL), xycoords=("axes fraction", "data"),
                              xytext=(-2, 3), textcoords="offset points", ha="right",
                              color=MUTED, fontsize=8.5, annotation_clip=True)  # fmt: skip
            if not logarithmic:
                from matplotlib.ticker import PercentFormatter

                axes.set_ylim(-0.03, 1.03)
                axes.yaxis.set_major_formatter(PercentFormatter(1.0, 0))
            if k == 0:
                key(figure, axes, LEFT, len(series))

    return Picture(draw, (WIDE, 3.5), title)


def _vanished(axes: "Axes", series: Mapping[str, Sequence[float | None]]) -> None:
    """Say of which layers the last value is 0, which a logarithmic scale cannot show."""
    gone = [name for name, values in series.items() if values[-1] == 0]
    if gone:
        text = axes.text(0.98, 0.04, short(f"0 at the end: {named(gone)}"), color=SLOPE,
                         transform=axes.transAxes, ha="right", fontsize=9)  # fmt: skip
        text.set_parse_math(False)


def _needed(timeline: Timeline) -> None:
    if not len(timeline) or not timeline.last:
        raise UsageError("there are no records of layers to plot",
                         hint="a Watch makes them: record() while training")  # fmt: skip


def _time(timeline: Timeline) -> tuple[list[float], str]:
    """Choose what x shows: epochs where all records have one."""
    epochs = [e for e in timeline.epochs if e is not None]
    if len(epochs) == len(timeline):
        return epochs, "epoch"
    return [float(s) for s in timeline.steps], "step"


def _chosen(layers: Sequence[LayerFacts]) -> list[LayerFacts]:
    """Choose the layers that get a panel: all, or the first and the last of many."""
    if len(layers) <= MOST:
        return list(layers)
    return [*layers[: MOST // 2], *layers[-(MOST // 2) :]]


def _small(count: int) -> tuple[int, int, tuple[float, float]]:
    """Lay out small panels: columns, rows, and the size of the picture."""
    columns = min(PANELS, max(count, 2))
    rows = -(-count // columns)
    return columns, rows, (WIDE, TOP + BOTTOM + 1.5 * rows + 0.62 * (rows - 1))


def histograms(timeline: Timeline) -> Picture:
    """Plot how what the layers give is spread, in the first and in the last record."""
    _needed(timeline)
    last = _chosen(timeline.last)
    first = {f.name: f for f in timeline.first}
    columns, rows, size = _small(len(last))
    title = "Activations by layer, in the first and in the last record"

    def draw(figure: "Figure") -> None:
        from matplotlib.patches import Patch

        heading(figure, title, LEFT, WIDE - LEFT - RIGHT)
        room = (LEFT, BOTTOM - 0.12, RIGHT, TOP)
        grid = boxes(figure, columns, rows, room, (0.3, 0.62))
        for axes, layer in zip(grid, last, strict=False):
            _bars(axes, first.get(layer.name), layer)
            dress(axes, f"{layer.name}: {layer.activation}")
        for axes in grid[len(last) :]:
            axes.remove()
        handles = [Patch(facecolor=c, alpha=a, label=n) for c, a, n in
                   ((FIRST, 1.0, "first"), (VALUE, 0.55, "last"))]  # fmt: skip
        figure.legend(handles=handles, loc="lower left", frameon=False, ncols=2, fontsize=9,
                      bbox_to_anchor=(LEFT / WIDE, 0.005), borderaxespad=0)  # fmt: skip

    return Picture(draw, size, title)


def _bars(axes: "Axes", first: LayerFacts | None, last: LayerFacts) -> None:
    """Draw two histograms as shares of all values; the tallest bar may leave the panel."""
    from matplotlib.ticker import MaxNLocator

    tallest = []
    for facts, colour, alpha in ((first, FIRST, 1.0), (last, VALUE, 0.4)):
        if facts is None or not facts.after.counts:
            continue
        spread = facts.after
        edges = np.linspace(spread.low, spread.high, len(spread.counts) + 1)
        share = np.array(spread.counts) / max(1, sum(spread.counts))
        tallest.append(np.sort(share)[-2:])
        axes.stairs(share, edges, fill=True, facecolor=colour, alpha=alpha)
        if alpha < 1:
            axes.stairs(share, edges, edgecolor=colour, linewidth=1.0)
    axes.set_yticks([])
    if not tallest or not last.after.counts:
        axes.text(0.5, 0.5, "not finite", transform=axes.transAxes, ha="center", color=SLOPE)
    if tallest:
        # The zeros of a rectifier would press everything else to the ground.
        high, second = (max(float(t[k]) for t in tallest) for k in (-1, 0))
        axes.set_ylim(0, min(1.08 * high, max(3.0 * second, 0.02)))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(labelsize=8)
    axes.axhline(0, color=AXIS, linewidth=0.9)


def percentiles(timeline: Timeline) -> Picture:
    """Plot by layer the percentiles 15, 50 and 85 of what enters the activation, over time."""
    _needed(timeline)
    shown = _chosen(timeline.last)
    x, across = _time(timeline)
    columns, rows, size = _small(len(shown))
    title = "Percentiles 15, 50 and 85 of what enters the activations"

    def draw(figure: "Figure") -> None:
        from matplotlib.ticker import MaxNLocator

        heading(figure, title, LEFT, WIDE - LEFT - RIGHT)
        grid = boxes(figure, columns, rows, (LEFT - 0.1, BOTTOM - 0.2, RIGHT, TOP), (0.5, 0.62))
        for k, (axes, layer) in enumerate(zip(grid, shown, strict=False)):
            own = timeline.series[layer.name]
            low, median, high = (cleaned(own[q]) for q in ("low", "median", "high"))
            axes.fill_between(x, low, high, color=VALUE, alpha=0.16, linewidth=0)
            for y, width in ((low, 1.2), (median, 2.0), (high, 1.2)):
                axes.plot(x, y, color=VALUE, linewidth=width, marker="o" if len(x) < 2 else None)
            axes.axhline(0, color=AXIS, linewidth=0.9, zorder=0.9)
            axes.xaxis.set_major_locator(MaxNLocator(4))
            axes.yaxis.set_major_locator(MaxNLocator(4))
            widely(axes, (low, median, high))
            axes.tick_params(labelsize=8)
            kind = " after BN" if layer.normed else ""
            dress(axes, f"{layer.name}: {layer.activation}{kind}",
                  across if k == len(shown) - 1 else "")  # fmt: skip
        for axes in grid[len(shown) :]:
            axes.remove()

    return Picture(draw, size, title)

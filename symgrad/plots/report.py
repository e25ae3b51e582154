"""The report of a training: one page with plots, findings and formulas, without a network.

Pictures are embedded as images, so nothing that they contain can act on the page; there is no
script, and the policy of the page allows none.

>>> from symgrad.train.diagnostics import Summary
>>> page = report(Summary("Digits", settings={"rate": 0.1}))
>>> "<h1>Digits</h1>" in page and "<script" not in page
True
"""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from symgrad.diagram.export.svg import escape
from symgrad.diagram.page.document import head
from symgrad.errors import UsageError
from symgrad.formula.html import mathml
from symgrad.plots.picture import Picture, matplotlib
from symgrad.plots.tables import confusion, key_numbers, metrics, pair, per_class, settings, table
from symgrad.plots.training import curves, gradients, histograms, idle, percentiles
from symgrad.train.diagnostics import Finding, Summary, drift
from symgrad.train.diagnostics.text import COLUMNS, LEGEND

WIDE = 960  # pixels up to which a diagram is shown as large as it is
SMALLEST = 0.55  # and how far a wider one is reduced
SEEN = 0.01  # a smaller share of dead units or saturated values is not worth a plot
SIZE = re.compile(r'<svg\b[^>]*?\bwidth="([\d.]+)')


def report(summary: Summary) -> str:
    """Write the page; without matplotlib it has no plots and says what brings them."""
    sections = [(title, body) for title, body in _sections(summary) if body]
    style = _style()
    links = "".join(f'<a href="#{_anchor(t)}">{escape(t)}</a>' for t, _ in sections)
    body = "\n".join(
        f'<section id="{_anchor(title)}">\n<h2>{escape(title)}</h2>\n{text}\n</section>'
        for title, text in sections
    )
    title = escape(summary.title)
    return "\n".join(
        [
            *head(summary.title, style),
            "<body>",
            f"<h1>{title}</h1>",
            f"<nav>{links}</nav>",
            key_numbers(summary.metrics),
            body,
            "</body>",
            "</html>",
            "",
        ]
    )


@lru_cache(maxsize=1)
def _style() -> str:
    return (files("symgrad.plots") / "report.css").read_text(encoding="utf-8")


def _anchor(title: str) -> str:
    """Make an anchor of a title.

    >>> _anchor("Gradients and steps")
    'gradients-and-steps'
    """
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _sections(summary: Summary) -> list[tuple[str, str]]:
    """Write all sections, in their order; empty ones are dropped later."""
    watched = bool(len(summary.timeline) and summary.timeline.last)
    missing = _missing()
    plots = _plots(summary) if not missing else {}
    note = f'<p class="soft">Plots are left out: {escape(missing)}</p>' if missing else ""
    return [
        ("Findings", _findings(summary) if watched or summary.findings else ""),
        ("Learning curves", plots.get("curves", "") or (note if summary.history else "")),
        ("Gradients and steps", plots.get("gradients", "") or (note if watched else "")),
        ("Layers", _layers(summary) + plots.get("layers", "") if watched else ""),
        ("Diagram", "\n".join(_drawn(t, svg) for t, svg in summary.pictures.items())),
        ("Results", metrics(summary.metrics)
         + pair(confusion(summary.metrics, summary.classes),
                per_class(summary.metrics, summary.classes))),
        ("Formulas", _formulas(summary)),
        ("Settings", settings(summary.settings)),
        ("Data", _list(summary.notes)),
        ("Model", f"<pre>{escape(summary.source.strip())}</pre>" if summary.source.strip() else ""),
    ]  # fmt: skip


def _missing() -> str:
    """Say what brings matplotlib, "" where it is installed."""
    try:
        matplotlib()
    except UsageError as error:
        return str(error)
    return ""


def _plots(summary: Summary) -> dict[str, str]:
    """Draw the plots."""
    timeline = summary.timeline
    found = {"curves": _plot(curves(summary.history))} if summary.history else {}
    if not len(timeline) or not timeline.last:
        return found
    found["gradients"] = _plot(gradients(timeline)) + (
        '<p class="soft">The norm of the gradient of each layer\'s weights, and the norm of a step '
        "over that of the weights.</p>"
    )
    found["layers"] = _idle(summary) + _plot(histograms(timeline))
    found["layers"] += _plot(percentiles(timeline)) + _moved(summary)
    return found


def _idle(summary: Summary) -> str:
    """Plot dead units and saturated values, unless there are next to none."""
    series = summary.timeline.series.values()
    shares = [v or 0.0 for own in series for key in ("dead", "saturated") for v in own[key]]
    if max(shares, default=0.0) < SEEN:
        return '<p class="soft">At no time were 1% of units dead or of values saturated.</p>'
    return _plot(idle(summary.timeline))


def _plot(picture: Picture) -> str:
    return f'<div class="plot scroll">{_image(picture.to_svg(), picture.title)}</div>\n'


def _image(svg: str, title: str, width: float | None = None) -> str:
    data = base64.b64encode(svg.encode()).decode()
    wide = f' width="{width:.0f}"' if width else ""
    return f'<img alt="{escape(title)}"{wide} src="data:image/svg+xml;base64,{data}">'


def _drawn(title: str, svg: str) -> str:
    """Show a diagram: as large as it is, a wide one smaller, in a box that scrolls."""
    size = SIZE.search(svg)
    own = float(size[1]) if size else float(WIDE)
    wide = own if own <= WIDE else max(WIDE, SMALLEST * own)
    shown = f"<h3>{escape(title)}</h3>\n" if title else ""
    return f'{shown}<div class="drawn scroll">{_image(svg, title or "diagram", wide)}</div>'


def _findings(summary: Summary) -> str:
    if not summary.findings:
        return (
            '<p class="fine">No fault was found in the layers, in the steps or in the losses.</p>'
        )
    return "\n".join(map(_finding, summary.findings))


def _finding(finding: Finding) -> str:
    place = f" in {escape(finding.where)}" if finding.where else ""
    line = f", line {finding.line}" if finding.line else ""
    rows = [("Why", finding.why), ("Hint", finding.hint)]
    terms = "".join(f"<dt>{t}</dt><dd>{escape(text)}</dd>" for t, text in rows if text)
    return (
        f'<div class="finding {escape(finding.severity)}">'
        f'<h3><span class="mark">{escape(finding.severity)}</span>'
        f"{escape(finding.what)}{place}{line}</h3>"
        f"<p>{escape(_sentence(finding.said))}</p><dl>{terms}</dl></div>"
    )


def _sentence(text: str) -> str:
    """Begin with a capital, unless the text begins with a name, and end with a full stop.

    >>> _sentence("off on all samples")
    'Off on all samples.'
    """
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _layers(summary: Summary) -> str:
    """Write the table of the last record."""
    facts = summary.timeline.last
    columns: Mapping[str, Callable[[Any], str]] = COLUMNS
    rows = [[say(f) for say in columns.values()] for f in facts]
    return table(list(columns), rows, left=(0, 1, 3)) + (
        f'<p class="soft">At the last record. {escape(_sentence(LEGEND))}</p>'
    )


def _moved(summary: Summary) -> str:
    """Say how far the percentiles have moved, with batch normalisation and without."""
    moved = drift(summary.timeline)
    hidden = [f for f in summary.timeline.last if not f.output and f.name in moved]
    said = []
    for normed, words in ((True, "with batch normalisation"), (False, "without normalisation")):
        sizes = [moved[f.name] for f in hidden if f.normed is normed]
        if sizes:
            said.append(f"{words} by up to {max(sizes):.2g}")
    if not said:
        return ""
    text = "The percentiles of hidden layers have moved " + ", ".join(said)
    return f'<p class="soft">{text} times the distance of the outer two.</p>'


def _formulas(summary: Summary) -> str:
    lines = [f"<p>{mathml(latex, plain, True)}</p>" for latex, plain in summary.formulas]
    return f'<div class="formulas scroll">{"".join(lines)}</div>' if lines else ""


def _list(notes: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(n)}</li>" for n in notes)
    return f'<ul class="notes">{items}</ul>' if items else ""

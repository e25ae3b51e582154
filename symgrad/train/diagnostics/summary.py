"""What a report of a training tells: everything that a page needs, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symgrad.train.diagnostics.finding import Finding
from symgrad.train.diagnostics.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Summary:
    """Hold a training as a report shows it; what is empty is left out.

    - `title`; `source` is the text of the model; `settings` and `notes` (on the data) are shown as
      they are; `metrics` has numbers by name, and under `confusion` a square table of counts (rows
      are true), or one in each of test_confusion, validation_confusion, train_confusion; `classes`
      names its rows.
    - `history` has a record for each epoch: epoch, loss, validation_loss, rate, gradient, metrics.
    - `timeline` is that of a watch, `findings` what follows from it.
    - `pictures` maps titles to SVG that this package has drawn: the diagram; `formulas` maps names
      to the LaTeX of their gradient.
    """

    title: str
    source: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()
    metrics: Mapping[str, Any] = field(default_factory=dict)
    classes: Sequence[str] = ()
    history: Sequence[Mapping[str, Any]] = ()
    timeline: Timeline = field(default_factory=Timeline)
    findings: Sequence[Finding] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)
    formulas: Mapping[str, str] = field(default_factory=dict)

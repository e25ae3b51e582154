"""What a report of a training tells: everything that a page needs, as plain data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symgrad.formula import Formula
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
    - `pictures` maps titles to the text of an SVG: the diagram; `formulas` are equations as LaTeX
      and in Unicode, as `equations` gives them.
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
    formulas: Sequence[tuple[str, str]] = ()


def equations(formulas: Iterable[Formula]) -> list[tuple[str, str]]:
    """Write gradients with the names that they use, each once: as LaTeX and in Unicode.

    >>> import symgrad as sg
    >>> [plain for _, plain in equations(sg.gradient("y = tanh(w*x)", ["w"]).values())]
    ['∂y/∂w = (1 − y²) x', 'y = tanh(w x)']
    """
    listed = list(formulas)
    names = [name for formula in listed for name in formula.where.values()]
    lines = [
        (f"{f.latex_head} = {f.latex()}", f"{f.head} = {f.unicode()}") for f in [*listed, *names]
    ]
    return list(dict.fromkeys(lines))

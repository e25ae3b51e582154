"""Diagnostics of a training: facts of layers, their history, and the lessons that follow."""

from symgrad.train.diagnostics.facts import LayerFacts, Spread
from symgrad.train.diagnostics.finding import Finding
from symgrad.train.diagnostics.judge import findings
from symgrad.train.diagnostics.probe import probe
from symgrad.train.diagnostics.summary import Summary, equations
from symgrad.train.diagnostics.text import markdown, printed
from symgrad.train.diagnostics.timeline import Timeline
from symgrad.train.diagnostics.trends import drift
from symgrad.train.diagnostics.watch import Watch

__all__ = [
    "Finding",
    "LayerFacts",
    "Spread",
    "Summary",
    "Timeline",
    "Watch",
    "drift",
    "equations",
    "findings",
    "markdown",
    "printed",
    "probe",
]

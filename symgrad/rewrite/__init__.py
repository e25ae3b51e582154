"""Rewriting: recognition before differentiating, textbook size afterwards."""

from symgrad.rewrite.cost import operations, tree_size
from symgrad.rewrite.lower import lower
from symgrad.rewrite.match import Rewrite, Rule, Trace
from symgrad.rewrite.recognise import recognise, recognised, summary
from symgrad.rewrite.rules import rule
from symgrad.rewrite.simplify import simplify

__all__ = [
    "Rewrite",
    "Rule",
    "Trace",
    "lower",
    "operations",
    "recognise",
    "recognised",
    "rule",
    "simplify",
    "summary",
    "tree_size",
]

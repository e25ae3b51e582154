"""Formulas: closed forms with names, in LaTeX, Unicode and NumPy text, with their steps."""

from symgrad.formula.derivation import Derivation, cut, derive, gradients, output_name
from symgrad.formula.formula import Formula
from symgrad.formula.jacobians import hessians, hvps, jacobians, jvps
from symgrad.formula.names import latex_name, plain_name
from symgrad.formula.notation import Notation
from symgrad.formula.steps import Step

__all__ = [
    "Derivation",
    "Formula",
    "Notation",
    "Step",
    "cut",
    "derive",
    "gradients",
    "hessians",
    "hvps",
    "jacobians",
    "jvps",
    "latex_name",
    "output_name",
    "plain_name",
]

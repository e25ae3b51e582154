"""Reverse mode: adjoint nodes, numeric backpropagation, numeric checks."""

from symgrad.autodiff.backprop import Backprop, backprop
from symgrad.autodiff.binding import bound
from symgrad.autodiff.check import Certificate, Check, certify
from symgrad.autodiff.sample import point
from symgrad.autodiff.sweep import Adjoints, substitute, sweep, unbroadcast, zeros
from symgrad.autodiff.wanted import scalar_output, wanted

__all__ = [
    "Adjoints",
    "Backprop",
    "Certificate",
    "Check",
    "backprop",
    "bound",
    "certify",
    "point",
    "scalar_output",
    "substitute",
    "sweep",
    "unbroadcast",
    "wanted",
    "zeros",
]

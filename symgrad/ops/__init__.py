"""The operators, one row each.

>>> OPS["tanh"].vjp
('g*(1 - y**2)',)
"""

from symgrad.ops import activations, linalg, losses, primitives, reductions
from symgrad.ops.activations import activation
from symgrad.ops.losses import loss
from symgrad.ops.spec import (
    ALIASES,
    OPS,
    Op,
    const,
    count,
    dim,
    leaf,
    letters,
    lookup,
    make,
    register,
    remake,
    value_of,
    verify,
)

__all__ = [
    "ALIASES",
    "OPS",
    "Op",
    "activation",
    "activations",
    "const",
    "count",
    "dim",
    "leaf",
    "letters",
    "linalg",
    "lookup",
    "loss",
    "losses",
    "make",
    "primitives",
    "reductions",
    "register",
    "remake",
    "value_of",
    "verify",
]

"""The operators, one row each.

>>> OPS["tanh"].vjp
('g*(1 - y**2)',)
"""

from symgrad.ops import (
    activations,
    arrays,
    expansions,
    faults,
    filters,
    functions,
    linalg,
    losses,
    matrices,
    normalization,
    points,
    pooling,
    primitives,
    reductions,
    remainders,
    skews,
    slices,
    squares,
    windows,
)
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
)
from symgrad.ops.verified import verify

__all__ = [
    "ALIASES",
    "OPS",
    "Op",
    "activation",
    "activations",
    "arrays",
    "const",
    "count",
    "dim",
    "expansions",
    "faults",
    "filters",
    "functions",
    "leaf",
    "letters",
    "linalg",
    "lookup",
    "loss",
    "losses",
    "make",
    "matrices",
    "normalization",
    "points",
    "pooling",
    "primitives",
    "reductions",
    "register",
    "remainders",
    "remake",
    "skews",
    "slices",
    "squares",
    "value_of",
    "verify",
    "windows",
]

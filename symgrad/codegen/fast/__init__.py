"""The fast style: NumPy with a workspace, results in place, and chains tiled by rows."""

from symgrad.codegen.fast.explain import explain
from symgrad.codegen.fast.module import write

__all__ = ["explain", "write"]

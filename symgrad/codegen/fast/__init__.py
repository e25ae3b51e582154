"""The fast style: NumPy with a workspace, results in place, and chains tiled by rows."""

from symgrad.codegen.fast.written import write

__all__ = ["write"]

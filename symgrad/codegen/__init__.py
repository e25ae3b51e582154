"""Code generation: standalone NumPy modules, and functions compiled from them."""

from symgrad.codegen.compile import Compiled, build
from symgrad.codegen.plan import Plan, plan

__all__ = ["Compiled", "Plan", "build", "plan"]

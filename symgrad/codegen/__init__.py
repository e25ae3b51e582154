"""Code generation: standalone NumPy modules, and functions compiled from them."""

from symgrad.codegen.build import build
from symgrad.codegen.compile import Compiled
from symgrad.codegen.plan import Plan, plan

__all__ = ["Compiled", "Plan", "build", "plan"]

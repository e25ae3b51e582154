"""Choose the writer of a plan's fast module: of numbers, of arrays, of arrays shared by threads."""

from symgrad.codegen.fast.costs import DEFAULTS, Costs
from symgrad.codegen.fast.lanes import SharedModule
from symgrad.codegen.fast.module import FastModule
from symgrad.codegen.numpy import Module
from symgrad.codegen.numpy import write as readable
from symgrad.codegen.plan import Plan


def write(
    plan: Plan,
    dtype: str = "float64",
    accurate: bool = False,
    costs: Costs = DEFAULTS,
    reuse: bool = False,
    threads: int = 1,
    blas: str = "numpy",
) -> tuple[str, Module]:
    """Write a plan as module text of style fast; with `reuse` results are the workspace's."""
    arrays = any(n.shape for n in (*plan.graph.order(), *plan.graph.inputs))
    if not arrays:
        return readable(plan, dtype, accurate)
    module = made(plan, dtype, accurate, costs, reuse, threads, blas)
    source = module.source()
    del module.statements  # they take names from the module: a cycle would keep all its nodes
    return source, module


def made(
    plan: Plan,
    dtype: str = "float64",
    accurate: bool = False,
    costs: Costs = DEFAULTS,
    reuse: bool = False,
    threads: int = 1,
    blas: str = "numpy",
) -> FastModule:
    """Make the object that writes a plan with arrays."""
    given = (plan, dtype, accurate, costs, reuse, blas == "mkl")
    return SharedModule(threads, *given) if threads > 1 else FastModule(*given)

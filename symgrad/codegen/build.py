"""Build a compiled function: plan, write, check, execute."""

from collections.abc import Iterable
from typing import Any

from symgrad.codegen import fast
from symgrad.codegen.compile import Compiled
from symgrad.codegen.fast.costs import Costs, current
from symgrad.codegen.numpy import write
from symgrad.codegen.plan import plan
from symgrad.errors import UsageError
from symgrad.graph import Graph

DTYPES = ("float32", "float64")
STYLES = ("readable", "fast")


def float_type(dtype: Any, graph: Graph) -> str:
    """Name the float type: as asked for, else that of the data given, else float64."""
    chosen = dtype or graph.dtype or "float64"
    name = chosen if isinstance(chosen, str) else getattr(chosen, "name", None)
    name = name or getattr(chosen, "__name__", str(chosen))
    if name not in DTYPES:
        if dtype is None:
            return "float64"
        raise UsageError(f"dtype={name!r} is not known", hint="float32 or float64")
    return str(name)


def build(
    graph: Graph,
    wrt: str | Iterable[str] | None = None,
    dtype: Any = None,
    style: str = "fast",
    accurate: bool = False,
    reuse: bool = False,
    costs: Costs | None = None,
) -> Compiled:
    """Generate, check and execute the module of a graph; `costs` are this machine's by default."""
    if style not in STYLES:
        raise UsageError(f"style={style!r} is not known", hint=f"one of {', '.join(STYLES)}")
    chosen = float_type(dtype, graph)
    program = plan(graph, wrt, accurate, lazy=chosen == "float64")
    if style == "fast":
        source, module = fast.write(program, chosen, accurate, costs or current(), reuse)
    else:
        source, module = write(program, chosen, accurate)
    return Compiled(graph, source, module.name, module.parameters, tuple(program.grads), chosen,
                    program.trace, style, accurate)  # fmt: skip

"""Build a compiled function: plan, write, check, execute."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from symgrad.arguments import called
from symgrad.codegen import fast
from symgrad.codegen.compile import Compiled
from symgrad.codegen.entries import Entries, entries
from symgrad.codegen.fast import pool, scalar, scalar_short
from symgrad.codegen.fast.costs import Costs
from symgrad.codegen.fast.wide import here
from symgrad.codegen.numpy import write
from symgrad.codegen.plan import plan
from symgrad.codegen.unstacked import unstacked
from symgrad.errors import UsageError
from symgrad.formula.limits import check_length
from symgrad.graph import Graph, remembered, uncollected
from symgrad.rewrite.repeated import alike

DTYPES = ("float32", "float64")
STYLES = ("readable", "fast")
BLAS = ("numpy", "mkl")
# values of a program; programs of numbers alone, in style fast, have no such limit
LONGEST = {
    "readable": (10_000, "a readable module", "style='fast' takes longer ones"),
    "fast": (30_000, "a program with arrays", "write what repeats with larger arrays: X @ W"),
}


def float_type(dtype: Any, graph: Graph) -> str:
    """Name the float type: as asked for, else that of the data given, else float64."""
    chosen = (graph.dtype or "float64") if dtype is None else dtype
    name = chosen if isinstance(chosen, str) else getattr(chosen, "name", None)
    name = name or getattr(chosen, "__name__", called(chosen))
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
    threads: int = 1,
    blas: str = "numpy",
    also: tuple[str, ...] = (),
    normal: bool = True,
) -> Compiled:
    """Generate, check and execute the module of a graph; `costs` are this machine's by default.

    `also` names values of the graph that are returned beside the gradients, in the same mapping;
    `normal` is `plan`'s.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; w: param[D]; z = X @ w; m = mean(z); sum(z)")
    >>> build(g, also=("m",))(X=[[1, 2], [3, 4]], w=[1, 1])
    (np.float64(10.0), {'w': array([4., 6.]), 'm': np.float64(5.0)})
    """
    if style not in STYLES:
        raise UsageError(f"style={style!r} is not known", hint=f"one of {', '.join(STYLES)}")
    if threads != 1 and style != "fast":
        raise UsageError(f"threads={threads!r} is for style='fast'",
                         hint="take it, on a shell --style fast; readable has none")  # fmt: skip
    if reuse and style != "fast":
        raise UsageError("reuse=True is for style='fast'", hint="readable makes its results anew")
    if blas not in BLAS or (blas != "numpy" and style != "fast"):
        raise UsageError(f"blas={blas!r} is not for style={style!r}",
                         hint="numpy, or mkl with style='fast' (--style fast)")  # fmt: skip
    wrt = tuple(wrt) if isinstance(wrt, Iterator) else wrt  # it is read more than once
    pool.checked(threads)
    chosen = float_type(dtype, graph)
    # a program's many small objects would set off collections of all others
    with uncollected(), remembered(), alike():
        return _built(graph, wrt, chosen, style, accurate, reuse, costs or here(), threads,
                      blas, also, normal)  # fmt: skip


def _built(
    graph: Graph,
    wrt: str | Iterable[str] | None,
    chosen: str,
    style: str,
    accurate: bool,
    reuse: bool,
    costs: Costs,
    threads: int,
    blas: str,
    also: tuple[str, ...],
    normal: bool,
) -> Compiled:
    """Plan, write, check and execute."""
    numbers = style == "fast" and not also
    made = scalar.write(graph, wrt, accurate, chosen) if numbers else None  # long, of numbers
    if made is None:
        parts = None if also else entries(graph, wrt) or _from_stacks(graph, wrt)
        if parts is not None:
            return _by_entries(parts, chosen, style, accurate, normal)
        check_length(graph, *LONGEST[style])
        program = plan(graph, wrt, accurate, also=also, normal=normal, plain=style == "readable",
                       pairs=True)  # fmt: skip
        made = scalar_short.short(program, accurate, chosen) if numbers else None
    if made is not None:
        return Compiled(graph, made.source, made.name, made.parameters, made.grads, chosen,
                        made.trace, style, accurate)  # fmt: skip
    if style == "fast":
        source, module = fast.write(program, chosen, accurate, costs, reuse, threads, blas)
    else:
        source, module = write(program, chosen, accurate)
    asked = tuple(name for name in program.grads if name not in also)
    return Compiled(graph, source, module.name, module.parameters, asked, chosen,
                    program.trace, style, accurate, threads, module.made)  # fmt: skip


def _from_stacks(graph: Graph, wrt: str | Iterable[str] | None) -> Entries | None:
    """Find the entries that a program reads of which vectors of numbers are taken apart."""
    open_graph = unstacked(graph)
    parts = None if open_graph is None else entries(open_graph, wrt)
    return None if parts is None else replace(parts, given=graph)


def _by_entries(parts: Entries, chosen: str, style: str, accurate: bool, normal: bool) -> Compiled:
    """Compile a program of the entries of arrays, which are numbers."""
    graph, wrt, made = parts.graph, parts.wrt, None
    if style == "fast":
        made = scalar.write(graph, wrt, accurate, chosen, parts)
    if made is None:
        check_length(parts.given, *LONGEST[style])
        program = plan(graph, wrt, accurate, normal=normal, plain=style == "readable")
        if style == "fast":
            made = scalar_short.short(program, accurate, chosen, parts)
    if made is not None:
        source, name, parameters, trace = made.source, made.name, made.parameters, made.trace
    else:
        source, module = write(program, chosen, accurate, parts)
        name, parameters, trace = module.name, module.parameters, program.trace
    return Compiled(parts.given, source, name, parameters, parts.asked, chosen, trace, style,
                    accurate)  # fmt: skip

"""The command `symgrad tune`: measure what choices cost on this machine, and keep it."""

import argparse
import os
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from symgrad.errors import UsageError

if TYPE_CHECKING:
    from symgrad.codegen.fast.costs import Costs

WHAT = {
    "tile_bytes": "bytes of the arrays of a tile",
    "untiled_bytes": "bytes of arrays that are not tiled",
    "buffer_bytes": "bytes of a loop's own buffers, not tiled",
    "shortest_tile": "entries of a tile at least",
    "longest_tile": "entries of a tile at most",
    "piece": "entries that tiles are a multiple of",
    "small_product": "multiplications of a block of a product",
    "turned_result": "entries of a block's result, operand transposed",
    "cut_float64": "bytes of operands of wide products to cut, float64",
    "cut_float32": "bytes of operands of wide products to cut, float32",
    "skinny_float64": "columns up to which blocks pay, float64",
    "skinny_float32": "columns up to which blocks pay, float32",
    "near": "entries of a right operand up to which blocks pay",
    "short": "terms of a sum up to which blocks pay",
    "fewest_rows": "rows of a block at least",
    "fewest_terms": "rows of a block at least, to be added",
    "threaded": "entries from which threads share tiles",
    "blas_threads": "BLAS threads while products were measured",
}  # fmt: skip
UNITS = {"call": "ns a call", "wide": "GFLOP/s, one product", "skinny": "GFLOP/s, one product"}


def options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `tune`."""
    what = verb.add_mutually_exclusive_group()
    what.add_argument("--quick", action="store_true", help="take about half the time")
    what.add_argument("--show", action="store_true", help="print what is used, and from where")
    what.add_argument("--reset", action="store_true", help="go back to the defaults")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print the old and new costs, and save them; or show or remove what is saved."""
    if not arguments.show and not arguments.reset:
        one_blas_thread()
    from symgrad.codegen.fast import costs, wide

    path = costs.place()
    if arguments.show:
        old = wide.here()
        print(f"used: {_source(costs.current(), path)}\nBLAS: {wide.library()}\n")
        print(table(costs.DEFAULTS, old, ("default", "used")))
        return 0
    if path is None:
        raise UsageError(f"{costs.VARIABLE}=defaults: there is no file to write or remove",
                         hint=f"unset {costs.VARIABLE}, or let it name a file")  # fmt: skip
    if arguments.reset:
        print(f"removed {path}" if costs.reset(path) else f"there is no file {path}")
        return 0
    from symgrad.codegen.fast.measuring import measure

    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise UsageError(f"the folder {path.parent} cannot be written",
                         hint=f"{costs.VARIABLE} names another file")  # fmt: skip
    old = costs.current() if path.exists() else costs.DEFAULTS
    new = measure(arguments.quick, _step)
    _step("")
    print(table(old, new, ("old", "new")))
    print(f"\nsaved in {costs.save(new, path)}")
    return 0


def one_blas_thread() -> None:
    """Ask BLAS for one thread, unless the user has asked for a number: before NumPy is imported."""
    variables = [f"{v}_NUM_THREADS" for v in ("OPENBLAS", "MKL", "OMP")]
    if not any(os.environ.get(v) for v in variables):
        os.environ.update(dict.fromkeys(variables, "1"))


def _step(name: str) -> None:
    """Show which step is measured, on a terminal only; an empty name clears the line."""
    if sys.stderr.isatty():
        print(
            f"\r\x1b[K{f'measuring {name} …' if name else ''}", end="", file=sys.stderr, flush=True
        )


def _source(used: "Costs", path: Any) -> str:
    from symgrad.codegen.fast.costs import DEFAULTS, VARIABLE

    if path is None:
        return f"the defaults ({VARIABLE}=defaults)" if VARIABLE in os.environ else "the defaults"
    return f"the defaults; {path} would be read" if used is DEFAULTS else f"{path}"


def table(old: "Costs", new: "Costs", heads: tuple[str, str]) -> str:
    """Write two sets of costs side by side, what differs with a mark.

    >>> from symgrad.codegen.fast.costs import Costs
    >>> print(table(Costs(), Costs(piece=64), ("old", "new")).splitlines()[6])
    entries that tiles are a multiple of                        4096               64  *
    """
    rows = [("", heads[0], heads[1], "")]
    for field in fields(old):
        before, after = getattr(old, field.name), getattr(new, field.name)
        rows.append(
            (_what(field.name), _said(before), _said(after), "" if before == after else "*")
        )
    return "\n".join(f"{a:<47}{b:>17}{c:>17}  {d}".rstrip() for a, b, c, d in rows)


def _what(name: str) -> str:
    if name in WHAT:
        return WHAT[name]
    first, _, rest = name.partition("_")
    return f"{rest or name}, {UNITS.get(first, 'ns an entry')}"


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return " / ".join(f"{v:g}" for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)

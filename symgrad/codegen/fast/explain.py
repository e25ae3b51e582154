"""Say which optimisations of the fast style fired, where, and what they gain."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from symgrad.codegen.fast.costs import DEFAULTS, Costs
from symgrad.codegen.fast.module import FastModule
from symgrad.codegen.plan import plan
from symgrad.graph import Graph, Node
from symgrad.shapes import text

if TYPE_CHECKING:
    from symgrad.codegen.fast.schedule import Unit


def explain(
    graph: Graph,
    wrt: str | Iterable[str] | None = None,
    dtype: str | None = None,
    accurate: bool = False,
    costs: Costs = DEFAULTS,
) -> str:
    """List what makes the fast module of a graph fast, with the gain that the costs promise.

    Times are nanoseconds per entry of an array in the cache, from `costs`.

    >>> from symgrad.parse import parse
    >>> print(explain(parse("x: real[N]; sum(x**3)")).splitlines()[0])
    fast: 3 array operations, 1 loop over tiles of rows
    """
    module = FastModule(plan(graph, wrt, accurate, lazy=False), dtype or "float64", accurate, costs)
    module.source()
    lines = [_title(module)]
    lines += _rules(module, costs)
    lines += _loops(module, costs)
    lines += _products(module, costs)
    lines += _memory(module)
    return "\n".join(lines) + "\n"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _title(module: FastModule) -> str:
    loops = sum(u.looped for u in module.schedule.units)
    return (
        f"fast: {_counted(module.statements.operations, 'array operation')},"
        f" {_counted(loops, 'loop')} over tiles of rows"
    )


def _rules(module: FastModule, costs: Costs) -> list[str]:
    """List the rules of arithmetic that made values cheaper."""
    found = [f"  {rule}: {_counted(n, 'time')}" for rule, n in module.low.fired.items()]
    k = 0 if module.dtype == "float64" else 1
    if any("power" in rule for rule in module.low.fired):
        product = costs.multiply[k]
        found.append(
            f"    a power costs {costs.power[k]:g} ns by np.power, {product:g} by a product"
        )
    return ["cheaper equal forms", *found] if found else []


def _name(module: FastModule, node: Node) -> str:
    return module.statements.called.get(node, f"{node.op} {text(node.shape)}")


def _loops(module: FastModule, costs: Costs) -> list[str]:
    """List the loops: what is computed in one pass over the rows."""
    found = []
    for unit in module.schedule.units:
        if unit.looped:
            found.append(_loop(module, unit, costs))
    return ["one pass over the rows, in tiles that stay in the cache", *found] if found else []


def _loop(module: FastModule, unit: "Unit", costs: Costs) -> str:
    named = [_name(module, n) for n in unit.nodes if n in module.statements.called]
    sums = [n for n in unit.nodes if n in module.schedule.grown and n not in module.schedule.placed]
    dots = [n for n in sums if n in module.schedule.dots]
    line = f"  over {unit.dim}: {_counted(len(unit.nodes), 'operation')}"
    line += f" ({', '.join(named)})" if named else ""
    if sums:
        line += f"; {_counted(len(sums), 'sum')} on the way"
    if dots:
        line += f", {len(dots)} as dot product{'s' * (len(dots) != 1)}"
    # a pass over memory costs twice what it does in the cache, and a new array its zeroing
    gain = costs.add[0 if module.dtype == "float64" else 1] * max(len(unit.nodes) - 1, 0)
    return f"{line}: saves about {gain:.1f} ns per entry of a large array"


def _products(module: FastModule, costs: Costs) -> list[str]:
    """List the products that are cut into blocks where they are narrow."""
    found = []
    for node in module.schedule.order:
        if module.schedule.kinds[node] != "matmul" or len(node.shape) != 2:
            continue
        if all(len(a.shape) == 2 for a in node.args):
            shapes = " by ".join(text(a.shape) for a in node.args)
            columns = ", its result stored by columns" * (node in module.storage.columns)
            found.append(f"  {_name(module, node)}: {shapes}{columns}")
    if not found:
        return []
    k = 0 if module.dtype == "float64" else 1
    wide, skinny = costs.wide[k], costs.skinny[k]
    rate = f"small kernels reach {wide:g} GFLOP/s where a narrow product has {skinny:g}"
    return [f"products, in blocks of rows where they are narrow ({rate})", *found]


def _memory(module: FastModule) -> list[str]:
    """Say how many arrays share how many buffers."""
    storage = module.storage
    whole, tiles = len(storage.whole), len(storage.tile) + len(storage.within)
    buffers = len(storage.wholes)
    kinds = sum(len(loop.slots) for loop in storage.loops)
    lines = []
    if whole:
        lines.append(f"  {_counted(whole, 'whole array')} in {_counted(buffers, 'buffer')}")
    if tiles:
        lines.append(f"  {_counted(tiles, 'tile')} in {_counted(kinds, 'buffer')} of the cache,"
                     " or in the rows of an operand")  # fmt: skip
    return ["memory, made once for given sizes", *lines] if lines else []

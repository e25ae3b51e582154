"""Say which arrays are stored by columns: reductions along short rows are many times faster so.

Stored so, a reduction adds or compares whole columns; row by row, NumPy would start a short loop
for each row. Whether rows are short is known when sizes are: `NARROW` of the generated module.
"""

from collections.abc import Mapping

from symgrad.codegen.fast.buffers import along_rows
from symgrad.codegen.fast.schedule import Schedule, turned
from symgrad.codegen.fast.units import Unit
from symgrad.graph import Node
from symgrad.shapes import Dim, Shape, axes_of


def columns(schedule: Schedule) -> tuple[dict[Node, Dim], dict[int, Dim]]:
    """Give the nodes that are stored by columns where a dimension is small, and the deep loops.

    In a deep loop stacks of matrices live that are reduced: there all arrays are stored so.
    """
    found, deep = _columns(schedule, {})
    better = {k: None for k, unit in enumerate(schedule.units)
              if k not in deep and _better_by_rows(schedule, unit, found)}  # fmt: skip
    return _columns(schedule, better) if better else (found, deep)


def _columns(
    schedule: Schedule, by_rows: Mapping[int, None]
) -> tuple[dict[Node, Dim], dict[int, Dim]]:
    """Give them, with loops whose arrays are stored by rows."""
    s = schedule
    found: dict[Node, Dim] = {}
    deep: dict[int, Dim] = {}
    added = {n: None for k in by_rows for n in s.units[k].nodes}  # sums of rows, by products
    for k, unit in enumerate(s.units):
        tails: dict[Shape, None] = {}
        for n in unit.nodes if k not in by_rows else ():
            if s.kinds[n] == "reduce" and (n in s.local or len(n.args[0].shape) > 2):
                inner = n.args[0]
                if len(inner.shape) == 2 and axes_of(n.attrs["axis"], 2) == (1,):
                    tails[inner.shape[1:]] = None
                elif len(inner.shape) > 2 and _enclosed(s, unit, inner.shape[1:]):
                    deep[k] = inner.shape[-1]
        for n in unit.nodes:
            if n in s.local and len(n.shape) > 1 and n not in s.roots:
                if k in deep and n not in s.full:
                    found[n] = deep[k]
                elif n.shape[1:] in tails:
                    found[n] = n.shape[-1]
    for n in s.order:
        plain = s.kinds[n] == "matmul" and not turned(n.args[0])
        if plain and n not in s.local and len(n.shape) == 2 and n not in s.roots:
            whole = [u for u, _ in s.users[n]]
            if whole and all(u not in added and _follows(s, u, n, found) for u in whole):
                found[n] = n.shape[-1]
    return found, deep


def _better_by_rows(schedule: Schedule, unit: Unit, found: Mapping[Node, Dim]) -> bool:
    """Say whether copies into columns take longer than what they are made for.

    Rows that are only added up are a product with ones, nearly as fast by rows. What is left are
    numbers beside rows, where NumPy starts a loop for each row: a copy takes as long as three.
    Rows of tables, and what another loop has stored by columns, are wanted by columns.
    """
    s, made = schedule, dict.fromkeys(unit.nodes)
    for n in made:
        compared = s.kinds[n] == "reduce" and n not in s.grown and not along_rows(n)
        if compared or s.kinds[n] in ("gathered", "rows"):
            return False
        if any(a in found and a not in made and a in s.local for a in s.operands(n)):
            return False
    copied = crossing(s, found, unit)
    beside = [n for n in made for a in s.operands(n) if n in found and a.shape[1:] == (1,)]
    return bool(copied) and len(beside) <= 3 * len(copied)


def _enclosed(schedule: Schedule, unit: Unit, tail: Shape) -> bool:
    """Say whether all stacks of matrices of a shape live in the tiles of one loop."""
    s = schedule
    made = dict.fromkeys(unit.nodes)
    for n in unit.nodes:
        if n.shape[1:] == tail and (n in s.full or n in s.roots):
            return False
        stretched = ("expand", "broadcast")
        outside = [a for a in s.operands(n) if a not in made and a.op not in stretched]
        if any(a.shape[1:] == tail for a in outside):
            return False
    return True


def _follows(schedule: Schedule, user: Node, node: Node, found: dict[Node, Dim]) -> bool:
    """Say whether a use of a product wants it by columns."""
    s = schedule
    by_row = s.kinds[user] in ("reduce", "rows") and (user in s.local or user in s.grown)
    return by_row or (user in found and user.shape == node.shape)


def crossing(schedule: Schedule, columns: Mapping[Node, Dim], unit: Unit) -> dict[Node, None]:
    """List what a loop reads by rows to make values that are stored by columns."""
    s = schedule
    made = [n for n in unit.nodes if n in columns and s.kinds[n] in ("ufunc", "elementwise")]
    return {
        a: None
        for n in made
        for a in s.operands(n)
        if a.shape == n.shape and 1 not in n.shape and a not in columns and a.dtype != "int"
    }

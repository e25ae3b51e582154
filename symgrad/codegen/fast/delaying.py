"""Sum rows later, in the loop that reads them again: then no loop has to store them whole."""

from typing import TYPE_CHECKING

from symgrad.codegen.fast.kinds import below_views
from symgrad.graph import Node
from symgrad.shapes import Dim

if TYPE_CHECKING:
    from symgrad.codegen.fast.schedule import Schedule

BEHIND = 12  # so many values are looked at behind a sum
MOST = 200_000  # times values are looked at, of sums with parts


def delayed(schedule: "Schedule") -> dict[Node, int]:
    """Find sums that had better wait, and until when.

    In z = (X - m)*s, X - m is needed for z when s is there, and for its own sum before. If that sum
    waits for z, one loop makes X - m, z, and the sums of both.
    """
    found: dict[Node, int] = {}
    for node in schedule.order:
        if node not in schedule.local or node in schedule.roots or not node.shape:
            continue
        if schedule.kinds[node] == "view" or node in schedule.absorbed:
            continue
        users = [u for u, _ in schedule.users[node]]
        now = schedule.time[node]
        sums = [u for u in users if u in schedule.grown and schedule.time[u] == now]
        later = [u for u in users if u not in sums]
        times = {schedule.time[u] for u in later if schedule.local.get(u) == schedule.local[node]}
        if not sums or len(times) != 1 or len(times) < len(set(map(schedule.time.get, later))):
            continue
        until = times.pop()
        if until > now and all(_waits(schedule, u, until) for u in sums):
            found |= dict.fromkeys(sums, until)
    return found


def _waits(schedule: "Schedule", node: Node, until: int) -> bool:
    """Say whether a sum can wait: no loop over the same rows uses it before, or then."""
    todo, seen = [node], 0
    while todo:
        value = todo.pop()
        seen += 1
        for user, _ in schedule.users[value]:
            same = schedule.grown[node] in (schedule.local.get(user), schedule.grown.get(user))
            if same or seen > BEHIND:
                return False
            if schedule.time[user] <= until:
                todo.append(user)
    return True


def beside_parts(schedule: "Schedule") -> dict[Node, int]:
    """Find what had better wait for the loop that adds parts to a whole array, and until when.

    Else the parts would be stored until the array is there. All moves that nothing needs before,
    with the sums of its rows.
    """
    found: dict[Node, int] = {}
    totals = [n for n in schedule.placed if n in schedule.grown and schedule.time[n]]
    if len(schedule.order) * len(totals) > MOST:
        return found
    for total in totals:
        cone = _cone(schedule, schedule.grown[total], schedule.time[total])
        if any(a in cone for a in schedule.operands(total)):
            found |= dict.fromkeys(cone, schedule.time[total])
    return found


def _cone(schedule: "Schedule", rows: Dim, until: int) -> dict[Node, None]:
    """Find the values of a loop over so many rows that only the loop at a time needs."""
    s = schedule
    found: dict[Node, None] = {}
    stuck: dict[Node, None] = {}
    while True:
        found = {}
        for node in reversed(s.order):
            dim = s.local.get(node) or s.grown.get(node)
            if dim != rows or s.time[node] >= until or s.kinds[node] in ("view", "placed"):
                continue
            if node in s.absorbed or node in s.roots or node in stuck:
                continue
            if node in s.grown:
                wanted = _waits(s, node, until)
            else:
                wanted = all(r in found or s.time[r] >= until for r in _readers(s, node))
            if wanted:
                found[node] = None
        more = [n for n in found if not all(_held(s, a, found, until) for a in s.operands(n))]
        if not more:
            break
        stuck |= dict.fromkeys(more)
    made = [n for n in found if n in s.local]
    return {n: None for n in found if n in s.local or any(a in made for a in s.operands(n))}


def _readers(schedule: "Schedule", node: Node) -> list[Node]:
    """List what reads a value, also through products that are not computed themselves."""
    return [v for u, _ in schedule.users[node] for v in schedule.beyond(u)]


def _held(schedule: "Schedule", node: Node, found: dict[Node, None], until: int) -> bool:
    """Say whether an operand is there later, too: it moves along, or is kept whole."""
    inner = below_views(node, schedule.kinds)
    if inner in found or not inner.shape or inner.op == "input":
        return True
    whole = inner not in schedule.local or schedule.needed_whole(inner)
    return whole and inner not in schedule.absorbed and schedule.done(inner) <= until

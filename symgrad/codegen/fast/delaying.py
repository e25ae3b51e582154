"""Sum rows later, in the loop that reads them again: then no loop has to store them whole."""

from typing import TYPE_CHECKING

from symgrad.graph import Node

if TYPE_CHECKING:
    from symgrad.codegen.fast.schedule import Schedule

BEHIND = 12  # so many values are looked at behind a sum


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

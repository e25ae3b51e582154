"""Find the lines of conditions that a module writes as the numbers 0 and 1."""

from symgrad.codegen.plan import Plan
from symgrad.graph import Node

COUNTING = ("add", "sub", "mul", "div", "neg", "sum", "mean", "matmul")


def counted(plan: Plan, order: tuple[Node, ...]) -> frozenset[Node]:
    """List the named conditions that others only calculate with, more than once.

    `order` are the nodes of the program. NumPy would have to be asked for numbers at each of them.
    """
    readers: dict[Node, list[Node]] = {n: [] for n in plan.lines if n.dtype == "bool" and n.shape}
    if not readers:
        return frozenset()
    for node in order:
        for arg in node.args:
            if arg in readers:
                readers[arg].append(node)
    results = (plan.value, *plan.grads.values())
    return frozenset(
        n for n, by in readers.items()
        if len(by) > 1 and n not in results
        and all(r.dtype == "float" and r.op in COUNTING for r in by)
    )  # fmt: skip

"""Order long products and sums: the numbers first, then what is small, then whole arrays."""

from collections.abc import Mapping

from symgrad.codegen.fast.algebra import NUMBERS, count
from symgrad.graph import Node, rebuild, topological
from symgrad.graph.walk import consumers
from symgrad.ops import make, remake, value_of

CHAINS = {"mul": "numbers of a product first", "add": "numbers of a sum first"}


def chained(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Multiply, or add, the numbers first, then what is small, then whole arrays."""
    order = topological(roots)
    users = consumers(order)
    tops = dict.fromkeys(roots)
    # a product that is only a factor of another product, a sum that is only a term of another
    inner = {
        n: None for n in order
        if n.op in CHAINS and n not in tops and len(users[n]) == 1 and users[n][0][0].op == n.op
    }  # fmt: skip

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op not in CHAINS or not node.shape or node in inner:
            return fresh
        return _regrouped(fresh, node, inner, fired)

    return rebuild(roots, change)


def _parts(fresh: Node, node: Node, inner: Mapping[Node, None]) -> list[Node]:
    """List the factors of a product in the order in which they are written."""
    found: list[Node] = []
    todo = [(fresh, node)]
    while todo:
        image, original = todo.pop()
        for k in (1, 0):
            part, before = image.args[k], original.args[k]
            if part.op == before.op == node.op and before in inner:
                todo.append((part, before))
            else:
                found.append(part)
    if len(found) == 2:
        return found[::-1]
    places = {n: k for k, n in enumerate(topological([fresh]))}
    return sorted(found, key=lambda f: places[f])


def _regrouped(fresh: Node, node: Node, inner: Mapping[Node, None], fired: dict[str, int]) -> Node:
    parts = _parts(fresh, node, inner)
    small = [f for f in parts if f.shape != node.shape]
    if len(small) < 2 or len(parts) < 3 or any(f.dtype == "bool" for f in small):
        return fresh
    numbers = [f for f in small if not f.shape]
    rest = sorted((f for f in small if f.shape), key=lambda f: len(f.shape))
    whole = [f for f in parts if f.shape == node.shape]
    if node.op == "add" and len(numbers) < 2:
        return fresh
    if any(map(_unsafe, numbers)):  # x/s*y could overflow where x*y/s does not
        return fresh
    result: Node | None = None
    for f in [*numbers, *rest, *whole]:
        result = f if result is None else make(node.op, result, f)
    assert result is not None
    if result.shape != node.shape:
        return fresh
    if result is not fresh:
        count(fired, CHAINS[node.op])
    return result


def _unsafe(node: Node) -> bool:
    """Say whether a number is the reciprocal of one that may be small or large."""
    return node.op == "div" and value_of(node.args[0]) == 1 and node.args[1].op not in NUMBERS

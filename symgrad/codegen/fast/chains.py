"""Order long products and sums: numbers first, whole arrays last; compute what is equal once."""

from collections.abc import Mapping

from symgrad.codegen.fast.algebra import NUMBERS, bounded
from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.sums import numbered
from symgrad.graph import Node, rebuild, topological
from symgrad.graph.walk import consumers
from symgrad.ops import make, remake, value_of
from symgrad.rewrite.opposites import mirrored

CHAINS = {"mul": "numbers of a product first", "add": "numbers of a sum first"}


def chained(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Multiply, or add, the numbers first, then what is small, then whole arrays."""
    order = topological(roots)
    if not any(n.op in CHAINS and any(a.op == n.op for a in n.args) for n in order):
        return {n: n for n in order}
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

    return rebuild(roots, change, only=CHAINS)


def summed(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Sum what is there: c*X instead of c times the sum of X, and products with it alike."""
    order = topological(roots)
    if not any(n.op == "mul" and any(a.op == "sum" for a in n.args) for n in order):
        return {n: n for n in order}
    there, users = dict.fromkeys(order), consumers(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "mul" and not (node.args[0].shape and node.args[1].shape):
            number, rest = node.args if not node.args[0].shape else node.args[::-1]
            inner = rest.args[0] if rest.op == "sum" else number
            both = ((number, inner), (inner, number)) if inner.shape else ()
            for product in (make("mul", *pair) for pair in both):
                if product in there and product.shape == inner.shape:
                    count(fired, "sums of what is there", node)
                    return make("sum", product, **rest.attrs)
        if node.op == "mul" and len(node.shape) == 1 and not accurate:
            for total, row in (node.args, node.args[::-1]):
                scale, total = numbered(total) if len(users[total]) == 1 else (None, total)
                alone = total.op == "sum" and len(users[total]) == 1
                if alone and (found := _rowwise(total, row, there)) is not None:
                    count(fired, "sums of what is there", node)
                    return found if scale is None else make("mul", scale, found)
        return remake(node, args)

    return rebuild(roots, change)


def _rowwise(total: Node, row: Node, there: Mapping[Node, None]) -> Node | None:
    """Write sum(g*d, 0)*s as sum(g*(d*s), 0) where d*s is there, or with the opposite of d."""
    inner = total.args[0]
    columns = inner.op == "mul" and len(inner.shape) == 2 and total.attrs["axis"] in (0, (0,))
    if not columns or row.shape != total.shape:
        return None
    for k in (0, 1):
        d, g = inner.args[k], inner.args[1 - k]
        opposite = make("sub", *reversed(d.args)) if d.op == "sub" else None
        for factor in (d, opposite):
            if factor is None or factor.shape != inner.shape or g.shape != inner.shape:
                continue
            for product in (make("mul", factor, row), make("mul", row, factor)):
                if product in there:
                    found = make("sum", make("mul", g, product), **total.attrs)
                    return found if factor is d else make("neg", found)
    return None


def twins(roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str) -> dict[Node, Node]:
    """Compute b*a where a*b is."""
    return mirrored(roots, seen=lambda node: count(fired, "one product for a*b and b*a", node))


def _parts(fresh: Node, node: Node, inner: Mapping[Node, None]) -> list[Node]:
    """List the factors of a product."""
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
    return found[::-1]


def _regrouped(fresh: Node, node: Node, inner: Mapping[Node, None], fired: dict[str, int]) -> Node:
    parts = _parts(fresh, node, inner)
    small = [f for f in parts if f.shape != node.shape]
    if len(small) < 2 or len(parts) < 3 or any(f.dtype == "bool" for f in small):
        return fresh
    ends = dict.fromkeys(parts)
    places = {n: k for k, n in enumerate(topological([fresh], ends.__contains__))}
    parts.sort(key=lambda f: places[f])
    small = [f for f in parts if f.shape != node.shape]
    numbers = [f for f in small if not f.shape]
    rest = sorted((f for f in small if f.shape and not _unsafe(f)), key=lambda f: len(f.shape))
    last = [f for f in small if f.shape and _unsafe(f)]  # x/r/s where 1/r/s could overflow
    whole = [f for f in parts if f.shape == node.shape]
    if node.op == "add" and len(numbers) < 2:
        return fresh
    if any(map(_unsafe, numbers)):  # x/s*y could overflow where x*y/s does not
        return fresh
    result: Node | None = None
    for f in [*numbers, *rest, *whole, *last]:
        result = f if result is None else make(node.op, result, f)
    assert result is not None
    if result.shape != node.shape:
        return fresh
    if result is not fresh:
        count(fired, CHAINS[node.op], node)
    return result


def _unsafe(node: Node) -> bool:
    """Say whether factors are reciprocals of what may be small or large."""
    if node.op == "expand":
        return _unsafe(node.args[0])
    plain = node.op == "div" and value_of(node.args[0]) in (1, -1)
    return plain and node.args[1].op not in NUMBERS and not bounded(node.args[1])

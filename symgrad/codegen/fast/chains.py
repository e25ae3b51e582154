"""Order long products and sums: numbers first, whole arrays last; compute what is equal once."""

from collections.abc import Mapping, Sequence

from symgrad.codegen.fast.algebra import NUMBERS, bounded
from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.sums import numbered
from symgrad.graph import SUMS, Node, having, rebuild, summands, topological, unchanged
from symgrad.graph.walk import consumers
from symgrad.ops import make, remake, value_of
from symgrad.rewrite.opposites import mirrored

LARGEST = 16  # a constant by which a factor is multiplied before the others
TWO = ("add", "sub")
MOST = 12  # terms of sums that are looked for in another order
CHAINS = {"mul": "numbers of a product first", "add": "numbers of a sum first"}


def chained(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Multiply, or add, the numbers first, then what is small, then whole arrays."""
    order = topological(roots)
    if not any(n.op in CHAINS and any(a.op == n.op for a in n.args) for n in order):
        return unchanged(order)
    users = consumers(order)
    tops = dict.fromkeys(roots)
    # a product that is only a factor of another product, a sum that is only a term of another
    inner = {
        n: None for n in order
        if n.op in CHAINS and n not in tops and len(users[n]) == 1 and users[n][0][0].op == n.op
    }  # fmt: skip

    pairs = _numbers_alike(order, inner)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op not in CHAINS or not node.shape or node in inner:
            return fresh
        if node in pairs:
            return _number_at(fresh, *pairs[node], fired)
        return _regrouped(fresh, node, inner, fired)

    return rebuild(roots, change, only=CHAINS)


def summed(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Sum what is there: c*X instead of c times the sum of X, and products with it alike."""
    order = topological(roots)
    if not any(any(a.op == "sum" for a in n.args) for n in having(order, "mul")):
        return unchanged(order)
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
    """Compute b*a where a*b is, and the square of a - b for that of b - a where a - b is there.

    >>> from symgrad.ops import const, leaf
    >>> q = leaf("q", ("N",)); rest, less = make("sub", const(1), q), make("sub", q, const(1))
    >>> square = make("mul", less, less)
    >>> twins([square, make("exp", rest)], {}, False, "")[square] is make("mul", rest, rest)
    True
    """
    image = _squares(roots, fired)
    found = mirrored(
        [image[r] for r in roots],
        seen=lambda node: count(fired, "one product for a*b and b*a", node),
    )
    return {n: found[m] for n, m in image.items() if m in found}


def _squares(roots: list[Node], fired: dict[str, int]) -> dict[Node, Node]:
    """Square the opposite of a difference that is there, where the difference is only squared."""
    order = topological(roots)
    squares = [n for n in having(order, "mul") if n.args[0] is n.args[1] and n.shape]
    squares = [n for n in squares if n.args[0].op == "sub"]
    there = dict.fromkeys(order) if squares else {}
    squares = [n for n in squares if make("sub", *reversed(n.args[0].args)) in there]
    users = consumers(order) if squares else {}
    turned = {
        n: None for n in squares
        if n.args[0] not in roots and all(u is n for u, _ in users[n.args[0]])
    }  # fmt: skip

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node not in turned:
            return remake(node, args)
        count(fired, "the square of b - a from a - b, which is there", node)
        opposite = make("sub", *reversed(args[0].args))
        return make("mul", opposite, opposite)

    return rebuild(roots, change) if turned else unchanged(order)


def alike(roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str) -> dict[Node, Node]:
    """Compute a sum once that stands twice with its terms in another order.

    Beside conditions sums stay: 0 in one order and not in the other, one may guard a quotient.

    >>> from symgrad.ops import leaf
    >>> a, b, c = (leaf(name, ("N",)) for name in "abc")
    >>> one = make("sub", make("add", a, b), c); other = make("add", make("sub", a, c), b)
    >>> alike([one, other], {}, False, "")[other] is one
    True
    """
    order = topological(roots)
    found: dict[frozenset[tuple[Node, bool]], Node] = {}
    same: dict[Node, Node] = {}
    exact = accurate or any([n.dtype == "bool" for n in order])
    for node in () if exact else order:
        if node.op not in TWO or not node.shape or node.dtype != "float":
            continue
        a, b = node.args
        if a.op not in SUMS and b.op not in SUMS:
            continue
        terms = summands(node, None, MOST)
        key = frozenset(terms)
        if 2 < len(key) == len(terms) < MOST:
            first = found.setdefault(key, node)
            if first is not node and first.shape == node.shape:
                same[node] = first
    if not same:
        return unchanged(order)
    images: dict[Node, Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in same:
            count(fired, "one sum for terms in two orders", node)
            return images[same[node]]
        return remake(node, args)

    return rebuild(roots, change, images)


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
    late: list[Node] = []  # a column beside a row: their product would be a whole array more
    column = any(f.op == "expand" for f in rest)
    for f in [*numbers, *rest]:
        found = f if result is None else make(node.op, result, f)
        if whole and column and node.op == "mul" and found.shape == node.shape:
            late.append(f)
        else:
            result = found
    for f in [*whole, *last, *late]:
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


def _numbers_alike(
    order: Sequence[Node], inner: Mapping[Node, None]
) -> dict[Node, tuple[int, int]]:
    """Find products c (a b) in which c a stands twice or more: where c and where a is.

    Then c a is computed once. It may overflow where a is near the largest number and b is small.
    """
    found: dict[tuple[Node, Node], dict[Node, tuple[int, int]]] = {}
    for node in order:
        if node.op != "mul" or not node.shape or node in inner:
            continue
        for k in (0, 1):
            number, rest = node.args[k], node.args[1 - k]
            small = abs(value_of(number) or 0) <= LARGEST and value_of(number) is not None
            if not small or rest not in inner or rest.op != "mul":
                continue
            for j, factor in enumerate(rest.args):
                if factor.shape == rest.args[1 - j].shape == node.shape:
                    found.setdefault((number, factor), {})[node] = (k, j)
    result: dict[Node, tuple[int, int]] = {}
    for places in found.values():
        if len(places) > 1 and not any(n in result for n in places):
            result |= places
    return result


def _number_at(fresh: Node, k: int, j: int, fired: dict[str, int]) -> Node:
    """Write c (a b) as (c a) b; a number over what a is divided by takes c at once."""
    number, rest = fresh.args[k], fresh.args[1 - k]
    if rest.op != "mul":
        return fresh
    count(fired, CHAINS["mul"], fresh)
    factor = rest.args[j]
    if factor.op == "div" and not factor.args[0].shape:
        scaled = make("div", make("mul", number, factor.args[0]), factor.args[1])
    else:
        scaled = make("mul", number, factor)
    return make("mul", scaled, rest.args[1 - j])

"""Put cases that have become products with a condition back, where what they leave out may fail.

where(c, -log(x), 0) has the slope -1[c]/x, which is 0/0 where c does not hold and x is 0.
"""

from collections.abc import Iterable, Iterator

from symgrad.errors import ShapeError
from symgrad.graph import Node, rebuild, topological
from symgrad.ops import OPS, const, make, remake, value_of
from symgrad.ops.spec import MIRRORED
from symgrad.rewrite.dangers import SECOND, Met, dangerous, endangers, in_vain
from symgrad.rewrite.forms import OPPOSITE
from symgrad.rewrite.scaling import of_sizes
from symgrad.shapes import axes_of

MOST = 200  # nodes of a product, or of a branch, that are looked through
NUMBERS = ("const", "dim", "arange", "eye")
OVERFLOWING = ("exp", "expm1", "sinh", "cosh")  # which modules do not warn of
INNER = 4  # cases inside one another that are shielded together; each doubles what is inside


def reopened(roots: Iterable[Node], cases: Iterable[Node]) -> dict[Node, Node]:
    """Map every node to itself, or to a case: of products with the condition of one of `cases`.

    Only where the product divides by, or takes a logarithm of, what a branch of the case does.

    >>> from symgrad.ops import leaf
    >>> x, c = leaf("x", ("N",)), make("gt", leaf("m", ("N",)), const(0))
    >>> slope = make("div", c, x)
    >>> reopened([slope], [make("where", c, make("log", x), const(0))])[slope].op
    'where'
    """
    roots = tuple(roots)
    order = topological(roots)
    failing = _failing(cases)
    if not failing:
        return {n: n for n in order}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        image = remake(node, args)
        if image.op == "matmul":
            return _contracted(image, failing)
        if image.op not in ("mul", "div"):
            return image
        inside, open_ = image, list[Node]()
        for c in dict.fromkeys(c for c in _conditions(image) if c in failing):
            if _fails(inside, failing[c]):  # where(c, where(d, -1/x, 0), 0) has both as factors
                inside = _without(inside, c) or inside
                open_.append(c)
        for total, c in _totals(image):
            if c in failing and _fails(inside, _compared(c, failing[c])):
                open_.append(make("ne", total, const(0)))
        for c in open_:
            inside = make("where", c, inside, const(0))
        return inside if inside.shape == image.shape else image

    return rebuild(roots, change)


def _failing(cases: Iterable[Node]) -> dict[Node, dict[Node, None]]:
    """List by condition what the branches of its cases must not meet outside: x of log(x)."""
    found: dict[Node, dict[Node, None]] = {}
    cases = tuple(cases)
    endangered = {case: _endangered(case.args[1:]) for case in cases}
    for case in cases:
        for c in _both_ways(case.args[0]):
            atoms = found.setdefault(c, {})
            atoms.update(endangered[case])
            if c.op in MIRRORED:  # x >= 0.2 may be what is left of that and of x > 0
                own = _compared(c, dict.fromkeys(a for e in endangered.values() for a in e))
                atoms.update(own)
    return {c: atoms for c, atoms in found.items() if atoms}


def _both_ways(c: Node) -> Iterator[Node]:
    """Give a condition, its parts, and the opposite one that the other branch may have."""
    todo = [c]
    while todo:
        c = todo.pop()
        yield c
        if c.op in ("both", "expand"):  # 1[0 < x < y] is a product of two in the normal form
            todo += c.args
        if c.op in MIRRORED:
            yield make(MIRRORED[c.op], *c.args[::-1])
        yield from _opposites(c)


def _opposites(c: Node) -> Iterator[Node]:
    """Give the opposite of a condition, both ways round; none where it has no operator."""
    ways = {c.op: c.args, MIRRORED.get(c.op, ""): c.args[::-1]}
    for op, args in ways.items():
        opposite = OPPOSITE.get(op) or next((a for a, b in OPPOSITE.items() if b == op), None)
        if opposite:
            yield make(opposite, *args)


def _compared(c: Node, atoms: dict[Node, None]) -> dict[Node, None]:
    """List those of the atoms that a condition itself compares."""
    own = topological([c], stop=lambda n: not elementwise(n) and n.dtype != "bool")
    return {n: None for n in own if n in atoms}


def _endangered(roots: Iterable[Node]) -> dict[Node, None]:
    """List the atoms of the operands for which an elementwise operator may fail."""
    found: dict[Node, None] = {}
    for node in topological(roots, stop=_opaque)[:MOST]:
        if elementwise(node) and dangerous(node):
            order = topological([endangers(node)], stop=_opaque)
            found.update((n, None) for n in order[:MOST]
                         if not elementwise(n) and n.op not in NUMBERS)  # fmt: skip
    return found


def _opaque(node: Node) -> bool:
    """Say whether entries are more than a function of entries; stretched ones are no more."""
    return not elementwise(node) and node.op not in ("expand", "broadcast")


def _fails(product: Node, atoms: dict[Node, None]) -> bool:
    return any(n in atoms for n in _endangered([product]))


def _conditions(product: Node, depth: int = INNER) -> list[Node]:
    """List the conditions that are factors, also of all terms of a sum that is one."""
    found: list[Node] = []
    todo = [product]
    while todo and len(found) < MOST:
        part = todo.pop()
        if part.dtype == "bool":
            found += _parts(part)
        elif part.op in ("mul", "neg", "div"):
            todo += part.args[: 2 if part.op == "mul" else 1]
        elif _one_sided(part):
            found += _parts(part.args[0])
            todo.append(part.args[1])
        elif part.op == "where" and value_of(part.args[1]) == 0:
            found += _opposites(part.args[0])
        elif part.op == "sum" and part.shape:
            found += _of_all(part)
        elif part.op in ("add", "sub") and depth:
            first, second = (_conditions(a, depth - 1) for a in part.args)
            found += [c for c in first if c in second]
    return found


def _parts(c: Node) -> list[Node]:
    return [c, *c.args] if c.op == "both" else [c]


def _of_all(total: Node) -> list[Node]:
    """List the conditions that all terms of a sum have as a factor, one for each entry of it."""
    (inside,) = total.args
    over = axes_of(total.attrs["axis"], len(inside.shape))
    return _of_entries(inside, over, total.attrs["keepdims"])


def _of_entries(inside: Node, over: tuple[int, ...], keepdims: bool = False) -> list[Node]:
    rank = len(inside.shape)
    found = [_of_entry(c, rank, over, keepdims) for c in _conditions(inside)]
    return [c for c in found if c is not None]


def _of_entry(c: Node, rank: int, over: tuple[int, ...], keepdims: bool) -> Node | None:
    """Give the condition of an entry of a sum; None where it changes along what is added up."""
    lead = rank - len(c.shape)
    own = [k - lead for k in over if k >= lead]
    stretched = c.attrs["axes"] if c.op == "expand" else ()
    if any(k not in stretched for k in own):
        return None
    if keepdims or not own:
        return c
    left = tuple(k - sum(o < k for o in own) for k in stretched if k not in own)
    return make("expand", *c.args, axes=left) if left else c.args[0]


def _totals(product: Node) -> Iterator[tuple[Node, Node]]:
    """Give the factors that are sums, each with a condition that chooses among its terms.

    Such a sum is 0 where no term is chosen, whatever it is multiplied by.
    """
    todo = [product]
    while todo:
        part = todo.pop()
        if part.op in ("mul", "neg", "div"):
            todo += part.args[: 2 if part.op == "mul" else 1]
        elif part.op == "sum":
            rank = len(part.args[0].shape)
            over = axes_of(part.attrs["axis"], rank)
            for c in dict.fromkeys(_conditions(part.args[0])):
                if _of_entry(c, rank, over, False) is None:
                    yield part, c


def _contracted(product: Node, failing: dict[Node, dict[Node, None]]) -> Node:
    """Leave out of one factor what the other is 0 for, the terms of A b where A has the case."""
    a, b = product.args
    if max(len(a.shape), len(b.shape)) > 2:
        return product
    for c in _along(a, len(a.shape) - 1):
        if c.shape == b.shape[:1] and c in failing and _fails(b, failing[c]):
            rows = make("expand", c, axes=(1,)) if len(b.shape) > 1 else c
            b = make("where", rows, b, const(0))
    for c in _along(b, 0):
        if c.shape == a.shape[-1:] and c in failing and _fails(a, failing[c]):
            a = make("where", c, a, const(0))
    return make("matmul", a, b)


def _along(node: Node, axis: int) -> list[Node]:
    """List the conditions that are factors of a matrix or vector along one axis."""
    rank = len(node.shape)
    if node.op == "transpose" and rank == 2 and node.attrs["axes"] in (None, (1, 0)):
        return _along(node.args[0], 1 - axis)
    return _of_entries(node, tuple(k for k in range(rank) if k != axis))


def _one_sided(node: Node) -> bool:
    """Say whether a node is a case that is 0 otherwise: a factor 1[c], without a normal form."""
    return node.op == "where" and value_of(node.args[2]) == 0


def _without(product: Node, c: Node) -> Node | None:
    """Leave a condition out of a product that it is a factor of; None where it gives the shape."""
    if product.op == "where":
        if product.args[0] is c:
            return product.args[1]
        branch = _without(product.args[1], c) if product.args[1].args else None
        return None if branch is None else make("where", product.args[0], branch, const(0))
    for k, part in enumerate(product.args[: 2 if product.op == "mul" else 1]):
        if part is c and product.op == "mul":
            other = product.args[1 - k]
            return other if other.shape == product.shape and other.dtype == "float" else None
        looked = part.op in ("mul", "neg", "div") or _one_sided(part)
        inner = _without(part, c) if looked else None
        if inner is not None:
            if value_of(inner) == 1 and product.op == "mul":
                return product.args[1 - k]
            args = [inner if j == k else a for j, a in enumerate(product.args)]
            return make(product.op, *args)
    return None


def elementwise(node: Node) -> bool:
    """Say whether an operator takes entry by entry."""
    row = OPS.get(node.op)
    return row is not None and row.shape == "elementwise"


def _decided(node: Node, args: tuple[Node, ...], c: Node, taken: bool) -> tuple[Node, ...]:
    """Take the branches of inner cases that the case around decides; what may be shared stays."""

    def known(a: Node) -> bool:
        return a.op == "where" and a.args[0] is c and value_of(a.args[1 + taken]) is not None

    if not any(map(known, args)):
        return args
    inner = tuple(a.args[2 - taken] if known(a) else a for a in args)
    return inner if remake(node, inner).shape == node.shape else args


def shielded(branch: Node, c: Node, taken: bool, depths: dict[Node, int], known: Met) -> Node:
    """Feed 1 to the operators of a branch that could fail where it is not taken.

    A number is not: it would become an array. If places decide, some entry takes the branch.
    What fails outside of the branch too, `known`, is left as it is and shared with that.
    """
    by_place = all(n.args or n.op in NUMBERS for n in topological([c]))

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        image = instead(node, args)
        depths.setdefault(image, depths[node])
        return image

    def instead(node: Node, args: tuple[Node, ...]) -> Node:
        args = _decided(node, args, c, taken)
        if not dangerous(node) or node.op in OVERFLOWING or in_vain(node, known):
            return remake(node, args)
        k = 1 if node.op in SECOND else 0
        operand = args[k]
        if of_sizes(operand) or (by_place and not operand.shape):
            return remake(node, args)
        pair = (operand, const(1)) if taken else (const(1), operand)
        safe = make("where", c, *pair)
        depths.setdefault(safe, depths[node])
        shielded = make(node.op, *(safe if j == k else a for j, a in enumerate(args)), **node.attrs)
        return shielded if shielded.shape == node.shape else remake(node, args)

    # Only down elementwise operators: an entry of a sum needs entries where c does not hold.
    # What is far inside other cases stays: it would be written anew for each of them.
    far = depths[branch] - INNER

    def stays(n: Node) -> bool:
        return not elementwise(n) or 0 < depths[n] <= far

    memo = {n: n for n in topological([branch], stop=stays) if stays(n)}
    try:
        return rebuild([branch], change, memo)[branch]
    except ShapeError:  # the condition has another shape than what is inside
        return branch

"""Put cases that have become products with a condition back, where what they leave out may fail.

where(c, -log(x), 0) has the slope -1[c]/x, which is 0/0 where c does not hold and x is 0; that of
where(x < 9, x**5, 0) is infinity times 0 where x is large.
"""

from collections.abc import Iterable, Iterator

from symgrad.graph import SUMS, Node, above_line, leaves, nearby, rebuild, topological, unchanged
from symgrad.ops import const, make, remake, value_of
from symgrad.ops.spec import MIRRORED
from symgrad.rewrite.dangers import (
    MOST,
    elementwise,
    endangered,
    opaque,
)
from symgrad.rewrite.forms import OPPOSITE
from symgrad.shapes import axes_of

INNER = 4  # sums inside one another whose terms are looked at


def reopened(
    roots: Iterable[Node], cases: Iterable[Node], limited: Iterable[Node] = ()
) -> dict[Node, Node]:
    """Map every node to itself, or to a case: of products with the condition of one of `cases`.

    Only where the product divides by, or takes a logarithm or a high power of, what a branch of the
    case does. So too with conditions on what is `limited`: max(log(x), -9) has the slope
    1[log(x) > -9]/x.

    >>> from symgrad.ops import leaf
    >>> x, c = leaf("x", ("N",)), make("gt", leaf("m", ("N",)), const(0))
    >>> slope = make("div", c, x)
    >>> reopened([slope], [make("where", c, make("log", x), const(0))])[slope].op
    'where'
    """
    roots = tuple(roots)
    order = topological(roots)
    failing = _Failing(cases, limited)
    if not failing:
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        image = remake(node, args)
        if image.op == "matmul":
            return _contracted(image, failing)
        if image.op not in ("mul", "div"):
            return image
        split = _by_branches(image, failing)
        return _opened(image, failing) if split is None else split

    return rebuild(roots, change)


def _opened(image: Node, failing: "_Failing") -> Node:
    """Write a product by cases of its conditions, where it may fail without them."""
    inside, open_ = image, list[Node]()
    for c in dict.fromkeys(_conditions(image)):
        if c in failing and _fails(inside, failing[c]):
            # where(c, where(d, -1/x, 0), 0) has both as factors
            inside = _without(inside, c) or inside
            last = open_[-1] if open_ else c
            if last is not c and failing.ends and last.shape == c.shape:
                if last.op != "both" or c not in last.args:
                    open_[-1] = make("both", last, c)
            else:
                open_.append(c)
    for total, c in _totals(image):
        if c in failing and _fails(inside, _compared(c, failing[c])):
            open_.append(make("ne", total, const(0)))
    for c in open_:
        inside = make("where", c, inside, const(0))
    return inside if inside.shape == image.shape else image


def _by_branches(image: Node, failing: "_Failing") -> Node | None:
    """Write {a 1[m] if c, else b} r, where r may be infinite, by cases as a whole; so too a sum."""
    for part in leaves(image, above_line, INNER):
        if part.op not in ("where", *SUMS) or part.shape != image.shape or _one_sided(part):
            continue
        below = part.args[-2:]
        found = [_conditions(branch) for branch in below]
        if part.op in SUMS and not all(found):
            continue
        if any(m in failing and _fails(image, failing[m]) for some in found for m in some):
            wholes = [rebuild([image], remake, {part: branch})[image] for branch in below]
            return _joined(make(part.op, *part.args[:-2], *(_opened(w, failing) for w in wholes)))
    return None


def _joined(case: Node) -> Node:
    """Write {{x if m, else 0} if c, else x} as {x if c <= m, else 0}: one pass for two."""
    c, *branches = case.args
    for inner, x in (branches, branches[::-1]) if case.op == "where" else ():
        way = c if inner is branches[0] else next(_opposites(c), None)
        if _one_sided(inner) and inner.args[1] is x and way is not None:
            return make("where", make("le", way, inner.args[0]), x, const(0))
    return case


LIMITS = ("maximum", "minimum", "fmax", "fmin", "clip", "relu", "relu6", "hardtanh", "hardsigmoid")


class _Failing:
    """Look up by condition what branches must not meet outside: x of log(x)."""

    def __init__(self, cases: Iterable[Node], limited: Iterable[Node]) -> None:
        self.known = _failing(cases)
        self.ends: dict[Node, dict[Node, None]] = {}  # by what may be infinite and is compared
        for node in limited:
            for inner in nearby(node.args, opaque, MOST):
                if atoms := endangered([inner], alone=True):
                    self.ends[inner] = atoms

    def __bool__(self) -> bool:
        return bool(self.known or self.ends)

    def __contains__(self, c: Node) -> bool:
        return bool(self[c])

    def __getitem__(self, c: Node) -> dict[Node, None]:
        if c not in self.known:
            own = nearby([c], opaque, MOST) if self.ends else ()
            self.known[c] = {a: None for n in own for a in self.ends.get(n, ())}
        return self.known[c]


def _failing(cases: Iterable[Node]) -> dict[Node, dict[Node, None]]:
    """List by condition what the branches of its cases must not meet outside: x of log(x)."""
    found: dict[Node, dict[Node, None]] = {}
    cases = tuple(cases)
    inside = {case: endangered(case.args[1:], powers=3) for case in cases}
    for case in cases:
        for c in _both_ways(case.args[0]):
            atoms = found.setdefault(c, {})
            atoms.update(inside[case])
            if c.op in MIRRORED:  # x >= 0.2 may be what is left of that and of x > 0
                own = _compared(c, dict.fromkeys(a for e in inside.values() for a in e))
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
    own = nearby([c], lambda n: not elementwise(n) and n.dtype != "bool", MOST)
    return {n: None for n in own if n in atoms}


def _fails(product: Node, atoms: dict[Node, None]) -> bool:
    return any(n in atoms for n in endangered([product], powers=2))


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


def _contracted(product: Node, failing: _Failing) -> Node:
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
    found = _less(product, c)
    same = found is not None and (found.shape, found.dtype) == (product.shape, product.dtype)
    return found if same else None


def _less(product: Node, c: Node) -> Node | None:
    """Write a product with 1 for a condition; None if it is no factor."""
    if product is c:
        return const(1)
    if product.op == "where" and product.args[0] is c:
        return product.args[1]
    places = {"mul": (0, 1), "div": (0,), "neg": (0,)}.get(product.op, ())
    for k in (1,) if _one_sided(product) else places:
        inner = _less(product.args[k], c)
        if inner is None:
            continue
        if value_of(inner) == 1 and product.op != "div":
            return product.args[1 - k] if product.op == "mul" else const(-1)
        args = [inner if j == k else a for j, a in enumerate(product.args)]
        return make(product.op, *args)
    return None

"""Case distinctions of index form: substitute j = y and j != y, and simplify each."""

from dataclasses import dataclass

from symgrad.graph import Node
from symgrad.indexed.symbols import (
    below,
    delta,
    entries_of,
    factors,
    free,
    is_delta,
    product,
    rebuilt,
    settle,
    substitute,
)
from symgrad.ops import const, make, value_of
from symgrad.rewrite.tidy import tidy

MOST = 4  # more branches are harder to read than the deltas
LEAST = 4  # a 0/1 label decides shorter formulas by itself


@dataclass(frozen=True, slots=True)
class Case:
    """Hold one branch: under these conditions (all of them; none: otherwise) the value."""

    conditions: tuple[Node, ...]
    value: Node


def cases(root: Node) -> tuple[Case, ...]:
    """Split an index form into cases; () where there is nothing to distinguish.

    Deltas are decided first, then conditions, signs and 0/1 labels.

    >>> from symgrad.indexed.symbols import entry, index
    >>> from symgrad.ops import leaf
    >>> p, y, j = leaf("p", ("C",)), leaf("y", ("C",), "label"), index("j", "C")
    >>> found = cases(make("sub", entry(p, j), delta(j, entry(y))))
    >>> [case.conditions[0].op for case in found]
    ['eq', 'ne']
    """
    if any(n.dtype == "int" and n.op in ("add", "sub") for n in below(root)):
        return ()  # beside x_(i+1) the ends of the range would be cases of their own
    found = _decided(root)
    if found is None:
        found = _chosen(root) or _masked(root) or _signed(root) or _labelled(root)
        found = found or _extreme(root)
    return tuple(found or ())


LEAVES = ("entry", "index", "const", "dim")


def count(root: Node) -> int:
    """Count the operations of an index form, entries being atoms."""
    return sum(1 for n in below(root) if n.op not in LEAVES)


def _deltas(root: Node) -> list[Node]:
    """List the deltas in which no sum's own index stands."""
    known = free(root)
    return [n for n in below(root) if is_delta(n) and all(k in known for k in free(n))]


def _decided(root: Node) -> list[Case] | None:
    """Decide every delta: equal indices become one."""
    done: list[Case] = []
    todo: list[Case] = [Case((), root)]
    while todo:
        case = todo.pop(0)
        deltas = _deltas(case.value)
        if not deltas:
            done.append(case)
        else:
            same, other = _both(case.value, deltas[0])
            condition = deltas[0]
            todo.insert(0, Case((*case.conditions, make("ne", *condition.args)), other))
            todo.insert(0, Case((*case.conditions, condition), same))
        if len(done) + len(todo) > MOST:
            return []
    return _merged(done) if len(done) > 1 else None


def _both(value: Node, chosen: Node) -> tuple[Node, Node]:
    """Give a value where a delta is 1, and where it is 0."""
    a, b = chosen.args
    images = {b: a} if b.op == "index" else {a: b}
    same = substitute(value, images)

    def without(node: Node) -> Node | None:
        if node is chosen:
            return const(0)
        if node.op == "ne" and node.args[0].op == "index" and delta(*node.args) is chosen:
            return const(1)
        return None

    return settle(same), settle(rebuilt(value, without))


def _merged(found: list[Case]) -> list[Case]:
    """Put branches of value 0 last, as the one that is left."""
    zero = [c for c in found if value_of(c.value) == 0]
    rest = [c for c in found if value_of(c.value) != 0]
    if len(zero) > 1 and rest:
        return [*rest, Case((), const(0))]
    return [*rest, *zero] if rest else found


def _chosen(root: Node) -> list[Case] | None:
    """List the branches of nested case distinctions."""
    found: list[Case] = []
    node = root
    while node.op == "where" and len(found) < MOST:
        found.append(Case((node.args[0],), node.args[1]))
        node = node.args[2]
    return [*found, Case((), node)] if found else None


def _masked(root: Node) -> list[Case] | None:
    """Write u 1[c] as u if c, else 0."""
    sign, above, under = factors(root)
    masks = [f for f in above if f.dtype == "bool" and f.op not in ("entry", "index")]
    if len(masks) != 1 or len(above) + len(under) < 2:
        return None
    rest = product([f for f in above if f is not masks[0]], under, sign)
    return [Case((masks[0],), rest), Case((), const(0))]


def _extreme(root: Node) -> list[Case] | None:
    """Write u min(v, 0) as 0 if v > 0, else u v; max(v, 0) likewise."""
    sign, above, under = factors(root)
    found = [f for f in above if f.op in ("minimum", "maximum", "relu")]
    if len(found) != 1:
        return None
    inner = found[0].args[0]
    if found[0].op != "relu" and value_of(found[0].args[1]) != 0:
        return None
    others = [f for f in above if f is not found[0]]
    rest = product([*others, inner], under, sign)
    below_, zero = Case((make("le", inner, const(0)),), rest), Case((), const(0))
    if found[0].op == "minimum":
        return [Case((make("gt", inner, const(0)),), const(0)), below_]
    return [Case((make("gt", inner, const(0)),), rest), zero]


def _signed(root: Node) -> list[Case] | None:
    """Write u sign(v) as u if v > 0, -u if v < 0."""
    sign, above, under = factors(root)
    signs = [f for f in above if f.op == "sign"]
    if len(signs) != 1:
        return None
    rest = product([f for f in above if f is not signs[0]], under, sign)
    inner = signs[0].args[0]
    sides = inner.args if inner.op == "sub" else (inner, const(0))
    return [
        Case((make("gt", *sides),), rest),
        Case((make("lt", *sides),), tidy("neg", (rest,), {})),
    ]


def _labelled(root: Node) -> list[Case] | None:
    """Decide a 0/1 label where each value of it leaves half of the formula or less."""
    atoms = dict.fromkeys(entries_of(root))
    size = count(root)
    for label in atoms:
        base = label.args[0]
        if base.op != "input" or base.attrs["kind"] != "binary" or size < LEAST:
            continue
        found = [
            Case(
                (make("eq", label, const(value)),), settle(substitute(root, {label: const(value)}))
            )
            for value in (1, 0)
        ]
        if all(2 * count(c.value) <= size for c in found):
            return found
    return None

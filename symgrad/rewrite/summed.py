"""Sums of products of several arrays, as they are typed with indices, without an array of all.

sum(A[n,p]*W[p,q]*B[n,q] for p in P for q in Q) multiplies N P Q numbers if it is taken as it
stands. It is a product of matrices, A W, and the inner products of its rows with those of B.
"""

from collections.abc import Sequence
from functools import reduce
from string import ascii_lowercase

from symgrad.dims import times
from symgrad.graph import Node
from symgrad.ops import const, make, value_of
from symgrad.ops.words import subscripts
from symgrad.rewrite.contraction import matrix_product, own_axes
from symgrad.rewrite.forms import risky
from symgrad.shapes import axes_of

Factor = tuple[Node, tuple[int, ...]]  # an array without inserted axes, and its axes in the product
MOST = 5  # factors


def sum_of_several(node: Node) -> Node | None:
    """Write a sum of a product whose factors are stretched over its axes by smaller products.

    >>> from symgrad.ops import leaf
    >>> A, W, B = leaf("A", ("N", "P")), leaf("W", ("P", "Q")), leaf("B", ("N", "Q"))
    >>> wide = make("mul", make("expand", A, axes=(2,)), W)
    >>> body = make("mul", wide, make("expand", B, axes=(1,)))
    >>> rows = make("mul", make("matmul", A, W), B)
    >>> sum_of_several(make("sum", body, axis=(1, 2))) is make("sum", rows, axis=1)
    True
    """
    (body,) = node.args
    rank = len(body.shape)
    if node.attrs["keepdims"] or not 1 < rank <= len(ascii_lowercase):
        return None
    over = axes_of(node.attrs["axis"], rank)
    body, numbers = _outside(body)
    factors = _factors(body, rank, numbers)
    if factors is None or not _gains(factors, rank, over):
        return None
    total = _total(factors, over, rank)
    return None if total is None else reduce(lambda a, b: make("mul", b, a), numbers, total)


def several_operands(node: Node) -> Node | None:
    """Write an einsum by products of matrices, where it is made of some.

    >>> from symgrad.ops import leaf
    >>> x, A = leaf("x", ("N", "D")), leaf("A", ("D", "D"))
    >>> several_operands(make("einsum", x, A, x, subscripts="ni,ij,nj->n")).op
    'sum'
    """
    words, result = subscripts(node.attrs["subscripts"])
    if len(words) == 2:
        return _mixed(node.args, words, result) or _mixed(node.args[::-1], words[::-1], result)
    letters = [*result, *dict.fromkeys(c for w in words for c in w if c not in result)]
    doubled = any(len(set(w)) < len(w) for w in words)
    if not 2 < len(words) <= MOST or doubled or any(a.dtype != "float" for a in node.args):
        return None
    factors = [
        (a, tuple(letters.index(c) for c in w)) for a, w in zip(node.args, words, strict=True)
    ]
    over = tuple(range(len(result), len(letters)))
    total = _total(factors, over, len(letters)) if all(a.shape for a in node.args) else None
    return None if total is None or total.op == "einsum" else total


def _mixed(args: Sequence[Node], words: Sequence[str], result: str) -> Node | None:
    """Mix an inner axis by a matrix, "nchw,cd->ndhw": a stack of products, nothing is moved."""
    (stack, matrix), (word, pair) = args, words
    common = [c for c in pair if c in word and c not in result]
    if len(pair) != 2 or len(common) != 1 or len(set(word)) < len(word):
        return None
    (c,) = common
    new = pair.replace(c, "")
    before, _, behind = word.partition(c)
    if not before or not behind or new in word or result != before + new + behind:
        return None
    k = len(before)
    flat = (times(*stack.shape[:k]), stack.shape[k], times(*stack.shape[k + 1 :]))
    rows = make("reshape", stack, shape=flat) if flat != stack.shape else stack
    left = matrix if pair[0] == new else make("transpose", matrix)
    mixed = make("matmul", left, rows)
    shape = (*stack.shape[:k], left.shape[0], *stack.shape[k + 1 :])
    return make("reshape", mixed, shape=shape) if shape != mixed.shape else mixed


def _total(factors: list[Factor], over: tuple[int, ...], rank: int) -> Node | None:
    kept = _others(over, rank)
    return _together(_in_pairs(_merged(factors), over, rank), kept)


def _merged(factors: list[Factor]) -> list[Factor]:
    """Multiply the factors that have the same axes."""
    found: dict[tuple[int, ...], Node] = {}
    for array, axes in factors:
        order = tuple(sorted(axes))
        if axes != order:
            array = make("transpose", array, axes=tuple(axes.index(k) for k in order))
        found[order] = make("mul", found[order], array) if order in found else array
    return [(array, axes) for axes, array in found.items()]


def _in_pairs(factors: list[Factor], over: tuple[int, ...], rank: int) -> list[Factor]:
    """Multiply matrices and vectors along axes that only two of them have, small results first."""
    while True:
        ways = []
        for k in over:
            pair = [f for f in factors if k in f[1]]
            if len(pair) != 2:
                continue
            kept = tuple(j for j in range(rank) if j != k and any(j in f[1] for f in pair))
            product = matrix_product(pair[0], pair[1], k, kept)
            if product is not None:
                rest = [f for f in factors if f not in pair]
                ways.append((len(kept), k, [(product, kept), *rest]))
        if not ways:
            return factors
        factors = _merged(min(ways, key=lambda w: w[:2])[2])


def _together(factors: list[Factor], kept: tuple[int, ...]) -> Node | None:
    """Add up what is left: one array, a product entry by entry, or an einsum."""
    axes = sorted({k for _, own in factors for k in own})
    if not set(kept) <= set(axes):
        return None
    over = tuple(j for j, k in enumerate(axes) if k not in kept)
    if len(axes) <= 2 or len(factors) == 1:
        spread = [_spread(array, [axes.index(k) for k in own], len(axes))
                  for array, own in factors]  # fmt: skip
        whole = reduce(lambda a, b: make("mul", a, b), spread)
        if not kept and len(axes) == 1 and whole.op == "mul":
            return make("matmul", *whole.args)
        return make("sum", whole, axis=over if len(over) > 1 else over[0]) if over else whole
    words = ["".join(ascii_lowercase[k] for k in own) for _, own in factors]
    word = f"{','.join(words)}->{''.join(ascii_lowercase[k] for k in kept)}"
    return make("einsum", *(a for a, _ in factors), subscripts=word)


def _spread(array: Node, own: list[int], rank: int) -> Node:
    """Insert the axes that an array lacks; leading ones are understood."""
    missing = tuple(k for k in range(min(own), rank) if k not in own)
    return make("expand", array, axes=tuple(k - min(own) for k in missing)) if missing else array


def _others(axes: tuple[int, ...], rank: int) -> tuple[int, ...]:
    return tuple(k for k in range(rank) if k not in axes)


def _gains(factors: list[Factor], rank: int, over: tuple[int, ...]) -> bool:
    """Say whether the product is larger than its factors, or than what they come to in pairs."""
    if not 1 < len(factors) <= MOST or not over:
        return False
    whole = sum(len(axes) == rank for _, axes in factors)
    if len(factors) == 2:  # a product of matrices, over several axes or of stacks
        common = set(factors[0][1]) & set(factors[1][1])
        return whole == 0 and set(over) <= common
    return whole == 0 or (whole == 1 and all(set(axes) & set(over) for _, axes in factors))


def _outside(body: Node) -> tuple[Node, list[Node]]:
    """Take numbers out of a product."""
    numbers: list[Node] = []
    while body.op in ("neg", "mul"):
        if body.op == "neg":
            numbers.append(const(-1))
            body = body.args[0]
            continue
        k = next((k for k, a in enumerate(body.args) if not a.shape), None)
        if k is None or body.args[1 - k].shape != body.shape:
            break
        numbers.append(body.args[k])
        body = body.args[1 - k]
    return body, numbers


def _factors(body: Node, rank: int, numbers: list[Node]) -> list[Factor] | None:
    """List the factors of a product, numbers apart; a case that is 0 elsewhere goes to one."""
    if body.op == "where" and value_of(body.args[2]) == 0:
        inside = _factors(body.args[1], rank, numbers)
        condition = body.args[0]
        mask = _bare(condition, tuple(range(rank - len(condition.shape), rank)))
        plain = bool(mask[0].shape) and 1 not in mask[0].shape
        return _masked(inside, mask) if inside and plain else None
    found: list[Factor] = []
    todo = [(body, tuple(range(rank)))]
    while todo:
        part, places = todo.pop()
        if part.op == "mul":
            todo += [(a, places[len(places) - len(a.shape) :]) for a in part.args[::-1]]
            continue
        if part.op == "outer":
            found += [(a, (k,)) for a, k in zip(part.args, places, strict=True)]
            continue
        inner, places = _bare(part, places)
        if inner.op in ("mul", "outer") and inner is not part:
            todo.append((inner, places))
        elif not inner.shape and inner.dtype == "float":
            numbers.append(inner)
        elif inner.op == "neg":
            numbers.append(const(-1))
            todo.append((inner.args[0], places))
        elif 1 in inner.shape or inner.dtype != "float":
            return None
        else:
            found.append((inner, places))
    return found


def _bare(node: Node, places: tuple[int, ...]) -> Factor:
    """Give an array without its inserted axes and transposes, and its axes in the product."""
    while True:
        if node.op == "expand":
            node, own = own_axes(node, len(places))
            places = tuple(places[k] for k in own)
        elif node.op == "transpose" and node.attrs.get("axes") is None:
            node, places = node.args[0], places[::-1]
        else:
            return node, places


def _masked(factors: list[Factor], mask: Factor) -> list[Factor] | None:
    """Put a condition into the smallest factor that has its axes: the others stay as they are."""
    condition, places = mask
    having = [f for f in factors if set(places) <= set(f[1])]
    chosen = min(having, key=lambda f: len(f[1]), default=None)
    if chosen is None or any(risky(f[0]) for f in factors if f is not chosen):
        return None
    array, axes = chosen
    order = tuple(places.index(k) for k in axes if k in places)
    if order != tuple(range(len(order))):
        condition = make("transpose", condition, axes=order)
    missing = tuple(j for j, k in enumerate(axes) if k not in places)
    condition = make("expand", condition, axes=missing) if missing else condition
    image = make("where", condition, array, const(0))
    if image.shape != array.shape:
        return None
    return [(image, axes) if f is chosen else f for f in factors]

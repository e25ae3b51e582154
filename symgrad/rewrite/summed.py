"""Sums of products of several arrays, as they are typed with indices, without an array of all.

sum(A[n,p]*W[p,q]*B[n,q] for p in P for q in Q) multiplies N P Q numbers if it is taken as it
stands. It is a product of matrices, A W, and the inner products of its rows with those of B.
"""

from collections.abc import Collection, Sequence
from functools import reduce
from string import ascii_lowercase

from symgrad.dims import times
from symgrad.graph import Node, topological
from symgrad.ops import const, count, make, value_of
from symgrad.ops.words import subscripts
from symgrad.rewrite.contraction import matrix_product, own_axes
from symgrad.rewrite.dangers import risky
from symgrad.rewrite.tidy import fit
from symgrad.shapes import Shape, axes_of

Factor = tuple[Node, tuple[int, ...]]  # an array without inserted axes, and its axes in the product
MOST = 5  # factors
PRODUCTS = ("mul", "neg", "div", "where")
STRETCHED = {"einsum", "expand"}
LETTERS = len(ascii_lowercase)


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
    if node.attrs["keepdims"] or not 1 < rank <= LETTERS:
        return None
    over = axes_of(node.attrs["axis"], rank)
    body, numbers = _outside(body)
    factors, more = _without_numbers(_factors(body, rank) or [])
    if not _gains(factors, rank, over):
        return None
    total = _total(factors, over, rank)
    return None if total is None else _scaled(total, [*numbers, *more])


def as_matrices(node: Node, named: Collection[Node] = ()) -> Node | None:
    """Write a sum of a product of several arrays by products of matrices alone, as books do.

    Other sums of products stay as they are typed: an einsum, or an array that is stretched in
    another place, says no more. Named products stay whole.

    >>> from symgrad.ops import leaf
    >>> A, x = leaf("A", ("D", "D")), leaf("x", ("D",))
    >>> body = make("mul", make("mul", A, make("expand", x, axes=(1,))), x)
    >>> as_matrices(make("sum", body)) is make("matmul", x, make("matmul", A, x))
    True
    """
    (body,) = node.args
    rank = len(body.shape)
    if body.op not in PRODUCTS or node.attrs["keepdims"] or not 1 < rank <= LETTERS:
        return None
    over = axes_of(node.attrs["axis"], rank)
    body, numbers = _outside(body)
    factors, more = _without_numbers(_factors(body, rank, named) or [])
    if not 1 < len(factors) <= MOST or body in named:
        return None
    if len(factors) == 2 and len(over) > 1 and not _gains(factors, rank, over):
        return None
    total = _total(factors, over, rank, plain=True)
    if total is None or total.shape != node.shape:
        return None
    made = _made(total, factors)
    if any(len(axes) == rank for _, axes in factors):
        made -= {"matmul"} if "sum" in made else set()  # the slope of a sum A x 1 would be A^T 1
    plain = "matmul" in made and not made & STRETCHED
    return _scaled(total, [*numbers, *more]) if plain else None


def sum_of_product(
    product: Node, shape: Shape, over: tuple[int, ...], named: Collection[Node] = ()
) -> Node | None:
    """Add up a product that is broadcast to a shape, without an array of that shape, or give None.

    >>> from symgrad.ops import leaf
    >>> sum_of_product(leaf("x", ("D",)), ("N", "D"), (0,)).args[0].attrs["name"]
    'N'
    """
    rank = len(shape)
    factors = _factors(product, rank, named)
    if not factors:
        return None
    inside = [f for f in factors if set(f[1]) & set(over)]
    outside = [f for f in factors if f not in inside]
    having = {k for _, axes in inside for k in axes}
    kept = _others(over, rank)
    if inside:
        left = tuple(k for k in kept if k in having)
        inner = tuple(k for k in over if k in having)
        total = _together(_in_pairs(_merged(inside), inner, rank), left)
        if total is None or _made(total, inside) & STRETCHED:
            return None
        outside = [*outside, (total, left)]
    numbers = [a for a, axes in outside if not axes]
    numbers += [count(shape, alike)] if (alike := tuple(k for k in over if k not in having)) else []
    arrays = _merged([f for f in outside if f[1]])
    if arrays and not (len(kept) <= 2 and any(axes == kept for _, axes in arrays)):
        return None
    whole = _together(arrays, kept) if arrays else None
    for number in numbers:
        whole = number if whole is None else make("mul", number, whole)
    return None if whole is None else fit(whole, tuple(shape[k] for k in kept))


def _made(total: Node, factors: list[Factor]) -> set[str]:
    """Collect the operators by which factors are put together."""
    given = dict(factors)
    return {n.op for n in topological([total], stop=given.__contains__) if n not in given}


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


def _total(
    factors: list[Factor], over: tuple[int, ...], rank: int, plain: bool = False
) -> Node | None:
    """Add up a product of arrays; a `plain` form has A x before A^T x, x^T (A x) for (A x)^T x."""
    kept = _others(over, rank)
    total = _together(_in_pairs(_merged(factors), over, rank, plain), kept)
    if plain and total is not None and total.op == "matmul" and not total.shape:
        return make("matmul", *sorted(total.args, key=lambda a: a.op == "matmul"))
    return total


def _merged(factors: list[Factor]) -> list[Factor]:
    """Multiply the factors that have the same axes."""
    found: dict[tuple[int, ...], Node] = {}
    for array, axes in factors:
        order = tuple(sorted(axes))
        if axes != order:
            array = make("transpose", array, axes=tuple(axes.index(k) for k in order))
        found[order] = make("mul", found[order], array) if order in found else array
    return [(array, axes) for axes, array in found.items()]


def _in_pairs(
    factors: list[Factor], over: tuple[int, ...], rank: int, plain: bool = False
) -> list[Factor]:
    """Multiply matrices and vectors along axes that only two of them have.

    Small results first; in a `plain` form A x before A^T x.
    """
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
                turned = plain and sum(a.op == "transpose" for a in product.args)
                ways.append((len(kept), turned, k, [(product, kept), *rest]))
        if not ways:
            return factors
        factors = _merged(min(ways, key=lambda w: w[:3])[3])


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


def _outside(body: Node) -> tuple[Node, list[tuple[str, Node]]]:
    """Take signs, and numbers that a product is multiplied or divided by, out of it."""
    numbers: list[tuple[str, Node]] = []
    while body.op in ("neg", "mul", "div"):
        if body.op == "neg":
            numbers.append(("mul", const(-1)))
            body = body.args[0]
            continue
        ways = (1,) if body.op == "div" else (0, 1)
        k = next((k for k in ways if not body.args[k].shape), None)
        if k is None or body.args[1 - k].shape != body.shape:
            break
        numbers.append((body.op, body.args[k]))
        body = body.args[1 - k]
    return body, numbers


def _without_numbers(factors: list[Factor]) -> tuple[list[Factor], list[tuple[str, Node]]]:
    return [f for f in factors if f[1]], [("mul", a) for a, axes in factors if not axes]


def _scaled(total: Node, numbers: list[tuple[str, Node]]) -> Node:
    """Multiply and divide by the numbers that were taken out."""
    for op, number in numbers:
        total = make("mul", number, total) if op == "mul" else make("div", total, number)
    return total


def _factors(body: Node, rank: int, whole: Collection[Node] = ()) -> list[Factor] | None:
    """List the factors of a product; a case that is 0 elsewhere goes to one of them.

    Numbers have no axes. Products that are `whole` are not looked into.
    """
    if body.op == "where" and value_of(body.args[2]) == 0:
        inside = _factors(body.args[1], rank, whole)
        mask = _bare(body.args[0], rank)
        return inside and mask and _masked(inside, mask)
    found: list[Factor] = []
    todo = [(body, tuple(range(rank)))]
    while todo:
        part, places = todo.pop()
        places = places[len(places) - len(part.shape) :]
        if part.op == "mul" and part not in whole:
            todo += [(a, places) for a in part.args[::-1]]
        elif part.op == "expand":
            own = tuple(p for k, p in enumerate(places) if k not in part.attrs["axes"])
            todo.append((part.args[0], own))
        elif part.op == "transpose" and part.attrs["axes"] is None:
            todo.append((part.args[0], places[::-1]))
        elif part.op == "neg" and part not in whole:
            found.append((const(-1), ()))
            todo.append((part.args[0], places))
        elif part.op == "outer":
            found += [(a, (k,)) for a, k in zip(part.args, places, strict=True)]
        elif 1 in part.shape or part.dtype != "float":
            return None
        else:
            found.append((part, places))
    return found


def _bare(node: Node, rank: int) -> Factor | None:
    """Give an array without its inserted axes and transposes, and its axes in the product."""
    node, axes = own_axes(node, rank)
    while node.op == "transpose" and node.attrs.get("axes") is None:
        node, axes = node.args[0], axes[::-1]
    return (node, axes) if node.shape and 1 not in node.shape else None


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

"""Index form to matrix form: sums of products of entries as products of matrices.

A product is a network: indices are its vertices, vectors weigh them, matrices join two of them.
Bound indices at the end of a path contract to vectors (A u); a path between the two indices of
the result is a product of matrices, with diag(u) at its vertices; two indices without a path are
an outer product. Where the network is no path, an einsum says the same with letters.
"""

from collections.abc import Sequence

from symgrad.dims import plus
from symgrad.errors import UsageError
from symgrad.graph import Node
from symgrad.indexed.network import Factor, chain, summed
from symgrad.indexed.sums import distributed, signed
from symgrad.indexed.symbols import (
    below,
    delta,
    factors,
    free,
    index,
    is_delta,
    product,
    settle,
    substitute,
)
from symgrad.ops import const, dim, make, value_of
from symgrad.rewrite.tidy import fit, tidy
from symgrad.shapes import Dim

Axes = tuple[Node, ...]
FAR = 8  # places before the end that are known as such


def array(root: Node, axes: Sequence[Node]) -> Node:
    """Write the array whose entry at `axes` is a scalar expression of entries.

    >>> from symgrad.indexed.symbols import delta, entry
    >>> from symgrad.ops import leaf, make
    >>> p, i, j = leaf("p", ("K",)), index("i", "K"), index("j", "K")
    >>> array(make("mul", entry(p, i), delta(i, j)), (i, j)).op
    'diag'
    """
    axes = tuple(axes)
    shape = tuple(a.attrs["size"] for a in axes)
    return fit(_sum_of_terms(root, axes), shape)


def _sum_of_terms(root: Node, axes: Axes) -> Node:
    """Write a sum term by term; what lacks an axis is left to broadcasting where that will do."""
    if root.op == "neg":
        return tidy("neg", (_sum_of_terms(root.args[0], axes),), {})
    split = _diagonal_part(root, axes)
    if split is not None:
        return split
    if root.op in ("add", "sub"):
        parts = [_placed(part, axes) for part in root.args]
        return tidy(root.op, (parts[0], parts[1]), {})
    spread = distributed(root, axes)
    if spread is not None:
        return _sum_of_terms(spread, axes)
    return _term(root, axes)


def _diagonal_part(root: Node, axes: Axes) -> Node | None:
    """Write r + delta_ij u as R + diag(u): u is what the delta changes."""
    if len(axes) != 2 or root.op == "eq" or axes[0].attrs["size"] != axes[1].attrs["size"]:
        return None
    same = delta(*axes)
    _, above, under = factors(root)
    if same not in below(root) or any(not free(f) for f in (*above, *under)):
        return None
    i, j = axes
    rest = settle(substitute(root, {same: const(0)}))
    together = settle(substitute(substitute(root, {same: const(1)}), {j: i}))
    change = settle(make("sub", together, substitute(rest, {j: i})))
    return _added(_unit(change, i), rest, axes)


def _added(diagonal: Node, rest: Node, axes: Axes) -> Node:
    """Add what is left term by term: diag(p) - p p^T."""
    result = diagonal
    for sign, term in signed(rest):
        if term.op == "const" and not term.attrs["value"]:
            continue
        result = tidy("add" if sign > 0 else "sub", (result, _placed(term, axes)), {})
    return result


def _unit(change: Node, i: Node) -> Node:
    """Write what multiplies delta_ij: diag(u), or a multiple of the unit matrix."""
    unit = make("eye", size=i.attrs["size"])
    if not free(change):
        return tidy("mul", (number(change), unit), {})
    return tidy("diag", (array(change, (i,)),), {})


def _placed(part: Node, axes: Axes) -> Node:
    """Write a term over the axes that it has, put where they belong."""
    own = tuple(a for a in axes if a in free(part))
    made = _sum_of_terms(part, own)
    if len(axes) == 2 and len(own) < 2:  # beside a matrix: 1 p^T, not p
        ones = [make("broadcast", const(1), shape=(a.attrs["size"],)) for a in axes]
        if not own:
            return tidy("mul", (made, make("outer", *ones)), {})
        pair = (made, ones[1]) if own[0] is axes[0] else (ones[0], made)
        return tidy("outer", pair, {})
    return spread(made, own, axes)


def spread(node: Node, own: Axes, axes: Axes) -> Node:
    """Insert the axes that an array lacks, but for leading ones."""
    if not own or own == axes:
        return node
    first = axes.index(own[0])
    missing = tuple(k - first for k in range(first, len(axes)) if axes[k] not in own)
    return tidy("expand", (node,), {"axes": missing}) if missing else node


def _term(root: Node, axes: Axes) -> Node:
    """Write one product: coefficients outside, then the network of the rest."""
    sign, above, under = factors(root)
    scalars = [f for f in above if not free(f)]
    low = [f for f in under if not free(f)]
    above = [f for f in above if free(f)]
    under = [f for f in under if free(f)]
    if not axes or not (above or under):
        return _scaled(const(1), scalars, low, sign)
    again = distributed(product(above, under), axes)
    if again is None and len(above) == 1 and not under and above[0].op in ("add", "sub"):
        again = above[0]
    body = _sum_of_terms(again, axes) if again is not None else _network(above, under, axes)
    return _scaled(body, scalars, low, sign)


def _scaled(body: Node, scalars: list[Node], low: list[Node], sign: int) -> Node:
    """Multiply by numbers, divide by others; a factor 1 is not written."""
    top = product([number(f) for f in scalars])
    result = body if _is_one(top) else top if _is_one(body) else tidy("mul", (top, body), {})
    if low:
        result = tidy("div", (result, product([number(f) for f in low])), {})
    return tidy("neg", (result,), {}) if sign < 0 else result


def _is_one(node: Node) -> bool:
    return node.op == "const" and node.attrs["value"] == 1


def number(root: Node) -> Node:
    """Write a scalar without free indices as a node."""
    if root.op == "total":
        return factor_array(root, ())
    return elementwise(root, ())


# -- one network -----------------------------------------------------------------------------


def _network(above: list[Node], under: list[Node], axes: Axes) -> Node:
    """Write a product with its sums as a chain of matrices, or as an einsum."""
    bound: list[Node] = []
    coefficients: list[Node] = []
    above, under = _opened(above, under, bound, coefficients)
    listed = [Factor(factor_array(f, _own(f)), _own(f), False) for f in above]
    listed += [Factor(factor_array(f, _own(f)), _own(f), True) for f in under]
    body = chain(listed, axes, tuple(bound)) if len(axes) <= 2 else None
    if body is None:
        body = summed(listed, axes, tuple(bound))
    return _times(coefficients, body)


def _times(coefficients: list[Node], body: Node) -> Node:
    if not coefficients:
        return body
    return tidy("mul", (product([number(c) for c in coefficients]), body), {})


def _own(f: Node) -> Axes:
    return tuple(free(f))


def _opened(
    above: list[Node], under: list[Node], bound: list[Node], coefficients: list[Node]
) -> tuple[list[Node], list[Node]]:
    """Merge sums of products into the network, each with an index of its own."""
    result: list[Node] = []
    low = list(under)
    stack = list(reversed(above))
    while stack:
        f = stack.pop()
        if f.op == "total" and f.args[0].op not in ("add", "sub"):
            own = _fresh(f.args[1].attrs["size"], [*above, *under, *bound])
            sign, inner, lower = factors(substitute(f.args[0], {f.args[1]: own}))
            bound.append(own)
            if sign < 0:
                coefficients.append(const(-1))
            stack += reversed(inner)
            low += lower
        elif f.op == "const" or not free(f):
            coefficients.append(f)
        else:
            result.append(f)
    return result, low


def _fresh(size: Dim, beside: Sequence[Node]) -> Node:
    """Make an index of a name that nothing beside it has."""
    used = {n.attrs["name"] for root in beside for n in below(root) if n.op == "index"}
    k = 0
    while f"\0n{k}" in used:
        k += 1
    return index(f"\0n{k}", size)


def factor_array(root: Node, axes: Axes) -> Node:
    """Write one factor over its own axes."""
    if root.op == "entry":
        return _entry(root, axes)
    if is_delta(root):
        return _delta(root, axes)
    if root.op == "total" and root.args[0].op not in ("add", "sub"):
        return _network([root], [], axes)
    if root.op == "total":
        own = _fresh(root.args[1].attrs["size"], [root, *axes])
        inner = array(substitute(root.args[0], {root.args[1]: own}), (*axes, own))
        return tidy("sum", (inner,), {"axis": len(axes), "keepdims": False})
    return elementwise(root, axes)


def elementwise(root: Node, axes: Axes) -> Node:
    """Write an elementwise expression of entries over some axes."""
    if root.op in ("const", "dim"):
        return root
    if root.op == "index":
        return make("arange", size=root.attrs["size"])
    if root.op == "entry" or is_delta(root) or root.op == "total":
        own = tuple(a for a in axes if a in free(root))
        made = factor_array(root, own) if own or root.op != "total" else number(root)
        return spread(made, own, axes)
    parts = []
    for arg in root.args:
        own = tuple(a for a in axes if a in free(arg))
        parts.append(spread(elementwise(arg, own), own, axes))
    return tidy(root.op, tuple(parts), root.attrs)


def _delta(root: Node, axes: Axes) -> Node:
    """Write 1[i = j] as the unit matrix, 1[j = y_i] as one-hot rows."""
    a, b = root.args
    if b.op == "index" and a.attrs["size"] == b.attrs["size"]:
        return make("eye", size=a.attrs["size"])
    labels = elementwise(b, tuple(k for k in axes if k is not a))
    hot = make("onehot", labels, size=a.attrs["size"])
    order = (*[k for k in axes if k is not a], a)
    return _turned(hot, order, axes)


def _turned(node: Node, order: Axes, axes: Axes) -> Node:
    """Permute axes."""
    if order == axes:
        return node
    permutation = tuple(order.index(a) for a in axes)
    plain = permutation == tuple(reversed(range(len(axes))))
    return tidy("transpose", (node,), {"axes": None if plain else permutation})


def _fixed(place: Node, size: Dim) -> int | None:
    """Give the one place that is meant: x_0, or x_(N-1) as -1."""
    found = value_of(place)
    if found is not None:
        return int(found)
    if place.dtype == "int":
        return None
    return next((k for k in range(-FAR, 0) if place is dim(plus(size, k))), None)


def _shifts(place: Node) -> list[Node]:
    """List index arithmetic: i + 1."""
    return [place] if place.op in ("add", "sub") else []


def _entry(root: Node, axes: Axes) -> Node:
    """Write an entry as its array: transposed, its diagonal, or what labels pick."""
    base, at = root.args[0], list(root.args[1:])
    for k, place in reversed(list(enumerate(at))):
        fixed = _fixed(place, base.shape[k])
        if fixed is not None:
            key = [(0, "end")] * len(at)
            base = make("slice", base, key=(*key[:k], (fixed, None), *key[k + 1 :]))
            del at[k]
    if len(at) == 2 and at[0] is at[1]:
        return make("diag", base)
    labels = [k for k, place in enumerate(at) if place.op != "index"]
    if not labels:
        return _turned(base, tuple(at), axes)
    if len(labels) > 1 or any(n.dtype == "int" and n.args for n in _shifts(at[labels[0]])):
        raise UsageError("entries such as x_(i+1) are not taken out of arrays here",
                         hint="jvp and hvp give the product with a vector")  # fmt: skip
    (k,) = labels
    shared = tuple(free(at[k]))
    places = elementwise(at[k], shared)
    if shared and tuple(at[:k]) == shared and k == len(at) - 1:
        return _turned(make("pick", base, places), shared, axes)
    if not shared and k == len(at) - 1 and not at[:k]:
        return make("pick", base, places)
    return _turned(make("take", base, places, axis=k), (*at[:k], *shared, *at[k + 1 :]), axes)

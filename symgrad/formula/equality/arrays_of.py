"""Read operations on whole arrays: sums, products of matrices, entries, arrays put together."""

from collections.abc import Callable

from symgrad.formula.equality.entrywise import larger
from symgrad.formula.equality.pieces import pieces
from symgrad.formula.equality.placed import Images, at, fresh, opaque, operands, places
from symgrad.formula.equality.sums import FEW, delta, label, leaf, total
from symgrad.formula.equality.terms import Atom, Poly, atom, mode, number
from symgrad.graph import Node
from symgrad.ops.slices import FULL
from symgrad.ops.words import subscripts
from symgrad.shapes import axes_of


def _sum(node: Node, images: Images) -> Poly:
    (a,) = node.args
    axes = axes_of(node.attrs["axis"], len(a.shape))
    own = [i for k, i in enumerate(places(node)) if not node.attrs["keepdims"] or k not in axes]
    bound = {k: fresh(a.shape[k]) for k in axes}
    idx = [bound[k] if k in bound else own.pop(0) for k in range(len(a.shape))]
    return total(at(a, images, idx), [b for b in bound.values() if b[0] != "#"])


def _amax(node: Node, images: Images) -> Poly:
    """Write the largest of few entries as maxima of two."""
    (a,), axis = node.args, node.attrs["axis"]
    axes = axes_of(axis, len(a.shape))
    few = [d for k, d in enumerate(a.shape) if k in axes and isinstance(d, int) and d <= FEW]
    if not mode().expand or len(axes) != 1 or not few or not few[0]:
        return opaque(node, images)
    own = [i for k, i in enumerate(places(node)) if not node.attrs["keepdims"] or k not in axes]
    entries = [at(a, images, [*own[: axes[0]], f"#{k}", *own[axes[0] :]]) for k in range(few[0])]
    largest = entries[0]
    for entry in entries[1:]:
        largest = larger(largest, entry)
    return largest


def _matmul(node: Node, images: Images) -> Poly:
    a, b = node.args
    own, t = places(node), fresh(a.shape[-1])
    rows = [] if len(a.shape) == 1 else [own[-1 - (len(b.shape) > 1)]]
    columns = [] if len(b.shape) == 1 else [own[-1]]
    lead = own[: len(own) - len(rows) - len(columns)]
    left = [*lead[len(lead) - max(len(a.shape) - 2, 0) :], *rows, t]
    right = [*lead[len(lead) - max(len(b.shape) - 2, 0) :], t, *columns]
    value = at(a, images, left) * at(b, images, right)
    return total(value, [t] if t[0] != "#" else [])


def _einsum(node: Node, images: Images) -> Poly:
    words, result = subscripts(node.attrs["subscripts"])
    own: dict[str, str] = dict(zip(result, places(node), strict=True))
    value, bound = number(1), []
    for word, a in zip(words, node.args, strict=True):
        for letter, d in zip(word, a.shape, strict=True):
            if letter not in own:
                own[letter] = fresh(d)
                bound.append(own[letter])
        value = value * at(a, images, [own[letter] for letter in word])
    return total(value, [b for b in bound if b[0] != "#"])


def _outer(node: Node, images: Images) -> Poly:
    i, j = places(node)
    return at(node.args[0], images, [i]) * at(node.args[1], images, [j])


def _transpose(node: Node, images: Images) -> Poly:
    own, (a,) = places(node), node.args
    axes = node.attrs["axes"] or tuple(range(len(own)))[::-1]
    idx = [own[axes.index(k)] for k in range(len(own))]
    return at(a, images, idx)


def _expand(node: Node, images: Images) -> Poly:
    own = [i for k, i in enumerate(places(node)) if k not in node.attrs["axes"]]
    return at(node.args[0], images, own)


def _pick(node: Node, images: Images) -> Poly:
    own, (table, labels) = places(node), node.args
    where = label(at(labels, images, own[len(own) - len(labels.shape) :]))
    return at(table, images, [*own[len(own) - len(table.shape) + 1 :], where])


def _take(node: Node, images: Images) -> Poly:
    own, (table, labels), axis = places(node), node.args, node.attrs["axis"]
    rank = len(labels.shape)
    where = label(at(labels, images, own[axis : axis + rank]))
    return at(table, images, [*own[:axis], where, *own[axis + rank :]])


def _onehot(node: Node, images: Images) -> Poly:
    own = places(node)
    return delta(own[-1], label(at(node.args[0], images, own[:-1])))


def _slice(node: Node, images: Images) -> Poly:
    key, own = node.attrs["key"], places(node)
    if not all(e == FULL or (e[1:] == (None,) and e[0] >= 0) for e in key):
        return opaque(node, images)
    idx = [own.pop(0) if e == FULL else f"#{e[0]}" for e in key]
    return at(node.args[0], images, idx)


def _unslice(node: Node, images: Images) -> Poly:
    key, own = node.attrs["key"], places(node)
    if not all(e == FULL or (e[1:] == (None,) and e[0] >= 0) for e in key):
        return opaque(node, images)
    value = at(node.args[0], images, [i for i, e in zip(own, key, strict=True) if e == FULL])
    for i, e in zip(own, key, strict=True):
        if e != FULL:
            value = value * delta(i, f"#{e[0]}")
    return value


def _diag(node: Node, images: Images) -> Poly:
    (a,), own = node.args, places(node)
    if len(own) == 1:
        return at(a, images, own * 2)
    return at(a, images, own[:1]) * delta(own[0], own[1])


def _trace(node: Node, images: Images) -> Poly:
    (a,) = node.args
    t = fresh(a.shape[-1])
    return total(at(a, images, [*places(node), t, t]), [t] if t[0] != "#" else [])


def _inv(node: Node, images: Images) -> Poly:
    """Write the inverse of a matrix or of its transpose, whichever comes first."""
    (a,), own = node.args, places(node)
    turned = at(a, images, [*own[:-2], own[-1], own[-2]])
    if turned.key < images[a].key or (turned.key == images[a].key and own[-1] < own[-2]):
        return atom(Atom("array", ("inv",), (*own[:-2], own[-1], own[-2]), (turned,)))
    return atom(Atom("array", ("inv",), tuple(own), (images[a],)))


def _concatenate(node: Node, images: Images) -> Poly:
    """Keep the parts; sums over the axis are split, and a fixed place is looked up."""
    axis = node.attrs["axis"]
    sizes = tuple(mode().sizes.get(str(a.shape[axis]), a.shape[axis]) for a in node.args)
    return pieces(axis, sizes, tuple(images[a] for a in node.args), tuple(places(node)))


def _stack(node: Node, images: Images) -> Poly:
    axis, own = node.attrs["axis"], places(node)
    rest = [i for k, i in enumerate(own) if k != axis]
    parts = tuple(at(a, images, rest) for a in node.args)
    return pieces(axis, (1,) * len(parts), parts, tuple(own))


def _arange(node: Node, images: Images) -> Poly:
    return leaf(Atom("place"), (places(node)[0],))


ARRAYS: dict[str, Callable[[Node, Images], Poly]] = {
    "sum": _sum, "amax": _amax, "matmul": _matmul, "einsum": _einsum, "outer": _outer,
    "transpose": _transpose, "expand": _expand, "pick": _pick, "take": _take, "onehot": _onehot,
    "slice": _slice, "unslice": _unslice, "diag": _diag, "trace": _trace, "inv": _inv,
    "broadcast": lambda node, images: operands(node, images)[0],
    "eye": lambda node, images: delta(*places(node)),
    "concatenate": _concatenate, "stack": _stack, "arange": _arange,
}  # fmt: skip

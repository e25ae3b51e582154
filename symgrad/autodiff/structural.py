"""What moves, selects, adds up and multiplies entries of arrays of mpf, and its adjoints.

An operator that only moves entries is one function: applied to the places of the entries instead
of the entries, it says where each one has gone, and the adjoint sends gradients the same way back.
"""

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
from mpmath import mpf

from symgrad.autodiff.matrices import MATRICES, Sizes, Structural, numbers, zeros
from symgrad.autodiff.primitives import Digits, elementwise
from symgrad.autodiff.sliding import SLIDING, windows
from symgrad.dims import Dim, evaluated
from symgrad.errors import DataError
from symgrad.graph import Node
from symgrad.ops.slices import python_slice
from symgrad.shapes import axes_of

# -- moving entries --------------------------------------------------------------------------


def _axes(node: Node) -> tuple[int, ...]:
    return axes_of(node.attrs["axis"], len(node.args[0].shape))


def _key(node: Node) -> tuple[Any, ...]:
    """Make NumPy's index of the entries of a slice."""
    entries = node.attrs["key"]
    return tuple(e[0] if len(e) == 2 and e[1] is None else python_slice(e) for e in entries)


def _number(dim: Dim, sizes: Sizes) -> int:
    found = evaluated(dim, sizes)
    if found is None:
        raise DataError(f"the dimension {dim} has no number")
    return found


def _shape(node: Node, sizes: Sizes) -> tuple[int, ...]:
    return tuple(_number(d, sizes) for d in node.attrs["shape"])


def _place(node: Node, name: str, sizes: Sizes) -> int:
    return _number(node.attrs[name], sizes)


def _part(node: Node, a: list[Any], sizes: Sizes) -> Any:
    cut = slice(_place(node, "start", sizes), _place(node, "stop", sizes))
    return a[0][(slice(None),) * node.attrs["axis"] + (cut,)]


def _integers(labels: Any) -> Any:
    return np.asarray(elementwise(int, [labels])).astype(int)


def _picked(node: Node, a: list[Any], sizes: Sizes) -> Any:
    table, labels = a[0], _integers(a[1])
    shape = np.broadcast_shapes(table.shape[:-1], labels.shape)
    rows = np.broadcast_to(table, (*shape, table.shape[-1]))
    return np.take_along_axis(rows, np.broadcast_to(labels, shape)[..., None], -1)[..., 0]


def _unsliced(node: Node, a: list[Any], sizes: Sizes) -> Any:
    result = np.zeros(_shape(node, sizes), dtype=a[0].dtype)
    result[_key(node)] = a[0][()]  # a number, not an array of one
    return result


# From the operands (those that are moved may hold places instead of numbers) to the result.
MOVES: dict[str, Callable[[Node, list[Any], Sizes], Any]] = {
    "transpose": lambda node, a, sizes: np.transpose(a[0], node.attrs["axes"]),
    "expand": lambda node, a, sizes: np.expand_dims(a[0], node.attrs["axes"]),
    "broadcast": lambda node, a, sizes: np.broadcast_to(a[0], _shape(node, sizes)),
    "reshape": lambda node, a, sizes: np.reshape(a[0], _shape(node, sizes)),
    "slice": lambda node, a, sizes: a[0][_key(node)],
    "unslice": _unsliced,
    "part": _part,
    "concatenate": lambda node, a, sizes: np.concatenate(a, axis=node.attrs["axis"]),
    "stack": lambda node, a, sizes: np.stack(a, axis=node.attrs["axis"]),
    "take": lambda node, a, sizes: np.take(a[0], _integers(a[1]), axis=node.attrs["axis"]),
    "diag": lambda node, a, sizes: np.diag(a[0]),
    "windows": lambda node, a, sizes: windows(a[0], node.attrs, _place(node, "width", sizes)),
    "pick": _picked,
}
LABELLED = ("take", "pick")  # whose second operand says where


def _moved(op: str) -> Structural:
    move = MOVES[op]

    def forward(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
        return numbers(move(node, operands, sizes))

    def backward(
        node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Sizes, account: Digits
    ) -> Any:
        if op in LABELLED and k == 1:
            return None
        places: list[Any] = [
            a if op in LABELLED and j == 1 else np.zeros(a.shape, int)
            for j, a in enumerate(operands)
        ]
        places[k] = 1 + np.arange(operands[k].size).reshape(operands[k].shape)
        flat = [mpf(0)] * (operands[k].size + 1)  # 0 is where nothing has gone
        gone = np.ravel(move(node, places, sizes))
        for place, share in zip(gone, np.ravel(np.broadcast_to(g, y.shape)), strict=True):
            flat[int(place)] = account.add(flat[int(place)], share) if place else mpf(0)
        result = zeros((operands[k].size,))
        result[:] = flat[1:]
        return result.reshape(operands[k].shape)

    return Structural(forward, backward)


# -- reductions ------------------------------------------------------------------------------


def _spread(node: Node, g: Any, like: Any) -> Any:
    """Repeat a reduced gradient over the axes that the reduction removed."""
    if not node.attrs["keepdims"]:
        g = np.expand_dims(g, _axes(node))
    return np.broadcast_to(g, np.shape(like))


def _sum(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    return account.total(operands[0], _axes(node), node.attrs["keepdims"])


def _sum_back(node: Node, k: int, g: Any, operands: list[Any], *_: Any) -> Any:
    return _spread(node, g, operands[0])


def _rows(a: Any, axes: tuple[int, ...]) -> Any:
    """Move the axes to the end and join them."""
    moved = np.moveaxis(a, axes, range(-len(axes), 0)) if axes else a[..., None]
    return moved.reshape(*moved.shape[: moved.ndim - max(len(axes), 1)], -1)


def _best(row: Any, sign: int = 1) -> int:
    """Find the largest (1) or the smallest (-1) entry; the first of equal ones is it."""
    return max(range(len(row)), key=lambda j: (sign * row[j], -j))


def _marked(node: Node, a: Any, sign: int = 1) -> Any:
    """Say where each row's largest or smallest entry stands."""
    rows, places = (_rows(v, _axes(node)) for v in (a, np.arange(a.size).reshape(a.shape)))
    hot = np.zeros(a.size, dtype=bool)
    for spot in np.ndindex(rows.shape[:-1]):
        hot[places[spot][_best(rows[spot], sign)]] = True
    return hot.reshape(a.shape)


def _extreme(sign: int) -> Structural:
    """Make the largest (1) or the smallest (-1) entry."""

    def forward(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
        rows = _rows(operands[0], _axes(node))
        top = zeros(rows.shape[:-1])
        for spot in np.ndindex(top.shape):
            top[spot] = rows[spot][_best(rows[spot], sign)]
        return np.expand_dims(top, _axes(node)) if node.attrs["keepdims"] else top

    def backward(node: Node, k: int, g: Any, operands: list[Any], *_: Any) -> Any:
        a = operands[0]
        return np.where(_marked(node, a, sign), _spread(node, g, a), mpf(0))

    return Structural(forward, backward)


def _prod(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    axes = _axes(node)
    rows = _rows(operands[0], axes)
    result = np.frompyfunc(account.times, 2, 1).reduce(rows, axis=-1, initial=mpf(1))
    return np.expand_dims(result, axes) if node.attrs["keepdims"] else result


def _prod_back(
    node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Sizes, account: Digits
) -> Any:
    """Give every entry the product of the others."""
    a, axes = operands[0], _axes(node)
    others = zeros(a.shape)
    for spot in np.ndindex(a.shape):
        line = tuple(slice(None) if j in axes else spot[j] for j in range(a.ndim))
        changed = a.copy()
        changed[spot] = mpf(1)
        others[spot] = mpmath.fprod(np.ravel(np.asarray(changed[line], dtype=object)))
    return elementwise(account.times, [_spread(node, g, a), others])


def _running(a: Any, axis: int, account: Digits) -> Any:
    return np.frompyfunc(account.add, 2, 1).accumulate(a, axis=axis, dtype=object)


def _cumsum(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    return _running(operands[0], node.attrs["axis"], account)


def _cumsum_back(
    node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Sizes, account: Digits
) -> Any:
    axis = node.attrs["axis"]
    return np.flip(_running(np.flip(g, axis), axis, account), axis)


# -- sums of products: einsum, and matmul, outer, convolutions as such ------------------------


def contracted(words: list[str], result: str, arrays: list[Any], account: Digits) -> Any:
    """Multiply arrays whose axes have letters, and sum over those that the result lacks."""
    letters = result + "".join(sorted({c for w in words for c in w if c not in result}))
    terms: Any = np.asarray(mpf(1), dtype=object)
    for word, a in zip(words, arrays, strict=True):
        inner = np.transpose(a, sorted(range(len(word)), key=lambda j: letters.index(word[j])))
        missing = tuple(j for j, c in enumerate(letters) if c not in word)
        terms = elementwise(account.times, [terms, np.expand_dims(inner, missing)])
    return account.total(np.asarray(terms, dtype=object), tuple(range(len(result), len(letters))))


def _contraction(spell: Callable[[Node], tuple[list[str], str]]) -> Structural:
    def forward(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
        words, result = spell(node)
        return contracted(words, result, operands, account)

    def backward(
        node: Node, k: int, g: Any, operands: list[Any], y: Any, sizes: Sizes, account: Digits
    ) -> Any:
        words, result = spell(node)
        others = [j for j in range(len(words)) if j != k]
        given = [result, *(words[j] for j in others)]
        kept = "".join(c for c in words[k] if any(c in w for w in given))
        share = contracted(given, kept, [g, *(operands[j] for j in others)], account)
        lacking = tuple(j for j, c in enumerate(words[k]) if c not in kept)
        share = np.broadcast_to(np.expand_dims(share, lacking), _wide(words, k, operands, share))
        return account.unbroadcast(share, operands[k].shape)

    return Structural(forward, backward)


def _wide(words: list[str], k: int, operands: list[Any], share: Any) -> tuple[int, ...]:
    """Give the shape of a share before broadcasting is undone."""
    sizes: dict[str, int] = {}
    for word, a in zip(words, operands, strict=True):
        for letter, n in zip(word, a.shape, strict=True):
            sizes[letter] = max(n, sizes.get(letter, 1))
    return tuple(sizes[letter] for letter in words[k])


def _einsum(node: Node) -> tuple[list[str], str]:
    left, _, right = node.attrs["subscripts"].partition("->")
    return left.split(","), right


def _matmul(node: Node) -> tuple[list[str], str]:
    """Spell a product of vectors, matrices and stacks of them; stacks share leading letters."""
    ranks = [len(a.shape) for a in node.args]
    lead = "abcdefgh"[: max(0, *(r - 2 for r in ranks))]
    left = lead[len(lead) - max(ranks[0] - 2, 0) :] + "xy"[max(0, 2 - ranks[0]) :]
    right = lead[len(lead) - max(ranks[1] - 2, 0) :] + ("y" if ranks[1] == 1 else "yz")
    return [left, right], lead + "x" * (ranks[0] > 1) + "z" * (ranks[1] > 1)


# -- places and the table --------------------------------------------------------------------


def _counted(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    return numbers(np.arange(_place(node, "size", sizes)))


def _onehot(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    classes = np.arange(_place(node, "size", sizes))
    return elementwise(lambda a, b: mpf(int(a == b)), [np.asarray(operands[0])[..., None], classes])


def _eye(node: Node, operands: list[Any], sizes: Sizes, account: Digits) -> Any:
    return numbers(np.eye(_place(node, "size", sizes)))


def _nothing(*_: Any) -> Any:
    return None


STRUCTURAL: dict[str, Structural] = {
    **{op: _moved(op) for op in MOVES},
    "sum": Structural(_sum, _sum_back),
    "amax": _extreme(1),
    "amin": _extreme(-1),
    "prod": Structural(_prod, _prod_back),
    "cumsum": Structural(_cumsum, _cumsum_back),
    "matmul": _contraction(_matmul),
    "outer": _contraction(lambda node: (["x", "y"], "xy")),
    "einsum": _contraction(_einsum),
    **SLIDING,
    **MATRICES,
    "onehot": Structural(_onehot, _nothing),
    "winner": Structural(lambda node, operands, *_: _marked(node, operands[0]), _nothing),
    "arange": Structural(_counted, _nothing),
    "eye": Structural(_eye, _nothing),
}

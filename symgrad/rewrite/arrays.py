"""How inverses, traces, blocks and parts of arrays are shortened."""

from symgrad.dims import Dim, plus
from symgrad.graph import Node
from symgrad.ops import const, count, make
from symgrad.ops.slices import FULL
from symgrad.ops.words import subscripts
from symgrad.parse import einsum
from symgrad.rewrite import traces
from symgrad.rewrite.diagonals import entrywise_diagonal
from symgrad.rewrite.elementwise import vanishes
from symgrad.rewrite.products import linear, scalar_parts, scaled
from symgrad.rewrite.signs import positive
from symgrad.rewrite.tidy import fit, kept, kind, printed, tidies, tidy
from symgrad.rewrite.turning import as_typed
from symgrad.rewrite.units import times_unit

REVERSED = (None, None, -1)

# -- matrices --------------------------------------------------------------------------------


@tidies("inv")
def _inv(node: Node) -> Node | None:
    (a,) = node.args
    if kind(a) in ("inv", "eye"):
        return a.args[0] if a.op == "inv" else a
    if kind(a) == "transpose" and a.attrs["axes"] is None:
        return tidy("transpose", (tidy("inv", a.args, {}),), {"axes": None})
    factors, rest = scalar_parts(a) if printed() else ([], a)
    if all(how == "neg" or positive(by) for how, by in factors) and factors:  # (v K)^-1 is K^-1/v
        opposite = {"mul": "div", "div": "mul", "neg": "neg"}
        return scaled([(opposite[how], by) for how, by in factors], tidy("inv", (rest,), {}))
    return None


@tidies("trace")
def _trace(node: Node) -> Node | None:
    (a,) = node.args
    if kind(a) == "transpose" and a.attrs["axes"] is None and len(a.shape) == 2:
        return tidy("trace", a.args, {})
    if kind(a) == "diag":
        return tidy("sum", a.args, {"axis": None, "keepdims": False})
    if kind(a) == "eye":
        return count(a.shape, (0,))
    return linear(node) or traces.short_trace(a)


@tidies("logdet")
@tidies("det")
def _det(node: Node) -> Node | None:
    (a,) = node.args
    if kind(a) == "transpose" and a.attrs["axes"] is None and len(a.shape) == 2:
        return tidy(node.op, a.args, {})
    return None


@tidies("diag")
def _diag(node: Node) -> Node | None:
    (a,) = node.args
    if kind(a) == "transpose" and len(a.shape) == 2:
        return tidy("diag", a.args, {})
    if kind(a) == "diag" and len(node.shape) == 1:
        return a.args[0]
    if kind(a) == "broadcast" and not a.args[0].shape and len(node.shape) == 1:
        return fit(a.args[0], node.shape)
    if kind(a) == "eye":
        return fit(const(1), node.shape)
    if kind(a) == "broadcast" and not a.args[0].shape and printed():
        return tidy("mul", (a.args[0], make("eye", size=node.shape[0])), {})
    moved = linear(node) or (traces.short_diagonal(a) if len(node.shape) == 1 else None)
    if moved is None and len(node.shape) == 2 and printed():
        return entrywise_diagonal(node)
    return moved


@tidies("solve")
def _solve(node: Node) -> Node | None:
    a, b = node.args
    if vanishes(b):
        return fit(const(0), node.shape)
    if kind(a) == "eye" and len(b.shape) <= 2:
        return b
    factors, rest = scalar_parts(b)
    return scaled(factors, tidy("solve", (a, rest), {})) if factors else None


# -- arrays ----------------------------------------------------------------------------------


@tidies("others")
def _others(node: Node) -> Node | None:
    """Write the product of the others as y/x where y = prod(x) has a name and no entry is 0."""
    a, whole = node.args[0], make("prod", node.args[0])
    if not printed() or len(a.shape) != 1 or whole not in kept() or not positive(a):
        return None
    return tidy("div", (whole, a), {})


@tidies("cumsum")
@tidies("correlate")
@tidies("convolve")
def _linear(node: Node) -> Node | None:
    if vanishes(node.args[0]):
        return fit(const(0), node.shape)
    return linear(node)


@tidies("scatter")
def _scatter(node: Node) -> Node | None:
    """Write one row v in zeros, in the place o, as e_o vᵀ in formulas."""
    moved = _linear(node)
    row, place = node.args
    single = not place.shape and len(row.shape) == 1 and row.dtype == "float"
    if moved is not None or not printed() or not single:
        return moved
    unit = make("onehot", place, size=node.attrs["size"])
    sides = (row, unit) if node.attrs["axis"] else (unit, row)
    return tidy("outer", sides, {})


@tidies("reshape")
def _reshape(node: Node) -> Node | None:
    (a,) = node.args
    if a.shape == node.shape:
        return a
    if kind(a) == "reshape":
        return tidy("reshape", a.args, node.attrs)
    if kind(a) == "broadcast" and not a.args[0].shape:
        return fit(a.args[0], node.shape)
    return linear(node)


@tidies("slice")
@tidies("take")
def _parts(node: Node) -> Node | None:
    a = node.args[0]
    if kind(a) == "broadcast" and not a.args[0].shape:
        return fit(a.args[0], node.shape)
    if kind(a) == "stack" and node.op == "slice":
        axis, key = a.attrs["axis"], node.attrs["key"]
        if key[axis][1:] == (None,):
            return tidy("slice", (a.args[key[axis][0]],), {"key": key[:axis] + key[axis + 1 :]})
    if node.op == "slice" and kind(a) == "slice" and _turned_back(node.attrs["key"], a):
        return a.args[0]
    if node.op == "slice" and all(e == FULL for e in node.attrs["key"]):
        return a
    return linear(node)


def _turned_back(key: tuple[object, ...], whole: Node) -> bool:
    """Say whether a part that is all, in the other order, is turned again."""
    turned = REVERSED in key and all(e in (FULL, REVERSED) for e in key)
    return turned and whole.attrs["key"] == key


@tidies("unslice")
def _unslice(node: Node) -> Node | None:
    if vanishes(node.args[0]):
        return fit(const(0), node.shape)
    if not printed() or not node.args[0].shape:
        return times_unit(node)
    typed = as_typed(node.args[0])  # so that the two parts of its slope have one difference
    if typed is not None:
        return tidy("neg", (tidy("unslice", (typed,), node.attrs),), {})
    return linear(node)


@tidies("part")
def _part(node: Node) -> Node | None:
    (a,) = node.args
    if kind(a) == "broadcast" and not a.args[0].shape:
        return fit(a.args[0], node.shape)
    if kind(a) == "concatenate" and a.attrs["axis"] == node.attrs["axis"]:
        return _piece(node, a)
    return linear(node)


def _piece(node: Node, whole: Node) -> Node | None:
    """Take one of the arrays that were put together."""
    axis, start = node.attrs["axis"], node.attrs["start"]
    behind: Dim = 0
    for piece in whole.args:
        stop = plus(behind, piece.shape[axis])
        if (behind, stop) == (start, node.attrs["stop"]):
            return piece if piece.shape == node.shape else None
        behind = stop
    return None


@tidies("concatenate")
def _concatenate(node: Node) -> Node | None:
    """Move a factor outside where all other parts are zeros."""
    full = [k for k, a in enumerate(node.args) if not vanishes(a)]
    if len(full) != 1 or len(node.args) == 1:
        return None if full else fit(const(0), node.shape)
    factors, rest = scalar_parts(node.args[full[0]])
    if not factors:
        return None
    parts = tuple(rest if k == full[0] else a for k, a in enumerate(node.args))
    return scaled(factors, make("concatenate", *parts, **node.attrs))


@tidies("einsum")
def _einsum(node: Node) -> Node | None:
    """Take numbers out; write what is left as a product where it is one."""
    words, result = subscripts(node.attrs["subscripts"])
    kept = [k for k, word in enumerate(words) if word]
    moved = linear(node)
    if moved is not None:
        return moved
    if len(kept) == len(words) or not kept:
        return None
    word = f"{','.join(words[k] for k in kept)}->{result}"
    rest = einsum.einsum(word, [node.args[k] for k in kept])
    for k, a in enumerate(node.args):
        if k not in kept:
            rest = tidy("mul", (a, rest), {})
    return rest

"""Take reshapes out of what is computed entry by entry: arrays stay as a product has left them.

A convolution leaves (N, F, H V), and what follows is computed of these rows: in the product's
place, and in longer runs beside a number for each channel. What needs the axes apart takes them as
a view.
"""

from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.kinds import VIEWS
from symgrad.codegen.fast.stacks import viewed_once
from symgrad.dims import times
from symgrad.graph import Node, rebuild, topological, unchanged
from symgrad.ops import OPS, make, remake
from symgrad.shapes import Shape, axes_of

MADE = ("matmul", "sum")


def flattened(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Map every node to its image, in which axes that a product has joined stay joined.

    >>> from symgrad.ops import leaf
    >>> P = make("matmul", leaf("W", ("F", "C")), leaf("X", ("N", "C", "H*V")))
    >>> y = make("sin", make("reshape", P, shape=("N", "F", "H", "V")))
    >>> flattened([make("sum", y)], {}, False, "float64")[y].op
    'reshape'
    """
    order = topological(roots)
    if not any([_apart(n) for n in order]):
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if fresh.op == "reshape":
            return viewed_once(fresh, fired) or fresh
        if not any([_apart(a) for a in args]):
            return fresh
        found = _summed(fresh) if fresh.op == "sum" else _entrywise(fresh)
        if found is None:
            return fresh
        count(fired, "axes stay joined in what is computed entry by entry", node)
        return found

    return rebuild(roots, change)


def _apart(node: Node) -> bool:
    """Say whether a view takes the last axis of a stack apart, as a product has left it."""
    if node.op != "reshape":
        return False
    inner, few = node.args[0], len(node.args[0].shape) - 1
    made = inner.op in MADE or (inner.op in OPS and OPS[inner.op].shape == "elementwise")
    joined = 0 < few < len(node.shape) - 1 and node.shape[:few] == inner.shape[:few]
    return made and joined and times(*node.shape[few:]) == inner.shape[few]


def _entrywise(node: Node) -> Node | None:
    """Write f(reshape(x), b) as reshape(f(x, b)), where b does not vary along axes that part."""
    if OPS[node.op].shape != "elementwise":
        return None
    shape = next(a.args[0].shape for a in node.args if _apart(a))
    inner = [_joined(a, node.shape, shape) for a in node.args]
    kept = [a for a in inner if a is not None]
    if len(kept) < len(inner):
        return None
    return make("reshape", make(node.op, *kept, **node.attrs), shape=node.shape)


def _joined(part: Node, whole: Shape, shape: Shape) -> Node | None:
    """Give an operand with the last axes joined, None where that would be a copy."""
    if not part.shape:
        return part
    parting = len(whole) - len(shape) + 1  # axes that are one before
    if part.shape == whole:
        if part.op == "reshape" and part.args[0].shape == shape:
            return part.args[0]
        return None if part.op in VIEWS else make("reshape", part, shape=shape)
    if part.shape[-parting:] != (1,) * parting:
        return None
    rank, axes = len(part.shape), part.attrs["axes"] if part.op == "expand" else ()
    if not set(range(rank - parting, rank)) <= set(axes):
        one = (*part.shape[:-parting], 1)
        return None if part.op in VIEWS else make("reshape", part, shape=one)
    left = tuple(k for k in axes if k <= rank - parting)
    return make("expand", part.args[0], axes=left)


def _summed(node: Node) -> Node | None:
    """Sum over all axes that part, or over none."""
    (view,) = node.args
    (inner,) = view.args
    last, rank = len(inner.shape) - 1, len(view.shape)
    over = axes_of(node.attrs["axis"], rank)
    within = {k for k in over if k >= last}
    if node.attrs["keepdims"] or len(within) not in (0, rank - last):
        return None
    axes = tuple(k for k in over if k <= last)
    every = None if len(axes) == len(inner.shape) else axes[0] if len(axes) == 1 else axes
    total = make("sum", inner, axis=every)
    return total if within else make("reshape", total, shape=node.shape)

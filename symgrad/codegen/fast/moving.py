"""Move axes behind what is computed entry by entry, not before it: arrays stay as they are stored.

A convolution is a product of rows of windows, whose channels come last; f of its transpose is the
transpose of its f. What reads a transpose in the end, windows or rows for another product, takes it
as a view.
"""

from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.stacks import viewed_once
from symgrad.graph import Node, Users, consumers, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import OPS, make, remake
from symgrad.ops.filters import places, spelled
from symgrad.shapes import axes_of

SEEN = ("transpose", "expand", "slice", "broadcast")  # views that a product may read
PRODUCTS = ("matmul", "einsum", "added_products")
DEPTH = 4  # operations below a product's operand
WINDOWED = ("pooled", "unpooled", "box_filter", "box_adjoint")


def moved(roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str) -> dict[Node, Node]:
    """Take transposes of stacks out of elementwise operations, sums and windows added up.

    >>> from symgrad.ops import leaf
    >>> X = make("transpose", leaf("X", ("N", "T", "D")), axes=(0, 2, 1))
    >>> total = make("sum", make("sin", X), axis=(1, 2))
    >>> moved([total], {}, False, "float64")[total].args[0] is make("sin", X.args[0])
    True
    """
    order = topological(roots)
    if not any([n.op == "transpose" and len(n.shape) > 2 for n in order]):
        return unchanged(order)
    users, tops = consumers(order), dict.fromkeys(roots)
    alone = read_once(order, roots)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if fresh.op in ("transpose", "reshape"):
            return viewed_once(fresh, fired) or fresh
        if not any(_moves(a) for a in fresh.args):
            return fresh
        if fresh.op == "overlapped":
            found = _added_up(fresh)
        elif fresh.op in WINDOWED:
            found = _pooled(fresh)
        elif fresh.op == "sum":
            found = _summed(fresh)
            again = found is not None and found.op == found.args[0].op == "sum"
            if found is not None and again and node.args[0] in alone:
                found = _at_once(found)
        elif node in tops or _multiplied(node, users):
            return fresh
        else:
            found = _entrywise(fresh)
        if found is None:
            return fresh
        count(fired, "axes are moved behind what is computed entry by entry", node)
        return found

    return rebuild(roots, change)


def _moves(node: Node) -> bool:
    return node.op == "transpose" and len(node.shape) > 2 and node.attrs["axes"] is not None


def _multiplied(node: Node, users: Users) -> bool:
    """Say whether a product of stacks reads a value, which had better be stored in its order."""
    todo = [u for u, _ in users[node]]
    while todo:
        user = todo.pop()
        if user.op in PRODUCTS:
            return True
        if user.op in SEEN:
            todo += [u for u, _ in users[user]]
    return False


def _entrywise(node: Node) -> Node | None:
    """Write f(x', b) as f(x, b')', where all stacks are transposed alike and b has fewer axes."""
    if OPS[node.op].shape != "elementwise" or len(node.shape) < 3:
        return None
    axes = next((a.attrs["axes"] for a in node.args if a.shape == node.shape and _moves(a)), None)
    if axes is None:
        return None
    inner = [_turned_back(a, axes, node) for a in node.args]
    turned = [a for a in inner if a is not None]
    if len(turned) < len(inner):
        return None
    return make("transpose", make(node.op, *turned, **node.attrs), axes=axes)


def turned_out(node: Node, depth: int = DEPTH) -> Node | None:
    """Write what is computed entry by entry of transposes as a transpose.

    >>> from symgrad.ops import leaf
    >>> X = make("transpose", leaf("X", ("N", "T", "D")), axes=(0, 2, 1))
    >>> turned_out(make("exp", make("sin", X))).args[0] is make("exp", make("sin", X.args[0]))
    True
    """
    if _moves(node):
        return node
    row = OPS.get(node.op)
    if not depth or row is None or row.shape != "elementwise" or len(node.shape) < 3:
        return None
    inner = [turned_out(a, depth - 1) or a if a.shape == node.shape else a for a in node.args]
    return _entrywise(remake(node, tuple(inner))) if any(map(_moves, inner)) else None


def _turned_back(part: Node, axes: tuple[int, ...], whole: Node) -> Node | None:
    """Give an operand in the order that axes have before they are moved."""
    if not part.shape:
        return part
    if part.shape == whole.shape:
        return part.args[0] if _moves(part) and part.attrs["axes"] == axes else None
    bare, rank = part.args[0] if part.op == "expand" else part, len(axes)
    lead = rank - len(part.shape)
    kept = [axes[k + lead] for k, d in enumerate(part.shape) if d != 1]
    if len(bare.shape) != len(kept) or kept != sorted(kept):
        return None
    missing = tuple(k - kept[0] for k in range(kept[0], rank) if k not in kept)
    return make("expand", bare, axes=missing) if missing else bare


def _summed(node: Node) -> Node | None:
    """Sum the same axes where they stand."""
    (stack,) = node.args
    axes, over = stack.attrs["axes"], axes_of(node.attrs["axis"], len(stack.shape))
    if node.attrs.get("keepdims") or any(d == 1 for d in stack.shape):
        return None
    rest = [axes[k] for k in range(len(axes)) if k not in over]
    inside = sorted(axes[k] for k in over)
    if not rest:
        return make("sum", stack.args[0], axis=None)
    total = make("sum", stack.args[0], axis=inside[0] if len(inside) == 1 else tuple(inside))
    order = tuple(sorted(rest).index(k) for k in rest)
    return total if rest == sorted(rest) else make("transpose", total, axes=order)


def _at_once(node: Node) -> Node:
    """Sum over the axes of a sum of a sum together."""
    inner = node.args[0]
    if node.attrs.get("keepdims") or inner.attrs.get("keepdims"):
        return node
    rank = len(inner.args[0].shape)
    first = axes_of(inner.attrs["axis"], rank)
    left = [k for k in range(rank) if k not in first]
    second = [left[k] for k in axes_of(node.attrs["axis"], len(left))]
    axes = tuple(sorted((*first, *second)))
    return make("sum", inner.args[0], axis=axes if len(axes) < rank else None)


def _added_up(node: Node) -> Node | None:
    """Add windows up along the axis where it stands."""
    (stack,) = node.args
    axes, last = stack.attrs["axes"], len(stack.shape) - 1
    if axes[last] != last:
        return None
    attrs = {**node.attrs, "along": axes[node.attrs["along"]]}
    return make("transpose", make("overlapped", stack.args[0], **attrs), axes=axes[:last])


def _pooled(node: Node) -> Node | None:
    """Take largest entries and sums of windows, or their slopes, along axes where they stand."""
    read = node.args[:1] if node.op == "box_adjoint" else node.args  # of the other just the shape
    axes = next((a.attrs["axes"] for a in read if _moves(a)), None)
    if axes is None:
        return None
    back = tuple(axes.index(k) for k in range(len(axes)))
    args = [
        a.args[0] if _moves(a) and a.attrs["axes"] == axes else make("transpose", a, axes=back)
        for a in node.args
    ]
    listed = [(axes[axis], step, gap) for axis, step, gap in places(node.attrs["along"])]
    found = make(node.op, *args, along=spelled(listed), width=node.attrs["width"])
    return make("transpose", found, axes=axes)

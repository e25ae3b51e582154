"""One spelling for what people type in several: signs outside, axes counted from the front.

These steps are silent: they change how something is written, not what is recognised.
"""

from collections.abc import Callable

from symgrad.graph import Node, summands
from symgrad.ops import OPS, const, make, value_of
from symgrad.rewrite.contraction import contracted
from symgrad.rewrite.diagonals import diagonal
from symgrad.rewrite.sliding import slid
from symgrad.rewrite.summed import as_matrices
from symgrad.rewrite.tidy import kept, kind
from symgrad.shapes import axes_of

DEEP = 8  # a sign is looked for this far inside sums and products


def canonical(node: Node) -> Node | None:
    """Give the usual spelling of a node; None if it is spelled so.

    >>> from symgrad.ops import leaf
    >>> x, y = leaf("x"), leaf("y")
    >>> canonical(make("mul", make("neg", x), y)).op
    'neg'
    """
    rule = SPELLINGS.get(node.op)
    result = rule(node) if rule is not None else None
    if result is None and node.op in OPS:
        shape = OPS[node.op].shape
        if shape in ("reduce", "like a"):
            return _axes(node)
        if shape == "elementwise" and len(node.args) == 2:
            return _leading(node)
    return result


def _leading(node: Node) -> Node | None:
    """Leave out leading axes that NumPy adds by itself: x[None, :] beside a column."""
    for k, a in enumerate(node.args):
        if a.op != "expand" or a.attrs["axes"] != tuple(range(len(a.attrs["axes"]))):
            continue
        if len(node.args[1 - k].shape) == len(node.shape):
            parts = (a.args[0], node.args[1]) if k == 0 else (node.args[0], a.args[0])
            slim = make(node.op, *parts, **node.attrs)
            if slim.shape == node.shape:
                return slim
    return None


def _axes(node: Node) -> Node | None:
    """Count the axes of reductions from the front, None for all; the last one of softmax is -1."""
    axis, rank = node.attrs.get("axis"), len(node.args[0].shape)
    if axis is None or not rank:
        return None
    axes = axes_of(axis, rank)
    if OPS[node.op].shape == "like a":
        whole = OPS[node.op].params["axis"] == -1 and isinstance(axis, int)
        usual = -1 if whole and axes == (rank - 1,) else axis
    else:
        usual = axes[0] if len(axes) == 1 else axes
        if len(axes) == rank and not node.attrs.get("keepdims"):
            usual = None
    return None if usual == axis else make(node.op, *node.args, **{**node.attrs, "axis": usual})


def _minus(node: Node) -> Node | None:
    """Write -(-a) as a, -(2*a) as (-2)*a, -(a*(-b) + c*(-d)) as a*b + c*d."""
    inner = node.args[0]
    if inner.op == "mul" and (number := value_of(inner.args[0])) is not None and number < 0:
        return make("mul", const(-number), inner.args[1])
    return _flipped(inner, 0)


def _flipped(node: Node, depth: int) -> Node | None:
    """Write -node without a sign, where one is there to be taken away."""
    if depth > DEEP:
        return None
    if node.op == "neg":
        return node.args[0]
    if node.op in ("add", "sub"):
        parts = [_flipped(a, depth + 1) for a in node.args]
        if parts[0] is None or parts[1] is None:
            return None
        return make(node.op, parts[0], parts[1])
    if node.op in ("mul", "div", "matmul"):
        for k, a in enumerate(node.args):
            part = _flipped(a, depth + 1)
            if part is not None:
                return make(node.op, *(part if j == k else b for j, b in enumerate(node.args)))
    if node.op in ("sum", "mean"):
        inner = _flipped(node.args[0], depth + 1)
        return None if inner is None else make(node.op, inner, **node.attrs)
    return None


def _outside(node: Node) -> Node | None:
    """Write (-a)*b as -(a*b)."""
    for k, a in enumerate(node.args):
        if a.op == "neg":
            args = [a.args[0] if j == k else b for j, b in enumerate(node.args)]
            return make("neg", make(node.op, *args))
    return None


def _power(node: Node) -> Node | None:
    """Write a**(1/2) as sqrt(a), and a quotient of numbers in an exponent as one number."""
    base, power = node.args
    if power.op == "div" and all(value_of(a) is not None for a in power.args):
        top, low = (float(a.attrs["value"]) for a in power.args)
        return make("pow", base, const(top / low)) if low else None
    if base.op == "norm" and value_of(power) == 2:  # ||r||^2
        return make("sum", make("pow", base.args[0], power), **base.attrs)
    return make("sqrt", base) if value_of(power) == 0.5 else None


def _total(node: Node) -> Node | None:
    """Join max(z, 0) and log(1 + exp(-|z|)), which are smooth together: a softplus."""
    ops = [a.op for a in node.args]
    sums = all(op in ("add", "sub") for op in ops)
    if not node.shape and not sums and "softplus" not in ops and "relu" not in ops:
        return None  # what could be joined within one term has been
    listed = summands(node, lambda n: n.op != "neg", DEEP)
    for j, (rest, less) in enumerate(listed):
        if rest.op != "softplus" or rest.args[0].op != "neg" or rest.args[0].args[0].op != "abs":
            continue
        z = rest.args[0].args[0].args[0]
        tops = [k for k, (t, also) in enumerate(listed)
                if also == less and t.op == "relu" and t.args[0] is z]  # fmt: skip
        if not tops:
            continue
        total = make("softplus", z)
        total = make("neg", total) if less else total
        for k, (term, minus) in enumerate(listed):
            if k not in (j, tops[0]):  # equal terms stay
                total = make("sub" if minus else "add", total, term)
        return total if total.shape == node.shape else None
    return None


def _variance(node: Node) -> Node | None:
    """Write mean(a**2) - mean(a)**2, which cancels, as the variance."""
    first, second = node.args
    middle = squared(second)
    if first.op != "mean" or middle is None or middle.op != "mean":
        return None
    a = squared(first.args[0])
    if a is None or middle.args[0] is not a or middle.attrs != first.attrs:
        return None
    return make("var", a, **first.attrs)


def _turned(node: Node) -> Node | None:
    """Leave out a transpose that keeps all axes in place; reversing all of them needs no list."""
    axes, rank = node.attrs["axes"], len(node.shape)
    if rank < 2:
        return node.args[0]
    if axes is None:
        twice = kind(node.args[0]) == "transpose" and node.args[0].attrs["axes"] is None
        return node.args[0].args[0] if twice else None
    axes = tuple(k % rank for k in axes)
    if axes == tuple(range(rank)):
        return node.args[0]
    usual = None if axes == tuple(reversed(range(rank))) else axes
    return None if usual == node.attrs["axes"] else make("transpose", node.args[0], axes=usual)


def _length(node: Node) -> Node | None:
    """Write the norm of a number as its absolute value."""
    return None if node.args[0].shape else make("abs", node.args[0])


def squared(node: Node) -> Node | None:
    """Give a where the node is a**2 in any spelling."""
    if node.op == "pow" and value_of(node.args[1]) == 2:
        return node.args[0]
    if node.op == "square":
        return node.args[0]
    return node.args[0] if node.op == "mul" and node.args[0] is node.args[1] else None


def _settled(node: Node) -> Node | None:
    """Take the branch of a condition between numbers."""
    c = node.args[0]
    pair = [value_of(a) for a in c.args] if c.op in ("ne", "eq") else [value_of(c), 0]
    if len(pair) != 2 or pair[0] is None or pair[1] is None:
        return None
    branch = node.args[1 if (pair[0] == pair[1]) == (c.op == "eq") else 2]
    return branch if branch.shape == node.shape else None


SPELLINGS: dict[str, Callable[[Node], Node | None]] = {
    "neg": _minus, "mul": _outside, "div": _outside, "pow": _power, "add": _total,
    "sub": lambda node: _variance(node) or _total(node),
    "sum": lambda node: diagonal(node) or contracted(node) or as_matrices(node, kept()),
    "matmul": slid, "where": _settled, "norm": _length, "transpose": _turned,
}  # fmt: skip

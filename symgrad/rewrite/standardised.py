"""Recognise what is standardised: (a - mean(a))/sqrt(var(a) + eps), along any axes.

In code a variance is the mean square of a - mean(a) where that is there.
"""

from collections.abc import Iterable

from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.ops import const, make, remake, value_of
from symgrad.shapes import axes_of

SPREADS = ("var", "std")


def standardised(node: Node) -> Node | None:
    """Write (a - mean(a))/sqrt(var(a) + eps) as one operator, whose gradient is compact.

    >>> from symgrad.parse import parse
    >>> graph = parse("x: real[N]; (x - mean(x))/sqrt(var(x) + 0.01)")
    >>> standardised(graph.output).op
    'standardize'
    """
    centred, root = node.args
    if centred.op == "mul":  # gamma*(a - mean(a))/sqrt(…)
        for k, factor in enumerate(centred.args):
            if factor.op == "sub" and factor.shape == node.shape:
                inner = standardised(make("div", factor, root))
                if inner is not None:
                    pair = (inner, centred.args[1]) if k == 0 else (centred.args[0], inner)
                    return make("mul", *pair)
    if centred.op != "sub" or _bare(root).op != "sqrt" or node.shape != centred.shape:
        return None
    inside = _bare(root).args[0]
    if inside.op != "add":
        return None
    a, mean = centred.args
    middle = _bare(mean)
    if middle.op != "mean" or middle.args[0] is not a:
        return None
    for variance, eps in (inside.args, inside.args[::-1]):
        spread = _bare(variance)
        if eps.shape or spread.attrs.get("axis", ()) != middle.attrs["axis"]:
            continue
        typed = spread.op == "mean" and spread.args[0].op == "pow"
        base, power = spread.args[0].args if typed else (None, None)
        squared = typed and base is centred and power is not None and value_of(power) == 2
        if squared or (spread.op == "var" and spread.args[0] is a):
            grown = variance if root.op != "expand" else make("expand", variance, **root.attrs)
            return make("standardize", a, mean, grown, eps, axis=middle.attrs["axis"])
    return None


def variances(roots: Iterable[Node]) -> dict[Node, Node]:
    """Map every node to its image: var(a) and std(a) take the a - mean(a) that slopes have.

    >>> from symgrad.ops import leaf
    >>> a = leaf("a", ("N", "D"))
    >>> centred = make("sub", a, make("mean", a, axis=1, keepdims=True))
    >>> variances([make("var", a, axis=1), centred])[make("var", a, axis=1)].op
    'mean'
    """
    roots = tuple(roots)
    order = topological(roots)
    if not having(order, *SPREADS):
        return unchanged(roots)
    centred: dict[tuple[Node, tuple[int, ...]], Node] = {}
    for node in order:
        for a, spread in (node.args, node.args[::-1]) if node.op == "sub" else ():
            if a.shape == node.shape and (axes := _mean_of(a, spread)):
                centred.setdefault((a, axes), node)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        axes = axes_of(node.attrs["axis"], len(args[0].shape)) if node.op in SPREADS else ()
        about = centred.get((fresh.args[0], axes)) if axes else None
        if about is None:
            return fresh
        variance = make("mean", make("pow", about, const(2)), **node.attrs)
        return variance if node.op == "var" else make("sqrt", variance)

    return rebuild(roots, change)


def _mean_of(a: Node, spread: Node) -> tuple[int, ...]:
    """Give the axes along which a row or column is the mean of an array, as it stands beside it."""
    mean = _bare(spread)
    if mean.op != "mean" or mean.args[0] is not a or not a.shape:
        return ()
    axes = axes_of(mean.attrs["axis"], len(a.shape))
    whole = len(axes) == len(a.shape)
    beside = mean.attrs["keepdims"] or whole or axes == tuple(range(len(axes)))
    if spread.op == "expand":
        beside = not mean.attrs["keepdims"] and axes_of(spread.attrs["axes"], len(a.shape)) == axes
    return axes if beside else ()


def _bare(node: Node) -> Node:
    """Look through inserted axes of length 1."""
    return node.args[0] if node.op == "expand" else node

"""Recognise what is standardised: (a - mean(a))/sqrt(var(a) + eps), along any axes."""

from symgrad.graph import Node
from symgrad.ops import make, value_of


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


def _bare(node: Node) -> Node:
    """Look through inserted axes of length 1."""
    return node.args[0] if node.op == "expand" else node

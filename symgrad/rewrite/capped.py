"""Exponentials inside of what is flat far out, tanh(exp(x)) or exp(-exp(x)): the slopes are finite.

The slope of tanh is 0 where exp(x) overflows, and 0 times infinity is no number: a large number in
place of infinity changes no value there.
"""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, rebuild, topological
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake, value_of
from symgrad.rewrite.peaks import LOGS, lifted
from symgrad.rewrite.removable import removable

# far out on both sides, and below
FLAT = ("tanh", "erf", "sigmoid", "normal_cdf", "normal_pdf", "gaussian", "arctan", "softsign")
BELOW = ("exp", "expm1", "softplus", "elu", "selu", "celu", "silu", "gelu", "mish", "relu")


def kept_finite(
    image: dict[Node, Node], outputs: Iterable[Node], names: Iterable[Node], mode: str
) -> dict[Node, Node]:
    """Map nodes on to images that do not overflow: sums of exponentials, and what is flat."""
    filled = removable(image.values(), mode)
    image = {n: filled[i] for n, i in image.items()}
    ops = dict.fromkeys([n.op for n in image.values()])
    if not any(op in ops for op in LOGS) and not _grows(ops):
        return image
    tops, named = ([image[n] for n in some if n in image] for some in (outputs, names))
    changed = lifted([*tops, *named], named, mode == "accurate")
    ends = capped([changed[t] for t in tops], [changed[n] for n in named])
    return {n: ends.get(changed.get(i, i), i) for n, i in image.items()}


def capped(roots: Iterable[Node], named: Iterable[Node] = ()) -> dict[Node, Node]:
    """Write exp(x) with an upper end where only a function reads it that is flat there.

    Nodes that are `named`, but no roots, are mapped too.

    >>> from symgrad.ops import leaf
    >>> e = make("exp", leaf("x"))
    >>> y = make("tanh", make("neg", e))
    >>> capped([y])[y].args[0].args[0].op, capped([y, e])[y].args[0].args[0].op
    ('exp_capped', 'exp')
    """
    roots = tuple(roots)
    order = topological([*roots, *named])
    if not _grows(dict.fromkeys([n.op for n in order])):
        return {n: n for n in order}
    flat = [n for n in order if n.op in FLAT or n.op in BELOW]
    alone = read_once(order, roots)
    found = dict.fromkeys(e for node in flat for e in _inside(node, alone))

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        return make("exp_capped", *args) if node in found else remake(node, args)

    return rebuild(order, change)


def _grows(ops: Collection[str]) -> bool:
    """Say whether exponentials, and what is flat far out, are among some operators."""
    return "exp" in ops and any(op in ops for op in (*FLAT, *BELOW))


def _inside(node: Node, alone: dict[Node, None]) -> list[Node]:
    """List the exponentials in the sum that a function takes: all, or those subtracted."""
    found: list[Node] = []
    todo = [(node.args[0], False)]
    while todo:
        part, negative = todo.pop()
        if part not in alone:
            continue
        if part.op == "exp":
            found += [part] if negative or node.op in FLAT else []
        elif part.op in ("add", "sub"):
            todo += [(part.args[0], negative), (part.args[1], negative != (part.op == "sub"))]
        elif part.op == "neg":
            todo.append((part.args[0], not negative))
        elif part.op in ("mul", "div"):
            for k, c in enumerate(part.args):
                number = value_of(c)
                if number and (part.op == "mul" or k == 1):
                    todo.append((part.args[1 - k], negative != (number < 0)))
    return found

"""Products of a value with its own logarithm, in slopes: x log x is 0 at 0, for code.

x**2 log x has the slope 2 x log x + x. What the user types is 0 log 0 = 0 by recognition (`coded`);
this is for what differentiation makes of it: there log 0 is 0, because what it is multiplied by is.
"""

from collections.abc import Collection, Iterable, Mapping

from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.canonical import squared
from symgrad.rewrite.signs import positive

LOGS = ("log", "logabs")
THROUGH = ("add", "sub", "neg", "mul", "expand", "broadcast")
MOST = 16  # parts that are looked through


def vanishing(roots: Iterable[Node]) -> dict[Node, Node]:
    """Map every node to its image: in x (1 + log|x|) the logarithm of 0 is 0.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x", ("N",)); y = make("mul", x, make("log", x))
    >>> vanishing([y])[y].args[1].args[0].op
    'where'
    """
    roots = tuple(roots)
    order = topological(roots)
    if not having(order, *LOGS):
        return unchanged(order)
    logs: dict[Node, tuple[Node, ...]] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        logs[node] = _logarithms(node, logs)
        if len(args) == 2 and (node.op == "mul" or _along_one(node)):
            pair = list(args)
            for k in (0, 1):
                bases = _bases(node.args[1 - k]) if logs.get(node.args[k]) else ()
                if any(_bare(log) in bases for log in logs.get(node.args[k], ())):
                    pair[k] = _guarded(args[k], bases)
            image = remake(node, tuple(pair))
            return image if image.shape == node.shape else remake(node, args)
        return remake(node, args)

    return rebuild(roots, change)


def _along_one(node: Node) -> bool:
    """Say whether an einsum multiplies entries ab with entries abc."""
    if node.op != "einsum":
        return False
    spec = str(node.attrs["subscripts"]).partition("->")[0].split(",")
    return len(spec) == 2 and (spec[1].startswith(spec[0]) or spec[0].startswith(spec[1]))


def _bases(factor: Node) -> dict[Node, None]:
    """List what a product is 0 with: x of x**2 and |x| y."""
    found: dict[Node, None] = {}
    todo = [factor]
    while todo and len(found) < MOST:
        part = todo.pop()
        found[part] = None
        if part.op in ("mul", "neg", "abs", "square", "expand"):
            todo += part.args
        elif part.op == "div" or (part.op == "pow" and (value_of(part.args[1]) or 0) > 0):
            todo.append(part.args[0])
    return found


def _logarithms(node: Node, known: Mapping[Node, tuple[Node, ...]]) -> tuple[Node, ...]:
    """List the logarithms, maybe of 0, that are factors of terms of a sum."""
    if node.op in LOGS:
        return () if positive(node.args[0]) else (node,)
    if not _linear(node):
        return ()
    return tuple(dict.fromkeys(log for a in node.args for log in known.get(a, ())))[:MOST]


def _linear(node: Node) -> bool:
    """Say whether a term of a node is one of its operand, and has no logarithm below it."""
    return node.op in THROUGH or (node.op == "div" and node.args[1].op in ("const", "dim", "input"))


def _bare(log: Node) -> Node:
    """Give what is 0 where the operand of a logarithm is: v for |v|, v**2 and for its norm."""
    (a,) = log.args
    while a.op in ("abs", "square") or (a.op == "pow" and (value_of(a.args[1]) or 0) > 0):
        a = a.args[0]
    if a.op == "norm":
        return a.args[0]
    if a.op == "sum":
        return squared(a.args[0]) or a
    return a


def _guarded(root: Node, bases: Collection[Node]) -> Node:
    """Write logarithms of what is 0 with the other factor so that they are 0 there."""

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op in LOGS and _bare(node) in bases and args[0].op != "where":
            (a,) = args
            return make(node.op, make("where", make("eq", a, const(0)), const(1), a))
        return remake(node, args)

    def stays(node: Node) -> bool:
        return node.op not in LOGS and not _linear(node)

    memo = {n: n for n in topological([root], stop=stays) if stays(n)}
    return rebuild([root], change, memo)[root]

"""Share what several values need: one exponential, one difference, the product that is there."""

from symgrad.codegen.fast.fired import count
from symgrad.codegen.fast.schedule import turned
from symgrad.graph import Node, consumers, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake, value_of
from symgrad.parse.rows import written
from symgrad.rewrite.opposites import Opposites, recurring
from symgrad.rewrite.scaled import Key as Product
from symgrad.shapes import axes_of

PARTNERED = ("sigmoid", "solve", "xlogy", "winner")
SIGNED = ("const", "neg")  # numbers that may have a sign
ENTRY = "target(a - amax(a, -1, True), b) - log(sum(exp(a - amax(a, -1, True)), -1))"
ENTRY_OF_COLUMN = "target(a.T, b) - amax(a, 0) - log(sum(exp(a - amax(a, 0, True)), 0))"
ADDED = ("add", "sub", "unslice")  # which take a part less


def partners(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Compute a value from another that is there: a sigmoid from softplus, b - a from a - b."""
    order = topological(roots)
    bare = recurring(order)
    if bare is None and not any([n.op in PARTNERED for n in order]):
        return unchanged(order)
    there = _There(order, bare or {})

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op in PARTNERED and not accurate and (found := there.partner(node, args, fired)):
            return found
        found = there.opposites.changed(fresh)
        if found is not fresh and node.op == "sub":
            count(fired, "b - a from a - b, which is there", node)
        return found

    return rebuild(roots, change)


class _There:
    """Hold what a program computes anyway."""

    def __init__(self, order: tuple[Node, ...], bare: dict[Product, None]) -> None:
        self.smooth = dict.fromkeys(n.args[0] for n in having(order, "softplus"))
        # max(a, 0) - a*b + log1p(exp(-|a|)) has made the two parts of a softplus
        self.smooth |= dict.fromkeys(
            n.args[0].args[0].args[0].args[0] for n in order
            if n.op == "log1p" and n.args[0].op == "exp" and n.args[0].args[0].op == "neg"
            and n.args[0].args[0].args[0].op == "abs"
        )  # fmt: skip
        self.logarithms = {n.args[0]: n for n in having(order, "log")}
        self.inverses = dict.fromkeys(n.args[0] for n in having(order, "inv"))
        self.largest = dict.fromkeys(map(_largest, order))
        self.opposites = Opposites(bare=bare)

    def partner(self, node: Node, args: tuple[Node, ...], fired: dict[str, int]) -> Node | None:
        """Compute a value from another one; None where there is none."""
        if node.op == "sigmoid" and node.shape and make("neg", node.args[0]) in self.smooth:
            count(fired, "sigmoid from softplus, which is there", node)
            return make("exp", make("neg", make("softplus", make("neg", args[0]))))
        if node.op == "sigmoid" and node.shape and node.args[0] in self.smooth:
            count(fired, "sigmoid from softplus, which is there", node)
            # a - softplus(a), without the difference of two infinities
            rest = make("log1p", make("exp", make("neg", make("abs", args[0]))))
            return make("exp", make("sub", make("minimum", args[0], const(0)), rest))
        if node.op == "solve" and node.args[0] in self.inverses:
            count(fired, "a solution from the inverse, which is there", node)
            return make("matmul", make("inv", args[0]), args[1])
        if node.op == "xlogy" and node.shape and node.args[1] in self.logarithms:
            count(fired, "a log b from log b, which is there", node)
            return written("where(a == 0, 0, a*log(b))", args)
        if node.op == "winner" and (found := self._attained(node, args)) is not None:
            count(fired, "the place of the largest entry from its value, which is there", node)
            return found
        return None

    def _attained(self, node: Node, args: tuple[Node, ...]) -> Node | None:
        """Mark where the last axis has its largest entry by comparing with it.

        Of equal ones the first counts, and winner takes that of conditions too.
        """
        (a,), rank = node.args, len(node.shape)
        if rank < 2 or axes_of(node.attrs["axis"], rank) != (rank - 1,):
            return None
        least = a.op == "neg" and ("amin", a.args[0], rank - 1) in self.largest
        if not least and ("amax", a, rank - 1) not in self.largest:
            return None
        whole = args[0].args[0] if least else args[0]
        top = make("amin" if least else "amax", whole, axis=rank - 1)
        held = make("le" if least else "ge", whole, make("expand", top, axes=(rank - 1,)))
        return make("winner", held, axis=rank - 1)


def _largest(node: Node) -> tuple[str, Node, int] | None:
    """Say of what along one axis a node is the largest or the smallest entries."""
    if node.op not in ("amax", "amin") or not node.shape:
        return None
    (a,) = node.args
    axes = axes_of(node.attrs["axis"], len(a.shape))
    return (node.op, a, axes[0]) if len(axes) == 1 else None


def opposed(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Write -c x as the opposite of c x where that is computed too: a sum takes it as a part less.

    >>> from symgrad.ops import leaf
    >>> x, y, c = leaf("x", ("N",)), leaf("y", ("N",)), leaf("c")
    >>> less = make("add", y, make("mul", make("neg", c), x))
    >>> opposed([make("mul", c, x), less], {}, False, "float64")[less].op
    'sub'
    """
    order = topological(roots)
    products = [(n, k) for n in having(order, "mul") if n.shape for k in (0, 1)]
    signed = {n: k for n, k in products if n.args[k].op in SIGNED and _without_sign(n.args[k])}
    users = consumers(order) if signed else {}
    turned = {}
    for node, k in signed.items():
        other, opposite = node.args[1 - k], _without_sign(node.args[k])
        if opposite is None or any(u.op not in ADDED for u, _ in users[node]):
            continue
        if make("mul", *((other, opposite) if k else (opposite, other))) in users:
            turned[node] = k

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in turned and (number := _without_sign(args[turned[node]])) is not None:
            count(fired, "a product is subtracted, not its opposite added", node)
            inner = (number if j == turned[node] else a for j, a in enumerate(args))
            return make("neg", make("mul", *inner))
        if node.op == "add" and node.shape:
            for a, b in (args, args[::-1]):
                if b.op == "neg" and b.shape and a.dtype == "float":
                    return make("sub", a, b.args[0])
        if node.op == "sub" and args[1].op == "neg" and args[1].shape:
            return make("add", args[0], args[1].args[0])
        if node.op == "sub" and args[0].op == "neg" and args[0].shape == args[1].shape:
            return make("neg", make("add", args[0].args[0], args[1]))
        return remake(node, args)

    return rebuild(roots, change) if turned else unchanged(order)


def _without_sign(number: Node) -> Node | None:
    """Give c of a number -c; None where it has no sign."""
    if number.shape:
        return None
    value = value_of(number)
    if value is not None:
        return const(-value) if value < 0 else None
    return number.args[0] if number.op == "neg" else None


def flipped(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Write -(a - b) as b - a where nothing else reads the difference: a pass less.

    >>> from symgrad.ops import leaf
    >>> a, b = leaf("a", ("N",)), leaf("b", ("N",))
    >>> y = make("neg", make("mul", make("sub", a, b), a))
    >>> flipped([y], {}, False, "float64")[y].args[0] is make("sub", b, a)
    True
    """
    order = topological(roots)
    if not any(n.shape for n in having(order, "neg")):
        return unchanged(order)
    alone = read_once(order, roots)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op != "neg" or not node.shape or node.args[0] not in alone:
            return fresh
        inner, old = args[0], node.args[0]
        if inner.op == "sub":
            return make("sub", *reversed(inner.args))
        if inner.op in ("mul", "div") and len(old.args) == 2:
            for k, part in enumerate(inner.args):
                if part.op == "sub" and part.shape and old.args[k] in alone:
                    turned = make("sub", *reversed(part.args))
                    return make(
                        inner.op, *(turned if j == k else a for j, a in enumerate(inner.args))
                    )
        return fresh

    return rebuild(roots, change)


def shared(node: Node, fired: dict[str, int], accurate: bool) -> Node:
    """Take one exponential for softmax and its logarithm; pick before subtracting."""
    if accurate:
        return node
    if node.op == "exp" and node.args[0].op == "log_softmax":
        count(fired, "softmax and its logarithm share their exponentials", node)
        inner = node.args[0]
        return make("softmax", inner.args[0], axis=inner.attrs["axis"])
    if node.op == "pick" and (text := _entry_of(node.args[0])):
        count(fired, "only the entry at the label is taken of log softmax", node)
        table = node.args[0].args[0] if turned(node.args[0]) else node.args[0]
        return written(text, (table.args[0], node.args[1]))
    return node


def _entry_of(table: Node) -> str:
    """Say how an entry of each row of log softmax is computed, without the others."""
    logs = table.args[0] if turned(table) else table
    if logs.op != "log_softmax":
        return ""
    last = logs.attrs["axis"] in (-1, len(logs.shape) - 1)
    if last != turned(table):
        return ENTRY if last else ENTRY_OF_COLUMN
    return ""

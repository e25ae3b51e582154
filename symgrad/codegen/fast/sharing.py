"""Share what several values need: one exponential, one difference, the product that is there."""

from symgrad.codegen.fast.fired import count
from symgrad.graph import Node, rebuild, topological
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake
from symgrad.parse.rows import written
from symgrad.rewrite.opposites import Opposites, recurring

PARTNERED = ("sigmoid", "solve", "xlogy")


def partners(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Compute a value from another that is there: a sigmoid from softplus, b - a from a - b."""
    order = topological(roots)
    if not recurring(order) and not any([n.op in PARTNERED for n in order]):
        return {n: n for n in order}
    there = _There(order)

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

    def __init__(self, order: tuple[Node, ...]) -> None:
        self.smooth = dict.fromkeys(n.args[0] for n in order if n.op == "softplus")
        # max(a, 0) - a*b + log1p(exp(-|a|)) has made the two parts of a softplus
        self.smooth |= dict.fromkeys(
            n.args[0].args[0].args[0].args[0] for n in order
            if n.op == "log1p" and n.args[0].op == "exp" and n.args[0].args[0].op == "neg"
            and n.args[0].args[0].args[0].op == "abs"
        )  # fmt: skip
        self.logarithms = {n.args[0]: n for n in order if n.op == "log"}
        self.inverses = dict.fromkeys(n.args[0] for n in order if n.op == "inv")
        self.opposites = Opposites()

    def partner(self, node: Node, args: tuple[Node, ...], fired: dict[str, int]) -> Node | None:
        """Compute a value from another one; None where there is none."""
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
        return None


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
    if not any(n.op == "neg" and n.shape for n in order):
        return {n: n for n in order}
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
    if node.op == "pick" and node.args[0].op == "log_softmax":
        scores = node.args[0].args[0]
        if node.args[0].attrs["axis"] in (-1, len(scores.shape) - 1):
            count(fired, "only the entry at the label is taken of log softmax", node)
            return written(
                "target(a - amax(a, -1, True), b) - log(sum(exp(a - amax(a, -1, True)), -1))",
                (scores, node.args[1]),
            )
    return node

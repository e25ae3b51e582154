"""Share what several values need: one exponential, one difference, the product that is there."""

from symgrad.codegen.fast.fired import count
from symgrad.graph import Node, rebuild, topological
from symgrad.ops import const, make, remake
from symgrad.parse.rows import written


def partners(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Compute a value from another that is there: a sigmoid from softplus, b - a from a - b."""
    order = topological(roots)
    smooth = dict.fromkeys(n.args[0] for n in order if n.op == "softplus")
    # max(a, 0) - a*b + log1p(exp(-|a|)) has made the two parts of a softplus
    smooth |= dict.fromkeys(
        n.args[0].args[0].args[0].args[0] for n in order
        if n.op == "log1p" and n.args[0].op == "exp" and n.args[0].args[0].op == "neg"
        and n.args[0].args[0].args[0].op == "abs"
    )  # fmt: skip
    logarithms = {n.args[0]: n for n in order if n.op == "log"}
    differences: dict[tuple[Node, Node], Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op == "sigmoid" and node.shape and node.args[0] in smooth and not accurate:
            count(fired, "sigmoid from softplus, which is there", node)
            # a - softplus(a), without the difference of two infinities
            rest = make("log1p", make("exp", make("neg", make("abs", args[0]))))
            return make("exp", make("sub", make("minimum", args[0], const(0)), rest))
        if node.op == "xlogy" and node.shape and node.args[1] in logarithms and not accurate:
            count(fired, "a log b from log b, which is there", node)
            return written("where(a == 0, 0, a*log(b))", args)
        if fresh.op == "sub" and fresh.shape:
            a, b = (_bare(x) for x in fresh.args)
            known = differences.get((b, a))
            if known is not None and known.shape == fresh.shape:
                count(fired, "b - a from a - b, which is there", node)
                return make("neg", known)
            differences.setdefault((a, b), fresh)
        return fresh

    return rebuild(roots, change)


def _bare(node: Node) -> Node:
    """Leave out axes that are put in front: NumPy does it by itself."""
    if node.op == "expand" and node.attrs["axes"] == tuple(range(len(node.attrs["axes"]))):
        return node.args[0]
    return node


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

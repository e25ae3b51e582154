"""Differences of a score and the logarithm of a sum of exponentials: entries of log_softmax."""

from symgrad.graph import Node
from symgrad.ops import make
from symgrad.rewrite import exponents
from symgrad.shapes import axes_of


def difference(node: Node) -> Node | None:
    """lse(Z) - Z[y] = -log_softmax(Z)[y]; a - log(exp(a) + exp(b)) = -softplus(b - a)."""
    pair = node.args
    if node.op == "add":  # -Z[y] + lse(Z)
        negated = [k for k, a in enumerate(pair) if a.op == "neg"]
        if len(negated) != 1:
            return None
        (k,) = negated
        pair = (pair[1 - k], pair[k].args[0])
    for sign, (a, total) in ((1, pair), (-1, pair[::-1])):
        while total.op == "neg" and a.op == "neg":
            sign, a, total = -sign, a.args[0], total.args[0]
        result = _shifted(a, total)
        if result is not None and result.shape == node.shape:
            return result if sign > 0 else make("neg", result)
    return None


def _shifted(a: Node, total: Node) -> Node | None:
    if total.op == "logaddexp" and a in total.args:
        other = total.args[1] if a is total.args[0] else total.args[0]
        return exponents.minus_softplus(make("sub", other, a))
    if total.op == "mean" == a.op and total.attrs == a.attrs and _pair(a.args[0], total.args[0]):
        return make("mean", make("sub", a.args[0], total.args[0]), **a.attrs)
    if a.op == "sum" and a.args[0].op == "mul" and total.op == "logsumexp":
        return _expected(a, total)
    if not _pair(a, total):
        return None
    source = total.args[0]
    axes = axes_of(total.attrs["axis"], len(source.shape))
    last = axes == (len(source.shape) - 1,)
    logs = make("log_softmax", source, axis=-1 if last else axes[0] if len(axes) == 1 else axes)
    if a.op not in ("pick", "slice"):  # a member of a stack
        k = source.args.index(a)
        key = ((k, None), *((0, "end") for _ in source.shape[1:]))
        return make("slice", logs, key=key)
    return make(a.op, logs, *a.args[1:], **a.attrs)


def _expected(a: Node, total: Node) -> Node | None:
    """Write sum(T*Z) - lse(Z) as sum(T*log_softmax(Z)) where the rows of T sum to 1."""
    source = total.args[0]
    last = axes_of(total.attrs["axis"], len(source.shape)) == (len(source.shape) - 1,)
    for weights, scores in (a.args[0].args, a.args[0].args[::-1]):
        known = weights.op == "input" and weights.attrs["kind"] in ("onehot", "simplex")
        if known and scores is source and last and a.attrs == total.attrs:
            logs = make("log_softmax", source, axis=-1)
            return make("sum", make("mul", weights, logs), **a.attrs)
    return None


def _pair(a: Node, total: Node) -> bool:
    """Say whether `a` is an entry of what a log-sum-exp adds up along the last axis."""
    if total.op != "logsumexp" or total.attrs["keepdims"]:
        return False
    source = total.args[0]
    axes = axes_of(total.attrs["axis"], len(source.shape))
    if source.op == "stack" and axes == (0,) and a in source.args:
        return True
    if a.op == "pick":
        return a.args[0] is source and axes == (len(source.shape) - 1,)
    if a.op != "slice" or a.args[0] is not source:
        return False
    return all((len(p) > 1 and p[1] is None) == (k in axes) for k, p in enumerate(a.attrs["key"]))

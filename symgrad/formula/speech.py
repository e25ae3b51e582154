"""Say a formula in the words of the program: log p where p has a name, not softplus(-z)."""

from collections.abc import Collection, Iterable

from symgrad.autodiff import substitute
from symgrad.graph import Graph, Node, topological
from symgrad.ops import const, make

TYPED = ("softplus", "logsigmoid")


def with_logs(roots: Iterable[Node], named: Collection[Node], typed: Graph) -> dict[Node, Node]:
    """Write softplus(z) as -log(1 - p) and softplus(-z) as -log(p), where p = sigma(z) has a name.

    Not if the program itself speaks of softplus.
    """
    roots = tuple(roots)
    same = {root: root for root in roots}
    known = {p.args[0]: p for p in named if p.op == "sigmoid"}
    if not known or any(n.op in TYPED for n in typed.order()):
        return same
    images: dict[Node, Node] = {}
    for node in topological(roots):
        if node.op != "softplus":
            continue
        (u,) = node.args
        opposite = u.args[0] if u.op == "neg" else make("neg", u)
        if u in known:
            images[node] = make("neg", make("log", make("sub", const(1), known[u])))
        elif opposite in known:
            images[node] = make("neg", make("log", known[opposite]))
    return {root: substitute(root, images) for root in roots} if images else same


def spoken(root: Node, beside: Iterable[Node] = ()) -> Node:
    """Write log softmax(z) as log p where p = softmax(z) is in the formulas too."""
    order = topological([root])
    logs = [n for n in order if n.op == "log_softmax"]
    if not logs:
        return root
    known = {(n.args, n.attrs["axis"]) for n in topological([root, *beside]) if n.op == "softmax"}
    logs = [n for n in logs if (n.args, n.attrs["axis"]) in known]
    images = {n: make("log", make("softmax", *n.args, **n.attrs)) for n in logs}
    return substitute(root, images) if images else root

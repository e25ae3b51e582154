"""Reverse mode on the graph: adjoints are nodes again, so the gradient of a gradient works.

Branches are summed, broadcasts are undone here (never inside a rule), and only what leads to a
wanted node is visited.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

from symgrad import shapes
from symgrad.errors import ShapeError
from symgrad.graph import Node, depends, intern, rebuild, topological
from symgrad.ops import const, make, remake
from symgrad.ops.spec import LETTERS
from symgrad.parse import contribution, formula, has_rule
from symgrad.shapes import Shape

SHORT = 8  # parts of an adjoint that are added in the order of the program
FEW = 2  # the same of products in code, where what is added at once need not be kept


@dataclass(frozen=True, slots=True)
class Adjoints:
    """Hold the result of a sweep.

    `total` maps a node to its adjoint; `edges` maps (consumer, operand index) to what that use
    of the operand contributes; `order` lists the visited nodes, output first.
    """

    total: dict[Node, Node]
    edges: dict[tuple[Node, int], Node]
    order: tuple[Node, ...]


def sweep(
    root: Node,
    wrt: Iterable[Node],
    seed: Node | None = None,
    settle: Callable[[Node, Node], Node] | None = None,
    mode: str = "printed",
) -> Adjoints:
    """Differentiate `root` with respect to the nodes `wrt`, which need not be inputs.

    A long sum is added in the order in which its terms are known, so that none has to wait: the
    weights of a recurrent network get one from each step, the last step's first.
    `settle(node, adjoint)` may replace a finished adjoint by an equal node (a shorter one).
    `mode` chooses among the rules of a row: "printed", "code" or "accurate".

    >>> from symgrad.ops import leaf
    >>> x = leaf("x"); y = make("mul", x, x)
    >>> len(sweep(y, [x]).edges)
    2
    """
    wanted = tuple(dict.fromkeys(wrt))
    order = topological([root])
    active = depends(order, [w for w in wanted])
    # parts of adjoints, each with how many nodes had been visited when its consumer's was known
    pending: dict[Node, list[tuple[int, Node]]] = {root: [(0, const(1) if seed is None else seed)]}
    known: dict[Node, int] = {}  # how many had been visited when a node's last part was there
    total: dict[Node, Node] = {}
    edges: dict[tuple[Node, int], Node] = {}
    visited = []
    for node in reversed(order):
        if node not in pending or node not in active:
            continue
        parts = pending.pop(node)
        weighed = mode != "printed" and any(part.op == "matmul" for _, part in parts)
        if len(parts) > (FEW if weighed else SHORT):
            parts.sort(key=itemgetter(0))
        g = parts[0][1]
        for _, part in parts[1:]:
            g = _plus(g, part, node.shape)
        if settle is not None:
            g = settle(node, g)
        total[node] = g
        visited.append(node)
        for k, operand in enumerate(node.args):
            if operand not in active:
                continue
            share = local(node, k, g, mode)
            if share is None:
                continue
            share = unbroadcast(share, operand.shape)
            edges[node, k] = share
            pending.setdefault(operand, []).append((known.get(node, 0), share))
            known[operand] = len(visited)
    for node in wanted:
        if node not in total:
            total[node] = zeros(node.shape)
    return Adjoints(total, edges, tuple(visited))


def _plus(a: Node, b: Node, shape: Shape) -> Node:
    """Add two contributions; sizes that are equal may have two names, as H + 2 and D."""
    try:
        return make("add", a, b)
    except ShapeError:
        parts = [n if n.shape == shape else make("broadcast", n, shape=shape) for n in (a, b)]
        return make("add", *parts)


def zeros(shape: Shape) -> Node:
    """Make a zero of a shape."""
    zero = const(0)
    return make("broadcast", zero, shape=shape) if shape else zero


def unbroadcast(node: Node, shape: Shape) -> Node:
    """Sum a contribution over the axes that broadcasting created or stretched."""
    if node.shape == shape:
        return node
    if len(node.shape) < len(shape):
        return make("broadcast", node, shape=shape)
    lead = len(node.shape) - len(shape)
    if lead:
        node = make("sum", node, axis=0 if lead == 1 else tuple(range(lead)))
    axes, _ = shapes.summed_axes(node.shape, shape)
    if axes:
        node = make("sum", node, axis=axes[0] if len(axes) == 1 else axes, keepdims=True)
    if node.shape != shape and any(isinstance(d, str) for d in (*node.shape, *shape)):
        return node  # a name against its number: the same size
    return node if node.shape == shape else make("broadcast", node, shape=shape)


def local(node: Node, k: int, g: Node, mode: str = "printed") -> Node | None:
    """Give what `node` passes to operand k for an upstream gradient g; None for nothing."""
    if has_rule(node, mode):
        return contribution(node, k, g, mode)
    if node.args[k].dtype != "float":
        return None
    stand_ins = tuple(_stand_in(LETTERS[j], a) for j, a in enumerate(node.args))
    upstream = intern("input", (), {"name": "\0g", "kind": "real"}, g.shape)
    pattern = make(node.op, *stand_ins, **dict(node.attrs))
    derived = _derived(pattern, k, upstream, mode)
    if derived is None:
        return None
    return substitute(derived, {**dict(zip(stand_ins, node.args, strict=True)), upstream: g})


def _stand_in(letter: str, node: Node) -> Node:
    """Make an input in place of an operand; constants and labels keep what rules look at."""
    if node.op == "const":
        return node
    attrs = {"name": f"\0{letter}", "kind": "real"}
    return intern("input", (), attrs, node.shape, node.dtype)


@lru_cache(maxsize=2048)
def _derived(pattern: Node, k: int, upstream: Node, mode: str) -> Node | None:
    """Differentiate the formula of an operator that has no rule of its own."""
    inner = formula(pattern)
    if inner is None:
        return None
    target = pattern.args[k]
    if target.op == "const" or target not in depends(topological([inner]), [target]):
        return None
    result = sweep(inner, [target], upstream, mode=mode).total[target]
    return unbroadcast(result, target.shape)


def substitute(root: Node, images: dict[Node, Node]) -> Node:
    """Replace nodes below `root`, rebuilding what depends on them."""
    return rebuild([root], remake, dict(images))[root]

"""Decide where a derivation stops on its way back: at named values, and where something happens."""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from symgrad.autodiff import Adjoints
from symgrad.errors import UsageError
from symgrad.graph import Graph, Node, depends
from symgrad.ops import OPS

if TYPE_CHECKING:
    from symgrad.formula.derivation import Derivation

QUIET = ("add", "sub", "neg", "expand", "broadcast", "transpose", "sum", "mean")
SUMS = ("add", "sub")
AFFINE = (*QUIET, "mul", "div", "matmul")  # what stands between activations


def path(graph: Graph, adjoints: Adjoints, target: Node) -> list[Node]:
    """List the nodes between output and target, the output first; none if nothing flows back."""
    if target not in adjoints.order:
        return []
    below = depends(graph.order(), [target])
    return [n for n in adjoints.order if n in below]


def merged(derivation: "Derivation", target: Node) -> bool:
    """Say whether recognition has taken a value with a name out of the chain rule."""
    recognised, written = derivation.graph, derivation.written
    kept = dict.fromkeys(path(recognised, derivation.adjoints, target))
    below = depends(written.order(), [target])
    inner = {
        name: node
        for name, node in written.names.items()
        if node in below and node.args and node.dtype == "float" and node is not written.output
    }
    return any(recognised.names[name] not in kept for name in inner)


def stations(
    way: list[Node], target: Node, named: Collection[Node], detail: int, staged: bool
) -> list[Node]:
    """List the values at which the derivation stops, the output first.

    At level 2 an unnamed term of the output is none: the gradient in it is just a number.
    """
    flat: dict[Node, None] = {}
    passing: dict[Node, None] = {}  # sums that hand their gradient on as it is
    users: dict[Node, list[Node]] = {}
    found = []
    for node in way:
        above = users.get(node, [])
        term = all(n in flat for n in above)
        if term and (node.op in QUIET or _scales(node)):
            flat[node] = None
        same = bool(above) and all(n in passing and n.shape == node.shape for n in above)
        for a in node.args:
            users.setdefault(a, []).append(node)
        always = not above or node is target or node in named or detail == 3
        wanted = detail == 2 and not staged and not term and not (same and len(above) == 1)
        stop = always or (wanted and (_happens(node) or _tops(node, named)))
        if node.op in SUMS and (stop or same):
            passing[node] = None
        if stop:
            found.append(node)
    return found


def _tops(node: Node, named: Collection[Node]) -> bool:
    """Say whether a sum is X W + b: the value before an activation, worth a line."""
    parts, found = [node], False
    while parts:
        part = parts.pop()
        if part in named:
            continue
        if part.op in SUMS and part.shape == node.shape:
            parts += part.args
        else:
            numbers = all(a.op != "const" for a in part.args)
            found = found or (part.op in ("matmul", "outer", "einsum", "mul") and numbers)
    return node.op in SUMS and found


def _happens(node: Node) -> bool:
    """Say whether an operator is worth a line: no sum, and no product with an input or number."""
    leaf = node.op in ("mul", "div") and any(not a.args for a in node.args)
    return node.op not in QUIET and not leaf


def _scales(node: Node) -> bool:
    """Say whether a node is a number times something."""
    return node.op in ("mul", "div") and any(not a.args and not a.shape for a in node.args)


def deltas(
    wanted: bool | Mapping[str, str],
    graph: Graph,
    stops: list[Node],
    names: Mapping[Node, str],
    taken: Collection[str],
) -> dict[Node, str]:
    """Name gradients: those that are asked for, or δ for those before activations."""
    if isinstance(wanted, Mapping):
        known = dict(graph.names)
        for name, symbol in wanted.items():
            if name not in known:
                raise UsageError(f"delta= names '{name}', which is no value of this program",
                                 hint=f"its values are {', '.join(known)}")  # fmt: skip
            if not isinstance(symbol, str) or not symbol.isidentifier():
                raise UsageError(f"{str(symbol)[:40]!r} cannot be shown as a name")
        return {known[name]: symbol for name, symbol in wanted.items()}
    found: dict[Node, str] = {}
    if not wanted:
        return found
    bent = {a for n in graph.order() for a in n.args if _bends(n)}
    for node in stops[1:]:
        if node in bent and node.op in AFFINE:
            number = "".join(c for c in names.get(node, "") if c.isdigit())
            stem, k = f"delta{number}", len(found) + 1
            while stem in taken or stem in found.values():
                stem, k = f"delta_{k}", k + 1
            found[node] = stem
    return found


def _bends(node: Node) -> bool:
    """Say whether an operator is an activation."""
    return bool(node.args) and OPS[node.op].shape in ("elementwise", "like a") and (
        node.op not in AFFINE
    )  # fmt: skip

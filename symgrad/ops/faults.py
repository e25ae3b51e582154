"""What a program takes for granted about sizes that have no number yet.

`x[1:]` of a named axis has N - 1 entries if N is at least 1, and a window slides over K - L + 1
places if it is the shorter one. This is checked when arrays arrive, before anything is computed.
Nothing has a sum, which is 0, but neither a mean nor a maximum.
"""

from collections.abc import Iterable, Mapping

from symgrad.dims import evaluated, times
from symgrad.errors import DataError, ShapeError
from symgrad.graph import Graph, Node
from symgrad.ops import slices
from symgrad.ops.spec import typed_name, value_of
from symgrad.shapes import Shape, axes_of, text

ASSUMING = ("slice", "reshape", "correlate", "convolve")
AVERAGES = ("mean", "var", "std", "amax", "amin", "logsumexp", "softmax", "log_softmax",
            "standardize")  # fmt: skip
ALONE = ("one entry is standardised by its own mean and variance, which gives 0; batch "
         "normalisation in training needs more samples than one")  # fmt: skip


def assuming(order: Iterable[Node]) -> tuple[Node, ...]:
    """List the nodes that take something for granted about named dimensions."""
    return tuple(
        n for n in order
        if n.op in ASSUMING and any(isinstance(d, str) for a in n.args for d in a.shape)
    )  # fmt: skip


def check(nodes: Iterable[Node], sizes: Mapping[str, int], graph: Graph | None = None) -> None:
    """Raise ShapeError where the numbers are not as was taken for granted."""
    for node in nodes:
        found = _fault(node, sizes)
        if found:
            error = ShapeError(found)
            raise error.at(graph.spans.get(node), graph.source) if graph else error


def _fault(node: Node, sizes: Mapping[str, int]) -> str:
    shape = node.args[0].shape
    if node.op == "slice":
        return slices.fault(node.attrs["key"], shape, sizes)
    if node.op == "reshape":
        before, after = (evaluated(times(*s), sizes) for s in (shape, node.shape))
        if None not in (before, after) and before != after:
            return f"{before} entries do not fill the shape {text(node.shape)}"
        return ""
    n, k = (evaluated(a.shape[0], sizes) for a in node.args)
    if n is not None and k is not None and k > n and node.attrs.get("mode") != "full":
        return f"a window of {k} does not fit into {n} entries"
    return ""


def check_empty(graph: Graph, sizes: Mapping[str, int]) -> None:
    """Raise DataError where an average or a maximum is taken of nothing, or 0 divides."""
    for node in graph.order():
        error = _empty(node, sizes)
        if error:
            raise error.at(graph.spans.get(node), graph.source)


def _empty(node: Node, sizes: Mapping[str, int]) -> DataError | None:
    along = _averaged(node)
    named = [d for d in along if isinstance(d, str)]
    what = f"{typed_name(node.op)} of nothing: the shape "
    if any(evaluated(d, sizes) == 0 for d in along):
        what += f"{text(node.args[0].shape)} has no entries"
    elif (below := _divisor(node)) is not None and _zero(below, sizes):
        named = [n.attrs["name"] for n in _factors(below) if n.op == "dim"]
        what = "division by 0"
    else:
        return None
    none = [f"{d} = 0" for d in dict.fromkeys(named) if evaluated(d, sizes) == 0]
    return DataError(what, hint=f"{', '.join(none) or 'the size is 0'}; give at least one")


def _averaged(node: Node) -> Shape:
    """List the dimensions over which a node averages, or takes the greatest."""
    shape = node.args[0].shape if node.args else ()
    if node.attrs.get("reduction") == "mean":
        return shape
    if node.op == "batch_norm":
        return shape[:1] if len(node.args) == 3 else ()  # in use both averages are given
    if node.op not in AVERAGES:
        return ()
    return tuple(shape[k] for k in axes_of(node.attrs["axis"], len(shape)))


def _divisor(node: Node) -> Node | None:
    """Give what a node divides by."""
    if node.op == "div":
        return node.args[1]
    power = value_of(node.args[1]) if node.op == "pow" else None
    return node.args[0] if power is not None and power < 0 else None


def _factors(node: Node) -> list[Node]:
    """List the factors of a product of numbers."""
    found = [node]
    for factor in found:  # it grows while it is read
        if factor.op in ("mul", "square", "neg"):
            found += factor.args
    return found


def _zero(node: Node, sizes: Mapping[str, int]) -> bool:
    """Say whether a product of sizes is 0."""
    dims = [n.attrs["name"] for n in _factors(node) if n.op == "dim"]
    return not node.shape and any(evaluated(d, sizes) == 0 for d in dims)


def single(order: Iterable[Node], sizes: Mapping[str, int]) -> bool:
    """Say whether something is standardised by its own mean alone: a batch of one.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; sum(batch_norm(X)**2)")
    >>> single(g.order(), {"N": 1, "D": 3}), single(g.order(), {"N": 2, "D": 3})
    (True, False)
    """
    alone = [_averaged(n) for n in order if n.op in ("batch_norm", "standardize")]
    return any(along and all(evaluated(d, sizes) == 1 for d in along) for along in alone)

"""Recognition: the stable operator behind what was typed, before anything is differentiated.

log(1/(1 + exp(-x))) is a softplus, exp(s)/sum(exp(s)) a softmax. Differentiate the recognised
graph and the gradient is stable and short by itself.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from symgrad.graph import Graph, Node, line_of, moved, topological
from symgrad.ops import OPS, const, count, make, value_of
from symgrad.ops.spec import stands
from symgrad.parse import formula
from symgrad.rewrite.canonical import SPELLINGS, canonical
from symgrad.rewrite.capped import kept_finite
from symgrad.rewrite.chosen import CHOSEN
from symgrad.rewrite.coded import CODED, difference
from symgrad.rewrite.elementwise import folded, of_numbers
from symgrad.rewrite.exponents import terms
from symgrad.rewrite.likelihoods import log_of_product, of_exponentials
from symgrad.rewrite.match import Candidates, Rewrite, by_root, calm, rewrite, rows_rules
from symgrad.rewrite.matrices import log_determinant
from symgrad.rewrite.numbers import made, quiet, remade
from symgrad.rewrite.powers import norm_of_squares
from symgrad.rewrite.rules import RECOGNITION
from symgrad.rewrite.standardised import standardised
from symgrad.rewrite.tidy import keeping, tidy
from symgrad.shapes import axes_of

MAX_PASSES = 12  # rewrites of one node; no rule set here needs more than four


def recognise(graph: Graph, mode: str = "printed") -> tuple[Graph, list[Rewrite]]:
    """Map a graph to its recognised form; return it with the rewrites that were made.

    What has no template or rule of its own in this `mode` (see `ops.spec.stands`) is written by
    its formula on the way.

    >>> from symgrad.parse import parse
    >>> g, trace = recognise(parse("1/(1 + exp(-x))"))
    >>> g.output.op, trace[-1].rule
    ('sigmoid', 'sigmoid')
    """
    work = _Work(graph, mode)
    image = work.images()
    result = Graph.of(
        [image[n] for n in graph.outputs],
        names={name: image.get(node, node) for name, node in graph.names.items()},
        spans=moved(graph.spans, image),
        dims=graph.dims,
        source=graph.source,
        extra_inputs=graph.inputs,
        notes=summary(work.trace),
        dtype=graph.dtype,
    )
    return result, work.trace


def recognised(graph: Graph, mode: str = "printed") -> tuple[Node, list[Rewrite]]:
    """Give the recognised form of the output alone, with the rewrites that were made.

    >>> from symgrad.parse import parse
    >>> recognised(parse("1/(1 + exp(-x))"))[0].op
    'sigmoid'
    """
    work = _Work(graph, mode)
    return work.images()[graph.output], work.trace


Build = Callable[[str, tuple[Node, ...], Mapping[str, Any]], Node]


class _Work:
    """Hold the images of nodes, and the rewrites made so far."""

    def __init__(self, graph: Graph, mode: str) -> None:
        self.graph, self.mode = graph, mode
        self.table = Candidates(by_root((*RECOGNITION, *rows_rules(mode))), self._quiet)
        self.calm = calm(n.op for n in graph.order())
        self.trace: list[Rewrite] = []
        self.image: dict[Node, Node] = {}
        self.named: dict[Node, None] = {}  # images of what the user has named: tidied from outside

    def _quiet(self, op: str, below: tuple[str, ...]) -> bool:
        """Say whether no function looks at numbers of this kind, and no definition is written."""
        if quiet(op, below) or (self.calm and calm((op, *below))):
            return True
        if op in SHAPED or op in SPELLINGS or (op in CODED and self.mode != "printed"):
            return False
        row = OPS.get(op)  # all but elementwise operators have axes to be counted
        number = row is None or row.shape == "elementwise"
        return number and (row is None or not row.formula or stands(row, self.mode))

    def images(self) -> dict[Node, Node]:
        """Map all nodes of the graph."""
        with keeping(self.named, self.graph.places):
            return self._images()

    def _images(self) -> dict[Node, Node]:
        names = dict.fromkeys(self.graph.names.values())
        image, still, code = self.image, self.table.quiet, self.mode != "printed"
        changed = False  # whether a node has another one as its image
        for node in self.graph.order():
            if node in image:
                changed = changed or image[node] is not node
                continue
            fresh = node
            if changed:
                args = tuple([image[a] for a in node.args])
                fresh = node if args == node.args else remade(node, args)
            number = code and not fresh.shape and fresh.args and fresh.args[0].op == "const"
            if number and of_numbers(fresh):
                fresh = folded(fresh) or fresh  # 2*pi, as its slope will have it
            elif fresh.shape or not still(fresh):
                fresh = self.settle(fresh, node)
            image[node] = fresh
            if fresh is not node:
                image.setdefault(fresh, fresh)  # a definition does not open its operands
                changed = True
            if node in names and fresh.args:
                self.named[fresh] = None
        outputs = self.graph.outputs
        return kept_finite(image, outputs, names, self.mode) if code else image

    def settle(self, node: Node, source: Node) -> Node:
        """Rewrite one node, whose operands are settled, until no rule applies."""
        for _ in range(MAX_PASSES):
            found = _first(node, self.table, self.mode)
            if found is None:
                return node
            name, after = found
            if name not in ("definition", "spelling"):
                line = line_of(self.graph.spans, source)
                self.trace.append(Rewrite(name, node, after, line))
            node = self._inside(after, source, tidy if name == "definition" else made)
        return node

    def _inside(self, root: Node, source: Node, build: Build) -> Node:
        """Settle what a rewrite has made below its root; definitions lose their 1 * … at once."""
        image = self.image
        for inner in topological([root], stop=lambda n: n in image):
            if inner in image:
                continue
            args = tuple(image[a] for a in inner.args)
            fresh = build(inner.op, args, inner.attrs) if inner.args else inner
            if inner is root:
                return fresh
            image[inner] = self.settle(fresh, source)
        return image[root]


def summary(trace: Iterable[Rewrite]) -> list[str]:
    """Say in one line each what was recognised."""
    lines: dict[str, None] = {}
    for step in trace:
        place = f" (line {step.line})" if step.line else ""
        lines[f"recognised {step.rule}{place}"] = None
    return list(lines)


def _first(node: Node, table: Candidates, mode: str) -> tuple[str, Node] | None:
    """Find the first rule that applies at a node."""
    if not node.shape and table.quiet(node):
        return None
    for rule in table.of(node):
        result = rewrite(rule, node)
        if result is not None and result is not node:
            return rule.name, result
    shaped = SHAPED.get(node.op, [])
    coded = CODED.get(node.op, []) if mode != "printed" else []
    # a quotient may be a softmax, before it is one of exponentials
    for name, function in [*shaped, *coded] if node.op == "div" else [*coded, *shaped]:
        result = function(node)
        if result is not None and result is not node:
            return name, result
    usual = canonical(node)
    if usual is not None and usual is not node:
        return "spelling", usual
    row = OPS.get(node.op)
    if row is not None and row.formula and not stands(row, mode):
        inner = formula(node)
        return None if inner is None else ("definition", inner)
    return None


# -- recognition that looks at axes ----------------------------------------------------------


def _softmax(node: Node) -> Node | None:
    """exp(a)/sum(exp(a)) along one axis (or all), the sum kept or re-expanded."""
    top, bottom = node.args
    if top.op != "exp" or node.shape != top.shape:
        return None
    axis = _total_of(bottom, top)
    return None if axis is None else make("softmax", top.args[0], axis=axis[0])


def _total_of(node: Node, what: Node) -> tuple[Any] | None:
    """Say along which axis `node` is the sum of `what`, broadcastable against it."""
    grown: tuple[int, ...] | None = None
    if node.op == "expand":
        grown, node = node.attrs["axes"], node.args[0]
    if node.op != "sum" or node.args[0] is not what:
        return None
    rank = len(what.shape)
    axes = axes_of(node.attrs["axis"], rank)
    leading = axes == tuple(range(len(axes)))  # leading axes broadcast by themselves
    if node.attrs["keepdims"] or grown == axes or len(axes) == rank or (not grown and leading):
        if len(axes) == rank and rank > 1:
            return (None,)
        return (axes[0] if axes[0] != rank - 1 else -1,) if len(axes) == 1 else (axes,)
    return None


def _shifted(node: Node) -> Node | None:
    """softmax(a - max(a)) is softmax(a), and so for log_softmax."""
    inner = node.args[0]
    if inner.op != "sub":
        return None
    a, top = inner.args
    if top.op == "expand":
        top = top.args[0]
    if top.op == "amax" and top.args[0] is a:
        axes = axes_of(top.attrs["axis"], len(a.shape))
        own = axes_of(node.attrs["axis"], len(a.shape))
        if set(own) <= set(axes):
            return make(node.op, a, **node.attrs)
    return None


def _logsumexp(node: Node) -> Node | None:
    """log(sum(exp(a)))."""
    total = node.args[0]
    if total.op not in ("sum", "mean") or total.args[0].op != "exp" or not total.args[0].shape:
        return None
    result, shape = make("logsumexp", total.args[0].args[0], **total.attrs), total.args[0].shape
    size = count(shape, axes_of(total.attrs["axis"], len(shape)))
    return result if total.op == "sum" else make("sub", result, make("log", size))


def _log_of_exponentials(node: Node) -> Node | None:
    """Write log(exp(a) + exp(b) + 2) from the largest exponent."""
    exponents: list[Node] = []
    for term in terms(node.args[0]):
        if term.op == "exp":
            exponents.append(term.args[0])
        elif (number := value_of(term)) is not None and number > 0:
            exponents.append(const(0) if number == 1 else const(math.log(number)))
        else:
            return None
    if len(exponents) < 2 or all(n.op == "const" for n in exponents):
        return None
    total = exponents[0]
    for other in exponents[1:]:
        if total.op == "const":
            total, other = other, total
        if other.op == "const":  # log(exp(a) + c) = log c + softplus(a - log c)
            if other.attrs["value"] == 0:
                total = make("softplus", total)
            else:
                total = make("add", other, make("softplus", make("sub", total, other)))
        else:
            total = make("logaddexp", total, other)
    return total if total.shape == node.shape else None


def _log_softmax(node: Node) -> Node | None:
    """log(softmax(a))."""
    inner = node.args[0]
    found = inner.op == "softmax"
    return make("log_softmax", inner.args[0], axis=inner.attrs["axis"]) if found else None


def _log_pick(node: Node) -> Node | None:
    """log(p[y]) is log(p)[y], so that the logarithm meets the softmax."""
    inner = node.args[0]
    if inner.op in ("pick", "slice", "diag") and inner.args[0].op in ("softmax", "sigmoid"):
        return make(inner.op, make("log", inner.args[0]), *inner.args[1:], **inner.attrs)
    return None


def _log_quotient(node: Node) -> Node | None:
    """log(p/q) is log p - log q where one of them has a stable logarithm."""
    inner = node.args[0]
    stable = ("softmax", "sigmoid", "exp")
    if inner.op == "div" and any(a.op in stable for a in inner.args):
        return make("sub", make("log", inner.args[0]), make("log", inner.args[1]))
    if inner.op == "mul" and all(a.op in stable for a in inner.args):
        return make("add", make("log", inner.args[0]), make("log", inner.args[1]))
    return None


def _minus_lse(node: Node) -> Node | None:
    """Write a - logsumexp(a) as log_softmax(a)."""
    a, subtracted = node.args
    total = subtracted.args[0] if subtracted.op == "expand" else subtracted
    if total.op != "logsumexp" or total.args[0] is not a or node.shape != a.shape:
        return None
    axes = axes_of(total.attrs["axis"], len(a.shape))
    if subtracted is not total and subtracted.attrs["axes"] != axes:
        return None
    if subtracted is total and total.shape and not total.attrs["keepdims"]:
        return None
    axis: Any = axes[0] if len(axes) == 1 else (None if len(axes) == len(a.shape) else axes)
    return make("log_softmax", a, axis=-1 if axis == len(a.shape) - 1 else axis)


def _swish(node: Node) -> Node | None:
    """Write x sigmoid(b x) as swish(x, b); x is no number."""
    for x, share in (node.args, node.args[::-1]):
        if share.op != "sigmoid" or (not x.args and x.op != "input"):
            continue
        inner, sign = share.args[0], 1
        if inner.op == "neg":
            inner, sign = inner.args[0], -1
        if inner.op == "mul" and x in inner.args:
            slope = inner.args[1] if inner.args[0] is x else inner.args[0]
            slope = slope if sign > 0 else make("neg", slope)
            result = make("swish", x, slope)
            return result if result.shape == node.shape else None
    return None


SHAPED: dict[str, list[tuple[str, Callable[[Node], Node | None]]]] = {
    "div": [("softmax", _softmax), ("standardisation", standardised)],
    "softmax": [("softmax shift", _shifted)],
    "log_softmax": [("softmax shift", _shifted)],
    "log": [
        ("log of a product", log_of_product),
        ("log of a sum of exponentials", _log_of_exponentials),
        ("log-sum-exp", _logsumexp),
        ("log-softmax", _log_softmax),
        ("log of a pick", _log_pick),
        ("log of a quotient", _log_quotient),
        ("log determinant", log_determinant),
    ],
    "sub": [("log-softmax", _minus_lse), ("log-softmax", difference)],
    "add": [("log-softmax", difference)],
    "mul": [("swish", _swish)],
    "sqrt": [("norm", norm_of_squares)],
    "sum": CHOSEN,
    "log2": [("log of a product", log_of_product)],
    "logabs": [("log of a product", log_of_product)],
    "prod": [("product of exponentials", of_exponentials)],
}

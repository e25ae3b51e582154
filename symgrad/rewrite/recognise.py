"""Recognition: the stable operator behind what was typed, before anything is differentiated.

log(1/(1 + exp(-x))) is a softplus, exp(s)/sum(exp(s)) a softmax. Differentiate the recognised
graph and the gradient is stable and short by itself.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from symgrad.graph import Graph, Node, line_of, moved, topological
from symgrad.ops import OPS
from symgrad.ops.spec import stands
from symgrad.parse import formula
from symgrad.rewrite.canonical import SPELLINGS, canonical
from symgrad.rewrite.capped import kept_finite
from symgrad.rewrite.coded import CODED
from symgrad.rewrite.elementwise import folded, of_numbers
from symgrad.rewrite.match import (
    Candidates,
    Rewrite,
    Rule,
    by_root,
    calm,
    rewrite,
    rows_rules,
)
from symgrad.rewrite.numbers import made, quiet, remade
from symgrad.rewrite.rules import RECOGNITION
from symgrad.rewrite.shaped import SHAPED
from symgrad.rewrite.tidy import keeping, tidy

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


@lru_cache(maxsize=8)
def _candidates(mode: str, rows: int, rules: tuple[Rule, ...]) -> Candidates:
    """Give what may be recognised by these rules, once so many operators are registered."""
    return Candidates(by_root((*rules, *rows_rules(mode))))


Build = Callable[[str, tuple[Node, ...], Mapping[str, Any]], Node]


class _Work:
    """Hold the images of nodes, and the rewrites made so far."""

    def __init__(self, graph: Graph, mode: str) -> None:
        self.graph, self.mode = graph, mode
        rules = _candidates(mode, len(OPS), tuple(RECOGNITION))
        self.table = Candidates(rules.by_root, self._quiet, rules.known)
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

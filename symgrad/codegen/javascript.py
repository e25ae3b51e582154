"""Write the arithmetic of a scalar graph as JavaScript: what a page needs to follow its sliders.

The forward pass is the graph as written, gate by gate; the backward pass takes the same rules of
the rows, in the same order, as `symgrad.autodiff.backprop`. The text is made of node numbers,
numbers, the spellings of `symgrad.codegen.spellings`, and input names as JSON strings.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symgrad.autodiff.sweep import local
from symgrad.autodiff.wanted import wanted
from symgrad.codegen.spellings import IDENTITIES, SPELLINGS, called, literal, spell
from symgrad.evaluate import LOGS
from symgrad.graph import Graph, Node, depends, intern, topological
from symgrad.parse import formula

MOST = 3000  # nodes; a page with more is slow to load and nobody reads it
DEEP = 30  # brackets within brackets, from which on a part gets a line of its own
Use = tuple[Node, int]


@dataclass(frozen=True, slots=True)
class Script:
    """Hold the text, which declares `inputs` and `compute`; or the reason why there is none."""

    source: str = ""
    reason: str = ""


class _Unspeakable(Exception):
    """Say what JavaScript has no word for."""


def javascript(
    graph: Graph,
    wrt: str | Iterable[str] | None = None,
    nodes: Mapping[int, Node] | None = None,
    edges: Mapping[int, Sequence[Use]] | None = None,
) -> Script:
    """Write `compute({name: number})`, which gives all numbers of a diagram.

    It returns objects `v` (values) and `g` (gradients) by the keys of `nodes`, and `c`
    (contributions) and `l` (local derivatives) by the keys of `edges`, whose values list pairs
    (consumer, operand index). By default nodes are numbered as in `graph.order()`, and edges
    as they come there. The text also declares `inputs`, a list of [name, kind, key in `nodes`], and
    `gates`: for each key a function that computes the node from numbers of other keys.

    >>> import symgrad as sg
    >>> "v2 = v0 * v1" in javascript(sg.parse("x*y")).source
    True
    >>> javascript(sg.parse("X: data[N]; sum(X)")).reason
    'X is an array'
    """
    order = graph.order()
    if len(order) > MOST:
        return Script(reason=f"it has more than {MOST} nodes")
    array = next((n for n in order if n.shape), None)
    if array is not None:
        return Script(reason=f"{graph.name(array) or array.op} is an array")
    if any(n not in graph.places and n.op not in ("const", "dim") for n in (nodes or {}).values()):
        return Script(reason="nodes of another graph are drawn")
    if nodes is None:
        nodes = dict(enumerate(order))
    if edges is None:
        uses = [(n, k) for n in order for k in range(len(n.args))]
        edges = {i: [use] for i, use in enumerate(uses)}
    try:
        return Script(_Writer(graph, wrt).text(nodes, edges))
    except _Unspeakable as error:
        return Script(reason=f"JavaScript has no word for {error}")


class _Writer:
    """Write one graph, line by line."""

    def __init__(self, graph: Graph, wrt: str | Iterable[str] | None) -> None:
        self.graph = graph
        self.targets = wanted(graph, wrt)
        self.lines: list[str] = []
        self.words: dict[Node, str] = {}
        self.grads: dict[Node, str] = {}
        self.shares: dict[Use, int] = {}
        self.spare = 0

    def text(self, nodes: Mapping[int, Node], edges: Mapping[int, Sequence[Use]]) -> str:
        """Give the whole text."""
        self._forward()
        self._backward()
        body = [f"  {line}" for line in [*self.lines, self._returned(nodes, edges)]]
        listed = [
            [n.attrs["name"], n.attrs["kind"], next((k for k, m in nodes.items() if m is n), -1)]
            for n in self.graph.inputs
        ]
        head = f"const inputs = {_json(listed)};"
        compute = "\n".join(["function compute(at) {", *body, "}", *self._gates(nodes)])
        return "\n".join([*called(compute), head, compute, ""])

    def _gates(self, nodes: Mapping[int, Node]) -> list[str]:
        """Write each node as a function of the nodes that have keys."""
        known = {n: f"p[{k}]" for k, n in nodes.items() if n.op != "const"}
        lines = []
        for key, node in nodes.items():
            if node.args:
                *before, last = self._defined("r", node, known, opened=True)
                value = last.removeprefix("const r = ").removesuffix(";")
                body = f"{{ {' '.join(before)} return {value}; }}" if before else f"({value})"
                lines.append(f"  {key}: (p) => {body},")
        return ["const gates = {", *lines, "};"]

    def _forward(self) -> None:
        for node, k in self.graph.places.items():
            word = f"v{k}"
            if node.op == "input":
                self.lines.append(f"const {word} = at[{_json(node.attrs['name'])}];")
            else:
                self.lines += self._defined(word, node, self.words)
            self.words[node] = word

    def _backward(self) -> None:
        output = self.graph.output
        active = depends(self.graph.order(), self.targets.values())
        pending: dict[Node, list[str]] = {output: ["1"]}
        for node in reversed(topological([output])):
            if node not in pending or node not in active:
                continue
            word = self.grads[node] = f"g{self.graph.places[node]}"
            self.lines.append(f"const {word} = {' + '.join(pending.pop(node))};")
            for k, operand in enumerate(node.args):
                if operand in active:
                    share = self._share(node, k, word)
                    if share:
                        pending.setdefault(operand, []).append(share)
        for node in self.targets.values():
            self.grads.setdefault(node, "0")

    def _share(self, node: Node, k: int, g: str) -> str:
        """Define what flows back along one edge, and the local derivative; "" for nothing."""
        upstream = intern("input", (), {"name": "\0g", "kind": "real"})
        rule = local(node, k, upstream, "code")
        if rule is None:
            return ""
        number = self.shares[node, k] = len(self.shares)
        if rule is upstream:
            self.lines += [f"const c{number} = {g};", f"const l{number} = 1;"]
            return f"c{number}"
        self.lines.append(f"const d{number} = {self._function(rule, upstream)};")
        self.lines.append(f"const c{number} = pass(d{number}, {g});")
        printed = local(node, k, upstream)
        if printed is rule or printed is None:
            self.lines.append(f"const l{number} = d{number}(1);")
        else:
            self.lines.append(f"const l{number} = ({self._function(printed, upstream)})(1);")
        return f"c{number}"

    def _function(self, rule: Node, upstream: Node) -> str:
        known = {**self.words, upstream: "u"}
        *lines, last = self._defined("r", rule, known)
        value = last.removeprefix("const r = ").removesuffix(";")
        if lines:
            return f"(u) => {{ {' '.join(lines)} return {value}; }}"
        return f"(u) => {value}"

    def _defined(
        self, word: str, root: Node, known: Mapping[Node, str], opened: bool = False
    ) -> list[str]:
        """Write `const word = ...;` over what is known, with lines for what is used twice.

        `opened` spells the root even if it is known itself.
        """
        parts = _parts(root, known, opened)
        uses: dict[Node, int] = {}
        for below in parts.values():
            for node in below:
                uses[node] = uses.get(node, 0) + 1
        lines: list[str] = []
        texts: dict[Node, str] = {}
        depth: dict[Node, int] = {}
        for node, below in parts.items():
            text = _spelled(node, [texts[a] if a in texts else known[a] for a in below])
            depth[node] = 1 + max((depth.get(a, 0) for a in below), default=0)
            if below and node is not root and (uses[node] > 1 or depth[node] > DEEP):
                lines.append(f"const t{self.spare} = {text};")
                text, depth[node] = f"t{self.spare}", 0
                self.spare += 1
            texts[node] = text
        return [*lines, f"const {word} = {_bare(texts.get(root) or known[root])};"]

    def _returned(self, nodes: Mapping[int, Node], edges: Mapping[int, Sequence[Use]]) -> str:
        values = {k: self.words[n] for k, n in nodes.items() if n in self.words}
        grads = {k: self.grads[n] for k, n in nodes.items() if n in self.grads}
        shares = {k: [self.shares[u] for u in us if u in self.shares] for k, us in edges.items()}
        shares = {k: us for k, us in shares.items() if us}
        parts = {k: " + ".join(f"c{u}" for u in us) for k, us in shares.items()}
        locals_ = {k: " + ".join(f"l{u}" for u in us) for k, us in shares.items()}
        texts = (
            f"{name}: {{{', '.join(f'{k}: {word}' for k, word in table.items())}}}"
            for name, table in (("v", values), ("g", grads), ("c", parts), ("l", locals_))
        )
        return f"return {{{', '.join(texts)}}};"


def _parts(root: Node, known: Mapping[Node, str], opened: bool) -> dict[Node, tuple[Node, ...]]:
    """Map what is to be spelled for `root` to its operands, operands first.

    An operator without a spelling has its formula in place of operands.
    """
    below: dict[Node, tuple[Node, ...]] = {}
    done: dict[Node, tuple[Node, ...]] = {}
    todo = [root]
    while todo:
        node = todo[-1]
        if node in done or (node in known and not (opened and node is root)):
            todo.pop()
            continue
        if node not in below:
            below[node] = _operands(node)
        missing = [a for a in below[node] if a not in done and a not in known]
        todo += reversed(missing)
        if not missing:
            done[node] = below[node]
            todo.pop()
    return done


def _operands(node: Node) -> tuple[Node, ...]:
    if node.op == "const" or node.op in SPELLINGS or node.op in IDENTITIES:
        return node.args
    inner = formula(node)
    if inner is None:
        raise _Unspeakable(node.attrs["name"] if node.op == "apply" else node.op)
    return (inner,)


def _spelled(node: Node, operands: list[str]) -> str:
    if node.op == "const":
        return literal(node.attrs["value"])
    if node.op not in SPELLINGS:
        return operands[0]
    if node.op == "mul" and any(a.op in LOGS for a in node.args):
        return f"entropic({operands[0]}, {operands[1]})"
    return spell(node.op, operands)


def _bare(text: str) -> str:
    """Drop brackets around the whole.

    >>> _bare("(a + b)"), _bare("(a)*(b)")
    ('a + b', '(a)*(b)')
    """
    if not text.startswith("(") or not text.endswith(")"):
        return text
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and k < len(text) - 1:
            return text
    return text[1:-1]


def _json(value: object) -> str:
    """Write JSON that cannot end a script element."""
    return json.dumps(value).replace("<", "\\u003c")

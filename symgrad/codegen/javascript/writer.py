"""Write the script of one graph, line by line."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from symgrad.autodiff.sweep import local, unbroadcast
from symgrad.autodiff.wanted import wanted
from symgrad.codegen.javascript.expressions import Spelling, UnspeakableError, scalar
from symgrad.codegen.javascript.spellings import called
from symgrad.codegen.javascript.structural import shape
from symgrad.dims import names_in, solved
from symgrad.graph import Graph, Node, depends, intern, topological
from symgrad.ops import OPS

Use = tuple[Node, int]
# An open range with two finite ends is approached on both sides: (0, 1), (-1, 1), (-pi/2, pi/2).
BOUNDED = re.compile(r"\((?!-?inf)[^(),]+, (?!-?inf)[^(),]+\)")


class Writer:
    """Write one graph: values v, gradients g, contributions c, local derivatives l, slopes s."""

    def __init__(self, graph: Graph, wrt: str | Iterable[str] | None) -> None:
        self.graph = graph
        self.targets = wanted(graph, wrt)
        self.arrays = any(n.shape for n in graph.order())
        self.spelling = Spelling()
        self.lines: list[str] = []
        self.words: dict[Node, str] = {}
        self.grads: dict[Node, str] = {}
        self.shares: dict[Use, int] = {}
        self.functions: dict[Use, str] = {}
        self.slopes: dict[Use, str] = {}

    def text(self, nodes: Mapping[int, Node], edges: Mapping[int, Sequence[Use]]) -> str:
        """Give the whole text."""
        self._forward()
        self._backward()
        if self.arrays:
            self._switches(dict.fromkeys(use for uses in edges.values() for use in uses))
        body = [*self.lines, self._returned(nodes, edges)]
        body = [f"  {line}" for line in [*self._sizes(body), *body]]
        listed = [
            [n.attrs["name"], n.attrs["kind"], next((k for k, m in nodes.items() if m is n), -1)]
            for n in self.graph.inputs
        ]
        head = f"const inputs = {_json(listed)};"
        compute = "\n".join(["function compute(at) {", *body, "}", *self._gates(nodes)])
        return "\n".join([*called(compute), head, compute, ""])

    def _sizes(self, body: Sequence[str]) -> list[str]:
        """Bind the names of dimensions that the body mentions."""
        names = {json.loads(m): None for m in re.findall(r'\bsize\[("[^"]*")\]', "\n".join(body))}
        if not names:
            return []
        found = {name: str(n) for name, n in self.graph.dims.items()}
        made = []
        for node in self.graph.inputs:
            for k, dim in enumerate(node.shape):
                size = f"at[{_json(node.attrs['name'])}].s[{k}]"
                if isinstance(dim, str) and dim.isidentifier():
                    found.setdefault(dim, size)
                made += [
                    (name, pair, size) for name in names_in(dim) if (pair := solved(dim, name))
                ]
        for name, (rest, slope), size in made:
            if isinstance(rest, int):
                found.setdefault(name, f"({size} - {rest}) / {slope}")
        for name in names:
            if name not in found:
                raise UnspeakableError(f"the dimension {name}")
        return [f"const size = {{{', '.join(f'{_json(n)}: {found[n]}' for n in names)}}};"]

    def _gates(self, nodes: Mapping[int, Node]) -> list[str]:
        """Write each node of numbers as a function of the nodes that have keys."""
        known = {n: f"p[{k}]" for k, n in nodes.items() if n.op != "const"}
        lines = []
        for key, node in nodes.items():
            if not node.args or not scalar(node):
                continue
            *before, last = self.spelling.defined("r", node, known, opened=True)
            value = last.removeprefix("const r = ").removesuffix(";")
            body = f"{{ {' '.join(before)} return {value}; }}" if before else f"({value})"
            if "size[" not in body:
                lines.append(f"  {key}: (p) => {body},")
        return ["const gates = {", *lines, "};"]

    def _forward(self) -> None:
        for node, k in self.graph.places.items():
            word = f"v{k}"
            if node.op == "input":
                self.lines.append(f"const {word} = at[{_json(node.attrs['name'])}];")
            else:
                self.lines += self.spelling.defined(word, node, self.words)
            self.words[node] = word

    def _backward(self) -> None:
        output = self.graph.output
        active = depends(self.graph.order(), self.targets.values())
        pending: dict[Node, list[str]] = {output: ["1"]}
        for node in reversed(topological([output])):
            if node not in pending or node not in active:
                continue
            word = self.grads[node] = f"g{self.graph.places[node]}"
            self.lines.append(f"const {word} = {_sum(node, pending.pop(node))};")
            for k, operand in enumerate(node.args):
                if operand in active:
                    share = self._share(node, k, word)
                    if share:
                        pending.setdefault(operand, []).append(share)
        for node in self.targets.values():
            zero = f"fit(0, {shape(node.shape)})" if node.shape else "0"
            self.grads.setdefault(node, zero)

    def _share(self, node: Node, k: int, g: str) -> str:
        """Define what flows back along one edge, and the local derivative; "" for nothing."""
        upstream, operand = _upstream(node), node.args[k]
        rule = local(node, k, upstream, "code")
        if rule is None:
            return ""
        rule = unbroadcast(rule, operand.shape)
        number = self.shares[node, k] = len(self.shares)
        plain = scalar(node)
        if rule is upstream:
            self.lines.append(f"const c{number} = {g};")
            self.lines += [f"const l{number} = 1;"] if plain else []
            return f"c{number}"
        known = {**self.words, upstream: "u"}
        self.functions[node, k] = f"d{number}"
        self.lines.append(f"const d{number} = {self.spelling.function(rule, known)};")
        if not plain:
            self.lines.append(f"const c{number} = passed(d{number}, {g}, {self.words[operand]});")
            return f"c{number}"
        self.lines.append(f"const c{number} = pass(d{number}, {g});")
        printed = local(node, k, upstream)
        if printed is rule or printed is None:
            self.lines.append(f"const l{number} = d{number}(1);")
        else:
            self.lines.append(f"const l{number} = ({self.spelling.function(printed, known)})(1);")
        return f"c{number}"

    def _switches(self, uses: Iterable[Use]) -> None:
        """Define the local derivatives of gates that pass entries or block them, or saturate."""
        for node, k in uses:
            row, operand = OPS.get(node.op), node.args[k]
            if row is None or row.shape != "elementwise" or row.zero or node.shape == ():
                continue
            bends = row.kinks or node.op == "where" or BOUNDED.fullmatch(row.range)
            if not bends or operand.shape != node.shape or node not in self.words:
                continue
            function = self.functions.get((node, k))
            if function is None:
                upstream = _upstream(node)
                rule = local(node, k, upstream, "code")
                if rule is None:
                    continue
                known = {**self.words, upstream: "u"}
                function = f"({self.spelling.function(rule, known)})"
            word = self.slopes[node, k] = f"s{len(self.slopes)}"
            like = f"shapeOf({self.words[node]})"
            self.lines.append(f"const {word} = fit({function}(fit(1, {like})), {like});")

    def _returned(self, nodes: Mapping[int, Node], edges: Mapping[int, Sequence[Use]]) -> str:
        values = {k: self.words[n] for k, n in nodes.items() if n in self.words}
        grads = {k: self.grads[n] for k, n in nodes.items() if n in self.grads}
        shares = {k: [u for u in us if u in self.shares] for k, us in edges.items()}
        shares = {k: us for k, us in shares.items() if us}
        parts = {
            k: _sum(us[0][0].args[us[0][1]], [f"c{self.shares[u]}" for u in us])
            for k, us in shares.items()
        }
        slopes = {
            k: " + ".join(f"l{self.shares[u]}" for u in us)
            for k, us in shares.items()
            if all(scalar(node) for node, _ in us)
        }
        tables = [("v", values), ("g", grads), ("c", parts), ("l", slopes)]
        if self.arrays:
            single = {k: self.slopes.get(us[0]) for k, us in edges.items() if len(us) == 1}
            tables.append(("s", {k: word for k, word in single.items() if word}))
        texts = (
            f"{name}: {{{', '.join(f'{k}: {word}' for k, word in table.items())}}}"
            for name, table in tables
        )
        return f"return {{{', '.join(texts)}}};"


def _upstream(node: Node) -> Node:
    return intern("input", (), {"name": "\0g", "kind": "real"}, node.shape)


def _sum(node: Node, words: Sequence[str]) -> str:
    """Add up what has the shape of a node."""
    if not node.shape or len(words) == 1:
        return " + ".join(words)
    return f"each((...all) => total(all), {', '.join(words)})"


def _json(value: object) -> str:
    """Write JSON that cannot end a script element."""
    return json.dumps(value).replace("<", "\\u003c")

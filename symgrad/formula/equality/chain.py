"""Derive one side from the other, law by law: a chain left = … = right.

The search goes from both sides and meets in the middle; what it finds on the right is read
backwards. Every line is a node that a law has made, and is compared with the one before it.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from symgrad.formula import latex, plain
from symgrad.formula.equality.decide import prove
from symgrad.formula.equality.flat import forget, key
from symgrad.formula.equality.hints import agree
from symgrad.formula.equality.law import Law, spoken, typeset
from symgrad.formula.equality.laws import laws
from symgrad.graph import Graph, Node, rebuild, topological
from symgrad.ops import remake

STATES = 700  # expressions that are looked at, from both sides together
GROWTH = 24  # operations that an expression may have more than both sides
MAX_NODES = 60
DIRECT = "the same normal form"


@dataclass(frozen=True, slots=True)
class Line:
    """Show one line of a derivation: by which law the line before became it."""

    rule: str
    node: Node
    text: str
    latex: str
    latex_rule: str = ""


Named = tuple[str, tuple[Node, ...]]  # the name of a law, and what it speaks of
START: Named = ("", ())
REARRANGED: Named = ("rearrange", ())


@dataclass(slots=True)
class _State:
    node: Node
    before: "_State | None" = None
    law: Law | None = None
    depth: int = 0


def chain(
    left: Node, right: Node, graph: Graph, proved: bool, strict: bool = True
) -> tuple[Line, ...]:
    """Derive right from left; two lines if no path is found but the sides are proved equal."""
    forget()
    path = None
    if len(topological([left, right])) <= MAX_NODES:
        path = _search(left, right, False) or _search(left, right, True)
    if path is None or not _checked(path, graph, strict):
        if not proved:
            return ()
        path = [(START, left), ((DIRECT, ()), right)]
    grouped = any(rule[0] == "associativity" for rule, _ in path)
    return tuple(_line(rule, node, grouped) for rule, node in path)


# How these are written on a board.
SPELLED = {
    "entropy": ("H({})", "H({})"),
    "cross_entropy_of": ("H({}, {})", "H({}, {})"),
    "kl": ("KL({} ‖ {})", r"\mathrm{{KL}}({} \,\|\, {})"),
}


def _line(rule: Named, node: Node, grouped: bool) -> Line:
    """Write a line; where products are grouped anew, with brackets that show how."""
    texts: tuple[dict[Node, str], dict[Node, str]] = ({}, {})
    for part in topological([node]):
        for k, write in enumerate((plain.write, latex.write)):
            if part.op in SPELLED and part.attrs.get("base") is None:
                inner = [write(a, texts[k]) for a in part.args]
                texts[k][part] = SPELLED[part.op][k].format(*inner)
            elif grouped and part.op == "matmul":
                for a in part.args:
                    if a.op == "matmul" and a not in texts[k]:
                        texts[k][a] = f"({write(a, texts[k])})"
    text, set_ = _written(plain.write, node, texts[0]), _written(latex.write, node, texts[1])
    return Line(spoken(*rule), node, text, set_, typeset(*rule))


def _written(write: Callable[[Node, Mapping[Node, str]], str], node: Node,
             texts: Mapping[Node, str]) -> str:  # fmt: skip
    return texts[node] if node.op in SPELLED and node in texts else write(node, texts)


def _checked(path: list[tuple[Named, Node]], graph: Graph, strict: bool) -> bool:
    """Compare each line with the one before: in numbers, and exactly, also at kinks."""
    for (_, a), (_, b) in pairwise(path):
        proof = prove(a, b, {}, graph.dims)
        if not agree(a, b, graph, 4) or (proof is not None and proof.almost and strict):
            return False
    return True


# -- search ----------------------------------------------------------------------------------


def _search(left: Node, right: Node, known: bool) -> list[tuple[Named, Node]] | None:
    if key(left) == key(right):
        same = [] if left is right else [(REARRANGED, right)]
        return [(START, left), *same]
    found: tuple[dict[str, _State], dict[str, _State]] = ({}, {})
    goals = tuple(_tokens(n) for n in (right, left))
    queues: tuple[list[tuple[float, int, _State]], ...] = ([], [])
    largest = GROWTH + max(len(topological([n])) for n in (left, right))
    for side, node in enumerate((left, right)):
        state = _State(node)
        found[side][key(node)] = state
        heapq.heappush(queues[side], (0.0, 0, state))
    count = 0
    while any(queues) and count < STATES:
        for side in (0, 1):
            if not queues[side]:
                continue
            _, _, state = heapq.heappop(queues[side])
            for node, law in neighbours(state.node, known):
                name = key(node)
                if name in found[side] or len(topological([node])) > min(largest, MAX_NODES):
                    continue
                count += 1
                new = _State(node, state, law, state.depth + 1)
                found[side][name] = new
                if name in found[1 - side]:
                    ends = (new, found[1][name]) if side == 0 else (found[0][name], new)
                    return _path(*ends)
                cost = new.depth + 0.25 * _distance(_tokens(node), goals[side])
                heapq.heappush(queues[side], (cost, count, new))
    return None


def neighbours(root: Node, known: bool) -> Iterator[tuple[Node, Law]]:
    """Apply every law at every place."""
    order = topological([root])
    for node in reversed(order):
        for law in laws(node, known):
            image = rebuild([root], remake, {node: law.node})[root]
            yield image, law


def _tokens(node: Node) -> "Counter[str]":
    return Counter(n.op if n.op != "input" else n.attrs["name"] for n in topological([node]))


def _distance(a: "Counter[str]", b: "Counter[str]") -> int:
    return sum(((a - b) + (b - a)).values())


def _path(left: _State, right: _State) -> list[tuple[Named, Node]]:
    """Join what was found on both sides; the right part is read backwards."""
    lines: list[tuple[Named, Node]] = []
    state: _State | None = left
    while state is not None:
        law = state.law
        lines.append(((law.name, law.what) if law else START, state.node))
        state = state.before
    lines.reverse()
    if left.node is not right.node and right.before is None:
        # the same up to order: the line as it was typed on the right
        lines[-1] = (REARRANGED if lines[-1][0] == START else lines[-1][0], right.node)
    back = right
    while back.before is not None:
        assert back.law is not None
        turned = back.law.what[::-1]
        lines.append(((back.law.back, turned), back.before.node))
        back = back.before
    return lines


# -- printing --------------------------------------------------------------------------------


def unicode_lines(lines: tuple[Line, ...]) -> str:
    """Print a chain, a line each, with the law at its end."""
    width = max(len(line.text) for line in lines)
    shown = []
    for k, line in enumerate(lines):
        mark = "=" if k else " "
        shown.append(f"{mark} {line.text:<{width}}   {line.rule}".rstrip())
    return "\n".join(shown)


def latex_lines(lines: tuple[Line, ...], environment: str = "align*") -> str:
    """Print a chain as an environment of LaTeX."""
    rows = []
    for k, line in enumerate(lines[1:]):
        start = lines[0].latex if not k else ""
        rows.append(rf"{start} &= {line.latex} && \text{{{line.latex_rule}}}".strip())
    if not rows:
        rows = [lines[0].latex]
    body = " \\\\\n".join(rows)
    return f"\\begin{{{environment}}}\n{body}\n\\end{{{environment}}}"


def markdown_lines(lines: tuple[Line, ...]) -> str:
    """Print a chain as typeset mathematics in Markdown."""
    return f"$$\n{latex_lines(lines, 'aligned')}\n$$"

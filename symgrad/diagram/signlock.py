"""Sign lock: a neuron whose inputs are all positive moves all its weights in one direction.

∂L/∂w_i = ∂L/∂z · x_i, so with every x_i > 0 all of them have the sign of ∂L/∂z.
"""

import re
from collections.abc import Sequence

import numpy as np

from symgrad.diagram.callouts import Remarks, Wiring, short
from symgrad.diagram.from_graph import Array, DrawNode

_WEIGHT = re.compile(r"[wWθΘ]|theta|Theta")  # how the name of a weight begins


def signs(wiring: Wiring) -> Remarks:
    """Point out the neurons whose inputs are all positive, at their weights and below."""
    texts: dict[int, tuple[str, ...]] = {}
    notes: list[str] = []
    outputs = wiring.drawing.outputs
    loss = short(wiring.drawing.nodes[outputs[0]].name) or "L" if outputs else "L"
    names = _Names(wiring)
    for node in wiring.drawing.nodes:
        if node.grad is None:
            continue
        products = _products(node, wiring)
        weights = [w for w, _ in products]
        if len(products) > 1 and all(_positive(x.value) for _, x in products):
            z = names.of(node)
            sign = _sign(node.grad)
            label = f"∂{loss}/∂{z}"
            texts[node.id] = (*texts.get(node.id, ()), names.introduced(node))
            for w in weights:
                texts[w.id] = (*texts.get(w.id, ()), f"shares the sign of {label}: {sign}")
            inputs = ", ".join(dict.fromkeys(short(x.name) or "a gate" for _, x in products))
            listed = ", ".join(f"∂{loss}/∂{short(w.name)}" for w in weights)
            end = "" if sign == "0" else ": the weights can only all grow or all shrink"
            notes.append(
                f"Sign lock: {inputs} > 0 come into {z}, so {listed} all share the sign of "
                f"{label}, here {sign}{end}."
            )
        pair = _matrix(node, wiring)
        if pair:
            w, x = pair
            z = names.of(node)
            texts[node.id] = (*texts.get(node.id, ()), names.introduced(node))
            texts[w.id] = (*texts.get(w.id, ()), f"per sample: shares the sign of ∂{loss}/∂{z}")
            notes.append(
                f"Sign lock: no input of {z} is negative ({short(x.name) or 'a gate'}), so for one "
                f"sample all ∂{loss}/∂{short(w.name)} of a unit share the sign of its ∂{loss}/∂{z}."
            )
    return Remarks({n: tuple(dict.fromkeys(t)) for n, t in texts.items()}, notes=tuple(notes))


class _Names:
    """Name the sums that users left without a name: z, z1, z2, ... as far as they are free."""

    def __init__(self, wiring: Wiring) -> None:
        self.taken = dict.fromkeys(n.name for n in wiring.drawing.nodes)
        self.given: dict[int, str] = {}

    def of(self, node: DrawNode) -> str:
        """Give the name of a sum."""
        if node.name:
            return short(node.name)
        if node.id not in self.given:
            name, k = "z", 0
            while name in self.taken:
                k += 1
                name = f"z{k}"
            self.taken[name] = None
            self.given[node.id] = name
        return self.given[node.id]

    def introduced(self, node: DrawNode) -> str:
        """Write what stands at the sum itself."""
        fact = "no input is negative" if node.op in ("matmul", "sum") else "its inputs are > 0"
        return f"{self.of(node)}: {fact}" if node.id in self.given else fact


def _products(root: DrawNode, wiring: Wiring) -> list[tuple[DrawNode, DrawNode]]:
    """List the weights and inputs of a sum of products; only of a whole sum, none of a part."""
    if root.op != "add" or root.shape:
        return []
    nodes, out = wiring.drawing.nodes, wiring.out
    if len(out[root.id]) == 1 and nodes[out[root.id][0].target].op == "add":
        return []
    found = []
    stack = [root]
    while stack:
        for term in reversed(wiring.sources(stack.pop().id)):
            if term.op == "add" and len(out[term.id]) == 1:
                stack.append(term)
            elif term.op == "mul":
                pair = _weight(wiring.sources(term.id))
                if pair is not None and pair[0].grad is not None:
                    found.append(pair)
    return sorted(found, key=lambda pair: pair[0].id)


def _weight(operands: Sequence[DrawNode]) -> tuple[DrawNode, DrawNode] | None:
    """Tell the weight of a product from its input: a parameter, else a leaf named like one."""
    if len(operands) != 2 or operands[0].id == operands[1].id:
        return None
    for test in (lambda n: n.kind == "parameter", _named_weight):
        hits = [k for k, n in enumerate(operands) if test(n)]
        if len(hits) == 1:
            return operands[hits[0]], operands[1 - hits[0]]
    return None


def _named_weight(node: DrawNode) -> bool:
    return node.kind == "input" and _WEIGHT.match(node.name) is not None


def _matrix(node: DrawNode, wiring: Wiring) -> tuple[DrawNode, DrawNode] | None:
    """Find weight and input of X @ W or sum(w*x), if no entry of the input is negative."""
    operands = wiring.sources(node.id)
    if node.op == "sum" and not node.shape and len(operands) == 1 and operands[0].op == "mul":
        operands = wiring.sources(operands[0].id)
        if any(not n.shape for n in operands):
            return None
    elif node.op != "matmul":
        return None
    pair = _weight(operands)
    if pair is None or pair[0].grad is None or not _nonnegative(pair[1].value):
        return None
    return pair


def _positive(value: Array | None) -> bool:
    return value is not None and value.size > 0 and bool(np.all(value > 0))


def _nonnegative(value: Array | None) -> bool:
    return value is not None and value.size > 1 and bool(np.all(value >= 0) and np.any(value > 0))


def _sign(grad: Array) -> str:
    number = float(grad)
    return "+" if number > 0 else "−" if number < 0 else "0"

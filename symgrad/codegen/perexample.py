"""The gradient of every example of a batch: (N, *shape) for each input."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.codegen.batched import Mixed, images
from symgrad.codegen.separable import mixing
from symgrad.errors import UsageError
from symgrad.formula import plain as plain_form
from symgrad.graph import Graph, Node, topological
from symgrad.ops import make

if TYPE_CHECKING:
    from symgrad.codegen.compile import Compiled
    from symgrad.codegen.plan import Plan

FIXED = "param"  # the kind of input that is no data
SHOWN = 40  # characters of a value in a message
LOOSE = ("real", "positive", "symmetric")  # kinds that say of an array what it holds, not its use


class PerExample:
    """Compute the gradients of a compiled function for each example alone.

    `size` names the dimension that counts the examples, `function` is what was compiled for all
    of them at once, None where each example is computed by a call of its own.
    """

    def __init__(self, compiled: "Compiled") -> None:
        self.compiled = compiled
        self.size = examples(compiled.graph, compiled.wrt)
        if any(self.size in along for along in compiled.standardised):
            raise UsageError("batch normalisation mixes the examples: a single one has no gradient",
                             hint="normalise by numbers that are given as data")  # fmt: skip
        self.axes = {n.attrs["name"]: n.shape.index(self.size)
                     for n in compiled.graph.inputs if self.size in n.shape}  # fmt: skip
        self.function = _at_once(compiled, self.size)
        pairs = [n for n in compiled.graph.inputs if n.shape.count(self.size) > 1]
        if self.function is None and pairs:
            name = pairs[0].attrs["name"]
            raise UsageError(f"'{name}' has {self.size} twice: it holds pairs of examples",
                             hint="a single one has no gradient")  # fmt: skip

    def __call__(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Compute the gradients by name, the examples along the first axis."""
        if self.function is not None:
            return self.function(**inputs)[1]
        whole = self.compiled(**inputs)[1]  # every check, once
        given = {k: np.asarray(v) if k in self.axes else v for k, v in inputs.items()}
        count = next(given[k].shape[at] for k, at in self.axes.items())
        found = {k: np.empty((count, *np.shape(g)), self.compiled.dtype) for k, g in whole.items()}
        for n in range(count):
            one = {k: given[k][(slice(None),) * at + (slice(n, n + 1),)]
                   for k, at in self.axes.items()}  # fmt: skip
            for name, gradient in self.compiled(**{**given, **one})[1].items():
                found[name][n] = gradient
        return found


def examples(graph: Graph, wrt: tuple[str, ...]) -> str:
    """Find the dimension that counts the examples: the first one of the data.

    What is only real, such as a mask or a table of places, is asked where nothing else tells. What
    counts the classes of labels counts no examples.

    >>> from symgrad.parse import parse
    >>> examples(parse("X: data[N, D]; w: param[D]; sum((X @ w)**2)"), ("w",))
    'N'
    """
    if not wrt:
        raise UsageError("there is nothing to differentiate with respect to")
    held = {n.attrs["name"]: n for n in graph.inputs}
    others = [d for name in wrt for d in (held[name].shape if name in held else ())]
    others += [n.attrs["classes"] for n in graph.inputs if "classes" in n.attrs]
    data = [n for n in graph.inputs
            if n.attrs["name"] not in wrt and n.attrs["kind"] != FIXED and n.shape]  # fmt: skip
    counted = [n for n in data if isinstance(n.shape[0], str) and n.shape[0] not in others]
    told = [n for n in counted if n.attrs["kind"] not in LOOSE] or counted
    found: dict[str, str] = {}  # the dimension -> an input that begins with it
    for node in told:
        found.setdefault(str(node.shape[0]), node.attrs["name"])
    inner = [name for name in wrt if name not in held]
    if inner:
        raise UsageError(
            f"'{inner[0]}' is an intermediate value", hint="compile with inputs in wrt="
        )
    if len(found) != 1:
        listed = ", ".join(f"{size} (of {name})" for size, name in found.items())
        what = f"several dimensions: {listed}" if found else "no dimension"
        raise UsageError(f"the data begin with {what} that could count the examples",
                         hint="declare them over one name:  X: data[N, D]; t: data[N]")  # fmt: skip
    return next(iter(found))


def _at_once(compiled: "Compiled", size: str) -> "Compiled | None":
    """Compile the program of all examples; None where the examples cannot be told apart."""
    from symgrad.codegen.compile import Compiled
    from symgrad.codegen.numpy import write
    from symgrad.codegen.plan import plan

    program = plan(compiled.graph, compiled.wrt, compiled.accurate)
    _told_apart(program, size)
    try:
        program = _imaged(program, size)
    except Mixed:
        return None
    source, module = write(program, compiled.dtype, compiled.accurate)
    return Compiled(compiled.graph, source, module.name, module.parameters,
                    compiled.wrt, compiled.dtype, made=module.made)  # fmt: skip


def _told_apart(program: "Plan", size: str) -> None:
    """Raise an error if the value is neither a sum nor a mean over the examples."""
    node = mixing(program.value, size)
    if node is None:
        return
    names = {n: str(n.attrs["name"]) for n in program.graph.inputs}
    names |= {n: t for n, t in program.names.items() if t in program.graph.names}
    text = names.get(node) or plain_form.write(node, names)
    what = f"'{text}'" if len(text) <= SHOWN else "the loss"
    raise UsageError(f"{what} mixes the examples of {size}: a single one has no gradient",
                     hint="per_example takes sums and means over the examples")  # fmt: skip


def _imaged(program: "Plan", size: str) -> "Plan":
    """Put the images of the gradients in their place; what has a name keeps it."""
    found = images(program.grads.values(), size)
    grads = {name: _full(found[node], node, size) for name, node in program.grads.items()}
    names = dict(program.names)
    for node, name in program.names.items():
        if node in found and found[node] is not node and found[node].args:
            names.setdefault(found[node], name)
    needed = topological([program.value, *grads.values()])
    lines = tuple(n for n in needed if n in names and n.op != "input")
    return replace(program, grads=grads, names=names, lines=lines)


def _full(image: Node, node: Node, size: str) -> Node:
    """Repeat a gradient that is the same for all examples."""
    shape = (size, *node.shape)
    return image if image.shape == shape else make("broadcast", image, shape=shape)

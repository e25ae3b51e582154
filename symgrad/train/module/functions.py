"""The functions of a training module that follow from the model: its loss, prediction and start."""

import ast
import re
from collections.abc import Iterable, Mapping

from symgrad import shapes
from symgrad.codegen import build, plan
from symgrad.codegen.fast.costs import DEFAULTS
from symgrad.codegen.numpy import Module
from symgrad.codegen.selfcheck import MAIN, section
from symgrad.errors import SymgradError
from symgrad.graph import Graph, dimensions
from symgrad.train.initial import choices, source
from symgrad.train.module.model import READABLE, Model

WIDE = 96


class Loss(Module):
    """Write the loss and its gradients for arrays of one float type, which need no conversion."""

    taken = READABLE
    numbers = False

    def _choose_names(self) -> None:
        self.name = "loss_and_grad"
        super()._choose_names()

    def _document(self) -> list[str]:
        return [f'    """Compute {self.plan.of} and its gradients by name."""']

    def _converted(self) -> list[str]:
        return []


class Forward(Loss):
    """Write the prediction as a function that returns it alone."""

    called_as = ""

    def _choose_names(self) -> None:
        self.name = self.called_as
        Module._choose_names(self)

    def _document(self) -> list[str]:
        shape = shapes.text(self.plan.value.shape)
        return [f'    """Compute {self.plan.of} {shape}, as the trained model does."""']

    def _returned(self) -> str:
        return super()._returned().removesuffix(", {}")


def blocks(text: str) -> dict[str, str]:
    r"""Cut a module into what it defines, by name; imports and the docstring are left out.

    >>> list(blocks("import numpy as np\n\nONE = 1  # one\n\n\ndef f():\n    return ONE\n"))
    ['ONE', 'f']
    """
    lines = text.splitlines()
    found = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            found[node.name] = "\n".join(lines[first - 1 : node.end_lineno])
        elif isinstance(node, ast.Assign):
            listed = [t.id for t in node.targets if isinstance(t, ast.Name)]
            found[listed[0]] = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    return found


def joined(*tables: dict[str, str]) -> dict[str, str]:
    """Put blocks together; what two texts carry alike is written once."""
    found: dict[str, str] = {}
    for table in tables:
        for name, text in table.items():
            if found.setdefault(name, text) != text:
                raise SymgradError(f"two functions of the module are called '{name}'; "
                                   "please report this")  # fmt: skip
    return found


def loss(model: Model) -> dict[str, str]:
    """Write `loss_and_grad` and what it calls."""
    names = tuple(s.name for s in model.modes.statistics)
    train, params = model.modes.train, model.roles.params
    if model.recipe.style == "readable":
        found = plan(train, params, lazy=model.dtype == "float64", also=names)
        return blocks(Loss(found, model.dtype).source())
    compiled = build(train, params, model.dtype, "fast", costs=DEFAULTS, also=names)
    return blocks(re.sub(r"\bvalue_and_grad\b", "loss_and_grad", compiled.program))


def forward(model: Model) -> dict[str, str]:
    """Write the function that computes the prediction, for all parameters that were learned."""
    test = model.modes.test
    inputs = {n.attrs["name"]: n for n in (*model.graph.inputs, *test.inputs)}
    unused = [inputs[k] for k in model.roles.params]
    every = Graph.of(test.outputs, names=test.names, dims=test.dims, dtype=test.dtype,
                     extra_inputs=[*test.inputs, *unused])  # fmt: skip
    made = type("Named", (Forward,), {"called_as": model.forward})
    return blocks(made(plan(every, [], lazy=model.dtype == "float64"), model.dtype).source())


def settings(model: Model, graph: Graph) -> list[str]:
    """List the settings that a graph reads."""
    read = dict.fromkeys(n.attrs["name"] for n in graph.inputs)
    return [name for name in model.values if name in read]


def check(model: Model) -> dict[str, str]:
    """Write the functions that compare gradients with differences of the loss."""
    names = {k: k for k in (n.attrs["name"] for n in model.modes.train.inputs)}
    text = section(model.modes.train, model.roles.params, names, "loss_and_grad", model.dtype)
    return blocks(text.removesuffix(MAIN))


def open_dims(model: Model) -> list[str]:
    """List the dimensions of parameters that only the data give numbers."""
    inputs = model.inputs
    dims = dimensions(inputs[k] for k in model.roles.params)
    return [d for d in dims if d not in model.sizes]


def initialise(model: Model, constants: Mapping[str, str]) -> dict[str, str]:
    """Write how the parameters start, and why so."""
    found = choices(model.graph, model.roles.params)
    dims = open_dims(model)
    called = {**{d: free(d, constants.values()) for d in dims}, **constants}
    texts = source(found, called)
    lines = [
        f"def initialise({', '.join(['seed', *(called[d] for d in dims)])}):",
        '    """Draw the initial parameters, each with a generator of its own."""',
    ]
    if any(re.search(r"\brng\b", text) for text in texts.values()):
        lines += ["    def rng(name):",
                  "        return np.random.default_rng([seed, zlib.crc32(name.encode())])",
                  ""]  # fmt: skip
    lines.append("    params = {")
    for name, choice in found.items():
        text = re.sub(r"\brng\b", f'rng("{name}")', texts[name])
        line, note = f'        "{name}": {text},', f"# {choice.why}"
        whole = f"{line}  {note}"
        lines += [whole] if len(whole) <= WIDE else [f"        {note}", line]
    kind = f"np.{model.dtype}"
    lines += [
        "    }",
        f"    return {{name: np.asarray(w, dtype={kind}) for name, w in params.items()}}",
    ]
    return {"initialise": "\n".join(lines)}


def free(name: str, taken: Iterable[str]) -> str:
    """Lengthen a name until nothing else is called so."""
    from symgrad.train.module.model import OWN

    used = dict.fromkeys([*OWN, "np", "math", "a", *taken])
    while name in used:
        name += "_"
    return name

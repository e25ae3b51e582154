"""What a training module is written from: the model, its numbers, names that clash with none."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from symgrad.codegen.build import STYLES, float_type
from symgrad.codegen.fast.module import FastModule
from symgrad.codegen.numpy import Module
from symgrad.errors import UsageError, near
from symgrad.evaluate import helpers
from symgrad.graph import Graph, Node, dimensions, rebuild, topological
from symgrad.ops import leaf, remake
from symgrad.shapes import text
from symgrad.train.comparing import aim, row_by_row
from symgrad.train.modes import Modes, modes
from symgrad.train.numbers import numbers
from symgrad.train.optimizers import Optimizer, optimizer
from symgrad.train.roles import REAL, SIGNS, Roles, roles, shiftable
from symgrad.train.schedules import Schedule, schedule
from symgrad.train.settings import Settings

# What the texts of a module call by these names; an input, a dimension or a setting gets another.
OWN = (
    "EPOCHS", "BATCH", "RATE", "SEED", "CLIP", "PATIENCE", "SHAPES", "SCALED", "PARAMETERS",
    "argparse", "csv", "sys", "zipfile", "zlib", "initialise", "loss_and_grad",
    "value_and_grad", "predict", "train", "load", "columns", "checked", "encode", "prepare",
    "standardised", "accuracy", "r_squared", "predictions", "main", "difference", "check",
    "rate_factor", "observed", "params", "rng", "seed", "name", "dict", "len", "print", "str",
    "sorted", "file", "allow_pickle", "any", "all", "isinstance", "int", "float", "enumerate",
    "zip", "set", "open", "SystemExit", "next",
)  # fmt: skip
READABLE = tuple(name for name in Module.taken if name != "m")  # which programs of numbers read
FORWARD = {"scores": "scores", "logit": "logits", "probability": "probabilities",
           "margin": "margins", "value": "values"}  # fmt: skip


@dataclass(frozen=True)
class Recipe:
    """Hold what a module is told: how it trains, in which style, and the user's numbers."""

    optimizer: str = "adam"
    rate: float | None = None
    epochs: int | None = None
    batch: int = 64
    schedule: str = "constant"
    seed: int = 0
    l1: float = 0.0
    l2: float = 0.0
    clip: float | None = None
    patience: int | None = None
    style: str = "readable"
    dtype: str | None = None
    target: str | None = None
    predict: str | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    file: str = "model.py"

    def __post_init__(self) -> None:
        """Refuse numbers that no training can have."""
        if self.style not in STYLES:
            hint = near(self.style, STYLES) + f"one of {', '.join(STYLES)}"
            raise UsageError(f"style={self.style!r} is not known", hint=hint)
        if self.batch is None:
            raise UsageError("batch=None: a whole number from 1 is expected")
        held = 0.2 if self.patience is not None else 0.0  # rows that each module holds out
        Settings(optimizer=self.optimizer, rate=self.rate, epochs=self.epochs, batch=self.batch,
                 seed=self.seed, l1=self.l1, l2=self.l2, clip=self.clip, patience=self.patience,
                 validation=held)  # fmt: skip


@dataclass(frozen=True)
class Model:
    """Hold a model as a module is written from it.

    `sizes` are the dimensions that have a number, `values` the settings.
    """

    graph: Graph
    roles: Roles
    modes: Modes
    recipe: Recipe
    optimizer: Optimizer
    schedule: Schedule
    sizes: dict[str, int]
    values: dict[str, float]
    notes: list[str]
    dtype: str

    @property
    def rate(self) -> float:
        """The learning rate."""
        return self.optimizer.rate if self.recipe.rate is None else float(self.recipe.rate)

    @property
    def inputs(self) -> dict[str, Node]:
        """The inputs by name."""
        return {n.attrs["name"]: n for n in self.graph.inputs}

    @property
    def forward(self) -> str:
        """The name of the function that computes the prediction."""
        return FORWARD[self.roles.scale]

    @property
    def data(self) -> tuple[str, ...]:
        """The inputs that come with the data."""
        return (*self.roles.features, *self.roles.targets)

    @property
    def target(self) -> str | None:
        """What the prediction is compared with, apart from the features."""
        return self.roles.targets[0] if self.roles.targets else None

    @property
    def aim(self) -> str | None:
        """What the prediction is compared with: the target, or the feature that is given back."""
        several = len(self.roles.targets) > 1
        return self.target if several else aim(self.graph, self.roles)

    @property
    def classes(self) -> bool:
        """Whether the target names one class for each row."""
        return self.roles.task in ("labels", "onehot", "binary", "sign")

    @property
    def signed(self) -> bool:
        """Whether the target is −1 or +1."""
        if self.target is None or self.inputs[self.target].attrs["kind"] == "binary":
            return False
        if self.inputs[self.target].attrs["kind"] == "sign" or self.roles.task == "sign":
            return True
        return any(n.op in SIGNS for n in self.graph.order())

    @property
    def scaled(self) -> tuple[str, ...]:
        """The inputs that are standardised: features that are numbers, and values to be met."""
        inputs = self.inputs
        found = [k for k in self.roles.features if inputs[k].attrs["kind"] in REAL]
        if self.target is not None and shiftable(self.graph, self.roles):
            found.append(self.target)
        return tuple(found)


def model(graph: Graph, recipe: Recipe) -> Model:
    """Collect what a module is written from; raise UsageError for what it cannot train.

    >>> from symgrad.parse import parse
    >>> made = model(parse("X: data[N, D]; y: data[N]; rng: param[D]; mse(X @ rng, y)"), Recipe())
    >>> made.roles.params, made.forward, made.scaled
    (('rng_',), 'values', ('X', 'y'))
    """
    graph, called = _renamed(graph, recipe.style)
    target = called.get(recipe.target or "", recipe.target)
    found = roles(graph, target, recipe.predict)
    row_by_row(graph, found.batch)
    _supported(graph, found)
    dims = dimensions(graph.inputs)
    given = {k if k in dims else called.get(k, k): v for k, v in recipe.given.items()}
    sizes, values, notes = numbers(graph, found, given, {})
    made = optimizer(recipe.optimizer)
    return Model(graph, found, modes(graph, found, recipe.l1, recipe.l2), recipe, made,
                 schedule(recipe.schedule), sizes, values, notes,
                 float_type(recipe.dtype, graph))  # fmt: skip


def _supported(graph: Graph, found: Roles) -> None:
    """Refuse models that need more than a file with a row for each example."""
    inputs = {n.attrs["name"]: n for n in graph.inputs}
    if found.constants:
        name = found.constants[0]
        shape = ", ".join(map(str, inputs[name].shape))
        raise UsageError(f"'{name}' has no row for each example, and a training module reads "
                         "only data that have",
                         hint=f"declare what is learned as {name}: param[{shape}], or train it "
                         f"with symgrad.train")  # fmt: skip
    if found.task != found.encoding:
        raise UsageError(f"the prediction {text(found.prediction.shape)} is no answer to "
                         f"'{found.targets[0]}', and a training module counts right answers",
                         hint="name one that is, or train it with symgrad.train")  # fmt: skip
    for name in found.features:
        if inputs[name].dtype == "int":
            raise UsageError(f"'{name}' holds numbers of classes; the features of a training "
                             "module are numbers to compute with",
                             hint=f"declare one-hot rows:  {name}: onehot[N, C]")  # fmt: skip
    for name in found.params:
        if found.batch in inputs[name].shape:
            raise UsageError(f"the parameter '{name}' has a row for each example, so it cannot "
                             "be learned in batches")  # fmt: skip


def _renamed(graph: Graph, style: str) -> tuple[Graph, dict[str, str]]:
    """Give inputs another name where the module's own texts use theirs; say which."""
    body = FastModule.taken if style == "fast" else READABLE
    taken = dict.fromkeys([*OWN, *FORWARD.values(), *body, *helpers()])
    names = [str(n.attrs["name"]) for n in graph.inputs]
    used = dict.fromkeys([*names, *taken, *graph.names])
    called: dict[str, str] = {}
    for name in names:
        new = name
        while new in taken or (new != name and new in used):
            new += "_"
        if new != name:
            called[name] = new
            used[new] = None
    if not called:
        return graph, {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op != "input" or node.attrs["name"] not in called:
            return remake(node, args)
        of = (node.attrs["classes"],) if node.dtype == "int" else ()
        return leaf(called[node.attrs["name"]], (*node.shape, *of), node.attrs["kind"])

    roots = [*graph.outputs, *graph.names.values(), *graph.inputs]
    image = rebuild(topological(roots), change)
    found = graph.mapped(image)
    return Graph.of(
        found.outputs,
        names={called.get(k, k) if n.op == "input" else k: n for k, n in found.names.items()},
        spans=found.spans, dims=found.dims, source=found.source,
        extra_inputs=[image[n] for n in graph.inputs], dtype=found.dtype,
    ), called  # fmt: skip

"""Put a training module together, and check what it does before it is handed out."""

from typing import Any

from symgrad.graph import Graph
from symgrad.train.module import functions, loading, training
from symgrad.train.module.functions import free, joined
from symgrad.train.module.heading import constants, title
from symgrad.train.module.model import Model, Recipe, model
from symgrad.train.module.safety import check

IMPORTS = ("argparse", "csv", "math", "os", "sys", "zipfile", "zlib")
SECTIONS = {
    "initialise": "# -- the model " + 86 * "-" + "\n\n",
    "train": "# -- training " + 87 * "-" + "\n\n",
    "read": "# -- data and weights " + 79 * "-" + "\n\n",
}
END = 'if __name__ == "__main__":\n    main()\n'


def write(graph: Graph, notes: list[str] | None = None, **settings: Any) -> str:
    """Write a standalone module that trains a model; `settings` are the fields of `Recipe`.

    What was chosen because it was not given is added to `notes`. Raises `UsageError` for a model
    that cannot be trained so, and for settings that cannot be.

    >>> from symgrad.parse import parse
    >>> text = write(parse("X: data[N, D]; y: data[N]; w: param[D]; mse(X @ w, y)"), epochs=20)
    >>> [line for line in text.splitlines() if line.startswith("EPOCHS")]
    ['EPOCHS = 20  # passes over the training rows']
    """
    made = model(graph, Recipe(**settings))
    if notes is not None:
        notes += made.notes
    return check(_text(made))


def _text(made: Model) -> str:
    """Order the parts: constants, the model, how it is trained, how it is used."""
    loss, forward, step = functions.loss(made), functions.forward(made), training.step(made)
    taken = dict.fromkeys([*loss, *forward, *step])
    dims: dict[str, str] = {}
    values: dict[str, str] = {}
    for table, names in ((dims, made.sizes), (values, made.values)):
        for name in names:
            table[name] = free(name, taken)
            taken[table[name]] = None
    parts = joined(
        {k: v for k, v in loss.items() if not v.startswith(("def ", "@"))},
        functions.initialise(made, dims),
        loss,
        forward,
        training.predict(made, values),
        step,
        training.train(made, dims, values),
        training.measure(made),
        loading.reading(made),
        loading.preparing(made),
        loading.commands(made),
        functions.check(made),
        loading.command_line(made),
    )
    lines = [k for k, v in parts.items() if not v.startswith(("def ", "@"))]
    head = constants(made, dims, values) + "".join(f"\n{parts[k]}" for k in lines)
    body = [SECTIONS.get(k, "") + v for k, v in parts.items() if k not in lines]
    text = "\n\n\n".join([head, *body, END])
    used = [f"import {name}" for name in IMPORTS if f"{name}." in text]
    return "\n".join([title(made), "", *used, "", "import numpy as np", "", text])

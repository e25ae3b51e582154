"""Run the examples of training and write their page: python examples/make_training.py [FOLDER]

Writes FOLDER/training-examples.md and FOLDER/training/*; FOLDER is docs if left out. Every number
on the page is printed by a run. All runs are seeded; on another processor the last digits of a
training may differ.
"""

import importlib.util
import io
import os
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import fill
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # sums do not depend on the number of cores

import symgrad as sg
from symgrad.plots.training import curves
from symgrad.reporting import findings
from symgrad.train.flags import flags
from symgrad.training import TEST, VALIDATION, summary

EXAMPLES = Path(__file__).parent
HEAD = """\
# Training: the examples

Model files and scripts of [examples](../examples), with what they print and draw.
`python examples/make_training.py` writes this page anew. The guide is [training.md](training.md).
"""


@dataclass(frozen=True)
class Example:
    """Hold a section: its title, what is to be seen, its file, its pictures.

    A model file is trained with the options of `symgrad train`, `data` and `settings`; a script is
    run, and draws its own pictures.
    """

    file: str
    title: str
    text: str
    pictures: tuple[str, ...] = ()
    data: str = ""
    settings: dict[str, Any] = field(default_factory=dict)


SECTIONS = [
    Example(
        "05_train_digits.py",
        "The two-layer network of a lecture",
        "Sixty-four random rows of 1000 numbers, 100 sigmoid units, ten random targets, the sum "
        "of squared errors and gradient descent at the rate 1e-4: the model is "
        "`03_two_layer.sg`. It learns the noise by heart. Then `06_digits.sg`, below.",
    ),
    Example(
        "06_digits.sg",
        "Digits with softmax",
        "Two hidden layers of 128 ReLUs with dropout. The shares of right digits are at least "
        "97.5 % on the held-out rows for the seeds 0 to 4.",
        ("curves",),
        "digits",
    ),
    Example(
        "07_digits_svm.sg",
        "Digits with the loss of a support vector machine",
        "The same network; the right score is to be ahead of every other one by 1.",
        (),
        "digits",
    ),
    Example(
        "08_digits_svm_index.sg",
        "The same in index notation",
        "The loss as it stands on a slide. It is compiled to the same gradients, and the run is "
        "the same to the digits that are shown.",
        (),
        "digits",
    ),
    Example(
        "09_iris.sg",
        "Iris",
        "Four lengths, three species; columns of a set with units are standardised by themselves.",
        (),
        "iris",
    ),
    Example(
        "10_breast_cancer.sg",
        "Breast cancer: logistic regression",
        "One linear layer and the binary cross-entropy from a logit, with weight decay in the "
        "model; `lam` is a setting, which a run is given.",
        (),
        "breast_cancer",
        {"values": {"lam": 0.001}},
    ),
    Example(
        "11_diabetes.sg",
        "Diabetes: linear regression with Huber's loss",
        "The target is brought to mean 0 and deviation 1 as the features are, so that delta = 1 is "
        "one deviation; `predict` answers in the unit of the data.",
        (),
        "diabetes",
    ),
    Example(
        "12_xor.py",
        "XOR",
        "Two hidden units (`12_xor.sg`). The diagram shows the trained network: weights, and "
        "the values and gradients of the first row.",
        ("xor_neurons",),
    ),
    Example(
        "13_ten_layers.py",
        "Ten layers: activations and initialisations",
        "Sigmoids with Glorot's initialisation vanish; weights drawn from N(0, 1) saturate tanh "
        "and blow ReLU up, and help sigmoid, whose slope they make up for; small ones fade. "
        "tanh with Glorot's and ReLU with He's initialisation learn, ReLU dies when the rate is "
        "too large, and x² explodes. All of it is found by symgrad. Where a run diverges, what "
        "was found before its first step is printed too. The gradients of each layer, first for "
        "sigmoid, then for tanh:",
        ("ten_layers_vanishing", "ten_layers_healthy"),
    ),
    Example(
        "14_uncertainty.py",
        "Dropout that says how sure it is",
        "Monte Carlo dropout: `uncertainty` asks a network 200 times (`14_uncertainty.sg`). The "
        "deviation is small where there are rows and grows away from them.",
        ("uncertainty",),
    ),
    Example(
        "15_batch_norm.py",
        "Batch normalisation on and off",
        "With `batch_norm` (`15_batch_norm.sg`) the network takes rates at which it diverges "
        "without. Below are the percentiles of what enters each layer's activation, with it and "
        "without: it keeps them where they were.",
        ("batch_norm_with", "batch_norm_without"),
    ),
    Example(
        "16_boundaries.py",
        "Decision boundaries while they form",
        "One network (`16_boundary.sg`) on a circle, on XOR and on two spirals. The strength of "
        "a colour says how far the class is ahead.",
        ("boundaries.gif",),
    ),
    Example(
        "17_piecewise.py",
        "A network of ReLUs is piecewise linear",
        "Each unit bends the line once, at x = −b/w. Dots are these places; units whose place "
        "lies outside the rows are not drawn.",
        ("piecewise",),
    ),
    Example(
        "18_input_gradient.py",
        "What the network looks at",
        "The gradient of the right score in the pixels. It says which ink counts: blanking six "
        "pixels by its order does to the held-out digits what blanking random ones does not.",
        ("input_gradient",),
    ),
    Example(
        "19_activation_search.py",
        "A search for activations",
        "Compositions of two unary pieces and a binary one, each a line of `sg.activation`, "
        "judged by the accuracy of a small network on spirals with noise. 0 % is a run that "
        "diverged. One seed and 300 rows to judge by: the upper end of the list is not an order "
        "of merit.",
        ("activation_search",),
    ),
    Example(
        "20_positive.py",
        "Softplus for positive targets",
        "Where there are no rows any more, a linear output goes below zero; softplus cannot.",
        ("positive",),
    ),
]


def command(example: Example) -> str:
    """Say how an example is run from a shell."""
    if example.file.endswith(".py"):
        return f".venv/bin/python examples/{example.file}"
    words = [f".venv/bin/symgrad train examples/{example.file} --data {example.data} --seed 0"]
    for name, value in example.settings.items():
        numbers = " ".join(f"{k}={v:g}" for k, v in value.items()) if name == "values" else value
        words.append(f"--{'set' if name == 'values' else name} {numbers}")
    return " ".join([*words, "--out run/"])


def trained(example: Example, folder: Path) -> None:
    """Train a model file, and print what `symgrad train` prints."""
    text = (EXAMPLES / example.file).read_text(encoding="utf-8")
    m = sg.train(text, example.data, seed=0, validation=VALIDATION, test=TEST, watch=True,
                 **example.settings)  # fmt: skip
    print(summary(m.metrics_, m.network_.roles.task))
    for finding in findings(m):
        print(f"{finding}\n  {flags(finding.hint)}")
    if "curves" in example.pictures:
        curves(m.history_).save(folder / "curves.svg")


def module(name: str) -> Any:
    """Import a script of this folder."""
    spec = importlib.util.spec_from_file_location(f"example_{name[:2]}", EXAMPLES / name)
    assert spec and spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def section(example: Example, folder: Path) -> str:
    """Run an example; write its section."""
    printed = io.StringIO()
    with redirect_stdout(printed):
        if example.file.endswith(".py"):
            module(example.file).main(folder)
        else:
            trained(example, folder)
    shown = [p if "." in p else f"{p}.svg" for p in example.pictures]
    prose = fill(example.text, 98, break_on_hyphens=False, break_long_words=False)
    parts = [f"## {example.title}\n\n{prose}\n"]
    if example.file.endswith(".sg"):
        model = (EXAMPLES / example.file).read_text(encoding="utf-8").splitlines()
        lines = "\n".join(line for line in model if not line.startswith("#"))
        parts.append(f"```text\n{lines}\n```\n")
    parts.append(f"```sh\n{command(example)}\n```\n\nIt prints\n")
    parts.append(f"```text\n{printed.getvalue()}```\n")
    parts += [f"![{example.title}](training/{name})\n" for name in shown]
    return "\n".join(parts)


def main(folder: Path) -> None:
    """Run all examples, and write the page and its pictures."""
    pictures = folder / "training"
    pictures.mkdir(parents=True, exist_ok=True)
    sections = [section(example, pictures) for example in SECTIONS]
    page = "\n".join([HEAD, *sections])
    (folder / "training-examples.md").write_text(page, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else EXAMPLES.parent / "docs")

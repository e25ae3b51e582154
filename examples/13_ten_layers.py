"""Ten layers, and what activation and initialisation make of them: python examples/13_ten_layers.py

The same network learns the digits by gradient descent for five epochs, in several ways. What is
wrong with a way is not written here: symgrad finds it, in the layers or when a run diverges.
"""

import sys
from pathlib import Path
from typing import Any

import symgrad as sg
from symgrad.plots.training import gradients
from symgrad.reporting import findings

LAYERS, UNITS, EPOCHS = 10, 64, 5
STILL = 1e-300
WAYS = (  # activation, initialisation, rate
    ("sigmoid({})", "glorot", 0.1),
    ("sigmoid({})", "normal", 0.1),
    ("tanh({})", "normal", 0.1),
    ("tanh({})", "normal(0.01)", 0.1),
    ("tanh({})", "glorot", 0.1),
    ("relu({})", "normal", 0.1),
    ("relu({})", "he", 0.1),
    ("relu({})", "he", 1.0),
    ("square({})", "he", 0.001),
)


def network(activation: str) -> str:
    """Write a network of ten layers."""
    lines = ["X: data[N, D]; t: labels[N, C]"]
    sizes = ["D", *([UNITS] * (LAYERS - 1)), "C"]
    for k in range(1, LAYERS + 1):
        lines.append(f"W{k}: param[{sizes[k - 1]}, {sizes[k]}]; b{k}: param[{sizes[k]}]")
    for k in range(1, LAYERS):
        before = f"h{k - 1}" if k > 1 else "X"
        lines.append(f"h{k} = " + activation.format(f"{before} @ W{k} + b{k}"))
    lines.append(f"s = h{LAYERS - 1} @ W{LAYERS} + b{LAYERS}")
    return "\n".join([*lines, "loss = cross_entropy(s, t)"])


def trained(
    activation: str, initial: str, rate: float, epochs: int = EPOCHS, batch: int | None = 32
) -> sg.Estimator:
    """Train the network in one way."""
    return sg.train(network(activation), "digits", optimizer="gd", rate=rate, initial=initial,
                    epochs=epochs, batch=batch, test=0.2, watch=True)  # fmt: skip


def at_the_start(activation: str, initial: str) -> Any:
    """Find what is wrong before the first step: at a rate that leaves everything as it is."""
    found = findings(trained(activation, initial, STILL, 1, None))
    return next(f for f in found if f.what == "exploding values")


def told(finding: Any) -> None:
    """Print a finding with its mechanism and its cure."""
    print(f"    {finding}\n      why: {finding.why}\n      hint: {finding.hint}")


def main(folder: Path) -> None:
    """Train in all ways; say what comes out, and plot two of them."""
    pictures = {("sigmoid({})", "glorot"): "vanishing", ("tanh({})", "glorot"): "healthy"}
    for activation, initial, rate in WAYS:
        print(f"{activation.format('x')}, {initial}, rate {rate:g}")
        try:
            m = trained(activation, initial, rate)
        except sg.DivergenceError as error:
            print(*(f"    {line}" for line in str(error).splitlines()), sep="\n")
            told(at_the_start(activation, initial))
            continue
        losses = m.loss_curve_
        print(f"  loss {losses[0]:.3g} in the first epoch, {losses[-1]:.3g} in the last; "
              f"{m.metrics_['test_accuracy']:.1%} of the held-out digits are right")  # fmt: skip
        for finding in findings(m):
            told(finding)
        if (activation, initial) in pictures:
            name = f"ten_layers_{pictures[activation, initial]}.svg"
            gradients(m.run_.watching.timeline).save(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())

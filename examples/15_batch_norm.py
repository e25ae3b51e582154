"""Batch normalisation on and off: python examples/15_batch_norm.py

The network of `15_batch_norm.sg` learns the digits by gradient descent at several rates, with
`batch_norm` and without.
"""

import re
import sys
from pathlib import Path

import symgrad as sg
from symgrad.plots.training import percentiles

MODEL = Path(__file__).with_suffix(".sg").read_text(encoding="utf-8")
RATES = (0.01, 0.1, 0.5, 1.0)
EPOCHS = 10
SHOWN = 0.1  # at this rate both learn


def plain() -> str:
    """Take batch_norm out of the model: its layers are relu(X W + b)."""
    text = re.sub(r"batch_norm\((.*), g\d, (b\d)\)", r"\1 + \2", MODEL)
    return re.sub(r" +g\d: param\[64\];", "", text)


def trained(text: str, rate: float, epochs: int = EPOCHS) -> sg.Estimator:
    """Train at a rate."""
    return sg.train(text, "digits", optimizer="gd", rate=rate, epochs=epochs, test=0.2,
                    averaging=0.9, watch=rate == SHOWN)  # fmt: skip


def main(folder: Path) -> None:
    """Compare both at all rates; plot the percentiles of the layers' inputs at one rate."""
    print("rate     with batch_norm    without")
    for rate in RATES:
        said = []
        for name, text in (("with", MODEL), ("without", plain())):
            try:
                m = trained(text, rate)
            except sg.DivergenceError:
                said.append("diverges")
                continue
            said.append(f"{m.metrics_['test_accuracy']:.1%}")
            if rate == SHOWN:
                percentiles(m.run_.watching.timeline).save(folder / f"batch_norm_{name}.svg")
        print(f"{rate:<8g} {said[0]:<18} {said[1]}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())

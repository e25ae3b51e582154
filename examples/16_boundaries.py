"""Decision boundaries while they form: python examples/16_boundaries.py

One network (`16_boundary.sg`) learns a circle, XOR and two spirals. A run is taken up again and
again for a few more epochs, and drawn each time.
"""

import sys
import tempfile
from pathlib import Path

import symgrad as sg
from symgrad.plots import Picture
from symgrad.plots.animations import save_animation
from symgrad.plots.boundaries import boundaries
from symgrad.train.data.toys import make

MODEL = Path(__file__).with_name("16_boundary.sg").read_text(encoding="utf-8")
SETS = ("circle(160)", "xor(160)", "spirals(160)")
EPOCHS = (1, 3, 7, 15, 24, 30, 36, 42, 50, 60)


def trained(name: str, epochs: int, out: Path, seed: int = 0) -> sg.Estimator:
    """Go on with a run until so many epochs."""
    return sg.train(MODEL, name, out=out, resume=True, rate=0.005, batch=20, epochs=epochs,
                    seed=seed)  # fmt: skip


def frame(epochs: int, out: Path) -> tuple[Picture, dict[str, float]]:
    """Draw the three boundaries after so many epochs; give the accuracies."""
    panels, right = [], {}
    for name in SETS:
        title = name.split("(")[0]
        found = make(name)
        assert found is not None
        X, y, _ = found
        m = trained(name, epochs, out / title)
        right[title] = m.score(X, y)
        panels.append((m, X, y, f"{title}: {right[title]:.0%}"))
    return boundaries(panels, f"After {epochs} epoch{'s' * (epochs > 1)}"), right


def main(folder: Path) -> None:
    """Print accuracies, and write the frames as a GIF."""
    pictures = []
    with tempfile.TemporaryDirectory() as out:
        for epochs in EPOCHS:
            picture, right = frame(epochs, Path(out))
            pictures.append(picture)
            if epochs in (1, 7, 15, 30, 60):
                said = ", ".join(f"{k} {v:.1%}" for k, v in right.items())
                print(f"epoch {epochs:2}: {said}")
    save_animation(pictures, folder / "boundaries.gif", width=560)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path())

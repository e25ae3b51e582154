"""Train on data larger than memory: python tests/benchmarks/run.py --memory-mapped

A folder with 2 GB of features in an .npy file, of which the disk holds only what is not zero, is
trained on for one epoch in a process of its own, whose memory is read from the system.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROWS, COLUMNS, CLASSES = 1_000_000, 250, 10  # of float64: 2.0 GB
BAR = 500  # MB
MODEL = """
X: data[N, D];  t: labels[N, C]
W1: param[D, H];  b1: param[H]
W2: param[H, C];  b2: param[C]
loss = cross_entropy(relu(X @ W1 + b1) @ W2 + b2, t)
"""


def folder(path: Path, rows: int = ROWS) -> Path:
    """Write a sparse X.npy and labels; every thousandth row is drawn, the others are 0.

    The blocks of the file that are never written take no place on a disk, but are read as zeros.
    """
    X = np.lib.format.open_memmap(path / "X.npy", "w+", np.float64, (rows, COLUMNS))
    rng = np.random.default_rng(0)
    for k in range(0, rows, 1000):
        X[k] = rng.standard_normal(COLUMNS)
    X.flush()
    np.save(path / "t.npy", rng.integers(0, CLASSES, rows))
    return path


def trained(path: str, shuffle: bool) -> dict[str, float]:
    """Train for one epoch; give seconds and megabytes."""
    import symgrad as sg

    before = peak()
    start = time.perf_counter()
    made = sg.train(MODEL, path, epochs=1, batch=256, shuffle=shuffle, progress=False,
                    validation=0.1, values={"H": 64, "C": CLASSES})  # fmt: skip
    return {"seconds": time.perf_counter() - start, "before": before, "peak": peak(),
            "steps": made.metrics_["steps"], "loss": made.metrics_["train_loss"]}  # fmt: skip


def peak() -> float:
    """Give the most memory that this process has held so far, in MB, mapped pages included."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def report(rows: int = ROWS) -> list[str]:
    """Train in processes of their own, in order and shuffled; say what they took."""
    lines = []
    with tempfile.TemporaryDirectory(prefix="symgrad-mapped-") as place:
        path = folder(Path(place), rows)
        size = (path / "X.npy").stat()
        held = getattr(size, "st_blocks", 0) * 512
        lines.append(f"{rows:,} rows of {COLUMNS} numbers, {size.st_size / 1e9:.2f} GB "
                     f"({held / 1e6:.0f} MB on the disk), one epoch in batches of 256")  # fmt: skip
        for shuffle in (False, True):
            command = [sys.executable, __file__, str(path), "shuffled" if shuffle else "in order"]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            found = json.loads(done.stdout.splitlines()[-1])
            lines.append(f"{command[-1]}: {found['peak']:.0f} MB at most, {found['before']:.0f} "
                         f"before; {found['seconds']:.1f} s for {found['steps']} steps; "
                         f"{'met' if found['peak'] <= BAR else 'not met'}: {BAR} MB")  # fmt: skip
    return lines


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    print(json.dumps(trained(sys.argv[1], sys.argv[2] == "shuffled")))

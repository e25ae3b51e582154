"""A run that is killed again and again ends as one that was left alone, bit for bit."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg

SCRIPT = r"""
import os, random, signal, sys, time
from dataclasses import replace
import numpy as np
import symgrad as sg
from symgrad.train import checkpoint
from symgrad.train.data import load
from symgrad.train.functions import Network
from symgrad.train.run import Run
from symgrad.train.settings import Settings

folder, kills = sys.argv[1], int(sys.argv[2])
TEXT = '''X: data[N, D]; y: labels[N, C]; m: data[N, H]
W: param[D, H]; g: param[H]; b: param[H]; V: param[H, C]
h = dropout(relu(batch_norm(X @ W, g, b)), m, p=0.3)
cross_entropy(h @ V, y)'''
g = sg.parse(TEXT)
settings = Settings(epochs=12, batch=8, optimizer="nadam", schedule="plateau(patience=1)",
                    validation=0.2, values={"H": 6})
rng = np.random.default_rng(0)
X = rng.normal(size=(120, 4))
network = Network(g, settings)
data = load((X, (X[:, 0] > 0) + (X[:, 1] > 0)), g, network.roles)

def run(out):
    return Run(g, data, settings, os.path.join(folder, out), network, seconds=0)

alone = run("alone")
alone.go()
count, last, chance = 0, -1, random.Random(int(sys.argv[3]))
while True:
    child = os.fork()
    if child == 0:
        run("killed").go(resume=True)
        os._exit(0)
    if count < kills:
        time.sleep(chance.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        break
    count += 1
    if checkpoint.latest(os.path.join(folder, "killed")):
        kept = checkpoint.load(os.path.join(folder, "killed", "checkpoint.npz"))
        step = kept.state["state"]["step"]
        assert step >= last, (step, last)
        last = step

a, b = (checkpoint.load(os.path.join(folder, k, "checkpoint.npz")) for k in ("alone", "killed"))
assert list(a.arrays) == list(b.arrays)
for name in a.arrays:
    assert a.arrays[name].tobytes() == b.arrays[name].tobytes(), name
timed = lambda state: [{k: v for k, v in r.items() if k != "seconds"} for r in state["history"]]
assert timed(a.state) == timed(b.state)
logs = [[l.partition('"seconds"')[0] for l in open(os.path.join(folder, k, "log.jsonl"))]
        for k in ("alone", "killed")]
assert logs[0] == logs[1]
read = lambda k: open(os.path.join(folder, k, "metrics.json")).read()
assert read("alone") == read("killed")
print(count, sorted(os.listdir(os.path.join(folder, "killed"))))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")
def test_killed_again_and_again(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path), "50", "7"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    count, files = done.stdout.split(" ", 1)
    assert int(count) >= 20, "the children ended before they were killed"
    assert files.strip() == "['checkpoint.npz', 'log.jsonl', 'metrics.json']"


LINE = "x: data[N, D]; t: data[N]; w: param[D]; b: param; mse(x @ w + b, t)"


def test_an_interrupt_leaves_a_checkpoint_and_a_new_run_the_old_one(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(40, 2))
    data, out = (x, x @ [1.0, 2.0]), tmp_path / "run"

    def stop(run: Any, record: dict[str, Any]) -> None:
        if record["epoch"] == 3:
            raise KeyboardInterrupt

    def made() -> sg.Estimator:
        return sg.Estimator(LINE, epochs=6, batch=8)

    with pytest.raises(KeyboardInterrupt):
        made().run(data, out, observe=(stop,))
    resumed = made().run(data, out, resume=True)
    alone = made().run(data)
    assert len(resumed.history_) == 6
    np.testing.assert_array_equal(resumed.params_["w"], alone.params_["w"])
    again = made().run(data, out)
    assert any("an earlier run" in note for note in again.notes_)
    assert sorted(p.name for p in out.iterdir()) == [
        "checkpoint.npz", "checkpoint.previous.npz", "log.jsonl", "metrics.json",
    ]  # fmt: skip

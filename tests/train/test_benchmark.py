"""The benchmark of training: its contestants train the same network, its tables are right.

Nothing is timed here.
"""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import mapped
import tables
import training


@pytest.mark.parametrize(
    "task", [training.TASKS[4], training.TASKS[-1]], ids=lambda task: task.name
)
def test_contestants_agree(task: training.Task) -> None:
    pytest.importorskip("sklearn")
    names = [name for name in training.KINDS if "torch" not in name]
    found = training.entered(task, names)
    assert list(found) == names
    assert all(len(contestant.times(2)) for contestant in found.values())


def test_a_contestant_that_is_wrong_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn")
    task = training.TASKS[0]
    first = training.Generated.first
    monkeypatch.setattr(training.Generated, "first", lambda self: [1.01 * w for w in first(self)])
    with pytest.raises(AssertionError, match="module: loss"):
        training.entered(task, ["sg.train", "module"])


def test_the_table_has_the_bar() -> None:
    row = {"sg.train": 0.004, "module": 0.005, "sklearn": 0.005, "torch": 0.008}
    lines = training.shown({"a": row, "b": {**row, "sg.train": 0.002}})
    assert lines[-2].split("|")[-2].strip() == "0.80!"
    assert lines[-1].split("|")[-2].strip() == "0.40"
    page = f"a\n{tables.BEGIN_TRAINING}\nold\n{tables.END}\nb"
    fresh = tables.renewed(page, "new", tables.BEGIN_TRAINING)
    assert fresh == f"a\n{tables.BEGIN_TRAINING}\n\nnew\n\n{tables.END}\nb"


def test_a_file_that_is_mapped(tmp_path: Path) -> None:
    path = mapped.folder(tmp_path, 2000)
    X = np.load(path / "X.npy", mmap_mode="r")
    assert X.shape == (2000, mapped.COLUMNS) and X[1000].any() and not X[1001].any()
    found = mapped.trained(str(path), True)
    assert found["steps"] == 8 and found["peak"] >= found["before"] > 0

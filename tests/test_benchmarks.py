"""The benchmark runs, and checks its own results before it times them."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "benchmarks" / "run.py"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_all_workloads_agree_with_the_hand_written_gradients(dtype: str) -> None:
    command = [sys.executable, str(SCRIPT), "--rounds", "1", "--dtype", dtype, "--peers"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "geometric mean" in done.stdout

"""What the first call of a process does not load."""

import subprocess
import sys

SCRIPT = """
import sys
import numpy as np
import symgrad as sg

f = sg.compile("x: data[N, D]; y: labels[N, C]; W: param[D, C]; cross_entropy(x @ W, y)")
f(x=[[1, 2], [3, 4]], y=[0, 1], W=np.ones((2, 2)))
assert "numpy.ma" not in sys.modules, "NumPy loads masked arrays: 10 ms"
try:
    f(x=np.ma.array([[1, 2], [3, 4]], mask=[[0, 0], [0, 1]]), y=[0, 1], W=np.ones((2, 2)))
except sg.DataError as error:
    print(error.message)
"""


def test_masked_arrays_are_loaded_only_where_one_is_given() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("'x' is a masked array"), done.stderr

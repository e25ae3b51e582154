"""Numbers beside indices, A[0, j], and places that are counted from a dimension, x[N - 1]."""

import numpy as np
import pytest

import symgrad as sg

DECLARED = (
    "x: real[N]; u: real[N]; q: real[3]; r: real[3]; f: real[M]; p: real[N]; t: real[N]\n"
    "X: data[N, D]; W: param[D, H]; A: real[K, K]; B: real[N, D, H]; S: real[N, C]\n"
    "y: labels[N, C]; o: onehot[N, C]; w: real[C]; z: real; s: real[5]\n"
)


def refused(text: str) -> sg.SymgradError:
    with pytest.raises(sg.SymgradError) as caught:
        sg.parse(text)
    return caught.value


@pytest.mark.parametrize(("typed", "known"), [
    ("x[N - 1]", "x[-1]"), ("x[N-2]", "x[-2]"), ("X[:, D - 1]", "X[:, -1]"),
    ("X[N-1, 0]", "X[-1, 0]"),
    ("x[1:][N - 2]", "x[1:][-1]"), ("sum(X[N-1, j] for j in D)", "g = X[-1]; sum(g[j] for j in D)"),
    ("sum(X[0, j]*W[j, 1] for j in D)", "g = X[0]; c = W[:, 1]; sum(g[j]*c[j] for j in D)"),
    ("L[i] = X[i, 0]*x[i]; L", "c = X[:, 0]; L[i] = c[i]*x[i]; L"),
    ("L[j, i] = B[0, i, j]; L", "c = B[0]; L[j, i] = c[i, j]; L"),
    ("sum(sum(B[i, 1:, 2]) for i in N)", "c = B[:, 1:, 2]; sum(sum(c[i]) for i in N)"),
    ("sum(B[i, 0, H-1] for i in N)", "c = B[:, 0, -1]; sum(c[i] for i in N)"),
])  # fmt: skip
def test_numbers_beside_indices_and_places_that_are_counted(typed: str, known: str) -> None:
    found = [values_at(DECLARED + text) for text in (typed, known)]
    np.testing.assert_array_equal(found[0], found[1])


SIZES = {"N": 4, "D": 3, "H": 5, "C": 3, "K": 2, "M": 6}


def values_at(text: str) -> object:
    """Compute a program at numbers that all differ, but for labels."""
    graph, at = sg.parse(text), {}
    for n in graph.inputs:
        shape = tuple(SIZES[d] if isinstance(d, str) else d for d in n.shape)
        at[n.attrs["name"]] = np.arange(1.0, np.prod(shape) + 1).reshape(shape)
    at |= {"y": np.array([0, 2, 1, 2]), "o": np.eye(3)[[0, 2, 1, 2]]}
    return sg.compile(graph, wrt=[])(**at)[0]


def test_places_that_are_none() -> None:
    assert "index N is out of range" in refused(DECLARED + "x[N]").message
    assert "nothing says that K - 1 is below D" in refused(DECLARED + "X[0, K - 1]").message
    assert "axes of its own" in refused(DECLARED + "sum(X[0:2, j] for j in D)").message

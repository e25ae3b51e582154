"""A loop over tiles stands where tiles save something: rows are read or written twice."""

import numpy as np
import pytest

import symgrad as sg

ALONE = {  # no rows are shared, or they are vectors without anything between
    "neuron": "w: real[D]; x: real[D]; b: scalar; y: scalar\nL = (w@x + b - y)**2",
    "scaled": "A: real[N, D]; B: real[N, D]; s: scalar\nL = s*sum(A)*sum(B)",
    "product": "x: real[D]; y: real[D]; a: real[D]\nL = a@(x*y)",
    "norm": "w: real[D]; lam: scalar\nL = lam*(w@w)",
}
SHARED = {  # a matrix that is read twice, and an array between
    "matrix": "A: real[N, D]; L = sum(A*A) + sum(abs(A))",
    "chain": "x: real[D]; L = sum(exp(sin(x)))",
}
SIZES = {"N": 7, "D": 5}


def inputs(f: sg.Compiled) -> dict[str, object]:
    """Draw what a program takes."""
    rng = np.random.default_rng(1)
    return {
        n.attrs["name"]: rng.normal(size=tuple(SIZES[str(d)] for d in n.shape))
        for n in f.graph.inputs
    }


@pytest.mark.parametrize("name", [*ALONE, *SHARED])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_results_are_those_of_readable_code(name: str, dtype: str) -> None:
    text = {**ALONE, **SHARED}[name].replace("; L", "\nL")
    fast, readable = (sg.compile(text, style=s, dtype=dtype) for s in ("fast", "readable"))
    at = inputs(fast)
    value, grads = fast(**at)
    expected, slopes = readable(**at)
    accurate = 1e-12 if dtype == "float64" else 1e-5
    assert value == pytest.approx(expected, rel=accurate) and type(value) is np.dtype(dtype).type
    for key, slope in slopes.items():
        assert grads[key] == pytest.approx(slope, rel=accurate)
        assert grads[key].dtype == dtype and not np.shares_memory(grads[key], fast(**at)[1][key])


@pytest.mark.parametrize("name", ALONE)
def test_what_shares_no_rows_needs_no_loop(name: str) -> None:
    program = sg.compile(ALONE[name], style="fast").program
    assert "tiles(" not in program and "IDLE" not in program


@pytest.mark.parametrize("name", SHARED)
def test_what_shares_rows_has_one(name: str) -> None:
    text = SHARED[name].replace("; L", "\nL")
    assert "for rows" in sg.compile(text, style="fast").program


def test_a_chain_keeps_its_loop_beside_what_leaves_it() -> None:
    text = "A: real[N, D]; B: real[N, D]; s: scalar\nL = sum(exp(sin(A))) + s*sum(B)"
    program = sg.compile(text, style="fast").program
    body = program[program.index("for rows") :]
    assert "exp(" in body and "total(B)" in program and "B_rows" not in program


def test_numbers_that_are_numpys_are_not_converted() -> None:
    program = sg.compile(ALONE["neuron"], style="fast").program
    assert program.count("np.float64(") == 2  # the inputs b and y

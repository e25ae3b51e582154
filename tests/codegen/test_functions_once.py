"""A module defines each of its functions once, helpers of several helpers too."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import symgrad as sg
from tests.programs import program

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.sg"))
PAIRS = {
    "two clouds": "X: data[N, D]; Y: param[M, D]\n"
    "K[i,j] = exp(-sum((X[i,k] - Y[j,k])**2 for k in D)/2)\nsum(K[i,j] for i in N for j in M)",
    "one cloud": "X: param[N, D]\n"
    "K[i,j] = exp(-sum((X[i,k] - X[j,k])**2 for k in D)/2)\nsum(K[i,j] for i in N for j in N)",
}
WAYS = ({"style": "readable"}, {"style": "fast"}, {"style": "readable", "accurate": True})


def twice(source: str) -> list[str]:
    functions = [n.name for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)]
    return [name for name, count in Counter(functions).items() if count > 1]


@pytest.mark.parametrize("way", WAYS, ids=("readable", "fast", "accurate"))
@pytest.mark.parametrize("name", [*PAIRS, *(p.name for p in EXAMPLES)])
def test_no_function_is_defined_twice(name: str, way: dict[str, object]) -> None:
    text = PAIRS.get(name) or next(p for p in EXAMPLES if p.name == name).read_text("utf-8")
    assert not twice(sg.compile(text, **way).source)  # type: ignore[arg-type]


@pytest.mark.parametrize("way", WAYS, ids=("readable", "fast", "accurate"))
@pytest.mark.parametrize("seed", range(12))
def test_nor_in_random_programs(seed: int, way: dict[str, object]) -> None:
    found = program(seed)
    if found.scalar:
        assert not twice(sg.compile(found.text, **way).source)  # type: ignore[arg-type]

"""Long lines are folded in what is written into a file: the same program, fit for a review."""

import ast
import re
from typing import Any

import pytest

import symgrad as sg
from symgrad.codegen.folding import WIDTH, folded
from tests.codegen.test_tidy import MORE, PROGRAMS

LONG = {
    "layers": "X: data[N, D]; y: labels[N, C]; A: param[D, H]; B: param[H, K]; W: param[K, C]\n"
    "a: param[H]; b: param[K]; c: param[C]\n"
    "cross_entropy(relu(relu(X @ A + a) @ B + b) @ W + c, y)",
    "clash": "value: param[n]; workspace: param[n]; grads: param[n]; verify: data[n]\n"
    "sum(value*workspace*grads*verify*tanh(value + workspace)*sigmoid(grads - verify))",
    "many": "x: param[n]; y: data[n]\nsum(elu(x) + selu(x) + celu(x, 2) + gelu(x) + gelu_tanh(x)"
    " + softplus(x, 2) + hardswish(x) + mish(x) + leaky_relu(x) + relu6(x) + softsign(x)*y)",
}


def meaning(text: str) -> str:
    """Give the syntax of a text, docstrings word for word."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value:
            node.value = " ".join(node.value.split())
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = node.value.strip()
    return ast.dump(tree)


@pytest.mark.parametrize("name", [*PROGRAMS, *MORE, *LONG])
def test_a_folded_module_is_the_same_program(name: str) -> None:
    text = {**PROGRAMS, **MORE, **LONG}[name]
    for style in ("readable", "fast"):
        for accurate in (False, True):
            f = sg.compile(text, style=style, accurate=accurate)
            assert meaning(folded(f.program)) == meaning(f.program)
            wide = [line for line in f.source.split("\n") if len(line) > WIDTH]
            assert all(line.endswith(",") for line in wide), wide  # tables of helper functions
            assert folded(f.source) == f.source


A, B = "a" * 60, "b" * 60


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("x = 1", ["x = 1"]),
        (f"    x = {A}.dot(b) if k == 1 else product({B}, d)",
         ["    x = (", f"        {A}.dot(b) if k == 1", f"        else product({B}, d)", "    )"]),
        (f"    f({A}, {B})", ["    f(", f"        {A},", f"        {B}", "    )"]),
        (f"    {A}, {B} = held", ["    (", f"        {A},", f"        {B}", "    ) = held"]),
        (f"for {A}, {B} in loop0:", ["for (", f"    {A},", f"    {B}", ") in loop0:"]),
        (f"for a, b in ((1, {A}), (2, {B})):",
         ["for a, b in (", f"    (1, {A}),", f"    (2, {B})", "):"]),
        (f"def f(*, {A}, {B}):", ["def f(", f"    *, {A},", f"    {B}", "):"]),
        (f"if {A} and {B}:", ["if (", f"    {A}", f"    and {B}", "):"]),
        (f"# {A} + {B}", [f"# {A} +", f"#     {B}"]),
        (f"x = f('a, b{' - ' * 29}', c)", ["x = f(", f"    'a, b{' - ' * 29}', c", ")"]),
        (f"x = {A}{B}", [f"x = {A}{B}"]),
        (f"x = f({A}, b)  # where {B} is 3", [f"# where {B} is 3", f"x = f({A}, b)"]),
        ("a, " * 999 + "b", None),
        ("x = " + "f(" * 150 + "a" + ")" * 150, None),
    ],
)  # fmt: skip
def test_lines(line: str, rows: list[str] | None) -> None:
    """Long ones at once, too."""
    assert rows is None or folded(line).split("\n") == rows
    assert "".join(folded(line).split()).strip("()") == "".join(line.split()).strip("()") or rows


def test_explained_lines_are_those_of_the_file(tmp_path: Any, capsys: Any) -> None:
    from symgrad.cli import main

    path = tmp_path / "model.py"
    main(["code", LONG["layers"], "--style", "fast", "-o", str(path)])
    main(["code", LONG["layers"], "--style", "fast", "--explain"])
    lines = path.read_text(encoding="utf-8").split("\n")
    found = re.search(r"(\d+)[\d,]* +a narrow product", capsys.readouterr().out)
    assert found
    first = lines[int(found[1]) - 1 :]
    assert "product(" in first[0] or (first[0].endswith(" = (") and "product(" in first[2])

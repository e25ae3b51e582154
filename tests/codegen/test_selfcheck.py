"""`python model.py --check`: every generated module can check its own gradients."""

import ast
import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.build import STYLES
from symgrad.codegen.folding import folded
from symgrad.ops.declared import FACTS

PROGRAMS = {
    "neuron": "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))",
    "net": "X: data[N, D]; y: labels[N, C]; W1: param[D, H]; b1: param[H]; W2: param[H, C]; "
    "h = relu(X @ W1 + b1); loss = cross_entropy(h @ W2, y) + lam*sum(W1**2)",
    "kinds": "Y: onehot[N, C]; P: simplex[N, C]; s: sign[N]; b: binary[N]; r: positive[N]; "
    "A: symmetric[C, C]; y: label[C]; one: onehot[C]; W: param[C]; "
    "(Y @ W) @ s + sum(P @ A @ W * b) + sum(log(r))*W[y] + (one @ W)**2",
    "all of them": "A: symmetric[C, C]; r: positive[N]; c: data; sum(log(r)) + sum(A @ A)*c",
    "symmetric": "S: symmetric[D, D]; logdet(S @ S) + sum(S @ S)",
    "names": "np: param[2]; rng: param[2]; at: param; name: param; float: param; h: param; "
    "d: param; sum(np*rng)*at*name + float*h*d",
    "domain": "x: param[K]; y: param; sum(log(x)*sqrt(x)) + y**1.5",
    "kinks": "x: param[K]; sum(abs(x)) + max(x) + sum(relu(x))",
    "windows": "x: data[N]; k: param[K]; sum(correlate(x, k)**2)",
    "places": "y: data[T]; w: param[T]; a: param; y[29]*a**2 + y[-31]*w[3] + sum(w[12:]**2)",
    "literal": "W: param[3, 4]; x: data[4]; sum(tanh(W @ x))",
    "many": "L = " + " + ".join(f"x{k}**2*{k + 1}" for k in range(40)),
    "intermediate": "w: param[3]; z = w**2; L = sum(z**2)",
}
WRT: dict[str, Any] = {"all of them": ["A", "r", "c"], "intermediate": ["z", "w"]}


def checked(source: str) -> tuple[int, str]:
    """Run the check of a module; give the exit code and what it prints."""
    space: dict[str, Any] = {"__name__": "model"}
    exec(compile(source, "model", "exec"), space)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = space["check"]()
    return code, out.getvalue()


def tail(f: sg.Compiled) -> tuple[str, str]:
    """Divide a module, but for the call that verifies the inputs, where its checks begin."""
    call = r"(?ms)^    (?:if [^:]* is None[^:]*:\n        )?verify_*\(.*?\)\n"
    source = re.sub(call, "", f.source, count=1)
    length = len(folded(f.program))
    return source[:length], source[length:]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_right_gradients_agree(name: str, dtype: str, style: str) -> None:
    f = sg.compile(PROGRAMS[name], WRT.get(name), dtype, style)
    code, out = checked(f.source)
    assert code == 0 and "WRONG" not in out
    shown = [line.split(":")[0] for line in out.splitlines()]
    assert shown == sorted(f.wrt, key=lambda n: n not in f.inputs)
    unchecked = [line for line in out.splitlines() if "not checked" in line]
    assert [line.split(":")[0] for line in unchecked] == [n for n in f.wrt if n not in f.inputs]
    before, after = tail(f)
    assert before == folded(f.program) and len(after.splitlines()) <= 130


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("before", "after", "wrong"),
    [
        ("grad_W2 = h.T @ delta", "grad_W2 = 1.05 * h.T @ delta", "W2"),
        ("grad_h * (h > 0)", "grad_h", "W1 b1"),
        ("minus_one_hot(P, y) / N", "P", "W1 b1 W2"),
        ("np.sum(delta_2, axis=0)", "np.sum(delta_2, axis=0) * np.nan", "b1"),
        ("2 * lam * W1", "lam * W1", "W1"),
    ],
)
def test_wrong_gradients_do_not(before: str, after: str, wrong: str, dtype: str) -> None:
    source = sg.compile(PROGRAMS["net"], dtype=dtype, style="readable").source
    assert before in source
    code, out = checked(source.replace(before, after))
    assert code == 1
    assert [line.split(":")[0] for line in out.splitlines() if "WRONG" in line] == wrong.split()


def test_on_the_command_line(tmp_path: Path) -> None:
    model = tmp_path / "model.py"

    def run(*options: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-I", "-W", "error", str(model), *options],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    model.write_text(sg.compile(PROGRAMS["net"]).source, encoding="utf-8")
    code, out = run("--check")
    assert code == 0 and out.count(": ok, largest relative difference ") == 3
    for options, expected in (((), 0), (("--chekc",), 2)):
        code, out = run(*options)
        assert code == expected and out.startswith(f"usage: python {model} --check")
    model.write_text(
        sg.compile(PROGRAMS["net"], style="readable").source.replace("2 * lam", "lam"),
        encoding="utf-8",
    )
    code, out = run("--check")
    assert code == 1 and out.startswith("W1: WRONG")
    model.write_text(sg.compile(PROGRAMS["net"], wrt=[]).source, encoding="utf-8")
    assert run("--check") == (0, "nothing to check: no gradient is asked for\n")
    inner = "q: not checked, a value on the way\n"
    text = "x: param[N]; q = x**2; sum(q)"
    model.write_text(sg.compile(text, wrt=["q"]).source, encoding="utf-8")
    assert run("--check") == (0, inner)
    model.write_text(sg.compile(text, wrt=["q", "x"]).source, encoding="utf-8")
    code, out = run("--check")
    assert code == 0 and out.startswith("x: ok") and out.endswith(f"\n{inner}")


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_made_of_names_and_numbers(name: str) -> None:
    """The part that is not checked before it is executed has no text of a user but names."""
    f = sg.compile(PROGRAMS[name], WRT.get(name))
    _, after = tail(f)
    tree = ast.parse(after)
    inputs = [f"{n}{end}" for n in f.inputs for end in ("", "_")]
    inputs += [*f.wrt, *(d for n in f.graph.inputs for d in n.shape)]
    texts = [n.value for n in ast.walk(tree)
             if isinstance(n, ast.Constant) and isinstance(n.value, str)]  # fmt: skip
    every = "; ".join(f"q{k}: {kind}[2, 2]" for k, kind in enumerate(FACTS))
    text = "y: label[2]; z: param[2]; a: data[N]; b: data[K]; v = z[y]; v*sum(q0)"
    own = ast.parse(tail(sg.compile(f"{every}; {text} + sum(correlate(a, b))",
                                    ["z", "v", "q0"]))[1])  # fmt: skip
    numbers = ast.parse(tail(sg.compile("u*v"))[1])
    fixed = [n.value for tree in (own, numbers) for n in ast.walk(tree)
             if isinstance(n, ast.Constant) and isinstance(n.value, str)]  # fmt: skip
    assert [t for t in texts if t not in inputs and t not in fixed] == []
    assert f.source.isascii() or not f.program.isascii()
    assert all(len(line) <= 100 for line in after.splitlines())


def test_sizes_that_are_known_do_not_make_it_slow() -> None:
    """Data given to `parse` say how large an axis is; the check takes a small one."""
    text = "X: data[N, D]; w: param[D]; mean((X @ w)**2)"
    graph = sg.parse(text, shapes={"X": np.ones((999, 99))})
    source = sg.compile(graph).source
    assert "# N = 4, D = 3" in source and checked(source)[0] == 0


@pytest.mark.parametrize("more", ["", "c: param; "])
def test_symmetric_matrices_are_drawn_symmetric(more: str) -> None:
    source = sg.compile(f"{more}S: symmetric[D, D]; sum(S @ S){'*c' * bool(more)}").source
    assert 'at["S"] = at["S"] + at["S"].T' in source

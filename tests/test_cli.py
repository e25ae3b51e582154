"""The command line, in process: every verb, all sources, exit codes 0, 1 and 2."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import opdocs
from symgrad.cli import main
from symgrad.errors import DataError
from symgrad.reading import read_values

ROOT = Path(__file__).parents[1]
NEURON = "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
AT = ["w0=2", "x0=-1", "w1=-3", "x1=-2", "w2=-3"]
CE = "s: real[3]\ny: label[3]\np = softmax(s)\nL = -log(p[y])"


@pytest.fixture(autouse=True)
def _warnings_as_found(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put back how warnings are shown, which `main` sets."""
    import warnings

    with warnings.catch_warnings():
        yield


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    said = capsys.readouterr()
    return code, said.out, said.err


def run_out(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run what ends in the reader of the command line."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_derive(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "derive", "(x + y)*z") == (0, "∂f/∂x = z\n∂f/∂y = z\n∂f/∂z = x + y\n", "")
    code, out, err = run(capsys, "derive", CE, "--wrt", "s")
    assert code == 0 and "∂L/∂s = p − e_y" in out and "p = softmax(s)" in out
    assert err.startswith("note: recognised")
    assert (
        run(capsys, "derive", "x*y", "--wrt", "y", "--to", "latex")[1]
        == "\\frac{\\partial f}{\\partial y} = x\n"
    )
    assert run(capsys, "derive", "x*y", "--wrt", "x", "--to", "numpy")[1] == "grad_x = y\n"
    assert "$$" in run(capsys, "derive", "x*y", "--to", "markdown")[1]
    for to in ("unicode", "latex", "markdown"):
        for detail in "123":
            code, out, _ = run(capsys, "derive", CE, "--steps", "--detail", detail, "--to", to)
            assert code == 0 and len(out) > 100
    assert "sigmoid: 1/(1 + exp(" in run(capsys, "derive", NEURON, "--trace")[2]


def test_functions(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = "phi: function; E = (phi(w*x) - d)**2"
    bound = sg.parse(text, functions={"phi": "a*sigmoid(a)"})
    given = ("--functions", "phi=a*sigmoid(a)")
    assert "φ′(w x)" in run(capsys, "derive", text, "--wrt", "w")[1]
    note = "note: recognised silu (line 1)\n"
    assert run(capsys, "code", text, *given) == (
        0,
        sg.compile(bound, style="readable").source,
        note,
    )
    derived = run(capsys, "derive", text, *given, "--wrt", "d")[1]
    assert derived == str(sg.gradient(bound, "d")["d"]) + "\n"
    assert run(capsys, "check", text, *given, "--at", "w=1", "x=2", "d=0")[0] == 0
    target = tmp_path / "net.svg"
    net = "phi: function; psi: function; sum(phi(v)*psi(v))"
    draw = ("draw", net, "--at", "v=[1,2]", "-o", str(target))
    assert run(capsys, *draw, "--functions", "phi=tanh", "psi=where(a >= 0, a, 0)")[0] == 0
    assert 'data-op="tanh"' in target.read_text()
    code, _, err = run(capsys, *draw)
    assert code == 2 and "the function 'phi' is abstract" in err
    code, _, err = run(capsys, "check", text)
    assert code == 2 and "--functions phi=tanh" in err
    code, _, err = run(capsys, "code", text, "--functions", "phi")
    assert code == 2 and "--functions takes NAME=OPERATOR, not 'phi'" in err
    code, _, err = run(capsys, "code", text, "--functions", "psi=tanh")
    assert code == 2 and "its functions are phi" in err
    code, _, err = run(capsys, "code", text, "--functions", "phi=tahn")
    assert code == 1 and "did you mean 'tanh'" in err


def test_code(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    note = "note: recognised sigmoid (line 1)\n"
    assert run(capsys, "code", NEURON) == (0, sg.compile(NEURON, style="readable").source, note)
    precise = sg.compile(NEURON, accurate=True, style="readable").source
    code, out, err = run(capsys, "code", NEURON, "--accurate", "--trace")
    assert (code, out) == (0, precise) and "sigmoid: 1/(1 + exp(" in err
    target = tmp_path / "module.py"
    given = ("-o", str(target), "--dtype", "float32", "--wrt", "s")
    note = "note: recognised logarithm of exponentials (line 4)\n"
    assert run(capsys, "code", CE, *given) == (0, "", note)
    assert (
        target.read_text(encoding="utf-8")
        == sg.compile(CE, "s", "float32", style="readable").source
    )
    assert list(tmp_path.iterdir()) == [target]


def test_code_in_every_style_and_for_every_target(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from symgrad.codegen import targets
    from symgrad.codegen.build import STYLES

    for style in STYLES:
        assert run(capsys, "code", CE, "--style", style)[1] == sg.compile(CE, style=style).source
    for target in targets.names():
        expected = targets.source(sg.parse(CE), target=target)
        assert run(capsys, "code", CE, "--target", target)[:2] == (0, expected)
    for option in ("--style", "--target", "--dtype"):
        code, _, err = run_out(capsys, "code", "x*y", option, "nonsense")
        assert code == 2 and f"argument {option}: invalid choice: 'nonsense' (choose from" in err
    listed = run_out(capsys, "code", "--help")[1]
    assert ", ".join(STYLES) in listed and ", ".join(targets.names()) in listed
    target = tmp_path / "model.py"
    assert run(capsys, "code", CE, "-o", str(target))[0] == 0
    done = subprocess.run([sys.executable, str(target), "--check"], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0 and done.stdout.startswith("s: ok, ")


def test_explain(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from symgrad.codegen.fast.explain import explain

    said = explain(sg.parse(CE), None, "float64", False)
    assert run(capsys, "code", CE, "--explain")[:2] == (0, said)
    target = tmp_path / "model.py"
    code, out, _ = run(capsys, "code", CE, "--explain", "--summary", "--style", "fast",
                       "-o", str(target))  # fmt: skip
    assert code == 0 and out.startswith(f"{said}\nparameter  shape")
    assert target.read_text(encoding="utf-8") == sg.compile(CE, style="fast").source


def test_summary(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = "X: data[N, D]; w: param[D]; t: data[N]; mean((X @ w - t)**2)"
    code, out, err = run(capsys, "code", text, "--summary")
    assert (code, err) == (0, "") and out == f"{sg.compile(text, style='readable').summary()}\n"
    code, out, _ = run(capsys, "code", text, "--summary", "--sizes", "N=100", "D=10")
    assert code == 0 and "2,300 of the value, 4,401 with the gradients" in out
    target = tmp_path / "model.py"
    assert run(capsys, "code", text, "--summary", "-o", str(target))[0] == 0
    assert target.read_text(encoding="utf-8") == sg.compile(text, style="readable").source
    for wrong in ("N", "N=x", "N=-3", "N=1.5"):
        code, _, err = run(capsys, "code", text, "--summary", "--sizes", wrong)
        assert code == 2 and f"--sizes takes NAME=NUMBER, not '{wrong}'" in err
    code, _, err = run(capsys, "code", text, "--sizes", "N=3")
    assert code == 2 and "add --summary" in err
    code, _, err = run(capsys, "code", text, "--summary", "--sizes", "M=3")
    assert code == 1 and "no dimension and no input is called M" in err


def test_check(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "check", NEURON, "--at", *AT)
    assert code == 0 and out.count(" ok ") == 5
    assert run(capsys, "check", CE)[0] == 0
    code, out, _ = run(capsys, "check", "x: data\nx*2")
    assert (code, out) == (0, "nothing to check: no gradient is asked for\n")
    code, out, _ = run(capsys, "check", "abs(x)", "--at", "x=0.00001")
    assert code == 1 and "DIFFERS" in out


def test_draw(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    outputs = [str(tmp_path / f"a.{suffix}") for suffix in ("svg", "png", "pdf", "dot")]
    code, _, _ = run(
        capsys, "draw", NEURON, "--at", *AT, "-o", *outputs, "--title", "Neuron", "--theme", "dark"
    )
    assert code == 0 and all(Path(o).stat().st_size > 500 for o in outputs)
    assert "data-grad" in Path(outputs[0]).read_text(encoding="utf-8")
    matrix = tmp_path / "m.svg"
    code, _, _ = run(
        capsys,
        "draw",
        "W: param[2, 2]\nx: data[2]\nsum(W @ x)",
        "--at",
        "W=[[1,2],[3,4]]",
        "x=[1,-1]",
        "--wrt",
        "W",
        "--view",
        "tensor",
        "-o",
        str(matrix),
    )
    assert code == 0 and matrix.exists()


def test_sources(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "model.sg"
    file.write_text("\ufefff = x*y  # λ\n", encoding="utf-8")
    assert run(capsys, "derive", str(file))[1] == "∂f/∂x = y\n∂f/∂y = x\n"
    monkeypatch.setattr("sys.stdin", io.StringIO("f = x*y"))
    assert run(capsys, "derive", "-")[1] == "∂f/∂x = y\n∂f/∂y = x\n"
    assert run(capsys, "derive", "--", "-x*y")[1] == "∂f/∂x = −y\n∂f/∂y = −x\n"
    for path in sorted((ROOT / "examples").glob("*.sg")):
        assert run(capsys, "derive", str(path))[0] == 0
        assert run(capsys, "code", str(path))[0] == 0
    code, _, err = run(capsys, "derive", "missing.sg")
    assert code == 1 and err == "DataError: there is no file missing.sg\n"
    bad = tmp_path / "bad.sg"
    bad.write_bytes(b"x \xff\xfe")
    assert run(capsys, "derive", str(bad))[0] == 1


def test_points(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    np.savez(tmp_path / "at.npz", W=np.ones((2, 2)), x=np.ones(2))
    np.save(tmp_path / "x.npy", np.ones(2))
    text = "W: param[2, 2]\nx: data[2]\nsum(W @ x)"
    assert run(capsys, "check", text, "--at", str(tmp_path / "at.npz"))[0] == 0
    assert run(capsys, "check", text, "--at", "W=[[1,2],[3,4]]", f"x={tmp_path / 'x.npy'}")[0] == 0
    assert read_values(None) is None
    assert read_values(["x = 1e3", "y=[1, [2]]", "z=-inf"]) == {
        "x": 1000.0,
        "y": [1, [2]],
        "z": -np.inf,
    }
    evil = tmp_path / "evil.npy"
    np.save(evil, np.array([{}], dtype=object), allow_pickle=True)
    (tmp_path / "no.npz").write_text("not a zip")
    for items, code in (
        (["x"], 2),
        (["x=abc"], 1),
        (['x={"a": 1}'], 1),
        (["x=[1,"], 1),
        (["x=" + "[" * 100_000], 1),
        ([f"x={evil}"], 1),
        ([str(tmp_path / "no.npz")], 1),
        (["x=none.npy"], 1),
        (["q=3"], 1),
        (["W=[[1,2],[3,4]]", "x=[1,2,3]"], 1),
        (["W=[[1,2],[3]]", "x=[1,2]"], 1),
    ):
        got, out, err = run(capsys, "check", text, "--at", *items)
        assert got == code and out == "" and re.match(r"\w+Error: ", err), items


WRONG = [
    ("derive", "tahn(x)"),
    ("code", "x +"),
    ("check", "v: real[2]\nv"),
    ("draw", "9**9**9", "-o", "a.svg"),
    ("derive", "A: real[2,3]\nA @ A"),
    ("code", "__import__('os')"),
    ("derive", ""),
]


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_input_is_1(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    code, out, err = run(capsys, *arguments)
    assert code == 1 and out == "" and re.match(r"\w+Error: ", err) and "Traceback" not in err


def test_the_error_has_a_caret(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = run(capsys, "derive", "tahn(w*x + b)")
    assert err.startswith(
        "ParseError: unknown function 'tahn'  (line 1, column 1)\n  tahn(w*x + b)\n  ^^^^\n"
    )


MISUSE = [
    (),
    ("nonsense",),
    ("derive",),
    ("derive", "x", "--to", "nonsense"),
    ("derive", "x", "--detail", "9"),
    ("code", "x", "--dtype", "float16"),
    ("draw", "x"),
    ("code", "x", "--style", "nonsense"),
]


@pytest.mark.parametrize("arguments", MISUSE)
def test_a_wrong_call_is_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert caught.value.code == 2 and "usage: symgrad" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("derive", "x*y", "--wrt", "q"),
        ("derive", "x: data\nx*2"),
        ("ops", "nonsense"),
        ("check", "x*y", "--at", "x"),
        ("code", "x*y", "--wrt", "q"),
    ],
)
def test_usage_errors_are_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    code, out, err = run(capsys, *arguments)
    assert code == 2 and out == "" and err.startswith("UsageError: ")


@pytest.mark.parametrize("output", ["a.nonsense", "a", "no/such/folder/a.svg"])
def test_a_wrong_output(capsys: pytest.CaptureFixture[str], tmp_path: Path, output: str) -> None:
    code, _, err = run(capsys, "draw", "x*y", "--at", "x=1", "y=2", "-o", str(tmp_path / output))
    assert code in (1, 2) and "Error: " in err and "Traceback" not in err
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    code, _, err = run(capsys, "code", "x*y", "-o", str(tmp_path / "no" / "m.py"))
    assert code == 1 and "no" in err


def test_warnings_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "derive", "p: param[N, 1]\nt: data[N]\nL = mse(p, t)")
    assert code == 0 and err.count("warning: line 3: shapes (N, 1) and (N,)") == 1
    assert "parse/expression.py" not in err


def test_ops(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "ops")
    assert code == 0 and "sigmoid(a)" in out and out.count("\n") > 50
    code, out, _ = run(capsys, "ops", "sigmoid")
    assert code == 0 and out.startswith("sigmoid(a)") and "1/(1 + exp(-a))" in out
    assert run(capsys, "ops", "--markdown")[1] == opdocs.table()


def test_the_operator_table_of_the_docs_is_up_to_date(capsys: pytest.CaptureFixture[str]) -> None:
    committed = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    assert run(capsys, "ops", "--markdown")[1] == committed, (
        "symgrad ops --markdown > docs/operators.md"
    )


def test_doctor(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = run(capsys, "doctor")
    assert code == 0 and "FAILS" not in out and "numpy" in out and "x**2 at 3 is 9.0" in out
    from symgrad import demo

    def broken() -> str:
        raise sg.EngineError("no engine")

    monkeypatch.setitem(demo.TRIALS, "layout", broken)
    monkeypatch.setitem(demo.PARTS, "no-such-library", "nothing")
    code, out, _ = run(capsys, "doctor")
    assert code == 1 and "FAILS: EngineError: no engine" in out and "missing" in out


def test_demo(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    pytest.importorskip("sklearn", reason="needs the extra `data`")
    folder = tmp_path / "out" / "demo"
    code, out, _ = run(capsys, "demo", "--out", str(folder))
    assert code == 0
    written = sorted(p.name for p in folder.iterdir())
    pictures = [f"neuron.{suffix}" for suffix in ("html", "pdf", "png", "svg")]
    assert written == ["classifier.md", "classifier.py", *pictures]
    assert all(str(folder / name) in out for name in written)
    share = re.search(r"([\d.]+)% of held-out rows right", out)
    assert share and float(share[1]) > 90
    space: dict[str, Any] = {}
    exec((folder / "classifier.py").read_text(encoding="utf-8"), space)
    assert callable(space["value_and_grad"])


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--version"], ["--help"], ["derive", "--help"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
    assert f"symgrad {sg.__version__}" in capsys.readouterr().out


def test_a_closed_pipe_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stdout", Closed())
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert main(["code", "x*y"]) == 0


def test_json_points_are_plain_lists() -> None:
    assert read_values(["x=[1.5, 2]"]) == {"x": json.loads("[1.5, 2]")}


def test_derive_entries_jacobians_and_hessians(capsys: pytest.CaptureFixture[str]) -> None:
    softmax = "z: real[K]; p = softmax(z)"
    assert main(["derive", softmax, "--jacobian"]) == 0
    assert capsys.readouterr().out == "∂p/∂z = diag(p) − p pᵀ\n  where p = softmax(z)\n"
    assert main(["derive", softmax, "--jacobian", "--form", "index", "--to", "latex"]) == 0
    assert capsys.readouterr().out.startswith(r"\frac{\partial p_{i}}{\partial z_{j}} = p_{i}")
    assert main(["derive", "x: real; y: real; f = x**2*y", "--hessian", "--wrt", "x", "y"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["∂²f/∂x² = 2y", "∂²f/∂x∂y = 2x", "∂²f/∂y∂x = 2x", "∂²f/∂y² = 0"]
    assert main(["derive", "W: param[H, D]; x: data[D]; y = W@x", "--jacobian"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("∂yᵢ/∂Wₖⱼ = δᵢₖ xⱼ")
    assert "note: ∂yᵢ/∂Wₖⱼ has no matrix form; its entries are given" in captured.err
    assert main(["derive", softmax, "--jacobian", "--hessian"]) == 2
    assert "give one of them" in capsys.readouterr().err


def test_a_page_of_entries(capsys: pytest.CaptureFixture[str]) -> None:
    program = "s: real[C]; y: label[C]; p = softmax(s); L = -log(p[y])"
    assert main(["derive", program, "--wrt", "s", "--form", "index", "--to", "html"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("<!DOCTYPE html>") and "<mtable>" in page  # the cases


@pytest.mark.parametrize(("arguments", "code", "said"), [
    (["check", "x*y", "--at", "x=1", "x=2", "y=1"], 2, "--at gives 'x' twice"),
    (["check", "x*y", "--at", "x=1e400", "y=1"], 1, "beyond the range of float64"),
    (["check", "x*y", "--at", "x=[1e999]", "y=1"], 1, "'x', 1e999, is beyond"),
    (["check", "x*y", "--at", f"x={'9' * 400}", "y=1"], 1, "beyond the range"),
    (["check", "x*y", "--at", f"x=[{'9' * 5000}]", "y=1"], 1, "beyond the range"),
    (["check", "x*y", "--at", "x=no.npy", "y=1"], 1, "there is no file no.npy"),
    (["derive", "f: function; f(x)", "--functions", "f=tanh", "f=exp"], 2, "gives 'f' twice"),
    (["code", "X: data[N, D]; sum(X)", "--summary", "--sizes", "N=1", "N=2"], 2, "'N' twice"),
    (["code", "x*y", "--train", "--set", "lam=1e400"], 2, "--set takes NAME=NUMBER"),
    (["code", "x*y", "-o", ""], 2, "no name of a file"),
    (["derive", "a" * 300 + ".sg"], 2, "is no name of a file"),
    (["check", "log(x)", "--at", "x=0"], 1, ""),
    (["derive", "huber(x, t, -1)"], 1, "delta is -1  (line 1, column 1)"),
])  # fmt: skip
def test_mistakes_on_the_command_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, said: str
) -> None:
    found, out, err = run(capsys, *arguments)
    assert found == code and said in err and "Traceback" not in err
    assert said or "NOT FINITE" in out


def test_infinity_is_typed() -> None:
    found = read_values(["x=inf", "y=-Infinity", "z=[Infinity, 1, 2.5]", "n=[1, 2]"])
    assert found == {
        "x": float("inf"),
        "y": -float("inf"),
        "z": [float("inf"), 1, 2.5],
        "n": [1, 2],
    }


def test_code_on_standard_output(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "code", "x*y", "-o", "-") == run(capsys, "code", "x*y")
    assert not list(tmp_path.iterdir())


def test_an_output_that_lacks_the_characters() -> None:
    command = [sys.executable, "-m", "symgrad", "derive", "x*y"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, "PYTHONIOENCODING": "ascii"})  # fmt: skip
    assert done.returncode == 2 and "PYTHONIOENCODING=utf-8" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_into_a_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "here").write_text("x")
    code, _, err = run(capsys, "demo", "--out", str(tmp_path / "here"))
    assert code == 1 and "cannot be made a folder" in err


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("[.5,-.25,2.]", [0.5, -0.25, 2.0]),
        ("[1.e2,.5e1]", [100.0, 5.0]),
        ("[1.5, 20.25]", [1.5, 20.25]),
    ],
)
def test_numbers_in_lists_may_leave_out_zeros(text: str, meant: list[float]) -> None:
    found = read_values([f"x={text}"])
    assert found is not None and found["x"] == meant


@pytest.mark.parametrize("text", ["[1..5]", "[..5]", "[a.5]", "[.]", "[1.5.2]"])
def test_what_is_no_number_in_a_list_is_quoted_as_typed(text: str) -> None:
    with pytest.raises(DataError, match=re.escape(text)):
        read_values([f"x={text}"])

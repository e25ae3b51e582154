"""Layers that are typed out become a loop, with the bits of the statements written out."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen import build, safety, tokens
from symgrad.codegen.direct import opened
from symgrad.codegen.fast import deep as writing
from symgrad.codegen.fast import layers
from symgrad.codegen.fast.costs import Costs
from symgrad.codegen.fast.module import FastModule
from symgrad.codegen.fast.repeated import Forms, repeats
from symgrad.codegen.fast.tables import Tables

CUT = Costs(untiled_bytes=64, tile_bytes=2048, shortest_tile=16, longest_tile=64, piece=8)
SIZES = {"N": 37, "D": 5, "H": 7, "O": 2}
Program = Callable[[int], str]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write loops also where they save few lines."""
    monkeypatch.setattr(writing, "SAVED", 0)


def numbered(text: str, count: int, between: str = "\n") -> str:
    """Write a text for i = 1 … count; {j} is the number before."""
    return between.join(text.format(i=i, j=i - 1) for i in range(1, count + 1))


def deep(count: int, layer: str, declared: str, last: str = "mean((h{i} - t)**2)") -> str:
    return "\n".join([
        "x: data[N, D]; t: data[N, D]", numbered(declared, count), "h0 = x",
        numbered(layer, count), "loss = " + last.format(i=count),
    ])  # fmt: skip


def mlp(n: int, layer: str = "h{i} = tanh(h{j}@W{i} + b{i})") -> str:
    return "\n".join([
        "x: data[N, D]; t: data[N, O]; Wi: param[D, H]; Wo: param[H, O]; bo: param[O]",
        numbered("W{i}: param[H, H]; b{i}: param[H]", n), "h0 = tanh(x@Wi)", numbered(layer, n),
        f"loss = mean((h{n}@Wo + bo - t)**2)",
    ])  # fmt: skip


def recurrent(n: int) -> str:
    return "\n".join([
        numbered("x{i}: data[N, D]", n), "y: data[N, H]; s0: param[N, H]",
        "W: param[D, H]; U: param[H, H]; b: param[H]",
        numbered("s{i} = tanh(x{i}@W + s{j}@U + b)", n), f"loss = mean((s{n} - y)**2)",
    ])  # fmt: skip


def gated(n: int) -> str:
    return "\n".join([
        numbered("x{i}: data[N, D]", n), "y: data[N, H]; s0: data[N, H]",
        "A: param[D, H]; B: param[H, H]; C: param[D, H]; E: param[H, H]",
        numbered("z{i} = sigmoid(x{i}@A + s{j}@B); c{i} = tanh(x{i}@C + s{j}@E)\n"
                 "s{i} = (1 - z{i})*s{j} + z{i}*c{i}", n),
        f"loss = mean((s{n} - y)**2)",
    ])  # fmt: skip


def terms(n: int, shape: str, of: str) -> str:
    declared = numbered(f"w{{i}}: param[{shape}]; t{{i}}: data[{of}]", n)
    return f"x: data[N, D]\n{declared}\n" + numbered("sum((x@w{i} - t{i})**2)", n, " + ")


PROGRAMS: dict[str, Program] = {
    "tanh": mlp,
    "residual": lambda n: deep(
        n, "a{i} = relu(h{j}@W{i} + b{i})\nh{i} = h{j} + a{i}@V{i}",
        "W{i}: param[D, H]; b{i}: param[H]; V{i}: param[H, D]"),
    "three lines": lambda n: deep(
        n, "a{i} = tanh(h{j}@W{i})\nc{i} = sigmoid(a{i}@V{i} + b{i})\nh{i} = a{i}*c{i}",
        "W{i}: param[D, D]; V{i}: param[D, D]; b{i}: param[D]"),
    "layer norm": lambda n: deep(
        n, "h{i} = relu(layer_norm(h{j}@W{i}, g{i}, e{i}))",
        "W{i}: param[D, D]; g{i}: param[D]; e{i}: param[D]"),
    "batch norm": lambda n: deep(
        n, "h{i} = relu(batch_norm(h{j}@W{i}, g{i}, e{i}))",
        "W{i}: param[D, D]; g{i}: param[D]; e{i}: param[D]"),
    "recurrent": recurrent,
    "gated": gated,
    "sums": lambda n: terms(n, "D", "N"),
    "sums of matrices": lambda n: terms(n, "D, H", "N, H"),
    "a shared product": lambda n: terms(n, "D, H", "N, H") + " + sum(tanh(x@w3))",
    "a shared sum": lambda n: terms(n, "D", "N") + "*(1 + sum((x@w3 - t3)**2))",
    "elementwise": lambda n: "x: data[N]; w: param[N]\nh0 = x*w\n"
        + numbered("h{i} = tanh(h{j}*w)", n) + f"\nsum(h{n})",
    "linear": lambda n: numbered("x{i}: data[N]; a{i}: param", n) + "\nt: data[N]\nsum(("
        + numbered("a{i}*x{i}", n, " + ") + " - t)**2)",
    "numbers": lambda n: "X: data[N, N]; s: param\nh0 = s\n" + numbered(
        "h{i} = tanh(h{j}*mean(cos(X*h{j})))*sum(inv(X + h{j} + 9*eye(N)))", n) + f"\nh{n}**2",
}  # fmt: skip


def at(text: str, dtype: str = "float64", **sizes: int) -> dict[str, np.ndarray]:
    """Draw inputs."""
    rng = np.random.default_rng(0)
    known = {**SIZES, **sizes}
    return {
        n.attrs["name"]: rng.normal(size=[known.get(str(d), d) for d in n.shape]).astype(dtype)
        * 0.3
        for n in sg.parse(text).inputs
    }


def straight(monkeypatch: pytest.MonkeyPatch, text: str, **options: object) -> sg.Compiled:
    """Compile without loops over layers."""
    with monkeypatch.context() as patched:
        patched.setattr(FastModule, "rolling", False)
        return build(sg.parse(text), **options)  # type: ignore[arg-type]


def same(one: sg.Compiled, other: sg.Compiled, inputs: dict[str, np.ndarray]) -> None:
    """Assert that two functions agree bit for bit, on every call."""
    value, grads = other(**inputs)
    wanted = {name: np.copy(g) for name, g in grads.items()}
    for _ in range(2):
        found, gradients = one(**inputs)
        assert found == value and list(gradients) == list(wanted)
        for name, g in wanted.items():
            assert gradients[name].dtype == g.dtype
            assert np.asarray(gradients[name]).tobytes() == g.tobytes(), name


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_loop_has_the_bits_of_the_statements(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PROGRAMS[name](9)
    for options in ({}, {"dtype": "float32", "costs": CUT}, {"reuse": True}):
        plain = straight(monkeypatch, text, **options)
        rolled = build(sg.parse(text), **options)  # type: ignore[arg-type]
        assert rolled.program.count("\n") < plain.program.count("\n")
        inputs = at(text, str(options.get("dtype", "float64")))
        same(rolled, plain, inputs)
        same(rolled, plain, at(text, N=2, D=2, H=2, O=2))
    readable = sg.compile(text, style="readable")
    value, grads = readable(**inputs)
    found, gradients = build(sg.parse(text))(**inputs)
    np.testing.assert_allclose(found, value, rtol=1e-11)
    for key, g in grads.items():
        np.testing.assert_allclose(gradients[key], g, rtol=1e-8, atol=1e-11)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("name", ["tanh", "sums", "gated", "elementwise"])
def test_threads_share_the_tiles_of_a_layer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("threadpoolctl")
    text = PROGRAMS[name](6)
    costs = Costs(threaded=1, untiled_bytes=64, tile_bytes=2048, shortest_tile=16,
                  longest_tile=64, piece=8)  # fmt: skip
    plain = straight(monkeypatch, text, threads=2, costs=costs)
    rolled = build(sg.parse(text), threads=2, costs=costs)
    assert rolled.program.count("\n") < plain.program.count("\n")
    same(rolled, plain, at(text))


def body(text: str) -> list[str]:
    """Give the statements of the function, without what grows with the number of names."""
    program = sg.compile(text).program
    lines = program[program.index(" = held") :].split("\n")
    return [line for line in lines if line.startswith("    ") and not line.startswith("        (")]


@pytest.mark.parametrize("name", ["tanh", "residual", "three lines", "layer norm", "batch norm"])
def test_more_layers_are_no_more_statements(name: str) -> None:
    forms = [
        [line.split("(")[0].split("[")[0] for line in body(PROGRAMS[name](count)) if " = " in line]
        for count in (40, 44)
    ]
    assert len(forms[0]) == len(forms[1]) < 130


def test_the_loop_says_what_it_computes() -> None:
    program = sg.compile(mlp(30)).program
    for line in (
        "# k = 1, 2, …, 30",
        "# hₖ = tanh(hₖ₋₁ Wₖ + bₖ)",
        "for buf_k, W_k, buf_k1, loop_k, b_k in zip(bufs[:30], Ws, bufs[1:31], loops, bs):",
        "# k = 30, 29, …, 1",
        "# ∂loss/∂Wₖ = hₖ₋₁ᵀ δ₃₂₋ₖ",
        "bufs = [aligned((N, H), np.float64) for _ in range(32)]",
    ):
        assert program.count(f"    {line}\n") == 1, line
    assert (
        max(map(len, program[program.index("# k = 1") :].split("    return")[0].split("\n"))) < 170
    )


def test_another_layer_in_the_middle_splits_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    text = mlp(21).replace("h11 = tanh", "h11 = sigmoid")
    program = sg.compile(text).program
    assert program.count("    for buf_k") == 4  # forwards and backwards, before and after
    assert "# h₁₁ = σ(" in program and "# k = 12, 13, …, 21" in program
    same(sg.compile(text), straight(monkeypatch, text), at(text))


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize("text", [
    mlp(3),
    "x: data[N, D]; t: data[N, D]; A: param[D, D]; B: param[D, D]; C: param[D, D]; E: param[D, D]\n"
    "a = tanh(x@A); b = sigmoid(a@B); c = relu(b@C); d = softplus(c@E); mean((d - t)**2)",
])  # fmt: skip
def test_few_layers_and_different_ones_are_written_out(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sg.compile(text).program == straight(monkeypatch, text).program


def test_what_loops_save_is_worth_their_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {}
    for count in (6, 30):
        found = [sg.compile(mlp(count)), straight(monkeypatch, mlp(count))]
        lines[count] = [f.program.count("\n") for f in found]
    assert lines[6][0] == lines[6][1] and lines[30][0] < 0.5 * lines[30][1]


@pytest.mark.usefixtures("short")
def test_names_that_loops_would_take(monkeypatch: pytest.MonkeyPatch) -> None:
    text = mlp(8) + " + sum(Ws**2) + bufs*W_k + sum(loops) + zip + place_k + vs"
    declared = "Ws: param[3]; bufs: param; W_k: param; loops: param[2]; zip: param; place_k: param"
    text = f"{declared}; vs: param\n{text}"
    for order in ("W{i}", "as{i}_w", "wird{i}", "V_{i}_k"):
        given = text
        for i in range(8, 0, -1):
            given = given.replace(f"W{i}", order.format(i=i))
        rolled = sg.compile(given)
        assert "# k = 1, 2, …, 8" in rolled.program
        same(rolled, straight(monkeypatch, given), at(given))


@pytest.mark.usefixtures("short")
def test_layers_of_any_names(monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"]
    declared = "; ".join(f"{w}: param[D, D]" for w in words)
    text = f"x: data[N, D]; {declared}\nh = x\n"
    text += "\n".join(f"h = tanh(h@{w})" for w in words) + "\nsum(h**2)"
    rolled = sg.compile(text)
    assert "for buf_k" in rolled.program
    same(rolled, straight(monkeypatch, text), at(text))


@pytest.mark.usefixtures("short")
def test_widths_that_differ_are_rolled_where_they_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    text = mlp(12).replace("W6: param[H, H]; b6: param[H]", "W6: param[H, K]; b6: param[K]")
    text = text.replace("W7: param[H, H]; b7: param[H]", "W7: param[K, H]; b7: param[H]")
    rolled = sg.compile(text)
    assert rolled.program.count("\n") < straight(monkeypatch, text).program.count("\n")
    same(rolled, straight(monkeypatch, text), at(text, K=3))


def test_the_same_bytes_in_every_process() -> None:
    code = "import symgrad as sg, sys; print(sg.compile(sys.stdin.read(), reuse=True).program)"
    texts = [
        subprocess.run(
            [sys.executable, "-c", code], input=gated(7), text=True, capture_output=True,
            check=True, env={**os.environ, "PYTHONHASHSEED": seed}, timeout=60,
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert texts[0] == texts[1] and "for " in texts[0]


def test_the_module_stands_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep.py"
    path.write_text(sg.compile(mlp(12)).source)
    done = subprocess.run([sys.executable, path, "--check"], capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_layers_of_many_calls_at_once() -> None:
    text = mlp(10)
    f, inputs = sg.compile(text), at(text)
    _, first = f(**inputs)
    kept = {name: g.copy() for name, g in first.items()}
    f(**{name: a * 2 for name, a in inputs.items()})
    assert all((first[name] == kept[name]).all() for name in kept)  # results are the caller's


def test_products_vectors_and_examples_of_deep_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = mlp(12)
    inputs = at(text, N=5)
    found = []
    for rolling in (True, False):
        monkeypatch.setattr(FastModule, "rolling", rolling)
        f = sg.compile(text)
        data = {name: inputs[name] for name in ("x", "t")}
        flat = f.flat(**data)
        start = flat.start(**{k: v for k, v in inputs.items() if k not in data})
        product = f.hvp({"W3": inputs["W4"]}, **inputs)
        found.append([*flat(start), product["W3"], *f.per_example(**inputs).values()])
    for one, other in zip(*found, strict=True):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()


def test_loops_are_checked_by_their_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, program in PROGRAMS.items():
        found = []
        for f in (sg.compile(program(16)), straight(monkeypatch, program(4))):
            text, _ = opened(f.program, "value_and_grad") or (f.program, None)
            found.append(tokens.plain(text, safety.CALLED, safety.ATTRIBUTES))
        assert found[0] == found[1], name


def test_what_a_statement_does_with_names() -> None:
    forms = Forms(dict.fromkeys(["a", "b", "u", "out", "rows"]))
    lines = ["u = np.sum(a, out=b)", "u += b", "a[rows] += b", "for rows, b in u:", "    a = b"]
    found = [forms.events(s.form) for s in forms.cut(lines)]
    assert found[0] == [(1, 0), (2, 0), (0, 1)]  # used, used, set
    assert found[1] == [(1, 0), (0, 2)]  # changed
    assert found[2] == [(0, 0), (1, 0), (2, 0)]
    assert found[3] == [(2, 0), (0, 1), (1, 1), (4, 0), (3, 1)]
    odd = forms.cut(["u = [a for a in b]", "u = [a for a in b]", 'f(a, order="a")'])
    assert odd[0].form != odd[1].form  # what is not understood is like nothing
    assert odd[2].names == ["a"]


def test_repeats_are_found_in_any_order() -> None:
    assert repeats([1, 1, 2, 2] * 6, 4)[0] == (0, 4, 24)
    assert repeats([5, *[1, 2, 1, 3] * 5, 6, *[7] * 9], 4)[:2] == [(1, 4, 21), (22, 1, 31)]
    assert not repeats([*range(100), *range(100)], layers.ROUNDS)
    long = [k % 300 for k in range(20_000)]  # in linear time
    assert repeats(long, 4)[0] == (0, 300, 20_000)


def test_lists_are_sliced_as_python_slices_them() -> None:
    names = [f"w{k}" for k in range(9)]
    tables = Tables(dict.fromkeys(names, "input"), lambda name: name)
    space = {**{name: name for name in names}, "ws": names}
    cases = [names[2:6], names[5:1:-1], names[::-1], names[1:], names[3::-1], names[::2],
             [names[8], *names[:5]], [names[0], names[7]] * 3, names]  # fmt: skip
    for case in cases:
        tables.add(tuple(case))
    assert tables.families == [names]
    for case in cases:
        text = "".join(tables.text(tuple(case)))
        assert list(eval(text, {}, space)) == case, text

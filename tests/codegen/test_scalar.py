"""Programs of numbers in plain Python: the same values as the readable style, at any length."""

import ast
import math
import random
import re

import pytest

import symgrad as sg
from symgrad.codegen import safety, tokens
from symgrad.codegen.compile import Compiled
from symgrad.codegen.fast import scalar, scalar_codes, scalar_rules, scalar_short
from symgrad.codegen.plan import plan
from symgrad.ops import const, leaf, make
from symgrad.ops.spec import ADD, ATOM, MUL, POW

EPS = 2.0**-52
UNARY = ("sin", "cos", "tanh", "sigmoid", "softplus", "relu", "exp(-abs", "sqrt(1 + abs", "abs",
         "log(2 + abs", "arctan", "elu")  # fmt: skip


def fast(text: str, wrt: list[str] | None = None, accurate: bool = False) -> Compiled:
    graph = sg.parse(text)
    made = scalar.write(graph, wrt, accurate)
    assert made is not None
    return Compiled(graph, made.source, made.name, made.parameters, made.grads, "float64",
                    made.trace)  # fmt: skip


def short(text: str) -> Compiled:
    graph = sg.parse(text)
    made = scalar_short.short(plan(graph, None))
    assert made is not None
    return Compiled(graph, made.source, made.name, made.parameters, made.grads, "float64")


def dag(count: int, seed: int) -> str:
    """Write a random program; every value is used."""
    r = random.Random(seed)
    names = [f"a{k}" for k in range(4)]
    lines = []
    for k in range(count):
        p, q = r.choice(names[-9:]), r.choice(names[-9:])
        kind = r.randrange(9)
        f = r.choice(UNARY)
        right = [f"{p} + {q}", f"{p} - {q}", f"{p}*{q}", f"{p}/(1.5 + {q}**2)",
                 f"{f}({p}){')' * (f.count('('))}", f"max({p}, {q})", f"min({p}, 0.3)",
                 f"where({p} > {q}, {p}, 0.5*{q})", f"-{p}*{p}"][kind]  # fmt: skip
        lines.append(f"b{k} = tanh({right})" if k % 3 == 0 else f"b{k} = {right}")
        names.append(f"b{k}")
    lines.append("L = " + " + ".join(f"sin({n})" for n in names[-9:]))
    return "\n".join(lines)


def reference(text: str, at: dict[str, float]) -> tuple[float, dict[str, float]]:
    """Compute node by node, on the graph as written."""
    result = sg.backprop(text, at)
    return float(result.value), {n: float(result.grad[n]) for n in result.grad}


Other = Compiled | str


def agree(one: Compiled, other: Other, at: dict[str, float], ulps: int = 64) -> None:
    """Compare a module with another one, or with the numbers of a text."""
    value, grads = one(**at)
    known, right = reference(other, at) if isinstance(other, str) else other(**at)
    assert list(grads) == list(right)
    assert type(value) is float and all(type(g) is float for g in grads.values())
    for a, b in [(value, known), *((grads[n], right[n]) for n in right)]:
        if math.isnan(b) or math.isinf(b):
            assert repr(a) == repr(b)
        else:
            assert abs(a - b) <= ulps * EPS * max(1.0, abs(b))


@pytest.mark.parametrize("text", ["h = (c > 2)*(-1)", "h = (c > 2)*2 + (c > 1)"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_steps_are_floats(text: str, dtype: str) -> None:
    lines = [f"v{k} = v{k - 1}*(c > {k})" for k in range(1, 60)]  # no short program any more
    for program in (f"c: param; {text}; h*h", "; ".join(["c: param", text, "v0 = h", *lines])):
        for style in ("fast", "readable"):
            value, grads = sg.compile(program, style=style, dtype=dtype)(c=3)
            assert type(value).__name__ == type(grads["c"]).__name__ == dtype.removesuffix("64")


@pytest.mark.parametrize("seed", range(12))
def test_a_random_program_agrees_with_the_readable_one(seed: int) -> None:
    text = dag(60, seed)
    r = random.Random(seed)
    one = fast(text)
    for _ in range(3):
        agree(one, text, {n: r.uniform(-1.5, 1.5) for n in one.inputs}, 2**14)


def test_every_elementwise_operator_is_spelled() -> None:
    from symgrad.ops import OPS

    rows = [r for r in OPS.values() if r.shape == "elementwise" and not r.hidden and not r.params
            and r.arity == 1 and r.dtype == "float" and not r.zero]  # fmt: skip
    assert len(rows) > 30
    for row in rows:
        text = "\n".join([f"v = {row.name}(w*x + 0.7)", "u = 1.1*v",
                          *["u = sin(u)*0.5 + 0.3*u*tanh(v)"] * 12])  # fmt: skip
        one = fast(text)
        for x in (0.31, 0.9, 4.0, -4.0) if row.domain == "R" else (0.11, 0.2):
            agree(one, text, {"w": 0.8, "x": x}, 2**16)


@pytest.mark.parametrize("x", [1e3, -1e3, 0.0, math.inf, math.nan])
def test_where_math_raises_numpy_answers(x: float) -> None:
    text = "\n".join(["u = exp(x) + 1/x + softplus(x)", *["u = 0.5*u + sigmoid(x)"] * 20])
    agree(fast(text), sg.compile(text, style="readable"), {"x": x})


def test_a_zero_of_python_is_no_error_over_numpy() -> None:
    text = "\n".join(["r = relu(x)", "u = y/r", *["u = sin(u) + u"] * 20])
    value, grads = fast(text)(x=-1.0, y=0.0)
    assert math.isnan(value) and math.isnan(grads["y"])


def test_a_branch_that_is_not_taken_stays_uncomputed() -> None:
    text = "\n".join(["u = where(x > 0, sqrt(x), 0)", *["u = sin(u) + u"] * 20])
    assert scalar.write(sg.parse(text)) is None
    shared = "\n".join(["s = sqrt(x)", "u = where(x > 1, s, 0)*s", *["u = sin(u) + u"] * 20])
    assert scalar.write(sg.parse(shared)) is not None


def test_what_is_no_program_of_numbers_is_left() -> None:
    long = "\n".join(["u = sum(w)", *["u = sin(u) + u"] * 40])
    assert scalar.write(sg.parse("w: param[3]\n" + long)) is None
    assert scalar.write(sg.parse("x*y")) is None
    chain = "\n".join(["u = sin(x)", *["u = sin(u) + u"] * 40])
    assert scalar.write(sg.parse(chain), ["u"]) is None  # the gradient in a value between
    with pytest.raises(sg.UsageError):
        scalar.write(sg.parse(chain), ["z"])


def test_only_wanted_gradients_are_computed() -> None:
    text = "\n".join(["u = x*y", *[f"u = sin(u)*{k}.5 + z" for k in range(20)]])
    whole, part, none = fast(text), fast(text, ["y"]), fast(text, [])
    at = {"x": 0.4, "y": 0.7, "z": 0.1}
    assert list(part(**at)[1]) == ["y"] and none(**at)[1] == {}
    assert part(**at)[1]["y"] == whole(**at)[1]["y"] and none(**at)[0] == whole(**at)[0]
    assert len(none.program) < len(part.program) <= len(whole.program)


def test_names_of_inputs_do_not_clash() -> None:
    names = ("v1", "s2", "k", "m", "one", "e", "x", "np", "g7", "v_3")
    text = "\n".join(["u = " + " + ".join(f"{n}*exp({n})" for n in names),
                      *["u = sin(u)*m + u*k"] * 40])  # fmt: skip
    agree(fast(text), text, dict.fromkeys(names, 0.3), 2**12)


def test_many_inputs_travel_in_lists() -> None:
    text = "u0 = 1\n" + "\n".join(f"u{k + 1} = u{k}*x{k} + y" for k in range(100))
    one = fast(text)
    agree(one, text, {n: 0.9 + k / 1000 for k, n in enumerate(one.inputs)})
    assert "x0=" not in one.program


def test_a_short_program_shares_and_shows_its_formulas() -> None:
    text = "f = 1/(1 + exp(-(w0*x0 + w1*x1 + w2)))"
    one, other = short(text), sg.compile(text, style="readable")
    for x in (-2.0, 40.0, -800.0, 800.0, 0.0):
        agree(one, other, {"w0": 1.0, "x0": x, "w1": -3.0, "x1": -2.0, "w2": -3.0})
    assert one.program.count("(1.0 - f)") == 1 and one.program.count("exp(") == 1
    assert "# f = σ(w₀x₀ + w₁x₁ + w₂)" in one.program
    assert "(x + y)" not in short("(x + y)*z").program


@pytest.mark.parametrize("seed", range(6))
def test_modules_are_safe_and_the_same_every_time(seed: int) -> None:
    text = dag(400, seed)
    first, again = (scalar.write(sg.parse(text)) for _ in range(2))
    assert first is not None and again is not None and first.source == again.source
    assert len(first.source) > tokens.LONG and tokens.plain(first.source, safety.CALLED)
    safety.check(first.source[:100] + first.source[100:])
    compile(ast.parse(first.source), "x", "exec")


@pytest.mark.parametrize("line", [
    "import os", "from math import sin", "x = y.__class__", "open(1)", "x = (abs)(2)",
    "x = [abs][0](2)", 'x = f"{abs(2)}"', "x = lambda: 0", "class A: pass", "del x",
    "x = eval(y)", "x = y . real", "__import__(1)", "# \"\"\"\nx = open(1)  # \"\"\"",
    "x = np._core", "@abs\ndef f(): pass", "while x: pass", "x = `y`", "x = 'a'",
    "global x", "x = open  (1)", "x = 1 if y else exec\t(2)",
])  # fmt: skip
def test_what_is_not_arithmetic_is_found_by_its_tokens(line: str) -> None:
    assert tokens.plain("import math\nx = abs(2.0e-3)*math.exp(1.5)\n", safety.CALLED)
    assert not tokens.plain(f"import math\n{line}\n", safety.CALLED)


def test_lines_grow_with_operations() -> None:
    """Count lines, not seconds: each operation adds the same number of them."""
    sizes = []
    for count in (500, 1000, 2000):
        made = scalar.write(sg.parse(dag(count, 3)))
        assert made is not None
        sizes.append(made.source.count("\n"))
    assert sizes[2] - sizes[1] < 2.6 * (sizes[1] - sizes[0])


def test_sums_over_and_over_are_looked_through_once() -> None:
    """A value that is added to itself stands for 2**60 terms; no rule may list them."""
    text = "u = log(a)\n" + "\n".join(["u = u + u"] * 60) + "\nL = w*u"
    value, _ = fast(text)(a=2.0, w=1e-18)
    assert math.isclose(value, math.log(2) * 2.0**60 * 1e-18, rel_tol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_kinds_are_numbered_as_each_operation_says_by_itself(seed: int) -> None:
    chance = random.Random(seed)
    texts = ("{}*{}", "{}+{}", "-{} - {}", "sin({})/{}", "{}**2*{}", "2*{} + {}", "max({}, 3)*{}",
             "where({} > 0, {}, 1)")  # fmt: skip
    lines = ["v0 = x", "v1 = y*y"]
    for k in range(2, 60):
        lines.append(
            f"v{k} = " + chance.choice(texts).format(f"v{chance.randrange(k)}", f"v{k - 1}")
        )
    operations = [n for n in sg.parse("\n".join(lines)).order() if n.args]
    found = scalar_codes.coded(operations)
    assert [found.keys[k] for k in found.numbers] == [scalar_codes.code(n) for n in operations]
    assert found.distinct == [scalar_codes.letters(n)[1] for n in operations]
    assert len(dict.fromkeys(found.keys)) == len(found.keys)
    x = leaf("x")
    two = scalar_codes.coded([make("sin", const(2)), make("sin", x), make("add", const(2), x)])
    assert two.numbers == [0, 1, 2]


def test_numbers_are_floats_and_squares_of_names_products() -> None:
    """CPython has short ways for two floats; a power takes four times as long as a product."""
    square = scalar_rules.Text(1, "{0} / {2} ** 2 + 1", ADD, (MUL, -1, ATOM), 3)
    assert square.named == ("{0} / ({2} * {2}) + 1.0", ADD)
    assert scalar_rules.Text(1, "{2} ** 2", POW, (-1, -1, POW), 1).named == ("{2} * {2}", MUL)
    assert scalar_rules.Text(1, "m.f({2} ** 3, 2)", ATOM, (-1, -1, POW), 1).form.endswith("3, 2)")
    text = "x: scalar; y: scalar; h = tanh(x/y)\nL = h*tanh(h) + 1"
    source = sg.compile(text, style="fast").source
    assert "(1.0 - h * h)" in source and "** 2" not in source
    assert sg.compile("L = x*y + 1", style="fast")(x=1e200, y=1e200)[0] == math.inf


def test_what_begins_with_0_or_1_multiplies_by_neither() -> None:
    """Like a filter's first step: its mean is 0, its variance 1."""
    steps = [f"V{k} = a**2*P{k} + q; P{k + 1} = V{k}*r/(V{k} + r); m{k + 1} = a*m{k} + V{k}*sin(a)"
             for k in range(8)]  # fmt: skip
    text = "\n".join(["a: param;  q: param;  r: param;  m0 = 0;  P0 = 1", *steps, "m8 + P8"])
    f = sg.compile(text)
    assert not re.search(r"\* [01]\.0|\b0\.0", f.program.split("def value_and_grad")[0])
    at = {"a": 0.9, "q": 0.5, "r": 0.7}
    value, grads = sg.compile(text, style="readable")(**at)
    assert f(**at)[0] == pytest.approx(value) and f(**at)[1] == pytest.approx(grads)

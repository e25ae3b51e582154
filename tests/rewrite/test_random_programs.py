"""All ways to a number agree, on random programs: as written, closed form, generated module.

The value by the reference evaluator against the compiled function, and every gradient by
backpropagation on the graph as written against `Formula.numpy()` and the compiled function.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

import symgrad as sg
from symgrad.evaluate import bind, helpers, values

SCALAR, VECTOR, MATRIX, SQUARE = (), (3,), (2, 3), (3, 3)
INPUTS: dict[str, tuple[int, ...]] = {
    "x": SCALAR, "y": SCALAR, "v": VECTOR, "w": VECTOR, "A": MATRIX, "B": MATRIX, "S": SQUARE,
}  # fmt: skip
DECLARED = "".join(f"{n}: param[{', '.join(map(str, s))}]\n" if s else f"{n}: param\n"
                   for n, s in INPUTS.items())  # fmt: skip
# A bounded function of anything, so that towers of exp and ** stay small.
UNARY = (
    "tanh({})", "sigmoid({})", "relu({})", "exp(tanh({}))", "log({}**2 + 1)", "-{}", "{}**2",
    "sin({})", "softplus({})", "1/(1 + exp(-{}))", "sqrt({}**2 + 0.5)", "abs({})", "{}**3",
    "log(1 + exp({}))", "1/({}**2 + 1)", "logsigmoid({})", "silu({})", "exp({})/(1 + exp({}))",
    "({}**2 + 1)**(-2)", "({}**2 + 1)**0.5", "cos({})", "softsign({})", "gelu({})", "mish({})",
    "leaky_relu({})", "clip({}, -0.7, 0.9)", "2*{}", "{}/3", "({} - 1)", "(1 - {})",
    "arctan({})", "where({} > 0.1, sqrt({}), {})", "where({} > 0.2, log({}), 1)",
    "where({} < -0.1, 1/{}, 0)", "exp(-{}**2)", "sinc({})", "tanhshrink({})", "swish({}, 0.7)",
    "elu({})", "selu({})", "celu({}, 1.5)", "gelu_tanh({})", "hardswish({})", "sqrt(1 + {}**2)",
    "log(0.5 + 2*exp({}))", "1/cosh({})", "1/(2 + exp({}))", "{}*exp({})/(1 + exp({}))",
    "(exp({}) - 1)", "(1 - cos({}))", "log({}**2 + 1)/2", "({} > 0.1)*exp({})", "erf({})",
    "prelu({}, 0.3)", "min(max({}, 0), 6)", "exp({})*exp(-2*{})", "sqrt(sigmoid({}))",
)  # fmt: skip
BINARY = (
    "({} + {})", "({} - {})", "{}*{}", "{}/({}**2 + 1)", "maximum({}, {})", "minimum({}, {})",
    "({} + {})", "{}*{}", "{}*sigmoid({})", "({} - {})**2", "log(exp({}) + exp({}))",
)  # fmt: skip
TERNARY = ("where({} > {}, {}, {}**2)", "where({} <= {}, {}/2, tanh({}))")
ALONG = ("sum", "mean", "max", "min", "logsumexp", "var", "norm", "prod")
LIKE = ("softmax({})", "log_softmax({})", "({0} - max({0}))", "exp({0})/sum(exp({0}))",
        "({0} - mean({0}))/sqrt(var({0}) + 0.1)", "cumsum({0}, axis=-1)", "batch_norm({0})",
        "layer_norm({0})", "rms_norm({0})")  # fmt: skip


class Source:
    """Draw the text of an expression of a given shape over the names known so far."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw, self.known = draw, dict(INPUTS)

    def pick(self, options: Any) -> Any:
        return self.draw(st.sampled_from(list(options)))

    def atom(self, shape: tuple[int, ...]) -> str:
        """Pick a name of this shape: the newest more often, so that programs are deep."""
        fitting = [n for n, s in self.known.items() if s == shape]
        return str(self.pick([*fitting, *fitting[-2:], fitting[-1]]))

    def text(self, shape: tuple[int, ...], depth: int) -> str:
        return f"({self._text(shape, depth)})" if depth else self.atom(shape)

    def _text(self, shape: tuple[int, ...], depth: int) -> str:
        kind = self.draw(st.integers(0, 9))
        if kind <= 3:
            pattern = self.pick(UNARY)
            inner = self.text(shape, depth - 1)
            return str(pattern.format(*[inner] * pattern.count("{}")))
        if kind <= 6:
            return str(self.pick(BINARY).format(self.text(shape, depth - 1), self.mate(shape)))
        if kind == 7:
            parts = [self.mate(shape), self.atom(shape), self.mate(shape)]
            return str(self.pick(TERNARY).format(self.text(shape, depth - 1), *parts))
        return self.special(shape, depth - 1)

    def mate(self, shape: tuple[int, ...]) -> str:
        """Pick an operand that broadcasts to the shape."""
        options = [shape, SCALAR]
        if shape in (MATRIX, SQUARE):
            options.append(VECTOR)
        return self.atom(self.pick(options))

    def special(self, shape: tuple[int, ...], depth: int) -> str:
        """Draw a reduction, a product or a function of whole rows."""
        if shape == SCALAR:
            inner = self.text(self.pick([VECTOR, MATRIX, SQUARE]), depth)
            products = [f"{self.atom(VECTOR)} @ {self.atom(VECTOR)}", f"{self.atom(VECTOR)}[1]",
                        f"{self.atom(MATRIX)}[1, 0]"]  # fmt: skip
            return str(self.pick([f"{f}({inner})" for f in ALONG] + products))
        if shape == VECTOR:
            rows, matrix = self.text(self.pick([MATRIX, SQUARE]), depth), self.atom(MATRIX)
            options = [f"{f}({rows}, axis=0)" for f in ALONG] + [
                f"{self.atom(SQUARE)} @ {self.atom(VECTOR)}", f"{matrix}[0]", f"{matrix}[1, :]",
                f"({matrix} @ {self.atom(VECTOR)}) @ {matrix}",
                f"max({self.atom(SQUARE)}, axis=1)", f"sum({self.atom(SQUARE)}, axis=-1)",
            ]  # fmt: skip
            return str(self.pick(options + [p.format(self.atom(VECTOR)) for p in LIKE]))
        if shape == MATRIX:
            options = [
                f"{self.atom(MATRIX)} @ {self.atom(SQUARE)}",
                f"{self.atom(MATRIX)} @ {self.atom(SQUARE)}.T",
                f"{self.atom(MATRIX)}/sum({self.atom(MATRIX)}**2 + 1, axis=1, keepdims=True)",
            ]
        else:
            options = [f"{self.atom(MATRIX)}.T @ {self.atom(MATRIX)}", f"{self.atom(SQUARE)}.T",
                       f"outer({self.atom(VECTOR)}, {self.atom(VECTOR)})",
                       f"{self.atom(VECTOR)}[:, None]*{self.atom(VECTOR)}"]  # fmt: skip
        return str(self.pick(options + [p.format(self.atom(shape)) for p in LIKE]))


@st.composite
def programs(draw: Any) -> str:
    source = Source(draw)
    lines = []
    for k in range(draw(st.integers(1, 5))):
        shape = source.pick([SCALAR, VECTOR, MATRIX, SQUARE])
        lines.append(f"t{k} = {source.text(shape, draw(st.integers(1, 3)))}")
        source.known[f"t{k}"] = shape
    used = [f"sum({n})" if s else n for n, s in source.known.items() if n.startswith("t")]
    return DECLARED + "\n".join(lines) + f"\nloss = {' + '.join(used[-3:])}"


def point(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {n: rng.uniform(-1.5, 1.5, s)[()] for n, s in INPUTS.items()}


def namespace() -> dict[str, Any]:
    """Give what the text of a formula may use."""
    space: dict[str, Any] = {"np": np}
    for helper in helpers().values():
        exec(helper, space)
    return {k: space[k] for k in ("np", "sigmoid", "softmax", "erf")}


def closed_form(formula: sg.Formula, at: dict[str, Any]) -> Any:
    """Evaluate `numpy()` with the names of `where`, one after the other."""
    space = {**namespace(), **at}
    for name, part in formula.where.items():
        space[name] = eval(part.numpy(), {}, space)
    return eval(formula.numpy(), {}, space)


def agree(text: str, seed: int) -> None:
    graph, at = sg.parse(text), point(seed)
    known, sizes = bind(graph, at)
    numbers = values(graph.outputs, known, sizes)
    with np.errstate(all="ignore"):
        passes = sg.backprop(graph, at)
        parts = [*numbers.values(), *passes.contributions.values()]
        size = max(float(np.max(np.abs(p), initial=1.0)) for p in parts)
    if not (np.isfinite(size) and size < 1e5):
        reject()
    near = {"rtol": 1e-9, "atol": 1e-11 * size}
    value, gradients = sg.compile(graph)(**at)
    np.testing.assert_allclose(value, numbers[graph.output], **near, err_msg="compiled value")
    for name, formula in sg.gradient(graph).items():
        expected = passes.grad[name]
        assert np.shape(expected) == np.shape(gradients[name]) == INPUTS[name]
        np.testing.assert_allclose(gradients[name], expected, **near, err_msg=f"compiled {name}")
        with np.errstate(all="ignore"):  # as text, it computes both branches
            printed = np.broadcast_to(closed_form(formula, at), INPUTS[name])
        np.testing.assert_allclose(printed, expected, **near, err_msg=f"closed form {name}")


@pytest.mark.no_cover
@pytest.mark.filterwarnings("ignore::symgrad.SymgradWarning")
@settings(
    max_examples=150, derandomize=True, deadline=None, database=None,
    suppress_health_check=list(HealthCheck), print_blob=False,
)  # fmt: skip
@given(programs(), st.integers(0, 3))
def test_all_ways_to_a_number_agree(text: str, seed: int) -> None:
    agree(text, seed)


ONCE_WRONG = [
    "t0 = log_softmax(A)\nt1 = minimum(t0, t0) + y\nt2 = t0/(A**2 + 1)\n"
    "loss = sum(t0) + sum(t1) + sum(t2)",
    "t0 = 1/((S - max(S))**2 + 1)\nloss = sum(t0)",
    "t0 = norm(B - max(B))\nt1 = log(exp(mish(w/(v**2 + 1))) + exp(v))\nloss = t0 + sum(t1)",
    "t0 = A - max(A)\nt1 = sigmoid(softsign(t0))\nloss = sum(t0) + sum(t1)",
    "t0 = where(A > y, B, w**2)\nt1 = B/sum(t0**2 + 1, axis=1, keepdims=True)/3\n"
    "loss = sum(t0) + sum(t1)",
    "t0 = max(A, axis=(0, 1))*sum(B)\nloss = t0 + A[1, 0]*x",
    "t0 = gelu(sin(w @ w))\nloss = t0",
    "t0 = w[1]\nt1 = log(1 + exp(A)) + t0\nloss = t0 + sum(t1)",
    "t0 = where(x > 0, sqrt(x), y)*sum(where(v > w, log(v - w), v))\nloss = t0",
    "t0 = sum(where(S > 0, sqrt(S), 0)*mean(S, axis=0))\nloss = t0/sum(where(S > 0, 1/S, 1))",
    "t0 = norm(where(v > 0, v**0.5, w))\nt1 = (where(v > 0, v**0.5, w) @ S) @ v\nloss = t0*t1",
]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("text", ONCE_WRONG)
def test_programs_that_once_disagreed(text: str, seed: int) -> None:
    agree(DECLARED + text, seed)


def test_a_wrong_number_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sg.Formula, "numpy", lambda self: "0.123")
    with pytest.raises(AssertionError, match="closed form"):
        agree(DECLARED + "loss = x*y", 0)

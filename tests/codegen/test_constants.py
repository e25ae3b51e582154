"""Operations on numbers alone: computed once, in the program's float type."""

import numpy as np
import pytest

import symgrad as sg

CONSTANT = [
    "softsign(0.7)", "selu(0.7)", "selu(-0.7)", "hardswish(0.7)", "tanhshrink(0.7)",
    "gelu_tanh(0.7)", "log1p(-0.7)", "-0.7/(1 + abs(-0.7))", "exp(0.3)", "exp(sqrt(2))",
    "logaddexp(0.3, 0.4)", "max(0.3, 0.4)", "mish(-30)", "2/3",
]  # fmt: skip
OF_SIZES = ["softsign(N)", "selu(N)", "hardswish(N)", "tanhshrink(N)", "gelu_tanh(N)", "bce(N, N)"]
BESIDE = [
    "sum(elu(0.7, x))", "sum(celu(-0.7, x))", "sum(clip(0.3, 0.4, x))", "sum(clip(N, x, N + 1))",
    "sum(bce(N, x))", "sum(x*log1p(-0.7))", "sum(log(x)/x*N)", "elu(2, sum(x))", "sum(x*log(0.3))",
    "sum(logaddexp(x, x))",
]  # fmt: skip
PROGRAMS = [
    *(f"sum(x**2)*({c})" for c in [*CONSTANT, *OF_SIZES]),
    *(f"sum(x*({c}))" for c in [*CONSTANT, *OF_SIZES]),
    *BESIDE,
]


@pytest.mark.parametrize("accurate", [False, True])
@pytest.mark.parametrize("style", ["fast", "readable"])
@pytest.mark.parametrize("program", PROGRAMS)
def test_numbers_do_not_promote(program: str, style: str, accurate: bool) -> None:
    x = np.array([0.3, 0.6, 0.2], np.float32)
    text = f"x: param[N]; {program}"
    f = sg.compile(text, dtype="float32", style=style, accurate=accurate)
    value, grads = f(x=x)
    assert value.dtype == grads["x"].dtype == np.float32
    double, slopes = sg.compile(text, style=style, accurate=accurate)(x=x.astype(float))
    np.testing.assert_allclose(value, double, rtol=1e-6)
    np.testing.assert_allclose(grads["x"], slopes["x"], rtol=1e-6)


@pytest.mark.parametrize("constant", CONSTANT[:-1])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_operation_of_numbers_is_left(constant: str, dtype: str) -> None:
    f = sg.compile(f"x: param[N]; sum(x)*({constant})", dtype=dtype, style="readable")
    (line,) = (t for t in f.program.splitlines() if t.startswith("    t_1 = "))
    made = line.split("#")[0].removeprefix("    t_1 = ").strip()
    number = float(made.removeprefix(f"np.{dtype}(").removesuffix(")"))
    assert made == f"np.{dtype}({number!r})"
    np.testing.assert_allclose(number, sg.compile(constant, wrt=())()[0], rtol=1e-14)


def test_accurate_numbers_keep_their_digits() -> None:
    f = sg.compile("x: param[N]; sum(x)*tanhshrink(1e-9)", style="readable", accurate=True)
    np.testing.assert_allclose(f(x=[1.0])[0], 1e-27 / 3, rtol=1e-15)


def test_what_is_not_computed_beforehand() -> None:
    """Quotients stay as they are typed, numbers beside values too, and what overflows."""
    texts = {
        "sum(x)*(2/3)": "2 / 3",
        "sum(x**2)*sqrt(N)": "np.sqrt(N)",
        "sum(x)*sin(0)": "np.sin(0)",
        "sum(x)*exp(1000)": "np.exp(1000)",
    }
    for text, left in texts.items():
        assert left in sg.compile(f"x: param[N]; {text}", style="readable").program
    value, _ = sg.compile("x: param[N]; c = exp(700); sum(x)*c**2", style="readable")(x=[1.0])
    assert value == np.inf


@pytest.mark.parametrize("dtype", ("float64", "float32"))
@pytest.mark.parametrize("style", ("readable", "fast"))
@pytest.mark.parametrize(
    ("text", "slope"),
    (("inf*x", np.inf), ("x**2*y + -inf*x", -np.inf), ("nan*x", np.nan)),
)
def test_a_gradient_that_is_infinite_is_a_number_of_the_library(
    text: str, slope: float, style: str, dtype: str
) -> None:
    """Nothing is called inf where the module stands alone."""
    f = sg.compile(text, ["x"], style=style, dtype=dtype)
    np.testing.assert_equal(float(f(**dict.fromkeys(f.inputs, 1.0))[1]["x"]), slope)
    space = {"__name__": "model"}
    exec(f.source, space)
    space["check"]()  # type: ignore[operator]

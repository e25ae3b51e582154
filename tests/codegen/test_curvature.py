"""Compiled Hessian-vector products of short and of long programs."""

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen import curvature
from symgrad.codegen.build import STYLES

DEEP = "x: data[N, D]; W: param[D, D]; b: param[D]\nh0 = tanh(x @ W + b)\n" + "\n".join(
    f"h{k} = tanh(h{k - 1} @ W + b)*h{k - 1}" for k in range(1, 10)
)


def point() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(0)
    at = {"x": rng.normal(size=(4, 3)), "W": rng.normal(size=(3, 3)), "b": rng.normal(size=3)}
    return at, {"W": rng.normal(size=(3, 3)), "b": rng.normal(size=3)}


@pytest.mark.parametrize("style", STYLES)
def test_a_long_program_has_the_same_product_without_normal_forms(
    style: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    layers = 9 if style == "fast" else 4
    text = "\n".join(DEEP.split("\n")[: layers + 1]) + f"\nsum(h{layers - 1}**2)"
    at, v = point()
    products = []
    for most in (0, 10**6):
        monkeypatch.setattr(curvature, "LONG", most)
        products.append(sg.compile(text, style=style).hvp(v, **at))
    f, h = sg.compile(text, style=style), 1e-6
    ends = [f(**at | {k: at[k] + s * v[k] for k in v})[1] for s in (h, -h)]
    for k, plain in products[0].items():
        np.testing.assert_allclose(plain, products[1][k], rtol=1e-9, atol=1e-12)
        along = (ends[0][k] - ends[1][k]) / (2 * h)
        np.testing.assert_allclose(plain, along, rtol=1e-4, atol=1e-7 * (1 + np.abs(along).max()))


def test_normal_forms_are_left_out_of_long_programs_only(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    real = curvature.simplify

    def noted(*given: object, normalise: bool = True) -> object:
        asked.append(normalise)
        return real(*given, normalise=normalise)  # type: ignore[arg-type]

    monkeypatch.setattr(curvature, "simplify", noted)
    at, v = point()
    text = "x: data[N, D]; W: param[D, D]; b: param[D]; sum(tanh(x @ W + b))"
    for most in (len(sg.parse(text).order()), len(sg.parse(text).order()) - 1):
        monkeypatch.setattr(curvature, "LONG", most)
        sg.compile(text).hvp(v, **at)
    assert asked == [True, False]


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_sinc_bends_at_its_top(style: str) -> None:
    """Both parts of -(π² sinc + 2 sinc'/x) are finite at 0, where it was 0/0."""
    f = sg.compile("x: param[4]; sum(sinc(x))", style=style)
    x = np.array([0.0, 1e-9, -1e-4, 0.5])
    bend = f.hvp({"x": np.ones(4)}, x=x)["x"]
    series = -(np.pi**2) / 3 + np.pi**4 * x[:3] ** 2 / 10
    assert np.allclose(bend[:3], series, rtol=1e-13)
    assert np.isclose(bend[3], 16 / np.pi - 2 * np.pi, rtol=1e-13)

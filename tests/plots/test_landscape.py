"""Losses along directions: numbers against direct evaluation, slopes, bytes, refusals."""

import builtins
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import symgrad as sg

pytest.importorskip("matplotlib", reason="needs the extra `plots`")
from symgrad.plots import Landscape, landscape, section
from symgrad.plots.directions import inner, length
from symgrad.plots.panel import SLOPE
from symgrad.plots.relief import _levels, _quads, _scale

NET = """
X: data[N, D];  t: labels[N, C]
W1: param[D, H];  b1: param[H];  W2: param[H, C]
loss = cross_entropy(tanh(X @ W1 + b1) @ W2, t)
"""
HINGE = "x: data[D]; y: sign; w: param[D]; L = hinge(w @ x, y)"


def point(seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "X": rng.normal(size=(12, 3)),
        "t": rng.integers(0, 2, 12),
        "W1": rng.normal(size=(3, 5)),
        "b1": rng.normal(size=5),
        "W2": rng.normal(size=(5, 2)),
    }


def moved(at: dict[str, Any], found: Any, *alphas: float) -> dict[str, Any]:
    """Move the parameters by hand."""
    result = dict(at)
    for d, alpha in zip(found.directions, alphas, strict=True):
        for name, step in d.step.items():
            result[name] = result[name] + alpha * step
    return result


# -- numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["random", "gradient", {"W1": np.ones((3, 5))}])
def test_the_curve_is_the_loss(direction: Any) -> None:
    at = point()
    found = section(NET, at, direction=direction, points=7)
    for alpha, value in zip(found.alphas[0], found.values, strict=True):
        direct = sg.backprop(NET, moved(at, found, alpha)).value
        assert value == pytest.approx(direct, rel=1e-12)
    assert found.here == pytest.approx(sg.backprop(NET, at).value, rel=1e-12)
    assert list(found.directions[0].step) == ["W1", "b1", "W2"]


def test_the_tangent_is_the_directional_derivative() -> None:
    at = point()
    found = section(NET, at, points=2, seed=4)
    d = found.directions[0].step
    grads = sg.backprop(NET, at).grad
    assert found.slopes[0] == pytest.approx(sum(np.sum(grads[k] * d[k]) for k in d), rel=1e-10)
    near = [sg.backprop(NET, moved(at, found, a)).value for a in (-1e-5, 1e-5)]
    assert found.slopes[0] == pytest.approx((near[1] - near[0]) / 2e-5, rel=1e-6)


def test_the_grid_is_the_loss_rows_first() -> None:
    at = point()
    found = section(NET, at, directions=2, points=4, span=(-0.5, 1))
    assert found.values.shape == (4, 4)
    for i, a in enumerate(found.alphas[0]):
        for j, b in enumerate(found.alphas[1]):
            direct = sg.backprop(NET, moved(at, found, a, b)).value
            assert found.values[i, j] == pytest.approx(direct, rel=1e-12)


def test_random_directions_are_as_long_as_each_parameter() -> None:
    at = point() | {"b1": np.zeros(5)}
    found = section(NET, at, directions=2, points=2)
    first, second = (d.step for d in found.directions)
    for name in ("W1", "W2"):
        assert np.linalg.norm(first[name]) == pytest.approx(np.linalg.norm(at[name]))
    assert not first["b1"].any(), "a parameter that is 0 stays"
    assert abs(inner(first, second)) < 1e-12 and length(second) == pytest.approx(length(first))
    zero = section("w: param[9]; sum((w - 1)**2)", {"w": np.zeros(9)}, points=2)
    assert length(zero.directions[0].step) == pytest.approx(1), "unless all are 0"
    other = section(NET, at, points=2, seed=1).directions[0].step
    assert not np.allclose(first["W1"], other["W1"])


def test_down_the_gradient() -> None:
    at = point()
    found = section(NET, at, direction="gradient", directions=2, points=2)
    d = found.directions[0].step
    assert length(d) == pytest.approx(length({k: at[k] for k in d}))
    # ⟨∇L, D⟩ = −|∇L| |D|; the projection of −∇L on the plane is then all of it
    size = length({k: sg.backprop(NET, at).grad[k] for k in d})
    assert found.slopes[0] == pytest.approx(-size * length(d))
    assert found.descent == pytest.approx((size / length(d), 0))


def test_towards_a_second_point_and_a_third() -> None:
    at, other, third = point(), point(1), point(2)
    found = section(NET, at, towards=other, points=7)
    assert found.directions[0].target == 1 and found.alphas[0][-1] == 1.25
    whole = at | {k: other[k] for k in ("W1", "b1", "W2")}
    assert found.values[5] == pytest.approx(sg.backprop(NET, whole).value) and (
        found.alphas[0][5] == 1
    )
    plane = section(NET, at, "W1", towards=[other, third], directions=2, points=2, span=(0, 1))
    ends = [sg.backprop(NET, at | {"W1": p["W1"]}).value for p in (other, third)]
    assert [plane.values[1, 0], plane.values[0, 1]] == pytest.approx(ends)


def test_one_or_two_numbers_are_coordinates() -> None:
    found = section("w: param; (w - 1)**2", {"w": 3}, points=3, span=2)
    assert found.values.tolist() == [0, 4, 16] and found.directions[0].origin == 3
    assert [d.letter for d in section("u: param; v: param; u*v", {"u": 1, "v": 2}, points=2,
                                      directions=2).directions] == ["u", "v"]  # fmt: skip
    pair = section("w: param[2]; sum(w**2)", {"w": [1.0, -5.0]}, points=2, directions=2)
    assert [d.letter for d in pair.directions] == ["w[0]", "w[1]"]
    assert pair.descent == (-2, 10) and pair.alphas[1].tolist() == [-5, 5]


def test_samples_are_averaged() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(9, 2)), rng.choice([-1.0, 1.0], 9)
    at = {"x": x, "y": y, "w": np.array([0.5, -1.0])}
    found = section(HINGE, at, direction={"w": [1.0, 1.0]}, points=5)
    w = at["w"] + found.alphas[0][:, None]
    losses = np.maximum(0, 1 - y * (w @ x.T))  # points by samples
    assert found.values == pytest.approx(losses.mean(axis=1))
    assert found.deviation == pytest.approx(losses.std(axis=1))
    assert found.single == pytest.approx(losses.T)
    slope = np.mean([-s * np.sum(v) * (s * (at["w"] @ v) < 1) for v, s in zip(x, y, strict=True)])
    assert found.slopes[0] == pytest.approx(slope)
    shared = section(HINGE, at | {"y": 1.0}, points=2)
    assert shared.loss.count == 9, "what has no further axis is the same for all"


def test_a_graph_and_names_that_are_not_declared() -> None:
    at = {"w": [1.0, 2.0, 2.0]}
    assert section("sum(w**2)", at, points=2).here == 9
    assert section(sg.parse("w: param[3]; sum(w**2)"), at, points=2).here == 9
    commented = "# w: the weights\nsum(w**2)"
    assert section(commented, at, points=2).here == 9


def test_data_in_float32_do_not_make_the_curve_rough() -> None:
    at = {"x": np.ones(3, np.float32), "w": np.ones(3, np.float32)}
    found = section("w: param[D]; x: data[D]; sum((w*x)**2)", at, span=1e-5)
    assert np.all(np.diff(found.values) != 0)


# -- pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["both", "contour", "surface"])
def test_two_directions(kind: str) -> None:
    drawn = landscape(NET, point(), directions=2, points=9, kind=kind)
    assert isinstance(drawn, Landscape) and drawn.title == "loss over two directions"
    svg = drawn.to_svg()
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert (SLOPE.lower() in svg) == (kind != "surface"), "the arrow"
    assert drawn.to_png().startswith(b"\x89PNG")


def test_the_same_bytes_again() -> None:
    code = (
        "from symgrad.plots import landscape; import sys;"
        "d = landscape('u: param; v: param; loss = u**2 + sin(3*v)', {'u': 1, 'v': 1},"
        " directions=2, points=9); sys.stdout.write(d.to_svg())"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, check=True,
                       env={"PYTHONHASHSEED": seed}).stdout for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1] and len(runs[0]) > 10_000
    drawn = landscape(NET, point(), points=9)
    for suffix in (".svg", ".png", ".pdf"):
        assert drawn.to_bytes(suffix) == landscape(NET, point(), points=9).to_bytes(suffix)


def test_values_that_are_not_finite_are_gaps() -> None:
    drawn = landscape("w: param; w - log(w)", {"w": 1}, span=2, points=5)
    assert drawn.section.gaps == 2 and np.isnan(drawn.section.values[0])
    assert drawn.to_svg()
    plane = landscape("w: param[2]; sum(w - log(w))", {"w": [1, 1]}, directions=2, span=2, points=5)
    corners, _ = _quads(plane.section, _scale(plane.section)[0])
    assert plane.section.gaps == 16 and len(corners) == 4  # 3 × 3 points are finite
    assert plane.to_svg()
    at_a_pole = landscape("w: param; 1/w", {"w": 0}, points=4)
    assert np.isinf(at_a_pole.section.here) and at_a_pole.to_svg()
    for program in ("w: param; 1e308*w", "w: param; exp(1000*w)", "w: param; 0*w"):
        assert landscape(program, {"w": 1}, span=2).to_svg()


def test_levels_are_round_and_cover_the_values() -> None:
    for low, high, logarithmic in ((0.13, 2.7, False), (0.01, 4e3, True), (1e-9, 1e40, True)):
        ends = np.log10([low, high]) if logarithmic else np.array([low, high])
        levels = _levels(ends, logarithmic)
        assert levels[0] <= ends[0] and levels[-1] >= ends[1] and 4 <= len(levels) <= 20
        shown = 10**levels if logarithmic else levels
        assert all(abs(float(f"{v:.2g}") - v) < 1e-9 * max(v, 1e-9) for v in shown), shown
    assert len(_levels(np.array([3.0, 3.0]), False)) > 1


def test_a_hostile_title_is_text() -> None:
    title = "<script>alert(1)</script> $\\write18{x}$ \x00\u202e" + "x" * 9999
    drawn = landscape("w: param; w**2", {"w": 1}, points=3, title=title)
    svg = drawn.to_svg()
    assert "<script" not in svg and "\x00" not in svg and "\u202e" not in svg
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert drawn.to_png() and drawn.to_pdf()


# -- refusals --------------------------------------------------------------------------------

SQUARE = "w: param[2]; sum(w**2)"
HERE = {"w": [1.0, 2.0]}


@pytest.mark.parametrize(
    ("program", "at", "options", "error", "said"),
    [
        ("x: data; x**2", {"x": 1}, {}, sg.UsageError, "no parameters"),
        ("w: param[2]; w**2", HERE, {}, sg.NotDifferentiableError, "scalar"),
        (SQUARE, HERE, {"along": "v"}, sg.UsageError, "no name of this program"),
        ("w: param; h = w**2; h + 1", {"w": 1}, {"along": "h"}, sg.UsageError, "is computed"),
        (SQUARE, {}, {}, sg.DataError, "no value is given for w"),
        (SQUARE, HERE | {"v": 1}, {}, sg.DataError, "no input is called v"),
        (SQUARE, {"w": "a"}, {}, sg.DataError, "not a number"),
        (SQUARE, {"w": [1.0, 2, 3]}, {}, sg.ShapeError, "w"),
        (SQUARE, {"w": np.ones((4, 2))}, {}, sg.DataError, "has one value"),
        (SQUARE, {"w": [np.nan, 1]}, {}, sg.DataError, "not finite"),
        (HINGE, {"x": np.ones((3, 2)), "y": np.ones(4), "w": [1, 1]}, {}, sg.DataError,
         "3 of x, 4 of y"),
        (HINGE, {"x": np.ones((0, 2)), "y": 1, "w": [1, 1]}, {}, sg.DataError, "no sample"),
        (SQUARE, [1, 2], {}, sg.UsageError, "by name"),
        (SQUARE, HERE, {"directions": 3}, sg.UsageError, "1 or 2"),
        (SQUARE, HERE, {"direction": "up"}, sg.UsageError, "not known"),
        (SQUARE, HERE, {"direction": "axes"}, sg.UsageError, "needs 1 numbers, not 2"),
        (SQUARE, {"w": [0.0, 0.0]}, {"direction": "gradient"}, sg.UsageError, "it is 0"),
        (SQUARE, HERE, {"direction": {"v": 1}}, sg.DataError, "no input is called v"),
        (SQUARE, HERE, {"direction": {"w": [1.0]}}, sg.ShapeError, "direction= gives"),
        (SQUARE, HERE, {"direction": {"w": [0.0, 0]}}, sg.UsageError, "0 everywhere"),
        (SQUARE, HERE, {"direction": {"w": ["a", 0]}}, sg.DataError, "array of numbers"),
        (SQUARE, HERE, {"towards": HERE}, sg.UsageError, "0 everywhere"),
        (SQUARE, HERE, {"towards": 3}, sg.UsageError, "by name"),
        (SQUARE, HERE, {"towards": {"w": [2.0, 2]}, "direction": "random"}, sg.UsageError, "both"),
        (SQUARE, HERE, {"direction": ["random", "gradient"]}, sg.UsageError, "1 can be drawn"),
        (SQUARE, HERE, {"direction": [{"w": [1.0, 1]}, {"w": [2.0, 2]}], "directions": 2},
         sg.UsageError, "parallel"),
        ("w: param; w**2", {"w": 1}, {"directions": 2}, sg.UsageError, "at least two numbers"),
        (SQUARE, HERE, {"span": (1, 1)}, sg.UsageError, "empty"),
        (SQUARE, HERE, {"span": "wide"}, sg.UsageError, "neither"),
        (SQUARE, HERE, {"points": 1}, sg.UsageError, "whole number"),
        (SQUARE, HERE, {"points": 2000, "directions": 2}, sg.LimitError, "4000000 evaluations"),
        (SQUARE, HERE, {"kind": "map"}, sg.UsageError, "both, contour, surface"),
        ("w: param; log(w)", {"w": -9}, {"span": 1}, sg.DataError, "not finite anywhere"),
    ],
)  # fmt: skip
def test_refusals(program: str, at: Any, options: Any, error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        landscape(program, at, **options)


def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Any] = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(sg.UsageError) as caught:
        landscape(SQUARE, HERE)
    assert "\n" not in str(caught.value) and "symgrad[plots]" in str(caught.value)

"""Plots: the right curves in the right colours, the same bytes, clear refusals."""

import builtins
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import symgrad as sg
from symgrad.cli import main

pytest.importorskip("matplotlib", reason="needs the extra `plots`")
from symgrad.curve import of_graph, of_operator, one_variable
from symgrad.diagram.style import contrast
from symgrad.ops import OPS
from symgrad.plots import FIGURES, Picture, plot, suffixes
from symgrad.plots.curves import SERIES, _steepest
from symgrad.plots.panel import MUTED, SHADE, SLOPE, TEXT, VALUE, Line, heights, points
from symgrad.plots.typeset import fitted

ROWS = [row.name for row in OPS.values() if one_variable(row) and not row.hidden]


def line(text: str) -> Line:
    return Line(of_graph(sg.parse(text)), text)


def test_a_picture_is_svg_with_both_colours_and_no_font() -> None:
    svg = plot("sigmoid").to_svg()
    root = ElementTree.fromstring(svg)
    assert root.tag.endswith("svg")
    assert VALUE.lower() in svg and SLOPE.lower() in svg and SHADE.lower() in svg
    assert "<text" not in svg and "font-family" not in svg
    assert "sigmoid and its derivative" in svg
    assert not re.search(r"\d{4}-\d\d-\d\d|[Mm]atplotlib v", svg), "no date, no version"


def test_the_same_bytes_again(tmp_path: Path) -> None:
    code = "from symgrad.plots import plot; import sys; sys.stdout.write(plot('gelu').to_svg())"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, env={"PYTHONHASHSEED": "7"}
    ).stdout.decode()
    assert other == plot("gelu").to_svg()
    for suffix in suffixes():
        assert plot("relu").to_bytes(suffix) == plot("relu").to_bytes(suffix)


def test_a_users_style_changes_nothing() -> None:
    import matplotlib

    before = plot("tanh").to_svg()
    with matplotlib.rc_context({"lines.linewidth": 9, "font.size": 30, "svg.fonttype": "none"}):
        assert plot("tanh").to_svg() == before
        assert matplotlib.rcParams["font.size"] == 30


def test_files(tmp_path: Path) -> None:
    starts = {".svg": b"<?xml", ".png": b"\x89PNG", ".pdf": b"%PDF"}
    assert set(starts) == set(suffixes())
    for suffix, start in starts.items():
        path = plot("x**2").save(tmp_path / f"a{suffix}")
        assert path.read_bytes().startswith(start)
    for name in ("a.gif", "a"):
        with pytest.raises(sg.UsageError, match="suffix"):
            plot("x").save(tmp_path / name)


@pytest.mark.parametrize("name", [*ROWS, *FIGURES])
def test_every_operator_and_figure_is_drawn(name: str) -> None:
    picture = plot(name)
    assert isinstance(picture, Picture) and len(picture.to_svg()) > 5000


def test_curves_are_cut_at_jumps_kinks_and_poles() -> None:
    """No line may join the two sides of a break."""
    for text, slope, at in (
        ("floor(x)", False, 1.0),
        ("relu(x)", True, 0.0),
        ("1/x", False, 0.0),
        ("tan(x)", True, np.pi / 2),
    ):
        x, y = points(line(text), (-4.0, 4.0), slope)
        k = int(np.argmin(np.abs(x - at)))
        assert np.isnan(y[k]), text
    x, y = points(line("relu(x)"), (-4.0, 4.0), False)
    assert np.isfinite(y).all() and y[x == 0] == 0


def test_the_points_are_the_function() -> None:
    x, y = points(line("sin(x)"), (-2.0, 3.0), True)
    assert x[0] == -2 and x[-1] == 3
    assert np.allclose(y, np.cos(x), atol=1e-15)


def test_heights_keep_a_pole_from_flattening_the_rest() -> None:
    _, y = points(line("1/x"), (-4.0, 4.0), False)
    low, high = heights([y], (-4.0, 4.0))
    assert -10 < low < -1 and 1 < high < 10
    assert heights([np.array([2.0, 2.0])], (-1, 1)) == pytest.approx((-0.14, 2.14))


def test_lines_are_told_apart_by_colour_and_by_dash() -> None:
    colours = [c for c, _ in SERIES]
    assert len(set(colours)) == len({str(d) for _, d in SERIES}) == len(SERIES)
    assert min(contrast(c, "#FFFFFF") for c in (VALUE, SLOPE, TEXT, MUTED)) > 4.5


def test_series_stay_apart_for_every_kind_of_colour_vision() -> None:
    """Simulate the lack of one kind of cone as Machado, Oliveira, Fernandes 2009 do."""
    kinds = {
        "all cones": np.eye(3),
        "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    }
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    for kind, matrix in kinds.items():
        places = []
        for colour, _ in SERIES:
            rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
            seen = np.clip(np.array(matrix) @ (rgb**2.2), 0, 1)
            x, y, z = np.cbrt(to_xyz @ seen / [0.9505, 1, 1.089])
            places.append([116 * y, 500 * (x - y), 200 * (y - z)])  # nearly CIE L*a*b*
        apart = np.linalg.norm(np.array(places)[:, None] - np.array(places), axis=2)
        assert apart[~np.eye(len(SERIES), dtype=bool)].min() > 10, kind


def test_a_png_fills_a_slide() -> None:
    png = plot("relu").to_png()
    assert int.from_bytes(png[16:20], "big") == 1920


def test_exponentials() -> None:
    one, five = (of_graph(sg.parse(t)) for t in FIGURES["exponentials"].programs.values())
    x = np.array([-1.0, 0.5])
    assert np.allclose(five.value(x), one.value(x) ** 5) and np.allclose(
        five.slope(x), 5 * one.value(x) ** 5
    )


def test_the_largest_slope_is_named_where_no_curve_is() -> None:
    """The text stands beyond the extreme value, inside the panel."""
    from matplotlib.figure import Figure

    for text in ("sin(x)", "tanh(x)", "-x"):
        here = line(text)
        axes = Figure().add_axes((0, 0, 1, 1))
        _, y = points(here, (-4.0, 4.0), True)
        axes.set_ylim(*heights([y], (-4.0, 4.0)))
        _steepest(axes, here, (-4.0, 4.0))
        low, high = axes.get_ylim()
        room = high - y.max() if y.max() > 0 else y.min() - low
        assert room >= 0.1 * (high - low), text


def test_a_label_is_no_mathematics() -> None:
    plot(["x  # $\\frac{1}$", "x**2  # <b> $x^$"]).to_svg()


def test_several_and_their_names() -> None:
    picture = plot(["sigmoid", "tanh", "x/2"], (-3, 3))
    assert picture.title == "sigmoid, tanh and x/2"
    svg = picture.to_svg()
    assert all(SERIES[k][0].lower() in svg for k in range(3)) and SERIES[3][0].lower() not in svg
    with pytest.raises(sg.UsageError, match="at most 7"):
        plot(["x"] * 8)


def test_titles_fit_or_fall_back() -> None:
    drawn, size = fitted(["f(x) = " + "x + " * 60 + "x", "f(x)"], 3.0, 14, 9)
    assert (drawn.text, size) == ("f(x)", 14)
    drawn, size = fitted([r"f(x) = x^{2} e^{-x} + \sin(x) + \cos(x) + x"], 3.0, 14, 5)
    assert 5 <= size < 14


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ("softmax", "one variable"),
        ("x*y", "x, y"),
        ([], "nothing"),
        ("tahn(x)", "did you mean 'tanh'"),
    ],
)
def test_refusals(sources: Any, said: str) -> None:
    with pytest.raises(sg.SymgradError, match=said):
        plot(sources)


@pytest.mark.parametrize("span", [(1, 1), (2, -2), (0, float("inf"))])
def test_an_empty_range(span: tuple[float, float]) -> None:
    with pytest.raises(sg.UsageError, match="range"):
        plot("tanh", span)


def test_a_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real: Callable[..., Any] = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(sg.UsageError) as caught:
        plot("tanh").save(tmp_path / "a.svg")
    assert "\n" not in str(caught.value) and "symgrad[plots]" in str(caught.value)


def test_the_verb(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = [str(tmp_path / "a.svg"), str(tmp_path / "b.png")]
    assert main(["plot", "relu", "x**2*exp(-x)", "-o", *files, "--range", "-2", "3"]) == 0
    assert all(Path(f).stat().st_size > 1000 for f in files)
    program = tmp_path / "curve.sg"
    program.write_text("y = tanh(2*x)\n", encoding="utf-8")
    assert main(["plot", str(program), "-o", files[0]]) == 0
    assert main(["plot", "margins", "-o", files[0]]) == 0
    assert main(["plot", "softmax", "-o", files[0]]) == 2
    assert "not an operator of one variable" in capsys.readouterr().err


def test_the_losses_of_the_figure_are_those_of_the_table() -> None:
    """At margin −1: 1, 2, log2(1 + e), 4, e; the logistic loss bounds the 0-1 loss."""
    values = [
        float(of_graph(sg.parse(text)).value(np.array([-1.0]))[0])
        for text in FIGURES["margins"].programs.values()
    ]
    assert values == pytest.approx([1, 2, np.log2(1 + np.e), 4, np.e])
    t = np.linspace(-3, 3, 61)
    programs = list(FIGURES["margins"].programs.values())
    zero_one, *bounds = (of_graph(sg.parse(text)).value(t) for text in programs)
    assert all((b >= zero_one - 1e-12).all() for b in bounds)


def test_defaults_of_further_operands() -> None:
    assert of_operator("leaky_relu").value(np.array([-1.0]))[0] == -0.01


def test_a_pdf_is_written_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    assert sg.plot("relu").to_pdf().startswith(b"%PDF")
    assert not caplog.records

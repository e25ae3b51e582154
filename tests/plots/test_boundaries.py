"""Decision boundaries, fits, images and their animation: what they show and refuse."""

import re
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import symgrad as sg

pytest.importorskip("matplotlib", reason="needs the extra `plots`")
from symgrad.plots.animations import animation
from symgrad.plots.boundaries import COLOURS, _regions, boundaries, boundary
from symgrad.plots.fits import fit
from symgrad.plots.rasters import coloured, images

X = np.array([[-1.0, 0.0], [1.0, 0.5], [-0.5, 1.0], [0.5, -1.0]])
SIDES = ["left", "right", "left", "right"]


class Half:
    """A classifier that knows its own mind: right of 0 or left of it."""

    classes_ = np.array(["left", "right"])

    def predict_proba(self, rows: Any) -> Any:
        share = 1 / (1 + np.exp(-4 * np.asarray(rows)[:, 0]))
        return np.stack([1 - share, share], axis=1)


class Hard:
    """A classifier without probabilities, of three classes."""

    classes_ = (0, 1, 2)

    def predict(self, rows: Any) -> Any:
        return np.digitize(np.asarray(rows)[:, 0], [-0.3, 0.3])


def test_the_boundary_is_where_two_classes_are_equal() -> None:
    a, b, lead = _regions(Half(), X, 141)
    assert a[0] < -1 and b[-1] > 1 and len(lead) == 2
    np.testing.assert_array_equal(lead[0], -lead[1])
    np.testing.assert_array_equal(lead[1] > 0, np.broadcast_to(a > 1e-12, (141, 141)))


def test_rows_have_the_colours_of_their_classes() -> None:
    svg = boundary(Half(), X, SIDES).to_svg()
    assert svg == boundary(Half(), X, SIDES).to_svg()
    for colour in COLOURS[:2]:
        assert len(re.findall(f"<use [^>]*fill: {colour.lower()}", svg)) == 2
    assert COLOURS[2].lower() not in svg
    assert COLOURS[2].lower() in boundary(Hard(), X, [0, 2, 0, 2]).to_svg()


def test_panels_stand_side_by_side() -> None:
    picture = boundaries([(Half(), X, SIDES, "one"), (Half(), X, SIDES, "two")], "Two")
    one = boundary(Half(), X, SIDES)
    assert picture._size[0] > 1.9 * one._size[0] - 1 and picture._size[1] == one._size[1]


def test_a_trained_model_is_drawn() -> None:
    net = "X: data[N, 2]; y: binary[N]; w: param[2]; b: param; bce_with_logits(X @ w + b, y)"
    m = sg.train(net, (X, SIDES), epochs=2)
    assert boundary(m, X, SIDES, points=21).to_svg().startswith("<?xml")


@pytest.mark.parametrize(
    ("rows", "classes", "said"),
    [
        (X[:, :1], SIDES, "over two features"),
        (X, ["left", "up", "left", "left"], "'up' is no class"),
    ],
)
def test_what_cannot_be_drawn_is_refused(rows: Any, classes: Any, said: str) -> None:
    with pytest.raises(sg.DataError, match=said):
        boundary(Half(), rows, classes)
    with pytest.raises(sg.UsageError):
        boundaries([], "Nothing")


def test_a_gif_shows_all_frames_and_the_last_one_longer() -> None:
    image = pytest.importorskip("PIL.Image")
    frames = [boundary(Half(), X, SIDES, f"Frame {k}", points=21) for k in (1, 2, 3)]
    data = animation(frames, seconds=0.3, width=200)
    assert data == animation(frames, seconds=0.3, width=200)
    with image.open(BytesIO(data)) as gif:
        times = []
        for k in range(gif.n_frames):
            gif.seek(k)
            times.append(gif.info["duration"])
        assert gif.size[0] == 200 and times == [300, 300, 600]
    with pytest.raises(sg.UsageError, match="differ in their shape"):
        animation([frames[0], boundaries([(Half(), X, SIDES, "")] * 2, "Two")])
    with pytest.raises(sg.UsageError):
        animation([])


def test_a_fit_draws_each_model_its_band_and_its_marks() -> None:
    line = SimpleNamespace(
        predict=lambda x: 2 * x[:, 0],
        uncertainty=lambda x, n: (2 * x[:, 0], np.abs(x[:, 0])),
    )
    flat = SimpleNamespace(predict=lambda x: 0 * x[:, 0])
    x, y = [0.0, 1.0, 2.0], [0.1, 2.0, 3.9]
    plain = fit({"line": line, "flat": flat}, x, y).to_svg()
    marked = fit({"line": line, "flat": flat}, x, y, marks={"line": [0.5, 1.5]}).to_svg()
    assert (
        marked.count("fill: #ffffff; stroke: #1f5fa8")
        == 2
        > plain.count("fill: #ffffff; stroke: #1f5fa8")
    )
    assert "opacity: 0.16" in fit({"line": line}, x, y, samples=10).to_svg()
    assert "opacity: 0.16" not in plain
    with pytest.raises(sg.DataError, match="over one feature"):
        fit({"line": line}, X, y)
    with pytest.raises(sg.UsageError):
        fit({}, x, y)


def test_images_have_the_colour_of_their_sign() -> None:
    tints = coloured(np.array([[-2.0, 0.0, 2.0]]))[0]
    names = ["#" + "".join(f"{v:02X}" for v in tint) for tint in tints]
    assert names == ["#D1350F", "#FFFFFF", "#1F5FA8"]
    assert coloured(np.zeros((2, 2))).min() == 255
    assert images([X, X, X], ["a", "b", "c"], columns=2).to_svg().count("<image") == 3
    with pytest.raises(sg.UsageError, match="1 images and 2 titles"):
        images([X], ["a", "b"])
    with pytest.raises(sg.DataError, match="is a matrix"):
        images([[1.0]], ["a"])

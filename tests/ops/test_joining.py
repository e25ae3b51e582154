"""Products, joins, parts, lookups, einsum and convolution: values, gradients, errors, print."""

import json
import math
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.autodiff import sweep
from symgrad.evaluate import bind, values
from symgrad.formula import latex, plain
from symgrad.graph.exchange import from_json, to_json
from symgrad.ops import leaf, make
from tests.ops.test_arrays import central, check, evaluate

RNG = np.random.default_rng(4)
AT: dict[str, Any] = {
    "A": RNG.normal(size=(3, 3)), "M": RNG.normal(size=(3, 2)), "X": RNG.normal(size=(4, 3)),
    "T": RNG.normal(size=(2, 3, 3)), "U": RNG.normal(size=(2, 3, 4)), "v": RNG.normal(size=3),
    "x": RNG.normal(size=6), "w": RNG.normal(size=2), "ids": np.array([0, 2, 2, 1]),
}  # fmt: skip
NAMED = {
    "A": "real[D, D]", "M": "real[D, H]", "X": "real[N, D]", "T": "real[P, D, D]",
    "U": "real[P, D, Q]", "v": "real[D]", "x": "real[K]", "w": "real[L]", "ids": "labels[N, D]",
}  # fmt: skip
A, M, X, T, U, v, x, w, ids = AT.values()
VALUES: list[tuple[str, Any]] = [
    ("prod(v)", np.prod(v)),
    ("prod(X)", np.prod(X)),
    ("prod(T, axis=(0, 2))", np.prod(T, axis=(0, 2))),
    ("prod(U, axis=1, keepdims=True)", np.prod(U, axis=1, keepdims=True)),
    ("prod(v[i] for i in D)", np.prod(v)),
    ("cumsum(v)", np.cumsum(v)),
    ("cumsum(X, axis=0)", np.cumsum(X, axis=0)),
    ("cumsum(U, axis=-2)", np.cumsum(U, axis=-2)),
    ("concatenate((v, x, w))", np.concatenate((v, x, w))),
    ("concatenate([A, X, A])", np.concatenate((A, X, A))),
    ("concatenate((A, M), axis=-1)", np.concatenate((A, M), axis=-1)),
    ("concatenate((v,))", v),
    ("concatenate((v, v, v, v, v, w, v, v, v, v*2, x))",
     np.concatenate((*[v] * 5, w, *[v] * 3, v * 2, x))),
    ("stack((v, v*2, A[0]))", np.stack((v, v * 2, A[0]))),
    ("stack([v, v*2], axis=-1)", np.stack((v, v * 2), axis=-1)),
    ("stack((v[0], 2, v[1] > 0))", np.array([v[0], 2, v[1] > 0])),
    ("reshape(X, -1)", X.ravel()),
    ("reshape(X, (D, N))", X.reshape(3, 4)),
    ("reshape(X, (2, -1))", X.reshape(2, 6)),
    ("reshape(U, (P*D, Q))", U.reshape(6, 4)),
    ("reshape(U, (-1, Q))", U.reshape(6, 4)),
    ("take(X, 1, axis=0)", X[1]),
    ("take(X, -1, axis=1)", X[:, -1]),
    ("take(v, 0)", v[0]),
    ("take(A, ids, axis=0)", A[ids]),
    ("take(T, ids, axis=1)", T[:, ids]),
    ("A[ids]", A[ids]),
    ("A[:, ids]", A[:, ids]),
    ("v[ids]", v[ids]),
    ("A[ids[1:]]", A[ids[1:]]),
    ("x[::2]", x[::2]),
    ("x[::-1]", x[::-1]),
    ("x[1::2]", x[1::2]),
    ("x[4:0:-1]", x[4:0:-1]),
    ("x[5:0:-2]", x[5:0:-2]),
    ("x[-1::-3]", x[-1::-3]),
    ("x[1:] - x[:-1]", np.diff(x)),
    ("x[1:-1]", x[1:-1]),
    ("x[-3:]", x[-3:]),
    ("X[1:]", X[1:]),
    ("X[:-1, ::2]", X[:-1, ::2]),
    ("X[::-1, 1]", X[::-1, 1]),
    ("X[..., 0]", X[..., 0]),
    ("U[..., 1:]", U[..., 1:]),
    ("U[0, ...]", U[0]),
    ("U[..., None]", U[..., None]),
    ("correlate(x, v)", np.correlate(x, v, "valid")),
    ("convolve(x, v)", np.convolve(x, v)),
    ("convolve(v, x)", np.convolve(v, x)),
    ("convolve(x, v, mode='valid')", np.convolve(x, v, "valid")),
    ("convolve(x, v, mode='same')", np.convolve(x, v, "same")),
    ("convolve(x, w, mode='same')", np.convolve(x, w, "same")),
    ("convolve(x, x[:4], mode='same')", np.convolve(x, x[:4], "same")),
    *[
        (f'einsum("{word}", {", ".join(names)})', np.einsum(word, *(AT[n] for n in names)))
        for word, names in [
            ("ij,jk->ik", "AM"), ("ij,jk->ki", "AM"), ("ji,jk->ik", "AM"), ("ij->", "A"),
            ("ij->j", "X"), ("ij->ji", "X"), ("pij->jip", "U"), ("ii->", "A"), ("ii->i", "A"),
            ("i,i->", "vv"), ("i,j->ij", "vx"), ("i,j->ji", "vx"), ("ij,j->ij", "Av"),
            ("ij,i->ij", "Av"), ("ij,j->i", "Av"), ("j,ij->i", "vA"), ("pij,pjk->pik", "TU"),
            ("pij,pik->pjk", "TU"), ("i,ij,j->", "vAv"), ("pij,j->pi", "Tv"), ("pij,jk->ipk", "TM"),
            ("ij,k->j", "Xx"), ("ij,ij->i", "AA"), ("ij,ji->", "AA"), ("pij,pij->p", "TT"),
            ("pij->ji", "T"), ("ij,ij,ij->ij", "AAA"), ("pij,qij->pq", "TT"), ("ij,jk,ki->", "AAA"),
        ]
    ],
]  # fmt: skip


def used(text: str) -> list[str]:
    from re import search

    return [n for n in AT if search(rf"\b{n}\b", text.replace("axis=", ""))]


def declared(names: list[str], named: bool = True) -> str:
    lines = []
    for n in names:
        shape = ", ".join(map(str, AT[n].shape))
        kind = f"labels[{shape}, 3]" if n == "ids" else f"real[{shape}]"
        lines.append(f"{n}: {NAMED[n] if named else kind}")
    return "\n".join(lines) + "\n"


def known(text: str) -> tuple[str, dict[str, Any]]:
    """Declare what a text uses, and what its dimension names need."""
    names = used(text)
    return declared(names), {n: AT[n] for n in names}


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[t for t, _ in VALUES])
def test_values(text: str, expected: Any) -> None:
    head, at = known(text)
    graph = sg.parse(head + text)
    for value in (evaluate(graph, at), sg.compile(graph, wrt=[])(**at)[0]):
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)
        assert np.shape(value) == np.shape(expected)
    assert from_json(to_json(graph)).output is graph.output


@pytest.mark.parametrize("text", [t for t, _ in VALUES])
def test_gradients(text: str) -> None:
    """Names and numbers as dimensions, both float types, printed NumPy: all the same numbers."""
    names = [n for n in used(text) if n != "ids"]
    head, at = known(text)
    if not any(f" {d}" in text or f"({d}" in text for d in "NDPQ"):
        check(declared(used(text), named=False) + text, at, names, tolerance=1e-7)
    program = f"{head}L = sum(tanh({text}))"
    passes = sg.backprop(program, at, wrt=names)
    for dtype, tolerance in (("float64", 1e-11), ("float32", 2e-5)):
        value, grads = sg.compile(program, wrt=names, dtype=dtype)(**at)
        assert value.dtype == dtype
        for name in names:
            assert grads[name].dtype == dtype and grads[name].flags.writeable
            assert grads[name].shape == AT[name].shape
            np.testing.assert_allclose(grads[name], passes.grad[name], atol=tolerance * 10)
    printed = sg.gradient(program, names)
    sizes = dict(zip("NDHPQKL", (4, 3, 2, 2, 4, 6, 2), strict=True))
    for name, formula in printed.items():
        space: dict[str, Any] = {"np": np, **sizes, **at}
        for part, inner in formula.where.items():
            space[part] = eval(inner.numpy(), space)
        np.testing.assert_allclose(eval(formula.numpy(), space), passes.grad[name], atol=1e-11)
        assert formula.steps()[-1].after == formula.unicode()
        for shown in (formula.unicode(), formula.latex()):
            assert "None" not in shown and "'" not in shown and "->" not in shown


@pytest.mark.parametrize("text", [t for t, _ in VALUES])
def test_second_derivatives(text: str) -> None:
    head, at = known(text)
    graph = sg.parse(f"{head}sum(tanh({text})**2)")
    name = next(n for n in used(text) if n != "ids")
    node = next(n for n in graph.inputs if n.attrs["name"] == name)
    first = sweep(graph.output, [node]).total[node]
    inner = make("mul", first, first)
    total = make("sum", inner) if inner.shape else inner
    second = sweep(total, [node]).total[node]
    found, sizes = bind(graph, at)

    def squared(value: Any) -> float:
        return float(values([total], {**found, node: value}, sizes)[total])

    numeric = central(squared, at[name])
    got = values([second], found, sizes)[second]
    np.testing.assert_allclose(got, numeric, atol=2e-6 * (1 + np.abs(numeric).max()))


ZEROS = [
    ([0.0, 2, 3], [6, 0, 0]),
    ([0.0, 0, 3], [0, 0, 0]),
    ([0.0, 0, 0], [0, 0, 0]),
    ([5.0], [1]),
    ([1e-200] * 3 + [1e200] * 3, [1e200] * 3 + [1e-200] * 3),
    ([-2.0, 0, -3, 1], [0, 6, 0, 0]),
]


@pytest.mark.parametrize(("at", "expected"), ZEROS)
def test_the_gradient_of_a_product_at_zeros(at: list[float], expected: list[float]) -> None:
    text = "x: param[N]\nprod(x)"
    for grad in (sg.compile(text)(x=np.array(at))[1]["x"], sg.backprop(text, {"x": at}).grad["x"]):
        np.testing.assert_allclose(grad, expected, rtol=1e-14)


def test_a_long_product() -> None:
    n = 5000
    grad = sg.compile("x: param[N]\nprod(x)")(x=np.full(n, 0.9999))[1]["x"]
    np.testing.assert_allclose(grad, 0.9999 ** (n - 1), rtol=1e-10)
    value, _ = sg.compile("x: real[N]\nprod(x)", wrt=[], accurate=True)(x=[1e200, 1e200, 0, 1e-300])
    assert value == 0


def test_a_product_of_no_factors_is_1() -> None:
    value, grads = sg.compile("x: param[N]\nprod(x)")(x=np.ones(0))
    assert value == 1 and grads["x"].shape == (0,)


def test_repeated_rows_of_an_embedding_add_up() -> None:
    text = "E: param[V, D]\nids: labels[N, V]\nG: data[N, D]\nsum(G*E[ids])"
    at = {"E": np.zeros((5, 2)), "ids": [1, 1, 4, 1], "G": np.arange(8.0).reshape(4, 2)}
    _, grads = sg.compile(text)(**{k: np.asarray(a) for k, a in at.items()})
    assert grads["E"].tolist() == [[0, 0], [8, 11], [0, 0], [0, 0], [4, 5]]
    with pytest.raises(sg.DataError, match="label 5 at index 0 of 'ids' is outside 0 … 4"):
        sg.compile(text)(**{**at, "ids": np.array([5, 1, 1, 1])})


def test_integer_arrays_given_as_data_are_places() -> None:
    graph = sg.parse("sum(E[ids]**2)", shapes={"E": np.ones((4, 2)), "ids": np.array([0, 3, 3])})
    _, grads = sg.compile(graph, wrt=["E"])(E=np.ones((4, 2)), ids=np.array([0, 3, 3]))
    assert grads["E"][:, 0].tolist() == [2, 0, 0, 4]
    with pytest.raises(sg.DataError, match="a place that is not there"):
        sg.compile(graph, wrt=["E"])(E=np.ones((4, 2)), ids=np.array([0, 3, 9]))


def test_rows_of_a_table_in_index_notation() -> None:
    text = "E: param[V, D]\ny: labels[N, V]\nsum(E[y[i]] @ E[y[i]] for i in N)"
    E, y = RNG.normal(size=(4, 3)), np.array([0, 3, 3])
    value, grads = sg.compile(text)(E=E, y=y)
    assert value == pytest.approx((E[y] ** 2).sum())
    np.testing.assert_allclose(grads["E"], 2 * E * np.array([1, 0, 0, 2])[:, None])


CLOSED = [
    ("prod(v)", "v", "∏_{j≠i} vⱼ"),
    ("sum(prod(X, axis=0))", "X", "∏_{k≠i} Xₖⱼ"),
    ("sum(cumsum(v)**2)", "v", "2cumsum(cumsum(v)[::-1])[::-1]"),
    ("sum(concatenate((v, x))**2)", "x", "2x"),
    ("sum(stack((v, A[0]))**2)", "v", "2v"),
    ("sum(reshape(X, -1)**2)", "X", "2X"),
    ("sum(v[::-1]*A[0])", "v", "A[0, :][::-1]"),
    ("sum(A[ids]*X)", "A", "e_idsᵀ X"),
    ('sum(einsum("ij,jk->ik", A, M)**2)', "M", "2Aᵀ A M"),
    ('einsum("i,ij,j->", v, A, v)', "A", "v vᵀ"),
    ('einsum("ij,kj->", A, X)', "A", "𝟏 Σᵢ(X)ᵀ"),
    ("sum(correlate(x, w)*v[0])", "w", "x ⋆ (v[0]·𝟏)"),
    ("sum(convolve(x, w)**2)", "x", "2((x ∗ w) ⋆ w)"),
]


@pytest.mark.parametrize(("text", "wrt", "expected"), CLOSED)
def test_closed_forms(text: str, wrt: str, expected: str) -> None:
    formula = sg.gradient(known(text)[0] + text, wrt)[wrt]
    assert formula.unicode() == expected and not formula.where


PRINTED = [
    ("concatenate((v, x))", "[v; x]", r"\begin{bmatrix} v \\ x \end{bmatrix}"),
    ("concatenate((A, M), axis=1)", "[A, M]", r"\begin{bmatrix} A & M \end{bmatrix}"),
    ("concatenate((T, T), axis=2)", "concatₖ(T, T)", r"\operatorname{concat}_{k}(T, T)"),
    ("stack((v, A[0]))", "[vᵀ; A[0, :]ᵀ]", None),
    ("stack((v, v*2), axis=1)", "[v, 2v]", r"\begin{bmatrix} v & 2 v \end{bmatrix}"),
    ("reshape(X, (D, N))", "reshape(X, D × N)", r"\operatorname{reshape}_{D \times N}(X)"),
    ("reshape(X, -1)", "reshape(X, D N)", r"\operatorname{reshape}_{D N}(X)"),
    ("A[ids]", "A[ids]", r"A_{\mathrm{ids}, :}"),
    ("A[:, ids]", "A[:, ids]", r"A_{:, \mathrm{ids}}"),
    ("x[::-2]", "x[::-2]", "x[::-2]"),
    ("prod(X, axis=0)", "∏ᵢ(X)", r"\prod_{i} X"),
    ("cumsum(X, axis=0)", "cumsumᵢ(X)", r"\operatorname{cumsum}_{i}(X)"),
    ('einsum("pij,j->pi", T, v)', "Σⱼ Tₚᵢⱼ vⱼ", r"\sum_{k} T_{ijk} v_{k}"),
    ('einsum("ij,jk->ik", A, M)', "A M", "A M"),
    ("convolve(x, w, mode='same')", "(x ∗ w)[same]", r"(x \ast w)_{\mathrm{same}}"),
    ("correlate(x + 1, w)", "(x + 1) ⋆ w", r"(x + 1) \star w"),
    ("mean(x[1:])", "mean(x[1:])", r"\frac{1}{K - 1} \sum x[1:]"),
]


@pytest.mark.parametrize(("text", "unicode", "typeset"), PRINTED)
def test_print(text: str, unicode: str, typeset: str | None) -> None:
    from symgrad.rewrite import simplify

    node = sg.parse(known(text)[0] + text).output
    node = simplify([node])[node]
    assert plain.write(node, {}) == unicode
    assert typeset is None or latex.write(node, {}) == typeset


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("X[1:]", ("N - 1", "D")),
        ("X[::2]", ("(N + 1)//2", "D")),
        ("concatenate((v, x, v))", ("2*D + K",)),
        ("reshape(X, (-1, 3))", ("(D*N)//3", 3)),
        ("convolve(x, w)", ("K + L - 1",)),
        ("correlate(x, w)", ("K - L + 1",)),
        ("correlate(x, correlate(x, w))", ("L",)),
        ("x[1:] + x[:-1]", ("K - 1",)),
        ("x[:3]", (3,)),
        ("x[2:1]", (0,)),
        ("concatenate((x[:1], x[1:]))", ("K",)),
    ],
)
def test_shapes_with_names(text: str, shape: tuple[int | str, ...]) -> None:
    assert sg.parse(known(text)[0] + text).output.shape == shape


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("x: real[N]\nsum(x[3:])", {"x": (2,)}, r"\[3:\] does not fit a dimension of 2"),
        ("x: real[N]\nmean(x[:3])", {"x": (2,)}, r"\[:3\] does not fit a dimension of 2"),
        ("x: real[N]\nx[-3]", {"x": (2,)}, r"\[-3\] does not fit"),
        ("x: real[N]\nsum(x[1:])", {"x": (0,)}, "does not fit a dimension of 0"),
        ("x: real[N]\nsum(reshape(x, (2, -1)))", {"x": (3,)}, "3 entries do not fill"),
        ("x: real[N]\nw: real[K]\nsum(correlate(x, w))", {"x": (2,), "w": (3,)}, "a window of 3"),
        ("x: real[N]\nw: real[K]\nsum(convolve(x, w, mode='same'))", {"x": (2,), "w": (3,)},
         "window"),
    ],
)  # fmt: skip
def test_what_was_taken_for_granted_is_checked(text: str, at: Any, message: str) -> None:
    given = {k: np.ones(shape) for k, shape in at.items()}
    for call in (lambda: sg.compile(text)(**given), lambda: sg.backprop(text, given)):
        with pytest.raises(sg.ShapeError, match=message):
            call()


def test_sizes_from_shapes_decide_a_reshape() -> None:
    text = "X: real[N, D]\nreshape(X, (2, 6))"
    assert sg.parse(text, shapes={"X": (4, 3)}).output.shape == (2, 6)
    with pytest.raises(sg.ShapeError, match="8 entries do not fill"):
        sg.parse(text, shapes={"X": (4, 2)})
    with pytest.raises(sg.ShapeError, match="nothing says that D\\*N entries fill"):
        sg.parse(text)


WRONG = [
    ("reshape(A)", "not the arguments"),
    ("reshape(A, (4, 2))", "6 entries do not fill the shape \\(4, 2\\)"),
    ("reshape(A, (-1, -1))", "one -1 may stand"),
    ("reshape(A, (-1, 4))", "6 entries cannot be divided by 4"),
    ("reshape(A, (x, 2))", "a size is a dimension"),
    ("reshape(A, (-2, 3))", "a size is a dimension"),
    ("reshape(A, (10**9, 10**9))", "a size is a dimension"),
    (f"reshape(A, ({'1, ' * 40}6))", "41 axes are too many"),
    ("reshape(B, (D, 4))", "nothing says"),
    ("concatenate(A, v)", "takes a tuple of arrays"),
    ("concatenate(())", "takes a tuple of arrays"),
    ("concatenate((*A, v))", "not an argument"),
    ("concatenate((A, v))", "different numbers of axes"),
    ("concatenate((A, A.T))", "sizes 3 and 2 differ \\(axis 1\\)"),
    ("concatenate((A, A), axis=2)", "axis 2 is out of range"),
    ("concatenate((A, A), axis='x')", "is not an axis"),
    ("concatenate((A, A), dim=1)", "no argument 'dim'"),
    ("concatenate((x, x))", "numbers"),
    ("stack((A, v))", "different numbers of axes"),
    ("stack((A, A), axis=3)", "axis 3 is out of range"),
    ("take(A, 1)", "needs axis="),
    ("take(A, 5, axis=0)", "index 5 is out of range"),
    ("take(A, v, axis=0)", "an index has to be a label"),
    ("take(A, q, axis=0)", "labels of 4 classes; axis 0 of the array has 2"),
    ("take(x, 1)", "a number has no parts"),
    ("A[q]", "labels of 4 classes"),
    ("cumsum(A)", "needs axis="),
    ("cumsum(A, axis=(0, 1))", "is not an axis"),
    ("cumsum(x)", "no running sum"),
    ('einsum("ij,jk->ik", A)', "2 operands are named, 1"),
    ("einsum(A, A)", "takes a text and arrays"),
    ('einsum("ij->")', "takes a text and arrays"),
    ('einsum("jjj->j", A)', "stands twice in one operand; diag"),
    ('einsum("ij->ii", A)', "twice in the result"),
    ('einsum("ij->k", A)', "the letter k of the result"),
    ('einsum("...j->j", A)', "on both sides"),
    ('einsum("i1->i", A)', "is not of the form"),
    ('einsum("ij,jk->ik", A, A)', "the letter j: sizes 3 and 2 differ"),
    ("correlate(v, A)", "vectors are expected"),
    ("correlate(v[:1], v)", "a window of 3 does not fit into 1"),
    ("convolve(v, v, mode='x')", "mode='x' is not known"),
    ("convolve(v, v[:0])", "a window of 0"),
    ("A[::0]", "the step of a slice is not 0"),
    ("A[..., 0, ...]", "stands twice"),
    ("A[..., 0, 0, 0]", "3 indices for 2 axes"),
    ("L[i] = take(B[i], 1, axis=0)", "use it on whole arrays"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_errors_say_what_and_where(text: str, message: str) -> None:
    head = "A: real[2, 3]\nB: real[N, D]\nv: real[3]\nq: labels[N, 4]\nx: real\n"
    with pytest.raises(sg.SymgradError, match=message) as caught:
        sg.parse(head + text)
    assert caught.value.line == 6 and "^" in str(caught.value)


@pytest.mark.parametrize(
    "size", ["os.system('x')", "N - 1 ", "__import__('os')", 2.5, True, "N**9"]
)
def test_sizes_that_are_none_are_refused_in_json(size: Any) -> None:
    graph = sg.parse("x: real[N]\nreshape(x[1:], -1)")
    data = json.loads(to_json(graph))
    for node in data["nodes"]:
        if node["op"] == "reshape":
            node["shape"] = json.dumps([size])
            node["attrs"] = json.dumps({"shape": [size]})
    with pytest.raises(sg.SymgradError):
        sg.from_json(json.dumps(data))


@pytest.mark.parametrize(
    ("op", "attrs"),
    [
        ("slice", {"key": [["print()", None]]}),
        ("slice", {"key": [[0, "N"]]}),
        ("slice", {"key": [[0, None, "1]"]]}),
        ("slice", {"key": [[0, 1, 2, 3]]}),
        ("slice", {"key": []}),
        ("slice", {"key": [3]}),
        ("einsum", {"subscripts": 'i->i"'}),
        ("einsum", {"subscripts": "ii->i"}),
        ("einsum", {"subscripts": 3}),
        ("take", {"axis": "0"}),
        ("concatenate", {"axis": "0"}),
        ("stack", {"axis": None}),
        ("cumsum", {"axis": "x"}),
        ("convolve", {"mode": 'full"'}),
    ],
)
def test_parameters_that_nobody_can_type_are_refused_in_json(op: str, attrs: Any) -> None:
    texts = {"slice": "x[1:]", "einsum": 'einsum("i,i,i->i", x, x, x)', "take": "x[ids]",
             "concatenate": "concatenate((x, x))", "stack": "stack((x, x))",
             "cumsum": "cumsum(x)", "convolve": "convolve(x, x)"}  # fmt: skip
    data = json.loads(to_json(sg.parse(f"x: real[N]\nids: labels[K, N]\n{texts[op]}")))
    for node in data["nodes"]:
        if node["op"] == op:
            node["attrs"] = json.dumps(attrs)
    with pytest.raises(sg.SymgradError):
        sg.from_json(json.dumps(data))


def test_pictures_have_symbols_and_sizes(tmp_path: Any) -> None:
    text = (
        "X: param[N, D]\nids: labels[K, N]\ns = X[1:] - X[:-1]\nE = X[ids]\n"
        "u = concatenate((s, E))\nL = trace(u.T @ u) + prod(cumsum(u[:, 0])) + logdet(u.T @ u)"
    )
    path = tmp_path / "picture.svg"
    sg.diagram(text).save(path)
    sg.diagram(text, at={"X": RNG.normal(size=(4, 2)), "ids": np.array([0, 0])}).save(path)
    assert path.stat().st_size > 1000


def test_masks_stay_masks_and_numbers_stay_numbers() -> None:
    text = "v: param[N]\nm = concatenate((v[1:] > 0, v[:1] > 0))\nsum(where(m, v**2, 0)) + sum(m)"
    at = np.array([1.0, -2, 3])
    value, grads = sg.compile(text, dtype="float32")(v=at)
    assert value == 4 + 9 + 2 and value.dtype == "float32"  # the mask is 0, 1, 1
    assert grads["v"].tolist() == [0, -4, 6] and grads["v"].dtype == "float32"


def test_there_is_no_loop_over_entries() -> None:
    text = "x: param[N]\nids: labels[K, N]\nprod(x) + sum(x[ids]) + sum(cumsum(x[::2]))"
    source = sg.compile(text, style="readable").program
    source = source.replace("for j in range(shape[1])", "")  # columns of a table
    assert " for " not in source.split('"""', 2)[2].replace("for x (N,).", "")


def test_rows_for_any_number_of_operands() -> None:
    parts = [leaf(f"p{k}", (2,)) for k in range(40)]
    node = make("concatenate", *parts)
    assert node.shape == (80,) and len(sweep(make("sum", node), parts).total) > 40
    text = "\n".join(f"p{k}: param[2]" for k in range(40))
    listed = ", ".join(f"p{k}" for k in range(40))
    value, grads = sg.compile(f"{text}\nsum(stack(({listed}))**2)")(
        **{f"p{k}": np.full(2, float(k)) for k in range(40)}
    )
    assert value == 2 * sum(k * k for k in range(40)) and grads["p39"].tolist() == [78, 78]
    assert math.isclose(sum(float(g.sum()) for g in grads.values()), 4 * sum(range(40)))

"""What a program costs: parameters, operations, arithmetic, memory."""

import tracemalloc

import numpy as np
import pytest

import symgrad as sg

NET = (
    "X: data[N, D]\ny: labels[N, C]\nW1: param[D, H]; b1: param[H]\nW2: param[H, C]; b2: param[C]\n"
    "h = relu(X @ W1 + b1)\ns = h @ W2 + b2\nloss = cross_entropy(s, y)"
)


def test_parameters_by_name_and_size() -> None:
    f = sg.compile(NET)
    s = f.summary(N=100, D=7, H=5, C=3)
    assert [(p.name, p.shape, p.entries, p.bytes) for p in s.parameters] == [
        ("W1", ("D", "H"), 35, 280), ("b1", ("H",), 5, 40),
        ("W2", ("H", "C"), 15, 120), ("b2", ("C",), 3, 24),
    ]  # fmt: skip
    assert "all 4" in str(s) and str(s).splitlines()[5].split() == ["all", "4", "58", "464"]
    assert [p.bytes for p in sg.compile(NET, dtype="float32").summary(D=7, H=5).parameters] == [
        140, 20, None, None,
    ]  # fmt: skip
    assert [p.name for p in sg.compile("x*y", "x").summary().parameters] == ["x"]
    assert "no parameters" in str(sg.compile("X: data[N]; sum(X)").summary())
    many = sg.compile(" + ".join(f"x{k}" for k in range(100)))
    assert "all 100" in str(many.summary()) and len(str(many.summary()).splitlines()) < 10


@pytest.mark.parametrize(
    ("text", "sizes", "loss", "both"),
    [
        ("x*y + 1", {}, 2, 2),
        ("A: data[N, D]; x: param[D]; sum(A @ x)", {"N": 4, "D": 3}, 2 * 12 + 4, None),
        ("A: data[N, K]; B: param[K, M]; max(A @ B)", {"N": 4, "K": 3, "M": 5}, 2 * 60 + 20, None),
        # sum(A, 0) @ sum(B, 1)
        ("A: data[N, K]; B: param[K, M]; sum(A @ B)", {"N": 4, "K": 3, "M": 5}, 12 + 15 + 6, None),
        ("x: param[N]; sum(exp(x))", {"N": 10}, 20, 20),
        ("u: param[N]; v: param[M]; sum(outer(u, v))", {"N": 4, "M": 3}, 24, None),
        (
            "A: param[N, K]; x: data[N]; y: data[N, K]; sum(einsum('nk,n,nk->k', A, x, y)**2)",
            {"N": 4, "K": 3},
            12 + 2 * 12 + 6,  # x @ (A * y)
            None,
        ),
        ("S: param[N, C]; sum(softmax(S)**2)", {"N": 10, "C": 3}, 4 * 30 + 30, None),
        ("x: param[N]; sum(x[1:]*2)", {"N": 11}, 20, None),
        ("A: param[N, N]; det(A)", {"N": 4}, 64, None),
    ],
)
def test_arithmetic(text: str, sizes: dict[str, int], loss: int, both: int | None) -> None:
    s = sg.compile(text).summary(**sizes)
    assert s.flops is not None and s.flops[0] == loss and s.flops[1] >= loss
    assert both is None or s.flops[1] == both


def test_two_products_for_one() -> None:
    """The gradient of an affine layer in its weights costs one more product of the same size."""
    s = sg.compile(NET).summary(N=1000, D=100, H=50, C=10)
    assert s.flops is not None
    product1, product2 = 2 * 1000 * 100 * 50, 2 * 1000 * 50 * 10
    assert s.flops[0] == pytest.approx(product1 + product2, rel=0.05)
    assert s.flops[1] == pytest.approx(2 * product1 + 3 * product2, rel=0.05)
    assert s.operations[0] < s.operations[1] <= 4 * s.operations[0]


def test_memory_is_that_of_a_call() -> None:
    f = sg.compile("x: param[N]; sum(exp(x)*x)")
    s = f.summary(N=100_000)
    assert s.peak is not None and 800_000 < s.peak < 2 * 800_000
    assert not tracemalloc.is_tracing()
    assert sg.compile("x: param[N]; sum(exp(x)*x)").summary(N=10**9).peak is None
    assert sg.compile("x: param[N]; y: labels[K, N]; sum(x[y])").summary(N=0, K=5).peak is None
    tracemalloc.start()
    try:
        assert f.summary(N=10).peak is None and tracemalloc.is_tracing()
    finally:
        tracemalloc.stop()


def test_sizes_come_from_numbers_or_arrays() -> None:
    f = sg.compile(NET)
    s = f.summary(X=np.ones((20, 7)), H=5)
    assert s.unknown == ("C",) and s.flops is None and s.peak is None
    assert "with sizes (C=…)" in str(s)
    assert f.summary(X=np.ones((20, 7)), H=5, C=3).flops == f.summary(N=20, D=7, H=5, C=3).flops
    known = sg.compile(sg.parse(NET, shapes={"X": np.ones((20, 7))})).summary()
    assert known.unknown == ("C", "H")
    for wrong, part in (
        ({"M": 3}, "no dimension and no input is called M"),
        ({"N": 2.5}, "N=2.5 is no whole number"),
        ({"N": -1}, "no whole number"),
        ({"X": np.ones(3)}, "'X' is"),
    ):
        with pytest.raises(sg.DataError, match=part):
            f.summary(**wrong)
    with pytest.raises(sg.ShapeError, match="N is both 20 and 3"):
        f.summary(X=np.ones((20, 7)), N=3)


def test_sizes_that_are_made_of_others_are_known() -> None:
    f = sg.compile("X: data[N, D]; W: param[D, 4*H]; sum(tanh(X @ W)[:, :H])")
    s = f.summary(N=32, D=8, H=16)
    assert s.unknown == () and s.flops is not None and s.peak is not None
    assert s.parameters[0].entries == 8 * 64 and "with sizes" not in str(s)
    assert f.summary(N=32, D=8).unknown == ("H",)
    assert "with sizes (D=…, H=…)" in str(f.summary(N=32))

"""Blocks of products: which are cut, and that a product in blocks is the product."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgrad.codegen.fast import costs, sizes, texts, wide
from symgrad.codegen.fast.costs import Costs


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let SYMGRAD_COSTS name a file that is not there yet."""
    path = tmp_path / "costs.json"
    path.parent.mkdir(exist_ok=True)
    monkeypatch.setenv(costs.VARIABLE, str(path))
    monkeypatch.setattr(costs, "_ignored", lambda why: None)
    costs._current.cache_clear()
    return path


def carried(**changed: int) -> dict[str, Any]:
    """Execute the functions that modules carry, with their constants."""
    return texts.executed(sizes.TEXTS, replace(Costs(), **changed))


SIZES = carried()
CASES = [
    # m, k, n, rows of a block, or 1; the same if turned
    (1024, 784, 10, 64, 64),  # 128 would be 1 003 520 multiplications
    (1024, 256, 10, 256, 64),  # turned 64, because 128 * 10 > 1200
    (128, 784, 512, 1, 1),  # wide
    (100_000, 20, 1, 1, 1),  # one column: not a product for blocks
    (64, 64, 10, 1, 1),  # small as it is
    (1000, 64, 100, 125, 1),
    (1797, 64, 10, 599, 1),  # turned no divisor fits
    (1021, 784, 10, 1, 1),  # a prime number of rows
    (8192, 20, 10, 4096, 1),  # turned: fewer than 32 terms
    (10**6, 784, 2, 625, 500),
]


@pytest.mark.parametrize(("m", "k", "n", "rows", "turned"), CASES)
def test_blocks_of_rows(m: int, k: int, n: int, rows: int, turned: int) -> None:
    for flag, expected in (("", rows), ("left", rows), ("right", turned), ("result", turned)):
        block = 1 if expected == 1 else (expected, n)
        assert SIZES["product_block"](m, k, n, 0, flag) == block
        assert carried(skinny_float64=0)["product_block"](m, k, n, 0, flag) == 1
    assert SIZES["product_block"](m, k, n, 4) == SIZES["product_block"](m, k, n, 0)  # CUT_BYTES: 0


WIDE = [
    # m, k, n, bytes of an entry, what is stored by columns, block
    (128, 512, 256, 8, "", (16, 64)),
    (128, 784, 512, 8, "", 1),  # its operands take 4 MB
    (128, 784, 512, 4, "", (16, 64)),
    (784, 128, 512, 8, "left", (56, 128)),
    (128, 512, 256, 4, "left", (32, 32)),
    (64, 1000, 100, 8, "", (8, 100)),
    (1000, 64, 100, 8, "left", (100, 100)),
    (128, 256, 512, 8, "right", (32, 32)),  # 1024 entries, at most 1200
    (64, 64, 64, 8, "right", (32, 32)),  # small, but slow with a transposed operand
    (64, 64, 64, 4, "right", 1),
    (127, 512, 256, 8, "", 1),  # a prime number of rows
    (1024, 784, 10, 8, "", (64, 10)),  # too narrow: rows only
    (32, 40_000, 16, 4, "", 1),
]


@pytest.mark.parametrize(("m", "k", "n", "itemsize", "turned", "block"), WIDE)
def test_blocks_of_wide_products(
    m: int, k: int, n: int, itemsize: int, turned: str, block: Any
) -> None:
    found = carried(cut_bytes=2_621_440)["product_block"](m, k, n, itemsize, turned)
    assert found == block


def test_blocks_keep_their_promise() -> None:
    cut = carried(cut_bytes=2_621_440)["product_block"]
    for m in (96, 1000, 1024, 1437, 4096, 60_000):
        for k in (16, 64, 784):
            for n in (2, 3, 10, 32, 100, 510):
                for turned in ("", "left", "right", "result"):
                    block = cut(m, k, n, 8, turned)
                    if block != 1:
                        rows, columns = block
                        assert m % rows == 0 and n % columns == 0
                        assert rows * k * columns <= 1_000_000
                        assert turned in ("", "left") or rows * columns <= 1200
                blocks = SIZES["sum_blocks"](m, k, n, 8, 1)
                assert m % blocks == 0
                if blocks > 1:
                    assert m // blocks >= 64 and 3 * k * n * 8 <= Costs().tile_bytes


@pytest.mark.parametrize(
    ("m", "k", "n", "itemsize", "blocks"),
    [
        (1024, 784, 10, 8, 16),
        (2048, 784, 10, 8, 32),
        (4096, 784, 16, 8, 64),
        (4096, 784, 100, 8, 1),  # a block of 12 rows is not worth its sum
        (2048, 784, 10, 4, 32),
        (4096, 64, 10, 8, 4),
        (128, 784, 32, 8, 1),  # fewer than 64 rows a block
        (100_000, 20, 1, 8, 1),
    ],
)
def test_blocks_of_sums(m: int, k: int, n: int, itemsize: int, blocks: int) -> None:
    assert SIZES["sum_blocks"](m, k, n, itemsize, 1) == blocks
    narrow = itemsize == 4 and n < 16  # sums are faster in single precision
    assert SIZES["sum_blocks"](m, k, n, itemsize, (56, n)) == (blocks if narrow else 1)


SHAPES = [(64, 500, 100), (96, 128, 96), (50, 900, 60), (300, 100, 300), (784, 128, 64), (33, 7, 5)]


@pytest.mark.parametrize(("m", "k", "n"), SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_in_blocks_are_products(m: int, k: int, n: int, dtype: str) -> None:
    chosen = Costs(cut_bytes=2_621_440, fewest_terms=8)
    space = texts.executed(["turned_product", "product_block"], chosen, dtype)
    random = np.random.default_rng(0)
    a, b = random.normal(size=(m, k)).astype(dtype), random.normal(size=(k, n)).astype(dtype)
    expected = a.astype(float) @ b
    bound = dict(rtol=0, atol=k * np.finfo(dtype).eps * 10)
    size, cut = a.itemsize, 0
    for left in (a, np.asfortranarray(a), np.repeat(a, 2, axis=0)[::2]):
        for right in (b, np.asfortranarray(b)):
            here = left.astype(float) @ b
            block = space["product_block"](m, k, n, size, "right" if right is not b else "")
            cut += block != 1
            out = np.full((m, n), np.nan, dtype)
            assert space["product"](left, right, out, block) is out
            np.testing.assert_allclose(out, here, **bound)
    parts = space["parts_of"](m, n, 4, dtype) if k % 4 == 0 else None
    out = space["turned_product"](np.ascontiguousarray(a.T), b, np.empty((m, n), dtype), parts, 1)
    np.testing.assert_allclose(out, expected, **bound)
    assert cut == 0 if m == 33 else cut >= 3


# -- where wide products are cut -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "alone"),
    [
        ({"OPENBLAS_NUM_THREADS": "1"}, True),
        ({"OPENBLAS_NUM_THREADS": "4", "OMP_NUM_THREADS": "1"}, False),
        ({"OMP_NUM_THREADS": "1"}, True),
        ({"OMP_NUM_THREADS": "02"}, False),
    ],
)
def test_threads_that_blas_was_asked_for(
    variables: dict[str, str], alone: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in wide.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert wide.one_thread() is alone


@pytest.mark.parametrize("count", [1, 3])
def test_without_a_wish_blas_has_a_thread_for_each_core(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in wide.VARIABLES:
        monkeypatch.setenv(name, "0")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(count)), raising=False)
    assert wide.one_thread() is (count == 1)


def test_other_builds_of_numpy_have_no_such_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    blas = {"Build Dependencies": {"blas": {"name": "scipy-openblas"}}}
    found = {"SIMD Extensions": {"baseline": ["SSE"], "found": ["AVX512_SKX"]}}
    old = {"SIMD Extensions": {"baseline": ["SSE"], "found": ["AVX2"]}}
    other = {"Build Dependencies": {"blas": {"name": "accelerate"}}}
    known = [(blas | found, True), (blas | old, False), (other | found, False), ({}, False)]
    for built, sound in known:
        monkeypatch.setattr(np, "show_config", lambda mode, built=built: built)
        wide.small_kernels.cache_clear()
        assert wide.small_kernels() is sound
    monkeypatch.undo()
    wide.small_kernels.cache_clear()


@pytest.mark.parametrize("alone", [True, False])
def test_compiled_functions_cut_where_blas_is_on_one_thread(
    alone: bool, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wide, "one_thread", lambda: alone)
    monkeypatch.setattr(wide, "small_kernels", lambda: True)
    assert wide.here().cut_bytes == (wide.CUT_BYTES if alone else 0)
    costs.save(Costs(cut_bytes=77), file)
    assert wide.here().cut_bytes == (77 if alone else 0)
    monkeypatch.setenv(costs.VARIABLE, "defaults")
    assert wide.here().cut_bytes == 0

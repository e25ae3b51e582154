"""Blocks of products: which are cut, and that a product in blocks is the product."""

import ctypes.util
import os
import platform
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg
from symgrad.codegen.fast import costs, sizes, texts, wide
from symgrad.codegen.fast.costs import Costs
from symgrad.codegen.fast.wide import Library


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
    found = carried(cut_float64=2_621_440)["product_block"](m, k, n, itemsize, turned)
    assert found == block


def test_sums_of_few_terms_are_cut_for_any_number_of_columns() -> None:
    """Copying the operands takes as long as the sums: (1000, 20) @ (20, 300) 0.56 of the time."""
    cut = carried(short=64)["product_block"]
    assert cut(1000, 20, 300, 8) == (125, 300) and cut(1000, 65, 300, 8) == 1
    assert cut(784, 32, 512, 4, "left") == (56, 512)
    assert cut(1000, 20, 300, 8, "right") == cut(1000, 20, 300, 8, "result") == 1
    assert cut(40, 20, 5000, 8) == 1  # rows of a block are too few
    near = carried()["product_block"]  # the right operand stays in the nearest cache
    assert near(1000, 100, 100, 8) == (100, 100) and near(1000, 100, 128, 8) == 1
    assert near(1000, 20, 300, 8) == (125, 300) and near(1000, 40, 300, 8) == 1
    assert carried(skinny_float64=0, short=64)["product_block"](1000, 20, 300, 8) == 1


def test_short_rows_beside_a_transpose_are_cut_in_double_precision_only() -> None:
    """In single precision A @ B.T in blocks takes 1.1 to 1.9 of the time, up to some 200 terms."""
    cut = carried(cut_float64=2_621_440)["product_block"]
    assert cut(256, 64, 256, 4, "right") == 1 and cut(256, 64, 256, 8, "right") == (32, 32)
    assert cut(128, 512, 256, 4, "right") == (32, 32)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("n", "k"), [(256, 8), (512, 3), (255, 8), (64, 40), (1, 4), (128, 0)])
def test_a_matrix_times_its_transpose(n: int, k: int, dtype: str) -> None:
    """NumPy copies half of the result: not where rows lie a power of two apart and are short."""
    a = np.random.default_rng(n).normal(size=(n, k)).astype(dtype)
    gram = texts.executed(["gram"], Costs(), dtype)["gram"]
    for order in "CF":
        out = np.empty((n, n), dtype, order)
        assert gram(a, out) is out
        assert np.allclose(out, a.astype(float) @ a.T.astype(float), atol=1e-5)
    program = sg.compile("X: data[N, D]; W: param[D, K]; Z = X @ W; sum(tanh(Z @ Z.T))").program
    assert "gram(Z, " in program


def test_blocks_keep_their_promise() -> None:
    cut = carried(cut_float64=2_621_440)["product_block"]
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


@pytest.mark.parametrize(
    ("m", "k", "n", "itemsize", "block", "blocks"),
    [
        (1024, 784, 10, 8, 56, 16),  # 6 MB: each strip of 56 columns would come from memory
        (4096, 256, 16, 4, 64, 32),
        (256, 512, 16, 8, 128, 1),  # 1 MB stays in the cache
        (1024, 128, 16, 8, 32, 1),
        (1000, 64, 32, 4, 16, 1),  # strips of one line of the cache
        (2000, 100, 24, 4, 20, 5),  # strips of 80 bytes, which begin and end within lines
        (512, 512, 4, 8, 256, 1),  # four columns, in wide strips
        (4096, 256, 4, 8, 32, 8),
    ],
)
def test_blocks_of_the_result_or_sums(
    m: int, k: int, n: int, itemsize: int, block: int, blocks: int
) -> None:
    assert SIZES["sum_blocks"](m, k, n, itemsize, (block, n)) == blocks


SHAPES = [(64, 500, 100), (96, 128, 96), (50, 900, 60), (300, 100, 300), (784, 128, 64), (33, 7, 5)]


@pytest.mark.parametrize(("m", "k", "n"), SHAPES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_products_in_blocks_are_products(m: int, k: int, n: int, dtype: str) -> None:
    chosen = Costs(cut_float64=2_621_440, cut_float32=2_621_440, fewest_terms=8)
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
    ("blas", "vendor", "skinny", "cut", "short"),
    [
        (Library("SkylakeX", 1), "AuthenticAMD", (128, 128), wide.CUT, 64),
        (Library("SkylakeX", 1), "GenuineIntel", (48, 32), wide.WHOLE, 64),
        (Library("SkylakeX", 2), "AuthenticAMD", (48, 0), wide.WHOLE, 0),  # two threads do as well
        (Library("SkylakeX", 8), "AuthenticAMD", (0, 0), wide.WHOLE, 0),
        (Library("SapphireRapids", 1), "GenuineIntel", (48, 32), wide.WHOLE, 64),
        (Library("Haswell", 1), "GenuineIntel", (0, 0), wide.WHOLE, 0),
        (Library(), "AuthenticAMD", (0, 0), wide.WHOLE, 0),
    ],
)
def test_compiled_functions_cut_where_the_kernels_are_fast(
    blas: Library,
    vendor: str,
    skinny: tuple[int, int],
    cut: dict[str, int],
    short: int,
    file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wide, "library", lambda: blas)
    monkeypatch.setattr(wide, "processor", {"vendor_id": vendor}.get)
    found = wide.here()
    assert (found.skinny_float64, found.skinny_float32) == skinny
    assert {"cut_float64": found.cut_float64, "cut_float32": found.cut_float32} == cut
    assert found.short == short
    # what was measured counts, but for kernels on one thread beside several
    costs.save(Costs(skinny_float64=7, cut_float64=77, cut_float32=78, short=79), file)
    found = wide.here()
    assert found.skinny_float64 == 7
    known = (77, 78, 79) if blas.small_kernels and blas.threads == 1 else (0, 0, 0)
    assert (found.cut_float64, found.cut_float32, found.short) == known
    monkeypatch.setenv(costs.VARIABLE, "defaults")
    assert wide.here() == Costs()


def test_the_library_says_what_it_does() -> None:
    if not wide._functions():
        pytest.skip("NumPy has no OpenBLAS here")
    code = "from symgrad.codegen.fast.wide import library; print(repr(library()))"
    for core in ("Haswell", "Nehalem"):  # which run on any x86-64 that has AVX2
        known = os.environ | {"OPENBLAS_CORETYPE": core, "OPENBLAS_NUM_THREADS": "1"}
        asked = [sys.executable, "-c", code]
        said = subprocess.run(asked, env=known, capture_output=True, text=True, check=True)
        if platform.machine() in ("x86_64", "AMD64"):
            assert said.stdout.strip() == f"Library(core='{core}', threads=1)"


def test_the_library_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = {"SIMD Extensions": {"baseline": ["X86_V2"], "found": ["X86_V3", "AVX512_SKX"]}}
    monkeypatch.setattr(np, "show_config", lambda mode: vectors)
    assert str(Library("SkylakeX", 2)) == "OpenBLAS with kernels for SkylakeX, threads: 2"
    assert str(Library("Haswell", 1)).endswith("OPENBLAS_CORETYPE=SkylakeX may be faster")
    assert str(Library()) == "another library than OpenBLAS: products are whole"
    monkeypatch.setattr(np, "show_config", lambda mode: {})
    assert str(Library("Haswell", 1)) == "OpenBLAS with kernels for Haswell, threads: 1"


def test_another_blas_has_no_such_kernels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "libopenblas.so").write_text("no library")
    for found in ([], [str(tmp_path / "libopenblas.so")], [ctypes.util.find_library("c")]):
        monkeypatch.setattr(wide, "_files", lambda found=found: iter(found))
        wide._functions.cache_clear()
        assert wide.library() == Library()
        assert not wide.library().small_kernels
    monkeypatch.undo()
    wide._functions.cache_clear()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="as Linux lists them")
def test_what_is_mapped_is_found_without_a_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {Path(path).name for path in wide._files()}
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: iter(()))
    assert {Path(path).name for path in wide._files()} & before or not wide._functions()


def test_another_system_has_no_list_of_files(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: Path, encoding: str) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "glob", lambda folder, pattern: iter(()))
    monkeypatch.setattr(Path, "read_text", missing)
    assert list(wide._files()) == []


@pytest.mark.parametrize("skinny", [0, 128])
def test_whole_products_into_columns_and_from_columns(skinny: int) -> None:
    changed = replace(Costs(), skinny_float64=skinny)
    space = texts.executed(["product", "turned_product", "product_block"], changed)
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(50, 7)), rng.normal(size=(7, 4))
    s = space["product"](x, w, np.empty((50, 4), order="F"), 1)
    assert s.flags.f_contiguous
    np.testing.assert_allclose(s, x @ w, rtol=1e-13)
    grad = space["turned_product"](x, s, np.empty((7, 4)), None, 1)
    np.testing.assert_allclose(grad, x.T @ s, rtol=1e-13)

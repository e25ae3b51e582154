"""Costs: the numbers that the fast style decides by, their file, and the sizes that follow."""

import json
import subprocess
import sys
import warnings
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from symgrad import cli
from symgrad.codegen import safety
from symgrad.codegen.fast import costs, measuring, sizes, texts
from symgrad.codegen.fast.costs import Costs
from symgrad.errors import DataError, SymgradWarning


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let SYMGRAD_COSTS name a file that is not there yet."""
    path = tmp_path / "costs.json"
    monkeypatch.setenv(costs.VARIABLE, str(path))
    costs._current.cache_clear()
    return path


def carried(**changed: int) -> dict[str, Any]:
    """Execute the functions that modules carry, with their constants."""
    return texts.executed(sizes.TEXTS, replace(Costs(), **changed))


SIZES = carried()


# -- the file ----------------------------------------------------------------------------------


def test_what_is_saved_is_used(file: Path) -> None:
    measured = replace(Costs(), tile_bytes=999_424, exp=(1.5, 0.25), skinny_float32=0)
    costs.save(Costs(), file)
    assert costs.current() == Costs()
    costs.save(measured, file)
    assert costs.current() == measured == costs.load(file)
    assert costs.reset(file) and not costs.reset(file)
    assert not list(file.parent.iterdir())


def test_defaults_can_be_asked_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    costs.save(replace(Costs(), piece=64), file)
    monkeypatch.setenv(costs.VARIABLE, "defaults")
    assert costs.place() is None
    assert costs.current() == Costs()


def test_place_is_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(costs.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert costs.place() == tmp_path / "symgrad" / "costs.json"
    with warnings.catch_warnings(action="error"):  # never measured: nothing to complain about
        assert costs.current() == Costs()


GOOD = {"version": costs.VERSION, "machine": costs.machine(), "costs": {"piece": 64}}
BAD = {
    "empty": "",
    "cut off": json.dumps(GOOD)[:-5],
    "no object": "[1]",
    "deep": "[" * 50_000,
    "binary": "\x00\x01",
    "another version": json.dumps(GOOD | {"version": 99}),
    "another machine": json.dumps(GOOD | {"machine": "abacus"}),
    "unknown name": json.dumps(GOOD | {"costs": {"gold": 1}}),
    "a method": json.dumps(GOOD | {"costs": {"constants": 1.0}}),
    "text": json.dumps(GOOD | {"costs": {"piece": "1; import os"}}),
    "negative": json.dumps(GOOD | {"costs": {"tile_bytes": -1}}),
    "zero": json.dumps(GOOD | {"costs": {"tile_bytes": 0}}),
    "true": json.dumps(GOOD | {"costs": {"piece": True}}),
    "a fraction": json.dumps(GOOD | {"costs": {"piece": 1.5}}),
    "nan": json.dumps(GOOD | {"costs": {"call_dot": float("nan")}}),
    "one of two": json.dumps(GOOD | {"costs": {"exp": [1.0]}}),
    "no costs": json.dumps({"version": costs.VERSION, "machine": costs.machine()}),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_ignored_with_one_warning(file: Path, name: str) -> None:
    file.write_text(BAD[name], encoding="utf-8")
    with pytest.raises(DataError):
        costs.load(file)
    with pytest.warns(SymgradWarning, match="symgrad tune") as said:
        assert costs.current() == Costs()
        assert costs.current() == Costs()
    assert len(said) == 1


def test_good_file_is_read(file: Path) -> None:
    file.write_text(json.dumps(GOOD), encoding="utf-8")
    assert costs.current().piece == 64


def test_nothing_is_measured_or_read_at_import() -> None:
    code = (
        "import sys, builtins; opened = []; old = builtins.open\n"
        "builtins.open = lambda f, *a, **k: (opened.append(str(f)), old(f, *a, **k))[1]\n"
        "import symgrad.codegen.fast.costs\n"
        "assert not [f for f in opened if 'costs.json' in f or 'cpuinfo' in f], opened\n"
        "assert 'threadpoolctl' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# -- sizes -------------------------------------------------------------------------------------


def test_carried_text_is_allowed_in_modules() -> None:
    for name in ("rows_per_tile", "product_block", "sum_blocks"):
        text = sizes.texts(name)
        safety.check(sizes.assignments(text, Costs().constants("float32")) + text)


def test_every_constant_has_a_meaning() -> None:
    constants = Costs().constants("float32")
    assert list(constants) != [] and set(constants) == set(sizes.NOTES)
    assert all(type(v) is int for v in constants.values())
    assert replace(Costs(), skinny_float32=7).constants("float32")["SKINNY"] == 7
    assert {f.name for f in fields(Costs) if type(getattr(Costs(), f.name)) is tuple} > {"exp"}


@pytest.mark.parametrize("n", [0, 1, 7, 4096, 65_537, 10**6, 10**7 + 1])
@pytest.mark.parametrize("width", [1, 3, 10, 512, 100_000])
@pytest.mark.parametrize(("itemsize", "live"), [(8, 8), (4, 3), (8, 1)])
def test_tiles_cover_the_rows(n: int, width: int, itemsize: int, live: int) -> None:
    rows = SIZES["rows_per_tile"](n, width, itemsize, live)
    assert 1 <= rows <= max(n, 1)
    whole = n * width * itemsize * live
    if whole <= Costs().untiled_bytes:
        assert rows == max(n, 1)
    elif rows < n:
        entries = rows * width
        room = max(Costs().tile_bytes // (itemsize * live), Costs().shortest_tile)
        assert entries <= min(room, Costs().longest_tile) + max(Costs().piece, width)
        assert width > 1 or rows % Costs().piece == 0


def test_the_tile_of_a_million() -> None:
    assert SIZES["rows_per_tile"](10**6, 1, 8, 8) == 24_576
    assert SIZES["rows_per_tile"](10**6, 1, 4, 8) == 49_152
    assert carried(piece=64)["rows_per_tile"](10**6, 1, 8, 8) == 24_448


def test_assignments_are_the_same_everywhere() -> None:
    text = sizes.texts("sum_blocks", "product_block")
    written = sizes.assignments(text, Costs().constants("float64")).splitlines()
    assert [line.split("  # ")[0] for line in written] == [
        "TILE_BYTES = 1_572_864",
        "SMALL_PRODUCT = 1_000_000",
        "TURNED_RESULT = 1200",
        "CUT_BYTES = 0",
        "SKINNY = 48",
        "NEAR = 10_000",
        "SHORT = 0",
        "FEWEST_ROWS = 16",
        "FEWEST_TERMS = 64",
    ]


# -- measuring and the verb --------------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure as briefly as can be: the figures mean nothing then."""
    brief = measuring.Effort(2, 0.0)
    monkeypatch.setattr(measuring, "QUICK", brief)
    monkeypatch.setattr(measuring, "FULL", brief)


def test_measured_costs_can_be_kept(file: Path, hasty: None) -> None:
    steps: list[str] = []
    found = measuring.measure(report=steps.append)
    assert steps == list(measuring.STEPS)
    costs.save(found, file)
    assert costs.current() == found
    untouched = {"longest_tile", "piece", "fewest_rows", "fewest_terms", "near"}
    measured = {f.name for f in fields(Costs) if getattr(found, f.name) != getattr(Costs(), f.name)}
    assert not measured & untouched and len(measured) > 10


def test_blocks_that_do_not_pay_are_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "_gains", lambda m, k, n, rows, *rest: dict.fromkeys(rows, 1.0))
    monkeypatch.setattr(measuring, "_rates", lambda effort: {})
    found = Costs(**measuring._products(measuring.Effort(1, 0.0), {}))
    assert found.skinny_float64 == found.skinny_float32 == 0


@pytest.mark.parametrize(
    ("pays", "threads", "most", "single", "short"),
    [
        (99, 1, 3_145_728, 1_572_864, 128),
        (15, 1, 3_145_728, 1_572_864, 16),
        (1, 1, 786_432, 0, 0),
        (0, 1, 0, 0, 0),
        (99, 2, 0, 0, 0),
    ],
)
def test_wide_products_are_cut_up_to_where_it_pays(
    pays: int, threads: int, most: int, single: int, short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ratio(race: Any, name: str, other: str) -> float:
        done.append(race)
        return 0.8 if len(done) <= pays else 1.0

    done: list[Any] = []
    monkeypatch.setattr(measuring.Race, "ratio", ratio)
    monkeypatch.setattr(measuring.wide, "library", lambda: measuring.wide.Library("SkylakeX", 1))
    found = {"blas_threads": threads, "small_product": 1_000_000, "skinny_float64": 128}
    limits = measuring._wide(measuring.Effort(1, 0.0), found)
    assert limits == {"cut_float64": most, "cut_float32": single, "short": short}


def test_limits_are_where_blocks_stop_to_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    def gains(m: int, k: int, n: int, rows: list[int], dtype: str, effort: Any,
              turned: bool = False) -> dict[int, float]:  # fmt: skip
        small = {r: r * k * n <= 500_000 and not (turned and r * n > 1200) for r in rows}
        return {r: 0.5 if small[r] and n <= 16 else 1.0 for r in rows}

    monkeypatch.setattr(measuring, "_gains", gains)
    monkeypatch.setattr(measuring, "_rates", lambda effort: {})
    found = Costs(**measuring._products(measuring.Effort(1, 0.0), {}))
    assert (found.small_product, found.turned_result) == (500_000, 1200)
    assert found.skinny_float64 == found.skinny_float32 == 16


def test_tune_measures_shows_and_resets(
    file: Path, hasty: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["tune", "--quick"]) == 0
    said = capsys.readouterr()
    assert f"saved in {file}" in said.out and "old" in said.out and said.err == ""
    assert cli.main(["tune", "--show"]) == 0
    assert capsys.readouterr().out.startswith(f"used: {file}")
    assert cli.main(["tune", "--reset"]) == 0
    assert capsys.readouterr().out == f"removed {file}\n"
    assert cli.main(["tune", "--show"]) == 0
    assert capsys.readouterr().out.startswith("used: the defaults")


def test_tune_needs_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(costs.VARIABLE, "defaults")
    for option in ("--quick", "--reset"):
        assert cli.main(["tune", option]) == 2
        assert "unset SYMGRAD_COSTS" in capsys.readouterr().err
    assert cli.main(["tune", "--show"]) == 0

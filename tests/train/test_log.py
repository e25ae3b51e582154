"""The log: exact numbers, torn lines, rewinding."""

import json
import math
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symgrad.errors import DataError, UsageError
from symgrad.train import log as log_module
from symgrad.train.log import Log, coded, decoded

FULL = os.path.exists("/dev/full") and stat.S_ISCHR(os.stat("/dev/full").st_mode)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
    | st.sampled_from(["NaN", "Infinity", "-Infinity", "text:", "text:NaN", "int:", "int:ff"])
    | st.just("int:x\n"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def strict(text: str) -> Any:
    """Read JSON as the standard has it."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(text, parse_constant=refuse)


def same(a: Any, b: Any) -> bool:
    """Compare with types and signs of zeros."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and repr(a) == repr(b)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_values_come_back(value: Any) -> None:
    assert same(decoded(strict(json.dumps(coded(value), allow_nan=False))), value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1, 2**127 + 1,
                                   True, None])  # fmt: skip
def test_special_numbers_come_back(value: Any) -> None:
    assert same(decoded(strict(json.dumps(coded(value), allow_nan=False))), value)


def test_integers_have_any_size() -> None:
    value = [-(10**9000), 10**9000 + 1]
    assert decoded(strict(json.dumps(coded(value)))) == value


def test_numbers_of_numpy_become_those_of_python() -> None:
    given_ = {"a": np.float32(0.1), "b": np.int64(3), "c": np.array([1.0, math.nan]), "d": (1, 2)}
    found = coded(given_)
    assert found == {"a": float(np.float32(0.1)), "b": 3, "c": [1.0, "NaN"], "d": [1, 2]}
    assert type(found["b"]) is int


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    "value", [{1: 2}, object(), {1, 2}, b"x", 1j, LOOP, np.array([None, b"x"])]
)
def test_what_would_not_come_back_is_refused(value: Any) -> None:
    with pytest.raises(UsageError):
        coded(value)


def test_each_record_is_a_line_at_once(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    assert log.records() == []
    assert not log.path.exists()
    for k in range(3):
        log.append({"step": k, "loss": math.inf, "note": "a\nb\u2028c"})
        lines = log.path.read_text().split("\n")
        assert len(lines) == k + 2
        assert [strict(line)["step"] for line in lines[:-1]] == list(range(k + 1))
    assert log.records()[2] == {"step": 2, "loss": math.inf, "note": "a\nb\u2028c"}


def test_a_line_torn_anywhere_is_cut_off(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.append({"step": 0})
    log.append({"step": 1, "loss": 0.5, "by": {"a": [1, 2]}})
    whole = log.path.read_bytes()
    start = whole.index(b"\n") + 1
    for size in range(start, len(whole)):
        log.path.write_bytes(whole[:size])
        again = Log(log.path)
        kept = [0, 1] if size == len(whole) - 1 else [0]  # only the end of the line is missing
        assert [r["step"] for r in again.records()] == kept
        assert log.path.read_bytes() == whole[:size]  # reading changes nothing
        again.append({"step": 9})
        assert [r["step"] for r in Log(log.path).records()] == [*kept, 9]


def test_a_long_torn_line_is_found(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"step": 0}\n{"text": "' + b"x" * 200_000)
    log = Log(path)
    log.append({"step": 1})
    assert path.read_bytes() == b'{"step": 0}\n{"step": 1}\n'
    path.write_bytes(b"\0" * 100_000)
    Log(path).append({"step": 2})
    assert path.read_bytes() == b'{"step": 2}\n'


def test_rewind_keeps_lines_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"step":0}\n{ "step" : 1 }\n{"step": 2}\n{"step": 3')
    log = Log(path)
    log.rewind(lambda r: r["step"] != 0)
    assert path.read_bytes() == b'{ "step" : 1 }\n{"step": 2}\n'
    log.append({"step": 4})
    assert [r["step"] for r in log.records()] == [1, 2, 4]
    Log(tmp_path / "none.jsonl").rewind(lambda r: True)
    assert os.listdir(tmp_path) == ["log.jsonl"]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"step": 0}\nhello\n{"step": 2}\n')
    with pytest.raises(DataError, match="line 2"):
        Log(path).records()
    path.write_bytes(b"[1]\n")
    with pytest.raises(DataError, match="line 1"):
        Log(path).rewind(lambda r: True)


def test_a_log_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file or directory"):
        Log(tmp_path / "none" / "log.jsonl").append({"step": 0})
    with pytest.raises(DataError, match="Is a directory"):
        Log(tmp_path).append({"step": 0})
    with pytest.raises(UsageError, match="a record maps names"):
        Log(tmp_path / "log.jsonl").append([1])  # type: ignore[arg-type]


@pytest.mark.skipif(not FULL, reason="there is no /dev/full")
def test_a_full_disk_leaves_no_part_of_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = Log(tmp_path / "log.jsonl")
    log.append({"step": 0})
    before = log.path.read_bytes()

    def part(file: Any, line: bytes) -> None:
        file.write(line[:4])
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(line)

    monkeypatch.setattr(log_module, "_whole", part)
    with pytest.raises(DataError, match="the disk is full"):
        log.append({"step": 1})
    assert log.path.read_bytes() == before

"""Checkpoints: bit for bit, one whole file whatever happens, nothing harmful is read."""

import json
import math
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from symgrad.errors import DataError, UsageError
from symgrad.train.checkpoint import keep, latest, load, save

posix = pytest.mark.skipif(os.name != "posix", reason="needs kills and limits of POSIX")

ARRAYS: dict[str, Any] = {
    "f64": np.array([0.1, -0.0, 5e-324, np.nan, np.inf, -np.inf]),
    "f32": np.array([[0.1, -0.0], [1e-45, np.nan]], np.float32),
    "f16": np.array([1.5], np.float16),
    "i8": np.array([-128, 127], np.int8),
    "i64": np.array([-(2**63), 2**63 - 1]),
    "u64": np.array([2**64 - 1], np.uint64),
    "bool": np.array([True, False]),
    "complex": np.array([1j]),
    "big": np.array([1.0, 2.0], ">f8"),
    "empty": np.zeros((0, 3), np.float32),
    "scalar": np.array(2.5),
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(12.0)[::5],
    "turned": np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1),
}
NAMES = ["", ".", "..", "../../etc/x", "/abs", "a\\b", "C:x", "a.npy", "state.json", "state",
         "σ²", "a%2Eb", "a.b", "a b\n\0", "W", "w", "\ud800", "x" * 500]  # fmt: skip


def strays(folder: Path) -> list[str]:
    return [p.name for p in folder.iterdir() if p.name.endswith(".part")]


def test_arrays_come_back_bit_for_bit(tmp_path: Path) -> None:
    path = save(tmp_path / "c.npz", ARRAYS, {})
    found = load(path).arrays
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        got = found[name]
        assert (got.dtype, got.shape) == (array.dtype, array.shape), name
        assert got.tobytes() == array.tobytes(), name
        assert got.flags.writeable, name
    assert found["fortran"].flags.f_contiguous
    with np.load(path, allow_pickle=False) as plain:  # a plain archive of NumPy's
        assert plain["f64"].tobytes() == ARRAYS["f64"].tobytes()
        assert json.loads(plain["state.json"])["format"] == "symgrad checkpoint"


def test_the_state_comes_back(tmp_path: Path) -> None:
    generator = np.random.default_rng(3)
    generator.normal(size=7)
    state = {
        "rng": generator.bit_generator.state,
        "step": 2**200,
        "best": -math.inf,
        "loss": [0.1, -0.0, 5e-324, 1.7976931348623157e308],
        "nested": {"": None, "ok": [True, False, {"a": "σ\n"}], "text": "NaN"},
    }
    found = load(save(tmp_path / "c.npz", {}, state)).state
    assert found == state
    assert list(found) == list(state)
    assert repr(found["loss"]) == repr(state["loss"])
    assert math.isnan(load(save(tmp_path / "c.npz", {}, {"x": math.nan})).state["x"])
    other = np.random.default_rng()
    other.bit_generator.state = found["rng"]
    assert other.normal() == generator.normal()


def test_any_name_is_a_name(tmp_path: Path) -> None:
    arrays = {name: np.array(k) for k, name in enumerate(NAMES)}
    path = save(tmp_path / "c.npz", arrays, {"step": 1})
    found, state = load(path)
    assert {name: int(v) for name, v in found.items()} == {n: k for k, n in enumerate(NAMES)}
    assert state == {"step": 1}
    with zipfile.ZipFile(path) as archive:
        members = archive.namelist()
    assert len(set(members)) == len(NAMES) + 1
    assert not any(c in member for member in members for c in "/\\:\0")


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    first = save(tmp_path / "a.npz", ARRAYS, {"step": 1}).read_bytes()
    assert save(tmp_path / "b.npz", ARRAYS, {"step": 1}).read_bytes() == first
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        assert all(i.date_time == (1980, 1, 1, 0, 0, 0) for i in archive.infolist())
    assert save(tmp_path / "b.npz", ARRAYS, {"step": 2}).read_bytes() != first


@pytest.mark.parametrize("value", [np.array([None]), "text", np.ma.masked_array([1.0], [True]),
                                   np.array(["a"]), [1.0, "x"], np.zeros(1, "M8[s]"),
                                   np.zeros(1, [("a", "f8")])])  # fmt: skip
def test_what_holds_no_numbers_is_refused(tmp_path: Path, value: Any) -> None:
    path = save(tmp_path / "c.npz", {}, {"step": 1})
    with pytest.raises(UsageError, match="'bad'"):
        save(path, {"bad": value}, {})
    with pytest.raises(UsageError):
        save(path, {}, {"bad": object()})
    with pytest.raises(UsageError):
        save(path, {1: np.ones(1)}, {})  # type: ignore[dict-item]
    with pytest.raises(UsageError):
        save(path, {}, [1])  # type: ignore[arg-type]
    assert load(path).state == {"step": 1}


def test_what_is_no_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not there"):
        load(tmp_path / "none.npz")
    with pytest.raises(DataError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(DataError, match="is a folder"):
        save(tmp_path, {}, {})
    path = tmp_path / "c.npz"
    for content in (b"", b"hello", b"\x93NUMPY" + b"\0" * 100, b"{}"):
        path.write_bytes(content)
        with pytest.raises(DataError, match="is no checkpoint of symgrad"):
            load(path)
    np.savez(path, X=np.ones(3))
    with pytest.raises(DataError, match=r"has no state\.json"):
        load(path)


def rewritten(path: Path, change: Callable[[str, bytes], bytes], **options: Any) -> None:
    """Write an archive again with other members' bytes."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in members.items():
            archive.writestr(name, change(name, content))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"version": 1', '"version": 2', "written by a newer symgrad: version 2; this one reads 1"),
        ('"version": 1', '"version": 0', "is version 0; this one reads 1"),
        ('"version": 1', '"version": [9]', "this one reads 1"),
        ('"symgrad checkpoint"', '"other"', "is no checkpoint"),
        ('"W.npy"', '"V.npy"', "damaged"),
        ('"W.npy"', "", "damaged"),
        ('"W.npy"', "{}", "damaged"),
        ('"step": 1', '"step": ' + "[" * 100_000, "damaged"),
        ("{", "[", "damaged"),
    ],
)
def test_another_head_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = save(tmp_path / "c.npz", {"W": np.ones(2)}, {"step": 1})
    rewritten(path, lambda name, content: content.replace(old.encode(), new.encode(), 1))
    with pytest.raises(DataError, match=said):
        load(path)


def header(shape: str, descr: str = "<f8") -> bytes:
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize(
    "content",
    [
        header("(1000000000000,)") + bytes(16),
        header("(4294967296, 4294967296)"),
        header("(-2, -1)") + bytes(16),
        header("(2,)", "|O") + b"cos\nsystem\n(S'true'\ntR.",
        header("(2,)") + bytes(15),
        header("(2,)") + bytes(17),
        header("(2,)", "<f9") + bytes(16),
        header("()" * 5000),
        b"\x93NUMPY\x09\x00",
        b"",
    ],
)
def test_a_header_that_lies_allocates_nothing(tmp_path: Path, content: bytes) -> None:
    path = save(tmp_path / "c.npz", {"W": np.ones(2)}, {})
    rewritten(path, lambda name, old: content if name == "W.npy" else old)
    with pytest.raises(DataError, match="damaged"):
        load(path)


def test_bombs_are_not_unpacked(tmp_path: Path) -> None:
    path = save(tmp_path / "c.npz", {"W": np.ones(2)}, {})
    rewritten(path, lambda name, old: old, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match="compressed, encrypted or overlap"):
        load(path)
    # members that share the same bytes declare more than the file holds
    save(path, {"A": np.ones(400), "B": np.ones(400)}, {})
    with zipfile.ZipFile(path) as archive:
        a, b = archive.getinfo("A.npy").header_offset, archive.getinfo("B.npy").header_offset
        size = archive.getinfo("A.npy").file_size
    data = path.read_bytes()
    short = data[:b] + data[b + size :]
    directory = short.index(b"PK\x01\x02")
    entry = short.index(b"B.npy", directory) - 46
    end = short.rindex(b"PK\x05\x06")
    patched = bytearray(short)
    patched[entry + 42 : entry + 46] = struct.pack("<I", a)
    patched[end + 16 : end + 20] = struct.pack("<I", directory)
    path.write_bytes(bytes(patched))
    with pytest.raises(DataError, match="compressed, encrypted or overlap"):
        load(path)


def test_damage_is_never_read_as_something_else(tmp_path: Path) -> None:
    path = save(tmp_path / "c.npz", {"W": np.arange(3.0), "b": np.ones(1, np.int8)}, {"step": 1})
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for place in range(0, len(data), 2):
        spoiled = bytearray(data)
        spoiled[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(spoiled))
        try:
            arrays, state = load(path)
        except DataError:
            continue
        # a bit that means nothing: of a date, of a field that is not used
        assert state == {"step": 1}
        assert arrays["W"].tobytes() == np.arange(3.0).tobytes()
        assert arrays["b"].tolist() == [1]
    for size in range(0, len(data), 7):
        path.write_bytes(data[:size])
        with pytest.raises(DataError):
            load(path)


def test_a_file_that_is_cut_off(tmp_path: Path) -> None:
    path = keep(tmp_path, {"W": np.ones(9)}, {})
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=r"damaged or cut off"):
        load(path)


def test_the_last_good_state_is_kept(tmp_path: Path) -> None:
    assert latest(tmp_path) is None
    keep(tmp_path, {"W": np.ones(1)}, {"step": 1})
    path = keep(tmp_path, {"W": np.zeros(1)}, {"step": 2})
    assert latest(tmp_path) == path == tmp_path / "checkpoint.npz"
    for bad in (np.nan, np.inf):
        with pytest.raises(DataError, match="'V' holds NaN or an infinity"):
            keep(tmp_path, {"W": np.ones(1), "V": np.array([1, bad])}, {"step": 3})
    assert load(path).state == {"step": 2}
    path.unlink()
    assert latest(tmp_path) is None


# -- kills and full disks --------------------------------------------------------------------------

KILLS = """
import os, random, signal, sys, time
import numpy as np
from symgrad.train.checkpoint import load, save

path = sys.argv[1]
folder = os.path.dirname(path)

def write_on(step):
    stop = time.monotonic() + 5  # if nobody kills it
    while time.monotonic() < stop:
        step += 1
        save(path, {"W": np.full(5000, float(step)), "b": np.full(9, step)}, {"step": step})
    os._exit(0)

save(path, {"W": np.zeros(5000), "b": np.zeros(9)}, {"step": 0})
step, left, advanced = 0, 0, 0
random.seed(0)
for _ in range(50):
    child = os.fork()
    if not child:
        write_on(step)
    time.sleep(random.uniform(0.0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    left += len(os.listdir(folder)) > 1
    arrays, state = load(path)
    assert (arrays["W"] == state["step"]).all() and (arrays["b"] == state["step"]).all()
    assert os.listdir(folder) == ["c.npz"], os.listdir(folder)
    assert state["step"] >= step
    advanced += state["step"] > step
    step = state["step"]
print(left, advanced)
"""


@posix
def test_fifty_kills_leave_a_whole_checkpoint(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLS, str(tmp_path / "c.npz")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    left, advanced = map(int, done.stdout.split())
    assert left > 0  # some died in the middle of writing
    assert advanced > 0


FULL = """
import sys
import numpy as np
from symgrad.errors import DataError
from symgrad.train.checkpoint import load, save

path, kind = sys.argv[1:]
save(path, {"W": np.ones(10_000)}, {"step": 1})
if kind == "limit":
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
for size in (30_000, 300_000):
    try:
        save(path, {"a": np.ones(100), "W": np.ones(size)}, {"step": 2})
    except DataError as error:
        print(error)
    else:
        print("saved")
print(load(path).state, *__import__("os").listdir(sys.argv[1].rpartition("/")[0]))
"""


def full_disk(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    said = done.stdout
    assert said.count("was not written: the disk is full") == 2, said
    assert said.count("the old file is intact") == 2, said
    assert said.endswith("{'step': 1} c.npz\n"), said


@posix
def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    full_disk(sys.executable, "-c", FULL, str(tmp_path / "c.npz"), "limit")


@posix
def test_a_full_file_system(tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o size=200k none "$1" && exec "$2" -c "$3" "$1/c.npz" mount'
    spaces = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare to mount a small file system with")
    trial = [*spaces, "sh", "-c", 'mount -t tmpfs -o size=200k none "$1"', "sh", str(tmp_path)]
    if subprocess.run(trial, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    full_disk(*spaces, "sh", "-c", mount, "sh", str(tmp_path), sys.executable, FULL)


def test_memory_is_that_of_the_arrays(tmp_path: Path) -> None:
    import tracemalloc

    array = np.ones(4 << 20)  # 32 MB
    tracemalloc.start()
    try:
        path = save(tmp_path / "c.npz", {"W": array}, {})
        written = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        found = load(path)
        read = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.arrays["W"].nbytes == array.nbytes
    assert written < array.nbytes
    assert read < 1.5 * array.nbytes

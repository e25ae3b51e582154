"""Files: one whole file whatever happens, and nothing left over."""

import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from symgrad.errors import DataError, UsageError
from symgrad.files import replace, sweep

posix = pytest.mark.skipif(os.name != "posix", reason="needs locks and limits of POSIX")

WRITER = """
import sys, time
from symgrad.files import replace
def write(file):
    file.write(b"half")
    file.flush()
    print("begun", flush=True)
    time.sleep(60)
replace(sys.argv[1], write)
"""


def stray(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.name.endswith(".part"))


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Start a process that stays in the middle of writing a.txt."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "a.txt")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        yield process
        process.kill()


def test_content_may_be_text_bytes_or_a_writer(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    assert replace(target, "σ").read_bytes() == "σ".encode()
    assert replace(target, b"\0").read_bytes() == b"\0"
    assert replace(str(target), lambda f: f.writelines([b"a", b"b"])).read_bytes() == b"ab"
    assert stray(tmp_path) == []


def test_an_exception_leaves_the_old_file(tmp_path: Path) -> None:
    target = replace(tmp_path / "a.txt", "old")

    def broken(file: object) -> None:
        raise KeyError("from the content")

    with pytest.raises(KeyError, match="from the content"):
        replace(target, broken)
    assert target.read_text() == "old"
    assert stray(tmp_path) == []


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a folder"):
        replace(tmp_path, "x")
    with pytest.raises(DataError, match="there is no folder"):
        replace(tmp_path / "none" / "a.txt", "x")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_said(tmp_path: Path, code: int) -> None:
    target = tmp_path / "a.txt"

    def full(file: object) -> None:
        raise OSError(code, os.strerror(code))

    with pytest.raises(DataError, match="the disk is full") as found:
        replace(target, full)
    assert "no file was made" in str(found.value)
    replace(target, "old")
    with pytest.raises(DataError, match="the old file is intact"):
        replace(target, full)
    assert target.read_text() == "old"


def test_other_failures_name_the_file(tmp_path: Path) -> None:
    def failing(file: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with pytest.raises(DataError, match=r"a\.txt was not written: Input/output error"):
        replace(tmp_path / "a.txt", failing)


@pytest.mark.parametrize("name", ["a b[*]?.txt", "ä" * 120, "x" * 255, "-", ".hidden"])
def test_any_name_will_do(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    left = tmp_path / f".{os.fsencode(name)[:200].decode(errors='ignore')}.{uuid4().hex}.part"
    left.write_text("of a dead writer")
    assert replace(target, "x").read_text() == "x"
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_only_temporary_files_of_the_same_target_are_removed(tmp_path: Path) -> None:
    others = [f".b.txt.{uuid4().hex}.part", ".a.txt.part", f".a.txt.{'g' * 32}.part",
              f"a.txt.{uuid4().hex}.part"]  # fmt: skip
    for name in others:
        (tmp_path / name).write_text("mine")
    replace(tmp_path / "a.txt", "x")
    sweep(tmp_path / "a.txt")
    assert stray(tmp_path) == sorted(others)
    sweep(tmp_path / "none" / "a.txt")


@posix
def test_a_living_writer_is_left_alone_and_a_dead_one_is_cleaned(
    tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    assert len(stray(tmp_path)) == 1
    replace(tmp_path / "a.txt", "other")
    sweep(tmp_path / "a.txt")
    assert len(stray(tmp_path)) == 1
    writer.kill()
    writer.wait()
    assert len(stray(tmp_path)) == 1
    sweep(tmp_path / "a.txt")
    assert stray(tmp_path) == []
    assert (tmp_path / "a.txt").read_text() == "other"


@posix
def test_an_interrupt_cleans_up(tmp_path: Path, writer: subprocess.Popen[str]) -> None:
    writer.send_signal(signal.SIGINT)
    writer.wait()
    assert list(tmp_path.iterdir()) == []


LIMITED = """
import resource, sys
from symgrad.files import replace
from symgrad.errors import DataError, UsageError
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    replace(sys.argv[1], bytes(50_000))
except DataError as error:
    print(error)
"""


@posix
def test_a_limit_on_sizes_leaves_the_old_file(tmp_path: Path) -> None:
    target = replace(tmp_path / "a.txt", "old")
    command = [sys.executable, "-c", LIMITED, str(target)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "the disk is full" in said
    assert "the old file is intact" in said
    assert target.read_text() == "old"
    assert stray(tmp_path) == []


def test_large_content_is_streamed() -> None:
    import tracemalloc

    block = bytes(1 << 20)

    def write(file: object) -> None:
        for _ in range(8):
            file.write(block)  # type: ignore[attr-defined]

    with tempfile.TemporaryDirectory() as folder:
        tracemalloc.start()
        try:
            path = replace(Path(folder) / "a.bin", write)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert path.stat().st_size == 8 << 20
        assert peak < 1 << 20


@posix
def test_a_device_or_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        replace(pipe, lambda file: file.write(b"through"))
        assert os.read(reader, 100) == b"through"
    finally:
        os.close(reader)
    assert pipe.is_fifo() and not stray(tmp_path)
    link = tmp_path / "null.txt"
    link.symlink_to(os.devnull)
    replace(link, "text")
    assert link.is_symlink()


@posix
@pytest.mark.skipif(not Path("/dev/full").is_char_device(), reason="needs a full device")
def test_a_full_device(tmp_path: Path) -> None:
    link = tmp_path / "full.txt"
    link.symlink_to("/dev/full")
    with pytest.raises(DataError, match="the disk is full"):
        replace(link, "text")
    assert link.is_symlink()


@pytest.mark.parametrize("name", ["", "a\0b", "\ud800", "a" * 300, None, 3])
def test_names_of_no_file(name: object, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        replace(tmp_path / name if isinstance(name, str) and name else name, "text")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())

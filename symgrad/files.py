"""Write files so that whatever happens one whole file is there: the old one or the new one.

The new content goes to a temporary file in the same folder, which then takes the old one's place
in one step. A writer holds a lock on its temporary file; the system drops the lock when the writer
dies, so that the next one can tell what is left over from what is being written.
"""

import errno
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from symgrad.arguments import SHOWN, called
from symgrad.errors import DataError, UsageError

locks: Any
try:
    import fcntl as locks
except ImportError:  # Windows
    locks = None

Content = bytes | str | Callable[[BinaryIO], object]
FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))
LEFT_OVER = 86400.0  # seconds, where there are no locks


def replace(target: str | os.PathLike[str], content: Content) -> Path:
    """Write beside the target, flush to disk, then move over it in one step.

    `content` is what to write, or a function that writes it into a file that is open for binary
    writing, so that large content needs no second copy in memory. Raises DataError where nothing
    could be written; an old file is intact then.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     replace(Path(folder) / "a.txt", "new").read_text()
    'new'
    """
    path = named(target)
    if not path.parent.is_dir():
        raise DataError(
            f"there is no folder {path.parent}", hint=f"make it, then write {path.name}"
        )
    if path.is_dir():
        raise DataError(f"{path} is a folder", hint="give the name of a file in it")
    try:
        if path.exists() and not path.is_file():  # a device or a pipe is written, not replaced
            with open(path, "wb") as file:
                _fill(file, content)
            return path
        sweep(path)
        _exchange(path, content)
    except OSError as error:
        raise failed(path, error) from error
    return path


def named(path: object) -> Path:
    """Give the path of a file; raise UsageError for what no file can be called.

    >>> named("a.txt").name
    'a.txt'
    """
    if not isinstance(path, str | os.PathLike):
        raise UsageError(f"a path is expected; given is {called(path)}")
    try:
        made = Path(path)
        if not os.fspath(path):
            raise ValueError
        os.lstat(made)
    except (TypeError, ValueError):
        raise UsageError(f"{str(path)[:SHOWN]!r} is no name of a file",
                         hint="a name is not empty, and holds no zero byte"
                         ) from None  # fmt: skip
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
            raise UsageError(f"{str(path)[:SHOWN]!r}… is no name of a file: {error.strerror}",
                             hint="a name has at most 255 bytes") from None  # fmt: skip
    return made


def sweep(target: str | os.PathLike[str]) -> None:
    """Remove the temporary files of writers of `target` that died; those of others stay."""
    path = Path(target)
    for part in _parts(path):
        try:
            _discard(part)
        except OSError:  # gone by now, or not ours to remove
            continue


def _exchange(path: Path, content: Content) -> None:
    part, file = _begin(path)
    try:
        with file:
            _fill(file, content)
            file.flush()
            os.fsync(file.fileno())
            if locks is not None:
                os.replace(part, path)  # still locked
        if locks is None:  # Windows moves no open file
            os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _fill(file: BinaryIO, content: Content) -> None:
    if callable(content):
        content(file)
    else:
        file.write(content.encode() if isinstance(content, str) else content)


def _begin(path: Path) -> tuple[Path, BinaryIO]:
    """Create a temporary file and lock it, before anybody could take it for left over."""
    while True:
        part = path.with_name(f"{_stem(path)}{uuid4().hex}.part")
        file = open(part, "xb")  # noqa: SIM115 (the caller closes it)
        if locks is None:
            return part, file
        try:
            locks.flock(file.fileno(), locks.LOCK_EX)
        except OSError:  # a file system without locks: nobody can take it for left over
            return part, file
        if os.fstat(file.fileno()).st_nlink:
            return part, file
        file.close()  # somebody swept between the two calls


def _stem(path: Path) -> str:
    """Begin the names of temporary files; a name has at most 255 bytes."""
    return f".{os.fsencode(path.name)[:200].decode(errors='ignore')}."


def _parts(path: Path) -> Iterator[Path]:
    pattern = re.compile(re.escape(_stem(path)) + r"[0-9a-f]{32}\.part")
    try:
        names = [name for name in os.listdir(path.parent) if pattern.fullmatch(name)]
    except OSError:
        return
    yield from (path.with_name(name) for name in sorted(names))


def _discard(part: Path) -> None:
    """Remove a temporary file whose writer is gone; raise OSError where one cannot know."""
    if locks is None:
        if time.time() - part.stat().st_mtime > LEFT_OVER:
            part.unlink(missing_ok=True)
        return
    with open(part, "r+b") as file:
        locks.flock(file.fileno(), locks.LOCK_EX | locks.LOCK_NB)
        part.unlink(missing_ok=True)  # under the lock: who has just begun the file sees it


def failed(path: Path, error: OSError, what: str = "") -> DataError:
    """Say why a file could not be written, and what is there now.

    >>> print(failed(Path("none.txt"), OSError(errno.ENOSPC, "")))
    none.txt was not written: the disk is full
    no file was made; make room, or choose another folder
    """
    old = "the old file is intact" if path.exists() else "no file was made"
    begin = f"{path} was not written" if not what else f"{what} was not written to {path}"
    if error.errno in FULL:
        or_limit = " or the file too large for it" if error.errno == errno.EFBIG else ""
        return DataError(f"{begin}: the disk is full{or_limit}",
                         hint=f"{old}; make room, or choose another folder")  # fmt: skip
    return DataError(f"{begin}: {error.strerror or error}", hint=old)

"""Checkpoints: arrays and a JSON state in one .npz file that is either the old one or the new one.

The file is a plain archive of NumPy's, uncompressed and without pickles: `numpy.load` reads the
arrays, any unzip program the member `state.json`. Names of arrays are written as in an URL, so that
no two share a member and none is a path. The same content gives the same bytes.
"""

import json
import os
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote, unquote

import numpy as np
from numpy.lib import format as npy

from symgrad.errors import DataError, UsageError
from symgrad.files import replace, sweep
from symgrad.train.log import coded, decoded

FORMAT, VERSION = "symgrad checkpoint", 1
STATE = "state.json"
LAST = "checkpoint.npz"  # what a run keeps in its folder
KINDS = "biufc"  # of numbers; an object could not be read without pickle
LONGEST_NAME = 10_000  # bytes, as it is written
LARGEST_STATE = 1 << 28  # bytes of JSON
CHUNK = 1 << 20
# What zipfile and NumPy raise for files that are damaged or made to do harm.
BROKEN = (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError,
          struct.error, KeyError, IndexError, TypeError, OverflowError, SyntaxError)  # fmt: skip


class Checkpoint(NamedTuple):
    """Hold what a file holds: arrays by name, and the state."""

    arrays: dict[str, np.ndarray]
    state: dict[str, Any]


def save(path: str | os.PathLike[str], arrays: Mapping[str, Any], state: Mapping[str, Any]) -> Path:
    """Write arrays and a state into one file, in one step: a crash leaves the old file.

    Arrays of numbers come back bit for bit, with their dtype and memory order. The state may hold
    texts, integers of any size, floats (NaN and infinities too), booleans, None, and lists and
    mappings of these; tuples come back as lists. Raises DataError where nothing could be written,
    UsageError for what a checkpoint cannot hold.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(Path(folder) / "checkpoint.npz", {"W": np.eye(2)}, {"step": 7})
    ...     arrays, state = load(path)
    >>> arrays["W"].tolist(), state
    ([[1.0, 0.0], [0.0, 1.0]], {'step': 7})
    """
    if not isinstance(state, Mapping):
        raise UsageError(f"the state maps names to values; this is a {type(state).__name__}")
    members = {_member(name): _numbers(name, value) for name, value in arrays.items()}
    head = {"format": FORMAT, "version": VERSION, "symgrad": _release(),
            "arrays": list(members), "state": coded(state)}  # fmt: skip
    text = json.dumps(head, allow_nan=False, indent=1).encode()
    if len(text) > LARGEST_STATE:
        raise UsageError(f"the state is {len(text)} bytes long; at most {LARGEST_STATE} are read",
                         hint="pass large tables of numbers as arrays")  # fmt: skip

    def write(file: BinaryIO) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(_entry(STATE), text)
            for member, array in members.items():
                with archive.open(_entry(member), "w", force_zip64=True) as stream:
                    npy.write_array(stream, array, allow_pickle=False)

    return replace(path, write)


def load(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint; raise DataError for a file that is none, is damaged, or is too new.

    Nothing in the file is run, and nothing is allocated that the file does not hold.
    """
    path = Path(path)
    sweep(path)
    if not path.is_file():
        what = "is a folder, not a file" if path.is_dir() else "is not there"
        raise DataError(f"the checkpoint {path} {what}")
    try:
        file = open(path, "rb")  # noqa: SIM115
    except OSError as error:
        raise DataError(f"the checkpoint {path} cannot be read: {error.strerror}") from None
    try:
        with file, zipfile.ZipFile(file) as archive:
            infos = _members(archive, path)
            head = _head(archive, infos, path)
            listed = [*head["arrays"], STATE]
            if sorted(listed) != sorted(infos):
                raise DataError(f"{path} is damaged: its list of arrays is not what it holds")
            arrays = {_name(m): _array(archive, infos[m]) for m in head["arrays"]}
            return Checkpoint(arrays, decoded(head["state"]))
    except MemoryError:
        raise DataError(f"{path} does not fit into memory") from None
    except BROKEN as error:
        raise _broken(path, error) from None


def keep(
    folder: str | os.PathLike[str], arrays: Mapping[str, Any], state: Mapping[str, Any]
) -> Path:
    """Write `checkpoint.npz` in a run's folder.

    Raises DataError, and leaves the file as it is, if an array holds NaN or an infinity.
    """
    for name, value in arrays.items():
        if not _finite(np.asarray(value)):
            raise DataError(f"'{name}' holds NaN or an infinity; it is not saved",
                            hint=f"{LAST} in {folder} is the last good state")  # fmt: skip
    return save(Path(folder) / LAST, arrays, state)


def latest(folder: str | os.PathLike[str]) -> Path | None:
    """Find the checkpoint from which a run in this folder resumes, None if there is none.

    >>> latest("no/such/folder") is None
    True
    """
    path = Path(folder) / LAST
    return path if path.is_file() else None


@cache
def _release() -> str:
    """Give the version of symgrad that is installed."""
    try:
        return metadata.version("symgrad")
    except metadata.PackageNotFoundError:  # run from its source
        return ""


def _member(name: str) -> str:
    """Name the member of an array: letters, digits, _ - ~ stay, all else is %XX.

    >>> _member("W1"), _member("../x"), _member("σ²")
    ('W1.npy', '%2E%2E%2Fx.npy', '%CF%83%C2%B2.npy')
    """
    if not isinstance(name, str):
        raise UsageError(f"the name of an array is a text, not {name!r}")
    member = quote(name, safe="", errors="surrogatepass").replace(".", "%2E") + ".npy"
    if len(member) > LONGEST_NAME:
        raise UsageError(f"the name '{name[:40]}…' is too long for a checkpoint")
    return member


def _name(member: str) -> str:
    """Undo `_member`; raise ValueError for what it never gives."""
    name = unquote(member.removesuffix(".npy"), errors="surrogatepass")
    if _member(name) != member:
        raise ValueError(f"a member {member[:80]!r}")
    return name


def _numbers(name: str, value: Any) -> np.ndarray:
    if isinstance(value, np.ma.MaskedArray):
        raise UsageError(f"'{name}' is a masked array; a checkpoint would lose its mask")
    array = np.asarray(value)
    if array.dtype.kind not in KINDS:
        raise UsageError(f"'{name}' has the dtype {array.dtype}; a checkpoint holds numbers",
                         hint="texts and None belong into the state")  # fmt: skip
    return array


def _finite(array: np.ndarray) -> bool:
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def _entry(member: str) -> zipfile.ZipInfo:
    """Describe a member, without the moment and the machine."""
    info = zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, 0o644 << 16
    return info


def _members(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """List the members; raise DataError where they declare more than the file can hold."""
    infos = archive.infolist()
    found = {info.filename: info for info in infos}
    if STATE not in found:
        raise DataError(f"{path} is no checkpoint: it has no {STATE}",
                        hint="a file of arrays is data: see --data")  # fmt: skip
    plain = all(i.compress_type == zipfile.ZIP_STORED and not i.flag_bits & 1 for i in infos)
    declared = sum(max(i.file_size, i.compress_size) for i in infos)
    if not plain or len(found) != len(infos) or declared > path.stat().st_size:
        raise DataError(f"{path} is not as symgrad writes it: its members are compressed, encrypted"
                        " or overlap; it is not read")  # fmt: skip
    if found[STATE].file_size > LARGEST_STATE:
        raise DataError(f"the state in {path} is longer than {LARGEST_STATE} bytes")
    return found


def _head(archive: zipfile.ZipFile, infos: dict[str, zipfile.ZipInfo], path: Path) -> Any:
    try:
        head = json.loads(archive.read(infos[STATE]))
    except RecursionError:
        raise ValueError("a state that is nested too deeply") from None
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise DataError(f"{path} is no checkpoint: {STATE} does not say '{FORMAT}'")
    version = head.get("version")
    if version != VERSION:
        newer = isinstance(version, int) and version > VERSION
        by = "written by a newer symgrad: " if newer else ""
        raise DataError(f"{path} is {by}version {str(version)[:40]}; this one reads {VERSION}",
                        hint=f"it comes from symgrad {str(head.get('symgrad'))[:40]}")  # fmt: skip
    if not isinstance(head["state"], dict) or not all(isinstance(m, str) for m in head["arrays"]):
        raise ValueError("a head of another form")
    return head


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """Read an array into memory of its own size, which its header must declare rightly."""
    with archive.open(info) as stream:
        readers: dict[tuple[int, int], Callable[..., tuple[Any, bool, np.dtype]]] = {
            (1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}  # fmt: skip
        shape, fortran, dtype = readers[npy.read_magic(stream)](stream)
        if dtype.kind not in KINDS:
            raise ValueError(f"an array of {dtype}")
        count = 1
        for size in shape:  # integers of Python's: they do not wrap round
            count *= size
        if any(size < 0 for size in shape) or count * dtype.itemsize != (
            info.file_size - stream.tell()
        ):
            raise ValueError(f"an array of {shape} that is not as long")
        data = np.empty(count, dtype)
        rest = data.view(np.uint8).data
        for piece in _pieces(stream):
            rest[: len(piece)] = piece
            rest = rest[len(piece) :]
        return data.reshape(shape, order="F" if fortran else "C")


def _pieces(stream: Any) -> Iterator[bytes]:
    """Read to the end, where the checksum is compared."""
    while piece := stream.read(CHUNK):
        yield piece


def _broken(path: Path, error: Exception) -> DataError:
    with open(path, "rb") as file:
        begin = file.read(4)
    if begin != b"PK\x03\x04":
        return DataError(f"{path} is no checkpoint of symgrad")
    return DataError(f"the checkpoint {path} is damaged or cut off: {str(error)[:120]}",
                     hint="copy it again from where it comes")  # fmt: skip

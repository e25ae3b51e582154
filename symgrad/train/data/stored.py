"""Arrays in NumPy's files: .npz archives, .npy files, folders of them. Nothing is unpickled."""

import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from symgrad.errors import DataError, LimitError
from symgrad.train.data.arrays import Array

LIMIT = 2**31  # bytes that the arrays of an archive take once they are unpacked
FAULTS = (zipfile.BadZipFile, zlib.error, ValueError, OSError, EOFError, KeyError,
          NotImplementedError, RuntimeError)  # fmt: skip


def archive(path: Path, limit: int | None = None) -> dict[str, Array]:
    """Read all arrays of an .npz file; what they unpack to is checked before it is unpacked."""
    limit = LIMIT if limit is None else limit
    found: dict[str, Array] = {}
    try:
        with zipfile.ZipFile(path) as file:
            entries = [e for e in file.infolist() if e.filename.endswith(".npy")]
            total = sum(e.file_size for e in entries)
            if total > limit:
                raise LimitError(f"{path} unpacks to {total} bytes, more than {limit}",
                                 hint="save larger arrays as .npy files in a folder: they are "
                                 "read batch by batch")  # fmt: skip
            for entry in entries:
                name = entry.filename.removesuffix(".npy")
                if name in found:
                    raise DataError(f"{path} holds '{name}' twice", hint="np.savez writes it once")
                with file.open(entry) as content:
                    _header(f"{path}: '{name}'", content, entry.file_size)
                with file.open(entry) as content:
                    found[name] = npy.read_array(content, allow_pickle=False)
    except FAULTS as error:
        raise DataError(f"{path} cannot be read as an .npz file: {error}") from None
    if not found:
        raise DataError(f"{path} has no arrays", hint="np.savez(path, X=X, y=y) writes one")
    return found


def _header(what: str, file: IO[bytes], size: int) -> None:
    """Raise DataError unless an array's header agrees with the bytes that follow it."""
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0), (3, 0)):
        raise ValueError(f"format {version} is not known")
    reader: Any = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = reader(file)
    if dtype.hasobject:
        raise DataError(f"{what} holds Python objects, which are not unpickled",
                        hint="save numbers or texts:  a.astype(float), a.astype(str)")  # fmt: skip
    count = 1
    for n in shape:
        count *= int(n)
    if count < 0 or count * dtype.itemsize > size:
        raise ValueError(f"{what} is cut short: {shape} entries of {dtype} are announced")


def single(path: Path) -> Array:
    """Map an .npy file into memory, for reading."""
    try:
        with open(path, "rb") as file:
            _header(str(path), file, path.stat().st_size)
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FAULTS as error:
        raise DataError(f"{path} cannot be read as an .npy file: {error}") from None
    if array.dtype.names is not None:
        raise DataError(f"{path} holds records with the fields {', '.join(array.dtype.names)}",
                        hint="save the fields one by one, as .npy files in a folder")  # fmt: skip
    return array


def folder(path: Path) -> dict[str, Array]:
    """Map every .npy file of a folder into memory, by its name."""
    files = sorted(p for p in path.iterdir() if p.suffix.lower() == ".npy")
    if not files:
        raise DataError(f"the folder {path} has no .npy files",
                        hint="np.save(folder / 'X.npy', X) writes one")  # fmt: skip
    return {p.stem: single(p) for p in files}

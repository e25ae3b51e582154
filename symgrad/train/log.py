"""The log of a run: a file of JSON lines, one record a line, that survives a kill and a resume.

Numbers are exact: Python reads the same float back. JSON has no NaN and no infinity, so these are
the strings "NaN", "Infinity" and "-Infinity" (`float` of Python and `Number` of JavaScript read
them); a text that could be mistaken for one of them gets the prefix "text:".
"""

import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from symgrad.errors import DataError, UsageError
from symgrad.files import failed, replace

NAMES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
MEANT = re.compile(r"NaN|-?Infinity|int:.*|text:.*", re.DOTALL)  # texts that need the prefix
LONGEST = 1000  # bits of an integer that is written in digits: Python reads at most 4300 digits


def coded(value: Any) -> Any:
    """Turn a value into what JSON can hold; NumPy's numbers and arrays become Python's.

    Raises UsageError for anything that would not come back: other objects, keys that are no text.

    >>> coded({"loss": float("inf"), "note": "NaN", "steps": (1, 2)})
    {'loss': 'Infinity', 'note': 'text:NaN', 'steps': [1, 2]}
    """
    try:
        return _coded(value)
    except RecursionError:
        raise UsageError("the state is nested too deeply, or holds itself") from None


def _coded(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic) and not isinstance(value, np.longdouble):
        value = value.tolist()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return f"text:{value}" if MEANT.fullmatch(value) else str(value)
    if isinstance(value, int):
        return int(value) if value.bit_length() <= LONGEST else f"int:{value:x}"
    if isinstance(value, float):
        if math.isfinite(value):
            return float(value)
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, list | tuple):
        return [_coded(v) for v in value]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise UsageError(f"the key {key!r} is no text; JSON would not keep what it is")
        return {str(k): _coded(v) for k, v in value.items()}
    raise UsageError(f"a {type(value).__name__} cannot be written as JSON",
                     hint="write numbers, texts, lists, and mappings from texts")  # fmt: skip


def decoded(value: Any) -> Any:
    """Undo `coded`.

    >>> decoded(coded([float("-inf"), "text:", 10**400])) == [float("-inf"), "text:", 10**400]
    True
    """
    if isinstance(value, str):
        if value.startswith("int:"):
            return int(value[4:], 16)
        return NAMES[value] if value in NAMES else value.removeprefix("text:")
    if isinstance(value, list):
        return [decoded(v) for v in value]
    if isinstance(value, dict):
        return {k: decoded(v) for k, v in value.items()}
    return value


class Log:
    """Append records to a file of JSON lines, read them, and drop those that a resume repeats.

    The file is made by the first record. What a killed process left of its last line is cut off
    before the next record is written, and skipped in reading.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Log(Path(folder) / "log.jsonl")
    ...     for step in range(5):
    ...         log.append({"step": step, "loss": 1/(step + 1)})
    ...     log.rewind(lambda record: record["step"] < 3)
    ...     [record["step"] for record in Log(log.path).records()]
    [0, 1, 2]
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._sound = False  # until the last line has been looked at

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; raise DataError where it cannot be, and leave no part of a line."""
        if not isinstance(record, Mapping):
            raise UsageError(f"a record maps names to values; this is a {type(record).__name__}")
        line = _line(record)
        try:
            self._repair()
            with open(self.path, "ab", buffering=0) as file:
                before = file.seek(0, os.SEEK_END)
                try:
                    _whole(file, line)
                except OSError:
                    file.truncate(before)
                    raise
        except OSError as error:
            self._sound = False
            raise failed(self.path, error, "a record") from error

    def records(self) -> list[dict[str, Any]]:
        """Read all records; raise DataError for a line that is none (a torn last one is skipped).

        A log that is not there yet has no records.
        """
        return [record for _, record in self._lines()]

    def rewind(self, keep: Callable[[dict[str, Any]], bool]) -> None:
        """Drop the records for which `keep` is false, in one step; the others stay byte for byte.

        A run that resumes from step 300 keeps the records up to there, and goes on.
        """
        if not self.path.exists():
            return
        kept = [line for line, record in self._lines() if keep(record)]
        replace(self.path, lambda file: file.writelines(kept))
        self._sound = True

    def _lines(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        try:
            file = open(self.path, "rb")  # noqa: SIM115
        except FileNotFoundError:
            return
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error.strerror}") from None
        with file:
            for number, line in enumerate(file, 1):
                record = _read(line)
                if record is not None:
                    yield line if line.endswith(b"\n") else line + b"\n", record
                elif line.endswith(b"\n"):
                    raise DataError(f"line {number} of {self.path} is no record",
                                    hint="it is not a log, or somebody edited it; "
                                    "choose another file, or delete that line")  # fmt: skip

    def _repair(self) -> None:
        """Cut off a torn last line; end a whole one that lacks only its end."""
        if self._sound or not self.path.exists():
            self._sound = True
            return
        with open(self.path, "r+b") as file:
            start = _last_line(file)
            file.seek(start)
            rest = file.read()
            if rest:
                whole = _read(rest) is not None
                file.write(b"\n") if whole else file.truncate(start)
        self._sound = True


def _line(record: Mapping[str, Any]) -> bytes:
    # ASCII only: a line separator of Unicode in a text is no end of a line
    return json.dumps(coded(record), allow_nan=False).encode() + b"\n"


def _read(line: bytes) -> dict[str, Any] | None:
    """Read a line, None where it is no record."""
    try:
        found = json.loads(line)
        return decoded(found) if isinstance(found, dict) else None
    except (ValueError, RecursionError):
        return None


def _whole(file: Any, line: bytes) -> None:
    """Write all of a line; a disk that is nearly full takes only a part."""
    rest = memoryview(line)
    while rest:
        rest = rest[file.write(rest) :]


def _last_line(file: BinaryIO, block: int = 1 << 16) -> int:
    """Find where the text after the last end of a line begins."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - block)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0

"""What the command line reads: programs, abstract functions, numbers and arrays."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgrad.errors import DataError, UsageError

if TYPE_CHECKING:
    from symgrad.graph import Graph

MAX_BYTES = 64 * 1024 * 1024
MAX_ARRAYS = 256 * 1024 * 1024  # bytes of an .npz file once it is unpacked


def read_source(source: str) -> str:
    """Give the program that SOURCE means: a text, a .sg file, or standard input."""
    if source == "-":
        return sys.stdin.read(MAX_BYTES)
    if source.endswith(".sg") and "\n" not in source:
        path = Path(source)
        if not path.is_file():
            raise DataError(f"there is no file {source}")
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{source} is larger than {MAX_BYTES} bytes")
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"{source} is not UTF-8 text: {error.reason}") from None
    return source


def read_program(arguments: argparse.Namespace) -> "str | Graph":
    """Give the program of a command: a text, or a graph where --functions binds functions."""
    from symgrad import api
    from symgrad.parse.given import arrays_at

    text = read_source(arguments.source)
    functions: dict[str, str] = {}
    for item in arguments.functions or ():
        name, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"--functions takes NAME=OPERATOR, not {item[:80]!r}")
        functions[name.strip()] = value
    at = read_values(getattr(arguments, "at", None)) or {}
    return api.parse(text, arrays_at(text, at), functions) if functions else text


def read_values(items: Sequence[str] | None) -> dict[str, Any] | None:
    """Read --at: NAME=NUMBER, NAME=[JSON list], NAME=FILE.npy, or an .npz file.

    >>> read_values(["x=-2", "W=[[1, 2], [3, 4]]"])
    {'x': -2.0, 'W': [[1, 2], [3, 4]]}
    """
    if items is None:
        return None
    found: dict[str, Any] = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals and item.endswith(".npz"):
            found.update(_load(item))
        elif not equals:
            raise UsageError(f"--at takes NAME=VALUE, not {item[:80]!r}")
        else:
            found[name.strip()] = _value(name, text.strip())
    return found


def read_numbers(option: str, items: Sequence[str] | None) -> dict[str, int | float]:
    """Read NAME=NUMBER, such as --set takes; a whole number becomes an integer.

    >>> read_numbers("--set", ["H=64", "lam=1e-4"])
    {'H': 64, 'lam': 0.0001}
    """
    found: dict[str, int | float] = {}
    for item in items or ():
        name, _, text = item.partition("=")
        try:
            number = float(text)
        except ValueError:
            raise UsageError(f"{option} takes NAME=NUMBER, not {item[:80]!r}") from None
        found[name.strip()] = int(number) if number.is_integer() else number
    return found


def _value(name: str, text: str) -> Any:
    if text.endswith(".npy"):
        return _load(text)
    try:
        return float(text)
    except ValueError:
        pass
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list):
        raise DataError(f"the value of '{name}' is neither a number nor a list: {text[:80]!r}")
    return value


def _load(path: str) -> Any:
    from symgrad.train.data import stored

    if path.endswith(".npz"):
        return stored.archive(Path(path), MAX_ARRAYS)
    return stored.single(Path(path))


def shielded(argv: Sequence[str]) -> list[str]:
    """Let an expression begin with a minus: argparse takes `-t/p` for an option, ` -t/p` not."""
    found = list(argv)
    for k, text in enumerate(found):
        asked = found[k - 1] == "--check-equal" or found[0] == "equal"
        if k and asked and text.startswith("-") and not text.startswith("--") and text != "-":
            found[k] = f" {text}"
    return found

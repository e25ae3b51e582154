"""What the command line reads: programs, abstract functions, numbers and arrays."""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import isfinite, isinf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgrad.errors import DataError, UsageError
from symgrad.files import named

if TYPE_CHECKING:
    from symgrad.graph import Graph

MAX_BYTES = 64 * 1024 * 1024
OTHERS = (".txt", ".py", ".md", ".png", ".pdf", ".json", ".tex", ".svg", ".ipynb", ".csv")
DIGITS = 300  # of a whole number; longer ones are read as floats
MAX_ARRAYS = 256 * 1024 * 1024  # bytes of an .npz file once it is unpacked


def read_source(source: str) -> str:
    """Give the program that SOURCE means: a text, a .sg file, or standard input."""
    from symgrad.parse.characters import decoded

    if source == "-":
        raw = getattr(sys.stdin, "buffer", None)
        return (
            sys.stdin.read(MAX_BYTES) if raw is None else decoded(raw.read(MAX_BYTES), "the input")
        )
    if source.endswith(".sg") and "\n" not in source:
        path = named(source)
        if not path.is_file():
            raise DataError(f"there is no file {source}",
                            hint="it is a folder" if path.is_dir() else "")  # fmt: skip
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{source} is larger than {MAX_BYTES} bytes")
        return decoded(path.read_bytes(), source)
    if source.endswith(OTHERS) and Path(source).is_file():
        raise DataError(f"{source} is a file; files of programs end in .sg",
                        hint=f"rename it, or pass it on:  symgrad derive - < {source}")  # fmt: skip
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
        _once("--functions", functions, [name.strip()])
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
            given = _load(item)
        elif not equals:
            raise UsageError(f"--at takes NAME=VALUE, not {item[:80]!r}")
        else:
            given = {name.strip(): _value(name.strip(), text.strip())}
        _once("--at", found, given)
        found.update(given)
    return found


def _once(option: str, found: Mapping[str, Any], given: Iterable[str]) -> None:
    """Refuse what an option has given already: the last one would win without a word."""
    for name in given:
        if name in found:
            raise UsageError(f"{option} gives '{name[:80]}' twice", hint="leave one of them out")


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
            if not isfinite(number):
                raise ValueError
        except ValueError:
            raise UsageError(f"{option} takes NAME=NUMBER, not {item[:80]!r}") from None
        _once(option, found, [name.strip()])
        found[name.strip()] = int(number) if number.is_integer() else number
    return found


def _value(name: str, text: str) -> Any:
    if text.endswith(".npy"):
        return _load(text)
    read = partial(_number, name)
    try:
        return read(text)
    except ValueError:
        pass
    # JSON wants digits on both sides of a point; people write .5 and 2.
    whole = re.sub(r"(?<![\w.])\.(?=\d)", "0.", re.sub(r"(?<=\d)\.(?![\d.])", ".0", text))
    try:
        value = json.loads(whole, parse_float=read, parse_int=partial(_whole, name))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list):
        raise DataError(f"the value of '{name}' is neither a number nor a list: {text[:80]!r}")
    return value


def _number(name: str, text: str) -> float:
    """Read a number; one that is typed with digits has to be one of float64."""
    number = float(text)
    if isinf(number) and "inf" not in text.lower():
        raise DataError(f"the value of '{name}', {text[:20]}{'…' * (len(text) > 20)}, is beyond "
                        "the range of float64, which ends at 1.8e308",
                        hint="infinity is typed  inf")  # fmt: skip
    return number


def _whole(name: str, text: str) -> int | float:
    return int(text) if len(text) <= DIGITS else _number(name, text)


def _load(path: str) -> Any:
    from symgrad.train.data import stored

    if not named(path).is_file():
        raise DataError(f"there is no file {path}")
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

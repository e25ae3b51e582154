"""What is let through at once is that in which a closer look finds nothing either."""

import random

import pytest

from symgrad.errors import SymgradError
from symgrad.parse import clashes, limits

PIECES = (
    "in", "is", "5", "0x", "f", "or", "and", "v1", " ", "\n", "_", "a", "=", "+", "(", ")",
    "[", "]", "{", "'", '"', "\t", "\x0c", "\r", "e5", "9", "#", "for", "not", "if", "else", "3if",
    "0xfor", "\x00", "\x7f", "\x1f", "\\",
)  # fmt: skip


def said(text: str) -> str:
    """Give the message of a refusal, or nothing."""
    try:
        limits.scan(text)
    except SymgradError as error:
        return str(error)
    return ""


def texts() -> list[str]:
    """List short random texts, and long words, each of the length that is allowed or one more."""
    chance = random.Random(5)
    found = ["".join(chance.choices(PIECES, k=chance.randint(1, 9))) for _ in range(6000)]
    most = limits.MAX_TOKEN
    for length in (most - 1, most, most + 1):
        found += ["a" * length, "x = " + "a" * length, "1" + "." * length, "1" + "a" * length]
        found.append("a" * (length - 1) + "\n" + "a" * 9)
    deep = limits.MAX_DEPTH
    found += ["(" * k + "x" + ")" * k for k in (deep - 1, deep, deep + 1)]
    return found + [before + chr(k) + "+1" for k in range(128) for before in ("", "x", "x = 2")]


def test_what_is_let_through_at_once_is_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = texts()
    quick = [said(text) for text in asked]
    monkeypatch.setattr(limits, "_usual", lambda text: False)
    assert quick == [said(text) for text in asked]
    assert 1000 < sum(map(bool, quick)) < len(quick) - 1000


NAMES = (
    "x", "X", "lam", "lamda", "lambda_1", "a", "x1", "x_1", "x_hat", "x\u0302", "λ", "Χ", "w_", "_",
    "eps2", "epsilon2", "e1", "α", "alpha", "o", "ο", "h10_3",
)  # fmt: skip


def test_names_that_are_usual_do_not_print_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(1)
    listed = [chance.choices(NAMES, k=chance.randint(0, 5)) for _ in range(4000)]
    quick = [clashes.alike(names) for names in listed]
    monkeypatch.setattr(clashes, "_usual", lambda names: False)
    assert quick == [clashes.alike(names) for names in listed]
    assert clashes.alike(["lam", "lamda"]) and clashes.alike(["eps2", "epsilon2"])

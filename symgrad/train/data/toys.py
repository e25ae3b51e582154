"""Small data sets made on the spot, for demonstrations; the seed decides them to the last bit.

A set is written as its name, or with a number of rows and settings: spirals(300, noise=0.1).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from symgrad.errors import UsageError, near
from symgrad.train.data.arrays import Array

Generator = np.random.Generator
Made = tuple[Array, Array]
MAX_ROWS = 10_000_000


@dataclass(frozen=True, slots=True)
class Toy:
    """Hold how a set is made, how many rows it has unless told, and its other settings."""

    make: Callable[..., Made]
    rows: int = 400
    settings: dict[str, float] = field(default_factory=dict)


def _xor(rng: Generator, rows: int, noise: float) -> Made:
    """Put points at the corners (±1, ±1); the class says whether the signs differ."""
    k = np.arange(rows) % 4
    corners = np.stack([k // 2, k % 2], axis=1) * 2.0 - 1.0
    return corners + noise * rng.standard_normal((rows, 2)), (k // 2 != k % 2).astype(np.int64)


def _circle(rng: Generator, rows: int, noise: float) -> Made:
    """Put class 1 within a disc of radius 1, class 0 on the ring around it."""
    inside = np.arange(rows) % 2
    radius = np.where(inside, np.sqrt(rng.uniform(0, 0.8, rows)), rng.uniform(1.3, 1.9, rows))
    angle = rng.uniform(0, 2 * np.pi, rows)
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + noise * rng.standard_normal((rows, 2)), inside.astype(np.int64)


def _spirals(rng: Generator, rows: int, noise: float, arms: float) -> Made:
    """Wind the arms around the origin, one class each, one and a half turns."""
    arm = np.arange(rows) % int(arms)
    along = np.sqrt(rng.uniform(0.01, 1, rows))
    angle = 2 * np.pi * (1.5 * along + arm / int(arms))
    points = 2 * along[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + noise * rng.standard_normal((rows, 2)), arm.astype(np.int64)


def _moons(rng: Generator, rows: int, noise: float) -> Made:
    """Interleave two half circles."""
    lower = np.arange(rows) % 2
    angle = rng.uniform(0, np.pi, rows)
    x = np.where(lower, 1 - np.cos(angle), np.cos(angle)) - 0.5
    y = np.where(lower, 0.5 - np.sin(angle), np.sin(angle)) - 0.25
    points = np.stack([x, y], axis=1)
    return points + noise * rng.standard_normal((rows, 2)), lower.astype(np.int64)


def _sine(rng: Generator, rows: int, noise: float) -> Made:
    """Sample one variable over a period and a half of a sine."""
    x = np.sort(rng.uniform(-1, 1, rows))
    return x[:, None], np.sin(1.5 * np.pi * x) + noise * rng.standard_normal(rows)


def _noise(rng: Generator, rows: int, columns: float, classes: float) -> Made:
    """Draw features and labels that have nothing to do with each other."""
    points = rng.standard_normal((rows, int(columns)))
    return points, rng.permutation(np.arange(rows) % int(classes))


TOYS = {
    "xor": Toy(_xor, settings={"noise": 0.2}),
    "circle": Toy(_circle, settings={"noise": 0.05}),
    "spirals": Toy(_spirals, settings={"noise": 0.05, "arms": 2}),
    "moons": Toy(_moons, settings={"noise": 0.1}),
    "sine": Toy(_sine, rows=200, settings={"noise": 0.1}),
    "noise": Toy(_noise, settings={"columns": 2, "classes": 2}),
}
TEXT = re.compile(r"\s*([a-z_]+)\s*(?:\(([^()]*)\))?\s*")


def make(text: str, seed: int = 0) -> tuple[Array, Array, str] | None:
    """Make the set that a text names: features, target and a note; None if it names none.

    >>> X, y, note = make("xor(4, noise=0)")
    >>> X.tolist(), y.tolist(), note
    ([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]], [0, 1, 1, 0], 'xor: 4 rows, seed 0')
    """
    found = TEXT.fullmatch(text[:200])
    if found is None or found[1] not in TOYS:
        return None
    name, toy = found[1], TOYS[found[1]]
    rows, settings = toy.rows, dict(toy.settings)
    for k, word in enumerate(w for w in (found[2] or "").split(",") if w.strip()):
        key, equals, value = (part.strip() for part in word.partition("="))
        if (not equals and k == 0) or key == "rows":
            rows = int(_checked(name, "rows", value if equals else key, whole=True))
        elif key in settings:
            settings[key] = _checked(name, key, value, whole=key != "noise")
        else:
            known = ("rows", *settings)
            raise UsageError(f"{word.strip()[:40]!r} is no setting of {name}", hint=near(key, known)
                             + f"{name} has {', '.join(known)}")  # fmt: skip
    X, y = toy.make(np.random.default_rng(seed), rows, **settings)
    return X, y, f"{name}: {rows} rows, seed {seed}"


def _checked(name: str, key: str, text: str, whole: bool) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    least = 1 if key == "columns" else 2 if whole else 0
    if not isfinite(value) or value < least or value > MAX_ROWS or (whole and value != int(value)):
        kind = f"a whole number from {least} to {MAX_ROWS:,}" if whole else "a number from 0"
        raise UsageError(f"{key}={text[:20]!r} of {name}: {kind} is expected")
    return value

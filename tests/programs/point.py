"""Numbers for a program's inputs: ordinary ones, or those at which arithmetic breaks."""

from typing import Any

import numpy as np

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -3.0, 6.0, 1e-8, -1e-8, 1e-3, 20.0, -20.0, 40.0,
           -40.0, 100.0, -100.0, 745.0, -745.0, 1e4, -1e4, 1e-160, 1e-300, -1e-300)  # fmt: skip


def place(program: Any, seed: int | None = None, special: bool = False) -> dict[str, Any]:
    """Draw a value of its kind for every input of a program."""
    rng = np.random.default_rng(program.seed if seed is None else seed)
    found = {}
    for name, (kind, dims) in program.inputs.items():
        shape = tuple(program.sizes.get(d, d) for d in dims)
        found[name] = _value(kind, shape, rng, special)
    return found


def _value(kind: str, shape: tuple[int, ...], rng: np.random.Generator, special: bool) -> Any:
    if kind in ("label", "labels"):
        return rng.integers(0, shape[-1], shape[:-1])[()]
    if kind == "onehot":
        return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]
    if kind == "simplex":
        weights = rng.uniform(0.2, 1, shape)
        return weights / weights.sum(axis=-1, keepdims=True)
    if kind in ("sign", "binary"):
        return rng.choice([-1.0, 1.0] if kind == "sign" else [0.0, 1.0], shape)[()]
    value = rng.uniform(-1.5, 1.5, shape)
    if special:
        odd = rng.choice(SPECIAL, shape)
        value = np.where(rng.random(shape) < 0.6, odd, value)
    if kind == "positive":
        return (np.abs(value) + 0.1)[()]
    if kind == "symmetric":
        return (value + value.T) / 2
    return value[()]

"""Functions of one long vector: elementwise, Rosenbrock's valley, Speelpenning's product."""

from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, normal

ELEM_TEXT = """
x: param[N]
a: param;  b: param
loss = sum(softplus(a*x) * tanh(b*x) + silu(x) * exp(-x**2))
"""

ROSEN_TEXT = """
x: param[N]
loss = sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)
"""

SPEEL_TEXT = """
x: param[N]
y = prod(x)
"""


def elem_inputs(rng: np.random.Generator, n: int = 1_000_000) -> Values:
    return {"x": normal(rng, n), "a": 1.3, "b": 0.7}


def elem(x: Any, a: float, b: float) -> Answer:
    z = a * x
    rise = np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))  # softplus(a x)
    slope = 1 / (1 + np.exp(-z))  # its derivative
    t = np.tanh(b * x)
    s = 1 / (1 + np.exp(-x))
    bell = np.exp(-x * x)
    swish = x * s
    loss = (rise * t + swish * bell).sum()
    dz, db = slope * t, rise * (1 - t * t)
    dx = a * dz + b * db + bell * (s + swish * (1 - s) - 2 * x * swish)
    return loss, {"x": dx, "a": (dz * x).sum(), "b": (db * x).sum()}


def elem_loss(k: Any, v: Any) -> Any:
    np_ = k.np
    first = k.softplus(v.a * v.x) * np_.tanh(v.b * v.x)
    return np_.sum(first + k.silu(v.x) * np_.exp(-v.x * v.x))


def rosen_inputs(rng: np.random.Generator, n: int = 100_000) -> Values:
    return {"x": normal(rng, n)}


def rosen(x: Any) -> Answer:
    a = x[:-1]
    r = x[1:] - a * a
    q = 1 - a
    g = np.zeros_like(x)
    g[:-1] = -400 * a * r - 2 * q
    g[1:] += 200 * r
    return (100 * r * r + q * q).sum(), {"x": g}


def rosen_loss(k: Any, v: Any) -> Any:
    x = v.x
    return k.np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def speel_inputs(rng: np.random.Generator, n: int = 10_000) -> Values:
    return {"x": 1 + normal(rng, n, scale=0.01)}


def speel(x: Any) -> Answer:
    y = x.prod()
    if y != 0:
        return y, {"x": y / x}
    before, behind = np.ones_like(x), np.ones_like(x)
    np.cumprod(x[:-1], out=before[1:])
    behind[:-1] = np.cumprod(x[:0:-1])[::-1]
    return y, {"x": before * behind}


def speel_loss(k: Any, v: Any) -> Any:
    return k.np.prod(v.x)


ELEM = Workload(
    name="elem",
    text=ELEM_TEXT,
    inputs=elem_inputs,
    by_hand=elem,
    loss=elem_loss,
    wrt=("x", "a", "b"),
    small={"n": 40},
)
ROSEN = Workload(
    name="rosen",
    text=ROSEN_TEXT,
    inputs=rosen_inputs,
    by_hand=rosen,
    loss=rosen_loss,
    wrt=("x",),
    small={"n": 30},
)
SPEEL = Workload(
    name="speel",
    text=SPEEL_TEXT,
    inputs=speel_inputs,
    by_hand=speel,
    loss=speel_loss,
    wrt=("x",),
    small={"n": 20},
)

"""The sigmoid neuron and (x + y) z: a handful of numbers, where the call itself is what costs."""

import math
from typing import Any

import numpy as np

from workloads.workload import Answer, Values, Workload, example


def neuron_inputs(rng: np.random.Generator) -> Values:
    return {"w0": 2.0, "x0": -1.0, "w1": -3.0, "x1": -2.0, "w2": -3.0}


def neuron(w0: float, x0: float, w1: float, x1: float, w2: float) -> Answer:
    f = 1 / (1 + math.exp(-(w0 * x0 + w1 * x1 + w2)))
    d = f * (1 - f)
    return f, {"w0": d * x0, "x0": d * w0, "w1": d * x1, "x1": d * w1, "w2": d}


def neuron_loss(k: Any, v: Any) -> Any:
    return k.sigmoid(v.w0 * v.x0 + v.w1 * v.x1 + v.w2)


def xyz_inputs(rng: np.random.Generator) -> Values:
    return {"x": -2.0, "y": 5.0, "z": -4.0}


def xyz(x: float, y: float, z: float) -> Answer:
    q = x + y
    return q * z, {"x": z, "y": z, "z": q}


def xyz_loss(k: Any, v: Any) -> Any:
    return (v.x + v.y) * v.z


NEURON = Workload(
    name="neuron",
    text=example("01_neuron.sg"),
    inputs=neuron_inputs,
    by_hand=neuron,
    loss=neuron_loss,
    wrt=("w0", "x0", "w1", "x1", "w2"),
    scalar=True,
)
XYZ = Workload(
    name="xyz",
    text=example("02_xyz.sg"),
    inputs=xyz_inputs,
    by_hand=xyz,
    loss=xyz_loss,
    wrt=("x", "y", "z"),
    scalar=True,
)

"""Normalisation and dropout: one line each, in the language itself.

Batch normalisation in training takes mean and variance over the batch, the first axis; in test
mode both are given: `batch_norm(x, gamma, beta, mean, var)`.
"""

from typing import Any

from symgrad.ops.spec import register
from symgrad.shapes import broadcast

EPS: dict[str, Any] = {"params": {"eps": 1e-5}, "needs": ("0 <= eps < 1",)}


def _spread(given: Any, params: Any, bind: Any) -> Any:
    return broadcast(given, bind)


# fmt: off
register("batch_norm", 3, shape=_spread, **EPS, operands=("x", "gamma", "beta", "mean", "var"), defaults=(1, 0), formula="b*((a - mean(a, 0, True))/sqrt(var(a, 0, True) + tiny(eps))) + c",
         typed="b*((a - d)/sqrt(e + tiny(eps))) + c", glyph=r"\mathrm{BN}",
         doc="Standardise over the batch (with mean and var given: by these), then scale and shift.", source="Ioffe and Szegedy 2015")
register("layer_norm", 3, shape=_spread, **EPS, operands=("x", "gamma", "beta"), defaults=(1, 0), formula="b*((a - mean(a, -1, True))/sqrt(var(a, -1, True) + tiny(eps))) + c",
         glyph=r"\mathrm{LN}", doc="Standardise each row, then scale and shift.", source="Ba et al. 2016")
register("rms_norm", 2, shape=_spread, **EPS, operands=("x", "gamma"), defaults=(1,), formula="b*(a/sqrt(mean(a**2, -1, True) + tiny(eps)))",
         glyph=r"\mathrm{RMS}", doc="Divide each row by its root mean square, then scale.", source="Zhang and Sennrich 2019")
register("dropout", 2, params={"p": 0.5}, shape=_spread, needs=("0 <= p < 1", "b == 0 or b == 1"), operands=("x", "mask"), formula="a*b/kept(p)", glyph=r"\mathrm{drop}",
         doc="Inverted dropout: x times a mask of 0 and 1, over the share 1 - p that is kept; nothing in test mode.", source="Srivastava et al. 2014")
# fmt: on

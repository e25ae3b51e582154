"""Losses: one line each. `a` is the prediction (probability, score, margin), `b` the target.

`target(a, b)` is the entry of `a` at the target, for labels and for one-hot or soft targets
alike; `rest(a, b)` is 1 off the target. Every loss takes reduction="mean", "sum" or "none".
"""

from typing import Any

from symgrad.ops.spec import Op, register


def loss(name: str, formula: str, arity: int = 2, **fields: Any) -> Op:
    """Add a loss by the formula of one element (of one row, where it reduces the last axis)."""
    fields.setdefault("aliases", ())
    fields["aliases"] += (f"{name}_loss",)
    fields.setdefault("shape", _per_element)
    params = {"reduction": "mean"}
    return register(name, arity, formula=formula, reduction=True, params=params, **fields)


def _finish(shape: Any, params: Any) -> Any:
    return shape if params["reduction"] == "none" else ()


def _per_element(given: Any, params: Any, bind: Any) -> Any:
    from symgrad.shapes import broadcast

    return _finish(broadcast(given, bind), params)


def _per_row(given: Any, params: Any, bind: Any) -> Any:
    """Scores (…, C) against labels (…) or targets (…, C)."""
    from symgrad.errors import ShapeError
    from symgrad.shapes import broadcast, text

    scores, target = given[0], given[1]
    if not scores:
        raise ShapeError("the scores need an axis of classes, they are a scalar")
    if len(target) == len(scores):
        return _finish(broadcast([scores, target], bind)[:-1], params)
    if len(target) + 1 != len(scores):
        raise ShapeError(f"targets of shape {text(target)} do not fit scores {text(scores)}")
    return _finish(broadcast([scores[:-1], target], bind), params)


# fmt: off
loss("mse",    "(a - b)**2",  glyph=r"\mathrm{MSE}", doc="Squared error, mean over all elements.", source="Gauss 1809")
loss("l1",     "abs(a - b)",  glyph=r"\mathrm{L1}",  aliases=("mae",), kinks="a = b: derivative 0", doc="Absolute error.", source="Laplace 1774")
loss("huber",  "where(abs(a - b) <= c, (a - b)**2/2, c*(abs(a - b) - c/2))", 3, operands=("p", "t", "delta"), defaults=(1,),
     glyph=r"\mathrm{Huber}", doc="Squared near 0, absolute beyond c.", source="Huber 1964")
loss("smooth_l1", "where(abs(a - b) < c, (a - b)**2/(2*c), abs(a - b) - c/2)", 3, operands=("p", "t", "beta"), defaults=(1,),
     glyph=r"\mathrm{L1s}", doc="Huber's loss over c: slope 1 outside.", source="Girshick 2015")
loss("bce",    "-(b*log(a) + (1 - b)*log(1 - a))", glyph=r"\mathrm{BCE}", domain="0 < a < 1", aliases=("binary_cross_entropy",),
     doc="Binary cross-entropy of a probability; never clamped.", source="Bernoulli likelihood")
loss("bce_with_logits", "b*softplus(-a) + (1 - b)*softplus(a)", glyph=r"\mathrm{BCE}\sigma",
     doc="Binary cross-entropy of a logit.", source="Bernoulli likelihood of a sigmoid")
loss("cross_entropy", "-target(log_softmax(a), b)", shape=_per_row, glyph=r"\mathrm{CE}", operands=("S", "y"),
     doc="Cross-entropy of scores against labels or one-hot or soft targets; mean over the batch.", source="categorical likelihood of a softmax")
loss("nll",    "-target(a, b)", shape=_per_row, glyph=r"\mathrm{NLL}", operands=("logp", "y"),
     doc="Negative log-likelihood of log-probabilities.", source="categorical likelihood")
loss("hinge",  "maximum(1 - b*a, 0)", glyph=r"\mathrm{hinge}", operands=("s", "y"), kinks="y s = 1: derivative 0",
     doc="Binary hinge for labels -1 and 1.", source="Cortes and Vapnik 1995")
loss("soft_margin", "softplus(-b*a)", glyph=r"\mathrm{logistic}", operands=("s", "y"), doc="Logistic loss for labels -1 and 1.", source="logistic regression")
loss("squared_margin", "(1 - b*a)**2", glyph=r"\mathrm{sq}", operands=("s", "y"), doc="Squared loss on the margin.", source="least squares classifier")
loss("svm",    "sum(where(rest(a, b), maximum(a - unsqueeze(target(a, b), 1) + c, 0), 0), -1)", 3, shape=_per_row,
     operands=("S", "y", "delta"), defaults=(1,), glyph=r"\mathrm{hinge}", kinks="at the margin: derivative 0",
     doc="Multi-class hinge: sum over the other classes, mean over the batch.", source="Weston and Watkins 1999")
# fmt: on

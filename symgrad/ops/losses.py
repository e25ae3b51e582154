"""Losses: one line each. `a` is the prediction (probability, score, margin), `b` the target.

`target(a, b)` is the entry of `a` at the target, for labels and for one-hot or soft targets
alike; `rest(a, b)` is 1 off the target. Every loss takes reduction="mean", "sum" or "none".
"""

from typing import Any

from symgrad.ops.spec import Op, register


def loss(name: str, formula: str, arity: int = 2, **fields: Any) -> Op:
    """Add a loss by the formula of one element (of one row, where it reduces the last axis)."""
    fields.setdefault("aliases", ())
    fields["aliases"] += tuple(f"{n}_loss" for n in (name, *fields["aliases"]))
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
    from symgrad.shapes import text

    scores, target = given[0], given[1]
    if not scores:
        raise ShapeError("the scores need an axis of classes, they are a scalar",
                         hint="for example  s: real[C]  or  s: real[N, C]")  # fmt: skip
    if len(target) == len(scores):
        return _finish(_rows(scores, target, bind)[:-1], params)
    if len(target) + 1 != len(scores):
        raise ShapeError(f"targets of shape {text(target)} do not fit scores {text(scores)}",
                         hint="labels have one axis fewer than the scores, one-hot or soft "
                         "targets have their shape")  # fmt: skip
    return _finish(_rows(scores[:-1], target, bind), params)


def _rows(scores: Any, target: Any, bind: Any) -> Any:
    from symgrad.errors import ShapeError
    from symgrad.shapes import broadcast

    try:
        return broadcast([scores, target], bind)
    except ShapeError as error:
        error.hint = "one label, or one row of targets, for each row of scores"
        raise


def _scored(given: Any, params: Any, bind: Any) -> Any:
    """Scores (…, C) against labels or one-hot rows, or margins against signs of the same shape."""
    if len(given[1]) < len(given[0]):
        return _per_row(given, params, bind)
    return _per_element(given, params, bind)


def _last_dropped(given: Any, params: Any, bind: Any) -> Any:
    from symgrad.errors import ShapeError
    from symgrad.shapes import broadcast

    full = broadcast(given, bind)
    if not full:
        raise ShapeError("vectors are expected, not numbers", hint="for example  a: real[N]")
    return full[:-1]


SIGN = ("b == 1 or b == -1",)
# fmt: off
loss("mse",    "(a - b)**2",  glyph=r"\mathrm{MSE}", doc="Squared error, mean over all elements.", source="Gauss 1809")
loss("l1",     "abs(a - b)",  glyph=r"\mathrm{L1}",  aliases=("mae",), kinks="a = b: derivative 0", doc="Absolute error.", source="Laplace 1774")
loss("huber",  "where(abs(a - b) <= c, (a - b)**2/2, c*(abs(a - b) - c/2))", 3, operands=("p", "t", "delta"), defaults=(1,), needs=("0 < c < inf",),
     glyph=r"\mathrm{Huber}", doc="Squared near 0, absolute beyond c.", source="Huber 1964")
loss("smooth_l1", "where(abs(a - b) < c, (a - b)**2/(2*c), abs(a - b) - c/2)", 3, operands=("p", "t", "beta"), defaults=(1,), needs=("0 < c < inf",),
     glyph=r"\mathrm{L1s}", doc="Huber's loss over c: slope 1 outside.", source="Girshick 2015")
loss("bce",    "-(b*log(a) + (1 - b)*log(1 - a))", glyph=r"\mathrm{BCE}", domain="0 < a < 1", aliases=("binary_cross_entropy",), needs=("0 <= b <= 1",),
     doc="Binary cross-entropy of a probability; never clamped.", source="Bernoulli likelihood")
loss("bce_with_logits", "b*softplus(-a) + (1 - b)*softplus(a)", needs=("0 <= b <= 1",), glyph=r"\mathrm{BCE}\sigma",
     aliases=("binary_cross_entropy_with_logits",),
     doc="Binary cross-entropy of a logit.", source="Bernoulli likelihood of a sigmoid")
loss("cross_entropy", "-target(log_softmax(a), b)", shape=_per_row, glyph=r"\mathrm{CE}", operands=("S", "y"),
     doc="Cross-entropy of scores against labels or one-hot or soft targets; mean over the batch.", source="categorical likelihood of a softmax")
loss("nll",    "-target(a, b)", shape=_per_row, glyph=r"\mathrm{NLL}", operands=("logp", "y"),
     doc="Negative log-likelihood of log-probabilities.", source="categorical likelihood")
loss("hinge",  "maximum(1 - b*a, 0)", needs=SIGN, glyph=r"\mathrm{hinge}", operands=("s", "y"), kinks="y s = 1: derivative 0",
     doc="Binary hinge for labels -1 and 1.", source="Cortes and Vapnik 1995")
loss("soft_margin", "softplus(-b*a)", needs=SIGN, glyph=r"\mathrm{logistic}", operands=("s", "y"), doc="Logistic loss for labels -1 and 1.", source="logistic regression")
loss("squared_margin", "(1 - b*a)**2", needs=SIGN, glyph=r"\mathrm{sq}", operands=("s", "y"), doc="Squared loss on the margin.", source="least squares classifier")
loss("svm",    "sum(where(rest(a, b), maximum(a - unsqueeze(target(a, b), 1) + c, 0), 0), -1)", 3, shape=_per_row,
     operands=("S", "y", "delta"), defaults=(1,), needs=("0 <= c < inf",), glyph=r"\mathrm{hinge}", kinks="at the margin: derivative 0",
     doc="Multi-class hinge: sum over the other classes, mean over the batch.", source="Weston and Watkins 1999")
loss("multi_margin", "sum(where(rest(a, b), maximum(a - unsqueeze(target(a, b), 1) + c, 0), 0), -1)/size(a, -1)", 3, shape=_per_row,
     operands=("S", "y", "margin"), defaults=(1,), needs=("0 <= c < inf",), glyph=r"\mathrm{hinge}", kinks="at the margin: derivative 0",
     doc="Multi-class hinge divided by the number of classes, as PyTorch has it; svm is the lectures'.", source="PyTorch; Crammer and Singer 2001")
loss("multilabel_hinge", "sum(maximum(1 - b*a, 0), -1)", shape=_per_row, operands=("F", "Y"), glyph=r"\mathrm{hinge}", kinks="y f = 1: derivative 0",
     doc="Binary hinges of all labels (-1 and 1), summed; mean over the batch.", source="Zhang and Zhou 2014")
loss("multilabel_soft_margin", "sum(b*softplus(-a) + (1 - b)*softplus(a), -1)", shape=_per_row, operands=("Z", "T"), glyph=r"\mathrm{BCE}\sigma",
     doc="Binary cross-entropies of all labels (0 and 1) from logits, summed; mean over the batch.", source="Zhang and Zhou 2014")
loss("kl_div", "sum(b*log(b) - b*a, -1)", shape=_per_row, operands=("logq", "p"), glyph=r"\mathrm{KL}",
     doc="Divergence of p from a distribution given by its logarithm; mean over the batch.", source="Kullback and Leibler 1951")
loss("zero_one", "wrong(a, b)", shape=_scored, operands=("S", "y"), zero=True, glyph=r"0/1",
     warning="zero_one counts mistakes: its gradient is zero almost everywhere; train on cross_entropy or a hinge",
     doc="Share of mistakes: the largest score is not the target's, or y s < 0 for signs y.", source="classification error")
INFORMATION: dict[str, Any] = {"params": {"base": None}, "shape": "scalar"}
register("entropy", formula="-sum(a*logto(a, base))", operands=("p",), aliases=("entropy_loss",), glyph="H", domain="a >= 0", range="[0, inf)", **INFORMATION,
         doc="Entropy of a distribution, in nats or with base=2 in bits; 0 log 0 = 0.", source="Shannon 1948")
register("cross_entropy_of", 2, formula="-sum(a*logto(b, base))", operands=("p", "q"), aliases=("cross_entropy_of_loss",), glyph="H", domain="a >= 0", **INFORMATION,
         doc="Cross-entropy H(p, q) of two distributions; 0 log 0 = 0.", source="Shannon 1948")
register("kl", 2, formula="sum(a*logto(a/b, base))", operands=("p", "q"), aliases=("kl_loss",), glyph=r"\mathrm{KL}", domain="a >= 0", **INFORMATION,
         doc="Divergence KL(p || q) of two distributions; 0 log 0 = 0.", source="Kullback and Leibler 1951")
register("cosine_similarity", 2, formula="over(sum(a*b, -1), norm(a, -1)*norm(b, -1))", operands=("a", "b"), shape=_last_dropped,
         vjp=("unsqueeze(g, 1)*(over(b, norm(a, -1, True)*norm(b, -1, True)) - unsqueeze(y, 1)*over(a, norm(a, -1, True)**2))",
              "unsqueeze(g, 1)*(over(a, norm(a, -1, True)*norm(b, -1, True)) - unsqueeze(y, 1)*over(b, norm(b, -1, True)**2))"), aliases=("cosine_similarity_loss",),
         glyph=r"\cos", range="[-1, 1]", kinks="a zero vector: value and derivative 0", doc="Cosine of the angle between vectors along the last axis.", source="linear algebra")
# fmt: on

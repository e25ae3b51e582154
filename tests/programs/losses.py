"""Losses with predictions and targets of the kinds that they ask for."""

from collections.abc import Callable
from typing import Any

from symgrad.ops import OPS

NUMBERS = ("delta", "beta", "margin")


def _simplex(e: Any, shape: Any, depth: int) -> str:
    if e.choose(3) == 2:
        return str(e.w.of_kind("simplex", shape))
    return f"softmax({e.text(shape, depth)})"


def _binary(e: Any, shape: Any) -> str:
    if e.choose(3) == 2:
        return f"({e.atom(shape)} > 0)"
    return str(e.w.of_kind("binary", shape))


def _sign(e: Any, shape: Any) -> str:
    return str(e.w.of_kind("sign", shape))


def _scores(e: Any, shape: Any) -> str:
    """Labels, or rows that sum to 1."""
    kind = e.choose(3)
    if kind == 0:
        return str(e.w.of_kind("labels" if len(shape) == 2 else "label", shape))
    return str(e.w.of_kind("onehot", shape)) if kind == 1 else _simplex(e, shape, 0)


# What a loss compares, by its name where its row does not say it: prediction, target.
TARGETS: dict[str, tuple[str, Callable[..., str]]] = {
    "bce": ("sigmoid({})", _binary), "bce_with_logits": ("{}", _binary),
    "cross_entropy": ("{}", _scores), "nll": ("log_softmax({})", _scores),
    "hinge": ("{}", _sign), "soft_margin": ("{}", _sign), "squared_margin": ("{}", _sign),
    "multilabel_hinge": ("{}", _sign), "multilabel_soft_margin": ("{}", _binary),
    "kl_div": ("log_softmax({})", lambda e, s: _simplex(e, s, 0)),
    "svm": ("{}", lambda e, s: e.w.of_kind("labels", s)),
    "multi_margin": ("{}", lambda e, s: e.w.of_kind("labels", s)),
    "zero_one": ("{}", lambda e, s: e.w.of_kind("labels", s)),
}  # fmt: skip
BY_ROW = ("cross_entropy", "nll", "kl_div", "svm", "multi_margin", "multilabel_hinge",
          "multilabel_soft_margin", "zero_one")  # fmt: skip


def _make(name: str) -> Callable[..., str]:
    row = OPS[name]
    prediction, target = TARGETS.get(name, ("{}", lambda e, s: e.mate(s)))

    def write(e: Any, shape: Any, depth: int, reduction: str = "") -> str:
        if name in BY_ROW and reduction == "none":
            shape = (*shape, "C")
        parts = [prediction.format(e.text(shape, depth)), target(e, shape)]
        if row.operands and row.operands[-1] in NUMBERS and e.choose(2):
            parts.append(e.pick(("0.5", "1", "2")))
        if not reduction and e.choose(2):
            reduction = e.pick(("mean", "sum"))
        if reduction:
            parts.append(f"reduction={reduction!r}")
        return f"{e.pick((name, *row.aliases))}({', '.join(parts)})"

    return write


def _fits(name: str) -> Callable[[Any], bool]:
    if name == "zero_one" or name in BY_ROW:
        return lambda shape: len(shape) == 1
    return lambda shape: True


LOSSES = {r.name: (_fits(r.name), _make(r.name)) for r in OPS.values() if r.reduction}


def scalar_loss(e: Any, depth: int) -> str:
    """Write a loss that is a number."""
    others = ("entropy", "cross_entropy_of", "kl", "cosine_similarity")
    name = e.pick((*LOSSES, *others))
    if name in LOSSES:
        whole = (("N", "C"),) if name in BY_ROW else (("N",), ("N", "D"), ("N", "D", "C"))
        if name in ("cross_entropy", "nll"):
            whole = (("N", "C"), ("C",))
        return LOSSES[name][1](e, e.pick(whole), depth)
    if name == "cosine_similarity":
        return f"cosine_similarity({e.text(('D',), depth)}, {e.atom(('D',))})"
    shape = e.pick((("C",), ("N", "C")))
    parts = [_simplex(e, shape, depth)]
    if name != "entropy":
        if e.choose(3) == 2:  # hard targets: 0 log 0
            parts = [e.w.of_kind("onehot", shape)]
        parts.append(f"softmax({e.text(shape, 0)})")
    return f"{name}({', '.join([*parts, *e.pick(((), ('base=2',), ('base=10',)))])})"

"""Say which rule of differentiation a line of the chain rule has used."""

from functools import lru_cache

from symgrad.autodiff import sweep
from symgrad.formula import plain
from symgrad.formula.stepping.stages import ONE, Use
from symgrad.graph import topological
from symgrad.ops import OPS, leaf, make
from symgrad.ops.spec import typed_name
from symgrad.rewrite import simplify


def why(uses: list[Use]) -> str:
    """Say what the chain rule has multiplied and added."""
    if all(u.upstream is ONE for u in uses):
        what = "the output's own derivative"
    else:
        what = "upstream × local" + (", uses added up" if len(uses) > 1 else "")
    laws = dict.fromkeys(law(u.through.op) for u in uses if u.through is not None)
    return "; ".join([what, *filter(None, laws)])


@lru_cache(maxsize=512)
def law(op: str) -> str:
    """Write an operator's own derivative: σ′ = σ(1 − σ)."""
    row = OPS[op]
    if row.arity != 1 or row.shape != "elementwise" or row.params or op == "neg" or row.zero:
        return ""
    a = leaf("a")
    node = make(op, a)
    shown = plain.write(node, {})
    called = shown.removesuffix("(a)")
    adjoint = sweep(node, [a]).total[a]
    if called == shown:
        slope = simplify([adjoint])[adjoint]
        return f"d {shown}/da = {plain.write(slope, {})}"
    slope = simplify([adjoint], [node])[adjoint]
    if any(n.dtype == "bool" for n in topological([slope])):  # ReLU'(a) = 1[a > 0]
        slope = simplify([adjoint])[adjoint]
        return f"{called}′(a) = {plain.write(slope, {})}"
    return f"{called if called != op else typed_name(op)}′ = {plain.write(slope, {node: called})}"

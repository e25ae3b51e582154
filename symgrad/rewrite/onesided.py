"""The smaller of a multiple and its clipped multiple, r A and clip(r, lo, hi) A: policy gradients.

Where both are the same, between the bounds, the slope is taken from r A; elsewhere the clipped one
has none in r. Where an infinite r meets A = 0, which is no number, the clipped one is 0.
"""

from symgrad.graph import Node
from symgrad.ops import make

TURNED = {"minimum": "maximum", "maximum": "minimum"}
OTHER = {"minimum": "fmin", "maximum": "fmax"}  # the other one where one is NaN


def beside_clipped(node: Node) -> Node | None:
    """Write min(r A, clip(r, lo, hi) A) with a clipped r that derivatives take for a constant.

    >>> from symgrad.ops import const, leaf
    >>> r, a = leaf("r"), leaf("A")
    >>> bounded = make("mul", make("clip", r, const(0.8), const(1.2)), a)
    >>> beside_clipped(make("minimum", make("mul", r, a), bounded)).op
    'fmin'
    """
    if all(a.op == "neg" for a in node.args):
        turned = beside_clipped(make(TURNED[node.op], *(a.args[0] for a in node.args)))
        return None if turned is None else make("neg", turned)
    for plain, bounded in (node.args, node.args[::-1]):
        if plain.op != "mul" or bounded.op != "mul":
            continue
        for clip, factor in (bounded.args, bounded.args[::-1]):
            r = clip.args[0] if clip.op == "clip" else factor
            if r is not factor and r in plain.args and factor in plain.args:
                still = make("mul", make("clip", make("held", r), *clip.args[1:]), factor)
                return make(OTHER[node.op], plain, still)
    return None

"""Signs of products, from those of their factors: constants to derivatives."""

from symgrad.graph import Node, leaves
from symgrad.ops import const, count, make, value_of
from symgrad.rewrite.exponents import zero_or_one
from symgrad.rewrite.tidy import fit
from symgrad.shapes import axes_of

DEEP = 12  # factors that are looked at


def a_sign(node: Node) -> bool:
    """Say whether a value is -1, 0 or 1."""
    if node.op in ("prod", "pow", "broadcast", "as_is"):
        return a_sign(node.args[0]) or value_of(node.args[0]) == -1
    return node.op == "sign" or (node.op in ("mul", "div") and all(map(a_sign, node.args)))


def sign_of(node: Node) -> Node:
    """Write the sign of a value; a product of signs is its own."""
    return node if a_sign(node) else make("sign", node)


def signs_over_axes(sign: Node, like: Node) -> Node:
    """Multiply signs as `like` does its entries: what is the same along an axis has a power."""
    (x,) = like.args
    odd = _negative(sign)
    if odd is not None:
        return make("as_is", make("pow", const(-1), make("sum", fit(odd, x.shape), **like.attrs)))
    missing = len(x.shape) - len(sign.shape)
    if like.attrs["keepdims"] or sign.shape != x.shape[missing:]:
        return make("prod", fit(sign, x.shape), **like.attrs)
    axes = axes_of(like.attrs["axis"], len(x.shape))
    own = tuple(a - missing for a in axes if a >= missing)
    if own:
        sign = make("prod", sign, axis=own if len(own) > 1 else own[0], keepdims=False)
    rest = tuple(a for a in axes if a < missing)
    return make("pow", sign, count(x.shape, rest)) if rest else sign


def _negative(sign: Node) -> Node | None:
    """Count the factors below 0 of a product of powers with the exponents 0 or 1."""
    total: Node | None = None
    for power in leaves(sign, lambda n: n.args if n.op == "mul" else (), DEEP):
        if power.op != "pow" or power.args[0].op != "sign" or not _bit(power.args[1]):
            return None
        (base,), bit = power.args[0].args, power.args[1]
        count = make("mul", bit, make("lt", base, const(0)))
        total = count if total is None else make("add", total, count)
    return total


def _bit(exponent: Node) -> bool:
    """Say whether an array holds zeros and ones, also spread along an axis."""
    if exponent.op == "sub" and value_of(exponent.args[0]) == 1:
        return _bit(exponent.args[1])
    if exponent.op in ("expand", "broadcast", "transpose", "reshape"):
        return _bit(exponent.args[0])
    return zero_or_one(exponent)

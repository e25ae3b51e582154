"""What is known of a value's sign, whatever the inputs: squares, roots, declared facts."""

from functools import lru_cache

from symgrad.graph import Node
from symgrad.ops import OPS, value_of
from symgrad.rewrite.tidy import printed

DEPTH = 8  # operators that are looked through
UNKNOWN, NONNEGATIVE, POSITIVE = range(3)
SQUARES = ("square", "abs", "relu", "norm", "var", "std", "exp", "exp2", "sigmoid", "softplus",
           "softmax", "hypot", "exp_less", "gaussian", "normal_cdf", "normal_pdf")  # fmt: skip
MOVED = ("broadcast", "expand", "transpose", "reshape", "slice", "take", "pick", "part")
SAME = (*MOVED, "sum", "mean", "amax", "amin", "sqrt", "prod")
SHARES = ("sigmoid", "softmax", "normal_cdf", "gaussian", "eye")
FACTS = {"positive": POSITIVE, "simplex": NONNEGATIVE, "binary": NONNEGATIVE, "onehot": NONNEGATIVE}


def positive(node: Node) -> bool:
    """Say whether a value is above 0 for all finite inputs; exp(a) may vanish in floats.

    >>> from symgrad.ops import const, leaf, make
    >>> x = leaf("x"); square = make("mul", x, x)
    >>> positive(make("sqrt", make("add", square, const(1)))), positive(square)
    (True, False)
    """
    return _sign(node, DEPTH) == POSITIVE


def nonnegative(node: Node) -> bool:
    """Say whether a value is at least 0 for all finite inputs."""
    return _sign(node, DEPTH) != UNKNOWN


def clear_of_zero(node: Node, depth: int = DEPTH) -> bool:
    """Say whether a value is above 0 by a number that is written, as 1 + x²: floats keep it there.

    >>> from symgrad.ops import const, leaf, make
    >>> x = leaf("x"); square = make("mul", x, x)
    >>> clear_of_zero(make("add", const(1), square)), clear_of_zero(make("cosh", x))
    (True, True)
    """
    number = value_of(node)
    if number is not None:
        return number > 0
    if node.op in ("dim", "cosh") or not depth or not node.args:
        return node.op in ("dim", "cosh")
    if node.op == "add":
        a, b = node.args
        return any(clear_of_zero(x, depth - 1) and nonnegative(y) for x, y in ((a, b), (b, a)))
    if node.op in ("mul", "maximum", "hypot"):
        found = [clear_of_zero(a, depth - 1) for a in node.args]
        return all(found) if node.op == "mul" else any(found)
    return node.op in (*MOVED, "sqrt") and clear_of_zero(node.args[0], depth - 1)


def unguarded(node: Node, operand: Node) -> bool:
    """Say whether a node needs no guard against an operand of 0, which costs a pass over an array.

    In code a guard of a number stays: it is cheap, and terms that are joined without it may be
    0 times infinity at the ends of the range.
    """
    return (bool(node.shape) or printed()) and positive(operand)


def _share(node: Node) -> bool:
    """Say whether a value is at most 1: a probability, a condition, a declared label."""
    if node.op == "input":
        return node.attrs["kind"] in ("simplex", "binary", "onehot")
    return node.dtype == "bool" or node.op in SHARES


@lru_cache(maxsize=4096)
def _sign(node: Node, depth: int) -> int:
    number = value_of(node)
    if number is not None:
        return POSITIVE if number > 0 else NONNEGATIVE if number == 0 else UNKNOWN
    if node.op in ("dim", "cosh", "counted") or node.dtype == "bool":
        return POSITIVE if node.dtype != "bool" else NONNEGATIVE
    if node.op == "input":
        return FACTS.get(node.attrs["kind"], UNKNOWN)
    if not depth or not node.args:
        return UNKNOWN
    signs = [_sign(a, depth - 1) for a in node.args]
    if node.op in SAME:
        return signs[0]
    row = OPS.get(node.op)  # an entry of an index form has none
    if node.op in SQUARES or (row is not None and row.range.startswith(("[0", "(0"))):
        return POSITIVE if node.op == "hypot" and POSITIVE in signs else NONNEGATIVE
    if node.op in ("add", "maximum"):
        return max(signs) if UNKNOWN not in signs or node.op == "maximum" else UNKNOWN
    if node.op in ("mul", "div", "minimum", "matmul", "outer"):
        same = node.op == "mul" and node.args[0] is node.args[1]
        return max(min(signs), NONNEGATIVE if same else UNKNOWN)
    if node.op == "where":
        return min(signs[1:])
    if node.op == "pow":
        even = (value_of(node.args[1]) or 1) % 2 == 0
        return max(signs[0], NONNEGATIVE if even else UNKNOWN)
    if node.op == "sub":
        least = value_of(node.args[0]) or 0
        return NONNEGATIVE if least >= 1 and _share(node.args[1]) else UNKNOWN
    return UNKNOWN

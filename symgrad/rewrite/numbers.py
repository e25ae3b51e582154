"""Make nodes of numbers again over other operands, without asking for shapes that are known."""

from collections.abc import Iterable, Mapping
from typing import Any

from symgrad.graph import Node, intern
from symgrad.ops import OPS, make


def made(op: str, args: tuple[Node, ...], attrs: Mapping[str, Any]) -> Node:
    """Make a node, as `ops.make` does.

    >>> from symgrad.ops import leaf
    >>> made("add", (leaf("x"), leaf("y")), {}) is make("add", leaf("x"), leaf("y"))
    True
    """
    for a in args:
        if a.shape:
            return make(op, *args, **attrs)
    row = OPS.get(op)
    known = row is not None and row.shape == "elementwise" and row.arity == len(args)
    if row is None or not known or row.params or row.dtype == "join":
        return make(op, *args, **attrs)
    return intern(op, args, dtype=row.dtype)


def remade(node: Node, args: tuple[Node, ...]) -> Node:
    """Make a node again over other operands; the node itself if they are the same.

    >>> from symgrad.ops import leaf
    >>> y = make("neg", leaf("x"))
    >>> remade(y, y.args) is y
    True
    """
    return node if args == node.args else made(node.op, args, node.attrs)


QUIET = ("input", "const", "sin", "cos", "tanh", "sqrt", "abs", "arctan", "pow", "div")


def quiet(op: str, below: tuple[str, ...]) -> bool:
    """Say of plain arithmetic with numbers that recognition looks for no such thing.

    `below` are the operators of the operands: a product of sines is no entropy and no softmax.

    >>> quiet("mul", ("sin", "input")), quiet("mul", ("log", "input"))
    (True, False)
    >>> quiet("add", ("sub", "input")), quiet("add", ("sub", "const"))  # 1 - p + 1e-7
    (True, False)
    """
    if "const" in below and (below[-1] == "div" if op == "sub" else op == "add" and _sum(below)):
        return False  # what is left of 1
    others = [name for name in below if name not in QUIET]
    if op == "mul":
        return others in ([], ["mul"]) and below.count("pow") + len(others) < 2
    sums = _sum(others)
    return op in ("add", "sub") and sums < 2 and others.count("mul") + sums == len(others)


def _sum(ops: Iterable[str]) -> int:
    """Count sums and differences."""
    return sum(op in ("add", "sub") for op in ops)

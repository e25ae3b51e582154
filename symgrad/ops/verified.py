"""Check nodes that come from elsewhere: is each what its row makes of its operands?"""

import keyword

from symgrad import dims
from symgrad.errors import ShapeError, UsageError
from symgrad.graph import Node
from symgrad.ops.spec import KINDS, OPS, make


def _verify_leaf(node: Node) -> None:
    attrs = dict(node.attrs)
    if node.op == "const":
        value = attrs.get("value")
        good = type(value) in (int, float) and set(attrs) == {"value"} and node.shape == ()
    else:
        name = attrs.get("name")
        good = isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)
        good = good and not str(name).startswith("__")
        if node.op == "input":
            good = good and attrs.get("kind") in KINDS and set(attrs) <= {"name", "kind", "classes"}
        classes = attrs.get("classes", 1)
        good = good and (isinstance(classes, int) or str(classes).isidentifier())
    if not good or node.args:
        raise UsageError(f"not an input or a number: {str(attrs)[:80]}")


def _verify_function(node: Node) -> None:
    name, order = node.attrs.get("name"), node.attrs.get("order", 0)
    if not (isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)):
        raise UsageError(f"not the name of a function: {str(name)[:80]!r}")
    if type(order) is not int or order < 0:
        raise UsageError(f"not the order of a derivative: {str(order)[:80]!r}")


def verify(order: tuple[Node, ...]) -> None:
    """Raise ShapeError or UsageError unless every node is what its row makes of its operands."""
    for node in order:
        if not isinstance(node.shape, tuple) or not all(map(dims.proper, node.shape)):
            raise ShapeError(f"not a shape: {str(node.shape)[:80]}")
        if node.op in ("input", "const", "dim"):
            _verify_leaf(node)
            continue
        if node.op not in OPS:
            raise UsageError(f"unknown operator '{node.op}'")
        if node.op == "apply":
            _verify_function(node)
        if make(node.op, *node.args, **dict(node.attrs)) is not node:
            raise ShapeError(f"the node {node!r} is not what its operands make")

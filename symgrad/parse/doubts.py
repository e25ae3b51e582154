"""What is read as it stands, and probably means something else: warnings with the line."""

import warnings
from typing import TYPE_CHECKING

from symgrad import shapes
from symgrad.errors import SymgradWarning
from symgrad.graph import Node
from symgrad.ops import value_of

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader, Tree
    from symgrad.parse.text import Program

PAIRS = ("add", "sub", "mul", "div", "mse", "l1", "hinge", "bce")


def say(reader: "Reader", tree: "Tree", message: str) -> None:
    """Warn of something on a line."""
    warnings.warn(f"line {reader.span(tree).line}: {message}", SymgradWarning, stacklevel=2)


def doubt(reader: "Reader", tree: "Tree", op: str, nodes: tuple[Node, ...]) -> None:
    """Warn of a node that was just made, if it is seldom what is meant."""
    if len(nodes) < 2 or reader.index:
        return  # an index says what is meant
    if op in PAIRS:
        _column(reader, tree, nodes)
    elif op == "pow" and value_of(nodes[1]) == -1 and not reader.trusted:
        _inverse(reader, tree, nodes[0])


def _column(reader: "Reader", tree: "Tree", nodes: tuple[Node, ...]) -> None:
    """Point at (N, 1) against (N,), the most frequent silent mistake."""
    if any(n.op == "expand" for n in nodes):
        return  # [:, None] typed out
    a, b = nodes[0].shape, nodes[1].shape
    if len(a) + len(b) == 3 and a and b:
        tall, flat = (a, b) if len(a) == 2 else (b, a)
        if tall == (flat[0], 1) and flat[0] != 1:
            say(reader, tree, f"shapes {shapes.text(a)} and {shapes.text(b)} broadcast to "
                f"{shapes.text((flat[0], flat[0]))}; write [:, 0] or [:, None] to say what is "
                "meant")  # fmt: skip


def _inverse(reader: "Reader", tree: "Tree", base: Node) -> None:
    """Point at A**-1 of a square matrix, which is not its inverse."""
    if len(base.shape) != 2 or base.shape[0] != base.shape[1] or base.shape == (1, 1):
        return
    typed = reader.quoted(tree)
    name = typed.partition("**")[0].strip()
    name = name if name.isidentifier() else "A"
    say(reader, tree, f"{typed} takes the reciprocal of each entry of a matrix "
        f"{shapes.text(base.shape)}; write inv({name}) for the inverse, 1/{name} for the "
        "reciprocals")  # fmt: skip


def hidden_sizes(program: "Program") -> None:
    """Warn of a number that is called as a dimension is: outside of brackets it hides the size.

    H = sigmoid(X @ W) beside W: param[D, H] is usual, N = 3 beside x: data[N] is seldom meant.
    """
    for name in program.dims:
        node = program.variables.get(name)
        if node is None or node.shape or not (node.op == "const" or name in program.declared):
            continue
        line = program.assigned.get(name)
        if line is None:
            line = program.span(program.declared[name][2]).line
        typed = f"{name} = {value_of(node):g}" if node.op == "const" else f"the input {name}"
        warnings.warn(
            f"line {line}: {typed} is not the dimension {name}: outside of brackets {name} is that "
            "number, not the size; leave it out, or give it another name",
            SymgradWarning, stacklevel=2,
        )  # fmt: skip

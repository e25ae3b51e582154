"""What a law is: it rewrites one node, and has a name, also for reading it backwards."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from symgrad.formula import latex, plain
from symgrad.formula.names import escape
from symgrad.graph import Node


class Law(NamedTuple):
    """Hold the result of a law, and its name in both directions.

    A name may speak of nodes: {} stands for the next one of `what`.
    """

    name: str
    back: str
    node: Node
    what: tuple[Node, ...] = ()


Rule = Callable[[Node], Iterator[Law]]

# Names that are formulas, or hold one.
TYPESET = {
    "1 − σ(z) = σ(−z)": r"$1 - \sigma(z) = \sigma(-z)$",
    "log σ(z) = −softplus(−z)": r"$\log\sigma(z) = -\mathrm{softplus}(-z)$",
    "softplus(−z) = softplus(z) − z": r"$\mathrm{softplus}(-z) = \mathrm{softplus}(z) - z$",
    "definition of σ": r"definition of $\sigma$",
    "definition of H": "definition of $H$",
    "definition of H(p, q)": "definition of $H(p, q)$",
}


def spoken(name: str, what: tuple[Node, ...]) -> str:
    """Write the name of a law in Unicode."""
    return name.format(*(plain.write(node, {}) for node in what))


def typeset(name: str, what: tuple[Node, ...]) -> str:
    """Write the name of a law as text of LaTeX."""
    text = TYPESET.get(name) or escape(name.replace("{}", "\0"))
    for node in what:
        text = text.replace("\0", f"${latex.write(node, {})}$", 1)
    return text

"""Write an expression as one like it was written before: the layers of a network are alike.

Where all atoms are values with names, no rule looks inside them, so that the forms of an expression
follow from its structure alone.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from symgrad.graph import Node, intern, topological
from symgrad.rewrite.forms import arithmetic
from symgrad.rewrite.tidy import kept
from symgrad.shapes import Shape

MOST = 1024  # structures that are remembered
FIELD = ("add", "sub", "mul", "div", "neg", "pow")
SPECIAL = ("input", "sigmoid", "relu", "sqrt", "sign", "abs", "apply", "entry")  # rules know them
Made = tuple[str, tuple[int, ...], Mapping[str, Any], Shape, str]
Recorded = tuple[tuple[int | Made, ...], tuple[int, ...]]  # nodes, or places of atoms; the forms
_KNOWN: dict[Any, Recorded | None] = {}


def again(
    order: tuple[Node, ...], named: Collection[Node], write: Callable[[], list[Node]]
) -> list[Node]:
    """Give the forms that `write` lists of the expression with the nodes `order`, root last."""
    key = _structure(order, named)
    if key is None:
        return write()
    recorded = _KNOWN.get(key)
    if recorded is not None:
        return _made(recorded, order)
    forms = write()
    if key not in _KNOWN:
        if len(_KNOWN) >= MOST:
            _KNOWN.clear()
        _KNOWN[key] = _recorded(forms, order, named)
    return forms


def _structure(order: tuple[Node, ...], named: Collection[Node]) -> Any:
    """Describe an expression up to the names of its atoms; None where more than that matters."""
    whole, root = kept(), order[-1]
    place: dict[Node, int] = {}
    found: list[Any] = []
    for k, node in enumerate(order):
        place[node] = k
        if node.op == "const":
            found.append(node)
        elif node is not root and node in named:
            if node not in whole or node.dtype != "float" or node.op in SPECIAL or arithmetic(node):
                return None
            found.append((node.op, node.shape))
        elif node.op in FIELD and arithmetic(node) and node not in whole:
            found.append((node.op, node.shape, *[place[a] for a in node.args]))
        else:
            return None
    return tuple(found), root in named


def _recorded(
    forms: list[Node], order: tuple[Node, ...], named: Collection[Node]
) -> Recorded | None:
    """Note how forms are made of the atoms; None where one is made of something else."""
    atoms = {n: k for k, n in enumerate(order) if n in named and n is not order[-1]}
    nodes = topological(forms, stop=atoms.__contains__)
    place = {n: k for k, n in enumerate(nodes)}
    found: list[int | Made] = []
    for node in nodes:
        if node in atoms:
            found.append(atoms[node])
        elif node.args or node.op == "const":
            args = tuple(place[a] for a in node.args)
            found.append((node.op, args, node.attrs, node.shape, node.dtype))
        else:
            return None
    return tuple(found), tuple(place[n] for n in forms)


def _made(recorded: Recorded, order: tuple[Node, ...]) -> list[Node]:
    """Make forms of other atoms."""
    nodes: list[Node] = []
    for item in recorded[0]:
        if isinstance(item, int):
            nodes.append(order[item])
        else:
            op, args, attrs, shape, dtype = item
            nodes.append(intern(op, tuple([nodes[k] for k in args]), attrs, shape, dtype))
    return [nodes[k] for k in recorded[1]]

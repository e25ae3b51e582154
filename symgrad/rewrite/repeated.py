"""Write an expression as one like it was written before: the layers of a network are alike.

The forms of an expression follow from what the rules see of it: its structure down to the values
with names that no rule looks inside, and down to inputs, which are the same ones.
"""

from collections.abc import Callable, Collection, Mapping
from contextvars import ContextVar
from typing import Any

from symgrad.graph import Node, intern, nearby, topological
from symgrad.rewrite.differences import PARTS, given
from symgrad.rewrite.forms import arithmetic
from symgrad.rewrite.relations import readable
from symgrad.rewrite.tidy import kept, printed, rank
from symgrad.shapes import Shape

LARGEST = 200  # nodes of a structure; larger ones are rarely alike
FEW = 300  # expressions of a large program that are worth a search for their forms
# rules know what these are made of
SPECIAL = ("sigmoid", "relu", "sqrt", "sign", "abs", "apply", "entry", "pow")
SETS = ("sign", "binary")  # kinds of inputs whose powers, and products with them, are shorter
Made = tuple[str, tuple[int, ...], Mapping[str, Any], Shape, str]
Recorded = tuple[tuple[int | Made, ...], tuple[int, ...]]  # nodes, or places; the forms
_KNOWN: ContextVar[dict[Any, Recorded | None] | None] = ContextVar("known", default=None)
_ANEW: ContextVar[list[int]] = ContextVar("anew")  # how many were written since the block began


class alike:  # called as a function is; a generator takes three times as long
    """Remember forms until the end of the block, or of the one around it.

    No longer, as a program's text shall not depend on what was compiled before.
    """

    __slots__ = ("tokens",)

    def __enter__(self) -> None:
        outermost = _KNOWN.get() is None
        self.tokens = (_KNOWN.set({}), _ANEW.set([0])) if outermost else None

    def __exit__(self, *_: object) -> None:
        if self.tokens is not None:
            _KNOWN.reset(self.tokens[0])
            _ANEW.reset(self.tokens[1])


def few() -> bool:
    """Say whether few expressions were written anew since the block of `alike` began.

    A long program of steps that are alike has few, however many steps there are.

    >>> few()
    False
    >>> with alike():
    ...     few()
    True
    """
    return _KNOWN.get() is not None and _ANEW.get()[0] < FEW


def again(
    root: Node, atoms: list[Node], named: Collection[Node], write: Callable[[], list[Node]]
) -> list[Node]:
    """Give the forms that `write` lists of an expression of these atoms."""
    memory = _KNOWN.get()
    if memory is None:
        return write()
    found = _structure(root, atoms, named)
    if found is not None and (recorded := memory.get(found[1])) is not None:
        return _made(recorded, found[0])
    _ANEW.get()[0] += 1
    forms = write()
    if found is None:
        return forms
    order, key = found
    if key not in memory:
        memory[key] = _recorded(forms, order)
    return forms


def _structure(
    root: Node, atoms: list[Node], named: Collection[Node]
) -> tuple[tuple[Node, ...], Any] | None:
    """List what is seen of an expression, and describe it; None where more than that matters."""
    whole = kept()
    ends: dict[Node, bool] = {}
    there = dict.fromkeys(atoms)

    def end(node: Node) -> bool:
        if node is root or node not in named or node not in whole or node.op in SPECIAL:
            # of which entries a slice is made no rule asks
            return node.op == "slice" and not node.args[0].args
        if node not in ends:
            ends[node] = not (arithmetic(node) and readable(node, there))
        return ends[node] or len(ends) > LARGEST

    order = nearby([root], end, 2 * LARGEST)
    if len(order) > LARGEST:
        return None
    place: dict[Node, int] = {}
    found: list[Any] = [printed(), len(order)]
    for k, node in enumerate(order):
        place[node] = k
        if node.dtype != "float" or node.attrs.get("kind") in SETS:
            return None
        if not node.args:
            found.append((node, node in named, rank(node)))
        elif node is not root and end(node):
            part = node.op in PARTS and given(node)
            found.append((node.op, node.shape, node in named, node in there, part))
        else:
            attrs = tuple(sorted(node.attrs.items())) if node.attrs else ()
            found.append((node.op, node.shape, node in named, node in whole, node in there, attrs,
                          *[place[a] for a in node.args]))  # fmt: skip
    return order, tuple(found)


def _recorded(forms: list[Node], order: tuple[Node, ...]) -> Recorded | None:
    """Note how forms are made of the nodes of an expression; None where one has something else."""
    known = {n: k for k, n in enumerate(order)}
    nodes = topological(forms, stop=known.__contains__)
    place = {n: k for k, n in enumerate(nodes)}
    found: list[int | Made] = []
    for node in nodes:
        if node in known:
            found.append(known[node])
        elif node.op == "slice" or not (node.args or node.op == "const"):
            return None
        else:
            args = tuple([place[a] for a in node.args])
            found.append((node.op, args, node.attrs, node.shape, node.dtype))
    return tuple(found), tuple([place[n] for n in forms])


def _made(recorded: Recorded, order: tuple[Node, ...]) -> list[Node]:
    """Make forms of other nodes."""
    nodes: list[Node] = []
    for item in recorded[0]:
        if isinstance(item, int):
            nodes.append(order[item])
        else:
            op, args, attrs, shape, dtype = item
            nodes.append(intern(op, tuple([nodes[k] for k in args]), attrs, shape, dtype))
    return [nodes[k] for k in recorded[1]]

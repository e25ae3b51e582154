"""Iterative walks: nothing here recurses over depth, nothing iterates over a set.

>>> from symgrad.graph.node import intern
>>> x = intern("input", attrs={"name": "x", "kind": "real"})
>>> [n.op for n in topological([intern("mul", (x, x))])]
['input', 'mul']
"""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from symgrad.dims import names_in
from symgrad.graph.node import Node

SHORT = 8  # walks of fewer nodes are not remembered
PART = 4  # nor those with a fourth of the nodes of a remembered one, which is of all of a program
KEPT = 3  # walks that are remembered: of what is given, of its value, and of all that is returned

Users = Mapping[Node, Sequence[tuple[Node, int]]]


@dataclass(slots=True, eq=False)
class _Walk:
    """Hold a walk, and what has been asked about it: who uses what, and nodes by operators."""

    roots: tuple[Node, ...]
    order: tuple[Node, ...]
    users: Users | None = None
    having: dict[str, list[Node]] | None = None
    unchanged: dict[Node, Node] | None = None


class _Last(threading.local):
    """Hold the last long walks of a thread: the passes of a compilation ask for the same again."""

    def __init__(self) -> None:
        self.inside = 0  # how many blocks are running
        self.walks: list[_Walk] = []  # the latest first


_LAST = _Last()


@contextmanager
def remembered() -> Iterator[None]:
    """Remember the last long walks, until the end of the block: nodes do not change.

    >>> with remembered():
    ...     topological([])
    ()
    """
    _LAST.inside += 1
    try:
        yield
    finally:
        _LAST.inside -= 1
        if not _LAST.inside:
            _LAST.walks = []


def topological(
    roots: Iterable[Node], stop: Callable[[Node], bool] | None = None
) -> tuple[Node, ...]:
    """List every node below `roots` once, operands first, in the order of a left-to-right walk.

    Where `stop` answers true the walk does not go below the node.
    """
    roots = tuple(roots)
    if stop is None and (known := _known(roots)):
        return known.order
    done: dict[Node, None] = {}
    path: list[Node] = []  # from a root down to what is looked at
    for node in roots:
        while node not in done:
            for a in node.args:
                if a not in done:
                    if a.args or stop is not None:
                        break
                    done[a] = None
            else:
                done[node] = None
                node = path.pop() if path else node
                continue
            if stop is not None and stop(node):
                done[node] = None
                node = path.pop() if path else node
            else:
                path.append(node)
                node = a
    order = tuple(done)
    if stop is None and _LAST.inside and len(order) > SHORT:
        walks = _LAST.walks
        if all([len(order) > len(walk.order) // PART for walk in walks]):
            _LAST.walks = [_Walk(roots, order), *walks[: KEPT - 1]]
    return order


def _known(roots: tuple[Node, ...]) -> _Walk | None:
    """Find a remembered walk, which is the latest then."""
    for walk in (walks := _LAST.walks):
        if roots == walk.roots:
            if walk is not walks[0]:
                walks.remove(walk)
                walks.insert(0, walk)
            return walk
    return None


def nearby(roots: Iterable[Node], stop: Callable[[Node], bool], most: int) -> tuple[Node, ...]:
    """List the nodes below `roots` as `topological` does, but look below `most` of them at most.

    What asks at every operator of a long program must not walk through all of it each time.

    >>> from symgrad.graph.node import intern
    >>> x = intern("input", attrs={"name": "x", "kind": "real"})
    >>> y = intern("neg", (intern("sin", (intern("cos", (x,)),)),))
    >>> [n.op for n in nearby([y], lambda n: False, most=2)]
    ['cos', 'sin', 'neg']
    """
    asked: dict[Node, None] = {}

    def enough(node: Node) -> bool:
        if len(asked) < most or node in asked:
            asked[node] = None
            return stop(node)
        return True

    return topological(roots, enough)


def _walk(order: Iterable[Node]) -> _Walk | None:
    """Find the remembered walk of which this is the order."""
    return next((walk for walk in _LAST.walks if order is walk.order), None)


def consumers(order: Iterable[Node]) -> Users:
    """Map each node to the (consumer, operand index) pairs that use it, in order."""
    walk = _walk(order)
    if walk is None:
        return _users(order)
    if walk.users is None:
        walk.users = _users(order)
    return walk.users


def _users(order: Iterable[Node]) -> Users:
    users: dict[Node, list[tuple[Node, int]]] = {}
    for node in order:
        if node not in users:
            users[node] = []
        for k, arg in enumerate(node.args):
            if arg in users:
                users[arg].append((node, k))
            else:
                users[arg] = [(node, k)]
    return users


def having(order: Iterable[Node], *ops: str) -> list[Node]:
    """List the nodes of these operators, in order; of a remembered walk no others are looked at.

    >>> from symgrad.graph.node import intern
    >>> x = intern("input", attrs={"name": "x", "kind": "real"})
    >>> [n.op for n in having(topological([intern("sin", (x,))]), "sin", "cos")]
    ['sin']
    """
    walk = _walk(order)
    if walk is not None:
        if walk.having is None:
            walk.having = {}
            for node in walk.order:
                walk.having.setdefault(node.op, []).append(node)
        found = [walk.having[op] for op in dict.fromkeys(ops) if op in walk.having]
        if len(found) < 2:
            return [*found[0]] if found else []
    return [n for n in order if n.op in ops]


def read_once(order: Iterable[Node], roots: Iterable[Node]) -> dict[Node, None]:
    """Collect the nodes of `order` that one other node reads, and that are no roots."""
    nodes, tops = tuple(order), dict.fromkeys(roots)
    users = consumers(nodes)
    return {n: None for n in nodes if n not in tops and len(users[n]) == 1}


def depends(order: Iterable[Node], sources: Iterable[Node]) -> dict[Node, None]:
    """Collect the nodes of `order` that have one of `sources` below them, sources included."""
    found = dict.fromkeys(sources)
    for node in order:
        for a in node.args:
            if a in found:
                found[node] = None
                break
    return found


def dimensions(nodes: Iterable[Node]) -> dict[str, None]:
    """Name the dimensions that shapes, and numbers of classes, are made of, in their order.

    >>> from symgrad.ops import leaf
    >>> list(dimensions([leaf("x", ("N", "2*D"))]))
    ['N', 'D']
    """
    sizes = (d for n in nodes for d in (*n.shape, n.attrs.get("classes", 1)))
    return dict.fromkeys(name for d in sizes for name in names_in(d))


def unchanged(nodes: Iterable[Node]) -> dict[Node, Node]:
    """Map every node to itself: what a stage answers that finds nothing to do.

    >>> unchanged([])
    {}
    """
    walk = _walk(nodes)
    if walk is None:
        nodes = tuple(nodes)
        return dict(zip(nodes, nodes, strict=True))
    if walk.unchanged is None:
        walk.unchanged = dict(zip(walk.order, walk.order, strict=True))
    return walk.unchanged.copy()  # which takes a tenth of the time


def rebuild(
    roots: Iterable[Node],
    change: Callable[[Node, tuple[Node, ...]], Node],
    memo: dict[Node, Node] | None = None,
    only: Collection[str] | None = None,
) -> dict[Node, Node]:
    """Map every node below `roots` bottom-up: `change(node, mapped operands)` gives the image.

    Over the operands that they have, `change` is asked about `only` these operators, if given.

    >>> from symgrad.graph.node import intern
    >>> x = intern("input", attrs={"name": "x", "kind": "real"})
    >>> y = intern("neg", (intern("sin", (x,)),))
    >>> [n.op for n in rebuild([y], lambda n, args: x, only=("sin",)).values()]
    ['input', 'input', 'input']
    """
    image: dict[Node, Node] = {} if memo is None else memo
    same = not image  # every node so far is its own image
    order = topological(roots, stop=image.__contains__ if image else None)
    if memo is None and only is not None:
        asked_first = ((n, change(n, n.args)) for n in having(order, *only))
        first = next((pair for pair in asked_first if pair[1] is not pair[0]), None)
        if first is None:
            return unchanged(order)
        place = order.index(first[0])
        image = dict(zip(order[:place], order[:place], strict=True)) | {first[0]: first[1]}
        same = False
    for node in order:
        if node in image:
            continue
        args, asked = node.args, only is None or node.op in only
        if args and not same:
            args = tuple([image[a] for a in args])
        if asked or args != node.args:
            image[node] = found = change(node, args)
            same = same and found is node
        else:
            image[node] = node
    return image

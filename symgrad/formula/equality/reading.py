"""Read nodes as polynomials: the entry of an array at the places p0, p1, … of its axes."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType

from symgrad.formula.equality.arrays_of import ARRAYS
from symgrad.formula.equality.entrywise import ENTRIES, entrywise, power_of
from symgrad.formula.equality.placed import Images, opaque, places
from symgrad.formula.equality.sums import delta, leaf, size
from symgrad.formula.equality.terms import Atom, Poly, Undecided, atom, mode, number
from symgrad.graph import Node, topological
from symgrad.ops import make
from symgrad.parse import formula
from symgrad.rewrite.tidy import exact

MAX_NODES = 300


def read(root: Node, named: Mapping[Node, str] = MappingProxyType({})) -> Poly:
    """Read a node; those in `named` are taken for inputs."""
    images: Images = {}
    for node in topological([root], stop=lambda n: n in named):
        if len(images) > MAX_NODES:
            raise Undecided
        _read(node, images, named)
    return images[root]


def _read(node: Node, images: Images, named: Mapping[Node, str]) -> None:
    if node in images:
        return
    if node in named:
        images[node] = leaf(Atom("leaf", (named[node], "named")), tuple(places(node)))
    elif node.op in READERS:
        images[node] = READERS[node.op](node, images)
    elif (inner := _written(node)) is not None:
        for part in topological([inner], stop=lambda n: n in images):
            _read(part, images, named)
        images[node] = images[inner]
    else:
        images[node] = opaque(node, images)


def _written(node: Node) -> Node | None:
    """Write an operator by its formula, or by one that suits proofs."""
    a = node.args
    if node.op == "solve":
        return make("matmul", make("inv", a[0]), a[1])
    if node.op == "standardize":
        return make("div", make("sub", a[0], a[1]), make("sqrt", make("add", a[2], a[3])))
    return formula(node)


# -- leaves ----------------------------------------------------------------------------------


def _input(node: Node, images: Images) -> Poly:
    name, kind = str(node.attrs["name"]), str(node.attrs["kind"])
    idx = tuple(places(node))
    if node.dtype == "int":
        return leaf(Atom("leaf", (name, "int")), idx)
    if name in mode().above:
        return leaf(Atom("leaf", (name, "positive")), idx)
    if name not in mode().facts:
        return leaf(Atom("leaf", (name, "real")), idx)
    if kind == "onehot":
        return delta(idx[-1], Atom("leaf", (name, "int"), idx[:-1]))
    if kind in ("sign", "binary"):
        bit = atom(Atom("bit", (name,), idx))
        return bit if kind == "binary" else bit.scaled(Fraction(2)) - number(1)
    return leaf(Atom("leaf", (name, kind)), idx)


def _const(node: Node, images: Images) -> Poly:
    value = node.attrs["value"]
    if abs(value) == math.pi:
        return atom(Atom("constant", ("pi",))).scaled(Fraction(int(math.copysign(1, value))))
    found = exact(value)
    if found is None:
        raise Undecided
    return number(found)


def _dim(node: Node, images: Images) -> Poly:
    name = str(node.attrs["name"])
    return size(mode().sizes.get(name, name))


READERS: dict[str, Callable[[Node, Images], Poly]] = {
    **dict.fromkeys(ENTRIES, entrywise), **ARRAYS,
    "input": _input, "const": _const, "dim": _dim, "pow": power_of,
}  # fmt: skip

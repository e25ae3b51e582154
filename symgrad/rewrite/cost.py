"""Count operations, with names as atoms: the measure by which forms compete."""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, topological
from symgrad.rewrite.forms import arithmetic
from symgrad.shapes import Dim

LIMIT = 10_000  # operations beyond which all forms are equally long
TYPICAL = 256  # what a dimension counts for that has a name only
FREE = ("input", "const", "dim", "broadcast", "expand", "transpose", "arange", "eye")


def operations(roots: Iterable[Node], atoms: Collection[Node] = ()) -> int:
    """Count the distinct operations below `roots`; a node in `atoms` is a name and costs nothing.

    >>> from symgrad.ops import const, leaf, make
    >>> x = leaf("x"); operations([make("mul", make("add", x, const(1)), x)])
    2
    """
    roots = tuple(roots)
    tops = dict.fromkeys(roots)
    order = topological(roots, stop=lambda n: n in atoms and n not in tops)
    return sum(1 for n in order if n.op not in FREE and (n in tops or n not in atoms))


def tree_size(root: Node, atoms: Collection[Node] = (), limit: int = LIMIT) -> int:
    """Count operations as printed, a shared part as often as it stands; capped at `limit`."""
    sizes: dict[Node, int] = {}
    order = topological([root], stop=lambda n: n in atoms and n is not root)
    for node in order:
        if node in atoms and node is not root:
            sizes[node] = 0
            continue
        own = 0 if node.op in FREE else 1
        sizes[node] = min(limit, own + sum(sizes[a] for a in node.args))
    return sizes[root]


def size_of(dim: Dim) -> int:
    """Give a size, or what a dimension counts for that has a name only."""
    return dim if isinstance(dim, int) else TYPICAL


class Prices:
    """Order forms: operations as printed, then divisions, then terms, then a leading minus.

    Fewer terms cancel less: tanh(x) + x (1 - tanh(x)^2), not x + tanh(x) - x tanh(x)^2. What is
    below an atom, a function of something else, is counted once for all forms that have the atom.

    >>> from symgrad.ops import const, leaf, make
    >>> x = leaf("x"); Prices(()).of(make("div", make("mul", x, x), const(2)))
    (2, 1, 1, 0)
    """

    def __init__(self, named: Collection[Node]) -> None:
        self.named = named
        self.below: dict[Node, tuple[int, int, int, int]] = {}  # size, divisions, bare, terms

    def of(self, node: Node) -> tuple[int, int, int, int]:
        """Give the price of a form."""
        named, below = self.named, self.below
        order = self._part(node)
        atoms = [a for a in order if a.args and a is not node and not arithmetic(a)]
        for atom in atoms if node not in named and node not in below else ():
            if atom not in named and atom not in below:
                below[atom] = self._counted(self._part(atom))
                order = ()
        size, divisions, bare, terms = self._counted(order or self._part(node))
        return size + bare, divisions, terms, int(node.op == "neg")

    def _part(self, root: Node) -> tuple[Node, ...]:
        """List a node and what is below, as far as it is not counted yet."""
        named, below = self.named, self.below
        return topological([root], stop=lambda n: n is not root and (n in named or n in below))

    def _counted(self, order: tuple[Node, ...]) -> tuple[int, int, int, int]:
        """Count what a part has of its own, and what its atoms have."""
        named, below, root = self.named, self.below, order[-1]
        size: dict[Node, int] = {}
        length: dict[Node, int] = {}
        divisions = bare = terms = 0
        for node in order:
            if node in below and node is not root:
                size[node], more, plain, longest = below[node]
                divisions, bare, terms = divisions + more, bare + plain, max(terms, longest)
                continue
            divisions += node.op == "div"
            bare += _is_bare(node)
            if node.op in ("add", "sub"):
                length[node] = sum(length.get(a, 1) for a in node.args)
                terms = max(terms, length[node])
            if node in named and node is not root:
                size[node] = 0
            else:
                size[node] = min(LIMIT, (node.op not in FREE) + sum(size[a] for a in node.args))
        return size[root], divisions, bare, max(terms, 1)


def _is_bare(node: Node) -> bool:
    """Say whether a condition is a term, 2 - 1[c], or a number negative: it reads badly."""
    if node.op in ("add", "sub"):
        return any(a.dtype == "bool" and a.op != "onehot" for a in node.args)
    return node.op == "const" and bool(node.attrs["value"] < 0)

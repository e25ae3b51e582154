"""The normal form of an elementwise expression: an exact rational function of its atoms.

Atoms are everything that is not + - * / or an integer power: inputs, named values, products of
matrices, sums, exponentials, indicators. SymPy's fraction field cancels and factors; then the
cheapest way to write the result is kept.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from symgrad.graph import Node, topological
from symgrad.ops import make
from symgrad.rewrite.cost import tree_size
from symgrad.rewrite.forms import Forms, arithmetic
from symgrad.rewrite.tidy import exact, fit, kind, tidy

COMPLEMENT = {"le": "gt", "ge": "lt", "ne": "eq"}
MAX_ATOMS = 14
MAX_TERMS = 80
MAX_NODES = 120


class _TooLarge(Exception):
    """Leave the normal form: the expression would swell."""


def normal(root: Node, named: Collection[Node]) -> Node:
    """Write an elementwise expression in its shortest form; equal values, equal shape.

    >>> from symgrad.ops import const, leaf, make
    >>> p, y = leaf("p"), leaf("y")
    >>> a = make("mul", make("sub", const(1), p), make("div", y, make("sub", const(1), p)))
    >>> normal(a, ()) is y
    True
    """
    order = topological([root], stop=lambda n: not arithmetic(n) or (n in named and n is not root))
    if len(order) > MAX_NODES or not arithmetic(root):
        return root
    inside = [n for n in order if arithmetic(n) and (n is root or n not in named)]
    atoms = [n for n in order if n not in inside and n.op != "const"]
    if (len(inside) < 2 and root.op != "where") or len(atoms) > MAX_ATOMS:
        return root
    try:
        form = _Form(atoms, named)
        known = form.values(order, dict.fromkeys(inside))
        options = Forms(form.field, form.atoms, named).written(known, root)
    except _TooLarge:
        return root
    best, price = root, _price(root, named)
    for option in options:
        option = fit(option, root.shape)
        cost = _price(option, named)
        if cost < price or (cost == price and best is root):
            best, price = option, cost
    return best


def _price(node: Node, named: Collection[Node]) -> tuple[int, int, int, int]:
    """Order forms: operations as printed, then divisions, then terms, then a leading minus.

    Fewer terms cancel less: tanh(x) + x (1 - tanh(x)^2), not x + tanh(x) - x tanh(x)^2.
    """
    order = topological([node], stop=lambda n: n in named)
    divisions = sum(1 for n in order if n.op == "div")
    # 2 - 1[c] is shorter than the case distinction that people write
    bare = sum(
        1
        for n in order
        if n.op in ("add", "sub") and any(a.dtype == "bool" and a.op != "onehot" for a in n.args)
    )
    return tree_size(node, named) + bare, divisions, _terms(order), int(node.op == "neg")


def _terms(order: tuple[Node, ...]) -> int:
    """Count the terms of the longest sum."""
    size: dict[Node, int] = {}
    for node in order:
        if node.op in ("add", "sub"):
            size[node] = sum(size.get(a, 1) for a in node.args)
    return max(size.values(), default=1)


@lru_cache(maxsize=256)
def _field(size: int) -> Any:
    from sympy import QQ
    from sympy.polys.fields import FracField
    from sympy.polys.orderings import lex

    return FracField([f"x{k}" for k in range(size)], QQ, lex) if size else None


class _Form:
    """Hold the generators of one expression and compute its value in their field."""

    def __init__(self, atoms: list[Node], named: Collection[Node]) -> None:
        self.named = named
        self.bases = self._mirrors(atoms)
        self.atoms = list(dict.fromkeys(base for base, _ in self.bases.values()))
        self.field = _field(max(1, len(self.atoms)))
        self.place = {a: k for k, a in enumerate(self.atoms)}
        self.masks = [k for k, a in enumerate(self.atoms) if a.dtype == "bool"]

    def _mirrors(self, atoms: list[Node]) -> dict[Node, tuple[Node, bool]]:
        """Map atoms to (base, complement?): sigma(-u) is 1 - sigma(u), a <= b is 1 - (a > b)."""
        bases = {node: (node, False) for node in atoms}
        sigmas = [a for a in atoms if a.op == "sigmoid"]
        # a named one is a base before all others, one of -u the last
        sigmas.sort(key=lambda a: (a not in self.named, kind(a.args[0]) == "neg"))
        for node in atoms:
            if node.op in COMPLEMENT and node not in self.named:
                bases[node] = (make(COMPLEMENT[node.op], *node.args), True)
        above = {a.args for a in atoms if a.op == "gt" and a not in self.named}
        for node in atoms:
            # 1[x < c] beside 1[x > c]: the pieces meet at c, where either slope will do
            fixed = node.op == "lt" and node.args[1].op == "const"
            if fixed and node not in self.named and node.args in above:
                bases[node] = (make("gt", *node.args), True)
        for k, node in enumerate(sigmas):
            if node in self.named:
                continue
            mirrored = normal(tidy("neg", node.args, {}), self.named)
            twin = next((s for s in sigmas[:k] if s.args[0] is mirrored), None)
            if twin is not None:
                bases[node] = (twin, True)
            elif kind(node.args[0]) == "neg":
                bases[node] = (make("sigmoid", node.args[0].args[0]), True)
        return bases

    def _atom(self, node: Node) -> Any:
        base, complement = self.bases[node]
        x = self.field.gens[self.place[base]]
        return 1 - x if complement else x

    def values(self, order: tuple[Node, ...], inside: dict[Node, None]) -> dict[Node, Any]:
        """Compute every part of the expression in the field."""
        known: dict[Node, Any] = {}
        one = self.field.one
        for node in order:
            if node not in inside:
                known[node] = self._number(node) if node.op == "const" else self._atom(node)
                continue
            v = [known[a] for a in node.args if a in known]
            if node.op == "add":
                result = v[0] + v[1]
            elif node.op == "sub":
                result = v[0] - v[1]
            elif node.op == "mul":
                result = v[0] * v[1]
            elif node.op == "neg":
                result = -v[0]
            elif node.op == "div":
                if not v[1]:
                    raise _TooLarge
                result = v[0] / v[1]
            elif node.op == "where":
                result = v[0] * v[1] + (one - v[0]) * v[2]
            else:
                power = int(node.args[1].attrs["value"])
                if power < 0 and not v[0]:
                    raise _TooLarge
                result = v[0] ** power
            known[node] = self._reduced(result)
        return known

    def _number(self, node: Node) -> Any:
        value = exact(node.attrs["value"])
        if value is None:
            raise _TooLarge
        from sympy import QQ

        return self.field.one * QQ(value.numerator, value.denominator)

    def _reduced(self, value: Any) -> Any:
        """Use 1[c]^2 = 1[c], and stop when the expression swells."""
        if len(value.numer) > MAX_TERMS or len(value.denom) > MAX_TERMS:
            raise _TooLarge
        if self.masks and any(m[k] > 1 for m in value.numer.itermonoms() for k in self.masks):
            ring = self.field.ring
            total = ring.zero
            for m, c in value.numer.iterterms():
                capped = tuple(min(e, 1) if k in self.masks else e for k, e in enumerate(m))
                total += ring({capped: c})
            value = self.field.new(total, value.denom)
        return value

"""Sums of products in groups: t (1 - p) (...) + (1 - t) p (...), with no factor in all terms."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from symgrad.graph import Node
from symgrad.rewrite.cost import Prices
from symgrad.rewrite.forms import Forms
from symgrad.rewrite.relations import Form, raised
from symgrad.rewrite.tidy import printed

MOST = 8  # terms that are grouped
PRODUCTS = ("mul", "div", "neg")
FEWEST = 3  # two terms have a common factor, or none


def grouped(form: Form, forms: Forms, known: dict[Node, Any], root: Node) -> list[Node]:
    """Write a sum, for people, in groups of terms that are shorter together; none if it has none.

    Products are multiplied out first.
    """
    parts = [a for a in forms.atoms if a.args and (a not in forms.named or a.op in ("add", "sub"))]
    plain = not parts  # a polynomial of names
    if not printed() or plain or forms.chained:  # f'(g) g'' + f''(g) g'^2 goes term by term
        return []
    terms = _terms(forms, known, root)
    if terms is None or not FEWEST <= len(terms) <= MOST:
        return []
    options = [*_between(forms, known[root]), *_collected(forms, known[root])]
    prices = Prices(forms.named)

    def price(value: Any) -> int:
        return prices.of(forms.quotient(value))[0] if value else 0

    values = [raised(form, term) for term in terms]
    while len(values) > 1:
        gains = []
        for j, k in combinations(range(len(values)), 2):
            both = raised(form, values[j] + values[k])
            gain = price(values[j]) + price(values[k]) + 1 - price(both)
            gains.append((gain, -j, -k, both))
        gain, j, k, both = max(gains, key=lambda g: g[:3])
        if gain <= 0:
            break
        values[-j] = both  # in the place of its first term
        del values[-k]
    options += [forms.total(values)] if len(values) > 1 else []
    return [option for option in options if prices.of(option) < prices.of(root)]


def _between(forms: Forms, value: Any) -> Iterator[Node]:
    """Write a value that is linear in an input t as t a + (1 - t) b: one case, and the other."""
    one = forms.field.one
    for k, atom in enumerate(forms.atoms):
        if atom.op != "input" or any(m[k] for m in value.denom.itermonoms()):
            continue
        if {m[k] for m in value.numer.itermonoms()} != {0, 1}:
            continue
        ends = forms.at(value, k, 1), forms.at(value, k, 0)
        if all(ends):
            t = forms.field.gens[k]
            yield forms.total([t * ends[0], (one - t) * ends[1]])


def _collected(forms: Forms, value: Any) -> Iterator[Node]:
    """Write a value in which sums stay whole term by term: u (y - 1) + v (y^2 - 1)."""
    sums = [k for k, a in enumerate(forms.atoms) if a.op in ("add", "sub")]
    if len(sums) < 2 or any(m[k] for m in value.denom.itermonoms() for k in sums):
        return
    parts: dict[tuple[int, ...], Any] = {}
    for m, c in value.numer.iterterms():
        key = tuple(m[k] for k in sums)
        parts.setdefault(key, {})[m] = c
    if len(parts) > 1:
        ring, low = forms.field.ring, forms.field(value.denom)
        yield forms.total(forms.field(ring.from_dict(p)) / low for p in parts.values())


def _terms(forms: Forms, known: dict[Node, Any], root: Node) -> list[Any] | None:
    """Multiply a sum out: list the values of its terms; None where there are too many."""
    found: list[Any] = []
    todo = [(root, forms.field.one)]
    while todo:
        node, factor = todo.pop()
        if len(found) + len(todo) > MOST:
            return None
        if node.op in ("add", "sub") and forms.splits(node):
            todo.append((node.args[1], -factor if node.op == "sub" else factor))
            todo.append((node.args[0], factor))
        elif node.op == "neg" and forms.splits(node):
            todo.append((node.args[0], -factor))
        elif node.op in ("mul", "div") and forms.splits(node) and (k := _sum_in(forms, node)) >= 0:
            other = known[node.args[1 - k]]
            todo.append((node.args[k], factor * other if node.op == "mul" else factor / other))
        else:
            found.append(factor * known[node])
    return found


def _sum_in(forms: Forms, node: Node) -> int:
    """Say which operand of a product, or quotient, holds a sum of products; -1 if none."""
    for k, a in enumerate(node.args[: 2 if node.op == "mul" else 1]):
        if _holds_sum(forms, a):
            return k
    return -1


def _holds_sum(forms: Forms, node: Node) -> bool:
    """Say whether a factor is a sum of products, or has one: 1 - p is none."""
    if not forms.splits(node):
        return False
    if node.op in ("add", "sub"):
        return any(a.op in PRODUCTS and forms.splits(a) for a in node.args)
    return node.op in PRODUCTS and any(
        _holds_sum(forms, a) for a in node.args[: 2 if node.op == "mul" else 1]
    )

"""The normal form of an elementwise expression: an exact rational function of its atoms.

Atoms are everything that is not + - * / or an integer power: inputs, named values, products of
matrices, sums, exponentials, indicators. SymPy's fraction field cancels and factors; then the
cheapest way to write the result is kept.
"""

from collections.abc import Collection
from fractions import Fraction
from functools import lru_cache
from itertools import combinations
from typing import Any

from symgrad.graph import Node, having, topological
from symgrad.ops import const, make
from symgrad.rewrite import differences, relations
from symgrad.rewrite.cases import opposites, picked, product
from symgrad.rewrite.constants import PI, multiple_of_pi
from symgrad.rewrite.cost import Prices
from symgrad.rewrite.forms import Forms, arithmetic
from symgrad.rewrite.groups import grouped
from symgrad.rewrite.hidden import MAX_NODES, hidden_atoms
from symgrad.rewrite.matrices import same_products
from symgrad.rewrite.quotients import constant, minus, over, plus, times
from symgrad.rewrite.repeated import again
from symgrad.rewrite.tidy import decimals, exact, fit, kind, printed, ranked, tidy
from symgrad.rewrite.wholes import cancelled, wholes
from symgrad.rewrite.writing import fraction, halved, scattered

BELOW = {"gt": "le", "lt": "ge"}
MAX_ATOMS = 14
MAX_TERMS = 80
SHORTER = 2  # operations that are worth a difference of the program, in formulas


class _TooLarge(Exception):
    """Leave the normal form: the expression would swell."""


def normal(root: Node, named: Collection[Node], prices: Prices | None = None) -> Node:
    """Write an elementwise expression in its shortest form; equal values, equal shape.

    `prices` remembers what is below, where several parts of one formula are written.

    >>> from symgrad.ops import const, leaf, make
    >>> p, y = leaf("p"), leaf("y")
    >>> a = make("mul", make("sub", const(1), p), make("div", y, make("sub", const(1), p)))
    >>> normal(a, ()) is y
    True
    """
    scope = _scope(root, named)
    if scope is None:
        return root
    atoms = scope[2]
    if hidden_atoms(atoms, named):
        return _shortest(root, named, prices)
    return again(root, atoms, named, lambda: [_shortest(root, named, prices)])[0]


def _shortest(root: Node, named: Collection[Node], prices: Prices | None) -> Node:
    """Choose among the forms of an expression."""
    options = written(root, named)
    if not options:
        return root
    prices = Prices(named) if prices is None else prices
    kept = differences.kept(root, named)
    apart = kept and [option for option in options if differences.split(option, kept, named)]
    if apart:
        options = [option for option in options if option not in apart]
        options += [cancelled(o, named) for o in written(root, {*named, *kept})]
    if apart and printed():  # n p - k, not (n - k) p + k (p - 1)
        most = min(prices.of(option)[0] for option in (root, *options)) - SHORTER
        below = [o for o in apart if o.op == "div" and differences.split(o.args[1], kept, named)]
        options += [o for o in apart if o not in below and prices.of(o)[0] <= most]
    options = [option for option in dict.fromkeys(options) if option is not root]
    if not options:
        return root
    if root not in named and (there := next((o for o in options if o in named), None)) is not None:
        return there
    best, price = root, prices.of(root)
    ill = halved(root) + scattered(root, named)  # x/2, not 0.5x; 2 t x/3, not t/3 (2 x)
    price = (price[0], price[1] + ill, *price[2:])
    stays = apart or (printed() and ranked(root) and root.op != "where" and not ill)  # as typed
    for option in options:
        cost = prices.of(option)
        if cost < price or (cost == price and best is root and not stays):
            best, price = option, cost
    return best


def _scope(
    root: Node, named: Collection[Node]
) -> tuple[tuple[Node, ...], list[Node], list[Node]] | None:
    """List what is looked at, the operations and their atoms; None where there are no forms."""
    order = topological([root], stop=lambda n: not arithmetic(n) or (n in named and n is not root))
    if len(order) > MAX_NODES or not arithmetic(root) or root.op == "both":
        return None
    inside = [n for n in order if arithmetic(n) and (n is root or n not in named)]
    atoms = [n for n in order if n not in inside and n.op != "const"]
    if printed() and any(multiple_of_pi(n.attrs["value"]) for n in having(order, "const")):
        atoms.insert(0, PI)
    alone = len(inside) < 2 and not relations.related(root) and not halved(root)
    if alone or len(atoms) > MAX_ATOMS:
        return None
    return order, inside, atoms


def written(root: Node, named: Collection[Node], every: bool = False) -> list[Node]:
    """List the ways to write an elementwise expression: factored, term by term, by cases."""
    scope = _scope(root, named)
    if scope is None:
        return []
    order, inside, atoms = scope
    options = _forms(order, atoms, inside, named, hidden_atoms(atoms, named), every)
    whole = [] if every else wholes(inside, root, atoms, named)
    if whole:
        options += [cancelled(o, named) for o in written(root, {*named, *whole}, True)]
    return [fit(option, root.shape) for option in options]


def _forms(
    order: tuple[Node, ...],
    atoms: list[Node],
    inside: list[Node],
    named: Collection[Node],
    hidden: list[Node],
    every: bool,
) -> list[Node]:
    """List the forms over some atoms; none where the expression would swell."""
    root = order[-1]
    try:
        form = _Form([*atoms, *hidden], named)
        known = form.values(order, dict.fromkeys(inside))
        forms = Forms(form.field, form.atoms, named)
        with decimals(order):
            options = forms.written(known, root, every)
            plain = forms.quotient(known[root])
            prices = Prices(named)
            others = relations.alternatives(form, known[root], named, hidden)
            for other in map(forms.quotient, others):
                # where one fraction is no way to write it, another is none if it is no shorter
                if plain in options or other.op != plain.op or prices.of(other) < prices.of(plain):
                    options.append(other)
            return options + grouped(form, forms, known, root)
    except _TooLarge:
        return []


def equal_forms(root: Node, named: Collection[Node]) -> list[Node]:
    """List other ways to write a value, the shortest first: over one denominator, or by terms.

    >>> from symgrad.ops import const, leaf, make
    >>> p, y = leaf("p"), leaf("y")
    >>> one = make("sub", const(1), p)
    >>> a = make("sub", make("div", make("sub", const(1), y), one), make("div", y, p))
    >>> [n.op for n in equal_forms(a, ())]
    ['div']
    """
    others = [n for n in dict.fromkeys(written(root, named, every=True)) if n is not root]
    return sorted(others, key=Prices(named).of)


def multiple(node: Node, named: Collection[Node]) -> tuple[Fraction, Node] | None:
    """Read a value as a number times one atom, or one sum in it; None if it is no such product."""
    order = topological([node], stop=lambda n: not arithmetic(n) or n in named)
    inside = [n for n in order if arithmetic(n) and n not in named]
    atoms = [n for n in order if n not in inside and n.op != "const"]
    if not atoms or len(atoms) > MAX_ATOMS:
        return None
    try:
        form = _Form(atoms, named)
        known = form.values(order, dict.fromkeys(inside))
    except _TooLarge:
        return None
    value = known[node]
    for part in inside:
        if part.op in ("add", "sub") and part is not node and known[part]:
            ratio = over(value, known[part])
            if ratio and ratio.numer.is_ground and ratio.denom.is_ground:
                return fraction(ratio.numer.LC) / fraction(ratio.denom.LC), part
    terms = list(value.numer.iterterms())
    if len(terms) != 1 or not value.denom.is_ground or sum(terms[0][0]) != 1:
        return None
    return fraction(terms[0][1]) / fraction(value.denom.LC), form.atoms[terms[0][0].index(1)]


@lru_cache(maxsize=256)
def _field(size: int) -> Any:
    from sympy import QQ
    from sympy.polys.fields import FracField
    from sympy.polys.orderings import lex

    return FracField([f"x{k}" for k in range(size)], QQ, lex) if size else None


def _kind(atom: Node) -> str:
    """Give the declared kind of an input, or of the input that an entry belongs to."""
    base = atom.args[0] if atom.op == "entry" else atom
    return str(base.attrs["kind"]) if base.op == "input" else ""


class _Form:
    """Hold the generators of one expression and compute its value in their field."""

    def __init__(self, atoms: list[Node], named: Collection[Node]) -> None:
        self.named = named
        self.bases = self._mirrors(atoms)
        self.atoms = list(dict.fromkeys(base for base, _ in self.bases.values()))
        self.field = _field(max(1, len(self.atoms)))
        self.place = {a: k for k, a in enumerate(self.atoms)}
        self.masks = [k for k, a in enumerate(self.atoms) if a.dtype == "bool"]
        kinds = {k: _kind(a) for k, a in enumerate(self.atoms)}
        self.facts = {k: kind for k, kind in kinds.items() if kind in ("sign", "binary")}
        self.pairs = self._pairs() if self.masks else []
        self.picked = picked(self.atoms, self.masks) if self.masks else []
        binary = [*self.masks, *(k for k, fact in self.facts.items() if fact == "binary")]
        self.held = relations.held(self.atoms, binary, named)

    def _pairs(self) -> list[tuple[int, int, int | None]]:
        """List products that are shorter: ReLU(u) 1[u > 0] is ReLU(u), 1[x > 3] 1[x > 0] 1[x > 3].

        A pair (j, k, n) says that the product of the atoms j and k is j with k left out (n is k),
        k with j left out (n is j), or zero (n is None).
        """
        found: list[tuple[int, int, int | None]] = []
        for j, k in combinations(self.masks, 2):
            same, known = product(self.atoms[j], self.atoms[k])
            if known:
                kept = None if same is None else j if same is self.atoms[j] else k
                found.append((j, k, None if kept is None else j + k - kept))
        for j, atom in enumerate(self.atoms):
            if atom.op == "relu":
                positive = tidy("gt", (atom.args[0], const(0)), {})
                twin, complement = self.bases.get(positive, (positive, False))
                opposite = make(BELOW[twin.op], *twin.args) if twin.op in BELOW else twin
                for k in self.masks:
                    if self.atoms[k] is twin:
                        found.append((j, k, None if complement else k))
                    elif self.atoms[k] is opposite:
                        found.append((j, k, None))
        return found

    def _mirrors(self, atoms: list[Node]) -> dict[Node, tuple[Node, bool]]:
        """Map atoms to (base, complement?): sigma(-u) is 1 - sigma(u), a <= b is 1 - (a > b)."""
        bases = {node: (node, False) for node in atoms}
        sigmas = [a for a in atoms if a.op == "sigmoid"]
        # a named one is a base before all others, one of -u the last
        sigmas.sort(key=lambda a: (a not in self.named, kind(a.args[0]) == "neg"))
        bases.update(same_products([a for a in atoms if a not in self.named]))
        bases.update(opposites([a for a in atoms if a not in self.named]))
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
        return minus(self.field.one, x) if complement else x

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
                result = plus(v[0], v[1])
            elif node.op == "sub":
                result = minus(v[0], v[1])
            elif node.op in ("mul", "both"):
                result = times(v[0], v[1])
            elif node.op == "neg":
                result = -v[0]
            elif node.op == "div":
                if not v[1]:
                    raise _TooLarge
                result = v[0] / v[1]
            elif node.op == "where":
                result = plus(times(v[0], v[1]), times(minus(one, v[0]), v[2]))
            else:
                power = int(node.args[1].attrs["value"])
                if power < 0 and not v[0]:
                    raise _TooLarge
                result = v[0] ** power
            known[node] = self._reduced(result)
        if self.held and order[-1] in inside:
            known[order[-1]] = relations.without_held(known[order[-1]], self.held)
        return known

    def _number(self, node: Node) -> Any:
        found = multiple_of_pi(node.attrs["value"]) if PI in self.place else None
        value = found[0] if found else exact(node.attrs["value"])
        if value is None:
            raise _TooLarge
        if found:
            part = constant(self.field, value.numerator, value.denominator)
            return part * self.field.gens[self.place[PI]] ** found[1]
        return constant(self.field, value.numerator, value.denominator)

    def _reduced(self, value: Any) -> Any:
        """Use 1[c]^2 = 1[c] and the declared facts; stop when the expression swells."""
        if len(value.numer) > MAX_TERMS or len(value.denom) > MAX_TERMS:
            raise _TooLarge
        value = self._facts_used(value)
        if self.masks and any(m[k] for m in value.numer.itermonoms() for k in self.masks):
            terms: dict[tuple[int, ...], Any] = {}
            for m, c in value.numer.iterterms():
                shorter = self._monomial(m)
                if shorter is not None:
                    terms[shorter] = terms.get(shorter, 0) + c
            ring = self.field.ring
            total = ring.from_dict({m: c for m, c in terms.items() if c})
            if total != value.numer:
                value = over(self.field(total), self.field(value.denom))
        return value

    def _facts_used(self, value: Any) -> Any:
        """Use y^2 = 1 for y = 1 or -1 (y^2 = y for 0 or 1) where y^2 is a factor of the whole.

        Inside a sum it stays: -2 y (1 - y f) says more than 2 (f - y).
        """
        for k, fact in self.facts.items():
            least = min((m[k] for m in value.numer.itermonoms()), default=0)
            if least > 1:
                kept = least % 2 if fact == "sign" else 1
                value = value / self.field.gens[k] ** (least - kept)
        return value

    def _monomial(self, monomial: tuple[int, ...]) -> tuple[int, ...] | None:
        """Shorten a product of powers by what is known of conditions; None if it is zero."""
        short = [min(e, 1) if k in self.masks else e for k, e in enumerate(monomial)]
        for j, k, dropped in self.pairs:
            if short[j] and short[k]:
                if dropped is None:
                    return None
                short[dropped] = 0
        for j, k, entry in self.picked:
            if short[j] and short[k]:  # p e_y is p_y e_y
                short[entry], short[k] = short[entry] + short[k], 0
        return tuple(short)

"""Write a rational function of atoms back as nodes, in the ways that people write it.

Factored, term by term, over one denominator, or by cases: `normal` keeps the cheapest.
"""

from collections.abc import Collection, Iterable
from typing import Any

from symgrad.graph import Node, having, nearby, summands
from symgrad.ops import OPS, const, make, value_of
from symgrad.rewrite.cases import by_cases, interval
from symgrad.rewrite.dangers import risky
from symgrad.rewrite.factors import conjugates, factors_of, led
from symgrad.rewrite.powers import MAX_POWER
from symgrad.rewrite.present import decimal_sums, typed_sums
from symgrad.rewrite.quotients import over
from symgrad.rewrite.tidy import printed, rank, tidy, typed_parts
from symgrad.rewrite.writing import Factor, assemble, fraction, listed

ARITHMETIC = ("add", "sub", "mul", "div", "neg", "pow", "where", "both")
OPPOSITE = {"gt": "le", "lt": "ge", "eq": "ne"}
LARGEST = 60  # power of a product
SUMMED = 200  # operators of a sum of fractions that are looked through


def arithmetic(node: Node) -> bool:
    """Say whether a node belongs to the rational part of an expression."""
    if node.op == "where":
        return not any(risky(branch) for branch in node.args[1:])
    if node.op == "pow":
        power = value_of(node.args[1])
        if not isinstance(power, int | float) or not abs(power) <= LARGEST or power != int(power):
            return False
        return abs(power) <= MAX_POWER or (printed() and _is_product(node.args[0]))
    return node.op in ARITHMETIC


def _is_product(base: Node) -> bool:
    """Say whether a power of a base is one term: (s/r)^12, but not (1 + x)^12.

    A program keeps (s/r)^12: s^12 may underflow where the quotient does not.
    """
    todo = [base]
    for part in todo:  # which grows
        if part.op in ("add", "sub", "where") or len(todo) > MAX_POWER:
            return False
        if part.op in ("mul", "div", "neg"):
            todo += part.args
    return True


class Forms:
    """Hold the atoms of one expression and write values of its field as nodes."""

    def __init__(self, field: Any, atoms: list[Node], named: Collection[Node]) -> None:
        self.field, self.atoms, self.named = field, atoms, named
        self.masks = [k for k, a in enumerate(atoms) if a.dtype == "bool"]
        self.order = self._order() if printed() else []
        self.done: dict[Any, Node] = {}
        self.there: dict[Any, tuple[Node, Any]] = {}  # sums, c times a primitive polynomial
        # (y - d) phi'(net) w phi'(net1) x: derivatives of abstract functions stand in the order
        # of the chain rule, and so does what is between them
        self.chained = any(a.op == "apply" and a.attrs["order"] for a in atoms)

    def _order(self) -> list[int]:
        """Give each atom's place in sums that are printed: inputs as the program has them."""
        order = list(range(len(self.atoms)))
        places = [k for k, a in enumerate(self.atoms) if a.op == "input"]
        for place, k in zip(places, sorted(places, key=lambda k: rank(self.atoms[k])), strict=True):
            order[k] = place
        return order

    def written(self, known: dict[Node, Any], root: Node, every: bool = False) -> list[Node]:
        """List the ways to write a value: factored, term by term, by cases."""
        value = known[root]
        if printed():
            self.there = typed_sums(known, root, self.field.ring.one)
        elif any(n.op == "const" and n.attrs["value"] % 1 for n in known):
            self.there = decimal_sums(known, root)
        options = [self.quotient(value)]
        groups = self._terms(known, root) if root.op in ("add", "sub") else {}
        if groups:
            options += self._by_terms(groups)
        elif root.op == "div" and root.args[0].op in ("add", "sub"):
            options += self._divided(known, root)
        if self.masks:
            options += by_cases(self, value)
        if not every and len(groups) > 1 and self._adds_fractions(value, root):
            options = [o for o in options if o.op != "div"]
        return options

    def _terms(self, known: dict[Node, Any], root: Node) -> dict[Any, list[Any]]:
        """Collect the terms of a sum by their denominators."""
        groups: dict[Any, list[Any]] = {}
        one = self.field.ring.one
        for node, negative in summands(root, self.splits):
            term = -known[node] if negative else known[node]
            below = one if term.denom.is_ground and typed_parts() else term.denom
            groups.setdefault(below, []).append(term)
        return groups

    def _by_terms(self, groups: dict[Any, list[Any]]) -> list[Node]:
        """Write a sum term by term: terms that share a denominator together, or each alone."""
        zero = self.field.zero
        summed = self.total(sum(terms, zero) for terms in groups.values())
        alone = self.total(t for terms in groups.values() for t in terms)
        options = [summed, alone, *self._shared_number(groups.values())]
        if len(groups) == 1:
            (below,) = groups
            if below.monoms() != [self.field.ring.zero_monom]:
                over = self.field(below)
                total = self.total(t * over for t in groups[below])
                options.append(tidy("div", (total, self.quotient(over)), {}))
        return options

    def _divided(self, known: dict[Node, Any], root: Node) -> Iterable[Node]:
        """Divide term by term: (a/(x/s) - b)/s is a/x - b/s."""
        top, low = root.args
        if self.splits(top):
            terms = [t for group in self._terms(known, top).values() for t in group]
            yield self.total(over(t, known[low]) for t in terms)

    def _shared_number(self, groups: Iterable[list[Any]]) -> Iterable[Node]:
        """Write 1/2 - v/2 as (1 - v)/2."""
        terms = [t for terms in groups for t in terms if t]
        if not all(t.denom.is_ground for t in terms):
            return
        sizes = {abs(t.numer.content() / t.denom.content()) for t in terms}
        if len(sizes) == 1 and (size := sizes.pop()) != 1:
            total = self.total(t / size for t in terms)
            if total.op != "neg":
                yield assemble(fraction(size), [total], [])

    def total(self, values: Iterable[Any]) -> Node:
        """Write values one by one, and add them."""
        terms = [self.quotient(v) for v in values if v]
        terms.sort(key=lambda n: n.op == "neg")
        total = terms[0] if terms else const(0)
        for term in terms[1:]:
            total = tidy("add", (total, term), {})
        return total

    def splits(self, node: Node) -> bool:
        """Say whether a node is made of others here, and no atom."""
        return node not in self.atoms

    def _adds_fractions(self, value: Any, root: Node) -> bool:
        """Say whether the quotient merely brings a sum of fractions over one denominator."""
        factors = factors_of(value.denom)[1]
        if len(factors) < 2 or value.numer.is_ground:  # 1/p + 1/(1 - p) is 1/(p (1 - p))
            return False
        order = nearby([root], lambda n: not arithmetic(n), SUMMED)
        return len(dict.fromkeys(n.args[1] for n in having(order, "div"))) <= len(factors)

    def at(self, value: Any, k: int, number_: int) -> Any:
        """Substitute 0 or 1 for an indicator (the denominator is free of it)."""
        ring = self.field.ring
        total = ring.zero
        for m, c in value.numer.iterterms():
            if number_ or not m[k]:
                total += ring({tuple(0 if j == k else e for j, e in enumerate(m)): c})
        return over(self.field(total), self.field(value.denom))

    def quotient(self, value: Any) -> Node:
        """Write numerator over denominator, both factored."""
        if value not in self.done:
            self.done[value] = self._quotient(value)
        return self.done[value]

    def _quotient(self, value: Any) -> Node:
        if not value:
            return const(0)
        top_c, top = factors_of(value.numer)
        low_c, low = factors_of(value.denom)
        top, low = conjugates(top), conjugates(low)
        coefficient = fraction(top_c) / fraction(low_c)
        (top, by), (low, part) = led(top, typed_parts()), led(low, typed_parts())
        coefficient *= by / part
        if self.there:
            for poly, power in top:
                coefficient /= self.there[poly][1] ** power if poly in self.there else 1
            for poly, power in low:
                coefficient *= self.there[poly][1] ** power if poly in self.there else 1
        once = self._once([p for p, _ in (*top, *low)])
        factors = [self._factor(p, e, once) for p, e in top]
        under = [self._factor(p, e, once) for p, e in low]
        for factor in (*factors, *under):
            if factor.sign < 0 and factor.power % 2:
                coefficient = -coefficient
        if coefficient < 0:
            for factor in (*factors, *under):
                if factor.other is not None and factor.power % 2:
                    factor.node, coefficient = factor.other, -coefficient
                    break
        above, below = listed(factors, self.chained), listed(under, self.chained)
        marks = [n for n in above if n.dtype == "bool"]
        if len(marks) > 1:
            above = [n for n in above if n.dtype != "bool"] + interval(marks)
        return assemble(coefficient, above, below)

    def _once(self, polys: list[Any]) -> list[int]:
        """List the atoms sigma(u), without a name, that stand in one factor only."""
        found = []
        for k, atom in enumerate(self.atoms):
            if atom.op == "sigmoid" and atom not in self.named:
                uses = sum(1 for p in polys if any(m[k] for m in p.itermonoms()))
                if uses == 1:
                    found.append(k)
        return found

    def _factor(self, poly: Any, power: int, once: list[int]) -> Factor:
        """Write one irreducible factor; a difference can be turned round."""
        used = [k for m in poly.itermonoms() for k, e in enumerate(m) if e]
        first = min(used, default=len(self.atoms))
        group = 0 if self.chained else max((self._rank(self.atoms[k]) for k in used), default=0)
        mirrored = self._mirrored(poly, once)
        group = max(group, 1) if mirrored else group
        node, sign = mirrored or self._poly(poly)
        other = None
        if self.there and poly in self.there:
            return Factor((group, first, True), self.there[poly][0], None, power, 1)
        if len(poly) == 2 and node.op == "sub":
            other = make("sub", node.args[1], node.args[0])
        elif len(poly) > 2 and mirrored is None and len({c > 0 for c in poly.coeffs()}) == 2:
            other = self._sum(poly, -sign)
        return Factor((group, first, len(poly) > 1), node, other, power, sign)

    def _rank(self, atom: Node) -> int:
        """Order factors: names and products first, then functions, then indicators."""
        if atom.dtype == "bool":
            return 2
        plain = atom in self.named or atom.op in ("input", "dim", "matmul", "outer", "transpose")
        row = OPS.get(atom.op)  # none for the sums of index notation
        return 0 if plain or not atom.args or (row is not None and row.canonical) else 1

    def _place(self, k: int) -> tuple[int, int]:
        """Order the factors of a term: a log(x), in formulas."""
        return self._rank(self.atoms[k]), self.order[k]

    def _poly(self, poly: Any) -> tuple[Node, int]:
        """Write a polynomial: positive terms first, in the order of their atoms."""
        short = self._complement(poly) or self._collected(poly)
        if short is not None:
            return short
        terms = sorted(poly.terms(), key=lambda t: self._term_key(t[0]))
        positive = [t for t in terms if t[1] > 0]
        flip = 1
        constant = poly.coeff(1)
        sizes = all(self.atoms[k].op == "dim" for m, _ in terms for k, e in enumerate(m) if e)
        # 1 - p rather than p - 1, but N - 1; otherwise as many plus signs as possible
        if (
            not positive
            or (len(positive) * 2 < len(terms) and len(terms) > 2)
            or (len(terms) == 2 and constant < 0 < len(positive) and not sizes)
        ):
            flip = -1
        return self._sum(poly, flip), flip

    def _sum(self, poly: Any, flip: int) -> Node:
        """Write a polynomial, or minus it, term by term."""
        ordered = sorted(poly.terms(), key=lambda t: self._term_key(t[0]))
        ordered = [(m, c * flip) for m, c in ordered]
        ordered.sort(key=lambda t: t[1] < 0)
        total: Node | None = None
        for m, c in ordered:
            size = fraction(c)
            places = [k for k, e in enumerate(m) if e]
            if self.order:
                places.sort(key=self._place)
            powers = [(self.atoms[k], m[k]) for k in places]
            body = [a if e == 1 else make("pow", a, const(e)) for a, e in powers]
            term = assemble(abs(size), body, [])
            if total is None:
                total = term if size > 0 else make("neg", term)
            else:
                total = make("add" if size > 0 else "sub", total, term)
        assert total is not None
        return total

    def _collected(self, poly: Any) -> tuple[Node, int] | None:
        """Write p + g p log(q) - g log(q) as p + g (p - 1) log(q), for people."""
        if len(poly) < 3 or not printed():
            return None
        for k, atom in enumerate(self.atoms):
            powers = [m[k] for m in poly.itermonoms()]
            if not atom.args or atom in self.named or max(powers) != 1 or sum(powers) < 2:
                continue
            unit = self.field.gens[k]
            with_it = {m: c for m, c in poly.iterterms() if m[k]}
            without = {m: c for m, c in poly.iterterms() if not m[k]}
            part = self.field(poly.ring.from_dict(with_it)) / unit
            if len(factors_of(part.numer)[1]) > 1 and without:
                rest = self.field(poly.ring.from_dict(without))
                return self.total([rest, part * unit]), 1
        return None

    def _complement(self, poly: Any) -> tuple[Node, int] | None:
        """Write 1 - 1[c] as the indicator of the opposite condition."""
        terms = dict(poly.terms())
        if len(terms) != 2 or self.masks == []:
            return None
        zero = (0,) * len(self.atoms)
        for k in self.masks:
            unit = tuple(int(j == k) for j in range(len(self.atoms)))
            if terms.get(zero) == 1 and terms.get(unit) == -1:
                flip = 1
            elif terms.get(zero) == -1 and terms.get(unit) == 1:
                flip = -1
            else:
                continue
            atom = self.atoms[k]
            if atom.op in OPPOSITE and atom not in self.named:
                return make(OPPOSITE[atom.op], *atom.args), flip
        return None

    def _mirrored(self, poly: Any, once: list[int]) -> tuple[Node, int] | None:
        """Write 1 - sigma(u) as sigma(-u) where sigma(u) itself does not appear."""
        terms = dict(poly.terms())
        zero = (0,) * len(self.atoms)
        for k in once:
            unit = tuple(int(j == k) for j in range(len(self.atoms)))
            if len(terms) == 2 and abs(terms.get(zero, 0)) == 1 == abs(terms.get(unit, 0)):
                if terms[zero] == terms[unit]:
                    return None
                mirrored = make("sigmoid", tidy("neg", (self.atoms[k].args[0],), {}))
                return mirrored, 1 if terms[zero] > 0 else -1
        return None

    def _term_key(self, monomial: tuple[int, ...]) -> tuple[int, ...]:
        used = [k for k, e in enumerate(monomial) if e]
        if self.order:
            used = sorted([self.order[k] for k in used])
        return tuple(used) if used else (-1,)

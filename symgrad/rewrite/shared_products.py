"""Products that the gradients of numbers share with one another and with the value.

Of Y = A K**a N**b the slope in K is Y a/K: what is computed already is looked for in each product,
and what several products have in common is computed once. Only factors that a product has are
taken, so nothing new is divided by.
"""

from collections.abc import Collection, Mapping
from itertools import combinations
from itertools import product as product_of

from symgrad.graph import Node, consumers, having, rebuild, topological, unchanged
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.cost import operations
from symgrad.rewrite.monomials import Monomial, is_product, less, monomial, product

SUMS = ("add", "sub")
Key = frozenset[tuple[object, int]]
CHEAP = 2.5  # times the operations of the value: what costs no more is left as it is
LARGEST = 300  # nodes of a program that is looked through
MANY = 40  # products
ROUNDS = 40


def shared_products(roots: list[Node], named: Collection[Node]) -> dict[Node, Node]:
    """Map the roots, the value first, and what is named to nodes with fewer operations in all.

    >>> from symgrad.ops import leaf
    >>> x, y, z = leaf("x"), leaf("y"), leaf("z")
    >>> value = make("div", make("mul", x, y), z)
    >>> other = make("div", make("mul", make("mul", x, y), y), make("mul", z, z))
    >>> found = shared_products([value, make("div", make("mul", x, x), z), other], ())[other]
    >>> value in topological([found])
    True
    """
    order = topological(roots)
    best = unchanged(order)
    if len(roots) < 2 or len(order) > LARGEST or any(n.shape for n in order):
        return best
    least = operations(roots)
    if least <= CHEAP * operations(roots[:1]):
        return best
    factored = _factored(roots)
    starts = [{}, factored] if any(factored[r] is not r for r in roots) else [{}]
    rooted = (False, True) if having(order, "sqrt") else (False,)
    for start, by_roots in product_of(starts, rooted):
        image = {n: start.get(n, n) for n in order}
        tops = [image[r] for r in roots]
        found = _Shared(tops, [image[n] for n in named if n in image], by_roots).images()
        count = operations([found[t] for t in tops])
        if count < least:
            least, best = count, {n: found.get(m, m) for n, m in image.items()}
    return best


class _Shared:
    """Hold the products of a program's gradients, and what they are written with."""

    def __init__(self, roots: list[Node], named: Collection[Node], by_roots: bool) -> None:
        self.roots = roots
        self.order = topological(roots)
        there = dict.fromkeys(topological(roots[:1]))
        branches = [a for n in having(self.order, "where") for a in n.args]
        inside = dict.fromkeys(topological(branches))  # computed where a condition holds
        powers: dict[Node, list[Node]] = {}
        for n in self.order:
            if n.op == "pow" and value_of(n.args[1]) is None and n not in inside:
                powers.setdefault(n.args[0], []).append(n)
        free = [n for n in self.order if is_product(n, powers) and n not in inside]
        tops = self._tops(free, there, [*roots, *named])
        self.few = len(tops) <= MANY
        self.given = {n: monomial(n, powers) for n in free if n in there}
        squares = {n: monomial(n.args[0], powers) for n in there if n.op == "sqrt" and by_roots}
        self.wanted: dict[object, Monomial] = {
            n: _of_roots(monomial(n, powers), squares) for n in tops
        }
        self.original: dict[object, Monomial] = dict(self.wanted)
        self.pairs: dict[tuple[int, int], tuple[Monomial, Key, Monomial, Monomial]] = {}
        for item, m in self.original.items():
            if m.top == -1 and m.cost > 1:  # -a is used as a in sums, and by what has its own sign
                self.wanted[core := ("core", item)] = Monomial(m.powers, 1, m.low)
                self.wanted[item] = Monomial({core: 1}, -1)

    def _tops(self, free: list[Node], there: Collection[Node], kept: list[Node]) -> list[Node]:
        """List the products of gradients that are no factors of other products alone."""
        users = consumers(self.order)
        products = {n: None for n in free if n not in there}
        return [
            n for n in products
            if n in kept or any(user not in products for user, _ in users[n])
        ]  # fmt: skip

    def images(self) -> dict[Node, Node]:
        """Map every node to its image."""
        if not self.wanted or not self.few:
            return {n: n for n in self.order}
        for _ in range(ROUNDS):
            if not self._step():
                break
        return self._written()

    def _step(self) -> bool:
        """Take what saves most operations out of all products that have it."""
        best, chosen = 0, None
        having: dict[object, list[object]] = {}
        for name, whole in self.wanted.items():
            for base in whole.powers:
                having.setdefault(base, []).append(name)
        for part, base in self._candidates():
            gain = -part.cost if base is None else 0
            uses = []
            some = min([having.get(b, []) for b in part.powers], key=len)
            for name in some if len(some) > (base is None) else ():
                if name is base:
                    continue
                whole = self.wanted[name]
                rest = less(whole, part, _TRIAL)
                if rest is not None and rest.cost < whole.cost and self._above(name, base):
                    gain += whole.cost - rest.cost
                    uses.append(name)
            if gain > best and uses:
                best, chosen = gain, (part, base, uses)
        if chosen is None:
            return False
        part, base, uses = chosen
        if base is None:
            base = object()
            self.wanted[base] = part
        for name in uses:
            rest = less(self.wanted[name], part, base)
            assert rest is not None
            self.wanted[name] = rest
        return True

    def _above(self, name: object, base: object) -> bool:
        """Say whether a product is not used by what it is to be written with."""
        todo, seen = [base], dict.fromkeys([base])
        while todo:
            part = todo.pop()
            if part is name:
                return False
            below = self.wanted[part].powers if part in self.wanted else ()
            todo += [b for b in below if b not in seen]
            seen.update(dict.fromkeys(below))
        return True

    def _candidates(self) -> list[tuple[Monomial, object]]:
        """List products that are there, and what pairs of products have in common."""
        products = [(m, n) for there in (self.given, self.wanted) for n, m in there.items()]
        found: list[tuple[Monomial, object]] = [(m, n) for m, n in products if m.cost and m.powers]
        known = {frozenset(m.powers.items()) for m, _ in found}
        for a, b in combinations([m for m in self.wanted.values() if m.cost], 2):
            pair = (id(a), id(b))
            if pair not in self.pairs:  # what they are of is held, lest another gets their place
                part = a.common(b)
                self.pairs[pair] = (part, frozenset(part.powers.items()), a, b)
            part, key, *_ = self.pairs[pair]
            if part.cost and key not in known and max(part.powers.values()) > 0:
                known.add(key)
                found.append((part, None))
        return found

    def _written(self) -> dict[Node, Node]:
        """Write the products; those that nothing was taken out of stay."""
        nodes: dict[object, Node] = {n: n for n in self.given}
        uses = [base for m in self.wanted.values() for base in m.powers]
        for n, m in self.original.items():
            core = self.wanted.get(("core", n))
            if core and uses.count(("core", n)) == 1:
                same = (core.powers, core.low) == (m.powers, m.low)
                self.wanted[n] = m if same else Monomial(core.powers, -core.top, core.low)
        parts = {base for m in self.wanted.values() for base in m.powers}
        stays = {
            n for n, m in self.wanted.items()
            if m is self.original.get(n) and n not in parts and not self._longer(n, m)
        }  # fmt: skip

        def place(base: object) -> Node:
            if base not in nodes:
                if base in self.wanted and base not in stays:
                    found = self.wanted[base]
                    table = {b: place(b) for b in found.powers}
                    nodes[base] = product(found, table)
                else:
                    assert isinstance(base, Node)
                    args = tuple([place(a) for a in base.args])
                    nodes[base] = _plain(remake(base, args)) if args != base.args else base
            return nodes[base]

        return {n: place(n) for n in self.order}

    @staticmethod
    def _longer(node: object, found: Monomial) -> bool:
        """Say whether a product has more operations than its monomial: 1/r (1 - t)."""
        assert isinstance(node, Node)
        inside = topological([node], stop=found.powers.__contains__)
        return sum(n.op != "const" and n not in found.powers for n in inside) > found.cost + (
            found.top == -1
        )


_TRIAL = object()


def _of_roots(found: Monomial, roots: Mapping[Node, Monomial]) -> Monomial:
    """Write u/r as r and u/r**3 as 1/r where r is the root of u."""
    for root, inner in roots.items():
        while found.powers.get(root, 0) < 0 < found.holds(inner):
            shorter = found.times(inner, -1).times(Monomial({root: 2}))
            if shorter.low > found.low or shorter.cost >= found.cost:
                break
            found = shorter
    return found


def _plain(node: Node) -> Node:
    """Subtract what is added with a sign."""
    if node.op not in ("add", "sub"):
        return node
    a, b = node.args
    if (opposite := _without_sign(b)) is not None:
        return make("sub" if node.op == "add" else "add", a, opposite)
    if (opposite := _without_sign(a)) is None:
        return node
    total = make("sub" if node.op == "add" else "add", b, opposite)
    return total if node.op == "add" else make("neg", total)


def _without_sign(node: Node) -> Node | None:
    """Give a for -a, 2 b/c for -2 b/c; None for what has no sign."""
    if node.op == "neg":
        return node.args[0]
    if node.op in ("mul", "div") and (first := _without_sign(node.args[0])) is not None:
        return make(node.op, first, node.args[1])
    number = value_of(node)
    return const(-number) if number is not None and number < 0 else None


def _factored(roots: list[Node]) -> dict[Node, Node]:
    """Take common factors out of sums of two products: a b + a c is a (b + c), of gradients."""
    there = dict.fromkeys(topological(roots[:1]))

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in there:
            return node
        fresh = remake(node, args) if args != node.args else node
        if fresh.op not in ("add", "sub"):
            return fresh
        a, b = (monomial(x, {}) for x in fresh.args)
        part = a.common(b)
        if not part.powers:
            return fresh
        nodes: dict[object, Node] = {n: n for m in (a, b) for n in m.powers if isinstance(n, Node)}
        rests = [product(m.times(part, -1), nodes) for m in (a, b)]
        total, sign = _complement(_with_one_number(_plain(make(fresh.op, *rests)))), 1
        if total.op == "neg":
            (total,), sign = total.args, -1
        return product(part.times(Monomial({total: 1}, sign)), {**nodes, total: total})

    return rebuild(roots, change)


def _with_one_number(total: Node) -> Node:
    """Add the numbers that lead two sums: (1 - x) + 2 is 3 - x."""
    for sign, (a, b) in ((1, total.args), (-1, total.args[::-1])) if total.op in SUMS else ():
        path = []
        while a.op in SUMS:
            path.append(a)
            a = a.args[0]
        number, other = value_of(a), value_of(b)
        if path and number is not None and other is not None and _whole(number, other):
            if total.op == "sub" and sign < 0:
                return total
            result = const(number + other if total.op == "add" else number - other)
            for part in reversed(path):
                result = make(part.op, result, part.args[1])
            return result
    return total


def _whole(*numbers: float) -> bool:
    return all(float(n).is_integer() and abs(n) < 2**53 for n in numbers)


def _complement(node: Node) -> Node:
    """Write 1 - b/(a + b) as a/(a + b), which keeps its digits."""
    if node.op == "sub" and value_of(node.args[0]) == 1 and node.args[1].op == "div":
        b, total = node.args[1].args
        if total.op == "add" and b in total.args:
            return make("div", total.args[total.args[0] is b], total)
    return node

"""Laws of fractions, exponentials and logarithms."""

from collections.abc import Iterator
from fractions import Fraction

from symgrad.formula.equality.flat import (
    ONE,
    Product,
    factors,
    is_one,
    key,
    product,
    quotient,
    scaled,
    terms,
    total,
)
from symgrad.formula.equality.law import Law, Rule
from symgrad.graph import Node
from symgrad.ops import const, make, value_of

# -- fractions -------------------------------------------------------------------------------


def _common_denominator(node: Node) -> Iterator[Law]:
    parts = terms(node) if node.op in ("add", "sub") else []
    split = [factors(t) for _, t in parts]
    for found in split:
        if not found.low:
            continue
        below = product(list(found.low))
        assert below is not None
        above = []
        for (c, t), part in zip(parts, split, strict=True):
            if [key(f) for f in part.low] == [key(f) for f in found.low]:
                above.append((c * part.number, quotient(Product(ONE, part.top, ()))))
            else:
                above.append((c, below if is_one(t) else make("mul", t, below)))
        flat = [(c * d, s) for c, t in above for d, s in terms(t)]
        yield Law("common denominator", "split the fraction", make("div", total(flat), below))
        return


def _cancel(node: Node) -> Iterator[Law]:
    """Cancel a factor above and below; powers of one base are joined."""
    if node.op not in ("div", "mul"):
        return
    found = factors(node)
    low = list(found.low)
    for k, f in enumerate(found.top):
        place = next((j for j, g in enumerate(low) if key(g) == key(f)), None)
        if place is not None:
            rest = Product(found.number, found.top[:k] + found.top[k + 1 :],
                           (*low[:place], *low[place + 1 :]))  # fmt: skip
            yield Law("cancel {}", "multiply above and below by {}", quotient(rest), (f,))
            return


def _above_and_below(node: Node) -> Iterator[Law]:
    """Multiply both parts of a fraction by an exponential that stands in it."""
    if node.op != "div":
        return
    above, below = (terms(a) for a in node.args)
    seen: dict[str, Node] = {}
    for _, t in (*above, *below):
        for f in factors(t).top:
            if f.op == "exp":
                turned = make("exp", scaled(Fraction(-1), f.args[0]))
                seen.setdefault(key(turned), turned)
    for by in seen.values():
        top = total([(c, _joined(t, by)) for c, t in above])
        low = total([(c, _joined(t, by)) for c, t in below])
        yield Law("multiply above and below by {}", "divide above and below by {}",
                  make("div", top, low), (by,))  # fmt: skip


def _joined(node: Node, by: Node) -> Node:
    """Multiply a term by an exponential; exponents add up."""
    found = factors(node)
    exponents = [f.args[0] for f in found.top if f.op == "exp"] + [by.args[0]]
    rest = tuple(f for f in found.top if f.op != "exp")
    exponent = _added(exponents)
    power = () if value_of(exponent) == 0 else (make("exp", exponent),)
    return quotient(Product(found.number, rest + power, found.low))


def _added(nodes: list[Node]) -> Node:
    """Add exponents and collect what is equal."""
    found: dict[str, tuple[Fraction, Node]] = {}
    for node in nodes:
        for c, t in terms(node):
            before = found.get(key(t), (Fraction(0), t))
            found[key(t)] = (before[0] + c, t)
    return total(list(found.values()))


# -- exponentials and logarithms -------------------------------------------------------------


def _exponentials(node: Node) -> Iterator[Law]:
    if node.op == "exp":
        parts = terms(node.args[0])
        if len(parts) > 1:
            powers = [make("exp", scaled(c, t)) for c, t in parts]
            made = product(powers)
            assert made is not None
            yield Law("power of a sum", "product of powers", made)
        if node.args[0].op == "log":
            yield Law("exp of log", "exp of log", node.args[0].args[0])
        elif len(parts) == 1 and parts[0][0] < 0:
            below = make("exp", scaled(-parts[0][0], parts[0][1]))
            yield Law("negative power", "negative power", make("div", const(1), below))
    elif node.op in ("mul", "div"):
        found = factors(node)
        top = [f for f in found.top if f.op == "exp"]
        low = [f for f in found.low if f.op == "exp"]
        if len(top) + len(low) > 1:
            exponent = _added([f.args[0] for f in top]
                              + [scaled(Fraction(-1), f.args[0]) for f in low])  # fmt: skip
            power = () if value_of(exponent) == 0 else (make("exp", exponent),)
            rest = Product(found.number, tuple(f for f in found.top if f not in top) + power,
                           tuple(f for f in found.low if f not in low))  # fmt: skip
            yield Law("product of powers", "power of a sum", quotient(rest))


def _logarithms(node: Node) -> Iterator[Law]:
    if node.op != "log":
        return
    (a,) = node.args
    if a.op == "exp":
        yield Law("log of exp", "log of exp", a.args[0])
    found = factors(a)
    if len(found.top) + len(found.low) > (found.number == 1) and found.number > 0:
        parts = [(ONE, make("log", f)) for f in found.top]
        parts += [(-ONE, make("log", f)) for f in found.low]
        if found.number != 1:
            parts.append((ONE, make("log", scaled(found.number, const(1)))))
        if len(parts) > 1 or found.low:
            name = "log of a quotient" if found.low else "log of a product"
            yield Law(name, name, total(parts))


FRACTIONS: tuple[Rule, ...] = (_cancel, _logarithms, _exponentials)
LONGER: tuple[Rule, ...] = (_common_denominator, _above_and_below)

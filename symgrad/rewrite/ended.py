"""Powers that overflow where nothing depends on them any more: x**4/(1 + x**4), exp(-(x/k)**n).

A large number in place of infinity changes no value there, and the slope is 0, not 0 times
infinity. That a power is read so is seen in the value; its slopes, which hold powers of the same
base, get the same end.
"""

from collections.abc import Iterable

from symgrad.graph import Node, Users, consumers, having, rebuild, topological
from symgrad.graph.walk import read_once
from symgrad.ops import make, remake, value_of
from symgrad.rewrite.capped import BELOW, FLAT, inside, overflows, steep
from symgrad.rewrite.signs import nonnegative

MANY = 200  # nodes of a value that are looked through


def with_ends(values: Iterable[Node], roots: Iterable[Node]) -> dict[Node, Node]:
    """Give powers an end where what reads them in a value is flat far out.

    The value may be known in several forms.

    >>> from symgrad.ops import const, leaf
    >>> y = make("exp", make("neg", make("pow", leaf("x"), const(4))))
    >>> with_ends([y], [y])[y].args[0].args[0].op
    'ended'
    """
    roots = tuple(roots)
    bases = {b for value in dict.fromkeys(values) for b in _bases(value)}
    if not bases:
        return {n: n for n in topological(roots)}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if overflows(node) and node.args[0] in bases:
            return make("ended" if _above_zero(node) else "ended_signed", fresh)
        return fresh

    return rebuild(roots, change)


def _above_zero(power: Node) -> bool:
    """Say whether a power is not below 0; a fitted exponent is taken for one of such a base."""
    number = value_of(power.args[1])
    return number is None or number % 2 == 0 or nonnegative(power)


def _bases(value: Node) -> dict[Node, None]:
    """List what has powers that flat functions alone read."""
    order = topological([value])
    powers = [n for n in order if overflows(n) and n is not value]
    if not powers or not (any(map(steep, powers)) or having(order, "div")):
        return {}
    alone, users = read_once(order, [value]), consumers(order)
    found = {p for n in order if n.op in FLAT or n.op in BELOW for p in inside(n, alone)}
    found |= {p for p in powers if _in_quotient(p, users)}
    others = {p.args[0] for p in powers if p not in found}
    return dict.fromkeys(p.args[0] for p in powers if p.args[0] not in others)


def _in_quotient(power: Node, users: Users) -> bool:
    """Say whether a power is read by N/(c + t) alone, where N is t or does not know its base."""
    readers = [n for n, _ in users[power]]
    sums = [n for n in readers if n.op == "add"]
    for low in sums if len(readers) < 3 else ():
        (other,) = [a for a in low.args if a is not power] or [power]
        end, read = low, users[low]
        while len(read) == 1 and read[0][0].op in ("pow", "sqrt") and read[0][1] == 0:
            end, read = read[0][0], users[read[0][0]]
        whole = read[0][0] if len(read) == 1 else low
        if whole.op == "div" and whole.args[1] is end and _apart(other, power):
            top = whole.args[0]
            if len(readers) == 1:
                return (steep(power) or end is not low) and _apart(top, power)
            if end is low and _multiple(top, power, [r for r in readers if r is not low], whole):
                return True
    return False


def _multiple(top: Node, power: Node, readers: list[Node], whole: Node) -> bool:
    """Say whether a divided value, which reads a power once, is t, c t, t/c or c - t."""
    if top is power:
        return readers == [whole]
    if top.op == "div" and top.args[0] is not power:
        return False
    if readers != [top] or top.op not in ("mul", "div", "add", "sub"):
        return False
    return all(a is power or _apart(a, power) for a in top.args)


def _apart(node: Node, power: Node) -> bool:
    """Say whether a value has no input in common with the base of a power, and no such power."""
    base, whole = _below(power.args[0]), _below(node)
    if base is None or whole is None:
        return False
    own = {n for n in base if n.op == "input"}
    return not any(n in own or overflows(n) for n in whole)


def _below(root: Node) -> dict[Node, None] | None:
    """List what a value is made of; None where that is much, as of the last step of many."""
    found, todo = {root: None}, [root]
    for node in todo:  # which grows
        new = dict.fromkeys(a for a in node.args if a not in found)
        found |= new
        todo += new
        if len(found) > MANY:
            return None
    return found

"""Quotients that are guarded against 0, x/||x|| = 0 at 0, where the guard is in vain."""

from collections.abc import Iterable

from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.monomials import monomial
from symgrad.rewrite.signs import clear_of_zero, nonnegative
from symgrad.rewrite.tidy import kind, printed, tidy

GUARDED = ("over", "xdivy", "xlogy", "xlog1py")


def bare(node: Node) -> Node:
    """Give what is repeated along axes."""
    while kind(node) in ("expand", "broadcast"):
        node = node.args[0]
    return node


def without_guard(factor: Node, quotient: Node) -> Node | None:
    """Multiply by a guarded quotient without the guard; None if it is needed.

    ||x||^3 x/||x|| is ||x||^2 x. In formulas that are printed, the guard is in vain beside another
    division by ||x||.

    >>> from symgrad.ops import leaf
    >>> x = leaf("x", ("N",)); r = make("norm", x)
    >>> without_guard(make("pow", r, const(3)), make("over", x, r)).args[0].op
    'pow'
    """
    v, r = quotient.args
    low = bare(r)
    if _vanishes_with(v, low):
        rest = _divided(factor, low)
        if rest is not None:
            return tidy("mul", (rest, v), {})
    if printed() and _divides(low, factor):
        return tidy("mul", (factor, make("div", v, r)), {})
    return None


def _vanishes_with(v: Node, r: Node) -> bool:
    """Say whether a vector is 0 where r is: r is its norm, or it is x - mean(x) and r is std(x)."""
    if r.op == "std" and v.op == "sub" and v.args[0] is r.args[0]:
        middle = bare(v.args[1])
        return middle.op == "mean" and middle.args[0] is r.args[0] and not r.shape + middle.shape
    return r.op == "norm" and r.args[0] is v


def divided_twice(quotient: Node, low: Node) -> Node | None:
    """Divide a guarded quotient once more by a product with its divisor: x/||x||^2."""
    v, r = quotient.args
    if not printed() or _divided(low, bare(r)) is None:
        return None
    return tidy("div", (v, tidy("mul", (r, low), {})), {})


def _divided(node: Node, r: Node) -> Node | None:
    """Divide a product by a factor that it has; None if it has none."""
    if bare(node) is r:
        return const(1)
    op = kind(node)
    if op == "mul":
        for k, part in enumerate(node.args):
            rest = _divided(part, r)
            if rest is not None:
                return tidy("mul", (rest, node.args[1 - k]), {})
    if op in ("neg", "div"):
        rest = _divided(node.args[0], r)
        return None if rest is None else tidy(op, (rest, *node.args[1:]), {})
    if op == "pow" and bare(node.args[0]) is r and node.args[1].op == "const":
        power = node.args[1].attrs["value"] - 1
        return tidy("pow", (node.args[0], const(power)), {}) if power > 0 else None
    return None


def _divides(r: Node, node: Node) -> bool:
    """Say whether a product is divided by r: beside that a guard against r = 0 is in vain."""
    todo = [(node, False)]
    while todo:
        part, below = todo.pop()
        part = bare(part)
        if part is r and below:
            return True
        if kind(part) in ("mul", "neg"):
            todo += [(a, below) for a in part.args]
        elif kind(part) == "pow":
            todo.append((part.args[0], below))
        elif kind(part) == "div":
            todo += [(part.args[0], below), (part.args[1], True)]
    return False


def bare_numbers(roots: Iterable[Node]) -> dict[Node, Node]:
    """Map every node to its image: guards of numbers are left out where floats need none.

    Before this the normal form could have joined a quotient without a guard with other factors, so
    that it was 0 times infinity at the ends of the range.

    >>> from symgrad.ops import leaf
    >>> x, h = leaf("x"), make("hypot", leaf("y"), const(1))
    >>> top = make("over", x, h)
    >>> bare_numbers([top])[top].op
    'div'
    """
    order = topological(roots)
    if any(n.shape for n in order) or not having(order, *GUARDED):
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        a, b = args if len(args) == 2 else (node, node)
        if node.op in ("over", "xdivy") and above_zero(b):
            return make("div", a, b)
        if node.op == "xdivy" and _infinite_with(a, b):
            return make("div", a, b)
        if node.op == "xlogy" and moderate(b) and above_zero(b):
            return make("mul", a, make("log", b))
        if node.op == "xlog1py" and moderate(b) and nonnegative(b):
            return make("mul", a, make("log1p", b))
        return remake(node, args)

    return rebuild(roots, change)


def _infinite_with(top: Node, low: Node) -> bool:
    """Say whether a number is infinite, not 0, where its divisor is 0: 1/r**2 over 2 r."""
    above, below = monomial(top, {}).powers, monomial(low, {}).powers
    inverse = all(e < 0 for e in above.values())
    return inverse and bool(below) and all(e > 0 and base in above for base, e in below.items())


def above_zero(node: Node) -> bool:
    """Say whether a number is above 0 in floats, too: declared, or a root of what is."""
    if node.op == "sqrt":
        return above_zero(node.args[0])
    if node.op == "mul":  # of a root and a number: the root is not small
        return any(
            x.op == "sqrt" and above_zero(x) and (value_of(y) or 0) >= 1
            for x, y in (node.args, node.args[::-1])
        )
    declared = node.op == "input" and node.attrs["kind"] == "positive"
    return declared or clear_of_zero(node)


def moderate(node: Node) -> bool:
    """Say whether a number is one that is given, or a sum of such numbers: it does not overflow."""
    if node.op in ("add", "sub"):
        return all(map(moderate, node.args))
    return node.op in ("input", "const")

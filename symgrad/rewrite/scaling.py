"""Multiply the smallest factor of a product by a number: (2/N)(a b) as ((2/N) a) b, -(a b) too."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from symgrad.graph import Node, consumers, rebuild, topological, unchanged
from symgrad.ops import make, remake

SPREAD = ("expand", "broadcast")
Users = Mapping[Node, Sequence[object]]


def small_first(roots: Iterable[Node], named: Collection[Node]) -> dict[Node, Node]:
    """Take numbers and signs of a product to a factor with fewer axes; named products stay.

    >>> from symgrad.ops import const, leaf
    >>> a, b = leaf("a", ("N",)), leaf("b", ("N", "D"))
    >>> spread = make("expand", a, axes=(1,))
    >>> top = make("mul", const(2), make("mul", spread, b))
    >>> [x.op for x in small_first([top], ())[top].args]
    ['expand', 'input']
    """
    roots = tuple(roots)
    order = topological(roots)
    if not any(n.op in ("mul", "div", "neg", "over") and n.shape for n in order):
        return unchanged(order)
    users = consumers(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op == "over" and len(users[node.args[0]]) == 1 and node.args[0] not in named:
            return _by_rows(fresh) or fresh
        found = _one_number(node, fresh, users, named) if node.op in ("mul", "div") else None
        if found is not None:
            return found
        for k in _numbers(fresh):
            product = node.args[1 - k] if node.op != "neg" else node.args[0]
            if len(users[product]) == 1 and product not in named:
                found = _scaled(node.op, args, k, named, k not in _numbers(node))
                if found is not None and found.shape == node.shape:
                    return found
        return fresh

    return rebuild(roots, change, only=("mul", "div", "neg", "over"))


def _by_rows(quotient: Node) -> Node | None:
    """Divide weights of rows by their lengths, not weighted entries: (x u)/|x| as x (u/|x|)."""
    product, low = quotient.args
    if product.op != "mul" or low.op != "expand":
        return None
    for x, u in (product.args, product.args[::-1]):
        alike = u.op == "expand" and u.attrs == low.attrs and u.shape == low.shape
        if alike and x.shape == quotient.shape:
            weights = make("over", u.args[0], low.args[0])
            return make("mul", x, make("expand", weights, **low.attrs))
    return None


def _one_number(node: Node, fresh: Node, users: Users, named: Collection[Node]) -> Node | None:
    """Multiply a number by a constant, not an array twice: k (2 u) as (2 k) u."""
    for k, number in enumerate(fresh.args):
        product, typed = fresh.args[1 - k], node.args[1 - k]
        if number.shape or not product.shape or (node.op == "div" and not k) or of_sizes(number):
            continue
        if product.op != "mul" or typed in named or len(users[typed]) != 1:
            continue
        for c, u in (product.args, product.args[::-1]):
            if of_sizes(c) and u.shape == product.shape:
                return make("mul", make(node.op, c, number), u)
    return None


def _numbers(node: Node) -> list[int]:
    """List the operands by which a product is scaled; a sign counts as one."""
    if not node.shape or node.op not in ("mul", "div", "neg"):
        return []
    if node.op == "neg":
        return [0] if node.args[0].op == "mul" else []
    places = (0, 1) if node.op == "mul" else (1,)
    return [k for k in places if node.args[1 - k].op == "mul" and of_sizes(node.args[k])]


def of_sizes(number: Node) -> bool:
    """Say whether a number is made of constants and sizes: with others the order may overflow."""
    return not number.shape and all(
        n.args or n.op in ("const", "dim") for n in topological([number])
    )


def _scaled(
    op: str, args: tuple[Node, ...], k: int, named: Collection[Node], columns: bool
) -> Node | None:
    """Scale the factor with the fewest axes by the operand k; None if all have as many."""
    product = args[1 - k] if op != "neg" else args[0]
    if product.op != "mul" or product in named:
        return None

    def by(factor: Node) -> Node:
        if op == "neg":
            return make("neg", factor)
        return make(op, factor, args[k]) if op == "div" else make(op, args[k], factor)

    return _smallest(product, by, op == "neg", named, columns)


def _smallest(
    product: Node, by: Callable[[Node], Node], sign: bool, named: Collection[Node], columns: bool
) -> Node | None:
    """Scale a factor that has fewer axes, only if it is spread over columns where that is asked."""
    for j, factor in enumerate(product.args):
        other = product.args[1 - j]
        changed: Node | None = None
        if factor.op in SPREAD and len(factor.args[0].shape) < len(product.shape):
            changed = make(factor.op, by(factor.args[0]), **factor.attrs)
        elif not columns and len(factor.shape) < len(product.shape) and (factor.shape or sign):
            changed = by(factor)
        elif factor.op == "mul" and factor not in named:
            changed = _smallest(factor, by, sign, named, True)
        if changed is not None:
            return make("mul", *((changed, other) if j == 0 else (other, changed)))
    return None

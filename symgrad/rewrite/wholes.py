"""Which sums inside an expression a form may leave whole: squares of them, roots, repeated ones."""

from collections.abc import Collection

from symgrad.graph import Node, above_line, leaves, rebuild, summands, topological
from symgrad.ops import const
from symgrad.rewrite.tidy import printed, tidy


def wholes(
    inside: list[Node], root: Node, atoms: list[Node], named: Collection[Node]
) -> list[Node]:
    """List the sums of an expression that may be better not multiplied out."""
    found = [*_bases(inside, root, named), *_under_roots(inside, atoms)]
    return [*found, *_repeated(inside, root, named)] if printed() else found


def cancelled(form: Node, named: Collection[Node] = ()) -> Node:
    """Leave out of sums what is there with both signs: K for K - N + N, with K - N left whole.

    What has a name stays as it is.

    >>> from symgrad.ops import leaf, make
    >>> a, b = leaf("a"), leaf("b")
    >>> cancelled(make("mul", b, make("sub", a, make("sub", a, b))))
    <mul ()>
    """

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        terms = summands(node) if node.op in ("add", "sub") else []
        left = list(terms)
        for n, negative in terms:
            if not negative and (n, True) in left and (n, False) in left:
                left.remove((n, True))
                left.remove((n, False))
        if len(left) == len(terms):
            return node if args == node.args else tidy(node.op, args, node.attrs)
        total = const(0)
        for n, negative in sorted(left, key=lambda term: term[1]):
            total = tidy("sub" if negative else "add", (total, n), {})
        return total if total.shape == node.shape else node

    ends = [n for n in topological([form], named.__contains__) if n in named]
    return rebuild([form], change, dict(zip(ends, ends, strict=True)))[form]


def _repeated(inside: list[Node], root: Node, named: Collection[Node]) -> list[Node]:
    """List the sums that stand twice: -2 (1.5 - x + x y) + 2 (1.5 - x + x y) y has one factor."""
    users: dict[Node, int] = {}
    for node in inside:
        for a in dict.fromkeys(node.args):
            users[a] = users.get(a, 0) + 1
    doubled = [n for n in inside if users.get(n, 0) > 1 and n is not root and n not in named]
    # 2 (x - m), used twice, is a number times a sum
    cores = [n.args[1] if n.op == "mul" and n.args[0].op == "const" else n for n in doubled]
    return [n for n in dict.fromkeys(cores) if n.op in ("add", "sub") and n in inside]


def _bases(inside: list[Node], root: Node, named: Collection[Node]) -> list[Node]:
    """List the sums under a power: (x - m)^2 and ((x - m)/s)^2 beside other terms stay squares."""
    part = dict.fromkeys(inside)
    powers = [base for n in inside if n.op == "pow" for base in _multiplied(n.args[0], part)]
    sums = [n for n in inside if n.op in ("add", "sub") and n is not root]
    found = [base for base in powers if base is not root and base not in named]
    # 1 - (r/c)^2 would be (c - r) (c + r)/c^2
    several = len(sums) > 1 or (printed() and any(n.op == "div" for n in topological(found)))
    return found if several and len(powers) < len(inside) else []


def _under_roots(inside: list[Node], atoms: list[Node]) -> list[Node]:
    """List the sums whose root is an atom: 1/sqrt(v + eps) beside v + eps."""
    roots = [a.args[0] for a in atoms if a.op == "sqrt"]
    return [n for n in roots if n.op in ("add", "sub") and n in inside]


def _multiplied(node: Node, inside: dict[Node, None]) -> list[Node]:
    """List the sums that a power's base has as factors above the line, or is."""
    factors = leaves(node, lambda n: above_line(n) if n in inside else ())
    return [f for f in factors if f.op in ("add", "sub")]

"""Functions of the same operand, computed from one another."""

from collections.abc import Collection, Iterable, Mapping

from symgrad.graph import Node, consumers, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake, value_of
from symgrad.parse.rows import written
from symgrad.rewrite.scaled import Multiple, multiple
from symgrad.rewrite.scaling import of_sizes
from symgrad.rewrite.signs import nonnegative

SECANTS = {"exprel": "expm1", "logrel": "log1p", "tanhrel": "tanh"}  # f(a)/a, 1 at 0
_LOG = "log1p(exp(-abs(a)))"
BOTH_SIDES = (f"maximum(a, 0) + {_LOG}", f"{_LOG} - minimum(a, 0)")  # softplus of a, of -a
MOST = 4  # the power that is taken of an exponential


def partners(roots: list[Node], accurate: bool) -> dict[Node, Node]:
    """Compute from what is there: a sigmoid's slope from it, the other factors from a product."""
    order = topological(roots)
    sigmoids = dict.fromkeys(having(order, "sigmoid"))
    there = {} if accurate else dict.fromkeys(n.args[0] for n in sigmoids)
    gates = dict.fromkeys(having(order, "gelu_gate"))
    bernoullis = dict.fromkeys(n.args[0] for n in having(order, "bernoulli"))
    totals = {n.args[0]: n for n in having(order, "prod") if not n.shape and n.args[0].shape}
    memo: dict[Node, Node] = {}
    for node in order:
        if node.op == "sigmoid_slope" and node.args[0] in there:
            (a,) = node.args
            memo[node] = make("mul", make("sigmoid", a), make("sigmoid", make("neg", a)))
        elif node.op == "sub" and (opposite := _opposite(*node.args)) in sigmoids:
            memo[node] = opposite
        elif node.op == "sub" and (opposite := _opposite(*node.args[::-1])) in sigmoids:
            memo[node] = make("neg", opposite)
        elif node.op == "gelu_tanh" and make("gelu_gate", *node.args) in gates:
            memo[node] = make("mul", node.args[0], make("gelu_gate", *node.args))
        elif node.op == "mul" and not accurate and (x := _times_slope(node)) in bernoullis:
            y = make("bernoulli", x)
            memo[node] = make("mul", y, make("sub", make("sub", const(1), x), y))
        elif node.op == "others" and node.args[0] in totals and len(node.shape) == 1:
            memo[node] = make("others", node.args[0], totals[node.args[0]], **node.attrs)
    return rebuild(roots, remake, memo) if memo else unchanged(roots)


def _times_slope(product: Node) -> Node | None:
    """Give the x of x B'(x), which is B (1 - x - B) for B(x) = x/(exp(x) - 1); x is at least 0."""
    for x, slope in (product.args, product.args[::-1]):
        if slope.op == "bernoulli_slope" and slope.args[0] is x and nonnegative(x):
            return x
    return None


def functions_shared(roots: Iterable[Node]) -> dict[Node, Node]:
    """Map every node to its image: exp(2a) is the square of exp(a) where both are needed.

    So (f(a) + [a = 0])/(a + [a = 0]) stands for f(a)/a beside f(a), and exp(a) - 1 for expm1(a)
    beside exp(a) where nothing but sizes multiplies it. softplus of a and of -a have one logarithm.

    >>> from symgrad.ops import leaf
    >>> a = leaf("a", ("N",)); one, two = make("exp", a), make("exp", make("mul", const(2), a))
    >>> functions_shared([one, two])[two] is make("pow", one, const(2))
    True
    """
    roots = tuple(roots)
    order = dict.fromkeys(topological(roots))
    exponentials = [n for n in having(order, "exp") if n.shape]
    secants = [n for n in having(order, *SECANTS) if n.shape]
    images = _powers(exponentials) if len(exponentials) > 1 else {}
    for node in secants:
        (a,) = node.args
        inner = make(SECANTS[node.op], a)
        if inner in order:
            images[node] = written("(b + (a == 0))/(a + (a == 0))", [a, inner])
    logs = {n: None for n in having(order, "softplus") if n.shape}
    images |= _both_sides(logs)
    images |= _of_logarithms((n for n in order if logs and n.op == "sigmoid"), logs, images)
    if exponentials and any(n.shape for n in having(order, "expm1")):
        images |= _less_one(order, roots)
    return rebuild(roots, remake, images) if images else unchanged(order)


def _both_sides(nodes: Collection[Node]) -> dict[Node, Node]:
    """Write softplus of a and of -a with one logarithm, where both are there."""
    found: dict[Node, Node] = {}
    for node in nodes:
        (a,) = node.args
        opposite = a.args[0] if a.op == "neg" else None
        if a.op == "sub":
            opposite = make("sub", *a.args[::-1])
        if opposite is None or node in found:
            continue
        other = make("softplus", opposite, **node.attrs)
        if other in nodes:
            texts = (written(text, [opposite], {}) for text in BOTH_SIDES)
            found |= dict(zip((other, node), texts, strict=True))
    return found


def _of_logarithms(
    gates: Iterable[Node], logs: Collection[Node], images: Mapping[Node, Node]
) -> dict[Node, Node]:
    """Write sigma(a) as exp(-softplus(-a)) where that is there."""
    found = {}
    for gate in gates:
        there = next((n for n in map(_softplus, _opposites(*gate.args)) if n in logs), None)
        if there is not None:
            found[gate] = make("exp", make("neg", images.get(there, there)))
    return found


def _opposites(a: Node) -> list[Node]:
    """List what -a is written as."""
    turned = {"neg": a.args, "sub": (make("sub", *a.args[::-1]),) if a.op == "sub" else ()}
    return [make("neg", a), *turned.get(a.op, ())]


def _softplus(a: Node) -> Node:
    return make("softplus", a)


def squares_once(roots: Iterable[Node]) -> dict[Node, Node]:
    """Take a**2 for a*a where that is there, its sum for a @ a, and (a w) a for a**2 w beside a w.

    >>> from symgrad.ops import leaf
    >>> a, w = leaf("a", ("N",)), leaf("w", ("N",))
    >>> square, product = make("pow", a, const(2)), make("mul", a, a)
    >>> squares_once([square, product])[product] is square
    True
    >>> part, whole = make("mul", a, w), make("mul", square, w)
    >>> squares_once([whole, part])[whole] is make("mul", part, a)
    True
    """
    roots = tuple(roots)
    order = dict.fromkeys(topological(roots))
    squares = {n: n.args[0] for n in having(order, "pow") if value_of(n.args[1]) == 2}
    if not squares:
        return unchanged(order)
    alone, images = read_once(order, roots), dict[Node, Node]()
    for node in order:
        twice = len(node.args) == 2 and node.args[0] is node.args[1]
        square = make("pow", node.args[0], const(2)) if twice and node.shape else node
        if node.op == "mul" and square in squares:
            images[node] = square
        elif node.op == "matmul" and twice and not node.shape:
            total = make("sum", make("pow", node.args[0], const(2)))
            images |= {node: total} if total in order else {}
        elif node.op in ("mul", "div") and node.shape:
            found = _weighted_square(node, squares, order)
            images |= {node: found[0]} if found is not None and found[1] in alone else {}
    return rebuild(roots, remake, images) if images else unchanged(order)


def _weighted_square(
    product: Node, squares: Mapping[Node, Node], there: Collection[Node]
) -> tuple[Node, Node] | None:
    """Write a**2 w by a w, or a**2/w by a/w, where that is there; give the square, too."""
    for square, w in (product.args, product.args[::-1])[: 1 + (product.op == "mul")]:
        a = squares.get(square)
        if a is None or a.shape != product.shape:
            continue
        for part in ((a, w), (w, a))[: 1 + (product.op == "mul")]:
            if (half := make(product.op, *part)) in there:
                return make("mul", half, a), square
    return None


def _powers(exponentials: list[Node]) -> dict[Node, Node]:
    """Write exponentials of whole multiples of an exponent as powers."""
    known: dict[object, list[tuple[Multiple, Node]]] = {}
    for node in exponentials:
        part = _exponent(node.args[0])
        key = part.base, frozenset(part.over), frozenset(part.under)
        known.setdefault(key, []).append((part, node))
    found = {}
    for group in known.values():
        small, first = min(group, key=lambda one: abs(one[0].number))
        for part, node in group:
            power = part.number / small.number
            if node is not first and power in range(2, MOST + 1):
                found[node] = make("pow", first, const(int(power)))
    return found


def _exponent(node: Node) -> Multiple:
    """Read an exponent as a multiple; a sum of two multiples of one value is one."""
    if node.op == "add":
        one, two = (multiple(a) for a in node.args)
        if (one.base, one.over, one.under) == (two.base, two.over, two.under):
            return Multiple(one.base, one.number + two.number, one.over, one.under)
    return multiple(node)


def _less_one(order: Iterable[Node], roots: Iterable[Node]) -> dict[Node, Node]:
    """Write expm1(a) as exp(a) - 1 where that is there, and its digits near 0 are not enlarged."""
    users, tops = consumers(order), dict.fromkeys(roots)
    found = {}
    for node in users:
        there = make("exp", *node.args) if node.op == "expm1" else node
        if there is node or there not in users:
            continue
        scaled = [u for u, _ in users[node] if u.op in ("mul", "div") and u.args[0] is node]
        if node in tops or (len(scaled) == len(users[node]) and all(_small(u) for u in scaled)):
            found[node] = make("sub", there, const(1))
    return found


def _small(scaled: Node) -> bool:
    """Say whether a value is divided by a size."""
    return scaled.op == "div" and of_sizes(scaled.args[1])


def _opposite(one: Node, gate: Node) -> Node | None:
    """Give sigma(-z) for 1 - sigma(z)."""
    if value_of(one) != 1 or gate.op != "sigmoid":
        return None
    (z,) = gate.args
    return make("sigmoid", z.args[0] if z.op == "neg" else make("neg", z))

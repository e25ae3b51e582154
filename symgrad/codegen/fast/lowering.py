"""Lower a plan by cost: cheaper equal forms, down to what one NumPy call computes.

What an operator is cheap as stands in its row (`fast`); here are the rules of arithmetic only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from symgrad.codegen.plan import Plan
from symgrad.graph import Node, rebuild, topological
from symgrad.graph.walk import consumers
from symgrad.ops import OPS, const, make, remake, value_of
from symgrad.parse.rows import written
from symgrad.rewrite.match import compiled, parse_rule, rewrite
from symgrad.shapes import axes_of

RULES = {
    rule.before: rule
    for rule in (
        # for targets 0 and 1 exact: the difference is 0 where the loss is
        parse_rule(
            "b*softplus(-a) + (1 - b)*softplus(a) -> maximum(a, 0) - a*b + log1p(exp(-abs(a)))"
        ),
    )
}
HIGHEST = 16  # powers up to it are products: at most 6 of them, one np.power costs 80
NUMBERS = ("const", "dim")
REDUCTIONS = ("sum", "amax", "amin")


@dataclass(slots=True)
class Lowered:
    """Hold what is to be computed, and which rules made it cheaper (`fired`: rule, count)."""

    value: Node
    grads: dict[str, Node]
    names: dict[Node, str]
    image: dict[Node, Node]
    fired: dict[str, int] = field(default_factory=dict)


def lowered(plan: Plan, accurate: bool = False) -> Lowered:
    """Lower the value and the gradients of a plan; `accurate` keeps the rows' own forms."""
    fired: dict[str, int] = {}
    roots = [plan.value, *plan.grads.values()]
    shared = rebuild(roots, lambda n, args: _shared(remake(n, args), fired, accurate))
    partners = _partners([shared[r] for r in roots], fired, accurate)
    shared = {n: partners[m] for n, m in shared.items() if m in partners}
    image = _opened([shared[r] for r in roots], fired, accurate)
    image = {n: image[m] for n, m in shared.items() if m in image}
    chained = _chained([image[r] for r in roots], fired)
    image = {n: chained.get(m, m) for n, m in image.items()}
    names: dict[Node, str] = {}
    for node, name in plan.names.items():
        if node in image and image[node].op not in ("input", *NUMBERS):
            names.setdefault(image[node], name)
    return Lowered(
        image[plan.value], {k: image[n] for k, n in plan.grads.items()}, names, image, fired
    )


def _count(fired: dict[str, int], rule: str) -> None:
    fired[rule] = fired.get(rule, 0) + 1


def _partners(roots: list[Node], fired: dict[str, int], accurate: bool) -> dict[Node, Node]:
    """Compute a value from another that is there: sigmoid from softplus, others from the product."""
    order = topological(roots)
    smooth = dict.fromkeys(n.args[0] for n in order if n.op == "softplus")
    # max(a, 0) - a*b + log1p(exp(-|a|)) has made the two parts of a softplus
    smooth |= dict.fromkeys(
        n.args[0].args[0].args[0].args[0] for n in order
        if n.op == "log1p" and n.args[0].op == "exp" and n.args[0].args[0].op == "neg"
        and n.args[0].args[0].args[0].op == "abs"
    )  # fmt: skip
    totals = {n.args[0]: n for n in order if n.op == "prod" and not n.shape and n.args[0].shape}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op == "sigmoid" and node.shape and node.args[0] in smooth and not accurate:
            _count(fired, "sigmoid from softplus, which is there")
            return make("exp", make("sub", args[0], make("softplus", args[0])))
        if node.op == "others" and node.args[0] in totals and len(node.shape) == 1:
            _count(fired, "the product of the others from the product")
            return make("others", args[0], make("prod", args[0]), **node.attrs)
        return fresh

    return rebuild(roots, change)


def _shared(node: Node, fired: dict[str, int], accurate: bool) -> Node:
    """Take one exponential for softmax and its logarithm; pick before subtracting."""
    if accurate:
        return node
    for rule in RULES.values():
        if compiled(rule.before).op == node.op:
            after = rewrite(rule, node)
            if after is not None:
                _count(fired, "cross-entropy of a logit with one logarithm")
                return after
    if node.op == "exp" and node.args[0].op == "log_softmax":
        _count(fired, "softmax and its logarithm share their exponentials")
        inner = node.args[0]
        return make("softmax", inner.args[0], axis=inner.attrs["axis"])
    if node.op == "pick" and node.args[0].op == "log_softmax":
        scores = node.args[0].args[0]
        if node.args[0].attrs["axis"] in (-1, len(scores.shape) - 1):
            _count(fired, "only the entry at the label is taken of log softmax")
            return written(
                "target(a - amax(a, -1, True), b) - log(sum(exp(a - amax(a, -1, True)), -1))",
                (scores, node.args[1]),
            )
    return node


def _opened(roots: list[Node], fired: dict[str, int], accurate: bool) -> dict[Node, Node]:
    """Map every node to its cheapest form; a row's text may need lowering itself."""
    memo: dict[Node, Node] = {}
    todo = [*reversed(topological(roots))]
    while todo:
        node = todo[-1]
        if node in memo:
            todo.pop()
            continue
        fresh = remake(node, tuple(memo[a] for a in node.args)) if node.args else node
        inner = _cheaper(fresh, fired, accurate)
        if inner is None or inner is fresh:
            memo[node] = memo[fresh] = fresh
        elif inner in memo:
            memo[node] = memo[fresh] = memo[inner]
        else:
            for operand in fresh.args:
                memo.setdefault(operand, operand)
            todo += reversed(topological([inner], stop=lambda n: n in memo))
    return memo


def _cheaper(node: Node, fired: dict[str, int], accurate: bool) -> Node | None:
    row = OPS.get(node.op)
    if node.op in REDUCTIONS:
        return _reduction(node, fired)
    if row is not None and row.fast and not accurate:
        found = written(row.fast, node.args, node.attrs)
        if found.shape == node.shape and (node.shape or row.shape == "reduce"):
            _count(fired, f"{node.op} by cheaper operators")
            return found
        return None
    if not node.shape:
        return None
    if row is not None and row.shape == "elementwise" and _stretched(node):
        return make(node.op, *_unstretched(node), **node.attrs)
    if node.op == "abs" and node.args[0].op == "neg":
        return make("abs", node.args[0].args[0])
    if node.op == "matmul" and len(node.shape) == 2 and node.args[0].shape[1] == 1:
        _count(fired, "a column times a row without a product of matrices")
        return make("mul", *node.args)
    if node.op == "pow":
        return _power(node, fired)
    if node.op == "div" and node.args[0].shape == node.shape:
        return _quotient(node, fired)
    return None


def _stretched(node: Node) -> bool:
    """Say whether NumPy would repeat an operand along axes by itself."""
    parts = _unstretched(node)
    return parts != node.args and make(node.op, *parts, **node.attrs).shape == node.shape


def _unstretched(node: Node) -> tuple[Node, ...]:
    return tuple(a.args[0] if _repeats(a) else a for a in node.args)


def _repeats(node: Node) -> bool:
    return node.op == "broadcast" or (node.op == "expand" and not node.args[0].shape)


def _reduction(node: Node, fired: dict[str, int]) -> Node | None:
    """Reduce without keeping axes; take signs and numbers out of sums; open means."""
    axis, inner = node.attrs["axis"], node.args[0]
    if not inner.shape:
        return None
    if node.attrs.get("keepdims"):
        axes = axes_of(axis, len(inner.shape))
        flat = make(node.op, inner, axis=axis, keepdims=False)
        return make("expand", flat, axes=axes)
    if node.op != "sum":
        return None
    if inner.op == "neg":
        return make("neg", make("sum", inner.args[0], axis=axis))
    if inner.op == "abs" and inner.args[0].op == "neg":
        return make("sum", make("abs", inner.args[0].args[0]), axis=axis)
    if inner.op == "add" and not node.shape and all(_whole_product(a, inner) for a in inner.args):
        _count(fired, "the sum of products as dot products")
        return make("add", *(make("sum", a, axis=axis) for a in inner.args))
    if inner.op == "mul" and not (inner.args[0].shape and inner.args[1].shape):
        number, rest = inner.args if not inner.args[0].shape else inner.args[::-1]
        if rest.shape == inner.shape and rest.dtype == "float":
            _count(fired, "numbers are taken out of sums")
            return make("mul", number, make("sum", rest, axis=axis))
    return None


def _whole_product(node: Node, whole: Node) -> bool:
    """Say whether a term is a product of two arrays, whose sum is a dot product."""
    while node.op == "mul" and not (node.args[0].shape and node.args[1].shape):
        node = node.args[0] if node.args[0].shape else node.args[1]
    return node.op == "mul" and node.shape == whole.shape and all(a.shape for a in node.args)


def _power(node: Node, fired: dict[str, int]) -> Node | None:
    """Write a small constant power as products, square roots and one division."""
    base, power = node.args[0], value_of(node.args[1])
    if power is None or base.shape != node.shape or abs(power) > HIGHEST:
        return None
    if power != int(power):
        if abs(power) != 0.5:
            return None
        found = make("sqrt", base)
    elif power == 0:
        return None
    else:
        if int(abs(power)) % 2 == 0 and base.op == "sub" and base.args[0].op in NUMBERS:
            base = make("sub", *reversed(base.args))  # (1 - x)**2 as (x - 1)**2: one of the two
        found = _multiplied(base, int(abs(power)))
    _count(fired, "powers by multiplication")
    return make("div", const(1), found) if power < 0 else found


def _multiplied(base: Node, power: int) -> Node:
    """Multiply by squaring: x**5 = (x*x)*(x*x)*x."""
    result: Node | None = None
    square = base
    while power:
        if power & 1:
            result = square if result is None else make("mul", result, square)
        power >>= 1
        if power:
            square = make("mul", square, square)
    assert result is not None
    return result


def _positive(node: Node) -> bool:
    """Say whether a divisor is safely away from 0: its reciprocal cannot overflow."""
    if node.op == "sum":
        return node.args[0].op == "exp" and node.args[0].args[0].op == "sub"
    if node.op == "sqrt" and node.args[0].op == "add":
        return any((value_of(a) or 0) >= 1e-30 for a in node.args[0].args)
    return False


def _quotient(node: Node, fired: dict[str, int]) -> Node | None:
    """Divide the few, multiply the many: x/N = x * (1/N)."""
    top, low = node.args
    power = value_of(low)
    plain = low.op == "dim" or (power is not None and 1e-30 < abs(power) < 1e30)
    narrow = low.shape != node.shape and _positive(low)
    if not (plain or narrow) or value_of(top) == 1:
        return None
    _count(fired, "division by a number or a column as a product with its reciprocal")
    return make("mul", top, make("div", const(1), low))


def _chained(roots: list[Node], fired: dict[str, int]) -> dict[Node, Node]:
    """Multiply the numbers of a product first, then what is small, then whole arrays."""
    order = topological(roots)
    users = consumers(order)
    tops = dict.fromkeys(roots)

    def inner(node: Node) -> bool:
        """Say whether a product is only a factor of another product."""
        used = users[node]
        return node.op == "mul" and len(used) == 1 and node not in tops and used[0][0].op == "mul"

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        if node.op != "mul" or not node.shape or inner(node):
            return fresh
        return _regrouped(fresh, node, inner, fired)

    return rebuild(roots, change)


def _regrouped(fresh: Node, node: Node, inner: object, fired: dict[str, int]) -> Node:
    factors: list[Node] = []
    todo = [(fresh, node)]
    while todo:
        image, original = todo.pop()
        for k in (1, 0):
            part, before = image.args[k], original.args[k]
            open_ = part.op == "mul" and before.op == "mul" and inner(before)  # type: ignore[operator]
            if open_:
                todo.append((part, before))
            else:
                factors.append(part)
    factors = factors[::-1] if len(factors) == 2 else _ordered(fresh, factors)
    small = [f for f in factors if f.shape != node.shape]
    if len(small) < 2 or len(factors) < 3:
        return fresh
    scalars = [f for f in small if not f.shape]
    rest = sorted((f for f in small if f.shape), key=lambda f: len(f.shape))
    whole = [f for f in factors if f.shape == node.shape]
    result: Node | None = None
    for f in [*scalars, *rest, *whole]:
        result = f if result is None else make("mul", result, f)
    assert result is not None
    if result.shape != node.shape:
        return fresh
    if result is not fresh:
        _count(fired, "numbers of a product first")
    return result


def _ordered(fresh: Node, factors: list[Node]) -> list[Node]:
    """Keep the factors in the order in which they are written."""
    places: Mapping[Node, int] = {n: k for k, n in enumerate(topological([fresh]))}
    return sorted(factors, key=lambda f: places[f])

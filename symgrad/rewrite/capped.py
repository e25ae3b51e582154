"""What overflows inside of what is flat far out, tanh(exp(x)) or exp(-1/x**2): finite slopes.

The slope of tanh is 0 where exp(x) overflows, and 0 times infinity is no number: a large number in
place of infinity changes no value there.
"""

from collections.abc import Collection, Iterable

from symgrad.graph import Node, consumers, rebuild, topological, unchanged
from symgrad.ops import make, remake, value_of
from symgrad.rewrite.peaks import LOGS, lifted
from symgrad.rewrite.removable import removable
from symgrad.rewrite.roots import with_own_slopes
from symgrad.rewrite.signs import clear_of_zero, nonnegative

# far out on both sides, and below
STEEP = ("tanh", "sech_squared", "erf", "sigmoid", "normal_cdf", "normal_pdf", "gaussian", "exp",
         "expm1")  # fmt: skip
FLAT = (*STEEP[:-2], "arctan", "softsign")
EITHER = (*FLAT, "exp", "expm1")  # or as steep as infinity on the other side
CAPPED = ("exp", "sinh", "cosh")
LEAST = 2  # powers below it overflow nowhere that their slopes do
FEW = 8  # nodes of an exponent that may be a number
BELOW = ("exp", "expm1", "softplus", "elu", "selu", "celu", "silu", "gelu", "mish", "relu")


def kept_finite(
    image: dict[Node, Node], outputs: Iterable[Node], names: Iterable[Node], mode: str
) -> dict[Node, Node]:
    """Map nodes on to images that do not overflow: sums of exponentials, and what is flat."""
    for change in (with_own_slopes, removable):
        filled = change(image.values(), mode)
        image = {n: filled[i] for n, i in image.items()}
    ops = dict.fromkeys([n.op for n in image.values()])
    if not any(op in ops for op in LOGS) and not _grows(ops, image.values()):
        return image
    tops, named = ([image[n] for n in some if n in image] for some in (outputs, names))
    changed = lifted([*tops, *named], named, mode == "accurate")
    ends = capped([changed[t] for t in tops], [changed[n] for n in named])
    return {n: ends.get(changed.get(i, i), i) for n, i in image.items()}


def capped(roots: Iterable[Node], named: Iterable[Node] = ()) -> dict[Node, Node]:
    """Write exp(x) with an upper end, x beside 0 in 1/x, where what alone reads it is flat there.

    Nodes that are `named`, but no roots, are mapped too.

    >>> from symgrad.ops import leaf
    >>> e = make("exp", leaf("x"))
    >>> y = make("tanh", make("neg", e))
    >>> capped([y])[y].args[0].args[0].op, capped([y, e])[y].args[0].args[0].op
    ('exp_capped', 'exp')
    """
    roots = tuple(roots)
    order = topological([*roots, *named])
    if not _grows(dict.fromkeys([n.op for n in order]), order):
        return unchanged(order)
    flat = [n for n in order if n.op in FLAT or n.op in BELOW]
    users, tops = consumers(order), dict.fromkeys(roots)
    read = [n for n in order if users[n] and n not in tops]
    alone = {n: None for n in read
             if len(users[n]) == 1 or all(user.op in FLAT for user, _ in users[n])}  # fmt: skip
    found = {e: None for node in flat for e in inside(node, alone) if not overflows(e)}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node not in found:
            return remake(node, args)
        if node.op in CAPPED:
            return make(f"{node.op}_capped", *args)
        top, low = args
        return make("div", top, _beside(low)) if node.op == "div" else _beside(make("pow", *args))

    return rebuild(order, change)


def _grows(ops: Collection[str], nodes: Iterable[Node]) -> bool:
    """Say whether what may overflow, and what is flat far out, are among some operators."""
    if not any(op in ops for op in (*FLAT, *BELOW)):
        return False
    return any(op in ops for op in CAPPED) or any(map(_a_pole, nodes))


def overflows(node: Node) -> bool:
    """Say whether a node is a power that may overflow where its base does not (see `ended`)."""
    power = value_of(node.args[1]) if node.op == "pow" else 0
    return power is None or power >= LEAST


def steep(power: Node) -> bool:
    """Say whether the slope of a power overflows too, where its base does not."""
    return value_of(power.args[1]) != 2


def gated(node: Node) -> Node | None:
    """Write mish(-exp(x)), a product of its operand with what is flat, with an upper end in it.

    >>> from symgrad.ops import leaf
    >>> gated(make("mish", make("neg", make("exp", leaf("x"))))).args[0].args[0].op
    'exp_capped'
    """
    found = {p: make(f"{p.op}_capped", *p.args) for p in inside(node) if p.op in CAPPED}
    return rebuild([node], remake, found)[node] if found else None


def inside(node: Node, alone: dict[Node, None] | None = None) -> list[Node]:
    """List what overflows in the sum that a function takes: all, or what is subtracted."""
    found: list[Node] = []
    todo = [(node.args[0], False)]
    while todo:
        part, negative = todo.pop()
        if alone is not None and part not in alone:
            continue
        below = negative or node.op in FLAT
        if part.op in CAPPED and _constant(part.args[0]):
            continue
        if part.op in CAPPED:
            found += [part] if below and (part.op != "sinh" or node.op in EITHER) else []
        elif overflows(part) and steep(part):
            found += [part] if below and (node.op in EITHER or nonnegative(part)) else []
        elif _a_pole(part):
            found += [part] if node.op in STEEP else []
        elif part.op in ("add", "sub"):
            todo += [(part.args[0], negative), (part.args[1], negative != (part.op == "sub"))]
        elif part.op == "neg":
            todo.append((part.args[0], not negative))
        elif part.op in ("mul", "div"):
            todo += _factors(part, negative, node.op in EITHER)
    return found


def _constant(exponent: Node) -> bool:
    """Say whether an exponent is made of a few numbers: 2**0.5 is exp(log(2)/2)."""
    todo, seen = [exponent], 0
    while todo and seen < FEW:
        part = todo.pop()
        seen += 1
        if part.op in ("input", "dim"):
            return False
        todo += part.args
    return not todo


def _factors(part: Node, negative: bool, either: bool) -> list[tuple[Node, bool]]:
    """List the factor that may overflow in a multiple; beside others, if its sign is no matter."""
    found: list[tuple[Node, bool]] = []
    for k, c in enumerate(part.args):
        number, other = value_of(c), part.args[1 - k]
        if number and (part.op == "mul" or k == 1):
            found.append((other, negative != (number < 0)))
        elif part.op == "mul" and other.op in CAPPED and (either or nonnegative(c)):
            found.append((other, negative or either))
    return found


def _a_pole(part: Node) -> bool:
    """Say whether a value is a number over what may be 0, or a negative power of it."""
    if part.op == "pow":
        power, base = value_of(part.args[1]), part.args[0]
        return power is not None and power < 0 and _may_vanish(base)
    return part.op == "div" and bool(value_of(part.args[0])) and _may_vanish(part.args[1])


def _may_vanish(low: Node) -> bool:
    return bool(low.args or low.op == "input") and not clear_of_zero(low) and not _declared(low)


def _declared(low: Node) -> bool:
    while low.op in ("pow", "sqrt", "mul") and low.args[-1].op in ("const", "input"):
        low = low.args[0] if value_of(low.args[0]) is None else low.args[1]
    return low.op == "input" and low.attrs["kind"] == "positive"


def _beside(low: Node) -> Node:
    """Write what is divided by, or a negative power, so that it is not 0."""
    power = value_of(low.args[1]) if low.op == "pow" else None
    if power is not None:
        name = "beside_signed" if power % 2 == 1 else "beside"
        return make("pow", make(name, low.args[0]), low.args[1])
    for k, c in enumerate(low.args if low.op == "mul" else ()):
        if value_of(c) is not None:
            return make("mul", c, _beside(low.args[1 - k]))
    return make("beside" if nonnegative(low) else "beside_signed", low)

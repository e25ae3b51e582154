"""What a parameter is in its network: a weight with its fan, a bias, a scale, a slope, a table."""

from collections.abc import Iterator
from dataclasses import dataclass

from symgrad.diagram.layers.find import NORMS
from symgrad.graph import Node, depends, summands, topological
from symgrad.ops import OPS
from symgrad.ops.spec import bounds
from symgrad.ops.words import subscripts
from symgrad.shapes import Shape, axes_of
from symgrad.train.layers import Layers, start_of

CARRYING = ("neg", "add", "sub", "mul", "div")  # linear in a weight, other operands being fixed


@dataclass(frozen=True, slots=True)
class Use:
    """Say what a parameter does where it meets the signal.

    `role` is weight, rows (of a table that is looked up), bias, scale, start (an operand that has
    a usual value, `start`, and a name, `operand`) or none. `node` is where the signal goes on; the
    fans are dimensions to be multiplied.
    """

    role: str
    node: Node | None = None
    fan_in: Shape = ()
    fan_out: Shape = ()
    start: float = 0.0
    operand: str = ""


MULTIPLYING = ("mul", "matmul", "einsum", "outer")
IDLE = ("bias", "none")  # what starts at 0, if it is no matrix
RANKED = ("weight", "rows", "start", "scale", "bias", "none")


def use(walk: Layers, param: Node) -> Use:
    """Find what a parameter does; of several uses a weight counts most, then the first.

    >>> from symgrad.parse import parse
    >>> g = parse("X: data[N, D]; y: data[N]; W: param[H, D]; v: param[H]; b: param[H]; "
    ...           "mse(tanh(X @ W.T + b) @ v, y)")
    >>> walk = Layers(g)
    >>> [(u.role, u.fan_in, u.fan_out) for u in (use(walk, n) for n in g.inputs[2:])]
    [('weight', ('D',), ('H',)), ('weight', ('H',), ()), ('bias', (), ())]
    """
    if walk.flow.flows(param):  # a function of nothing but its parameters
        return Use("none")
    found = _first(walk, param)
    if found.role in IDLE and param.shape and _factor_of(walk, param):
        into, out = (param.shape[-2:-1], param.shape[-1:]) if param.shape[1:] else (param.shape, ())
        return Use("weight", found.node, into, out)
    return found


def _first(walk: Layers, param: Node) -> Use:
    return min(uses(walk, param), key=lambda u: RANKED.index(u.role), default=Use("none"))


def _factor_of(walk: Layers, param: Node) -> bool:
    """Say whether a parameter is multiplied by another one that starts at 0 otherwise, as it does.

    The gradient of each factor has the other one as a factor: were both 0 they would stay so.
    """
    order = walk.flow.order
    others = [p for p in walk.flow.weights if p is not param and _first(walk, p).role in IDLE]
    mine, theirs = depends(order, [param]), depends(order, others)
    stack, seen = [param], {param: None}
    while stack:
        weight = stack.pop()
        for user in walk.flow.users.get(weight, ()):
            if user in seen or walk.flow.flows(user) or not _carries(user):
                continue
            beside = [a for a in user.args if a not in mine]
            if user.op in MULTIPLYING and any(a in theirs and _linear(a) for a in beside):
                return True
            seen[user] = None
            stack.append(user)
    return False


def _linear(node: Node) -> bool:
    """Say whether a value is 0 where the parameters below it are, by the operators between."""
    return all(n.op == "input" or _carries(n) for n in topological([node]) if n.args)


def uses(walk: Layers, param: Node) -> Iterator[Use]:
    """List all the uses of a parameter, in the order of the program."""
    # `turned` has the axes under which the parameter enters its first product.
    stack, seen = [(param, param, False)], {param: None}
    while stack:
        weight, turned, inside = stack.pop()
        for user in walk.flow.users.get(weight, ()):
            if walk.flow.flows(user):
                yield _met(walk, user, weight, turned)
            elif user in seen or not _carries(user):
                continue
            elif OPS[user.op].shape == "elementwise" and user.shape != weight.shape:
                if user.op in ("mul", "div"):
                    yield Use("scale", user, start=1.0)
            else:
                seen[user] = None
                inside_now = inside or walk.product(user)
                stack.append((user, turned if inside_now else user, inside_now))


def _carries(user: Node) -> bool:
    """Say whether a weight made of weights is still linear in each, entry by entry or by rows."""
    row = OPS[user.op]
    moved = row.shape != "elementwise" and row.dtype == "join"
    return moved or user.op in CARRYING or user.op in ("matmul", "einsum", "outer")


def _met(walk: Layers, user: Node, weight: Node, turned: Node) -> Use:
    """Say what a parameter does in the operator in which it meets the signal."""
    k = user.args.index(weight)
    if user in walk.aimed and OPS[user.op].reduction:
        return Use("none")
    if user.op == "matmul":
        return _matmul(user, turned, k)
    if user.op in ("correlate", "convolve", "outer", "einsum"):
        return _product(walk, user, weight, k)
    if user.op == "take" and k == 0:
        axis = user.attrs["axis"]
        return Use("rows", user, (1,), _without(weight.shape, axis))
    if user.op in NORMS or k >= bounds(OPS[user.op])[1] - len(OPS[user.op].defaults):
        return _started(user, k)
    if user.op == "prelu":
        return _started(user, k)
    if user.op in ("add", "sub"):
        return Use("bias", user)
    if user.op == "mul":
        return _factor(walk, user, weight, k)
    if user.op == "div":
        return Use("scale", user, start=1.0)
    return Use("none", user)


def _started(user: Node, k: int) -> Use:
    listed = OPS[user.op].operands
    return Use("start", user, start=start_of(user, k), operand=listed[k] if listed else "")


def _matmul(user: Node, weight: Node, k: int) -> Use:
    """Read the fans off X @ W (k is 1) or W @ x."""
    shape = weight.shape
    if len(shape) == 1:
        return Use("weight", user, shape)
    into, out = (shape[-2], shape[-1]) if k == 1 else (shape[-1], shape[-2])
    return Use("weight", user, (into,), (out,))


def _product(walk: Layers, user: Node, weight: Node, k: int) -> Use:
    """Read the fans off a sum of products that is no matmul."""
    if user.op == "outer":
        return Use("weight", user, (1,), weight.shape)
    if user.op != "einsum":
        return Use("weight", user, weight.shape, weight.shape)
    words, result = subscripts(user.attrs["subscripts"])
    others = "".join(w for n, w in enumerate(words) if n != k and walk.flow.flows(user.args[n]))
    named = list(zip(words[k], weight.shape, strict=True))
    into = tuple(size for letter, size in named if letter not in result)
    out = tuple(size for letter, size in named if letter in result and letter not in others)
    return Use("weight", user, into or (1,), out)


def _factor(walk: Layers, user: Node, weight: Node, k: int) -> Use:
    """Tell a weight from a scale: products that are summed up afterwards have weights."""
    after = walk.flow.users.get(user, ())
    if len(after) == 1 and after[0].op in ("sum", "mean") and user.shape:
        summed = _summed(after[0], user.shape, weight.shape)
        if summed:
            kept = len(weight.shape) - len(summed)
            return Use("weight", after[0], summed, weight.shape[:kept] if kept else ())
    signal = user.args[1 - k]
    if not weight.shape and user.op == "mul":
        top, terms = _terms(walk, user)
        if terms > 1 or signal.op == "input" or not user.shape:
            return Use("weight", top, (terms,))
    return Use("scale", user, start=1.0)


def _summed(total: Node, shape: Shape, weight: Shape) -> Shape:
    """List the dimensions of a weight over which a product is summed."""
    axes = axes_of(total.attrs["axis"], len(shape))
    lead = len(shape) - len(weight)
    return tuple(d for k, d in enumerate(weight) if k + lead in axes and d != 1)


def _terms(walk: Layers, term: Node) -> tuple[Node, int]:
    """Climb from w x to the sum w₀x₀ + w₁x₁ + b that it is part of; count its products."""
    top = term
    while True:
        users = walk.flow.users.get(top, ())
        if len(users) != 1 or users[0].op not in ("add", "sub") or users[0] in walk.aimed:
            break
        top = users[0]
    count = 0
    for node, _ in summands(top, lambda n: n.op != "neg"):
        count += node.op == "mul" and any(
            not walk.flow.flows(a) and not a.shape and a.op == "input" for a in node.args
        )
    return top, max(count, 1)


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], *shape[axis + 1 :])

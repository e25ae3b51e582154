"""Entries with indices: scalar expressions over x_ij, whose sums and deltas are spelled out.

An `index` runs over one dimension, an `entry` is one number of an array, a `total` a sum over an
index. Deltas are the comparisons `eq` of indices. All are nodes without axes, so that the normal
form of scalars holds for them too.
"""

import operator
from collections.abc import Callable, Iterable, Mapping

from symgrad.graph import Node, intern
from symgrad.indexed.places import linear, placed
from symgrad.ops import OPS, const, dim, make
from symgrad.rewrite.normal import normal
from symgrad.rewrite.products import SIMPLEX
from symgrad.rewrite.tidy import tidy
from symgrad.shapes import Dim, axes_of

BOUND = "\0"  # begins the names of indices that a sum runs over
COMPARES = {"lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge}


def index(name: str, size: Dim) -> Node:
    """Make an index that runs over a dimension."""
    return intern("index", (), {"name": name, "size": size}, (), "int")


def entry(base: Node, *at: Node) -> Node:
    """Make one number of an array; `at` are indices, labels or whole numbers.

    >>> from symgrad.ops import leaf
    >>> entry(leaf("x", ("N",)), index("i", "N")).shape
    ()
    """
    return intern("entry", (base, *at), {}, (), base.dtype)


def operands(node: Node) -> tuple[Node, ...]:
    """Give the operands that are scalars themselves: all but the array of an entry."""
    return node.args[1:] if node.op == "entry" else node.args


def below(root: Node) -> tuple[Node, ...]:
    """List the scalars below a node, operands first; arrays are not looked into."""
    done: dict[Node, None] = {}
    stack = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if node in done:
            continue
        if ready:
            done[node] = None
            continue
        stack.append((node, True))
        stack += [(a, False) for a in reversed(operands(node)) if a not in done]
    return tuple(done)


def within(root: Node, part: Node) -> bool:
    """Say whether a scalar stands below another."""
    return any(n is part for n in below(root))


def free(root: Node) -> dict[Node, None]:
    """Collect the indices of a scalar that no sum inside it runs over, in order."""
    found: dict[Node, dict[Node, None]] = {}
    for node in below(root):
        if node.op == "index":
            found[node] = {node: None}
            continue
        merged: dict[Node, None] = {}
        for part in operands(node)[:1] if node.op == "total" else operands(node):
            merged |= found[part]
        if node.op == "total":
            merged.pop(node.args[1], None)
        found[node] = merged
    return found[root]


def entries_of(root: Node) -> list[Node]:
    """List the entries below a scalar: the atoms of its size."""
    return [n for n in below(root) if n.op == "entry"]


# -- deltas ----------------------------------------------------------------------------------


def delta(a: Node, b: Node) -> Node:
    """Make 1[a = b]; an index comes before a label, the indices in their order."""
    if a is b:
        return const(1)
    if a.op == b.op == "const":
        return const(int(a.attrs["value"] == b.attrs["value"]))
    first, second = sorted((a, b), key=_place)
    return make("eq", first, second)


def distinct(a: Node, b: Node) -> Node:
    """Make 1[a != b]."""
    same = delta(a, b)
    if same.op == "const":
        return const(1 - same.attrs["value"])
    return make("ne", *same.args)


def _place(node: Node) -> tuple[int, str]:
    if node.op == "index":
        return (1 if node.attrs["name"].startswith(BOUND) else 0), node.attrs["name"]
    return 2, ""


def is_delta(node: Node) -> bool:
    """Say whether a node is a delta of indices."""
    return node.op == "eq" and node.args[0].op == "index"


# -- products and sums -----------------------------------------------------------------------


def factors(root: Node) -> tuple[int, list[Node], list[Node]]:
    """Split a product into its sign, the factors above and those below the line."""
    sign = 1
    above: list[Node] = []
    under: list[Node] = []
    stack = [(root, False)]
    while stack:
        node, inverse = stack.pop()
        if node.op == "neg":
            sign = -sign
            stack.append((node.args[0], inverse))
        elif node.op in ("mul", "div"):
            stack.append((node.args[1], inverse != (node.op == "div")))
            stack.append((node.args[0], inverse))
        else:
            (under if inverse else above).append(node)
    return sign, above, under


def product(above: Iterable[Node], under: Iterable[Node] = (), sign: int = 1) -> Node:
    """Multiply factors, in their order."""
    result: Node | None = None
    for factor in above:
        result = factor if result is None else tidy("mul", (result, factor), {})
    low: Node | None = None
    for factor in under:
        low = factor if low is None else tidy("mul", (low, factor), {})
    result = const(1) if result is None else result
    if low is not None:
        result = tidy("div", (result, low), {})
    return tidy("neg", (result,), {}) if sign < 0 else result


def total(body: Node, over: Node) -> Node:
    """Sum over an index: what does not depend on it moves outside, a delta picks one term.

    >>> from symgrad.ops import leaf
    >>> i, j = index("i", "N"), index("j", "N")
    >>> x = leaf("x", ("N",))
    >>> total(make("mul", delta(i, j), entry(x, j)), j) is entry(x, i)
    True
    """
    sign, above, under = factors(body)
    inner = [f for f in above if within(f, over)]
    low = [f for f in under if within(f, over)]
    outside = [f for f in above if not within(f, over)]
    below_line = [f for f in under if not within(f, over)]
    if not inner and not low:
        rest = dim(over.attrs["size"])
    elif (picked := next((f for f in inner if _picks(f, over)), None)) is not None:
        other = picked.args[1] if picked.args[0] is over else picked.args[0]
        rest = substitute(product([f for f in inner if f is not picked], low), {over: other})
    elif (spread := next((f for f in inner if _hides(f, over)), None)) is not None:
        others = [f for f in inner if f is not spread]
        parts = [total(product([part, *others], low), over) for part in spread.args]
        rest = tidy(spread.op, tuple(parts), {})
    else:
        rest = _sum(product(inner, low), over)
    return product([*outside, rest], below_line, sign)


def _picks(node: Node, over: Node) -> bool:
    """Say whether a factor is a delta that leaves one term of a sum."""
    if not is_delta(node) or over not in node.args:
        return False
    # an index over more entries could point at none of the sum's
    return all(a.op != "index" or a.attrs["size"] == over.attrs["size"] for a in node.args)


def _hides(node: Node, over: Node) -> bool:
    """Say whether a sum of terms has a delta in the index among them."""
    if node.op not in ("add", "sub"):
        return False
    return any(_picks(n, over) for n in below(node))


def _sum(body: Node, over: Node) -> Node:
    """Make the sum itself, its index named by how deep the sums inside are nested."""
    if _shares(body, over):
        return const(1)
    depth = 1 + max((int(n.args[1].attrs["name"][1:]) for n in below(body) if n.op == "total"),
                    default=0)  # fmt: skip
    own = index(f"{BOUND}{depth}", over.attrs["size"])
    renamed = substitute(body, {over: own})
    return intern("total", (settle(renamed), own))


def _shares(body: Node, over: Node) -> bool:
    """Know that one-hot rows, simplex rows and softmaxes sum to 1."""
    if body.op != "entry" or body.args[-1] is not over or over in body.args[1:-1]:
        return False
    base = body.args[0]
    if base.op == "softmax":
        return axes_of(base.attrs["axis"], len(base.shape)) == (len(base.shape) - 1,)
    return base.op == "input" and base.attrs["kind"] in SIMPLEX


def substitute(root: Node, images: Mapping[Node, Node]) -> Node:
    """Replace indices, entries or deltas, and sum again what depends on them."""
    return rebuilt(root, lambda node: images.get(node))


def rebuilt(root: Node, image: Callable[[Node], Node | None]) -> Node:
    """Make a scalar again, `image` saying what takes the place of a part (None: itself)."""
    done: dict[Node, Node] = {}
    for node in below(root):
        new = image(node)
        if new is None:
            args = tuple(done[a] for a in operands(node))
            new = node if args == operands(node) else again(node, args)
        done[node] = new
    return done[root]


def again(node: Node, args: tuple[Node, ...]) -> Node:
    """Make a node over other operands, in its tidy form."""
    if node.op == "entry":
        return entry(node.args[0], *args)
    if node.op == "total":
        return total(args[0], node.args[1])
    if is_delta(node):
        return delta(*args)
    if node.op == "ne" and node.args[0].op == "index":
        return distinct(*args)
    if node.op in ("add", "sub", "mul", "neg") and node.dtype == "int":
        return placed(linear(intern(node.op, args, node.attrs, (), "int")))
    if node.op in COMPARES and all(a.op == "const" for a in args):
        return const(int(COMPARES[node.op](*(a.attrs["value"] for a in args))))
    if node.op == "where" and args[0].op == "const":
        return args[1] if args[0].attrs["value"] else args[2]
    return tidy(node.op, args, node.attrs) if node.op in OPS else node


def settle(root: Node) -> Node:
    """Bring an expression of entries into the normal form of scalars; deltas stay factors."""
    atoms = dict.fromkeys(entries_of(root))
    found = normal(root, atoms)
    if not any(n.op == "where" and _compares(n.args[0]) for n in below(found)):
        return found
    hidden: dict[Node, Node] = {}
    for k, node in enumerate(n for n in below(root) if is_delta(n)):
        hidden[node] = entry(intern("input", (), {"name": f"{BOUND}d{k}", "kind": "real"}))
    shown = {stand_in: node for node, stand_in in hidden.items()}

    def veil(node: Node) -> Node | None:
        if _compares(node) and node.op == "ne":
            same = delta(*node.args)
            return tidy("sub", (const(1), hidden[same]), {}) if same in hidden else None
        return hidden.get(node)

    veiled = rebuilt(root, veil)
    return rebuilt(normal(veiled, dict.fromkeys(entries_of(veiled))), shown.get)


def _compares(node: Node) -> bool:
    """Say whether a node is 1[i = j] or 1[i != j]."""
    return node.op in ("eq", "ne") and node.args[0].op == "index"

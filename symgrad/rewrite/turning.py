"""Turn differences round: -(a - b) is b - a, and (a - b) (b - a)ᵀ has both as a - b."""

from collections.abc import Iterator

from symgrad.graph import Node, Signed, summands, topological
from symgrad.ops import make
from symgrad.rewrite.tidy import kept, kind, printed, rank, ranked, tidy

PRODUCTS = ("matmul", "outer")
FLIPS = ("mul", "div", "matmul", "outer", "transpose", "expand", "sum", "sign")
DEEP = 6  # operators that are looked through
SINGLE = ("div", "transpose", "expand", "sum", "sign")  # these pass a sign from one operand


Path = list[tuple[Node, int]]  # from the outside: a node, and which of its operands


def flipped(node: Node, numbers: bool = False) -> Node | None:
    """Absorb a minus sign by swapping a difference inside a product; None if there is none.

    In a difference of an array and a number the two are swapped only if `numbers` says so.
    """
    if kind(node) in (FLIPS if printed() else PRODUCTS) and _squared(node):
        return None
    for difference, path in _differences(node, numbers):
        return _replaced(path, turned_round(difference))
    return None


def turned_round(difference: Node) -> Node:
    """Turn a difference round; a - (b + c), which nobody typed, is a - b - c in formulas."""
    whole = tidy("sub", difference.args[::-1], {})
    subtracted = difference.args[0]
    if not printed() or kind(subtracted) not in ("add", "sub") or ranked(subtracted):
        return whole

    def taken(node: Node) -> bool:
        return kind(node) in ("add", "sub") and (node is difference or not ranked(node))

    # what the difference subtracts comes first: its sign turns
    (total, less), *rest = sorted(summands(difference, taken), key=lambda term: not term[1])
    for node, plus in rest:
        total = make("add" if plus else "sub", total, node)
    return total if total.shape == whole.shape and less else whole


def _differences(node: Node, numbers: bool = True) -> Iterator[tuple[Node, Path]]:
    """List the differences that are factors of a product, and the ways to them."""
    todo: list[tuple[Node, Path]] = [(node, [])]
    while todo:
        current, path = todo.pop()
        if kind(current) == "sub" and all(_swaps(a, current, numbers) for a in current.args):
            yield current, path
        elif kind(current) in FLIPS and len(path) < DEEP:
            count = 1 if current.op in SINGLE else 2
            todo += [(current.args[k], [*path, (current, k)]) for k in reversed(range(count))]


def _swaps(a: Node, difference: Node, numbers: bool) -> bool:
    """Say whether the order of operands leaves no trace in their shapes."""
    rank = len(difference.shape)
    suffix = a.shape == difference.shape[rank - len(a.shape) :]
    return a.op == "const" or (suffix and (bool(a.shape) or numbers or not rank))


def _replaced(path: Path, result: Node) -> Node:
    """Put another node at the end of a path."""
    for parent, k in reversed(path):
        args = tuple(result if j == k else a for j, a in enumerate(parent.args))
        result = make(parent.op, *args, **parent.attrs)
    return result


def _squared(node: Node) -> bool:
    """Say whether a product of matrices holds a difference twice: (x - m)(x - m)^T keeps both."""
    found: dict[Node, None] = {}
    todo = [node]
    while todo:
        current = todo.pop()
        if kind(current) == "sub":
            if current in found or make("sub", *reversed(current.args)) in found:
                return True
            found[current] = None
        elif kind(current) in (*FLIPS, "solve"):
            todo += current.args
    return False


def as_typed(node: Node) -> Node | None:
    """Write a - b, which the program has, for a factor b - a; None if none is so. The sign is lost.

    >>> from symgrad.ops import leaf
    >>> from symgrad.rewrite.tidy import keeping
    >>> a, b = leaf("a", ("N",)), leaf("b", ("N",))
    >>> with keeping((), {make("sub", a, b): 2}, printed=True):
    ...     as_typed(make("sign", make("sub", b, a))) is make("sign", make("sub", a, b))
    True
    """
    for difference, path in _differences(node):
        opposite = make("sub", *reversed(difference.args))
        if ranked(opposite) and not ranked(difference):
            return _replaced(path, opposite)
    return None


def _as_said(term: Node) -> Node | None:
    """Turn p - 1, I - K H, or m - x of a number, round as the program has it; the sign is lost."""
    for difference, _ in _differences(term):
        if any(not a.shape or a.op == "eye" for a in difference.args):
            return as_typed(term)
    return None


def _signed(total: Node) -> Iterator[Signed]:
    """List the terms of a sum, none of them a negative; a sum that was typed is one term."""
    for term, less in summands(total, lambda n: n is total or not (n in kept() or ranked(n))):
        inner = term.args[0] if kind(term) == "expand" else total
        if inner is not total and kind(inner) in ("add", "sub", "neg") and not ranked(inner):
            for part, minus in _signed(inner):
                stretched = make("expand", part, **term.attrs) if part.shape else part
                yield stretched, less != minus
        else:
            yield term, less


def sums_as_typed(root: Node) -> Node:
    """Write y d - (1 - y) r, with 1 - y as in the program, for (y - 1) r + y d.

    >>> from symgrad.ops import const, leaf
    >>> from symgrad.rewrite.tidy import keeping
    >>> d, r, y = leaf("d"), leaf("r"), leaf("y")
    >>> less, more = make("mul", make("sub", y, const(1)), r), make("mul", y, d)
    >>> with keeping((), {y: 0, make("sub", const(1), y): 1}, printed=True):
    ...     sums_as_typed(make("add", less, more)).op
    'sub'
    """
    path: Path = []
    node = root
    while kind(node) in ("mul", "div") and len(path) < DEEP:  # 2 (...), (...)/N
        k = 0 if node.op == "div" or kind(node.args[0]) in ("add", "sub") else 1
        path.append((node, k))
        node = node.args[k]
    if kind(node) not in ("add", "sub"):
        return root
    terms = list(_signed(node))
    turned = [(term, less) if (found := _as_said(term)) is None else (found, not less)
              for term, less in terms]  # fmt: skip
    for n, less in [*turned]:  # 1 of log x + 1 - (log y + 1), y being stretched
        if (n, less) in turned and (n, not less) in turned:
            turned.remove((n, less))
            turned.remove((n, not less))
    alike = turned == summands(node, lambda n: n is node or not (n in kept() or ranked(n)))
    if (alike and not terms[0][1]) or all(less for _, less in turned):
        return root
    (total, _), *rest = sorted(turned, key=lambda term: term[1])
    for term, less in rest:
        total = make("sub" if less else "add", total, term)
    return _replaced(path, total) if total.shape == node.shape else root


def both_upright(node: Node) -> Node | None:
    """Write (m - x) (x - m)ᵀ as -(x - m) (x - m)ᵀ, in formulas; None for other products.

    >>> from symgrad.ops import leaf
    >>> from symgrad.rewrite.tidy import keeping
    >>> x, m = leaf("x", ("N",)), leaf("m", ("N",))
    >>> a, b = make("sub", x, m), make("sub", m, x)
    >>> with keeping((), {x: 0, m: 1}, printed=True):
    ...     both_upright(make("outer", b, a)) is make("neg", make("outer", a, a))
    True
    """
    if not printed():
        return None
    found: dict[Node, Path] = {}
    for difference, path in _differences(node):
        opposite = make("sub", *reversed(difference.args))
        if opposite in found:
            wrong = (path, difference)
            if _first(difference.args[0]) < _first(difference.args[1]):
                wrong = (found[opposite], opposite)
            image = _replaced(wrong[0], make("sub", *reversed(wrong[1].args)))
            return tidy("neg", (image,), {})
        found.setdefault(difference, path)
    return None


def _first(node: Node) -> int:
    """Give the place in the program of the first input that a value is made of."""
    return min((rank(n) for n in topological([node]) if n.op == "input"), default=-1)

"""Compute softmax, its logarithm and logsumexp of the same scores once."""

from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from symgrad.formula.naming import Names
from symgrad.graph import (
    SUMS,
    Node,
    Users,
    consumers,
    factors_of,
    having,
    rebuild,
    summands,
    topological,
    unchanged,
)
from symgrad.ops import make, remake, value_of
from symgrad.ops.slices import FULL
from symgrad.parse.rows import written
from symgrad.rewrite import simplify, tree_size
from symgrad.rewrite.scaled import scaled
from symgrad.shapes import Shape, axes_of

MANY, LONG = 20, 3  # weights that are looked at, and their operations at least
SCORED = ("softmax", "log_softmax", "logsumexp")
WAVES = ("sin", "cos", "sinh", "cosh", "softplus", "erf", "exp", "expm1", "tanh", "sigmoid",
         "sqrt")  # whose slopes have the same operand  # fmt: skip


def scored(order: Iterable[Node]) -> dict[Node, None]:
    """List the scores of which a softmax, its logarithm or logsumexp is taken, and exponents."""
    nodes = tuple(order)
    exponents = dict.fromkeys(a for n in nodes if n.op in ("peak", "exp_less") for a in n.args)
    return dict.fromkeys(n.args[0] for n in having(nodes, *SCORED)) | exponents


def waves(order: Iterable[Node]) -> dict[Node, None]:
    """List the arrays of which a function is taken whose slope is taken of them too: sin, exp."""
    taken = dict.fromkeys(n.args[0] for n in having(order, *WAVES) if n.shape)
    return {a: None for a in taken if any(map(_rewritten, a.args if a.op == "add" else (a,)))}


def _rewritten(term: Node) -> bool:
    """Say whether a term may get another form: inputs and their products do not."""
    return bool(term.args) and (term.op != "matmul" or any(map(scaled, term.args)))


def multiplied_cases(order: Iterable[Node]) -> dict[Node, None]:
    """List the cases that are multiplied, as {z if z > 0, else 0.2z} W: slopes have them, too."""
    products = (n for n in having(order, "matmul", "outer", "einsum"))
    return {a: None for n in products for a in n.args if a.op == "where"}


def mixtures(order: Iterable[Node]) -> dict[Node, None]:
    """List sums with products of sums that log is taken of, or that are divided by.

    Multiplied out, p t + (1 - p) (1 - t) has 1 - 1 in it where t is 1, and no digits of a small p.
    """
    read = dict.fromkeys(n.args[-1] for n in having(order, "log", "div", "sqrt"))
    return {a: None for a in read if a.op in ("add", "sub") and _of_products(a)}


def _of_products(total: Node) -> bool:
    """Say whether a sum has a product with a sum for a term, and no number beside it."""
    found = [t for t, _ in summands(total)]
    factors = [f for t in found if t.op == "mul" for f in factors_of(t)]
    return any(f.op in SUMS for f in factors) and all(value_of(t) is None for t in found)


def weights(order: Iterable[Node], active: Collection[Node]) -> dict[Node, None]:
    """List the sums without a slope that multiply what has one, as soft labels: slopes have them.

    Of sums in one another the innermost serves for all; those as short as 1 - y stay open, as terms
    may cancel.
    """
    products = (n.args for n in having(order, "mul") if n.shape and n in active)
    pairs = (pair for a, b in products for pair in ((a, b), (b, a)))
    found = dict.fromkeys(a for a, b in pairs if a.op in ("add", "sub") and a.shape and b in active)
    sums = {a: None for a in found if a not in active and tree_size(a, ()) >= LONG}
    if len(sums) > MANY:
        return {}
    return {a: None for a in sums if not any(n in sums for n in topological(a.args))}


class Kept(dict[Node, None]):
    """Hold what adjoints take as it is: some nodes, and all that have a name when it is asked.

    A mapping of its own, which catches up with the names: two that are looked through in turn take
    five times as long.
    """

    def __init__(self, names: Names, others: Iterable[Node]) -> None:
        super().__init__(dict.fromkeys(others))
        self.names, self.count = names, 0

    def now(self) -> "Kept":
        """Take what has got a name meanwhile, too; no name is taken back."""
        fresh = len(self.names.chosen) - self.count
        self.update(dict.fromkeys([*islice(reversed(self.names.chosen), fresh)][::-1]))
        self.count += fresh
        return self


def kept(
    scores: Iterable[Node], names: Names, places: Mapping[Node, int], whole: Iterable[Node] = ()
) -> Kept:
    """List what adjoints take as it is: what has a name, scores, and what stays `whole`.

    Written in another way these would be another array, and their logsumexp another pass.
    """
    found = list(scores)
    images = simplify(found, names.chosen, places) if found else {}
    return Kept(names, [*(a for a in found if images[a] is not a), *whole])


def rows_known(g: Node, names: Names, places: Mapping[Node, int]) -> Node:
    """Write sums of rows of an adjoint that has a name as what they are known to be.

    The scores of log_softmax get D - P sum(D). The rows of D = v e_y sum to v, those of P/N to 1/N,
    which is no pass over an array; what D is called does not tell that. Those of softmax get
    P (D - sum(D P)), and the rows of v e_y P sum to v P[y].
    """
    images: dict[Node, Node] = {}
    for node in topological([g], stop=names.chosen.__contains__):
        if node.op != "sum" or not node.shape:
            continue
        (rows,) = node.args
        for called in (a for a in (rows, *rows.args * (rows.op == "mul")) if a in names.chosen):
            others = {n: None for n in names.chosen if n is not called and n is not rows}
            image = simplify([node], others, places)[node]
            if _no_pass(image, rows.shape, others):
                images[node] = image
    return rebuild([g], remake, images)[g] if images else g


def _no_pass(root: Node, whole: Shape, known: Collection[Node]) -> bool:
    """Say whether no array of a shape is gone through, but for entries that are looked up."""
    read = [n for n in topological([root], stop=known.__contains__) if n not in known]
    passed = (a for n in read for a in n.args if n.op != "pick" or a not in known)
    return root.shape != whole and all(a.shape != whole for a in passed)


def exponentials(
    roots: list[Node], names: Names, heads: dict[Node, str], plain: bool, accurate: bool = False
) -> list[Node]:
    """Compute softmax(s) as exp(log_softmax(s)), in `plain` code as exp(s - logsumexp(s)) too.

    Beside logsumexp(s) softmax is its slope, which is 0 where all are -inf: what cannot be reached.
    """
    order = topological(roots)
    softmaxes = having(order, "softmax")
    if not softmaxes:
        return roots
    sums = {_along(n): n for n in having(order, "logsumexp")}
    logs = {_along(n): n for n in having(order, "log_softmax") if not accurate}
    found = {n: None for n in softmaxes if _along(n) in logs or _along(n) in sums}
    if not found:
        return roots
    both = {sums[_along(n)] for n in found if plain and accurate and _by_rows(n)}
    taken = {n for n in found if _along(n) not in logs}
    memo: dict[Node, Node] = {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in both or node in found:
            key = _along(node)
            if key in logs:
                return make("exp", make("log_softmax", *args, **logs[key].attrs))
            if sums[key] in both:
                return _together(node, args[0])
            return _by_sum(args[0], remake(sums[key], args), plain and not accurate)
        if node.op == "reached" and node.args[0] in taken:
            total, key = node.args[1], _along(node.args[0])
            while total.op in ("expand", "broadcast"):
                total = total.args[0]
            if total.op == "logsumexp" and _along(total) == key:
                return args[0]  # 0 by itself
        return remake(node, args)

    rebuild(roots, change, memo)
    for softmax in found:
        image = memo[softmax]
        names.chosen[image] = names.chosen.get(softmax) or names.reserve(
            "P" if len(image.shape) > 1 else "p"
        )
    return renamed(roots, memo, names, heads)


def _along(node: Node) -> tuple[Node, tuple[int, ...]]:
    """Give the operand and the axes along which a node normalises it, or adds it up."""
    return node.args[0], axes_of(node.attrs["axis"], len(node.args[0].shape))


_E = "exp(a - grounded(max_along(a, axis)))"  # -inf minus itself is no number
_REST = f"fmax(sum_along({_E} - floor({_E}), axis) + (sum_along(floor({_E}), axis) - 1), 0)"
SHARE, LOG = f"{_E}/(1 + {_REST})", f"max_along(a, axis) + log1p({_REST})"


def _by_rows(node: Node) -> bool:
    """Say whether entries of a table are normalised along one axis."""
    return len(node.args[0].shape) > 1 and len(_along(node)[1]) == 1


def _together(node: Node, scores: Node) -> Node:
    """Write softmax or logsumexp by the exponentials that serve for both: the largest counts 1."""
    along = _axis(node)
    if node.op == "softmax":
        return written(SHARE, [scores], along)
    log = written(LOG, [scores], along)
    return log if node.attrs["keepdims"] else make("reshape", log, shape=node.shape)


_Z, _RISE = "(a - max_along(a, axis))", f"maximum(sum_along({_E}, axis), 1)"  # 0 if all are -inf
_ALL = f"sum_along(exp({_Z}), axis)"
ONCE = {  # of one exponential: the logarithm of its sum or of its shares, and the shares
    "logsumexp": (f"max_along(a, axis) + log({_RISE})", f"{_E}/{_RISE}"),
    "log_softmax": (f"{_Z} - log({_ALL})", f"exp({_Z})/{_ALL}"),
}


def one_exponential(roots: list[Node], named: Collection[Node]) -> dict[Node, Node]:
    """Divide exponentials by their sum where its logarithm is there, not take them again.

    An entry of log softmax is taken of the scores, where nothing else reads the table; not of a few
    classes, whose log P and P = exp(log P) people write in two lines.

    >>> from symgrad.ops import leaf
    >>> log = make("log_softmax", leaf("S", ("N", "C")), axis=-1)
    >>> one_exponential([log, make("exp", log)], ())[make("exp", log)].op
    'div'
    """
    order = topological(roots)
    logs = {_shares_of(n): n for n in having(order, *ONCE) if _by_rows(n)}
    shares = {n: logs[n] for n in order if n in logs}
    users = consumers(order) if shares else {}
    own = [n for n in dict.fromkeys(shares.values()) if n not in named and n not in roots]
    picked = {n for n in own if _picked(users[n], shares, users)}
    classes = {n for n in picked if n.shape[-1] != n.shape[0]}
    shares = {n: log for n, log in shares.items() if log not in classes}
    if not shares:
        return unchanged(order)
    memo, both = dict[Node, Node](), dict.fromkeys(shares.values())
    entries = picked.intersection(both)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        log = shares.get(node, node)
        if log in both:
            along = _axis(log)
            found = written(ONCE[log.op][log is not node], [memo[log.args[0]]], along)
            return found if found.shape == node.shape else _column(found, along["axis"])
        if node.op == "pick" and _upright(node.args[0]) in entries:
            return _entry(*args)
        return remake(node, args)

    return rebuild(roots, change, memo)


def _shares_of(log: Node) -> Node:
    """Write softmax by its logarithm, or by that of its denominator."""
    return make("exp", log) if log.op == "log_softmax" else _by_sum(log.args[0], log, True)


def _picked(
    readers: Iterable[tuple[Node, int]],
    shares: Collection[Node],
    users: Users,
) -> bool:
    """Say whether single entries alone are read, of a transpose too, beside the shares."""
    others = [n for n, _ in readers if n not in shares]
    entries = [u for n in others for u in ([u for u, _ in users[n]] if _turned(n) else [n])]
    return bool(entries) and all(n.op == "pick" for n in entries)


def _turned(node: Node) -> bool:
    return node.op == "transpose" and len(node.shape) == 2


def _upright(node: Node) -> Node:
    return node.args[0] if _turned(node) else node


def _entry(logs: Node, labels: Node) -> Node:
    """Give log P[y] as Z[y] - log(sum)[y], without the table of logarithms."""
    scores, sums = _upright(logs).args
    axis = len(scores.shape) - 1 - _turned(logs)
    if sums.shape != (*scores.shape[:axis], 1, *scores.shape[axis + 1 :]):
        return make("pick", logs, labels)
    scores = make("transpose", scores, axes=None) if _turned(logs) else scores
    return make("sub", make("pick", scores, labels), _column(sums, axis))


def _column(table: Node, axis: int) -> Node:
    """Leave an axis of length 1 out."""
    key = tuple((0, None) if k == axis else FULL for k in range(len(table.shape)))
    return make("slice", table, key=key)


def _axis(node: Node) -> dict[str, int]:
    return {"axis": _along(node)[1][0]}


def _by_sum(scores: Node, log: Node, plain: bool) -> Node:
    """Write softmax by the logarithm of its denominator, or by its own exponentials."""
    if not plain:
        return make("shares", scores, axis=log.attrs["axis"])
    total = make("grounded", log)
    if total.shape and not log.attrs["keepdims"]:
        total = make("expand", total, axes=_along(log)[1])
    return make("exp", make("sub", scores, total))


def renamed(
    roots: list[Node], memo: dict[Node, Node], names: Names, heads: dict[Node, str]
) -> list[Node]:
    """Hand the names of nodes on to their images; no value is called by an adjoint's name."""
    images = list(map(memo.__getitem__, roots))
    if images == roots:
        return images
    changed = [n for n in {**names.chosen, **heads} if n in memo and memo[n] is not n]
    before = dict.fromkeys(topological(roots[:1])) if changed else {}
    after = dict.fromkeys(topological(images[:1])) if changed else {}
    for table in (names.chosen, heads):
        for node in changed:
            if node in table and (node in before or memo[node] not in after):
                table[memo[node]] = table[node]
    return images

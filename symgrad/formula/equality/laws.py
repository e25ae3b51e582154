"""Elementary laws: definitions, entries, blocks, cases; and the list of all."""

from collections.abc import Iterator

from symgrad.errors import SymgradError
from symgrad.formula.equality.decide import solved
from symgrad.formula.equality.flat import ONE, is_one, total
from symgrad.formula.equality.law import Law, Rule
from symgrad.formula.equality.quotients import FRACTIONS, LONGER
from symgrad.formula.equality.sums_of_terms import SHORTER, TERMS
from symgrad.graph import Node, rebuild
from symgrad.ops import OPS, const, make, remake, value_of
from symgrad.ops.slices import FULL
from symgrad.parse import formula, written
from symgrad.shapes import axes_of

FEW = 3  # entries of an axis that are written out
OWN = {  # definitions of operators that are primitives here
    "tanh": "(exp(a) - exp(-a))/(exp(a) + exp(-a))",
    "sinh": "(exp(a) - exp(-a))/2",
    "cosh": "(exp(a) + exp(-a))/2",
    "expm1": "exp(a) - 1",
    "log1p": "log(1 + a)",
    "square": "a**2",
    "abs": "where(a > 0, a, -a)",
    "solve": "inv(a) @ b",
    "maximum": "where(a > b, a, b)",
    "minimum": "where(a < b, a, b)",
}
KEPT = ("norm", "log2")


def laws(node: Node, known: bool = False) -> Iterator[Law]:
    """Give every node that an elementary law makes of this one; the shape stays."""
    for rule in (*RULES, _known) if known else RULES:
        try:
            for law in rule(node):
                if law.node.shape == node.shape and law.node is not node:
                    yield law
        except (SymgradError, ZeroDivisionError):
            continue


# -- definitions -----------------------------------------------------------------------------


def _definition(node: Node) -> Iterator[Law]:
    row = OPS.get(node.op)
    text = OWN.get(node.op)
    if node.op == "softmax" and len(node.shape) == 1:
        text = "exp(a)/sum(exp(a))"
    inner = written(text, node.args) if text else None
    if node.op == "pow" and value_of(node.args[1]) == 0.5:
        yield Law("power 1/2", "power 1/2", make("sqrt", node.args[0]))
    if inner is None and row is not None and node.op not in KEPT:
        inner = formula(node)
    if inner is not None:
        name = f"definition of {SPOKEN.get(node.op, node.op)}"
        yield Law(name, name, _plain(inner))


def _plain(node: Node) -> Node:
    """Write −(−a) as a."""

    def change(old: Node, args: tuple[Node, ...]) -> Node:
        twice = old.op == "neg" and args[0].op == "neg"
        return args[0].args[0] if twice else remake(old, args)

    return rebuild([node], change)[node]


SPOKEN = {
    "sigmoid": "σ", "cross_entropy_of": "H(p, q)", "entropy": "H", "kl": "KL",
    "maximum": "max", "minimum": "min", "relu": "ReLU", "leaky_relu": "leaky ReLU",
    "prelu": "parametric ReLU", "bce": "binary cross-entropy", "softplus": "softplus",
}  # fmt: skip


# -- what is known of sigma ------------------------------------------------------------------

KNOWN = (
    ("1 − σ(z) = σ(−z)", "1 - sigmoid(a)", "sigmoid(-a)"),
    ("log σ(z) = −softplus(−z)", "log(sigmoid(a))", "-softplus(-a)"),
    ("softplus(−z) = softplus(z) − z", "softplus(-a)", "softplus(a) - a"),
)


def _known(node: Node) -> Iterator[Law]:
    """Use what has its own derivation elsewhere."""
    for name, before, after in KNOWN:
        a = _argument(node)
        if a is not None and written(before, (a,)) is node:
            yield Law(name, name, _plain(written(after, (a,))))


def _argument(node: Node) -> Node | None:
    """Give z of 1 − σ(z), log σ(z) or softplus(−z)."""
    inner = node.args[-1] if node.args else None
    return inner.args[0] if inner is not None and inner.op in ("sigmoid", "neg") else None


# -- entries and cases -----------------------------------------------------------------------


def entry(node: Node, key_: tuple[tuple[int | str | None, ...], ...]) -> Node:
    """Take an entry of an elementwise operation: the operation on entries."""
    row = OPS.get(node.op)
    if node.op == "sum" and node.attrs["keepdims"] and node.shape[-1:] == (1,):
        axes = axes_of(node.attrs["axis"], len(node.args[0].shape))
        if all(k[1] is None for j, k in enumerate(key_) if j in axes) and len(axes) == len(key_):
            return make("sum", node.args[0], axis=None)
    if row is None or row.shape != "elementwise" or not node.args:
        return make("slice", node, key=key_)
    args = []
    for a in node.args:
        own = key_[len(key_) - len(a.shape) :] if a.shape else ()
        own = tuple((0, None) if d == 1 and k[1] is None else k
                    for d, k in zip(a.shape, own, strict=True))  # fmt: skip
        args.append(entry(a, own) if a.shape else a)
    return remake(node, tuple(args))


def _entries(node: Node) -> Iterator[Law]:
    if node.op == "slice" and all(k == FULL or k[1:] == (None,) for k in node.attrs["key"]):
        moved = entry(node.args[0], node.attrs["key"])
        if moved is not node:
            yield Law("entry by entry", "entry by entry", moved)
    if node.op == "sum" and len(node.args[0].shape) == 1:
        size = node.args[0].shape[0]
        if isinstance(size, int) and 2 <= size <= FEW:
            parts = [(ONE, entry(node.args[0], ((k, None),))) for k in range(size)]
            yield Law("write the sum out", "write as a sum", total(parts))


def _blocks(node: Node) -> Iterator[Law]:
    """Multiply block by block: [A B][x; y] = A x + B y; a column times 1 is the column."""
    if node.op != "matmul":
        return
    a, b = node.args
    blocks = a.op == b.op == "concatenate" and len(a.args) == len(b.args)
    if blocks and b.attrs["axis"] == 0 and a.attrs["axis"] == len(a.shape) - 1:
        pairs = zip(a.args, b.args, strict=True)
        parts = [(ONE, make("matmul", x, y)) for x, y in pairs]
        yield Law("block by block", "as blocks", total(parts))
    ones = b.op == "broadcast" and is_one(b.args[0]) and b.shape == (1,)
    if ones and a.op == "expand" and a.shape == (*node.shape, 1):
        yield Law("a column times 1", "a column times 1", a.args[0])


def _cases(node: Node) -> Iterator[Law]:
    if node.op != "where" or node.args[0].op not in ("gt", "lt"):
        return
    c, a, b = node.args
    x = solved(c)
    if x is not None and x is not c:
        yield Law("solve the condition", "solve the condition", make("where", x, a, b))
    other = _opposite(c)
    assert other is not None
    yield Law("swap the cases", "swap the cases", make("where", other, b, a))


def _by_cases(node: Node) -> Iterator[Law]:
    """Compute with case distinctions of one condition case by case."""
    row = OPS.get(node.op)
    cases = [a for a in node.args if a.op == "where"]
    if row is None or row.shape != "elementwise" or node.op == "where" or not cases:
        return
    condition = cases[0].args[0]
    branches: list[list[Node]] = [[], []]
    for a in node.args:
        same = a.op == "where" and a.args[0] is condition
        turned = a.op == "where" and _opposite(a.args[0]) is condition
        if a.op == "where" and not same and not turned:
            return
        for k in (0, 1):
            branches[k].append(a if a.op != "where" else a.args[1 + (k if same else 1 - k)])
    made = [_folded(remake(node, tuple(branch))) for branch in branches]
    yield Law("case by case", "case by case", make("where", condition, *made))


def _opposite(condition: Node) -> Node | None:
    if condition.op not in ("gt", "lt"):
        return None
    return make("lt" if condition.op == "gt" else "gt", *condition.args)


def _folded(node: Node) -> Node:
    """Drop a term 0, and a product with 0."""
    if node.op in ("add", "sub", "mul"):
        a, b = node.args
        if node.op == "mul" and 0 in (value_of(a), value_of(b)):
            return const(0)
        if node.op != "mul" and value_of(b) == 0 and a.shape == node.shape:
            return a
        if node.op == "add" and value_of(a) == 0 and b.shape == node.shape:
            return b
    return node


RULES: tuple[Rule, ...] = (
    _definition, *SHORTER, *FRACTIONS, _blocks, _entries, *TERMS, *LONGER, _cases, _by_cases,
)  # fmt: skip

"""Laws of sums and products, of numbers and of matrices."""

from collections.abc import Iterator
from fractions import Fraction

from symgrad.formula.equality.flat import (
    ONE,
    Product,
    factors,
    is_one,
    key,
    quotient,
    terms,
    total,
)
from symgrad.formula.equality.law import Law, Rule
from symgrad.graph import SUMS, Node
from symgrad.ops import const, make, value_of
from symgrad.shapes import axes_of

# -- sums and products -----------------------------------------------------------------------


def _distribute(node: Node) -> Iterator[Law]:
    names = ("distribute", "factor out")
    if node.op in ("mul", "matmul", "outer"):
        a, b = node.args
        for k, (own, other) in enumerate(((a, b), (b, a))):
            parts = terms(own)
            if len(parts) < 2 or not all(_spreads(node, k, t, own) for _, t in parts):
                continue
            pairs = [(c, make(node.op, *((t, other) if k == 0 else (other, t)))) for c, t in parts]
            yield Law(*names, total([(c, _unit(t)) for c, t in pairs]))
    elif node.op == "div" and len(parts := terms(node.args[0])) > 1:
        yield Law("split the fraction", "common denominator",
                  total([(c, make("div", t, node.args[1])) for c, t in parts]))  # fmt: skip
    elif node.op in TERMWISE and len(parts := terms(node.args[0])) > 1:
        if any(t.shape != node.args[0].shape for _, t in parts):
            return
        yield Law(*TERMWISE[node.op],
                  total([(c, make(node.op, t, **node.attrs)) for c, t in parts]))  # fmt: skip


def _spreads(node: Node, k: int, term: Node, whole: Node) -> bool:
    """Say whether a term may be multiplied by itself; rows may be repeated by the sum."""
    if node.op == "mul" or term.shape == whole.shape:
        return True
    return node.op == "matmul" and k == 0 and bool(term.shape) and term.shape == whole.shape[1:]


TERMWISE = {
    "sum": ("sum term by term", "join the sums"),
    "transpose": ("transpose term by term", "transpose the sum"),
}


def _spelled(node: Node) -> Iterator[Law]:
    """Write a product with a vector as a sum."""
    if node.op == "matmul" and len(node.args[1].shape) == 1 and len(node.args[0].shape) <= 2:
        terms_ = make("mul", *node.args)
        axis = None if len(terms_.shape) == 1 else 1
        name = "definition of the product"
        yield Law(name, name, make("sum", terms_, axis=axis))


def _binomial(node: Node) -> Iterator[Law]:
    """Write out the square of a sum of two terms."""
    if node.op != "pow" or value_of(node.args[1]) != 2:
        return
    parts = terms(node.args[0])
    if len(parts) == 2:
        (c, a), (d, b) = parts
        squares = [(c * c, make("pow", a, const(2))), (d * d, make("pow", b, const(2)))]
        mixed = (2 * c * d, make("mul", a, b))
        yield Law("square of a sum", "square of a sum", total([squares[0], mixed, squares[1]]))


def _unit(node: Node) -> Node:
    """Drop a factor 1."""
    if node.op == "mul":
        a, b = node.args
        if is_one(a) and b.shape == node.shape:
            return b
        if is_one(b) and a.shape == node.shape:
            return a
    return node


def _associate(node: Node) -> Iterator[Law]:
    if node.op != "matmul":
        return
    a, b = node.args
    if b.op == "matmul" and len(b.args[0].shape) == 2 and len(a.shape) <= 2:
        yield Law("associativity", "associativity",
                  make("matmul", make("matmul", a, b.args[0]), b.args[1]))  # fmt: skip
    if a.op == "matmul" and len(a.args[1].shape) == 2 and len(b.shape) <= 2:
        yield Law("associativity", "associativity",
                  make("matmul", a.args[0], make("matmul", a.args[1], b)))  # fmt: skip


def _transposed(node: Node) -> Iterator[Law]:
    if node.op != "transpose" or node.attrs["axes"] is not None:
        return
    (a,) = node.args
    if a.op == "matmul" and all(len(x.shape) == 2 for x in a.args):
        turned = [make("transpose", x) for x in reversed(a.args)]
        yield Law("transpose of a product", "transpose of a product", make("matmul", *turned))
    if a.op == "transpose" and a.attrs["axes"] is None:
        yield Law("transpose twice", "transpose twice", a.args[0])


def _collect(node: Node) -> Iterator[Law]:
    """Add up terms that are equal but for their coefficients."""
    parts = terms(node) if node.op in SUMS else []
    found: dict[str, tuple[Fraction, Node]] = {}
    for c, t in parts:
        found[key(t)] = (found.get(key(t), (Fraction(0), t))[0] + c, t)
    if len(found) == len(parts):
        return
    gone = [t for c, t in found.values() if not c]
    result = total(list(found.values()))
    if result.shape != node.shape:
        return
    if gone:
        yield Law("cancel {}", "add and subtract {}", result, (gone[0],))
        return
    merged = [(c, t) for c, t in found.values() if sum(key(u) == key(t) for _, u in parts) > 1]
    if len(merged) == 1:
        split = [p for p in parts if key(p[1]) == key(merged[0][1])]
        yield Law("write {} as {}", "write {} as {}", result, (total(split), total(merged)))
    else:
        yield Law("collect like terms", "split terms", result)


def _factor_out(node: Node) -> Iterator[Law]:
    """Take a factor that all terms share out of a sum."""
    parts = terms(node) if node.op in ("add", "sub") else []
    if len(parts) < 2:
        return
    split = [factors(t) for _, t in parts]
    shared = {key(f): f for f in split[0].top}
    for name, f in shared.items():
        rest = []
        for (c, _), found in zip(parts, split, strict=True):
            place = next((k for k, g in enumerate(found.top) if key(g) == name), None)
            if place is None:
                break
            top = found.top[:place] + found.top[place + 1 :]
            rest.append((c, quotient(Product(found.number, top, found.low))))
        else:
            yield Law("factor out", "distribute", make("mul", f, total(rest)))


def _out_of_sum(node: Node) -> Iterator[Law]:
    """Take what does not depend on the summation out of a sum."""
    if node.op != "sum":
        return
    (a,) = node.args
    axes = axes_of(node.attrs["axis"], len(a.shape))
    found = factors(a)
    fixed = [f for f in (*found.top, *found.low) if _along(f, axes, len(a.shape))]
    if (not fixed and found.number == 1) or not (found.top or found.low):
        return
    if any(_along(f, axes, len(a.shape)) and f.shape for f in fixed) and not node.attrs["keepdims"]:
        return
    inner = quotient(Product(ONE, tuple(f for f in found.top if f not in fixed),
                             tuple(f for f in found.low if f not in fixed)))  # fmt: skip
    if inner.shape != a.shape:
        return
    outer = quotient(Product(found.number, tuple(f for f in found.top if f in fixed),
                             tuple(f for f in found.low if f in fixed)))  # fmt: skip
    moved = make("mul", outer, make("sum", inner, **node.attrs))
    yield Law("take out of the sum", "take into the sum", moved)


def _along(node: Node, axes: tuple[int, ...], rank: int) -> bool:
    """Say whether a factor is constant along axes of an array of a rank."""
    shift = rank - len(node.shape)
    return all(k < shift or node.shape[k - shift] == 1 for k in axes)


SHORTER: tuple[Rule, ...] = (_collect, _associate, _transposed)
TERMS: tuple[Rule, ...] = (_distribute, _factor_out, _out_of_sum, _spelled, _binomial)

"""How matrix products, sums over axes and rearrangements are shortened.

Scalar factors and signs move outside, sums of what is constant along an axis disappear.
"""

from symgrad.graph import Node, factors_of
from symgrad.ops import OPS, const, count, make, value_of
from symgrad.rewrite import facts, matrices, stretched, traces
from symgrad.rewrite.elementwise import vanishes
from symgrad.rewrite.facts import SIMPLEX as SIMPLEX
from symgrad.rewrite.signs import unguarded
from symgrad.rewrite.tidy import fit, kept, kind, named_total, printed, tidies, tidy
from symgrad.rewrite.turning import both_upright
from symgrad.rewrite.units import entry, inner_of_unit
from symgrad.shapes import axes_of


def scalar_parts(node: Node) -> tuple[list[tuple[str, Node]], Node]:
    """Split off signs and scalar factors: node = (factors) * rest."""
    factors: list[tuple[str, Node]] = []
    while True:
        op = kind(node)
        if op == "neg":
            factors.append(("neg", node))
            node = node.args[0]
        elif op == "mul" and node.shape and not all(a.shape for a in node.args):
            k = 0 if not node.args[0].shape else 1
            factors.append(("mul", node.args[k]))
            node = node.args[1 - k]
        elif op == "div" and node.shape and not node.args[1].shape:
            factors.append(("div", node.args[1]))
            node = node.args[0]
        elif op in ("mul", "div") and node.shape:
            split = [scalar_parts(a) for a in node.args[: 2 if op == "mul" else 1]]
            inner = [part for parts, _ in split for part in parts]
            rest = (*(r for _, r in split), *node.args[len(split) :])
            if not inner or make(op, *rest).shape != node.shape:
                return factors, node
            return factors + inner, make(op, *rest)
        elif op == "broadcast" and node.args[0].shape:
            inner, bare = scalar_parts(node.args[0])
            return factors + inner, fit(bare, node.shape) if inner else node
        else:
            return factors, node


def scaled(factors: list[tuple[str, Node]], node: Node) -> Node:
    """Multiply a node by the factors that `scalar_parts` split off."""
    for how, factor in reversed(factors):
        if how == "neg":
            node = tidy("neg", (node,), {})
        elif how == "mul":
            node = tidy("mul", (factor, node), {})
        else:
            node = tidy("div", (node, factor), {})
    return node


def linear(node: Node) -> Node | None:
    """Move scalar factors of any operand of a (multi)linear operator outside."""
    factors: list[tuple[str, Node]] = []
    args = []
    for arg in node.args:
        found, rest = scalar_parts(arg)
        factors += found
        args.append(rest)
    if not factors:
        return None
    return scaled(factors, tidy(node.op, tuple(args), node.attrs))


def _repeated_number(node: Node) -> Node | None:
    """Take a repeated number out of a product: A (c 1) is c A 1, and a (c 1)^T is c a 1^T."""
    for k, b in enumerate(node.args):
        inner = b.args[0] if kind(b) == "broadcast" else b
        if inner is not b and not inner.shape and value_of(inner) != 1:
            parts = (*node.args[:k], fit(const(1), b.shape), *node.args[k + 1 :])
            return tidy("mul", (inner, tidy(node.op, parts, node.attrs)), {})
    return None


@tidies("matmul")
def _matmul(node: Node) -> Node | None:
    a, b = node.args
    if vanishes(a) or vanishes(b):
        return fit(const(0), node.shape)
    moved = (
        _repeated_number(node)
        or linear(node)
        or entry(node)
        or inner_of_unit(node)
        or matrices.shorter_product(node)
        or matrices.repeated(node)
        or both_upright(node)
    )
    if moved is not None:
        return moved
    if len(a.shape) == 1 and len(b.shape) == 2:  # a row times a matrix: M^T a, as books write it
        return make("matmul", tidy("transpose", (b,), {"axes": None}), a)
    return None


def _named_quotient(top: Node, low: Node) -> Node | None:
    """Write x s/r as y s, where y = x/r has a name."""
    found = make("div", top, low)
    if found in kept():
        return found
    if kind(top) == "mul":
        for x, rest in (top.args, top.args[::-1]):
            if x.shape == top.shape and make("div", x, low) in kept():
                return tidy("mul", (make("div", x, low), rest), {})
    if kind(top) == "div":
        inner = _named_quotient(top.args[0], low)
        return None if inner is None else tidy("div", (inner, top.args[1]), {})
    return None


@tidies("over")
def _over(node: Node) -> Node | None:
    top, low = node.args
    beside = top in kept() and top.op == "div" and top.args[1] is low  # z = x/r: (x/r)/r
    if unguarded(node, low) or beside:
        return fit(tidy("div", (top, low), {}), node.shape)
    bare = low.args[0] if kind(low) == "broadcast" else low
    quotient = _named_quotient(top, bare)
    if quotient is not None:  # y = x/r has a name; where r is 0, so has the program its NaN
        return fit(quotient, node.shape)
    factors, rest = scalar_parts(node.args[0])
    if not factors:
        return None
    return fit(scaled(factors, tidy("over", (rest, node.args[1]), {})), node.shape)


@tidies("outer")
def _outer(node: Node) -> Node | None:
    if any(vanishes(a) for a in node.args):
        return fit(const(0), node.shape)
    return _repeated_number(node) or linear(node) or both_upright(node)


@tidies("transpose")
def _transpose(node: Node) -> Node | None:
    (a,) = node.args
    axes = node.attrs["axes"]
    if axes is not None and axes == tuple(range(len(axes))):
        return a
    if axes is not None and axes == tuple(reversed(range(len(axes)))):
        return tidy("transpose", (a,), {"axes": None})
    if kind(a) == "transpose" and axes is None and a.attrs["axes"] is None:
        return a.args[0]
    if kind(a) == "broadcast" and not a.args[0].shape:
        return fit(a.args[0], node.shape)
    shorter = matrices.shorter_transpose(node)
    if shorter is not None:
        return shorter
    if kind(a) == "outer" and axes is None:
        return make("outer", a.args[1], a.args[0])
    if kind(a) == "matmul" and axes is None and len(a.args[0].shape) == len(a.args[1].shape) == 2:
        turned = [tidy("transpose", (x,), {"axes": None}) for x in reversed(a.args)]
        return make("matmul", *turned)
    return linear(node)


@tidies("expand")
def _expand(node: Node) -> Node | None:
    (a,) = node.args
    if not node.attrs["axes"]:
        return a
    if kind(a) == "broadcast" and not a.args[0].shape:
        return fit(a.args[0], node.shape)
    return _counted(node) or linear(node)


def _counted(node: Node) -> Node | None:
    """Insert axes into the numbers 0, 1, … themselves: (j + 1) is i + 1 along another axis."""
    (a,) = node.args
    row = OPS.get(a.op)
    if row is None or row.shape != "elementwise" or not printed():
        return None
    if sum(x.op == "arange" for x in a.args) != 1 or any(
        x.shape for x in a.args if x.op != "arange"
    ):
        return None
    grown = (tidy("expand", (x,), node.attrs) if x.shape else x for x in a.args)
    return tidy(a.op, tuple(grown), a.attrs)


@tidies("softmax")
@tidies("log_softmax")
def _one_axis(node: Node) -> Node | None:
    """Count the last axis as -1, as `canonical` does, so that the same softmax is one value."""
    rank = len(node.shape)
    last = rank > 0 and axes_of(node.attrs["axis"], rank) == (rank - 1,)
    return make(node.op, *node.args, axis=-1) if last and node.attrs["axis"] != -1 else None


@tidies("broadcast")
def _broadcast(node: Node) -> Node | None:
    (a,) = node.args
    if a.shape == node.shape:
        return a
    if kind(a) == "broadcast":
        return make("broadcast", a.args[0], shape=node.shape)
    return None


@tidies("sum")
def _sum(node: Node) -> Node | None:
    (a,) = node.args
    axes = axes_of(node.attrs["axis"], len(a.shape))
    if not axes:
        return a
    if kind(a) == "broadcast":
        inner = a.args[0]
        lead = len(a.shape) - len(inner.shape)
        if all(k < lead or inner.shape[k - lead] == 1 for k in axes):
            flat = tuple(k - lead for k in axes if k >= lead)
            if flat:
                left = tidy("sum", (inner,), {"axis": flat, "keepdims": node.attrs["keepdims"]})
            else:
                left = inner
            return fit(tidy("mul", (count(a.shape, axes), left), {}), node.shape)
        if all(k >= lead and inner.shape[k - lead] == a.shape[k] for k in axes):
            flat = tuple(k - lead for k in axes)
            which = {"axis": flat[0] if len(flat) == 1 else flat}
            return fit(tidy("sum", (inner,), {**node.attrs, **which}), node.shape)
    again = kind(a) == "sum" and a.attrs["keepdims"] and not node.attrs["keepdims"]
    if again and axes_of(a.attrs["axis"], len(a.shape)) == axes:
        return tidy("sum", a.args, {"axis": a.attrs["axis"], "keepdims": False})
    if (once := _axes_not_kept(node, a, axes) or _of_all(node, axes)) is not None:
        return once
    if kind(a) == "transpose" and len(a.shape) == 2 and len(axes) == 1:
        other = tidy("sum", a.args, {"axis": 1 - axes[0], "keepdims": False})
        return make("expand", other, axes=axes) if node.attrs["keepdims"] else other
    fact = facts.known_sum(a, axes) or entry(node) or inner_of_unit(node)
    if fact is not None and fact.shape and node.attrs["keepdims"]:
        fact = make("expand", fact, axes=axes)
    if fact is not None:
        return fit(fact, node.shape)
    moved = linear(node) or matrices.shorter_sum(node) or traces.short_inner(node)
    moved = moved or _constant_along(node, a, axes) or _inserted_later(node, a, axes)
    moved = moved or _divisor(node, a, axes) or (stretched.summed(node) if printed() else None)
    if moved is not None:
        return moved
    if all(a.shape[k] == 1 for k in axes) and node.attrs["keepdims"]:
        return a
    return None


def _of_all(node: Node, axes: tuple[int, ...]) -> Node | None:
    """Write a sum of all entries as the program has it, in formulas; else with no axis named."""
    (a,) = node.args
    if not printed() or node.attrs["keepdims"] or len(axes) != len(a.shape):
        return None
    found = named_total(a)
    if found is None and node.attrs["axis"] is not None:
        return tidy("sum", (a,), {"axis": None, "keepdims": False})
    return found


def _axes_not_kept(node: Node, a: Node, axes: tuple[int, ...]) -> Node | None:
    """Add up sums that have kept their axes without these axes: they are added up once more."""
    if kind(a) not in ("add", "sub") or node.attrs["keepdims"]:
        return None
    for term in a.args:
        along = axes_of(term.attrs["axis"], len(term.shape)) if kind(term) == "sum" else ()
        if term.shape != a.shape or not term.attrs.get("keepdims") or along != axes:
            return None
    return fit(tidy(a.op, tuple([tidy("sum", t, node.attrs) for t in zip(a.args)]), {}), node.shape)


def _inserted_later(node: Node, a: Node, axes: tuple[int, ...]) -> Node | None:
    """Sum before an axis is inserted, not after."""
    inserted = a.attrs["axes"] if kind(a) == "expand" else ()
    if not inserted or node.attrs["keepdims"] or set(inserted) & set(axes):
        return None
    own = [k for k in range(len(a.shape)) if k not in inserted]
    left = [k for k in range(len(a.shape)) if k not in axes]
    inner = tuple(own.index(k) for k in axes)
    total = tidy("sum", a.args, {**node.attrs, "axis": inner[0] if len(inner) == 1 else inner})
    if not total.shape:
        return fit(total, node.shape)
    return tidy("expand", (total,), {"axes": tuple(left.index(k) for k in inserted)})


def _divisor(node: Node, a: Node, axes: tuple[int, ...]) -> Node | None:
    """Move a divisor that does not vary along the summed axes outside of the sum."""
    if kind(a) != "div":
        return None
    top, low = a.args
    lead = len(a.shape) - len(low.shape)
    inside = tuple(j - lead for j in axes if j >= lead)
    if top.shape != a.shape or not low.shape or any(low.shape[j] != 1 for j in inside):
        return None
    if inside and not node.attrs["keepdims"]:
        if kind(low) != "expand" or low.attrs["axes"] != inside:
            return None
        low = low.args[0]
    result = tidy("div", (tidy("sum", (top,), node.attrs), low), {})
    return result if result.shape == node.shape else None


def _constant_along(node: Node, a: Node, axes: tuple[int, ...]) -> Node | None:
    """Move a factor that does not vary along the summed axes outside of the sum."""
    factors = factors_of(a, kind, stretched.MOST)
    for k, factor in enumerate(factors):
        lead = len(a.shape) - len(factor.shape)
        if any(j >= lead and factor.shape[j - lead] != 1 for j in axes):
            continue
        others = [f for m, f in enumerate(factors) if m != k]
        if not others:
            return None
        rest = others[0]
        for other in others[1:]:
            rest = make("mul", rest, other)
        if rest.shape != a.shape:
            continue
        total = tidy("sum", (rest,), node.attrs)
        if node.attrs["keepdims"] or all(j < lead for j in axes):
            left = factor
        else:
            inside = tuple(j - lead for j in axes if j >= lead)
            if kind(factor) == "expand" and factor.attrs["axes"] == inside:
                left = factor.args[0]
            else:
                left = tidy("sum", (factor,), {"axis": inside, "keepdims": False})
        product = tidy("mul", (left, total), {})
        return product if product.shape == node.shape else None
    return None

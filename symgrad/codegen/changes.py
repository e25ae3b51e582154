"""List what is rewritten in a program's value and gradients once all derivatives are there."""

from collections.abc import Callable, Collection, Iterator, Mapping

from symgrad.codegen.softmaxes import one_exponential
from symgrad.formula.naming import Names
from symgrad.graph import Graph, Node, having, rebuild, topological, unchanged
from symgrad.graph.walk import read_once
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite import lower
from symgrad.rewrite.added_up import added_up
from symgrad.rewrite.at_labels import at_labels, slopes_at_labels
from symgrad.rewrite.bends import compared
from symgrad.rewrite.branches import conditions_for_cases
from symgrad.rewrite.cases_once import cases_once, one_of_two
from symgrad.rewrite.clipping import clipped
from symgrad.rewrite.contraction import inner_products
from symgrad.rewrite.distances import numbers_of_pulls
from symgrad.rewrite.even import without_signs
from symgrad.rewrite.guards import bare_numbers
from symgrad.rewrite.joining import joined
from symgrad.rewrite.lower import tails
from symgrad.rewrite.masked import without_masks
from symgrad.rewrite.masked_sums import masked_sums
from symgrad.rewrite.numbers_apart import numbers_apart
from symgrad.rewrite.numbers_once import numbers_of_shared, numbers_once
from symgrad.rewrite.opposites import mirrored, opposites
from symgrad.rewrite.partners import functions_shared, partners, squares_once
from symgrad.rewrite.rank_one import inner_of_rank_one
from symgrad.rewrite.ratios import one_quotient
from symgrad.rewrite.reopening import LIMITS, reopened
from symgrad.rewrite.repeated_rows import repeated_rows
from symgrad.rewrite.reused import products_reused
from symgrad.rewrite.same_sums import same_sums
from symgrad.rewrite.scaled import like_terms
from symgrad.rewrite.scaling import small_first
from symgrad.rewrite.shared_factors import shared_factors
from symgrad.rewrite.shared_products import shared_products
from symgrad.rewrite.signs import clear_of_zero
from symgrad.rewrite.signs_absorbed import lines_turned, signs_absorbed
from symgrad.rewrite.stacks import stacks, sum_of_stack, turned_once
from symgrad.rewrite.standardised import variances
from symgrad.rewrite.thin import thin
from symgrad.rewrite.traces import traces
from symgrad.rewrite.vanishing import vanishing
from symgrad.rewrite.weighted import weighted_sums
from symgrad.shapes import axes_of

REDUCED = ("sum", "mean", "amax", "amin", "logsumexp", "prod")
Change = Callable[[list[Node]], dict[Node, Node]]


def changes(
    graph: Graph, names: Names, heads: dict[Node, str], mode: str, plain: bool
) -> Iterator[Change]:
    """List what is rewritten once all derivatives are there, in order.

    Where every line is a whole array's, `plain`, the slopes of the user's lines stay.
    """
    accurate, named = mode == "accurate", names.chosen
    cases, limited = ([n for n in graph.order() if n.op in ops] for ops in (("where",), LIMITS))
    yield without_masks
    yield lambda r: reopened(r, cases, limited)
    yield lambda r: lower(r, mode)
    yield lambda r: without_signs(r, named)
    yield vanishing
    yield _logs_of_numbers
    if accurate:
        if plain:
            yield slopes_at_labels
        yield tails
    yield lambda r: joined(r, named, not accurate)
    yield lambda r: partners(r, accurate)
    yield compared
    yield clipped
    yield _conditions_joined
    yield lambda r: masked_sums(r, _asked_for(graph, named, heads))
    if not accurate:
        yield from _from_others(graph, named, heads, plain)
    yield lambda r: traces(r, named)
    if not accurate:
        yield lambda r: shared_factors(r, _asked_for(graph, named, heads), plain)
    yield lambda r: inner_of_rank_one(r, _asked_for(graph, named, {}) if plain else ())
    yield lambda r: opposites(r, named)
    if not accurate:
        yield lambda r: like_terms(r, named)
    else:
        yield lambda r: numbers_once(r, named)
    yield lambda r: small_first(r, named)
    yield lambda r: mirrored(r, named)
    if not accurate:
        yield lambda r: numbers_of_pulls(r, named)
        yield bare_numbers
        yield lambda r: shared_products(r, _asked_for(graph, named, heads))
    yield lambda r: without_signs(r, named)
    yield one_of_two


def _from_others(
    graph: Graph, named: Mapping[Node, str], heads: Mapping[Node, str], plain: bool
) -> Iterator[Change]:
    """List what computes values from others that are there."""
    yield _axes_kept
    yield _from_inverses
    yield products_reused
    if plain:
        yield functions_shared
    yield _from_powers
    yield lambda r: weighted_sums(r, _asked_for(graph, named, heads))


def last_changes(
    graph: Graph, names: Names, heads: dict[Node, str], accurate: bool
) -> Iterator[Change]:
    """List what is rewritten last where every line is a whole array's."""
    named = names.chosen
    if not accurate:
        yield lambda r: one_exponential(r, named)
        yield lambda r: same_sums(r, _asked_for(graph, named, heads))
        yield lambda r: thin(r, _asked_for(graph, named, heads))
        yield _guarded_once
    yield conditions_for_cases
    yield lambda r: cases_once(r, _asked_for(graph, named, heads))
    yield lambda r: repeated_rows(r, _asked_for(graph, named, heads))
    yield variances
    yield at_labels
    yield lambda r: signs_absorbed(r, _asked_for(graph, named, heads))
    yield lambda r: _squares_once(r, names, heads)
    yield lambda r: numbers_of_shared(r, _asked_for(graph, named, heads))
    yield lambda r: one_quotient(r, _asked_for(graph, named, heads))
    yield lambda r: added_up(r, _asked_for(graph, named, heads))
    yield numbers_apart
    yield lambda r: _in_order(r, named, accurate)
    yield _in_twos
    yield lambda r: _by_matrices(r, named)
    yield lambda r: inner_products(r, named, _asked_for(graph, named, heads), accurate)
    yield lambda r: _squares_once(r, names, heads)
    yield lines_turned
    if not accurate:
        yield lambda r: opposites(r, named, matrices=True)
        yield lambda r: like_terms(r, named)
        yield lambda r: numbers_once(r, named)
    else:
        yield lambda r: _along_rows(r, named)
    yield lambda r: without_signs(r, named)


def _along_rows(roots: list[Node], named: Collection[Node]) -> dict[Node, Node]:
    """Take largest entries and sums of rows by functions that are faster along short ones."""
    other = {"amax": "max_along", "sum": "sum_along"}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh, rank = remake(node, args), len(node.shape)
        if fresh.op not in other or rank < 2 or not fresh.attrs["keepdims"]:
            return fresh
        axes = axes_of(fresh.attrs["axis"], rank)
        product = fresh.args[0].op in ("mul", "pow", "where") and node.args[0] not in named
        if len(axes) > 1 or product:
            return fresh
        return make(other[fresh.op], *fresh.args, axis=axes[0])

    return rebuild(roots, change, only=tuple(other))


def _squares_once(roots: list[Node], names: Names, heads: dict[Node, str]) -> dict[Node, Node]:
    """Compute squares once; what the value takes of a slope has no adjoint's name any more."""
    images = squares_once(roots)
    if images[roots[0]] is not roots[0]:
        before = dict.fromkeys(topological(roots[:1]))
        for node in topological([images[roots[0]]]):
            if node in names.chosen and node not in before:
                del names.chosen[node]
                heads.pop(node, None)
    return images


def _in_twos(roots: list[Node]) -> dict[Node, Node]:
    """Multiply several arrays two at a time; NumPy would look for the order in every call."""
    from symgrad.codegen.fast.pairs import paired

    return paired(roots, {}, False, "")


def _in_order(roots: list[Node], named: Collection[Node], accurate: bool) -> dict[Node, Node]:
    """Multiply chains of matrices in the cheapest order."""
    from symgrad.codegen.fast.matrices import ordered

    return ordered(roots, {}, accurate, "", named)


def _by_matrices(roots: list[Node], named: Collection[Node]) -> dict[Node, Node]:
    """Write einsums of two arrays by products of matrices, without looking for a way in each call.

    Stacks of matrices are multiplied by @; other axes are put in order after a product. A sum over
    a stack of products is one product.
    """
    order = topological(roots)
    sums = [n for n in having(order, "sum") if n.args[0].op == "matmul" and n.shape]
    if not sums and not any(len(n.args) == 2 for n in having(order, "einsum")):
        return unchanged(order)
    alone = read_once(order, [*roots, *named]) if sums else {}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        fresh = remake(node, args)
        found = stacks(fresh) if node.op == "einsum" and len(args) == 2 else None
        if node.op == "sum" and node.args[0] in alone:
            found = sum_of_stack(fresh)
        if node.op == "transpose" and node.args[0] not in named:
            found = turned_once(fresh)
        return fresh if found is None or found.shape != node.shape else found

    return rebuild(roots, change)


def _guarded_once(roots: list[Node]) -> dict[Node, Node]:
    """Make {1 if a is 0, else b} once, where both a log b and a/b take it for b."""
    order = topological(roots)
    pairs = [n.args for n in having(order, "xlogy", "xdivy") if n.shape]
    shared = {p for p in pairs if pairs.count(p) > 1 and p[0].shape and p[0].dtype == "float"}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op not in ("xlogy", "xdivy") or node.args not in shared:
            return remake(node, args)
        a, b = args
        safe = make("where", make("eq", a, const(0)), const(1), b)
        return make("mul", a, make("log", safe)) if node.op == "xlogy" else make("div", a, safe)

    return rebuild(roots, change) if shared else unchanged(roots)


def _logs_of_numbers(roots: list[Node]) -> dict[Node, Node]:
    """Take the logarithm of a number once, not in every entry of an array beside it."""

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op != "xlogy" or args[1].shape or not args[0].shape or args[0].dtype == "bool":
            return remake(node, args)
        a, b = args
        log = make("where", make("eq", a, const(0)), const(0), make("number_log", b))
        return make("mul", a, log)

    alone = any(n.op == "xlogy" and n.shape and not n.args[1].shape for n in topological(roots))
    return rebuild(roots, change) if alone else unchanged(roots)


def _conditions_joined(roots: list[Node]) -> dict[Node, Node]:
    """Take the product of two conditions as one condition: a table of bits, not of floats."""

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        joined = node.op == "mul" and all(a.dtype == "bool" and a.shape for a in args)
        return make("both", *args) if joined else remake(node, args)

    return rebuild(roots, change, only=("mul",))


def _asked_for(graph: Graph, named: Mapping[Node, str], heads: Mapping[Node, str]) -> list[Node]:
    """List the lines of the user, and their slopes: they stay, other names may go."""
    return [n for n, name in named.items() if n in heads or name in graph.names]


def _axes_kept(roots: list[Node]) -> dict[Node, Node]:
    """Put the axis back into a sum or mean that is there without it, in place of another one."""
    from symgrad.codegen.fast.algebra import without_kept

    order = topological(roots)
    flat = {n for n in having(order, *REDUCED) if n.args[0].shape and not n.attrs["keepdims"]}
    wide = [n for n in order if flat and n.op in REDUCED and n.attrs["keepdims"]]
    found = {n: None for n in wide if _without_axes(without_kept(n)) in flat}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in found:
            return without_kept(remake(node, args))
        if node.op in ("sub", "div", "mul", "add") and any(a in found for a in node.args):
            bare = make(node.op, *map(_number_alone, args))
            if bare.shape == node.shape:  # NumPy puts the axes of a number in by itself
                return bare
        return remake(node, args)

    return rebuild(roots, change) if found else unchanged(roots)


def _without_axes(node: Node) -> Node:
    return node.args[0] if node.op in ("expand", "reshape") else node


def _number_alone(node: Node) -> Node:
    inner = _without_axes(node)
    return node if inner.shape else inner


def _from_powers(roots: list[Node]) -> dict[Node, Node]:
    """Divide x^k by x instead of raising x to k - 1; x is well above 0, so there is no 0/0.

    Factors come first: k x^k/x is 0 where k is, also beside an x whose inverse overflows. There
    x^(k - 1) may be any power of x, as it has the factor k.
    """
    powers = dict.fromkeys(n for n in topological(roots) if n.op == "pow")
    less = {n: p for p in powers for n in _lowered(p) if n in powers}
    if not less:
        return unchanged(roots)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node in less:
            return make("div", _raised(*args), args[0])
        if node.op == "mul" and any(a in less for a in node.args):
            other, k = (args[0], 1) if node.args[1] in less else (args[1], 0)
            power, base = args[k].args
            return make("div", make("mul", other, power), base)
        return remake(node, args)

    return rebuild(roots, change)


def _raised(x: Node, exponent: Node) -> Node:
    """Give x^k for x and what `_lowered` has as its exponent."""
    less = exponent.args[2] if exponent.op == "where" else exponent
    return make("pow", x, less.args[0])


def _lowered(power: Node) -> list[Node]:
    """List what is written for x^(k - 1)."""
    x, k = power.args
    declared = x.op == "input" and x.attrs["kind"] == "positive"
    if not (declared or clear_of_zero(x)) or value_of(k) is not None:
        return []
    less = make("sub", k, const(1))
    case = make("where", make("eq", k, const(0)), const(1), less)
    return [make("pow", x, exponent) for exponent in (less, case)]


def _from_inverses(roots: list[Node]) -> dict[Node, Node]:
    """Multiply by an inverse that is there, instead of solving with its matrix once more."""
    inverses = dict.fromkeys(n.args[0] for n in topological(roots) if n.op == "inv")

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op == "solve":
            matrix, image = node.args[0], args[0]
            if matrix in inverses:
                return make("matmul", make("inv", image), args[1])
            if matrix.op == "transpose" and matrix.args[0] in inverses:
                inverse = make("inv", image.args[0])
                return make("matmul", make("transpose", inverse, **matrix.attrs), args[1])
        return remake(node, args)

    return rebuild(roots, change) if inverses else unchanged(roots)

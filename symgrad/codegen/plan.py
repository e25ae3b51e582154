"""Plan a program: which values get a line of their own, in which order.

The adjoints of named values are settled one by one, so that the code reads as people write it:
grad_s = (P - Y)/N, then grad_W = h.T @ grad_s, and a small factor is applied to a small array.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from symgrad.autodiff import scalar_output, substitute, sweep, wanted
from symgrad.codegen.changes import changes, last_changes
from symgrad.codegen.softmaxes import (
    exponentials,
    kept,
    mixtures,
    multiplied_cases,
    renamed,
    rows_known,
    scored,
    waves,
    weights,
)  # fmt: skip
from symgrad.errors import UsageError, near
from symgrad.formula import cut, derive, output_name
from symgrad.formula.naming import Names, users_names
from symgrad.formula.twice import repeated
from symgrad.graph import Graph, Node, depends, having, rebuild, topological
from symgrad.ops import remake, value_of
from symgrad.rewrite import Rewrite, recognise, simplify, tree_size
from symgrad.rewrite.branches import one_function
from symgrad.rewrite.collected import one_product
from symgrad.rewrite.corrected import corrected
from symgrad.rewrite.cost import FREE, operations
from symgrad.rewrite.dangers import elementwise, met
from symgrad.rewrite.distances import distances
from symgrad.rewrite.ended import with_ends
from symgrad.rewrite.masked import one_way
from symgrad.rewrite.opposites import both_signs
from symgrad.rewrite.outside import numbers_outside
from symgrad.rewrite.ratios import in_powers, squared_ratios
from symgrad.rewrite.scaled import multiple
from symgrad.rewrite.shields import shielded
from symgrad.rewrite.skews import skewed_products
from symgrad.rewrite.upright import upright

PRODUCTS = ("matmul", "outer")
ARITHMETIC = ("add", "sub", "mul", "div", "neg", "pow")
SMALL = 3  # a scalar adjoint of fewer operations is written out where it is used
LARGE = 3  # times the operations of the value: longer gradients of numbers are planned twice
DIFFERENCES = ("logaddexp",)  # whose slopes take a - b, where normal forms keep the digits
VAST = 1000  # nodes of a program whose slopes leave its values as they are, without normal forms
LONG = 12  # an adjoint of more operations gets a line of its own


@dataclass(frozen=True, slots=True)
class Plan:
    """Hold a program: its graph, value, gradients by name, and the named lines in order.

    Beside the gradients `grads` holds the named values of `also`, which are returned as they are.
    """

    graph: Graph
    value: Node
    grads: dict[str, Node]
    lines: tuple[Node, ...]
    names: dict[Node, str]
    heads: dict[Node, str]
    of: str
    trace: tuple[Rewrite, ...] = ()
    also: tuple[str, ...] = ()


def plan(
    graph: Graph,
    wrt: str | Iterable[str] | None,
    accurate: bool = False,
    lazy: bool = True,
    also: tuple[str, ...] = (),
    normal: bool = True,
    plain: bool = False,
    pairs: bool = False,
) -> Plan:
    """Differentiate and choose the lines of the program.

    With `accurate` the rules that keep their digits are taken, and no normal form: it might
    subtract what is nearly equal. `lazy` says that a program of numbers evaluates the branch of a
    case that is taken only, as Python does. `also` names values of the graph that are returned
    beside the gradients. Without `normal`, adjoints are tidied, but not brought into a normal form:
    that takes most of the time of a long program that nobody reads. `plain` asks for what is best
    where every line is a whole array's: inner products instead of sums of products of large arrays,
    softmax by logsumexp where that is there. `pairs` takes distances of all pairs of points as one
    operator, which NumPy's modules have a function for.
    """
    found = _planned(graph, wrt, accurate, lazy, also, normal, plain, pairs)
    roots = [found.value, *found.grads.values()]
    order = topological(roots) if normal and not accurate and found.grads else ()
    if not order or any(n.shape or n.op in DIFFERENCES for n in order):
        return found
    # of numbers the rules' own forms may share more with the value: v*v for v = 1/(1/f - 1/u)
    count = operations(roots)
    if count > LARGE * operations([found.value]):
        other = _planned(graph, wrt, accurate, lazy, also, False, plain, pairs)
        if operations([other.value, *other.grads.values()]) < count:
            return other
    return found


def _planned(
    graph: Graph,
    wrt: str | Iterable[str] | None,
    accurate: bool,
    lazy: bool,
    also: tuple[str, ...],
    normal: bool,
    plain: bool,
    pairs: bool,
) -> Plan:
    """Plan in one way: with normal forms or without."""
    mode = "accurate" if accurate else "code"
    targets = wanted(graph, wrt)
    if targets:
        scalar_output(graph)
    recognised, trace = recognise(graph, mode)
    recognised = _cheaper(recognised, targets.values(), accurate, pairs)
    names = Names(recognised)
    heads: dict[Node, str] = {}
    inputs = {t: n for t, n in targets.items() if n.op == "input"}
    normal = normal and not accurate
    found_in = _staged(recognised, inputs, names, heads, mode, normal) if inputs else {}
    grads = {
        name: found_in[name]
        if node.op == "input"
        else _intermediate(graph, recognised, name, node, mode)
        for name, node in targets.items()
    }
    grads.update(_values(recognised, targets, also))
    found = [recognised.output, *grads.values()]
    if not accurate:
        found = exponentials(found, names, heads, plain)
    for change in changes(recognised, names, heads, mode, plain):
        found = renamed(found, change(found), names, heads)
    found = exponentials(found, names, heads, plain, accurate)  # of what has become the same
    found = renamed(found, with_ends([recognised.output, found[0]], found), names, heads)
    found = _guarded(found, names, heads, lazy)
    for change in last_changes(recognised, names, heads, accurate) if plain else ():
        found = renamed(found, change(found), names, heads)
    value, *found = found
    grads = dict(zip(grads, found, strict=True))
    roots = [value, *grads.values()]
    names.forward |= dict.fromkeys(topological([value]))  # also what the changes made of values
    names.prepare(roots)
    made = Plan(recognised, value, grads, (), names.chosen, heads,
                output_name(graph), tuple(trace), also)  # fmt: skip
    _share(made, names)
    lines = tuple(n for n in topological(roots) if n in names.chosen and n.op != "input")
    return replace(made, lines=lines)


def _cheaper(graph: Graph, targets: Iterable[Node], accurate: bool, pairs: bool) -> Graph:
    """Write a recognised graph by what has a cheaper value and slope."""
    graph = squared_ratios(one_product(one_way(one_function(upright(graph)))))
    graph = skewed_products(distances(graph)) if pairs else graph
    if accurate:
        return graph
    targets = tuple(targets)
    return corrected(numbers_outside(graph, targets), targets)


def _values(graph: Graph, targets: Mapping[str, Node], also: Iterable[str]) -> dict[str, Node]:
    """Find the values that are returned as they are, by name."""
    for name in also:
        if name not in graph.names:
            raise UsageError(f"also={name!r} is no line of the program",
                             hint=near(name, tuple(graph.names)))  # fmt: skip
        if name in targets:
            raise UsageError(f"'{name}' is asked for twice: its gradient, and its value")
    return {name: graph.names[name] for name in also}


def _staged(
    graph: Graph,
    targets: dict[str, Node],
    names: Names,
    heads: dict[Node, str],
    mode: str,
    normal: bool,
) -> dict[str, Node]:
    """Sweep backwards; each adjoint that others build on gets a name before they do."""
    order = graph.order()
    active = depends(order, targets.values())
    ends = dict.fromkeys([*targets.values(), graph.output])
    labels = users_names(graph)
    scores = scored(order) if normal else {}
    whole = order if normal else ()  # what is taken as it is, is looked for in these
    others = [*filter(both_signs, whole), *waves(whole), *multiplied_cases(whole)]
    stays = [*weights(whole, active), *in_powers(whole), *mixtures(whole)]
    known = kept([*scores, *others], names, graph.places, stays)
    if not normal and len(order) > VAST:  # only what is new is tidied
        known.update(dict.fromkeys(order))

    def settle(node: Node, g: Node) -> Node:
        # only what is below an adjoint's own named parts is rewritten, so the cost stays linear
        final = node in ends
        if node in scores:
            g = rows_known(g, names, graph.places)
        simple = simplify([g], known.now(), graph.places, final, normal)[g]
        if final or simple in names.chosen or simple.op in FREE:
            return simple
        small = not simple.shape and tree_size(simple, names.chosen) < SMALL  # 1/N, 2 lambda
        # a case with a 0 stays open: what is multiplied next belongs into its branch
        case = simple.op == "where" and any(value_of(v) == 0 for v in simple.args[1:])
        if small or case or _passes_on(node, simple, names.chosen, active):
            return simple
        shared = node in labels or _spreads(node, active)
        if shared or tree_size(simple, names.chosen) > LONG:
            if simple.op == "where":  # a line of its own is final
                simple = simplify([simple], known.now(), graph.places, True, normal)[simple]
            if node in labels:
                names.chosen[simple] = names.reserve(f"grad_{labels[node]}")
                heads[simple] = labels[node]
            else:
                _call(simple, names, graph)
        return simple

    adjoints = sweep(graph.output, targets.values(), settle=settle, mode=mode)
    return {name: adjoints.total[node] for name, node in targets.items()}


def _call(adjoint: Node, names: Names, graph: Graph) -> None:
    """Name an adjoint; what is a value of the program too has a value's name."""
    if adjoint in graph.places:
        names.name(adjoint)
    else:
        names.chosen[adjoint] = names.reserve("delta")


def _guarded(roots: list[Node], names: Names, heads: dict[Node, str], lazy: bool) -> list[Node]:
    """Keep the branch not taken from raising a warning: log(where(c, x, 1)) inside where(c, …)."""
    order = topological(roots)
    arrays = any(n.shape or n.dtype == "int" for n in order)  # which no Python floats are
    if not having(order, "where") or (lazy and not arrays):
        return roots

    known = met(roots)
    depths: dict[Node, int] = {}  # how many cases are inside one another

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        depth = max([depths[a] for a in args], default=0) if elementwise(node) else 0
        if node.op == "where":
            depth += 1
            c, a, b = args
            args = (c, shielded(a, c, True, depths, known), shielded(b, c, False, depths, known))
        image = remake(node, args)
        depths.setdefault(image, depth)
        return image

    memo = rebuild(roots, change)
    return renamed(roots, memo, names, heads)


def _passes_on(
    node: Node, simple: Node, chosen: Collection[Node], active: dict[Node, None]
) -> bool:
    """Say whether an adjoint's number or sign belongs further on: it gets no name before."""
    bare = multiple(simple).base
    if node.op not in PRODUCTS and bare in chosen:
        return True  # 2z, z/N: the number may go to a smaller array
    if node.op == "solve" and bare is not simple:
        return True  # a number leaves the next solution, which may be there then
    if bare is not simple and (bare.op == "input" or bare in chosen) and _once(node, active):
        return True  # A (x/2) is A x/2, where A x may be there
    return simple.op == "neg" and simple.args[0] in chosen  # to the product, or to a sum


def _once(node: Node, active: dict[Node, None]) -> bool:
    """Say whether a product of a matrix and a vector hands its adjoint on to one operand only."""
    vector = node.op == "matmul" and len(node.shape) == 1
    return vector and node.args[0] is not node.args[1] and sum(a in active for a in node.args) == 1


def _spreads(node: Node, active: dict[Node, None]) -> bool:
    """Say whether an adjoint is used more than once: by a product, or by several operands."""
    used = [a for a in node.args if a in active]
    return bool(used) and (node.op in PRODUCTS or len(used) > 1)


def _intermediate(graph: Graph, recognised: Graph, name: str, node: Node, mode: str) -> Node:
    """Give the gradient in a named value: derived with the value cut off, then put back."""
    open_graph, stand_in = cut(graph, name, node)
    derivation = derive(open_graph, {name: stand_in}, mode=mode)
    image = recognised.names.get(name, node)
    return substitute(derivation.gradient(stand_in), {stand_in: image})


def _share(plan: Plan, names: Names) -> None:
    """Name what several lines use; a number that is returned too is computed once."""
    roots = [plan.value, *plan.grads.values()]
    tops = dict.fromkeys(roots)
    order = topological(roots)
    users: dict[Node, int] = {}
    for node in reversed(order):  # what costs nothing is written where it is used, with its operand
        times = max(users.get(node, 0), 1) if node.op in FREE and node not in names.chosen else 1
        for arg in node.args if len(node.args) < 2 else dict.fromkeys(node.args):
            users[arg] = users.get(arg, 0) + times
        again = repeated(node)
        if again is not None and again.args:
            users[again] = users.get(again, 0) + 1
    numbers, forward = not any(n.shape for n in order), dict.fromkeys(topological([plan.value]))
    if numbers:
        _own_names(plan, names, users, forward)
    for node, count in Counter(plan.grads.values()).items():
        read = users.get(node) or count > 1 or node in forward
        if not read and node not in names.given and node not in plan.heads:
            names.chosen.pop(node, None)  # it is called by its gradient's name
    for node in order:
        used = users.get(node, 0)
        array = node in tops and node.shape and not (used and node in forward)
        if node.op in FREE or node in names.chosen or array:
            continue
        if used > 1 if node not in tops else used and not _short(node, names, numbers):
            names.name(node)


def _own_names(
    plan: Plan, names: Names, users: Mapping[Node, int], forward: Collection[Node]
) -> None:
    """Call the value of numbers, and slopes that others are built on, what they are."""
    if plan.of in names.own and plan.of not in names.chosen.values() and users.get(plan.value):
        names.chosen[plan.value] = plan.of
    for name, node in plan.grads.items():
        known = node in forward or node in plan.heads or node.op in FREE or name in plan.also
        if users.get(node) and not known and not _short(node, names, True):
            names.chosen[node] = names.reserve(f"grad_{name}")
            plan.heads[node] = name


def _short(number: Node, names: Names, numbers: bool) -> bool:
    """Say whether a number is written out where it is used: a few operations on numbers.

    In a program of `numbers` alone it is arithmetic, f (1 - f), which no function is.
    """
    if numbers:
        below = topological([number], stop=lambda n: n in names.chosen and n is not number)
        plain = all(n.op in ARITHMETIC or n.op in FREE or n in names.chosen for n in below)
        plain = plain and not any(n.op == "pow" and n.args[1].args for n in below)
        return plain and tree_size(number, names.chosen) < SMALL
    size = tree_size(number, names.chosen)
    return size < SMALL and not any(a.shape for a in number.args)

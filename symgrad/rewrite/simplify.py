"""Simplify gradients to textbook size: tidy every node, then normalise every elementwise part."""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from symgrad.graph import Node, Users, consumers, topological
from symgrad.ops import const, make
from symgrad.rewrite import (  # noqa: F401  (they register their rules)
    arrays,
    comparisons,
    elementwise,
    products,
)
from symgrad.rewrite.backward import finish, joined_parts
from symgrad.rewrite.cost import Prices, operations
from symgrad.rewrite.forms import arithmetic
from symgrad.rewrite.gathered import gathered
from symgrad.rewrite.joined_sums import one_sum
from symgrad.rewrite.matrices import whole_inverses
from symgrad.rewrite.multiples import multiple_of_name, powers_of_names
from symgrad.rewrite.normal import normal
from symgrad.rewrite.numbers import made
from symgrad.rewrite.repeated import alike, few
from symgrad.rewrite.stretched import spelled_out
from symgrad.rewrite.tidy import keeping, tidied, tidy
from symgrad.rewrite.units import column

LARGE = 2000  # in programs of more nodes that are not alike the parts are only tidied
ROUNDS = 3  # a coefficient that a normal form frees may move out of the next product


def simplify(
    roots: Iterable[Node],
    named: Collection[Node] = (),
    places: Mapping[Node, int] = MappingProxyType({}),
    final: bool = True,
    normalise: bool = True,
    printed: bool = False,
) -> dict[Node, Node]:
    """Map each root to an equal, shorter node; named nodes stay as they are and count nothing.

    `places` gives the order in which factors that are inputs are written. With `final` false a
    case distinction at a root stays one: what is multiplied next belongs into its branch. With
    `normalise` false the order of operations is kept, and with it the digits. With `printed`
    forms are taken that a program would not, as a/|a| * 1/|a| = a/|a|**2.

    >>> from symgrad.ops import const, leaf, make
    >>> x = leaf("x"); y = make("mul", const(1), make("add", x, const(0)))
    >>> simplify([y])[y] is x
    True
    """
    current = {r: r for r in roots}
    if all(root in named for root in current):
        return current
    normalise = normalise and (len(places) <= LARGE or few())
    with keeping(named, places, printed), alike():
        found = _simplified(current, Prices(named), normalise, final)
        if printed and any(n.op == "inv" for n in topological(found.values(), named.__contains__)):
            with whole_inverses():
                plain = _simplified(current, Prices(named), normalise, final)
            for root, other in plain.items():
                if operations([other], named) < operations([found[root]], named):
                    found[root] = other
        if printed and normalise:
            found = {root: spelled_out(new) for root, new in found.items()}
            for root, new in found.items():
                short = powers_of_names(multiple_of_name(new, named, _alone), named, _alone)
                found[root] = column(short, lambda entry: _alone(entry, named))
    return found


def _alone(root: Node, named: Collection[Node]) -> Node:
    """Simplify one number that is printed, with some values as names."""
    with keeping(named, {}, True):
        return _simplified({root: root}, Prices(named), True, True)[root]


def _simplified(
    current: dict[Node, Node], prices: Prices, normalise: bool, final: bool
) -> dict[Node, Node]:
    """Map each root to what some rounds make of it."""
    for _ in range(ROUNDS):
        images = _round(tuple(current.values()), prices, normalise, final)
        changed = any(images[old] is not old for old in current.values())
        current = {root: images[old] for root, old in current.items()}
        if not changed:
            break
    if normalise:
        return {root: finish(new, prices.named) for root, new in current.items()}
    return {root: joined_parts(new, prices.named) for root, new in current.items()}


def _round(
    roots: tuple[Node, ...], prices: Prices, normalise: bool, final: bool
) -> dict[Node, Node]:
    named = prices.named
    order = topological(roots, stop=lambda n: n.op == "as_is" or n in named)
    users: Users = {}
    tops = dict.fromkeys(roots)
    images: dict[Node, Node] = {}
    for node in order:
        if node in named or not node.args or node.op == "as_is":
            images[node] = node
            continue
        if normalise and node.op == "sigmoid" and (known := _named_sigmoid(node, named)):
            images[node] = known
            continue
        args = tuple([images[a] for a in node.args])
        image = tidied(node if args == node.args else made(node.op, args, node.attrs))
        if normalise and image.op == "mul":
            image = gathered(image, named) or image
        if normalise:
            image = one_sum(image, named, prices) or image
        open_case = image.op == "where" and node in tops and not final
        if normalise and not open_case and image not in named and arithmetic(node):
            if node not in tops and not users:
                users = consumers(order)
            if _heads_region(node, users, tops):
                image = normal(image, named, prices)
        images[node] = image
    return images


def _named_sigmoid(node: Node, named: Collection[Node]) -> Node | None:
    """Write sigma(-z) as 1 - p where p = sigma(z) has a name, before z gets another form."""
    (a,) = node.args
    opposite = a.args[0] if a.op == "neg" else make("neg", a)
    twin = make("sigmoid", opposite)
    return tidy("sub", (const(1), twin), {}) if twin in named else None


def _heads_region(node: Node, users: Users, tops: dict[Node, None]) -> bool:
    """Say whether an elementwise part ends here: nothing arithmetic uses the node."""
    if node in tops:
        return arithmetic(node)
    return arithmetic(node) and any(not arithmetic(user) for user, _ in users[node])

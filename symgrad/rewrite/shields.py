"""Shield the branch of a case that is not taken: log(where(c, x, 1)) inside where(c, …, 0)."""

from symgrad.errors import ShapeError
from symgrad.graph import Node, rebuild, topological
from symgrad.ops import const, make, remake, value_of
from symgrad.rewrite.dangers import NUMBERS, SECOND, Met, dangerous, elementwise, in_vain
from symgrad.rewrite.scaling import of_sizes

OVERFLOWING = ("exp", "expm1", "sinh", "cosh")  # which modules do not warn of
INNER = 4  # cases inside one another that are shielded together; each doubles what is inside


def _decided(node: Node, args: tuple[Node, ...], c: Node, taken: bool) -> tuple[Node, ...]:
    """Take the branches of inner cases that the case around decides; what may be shared stays."""

    def known(a: Node) -> bool:
        return a.op == "where" and a.args[0] is c and value_of(a.args[1 + taken]) is not None

    if not any(map(known, args)):
        return args
    inner = tuple(a.args[2 - taken] if known(a) else a for a in args)
    return inner if remake(node, inner).shape == node.shape else args


def shielded(branch: Node, c: Node, taken: bool, depths: dict[Node, int], known: Met) -> Node:
    """Feed 1 to the operators of a branch that could fail where it is not taken.

    A number is not: it would become an array. If places decide, some entry takes the branch.
    What fails outside of the branch too, `known`, is left as it is and shared with that.
    """
    by_place = all(n.args or n.op in NUMBERS for n in topological([c]))

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        image = instead(node, args)
        depths.setdefault(image, depths[node])
        return image

    def instead(node: Node, args: tuple[Node, ...]) -> Node:
        args = _decided(node, args, c, taken)
        if not dangerous(node) or node.op in OVERFLOWING or in_vain(node, known):
            return remake(node, args)
        k = 1 if node.op in SECOND else 0
        operand = args[k]
        if of_sizes(operand) or (by_place and not operand.shape):
            return remake(node, args)
        pair = (operand, const(1)) if taken else (const(1), operand)
        safe = make("where", c, *pair)
        depths.setdefault(safe, depths[node])
        shielded = make(node.op, *(safe if j == k else a for j, a in enumerate(args)), **node.attrs)
        return shielded if shielded.shape == node.shape else remake(node, args)

    # Only down elementwise operators: an entry of a sum needs entries where c does not hold.
    # What is far inside other cases stays: it would be written anew for each of them.
    far = depths[branch] - INNER

    def stays(n: Node) -> bool:
        return not elementwise(n) or 0 < depths[n] <= far

    memo = {n: n for n in topological([branch], stop=stays) if stays(n)}
    try:
        return rebuild([branch], change, memo)[branch]
    except ShapeError:  # the condition has another shape than what is inside
        return branch

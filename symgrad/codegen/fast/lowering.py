"""Lower a plan by cost: cheaper equal forms, down to what one NumPy call computes.

First what several values share, then node by node, then the order of long products and sums.
"""

from dataclasses import dataclass, field
from functools import partial
from operator import is_

from symgrad.codegen.fast.algebra import NUMBERS, cheaper
from symgrad.codegen.fast.attaining import attained
from symgrad.codegen.fast.chains import alike, chained, summed, twins
from symgrad.codegen.fast.columns_marked import columns_marked
from symgrad.codegen.fast.common_factors import common_factors
from symgrad.codegen.fast.costs import DEFAULTS, Costs
from symgrad.codegen.fast.diagonal_products import diagonal_products, vectors_scaled
from symgrad.codegen.fast.diagonals import diagonals
from symgrad.codegen.fast.exponentials import exponentials
from symgrad.codegen.fast.fired import Fired
from symgrad.codegen.fast.flattened import flattened
from symgrad.codegen.fast.matrices import numbers_behind, ordered
from symgrad.codegen.fast.moving import moved
from symgrad.codegen.fast.pairs import paired
from symgrad.codegen.fast.parting import parted, totals
from symgrad.codegen.fast.scales_behind import scales_behind
from symgrad.codegen.fast.sharing import flipped, opposed, partners, shared
from symgrad.codegen.fast.stacks import sided, stacked
from symgrad.codegen.fast.stencils import by_rows
from symgrad.codegen.fast.weighted_squares import weighted_squares
from symgrad.codegen.plan import Plan
from symgrad.graph import Node, having, rebuild, topological, unchanged
from symgrad.ops import const, remake
from symgrad.rewrite.lower import opened
from symgrad.rewrite.opposites import opposites


@dataclass(slots=True)
class Lowered:
    """Hold what is to be computed, and which rules made it cheaper."""

    value: Node
    grads: dict[str, Node]
    names: dict[Node, str]
    image: dict[Node, Node]
    fired: Fired = field(default_factory=Fired)


def lowered(
    plan: Plan, accurate: bool = False, dtype: str = "float64", costs: Costs = DEFAULTS
) -> Lowered:
    """Lower the value and the gradients of a plan; `accurate` keeps the rows' own forms."""
    fired = Fired()
    roots = [plan.value, *plan.grads.values()]
    image = _shared(roots, fired, accurate)
    fired.stages.append(image)
    settled = False  # what the last stage has left out is no more in `image`
    for stage in (*BEFORE, partial(exponentials, costs=costs), *BEHIND):
        found = stage([image[r] for r in roots], fired, accurate, dtype)
        fired.stages.append(found)
        same = all(map(is_, found.values(), found))  # all nodes are their own images
        if not (same and settled):
            image = {n: found[m] for n, m in image.items() if m in found}
        settled = same
    names: dict[Node, str] = {}
    for node, name in plan.names.items():
        if node in image and image[node].op not in ("input", *NUMBERS):
            names.setdefault(image[node], name)
    return Lowered(
        image[plan.value], {k: image[n] for k, n in plan.grads.items()}, names, image, fired
    )


def _shared(roots: list[Node], fired: dict[str, int], accurate: bool) -> dict[Node, Node]:
    """Map every node to its image, in which softmax and its logarithm share what they can."""
    order = topological(roots)
    if not having(order, "log_softmax"):
        return unchanged(order)
    return rebuild(roots, lambda n, args: shared(remake(n, args), fired, accurate))


def _constants_alike(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Take a constant that was typed as 1e6 for the whole number that slopes have, 1000000."""
    order = topological(roots)
    values = [n.attrs["value"] for n in having(order, "const")]
    whole = {v: const(v) for v in values if isinstance(v, int) and v}  # 0 is no -0.0
    if not any(isinstance(v, float) and v in whole for v in values):
        return unchanged(order)

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        typed = node.op == "const" and isinstance(node.attrs["value"], float)
        return whole.get(node.attrs["value"], node) if typed else remake(node, args)

    return rebuild(roots, change)


def _in_order(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Choose the order of products; what (d v') B' and B v then have in common is made once."""
    found = ordered(roots, fired, accurate, dtype)
    if accurate or all(map(is_, found.values(), found)):
        return found
    once = opposites([found[r] for r in roots], matrices=True)
    return {n: once[m] for n, m in found.items() if m in once}


def _opened(
    roots: list[Node], fired: dict[str, int], accurate: bool, dtype: str
) -> dict[Node, Node]:
    """Map every node to its cheapest form; a row's text may need lowering itself."""
    return opened(roots, lambda node: cheaper(node, fired, accurate, dtype))


BEFORE = (_constants_alike, attained, partners, diagonal_products, paired, _opened,
          weighted_squares, scales_behind, common_factors, moved, flattened, parted, opposed,
          flipped, stacked, sided, numbers_behind, _in_order, vectors_scaled)  # fmt: skip
BEHIND = (chained, twins, alike, summed, totals, diagonals, columns_marked, by_rows)

"""Choose which names stay in index form: the user's do, ours where writing them out says less."""

from collections.abc import Mapping

from symgrad.formula.index import IndexForm, index_form
from symgrad.formula.naming import Names, is_mask
from symgrad.graph import Node, topological
from symgrad.ops import OPS

WHOLE = 80  # of more nodes than that no cases are looked for
FOLDED = 20  # names that we chose are written out in cases of up to so many operations


def index_forms(
    node: Node, names: Names, as_name: Mapping[Node, str]
) -> tuple[IndexForm, dict[Node, str]]:
    """Write a formula by entries, and give the names that are its atoms.

    Masks and diagonal matrices are always written out; other names that we chose are where that
    leads to cases. `as_name` names the node itself where the formula is no more than its name.
    """
    shown = names.mentioned_in(node)
    view = {n: names.chosen[n] for n in [*shown, *(n for n in [node] if n in as_name)]}
    kept = {n: t for n, t in names.chosen.items() if n in names.given or OPS[n.op].canonical}
    own = {n: t for n, t in view.items() if n in kept}
    if len(topological([node], stop=lambda n: n in own and n is not node)) <= WHOLE:
        if node not in own:
            kept.pop(node, None)
        folded = index_form(node, kept, names.dims, names.taken)
        if len(own) == len(view) or (folded.cases and folded.count_ops() <= FOLDED):
            return folded, kept
    plain = {n: t for n, t in names.chosen.items() if not _written_out(n, names)}
    if node not in as_name:
        plain.pop(node, None)
    return index_form(node, plain, names.dims, names.taken), plain


def _written_out(node: Node, names: Names) -> bool:
    return node not in names.given and (is_mask(node) or node.op == "diag")

"""Bind abstract functions: put an operator or a formula, and its derivatives, in their place."""

from collections.abc import Mapping

from symgrad.autodiff.sweep import substitute, sweep
from symgrad.errors import UsageError
from symgrad.graph import Graph, Node, rebuild
from symgrad.ops import make, remake
from symgrad.parse.functions import VARIABLE, definition


def bound(graph: Graph, functions: Mapping[str, str]) -> Graph:
    """Replace abstract functions by what `functions` gives: operators' names, formulas in `a`.

    Raises UsageError for a name that is no abstract function of the graph, ParseError for a
    formula that cannot be read.

    >>> from symgrad.parse import parse
    >>> bound(parse("phi: function; phi(2*x)"), {"phi": "tanh"}).output.op
    'tanh'
    """
    if not isinstance(functions, Mapping):
        raise UsageError("functions= maps names to operators or formulas",
                         hint='for example {"phi": "tanh"}')  # fmt: skip
    for name in functions:
        if name not in graph.functions:
            known = ", ".join(graph.functions)
            raise UsageError(f"functions= gives '{name}', which is no function of this program",
                             hint=f"its functions are {known}" if known
                             else f"declare it:  {name}: function")  # fmt: skip
    # the derivatives of every function, as many as are asked for
    orders = {name: [definition(name, text)] for name, text in functions.items()}

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        if node.op != "apply" or node.attrs["name"] not in orders:
            return remake(node, args)
        known, order = orders[node.attrs["name"]], node.attrs["order"]
        while len(known) <= order:
            known.append(sweep(known[-1], [VARIABLE]).total[VARIABLE])
        image = substitute(known[order], {VARIABLE: args[0]})
        shape = args[0].shape
        return image if image.shape == shape else make("broadcast", image, shape=shape)

    image = rebuild((*graph.names.values(), *graph.outputs), change)
    return graph.mapped(image, [name for name in graph.functions if name not in functions])

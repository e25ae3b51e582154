r"""Abstract functions, as lectures derive with them: y = phi(net), dy/dnet = phi'(net).

One row for all functions and all orders of derivative: `name` says which function, `order` which
derivative. It has no numbers; binding (`symgrad.autodiff.bound`) puts an operator in its place.
"""

from symgrad.errors import UsageError
from symgrad.graph import Node
from symgrad.ops.spec import MISSING, register


def _unbound(node: Node) -> str:
    """Refuse to spell an abstract function in NumPy; every way to numbers comes through here."""
    name = node.attrs["name"]
    raise UsageError(
        f"the function '{name}' is abstract and has no numbers",
        hint=f'bind it to an operator or to a formula in a:  symgrad.parse(…, functions={{"{name}": '
        f'"tanh"}})  or, on the command line,  --functions {name}=tanh',
    )


register("apply", 1, params={"name": MISSING, "order": 0}, hidden=True, vjp=("g*primed(y)",), numpy=_unbound,
         glyph="f", doc="An abstract function of one variable, or a derivative of it.", source="chain rule")  # fmt: skip

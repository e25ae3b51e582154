"""Powers as products, and operands that the text of a module writes twice."""

from symgrad.graph import Node
from symgrad.ops import value_of
from symgrad.ops.spec import MUL, POW

POWERS = {  # as products, and how strongly their texts bind
    3: ("{a} * {a} * {a}", MUL),
    4: ("({a:31} ** 2) ** 2", POW),
    5: ("{a} * ({a} ** 2) ** 2", MUL),
    6: ("({a} * {a} * {a}) ** 2", POW),
    7: ("{a} * ({a} * {a} * {a}) ** 2", MUL),
    8: ("(({a:31} ** 2) ** 2) ** 2", POW),
    10: ("({a} * ({a} ** 2) ** 2) ** 2", POW),
    12: ("(({a} * {a} * {a}) ** 2) ** 2", POW),
}
TWICE = {"xdivy": 0, "xlogy": 0, "xlog1py": 0, "over": 1, "pow": 0}  # which operand a text repeats


def repeated(node: Node) -> Node | None:
    """Give the operand of an array that the text of a module writes twice: it had better be a name.

    >>> from symgrad.ops import const, leaf, make
    >>> x = leaf("x", ("N",))
    >>> repeated(make("pow", x, const(3))) is x, repeated(make("pow", x, const(2)))
    (True, None)
    """
    if node.op in ("einsum", "sum_of_products", "pulls"):
        return next((a for a in node.args if node.args.count(a) > 1), None)
    if node.op not in TWICE or not node.shape:
        return None
    found = POWERS.get(whole(node.args[1])) if node.op == "pow" else None
    if node.op == "pow" and (found is None or found[0].count("{a") == 1):
        return None
    return node.args[TWICE[node.op]]


def whole(node: Node) -> int:
    """Give a constant that is a whole number, else 0."""
    value = value_of(node)
    return int(value) if value is not None and value == int(value) else 0

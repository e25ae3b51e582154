"""Write sums of parts at their places as additions in place, without zeros around each part."""

from collections.abc import Sequence

from symgrad.formula.texts import Text
from symgrad.graph import Node

FRESH = ("add", "sub", "mul", "div", "neg", "pow")  # whose results are arrays of their own


def accumulated(node: Node, args: Sequence[Text]) -> Text | None:
    """Add a part at its place to an array that nobody else has; None where neither operand is one.

    >>> from symgrad.ops import leaf, make
    >>> part = make("unslice", leaf("p", (2,)), key=((1, 3),), shape=(5,))
    >>> put = Text("unslice(p, (5,), np.s_[1:3], np.float64)")
    >>> accumulated(make("add", leaf("x", (5,)), part), [Text("x"), put]).text
    'unslice(p, (5,), np.s_[1:3], np.float64, np.array(x))'
    """
    for k in (1, 0):
        part, start, text = node.args[k], node.args[1 - k], args[1 - k].text
        if part.op != "unslice" or not args[k].text.startswith("unslice("):  # it may have a name
            continue
        if start.shape == node.shape and start.dtype == part.args[0].dtype == "float":
            own = start.op in FRESH and not text.isidentifier()
            text = text if own or text.startswith("unslice(") else f"np.array({text})"
            return Text(f"{args[k].text[:-1]}, {text})")
    return None

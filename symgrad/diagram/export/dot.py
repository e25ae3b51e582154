"""DOT, and the drawing that Graphviz makes of it: edges labelled with value and contribution."""

from typing import TYPE_CHECKING

import graphviz

from symgrad.diagram.digits import Decimals
from symgrad.diagram.from_graph import Array, DrawNode
from symgrad.diagram.layout import run
from symgrad.diagram.measure import shorten
from symgrad.diagram.symbols import unicode_symbol
from symgrad.diagram.tensor import rms

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram


def export(diagram: "Diagram") -> bytes:
    """Write a diagram as DOT."""
    return diagram.to_dot().encode()


def drawn(diagram: "Diagram", form: str) -> tuple[bytes, str]:
    """Let Graphviz draw a diagram in one of its formats; name the engine too."""
    return run(diagram.to_dot(), form, diagram.options.engine)


def digraph(diagram: "Diagram") -> graphviz.Digraph:
    """Build the `graphviz.Digraph`; its ids are numbers, its edges in the order of the operands."""
    drawing, theme = diagram.drawing, diagram.options.theme
    decimals = diagram.decimals
    g = graphviz.Digraph()
    g.attr("graph", rankdir="LR", ordering="in", bgcolor=theme.colour("background"))
    if diagram.options.title:
        title = quoted(diagram.options.title)
        g.attr("graph", label=title, labelloc="t", labeljust="l")
        g.attr("graph", fontname="Helvetica", fontcolor=theme.colour("text"))
    g.attr(
        "node", fontname="Helvetica", fontcolor=theme.colour("text"), style="filled", penwidth="1.4"
    )
    g.attr("edge", fontname="Helvetica", color=theme.colour("edge"), arrowsize="0.7")
    for node in drawing.nodes:
        line, fill = theme.colour(f"{node.kind}.line"), theme.colour(f"{node.kind}.fill")
        shape = "ellipse" if node.kind == "gate" else "box"
        g.node(str(node.id), label=quoted(_title(node)), shape=shape, color=line, fillcolor=fill)
    for edge in drawing.edges:
        pruned = drawing.numbers and edge.grad is None
        style = {"style": "dashed", "color": theme.colour("pruned")} if pruned else {}
        label = _label(decimals, edge.value, edge.grad)
        g.edge(str(edge.source), str(edge.target), label=label, **style)
    for k, number in enumerate(drawing.outputs):
        node = drawing.nodes[number]
        tip = str(len(drawing.nodes) + k)
        g.node(tip, label=quoted(node.name), shape="plaintext", style="")
        g.edge(str(number), tip, label=_label(decimals, node.value, node.grad))
    return g


def _title(node: DrawNode) -> str:
    if node.kind in ("gate", "constant"):
        symbol = unicode_symbol(node.symbol)
        return f"{symbol}\n{shorten(node.name)}" if node.name else symbol
    return shorten(node.name)


def quoted(text: str) -> str:
    r"""Write any text as a DOT label that shows just this text, whatever is in it.

    >>> print(quoted('a"\\N<b>'))
    a"\\N<b>
    """
    # Digraph puts the quotation marks and escapes those inside; a backslash starts an escape of
    # DOT (\N is the node's name), and a text between < and > would be read as HTML;
    # entities such as &lt; are read everywhere.
    clean = "".join(
        c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text
    )
    escaped = clean.replace("&", "&amp;").replace("\\", "\\\\").replace("\n", "\\n")
    label: str = graphviz.nohtml(escaped)
    return label


def _label(decimals: Decimals, value: Array | None, grad: Array | None) -> str:
    """Write the value and, behind an arrow that points back, the contribution, one line each.

    Graphviz' HTML-like labels could colour them, but the embedded engine is built without these.
    """
    lines = [] if value is None else [_spelled(value, decimals)]
    if grad is not None:
        lines.append("← " + _spelled(grad, decimals))
    return quoted("\n".join(lines))


def _spelled(array: Array, decimals: Decimals) -> str:
    if not array.shape:
        return decimals.text(float(array))
    shape = "×".join(str(n) for n in array.shape)
    return f"{shape}, rms {decimals.text(rms(array))}"

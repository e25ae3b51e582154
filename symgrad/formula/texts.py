"""The loop that all printers share: operands first, brackets by binding strength, no recursion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symgrad.graph import Node, topological
from symgrad.ops import OPS, Op
from symgrad.ops.slices import key_text
from symgrad.ops.spec import ATOM, COMPARE, letters, typed_name
from symgrad.shapes import axes_of


@dataclass(frozen=True, slots=True)
class Text:
    """Hold printed text, how strongly it binds, and whether it is a condition."""

    text: str
    level: int = ATOM
    mask: bool = False
    over: tuple[str, str] | None = None  # numerator and denominator of a quotient
    root: str = ""  # what an inverse is the inverse of
    turned: str = ""  # what a transpose is the transpose of
    row: bool = False  # a vector that is printed as a row, xᵀ A


@dataclass(frozen=True, slots=True)
class Slot:
    """Fill an operand into a template: `{a:20}` puts brackets around what binds weaker."""

    inner: Text
    bracket: Callable[[str], str]

    def __format__(self, spec: str) -> str:
        least = int(spec) if spec else 0
        return self.bracket(self.inner.text) if self.inner.level < least else self.inner.text


Handler = Callable[[Node, list[Text]], Text]


def fill(
    template: str, node: Node, operands: list[Text], bracket: Callable[[str], str], **extra: str
) -> str:
    """Fill a row's template with printed operands."""
    names = letters(OPS[node.op], len(operands))
    slots = {k: Slot(v, bracket) for k, v in zip(names, operands, strict=True)}
    return template.format(**slots, **extra)


INDEX = "ijklmnpq"


def along(node: Node) -> str:
    """Name the axes that an operator works along, "" where that goes without saying."""
    axis = node.attrs.get("axis")
    if OPS[node.op].shape not in ("reduce", "like a"):
        return ""
    rank = len(node.args[0].shape) if node.args else 0
    if axis is None or rank < 2:
        return ""
    axes = axes_of(axis, rank)
    if len(axes) == rank or (OPS[node.op].shape == "like a" and axes == (rank - 1,)):
        return ""
    return "".join(INDEX[k] for k in axes if k < len(INDEX))


def stretched(node: Node) -> tuple[int, ...]:
    """List the operands of an elementwise operator whose inserted axes have to be shown.

    Where one operand has the full shape, a row or column beside it explains itself; where none
    has (x_i - x_j), the axes are what it is about.
    """
    row = OPS.get(node.op)
    if row is None or row.shape != "elementwise" or len(node.shape) < 2:
        return ()
    if any(a.shape == node.shape for a in node.args):
        return ()
    return tuple(k for k, a in enumerate(node.args) if a.op == "expand" and a.args[0].shape)


def chained(first: str, second: str, signs: tuple[str, ...]) -> str:
    """Join 0 < x and x < 6 to 0 < x < 6; "" where they do not meet.

    >>> chained("0 < x", "x < 6", ("<", "≤")), chained("0 < x", "y < 6", ("<",))
    ('0 < x < 6', '')
    """
    found = [(first.rpartition(f" {s} "), s) for s in signs]
    (_, _, middle), _ = max(found, key=lambda f: len(f[0][0]))
    joint = any(second.startswith(f"{middle} {s} ") for s in signs)
    return first + second[len(middle) :] if joint and middle != first else ""


def by_rows(
    special: Mapping[str, Handler],
    indicator: Callable[[Text], Text],
    template: Callable[[Op], str],
    call: Callable[[str, str, str], str],
    bracket: Callable[[str], str],
    index: Callable[[str], str],
    outer: Callable[[str, Node], str],
) -> Handler:
    """Print a node by its special handler, its row's template, or as a call of its name."""

    def below(node: Node) -> str:
        letters_ = along(node)
        return index(letters_) if letters_ else ""

    def handle(node: Node, args: list[Text]) -> Text:
        row = OPS.get(node.op)
        args = [
            Text(outer(a.text if a.level >= ATOM else bracket(a.text), n))
            if k in stretched(node)
            else a
            for k, (n, a) in enumerate(zip(node.args, args, strict=True))
        ]
        if row is None or not row.masks:
            args = [indicator(a) for a in args]
        if node.op in special:
            return special[node.op](node, args)
        assert row is not None
        text = template(row)
        if not text:
            shown = typed_name(row.name)
            return Text(call(shown, below(node), ", ".join(a.text for a in args)))
        mask = node.dtype == "bool" and row.level == COMPARE
        level = ATOM if text.endswith(")") else row.level  # log(x) needs no more brackets
        key = key_text(node.attrs.get("key", ()))
        return Text(fill(text, node, args, bracket, key=key) + below(node), level, mask)

    return handle


def render(
    root: Node,
    names: Mapping[Node, str],
    handle: Handler,
    named: Callable[[Node, str], Text] = lambda node, text: Text(text),
) -> Text:
    """Print a node; `names` gives what is printed as a name (never the root itself)."""
    done: dict[Node, Text] = {}
    for node in topological([root], stop=lambda n: n in names and n is not root):
        if node in names and node is not root:
            done[node] = named(node, names[node])
        else:
            done[node] = handle(node, [done[a] for a in node.args])
    return done[root]

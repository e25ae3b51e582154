"""The loop that all printers share: operands first, brackets by binding strength, no recursion."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symgrad.graph import Node, topological
from symgrad.ops import OPS, Op
from symgrad.ops.linalg import key_text
from symgrad.ops.spec import ATOM, COMPARE, letters


@dataclass(frozen=True, slots=True)
class Text:
    """Hold printed text, how strongly it binds, and whether it is a condition."""

    text: str
    level: int = ATOM
    mask: bool = False
    over: tuple[str, str] | None = None  # numerator and denominator of a quotient


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
    names = letters(OPS[node.op])[: len(operands)]
    slots = {k: Slot(v, bracket) for k, v in zip(names, operands, strict=True)}
    return template.format(**slots, **extra)


def by_rows(
    special: Mapping[str, Handler],
    indicator: Callable[[Text], Text],
    template: Callable[[Op], str],
    call: Callable[[str, str], str],
    bracket: Callable[[str], str],
) -> Handler:
    """Print a node by its special handler, its row's template, or as a call of its name."""

    def handle(node: Node, args: list[Text]) -> Text:
        row = OPS.get(node.op)
        if row is None or not row.masks:
            args = [indicator(a) for a in args]
        if node.op in special:
            return special[node.op](node, args)
        assert row is not None
        text = template(row)
        if not text:
            return Text(call(row.name, ", ".join(a.text for a in args)))
        mask = node.dtype == "bool" and row.level == COMPARE
        level = ATOM if text.endswith(")") else row.level  # log(x) needs no more brackets
        key = key_text(node.attrs.get("key", ()))
        return Text(fill(text, node, args, bracket, key=key), level, mask)

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

"""Spell expressions: operators by their spelling, others by their formula, arrays by calls."""

from collections.abc import Mapping
from itertools import chain

from symgrad.codegen.javascript.spellings import IDENTITIES, SPELLINGS, literal, spell
from symgrad.codegen.javascript.structural import STRUCTURAL, size
from symgrad.evaluate import LOGS
from symgrad.graph import Node
from symgrad.ops.spec import LETTERS
from symgrad.parse import formula

DEEP = 30  # brackets within brackets, from which on a part gets a line of its own


class UnspeakableError(Exception):
    """Say what JavaScript has no word for."""


class Spelling:
    """Write definitions; what is used twice gets a name of its own, t0, t1, …"""

    def __init__(self) -> None:
        self.spare = 0

    def defined(
        self, word: str, root: Node, known: Mapping[Node, str], opened: bool = False
    ) -> list[str]:
        """Write `const word = ...;` over what is known, with lines for what is used twice.

        `opened` spells the root even if it is known itself.
        """
        parts = _parts(root, known, opened)
        uses: dict[Node, int] = {}
        for node in chain.from_iterable(parts.values()):
            uses[node] = uses.get(node, 0) + 1
        lines: list[str] = []
        texts: dict[Node, str] = {}
        depth: dict[Node, int] = {}
        for node, below in parts.items():
            text = _spelled(node, [texts[a] if a in texts else known[a] for a in below])
            depth[node] = 1 + max((depth.get(a, 0) for a in below), default=0)
            if below and node is not root and (uses[node] > 1 or depth[node] > DEEP):
                lines.append(f"const t{self.spare} = {text};")
                text, depth[node] = f"t{self.spare}", 0
                self.spare += 1
            texts[node] = text
        return [*lines, f"const {word} = {bare(texts.get(root) or known[root])};"]

    def function(self, rule: Node, known: Mapping[Node, str]) -> str:
        """Write a function of the upstream gradient, which `known` calls u."""
        *lines, last = self.defined("r", rule, known)
        value = last.removeprefix("const r = ").removesuffix(";")
        if lines:
            return f"(u) => {{ {' '.join(lines)} return {value}; }}"
        return f"(u) => {value}"


def _parts(root: Node, known: Mapping[Node, str], opened: bool) -> dict[Node, tuple[Node, ...]]:
    """Map what is to be spelled for `root` to its operands, operands first.

    An operator without a spelling has its formula in place of operands.
    """
    below: dict[Node, tuple[Node, ...]] = {}
    done: dict[Node, tuple[Node, ...]] = {}
    todo = [root]
    while todo:
        node = todo[-1]
        if node in done or (node in known and not (opened and node is root)):
            todo.pop()
            continue
        if node not in below:
            below[node] = _operands(node)
        missing = [a for a in below[node] if a not in done and a not in known]
        todo += reversed(missing)
        if not missing:
            done[node] = below[node]
            todo.pop()
    return done


def scalar(node: Node) -> bool:
    """Say whether neither a value nor its operands have axes."""
    return not node.shape and not any(a.shape for a in node.args)


def _operands(node: Node) -> tuple[Node, ...]:
    if node.op in ("const", "dim") or node.op in SPELLINGS:
        return node.args
    if node.op in (IDENTITIES if scalar(node) else STRUCTURAL):
        return node.args
    inner = formula(node)
    if inner is None:
        raise UnspeakableError(node.attrs["name"] if node.op == "apply" else node.op)
    return (inner,)


def _spelled(node: Node, operands: list[str]) -> str:
    if node.op == "const":
        return literal(node.attrs["value"])
    if node.op == "dim":
        return size(node.attrs["name"])
    entropic = node.op == "mul" and any(a.op in LOGS for a in node.args)
    if scalar(node):
        if entropic:
            return f"entropic({operands[0]}, {operands[1]})"
        return spell(node.op, operands) if node.op in SPELLINGS else operands[0]
    if node.op in SPELLINGS:
        letters = list(LETTERS[: len(operands)])
        inner = "entropic(a, b)" if entropic else bare(spell(node.op, letters))
        return f"each(({', '.join(letters)}) => {inner}, {', '.join(operands)})"
    return STRUCTURAL[node.op](node, operands) if node.op in STRUCTURAL else operands[0]


def bare(text: str) -> str:
    """Drop brackets around the whole.

    >>> bare("(a + b)"), bare("(a)*(b)")
    ('a + b', '(a)*(b)')
    """
    if not text.startswith("(") or not text.endswith(")"):
        return text
    depth = 0
    for k, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and k < len(text) - 1:
            return text
    return text[1:-1]

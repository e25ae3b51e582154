"""Spell the values of a rule or a schedule as NumPy text, and execute what was written.

Numbers are Python's: functions of them are those of `math`, so that float32 arrays stay what they
are beside them.
"""

import math
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from symgrad.codegen.safety import check
from symgrad.evaluate import helpers
from symgrad.formula.code import Writer
from symgrad.formula.texts import Text
from symgrad.graph import Node, topological
from symgrad.ops import OPS
from symgrad.train.rule import VECTOR

ARITHMETIC = ("add", "sub", "mul", "div", "neg", "pow")


def _closing(text: str, start: int) -> int:
    """Find the bracket that closes the one at `start`; there are no brackets in quotes."""
    depth = 0
    for k in range(start, len(text)):
        depth += (text[k] in "([") - (text[k] in ")]")
        if depth == 0:
            return k
    return -1


def call(text: str) -> bool:
    """Say whether a text is one call, which binds as strongly as a name.

    >>> call("math.cos(2 * (x + 1))"), call("abs(a) + abs(b)")
    (True, False)
    """
    head = re.match(r"[\w.]+\(", text)
    return head is not None and _closing(text, head.end() - 1) == len(text) - 1


def bare(text: str) -> str:
    """Take brackets off that hold the whole text.

    >>> bare("(a + b)"), bare("(a)*(b)")
    ('a + b', '(a)*(b)')
    """
    return text[1:-1] if text[:1] == "(" and _closing(text, 0) == len(text) - 1 else text


def _helped(text: str) -> bool:
    """Say whether a text calls a helper of an operator."""
    return any(name in helpers() for name in re.findall(r"(?<![.\w])(\w+)\(", text))


class Weak(Writer):
    """Write beside numbers that are Python's: what NumPy would make float64 gets its type."""

    def _handle(self, node: Node, args: list[Text]) -> Text:
        text = super()._handle(node, args)
        arrays = any(a.shape and a.dtype == "float" for a in node.args)
        if not node.shape or node.dtype != "float" or not node.args or arrays:
            return text
        return Text(f"({bare(text.text)}).astype({self.dtype})")


class Speller:
    """Spell the values of a rule; `names` says what inputs and values are called."""

    def __init__(self, dtype: str) -> None:
        self.writer = Weak(dtype=f"np.{dtype}", portable=False, sizes={VECTOR: "w.size"})
        self.number = Writer(dtype=f"np.{dtype}", scalar=True, portable=False)

    def write(self, root: Node, names: Mapping[Node, str]) -> str:
        """Write a value; functions of numbers are those of math, which give Python's floats."""
        known = dict(names)
        known.pop(root, None)
        for node in topological([root], stop=lambda n: n in known):
            if node in known or node.shape or node.op in ("input", "const", "dim"):
                continue
            weak = any(a.shape or a.dtype != "float" for a in node.args)
            if node.op in ARITHMETIC and not weak:
                continue
            if any(a.shape for a in node.args):  # of a vector, such as its norm
                text = f"float({self.writer.write(node, known)})"
            else:
                text = re.sub(r"(?<![\w.])m\.", "math.", self.number.write(node, known))
                text = text.replace(repr(math.pi), "math.pi")
                if _helped(text):  # a helper computes by NumPy
                    text = f"float({text})"
            if node is root:
                return bare(text)
            known[node] = text if call(text) else f"({bare(text)})"
        return self.writer.write(root, known)

    def helpers(self) -> list[str]:
        """Give the source of the functions that the text calls."""
        for writer in (self.writer, self.number):
            for op in writer.used.copy():
                writer.called(helpers()[op])
        used = [*self.writer.used, *self.number.used]
        return [helpers()[op].strip("\n") for op in OPS if op in used]


@lru_cache(maxsize=256)
def executed(source: str, name: str) -> Callable[..., Any]:
    """Check and execute generated text; return its function."""
    text = f"import math\n\nimport numpy as np\n\n\n{source}"
    checked = check(text)
    space: dict[str, Any] = {}
    code = compile(checked, f"<{name}>", "exec")
    exec(code, space)  # templates of rows, checked names and repr of numbers
    found: Callable[..., Any] = space[name]
    return found

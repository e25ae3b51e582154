"""Say at once how a whole line is written, where it takes several changes: np.log(x).mean().

Every message says how one part is written here. What is said is done to the text, innermost parts
first, until the line can be read; then the hint is that line.
"""

import ast
import re
from typing import TYPE_CHECKING

from symgrad.errors import ParseError, SymgradError
from symgrad.parse.pasted import PLAIN
from symgrad.parse.syntax import UNREADABLE, expression_tree
from symgrad.parse.trial import LONGEST, bracketed, tried

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader
    from symgrad.parse.lines import Statement
    from symgrad.parse.text import Program

MOST = 12  # changes
SHOWN = 120  # characters of a hint
PARTS = (ast.Call, ast.Subscript, ast.Attribute, ast.BinOp, ast.UnaryOp, ast.IfExp, ast.BoolOp)
SIZES = re.compile(r"\b(\w+)\.shape\[(-?\d)\]|\blen\((\w+)\)|\b(\w+)\.size\b(?!\()")


def read(program: "Program", statement: "Statement") -> None:
    """Read one statement; where it cannot be read, say how the whole of it is written."""
    try:
        program.statement(statement)
    except ParseError as error:
        value = statement.value if isinstance(statement, ast.Assign | ast.Expr) else None
        if value is not None and value.lineno == value.end_lineno:
            typed = program.quoted(value, LONGEST)
            line, changes = mended(program, typed)
            one = error.hint.startswith(("write ", "leave "))
            if line and changes > one and len(line) <= SHOWN:
                target = statement.targets[0] if isinstance(statement, ast.Assign) else None
                name = f" {program.quoted(target)} = " if target is not None else ""
                error.hint = f"write {name}{line}"
                if name == f" {line} = ":
                    error.hint = f"leave the line out: {line} is the size that is declared"
        raise


def mended(reader: "Reader", text: str) -> tuple[str, int]:
    """Do what the messages about an expression say; give what can be read, and after how many.

    "" where it does not come to an end.
    """
    changes = 0
    sized = SIZES.sub(lambda m: _size(reader, m), text)
    if sized != text:
        text, changes = sized, 2  # what is said about len(x) is no text to be typed
    while changes <= MOST:
        if not isinstance(tried(reader, text), SymgradError):
            return text, changes
        changed = _changed(reader, text)
        if changed is None:
            return "", changes
        text, changes = changed, changes + 1
    return "", changes


def _size(reader: "Reader", found: re.Match[str]) -> str:
    """Write the dimension that x.shape[0], len(x) or x.size is."""
    name = found[1] or found[3] or found[4]
    node = reader.variables.get(name)
    place = int(found[2] or 0)
    if node is None or not -len(node.shape) <= place < len(node.shape):
        return found[0]
    if found[4] and len(node.shape) > 1:
        return found[0]
    size = str(node.shape[place])
    return size if size.isalnum() else f"({size})"


def _changed(reader: "Reader", text: str) -> str | None:
    """Change the smallest part of which a message says how it is written."""
    try:
        tree = expression_tree(text).body
    except UNREADABLE:
        return None
    if not text.isascii():
        return None
    called = {n.func for n in ast.walk(tree) if isinstance(n, ast.Call)}
    parts = [n for n in ast.walk(tree) if isinstance(n, PARTS) and n not in called]
    for part in sorted(parts, key=lambda n: (n.end_col_offset or 0) - n.col_offset):
        start, end = part.col_offset, part.end_col_offset or 0
        found = tried(reader, text[start:end])
        if not isinstance(found, SymgradError):
            continue
        better = _said(part, text, found.hint)
        if not better or better == text[start:end] or _others(reader, better, text):
            continue
        told = tried(reader, better)
        if not isinstance(told, SymgradError) or told.hint.startswith(("write ", "did you mean")):
            return text[:start] + bracketed(better) + text[end:]
    return None


def _others(reader: "Reader", better: str, text: str) -> bool:
    """Say whether a hint speaks of names that were not typed: x in place of any array."""
    try:
        tree = expression_tree(better)
    except UNREADABLE:
        return True
    called = {n.func for n in ast.walk(tree) if isinstance(n, ast.Call)}
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and n not in called}
    return any(n not in reader.dims and not re.search(rf"\b{n}\b", text) for n in names)


def _said(part: ast.expr, text: str, hint: str) -> str:
    """Give what a hint says to write for a part."""
    if hint == PLAIN and isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
        owner = part.func.value
        return text[owner.col_offset : owner.end_col_offset]
    meant = re.match(r"did you mean '(\w+)'\?", hint)
    if meant and isinstance(part, ast.Call) and part.keywords:  # dim=1 for axis=1
        own, first = text[part.col_offset : part.end_col_offset], part.keywords[0]
        return re.sub(rf"\b{first.arg}(?=\s*=)", meant[1], own)
    if not hint.startswith("write "):
        return ""
    return re.split(r";|, or |, which | for ", hint.removeprefix("write ").strip())[0].strip()

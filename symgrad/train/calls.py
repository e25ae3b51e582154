"""Read a choice that is written like a call, `cosine(warmup=0.1)`: a name and its settings."""

import ast
from collections.abc import Iterable
from typing import Any

from symgrad.errors import UsageError, near

LONGEST = 500  # characters


def called(text: str, what: str) -> tuple[str, dict[str, Any]]:
    """Split `name(setting=number, …)` into the name and the settings; nothing is evaluated.

    A value is a number, a word, or a call of the same kind, which comes back as text.

    >>> called("cosine(warmup=0.1)", "schedule"), called("adam", "optimiser")
    (('cosine', {'warmup': 0.1}), ('adam', {}))
    """
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise _fault(text, what)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _fault(text, what) from None
    if isinstance(tree, ast.Name):
        return tree.id, {}
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise _fault(text, what)
    if tree.args:
        raise UsageError(
            f"{text!r}: the settings of {what} '{tree.func.id}' are given by name",
            hint=f"{tree.func.id}(setting=number)",
        )
    found: dict[str, Any] = {}
    for keyword in tree.keywords:
        if keyword.arg is None or keyword.arg in found:
            raise _fault(text, what)
        found[keyword.arg] = _value(keyword.value, text, what)
    return tree.func.id, found


def _value(tree: ast.expr, text: str, what: str) -> float | int | str:
    sign = -1 if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub) else 1
    inner = tree.operand if isinstance(tree, ast.UnaryOp) and sign < 0 else tree
    value = inner.value if isinstance(inner, ast.Constant) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return sign * value
    if sign > 0 and isinstance(inner, ast.Name | ast.Call):
        return ast.unparse(inner)
    if sign > 0 and isinstance(value, str):
        return value
    raise UsageError(
        f"{text!r}: a setting of {what} is a number, not {ast.unparse(tree)[:40]}",
        hint="for example 0.9 or 1e-3",
    )


def _fault(text: object, what: str) -> UsageError:
    shown = repr(text)[:80]
    return UsageError(
        f"{shown} does not name one {what}", hint="write  name  or  name(setting=number)"
    )


def unknown(name: object, known: Iterable[str], what: str, typed: object = "") -> UsageError:
    """Say that a name is not known, what was meant perhaps, and what there is.

    `typed` is the name as it was typed, if `name` is what others call the same.

    >>> print(unknown("adm", ["gd", "adam"], "optimiser"))
    unknown optimiser 'adm'
    did you mean 'adam'?  there are: gd, adam
    """
    listed = list(known)
    there = f"there are: {', '.join(listed)}" if listed else "there are none"
    return UsageError(
        f"unknown {what} '{str(typed or name)[:80]}'", hint=near(name, listed) + there
    )

"""Check generated source before it is executed: imports, calls and attributes from a list."""

import ast
import keyword
import re
from collections.abc import Iterable

from symgrad.codegen import tokens
from symgrad.errors import SymgradError

MODULES = ("numpy", "math")
CALLED = ("float", "abs", "max", "min", "map", "range", "len", "slice", "zip")
ATTRIBUTES = (  # of arrays
    "T",
    "shape",
    "ndim",
    "size",
    "copy",
    "astype",
    "reshape",
    "reduce",
    "dtype",
    "tiny",
    "max",
    "min",
    "fill",
    "ravel",
    "pop",
    "clear",
    "append",
    "dot",
    "take",
    "strides",
    "transpose",
    "view",
    "tolist",
    "itemsize",
    "ctypes",  # where an array begins: a.ctypes.data
    "data",
)
INNER = {"linalg": ("inv", "det", "slogdet", "solve"), "add": ("at",)}  # np.linalg.inv, …
VIEW = "np.lib.stride_tricks.sliding_window_view"  # the one thing of np.lib: inside of the array
SLOT = re.compile(r"e\d+")  # of a value that the parts of a long program share
OF_LIBRARY = frozenset((*tokens.LIBRARY, *INNER))
OF_ARRAYS = frozenset(ATTRIBUTES)
OF_EITHER = OF_LIBRARY | OF_ARRAYS
FORBIDDEN = (ast.ClassDef, ast.Lambda, ast.Global, ast.Nonlocal, ast.AsyncFunctionDef, ast.Delete,
             ast.Await, ast.Yield, ast.YieldFrom, ast.While, ast.Assert, ast.Raise)  # fmt: skip
CHECKED = (*FORBIDDEN, ast.Import, ast.ImportFrom, ast.Name, ast.Attribute, ast.Call)


def check(source: str) -> ast.Module | str:
    """Return generated source, or its syntax tree; raise SymgradError if it does what it must not.

    >>> _ = check("import numpy as np")
    """
    if len(source) > tokens.LONG and tokens.plain(source, CALLED, ATTRIBUTES):
        return source
    tree = ast.parse(source)
    nodes = _nodes(tree)
    functions = [n for n in nodes if isinstance(n, ast.FunctionDef)]
    own = {n.name for n in functions}
    blocks = [tree.body, *(n.body for n in functions)]
    own |= {name for block in blocks for n in block for name in _short(n)}
    views = _views(nodes)
    for node in nodes:
        if isinstance(node, CHECKED) and id(node) not in views and (fault := _fault(node, own)):
            raise SymgradError(f"the generated module contains {fault}; please report this")
    return tree


def names(given: Iterable[str]) -> None:
    """Raise SymgradError unless all are identifiers, before they become a part of any code.

    >>> names(["x1", "out"])
    """
    for name in given:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise SymgradError(f"{name[:80]!r} is no name of an input",
                               hint="the names of a graph are identifiers")  # fmt: skip


def _nodes(tree: ast.Module) -> list[ast.AST]:
    """List all nodes once, but for the contexts of names, which say nothing."""
    found: list[ast.AST] = [tree]
    for node in found:  # it grows while it is read
        for name in node._fields:
            value = None if name == "ctx" else getattr(node, name)
            if isinstance(value, list):
                found += [v for v in value if isinstance(v, ast.AST)]
            elif isinstance(value, ast.AST):
                found.append(value)
    return found


def _library(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("np", "math", "m")


def _short(statement: ast.stmt) -> list[str]:
    """List the names that a statement of a module gives to functions of NumPy."""
    value = statement.value if isinstance(statement, ast.Assign) else None
    if isinstance(statement, ast.Assign) and isinstance(value, ast.Attribute):
        named = statement.targets if _library(value.value) else []
        return [t.id for t in named if isinstance(t, ast.Name)]
    return []


def _views(nodes: Iterable[ast.AST]) -> set[int]:
    """List the attributes that are parts of np.lib.stride_tricks.sliding_window_view."""
    found: set[int] = set()
    last = VIEW.rpartition(".")[2]
    for node in nodes:
        if isinstance(node, ast.Attribute) and node.attr == last and ast.unparse(node) == VIEW:
            assert isinstance(node.value, ast.Attribute)
            found |= {id(node), id(node.value), id(node.value.value)}
    return found


def _fault(node: ast.AST, own: set[str]) -> str:
    if isinstance(node, FORBIDDEN):
        return type(node).__name__
    if isinstance(node, ast.ImportFrom):
        return "an import from"
    if isinstance(node, ast.Import) and any(a.name not in MODULES for a in node.names):
        return "an import"
    if isinstance(node, ast.Name) and node.id.startswith("__"):
        return node.id
    if isinstance(node, ast.Attribute):
        base = node.value
        inner = isinstance(base, ast.Attribute) and _library(base.value)
        own_inner = inner and node.attr in INNER.get(base.attr, ())  # type: ignore[attr-defined]
        known = OF_LIBRARY if _library(base) else OF_ARRAYS
        if isinstance(base, ast.Name) and base.id == "m":  # math or NumPy, or an input of that name
            known = OF_EITHER
        slot = isinstance(base, ast.Name) and base.id[0] == "o" and SLOT.fullmatch(node.attr)
        if not (node.attr in known or own_inner or slot):
            return f"the attribute {node.attr}"
    if isinstance(node, ast.Call):
        called = node.func
        if isinstance(called, ast.Name) and called.id not in CALLED and called.id not in own:
            return f"a call of {called.id}"
        if not isinstance(called, ast.Name | ast.Attribute):
            return "a computed call"
    return ""

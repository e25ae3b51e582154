"""Check the text of a training module: what it imports, calls and defines comes from lists."""

import ast

from symgrad.codegen.safety import FORBIDDEN as NEVER
from symgrad.codegen.safety import INNER
from symgrad.codegen.tokens import LIBRARY
from symgrad.errors import SymgradError

MODULES = ("argparse", "csv", "math", "os", "sys", "zipfile", "zlib", "numpy")
FORBIDDEN = tuple(kind for kind in NEVER if kind is not ast.Raise)
# builtins that open the door to more than numbers and files named on the command line
REFUSED = ("eval", "exec", "compile", "getattr", "setattr", "globals", "locals", "vars", "input",
           "breakpoint", "__import__", "type", "delattr")  # fmt: skip
OF_MODULES = {
    "os": ("path", "replace"),
    "sys": ("argv", "exit", "stdout"),
    "zlib": ("crc32",),
    "zipfile": ("BadZipFile",),
    "csv": ("reader", "Error"),
    "argparse": ("ArgumentParser",),
    "np": frozenset((
        *LIBRARY, "any", "argwhere", "bincount", "column_stack", "isin", "linalg", "load", "median",
        "ndarray", "quantile", "random", "repeat", "savetxt", "savez", "searchsorted", "shape",
        "size", "sort", "split", "unique",
    )),
    "random": ("default_rng",),
    "linalg": ("svd", *INNER["linalg"]),
}  # fmt: skip
DUNDER = ("__name__", "__doc__")


def check(source: str) -> str:
    r"""Return the text of a training module; raise SymgradError if it does what it must not.

    >>> check("import numpy as np\n")
    'import numpy as np\n'
    """
    for node in ast.walk(ast.parse(source)):
        fault = _fault(node)
        if fault:
            raise SymgradError(f"the training module contains {fault}; please report this")
    return source


def _fault(node: ast.AST) -> str:
    if isinstance(node, (*FORBIDDEN, ast.ImportFrom)):
        return type(node).__name__
    if isinstance(node, ast.Import) and any(a.name not in MODULES for a in node.names):
        return "an import"
    if isinstance(node, ast.Name):
        odd = node.id.startswith("__") and node.id not in DUNDER
        return node.id if odd or node.id in REFUSED else ""
    if isinstance(node, ast.Attribute):
        base = _base(node.value)
        if node.attr.startswith("_") or node.attr not in OF_MODULES.get(base, (node.attr,)):
            return f"the attribute {node.attr}"
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name | ast.Attribute):
        return "a computed call"
    if isinstance(node, ast.Call) and _unpickles(node):
        return "a call of load that could unpickle"
    return ""


def _base(node: ast.expr) -> str:
    """Name the module of which an attribute is taken, np.random by its last part."""
    if isinstance(node, ast.Name):
        return node.id
    inner = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    return node.attr if inner and node.value.id == "np" else ""  # type: ignore[attr-defined]


def _unpickles(node: ast.Call) -> bool:
    loads = isinstance(node.func, ast.Attribute) and node.func.attr == "load"
    plain = [k for k in node.keywords if k.arg == "allow_pickle"]
    return loads and not (plain and isinstance(plain[0].value, ast.Constant)
                          and plain[0].value.value is False)  # fmt: skip

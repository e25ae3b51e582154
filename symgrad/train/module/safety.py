"""Check the text of a training module: what it imports, calls and defines comes from lists."""

import ast

from symgrad.codegen.safety import FORBIDDEN as NEVER
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
}
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
        base = node.value.id if isinstance(node.value, ast.Name) else ""
        if node.attr.startswith("_") or node.attr not in OF_MODULES.get(base, (node.attr,)):
            return f"the attribute {node.attr}"
    if isinstance(node, ast.Call) and not isinstance(node.func, ast.Name | ast.Attribute):
        return "a computed call"
    return ""

"""Count operations: of a loss, and of the program that computes it with its gradient.

An operation is an operator, a comparison or an arithmetic call of the readable module, whatever the
size of its arrays; a function that the module defines counts as what it does, np.var and np.std as
their steps. Of a choice the longer branch counts, as one call takes only one. Views, conversions,
shapes and copies are no arithmetic. The bar is that a gradient costs at most four times its loss.
"""

import ast
import json
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from workloads import NAMED
from workloads.workload import EXAMPLES

import symgrad as sg

FORMULAS = Path(__file__).parents[1] / "formulas" / "gradients.json"
COUNTED = (ast.BinOp, ast.AugAssign, ast.Compare)
NO_ARITHMETIC = {
    *("asarray", "array", "astype", "float64", "float32", "float16", "int64", "float", "int"),
    *("len", "range", "arange", "result_type", "shape", "errstate", "isfinite", "all", "any"),
    *("reshape", "ravel", "expand_dims", "squeeze", "moveaxis", "transpose", "swapaxes"),
    *("broadcast_to", "diagonal", "concatenate", "stack", "pad", "copy", "take", "where", "map"),
    *("zeros", "zeros_like", "empty", "empty_like", "ones", "ones_like", "full", "full_like"),
    *("eye", "tuple", "take_along_axis"),
}
COMPOSITE = {"var": 4, "std": 5}  # a mean, differences, their squares, their mean (, its root)


@dataclass(frozen=True)
class Count:
    """Hold the operations of a loss and of its gradient program."""

    name: str
    loss: int
    both: int

    @cached_property
    def ratio(self) -> float:
        """Return the ratio of both; a loss without operations counts as one."""
        return self.both / max(self.loss, 1)


def operations(source: str) -> int:
    r"""Return the number of operations of a generated module.

    >>> operations("def f(x):\n    y = np.exp(-x)\n    return y * y")
    3
    """
    functions = {f.name: f for f in ast.parse(source).body if isinstance(f, ast.FunctionDef)}
    main = next((f.name for f in functions.values() if f.args.kwonlyargs), list(functions)[-1])
    body = f"_{main}" if f"_{main}" in functions else main  # numbers: math or numpy does the same
    return _within(functions[body], functions)


def _within(function: ast.FunctionDef, functions: dict[str, ast.FunctionDef]) -> int:
    """Count what a call of a function does at most: one branch of a choice, the longer one."""
    return _statements(function.body, functions)


def _statements(body: list[ast.stmt], functions: dict[str, ast.FunctionDef]) -> int:
    total = 0
    for k, statement in enumerate(body):
        if not isinstance(statement, ast.If):
            total += _counted(statement, functions)
            continue
        rest = body[k + 1 :]
        branches = (
            part if isinstance(part[-1:] and part[-1], ast.Return) else [*part, *rest]
            for part in (statement.body, statement.orelse)
        )
        longest = max(_statements(branch, functions) for branch in branches)
        return total + _counted(statement.test, functions) + longest
    return total


def _counted(tree: ast.AST, functions: dict[str, ast.FunctionDef]) -> int:
    """Count what an expression or a statement does; bounds of slices are no arithmetic on data."""
    total, todo = 0, [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Slice):
            continue
        if isinstance(node, ast.IfExp):
            todo.append(node.test)
            total += max(_counted(part, functions) for part in (node.body, node.orelse))
            continue
        if isinstance(node, ast.For | ast.With):  # once, as it is written
            total += _statements(node.body, functions)
            todo += [node.iter] if isinstance(node, ast.For) else []
            continue
        todo += ast.iter_child_nodes(node)
        signed = isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant)
        if isinstance(node, COUNTED) or signed:
            total += 1
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id in functions:
                total += _within(functions[called.id], functions)
            elif isinstance(called, (ast.Name, ast.Attribute)):
                name = called.id if isinstance(called, ast.Name) else called.attr
                total += COMPOSITE.get(name, name not in NO_ARITHMETIC)
    return total


def count(name: str, text: str, wrt: Any = None) -> Count:
    """Count one text's loss and gradient program."""
    found = [sg.compile(text, wrt=names, style="readable").program for names in ([], wrt)]
    return Count(name, *map(operations, found))


def catalogue(only: Iterable[str] | None = None) -> tuple[list[Count], list[str]]:
    """Count the workloads, the examples and the textbook programs, or only workloads by name.

    Returns the counts, and the names of what does not compile.
    """
    if only is not None:
        return [count(name, NAMED[name].text) for name in only], []
    texts = {name: work.text for name, work in NAMED.items()}
    texts |= {p.stem: p.read_text(encoding="utf-8") for p in sorted(EXAMPLES.glob("*.sg"))}
    programs: dict[str, str] = {}
    for row in json.loads(FORMULAS.read_text(encoding="utf-8"))["cases"]:
        programs.setdefault(row["program"], row["id"])
    rows = [*texts.items(), *((name, text) for text, name in programs.items())]
    counts, skipped = [], []
    for name, text in rows:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", sg.SymgradWarning)
                counts.append(count(name, text))
        except sg.SymgradError:
            skipped.append(name)
    return counts, skipped

"""Make a failing program small: leave out lines, put operands in the place of expressions."""

import ast
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.programs.program import Program

Fails = Callable[[Program], str]


def signature(error: BaseException) -> str:
    """Say in short what went wrong: the ways that differ, or the error and where it arose."""
    kind = getattr(error, "kind", "")
    if kind:
        return str(kind)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "symgrad" in f.filename]
    frames = [f for f in frames if "/tests/" not in f.filename] or frames
    place = f"{frames[-1].filename.rpartition('symgrad/')[2]}:{frames[-1].name}" if frames else ""
    return f"{type(error).__name__} in {place}"


def shrunk(program: Program, fails: Fails, seconds: float = 60.0) -> Program:
    """Give a smaller program for which `fails` gives the same text as for this one."""
    wanted, end = fails(program), time.monotonic() + seconds
    if not wanted:
        return program
    found = True
    while found and time.monotonic() < end:
        found = False
        for smaller in candidates(program):
            if time.monotonic() > end:
                break
            if len(smaller.text) < len(program.text) and fails(smaller) == wanted:
                program, found = smaller, True
                break
    for name in program.sizes:
        for size in (1, 2, 3):
            tried = replace(program, sizes={**program.sizes, name: size})
            if size < program.sizes[name] and time.monotonic() < end and fails(tried) == wanted:
                program = tried
                break
    return program


def candidates(program: Program) -> Iterator[Program]:
    """Give smaller programs, the smallest first."""
    lines = program.text.split("\n")
    for k in range(len(lines)):
        rest = lines[:k] + lines[k + 1 :]
        if rest and ": " not in rest[-1]:
            yield replace(program, text="\n".join(rest))
    for k in range(len(lines) - 1, -1, -1):
        if not lines[k].split("=")[0].partition(":")[1]:  # declarations stay as they are
            for text in _shorter(lines[k]):
                yield replace(program, text="\n".join([*lines[:k], text, *lines[k + 1 :]]))


def _shorter(line: str) -> list[str]:
    """Put each operand in the place of the expression that it belongs to."""
    tree = ast.parse(line)
    found = []
    for node in ast.walk(tree):
        for field, value in ast.iter_fields(node):
            places = value if isinstance(value, list) else [value]
            for k, part in enumerate(places):
                stored = isinstance(getattr(part, "ctx", None), ast.Store)
                if stored or not isinstance(part, ast.expr):
                    continue
                if isinstance(part, ast.Constant | ast.Name):
                    continue
                for smaller in [*_operands(part), ast.Constant(2)]:
                    _put(node, field, k, smaller)
                    found.append(ast.unparse(ast.fix_missing_locations(tree)))
                    _put(node, field, k, part)
    return sorted(set(found), key=lambda t: (len(t), t))


def _put(node: ast.AST, field: str, k: int, part: ast.AST) -> None:
    value = getattr(node, field)
    if isinstance(value, list):
        value[k] = part
    else:
        setattr(node, field, part)


def _operands(part: ast.expr) -> list[ast.expr]:
    inner = [n for n in ast.walk(part) if isinstance(n, ast.expr) and n is not part]
    inner = [n for n in inner if isinstance(getattr(n, "ctx", ast.Load()), ast.Load)]
    words = [n for n in inner if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [n for n in inner if not isinstance(n, ast.Slice) and n not in words]

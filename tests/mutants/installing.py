"""Put a changed function, class or statement of a module into the running program."""

import ast
import copy
import dataclasses
import functools
import gc
import inspect
import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

from symgrad.ops import OPS

PLAIN = (int, str, float, tuple, frozenset, dict, list, type(None))
MEMORIES = functools._lru_cache_wrapper


def inner(found: Any) -> Any:
    """Look through decorators, properties and static methods."""
    while not isinstance(found, FunctionType):
        wrapped = getattr(found, "__wrapped__", None) or getattr(found, "fget", None)
        wrapped = wrapped or getattr(found, "__func__", None)
        if wrapped is None:
            return None
        found = wrapped
    return found


def replaced(old: Any, new: Any) -> None:
    """Put a function's code, or that of all methods of a class, in place of the old."""
    if inspect.isclass(new):
        for name, value in vars(new).items():
            if name in vars(old) and inner(value) is not None:
                replaced(vars(old)[name], value)
        return
    target, source = inner(old), inner(new)
    if target is not None and source is not None:
        target.__code__ = source.__code__
        target.__defaults__, target.__kwdefaults__ = source.__defaults__, source.__kwdefaults__


def settled(old: type, new: type, statement: ast.ClassDef) -> None:
    """Give a class what is set in the body of the changed one."""
    for part in statement.body:
        targets = part.targets if isinstance(part, ast.Assign) else [getattr(part, "target", None)]
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(vars(new).get(target.id), PLAIN):
                setattr(old, target.id, vars(new)[target.id])


def in_rows(run: Callable[[], None]) -> None:
    """Change rows of the operator table in place: tests have been handed the old ones."""
    before = dict(OPS)
    run()
    for name, old in before.items():
        if OPS[name] is not old:
            for field in dataclasses.fields(old):
                object.__setattr__(old, field.name, getattr(OPS[name], field.name))
            OPS[name] = old


def renewed(module: ModuleType, statement: ast.FunctionDef, file: str) -> None:
    """Compile a function of a module anew, and put its code and defaults in place of the old."""
    plain = copy.copy(statement)
    plain.decorator_list = []  # which may have entered the function in a table
    space = dict(vars(module))
    exec(compile(ast.Module([plain], []), file, "exec"), space)
    replaced(getattr(module, statement.name), space[statement.name])


def joined(old: dict[Any, Any], new: dict[Any, Any]) -> None:
    """Change the tables of modules that an old table has become a part of."""
    tables = [t for m in list(sys.modules.values()) if m is not None for t in vars(m).values()]
    for table in tables:
        larger = type(table) is dict and len(table) > len(old)
        if larger and all(table.get(k) is v for k, v in old.items()):
            for key in old:
                del table[key]
            table.update(new)


def rebound(module: ModuleType, statements: list[ast.stmt], file: str) -> None:
    """Run statements of a module anew, and put their values wherever the old ones are known."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef):
            renewed(module, statement, file)
            continue
        before = dict(vars(module))
        code = compile(ast.Module([statement], []), file, "exec")
        in_rows(functools.partial(exec, code, vars(module)))
        for name, value in list(vars(module).items()):
            old = before.get(name)
            if old is value or name.startswith("__") or name not in before:
                continue
            for other in list(sys.modules.values()):
                if other is not None and vars(other).get(name) is old:
                    setattr(other, name, value)
            if isinstance(old, dict) and old and isinstance(value, dict):
                joined(old, value)


def dependent(tree: ast.Module, first: int) -> list[ast.stmt]:
    """List a statement and what uses what it sets: later assignments, defaults of functions."""
    chosen, changed = [], set()
    for k, statement in enumerate(tree.body[first:]):
        if k and isinstance(statement, ast.FunctionDef):
            defaults = [*statement.args.defaults, *filter(None, statement.args.kw_defaults)]
            used = {n.id for d in defaults for n in ast.walk(d) if isinstance(n, ast.Name)}
            chosen += [statement] if used & changed else []
            continue
        if k and not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
        if not k or names & changed:
            chosen.append(statement)
            stored = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
            changed |= {n.id for n in stored if isinstance(n.ctx, ast.Store)}
    return chosen


def memories() -> list[Any]:
    """List what remembers results of functions; a mutant has to compute them anew."""
    gc.collect()
    return [found for found in gc.get_objects() if isinstance(found, MEMORIES)]


def install(module: ModuleType, tree: ast.Module, k: int) -> None:
    """Make the k-th statement of a changed module what the running program does."""
    file = str(module.__file__)
    statement = tree.body[k]
    if isinstance(statement, ast.FunctionDef):
        renewed(module, statement, file)
    elif isinstance(statement, ast.ClassDef):
        space = dict(vars(module))
        exec(compile(ast.Module([statement], []), file, "exec"), space)
        replaced(getattr(module, statement.name), space[statement.name])
        settled(getattr(module, statement.name), space[statement.name], statement)
    else:
        rebound(module, dependent(tree, k), file)

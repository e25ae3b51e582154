"""Small faults for mutation testing: each is one change of one module's syntax tree."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

from tests.mutants.kinds import (
    ALIKE,
    COMPARED,
    COMPUTED,
    FORMULAS,
    KEEPING,
    LIMITED,
    ROWS,
    RULE,
    RULES,
    SPELLED,
    SYMMETRIC,
    TEMPLATES,
    TEXTUAL,
    TOLD,
    TYPES,
    UNSEEN,
)

Path = tuple[tuple[str, int | None], ...]  # fields and indices from a module down to a node


@dataclass(frozen=True)
class Mutant:
    """One change: the function it is in, what is written there instead, and the lines concerned."""

    owner: str
    what: str
    path: Path
    new: ast.AST
    lines: frozenset[int]

    def __str__(self) -> str:
        return f"{self.owner}: {self.what}"

    def applied(self, tree: ast.Module) -> ast.Module:
        """Return a copy of the tree with the change made."""
        return _applied(tree, self.path, self.new)


def _applied(tree: ast.Module, path: Path, new: ast.AST) -> ast.Module:
    """Copy what leads to a node and put another node there; the rest is shared."""
    result = copy.copy(tree)
    holder: ast.AST = result
    for field, k in path[:-1]:
        value = getattr(holder, field)
        if k is not None:
            value = list(value)
            setattr(holder, field, value)
            value[k] = below = copy.copy(value[k])
        else:
            below = copy.copy(value)
            setattr(holder, field, below)
        holder = below
    field, k = path[-1]
    if k is None:
        setattr(holder, field, new)
    else:
        values = list(getattr(holder, field))
        values[k] = new
        setattr(holder, field, values)
    first = result.body[path[0][1] or 0]  # the statement that holds the change
    ast.fix_missing_locations(first)
    return result


def mutants(tree: ast.Module) -> list[Mutant]:
    """List all changes of a module; those that read alike are numbered."""
    _mark(tree)
    found: list[Mutant] = []
    seen: dict[str, int] = {}
    walked = sorted(_walk(tree, (), "", frozenset()), key=lambda entry: entry[-1])
    for owner, path, old, new, lines, _ in walked:
        if ast.dump(old) == ast.dump(new):  # f(c, c) with its arguments swapped
            continue
        what = f"{_short(old)}  =>  {_short(new)}"
        key = f"{owner}: {what}"
        seen[key] = seen.get(key, 0) + 1
        what += f"  #{seen[key]}" if seen[key] > 1 else ""
        found.append(Mutant(owner, what, path, new, lines))
    return found


def _short(node: ast.AST) -> str:
    if isinstance(node, ast.If | ast.While):
        return f"{type(node).__name__.lower()} {_short(node.test)}"
    if isinstance(node, ast.For):
        return f"for {_short(node.target)} in {_short(node.iter)}"
    if isinstance(node, ast.ExceptHandler):
        return f"except {_short(node.type) if node.type else ''}"
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else text[:60] + " … " + text[-26:]


Found = tuple[str, Path, ast.AST, ast.AST, frozenset[int], bool]


def _walk(
    node: ast.AST, path: Path, owner: str, lines: frozenset[int], quoted: bool = False
) -> Iterator[Found]:
    """Visit what can be changed below a node; `quoted` is what stands in an f-string."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        owner = f"{owner}.{node.name}".lstrip(".")
    if isinstance(node, ast.stmt):
        lines = _lines(node)
    for new in _changes(node):
        yield owner, path, node, ast.copy_location(new, node), lines, quoted
    quoted = quoted or isinstance(node, ast.JoinedStr)
    for field, value in ast.iter_fields(node):
        if field in UNSEEN:
            continue
        if isinstance(value, ast.AST):
            if not (isinstance(node, ast.FormattedValue) and field == "format_spec"):
                yield from _walk(value, (*path, (field, None)), owner, lines, quoted)
        elif isinstance(value, list):
            for k, item in enumerate(value):
                if not isinstance(item, ast.AST) or _silent(item):
                    continue
                if isinstance(node, ast.JoinedStr) and isinstance(item, ast.Constant):
                    continue
                yield from _walk(item, (*path, (field, k)), owner, lines, quoted)


def _lines(node: ast.stmt) -> frozenset[int]:
    """Say which lines run when a statement does: of a compound one, its head."""
    body = getattr(node, "body", None)
    if isinstance(node, ast.FunctionDef | ast.ClassDef) or not body:
        return frozenset(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return frozenset({node.lineno, *range(node.lineno, body[0].lineno)})


def _silent(node: ast.AST) -> bool:
    """Leave out imports, docstrings, the names of types, and what is for type checkers only."""
    if isinstance(node, ast.Import | ast.ImportFrom | ast.Assert):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return True
    if isinstance(node, ast.Assign):
        return any(isinstance(t, ast.Name) and t.id in TYPES for t in node.targets)
    return False


def _with(node: ast.AST, **fields: object) -> ast.AST:
    result = copy.copy(node)
    for field, value in fields.items():
        setattr(result, field, value)
    return result


def _without(node: ast.AST, field: str, k: int) -> ast.AST:
    values = getattr(node, field)
    return _with(node, **{field: [*values[:k], *values[k + 1 :]]})


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.stmt):
        yield from _statements(node)
    elif isinstance(node, ast.ExceptHandler):
        yield _with(node, type=ast.Tuple([], ast.Load()))
    elif isinstance(node, ast.Lambda):
        yield _with(node, body=ast.Constant(None))
    elif isinstance(node, ast.Compare):
        for k, op in enumerate(node.ops):
            for other in COMPARED[type(op)]:
                yield _with(node, ops=[*node.ops[:k], other(), *node.ops[k + 1 :]])
    elif isinstance(node, ast.BoolOp):
        yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for k in range(len(node.values)):
            left = [v for j, v in enumerate(node.values) if j != k]
            yield left[0] if len(left) == 1 else _with(node, values=left)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTED:
        yield _with(node, op=COMPUTED[type(node.op)]())
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif isinstance(node, ast.JoinedStr):
        yield ast.Constant("")
    elif isinstance(node, ast.Slice):
        for field in ("lower", "upper"):
            if getattr(node, field) is not None:
                yield _with(node, **{field: None})
    else:
        yield from _parts(node)


def _statements(node: ast.stmt) -> Iterator[ast.AST]:
    """Take a branch always or never, leave a statement out, return nothing."""
    if isinstance(node, ast.If):
        yield _with(node, test=ast.Constant(True))
        yield _with(node, test=ast.Constant(False))
    elif isinstance(node, ast.While):
        yield _with(node, test=ast.Constant(False))
    elif isinstance(node, ast.For):
        yield _with(node, iter=ast.Tuple([], ast.Load()))
    elif isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Raise | ast.Expr | ast.AugAssign):
        yield ast.Pass()
        if isinstance(node, ast.AugAssign) and type(node.op) in COMPUTED:
            yield _with(node, op=COMPUTED[type(node.op)]())
            yield ast.Assign([node.target], node.value)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        yield from _assigned(node)
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.Break):
        yield ast.Pass()


def _assigned(node: ast.Assign | ast.AnnAssign) -> Iterator[ast.AST]:
    """Set nothing, or None."""
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if isinstance(target, ast.Name):
        if node.value is not None and not isinstance(node.value, ast.Constant | ast.Dict):
            yield _with(node, value=ast.Constant(None))
    elif not isinstance(target, ast.Tuple):
        yield ast.Pass()


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
        yield ast.Constant(value - 1)
    elif isinstance(value, str):
        if RULE in value:
            yield from _rules(value)
        elif node.kind in FORMULAS:
            yield from _formula(value)
        elif node.kind in TEMPLATES:
            yield from _template(value)
        elif node.kind in TOLD:
            return
        else:
            yield ast.Constant("" if value else "XX")
            if value:
                yield ast.Constant(f"XX{value}XX")


def _rules(text: str) -> Iterator[ast.AST]:
    """Change each side of a rule by itself."""
    name, _, body = text.rpartition(":")
    sides = body.split(RULE)
    for k, side in enumerate(sides):
        for old, new in RULES:
            if old in side:
                changed = list(sides)
                changed[k] = side.replace(old, new, 1)
                yield ast.Constant(f"{name}:{RULE.join(changed)}")
    yield ast.Constant(f"{name}:{RULE.join(sides[::-1])}")


def _formula(text: str) -> Iterator[ast.AST]:
    """Change a formula of a row as an expression."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return
    for _, path, old, new, _, _ in _walk(tree, (), "", frozenset()):
        given = getattr(new, "args", [])
        number = isinstance(old, ast.Constant) and isinstance(old.value, int | float)
        swapped = isinstance(old, ast.Call) and len(given) == len(old.args) > 1
        if any(isinstance(a, ast.Constant) and a.value is None for a in given):
            continue
        if number or swapped or isinstance(old, ast.BinOp | ast.Compare | ast.UnaryOp):
            yield ast.Constant(ast.unparse(_applied(tree, path, new)))


def _template(text: str) -> Iterator[ast.AST]:
    """Change the first occurrence of an operator in a template."""
    for old, new in SPELLED:
        if old in text:
            yield ast.Constant(text.replace(old, new, 1))


def _mark(tree: ast.AST) -> None:
    """Note at each text in a row of the operator table which field of the row it belongs to."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ROWS:
            fields = [(k.arg, k.value) for k in node.keywords]
            fields += [("formula", a) for a in node.args[1:]]
            for name, value in fields:
                for part in ast.walk(value):
                    if isinstance(part, ast.Constant):
                        part.kind = name


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """Drop or swap arguments, entries and conditions."""
    if isinstance(node, ast.Call):
        yield from _called(node)
    elif isinstance(node, ast.comprehension):
        for k in range(len(node.ifs)):
            yield _without(node, "ifs", k)
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        if isinstance(getattr(node, "ctx", None), ast.Store):
            return
        for k in range(len(node.elts)):
            yield _without(node, "elts", k)
    elif isinstance(node, ast.Dict):
        for k in range(len(node.keys)):
            yield _with(_without(node, "keys", k), values=node.values[:k] + node.values[k + 1 :])


def _called(node: ast.Call) -> Iterator[ast.AST]:
    """Change what is given to a function, call another one, or none at all."""
    if len(node.args) > 1:
        yield _without(node, "args", len(node.args) - 1)
        if getattr(node.func, "id", "") not in SYMMETRIC:
            yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
    for k in range(len(node.keywords)):
        yield _without(node, "keywords", k)
    for k, given in enumerate(node.args):
        if not isinstance(given, ast.Starred | ast.Constant | ast.GeneratorExp):
            yield _with(node, args=[*node.args[:k], ast.Constant(None), *node.args[k + 1 :]])
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in ALIKE and (name not in LIMITED or len(node.args) + len(node.keywords) > 1):
        field = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield _with(node, func=_with(node.func, **{field: ALIKE[name]}))
    one = len(node.args) == 1 and not node.keywords and name not in KEEPING
    if isinstance(node.func, ast.Attribute) and name in TEXTUAL:
        yield node.func.value
    elif one and not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
        yield node.args[0]

"""Small faults for mutation testing: each is one change of one module's syntax tree."""

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

Path = tuple[tuple[str, int | None], ...]  # fields and indices from a module down to a node
COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}  # fmt: skip
RULE = " -> "  # a text that holds this is a rewrite rule
RULES = (("+", "-"), ("-a", "a"), ("*", "/"), ("/", "*"), ("1", "2"), ("2", "3"), ("exp", "log"),
         ("log", "exp"), ("abs", "sign"), ("softplus", "relu"), ("sqrt", "square"))  # fmt: skip
TYPES = {"Dim", "Shape", "Bind", "Axis", "Terms", "Build", "Path"}
UNSEEN = {"annotation", "returns", "decorator_list", "type_comment", "ctx", "op", "ops", "targets",
          "target", "names", "type", "bases"}  # fmt: skip


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
        result = copy.deepcopy(tree)
        holder: ast.AST = result
        for field, k in self.path[:-1]:
            value = getattr(holder, field)
            holder = value if k is None else value[k]
        field, k = self.path[-1]
        if k is None:
            setattr(holder, field, self.new)
        else:
            getattr(holder, field)[k] = self.new
        return ast.fix_missing_locations(result)


def mutants(tree: ast.Module) -> list[Mutant]:
    """List all changes of a module; those that read alike are numbered."""
    found: list[Mutant] = []
    seen: dict[str, int] = {}
    for owner, path, old, new, lines in _walk(tree, (), "", frozenset()):
        if ast.dump(old) == ast.dump(new):  # f(c, c) with its arguments swapped
            continue
        what = f"{_short(old)}  =>  {_short(new)}"
        key = f"{owner}: {what}"
        seen[key] = seen.get(key, 0) + 1
        what += f"  #{seen[key]}" if seen[key] > 1 else ""
        found.append(Mutant(owner, what, path, new, lines))
    return found


def _short(node: ast.AST) -> str:
    if isinstance(node, ast.If):
        return f"if {_short(node.test)}"
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 90 else text[:60] + " … " + text[-26:]


Found = tuple[str, Path, ast.AST, ast.AST, frozenset[int]]


def _walk(node: ast.AST, path: Path, owner: str, lines: frozenset[int]) -> Iterator[Found]:
    """Visit what can be changed below a node."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        owner = f"{owner}.{node.name}".lstrip(".")
    if isinstance(node, ast.stmt):
        lines = _lines(node)
    for new in _changes(node):
        yield owner, path, node, ast.copy_location(new, node), lines
    for field, value in ast.iter_fields(node):
        if field in UNSEEN or (isinstance(node, ast.JoinedStr | ast.FormattedValue)):
            continue
        if isinstance(value, ast.AST):
            yield from _walk(value, (*path, (field, None)), owner, lines)
        elif isinstance(value, list):
            for k, item in enumerate(value):
                if isinstance(item, ast.AST) and not _silent(item):
                    yield from _walk(item, (*path, (field, k)), owner, lines)


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
    elif isinstance(node, ast.Return) and node.value is not None:
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Raise | ast.Expr | ast.AugAssign):
        yield ast.Pass()
        if isinstance(node, ast.AugAssign) and type(node.op) in COMPUTED:
            yield _with(node, op=COMPUTED[type(node.op)]())
    elif isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name):
        if not isinstance(node.targets[0], ast.Tuple):
            yield ast.Pass()
    elif isinstance(node, ast.Continue):
        yield ast.Break()
    elif isinstance(node, ast.Break):
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
        else:
            yield ast.Constant("" if value else "XX")


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


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """Drop or swap arguments, entries and conditions."""
    if isinstance(node, ast.Call):
        if len(node.args) > 1:
            yield _without(node, "args", len(node.args) - 1)
            yield _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
        for k in range(len(node.keywords)):
            yield _without(node, "keywords", k)
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

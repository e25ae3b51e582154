"""Compile the texts of operator rows: formulas, gradients, patterns.

A row's text is read by the same reader as a user's, with the operands as `a b c`, the result as
`y`, the upstream gradient as `g`, the parameters by name, and a few macros that look at shapes.
"""

import ast
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from symgrad.errors import ParseError, SymgradError
from symgrad.graph import Node, intern, topological
from symgrad.ops import OPS, const, count, make, value_of
from symgrad.ops.slices import BACKWARDS, FULL
from symgrad.ops.spec import ANY, Op, bounds, lookup, rules
from symgrad.parse.expression import Reader
from symgrad.parse.filters import FILTERS
from symgrad.parse.limits import MAX_CONSTANTS
from symgrad.parse.shaping import SHAPING
from symgrad.parse.sizes import entries
from symgrad.parse.targets import check_targets
from symgrad.parse.values import Val
from symgrad.shapes import Bindings, Shape, axes_of

LETTERS = "abcdefgh"


@lru_cache(maxsize=4096)
def _tree(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def written(
    text: str,
    operands: Sequence[Node],
    params: Mapping[str, Any] | None = None,
    **extra: Node,
) -> Node:
    """Build the node that a row's text describes for these operands and parameters.

    >>> from symgrad.ops import leaf
    >>> written("a*sigmoid(a)", [leaf("x")]).op
    'mul'
    """
    bound = {**dict(zip(LETTERS, operands, strict=False)), **extra}
    kinds = tuple([(n.shape, n.dtype) for n in bound.values()])
    if _even(text) if any(kind != NUMBER for kind in kinds) else _plain(text):
        given = tuple([n if n.op in ("const", "dim") else None for n in bound.values()])
        try:
            recorded = _recorded(text, tuple(bound), given, kinds, _frozen(params))
        except (TypeError, SymgradError):  # a parameter that cannot be looked up; said below
            recorded = ()
        if recorded:
            return _again(recorded, bound)
    return _read(text, bound, params)


class _Agreed(Bindings):
    """Keep no account of sizes: those of a node's operands were compared when it was made."""

    def bind(self, name: str, size: int) -> None:
        """Accept any size."""


def _read(text: str, bound: Mapping[str, Node], params: Mapping[str, Any] | None) -> Node:
    reader = Reader(text, _Agreed())
    reader.variables.update(bound)
    reader.literals.update(params or {})
    reader.macros.update(MACROS)
    reader.trusted = True
    return reader.read(_tree(text)).node


# -- texts about numbers, or entry by entry, are read once and then repeated ---------------------

Recorded = tuple[tuple[str, Node, tuple[int, ...]], ...]  # letter or "", what to make, of which
NUMERIC = ("lowered", "lowered_safely")  # macros that look at constants only
NUMBER: tuple[Shape, str] = ((), "float")  # shape and type
EVEN = (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Attribute, ast.Name, ast.Constant, ast.operator,
        ast.unaryop, ast.cmpop, ast.expr_context)  # fmt: skip


def _frozen(params: Mapping[str, Any] | None) -> tuple[tuple[str, Any], ...]:
    return tuple((k, v) for k, v in (params or {}).items())


@lru_cache(maxsize=4096)
def _plain(text: str) -> bool:
    """Say whether a text makes the same of all numbers."""
    called = [n.func for n in ast.walk(_tree(text)) if isinstance(n, ast.Call)]
    names = [f.id for f in called if isinstance(f, ast.Name)]
    return not any(name in MACROS and name not in NUMERIC for name in names)


def _entrywise(called: ast.Call) -> bool:
    """Say whether a text calls an elementwise operator."""
    if not isinstance(called.func, ast.Name) or called.func.id in MACROS:
        return False
    row = lookup(called.func.id)
    return row is not None and row.shape == "elementwise"


@lru_cache(maxsize=4096)
def _even(text: str) -> bool:
    """Say whether a text makes the same of all arrays of the same shapes, but for labels."""
    return all(
        isinstance(n, EVEN) or (isinstance(n, ast.Call) and _entrywise(n))
        for n in ast.walk(_tree(text))
    )


@lru_cache(maxsize=4096)
def _recorded(
    text: str,
    letters: tuple[str, ...],
    given: tuple[Node | None, ...],
    kinds: tuple[tuple[Shape, str], ...],
    params: Any,
) -> Recorded:
    """Note in order what a text makes of letters that stand for values of these kinds.

    Nothing is noted of labels, and of arrays so large that it matters what they are made of.
    """
    stand_ins = {
        letter: n or intern("input", (), {"name": f"\0{letter}", "kind": "real"}, *kind)
        for letter, n, kind in zip(letters, given, kinds, strict=True)
    }
    if any(dtype == "int" for _, dtype in kinds):
        return ()
    root = _read(text, stand_ins, dict(params))
    order = topological([root])
    if any(entries(n.shape) > MAX_CONSTANTS for n in order):
        return ()
    place = {n: k for k, n in enumerate(order)}
    of = {n: letter for letter, n in stand_ins.items()}
    return tuple((of.get(n, ""), n, tuple(place[a] for a in n.args)) for n in order)


def _again(recorded: Recorded, bound: Mapping[str, Node]) -> Node:
    """Make of other numbers what a text has made of its letters."""
    made: list[Node] = []
    for letter, node, places in recorded:
        if letter:
            made.append(bound[letter])
        elif places:
            args = tuple([made[k] for k in places])
            made.append(intern(node.op, args, node.attrs, node.shape, node.dtype))
        else:
            made.append(node)
    return made[-1]


def formula(node: Node) -> Node | None:
    """Write a node by its row's formula, one level deep; None for a primitive."""
    row = OPS.get(node.op)
    if row is None or not row.formula:
        return None
    params = dict(node.attrs)
    result = written(row.formula, node.args, params)
    if row.reduction and params["reduction"] != "none" and result.shape:
        result = make(params["reduction"], result)
    return result


def contribution(node: Node, k: int, g: Node, mode: str = "printed") -> Node | None:
    """Build the gradient that `node` passes to operand k, given its own gradient g.

    `mode` says for what: "printed" formulas, "code" or "accurate" code. None where the row says
    that there is none. Raises KeyError if the row has no rule, and the formula has to be
    differentiated.
    """
    row = OPS[node.op]
    if row.zero or node.args[k].dtype != "float":
        return None
    several = bounds(row)[1] == ANY
    rule = rules(row, mode)[0 if several else k]
    if isinstance(rule, Mapping):
        ranks = [len(a.shape) for a in node.args]
        key = "".join("n" if r > 2 else str(r) for r in ranks)
        if "n" in key:
            key = key.replace("2", "n")
        rule = rule[key]
    if rule is None:
        return None
    params = {**node.attrs, "k": k} if several else node.attrs
    return written(rule, node.args, params, y=node, g=g)


def has_rule(node: Node, mode: str = "printed") -> bool:
    """Say whether the row answers for the derivative itself."""
    row = OPS[node.op]
    return row.zero or bool(rules(row, mode))


# -- macros: what the rows may say about shapes ----------------------------------------------


def _spread(
    reader: Reader, tree: ast.AST, g: Val, a: Val, axis: Any = None, keepdims: bool = False
) -> Val:
    """Repeat a reduced gradient over the axes that the reduction removed."""
    shape = a.node.shape
    node = g.node
    axes = axes_of(axis, len(shape))
    if not keepdims and axes and len(axes) < len(shape):
        node = make("expand", node, axes=axes)
    return Val(node if node.shape == shape else make("broadcast", node, shape=shape))


def _size(reader: Reader, tree: ast.AST, a: Val, axis: Any = None) -> Val:
    along = axis.node.attrs["value"] if isinstance(axis, Val) else axis
    return Val(count(a.node.shape, axes_of(along, len(a.node.shape))))


def _hot(reader: Reader, tree: ast.AST, labels: Val, table: Val) -> Val:
    return Val(make("onehot", labels.node, size=table.node.shape[-1]))


def _winner(reader: Reader, tree: ast.AST, a: Val, axis: Any = None) -> Val:
    return Val(make("winner", a.node, axis=axis))


def _target(reader: Reader, tree: ast.AST, a: Val, t: Val) -> Val:
    """Give the entry of `a` at the target: picked by labels, weighed by one-hot rows."""
    check_targets(a.node, t.node)
    if t.node.dtype == "int" and len(t.node.shape) < len(a.node.shape):
        return Val(make("pick", a.node, t.node))
    return Val(make("sum", make("mul", t.node, a.node), axis=-1))


def _rest(reader: Reader, tree: ast.AST, a: Val, t: Val) -> Val:
    """Mark the entries off the target."""
    size = a.node.shape[-1]
    if t.node.dtype == "int" and len(t.node.shape) < len(a.node.shape):
        grown = make("expand", t.node, axes=(len(t.node.shape),)) if t.node.shape else t.node
        return Val(make("ne", make("arange", size=size), grown))
    return Val(make("eq", t.node, const(0)))


def _lowered(reader: Reader, tree: ast.AST, a: Val, b: Val) -> Val:
    """Give b a**(b - 1), for constant b without 0 * inf at a = 0: 0, 1, 2 a, …"""
    power = value_of(b.node)
    if power is None:
        less = make("sub", b.node, const(1))
        return Val(make("mul", b.node, make("pow", a.node, less)))
    if power in (0, 1):
        one = const(int(power))
        return Val(make("broadcast", one, shape=a.node.shape) if a.node.shape else one)
    rest = a.node if power == 2 else make("pow", a.node, const(power - 1))
    return Val(make("mul", b.node, rest))


def _lowered_safely(reader: Reader, tree: ast.AST, a: Val, b: Val) -> Val:
    """Give b a**(b - 1) without 0 * inf at a = 0, for an exponent that is a variable as well."""
    if value_of(b.node) is not None:
        return _lowered(reader, tree, a, b)
    zero = make("eq", b.node, const(0))
    less = make("where", zero, const(1), make("sub", b.node, const(1)))
    return Val(make("mul", b.node, make("pow", a.node, less)))


def _logto(reader: Reader, tree: ast.AST, a: Val, base: Any) -> Val:
    """Take the logarithm to a base; None means e."""
    if base is None:
        return Val(make("log", a.node))
    whole = isinstance(base, int | float) and not isinstance(base, bool)
    if not whole or base <= 0 or base == 1:
        raise ParseError(
            f"base={base!r} is no base of a logarithm", hint="2, 10, or left out for e"
        )
    if base == 2:
        return Val(make("log2", a.node))
    return Val(make("div", make("log", a.node), make("log", const(base))))


def _literal(reader: Reader, tree: ast.AST, number: Any) -> Val:
    """Give a parameter as a number."""
    return Val(const(number))


def _kept(reader: Reader, tree: ast.AST, p: Any) -> Val:
    """Give the share that dropout keeps."""
    return Val(const(1 - p))


def _wrong(reader: Reader, tree: ast.AST, a: Val, t: Val) -> Val:
    """Mark mistakes: the largest score is not the target's; for signs, y s < 0."""
    one_hot = t.node.op == "input" and t.node.attrs["kind"] in ("onehot", "simplex")
    if len(t.node.shape) == len(a.node.shape) and not one_hot:
        return Val(
            make("where", make("lt", make("mul", t.node, a.node), const(0)), const(1), const(0))
        )
    hot = make("where", make("winner", a.node, axis=-1), const(1), const(0))
    return Val(make("sub", const(1), _target(reader, tree, Val(hot), t).node))


def _primed(reader: Reader, tree: ast.AST, y: Val) -> Val:
    """Give the next derivative, at the same place, of what has an order: an abstract function."""
    attrs = y.node.attrs
    return Val(make(y.node.op, *y.node.args, **{**attrs, "order": attrs["order"] + 1}))


def _embed(reader: Reader, tree: ast.AST, g: Val, a: Val, key: Any) -> Val:
    if all(entry in (FULL, BACKWARDS) for entry in key):
        return Val(make("slice", g.node, key=key))
    return Val(make("unslice", g.node, key=key, shape=a.node.shape))


def _cut(reader: Reader, tree: ast.AST, g: Val, key: Any) -> Val:
    return Val(make("slice", g.node, key=key))


MACROS: dict[str, Any] = {
    "spread": _spread,
    "size": _size,
    "hot": _hot,
    "winner": _winner,
    "target": _target,
    "rest": _rest,
    "embed": _embed,
    "lowered": _lowered,
    "lowered_safely": _lowered_safely,
    "logto": _logto,
    "wrong": _wrong,
    "tiny": _literal,
    "literal": _literal,
    "kept": _kept,
    "primed": _primed,
    "cut": _cut,
    **SHAPING,
    **FILTERS,
}


def validate(row: Op) -> list[str]:
    """List what is wrong with a row's texts; the tests call it for every row."""
    faults = []
    for text in (row.formula, row.typed, *(r for r in row.vjp if isinstance(r, str))):
        try:
            if text:
                _tree(text)
        except SyntaxError as error:
            faults.append(f"{row.place}: {row.name}: {text!r}: {error.msg}")
    return faults

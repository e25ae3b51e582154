"""Read an update rule, which is written in symgrad's own language, into graphs.

`v = mu*v + g; w = w - rate*v` says what becomes of the parameters `w` for the gradient `g`. A name
that is read before it is assigned holds its value of the last step: it is state.
"""

import ast
import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from symgrad.errors import ParseError, UsageError, near
from symgrad.evaluate import helpers
from symgrad.graph import Node, rebuild, topological
from symgrad.ops import leaf, make, remake
from symgrad.parse import parse
from symgrad.parse.limits import scan

VECTOR = "parameters"  # the dimension of w, g and of all state that is not a number
PARAMETERS, GRADIENT, RATE, STEP = "w", "g", "rate", "t"
GIVEN = (PARAMETERS, GRADIENT, RATE, STEP)
# what the written functions call by these names
TAKEN = ("np", "math", "state", "float", "abs", "max", "min", "self")


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line of a rule: the name that it assigns, its value and its text."""

    name: str
    value: Node
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """Hold a rule that was read: its lines, and which state is a vector and which a number.

    `after` maps w and all state to the value after a step, over the values before it.
    """

    lines: tuple[Line, ...]
    vectors: tuple[str, ...]
    numbers: tuple[str, ...]
    settings: tuple[str, ...]
    after: Mapping[str, Node]


@lru_cache(maxsize=256)
def read(text: str, settings: tuple[str, ...]) -> Rule:
    """Read a rule; `settings` are the numbers that it may use beside the rate and the step.

    >>> rule = read("v = mu*v + g; w = w - rate*v", ("mu",))
    >>> rule.vectors, [line.name for line in rule.lines]
    (('v',), ['v', 'w'])
    """
    statements = _statements(text)
    assigned = tuple(dict.fromkeys(name for name, _ in statements))
    _check_names(assigned, settings, text)
    arrays: dict[str, None] = {PARAMETERS: None, GRADIENT: None}
    while True:  # a state is a number until its line gives a vector
        lines, kept = _lines(statements, assigned, settings, arrays)
        grown = [x.name for x in lines if x.value.shape and x.name in kept and x.name not in arrays]
        if not grown:
            break
        arrays.update(dict.fromkeys(grown))
    for line in lines:
        if line.name in arrays and not line.value.shape:
            raise UsageError(f"the rule makes a number of the vector '{line.name}': {line.text}")
    state = [name for name in kept if name != PARAMETERS]
    return Rule(
        lines,
        tuple(name for name in state if name in arrays),
        tuple(name for name in state if name not in arrays),
        settings,
        _after(lines, kept),
    )


def variable(name: str, vector: bool) -> Node:
    """Make the input that stands for a name of a rule."""
    return leaf(name, (VECTOR,) if vector else (), "real")


def _statements(text: str) -> list[tuple[str, str]]:
    """Split a rule into (name, text of its value)."""
    if not isinstance(text, str):
        raise ParseError(f"an update rule is text, not {type(text).__name__}")
    scan(text)
    try:
        body = ast.parse("\n".join(line.strip() for line in text.splitlines())).body
    except (SyntaxError, RecursionError, MemoryError):
        body = parse(text) and []  # which says what is wrong
    found = []
    for statement in body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if not isinstance(statement, ast.Assign) or not isinstance(target, ast.Name):
            shown = ast.unparse(statement)[:80]
            raise UsageError(
                f"a line of an update rule reads  name = expression,  not {shown}",
                hint="for example  v = mu*v + g; w = w - rate*v",
            )
        if len(statement.targets) > 1:
            raise UsageError(f"one name a line: {ast.unparse(statement)[:80]}")
        found.append((target.id, ast.unparse(statement.value)))
    if PARAMETERS not in [name for name, _ in found]:
        raise UsageError("the update rule never assigns the parameters w",
                         hint="for example  w = w - rate*g")  # fmt: skip
    return found


def _check_names(assigned: Iterable[str], settings: tuple[str, ...], text: str) -> None:
    """Refuse names that stand for something else in a rule or in what is written from it."""
    for name in (*assigned, *settings):
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("__"):
            raise UsageError(f"'{name}' cannot be a name of an update rule")
        if name in TAKEN or name in helpers() or name == VECTOR:
            raise UsageError(f"the name '{name}' is taken in an update rule; choose another")
    for name in assigned:
        if name in (GRADIENT, RATE, STEP) or name in settings:
            raise UsageError(f"an update rule cannot assign '{name}', which is given: {text[:80]}")
    for name in settings:
        if name in (PARAMETERS, GRADIENT, STEP):
            raise UsageError(f"'{name}' cannot be a setting of an update rule")


def _lines(
    statements: list[tuple[str, str]],
    assigned: tuple[str, ...],
    settings: tuple[str, ...],
    arrays: Mapping[str, None],
) -> tuple[tuple[Line, ...], tuple[str, ...]]:
    """Read the lines in order; give them, and what is read before it is assigned."""
    vectors = dict(arrays)
    known = dict.fromkeys((*GIVEN, *settings, *assigned))
    kept: dict[str, None] = {PARAMETERS: None}
    done: dict[str, None] = {}
    lines = []
    for name, text in statements:
        head = [f"{n}: real[{VECTOR}]" if n in vectors else f"{n}: real" for n in known]
        graph = parse("\n".join([text, *head]))  # the text first: errors point at it
        value = _left(graph.output)
        used = [str(n.attrs["name"]) for n in topological([value]) if n.op == "input"]
        for other in used:
            if other not in known:
                listed = ", ".join(known)
                raise UsageError(f"the update rule uses '{other}', which is nothing it knows",
                                 hint=f"{near(other, list(known))}known are: {listed}")  # fmt: skip
            if other in assigned and other not in done:
                kept[other] = None
        if value.shape not in ((), (VECTOR,)) or value.dtype != "float":
            raise UsageError(f"a line of an update rule gives a number or a vector: {text}")
        done[name] = None
        if value.shape:
            vectors[name] = None
        elif name not in arrays:
            vectors.pop(name, None)
        lines.append(Line(name, value, f"{name} = {text}"))
    return tuple(lines), tuple(n for n in assigned if n in kept)


def _left(root: Node) -> Node:
    """Add from left to right, as a + b + c is read: a + (b - c) prints without its brackets."""

    def change(node: Node, args: tuple[Node, ...]) -> Node:
        node = remake(node, args)
        while node.op == "add" and node.args[1].op in ("add", "sub"):
            first, (second, third) = node.args[0], node.args[1].args
            inner = change(make("add", first, second), (first, second))
            node = make(node.args[1].op, inner, third)
        return node

    return rebuild([root], change)[root]


def _after(lines: tuple[Line, ...], kept: tuple[str, ...]) -> dict[str, Node]:
    """Put the lines into one another: every value over what was there before the step."""
    now: dict[str, Node] = {}
    for line in lines:
        inputs = [n for n in topological([line.value]) if n.op == "input"]
        memo = {n: now.get(str(n.attrs["name"]), n) for n in inputs}
        now[line.name] = rebuild([line.value], remake, memo)[line.value]
    return {name: now[name] for name in kept}

"""Match patterns: a rule is one line of text in symgrad's own language.

Letters stand for any operand, numbers for themselves; + and * match in either order.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from symgrad.errors import ParseError, SymgradError
from symgrad.evaluate import values
from symgrad.graph import Node, topological
from symgrad.graph.exchange import Table, flatten, roots_of
from symgrad.ops import OPS, leaf, value_of
from symgrad.ops.spec import LETTERS, letters, stands
from symgrad.parse import written

Operators = tuple[str, ...]  # of a node, and of its operands
HALVES = (2, 4)  # a/2 may be typed as 0.5*a
COMMUTATIVE = ("add", "mul", "eq", "ne", "both")


@dataclass(frozen=True, slots=True)
class Rule:
    """Rewrite `before` to `after`; `place` is the file and line that states the rule."""

    name: str
    before: str
    after: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Record one rewrite: the rule's name, what it replaced, by what, on which source line."""

    rule: str
    before: Node
    after: Node
    line: int | None = None


class Trace(tuple[Rewrite, ...]):
    """Hold rewrites in their order; they travel as one table of the nodes that they share.

    >>> from symgrad.ops import leaf
    >>> trace = Trace([Rewrite("same", leaf("x"), leaf("x"))])
    >>> trace.__reduce__()[0](*trace.__reduce__()[1]) == trace
    True
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        nodes = flatten(node for r in self for node in (r.before, r.after))
        return _arrived, (nodes, [(r.rule, r.line) for r in self])


def _arrived(nodes: Table, said: Iterable[tuple[str, int | None]]) -> Trace:
    found = iter(roots_of(nodes))
    return Trace(Rewrite(rule, next(found), next(found), line) for rule, line in said)


def parse_rule(text: str) -> Rule:
    """Read `name: before -> after` (the name may be left out).

    >>> parse_rule("log(exp(a)) -> a").after
    'a'
    """
    body, name = text, ""
    if ":" in text:
        name, body = (part.strip() for part in text.split(":", 1))
    if body.count("->") != 1:
        raise ParseError(f"a rule reads  before -> after; this one is {text[:80]!r}")
    before, after = (part.strip() for part in body.split("->"))
    frame = sys._getframe(1)
    rule = Rule(name or before, before, after, f"line {frame.f_lineno}")
    compiled(rule.before)
    compiled(rule.after)
    return rule


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Node:
    """Build the pattern's node over scalar stand-ins for the letters."""
    try:
        return written(pattern, [leaf(letter) for letter in LETTERS])
    except SyntaxError as error:
        raise ParseError(f"the pattern {pattern!r} is not an expression: {error.msg}") from None


def match(pattern: Node, node: Node) -> dict[str, Node] | None:
    """Bind the pattern's letters so that it equals the node; None if it cannot."""
    trails: list[tuple[dict[str, Node], list[tuple[Node, Node]]]] = [({}, [(pattern, node)])]
    while trails:
        found, todo = trails.pop()
        while todo:
            p, n = todo.pop()
            step = _step(p, n, found)
            if step is None:
                break
            options = step
            for other in options[1:]:
                trails.append((dict(found), todo + other))
            if options:
                todo.extend(options[0])
        else:
            return found
    return None


def _step(p: Node, n: Node, found: dict[str, Node]) -> list[list[tuple[Node, Node]]] | None:
    """Match one node: None on failure, else the alternatives for the operands (may be none)."""
    if p.op == "input":
        letter = p.attrs["name"]
        known = found.setdefault(letter, n)
        return [] if known is n else None
    if p.op == "const":
        value = value_of(n)
        return [] if value is not None and value == p.attrs["value"] else None
    if n.op == "const" and p.args and p.op != "const":  # sqrt(2/pi) typed as a number
        return [] if _number(p) == n.attrs["value"] else None
    if p.op == "div" and n.op == "mul" and (half := value_of(p.args[1])) in HALVES:
        for factor, rest in (n.args, n.args[::-1]):  # a/2 typed as 0.5*a
            if value_of(factor) == 1 / half:
                return [[(p.args[0], rest)]]
    if p.op != n.op or len(p.args) != len(n.args):
        return None
    if p.attrs and dict(p.attrs) != dict(n.attrs):
        return None
    straight = list(zip(p.args, n.args, strict=True))
    if p.op in COMMUTATIVE:
        return [straight, list(zip(p.args, reversed(n.args), strict=True))]
    return [straight]


@lru_cache(maxsize=4096)
def _number(pattern: Node) -> float | None:
    """Give the number that a pattern without letters stands for."""
    if any(n.op == "input" for n in topological([pattern])):
        return None
    return float(values([pattern], {}, {})[pattern])


def could_match(rule: Rule, op: str, below: tuple[str, ...]) -> bool:
    """Say whether a rule may match a node with this operator, on operands with these operators.

    >>> could_match(Rule("", "log(exp(a))", "a"), "log", ("sin",))
    False
    """
    pattern = compiled(rule.before)
    if len(pattern.args) != len(below):
        return False
    kinds = [_kinds(p) for p in pattern.args]
    if pattern.op != op:  # a/2 may be typed as 0.5*a
        kinds[1] = ("const",)
    orders = [below, below[::-1]] if op in COMMUTATIVE else [below]
    return any(
        all(kind is None or n in kind for kind, n in zip(kinds, order, strict=True))
        for order in orders
    )


def by_root(rules: Iterable[Rule]) -> dict[str, list[Rule]]:
    """Group rules by the operator at which they can match.

    >>> list(by_root([Rule("", "(1 + a)/2", "a")]))
    ['div', 'mul']
    """
    table: dict[str, list[Rule]] = {}
    for rule in rules:
        root = compiled(rule.before)
        table.setdefault(root.op, []).append(rule)
        if root.op == "div" and value_of(root.args[1]) in HALVES:
            table.setdefault("mul", []).append(rule)
    return table


CALM = ("input", "const", "add", "sub", "mul", "sin", "cos", "tanh")


def calm(ops: Iterable[str]) -> bool:
    """Say of sums and products of numbers that no exponential, logarithm or case is among them.

    Where none is in a whole program, only rules find anything.

    >>> calm(("mul", "add")), calm(("mul", "log"))
    (True, False)
    """
    return all(op in CALM for op in ops)


class Candidates:
    """Find the rules that may match a node, by its operator and those of its operands.

    >>> from symgrad.ops import make
    >>> found = Candidates({"log": [Rule("", "log(exp(a))", "a")]})
    >>> len(found.of(make("log", make("exp", leaf("x"))))), len(found.of(make("log", leaf("x"))))
    (1, 0)
    """

    def __init__(
        self,
        by_root: Mapping[str, list[Rule]],
        quiet: Callable[[str, tuple[str, ...]], bool] = lambda op, below: False,
        known: dict[Operators, tuple[Rule, ...]] | None = None,
    ) -> None:
        self.by_root, self._quiet = by_root, quiet
        self.still: dict[Operators, bool] = {}
        self.known = {} if known is None else known

    def quiet(self, node: Node) -> bool:
        """Say whether nothing at all happens at a node: no rule, and none of what is no rule."""
        key = _operators(node)
        found = self.still.get(key)
        if found is None:
            found = self._quiet(key[0], key[1:]) and not self.of(node)
            self.still[key] = found
        return found

    def of(self, node: Node) -> tuple[Rule, ...]:
        """List the candidates at a node."""
        rules = self.by_root.get(node.op)
        if rules is None:
            return ()
        key = _operators(node)
        found = self.known.get(key)
        if found is None:
            found = tuple(r for r in rules if could_match(r, key[0], key[1:]))
            self.known[key] = found
        return found


def _operators(node: Node) -> Operators:
    """List the operators of a node and of its operands."""
    args = node.args
    if len(args) == 2:
        return node.op, args[0].op, args[1].op
    return (node.op, *[a.op for a in args])


def _kinds(pattern: Node) -> tuple[str, ...] | None:
    """List the operators of nodes that a pattern matches; None for any."""
    if pattern.op == "input":
        return None
    halved = pattern.op == "div" and value_of(pattern.args[1]) in HALVES
    number = ("const",) if _number(pattern) is not None else ()
    return (pattern.op, *number, "mul") if halved else (pattern.op, *number)


def rewrite(rule: Rule, node: Node) -> Node | None:
    """Apply a rule at a node; None if it does not match or would change the shape."""
    found = match(compiled(rule.before), node)
    if found is None:
        return None
    try:
        result = written(rule.after, [], None, **found)
    except SymgradError:
        return None
    return result if result.shape == node.shape else None


def rows_rules(mode: str = "printed") -> tuple[Rule, ...]:
    """Collect the rules that the operator rows state: how people type an operator by hand.

    Left out is the formula itself of an operator that this mode writes by its formula.
    """
    rules = []
    # what only code computes with is printed as it was typed
    rows = [row for row in OPS.values() if not row.hidden or mode != "printed"]
    for row in rows:
        call = f"{row.name}({', '.join(letters(row))})"
        texts = [t for t in row.recognise if stands(row, mode) or t != row.formula]
        rules += [Rule(row.name, text, call, row.place) for text in texts]
    for row in rows:  # after them: the stable forms are more general patterns
        rules += [Rule(f"{a} as {b}", a, b, row.place) for a, b in row.stable]
    return tuple(rules)

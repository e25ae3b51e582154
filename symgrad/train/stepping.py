"""Write a step of an update rule as NumPy text: readable and pure, or in place and tiled.

Both compute the same operations in the same order, so that they give the same bits; numbers such
as 1 - beta1**t are computed once, by Python's floats, and leave float32 arrays what they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from symgrad.codegen.fast.kinds import kind, ufunc
from symgrad.formula import latex as tex
from symgrad.formula import plain
from symgrad.formula.code import number
from symgrad.graph import Node, topological
from symgrad.ops import OPS, value_of
from symgrad.train.rule import GRADIENT, PARAMETERS, RATE, STEP, Line, Rule, variable
from symgrad.train.spelling import Speller, executed

BLOCK = 1 << 15  # numbers of a tile; shorter tiles cost more calls than they save in cache
BY_NAME = ("maximum", "minimum")  # they take their output by name only
WIDE = 96
BESIDE = 44  # where the formula stands beside a line
AT_END = 1 << 30


def symbols(latex: bool = False) -> dict[Node, str]:
    """Say how names of a rule are typeset that are words in the text: the rate is η."""
    eta = r"\eta" if latex else "η"
    rates = {RATE: eta, f"{RATE}_t": f"{eta}_{{t}}" if latex else f"{eta}ₜ"}
    return {variable(name, False): text for name, text in rates.items()}


def formula(line: Line, latex: bool = False) -> str:
    """Typeset a line of a rule, as LaTeX or in Unicode."""
    shown, write = symbols(latex), tex.write if latex else plain.write
    name = variable(line.name, False)
    head = shown.get(name) or write(name, {})
    return f"{head} = {write(line.value, shown)}"


def begun(rule: Rule, start: Mapping[str, float]) -> str:
    """Write the state before the first step, as text over the parameters w."""
    items = {STEP: "0.0"}
    for name in rule.vectors:
        value = start.get(name, 0.0)
        items[name] = f"np.full_like(w, {value!r})" if value else "np.zeros_like(w)"
    items |= {name: repr(float(start.get(name, 0.0))) for name in rule.numbers}
    return "{" + ", ".join(f'"{name}": {text}' for name, text in items.items()) + "}"


def readable(rule: Rule, name: str, title: str, rate: float, settings: Mapping[str, float],
             start: Mapping[str, float] | None, dtype: str = "float64") -> str:  # fmt: skip
    """Write the pure function `name_step(w, g, state, rate, …)`, one line for a line of the rule.

    It needs `np`, and `math` where the text says so; the helpers of operators come first. Its
    docstring says how the state starts, unless `start` is None.
    """
    speller = Speller(dtype)
    state = (*rule.vectors, *rule.numbers)
    given = [f"{k}={v!r}" for k, v in settings.items()]
    head = _signature(f"{name}_step", ["w", "g", "state", f"rate={rate!r}", *given])
    body = [f'"""{title}."""']
    if start is not None:
        body = [f'"""{title}.', "", f"`state` starts as {begun(rule, start)}.", '"""']
    old = ", ".join([f'state["{STEP}"] + 1', *(f'state["{k}"]' for k in state)])
    body.append(f"{', '.join((STEP, *state))} = {old}")
    for line in rule.lines:
        code = speller.write(line.value, {})
        if line.value.op == "input" and line.value.shape:
            code = f"np.array({code})"  # a copy; `m.` would be taken for math
        body += _noted(f"{line.name} = {code}", f"# {formula(line)}")
    kept = ", ".join(f'"{k}": {k}' for k in (STEP, *state))
    body.append(f"return {PARAMETERS}, {{{kept}}}")
    indented = ["    " + line if line else "" for line in body]
    parts = [f"{text}\n\n" for text in speller.helpers()]
    return "\n".join([*parts, *head, *indented]) + "\n"


def _noted(statement: str, note: str) -> list[str]:
    """Write the formula beside its line, above it where there is no room, or not at all."""
    beside = f"{statement:<{BESIDE}}  {note}"
    if len(beside) <= WIDE - 4:
        return [beside]
    return [note, statement] if len(note) <= WIDE else [statement]


def _signature(name: str, parameters: list[str]) -> list[str]:
    whole = f"def {name}({', '.join(parameters)}):"
    if len(whole) <= WIDE:
        return [whole]
    return [f"def {name}(", f"    {', '.join(parameters)}", "):"]


# -- in place ----------------------------------------------------------------------------------


def tileable(rule: Rule) -> bool:
    """Say whether each entry of a step depends on the entries of its own place only."""
    for node in topological(list(rule.after.values())):
        arrays = any(a.shape for a in node.args)
        if arrays and (not node.shape or OPS[node.op].shape != "elementwise"):
            return False
        if node.op == "dim":
            return False
    return all(bool(rule.after[name].shape) for name in (PARAMETERS, *rule.vectors))


@dataclass(slots=True)
class _Tile:
    """Choose for each vector the array that it is computed into: as few as there can be.

    A name with a leading v_ is a tile of a whole array, a number counts the tiles of `work`.
    """

    rule: Rule
    order: list[Node] = field(default_factory=list)
    reads: dict[Node, list[Node]] = field(default_factory=dict)
    last: dict[Node, int] = field(default_factory=dict)
    home: dict[Node, str] = field(default_factory=dict)  # whose new value it leads to alone
    final: dict[Node, str] = field(default_factory=dict)
    place: dict[Node, str] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)
    count: int = 0

    def survey(self) -> None:
        """List the vectors to compute, what each reads, and when a value is read last."""
        names = (PARAMETERS, *self.rule.vectors)
        roots = [self.rule.after[name] for name in names]
        own = {name: variable(name, True) for name in names}
        for node in topological(roots):
            if node.shape and node.dtype == "float" and node.op != "input":
                self.order.append(node)
                self.reads[node] = _vectors(node)
        for k, node in enumerate(self.order):
            self.last.update(dict.fromkeys(self.reads[node], k))
        for name in reversed(names):
            if self.rule.after[name] is not own[name]:
                self.final[self.rule.after[name]] = name
                self.home[self.rule.after[name]] = name
            self.last[self.rule.after[name]] = AT_END
        users: dict[Node, list[Node]] = {}
        for node in self.order:
            for read in self.reads[node]:
                users.setdefault(read, []).append(node)
        for node in reversed(self.order):
            after = users.get(node, [])
            if node not in self.home and len(after) == 1 and after[0] in self.home:
                self.home[node] = self.home[after[0]]
        self.place = {leaf: f"v_{name}" for name, leaf in own.items()}
        self.place[variable(GRADIENT, True)] = f"v_{GRADIENT}"

    def put(self, k: int, node: Node) -> str:
        """Choose the array of the k-th vector; what is read for the last time makes room."""
        for read in self.reads[node]:
            array = self.place[read]
            if self.last[read] == k and array != f"v_{GRADIENT}" and array not in self.free:
                self.free.append(array)
        wanted = f"v_{self.home.get(node, '')}"
        spare = [a for a in self.free if not a.startswith("v_")]
        if wanted in self.free:
            array = wanted
        elif spare:
            array = spare[0]
        else:
            array = f"a{self.count}"
            self.count += 1
            self.free.append(array)
        self.free.remove(array)
        self.place[node] = array
        if node not in self.last:
            self.free.append(array)
        return array


def _vectors(node: Node) -> list[Node]:
    """List the float vectors that a value is computed from; conditions are written in place."""
    found: dict[Node, None] = {}
    todo = list(reversed(node.args))
    while todo:
        arg = todo.pop()
        if arg.shape and arg.dtype == "float":
            found[arg] = None
        elif arg.shape:
            todo += reversed(arg.args)
    return list(found)


class InPlace:
    """Write the step that computes in place, tile by tile: the text of `step`."""

    def __init__(self, rule: Rule, dtype: str) -> None:
        self.rule, self.speller = rule, Speller(dtype)
        self.tile = _Tile(rule)
        self.tile.survey()
        numbers = (RATE, STEP, *rule.settings, *rule.numbers)
        self.called = {variable(name, False): f"s_{name}" for name in numbers}
        self.scalars: list[str] = []
        self.functions: dict[str, None] = {}

    def source(self) -> str:
        """Give the text of `step(arrays…, numbers…, work, block)`, which returns the numbers."""
        vectors = (PARAMETERS, GRADIENT, *self.rule.vectors)
        listed = [*(f"x_{name}" for name in vectors), *self.called.values(), "work", "block"]
        inner = self._statements()
        after = [self._operand(self.rule.after[name], {}) for name in self.rule.numbers]
        tiles = [f"v_{name} = x_{name}[part]" for name in vectors]
        tiles += [f"a{k} = work[{k}, :v_{PARAMETERS}.size]" for k in range(self.tile.count)]
        result = ", ".join(after) + ("," if len(after) == 1 else "")
        lines = [f"def step({', '.join(listed)}):", *(f"    {s}" for s in self.scalars),
                 f"    for start in range(0, x_{PARAMETERS}.size, block):",
                 "        part = slice(start, start + block)",
                 *(f"        {s}" for s in [*tiles, *inner]),
                 f"    return ({result})"]  # fmt: skip
        short = [f"np_{name} = np.{name}" for name in self.functions]
        return "\n".join([*short, "", "", *self.speller.helpers(), "", "", *lines]) + "\n"

    def _statements(self) -> list[str]:
        names = (PARAMETERS, *self.rule.vectors)
        found, ends = [], []
        moved: dict[Node, str] = {}  # an old value that becomes another state
        for name in names:
            node = self.rule.after[name]
            if node.op == "input" and node is not variable(name, True):
                if node not in moved:
                    moved[node] = f"a{self.tile.count}"
                    self.tile.count += 1
                    found.append(f"np.copyto({moved[node]}, {self.tile.place[node]})")
                ends.append(f"np.copyto(v_{name}, {moved[node]})")
        for node in moved:  # the copy is what is kept to the end
            readers = [k for k, n in enumerate(self.tile.order) if node in self.tile.reads[n]]
            self.tile.last[node] = max(readers, default=-1)
        found += [self._call(k, node) for k, node in enumerate(self.tile.order)]
        for name in names:
            node = self.rule.after[name]
            if node.op != "input" and self.tile.place[node] != f"v_{name}":
                ends.append(f"np.copyto(v_{name}, {self.tile.place[node]})")
        return found + ends

    def _call(self, k: int, node: Node) -> str:
        """Write the call that computes one vector."""
        before = dict(self.tile.place)
        out = self.tile.put(k, node)
        plain_ufunc = kind(node) == "ufunc" and all(a.dtype == "float" for a in node.args)
        name = ufunc(node) if plain_ufunc else ""
        args = list(node.args)
        if node.op == "pow":
            name, args = ("square", args[:1]) if value_of(args[1]) == 2 else ("", [])
        if name:
            self.functions[name] = None
            listed = ", ".join(self._operand(a, before) for a in args)
            return f"np_{name}({listed}, {'out=' * (name in BY_NAME)}{out})"
        for number_ in topological([node], stop=lambda n: n in self.called or n in before):
            if not number_.shape and number_.dtype == "float":
                self._operand(number_, before)
        names = {n: before[n] for n in self.tile.reads[node]}
        text = self.speller.write(node, {**self.called, **names})
        return f"np.copyto({out}, {text})"

    def _operand(self, node: Node, place: Mapping[Node, str]) -> str:
        """Name an operand; a computed number gets its line before the loop."""
        if node.shape:
            return place[node]
        if node.op == "const":
            return number(node.attrs["value"])
        for inner in topological([node], stop=lambda n: n in self.called):
            if inner not in self.called and inner.op != "const" and inner.dtype == "float":
                text = self.speller.write(inner, self.called)  # one operation, so order is kept
                self.called[inner] = f"c{len(self.scalars)}"
                self.scalars.append(f"{self.called[inner]} = {text}")
        return self.called[node]


@lru_cache(maxsize=256)
def compiled(rule: Rule, dtype: str) -> tuple[Callable[..., Any], int, str] | None:
    """Compile the step in place: the function, how many tiles it works in, its text."""
    if not tileable(rule):
        return None
    writer = InPlace(rule, dtype)
    source = writer.source()
    return executed(source, "step"), writer.tile.count, source

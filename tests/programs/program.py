"""A whole program: declarations, lines, a last line that is a number (or an array)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.programs import names
from tests.programs.expressions import Expressions, Shape
from tests.programs.indexed import INDEXED

SIZES = (3, 2, 4, 5, 7, 1, 11)  # the first ones are chosen more often
KINDS = ("param", "param", "param", "real", "data", "positive")
LINES: tuple[Shape, ...] = ((), (), ("N",), ("D",), ("N", "D"), ("N", "C"), ("D", "C"), ("N", "N"),
                            ("N", "D", "C"), ("C", "N"), ("N", 1), (1, "D"))  # fmt: skip


@dataclass(frozen=True)
class Program:
    """A text, the kinds and dimensions of its inputs, and sizes for them."""

    text: str
    inputs: dict[str, tuple[str, Shape]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    seed: int = 0
    scalar: bool = True  # whether the output is a number

    @property
    def used(self) -> str:
        """Give the text without its declarations."""
        return "\n".join(line for line in self.text.split("\n") if ": " not in line.split("=")[0])


class Writer:
    """Write one program; `choose(n)` gives a number below n, 0 where all is short and plain."""

    def __init__(self, choose: Callable[[int], int], nasty: bool | None = None) -> None:
        self.choose = choose
        self.nasty = choose(4) == 3 if nasty is None else nasty
        self.numeric = choose(4) == 3
        self.taken: set[str] = {"N", "D", "C"}
        self.known: dict[str, Shape] = {}  # names that can be used, and their shapes
        self.inputs: dict[str, tuple[str, Shape]] = {}
        self.bare: list[str] = []
        self.sizes = self._sizes()
        self.lines: list[str] = []

    def _sizes(self) -> dict[str, int]:
        last = len(SIZES) if self.choose(4) == 3 else 4
        return {d: SIZES[(self.choose(last) + k) % last] for k, d in enumerate("NDC")}

    def pick(self, options: Any) -> Any:
        """Choose one of several; the first is the plainest."""
        options = list(options)
        return options[self.choose(len(options))]

    def fresh(self, shape: Shape, kind: str = "") -> str:
        """Declare a new input."""
        group = ("number", "vector", "matrix", "matrix")[len(shape)]
        name = names.called(self.choose, group, self.taken, self.nasty)
        kind = kind or self.pick(KINDS)
        if not kind and not shape:
            kind = "real"
        self.inputs[name] = (kind, shape)
        if kind not in ("label", "labels"):
            self.known[name] = shape
        if not shape and kind == "real" and self.choose(2):
            self.bare.append(name)  # a name that is not declared is an input too
        return name

    def of_kind(self, kind: str, shape: Shape) -> str:
        """Find an input of a kind and a shape, or declare one."""
        fitting = [n for n, found in self.inputs.items() if found == (kind, shape)]
        return self.pick(fitting) if fitting and self.choose(3) else self.fresh(shape, kind)

    def atom(self, shape: Shape) -> str:
        """Pick a name of this shape, the newest more often, so that programs are deep."""
        fitting = [n for n, s in self.known.items() if s == shape]
        if not fitting or (len(fitting) < 3 and self.choose(4) == 3):
            return self.fresh(shape)
        return str(self.pick([fitting[-1], fitting[-1], *fitting[::-1]]))

    def line(self, last: bool) -> None:
        """Add a line that names a value; now and then a name is used again."""
        if not last and self.choose(6) == 5:
            name, shape, text = INDEXED[self.choose(len(INDEXED))](self)
            self.lines.append(text)
            self.known[name] = shape
            return
        shape = self.pick(LINES)
        text = Expressions(self).text(shape, 1 + self.choose(4))
        mine = [n for n in self.known if n not in self.inputs]
        again = mine and self.choose(5) == 4
        name = self.pick(mine) if again else names.called(
            self.choose, "line", self.taken, self.nasty)  # fmt: skip
        self.lines.append(f"{name} = {text}")
        self.known.pop(name, None)
        self.known[name] = shape

    def idle(self) -> None:
        """Write a line that leads nowhere, of a number that nothing declares."""
        name = names.called(self.choose, "number", self.taken, self.nasty)
        self.inputs[name] = ("real", ())
        self.bare.append(name)
        left = names.called(self.choose, "line", self.taken, self.nasty)
        self.lines.insert(self.choose(len(self.lines)), f"{left} = {name}*2 + 1")

    def total(self) -> str:
        """Add up the last named values."""
        mine = [n for n in self.known if n not in self.inputs][-3:]
        parts = []
        for name in mine:
            if not self.known[name]:
                parts.append(name)
            else:
                f = self.pick(("sum", "mean", "sum", "norm", "logsumexp"))
                parts.append(f"{f}({name})")
        return " + ".join(parts)


def written(choose: Callable[[int], int], seed: int = 0, *, nasty: bool | None = None,
            scalar: bool | None = None) -> Program:  # fmt: skip
    """Write a program with the choices of `choose`."""
    w = Writer(choose, nasty)
    for k in range(count := 1 + choose(4)):
        w.line(k == count - 1)
    if choose(8) == 7:
        w.fresh(w.pick(LINES[:6]))  # an input that nothing uses
    if choose(8) == 7:
        w.idle()
    whole = choose(8) != 7 if scalar is None else scalar
    last = [n for n in w.known if n not in w.inputs][-1]
    w.lines.append(f"loss = {w.total()}" if whole else f"{last}")
    declared = []
    for name, (kind, shape) in w.inputs.items():
        dims = [str(w.sizes[d]) if w.numeric and d in w.sizes else str(d) for d in shape]
        if name not in w.bare:
            declared.append(f"{name}: {kind}[{', '.join(dims)}]" if dims else f"{name}: {kind}")
    body = "\n".join(w.lines)
    if w.numeric:
        body = _numbered(body, w.sizes)
    else:  # a dimension is known where an input has it
        have = {d for _, shape in w.inputs.values() for d in shape}
        declared += [f"{d}_: data[{d}]" for d in "NDC" if d not in have]
        w.inputs.update({f"{d}_": ("data", (d,)) for d in "NDC" if d not in have})
    bare = [n for n in w.bare if n in _words(body)]
    inputs = {n: v for n, v in w.inputs.items() if n not in w.bare or n in bare}
    is_number = whole or w.known[last] == ()
    return Program("\n".join([*declared, body]), inputs, w.sizes, seed, is_number)


def _words(text: str) -> set[str]:
    import re

    return set(re.findall(r"[^\W\d]\w*", text))


def _numbered(text: str, sizes: dict[str, int]) -> str:
    """Write sizes for the names of dimensions."""
    import re

    return re.sub(r"\b([NDC])\b", lambda m: str(sizes[m.group(1)]), text)

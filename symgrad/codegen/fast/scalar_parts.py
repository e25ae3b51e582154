"""Cut a long straight program of numbers into functions of a thousand lines, one after another.

CPython compiles a function of 10^5 lines with hundreds of megabytes; in parts, whose syntax trees
stay in the cache, it takes half of the time and a hundredth of that. What is computed is kept in
attributes with slots, which all parts read. A slot costs a call hardly more than a local variable
of such a function, whose number takes three instructions; an entry of a list costs a quarter more,
because each index is an object. On the way back a slot is used again as soon as nothing needs its
value: a call that touches less memory takes a tenth less time.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from symgrad.codegen.fast.scalar_rules import Kind, Text

LONGEST = 10_000  # operations of one function
SIZE = 1000  # lines of a part; shorter ones cost a call more, longer ones more to compile
SLOTS = 250  # of one object, if some 250 are enough: then each number fits in a byte of bytecode
MOST = 8000  # CPython finds a slot at once within 64 kB
NEVER = 1 << 60
INPUT = -1  # its place: what its gradient needs is kept to the end
TEXT = '''
class Values:
    """Hold values of a long program, which is computed in parts."""

    __slots__ = tuple(f"e{{k}}" for k in range({size}))
'''
KNOWN = re.compile(re.escape(TEXT).replace(r"\{\{k\}\}", r"\{k\}").replace(r"\{size\}", r"\d+"))
# CPython 3.11 makes slots quick in what has run 8 times, or has jumped back as often
WARM = ["    for _ in range(8):  # from here on CPython takes the short ways", "        pass"]
CALL = re.compile(r"m\.(?<!\wm\.)(\w+)")  # that begins with letters is found fast
ONE = re.compile(r" \* one\b")
RAISES = ("/", "**", "pow(")
COUNTED = "    one = m.ldexp(1.0, 0)  # over numpy, it makes a number of numpy's"
STUB = "\ndef Values():\n    return\n"


class Slots:
    """Give names to values that all parts read, apart from the names of inputs.

    Operations are places: 0, 1, 2, … A name that is held until a place is free after it, where
    places are left from the last to the first. `functions` lists what the parts call of m.

    >>> slots = Slots(["x", "o1"])
    >>> slots.name(7), slots.name(), slots.holders
    ('o_0.e0', 'o_0.e1', ['o_0'])
    >>> slots.hold(["o_0.e1", "x"], 3)
    >>> slots.release(7, "o_0.e0")
    >>> slots.name(), slots.name()
    ('o_0.e0', 'o_0.e2')
    """

    def __init__(self, inputs: Iterable[str], operations: int = 0) -> None:
        self.holder, self.count = apart("o", inputs), 0
        self.size = min(MOST, max(SLOTS, operations // 400))
        self.functions: tuple[str, ...] = ()
        self.free: list[str] = []
        self.ends: dict[str, int] = {}  # the first place of those that need a name
        self.due: defaultdict[int, list[str]] = defaultdict(list)

    def name(self, place: int = NEVER) -> str:
        """Take the next slot, for what is held until a place at least."""
        if self.free:
            name = self.free.pop()
        else:
            k = self.count
            self.count = k + 1
            name = f"{self.holder}{k // self.size}.e{k % self.size}"
        self.ends[name] = place
        return name

    def hold(self, names: Iterable[str], place: int) -> None:
        """Keep slots among these names until a place, or the ends of what needed them before."""
        ends = self.ends
        for name in names:
            if place < ends.get(name, -2):
                ends[name] = place
                self.due[place].append(name)

    def release(self, place: int, own: str | None = None) -> None:
        """Free the slots that nothing needs before a place, also that of its own value."""
        ends = self.ends
        if own is not None and ends.get(own) == place:
            ends[own] = INPUT
            self.free.append(own)
        for name in self.due.pop(place, ()):
            if ends[name] == place:
                ends[name] = INPUT
                self.free.append(name)

    @property
    def holders(self) -> list[str]:
        """List the objects that have the slots."""
        return [f"{self.holder}{k}" for k in range(-(-self.count // self.size))]

    @property
    def text(self) -> str:
        """Write the class of the objects."""
        return TEXT.format(size=self.size)


def brief(kinds: Iterable[Kind]) -> tuple[list[Kind], tuple[str, ...]]:
    """Let the texts call functions of m by names of their own; return the names, too."""
    functions: dict[str, None] = {}
    listed = list(kinds)
    texts = dict.fromkeys(t for k in listed for t in (k.value, *k.back, *k.unit) if t is not None)
    exact = any(sign in text.form for text in texts for sign in RAISES)

    def own(text: Text) -> Text:
        functions.update(dict.fromkeys(CALL.findall(text.form)))
        form = CALL.sub(r"\1", text.form)
        return replace(text, form=form if exact else ONE.sub("", form))

    made = {text: own(text) for text in texts}
    found = [replace(k, value=made[k.value], back=tuple([t and made[t] for t in k.back]),
                     unit=tuple([t and made[t] for t in k.unit])) for k in listed]  # fmt: skip
    return found, tuple(functions)


def named(texts: Sequence[str], long: bool) -> list[list[str]]:
    """Give names to the functions of m that long texts call; each text with the lines before it."""
    exact = any(t in text for text in texts for t in RAISES)
    found = []
    for text in texts:
        short = []
        if long or "\n    for k in " in text:
            short = [f"    {f} = m.{f}" for f in dict.fromkeys(CALL.findall(text))]
            text = CALL.sub(r"\1", text)
        if not exact:  # nothing that Python's floats compute otherwise
            text = ONE.sub("", text)
        if ONE.search(text):
            short.append(COUNTED)
        found.append([*short, f"    {text}"])
    return found


def declared(texts: Sequence[str], functions: Sequence[str]) -> list[list[str]]:
    """Give texts with names for functions of m the lines that define those which they call."""
    called = {f: re.compile(rf"(?<![.\w]){f}\(") for f in functions}
    found = []
    for text in texts:
        lines = [f"    {f} = m.{f}" for f, call in called.items() if call.search(text)]
        found.append([*lines, *([COUNTED] if ONE.search(text) else []), f"    {text}"])
    return found


def without(source: str) -> str:
    r"""Give a module's text without TEXT, which is known, to check what is left.

    >>> "class" in without(f"import math\n{Slots([]).text}")
    False
    """
    return KNOWN.sub(STUB, source)


def carried(source: str) -> bool:
    """Say whether a module has the class of the objects with slots."""
    return KNOWN.search(source) is not None


def cut(lines: Sequence[str], size: int = SIZE) -> list[str]:
    r"""Cut lines into parts.

    >>> cut(["a = 1", "b = a", "c = b"], 2)
    ['a = 1\nb = a', 'c = b']
    """
    return ["\n".join(lines[k : k + size]) for k in range(0, len(lines), size)]


def apart(name: str, inputs: Iterable[str]) -> str:
    """Choose a name with which no input begins.

    >>> apart("s", ["x", "s1"])
    's_'
    """
    taken = tuple(inputs)
    while any(n.startswith(name) for n in taken):
        name += "_"
    return name

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

LONGEST = 10_000  # operations of one function
SIZE = 1000  # lines of a part; shorter ones cost a call more, longer ones more to compile
SLOTS = 250  # of one object, if some 250 are enough: then each number fits in a byte of bytecode
MOST = 8000  # CPython finds a slot at once within 64 kB
NEVER = 1 << 60
TEXT = '''
class Values:
    """Hold values of a long program, which is computed in parts."""

    __slots__ = tuple(f"e{{k}}" for k in range({size}))
'''
KNOWN = re.compile(re.escape(TEXT).replace(r"\{\{k\}\}", r"\{k\}").replace(r"\{size\}", r"\d+"))
# CPython 3.11 makes slots quick in what has run 8 times, or has jumped back as often
WARM = ["    for _ in range(8):  # from here on CPython takes the short ways", "        pass"]
STUB = "\ndef Values():\n    return\n"


class Slots:
    """Give names to values that all parts read, apart from the names of inputs.

    Operations are places: 0, 1, 2, … A name that is `held` until a place is free after it, where
    places are left from the last to the first.

    >>> slots = Slots(["x", "o1"])
    >>> slots.name(), slots.name(), slots.holders
    ('o_0.e0', 'o_0.e1', ['o_0'])
    >>> slots.hold(["o_0.e0", "x"], 7)
    >>> slots.release(7)
    >>> slots.name(), slots.name()
    ('o_0.e0', 'o_0.e2')
    """

    def __init__(self, inputs: Iterable[str], operations: int = 0) -> None:
        self.holder, self.count = apart("o", inputs), 0
        self.size = min(MOST, max(SLOTS, operations // 400))
        self.free: list[str] = []
        self.ends: dict[str, int] = {}  # the first place of those that need a name
        self.due: defaultdict[int, list[str]] = defaultdict(list)

    def name(self) -> str:
        """Take the next slot."""
        if self.free:
            name = self.free.pop()
        else:
            k = self.count
            self.count = k + 1
            name = f"{self.holder}{k // self.size}.e{k % self.size}"
        self.ends[name] = NEVER
        return name

    def hold(self, names: Iterable[str], place: int) -> None:
        """Keep slots among these names until a place, or the ends of what needed them before."""
        ends = self.ends
        for name in names:
            if place < ends.get(name, -2):
                ends[name] = place
                self.due[place].append(name)

    def release(self, place: int) -> None:
        """Free the slots that nothing needs before a place."""
        ends = self.ends
        for name in self.due.pop(place, ()):
            if ends[name] == place:
                self.free.append(name)

    @property
    def holders(self) -> list[str]:
        """List the objects that have the slots."""
        return [f"{self.holder}{k}" for k in range(-(-self.count // self.size))]

    @property
    def text(self) -> str:
        """Write the class of the objects."""
        return TEXT.format(size=self.size)


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

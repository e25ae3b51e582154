"""Cut a long straight program of numbers into functions of some thousand lines, one after another.

CPython compiles a function of 10^5 lines with hundreds of megabytes; in parts it takes two thirds
of the time and a tenth of that. What is computed is kept in attributes with slots, which all parts
read. A slot costs a call hardly more than a local variable of such a function, whose number takes
three instructions; an entry of a list costs a quarter more, because each index is an object.
"""

from collections.abc import Iterable, Sequence

LONGEST = 10_000  # operations of one function
SIZE = 4000  # lines of a part; shorter ones cost a call more
SLOTS = 8000  # of one object; CPython finds a slot at once within 64 kB
TEXT = f'''
class Values:
    """Hold values of a long program, which is computed in parts."""

    __slots__ = tuple(f"e{{k}}" for k in range({SLOTS}))
'''
# CPython 3.11 makes slots quick in what has run 8 times, or has jumped back as often
WARM = ["    for _ in range(8):  # from here on CPython takes the short ways", "        pass"]
STUB = "\ndef Values():\n    return\n"


class Slots:
    """Give names to values that all parts read, apart from the names of inputs.

    >>> slots = Slots(["x", "o1"])
    >>> slots.name(), slots.name(), slots.holders
    ('o_0.e0', 'o_0.e1', ['o_0'])
    """

    def __init__(self, inputs: Iterable[str]) -> None:
        self.holder, self.count = apart("o", inputs), 0

    def name(self) -> str:
        """Take the next slot."""
        k = self.count
        self.count = k + 1
        return f"{self.holder}{k // SLOTS}.e{k % SLOTS}"

    @property
    def holders(self) -> list[str]:
        """List the objects that have the slots."""
        return [f"{self.holder}{k}" for k in range(-(-self.count // SLOTS))]


def without(source: str) -> str:
    r"""Give a module's text without TEXT, which is known, to check what is left.

    >>> "class" in without(f"import math\n{TEXT}")
    False
    """
    return source.replace(TEXT, STUB)


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

"""Name shapes for the selection pane: unique on a slide, the same on every slide of a deck."""

from collections.abc import Iterable, Mapping

from symgrad.diagram.measure import shorten
from symgrad.diagram.scene import Group
from symgrad.diagram.slides.runs import clean
from symgrad.diagram.slides.shapes import Tag

LONGEST = 60  # characters of a node's name in the names of its shapes
FIRST = 100  # the first id; the placeholders of the layout come before


def called(groups: Iterable[Group]) -> Mapping[str, str]:
    """Call every node by a short name: its own, its operator, or its operator and a number.

    >>> nodes = [Group(k, "node", "", (), (("node", k),)) for k in ("x", "mul#1", "mul#2", "exp#3")]
    >>> list(called(nodes).values())
    ['x', 'mul 1', 'mul 2', 'exp']
    """
    keys = [value for group in groups for key, value in group.data if key in ("node", "output")]
    keys = list(dict.fromkeys(keys))
    operators = [key.rpartition("#")[0] for key in keys]
    plain = {key: None for key, operator in zip(keys, operators, strict=True) if not operator}
    found: dict[str, str] = {}
    used: dict[str, int] = {}
    for key, operator in zip(keys, operators, strict=True):
        name = operator or shorten(clean(key), LONGEST)
        used[name] = used.get(name, 0) + 1
        alone = name == key or (operators.count(operator) == 1 and operator not in plain)
        found[key] = name if alone and used[name] == 1 else f"{name} {used[name]}"
    return found


class Tags:
    """Give shapes their names and ids; a name keeps its id on every slide of the deck."""

    def __init__(self, groups: Iterable[Group]) -> None:
        self.names = called(groups)
        self.ids: dict[str, int] = {}
        self.used: dict[str, int] = {}

    def begin(self) -> None:
        """Begin a slide: all names are free again."""
        self.used = {}

    def tag(self, name: str, alt: str = "") -> Tag:
        """Take a name on this slide; the second shape of that name is numbered 2."""
        self.used[name] = self.used.get(name, 0) + 1
        if self.used[name] > 1:
            name = f"{name} ({self.used[name]})"
        return Tag(self.id(name), name, alt)

    def id(self, name: str) -> int:
        """Give the id of a name."""
        return self.ids.setdefault(name, FIRST + len(self.ids))

    def owner(self, group: Group) -> str:
        """Say what a group's shapes are called after: its node, the ends of its edge, its id."""
        data = dict(group.data)
        if "from" in data and "to" in data:
            return f"{self.short(data['from'])}->{self.short(data['to'])}"
        for key in ("node", "output"):
            if key in data:
                return self.short(data[key])
        return shorten(clean(group.id), LONGEST)

    def short(self, key: str) -> str:
        """Call a node by its short name."""
        return self.names.get(key) or shorten(clean(key), LONGEST)

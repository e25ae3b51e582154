"""Note which rules of lowering fired, and at which node."""

from symgrad.graph import Node


class Fired(dict[str, int]):
    """Count rules as a dict does; keep also where each fired, and what each stage made of what.

    >>> from symgrad.ops import leaf
    >>> fired = Fired()
    >>> count(fired, "powers by multiplication", leaf("x"))
    >>> fired, fired.met[0][1].op
    ({'powers by multiplication': 1}, 'input')
    """

    def __init__(self) -> None:
        super().__init__()
        self.met: list[tuple[str, Node]] = []
        self.stages: list[dict[Node, Node]] = []


def count(fired: dict[str, int], rule: str, node: Node) -> None:
    """Note that a rule has been applied to a node."""
    fired[rule] = fired.get(rule, 0) + 1
    if isinstance(fired, Fired):
        fired.met.append((rule, node))

"""Hold the formulas that statements compute; each is written when its comment is kept."""

from symgrad.formula import plain as plain_form
from symgrad.graph import Node

MARK = "\x01"  # in a comment whose formula is still to be written


class Notes(dict[Node, str]):
    """Map what is computed to a mark, and the marks to formulas.

    `shown` says how inputs and named values are written.
    """

    def __init__(self, shown: dict[Node, str]) -> None:
        super().__init__()
        self.shown = shown
        self._formulas: list[tuple[str, Node, bool]] = []

    def note(self, image: Node, left: str, node: Node, named: bool = True) -> None:
        """Note that `image` is computed for a formula; if not `named`, even if it has a name."""
        if image not in self:
            self[image] = f"{MARK}{len(self._formulas)}"
            self._formulas.append((left, node, named))

    def line(self, line: str) -> str:
        """Write the formula of a line that holds a mark."""
        before, mark, number = line.partition(MARK)
        if not mark:
            return line
        left, node, named = self._formulas[int(number)]
        held = None if named else self.shown.pop(node, None)  # its formula, not its name
        formula = plain_form.write(node, self.shown)
        if held is not None:
            self.shown[node] = held
        return f"{before}{left} = {formula}"

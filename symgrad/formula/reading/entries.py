r"""Read index form back: x_{ij}, \delta_{ij}, sums with ranges, cases.

Index letters stand for indices over dimensions, which the caller knows (`IndexForm.letters`); all
else is a scalar expression, for which the reader of matrix form serves.
"""

from collections.abc import Generator, Mapping
from typing import Any

from symgrad.errors import ParseError
from symgrad.formula.reading.formulas import Reader
from symgrad.formula.reading.values import Value, plain
from symgrad.formula.reading.words import fences
from symgrad.graph import Node
from symgrad.indexed.symbols import delta, distinct, entry, index, total
from symgrad.ops import const, make
from symgrad.shapes import Dim

Visit = Generator[Any, Any, Any]


def read_entry(
    text: str,
    names: Mapping[str, Node],
    letters: Mapping[str, Node],
    functions: tuple[str, ...] = (),
) -> tuple[Node, ...]:
    r"""Read what `Formula.latex("index")` has printed; both sides where it is u = {cases}.

    `names` maps names as they are printed to arrays, `letters` index letters to indices. Raises
    ParseError with the place.

    >>> from symgrad.indexed import index
    >>> from symgrad.ops import leaf
    >>> x = leaf("x", ("N",))
    >>> read_entry(r"2 \sum_{j} x_{j}", {"x": x}, {"j": index("j", "N")})[0].args[1].op
    'total'
    """
    return EntryReader(text, names, letters, functions).sides()


class EntryReader(Reader):
    """Read scalar expressions of entries."""

    def __init__(
        self,
        text: str,
        names: Mapping[str, Node],
        letters: Mapping[str, Node],
        functions: tuple[str, ...],
    ) -> None:
        super().__init__(text, names, functions)
        self.indices = dict(letters)
        self.arrays = dict(names)
        self.called = functions

    def sides(self) -> tuple[Node, ...]:
        """Read one expression, or an equation of two."""
        found = [self.run(self.total()).node]
        while self.here == "=":
            self.take()
            found.append(self.run(self.total()).node)
        if self.here:
            raise self.unexpected("the formula ends before this")
        return tuple(found)

    def atom(self) -> Visit:
        """Read an entry, an index or what the matrix form has too."""
        named = self.names.match(self.tokens, self.at)
        if self.here == r"\delta" and self._kronecker(named):
            self.take()
            a, b = yield from self._places()
            return Value(delta(a, b))
        if self.here in self.indices and not named:
            return Value(self.indices[self.take()])
        whole = self._whole()
        if whole is not None:
            return Value(whole)
        base = self._base(named)
        if base is not None:
            node, length = base
            self.at += length
            places = (yield from self._places()) if self.here == "_" else []
            return Value(self._entry(node, places))
        return (yield super().atom())

    def _whole(self) -> Node | None:
        r"""Read a number made of whole arrays, such as \lVert x \rVert; None if it is none."""
        if self.here not in fences() and not self.calls.match(self.tokens, self.at):
            return None
        inner = Reader(self.source, self.arrays, self.called)
        inner.at = self.at
        try:
            node = plain(inner.run(inner.atom())).node
        except ParseError:
            return None
        if node.shape or inner.loose.makers:
            return None
        self.at = inner.at
        return entry(node)

    def _kronecker(self, named: tuple[Node, int] | None) -> bool:
        """Tell the delta of two indices from a variable of that name by the number of indices."""
        places = [self.ahead(3), self.ahead(4)]
        two = self.ahead(1) == "_" and all(p in self.indices for p in places)
        return two and self.ahead(5) == "}" and (named is None or len(named[0].shape) != 2)

    def _base(self, named: tuple[Node, int] | None) -> tuple[Node, int] | None:
        """Find the array whose entry stands here: a name, a name or an expression in brackets."""
        if named:
            return named
        if self.here != "(":
            return None
        close = self._closing()
        if close is None or self.tokens[close + 1].text != "_":
            return None
        start, end = self.tokens[self.at].end, self.tokens[close].start
        try:
            node = Reader(self.source[start:end], self.arrays, ()).whole(None)
        except ParseError:
            return None
        return (node, close + 1 - self.at) if node.shape else None

    def _closing(self) -> int | None:
        """Find the bracket that closes the one that stands here."""
        depth = 0
        for k in range(self.at, len(self.tokens) - 1):
            depth += {"(": 1, ")": -1}.get(self.tokens[k].text, 0)
            if not depth:
                return k
        return None

    def _places(self) -> Generator[Any, Any, list[Node]]:
        """Read the places of an entry: letters, labels, numbers."""
        self.expect("_")
        self.expect("{")
        found: list[Node] = []
        while self.here != "}":
            if self.here == ",":
                self.take()
            elif self.here.isdigit():
                found.append(const(int(self.take())))
            elif (
                self.here in self.indices
                and self.ahead(1) not in ("+", "-")
                and not self.names.match(self.tokens, self.at)
            ):
                found.append(self.indices[self.take()])
            else:
                label = yield self.total()
                found.append(label.node)
        self.take()
        return found

    def word(self) -> Value:
        """Read a dimension; a letter that is no index is an error here."""
        if self.sizes.match(self.tokens, self.at):
            return super().word()
        raise self.unexpected("a name, a number, an index or a bracket is expected")

    def _entry(self, node: Node, places: list[Node]) -> Node:
        """Make an entry; axes of length 1 have no letter."""
        rest = iter(places)
        full = [const(0) if d == 1 else next(rest, None) for d in node.shape]
        if None in full or next(rest, None) is not None:
            raise self.unexpected(f"an array of {len(node.shape)} axes needs as many indices")
        return entry(node, *(k for k in full if k is not None))

    def sum_of(self, op: str) -> Visit:
        r"""Read \sum_{j} or \sum_{j \ne y} and the product behind it."""
        self.take()
        self.expect("_")
        self.expect("{")
        over = self.indices.get(self.take())
        if over is None:
            self.at -= 1
            raise self.unexpected("an index is expected")
        left_out = None
        if self.here == r"\ne":
            self.take()
            left_out = (yield self.total()).node
        self.expect("}")
        body = (yield self.term()).node
        if left_out is not None:
            body = make("mul", body, distinct(over, left_out))
        return Value(total(body, over))

    def cases(self, rows: list[list[Value]]) -> Value:
        """Make a case distinction; several conditions hold together."""
        value = rows[-1][0].node
        for row in reversed(rows[: len(rows) - (len(rows[-1]) == 1)]):
            condition = row[1].node
            for more in row[2:]:
                condition = make("mul", condition, more.node)
            value = make("where", condition, row[0].node, value)
        return Value(value)


def indices(letters: Mapping[Node, str]) -> dict[str, Node]:
    """Turn the letters of an index form around; bound indices get names of their own."""
    return {letter: index(f"i_{letter}", _size(node)) for node, letter in letters.items()}


def _size(node: Node) -> Dim:
    size: Dim = node.attrs["size"]
    return size

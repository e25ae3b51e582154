r"""Read LaTeX back into nodes: exactly what the printers of this package write, and no more.

Precedence, from weak to strong: relations, sums, the sum sign (which takes the whole product
behind it), \odot, products by juxtaposition, powers and indices. Nothing recurses: every rule is a
generator that yields the rules it needs, and one loop runs them on an explicit stack.
"""

from collections.abc import Generator, Iterable, Mapping
from typing import Any

from symgrad.errors import ParseError, ShapeError, UsageError
from symgrad.formula.placing import fitted, inserted
from symgrad.formula.reading.atoms import Atoms
from symgrad.formula.reading.values import Value, plain
from symgrad.formula.reading.words import RELATIONS, infixes
from symgrad.graph import Node
from symgrad.ops import make
from symgrad.shapes import Shape, text

Visit = Generator[Any, Any, Any]


def read_latex(
    text: str,
    names: Mapping[str, Node],
    shape: Shape | None = None,
    functions: Iterable[str] = (),
) -> Node:
    r"""Read a formula that `Formula.latex` has printed, or any other in that notation.

    `names` maps names as they are printed to nodes: inputs and named values. `shape` is the shape
    of the result; it says how large ones and unit matrices are that stand alone, and which axes a
    smaller result fills. `functions` lists abstract functions. Raises ParseError with the place.

    >>> from symgrad.ops import leaf
    >>> X, g = leaf("X", ("N", "D")), leaf("g", ("N",))
    >>> read_latex(r"\frac{1}{N} X^{\top} g", {"X": X, "g": g}).shape
    ('D',)
    """
    return Reader(text, names, tuple(functions)).whole(shape)


class Reader(Atoms):
    """Read sums, products and relations; what they are made of is read by `Atoms`."""

    def whole(self, shape: Shape | None) -> Node:
        """Read the whole text."""
        value = plain(self.run(self.relation()))
        if self.here:
            raise self.unexpected("the formula ends before this")
        try:
            return self._fitted(value, value.shape if shape is None and not value.needs else shape)
        except (ShapeError, UsageError) as error:
            raise self.complain(error.message, 0) from None

    def _fitted(self, value: Value, shape: Shape | None) -> Node:
        if shape is None:
            raise ShapeError("nothing says how large this is; give the shape of the result")
        if value.needs and shape:
            value = self.loose.resolve(value, shape)
        node = value.node
        axes = fitted(node.shape, shape)
        if axes is None:
            raise ShapeError(f"this has the shape {text(node.shape)}, not {text(shape)}")
        gaps = inserted(axes, len(shape)) if axes else ()
        if gaps:
            node = make("expand", node, axes=tuple(g - min(axes) for g in gaps))
        return node if node.shape == shape else make("broadcast", node, shape=shape)

    def run(self, start: Visit) -> Value:
        """Run a rule and all that it needs."""
        stack: list[Visit] = [start]
        sent: Any = None
        while True:
            begun = self.at
            try:
                wanted = stack[-1].send(sent)
            except StopIteration as stop:
                stack.pop()
                sent = stop.value
                if not stack:
                    assert isinstance(sent, Value)
                    return sent
            except (ShapeError, UsageError) as error:
                if isinstance(error, ParseError):
                    raise
                raise self.complain(error.message, max(begun - 1, 0)) from None
            else:
                stack.append(wanted)
                sent = None

    # -- relations and sums -------------------------------------------------------------------

    def relation(self) -> Visit:
        """Read a sum, a comparison or a chain of them: 0 < x < 6."""
        left = yield self.total()
        found: list[Value] = []
        while self.here in RELATIONS:
            op = RELATIONS[self.take()]
            right = yield self.total()
            found.append(self.elementwise(op, [left, right]))
            left = right
        while self.here == r"\wedge":
            found = found or [left]
            self.take()
            found.append((yield self.total()))
        value = found[0] if found else left
        for more in found[1:]:
            value = self.elementwise("both", [value, more])
        return value

    def total(self) -> Visit:
        """Read a sum of signed terms."""
        value = yield self.signed()
        while self.here in ("+", "-"):
            op = "add" if self.take() == "+" else "sub"
            term = yield self.term()
            value = self.elementwise(op, [value, term])
        return value

    def signed(self) -> Visit:
        """Read the first term of a sum."""
        if self.here != "-":
            return (yield self.term())
        self.take()
        value = yield self.term()
        return self.negative(value)

    def term(self) -> Visit:
        r"""Read factors between \odot."""
        value = yield self.product()
        while self.here == r"\odot":
            self.take()
            factor = yield self.product()
            value = self.elementwise("mul", [value, factor])
        return value

    def product(self) -> Visit:
        """Read factors side by side, from left to right."""
        value = yield self.factor()
        while True:
            sign = infixes().get(self.here)
            if sign:
                self.take()
                right = yield self.chain()
                value = Value(make(sign, plain(value).node, plain(right).node))
            elif self.here in (r"\,", r"\cdot") or self.begins():
                if self.here in (r"\,", r"\cdot"):
                    self.take()
                value = yield self.multiplied(value)
            else:
                return value

    def chain(self) -> Visit:
        """Read the factors behind a sign such as ⋆, up to the next sign."""
        value = yield self.factor()
        while self.here in (r"\,", r"\cdot") or self.begins():
            if self.here in (r"\,", r"\cdot"):
                self.take()
            value = yield self.multiplied(value)
        return value

    def multiplied(self, value: Value) -> Visit:
        """Read one more factor."""
        if self.here == "e" and self.ahead(1) == "_" and self.is_part():
            return self.spread(value)
        factor = yield self.factor()
        return self.times(value, factor)

    def factor(self) -> Visit:
        r"""Read \sum, which takes all the product behind it, or an atom with its powers."""
        if self.here == r"\sum":
            return (yield self.sum_of("sum"))
        if self.here == r"\prod":
            return (yield self.sum_of("prod"))
        value = yield self.atom()
        return (yield self.behind(value))

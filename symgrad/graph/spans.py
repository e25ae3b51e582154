"""Where nodes come from in a text: told as spans only for the nodes that somebody asks about."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from symgrad.errors import Span
from symgrad.graph.node import Node


class Spans(Mapping[Node, Span]):
    """Map nodes to their places; `place` turns what was noted for a node into a span.

    What is noted is a span, or a tuple that begins with the line.

    >>> from symgrad.graph.node import intern
    >>> x = intern("input", attrs={"name": "x", "kind": "real"})
    >>> Spans({x: (1, 3, 4)}, lambda noted: Span(*noted))[x].column
    3
    """

    __slots__ = ("_noted", "_place")

    def __init__(self, noted: dict[Node, Any], place: Callable[[Any], Span]) -> None:
        self._noted, self._place = noted, place

    def __getitem__(self, node: Node) -> Span:
        noted = self._noted[node]
        return noted if type(noted) is Span else self._place(noted)

    def __contains__(self, node: object) -> bool:
        return node in self._noted

    def __iter__(self) -> Iterator[Node]:
        return iter(self._noted)

    def __len__(self) -> int:
        return len(self._noted)

    def line(self, node: Node) -> int | None:
        """Give the line of a node."""
        noted = self._noted.get(node)
        if noted is None:
            return None
        return noted.line if type(noted) is Span else int(noted[0])

    def moved(self, image: Mapping[Node, Node]) -> "Spans":
        """Give the places of the images of nodes."""
        noted = {image[n]: what for n, what in self._noted.items() if n in image}
        return Spans(noted, self._place)


def line_of(spans: Mapping[Node, Span], node: Node) -> int | None:
    """Give the line that a node comes from.

    >>> from symgrad.graph.node import intern
    >>> line_of({}, intern("const", attrs={"value": 1})) is None
    True
    """
    if isinstance(spans, Spans):
        return spans.line(node)
    span = spans.get(node)
    return span.line if span else None


def moved(spans: Mapping[Node, Span], image: Mapping[Node, Node]) -> Mapping[Node, Span]:
    """Map the images of nodes to where the nodes come from.

    >>> moved({}, {})
    {}
    """
    if isinstance(spans, Spans):
        return spans.moved(image)
    return {image[n]: span for n, span in spans.items() if n in image}

"""The public verbs; the only module that sees every stage."""

from collections.abc import Iterable, Mapping
from typing import Any

from symgrad import autodiff, parse as parsing
from symgrad.graph import Graph

Source = str | Graph


def parse(text: Source, shapes: Mapping[str, Any] | None = None) -> Graph:
    """Read a program into a graph."""
    return text if isinstance(text, Graph) else parsing.parse(text, shapes)


def backprop(
    g: Source, at: Mapping[str, Any], wrt: str | Iterable[str] | None = None
) -> autodiff.Backprop:
    """Run forward and backward at a point."""
    return autodiff.backprop(parse(g), at, wrt)


def diagram(
    g: Source,
    at: Mapping[str, Any] | None = None,
    wrt: str | Iterable[str] | None = None,
    view: str = "auto",
    theme: str = "light",
    renderer: str = "scene",
    title: str = "",
    engine: str = "auto",
) -> Any:
    """Draw a graph."""
    from symgrad.diagram import build

    graph = parse(g)
    result = None if at is None else autodiff.backprop(graph, at, wrt)
    return build(graph, result, theme=theme, view=view, renderer=renderer, title=title, engine=engine)

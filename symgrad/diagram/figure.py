"""`Diagram`: a drawn graph, and `build`, which draws one."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from symgrad.diagram.cards import Annotator, Block, Numbers
from symgrad.diagram.compose import Options, compose
from symgrad.diagram.digits import Decimals
from symgrad.diagram.export import export, formats
from symgrad.diagram.foreign import foreign_scene
from symgrad.diagram.from_graph import Drawing, Result, draw
from symgrad.diagram.scene import Scene
from symgrad.diagram.style import theme_named
from symgrad.diagram.tensor import Matrices, legend_block
from symgrad.errors import UsageError
from symgrad.files import replace
from symgrad.graph import Graph

VIEWS = ("auto", "scalar", "tensor")
RENDERERS = ("scene", "graphviz")
LEGIBLE = 40  # nodes up to which the scalar view is chosen by itself
PNG_WIDTH = 1920


class Diagram:
    """Hold a diagram, ready to be saved in any format; made by `symgrad.diagram`.

    >>> import symgrad as sg
    >>> d = sg.diagram("(x + y)*z", at={"x": -2, "y": 5, "z": -4})
    >>> d.to_svg().startswith("<svg")
    True
    """

    def __init__(
        self, drawing: Drawing, options: Options, *, view: str, renderer: str, digits: int
    ) -> None:
        self.drawing, self.options = drawing, options
        self.view, self.renderer, self.digits = view, renderer, digits

    @cached_property
    def scene(self) -> Scene:
        """Lay out and draw the scene; done once, when first asked for."""
        if self.renderer == "graphviz":
            from symgrad.diagram.export import dot

            output, engine = dot.drawn(self, "json")
            return foreign_scene(output, self.options.theme, self.options.title, engine)
        annotator, legend = self._annotator()
        return compose(self.drawing, annotator, self.options, legend)

    def _annotator(self) -> tuple[Annotator, Block | None]:
        drawing, theme = self.drawing, self.options.theme
        decimals = Decimals.suited(drawing.scalars(), self.digits)
        if self.view == "tensor":
            matrices = Matrices(decimals, theme, drawing)
            return matrices, legend_block(matrices, drawing)
        return Numbers(decimals, theme.marks, drawing.arrays()), None

    def to_svg(self) -> str:
        """Write SVG text."""
        if self.renderer == "graphviz":
            from symgrad.diagram.export import dot

            return dot.drawn(self, "svg")[0].decode()
        from symgrad.diagram.export import svg

        return svg.render(self.scene)

    def to_png(self, width: int = PNG_WIDTH) -> bytes:
        """Render a PNG, `width` pixels wide."""
        from symgrad.diagram.export import png, svg

        background = self.options.theme.colour("background")
        return png.render(svg.render(self.scene), width, background)

    def to_pdf(self) -> bytes:
        """Write a PDF of one page."""
        from symgrad.diagram.export import pdf

        return pdf.render(self.scene)

    def to_graphviz(self) -> Any:
        """Return a `graphviz.Digraph`, every edge labelled with its value and contribution."""
        from symgrad.diagram.export import dot

        return dot.digraph(self)

    def to_dot(self) -> str:
        """Write DOT text."""
        return str(self.to_graphviz().source)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write a file in the format of its suffix; an old file is replaced in one step.

        Raises `UsageError` for an unknown suffix.
        """
        target = Path(path)
        content = export(self, target.suffix.lower())
        replace(target, content)
        return target

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> Mapping[str, object]:
        return {"image/svg+xml": self.to_svg(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        nodes, edges = len(self.drawing.nodes), len(self.drawing.edges)
        return f"<Diagram: {nodes} nodes, {edges} edges, saves as {' '.join(formats())}>"


def build(
    graph: Graph,
    result: Result | None = None,
    *,
    theme: str = "light",
    view: str = "auto",
    renderer: str = "scene",
    title: str = "",
    engine: str = "auto",
    digits: int = 2,
) -> Diagram:
    """Draw a graph, with the values and gradients of `result` on its edges.

    `view` is "scalar" (numbers), "tensor" (shapes and small matrices) or "auto"; `renderer` is
    "scene" (symgrad draws) or "graphviz" (Graphviz draws); `digits` is how many decimals a figure
    has at least.

    >>> import symgrad as sg
    >>> build(sg.parse("1/(1 + exp(-x))"))
    <Diagram: 5 nodes, 4 edges, saves as .dot .pdf .png .svg>
    """
    _known("view", view, VIEWS)
    _known("renderer", renderer, RENDERERS)
    if not 0 <= digits <= 12:
        raise UsageError(f"digits must be between 0 and 12, not {digits}")
    drawing = draw(graph, result)
    if view == "scalar" and any(n.shape for n in drawing.nodes):
        raise UsageError("the scalar view cannot show arrays", hint='use view="tensor" or "auto"')
    if view == "auto":
        small = len(drawing.nodes) <= LEGIBLE
        view = "scalar" if small and not any(n.shape for n in drawing.nodes) else "tensor"
    options = Options(theme_named(theme), title, engine, graph.source.strip())
    return Diagram(drawing, options, view=view, renderer=renderer, digits=digits)


def _known(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise UsageError(f"unknown {what} {given!r}", hint="known are: " + ", ".join(known))

"""Views: the same graph gate by gate, with matrices, as cards of layers, or as neurons.

The level is chosen by size: numbers never shrink below what is legible on a slide; where they
would, the next coarser view is drawn, and the picture says so.
"""

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from symgrad.diagram import frames
from symgrad.diagram.cards import Annotator, Numbers, node_card
from symgrad.diagram.compose import CardMaker, Legend, Options, compose
from symgrad.diagram.digits import Decimals
from symgrad.diagram.from_graph import Drawing, Result, draw
from symgrad.diagram.scene import Scene
from symgrad.diagram.style import FORMULA, NUMBER, Theme, theme_named
from symgrad.diagram.tensor import ENTRY, Matrices, legend_block, peaks
from symgrad.errors import UsageError
from symgrad.formula.limits import check_length
from symgrad.graph import Graph

if TYPE_CHECKING:
    from symgrad.diagram.figure import Diagram

VIEWS = ("auto", "scalar", "tensor", "layers", "neurons")
MOST_DRAWN = 10_000  # values of a program that is drawn in any view
LEGIBLE = 40  # nodes up to which single gates are drawn by themselves
SLIDE = (1920.0, 1080.0)  # pixels of a slide
FLOOR = 24.0  # pixels of a number on a slide
ENTRY_FLOOR = 12.0  # pixels of an entry of a matrix


@dataclass(frozen=True, slots=True)
class Request:
    """Say what a diagram shall show; `symgrad.diagram` explains each."""

    view: str = "auto"
    theme: str | Theme = "light"
    title: str = ""
    engine: str = "auto"
    digits: int = 2
    steps: bool = False
    collapse: tuple[str, ...] = ()
    expand: tuple[str, ...] = ()
    blank: str = ""
    symbols: str = ""
    remarks: tuple[str, ...] = ()
    align: str = "compact"
    fold: str | tuple[str, ...] = "auto"
    sample: int = 0
    renderer: str = "scene"

    @property
    def chosen(self) -> bool:
        """Say whether something is asked for that only single gates show."""
        named = self.collapse or self.expand or self.remarks
        return bool(self.steps or self.symbols or named or self.align != "compact")

    def check(self) -> None:
        """Raise UsageError for what is not known."""
        known("view", self.view, VIEWS)
        known("renderer", self.renderer, ("scene", "graphviz"))
        known("symbols", self.symbols, ("", "symbols", "both"))
        known("align", self.align, ("compact", "left"))
        frames.known_blank(self.blank)
        if not isinstance(self.title, str):
            raise UsageError(f"the title is a text, not {self.title!r}")
        if not isinstance(self.digits, int) or not 0 <= self.digits <= 12:
            raise UsageError(f"digits must be between 0 and 12, not {self.digits!r}")
        if self.renderer == "graphviz" and (self.steps or self.blank):
            raise UsageError("Graphviz draws no frames", hint="leave renderer= out")
        if self.steps and self.view in ("layers", "neurons"):
            raise UsageError(f"the view {self.view!r} has no steps", hint="leave view= out")


class View:
    """Draw a graph at a level; everything is computed when first asked for, and once."""

    def __init__(self, graph: Graph, result: Result | None, request: Request) -> None:
        request.check()
        check_length(graph, MOST_DRAWN, "a diagram", "draw a part of it")
        if request.steps and result is None:
            raise UsageError(
                "steps show numbers", hint="give them with at=, or --at on the command line"
            )
        self.graph, self.result, self.request = graph, result, request
        theme = theme_named(request.theme)
        source = graph.source.strip()
        self.options = Options(
            theme, request.title, request.engine, source, request.remarks, request.align
        )
        self.digits = request.digits
        self.arrays = any(n.shape for n in graph.order())
        if request.view == "scalar" and self.arrays:
            raise UsageError(
                "the scalar view cannot show arrays", hint='use view="tensor" or "auto"'
            )

    @cached_property
    def drawing(self) -> Drawing:
        """Choose nodes and edges, for the level that is drawn."""
        if self.request.renderer == "graphviz":
            return self._gates
        return self._drawn.drawing

    @cached_property
    def _gates(self) -> Drawing:
        found = draw(self.graph, self.result, self.request.collapse)
        return frames.lettered(found) if self.request.steps else found

    @property
    def decimals(self) -> Decimals:
        """Choose the decimals of the figure."""
        return suited(self.drawing, self.digits)

    @property
    def chosen(self) -> str:
        """Name the level that is drawn."""
        return self._drawn.level

    @property
    def note(self) -> str:
        """Say why the level is not the finest one, or that it is hard to read."""
        return self._drawn.note

    @cached_property
    def scene(self) -> Scene:
        """Draw the scene, with its frames."""
        planned = frames.plan(self._gates) if self.request.steps else None
        scene, drawing = self._drawn.scene, self.drawing
        if planned is not None and self.result is not None:
            scene = frames.staged(scene, planned, self.decimals, self.result)
        if self.request.blank:
            if not drawing.numbers:
                raise UsageError("an exercise needs its key", hint="give numbers with at=")
            scene = frames.blanked(scene, self.request.blank, given(drawing))
        return scene

    @cached_property
    def _drawn(self) -> "_Drawn":
        """Draw at the level that is asked for, or at the finest that is legible on a slide."""
        request, fine = self.request, "tensor" if self.arrays else "scalar"
        if request.view != "auto":
            return self._at(request.view)
        if request.chosen:
            return self._at(fine)
        count, why = len(self._gates.nodes), "single gates would be too small to read on a slide"
        if count <= LEGIBLE:
            found = self._at(fine)
            if not found.note:
                return found
        else:
            why = f"{count} nodes are too many for single gates on a slide"
        said = f"; view={fine!r} draws them all"
        lines = [name for name, node in self.graph.names.items() if node.args]
        if not self.arrays and 1 < len(lines) <= LEGIBLE:
            found = self._at("lines")
            if not found.note:
                return replace(found, note=f"{why}: every line is one gate{said}")
        return replace(self._at("layers"), note=f"{why}: drawn as cards{said}")

    def _at(self, level: str) -> "_Drawn":
        """Draw at a level, and note if the numbers are too small for a slide."""
        drawing = draw(self.graph, self.result, "lines") if level == "lines" else self._gates
        least = ENTRY_FLOOR if level == "tensor" else FLOOR
        scene = self._composed(level, drawing, tight=False)
        symbols = self.request.symbols
        if level in ("layers", "neurons") or height(scene, level, symbols) >= least:
            return _Drawn(level, drawing, scene)
        # Gaps between the columns are the first to give way.
        scene = self._composed(level, drawing, tight=True)
        size = height(scene, level, symbols)
        note = (
            f"numbers are {size:.0f} px high on a slide of 1920 px; "
            "collapse= folds gates, view='layers' draws cards"
        )
        return _Drawn(level, drawing, scene, note if size < least else "")

    def _composed(self, level: str, drawing: Drawing, tight: bool) -> Scene:
        request = self.request
        if level == "layers":
            from symgrad.diagram import layers

            return layers.scene(
                self.graph,
                self.result,
                self.options,
                self.digits,
                fold=request.fold,
                expand=request.expand,
            )
        if level == "neurons":
            from symgrad.diagram import neurons

            return neurons.scene(
                self.graph, self.result, self.options, self.digits, sample=request.sample
            )
        title = "" if request.steps else self.options.title
        options = replace(self.options, title=title, tight=tight)
        numbers, legend, card = self._annotated(level, drawing)
        if request.symbols:
            from symgrad.diagram.symbolic import Symbols, symbol_card

            decimals = suited(drawing, self.digits)
            numbers = Symbols(
                self.graph, drawing, options.theme, request.symbols, numbers, decimals
            )
            legend, card = None, symbol_card
        return compose(drawing, numbers, options, legend, card)

    def _annotated(
        self, level: str, drawing: Drawing
    ) -> tuple[Annotator, Legend | None, CardMaker]:
        """Choose what shows the numbers: printed, or as matrices with a legend."""
        theme, decimals = self.options.theme, suited(drawing, self.digits)
        if level == "tensor":
            matrices = Matrices(decimals, theme, drawing)
            legend = partial(legend_block, matrices, drawing)
            return matrices, legend, matrices.card
        return Numbers(decimals, theme.marks, drawing.arrays()), None, node_card


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Hold what is drawn at a level."""

    level: str
    drawing: Drawing
    scene: Scene
    note: str = ""


def height(scene: Scene, level: str, symbols: str) -> float:
    """Give the height of numbers, in pixels, when the scene fills a slide."""
    scale = min(SLIDE[0] / scene.width, SLIDE[1] / scene.height)
    return (ENTRY if level == "tensor" else FORMULA if symbols else NUMBER) * scale


def suited(drawing: Drawing, digits: int) -> Decimals:
    """Choose the decimals of a figure."""
    return Decimals.suited(peaks(drawing.arrays()), digits)


def given(drawing: Drawing) -> Any:
    """Tell the groups whose numbers an exercise gives: the inputs' values."""
    leaves = {f"n{n.id}" for n in drawing.nodes if n.kind != "gate"}
    return lambda group, part: part == "value" and group in leaves


def known(what: str, name: str, names: tuple[str, ...]) -> None:
    """Raise UsageError for a name that is none of these."""
    if name not in names:
        raise UsageError(f"unknown {what} {name!r}", hint="known are: " + ", ".join(names))


def opened(graph: Graph, expand: tuple[str, ...], view: str) -> Graph:
    """Write operators by their definition; among cards, `expand` names layers instead."""
    check_length(graph, MOST_DRAWN, "a diagram", "draw a part of it")
    if not expand or view == "layers":
        return graph
    from symgrad.diagram.expanding import expanded

    return expanded(graph, expand)


def build(graph: Graph, result: Result | None = None, **request: Any) -> "Diagram":
    """Draw a graph, with the values and gradients of `result` on its edges.

    >>> import symgrad as sg
    >>> build(sg.parse("1/(1 + exp(-x))")).view
    'scalar'
    """
    from symgrad.diagram.figure import Diagram

    arithmetic = request.pop("arithmetic", None)
    return Diagram(View(graph, result, Request(**request)), arithmetic)

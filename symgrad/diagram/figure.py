"""`Diagram`: a drawn graph, saved in any format."""

import os
from collections.abc import Callable, Container, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from symgrad.arguments import checked
from symgrad.diagram.compose import Options
from symgrad.diagram.digits import Decimals
from symgrad.diagram.export import Format, known_format
from symgrad.diagram.from_graph import Drawing
from symgrad.diagram.scene import Scene
from symgrad.diagram.views import View
from symgrad.files import named, replace

PNG_WIDTH = 1920


class Diagram:
    """Hold a diagram, ready to be saved in any format; made by `symgrad.diagram`.

    `frames` counts its frames: one, unless it was made with steps or as an exercise.

    >>> import symgrad as sg
    >>> d = sg.diagram("(x + y)*z", at={"x": -2, "y": 5, "z": -4})
    >>> d.to_svg().startswith("<svg"), d.frames
    (True, 1)
    """

    def __init__(self, view: View, arithmetic: Callable[[Drawing], str] | None = None) -> None:
        self._view, self._arithmetic = view, arithmetic

    @property
    def renderer(self) -> str:
        """Say who draws: "scene" or "graphviz"."""
        return self._view.request.renderer

    @cached_property
    def arithmetic(self) -> str:
        """Give the program with which a page follows its sliders; empty if it cannot."""
        return self._arithmetic(self.drawing) if self._arithmetic else ""

    @property
    def options(self) -> Options:
        """Give the theme, the title and the engine."""
        return self._view.options

    @property
    def digits(self) -> int:
        """Give the least number of decimals."""
        return self._view.digits

    @cached_property
    def drawing(self) -> Drawing:
        """Give what is drawn, before it is laid out."""
        return self._view.drawing

    @property
    def decimals(self) -> Decimals:
        """Give how the numbers of this figure are printed."""
        return self._view.decimals

    @property
    def view(self) -> str:
        """Name the view that was chosen: scalar, lines, tensor, layers or neurons."""
        return self._view.chosen

    @property
    def note(self) -> str:
        """Say why the picture is coarser than gate by gate; nothing if it is not."""
        return "" if self.renderer == "graphviz" else self._view.note

    @cached_property
    def scene(self) -> Scene:
        """Lay out and draw the scene; done once, when first asked for."""
        if self.renderer == "graphviz":
            from symgrad.diagram.export import dot
            from symgrad.diagram.foreign import foreign_scene

            output, engine = dot.drawn(self, "json")
            return foreign_scene(output, self.options.theme, self.options.title, engine)
        return self._view.scene

    @property
    def frames(self) -> int:
        """Count the frames."""
        return self.scene.count

    def to_svg(self, frame: int | None = None) -> str:
        """Write SVG text of one frame, of the last if none is given."""
        checked(Diagram.to_svg, locals())
        from symgrad.diagram.export import dot, svg

        if self.renderer == "graphviz":
            return dot.drawn(self, "svg")[0].decode()
        return svg.render(self.scene.last() if frame is None else self.scene.at(frame))

    def to_png(self, width: int = PNG_WIDTH, frame: int | None = None) -> bytes:
        """Render a PNG of one frame, `width` pixels wide."""
        checked(Diagram.to_png, locals())
        from symgrad.diagram.export import png, svg

        scene = self.scene.last() if frame is None else self.scene.at(frame)
        return png.render(
            svg.render(scene), png.known_width(width), scene.theme.colour("background")
        )

    def to_pdf(self) -> bytes:
        """Write a PDF, a page for each frame."""
        from symgrad.diagram.export import pdf

        return pdf.render(self.scene)

    def to_graphviz(self) -> Any:
        """Return a `graphviz.Digraph`, every edge labelled with its value and contribution."""
        from symgrad.diagram.export import dot

        return dot.digraph(self)

    def to_dot(self) -> str:
        """Write DOT text."""
        return str(self.to_graphviz().source)

    def paths(self, path: str | os.PathLike[str]) -> tuple[Path, ...]:
        """List the files that `save` writes: one, or x-01.svg, x-02.svg, … for frames."""
        target = named(path)
        known = known_format(target.suffix.lower())
        if not known.file_per_frame or self.frames == 1:
            return (target,)
        digits = max(2, len(str(self.frames)))
        return tuple(
            target.with_name(f"{target.stem}-{k:0{digits}}{target.suffix}")
            for k in range(1, self.frames + 1)
        )

    def save(self, path: str | os.PathLike[str], **options: Any) -> Path:
        """Write a file in the format of its suffix; an old file is replaced in one step.

        `options` are those of the format: `template`, `mode` and `edges` of .pptx, `fragment` of
        .tex and .html, `seconds` of .gif and .webp, `width` of .png, .gif and .webp. Frames become
        pages, slides, overlays or, for .svg and .png, files x-01.svg, x-02.svg, …; the first is
        returned. Raises `UsageError` for an unknown suffix or option.
        """
        found: Format = known_format(named(path).suffix.lower())
        found.check(options)
        targets = self.paths(path)
        for k, target in enumerate(targets, 1):
            frame = {"frame": k} if len(targets) > 1 else {}
            replace(target, found.export(self, **options, **frame))
        return targets[0]

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> Mapping[str, object]:
        """Show a notebook the picture, as vectors and as pixels; frames as a page to step through.

        A notebook that is not trusted drops the page and keeps the finished picture.
        """
        makers: dict[str, Callable[[], object]] = {
            "image/svg+xml": self.to_svg,
            "image/png": self.to_png,
            "text/plain": self.__repr__,
        }
        if self.frames > 1:
            makers["text/html"] = self._framed
        return {
            kind: make()
            for kind, make in makers.items()
            if (include is None or kind in include) and (exclude is None or kind not in exclude)
        }

    def _framed(self) -> str:
        """Put the page into a frame of its own, so that it meets nothing of the notebook."""
        from symgrad.diagram.export import html, svg

        page = svg.escape(html.export(self).decode())
        ratio = self.scene.width / (self.scene.height + 90)
        style = f"width:100%;aspect-ratio:{ratio:.2f};border:0"
        return f'<iframe srcdoc="{page}" style="{style}"></iframe>'

    def __repr__(self) -> str:
        from symgrad.diagram.export import formats

        nodes, edges = len(self.drawing.nodes), len(self.drawing.edges)
        return f"<Diagram: {nodes} nodes, {edges} edges, saves as {' '.join(formats())}>"

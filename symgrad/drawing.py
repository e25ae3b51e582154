"""The command `symgrad draw`: its options, and the files that it writes."""

import argparse
import sys
from typing import Any

from symgrad.errors import UsageError
from symgrad.reading import read_program, read_values

# option of the command line -> formats that take it
OF_FORMAT = {
    "template": (".pptx",),
    "mode": (".pptx",),
    "edges": (".pptx",),
    "fragment": (".html", ".tex"),
    "seconds": (".gif", ".webp"),
    "width": (".png", ".gif", ".webp"),
}


def options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `draw`."""
    verb.add_argument(
        "-o", "--output", nargs="+", required=True, metavar="OUT",
        help="files; the suffix decides: .svg .png .pdf .pptx .tex .html .gif .webp .dot",
    )  # fmt: skip
    verb.add_argument("--steps", action="store_true",
                      help="a frame for each gate, forwards and backwards")  # fmt: skip
    verb.add_argument("--view", default="auto",
                      help="auto, scalar, tensor, layers (cards) or neurons")  # fmt: skip
    verb.add_argument("--collapse", nargs="+", default=(), metavar="NAME",
                      help="draw a line, or an operator written out, as one gate")  # fmt: skip
    verb.add_argument("--expand", nargs="+", default=(), metavar="NAME",
                      help="draw an operator by its definition, or open a layer")  # fmt: skip
    verb.add_argument("--symbols", nargs="?", const="symbols", default="",
                      choices=("symbols", "both"),
                      help="symbols on the edges, or symbols and numbers")  # fmt: skip
    verb.add_argument("--blank", nargs="?", const="gradients", default="",
                      choices=("values", "gradients", "both"),
                      help="an exercise: empty boxes, and the key behind it")  # fmt: skip
    verb.add_argument("--remarks", nargs="+", default=(), metavar="KIND",
                      help="point out: patterns, zeros, signs, or all")  # fmt: skip
    verb.add_argument("--align", default="compact", help="inputs: compact, or all on the left")
    verb.add_argument("--fold", nargs="+", default=["auto"], metavar="NAME",
                      help="layers that repeat: auto, none, or names to keep open")  # fmt: skip
    verb.add_argument("--sample", type=int, default=0, help="neurons: the row of the batch")
    verb.add_argument("--theme", default="light", help="light, dark, mono or colorblind")
    verb.add_argument("--renderer", default="scene", help="scene or graphviz")
    verb.add_argument("--title", default="", help="a line above the picture")
    verb.add_argument("--digits", type=int, default=2, help="decimals, at least")
    _format_options(verb)


def _format_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--template", metavar="DECK.pptx", help=".pptx: the deck to build on")
    verb.add_argument("--mode", choices=("shapes", "picture"),
                      help=".pptx: shapes to edit, or one picture a slide")  # fmt: skip
    verb.add_argument("--edges", choices=("curves", "connector"), help=".pptx: kind of edges")
    verb.add_argument("--fragment", action="store_true", default=None,
                      help=".html: a section for reveal.js; .tex: the frame alone")  # fmt: skip
    verb.add_argument("--seconds", type=float, help=".gif, .webp: how long a frame stays")
    verb.add_argument("--width", type=int, help=".png, .gif, .webp: pixels")


def run(arguments: argparse.Namespace) -> None:
    """Draw, and write every file that is asked for."""
    from symgrad import api

    drawn = api.diagram(
        read_program(arguments),
        at=read_values(arguments.at),
        wrt=arguments.wrt,
        steps=arguments.steps,
        view=arguments.view,
        collapse=arguments.collapse,
        expand=arguments.expand,
        theme=arguments.theme,
        renderer=arguments.renderer,
        title=arguments.title,
        digits=arguments.digits,
        blank=arguments.blank,
        symbols=arguments.symbols,
        remarks=arguments.remarks,
        align=arguments.align,
        fold=arguments.fold[0] if len(arguments.fold) == 1 else arguments.fold,
        sample=arguments.sample,
    )
    given = {name: getattr(arguments, name) for name in OF_FORMAT}
    given = {name: value for name, value in given.items() if value is not None}
    _used(arguments.output, given)
    for output in arguments.output:
        suffix = "." + str(output).rpartition(".")[2].lower()
        drawn.save(output, **{k: v for k, v in given.items() if suffix in OF_FORMAT[k]})
    if drawn.note:
        print(f"note: {drawn.note}", file=sys.stderr)


def _used(outputs: list[str], given: dict[str, Any]) -> None:
    """Refuse an option that no file which is asked for takes."""
    for name in given:
        if not any(str(o).lower().endswith(OF_FORMAT[name]) for o in outputs):
            raise UsageError(
                f"--{name} is about {' and '.join(OF_FORMAT[name])}",
                hint="no such file is among the outputs",
            )

"""The command `symgrad plot`: curves of functions, and losses around a point."""

import argparse
from typing import TYPE_CHECKING, Any

from symgrad.errors import UsageError
from symgrad.reading import read_program, read_source, read_values

if TYPE_CHECKING:
    from symgrad.plots import Picture

OF_LANDSCAPE = ("along", "directions", "direction", "towards", "span", "points", "seed", "kind")


def options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `plot`."""
    verb.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="operators of one variable, programs of one scalar input, or: margins, powers, "
        "exponentials; with --at, one program whose output is a loss",
    )
    verb.add_argument("-o", "--output", nargs="+", required=True, metavar="OUT",
                      help="files; the suffix decides: .svg .png .pdf")  # fmt: skip
    verb.add_argument("--range", nargs=2, type=float, metavar=("LOW", "HIGH"))
    verb.add_argument("--title", default="")
    loss = verb.add_argument_group("the loss around a point")
    loss.add_argument("--at", nargs="+", metavar="NAME=VALUE",
                      help="the point; one more leading axis than declared is samples")  # fmt: skip
    loss.add_argument("--functions", nargs="+", metavar="NAME=OPERATOR",
                      help="what abstract functions are")  # fmt: skip
    loss.add_argument("--along", nargs="+", metavar="NAME", help="what moves: all parameters")
    loss.add_argument("--directions", type=int, choices=(1, 2), help="a curve, or a surface")
    loss.add_argument("--direction", choices=("auto", "axes", "random", "gradient"))
    loss.add_argument("--towards", nargs="+", metavar="FILE.npz",
                      help="one or two other points, reached at 1")  # fmt: skip
    loss.add_argument("--span", type=float, help="how far to go, to both sides")
    loss.add_argument("--points", type=int, help="how many, along each direction")
    loss.add_argument("--seed", type=int, help="of the random directions")
    loss.add_argument("--kind", choices=("both", "contour", "surface"))


def run(arguments: argparse.Namespace) -> None:
    """Plot, and write every file that is asked for."""
    drawn = _landscape(arguments) if arguments.at else _curves(arguments)
    for output in arguments.output:
        drawn.save(output)


def _curves(arguments: argparse.Namespace) -> "Picture":
    from symgrad.plots import plot

    for name in (*OF_LANDSCAPE, "functions"):
        if getattr(arguments, name) is not None:
            raise UsageError(f"--{name} is about a loss around a point", hint="give it with --at")
    span = None if arguments.range is None else (arguments.range[0], arguments.range[1])
    return plot([read_source(source) for source in arguments.sources], span)


def _landscape(arguments: argparse.Namespace) -> "Picture":
    from symgrad.plots import landscape

    if len(arguments.sources) != 1:
        raise UsageError("a loss around a point is one program", hint="give one SOURCE with --at")
    if arguments.range is not None and arguments.span is not None:
        raise UsageError("--range and --span say the same thing", hint="give one of them")
    given: dict[str, Any] = {name: getattr(arguments, name) for name in OF_LANDSCAPE}
    if arguments.range is not None:
        given["span"] = tuple(arguments.range)
    if arguments.towards is not None:
        points = [read_values([file]) for file in arguments.towards]
        given["towards"] = points[0] if len(points) == 1 else points
    given = {name: value for name, value in given.items() if value is not None}
    arguments.source = arguments.sources[0]
    program = read_program(arguments)
    return landscape(program, read_values(arguments.at) or {}, title=arguments.title, **given)

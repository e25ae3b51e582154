"""The command line: `symgrad draw | derive | code | check | plot | ops | demo | doctor`.

Text goes to standard output, files by -o, progress to standard error. Exit codes: 0, 1 (the
input is wrong), 2 (the call is wrong).
"""

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgrad import __version__
from symgrad.errors import SymgradError, SymgradWarning, UsageError
from symgrad.reading import read_program, read_source, read_values

if TYPE_CHECKING:
    from symgrad.rewrite import Rewrite

FORMATS = ("unicode", "latex", "numpy", "markdown")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    # A warning is one line, not a Python source line.
    warnings.showwarning = lambda message, category, *rest, **kw: print(
        f"warning: {message}", file=sys.stderr
    )
    warnings.simplefilter("always", SymgradWarning)
    try:
        return int(arguments.run(arguments) or 0)
    except UsageError as error:
        print(f"UsageError: {error}", file=sys.stderr)
        return 2
    except SymgradError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        print(f"{type(error).__name__}: {error.strerror or error}: {error.filename or ''}",
              file=sys.stderr)  # fmt: skip
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="symgrad", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--version", action="version", version=f"symgrad {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    for name, (run, what, add) in VERBS.items():
        verb = verbs.add_parser(name, help=what, description=what)
        verb.set_defaults(run=run)
        add(verb)
    return parser


def _source(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "source", metavar="SOURCE", help="a program as text, a .sg file, or - for standard input"
    )
    verb.add_argument(
        "--wrt",
        nargs="+",
        metavar="NAME",
        help="with respect to what; the parameters, or all inputs, if left out",
    )
    verb.add_argument(
        "--functions",
        nargs="+",
        metavar="NAME=OPERATOR",
        help="what abstract functions are: an operator (phi=tanh), a formula (phi=a*sigmoid(a))",
    )


def _point(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--at",
        nargs="+",
        metavar="NAME=VALUE",
        help="numbers (x=-2), JSON lists (W=[[1,2],[3,4]]), a .npy file (W=w.npy), or an .npz file",
    )


def _draw_options(verb: argparse.ArgumentParser) -> None:
    _source(verb)
    _point(verb)
    verb.add_argument(
        "-o",
        "--output",
        nargs="+",
        required=True,
        metavar="OUT",
        help="files; the suffix decides: .svg .png .pdf .dot",
    )
    verb.add_argument("--theme", default="light", help="light, dark, mono or colorblind")
    verb.add_argument("--view", default="auto", help="auto, scalar or tensor")
    verb.add_argument("--renderer", default="scene", help="scene or graphviz")
    verb.add_argument("--title", default="", help="a line above the picture")


def _derive_options(verb: argparse.ArgumentParser) -> None:
    _source(verb)
    verb.add_argument("--steps", action="store_true", help="show every step")
    verb.add_argument("--detail", type=int, default=2, choices=(1, 2, 3), help="how fine")
    verb.add_argument("--form", default="matrix", choices=("matrix",))
    verb.add_argument("--to", default="unicode", choices=FORMATS)
    verb.add_argument("--trace", action="store_true", help="show what was recognised, by rule")


def _code_options(verb: argparse.ArgumentParser) -> None:
    _source(verb)
    verb.add_argument("--style", default="readable", choices=("readable",))
    verb.add_argument("--accurate", action="store_true", help="keep the digits in the tails too")
    verb.add_argument("--trace", action="store_true", help="show what was recognised, by rule")
    verb.add_argument("--dtype", choices=("float32", "float64"))
    verb.add_argument("--target", default="numpy", choices=("numpy",))
    verb.add_argument("-o", "--output", metavar="FILE")


def _check_options(verb: argparse.ArgumentParser) -> None:
    _source(verb)
    _point(verb)


def _plot_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="operators of one variable, programs of one scalar input, or: margins, powers",
    )
    verb.add_argument("-o", "--output", nargs="+", required=True, metavar="OUT",
                      help="files; the suffix decides: .svg .png .pdf")  # fmt: skip
    verb.add_argument("--range", nargs=2, type=float, metavar=("LOW", "HIGH"))


def _ops_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", nargs="?")
    verb.add_argument("--markdown", action="store_true", help="write the table of the docs")


def _demo_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--out", default="symgrad-demo", metavar="FOLDER")


# -- verbs -----------------------------------------------------------------------------------


def _draw(arguments: argparse.Namespace) -> None:
    from symgrad import api

    drawn = api.diagram(
        read_program(arguments),
        at=read_values(arguments.at),
        wrt=arguments.wrt,
        view=arguments.view,
        theme=arguments.theme,
        renderer=arguments.renderer,
        title=arguments.title,
    )
    for output in arguments.output:
        drawn.save(output)


def _derive(arguments: argparse.Namespace) -> None:
    from symgrad import api

    formulas = api.gradient(read_program(arguments), arguments.wrt)
    if not formulas:
        raise UsageError("there is nothing to differentiate with respect to",
                         hint="name it with --wrt")  # fmt: skip
    from symgrad.formula import report

    notes: dict[str, None] = {}
    for formula in formulas.values():
        notes.update(dict.fromkeys(formula.notes))
        if arguments.trace and formula.derivation:
            _trace(formula.derivation.trace)
        if arguments.steps:
            print(report.steps(formula, arguments.to, arguments.detail) + "\n")
    print(report.results(formulas.values(), arguments.to))
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def _trace(rewrites: "Sequence[Rewrite]") -> None:
    """Say which rule made what of what."""
    from symgrad.formula import plain

    for r in rewrites:
        place = f"  (line {r.line})" if r.line else ""
        before, after = plain.write(r.before, {}), plain.write(r.after, {})
        print(f"{r.rule}: {before} = {after}{place}", file=sys.stderr)


def _code(arguments: argparse.Namespace) -> None:
    from symgrad import api
    from symgrad.files import replace

    compiled = api.compile(
        read_program(arguments),
        arguments.wrt,
        arguments.dtype,
        arguments.style,
        arguments.accurate,
    )
    if arguments.trace:
        _trace(compiled.trace)
    for note in compiled.notes:
        print(f"note: {note}", file=sys.stderr)
    if arguments.output:
        replace(arguments.output, compiled.source)
    else:
        sys.stdout.write(compiled.source)


def _check(arguments: argparse.Namespace) -> int:
    from symgrad import api

    certificate = api.check(read_program(arguments), read_values(arguments.at), arguments.wrt)
    print(certificate)
    return 0 if certificate.ok else 1


def _plot(arguments: argparse.Namespace) -> None:
    from symgrad.plots import plot

    span = None if arguments.range is None else (arguments.range[0], arguments.range[1])
    drawn = plot([read_source(source) for source in arguments.sources], span)
    for output in arguments.output:
        drawn.save(output)


def _ops(arguments: argparse.Namespace) -> None:
    from symgrad import opdocs

    if arguments.markdown:
        sys.stdout.write(opdocs.table())
    elif arguments.name:
        print(opdocs.page(arguments.name))
    else:
        print(opdocs.listing())


def _demo(arguments: argparse.Namespace) -> None:
    from symgrad.demo import run

    run(Path(arguments.out))


def _doctor(arguments: argparse.Namespace) -> int:
    from symgrad.demo import doctor

    return doctor()


VERBS: dict[str, tuple[Callable[..., Any], str, Callable[[argparse.ArgumentParser], None]]] = {
    "draw": (_draw, "Draw the graph, with values and gradients at a point.", _draw_options),
    "derive": (_derive, "Derive the gradient in closed form.", _derive_options),
    "code": (_code, "Write a standalone NumPy module: value and gradients.", _code_options),
    "check": (_check, "Compare the gradients with differences of the value.", _check_options),
    "plot": (_plot, "Plot functions of one variable and their derivatives.", _plot_options),
    "ops": (_ops, "List the operators, or show one.", _ops_options),
    "demo": (_demo, "Draw, derive, generate and train, in a minute.", _demo_options),
    "doctor": (_doctor, "Say which parts of symgrad work here.", lambda verb: None),
}

if __name__ == "__main__":
    sys.exit(main())

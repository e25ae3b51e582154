"""The command line: `symgrad draw | derive | equal | code | check | plot | tune | ops | …`.

Text goes to standard output, files by -o, progress to standard error. Exit codes: 0, 1 (the
input is wrong), 2 (the call is wrong).
"""

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgrad import __version__, coding, drawing, plotting, training, tuning
from symgrad.errors import SymgradError, SymgradWarning, UsageError
from symgrad.reading import read_program, read_source, read_values, shielded

if TYPE_CHECKING:
    from symgrad.formula import Formula
    from symgrad.formula.equality import Equality
    from symgrad.graph import Graph

FORMATS = ("unicode", "latex", "numpy", "markdown", "html", "sympy")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = _parser()
    arguments = parser.parse_args(shielded(sys.argv[1:] if argv is None else argv))
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
    except UnicodeEncodeError as error:
        print(f"UsageError: the encoding {error.encoding} of the output lacks "
              f"{error.object[error.start]!a}; set PYTHONIOENCODING=utf-8, or ask for --to latex",
              file=sys.stderr)  # fmt: skip
        return 2
    except MemoryError:
        print("LimitError: the memory is used up; take smaller arrays", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
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
    drawing.options(verb)


def _derive_options(verb: argparse.ArgumentParser) -> None:
    _source(verb)
    verb.add_argument("--steps", action="store_true", help="show every step")
    verb.add_argument("--detail", type=int, default=2, choices=(1, 2, 3), help="how fine")
    verb.add_argument("--staged", action="store_true",
                      help="steps of the program as it is written, in its own names")  # fmt: skip
    verb.add_argument("--delta", action="store_true",
                      help="steps that call the gradients before activations δ")  # fmt: skip
    _point(verb)
    verb.add_argument("--notation", metavar="KEY=VALUE,…",
                      help="loss=E, layers=bracket or paren, vectors=row, layout=numerator, "
                           "and names to be shown: t=d")  # fmt: skip
    verb.add_argument("--form", default="matrix", choices=("matrix", "index"),
                      help="products of matrices, or entries with sums and cases")  # fmt: skip
    verb.add_argument("--jacobian", action="store_true", help="of an output that is an array")
    verb.add_argument("--hessian", action="store_true", help="the second derivatives")
    verb.add_argument("--to", default="unicode", choices=FORMATS)
    verb.add_argument("--trace", action="store_true", help="show what was recognised, by rule")
    verb.add_argument("--check-equal", metavar="EXPR", help="is EXPR the gradient? exit code 1: no")


def _equal_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("left", metavar="LEFT", help="a program as text, or a .sg file")
    verb.add_argument("right", metavar="RIGHT", help="another one, over the same inputs")
    verb.add_argument("--steps", action="store_true", help="derive one side from the other")
    verb.add_argument("--to", default="unicode", choices=("unicode", "latex", "markdown"))


def _code_options(verb: argparse.ArgumentParser) -> None:
    _source(verb)
    coding.options(verb)


def _check_options(verb: argparse.ArgumentParser) -> None:
    _source(verb)
    _point(verb)


def _ops_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("name", nargs="?")
    verb.add_argument("--markdown", action="store_true", help="write the table of the docs")


def _demo_options(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--out", default="symgrad-demo", metavar="FOLDER")


# -- verbs -----------------------------------------------------------------------------------


def _derive(arguments: argparse.Namespace) -> int:
    program = read_program(arguments)
    formulas = _derivatives(program, arguments)
    if not formulas:
        raise UsageError("there is nothing to differentiate with respect to",
                         hint="name it with --wrt")  # fmt: skip
    if arguments.check_equal is not None:
        if len(formulas) != 1:
            raise UsageError("--check-equal is about one gradient", hint="name it with --wrt")
        from symgrad.formula.equality import equal

        return _said(equal(next(iter(formulas.values())), arguments.check_equal))
    from symgrad.formula import report

    notes: dict[str, None] = {}
    for formula in formulas.values():
        notes.update(dict.fromkeys(formula.notes))
        if arguments.trace and formula.derivation:
            coding.trace(formula.derivation.trace)
    options = _steps_options(arguments)
    detail = arguments.detail if arguments.steps else 0
    print(report.document(formulas.values(), arguments.to, arguments.form, detail, **options))
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    return 0


def _said(found: "Equality", to: str = "unicode") -> int:
    print(found.printed(to))
    return 0 if found else 1


def _equal(arguments: argparse.Namespace) -> int:
    from symgrad.formula.equality import equal

    left, right = read_source(arguments.left), read_source(arguments.right)
    return _said(equal(left, right, steps=arguments.steps), arguments.to)


def _derivatives(program: "str | Graph", arguments: argparse.Namespace) -> "dict[Any, Formula]":
    """Derive what is asked for: gradients, Jacobians or Hessians."""
    from symgrad import api
    from symgrad.formula import hessians, jacobians
    from symgrad.parse.given import arrays_at

    if arguments.jacobian and arguments.hessian:
        raise UsageError("--jacobian and --hessian are two requests; give one of them")
    at = read_values(arguments.at)
    shapes = arrays_at(program, at) if at and isinstance(program, str) else None
    graph = api.parse(program, shapes)
    if arguments.jacobian:
        return dict(jacobians(graph, arguments.wrt))
    if arguments.hessian:
        return dict(hessians(graph, arguments.wrt))
    return dict(api.gradient(graph, arguments.wrt))


def _steps_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Collect what is said about steps and notation."""
    from symgrad.formula.notation import Notation

    asked = {"--at": arguments.at, "--delta": arguments.delta, "--staged": arguments.staged}
    for option, value in asked.items():
        if value and not arguments.steps:
            raise UsageError(f"{option} is about steps", hint="add --steps")
    found: dict[str, Any] = {"at": read_values(arguments.at), "delta": arguments.delta}
    if arguments.staged:
        found["staged"] = True
    if arguments.notation:
        found["notation"] = Notation.read(arguments.notation)
    return found


def _check(arguments: argparse.Namespace) -> int:
    from symgrad import api
    from symgrad.train.advice import advice

    program, at = read_program(arguments), read_values(arguments.at)
    certificate = api.check(program, at, arguments.wrt)
    print(certificate)
    for found in advice(api._at(program, at)):
        print(f"advice: {found}")
    return 0 if certificate.ok else 1


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
    "draw": (drawing.run, "Draw the graph, with values and gradients at a point.", _draw_options),
    "derive": (_derive, "Derive the gradient in closed form.", _derive_options),
    "equal": (_equal, "Say whether two expressions are equal, and derive it.", _equal_options),
    "code": (coding.run, "Write a standalone module: value and gradients.", _code_options),
    "check": (_check, "Compare the gradients with differences of the value.", _check_options),
    "plot": (plotting.run, "Plot functions of one variable, or a loss.", plotting.options),
    "ops": (_ops, "List the operators, or show one.", _ops_options),
    "train": (training.run, "Train the parameters of a model on data.", training.options),
    "tune": (tuning.run, "Measure this machine for the fast style.", tuning.options),
    "demo": (_demo, "Draw, derive, generate and train, in a minute.", _demo_options),
    "doctor": (_doctor, "Say which parts of symgrad work here.", lambda verb: None),
}

if __name__ == "__main__":
    sys.exit(main())

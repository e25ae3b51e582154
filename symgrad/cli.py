"""The command line: `symgrad draw | derive | code | check | ops | demo | doctor`.

Text goes to standard output, files by -o, progress to standard error. Exit codes: 0, 1 (the
input is wrong), 2 (the call is wrong).
"""

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from symgrad import __version__
from symgrad.errors import DataError, SymgradError, SymgradWarning, UsageError

FORMATS = ("unicode", "latex", "numpy", "markdown")
MAX_BYTES = 64 * 1024 * 1024


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
    parser = argparse.ArgumentParser(prog="symgrad", description=__doc__.split("\n")[0])
    parser.add_argument("--version", action="version", version=f"symgrad {__version__}")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, run: Any, what: str, *, source: bool = True) -> argparse.ArgumentParser:
        sub = verbs.add_parser(name, help=what, description=what)
        sub.set_defaults(run=run)
        if source:
            sub.add_argument("source", metavar="SOURCE",
                             help="a program as text, a .sg file, or - for standard input")  # fmt: skip
        return sub

    def at(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--at", nargs="+", default=None, metavar="NAME=VALUE",
                         help="numbers (x=-2), JSON lists (W=[[1,2],[3,4]]), or an .npz file")  # fmt: skip

    def wrt(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--wrt", nargs="+", default=None, metavar="NAME",
                         help="with respect to what; the parameters if left out")  # fmt: skip

    draw = verb("draw", _draw, "Draw the graph, with values and gradients at a point.")
    at(draw)
    wrt(draw)
    draw.add_argument("-o", "--output", nargs="+", required=True, metavar="OUT",
                      help="files; the suffix decides: .svg .png .pdf .dot")  # fmt: skip
    draw.add_argument("--theme", default="light", help="light, dark, mono or colorblind")
    draw.add_argument("--view", default="auto", help="auto, scalar or tensor")
    draw.add_argument("--renderer", default="scene", help="scene or graphviz")
    draw.add_argument("--title", default="")

    derive = verb("derive", _derive, "Derive the gradient in closed form.")
    wrt(derive)
    derive.add_argument("--steps", action="store_true", help="show every step")
    derive.add_argument("--detail", type=int, default=2, choices=(1, 2, 3))
    derive.add_argument("--form", default="matrix", choices=("matrix",))
    derive.add_argument("--to", default="unicode", choices=FORMATS)
    derive.add_argument("--trace", action="store_true", help="show what was recognised, by rule")

    code = verb("code", _code, "Write a standalone NumPy module: value and gradients.")
    wrt(code)
    code.add_argument("--style", default="readable", choices=("readable",))
    code.add_argument("--dtype", default=None, choices=("float32", "float64"))
    code.add_argument("--target", default="numpy", choices=("numpy",))
    code.add_argument("-o", "--output", metavar="FILE")

    check = verb("check", _check, "Compare the gradients with differences of the value.")
    at(check)
    wrt(check)

    ops = verb("ops", _ops, "List the operators, or show one.", source=False)
    ops.add_argument("name", nargs="?")
    ops.add_argument("--markdown", action="store_true", help="write the table of the docs")

    demo = verb("demo", _demo, "Draw, derive, generate and train, in a minute.", source=False)
    demo.add_argument("--out", default="symgrad-demo", metavar="FOLDER")
    verb("doctor", _doctor, "Say which parts of symgrad work here.", source=False)
    return parser


# -- reading ---------------------------------------------------------------------------------


def read_source(source: str) -> str:
    """Give the program that SOURCE means: a text, a .sg file, or standard input."""
    if source == "-":
        return sys.stdin.read(MAX_BYTES)
    if source.endswith(".sg") and "\n" not in source:
        path = Path(source)
        if not path.is_file():
            raise DataError(f"there is no file {source}")
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{source} is larger than {MAX_BYTES} bytes")
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"{source} is not UTF-8 text: {error.reason}") from None
    return source


def read_values(items: Sequence[str] | None) -> dict[str, Any] | None:
    """Read --at: NAME=NUMBER, NAME=[JSON list], NAME=FILE.npy, or an .npz file.

    >>> read_values(["x=-2", "W=[[1, 2], [3, 4]]"])
    {'x': -2.0, 'W': [[1, 2], [3, 4]]}
    """
    if items is None:
        return None
    found: dict[str, Any] = {}
    for item in items:
        name, equals, text = item.partition("=")
        if not equals and item.endswith(".npz"):
            found.update(_load(item))
        elif not equals:
            raise UsageError(f"--at takes NAME=VALUE, not {item[:80]!r}")
        else:
            found[name.strip()] = _value(name, text.strip())
    return found


def _value(name: str, text: str) -> Any:
    if text.endswith(".npy"):
        return _load(text)
    try:
        return float(text)
    except ValueError:
        pass
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, list):
        raise DataError(f"the value of '{name}' is neither a number nor a list: {text[:80]!r}")
    return value


def _load(path: str) -> Any:
    import numpy as np

    try:
        loaded = np.load(path, allow_pickle=False)
        return {k: loaded[k] for k in loaded.files} if path.endswith(".npz") else loaded
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None


# -- verbs -----------------------------------------------------------------------------------


def _draw(arguments: argparse.Namespace) -> None:
    from symgrad import api

    drawn = api.diagram(
        read_source(arguments.source),
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

    formulas = api.gradient(read_source(arguments.source), arguments.wrt)
    if not formulas:
        raise UsageError("there is nothing to differentiate with respect to",
                         hint="name it with --wrt")  # fmt: skip
    notes: dict[str, None] = {}
    for formula in formulas.values():
        print(_shown(formula, arguments))
        notes.update(dict.fromkeys(formula.notes))
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def _shown(formula: Any, arguments: argparse.Namespace) -> str:
    """Print one formula with its names, its steps and its trace as asked for."""
    from symgrad.formula import report

    parts = []
    if arguments.trace and formula.derivation:
        parts += [f"{r.rule}" + (f"  (line {r.line})" if r.line else "")
                  for r in formula.derivation.trace]  # fmt: skip
    if arguments.steps:
        parts.append(report.steps(formula, arguments.to, arguments.detail))
    parts.append(report.result(formula, arguments.to))
    return "\n".join(parts)


def _code(arguments: argparse.Namespace) -> None:
    from symgrad import api
    from symgrad.files import replace

    compiled = api.compile(
        read_source(arguments.source), arguments.wrt, arguments.dtype, arguments.style
    )
    if arguments.output:
        replace(arguments.output, compiled.source)
    else:
        sys.stdout.write(compiled.source)


def _check(arguments: argparse.Namespace) -> int:
    from symgrad import api

    certificate = api.check(
        read_source(arguments.source), read_values(arguments.at), arguments.wrt
    )
    print(certificate)
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


if __name__ == "__main__":
    sys.exit(main())

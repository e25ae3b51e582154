"""The command `symgrad code`: its options, and the module, table or report that it writes."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgrad.errors import UsageError
from symgrad.reading import read_numbers, read_program
from symgrad.train.settings import OPTIONS

if TYPE_CHECKING:
    from symgrad.codegen.compile import Compiled
    from symgrad.graph import Graph
    from symgrad.rewrite import Rewrite


# options of --train, which are fields of `symgrad.train.module.Recipe`
TRAINING = ("optimizer", "rate", "epochs", "batch", "seed", "schedule", "l1", "l2", "clip",
            "patience", "predict")  # fmt: skip
# options that say something about a module that does not train, with what they are if left out
OTHER = {"target": "numpy", "accurate": False, "threads": 1, "blas": "numpy", "trace": False,
         "explain": False, "summary": False, "wrt": None}  # fmt: skip


class Choices:
    """List what an option may be; what knows it is imported only when it is asked."""

    def __init__(self, known: Callable[[], Sequence[str]]) -> None:
        self.known = known

    def __iter__(self) -> Iterator[str]:
        return iter(self.known())

    def __contains__(self, name: object) -> bool:
        return name in self.known()


def styles() -> Sequence[str]:
    """List the styles of NumPy modules."""
    from symgrad.codegen.build import STYLES

    return STYLES


def targets() -> Sequence[str]:
    """List the libraries that modules are written for."""
    from symgrad.codegen import targets

    return targets.names()


def options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `code`."""
    verb.add_argument("--style", default="readable", metavar="STYLE", choices=Choices(styles),
                      help="%(choices)s (default: %(default)s)")  # fmt: skip
    verb.add_argument("--accurate", action="store_true", help="keep the digits in the tails too")
    verb.add_argument("--dtype", choices=("float32", "float64"))
    verb.add_argument("--threads", type=int, default=1, metavar="NUMBER",
                      help="--style fast: threads that share long arrays (default: 1)")  # fmt: skip
    verb.add_argument("--blas", default="numpy", choices=("numpy", "mkl"),
                      help="--style fast: what multiplies matrices (default: numpy)")  # fmt: skip
    verb.add_argument("--target", default="numpy", metavar="LIBRARY", choices=Choices(targets),
                      help="%(choices)s (default: %(default)s)")  # fmt: skip
    verb.add_argument("--trace", action="store_true", help="show what was recognised, by rule")
    verb.add_argument("--explain", action="store_true",
                      help="say what makes the fast style fast, where and how much")  # fmt: skip
    verb.add_argument("--summary", action="store_true",
                      help="a table of parameters, operations, arithmetic and memory")  # fmt: skip
    verb.add_argument("--sizes", nargs="+", metavar="NAME=NUMBER",
                      help="--summary, --explain: numbers of dimensions, N=128 D=784")  # fmt: skip
    verb.add_argument("-o", "--output", metavar="FILE", help="- is standard output")
    group = verb.add_argument_group("a module that reads data, trains the model and predicts")
    group.add_argument("--train", action="store_true", help="write such a module")
    group.add_argument("--set", nargs="+", metavar="NAME=NUMBER",
                       help="numbers of dimensions and settings: H=64 lam=1e-4")  # fmt: skip
    rows = {**OPTIONS, "batch": (int, "NUMBER", "rows of a step (default: 64)"),
            "patience": (int, "EPOCHS", "stop when held-out rows are predicted no better for so "
                         "long")}  # fmt: skip
    for name in TRAINING:
        kind, shown, what = rows[name]
        group.add_argument(f"--{name}", type=kind, metavar=shown, help=what)


def run(arguments: argparse.Namespace) -> None:
    """Write the module, or the report that is asked for in its place."""
    from symgrad import api
    from symgrad.files import named, replace
    from symgrad.rewrite import summary

    if arguments.output is not None:
        arguments.output = None if arguments.output == "-" else named(arguments.output)
    training = _training(arguments)
    sizes = _sizes(arguments)
    graph = api.parse(read_program(arguments))
    if arguments.train:
        return _train(graph, arguments, training)
    made = _Made(graph, arguments)
    if arguments.trace:
        trace(made.trace)
    for note in summary(made.trace):
        print(f"note: {note}", file=sys.stderr)
    reports = []
    if arguments.explain:
        from symgrad.codegen.fast.explain import explain

        reports.append(explain(graph, arguments.wrt, arguments.dtype, arguments.accurate,
                               sizes=sizes, threads=arguments.threads,
                               blas=arguments.blas))  # fmt: skip
    if arguments.summary:
        reports.append(str(made.compiled.summary(**sizes)))
    if arguments.output or not reports:
        if arguments.output:
            replace(arguments.output, made.text)
        else:
            sys.stdout.write(made.text)
    for k, report in enumerate(reports):
        print(("\n" if k else "") + report.rstrip("\n"))


class _Made:
    """Hold the module that is asked for; NumPy's is built for another target's reports only."""

    def __init__(self, graph: "Graph", arguments: argparse.Namespace) -> None:
        self.graph, self.arguments = graph, arguments
        if arguments.target == "numpy":
            self.trace = self.compiled.trace
            return
        from symgrad.codegen import targets

        for name in ("threads", "blas"):
            if getattr(arguments, name) != OTHER[name]:
                raise UsageError(f"--{name} is about NumPy's fast style",
                                 hint="leave it out, or leave --target out")  # fmt: skip
        self.written, self.trace = targets.written(
            graph, arguments.wrt, arguments.dtype, arguments.target, arguments.style,
            arguments.accurate)  # fmt: skip

    @cached_property
    def compiled(self) -> "Compiled":
        """Build NumPy's module."""
        from symgrad.codegen.build import build
        from symgrad.codegen.fast.costs import DEFAULTS

        a = self.arguments
        own = a.target == "numpy"
        # the same bytes on every machine: what `symgrad tune` measured is for functions, not files
        return build(self.graph, a.wrt, a.dtype, a.style if own else "readable", a.accurate,
                     costs=DEFAULTS, threads=a.threads, blas=a.blas)  # fmt: skip

    @property
    def text(self) -> str:
        """Give the module's text."""
        return self.compiled.source if self.arguments.target == "numpy" else self.written


def _train(graph: "Graph", arguments: argparse.Namespace, training: dict[str, Any]) -> None:
    """Write a module that trains the model."""
    from symgrad.files import replace
    from symgrad.train.flags import on_a_shell
    from symgrad.train.module import write

    notes: list[str] = []
    if arguments.output:
        training["file"] = Path(arguments.output).name
    with on_a_shell():
        text = write(graph, notes, style=arguments.style, dtype=arguments.dtype, **training)
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if arguments.output:
        replace(arguments.output, text)
    else:
        sys.stdout.write(text)


def _training(arguments: argparse.Namespace) -> dict[str, Any]:
    """Collect what --train is told; refuse options that have no meaning with or without it."""
    found = {k: getattr(arguments, k) for k in TRAINING if getattr(arguments, k) is not None}
    given = [*found, *(["set"] if arguments.set else [])]
    if given and not arguments.train:
        raise UsageError(f"--{given[0]} is about a module that trains", hint="add --train")
    for name, usual in OTHER.items():
        if arguments.train and getattr(arguments, name) != usual:
            raise UsageError(f"--{name} has no meaning for a module that trains",
                             hint="leave it out, or leave --train out")  # fmt: skip
    if arguments.set:
        found["given"] = read_numbers("--set", arguments.set)
    return found


def _sizes(arguments: argparse.Namespace) -> dict[str, int]:
    """Read --sizes: NAME=NUMBER."""
    if arguments.sizes and not (arguments.summary or arguments.explain):
        raise UsageError("--sizes is about reports", hint="add --summary or --explain")
    found: dict[str, int] = {}
    for name, size in read_numbers("--sizes", arguments.sizes).items():
        if not isinstance(size, int) or size < 0:
            raise UsageError(f"--sizes takes NAME=NUMBER, not '{name[:80]}={size}'",
                             hint="a size is a whole number from 0")  # fmt: skip
        found[name] = size
    return found


def trace(rewrites: "Sequence[Rewrite]") -> None:
    """Say on standard error which rule made what of what."""
    from symgrad.formula import plain

    for r in rewrites:
        place = f"  (line {r.line})" if r.line else ""
        before, after = plain.write(r.before, {}), plain.write(r.after, {})
        print(f"{r.rule}: {before} = {after}{place}", file=sys.stderr)

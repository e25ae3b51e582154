"""The command `symgrad train`: its options, and what it says when a run has ended."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symgrad.errors import DataError, UsageError
from symgrad.reading import read_numbers, read_program
from symgrad.train.settings import OPTIONS

if TYPE_CHECKING:
    from symgrad.train.estimator import Estimator

VALIDATION, TEST = 0.1, 0.2  # shares of the rows that are held out, unless others are given
INTERRUPTED = 130  # the exit code of what SIGINT ends
HELD_OUT = {"validation": VALIDATION, "test": TEST}


def options(verb: argparse.ArgumentParser) -> None:
    """Add the options of `train`."""
    verb.add_argument("source", metavar="SOURCE",
                      help="a program whose last line is the loss, a .sg file, or -")  # fmt: skip
    verb.add_argument("--functions", nargs="+", metavar="NAME=OPERATOR",
                      help="what abstract functions are")  # fmt: skip
    verb.add_argument("--data", required=True, metavar="FILE|NAME",
                      help=".npz, .csv, .npy files in a folder, or digits, iris, wine, "
                           "breast_cancer, diabetes, xor, circle, spirals, …")  # fmt: skip
    verb.add_argument("--out", default="run", metavar="DIR",
                      help="for checkpoint, log, metrics and report (default: run)")  # fmt: skip
    for name, (kind, shown, what) in OPTIONS.items():
        usual = HELD_OUT.get(name)
        what += "" if usual is None else f" (default: {usual})"
        verb.add_argument(f"--{name}", type=kind, metavar=shown, help=what)
    verb.add_argument("--batch", metavar="NUMBER|all", help="rows of a step (default: 64)")
    verb.add_argument("--dtype", choices=("float32", "float64"))
    verb.add_argument("--statistics", choices=("moving", "whole"),
                      help="of batch normalisation, in use (default: moving)")  # fmt: skip
    verb.add_argument("--set", nargs="+", metavar="NAME=NUMBER",
                      help="what the data do not give: H=64 lam=1e-4")  # fmt: skip
    verb.add_argument("--raw", action="store_true", help="do not standardise the features")
    verb.add_argument("--standardise", action="store_true",
                      help="standardise the features of any data (default: of tables)")  # fmt: skip
    verb.add_argument("--standardise-target", action="store_true", help="so too the target")
    verb.add_argument("--drop", nargs="+", metavar="COLUMN", help="columns of a table to leave out")
    verb.add_argument(
        "--missing", choices=("error", "mean"), help="what becomes of missing numbers"
    )
    verb.add_argument("--resume", action="store_true", help="go on where a run was stopped")
    verb.add_argument("--no-shuffle", action="store_true", help="keep the order of the rows")
    verb.add_argument("--report", metavar="FILE", help="the report (default: report.html in DIR)")
    verb.add_argument("--no-report", action="store_true", help="write no report")


def run(arguments: argparse.Namespace) -> int:
    """Train, and say what came out."""
    from symgrad import api
    from symgrad.train.checkpoint import latest
    from symgrad.train.flags import on_a_shell
    from symgrad.train.progress import heard

    program = read_program(arguments)
    out = Path(arguments.out)
    _places(arguments)
    try:
        with heard(), on_a_shell():
            made = api.train(program, arguments.data, out=out, resume=arguments.resume,
                             watch=not arguments.no_report, **settings(arguments))  # fmt: skip
    except KeyboardInterrupt:
        kept = f"; what was learned so far is in {out}, --resume goes on from there"
        print("interrupted" + (kept if latest(out) else " before anything was learned"),
              file=sys.stderr)  # fmt: skip
        return INTERRUPTED
    written = [out / name for name in ("checkpoint.npz", "metrics.json", "log.jsonl")]
    _said(made)
    if not arguments.no_report:
        written += _reported(made, arguments)
    print("\n".join(f"{path.stem:<11} {path}" for path in written))
    return 0


def _places(arguments: argparse.Namespace) -> None:
    """Refuse places for files that cannot be, before a long training."""
    out = Path(arguments.out)
    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file; a run needs a folder", hint="name another with --out")
    if arguments.report:
        folder = Path(arguments.report).parent
        if not folder.is_dir() and folder != out:
            raise DataError(f"there is no folder {folder} for the report")


def _said(made: "Estimator") -> None:
    """Print what was noted, advice from the graph, and how good the model is."""
    from symgrad.train.advice import advice
    from symgrad.train.flags import flags

    network = made.network_
    for note in made.notes_:
        print(f"note: {flags(note)}", file=sys.stderr)
    for item in advice(network.graph, network.roles, made.settings().initial):
        print(f"advice: {item}", file=sys.stderr)
    print(summary(made.metrics_, network.roles.task))


def _reported(made: "Estimator", arguments: argparse.Namespace) -> list[Path]:
    """Print the findings and write the report; give the files, none without plots."""
    from symgrad import reporting
    from symgrad.train.flags import flags

    for finding in reporting.findings(made):
        print(f"{finding}\n  {flags(finding.hint)}")
    title = f"Training {Path(arguments.source).stem}" if _file(arguments.source) else ""
    try:
        return [reporting.report(made, arguments.report or Path(arguments.out) / "report.html",
                                 title)]  # fmt: skip
    except UsageError as error:  # without plots: only who asked for them has to have them
        if arguments.report:
            raise
        print(f"note: no report: {error}", file=sys.stderr)
        return []


def _file(source: str) -> bool:
    return source.endswith(".sg") and "\n" not in source


def settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Collect the settings that were given."""
    found: dict[str, Any] = dict(HELD_OUT)
    for name in (*OPTIONS, "dtype", "statistics", "drop", "missing"):
        value = getattr(arguments, name)
        if value is not None:
            found[name] = value
    if arguments.batch is not None:
        found["batch"] = None if arguments.batch == "all" else _whole(arguments.batch)
    if arguments.set:
        found["values"] = read_numbers("--set", arguments.set)
    if arguments.no_shuffle:
        found["shuffle"] = False
    if arguments.raw and arguments.standardise:
        raise UsageError("--raw and --standardise exclude each other")
    if arguments.raw or arguments.standardise:
        found["standardise"] = arguments.standardise
    if arguments.standardise_target:
        found["standardise_target"] = True
    return found


def _whole(text: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"--batch takes a number of rows, or all, not {text[:80]!r}")
    return int(text)


def summary(metrics: Mapping[str, Any], task: str) -> str:
    """Say in a few lines how good the model is on each part of the data.

    >>> print(summary({"epochs": 5, "steps": 10, "test_rows": 4, "test_loss": 0.5,
    ...                "test_accuracy": 0.75}, "labels"))
    5 epochs, 10 steps
    test        loss 0.5       accuracy 75.0 %  (4 rows)
    """
    lines = [f"{metrics['epochs']} epochs, {metrics['steps']} steps"]
    for part in ("train", "validation", "test"):
        if f"{part}_rows" not in metrics:
            continue
        loss = f"loss {metrics[f'{part}_loss']:.4g}"
        good = ""
        if f"{part}_accuracy" in metrics:
            good = f"accuracy {metrics[f'{part}_accuracy']:.1%}".replace("%", " %")
        elif f"{part}_r2" in metrics:
            good = f"R² {metrics[f'{part}_r2']:.4f}"
        rows = metrics[f"{part}_rows"]
        lines.append(f"{part:<11} {loss:<14} {good:<16} ({rows} rows)".replace("  (", "  ("))
    return "\n".join(lines)

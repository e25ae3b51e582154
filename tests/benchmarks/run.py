"""Measure generated gradients against NumPy by hand and against other libraries.

    python tests/benchmarks/run.py [--quick] [--more] [--json FILE] [--write-docs]
    python tests/benchmarks/run.py --dtype float32 --workloads tiny svm --peers jax --styles fast
    python tests/benchmarks/run.py --growth | --operations | --diagrams
    python tests/benchmarks/run.py --training [--write-docs] | --memory-mapped | --products

Run times come from one process on one thread and one core, in turns; what happens once is measured
in processes of its own. The peers come with the extra `bench`.
"""

import argparse
import dataclasses
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

for variable in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM"):
    os.environ[f"{variable}_NUM_THREADS"] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false " + os.environ.get("XLA_FLAGS", "")
# Caches of compiled code would make the second run's first gradient a look-up.
CACHE = tempfile.TemporaryDirectory(prefix="symgrad-benchmark-")
os.environ["PYTENSOR_FLAGS"] = f"base_compiledir={CACHE.name}"
os.environ["TORCHINDUCTOR_CACHE_DIR"] = f"{CACHE.name}/inductor"
os.environ["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
if hasattr(os, "sched_setaffinity"):  # Linux: one core for all, also for libraries with own threads
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
sys.path.insert(0, str(Path(__file__).parents[2]))  # the checkout, in an environment without it

import bars  # noqa: E402
import cold  # noqa: E402
import contest  # noqa: E402
import counting  # noqa: E402
import diagrams  # noqa: E402
import mapped  # noqa: E402
import numpy as np  # noqa: E402
import products  # noqa: E402
import tables  # noqa: E402
import training  # noqa: E402
from peers import PEERS  # noqa: E402
from workloads import MORE, NAMED, WORKLOADS  # noqa: E402

from symgrad.codegen.fast import wide  # noqa: E402

DOCS = Path(__file__).parents[2] / "docs" / "performance.md"


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("--dtype", choices=[*contest.TOLERANCE, "both"], default="both")
    add("--workloads", nargs="+", choices=list(NAMED), metavar="NAME", help="only these")
    add("--more", action="store_true", help="also the workloads that are kept apart")
    add("--peers", nargs="*", choices=list(PEERS), default=list(PEERS), metavar="NAME")
    add("--styles", nargs="+", choices=list(contest.STYLES), default=list(contest.STYLES))
    add("--rounds", type=int, help="9, or 3 with --quick")
    add("--quick", action="store_true", help="fewer and shorter rounds, growth up to 10^4")
    add("--growth", action="store_true", help="only the growth series and cold starts")
    add("--operations", action="store_true", help="only count operations, of every program")
    add("--diagrams", action="store_true", help="time diagrams instead")
    add("--training", action="store_true", help="time epochs of training instead")
    add("--products", action="store_true", help="time products in blocks instead")
    add("--memory-mapped", action="store_true", help="train on 2 GB instead, show the memory")
    add("--json", type=Path, metavar="FILE", help="write what was measured there too")
    add("--read", type=Path, metavar="FILE", help="take the run times from such a file")
    add("--write-docs", action="store_true", help="write the tables into docs/performance.md")
    return parser.parse_args()


def machine() -> str:
    """Describe where this runs."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text(encoding="utf-8").splitlines()
        model = next((s.split(": ", 1)[1] for s in lines if s.startswith("model name")), model)
    blas = wide.library()
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()},"
        f" NumPy {np.__version__}{f', OpenBLAS for {blas.core}' if blas.core else ''}"
    )


def measure(asked: argparse.Namespace, styles: list[str]) -> dict[str, bars.Table]:
    """Run the contest for every dtype; print a line per workload as it is done."""
    names = asked.workloads or [work.name for work in (*WORKLOADS, *(MORE if asked.more else ()))]
    dtypes = list(contest.TOLERANCE) if asked.dtype == "both" else [asked.dtype]
    effort = contest.Effort(3, 0.005, 1) if asked.quick else contest.Effort()
    if asked.rounds:
        effort = dataclasses.replace(effort, rounds=asked.rounds)
    found: dict[str, bars.Table] = {}
    for dtype in dtypes:
        peers = contest.load_peers(asked.peers, dtype)
        if dtype == dtypes[0]:
            print(", ".join(f"{k} {v}" for k, v in contest.versions(peers).items()) or "no peers")
        found[dtype] = {}
        for name in names:
            row = contest.contest(NAMED[name], styles, peers, dtype, effort)
            found[dtype][name] = row
            pairs = ((who, bars.ratio(row, who, "hand")) for who in row if who != "hand")
            said = "  ".join(f"{who} {tables.number(r)}" for who, r in pairs if r)
            base = row["hand"]["seconds"] * 1e6
            print(f"{dtype} {name}: hand {base:.3g} µs; over it: {said}", flush=True)
            save(asked.json, {"machine": machine(), "contest": found})
    return found


def save(path: Path | None, record: dict[str, Any]) -> None:
    """Write what is known so far, so that an interrupted run is not lost."""
    if path:
        path.write_text(json.dumps(record, indent=1), encoding="utf-8")


def report(
    found: dict[str, bars.Table], counts: list[Any], skipped: list[str]
) -> tuple[list[str], list[bars.Verdict]]:
    """Write the tables of the contest and of the operations."""
    lines: list[str] = []
    verdicts: list[bars.Verdict] = []
    named = {count.name: count for count in counts}
    for dtype, table in found.items():
        lines += [*tables.ratios(table, dtype), "", *tables.firsts(table, named, dtype), ""]
        verdicts += [*bars.of_times(table, dtype), *bars.of_firsts(table, dtype)]
        lines += [line for line in [*tables.problems(table, dtype), ""] if line]
    verdicts += bars.of_operations(counts)
    lines += [*tables.operations(counts, all_of_them=not found), ""]
    if skipped:
        lines += [f"not compiled: {', '.join(skipped)}", ""]
    return lines, verdicts


def grown(style: str, quick: bool) -> tuple[dict[str, Any], list[str], list[bars.Verdict]]:
    """Measure and write the growth series and the cold starts."""
    sizes, lines, verdicts = cold.SIZES[:-1] if quick else cold.SIZES, [], []
    series = {name: cold.growth(style, sizes, name) for name in cold.SERIES}
    for name, found in series.items():
        lines += [*tables.growth(found, f"{style}: {cold.SERIES[name]}"), ""]
        verdicts += bars.of_growth(found, name)
    starts = cold.starts()
    return {"growth": series, "starts": starts}, lines, [*verdicts, *bars.of_starts(starts)]


def command(asked: argparse.Namespace) -> str:
    """Spell the call as anybody can repeat it: without names of files."""
    files = [str(path) for path in (asked.json, asked.read) if path]
    words = [w for w in sys.argv[1:] if w not in ("--json", "--read", "--write-docs", *files)]
    kernels = os.environ.get("OPENBLAS_CORETYPE")  # which NumPy's OpenBLAS is told to take
    asked = [f"OPENBLAS_CORETYPE={kernels}"] if kernels else []
    return " ".join([*asked, "python tests/benchmarks/run.py", *words])


def write_docs(lines: list[str], call: str, begin: str = tables.BEGIN) -> None:
    """Put the tables between the marks of docs/performance.md."""
    shown = [f"`{call}` on {machine()}:", "", *lines]
    fresh = tables.renewed(DOCS.read_text(encoding="utf-8"), "\n".join(shown), begin)
    DOCS.write_text(fresh, encoding="utf-8", newline="\n")


def trained(asked: argparse.Namespace) -> None:
    """Time epochs of training; print the table, and write it where that is asked for."""
    print(machine())
    lines, found = training.report(asked.rounds or (3 if asked.quick else 9), asked.quick)
    lines.insert(0, ", ".join(training.versions()) + ":\n")
    print("\n" + "\n".join(lines))
    save(asked.json, {"machine": machine(), "training": found})
    if asked.write_docs:
        write_docs(lines, command(asked), tables.BEGIN_TRAINING)


def main() -> int:
    """Run what the command line asks for; 1 if a style of symgrad failed or was wrong."""
    asked = options()
    if asked.memory_mapped:
        print("\n".join(mapped.report()))
        return 0
    if asked.products:
        print("\n".join([machine(), "", *products.report()]))
        return 0
    if asked.training:
        trained(asked)
        return 0
    if asked.diagrams:
        diagrams.report(asked.rounds or 9)
        return 0
    print(machine())
    styles = contest.available(asked.styles)
    alone = asked.growth or asked.operations
    if asked.read:
        found = json.loads(asked.read.read_text(encoding="utf-8"))["contest"]
    else:
        found = {} if alone else measure(asked, styles)
    lines: list[str] = []
    verdicts: list[bars.Verdict] = []
    record: dict[str, Any] = {"machine": machine(), "contest": found}
    if not asked.growth:
        counts, skipped = counting.catalogue(asked.workloads)
        lines, verdicts = report(found, counts, skipped)
        record["operations"] = {c.name: [c.loss, c.both] for c in counts}
    if asked.growth or not (alone or asked.workloads):
        style = "fast" if "fast" in styles else styles[0]
        measured, more, judged = grown(style, asked.quick)
        record |= measured
        lines, verdicts = lines + more, verdicts + judged
    lines += tables.verdicts(verdicts)
    print("\n" + "\n".join(lines))
    save(asked.json, record)
    if asked.write_docs:
        write_docs(lines, command(asked))
    cells = [row.get(s, {}) for t in found.values() for row in t.values() for s in styles]
    return int(any("problem" in cell for cell in cells))


if __name__ == "__main__":
    sys.exit(main())

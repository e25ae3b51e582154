"""Random programs against every other way to their numbers; hostile texts against the parser.

    python tests/fuzz.py --n 50000 --jobs 2 --against torch
    python tests/fuzz.py --parser --minutes 5

Runs outside pytest. A failure is made small and printed with its seed, its text and its numbers;
the exit code is then 1. The first failure of each sort is shown, the others are counted.
"""

import argparse
import collections
import multiprocessing
import os
import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(_name, "1")
    os.environ["SYMGRAD_COSTS"] = "defaults"  # not what `symgrad tune` has measured here
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.programs import place, program
from tests.programs.checks import check, special
from tests.programs.program import Program
from tests.programs.shrink import shrunk, signature

CHUNK = 50
Finding = tuple[int, str, str, str]  # seed, signature, message, reproduction


def library(name: str) -> Any:
    """Give the library to compare with."""
    if name == "torch":
        from tests.programs.torch_peer import Torch

        return Torch()
    if name == "jax":
        from tests.programs.jax_peer import Jax

        return Jax()
    return None


def attempt(p: Program, other: Any, odd: bool) -> str:
    """Check a program; give the reason why nothing can be said of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return special(p) if odd else check(p, other)


def reproduction(p: Program, odd: bool) -> str:
    """Write what shows a failure again."""
    import numpy as np

    import symgrad as sg

    try:
        names = [n.attrs["name"] for n in sg.parse(p.text).inputs]
    except Exception:
        names = []
    with np.printoptions(threshold=10**6, floatmode="unique", linewidth=10**6):
        at = {n: v for n, v in place(p, special=odd).items() if n in names}
        shown = ", ".join(f"{n!r}: {_shown(v)}" for n, v in at.items())
    return f'text = """{p.text}"""\nat = {{{shown}}}'


def _shown(value: Any) -> str:
    return f"np.array({value.tolist()})" if getattr(value, "ndim", 0) else repr(float(value))


def stretch(job: tuple[int, int, str, bool]) -> tuple[collections.Counter[str], list[Finding]]:
    """Try the seeds of a stretch."""
    first, last, against, odd = job
    other = OTHERS.setdefault(against, library(against))
    reasons: collections.Counter[str] = collections.Counter()
    found: list[Finding] = []
    for seed in range(first, last):
        p = program(seed)
        try:
            reasons[attempt(p, other, odd)] += 1
        except Exception as error:
            what = signature(error)
            message = f"{type(error).__name__}: {error}"
            if what not in SHOWN:
                SHOWN.add(what)
                p = shrunk(p, lambda q: failure(q, other, odd))
            found.append((seed, what, message, reproduction(p, odd)))
    return reasons, found


OTHERS: dict[str, Any] = {}
SHOWN: set[str] = set()


def failure(p: Program, other: Any, odd: bool) -> str:
    """Give the signature of a failure, "" where there is none."""
    try:
        attempt(p, other, odd)
    except SyntaxError:
        return ""
    except Exception as error:
        return signature(error)
    return ""


def programs(o: argparse.Namespace) -> int:
    """Try random programs; report."""
    start, seed = time.monotonic(), o.seed
    jobs = [(k, min(k + CHUNK, seed + o.n), o.against, o.special)
            for k in range(seed, seed + o.n, CHUNK)]  # fmt: skip
    reasons: collections.Counter[str] = collections.Counter()
    found: dict[str, list[Finding]] = {}
    done = 0
    pool = multiprocessing.get_context("spawn").Pool(o.jobs) if o.jobs > 1 else None
    for some, failures in pool.imap_unordered(stretch, jobs) if pool else map(stretch, jobs):
        reasons.update(some)
        done += sum(some.values()) + len(failures)
        for finding in failures:
            if finding[1] not in found:
                report(finding, o.out)
            found.setdefault(finding[1], []).append(finding)
        if o.time and time.monotonic() - start > 60 * o.time:
            break
        if sys.stderr.isatty() or o.verbose:
            print(f"{done} programs, {sum(map(len, found.values()))} failures, "
                  f"{time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)  # fmt: skip
    if pool:
        pool.terminate()
    failures_ = sum(map(len, found.values()))
    print(f"{done} programs from seed {seed}, {failures_} failures of {len(found)} sorts, "
          f"{time.monotonic() - start:.0f} s")  # fmt: skip
    for reason, count in reasons.most_common():
        print(f"{count:7} {reason or 'agree'}")
    for what, several in found.items():
        seeds = ", ".join(str(f[0]) for f in several[:8])
        print(f"{len(several):7} FAILED {what}: seeds {seeds}")
    return 1 if found else 0


def report(finding: Finding, out: str) -> None:
    """Print a failure, and keep it as a file."""
    seed, what, message, text = finding
    shown = f"# seed {seed}: {what}\n# {message[:400]}\n{text}\n".replace("\n# \n", "\n")
    print(f"\n{shown}", flush=True)
    if out:
        folder = Path(out)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{seed}.txt").write_text(shown, encoding="utf-8")


def options() -> argparse.ArgumentParser:
    """Say what can be asked for."""
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("--n", type=int, default=1000, help="how many programs")
    p.add_argument("--seed", type=int, default=0, help="the number of the first one")
    p.add_argument("--jobs", type=int, default=1, help="processes")
    p.add_argument("--against", choices=("none", "torch", "jax"), default="none")
    p.add_argument("--special", action="store_true", help="at points where arithmetic breaks")
    p.add_argument("--time", type=float, default=0, metavar="MIN", help="stop after so long")
    p.add_argument("--parser", action="store_true", help="hostile texts for the parser instead")
    p.add_argument("--minutes", type=float, default=5, help="how long, with --parser")
    p.add_argument("--out", default="", metavar="DIR", help="keep findings as files there")
    p.add_argument("--show", action="store_true", help="print the program of --seed, run nothing")
    p.add_argument("--verbose", action="store_true", help="say how far it is")
    return p


def main() -> int:
    """Run."""
    o = options().parse_args()
    if o.show:
        p = program(o.seed)
        print(p.text, replace(p, text="").sizes, sep="\n")
        return 0
    if o.parser:
        from tests.programs.texts import hunt

        return hunt(o.minutes, o.seed, o.out)
    return programs(o)


if __name__ == "__main__":
    sys.exit(main())

"""Mutation testing: put small faults into a module one at a time, and see whether a test notices.

    python tests/mutation.py                        # all modules that have a bar, all mutants
    python tests/mutation.py shapes dims --sample 150 --seed 1
    python tests/mutation.py autodiff/sweep --jobs 2        # any module of the package

Tests are collected once. Each mutant lives in a forked process, in memory only: the code of the
changed function is put in the place of the right one, and the tests that run its lines are run, the
quickest first, until one fails. Survivors are printed. Mutants that no test can tell from the right
program are listed in tests/mutants/equivalent.txt, each with the reason; they are not counted.
"""

import argparse
import ast
import gc
import importlib
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

if __name__ == "__main__":
    for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(_name, "1")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import coverage
import hypothesis
import pytest

from tests.mutants.changes import Mutant, mutants
from tests.mutants.installing import install, memories
from tests.mutants.modules import BARRED, tests_of
from tests.mutants.modules import known as exists

HERE = Path(__file__).resolve().parent

EQUIVALENT = HERE / "mutants" / "equivalent.txt"
SLOWEST = 4.0  # seconds: longer tests are left out
QUICK = 0.1  # seconds
MEMORY = 6 << 30
ROW = "= "  # before a row of the table
ALIVE, KILLED, BROKEN = 0, 1, 2


def listed(file: Path, module: str) -> set[str]:
    """Read the mutants of a module from a file of lines: module, mutant, reason or line number."""
    head = module + " "
    lines = file.read_text("utf-8").splitlines()
    return {re.split("  # |  @", x[len(head) :])[0].strip() for x in lines if x.startswith(head)}


class Runner:
    """Take the place of pytest's loop over tests."""

    def __init__(self, module: str, given: argparse.Namespace) -> None:
        self.name, self.given = module, given
        self.module = importlib.import_module("symgrad." + module.replace("/", "."))
        self.failed = False
        self.noticed: int | None = None  # where a mutant's process says which test failed
        self.kills: dict[str, dict[int, int]] = {}
        self.survivors: list[str] = []
        self.counts = {"mutants": 0, "killed": 0, "equivalent": 0}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        self.failed = self.failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """End a mutant's process at the first failure, before anything is written about it."""
        found = call.excinfo
        if self.noticed is None or found is None or item.get_closest_marker("xfail"):
            return
        if not found.errisinstance(pytest.skip.Exception):
            os.write(self.noticed, str(self.items.index(item)).encode())
            os._exit(KILLED)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Measure the tests, then run them on every mutant."""
        self.items = session.items
        start = time.monotonic()
        self.lines, self.seconds = self._measured()
        shown = f"{len(self.seconds)} tests, {time.monotonic() - start:.0f} s"
        print(f"{self.name}: {shown}", flush=True)
        tree = ast.parse(Path(str(self.module.__file__)).read_text("utf-8"))
        given = self.given
        found = [m for m in mutants(tree) if given.match in str(m)]
        self.same = listed(EQUIVALENT, self.name)
        for gone in sorted(self.same - set(map(str, found))):
            if not given.match:
                print(f"{self.name}: equivalent.txt lists what is no mutant: {gone}", flush=True)
        if given.again:
            kept = listed(given.again, self.name)
            found = [m for m in found if str(m) in kept]
        if given.sample and len(found) > given.sample:
            found = random.Random(given.seed).sample(found, given.sample)
        for memory in memories():  # of what imports have computed; no test runs in this process
            memory.cache_clear()
        gc.freeze()
        self._verify(tree)
        for mutant in found:
            self._count(mutant, tree)
        return True

    def _count(self, mutant: Mutant, tree: ast.Module) -> None:
        self.counts["mutants"] += 1
        if str(mutant) in self.same:
            self.counts["equivalent"] += 1
        elif self._dies(mutant, tree):
            self.counts["killed"] += 1
        else:
            self.survivors.append(str(mutant))
            print(f"{self.name} {mutant}  @{min(mutant.lines)}", flush=True)

    def _protocol(self, chosen: list[int]) -> Iterator[tuple[int, float]]:
        """Run tests one after the other."""
        for k, j in zip(chosen, [*chosen[1:], None], strict=True):
            start = time.process_time()
            after = None if j is None else self.items[j]
            self.items[k].ihook.pytest_runtest_protocol(item=self.items[k], nextitem=after)
            yield k, time.process_time() - start

    def _measured(self) -> tuple[dict[int, set[int]], dict[int, float]]:
        """Run all tests once in a fork: which run which line, and how long each takes."""
        read, write = os.pipe()
        if not (child := os.fork()):
            silent()
            file = str(self.module.__file__)
            cover = coverage.Coverage(data_file=None, include=[file], config_file=False)
            with os.fdopen(write, "w") as out:
                cover.start()
                cover.switch_context("-1")
                for k, seconds in self._protocol(list(range(len(self.items)))):
                    if not self.failed and seconds < SLOWEST:
                        out.write(f"T {k} {seconds}\n")
                    self.failed = False
                    if k + 1 < len(self.items):
                        cover.switch_context(str(k + 1))
                cover.stop()
                for line, tests in cover.get_data().contexts_by_lineno(file).items():
                    out.write(f"L {line} {' '.join(t for t in tests if t)}\n")
            os._exit(0)
        os.close(write)
        lines: dict[int, set[int]] = {}
        seconds_of: dict[int, float] = {}
        with os.fdopen(read) as given:
            for kind, number, *rest in map(str.split, given):
                if kind == "T":
                    seconds_of[int(number)] = float(rest[0])
                else:
                    lines[int(number)] = {max(int(t), 0) for t in rest}
        os.waitpid(child, 0)
        return {n: {t for t in ts if t in seconds_of} for n, ts in lines.items()}, seconds_of

    def _chosen(self, mutant: Mutant) -> list[int]:
        """Choose the tests that run a mutant's lines: those that noticed others, then the quick."""
        tests = {t for line in mutant.lines for t in self.lines.get(line, ())}
        patience = self.given.patience
        if not mutant.owner:  # what stands in the module is used anywhere in it
            tests, patience = set(self.seconds), 3 * patience
        kills = self.kills.get(mutant.owner, {})
        ordered = sorted(tests, key=lambda t: (-kills.get(t, 0), self.seconds[t], t))
        total, chosen = 0.0, []
        for t in ordered:
            total += self.seconds[t]
            if total > patience:
                break
            chosen.append(t)
        return chosen

    def _verify(self, tree: ast.Module) -> None:
        """Put every statement in its own place, unchanged: no test may notice it."""
        sys.stdout.flush()
        if child := os.fork():
            os.waitpid(child, 0)
            return
        for k, statement in enumerate(tree.body):
            if isinstance(statement, ast.Import | ast.ImportFrom):
                continue
            try:
                install(self.module, tree, k)
            except Exception as error:
                print(f"{self.name}: line {statement.lineno} cannot be put in: {error!r}")
        sys.stdout.flush()
        out = os.dup(1)
        silent()
        chosen = sorted(k for k, seconds in self.seconds.items() if seconds < QUICK)
        for k, _ in self._protocol(chosen):
            if self.failed:
                os.write(out, f"{self.name}: fails unchanged: {self.items[k].nodeid}\n".encode())
                self.failed = False
        os._exit(0)

    def _dies(self, mutant: Mutant, tree: ast.Module) -> bool:
        chosen = self._chosen(mutant)
        if not chosen:
            return False
        read, write = os.pipe()
        if not (child := os.fork()):
            self._try(mutant, tree, chosen, write)
        os.close(write)
        with os.fdopen(read) as given:
            said = given.read().split()
        _, status = os.waitpid(child, 0)
        if said:
            kills = self.kills.setdefault(mutant.owner, {})
            kills[int(said[0])] = kills.get(int(said[0]), 0) + 1
        return status != ALIVE

    def _try(self, mutant: Mutant, tree: ast.Module, chosen: list[int], write: int) -> None:
        """Run the tests on a mutant, in this process, and end it."""
        silent()
        gc.disable()
        self.noticed = write
        allowed = 5 * sum(self.seconds[t] for t in chosen) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (int(allowed) + 1, int(allowed) + 2))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        signal.alarm(int(allowed) * 20)  # where it waits
        try:
            where = mutant.path[0][1]
            assert where is not None
            install(self.module, mutant.applied(tree), where)
            for _ in self._protocol(chosen):
                if self.failed:
                    os._exit(KILLED)
        except BaseException:
            os._exit(BROKEN)
        os._exit(ALIVE)


def silent() -> None:
    """Print nothing from here on."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def measured(module: str, given: argparse.Namespace) -> Runner:
    """Run pytest on the tests of a module with the loop replaced."""
    runner = Runner(module, given)
    where = [str(HERE.parent / t) for t in tests_of(module)]
    options = [
        "-q",
        "-s",
        "--no-header",
        "--no-summary",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    pytest.main([*options, f"--rootdir={HERE.parent}", *where], plugins=[runner])
    return runner


def at_once(modules: list[str], given: argparse.Namespace) -> Iterator[list[str]]:
    """Run each module in a process of its own, several at once; give its row of the table."""

    def run(module: str) -> list[str]:
        passed = ("sample", "seed", "match", "again", "patience")
        options = [f"--{k}={v}" for k in passed if (v := vars(given)[k])]
        command = [sys.executable, __file__, module, *options]
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False).stdout
        lines = [x for x in said.splitlines() if x.startswith((ROW, f"{module} ", f"{module}:"))]
        print("\n".join(dict.fromkeys(lines)), flush=True)
        return [x for x in lines if x.startswith(ROW)][:1]

    with ThreadPoolExecutor(given.jobs) as pool:
        yield from pool.map(run, modules)


def main() -> None:
    """Measure the modules, one process each, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", help="such as shapes; default: those with a bar")
    parser.add_argument("--sample", type=int, default=0, help="mutants of each module; 0 is all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--match", default="", help="only mutants whose description holds this")
    parser.add_argument("--again", type=Path, help="only the mutants that this output lists")
    parser.add_argument("--patience", type=float, default=3, help="seconds of tests for a mutant")
    parser.add_argument("--jobs", type=int, default=1, help="modules at once")
    given = parser.parse_args()
    if unknown := [m for m in given.modules if not exists(m)]:
        parser.error(f"symgrad has no module {', '.join(unknown)}; one is written as rewrite/rules")
    hypothesis.settings.register_profile(
        "mutation", derandomize=True, database=None, deadline=None,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    )  # fmt: skip
    hypothesis.settings.load_profile("mutation")
    modules = given.modules or list(BARRED)
    if given.jobs > 1 and len(modules) > 1:
        rows = [row for found in at_once(modules, given) for row in found]
    else:
        rows = []
        for module in modules:
            counts = measured(module, given).counts
            score = counts["killed"] / max(counts["mutants"] - counts["equivalent"], 1)
            listed = "".join(f"{n:12}" for n in counts.values())
            rows.append(f"{ROW}{module:22}{listed}{score:9.1%}")
            print(rows[-1], flush=True)
    print(f"\n{'module':24}{'mutants':>12}{'killed':>12}{'equivalent':>12}{'score':>9}")
    print("\n".join(sorted(rows)))


if __name__ == "__main__":
    main()

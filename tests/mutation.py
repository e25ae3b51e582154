"""Mutation testing: put small faults into a module one at a time, and see whether a test notices.

    python tests/mutation.py                        # the modules of TESTS, all mutants
    python tests/mutation.py shapes dims --sample 150 --seed 1

Tests are collected once. Each mutant lives in a forked process, in memory only: the code of the
changed function is put in the place of the right one, and the tests that run its lines are run, the
quickest first, until one fails. Survivors are printed. Mutants that no test can tell from the right
program are listed in tests/mutants/equivalent.txt, each with the reason; they are not counted.
"""

import argparse
import ast
import functools
import gc
import importlib
import inspect
import os
import random
import resource
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

if __name__ == "__main__":
    for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(_name, "1")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import coverage
import hypothesis
import pytest

from tests.mutants.changes import Mutant, mutants

HERE = Path(__file__).resolve().parent

REWRITE = [
    "tests/mutants/test_recognition.py",
    "tests/rewrite/test_recognise.py",
    "symgrad/rewrite",
]
NAMES = ["tests/mutants/test_escaping.py", "symgrad/formula/names.py"]
DRAWN = ["tests/mutants/test_escaping.py", "tests/diagram/test_tex.py"]
SAFE = ["tests/mutants/test_safety.py"]
TESTS = {
    "rewrite/rules": REWRITE,
    "rewrite/recognise": REWRITE,
    "rewrite/match": REWRITE,
    "rewrite/canonical": REWRITE,
    "shapes": ["tests/mutants/test_shapes.py", "tests/test_dims.py", "symgrad/shapes.py"],
    "dims": ["tests/mutants/test_shapes.py", "tests/test_dims.py", "symgrad/dims.py"],
    "codegen/safety": [*SAFE, "symgrad/codegen/safety.py"],
    "codegen/tokens": [*SAFE, "symgrad/codegen/tokens.py"],
    "formula/names": NAMES,
    "diagram/export/svg": [*DRAWN, "symgrad/diagram/export/svg.py"],
    "diagram/export/dot": [*DRAWN, "symgrad/diagram/export/dot.py"],
    "diagram/tikz/text": [*DRAWN, "symgrad/diagram/tikz/text.py"],
}
EQUIVALENT = HERE / "mutants" / "equivalent.txt"
SLOWEST = 4.0  # seconds: longer tests are left out
PATIENCE = 8.0  # seconds of tests for one mutant
MEMORY = 6 << 30
ALIVE, KILLED, BROKEN = 0, 1, 2


def known(module: str) -> set[str]:
    """Read which mutants of a module are equivalent."""
    lines = EQUIVALENT.read_text("utf-8").splitlines() if EQUIVALENT.exists() else []
    head = module + " "
    return {x[len(head) :].partition("  # ")[0].strip() for x in lines if x.startswith(head)}


def inner(found: Any) -> Any:
    """Look through decorators, properties and static methods."""
    while not isinstance(found, FunctionType):
        wrapped = getattr(found, "__wrapped__", None) or getattr(found, "fget", None)
        wrapped = wrapped or getattr(found, "__func__", None)
        if wrapped is None:
            return None
        found = wrapped
    return found


def replaced(old: Any, new: Any) -> None:
    """Put a function's code, or that of all methods of a class, in place of the old."""
    if inspect.isclass(new):
        for name, value in vars(new).items():
            if name in vars(old) and inner(value) is not None:
                replaced(vars(old)[name], value)
        return
    target, source = inner(old), inner(new)
    if target is not None and source is not None:
        target.__code__ = source.__code__
        target.__defaults__, target.__kwdefaults__ = source.__defaults__, source.__kwdefaults__


def rebound(module: ModuleType, statements: list[ast.stmt], file: str) -> None:
    """Run statements of a module anew, and put their values wherever the old ones are known."""
    for statement in statements:
        before = dict(vars(module))
        exec(compile(ast.Module([statement], []), file, "exec"), vars(module))
        for name, value in list(vars(module).items()):
            old = before.get(name)
            if old is value or name.startswith("__") or name not in before:
                continue
            for other in list(sys.modules.values()):
                if other is not None and vars(other).get(name) is old:
                    setattr(other, name, value)


def dependent(tree: ast.Module, first: int) -> list[ast.stmt]:
    """List a statement and the later assignments that use what it sets, or what they set."""
    chosen, changed = [], set()
    for k, statement in enumerate(tree.body[first:]):
        if k and not isinstance(statement, ast.Assign | ast.AnnAssign):
            continue
        names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)}
        if not k or names & changed:
            chosen.append(statement)
            stored = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
            changed |= {n.id for n in stored if isinstance(n.ctx, ast.Store)}
    return chosen


def install(module: ModuleType, tree: ast.Module, mutant: Mutant) -> None:
    """Make a mutant what the running program does."""
    file = str(module.__file__)
    changed = mutant.applied(tree)
    k = mutant.path[0][1]
    assert k is not None
    statement = changed.body[k]
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        space = dict(vars(module))
        exec(compile(ast.Module([statement], []), file, "exec"), space)
        replaced(getattr(module, statement.name), space[statement.name])
    else:
        rebound(module, dependent(changed, k), file)
    for found in gc.get_objects():
        if isinstance(found, functools._lru_cache_wrapper):
            found.cache_clear()


class Runner:
    """Take the place of pytest's loop over tests."""

    def __init__(self, module: str, sample: int, seed: int, match: str) -> None:
        self.name, self.sample, self.seed, self.match = module, sample, seed, match
        self.module = importlib.import_module("symgrad." + module.replace("/", "."))
        self.failed = False
        self.kills: dict[str, dict[int, int]] = {}
        self.survivors: list[str] = []
        self.counts = {"mutants": 0, "killed": 0, "equivalent": 0}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        self.failed = self.failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Measure the tests, then run them on every mutant."""
        self.items = session.items
        start = time.monotonic()
        self.lines, self.seconds = self._measured()
        shown = f"{len(self.seconds)} tests, {time.monotonic() - start:.0f} s"
        print(f"{self.name}: {shown}", flush=True)
        tree = ast.parse(Path(str(self.module.__file__)).read_text("utf-8"))
        found = [m for m in mutants(tree) if self.match in str(m)]
        if self.sample and len(found) > self.sample:
            found = random.Random(self.seed).sample(found, self.sample)
        self.same = known(self.name)
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
            print(f"{self.name} {mutant}", flush=True)

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
        if not mutant.owner:  # what stands in the module is used anywhere in it
            tests = set(self.seconds)
        kills = self.kills.get(mutant.owner, {})
        ordered = sorted(tests, key=lambda t: (-kills.get(t, 0), self.seconds[t], t))
        total, chosen = 0.0, []
        for t in ordered:
            total += self.seconds[t]
            if total > PATIENCE:
                break
            chosen.append(t)
        return chosen

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
        allowed = 5 * sum(self.seconds[t] for t in chosen) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (int(allowed) + 1, int(allowed) + 2))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        signal.signal(signal.SIGXCPU, signal.SIG_DFL)
        signal.alarm(int(allowed) * 20)  # where it waits
        try:
            install(self.module, tree, mutant)
            for k, _ in self._protocol(chosen):
                if self.failed:
                    os.write(write, str(k).encode())
                    os._exit(KILLED)
        except BaseException:
            os._exit(BROKEN)
        os._exit(ALIVE)


def silent() -> None:
    """Print nothing from here on."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)


def measured(module: str, sample: int, seed: int, match: str) -> Runner:
    """Run pytest on the tests of a module with the loop replaced."""
    runner = Runner(module, sample, seed, match)
    where = [str(HERE.parent / t) for t in TESTS[module]]
    options = [
        "-q",
        "-s",
        "--no-header",
        "--no-summary",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    pytest.main([*options, f"--rootdir={HERE.parent}", *where], plugins=[runner])
    return runner


def main() -> None:
    """Measure the modules, one process each, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("modules", nargs="*", help=f"of {', '.join(TESTS)}; default all")
    parser.add_argument("--sample", type=int, default=0, help="mutants of each module; 0 is all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--match", default="", help="only mutants whose description holds this")
    given = parser.parse_args()
    unknown = [m for m in given.modules if m not in TESTS]
    if unknown:
        parser.error(f"no tests are named for {', '.join(unknown)}: see TESTS in {__file__}")
    hypothesis.settings.register_profile(
        "mutation", derandomize=True, database=None, deadline=None,
        phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate),
    )  # fmt: skip
    hypothesis.settings.load_profile("mutation")
    rows = []
    for module in given.modules or TESTS:
        counts = measured(module, given.sample, given.seed, given.match).counts
        score = counts["killed"] / max(counts["mutants"] - counts["equivalent"], 1)
        rows.append(f"{module:22}" + "".join(f"{n:12}" for n in counts.values()) + f"{score:9.1%}")
        print(rows[-1], flush=True)
    print(f"\n{'module':22}{'mutants':>12}{'killed':>12}{'equivalent':>12}{'score':>9}")
    print("\n".join(rows))


if __name__ == "__main__":
    main()

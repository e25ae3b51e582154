"""Shared fixtures: golden files, mathematics at 50 digits, registries that are left as found."""

import difflib
import operator
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import mpmath
import numpy as np
import pytest

from symgrad import ops
from symgrad.graph import Node, topological
from symgrad.parse import written
from symgrad.rewrite import rules
from symgrad.train.rows import OPTIMIZERS

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["SYMGRAD_COSTS"] = "defaults"  # not what `symgrad tune` has measured here
collect_ignore = ["benchmarks"]
GOLDEN = Path(__file__).parent / "golden"
MEASURED = float("inf" if os.environ.get("SYMGRAD_COVER") == "full" else 1)  # seconds
SPENT: dict[str, float] = {}  # by test, over all its cases in this process


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --update, which writes the golden files anew."""
    parser.addoption("--update", action="store_true", help="write the golden files anew")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """Measure coverage in the first cases of a test only, as many as a second is enough for.

    The further cases run much the same lines, and counting lines makes a call two to three times
    as slow.
    """
    test = item.nodeid.partition("[")[0]
    if SPENT.get(test, 0.0) > MEASURED:
        item.add_marker(pytest.mark.no_cover)
    start = time.process_time()
    try:
        return (yield)
    finally:
        SPENT[test] = SPENT.get(test, 0.0) + time.process_time() - start


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return compare(name, text): text must equal the file tests/golden/<name>."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            return
        expected = path.read_text(encoding="utf-8") if path.exists() else ""
        if text != expected:
            parts = (expected.splitlines(True), text.splitlines(True))
            diff = "".join(difflib.unified_diff(*parts, f"golden/{name}", "now"))
            pytest.fail(f"{diff}\nif this is right: pytest --update", pytrace=False)

    return compare


@contextmanager
def kept() -> Iterator[None]:
    """Put operators, aliases, optimisers and rules back as they were."""
    tables: list[dict[str, Any]] = [ops.OPS, ops.ALIASES, OPTIMIZERS]  # type: ignore[list-item]
    saved, known = [dict(table) for table in tables], list(rules.RECOGNITION)
    try:
        yield
    finally:
        for table, old in zip(tables, saved, strict=True):
            table.clear()
            table.update(old)
        rules.RECOGNITION[:] = known


@pytest.fixture
def registries() -> Iterator[None]:
    """Put operators, aliases, optimisers and rules back as they were."""
    with kept():
        yield


class Docstrings:
    """Let what an example in a docstring registers end with the example."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[Any]:
        """Run an item; this plugin sees those below symgrad/ too, a conftest only its folder's."""
        if not isinstance(item, pytest.DoctestItem):
            return (yield)
        with kept():
            return (yield)


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin of docstrings."""
    config.pluginmanager.register(Docstrings())


class Exact:
    """Evaluate scalar nodes with mpmath: an operator's formula, or the function of its name."""

    NAMED: ClassVar[dict[str, Any]] = {  # what Python or mpmath call differently
        "add": operator.add, "sub": operator.sub, "mul": operator.mul, "div": operator.truediv,
        "neg": operator.neg, "pow": mpmath.power, "abs": abs, "arctan": mpmath.atan,
        "lt": operator.lt, "le": operator.le, "gt": operator.gt, "ge": operator.ge,
        "eq": operator.eq, "ne": operator.ne, "both": lambda a, b: bool(a) and bool(b),
        "where": lambda c, a, b: a if c else b, "maximum": max, "minimum": min,
        "square": lambda a: a * a, "sinc": mpmath.sincpi, "sum": lambda a: a, "mean": lambda a: a,
    }  # fmt: skip

    def node(self, root: Node, known: Mapping[str, Any]) -> Any:
        """Compute a node; `known` gives the inputs by name."""
        done: dict[Node, Any] = {}
        for n in topological([root]):
            if n.op == "input":
                done[n] = known[n.attrs["name"]]
            elif n.op == "const":
                value = n.attrs["value"]
                done[n] = mpmath.pi if value == np.pi else mpmath.mpf(value)
            else:
                done[n] = self.apply(n.op, [done[a] for a in n.args])
        return done[root]

    def apply(self, name: str, arguments: list[Any]) -> Any:
        """Apply an operator: by its formula where it has one, else by its name."""
        row = ops.OPS[name]
        if row.formula and name not in self.NAMED:
            letters = [ops.leaf(letter) for letter in "abcdefgh"[: len(arguments)]]
            inner = written(row.formula, letters, dict(row.params))
            return self.node(inner, dict(zip("abcdefgh", arguments, strict=False)))
        function = self.NAMED.get(name) or getattr(mpmath, name)
        return function(*arguments)


@pytest.fixture
def exact() -> Iterator[Exact]:
    """Return an evaluator; within the test, mpmath works with 50 digits."""
    with mpmath.workdps(50):
        yield Exact()

"""The benchmark measures what it says: its workloads agree with each other, its tables are right.

Nothing is timed here; everything is checked at small sizes.
"""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symgrad as sg

FOLDER = Path(__file__).parent / "benchmarks"
sys.path.insert(0, str(FOLDER))

import bars  # noqa: E402
import cold  # noqa: E402
import contest  # noqa: E402
import counting  # noqa: E402
import tables  # noqa: E402
from limits import LIMITS  # noqa: E402
from peers import PEERS, Kit, Names  # noqa: E402
from workloads import MORE, NAMED, WORKLOADS, Workload, cast  # noqa: E402
from workloads.workload import cross_entropy  # noqa: E402

FOURTEEN = [
    "neuron",
    "xyz",
    "lecture2",
    "tiny",
    "softmax",
    "svm",
    "mlp128",
    "mlp1024",
    "deep50",
    "bn",
    "elem",
    "logreg",
    "rosen",
    "speel",
]
every = pytest.mark.parametrize("work", NAMED.values(), ids=lambda work: work.name)


class InNumPy(Kit):
    """Spell the other libraries' losses in NumPy itself, so that they are checked without them."""

    np = np

    def cross_entropy(self, s: Any, y: Any) -> Any:
        return cross_entropy(s, y)[0]


def small(work: Workload, dtype: str = "float64") -> dict[str, Any]:
    return cast(work.inputs(np.random.default_rng(0), **work.small), dtype)


def close(found: Any, expected: Any, tolerance: float = 1e-9) -> bool:
    found, expected = np.asarray(found), np.asarray(expected)
    scale = max(float(np.abs(expected).max()), 1e-30)
    return found.shape == expected.shape and bool(
        np.abs(found - expected).max() <= tolerance * scale
    )


def test_the_fourteen_and_more_are_there() -> None:
    assert [work.name for work in WORKLOADS] == FOURTEEN
    assert len(bars.TENSOR) == 12
    assert len(MORE) == 25
    assert set(LIMITS) <= set(NAMED)
    assert set(bars.MEANS) - {"hand"} == set(PEERS)


@every
def test_the_text_means_what_is_written_by_hand(work: Workload) -> None:
    inputs = small(work)
    value, grads = work.by_hand(**inputs)
    found, gradients = sg.compile(work.text, style="readable")(**inputs)
    assert set(grads) == set(gradients) == set(work.wrt)
    assert close(found, value)
    for name in work.wrt:
        assert close(gradients[name], grads[name]), name


@every
def test_by_hand_agrees_with_differences(work: Workload) -> None:
    inputs, rng, h = small(work), np.random.default_rng(1), 1e-6
    grads = work.by_hand(**inputs)[1]
    step = {name: rng.standard_normal(np.shape(inputs[name])) for name in work.wrt}
    ahead, back = (
        work.by_hand(**{**inputs, **{k: inputs[k] + sign * h * step[k] for k in work.wrt}})[0]
        for sign in (1, -1)
    )
    along = sum(float(np.sum(step[name] * grads[name])) for name in work.wrt)
    assert (ahead - back) / (2 * h) == pytest.approx(along, rel=1e-6)


@pytest.mark.parametrize("name", [work.name for work in NAMED.values() if not work.scalar])
def test_by_hand_stays_in_single_precision(name: str) -> None:
    work = NAMED[name]
    inputs = small(work, "float32")
    arrays = {k: g for k, g in work.by_hand(**inputs)[1].items() if np.ndim(inputs[k])}
    assert {g.dtype.name for g in arrays.values()} == {"float32"}


@every
def test_the_loss_for_other_libraries_is_the_same(work: Workload) -> None:
    inputs = small(work)
    assert close(work.loss(InNumPy(), Names(**inputs)), work.by_hand(**inputs)[0])


@pytest.mark.parametrize("dtype", contest.TOLERANCE)
@pytest.mark.parametrize("name", LIMITS)
def test_limits_agree(name: str, dtype: str) -> None:
    work = NAMED[name]
    inputs = small(work, dtype)
    run = LIMITS[name](**inputs)
    run()  # kept buffers: the second answer is the one that counts
    value, grads = run()
    expected, gradients = work.by_hand(**inputs)
    assert close(value, expected, contest.TOLERANCE[dtype])
    for k in work.wrt:
        assert close(grads[k], gradients[k], contest.TOLERANCE[dtype]), k


@pytest.mark.parametrize(("name", "n"), [("elem", 70_000), ("rosen", 70_000), ("logreg", 30_000)])
def test_limits_agree_over_several_tiles(name: str, n: int) -> None:
    inputs = NAMED[name].inputs(np.random.default_rng(0), n=n)
    run = LIMITS[name](**inputs)
    run()
    value, grads = run()
    expected, gradients = NAMED[name].by_hand(**inputs)
    assert close(value, expected)
    assert all(close(grads[k], gradients[k]) for k in NAMED[name].wrt)


def test_a_wrong_gradient_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {"tiny": lambda **inputs: lambda: (0.0, dict.fromkeys(NAMED["tiny"].wrt, 1.0))}
    monkeypatch.setattr(contest, "LIMITS", wrong)
    row = contest.contest(NAMED["tiny"], [], {}, "float64", contest.Effort(1, 1e-4, 1))
    assert "differs" in row["limit"]["problem"]
    assert "seconds" not in row["limit"]
    assert row["hand"]["seconds"] > 0


def test_the_peak_counts_buffers_that_are_kept() -> None:
    def build() -> Any:
        kept: list[Any] = []

        def run() -> Any:
            kept[:] = kept or [np.empty(10**6)]

        return run

    assert 8e6 <= contest.peak(build) < 8.1e6


def test_operations_of_a_module() -> None:
    source = (
        "def sigmoid(x):\n    return 1 / (1 + np.exp(-x))\n"
        "def value_and_grad(*, x):\n    x = np.asarray(x)\n    y = sigmoid(x[:-1])\n"
        "    return y * y, {}\ndef check():\n    return 1 + 1\n"
    )
    assert counting.operations(source) == 5
    (tiny,), skipped = counting.catalogue(["tiny"])
    assert 1 < tiny.ratio <= bars.GRADIENT
    assert not skipped


def test_operations_of_a_choice_are_those_of_its_longer_branch() -> None:
    source = (
        "def sigmoid(x):\n    if x >= 0:\n        return 1 / (1 + math.exp(-x))\n"
        "    e = math.exp(x)\n    return e / (1 + e)\n"
        "def _f(m, x):\n    y = sigmoid(x) if x else 1.0\n    return np.var(y), {}\n"
        "def f(*, x):\n    return _f(math, x)\n"
    )
    assert counting.operations(source) == 5 + 4  # the test x >= 0, and four of 1/(1 + exp(-x))


@pytest.fixture
def measured() -> Iterator[bars.Table]:
    cells = {"hand": 2e-3, "fast": 1e-3, "limit": 0.5e-3, "jax": 1.5e-3, "readable": 2.1e-3}
    row: dict[str, dict[str, Any]] = {k: {"seconds": v, "first": 0.1} for k, v in cells.items()}
    row["fast"] |= {"call": 1e-3, "peak": 9000}
    row["hand"]["peak"] = 20_000
    yield {"tiny": row}


def test_bars_are_judged(measured: bars.Table) -> None:
    judged = {v.what: v.met for v in bars.of_times(measured, "float64")}
    assert judged == {
        "fast / hand, geometric mean, float64": True,
        "fast / jax, geometric mean, float64": False,
        "fast / limit, every workload, float64": False,
        "readable / hand, every workload, float64": True,
    }
    first, memory = bars.of_firsts(measured, "float64")
    assert (first.measured, first.met) == ("tiny 99", False)
    assert memory.met
    row = {"first": 1.0, "bytes": 7e8, "nanoseconds": 70.0}
    assert [v.met for v in bars.of_growth({100: {}, 100_000: row})] == [True, False, True]


def test_tables_show_ratios_and_bars(measured: bars.Table) -> None:
    shown = "\n".join(tables.ratios(measured, "float64"))
    assert "| tiny" in shown
    assert "2.00!" in shown  # fast over limit, above its bar
    assert "mean ≤ 0.60" in shown
    assert len({len(line) for line in shown.splitlines()[2:]}) == 1


def test_a_page_is_renewed_between_its_marks() -> None:
    page = f"before\n{tables.BEGIN}\nold\n{tables.END}\nbehind\n"
    fresh = tables.renewed(page, "| new |\n")
    assert fresh == f"before\n{tables.BEGIN}\n\n| new |\n\n{tables.END}\nbehind\n"
    assert tables.renewed(fresh, "| new |") == fresh


def test_growth_counts_operators() -> None:
    """In the random series each line has one, and all of them lead to the last."""
    for series in cold.SERIES:
        graph = sg.parse(cold.program(300, series))
        assert sum(bool(n.args) for n in graph.order()) == pytest.approx(300, rel=0.05)


def test_first_gradients_and_growth_are_measured_in_other_processes() -> None:
    assert cold.child("first", "xyz", "float64", "readable")["call"] > 0
    for series in cold.SERIES:
        grown = cold.child("growth", "100", "readable", series)
        assert grown["first"] > 0
        assert grown["nanoseconds"] > 0
    assert "KeyError" in cold.child("first", "nothing", "float64", "readable")["problem"]


def test_it_runs_from_the_shell(tmp_path: Path) -> None:
    run = [sys.executable, str(FOLDER / "run.py"), "--quick", "--workloads", "neuron", "svm"]
    more = ["--styles", "readable", "--rounds", "1", "--peers", "--json", str(tmp_path / "x.json")]
    done = subprocess.run([*run, *more], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| svm" in done.stdout
    assert "readable / hand, every workload, float32" in done.stdout
    assert (tmp_path / "x.json").stat().st_size > 100

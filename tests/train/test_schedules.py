"""Schedules: known values, PyTorch's where it can be imported, the plateau, text and errors."""

import json
import math
import pickle
from typing import Any

import pytest

from symgrad.codegen.safety import check
from symgrad.errors import UsageError
from symgrad.train.schedules import SCHEDULES, Schedule, names, schedule

STEPS = 20
TEXTS = ("constant", "step", "step(every=3, factor=0.1)", "exponential(end=0.1)", "linear",
         "linear(end=0.2)", "polynomial(power=3, end=0.1)", "cosine", "cosine(end=0.1)",
         "inverse_sqrt", "one_cycle", "one_cycle(rise=0.5, first=0.1, last=0)", "plateau",
         "cosine(warmup=0.2)", "linear(warmup=3)", "inverse_sqrt(warmup=4)", "step(warmup=1)",
         "plateau(warmup=2)", "constant(warmup=1)", "one_cycle(warmup=0.1)")  # fmt: skip


def factors(text: str, steps: int = STEPS) -> list[float]:
    found = schedule(text)
    return [found.factor(k, steps) for k in range(steps + 1)]


@pytest.mark.parametrize(("text", "at", "value"), [
    ("constant", 7, 1.0),
    ("step(every=5, factor=0.5)", 4, 1.0),
    ("step(every=5, factor=0.5)", 5, 0.5),
    ("step(every=5, factor=0.5)", 14, 0.25),
    ("step(every=0.25, factor=0.5)", 15, 0.125),
    ("exponential(end=0.01)", 10, 0.1),
    ("exponential(end=0.01)", 20, 0.01),
    ("linear", 5, 0.75),
    ("linear(end=0.5)", 20, 0.5),
    ("polynomial(power=2)", 10, 0.25),
    ("polynomial(power=2, end=0.2)", 20, 0.2),
    ("cosine", 5, (1 + math.sqrt(0.5)) / 2),
    ("cosine", 10, 0.5),
    ("cosine(end=0.1)", 20, 0.1),
    ("inverse_sqrt", 3, 0.5),
    ("inverse_sqrt(warmup=4)", 16, 0.5),
    ("one_cycle", 0, 0.04),
    ("one_cycle", 6, 1.0),
    ("one_cycle", 3, 0.52),
    ("one_cycle", 20, 4e-6),
    ("one_cycle", 13, (1 + 4e-6) / 2),
    ("constant(warmup=4)", 0, 0.25),
    ("constant(warmup=4)", 3, 1.0),
    ("constant(warmup=4)", 4, 1.0),
    ("linear(warmup=0.5)", 9, 1.0),
    ("linear(warmup=0.5)", 15, 0.5),
    ("cosine(warmup=0.2)", 12, 0.5),
])  # fmt: skip
def test_values(text: str, at: int, value: float) -> None:
    assert schedule(text).factor(at, STEPS) == pytest.approx(value, rel=1e-12, abs=1e-16)


@pytest.mark.parametrize("text", TEXTS)
def test_a_factor_is_a_pure_number_between_0_and_1(text: str) -> None:
    found = factors(text)
    assert found == [schedule(text).factor(k, STEPS) for k in range(STEPS + 1)]
    assert all(type(f) is float and 0 <= f <= 1 for f in found)
    assert max(found) == pytest.approx(1)
    beyond = schedule(text).factor(10 * STEPS, STEPS)  # a run that is resumed for longer
    assert 0 <= beyond <= 1
    for steps in (1, 2):
        assert all(0 <= f <= 1 for f in factors(text, steps))


@pytest.mark.parametrize("text", TEXTS)
def test_source_stands_alone(text: str) -> None:
    found = schedule(text)
    source = "import math\n\n" + found.source()
    check(source)
    assert max(map(len, source.splitlines())) <= 96
    space: dict[str, Any] = {}
    exec(compile(source, text, "exec"), space)
    more = (found.begin(),) if found.observes else ()
    for k in range(STEPS + 1):
        assert space["rate_factor"](k, STEPS, *more) == found.factor(k, STEPS)


@pytest.mark.parametrize("text", TEXTS)
def test_text_reads_back_and_pickles(text: str) -> None:
    found = schedule(text)
    assert schedule(found.text).settings == found.settings
    assert factors(found.text) == factors(text)
    assert pickle.loads(pickle.dumps(found)).factor(7, STEPS) == found.factor(7, STEPS)
    assert schedule(found) is found


def of_torch(kind: str, settings: dict[str, Any]) -> list[float]:
    torch = pytest.importorskip("torch")
    w = torch.nn.Parameter(torch.zeros(1))
    steps = torch.optim.SGD([w], lr=1.0)
    rates = getattr(torch.optim.lr_scheduler, kind)(steps, **settings)
    found = []
    for _ in range(STEPS + 1):
        found.append(rates.get_last_lr()[0])
        steps.step()
        rates.step()
    return found


@pytest.mark.parametrize(("text", "kind", "settings"), [
    ("step(every=6, factor=0.3)", "StepLR", {"step_size": 6, "gamma": 0.3}),
    ("exponential(end=0.2)", "ExponentialLR", {"gamma": 0.2 ** (1 / STEPS)}),
    ("linear(end=0.25)", "LinearLR",
     {"start_factor": 1.0, "end_factor": 0.25, "total_iters": STEPS}),
    ("polynomial(power=2)", "PolynomialLR", {"power": 2.0, "total_iters": STEPS}),
    ("cosine(end=0.1)", "CosineAnnealingLR", {"T_max": STEPS, "eta_min": 0.1}),
])  # fmt: skip
def test_pytorch(text: str, kind: str, settings: dict[str, Any]) -> None:
    assert factors(text) == pytest.approx(of_torch(kind, settings), rel=1e-12, abs=1e-12)


# -- plateau -------------------------------------------------------------------------------------


def observed(text: str, losses: list[float]) -> list[float]:
    """Give the factor after each loss; the state goes through JSON on the way."""
    found = schedule(text)
    state, seen = found.begin(), []
    for loss in losses:
        before = dict(state)
        after = found.observe(state, loss)
        assert state == before
        state = json.loads(json.dumps(after, allow_nan=False))
        seen.append(found.factor(5, STEPS, state))
    return seen


def test_plateau() -> None:
    text = "plateau(factor=0.5, patience=2)"
    assert observed(text, [3, 2, 1, 0.5]) == [1, 1, 1, 1]
    assert observed(text, [1] * 8) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]
    assert observed(text, [1, 1, 1, 0.9, 1, 1, 1]) == [1, 1, 1, 1, 1, 1, 0.5]
    assert observed("plateau(factor=0.5, patience=0, least=0.3)", [1] * 4) == [1, 0.5, 0.3, 0.3]
    # a loss that is no number is never the best one
    assert observed(text, [math.nan, math.inf, 2, 1, 1, 1, 1]) == [1, 1, 1, 1, 1, 1, 0.5]
    assert observed(text, [1, -math.inf, math.nan, 1]) == [1, 1, 1, 0.5]


def test_plateau_counts_what_hardly_falls() -> None:
    assert observed("plateau(factor=0.5, patience=0, threshold=0.1)", [1, 0.95])[-1] == 0.5
    assert observed("plateau(factor=0.5, patience=0, threshold=0.01)", [1, 0.95])[-1] == 1
    assert observed("plateau(factor=0.5, patience=0)", [-1, -2])[-1] == 1
    assert observed("plateau(factor=0.5, patience=0)", [-1, -0.99999])[-1] == 0.5


def test_plateau_rests() -> None:
    text = "plateau(factor=0.5, patience=0, cooldown=2)"
    assert observed(text, [1] * 6) == [1, 0.5, 0.5, 0.5, 0.25, 0.25]


def test_plateau_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    losses = [5, 4, 4, 4, 4, 3.9999, 3.9, 3.9, 4, 4, 4, 4, 4, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    w = torch.nn.Parameter(torch.zeros(1))
    steps = torch.optim.SGD([w], lr=1.0)
    rates = torch.optim.lr_scheduler.ReduceLROnPlateau(steps, factor=0.5, patience=2, cooldown=1)
    seen = []
    for loss in losses:
        rates.step(loss)
        seen.append(steps.param_groups[0]["lr"])
    assert observed("plateau(factor=0.5, patience=2, cooldown=1)", losses) == seen


def test_plateau_after_another_schedule() -> None:
    found = schedule("plateau(factor=0.5, patience=0)")
    assert found.factor(3, STEPS, {}) == 1.0
    assert found.observe({}, 2.0) == found.observe(found.begin(), 2.0)


def test_others_observe_nothing() -> None:
    found = schedule("cosine")
    assert not found.observes and found.begin() == {} == found.observe({}, 1.0)
    assert found.factor(3, STEPS, {}) == found.factor(3, STEPS)


# -- text and errors -----------------------------------------------------------------------------


def test_names_and_formulas() -> None:
    assert names() == list(SCHEDULES) and "cosine" in names()
    assert schedule("polynomial").formula() == "end + (1 − end)(1 − x)^power"
    assert schedule("step").formula() == "factor^⌊s/every⌋"
    for row in SCHEDULES.values():
        assert row.doc.endswith(".") and isinstance(Schedule(row), Schedule)


def test_settings_beside_the_text() -> None:
    assert schedule("cosine", end=0.1, warmup=2).text == "cosine(end=0.1, warmup=2)"
    assert schedule("cosine(end=0.1)", warmup=2).text == "cosine(end=0.1, warmup=2)"


@pytest.mark.parametrize(("text", "settings", "message"), [
    ("cosin", {}, "unknown schedule 'cosin'\ndid you mean 'cosine'"),
    ("cosine(warmpu=1)", {}, "setting of the schedule 'cosine': 'warmpu'\ndid you mean 'warmup'"),
    ("cosine(0.1)", {}, "given by name"),
    ("cosine(warmup=-1)", {}, "at least 0"),
    ("cosine(warmup=1.5)", {}, "a whole number, or below 1 a share"),
    ("cosine(warmup=[1])", {}, "a number"),
    ("cosine(warmup=2**9)", {}, "a number"),
    ("cosine(warmup=x)", {}, "a number"),
    ("cosine(warmup=1e999)", {}, "a number"),
    ("cosine(warmup=True)", {}, "a number"),
    ("cosine(", {}, "does not name one schedule"),
    ("cosine; linear", {}, "does not name one schedule"),
    ("__import__('os')", {}, "given by name"),
    ("", {}, "does not name one schedule"),
    (None, {}, "does not name one schedule"),
    ("step(every=0)", {}, "above 0"),
    ("exponential(end=0)", {}, "above 0"),
    ("one_cycle(rise=1)", {}, "between 0 and 1"),
    ("plateau(patience=1.5)", {}, "a whole number"),
    ("cosine(end=0.1)", {"end": 0.2}, "given twice"),
])  # fmt: skip
def test_choices_that_cannot_be(text: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        schedule(text, **settings)


def test_steps_that_cannot_be() -> None:
    for step, steps in ((-1, 5), (0, 0)):
        with pytest.raises(UsageError, match="steps count from 0"):
            schedule("linear").factor(step, steps)
    with pytest.raises(UsageError, match="takes no settings"):
        schedule(schedule("linear"), end=0.1)

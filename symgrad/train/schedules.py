"""Learning-rate schedules, one row each: what the rate is multiplied by, as a formula of the step.

In a formula `s` counts the steps after the warm-up from 0, `x` is their share of the run in [0, 1]
and `before` the number of steps of the warm-up, at least 1. All can begin with a linear warm-up.

>>> [round(schedule("cosine(warmup=2)").factor(k, 6), 3) for k in range(6)]
[0.5, 1.0, 1.0, 0.854, 0.5, 0.146]
"""

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from symgrad.errors import UsageError
from symgrad.formula import plain
from symgrad.graph import Node
from symgrad.parse import parse
from symgrad.train.calls import called, unknown
from symgrad.train.spelling import Speller, executed

NAMES = ("s", "x", "before")
PLATEAU = "plateau"


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Describe one schedule: its formula and settings.

    `counts` are settings that are numbers of steps, or below 1 shares of the run; `positive` are
    those that are above 0.
    """

    name: str
    formula: str
    settings: Mapping[str, float] = field(default_factory=dict)
    counts: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    doc: str = ""


SCHEDULES: dict[str, Row] = {
    row.name: row
    for row in (
        Row("constant", "1", doc="The rate stays."),
        Row("step", "factor**floor(s/every)", {"every": 0.25, "factor": 0.5}, ("every",),
            ("every",), doc="Multiplied by `factor` after `every` steps."),
        Row("exponential", "end**x", {"end": 0.01}, positive=("end",),
            doc="Falls by the same factor in each step, to `end`."),
        Row("linear", "1 - (1 - end)*x", {"end": 0.0}, doc="Falls in a straight line to `end`."),
        Row("polynomial", "end + (1 - end)*(1 - x)**power", {"power": 2.0, "end": 0.0},
            positive=("power",), doc="Falls to `end` as a power of the steps that are left."),
        Row("cosine", "end + (1 - end)*(1 + cos(pi*x))/2", {"end": 0.0},
            doc="Falls along half a wave to `end` (Loshchilov and Hutter 2017)."),
        Row("inverse_sqrt", "sqrt(before/(before + s))",
            doc="Falls as one over the root of the step (Vaswani et al. 2017)."),
        Row("one_cycle",
            "where(x < rise, first + (1 - first)*(1 - cos(pi*x/rise))/2,"
            " last + (1 - last)*(1 + cos(pi*(x - rise)/(1 - rise)))/2)",
            {"rise": 0.3, "first": 0.04, "last": 4e-6}, positive=("rise",),
            doc="Rises from `first` to 1 in the share `rise` of the run, then falls to `last` "
                "(Smith and Topin 2019)."),
        Row(PLATEAU, "1", {"factor": 0.1, "patience": 10, "threshold": 1e-4, "cooldown": 0,
                           "least": 0.0},
            doc="Multiplied by `factor` when the loss has not fallen by the share `threshold` for "
                "more than `patience` observations."),
    )
}  # fmt: skip


def names() -> list[str]:
    """List the names of all schedules."""
    return list(SCHEDULES)


def schedule(name: "str | Schedule" = "constant", **settings: Any) -> "Schedule":
    """Make a schedule: by name, or by text with settings; nothing is evaluated.

    >>> schedule("step(every=10, factor=0.1)").factor(10, 100)
    0.1
    >>> schedule("cosin")
    Traceback (most recent call last):
    symgrad.errors.UsageError: unknown schedule 'cosin'
    did you mean 'cosine'?  there are: constant, step, exponential, linear, polynomial, ...
    """
    if isinstance(name, Schedule):
        if settings:
            raise UsageError("a schedule that is made already takes no settings")
        return name
    word, given = called(name, "schedule")
    for key in settings:
        if key in given:
            raise UsageError(f"'{key}' is given twice: in {name!r} and beside it")
    if word not in SCHEDULES:
        raise unknown(word, SCHEDULES, "schedule")
    return Schedule(SCHEDULES[word], {**given, **settings})


class Schedule:
    """Say by what the rate is multiplied in a step: a pure function of the step.

    Only "plateau" looks at the loss: its state is a dictionary that JSON can hold, which `begin`
    makes, `observe` renews and `factor` takes.
    """

    def __init__(self, row: Row, settings: Mapping[str, Any] | None = None) -> None:
        self.row, self.name = row, row.name
        known = {**row.settings, "warmup": 0.0}
        for key in settings or {}:
            if key not in known:
                raise unknown(key, known, f"setting of the schedule '{row.name}':")
        self.settings = {
            key: _number(row, key, (settings or {}).get(key, v)) for key, v in known.items()
        }

    @property
    def text(self) -> str:
        """The schedule and its settings as text, which `schedule` reads back."""
        shown = [f"{k}={v:g}" if float(f"{v:g}") == v else f"{k}={v!r}"
                 for k, v in self.settings.items() if k != "warmup" or v]  # fmt: skip
        return f"{self.name}({', '.join(shown)})" if shown else self.name

    def __repr__(self) -> str:
        return f"<{self.text}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Schedule, (self.row, self.settings)

    @property
    def observes(self) -> bool:
        """Whether it looks at the loss."""
        return self.name == PLATEAU

    @cached_property
    def _function(self) -> Any:
        return executed(self.source(), "rate_factor")

    @cached_property
    def _observe(self) -> Any:
        return executed(self.source(), "observed")

    def factor(self, step: int, steps: int, state: Mapping[str, Any] | None = None) -> float:
        """Give the factor of step 0, 1, … of a run of `steps`.

        >>> schedule("linear").factor(5, 10), schedule("constant", warmup=0.2).factor(0, 10)
        (0.5, 0.5)
        """
        if step < 0 or steps < 1:
            raise UsageError(f"no step {step} of {steps}: steps count from 0, and there is one")
        if self.observes:
            return float(self._function(step, steps, state or self.begin()))
        return float(self._function(step, steps))

    def begin(self) -> dict[str, Any]:
        """Make the state before the first observation; empty but for "plateau"."""
        return {"factor": 1.0, "best": None, "wait": 0, "rest": 0} if self.observes else {}

    def observe(self, state: Mapping[str, Any], loss: float) -> dict[str, Any]:
        """Give the state after a loss was seen, of the validation or of an epoch.

        >>> plateau = schedule("plateau(factor=0.5, patience=1)")
        >>> state = plateau.begin()
        >>> for loss in (1.0, 1.0, 1.0):
        ...     state = plateau.observe(state, loss)
        >>> plateau.factor(3, 10, state)
        0.5
        """
        return (
            dict(self._observe(dict(state) or self.begin(), float(loss))) if self.observes else {}
        )

    def formula(self) -> str:
        """Typeset the formula in Unicode; `s` counts steps, x is the share of the run.

        >>> schedule("cosine").formula()
        'end + (1 − end)(1 + cos(π x))/2'
        """
        return plain.write(_read(self.row), {})

    def source(self) -> str:
        """Write the plain function `rate_factor(step, steps)`; it needs `math`.

        >>> print(schedule("linear(warmup=5)").source())
        def rate_factor(step, steps, end=0.0):
            ...
            before = 5
            if step < before:
                return (step + 1) / before
            s = step - before
            x = min(s / max(steps - before, 1), 1.0)
            # 1 − (1 − end) x
            return 1 - (1 - end) * x
        """
        if self.observes:
            return self._plateau()
        row, warmup = self.row, self._warmup() if self.settings["warmup"] else []
        node = _read(row)
        used = _inputs(node)
        listed = [f"{k}={self.settings[k]!r}" for k in row.settings]
        what = textwrap.wrap(row.doc, 88)
        lines = [f"def rate_factor({', '.join(['step', 'steps', *listed])}):",
                 '    """Give the factor of the rate in step 0, 1, … of `steps`.', "",
                 *(f"    {line}" for line in what), '    """', *warmup]  # fmt: skip
        if not warmup and "before" in used:
            lines.append("    before = 1")
        if "s" in used or "x" in used:
            lines.append(f"    s = step{' - before' if warmup else ''}")
        if "x" in used:
            left = "steps - before" if warmup else "steps"
            lines.append(f"    x = min(s / max({left}, 1), 1.0)")
        lines += [f"    {key} = {key} if {key} >= 1 else max({key} * steps, 1)"
                  for key in row.counts]  # fmt: skip
        return "\n".join([*lines, *_returned(node)]) + "\n"

    def _warmup(self) -> list[str]:
        w = self.settings["warmup"]
        count = repr(int(w)) if w >= 1 else f"max(math.ceil({w!r} * steps), 1)"
        return [f"    before = {count}", "    if step < before:",
                "        return (step + 1) / before"]  # fmt: skip

    def _plateau(self) -> str:
        """Write both functions of "plateau": the factor, and the state after an observation."""
        c = self.settings
        warmup = self._warmup() if c["warmup"] else []
        if warmup:
            warmup[-1] = '        return state["factor"] * (step + 1) / before'
        return "\n".join([
            "def rate_factor(step, steps, state):",
            '    """Return what the rate is multiplied by: less after each plateau of the loss."""',
            *warmup,
            '    return state["factor"]',
            "", "",
            "def observed(state, loss):",
            '    """Return the state after a loss was seen."""',
            '    factor, best, wait = state["factor"], state["best"], state["wait"]',
            '    rest = max(state["rest"] - 1, 0)',
            f"    falls = best is None or loss < best - {c['threshold']!r} * abs(best)",
            "    if math.isfinite(loss) and falls:",
            "        best, wait = loss, 0",
            "    else:",
            '        wait = 0 if state["rest"] > 0 else wait + 1',
            f"    if wait > {int(c['patience'])}:",
            f"        factor, wait, rest = max(factor * {c['factor']!r}, {c['least']!r}), 0, "
            f"{int(c['cooldown'])}",
            '    return {"factor": factor, "best": best, "wait": wait, "rest": rest}',
        ]) + "\n"  # fmt: skip


def _returned(node: Node) -> list[str]:
    """Write the last lines: a case distinction as `if`."""
    speller = Speller("float64")
    if node.op != "where":
        note = [f"    # {plain.write(node, {})}"] if node.args else []
        return [*note, f"    return {speller.write(node, {})}"]
    condition, yes, no = node.args
    inner = ["    " + line for line in _returned(yes)]
    return [f"    if {speller.write(condition, {})}:", *inner, *_returned(no)]


@lru_cache(maxsize=64)
def _read(row: Row) -> Node:
    head = [f"{name}: real" for name in (*NAMES, *row.settings)]
    return parse("\n".join([row.formula, *head])).output


def _inputs(node: Node) -> list[str]:
    found: dict[str, None] = {}
    todo = [node]
    while todo:
        n = todo.pop()
        if n.op == "input":
            found[str(n.attrs["name"])] = None
        todo += n.args
    return list(found)


def _number(row: Row, key: str, value: Any) -> float:
    """Check a setting."""
    try:
        number = float(value) if not isinstance(value, bool | str) else math.nan
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise UsageError(f"the setting '{key}' of the schedule {row.name} is a number that is at "
                         f"least 0, not {value!r}"[:200])  # fmt: skip
    if key in row.positive and number == 0:
        raise UsageError(f"the setting '{key}' of the schedule {row.name} is above 0")
    whole = key in ("patience", "cooldown") or (key in (*row.counts, "warmup") and number >= 1)
    if whole and number != int(number):
        raise UsageError(f"'{key}' of the schedule {row.name} is a whole number"
                         + ("" if key in ("patience", "cooldown") else ", or below 1 a share of "
                            "the run") + f", not {number:g}")  # fmt: skip
    if key == "rise" and number >= 1:
        raise UsageError(f"'rise' of the schedule {row.name} lies between 0 and 1")
    return number

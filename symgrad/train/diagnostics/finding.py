"""A finding: what is wrong where, by which numbers, why, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isnan
from typing import Any

from symgrad.curve import number
from symgrad.train.diagnostics.facts import plain

SEVERITIES = ("error", "warning", "note")  # the first: no learning is possible like this


@dataclass(frozen=True, slots=True)
class Finding:
    """Say what was found.

    `what` names the fault, `where` the layer or layers ("" for the whole training), `said` is the
    sentence with the numbers, which `evidence` has in full; `why` is the mechanism and `hint` the
    cure. `severity` is error, warning or note; `line` a line of the source, `step` since when.

    >>> print(Finding("dead units", "h", "warning", "3 of 8 units are dead", why="…", hint="…"))
    warning: dead units in h: 3 of 8 units are dead
    """

    what: str
    where: str
    severity: str
    said: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""
    hint: str = ""
    line: int | None = None
    step: int | None = None

    def __str__(self) -> str:
        place = f" in {self.where}" if self.where else ""
        return f"{self.severity}: {self.what}{place}: {self.said}"

    def to_json(self) -> dict[str, Any]:
        """Give a dictionary of what JSON can hold."""
        found: dict[str, Any] = plain({k: getattr(self, k) for k in self.__slots__})
        found["evidence"] = plain(dict(self.evidence))
        return found


def short(x: float | None) -> str:
    """Write a number with two digits.

    >>> short(0.00123), short(12345.6), short(float("nan")), short(None)
    ('0.0012', '1.2·10⁴', 'nan', '–')
    """
    return "–" if x is None else "nan" if isnan(x) else number(x, 2)


def percent(share: float | None) -> str:
    """Write a share.

    >>> percent(0.254), percent(None)
    ('25%', '–')
    """
    return "–" if share is None else f"{100 * share:.0f}%"


def named(names: list[str]) -> str:
    """List names, the first … the last of many.

    >>> named(["h1", "h2"]), named(["h1", "h2", "h3", "h4"])
    ('h1, h2', 'h1, h2 … h4')
    """
    return ", ".join(names) if len(names) < 4 else f"{names[0]}, {names[1]} … {names[-1]}"

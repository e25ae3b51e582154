"""Random statements with repeats in them compute what they did, written as loops."""

import random
import re
from typing import Any

import pytest

from symgrad.codegen.fast import deep, layers, rounds

INPUTS = [f"i{k}" for k in range(12)]


class Lines:
    """Make up statements that repeat, with others between them."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)
        self.known = list(INPUTS)
        self.runs: list[list[str]] = []  # what was computed in one go
        self.count = 0
        self.lines: list[str] = []
        for _ in range(self.r.randint(2, 6)):
            kind = self.r.random()
            if kind < 0.25:
                body = [line for _ in range(self.r.randint(1, 2)) for line in self.run()]
                if body:
                    self.lines += ["for rows, z1, z2, z3 in T:", *("    " + b for b in body)]
            elif kind < 0.5:
                name = self.r.choice(self.known)
                other = f"{name} += {self.r.choice(self.known)}"
                self.lines.append(f"{self.new('u')} = {name}" if name in INPUTS else other)
            else:
                self.lines += self.run()

    def new(self, stem: str) -> str:
        self.count += 1
        return f"{stem}{self.count}"

    def some(self) -> list[str]:
        if self.runs and self.r.random() < 0.6:
            return self.r.choice(self.runs)[:: self.r.choice([1, 1, -1])]
        return self.r.sample(self.known, min(self.r.randint(3, 8), len(self.known)))

    def run(self) -> list[str]:
        """Write a few rounds of statements."""
        kind = self.r.choice(["begin", "map", "chain", "two", "change", "total"])
        found: list[str] = []
        last, made = self.r.choice(self.known), []
        total = self.new("t")
        if kind == "total":
            found.append(f"{total} = {last}")
        for k, name in enumerate(self.some()):
            one, two = self.new("a"), self.new("b")
            if kind == "change":
                found += [f"{name} += {INPUTS[3]}"] * (name not in INPUTS)
                continue
            found += {
                "begin": [f"{one} = float(0)"],
                "map": [f"{one} = {name} * 2 + 1"],
                "chain": [f"{one} = f({last}, {INPUTS[k % 12]})"],
                "two": [f"{one} = {name} - {INPUTS[k % 12]}", f"{two} = f({one}, {name})"],
                "total": [f"{one} = {name} + {total}", f"{total} += {one}"],
            }[kind]
            last = one
            made += [one, two] if kind == "two" else [one]
        self.known += made
        self.runs += [made] * bool(made)
        return found


def computed(lines: list[str]) -> dict[str, Any]:
    space: dict[str, Any] = {"f": lambda a, b: a * 3 + b * 0.5 + 1, "T": [(1, 2, 3, 4)] * 2}
    space.update((name, k + 1.0) for k, name in enumerate(INPUTS))
    exec("\n".join(lines), space)
    return space


def rolled(made: Lines, returned: list[str]) -> deep.Written:
    used = dict.fromkeys(re.findall(r"\w+", "\n".join(made.lines)))

    def fresh(name: str) -> str:
        found = next(n for k in range(999) if (n := f"{name}{'_' * k}") not in used)
        used[found] = None
        return found

    variables = dict.fromkeys([*used, *INPUTS, "rows", "z1", "z2", "z3", "T"])
    variables = {name: None for name in variables if name not in ("f", "float", "for", "in")}
    names = deep.Names(variables, {}, dict.fromkeys(INPUTS, "input"), {}, {}, fresh)
    lines = [f"return {name}" for name in returned]
    return deep.Deep(names, lambda line: line).write(made.lines, lines, [])


def test_random_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep, "SAVED", 0)
    monkeypatch.setattr(deep, "LONG", 3)
    found = 0
    for seed in range(1000, 2000):
        monkeypatch.setattr(layers, "ROUNDS", 2 + seed % 3)
        monkeypatch.setattr(rounds, "SHORTER", seed % 2)
        made = Lines(seed)
        returned = made.r.sample(made.known, 8)
        written = rolled(made, returned)
        wanted, got = computed(made.lines), computed(written.lines)
        assert [got[name] for name in returned] == [wanted[name] for name in returned], seed
        found += bool(written.loops)
    assert found > 500

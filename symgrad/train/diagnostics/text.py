"""Facts and findings as text: a table for a terminal, the same as Markdown."""

from collections.abc import Callable, Mapping, Sequence
from textwrap import wrap

from symgrad.train.diagnostics.facts import LayerFacts
from symgrad.train.diagnostics.finding import Finding, percent, short

WIDTH = 96
LONG = 20  # characters of a name
COLUMNS: Mapping[str, Callable[[LayerFacts], str]] = {
    "layer": lambda f: _cut(f.name),
    "activation": lambda f: _cut(f.activation),
    "units": lambda f: str(f.units),
    "idle": lambda f: _idle(f),
    "zeros": lambda f: percent(f.zeros),
    "deviation": lambda f: short(f.before.variance**0.5),
    "gradient": lambda f: short(f.gradient),
    "to next": lambda f: short(f.ratio),
    "update": lambda f: short(f.update),
}
LEGEND = (
    "idle: saturated values, or units dead on all samples; deviation: of what enters the "
    "activation; gradient: norm for the weights, and that over the next layer's; update: norm of "
    "the last step over that of the weights"
)


def _cut(text: str) -> str:
    shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return shown if len(shown) <= LONG else shown[: LONG - 1] + "…"


def _idle(f: LayerFacts) -> str:
    if f.nonfinite:
        return f"not finite {percent(f.nonfinite)}"
    if f.dead is not None:
        return f"dead {percent(f.dead)}"
    return f"saturated {percent(f.saturated)}" if f.saturated is not None else "–"


def printed(facts: Sequence[LayerFacts], findings: Sequence[Finding] = ()) -> str:
    """Write facts as a table and findings as sentences, for a terminal.

    >>> print(printed([], [Finding("dead units", "h", "error", "8 of 8", why="w", hint="h")]))
    error: dead units in h: 8 of 8
      why:  w
      hint: h
    """
    lines = []
    if facts:
        rows = [list(COLUMNS), *([say(f) for say in COLUMNS.values()] for f in facts)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (
                t.ljust(w) if k in (0, 1, 3) else t.rjust(w)
                for k, (t, w) in enumerate(zip(row, widths, strict=True))
            )
            lines.append("  ".join(cells).rstrip())
        lines += wrap(LEGEND, WIDTH)
    for finding in findings:
        lines += [""] if lines else []
        lines += wrap(str(finding), WIDTH, subsequent_indent="  ")
        for word, text in (("why: ", finding.why), ("hint:", finding.hint)):
            if text:
                lines += wrap(f"  {word} {text}", WIDTH, subsequent_indent="        ")
    return "\n".join(lines)


def markdown(facts: Sequence[LayerFacts], findings: Sequence[Finding] = ()) -> str:
    """Write the same as Markdown.

    >>> print(markdown([], [Finding("dead units", "h", "error", "8 of 8", why="w", hint="h")]))
    - **error: dead units** in h: 8 of 8. *Why:* w. *Hint:* h.
    """
    lines = []
    if facts:
        rows = [list(COLUMNS), *([say(f) for say in COLUMNS.values()] for f in facts)]
        rows.insert(1, ["---" if k in (0, 1, 3) else "---:" for k in range(len(COLUMNS))])
        lines += ["| " + " | ".join(map(_escaped, row)) + " |" for row in rows]
        lines += ["", LEGEND + "."] + ([""] if findings else [])
    for f in findings:
        place = f" in {_escaped(f.where)}" if f.where else ""
        more = "".join(
            f" *{w}:* {_escaped(t)}." for w, t in (("Why", f.why), ("Hint", f.hint)) if t
        )
        lines.append(f"- **{f.severity}: {f.what}**{place}: {_escaped(f.said)}.{more}")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    r"""Escape what Markdown would read as a mark.

    >>> print(_escaped("a|b_1 <i>"))
    a\|b\_1 \<i>
    """
    return "".join("\\" + c if c in "\\|*_`<[" else c for c in text)

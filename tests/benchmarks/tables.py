"""Print what was measured as tables, which are Markdown too."""

from collections.abc import Iterable
from typing import Any

import bars
from bars import Table, Verdict
from workloads import MORE, NAMED

BEGIN = "<!-- measured: run.py --write-docs writes from here -->"
BEGIN_TRAINING = "<!-- measured: run.py --training --write-docs writes from here -->"
END = "<!-- to here -->"
APART = {work.name for work in MORE}


def table(header: list[str], rows: Iterable[list[str]]) -> list[str]:
    """Align a table; the first column to the left, the others to the right.

    >>> table(["a", "b"], [["x", "1.00"]])
    ['| a |    b |', '|---|-----:|', '| x | 1.00 |']
    """
    cells = [header, *rows]
    widths = [max(len(row[k]) for row in cells) for k in range(len(header))]
    lines = [
        "| " + " | ".join(
            cell.ljust(w) if k == 0 else cell.rjust(w)
            for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        ) + " |"
        for row in cells
    ]  # fmt: skip
    rule = "|".join("-" * (w + 2) if k == 0 else "-" * (w + 1) + ":" for k, w in enumerate(widths))
    return [lines[0], f"|{rule}|", *lines[1:]]


def number(value: float | None) -> str:
    """Write a ratio with its digits that matter."""
    if value is None:
        return ""
    return f"{value:.2f}" if value >= 0.095 else f"{value:.3f}"


def ratios(found: Table, dtype: str) -> list[str]:
    """Show run times as ratios, with geometric means against the bars."""
    style = bars.subject(found)
    timed = dict.fromkeys(
        name for row in found.values() for name, cell in row.items() if "seconds" in cell
    )
    others = [name for name in timed if name not in ("readable", "accurate", "fast")]
    pairs = [(s, "hand") for s in ("readable", "accurate") if s in timed and s != style]
    pairs += [(style, other) for other in others]
    header = ["workload", "hand µs", *(f"{a} / {b}" for a, b in pairs)]
    lines = []
    for name, row in found.items():
        own = row.get("hand", {}).get("seconds", 0.0)
        lines.append(
            [name, f"{own * 1e6:.3g}" if own < 1e-3 else f"{own * 1e6:.0f}"]
            + [
                marked(bars.ratio(row, a, b), None if NAMED[name].scalar else bars.EACH.get((a, b)))
                for a, b in pairs
            ]
        )
    inside = [name for name in bars.TENSOR if name in found]
    apart = [name for name in found if name in APART]
    groups = {f"mean of {len(inside)}": inside, f"mean of {len(apart)} apart": apart}
    for title, names in groups.items():
        if names:
            means = [bars.mean(found, a, b, names) for a, b in pairs]
            lines.append([title, "", *map(number, means)])
    if inside:
        lines += against(found, pairs, style, inside)
    return [f"{dtype}, ratios of medians: below 1, the first one is faster", "",
            *table(header, lines)]  # fmt: skip


def marked(value: float | None, bar: float | None) -> str:
    """Write a ratio; one above the bar of its column ends with an exclamation mark."""
    return number(value) + ("!" if value is not None and bar and value > bar else "")


def against(
    found: Table, pairs: list[tuple[str, str]], style: str, names: list[str]
) -> list[list[str]]:
    """Write the bars of the columns, and whether they are met."""
    asked, met = [], []
    for a, b in pairs:
        if (a, b) in bars.EACH:
            bar = bars.EACH[a, b]
            rows = [row for name, row in found.items() if not NAMED[name].scalar and b in row]
            asked.append(f"each ≤ {bar:.2f}")
            ok = all((bars.ratio(row, a, b) or bar + 1) <= bar for row in rows)
            met.append("met" if ok else "not met")
        elif a == style and b in bars.MEANS:
            value = bars.mean(found, a, b, names)
            asked.append(f"mean ≤ {bars.MEANS[b]:.2f}")
            met.append("" if value is None else "met" if value <= bars.MEANS[b] else "not met")
        else:
            asked.append("")
            met.append("")
    return [["bar", "", *asked], ["", "", *met]]


def firsts(found: Table, counts: dict[str, Any], dtype: str) -> list[str]:
    """Show the time to the first gradient, the peak of memory and the operations."""
    style = bars.subject(found)
    timed = dict.fromkeys(
        name for row in found.values() for name, cell in row.items() if "first" in cell
    )
    skipped = ("hand", "limit", "accurate")
    shown = [name for name in timed if name not in skipped]
    header = ["workload", *(f"{name} ms" for name in shown), "peak kB", "hand kB",
              "operations", "with gradient", "ratio"]  # fmt: skip
    lines = []
    for name, row in found.items():
        cells = [f"{1e3 * row[k]['first']:.1f}" if "first" in row.get(k, {}) else "" for k in shown]
        peaks = [row.get(k, {}).get("peak") for k in (style, "hand")]
        cells += ["" if size is None else f"{size / 1024:,.1f}" for size in peaks]
        count = counts.get(name)
        cells += [str(count.loss), str(count.both), f"{count.ratio:.2f}"] if count else [""] * 3
        lines.append([name, *cells])
    title = (
        f"{dtype}, milliseconds from the text to the first gradient, peak memory of a call"
        f" ({style}, and by hand), operations of the loss and with its gradient"
    )
    return [title, "", *table(header, lines)]


def problems(found: Table, dtype: str) -> list[str]:
    """List what did not run, or did not agree."""
    return [
        f"{dtype} {name}: {who}: {cell['problem']}"
        for name, row in found.items()
        for who, cell in row.items()
        if "problem" in cell
    ]


def growth(series: dict[int, dict[str, Any]], what: str) -> list[str]:
    """Show a growth series."""
    lines = []
    for size, row in series.items():
        if "problem" in row:
            lines.append([f"{size:,}", row["problem"], "", ""])
        else:
            lines.append([f"{size:,}", f"{row['first']:.3f}", f"{row['bytes'] / 1e6:.0f}",
                          f"{row['nanoseconds']:.0f}"])  # fmt: skip
    header = ["operators", "first gradient s", "memory MB", "ns per operator and call"]
    title = f"growth, {what}, each size in a process of its own"
    return [title, "", *table(header, lines)]


def operations(counts: list[Any], all_of_them: bool = False) -> list[str]:
    """Show the operations of the catalogue: all, or those that are near the bar."""
    rows = sorted(counts, key=lambda c: -c.ratio)
    shown = rows if all_of_them else rows[:12]
    title = f"operations of {len(counts)} programs"
    title += "" if all_of_them else ", the highest ratios"
    lines = [[c.name, str(c.loss), str(c.both), f"{c.ratio:.2f}"] for c in shown]
    return [title, "", *table(["program", "loss", "with gradient", "ratio"], lines)]


def verdicts(found: list[Verdict]) -> list[str]:
    """Show every bar, what was measured, whether that meets it."""
    rows = [[v.what, v.asked, v.measured, "met" if v.met else "not met"] for v in found]
    return ["the bars", "", *table(["bar", "asked", "measured", ""], rows)]


def renewed(page: str, block: str, begin: str = BEGIN) -> str:
    r"""Put a block between the marks of a page.

    >>> renewed(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\n\nnew\n\n{END}\nb"
    True
    """
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(END)
    return f"{before}{begin}\n\n{block.strip()}\n\n{END}{after}"

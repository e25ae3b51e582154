"""The tables of a report: metrics, confusion matrix, settings."""

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from symgrad.curve import number
from symgrad.diagram.export.svg import escape

PARTS = ("train", "validation", "test")
BEST = ("accuracy", "r2", "f1", "loss")  # the numbers that a reader looks for first
MOST = 40  # classes of a confusion matrix that can be read
STEPS = (0.02, 0.2, 0.5, 0.8)  # shares of a row from which on a cell is darker


def table(head: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> str:
    """Write a table; the columns `left` are aligned to the left.

    >>> table(["a"], [["<"]]).partition("<tbody>")[2]
    '<tr><td class="left">&lt;</td></tr></tbody></table></div>'
    """

    def row(cells: Sequence[str], tag: str) -> str:
        kinds = [' class="left"' if k in left else "" for k in range(len(cells))]
        made = (f"<{tag}{k}>{escape(c)}</{tag}>" for k, c in zip(kinds, cells, strict=True))
        return f"<tr>{''.join(made)}</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    return (
        f'<div class="scroll"><table><thead>{row(head, "th")}</thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def shown(value: Any) -> str:
    """Write a value of any kind for a reader.

    >>> shown(0.123456), shown(True), shown(None), shown([1, 2]), shown({"H": 64})
    ('0.1235', 'yes', '–', '1, 2', 'H = 64')
    """
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{k} = {shown(v)}" for k, v in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "–"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Real):
        x = float(value)
        return number(x) if x == x else "nan"
    return str(value)


def _percent(name: str, value: float) -> str:
    return f"{100 * value:.1f} %" if name == "accuracy" else shown(float(value))


def _best(found: Mapping[str, Any]) -> str:
    """Choose the part that says most about new data: test, else validation, else training."""
    return next((p for p in reversed(PARTS) if any(k.startswith(f"{p}_") for k in found)), "")


def key_numbers(found: Mapping[str, Any]) -> str:
    """Show the numbers that a reader looks for first as tiles."""
    tiles = []
    for part in reversed(PARTS):
        for name in BEST:
            value = found.get(f"{part}_{name}")
            if isinstance(value, Real):
                tiles.append((_percent(name, float(value)), f"{part} {_called(name)}"))
    tiles = tiles[:4] + [(shown(found[k]), k) for k in ("epochs", "steps") if k in found]
    items = "".join(f"<li><b>{escape(v)}</b><span>{escape(n)}</span></li>" for v, n in tiles)
    return f'<ul class="tiles">{items}</ul>' if tiles else ""


def _called(name: str) -> str:
    return "R²" if name == "r2" else name.replace("_", " ")


def metrics(found: Mapping[str, Any]) -> str:
    """Write single numbers as a table: a row for each, a column for each part of the data."""
    parts = [p for p in PARTS if any(k.startswith(f"{p}_") for k in found)]
    names = dict.fromkeys(
        k[len(p) + 1 :]
        for p in parts
        for k, v in found.items()
        if k.startswith(f"{p}_") and isinstance(v, Real)
    )
    rows = [[_called(n), *(_cell(n, found.get(f"{p}_{n}")) for p in parts)] for n in names]
    rows += [[k, shown(v)] for k, v in found.items()
             if not k.startswith(PARTS) and isinstance(v, Real) and not parts]  # fmt: skip
    return table(["", *(parts or [""])], rows) if rows else ""


def _cell(name: str, value: Any) -> str:
    return _percent(name, float(value)) if isinstance(value, float) else shown(value)


def per_class(found: Mapping[str, Any], classes: Sequence[str]) -> str:
    """Write precision, recall and F₁ of each class."""
    part = _best(found)
    names = [n for n in ("precision", "recall", "f1")
             if isinstance(found.get(f"{part}_{n}"), list | tuple)]  # fmt: skip
    if not names:
        return ""
    columns = [found[f"{part}_{n}"] for n in names]
    if not all(isinstance(v, Real) for c in columns for v in c):
        return ""
    count = min(map(len, columns))
    rows = [
        [_class(k, classes), *(f"{100 * float(c[k]):.1f} %" for c in columns)]
        for k in range(min(count, MOST))
    ]
    heads = ["class", *("F₁" if n == "f1" else n for n in names)]
    return f"<h3>By class, {escape(part)} rows</h3>" + table(heads, rows)


def pair(*parts: str) -> str:
    """Put parts side by side where there is room."""
    shown = [f"<div>{part}</div>" for part in parts if part]
    return f'<div class="pair">{"".join(shown)}</div>' if shown else ""


def _class(k: int, classes: Sequence[str]) -> str:
    return str(classes[k]) if k < len(classes) else str(k)


def confusion(found: Mapping[str, Any], classes: Sequence[str]) -> str:
    """Write the confusion matrix, shaded by the share of each row."""
    part = _best(found)
    counts = found.get(f"{part}_confusion", found.get("confusion"))
    if not isinstance(counts, list | tuple) or not counts:
        return ""
    square = all(isinstance(r, list | tuple) and len(r) == len(counts) for r in counts)
    if not square or not all(isinstance(c, Real) for r in counts for c in r):
        return ""
    title = f"<h3>Confusion matrix{escape(f', {part} rows' if part else '')}</h3>"
    if len(counts) > MOST:
        return f'{title}<p class="soft">{len(counts)} classes are too many to be shown.</p>'
    head = "".join(f"<th>{escape(_class(k, classes))}</th>" for k in range(len(counts)))
    rows = "".join(
        f"<tr><th>{escape(_class(i, classes))}</th>{_counted(row, i)}</tr>"
        for i, row in enumerate(counts)
    )
    return (
        f'{title}<div class="scroll"><table class="confusion">'
        "<caption>Rows are true, columns predicted; shades are shares of a row.</caption>"
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _counted(row: Sequence[Any], own: int) -> str:
    total = sum(row) or 1
    cells = []
    for k, count in enumerate(row):
        level = sum(count / total >= s for s in STEPS) if count else 0
        level = max(level, 1) if count else 0
        kind = f"{'r' if k == own or not level else 'w'}{level}"
        cells.append(f'<td class="{kind}">{count:,}</td>')
    return "".join(cells)


def settings(given: Mapping[str, Any]) -> str:
    """Write settings as a table of two columns."""
    rows = "".join(
        f"<tr><td>{escape(str(k))}</td><td>{escape(shown(v))}</td></tr>" for k, v in given.items()
    )
    return f'<div class="scroll"><table class="settings">{rows}</table></div>' if rows else ""

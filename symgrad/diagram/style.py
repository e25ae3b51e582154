"""Colours and sizes: what a theme may change, and the measures that hold in all of them."""

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from symgrad.arguments import checked
from symgrad.errors import SymgradWarning, UsageError

GATE = 46.0  # diameter of a gate
SYMBOL = 24.0  # em of the symbol in a gate
NUMBER = 22.0  # em of values and gradients
FORMULA = 19.0  # em of an equation on an edge, whose fractions are two lines high
BRANCH = 18.0  # em of the contributions on the branches of a fan-out
NAME = 18.0  # em of the names of intermediate values
TITLE = 24.0
DIGIT = 0.67  # height of a digit in em
LEAF = 40.0  # height of an input
LINE = 1.8
LEGIBLE_CONTRAST = 4.5  # WCAG 2 AA for text
READ = ("value", "gradient", "local", "text", "muted", "warning")
GAP = 8.0  # between a number and the wire
PAD = 8.0  # left and right of the number on a stub
APART = 18.0  # between boxes of one column
MARGIN = 18.0


def _known_colour(role: str, colour: object) -> None:
    """Raise UsageError for a colour of another form: it is written into files as it stands."""
    if not isinstance(colour, str) or not re.fullmatch("#[0-9a-fA-F]{6}", colour):
        raise UsageError(
            f"the colour of {str(role)[:40]} is {str(colour)[:40]!r}",
            hint='colours are like "#00796B"',
        )


@dataclass(frozen=True, slots=True)
class Theme:
    """Name the colours by role; `marks` adds an arrow to gradients where colour says nothing."""

    name: str
    colours: Mapping[str, str]
    marks: bool = False

    def __post_init__(self) -> None:
        for role, colour in self.colours.items():
            if colour != "none":  # a background that lets through what is behind
                _known_colour(role, colour)

    def colour(self, role: str) -> str:
        """Resolve the name of a colour; a literal "#rrggbb" stands for itself."""
        return role if role.startswith("#") else self.colours[role]


_LIGHT = {
    "background": "#FFFFFF",
    "value": "#00796B",
    "gradient": "#D1350F",
    "local": "#1F5FA8",
    "text": "#1B1F24",
    "muted": "#5B6470",
    "edge": "#5B6470",
    "pruned": "#B4BBC4",
    "gate.fill": "#FFFFFF",
    "gate.line": "#1B1F24",
    "input.fill": "#E8F1FA",
    "input.line": "#1F5FA8",
    "parameter.fill": "#FFF4D6",
    "parameter.line": "#A97600",
    "constant.fill": "#F1F3F5",
    "constant.line": "#5B6470",
    "warning": "#A3007A",
    "halo": "#FFD84D",
    "cell": "#FFFFFF",
    "cell.low": "#2F6FC4",
    "cell.high": "#E87B10",
    "cell.text": "#1B1F24",
    "cell.inverse": "#FFFFFF",
    "dead.fill": "#D3D7DC",
    "dead.line": "#8A929C",
    "weak": "#C4CAD2",
    "layer.bar": "#7CA5D8",
    "layer.alarm": "#BA5400",
    "layer.saturated": "#DD7410",
    "unreached": "#C9CED6",
    "unreached.text": "#6F757E",
    "chip.new": "#FFF6CC",
    "chip.upstream": "#FFF2EE",
    "blank": "#FFFFFF",
    "heat.low": "#1B54A8",
    "heat.high": "#E87B10",
    "ink.dark": "#000000",
    "ink.light": "#FFFFFF",
    "off.fill": "#E1E5E9",
    "off.line": "#A3ABB5",
    "mask.on": "#FFFFFF",
    "mask.off": "#3C434C",
    "saturated": "#B34700",
}
_DARK = {
    "background": "#14171C",
    "value": "#4CD3B0",
    "gradient": "#FF8566",
    "local": "#7FB6F5",
    "text": "#EEF1F5",
    "muted": "#9AA4B2",
    "edge": "#9AA4B2",
    "pruned": "#515A66",
    "gate.fill": "#1E222A",
    "gate.line": "#EEF1F5",
    "input.fill": "#1B3350",
    "input.line": "#6FB1F2",
    "parameter.fill": "#463910",
    "parameter.line": "#F0BE3C",
    "constant.fill": "#262B33",
    "constant.line": "#9AA4B2",
    "warning": "#FF7BD5",
    "halo": "#8A7420",
    "cell": "#1E222A",
    "cell.low": "#3F84DC",
    "cell.high": "#D9720F",
    "cell.text": "#EEF1F5",
    "cell.inverse": "#14171C",
    "dead.fill": "#3A414B",
    "dead.line": "#737D8A",
    "weak": "#4A525E",
    "layer.bar": "#5C8FCB",
    "layer.alarm": "#F09A3E",
    "layer.saturated": "#F09A3E",
    "unreached": "#454D59",
    "unreached.text": "#8A929D",
    "chip.new": "#44390E",
    "chip.upstream": "#4A241B",
    "blank": "#1E222A",
    "heat.low": "#3F84DC",
    "heat.high": "#D9720F",
    "ink.dark": "#000000",
    "ink.light": "#FFFFFF",
    "off.fill": "#2A2F38",
    "off.line": "#59626E",
    "mask.on": "#EEF1F5",
    "mask.off": "#0A0C0F",
    "saturated": "#FFB37A",
}
_MONO = {role: "#1B1F24" for role in _LIGHT} | {
    "background": "#FFFFFF",
    "muted": "#4A4F55",
    "edge": "#4A4F55",
    "pruned": "#A8ADB3",
    "gate.fill": "#FFFFFF",
    "input.fill": "#FFFFFF",
    "parameter.fill": "#E6E6E6",
    "constant.fill": "#FFFFFF",
    "constant.line": "#4A4F55",
    "halo": "#D0D0D0",
    "cell": "#FFFFFF",
    "cell.low": "#8E8E8E",
    "cell.high": "#C9C9C9",
    "cell.inverse": "#FFFFFF",
    "dead.fill": "#E0E0E0",
    "dead.line": "#8A929C",
    "weak": "#C4CAD2",
    "layer.bar": "#B9BEC4",
    "layer.alarm": "#1B1F24",
    "layer.saturated": "#1B1F24",
    "unreached": "#C9CED6",
    "unreached.text": "#6F757E",
    "chip.new": "#E4E4E4",
    "chip.upstream": "#F1F1F1",
    "blank": "#FFFFFF",
    "heat.low": "#5E5E5E",
    "heat.high": "#A8A8A8",
    "ink.dark": "#000000",
    "ink.light": "#FFFFFF",
    "off.fill": "#EBEBEB",
    "off.line": "#A8A8A8",
    "mask.on": "#FFFFFF",
    "mask.off": "#3A3A3A",
}

THEMES: Mapping[str, Theme] = MappingProxyType(
    {
        "light": Theme("light", MappingProxyType(_LIGHT)),
        "dark": Theme("dark", MappingProxyType(_DARK)),
        "mono": Theme("mono", MappingProxyType(_MONO), marks=True),
        # blue and vermillion stay far apart for every kind of colour vision
        "colorblind": Theme("colorblind", MappingProxyType(_LIGHT | {"value": "#0B5FA5"})),
    }
)


def theme_named(name: str | Theme) -> Theme:
    """Find a theme by name; a theme of one's own stands for itself.

    >>> theme_named("dark").colour("value")
    '#4CD3B0'
    """
    if isinstance(name, Theme):
        return name
    if not isinstance(name, str) or name not in THEMES:
        raise UsageError(f"unknown theme {name!r}", hint="known are: " + ", ".join(THEMES))
    return THEMES[name]


def theme(
    base: str | Theme = "light", colours: Mapping[str, str] | None = None, *, name: str = "own"
) -> Theme:
    """Make a theme of one's own: a known one with other colours ("#rrggbb", by role).

    Warns where numbers or text would be hard to read on the background (contrast below 4.5).
    Raises `UsageError` for an unknown role or a colour of another form.

    >>> mine = theme("light", {"value": "#004488"}, name="department")
    >>> mine.colour("value"), mine.colour("gradient")
    ('#004488', '#D1350F')
    """
    checked(theme, locals())
    found = theme_named(base)
    for role, colour in (colours or {}).items():
        if role not in found.colours:
            raise UsageError(
                f"a theme has no colour {role!r}", hint="known are: " + ", ".join(found.colours)
            )
        _known_colour(role, colour)
    own = {**found.colours, **{k: v.upper() for k, v in (colours or {}).items()}}
    made = Theme(str(name), MappingProxyType(own), found.marks)
    for role in READ:
        if contrast(own[role], own["background"]) < LEGIBLE_CONTRAST:
            warnings.warn(
                f"the colour of {role}, {own[role]}, is hard to read on {own['background']}",
                SymgradWarning,
                stacklevel=2,
            )
    return made


def blend(low: str, high: str, share: float) -> str:
    """Mix two colours linearly; share 0 gives the first, 1 the second.

    >>> blend("#000000", "#FFFFFF", 0.5)
    '#808080'
    """
    pairs = ((int(low[i : i + 2], 16), int(high[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share + 1e-9):02X}" for a, b in pairs)


def contrast(one: str, other: str) -> float:
    """Give the contrast of two colours as WCAG 2 defines it, from 1 to 21.

    >>> round(contrast("#000000", "#FFFFFF"))
    21
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

"""The signs from which a page composes its numbers when they change."""

from dataclasses import dataclass, replace

from symgrad.diagram.measure import EM, Segment, math
from symgrad.diagram.page.glyphs import Glyphs, Use

Path = tuple[Segment, ...]
# [how far the pen moves, left and right end of the ink, the glyphs and their places]
Sign = list[object]


@dataclass(frozen=True, slots=True)
class _Cut:
    """Hold a piece of a typeset formula and how far it moves the pen."""

    path: Path
    advance: int


def signs(glyphs: Glyphs, arrays: bool = False) -> dict[str, Sign]:
    """Measure every sign that a number can have, as `measure.decimal` sets them.

    With `arrays`, also what is written beside matrices: a common power of ten, and shares.

    Digits raised as an exponent are written "^0" to "^9", the factor ten before them "e".
    """
    cuts: dict[str, _Cut] = {c: _Cut(math(c).path, _advance(c)) for c in "0123456789."}
    cuts["-"] = _before("{-}")
    cuts["<"] = _before(r"{\leftarrow}\,")
    cuts |= {c: _Cut(math(c).path, _advance(c)) for c in "()"}
    cuts["e"] = _after(r"0{\times}10", "0", cuts["0"].advance)
    cuts |= _exponents(cuts["0"].advance + cuts["e"].advance)
    whole = {"i": r"\infty", "n": r"\mathrm{NaN}", "=": "=", "~": r"\approx"}
    cuts |= {c: _Cut(math(latex).path, round(math(latex).right * EM)) for c, latex in whole.items()}
    if arrays:
        zero = cuts["0"].advance
        cuts["times"] = _start(r"\times 10", "10")
        cuts["lt"], cuts["gt"] = (_start(f"{c}0", "0") for c in "<>")
        for name, suffix in SHARES.items():
            cuts[name] = _after(f"0{suffix}", "0", zero)
        step = math(rf"0{DOTS}0").right - math("00").right
        cuts["dots"] = replace(_after(f"0{DOTS}", "0", zero), advance=round(step * EM))
    return {c: _sign(cut, glyphs) for c, cut in cuts.items()}


DOTS = r"\;\ldots\;"
SHARES = {
    "share": r"\,\%",
    "pass": r"\,\%\,\mathrm{pass}",
    "true": r"\,\%\;\mathrm{true}",
}


def _start(latex: str, rest: str) -> _Cut:
    """Cut off what stands before an expression."""
    behind, both = math(rest).path, math(latex).path
    head = both[: len(both) - len(behind)]
    return _Cut(head, both[len(head)][1][0] - behind[0][1][0])


def _sign(cut: _Cut, glyphs: Glyphs) -> Sign:
    xs = [v for _, c in cut.path for v in c[0::2]] or [0]
    uses: list[Use] = list(glyphs.placed(cut.path))
    return [cut.advance, min(xs), max(xs), [list(use) for use in uses]]


def _advance(c: str) -> int:
    return round((math(f"0{c}0").right - math("00").right) * EM)


def _before(latex: str) -> _Cut:
    """Cut off what stands before a digit."""
    zero, both = math("0").path, math(f"{latex}0").path
    rest = both[: len(both) - len(zero)]
    return _Cut(rest, both[len(rest)][1][0] - zero[0][1][0])


def _after(longer: str, shorter: str, pen: int) -> _Cut:
    """Cut off what `longer` has behind `shorter`, which moves the pen so far."""
    rest = math(longer).path[len(math(shorter).path) :]
    right = round(math(longer).right * EM)
    return _Cut(_shifted(rest, -pen), right - pen)


def _exponents(pen: int) -> dict[str, _Cut]:
    """Cut off raised digits and a raised minus."""
    ten = r"0{\times}10"
    cuts: dict[str, _Cut] = {}
    two = math(rf"{ten}^{{00}}").right
    for c in "0123456789":
        step = round((math(rf"{ten}^{{0{c}0}}").right - two) * EM)
        cuts[f"^{c}"] = _Cut(_after(rf"{ten}^{{{c}}}", ten, pen).path, step)
    zero, signed = cuts["^0"].path, _after(rf"{ten}^{{-0}}", ten, pen).path
    rest = signed[: len(signed) - len(zero)]
    cuts["^-"] = _Cut(rest, signed[len(rest)][1][0] - zero[0][1][0])
    return cuts


def _shifted(path: Path, dx: int) -> Path:
    return tuple((k, tuple(v if i % 2 else v + dx for i, v in enumerate(xs))) for k, xs in path)

"""Names that print alike although they are spelt differently: lam and λ, x_hat and x̂.

>>> printed("lam1") == printed("λ1"), printed("x1") == printed("x_1")
(True, False)
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

ACCENTS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303", "dot": "\u0307", "vec": "\u20d7"}
ACCENTED = re.compile(rf"_({'|'.join(ACCENTS)})(?=_|$)")
ALIASES = {
    "lam": "lamda",
    "lambda_": "lamda",
    "lambda": "lamda",
    "Lambda": "Lamda",
    "eps": "epsilon",
}
ALIKE = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo")  # Greek letters that look Latin
USUAL = re.compile(r"^[A-Za-z]+[0-9_]*$", re.MULTILINE)
WORD = re.compile(r"[A-Za-z]+")
STEM = re.compile(r"(lambda_|[^\W\d_]+)(.*)", re.DOTALL)


@cache
def greek(word: str) -> str:
    """Give the Greek letter that a word spells, or the word itself.

    >>> greek("alpha"), greek("Sigma"), greek("weight")
    ('α', 'Σ', 'weight')
    """
    spelt = ALIASES.get(word, word)
    case = "SMALL" if spelt.islower() else "CAPITAL" if spelt.istitle() else ""
    try:
        return unicodedata.lookup(f"GREEK {case} LETTER {spelt.upper()}") if case else word
    except KeyError:
        return word


def printed(name: str) -> str:
    """Give what a name looks like in a formula, so that names which look alike agree."""
    letters = name.rstrip("0123456789")
    if name.isascii() and letters.isalpha() and greek(letters) == letters:
        return name
    match = STEM.fullmatch(name)
    if match is None:
        return name
    stem, rest = match.groups()
    if "_" in rest:
        rest = ACCENTED.sub(lambda m: ACCENTS[m[1]], rest)
    if rest.isascii() and (shown := greek(stem)) == stem and stem.isascii():
        return shown + rest
    return unicodedata.normalize("NFC", (greek(stem) + rest).translate(ALIKE))


def _usual(names: list[str]) -> bool:
    """Say of Latin letters with digits behind them that all print as they are typed."""
    joined = "\n".join(names)
    if not joined.isascii() or len(USUAL.findall(joined)) < len(names):
        return False
    return all(greek(word) == word for word in dict.fromkeys(WORD.findall(joined)))


def alike(names: Iterable[str]) -> tuple[str, str] | None:
    """Find two different names that print alike, the later one first.

    >>> alike(["x", "lam", "λ"]), alike(["x", "lam"])
    (('λ', 'lam'), None)
    """
    listed = list(names)
    if _usual(listed):
        return None
    seen: dict[str, str] = {}
    for name in listed:
        first = seen.setdefault(printed(name), name)
        if first != name:
            return name, first
    return None

r"""Typeset identifiers: W1 is W with the subscript 1, x_hat has a hat, lam is a lambda.

>>> latex_name("W1"), latex_name("x_hat"), latex_name("sigma2"), latex_name("dL_dW")
('W_{1}', '\\hat{x}', '\\sigma^{2}', '\\mathrm{dL\\_dW}')
>>> plain_name("W1"), plain_name("lam")
('W₁', 'λ')
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eps": "ε",
    "zeta": "ζ", "eta": "η", "theta": "θ", "iota": "ι", "kappa": "κ", "lam": "λ", "lambda_": "λ",
    "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ", "Delta": "Δ",
    "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω",
}  # fmt: skip
COMMAND = {"lam": r"\lambda", "lambda_": r"\lambda", "eps": r"\varepsilon"}
LETTER = {letter: COMMAND.get(word, "\\" + word) for word, letter in reversed(GREEK.items())}
ACCENTS = {
    "hat": (r"\hat", "\u0302"), "bar": (r"\bar", "\u0304"), "tilde": (r"\tilde", "\u0303"),
    "dot": (r"\dot", "\u0307"), "vec": (r"\vec", "\u20d7"),
}  # fmt: skip
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
RAISED = str.maketrans("0123456789()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾")
PARTS = re.compile(r"([^\W\d_]+?)(\d*)((?:_[^\W_]+)*)")  # letter or word, number, subscripts
NUMBERED = re.compile(r"([^\W\d_]+)(\d+)")
PRIMES = 3  # derivatives up to this order have primes, higher ones a number
NOTHING: Mapping[str, str] = MappingProxyType({})
SQUARED = ("sigma2",)  # names that mean a square, not an index
SPECIAL = {c: "\\" + c for c in "_%$#&{}"} | {
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "\\": r"\textbackslash{}",
}


def escape(text: str) -> str:
    """Write any text so that LaTeX sets it as text."""
    return "".join(SPECIAL.get(c, c) for c in text)


MARKS = {
    "\u0300": r"\grave", "\u0301": r"\acute", "\u0302": r"\hat", "\u0303": r"\tilde",
    "\u0304": r"\bar", "\u0306": r"\breve", "\u0307": r"\dot", "\u0308": r"\ddot",
    "\u030a": r"\mathring", "\u030c": r"\check", "\u20d7": r"\vec",
}  # fmt: skip
DOTLESS = {"i": r"\imath", "j": r"\jmath", "ı": r"\imath", "ȷ": r"\jmath"}
UPRIGHT = {"ς": r"\varsigma", "ϑ": r"\vartheta", "ϖ": r"\varpi", "ϝ": r"\digamma"}
KNOWN = "ßæÆœŒøØłŁçÇşŞţŢ"  # what pdflatex's text fonts have as it is
CLUSTER = re.compile(r"\\text\{.\}|([^\W\d_])([\u0300-\u036f\u20d0-\u20ff]*)")
LATIN_LIKE = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True))


def portable(text: str, prose: bool = False) -> str:
    r"""Write the letters of a formula so that pdflatex sets them without further packages.

    In `prose` they may stand in text too. Scripts that are neither Latin nor Greek stay as they
    are; they need lualatex or xelatex.

    >>> portable(r"\mathrm{naïve}"), portable("x\u0302 + ß")
    ('\\mathrm{na\\ddot{\\imath}ve}', '\\hat{x} + \\text{ß}')
    """
    if text.isascii():
        return text

    def written(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return match.group()
        parts = unicodedata.normalize("NFD", match.group())
        whole = unicodedata.normalize("NFC", match.group())
        if whole.isascii() or whole in KNOWN:
            return whole if whole.isascii() or prose else rf"\text{{{whole}}}"
        found = _marked(parts[0], parts[1:])
        return rf"\ensuremath{{{found}}}" if prose and "\\" in found else found

    return CLUSTER.sub(written, text)


def _marked(letter: str, marks: str) -> str:
    """Put accents on a letter; one that TeX has no command for is named by its code point."""
    name = unicodedata.name(letter, "")
    above = letter in DOTLESS and bool(marks)
    text = DOTLESS[letter] if above or letter in "ıȷ" else LETTER.get(letter, letter)
    text = UPRIGHT.get(letter) or LATIN_LIKE.get(letter) or text
    if not name.startswith(("LATIN", "GREEK")):
        return letter + marks
    odd = [c for c in (text if len(text) == 1 else "", *marks) if c and c not in MARKS]
    for mark in marks:
        text = f"{MARKS[mark]}{{{text}}}" if mark in MARKS else text
    unknown = "".join(f"U+{ord(c):04X}" for c in odd if not c.isascii())
    text = text if text.isascii() else ""
    if unknown:
        return rf"{text}\text{{[{unknown}]}}"
    return f"{{{text}}}" if text.startswith("\\") and not marks else text


def _split(name: str) -> tuple[str, list[str], list[str]]:
    """Split a name into its letter, accents and subscripts; no letter if it is just a word."""
    match = PARTS.fullmatch(name)
    if not match:
        return "", [], []
    stem, digits, tail = match.groups()
    parts = tail.split("_")[1:]
    accents = [p for p in parts if p in ACCENTS]
    subs = ([digits] if digits else []) + [p for p in parts if p not in ACCENTS]
    simple = len(stem) == 1 or stem in GREEK
    if not simple or (len(subs) > 1 and any(len(s) > 3 for s in subs)):
        return "", [], []
    return stem, accents, subs


def _command(stem: str) -> str:
    if stem in GREEK:
        return COMMAND.get(stem, "\\" + stem)
    if stem in LETTER:
        return LETTER[stem]
    return stem if stem.isascii() else rf"\mathrm{{{stem}}}"


def latex_name(name: str) -> str:
    """Typeset an identifier in LaTeX."""
    if name in SQUARED:
        return _command(name[:-1]) + "^{2}"
    stem, accents, subs = _split(name)
    if not stem:
        word, digits = re.fullmatch(r"(.*?)(\d*)", name, re.DOTALL).groups()  # type: ignore[union-attr]
        if word and digits and word.isalpha():
            return rf"\mathrm{{{escape(word)}}}_{{{digits}}}"
        return rf"\mathrm{{{escape(name)}}}"
    text = _command(stem)
    for accent in accents:
        text = f"{ACCENTS[accent][0]}{{{text}}}"
    if subs:
        shown = [
            s if s.isdigit() or len(s) == 1 else _command(s) if s in GREEK
            else rf"\mathrm{{{escape(s)}}}"
            for s in subs
        ]  # fmt: skip
        text += f"_{{{','.join(shown)}}}"
    return text


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Typeset an identifier in Unicode."""
    if name in SQUARED:
        return GREEK[name[:-1]] + "²"
    stem, accents, subs = _split(name)
    if not stem and (word := NUMBERED.fullmatch(name)):
        return word[1] + word[2].translate(SUBSCRIPT)  # net1
    if not stem or any(not s.isdigit() for s in subs):
        return name
    text = GREEK.get(stem, stem)
    for accent in accents:
        text = unicodedata.normalize("NFC", text + ACCENTS[accent][1])
    return text + ",".join(subs).translate(SUBSCRIPT)


def layered(name: str, layers: str, *, latex: bool) -> str:
    r"""Typeset a name whose number is a layer: W1 is W^[1] ("bracket") or W^(1) ("paren").

    >>> layered("W1", "bracket", latex=True), layered("W1", "paren", latex=False)
    ('{W^{[1]}}', 'W⁽¹⁾')
    """
    match = re.fullmatch(r"(.*[^\W\d_])_?(\d+)", name)
    if layers == "index" or not match or name in SQUARED:
        return latex_name(name) if latex else plain_name(name)
    stem, number = match.groups()
    left, right = "[]" if layers == "bracket" else "()"
    if latex:  # in braces, so that a transpose or a power can follow
        return f"{{{latex_name(stem)}^{{{left}{number}{right}}}}}"
    if layers == "paren":
        return plain_name(stem) + f"({number})".translate(RAISED)
    return f"{plain_name(stem)}^[{number}]"


def _letter(function: str) -> str:
    """Write a function's name so that no part of it reads as a power."""
    return f"{function[:-1]}_{function[-1]}" if function in SQUARED else function


def latex_function(name: str, order: int) -> str:
    r"""Typeset an abstract function, or its derivative of an order, in LaTeX.

    >>> latex_function("phi", 0), latex_function("phi", 2), latex_function("f", 4)
    ('\\phi', "\\phi''", 'f^{(4)}')
    """
    mark = "'" * order if order <= PRIMES else f"^{{({order})}}"
    return latex_name(_letter(name)) + mark


def plain_function(name: str, order: int) -> str:
    """Typeset an abstract function, or its derivative of an order, in Unicode.

    >>> plain_function("phi", 0), plain_function("phi", 3), plain_function("f", 10)
    ('φ', 'φ‴', 'f⁽¹⁰⁾')
    """
    mark = ("", "′", "″", "‴")[order] if order <= PRIMES else f"({order})".translate(RAISED)
    return plain_name(_letter(name)) + mark


def distinct(
    names: Iterable[str],
    latex: bool = True,
    typeset: Callable[[str], str] | None = None,
    settled: Mapping[str, str] = NOTHING,
) -> dict[str, str]:
    r"""Typeset names so that different names look different: x1 and x_1 stay apart.

    Of names that would look alike the shortest keeps its form, the others are spelt out, in
    whatever order they come. Names in `settled` have their texts already.

    >>> distinct(["x_1", "x1"]), distinct(["sigma", "sigma2"], latex=False)
    ({'x_1': '\\mathrm{x\\_1}', 'x1': 'x_{1}'}, {'sigma': 'σ', 'sigma2': 'sigma2'})
    """
    usual = typeset or (latex_name if latex else plain_name)
    square = "^{2}" if latex else "²"
    texts = {name: usual(name) for name in names}
    taken = {text: name for name, text in settled.items()}
    for name in sorted(texts, key=lambda n: (len(n), n)):
        taken.setdefault(texts[name], name)
    shown: dict[str, str] = {}
    for name, text in texts.items():
        squared = text.endswith(square) and text.removesuffix(square) in taken
        alike = taken[text] != name or squared
        spelt = rf"\mathrm{{{escape(name)}}}" if latex else name
        shown[name] = settled.get(name) or (spelt if alike else text)
    return shown

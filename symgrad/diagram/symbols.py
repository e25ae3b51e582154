"""Symbols as plain Unicode text, for formats that cannot show typeset mathematics."""

import re

from symgrad.formula.names import GREEK, latex_name

_WORDS = {latex_name(word): letter for word, letter in GREEK.items()} | {
    r"\times": "×",
    r"\div": "÷",
    r"\sigma": "σ",
    r"\Sigma": "Σ",
    r"\top": "ᵀ",
    r"\leq": "≤",
    r"\geq": "≥",
    r"\le": "≤",
    r"\ge": "≥",
    r"\neq": "≠",
    r"\ne": "≠",
    r"\infty": "∞",
    r"\sqrt": "√",
    r"\otimes": "⊗",
    r"\odot": "⊙",
    r"\wedge": "∧",
    r"\cdot": "·",
    r"\lfloor": "⌊",
    r"\rfloor": "⌋",
    r"\lvert": "|",
    r"\rvert": "|",
    r"\|": "‖",
    r"\,": " ",
    r"\;": " ",
    r"\mathrm": "",
    r"\operatorname": "",
}
_RAISED = str.maketrans("0123456789+-.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻·")


def unicode_symbol(latex: str) -> str:
    r"""Write the LaTeX of a symbol as plain text.

    >>> unicode_symbol(r"\times{-}1"), unicode_symbol("x^{2}"), unicode_symbol(r"\mathrm{exp}")
    ('×−1', 'x²', 'exp')
    """
    text = re.sub(r"\^\{([0-9.+-]+)\}", lambda m: m[1].translate(_RAISED), latex)
    text = re.sub(r"\\(?:[A-Za-z]+|.)", lambda m: _WORDS.get(m[0], m[0][1:]), text)
    text = re.sub(r"\^\{([^{}]*)\}", r"^\1", text)
    text = text.replace("'", "′")  # a derivative
    return text.replace("{", "").replace("}", "").replace("-", "−").strip()

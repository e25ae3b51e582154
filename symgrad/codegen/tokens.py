"""Check a long generated module by its tokens, without a syntax tree.

A tree of 10^5 lines costs seconds and a gigabyte. A module that is made of arithmetic, loops over
ranges, lists and calls from a list can be told by its tokens alone.
"""

import keyword
import math
import re
from collections.abc import Iterable

LONG = 20_000  # characters
QUOTED = re.compile(r'"""[^"\\]*"""|"[^"\\\n]*"|#[^\n]*')
OTHER = re.compile(r"[^\w\s\x01+\-*/%()\[\]{},:=<>!&.]|\w\x01")  # a letter makes code of a string
IMPORTS = re.compile(r"^import (?:math|numpy as np)$", re.MULTILINE)
DEFINED = re.compile(r"^def (\w+)\(", re.MULTILINE)
NAMES = re.compile(r"[^\W\d]\w*")
CALLED = re.compile(r"(?<![\w.])([^\W\d]\w*)\s*\(")
DOTTED = re.compile(r"(?<![\w.])(?:np|math|m)\.([A-Za-z]\w*)\b(?!\.)")
DOTS = re.compile(r"[^\W\d]\w*\s*\.|[)\]}]\s*\.|\.\s*[^\W\d]")
COMPUTED = re.compile(r"[)\]}]\s*[(]")
WORDS = ("def", "return", "import", "as", "if", "else", "for", "in", "try", "except", "with",
         "or", "and", "not", "pass")  # fmt: skip
SPLIT = re.compile(r"\n\s*(?=[(.])")  # a call or a dot may stand on the line after its name
DIGITS = str.maketrans("123456789", "0" * 9)
MATH = tuple(name for name in dir(math) if not name.startswith("_"))


def plain(source: str, called: Iterable[str]) -> bool:
    r"""Say whether a module does nothing but compute with numbers; `called` may be called in it.

    >>> plain("import math\ndef f(x):\n    return abs(x)*2.0\n", ["abs"])
    True
    >>> plain("import os\n", []) or plain("x = y.__class__\n", []) or plain("open(1)\n", [])
    False
    """
    bare = _kinds(QUOTED.sub(lambda m: "" if m[0][0] == "#" else "\x01", source))
    if OTHER.search(bare) or COMPUTED.search(bare):
        return False
    bare = IMPORTS.sub("", bare)
    own = DEFINED.findall(bare)
    allowed = {*map(_digits, (*called, *MATH)), *own, *WORDS}
    if any(name not in allowed for name in dict.fromkeys(CALLED.findall(bare))):
        return False
    if any(name.startswith("_") for name in DOTTED.findall(bare)):
        return False
    bare = DOTTED.sub("0", bare)
    if DOTS.search(bare):
        return False
    for name in dict.fromkeys(NAMES.findall(bare)):
        if name.startswith("__") or name == "import":
            return False
        if keyword.iskeyword(name) and name not in WORDS:
            return False
    return True


def _kinds(bare: str) -> str:
    r"""List once the lines that differ in digits alone: what may be called depends on no digit.

    >>> _kinds("v1 = a*b\nv27 = a*b\nlog\n(v27)")
    'v0 = a*b\nlog(v0)'
    """
    return "\n".join(dict.fromkeys(_digits(SPLIT.sub("", bare)).split("\n")))


def _digits(text: str) -> str:
    """Write 0 for every run of digits.

    >>> _digits("log1p(v120)")
    'log0p(v0)'
    """
    text = text.translate(DIGITS)
    while "00" in text:
        text = text.replace("00", "0")
    return text

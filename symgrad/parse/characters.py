"""Which characters a program may hold: deceptive ones are refused, others get what to type instead.

>>> hint_for("×"), hint_for("½")
('write *', 'write 1/2')
"""

import codecs
import re
import unicodedata

from symgrad.errors import ParseError, Span

LATIN, GREEK, CYRILLIC = "LATIN", "GREEK", "CYRILLIC"
MARKS = 2  # combining marks on one letter, as in a hat with a bar
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
TYPED = {
    "·": "*", "⋅": "*", "⊙": "*", "∘": "*", "•": "*", "⊗": "outer(a, b)",
    "∕": "/", "⁄": "/", "–": "-", "—": "-", "‐": "-", "‑": "-",
    "≤": "<=", "≥": ">=", "≠": "!=", "≡": "==", "√": "sqrt(x)", "∞": "inf",
    "←": "=", "≔": "=", "’": "straight quotes, or .T for a transpose", "‖": "norm(x)",
    "⊤": ".T for a transpose", "⌊": "floor(x)", "⌋": "floor(x)", "⌈": "-floor(-x)",
    "′": "y1 for another y, or x.T for a transpose", "ᵀ": ".T for a transpose",
    "∑": "sum(a[i] for i in N), or sum(x)", "∏": "prod(a[i] for i in N), or prod(x)",
    "¬": "1 - c for a condition c", "∧": "c1*c2 for two conditions", "∈": "name: kind[dimensions]",
}  # fmt: skip
ABSENT = {
    "∫": "there are no integrals in the language",
    "∂": "write the function only; symgrad derives its gradients",
    "∇": "write the function only; symgrad derives its gradients",
    "±": "write + or -, on lines of their own", "∓": "write + or -, on lines of their own",
    "→": "write  name = expression", "⇒": "write  name = expression",
    "$": "write the formula without $", "`": "leave the ` out",
}  # fmt: skip
NAMED = (  # what stands in a character's name, and what to type
    ("MULTIPLICATION", "*"), ("ASTERISK", "*"), ("PLUS SIGN", "+"), ("MINUS SIGN", "-"),
    ("DIVISION SIGN", "/"), ("LESS-THAN", "< or <="), ("GREATER-THAN", "> or >="),
    ("EQUAL TO", "=="), ("ARROW", "name = expression"), ("CUBE ROOT", "x**(1/3)"),
    ("VERTICAL", "abs(x)"), ("PARALLEL TO", "norm(x)"), ("LOGICAL OR", "max(c1, c2)"),
    ("SUMMATION", "sum(x)"), ("QUOTATION MARK", "straight quotes"),
)  # fmt: skip
INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"  # letters and marks that show nothing


def plain(text: str) -> str:
    r"""Write line ends and blanks as Python wants them, and drop a byte order mark at the start.

    >>> plain("\ufeffx\u00a0+ y\r\nz")
    'x + y\nz'
    """
    text = text.removeprefix(BOM)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.isascii() else re.sub(r"[^\S\n\t\f\v\x1c-\x1f\x85\u2028\u2029]", " ", text)


def decoded(data: bytes, what: str) -> str:
    """Read the bytes of a program, which are UTF-8; raise ParseError at the first that is none.

    >>> decoded("λ*x".encode(), "a.sg")
    'λ*x'
    """
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or data[1:2] == b"\0"
    if wide or data[:1] == b"\0":
        raise ParseError(f"{what} is UTF-16 or UTF-32 text, or no text at all", span=Span(1, 1, 2),
                         hint="save it as UTF-8")  # fmt: skip
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode().replace("\r\n", "\n").split("\n")
        span = Span(len(before), len(before[-1]) + 1, len(before[-1]) + 2)
        byte = data[error.start]
        raise ParseError(f"{what} is not UTF-8 text: the byte {byte:#04x}", span=span,
                         source=data.decode(errors="replace").replace("\r\n", "\n"),
                         hint=f"save it as UTF-8; in Latin-1 the byte would be "
                         f"{bytes([byte]).decode('latin-1')}") from None  # fmt: skip


def folded(name: str) -> str:
    """Spell a name as Python does, so that ϕ and φ, ﬁ and fi are one.

    Every name that comes from elsewhere than the text, wrt=, at= and shapes=, goes through here.

    >>> folded("ϕ") == "φ", folded("x1")
    (True, 'x1')
    """
    if not isinstance(name, str) or name.isascii():
        return name
    return unicodedata.normalize("NFKC", name)


def named(c: str) -> str:
    """Give the code point and the name of a character.

    >>> named("x")
    'U+0078 LATIN SMALL LETTER X'
    """
    return f"U+{ord(c):04X} {unicodedata.name(c, '(no name)')}"


def shown(c: str) -> str:
    """Say that a character is refused; show it where it can be seen."""
    if c.isprintable() and not c.isspace() and unicodedata.category(c)[0] != "M":
        return f"{c} is not in the language ({named(c)})"
    return f"{named(c)} is not in the language"


def hint_for(c: str) -> str:
    """Say what to type instead of a character; "" where nothing is known."""
    if c in TYPED:
        return f"write {TYPED[c]}"
    if c in ABSENT:
        return ABSENT[c]
    kind = unicodedata.decomposition(c).partition(" ")[0]
    folded = unicodedata.normalize("NFKC", c)
    if kind == "<super>":
        return f"write **{folded} for a power" if folded.isalnum() else "write ** for a power"
    if kind == "<sub>":
        return f"write it as a part of the name: x{folded}, which prints as x{c}"
    if kind in ("<fraction>", "<wide>") and "\N{FRACTION SLASH}" in folded:
        return f"write {folded.replace(chr(0x2044), '/')}"
    if folded.isascii() and folded.isprintable():
        return f"write {folded}"
    if not c.isprintable() or unicodedata.category(c) in ("Cf", "Zl", "Zp"):
        return "delete it; it cannot be seen" if c not in "\u2028\u2029\x85\v\f" else "end the line"
    if c.isdigit():
        return "write digits from 0 to 9"
    name = unicodedata.name(c, "")
    for words, typed in NAMED:
        if words in name:
            return f"write {typed}"
    return "delete it; names are made of letters, digits and _"


def comment(token: str, span: Span, text: str) -> None:
    """Refuse in blanks and comments only what could hide code from a reader."""
    for k, c in enumerate(token):
        if unicodedata.category(c) == "Cf":
            place = Span(span.line, span.column + k, span.column + k + 1)
            raise ParseError(f"the invisible character {named(c)} stands in a comment", span=place,
                             source=text, hint=hint_for(c))  # fmt: skip


def check(token: str, span: Span, text: str, spellings: dict[str, str]) -> None:
    """Refuse deceptive characters in a token by code point; Greek is always allowed."""
    scripts: dict[str, str] = {}
    marks = 0
    for k, c in enumerate(token):
        here = Span(span.line, span.column + k, span.column + k + 1)
        category, name = unicodedata.category(c), unicodedata.name(c, "")
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if _refused(c, category, name) or marks > MARKS:
            raise ParseError(f"the character {shown(c)}", span=here, source=text, hint=hint_for(c))
        if c.isalpha():
            for letter in unicodedata.normalize("NFKC", c):
                script = unicodedata.name(letter, "").split(" ")[0]
                scripts.setdefault(script, letter if c.isascii() else c)
    if CYRILLIC in scripts:
        raise ParseError(f"the Cyrillic letter {named(scripts[CYRILLIC])} is not allowed in "
                         f"'{token}'; it looks like a Latin one", span=span, source=text,
                         hint="type the name again with Latin letters")  # fmt: skip
    if [s for s in scripts if s not in (LATIN, GREEK)] and len(scripts) > 1:
        raise ParseError(f"the name '{token}' mixes scripts: {', '.join(scripts)}", span=span,
                         source=text, hint="write it in one script")  # fmt: skip
    folded = unicodedata.normalize("NFKC", token)
    if spellings.setdefault(folded, token) != token:
        raise ParseError(f"'{token}' and '{spellings[folded]}' are the same name spelt twice",
                         span=span, source=text, hint=f"write {folded} for both")  # fmt: skip


def _refused(c: str, category: str, name: str) -> bool:
    """Say whether a character outside of comments is none of the language."""
    if c.isascii():
        return category == "Cc"
    if category[0] in "CPSZ" or c in INVISIBLE or name.startswith(("FULLWIDTH", "VARIATION")):
        return True  # invisible and private ones, punctuation, symbols, blanks
    kind = unicodedata.decomposition(c).partition(" ")[0]
    if category in ("Nd", "No"):
        return kind != "<font>"
    return kind in ("<super>", "<sub>")

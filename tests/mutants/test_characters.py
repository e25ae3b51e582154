"""Characters outside of the language: which are refused, and what a reader is told to type."""

import codecs
import unicodedata

import pytest

import symgrad as sg
from symgrad.errors import ParseError, Span
from symgrad.parse import characters
from symgrad.parse.characters import (
    check,
    comment,
    decoded,
    folded,
    hint_for,
    named,
    plain,
    shown,
)

ADVICE = {
    "⊗": "write outer(a, b)", "√": "write sqrt(x)", "∞": "write inf", "←": "write =",
    "≔": "write =", "≤": "write <=", "≥": "write >=", "≠": "write !=", "≈": "write ==",
    "≡": "write ==", "‖": "write norm(x)", "ᵀ": "write .T for a transpose",
    "“": "write straight quotes", "”": "write straight quotes", "„": "write straight quotes",
    "‘": "write straight quotes", "’": "write straight quotes, or .T for a transpose",
    "′": "write y1 for another y, or x.T for a transpose",
    "∑": "write sum(a[i] for i in N), or sum(x)", "∏": "write prod(a[i] for i in N), or prod(x)",
    "¬": "write 1 - c for a condition c", "∧": "write c1*c2 for two conditions",
    "∈": "write name: kind[dimensions]",
    "∫": "there are no integrals in the language",
    "∂": "write the function only; symgrad derives its gradients",
    "∇": "write the function only; symgrad derives its gradients",
    "±": "write + or -, on lines of their own", "∓": "write + or -, on lines of their own",
    "→": "write  name = expression", "⇒": "write  name = expression",
    "$": "write the formula without $", "`": "leave the ` out",
    "²": "write **2 for a power", "ⁿ": "write **n for a power", "⁺": "write ** for a power",
    "₁": "write it as a part of the name: x1, which prints as x₁",
    "½": "write 1/2", "¾": "write 3/4", "＋": "write +", "Ａ": "write A", "\u3000": "write  ",
    "\u2028": "end the line", "\u2029": "end the line", "\x85": "end the line",
    "\v": "write \v", "\f": "write \f",
    "\u200b": "delete it; it cannot be seen", "\u00ad": "delete it; it cannot be seen",
    "٣": "write digits from 0 to 9", "①": "write 1",
    "⊤": "write .T for a transpose", "⌊": "write floor(x)", "⌋": "write floor(x)",
    "⌈": "write -floor(-x)", "✖": "write *",
    "➕": "write +", "✱": "write *",
    "∔": "delete it; names are made of letters, digits and _", "⊞": "delete it; names are made of "
    "letters, digits and _", "⁒": "write -", "⩵": "write ==", "≲": "write < or <=",
    "⋧": "write > or >=", "≅": "write ==", "↦": "write name = expression",
    "∛": "write x**(1/3)", "∣": "delete it; names are made of letters, digits and _",
    "∥": "write norm(x)", "∨": "write max(c1, c2)", "⎲": "write sum(x)",
    "«": "write straight quotes", "⨸": "write /", "❘": "write abs(x)",
    "€": "delete it; names are made of letters, digits and _",
}  # fmt: skip


def test_what_to_type_instead() -> None:
    advice = ADVICE | {"\v": "end the line", "\f": "end the line"}
    assert {c: hint_for(c) for c in advice} == advice


def test_signs_of_arithmetic_are_told_by_their_names() -> None:
    """Every multiplication, division and minus sign has the ASCII one for advice, which works."""
    kinds = {"MULTIPLICATION": "*", "DOT": "*", "ASTERISK": "*", "BULLET": "*", "RING": "*",
             "DIVISION": "/", "SLASH": "/", "MINUS": "-", "DASH": "-", "HYPHEN": "-"}  # fmt: skip
    for c in "×·⋅∗⊙∘•÷∕⁄−–—‐‑":
        words = unicodedata.name(c).replace("-", " ").split()
        sign = next(kinds[w] for w in words if w in kinds)
        with pytest.raises(ParseError) as caught:
            sg.parse(f"x {c} y")
        assert caught.value.hint == f"write {sign}" and caught.value.column == 3
        assert sg.parse(f"x {sign} y").output.op == {"*": "mul", "/": "div", "-": "sub"}[sign]


def test_line_ends_and_blanks() -> None:
    assert plain("\ufeffx\ufeff") == "x\ufeff"
    assert plain("a\r\nb\rc\nd") == "a\nb\nc\nd" and plain("a\r\n\u00e9\r") == "a\n\u00e9\n"
    for blank in "\u00a0\u2003\u3000\u202f":
        assert plain(f"é{blank}x") == "é x"
    for kept in "\t\n\f\v\x1c\x1f\x85\u2028\u2029":
        assert plain(f"é{kept}x") == f"é{kept}x"


def test_names_and_how_they_are_shown() -> None:
    assert named("\x00") == "U+0000 (no name)" and named("é").startswith("U+00E9 LATIN SMALL")
    assert shown("€") == "€ is not in the language (U+20AC EURO SIGN)"
    for c in ("\u0301", "\u00a0", "\u200b", "\n"):
        assert shown(c) == f"{named(c)} is not in the language"


def refused(token: str, known: dict[str, str] | None = None) -> ParseError:
    with pytest.raises(ParseError) as caught:
        check(token, Span(2, 5, 5 + len(token)), f"\n    {token}", {} if known is None else known)
    assert caught.value.source == f"\n    {token}"
    return caught.value


@pytest.mark.parametrize(
    ("token", "place", "message", "hint"),
    [
        ("x²", 6, "the character ² is not in the language (U+00B2 SUPERSCRIPT TWO)",
         "write **2 for a power"),
        ("ab\u200b", 7, "the character U+200B ZERO WIDTH SPACE is not in the language",
         "delete it; it cannot be seen"),
        ("xa", None, "the Cyrillic letter U+0430 CYRILLIC SMALL LETTER A is not allowed in 'xа'; "
         "it looks like a Latin one", "type the name again with Latin letters"),
        ("xא", None, "the name 'xא' mixes scripts: LATIN, HEBREW", "write it in one script"),
        ("a\u0301\u0302\u0303", 8,
         "the character U+0303 COMBINING TILDE is not in the language",
         "delete it; names are made of letters, digits and _"),
    ],
)  # fmt: skip
def test_deceptive_tokens(token: str, place: int | None, message: str, hint: str) -> None:
    token = "xа" if place is None and "Cyrillic" in message else token
    error = refused(token)
    assert (error.message, error.hint) == (message, hint)
    assert error.span == (Span(2, place, place + 1) if place else Span(2, 5, 5 + len(token)))


def test_one_name_has_one_spelling() -> None:
    spellings: dict[str, str] = {}
    span = Span(1, 1, 2)
    for token in ("ϕ", "ϕ", "x", "größe", "σ1", "日本", "a\u0301\u0302", "𝑧"):
        check(token, span, token, spellings)
    error = refused("φ", spellings)
    assert error.message == "'φ' and 'ϕ' are the same name spelt twice"
    assert error.hint == "write φ for both" and error.span == Span(2, 5, 6)


def test_every_refused_kind() -> None:
    for c in (*"\x00\x7f\u200b\ue000\u00a0\u3164\u034f\ufe0f", *"«€Ａ٣½²₁①ⁿᵢ"):
        assert "is not in the language" in refused(f"x{c}").message, named(c)
    for c in ("α", "é", "日", "𝟏", "ß"):
        check(c, Span(1, 1, 2), c, {})
    check("xα", Span(1, 1, 3), "xα", {})  # Latin and Greek


def test_comments_hide_nothing() -> None:
    comment("# é, ×, 日本 €½", Span(1, 1, 9), "")
    with pytest.raises(ParseError) as caught:
        comment("# ab\u202ec", Span(3, 10, 17), "text")
    error = caught.value
    assert error.message == (
        "the invisible character U+202E RIGHT-TO-LEFT OVERRIDE stands in a comment"
    )
    assert error.span == Span(3, 14, 15) and error.source == "text"
    assert error.hint == "delete it; it cannot be seen"


def test_the_letters_that_show_nothing() -> None:
    for c in characters.INVISIBLE:
        assert unicodedata.category(c) in ("Mn", "Lo") and c.isprintable()
        assert named(c) in refused(f"x{c}").message


def undecoded(data: bytes) -> ParseError:
    with pytest.raises(ParseError) as caught:
        decoded(data, "a.sg")
    return caught.value


def test_programs_are_utf_8() -> None:
    assert decoded("λ*x\r\ny".encode(), "a.sg") == "λ*x\r\ny"
    assert decoded(codecs.BOM_UTF8 + b"x", "a.sg") == "x" and decoded(b"", "a.sg") == ""
    zeros = (b"x\0", b"x\0y", b"\0x", b"\0")
    marked = [codecs.BOM_UTF16_LE + b"xy", codecs.BOM_UTF16_BE + b"xy"]
    for data in (*zeros, *marked, "λ".encode("utf-16"), "x + y".encode("utf-32-be")):
        error = undecoded(data)
        assert error.message == "a.sg is UTF-16 or UTF-32 text, or no text at all", data
        assert error.span == Span(1, 1, 2) and error.hint == "save it as UTF-8"
    for data in (b"xy\0", b"xyz\0\0"):  # a zero byte is told by its place later
        assert decoded(data, "a.sg") == data.decode()


@pytest.mark.parametrize(
    ("data", "span", "source"),
    [
        (b"x\xe9", Span(1, 2, 3), "x\ufffd"),
        (b"\xe9x", Span(1, 1, 2), "\ufffdx"),
        (b"one\r\n\xce\xbb*\xe9 + 1\r\nx", Span(2, 3, 4), "one\nλ*\ufffd + 1\nx"),
        (b"a\nb\n\nxyz\xe9", Span(4, 4, 5), "a\nb\n\nxyz\ufffd"),
        (codecs.BOM_UTF8 + b"a\nb\n\nxyz\xe9", Span(4, 4, 5), "a\nb\n\nxyz\ufffd"),
    ],
)
def test_a_byte_that_is_no_utf_8_is_told_with_its_place(
    data: bytes, span: Span, source: str
) -> None:
    error = undecoded(data)
    assert error.message == "a.sg is not UTF-8 text: the byte 0xe9"
    assert error.hint == "save it as UTF-8; in Latin-1 the byte would be é"
    assert (error.span, error.source) == (span, source)
    assert error.__suppress_context__
    assert "the byte 0x81" in undecoded(b"\x81").message


def test_names_are_folded_as_python_folds_them() -> None:
    assert folded("ϕ") == "φ" and folded("ﬁt") == "fit" and folded("x_1") == "x_1"
    assert folded(3) == 3  # type: ignore[arg-type]  # a key that is no name is told of elsewhere


def test_what_is_told_of_odd_characters() -> None:
    rest = "delete it; names are made of letters, digits and _"
    assert hint_for("\uffe6") == rest  # a wide sign, but no fraction
    assert shown(" ") == "U+0020 SPACE is not in the language"
    assert hint_for("\U00017000") == rest  # a letter whose name Python may not know
    check("\U00017000\U00017001", Span(1, 1, 3), "", {})
    assert hint_for("㎧") == rest  # a square kind with a slash in it
    assert hint_for("ﷲ") == rest and hint_for("ﾡ") == rest and hint_for("\U00020000") == rest
    assert "\u20dd is not in the language" not in refused("a\u20dd\u20dd\u20dd").message
    assert refused("a\u20dd\u20dd\u20dd").span == Span(2, 8, 9)  # three marks that enclose
    check("a\u0301b\u0301c\u0301", Span(1, 1, 7), "", {})  # one mark on each of three
    assert "LETTER A is not allowed in 'xа'" in refused("xа").message
    error = refused("ﬁа")  # a letter that stands for two
    assert error.message.startswith("the Cyrillic letter U+0430")
    spelt = refused("𝚊ꙇ")  # a letter is shown as it was typed
    assert spelt.message.startswith("the Cyrillic letter U+A647")
    assert "LATIN, HEBREW" in refused("ﬁא").message

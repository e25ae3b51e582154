"""Names that look alike, names of layers, and odd names that come from elsewhere."""

import itertools
import unicodedata

from symgrad.formula import names


def test_of_names_alike_the_first_in_the_alphabet_is_short_in_any_order() -> None:
    alike = ["x_hat_1", "x_1_hat", "y"]
    for latex in (True, False):
        wanted = names.distinct(alike, latex)
        for order in itertools.permutations(alike):
            assert sorted(names.distinct(order, latex).items()) == sorted(wanted.items())
    found = names.distinct(alike)
    assert found["x_1_hat"] == r"\hat{x}_{1}" and found["x_hat_1"] == r"\mathrm{x\_hat\_1}"


def test_greek_words_with_numbers() -> None:
    assert names.plain_name("lam1") == "λ₁" and names.plain_name("net1") == "net₁"
    assert names.layered("lam1", "bracket", latex=False) == "λ^[1]"
    assert names.layered("lam_2", "paren", latex=False) == "λ⁽²⁾"


def test_a_name_with_a_line_end_is_still_typeset() -> None:
    assert names.latex_name("a\nb") == "\\mathrm{a\nb}"
    assert names.latex_name("ab\n1") == "\\mathrm{ab\n1}"
    assert names.latex_name("a%\n{") == "\\mathrm{a\\%\n\\{}"


ACCENTS = {"GRAVE ACCENT": "grave", "ACUTE ACCENT": "acute", "CIRCUMFLEX ACCENT": "hat",
           "TILDE": "tilde", "MACRON": "bar", "BREVE": "breve", "DOT ABOVE": "dot",
           "DIAERESIS": "ddot", "RING ABOVE": "mathring", "CARON": "check",
           "RIGHT ARROW ABOVE": "vec"}  # fmt: skip


def test_accents_of_letters_are_commands_of_mathematics() -> None:
    for words, command in ACCENTS.items():
        mark = unicodedata.lookup("COMBINING " + words)
        for letter, tex in (("x", "x"), ("A", "A"), ("i", r"\imath"), ("j", r"\jmath"),
                            ("α", r"\alpha"), ("Ω", r"\Omega"), ("ο", "o")):  # fmt: skip
            typed = unicodedata.normalize("NFC", letter + mark)
            for text in (letter + mark, typed):
                assert names.portable(text) == rf"\{command}{{{tex}}}", (letter, words)
                assert names.portable(text, prose=True) == rf"\ensuremath{{\{command}{{{tex}}}}}"
    assert names.portable("x\u0302\u0301") == r"\acute{\hat{x}}"


def test_letters_that_have_no_command() -> None:
    for letter in "ßæÆœŒøØłŁçÇşŞţŢ":
        assert names.portable(letter) == rf"\text{{{letter}}}"
        assert names.portable(letter, prose=True) == letter
    for letter, tex in zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True):
        assert names.portable(letter) == tex == names.portable(letter, prose=True)
    for letter, command in (("ς", "varsigma"), ("ϑ", "vartheta"), ("ϖ", "varpi"),
                            ("ϝ", "digamma"), ("ı", "imath"), ("λ", "lambda")):  # fmt: skip
        assert names.portable(letter) == rf"{{\{command}}}"
    assert names.portable("ĸ") == r"\text{[U+0138]}" and names.portable("đ") == r"\text{[U+0111]}"
    assert names.portable("x\u0323") == r"x\text{[U+0323]}"
    assert names.portable("x\u0323\u0302") == r"\hat{x}\text{[U+0323]}"
    for kept in (
        "日本",
        "я",
        "𝑥",
        r"\text{é}",
        "x_{1} + y'",
        "é".encode("ascii", "ignore").decode(),
    ):
        assert names.portable(kept) == kept == names.portable(kept, prose=True)
    assert names.portable("K\N{KELVIN SIGN}") == "KK"

r"""Write text and formulas for pdflatex; nothing but known commands ever reaches it.

>>> print(escape(r"\write18{rm} 50% of é, λ"))
\ensuremath{\backslash}write18\ensuremath{\{}rm\ensuremath{\}} 50\% of \'{e}, \ensuremath{\lambda}
>>> print(formula(r"\textcolor{local}{x_{0}} \cdot \input{f}"))
\textcolor{sglocal}{x_{0}} \cdot \mathrm{input}{f}
"""

import re
import unicodedata
from collections.abc import Mapping

from symgrad.formula.names import ACCENTS, LETTER, SPECIAL

MISSING = "?"  # stands for a character that pdflatex has no glyph for
_TEXT: Mapping[str, str] = dict(SPECIAL) | {
    "<": r"\ensuremath{<}", ">": r"\ensuremath{>}", "|": r"\ensuremath{|}", "{": r"\ensuremath{\{}",
    "}": r"\ensuremath{\}}", "\\": r"\ensuremath{\backslash}", '"': "''", "`": "{`}",
    "-": "-{}", "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``", "”": "''", "…": r"\dots{}",
    "•": r"\ensuremath{\bullet}", "§": r"\S{}", "©": r"\copyright{}", "£": r"\pounds{}", "€": "EUR",
    "ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}",
    "Ø": r"\O{}", "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "¡": "!{}`", "¿": "?{}`", "\n": " ",
    "\t": " ", "\N{NO-BREAK SPACE}": "~",
}  # fmt: skip
_SIGNS: Mapping[str, str] = LETTER | {
    "−": "-", "×": r"\times", "÷": r"\div", "·": r"\cdot", "∂": r"\partial", "∇": r"\nabla",
    "∞": r"\infty", "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "≈": r"\approx", "→": r"\to",
    "←": r"\leftarrow", "↔": r"\leftrightarrow", "⇒": r"\Rightarrow", "√": r"\surd", "∑": r"\sum",
    "∏": r"\prod", "∫": r"\int", "⊙": r"\odot", "⊗": r"\otimes", "⊕": r"\oplus", "′": r"{}'",
    "±": r"\pm", "∓": r"\mp", "°": r"{}^{\circ}", "¬": r"\neg", "∈": r"\in", "∀": r"\forall",
    "∃": r"\exists", "∧": r"\wedge", "∨": r"\vee", "∩": r"\cap", "∪": r"\cup", "∅": r"\emptyset",
    "‖": r"\|", "⟨": r"\langle", "⟩": r"\rangle", "⌊": r"\lfloor", "⌋": r"\rfloor", "∝": r"\propto",
    "≡": r"\equiv", "≪": r"\ll", "≫": r"\gg", "«": r"\ll", "»": r"\gg", "⋅": r"\cdot",
    "↧": r"\overline{\downarrow}",
    "∘": r"\circ", "ℓ": r"\ell", "ε": r"\varepsilon", "ϕ": r"\phi", "ϵ": r"\epsilon",
    "µ": r"\mu", "ο": "o", "ς": r"\varsigma",
}  # fmt: skip
_MARKS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u0304": "=",
    "\u0307": ".", "\u030c": "v", "\u0306": "u", "\u030b": "H", "\u0327": "c", "\u030a": "r",
    "\u0323": "d", "\u0331": "b",
}  # fmt: skip
_SMALL = {
    c: f"{{}}{mark}{{{unicodedata.normalize('NFKC', c).replace('−', '-')}}}"
    for mark, row in (("^", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ"), ("_", "₀₁₂₃₄₅₆₇₈₉₊₋₍₎ₙᵢⱼₖₘ"))
    for c in row
}
_CAPITALS = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧ", "ABEZHIKMNOPTX", strict=True))
_CLUSTER = re.compile(r"[^\u0300-\u036f][\u0300-\u036f]*|.", re.DOTALL)

_FUNCTIONS = "exp log ln sin cos tan sinh cosh tanh arctan arcsin arccos det max min sup inf lim"
_WORDS = """
    times div cdot cdots ldots dots pm mp le leq ge geq ne neq approx equiv sim propto infty partial
    nabla sum prod int odot otimes oplus ast star circ top bot perp wedge vee neg in notin forall
    exists emptyset cup cap subset mid to leftarrow rightarrow Leftarrow Rightarrow mapsto
    leftrightarrow langle rangle lfloor rfloor lceil rceil lvert rvert lVert rVert vert Vert prime
    ell quad qquad colon frac tfrac dfrac sqrt overline underline underbrace overbrace hat bar tilde
    dot ddot vec widehat widetilde mathrm mathbf mathit mathsf mathcal mathbb boldsymbol
    operatorname text textrm textbf textit left right bigl bigr Bigl Bigr biggl biggr big Big limits
    displaystyle textstyle scriptstyle substack binom bigl middle mathbin mathrel mathop dagger
    surd varsigma epsilon varepsilon varphi vartheta phantom vphantom hphantom
"""
ALLOWED = frozenset(
    ["\\" + word for word in f"{_FUNCTIONS} {_WORDS}".split()]
    + [*LETTER.values(), *(command for command, _ in ACCENTS.values())]
)
INSIDE = ("matrix", "pmatrix", "bmatrix", "vmatrix", "cases", "aligned", "smallmatrix")
_TOKEN = re.compile(
    r"\\textcolor\{[^{}]*\}|\\(?:begin|end)\{[A-Za-z]*\}|\\[A-Za-z]+|\\.|.", re.DOTALL
)
_PLAIN_COMMAND = re.compile(r"\\text(?:ascii\w+|backslash|less|greater|bar)")


def escape(text: str) -> str:
    """Write any text so that pdflatex sets just this text; what it lacks becomes a mark."""
    return "".join(map(_cluster, _CLUSTER.findall(unicodedata.normalize("NFC", text))))


def _cluster(cluster: str) -> str:
    """Write a character with its accents; accents that LaTeX lacks are left out."""
    base, marks = cluster[0], cluster[1:]
    known = _character(base)
    if known == MISSING != base:
        whole = unicodedata.normalize("NFD", base)
        base, marks = whole[0], whole[1:] + marks
        known = _character(base)
    if marks[:1] in _MARKS and base.isascii() and base.isalnum():
        return rf"\{_MARKS[marks[0]]}{{{base}}}"
    return known


def _character(c: str) -> str:
    if c in _TEXT:
        return _TEXT[c]
    if " " <= c <= "~":
        return c
    if c in _CAPITALS:
        return _CAPITALS[c]
    sign = _SIGNS.get(c) or _SMALL.get(c)
    return rf"\ensuremath{{{sign}}}" if sign else MISSING


def colour_name(role: str) -> str:
    """Name a colour of the theme, or a literal one, for LaTeX.

    >>> colour_name("gate.fill"), colour_name("#2F6FC4")
    ('sggatefill', 'sg2F6FC4')
    """
    return "sg" + "".join(c for c in role if c.isascii() and c.isalnum())


def formula(latex: str) -> str:
    """Let only commands of mathematics through; text that is no formula is set as text."""
    # The blackboard face of amsfonts has no digits.
    tokens = _TOKEN.findall(re.sub(r"\\mathbb\{(\d+)\}", r"\\mathbf{\1}", latex))
    if not _balanced(tokens):
        return rf"\text{{{escape(latex)}}}"
    made: list[str] = []
    words: list[int] = []  # depths of the groups that hold words, not mathematics
    depth, expected = 0, False
    cells = r"\begin{" in latex
    for token in tokens:
        if token == "{":
            depth += 1
            if expected:
                words.append(depth)
        elif token == "}":
            if words and words[-1] == depth:
                words.pop()
            depth -= 1
        if not (token in "^_" and made and made[-1] == token):  # ^^ would begin a character code
            made.append(_token(token, bool(words), cells))
        expected = token in (r"\text", r"\textrm", r"\textbf", r"\textit")
    return "".join(made)


def _balanced(tokens: list[str]) -> bool:
    depth = 0
    for token in tokens:
        depth += (token == "{") - (token == "}")
        if depth < 0:
            return False
    begins = sum(token.startswith(r"\begin{") for token in tokens)
    return depth == 0 and begins == sum(token.startswith(r"\end{") for token in tokens)


def _token(token: str, words: bool, cells: bool) -> str:
    if token.startswith(r"\textcolor{"):
        return rf"\textcolor{{{colour_name(token[11:-1])}}}"
    if token.startswith((r"\begin{", r"\end{")):
        return token if token[token.index("{") + 1 : -1] in INSIDE else ""
    if len(token) > 1 and token[1].isalpha():
        if _PLAIN_COMMAND.fullmatch(token):
            return rf"\text{{{token}}}"
        return token if token in ALLOWED else rf"\mathrm{{{token[1:]}}}"
    if token == r"\\":
        return token if cells else " "
    if token.startswith("\\"):
        known = len(token) > 1 and token[1] in ",;:! {}|_%$#&"
        return token if known else rf"\text{{{escape(token[1:] or token)}}}"
    if token == "&" and cells:
        return token
    if token in "%#$&":
        return "\\" + token
    if words:
        return token if token in "{}" else _cluster(token)
    if token.isspace() or token == "~":
        return " "
    if " " <= token <= "~":
        return token
    return _SIGNS.get(token, "") + " " if token in _SIGNS else rf"\text{{{_cluster(token)}}}"

"""What was probably meant by a line that cannot be read: 2x, sin x, |x|, y =, x^2.

The tokens of the line are gone through as its reader would: an operand, an operator, an operand.
Where that breaks off first, the message says what stands there and what was expected.
"""

import keyword
import re

from symgrad.parse.beside import Sizes, Slip, product, summed
from symgrad.parse.beside import between as _at
from symgrad.parse.calls import is_function
from symgrad.parse.declaring import TYPED
from symgrad.parse.pasted import FUNCTION, STATEMENTS

TOKEN = re.compile(
    r"(?P<text>[rbfuRBFU]{0,2}(?:'[^'\n]*'|\"[^\"\n]*\"))"
    r"|(?P<number>(?:0[xX][0-9a-fA-F_]+|(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[jJ]?)"
    r"|(?P<name>[^\W\d]\w*)|(?P<latex>\\[A-Za-z]+|\\.?)"
    r"|(?P<symbol>\.\(|\.\+|\.-|\|>|===|!==|>>>|%\*%|%%|/\*|\*\*|//|<<|>>|<=|>=|==|!=|=>|=<|<>|:=|->|&&|\|\||\+\+|\.\*|\./|\.\^|\.{3}|[^\w\s])"
)
OPERATORS = ("+", "-", "*", "/", "**", "@", "//", "%", "^", "<", "<=", ">", ">=", "==", "!=", "&",
             "|", "<<", ">>")  # fmt: skip
WORDS = ("and", "or", "in", "is", "if", "else", "for", "not")
SHOWING = ("print", "echo", "disp", "show", "puts", "output")
OPENING, CLOSING = "([{", ")]}"
COMMENT = "a comment begins with #"
COMMENTS = ("%", "//", "/*", "/")
MEANT = {
    ":=": "write  name = expression", "->": "write  name = expression", "=>": "write >=",
    "=<": "write <=", "<>": "write !=", "&&": "write c1*c2 for two conditions",
    "++": "write  + 1", ".*": "write *, which is elementwise", "./": "write /",
    ".^": "write **, which is elementwise", "?": "write where(condition, a, b)",
    "$": "write the formula without $", "`": "leave the ` out", "~": "leave the ~ out",
    ".(": "write exp(x): all functions work entry by entry", ".+": "write +", ".-": "write -",
    "|>": "write f(x) for x |> f", "===": "write ==", "!==": "write !=",
    "%*%": "write @ for a product of matrices",
    ">>>": "leave the prompt out", "%%": "write a - b*floor(a/b)", "/*": COMMENT,
    "!": "write != for unequal, 1 - c for the opposite of a condition c",
    "||": "write max(c1, c2) for two conditions",
}  # fmt: skip
ALONE = "write the name alone"
DERIVED = "write the function only; symgrad derives its gradients"
LATEX = {
    "frac": "write (a)/(b)", "cdot": "write *", "times": "write *", "sqrt": "write sqrt(x)",
    "sum": "write sum(x), or sum(a[i] for i in N)", "top": "write x.T", "odot": "write *",
    "sigma": "write sigmoid(x), or sigma for a name", "infty": "write inf", "le": "write <=",
    "leq": "write <=", "ge": "write >=", "geq": "write >=", "neq": "write !=", "ne": "write !=",
    "left": "leave \\left and \\right out", "right": "leave \\left and \\right out",
    "over": "write (a)/(b)", "quad": "leave it out", "partial": DERIVED, "nabla": DERIVED,
    "text": ALONE, "mathrm": ALONE, "mathbf": ALONE, "mathbb": ALONE, "mathcal": ALONE,
    "operatorname": ALONE, "hat": "write x_hat, which prints as x̂", "begin": "write a line a value",
    "bar": "write x_bar, which prints as x̄", "log": "write log(x)", "mathit": ALONE,
}  # fmt: skip
FORM = "a line reads  name = expression,  name: kind[dims]  or  expression"


def slip(code: str, sizes: Sizes | None = None) -> Slip | None:
    """Find the first thing in a line that no reader could understand; inputs have `sizes`.

    >>> slip("y = 2x + 1").hint, slip("sin x").hint, slip("y =").message
    ('write 2*x', 'write sin(x)', "an expression is missing behind '='")
    """
    found = [m for m in TOKEN.finditer(code.partition("#")[0])]
    sizes = sizes or {}
    first = summed(code.partition("#")[0], sizes) or _typeset(found) or _bars(code, found)
    return first or _Walk(found, sizes).fault()


def _typeset(found: list[re.Match[str]]) -> Slip | None:
    """Recognise LaTeX, dollars and primes."""
    for m, after in zip(found, [*found[1:], None], strict=False):
        token = m.group()
        if m.lastgroup == "latex":
            word = token[1:]
            known = word if is_function(word) else ""
            if not word.isalpha():
                return _at(m, m, "a backslash (\\) is not in the language",
                           "write / for a quotient; a \\ ends a line that goes on")  # fmt: skip
            hint = LATEX.get(word) or (f"write {known}(x)" if known else "")
            if len(word) == 1:
                hint = f"write solve(A, {word}) for A\\{word}, and names such as alpha without \\"
            hint = hint or "write x1, x**2, a/b, exp(x), and names such as alpha without \\"
            return _at(m, m, f"'{token}' is LaTeX; programs are plain text", hint)
        if token == "^" and after is not None and after.group() in "{":
            return _at(
                m, after, "'^{' is LaTeX; programs are plain text", "write **(…) for a power"
            )
        sub = m.lastgroup == "name" and token.endswith("_") and after is not None
        if sub and after is not None and after.group() == "{" and after.start() == m.end():
            return _at(m, after, f"'{token}{{' is LaTeX; programs are plain text",
                       f"write {token[:-1]}1, or {token[:-1]}[i] for an entry")  # fmt: skip
        if token == "$":
            return _at(m, m, "'$' is not in the language", MEANT["$"])
        if token in "'\"":
            return _quote(m, found)
    return None


def _quote(m: re.Match[str], found: list[re.Match[str]]) -> Slip:
    """Tell a prime from a text that is not closed."""
    before = [f for f in found if f.end() == m.start()]
    if before and before[0].group() == ".":  # A.'
        before = [f for f in found if f.end() == before[0].start()]
    if before and before[0].lastgroup == "name":  # x''
        name = before[0].group()
        return _at(before[0], m, f"the prime in {name}{m.group()} is not in the language",
                   f"write {name}.T for a transpose, {name}1 for another name; derivatives are "
                   "derived for you")  # fmt: skip
    return _at(m, m, f"the text after {m.group()} is not closed", f"close it with {m.group()}")


def _bars(code: str, found: list[re.Match[str]]) -> Slip | None:
    """Recognise |x| and ||x||."""
    for pattern, name in ((r"\|\|([^|]+)\|\|", "norm"), (r"\|([^|]+)\|", "abs")):
        bars = re.search(pattern, code.partition("#")[0])
        before = code[: bars.start()].rstrip()[-1:] if bars else "x"
        if bars and (before == "" or before in "=+-*/@(,<>;"):
            inside = bars[1].strip()[:40]
            return Slip(f"bars are not in the language: {bars.group()[:44]}",
                        f"write {name}({inside})", bars.start() + 1, bars.end() + 1)  # fmt: skip
    return None


class _Walk:
    """Go through the tokens of a line, and remember what is open."""

    def __init__(self, found: list[re.Match[str]], sizes: Sizes) -> None:
        self.found, self.sizes = found, sizes
        self.open: list[re.Match[str]] = []
        self.wanted = True  # whether an operand has to come
        self.before: re.Match[str] | None = None

    def fault(self) -> Slip | None:
        for k, m in enumerate(self.found):
            fault = self._operand(k, m) if self.wanted else self._operator(k, m)
            if fault:
                return fault
            self.before = m
        if self.open:
            m = self.open[-1]
            closing = CLOSING[OPENING.index(m.group())]
            return _at(m, m, f"'{m.group()}' was never closed", f"add a {closing}")
        if self.wanted and self.before is not None and self.before.group() not in ";":
            return self._missing(self.before)
        return None

    def _operand(self, k: int, m: re.Match[str]) -> Slip | None:
        """Judge a token where an operand has to come."""
        token = m.group()
        if m.lastgroup == "name" and token not in WORDS:
            self.wanted = False
            return None
        if m.lastgroup in ("number", "text") or token == "...":
            self.wanted = False
            return None
        if token in ("+", "-", "~", "not") or (
            token in ("*", "**") and self.open and self._argument()
        ):
            return None
        if token in OPENING:
            self.open.append(m)
            return None
        if token in CLOSING:
            return self._close(m)
        if token == ":" and self.open and self.open[-1].group() in "[{":
            return None
        if token in ("if", "for") and (self.before is None or self.before.group() in "=;("):
            return _at(m, m, f"'{token}' does not begin a value", STATEMENTS[token.title()][1])
        if token in MEANT:
            return _at(m, m, f"'{token}' is not in the language", MEANT[token])
        if self.before is None:
            hint = f"{COMMENT};  {FORM}" if token in COMMENTS else FORM
            hint = "write a name before it:  y = …" if token == "=" else hint
            return _at(m, m, f"something is missing before '{token}'", hint)
        return self._missing(self.before, m)

    def _operator(self, k: int, m: re.Match[str]) -> Slip | None:
        """Judge a token where an operator or the end has to come."""
        token = m.group()
        assert self.before is not None
        if m.lastgroup in ("number", "text") or (m.lastgroup == "name" and token not in WORDS):
            return self._side_by_side(k, m)
        if token in OPENING:
            if self.before.lastgroup == "number":
                return self._side_by_side(k, m)
            if token == "{":
                left = self.before.group()[:40]
                return _at(m, m, "'{' is not in the language",
                           f"write {left}(…) for a call, {left}[…] for an entry")  # fmt: skip
            self.open.append(m)
            self.wanted = True
            return None
        if token in CLOSING:
            return self._close(m)
        if token == "!":
            hint = "write prod(arange(N) + 1) for the factorial of a dimension N"
            return _at(m, m, "'!' is not in the language", hint)
        if token in MEANT:
            return _at(m, m, f"'{token}' is not in the language", MEANT[token])
        if token == "," and not self.open and self._declares(k):
            return _at(m, m, "',' does not divide declarations", "write  x: real; y: real")
        if token in OPERATORS or token in WORDS or token in (",", "=", ":", "."):
            self.wanted = True
            return None
        if token == ";" and self.open:
            return _at(m, m, f"';' ends a line, inside of '{self.open[-1].group()}'",
                       f"write {CLOSING[OPENING.index(self.open[-1].group())]} before it, or , "
                       "between arguments; arrays are given through shapes=")  # fmt: skip
        if token == ";":
            self.wanted = True
            return None
        return _at(m, m, f"'{token}' is not in the language", FORM)

    def _declares(self, k: int) -> bool:
        """Say whether a colon outside of brackets stands before token k."""
        return k > 1 and self.found[1].group() == ":"

    def _argument(self) -> bool:
        return self.before is None or self.before.group() in ("(", ",", "=")

    def _close(self, m: re.Match[str]) -> Slip | None:
        """Close a bracket."""
        token = m.group()
        if not self.open:
            opening = OPENING[CLOSING.index(token)]
            return _at(m, m, f"unmatched '{token}': nothing opens it",
                       f"delete it, or add a {opening} before")  # fmt: skip
        opener = self.open.pop()
        if OPENING.index(opener.group()) != CLOSING.index(token):
            right = CLOSING[OPENING.index(opener.group())]
            return _at(m, m, f"'{token}' does not match '{opener.group()}' at column "
                       f"{opener.start() + 1}", f"write {right}")  # fmt: skip
        empty = self.before is not None and self.before.group() in "([{,:"
        if self.wanted and not empty and self.before is not None:
            return self._missing(self.before, m)
        if self.before is opener and token == "]":
            return _at(opener, m, "there is nothing between the brackets",
                       "write the index or the dimension: x[0], real[N]")  # fmt: skip
        self.wanted = False
        return None

    def _missing(self, before: re.Match[str], m: re.Match[str] | None = None) -> Slip:
        """Say behind what an operand is missing."""
        what = "a kind" if before.group() == ":" and not self.open else "an expression"
        place = m or before
        said = f"{what} is missing behind '{before.group()}'"
        said += f", before '{m.group()[:40]}'" if m is not None else ""
        start = before.end() + 1 if m is None else place.start() + 1
        left = before.group()
        hint = "write it" if left in OPENING else f"write it, or delete '{left}'"
        hint = "a declaration reads  name: kind[dims]" if what == "a kind" else hint
        hint = "write - 1" if m is None and left == "-" and self._twice() else hint
        if m is not None and m.group() == ":" and left == "(":
            hint = "indices stand in square brackets:  x[:, 0]"
        hint = "write /100 for per cent" if left == "%" and m is None else hint
        if m is not None and m.group() in OPERATORS:
            hint = f"delete '{before.group()}' or '{m.group()}', or write what stands between them"
        return Slip(said, hint, start, place.end() + 1 if m else start + 1)

    def _twice(self) -> bool:
        return [f.group() for f in self.found[-2:]] == ["-", "-"]

    def _side_by_side(self, k: int, m: re.Match[str]) -> Slip:
        """Two operands without an operator: a product, or an argument without brackets."""
        a = self.before
        assert a is not None
        left, right = a.group()[:40], m.group()[:40]
        if keyword.iskeyword(left) or keyword.iskeyword(right):
            odd = a if keyword.iskeyword(left) else m
            return _at(
                odd, odd, f"'{odd.group()}' is a keyword of Python and cannot stand here", FORM
            )
        if a.lastgroup == m.lastgroup == "name" and (left in TYPED or right in TYPED):
            return self._declared(k, a, m)
        if a.lastgroup == "name" and left in SHOWING and k == 1:
            return _at(a, m, f"'{left} {right}' cannot be read", "the last line is the output: "
                       f"write {right}")  # fmt: skip
        if _follows(self.found, k):
            return _at(a, m, f"'{left} {right}' cannot be read", f"write  {right} = expression")
        if self.open and self.open[-1].group() == "[" and self._declares(k):
            times = re.fullmatch(r"x\d+", right) and a.end() == m.start()  # 3x4
            return _at(a, m, f"a comma is missing between {left} and {right}",
                       f"write {left}, {right[1:] if times else right}")  # fmt: skip
        texts = [f.group() for f in self.found[max(k - 3, 0) : k]]
        if texts[:2] == ["d", "/"] and left[:1] == "d":
            return _at(self.found[k - 3], a, f"d/{left} is not in the language", DERIVED)
        if texts[1:] == ["^", "T"]:
            return _at(self.found[k - 3], m, f"'{texts[0]}^T' is typeset; programs are plain text",
                       f"write {texts[0][:40]}.T @ {right} for a product of matrices")  # fmt: skip
        if texts[1:] == [".", "T"]:
            return _at(a, m, f"an operator is missing between .T and {right}",
                       "write @ for a product of matrices, * for one entry by entry")  # fmt: skip
        if a.lastgroup == "name" and is_function(left):
            more = self.found[k + 1].group() not in OPERATORS if k + 1 < len(self.found) else False
            inside = "…" if more else right
            return _at(a, m, f"the argument of '{left}' stands in brackets",
                       f"write {left}({inside})")  # fmt: skip
        if a.group() == ")" and self.found[0].group() in ("function", "fun", "fn", "func"):
            word = self.found[0]
            return _at(word, a, f"'{word.group()}' does not define a function", FUNCTION)
        if "text" in (a.lastgroup, m.lastgroup):
            return _at(m, m, f"{m.group()[:40]} cannot stand here", FORM)
        return _product(a, m, self.sizes)

    def _declared(self, k: int, a: re.Match[str], m: re.Match[str]) -> Slip:
        """Judge a kind beside a name: a declaration without its colon or its brackets."""
        left, right = a.group()[:40], m.group()[:40]
        if k > 1 and self.found[k - 2].group() == ":":
            return _at(a, m, f"the dimensions of '{left}' stand in brackets",
                       f"write {left}[{'N' if right in TYPED else right}]")  # fmt: skip
        kind, name = (right, left) if right in TYPED else (left, right)
        dims = "[…]" if k + 1 < len(self.found) and self.found[k + 1].group() == "[" else ""
        return _at(a, m, f"'{left} {right}' cannot be read: '{kind}' is a kind of input",
                   f"write  {name}: {kind}{dims}")  # fmt: skip


def _product(a: re.Match[str], m: re.Match[str], sizes: Sizes) -> Slip:
    """Ask for the operator between two operands, one of which may be a number."""
    left, right = a.group()[:40], m.group()[:40]
    joined = a.end() == m.start()
    if a.lastgroup == m.lastgroup == "number":
        if joined:
            return _at(a, m, f"{left}{right} is not a number", "a number has one point")
        hint = f"write {left}{right} for one number, {left}*{right} for two"
        return _at(a, m, f"an operator is missing between {left} and {right}", hint)
    if a.group() in CLOSING:
        left = "(…)" if a.group() == ")" else f"…{a.group()}"
    right = "(…)" if right == "(" else right
    if left in ("let", "var", "const", "def", "float", "double"):
        hint = f"write {left}*{right}, or  {right}: real  to declare it"
        return _at(a, m, f"'{left} {right}' cannot be read", hint)
    if a.lastgroup == "number" and re.fullmatch(r"[eE]", right) and joined:
        return _at(a, m, f"'{left}{right}' is not a number: the power of ten is missing",
                   f"write {left}e3, or {left}*{right} for a product")  # fmt: skip
    hint = f"write {left}*{right}"
    if right == "to":  # i = 1 to N
        hint = f"a range is written  for i in range({left}, N)"
    if a.lastgroup == m.lastgroup == "name":
        hint = product(left, m, sizes)
    return _at(a, m, f"an operator is missing between {left} and {right}", hint)


def _follows(found: list[re.Match[str]], k: int) -> bool:
    """Say whether an equals sign comes next."""
    return k == 1 and len(found) > 2 and found[2].group() == "="

"""Let Python read a text into its syntax tree, and say in our words where it cannot."""

import ast
import keyword
import re
import warnings

from symgrad.errors import LimitError, ParseError, Span

KEYWORD_HINTS = {"lambda": "lam", "in": "x_in", "class": "cls", "is": "i_s", "from": "start"}
JUDGED = 200_000  # characters of a line that is searched for slips
FORM = "a line reads  name = expression,  name: kind[dims]  or  expression"
INDENTED = "this line is indented, and the one before it is not"
TOLD: tuple[tuple[str, str, str], ...] = (
    # how Python's message begins, what is said instead ("" keeps it), the hint
    ("unexpected indent", INDENTED, "begin all lines in the same column"),
    (
        "unindent does not match",
        "this line is indented less than the ones before",
        "begin all lines in the same column",
    ),
    (
        "inconsistent use of tabs",
        "this line is indented with other blanks than the ones before",
        "begin all lines in the same column",
    ),
    (
        "cannot assign to function call",
        "only a name can stand left of =",
        "write  f = expression;  f: function  declares an abstract function",
    ),
    ("cannot assign", "only a name can stand left of =", "write  name = expression; == compares"),
    ("illegal target", "a declaration begins with a name", "write  name: kind[dims]"),
    ("only single target", "a declaration is of one name", "write  x: real; y: real"),
    (
        "invalid syntax. Maybe",
        "= cannot stand inside an expression",
        "== compares; lines are divided by ; and sizes of dimensions given in shapes=",
    ),
    (
        "Generator expression must",
        "a sum over indices stands alone in its brackets",
        "write  for i in N for j in C  without a comma",
    ),
    ("positional argument follows", "", "write  f(x, name=value)"),
    ("expected 'else'", "'if' is not in the language", "write where(condition, a, b)"),
    ("unexpected EOF", "the line ends where more is expected", "a backslash joins two lines"),
    ("leading zeros", "a number does not begin with 0", "write it without the leading zeros"),
    ("invalid decimal", "this is neither a number nor a name", "a product is written with *"),
    ("invalid hexadecimal", "", "write the number in decimal digits"),
    ("invalid digit", "", "write the number in decimal digits"),
    ("unterminated", "a text is not closed", "texts are short words: reduction='mean'"),
    ("too many nested", "brackets are nested too deeply", "give parts lines of their own"),
)


UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # what Python's parser raises


def silently(text: str) -> ast.Module:
    """Let Python read a text; what it warns of ("5if0") is refused or harmless here."""
    with warnings.catch_warnings(action="ignore"):
        return ast.parse(text)


def expression_tree(text: str) -> ast.Expression:
    """Let Python read an expression as `silently` reads a text."""
    with warnings.catch_warnings(action="ignore"):
        return ast.parse(text, mode="eval")


def syntax_tree(text: str) -> ast.Module:
    """Let Python read a text; raise ParseError or LimitError where it cannot."""
    lines = text.split("\n")
    # A program quoted in a script is often indented as a whole.
    indents = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
    margin = min(indents, default=0)
    padded = "if 1:\n" + text if margin else text
    try:
        tree = silently(padded)
    except (RecursionError, MemoryError):
        raise too_deep(text) from None
    except SyntaxError as error:
        raise _syntax(error, text, shift=1 if margin else 0) from None
    except ValueError as error:
        raise ParseError(
            f"not a program: {error}", span=Span(1, 1, 2), source=text, hint=FORM
        ) from None
    if margin:
        branch = tree.body[0]
        if not isinstance(branch, ast.If) or len(tree.body) != 1 or branch.orelse:
            raise ParseError("the lines are indented differently", span=Span(1, 1, 2), source=text,
                             hint="begin all lines in the same column")  # fmt: skip
        tree.body = branch.body
        for node in ast.walk(tree):
            if hasattr(node, "lineno"):
                node.lineno -= 1
                node.end_lineno = getattr(node, "end_lineno", node.lineno) - 1  # type: ignore[attr-defined]
    return tree


def too_deep(text: str) -> LimitError | ParseError:
    """Say that an expression is nested too deeply, in the longest line; or what is wrong there."""
    lines = text.split("\n")
    line = max(range(len(lines)), key=lambda k: len(lines[k])) + 1
    error = _slipped(text, line)
    return error or LimitError(
        "an expression is nested too deeply", span=Span(line, 1, 2), source=text,
        hint="give parts of it lines of their own: name = …",
    )  # fmt: skip


def _slipped(text: str, line: int) -> ParseError | None:
    """Find a common slip in a line that no bracket connects with the ones before."""
    from symgrad.parse.beside import declared
    from symgrad.parse.slips import slip

    lines = text.split("\n")
    code, before = lines[line - 1], "\n".join(lines[: line - 1])
    opened = sum(map(before.count, "([{")) - sum(map(before.count, ")]}"))
    joined = line > 1 and lines[line - 2].endswith("\\")
    if opened or joined or len(code) > JUDGED:
        return None
    found = slip(code, declared(text) if len(text) <= JUDGED else None)
    closes = found is not None and found.message.endswith("never closed") and line < len(lines)
    if found is None or (closes and _closes(lines[line:])):
        return None
    return ParseError(found.message, span=Span(line, found.start, found.end), source=text,
                      hint=found.hint)  # fmt: skip


def _closes(rest: list[str]) -> bool:
    """Say whether a later line closes a bracket that it has not opened."""
    return any(sum(map(r.count, ")]}")) > sum(map(r.count, "([{")) for r in rest)


def _statement(code: str, line: int, text: str) -> ParseError | None:
    """Recognise a statement of Python that is not even whole: def f(x) = x, for i=1:3."""
    from symgrad.parse.pasted import STATEMENTS

    begun = re.match(r"\s*([a-z]+)\b\s*(=(?!=)|[\w(\"'])?", code)
    if begun is None or not keyword.iskeyword(begun[1]) or not begun[2]:
        return None
    word = begun[1]
    span = Span(line, begun.start(1) + 1, begun.end(1) + 1)
    if begun[2] == "=":
        return _no_name(word, span, text)
    hints = {w.split()[0]: hint for w, hint in STATEMENTS.values()}
    if word not in hints or (begun[2] == "(" and word not in ("if", "for", "while")):
        return None
    return ParseError(f"'{word}' is not in the language", span=span, source=text, hint=hints[word])


def _no_name(word: str, span: Span, text: str) -> ParseError:
    other = KEYWORD_HINTS.get(word, f"{word}_")
    hint = f"call it {other}" + (", which prints as λ" if other == "lam" else "")
    message = f"'{word}' is a keyword of Python and cannot be a name"
    return ParseError(message, span=span, source=text, hint=hint)


def _syntax(error: SyntaxError, text: str, shift: int) -> ParseError:
    """Translate Python's syntax error, with a hint for what people type most."""
    line = min(max((error.lineno or 1) - shift, 1), text.count("\n") + 1)
    column = max(error.offset or 1, 1)
    end = error.end_offset or 0
    span = Span(line, column, end if end > column else column + 1)
    code = text.split("\n")[line - 1]
    if begun := _statement(code, line, text):
        return begun
    words = re.findall(r"\w+", code.split("#")[0])
    for word in words:
        if keyword.iskeyword(word) and word not in ("for", "in", "if", "not", "and", "or", "else"):
            place = re.search(rf"\b{word}\b", code)
            assert place is not None
            return _no_name(word, Span(line, place.start() + 1, place.end() + 1), text)
    given = error.msg.split(" (<")[0]
    indent = given.startswith(("unexpected indent", "unindent", "inconsistent", "cannot assign"))
    if not indent and (slipped := _slipped(text, line)):
        return slipped
    for begins, message, hint in TOLD:
        if given.startswith(begins):
            token = code[span.column - 1 : span.end - 1].strip()
            if given.startswith("invalid decimal"):
                words = [w for w in re.finditer(r"[\w.]+", code) if w.start() < column <= w.end()]
                message = (
                    f"'{words[0][0][:40]}' is neither a number nor a name" if words else message
                )
            if "left of =" in message and 0 < len(token) <= 40:
                message += f", not {token}"
            if "leading zeros" in given:
                found = re.match(r"0[0-9_]+", code[column - 1 :])
                message = f"{found[0][:40]} begins with 0: " + message if found else message
            return ParseError(message or given, span=span, source=text, hint=hint)
    if given == "invalid syntax":
        token = code[column - 1 : span.end - 1].strip()[:40]
        given = f"this line cannot be read from '{token}' on" if token else "this line has no end"
    return ParseError(given, span=span, source=text, hint=FORM)

"""Let Python read a text into its syntax tree, and say in our words where it cannot."""

import ast
import keyword
import re

from symgrad.errors import LimitError, ParseError, Span

KEYWORD_HINTS = {"lambda": "lam", "in": "x_in", "class": "cls", "is": "i_s", "from": "start"}


def syntax_tree(text: str) -> ast.Module:
    """Let Python read a text; raise ParseError or LimitError where it cannot."""
    lines = text.split("\n")
    # A program quoted in a script is often indented as a whole.
    indents = [len(line) - len(line.lstrip()) for line in lines if line.strip()]
    margin = min(indents, default=0)
    padded = "if 1:\n" + text if margin else text
    try:
        tree = ast.parse(padded)
    except (RecursionError, MemoryError):
        raise LimitError(
            "an expression is nested too deeply",
            hint="give parts of it lines of their own: name = …",
        ) from None
    except SyntaxError as error:
        raise _syntax(error, text, shift=1 if margin else 0) from None
    except ValueError as error:
        raise ParseError(f"not a program: {error}") from None
    if margin:
        branch = tree.body[0]
        assert isinstance(branch, ast.If)
        tree.body = branch.body
        for node in ast.walk(tree):
            if hasattr(node, "lineno"):
                node.lineno -= 1
                node.end_lineno = getattr(node, "end_lineno", node.lineno) - 1  # type: ignore[attr-defined]
    return tree


def _syntax(error: SyntaxError, text: str, shift: int) -> ParseError:
    """Translate Python's syntax error, with a hint for what people type most."""
    line = min(max((error.lineno or 1) - shift, 1), text.count("\n") + 1)
    column = max(error.offset or 1, 1)
    end = error.end_offset or 0
    span = Span(line, column, end if end > column else column + 1)
    words = re.findall(r"\w+", text.split("\n")[line - 1].split("#")[0])
    message, hint = error.msg.split(" (<")[0], ""
    for word in words:
        if keyword.iskeyword(word) and word not in ("for", "in", "if", "not", "and", "or"):
            other = KEYWORD_HINTS.get(word, f"{word}_")
            message = f"'{word}' is a keyword of Python and cannot be a name"
            hint = f"call it {other}" + (", which prints as λ" if other == "lam" else "")
            place = re.search(rf"\b{word}\b", text.split("\n")[line - 1])
            assert place is not None
            span = Span(line, place.start() + 1, place.end() + 1)
            break
    return ParseError(message, span=span, source=text, hint=hint)

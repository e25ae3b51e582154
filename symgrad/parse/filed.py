"""A name of a file in place of a program: what takes programs takes their text."""

import re
from os import PathLike, fspath
from pathlib import Path

from symgrad.errors import ParseError

LONGEST = 1000  # characters of a name
# no program begins or ends like this, but for a comment
LIKE_A_FILE = re.compile(r"[/~.\\]|[^#]*\.[a-z]\w*$")


def hint(name: object) -> str:
    """Say how a file is read, whose name is a text or a path; "" of anything else.

    >>> hint("cox.sg"), hint(3)
    ("read it: pathlib.Path('cox.sg').read_text()", '')
    """
    if not isinstance(name, str | PathLike):
        return ""
    return f"read it: pathlib.Path({str(fspath(name))!r}).read_text()"


def refuse(text: object) -> None:
    """Raise ParseError for what is no text, or is the name of a file.

    A .sg file need not be there: a wrong folder is no reason to read its name as a program.

    >>> refuse("w*x")
    """
    if isinstance(text, PathLike):
        name = fspath(text)
    elif not isinstance(text, str):
        raise ParseError(f"a program is text, not {type(text).__name__}",
                         hint="sg.parse('y = tanh(w*x + b)')")  # fmt: skip
    else:
        name = text.strip()
        if len(name) > LONGEST or "\n" in name or not LIKE_A_FILE.match(name):
            return
        if not (name.endswith(".sg") and "#" not in name) and not _there(name):
            return
    shown = str(name)
    raise ParseError(f"a program is given as text, not by the name of a file: {shown}",
                     hint=hint(shown))  # fmt: skip


def _there(name: str) -> bool:
    try:
        return Path(name).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, no home
        return False

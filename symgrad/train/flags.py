"""Say on a shell with flags what messages say with arguments of Python."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from symgrad.errors import SymgradError
from symgrad.train.settings import OPTIONS

FLAGS = (*OPTIONS, "batch", "dtype", "statistics", "missing", "drop", "resume")
SAID = {
    "standardise=True": "--standardise",
    "standardise=False": "--raw",
    "standardise_target=True": "--standardise-target",
    "shuffle=False": "--no-shuffle",
    "resume=True": "--resume",
    "batch=None": "--batch all",
}
VALUE = r"""("[^"]*"|'[^']*'|\[[^\]]*\]|\{[^}]*\}|[^\s,;:)\]]+)"""
QUOTES, QUOTED = r"[\"']", re.compile(r"[\"']([^\"']*)[\"']")
PLAIN = re.compile(r"[\w.@%+-]+")
ARGUMENT = re.compile(
    "|".join(map(re.escape, SAID))
    + rf"|(?<![\w.\"'])(?<!\w\()({'|'.join(FLAGS)}|values|given)={VALUE}"
)


def flags(text: str) -> str:
    """Write the arguments in a text as flags.

    >>> flags('missing="mean" helps, or drop=["a b", "c"]; epochs=0: from 1')
    "--missing mean helps, or --drop 'a b' c; --epochs 0: from 1"
    >>> flags("stop early (patience=…), adam(rate=1) is one")
    'stop early (--patience …), adam(rate=1) is one'
    >>> flags("give it one:  values={'lam': 1}"), flags("optimizer='gd(rate=1)' is one")
    ('give it one:  --set lam=1', "--optimizer 'gd(rate=1)' is one")
    """
    return ARGUMENT.sub(_flag, text)


def _flag(found: re.Match[str]) -> str:
    if found[0] in SAID:
        return SAID[found[0]]
    name, value = found[1], found[2]
    if name in ("values", "given"):
        pairs = re.sub(QUOTES, "", value).strip("{}").replace(": ", "=").replace(",", "")
        return f"--set {pairs}"
    parts = QUOTED.findall(value) if value[0] == "[" else [re.sub(QUOTES, "", value)]
    listed = " ".join(p if p == "…" or PLAIN.fullmatch(p) else repr(p) for p in parts)
    return f"--{name} {listed}"


@contextmanager
def on_a_shell() -> Iterator[None]:
    """Let errors speak of flags.

    >>> from symgrad.errors import UsageError
    >>> with on_a_shell():
    ...     raise UsageError("epochs=0: a whole number from 1 is expected")
    Traceback (most recent call last):
    symgrad.errors.UsageError: --epochs 0: a whole number from 1 is expected
    """
    try:
        yield
    except SymgradError as error:
        if error.span is None:  # else it quotes a program
            error.message = flags(error.message)
            error.args = (error.message, *error.args[1:])
        error.hint = flags(error.hint)
        raise

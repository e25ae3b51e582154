"""Check what a verb is called with: the kinds that its own annotations name.

>>> def draw(title: str = "", steps: bool = False) -> None:
...     checked(draw, locals())
>>> draw(title=3)
Traceback (most recent call last):
symgrad.errors.UsageError: draw(title=…) is an int; a text is expected
"""

from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

from symgrad.errors import UsageError

SHOWN = 60  # characters of a value that a message quotes
SAID: dict[Any, str] = {
    str: "a text",
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    Mapping: "a mapping from names",
    Iterable: "a list of names",
    NoneType: "None",
}


def checked(function: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Raise UsageError for the first argument that is not of the kind of its annotation.

    `given` has the arguments by name. An annotation in quotes, and one of another kind than
    those of `SAID` and classes, is passed over.
    """
    code = getattr(function, "__code__", None)  # what ** collects has no place of its own
    own = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else given
    for name, kind in function.__annotations__.items():
        if name in given and name in own and not _suits(given[name], kind):
            kinds = [get_origin(k) or k for k in _kinds(kind)]
            named = "a name" if Iterable in kinds else SAID[str]
            wanted = [named if k is str else SAID.get(k) or _named(k) for k in kinds]
            said = " or ".join(filter(None, [", ".join(wanted[:-1]), wanted[-1]]))
            raise UsageError(f"{function.__name__}({name}=…) is {called(given[name])}; {said} is "
                             "expected")  # fmt: skip


def called(value: Any) -> str:
    """Say what a value is, without its own text unless that is short and harmless.

    >>> called("tanh"), called(None), called([1, 2])
    ("the text 'tanh'", 'None', 'a list')
    """
    if isinstance(value, str | bytes):
        return f"the text {value[:SHOWN]!r}"
    kind = type(value)
    scalar = kind.__module__ == "numpy" and getattr(value, "ndim", 1) == 0
    if value is None or isinstance(value, bool | float | complex):
        return repr(value)[:SHOWN]
    if scalar and kind.__name__ != "ndarray":
        return repr(value)[:SHOWN]
    named = "array" if kind.__name__ == "ndarray" else kind.__name__
    return f"{'an' if named[:1].lower() in 'aeiou' else 'a'} {named[:SHOWN]}"


def _kinds(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if isinstance(kind, UnionType) or get_origin(kind) is Union else (kind,)


def _named(kind: Any) -> str:
    return f"a {getattr(kind, '__name__', kind)}"


def _suits(value: Any, kind: Any) -> bool:
    return any(_is(value, k) for k in _kinds(kind))


def _is(value: Any, kind: Any) -> bool:
    kind = get_origin(kind) or kind
    if kind is bool:
        whole = isinstance(value, int) and value in (0, 1)
        return value is None or whole or type(value).__name__ in ("bool", "bool_")
    if kind is int:
        return isinstance(value, Integral)
    if kind is float:
        return isinstance(value, Real)
    if kind is Iterable:
        try:
            return not isinstance(value, str | bytes) and iter(value) is not None
        except TypeError:  # an array without axes says that it can be iterated
            return False
    return kind is Any or not isinstance(kind, type) or isinstance(value, kind)

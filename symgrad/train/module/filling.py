"""Fill the slots `<word>` of a text that is written into modules."""

import re


def filled(text: str, **slots: str) -> str:
    """Put texts into the slots of a text; slots of other names stay.

    >>> filled("<a> + <b>", a="x")
    'x + <b>'
    """
    return re.sub(r"<(\w+)>", lambda m: slots.get(m.group(1), m.group(0)), text)

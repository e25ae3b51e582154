"""Check a long generated module by its tokens, without a syntax tree.

A tree of 10^5 lines costs seconds and a gigabyte, that of a deep network a fifth of the time to its
first gradient. A module that is made of arithmetic, loops, lists, calls and attributes from a list
can be told by its tokens alone.
"""

import keyword
import math
import re
from collections.abc import Iterable

import numpy as np

LONG = 500  # characters; below, a tree is as fast
QUOTED = re.compile(r'"""[^"\\]*"""|"[^"\\\n]*"|#[^\n]*')
OTHER = re.compile(r"[^\w\s\x01+\-*/%@()\[\]{},:=<>!&.]|\w\x01")  # a letter makes code of a string
IMPORTS = re.compile(r"^import (?:math|numpy as np)$", re.MULTILINE)
DEFINED = re.compile(r"^def (\w+)\(", re.MULTILINE)
NAMES = re.compile(r"[^\W\d]\w*")
CALLED = re.compile(r"(?<![\w.])([^\W\d]\w*+)\s*\(")
DOTTED = re.compile(r"(?<![\w.])(?:np|math|m)\.(\w+)\b(?!\.)")
# what is read of an array, not of a library: `y.T`, `x[0].dot`, `np.add.reduce`
READ = re.compile(r"\.(?<=[\w)\]]\.)(?<!\bnp\.)(?<!\bmath\.)(?<!\bm\.)(\w+)")
HANDED = re.compile(r"\bo_*0\.e0\b")  # what one part of a long program hands to another
BEHIND = re.compile(r"\.\s*[^\W\d]")  # a dot before a name
BEFORE = re.compile(r"\.\s*(?:\w*[^\W\d]|[)\]}])")  # behind one, or a bracket: read backwards
DECORATED = re.compile(r"^\s*@", re.MULTILINE)
SHORT = re.compile(r"^(\w+) = np\.\w+$", re.MULTILINE)  # a name given to a function of NumPy
COMPUTED = re.compile(r"[)\]}]\s*[(]")
WORDS = ("def", "return", "import", "as", "if", "elif", "else", "for", "in", "try", "except",
         "with", "or", "and", "not", "is", "None", "True", "False", "pass")  # fmt: skip
SPLIT = re.compile(r"\n\s*(?=[(.])")  # a call or a dot may stand on the line after its name
DIGITS = str.maketrans("123456789", "0" * 9)
ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
MATH = tuple(name for name in dir(math) if not name.startswith("_"))
# What modules may use of NumPy: its ufuncs, which compute with numbers and do nothing else, and
# these. Nothing that reads or writes files, calls what it is given or looks at memory.
ARRAYS = (
    "all", "any", "arange", "argmax", "argmin", "argsort", "array", "asarray", "ascontiguousarray",
    "bool_", "broadcast_to", "clip", "concatenate", "convolve", "copyto", "correlate",
    "count_nonzero", "cumprod", "cumsum", "diag", "dot", "einsum", "empty", "empty_like",
    "errstate", "expand_dims", "eye", "finfo", "flatnonzero", "float16", "float32", "float64",
    "full", "full_like", "int32", "int64", "int8", "max", "mean", "min", "moveaxis", "ndim",
    "ndindex", "ones", "ones_like", "outer", "pad", "prod", "ravel", "reshape", "result_type",
    "s_", "sinc", "squeeze", "stack", "std", "sum", "take", "take_along_axis", "tensordot",
    "trace", "transpose", "var", "vdot", "where", "zeros", "zeros_like",
)  # fmt: skip
UFUNCS = tuple(name for name, f in vars(np).items() if isinstance(f, np.ufunc))
LIBRARY = frozenset((*MATH, *ARRAYS, *UFUNCS))


def plain(source: str, called: Iterable[str], attributes: tuple[str, ...] = ()) -> bool:
    r"""Say whether a module does nothing but compute with numbers and arrays.

    `called` may be called in it, `attributes` may be read of its arrays.

    >>> plain("import math\ndef f(x):\n    return abs(x)*2.0\n", ["abs"])
    True
    >>> plain("import numpy as np\nadd = np.add\nadd(x, y.T.dot(x))", [], ("T", "dot"))
    True
    >>> plain("import os\n", []) or plain("x = y.__class__\n", []) or plain("open(1)\n", [])
    False
    """
    bare = _kinds(QUOTED.sub(lambda m: "" if m[0][0] == "#" else "\x01", source))
    if OTHER.search(bare) or COMPUTED.search(bare) or DECORATED.search(bare):
        return False
    bare = IMPORTS.sub("", bare)
    own = [*DEFINED.findall(bare), *SHORT.findall(bare)]
    allowed = {*map(_digits, (*called, *MATH)), *own, *WORDS}
    if any(name not in allowed for name in dict.fromkeys(CALLED.findall(bare))):
        return False
    read = frozenset(attributes)
    bare = READ.sub(lambda found: "" if found[1] in read else found[0], bare)
    if not ALLOWED.issuperset(DOTTED.findall(bare)):
        return False
    bare = DOTTED.sub("0", bare)
    if ".e0" in bare:
        bare = HANDED.sub("0", bare)
    if BEHIND.search(bare) or BEFORE.search(bare[::-1]):  # which begins at the few dots
        return False
    for name in dict.fromkeys(NAMES.findall(bare)):
        if name.startswith("__") or name == "import":
            return False
        if keyword.iskeyword(name) and name not in WORDS:
            return False
    return True


def _kinds(bare: str) -> str:
    r"""List once the terms that differ in digits alone: what may be called depends on no digit.

    >>> _kinds("v1 = a*b + 3\nv27 = a*b - c\nlog\n(v27)")
    'v0 = a*b\n+ 0\n- c\nlog(v0)'
    """
    text = _zeros(SPLIT.sub("", bare))
    text = _digits("\n".join(dict.fromkeys(text.split("\n"))))
    text = text.replace(" + ", "\n+ ").replace(" - ", "\n- ")
    return "\n".join(dict.fromkeys(text.split("\n")))


def _zeros(text: str) -> str:
    """Write 0 for every digit; bytes are translated ten times as fast."""
    if text.isascii():
        return text.encode("ascii").translate(ZEROS).decode("ascii")
    return text.translate(DIGITS)


def _digits(text: str) -> str:
    """Write 0 for every run of digits.

    >>> _digits("log1p(v120)")
    'log0p(v0)'
    """
    text = _zeros(text)
    while "00" in text:
        text = text.replace("00", "0")
    return text


ALLOWED = frozenset(map(_digits, LIBRARY))

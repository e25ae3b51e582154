"""Read declarations, `name: kind[dimensions]`, and say what is wrong with one."""

import ast
import re
import unicodedata
from collections.abc import Iterable
from typing import TYPE_CHECKING

from symgrad.errors import LimitError, NameClashError, Span, near
from symgrad.ops.spec import KINDS
from symgrad.parse.clashes import alike
from symgrad.parse.functions import KIND
from symgrad.parse.limits import MAX_AXES, MAX_ENTRIES
from symgrad.parse.sizes import entries
from symgrad.shapes import Dim, Shape

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader

TYPED = (*(k for k in KINDS if k != "integer"), KIND)
OTHERS = {
    # what other languages call a kind
    "float": "real", "float32": "real", "float64": "real", "double": "real", "number": "real",
    "array": "real", "ndarray": "real", "list": "real",
    "vector": "real", "matrix": "real", "tensor": "real", "reals": "real",
    "parameter": "param", "weight": "param", "weights": "param", "bias": "param",
    "input": "data", "feature": "data", "features": "data", "int": "labels", "integer": "labels",
    "class": "label", "classes": "labels", "bool": "binary", "boolean": "binary",
    "probabilities": "simplex", "one_hot": "onehot", "func": "function",
}  # fmt: skip
GIVE = "sizes that are worked out are given in shapes="


def kind_of(reader: "Reader", name: str, tree: ast.expr) -> str:
    """Read the kind of a declaration."""
    if isinstance(tree, ast.Name) and tree.id in TYPED:
        return tree.id
    hint = f"kinds are {', '.join(TYPED)}"
    shown = reader.quoted(tree)
    if isinstance(tree, ast.Call) and isinstance(tree.func, ast.Name) and tree.func.id in TYPED:
        dims = ", ".join(reader.quoted(a, 20) for a in tree.args)[:40]
        hint = (
            f"write {name[:40]}: {tree.func.id}[{dims}]"
            if dims
            else f"write {name}: {tree.func.id}"
        )
    elif isinstance(tree, ast.Subscript):
        hint = "all dimensions stand in one pair of brackets:  x: real[N, D]"
    elif isinstance(tree, ast.Attribute) and tree.attr.lower() in OTHERS:
        hint = f"did you mean '{OTHERS[tree.attr.lower()]}'?  {hint}"
    elif isinstance(tree, ast.Name):
        meant = OTHERS.get(tree.id.lower())
        hint = (f"did you mean '{meant}'?  " if meant else near(tree.id[:40], TYPED)) + hint
    raise reader.error(tree, f"unknown kind '{shown}'", hint)


def dimension(reader: "Reader", tree: ast.expr) -> Dim:
    """Read a dimension, a name or a whole number."""
    if isinstance(tree, ast.Name):
        if tree.id.startswith("__"):
            raise dunder(reader, tree, tree.id)
        reader.dims[tree.id] = None
        return tree.id
    message = "a dimension is a name or a whole number"
    if isinstance(tree, ast.Constant) and type(tree.value) is int:
        if not 0 <= tree.value <= MAX_ENTRIES:
            raise reader.error(tree, f"a dimension of {tree.value} is out of range",
                               f"from 0 to {MAX_ENTRIES}")  # fmt: skip
        return tree.value
    hint = "for example  x: real[N, 3]"
    if isinstance(tree, ast.UnaryOp):
        hint = "it is not negative: 0, 1, 2, …"
    elif isinstance(tree, ast.BinOp):
        hint = f"name it, as in  x: real[M];  {GIVE}"
    elif isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        hint = "write the name without quotes"
    elif isinstance(tree, ast.List | ast.Tuple):
        hint = "write the dimensions without brackets of their own:  x: real[N, D]"
    elif isinstance(tree, ast.Slice) or (isinstance(tree, ast.Constant) and tree.value is ...):
        hint = "name every dimension"
    raise reader.error(tree, f"{message}, not {reader.quoted(tree)}", hint)


def dunder(reader: "Reader", tree: ast.AST, name: str) -> Exception:
    """Say that a name begins with two underscores."""
    return reader.error(tree, f"'{name[:60]}' begins with two underscores",
                        "such names are Python's own; take another one")  # fmt: skip


def place_of(reader: "Reader", name: str) -> Span:
    """Locate where a name stands first."""
    pattern = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    for number, line in enumerate(reader.source.split("\n"), 1):
        found = pattern.search(unicodedata.normalize("NFKC", line).partition("#")[0])
        if found:
            return Span(number, found.start() + 1, found.end() + 1)
    return Span(1, 1, 2)


def distinct(reader: "Reader", names: Iterable[str]) -> None:
    """Refuse two names that print alike."""
    found = alike(names)
    if found is None:
        return
    raise NameClashError(
        f"'{found[0]}' and '{found[1]}' are two names that print alike",
        span=place_of(reader, found[0]), source=reader.source,
        hint="write one of them for both, or rename one",
    )  # fmt: skip


def assigned(
    reader: "Reader", name: str, line: int, what: str, declared: Span | None = None
) -> NameClashError:
    """Say that an input or a function is assigned, at the later of the two lines."""
    text = reader.source.split("\n")[line - 1]
    found = re.search(rf"(?<!\w){re.escape(name)}\s*(?:\[[^=]*\]\s*)?=(?!=)", text)
    column = found.start() + 1 if found else 1
    span = Span(line, column, column + len(name))
    if declared is not None and declared.line > line:
        span = declared
    return NameClashError(f"the {what} '{name[:60]}' is assigned on line {line}",
                          span=span, source=reader.source,
                          hint="give the result a name of its own")  # fmt: skip


def check_kind(reader: "Reader", tree: ast.AnnAssign, name: str, kind: str, shape: Shape) -> None:
    """Refuse dimensions that a kind cannot have."""
    where = tree.annotation
    if kind in ("label", "labels") and not shape:
        raise reader.error(where, f"{kind} needs the number of classes",
                           "y: label[C]   or   y: labels[N, C]")  # fmt: skip
    if kind == "label" and len(shape) != 1:
        raise reader.error(where, "label has one dimension, the number of classes",
                           f"write {name}: labels[N, C] for several")  # fmt: skip
    if kind in ("label", "labels") and shape[-1] == 0:
        raise reader.error(where, f"{kind} of 0 classes", "the last dimension counts the classes")
    if kind in ("onehot", "simplex") and not shape:
        raise reader.error(where, f"{kind} needs the number of classes",
                           f"{name}: {kind}[C]   or   {name}: {kind}[N, C]")  # fmt: skip
    if kind == "symmetric" and (len(shape) < 2 or shape[-1] != shape[-2]):
        raise reader.error(where, "a symmetric matrix has two equal dimensions",
                           f"write {name}: symmetric[D, D]")  # fmt: skip
    total = entries(shape)
    if len(shape) > MAX_AXES or total > MAX_ENTRIES:
        most = f"{len(shape)} axes; the limit is {MAX_AXES}"
        if len(shape) <= MAX_AXES:
            most = f"{total} entries; the limit is {MAX_ENTRIES}"
        raise LimitError(f"'{name}' has {most}", span=reader.span(where), source=reader.source,
                         hint="use fewer or smaller dimensions")  # fmt: skip

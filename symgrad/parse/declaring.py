"""Read declarations, `name: kind[dimensions]`, and say what is wrong with one."""

import ast
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from symgrad.dims import names_in, negative, solved
from symgrad.errors import LimitError, NameClashError, Span, near
from symgrad.ops.spec import KINDS
from symgrad.parse.arrays import SIZES, size
from symgrad.parse.clashes import alike
from symgrad.parse.functions import KIND
from symgrad.parse.limits import MAX_AXES, MAX_ENTRIES
from symgrad.parse.sizes import entries
from symgrad.shapes import Dim, Shape

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader, Tree

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
    """Read a dimension: a name, a whole number, or what is made of these, 2*M or D + 1."""
    if isinstance(tree, ast.Name):
        if tree.id.startswith("__"):
            raise dunder(reader, tree, tree.id)
        reader.dims[tree.id] = None
        return tree.id
    if isinstance(tree, ast.BinOp) and all(_readable(part) for part in ast.walk(tree)):
        for part in ast.walk(tree):
            if isinstance(part, ast.Name):
                dimension(reader, part)
        made = size(reader, tree)
        if negative(made):
            raise reader.error(tree, f"a dimension of {made} is out of range", "0, 1, 2, …")
        return made
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
        hint = f"2*M, D + 1 and N//2 are read;  {GIVE}"
    elif isinstance(tree, ast.Constant) and isinstance(tree.value, str):
        hint = "write the name without quotes"
    elif isinstance(tree, ast.List | ast.Tuple):
        hint = "write the dimensions without brackets of their own:  x: real[N, D]"
    elif isinstance(tree, ast.Slice) or (isinstance(tree, ast.Constant) and tree.value is ...):
        hint = "name every dimension"
    raise reader.error(tree, f"{message}, not {reader.quoted(tree)}", hint)


def determined(reader: "Reader", declared: Mapping[str, tuple[str, Shape, "Tree"]]) -> None:
    """Refuse sizes such as N + M from which nothing tells what N is, and what M."""
    shapes = [(size, name) for name, (_, shape, _) in declared.items() for size in shape]
    known = {size for size, _ in shapes if isinstance(size, str) and size.isidentifier()}
    known |= {*reader.sizes}
    left = [(size, name) for size, name in shapes if not {*names_in(size)} <= known]
    while left:
        found = {n for size, _ in left for n in names_in(size)
                 if {*names_in(size)} - known == {n} and solved(size, n)}  # fmt: skip
        if not found:
            made, name = left[0]
            unknown = next(n for n in names_in(made) if n not in known)
            said = f"nothing says how large {unknown} is, of which {made} is made"
            hint = f"declare an input whose axis is {unknown} alone"
            raise reader.error(declared[name][2], said, hint)
        known |= found
        left = [(size, name) for size, name in left if not {*names_in(size)} <= known]


def _readable(part: ast.AST) -> bool:
    if isinstance(part, ast.BinOp):
        return type(part.op) in SIZES
    whole = isinstance(part, ast.Constant) and type(part.value) is int and part.value <= MAX_ENTRIES
    return whole or isinstance(part, ast.Name | ast.operator | ast.expr_context)


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
    classes = shape[-1] if kind in ("label", "labels") else 0
    if isinstance(classes, str) and not classes.isidentifier():
        listed = ", ".join(map(str, (*shape[:-1], "C")))
        raise reader.error(where, f"{classes} classes: their number is a name or a whole number",
                           f"write {name}: {kind}[{listed}]")  # fmt: skip
    total = entries(shape)
    if len(shape) > MAX_AXES or total > MAX_ENTRIES:
        most = f"{len(shape)} axes; the limit is {MAX_AXES}"
        if len(shape) <= MAX_AXES:
            most = f"{total} entries; the limit is {MAX_ENTRIES}"
        raise LimitError(f"'{name}' has {most}", span=reader.span(where), source=reader.source,
                         hint="use fewer or smaller dimensions")  # fmt: skip

"""What is said about pasted Python: statements, and functions that belong to a module or an array.

The hint is the line as it would be written here, with the names that were typed.
"""

import ast
import re
from typing import TYPE_CHECKING

from symgrad.errors import ParseError
from symgrad.ops import lookup
from symgrad.parse import elsewhere

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader

FORM = "write  name = expression,  name: kind[dims]  or an expression"
FUNCTION = "write the lines of the function themselves; its arguments are the inputs"
IMPORT = "nothing is imported: exp, sum, tanh … are known by themselves"
LOOP = "write sum(… for i in N), or  L[i] = …  for a whole array"
STATEMENTS: dict[str, tuple[str, str]] = {
    # the word that begins it, and what to write instead
    "Import": ("import", IMPORT),
    "ImportFrom": ("from … import", IMPORT),
    "FunctionDef": ("def", FUNCTION),
    "AsyncFunctionDef": ("async def", FUNCTION),
    "ClassDef": ("class", "write the lines of the model themselves, one value a line"),
    "If": ("if", "write where(condition, a, b)"),
    "For": ("for", LOOP),
    "AsyncFor": ("async for", LOOP),
    "While": ("while", "write each step as a line, or sum(… for i in N)"),
    "Return": ("return", "leave 'return' out: the last line is the result"),
    "Delete": ("del", "leave the line out; a name may be assigned again"),
    "Pass": ("pass", "leave the line out"),
    "Break": ("break", "leave the line out; there are no loops"),
    "Continue": ("continue", "leave the line out; there are no loops"),
    "Global": ("global", "leave the line out; every name is known in all lines below"),
    "Nonlocal": ("nonlocal", "leave the line out; every name is known in all lines below"),
    "Assert": ("assert", "declare what holds:  x: positive[N]"),
    "Raise": ("raise", "leave the line out"),
    "Try": ("try", "write its lines without 'try'"),
    "TryStar": ("try", "write its lines without 'try'"),
    "With": ("with", "write its lines without 'with'"),
    "AsyncWith": ("async with", "write its lines without 'with'"),
    "Match": ("match", "write where(condition, a, b)"),
    "TypeAlias": ("type", "a declaration reads  name: kind[dims]"),
}
MODULES = (
    "np", "numpy", "jnp", "jax", "torch", "th", "tf", "tensorflow", "K", "keras", "nn", "F", "math",
    "cmath", "Math", "sp", "sympy", "scipy", "special", "linalg", "autograd", "anp", "theano", "pt",
    "tt", "mx", "cp", "cupy", "lax", "functional", "random",
    "sklearn",
)  # fmt: skip
OF_MODULE = re.compile(rf"\b({'|'.join(MODULES)})\.(?:\w+\.)*(?=\w+\()")


def statement(reader: "Reader", tree: ast.stmt) -> ParseError:
    """Say that a kind of statement is not in the language, and what to write."""
    kind = type(tree).__name__
    if isinstance(tree, ast.AugAssign):
        return _augmented(reader, tree)
    word, hint = STATEMENTS.get(kind, ("this", FORM))
    if word == "this":
        return reader.error(tree, f"this statement is not in the language ({kind})", hint)
    if isinstance(tree, ast.For):
        hint = _loop(reader, tree) or hint
    decorated = getattr(tree, "decorator_list", None)
    if decorated:
        name = reader.quoted(decorated[0])
        return reader.error(decorated[0], f"the decorator @{name} is not in the language", hint)
    return reader.error(tree, f"'{word}' is not in the language ({kind})", hint)


def _loop(reader: "Reader", tree: ast.For) -> str:
    """Write a loop that adds up, or that fills an array, as it is written here; "" for others."""
    ranges: list[str] = []
    body: ast.stmt = tree
    while isinstance(body, ast.For) and len(body.body) == 1 and not body.orelse:
        ranges.append(f"for {reader.quoted(body.target)} in {reader.quoted(body.iter)}")
        body = body.body[0]
    if isinstance(body, ast.AugAssign) and isinstance(body.op, ast.Add):
        name, value = body.target, body.value
    elif isinstance(body, ast.Assign) and isinstance(body.targets[0], ast.Subscript):
        return f"write  {reader.quoted(body, 80)}  without the loop: it is the whole array"
    else:
        return ""
    if not isinstance(name, ast.Name):
        return ""
    return f"write  {name.id} = sum({reader.quoted(value, 80)} {' '.join(ranges)})"


def _augmented(reader: "Reader", tree: ast.AugAssign) -> ParseError:
    """Say what h += x means."""
    typed, target = reader.quoted(tree, 200), reader.quoted(tree.target)
    sign = typed.removeprefix(target).split("=")[0].strip()
    said = reader.quoted(tree.value)
    value = tree.value
    if (
        sign not in ("+", "@")
        and isinstance(value, ast.BinOp)
        and (sign != "-" or isinstance(value.op, ast.Add | ast.Sub))
    ):
        said = f"({said})"
    new = target if isinstance(tree.target, ast.Name) else "h"
    hint = f"write the name again:  {new} = {new} {sign} {said}"
    return reader.error(tree, f"'{sign}=' is not in the language (AugAssign)", hint)


def attribute(reader: "Reader", tree: ast.Attribute, call: ast.Call | None = None) -> ParseError:
    """Say that an attribute is not in the language: x.sum(), np.exp, x.shape, A.T()."""
    name, owner = tree.attr[:40], reader.quoted(tree.value)
    if name == "T":
        return reader.error(
            tree, "the transpose .T is not called", f"write {owner}.T without brackets"
        )
    message = f"the attribute .{name} of {owner} is not in the language"
    first = tree.value
    while isinstance(first, ast.Attribute):
        first = first.value
    root = first.id if isinstance(first, ast.Name) else ""
    module = root in MODULES and root not in reader.variables
    return reader.error(tree, message, _instead(reader, tree, call, module, owner))


def _instead(
    reader: "Reader", tree: ast.Attribute, call: ast.Call | None, module: bool, owner: str
) -> str:
    """Write a call of a module's function, or of an array's, as it is written here."""
    name = tree.attr[:40]
    known = name if name.isidentifier() and lookup(name) else name.lower()
    if call is not None:
        given = [_plain(reader, a) for a in elsewhere.arguments(reader, call)]
        given = given if module else [owner, *given]
        if known in ("max", "min") and len(given) == 2 and given[1].lstrip("-").isdecimal():
            given[1] = f"axis={given[1]}"  # max(x, 1) is elementwise here
        if known.isidentifier() and lookup(known):
            return elsewhere.accepted(reader, known, given)
        if hint := elsewhere.instead(reader, name, given):
            return hint
        if name in elsewhere.GIVEN:
            return "give arrays through shapes=, and name them in the text"
    return METHODS.get(name) or (
        "functions stand alone: exp(x), not np.exp(x)"
        if module
        else ".T (transpose) is the only attribute"
    )


def layer(reader: "Reader", tree: ast.Call) -> ParseError:
    """Say that what is called is no function; nn.MSELoss()(p, t) is mse(p, t)."""
    from symgrad.parse.calls import known_functions

    hint, made = "a product is written with *: a*(b + c)", tree.func
    inner = made.func if isinstance(made, ast.Call) else None
    name = inner.attr if isinstance(inner, ast.Attribute) else getattr(inner, "id", "")
    plain = name.removesuffix("Loss").lower()
    same = [f for f in known_functions() if f.replace("_", "") == plain]
    if same and isinstance(made, ast.Call):
        given = [*elsewhere.arguments(reader, tree), *elsewhere.arguments(reader, made)]
        hint = elsewhere.accepted(reader, same[0], [_plain(reader, a) for a in given])
    return reader.error(tree.func, "only functions of the language can be called", hint)


def _plain(reader: "Reader", text: str) -> str:
    """Leave modules out of the arguments of a module's function: np.exp(np.log(x))."""
    return OF_MODULE.sub(lambda m: m[0] if m[1] in reader.variables else "", text)


DIMENSION = "name the dimension: X: data[N, D], then N is a number"
TURNED = "write .T for a transpose"
PLAIN = "leave it out: gradients are derived from the text"
METHODS = {
    "pi": "write pi", "inf": "write inf", "nan": "write nan", "e": "write exp(x) for a power of e",
    "t": TURNED, "transpose": TURNED, "mT": TURNED, "H": TURNED, "permute": TURNED,
    "shape": DIMENSION, "size": DIMENSION, "ndim": DIMENSION, "dim": DIMENSION,
    "view": "write reshape(x, (N, -1))", "flatten": "write reshape(x, (-1,))",
    "ravel": "write reshape(x, (-1,))", "squeeze": "write x[:, 0] for the axis that goes",
    "unsqueeze": "write x[:, None] for a new axis", "newaxis": "write None:  x[:, None]",
    "Linear": "write x @ W + b", "Sequential": "write a line for each layer", "Module": PLAIN,
    "Parameter": "declare it:  W: param[D, H]",
    "backward": "leave it out: symgrad derives all gradients of the last line",
    "grad": "leave it out: symgrad derives all gradients of the last line",
    "detach": PLAIN, "item": PLAIN, "numpy": PLAIN, "copy": PLAIN, "clone": PLAIN, "float": PLAIN,
    "astype": PLAIN, "to": PLAIN, "cuda": PLAIN, "cpu": PLAIN, "double": PLAIN,
    "append": "give arrays through shapes=, and name them in the text",
}  # fmt: skip

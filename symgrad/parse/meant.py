"""What was probably meant by syntax or a function that the language does not have."""

import ast
import difflib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from symgrad.errors import ParseError, Span, near
from symgrad.ops import Op, lookup
from symgrad.shapes import Dim, Shape

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader, Tree

FORM = "write  name = expression,  name: kind[dims]  or an expression"
WORDS: dict[type, tuple[str, str]] = {
    # what people call it, and what to write instead
    ast.Lambda: ("a lambda", "keywords are not names; 'lam' prints as λ"),
    ast.IfExp: ("'if … else'", "write where(condition, a, b)"),
    ast.Set: ("a set", "brackets {} are not used in the language"),
    ast.Dict: ("a dictionary", "brackets {} are not used in the language"),
    ast.SetComp: ("a set", "write sum(… for j in C), without { }"),
    ast.DictComp: ("a dictionary", "brackets {} are not used in the language"),
    ast.JoinedStr: ("a text (string)", "texts are not values in the language"),
    ast.ListComp: ("a list", "write sum(… for j in C), without [ ]"),
    ast.GeneratorExp: ("a range of values", "write sum(… for j in C), mean(…) or max(…)"),
    ast.List: ("a list", "give arrays through shapes=, and name them in the text"),
    ast.Tuple: ("a tuple, values divided by commas,", "write one value a line; decimals have a "
                "point: 1.5"),
    ast.NamedExpr: ("':='", "give the part a line of its own: name = …"),
    ast.Starred: ("a star before a value", "a product has two operands: a*b; a power is a**b"),
    ast.Await: ("'await'", "write the expression alone"),
    ast.Yield: ("'yield'", "write the expression alone"),
    ast.YieldFrom: ("'yield'", "write the expression alone"),
    ast.Slice: ("a slice outside of brackets", "write x[1:3]"),
}  # fmt: skip
OPERATORS: dict[type, tuple[str, str]] = {
    ast.BitXor: ("^", "a power is written **"),
    ast.FloorDiv: ("//", "write floor(a/b)"),
    ast.Mod: ("%", "write a - b*floor(a/b); a comment begins with #"),
    ast.LShift: ("<<", "write a*2**b; much less is two signs: a < b"),
    ast.RShift: (">>", "write a/2**b"),
    ast.BitAnd: ("&", "write c1*c2 for two conditions"),
    ast.BitOr: ("|", "write max(c1, c2) for two conditions, abs(x) for |x|"),
    ast.Not: ("not", "write 1 - c for a condition c"),
    ast.Invert: ("~", "write 1 - c for a condition c"),
    ast.Is: ("is", "write =="), ast.IsNot: ("is not", "write !="),
    ast.In: ("in", "ranges stand behind 'for': sum(a[i] for i in N); inputs are declared: x: real"),
    ast.NotIn: ("not in", "ranges stand behind 'for' only: sum(a[i] for i in N)"),
}  # fmt: skip
INDICES = {"argmax": "max(x)", "argmin": "min(x)", "argsort": "softmax(x)"}
FUNCTIONS = {
    # names from mathematics, NumPy and other programs, and how it is written here
    "ln": "log(x), the natural logarithm", "lg": "log(x)/log(10)", "log10": "log(x)/log(10)",
    "log_2": "log2(x)", "ld": "log2(x)", "sigma": "sigmoid(x)", "σ": "sigmoid(x)",
    "logistic": "sigmoid(x)", "expit": "sigmoid(x)", "power": "a**b", "sgn": "sign(x)",
    "root": "x**(1/n)", "cbrt": "x**(1/3)", "sqr": "x**2", "tg": "tan(x)", "cot": "1/tan(x)",
    "ctg": "1/tan(x)", "sec": "1/cos(x)", "csc": "1/sin(x)", "sh": "sinh(x)", "ch": "cosh(x)",
    "th": "tanh(x)", "asin": "arctan(x/sqrt(1 - x**2))", "arcsin": "arctan(x/sqrt(1 - x**2))",
    "acos": "pi/2 - arctan(x/sqrt(1 - x**2))", "arccos": "pi/2 - arctan(x/sqrt(1 - x**2))",
    "arctan2": "arctan(y/x)", "atan2": "arctan(y/x)", "arctg": "arctan(x)", "erfc": "1 - erf(x)",
    "heaviside": "x > 0, which is 1 or 0", "step": "x > 0, which is 1 or 0",
    "conv": "correlate(x, w), or convolve(x, w)", "conv1d": "correlate(x, w), or convolve(x, w)",
    "conv2d": "correlate(x, w) of two vectors; there are no images", "linear": "x @ W + b",
    "dense": "x @ W + b", "flatten": "reshape(x, (-1,))", "sumsq": "sum(x**2)", "sq": "x**2",
    "arcsinh": "asinh(x)",
    "ceil": "-floor(-x)", "round": "floor(x + 0.5)", "mod": "a - b*floor(a/b)",
    "average": "mean(x)", "avg": "mean(x)", "size": "the dimension's name, as in sum(x)/N",
    "len": "the dimension's name, as in sum(x)/N", "range": "arange(N), or  for i in N",
    "ce": "cross_entropy(S, y)", "rmse": "sqrt(mse(p, t))", "transposed": "x.T",
    "zeros": "zeros_like(x), or the number 0, which broadcasts",
    "ones": "ones_like(x), or the number 1, which broadcasts", "identity": "eye(N)",
    "if": "where(condition, a, b)", "ifelse": "where(condition, a, b)",
    "cases": "where(condition, a, b)", "factorial": "prod(arange(N) + 1)",
    "float": "x as it is: all numbers are floats", "int": "floor(x)",
    "relative": "a/b", "inverse": "inv(A)", "tr": "trace(A)", "norm2": "norm(x)",
    "expand_dims": "x[:, None]", "unsqueeze": "x[:, None]", "squeeze": "x[:, 0]",
    "swapaxes": "transpose(A, (0, 2, 1)), the new order of all axes", "flip": "x[::-1]",
    "permute": "transpose(A, (0, 2, 1))", "diff": "x[1:] - x[:-1]",
    "inner": "x @ y", "roll": "concatenate((x[-1:], x[:-1]))",
    "hadamard": "a*b", "multiply": "a*b", "add": "a + b", "subtract": "a - b", "divide": "a/b",
}  # fmt: skip
GIVEN = ("array", "linspace", "random", "randn", "rand", "normal", "uniform", "matrix", "tensor",
         "list", "load", "logspace")  # fmt: skip
PYTHON = (
    "print", "input", "eval", "exec", "open", "compile", "getattr", "setattr", "delattr", "hasattr",
    "globals", "locals", "vars", "dir", "type", "object", "super", "help", "breakpoint", "exit",
    "quit", "memoryview", "bytes", "str", "isinstance", "map", "filter", "zip", "id", "callable",
    "Symbol", "Function", "sympify", "lambdify", "enumerate", "sorted", "iter", "next", "repr",
)  # fmt: skip


def unreadable(reader: "Reader", tree: ast.AST) -> ParseError:
    """Say that a kind of expression is not in the language."""
    kind = type(tree)
    called, hint = WORDS.get(kind, ("this", FORM))
    if isinstance(tree, ast.BoolOp):
        both = isinstance(tree.op, ast.And)
        called, instead = ("'and'", "c1*c2") if both else ("'or'", "max(c1, c2)")
        hint = f"write {instead} for two conditions, or several 'if' in a comprehension"
    if isinstance(tree, ast.IfExp):
        parts = [reader.quoted(t, 24) for t in (tree.test, tree.body, tree.orelse)]
        hint = f"write where({', '.join(parts)})"
    return reader.error(tree, f"{called} is not in the language ({kind.__name__})", hint)


def operator(reader: "Reader", tree: ast.AST, sign: ast.AST, what: str = "operator") -> ParseError:
    """Say that an operator or a comparison is not in the language."""
    kind = type(sign)
    symbol, hint = OPERATORS.get(kind, (kind.__name__, ""))
    if isinstance(sign, ast.BitXor) and isinstance(tree, ast.BinOp):
        return _power(reader, tree)
    message = f"the {what} {symbol} ({kind.__name__}) is not in the language"
    return reader.error(tree, message, hint)


POWER = re.compile(r"(\w+|[)\]])\s*\^\s*(-?\s*\w[\w.]*|[-({])")


def _power(reader: "Reader", tree: ast.BinOp) -> ParseError:
    """Say what a ^ b means; Python's ^ binds so weakly that its operands say nothing."""
    span, hint = reader.span(tree), "x**2"
    line = reader.source.split("\n")[span.line - 1]
    pair = POWER.search(line, span.column - 1)
    if pair is not None:
        base, power = pair.groups()
        span = Span(span.line, pair.start() + 1, pair.end() + 1)
        if base in ("e", "exp"):
            hint = f"exp({power})" if power[-1] not in "-({" else "exp(x) for a power of e"
        elif power == "T":
            hint = "x**2; a transpose x.T"
        elif line[pair.end() : pair.end() + 1] == "(" and lookup(base):
            hint = f"{base}(x)**{power} for a power of a function"
        elif base not in ")]" and power[-1] not in "-({":
            hint = f"{base}**{power}"[:60]
    return ParseError("the operator ^ (BitXor) is not in the language", span=span,
                      source=reader.source, hint=f"a power is written **: {hint}")  # fmt: skip


def unknown(reader: "Reader", tree: "Tree", name: str) -> ParseError:
    """Say that a function is unknown, with the nearest name and how to define it."""
    from symgrad.parse.calls import known_functions

    short = name[:40]
    message = f"unknown function '{name[:80]}'"
    if name in INDICES:
        said = f"'{name}' gives places, which have no derivative"
        return reader.error(tree, said, f"{INDICES[name]} has one; zero_one(S, y) counts mistakes")
    if name.startswith("__"):
        return reader.error(tree, message, "names do not begin with two underscores; nothing of "
                            "Python can be called")  # fmt: skip
    if name in PYTHON:
        return reader.error(tree, message, "only functions of the language can be called; the "
                            "last line is the output")  # fmt: skip
    if name in GIVEN:
        return reader.error(tree, message, "give arrays through shapes=, and name them in the text")
    if name in FUNCTIONS or name.lower() in FUNCTIONS:
        meant = FUNCTIONS.get(name) or FUNCTIONS[name.lower()]
        return reader.error(tree, message, f"write {meant}")
    if name in reader.dims:
        return reader.error(tree, f"'{name}' is a dimension and cannot be called",
                            f"write {name}*(…) for a product")  # fmt: skip
    known = known_functions()
    same = [k for k in known if k.replace("_", "") == name.lower().replace("_", "")]
    # a short name is near to too much
    close = same or difflib.get_close_matches(short, [k for k in known if len(k) > 2], 5)
    # swapped letters are the likeliest slip, then a wrong letter, then a missing one
    close.sort(key=lambda n: (sorted(n) != sorted(name), len(n) != len(name)))
    hint = f"did you mean '{close[0]}'?  " if close else ""
    if len(name) == 1 and not close:
        hint = "write x.T for a transpose, " if name in "tT" else "write "
        hint += f"{name}*(…) for a product, {name}[…] for an entry, or declare  {name}: "
        hint += "function.  "
    hint += f'symgrad.activation("{short}", "…") defines a new one.'
    return reader.error(tree, message, hint)


# What the arguments of other libraries' functions come to here.
ELSEWHERE = {
    "approximate": "gelu_tanh(x) is gelu's approximation by tanh.  ", "inplace": "leave it out.  ",
    "dtype": "dtype= is given to symgrad.compile.  ", "out": "leave it out.  ",
}  # fmt: skip


def no_such_argument(
    reader: "Reader", tree: ast.Call, keyword: ast.keyword, known: Sequence[str]
) -> ParseError:
    """Say that a function has no argument of a name, and which it has."""
    key = str(keyword.arg)
    other = OTHERS.get(key)
    hint = f"did you mean '{other}'?  " if other in known else near(key[:40], known)
    hint = ELSEWHERE.get(key) or hint
    message = f"{called(tree)} has no argument '{key[:40]}'"
    return reader.error(keyword, message, f"{hint}it has {', '.join(known)}")


def no_argument(reader: "Reader", tree: ast.AST) -> ParseError:
    """Say that f(*x) and f(x for x in y) are no calls."""
    return reader.error(tree, f"{reader.quoted(tree)} is not an argument in the language",
                        "write every argument: maximum(a, b)")  # fmt: skip


def no_literal(reader: "Reader", tree: ast.expr) -> ParseError:
    """Say that a parameter has to be typed out."""
    hint = "type it out: axis=0; mean, sum and none stand in quotes"
    if isinstance(tree, ast.Name) and tree.id in ("mean", "sum", "none"):
        hint = f"write it in quotes: '{tree.id}'"
    elif isinstance(tree, ast.Name) and tree.id in ("true", "false"):
        hint = f"write {tree.id.title()}"
    return reader.error(tree, f"a plain number is expected here, not {reader.quoted(tree)}", hint)


def no_value(reader: "Reader", tree: ast.Constant) -> ParseError:
    """Say that a text, a complex number, True or None is not a value."""
    kind = type(tree.value).__name__
    what = {"str": "the text ", "bytes": "the text ", "complex": "the complex number "}
    hint = {"complex": "numbers are real: write 1.5, 2e-3", "bool": "write 0 or 1"}.get(kind)
    return reader.error(tree, f"{what.get(kind, '')}{reader.quoted(tree)} is not a value here",
                        hint or "a value is a number, a name or an expression")  # fmt: skip


def nothing(reader: "Reader") -> ParseError:
    """Say that a program has no value, and why."""
    lines = reader.source.split("\n")
    said = [k for k, line in enumerate(lines, 1) if line.strip()]
    codes = [k for k in said if not lines[k - 1].lstrip().startswith("#")]
    why = "it only declares inputs" if codes else "it holds comments only"
    place = (codes or said or [1])[-1]
    span = Span(place, 1, max(len(lines[place - 1]), 1) + 1)
    why = why if said else "the text is empty"
    return ParseError(f"the program has no value: {why}", span=span, source=reader.source,
                      hint="the last line gives it:  loss = mean((p - t)**2)")  # fmt: skip


def arrow(reader: "Reader", tree: ast.Expr) -> ParseError | None:
    """Recognise  y <- x,  which compares y with -x to the letter."""
    pair = tree.value
    if not (isinstance(pair, ast.Compare) and isinstance(pair.left, ast.Name)):
        return None
    typed, name = reader.quoted(tree, 10_000), pair.left.id
    rest = typed.removeprefix(name).lstrip()
    if not re.match(r"<-\s", rest):
        return None
    value = rest[2:].strip()
    short = value if len(value) <= 40 else "…"
    hint = f"write  {name[:40]} = {short};  a comparison is typed  a < -b"
    return reader.error(tree, "'<-' gives no value to a name in the language", hint)


# How other libraries call an argument.
OTHERS = {"dim": "axis", "keepdim": "keepdims", "alpha": "a", "negative_slope": "a", "min": "b",
          "max": "c", "axes": "axis", "x": "a", "lambd": "lam"}  # fmt: skip


def called(tree: ast.Call) -> str:
    """Give the name by which a function is called."""
    assert isinstance(tree.func, ast.Name)
    return tree.func.id


def too_many(
    reader: "Reader", tree: ast.Call, row: Op, argument: ast.expr, most: int
) -> ParseError:
    """Say that there are too many arguments, and what log(x, 2) or mse(p, t, "sum") mean."""
    name, hint = called(tree), ""
    text = argument.value if isinstance(argument, ast.Constant) else None
    if name == "log":
        shown = reader.quoted(argument)
        hint = (
            "write log2(x)" if text == 2 else f"write log(x)/log({shown}); log is the natural one"
        )
    elif "reduction" in row.params and isinstance(text, str):
        hint = f"write reduction={text[:20]!r}"
    elif row.params:
        hint = f"others are named: {', '.join(f'{p}=…' for p in row.params)}"
    else:
        hint = f"write {name}({', '.join(reader.quoted(a, 20) for a in tree.args[:most])})"
    return reader.error(argument, f"{name} takes at most {most} argument{'s' * (most != 1)}", hint)


def wrong_index(
    reader: "Reader",
    tree: ast.AST,
    message: str = "an index has to be a label, an index variable or an integer",
    hint: str = "",
) -> ParseError:
    """Say what is wrong in a subscript: an index that is not bound, or one that is worked out."""
    part = tree.slice if isinstance(tree, ast.Subscript) else tree
    for item in part.elts if isinstance(part, ast.Tuple) else [part]:
        if not hint and isinstance(item, ast.Compare):
            return reader.error(item, "a condition picks no entries",
                                f"write where({reader.quoted(item)}, x, 0)")  # fmt: skip
        if isinstance(item, ast.Constant) and isinstance(item.value, float):
            return reader.error(item, f"the index {reader.quoted(item)} is no whole number",
                                "write x[0], x[-1] or x[1:3]")  # fmt: skip
        inside = [n.id for n in ast.walk(item) if isinstance(n, ast.Name)]
        if isinstance(item, ast.BinOp) and any(n in reader.index for n in inside):
            shown = reader.quoted(item)
            return reader.error(item, f"an index is a plain name, not {shown}",
                                "shift the array on a line of its own: t = s[1:]")  # fmt: skip
        if not isinstance(item, ast.Name) or item.id in reader.index:
            continue
        node = reader.variables.get(item.id)
        if node is not None and node.op == "input" and not node.shape and node.dtype == "float":
            known = ", ".join(reader.dims) or "none is declared"
            hint = f"write  for {item.id[:40]} in D  with a dimension D ({known})"
            hint += "; labels are declared: y: labels[N, C]"
            return reader.error(item, f"the index '{item.id[:60]}' is not bound, and is no label; "
                                f"{message}", hint)  # fmt: skip
    typed = part.elts[-1] if isinstance(part, ast.Tuple) else part
    named = typed.id[:40] if isinstance(typed, ast.Name) else "y"
    if not hint and isinstance(tree, ast.Subscript):
        message += f", not {reader.quoted(typed)}"
    given = reader.variables.get(named)
    rows = given.shape if given is not None and given.op == "input" and given.shape else ("N",)
    return reader.error(tree, message, hint or f"declare labels:  {as_labels(named, rows, 'C')}")


def as_labels(name: str, rows: Shape, classes: Dim) -> str:
    """Write the declaration of labels below `classes`; a size that is a sum has no name of its own.

    >>> as_labels("y", ("N",), "C"), as_labels("y", (), "C")
    ('y: labels[N, C]', 'y: label[C]')
    """
    if isinstance(classes, str) and not classes.isidentifier():
        return f"{name} with sizes that are numbers, because {classes} is no name"
    listed = ", ".join(str(d) for d in (*rows, classes))
    return f"{name}: {'labels' if rows else 'label'}[{listed}]"

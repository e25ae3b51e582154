"""What was probably meant by syntax or a function that the language does not have."""

import ast
import difflib
from typing import TYPE_CHECKING

from symgrad.errors import ParseError
from symgrad.ops import Op, lookup

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader, Tree

FORM = "write  name = expression,  name: kind[dims]  or an expression"
WORDS: dict[type, tuple[str, str]] = {
    # what people call it, and what to write instead
    ast.Lambda: ("a lambda", "keywords are not names; 'lam' prints as λ"),
    ast.IfExp: ("'if … else'", "write where(condition, a, b)"),
    ast.BoolOp: ("'and', 'or'", "write where(c1, where(c2, a, b), b), or several 'if' in a "
                 "comprehension"),
    ast.Set: ("a set", "brackets {} are not used in the language"),
    ast.Dict: ("a dictionary", "brackets {} are not used in the language"),
    ast.SetComp: ("a set", "write sum(… for j in C), without { }"),
    ast.DictComp: ("a dictionary", "brackets {} are not used in the language"),
    ast.JoinedStr: ("a text", "texts are not values in the language"),
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
STATEMENTS: dict[type, str] = {
    ast.Import: "nothing is imported: exp, sum, tanh … are known by themselves",
    ast.ImportFrom: "nothing is imported: exp, sum, tanh … are known by themselves",
    ast.FunctionDef: "write the lines of the function themselves; its arguments are the inputs",
    ast.If: "write where(condition, a, b)",
    ast.For: "write sum(… for i in N), or  L[i] = …  for a whole array",
    ast.While: "write each step as a line, or sum(… for i in N)",
    ast.Return: "leave 'return' out: the last line is the result",
    ast.AugAssign: "write the name again:  h = h + …",
}
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
    ast.In: ("in", "ranges stand behind 'for' only: sum(a[i] for i in N)"),
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
    "arctan2": "arctan(y/x)", "atan2": "arctan(y/x)", "arcsinh": "asinh(x)",
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
    called, hint = WORDS.get(kind, ("this", ""))
    return reader.error(tree, f"{called} is not in the language ({kind.__name__})", hint)


def operator(reader: "Reader", tree: ast.AST, sign: ast.AST, what: str = "operator") -> ParseError:
    """Say that an operator or a comparison is not in the language."""
    kind = type(sign)
    symbol, hint = OPERATORS.get(kind, (kind.__name__, ""))
    if isinstance(sign, ast.BitXor) and isinstance(tree, ast.BinOp):
        hint = f"{hint}: {_power(tree)}"
    message = f"the {what} {symbol} ({kind.__name__}) is not in the language"
    return reader.error(tree, message, hint)


def _power(tree: ast.BinOp) -> str:
    """Write what a ^ b means."""
    left, right = tree.left, tree.right
    if isinstance(left, ast.Name) and left.id in ("e", "exp"):
        inside = right if isinstance(right, ast.Name | ast.Constant | ast.UnaryOp) else None
        return f"exp({ast.unparse(inside)[:40]})" if inside else "exp(x) for a power of e"
    if isinstance(right, ast.Name) and right.id == "T":
        return "x**2; a transpose x.T"
    small = isinstance(left, ast.Name) and isinstance(right, ast.Name | ast.Constant)
    return f"{ast.unparse(left)[:40]}**{ast.unparse(right)[:40]}" if small else "x**2"


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
    near = same or difflib.get_close_matches(short, [k for k in known if len(k) > 2], 5)
    # swapped letters are the likeliest slip, then a wrong letter, then a missing one
    near.sort(key=lambda n: (sorted(n) != sorted(name), len(n) != len(name)))
    hint = f"did you mean '{near[0]}'?  " if near else ""
    if len(name) == 1 and not near:
        hint = f"write {name}*(…) for a product, or declare  {name}: function.  "
    hint += f'symgrad.activation("{short}", "…") defines a new one.'
    return reader.error(tree, message, hint)


def attribute(reader: "Reader", tree: ast.Attribute, called: bool) -> ParseError:
    """Say that an attribute is not in the language: x.sum(), np.exp, x.shape, A.T()."""
    name = tree.attr[:40]
    message = f"the attribute .{name} is not in the language"
    if name == "T":
        return reader.error(tree, "the transpose .T is not called", "write .T without brackets")
    hint = ".T (transpose) is the only attribute"
    if called and name.isidentifier() and lookup(name):
        hint = f"write {name}(…)"
    elif called and name in FUNCTIONS:
        hint = f"write {FUNCTIONS[name]}"
    elif name in ("pi", "inf", "nan"):
        hint = f"write {name}"
    elif name in ("t", "transpose", "mT", "H"):
        hint = "write .T for a transpose"
    elif name in ("shape", "size", "ndim"):
        hint = "name the dimension: X: data[N, D], then N is a number"
    return reader.error(tree, message, hint)


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
        shown = ast.unparse(argument)[:40]
        hint = (
            "write log2(x)" if text == 2 else f"write log(x)/log({shown}); log is the natural one"
        )
    elif "reduction" in row.params and isinstance(text, str):
        hint = f"write reduction={text[:20]!r}"
    elif row.params:
        hint = f"others are named: {', '.join(f'{p}=…' for p in row.params)}"
    return reader.error(argument, f"{name} takes at most {most} argument{'s' * (most != 1)}", hint)


def wrong_index(
    reader: "Reader",
    tree: ast.AST,
    message: str = "an index has to be a label, an index variable or an integer",
    hint: str = "declare labels: y: labels[N, C]",
) -> ParseError:
    """Say what is wrong in a subscript: an index that is not bound, or one that is worked out."""
    part = tree.slice if isinstance(tree, ast.Subscript) else tree
    for item in part.elts if isinstance(part, ast.Tuple) else [part]:
        inside = [n.id for n in ast.walk(item) if isinstance(n, ast.Name)]
        if isinstance(item, ast.BinOp) and any(n in reader.index for n in inside):
            shown = ast.unparse(item)[:40]
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
    return reader.error(tree, message, hint)

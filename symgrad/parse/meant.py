"""What was probably meant by syntax or a function that the language does not have."""

import ast
import re
from typing import TYPE_CHECKING

from symgrad.errors import ParseError, Span
from symgrad.ops import Op, lookup
from symgrad.parse.trial import bracketed, filled, tried
from symgrad.parse.values import Val
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

FILLED: dict[type, str] = {  # the same with the operands that were typed
    ast.FloorDiv: "write floor({a}/{b})", ast.Not: "write 1 - {a}", ast.Invert: "write 1 - {a}",
    ast.Mod: "write {a} - {b}*floor({a}/{b}); a comment begins with #",
}  # fmt: skip


def unreadable(reader: "Reader", tree: ast.AST) -> ParseError:
    """Say that a kind of expression is not in the language."""
    kind = type(tree)
    called, hint = WORDS.get(kind, ("this", FORM))
    if isinstance(tree, ast.BoolOp):
        both = isinstance(tree.op, ast.And)
        called, instead = ("'and'", "c1*c2") if both else ("'or'", "max(c1, c2)")
        hint = f"write {instead} for two conditions, or several 'if' in a comprehension"
    if isinstance(tree, ast.ListComp):
        inside, index = reader.quoted(tree, 80)[1:-1], reader.quoted(tree.generators[0].target)
        hint = f"write sum({inside}), without [ ], or  y[{index}] = {reader.quoted(tree.elt, 80)}"
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
    parts = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name)]
    if isinstance(sign, ast.Mod) and any(n in reader.index for n in parts):
        hint = "places that go round:  z = concatenate((x, x))  has x twice, for z[i + k]"
    elif kind in FILLED:
        ends = [tree.left, tree.right] if isinstance(tree, ast.BinOp) else []
        ends += [tree.operand] if isinstance(tree, ast.UnaryOp) else []
        typed = dict(zip("abc", [reader.quoted(e) for e in ends], strict=False))
        hint = filled(FILLED[kind], typed) if typed else hint
    return reader.error(tree, message, hint)


POWER = re.compile(r"([\w.]+|[)\]])\s*\^\s*(\(\s*-\s*1\s*\)|-?\s*\w[\w.]*|[-({])")


def _power(reader: "Reader", tree: ast.BinOp) -> ParseError:
    """Say what a ^ b means; Python's ^ binds so weakly that its operands say nothing."""
    span, hint = reader.span(tree), "x**2"
    line = reader.source.split("\n")[span.line - 1]
    pair = POWER.search(line, span.column - 1)
    if pair is not None:
        base, power = pair.groups()
        span = Span(span.line, pair.start() + 1, pair.end() + 1)
        matrix = _matrix(reader, _ending(line, pair.end(1)), power.strip("() ").replace(" ", ""))
        if matrix:
            return ParseError("the operator ^ (BitXor) is not in the language", span=span,
                              source=reader.source, hint=matrix)  # fmt: skip
        if base in ("e", "exp"):
            hint = f"exp({power})" if power[-1] not in "-({" else "exp(x) for a power of e"
        elif power == "T":
            hint = "x**2; a transpose x.T"
        elif line[pair.end() : pair.end() + 1] == "(" and lookup(base):
            hint = f"{base}(x)**{power} for a power of a function"
        elif power[-1] not in "-({" and len(whole := _ending(line, pair.end(1))) < 40:
            hint = f"{whole}**{power}"[:60]
    return ParseError("the operator ^ (BitXor) is not in the language", span=span,
                      source=reader.source, hint=f"a power is written **: {hint}")  # fmt: skip


def _ending(line: str, end: int) -> str:
    """Give the operand that ends in a column: a name, a call, an entry, or what brackets hold."""
    start = end
    while start and line[start - 1] in ")]":
        depth = 0
        while start:
            start -= 1
            depth += (line[start] in ")]") - (line[start] in "([")
            if not depth:
                break
    while start and (line[start - 1].isalnum() or line[start - 1] in "_."):
        start -= 1
    return line[start:end]


def _matrix(reader: "Reader", base: str, power: str) -> str:
    """Say what A^-1, A^2 and A^T are of a matrix; "" for anything else."""
    found = tried(reader, base) if power in ("-1", "2", "T") else None
    if not isinstance(found, Val) or len(found.node.shape) != 2 or found.axes:
        return ""
    square = found.node.shape[0] == found.node.shape[1]
    bare = base[1:-1] if base[0] == "(" and bracketed(base[1:-1]) == base else base
    if power == "T":
        return f"write {base}.T"
    if not square:
        return f"a power is written **, and is taken entry by entry: {base}**{power}"
    if power == "2":
        return f"write {base} @ {base} for the product of matrices, {base}**2 entry by entry"
    return f"write inv({bare}) for the inverse; {base}**-1 takes the reciprocal of each entry"


def early(reader: "Reader", tree: "Tree", name: str, line: int) -> ParseError:
    """Say that a name is used before it has a value: in the lines above, or by itself."""
    if reader.index and reader.span(tree).line == line:
        return reader.error(tree, f"'{name}' is defined by itself",
                            "write each step as a line of its own; a running sum is  "
                            f"{name}[i] = sum(x[j] for j in N if j <= i)")  # fmt: skip
    return reader.error(tree, f"'{name}' is used before it is assigned (line {line})",
                        "change the order of the lines, or declare the input")  # fmt: skip


def no_entry(reader: "Reader", tree: "Tree", name: str) -> None:
    """Refuse x_i beside an array x and an index i, which would be a number of its own."""
    stem, _, letters = name.rpartition("_")
    for base, rest in ((stem, [letters]), (stem.rpartition("_")[0], name.split("_")[-2:])):
        known = reader.variables.get(base)
        found = rest if all(r in reader.index for r in rest) else [*"".join(rest)]
        if (
            known is None
            or not known.shape
            or not found
            or not all(r in reader.index for r in found)
        ):
            continue
        hint = f"write {base}[{', '.join(found)}]"
        raise reader.error(tree, f"'{name}' would be a number of its own, and no entry of "
                           f"'{base}'", f"{hint}, or declare  {name}: real")  # fmt: skip


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
            advice = "other places come from labels: y: labels[N, C]"
            if len(dict.fromkeys(n for n in inside if n in reader.index)) > 1:
                advice = "sums over a window are  correlate(x, h)  and  convolve(x, h)"
            said = f"an index is a name, also i + 1 or N - 1 - i, not {shown}"
            return reader.error(item, said, advice)
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

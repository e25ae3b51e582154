"""Abstract functions: `phi: function` declares one, `phi(x)` applies it to every entry."""

import ast

from symgrad.errors import ParseError, SymgradError, UsageError
from symgrad.graph import Node, topological
from symgrad.ops import OPS, leaf
from symgrad.ops.spec import typed_name
from symgrad.parse.expression import Reader, Tree
from symgrad.parse.limits import scan
from symgrad.parse.syntax import syntax_tree
from symgrad.parse.values import Visit

KIND = "function"
VARIABLE = leaf("a")  # in which a definition is written
LEAVES = ("input", "const")
HINT = 'an operator of one variable ("tanh") or a formula in a ("a*sigmoid(a)")'


def declares(reader: Reader, name: str, kind: ast.expr, dims: list[ast.expr]) -> bool:
    """Say whether a declaration is that of a function; refuse dimensions."""
    if not isinstance(kind, ast.Name) or kind.id != KIND:
        return False
    if dims:
        hint = f"write {name}: function;  {name}(X) applies it to every entry of X"
        raise reader.error(dims[0], f"the function '{name}' has no dimensions", hint)
    return True


def bare(reader: Reader, tree: Tree, name: str) -> ParseError:
    """Say that a function has no value without an argument."""
    return reader.error(tree, f"'{name}' is declared as a function; it needs an argument",
                        f"{name}(x)")  # fmt: skip


def applied(reader: Reader, tree: ast.Call) -> Visit:
    """Read `phi(x)`; a generator, run by the reader's loop."""
    assert isinstance(tree.func, ast.Name)
    name, given = tree.func.id, [*tree.args, *tree.keywords]
    if len(given) != 1:
        raise reader.error(tree, f"the function '{name}' takes one argument, not {len(given)}",
                           "a declared function has one variable")  # fmt: skip
    argument = given[0]
    if isinstance(argument, ast.keyword | ast.Starred | ast.GeneratorExp):
        raise reader.error(tree, f"the function '{name}' takes one plain argument", f"{name}(x)")
    assert isinstance(argument, ast.expr)
    value = yield argument
    return reader.apply(tree, "apply", value, name=name)


def definition(name: str, text: object) -> Node:
    """Read what an abstract function is bound to: an operator's name, or a formula in `a`.

    >>> definition("phi", "tanh").op, definition("phi", "a*sigmoid(a)").op
    ('tanh', 'mul')
    """
    if not isinstance(text, str):
        given = type(text).__name__
        raise UsageError(f"functions= gives '{name}' a value of the type {given}", hint=HINT)
    text = text.strip()
    text = f"{text}(a)" if text.isidentifier() and text != "a" else text
    reader = Reader(text)
    try:
        tree = _expression(text)
        # over a vector first, so that sum(a) is seen to be more than a
        for variable in (leaf("a", ("a",)), VARIABLE):
            reader.variables["a"] = variable
            node = reader.read(tree).node
            for n in topological([node]):
                if n.op not in LEAVES and OPS[n.op].shape != "elementwise":
                    called = typed_name(n.op)
                    raise reader.error(tree, f"{called} is not elementwise",
                                       "a function gives one number for each number")  # fmt: skip
    except SymgradError as error:
        raise _refused(name, error) from None
    return node


def _expression(text: str) -> ast.expr:
    scan(text)
    body = syntax_tree(text).body
    if len(body) != 1 or not isinstance(body[0], ast.Expr):
        raise ParseError("a formula is one expression", hint=HINT)
    return body[0].value


def _refused(name: str, error: SymgradError) -> ParseError:
    """Say which function cannot be bound, and why."""
    return ParseError(f"functions= for '{name}': {error.message}", span=error.span,
                      source=error.source, hint=error.hint or HINT)  # fmt: skip

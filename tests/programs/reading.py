"""A program's text as Python: run over another library's functions, past all of symgrad.

The language is Python's syntax, so that a text without its declarations can be executed as it
stands, with `sum`, `relu`, `svm` … given by somebody else. What is changed first: a comparison
gives numbers, an index may be a negative step, `.T` reverses all axes, and index notation becomes
plain loops over entries. The texts are those of the generator, nobody's input.
"""

import ast
from typing import Any


class _Rewrite(ast.NodeTransformer):
    """Say by calls what the syntax of arrays says otherwise."""

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        return None

    def visit_Slice(self, node: ast.Slice) -> Any:
        return node

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        node.left, node.right = _number(node.left), _number(node.right)
        return node

    def visit_Compare(self, node: ast.Compare) -> Any:
        self.generic_visit(node)
        node.left, node.comparators = _number(node.left), [_number(node.comparators[0])]
        return _call("_indicator", node)

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        self.generic_visit(node)
        return _call("_turned", node.value)

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        self.generic_visit(node)
        key = node.slice
        parts = key.elts if isinstance(key, ast.Tuple) else [key]
        made = [_slice(p) for p in parts]
        return _call("_entry", node.value, ast.Tuple(made, ast.Load()))

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> Any:
        self.generic_visit(node)
        for loop in node.generators:
            loop.iter = _call("_range", loop.iter)
            loop.ifs = [_call("_bool", c) for c in loop.ifs]
        return ast.ListComp(node.elt, node.generators)

    def visit_Assign(self, node: ast.Assign) -> Any:
        target = node.targets[0]
        if not isinstance(target, ast.Subscript):
            self.generic_visit(node)
            return node
        key = target.slice
        letters = [p.id for p in (key.elts if isinstance(key, ast.Tuple) else [key])]
        sizes = [_size(node.value, letter) for letter in letters]
        value = self.visit(node.value)
        for letter, size in zip(letters[::-1], sizes[::-1], strict=True):
            loop = ast.comprehension(ast.Name(letter, ast.Store()), _call("_range", size), [], 0)
            value = _call("_stacked", ast.ListComp(value, [loop]))
        return ast.Assign([ast.Name(target.value.id, ast.Store())], value)


def _call(name: str, *parts: Any) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(parts), [])


def _number(node: Any) -> Any:
    return _call("_number", node) if isinstance(node, ast.Constant) else node


def _slice(node: Any) -> Any:
    if not isinstance(node, ast.Slice):
        return node
    ends = [e or ast.Constant(None) for e in (node.lower, node.upper, node.step)]
    return _call("_slice", *ends)


def _size(value: ast.AST, letter: str) -> Any:
    """Find the size of an index: that of an axis at which it stands."""
    for node in ast.walk(value):
        if isinstance(node, ast.Subscript):
            key = node.slice
            parts = key.elts if isinstance(key, ast.Tuple) else [key]
            for axis, part in enumerate(parts):
                if isinstance(part, ast.Name) and part.id == letter:
                    return _call("_length", ast.Name(node.value.id, ast.Load()), ast.Constant(axis))
    raise ValueError(f"no array has the index {letter}")


def compiled(text: str) -> Any:
    """Translate a program into code that leaves its result in `_result`."""
    tree = _Rewrite().visit(ast.parse(text))
    last = tree.body[-1]
    value = last.value
    if isinstance(last, ast.Assign):
        tree.body.append(ast.Assign([ast.Name("_result", ast.Store())], last.targets[0]))
        tree.body[-1].value = ast.Name(last.targets[0].id, ast.Load())
    else:
        tree.body[-1] = ast.Assign([ast.Name("_result", ast.Store())], value)
    return compile(ast.fix_missing_locations(tree), "<program>", "exec")


def run(text: str, functions: dict[str, Any], given: dict[str, Any]) -> Any:
    """Execute a program over the functions of a library; give the value of its last line."""
    space = {**functions, **given}
    exec(compiled(text), space)  # the generator's own text, never a user's
    return space["_result"]

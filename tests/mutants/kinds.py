"""Which small faults there are: what stands for what, and what is left as it is."""

import ast

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}  # fmt: skip
RULE = " -> "  # a text that holds this is a rewrite rule
RULES = (("+", "-"), ("-a", "a"), ("*", "/"), ("/", "*"), ("1", "2"), ("2", "3"), ("exp", "log"),
         ("log", "exp"), ("abs", "sign"), ("softplus", "relu"), ("sqrt", "square"))  # fmt: skip
# Of a row of the operator table: what is written in its language, and its templates.
FORMULAS = {"vjp", "careful", "accurate", "formula", "typed", "recognise", "stable", "fast"}
TEMPLATES = {"numpy", "scalar", "precise", "portable"}
TOLD = {"doc", "source", "glyph", "kinks", "canonical", "latex", "plain"}  # for people
ROWS = ("register", "activation", "loss", "_unary")
SPELLED = ((" + ", " - "), (" - ", " + "), (" * ", " / "), (" / ", " * "), (" < ", " <= "),
           (" > ", " >= "), ("-", ""), ("log", "exp"), ("exp", "log"),
           (" if ", " or "))  # fmt: skip
TEXTUAL = {"replace", "translate", "strip", "lstrip", "rstrip", "lower", "upper", "casefold",
           "removeprefix", "removesuffix"}  # fmt: skip
ALIKE = {"lower": "upper", "lstrip": "rstrip", "find": "rfind", "index": "rindex",
         "split": "rsplit", "partition": "rpartition", "removeprefix": "removesuffix",
         "startswith": "endswith", "min": "max", "any": "all"}  # fmt: skip
ALIKE |= {new: old for old, new in ALIKE.items()}
SYMMETRIC = ("min", "max", "gcd")
LIMITED = ("split", "rsplit")  # alike but for a limit
KEEPING = {"tuple", "list", "set", "frozenset", "bool", "iter"}  # what is read is the same
TYPES = {"Dim", "Shape", "Bind", "Axis", "Terms", "Build", "Path"}
UNSEEN = {"annotation", "returns", "decorator_list", "type_comment", "ctx", "op", "ops", "targets",
          "target", "names", "type", "bases"}  # fmt: skip

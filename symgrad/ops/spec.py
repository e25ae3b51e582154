"""What a row of the operator table says, and how a node is made from it.

A row is the only place that knows an operator. Its texts (formula, vjp) are written in
symgrad's own language and compiled by `symgrad.parse.rows` on first use; in a vjp `a b c` are
the operands, `y` the result, `g` the upstream gradient, and parameters go by their names.
"""

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from symgrad import dims, shapes
from symgrad.errors import ShapeError, UsageError
from symgrad.graph import Node, intern
from symgrad.shapes import Bind, Dim, Shape

Spelling = str | Callable[[Node], str]
Rule = str | Mapping[str, str] | None
MISSING: Any = object()

MIRRORED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}  # a < b is b > a
KINDS = (
    "param", "data", "real", "scalar", "label", "labels", "onehot", "simplex", "sign", "binary",
    "positive", "symmetric", "integer",
)  # fmt: skip

# Binding strength of printed text: an operand weaker than its slot is put in brackets.
COMPARE, ADD, MUL, NEG, POW, ATOM = 5, 10, 20, 25, 30, 40
LETTERS = "abcdefgh"
ANY = 10_000  # the greatest number of operands where any number will do


@dataclass(frozen=True, slots=True)
class Op:
    """Describe one operator.

    `shape` is "elementwise", "reduce", "matmul", "like a", "scalar", an einsum-like word, or a
    function (operand shapes, parameters, bind) -> shape. `vjp` gives per operand the gradient
    contribution; None in it means zero; a row for any number of operands has one rule for all, in
    which `k` is the operand's place. Without `vjp` the `formula` is differentiated; without
    `numpy` it is expanded. `level` is the binding strength of the printed templates.
    """

    name: str
    arity: int | tuple[int, int] = 1
    params: Mapping[str, Any] = field(default_factory=dict)
    operands: tuple[str, ...] = ()  # names under which operands may be typed
    defaults: tuple[float, ...] = ()  # values of trailing operands that may be left out
    typed: str = ""  # what a call with more operands than `arity` stands for
    call: str = ""  # how a call is typed, where that does not follow from the fields above
    shape: str | Callable[[tuple[Shape, ...], Mapping[str, Any], Bind], Shape] = "elementwise"
    dtype: str = "float"
    formula: str = ""
    vjp: tuple[Rule, ...] = ()
    careful: tuple[Rule, ...] = ()  # the same for generated code, where `vjp` could give NaN
    accurate: tuple[Rule, ...] = ()  # the same for accurate=True: keeps its digits in the tails
    zero: bool = False  # the derivative is zero almost everywhere
    numpy: Spelling = ""
    numpy_level: int = ATOM
    portable: Spelling = ""  # the same without helper functions, where `numpy` calls one
    by_number: Spelling = ""  # what is written instead of `numpy` for a number beside an array
    scalar: Spelling = ""  # spelled over `m`, which is math or numpy
    helper: str = ""  # source of a module-level function that `numpy` calls
    scalar_helper: str = ""  # the same for `scalar`
    fast: str = ""  # the same over cheaper operators, for code of style fast
    fast32: str = ""  # the same where float32 needs fewer digits
    precise: Spelling = ""  # what accurate=True writes instead of `numpy`
    precise_helper: str = ""  # the source of the function that it calls
    single: Spelling = ""  # what float32 writes instead of `numpy`: sums are taken in float64
    latex: str = ""
    plain: str = ""
    level: int = ATOM
    glyph: str = ""
    recognise: tuple[str, ...] = ()
    stable: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()
    hidden: bool = False  # made by symgrad, cannot be typed
    reduction: bool = False  # a loss: takes reduction="mean" | "sum" | "none"
    masks: bool = False  # takes boolean operands as they are
    warning: str = ""  # what to say when its gradient is asked for
    needs: tuple[str, ...] = ()  # what has to hold of operands that are numbers, and of parameters
    domain: str = "R"
    kinks: str = ""
    range: str = "R"
    canonical: str = ""  # how textbooks call a value of this operator (P for a softmax)
    doc: str = ""
    source: str = ""
    place: str = ""


OPS: dict[str, Op] = {}
ALIASES: dict[str, str] = {}


def register(name: str, arity: int | tuple[int, int] = 1, **fields: Any) -> Op:
    """Add a row to the operator table; return it."""
    frame = sys._getframe(1)
    while frame.f_code.co_name in ("register", "loss", "activation", "_unary") and frame.f_back:
        frame = frame.f_back
    place = f"{frame.f_code.co_filename.rpartition('symgrad/')[2]}:{frame.f_lineno}"
    row = Op(name, arity, place=place, **fields)
    OPS[name] = row
    for alias in row.aliases:
        ALIASES[alias] = name
    return row


def lookup(name: str) -> Op | None:
    """Find a row by its name or alias."""
    return OPS.get(ALIASES.get(name, name))


MODES = ("printed", "code", "accurate")


def rules(row: Op, mode: str = "printed") -> tuple[Rule, ...]:
    """Give the rules of differentiation: those that are printed, of code, or of accurate code."""
    if mode == "accurate" and row.accurate:
        return row.accurate
    return row.careful if mode != "printed" and row.careful else row.vjp


def stands(row: Op, mode: str = "printed") -> bool:
    """Say whether an operator stays itself, rather than being written by its formula."""
    own = row.numpy or (row.precise if mode == "accurate" else "")
    return bool(own or rules(row, mode))


TYPED_AS = {"amax": "max", "amin": "min"}  # beside the elementwise max(a, b)


def typed_name(name: str) -> str:
    """Give the name under which an operator is typed: amax is max over axes.

    >>> typed_name("amax"), typed_name("tanh")
    ('max', 'tanh')
    """
    return TYPED_AS.get(name, name)


def bounds(row: Op) -> tuple[int, int]:
    """Give the least and the greatest number of operands."""
    return row.arity if isinstance(row.arity, tuple) else (row.arity, row.arity)


def letters(row: Op, count: int = len(LETTERS)) -> tuple[str, ...]:
    """Name the operands of a row: a, b, c, … h, a8, a9, …"""
    return _letters(min(bounds(row)[1], count))


@lru_cache(maxsize=64)
def _letters(count: int) -> tuple[str, ...]:
    return (*LETTERS[:count], *(f"a{k}" for k in range(len(LETTERS), count)))


def infer(row: Op, args: tuple[Node, ...], params: Mapping[str, Any], bind: Bind) -> Shape:
    """Compute the shape of a result; raise ShapeError where operands do not fit."""
    rule = row.shape
    if rule == "elementwise" and args:
        shape = args[0].shape
        for a in args:
            if a.shape != shape:
                break
        else:  # as of most operations
            return shape
    given = tuple([a.shape for a in args])
    if rule == "elementwise":
        return shapes.broadcast(given, bind)
    if callable(rule):
        return rule(given, params, bind)
    if rule == "reduce":
        return shapes.reduced(given[0], params.get("axis"), params.get("keepdims", False))
    if rule == "matmul":
        return shapes.product(given[0], given[1], bind)
    if rule == "like a":
        axis = params.get("axis")
        if axis is not None:
            shapes.axes_of(axis, len(given[0]))
        return given[0]
    if rule == "scalar":
        shapes.broadcast(given, bind)
        return ()
    return shapes.spelled(rule, given, bind)


def make(op: str, *args: Node, bind: Bind = shapes.free, **params: Any) -> Node:
    """Make the node `op(*args)`; raise ShapeError or UsageError if it cannot be.

    >>> x = leaf("x"); make("add", x, const(1)).shape
    ()
    """
    row = OPS[op]
    if row.arity != len(args):
        low, high = bounds(row)
        if not low <= len(args) <= high:
            wanted = str(low) if low == high else f"{low} to {high}"
            raise UsageError(f"{op} takes {wanted} operand{'s' * (high != 1)}, not {len(args)}")
    if row.params:
        params = {k: params.get(k, d) for k, d in row.params.items()}
        lacking = [k for k, v in params.items() if v is MISSING]
        if lacking:
            raise UsageError(f"{op} needs {', '.join(lacking)}")
    try:
        shape = infer(row, args, params, bind)
    except ShapeError as error:
        if len(args) > 1 and " @ " not in error.message:
            listed = " and ".join(shapes.text(a.shape) for a in args)
            error.message = f"{op} of shapes {listed}: {error.message}"
        raise
    dtype = row.dtype
    if dtype == "join":
        dtype = args[-1].dtype
        for a in args[1:] if op == "where" else args:
            if a.dtype != dtype:
                dtype = "float"
                break
    return intern(op, args, params, shape, dtype)


def remake(node: Node, args: tuple[Node, ...]) -> Node:
    """Make a node again over other operands; the node itself if they are the same.

    >>> x = leaf("x"); y = make("neg", x)
    >>> remake(y, (x,)) is y
    True
    """
    return node if args == node.args else make(node.op, *args, **node.attrs)


def leaf(name: str, shape: Shape = (), kind: str = "real") -> Node:
    """Make an input."""
    integral = kind in ("label", "labels")
    attrs: dict[str, Any] = {"name": name, "kind": kind}
    if integral:
        shape, attrs["classes"] = shape[:-1], shape[-1]
    return intern("input", (), attrs, shape, "int" if integral else "float")


def const(value: int | float) -> Node:
    """Make a constant."""
    return intern("const", (), {"value": value})


def dim(size: Dim) -> Node:
    """Make the number that a dimension stands for.

    >>> dim("N - 1").op, dim("N").op
    ('sub', 'dim')
    """
    if isinstance(size, int):
        return const(size)
    if size.isidentifier():
        return intern("dim", (), {"name": size})
    result: Node | None = None
    for factors, c in dims.terms(size):
        term = const(abs(c)) if abs(c) != 1 or not factors else None
        for factor in factors:
            pair = dims.split(factor)
            found = dim(factor) if pair is None else make("div", dim(pair[0]), const(pair[1]))
            if pair is not None:
                found = make("floor", found)
            term = found if term is None else make("mul", term, found)
        assert term is not None
        if result is None:
            result = term if c > 0 else make("neg", term)
        else:
            result = make("add" if c > 0 else "sub", result, term)
    assert result is not None
    return result


@lru_cache(maxsize=1024)
def size_text(size: Dim) -> str:
    """Write a dimension in a NumPy template; `sized` later says what a name is called.

    >>> size_text("N - 1"), size_text(3)
    ('<N> - 1', '3')
    """
    if isinstance(size, int):
        return str(size)
    if not dims.proper(size):
        raise ShapeError(f"not a dimension: {size[:80]!r}")
    return re.sub(r"[^\W\d]\w*", r"<\g<0>>", size)


def shape_text(shape: Shape) -> str:
    """Write a shape in a NumPy template."""
    listed = ", ".join(map(size_text, shape))
    return f"({listed},)" if len(shape) == 1 else f"({listed})"


def by_number(node: Node) -> str:
    """Spell what has a number beside an array, if its row does so in another way, else ""."""
    return spelled(OPS[node.op].by_number, node)


def spelled(spelling: Spelling, node: Node) -> str:
    """Give the template of a node that a row has as text, or as a function of nodes."""
    return spelling(node) if callable(spelling) else spelling


def sized(template: str, called: Callable[[str], str]) -> str:
    """Fill in how the dimension names of a template are called: a variable or a number."""
    return re.sub(r"<(\w+)>", lambda m: called(m.group(1)), template)


def count(shape: Shape, axes: tuple[int, ...]) -> Node:
    """Make the number of elements along `axes` of a shape."""
    result: Node | None = None
    for k in axes:
        if shape[k] != 1:
            result = dim(shape[k]) if result is None else make("mul", result, dim(shape[k]))
    return const(1) if result is None else result


def value_of(node: Node) -> int | float | None:
    """Give the number that a constant node holds, else None."""
    return node.attrs["value"] if node.op == "const" else None

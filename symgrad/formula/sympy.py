"""Write a formula as a SymPy expression: numbers as symbols, arrays as entries at indices.

The entry of an array at the indices i, j, k, l is built from the entries of its operands: a matrix
product is a `Sum`, a unit matrix a `KroneckerDelta`, a condition a `Piecewise`. An operator that is
neither here nor in `sympy_arrays` is written by its own formula, so a new one needs no line here.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sympy
from sympy.logic.boolalg import Boolean

from symgrad import dims
from symgrad.errors import UsageError
from symgrad.formula.sympy_arrays import ENTRIES, Index, Request
from symgrad.graph import Node, topological
from symgrad.ops import OPS
from symgrad.parse import formula
from symgrad.shapes import Dim

FREE = "ijkl"  # the axes of the result, in this order
BOUND = "klmnpqrstuvw"
DIRECT: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b, "over": lambda a, b: a / b, "xdivy": lambda a, b: a / b,
    "neg": lambda a: -a, "pow": lambda a, b: a**b, "exp": sympy.exp, "log": sympy.log,
    "log1p": lambda a: sympy.log(1 + a), "expm1": lambda a: sympy.exp(a) - 1, "sqrt": sympy.sqrt,
    "abs": sympy.Abs, "sign": sympy.sign, "floor": sympy.floor, "sin": sympy.sin, "cos": sympy.cos,
    "tan": sympy.tan, "sinh": sympy.sinh, "cosh": sympy.cosh, "tanh": sympy.tanh,
    "asinh": sympy.asinh, "arctan": sympy.atan, "erf": sympy.erf, "maximum": sympy.Max,
    "minimum": sympy.Min, "lt": sympy.Lt, "le": sympy.Le, "gt": sympy.Gt, "ge": sympy.Ge,
    "eq": sympy.Eq, "ne": sympy.Ne, "both": sympy.And,
    "where": lambda c, a, b: sympy.Piecewise((a, c), (b, True)),
    "standardize": lambda a, b, c, d: (a - b) / sympy.sqrt(c + d),
}  # fmt: skip


def export(root: Node, names: Mapping[Node, str]) -> sympy.Expr:
    """Write a node; nodes in `names` appear by name. Raises UsageError where there is no form.

    >>> from symgrad.ops import leaf, make
    >>> export(make("matmul", leaf("A", ("N", "D")), leaf("x", ("D",))), {})
    Sum(A[i, k]*x[k], (k, 0, D - 1))
    """
    writer = Writer(names, (n for n in topological([root]) if n.op == "input"))
    free = tuple(writer.free(k) for k in range(len(root.shape)))
    return writer.number(writer.run(root, free))


class Writer:
    """Write entries of nodes; a node is written once for every tuple of indices."""

    def __init__(self, names: Mapping[Node, str], inputs: Iterable[Node]) -> None:
        self.names = names
        self.taken = dict.fromkeys([*names.values(), *(n.attrs["name"] for n in inputs)])
        self.done: dict[tuple[Node, Index], Any] = {}
        self.places: dict[str, None] = {}  # arrays of labels
        self.used = 0

    # -- indices and sizes -----------------------------------------------------------------------

    def free(self, axis: int) -> sympy.Idx:
        """Name the index of an axis of the result."""
        letter = FREE[axis] if axis < len(FREE) else f"i{axis}"
        letter += "_" * (letter in self.taken)
        self.taken[letter] = None
        return sympy.Idx(letter)

    def bound(self) -> sympy.Idx:
        """Make an index that nothing else has, to sum over.

        It has no range of its own: `subs` of a size would tell it from the one in the limits.
        """
        while True:
            turn, place = divmod(self.used, len(BOUND))
            letter = BOUND[place] + (str(turn) if turn else "")
            self.used += 1
            if letter not in self.taken:
                return sympy.Idx(letter)

    def size(self, d: Dim) -> sympy.Expr:
        """Write a dimension."""
        if isinstance(d, int):
            return sympy.Integer(d)
        if d.isidentifier():
            return sympy.Symbol(d, integer=True, positive=True)
        total = sympy.Integer(0)
        for factors, c in dims.terms(d):
            term = sympy.Integer(c)
            for factor in factors:
                pair = dims.split(factor)
                term *= self.size(factor) if pair is None else self.size(pair[0]) // pair[1]
            total += term
        return total

    def limits(self, index: sympy.Idx, d: Dim) -> tuple[Any, ...]:
        """Give the limits of an index that runs over all of an axis."""
        return (index, 0, self.size(d) - 1)

    def sum_of(self, term: Any, index: sympy.Idx, d: Dim) -> Any:
        """Add up over all of an axis; sums in sums become one where that can be."""
        limits = self.limits(index, d)
        if not folds(term):
            return sympy.Sum(term, limits)
        terms = sympy.Add.make_args(sympy.expand_mul(term))
        return sympy.Add(*(self._merged(t, limits) for t in terms))

    def _merged(self, term: Any, limits: tuple[Any, ...]) -> Any:
        factors = sympy.Mul.make_args(term)
        inner = [f for f in factors if isinstance(f, sympy.Sum)]
        if len(inner) != 1 or folds(inner[0].function):
            return over(sympy.Sum, term, limits)
        rest = sympy.Mul(*(f for f in factors if f is not inner[0]))
        return sympy.Sum(rest * inner[0].function, *inner[0].limits, limits)

    def product_of(self, term: Any, index: sympy.Idx, d: Dim) -> Any:
        """Multiply over all of an axis."""
        return over(sympy.Product, term, self.limits(index, d))

    def number(self, value: Any) -> Any:
        """Write a condition as a number: 1 where it holds, else 0."""
        if value in (sympy.true, sympy.false):
            return sympy.Integer(bool(value))
        if isinstance(value, sympy.Eq) and all(map(self._is_place, value.args)):
            return sympy.KroneckerDelta(*value.args)
        if is_condition(value):
            return sympy.Piecewise((1, value), (0, True))
        return value

    def _is_place(self, value: Any) -> bool:
        if isinstance(value, sympy.Indexed | sympy.Symbol):
            return str(value).partition("[")[0] in self.places
        return isinstance(value, sympy.Idx | sympy.Integer)

    # -- the loop --------------------------------------------------------------------------------

    def run(self, root: Node, index: Index) -> Any:
        """Write an entry; nothing recurses over the depth of the formula."""
        stack: list[tuple[tuple[Node, Index], Request]] = []
        wanted: tuple[Node, Index] = (root, index)
        self.root = root
        while True:
            if wanted in self.done:
                sent = self.done[wanted]
            else:
                stack.append((wanted, self.entry(*wanted)))
                sent = None
            while True:
                key, request = stack[-1] if stack else (wanted, None)
                if request is None:
                    return sent
                try:
                    wanted = request.send(sent)
                    break
                except StopIteration as stop:
                    stack.pop()
                    sent = self.done[key] = stop.value

    def entry(self, node: Node, index: Index) -> Request:
        """Write one entry: by name, as a number, by a function of entries, by a formula."""
        if node.op == "input" or (node in self.names and node is not self.root):
            name = str(node.attrs["name"] if node.op == "input" else self.names[node])
            if node.dtype == "int":
                self.places[name] = None
            return sympy.IndexedBase(name)[index] if index else sympy.Symbol(name)
        if node.op == "const":
            return constant(node.attrs["value"])
        if node.op == "dim":
            return self.size(node.attrs["name"])
        if node.op in ENTRIES:
            return (yield from ENTRIES[node.op](self, node, index))
        if node.op in DIRECT or node.op == "apply":
            return (yield from self.elementwise(node, index))
        inner = formula(node) if OPS[node.op].formula else None
        if inner is None:
            raise UsageError(f"'{node.op}' has no form in SymPy that speaks of entries",
                             hint="F.latex(), F.unicode() and F.numpy() print it")  # fmt: skip
        return (yield inner, index)

    def elementwise(self, node: Node, index: Index) -> Request:
        """Apply a function to the entries of the operands."""
        values = []
        for k, arg in enumerate(node.args):
            value = yield arg, beside(arg, index)
            condition = node.op == "both" or (node.op == "where" and k == 0)
            if condition and not is_condition(value):
                value = sympy.Ne(value, 0)
            values.append(value if condition else self.number(value))
        return applied(node, values[0]) if node.op == "apply" else DIRECT[node.op](*values)


def folds(term: Any) -> bool:
    """Say whether SymPy would pull cases out of sums in a term.

    It does so when a sum is put around them, even where a condition speaks of the inner index.
    """
    return any(s.has(sympy.Piecewise) for s in term.atoms(sympy.Sum, sympy.Product))


def over(kind: Any, term: Any, limits: tuple[Any, ...]) -> Any:
    """Make a sum or a product as it stands, where SymPy's own rearranging would be wrong."""
    if not folds(term):
        return kind(term, limits)
    whole = sympy.Expr.__new__(kind, term, sympy.Tuple(*limits))
    whole.is_commutative = term.is_commutative
    return whole


def is_condition(value: Any) -> bool:
    """Say whether this is a truth value; SymPy counts symbols among them, we do not."""
    return isinstance(value, Boolean) and not isinstance(value, sympy.Symbol)


def beside(arg: Node, index: Index) -> Index:
    """Give the index of an operand that is broadcast to a result."""
    own = index[len(index) - len(arg.shape) :]
    return tuple(sympy.Integer(0) if d == 1 else i for i, d in zip(own, arg.shape, strict=True))


def applied(node: Node, value: Any) -> Any:
    """Write an abstract function or a derivative of it."""
    function, order = sympy.Function(node.attrs["name"]), node.attrs["order"]
    if not order:
        return function(value)
    if value.is_Symbol:
        return sympy.Derivative(function(value), (value, order))
    x = sympy.Dummy("x")
    return sympy.Subs(sympy.Derivative(function(x), (x, order)), x, value)


def constant(value: int | float) -> Any:
    """Write a number: exact where it is typed in few digits.

    >>> constant(0.5), constant(2.0), constant(math.pi)
    (1/2, 2, pi)
    """
    if isinstance(value, int):
        return sympy.Integer(value)
    if math.isinf(value) or math.isnan(value):
        return sympy.nan if math.isnan(value) else sympy.oo if value > 0 else -sympy.oo
    if abs(value) == math.pi:
        return sympy.pi if value > 0 else -sympy.pi
    return sympy.Rational(repr(value)) if len(repr(value)) < 8 else sympy.Float(value)

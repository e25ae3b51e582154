"""Reckon what operators take, readable and fast, by the costs: from them come the stated gains.

Times are nanoseconds. What is reckoned is arithmetic and calls; what memory does beyond the cache
is reckoned where tiles avoid it.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import prod

from symgrad.codegen.fast.buffers import Kind
from symgrad.codegen.fast.costs import Costs
from symgrad.codegen.fast.kinds import kind, ufunc
from symgrad.codegen.fast.texts import executed
from symgrad.dims import evaluated
from symgrad.evaluate import template
from symgrad.graph import Node
from symgrad.ops import OPS, value_of
from symgrad.rewrite.cost import FREE
from symgrad.shapes import Dim, Shape, axes_of

# Functions that take as long as one that the costs know; others are taken for an exponential.
ALIKE = {"subtract": "add", "negative": "add", "abs": "add", "absolute": "add", "fabs": "add",
         "copy": "add", "copyto": "add", "clip": "maximum", "minimum": "maximum", "fmax": "maximum",
         "fmin": "maximum",
         "less": "greater", "equal": "greater", "not_equal": "greater", "less_equal": "greater",
         "greater_equal": "greater", "logical_and": "greater", "cos": "sin", "log2": "log",
         "heaviside": "power", "reciprocal": "divide", "astype": "greater", "pow": "power",
         "copysign": "sign"}  # fmt: skip
REDUCTIONS = ("sum", "mean", "max", "min", "amax", "amin", "prod", "reduce", "argmax", "all", "any")
NOTHING = ("asarray", "broadcast_to", "expand_dims", "reshape", "result_type", "errstate", "shape",
           "moveaxis", "swapaxes", "transpose", "arange", "len", "isfinite", "finfo")  # fmt: skip
BINARY = {ast.Add: "add", ast.Sub: "add", ast.Mult: "multiply", ast.Div: "divide",
          ast.MatMult: "", ast.Pow: "power"}  # fmt: skip
# A reduction along short rows starts a loop for each: nanoseconds that the start takes, measured
# on 4096 rows of 3 to 30 entries, stored by rows, less the same by columns.
SHORT_ROW = {"sum": 18.0, "amax": 38.0, "amin": 38.0}
SHORT = 32
LONG_ROW = 256  # entries from which one row of a constant serves for all
SLOT = re.compile(r"\{(\w+)(?::\d+)?\}")
MOVED = ("slice", "unslice", "reshape", "part", "diag", "pick", "take", "onehot")


@lru_cache(maxsize=1024)
def called(text: str) -> tuple[str, ...]:
    """List what a NumPy text computes with, one name for each operator and call.

    >>> called("1/(1 + np.exp(-x))")
    ('divide', 'add', 'exp', 'negative')
    """
    return tuple(_called(ast.parse(text)))


def _called(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp):
            power = node.right.value if isinstance(node.right, ast.Constant) else None
            yield "square" if power == 2 else BINARY.get(type(node.op), "add")
        elif isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
            yield "negative"
        elif isinstance(node, ast.Compare):
            yield "greater"
        elif isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else ""


@lru_cache(maxsize=1024)
def _names(text: str) -> tuple[str, ...]:
    """List what a template computes with; what a row's helper does counts where it is called."""
    try:
        words = list(ast.walk(ast.parse(text)))
    except SyntaxError:
        return ()
    named = [w.func.id for w in words if isinstance(w, ast.Call) and isinstance(w.func, ast.Name)]
    inside = [OPS[name].helper for name in named if name in OPS]
    return sum((called(h) for h in inside if h), called(text))


class Clock:
    """Reckon times for given sizes of dimensions."""

    def __init__(self, costs: Costs, dtype: str, sizes: Mapping[str, int]) -> None:
        self.costs, self.dtype, self.sizes = costs, dtype, sizes
        self.column = 0 if dtype == "float64" else 1
        self.itemsize = 8 if dtype == "float64" else 4
        self.carried = executed(["rows_per_tile", "NARROW"], costs, dtype)  # the modules' own rule

    def size(self, dim: Dim) -> int:
        """Give the number of a dimension; of one that nobody knows, 1."""
        return dim if isinstance(dim, int) else evaluated(dim, self.sizes) or 1

    def entries(self, shape: Shape) -> int:
        """Count the entries of an array."""
        return prod(map(self.size, shape))

    def widest(self, node: Node) -> int:
        """Count the entries of the largest array that a node reads or makes."""
        return max(self.entries(n.shape) for n in (node, *node.args))

    def entry(self, name: str) -> float:
        """Give the nanoseconds of a NumPy function per entry."""
        return self.costs.entry(ALIKE.get(name, name), self.dtype)

    # -- one node ------------------------------------------------------------------------------

    def readable(self, node: Node) -> float:
        """Reckon a node as the readable style writes it."""
        if node.op in FREE or not any(n.shape for n in (node, *node.args)):
            return 0.0
        if node.op == "matmul":
            return self.product(node)
        if node.op in SHORT_ROW:
            return self.reduction(node, False)
        power = value_of(node.args[1]) if node.op == "pow" else None
        if power in (2, 0.5, -1):  # NumPy's operator has shorter ways for these
            return self.calls(["square"], self.widest(node))
        return self.calls(_names(SLOT.sub(r"\1", template(node))), self.widest(node))

    def calls(self, names: Iterable[str], entries: int) -> float:
        """Reckon calls on so many entries each."""
        total = 0.0
        for name in names:
            if name in REDUCTIONS:
                total += self.costs.call_reduce + entries * self.entry("add")
            elif name and name not in NOTHING:
                total += self.costs.call_ufunc + entries * self.entry(name)
        return total

    def fast(self, node: Node, by_columns: bool, dot: bool) -> float:
        """Reckon a lowered node as the fast style computes it."""
        what = kind(node)
        if what in ("leaf", "view", "scalar"):
            return 0.0
        if what == "ufunc":
            return self.costs.call_ufunc + self.widest(node) * self.entry(ufunc(node))
        if what == "matmul":
            return self.product(node)
        if dot:
            return self.costs.call_dot + self.widest(node) * self.entry("add")
        if what == "reduce":
            return self.reduction(node, by_columns)
        if node.op == "where":  # masks of bits: three passes
            return self.calls(["add"] * 3, self.widest(node))
        if node.op in MOVED:
            return self.calls(["copy"], self.entries(node.shape))
        return self.readable(node)

    def reduction(self, node: Node, by_columns: bool) -> float:
        """Reckon a reduction; along short rows each row costs its start."""
        read = self.entries(node.args[0].shape)
        found = self.costs.call_reduce + read * self.entry("add")
        return found if by_columns else found + self.starts(node)

    def starts(self, node: Node) -> float:
        """Reckon what a reduction along short rows takes to start its rows."""
        shape = node.args[0].shape
        along = axes_of(node.attrs["axis"], len(shape))
        if along != (len(shape) - 1,) or len(shape) < 2 or self.size(shape[-1]) > SHORT:
            return 0.0
        return self.entries(node.shape) * SHORT_ROW[node.op]

    # -- products ------------------------------------------------------------------------------

    def product(self, node: Node) -> float:
        """Reckon a product of matrices in one call."""
        m, k, n = self.product_sizes(node)
        if min(m, n) == 1:  # every entry of the matrix is read once
            return self.costs.call_dot + max(m, n) * k * self.entry("add")
        return self.costs.call_dot + 2.0 * m * k * n / self.rate(m, k, n)

    def product_sizes(self, node: Node) -> tuple[int, int, int]:
        """Give rows, terms and columns of a product; a stack of products has all their rows."""
        a, b = node.args
        terms = self.size(a.shape[-1])
        columns = self.size(b.shape[-1]) if len(b.shape) > 1 else 1
        return max(self.entries(node.shape) // columns, 1), terms, columns

    def rate(self, m: int, k: int, n: int) -> float:
        """Give the GFLOP/s of a product in one call; large ones of few columns are slow.

        BLAS packs the entries of the left operand first, and each then serves 2n operations.
        `skinny` was measured with 10 columns.
        """
        wide, skinny = self.costs.wide[self.column], self.costs.skinny[self.column]
        narrow = n <= getattr(self.costs, f"skinny_{self.dtype}")
        if not narrow or m * k * n <= self.costs.small_product or skinny >= wide:
            return float(wide)
        packing = 1 / skinny - 1 / wide
        return 1 / (1 / wide + packing * 10 / n)

    def tile(
        self, rows: int, width: int, live: int, vectors: bool, light: bool, own: Sequence[Kind]
    ) -> int:
        """Say how many rows make a tile of a loop with these buffers."""
        found = self.carried["rows_per_tile"]
        filled = [self.entries(k.shape) for k in own if k.value is not None and k.shape]
        own = [k for k in own if k.value is None or not k.shape]
        taken = sum(
            self.entries(k.shape) * (1 if k.dtype == "bool" else self.itemsize) for k in own
        )
        taken = max([taken, *[4 * self.itemsize * n for n in filled if n < LONG_ROW]])
        columns = [k.columns for k in own if k.columns is not None]
        long = any(self.size(c) <= self.carried["NARROW"] for c in columns)
        fewest = self.costs.piece // 2 if long else 1
        return int(found(rows, width, self.itemsize, live, vectors, light, taken, fewest))

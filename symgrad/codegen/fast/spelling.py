"""Spell what statements call: ufuncs, sums, products."""

import re
from string import ascii_lowercase

from symgrad.codegen.fast.buffers import ADDS, ONES, Kind, along_rows, by_ones
from symgrad.codegen.fast.kinds import REDUCERS, gaps, ufunc
from symgrad.codegen.fast.operands import Operands
from symgrad.codegen.fast.schedule import turned
from symgrad.dims import times
from symgrad.graph import Node
from symgrad.ops.spec import value_of
from symgrad.shapes import Dim, axes_of

SIGNS = re.compile(r"\W+")
BY_NAME = ("maximum", "minimum", "fmax", "fmin")  # they take their output by name only


class Spelling(Operands):
    """Spell the calls that compute arrays."""

    def call(self, node: Node, out: str, loop: bool) -> str:
        """Write the call that computes an array into `out`, or into a new one without it."""
        kind = self.s.kinds[node]
        if kind == "ufunc":
            name = ufunc(node)
            if self._outer(node):
                column, row = (
                    self.operand(node, k, loop)
                    for k in ((0, 1) if node.args[0].shape[1] == 1 else (1, 0))
                )
                return f"{column}.dot({row}, {out})"
            places = range(len(self.s.operands(node)))
            listed = ", ".join([self._argument(node, k, loop) for k in places])
            into = f", {'out=' * (name in BY_NAME)}{out}" if out else ""
            plain = f"{self.function(name)}({listed}{into})"
            if not loop or not self._leaves_columns(node):
                return plain
            copied = f"np.copyto({out}, {self.function(name)}({listed}))"  # sooner than mixing both
            return f"{copied} if {self.size(node.shape[-1])} <= NARROW else {plain}"
        if kind == "reduce":
            return self.reduced(node, loop, out)
        if kind == "matmul":
            return self.product(node, out, loop)
        if kind == "gathered":
            return self._gathered(node, out, loop)
        if node.op == "where" and node.dtype == "float" and node.args[0].dtype == "bool":
            return self._choice(node, out, loop)
        if node.op == "hypot":
            self.writer.called("hypot(")
            return f"hypot({', '.join(self.operand(node, k, loop) for k in (0, 1))}, {out})"
        if node.op == "concatenate":
            rows = ", ".join(self.operand(node, k, loop) for k in range(len(node.args)))
            return f"np.concatenate(({rows}), axis={node.attrs['axis']}, out={out})"
        names = {}
        for k, a in enumerate(node.args):
            if self.known(a):
                mask = a.dtype == "bool" and not a.shape  # the writer casts it
                spelled = self.whole if mask else self._typed
                names[a] = self.operand(node, k, loop) if a.shape else spelled(a)
        return f"np.copyto({out}, {self.writer.write(node, names)})"

    def _typed(self, node: Node) -> str:
        """Give a number that stays of the program's type in NumPy's functions, as in np.where."""
        plain = self.number(node)
        return f"{self.writer.dtype}({plain[6:-1]})" if plain.startswith("float(") else plain

    def _gathered(self, node: Node, out: str, loop: bool) -> str:
        """Take rows of a table; into columns, entries of its columns. "wrap" is as an index is."""
        table, places = self.operand(node, 0, loop), self.operand(node, 1, loop)
        taken = f"{table}.take(" if table.isidentifier() else f"np.take({table}, "
        by_rows = f'{taken}{places}, 0, {out}, "wrap")'
        if len(node.shape) != 2 or node not in self.storage.columns or self.deep is not None:
            return by_rows
        turned = self._by_columns(node.args[0], table, node.shape[-1], inside=False)
        by_columns = f'{turned}.T.take({places}, 1, {out}.T, "wrap")'
        return f"{by_columns} if {self.size(node.shape[-1])} <= NARROW else {by_rows}"

    def _argument(self, node: Node, k: int, loop: bool) -> str:
        """Give operand k of a ufunc; beside rows, maximum and minimum take constants as rows."""
        filled = self.storage.filled(node) if loop and not node.args[k].shape else None
        if filled is None:
            return self.operand(node, k, loop)
        return self.extra(node, filled)

    def _leaves_columns(self, node: Node) -> bool:
        """Say whether a result by rows is made from what is stored by columns."""
        columns, alike = self.storage.columns, len(node.shape) == 2 and 1 not in node.shape
        inside = [a in columns for a in self.s.operands(node) if a.shape == node.shape]
        return alike and node not in columns and self.deep is None and any(inside)

    def _outer(self, node: Node) -> bool:
        """Say whether a column times a row is a matrix by rows: a product, which is faster."""
        a, b = node.args if node.op == "mul" else (node, node)
        kept_by_columns = node in self.storage.columns or node in self.storage.viewed
        if len(a.shape) != 2 or len(b.shape) != 2 or a.dtype != "float" or b.dtype != "float":
            return False
        crossed = (a.shape[1] == b.shape[0] == 1, a.shape[0] == b.shape[1] == 1)
        return any(crossed) and 1 not in node.shape and not kept_by_columns

    def _choice(self, node: Node, out: str, loop: bool) -> str:
        """Write a choice by masks of bits; np.where branches, entry by entry."""
        c, a, b = (self.operand(node, k, loop) for k in range(3))
        if not node.args[0].shape:
            return f"np.copyto({out}, {a} if {c} else {b})"
        for zero, (text, kept) in {2: (a, ""), 1: (b, ", False")}.items():
            if value_of(node.args[zero]) == 0:
                self.carry("kept")
                return f"kept({c}, {text}, {out}{kept})"
        self.carry("select")
        return f"select({c}, {a}, {b}, {out})"

    def reduced(self, node: Node, loop: bool, out: str = "") -> str:
        """Write a reduction."""
        if node in self.s.dots:
            return self._contracted(node, loop, out) if node.shape else self._dot(node, loop)
        inner = node.args[0]
        text = self.operand(node, 0, loop)
        axes = axes_of(node.attrs["axis"], len(inner.shape))
        if by_ones(node) and loop:
            return self._added(node, text)
        into = f", out={out}" if out else ""
        if len(axes) == len(inner.shape) and node.op == "sum" and inner.dtype == "float":
            self.carry("total")
            return f"total({text})"
        if len(axes) == len(inner.shape):
            return f"{REDUCERS[node.op]}({text}, axis=None{into})"
        if by_ones(node):
            return f"{self._ones(inner.shape[0])}.dot({text}{out and ', ' + out})"
        if self._by_product(node):
            return self._summed(node, text, loop, out)
        return f"{REDUCERS[node.op]}({text}, axis={axes[0] if len(axes) == 1 else axes}{into})"

    def _added(self, node: Node, text: str) -> str:
        """Write the sum of the rows of a tile."""
        slots = self.storage.loops[self.storage.loop[self.storage.unit[node]]].slots
        if ONES in slots:
            return f"{self.extra(node, ONES)}.dot({text})"
        ones = self.extra(node, ADDS)
        return f"np.add.reduce({text}) if {ones} is None else {ones}.dot({text})"

    def _ones(self, dim: Dim) -> str:
        """Name a vector of ones."""
        size = self.size(dim)
        return self.named(self.ones, size, SIGNS.sub("_", f"ones_{size}"))

    def _by_product(self, node: Node) -> bool:
        """Say whether a sum is a product with ones here; with `accurate` NumPy adds pairwise."""
        (inner,) = node.args
        deep = self.deep is not None or inner in self.storage.columns
        return along_rows(node) and not self.writer.accurate and not (deep and len(inner.shape) > 2)

    def _summed(self, node: Node, text: str, loop: bool, out: str) -> str:
        """Write a sum along one of the last two axes, or all but the last, with ones."""
        (inner,) = node.args
        axes = axes_of(node.attrs["axis"], len(inner.shape))
        ones, into = self._ones(inner.shape[axes[-1]]), out and f", {out}"
        if axes[-1] < len(inner.shape) - 1:
            if len(axes) == 1:
                return f"{self.function('matmul')}({ones}, {text}{into})"
            rest = axes[0] if len(axes) == 2 else axes[:-1]
            rows = f"{self.function('matmul')}({ones}, {text})"
            return f"np.add.reduce({rows}, axis={rest}{out and ', out=' + out})"
        whole = inner in self.storage.tile if loop else self.s.kinds[inner] != "view"
        if whole and len(inner.shape) == 2:  # in one piece
            return f"{text}.dot({ones}{into})"
        return f"{self.function('matmul')}({text}, {ones}{into})"

    def _contracted(self, node: Node, loop: bool, out: str) -> str:
        """Write a sum of products of stacks: one pass over the factors, without the products."""
        rank = len(node.args[0].shape)
        over = axes_of(node.attrs["axis"], rank)
        words, texts = [], []
        for k, factor in enumerate(self.s.dots[node]):
            stretched = factor.attrs["axes"] if factor.op == "expand" else ()
            words.append("".join(ascii_lowercase[j] for j in range(rank) if j not in stretched))
            texts.append(self.operand(node, k, loop, bare=True))
        kept = "".join(ascii_lowercase[j] for j in range(rank) if j not in over)
        if (*sorted(words), kept) == ("ab", "abc", "ac") and self._by_rows(node):
            weights, stack = texts if words[0] == "ab" else texts[::-1]
            product = f"{self.function('matmul')}({weights}[:, None], {stack}"
            if node in self.storage.columns:
                return f"np.copyto({out}, {product})[:, 0])"
            return f"{product}{out and f', {out}[:, None]'})[:, 0]"
        into = f", out={out}" if out else ""
        return f'np.einsum("{",".join(words)}->{kept}", {", ".join(texts)}{into})'

    def _by_rows(self, node: Node) -> bool:
        """Say whether the stack in a sum is stored by rows: then the sum is one of products."""
        stacks = [f for f in self.s.dots[node] if f.op != "expand"]
        return self.deep is None and not any(f in self.storage.columns for f in stacks)

    def _dot(self, node: Node, loop: bool) -> str:
        """Write sum(a*b) as a dot product."""
        first, second = self.operand(node, 0, loop), self.operand(node, 1, loop)
        if len(self.s.dots[node][0].shape) == 1:
            short = first.isidentifier()
            return f"{first}.dot({second})" if short else f"np.dot({first}, {second})"
        columns = [a in self.storage.columns for a in self.s.dots[node]]
        if all(columns):  # np.vdot would copy them row by row
            return f'np.vdot({first}.ravel("K"), {second}.ravel("K"))'
        if any(columns) or any(map(gaps, self.s.dots[node])):
            axes = ascii_lowercase[: len(self.s.dots[node][0].shape)]
            return f'np.einsum("{axes},{axes}->", {first}, {second})'
        return f"np.vdot({first}, {second})"

    def product(self, node: Node, out: str, loop: bool) -> str:
        """Write a product of matrices; it goes in blocks where sizes suit."""
        a, b = node.args
        texts = [self.operand(node, k, loop) for k in (0, 1)]
        left, right = (f"{t}{'.T' * turned(m)}" for t, m in zip(texts, node.args, strict=True))
        in_one = self.s.kinds[a] != "view" and not loop and node not in self.storage.columns
        if len(a.shape) > 2 and len(b.shape) == 2 and in_one:
            return self._rows_of_all(node, left, right, out)
        if len(a.shape) > 2 or len(b.shape) > 2:
            return f"np.matmul({left}, {right}{out and ', out=' + out})"
        plain = f"{left}.dot({right}{out and ', ' + out})"
        if len(a.shape) < 2 or len(b.shape) < 2:
            return plain
        out = out or f"np.empty({self.shape(node)}, {self.dtype(node)})"
        if self.mkl:
            plain = f"mkl_product({left}, {right}, {out})"
        if texts[0] == texts[1] and turned(b) and not turned(a) and not self.mkl:
            self.carry("gram")
            return f"gram({left}, {out})"
        m, k, n = self.size(a.shape[0]), self.size(a.shape[1]), self.size(b.shape[1])
        columns = node in self.storage.columns
        size = 0 if self.mkl else self.itemsize
        if turned(a):
            size = 0 if columns else size
            rows = self._blocks("block", f'product_block({m}, {k}, {n}, {size}, "left")')
            count = f"sum_blocks({k}, {m}, {n}, {self.itemsize}, {rows})"
            terms = self._blocks("parts", f"parts_of({m}, {n}, {count}, {self.writer.dtype})")
            self.sums.setdefault(terms, (node.shape, []))[1].append(self.storage.unit[node])
            self.carry("turned_product", "sum_blocks", "product_block")
            blocked = f"turned_product({texts[0]}, {right}, {out}, {terms}, {rows})"
            copied = "SKINNY and " * (b in self.storage.columns)
            return f"{plain} if {copied}{terms} is None and {rows} == 1 else {blocked}"
        cut = f"product_block({m}, {k}, {n}, {size}" + ', "right"' * turned(b) + ")"
        if columns and size:  # more columns than are stored so are stored by rows
            narrow = f"{self.size(node.shape[-1])} <= NARROW"
            cut = f'product_block({m}, {k}, {n}, 0, "result") if {narrow} else {cut}'
        elif columns:
            cut = f'product_block({m}, {k}, {n}, 0, "result")'
        rows = self._blocks("block", cut)
        self.carry("product", "product_block")
        blocked = f"product({left}, {right}, {out}, {rows})"
        return blocked if columns else f"{plain} if {rows} == 1 else {blocked}"

    def _rows_of_all(self, node: Node, left: str, right: str, out: str) -> str:
        """Multiply a stack of matrices by one matrix: their rows below one another, at once."""
        shape, columns = self.shape(node), self.size(node.shape[-1])
        rows, terms = self.size(times(*node.shape[:-1])), self.size(node.args[1].shape[0])
        into = out and f", {out}.reshape({rows}, {columns})"
        return f"{left}.reshape({rows}, {terms}).dot({right}{into}).reshape{shape}"

    @property
    def itemsize(self) -> int:
        """Give the bytes of a number."""
        return 8 if self.writer.dtype.endswith("64") else 4

    def _blocks(self, name: str, text: str) -> str:
        return self.named(self.blocks, text, f"{name}1")

    def extra(self, node: Node, what: Kind) -> str:
        """Name the tile of a loop that counts its rows, or is filled with a number."""
        loop = self.storage.loops[self.storage.loop[self.storage.unit[node]]]
        return self.buffer("tile", loop.slots.index(what))

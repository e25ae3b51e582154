r"""Read what stands at an atom: powers, indices, parts; and blocks and cases."""

from collections.abc import Generator
from dataclasses import replace
from typing import Any

from symgrad.errors import ShapeError
from symgrad.formula.reading.cursor import Cursor
from symgrad.formula.reading.values import Value, plain
from symgrad.formula.texts import INDEX
from symgrad.ops import OPS, const, make, value_of
from symgrad.shapes import Dim

Visit = Generator[Any, Any, Any]


class Marks(Cursor):
    """Read indices, powers and parts behind atoms, and what is made of several expressions."""

    def free_letters(self, rank: int) -> tuple[str, ...]:
        """Give the letters of A_{ij}, () where the index is none of letters for all axes."""
        found = [self.ahead(2 + k) for k in range(rank + 1)]
        good = found[-1] == "}" and all(c.isalpha() and len(c) == 1 for c in found[:-1])
        named = rank == 1 and self.names.match(self.tokens, self.at + 2)
        return tuple(found[:-1]) if good and not named and rank else ()

    def sum_of(self, op: str) -> Visit:
        r"""Read \sum_{i} and the product behind it, or \prod_{j \ne i} x_{j}."""
        self.take()
        if op == "prod" and self.here == "_" and self.ahead(3) == r"\ne":
            other = self.ahead(2)
            self.at += 6
            entry = yield self.entry()
            if other not in entry.free:
                raise self.unexpected("an entry with this index is expected")
            return Value(make("others", entry.node, axis=entry.free.index(other)))
        letters = self.letters()
        value = yield (self.term() if op == "sum" else self.factors())  # type: ignore[attr-defined]
        return self.summed(op, value, letters, INDEX)

    def factors(self) -> Visit:
        """Read a product of matrices, which binds more strongly than other products."""
        return self.chain()  # type: ignore[attr-defined, no-any-return]

    def entry(self) -> Visit:
        """Read an atom with its marks."""
        value = yield self.atom()  # type: ignore[attr-defined]
        return (yield self.behind(value))

    def order(self) -> int:
        """Read primes, or an order in brackets: f''(x), f^{(4)}(x)."""
        count = 0
        while self.here == "'":
            self.take()
            count += 1
        if self.here == "^" and self.ahead(2) == "(":
            self.at += 3
            count = int(self.take())
            self.expect(")")
            self.expect("}")
        return count

    def label(self, function: Any) -> tuple[dict[str, Any], list[str]]:
        """Read the index of a word: axes, a shape, or parameters that differ from the usual."""
        if function.op == "reshape":
            self.take()
            self.expect("{")
            sizes: list[Dim] = [] if self.here == "1" and self.ahead(1) == "}" else [self.size()]
            self.at += not sizes
            while self.here == r"\times":
                self.take()
                sizes.append(self.size())
            self.expect("}")
            return {"shape": tuple(sizes)}, []
        if self.ahead(2) != r"\mathrm":
            return {}, self.letters()
        self.at += 2
        params: dict[str, Any] = {}
        while self.here != "}":
            if params:
                self.expect(",")
            name = self.plain_word()
            self.expect("=")
            params[name] = self.size() if name == "size" else self.plain_word()
        self.take()
        row = OPS[function.op]
        kinds = {k: type(v) for k, v in row.params.items() if isinstance(v, float | str)}
        return {k: v if k == "size" else kinds.get(k, int)(v) for k, v in params.items()}, []

    def behind(self, value: Value) -> Visit:
        """Read powers, indices and parts."""
        last = ""
        while self.here in ("^", "_", "["):
            if self.here == last != "[":
                raise self.unexpected("TeX takes no second index or power; put it in brackets")
            last = self.here
            if last == "[":
                value = self.part(value)
            elif last == "^":
                value = yield self.raised(value)
            else:
                value = yield self.indexed(value)
        return value

    def raised(self, value: Value) -> Visit:
        """Read an exponent: a transpose, an inverse, a power."""
        self.take()
        self.expect("{")
        spelled = [self.ahead(k) for k in range(3)]
        if spelled[:2] == [r"\top", "}"]:
            self.at += 2
            return self.turned(value)
        if spelled == ["-", r"\top", "}"]:
            self.at += 3
            return self.turned(Value(make("inv", plain(value).node)))
        square = len(value.shape) > 1 and spelled == ["-", "1", "}"]
        if square and value.shape[-1] == value.shape[-2]:
            self.at += 3
            return Value(make("inv", plain(value).node))
        power = yield self.inside()  # type: ignore[attr-defined]
        if self.here == "/":  # 3/2
            self.take()
            power = Value(const((value_of(power.node) or 0) / int(self.take())))
        self.expect("}")
        return self.elementwise("pow", [value, power])

    def indexed(self, value: Value) -> Visit:
        """Read an index: of entries by letters, of labels, of rows of a table."""
        if value.node.op == "winner":
            axes = tuple(INDEX.index(c) for c in self.letters())
            return Value(make("winner", value.node.args[0], axis=axes if axes[1:] else axes[0]))
        if value.node.op == "convolve" and self.ahead(2) == r"\mathrm":
            self.at += 2
            mode = self.plain_word()
            self.expect("}")
            return Value(make("convolve", *value.node.args, mode=mode))
        if letters := self.free_letters(len(value.shape)):
            self.at += 3 + len(letters)
            return Value(plain(value).node, free=letters)
        self.take()
        self.expect("{")
        lead = 0
        while self.here == ":":
            self.at += 2
            lead += 1
        places = yield self.inside()  # type: ignore[attr-defined]
        whole, entry = lead > 0, None
        while self.here == ",":
            whole = True
            self.take()
            if self.here == ":":
                self.take()
            else:
                entry = yield self.inside()  # type: ignore[attr-defined]
        self.expect("}")
        table, places = plain(value).node, plain(places)
        if entry is not None:  # R_{u, i}
            table = make("take", table, places.node, axis=0)
            return Value(make("pick", table, plain(entry).node))
        op = "take" if whole or (len(table.shape) == 1 and places.shape) else "pick"
        if op == "pick":
            return Value(make("pick", table, places.node))
        return Value(make("take", table, places.node, axis=lead))

    def part(self, value: Value) -> Value:
        """Read a part in square brackets: x[1:, 0]."""
        self.take()
        node = plain(value).node
        entries = self.key("]")
        if len(entries) > len(node.shape):
            raise ShapeError("more indices than axes")
        slices = [self.slice_of(entry) for entry in entries]
        if None in slices:
            axis = next(k for k, e in enumerate(entries) if e not in ([None, None],))
            start, stop = entries[axis][0] or 0, entries[axis][1]
            stop = node.shape[axis] if stop is None else stop
            return Value(make("part", node, axis=axis, start=start, stop=stop))
        full = [(0, "end")] * (len(node.shape) - len(slices))
        return Value(make("slice", node, key=(*slices, *full)))

    def spread(self, value: Value) -> Value:
        """Read a e_{1:}: zeros with a part set."""
        self.at += 3
        entries = self.key("}")
        key = tuple(self.slice_of(entry) for entry in entries)
        node = plain(value).node
        rank = len(key)
        needs = tuple(range(-rank, 0))
        return self.loose.mark(lambda shape: make("unslice", node, key=key, shape=shape), needs)

    def bold(self) -> Value:
        r"""Read \mathbf{1}, \mathbf{0}, \mathbf{I}, with or without a size."""
        self.at += 2
        sign = self.take()
        self.expect("}")
        shape = self.shape()
        if sign == "I":
            if shape:
                return Value(make("eye", size=shape[0]))
            return self.loose.mark(lambda shape: make("eye", size=shape[-1]), (-2, -1))
        number = const(int(sign))
        if shape:
            return Value(make("broadcast", number, shape=shape))
        ones = self.loose.mark(lambda shape: make("broadcast", number, shape=shape), (-1,))
        return replace(ones, ones=sign == "1")

    def block(self) -> Visit:
        """Read cases, or blocks above and beside each other."""
        self.at += 2
        name = ""
        while self.here not in ("}", ""):
            name += self.take()
        self.take()
        rows: list[list[Value]] = [[]]
        while True:
            if self.here == r"\text":
                while self.take() not in ("}", ""):
                    pass
            else:
                rows[-1].append((yield self.inside()))  # type: ignore[attr-defined]
            if self.here == r"\\":
                self.take()
                rows.append([])
            elif self.here == ",":  # several conditions
                self.take()
                if self.here == "\\ ":
                    self.take()
            elif self.here != "&":
                break
            else:
                self.take()
        self.expect(r"\end")
        while self.take() not in ("}", ""):
            pass
        return self.cases(rows) if name == "cases" else self.blocks(rows)

    def cases(self, rows: list[list[Value]]) -> Value:
        """Make a case distinction, the last case first."""
        value = rows[-1][0]
        for row in reversed(rows[:-1]):
            value = self.elementwise("where", [row[1], row[0], value])
        return value

    def blocks(self, rows: list[list[Value]]) -> Value:
        """Put numbers, rows, columns or matrices together."""
        above = len(rows) > 1
        parts = [plain(v) for row in rows for v in row]
        nodes = [v.node for v in parts]
        if not parts[0].shape:
            return Value(make("stack", *nodes, axis=0))
        if len(parts[0].shape) == 1 and (parts[0].row or not above):
            return Value(make("stack", *nodes, axis=0 if above else 1))
        return Value(make("concatenate", *nodes, axis=0 if above else 1))

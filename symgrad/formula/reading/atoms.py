r"""Read the atoms of a formula: names, numbers, brackets, fractions, calls, cases, blocks."""

from collections.abc import Generator, Mapping
from typing import Any

from symgrad.formula.names import latex_name
from symgrad.formula.reading.marks import Marks
from symgrad.formula.reading.tokens import Words
from symgrad.formula.reading.values import Value, plain
from symgrad.formula.reading.words import Function, fences, operators
from symgrad.formula.texts import INDEX
from symgrad.graph import Node, dimensions, topological
from symgrad.ops import OPS, const, dim, make, value_of
from symgrad.ops.spec import bounds

Visit = Generator[Any, Any, Any]
CLOSED = {"(": ")", "[": "]", "{": "}"}
CONSTANTS = {r"\pi": 3.141592653589793, r"\infty": float("inf")}
ENDS = (
    ")", "]", "}", "+", "-", "<", ">", "=", "&", ",", ":", "^", "_", "'", "/", r"\\", r"\odot",
    r"\le", r"\ge", r"\ne", r"\wedge", r"\end", r"\times", r"\star", r"\ast", r"\text", "",
)  # fmt: skip


class Atoms(Marks):
    """Read one atom and what stands behind it."""

    def __init__(self, text: str, names: Mapping[str, Node], functions: tuple[str, ...]) -> None:
        super().__init__(text)
        self.names = Words(names)
        self.calls = operators(functions)
        self.functions = Words((latex_name(f), f) for f in functions)
        self.sizes: Words[str] = Words({})
        for name in dimensions(topological(names.values())):
            self.sizes.add(latex_name(name), name)

    def begins(self) -> bool:
        """Say whether a factor begins here."""
        return self.here not in (*ENDS, *(right for _, right in fences().values()), r"\rfloor")

    # -- atoms ---------------------------------------------------------------------------------

    def atom(self) -> Visit:
        """Read an atom."""
        named = self.names.match(self.tokens, self.at)
        called = self.calls.match(self.tokens, self.at)
        if called and self._is_call(called, named[1] if named else 0):
            self.at += called[1]
            return (yield self.call(called[0]))
        power = self.here == "e" and self.ahead(1) in ("^", "_")  # a variable e is in brackets
        if named and not (power and named[1] == 1):
            self.at += named[1]
            return Value(named[0])
        here = self.here
        if here[:1].isdigit() or here in CONSTANTS:
            return self.number()
        if here in CLOSED and here != "[":
            self.take()
            value = yield self.inside()
            self.expect(CLOSED[here])
            return value
        if here in fences():
            return (yield self.fence())
        rule = {
            r"\frac": self.fraction, r"\sqrt": self.root, r"\begin": self.block, "e": self.special,
            r"\mathbb": self.indicator, r"\mathbf": self.bold, r"\mathrm": self.nan,
            r"\log": self.logarithm,
        }.get(here)  # fmt: skip
        if rule is not None:
            found = rule()
            return found if isinstance(found, Value) else (yield found)
        return self.word()

    def _is_call(self, called: tuple[Function, int], known: int) -> bool:
        """Say whether a word calls something: brackets follow, and it is no longer name."""
        after = self.ahead(called[1])
        if after == "(":
            return called[1] >= known
        return called[1] > known and after in ("_", "^")

    def inside(self) -> Visit:
        """Read what stands in brackets."""
        return self.relation()  # type: ignore[attr-defined, no-any-return]

    def number(self) -> Value:
        r"""Read a number: 3, 0.5, 10^{-5}, 1.5 \cdot 10^{-7}."""
        if self.here in CONSTANTS:
            return Value(const(CONSTANTS[self.take()]))
        digits = self.take()
        spelled = [self.ahead(k) for k in range(5)]
        if digits != "10" and spelled[:4] == [r"\cdot", "10", "^", "{"]:
            self.at += 2
            return Value(const(float(f"{digits}e{self.exponent()}")))
        if digits == "10" and spelled[:2] == ["^", "{"] and self.is_integer(2):
            return Value(const(float(f"1e{self.exponent()}")))
        return Value(const(float(digits) if "." in digits else int(digits)))

    def exponent(self) -> str:
        """Read the exponent of a power of ten."""
        self.expect("^")
        self.expect("{")
        found = ""
        while self.here != "}":
            found += self.take()
        self.expect("}")
        return found

    def is_integer(self, ahead: int) -> bool:
        """Say whether a signed integer and a closing brace stand some tokens ahead."""
        if self.ahead(ahead) == "-":
            ahead += 1
        return self.ahead(ahead).isdigit() and self.ahead(ahead + 1) == "}"

    def word(self) -> Value:
        """Read a dimension or an index letter that stands as a number."""
        found = self.sizes.match(self.tokens, self.at)
        if found:
            self.at += found[1]
            return Value(dim(found[0]))
        if self.here in INDEX and self.here:
            axis = INDEX.index(self.take())
            return self.loose.mark(lambda shape: self.ladder(axis, shape), (axis,))
        raise self.unexpected("a name, a number or a bracket is expected")

    def ladder(self, axis: int, shape: Any) -> Node:
        """Make the index along an axis of a shape."""
        axis = min(axis, len(shape) - 1)
        node = make("arange", size=shape[axis])
        after = len(shape) - 1 - axis
        return make("expand", node, axes=tuple(range(1, after + 1))) if after else node

    def fraction(self) -> Visit:
        """Read a fraction."""
        self.take()
        parts = []
        for _ in range(2):
            self.expect("{")
            parts.append((yield self.inside()))
            self.expect("}")
        return self.elementwise("div", parts)

    def root(self) -> Visit:
        """Read a square root."""
        self.take()
        self.expect("{")
        value = yield self.inside()
        self.expect("}")
        return self.elementwise("sqrt", [value])

    def fence(self) -> Visit:
        r"""Read \lvert x \rvert and its like, with the axes of a norm."""
        op, right = fences()[self.take()]
        value = yield self.inside()
        self.expect(right)
        if OPS[op].shape == "elementwise":
            return self.elementwise(op, [value])
        return self.summed(op, value, self.axes_behind(), INDEX)

    def logarithm(self) -> Visit:
        r"""Read \log\lvert x \rvert."""
        self.take()
        value = yield self.fence() if self.here in fences() else self.atom()
        return self.elementwise("log", [value])

    def nan(self) -> Value:
        r"""Read \mathrm{NaN}, or a dimension that is a word."""
        if "".join(t.text for t in self.tokens[self.at : self.at + 6]) == r"\mathrm{NaN}":
            self.at += 6
            return Value(const(float("nan")))
        return self.word()

    def indicator(self) -> Visit:
        r"""Read \mathbb{1}[c]."""
        for token in (r"\mathbb", "{", "1", "}", "["):
            self.expect(token)
        value = yield self.inside()
        self.expect("]")
        return value

    # -- calls ---------------------------------------------------------------------------------

    def call(self, function: Function) -> Visit:
        """Read the index, the arguments and the order of a call."""
        order = self.order() if function.op == "apply" else 0
        params: dict[str, Any] = {}
        letters: list[str] = []
        if self.here == "_":
            params, letters = self.label(function)
        self.expect("(")
        values: list[Value] = []
        while self.here != ")":
            if values:
                self.expect(",")
            values.append((yield self.inside()))
        self.take()
        if function.op == "apply":
            named = {"name": function.name, "order": function.order or order}
            return self.elementwise("apply", values, **named)
        return self.applied(function.op, values, letters, params)

    def applied(self, op: str, values: list[Value], letters: list[str], params: Any) -> Value:
        """Apply an operator that is written as a call."""
        if op in ("maximum", "minimum", "amax", "amin"):
            largest = op in ("maximum", "amax")
            op = {(True, True): "amax", (True, False): "amin", (False, True): "maximum",
                  (False, False): "minimum"}[len(values) == 1, largest]  # fmt: skip
        row = OPS[op]
        if row.shape in ("reduce", "like a") and "axis" in row.params:
            letters = letters or self.axes_behind()
            if row.shape == "reduce":
                return self.summed(op, values[0], letters, INDEX)
            value = plain(values[0])
            axes = tuple(INDEX.index(c) for c in letters)
            axis = axes[0] if len(axes) == 1 else axes or row.params["axis"]
            return Value(make(op, value.node, axis=axis if axis is not None else None))
        for k in range(len(values), bounds(row)[1]):
            if k - 1 < len(row.defaults):
                values.append(Value(const(row.defaults[k - bounds(row)[1]])))
        if row.shape == "elementwise":
            return self.elementwise(op, values, **params)
        nodes = [plain(v).node for v in values]
        if op in ("concatenate", "stack") and letters:
            params["axis"] = INDEX.index(letters[0])
        elif op == "expand":
            params["axes"] = tuple(INDEX.index(c) for c in letters)
        elif op == "transpose":
            params["axes"] = tuple(INDEX.index(c) for c in letters) if letters else None
        return Value(make(op, *nodes, **params))

    # -- what else begins with a letter ----------------------------------------------------------

    def special(self) -> Visit:
        """Read e^{x}, or the unit row e_{y}."""
        self.take()
        mark = self.take()
        if mark not in "^_":
            self.at -= 1
            raise self.unexpected("e is the exponential e^{…} or a unit row e_{…}")
        self.expect("{")
        if mark == "^":
            value = yield self.inside()
            self.expect("}")
            return self.elementwise("exp", [value])
        if self.here == r"\arg":
            return (yield self.winner())
        value = yield self.inside()
        self.expect("}")
        if value.node.dtype != "int":
            raise self.unexpected("the index of a unit row is a label")
        return self.unit_row(plain(value).node)

    def winner(self) -> Visit:
        r"""Read e_{\arg\max a}, and e_{\arg\min a}, which marks the largest entry of -a."""
        self.take()
        least = self.take() == r"\min"
        value = yield self.inside()
        self.expect("}")
        node = plain(value).node
        return Value(make("winner", make("neg", node) if least else node, axis=-1))

    def unit_row(self, labels: Node) -> Value:
        """Make one-hot rows; the labels or what stands beside them say how long."""
        named = [n.attrs["classes"] for n in topological([labels]) if "classes" in n.attrs]
        classes = named[0] if named else None
        if classes is not None:
            return Value(make("onehot", labels, size=classes))
        return self.loose.mark(lambda shape: make("onehot", labels, size=shape[-1]), (-1,))

    def negative(self, value: Value) -> Value:
        """Change the sign; of a number at once."""
        number = None if value.needs else value_of(value.node)
        return self.elementwise("neg", [value]) if number is None else Value(const(-number))

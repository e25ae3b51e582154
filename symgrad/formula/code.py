"""Print NumPy text from the rows' templates; generated modules are made of the same text."""

import math
import re
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING, Any

from symgrad.evaluate import INDEXED, constant, helpers, template
from symgrad.formula.accumulated import accumulated
from symgrad.formula.inner import inner_product, product_of_stacks
from symgrad.formula.texts import Text, fill, render
from symgrad.formula.twice import POWERS, whole
from symgrad.graph import Node, rebuild, topological
from symgrad.ops import OPS, remake, value_of
from symgrad.ops.spec import ATOM, NEG, by_number, sized, spelled
from symgrad.parse import formula

if TYPE_CHECKING:
    from symgrad.formula.naming import Names


def bracket(text: str) -> str:
    """Put round brackets."""
    return f"({text})"


def number(value: Any) -> str:
    """Write a constant: repr, which reads back to the same number."""
    if isinstance(value, float) and not math.isfinite(value):
        return "np.nan" if math.isnan(value) else "np.inf" if value > 0 else "-np.inf"
    return repr(value)


CHOICES = ("maximum", "minimum", "clip", "where")

# the operand that a text hands to np.where or np.clip with nothing but numbers beside it
ALONE = {"elu": 0, "celu": 0, "clip": 0, "reached": 0, "xlogy": 1, "xlog1py": 1, "xdivy": 1,
         "over": 1}  # fmt: skip


class Writer:
    """Write nodes as NumPy text.

    `dtype` is how the text calls the float type; a portable text calls no helper functions
    beside sigmoid, softmax and erf; a scalar one is spelled over `m`, math or NumPy; an accurate
    one takes the templates that keep their digits.
    """

    widens = True  # whether the library adds up in float64 what is float32
    decides = True  # whether a number may choose between two arrays before they are computed
    inner = True  # whether sums of products are faster as inner products

    def __init__(
        self,
        *,
        dtype: str = "np.float64",
        portable: bool = True,
        scalar: bool = False,
        accurate: bool = False,
        sizes: Mapping[str, str] | None = None,
        numeric: Container[Node] = (),
    ) -> None:
        self.dtype, self.portable, self.scalar, self.accurate = dtype, portable, scalar, accurate
        self.numeric = numeric  # conditions whose names stand for numbers 0 and 1
        self.sizes = dict(sizes or {})  # how the text calls a dimension, if not by its name
        self._strong: dict[Node, bool] = {}
        self._values: dict[Node, float] = {}  # what is computed from numbers alone
        self._folded: dict[Node, None] = {}  # those of them that are written as one number
        self._names: Mapping[Node, str] = {}
        self._calls = re.compile(rf"(?<![.\w])({'|'.join(helpers())})\(")
        self.used: dict[str, None] = {}  # operators whose helper the text calls

    def write(self, root: Node, names: Mapping[Node, str]) -> str:
        """Write a node; nodes in `names` appear by name.

        >>> from symgrad.ops import leaf, make
        >>> Writer().write(make("exp", leaf("x")), {})
        'np.exp(x)'
        """
        if self.portable:
            order = topological([root], stop=lambda n: n in names and n is not root)
            spelled = self._spelled(root, order, names)
            if spelled is not root:  # a formula may hold what has a name, but is not listed
                names = {n: names[n] for n in order if n in names and n is not root}
                root = spelled
        self._names = names
        text = render(root, names, self._handle).text
        # a line of its own has NumPy's type: Python's floats raise where NumPy's overflow
        return f"{self.dtype}({text})" if root in self._folded else text

    def _spelled(self, root: Node, order: tuple[Node, ...], names: Mapping[Node, str]) -> Node:
        """Write operators without a template by their formulas, down to named parts."""

        def change(node: Node, args: tuple[Node, ...]) -> Node:
            fresh = remake(node, args)
            row = OPS.get(node.op)
            while row is not None and row.formula and not row.numpy:
                inner = formula(fresh)
                assert inner is not None
                memo = dict.fromkeys(args)
                fresh = rebuild([inner], change, {a: a for a in memo})[inner]
                row = OPS.get(fresh.op)
            return fresh

        if all(n in names or OPS.get(n.op) is None or OPS[n.op].numpy for n in order):
            return root
        memo = {n: n for n in order if n in names and n is not root}
        return rebuild([root], change, memo)[root]

    def _handle(self, node: Node, args: list[Text]) -> Text:
        if node.op == "const":
            value = node.attrs["value"]
            return Text(number(value), NEG if math.copysign(1, value) < 0 else ATOM)
        if node.op == "input":
            return Text(str(node.attrs["name"]))
        if node.op == "dim":
            return Text(self.sizes.get(node.attrs["name"], node.attrs["name"]))
        if (total := self._total(node, args)) is not None:
            return total
        if node.op == "neg" and node.args[0].op == "mul" and args[0].text[:1].isdigit():
            return Text(f"-{args[0].text}", args[0].level)  # -2 * E: one pass over E
        folded = self._number(node)
        if folded is not None:
            return folded
        row = OPS[node.op]
        text, level = self._short(node, args) or (self._template(node), row.numpy_level)
        mask = node.dtype == "bool"
        if not self.portable and not mask and not self.strong(node):
            args = self._strengthened(node, args)
        elif node.op in ALONE and not self.portable and not self.scalar:
            args = self._typed(node, args)
        elif self.scalar and node.op in CHOICES:
            chosen = int(node.op == "where")  # a condition stays one
            rest = zip(node.args[chosen:], args[chosen:], strict=True)
            args = [*args[:chosen], *(self._float(n, a) for n, a in rest)]
        elif not row.masks and not self._takes_masks(node):
            args = [self._mask(n, a) for n, a in zip(node.args, args, strict=True)]
        numbers = node.dtype == "float" and node.op not in INDEXED
        if not self.portable and not self.scalar and numbers:
            args = [self._cast(a) if n.dtype == "int" else a
                    for n, a in zip(node.args, args, strict=True)]  # fmt: skip
        result = Text(fill(text, node, args, bracket, dtype=self.dtype), level, mask)
        plain = self.portable or self.scalar or mask or bool(node.shape)
        boxed = result.text.startswith("np.where(") or result.text.endswith("optimize=True)")
        if not plain and level == ATOM and boxed:
            result = Text(f"{result.text}[()]")  # NumPy makes an array of no axes
        if not plain and self._calling(text) and not self.strong(node):
            # NumPy makes float64 of np.sqrt(N), whatever the program's type is
            return Text(f"{self.dtype}({result.text})")
        return result

    def _total(self, node: Node, args: list[Text]) -> Text | None:
        """Write sums that take less than their operands one by one: of parts, and of products."""
        if self.portable:
            return None
        if node.op == "add":
            return accumulated(node, args)
        inner = node.op in ("sum", "mean") and self.inner and not self.scalar
        return inner_product(node, args, self.dtype == "np.float32") if inner else None

    def _calling(self, template: str) -> bool:
        """Say whether a template computes with NumPy, not with Python's operators alone."""
        return "np." in template or self._calls.search(template) is not None

    def _number(self, node: Node) -> Text | None:
        """Compute what calls NumPy for numbers alone; 2/3 stays, which Python itself computes.

        What is 0 or infinite stays too: Python's floats raise where NumPy's go on.
        """
        if self.portable or self.scalar or node.shape or OPS[node.op].shape != "elementwise":
            return None
        operands = [self._values.get(a) if a.args else value_of(a) for a in node.args]
        if any(v is None for v in operands) or any(a in self._names for a in node.args):
            return None
        used = dict(self.used)
        text = self._template(node)
        value = constant(node, operands, text, self.accurate)
        if value is None:
            return None
        self._values[node] = value
        made = self._calling(text) or any(a in self._folded for a in node.args)
        if not made or node.dtype != "float" or not value:
            return None
        self.used = used  # without the helper that has done its work
        self._folded[node] = None
        return Text(number(value), NEG if value < 0 else ATOM)

    def _short(self, node: Node, args: list[Text]) -> tuple[str, int] | None:
        """Write what takes less than its template: powers, products, what a number decides."""
        stacks = product_of_stacks(node) if self.inner and not self.portable else None
        if stacks is not None:
            return self._sized(stacks[0]), stacks[1]
        return self._powered(node, args) or self._chosen(node)

    def _powered(self, node: Node, args: list[Text]) -> tuple[str, int] | None:
        """Write small powers of arrays as products: ** takes NumPy a hundred times as long."""
        if node.op != "pow" or self.portable or self.scalar or not node.shape:
            return None
        found = POWERS.get(whole(node.args[1]))
        once = found and (found[0].count("{a") == 1 or args[0].text.isidentifier())
        return found if once else None

    def _chosen(self, node: Node) -> tuple[str, int] | None:
        """Write what is computed only if a number beside an array is not 0."""
        modules = self.decides and not (self.portable or self.scalar)
        text = by_number(node) if modules else ""
        level = 0 if " if " in text else OPS[node.op].numpy_level
        return (self._sized(text), level) if text else None

    def _template(self, node: Node) -> str:
        row = OPS[node.op]
        entrywise = row.shape == "elementwise"  # what is not a sum depends on the precision itself
        if row.single and (self.widens or entrywise) and self.dtype == "np.float32":
            text = spelled(row.single, node)
        elif self.accurate and (row.precise or row.precise_helper):
            text = spelled(row.precise or row.numpy, node)
            text = f"float({text})" if self.scalar else text
        elif self.scalar and row.scalar:
            text = spelled(row.scalar, node)
        elif self.portable and row.portable:
            text = spelled(row.portable, node)
        else:
            text = f"float({template(node)})" if self.scalar else template(node)
        self.called(text)
        return self._sized(text)

    def _sized(self, text: str) -> str:
        return sized(text, lambda name: self.sizes.get(name, name))

    def called(self, text: str) -> None:
        """Note which helper functions a text calls."""
        self.used.update(dict.fromkeys(self._calls.findall(text)))

    def strong(self, node: Node) -> bool:
        """Say whether the float type of a value follows from a float input below it.

        Numbers, dimensions and conditions are weak: NumPy would make float64 or integers of them.
        """
        todo = [node]
        while todo:
            n = todo.pop()
            if n in self._strong:
                found = self._strong[n]
            elif n.dtype == "bool" or n.op in ("const", "dim") or not n.args:
                found = (n.op == "input" and n.dtype == "float") or n in self.numeric
            else:
                operands = n.args[1:] if n.op == "where" else n.args
                found = any(map(self._strong.get, operands))
                unknown = [a for a in operands if a not in self._strong]
                if unknown and not found:  # one float is enough, and inputs are the nearest ones
                    todo += [n, min(unknown, key=lambda a: bool(a.args))]
                    continue
            self._strong[n] = found
        return self._strong[node]

    def _strengthened(self, node: Node, args: list[Text]) -> list[Text]:
        """Give a value of numbers and conditions alone the float type."""
        result = []
        for k, (n, text) in enumerate(zip(node.args, args, strict=True)):
            if n.dtype == "bool" and not (node.op == "where" and k == 0):
                text = self._mask(n, text)
            elif node.op == "where" and k and n.op in ("const", "dim"):
                text = Text(f"{'float' if self.scalar else self.dtype}({text.text})")
            elif (node.op == "broadcast" or (node.op == "where" and k)) and self._wide(n):
                text = Text(f"{self.dtype}({text.text})")
            result.append(text)
        return result

    def _typed(self, node: Node, args: list[Text]) -> list[Text]:
        """Give a number the float type where NumPy would make float64 of it."""
        k = ALONE[node.op]
        a = node.args[k]
        if a.shape or self.dtype == "np.float64" or self.strong(a):
            return args
        return [*args[:k], Text(f"{self.dtype}({args[k].text})"), *args[k + 1 :]]

    def _wide(self, node: Node) -> bool:
        """Say whether an array of a number would be of another type than the program."""
        return self.dtype != "np.float64" and not node.shape and node.op not in ("const", "input")

    def _float(self, node: Node, text: Text) -> Text:
        """Write a number as a float where it may be the result of a choice."""
        if node.op == "const":
            return Text(number(float(node.attrs["value"])), text.level)
        return self._cast(text) if node.dtype == "bool" else text

    def _takes_masks(self, node: Node) -> bool:
        """Say whether NumPy gets the numbers right by itself, as in mask * numbers."""
        if node.op in ("transpose", "expand", "broadcast", "slice"):
            return True
        if node.op not in ("add", "sub", "mul", "maximum", "minimum"):
            return False
        a, b = node.args
        return (a.dtype == "bool") != (b.dtype == "bool") and not (
            self._plain_number(a) or self._plain_number(b)
        )

    def _plain_number(self, node: Node) -> bool:
        """Say whether a factor is a Python number, which would make a mask float64."""
        return node.op in ("const", "dim") and not self.scalar

    def _cast(self, text: Text) -> Text:
        if self.scalar:
            return Text(f"float({text.text})")
        if self.portable:
            return Text(f"1.0 * {bracket(text.text) if text.level < 21 else text.text}", 20)
        return Text(
            f"{bracket(text.text) if text.level < ATOM else text.text}.astype({self.dtype})"
        )

    def as_number(self, node: Node, text: str) -> str:
        """Write a condition as a number of the float type."""
        return self._mask(node, Text(text, 0), ()).text

    def _mask(self, node: Node, text: Text, numeric: Container[Node] | None = None) -> Text:
        if node.dtype != "bool" or node in (self.numeric if numeric is None else numeric):
            return text
        fixed = not (node.shape or self.portable or any(map(self.strong, node.args)))
        if fixed and node.args and not self.scalar:  # Python's own True has no methods
            return Text(f"{self.dtype}({text.text})")
        return self._cast(text)


FUNCTIONS = ("np", "sigmoid", "softmax", "erf")  # what a printed expression calls


def apart(name: str, names: "Names") -> str:
    """Call a variable so that it hides no function of a printed expression.

    >>> from symgrad.formula.naming import Names
    >>> from symgrad.parse import parse
    >>> names = Names(parse("np*np_*x"))
    >>> apart("np", names), apart("x", names)
    ('np__', 'x')
    """
    found = name
    while found in FUNCTIONS or (found != name and found in names.taken):
        found += "_"
    return found


def typed(root: Node, names: "Names") -> dict[Node, str]:
    """Give the names for an expression of one formula, apart from those of functions."""
    found = {n: apart(t, names) for n, t in names.view(root).items()}
    order = topological([root], stop=found.__contains__)
    hidden = [n for n in order if n.op == "input" and n.attrs["name"] in FUNCTIONS]
    return {**found, **{n: apart(str(n.attrs["name"]), names) for n in hidden}}

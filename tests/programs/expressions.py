"""Expressions of a given shape, from the rows of the operator table.

What an operator needs follows from its row: how many operands, which parameters, which domain, what
shape rule. Only operators that change the structure of an array are spelled here, by `FORMS`.
"""

from collections.abc import Callable
from typing import Any

from symgrad.ops import OPS, Op
from tests.programs.forms import FORMS
from tests.programs.losses import LOSSES, scalar_loss

Shape = tuple[str | int, ...]
SYMBOLS = ("add", "sub", "mul", "div", "neg", "pow", "lt", "le", "gt", "ge", "eq", "ne", "matmul")
STEEP = ("exp", "expm1", "sinh", "cosh", "tan", "prod", "square")  # towers of them overflow
ELEMENTWISE = [r for r in OPS.values() if r.shape == "elementwise" and not r.hidden
               and r.name not in SYMBOLS]  # fmt: skip
UNARY = [r for r in ELEMENTWISE if r.arity == 1]
FURTHER = [r for r in ELEMENTWISE if r.arity != 1]
REDUCED = [r for r in OPS.values() if r.shape == "reduce" and not r.hidden]
ALIKE = [r for r in OPS.values() if r.shape == "like a" and "axis" in r.params and not r.hidden]
NORMS = [r for r in OPS.values() if "eps" in r.params and not r.hidden]
FIXED = ("0.5", ".25", "3/4", "0.9")  # in every domain
CONSTANTS = ("2", "0.5", "1", "3", "-1", "0", "1e-3", "-2.5", "pi", "0.1", "10", "1/3")
COMPARED = ("<", ">", "<=", ">=", "!=", "==")
# Forms in which operators are recognised, and in which mistakes in rules of writing show.
IDIOMS = (
    "({} - {})", "({} + {})", "{}*{}", "{}/({}**2 + 1)", "{}*sigmoid({})", "({} - {})**2",
    "{}/(1 + exp({}))", "({} + {}*2)", "({}*{} + {})", "{}*(1 - {})", "-{}*-{}", "({} - ({} + {}))",
    "{}/({}/({}**2 + 0.5) + 3)", "({} > {})*{}", "log(exp({}) + exp({}))", "{}**2*{}",
    "1/(1 + exp(-({} - {})))", "{}/sqrt({}**2 + 0.1)", "({}**2 + {}**2)**0.5", "abs({} - {})**3",
    "({}**2 + 0.3)**({})", "1/({}**2 + 1)/({}**2 + 2)", "2**{}*{}", "{} @ {}",
)  # fmt: skip
SELF = (
    "1/(1 + exp(-{0}))", "log(1 + exp({0}))", "{0}**2", "{0}**3", "sqrt({0}**2 + 0.5)",
    "exp({0})/(1 + exp({0}))", "({0}**2 + 1)**(-2)", "1/({0}**2 + 1)", "log({0}**2 + 1)", "-{0}",
    "where({0} > 0.1, sqrt({0}), {0})", "where({0} > 0.2, log({0}), 1)",
    "where({0} < -0.1, 1/{0}, 0)", "exp(-{0}**2)", "({0} > 0.1)*exp(tanh({0}))",
    "{0}*exp({0})/(1 + exp({0}))", "min(max({0}, 0), 6)", "exp({0})*exp(-2*{0})",
    "(exp({0}) - exp(-{0}))/(exp({0}) + exp(-{0}))", "{0}*tanh(log(1 + exp({0})))",
    "{0}*(1 + erf({0}/sqrt(2)))/2", "(1 + {0} > 0)*2.5", "{0} - {0}**2/2", "maximum({0}, 0)",
    "({0}**2)**1.5", "sqrt(abs({0}) + 1)", "{0}**4/({0}**2 + 1)", "log(sigmoid({0}))",
    "1 - tanh({0})**2", "abs({0})**2.5", "{0}**0", "{0}**1", "0*{0}", "(1 - cos({0}))",
    "log(1 - sigmoid({0}))",
)  # fmt: skip
ROWS = (
    "({0} - max({0}, axis={1}, keepdims=True))", "{0}*sum({0}, axis={1}, keepdims=True)",
    "({0} - mean({0}, axis={1}, keepdims=True))/sqrt(var({0}, axis={1}, keepdims=True) + 0.1)",
    "exp({0})/sum(exp({0}), axis={1}, keepdims=True)", "{0}/norm({0}, axis={1}, keepdims=True)",
    "{0} - log(sum(exp({0}), axis={1}, keepdims=True))",
    "({0} > mean({0}, axis={1}, keepdims=True))*{0}",
)  # fmt: skip


class Expressions:
    """Write the text of expressions over the names of a writer."""

    def __init__(self, writer: Any) -> None:
        self.w, self.pick, self.atom, self.choose = writer, writer.pick, writer.atom, writer.choose

    def text(self, shape: Shape, depth: int) -> str:
        """Write an expression that can stand anywhere, of exactly this shape."""
        if depth <= 0:
            return self.atom(shape)
        kind = KINDS[self.choose(len(KINDS))]
        if shape == () and self.choose(4) == 3:
            kind = X.loss
        made = kind(self, shape, depth - 1)
        return f"({made})" if made else self.atom(shape)

    def constant(self) -> str:
        """Pick a number."""
        text = self.pick(CONSTANTS)
        return f"({text})" if text[0] == "-" or "/" in text else text

    def mate(self, shape: Shape, depth: int = 0) -> str:
        """Write an operand that broadcasts to the shape."""
        options: list[Callable[[], str]] = [
            lambda: self.text(shape, depth), lambda: self.atom(shape), lambda: self.atom(()),
            self.constant,
        ]  # fmt: skip
        if len(shape) > 1:
            options.append(lambda: self.atom(shape[self.choose(len(shape)) :]))
        if len(shape) == 2:
            a, b = shape
            f = self.pick(REDUCED)
            options += [
                lambda: f"{self.atom((a,))}[:, None]",
                lambda: f"{self.atom((b, a))}.T",
                lambda: f"{_typed(f)}({self.inner(f, shape, 0)}, axis=1, keepdims=True)",
                lambda: f"{_typed(f)}({self.inner(f, shape, 0)}, axis=0)",
                lambda: self.atom((a, 1)),
                lambda: self.atom((1, b)),
            ]
        return str(self.pick(options)())

    def inner(self, row: Op, shape: Shape, depth: int) -> str:
        """Write an operand that lies in the domain of an operator."""
        text = self.text(shape, depth)
        if row.domain in ("R", "a, b >= 0"):
            return f"tanh({text})" if row.name in STEEP and depth else text
        options = {
            "a > 0": (
                "({}**2 + 0.5)",
                "(exp(tanh({})))",
                "(softplus({}) + 0.1)",
                "(abs({}) + 0.2)",
            ),
            "a >= 0": ("({}**2 + 0.5)", "relu({} + 3)", "softplus({})", "({}**2)", "abs({})"),
            "a > -1": ("({}**2)", "exp({})", "(0.9*tanh({}))"),
            "0 < a < 1": ("sigmoid({})", "(0.5 + 0.4*tanh({}))"),
        }.get(row.domain, ("({}**2 + 0.5)",))
        return str(self.pick(options).format(text))

    def unary(self, shape: Shape, depth: int) -> str:
        """Write any function of one variable."""
        row = self.pick(UNARY)
        return f"{row.name}({self.inner(row, shape, depth)})"

    def further(self, shape: Shape, depth: int) -> str:
        """Write a function of several: its own names say that an operand is a positive number."""
        row = self.pick(FURTHER)
        if row.name == "where":
            c = self.pick(COMPARED[:4])
            condition = f"{self.atom(shape)} {c} {self.mate(shape)}"
            return f"where({condition}, {self.text(shape, depth)}, {self.mate(shape)})"
        if row.name == "clip":
            return f"clip({self.text(shape, depth)}, {self.pick(('-0.7', '-1', '0'))}, 0.9)"
        if row.name in ("maximum", "minimum") and self.choose(2):
            return f"{row.name[:3]}({self.text(shape, depth)}, {self.mate(shape)})"
        most = row.arity if isinstance(row.arity, int) else row.arity[1]
        parts = [self.inner(row, shape, depth)]
        for k in range(1, most):
            if len(row.operands) > k:
                if k >= most - len(row.defaults) and self.choose(2) == 0:
                    break
                name = self.w.of_kind("positive", ()) if self.choose(3) == 2 else None
                parts.append(name or self.pick(("0.5", "1", "2", "0.25", "1.5")))
            else:
                parts.append(self.mate(shape))
        return f"{row.name}({', '.join(parts)})"

    def operator(self, shape: Shape, depth: int) -> str:
        """Arithmetic."""
        symbol = self.pick(("+", "-", "*", "/", "**", *COMPARED))
        if symbol == "/":
            return f"{self.text(shape, depth)}/({self.mate(shape)}**2 + {self.pick(('1', '0.5'))})"
        if symbol == "**":
            if self.choose(2):
                return f"({self.text(shape, depth)}**2 + 0.3)**{self.mate(shape)}"
            return f"{self.text(shape, depth)}**{self.pick(('2', '3', '1', '0', '4'))}"
        if symbol in COMPARED:
            return f"({self.text(shape, depth)} {symbol} {self.mate(shape)})*{self.mate(shape)}"
        pair = [self.text(shape, depth), self.mate(shape, depth // 2)]
        return f" {symbol} ".join(pair[:: self.pick((1, -1))])

    def idiom(self, shape: Shape, depth: int) -> str:
        """Write a form in which people write things."""
        form = self.pick(IDIOMS)
        count = form.count("{}")
        if "@" in form:
            return ""
        parts = [self.text(shape, depth), *(self.mate(shape) for _ in range(count - 1))]
        if "exp" in form or "2**" in form or ")**(" in form:
            parts = [f"tanh({p})" if k == count - 1 else p for k, p in enumerate(parts)]
        turn = self.choose(count)
        return str(form.format(*(parts[turn:] + parts[:turn])))

    def again(self, shape: Shape, depth: int) -> str:
        """Write a form that uses its operand several times."""
        return str(self.pick(SELF).format(self.text(shape, depth)))

    def reduced(self, shape: Shape, depth: int) -> str:
        """Write a reduction that leaves this shape."""
        row = self.pick(REDUCED)
        f = _typed(row)
        if shape == () and self.choose(3) == 0:
            return f"{f}({self.inner(row, self.pick(BIG), depth)})"
        if len(shape) == 3:
            return ""
        if 1 in shape:
            axis = shape.index(1)
            inner = tuple(self.pick("NDC") if d == 1 else d for d in shape)
            return f"{f}({self.inner(row, inner, depth)}, axis={axis}, keepdims=True)"
        if len(shape) == 1 and self.choose(5) == 4:
            inner = (self.pick("NDC"), shape[0], self.pick("NDC"))
            return f"{f}({self.inner(row, inner, depth - 1)}, axis=(0, 2))"
        axis = self.choose(len(shape) + 1)
        inner = (*shape[:axis], self.pick("NDC"), *shape[axis:])
        shown = axis - len(inner) if self.choose(2) else axis
        return f"{f}({self.inner(row, inner, depth - (len(inner) > 2))}, axis={shown})"

    def alike(self, shape: Shape, depth: int) -> str:
        """Write a function along an axis, or a normalisation."""
        if not shape:
            return ""
        axis = self.choose(len(shape))
        kind = self.choose(3)
        if kind == 0:
            f = self.pick(ALIKE)
            more = self.pick(("", "", ", beta=2")) if "beta" in f.operands else ""
            shown = self.pick((axis, axis - len(shape)))
            return f"{f.name}({self.text(shape, depth)}, axis={shown}{more})"
        if kind == 1:
            return str(self.pick(ROWS).format(self.text(shape, depth), axis))
        f = self.pick(NORMS)
        parts = [self.text(shape, depth)]
        for _ in range(self.choose(len(f.operands[1:3]) + 1)):
            parts.append(self.pick((self.atom, lambda s: self.constant()))(shape[-1:]))
        return f"{f.name}({', '.join(parts)})"

    def loss(self, shape: Shape, depth: int) -> str:
        """Write a loss, reduced to a number or left as it is."""
        if shape == ():
            return str(scalar_loss(self, depth))
        fitting = [m for rank, m in LOSSES.values() if rank(shape)]
        return str(self.pick(fitting)(self, shape, depth, "none")) if fitting else ""

    def fixed(self, shape: Shape, depth: int) -> str:
        """Write a function, or a condition, of numbers alone."""
        if shape == ():
            row = self.pick((*UNARY, *REDUCED))
            return f"{_typed(row)}({self.pick(FIXED)})"
        a, c, b = self.pick(FIXED), self.pick(COMPARED), self.pick(FIXED)
        if self.choose(2):
            return f"({a} {c} {b})*{self.text(shape, depth)}"
        return f"where({a} {c} {b}, {self.text(shape, depth)}, {self.mate(shape)})"

    def form(self, shape: Shape, depth: int) -> str:
        """Write a change of structure."""
        fitting = [f for name in FORMS for f in FORMS[name].get(len(shape), ())]
        if 1 in shape or not fitting:
            return ""
        return str(self.pick(fitting)(self, shape, depth))


def _typed(row: Op) -> str:
    from symgrad.ops.spec import typed_name

    return typed_name(row.name)


BIG: tuple[Shape, ...] = (("N",), ("N", "D"), ("N", "C"), ("D", "C"), ("N", "N"), ("N", "D", "C"))
X = Expressions
KINDS = (
    X.unary, X.unary, X.operator, X.operator, X.idiom, X.idiom, X.again, X.again, X.further,
    X.reduced, X.reduced, X.alike, X.form, X.form, X.loss, X.fixed,
)  # fmt: skip

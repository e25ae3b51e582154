"""What a user defines in one line: an activation, a loss, a rewrite rule, an optimiser."""

from typing import TYPE_CHECKING

from symgrad import ops
from symgrad.arguments import checked
from symgrad.errors import ParseError
from symgrad.ops import Op
from symgrad.parse.defining import new_name, tried

if TYPE_CHECKING:
    from symgrad.rewrite import Rule
    from symgrad.train.optimizers import Row


def activation(name: str, formula: str) -> Op:
    """Define an elementwise function by its formula in `a`; all views know it from then on.

    >>> import symgrad as sg
    >>> _ = sg.activation("bent", "(sqrt(a**2 + 1) - 1)/2 + a")
    >>> sg.gradient("bent(x)")["x"].unicode()
    '1 + x/(2√(x² + 1))'
    """
    checked(activation, locals())
    name = new_name(name)
    try:
        tried(formula, 1)
    except ParseError as error:
        if error.message.startswith("unknown name"):
            error.hint = error.hint or "the operand is called a, as in  a*sigmoid(a)"
        raise
    return ops.activation(name, formula, doc=f"{name}, defined by a user.", source="the user")


def loss(name: str, formula: str) -> Op:
    """Define a loss by the formula of one element: `a` the prediction, `b` the target.

    It takes reduction="mean", "sum" or "none", as all losses do.

    >>> import symgrad as sg
    >>> _ = sg.loss("log_cosh", "log(cosh(a - b))")
    >>> sg.gradient("log_cosh(p, t)", "p")["p"].numpy()
    'np.tanh(p - t)'
    """
    checked(loss, locals())
    name = new_name(name)
    tried(formula, 2)
    return ops.loss(name, formula, doc=f"{name}, defined by a user.", source="the user")


def rule(text: str) -> "Rule":
    """Add a recognition rule `name: before -> after`; letters stand for any expression.

    >>> import symgrad as sg
    >>> sg.rule("double angle: 2*sin(a)*cos(a) -> sin(2*a)").name
    'double angle'
    """
    checked(rule, locals())
    from symgrad.rewrite import rule as add

    return add(text)


def optimizer(name: str, rule: str, rate: float = 0.01, **settings: float) -> "Row":
    """Define an optimiser by its update rule: w the parameters, g the gradient, t the step.

    What is read before it is assigned is state, and starts at 0. `settings` are its numbers.

    >>> import symgrad as sg
    >>> _ = sg.optimizer("heavy", "v = mu*v + g; w = w - rate*v", mu=0.5)
    >>> from symgrad.train.optimizers import OPTIMIZERS
    >>> OPTIMIZERS.pop("heavy").settings
    {'mu': 0.5}
    """
    checked(optimizer, locals())
    from symgrad.train import rows

    name = new_name(name)
    row = rows.made(name, rule, rate, settings, doc=f"{name}, defined by a user.",
                          source="the user")  # fmt: skip
    row.read()
    rows.OPTIMIZERS[name] = row
    return row

"""The table of optimisers: one row each, its update rule written in symgrad's own language.

In a rule `w` are the parameters, `g` the gradient, `rate` the learning rate and `t` the number of
the step, from 1. A name that is read before it is assigned is state, which starts at 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from symgrad.errors import UsageError
from symgrad.train.calls import unknown
from symgrad.train.rule import Rule, read


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Describe one optimiser.

    `settings` are the numbers of the rule beside the rate; `fractions` lists those that lie in
    [0, 1); `start` gives state that does not start at 0, as a number or as a setting's name.
    """

    name: str
    rule: str
    rate: float = 0.01
    settings: Mapping[str, float] = field(default_factory=dict)
    fractions: tuple[str, ...] = ()
    start: Mapping[str, float | str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    doc: str = ""
    source: str = ""

    def read(self) -> Rule:
        """Read the rule into graphs."""
        extra = [v for v in self.start.values() if isinstance(v, str)]
        return read(self.rule, tuple(k for k in self.settings if k not in extra))


OPTIMIZERS: dict[str, Row] = {}


def register(name: str, rule: str, *, rate: float = 0.01, fractions: tuple[str, ...] = (),
             start: Mapping[str, float | str] | None = None, aliases: tuple[str, ...] = (),
             doc: str = "", source: str = "", **settings: float) -> Row:  # fmt: skip
    """Add an optimiser to the table; return its row.

    >>> row = register("lion", "u = sign(beta1*m + (1 - beta1)*g); "
    ...     "m = beta2*m + (1 - beta2)*g; w = w - rate*u", rate=1e-4, beta1=0.9, beta2=0.99)
    >>> OPTIMIZERS.pop("lion").name
    'lion'
    """
    row = made(name, rule, rate, settings, fractions, start or {}, aliases, doc, source)
    OPTIMIZERS[name] = row
    return row


def made(name: str, rule: str, rate: float, settings: Mapping[str, float],
         fractions: tuple[str, ...] = (), start: Mapping[str, float | str] | None = None,
         aliases: tuple[str, ...] = (), doc: str = "", source: str = "") -> Row:  # fmt: skip
    """Make a row without adding it to the table."""
    if not isinstance(name, str) or not name.isidentifier():
        raise UsageError(f"an optimiser's name is a word of letters, digits and _, not {name!r}")
    return Row(name, rule, rate, settings, fractions, dict(start or {}), aliases, doc, source)


register(
    "gd",
    "w = w - rate*g",
    aliases=("sgd",),
    doc="Gradient descent; over mini-batches it is stochastic gradient descent.",
    source="Cauchy 1847; Robbins and Monro 1951",
)
register(
    "momentum",
    "v = mu*v + g; w = w - rate*v",
    mu=0.9,
    fractions=("mu",),
    doc="Gradient descent with momentum.",
    source="Polyak 1964",
)
register(
    "nesterov",
    "v = mu*v + g; w = w - rate*(g + mu*v)",
    mu=0.9,
    fractions=("mu",),
    doc="Momentum, with the gradient taken ahead; w is the point that is looked at.",
    source="Nesterov 1983; Sutskever et al. 2013",
)
register(
    "adagrad",
    "s = s + g**2; rate_t = rate/(1 + (t - 1)*decay); w = w - rate_t*g/(sqrt(s) + eps)",
    decay=0.0,
    eps=1e-10,
    initial=0.0,
    start={"s": "initial"},
    doc="For each parameter a rate of its own, by the sum of squared gradients.",
    source="Duchi et al. 2011",
)
register(
    "rmsprop",
    "s = alpha*s + (1 - alpha)*g**2; w = w - rate*g/(sqrt(s) + eps)",
    rate=1e-3,
    alpha=0.99,
    eps=1e-8,
    fractions=("alpha",),
    doc="For each parameter a rate of its own, by the mean of recent squared gradients.",
    source="Tieleman and Hinton 2012",
)
MOMENTS = "m = beta1*m + (1 - beta1)*g; v = beta2*v + (1 - beta2)*g**2; "
ADAM = "rate_t = rate/(1 - beta1**t); w = w - rate_t*m/(sqrt(v/(1 - beta2**t)) + eps)"
register(
    "adam",
    MOMENTS + ADAM,
    rate=1e-3,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    fractions=("beta1", "beta2"),
    doc="Momentum and a rate for each parameter, both without the bias of their start at 0.",
    source="Kingma and Ba 2015",
)
register(
    "adamw",
    "w = (1 - rate*weight_decay)*w; " + MOMENTS + ADAM,
    rate=1e-3,
    beta1=0.9,
    beta2=0.999,
    eps=1e-8,
    weight_decay=0.01,
    fractions=("beta1", "beta2"),
    doc="Adam whose weight decay is no part of the gradient.",
    source="Loshchilov and Hutter 2019",
)
register("nadam", "mu = beta1*(1 - 0.96**(t*decay)/2); "
         "mu_next = beta1*(1 - 0.96**((t + 1)*decay)/2); mu_prod = mu_prod*mu; " + MOMENTS +
         "u = rate*mu_next/(1 - mu_prod*mu_next)*m + rate*(1 - mu)/(1 - mu_prod)*g; "
         "w = w - u/(sqrt(v/(1 - beta2**t)) + eps)",
         rate=2e-3, beta1=0.9, beta2=0.999, eps=1e-8, decay=4e-3, start={"mu_prod": 1.0},
         fractions=("beta1", "beta2"),
         doc="Adam with Nesterov's momentum.",
         source="Dozat 2016")  # fmt: skip


def names() -> list[str]:
    """List the names of all optimisers."""
    return list(OPTIMIZERS)


def find(name: str) -> Row:
    """Find a row by its name or alias; raise UsageError for a name that is not known."""
    for row in OPTIMIZERS.values():  # Adam, SGD: capitals make no other optimiser
        if name == row.name or str(name).lower() in (row.name, *row.aliases):
            return row
    aliases = [a for row in OPTIMIZERS.values() for a in row.aliases]
    raise unknown(name, [*OPTIMIZERS, *aliases], "optimiser")

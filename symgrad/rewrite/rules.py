"""The rewrite rules that belong to no single operator: one line each, before -> after."""

from symgrad.rewrite.match import Rule, parse_rule

# fmt: off
RECOGNITION: list[Rule] = [
    parse_rule("log of exp:            log(exp(a)) -> a"),
    parse_rule("root of a square:      sqrt(a**2) -> abs(a)"),
    parse_rule("log of 1/a:            log(1/exp(a)) -> -a"),
    parse_rule("1 - sigmoid:           log(1 - 1/(1 + exp(a))) -> -softplus(-a)"),
    parse_rule("log sigmoid of -a:     log(1/(1 + exp(-a))) -> -softplus(-a)"),
    parse_rule("two exponentials: log(exp(a) + exp(b)) -> maximum(a, b) + softplus(-abs(a - b))"),
]
# fmt: on


def rule(text: str) -> Rule:
    """Add a recognition rule, `name: before -> after`, in symgrad's own language.

    >>> rule("double angle: 2*sin(a)*cos(a) -> sin(2*a)").name
    'double angle'
    """
    added = parse_rule(text)
    RECOGNITION.append(added)
    return added

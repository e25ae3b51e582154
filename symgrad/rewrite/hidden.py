"""What a rational form might be written in besides its atoms: names and powers that say more."""

from collections.abc import Collection

from symgrad.graph import Node, topological
from symgrad.ops import make, value_of
from symgrad.rewrite.forms import arithmetic
from symgrad.rewrite.tidy import kind, printed

MAX_NODES = 120


def hidden_atoms(atoms: list[Node], named: Collection[Node]) -> list[Node]:
    """List named products of these atoms that are the operand of one: z = b x beside sigma(z).

    Also what stands in |u| and sign(u). They are no part of the expression, but it may be shorter
    in them.
    """
    there = dict.fromkeys(atoms)
    found = dict.fromkeys(z for a in atoms for z in a.args if z.op == "mul" and z in named)
    if printed():  # x/s of Y = x/s, beside s and a sum with Y in it
        found |= dict.fromkeys(z for z in named if z.op in ("div", "mul") and arithmetic(z))
    products = [
        z for z in found if z not in there and sum(a in there for a in _leaves(z, named)) > 1
    ]
    sizes = [a.args[0] for a in atoms if a.op == "sign" and make("abs", *a.args) in there]
    signed = dict.fromkeys(n for u in sizes for n in ([u] if u in named else _parts(u, named)))
    others = [*signed, *(_whole_powers(atoms) if printed() else ())]
    return [*products, *(n for n in others if n not in there and n.op != "const")]


def _whole_powers(atoms: list[Node]) -> list[Node]:
    """List (x/l)^k for (x/l)^(k - 1), of which x (x/l)^(k - 1) is a multiple."""
    powers = [a for a in atoms if a.op == "pow" and kind(a.args[0]) == "div"]
    exponents = [a.args[1] for a in powers]
    return [
        make("pow", a.args[0], e.args[0])
        for a, e in zip(powers, exponents, strict=True)
        if kind(e) == "sub" and value_of(e.args[1]) == 1
    ]


def _parts(u: Node, named: Collection[Node]) -> list[Node]:
    """List what the operand of a sign is made of: x and a in |x - a|, beside sign(x - a)."""
    return _leaves(u, named) if arithmetic(u) else [u]


def _leaves(z: Node, named: Collection[Node]) -> list[Node]:
    """List what a product is made of by arithmetic."""
    order = topological(z.args, stop=lambda n: not arithmetic(n) or n in named)
    return [n for n in order if not arithmetic(n) or n in named] if len(order) < MAX_NODES else []

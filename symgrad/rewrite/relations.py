"""Other values of a rational form, by what is known of its atoms: the shortest is kept.

A root squared is what stands under it, x sign(x) is |x|, u u^(n - 1) is u^n, and a value with a
name, y = x/s, says what x is.
"""

from collections.abc import Collection, Iterator
from typing import Any, Protocol

from symgrad.graph import Node, above_line, leaves, topological
from symgrad.ops import const, value_of
from symgrad.rewrite.forms import arithmetic
from symgrad.rewrite.tidy import is_output, printed

MAX_ATOMS = 9  # beyond, the search costs more than it finds
MAX_READ = 250  # nodes of a definition that is looked through


class Form(Protocol):
    """Hold the atoms of an expression and the field over them."""

    field: Any
    atoms: list[Node]
    place: dict[Node, int]
    named: Collection[Node]
    bases: dict[Node, tuple[Node, bool]]

    def values(self, order: tuple[Node, ...], inside: dict[Node, None]) -> dict[Node, Any]:
        """Compute every part of an expression in the field."""


def alternatives(
    form: Form, value: Any, named: Collection[Node], hidden: Collection[Node]
) -> Iterator[Any]:
    """List values that are equal to `value` by what is known of the atoms, `hidden` ones too."""
    if len(form.atoms) > MAX_ATOMS:
        return
    plain = _roots(form, value)
    others = [
        plain,
        *_above(form, plain),
        *_magnitudes(form, plain),
        raised(form, value),
        _lowered(form, value),
    ]
    others += [_unsigned(form, value)] if printed() else []
    yield from (found for found in others if found != value)
    for k, atom in enumerate(form.atoms):
        if atom not in named or not arithmetic(atom) or atom.op == "where":
            continue
        if printed() and is_output(atom) and _has(value, k):  # its name may hide what cancels
            definition = _read(form, atom)
            yield from [_substituted(form, value, k, definition)] if definition else ()
        if atom in hidden or _has(value, k):
            for place, replacement in _solutions(form, k, atom):
                if _has(value, place):
                    found = _substituted(form, value, place, replacement)
                    # x e^s = z - 1000 would cancel: a sum is put in where it takes others away
                    alone = len(replacement.numer) == 1
                    fewer = alone or len(found.numer) < len(value.numer)
                    fewer = fewer or (  # or where what is below the line cancels
                        len(found.numer) == len(value.numer) and len(found.denom) < len(value.denom)
                    )
                    if fewer and not value.denom.div(found.denom)[1]:  # it divides by nothing new
                        yield found


def _has(value: Any, k: int) -> bool:
    return any(m[k] for poly in (value.numer, value.denom) for m in poly.itermonoms())


def _read(form: Form, node: Node) -> Any:
    """Give the value of a node in the field, a named one by its definition; None if it has none."""
    if node in form.place and not node.args:
        return form.field.gens[form.place[node]]
    if arithmetic(node) and not readable(node, form.bases):
        return None
    met = 0

    def ends(n: Node) -> bool:
        nonlocal met
        met += 1
        if n is node:
            return False
        if not arithmetic(n) and n.op != "const" and n not in form.bases:
            met += MAX_READ  # what cannot be read; nothing more is looked at
        return n in form.bases or met > MAX_READ

    order = topological([node], stop=ends)
    if met > MAX_READ and arithmetic(node):
        return None
    inside = [n for n in order if arithmetic(n) and (n is node or n not in form.bases)]
    if node not in inside:
        return form.field.gens[form.place[node]] if node in form.place else None
    known = dict.fromkeys(inside)
    if any(n not in known and n not in form.bases and n.op != "const" for n in order):
        return None
    return form.values(order, known)[node]


def readable(root: Node, atoms: Collection[Node]) -> bool:
    """Say whether a definition needs no more than some atoms, as its nearest nodes tell."""
    near, seen = [root], {root: None}
    for node in near:  # which grows
        for a in node.args:
            if a in seen or a in atoms or a.op == "const":
                continue
            if not arithmetic(a):
                return False
            seen[a] = None
            near.append(a)
        if len(near) > MAX_READ:
            break
    return True


def _roots(form: Form, value: Any) -> Any:
    """Use that a root squared is what stands under it, above the line."""
    for k, atom in enumerate(form.atoms):
        if atom.op != "sqrt" or not any(m[k] > 1 for m in value.numer.itermonoms()):
            continue
        inner = _read(form, atom.args[0])
        if inner is None:
            continue
        value = _even(form, value.numer, k, inner) / form.field(value.denom)
    return value


def _even(form: Form, poly: Any, k: int, inner: Any) -> Any:
    """Write the even powers of a root by what stands under it."""
    total = form.field.zero
    for m, c in poly.iterterms():
        rest = tuple(e % 2 if j == k else e for j, e in enumerate(m))
        total += form.field(form.field.ring({rest: c})) * inner ** (m[k] // 2)
    return total


def _above(form: Form, value: Any) -> Iterator[Any]:
    """Use that u/sqrt(u) is sqrt(u): L/(n sqrt(L/n)) is sqrt(L/n)."""
    for k, atom in enumerate(form.atoms):
        if atom.op != "sqrt" or not all(m[k] % 2 for m in value.denom.itermonoms()):
            continue
        inner = _read(form, atom.args[0])
        if inner:
            root = form.field.gens[k]
            below = _even(form, value.denom * root.numer, k, inner)
            found = form.field(value.numer) * root / below
            if not value.denom.div(found.denom)[1]:  # it divides by nothing new
                yield found


def _magnitudes(form: Form, value: Any) -> Iterator[Any]:
    """Use that sign(u) is u/|u| and |u|^2 is u^2: |u| sign(u) is u, sign(u)/|u| is 1/u.

    Nothing new is divided by: u may be 0.
    """
    sizes = {a.args: k for k, a in enumerate(form.atoms) if a.op == "abs"}
    for k, atom in enumerate(form.atoms):
        if atom.op != "sign" or not _has(value, k):
            continue
        size, u = sizes.get(atom.args), _read(form, atom.args[0])
        if size is None or not u:
            continue
        lone = all(m[size] for m in value.denom.itermonoms())  # it is 0 where u is, as it stands
        whole = _substituted(form, value, k, u / form.field.gens[size])
        below = form.field(whole.denom), _squared(form, whole.denom, size, u)
        turned = _squared(form, whole.denom * form.field.gens[size].numer, size, u)
        above = [_squared(form, whole.numer, size, u),
                 _squared(form, whole.numer * form.field.gens[size].numer, size, u)]  # fmt: skip
        for found in (above[0] / below[0], above[0] / below[1], above[1] / turned):
            if lone or not value.denom.div(found.denom)[1]:
                yield found


def _unsigned(form: Form, value: Any) -> Any:
    """Use that sign(u)^2 is 1, but where u is 0."""
    for k, atom in enumerate(form.atoms):
        if atom.op == "sign":
            parts = [_squared(form, p, k, form.field.one) for p in (value.numer, value.denom)]
            value = parts[0] / parts[1] if parts[1] else value
    return value


def _squared(form: Form, poly: Any, k: int, root: Any) -> Any:
    """Write the even powers of an atom whose square is that of `root` by `root`."""
    total = form.field.zero
    for m, c in poly.iterterms():
        rest = tuple(e % 2 if j == k else e for j, e in enumerate(m))
        total += form.field(form.field.ring({rest: c})) * root ** (m[k] - m[k] % 2)
    return total


def raised(form: Form, value: Any) -> Any:
    """Use that u u^(n - 1) is u^n, if that divides by nothing new: u may be 0."""
    for whole, part, inner in _consecutive(form):
        found = _substituted(form, value, part, form.field.gens[whole] / inner)
        if not value.denom.div(found.denom)[1]:
            value = found
    return value


def _lowered(form: Form, value: Any) -> Any:
    """Use that u^n is u u^(n - 1), so that what both have in common is seen."""
    for whole, part, inner in _consecutive(form):
        value = _substituted(form, value, whole, form.field.gens[part] * inner)
    return value


def _consecutive(form: Form) -> Iterator[tuple[int, int, Any]]:
    """List powers u^n and u^(n - k) by place, with u^k."""
    powers: dict[tuple[Node, Node | None], list[tuple[float, int]]] = {}
    for k, atom in enumerate(form.atoms):
        symbol, size = _exponent(atom) if atom.op in ("pow", "sqrt") else (atom, 0)
        if symbol is not atom and (symbol or atom not in form.named):  # R is said by its name
            powers.setdefault((atom.args[0], symbol), []).append((size, k))
    for (base, _), places in powers.items():
        inner = _read(form, base) if len(places) > 1 else None
        (most, whole), *others = sorted(places, reverse=True)
        for number, part in others:
            gap = most - number
            if inner and 0.5 < gap < MAX_ATOMS and abs(gap - round(gap)) < 1e-12:
                yield whole, part, inner ** round(gap)


def _exponent(power: Node) -> tuple[Node | None, float]:
    """Read an exponent as a value, None for a number, and what is added: n - 2 is n and -2."""
    exponent = power.args[1] if power.op == "pow" else const(0.5)
    if (number := value_of(exponent)) is not None:
        return None, float(number)
    if exponent.op in ("add", "sub") and (number := value_of(exponent.args[1])) is not None:
        return exponent.args[0], float(number if exponent.op == "add" else -number)
    return exponent, 0.0


def _solutions(form: Form, k: int, atom: Node) -> Iterator[tuple[int, Any]]:
    """List the atoms that a named value has as a factor of one term: x in y = (x - m)/s."""
    definition = _read(form, atom)
    if definition is None:
        return
    numer, denom = definition.numer, definition.denom
    for place in range(len(form.atoms)):
        powers = [m for m in numer.itermonoms() if m[place]]
        below = next(denom.itermonoms()) if len(denom) == 1 else ()
        if below and below[place] == 1 and not powers and place != k:  # X w of m = 1/(X w)
            yield (
                place,
                form.field(numer)
                * form.field.gens[place]
                / form.field(denom)
                / (form.field.gens[k]),
            )
        if place == k or len(powers) != 1 or powers[0][place] != 1:
            continue
        if any(m[place] for m in denom.itermonoms()) or any(m[k] for m in numer.itermonoms()):
            continue
        others = tuple(0 if j == place else e for j, e in enumerate(powers[0]))
        factor = form.field(form.field.ring({others: numer[powers[0]]}))
        rest = form.field(numer) - factor * form.field.gens[place]
        yield place, (form.field.gens[k] * form.field(denom) - rest) / factor


def _substituted(form: Form, value: Any, place: int, replacement: Any) -> Any:
    parts = []
    for poly in (value.numer, value.denom):
        total = form.field.zero
        for m, c in poly.iterterms():
            rest = tuple(0 if j == place else e for j, e in enumerate(m))
            total += form.field(form.field.ring({rest: c})) * replacement ** m[place]
        parts.append(total)
    return parts[0] / parts[1] if parts[1] else value


# -- factors of 0 and 1 ----------------------------------------------------------------------


def held(atoms: list[Node], binary: list[int], named: Collection[Node]) -> list[tuple[int, int]]:
    """List named products, by place, that hold a factor of 0 and 1: for E = B*U, E*B is E."""
    return [
        (j, k) for k in binary for j, atom in enumerate(atoms)
        if j != k and (_positive_part(atom, atoms[k]) or (atom in named and _holds(atom, atoms[k])))
    ]  # fmt: skip


def _positive_part(atom: Node, mask: Node) -> bool:
    """Say whether a condition is y > 0 of y = ReLU(u), which is 0 elsewhere."""
    compared = atom.op == "relu" and mask.op == "gt" and mask.args[0] is atom
    return compared and value_of(mask.args[1]) == 0


def _holds(node: Node, factor: Node) -> bool:
    """Say whether a product has a factor; with E = B*U, it is B or a factor of U."""
    return factor in leaves(node, lambda n: above_line(n) if n is not factor else ())


def _masked(node: Node, mask: Node) -> bool:
    return node.op == "mul" and mask in node.args and mask.attrs.get("kind") == "binary"


def related(node: Node) -> bool:
    """Say whether one operation has relations: a case, conditions, y 1[y > 0], (B*U)*B."""
    a, b = node.args if node.op == "mul" else (node, node)
    if any(x in c.args if c.dtype == "bool" else _masked(x, c) for c, x in ((a, b), (b, a))):
        return True
    own = node.op == "where" or (node.op == "div" and node.args[0].op == "sign")
    return own or all(a.dtype == "bool" for a in node.args)


def without_held(value: Any, pairs: list[tuple[int, int]]) -> Any:
    """Leave a factor of 0 and 1 out where every term with it has a product that holds it.

    It disappears then. In E*B + F*B it stays: it is a common factor.
    """
    for j, k in pairs:
        holding = [m[j] for m in value.numer.itermonoms() if m[k]]
        if holding and all(holding):
            value = value.field(value.numer.subs(k, 1)) / value.field(value.denom)
    return value

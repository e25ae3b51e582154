"""Spell operations on numbers, and what they pass back, as text with slots: once for each kind.

The texts come from the operators' rows: the scalar template of a value, and the rule of its
derivative over letters that stand for the operands. A long program has few kinds of operations.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache, partial, reduce

import numpy as np

from symgrad.autodiff.sweep import local
from symgrad.codegen.fast.scalar_codes import Key
from symgrad.errors import SymgradError
from symgrad.evaluate import helpers, values
from symgrad.formula.code import CHOICES, Writer, number
from symgrad.graph import Node, intern, leaves, over_and_under, rebuild, topological
from symgrad.ops import OPS, const, make, remake
from symgrad.ops.spec import ATOM, MUL
from symgrad.parse import formula
from symgrad.rewrite import lower, simplify

LOOSE = re.compile(r"\bif\b|\b(?:float|max|min)\(|\bmath\.")  # where Python's own floats come from
SLOT = re.compile(r"\{([a-h])(?::(\d+))?\}")
CALL = re.compile(r"[\w.]+\([^()]*\)")
LEADING = re.compile(r"(?:^|\()\{0\} [*/] ")
WHOLE = re.compile(r"(?<![\w.{])(?<!\*\* )\d+(?= [-+*/] )|(?<=[^*] [-+*/] )\d+(?![\w.}])")
SQUARED = re.compile(r"([*/] )?(\{[1-9]\}) \*\* 2(?![\w.])")
FAR = (-800.0, -30.0, 1e-9, 0.5, 800.0)  # points at which a formula has to agree with its operator
EPS = 64 * 2.0**-52


def _product(square: re.Match[str]) -> str:
    """Write a square as a product, which takes a quarter of the time of a power."""
    before, name = square.groups()
    return f"{before}({name} * {name})" if before else f"{name} * {name}"


@lru_cache(maxsize=4096)
def _used(levels: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(k for k, level in enumerate(levels) if level >= 0)


@dataclass(frozen=True, slots=True)
class Text:
    """Hold a text with slots: {0} the upstream gradient, {1} the value, {2}, {3}, … the operands.

    `levels` says how strongly what fills a slot has to bind. Its numbers are floats: CPython 3.11
    has short ways for operations on two floats, not on a float and an int.
    """

    sign: int
    form: str
    level: int
    levels: tuple[int, ...]
    size: int
    upstream: int = field(init=False)  # how often the upstream gradient stands in it
    named: tuple[str, int] = field(init=False)  # text and level for operands that are names
    read: tuple[int, ...] = field(init=False)  # the operands in it: 0, 1, …; -1 for the value

    def __post_init__(self) -> None:
        """Count the uses of the upstream gradient once; square names by a product."""
        form = WHOLE.sub(r"\g<0>.0", self.form)
        named = SQUARED.sub(_product, form)
        level = min(self.level, MUL) if SQUARED.fullmatch(form) else self.level
        object.__setattr__(self, "form", form)
        object.__setattr__(self, "upstream", form.count("{0}"))
        object.__setattr__(self, "named", (named, level))
        object.__setattr__(self, "read", tuple(k - 2 for k in self.slots if k))

    @property
    def slots(self) -> tuple[int, ...]:
        """List the slots that are used."""
        return _used(self.levels)

    def fill(self, texts: list[tuple[str, int]]) -> str:
        """Fill the slots, in brackets where they bind too weakly."""
        given = [t if bound >= least else f"({t})"
                 for (t, bound), least in zip(texts, self.levels, strict=True)]  # fmt: skip
        return self.form.format(*given)


@dataclass(frozen=True, slots=True)
class Kind:
    """Hold how one kind of operation is computed and differentiated.

    `back` and `unit` give what each distinct operand gets, for any upstream gradient and for 1;
    None for nothing. `again` gives it from what the first one gets, where that is less work: of
    y = a/b, g/b and then -(g/b) y; it is empty where nothing is less work. `used` lists the helpers
    and functions in the texts.
    """

    value: Text
    back: tuple[Text | None, ...]
    unit: tuple[Text | None, ...]
    again: tuple[Text | None, ...]
    used: tuple[str, ...]
    needs: tuple[tuple[int, tuple[int, ...]], ...]  # for each operand, slots other than g


@lru_cache(maxsize=1024)
def kind(key: Key, accurate: bool) -> Kind:
    """Spell a kind of operations."""
    op, attrs, pattern, dtypes = key
    stand_ins = [intern("input", (), {"name": f"\0{k}", "kind": "real"}, (), dtype)
                 for k, dtype in enumerate(dtypes)]  # fmt: skip
    args = [p if isinstance(p, Node) else stand_ins[p] for p in pattern]
    node = make(op, *args, **dict(attrs))
    spell = _Speller(node, stand_ins, accurate)
    value = spell.value()
    passed = [spell.passed(s, spell.g) for s in stand_ins]
    back = tuple(map(spell.share, passed))
    unit = tuple(spell.share(spell.passed(s, const(1))) for s in stand_ins)
    needs = [(q, tuple(s for s in text.slots if s)) for q, text in enumerate(back) if text]
    again = (None, *(spell.again(passed[0], own) for own in passed[1:]))
    return Kind(value, back, unit, again if any(again) else (), tuple(spell.writer.used),
                tuple((q, slots) for q, slots in needs if slots))  # fmt: skip


class _Speller:
    """Hold one operation on stand-ins, and write texts about it."""

    def __init__(self, node: Node, stand_ins: list[Node], accurate: bool) -> None:
        self.node, self.stand_ins, self.accurate = node, stand_ins, accurate
        self.mode = "accurate" if accurate else "code"
        self.writer = Writer(dtype="float", portable=False, scalar=True, accurate=accurate)
        self.g = intern("input", (), {"name": "\0g", "kind": "real"})
        self.y = intern("input", (), {"name": "\0y", "kind": "real"}, (), node.dtype)
        self.names = {s: f"{{{k + 2}}}" for k, s in enumerate(stand_ins)}
        self.names |= {self.g: "{0}", self.y: "{1}"}

    def value(self) -> Text:
        """Spell the operation itself."""
        node, row = self.node, OPS[self.node.op]
        template = row.scalar(node) if callable(row.scalar) else row.scalar
        inline = self._inline()
        special = node.op in CHOICES or any(a.dtype == "bool" for a in node.args)
        if inline is not None:
            text = self._text(1, inline)
        elif template and not special and not (self.accurate and row.precise):
            self.writer.called(template)
            text = self._plain(template, row.numpy_level)
        else:
            text = self._text(1, node)
        loose = LOOSE.search(text.form) or any(f"{name}(" in text.form for name in helpers())
        if loose and node.dtype == "float":  # over NumPy, Python's floats become NumPy's
            whole = _wrapped(text.form) or CALL.fullmatch(text.form)
            form = text.form if whole else f"({text.form})"
            return Text(1, f"{form} * one", MUL, text.levels, text.size + 1)
        return text

    def _inline(self) -> Node | None:
        """Give the formula in place of a helper that only avoids an overflow: math reports it."""
        row = OPS[self.node.op]
        if not row.scalar_helper or not row.formula or self.accurate or len(self.stand_ins) != 1:
            return None
        inner = formula(self.node)
        if inner is None:
            return None
        inner = lower([inner], self.mode)[inner]
        for x in FAR:
            known = {self.stand_ins[0]: np.float64(x)}
            a, b = (float(values([n], known, {})[n]) for n in (inner, self.node))
            if not abs(a - b) <= EPS * max(1.0, abs(b)):
                return None
        return inner

    def _plain(self, template: str, level: int) -> Text:
        """Fill the letters of a row's template with slots, and note how strongly each binds."""
        levels = [-1] * (2 + len(self.stand_ins))

        def slot(match: re.Match[str]) -> str:
            operand = self.node.args["abcdefgh".index(match[1])]
            least = int(match[2] or 0)
            if operand not in self.names:
                text = number(operand.attrs["value"])
                return f"({text})" if text.startswith("-") else text
            k = 2 + self.stand_ins.index(operand)
            levels[k] = max(levels[k], least)
            return self.names[operand]

        form = SLOT.sub(slot, template).replace("{dtype}", "float")
        return Text(1, form, level, tuple(levels), 1)

    def share(self, total: Node | None) -> Text | None:
        """Spell what the operation passes back to an operand; None for nothing."""
        if total is None:
            return None
        sign, total = _bare(total)
        if total.op == "const":
            value = float(total.attrs["value"])
            return Text(sign, number(value), ATOM, (-1,) * len(self.names), 0) if value else None
        return self._text(sign, total)

    def again(self, first: Node | None, own: Node | None) -> Text | None:
        """Spell it with {0} for what the first operand gets; None where that saves nothing."""
        if first is None or own is None:
            return None
        (less, first), (sign, own) = _bare(first), _bare(own)
        known = Counter(leaves((first, False), over_and_under))
        left = Counter(leaves((own, False), over_and_under))
        rest = left - known
        if known.total() < 2 or known - left or not rest or any(under for _, under in rest):
            return None
        product = reduce(partial(make, "mul"), [self.g, *(n for n, _ in rest.elements())])
        return self._text(sign * less, product)

    def passed(self, operand: Node, g: Node) -> Node | None:
        """Give what the operation passes back to an operand, for this upstream gradient."""
        if operand.dtype != "float" or self.node.dtype == "bool":
            return None
        total: Node | None = None
        for k, a in enumerate(self.node.args):
            share = local(self.node, k, g, self.mode) if a is operand else None
            if share is not None:
                total = share if total is None else make("add", total, share)
        if total is None:
            return None
        named = dict.fromkeys([*self.stand_ins, self.g, self.node])
        total = simplify([total], named, normalise=False)[total]
        total = rebuild([total], remake, {self.node: self.y})[total]
        return lower([total], self.mode)[total]

    def _text(self, sign: int, root: Node) -> Text:
        """Write a node with slots; what fills them has to be a name, a leading gradient aside."""
        names = {n: t for n, t in self.names.items() if n is not root or n.op == "input"}
        if root in self.names:
            form, level = self.names[root], ATOM
        else:
            form, level = self.writer.write(root, names), OPS[root.op].numpy_level
            if root.dtype == "bool":
                form, level = self.writer.as_number(root, form), ATOM
        slots = ["{0}", "{1}", *(self.names[s] for s in self.stand_ins)]
        levels = [ATOM if s in form else -1 for s in slots]
        if form == "{0}":
            levels[0] = 0
        elif len(LEADING.findall(form)) == form.count("{0}"):
            levels[0] = MUL
        size = sum(1 for n in topological([root]) if n.args)
        return Text(sign, form, level, tuple(levels), size)


def _bare(node: Node) -> tuple[int, Node]:
    """Take the sign of a value apart."""
    sign = 1
    while node.op == "neg":
        sign, node = -sign, node.args[0]
    return sign, node


def _wrapped(form: str) -> bool:
    """Say whether one pair of brackets is around a text."""
    depth = 0
    for k, c in enumerate(form):
        depth += (c == "(") - (c == ")")
        if not depth:
            return k == len(form) - 1 and form[0] == "("
    return False


def suitable(order: tuple[Node, ...]) -> bool:
    """Say whether all operations can be spelled with numbers of Python."""
    if any([n.shape or n.dtype == "int" for n in order]):
        return False
    if any(op in ("dim", "apply") for op in dict.fromkeys([n.op for n in order])):
        return False
    ops = dict.fromkeys([n.op for n in order if n.args])
    return all(op in OPS and OPS[op].shape == "elementwise" for op in ops)


def spelled(keys: Iterable[Key], accurate: bool) -> list[Kind] | None:
    """Spell all kinds of operations of a program; None where one of them cannot be."""
    try:
        return [kind(key, accurate) for key in keys]
    except SymgradError:
        return None

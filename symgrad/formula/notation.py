r"""Notation profiles: what a course calls the loss and its values, and how it lays matrices out.

>>> Notation.read("loss=E,layers=bracket,t=d")
Notation(loss='E', names={'t': 'd'}, layers='bracket', vectors='column', layout='denominator')
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from symgrad.arguments import called, checked
from symgrad.errors import UsageError
from symgrad.formula.latex import bracket
from symgrad.formula.names import distinct, layered
from symgrad.formula.naming import Names
from symgrad.formula.texts import Text
from symgrad.formula.turned import Turned
from symgrad.graph import Node, topological

if TYPE_CHECKING:
    from symgrad.formula.formula import Formula

CHOICES = {
    "layers": ("index", "bracket", "paren"),
    "vectors": ("column", "row"),
    "layout": ("denominator", "numerator"),
}
Pair = tuple[str, str]  # Unicode and LaTeX


@dataclass(frozen=True, slots=True)
class Notation:
    """Say how formulas and steps are written.

    `loss` is the name shown for the output; `names` maps names of the program to names that are
    shown (a profile serves many programs: names that one lacks do no harm). `layers` writes a
    number at the end of a name as an index (W₁), as W^[1] ("bracket") or as W^(1) ("paren").
    `vectors` says whether arrays with one axis are columns (W x) or rows (x Wᵀ). In the
    "denominator" `layout` a gradient has the shape of what it is taken in; in the "numerator"
    layout vectors and matrices are printed transposed. Only print is affected: `numpy()`, code
    and the index form stay as they are.

    >>> import symgrad as sg
    >>> F = sg.gradient("W1: param[D, H]; x: data[D]; E = sum((x @ W1)**2)", "W1")["W1"]
    >>> F.unicode(), F.unicode(notation=Notation(layers="bracket", layout="numerator"))
    ('2x xᵀ W₁', '2W^[1]ᵀ x xᵀ')
    """

    loss: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    layers: str = "index"
    vectors: str = "column"
    layout: str = "denominator"

    def __post_init__(self) -> None:
        for key, allowed in CHOICES.items():
            value = getattr(self, key)
            if not isinstance(value, str) or value not in allowed:
                shown = repr(value[:40]) if isinstance(value, str) else called(value)
                raise UsageError(f"{key}={shown} is no notation",
                                 hint=f"one of {', '.join(allowed)}")  # fmt: skip
        checked(Notation, {f.name: getattr(self, f.name) for f in fields(self)})
        for name in (self.loss or "L", *self.names.values()):
            if not isinstance(name, str) or not name.isidentifier():
                raise UsageError(f"{called(name)} cannot be shown as a name",
                                 hint="a name is made of letters, digits and _")  # fmt: skip

    @classmethod
    def read(cls, text: str) -> "Notation":
        """Read `loss=E,layers=bracket,layout=numerator,t=d`: settings, else names to be shown.

        Raises UsageError for what is none of these.
        """
        checked(cls.read, locals())
        settings = {f.name for f in fields(cls)} - {"names"}
        found: dict[str, str] = {}
        names: dict[str, str] = {}
        for item in filter(None, (part.strip() for part in text.split(","))):
            key, equals, value = (part.strip() for part in item.partition("="))
            if not equals or not value:
                example = "loss=E,layers=bracket,vectors=row,layout=numerator,t=d"
                raise UsageError(f"a notation is KEY=VALUE, not {item[:40]!r}", hint=example)
            (found if key in settings else names)[key] = value
        return cls(names=names, **found)

    @property
    def plain(self) -> bool:
        """Say whether values are written as without any profile."""
        return not self.names and not self.loss and self.layers == "index" and not self.turns

    @property
    def turns(self) -> bool:
        """Say whether matrices or vectors are turned round."""
        return self.vectors == "row" or self.layout == "numerator"


STANDARD = Notation()


class Hand:
    """Print nodes in one notation, in Unicode and LaTeX at once.

    `names` maps nodes to names; `of` is the name of the output, `own` are all of the program.
    """

    def __init__(
        self,
        notation: Notation | None,
        names: Mapping[Node, str],
        of: str = "",
        own: Iterable[str] = (),
    ) -> None:
        self.notation, self.names, self.of = notation or STANDARD, names, of
        self.own = tuple(own)
        self.indexed: dict[str, None] = {}  # names whose number is no layer: v1, v2, …
        self._shown: dict[str, Pair] = {}

    def called(self, name: str) -> str:
        """Give the name under which a name of the program is shown."""
        if name == self.of and self.notation.loss:
            return self.notation.loss
        return self.notation.names.get(name, name)

    def name(self, name: str) -> Pair:
        """Typeset a name; different names look different."""
        if name not in self._shown:
            layers = self.notation.layers
            known = [*dict.fromkeys([*self._shown, *self.own, *self.names.values(), name])]
            shown = {n: self.called(n) for n in known}
            self._apart(shown)
            settled = [{shown[n]: pair[k] for n, pair in self._shown.items()} for k in (0, 1)]

            def typeset(name: str, latex: bool = True) -> str:
                return layered(name, "index" if name in self.indexed else layers, latex=latex)

            plain = distinct(shown.values(), False, lambda n: typeset(n, False), settled[0])
            texts = distinct(shown.values(), True, typeset, settled[1])
            self._shown = {n: (plain[t], texts[t]) for n, t in shown.items()}
        return self._shown[name]

    def size(self, name: str) -> Pair:
        """Typeset a dimension: #N beside a variable of its name."""
        plain, latex = self.name(name)
        shared = name in self.own or name in self.names.values()
        return (f"#{plain}", rf"\#{latex}") if shared else (plain, latex)

    def _apart(self, shown: Mapping[str, str]) -> None:
        """Raise UsageError if two names of the program would be shown as one."""
        first: dict[str, str] = {}
        for name, text in shown.items():
            other = first.setdefault(text, name)
            if other != name:
                both = f"'{name}' and '{other}' would both be shown as {text}"
                raise UsageError(both, hint=f"show {other} under another name too:  {other}=…")

    def head(self, name: str) -> Pair:
        """Print ∂L/∂name."""
        return self.quotient(self.of, name)

    def quotient(self, over: str, below: str) -> Pair:
        """Print ∂over/∂below."""
        (top, latex_top), (low, latex_low) = self.name(over), self.name(below)
        latex = rf"\frac{{\partial {latex_top}}}{{\partial {latex_low}}}"
        return f"∂{top}/∂{low}", latex

    def text(
        self, node: Node, symbols: Mapping[Node, Pair] | None = None, turned: bool = False
    ) -> Pair:
        """Print a node, by its name if it has one."""
        if node not in self.names or (symbols and node in symbols):
            return (symbols or {}).get(node) or self.write(node, symbols, turned)
        plain, latex = self.name(self.names[node])
        if not turned or not node.shape or self.notation.layout == "denominator":
            return plain, latex
        return (Turned(False, False).top(Text(plain)).text,
                Turned(True, False).top(Text(latex)).text)  # fmt: skip

    def write(
        self,
        node: Node,
        symbols: Mapping[Node, Pair] | None = None,
        turned: bool = False,
    ) -> Pair:
        """Print a node; `symbols` are printed as given, and `turned` says that it is a gradient.

        A named node shows its own definition, its operands their names.
        """
        symbols, names = symbols or {}, self.names
        order = topological([node], stop=lambda n: (n in names or n in symbols) and n is not node)
        texts: dict[Node, Pair] = {}
        for n in order:
            if n in symbols:
                texts[n] = symbols[n]
            elif n is not node and n in names:
                texts[n] = self.name(names[n])
            elif n.op == "input":
                texts[n] = self.name(str(n.attrs["name"]))
            elif n.op == "dim":
                texts[n] = self.size(str(n.attrs["name"]))
        gradient = turned and self.notation.layout == "numerator"
        shows = [Turned(latex, self.notation.vectors == "row",
                        symbols if self.notation.layout == "numerator" else {})
                 for latex in (False, True)]  # fmt: skip
        plain, latex = (
            show.write(node, {n: t[k] for n, t in texts.items()}, gradient, self.notation.turns)
            for k, show in enumerate(shows)
        )
        for text, latex_text in symbols.values():  # the transpose of dL/dx needs brackets
            if "/" in text:
                plain = plain.replace(f"{text}ᵀ", f"({text})ᵀ")
                large = f"{bracket(latex_text)}^{{\\top}}"
                latex = latex.replace(rf"{latex_text}^{{\top}}", large)
        return plain, latex


def noted(formula: "Formula", notation: Notation, form: str = "matrix") -> Pair:
    """Print a gradient, or a named part of one, in a notation; an index form as it always is."""
    if form == "index":
        raise UsageError("the index form has no other notation", hint="leave notation= out")
    if not formula.has_matrix_form:
        return formula.unicode(), formula.latex()
    hand = _hand(formula, notation)
    if formula.of:
        return hand.text(formula.node, turned=True)
    return hand.write(formula.node)


def noted_head(formula: "Formula", notation: Notation) -> Pair:
    """Print the left side of a formula in a notation."""
    if not formula.has_matrix_form:
        return formula.head, formula.latex_head
    hand = _hand(formula, notation)
    return hand.head(formula.wrt) if formula.of else hand.name(formula.wrt)


def _hand(formula: "Formula", notation: Notation) -> Hand:
    if formula.kind not in ("gradient", "name"):
        raise UsageError("a notation is for gradients; this is a second derivative or a Jacobian",
                         hint="leave notation= out")  # fmt: skip
    known_names(notation, formula.names)
    hand = Hand(notation, formula.names.chosen, formula.of, formula.names.own)
    ours = [t for n, t in formula.names.chosen.items() if n not in formula.names.given]
    hand.indexed.update(dict.fromkeys(ours))  # the numbers of our names count no layers
    return hand


def known_names(notation: Notation, names: Names) -> None:
    """Raise UsageError for a name that the program lacks, or one that would say two things."""
    if not isinstance(notation, Notation):
        raise UsageError(f"notation= takes a Notation; given is {called(notation)}",
                         hint='for example Notation(loss="E")')  # fmt: skip
    inputs = [str(n.attrs["name"]) for n in names.forward if n.op == "input"]
    known = dict.fromkeys([*inputs, *names.chosen.values()])
    settings = [f.name for f in fields(Notation) if f.name != "names"]
    for name, shown in notation.names.items():
        if name not in known:
            near = difflib.get_close_matches(name, [*settings, *known], 1)
            raise UsageError(f"'{name[:40]}' is neither a setting nor a name of this program",
                             hint=f"did you mean {near[0]}?" if near else
                             f"settings are {', '.join(settings)}")  # fmt: skip
        if shown in known and shown not in notation.names and shown != name:
            raise UsageError(f"'{name}' and '{shown}' would both be shown as {shown}",
                             hint=f"show {shown} under another name too:  {shown}=…")  # fmt: skip

"""The loop that all printers share: operands first, brackets by binding strength, no recursion."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from symgrad.formula.placing import joined, places
from symgrad.graph import Node, topological
from symgrad.ops import OPS, Op
from symgrad.ops.slices import key_text
from symgrad.ops.spec import ATOM, COMPARE, MUL, POW, bounds, letters, typed_name, value_of
from symgrad.rewrite.constants import multiple_of_pi, typed
from symgrad.shapes import Shape, axes_of


@dataclass(frozen=True, slots=True)
class Text:
    """Hold printed text, how strongly it binds, and whether it is a condition."""

    text: str
    level: int = ATOM
    mask: bool = False
    over: tuple[str, str] | None = None  # numerator and denominator of a quotient
    root: str = ""  # what an inverse is the inverse of
    turned: str = ""  # what a transpose is the transpose of
    row: str = ""  # the same vector as a row: xᵀ A for Aᵀ x
    read: Shape | None = None  # its shape as readers see it, if axes are left unsaid
    seen: tuple[int, ...] = ()  # which axes of the value these are
    indexed: int = 0  # it speaks of an index as a number: 1 of i, 2 of j


@dataclass(frozen=True, slots=True)
class Slot:
    """Fill an operand into a template: `{a:20}` puts brackets around what binds weaker."""

    inner: Text
    bracket: Callable[[str], str]

    def __format__(self, spec: str) -> str:
        least = int(spec) if spec else 0
        return self.bracket(self.inner.text) if self.inner.level < least else self.inner.text


Handler = Callable[[Node, list[Text]], Text]
Exact = Callable[[Text, Node], Text]  # write out the axes that a text leaves unsaid


def fill(
    template: str, node: Node, operands: list[Text], bracket: Callable[[str], str], **extra: str
) -> str:
    """Fill a row's template with printed operands."""
    names = letters(OPS[node.op], len(operands))
    slots = {k: Slot(v, bracket) for k, v in zip(names, operands, strict=True)}
    return template.format(**slots, **extra)


NEG, FRACTION = 11, 24  # how strongly signs and fractions bind
INDEX = "ijklmnpq"
LOG_OF_ERF = 0.12078223763524522  # of the slope of erf at 0, which code has in an exponent
CALLED = re.compile(r"((?:[^(){]|\{\{|\}\})+)\(([^()]*)\)")  # log({a}): a word and its brackets


def turns(a: Text, b: Text) -> bool:
    """Say whether an inner product is written the other way round: xᵀ A x, not (A x)ᵀ x."""
    return MUL < a.level < POW and not a.row and (b.level >= POW or bool(b.row))


def view(text: Text, node: Node) -> tuple[Shape, tuple[int, ...]]:
    """Give the shape that readers see, and which axes of the value these are."""
    if text.read is None:
        return node.shape, tuple(range(len(node.shape)))
    return text.read, text.seen


def constant(value: int | float, number: Callable[[int | float], str], latex: bool) -> Text:
    r"""Print a number; one that was computed as the multiple of pi or the fraction that it is.

    >>> constant(2 * math.pi, str, False).text, constant(-1 / 3, str, True).text
    ('2π', '-\\frac{1}{3}')
    """
    if math.copysign(1, value) < 0:
        minus = "-" if latex else "−"
        return Text(minus + constant(-value, number, latex).text, NEG)
    pi = r"\pi" if latex else "π"
    found = multiple_of_pi(value) if isinstance(value, float) else None
    if found:
        part, power = found
        shown = [str(part.numerator), str(part.denominator)]
        k = 0 if power > 0 else 1
        shown[k] = pi if shown[k] == "1" else shown[k] + pi
        return _fraction(shown[0], shown[1], latex) if shown[1] != "1" else Text(
            shown[0], ATOM if shown[0] == pi else MUL)  # fmt: skip
    if value == LOG_OF_ERF:
        return Text(r"\log(2/\sqrt{\pi})" if latex else "log(2/√π)", ATOM)
    meant = typed(value) if isinstance(value, float) and math.isfinite(value) else value
    if isinstance(meant, Fraction):
        return _fraction(str(meant.numerator), str(meant.denominator), latex)
    return Text(number(meant), ATOM)


def _fraction(top: str, low: str, latex: bool) -> Text:
    if latex:
        return Text(rf"\frac{{{top}}}{{{low}}}", FRACTION)
    low = low if low.isdigit() or len(low) == 1 else f"({low})"
    return Text(f"{top}/{low}", MUL, over=(top, low))


def along(node: Node, args: list[Text]) -> str:
    """Name the axes that an operator works along, "" where that goes without saying."""
    axis, shape = node.attrs.get("axis"), OPS[node.op].shape
    if shape not in ("reduce", "like a") or "axis" not in node.attrs:
        return ""
    read, seen = view(args[0], node.args[0])
    if len(read) < 2:
        return ""
    axes = [seen.index(a) for a in axes_of(axis, len(node.args[0].shape)) if a in seen]
    if axes == [len(read) - 1] if shape == "like a" else len(axes) == len(read):
        return ""
    return "".join(INDEX[k] for k in axes if k < len(INDEX))


Arranged = tuple[list[Text], Shape, tuple[int, ...]]
BESIDE = ("standardize", "dropout")  # operands stand beside each other, as in elementwise ones


def arranged(node: Node, args: list[Text], exact: Exact) -> Arranged:
    """Write out the axes of operands that readers would not find; give what the result shows.

    Axes of length 1 that a sum has kept, or that were inserted, are left unsaid where sizes tell
    the place (`placing`): S - sum_j S. In x_i - x_j they are what it is about.
    """
    rank, whole = len(node.shape), tuple(range(len(node.shape)))
    row = OPS.get(node.op)
    if not args or row is None:
        return args, node.shape, whole
    views = [view(a, n) for a, n in zip(args, node.args, strict=True)]
    if node.op == "expand":
        kept = [k for k in whole if k not in node.attrs["axes"]]
        return args, views[0][0], tuple(kept[k] for k in views[0][1])
    if node.op == "broadcast":
        read, seen = views[0]
        moved = tuple(k + rank - len(node.args[0].shape) for k in seen)
        return args, read, moved
    if row.shape in ("reduce", "like a") and node.op != "others":
        return _along_axes(node, args, exact)
    if row.shape != "elementwise" and node.op not in BESIDE:
        return [exact(a, n) for a, n in zip(args, node.args, strict=True)], node.shape, whole
    if all(_as_whole(a, n, node) for a, n in zip(args, node.args, strict=True)):
        return args, node.shape, whole
    return _beside(node, args, exact)


def _as_whole(text: Text, arg: Node, node: Node) -> bool:
    """Say whether an operand has the axes of the result, and shows them all."""
    return arg.shape == node.shape and text.read is None and not is_index(arg)


def _beside(node: Node, args: list[Text], exact: Exact) -> Arranged:
    """Compare where readers place the operands of an elementwise operator with where they are."""
    rank, whole = len(node.shape), tuple(range(len(node.shape)))
    listed = [
        (text, arg, *view(text, arg)) for text, arg in zip(args, node.args, strict=True)
        if not is_index(arg)
    ]  # fmt: skip
    true = [tuple(k + rank - len(arg.shape) for k in seen) for _, arg, _, seen in listed]
    guessed = places([read for _, _, read, _ in listed])
    most = max(true, key=len, default=())
    if guessed is not None and all(
        tuple(most[k] for k in where) == t for where, t in zip(guessed, true, strict=True)
    ):
        full = joined([read for _, _, read, _ in listed])
        letters_ = max(a.indexed for a in args)
        pairs = any(t.indexed and not read and n.shape == node.shape for t, n, read, _ in listed)
        if pairs and 0 < len(full) < rank:  # beside 1[i = j], x does not say which axis it has
            return [exact(a, n) for a, n in zip(args, node.args, strict=True)], node.shape, whole
        if not 0 < letters_ <= len(full) < rank:
            return args, full, most
        wide = [
            not is_index(n) and view(t, n)[0] == full for t, n in zip(args, node.args, strict=True)
        ]
        k = wide.index(True)  # i = j alone does not say how many axes there are
        said = exact(replace(args[k], read=full, seen=most), node)
        return [*args[:k], said, *args[k + 1 :]], node.shape, whole
    texts = [t if is_index(n) else exact(t, n) for t, n in zip(args, node.args, strict=True)]
    return texts, node.shape, whole


def is_index(node: Node) -> bool:
    """Say whether a node is an index that is printed as a letter."""
    return node.op == "arange" or (node.op == "expand" and node.args[0].op == "arange")


def _along_axes(node: Node, args: list[Text], exact: Exact) -> Arranged:
    """Leave axes unsaid that an operator does not work along."""
    first, shape = node.args[0], node.args[0].shape
    axes = axes_of(node.attrs["axis"], len(shape)) if "axis" in node.attrs else ()
    reduces = OPS[node.op].shape == "reduce"
    rest = [exact(a, n) for a, n in zip(args[1:], node.args[1:], strict=True)]
    text = args[0]
    seen = view(text, first)[1]
    lost = [a for a in axes if a not in seen]
    if any(shape[a] != 1 for a in lost) or (lost and (not reduces or len(lost) == len(axes))):
        text = exact(text, first)
    read, seen = view(text, first)
    if not reduces:
        return [text, *rest], read, seen
    left = [(d, a) for d, a in zip(read, seen, strict=True) if a not in axes]
    kept = node.attrs["keepdims"]
    moved = tuple(a if kept else a - sum(b < a for b in axes) for _, a in left)
    return [text, *rest], tuple(d for d, _ in left), moved


def chained(first: str, second: str, signs: tuple[str, ...]) -> str:
    """Join 0 < x and x < 6 to 0 < x < 6; "" where they do not meet.

    >>> chained("0 < x", "x < 6", ("<", "≤")), chained("0 < x", "y < 6", ("<",))
    ('0 < x < 6', '')
    """
    found = [(first.rpartition(f" {s} "), s) for s in signs]
    (_, _, middle), _ = max(found, key=lambda f: len(f[0][0]))
    joint = any(second.startswith(f"{middle} {s} ") for s in signs)
    return first + second[len(middle) :] if joint and middle != first else ""


def hidden(template: str, node: Node, row: Op) -> bool:
    """Say whether a template leaves out an operand that is not the usual one.

    >>> from symgrad.ops import const, leaf, make
    >>> row = OPS["elu"]
    >>> [hidden(row.latex, make("elu", leaf("x"), const(k)), row) for k in (1, 2)]
    [False, True]
    """
    named, least = letters(row, len(node.args)), bounds(row)[1] - len(row.defaults)
    for k, (letter, arg) in enumerate(zip(named, node.args, strict=True)):
        usual = row.defaults[k - least] if k >= least else None
        if f"{{{letter}" not in template and (usual is None or value_of(arg) != usual):
            return True
    return False


def _usual(node: Node, row: Op) -> int:
    """Count the last operands of a call that have their usual values: swish(x), not swish(x, 1)."""
    count = 0
    for arg, usual in zip(node.args[::-1], row.defaults[::-1], strict=False):
        if value_of(arg) != usual or len(node.args) != bounds(row)[1]:
            break
        count += 1
    return count


def halves(node: Node) -> str:
    """Write an exponent such as 1.5 as 3/2; "" for all others.

    >>> from symgrad.ops import const
    >>> halves(const(-1.5)), halves(const(2))
    ('-3/2', '')
    """
    value = value_of(node)
    if not isinstance(value, float) or value.is_integer() or not (2 * value).is_integer():
        return ""
    return f"{int(2 * value)}/2"


def by_rows(
    special: Mapping[str, Handler],
    indicator: Callable[[Text], Text],
    template: Callable[[Op], str],
    call: Callable[[str, str, str], str],
    parameters: Callable[[Node, Op], str],
    bracket: Callable[[str], str],
    index: Callable[[str], str],
    exact: Exact,
) -> Handler:
    """Print a node by its special handler, its row's template, or as a call of its name."""

    def handle(node: Node, args: list[Text]) -> Text:
        args, read, seen = arranged(node, args, exact)
        row = OPS.get(node.op)
        if row is None or not row.masks or node.op in ("eq", "ne"):
            args = [indicator(a) for a in args]
        text = printed(node, row, args)
        if read != node.shape:
            text = replace(text, read=read, seen=seen)
        passes = node.op == "expand" or (row is not None and row.shape == "elementwise")
        indexed = max((a.indexed for a in args), default=0) if passes else 0
        if is_index(node) and text.text in INDEX:
            indexed = INDEX.index(text.text) + 1
        return replace(text, indexed=indexed) if indexed else text

    def printed(node: Node, row: Op | None, args: list[Text]) -> Text:
        if node.op in special:
            return special[node.op](node, args)
        if node.op == "winner" and node.args[0].op == "neg" and args[0].text[:1] in ("-", "−"):
            least = printed(node, row, [_without_sign(args[0].text[1:])])
            return replace(least, text=re.sub(r"(arg\\?)max", r"\1min", least.text))
        assert row is not None
        text, letters_ = template(row), along(node, args)
        below = index(letters_) if letters_ else ""
        unusual = bool(text) and hidden(text, node, row)
        if not text or (unusual and not CALLED.fullmatch(text)):
            label = below or parameters(node, row)
            listed = ", ".join(a.text for a in args[: len(args) - _usual(node, row)])
            return Text(call(typed_name(row.name), label, listed))
        if match := CALLED.fullmatch(text):
            listed = ", ".join(a.text for a in args)  # ELU(x, a), where a is not the usual 1
            inner = listed if unusual else fill(match[2], node, args, bracket)
            return Text(fill(match[1], node, args, bracket) + bracket(inner) + below)
        mask = node.dtype == "bool" and row.level == COMPARE
        key = key_text(node.attrs.get("key", ()))
        level = min(row.level, POW) if "^{{" in text else row.level
        return Text(fill(text, node, args, bracket, key=key) + below, level, mask)

    return handle


def _without_sign(text: str) -> Text:
    """Give what stands behind a sign, and how strongly it binds."""
    if text.startswith("(") and text.endswith(")") and text.count("(") == 1:
        return Text(text[1:-1], COMPARE)
    return Text(text, ATOM if re.fullmatch(r"\\?\w+", text) else COMPARE)


def render(
    root: Node,
    names: Mapping[Node, str],
    handle: Handler,
    named: Callable[[Node, str], Text] = lambda node, text: Text(text),
) -> Text:
    """Print a node; `names` gives what is printed as a name (never the root itself)."""
    done: dict[Node, Text] = {}
    for node in topological([root], stop=lambda n: n in names and n is not root):
        if node in names and node is not root:
            done[node] = named(node, names[node])
        else:
            done[node] = handle(node, [done[a] for a in node.args])
    return done[root]

"""Compare two expressions: exactly, then in numbers; say what is wrong with a wrong one."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from symgrad.errors import NameClashError, ShapeError, SymgradError, SymgradWarning
from symgrad.formula.equality.decide import Proof, prove
from symgrad.formula.equality.hints import Sides, agree, hints
from symgrad.formula.equality.points import Pair
from symgrad.formula.equality.typed import context, misfit, read_typed, turned
from symgrad.formula.equality.verdict import AGREES, PROVED, REFUTED, Equality
from symgrad.formula.limits import MOST_EQUAL, check_length
from symgrad.graph import Graph, Node
from symgrad.ops import make
from symgrad.rewrite import recognise
from symgrad.shapes import text as shape_text

if TYPE_CHECKING:
    from symgrad.formula.formula import Formula

COMPARED, PARTS = "a comparison", "compare parts of it"


def student(formula: "Formula", text: str) -> Equality:
    """Compare a gradient with an expression that somebody has typed.

    >>> from symgrad.formula import gradients
    >>> from symgrad.parse import parse
    >>> F = gradients(parse("p = sigmoid(w*x); L = (p - y)**2"), "w")["w"]
    >>> print(student(F, "2*(p - y)*p*x"))
    not equal: at w = 2, x = 1, y = 0, ∂L/∂w is 0.184956, yours 1.55161
      the factor 1 − p is missing
    """
    derivation = formula.derivation
    if derivation is not None:
        check_length(derivation.written, MOST_EQUAL, COMPARED, PARTS)
    graph = derivation.graph if derivation is not None else formula.graph
    names = context(graph, formula.names.chosen)
    head = formula.head
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SymgradWarning)
            right, _ = read_typed(text, graph, names)
    except ShapeError as error:
        return _misfit(formula, text, graph, names, error)
    named = {n: t for n, t in formula.names.chosen.items() if n is not formula.node}
    words = Sides(head, "yours", graph, formula.names.chosen, formula.wrt)
    return compare(formula.node, right, graph, named, words, gradient=bool(formula.of))


def _misfit(
    formula: "Formula", text: str, graph: Graph, names: dict[str, Node], error: ShapeError
) -> Equality:
    """Answer an expression whose shapes do not fit, with one that does, if there is one."""
    found = []
    for variant, node in turned(text, graph, names):
        if node.shape == formula.node.shape and agree(formula.node, node, graph):
            found = [f"{variant}  is equal to {formula.head}"]
            break
    reason = f"the shapes do not fit: {misfit(error)}"
    return Equality(REFUTED, formula.head, "yours", reason=reason, hints=tuple(found))


def sides(left: Graph, right: str | Graph, steps: bool = False) -> Equality:
    """Compare two programs; the right one may use the inputs and names of the left one.

    >>> from symgrad.parse import parse
    >>> print(sides(parse("tanh(x)"), "2*sigmoid(2*x) - 1"))
    equal, proved: the difference is 0 in the normal form, wherever both are defined
    """
    words = ("the left side", "the right side")
    check_length(left, MOST_EQUAL, COMPARED, PARTS)
    if isinstance(right, Graph):
        check_length(right, MOST_EQUAL, COMPARED, PARTS)
        _same_inputs(left, right)
        node, dims = right.output, {**left.dims, **right.dims}
    else:
        try:
            node, program = read_typed(right, left, left.names, free=True)
        except ShapeError as error:
            return Equality(REFUTED, *words, reason=f"the shapes do not fit: {misfit(error)}")
        dims = {**left.dims, **program.sizes}
    graph = Graph.of([left.output], names=left.names, dims=dims, extra_inputs=left.inputs,
                     source=left.source, functions=left.functions)  # fmt: skip
    found = compare(left.output, node, graph, {}, Sides(*words, graph, {}))
    if steps and found:
        from symgrad.formula.equality.chain import chain

        found = replace(
            found, steps=chain(left.output, node, graph, found.proved, not found.almost)
        )
    return found


def _same_inputs(left: Graph, right: Graph) -> None:
    """Refuse graphs in which one name stands for different inputs."""
    known = {n.attrs["name"]: n for n in left.inputs}
    for node in right.inputs:
        if known.get(node.attrs["name"], node) is not node:
            raise NameClashError(f"'{node.attrs['name']}' is declared differently on both sides",
                                 hint="both sides have the same inputs")  # fmt: skip


def compare(
    left: Node,
    right: Node,
    graph: Graph,
    named: Mapping[Node, str],
    words: Sides,
    *,
    gradient: bool = False,
) -> Equality:
    """Compare two nodes: prove, or look for a point where they differ."""
    whole = right
    if left.shape != right.shape:
        if not _stretches(right, left):
            return _other_shape(left, right, words, gradient)
        whole = make("broadcast", right, shape=left.shape)
    pair = Pair(left, whole, graph)
    base = Equality(AGREES, words.left, words.right)
    seen, worst, differs = 0, 0.0, False
    for _, point, a, b in pair.points():
        if pair.differs(point, a, b) is not None:
            differs = True
            break
        seen, worst = seen + 1, max(worst, _relative(a, b))
    if differs:
        found = pair.simplest() or pair.kink()
        if found is None:
            index = pair.differs(point, a, b)
            assert index is not None
            found = pair.difference(point, index, a, b)
        told = tuple(hints(left, whole, words, gradient))
        if whole is not right:
            told = (f"{words.right} has the shape {shape_text(right.shape)}, and stands for every "
                    f"entry of {shape_text(left.shape)}", *told)  # fmt: skip
        return replace(base, verdict=REFUTED, counterexample=found, hints=told)
    base = replace(base, points=seen, dead=pair.dead, error=worst, partial=_defined(pair, words))
    if not seen and left is not whole:
        return _nowhere(base, pair)
    kinks = pair.kink()
    proof = _proof(left, whole, graph, named)
    if proof is None:
        return replace(base, kinks=kinks)
    kinds = {n.attrs["name"]: str(n.attrs["kind"]) for n in pair.inputs}
    facts = {name: kinds[name] for name in proof.facts}
    return replace(base, verdict=PROVED, facts=facts, almost=proof.almost, kinks=kinks)


def _nowhere(base: Equality, pair: Pair) -> Equality:
    """Answer where no random point gives numbers for both sides."""
    kinks = pair.kink()
    if kinks is not None:
        return replace(base, verdict=REFUTED, counterexample=kinks)
    reason = "no point was found where both are defined"
    return replace(base, verdict=REFUTED if any(pair.alone) else AGREES, reason=reason)


def _proof(left: Node, right: Node, graph: Graph, named: Mapping[Node, str]) -> Proof | None:
    """Prove it as it stands, or after recognition."""
    found = prove(left, right, named, graph.dims)
    if found is not None:
        return found
    images = [recognise(Graph.of([side], dims=graph.dims))[0].output for side in (left, right)]
    if images == [left, right]:
        return None
    return prove(images[0], images[1], {}, graph.dims)


def _stretches(right: Node, left: Node) -> bool:
    """Say whether the right side broadcasts to the shape of the left one."""
    try:
        return make("broadcast", right, shape=left.shape).shape == left.shape and len(
            right.shape
        ) < len(left.shape)
    except SymgradError:
        return False


def _other_shape(left: Node, right: Node, words: Sides, gradient: bool) -> Equality:
    reason = (
        f"{words.left} has the shape {shape_text(left.shape)}, "
        f"{words.right} {shape_text(right.shape)}"
    )
    told = tuple(hints(left, right, words, gradient))
    return Equality(REFUTED, words.left, words.right, reason=reason, hints=told)


def _relative(a: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", b: object) -> float:
    """Give the largest difference, relative to the largest entry."""
    other = np.asarray(b, dtype=float)
    both = np.isfinite(a) & np.isfinite(other)
    scale = float(np.max(np.abs(np.where(both, a, 0)), initial=0.0))
    with np.errstate(all="ignore"):
        gap = float(np.max(np.abs(np.where(both, a - other, 0)), initial=0.0))
    return gap / scale if scale else 0.0


def _defined(pair: Pair, words: Sides) -> str:
    """Say that one side is defined where the other is not."""
    for k, (one, other) in enumerate(((words.left, words.right), (words.right, words.left))):
        if pair.alone[k]:
            return f"{other} is not defined everywhere where {one} is"
    return ""

"""Jacobians, Hessians and their products with vectors, as formulas.

The reverse sweep is linear in its seed v: its entries with v_k replaced by delta_ik are the
Jacobian. So every rule, recognition and simplification of gradients serves here too.
"""

from collections.abc import Iterable
from typing import TypeVar

from symgrad import shapes
from symgrad.autodiff import Adjoints, scalar_output, sweep, wanted
from symgrad.errors import ShapeError, UsageError
from symgrad.formula.derivation import Derivation, cut, gradients, output_name
from symgrad.formula.formula import Formula
from symgrad.formula.limits import MOST_JACOBIAN, check_length
from symgrad.formula.naming import Names, users_names
from symgrad.graph import Graph, Node, intern, topological
from symgrad.indexed import entries, index
from symgrad.indexed.cases import count
from symgrad.indexed.symbols import below, delta, entry, product, rebuilt, settle
from symgrad.indexed.tensors import array
from symgrad.ops import const
from symgrad.ops.spec import typed_name
from symgrad.rewrite import recognise, simplify
from symgrad.rewrite.tidy import keeping
from symgrad.shapes import Shape

Key = TypeVar("Key")
FACTS = ("symmetric", "onehot", "simplex", "sign", "binary", "positive")
NOTHING = Adjoints({}, {}, ())


def seed(letter: str, shape: Shape) -> Node:
    """Make the vector that a sweep starts from; its name cannot be typed."""
    return intern("input", (), {"name": f"\0{letter}", "kind": "real"}, shape)


def jacobians(graph: Graph, wrt: str | Iterable[str] | None = None) -> dict[str, Formula]:
    """Derive the Jacobian of the output in inputs and named intermediates.

    Its axes are those of the output, then those of the input.

    >>> from symgrad.parse import parse
    >>> jacobians(parse("z: real[K]; p = softmax(z)"), "z")["z"].unicode()
    'diag(p) − p pᵀ'
    """
    found: dict[str, Formula] = {}
    for name in wanted(graph, wrt):  # one by one: an intermediate hides what is behind it
        open_graph, targets = _opened(graph, [name])
        found.update(_jacobians(open_graph, targets))
    return found


def _jacobians(graph: Graph, targets: dict[str, Node]) -> dict[str, Formula]:
    if not graph.output.shape:
        return gradients(graph, targets)
    work = _Work(graph)
    v = seed("v", graph.output.shape)
    adjoints = work.short(sweep(work.graph.output, targets.values(), v).total, targets)
    nodes = {name: work.matrix(adjoints[name], v, n.shape) for name, n in targets.items()}
    return {
        name: work.formula(node, "jacobian", name, targets)
        for name, node in work.named(nodes).items()
    }


def hessians(
    graph: Graph, wrt: str | Iterable[str] | None = None
) -> dict[tuple[str, str], Formula]:
    """Derive the second derivatives of a scalar output in pairs of inputs.

    The axes are those of the first input, then those of the second.

    >>> from symgrad.parse import parse
    >>> hessians(parse("A: data[N, D]; x: real[D]; L = sum((A@x)**2)"), "x")["x", "x"].unicode()
    '2Aᵀ A'
    """
    scalar_output(graph)
    graph, targets = _opened(graph, wrt)
    work = _Work(graph)
    first = work.first(targets)
    nodes: dict[tuple[str, str], Node] = {}
    for a, gradient in first.items():
        v = seed("v", gradient.shape)
        total = sweep(gradient, targets.values(), v if gradient.shape else const(1)).total
        second = work.short(total, targets, printed=not gradient.shape)
        for b, node in second.items():
            made = work.matrix(node, v, targets[b].shape) if gradient.shape else node
            nodes[a, b] = made
    return {
        (a, b): work.formula(node, "hessian", a, targets, b)
        for (a, b), node in work.named(nodes).items()
    }


def jvps(graph: Graph, wrt: str | Iterable[str] | None, v: str) -> dict[str, Formula]:
    """Derive the Jacobian times a vector, a declared input of the shape of what is varied.

    >>> from symgrad.parse import parse
    >>> jvps(parse("z: real[K]; v: real[K]; p = softmax(z)"), "z", "v")["z"].unicode()
    'p ⊙ (v − vᵀ p)'
    """
    graph, targets = _opened(graph, wrt)
    work = _Work(graph)
    output = work.graph.output
    u = seed("u", output.shape)
    back = work.short(sweep(output, targets.values(), u).total, targets)
    nodes = {}
    for name, node in back.items():
        vector = _vector(graph, v, targets[name], name)
        forward = sweep(node, [u], vector).total[u]
        nodes[name] = simplify([forward], work.names, work.graph.places, printed=True)[forward]
    return {
        name: work.formula(node, "jvp", name, targets, v)
        for name, node in work.named(nodes).items()
    }


def hvps(graph: Graph, wrt: str | Iterable[str] | None, v: str) -> dict[str, Formula]:
    """Derive the Hessian times a vector, a declared input of the shape of what is varied.

    >>> from symgrad.parse import parse
    >>> g = parse("A: symmetric[D, D]; x: real[D]; v: real[D]; L = x @ A @ x")
    >>> hvps(g, "x", "v")["x"].unicode()
    '2A v'
    """
    scalar_output(graph)
    graph, targets = _opened(graph, wrt)
    work = _Work(graph)
    first = work.first(targets)
    nodes = {}
    for name, gradient in first.items():
        vector = _vector(graph, v, targets[name], name)
        total = sweep(gradient, [targets[name]], vector).total[targets[name]]
        nodes[name] = simplify([total], work.names, work.graph.places, printed=True)[total]
    return {
        name: work.formula(node, "hvp", name, targets, v)
        for name, node in work.named(nodes).items()
    }


def _opened(graph: Graph, wrt: str | Iterable[str] | None) -> tuple[Graph, dict[str, Node]]:
    """Find what to differentiate in; an intermediate value becomes an input."""
    check_length(graph, MOST_JACOBIAN, "Jacobians and second derivatives")
    targets = wanted(graph, wrt)
    inner = [name for name, node in targets.items() if node.op != "input"]
    if inner and len(targets) > 1:
        raise UsageError(f"'{inner[0]}' is an intermediate value, what is behind it is hidden",
                         hint="ask for it alone")  # fmt: skip
    for name in inner:
        graph, targets[name] = cut(graph, name, targets[name])
    return graph, targets


def _vector(graph: Graph, name: str, target: Node, wrt: str) -> Node:
    """Find the vector of a product among the inputs; it must look like what is varied."""
    found = {n.attrs["name"]: n for n in graph.inputs}.get(name)
    if found is None:
        said = shapes.text(target.shape)
        shape = "" if not target.shape else f"[{', '.join(map(str, target.shape))}]"
        raise UsageError(f"'{name}' is no input of this program; {wrt} has the shape {said}",
                         hint=f"declare it:  {name}: real{shape}")  # fmt: skip
    if found.shape != target.shape:
        raise ShapeError(f"'{name}' is {shapes.text(found.shape)}, "
                         f"but {wrt} is {shapes.text(target.shape)}")  # fmt: skip
    return found


class _Work:
    """Hold a recognised graph, its names, and what is made of them."""

    def __init__(self, graph: Graph) -> None:
        self.source = graph
        self.graph, trace = recognise(graph, "printed")
        self.trace = tuple(trace)
        self.names = users_names(self.graph)
        self.chosen = Names(self.graph)

    def short(
        self, total: dict[Node, Node], targets: dict[str, Node], printed: bool = False
    ) -> dict[str, Node]:
        """Simplify the adjoints of some targets."""
        roots = [total[n] for n in targets.values()]
        simple = simplify(roots, self.names, self.graph.places, printed=printed)
        return {name: simple[total[n]] for name, n in targets.items()}

    def first(self, targets: dict[str, Node]) -> dict[str, Node]:
        """Give the gradients that are differentiated again.

        What is declared about a variable (symmetric, rows that sum to 1, +1 or -1) must not be
        used before the last derivative in it, so such gradients stay as the sweep made them.
        """
        total = sweep(self.graph.output, targets.values()).total
        if any(n.attrs["kind"] in FACTS for n in targets.values()):
            return {name: total[n] for name, n in targets.items()}
        return self.short(total, targets)

    def matrix(self, linear: Node, v: Node, inner: Shape) -> Node:
        """Write a value that is linear in v as the matrix that v is multiplied with."""
        out = [index(f"i{k}", d) for k, d in enumerate(v.shape)]
        at = [index(f"i{len(out) + k}", d) for k, d in enumerate(inner)]
        root = entries(linear, at, self.names)

        def image(node: Node) -> Node | None:
            if node.op != "entry" or node.args[0] is not v:
                return None
            return product(delta(k, o) if o.attrs["size"] != 1 else const(1)
                           for k, o in zip(node.args[1:], out, strict=True))  # fmt: skip

        whole = rebuilt(root, image)
        self._closed(whole, v)
        with keeping(self.names, self.graph.places):
            made = array(self._in_names(settle(whole)), (*out, *at))
        return simplify([made], self.names, self.graph.places, printed=True)[made]

    def _in_names(self, root: Node) -> Node:
        """Use the user's quotients where that is shorter: y y^T/|x| for y = x/|x|."""
        for y in self.names:
            if y.op not in ("div", "over") or y.args[0].op != "input" or y.args[1].shape:
                continue
            x, low = y.args[0], entry(y.args[1])

            def image(node: Node, x: Node = x, y: Node = y, low: Node = low) -> Node | None:
                if node.op != "entry" or node.args[0] is not x:
                    return None
                return product([entry(y, *node.args[1:]), low])

            other = settle(rebuilt(root, image))
            if count(other) < count(root):
                root = other
        return root

    def _closed(self, root: Node, v: Node) -> None:
        """Raise UsageError where v is left inside an operator that has no entries."""
        for node in below(root):
            if node.op == "entry" and v in topological([node.args[0]]):
                name = typed_name(node.args[0].op)
                raise UsageError(f"the entries of {name} have no closed form here",
                                 hint="jvp and hvp give the product with a vector")  # fmt: skip

    def named(self, nodes: dict[Key, Node]) -> dict[Key, Node]:
        """Choose names for what the formulas share."""
        self.chosen.prepare(nodes.values())
        return nodes

    def formula(
        self, node: Node, kind: str, wrt: str, targets: dict[str, Node], second: str = ""
    ) -> Formula:
        """Wrap a node."""
        derivation = Derivation(self.graph, self.trace, NOTHING, {}, targets, self.chosen)
        inner = len(targets[second if kind == "hessian" else wrt].shape)
        return Formula(
            node,
            self.chosen,
            of=output_name(self.source),
            wrt=wrt,
            derivation=derivation,
            kind=kind,
            second=second,
            inner=inner,
        )

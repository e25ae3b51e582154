"""Products of the Hessian with directions, compiled: H v is the gradient of <gradient, v>."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from symgrad.autodiff import scalar_output, sweep
from symgrad.errors import DataError, ShapeError, UsageError, near
from symgrad.formula.jacobians import FACTS
from symgrad.formula.naming import users_names
from symgrad.graph import Graph, Node
from symgrad.ops import leaf, make
from symgrad.ops.numbers import numbers
from symgrad.rewrite import recognise, simplify
from symgrad.shapes import Bindings, fits, text

if TYPE_CHECKING:
    from symgrad.codegen.compile import Compiled

LONG = 150  # operations of a loss above which normal forms cost more time than they save


class Product:
    """Hold the compiled product of a Hessian with directions in some of the inputs.

    `function` is compiled from <gradient, v>; `called` says what it calls each direction.
    """

    def __init__(self, compiled: "Compiled", along: Iterable[str]) -> None:
        from symgrad.codegen.build import build

        graph, wrt = compiled.graph, compiled.wrt
        scalar_output(graph)
        inputs = {n.attrs["name"]: n for n in graph.inputs}
        inner = [name for name in wrt if name not in inputs]
        if inner:
            raise UsageError(f"'{inner[0]}' is an intermediate value, what is behind it is hidden",
                             hint="compile with inputs in wrt=")  # fmt: skip
        targets = {name: inputs[name] for name in along}
        taken = dict.fromkeys([*inputs, *graph.names, *_sizes(graph)])
        self.called: dict[str, str] = {}
        self.compiled, self.kept = compiled, inputs
        for name in targets:
            own = f"v_{name}"
            while own in taken:
                own += "_"
            self.called[name] = own
            taken[own] = None
        accurate = compiled.accurate
        normal = not accurate and len(graph.order()) <= LONG
        slope = _slope(graph, targets, self.called, "accurate" if accurate else "code", normal)
        self.function = build(slope, wrt, compiled.dtype, compiled.style, accurate,
                              threads=compiled.threads, normal=normal)  # fmt: skip

    def __call__(self, v: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Compute H v by name."""
        compiled, directions = self.compiled, {}
        if inputs.keys() != self.kept.keys():
            compiled.complain(inputs)
        for name, direction in v.items():
            known = numbers(name, inputs[name]).shape
            moved = numbers(f"the direction of {name}", direction)
            if moved.shape != known:
                raise ShapeError(f"the direction of '{name}' has the shape {text(moved.shape)}; "
                                 f"'{name}' has {text(known)}",
                                 hint=f"it moves every entry:  np.zeros_like({name})  with some "
                                 "entries set")  # fmt: skip
            directions[self.called[name]] = moved[()]
        sizes = Bindings()
        given = [(numbers(name, inputs[name]).shape, n.shape) for name, n in self.kept.items()]
        if all(fits(shape, declared, sizes) for shape, declared in given):  # else the call says so
            compiled.refuse_nothing(sizes)
        return self.function(**inputs, **directions)[1]


def product(compiled: "Compiled", v: Mapping[str, Any]) -> Product:
    """Build the product along the names of `v`; raise DataError for a name that is not varied."""
    if not isinstance(v, Mapping):
        raise UsageError("the direction is a mapping of names to arrays",
                         hint='for example f.hvp({"W": V}, W=W, X=X)')  # fmt: skip
    if not v:
        known = ", ".join(compiled.wrt) or "nothing"
        raise UsageError("the direction is empty; it names the inputs that are moved along",
                         hint=f"the gradients are in {known}")  # fmt: skip
    for name in v:
        if name not in compiled.wrt:
            listed = f"the gradients are in {', '.join(compiled.wrt) or 'nothing'}"
            raise DataError(f"no gradient is taken in {name}",
                            hint=near(name, compiled.wrt) + listed)  # fmt: skip
    return Product(compiled, [name for name in compiled.wrt if name in v])


def _sizes(graph: Graph) -> list[str]:
    return [d for n in graph.order() for d in n.shape if isinstance(d, str)]


def _slope(
    graph: Graph, targets: Mapping[str, Node], called: Mapping[str, str], mode: str, normal: bool
) -> Graph:
    """Make the program of the derivative along the directions: the sum of <dL/dW, v_W>."""
    known, _ = recognise(graph, mode)
    gradients = sweep(known.output, targets.values(), mode=mode).total
    if mode != "accurate" and not any(n.attrs["kind"] in FACTS for n in targets.values()):
        # what is declared about a variable must not be used before the last derivative in it
        roots = [gradients[n] for n in targets.values()]
        simple = simplify(roots, users_names(known), known.places, normalise=normal)
        gradients = {n: simple[g] for n, g in gradients.items() if g in simple}
    total = None
    extra = []
    for name, node in targets.items():
        direction = leaf(called[name], node.shape, "data")
        extra.append(direction)
        part = make("mul", gradients[node], direction)
        part = make("sum", part) if node.shape else part
        total = part if total is None else make("add", total, part)
    assert total is not None
    return Graph.of([total], names=known.names, dims=graph.dims, dtype=graph.dtype,
                    extra_inputs=(*graph.inputs, *extra))  # fmt: skip

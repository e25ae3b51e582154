"""The public verbs; the only module that sees every stage."""

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from symgrad import autodiff
from symgrad.arguments import called, checked
from symgrad.errors import UsageError
from symgrad.graph import Graph, uncollected
from symgrad.ops.exchange import from_graphml as from_graphml
from symgrad.ops.exchange import from_json as from_json
from symgrad.parse import parse as read_text
from symgrad.parse.given import arrays_at

if TYPE_CHECKING:
    from symgrad.autodiff import Backprop
    from symgrad.codegen import Compiled
    from symgrad.diagram import Diagram, Theme
    from symgrad.diagram.from_graph import Drawing
    from symgrad.formula import Formula
    from symgrad.formula.equality import Equality
    from symgrad.train.estimator import Estimator

Source = str | Graph
Names = str | Iterable[str] | None
# What a run is told beside its settings: when it saves, what it watches, how data are read.
RUN_OPTIONS = ("seconds", "watch", "drop", "missing", "standardise_target")


def parse(
    text: "Source",
    shapes: Mapping[str, Any] | None = None,
    functions: Mapping[str, str] | None = None,
) -> Graph:
    """Read a program into a graph, a frozen `networkx.MultiDiGraph`.

    `shapes` maps names to shapes (tuples) or data (anything else). `functions` binds abstract
    functions, of a text or of a graph, to operators of one variable or to formulas in `a`. Raises
    `ParseError`, `ShapeError`, `NameClashError` or `LimitError`, with line, column and a caret.

    >>> import symgrad as sg
    >>> g = sg.parse("x*x")
    >>> g.number_of_edges()
    2
    >>> sg.parse("phi: function; phi(x)", functions={"phi": "tanh"}).output.op
    'tanh'
    """
    checked(parse, locals())
    graph = text if isinstance(text, Graph) else read_text(text, shapes)
    return graph if functions is None else autodiff.bound(graph, functions)


def _at(g: "Source", at: Mapping[str, Any] | None) -> Graph:
    """Read a program for which numbers are given: a name that is not declared has their shape."""
    if isinstance(g, Graph) or not isinstance(g, str) or not isinstance(at, Mapping):
        return parse(g)
    return parse(g, arrays_at(g, at))


def gradient(g: "Source", wrt: Names = None) -> "dict[str, Formula]":
    """Derive the gradient of a scalar in closed form, by input or intermediate name.

    `wrt=None` means all `param` inputs, or every float input that is no data, if there are none.
    Raises `NotDifferentiableError` for an output that is no scalar, `UsageError` for an unknown
    name.

    >>> import symgrad as sg
    >>> print(sg.gradient("z: real; y: binary; L = bce(sigmoid(z), y)", "z")["z"])
    ∂L/∂z = σ(z) − y
    """
    checked(gradient, locals())
    from symgrad.formula import gradients

    return gradients(parse(g), wrt)


def jacobian(g: "Source", wrt: str | Iterable[str]) -> "Formula | dict[str, Formula]":
    """Derive the Jacobian of the output in an input: axes of the output, then of the input.

    One name gives one formula, a list a mapping. Where no product of matrices says it, the formula
    is printed by entries. Raises `UsageError` where the entries have no closed form.

    >>> import symgrad as sg
    >>> F = sg.jacobian("z: real[K]; p = softmax(z)", "z")
    >>> F.unicode(), F.unicode("index")
    ('diag(p) − p pᵀ', 'pᵢ(δᵢⱼ − pⱼ) = {pᵢ(1 − pᵢ) if i = j; −pᵢ pⱼ if i ≠ j}')
    """
    checked(jacobian, locals())
    from symgrad.formula import jacobians

    found = jacobians(parse(g), wrt)
    return found[wrt] if isinstance(wrt, str) else found


def hessian(g: "Source", wrt: str | Iterable[str]) -> "Formula | dict[tuple[str, str], Formula]":
    """Derive the second derivatives of a scalar: axes of the first input, then of the second.

    One name gives one formula, a list a mapping from pairs of names.

    >>> import symgrad as sg
    >>> print(sg.hessian("X: data[N, D]; w: param[D]; y: data[N]; L = sum((X@w - y)**2)/N", "w"))
    ∂²L/∂w² = 2Xᵀ X/N
    """
    checked(hessian, locals())
    from symgrad.formula import hessians

    found = hessians(parse(g), wrt)
    return found[wrt, wrt] if isinstance(wrt, str) else found


def jvp(g: "Source", wrt: str, v: str) -> "Formula":
    """Derive the Jacobian times a vector v, the name of a declared input of the shape of `wrt`.

    >>> import symgrad as sg
    >>> print(sg.jvp("z: real[K]; v: real[K]; p = softmax(z)", "z", "v"))
    (∂p/∂z) v = p ⊙ (v − vᵀ p)
      where p = softmax(z)
    """
    checked(jvp, locals())
    from symgrad.formula import jvps

    return jvps(parse(g), wrt, v)[wrt]


def hvp(g: "Source", wrt: str, v: str) -> "Formula":
    """Derive the Hessian times a vector v, the name of a declared input of the shape of `wrt`.

    >>> import symgrad as sg
    >>> g = "X: data[N, D]; w: param[D]; v: data[D]; L = sum((X@w)**2)"
    >>> print(sg.hvp(g, "w", "v"))
    (∂²L/∂w²) v = 2Xᵀ X v
    """
    checked(hvp, locals())
    from symgrad.formula import hvps

    return hvps(parse(g), wrt, v)[wrt]


def equal(
    left: "Source | Formula",
    right: "Source",
    shapes: Mapping[str, Any] | None = None,
    steps: bool = False,
) -> "Equality":
    """Compare two programs, or a gradient with a formula of your own: proved, refuted, or neither.

    `right` may use the inputs, names and dimensions of `left`; beside a `Formula` also the names
    of its `where`, and `e_y` for the one-hot labels y. The result is true unless it is refuted;
    it has `verdict`, `proved`, `counterexample`, `hints`, and with `steps` a derivation. Raises
    `ParseError` for a text that is not in the language; shapes that differ are an answer.

    >>> import symgrad as sg
    >>> sg.equal("tanh(x)", "2*sigmoid(2*x) - 1").verdict
    'proved'
    >>> F = sg.gradient("X: data[N, D]; w: param[D]; y: data[N]; mean((X @ w - y)**2)")["w"]
    >>> sg.equal(F, "X.T @ (X @ w - y)/N").hints[0]
    'yours is 1/2 times ∂f/∂w'
    """
    checked(equal, locals())
    from symgrad.formula import equality

    return equality.equal(left, right, shapes, steps)


def backprop(g: "Source", at: Mapping[str, Any], wrt: Names = None) -> "Backprop":
    """Run forward and backward at a point, on the graph as written.

    `at` gives every input a number or an array. The result has `value`, `grad` (by name or node)
    and `local[(node, operand index)]`. Raises `DataError` or `ShapeError` for numbers that do not
    fit.

    >>> import symgrad as sg
    >>> b = sg.backprop("x = t**2; y = 3*t; L = x*y", at={"t": 2})
    >>> float(b.value), float(b.grad["t"])
    (24.0, 36.0)
    """
    checked(backprop, locals())
    return autodiff.backprop(_at(g, at), at, wrt)


def diagram(
    g: "Source",
    at: Mapping[str, Any] | None = None,
    wrt: Names = None,
    steps: bool = False,
    view: str = "auto",
    collapse: Names = (),
    expand: Names = (),
    theme: "str | Theme" = "light",
    renderer: str = "scene",
    title: str = "",
    engine: str = "auto",
    digits: int = 2,
    blank: str = "",
    symbols: str | bool = "",
    remarks: Names = (),
    align: str = "compact",
    fold: Names = "auto",
    sample: int = 0,
) -> "Diagram":
    """Draw a graph, with the value and the gradient on every edge if `at` gives a point.

    - `steps`: a frame for each gate, forwards and backwards, with its chain rule as a caption.
    - `view`: "scalar", "tensor", "layers", "neurons", or "auto", which chooses by size.
    - `collapse`: named lines, or operators that are written out, to be drawn as one gate.
    - `expand`: operators to be drawn by their definition, or layers to be opened.
    - `theme`: "light", "dark", "mono", "colorblind", or one of your own (`symgrad.theme`).
    - `symbols`: "symbols" on the edges instead of numbers, or "both".
    - `remarks`: what to point out: "patterns" of backward flow, "zeros", "signs", or "all".
    - `align`: "compact", or "left" for all inputs in the first column.
    - `fold`: "auto" folds layers that repeat, "none" folds none, names keep these open.
    - `sample`: the row of a batch whose neurons are drawn.
    - `blank`: an exercise, with the "values", the "gradients" or "both" left empty, and its key.
    - `renderer`: "scene", or "graphviz", which leaves all the drawing to Graphviz.
    - `engine`: the Graphviz that lays out, "wasi" (embedded), "dot" (on the path) or "auto".
    - `digits`: the least number of decimals.

    >>> import symgrad as sg
    >>> d = sg.diagram("(x + y)*z", at={"x": -2, "y": 5, "z": -4})
    >>> 'data-grad="-4.0"' in d.to_svg()
    True
    """
    checked(diagram, locals())
    from symgrad.diagram import build, opened

    graph = opened(_at(g, at), _listed(expand), view)
    result = None if at is None else autodiff.backprop(graph, at, wrt)

    def arithmetic(drawing: "Drawing") -> str:
        from symgrad.codegen.javascript import javascript

        nodes = {n.id: n.node for n in drawing.nodes if n.node is not None}
        return javascript(graph, wrt, nodes, {e.id: e.uses for e in drawing.edges}).source

    return build(
        graph,
        result,
        arithmetic=arithmetic,
        theme=theme,
        view=view,
        renderer=renderer,
        title=title,
        engine=engine,
        digits=digits,
        steps=steps,
        collapse=_listed(collapse),
        expand=_listed(expand),
        blank=blank,
        symbols="symbols" if symbols is True else symbols or "",
        remarks=_listed(remarks),
        align=align,
        fold=fold if isinstance(fold, str) else _listed(fold),
        sample=sample,
    )


def _listed(names: Names) -> tuple[str, ...]:
    found = (names,) if isinstance(names, str) else () if names is None else tuple(names)
    for name in found:
        if not isinstance(name, str):
            raise UsageError(f"names are texts; given is {called(name)}")
    return found


def compile(
    g: "Source",
    wrt: Names = None,
    dtype: Any = None,
    style: str = "fast",
    accurate: bool = False,
    reuse: bool = False,
    threads: int = 1,
    blas: str = "numpy",
) -> "Compiled":
    """Compile to a function of NumPy arrays: `value, grads = f(W=..., X=...)`.

    `f.source` is the module, "fast" or "readable"; `dtype=None` is that of the data, or float64.
    Results are fresh, unless `reuse` lets a call overwrite the last, and right to 64 eps of
    max(1, |value|), `accurate` in the tails too. `threads` share long arrays, `blas` may be "mkl".

    >>> import symgrad as sg
    >>> f = sg.compile("w: param; loss = (w*x - t)**2")
    >>> f(w=2, x=3, t=5)
    (1.0, {'w': 6.0})
    """
    checked(compile, locals())
    from symgrad.codegen import build

    with uncollected():  # once for both
        return build(parse(g), wrt, dtype, style, accurate, reuse, None, threads, blas)


def check(
    g: "Source", at: Mapping[str, Any] | None = None, wrt: Names = None, tolerance: float = 1e-6
) -> autodiff.Certificate:
    """Compare every derived gradient with central differences and the complex step, in float64.

    Without `at` a random point that suits the declarations is taken. The difference is relative
    to the largest entry of the gradient, or 1. Printed, it also says what differences cost.

    >>> import symgrad as sg
    >>> bool(sg.check("sin(x)*exp(y)"))
    True
    """
    checked(check, locals())
    from symgrad.formula import gradients
    from symgrad.train.divergence import explained

    graph = _at(g, at)
    asked = autodiff.wanted(graph, wrt)
    names = [k for k, node in asked.items() if node.op == "input"]
    nodes = {name: f.node for name, f in gradients(graph, names).items()}
    place = autodiff.point(graph) if at is None else at
    return explained(autodiff.certify(graph, place, nodes, tolerance, asked), graph, place, names)


def train(
    g: "Source",
    data: Any,
    *,
    out: "str | PathLike[str] | None" = None,
    resume: bool = False,
    progress: bool | None = None,
    **settings: Any,
) -> "Estimator":
    """Train a model's parameters on data; its last line is the loss.

    `data` is a mapping from inputs to arrays, a pair (X, y), a file (.npz, .csv, a folder of .npy
    files) or the name of a bundled set ("digits"). With a folder `out` the run keeps a checkpoint,
    a log and its metrics there, and `resume` goes on where it was stopped, bit for bit. `progress`
    shows a bar, by itself on a terminal. The settings are those of `symgrad.train.Settings`:
    optimizer, rate, epochs, batch, schedule, seed, l1, l2, clip, validation, test, patience, ….

    >>> import symgrad as sg
    >>> m = sg.train("x: data[N]; t: data[N]; w: param; mse(w*x, t)", {"x": [1, 2], "t": [3, 6]},
    ...              optimizer="gd", rate=0.1, standardise=False)
    >>> round(float(m.params_["w"]), 6)
    3.0
    """
    checked(train, locals())
    from symgrad.train.estimator import Estimator
    from symgrad.train.progress import bar
    from symgrad.train.settings import chosen

    options = {k: settings.pop(k) for k in RUN_OPTIONS if k in settings}
    chosen(settings)
    made = Estimator(parse(g) if isinstance(g, Graph) else g, **settings)
    with bar(progress) as shown:
        return made.run(data, out, resume, (shown,), **options)

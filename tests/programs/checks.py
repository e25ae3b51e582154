"""What has to hold for every program: all ways to its numbers agree, all prints work.

`check` raises `Disagreement`; its `kind` says which two ways differ. Why each tolerance is what it
is stands at `near` and `single`.
"""

import contextlib
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

import symgrad as sg
from symgrad.autodiff import exact
from symgrad.codegen import build
from symgrad.errors import EngineError, SymgradError
from symgrad.evaluate import bind, helpers, values
from symgrad.graph import Graph, to_json
from tests.programs.peer import Extended
from tests.programs.point import place
from tests.programs.program import Program

WILD = 1e5  # beyond such values in between, the last digits say nothing
EMPTY = ("nothing", "empty", "no entries", "place that is not there", "of 0", "zero-size")


class Disagreement(AssertionError):
    """Two ways to one number differ."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


class Excused(Exception):
    """A program about which nothing can be said, and why."""


class Checks:
    """The checks of one program at one point; `level` counts how many of the slow ones run."""

    def __init__(self, program: Program, at: Mapping[str, Any] | None = None,
                 dtype: str = "float64") -> None:  # fmt: skip
        self.program, self.dtype = program, dtype
        self.graph = sg.parse(program.text)
        full = place(program) if at is None else dict(at)
        names = [n.attrs["name"] for n in self.graph.inputs]
        self.full, self.at = full, {n: full[n] for n in names}
        self.names = [n for n in names if program.inputs[n][0] in ("param",)] or [
            n for n in names if program.inputs[n][0] in ("real", "positive")]  # fmt: skip
        self.known, self.sizes = bind(self.graph, self.at)
        with np.errstate(all="ignore"):
            self.numbers = values(self.graph.outputs, self.known, self.sizes)
            passes = sg.backprop(self.graph, self.at, self.names) if program.scalar else None
        self.value = self.numbers[self.graph.output]
        self.grads = {n: passes.grad[n] for n in self.names} if passes else {}
        parts = [*self.numbers.values(), *(passes.contributions.values() if passes else ())]
        sizes = [float(np.max(np.abs(np.asarray(p, float)), initial=1.0)) for p in parts]
        self.size = max(sizes, default=1.0) if np.all(np.isfinite(sizes)) else np.inf
        self.tame = bool(np.isfinite(self.size) and self.size < WILD)

    def near(self, what: str, found: Any, expected: Any, loose: float = 1.0) -> None:
        """Compare in float64.

        A result may be off by the rounding of the largest number on the way to it, some thousand
        times: 1e-11 of that number, which is 5e4 units of rounding, and 1e-9 of itself.
        """
        found, expected = np.asarray(found, float), np.asarray(expected, float)
        if found.shape != expected.shape:
            raise Disagreement(what, f"shapes {found.shape} and {expected.shape}")
        fine = np.isclose(found, expected, rtol=1e-9 * loose, atol=1e-11 * self.size * loose,
                          equal_nan=True)  # fmt: skip
        if not fine.all():
            k = int(np.argmin(fine.ravel()))
            raise Disagreement(what, f"entry {k}: {found.ravel()[k]!r}, expected "
                               f"{expected.ravel()[k]!r}")  # fmt: skip

    def code(self, style: str, accurate: bool = False, dtype: str = "float64") -> Any:
        """Compare a generated module: numbers, types, that nothing is changed, the same twice."""
        what = f"{style}{' accurate' if accurate else ''}{'' if dtype == 'float64' else ' f32'}"
        at = {n: _as(v, dtype) for n, v in self.at.items()}
        copies = {n: np.array(v, copy=True) for n, v in at.items()}
        wrt = [] if not self.program.scalar else self.names
        reuse = style == "fast" and self.program.seed % 3 == 2
        f = build(self.graph, wrt, dtype, style, accurate, reuse)
        with warnings.catch_warnings():
            warnings.simplefilter("error" if self.tame and dtype == "float64" else "ignore",
                                  RuntimeWarning)  # fmt: skip
            value, grads = f(**at)
            again = f(**at)
        for n, v in copies.items():
            if not np.array_equal(v, at[n], equal_nan=True):
                raise Disagreement(what, f"the input {n} was changed")
        for n, a, b, like in [("value", value, again[0], self.value), *(
                (n, grads[n], again[1][n], self.grads[n]) for n in self.grads)]:  # fmt: skip
            if not np.array_equal(a, b, equal_nan=True):
                raise Disagreement(f"{what} twice", f"{n}: {a!r} and {b!r}")
            if np.shape(a) != np.shape(like):
                raise Disagreement(f"{what} shape", f"{n}: {np.shape(a)}, not {np.shape(like)}")
            if np.asarray(a).dtype != np.dtype(dtype) and not isinstance(a, float):
                raise Disagreement(f"{what} dtype", f"{n}: {np.asarray(a).dtype}")
            if type(a) is np.ndarray and a.ndim == 0:
                raise Disagreement(f"{what} type", f"{n} is a 0-d array, not a number")
        if self.tame and dtype == "float64":
            self.near(f"{what} value", value, self.value)
            for n in self.grads:
                self.near(f"{what} gradient", grads[n], self.grads[n])
        return value, grads

    def single(self) -> None:
        """Compare both styles in float32.

        Each is to be within 64 units of rounding of the largest number on the way, times 16 for
        long programs, or within eight times what the other style is off from float64.
        """
        made = {s: self.code(s, dtype="float32") for s in ("readable", "fast")}
        if not self.tame:
            return
        near = 2.0**-24 * 1024 * self.size
        for name in ("value", *self.grads):
            exact_ = self.value if name == "value" else self.grads[name]
            parts = {s: np.asarray(v if name == "value" else g[name], float)
                     for s, (v, g) in made.items()}  # fmt: skip
            off = {s: float(np.max(np.abs(p - exact_), initial=0.0)) for s, p in parts.items()}
            for one, other in (("fast", "readable"), ("readable", "fast")):
                if not off[one] <= near + 8 * off[other]:
                    raise Disagreement(f"{one} f32 numbers", f"{name} is off by {off[one]:.2g}, "
                                       f"{other} by {off[other]:.2g}")  # fmt: skip

    def closed(self) -> None:
        """Compare `Formula.numpy()`, and print every formula in every form."""
        for name, formula in sg.gradient(self.graph, self.names).items():
            for part in (formula, *formula.where.values()):
                for text in (part.latex(), part.unicode()):
                    if not text.isprintable() and "\n" not in text:
                        raise Disagreement("print", repr(text))
            if not self.tame or set(namespace()) & {*self.at, *formula.where}:
                continue  # the text's own np is not told from a value called np
            space = {**namespace(), **self.sizes, **self.at}
            with np.errstate(all="ignore"):
                for n, part in formula.where.items():
                    space[n] = eval(part.numpy(), {}, space)
                printed = eval(formula.numpy(), {}, space)
            want = self.grads[name]
            self.near("closed form", np.broadcast_to(printed, np.shape(want)), want)

    def curvature(self) -> None:
        """Compare the Hessian times a direction with differences of the gradient."""
        if not self.tame or not self.grads:
            return
        rng = np.random.default_rng(self.program.seed)
        along = {n: rng.uniform(-1, 1, np.shape(v))[()] for n, v in self.grads.items()}
        f = build(self.graph, self.names, "float64", "fast")
        found = f.hvp(along, **self.at)

        def gradient(t: float) -> dict[str, Any]:
            moved = {n: np.asarray(v) + t * along[n] if n in along else v
                     for n, v in self.at.items()}  # fmt: skip
            return f(**moved)[1]

        steps = [(h, gradient(h), gradient(-h)) for h in (1e-4, 1e-5)]
        for n, got in found.items():
            slopes = [(np.asarray(up[n]) - np.asarray(down[n])) / (2 * h) for h, up, down in steps]
            size = 1 + max(float(np.max(np.abs(v), initial=0.0)) for v in (got, *slopes))
            off = [float(np.max(np.abs(v - got), initial=0.0)) for v in slopes]
            spread = float(np.max(np.abs(slopes[0] - slopes[1]), initial=0.0))
            # Where the differences disagree they say nothing: a kink, a high derivative.
            if spread <= 1e-4 * size and min(off) > 1e-4 * size + 10 * spread:
                raise Disagreement("curvature", f"{n}: {got!r}, differences give {slopes[1]!r}")

    def graphs(self) -> None:
        """Write and read the graph."""
        text = to_json(self.graph)
        again = sg.from_json(text)
        if again.output is not self.graph.output or to_json(again) != text:
            raise Disagreement("json", "the graph that is read is another one")
        json.loads(text)

    def pictures(self) -> None:
        """Build the diagram and its DOT file, on the graph alone and with numbers."""
        from symgrad.diagram.export import dot

        for at in (None, self.at if self.program.scalar else None):
            try:
                made = dot.export(sg.diagram(self.graph, at=at))
            except (ModuleNotFoundError, EngineError):  # libraries have no pictures
                raise Excused("no layout engine") from None
            if not made:
                raise Disagreement("dot", "empty")

    def steps(self) -> None:
        """Derive with steps, and by entries."""
        for formula in sg.gradient(self.graph, self.names[:2]).values():
            steps = formula.steps()
            if not steps:
                raise Disagreement("steps", "none")
            with contextlib.suppress(SymgradError):  # not every form has indices
                formula.latex("index")

    def differences(self) -> None:
        """Compare with the text run over NumPy in extended precision, past all of symgrad."""
        peer = Extended()
        value = np.asarray(peer.value(self.program, self.full), float)
        if not np.all(np.isfinite(value)):
            raise Excused("in extended precision it is no number")
        self.near("extended value", value, self.value)
        if not self.grads:
            return
        rng = np.random.default_rng(self.program.seed)
        along = {n: rng.uniform(-1, 1, np.shape(v)) for n, v in self.grads.items()}
        slope = sum(float(np.sum(self.grads[n] * along[n])) for n in along)
        found = peer.slopes(self.program, self.full, along)
        # Digits of differences: the fifth derivative may be large, and so may the steps.
        if not any(abs(s - slope) <= 1e-6 * (abs(slope) + self.size) for s in found):
            raise Disagreement("extended gradient", f"{slope!r} along a line, expected {found!r}")

    def peer(self, other: Any) -> None:
        """Compare with another library."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value, grads = other.gradient(self.program, self.full, list(self.grads))
        if not np.all(np.isfinite(value)):
            raise Excused(f"{other.name} gives no number")
        self.near(f"{other.name} value", value, self.value)
        for n, want in self.grads.items():
            if not np.all(np.isfinite(grads[n])) and np.all(np.isfinite(want)):
                raise Excused(f"{other.name} gives no number")
            self.near(f"{other.name} gradient", grads[n], want)

    def settled(self) -> bool:
        """Take mpmath's numbers: computed as written, log(1 - p) loses digits."""
        try:
            value, grads = exact.value_and_gradient(self.graph, self.at, list(self.grads), 20)
        except SymgradError:
            return False
        self.value, self.grads = _floats(value), {n: _floats(g) for n, g in grads.items()}
        return True

    def truth(self) -> None:
        """Compare with the mpmath evaluator."""
        try:
            value, grads = exact.value_and_gradient(self.graph, self.at, list(self.grads), 20)
        except (sg.LimitError, sg.UsageError) as error:
            raise Excused(f"exactly: {error}") from None
        self.near("exact value", _floats(value), self.value)
        for n, want in self.grads.items():
            self.near("exact gradient", _floats(grads[n]), want)


def _floats(value: Any) -> Any:
    return np.asarray(np.frompyfunc(float, 1, 1)(np.asarray(value, dtype=object)), float)


def _as(value: Any, dtype: str) -> Any:
    a = np.asarray(value)
    return a.astype(dtype)[()] if a.dtype.kind == "f" else value


def namespace() -> dict[str, Any]:
    """Give what the text of a formula may use."""
    space: dict[str, Any] = {"np": np}
    for helper in helpers().values():
        exec(helper, space)
    return {k: space[k] for k in ("np", "sigmoid", "softmax", "erf")}


def fragile(graph: Graph, numbers: Mapping[Any, Any], margin: float) -> bool:
    """Say whether rounding, or the choice of a subgradient, decides a program's result.

    So it is where two numbers that are compared are equal or nearly so, or a maximum nearly tied.
    """
    for node, value in numbers.items():
        if node.op in COMPARING:
            parts = [np.asarray(numbers[a], float) for a in node.args]
            parts = parts if len(parts) > 1 else [parts[0], np.zeros(())]
            near = np.abs(parts[0] - parts[1]) <= margin * (1 + np.abs(parts[0]))
            if np.any(near):
                return True
        elif node.op in ("amax", "amin", "floor", "norm", "std", "cosine_similarity", "hypot"):
            a = np.asarray(numbers[node.args[0]], float)
            if node.op == "floor":
                tied = np.any(np.abs(a - np.round(a)) < margin)
            elif node.op in ("amax", "amin"):
                flat = np.sort(a, axis=None)
                tied = bool(np.any(np.diff(flat) <= margin * (1 + np.abs(flat[1:]))))
            else:
                tied = bool(np.any(np.abs(np.asarray(value, float)) <= margin))
            if tied:
                return True
        elif node.op in EDGES:
            a = np.asarray(numbers[node.args[0]], float)
            if any(np.any(np.abs(np.abs(a) - e) <= margin) for e in EDGES[node.op]):
                return True
    return False


COMPARING = ("lt", "le", "gt", "ge", "eq", "ne", "sign", "abs", "relu", "maximum", "minimum",
             "hardshrink", "softshrink", "l1", "svm", "hinge", "multi_margin", "zero_one",
             "huber", "smooth_l1", "leaky_relu", "prelu")  # fmt: skip
EDGES = {"relu6": (0, 6), "hardtanh": (1,), "hardsigmoid": (3,), "hardswish": (3,),
         "clip": (1, 0.7, 0, 0.9), "elu": (0,), "celu": (0,), "selu": (0,), "softsign": (0,),
         "sinc": (0,)}  # fmt: skip


def check(program: Program, other: Any = None, quick: bool = False) -> str:
    """Run the checks whose turn it is; give "" or the reason why nothing can be said.

    `quick` takes one style of code, and the other checks of every third program only. Raises
    `Disagreement`, or whatever was raised that should not have been.
    """
    turn = program.seed
    try:
        c = Checks(program)
    except (sg.ShapeError, sg.DataError) as error:
        if 1 in program.sizes.values() or any(t in str(error) for t in EMPTY):
            return "nothing to reduce"
        raise
    for step in _steps(c, turn, other, quick):
        try:
            step()
        except Excused as error:
            return str(error)
        except Disagreement as error:
            where = 1e-4 if "f32" in error.kind else 1e-7
            if _numbers(error.kind) and fragile(c.graph, c.numbers, where):
                return f"at a kink ({error.kind})"
            if _numbers(error.kind) and not error.kind.startswith("exact") and c.settled():
                step()  # against the truth
                return "as written it loses digits"
            raise
    return "" if c.tame else "too large"


def _steps(c: Checks, turn: int, other: Any, quick: bool) -> Iterator[Callable[[], Any]]:
    """List the checks whose turn it is: those that cost more come less often."""
    scalar = c.program.scalar
    if not quick or turn % 2 == 0:
        yield lambda: c.code("fast")
    if turn % 2:
        yield lambda: c.code("readable")
    if quick and turn % 3:
        return
    if turn % 4 == 0 and scalar:
        yield c.closed
    if turn % 8 == 1:
        yield lambda: c.code(("readable", "fast")[turn // 8 % 2], True)
    if turn % 6 == 3:
        yield c.single
    if turn % 4 == 1:
        yield c.graphs
    if turn % 10 == 2 and scalar:
        yield c.curvature
    if turn % 40 == 7 and scalar:
        yield c.steps
    if c.tame and other is not None:
        yield lambda: c.peer(other)
    elif c.tame and turn % 3 == 0:
        yield c.differences
    if c.tame and turn % 12 == 6:
        yield c.truth
    if turn % 100 == 13:
        yield c.pictures


def _numbers(kind: str) -> bool:
    return not any(w in kind for w in ("twice", "dtype", "type", "shape", "json", "print"))


def special(program: Program) -> str:
    """Look for NaN and errors at points where arithmetic breaks.

    A result that is not finite is a failure where the truth is, and all values on the way are.
    """
    at = place(program, special=True)
    try:
        c = Checks(program, at)
    except (sg.ShapeError, sg.DataError):
        return "nothing to reduce"
    finite = all(np.all(np.isfinite(np.asarray(v, float))) for v in c.numbers.values())
    lost = []
    for style in ("readable", "fast"):
        value, grads = build(c.graph, c.names if program.scalar else [], "float64", style)(**c.at)
        for name, part in (("value", value), *grads.items()):
            if finite and not np.all(np.isfinite(part)):
                lost.append((style, name, part))
    if not finite or not lost:
        return "" if finite else "too large"
    try:
        value, grads = exact.value_and_gradient(c.graph, c.at, list(c.grads), 15)
    except SymgradError:
        return "no digits are enough"
    for style, name, part in lost:
        true = _floats(value if name == "value" else grads[name])
        if np.any(np.isfinite(true) & (np.abs(true) < 1e300) & ~np.isfinite(part)):
            raise Disagreement(f"special {style}", f"{name} is {part!r}, but exactly {true!r}")
    return "infinite"

"""Compile a graph to a function: the generated module, checked and executed."""

import warnings
from collections.abc import Callable, Mapping
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from symgrad.arguments import SHOWN
from symgrad.codegen import safety
from symgrad.codegen.calling import MISSING, PLAIN, PlacesError, caller, misplaced, remembered
from symgrad.codegen.curvature import Product, product
from symgrad.codegen.direct import Direct, keep_freed, opened
from symgrad.codegen.fast import pool
from symgrad.codegen.flat import Flat
from symgrad.codegen.folding import folded
from symgrad.codegen.guard import MOVED, checks, verified
from symgrad.codegen.perexample import PerExample
from symgrad.codegen.quick import quick
from symgrad.codegen.selfcheck import Comparison, section
from symgrad.codegen.summary import Summary, summarise
from symgrad.dims import evaluated
from symgrad.errors import DataError, ShapeError, SymgradWarning
from symgrad.evaluate import arrived, check_value, crowded, meant, singular
from symgrad.graph import Graph, Node
from symgrad.ops import declared, faults
from symgrad.parse.sizes import check_bound
from symgrad.rewrite import Rewrite, Trace, summary
from symgrad.shapes import Bindings, Shape, axes_of, fits, text

Made = tuple[tuple[Shape, ...], tuple[Shape, ...]]  # shapes of whole arrays, of those in tiles


class Compiled:
    """Call a generated function: `value, grads = f(W=..., X=...)`, inputs by name only.

    `source` is the module's text, `program` the same without its checks, `inputs` the names that
    it takes, `wrt` those of the gradients.
    `notes` says what was recognised, `trace` by which rewrites. Returned arrays are fresh, unless
    it was compiled with `reuse`.
    Picklable: it travels as its source.
    """

    def __init__(self, graph: Graph, source: str, name: str, parameters: dict[str, str],
                 wrt: tuple[str, ...], dtype: str,
                 trace: tuple[Rewrite, ...] = (), style: str = "readable",
                 accurate: bool = False, threads: int = 1,
                 made: Made | None = None) -> None:  # fmt: skip
        self.style, self.accurate, self.threads = style, accurate, threads
        self._made = made  # the shapes of the arrays that a call makes, where they are known
        self.trace: tuple[Rewrite, ...] = Trace(trace)
        self.notes = tuple(summary(trace))
        self.program, self.wrt, self.dtype = source, wrt, dtype
        self.inputs = tuple(parameters)
        self.graph, self._name, self._parameters = graph, name, parameters
        self._nodes = {n.attrs["name"]: n for n in graph.inputs}
        self._arrays = tuple((k, n) for k, n in self._nodes.items() if n.shape or n.dtype == "int")
        self._facts = {k: declared.Known(n) for k, n in self._nodes.items()
                       if n.attrs["kind"] in declared.FACTS}  # fmt: skip
        self._numbers = tuple((k, n) for k, n in self._nodes.items() if (k, n) not in self._arrays)
        self._assuming = faults.assuming(graph.order())
        self._aimed = faults.aimed(graph.order())
        self.standardised = _standardised(trace)
        self._renamed = {k: v for k, v in parameters.items() if k != v}
        safety.names((*parameters, *parameters.values()))
        text, types = opened(source, name) or (source, None)
        space = pool.executed(text)
        self._refuse_sizes_of_nothing(space, name)
        if types is not None:
            space["np"] = quick()
        self._function: Callable[..., tuple[Any, dict[str, Any]]]
        self._function = space[name] if types is None else Direct(space[name], types)
        self._types = {k: np.dtype(types[v]) for k, v in parameters.items() if types and v in types}
        self._seen: tuple[Any, ...] = ()
        self._products: dict[tuple[str, ...], Product] = {}
        self._examples: PerExample | None = None
        call = caller(self._nodes, parameters, self._function, space.get(f"_{name}"), self._facts,
                      dtype)  # fmt: skip
        if call is not None:  # a method is found on the type only
            self.__class__ = type("Compiled", (type(self),), {"__call__": call})

    def _refuse_sizes_of_nothing(self, space: Mapping[str, Any], name: str) -> None:
        """Raise ShapeError where the module wants a number that no array tells, as of classes."""
        read = getattr(space[name], "__wrapped__", space[name]).__code__.co_names
        for node in self.graph.inputs:
            dim = node.attrs.get("classes")
            if isinstance(dim, str) and dim in read and dim not in space:
                called = node.attrs["name"]
                raise ShapeError(f"the dimension {dim} has no number; no array has it",
                                 hint=f"say how many classes there are where '{called}' is declared"
                                 f": 3 for {dim}, or declare an array with that dimension",
                                 ).at(self.graph.spans.get(node), self.graph.source)  # fmt: skip

    @cached_property
    def _verified(self) -> str:
        return verified(self.program, self._called, self._name)

    @cached_property
    def listing(self) -> str:
        """Give the first part of `source`: the program, which has its inputs verified."""
        return folded(self._verified)

    @cached_property
    def source(self) -> str:
        """Give the text of the module, which checks its inputs, and itself with `--check`."""
        text = self._verified
        if text != self.program:
            text += checks(self.program, self._called, self.graph)
        before = {self.dtype: MOVED} if self._facts else {}
        return folded(text + section(self.graph, self.wrt, self._parameters, self._name, self.dtype,
                                     Comparison(before=before)))  # fmt: skip

    @property
    def _called(self) -> dict[str, Node]:
        return {self._parameters[k]: n for k, n in self._nodes.items()}

    def __call__(self, /, *places: Any, **inputs: Any) -> tuple[Any, dict[str, Any]]:
        """Compute the value and the gradients by name."""
        return self._general(inputs, places)

    def _general(
        self, inputs: dict[str, Any], places: tuple[Any, ...] = ()
    ) -> tuple[Any, dict[str, Any]]:
        """Compute after every check; note what the next call may skip."""
        if places:
            raise misplaced("f", self.inputs)
        inputs = {k: v for k, v in inputs.items() if v is not MISSING}
        known = [k for k, _ in self._numbers if _number_in_array(inputs.get(k))]
        if known and (self._seen or not self._arrays):  # the checks were made for such arrays
            return self(**inputs | {k: inputs[k][()] for k in known})
        if inputs.keys() != self._nodes.keys():
            self.complain(inputs)
        sizes = self._check(inputs)
        seen = remembered(self._nodes, inputs, sizes, self._types)
        if seen != self._seen or not seen:
            check_bound(self.graph, sizes, *(self._made or ()))
            for doubt in faults.doubts(self._aimed, inputs):  # of the first data of these sizes
                warnings.warn(doubt, SymgradWarning, stacklevel=3)
            self._seen = () if self._alone(sizes) else seen
            keep_freed(self._bytes(sizes))
        if self._renamed:
            inputs = {self._parameters[k]: v for k, v in inputs.items()}
        try:
            return self._function(**inputs)
        except np.linalg.LinAlgError:
            raise singular() from None
        except IndexError as error:
            raise DataError(f"a place that is not there: {error}") from None
        except MemoryError as error:
            raise crowded(error) from None
        except (ZeroDivisionError, ValueError) as error:
            nothing = [d for d, size in sizes.items() if not size]
            divided = isinstance(error, ZeroDivisionError)
            if not nothing and not divided:
                raise
            what = "division by 0" if divided else str(error)
            raise DataError(f"{what}: {' = '.join([*nothing, '0'])}") from None

    def complain(self, inputs: Mapping[str, Any]) -> None:
        """Raise DataError for inputs that are missing, or that there are not."""
        lacking = [k for k in self.inputs if k not in inputs]
        extra = [k for k in inputs if k not in self._nodes]
        given = f"; {', '.join(k[:SHOWN] for k in extra)} is no input" if extra else ""
        if lacking:
            raise DataError(f"no value is given for {', '.join(lacking)}{given}",
                            hint=meant(extra[0], self.graph) if extra else "")  # fmt: skip
        hint = meant(extra[0], self.graph)
        raise DataError(f"no input is called {', '.join(k[:SHOWN] for k in extra)}",
                        hint=f"{hint}{'; ' * bool(hint)}the inputs are "
                        f"{', '.join(self.inputs) or 'none'}")  # fmt: skip

    def _check(self, inputs: dict[str, Any]) -> Bindings:
        """Check shapes, labels and facts, make arrays and numbers of what is neither.

        The dimension names bind anew on every call.
        """
        sizes, graph = Bindings(), self.graph
        for name, node in self._arrays:
            if node.dtype == "int":
                continue
            value = inputs[name]
            plain = type(value) is np.ndarray and value.dtype.char in "fd"
            plain = plain and fits(value.shape, node.shape, sizes)
            if not plain or (name in self._facts and not self._facts[name](value)):
                array = arrived(node, value, sizes, graph, inputs)
                inputs[name] = array
        for name, node in self._arrays:
            if node.dtype == "int":
                value = inputs[name]
                array = arrived(node, value, sizes, graph, inputs)
                if type(value) is not np.ndarray or value.dtype.kind not in "iu":
                    inputs[name] = array[()]
        for name, node in self._numbers:
            value = inputs[name]
            if type(value) not in PLAIN or type(value) is int or name in self._facts:
                inputs[name] = float(check_value(node, value, sizes, graph, inputs))
        if self._assuming:
            faults.check(self._assuming, sizes, graph)
        self.refuse_nothing(sizes)
        if self._alone(sizes):
            warnings.warn(faults.ALONE, SymgradWarning, stacklevel=4)
        return sizes

    def _alone(self, sizes: Bindings) -> bool:
        """Say whether one value alone is standardised: each such call is warned of."""
        return any(all(sizes.get(str(d), d) == 1 for d in along) for along in self.standardised)

    @cached_property
    def _shapes(self) -> dict[Shape, int]:
        """Count the arrays that a call may make by their shapes: fast code copies some, too."""
        found: dict[Shape, int] = {}  # a Counter would ask the types of all mappings that there are
        for n in self.graph.order():
            if n.shape:
                found[n.shape] = found.get(n.shape, 0) + 1
        return found

    def _bytes(self, sizes: Bindings) -> int:
        """Say how many bytes the arrays that a call makes have, for these sizes.

        An operator such as cross_entropy takes several arrays, and so does its slope.
        """
        entries = 0
        for shape, count in self._shapes.items():
            entries += count * prod(evaluated(d, sizes) or 0 for d in shape)
        return 8 * entries * np.dtype(self.dtype).itemsize

    def refuse_nothing(self, sizes: Bindings) -> None:
        """Raise DataError where a size is 0 and an average is taken over it."""
        if 0 in sizes.values():
            faults.check_empty(self.graph, sizes)

    def flat(self, /, *places: Any, **fixed: Any) -> Flat:
        """Hold data fixed, and put all that is left to vary into one vector.

        The result is called as `scipy.optimize.minimize(flat, x0, jac=True)` calls it, see `Flat`.
        """
        if places:
            raise misplaced("f.flat", [k for k in self.inputs if k not in self.wrt])
        return Flat(self, fixed)

    def hvp(self, /, *v: Mapping[str, Any], **inputs: Any) -> dict[str, Any]:
        """Compute the Hessian times a direction, without the Hessian, by name.

        `v`, the only one that is given by place, has an array for each input that is moved along;
        the others stand still. The product is compiled on the first call.

        >>> import symgrad as sg
        >>> f = sg.compile("A: data[N, D]; w: param[D]; b: param; sum((A @ w + b)**2)")
        >>> f.hvp({"w": [1, 0]}, A=[[1, 2], [3, 4]], w=[0, 0], b=0)
        {'w': array([20., 28.]), 'b': np.float64(8.0)}
        """
        if len(v) != 1:
            raise PlacesError("the direction comes first, by place, and the inputs by name",
                              hint='f.hvp({"W": V}, W=W, X=X)')  # fmt: skip
        along = tuple(v[0]) if isinstance(v[0], Mapping) else ()
        if along not in self._products:
            self._products[along] = product(self, v[0])
        return self._products[along](v[0], inputs)

    def per_example(self, /, *places: Any, **inputs: Any) -> dict[str, Any]:
        """Compute the gradients of each example of the batch alone, along a new first axis.

        The examples are counted by the first dimension of the data. For a loss that is a mean
        over them the mean of these gradients is the gradient, for a sum it is their sum. A term
        of no example, such as a penalty, is in each of them, so with one a sum counts it N times. A
        loss that mixes the examples, as one over pairs does, is a UsageError.

        >>> import symgrad as sg
        >>> f = sg.compile("X: data[N, D]; t: data[N]; w: param[D]; mean((X @ w - t)**2)")
        >>> f.per_example(X=[[1, 2], [3, 4]], t=[1, 0], w=[0, 0])
        {'w': array([[-2., -4.],
               [ 0.,  0.]])}
        """
        if places:
            raise misplaced("f.per_example", self.inputs)
        if self._examples is None:
            self._examples = PerExample(self)
        return self._examples(inputs)

    def summary(self, /, *places: Any, **sizes: Any) -> Summary:
        """Count parameters, operations, arithmetic and memory; print it for a small table.

        `sizes` gives numbers for dimensions (N=128) or arrays for inputs (X=X).
        """
        if places:
            raise misplaced("f.summary", self.graph.dims or self.inputs)
        return summarise(self, sizes)

    def __reduce__(self) -> tuple[Any, ...]:
        return Compiled, (self.graph, self.program, self._name, self._parameters, self.wrt,
                          self.dtype, self.trace, self.style, self.accurate,
                          self.threads, self._made)  # fmt: skip

    def __repr__(self) -> str:
        listed = ", ".join(f"{k} {text(n.shape)}" for k, n in self._nodes.items())
        return f"<compiled function of {listed}; gradients in {', '.join(self.wrt) or 'nothing'}>"


def _number_in_array(value: Any) -> bool:
    """Say whether an array holds one float, and no axis."""
    return type(value) is np.ndarray and not value.shape and value.dtype.char in "fd"


def _standardised(trace: tuple[Rewrite, ...]) -> tuple[Shape, ...]:
    """List the dimensions over which something is standardised."""
    found: dict[Shape, None] = {}
    made = (n for r in trace for n in (r.after, *r.after.args))
    for node in (n for n in made if n.op == "standardize"):
        shape = node.args[0].shape
        found[tuple(shape[k] for k in axes_of(node.attrs["axis"], len(shape)))] = None
    return tuple(found)

"""One vector in, value and gradient vector out: a compiled function as optimisers want it."""

from collections.abc import Mapping
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from symgrad.codegen.calling import misplaced
from symgrad.dims import evaluated
from symgrad.errors import DataError, ShapeError, UsageError, near
from symgrad.evaluate import arrived, check_value
from symgrad.graph import Node
from symgrad.ops.numbers import floats, numbers
from symgrad.shapes import Bindings, text

if TYPE_CHECKING:
    from symgrad.codegen.compile import Compiled


class Flat:
    """Call a compiled function with the entries of several inputs in one vector.

    `flat(x)` gives the value, a float, and the gradient, a new vector of float64, as
    `scipy.optimize.minimize(flat, flat.start(W=..., b=...), jac=True, hessp=flat.hvp)` expects.
    `names` lists what is varied, in the order of the vector, `shapes` and `slices` say what shape
    it has and where its entries are, `size` how many there are in all. What is held fixed is not
    copied.

    >>> import symgrad as sg
    >>> f = sg.compile("A: data[N, D]; x: param[D]; t: data[N]; sum((A @ x - t)**2)")
    >>> flat = f.flat(A=[[1, 2], [3, 4]], t=[1, 1])
    >>> flat([0, 1])
    (10.0, array([20., 28.]))
    """

    def __init__(self, function: "Compiled", fixed: Mapping[str, Any]) -> None:
        self.function = function
        nodes = {n.attrs["name"]: n for n in function.graph.inputs}
        self._known(fixed, tuple(nodes), "input")
        inner = [name for name in function.wrt if name not in nodes]
        if inner:
            raise UsageError(f"'{inner[0]}' is an intermediate value; a vector holds inputs",
                             hint="compile with inputs in wrt=")  # fmt: skip
        self.names = tuple(name for name in function.wrt if name not in fixed)
        lacking = [k for k in nodes if k not in fixed and k not in self.names]
        if lacking:
            raise DataError(f"no value is given for {', '.join(lacking)}",
                            hint="flat(...) takes all that the vector does not hold")  # fmt: skip
        if not self.names:
            raise UsageError("nothing is left to vary",
                             hint=f"the gradients are in {', '.join(function.wrt) or 'nothing'}; "
                             "what is given here is held fixed")  # fmt: skip
        self._nodes = {name: nodes[name] for name in self.names}
        self._sizes = Bindings()
        self._given = fixed
        self._fixed = {k: self._checked(nodes[k], v) for k, v in fixed.items()}
        for name, number in function.graph.dims.items():
            self._sizes.setdefault(name, number)
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.slices: dict[str, slice] = {}
        self.size = 0
        self._lay_out()

    def _checked(self, node: Node, value: Any) -> Any:
        """Check what is held fixed, and convert it once instead of on every call."""
        array = arrived(node, value, self._sizes, self.function.graph, self._given)
        if node.dtype == "int":
            return array[()]
        if not node.shape:
            return float(array)
        with np.errstate(all="ignore"):
            return np.asarray(array, self.function.dtype)

    @staticmethod
    def _known(given: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
        for name in given:
            if name not in names:
                listed = f"there are {', '.join(names) or 'none'}"
                raise DataError(f"no {what} is called {name}", hint=near(name, names) + listed)

    def _lay_out(self) -> None:
        """Place the inputs one after the other, once the number behind every name is known."""
        if any(map(self._open, self.names)):
            return
        for name, node in self._nodes.items():
            shape = tuple(self._sizes[d] if isinstance(d, str) else d for d in node.shape)
            end = self.size + prod(shape)
            self.shapes[name], self.slices[name] = shape, slice(self.size, end)
            self.size = end

    def _open(self, name: str) -> bool:
        return any(evaluated(d, self._sizes) is None for d in self._nodes[name].shape)

    def start(self, /, *places: Any, **values: Any) -> np.ndarray:
        """Put the entries of all varied inputs into one vector of float64.

        The shapes that the data leave open are those of the first start from then on.

        >>> import symgrad as sg
        >>> f = sg.compile("X: data[N, D]; W: param[D, H]; b: param[H]; sum((X @ W + b)**2)")
        >>> flat = f.flat(X=[[1, 2]])
        >>> flat.start(W=[[1, 2, 3], [4, 5, 6]], b=[7, 8, 9])
        array([1., 2., 3., 4., 5., 6., 7., 8., 9.])
        >>> flat.slices["b"]
        slice(6, 9, None)
        """
        if places:
            raise misplaced("flat.start", self.names)
        self._known(values, self.names, "varied input")
        lacking = [name for name in self.names if name not in values]
        if lacking:
            raise DataError(f"no start is given for {', '.join(lacking)}")
        sizes, given = Bindings(self._sizes), {**self._given, **values}
        graph = self.function.graph
        arrays = [check_value(n, values[k], sizes, graph, given) for k, n in self._nodes.items()]
        if not self.shapes:
            self._sizes = sizes
            self._lay_out()
        return np.concatenate([np.reshape(a, -1) for a in arrays])

    def unflatten(self, x: Any, /) -> dict[str, np.ndarray]:
        """Give the parts of a vector by name, as views of it.

        >>> import symgrad as sg
        >>> flat = sg.compile("w: param[2]; b: param; (sum(w) + b)**2").flat()
        >>> flat.unflatten([1, 2, 3])
        {'w': array([1., 2.]), 'b': array(3.)}
        """
        x = self._vector(x)
        return {k: x[at].reshape(self.shapes[k]) for k, at in self.slices.items()}

    def _vector(self, x: Any, what: str = "x") -> np.ndarray:
        if not self.shapes:
            opened = [k for k in self.names if self._open(k)]
            raise ShapeError(f"the shape of {', '.join(opened)} is not known",
                             hint="call start(...) first")  # fmt: skip
        plain = type(x) is np.ndarray and x.dtype.char == "d"
        array: np.ndarray = x if plain else self._numbers(x, what)
        if array.shape != (self.size,):
            held = ", ".join(f"{k} {text(s)}" for k, s in self.shapes.items())
            raise ShapeError(f"the vector {what} has the shape {text(array.shape)}; "
                             f"({self.size},) holds {held}")  # fmt: skip
        return array

    @staticmethod
    def _numbers(x: Any, what: str) -> np.ndarray:
        try:
            return np.asarray(floats(what, numbers(what, x)))
        except DataError as error:
            raise DataError(f"the vector {what} is not made of numbers: {error.message}",
                            hint=error.hint) from None  # fmt: skip

    def _inputs(self, x: np.ndarray) -> dict[str, Any]:
        given = dict(self._fixed)
        for name, at in self.slices.items():
            shape = self.shapes[name]
            given[name] = x[at].reshape(shape) if shape else x.item(at.start)
        return given

    def _gathered(self, parts: Mapping[str, Any]) -> np.ndarray:
        result = np.empty(self.size)
        for name, at in self.slices.items():
            result[at] = np.reshape(parts[name], -1)
        return result

    def __call__(self, x: Any, /) -> tuple[float, np.ndarray]:
        """Compute the value and the gradient at a vector."""
        value, grads = self.function(**self._inputs(self._vector(x)))
        return float(value), self._gathered(grads)

    def hvp(self, x: Any, v: Any, /) -> np.ndarray:
        """Compute the Hessian at x times v, without the Hessian.

        >>> import symgrad as sg
        >>> flat = sg.compile("w: param[2]; w[0]**2*w[1]").flat()
        >>> flat.hvp([1, 2], [1, 0])
        array([4., 2.])
        """
        x, v = self._vector(x), self._vector(v, "v")
        return self._gathered(self.function.hvp(self.unflatten(v), **self._inputs(x)))

    def __repr__(self) -> str:
        held = ", ".join(f"{k} at {at.start}:{at.stop}" for k, at in self.slices.items())
        return f"<vector of {held or ', '.join(self.names) + ', sizes not known yet'}>"

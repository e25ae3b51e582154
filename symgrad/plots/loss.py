"""A scalar program as a function of some of its inputs, averaged over samples."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symgrad.arguments import called
from symgrad.autodiff import scalar_output, wanted
from symgrad.codegen import build
from symgrad.errors import DataError, UsageError
from symgrad.formula.derivation import output_name
from symgrad.graph import Graph
from symgrad.parse import filed, parse
from symgrad.shapes import text

Array = NDArray[np.float64]
_DECLARED = re.compile(r"(?:^|;)[ \t]*(\w+)[ \t]*:", re.MULTILINE)


def read(source: str | Graph, at: Mapping[str, Any]) -> Graph:
    """Read a program for which numbers are given: a name that is not declared has their shape.

    >>> read("sum(w**2)", {"w": [1.0, 2.0]}).inputs[0].shape
    (2,)
    """
    if not isinstance(at, Mapping):
        raise UsageError(f"at= takes values by name, not {type(at).__name__}")
    if isinstance(source, Graph):
        return source
    if not isinstance(source, str):
        raise UsageError(f"a program is text or a graph; given is {called(source)}",
                         hint=filed.hint(source))  # fmt: skip
    bare = re.sub("#.*", "", source)
    declared = dict.fromkeys(_DECLARED.findall(bare))
    words = dict.fromkeys(re.findall(r"\w+", bare))
    free = {k: v for k, v in at.items() if k in words and k not in declared}
    return parse(source, {k: np.asarray(v) for k, v in free.items() if np.ndim(v)})


class Loss:
    """Compute a loss and its gradient where some inputs are moved and the others stay.

    A value in `at` with one more leading axis than its input has is a list of samples: the loss is
    computed for each, and averaged.

    >>> loss = Loss(read("w: param; (w*x - 1)**2", {}), {"w": 1, "x": [1, 3]})
    >>> loss.values({"w": np.array(1.0)}).tolist(), loss.gradient()["w"].tolist()
    ([0.0, 4.0], 6.0)
    """

    def __init__(
        self, graph: Graph, at: Mapping[str, Any], along: str | Iterable[str] | None = None
    ):
        scalar_output(graph)
        self.graph, self.name = graph, output_name(graph)
        self.inputs = {n.attrs["name"]: n for n in graph.inputs}
        names = _moved(graph, along)
        lacking = [name for name in self.inputs if name not in at]
        unknown = [str(name)[:40] for name in at if name not in self.inputs]
        if lacking:
            raise DataError(f"no value is given for {', '.join(lacking)}")
        if unknown:
            raise DataError(f"no input is called {', '.join(unknown)}",
                            hint=f"the inputs are {', '.join(self.inputs)}")  # fmt: skip
        self.count, self.fixed = self._samples({k: v for k, v in at.items() if k not in names})
        self._value = build(graph, [], "float64")
        self._slope = build(graph, names, "float64")
        self.start: dict[str, Array] = {}
        for name in names:
            self.start[name] = self._read(name, at[name])
        self.values(self.start)  # whatever does not fit is said here

    def _read(self, name: str, value: Any) -> Array:
        try:
            array = np.array(value, dtype=np.float64)
        except (TypeError, ValueError):
            raise DataError(f"the value of '{name}' is not a number or an array") from None
        if array.ndim == len(self.inputs[name].shape) + 1:
            raise DataError(f"'{name}' is {text(self.inputs[name].shape)} and given "
                            f"{text(array.shape)}; what is moved has one value, "
                            "only the other inputs have samples")  # fmt: skip
        if not np.isfinite(array).all():
            raise DataError(f"the value of '{name}' holds numbers that are not finite")
        return array

    def _samples(self, rest: Mapping[str, Any]) -> tuple[int, list[dict[str, Any]]]:
        """Split values with one more leading axis than declared into samples."""
        many = {k: v for k, v in rest.items() if np.ndim(v) == len(self.inputs[k].shape) + 1}
        counts = {name: len(v) for name, v in many.items()}
        if len(set(counts.values())) > 1:
            said = ", ".join(f"{count} of {name}" for name, count in counts.items())
            raise DataError(f"the numbers of samples differ: {said}")
        if 0 in counts.values():
            raise DataError("there is no sample to average over")
        if not counts:
            return 1, [dict(rest)]
        count = next(iter(counts.values()))
        return count, [{**rest, **{k: v[i] for k, v in many.items()}} for i in range(count)]

    def values(self, point: Mapping[str, Array]) -> Array:
        """Compute the loss of every sample where the moved inputs are at `point`."""
        moved = {k: v if v.ndim else float(v) for k, v in point.items()}
        with np.errstate(all="ignore"):
            found = [self._value(**fixed, **moved)[0] for fixed in self.fixed]
        return np.array(found, dtype=np.float64)

    def gradient(self) -> dict[str, Array]:
        """Compute the gradient at the start by backpropagation, averaged over samples."""
        total = {name: np.zeros(v.shape) for name, v in self.start.items()}
        moved = {k: v if v.ndim else float(v) for k, v in self.start.items()}
        with np.errstate(all="ignore"):
            for fixed in self.fixed:
                _, grads = self._slope(**fixed, **moved)
                total = {name: v + grads[name] for name, v in total.items()}
        return {name: np.asarray(v / self.count) for name, v in total.items()}


def _moved(graph: Graph, along: str | Iterable[str] | None) -> list[str]:
    """Name the inputs that are moved: those asked for, or all parameters."""
    found = wanted(graph, along)
    if not found:
        raise UsageError("nothing can be moved: the program has no parameters",
                         hint="declare one,  w: param[D],  or name an input in along=")  # fmt: skip
    others = [name for name, node in found.items() if node.op != "input"]
    if others:
        inputs = ", ".join(n.attrs["name"] for n in graph.inputs)
        raise UsageError(f"'{others[0]}' is computed, not given", hint=f"the inputs are {inputs}")
    return list(found)

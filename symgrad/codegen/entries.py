"""Take the entries of arrays for numbers, where a program reads single entries only.

A filter that is typed out reads y[0], y[1], …: it is a program of numbers, which Python's floats
compute many times faster than NumPy's scalars. So each entry that is read becomes an input of its
own; the module takes them out of the arrays, and puts their gradients back into arrays.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symgrad.autodiff.wanted import chosen
from symgrad.codegen.lists import MANY, joined, wrapped
from symgrad.codegen.overmath import tried
from symgrad.graph import Graph, Node, rebuild
from symgrad.ops import leaf, remake
from symgrad.ops.declared import TESTS
from symgrad.ops.slices import FULL
from symgrad.shapes import Shape

SPARE = 64  # entries, and as many again for each that is read: longer arrays are not made a list
Place = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entries:
    """Hold a program whose inputs are single entries, and where they come from.

    `given` is the program over arrays, `graph` the one over numbers, `places` has the array and
    the place of each number, `sizes` how many entries of each array are listed; `asked` names the
    inputs whose gradients are wanted.
    """

    given: Graph
    graph: Graph
    places: Mapping[Node, tuple[str, Place]]
    sizes: Mapping[str, int]
    asked: tuple[str, ...]

    @property
    def wrt(self) -> list[str]:
        """Name the numbers whose gradients are wanted."""
        own: dict[str, list[str]] = {name: [] for name in self.sizes}
        for node, (name, _) in self.places.items():
            own[name].append(node.attrs["name"])
        return [one for name in self.asked for one in own.get(name, [name])]

    @property
    def shapes(self) -> dict[str, Shape]:
        """Give the shapes of the inputs that are asked for."""
        found = {n.attrs["name"]: n.shape for n in self.given.inputs}
        return {name: found[name] for name in self.asked}

    def called(self, names: Mapping[Node, str]) -> dict[Node, str]:
        """Write the entries, from what the arrays are called in the module."""
        arrays = {n.attrs["name"]: names[n] for n in self.given.inputs}
        return {
            node: arrays[name] + "".join([f"[{k}]" for k in place])
            for node, (name, place) in self.places.items()
        }

    def returned(self, results: Mapping[str, str]) -> dict[str, str]:
        """List the gradients of the entries of each array that is asked for."""
        shapes = self.shapes
        found = {name: ["0.0"] * self.sizes[name] for name in shapes if name in self.sizes}
        for node, (name, place) in self.places.items():
            if name in found:
                at = 0
                for k, size in zip(place, shapes[name], strict=True):
                    at = k if len(place) == 1 else at * int(size) + k
                found[name][at] = results[node.attrs["name"]]
        return {
            name: wrapped("[", joined(found[name]), "]", "    ") if name in found else results[name]
            for name in shapes
        }

    def dispatch(self, name: str, called: Mapping[str, str], dtype: str) -> list[str]:
        """Write the lines that call `_name`, which takes math or NumPy, lists and numbers."""
        single = dtype == "float32"
        indent = "        " if single else "    "
        args = []
        lines = ['    with np.errstate(all="ignore"):'] if single else []
        for node in self.given.inputs:
            own = called[node.attrs["name"]]
            if node.shape:
                lines.append(f"{indent}{own} = np.asarray({own}, dtype=np.{dtype})")
                part = f"[:{self.sizes[node.attrs['name']]}]" if len(node.shape) == 1 else ""
                args.append(f"{own}{part}.tolist()")
            else:
                args.append(f"float(np.float32({own}))" if single else f"float({own})")
        lines += [
            wrapped(f"{indent}args = (", args, ",)"),
            *tried(name, "*args", "*map(np.float64, args)", single),
        ]
        number = f"np.{dtype}"  # as of every program with arrays
        rows = []
        for one, shape in self.shapes.items():
            text = f'grads["{one}"]'
            if one in self.sizes:
                if len(shape) > 1:
                    text = f"np.array({text}, np.{dtype}).reshape({called[one]}.shape)"
                elif shape[0] == self.sizes[one]:
                    text = f"np.array({text}, np.{dtype})"
                else:
                    lines += [f"{indent}grad = np.zeros({called[one]}.shape, np.{dtype})",
                              f"{indent}grad[:{self.sizes[one]}] = {text}",
                              f"{indent}{text} = grad"]  # fmt: skip
            else:
                text = f"{number}({text})"
            rows.append(f'"{one}": {text}')
        return [*lines, wrapped(f"{indent}return {number}(value), {{", rows, "}")]


def entries(graph: Graph, wrt: str | Iterable[str] | None = None) -> Entries | None:
    """Find the entries that a program reads; None where it reads more than entries, or no array.

    >>> from symgrad.parse import parse
    >>> found = entries(parse("y: data[T]; a: param; (y[1] - a*y[0])**2"))
    >>> [n.attrs["name"] for n in found.graph.inputs], dict(found.sizes)
    (['a', 'y_1', 'y_0'], {'y': 2})
    >>> entries(parse("y: data[T]; a: param; y[1] - a*sum(y)")) is None
    True
    """
    places = _read(graph)
    arrays = {n: n.attrs["name"] for n in graph.inputs if n.shape}
    if not places or len(graph.inputs) > MANY or graph.functions:
        return None
    asked = chosen(graph, wrt)
    if any(n.op != "input" for n in asked.values()):
        return None
    taken = dict.fromkeys([*graph.names, *(n.attrs["name"] for n in graph.inputs)])
    numbers: dict[tuple[Node, Place], Node] = {}
    for array, place in dict.fromkeys(places.values()):
        name = "_".join([arrays[array], *map(str, place)])
        while name in taken:
            name += "_"
        taken[name] = None
        kind = array.attrs["kind"]  # rows that sum to 1 say nothing of a single entry
        kind = kind if kind in (*TESTS, "data", "param") else "real"
        numbers[array, place] = leaf(name, (), kind)
    sizes = {}
    for array, name in arrays.items():
        own = [place for one, place in numbers if one is array]
        size = _listed(array, own)
        if size is None:
            return None
        sizes[name] = size
    image = {node: numbers[where] for node, where in places.items()}
    rebuild([graph.output], remake, image)
    known = {name: image.get(n, n) for name, n in graph.names.items()}
    kept = [n for n in graph.inputs if not n.shape]
    made = Graph.of([image[graph.output]], names=known, dims=graph.dims, source=graph.source,
                    extra_inputs=kept, notes=graph.notes, dtype=graph.dtype)  # fmt: skip
    found = {n: (arrays[array], place) for (array, place), n in numbers.items()}
    return Entries(graph, made, found, sizes, tuple(asked))


def _read(graph: Graph) -> dict[Node, tuple[Node, Place]]:
    """Map the nodes that read an entry to its array and place; empty where more is read."""
    partly: dict[Node, tuple[Node, tuple[int | None, ...]]] = {}
    found: dict[Node, tuple[Node, Place]] = {}
    for node in graph.order():
        if node.op == "input":
            if node.dtype == "int":
                return {}
            partly[node] = (node, (None,) * len(node.shape))
        elif node.op == "slice" and node.args[0] in partly:
            array, open_ = partly[node.args[0]]
            place = _placed(array, open_, node.attrs["key"])
            if place is None:
                return {}
            partly[node] = (array, place)
            if not node.shape:
                found[node] = (array, tuple([k for k in place if k is not None]))
        elif node.shape or node.op == "dim" or any(a.shape for a in node.args):
            return {}
    return found


def _placed(
    array: Node, known: tuple[int | None, ...], key: Sequence[tuple[object, ...]]
) -> tuple[int | None, ...] | None:
    """Say which place is read after one more index; None for an index that is no such one."""
    left, place = iter(key), list(known)
    for axis, k in enumerate(known):
        if k is not None:
            continue
        entry, size = next(left), array.shape[axis]
        if entry == FULL:
            continue
        at = entry[0]
        if len(entry) != 2 or entry[1] is not None or type(at) is not int:
            return None
        if at < 0 and not isinstance(size, int):
            return None
        place[axis] = at if at >= 0 else at + int(size)
    return tuple(place)


def _listed(array: Node, places: Sequence[Place]) -> int | None:
    """Count the entries of an array that are listed; None where hardly any of them is read."""
    if len(array.shape) == 1:
        size = max([k + 1 for (k,) in places], default=0)
    else:
        size = 1
        for dim in array.shape:
            if not isinstance(dim, int):
                return None
            size *= dim
    return size if places and size <= 2 * len(places) + SPARE else None

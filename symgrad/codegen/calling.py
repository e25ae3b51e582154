"""Write the method that calls a compiled function: the checks of one call, spelled out.

A loop over the inputs would cost more than a small program. So the method names each of them: a
call whose types, shapes and dtypes are those of the last one goes straight to the function, any
other one through `Compiled._general`, which checks everything and has all the complaints.
"""

import math
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any

import numpy as np

from symgrad.codegen.direct import Direct, silent
from symgrad.codegen.lists import MANY
from symgrad.errors import UsageError
from symgrad.graph import Node
from symgrad.ops.declared import FACTS, TESTS, Known
from symgrad.shapes import Bindings

PLAIN = frozenset((float, int, np.float64, np.float32))
WHOLE = frozenset((int, np.int64))
FAILURES = (ArithmeticError, IndexError, MemoryError, TypeError, ValueError,
            np.linalg.LinAlgError)  # fmt: skip
ROUNDING = (*FAILURES, RuntimeError, struct.error)
MISSING: Any = type("Missing", (), {})()


class PlacesError(UsageError, TypeError):
    """Report inputs that are given by place; also a TypeError, as for any Python function."""


def misplaced(call: str, names: Iterable[str]) -> PlacesError:
    """Say by which names a call takes what was given by place."""
    listed = list(names)
    shown = ", ".join(f"{k}=…" for k in listed[:4]) + ", …" * (len(listed) > 4)
    return PlacesError("inputs are given by name, not by place", hint=f"{call}({shown})")


def caller(
    nodes: Mapping[str, Node], parameters: Mapping[str, str], function: Callable[..., Any],
    inner: Callable[..., Any] | None, facts: Mapping[str, Known], dtype: str = "float64",
) -> Callable[..., Any] | None:  # fmt: skip
    """Make the method `__call__` for these inputs; None where all goes through the checks.

    `parameters` says what the module's function calls each input, `inner` is the one that computes
    over math, `facts` says which inputs have to keep to more than their shapes.
    """
    over_math = inner is not None and inner.__code__.co_varnames[:1] == ("m",)
    if not 0 < len(nodes) <= MANY:
        if nodes and inner and over_math and not facts:
            return _by_list(tuple(nodes), inner, dtype)
        if isinstance(function, Direct) and all(k == v for k, v in parameters.items()):
            return _by_signature(nodes, parameters, function, facts)
        return None
    own = _Names(nodes)
    known = {"MISSING": MISSING, "PLAIN": PLAIN, "WHOLE": WHOLE, "FAILURES": FAILURES,
             "MATH": math, "INNER": inner, "FUNCTION": function, "ARRAY": np.ndarray,
             "type": type, "float": float,
             **{f"f{k}": facts[n] for k, n in enumerate(nodes) if n in facts}}  # fmt: skip
    unpacked, tests = _tests(nodes, own, isinstance(function, Direct))
    kept = [TESTS[n.attrs["kind"]].format(k) for k, n in nodes.items()
            if k in facts and not n.shape]  # fmt: skip
    if isinstance(function, Direct):
        known |= _surroundings(function, nodes, parameters)
        called = _quietly(nodes, parameters, own)
    else:
        given = ", ".join(f"{parameters[k]}={k}" for k in nodes)
        called = _once(f"{own('FUNCTION')}({given})", own)
    ways = [(" and ".join([*tests, *kept]), called)]
    if over_math and not any(n.shape for n in nodes.values()):  # entries are taken out first
        types = " is ".join(f"{own('type')}({k})" for k in nodes)
        floats, given = f"{types} is {own('float')}", ", ".join([own("MATH"), *nodes])
        if dtype == "float64":  # Python floats need no conversion
            ways.insert(0, (" and ".join([floats, *kept]), _once(f"{own('INNER')}({given})", own)))
        else:
            known |= _rounding(len(nodes))
            either = f"({floats} or {' and '.join(tests)})"
            ways = [(" and ".join([either, *kept]), _rounded(nodes, own))]
    found = {own(k): v for k, v in known.items()}
    # names of inputs, which are identifiers, and names chosen here
    exec(_method(nodes, unpacked, ways, own), found)
    method: Callable[..., Any] = found["__call__"]
    return method


def _method(
    nodes: Iterable[str], unpacked: str, ways: Iterable[tuple[str, str]], own: "_Names"
) -> str:
    """Write the method: each way with its test, and the general one."""
    listed = ", ".join(f"{k}={own('MISSING')}" for k in nodes)
    given = ", ".join(f'"{k}": {k}' for k in nodes)
    rest, places = own("rest"), own("places")
    text = f"def __call__({own('self')}, /, *{places}, {listed}, **{rest}):\n{unpacked}"
    for test, made in ways:
        text += f"    if {test} and not {rest} and not {places}:\n{made}"
    return f"{text}    return {own('self')}._general({{{given}, **{rest}}}, {places})\n"


def _once(call: str, own: "_Names") -> str:
    """Write a call whose failure is looked into by the general way."""
    return (f"        try:\n            return {call}\n"
            f"        except {own('FAILURES')}:\n            pass\n")  # fmt: skip


def _rounding(count: int) -> dict[str, Any]:
    """Give what the text of `_rounded` reads; C's conversion to float32 is NumPy's.

    One context is enough: nothing in it calls `f` again, and a thread that finds it taken gets a
    RuntimeError, and goes the general way.
    """
    record = struct.Struct(f"{count}f")
    return {"PACK": record.pack, "UNPACK": record.unpack, "RUN": silent(),
            "ROUNDING": ROUNDING}  # fmt: skip


def _rounded(nodes: Iterable[str], own: "_Names") -> str:
    """Write a call over math whose inputs are rounded to float32, in a context without warnings."""
    names = ", ".join(own(f"r{k}") for k, _ in enumerate(nodes))
    given = f"{own('UNPACK')}({own('PACK')}({', '.join(nodes)}))"
    return (f"        try:\n            {names}, = {given}\n"
            f"            return {own('RUN')}({own('INNER')}, {own('MATH')}, {names})\n"
            f"        except {own('ROUNDING')}:\n            pass\n")  # fmt: skip


def _surroundings(
    function: Direct, nodes: Mapping[str, Node], parameters: Mapping[str, str]
) -> dict[str, Any]:
    """Give what the text of `_quietly` reads."""
    types = {f"D{k}": function.types.get(parameters[n]) for k, n in enumerate(nodes)}
    return {"FUNCTION": function.__wrapped__, "SILENT": silent, "EMPTY": IndexError,
            "TAKEN": function.idle.pop, "KEPT": function.idle.append,
            "AS": np.asarray, **types}  # fmt: skip


def _quietly(nodes: Mapping[str, Node], parameters: Mapping[str, str], own: "_Names") -> str:
    """Write a call in a context without warnings; arrays of other types are converted in it."""
    places = {k: j for j, k in enumerate(parameters)}
    run, arrays = own("run"), [(j, k) for j, (k, n) in enumerate(nodes.items()) if n.shape]
    values = ", ".join([own("FUNCTION"), *sorted(nodes, key=lambda k: places[k])])
    lines = ["try:", f"    {run} = {own('TAKEN')}()",
             f"except {own('EMPTY')}:", f"    {run} = {own('SILENT')}()", "try:"]  # fmt: skip
    if arrays:
        lines += [f"    if not {own('same')}:"]
        lines += [f"        {k} = {run}({own('AS')}, {k}, {own(f'D{j}')})" for j, k in arrays]
    lines += [f"    return {run}({values})", f"except {own('FAILURES')}:", "    pass",
              "finally:", f"    {own('KEPT')}({run})"]  # fmt: skip
    return "".join(f"        {line}\n" for line in lines)


def _by_list(names: tuple[str, ...], inner: Callable[..., Any], dtype: str) -> Callable[..., Any]:
    """Make the method for many numbers, which are handed on as a list."""
    values_of, count = itemgetter(*names), len(names)
    if dtype == "float32":
        record, run = struct.Struct(f"{count}f"), Direct(inner, {}).quietly

        def computed(self: Any, values: tuple[Any, ...]) -> Any:
            value, grads = inner(math, list(record.unpack(record.pack(*values))))
            found = np.array(grads, np.float32)
            return np.float32(value), dict(zip(self.wrt, found.flat, strict=True))

        def listed(self: Any, values: tuple[Any, ...]) -> Any:
            return run(computed, self, values)
    else:

        def listed(self: Any, values: tuple[Any, ...]) -> Any:
            value, grads = inner(math, [*map(float, values)])
            return float(value), dict(zip(self.wrt, map(float, grads), strict=True))

    def call(self: Any, /, *places: Any, **inputs: Any) -> Any:
        if len(inputs) == count and not places:
            try:
                values = values_of(inputs)
                if PLAIN.issuperset(map(type, values)):
                    return listed(self, values)
            except (KeyError, *ROUNDING):
                pass
        return self._general(inputs, places)

    return call


def _by_signature(
    nodes: Mapping[str, Node], parameters: Mapping[str, str], function: Direct,
    facts: Mapping[str, Known],
) -> Callable[..., Any]:  # fmt: skip
    """Make the method for many inputs, which are compared with those of the last call as lists."""
    kept = tuple(facts.items())
    arrays = [k for k, n in nodes.items() if _plain(n)]
    others = [(k, n) for k, n in nodes.items() if not _plain(n)]
    count, inner, quietly = len(arrays), function.__wrapped__, function.quietly

    def call(self: Any, /, *places: Any, **inputs: Any) -> Any:
        seen = self._seen
        if seen and len(inputs) == len(nodes) and not places:
            try:
                given, rest = [inputs[k] for k in arrays], iter(seen[2 * count : -1])
                if (
                    all([type(v) is np.ndarray for v in given])
                    and tuple([v.shape for v in given]) == seen[:count]
                    and tuple([v.dtype for v in given]) == seen[count : 2 * count]
                    and all(_as_before(inputs[k], node, rest) for k, node in others)
                    and all(known(inputs[k]) for k, known in kept)
                ):
                    if seen[-1]:
                        return quietly(inner, *[inputs[k] for k in parameters])
                    return function(**inputs)
            except (KeyError, *FAILURES):
                pass
        return self._general(inputs, places)

    return call


def _plain(node: Node) -> bool:
    """Say whether an input is an array of floats."""
    return bool(node.shape) and node.dtype != "int"


def _as_before(value: Any, node: Node, seen: Iterator[Any]) -> bool:
    """Compare labels or a number with those of the last call, of which `seen` has the entries."""
    if node.shape:
        if type(value) is not np.ndarray or value.shape != next(seen):
            return False
        if value.dtype is not next(seen):
            return False
        view = value.view(next(seen))
        return bool(view.item(view.argmax()) < next(seen))
    if node.dtype == "int":
        return type(value) in WHOLE and 0 <= value < next(seen)
    return type(value) in PLAIN


class _Names:
    """Give the method's own names, apart from those of the inputs."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        self.nodes = nodes

    def __call__(self, name: str) -> str:
        while name in self.nodes:
            name += "_"
        return name


def _tests(nodes: Mapping[str, Node], own: _Names, direct: bool) -> tuple[str, list[str]]:
    """Write the comparisons with the last call, and the line that unpacks what it had.

    Where the function is called `direct`, a number may be an array without axes.
    """
    tests: list[str] = []
    of = own("type")
    shapes, kinds, others = [], [], []
    for k, (name, node) in enumerate(nodes.items()):
        shape, dtype, view = own(f"s{k}"), own(f"d{k}"), own(f"v{k}")
        if node.shape:
            tests += [f"{of}({name}) is {own('ARRAY')}", f"{name}.shape == {shape}",
                      f"{name}.dtype is {dtype}"]  # fmt: skip
            if node.attrs["kind"] in FACTS:
                tests.append(f"{own(f'f{k}')}({name})")
        if _plain(node):
            shapes.append(shape)
            kinds.append(dtype)
        elif node.shape:  # as unsigned numbers, those below 0 are the greatest
            others += [shape, dtype, own(f"u{k}"), own(f"l{k}")]
            tests += [f"({view} := {name}.view({own(f'u{k}')})).item({view}.argmax())"
                      f" < {own(f'l{k}')}"]  # fmt: skip
        elif node.dtype == "int":
            others.append(own(f"l{k}"))
            tests.append(f"{of}({name}) in {own('WHOLE')} and 0 <= {name} < {own(f'l{k}')}")
        else:
            test = f"{of}({name}) in {own('PLAIN')}"
            alone = f"{of}({name}) is {own('ARRAY')} and {name}.shape == () and {name}.dtype.char"
            tests.append(f"({test} or {alone} in 'fd')" if direct else test)
    unpacked = [*shapes, *kinds, *others]
    if not unpacked:
        return "", tests
    seen = own("seen")
    line = f"    {seen} = {own('self')}._seen\n    if {seen}:\n"
    return f"{line}        {', '.join(unpacked)}, {own('same')} = {seen}\n", [seen, *tests]


def remembered(
    nodes: Mapping[str, Node], inputs: Mapping[str, Any], sizes: Bindings,
    types: Mapping[str, Any],
) -> tuple[Any, ...]:  # fmt: skip
    """Note what the next call is compared with; () where this one was no usual one.

    The shapes of the arrays, their types, what labels and whole numbers may be, and last whether
    all arrays have the `types` of the program.
    """
    shapes, kinds, others, same = [], [], [], True
    for name, node in nodes.items():
        value = inputs[name]
        if node.shape and type(value) is not np.ndarray:
            return ()
        same = same and (not node.shape or (name in types and value.dtype == types[name]))
        if node.dtype == "int":
            classes = node.attrs.get("classes")
            limit = sizes.get(classes) if isinstance(classes, str) else classes
            if limit is None and classes is not None:
                limit = _above_all(value)  # nothing counts the classes: any from 0 on
            unsigned = _unsigned(value, limit) if limit is not None and node.shape else None
            if limit is None or (node.shape and unsigned is None):
                return ()
            others += [value.shape, value.dtype, unsigned, limit] if node.shape else [limit]
        elif node.shape:
            shapes.append(value.shape)
            kinds.append(value.dtype)
    return (*shapes, *kinds, *others, same) if shapes or others else ()


def _unsigned(value: Any, limit: int) -> np.dtype[Any] | None:
    """Give the type as which labels are viewed to find those outside 0 … limit - 1 at once."""
    if value.dtype.kind not in "iu" or not value.size:
        return None
    if not value.dtype.isnative or limit > _above_all(value):
        return None
    return np.dtype(f"u{value.dtype.itemsize}")


def _above_all(value: Any) -> int:
    """Give the number above all that whole numbers of a type can be; Python's count as 64 bits."""
    dtype = value.dtype if isinstance(value, np.ndarray) else np.dtype(np.int64)
    return int(2 ** (8 * dtype.itemsize - (dtype.kind == "i")))

"""Write the method that calls a compiled function: the checks of one call, spelled out.

A loop over the inputs would cost more than a small program. So the method names each of them: a
call whose types, shapes and dtypes are those of the last one goes straight to the function, any
other one through `Compiled._general`, which checks everything and has all the complaints.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any

import numpy as np

from symgrad.graph import Node
from symgrad.ops.declared import FACTS, TESTS, Known
from symgrad.shapes import Bindings

MOST = 64  # inputs; Python matches keywords one by one, so that many would cost their square
PLAIN = frozenset((float, int, np.float64, np.float32))
WHOLE = frozenset((int, np.int64))
FAILURES = (ArithmeticError, IndexError, TypeError, ValueError, np.linalg.LinAlgError)
MISSING: Any = type("Missing", (), {})()


def caller(
    nodes: Mapping[str, Node], parameters: Mapping[str, str], space: Mapping[str, Any], name: str,
    facts: Mapping[str, Known],
) -> Callable[..., Any] | None:  # fmt: skip
    """Make the method `__call__` for these inputs; None where all goes through the checks.

    `parameters` says what the function `name` of the module `space` calls each input, `facts`
    which inputs have to keep to more than their shapes.
    """
    inner = space.get(f"_{name}")
    over_math = inner is not None and inner.__code__.co_varnames[:1] == ("m",)
    if not 0 < len(nodes) <= MOST:
        if nodes and inner and over_math and not facts:
            return _by_place(tuple(nodes), inner)
        plain = nodes and all(k == v for k, v in parameters.items())
        return _by_signature(nodes, space[name], facts) if plain else None
    own = _Names(nodes)
    of = own("type")
    known = {"FUNCTION": space[name], "INNER": inner, "MATH": math, "ARRAY": np.ndarray,
             "PLAIN": PLAIN, "WHOLE": WHOLE, "FAILURES": FAILURES, "MISSING": MISSING,
             "type": type, "float": float,
             **{f"f{k}": facts[n] for k, n in enumerate(nodes) if n in facts}}  # fmt: skip
    unpacked, tests = _tests(nodes, own)
    kept = [TESTS[n.attrs["kind"]].format(k) for k, n in nodes.items()
            if k in facts and not n.shape]  # fmt: skip
    given = ", ".join(f"{parameters[k]}={k}" for k in nodes)
    ways = [(" and ".join([*tests, *kept]), f"{own('FUNCTION')}({given})")]
    if over_math:  # Python floats need no conversion
        types = " is ".join(f"{of}({k})" for k in nodes)
        values = ", ".join([own("MATH"), *nodes])
        test = " and ".join([f"{types} is {own('float')}", *kept])
        ways.insert(0, (test, f"{own('INNER')}({values})"))
    listed = ", ".join(f"{k}={own('MISSING')}" for k in nodes)
    given = ", ".join(f'"{k}": {k}' for k in nodes)
    rest, places = own("rest"), own("places")
    text = f"def __call__({own('self')}, /, *{places}, {listed}, **{rest}):\n{unpacked}"
    for test, made in ways:
        text += (
            f"    if {test} and not {rest} and not {places}:\n"
            f"        try:\n            return {made}\n"
            f"        except {own('FAILURES')}:\n            pass\n"
        )
    text += f"    return {own('self')}._general({{{given}, **{rest}}}, {places})\n"
    found = {own(k): v for k, v in known.items()}
    exec(text, found)  # names of inputs, which are identifiers, and names chosen here
    method: Callable[..., Any] = found["__call__"]
    return method


def _by_place(names: tuple[str, ...], inner: Callable[..., Any]) -> Callable[..., Any]:
    """Make the method for many numbers, which are handed on by their places."""
    values_of, count = itemgetter(*names), len(names)

    def call(self: Any, /, *places: Any, **inputs: Any) -> Any:
        if len(inputs) == count and not places:
            try:
                values = values_of(inputs)
                if PLAIN.issuperset(map(type, values)):
                    return inner(math, *map(float, values))
            except (KeyError, *FAILURES):
                pass
        return self._general(inputs, places)

    return call


def _by_signature(
    nodes: Mapping[str, Node], function: Callable[..., Any], facts: Mapping[str, Known]
) -> Callable[..., Any]:
    """Make the method for many inputs, which are compared with those of the last call in a loop."""
    kept = tuple(facts.items())

    def call(self: Any, /, *places: Any, **inputs: Any) -> Any:
        seen = iter(self._seen)
        if self._seen and len(inputs) == len(nodes) and not places:
            try:
                if all(_as_before(inputs[k], node, seen) for k, node in nodes.items()) and all(
                    known(inputs[k]) for k, known in kept
                ):
                    return function(**inputs)
            except (KeyError, *FAILURES):
                pass
        return self._general(inputs, places)

    return call


def _as_before(value: Any, node: Node, seen: Iterator[Any]) -> bool:
    """Compare an input with the last call's, of which `seen` has the next entries."""
    if node.shape:
        if type(value) is not np.ndarray or value.shape != next(seen):
            return False
        if value.dtype is not next(seen):
            return False
        if node.dtype != "int":
            return True
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


def _tests(nodes: Mapping[str, Node], own: _Names) -> tuple[str, list[str]]:
    """Write the comparisons with the last call, and the line that unpacks what it had."""
    tests: list[str] = []
    unpacked, of = [], own("type")
    for k, (name, node) in enumerate(nodes.items()):
        shape, dtype, view = own(f"s{k}"), own(f"d{k}"), own(f"v{k}")
        if node.shape:
            unpacked += [shape, dtype]
            tests += [f"{of}({name}) is {own('ARRAY')}", f"{name}.shape == {shape}",
                      f"{name}.dtype is {dtype}"]  # fmt: skip
            if node.attrs["kind"] in FACTS:
                tests.append(f"{own(f'f{k}')}({name})")
            if node.dtype == "int":  # as unsigned numbers, those below 0 are the greatest
                unpacked += [own(f"u{k}"), own(f"l{k}")]
                tests += [f"({view} := {name}.view({own(f'u{k}')})).item({view}.argmax())"
                          f" < {own(f'l{k}')}"]  # fmt: skip
        elif node.dtype == "int":
            unpacked.append(own(f"l{k}"))
            tests.append(f"{of}({name}) in {own('WHOLE')} and 0 <= {name} < {own(f'l{k}')}")
        else:
            tests.append(f"{of}({name}) in {own('PLAIN')}")
    if not unpacked:
        return "", tests
    seen = own("seen")
    line = f"    {seen} = {own('self')}._seen\n    if {seen}:\n"
    return f"{line}        {', '.join(unpacked)}, = {seen}\n", [seen, *tests]


def remembered(
    nodes: Mapping[str, Node], inputs: Mapping[str, Any], sizes: Bindings
) -> tuple[Any, ...]:
    """Note what the next call is compared with; () where this one was no usual one."""
    seen: list[Any] = []
    for name, node in nodes.items():
        value = inputs[name]
        if node.dtype == "int":
            classes = node.attrs.get("classes")
            limit = sizes.get(classes) if isinstance(classes, str) else classes
            if limit is None:
                return ()
            if node.shape:
                unsigned = _unsigned(value, limit)
                if unsigned is None:
                    return ()
                seen += [value.shape, value.dtype, unsigned]
            seen.append(limit)
        elif node.shape:
            if type(value) is not np.ndarray:
                return ()
            seen += [value.shape, value.dtype]
    return tuple(seen)


def _unsigned(value: Any, limit: int) -> np.dtype[Any] | None:
    """Give the type as which labels are viewed to find those outside 0 … limit - 1 at once."""
    if type(value) is not np.ndarray or value.dtype.kind not in "iu" or not value.size:
        return None
    bits = 8 * value.dtype.itemsize - (value.dtype.kind == "i")
    if not value.dtype.isnative or limit > 2**bits:
        return None
    return np.dtype(f"u{value.dtype.itemsize}")

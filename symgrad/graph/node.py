"""Nodes: interned and immutable, so that structural equality is identity.

>>> intern("const", attrs={"value": 1}) is intern("const", attrs={"value": 1})
True
>>> intern("const", attrs={"value": 1}) is intern("const", attrs={"value": 1.0})
False
"""

import threading
from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any
from weakref import WeakValueDictionary

from symgrad.shapes import Shape

NO_ATTRS: Mapping[str, Any] = MappingProxyType({})


class Node:
    """Apply one operator to operands; create it with `symgrad.ops.make`, never directly.

    `op` is the operator's name, `args` the operands, `attrs` its parameters, `shape` a tuple of
    dimensions, `dtype` one of "float", "int", "bool".
    """

    __slots__ = ("__weakref__", "args", "attrs", "dtype", "op", "shape")

    op: str
    args: tuple["Node", ...]
    attrs: Mapping[str, Any]
    shape: Shape
    dtype: str

    def __init__(
        self, op: str, args: tuple["Node", ...], attrs: Mapping[str, Any], shape: Shape, dtype: str
    ) -> None:
        put = object.__setattr__
        put(self, "op", op)
        put(self, "args", args)
        put(self, "attrs", attrs)
        put(self, "shape", shape)
        put(self, "dtype", dtype)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Node is immutable; cannot set {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Node is immutable; cannot delete {name}")

    def __copy__(self) -> "Node":
        return self

    def __deepcopy__(self, memo: object) -> "Node":
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # A chain of 10^5 nodes must not recurse, so a node travels as a flat table.
        from symgrad.graph.exchange import flatten, unflatten

        return unflatten, (flatten((self,)),)

    def __repr__(self) -> str:
        detail = "".join(f" {k}={v!r}" for k, v in self.attrs.items())
        return f"<{self.op}{detail} {self.shape}>"


_TABLE: "WeakValueDictionary[Hashable, Node]" = WeakValueDictionary()
_LOCK = threading.Lock()


def _exact(value: Any) -> Hashable:
    """Give a key that tells 1, 1.0, True and -0.0 apart."""
    if isinstance(value, tuple):
        return tuple(_exact(v) for v in value)
    return (type(value).__name__, repr(value)) if isinstance(value, int | float) else value


def intern(
    op: str,
    args: tuple[Node, ...] = (),
    attrs: Mapping[str, Any] = NO_ATTRS,
    shape: Shape = (),
    dtype: str = "float",
) -> Node:
    """Return the one node with these fields."""
    # The key holds the operands themselves, not their id(): a dead id could come back.
    exact = tuple((k, _exact(attrs[k])) for k in sorted(attrs)) if attrs else ()
    key = (op, args, exact, shape, dtype)
    node = _TABLE.get(key)
    if node is None:
        with _LOCK:
            node = _TABLE.get(key)
            if node is None:
                kept = MappingProxyType(dict(attrs)) if attrs else NO_ATTRS
                node = Node(op, args, kept, shape, dtype)
                _TABLE[key] = node
    return node

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
from weakref import ref

from symgrad.shapes import Shape

NO_ATTRS: Mapping[str, Any] = MappingProxyType({})


class _Referred:
    """Let nodes be referred to weakly."""

    __slots__ = ("__weakref__",)


class _Made(_Referred):
    """Hold the fields of a node while it is made: they are set at a fraction of the time."""

    __slots__ = ("args", "attrs", "dtype", "op", "shape")

    op: str
    args: tuple["Node", ...]
    attrs: Mapping[str, Any]
    shape: Shape
    dtype: str


class Node(_Referred):
    """Apply one operator to operands; create it with `symgrad.ops.make`, never directly.

    `op` is the operator's name, `args` the operands, `attrs` its parameters, `shape` a tuple of
    dimensions, `dtype` one of "float", "int", "bool".
    """

    __slots__ = ("args", "attrs", "dtype", "op", "shape")

    op: str
    args: tuple["Node", ...]
    attrs: Mapping[str, Any]
    shape: Shape
    dtype: str

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


class _Entry(ref[Node]):
    """Refer weakly to an interned node, and remember under which key it stands."""

    __slots__ = ("key",)

    key: Hashable


_TABLE: dict[Hashable, _Entry] = {}
_LOCK = threading.RLock()  # a node may die, and leave the table, while another is put there


def _leave(entry: _Entry) -> None:
    """Take a node that died out of the table, unless an equal one stands there by now."""
    with _LOCK:
        if _TABLE.get(entry.key) is entry:
            del _TABLE[entry.key]


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
    key: Hashable
    if attrs:
        named = [(k, attrs[k]) for k in sorted(attrs)]
        exact = tuple([(k, v if v is None or type(v) is str else _exact(v)) for k, v in named])
        key = (op, args, exact, shape, dtype)
    elif shape or dtype != "float":
        key = (op, args, (), shape, dtype)
    else:  # the numbers of long programs
        key = (op, *args)
    entry = _TABLE.get(key)
    node = None if entry is None else entry()
    if node is not None:
        return node
    made: Any = _Made()
    made.op, made.args, made.shape, made.dtype = op, args, shape, dtype
    made.attrs = MappingProxyType(dict(attrs)) if attrs else NO_ATTRS
    made.__class__ = Node
    entry = _Entry(made, _leave)
    entry.key = key
    while True:
        held = _TABLE.setdefault(key, entry)()  # in one step: threads may make the same node
        if held is not None:
            return held
        with _LOCK:  # the place is a node's that has died, and that leaves it now
            if (dead := _TABLE.get(key)) is not None and dead() is None:
                del _TABLE[key]

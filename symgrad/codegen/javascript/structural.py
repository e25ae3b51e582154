"""How the script writes operators that move, select, add up and multiply entries of arrays."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from symgrad.dims import Dim, split, terms
from symgrad.graph import Node
from symgrad.ops.slices import FULL, python_slice
from symgrad.shapes import Shape, axes_of

Operands = Sequence[str]


def size(dim: Dim) -> str:
    """Write a dimension over the table `size` of those that have names.

    >>> size(3), size("N - 1"), size("(N + 1)//2")
    ('3', 'size["N"] - 1', 'Math.floor((size["N"] + 1) / 2)')
    """
    if isinstance(dim, int):
        return str(dim)
    text = ""
    for factors, c in terms(dim):
        parts = [str(abs(c))] if abs(c) != 1 or not factors else []
        for factor in factors:
            floor = split(factor)
            whole = f"size[{_json(factor)}]"
            parts.append(f"Math.floor(({size(floor[0])}) / {floor[1]})" if floor else whole)
        text += ((" - " if c < 0 else " + ") if text else "-" * (c < 0)) + " * ".join(parts)
    return text


def shape(dims: Shape) -> str:
    """Write a shape.

    >>> shape((2, "N"))
    '[2, size["N"]]'
    """
    return f"[{', '.join(map(size, dims))}]"


def _json(value: object) -> str:
    return json.dumps(value).replace("<", "\\u003c")


def _axes(node: Node) -> str:
    return str(list(axes_of(node.attrs["axis"], len(node.args[0].shape))))


def _fold(function: str) -> Callable[[Node, Operands], str]:
    def written(node: Node, operands: Operands) -> str:
        kept = _json(bool(node.attrs["keepdims"]))
        return f"fold({function}, {operands[0]}, {_axes(node)}, {kept})"

    return written


def _along(function: str) -> Callable[[Node, Operands], str]:
    return lambda node, operands: f"along({function}, {operands[0]}, {_axes(node)})"


def _shaped(node: Node, operands: Operands) -> str:
    return f"shaped({operands[0]}, {shape(node.shape)})"


def _turned(node: Node, operands: Operands) -> str:
    axes = node.attrs["axes"]
    order = list(range(len(node.shape)))[::-1] if axes is None else list(axes)
    return f"turned({operands[0]}, {order})"


def _key(node: Node) -> str:
    entries: list[Any] = []
    for entry in node.attrs["key"]:
        if len(entry) == 2 and entry[1] is None:
            entries.append(entry[0])
        else:
            found = python_slice(FULL if entry == FULL else entry)
            entries.append([found.start, found.stop, found.step or 1])
    return _json(entries)


def _part(node: Node, operands: Operands) -> str:
    axis = node.attrs["axis"]
    span = f"[{size(node.attrs['start'])}, {size(node.attrs['stop'])}, 1]"
    whole = "[null, null, 1]"
    key = [span if k == axis else whole for k in range(len(node.args[0].shape))]
    return f"cut({operands[0]}, [{', '.join(key)}])"


def _several(function: str) -> Callable[[Node, Operands], str]:
    return lambda node, operands: f"{function}({node.attrs['axis']}, {', '.join(operands)})"


def _contract(words: Sequence[str], result: str, operands: Operands) -> str:
    return f"contract({_json(list(words))}, {_json(result)}, {', '.join(operands)})"


def _matmul(node: Node, operands: Operands) -> str:
    """Spell a product of vectors, matrices and stacks of them; stacks share leading letters."""
    first, second = (len(a.shape) for a in node.args)
    lead = "abcdefgh"[: max(0, first - 2, second - 2)]
    left = lead[len(lead) - max(first - 2, 0) :] + "xy"[max(0, 2 - first) :]
    right = lead[len(lead) - max(second - 2, 0) :] + ("y" if second == 1 else "yz")
    return _contract([left, right], lead + "x" * (first > 1) + "z" * (second > 1), operands)


def _einsum(node: Node, operands: Operands) -> str:
    left, _, right = node.attrs["subscripts"].partition("->")
    return _contract(left.split(","), right, operands)


def _trace(node: Node, operands: Operands) -> str:
    lead = "abcdefgh"[: len(node.shape)]
    return _contract([f"{lead}xx"], lead, operands)


def _diag(node: Node, operands: Operands) -> str:
    if len(node.shape) == 2:
        return f"diagonal({operands[0]})"
    return _contract(["xx"], "x", operands)


def _taken(function: str, *names: str) -> Callable[[Node, Operands], str]:
    def written(node: Node, operands: Operands) -> str:
        given = [size(node.attrs[name]) for name in names]
        return f"{function}({', '.join([*operands, *given])})"

    return written


STRUCTURAL: dict[str, Callable[[Node, Operands], str]] = {
    "sum": _fold("total"),
    "amax": _fold("largest"),
    "prod": _fold("product"),
    "logsumexp": _fold("logsumexp"),
    "softmax": _along("softmax"),
    "log_softmax": _along("logSoftmax"),
    "softmax_rest": _along("softmaxRest"),
    "winner": _along("winner"),
    "others": _along("others"),
    "cumsum": _along("running"),
    "broadcast": lambda node, operands: f"fit({operands[0]}, {shape(node.shape)})",
    "reshape": _shaped,
    "expand": _shaped,
    "transpose": _turned,
    "slice": lambda node, operands: f"cut({operands[0]}, {_key(node)})",
    "unslice": lambda node, operands: f"uncut({operands[0]}, {_key(node)}, {shape(node.shape)})",
    "part": _part,
    "concatenate": _several("behind"),
    "stack": _several("stacked"),
    "take": _taken("take", "axis"),
    "scatter": _taken("scatter", "axis", "size"),
    "pick": _taken("pick"),
    "onehot": _taken("onehot", "size"),
    "arange": _taken("counted", "size"),
    "eye": _taken("unit", "size"),
    "matmul": _matmul,
    "outer": lambda node, operands: _contract(["x", "y"], "xy", operands),
    "einsum": _einsum,
    "trace": _trace,
    "diag": _diag,
    "windows": _taken("windows", "width", "along", "step", "gap"),
    "overlapped": _taken("overlapped", "size", "along", "step", "gap"),
    "correlate": _taken("correlate"),
    "convolve": lambda n, operands: f"convolve({', '.join([*operands, _json(n.attrs['mode'])])})",
}

"""Write a sum with parts at their places as additions in place: g = …, then g[1:] += …."""

from collections.abc import Mapping

from symgrad.formula.code import Writer
from symgrad.graph import Node
from symgrad.graph.parts import Signed, summands
from symgrad.ops import const, make, value_of
from symgrad.ops.slices import key_text
from symgrad.ops.spec import shape_text, sized
from symgrad.rewrite.exponents import signed_sum

OWN = ("add", "sub", "mul", "div", "neg", "pow", "matmul", "outer")  # whose results are new arrays


def placed(node: Node, name: str, writer: Writer, called: Mapping[Node, str]) -> str | None:
    """Give what is assigned to a name, with the lines behind it; None for what is no such sum."""
    if node.op not in ("add", "sub", "unslice") or node.dtype != "float":
        return None
    terms = summands(node, lambda n: n is node or n not in called)
    parts = [t for t in terms if _part(t[0], called)]
    rest = [t for t in terms if t not in parts]
    whole = all(n.shape == node.shape for n, _ in rest) and writer.strong(node)
    if not parts or len(terms) < 2 or not whole:
        return None

    def text(template: str) -> str:
        return sized(template, lambda size: writer.sizes.get(size, size))

    lines = [_start(rest, writer, called) or text(f"np.zeros({shape_text(node.shape)}, {{}})")]
    lines[0] = lines[0].replace("{}", writer.dtype)
    for part, less in parts:
        inner, less = _without_sign(part.args[0], less, called)
        written = called.get(inner) or writer.write(inner, called)
        key = text(key_text(part.attrs["key"]))
        lines.append(f"{name}[{key}] {'-' if less else '+'}= {written}")
    return "\n    ".join(lines)


def _part(node: Node, called: Mapping[Node, str]) -> bool:
    """Say whether a term is an array at a place of zeros."""
    return node.op == "unslice" and node not in called and node.args[0].dtype == "float"


def _without_sign(node: Node, less: bool, called: Mapping[Node, str]) -> Signed:
    """Subtract what is negated, or a negative multiple, instead of adding it."""
    if node in called:
        return node, less
    if node.op == "neg":
        return node.args[0], not less
    for k, factor in enumerate(node.args if node.op == "mul" else ()):
        value = value_of(factor)
        if factor.op == "neg" or (value is not None and value < 0):
            positive = factor.args[0] if value is None else const(-value)
            return make("mul", positive, node.args[1 - k]), not less
    return node, less


def _start(rest: list[Signed], writer: Writer, called: Mapping[Node, str]) -> str:
    """Write the other terms as a new array."""
    total = signed_sum(rest)
    if total is None:
        return ""
    if total in called or total.op not in OWN or not writer.strong(total):
        return f"np.array({called.get(total) or writer.write(total, called)}, dtype={writer.dtype})"
    return writer.write(total, called)

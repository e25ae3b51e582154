"""Write sums and means of products as inner products, which make no array of the products."""

import re
from collections.abc import Sequence
from string import ascii_lowercase

from symgrad.dims import times
from symgrad.formula.texts import Text
from symgrad.graph import Node
from symgrad.ops import OPS, value_of
from symgrad.ops.spec import MUL, letters, size_text
from symgrad.ops.words import as_matrices, subscripts
from symgrad.shapes import axes_of

SQUARE = re.compile(r"(\w+) \*\* 2")
BRACKETS = re.compile(r"(\w+(?:\.T)?) \* \((.+)\)")  # the second of which is in brackets
PRODUCT = re.compile(r"(.+) \* (\w+(?:\.T)?)")  # of two operands, the second of which has a name


def inner_product(node: Node, args: Sequence[Text], single: bool = False) -> Text | None:
    """Add up a product of two arrays while it is made; None for another sum.

    What is `single`, float32, is added up by rows at most: BLAS adds long ones one after the other.

    >>> from symgrad.ops import const, leaf, make
    >>> E = leaf("E", ("N", "D"))
    >>> square = make("pow", E, const(2))
    >>> inner_product(make("mean", square), [Text("E ** 2")]).text
    'np.vdot(E, E) / E.size'
    >>> inner_product(make("sum", square, axis=1, keepdims=True), [Text("E ** 2")]).text
    'np.vecdot(E, E, keepdims=True)'
    >>> inner_product(make("sum", square, axis=0), [Text("E ** 2")]).text
    'np.einsum("ij,ij->j", E, E)'
    """
    product, rank = node.args[0], len(node.args[0].shape)
    pair = _pair(product, args[0].text) if rank else None
    if pair is None:
        return None
    one, two = pair
    axes, kept = axes_of(node.attrs["axis"], rank), node.attrs["keepdims"]
    if len(axes) == rank:
        if kept or (single and rank == 1):
            return None
        rows = f"np.sum(np.vecdot({one}, {two}))" if single else f"np.vdot({one}, {two})"
        found = f"{one} @ {two}" if rank == 1 and one.isidentifier() else rows
        return _mean(node, found, f"{two}.size")
    if axes == (rank - 1,):
        found = f"np.vecdot({one}, {two}{', keepdims=True' if kept else ''})"
    elif axes == tuple(range(len(axes))) and (rank == 2 or not kept):
        word = ascii_lowercase[8:][:rank]
        found = f'np.einsum("{word},{word}->{word[len(axes) :]}", {one}, {two})'
        found += "[None]" if kept else ""
    else:
        return None
    return _mean(node, found, " * ".join(f"{two}.shape[{k}]" for k in axes))


def _mean(node: Node, total: str, count: str) -> Text:
    if node.op == "sum":
        return Text(total, MUL) if " @ " in total else Text(total)
    return Text(f"{total} / {f'({count})' if '*' in count else count}", MUL)


def _pair(product: Node, text: str) -> tuple[str, str] | None:
    """Give the texts of the two factors; None where they are not whole arrays of floats."""
    if product.op == "pow" and value_of(product.args[1]) == 2:
        found = SQUARE.fullmatch(text)
        return (found[1], found[1]) if found and product.dtype == "float" else None
    whole = all(a.shape == product.shape and a.dtype == "float" for a in product.args)
    if product.op != "mul" or not whole:
        return None
    found = PRODUCT.fullmatch(text)
    if found:
        return found[1], found[2]
    found = BRACKETS.fullmatch(text)
    return (found[2], found[1]) if found and _closed(found[2]) else None


def _closed(text: str) -> bool:
    """Say whether brackets that a text opens are closed in it, and no others."""
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            return False
    return True


def product_of_stacks(node: Node) -> tuple[str, int] | None:
    """Write a sum over all axes but the last ones as a product of tables with a row for each entry.

    np.tensordot does the same, and takes twice as long to find out.

    >>> from symgrad.ops import leaf, make
    >>> X, D = leaf("X", ("B", "T", "C")), leaf("D", ("B", "T", "F"))
    >>> product_of_stacks(make("einsum", X, D, subscripts="abc,abd->cd"))[0]
    '{a:40}.reshape(<B>*<T>, <C>).T @ {b:40}.reshape(<B>*<T>, <F>)'
    """
    if node.op != "einsum" or len(node.args) != 2:
        return None
    words, result = subscripts(node.attrs["subscripts"])
    pair = as_matrices(words, result)
    if pair is None or not pair[1]:
        return None
    k, names = pair[0], letters(OPS["einsum"], 2)
    summed = sum(c in words[1] for c in words[0])
    if summed < 2 or words[0][:summed] != words[1][:summed]:
        return None
    sides = []
    for j in (k, 1 - k):
        shape = node.args[j].shape
        if len(shape) > summed + 1:
            return None
        plain = all(isinstance(d, int) or d.isidentifier() for d in shape)
        rows = size_text(times(*shape[:summed])) if plain else "-1"
        sizes = [rows, *map(size_text, shape[summed:])]
        sides.append(f"{{{names[j]}:40}}.reshape({', '.join(sizes)})")
    first = f"{sides[0]}.T" if len(words[k]) > summed else sides[0]
    return f"{first} @ {sides[1]}", MUL

"""What an einsum comes to: a product, a transpose, a sum, a trace, where it is one.

"ij,jk->ik" is A @ B and "ij->j" a sum over rows. Written so, it prints as in a book and runs on
fast routines; what has no such name stays an einsum.
"""

import ast
import re
from collections.abc import Sequence
from string import ascii_letters
from typing import TYPE_CHECKING

from symgrad.graph import Node
from symgrad.ops import make
from symgrad.ops.words import misspelled, subscripts
from symgrad.parse.values import Val, Visit

if TYPE_CHECKING:
    from symgrad.parse.expression import Reader

FORM = 'einsum("ij,jk->ik", A, B)'
PAIR = r"([A-Za-z])\1"  # the axes of a diagonal
REST = "..."  # axes that are not named


def read(reader: "Reader", tree: ast.Call) -> Visit:
    """Evaluate a call of einsum; a generator, run by the reader's loop."""
    first = tree.args[0] if tree.args else None
    if not isinstance(first, ast.Constant) or not isinstance(first.value, str) or tree.keywords:
        raise reader.error(tree, "einsum takes a text and arrays", FORM)
    word = first.value.replace(" ", "")
    left, arrow, right = word.partition("->")
    groups, right = left.split(","), right if arrow else _implied(left)
    plain = ",".join(re.sub(f"^{PAIR}$", r"\1", group.replace(REST, "", 1)) for group in groups)
    fault = misspelled(f"{plain}->{right.replace(REST, '', 1)}")
    if not fault and (REST in right) != (REST in left):
        fault = "... stands on both sides of ->, or on neither"
    if fault:
        raise reader.error(first, f"einsum: {fault}", FORM)
    operands: list[Node] = []
    for k, argument in enumerate(tree.args[1:]):
        value = yield argument
        if value.axes:
            raise reader.error(argument, "einsum of a value with indices", "use it on whole arrays")
        node = value.node
        if k < len(groups) and re.fullmatch(PAIR, groups[k]) and len(node.shape) == 2:
            if not right and len(groups) == 1 and len(tree.args) == 2:
                return Val(reader.node(tree, "trace", node))
            node, groups[k] = reader.node(argument, "diag", node), groups[k][0]
        operands.append(node)
    if not operands:
        raise reader.error(tree, "einsum takes a text and arrays", FORM)
    if REST in left:
        groups, right = _spelled_out(groups, right, [len(node.shape) for node in operands])
    word = f"{','.join(groups)}->{right}"
    whole = reader.node(tree, "einsum", *operands, subscripts=word)  # checks letters and shapes
    words, result = subscripts(word)
    found = simple(words, result, operands)
    if found is None:
        return Val(whole)
    reader.spans.setdefault(found, reader.span(tree))
    return Val(found)


def _implied(left: str) -> str:
    """Give the letters of a result that is not named: those that stand once, in their order.

    >>> _implied("ij,jk"), _implied("...i,i")
    ('ik', '...')
    """
    letters = [c for c in left if c.isalpha()]
    return REST * (REST in left) + "".join(sorted(c for c in letters if letters.count(c) == 1))


def _spelled_out(groups: list[str], right: str, ranks: list[int]) -> tuple[list[str], str]:
    """Write letters for the axes that ... stands for, the last ones of all that have it.

    >>> _spelled_out(["...ij", "jk"], "...ik", [3, 2])
    (['aij', 'jk'], 'aik')
    """
    free = [c for c in ascii_letters if not any(c in group for group in (*groups, right))]
    count = [rank - len(g) + len(REST) if REST in g else 0
             for g, rank in zip(groups, ranks, strict=False)]  # fmt: skip
    fresh = "".join(free[: max(0, *count, 0)])
    spelled = [g.replace(REST, fresh[len(fresh) - max(n, 0) :])
               for g, n in zip(groups, [*count, *[0] * len(groups)], strict=False)]  # fmt: skip
    return spelled, right.replace(REST, fresh)


def einsum(word: str, operands: Sequence[Node]) -> Node:
    """Make an einsum, or the product, sum or transpose that it comes to."""
    words, result = subscripts(word)
    found = simple(words, result, operands)
    return make("einsum", *operands, subscripts=word) if found is None else found


def simple(words: Sequence[str], result: str, operands: Sequence[Node]) -> Node | None:
    """Write an einsum of one or two operands by named operators; None if it stays an einsum.

    >>> from symgrad.ops import leaf
    >>> A, B = leaf("A", ("N", "D")), leaf("B", ("D", "H"))
    >>> simple(["ij", "jk"], "ik", [A, B]).op, simple(["ij"], "", [A]).op
    ('matmul', 'sum')
    """
    if len(operands) == 1:
        (word,), (a,) = words, operands
        return _ordered(*_summed(word, a, result), result)
    if len(operands) != 2:
        return None
    (u, v), (a, b) = words, operands
    u, a = _summed(u, a, result + v)
    v, b = _summed(v, b, result + u)
    return _without_sum(u, v, result, a, b) if set(u + v) == set(result) else (
        _inner(u, v, result, a, b)
        or _product(u, v, result, a, b)
        or _stacked_product(u, v, result, a, b)
    )  # fmt: skip


def _summed(word: str, node: Node, kept: str) -> tuple[str, Node]:
    """Sum the axes that nothing else needs."""
    axes = tuple(k for k, letter in enumerate(word) if letter not in kept)
    if not axes:
        return word, node
    everything = len(axes) == len(word)
    axis = None if everything else axes[0] if len(axes) == 1 else axes
    return "".join(c for c in word if c in kept), make("sum", node, axis=axis)


def _ordered(word: str, node: Node, wanted: str) -> Node:
    """Permute axes."""
    if word == wanted:
        return node
    if word == wanted[::-1]:
        return make("transpose", node)
    return make("transpose", node, axes=tuple(word.index(letter) for letter in wanted))


def _without_sum(u: str, v: str, result: str, a: Node, b: Node) -> Node | None:
    """Multiply elementwise, rows and columns beside a matrix included; or an outer product."""
    if len(u) == len(v) == 1 and u != v:
        return make("outer", a, b) if result == u + v else make("outer", b, a)
    if len(result) > 2 and not u == v == result:
        return None
    parts = []
    for word, node in ((u, a), (v, b)):
        order = "".join(letter for letter in result if letter in word)
        node = _ordered(word, node, order)
        missing = tuple(k for k, letter in enumerate(result) if letter not in order)
        if order and missing and missing != tuple(range(len(missing))):
            node = make("expand", node, axes=missing)
        parts.append(node)
    return make("mul", *parts)


def _inner(u: str, v: str, result: str, a: Node, b: Node) -> Node | None:
    """Multiply elementwise and sum: x · y, the sum of A ⊙ B, its row sums."""
    if set(u) != set(v) or [letter for letter in u if letter in result] != list(result):
        return None
    if len(u) == 1:
        return make("matmul", a, b)
    axes = tuple(k for k, letter in enumerate(u) if letter not in result)
    axis = None if not result else axes[0] if len(axes) == 1 else axes
    return make("sum", make("mul", a, _ordered(v, b, u)), axis=axis)


def _product(u: str, v: str, result: str, a: Node, b: Node) -> Node | None:
    """Multiply matrices and vectors."""
    shared = [letter for letter in u if letter in v]
    left = "".join(letter for letter in u if letter not in shared)
    right = "".join(letter for letter in v if letter not in shared)
    if len(shared) != 1 or len(left) > 1 or len(right) > 1 or shared[0] in result:
        return None
    (j,) = shared
    if result == left + right:
        return make("matmul", _ordered(u, a, left + j), _ordered(v, b, j + right))
    return make("matmul", _ordered(v, b, right + j), _ordered(u, a, j + left))


def _stacked_product(u: str, v: str, result: str, a: Node, b: Node) -> Node | None:
    """Multiply stacks of matrices whose first axes count the stack."""
    lead = "".join(letter for letter in u if letter in v and letter in result)
    shared = "".join(letter for letter in u if letter in v and letter not in result)
    left = "".join(letter for letter in u if letter not in v)
    right = "".join(letter for letter in v if letter not in u)
    if not (len(shared) == len(left) == len(right) == 1 and result == lead + left + right):
        return None
    if not (lead and u.startswith(lead) and v.startswith(lead)):
        return None
    return make(
        "matmul", _ordered(u, a, lead + left + shared), _ordered(v, b, lead + shared + right)
    )
